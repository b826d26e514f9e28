"""One plane of a chunk grid: what is drawn, in elements and in pixels, cells and lines, labels and ticks.

Leaves out how planes are chosen and laid out on a page, which is in `grid`.

>>> GridView((4, 6), (2, 3), whole=[(0, 1)]).sentence()
'A selection of a 4 x 6 array in 4 chunks of 2 x 3: it touches 1 chunk, whole.'
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tutorial_zarr.chunk_grids import Axis, UnevenAxis
from tutorial_zarr.words import array_words, count, is_or_are, plain, selection_text, times

from .svg import boxes, hatch, path, rect, text

LEAST_CELL = 7  # pixels: a drawn cell is no smaller
SMALL, DOT = 16, 8  # pixels: a selection that is smaller lies on the labels, and is drawn no smaller than a dot
SHADES = (0.25, 0.5, 0.75, 1.0)  # of cells that stand for several chunks: up to a quarter, a half, ...
Coords = tuple[int, ...]
Box = tuple[float, float, float, float]


def axis_of(extent: int, lengths: Any) -> Axis:
    """An axis cut into chunks of one length, or of the listed lengths."""
    if isinstance(lengths, (tuple, list)):
        return UnevenAxis(extent, [int(n) for n in lengths])
    return Axis(extent, int(lengths))


@dataclass(frozen=True)
class GridView:
    """What a picture of a grid shows. Coordinates count the cells of `axes`; an array without axes has one, ``()``."""

    shape: tuple[int, ...]
    lengths: tuple[Any, ...]  # of the cells along each axis: one number, or one for each cell
    unit: str = "chunks"  # what a cell is
    inside: tuple[Any, ...] | None = None  # lengths of the chunks inside each cell, where the cells are shards
    around: tuple[Any, ...] | None = None  # lengths of the shards, where the cells are the chunks inside them
    stored: Collection[Coords] | None = None
    whole: Collection[Coords] | None = None  # cells that a selection takes whole
    part: Collection[Coords] = ()  # cells of which it takes a part
    selection: tuple[range, ...] | None = None  # the box around it
    words: str | None = None  # the selection as it was typed, where `selection` does not say it
    names: tuple[str | None, ...] | None = None
    fill_value: Any = 0

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that hold the cells; two at least, so that everything is a plane."""
        given = tuple(axis_of(n, length) for n, length in zip(self.shape, self.lengths, strict=True))
        return (*[Axis(1, 1)] * (2 - len(given)), *given)

    def padded(self, values: Sequence[Any] | None, what: Any) -> tuple[Any, ...] | None:
        """One value for each of `axes`, where there is one for each axis of the array."""
        return None if values is None else (*[what] * (2 - len(values)), *values)

    @property
    def selected(self) -> str:
        """The selection in words."""
        return self.words or (selection_text(self.selection) if self.selection is not None else "it")

    def sentence(self) -> str:
        """What the picture shows."""
        axes = self.axes
        total = math.prod(axis.count for axis in axes)
        if self.whole is None:
            stored = len(self.stored or ())
            words = (
                f"Chunk grid of {array_words(self.shape)} in {self.unit} of {times(self.lengths) or '1'}: "
                f"{stored:,} of {total:,} {self.unit} {is_or_are(stored)} stored, "
                f"{total - stored:,} {is_or_are(total - stored)} absent and read as {plain(self.fill_value, 60)}."
            )
            if self.selection is not None:
                words += f" The selection {self.selected} touches {count(self.touched, self.unit)}."
            return words
        whole, part = len(self.whole), len(self.part)
        how = "all of them whole" if not part else "all of them in part" if not whole else ""
        how = how or f"{whole:,} of them whole and {part:,} in part"
        if whole + part == 1:
            how = "whole" if whole else "in part"
        return (
            f"A selection of {array_words(self.shape)} in {count(total, self.unit)} of "
            f"{times(self.lengths) or '1'}: {plain(self.selected, 120)} touches "
            + (f"{count(whole + part, self.unit)}, {how}." if whole + part else f"no {self.unit}.")
        )

    @property
    def touched(self) -> int:
        """How many cells hold an element of the selection's box."""
        by_axis = zip(self.shape, self.lengths, self.selection or (), strict=True)
        return math.prod(cells_touched(axis_of(extent, lengths), indices) for extent, lengths, indices in by_axis)


def cells_touched(axis: Axis, indices: range) -> int:
    """How many chunks of an axis hold one of the indices."""
    if not indices:
        return 0
    if isinstance(axis, UnevenAxis) or (indices.step > 1 and len(indices) <= 1 << 20):
        return len({axis.find(index) for index in indices})
    if indices.step > axis.length:
        return len(indices)  # at most one index lies in a chunk
    return axis.find(indices[-1]) - axis.find(indices[0]) + 1


class Plane:
    """One plane of chunks in a box of the page."""

    def __init__(self, view: GridView, lead: Coords, x: float, y: float, wide: float, high: float) -> None:
        self.view, self.lead, self.x, self.y, self.wide, self.high = view, lead, x, y, wide, high
        self.rows, self.columns = view.axes[-2:]
        self.sy, self.sx = high / max(self.rows.extent, 1), wide / max(self.columns.extent, 1)
        # How many chunks a drawn cell stands for along each axis
        self.steps = tuple(
            max(1, math.ceil(axis.count * LEAST_CELL / room)) if axis.count * 4 > room else 1
            for axis, room in ((self.rows, high), (self.columns, wide))
        )
        self.binned = self.steps != (1, 1)
        self.small = False  # whether the selection is, on this page

    def edge(self, axis: Axis, chunk: int) -> int:
        """The element at which a chunk begins; the end of the axis for all beyond it."""
        return axis.extent if chunk >= axis.count else min(axis.start(chunk), axis.extent)

    def box(self, cell: tuple[int, int]) -> Box:
        """The place of a drawn cell."""
        (top, bottom), (left, right) = (
            (self.edge(axis, c * n), self.edge(axis, (c + 1) * n))
            for axis, c, n in zip((self.rows, self.columns), cell, self.steps, strict=True)
        )
        return (
            self.x + left * self.sx,
            self.y + top * self.sy,
            (right - left) * self.sx,
            (bottom - top) * self.sy,
        )

    def cells(self, marked: Collection[Coords] | None) -> dict[tuple[int, int], int]:
        """How many of the marked chunks each drawn cell of this plane holds."""
        found: dict[tuple[int, int], int] = {}
        padding = 2 - len(self.view.shape)
        for coords in sorted(marked or ()):
            full = (*[0] * padding, *coords)
            if full[:-2] == self.lead:
                cell = (full[-2] // self.steps[0], full[-1] // self.steps[1])
                found[cell] = found.get(cell, 0) + 1
        return found

    def capacity(self, cell: tuple[int, int]) -> int:
        """How many chunks a drawn cell stands for."""
        return math.prod(
            min((c + 1) * n, axis.count) - c * n
            for axis, c, n in zip((self.rows, self.columns), cell, self.steps, strict=True)
        )

    def draw(self, style: str, ground: str = "") -> list[str]:
        """The cells, `ground` over them, the lines between them, and the selection.

        A cell has its coordinates on it unless there is a `ground`, which they would hide.
        """
        view = self.view
        whole = self.cells(view.stored if view.whole is None else view.whole)
        part = self.cells(view.part)
        parts = []
        if self.binned:
            shades: dict[float, list[Box]] = {}
            for cell in sorted({*whole, *part}):
                share = (whole.get(cell, 0) + part.get(cell, 0)) / self.capacity(cell)
                shades.setdefault(next(s for s in SHADES if share <= s), []).append(self.box(cell))
            parts += [boxes(found, style, shade) for shade, found in sorted(shades.items())]
        else:
            parts.append(boxes(map(self.box, whole), style))
            parts.append(boxes(map(self.box, part), "tz-quiet"))
            parts.append(hatch(map(self.box, part)))
        parts.append(ground)
        if view.inside is not None and not self.binned:
            parts.append(self.lines(view.padded(view.inside, 1), "tz-inner"))
        parts.append(self.lines(None, "tz-line" if view.inside is None else "tz-frame"))
        if view.around is not None:
            parts.append(self.lines(view.padded(view.around, 1), "tz-frame"))
        parts.append(rect(self.x, self.y, self.wide, self.high, "tz-frame"))
        outline, numbers = self.outline(), [] if ground or self.binned else [*self.labels(whole)]
        return [*parts, *numbers, *outline] if self.small else [*parts, *outline, *numbers]  # no label hides a dot

    def lines(self, lengths: Sequence[Any] | None, style: str) -> str:
        """Lines between the drawn cells, or between chunks of other lengths where those are not too fine."""
        d = []
        for across, axis, n in ((True, self.rows, self.steps[0]), (False, self.columns, self.steps[1])):
            other = axis if lengths is None else axis_of(axis.extent, lengths[-2 if across else -1])
            room = self.high if across else self.wide
            if lengths is not None and other.count * 3 > room:
                continue
            for c in range(0 if lengths is None else 1, other.count, n if lengths is None else 1):
                at = self.edge(other, c)
                if 0 < at < axis.extent:
                    d.append(
                        f"M{self.x:.5g} {self.y + at * self.sy:.5g}h{self.wide:.5g}"
                        if across
                        else f"M{self.x + at * self.sx:.5g} {self.y:.5g}v{self.high:.5g}"
                    )
        return path("".join(d), style)

    def labels(self, whole: Collection[tuple[int, int]]) -> Iterator[str]:
        """The coordinates of the chunks, where there is room for them."""
        last = ",".join(str(axis.count - 1) for axis in self.view.axes[-max(len(self.view.shape), 1) :])
        least = max(6.4 * len(last) + 4, 24)
        if self.columns.length * self.sx < least or self.rows.length * self.sy < 24:
            return
        for cell in itertools.product(range(self.rows.count), range(self.columns.count)):
            x, y, wide, high = self.box(cell)
            words = ",".join(map(str, (*self.lead, *cell)[-max(len(self.view.shape), 1) :]))
            if high < 24 or wide < least:
                continue
            style = "tz-on" if cell in whole else "tz-dim tz-label"
            yield text(x + wide / 2, y + high / 2 + 4, words, style, "middle", 11)

    def outline(self) -> list[str]:
        """The box around the selection, where it reaches into this plane."""
        ranges = self.view.padded(self.view.selection, range(1))
        if ranges is None or not all(ranges):
            return []
        ranges = tuple(r if r.step > 0 else r[::-1] for r in ranges)
        for axis, c, r in zip(self.view.axes, self.lead, ranges, strict=False):
            start, stop = self.edge(axis, c), self.edge(axis, c + 1)
            if r[0] >= stop or r[-1] < start:
                return []
        (top, bottom), (left, right) = ((r[0], r[-1] + 1) for r in ranges[-2:])
        wide, high = (right - left) * self.sx, (bottom - top) * self.sy
        self.small = max(wide, high) < SMALL
        least = DOT if self.small else 3.0  # a selection of one element in a million is still seen
        x = self.x + left * self.sx - max(0.0, least - wide) / 2
        y = self.y + top * self.sy - max(0.0, least - high) / 2
        box = x, y, max(wide, least), max(high, least)
        return [rect(*box, "tz-halo"), rect(*box, "tz-select")]

    def top_ticks(self) -> list[str]:
        """Numbers of elements above the plane."""
        return [
            text(self.x + at * self.sx, self.y - 7, f"{at}", "tz-dim", "middle", 11)
            for at in ticks(self.columns, self.wide, 8.0 * len(str(self.columns.extent)))
        ]

    def left_ticks(self) -> list[str]:
        """Numbers of elements on the left of the plane."""
        if len(self.view.shape) < 2:
            return []
        return [
            text(self.x - 8, self.y + at * self.sy + 4, f"{at}", "tz-dim", "end", 11)
            for at in ticks(self.rows, self.high, 15)
        ]


def ticks(axis: Axis, room: float, least: float) -> list[int]:
    """The edges of chunks that are worth a number: both ends, and at most four between that keep `least` apart."""
    every = max(1, -(-axis.count // 5))
    scale = room / max(axis.extent, 1)
    chosen = [0]
    for chunk in range(every, axis.count, every):
        at = axis.start(chunk)
        if (at - chosen[-1]) * scale >= least and (axis.extent - at) * scale >= max(least, room / 12):
            chosen.append(at)
    return [*chosen, axis.extent] if axis.extent else chosen
