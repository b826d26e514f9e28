"""An array drawn small, as it stands in its card: a bar, a plane, or a block, cut along the edges of its chunks.

One chunk is filled; with sharding the edges of the shards are heavier. Of an array with more than three axes the
leading ones are bars, and the last three the block. The sides are not to scale: a side that is a thousand times
longer is drawn longer, and still leaves the other one to be seen.

>>> print(thumbnail((4, 6), [2, 3])[:4])
<svg
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.words import array_words, count, plain, times

from .plane import axis_of
from .svg import inline, path, rect, text

LONGEST, SHORTEST = 150, 24  # pixels of a side
LEAST_GAP = 4  # pixels between lines
Point = tuple[float, float]


def thumbnail(
    shape: Sequence[int],
    chunks: Sequence[Any],
    shards: Sequence[Any] | None = None,
    names: Sequence[str | None] | None = None,
) -> str:
    """The drawing, as a part of a card; nothing for an array without axes or without elements."""
    if not shape or 0 in shape:
        return ""
    sides = [_Side(i, n, chunks[i], shards[i] if shards else None, names[i] if names else None, max(shape))
             for i, n in enumerate(shape)]  # fmt: skip
    parts, x, high = [], 14.0, 0.0
    for side in sides[:-3]:
        parts += _flat(side, None, x, 14)
        x, high = x + side.long + 34, max(high, 14 + SHORTEST)
    block = sides[-3:]
    if len(block) == 3:
        drawn, wide, tall = _block(block[0], block[1], block[2], x, 14)
    else:
        row, column = (None, block[0]) if len(block) == 1 else block
        drawn, tall = _flat(column, row, x, 14), 14 + (row.long if row else SHORTEST)
        wide = x + column.long + (8 + 7 * len(row.label) if row else 0)
    parts += drawn
    finest = max(side.every for side in sides)
    words = f"{count(math.prod(side.axis.count for side in sides), 'chunks')} of {times(chunks)}"
    words += f" in shards of {times(shards)}" if shards else ""
    alt = f"{array_words(shape).capitalize()} drawn in {words}; one chunk is filled; the sides are not to scale"
    high = max(high, tall) + 24
    if finest > 1:
        parts.append(text(14, high + 12, f"up to {finest:,} chunks between two lines", "tz-dim", size=11))
        alt += f"; up to {finest:,} chunks lie between two lines"
        high, wide = high + 18, max(wide, 14 + 6.2 * 36)
    return inline("The chunks of the array", alt + ".", max(wide + 14, 14 + 7 * len(sides[-1].label)), high, parts)


class _Side:
    """One axis: how long it is drawn, where its lines are, and what is written beside it."""

    def __init__(self, number: int, extent: int, lengths: Any, shard: Any, name: str | None, longest: int) -> None:
        self.axis = axis_of(extent, lengths)
        self.shard = None if shard is None else axis_of(extent, shard)
        self.long = max(LONGEST * (extent / longest) ** 0.45, SHORTEST)
        self.label = f"{extent:,}" + (f" {plain(name, 16)}" if name else "")
        self.every = max(1, -(-self.axis.count * LEAST_GAP // int(self.long)))
        self.cell = self.at(self.axis, self.every)  # where the filled chunk ends

    def at(self, axis: Axis, chunk: int) -> float:
        """The place of a chunk's edge."""
        edge = axis.extent if chunk >= axis.count else min(axis.start(chunk), axis.extent)
        return edge / axis.extent * self.long

    @property
    def lines(self) -> list[float]:
        """Edges between chunks."""
        return [self.at(self.axis, c) for c in range(self.every, self.axis.count, self.every)]

    @property
    def heavy(self) -> list[float]:
        """Edges between shards, where they are not too fine."""
        if self.shard is None or self.shard.count * 6 > self.long:
            return []
        return [self.at(self.shard, c) for c in range(1, self.shard.count)]


def _flat(column: _Side, row: _Side | None, x: float, y: float) -> list[str]:
    """A bar, or a plane."""
    high = row.long if row else SHORTEST
    parts = [rect(x, y, column.long, high, "tz-quiet"), rect(x, y, column.cell, row.cell if row else high, "tz-stored")]
    for style, across, down in (
        ("tz-line", column.lines, row.lines if row else []),
        ("tz-frame", column.heavy, row.heavy if row else []),
    ):
        d = [f"M{x + at:.5g} {y:.5g}v{high:.5g}" for at in across]
        d += [f"M{x:.5g} {y + at:.5g}h{column.long:.5g}" for at in down]
        parts.append(path("".join(d), style))
    parts += [rect(x, y, column.long, high, "tz-frame"), text(x, y + high + 17, column.label, "tz-dim", size=12)]
    if row:
        parts.append(text(x + column.long + 8, y + high / 2 + 4, row.label, "tz-dim", size=12))
    return parts


def _block(depth: _Side, row: _Side, column: _Side, x: float, y: float) -> tuple[list[str], float, float]:
    """A block: the last two axes in front, the one before them going back; and how far right and down it reaches."""
    lean = (0.6 * depth.long, 0.42 * depth.long)
    top = y + lean[1]

    def back(at: float) -> Point:
        return lean[0] * at / depth.long, -lean[1] * at / depth.long

    def face(origin: Point, u: Point, v: Point, style: str) -> str:
        corners = [origin, u, v, (-u[0], -u[1])]
        d = "M" + "l".join(f"{px:.5g} {py:.5g}" for px, py in corners) + "z"
        return path(d, style)

    right, down = (column.long, 0.0), (0.0, row.long)
    parts = [
        face((x, top), right, down, "tz-quiet"),
        face((x, top), right, back(depth.long), "tz-quiet"),
        face((x + column.long, top), back(depth.long), down, "tz-quiet"),
        face((x, top), (column.cell, 0), (0, row.cell), "tz-stored"),
        face((x, top), (column.cell, 0), back(depth.cell), "tz-stored"),
    ]
    if column.cell >= column.long:
        parts.append(face((x + column.long, top), back(depth.cell), (0, row.cell), "tz-stored"))
    for style, name in (("tz-line", "lines"), ("tz-frame", "heavy")):
        edge_x, go_back = x + column.long, back(depth.long)
        gone = f"l{go_back[0]:.5g} {go_back[1]:.5g}"
        d = [f"M{x + at:.5g} {top + row.long:.5g}v{-row.long:.5g}{gone}" for at in getattr(column, name)]
        d += [f"M{x:.5g} {top + at:.5g}h{column.long:.5g}{gone}" for at in getattr(row, name)]
        places = map(back, getattr(depth, name))
        d += [f"M{x + bx:.5g} {top + by:.5g}h{column.long:.5g}v{row.long:.5g}" for bx, by in places]
        parts.append(path("".join(d), style))
    parts += [
        face((x, top), right, down, "tz-frame"),
        face((x, top), right, back(depth.long), "tz-frame"),
        face((edge_x, top), back(depth.long), down, "tz-frame"),
        text(x, top + row.long + 17, column.label, "tz-dim", size=12),
        text(edge_x + lean[0] + 8, y + row.long / 2 + 4, row.label, "tz-dim", size=12),
        text(edge_x + lean[0] / 2 + 8, top + row.long - lean[1] / 2 + 14, depth.label, "tz-dim", size=12),
    ]
    wide = edge_x + max(lean[0] + 8 + 7 * len(row.label), lean[0] / 2 + 8 + 7 * len(depth.label))
    return parts, wide, top + row.long
