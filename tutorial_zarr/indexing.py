"""Selections: from what stands between the brackets to the chunks it touches.

A selection is a list of *factors*, each of which covers one axis of the array (or several, for points):

    Span     start, step, count                  of a slice or an integer
    Indices  an array of indices                 of one axis, orthogonal to the others
    Points   one array of indices for each axis  of the elements at those coordinates

Each factor splits along the chunk grid by itself; the chunks touched are the product of the parts. A part of a
factor is a factor again, relative to its chunk, so the same code splits a shard into its inner chunks.

>>> selection = basic((slice(3, 8), 2), (10, 4))
>>> [part.chunk_coord for part in selection.factors[0].split((Axis(10, 4),))], selection.final_shape
([0, 1], (5,))

The rules of selection are NumPy's: https://numpy.org/doc/stable/user/basics.indexing.html
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr.chunk_grids import Axis, ChunkGrid
from tutorial_zarr.errors import SelectionError, nearest


class AxisProjection(NamedTuple):
    """What a factor selects within one chunk, along the factor's axis. Points have a tuple, of all their axes, here."""

    chunk_coord: Any  # coordinate of the chunk
    chunk_selection: Any  # numpy index into the chunk
    out_selection: Any  # numpy index into the output's one axis
    is_complete: bool  # whether every element of the chunk that lies in the array is selected
    factor: Any  # the factor, relative to the chunk; its places in the output stay


class ChunkProjection(NamedTuple):
    """What a selection takes of one chunk, and where that goes."""

    chunk_coords: tuple[int, ...]
    chunk_selection: Any  # numpy index into the chunk; for points, with their axes moved to its front (`points_first`)
    out_selection: Any  # numpy index into the output, or into the value that is written
    is_complete: bool  # whether every element of the chunk that lies in the array is selected


class Span(NamedTuple):
    """`count` elements from `start` on, `step` apart, that go to `out` onwards."""

    start: int
    step: int
    count: int  # type: ignore[assignment]  # nobody asks a tuple's own `count` here
    out: int = 0

    def split(self, axes: tuple[Axis, ...]) -> list[AxisProjection]:
        """The parts of this factor, one for each chunk."""
        (axis,) = axes
        parts, done, (start, step, count, out) = [], 0, self
        while done < count:
            index = start + done * step
            chunk, begin, end = axis.around(index)
            here = min(count - done, (end - index + step - 1) // step)
            if here < 1:  # of another state of the array: without this, there would be no end
                raise SelectionError(f"expected a selection within an axis of {axis.extent} elements, found {self}")
            first = index - begin
            within, place = slice(first, first + (here - 1) * step + 1, step), out + done
            complete = (step == 1 or end - begin == 1) and first == 0 and here == end - begin
            factor = Span(first, step, here, place)
            parts.append(AxisProjection(chunk, within, slice(place, place + here), complete, factor))
            done += here
        return parts


class Indices(NamedTuple):
    """The elements at `index`, in that order, that go to the places `out`."""

    index: np.ndarray  # type: ignore[assignment]  # nor its own `index`
    out: np.ndarray

    def split(self, axes: tuple[Axis, ...]) -> list[AxisProjection]:
        """The parts of this factor, one for each chunk."""
        (axis,) = axes
        parts = []
        for (chunk,), rows in _by_chunk([axis.find_all(self.index)], (axis.count,)):
            index, out = self.index[rows] - axis.start(chunk), self.out[rows]
            parts.append(AxisProjection(chunk, as_slice(index), as_slice(out), False, Indices(index, out)))
        return parts


class Points(NamedTuple):
    """The elements at the coordinates ``zip(*indices)``, that go to the places `out`."""

    indices: tuple[np.ndarray, ...]
    out: np.ndarray

    def split(self, axes: tuple[Axis, ...]) -> list[AxisProjection]:
        """The parts of this factor, one for each chunk."""
        if not axes:  # a lone True or False: all of the other axes, once or not at all
            return [AxisProjection((), (), slice(0, len(self.out)), False, self)] if len(self.out) else []
        chunks = [axis.find_all(index) for axis, index in zip(axes, self.indices, strict=True)]
        parts = []
        for chunk, rows in _by_chunk(chunks, tuple(axis.count for axis in axes)):
            starts = [axis.start(c) for axis, c in zip(axes, chunk, strict=True)]
            local = tuple([index[rows] - start for index, start in zip(self.indices, starts, strict=True)])
            out = self.out[rows]
            parts.append(AxisProjection(chunk, local, out, False, Points(local, out)))
        return parts


def as_slice(index: np.ndarray) -> Any:
    """`index` as a slice where it rises in even steps, as one or two indices always do: numpy copies those faster."""
    first, count = int(index[0]), len(index)
    if count == 1:
        return slice(first, first + 1, 1)
    step = int(index[1]) - first
    if step < 1 or (count > 2 and not (np.diff(index) == step).all()):
        return index
    return slice(first, first + (count - 1) * step + 1, step)


def _by_chunk(chunks: list[np.ndarray], counts: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Chunk coordinates, and which elements fall into that chunk, in their given order."""
    if chunks[0].size == 0:
        return
    table = None
    if math.prod(counts) >= 1 << 63:  # too many chunks to number them all: number those that are met
        table, flat = np.unique(np.stack(chunks), axis=1, return_inverse=True)
        flat = flat.reshape(-1)
    else:
        flat = np.ravel_multi_index(tuple(chunks), counts)
    if math.prod(counts) <= 1 << 16:
        flat = flat.astype(np.uint16)  # small integers are sorted by radix
    order = np.argsort(flat, kind="stable") if (flat[1:] < flat[:-1]).any() else None
    ordered = flat if order is None else flat[order]
    edges = [0, *(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist(), len(flat)]
    ids = ordered[edges[:-1]]
    places = np.unravel_index(ids, counts) if table is None else table[:, ids]
    coords = zip(*(axis.tolist() for axis in places), strict=True)
    for chunk, (start, stop) in zip(coords, itertools.pairwise(edges), strict=True):
        yield chunk, slice(start, stop) if order is None else order[start:stop]


class Selection:
    """Factors, and how their product is laid out for the caller.

    Chunks are read into an array with one axis for each factor (`shape`); `to_final` gives the caller's view of
    it, `from_final` the way back. Points, if any, come first among the factors.
    """

    def __init__(
        self,
        factors: list[Any],
        axes: list[tuple[int, ...]],
        *,
        drop: tuple[int, ...] = (),
        flip: tuple[int, ...] = (),
        points_shape: tuple[int, ...] | None = None,
        points_at: int = 0,
        new: tuple[int, ...] = (),
    ) -> None:
        self.factors, self.axes = factors, axes
        self.drop, self.flip, self.points_shape, self.points_at, self.new = drop, flip, points_shape, points_at, new
        # whether elements are picked one by one: then their axes come first in an index into a chunk
        self.points = points_shape is not None
        self.shape = tuple(f.count if isinstance(f, Span) else len(f.out) for f in factors)
        kept = [n for i, n in enumerate(self.shape) if i not in drop]
        if points_shape is not None:
            rest = kept[1:]
            kept = [*rest[:points_at], *points_shape, *rest[points_at:]]
        for at in new:
            kept.insert(at, 1)
        self.final_shape = tuple(kept)

    def to_final(self, array: np.ndarray) -> np.ndarray:
        """`array`, of shape `shape` and contiguous, as the caller wants it: a view."""
        if self.flip:
            array = array[tuple(slice(None, None, -1) if i in self.flip else slice(None) for i in range(array.ndim))]
        if self.drop:
            array = array[(*[0 if i in self.drop else slice(None) for i in range(array.ndim)], ...)]
        if self.points_shape is not None:
            array = array.reshape(self.points_shape + array.shape[1:])
            width = len(self.points_shape)
            array = np.moveaxis(array, range(width), range(self.points_at, self.points_at + width))
        for at in self.new:
            array = np.expand_dims(array, at)
        return array

    def from_final(self, array: np.ndarray) -> np.ndarray:
        """`array`, of shape `final_shape`, as `shape`: a view, except that points may need a copy."""
        for at in reversed(self.new):
            first: tuple[Any, ...] = (*[slice(None)] * at, 0, ...)
            array = array[first]
        if self.points_shape is not None:
            width = len(self.points_shape)
            array = np.moveaxis(array, range(self.points_at, self.points_at + width), range(width))
            array = array.reshape((math.prod(self.points_shape), *array.shape[width:]))
        for at in self.drop:
            array = np.expand_dims(array, at)
        if self.flip:
            array = array[tuple(slice(None, None, -1) if i in self.flip else slice(None) for i in range(array.ndim))]
        return array

    def split(self, grid_axes: tuple[Axis, ...]) -> Split:
        """The selection cut along a grid."""
        return Split(
            self,
            [
                factor.split(tuple([grid_axes[a] for a in axes]))
                for factor, axes in zip(self.factors, self.axes, strict=True)
            ],
        )


class Split:
    """A selection cut along a grid: the parts of each factor. The chunks touched are the product of the parts.

    To go through it gives a `ChunkProjection` for each chunk. Where there are many, what is wanted of them comes in
    iterators that run side by side, in the same order, and in C: nothing is worked out for a chunk that can be worked
    out for an axis.
    """

    def __init__(self, selection: Selection, parts: list[list[AxisProjection]]) -> None:
        self.selection, self.parts = selection, parts
        self.count = math.prod(map(len, parts))  # chunks touched
        # Two or more index arrays: numpy would go through them in step, were they not laid out crosswise.
        # (`as_slice` makes slices of many, so that the parts tell, not the factors.)
        spans = selection.points or all([isinstance(factor, Span) for factor in selection.factors])  # noqa: C419 - quicker
        arrays = 0 if spans else sum(map(_has_arrays, parts))
        self.box = arrays == 0 and not selection.points  # slices alone
        self._crosswise = arrays > 1

    def __iter__(self) -> Iterator[ChunkProjection]:
        return map(
            ChunkProjection, self.chunk_coords(), self.chunk_selections(), self.out_selections(), self.are_complete()
        )

    def _column(self, number: int) -> Iterator[tuple[Any, ...]]:
        """The product of one field of the parts."""
        return itertools.product(*[[part[number] for part in axis] for axis in self.parts])

    def axis_projections(self) -> Iterator[tuple[AxisProjection, ...]]:
        """For each chunk what it is along each axis."""
        return itertools.product(*self.parts)

    def axis_coords(self) -> list[list[int]]:
        """The chunks touched along each axis; not for points, whose axes go together."""
        return [[part.chunk_coord for part in axis] for axis in self.parts]

    def chunk_coords(self) -> Iterator[tuple[int, ...]]:
        """The coordinates of each chunk."""
        if not self.selection.points:
            return self._column(0)
        axes = [axis for axes in self.selection.axes for axis in axes]
        order = sorted(range(len(axes)), key=axes.__getitem__)
        flat = ((*first, *rest) for first, *rest in self._column(0))
        return (tuple([coords[i] for i in order]) for coords in flat)

    def chunk_selections(self) -> Iterator[Any]:
        """For each chunk the index into it. For points, into the chunk with their axes moved to the front."""
        if self.selection.points:
            return ((*first, *rest) for first, *rest in self._column(1))
        return self._crossing(1) if self._crosswise else self._column(1)

    def out_selections(self) -> Iterator[Any]:
        """For each chunk the index into the output, or the value."""
        return self._crossing(2) if self._crosswise else self._column(2)

    def _crossing(self, number: int) -> Iterator[tuple[Any, ...]]:
        width = len(self.parts)
        columns = []
        for at, axis in enumerate(self.parts):
            indices: list[Any] = [part[number] for part in axis]
            arrays = [np.arange(i.start, i.stop, i.step or 1) if isinstance(i, slice) else i for i in indices]
            columns.append([array.reshape(-1, *[1] * (width - 1 - at)) for array in arrays])
        return itertools.product(*columns)

    @property
    def complete(self) -> int:
        """How many chunks are complete: every element of theirs that lies in the array is selected."""
        return math.prod([sum([part.is_complete for part in axis]) for axis in self.parts])

    def are_complete(self) -> Iterator[bool]:
        """For each chunk whether every element that lies in the array is selected."""
        return map(all, self._column(3))

    def places(self) -> Iterator[tuple[Any, Any, bool]]:
        """For each chunk (chunk selection, out selection, whether it is complete)."""
        return zip(self.chunk_selections(), self.out_selections(), self.are_complete(), strict=True)


def _has_arrays(parts: list[AxisProjection]) -> bool:
    return any(isinstance(p.chunk_selection, np.ndarray) or isinstance(p.out_selection, np.ndarray) for p in parts)


def points_first(chunk: np.ndarray, selection: Selection) -> np.ndarray:
    """A view of a chunk with the axes of points, if there are any, in front: as `ChunkProjection` indexes it."""
    if not selection.points:
        return chunk
    axes = selection.axes[0]
    return np.moveaxis(chunk, axes, range(len(axes)))


# --- from what stands between the brackets to a Selection


def _whole(key: Any, shape: tuple[int, ...], advanced: bool = True) -> list[Any]:
    """The selection as a list with the ellipsis filled in: one entry for each axis, and None for new axes."""
    entries = list(key) if isinstance(key, tuple) else [key]
    width = 0
    for entry in entries:
        if entry is None or entry is Ellipsis:
            continue
        width += entry.ndim if isinstance(entry, np.ndarray) and entry.dtype == bool else 1
    dots = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise SelectionError("expected at most one ellipsis ('...') in a selection, found two")
    if width > len(shape):
        raise SelectionError(f"too many indices: expected at most {len(shape)}, found {width}", shape=shape)
    at = dots[0] if dots else len(entries)
    entries[at : at + len(dots)] = [slice(None)] * (len(shape) - width)
    return entries


def _integer(value: Any, axis: int, length: int) -> int:
    index = operator.index(value)
    if not -length <= index < length:
        raise SelectionError(
            f"index {index} is out of range for axis {axis} of length {length}; "
            + (f"the last is {length - 1}" if length else "the axis is empty"),
            axis=axis,
            length=length,
        )
    return index + length if index < 0 else index


def _span(value: slice, axis: int, length: int) -> tuple[Span, bool]:
    """The span of a slice, and whether it runs backwards."""
    try:
        start, stop, step = value.indices(length)
    except (TypeError, ValueError) as cause:
        raise SelectionError(f"slice {value} on axis {axis}: {cause}", axis=axis) from cause
    count = len(range(start, stop, step))
    if count == 0:
        return Span(0, 1, 0), False
    if count == 1:
        return Span(start, 1, 1), False
    if step < 0:
        return Span(start + (count - 1) * step, -step, count), True
    return Span(start, step, count), False


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))


def _index_array(value: Any, axis: int, length: int) -> np.ndarray:
    """An array of indices, each checked, negative ones counted from the end."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        if array.size:
            raise SelectionError(
                f"expected integers, booleans, slices or an ellipsis on axis {axis}, found {array.dtype} values",
                axis=axis,
            )
        array = array.astype(np.intp)
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.intp).max:
        raise SelectionError(f"index {array.max()} is out of range for axis {axis} of length {length}", axis=axis)
    array = array.astype(np.intp)
    bad = (array < -length) | (array >= length)
    if bad.any():
        raise SelectionError(
            f"index {array[bad].flat[0]} is out of range for axis {axis} of length {length}", axis=axis, length=length
        )
    return np.where(array < 0, array + length, array)


def _as_mask_or_array(entry: Any) -> Any:
    """Lists become arrays; integers, slices and None stay."""
    if entry is None or entry is Ellipsis or isinstance(entry, slice) or _is_integer(entry):
        return entry
    if hasattr(entry, "__array__") and not isinstance(entry, np.generic):  # our own arrays, xarray's, Dask's
        array = np.asarray(entry)
        return int(array) if array.ndim == 0 and array.dtype.kind in "iu" else array
    return _from_list(entry)


def _from_list(entry: Any) -> Any:
    """What is no array and no integer of Python's or NumPy's: a list, a boolean, an integer of another library."""
    if hasattr(entry, "__index__") and not isinstance(entry, (bool, np.bool_)):
        return operator.index(entry)
    try:
        array = np.asarray(entry)
    except ValueError as cause:
        raise SelectionError(f"expected an index of one shape, found {entry!r}: {cause}") from cause
    if array.dtype.kind not in "iub" and array.size:
        raise SelectionError(
            f"expected integers, slices, an ellipsis, arrays of integers or a boolean mask, found {entry!r}"
        )
    return array


def _mask_indices(mask: np.ndarray, axis: int, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    wanted = shape[axis : axis + mask.ndim]
    if mask.shape != wanted:
        raise SelectionError(
            f"boolean mask: expected the shape {wanted} of the axes it covers, found {mask.shape}", axis=axis
        )
    return np.unravel_index(np.flatnonzero(mask), mask.shape)  # numpy's own nonzero is several times slower


def basic(key: Any, shape: tuple[int, ...]) -> Selection:
    """Integers, slices, ellipsis and new axes: what NumPy calls basic indexing."""
    axes: list[tuple[int, ...]] = []
    factors, drop, flip, new = [], [], [], []
    axis = kept = 0
    for entry in _whole(key, shape):
        if entry is None:
            new.append(kept)
            kept += 1
            continue
        if isinstance(entry, slice):
            span, backwards = _span(entry, axis, shape[axis])
            if backwards:
                flip.append(axis)
            kept += 1
        elif _is_integer(entry) or (
            hasattr(entry, "__index__") and not isinstance(entry, bool) and np.ndim(entry) == 0
        ):
            span = Span(_integer(entry, axis, shape[axis]), 1, 1)
            drop.append(axis)
        else:
            raise SelectionError(
                f"basic selection: expected integers, slices, an ellipsis and None, found {entry!r} on axis {axis}; "
                "arrays, lists and masks go between the brackets of the array itself, of oindex or of vindex",
                axis=axis,
            )
        factors.append(span)
        axes.append((axis,))
        axis += 1
    return Selection(factors, axes, drop=tuple(drop), flip=tuple(flip), new=tuple(new))


def parse(key: Any, shape: tuple[int, ...], names: tuple[str | None, ...] | None = None) -> Selection:
    """Whatever NumPy allows between the brackets, and ``{"time": 3}`` by the names of dimensions."""
    if isinstance(key, Mapping):
        return orthogonal(by_name(key, names), shape)
    entries = [_as_mask_or_array(e) for e in (key if isinstance(key, tuple) else (key,))]
    if not any(isinstance(entry, np.ndarray) for entry in entries):
        return basic(tuple(entries), shape)
    if len(entries) == 1 and entries[0].dtype != bool and entries[0].ndim == 1 and len(shape) == 1:
        return orthogonal(entries[0], shape)
    return _advanced(entries, shape)


def _advanced(entries: list[Any], shape: tuple[int, ...]) -> Selection:
    """Arrays mixed with slices. Arrays broadcast together, integers among them count as arrays of one element."""
    together = _stand_together(entries)
    entries = _whole(tuple(entries), shape)
    arrays: list[Any] = []
    lone: list[Any] = []  # True and False count as masks without axes, and take part in broadcasting
    point_axes: list[int] = []
    factors, axes, flip, added = [], [], [], []
    axis = kept = 0
    # Where the axes of the points go: in place (each entry before them is one axis), or first where they are scattered
    at = next(i for i, entry in enumerate(entries) if _is_advanced(entry)) if together else 0
    for entry in entries:
        if entry is None:
            added.append(kept)
            kept += 1
        elif isinstance(entry, slice):
            span, backwards = _span(entry, axis, shape[axis])
            factors.append(span)
            axes.append((axis,))
            if backwards:
                flip.append(len(factors))  # points come before
            kept += 1
            axis += 1
        elif _is_mask(entry) and entry.ndim == 0:
            lone.append(np.zeros(int(entry), np.intp))
        else:
            found = _point_indices(entry, axis, shape)
            arrays += found
            point_axes += range(axis, axis + len(found))
            axis += len(found)
    aligned = _broadcast(arrays, lone)
    points_shape, width = aligned[0].shape, aligned[0].ndim
    points_at, new = _beside_points(added, at, width)
    flat = tuple(a.reshape(-1) for a in aligned[: len(arrays)])
    return Selection(
        [Points(flat, np.arange(aligned[0].size)), *factors],
        [tuple(point_axes), *axes],
        flip=tuple(flip),
        points_shape=points_shape,
        points_at=points_at,
        new=new,
    )


def _beside_points(new: list[int], at: int, width: int) -> tuple[int, tuple[int, ...]]:
    """Where the axes of points and the new axes go. New axes go in last: so points at `at` are counted as if there
    were none before them, and those behind the points move on by their width.
    """
    return at - sum(n < at for n in new), tuple(n if n < at else n + width for n in new)


def _point_indices(entry: Any, axis: int, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """The indices that an array, a mask or an integer gives for each axis that it covers, from `axis` on."""
    if _is_mask(entry):
        return _mask_indices(entry, axis, shape)
    return (_index_array(entry, axis, shape[axis]),)


def _broadcast(arrays: list[np.ndarray], lone: list[np.ndarray]) -> Any:
    try:
        return np.broadcast_arrays(*arrays, *lone)
    except ValueError as cause:
        raise SelectionError(
            f"index arrays: expected shapes that broadcast together, found {', '.join(str(a.shape) for a in arrays)}"
        ) from cause


def _is_mask(entry: Any) -> bool:
    return isinstance(entry, np.ndarray) and entry.dtype == bool


def _is_advanced(entry: Any) -> bool:
    """Whether it picks elements by index: an array, or an integer among arrays."""
    return not (entry is None or entry is Ellipsis or isinstance(entry, slice))


def _stand_together(entries: list[Any]) -> bool:
    """Whether the arrays (and the integers among them) stand side by side. An ellipsis parts them even if empty."""
    advanced = list(map(_is_advanced, entries))
    first, last = advanced.index(True), len(advanced) - advanced[::-1].index(True)
    return all(advanced[first:last])


def orthogonal(key: Any, shape: tuple[int, ...]) -> Selection:
    """Each axis by itself: integers, slices, arrays of indices, masks of one axis."""
    factors: list[Any] = []
    axes: list[tuple[int, ...]] = []
    drop, flip = [], []
    entries = [_as_mask_or_array(e) for e in (key if isinstance(key, tuple) else (key,))]
    if any(entry is None for entry in entries):
        raise SelectionError("oindex: expected integers, slices or arrays, found None; try [] for a new axis")
    for axis, entry in enumerate(_whole(tuple(entries), shape)):
        length = shape[axis]
        if isinstance(entry, slice):
            span, backwards = _span(entry, axis, length)
            factors.append(span)
            if backwards:
                flip.append(axis)
        elif isinstance(entry, np.ndarray):
            if entry.ndim != 1:
                raise SelectionError(
                    f"oindex: expected arrays of one dimension, found {entry.ndim} on axis {axis}; try vindex",
                    axis=axis,
                )
            if entry.dtype == bool:
                (index,) = _mask_indices(entry, axis, shape)
            else:
                index = _index_array(entry, axis, length)
            factors.append(Indices(index, np.arange(len(index))))
        else:
            factors.append(Span(_integer(entry, axis, length), 1, 1))
            drop.append(axis)
        axes.append((axis,))
    return Selection(factors, axes, drop=tuple(drop), flip=tuple(flip))


def mask(value: Any, shape: tuple[int, ...]) -> Selection:
    """The elements where a mask of the array's shape is true."""
    array = np.asarray(value)
    if array.dtype != bool or array.shape != shape:
        raise SelectionError(
            f"mask: expected booleans of the array's shape {shape}, found {array.dtype} of shape {array.shape}",
            shape=shape,
        )
    return parse(array, shape)


def coordinates(key: Any, shape: tuple[int, ...]) -> Selection:
    """Points: arrays of coordinates that broadcast together, or a mask; slices give further axes at the end."""
    entries = [_as_mask_or_array(e) for e in (key if isinstance(key, tuple) else (key,))]
    if any(entry is None for entry in entries):
        raise SelectionError("vindex: expected arrays of coordinates, found None; try [] for a new axis")
    arrays = [np.asarray(e) if _is_integer(e) else e for e in entries]
    if not any(isinstance(entry, np.ndarray) for entry in arrays):
        raise SelectionError(f"vindex: expected at least one array of coordinates, found {key!r}; try []")
    selection = _advanced([e.reshape(1)[0] if _is_scalar(e) else e for e in arrays], shape)
    return Selection(
        selection.factors, selection.axes, flip=selection.flip, points_shape=selection.points_shape, points_at=0
    )


def _is_scalar(entry: Any) -> bool:
    return isinstance(entry, np.ndarray) and entry.ndim == 0 and entry.dtype != bool


def by_name(key: Any, names: tuple[str | None, ...] | None) -> Any:
    """``{"time": 3}`` as a selection of each axis by itself; anything that is no mapping stays as it is."""
    if not isinstance(key, Mapping):
        return key
    known = [name for name in names or () if name is not None]
    for name in key:
        if name not in known or known.count(name) > 1:
            raise SelectionError(
                f"expected names of dimensions, of {', '.join(map(repr, known)) or 'which there are none'}; "
                f"found {name!r}; {nearest(name, known)}".rstrip(";? "),
                name=name,
            )
    return tuple([key.get(name, slice(None)) if name is not None else slice(None) for name in names or ()])


def blocks(key: Any, grid: ChunkGrid) -> Selection:
    """Whole chunks by their coordinates: integers and slices of step 1."""
    entries = _whole(key, grid.counts)
    slices = []
    for axis, entry in enumerate(entries):
        cut, count = grid.axes[axis], grid.counts[axis]
        if isinstance(entry, slice):
            start, stop, step = entry.indices(count)
            if step != 1:
                raise SelectionError(f"blocks: expected slices of step 1, found {step} on axis {axis}", axis=axis)
        elif _is_integer(entry):
            if not -count <= entry < count:
                raise SelectionError(f"block {entry} is out of range for axis {axis} of {count} blocks", axis=axis)
            start = int(entry) % count
            stop = start + 1
        else:
            raise SelectionError(f"blocks: expected integers and slices, found {entry!r} on axis {axis}", axis=axis)
        if stop <= start:
            slices.append(slice(0, 0))
            continue
        last = stop - 1
        slices.append(slice(cut.start(start), min(cut.start(last) + cut.size(last), cut.extent)))
    return basic(tuple(slices), tuple(axis.extent for axis in grid.axes))


def _is_names(key: Any) -> bool:
    return isinstance(key, list) and bool(key) and all(isinstance(k, str) for k in key)


def pop_fields(key: Any) -> tuple[Any, list[str] | str | None]:
    """A selection without the field names in it, and those: ``a["x"]``, ``a["x", "y"]``, ``a[3:5, "x"]``."""
    if isinstance(key, str) or _is_names(key):
        return Ellipsis, key
    names = [k for k in key if isinstance(k, str)] if isinstance(key, tuple) else []
    if not names:
        return key, None
    rest = tuple(k for k in key if not isinstance(k, str))
    return rest or Ellipsis, names[0] if len(names) == 1 else names
