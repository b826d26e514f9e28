"""Hold the articles to the notebooks they tell of: every number, every code block, every figure.

An article is ``articles/NN_slug.md`` with front matter; its notebook leaves ``.facts.json`` beside itself.
Then

- a number in the prose occurs among the facts, rounded as it is written (``1,000`` is 1000, ``28.9`` fits 28.904);
- a ``python`` block stands verbatim in the notebook's code, but for imports at its head, and any other block in its
  outputs; the block that runs when it is pasted, and its output, are held by the test that runs it;
- a piece of `inline code` that holds a digit stands somewhere in the notebook;
- a figure is the file that the notebook exported;
- each row of the bridge is proven by a test, which holds its numbers too.

Numbers are read as digits; one in words is the author's to keep true. What the text alone can break is in
`article_form`, the generated lines are in `series`.

>>> sorted(numbers_in("Of 1,000 cells 28.9 percent are land; `a[3]`, v2 and int32 are names."))
['1,000', '28.9']
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery import bridges
from tutorial_zarr.gallery.article_code import is_script
from tutorial_zarr.gallery.article_form import (
    BRIDGE,
    FENCE,
    FIGURE,
    GENERATED,
    first_line,
    form_problems,
    front_matter,
    headings,
    same,
)
from tutorial_zarr.gallery.catalogue import TO_WRITE, GalleryError, Notebook, list_notebooks, passport
from tutorial_zarr.gallery.glossary import anchor
from tutorial_zarr.gallery.series import list_problems, select_articles, series_problems, versions_in
from tutorial_zarr.gallery.source import merge_marks, read_built

IMPORTS = re.compile(r"\A(?:(?:import |from ).*\n|\n)+")
# A number, but not a part of a name (v2, int32, 01_01), of a key (c/0/0) or of a date (2026-01-31).
NUMBER = re.compile(r"(?<![\w./:\-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w/]|-\d|\.\d)")


def check_articles(names: Iterable[str] | None = None, folder: Path | None = None) -> list[dict[str, str]]:
    """What is wrong with the articles, as dicts with `id`, `where` and `problem`; `names` of None means all.

    `folder` is the notebooks' folder; the articles stand beside it.
    """
    notebooks = {notebook.id: notebook for notebook in list_notebooks(folder)}
    files = select_articles(None, folder)
    has = {path: headings(front_matter(path.read_text(encoding="utf-8"))[1]) for path in files}
    found = []
    for path in select_articles(names, folder):
        taken = {same(name): other.stem for other in files if other != path for name in has[other]}
        found += [(path.stem, *problem) for problem in _problems(path, notebooks, taken, files)]
    if not names and files:
        found += [("articles", *problem) for problem in list_problems(folder)]
    return [{"id": name, "where": where, "problem": problem} for name, where, problem in found]


def _problems(
    path: Path, notebooks: dict[str, Notebook], taken: dict[str, str], files: list[Path]
) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    front, body = front_matter(text)
    for found in TO_WRITE.findall(text):
        yield "unfinished", found
    if found := merge_marks(text):
        yield "text", f"expected none, found {found}"
    yield from form_problems(front, body, taken)
    notebook = notebooks.get(front.get("notebook", ""))
    if notebook is None:
        yield "front matter", f"expected the id of a notebook, found {front.get('notebook')!r}"
        return
    yield from series_problems(path, files, list(notebooks.values()))
    if path.name not in passport(notebook.head).get("Article", ""):
        yield "front matter", f"notebook {notebook.id} does not name this article in its passport"
    if not notebook.facts.is_file() or not notebook.ipynb.is_file():
        yield "notebook", f"{notebook.id} has not been built; try: tutorial-zarr gallery build {notebook.id}"
        return
    try:
        facts = read_built(notebook.facts)
        code, outputs, everything = _texts(notebook)
    except GalleryError as error:
        yield "notebook", str(error)
        return

    printed = ""  # by the block that runs when it is pasted
    for language, block in FENCE.findall(body):
        if language == "python" and is_script(block):
            printed = "text"
        elif language == printed:
            printed = ""
        elif language == "python" and not _contains(code, IMPORTS.sub("", block)):
            yield first_line(block), "this code does not stand in the notebook; copy it from there"
        elif language not in ("python", "mermaid", "sh") and not _contains(outputs, block):
            yield first_line(block), "this is not an output of the notebook; copy it from there"

    prose = held(body)
    for piece in re.findall(r"`([^`\n]+)`", prose):
        if re.search(r"\d", piece) and piece not in everything:
            yield f"`{piece}`", "this does not stand in the notebook"
    known = list(all_numbers(facts))
    for number in numbers_in(prose):
        if not any(fits(number, value) for value in known):
            yield number, "this number is not among the notebook's facts; correct it, or let the notebook compute it"

    root = path.parents[1]
    if bridges.rows(body) is not None and (root / "tests").is_dir():  # a wheel has no tests
        yield from (("bridge", problem) for problem in bridges.problems(body, root))
    exported = facts.get("figures", {})
    for _, target in FIGURE.findall(prose):
        file = path.parent / target
        if not file.is_file():
            yield target, "there is no such file"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != exported.get(file.name):
            yield target, "this is not the figure that the notebook exported; build the notebook again"
    for target, place in re.findall(r"(?<!!)\[[^\]]+\]\((?!https?://|#)([^)#]+)#?([^)]*)\)", FENCE.sub("", body)):
        page = path.parent / target
        if not page.exists():
            yield target, "this link leads nowhere"
        elif place and place not in map(anchor, headings(page.read_text(encoding="utf-8"))):
            yield f"{target}#{place}", f"this link leads nowhere, as {page.name} has no such heading"


def held(body: str) -> str:
    """What is held to the facts: all but blocks, generated lines, the bridge, and versions as in the first line."""
    prose = FENCE.sub("", body)
    for peer, version in versions_in(next(iter(GENERATED.findall(prose)), "")).items():
        parts = version.split(".")  # "zarr-python 3.4" is what the first line says, and no fact
        known = "|".join(re.escape(".".join(parts[:some])) for some in range(len(parts), 0, -1))
        prose = re.sub(rf"{peer} (?:{known})(?!\.?\d)", peer, prose)
    return re.sub(rf"^{re.escape(BRIDGE)}\n(?:\|.*\n?)*", "", GENERATED.sub("", prose), flags=re.MULTILINE)


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
    cells = read_built(notebook.ipynb)["cells"]
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
