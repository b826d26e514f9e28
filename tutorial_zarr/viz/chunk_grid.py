"""The chunk grid of an array as a picture: what is stored, what is absent, what a selection touches.

The array is listed once, nothing is decoded. Regular and uneven grids, shards with their chunks inside, any number
of axes: of more than two, planes side by side.

Leaves out the drawing itself, which is in `drawing.grid`.

Regular grids: https://zarr-specs.readthedocs.io/en/latest/v3/chunk-grids/regular-grid/index.html

>>> print(chunk_grid(shape=(6, 6), chunks=(2, 3), stored=[(0, 0)], selection=(slice(1, 3), slice(2, 4))))
Chunk grid of a 6 x 6 array in chunks of 2 x 3: 1 of 6 chunks is stored, 5 are absent and read as 0. \
The selection [1:3, 2:4] touches 4 chunks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.array import Array
from tutorial_zarr.viz.drawing import COLOURS, GridView, Picture, draw_grid
from tutorial_zarr.viz.drawing.plane import ticks
from tutorial_zarr.words import selection_text

MAX_PATCHES = 20_000  # rectangles in a figure of matplotlib's, which draws each by itself


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

    Give an array, or a plan of one that does not exist yet: ``shape=``, ``chunks=``, and if you like ``shards=``,
    ``stored=`` (coords of chunks, or of shards), ``fill_value=`` and ``names=``. `values`, of the shape of the drawn
    plane, is drawn as a silhouette. Of an array with more than two axes several planes of chunks are drawn, or the
    one at the chunk coords `plane`. A grid too fine to draw is drawn in cells of several chunks, and says so.
    """
    view = _view(array, selection, **plan)
    lead = _lead(view, plane, one=values is not None)
    if values is None:
        return draw_grid(view, title or "Chunk grid", lead)
    level = _levels(values, view)

    def ground(left: float, top: float, sx: float, sy: float) -> str:
        return _silhouette(level, left, top, sx, sy)

    # A silhouette needs quiet cells below it
    return draw_grid(view, title or "Chunk grid", lead, ground, "tz-tint")


def stored_chunks(array: Array) -> set[tuple[int, ...]]:
    """The coords of the chunks (shards, if there are any) that have an object in the store: one listing."""
    coords = (chunk_coords(array, key) for key in nodes.keys_below(array.store, array.path))
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


def _view(array: Array | None, selection: Any, **plan: Any) -> GridView:
    if array is not None:
        plan = {
            "shape": array.shape,
            "chunks": array.chunks,
            "shards": array.shards,
            "stored": stored_chunks(array),
            "fill_value": array.fill_value,
            "names": array.dimension_names,
        }
    unknown = set(plan) - {"shape", "chunks", "shards", "stored", "fill_value", "names"}
    if unknown or not {"shape", "chunks"} <= set(plan):
        raise TypeError(
            "viz.chunk_grid: expected an array, or shape= and chunks= (and shards=, stored=, fill_value=, names=), "
            f"found {', '.join(sorted(plan)) or 'nothing'}; try chunk_grid(a)"
        )
    shape, shards = tuple(plan["shape"]), plan.get("shards")
    unit = tuple(plan["chunks"] if shards is None else shards)
    if len(unit) != len(shape):
        raise ValueError(f"viz.chunk_grid: expected a length of chunks for each of {len(shape)} axes, found {unit}")
    return GridView(
        shape,
        unit,
        "chunks" if shards is None else "shards",
        inside=None if shards is None else tuple(plan["chunks"]),
        stored=frozenset(map(tuple, plan.get("stored", ()))),
        selection=None if selection is None else _ranges(selection, shape),
        names=plan.get("names"),
        fill_value=plan.get("fill_value", 0),
    )


def _lead(view: GridView, plane: Sequence[int], one: bool) -> list[tuple[int, ...]] | None:
    """The planes to draw; None leaves the choice to the picture."""
    leading = max(len(view.shape) - 2, 0)
    if len(plane) not in ((leading,) if plane else (0,)):
        raise ValueError(f"viz.chunk_grid: plane needs {leading} chunk coords, found {tuple(plane)}")
    if plane:
        return [tuple(plane)]
    return [(0,) * leading] if one else None


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


def _silhouette(level: np.ndarray, left: float, top: float, sx: float, sy: float) -> str:
    """Two shades, for values below and above half of the largest; zeros stay clear. One dash per run in a row."""
    paths = []
    for wanted, style in ((1, "tz-low"), (2, "tz-high")):
        dashes = []
        for row, line in enumerate(level == wanted):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], line.view(np.int8), [0]))))
            dashes += [f"M{start} {row + 0.5:g}h{stop - start}" for start, stop in edges.reshape(-1, 2)]
        paths.append(f'<path class="{style}" d="{"".join(dashes)}"/>')
    return f'<g transform="translate({left:g} {top:g}) scale({sx:.5g} {sy:.5g})">{"".join(paths)}</g>'


def _levels(values: np.ndarray, view: GridView) -> np.ndarray:
    """0 for zeros, 1 below and 2 from half of the largest value."""
    drawn = (1, *view.shape)[-2:]
    if values.shape not in (drawn, view.shape[-2:]):
        raise ValueError(f"viz.chunk_grid: expected values of shape {drawn}, found {values.shape}")
    values = values.reshape(drawn)
    return (values > 0) * (1 + (values >= np.max(values) / 2)).astype(np.int8)


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
    """One plane of `chunk_grid` as a matplotlib figure, to save in another format or to draw on. Needs matplotlib.

    With `ax` it draws into those axes. The description is kept as ``figure.alt``.
    """
    view = _view(array, selection, **plan)
    lead = (_lead(view, plane, one=True) or [()])[0]
    rows, columns = view.axes[-2:]
    if rows.count * columns.count > MAX_PATCHES:
        raise ValueError(
            f"viz.chunk_grid_figure: expected at most {MAX_PATCHES:,} chunks in a plane, found "
            f"{rows.count * columns.count:,}; try chunk_grid, which draws several chunks as one cell"
        )
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    figure = Figure(figsize=(7, 4.6), layout="constrained") if ax is None else ax.figure
    ax = figure.add_subplot() if ax is None else ax
    colour = {name: light for name, (light, _) in COLOURS.items()}
    filled = colour["stored" if values is None else "tint"]
    high, wide = max(rows.extent, 1), max(columns.extent, 1)
    ax.set(xlim=(0, wide), ylim=(high, 0), title=title or "Chunk grid", aspect="equal" if high > 1 else "auto")
    if values is not None:
        shades = ListedColormap([colour["low"], colour["high"]])
        level = np.ma.masked_equal(_levels(values, view), 0)
        ax.imshow(level, extent=(0, wide, high, 0), cmap=shades, vmin=1, vmax=2, zorder=2)
    stored = set(view.stored or ())
    for row, column in itertools.product(range(rows.count), range(columns.count)):
        coords = (*lead, row, column)[-len(view.shape) :] if view.shape else ()
        style: dict[str, Any] = {
            "facecolor": filled if coords in stored else "none",
            "edgecolor": colour["line"],
            "linewidth": 0.8,
        }
        corner = (columns.start(column), rows.start(row))
        ax.add_patch(Rectangle(corner, columns.size(column), rows.size(row), zorder=1, **style))
    total = len(stored), int(np.prod([axis.count for axis in view.axes])) - len(stored)
    handles = [
        Patch(facecolor=filled, label=f"{total[0]:,} stored"),
        Patch(facecolor="none", edgecolor=colour["edge"], label=f"{total[1]:,} absent"),
    ]
    if view.selection is not None:
        vertical, horizontal = (range(1), *view.selection)[-2:]
        outline: dict[str, Any] = {"fill": False, "edgecolor": colour["select"], "linewidth": 2.5, "linestyle": "--"}
        size = (horizontal[-1] + 1 - horizontal[0], vertical[-1] + 1 - vertical[0])
        ax.add_patch(Rectangle((horizontal[0], vertical[0]), *size, zorder=3, **outline))
        handles.append(Patch(label=view.selected, **outline))
    ax.set_xticks(ticks(columns, 540, 40))
    ax.set_yticks(ticks(rows, 400, 15) if len(view.shape) > 1 else [])
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.alt = view.sentence()  # type: ignore[union-attr]
    return figure
