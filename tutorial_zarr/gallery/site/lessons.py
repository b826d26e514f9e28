"""A page for each lesson, and its files to download.

A page is made of the built notebook. What a reader is to find out first is folded: the output that answers a guess,
the solutions, one by one, and the code that only draws. How a fold opens is the browser's; the script adds a box to
write the guess in.

Which output answers a guess: one of a cell with the tag "hide-output" that prints "After your guess" first. Where the
text asks for a guess that no such cell answers before it asks again, the lesson answers bit by bit: the box stands
below the text then, and hides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, passport
from tutorial_zarr.gallery.site.figures import Shown, of_file, shown_of_all
from tutorial_zarr.gallery.site.markup import code, markdown, plain
from tutorial_zarr.gallery.site.pages import File, Page, Site, article_path, lesson_path, relative
from tutorial_zarr.gallery.source import dumps, loads, tags
from tutorial_zarr.gallery.student import LINK, without_solutions

Cell = dict[str, Any]
Part = dict[str, Any]  # what the template draws

ASKS = re.compile(
    r"\bWrite (?:it|this|them) down\b|\b[Ww]rite down (?:a|both|two|three|what|your)\b|\bGuess\b|, guess[:,]"
)
ANSWERS = re.compile(r"After your guess\b")
ANSWERED = re.compile(r"After your guess:\n")  # a line that the box says itself
CHECKS = re.compile(r'\bcheck\(\s*"([\d_.]+)"')
PICTURE = re.compile(r"<p>(<img [^>]*>)</p>\s*(?:<p><em>(.*?)</em></p>)?", re.DOTALL)
HEADING = re.compile(r'<h([2-4]) id="([^"]*)">(.*?)</h\1>', re.DOTALL)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
FITS = ' style="max-width:100%;height:auto"'  # of an SVG in a card
ANSI = re.compile(r"\x1b\[[\d;]*m")


def pages(site: Site) -> Iterator[Page | File]:
    """The pages of the lessons, their pictures, and what can be downloaded."""
    read = [(notebook, _built(notebook)) for notebook in site.notebooks]
    pictures = shown_of_all([(notebook, built["cells"]) for notebook, built in read])
    cards: dict[str, File] = {}  # the same style in several lessons
    for (notebook, built), shown in zip(read, pictures, strict=True):
        lesson = Lesson(site, notebook, built["cells"], shown)
        yield lesson.page()
        yield from (each.file for each in shown.values())
        yield from _downloads(site, notebook, built)
        cards |= {file.path: file for file in lesson.files}
    yield from cards.values()


def _built(notebook: Notebook) -> Cell:
    if not notebook.ipynb.is_file():
        raise GalleryError(
            f"lesson {notebook.id}: expected the notebook {notebook.ipynb.name} with its outputs, found none; "
            f"try: tutorial-zarr gallery build {notebook.id}"
        )
    return loads(notebook.ipynb.read_text(encoding="utf-8"))


def _downloads(site: Site, notebook: Notebook, built: Cell) -> Iterator[File]:
    solved = notebook.ipynb.read_bytes()
    if site.base_url:
        built = {**built, "cells": [_reaching(site, notebook, cell) for cell in built["cells"]]}
        solved = dumps(built).encode()
    yield File(solved_path(notebook), solved)
    yield File(source_path(notebook), notebook.path.read_bytes())
    cells = [dict(cell) for cell in without_solutions(built["cells"])]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    yield File(student_path(notebook), dumps({**built, "cells": cells}).encode())


def _reaching(site: Site, notebook: Notebook, cell: Cell) -> Cell:
    """A cell whose links lead to the site, from wherever a reader keeps the one file; pictures show their words."""

    def whole(found: re.Match[str]) -> str:
        picture, text, target = found.groups()
        address = None if picture else site.link(notebook.path, target, "index.html")
        if address is None:
            return found[0] if picture else text
        return f"[{text}]({address if ':' in address else site.absolute(address)})"

    return {**cell, "source": LINK.sub(whole, cell["source"])} if cell["cell_type"] == "markdown" else cell


def solved_path(notebook: Notebook) -> str:
    """The address of the notebook with its solutions and outputs."""
    return f"downloads/solved/{notebook.ipynb.name}"


def student_path(notebook: Notebook) -> str:
    """The address of the notebook without solutions and outputs."""
    return f"downloads/student/{notebook.ipynb.name}"


def source_path(notebook: Notebook) -> str:
    """The address of the notebook as a Python script."""
    return f"downloads/source/{notebook.path.name}"


@dataclass
class Lesson:
    """One lesson on its way to a page."""

    site: Site
    notebook: Notebook
    cells: list[Cell]
    shown: dict[tuple[str, int], Shown]
    files: list[File] = field(default_factory=list)

    @cached_property
    def path(self) -> str:
        """The address of the page."""
        return lesson_path(self.notebook)

    def page(self) -> Page:
        """The page."""
        first = next((at for at, cell in enumerate(self.cells) if "section-parameters" in tags(cell)), 0)
        if not first:
            raise GalleryError(
                f"lesson {self.notebook.id}: expected a head, and below it a cell with the tag section-parameters, "
                f"found none; try: tutorial-zarr gallery check {self.notebook.id}"
            )
        head, parts = self._head(self.cells[:first]), list(self._parts(self.cells[first:]))
        _unique(parts)
        contents = [found for part in parts for found in HEADING.findall(part.get("html", "")) if found[0] == "2"]
        values = {
            **head,
            "notebook": self.notebook,
            "parts": parts,
            "contents": [(anchor, plain(inside)) for _, anchor, inside in contents],
            "before": [self._neighbour(each) for each in self.notebook.needs],
            "after": [self._neighbour(each) for each in self._after()],
            "article": self._article(),
            "browser": self._browser(),
            "styles": [file.path for file in self.files if file.path.endswith(".css")],
            "solved": solved_path(self.notebook),
            "student": student_path(self.notebook),
            "source": source_path(self.notebook),
        }
        return Page(
            self.path,
            f"{self.notebook.id} {self.notebook.title}",
            plain(head["question"]),
            "lesson.html",
            values,
            searched=tuple(_searched([{"html": head["intro"] + head["goals"]}, *parts])),
            canonical=self.site.absolute(self.path),
        )

    def _head(self, cells: list[Cell]) -> dict[str, Any]:
        """What stands before the first section: a title, a question, a figure, why it matters, the passport."""
        text = "\n\n".join(cell["source"] for cell in cells)
        intro, _, rest = text.partition("<details>")
        question = re.search(r"\*\*Question\.\*\*\s*(.+?)(?:\n\n|$)", intro, re.DOTALL)
        intro = re.sub(r"\A# .+\n*", "", intro.replace(question[0] if question else "", "\n\n"))
        goals = re.search(r"\n\*\*You will be able to\*\*(.*?)(?=</details>|\Z)", rest, re.DOTALL)
        return {
            "head": [cell["id"] for cell in cells],
            "question": self._text(question[1] if question else self.notebook.question),
            "intro": self._text(intro),
            "facts": [
                (name, re.sub(r"</?p>", "", self._text(value)).strip()) for name, value in passport(rest).items()
            ],
            "goals": self._text(goals[1]) if goals else "",
        }

    def _parts(self, cells: list[Cell]) -> Iterator[Part]:
        asked = ""  # the text cell whose question is open
        solving: list[Part] | None = None  # in the section of the solutions: what leads to the next one
        for at, cell in enumerate(cells):
            if cell["cell_type"] == "markdown":
                asked = cell["id"]
                source = cell["source"]
                if solving is not None or "section-solutions" in tags(cell):
                    heading, source = re.findall(r"\A((?:## [^\n]+\n*)?)(.*)", source, re.DOTALL)[0]
                    if heading:
                        solving = []
                        yield {"kind": "text", "id": cell["id"], "html": self._text(heading), "guess": ""}
                    if solving is not None and source.strip():
                        own = "" if heading else cell["id"]
                        solving.append({"kind": "text", "id": own, "html": self._text(source), "guess": ""})
                    continue
                opened = _asks(cell) and not _is_answered(cells[at + 1 :])
                guess = f"{self.notebook.id}-{cell['id']}" if opened else ""
                yield {"kind": "text", "id": cell["id"], "html": self._text(source), "guess": guess}
            elif "solution" in tags(cell):
                number = CHECKS.search(cell["source"])
                lead, solving = solving or [], []
                yield {
                    "kind": "solution",
                    "number": number[1] if number else "",
                    "parts": [*lead, {**self._code(cell, asked), "fold": ""}],
                }
            else:
                yield self._code(cell, asked)
        if solving:
            yield from solving

    def _code(self, cell: Cell, asked: str) -> Part:
        tag, outputs = tags(cell), [self._output(cell, at) for at in range(len(cell["outputs"]))]
        part: Part = {
            "kind": "code",
            "id": cell["id"],
            "input": code(cell["source"], "python"),
            "outputs": "".join(outputs),
            **dict.fromkeys(("fold", "folded_output", "guess", "solution"), ""),
        }
        lines = words.count(len(cell["source"].splitlines()), "lines")
        if "remove-cell" in tag:
            part["fold"] = "What this lesson hands to its article"
        elif "parameters" in tag:
            part["fold"] = "The parameters"
        elif "hide-input" in tag and any((cell["id"], at) in self.shown for at in range(len(outputs))):
            part["fold"] = "The code that draws this"
        elif tag & {"hide-input", "hide-cell"}:
            part["fold"] = f"{lines} of code" if outputs else f"{lines} of code that prepare what follows"
        if "exercise" in tag and (number := CHECKS.search(cell["source"])):
            part["solution"] = number[1]
        if _answers(cell):
            part["guess"] = f"{self.notebook.id}-{asked}"
        elif tag & {"hide-output", "hide-cell"} and outputs and "solution" not in tag:
            part["folded_output"] = "The output"
        return part

    def _output(self, cell: Cell, at: int) -> str:
        """One output of a cell: the richest form that a page can show."""
        output = cell["outputs"][at]
        if (cell["id"], at) in self.shown:
            return _image(self.shown[cell["id"], at], self.path)
        if output["output_type"] == "error":
            return _pre(ANSI.sub("", "\n".join(output["traceback"])), "error")
        if output["output_type"] == "stream":
            text = ANSI.sub("", ANSWERED.sub("", output["text"], count=1))
            return _pre(text, "error" if output["name"] == "stderr" else "printed") if text.strip() else ""
        data = output["data"]
        if "text/html" in data:
            html = STYLE.sub(self._moved, data["text/html"]).replace(FITS, "")  # lesson.css says that, too
            return f'<div class="drawn">{html}</div>\n'
        return _pre(str(data.get("text/plain", "")), "printed")

    def _moved(self, style: re.Match[str]) -> str:
        """A style of an output becomes a file, as a strict site allows none inside a page."""
        file = File(f"figures/card-{len(style[1])}.css", style[1].encode())
        if file not in self.files:
            self.files.append(file)
        return ""

    def _text(self, source: str) -> str:
        """HTML of Markdown: links of the site, pictures with their sizes and captions, tables that can be scrolled."""
        alike = {shown.alt: shown for shown in self.shown.values()}
        used: dict[str, Shown] = {}

        def picture(target: str) -> str:
            file = self.notebook.path.parent / target
            if not file.is_file():
                raise GalleryError(f"lesson {self.notebook.id}: expected the figure {target}, found no such file")
            found = of_file(file)
            if found.alt in alike:  # what a cell draws is there already, and smaller
                found = alike[found.alt]
            elif found.file not in self.files:
                self.files.append(found.file)
            used[relative(self.path, found.file.path)] = found
            return relative(self.path, found.file.path)

        html = markdown(source, lambda target: self.site.link(self.notebook.path, target, self.path), picture)
        for address, each in used.items():
            size = f'class="{each.kind}" width="{each.width}" height="{each.height}"'
            html = html.replace(f'<img src="{address}"', f'<img {size} src="{address}"')
        html = PICTURE.sub(lambda found: _figure(found[1], found[2]), html)
        wide = '<div class="wide" role="region" aria-label="Table" tabindex="0"><table>'
        html = html.replace("<th></th>", "<td></td>")  # a heading that says nothing is none
        return html.replace("<table>", wide).replace("</table>", "</table></div>")

    def _after(self) -> list[str]:
        """The lessons that need this one, the one that its recap names first."""
        recap = next((cell["source"] for cell in self.cells if "section-recap" in tags(cell)), "")
        following = re.search(r"\*\*Next\.\*\*.*?\b(\d\d_\d\d)\b", recap, re.DOTALL)
        needing = [each.id for each in self.site.lessons.values() if self.notebook.id in each.needs]
        first = [following[1]] if following and following[1] in self.site.lessons else []
        return first + [each for each in needing if each not in first]

    def _neighbour(self, lesson: str) -> tuple[str, str, str]:
        """The id of a lesson, its title, and its address, "" where it has no page here."""
        other = self.site.lessons.get(lesson)
        if other is None:
            raise GalleryError(
                f"lesson {self.notebook.id}: expected lessons under Needs, found {lesson}, which is none; "
                f"try one of {words.some(self.site.lessons, 4)}"
            )
        here = any(each.id == lesson for each in self.site.notebooks)
        return lesson, other.title, relative(self.path, lesson_path(other)) if here else ""

    def _article(self) -> str:
        name = self.notebook.path.stem[6:]
        return next((article_path(path) for path in self.site.articles if path.stem[3:] == name), "")

    def _browser(self) -> str:
        """The address at which the lesson runs in the browser; "" where it does not."""
        if self.site.lite == "none" or not getattr(self.notebook, "browser", False):
            return ""
        from tutorial_zarr.gallery.site.lite import lite_url

        return str(lite_url(self.notebook))


def _asks(cell: Cell) -> bool:
    """Whether a text asks for a guess, which a recap and the hints of exercises do not."""
    if cell["cell_type"] != "markdown" or tags(cell) & {"section-recap", "section-exercises", "section-bridge"}:
        return False
    return "section-predict" in tags(cell) or ("<details>" not in cell["source"] and bool(ASKS.search(cell["source"])))


def _answers(cell: Cell) -> bool:
    return "hide-output" in tags(cell) and ANSWERS.search(cell["source"]) is not None


def _is_answered(following: list[Cell]) -> bool:
    """Whether one of the cells answers, before another asks."""
    for cell in following:
        if cell["cell_type"] == "code" and _answers(cell):
            return True
        if _asks(cell):
            return False
    return False


def _image(shown: Shown, page: str) -> str:
    return (
        f'<figure class="output"><img class="{shown.kind}" src="{relative(page, shown.file.path)}" '
        f'alt="{escape(shown.alt)}" width="{shown.width}" height="{shown.height}" loading="lazy"></figure>\n'
    )


def _figure(image: str, caption: str | None) -> str:
    return f"<figure>{image}{f'<figcaption>{caption}</figcaption>' if caption else ''}</figure>"


def _pre(text: str, kind: str) -> str:
    return f'<pre class="output {kind}" tabindex="0">{escape(text.rstrip())}</pre>\n'


def _unique(parts: list[Part]) -> None:
    """Give headings of the same words anchors of their own, as GitHub does: cost, cost-1."""
    seen: Counter[str] = Counter()

    def renamed(found: re.Match[str]) -> str:
        again = f"-{seen[found[2]]}" if seen[found[2]] else ""
        seen[found[2]] += 1
        return f'<h{found[1]} id="{found[2]}{again}">{found[3]}</h{found[1]}>'

    for part in parts:
        if "html" in part:
            part["html"] = HEADING.sub(renamed, part["html"])


def _searched(parts: list[Part]) -> Iterator[tuple[str, str]]:
    """The text by heading."""
    anchor, text = "", ""
    for part in parts:
        for piece in re.split(r"(?=<h[23] )", part.get("html", "")):
            if heading := re.match(r'<h[23] id="([^"]*)"', piece):
                if text:
                    yield anchor, text
                anchor, text = heading[1], ""
            text = f"{text} {plain(piece)}".strip()
    if text:
        yield anchor, text
