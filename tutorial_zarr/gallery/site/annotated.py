"""The way into Zarr: `tiny.py` with a note beside every line.

The notes are `tiny.md`, which can be read by itself: blocks of Python, each followed by its note. Every line of the
program stands there once and in its order, or there is no page; so a note cannot be left behind by the code.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutorial_zarr import tiny
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.site.markup import anchor, code, highlighted, markdown, plain
from tutorial_zarr.gallery.site.pages import File, Page, Site

NOTES = Path(__file__).with_name("tiny.md")
PROGRAM = Path(str(tiny.__file__))
BLOCK = re.compile(
    r"^## (?P<title>[^\n]+)$|^```python\n(?P<code>.*?)^```\n(?P<note>.*?)(?=^```python|^## |\Z)", re.M | re.S
)


@dataclass(frozen=True)
class Note:
    """A few lines of code and what they do: the number of the first, and of each how deep it stands and its HTML."""

    first: int
    lines: tuple[tuple[int, str], ...]
    text: str


@dataclass(frozen=True)
class Section:
    """Notes below a heading."""

    title: str
    notes: list[Note] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The heading in a link."""
        return anchor(self.title)


def sections(notes: str, program: str) -> list[Section]:
    """The notes beside the lines of a program; refused unless each line that is not blank has its note, in order."""
    lines = program.rstrip("\n").split("\n")
    drawn = highlighted(program).split("\n")
    found: list[Section] = []
    place = 0  # the lines before are done
    for block in BLOCK.finditer(notes):
        if block["title"]:
            found.append(Section(block["title"]))
            continue
        while place < len(lines) and not lines[place].strip():
            place += 1
        wanted = block["code"].rstrip("\n").split("\n")
        for n, line in enumerate(wanted, place):
            if n >= len(lines) or lines[n] != line:
                there = f"found {lines[n]!r}" if n < len(lines) else "found its end"
                raise GalleryError(
                    f"{NOTES.name}: expected the line {line!r} as line {n + 1} of {PROGRAM.name}, {there}"
                )
        if not block["note"].strip():
            raise GalleryError(
                f"{NOTES.name}: expected a note below line {place + len(wanted)} of {PROGRAM.name}, found none"
            )
        depths = [(len(line) - len(line.lstrip())) // 4 for line in wanted]
        shown = zip(depths, drawn[place : place + len(wanted)], strict=True)
        found[-1].notes.append(Note(place + 1, tuple(shown), markdown(block["note"])))
        place += len(wanted)
    if left := [line for line in lines[place:] if line.strip()]:
        raise GalleryError(f"{NOTES.name}: expected a note on the line {left[0]!r} of {PROGRAM.name}, found none")
    return found


def page(site: Site) -> Iterator[Page | File]:
    """The page and the program to download."""
    notes, program = NOTES.read_text(encoding="utf-8"), PROGRAM.read_text(encoding="utf-8")
    title, _, intro = notes.partition("\n## ")[0].removeprefix("# ").partition("\n")
    shown = sections(notes, program)
    yield File("downloads/tiny.py", program.encode())
    yield Page(
        "tiny.html",
        title,
        "A whole Zarr library in 150 lines of Python, with a note beside every line.",
        "tiny.html",
        {"intro": markdown(intro), "sections": shown, "written": _written()},
        tuple((each.anchor, f"{each.title}. " + plain(" ".join(note.text for note in each.notes))) for each in shown),
    )


def _written() -> dict[str, Any]:
    """What the program leaves on a disk: the names of the files with their sizes, and the document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "first.zarr")
        array = tiny.create_array(path, shape=(1000, 1000), chunks=(100, 100), dtype="int32")
        array[:200, :200] = 7
        files = sorted(file for file in path.rglob("*") if file.is_file())
        document = json.dumps(json.loads((path / "zarr.json").read_text()), indent=1)
        return {
            "files": [(f"first.zarr/{file.relative_to(path).as_posix()}", file.stat().st_size) for file in files],
            "document": code(re.sub(r"\[\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2]", document)),
        }
