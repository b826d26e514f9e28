"""The pictures of lessons as files: every pixel kept in fewer bytes, and what a dark page has to know of them.

A chart is lines and letters on white, and may be turned to light on dark; a photograph or a map of colours may not, as
it would show something else. Which it is, the pixels tell: a chart has few colours, and much of it is white.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.gallery.catalogue import Notebook
from tutorial_zarr.gallery.pictures import PREFERS_DARK
from tutorial_zarr.gallery.site.markup import need
from tutorial_zarr.gallery.site.pages import File, picture_path
from tutorial_zarr.viz.chart import DOTS_PER_INCH

EFFORT = {"method": 1, "quality": 40}  # of lossless WebP: more takes twice the time, and saves 2 %
SMALL = {"image/svg+xml": "svg", "image/png": "webp"}  # the kinds of output that are pictures, the better one first
WHITE, FLAT, MOSTLY_WHITE = 0.25, 0.968, 0.8  # shares of a chart's pixels; see `is_chart`
COLOURS = 40  # of a chart as an SVG, at most


@dataclass(frozen=True)
class Shown:
    """A picture as a page shows it: a file of `width` x `height` pixels; `kind` is "chart" or "picture"."""

    file: File
    alt: str
    width: int
    height: int
    kind: str


def shown(notebook: Notebook, cells: list[dict[str, Any]]) -> dict[tuple[str, int], Shown]:
    """The pictures that the cells of a lesson put out, by the id of the cell and the place among its outputs."""
    return {
        (cell["id"], at): _shown(f"figures/{notebook.id}-{cell['id']}{f'-{at}' if at else ''}", output["data"])
        for cell in cells
        for at, output in enumerate(cell.get("outputs", []))
        if SMALL.keys() & output.get("data", {}).keys()
    }


def shown_of_all(lessons: list[tuple[Notebook, list[dict[str, Any]]]]) -> Iterator[dict[tuple[str, int], Shown]]:
    """`shown` of many lessons, on every core: to compress is most of the work of a site."""
    need("PIL")
    with ThreadPoolExecutor() as threads:
        yield from threads.map(lambda lesson: shown(*lesson), lessons)


def _shown(path: str, data: dict[str, Any]) -> Shown:
    alt = " ".join(str(data.get("text/plain", "")).split())
    if "image/svg+xml" in data:
        # An image asks the system whether the page is dark, and not the page, which turns its colours by itself.
        svg = PREFERS_DARK.sub("", data["image/svg+xml"])
        return Shown(File(f"{path}.svg", svg.encode()), alt, *size_of_svg(svg), kind_of_svg(svg))
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    smaller = io.BytesIO()
    image.save(smaller, "WEBP", lossless=True, **EFFORT)
    scale = 96 / DOTS_PER_INCH
    kind = "chart" if is_chart(np.asarray(image)) else "picture"
    size = (round(image.width * scale), round(image.height * scale))
    return Shown(File(f"{path}.webp", smaller.getvalue()), alt, *size, kind)


def of_file(path: Path) -> Shown:
    """One of the repository's figures, an SVG that says in words what is to be seen on it."""
    svg = path.read_text(encoding="utf-8")
    told = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    alt = " ".join(unescape(told[1]).split()) if told else ""
    return Shown(File(picture_path(path), path.read_bytes()), alt, *size_of_svg(svg), kind_of_svg(svg))


def size_of_svg(svg: str) -> tuple[int, int]:
    """The width and the height of an SVG in pixels of a page; 0 for one that it does not say."""
    sizes = (re.search(rf'<svg[^>]*\b{side}="([\d.]+)(pt)?', svg) for side in ("width", "height"))
    wide, high = (round(float(found[1]) * (96 / 72 if found[2] else 1)) if found else 0 for found in sizes)
    return wide, high


def kind_of_svg(svg: str) -> str:
    """The kind of an SVG: a "picture" has pixels in it, or the many colours of a map."""
    return "picture" if "<image" in svg or len(set(re.findall(r"#[0-9a-f]{6}", svg))) > COLOURS else "chart"


def is_chart(pixels: np.ndarray) -> bool:
    """Whether pixels of shape (rows, columns, 3), uint8, are a chart: few colours, a good part of them white.

    >>> is_chart(np.full((8, 8, 3), 255, "uint8")), is_chart(np.arange(192, dtype="uint8").reshape(8, 8, 3))
    (True, False)
    """
    some = pixels[::2, ::2].astype("uint16") // 16
    counts = np.bincount((some[..., 0] * 256 + some[..., 1] * 16 + some[..., 2]).ravel(), minlength=4096)
    white, flat = counts[-1] / counts.sum(), np.sort(counts)[-8:].sum() / counts.sum()
    return bool(white > MOSTLY_WHITE or (white > WHITE and flat > FLAT))
