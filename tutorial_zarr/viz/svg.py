"""SVG by hand: a `Picture`, the colours of every picture, rectangles, text, and the words that describe them.

Leaves out what the pictures show, which is in `chunk_grid` and `anatomy`.

SVG: https://www.w3.org/TR/SVG11/

>>> picture = draw("One square", "A square.", 40, 40, [rect(10, 10, 20, 20, "tz-stored")])
>>> print(picture, picture.svg.startswith("<svg"))
A square. True
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Okabe and Ito's colours, which stay apart for every common kind of colour-blindness: light page, dark page.
COLOURS = {
    "page": ("#ffffff", "#0d1117"),
    "line": ("#c4ccd6", "#3d4754"),
    "edge": ("#57606a", "#9aa4af"),
    "text": ("#1f2328", "#e6edf3"),
    "dim": ("#57606a", "#9aa4af"),
    "stored": ("#0072b2", "#3f9fd8"),
    "tint": ("#f2dfae", "#4a4126"),
    "onstored": ("#ffffff", "#0d1117"),
    "select": ("#d55e00", "#ffb000"),
    "low": ("#9db38f", "#6f8a66"),
    "high": ("#54724a", "#a3bd99"),
}


@dataclass(frozen=True)
class Picture:
    """An SVG and the same thing said in words."""

    svg: str
    alt: str

    def __str__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}

    def save(self, path: str | Path) -> None:
        """Write the SVG to a file, making its folder if needed."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.svg, encoding="utf-8", newline="\n")


def draw(title: str, alt: str, wide: float, high: float, parts: Collection[str]) -> Picture:
    """A picture of `wide` x `high` units, with a title, a description and both sets of colours."""
    # Ids are unique in a page that holds several pictures, and the same in every run.
    name = "tz" + hashlib.sha256(f"{title}{alt}{''.join(parts)}".encode()).hexdigest()[:10]
    light, dark = (_style({key: pair[shade] for key, pair in COLOURS.items()}) for shade in (0, 1))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.5g} {high:.5g}" width="{wide:.5g}" '
        f'height="{high:.5g}" role="img" aria-labelledby="{name}t {name}d" class="{name}" '
        'style="max-width:100%;height:auto">'
        f'<title id="{name}t">{html.escape(title)}</title><desc id="{name}d">{html.escape(alt)}</desc>'
        f"<style>{_scope(light, name)}@media(prefers-color-scheme:dark){{{_scope(dark, name)}}}</style>"
        f'<rect class="tz-page" width="100%" height="100%" rx="8"/>'
        f"{''.join(parts)}</svg>\n"
    )
    return Picture(svg, alt)


def _style(colour: dict[str, str]) -> list[str]:
    return [
        f".tz-page{{fill:{colour['page']}}}",
        f".tz-stored{{fill:{colour['stored']}}}",
        f".tz-tint{{fill:{colour['tint']}}}",
        f".tz-document{{fill:{colour['select']}}}",
        f".tz-absent{{fill:none;stroke:{colour['edge']};stroke-width:1}}",
        f".tz-line{{fill:none;stroke:{colour['line']};stroke-width:1}}",
        f".tz-inner{{fill:none;stroke:{colour['line']};stroke-width:.4}}",
        f".tz-frame{{fill:none;stroke:{colour['edge']};stroke-width:1.2}}",
        f".tz-halo{{fill:none;stroke:{colour['page']};stroke-width:6}}",
        f".tz-select{{fill:none;stroke:{colour['select']};stroke-width:3;stroke-dasharray:7 4}}",
        f".tz-low,.tz-high{{fill:none;stroke:{colour['low']};stroke-width:1.04}}",
        f".tz-high{{stroke:{colour['high']}}}",
        f"text{{font-family:system-ui,'DejaVu Sans',sans-serif;fill:{colour['text']}}}",
        f"text.tz-dim{{fill:{colour['dim']}}}",
        f"text.tz-on{{fill:{colour['onstored']}}}",
        "text.tz-head{font-weight:600}",
        "text.tz-code{font-family:ui-monospace,'DejaVu Sans Mono',monospace}",
    ]


def _scope(rules: list[str], name: str) -> str:
    """Rules that hold for one picture only, as a page may hold several."""
    return "".join(
        ",".join(f".{name} {selector}" for selector in rule.partition("{")[0].split(",")) + "{" + rule.partition("{")[2]
        for rule in rules
    )


def rect(x: float, y: float, wide: float, high: float, style: str) -> str:
    """A rectangle; `style` is one of the classes in `_style`."""
    return f'<rect class="{style}" x="{x:.5g}" y="{y:.5g}" width="{wide:.5g}" height="{high:.5g}"/>'


def text(x: float, y: float, words: str, style: str = "tz-text", anchor: str = "start", size: int = 13) -> str:
    """A line of text; `anchor` is start, middle or end."""
    return (
        f'<text class="{style}" x="{x:.5g}" y="{y:.5g}" font-size="{size}" text-anchor="{anchor}">'
        f"{html.escape(words)}</text>"
    )


def times(lengths: Sequence[int]) -> str:
    """A shape in words: ``100 x 200``."""
    return " x ".join(f"{n}" for n in lengths)


def count(n: int, plural: str) -> str:
    """``1 chunk``, ``1,024 chunks``."""
    return f"{n:,} {plural if n != 1 else plural.removesuffix('s')}"


def selection_text(ranges: Sequence[range]) -> str:
    """Ranges as they are typed: ``[0:200, 5]``."""

    def one(r: range) -> str:
        if len(r) == 1:
            return f"{r[0]}"
        return f"{r.start}:{r.stop}" + (f":{r.step}" if r.step != 1 else "")

    return f"[{', '.join(one(r) for r in ranges)}]"
