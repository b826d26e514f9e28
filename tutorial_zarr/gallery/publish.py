"""An article in the form that a publishing site takes: pictures as PNG beside it, tables as text, links that
work from anywhere.

Medium, for one, takes neither SVG nor tables nor links into a repository. What is right and wrong in an
article is `articles`' business; this changes its form only. resvg draws the PNGs.

>>> print(text_table(["| layout | requests |", "|---|---|", "| rows | 16 |"]))
layout  requests
------  --------
rows    16
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.articles import FIGURE, check_articles, front_matter, select_articles
from tutorial_zarr.gallery.catalogue import GalleryError

PIXELS = 1400  # the width of a picture: twice the width of a column of text
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://|#)([^)]+)\)")
TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def build_articles(
    out_dir: str | Path,
    names: Iterable[str] | None = None,
    base_url: str | None = None,
    images: str = "png",
    progress: Callable[[str], None] | None = None,
    folder: Path | None = None,
) -> list[Path]:
    """Write each article to ``OUT_DIR/NN_slug/NN_slug.md`` with its pictures beside it; return the paths.

    `base_url` is the address at which the repository can be read; links into the repository are made with it,
    and without it they become plain text. `images` is "png" or "svg". An article that does not agree with its
    notebook is refused.
    """
    if images not in ("png", "svg"):
        raise GalleryError(f'articles build: images must be "png" or "svg", got {images!r}; try images="png"')
    if base_url is not None and not re.match(r"https?://[^/]+", base_url):
        raise GalleryError(
            f"articles build: expected an address that begins with https:// as base_url, found {base_url!r}; "
            "try the address of the repository's files, such as https://github.com/OWNER/tutorial_zarr/blob/main"
        )
    paths = select_articles(names, folder)
    wrong = check_articles([path.stem for path in paths], folder) if paths else []
    if wrong:
        first = wrong[0]
        raise GalleryError(
            f"article {first['id']}, {first['where']}: {first['problem']} "
            f"({len(wrong)} in all; try: tutorial-zarr gallery check)"
        )
    written = []
    for path in paths:
        target = Path(out_dir, path.stem)
        target.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        for _, figure in FIGURE.findall(text):
            _picture(path.parent / figure, target, images)
        (target / path.name).write_text(_rendered(path, text, base_url, images), encoding="utf-8", newline="\n")
        written.append(target / path.name)
        if progress is not None:
            progress(path.stem)
    return written


def _rendered(path: Path, text: str, base_url: str | None, images: str) -> str:
    front, body = front_matter(text)
    lines = [*(f"{name}: {value}" for name, value in front.items())]
    folder = path.parent.name
    if base_url is not None:
        lines.append(f"source: {_absolute(base_url, folder, path.name)}")

    def link(found: re.Match[str]) -> str:
        return f"[{found[1]}]({_absolute(base_url, folder, found[2])})" if base_url else found[1]

    def figure(found: re.Match[str]) -> str:
        return f"![{found[1]}]({Path(found[2]).with_suffix(f'.{images}').name})"

    pieces = FENCED.split(body)  # every second piece is a block of code, which stays as it is
    for number in range(0, len(pieces), 2):
        piece = FIGURE.sub(figure, pieces[number])
        piece = LINK.sub(link, piece)
        pieces[number] = TABLE.sub(lambda rows: f"```text\n{text_table(rows[0].splitlines())}\n```\n", piece)
    head = f"# {front['title']}\n\n*{front['subtitle']}*\n"
    return "---\n" + "\n".join(lines) + f"\n---\n\n{head}\n" + "".join(pieces).lstrip("\n")


def _absolute(base_url: str, folder: str, target: str) -> str:
    return f"{base_url.rstrip('/')}/{posixpath.normpath(posixpath.join(folder, target))}"


def text_table(rows: list[str]) -> str:
    """A Markdown table as aligned text, for sites that have no tables."""
    cells = [[cell.strip().replace("`", "") for cell in row.strip().strip("|").split("|")] for row in rows]
    cells = [row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    wide = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    cells.insert(1, ["-" * width for width in wide])
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip() for row in cells
    )


def _picture(source: Path, target: Path, images: str) -> None:
    if images == "svg" or source.suffix != ".svg":
        shutil.copyfile(source, target / source.name)
        return
    try:
        import resvg_py
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "articles build: drawing PNGs needs resvg-py, which is not installed; "
            'try: python -m pip install "tutorial_zarr[gallery]", or images="svg"'
        ) from missing
    svg = source.read_text(encoding="utf-8")
    # A page that prefers dark colours is a thing of browsers; a PNG is for a light page.
    svg = re.sub(r"@media\(prefers-color-scheme:dark\)\{(?:[^{}]*\{[^{}]*\})*\}", "", svg)
    # matplotlib brings fonts that are the same on every machine.
    options: dict[str, Any] = {
        "font_dirs": _font_folders(),
        "sans_serif_family": "DejaVu Sans",
        "monospace_family": "DejaVu Sans Mono",
    }
    png = resvg_py.svg_to_bytes(svg_string=svg, width=PIXELS, dpi=96, background="#ffffff", **options)
    (target / source.with_suffix(".png").name).write_bytes(bytes(png))


def _font_folders() -> list[str]:
    from importlib.util import find_spec

    found = find_spec("matplotlib")
    return [str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf")] if found and found.origin else []
