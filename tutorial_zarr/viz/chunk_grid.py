"""The chunk grid of an array as a picture: what is stored, what is absent, what a selection touches.

Leaves out the drawing itself, which is in `svg`, and arrays in three dimensions: of an array with more than
two axes one plane of chunks is shown.

Regular grids: https://zarr-specs.readthedocs.io/en/latest/v3/chunk-grids/regular-grid/index.html

>>> print(chunk_grid(shape=(6, 6), chunks=(2, 3), stored=[(0, 0)], selection=(slice(1, 3), slice(2, 4))))
Chunk grid of a 6 x 6 array in chunks of 2 x 3: 1 of 6 chunks are stored, 5 are absent and read as 0. \
The selection [1:3, 2:4] touches 4 chunks.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutorial_zarr.array import Array
from tutorial_zarr.viz.svg import COLOURS, Picture, count, draw, rect, selection_text, text, times

MAX_CELLS = 20_000


@dataclass(frozen=True)
class _Grid:
    """What a picture of a grid needs to know: one plane of the array, in stored objects."""

    shape: tuple[int, ...]  # of the whole array
    unit: tuple[int, ...]  # elements in a stored object: a chunk, or a shard
    inner: tuple[int, ...] | None  # chunks inside a shard
    stored: frozenset[tuple[int, ...]]
    fill_value: Any
    selection: tuple[range, ...] | None
    plane: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(-(-n // u) for n, u in zip(self.shape, self.unit, strict=True))

    @property
    def drawn(self) -> tuple[int, int]:
        """Rows and columns of elements in the picture; a one-dimensional array is one row."""
        return (1, *self.shape)[-2:] if len(self.shape) == 1 else self.shape[-2:]

    @property
    def cell(self) -> tuple[int, int]:
        return (1, *self.unit)[-2:] if len(self.shape) == 1 else self.unit[-2:]

    def cells(self) -> Iterator[tuple[tuple[int, ...], int, int]]:
        """(coords, row, column) of every object in the plane."""
        rows, columns = (1, *self.counts)[-2:] if len(self.shape) == 1 else self.counts[-2:]
        for row, column in itertools.product(range(rows), range(columns)):
            yield ((*self.plane, row, column))[-len(self.shape) :], row, column

    def touched(self) -> int:
        if self.selection is None:
            return 0
        return math.prod(
            len({index // u for index in r}) if len(r) < 100_000 or r.step > 1 else (r[-1] // u - r[0] // u + 1)
            for r, u in zip(self.selection, self.unit, strict=True)
        )

    def describe(self) -> str:
        unit = "shards" if self.inner else "chunks"
        total = math.prod(self.counts)
        words = (
            f"Chunk grid of a {times(self.shape)} array in {unit} of {times(self.unit)}: "
            f"{len(self.stored):,} of {total:,} {unit} are stored, "
            f"{total - len(self.stored):,} are absent and read as {self.fill_value}."
        )
        if self.selection is not None:
            words += f" The selection {selection_text(self.selection)} touches {count(self.touched(), unit)}."
        return words


def chunk_grid(
    array: Array | None = None,
    *,
    selection: Any = None,
    values: np.ndarray | None = None,
    title: str | None = None,
    plane: Sequence[int] = (),
    **plan: Any,
) -> Picture:
    """The chunks of an array: filled cells are stored, empty ones absent; `selection` is outlined on top.

    Give an array, or a plan of one that does not exist yet: ``shape=``, ``chunks=``, and if you like
    ``stored=`` (coords of chunks) and ``fill_value=``. `values`, two-dimensional and of the array's shape, is
    drawn as a silhouette. Of an array with more than two axes one plane of chunks is drawn; `plane` says
    which.
    """
    grid = _grid(array, selection, plane, **plan)
    return _draw(grid, values, title or "Chunk grid")


def stored_chunks(array: Array) -> set[tuple[int, ...]]:
    """The coords of the chunks (shards, if there are any) that have an object in the store: one listing."""
    coords = (chunk_coords(array, key) for key in array.store.list_prefix(array.path))
    return {found for found in coords if found is not None}


def chunk_coords(array: Array, key: str) -> tuple[int, ...] | None:
    """The coords of the chunk that is stored under `key`, or None if the key is not a chunk's."""
    numbers = re.findall(r"\d+", key.removeprefix(f"{array.path}/" if array.path else ""))
    ndim = len(array.shape)
    if len(numbers) < ndim:
        return None
    coords = tuple(int(number) for number in numbers[len(numbers) - ndim :])
    inside = all(c < n for c, n in zip(coords, array.grid.counts, strict=True))
    return coords if inside and array.chunk_key(coords) == key else None


def _grid(array: Array | None, selection: Any, plane: Sequence[int], **plan: Any) -> _Grid:
    if array is not None:
        shape, inner, unit = array.shape, array.chunks if array.shards else None, array.write_unit
        stored, fill_value = stored_chunks(array), array.fill_value
    else:
        unknown = set(plan) - {"shape", "chunks", "stored", "fill_value"}
        if unknown or not {"shape", "chunks"} <= set(plan):
            raise TypeError(
                "viz.chunk_grid: expected an array, or shape= and chunks= (and stored=, fill_value=), "
                f"got {', '.join(sorted(plan)) or 'nothing'}; try chunk_grid(a)"
            )
        shape, unit, inner = tuple(plan["shape"]), tuple(plan["chunks"]), None
        stored, fill_value = set(map(tuple, plan.get("stored", ()))), plan.get("fill_value", 0)
    if any(not isinstance(length, int) for length in unit):
        raise ValueError(f"viz.chunk_grid: expected a regular grid of chunks, found {unit}; try anatomy(a)")
    if not shape:
        raise ValueError("viz.chunk_grid: a scalar has a single chunk and no grid; try an array with an axis")
    leading = max(len(shape) - 2, 0)
    grid = _Grid(
        shape,
        unit,
        inner,
        frozenset(stored),
        fill_value,
        None if selection is None else _ranges(selection, shape),
        tuple(plane) or (0,) * leading,
    )
    cells = math.prod((1, *grid.counts)[-2:])
    if len(grid.plane) != leading:
        raise ValueError(f"viz.chunk_grid: plane needs {leading} chunk coords, got {grid.plane}")
    if cells > MAX_CELLS:
        raise ValueError(
            f"viz.chunk_grid: a picture shows at most {MAX_CELLS:,} cells, the grid has {cells:,}; "
            "try a plan with fewer chunks, such as chunk_grid(shape=..., chunks=...)"
        )
    return grid


def _ranges(selection: Any, shape: tuple[int, ...]) -> tuple[range, ...]:
    """Ints and slices as one range per axis."""
    parts = selection if isinstance(selection, tuple) else (selection,)
    if ... in parts:
        at = parts.index(...)
        parts = (*parts[:at], *[slice(None)] * (len(shape) - len(parts) + 1), *parts[at + 1 :])
    parts = (*parts, *[slice(None)] * (len(shape) - len(parts)))
    if len(parts) != len(shape):
        raise IndexError(f"viz.chunk_grid: {len(parts)} indices for {len(shape)} axes; try one for each axis")
    ranges = [
        range(n)[part] if isinstance(part, slice) else range(range(n)[part], range(n)[part] + 1)
        for part, n in zip(parts, shape, strict=True)
    ]
    if not all(ranges):
        raise IndexError(f"viz.chunk_grid: {selection_text(ranges)} selects nothing; try a selection to draw")
    return tuple(r if r.step > 0 else r[::-1] for r in ranges)


def _draw(grid: _Grid, values: np.ndarray | None, title: str) -> Picture:
    rows, columns = grid.drawn
    # The longer side gets 400 pixels, or 540 where that is the width; no side is thinner than a line of text.
    scale = (540 if columns > 1.5 * rows else 400) / max(rows, columns)
    wide, high = max(columns * scale, 28), max(rows * scale, 28)
    sx, sy = wide / columns, high / rows
    left, top = 58, 44
    cell_high, cell_wide = grid.cell
    stored = "tz-stored" if values is None else "tz-tint"  # a silhouette needs a quiet ground
    parts: list[str] = []

    for coords, row, column in grid.cells():
        if coords in grid.stored:
            x, y = column * cell_wide, row * cell_high
            w, h = min(cell_wide, columns - x), min(cell_high, rows - y)
            parts.append(rect(left + x * sx, top + y * sy, w * sx, h * sy, stored))
    if values is not None:
        parts.append(_silhouette(values, grid, left, top, sx, sy))
    if grid.inner:
        inner_high, inner_wide = (1, *grid.inner)[-2:] if len(grid.shape) == 1 else grid.inner[-2:]
        parts.append(_lines(rows, columns, inner_high, inner_wide, left, top, sx, sy, "tz-inner"))
    parts.append(_lines(rows, columns, cell_high, cell_wide, left, top, sx, sy, "tz-line"))
    parts.append(rect(left, top, wide, high, "tz-frame"))

    if min(cell_wide * sx, cell_high * sy) >= 26 and values is None:
        for coords, row, column in grid.cells():
            style = "tz-on" if coords in grid.stored else "tz-dim"
            x = left + (column * cell_wide + min((column + 1) * cell_wide, columns)) / 2 * sx
            y = top + (row * cell_high + min((row + 1) * cell_high, rows)) / 2 * sy
            parts.append(text(x, y + 4, ",".join(map(str, coords)), style, "middle", 11))
    if grid.selection is not None:
        horizontal, vertical = grid.selection[-1], (range(1), *grid.selection)[-2]
        box = (
            left + horizontal[0] * sx,
            top + vertical[0] * sy,
            (horizontal[-1] + 1 - horizontal[0]) * sx,
            (vertical[-1] + 1 - vertical[0]) * sy,
        )
        parts += [rect(*box, "tz-halo"), rect(*box, "tz-select")]

    parts += [text(left + at * sx, top - 8, f"{at}", "tz-dim", "middle", 11) for at in _ticks(columns, cell_wide)]
    if len(grid.shape) > 1:
        parts += [text(left - 8, top + at * sy + 4, f"{at}", "tz-dim", "end", 11) for at in _ticks(rows, cell_high)]
    legend = _legend(grid, left + wide + 34, top, stored)
    return draw(title, grid.describe(), left + wide + 34 + 236, max(top + high + 22, top + 150), [*parts, *legend])


def _legend(grid: _Grid, x: float, y: float, stored: str) -> list[str]:
    unit = "shard" if grid.inner else "chunk"
    total = math.prod(grid.counts)
    lines = [
        ("", f"{times(grid.shape)} values", "tz-text"),
        ("", f"in {count(total, unit + 's')} of {times(grid.unit)}", "tz-text"),
        (stored, f"{len(grid.stored):,} stored", "tz-text"),
        ("tz-absent", f"{total - len(grid.stored):,} absent, read as {grid.fill_value}", "tz-text"),
    ]
    if grid.selection is not None:
        lines += [
            ("tz-select", selection_text(grid.selection), "tz-text"),
            ("", f"touches {count(grid.touched(), unit + 's')}", "tz-text"),
        ]
    parts = []
    for number, (swatch, words, style) in enumerate(lines):
        base = y + 14 + 23 * number + (8 if number > 1 else 0) + (8 if number > 3 else 0)
        if swatch:
            parts.append(rect(x, base - 12, 15, 15, swatch))
        parts.append(text(x + (24 if swatch or number > 3 else 0), base, words, style, "start", 13))
    return parts


def _silhouette(values: np.ndarray, grid: _Grid, left: float, top: float, sx: float, sy: float) -> str:
    """Two shades, for values below and above half of the largest; zeros stay clear. One dash per run in a
    row.
    """
    level = _levels(values, grid)
    paths = []
    for wanted, style in ((1, "tz-low"), (2, "tz-high")):
        dashes = []
        for row, line in enumerate(level == wanted):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], line.view(np.int8), [0]))))
            dashes += [f"M{start} {row + 0.5:g}h{stop - start}" for start, stop in edges.reshape(-1, 2)]
        paths.append(f'<path class="{style}" d="{"".join(dashes)}"/>')
    return f'<g transform="translate({left:g} {top:g}) scale({sx:.5g} {sy:.5g})">{"".join(paths)}</g>'


def _levels(values: np.ndarray, grid: _Grid) -> np.ndarray:
    """0 for zeros, 1 below and 2 from half of the largest value."""
    if values.shape != grid.drawn:
        raise ValueError(f"viz.chunk_grid: values of shape {grid.drawn} expected, got {values.shape}")
    return (values > 0) * (1 + (values >= np.max(values) / 2)).astype(np.int8)


def _lines(
    rows: int, columns: int, high: int, wide: int, left: float, top: float, sx: float, sy: float, style: str
) -> str:
    down = [f"M{left + x * sx:.5g} {top:g}v{rows * sy:.5g}" for x in range(wide, columns, wide)]
    across = [f"M{left:g} {top + y * sy:.5g}h{columns * sx:.5g}" for y in range(high, rows, high)]
    return f'<path class="{style}" d="{"".join(down + across)}"/>'


def _ticks(length: int, step: int) -> list[int]:
    """The edges of chunks that are worth a number: both ends and at most four between."""
    edges = range(0, length, step)
    chosen = list(edges[:: max(1, -(-len(edges) // 5))])
    if length - chosen[-1] < length / 12 and len(chosen) > 1:
        chosen.pop()
    return [*chosen, length]


def chunk_grid_figure(
    array: Array | None = None,
    *,
    selection: Any = None,
    values: np.ndarray | None = None,
    title: str | None = None,
    plane: Sequence[int] = (),
    ax: Any = None,
    **plan: Any,
) -> Any:
    """`chunk_grid` as a matplotlib figure, to save in another format or to draw on. Needs matplotlib.

    With `ax` it draws into those axes. The description is in the figure's metadata as ``figure.alt``.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    grid = _grid(array, selection, plane, **plan)
    (rows, columns), (cell_high, cell_wide) = grid.drawn, grid.cell
    figure = Figure(figsize=(7, 4.6), layout="constrained") if ax is None else ax.figure
    ax = figure.add_subplot() if ax is None else ax
    colour = {name: light for name, (light, _) in COLOURS.items()}
    stored = colour["stored" if values is None else "tint"]
    ax.set(xlim=(0, columns), ylim=(rows, 0), title=title or "Chunk grid", aspect="equal" if rows > 1 else "auto")
    if values is not None:
        shades = ListedColormap([colour["low"], colour["high"]])
        level = np.ma.masked_equal(_levels(values, grid), 0)
        ax.imshow(level, extent=(0, columns, rows, 0), cmap=shades, vmin=1, vmax=2, zorder=2)
    for coords, row, column in grid.cells():
        corner = (column * cell_wide, row * cell_high)
        is_stored = coords in grid.stored
        style = {
            "facecolor": stored if is_stored else "none",
            "edgecolor": colour["line"],
            "linewidth": 0.8,
        }
        ax.add_patch(Rectangle(corner, cell_wide, cell_high, zorder=1, **style))
    total = math.prod(grid.counts)
    handles = [
        Patch(facecolor=stored, label=f"{len(grid.stored):,} stored"),
        Patch(facecolor="none", edgecolor=colour["edge"], label=f"{total - len(grid.stored):,} absent"),
    ]
    if grid.selection is not None:
        horizontal, vertical = grid.selection[-1], (range(1), *grid.selection)[-2]
        style = {"fill": False, "edgecolor": colour["select"], "linewidth": 2.5, "linestyle": "--"}
        size = (horizontal[-1] + 1 - horizontal[0], vertical[-1] + 1 - vertical[0])
        ax.add_patch(Rectangle((horizontal[0], vertical[0]), *size, zorder=3, **style))
        handles.append(Patch(label=selection_text(grid.selection), **style))
    ax.set_xticks(_ticks(columns, cell_wide))
    ax.set_yticks(_ticks(rows, cell_high) if len(grid.shape) > 1 else [])
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.alt = grid.describe()
    return figure
