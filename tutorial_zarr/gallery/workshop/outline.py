"""What a lesson consists of, as a teacher sees it: sections with their minutes, pictures, a guess, exercises."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook
from tutorial_zarr.gallery.contract import OPTIONAL, by_section, exercise_minutes, reading_minutes, seen
from tutorial_zarr.gallery.exercises import checks_of, judge
from tutorial_zarr.gallery.source import loads, tags

EXERCISES, SOLUTIONS, PREDICT = "section-exercises", "section-solutions", "section-predict"
TALK = {PREDICT: "collect guesses, then run", EXERCISES: "learners work", "section-parameters": "run, say nothing"}


@dataclass
class Section:
    """A part of a lesson under one heading. `name` is its tag without "section-"; "head" is what stands before."""

    name: str
    heading: str
    cells: list[dict[str, Any]] = field(default_factory=list)
    minutes: float = 0.0

    @property
    def text(self) -> str:
        """What it says, as Markdown, without its heading."""
        texts = [cell["source"] for cell in self.cells if cell["cell_type"] == "markdown"]
        return re.sub(r"^##? .+$", "", "\n\n".join(texts), flags=re.MULTILINE).strip()

    @property
    def printed(self) -> str:
        """What its cells print."""
        return "".join(out.get("text", "") for cell in self.cells for out in cell.get("outputs", ())).strip("\n")

    @property
    def optional(self) -> bool:
        """Whether a lesson may do without it."""
        return f"section-{self.name}" in OPTIONAL


@dataclass
class Exercise:
    """An exercise: what it asks, its hint, its solution (code), and a wrong answer with what the check says to it."""

    name: str
    text: str
    hint: str
    solution: str
    minutes: int
    wrong: Any
    said: str


@dataclass
class Outline:
    """A lesson, by its sections in order and its exercises."""

    notebook: Notebook
    sections: list[Section]
    exercises: list[Exercise]

    def section(self, name: str) -> Section | None:
        """The first section of a name, or None."""
        return next((section for section in self.sections if section.name == name), None)

    def minutes(self, left_out: tuple[str, ...] = (), exercises: tuple[str, ...] | None = None) -> int:
        """The minutes of the passport, less the share of the sections and exercises that are left out."""
        whole = sum(section.minutes for section in self.sections) + sum(each.minutes for each in self.exercises)
        kept = sum(section.minutes for section in self.sections if section.name not in left_out)
        kept += sum(each.minutes for each in self.exercises if exercises is None or each.name in exercises)
        return round(self.notebook.minutes * kept / whole)


@functools.lru_cache(maxsize=64)
def outline(notebook: Notebook) -> Outline:
    """The outline of a lesson, from the notebook as it is built."""
    if not notebook.ipynb.is_file():
        raise GalleryError(
            f"workshop: expected {notebook.ipynb.name} beside its source, found none; "
            f"try: tutorial-zarr gallery build {notebook.id}"
        )
    cells = loads(notebook.ipynb.read_text(encoding="utf-8"))["cells"]
    sections, solutions = [Section("head", notebook.title)], []
    for tag, cell in by_section(cells):
        heading = re.match(r"## (.+)$", cell["source"], re.MULTILINE) if cell["cell_type"] == "markdown" else None
        if heading:
            sections.append(Section(tag.removeprefix("section-"), heading[1]))
        if "solution" in tags(cell):
            solutions.append(cell["source"])
        elif tag != SOLUTIONS and "facts" not in tags(cell):
            sections[-1].cells.append(cell)
    sections = [section for section in sections if f"section-{section.name}" != SOLUTIONS]
    for section in sections:
        section.minutes = reading_minutes(section.cells, len(pictures(section)))
    return Outline(notebook, sections, _exercises(notebook, "\n\n".join(_texts(sections)), solutions))


def pictures(section: Section) -> list[tuple[str, str, str]]:
    """The pictures that its cells show: (kind, data as text, description); a PNG's data are base64."""
    found = []
    for cell in section.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            kind = next((kind for kind in ("image/svg+xml", "image/png") if kind in data), None)
            if kind:
                found.append((kind, data[kind], str(data.get("text/plain", ""))))
    return found


def plain_text(markdown: str) -> str:
    """What is read of a text, in one line, without marks."""
    text = re.sub(r"\[([^\]]*)\]", r"\1", seen(markdown))
    return " ".join(re.sub(r"\*\*|`|^#+ |^> ?", "", text, flags=re.MULTILINE).split())


def _texts(sections: list[Section]) -> list[str]:
    return [section.text for section in sections if f"section-{section.name}" == EXERCISES]


def _exercises(notebook: Notebook, text: str, solutions: list[str]) -> list[Exercise]:
    checks = checks_of(notebook.id)
    found = []
    for number, minutes in exercise_minutes(checks).items() if checks else ():
        name = f"{notebook.id}.{number}"
        part = re.split(r"^### ", text.partition(f"### Exercise {name}")[2], maxsplit=1, flags=re.MULTILINE)[0]
        hint = re.search(r"<summary>Hint</summary>(.*?)</details>", part, re.DOTALL)
        question = re.sub(r"<details>.*?</details>", "", part, flags=re.DOTALL)
        solution = next((each for each in solutions if f'check("{name}"' in each), "")
        wrong = checks.WRONG[number]  # type: ignore[union-attr]  # there are checks, else there were no minutes
        told, said = hint[1].strip() if hint else "", judge(name, wrong).words
        found.append(Exercise(number, question.strip(), told, solution, minutes, wrong, said))
    return found
