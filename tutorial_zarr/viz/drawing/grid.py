"""The chunk grid of an array as a picture: what is stored, what a selection touches.

An array with one axis is a row, with two a plane; of more axes the planes of the last two are drawn side by side.
A grid that is too fine to draw chunk by chunk is drawn in cells of several chunks each, stronger the more of them
are stored (or touched), and one of too many planes by some of them; the picture says so in its own words.

Plain data in, `Picture` out: nothing is read here.

Regular grids: https://zarr-specs.readthedocs.io/en/latest/v3/chunk-grids/regular-grid/index.html

>>> touched = [((0, 0), False), ((0, 1), True)]
>>> print(selection_picture((4, 6), [2, 3], touched=touched, selection=(range(0, 1), range(0, 6))))
A selection of a 4 x 6 array in 4 chunks of 2 x 3: [0, 0:6] touches 2 chunks, 1 of them whole and 1 in part.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from tutorial_zarr.words import count, plain, times

from .plane import Coords, GridView, Plane
from .svg import Picture, draw, hatch, rect, text

MOST_PLANES = 9
WIDEST = 800  # pixels, about what an output of a notebook has


def selection_picture(
    shape: Sequence[int],
    chunks: Sequence[Any],
    shards: Sequence[Any] | None = None,
    touched: Iterable[tuple[Coords, bool]] = (),
    *,
    selection: Sequence[range] | None = None,
    words: str | None = None,
    names: Sequence[str | None] | None = None,
    title: str = "What a selection touches",
) -> Picture:
    """The chunks that a selection touches, filled where they are wanted whole, hatched where in part.

    `chunks` and `shards` give for each axis one length, or the length of each. `touched` are pairs (coordinates of a
    chunk, is all of it wanted?). `selection` is the box around the selected elements, `words` what was typed.
    """
    pairs = [(tuple(int(c) for c in coords), complete) for coords, complete in touched]
    view = GridView(
        tuple(shape),
        tuple(chunks),
        around=None if shards is None else tuple(shards),
        whole=frozenset(coords for coords, complete in pairs if complete),
        part=frozenset(coords for coords, complete in pairs if not complete),
        selection=None if selection is None else tuple(selection),
        words=words,
        names=None if names is None else tuple(names),
    )
    return draw_grid(view, title)


def selection_svg(*arguments: Any, **options: Any) -> str:
    """The SVG of `selection_picture`."""
    return selection_picture(*arguments, **options).svg


def draw_grid(
    view: GridView, title: str, planes: Sequence[Coords] | None = None, ground: Any = None, style: str = "tz-stored"
) -> Picture:
    """The picture of a grid. `planes` are the leading coordinates of those to draw; `ground` draws upon the cells
    and under the lines.
    """
    wide, high, parts = _compose(view, planes, ground, style)
    return draw(title, view.sentence(), wide, high, parts)


def _compose(
    view: GridView, planes: Sequence[Coords] | None = None, ground: Any = None, style: str = "tz-stored"
) -> tuple[float, float, list[str]]:
    axes = view.axes
    rest = ""
    if planes is None:
        planes, rest = _planes(view)
    single = len(planes) == 1
    rows, columns = max(axes[-2].extent, 1), max(axes[-1].extent, 1)
    # The longer side gets 400 pixels, or 540 where that is the width; no side is thinner than a line of text.
    longest = (540 if columns > 1.5 * rows else 400) if single else 140
    scale = longest / max(rows, columns)
    wide, high = max(columns * scale, 28), max(rows * scale, 28)
    across = 1 if single else min(3, len(planes))
    left, top = 58.0, 48.0 if _named(view) else 30.0
    if not single:
        top += 18
    heads = [] if single else [_plane_name(view, lead) for lead in planes]
    step_x = max([wide, *(6.3 * len(words) for words in heads)]) + 30
    step_y = high + (0 if single else 56)
    if step_x > WIDEST / 4 or len(planes) == 4:  # room for three, and for the legend
        across = min(2, across)
    parts, binned = [], False
    for number, lead in enumerate(planes):
        x, y = left + number % across * step_x, top + number // across * step_y
        plane = Plane(view, lead, x, y, wide, high)
        binned = binned or plane.binned
        parts += plane.draw(style, ground(x, y, wide / columns, high / rows) if ground is not None else "")
        if not single:
            parts.append(text(x, y - 22, heads[number], "tz-dim", size=11))
        if number % across == 0 or single:
            parts += plane.left_ticks()
        parts += plane.top_ticks()
    if _named(view):
        row, column = view.padded(view.names, None)[-2:]  # type: ignore[index]
        above = top - 26 - (0 if single else 18)
        across_name = f"{plain(column, 24)} \N{RIGHTWARDS ARROW}" if column else ""
        down_name = f"{plain(row, 24)} \N{DOWNWARDS ARROW}" if row else ""
        if len(down_name) > 8:  # no room for it beside the grid
            parts.append(text(left - 50, above, f"{down_name}   {across_name}".rstrip(), size=12))
        else:
            parts.append(text(left, above, across_name, size=12))
            parts += [text(left - 8, above, down_name, anchor="end", size=12)] if row else []
    down = -(-len(planes) // across)
    side = left + across * step_x - 30 + 34
    legend, bottom, breadth = _legend(
        view, side, top, style, binned, Plane(view, planes[0], 0, 0, wide, high).steps, rest
    )
    return side + breadth + 16, max(top + (down - 1) * step_y + high + 22, bottom + 12), [*parts, *legend]


def _named(view: GridView) -> bool:
    return bool(view.names and any(view.names))


def _planes(view: GridView) -> tuple[list[Coords], str]:
    """The leading coordinates of the planes to draw, and the sentence about those that are left out."""
    lead = view.axes[:-2]
    total = math.prod(axis.count for axis in lead)
    if total <= MOST_PLANES:
        return list(itertools.product(*(range(axis.count) for axis in lead))) or [(0,) * len(lead)], ""
    marked = view.stored if view.whole is None else {*view.whole, *view.part}
    busy = sorted({coords[: len(lead)] for coords in marked or ()})
    what = "with something stored" if view.whole is None else "touched"
    if not busy:
        chosen = [_unravel(total * i // MOST_PLANES, [axis.count for axis in lead]) for i in range(MOST_PLANES)]
        return chosen, f"{MOST_PLANES} of {total:,} planes are drawn"
    if len(busy) <= MOST_PLANES:
        return busy, f"drawn: all planes {what}, {len(busy)} of {total:,}"
    every = -(-len(busy) // MOST_PLANES)
    return busy[::every], f"drawn: every {_ordinal(every)} of the {len(busy):,} planes {what}; there are {total:,}"


def _unravel(number: int, counts: Sequence[int]) -> Coords:
    found = []
    for n in reversed(counts):
        number, place = divmod(number, n)
        found.append(place)
    return tuple(reversed(found))


def _ordinal(n: int) -> str:
    return f"{n:,}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def _plane_name(view: GridView, lead: Coords) -> str:
    """``time 60:90`` for each leading axis."""
    parts = []
    for number, (axis, c) in enumerate(zip(view.axes, lead, strict=False)):
        start, stop = axis.start(c), min(axis.start(c) + axis.size(c), axis.extent)
        name = plain(view.names[number], 12) if view.names and view.names[number] else f"axis {number}"
        parts.append(f"{name} {start}:{stop}" if stop - start > 1 else f"{name} {start}")
    return ", ".join(parts)


def _legend(
    view: GridView, x: float, y: float, style: str, binned: bool, steps: tuple[int, ...], rest: str
) -> tuple[list[str], float, float]:
    """What the marks mean, how far down it reaches, and how wide it is."""
    total = math.prod(axis.count for axis in view.axes)
    lines: list[tuple[str, str]] = [
        ("", f"{times(view.shape)} values" if view.shape else "1 value"),
        ("", f"in {count(total, view.unit)} of {times(view.lengths) or '1'}"),
    ]
    if view.inside is not None:
        lines.append(("tz-inner", f"chunks of {times(view.inside)} inside"))
    if view.around is not None:
        lines.append(("tz-frame", f"shards of {times(view.around)}"))
    lines.append(("gap", ""))
    if view.whole is None:
        stored = len(view.stored or ())
        counts = [
            (stored, style, f"{stored:,} stored"),
            (total - stored, "tz-absent", f"{total - stored:,} absent, read as {plain(view.fill_value, 24)}"),
        ]
    else:
        whole, part = len(view.whole), len(view.part)
        rest_of = total - whole - part
        counts = [
            (whole, "tz-stored", f"{count(whole, view.unit)} wanted whole"),
            (part, "hatch", f"{count(part, view.unit)} wanted in part"),
            (rest_of, "tz-absent", f"{rest_of:,} not touched"),
        ]
    lines += [(swatch, words) for many, swatch, words in counts if many]  # a mark that is not there explains nothing
    if view.selection is not None or view.words:
        lines.append(("gap", ""))
        lines.append(("tz-select" if view.selection is not None else "", plain(view.selected, 34)))
        if view.whole is None and view.selection is not None:
            lines.append(("", f"touches {count(view.touched, view.unit)}"))
    if binned:
        what = "stored" if view.whole is None else "touched"
        size = " x ".join(map(str, steps if len(view.shape) > 1 else steps[1:]))
        lines += [
            ("gap", ""),
            ("", f"each cell stands for {size} {view.unit};"),
            ("", f"the stronger, the more are {what}"),
        ]
    if rest:
        lines += [("gap", ""), *[("", words) for words in textwrap.wrap(rest, 38)]]
    parts, base = [], y + 14
    for swatch, words in lines:
        if swatch == "gap":
            base += 8
            continue
        if swatch == "hatch":
            parts += [rect(x, base - 12, 15, 15, "tz-quiet"), hatch([(x, base - 12, 15, 15)])]
        elif swatch:
            parts.append(rect(x, base - 12, 15, 15, swatch))
        parts.append(text(x + (24 if swatch else 0), base, words))
        base += 23
    return parts, base - 23, max((24 if swatch else 0) + 7.2 * len(words) for swatch, words in lines)
