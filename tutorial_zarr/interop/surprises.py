"""The table of `survey` for people: a picture, a page of Markdown, and what each program should write instead.

>>> from .survey import stored_table
>>> [advice.cause.id for advice in advices(stored_table()) if advice.writer == "anndata"]
[]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutorial_zarr import viz
from tutorial_zarr.viz.sign_table import sign_table
from tutorial_zarr.words import count, markdown

from .causes import CAUSES, Cause
from .picture import SIGNS
from .survey import CRASH, EQUAL, REFUSED, SILENT, Cell, cells_of

LOOKS = {EQUAL: "equal", SILENT: "wrong", REFUSED: "refused", CRASH: "crash"}
WORDS = {"raw": "what is stored", "decoded": "as shown by default"}


@dataclass(frozen=True)
class Advice:
    """What readers misread of one writer's stores for one cause."""

    writer: str
    cause: Cause
    cells: tuple[Cell, ...]


def advices(table: Mapping[str, Any]) -> list[Advice]:
    """All silent cells, by writer and cause."""
    cells = [cell for cell in cells_of(table) if cell.outcome == SILENT]
    return [
        Advice(writer, cause, tuple(found))
        for writer in table["writers"]
        for cause in CAUSES
        if (found := [cell for cell in cells if (cell.writer, cell.cause) == (writer, cause.id)])
    ]


def counts(table: Mapping[str, Any]) -> list[tuple[str, str, Counter[str]]]:
    """Reader, view, and how many cells came to what."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for cell in cells_of(table):
        found.setdefault((cell.reader, cell.view), Counter())[cell.outcome] += 1
    return [(*key, found[key]) for key in sorted(found)]


def picture(table: Mapping[str, Any]) -> viz.Chart:
    """The arrays that somebody misreads as rows, readers as columns."""
    cells = {(c.writer, c.situation, c.node, c.reader, c.view): c for c in cells_of(table)}
    columns = [(reader, view) for reader, view, _ in counts(table)]
    rows = list(dict.fromkeys(key[:3] for key, cell in cells.items() if cell.outcome == SILENT))
    several = {place for place, times in Counter(row[:2] for row in rows).items() if times > 1}
    shown = {
        f"{table['writers'][w]['title']}: {s.replace('-', ' ')}" + (f", {n}" if (w, s) in several else ""): [
            LOOKS[cells[w, s, n, *column].outcome] if (w, s, n, *column) in cells else "absent" for column in columns
        ]
        for w, s, n in rows
    }
    heads = [f"{table['readers'][r]['title']}{'' if v == 'raw' else ', decoded'}" for r, v in columns]
    arrays = len({key[:3] for key in cells})
    said = "; ".join(f"{r} {v}: {n[SILENT]} wrong" for r, v, n in counts(table) if n[SILENT])
    words = (
        f"Of {arrays} arrays that real programs wrote, {len(rows)} are misread by a reader without an error. {said}."
    )
    return viz.Chart.of(sign_table({"": shown}, heads, SIGNS), "Who misreads what, and says nothing", words)


def to_markdown(table: Mapping[str, Any]) -> str:
    """Counts, causes with what to write instead, and each silent cell."""
    return "\n".join(_lines(table)) + "\n"


def _lines(table: Mapping[str, Any]) -> Iterator[str]:
    arrays = {(c.writer, c.situation, c.node) for c in cells_of(table)}
    yield "# What real programs write, and who misreads it"
    yield ""
    yield (
        f"{table['date']}, {table['platform']}: {count(len(table['writers']), 'writers')}, "
        f"{count(len(arrays), 'arrays')}, {count(len(table['cells']), 'answers')}."
    )
    yield from ("", "| reader | view | right | refused | wrong, and no error |", "|---|---|---|---|---|")
    for reader, view, found in counts(table):
        versions = table["readers"][reader]
        name = f"{versions['title']} {next(iter(versions['versions'].values()))}"
        numbers = found[EQUAL], found[REFUSED] + found[CRASH], found[SILENT]
        yield f"| {markdown(name)} | {WORDS[view]} | {' | '.join(map(str, numbers))} |"
    yield from ("", "## What your program should write instead")
    for advice in advices(table):
        title = table["writers"][advice.writer]["title"]
        yield from ("", f"### {title}: {advice.cause.id.replace('-', ' ')}", "", advice.cause.what, "")
        yield f"**Instead.** {advice.cause.instead}"
        for situation in dict.fromkeys(cell.situation for cell in advice.cells):
            each = table["writers"][advice.writer]["situations"][situation]
            yield from ("", f"{title} {each['sentence']}:", "", "```", each["call"], "```", "")
            for cell in advice.cells:
                if cell.situation == situation:
                    yield f"- {cell.reader}, {WORDS[cell.view]}, `{cell.node}`: {markdown(cell.saw)}"
    yield from ("", "## Not written, not asked", "")
    yield from (f"- {markdown(name)}: {markdown(why)}" for name, why in table["absent"].items())


def write(table: Mapping[str, Any], folder: Path) -> None:
    """``surprises.md`` and ``surprises.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "surprises.md").write_text(to_markdown(table), encoding="utf-8", newline="\n")
    (folder / "surprises.svg").write_text(picture(table).svg, encoding="utf-8", newline="\n")
