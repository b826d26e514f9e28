"""SVG by hand: a `Picture`, the colours of every picture and page, rectangles, hatching, text.

The colours are those of Okabe and Ito, which stay apart for every common kind of colour-blindness, on a light
page and on a dark one. What differs in kind differs in form as well: hollow, filled, hatched, dashed.

A page is dark where the reader's system says so, and where JupyterLab, VS Code or a Sphinx theme says so for
itself. Nothing is fetched and nothing runs: no script, no font, no image from elsewhere.

Leaves out what the pictures show, which is in the other files of this folder.

SVG: https://www.w3.org/TR/SVG11/

>>> picture = draw("One square", "A square.", 40, 40, [rect(10, 10, 20, 20, "tz-stored")])
>>> print(picture, picture.svg.startswith("<svg"))
A square. True
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from tutorial_zarr.words import escape, plain_lines

# name: on a light page, on a dark page
COLOURS = {
    "page": ("#ffffff", "#0d1117"),
    "panel": ("#f3f5f8", "#161c24"),
    "line": ("#c4ccd6", "#3d4754"),
    "edge": ("#57606a", "#9aa4af"),
    "text": ("#1f2328", "#e6edf3"),
    "dim": ("#57606a", "#9aa4af"),
    "stored": ("#0072b2", "#3f9fd8"),
    "quiet": ("#dfeaf3", "#1d3346"),
    "tint": ("#f2dfae", "#4a4126"),
    "onstored": ("#ffffff", "#0d1117"),
    "select": ("#d55e00", "#ffb000"),
    "low": ("#9db38f", "#6f8a66"),
    "high": ("#54724a", "#a3bd99"),
    # The parts of a chunk's bytes: a ground for the bytes to stand on, and a strong mark of the same hue
    "headground": ("#dcebf7", "#12334a"),
    "headmark": ("#0072b2", "#56b4e9"),
    "indexground": ("#fbe6d5", "#4a2c10"),
    "indexmark": ("#c25400", "#ffb000"),
    "dataground": ("#eceff2", "#232b35"),
    "datamark": ("#6b7580", "#8b96a2"),
    "sumground": ("#f7e3ee", "#47243a"),
    "summark": ("#a8467c", "#e08fba"),
    "itemground": ("#d9f0e7", "#0f3a2d"),
    "itemmark": ("#00795a", "#2fbf95"),
}
LIGHT_HOSTS = ('[data-jp-theme-light="true"]', '[data-theme="light"]', ".vscode-light", ".tz-light")
DARK_HOSTS = ('[data-jp-theme-light="false"]', '[data-theme="dark"]', ".vscode-dark", ".tz-dark")


@dataclass(frozen=True)
class Picture:
    """An SVG and the same thing said in words."""

    svg: str
    alt: str

    def __str__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the SVG to a file, making its folder if needed."""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(self.svg)


def draw(title: str, alt: str, wide: float, high: float, parts: Collection[str]) -> Picture:
    """A picture of `wide` x `high` units that stands for itself: with a title, a description, both sets of colours."""
    title, alt = plain_lines(title), plain_lines(alt)
    name = _name(title, alt, *parts)
    style = f"<style>{theme('.' + name)}{rules('.' + name)}</style>"
    page = '<rect class="tz-page" width="100%" height="100%" rx="8"/>'
    return Picture(_svg(name, title, alt, wide, high, f"{style}{page}{''.join(parts)}") + "\n", alt)


def inline(title: str, alt: str, wide: float, high: float, parts: Collection[str]) -> str:
    """The same as a part of a page that has the style already."""
    title, alt = plain_lines(title), plain_lines(alt)
    return _svg(_name(title, alt, *parts), title, alt, wide, high, "".join(parts))


def _name(*parts: str) -> str:
    """A name that is unique in a page of several pictures, and the same in every run."""
    data = "".join(parts).encode()
    return f"tz{zlib.crc32(data):08x}{zlib.adler32(data) & 0xFFFF:04x}"


def _svg(name: str, title: str, alt: str, wide: float, high: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.5g} {high:.5g}" width="{wide:.5g}" '
        f'height="{high:.5g}" role="img" aria-labelledby="{name}t {name}d" class="{name}" '
        'style="max-width:100%;height:auto">'
        f'<title id="{name}t">{escape(title)}</title><desc id="{name}d">{escape(alt)}</desc>{body}</svg>'
    )


def theme(scope: str) -> str:
    """The colours as custom properties of what the selector `scope` finds, light or dark."""
    light, dark = (";".join(f"--tz-{name}:{pair[shade]}" for name, pair in COLOURS.items()) for shade in (0, 1))

    def hosted(hosts: Collection[str], colours: str, page: str) -> str:
        ground = f"--tz-page:var(--jp-layout-color0,var(--vscode-editor-background,{page}))"  # the host's own
        return f"{','.join(f'{host} {scope}' for host in hosts)}{{{colours};{ground}}}"

    return (
        f"{scope}{{{light}}}@media(prefers-color-scheme:dark){{{scope}{{{dark}}}}}"
        + hosted(LIGHT_HOSTS, light, COLOURS["page"][0])
        + hosted(DARK_HOSTS, dark, COLOURS["page"][1])
    )


def rules(scope: str) -> str:
    """The classes that shapes can have, within `scope`. Renderers that know no custom properties draw it light."""

    def paint(member: str, name: str) -> str:
        return f"{member}:{COLOURS[name][0]};{member}:var(--tz-{name})"

    classes = {
        ".tz-page": paint("fill", "page"),
        ".tz-stored": paint("fill", "stored"),
        ".tz-tint": paint("fill", "tint"),
        ".tz-quiet": paint("fill", "quiet"),
        ".tz-document": paint("fill", "select"),
        ".tz-absent": "fill:none;stroke-width:1;" + paint("stroke", "edge"),
        ".tz-line": "fill:none;stroke-width:1;" + paint("stroke", "line"),
        ".tz-inner": "fill:none;stroke-width:.7;" + paint("stroke", "line"),
        ".tz-frame": "fill:none;stroke-width:1.2;" + paint("stroke", "edge"),
        ".tz-hatch": "fill:none;stroke-width:1.3;" + paint("stroke", "stored"),
        ".tz-halo": "fill:none;stroke-width:6;" + paint("stroke", "page"),
        ".tz-select": "fill:none;stroke-width:3;stroke-dasharray:7 4;" + paint("stroke", "select"),
        ".tz-low,.tz-high": "fill:none;stroke-width:1.04;" + paint("stroke", "low"),
        ".tz-high": paint("stroke", "high"),
        **{f".tz-{kind}": paint("fill", f"{kind}mark") for kind in ("head", "index", "data", "sum", "item")},
        "text": "font-family:system-ui,'DejaVu Sans',sans-serif;" + paint("fill", "text"),
        "text.tz-dim": paint("fill", "dim"),
        "text.tz-label": "paint-order:stroke;stroke-width:6;stroke-linejoin:round;" + paint("stroke", "page"),
        "text.tz-on": paint("fill", "onstored"),
        "text.tz-title": "font-weight:600",
        "text.tz-code": "font-family:ui-monospace,'DejaVu Sans Mono',monospace",
    }
    return "".join(
        ",".join(f"{scope} {one}" for one in selector.split(",")) + "{" + body + "}"
        for selector, body in classes.items()
    )


def rect(x: float, y: float, wide: float, high: float, style: str, opacity: float = 1) -> str:
    """A rectangle; `style` is one of the classes in `rules`."""
    faint = f' opacity="{opacity:g}"' if opacity != 1 else ""
    return f'<rect class="{style}" x="{x:.5g}" y="{y:.5g}" width="{wide:.5g}" height="{high:.5g}"{faint}/>'


def path(d: str, style: str, opacity: float = 1) -> str:
    """A path; nothing where `d` is empty."""
    faint = f' opacity="{opacity:g}"' if opacity != 1 else ""
    return f'<path class="{style}" d="{d}"{faint}/>' if d else ""


def boxes(cells: Iterable[tuple[float, float, float, float]], style: str, opacity: float = 1) -> str:
    """Many rectangles (x, y, wide, high) as one path."""
    return path("".join(f"M{x:.5g} {y:.5g}h{w:.5g}v{h:.5g}h{-w:.5g}z" for x, y, w, h in cells), style, opacity)


def hatch(cells: Iterable[tuple[float, float, float, float]], step: float = 5) -> str:
    """Slanted lines across each of many rectangles: a mark that needs no colour."""
    strokes = []
    for x, y, wide, high in cells:
        offset = step / 2
        while offset < wide + high:  # the line where the distances from the left and from the top add up to it
            left, right = max(0.0, offset - high), min(offset, wide)
            strokes.append(f"M{x + left:.5g} {y + offset - left:.5g}L{x + right:.5g} {y + offset - right:.5g}")
            offset += step
    return path("".join(strokes), "tz-hatch")


def text(x: float, y: float, words: str, style: str = "tz-text", anchor: str = "start", size: int = 13) -> str:
    """A line of text; `anchor` is start, middle or end."""
    return (
        f'<text class="{style}" x="{x:.5g}" y="{y:.5g}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
