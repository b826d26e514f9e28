"""The articles as a series: which there are, and the lines in them that are generated.

Each article begins with a line that says whose code it is, and of which version, and ends with its place in the
series; ``articles/README.md`` lists them all. How long an article takes stands in its front matter. `write_series`
writes these, in the form that ``template/article.txt`` has; `series_problems` compares.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tutorial_zarr import __version__
from tutorial_zarr.gallery.article_form import BRIDGE, FENCE, GENERATED, front_matter, minutes
from tutorial_zarr.gallery.catalogue import NOTEBOOKS, GalleryError, Notebook, list_notebooks

FILE_NAME = re.compile(r"(\d\d)_\w+\.md")
TEMPLATE = Path(__file__).with_name("template") / "article.txt"
# The areas of the series, by the part in which an article's notebook stands.
AREAS = {
    "Zarr itself": ("00", "01", "02", "03"),
    "AI": ("04",),
    "Finance": ("05",),
    "Crypto": ("06",),
    "Earth, life and machines": ("07", "08", "09"),
}
# What an article may name, by the package that brings it; its line says which version was seen.
PEERS = {"zarr-python": "zarr", "xarray": "xarray", "Dask": "dask", "TensorStore": "tensorstore"}
TRY = "try: tutorial-zarr articles series"


def select_articles(names: Iterable[str] | None = None, folder: Path | None = None) -> list[Path]:
    """The articles whose name begins like one of `names`; all for None. `folder` is the notebooks'."""
    articles = Path(folder or NOTEBOOKS).parent / "articles"
    files = sorted(path for path in articles.glob("*.md") if FILE_NAME.fullmatch(path.name))
    wanted = list(names or [])
    missing = [name for name in wanted if not any(path.stem.startswith(name) for path in files)]
    if missing:
        known = ", ".join(path.stem for path in files)
        raise GalleryError(f"articles: expected the name of an article, found {missing[0]!r}; try one of {known}")
    return [path for path in files if not wanted or any(path.stem.startswith(name) for name in wanted)]


def write_series(folder: Path | None = None) -> list[Path]:
    """Write the generated lines of all articles and their list; returns the files that changed.

    The versions of others are those of the packages that are installed here; one that is not here keeps its version.
    `folder` is the notebooks' folder; the articles stand beside it.
    """
    files, notebooks = select_articles(None, folder), list_notebooks(folder)
    new = {path: completed(path, files, notebooks) for path in files}
    page = _list_of(files)
    changed = [path for path, text in new.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(new[path], encoding="utf-8", newline="\n")
    if list(list_problems(folder)):
        page.write_text(listed(files, notebooks), encoding="utf-8", newline="\n")
        changed.append(page)
    return changed


def series_problems(path: Path, files: Sequence[Path], notebooks: Sequence[Notebook]) -> Iterator[tuple[str, str]]:
    """Pairs (place, problem) of the generated lines of one article of `files` that are not what would be generated."""
    text = path.read_text(encoding="utf-8")
    new = completed(path, files, notebooks, installed=False)
    wanted, there = _generated(new), _generated(text)
    for place, line in there.items():
        if line != wanted[place]:
            yield place, f"expected {wanted[place]!r}, found {line!r}; {TRY}"
    if wanted == there and text != new:
        yield "generated lines", f"expected them at the two ends, with a blank line, found others; {TRY}"


def list_problems(folder: Path | None = None) -> Iterator[tuple[str, str]]:
    """The same for the list of all articles."""
    files = select_articles(None, folder)
    path = _list_of(files)
    try:
        wanted = listed(files, list_notebooks(folder))
    except GalleryError as error:
        yield path.name, str(error)
        return
    if not path.is_file() or path.read_text(encoding="utf-8") != wanted:
        yield path.name, f"expected the list of the {len(files)} articles as they are; {TRY}"


def completed(path: Path, files: Sequence[Path], notebooks: Sequence[Notebook], installed: bool = True) -> str:
    """An article with its generated lines.

    files      all articles, in order; `path` is one of them
    notebooks  all notebooks
    installed  whether versions of other packages are those that are installed; else those of the line that is there
    """
    text = path.read_text(encoding="utf-8")
    _, body = front_matter(text)
    first, inside, _ = split(body)
    code, _, part = split(front_matter(TEMPLATE.read_text(encoding="utf-8"))[1])
    notebook, at = _notebook(path, notebooks), files.index(path)
    words = {
        "VERSION": __version__,
        "FOLDER": notebook.path.parent.name,
        "STEM": notebook.path.stem,
        "PEERS": _versions(inside, first, installed),
        "PART": str(at + 1),
        "PARTS": str(len(files)),
        "BEFORE": f" Before: {_link(files[at - 1])}." if at else "",
        "NEXT": f" Next: {_link(files[at + 1])}." if at + 1 < len(files) else "",
    }
    head = text[: len(text) - len(body)]
    head = re.sub(r"^minutes:.*$", f"minutes: {minutes(body)}", head, count=1, flags=re.MULTILINE)
    code, part = (re.sub(r"@(\w+)@", lambda found: words[found[1]], line) for line in (code, part))
    return f"{head}\n{code}\n\n{inside}\n\n{part}\n"


def listed(files: Sequence[Path], notebooks: Sequence[Notebook]) -> str:
    """The page that lists all articles, area by area."""
    pieces = [
        "# Zarr from scratch",
        (
            f"{len(files)} articles on arrays in chunks. Each can be read by itself, and each is the story of a lesson "
            "that you can run; every number in it was computed there."
        ),
    ]
    lessons = [_notebook(path, notebooks) for path in files]
    for area in AREAS:
        rows = [
            f"{number}. {_link(path)}: {front.get('subtitle')} ({front.get('minutes')} minutes, lesson "
            f"[{lesson.id}](../notebooks/{lesson.path.parent.name}/{lesson.path.stem}.ipynb))"
            for number, (path, lesson) in enumerate(zip(files, lessons, strict=True), 1)
            if area_of(lesson) == area
            for front, _ in [front_matter(path.read_text(encoding="utf-8"))]
        ]
        pieces += [f"## {area}", "\n".join(rows)] if rows else []
    return "\n\n".join([*pieces, f"*This page is written by* `{TRY.removeprefix('try: ')}`*.*"]) + "\n"


def area_of(lesson: Notebook) -> str:
    """The area of the series in which a lesson's article stands."""
    return next((area for area, parts in AREAS.items() if lesson.id[:2] in parts), "")


def _list_of(files: Sequence[Path]) -> Path:
    if not files:
        raise GalleryError("articles series: expected articles, found none; try a clone of the repository")
    return files[0].with_name("README.md")


def _notebook(path: Path, notebooks: Sequence[Notebook]) -> Notebook:
    name = front_matter(path.read_text(encoding="utf-8"))[0].get("notebook")
    for notebook in notebooks:
        if notebook.id == name:
            return notebook
    raise GalleryError(f"article {path.stem}: expected the id of a notebook, found {name!r}; try one of gallery list")


def _link(path: Path) -> str:
    title = front_matter(path.read_text(encoding="utf-8"))[0].get("title", path.stem)
    return f"[{title}]({path.name})"


def split(body: str) -> tuple[str, str, str]:
    """The body of an article as its first line, what is between, and its last line; "" for a line that is not there.

    A generated line that stands elsewhere is no part of any.
    """
    lines = body.strip("\n").split("\n")
    first = lines.pop(0) if GENERATED.fullmatch(lines[0]) else ""
    last = lines.pop() if lines and GENERATED.fullmatch(lines[-1]) else ""
    return first, GENERATED.sub("", "\n".join(lines)).strip("\n"), last


def _generated(text: str) -> dict[str, str]:
    front, body = front_matter(text)
    first, _, last = split(body)
    return {"front matter": f"minutes: {front.get('minutes')}", "first line": first, "last line": last}


def versions_in(line: str) -> dict[str, str]:
    """The versions of other packages that the first line of an article names."""
    return dict(re.findall(rf"\b({'|'.join(PEERS)}) (\d[\w.]*\w)", line))


def _versions(inside: str, line: str, installed: bool) -> str:
    """The other packages that an article names, each with its version."""
    text = FENCE.sub("", inside).replace(BRIDGE, "")
    named = [peer for peer in PEERS if peer == "zarr-python" or re.search(rf"\b{peer}\b", text, re.IGNORECASE)]
    there = versions_in(line)
    for peer in named:
        if installed or peer not in there:
            try:
                there[peer] = importlib.metadata.version(PEERS[peer])
            except importlib.metadata.PackageNotFoundError as missing:
                if installed and peer not in there:
                    raise GalleryError(
                        f"articles series: an article names {peer}, expected {PEERS[peer]} to be installed, found it "
                        f"missing; try: python -m pip install {PEERS[peer]}"
                    ) from missing
                there.setdefault(peer, "VERSION")
    return ", ".join(f"{peer} {there[peer]}" for peer in named)
