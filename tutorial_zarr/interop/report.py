"""The report of a run: JSON, Markdown, and one HTML page that needs nothing else.

    FOLDER/report/matrix.json     everything, for programs
    FOLDER/report/matrix.md       counts, and each wrong cell with its cause
    FOLDER/report/matrix.html     the same to click through
    FOLDER/report/summary.json    what `lint` needs; a copy of it comes with this package as ``matrix.json``
    FOLDER/report/defects/N/      for each defect the smallest store that shows it, with what was expected and found

In ``matrix.json``, `cells` has a string for each writer and reader: one mark of `outcomes.MARKS` for each case, in
the order of `cases`; the reader ``""`` is writing itself.

>>> shorten({"a": 1, "b": "=" * 5})
'{"a": 1, "b": "====="}'
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr.errors import StoreError
from tutorial_zarr.words import markdown

from .cases import Case, all_cases
from .defects import Defect, explain
from .environments import OURS
from .matrix import read_results, store_folder
from .outcomes import MARKS, NAMES

SHOWN_BYTES = 160
BAD = ("wrong", "crash", "timeout")
NOT_ASKED = " "


def shorten(value: Any, length: int = 400) -> str:
    """JSON in one line, cut to a length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 3] + "..."


def collect(folder: Path) -> dict[str, Any]:
    """The content of ``matrix.json``."""
    if not (folder / "run.json").exists():
        raise StoreError(f"{folder}: expected the folder of a run, found no run.json in it; try: interop run {folder}")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    cases = all_cases()
    place = {id: n for n, id in enumerate(cases)}
    cells: dict[str, dict[str, list[str]]] = {}
    details: dict[str, dict[str, Any]] = {}
    for entry in read_results(folder):
        writer, reader, id = entry["writer"], entry["reader"], entry["case"]
        if id not in place:
            continue
        row = cells.setdefault(writer, {}).setdefault(reader, [NOT_ASKED] * len(cases))
        row[place[id]] = MARKS[entry["outcome"]]
        key = f"{writer}|{reader}|{place[id]}"
        details.pop(key, None)
        if entry["outcome"] not in ("equal", "unwritten"):
            details[key] = {"said": _without_places(entry["detail"], folder)[:600]}
            if entry.get("found", {}).get("bytes"):
                details[key]["bytes"] = entry["found"]["bytes"][: 2 * SHOWN_BYTES]
            defect = explain(writer, reader, id)
            if defect is not None and entry["outcome"] != "unsupported":
                details[key]["cause"] = f"{defect.peer} ({defect.version}) {defect.cause}"
    return {
        **run,
        "marks": NAMES,
        "cases": [_describe(case) for case in cases.values()],
        "cells": {w: {r: "".join(row) for r, row in sorted(of.items())} for w, of in sorted(cells.items())},
        "details": details,
    }


def _without_places(text: str, folder: Path) -> str:
    """A sentence without the folders of the machine that it was said on."""
    for place in (str(folder.absolute()), str(folder)):
        text = text.replace(place, "")
    text = re.sub(r"file://(?:/[^\s/'\"]+)+/", "file:///", text)
    return re.sub(r"(?<![\w.:/])/(?:[^\s/'\"]+/)+", "/", text)


def _describe(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "spec": case.spec,
        "elements": sorted(case.elements),
        "shape": list(case.data.shape),
        "dtype": case.dtype,
        "document": case.document,
        "attributes": case.attributes,
        "node": case.node,
        "kind": case.kind,
        "chunks": bool(case.regions),  # whether any are stored
        "bytes": case.expected_bytes[:SHOWN_BYTES].hex(),
        "nbytes": len(case.expected_bytes),
    }


def counts(data: dict[str, Any]) -> Iterator[tuple[str, str, Counter[str]]]:
    """Writer, reader, and how many cells of each outcome."""
    for writer, of in data["cells"].items():
        for reader, row in of.items():
            yield writer, reader, Counter(data["marks"][mark] for mark in row if mark != NOT_ASKED)


def bad_cells(data: dict[str, Any]) -> Iterator[tuple[str, str, str, str, Defect | None]]:
    """Writer, reader, case and outcome of each cell that is wrong, a crash or a timeout; and the defect, if known."""
    for writer, of in data["cells"].items():
        for reader, row in of.items():
            for case, mark in zip(data["cases"], row, strict=True):
                if data["marks"].get(mark) in BAD:
                    yield writer, reader, case["id"], data["marks"][mark], explain(writer, reader, case["id"])


# --- Markdown


def to_markdown(data: dict[str, Any]) -> str:
    """Counts and causes, to be read."""
    lines = [
        "# Who reads whose stores",
        "",
        f"{data['date']}, {data['platform']}, {len(data['cases'])} cases.",
        "",
        "| peer | versions |",
        "|---|---|",
    ]
    for name, peer in data["peers"].items():
        versions = ", ".join(f"{n} {v}" for n, v in sorted(peer["versions"].items()))
        lines.append(f"| {name} | {markdown(versions or 'absent: ' + peer['absent'])} |")
    outcomes = [name for name in MARKS if name != "unwritten"]
    head = ["writer", "reader", *outcomes]
    lines += ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for writer, reader, found in counts(data):
        cells = [str(found[name] or "") for name in outcomes]
        lines.append("| " + " | ".join([writer, reader or "(writing)", *cells]) + " |")
    lines += ["", "`unsupported`: refused, and not among what the peer says that it has. `refused`: it says so.", ""]
    lines += ["## Wrong, crashed, silent", ""]
    groups: dict[tuple[str, str], list[str]] = {}
    for writer, reader, case, outcome, defect in bad_cells(data):
        if defect is not None:
            side = "writing" if defect.side == "writes" else "reading"
            groups.setdefault((f"{defect.peer} ({defect.version}), {side}", defect.cause), []).append(case)
        else:
            said = data["details"].get(f"{writer}|{reader}|{_place(data, case)}", {}).get("said", "")
            groups.setdefault(
                (f"{writer} to {reader or 'disk'}: {outcome}", f"not yet looked into: {markdown(said)}"), []
            ).append(case)
    for (who, cause), ids in sorted(groups.items()):
        some = sorted(set(ids))
        named = ", ".join(f"`{id}`" for id in some[:4]) + (f" and {len(some) - 4} more" if len(some) > 4 else "")
        lines.append(f"- **{who}**: {cause}. {len(ids)} cells: {named}")
    if not groups:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def _place(data: dict[str, Any], id: str) -> int:
    return next(n for n, case in enumerate(data["cases"]) if case["id"] == id)


# --- HTML


def to_html(data: dict[str, Any]) -> str:
    """One page with everything in it; nothing is fetched."""
    template = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    title = html.escape(f"Who reads whose stores, {data['date']}")
    return template.replace("{{title}}", title).replace("{{data}}", text)


def write(folder: Path) -> dict[str, Any]:
    """Write the report of the run in `folder`, and return what it says."""
    data = collect(folder)
    target = folder / "report"
    target.mkdir(exist_ok=True)
    (target / "matrix.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    (target / "matrix.md").write_text(to_markdown(data), encoding="utf-8")
    (target / "matrix.html").write_text(to_html(data), encoding="utf-8")
    write_summary(data, target / "summary.json")
    _attach(folder, target / "defects", data)
    return data


def _attach(folder: Path, target: Path, data: dict[str, Any]) -> None:
    """For each defect, and each bad cell without a cause, one store that shows it."""
    shutil.rmtree(target, ignore_errors=True)
    cases, shown = all_cases(), set()
    found = sorted(bad_cells(data), key=lambda cell: (cell[0] != OURS, len(cases[cell[2]].expected_bytes)))
    for writer, reader, id, outcome, defect in found:
        store = store_folder(folder, writer, id)
        mark = (defect.peer, defect.side, defect.cause) if defect else (writer, reader, id)
        if mark in shown or not store.exists():
            continue
        shown.add(mark)
        place = target / f"{len(shown):02d}-{defect.peer if defect else reader or writer}"
        shutil.copytree(store, place / "store.zarr")
        case = cases[id]
        cell = {
            "case": id,
            "spec": case.spec,
            "written by": writer,
            "read by": reader,
            "outcome": outcome,
            "cause": defect.cause if defect else None,
            "expected": {"shape": list(case.data.shape), "dtype": case.dtype, "bytes": case.expected_bytes.hex()},
            "found": data["details"].get(f"{writer}|{reader}|{_place(data, id)}", {}),
            "versions": {name: data["peers"][name]["versions"] for name in {writer, reader} if name},
        }
        (place / "cell.json").write_text(json.dumps(cell, indent=1, ensure_ascii=False), encoding="utf-8")


def write_summary(data: dict[str, Any], file: Path) -> None:
    """The part of a matrix that `lint` needs: what each peer reads of the stores that this library writes."""
    readers = [name for name, peer in data["peers"].items() if peer["reads"] and name in data["cells"].get(OURS, {})]
    elements = sorted({element for case in data["cases"] for element in case["elements"]})
    place = {element: n for n, element in enumerate(elements)}
    sentences: dict[str, int] = {}
    said: dict[str, dict[str, int]] = {name: {} for name in readers}
    for key, found in data["details"].items():
        writer, reader, case = key.split("|")
        # What was read wrong is told in our words. What a reader said that refused is not kept: places, parts of
        # messages, and the words of another version.
        if writer == OURS and reader in said and data["cells"][OURS][reader][int(case)] == MARKS["wrong"]:
            said[reader][case] = sentences.setdefault(found["said"][:160], len(sentences))
    summary = {
        "date": data["date"],
        "platform": data["platform"],
        "peers": {n: {"title": data["peers"][n]["title"], "versions": data["peers"][n]["versions"]} for n in readers},
        "elements": elements,
        "cases": [[place[element] for element in case["elements"]] for case in data["cases"]],
        "empty": [n for n, case in enumerate(data["cases"]) if not case["chunks"]],
        "marks": {name: data["cells"][OURS][name] for name in readers},
        "sentences": list(sentences),
        "said": said,
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in summary.items())
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")
