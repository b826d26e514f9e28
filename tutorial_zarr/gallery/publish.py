"""An article in the form that a publishing site takes: pictures as PNG beside it, tables as text, links that
work from anywhere; as Markdown, and as a page.

Medium, for one, takes neither SVG nor tables nor links into a repository, and its editor reads no Markdown. It takes
what was copied from a page in a browser, and imports a page by its address; then it fetches the pictures by theirs.
What is right and wrong in an article is `articles`' business; this changes its form only. resvg draws the PNGs.

>>> print(text_table(["| layout | requests |", "|---|---|", "| rows | 16 |"]))
layout  requests
------  --------
rows    16
"""

from __future__ import annotations

import base64
import functools
import itertools
import posixpath
import re
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.article_form import FIGURE, TABLE, front_matter
from tutorial_zarr.gallery.articles import check_articles
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.pictures import rasterize
from tutorial_zarr.gallery.series import select_articles

PIXELS = 1400  # the width of a picture: twice the width of a column of text
WIDEST = 80  # characters of a line of code that a column of text shows
LEAST_COLUMN = 12  # characters of a table's column that is made narrow
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://|#)([^)]+)\)")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def build_articles(
    out_dir: str | Path,
    names: Iterable[str] | None = None,
    base_url: str | None = None,
    images: str = "png",
    progress: Callable[[str], None] | None = None,
    folder: Path | None = None,
    pictures_url: str | None = None,
    *,
    numbered: bool = False,
) -> list[Path]:
    """Write each article to ``OUT_DIR/NN_slug/NN_slug.md`` and ``.html``, with its pictures beside it; return the paths
    of the Markdown.

    `base_url` is the address at which the repository can be read; links into the repository are made with it,
    and without it they become plain text. `pictures_url` is the address at which `out_dir` will lie, for the pictures
    of the page; by default it is below that of the repository, as `out_dir` is; without either the page holds them.
    `images` is "png" or "svg"; `numbered` calls the pictures 1.png, 2.png and so on, in the order of the text. An
    article that does not agree with its notebook is refused.
    """
    if images not in ("png", "svg"):
        raise GalleryError(f'articles build: images must be "png" or "svg", got {images!r}; try images="png"')
    for name, url in (("base_url", base_url), ("pictures_url", pictures_url)):
        if url is not None and not re.match(r"https?://[^/]+", url):
            raise GalleryError(
                f"articles build: expected an address that begins with https:// as {name}, found {url!r}; "
                "try the address of the repository's files, such as https://github.com/OWNER/tutorial_zarr/blob/main"
            )
    if pictures_url is None and base_url is not None:
        place = Path(out_dir)
        pictures_url = f"{raw(base_url)}/{place.name if place.is_absolute() else place.as_posix()}"
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
        names_of: dict[str, str] = {}
        for _, figure in FIGURE.findall(text):
            stem = str(len(names_of) + 1) if numbered else Path(figure).stem
            names_of.setdefault(figure, f"{stem}.{images}" if figure.endswith(".svg") else stem + Path(figure).suffix)
            _picture(path.parent / figure, target / names_of[figure])
        rendered = _rendered(path, text, base_url, names_of)
        (target / path.name).write_text(rendered, encoding="utf-8", newline="\n")
        address = f"{pictures_url.rstrip('/')}/{path.stem}/" if pictures_url else ""
        shown = page(rendered, address.__add__ if address else functools.partial(_within, target))
        (target / path.name).with_suffix(".html").write_text(shown, encoding="utf-8", newline="\n")
        written.append(target / path.name)
        if progress is not None:
            progress(path.stem)
    return written


def _rendered(path: Path, text: str, base_url: str | None, pictures: Mapping[str, str]) -> str:
    front, body = front_matter(text)
    lines = [*(f"{name}: {value}" for name, value in front.items())]
    folder = path.parent.name
    if base_url is not None:
        lines.append(f"source: {_absolute(base_url, folder, path.name)}")

    def link(found: re.Match[str]) -> str:
        return f"[{found[1]}]({_absolute(base_url, folder, found[2])})" if base_url else found[1]

    def figure(found: re.Match[str]) -> str:
        return f"![{found[1]}]({pictures[found[2]]})"

    pieces = FENCED.split(body)  # every second piece is a block of code, which stays as it is
    for number in range(0, len(pieces), 2):
        piece = FIGURE.sub(figure, pieces[number])
        piece = LINK.sub(link, piece)
        pieces[number] = TABLE.sub(lambda rows: f"```text\n{text_table(rows[0].splitlines())}\n```\n", piece)
    head = f"# {front['title']}\n\n*{front['subtitle']}*\n"
    return "---\n" + "\n".join(lines) + f"\n---\n\n{head}\n" + "".join(pieces).lstrip("\n")


def raw(url: str) -> str:
    """The address of the files themselves, where GitHub shows a page around them.

    >>> raw("https://github.com/me/it/blob/main/"), raw("https://example.org/it")
    ('https://raw.githubusercontent.com/me/it/main', 'https://example.org/it')
    """
    found = re.fullmatch(r"https?://github\.com/([^/]+/[^/]+)/(?:blob|tree)/(.+)", url.rstrip("/"))
    return f"https://raw.githubusercontent.com/{found[1]}/{found[2]}" if found else url.rstrip("/")


def _within(folder: Path, name: str) -> str:
    """A picture as an address that holds it: where it has no other, what is pasted takes it along."""
    picture = folder / name
    kind = "svg+xml" if picture.suffix == ".svg" else picture.suffix[1:]
    return f"data:image/{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def page(text: str, address: Callable[[str], str] = str) -> str:
    """A built article as a page of HTML, with what Medium's editor knows: headings, paragraphs, lists, quotes, `pre`.

    address  gives that of a picture by its name
    """
    try:
        from markdown_it import MarkdownIt
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "articles build: a page of HTML needs markdown-it-py, which is not installed; "
            'try: python -m pip install "tutorial_zarr[gallery]"'
        ) from missing
    front, body = front_matter(text)
    markdown = MarkdownIt("commonmark", {"html": False})  # no language on code: Medium would show the name
    markdown.add_render_rule("fence", lambda self, tokens, at, *rest: f"<pre>{escape(tokens[at].content)}</pre>\n")
    tokens = markdown.parse(body)
    for token in (child for each in tokens for child in each.children or ()):
        if token.type == "image":
            token.attrSet("src", address(str(token.attrGet("src"))))
    inside = markdown.renderer.render(tokens, markdown.options, {})
    inside = figures(inside)
    canonical = f'<link rel="canonical" href="{escape(front["source"])}">\n' if "source" in front else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(front["title"])}</title>\n'
        f'<meta name="description" content="{escape(front["subtitle"])}">\n'
        f'<meta name="keywords" content="{escape(front["tags"])}">\n{canonical}'
        "<style>body{max-width:700px;margin:2em auto;padding:0 1em;font:18px/1.6 serif}img{max-width:100%}"
        "figcaption{font-size:15px;color:#57606a}pre{font-size:14px;line-height:1.4;overflow-x:auto;background:#f3f5f8;padding:1em}</style>\n"
        f"</head>\n<body>\n<article>\n{inside}</article>\n</body>\n</html>\n"
    )


def figures(html: str) -> str:
    """HTML in which a picture alone in a paragraph is a figure, and a line in italics below it its caption."""
    html = re.sub(
        r"<p>(<img [^>]*>)(?:\n|</p>\n<p>)<em>((?:(?!</em>).)*)</em></p>",
        r"<figure>\1<figcaption>\2</figcaption></figure>",
        html,
    )
    return re.sub(r"<p>(<img [^>]*>)</p>", r"<figure>\1</figure>", html)


def long_lines(text: str, widest: int = WIDEST) -> list[tuple[int, int]]:
    r"""Pairs (number, characters) of the lines in blocks of code that are longer than a column of text shows.

    >>> long_lines("```python\n" + "x" * 81 + "\n```\n" + "y" * 99)
    [(2, 81)]
    """
    found, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = not inside
        elif inside and len(line) > widest:
            found.append((number, len(line)))
    return found


def _absolute(base_url: str, folder: str, target: str) -> str:
    return f"{base_url.rstrip('/')}/{posixpath.normpath(posixpath.join(folder, target))}"


def text_table(rows: list[str], widest: int = WIDEST) -> str:
    """A Markdown table as aligned text, for sites that have no tables; its columns share `widest` characters."""
    cells = [[_plain(cell) for cell in row.strip().strip("|").split("|")] for row in rows]
    cells = [row for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    while sum(wide) + 2 * (len(wide) - 1) > widest and max(wide) > LEAST_COLUMN:
        wide[wide.index(max(wide))] -= 1
    lines = [[_Cells(width).wrap(cell) or [""] for cell, width in zip(row, wide, strict=True)] for row in cells]
    wrapped = any(len(cell) > 1 for row in lines for cell in row)
    lines.insert(1, [["-" * width] for width in wide])
    shown = [
        "\n".join(
            "  ".join(f"{piece:<{width}}" for piece, width in zip(pieces, wide, strict=True)).rstrip()
            for pieces in itertools.zip_longest(*row, fillvalue="")
        )
        for row in lines
    ]
    # Rows of several lines are told apart by a blank one.
    return "\n".join(shown[:2]) + "\n" + ("\n\n" if wrapped else "\n").join(shown[2:])


class _Cells(textwrap.TextWrapper):
    """Wraps the text of a cell; code that is wider than its column breaks after a point, a bracket or a comma."""

    def _split(self, text: str) -> list[str]:
        return [
            piece
            for chunk in super()._split(text)
            for piece in (re.split(r"(?<=[.(,=])(?=\w)", chunk) if len(chunk) > self.width else [chunk])
        ]


def _plain(cell: str) -> str:
    """The text of a table's cell, without marks and the targets of links."""
    return re.sub(r"`|\*\*", "", re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", cell)).strip()


def _picture(source: Path, target: Path) -> None:
    if target.suffix == source.suffix:
        shutil.copyfile(source, target)
    else:
        target.write_bytes(rasterize(source.read_text(encoding="utf-8"), PIXELS))
