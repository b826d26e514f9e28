"""What real programs write by default, and what each reader makes of it.

`matrix` asks who reads a store that has been made for it. Here each *writer* is a program in `writers/` that calls a
library as people do, and says what they meant. Every reader of `peers/` is asked twice: for what is stored (`raw`),
and for what it shows people by default (`decoded`: masked, scaled, with times), where it does so. A reader that
shows something else than was meant and says nothing is *silent*, which is the outcome that matters.

    FOLDER/stores/WRITER/SITUATION/     what a writer wrote
    FOLDER/stores/WRITER/SITUATION.json what was meant by each of its arrays
    FOLDER/results.jsonl                one line for each answer; a run that was stopped goes on
    FOLDER/survey.json                  the table; a copy of it comes with this package as ``writers.json``

``survey.json`` has `date`, `platform`, `writers` (name: title, versions, and situations with a sentence and the call),
`readers` (name: title and versions), `absent` (name: why), and `cells`: lists in the order of `Cell`.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import math
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr.words import count

from .causes import cause_of
from .environments import PeerAbsentError, PeerFile, find_peers
from .matrix import read_lines
from .process import PeerDied, PeerProcess, PeerSilent
from .protocol import peer_protocol

WRITERS = Path(__file__).parent / "writers"
STORED = Path(__file__).with_name("writers.json")
VIEWS = ("raw", "decoded")
EQUAL, SILENT, REFUSED, CRASH = "equal", "silent", "refused", "crash"
TOLERANCE = 1e-6  # of what is scaled: single precision has seven digits


@dataclass(frozen=True)
class Cell:
    """What one reader made of one array."""

    writer: str
    situation: str
    node: str
    reader: str
    view: str
    outcome: str
    saw: str = ""  # of a silent cell what differs, else the kind of the error
    cause: str = ""  # the id of a `causes.Cause`, "" where nobody has looked into it


class Store(NamedTuple):
    """A store that a writer wrote, and what was meant by its arrays."""

    writer: str
    situation: str
    path: Path
    nodes: list[dict[str, Any]]
    mark: str  # of the program and its versions


# --- judging


def same(meant: Any, found: Any) -> bool:
    """Whether two elements mean the same; None is a missing one.

    >>> same(1.5, 1.5000001), same(0, None), same("a", "a"), same(True, 1)
    (True, False, True, True)
    """
    if isinstance(meant, (int, float)) and isinstance(found, (int, float)):
        if isinstance(meant, int) and isinstance(found, int):
            return meant == found
        return math.isclose(meant, found, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(meant == found)


def judge(meant: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str]:
    """The outcome, and of a silent one what was seen in the place of what.

    >>> judge({"shape": [2], "kind": "integer", "values": [0, 1]}, {"shape": [2], "kind": "real", "values": [None, 1]})
    ('silent', '1 of 2 elements: [0] missing for 0')
    """
    if list(meant["shape"]) != list(found["shape"]):
        return SILENT, f"the shape {tuple(found['shape'])} for {tuple(meant['shape'])}"
    pairs = zip(meant["values"], found["values"], strict=True)
    differ = [(n, a, b) for n, (a, b) in enumerate(pairs) if not same(a, b)]
    if not differ:
        return EQUAL, ""
    some = [
        f"{[int(i) for i in np.unravel_index(n, meant['shape'])]} {_word(b)} for {_word(a)}" for n, a, b in differ[:3]
    ]
    return SILENT, f"{len(differ)} of {count(len(meant['values']), 'elements')}: {', '.join(some)}"


def _word(element: Any) -> str:
    if element is None:
        return "missing"
    return f"{element:.7g}" if isinstance(element, float) else json.dumps(element).replace('.000000000"', '"')[:60]


def from_bytes(reply: Mapping[str, Any], raw: bytes) -> dict[str, Any]:
    """What a reader has read, as `meaning` gives it."""
    kind = reply["dtype"]
    array = peer_protocol.from_canonical(raw, kind if kind != "bytes" else "object", kind, tuple(reply["shape"]))
    return peer_protocol.meaning(array)


# --- running


def find_writers(folder: Path = WRITERS) -> dict[str, PeerFile]:
    """All writers by name."""
    return find_peers(folder)


class Survey:
    """One run in a folder of its own, or the continuation of one."""

    def __init__(
        self,
        folder: Path,
        writers: Mapping[str, PeerFile],
        readers: Mapping[str, PeerFile],
        *,
        here: bool = False,
        jobs: int = 2,
        progress: Callable[[str, int, int], None] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.writers, self.readers = Path(folder).absolute(), writers, readers
        self.here, self.jobs, self.progress, self.limits = here, jobs, progress, dict(limits or {})
        self.said: dict[str, dict[str, Any]] = {"writer": {}, "reader": {}}  # what each program says of itself
        self.absent: dict[str, str] = {}
        self.cells: dict[tuple[str, ...], Cell] = {}
        self._marks: dict[tuple[str, ...], str] = {}

    def __call__(self) -> dict[str, Any]:
        """Run what is not yet known; returns the table, which is also written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for entry in read_lines(self.folder / "results.jsonl"):
            cell = Cell(*entry["cell"])
            self.cells[astuple(cell)[:5]], self._marks[astuple(cell)[:5]] = cell, entry["of"]
        stores = [store for found in self._side_by_side(self._write, self.writers, "write") for store in found or ()]
        asked = [
            key
            for found in self._side_by_side(functools.partial(self._read, stores), self.readers, "read")
            for key in found or ()
        ]
        table = self.table([self.cells[key] for key in sorted(asked)])
        write_table(table, self.folder / "survey.json")
        return table

    def _side_by_side(self, act: Callable[[str], Any], names: Iterable[str], what: str) -> Iterator[Any]:
        names = list(names)
        with ThreadPoolExecutor(max_workers=max(1, self.jobs)) as pool:
            for done, found in enumerate(pool.map(act, names), 1):
                if self.progress:
                    self.progress(what, done, len(names))
                yield found

    def _meet(self, process: PeerProcess, side: str, name: str, file: PeerFile) -> str:
        """Note what a program says of itself; returns the mark of it and its versions."""
        said = process.ask({"op": "capabilities"})
        if not said.get("ok"):
            raise PeerAbsentError(f"expected its capabilities, found {json.dumps(said)[:300]}")
        self.said[side][name] = said
        content = file.path.read_bytes() + json.dumps(said["versions"], sort_keys=True).encode()
        return hashlib.sha256(content).hexdigest()[:12]

    def _write(self, name: str) -> list[Store]:
        """All situations of one writer."""
        file, stores = self.writers[name], []
        try:
            with file.process(here=self.here, **self.limits) as process:
                mark = self._meet(process, "writer", name, file)
                for situation in self.said["writer"][name]["situations"]:
                    path = self.folder / "stores" / name / situation
                    note = path.with_suffix(".json")
                    if not _is_of(note, mark):
                        shutil.rmtree(path, ignore_errors=True)
                        path.mkdir(parents=True)
                        reply = _ask(process, {"op": "make", "path": str(path), "situation": situation})
                        note.write_text(json.dumps({"of": mark, **reply}), encoding="utf-8")
                    made = json.loads(note.read_text(encoding="utf-8"))
                    if made.get("ok"):
                        stores.append(Store(name, situation, path, made["nodes"], mark))
                    else:
                        self.absent[f"{name}/{situation}"] = f"{made['error']}: {made['message']}"[:300]
        except (PeerAbsentError, PeerDied, PeerSilent) as error:
            self.absent[name] = str(error)
        return stores

    def _read(self, stores: list[Store], name: str) -> list[tuple[str, ...]]:
        """One reader, asked for every array of every store."""
        file = self.readers[name]
        asked: list[tuple[str, ...]] = []
        try:
            with file.process(here=self.here, **self.limits) as process, tempfile.TemporaryDirectory() as place:
                mark = self._meet(process, "reader", name, file)
                if not self.said["reader"][name]["reads"]:
                    del self.said["reader"][name]
                    return []
                for store in stores:
                    for node in store.nodes:
                        for view in VIEWS:
                            key = store.writer, store.situation, node["node"], name, view
                            if self._marks.get(key) != f"{store.mark} {mark}":
                                found = self._ask_for(process, store, node, view, Path(place) / "bytes")
                                if found is None:
                                    continue
                                self._record(Cell(*key, *found), store, mark)
                            asked.append(key)
        except (PeerAbsentError, PeerDied, PeerSilent) as error:
            self.absent[f"reading: {name}"] = str(error)
        return asked

    def _ask_for(
        self, process: PeerProcess, store: Store, node: Mapping[str, Any], view: str, place: Path
    ) -> tuple[str, str] | None:
        """Outcome and what was seen; None where there is nothing to compare."""
        if node["raw" if view == "raw" else "meant"] is None:
            return None
        question: dict[str, Any] = {"op": "meaning", "path": str(store.path), "node": node["node"]}
        if view == "raw":
            place.write_bytes(b"")
            question.update(op="read", bytes_to=str(place))
        reply = _ask(process, question)
        if not reply.get("ok"):
            if reply.get("error") == "Unsupported" and view == "decoded":
                return None
            died = reply.get("error") in ("PeerDied", "PeerSilent")
            said = f"{reply['error']}: {reply['message']}".replace(str(store.path), "STORE").split("\n")[0][:160]
            return CRASH if died else REFUSED, said
        if view == "decoded":
            return judge(node["meant"], reply)
        try:
            return judge(node["raw"], from_bytes(reply, place.read_bytes()))
        except peer_protocol.Unsupported:
            return None

    def _record(self, cell: Cell, store: Store, mark: str) -> None:
        key = astuple(cell)[:5]
        self.cells[key], self._marks[key] = cell, f"{store.mark} {mark}"
        line = json.dumps({"of": self._marks[key], "cell": astuple(cell)})
        with (self.folder / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def table(self, cells: list[Cell]) -> dict[str, Any]:
        """What the module says of ``survey.json``."""
        return {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "platform": f"{platform.system()} {platform.machine()}",
            "writers": {
                name: {"title": each["name"], "versions": each["versions"], "situations": each["situations"]}
                for name, each in sorted(self.said["writer"].items())
            },
            "readers": {
                name: {"title": each["name"], "versions": each["versions"]}
                for name, each in sorted(self.said["reader"].items())
            },
            "absent": dict(sorted(self.absent.items())),
            "cells": [astuple(_explained(cell)) for cell in cells],
        }


def _explained(cell: Cell) -> Cell:
    """With its cause where it is silent; of an error only the kind, as its words are another's and name places."""
    if cell.outcome == SILENT:
        return replace(cell, cause=cause_of(*astuple(cell)[:5]))
    return replace(cell, saw=cell.saw.partition(":")[0], cause="")


def _is_of(note: Path, mark: str) -> bool:
    return note.exists() and json.loads(note.read_text(encoding="utf-8")).get("of") == mark


def _ask(process: PeerProcess, question: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return process.ask(question)
    except (PeerDied, PeerSilent) as error:
        return {"ok": False, "error": type(error).__name__, "message": str(error)}


# --- the table


def write_table(table: Mapping[str, Any], file: Path) -> None:
    """The table as JSON, a line for each cell, so that two runs can be compared."""
    head = {key: value for key, value in table.items() if key != "cells"}
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in table["cells"])
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + f',\n "cells": [\n{cells}\n]\n}}\n'
    file.write_text(text, encoding="utf-8", newline="\n")


@functools.cache
def stored_table() -> dict[str, Any]:
    """The table that comes with this package."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def cells_of(table: Mapping[str, Any]) -> list[Cell]:
    """The cells of a table."""
    return [Cell(*cell) for cell in table["cells"]]
