"""The gallery's figures as pixels: whether anything is cut, hidden or too small to read, and all on one sheet.

Every number of a notebook is tested; a picture can be wrong while all of them are right. So each figure is drawn
as a reader gets it, on a light page and on a dark one, and held to what can be measured: nothing reaches over the
edge, nothing lies hidden under something else, the smallest letter can be read in a column of text, and there is
something to see. Whether a picture is a good one is for eyes: `contact_sheet` puts all of them side by side.

resvg draws the SVGs, Pillow reads and writes PNGs. Leaves out how a figure comes about, which is in `viz`.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, select
from tutorial_zarr.gallery.source import read_built
from tutorial_zarr.viz.chart import AXES, COLUMN, SMALLEST, UNEQUAL, smallest_text
from tutorial_zarr.viz.drawing import COLOURS

LEAST_LETTER = 9.0  # pixels, in a column of text that is COLUMN pixels wide
LEAST_MARK = 8  # pixels, in half a column; fewer shine through the seams of what lies upon them
LEAST_INK, MOST_BLACK = 0.005, 0.9  # of the pixels of a picture
MOST_BYTES = 250_000  # of an SVG: a repository keeps every version of it
DIFFERENT = 24  # levels of a colour, of 255, that an eye tells apart
BESIDE = 0.06  # of a picture's width: how far beyond its edges to look for what was cut
GROUNDS = {"tz-page", "tz-frame", "tz-halo"}  # marks that others may cover
SVG = "{http://www.w3.org/2000/svg}"
# In a Picture's style each colour stands twice: as it is, and as a custom property that a dark page changes.
COLOUR = re.compile(r"(fill|stroke):#[0-9a-f]{6};\1:var\(--tz-(\w+)\)")
PREFERS_DARK = re.compile(r"@media\(prefers-color-scheme:dark\)\{(?:[^{}]*\{[^{}]*\})*\}")


@dataclass(frozen=True)
class Figure:
    """One figure of a notebook: `where` it stands, and its SVG (text) or PNG (bytes)."""

    notebook: str
    where: str
    alt: str
    data: str | bytes

    @property
    def letter(self) -> float | None:
        """The height of its smallest letters in a column of text, in pixels; None if it does not say."""
        if isinstance(self.data, str):
            return smallest_text(self.data)
        said = _opened(self.data).info.get(SMALLEST)
        return float(said) if said else None

    def png(self, width: int, dark: bool = False) -> bytes:
        """The figure as a PNG of `width` pixels; `dark` draws it for a dark page."""
        return rasterize(self.data, width, dark) if isinstance(self.data, str) else self.data


def rasterize(svg: str, width: int, dark: bool = False) -> bytes:
    """An SVG as a PNG of `width` pixels, on a white page or on a dark one.

    A picture that knows no dark colours, such as a chart, brings its own white ground.
    """
    try:
        import resvg_py
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            "gallery: drawing an SVG as PNG needs resvg-py, which is not installed; "
            'try: python -m pip install "tutorial_zarr[gallery]"'
        ) from missing
    svg = PREFERS_DARK.sub("", svg)  # which page it is on is a thing of browsers
    ground = COLOURS["page"][dark and _knows_dark(svg)]
    # resvg takes a custom property for black, so each becomes the colour that it stands for.
    svg = COLOUR.sub(lambda found: f"{found[1]}:{COLOURS[found[2]][dark]}", svg)
    fonts: dict[str, Any] = {"sans_serif_family": "DejaVu Sans", "monospace_family": "DejaVu Sans Mono"}
    if re.search(r"<(\w+:)?text\b", svg):  # else its letters are outlines
        fonts["font_files"] = _fonts()
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=width, dpi=96, background=ground, skip_system_fonts=bool(_fonts()), **fonts
    )
    return bytes(png)


@functools.cache
def _fonts() -> list[str]:
    """matplotlib brings fonts that are the same on every machine; without it, those of the system are used."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found and found.origin else Path()
    return [str(file) for file in sorted(folder.glob("DejaVuSans*.ttf")) if "Display" not in file.name]


def _knows_dark(svg: str) -> bool:
    return COLOUR.search(svg) is not None


def _opened(png: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(png))


def _pixels(png: bytes) -> np.ndarray:
    """Red, green and blue as an array of shape (rows, columns, 3), int16."""
    return np.asarray(_opened(png).convert("RGB"), "int16")


def _ink(pixels: np.ndarray, ground: Any) -> np.ndarray:
    """Where something else than the ground is seen."""
    return (np.abs(pixels - np.asarray(ground)) > DIFFERENT).any(axis=2)


def faults(data: str | bytes) -> list[str]:
    """What a reader could not see in a figure, given as SVG (text) or PNG (bytes); each fault is a sentence."""
    return list(_faults(data))


@functools.lru_cache(maxsize=256)  # the same figure is looked at in a notebook and in its article
def _faults(data: str | bytes) -> tuple[str, ...]:
    letter = Figure("", "", "", data).letter
    found: list[str] = []
    if isinstance(data, bytes):
        found += _seen(_pixels(data), "")
        missing = [name for name in (SMALLEST, AXES) if name not in _opened(data).info]
        if missing:
            found.append(f"expected a PNG that a viz.Chart made, which says {missing[0]!r}; build the notebook again")
        found += _unequal(data)
    else:
        if (size := len(data.encode())) > MOST_BYTES:
            found.append(
                f"expected an SVG of at most {MOST_BYTES:,} bytes, found {size:,}; draw fewer marks, many as one path, "
                "or as pixels: rasterized=True in matplotlib, and figure.set_dpi(200)"
            )
        for dark in (False, True) if _knows_dark(data) else (False,):
            page = " on a dark page" if dark else ""
            found += _seen(_pixels(rasterize(data, COLUMN, dark))[:-1], page)  # the last row may be a part of one
        found += [*_cut(data), *_hidden(data)]
    if letter is not None and letter < LEAST_LETTER:
        found.append(
            f"expected letters of at least {LEAST_LETTER:g} pixels in a column of {COLUMN}, found {letter:.1f}; "
            "draw it narrower, or its text larger"
        )
    return tuple(found)


def _unequal(png: bytes) -> Iterator[str]:
    """Whether two axes for one quantity can be compared by eye: equal limits, or an equal length for a step."""
    about = _opened(png).info
    axes = json.loads(about.get(AXES, "[]"))
    if about.get(UNEQUAL):
        return
    axes.sort(key=lambda axis: axis[:2])
    for (side, label), group in itertools.groupby(axes, key=lambda axis: axis[:2]):
        alike = list(group)
        first = alike[0]
        for other in alike[1:]:
            same_step = first[4] == other[4] == "linear" and abs(first[5] - other[5]) <= 0.02 * abs(first[5])
            if first[2:5] != other[2:5] and not same_step:
                limits = " and ".join(f"{low:g} to {high:g} ({scale})" for _, _, low, high, scale, _ in (first, other))
                yield (
                    f"expected one axis for one quantity, found {side} axes {label!r} of {limits}; try share{side}, "
                    "or say why they differ: viz.Chart.of(..., unequal=...)"
                )
                break


def _seen(pixels: np.ndarray, page: str) -> Iterator[str]:
    """Whether there is something on the picture, and nothing in its outermost rows and columns."""
    ground = np.median(pixels[[0, -1]].reshape(-1, 3), axis=0)
    ink = _ink(pixels, ground)
    if ink.mean() < LEAST_INK:
        yield f"expected something to see{page}, found {ink.mean():.2%} of the pixels drawn on; it is blank"
    black = (pixels.max(axis=2) < 2 * DIFFERENT).mean()
    if not page and black > MOST_BLACK:
        yield f"expected a picture that is not black, found {black:.0%} of its pixels so"
    rim = np.ones(ink.shape, bool)
    rim[1:-1, 1:-1] = False
    for side, cut in zip(("top", "bottom", "left", "right"), (ink[0], ink[-1], ink[:, 0], ink[:, -1]), strict=True):
        if cut.any():
            yield f"expected nothing in the outermost row of pixels, found something{page}: cut at the {side}"


def _cut(svg: str) -> Iterator[str]:
    """Whether something lies beyond the edges, where a reader does not see it: look there."""
    head = re.search(r'viewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)"', svg)
    if head is None:
        yield "expected an SVG with a viewBox, found none"
        return
    x, y, wide, high = map(float, head.groups())
    more = BESIDE * wide
    box = f'viewBox="{x - more} {y - more} {wide + 2 * more} {high + 2 * more}"'
    wider = svg[: head.start()] + box + svg[head.end() :]
    size = {"width": wide + 2 * more, "height": high + 2 * more}
    wider = re.sub(r'\b(width|height)="[\d.]+(?:pt)?"', lambda it: f'{it[1]}="{size[it[1]]}"', wider, count=2)
    pixels = _pixels(rasterize(wider, COLUMN))
    scale = COLUMN / (wide + 2 * more)
    edge = round(more * scale)
    ink = _ink(pixels, pixels[0, 0])
    for side, beyond in {
        "top": ink[: edge - 1],
        "bottom": ink[edge + round(high * scale) + 1 :],
        "left": ink[:, : edge - 1],
        "right": ink[:, edge + round(wide * scale) + 1 :],
    }.items():
        if beyond.any():
            yield f"expected nothing beyond the edges, found something: cut at the {side}"


def _hidden(svg: str) -> Iterator[str]:
    """Whether each kind of mark is seen: the picture without it has to be another one."""
    whole = _pixels(rasterize(svg, COLUMN // 2))
    # A legend is made of rectangles and cells are paths, so neither stands for the other.
    kinds = {(node.tag, node.get("class", "")) for node in ElementTree.fromstring(svg).iter()}
    for tag, style in sorted(kinds):
        if not style or style in GROUNDS or tag == f"{SVG}svg":
            continue
        without = _pixels(rasterize(_without(svg, (tag, style)), COLUMN // 2))
        if _ink(without, whole).sum() < LEAST_MARK:
            yield f"expected to see what is drawn as {style!r}, found the same picture without it: it is hidden"


def _without(svg: str, kind: tuple[str, str]) -> str:
    """The SVG without the elements of a kind: a tag and a class."""
    root = ElementTree.fromstring(svg)
    for parent in root.iter():
        for node in list(parent):
            if (node.tag, node.get("class")) == kind:
                parent.remove(node)
    return ElementTree.tostring(root, encoding="unicode")


def figures(notebook: Notebook) -> Iterator[Figure]:
    """The figures of a notebook: those that its cells show, and those that it exports for its article."""
    if notebook.ipynb.is_file():
        for number, cell in enumerate(read_built(notebook.ipynb)["cells"], 1):
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                alt = str(data.get("text/plain", ""))
                if "image/svg+xml" in data:
                    yield Figure(notebook.id, f"cell {number}", alt, data["image/svg+xml"])
                elif "image/png" in data:
                    yield Figure(notebook.id, f"cell {number}", alt, base64.b64decode(data["image/png"]))
    folder = notebook.path.parents[2] / "articles" / "figures"
    for file in sorted(folder.glob(f"{notebook.id}_*.svg")):
        svg = file.read_text(encoding="utf-8")
        told = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
        yield Figure(notebook.id, file.name, html.unescape(told[1]) if told else "", svg)


def contact_sheet(path: str | Path, ids: Iterable[str] | None = None, folder: Path | None = None) -> int:
    """Draw every figure of the notebooks `ids` (None: all), small, on one PNG; returns how many.

    What stands in a notebook and in its article is there once; a figure that knows dark colours is there in both.
    """
    from PIL import Image, ImageDraw, ImageFont

    wide, gap, across = COLUMN // 2, 16, 4
    font = ImageFont.truetype(next(name for name in _fonts() if name.endswith("DejaVuSans.ttf")), 13)
    tiles, seen = [], set()
    for notebook in select(ids, folder):
        for figure in figures(notebook):
            shades = (False, True) if isinstance(figure.data, str) and _knows_dark(figure.data) else (False,)
            if figure.alt in seen:
                continue
            seen.add(figure.alt)
            for dark in shades:
                image = _opened(figure.png(2 * wide, dark)).convert("RGB")
                image = image.resize((wide, max(1, round(image.height * wide / image.width))), Image.Resampling.LANCZOS)
                tiles.append((f"{figure.notebook}  {figure.where}{', dark' if dark else ''}", image))
    if not tiles:
        raise GalleryError("gallery figures: expected notebooks with figures, found none; try: gallery build")
    rows = [tiles[at : at + across] for at in range(0, len(tiles), across)]
    heights = [max(image.height for _, image in row) + 24 + gap for row in rows]
    sheet = Image.new("RGB", (across * (wide + gap) + gap, sum(heights) + gap), "#d8dde3")
    pen, top = ImageDraw.Draw(sheet), gap
    for row, high in zip(rows, heights, strict=True):
        for place, (name, image) in enumerate(row):
            left = gap + place * (wide + gap)
            pen.text((left, top), name, fill="#1f2328", font=font)
            sheet.paste(image, (left, top + 20))
        top += high
    sheet.save(path, "PNG")
    return len(tiles)
