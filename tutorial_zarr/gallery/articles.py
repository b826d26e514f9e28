"""Hold the articles to the notebooks they tell of: every number, every code block, every figure.

An article is ``articles/NN_slug.md`` with front matter; its notebook leaves ``.facts.json`` beside itself.
Then

- a number in the prose occurs among the facts, rounded as it is written (``1,000`` is 1000, ``28.9`` fits
28.904); - a ``python`` block stands verbatim in the notebook's code, any other block in its outputs; - a
piece of `inline code` that holds a digit stands somewhere in the notebook; - a figure has a description, and
is the file that the notebook exported.

Numbers are read as digits; one in words is the author's to keep true.

>>> sorted(numbers_in("Of 1,000 cells 28.9 percent are land; `a[3]`, v2 and int32 are names."))
['1,000', '28.9']
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery.catalogue import NOTEBOOKS, TO_WRITE, GalleryError, Notebook, list_notebooks, passport
from tutorial_zarr.gallery.source import loads

FILE_NAME = re.compile(r"(\d\d)_\w+\.md")
FRONT_MATTER = ("title", "subtitle", "minutes", "notebook", "tags")
WORDS = range(1200, 2001)
# A number, but not a part of a name (v2, int32, 01_01), of a key (c/0/0) or of a date (2026-01-31).
NUMBER = re.compile(r"(?<![\w./:\-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w/]|-\d|\.\d)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


def check_articles(names: Iterable[str] | None = None, folder: Path | None = None) -> list[dict[str, str]]:
    """What is wrong with the articles, as dicts with `id`, `where` and `problem`; `names` of None means all.

    `folder` is the notebooks' folder; the articles stand beside it.
    """
    notebooks = {notebook.id: notebook for notebook in list_notebooks(folder)}
    return [
        {"id": path.stem, "where": where, "problem": problem}
        for path in select_articles(names, folder)
        for where, problem in _problems(path, notebooks)
    ]


def select_articles(names: Iterable[str] | None = None, folder: Path | None = None) -> list[Path]:
    """The articles whose name begins like one of `names`; all for None."""
    articles = Path(folder or NOTEBOOKS).parent / "articles"
    files = sorted(path for path in articles.glob("*.md") if FILE_NAME.fullmatch(path.name))
    wanted = list(names or [])
    missing = [name for name in wanted if not any(path.stem.startswith(name) for path in files)]
    if missing:
        known = ", ".join(path.stem for path in files)
        raise GalleryError(f"articles: expected the name of an article, found {missing[0]!r}; try one of {known}")
    return [path for path in files if not wanted or any(path.stem.startswith(name) for name in wanted)]


def _problems(path: Path, notebooks: dict[str, Notebook]) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    front, body = front_matter(text)
    for found in TO_WRITE.findall(text):
        yield "unfinished", found
    for name in FRONT_MATTER:
        if not front.get(name):
            yield "front matter", f"expected a line '{name}: ...', found none"
    notebook = notebooks.get(front.get("notebook", ""))
    if notebook is None:
        yield "front matter", f"expected the id of a notebook, found {front.get('notebook')!r}"
        return
    if path.name not in passport(notebook.head).get("Article", ""):
        yield "front matter", f"notebook {notebook.id} does not name this article in its passport"
    if not notebook.facts.is_file() or not notebook.ipynb.is_file():
        yield "notebook", f"{notebook.id} has not been built; try: tutorial-zarr gallery build {notebook.id}"
        return
    facts = json.loads(notebook.facts.read_text(encoding="utf-8"))
    code, outputs, everything = _texts(notebook)

    for language, block in FENCE.findall(body):
        if language == "python" and not _contains(code, block):
            yield _quote(block), "this code does not stand in the notebook; copy it from there"
        elif language not in ("python", "mermaid", "sh") and not _contains(outputs, block):
            yield _quote(block), "this is not an output of the notebook; copy it from there"

    prose = FENCE.sub("", body)
    for piece in re.findall(r"`([^`\n]+)`", prose):
        if re.search(r"\d", piece) and piece not in everything:
            yield f"`{piece}`", "this does not stand in the notebook"
    known = list(all_numbers(facts))
    for number in numbers_in(body):
        if not any(fits(number, value) for value in known):
            yield (
                number,
                "this number is not among the notebook's facts; correct it, or let the notebook compute it",
            )

    exported = facts.get("figures", {})
    for alt, target in FIGURE.findall(prose):
        file = path.parent / target
        if len(alt) < 20:
            yield (
                target,
                "expected a description of the figure between the brackets, for those who cannot see it",
            )
        if not file.is_file():
            yield target, "there is no such file"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != exported.get(file.name):
            yield target, "this is not the figure that the notebook exported; build the notebook again"
    for target in re.findall(r"(?<!!)\[[^\]]+\]\((?!https?://|#)([^)#]+)", prose):
        if not (path.parent / target).exists():
            yield target, "this link leads nowhere"
    words = len(re.findall(r"[A-Za-z][\w'-]*", re.sub(r"\(https?://[^)]*\)", "", prose)))
    if words not in WORDS:
        yield "length", f"expected {WORDS[0]:,} to {WORDS[-1]:,} words of prose, found {words:,}"


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The lines ``key: value`` between the two ``---`` at the head, and the rest."""
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if match is None:
        return {}, text
    pairs = (line.partition(":") for line in match[1].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}, text[match.end() :]


def numbers_in(body: str) -> Iterator[str]:
    """The numbers in the prose of an article, as they are written."""
    prose = FENCE.sub("", body)
    prose = re.sub(r"`[^`\n]+`|\]\([^)]*\)|<[^>]+>", " ", prose)
    prose = re.sub(r"^\s*\d+\. ", "", prose, flags=re.MULTILINE)  # the marks of a numbered list
    for match in NUMBER.finditer(prose):
        yield match[0]


def all_numbers(facts: Any) -> Iterator[float]:
    """The numbers in facts, whatever they are nested in."""
    if isinstance(facts, dict):
        facts = list(facts.values())
    if isinstance(facts, list):
        for value in facts:
            yield from all_numbers(value)
    elif isinstance(facts, (int, float)) and not isinstance(facts, bool):
        yield facts


def fits(written: str, value: float) -> bool:
    """Whether `value`, rounded as it is `written` (``1,000``, ``28.9``), is that number."""
    decimals = len(written.partition(".")[2])
    return f"{round(value, decimals):.{decimals}f}" == written.replace(",", "")


def _texts(notebook: Notebook) -> tuple[str, str, str]:
    """The notebook's code, its outputs, and all of its text."""
    cells = loads(notebook.ipynb.read_text(encoding="utf-8"))["cells"]
    code = "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = "\n\n".join(output.get("text") or str(output.get("data", {}).get("text/plain", "")) for output in outputs)
    return code, shown, "\n\n".join([*(cell["source"] for cell in cells), shown])


def _contains(whole: str, block: str) -> bool:
    """Whether the lines of `block` stand in `whole`, in one piece; blanks at the ends of lines do not
    matter.
    """

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())

    return f"\n{tidy(block)}\n" in f"\n{tidy(whole)}\n"


def _quote(block: str) -> str:
    first = block.strip().splitlines()[:1]
    return f"block {first[0]!r}" if first else "empty block"
