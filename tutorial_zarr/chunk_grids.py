"""Chunk grids: which elements a chunk holds.

A grid cuts each axis by itself, at a list of edges. ``regular`` uses the same length all along an axis,
``rectilinear`` lists the lengths. A chunk at the end of an axis may hang over the edge of the array: it is stored
whole, and its elements beyond the edge mean nothing.

>>> grid = parse(Extension("regular", {"chunk_shape": [4]}), shape=(10,))
>>> grid.counts, grid.chunk_shape((2,)), grid.origin((2,))
((3,), (4,), (8,))

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/chunk-grids/index.html
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.errors import MetadataError, UnsupportedError
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import integers


class Axis:
    """One axis cut into chunks of one length."""

    def __init__(self, extent: int, length: int) -> None:
        self.extent, self.length = extent, length
        self.count = -(-extent // length) if extent else 0

    def size(self, chunk: int) -> int:
        """Return the number of elements of a chunk as stored, including the overhang."""
        return self.length

    def start(self, chunk: int) -> int:
        """Return the index of a chunk's first element."""
        return chunk * self.length

    def end(self, chunk: int) -> int:
        """Return the index after a chunk's last element, including the overhang."""
        return self.start(chunk) + self.size(chunk)

    def find(self, index: int) -> int:
        """Return the number of the chunk that holds an element."""
        return index // self.length

    def around(self, index: int) -> tuple[int, int, int]:
        """The chunk that holds an element, its first index, and the one behind its last within the axis."""
        chunk = index // self.length
        start = chunk * self.length
        return chunk, start, min(start + self.length, self.extent)

    def find_all(self, indices: np.ndarray) -> np.ndarray:
        """Return the chunk of each of many elements."""
        return indices // self.length

    def starts(self, chunks: np.ndarray) -> np.ndarray:
        """Return the first index of each of many chunks."""
        return chunks * self.length


class UnevenAxis(Axis):
    """One axis cut into chunks of listed lengths. Those that begin beyond the extent are not part of the array."""

    def __init__(self, extent: int, lengths: list[int]) -> None:
        self.extent, self.lengths = extent, lengths
        self.edges = [0, *itertools.accumulate(lengths)]
        self.count = min(sum(edge < extent for edge in self.edges), len(lengths))
        self.length = max(lengths, default=1)

    def size(self, chunk: int) -> int:
        return self.lengths[chunk]

    def start(self, chunk: int) -> int:
        return self.edges[chunk]

    def find(self, index: int) -> int:
        return bisect_right(self.edges, index) - 1

    def around(self, index: int) -> tuple[int, int, int]:
        chunk = self.find(index)
        return chunk, self.edges[chunk], min(self.edges[chunk + 1], self.extent)

    def find_all(self, indices: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.edges, indices, side="right") - 1

    def starts(self, chunks: np.ndarray) -> np.ndarray:
        return np.asarray(self.edges)[chunks]


def walk(counts: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield all coordinates below `counts` in C order. (`itertools.product` would write out every range first.)

    >>> next(walk((1 << 62, 2)))
    (0, 0)
    """
    if not counts:
        yield ()
        return
    for first in range(counts[0]):
        for rest in walk(counts[1:]):
            yield first, *rest


class ChunkGrid:
    """The axes of a grid. `regular` tells whether every chunk has the same shape."""

    def __init__(self, name: str, axes: tuple[Axis, ...]) -> None:
        self.name, self.axes = name, axes
        self.regular = not any(isinstance(axis, UnevenAxis) for axis in axes)
        self.counts = tuple([axis.count for axis in axes])
        self.nchunks = math.prod(self.counts)

    @property
    def overhanging(self) -> tuple[int, ...]:
        """For each axis, the last chunk if it hangs over the edge of the array, else -1; () if none does."""
        found = [
            axis.count - 1
            if axis.count and axis.start(axis.count - 1) + axis.size(axis.count - 1) > axis.extent
            else -1
            for axis in self.axes
        ]
        return tuple(found) if any(last >= 0 for last in found) else ()

    def chunk_shape(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a chunk as stored."""
        return tuple([axis.size(c) for axis, c in zip(self.axes, coords, strict=True)])

    def origin(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """The index of a chunk's first element."""
        return tuple([axis.start(c) for axis, c in zip(self.axes, coords, strict=True)])

    def region(self, coords: tuple[int, ...]) -> tuple[slice, ...]:
        """The slices of the array that a chunk holds, cut at the array's edge."""
        return tuple(
            [
                slice(axis.start(c), min(axis.start(c) + axis.size(c), axis.extent))
                for axis, c in zip(self.axes, coords, strict=True)
            ]
        )

    @property
    def max_chunk_shape(self) -> tuple[int, ...]:
        """The shape that no chunk exceeds; in a regular grid, the shape of every chunk."""
        return tuple([axis.length for axis in self.axes])

    def shapes_by_axis(self) -> Iterator[tuple[int, ...]]:
        """For each length that occurs on an uneven axis, one chunk shape that has it."""
        for i, axis in enumerate(self.axes):
            for length in sorted(set(axis.lengths)) if isinstance(axis, UnevenAxis) else ():
                yield (*self.max_chunk_shape[:i], length, *self.max_chunk_shape[i + 1 :])

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """All chunk coordinates in C order."""
        return walk(self.counts)

    def resized(self, shape: tuple[int, ...], unit: tuple[int, ...]) -> Extension:
        """The grid's metadata for another shape of the array; a length that is added is a multiple of `unit`."""
        raise NotImplementedError


class RegularGrid(ChunkGrid):
    """``regular``: one chunk shape."""

    def resized(self, shape: tuple[int, ...], unit: tuple[int, ...]) -> Extension:
        return Extension("regular", {"chunk_shape": list(self.max_chunk_shape)})


class RectilinearGrid(ChunkGrid):
    """``rectilinear``: lengths listed per axis, a lone integer meaning one length all along."""

    def resized(self, shape: tuple[int, ...], unit: tuple[int, ...]) -> Extension:
        lengths: list[Any] = []
        for axis, extent, multiple in zip(self.axes, shape, unit, strict=True):
            if not isinstance(axis, UnevenAxis):
                lengths.append(axis.length)
                continue
            kept = list(axis.lengths)
            while len(kept) > 1 and sum(kept[:-1]) >= extent:  # chunks wholly beyond the new extent
                kept.pop()
            if sum(kept) < extent:
                kept.append(-(-(extent - sum(kept)) // multiple) * multiple)
            lengths.append(run_lengths(kept))
        return Extension("rectilinear", {"kind": "inline", "chunk_shapes": lengths})


def run_lengths(lengths: list[int]) -> list[Any]:
    """The shortest spelling: ``[4, 4, 4, 2]`` as ``[[4, 3], 2]``."""
    runs = [(value, len(list(group))) for value, group in itertools.groupby(lengths)]
    return [value if count == 1 else [value, count] for value, count in runs]


def _regular(configuration: dict[str, Any], shape: tuple[int, ...]) -> ChunkGrid:
    if configuration.keys() != {"chunk_shape"}:
        raise MetadataError(
            f"chunk_grid 'regular': expected a configuration with chunk_shape, found {configuration!r}",
            key="chunk_grid",
        )
    chunk_shape = integers(configuration["chunk_shape"], "chunk_grid 'regular': chunk_shape")
    if len(chunk_shape) != len(shape):
        raise MetadataError(
            f"chunk_grid 'regular': expected a chunk_shape with a length for each axis of {shape}, found {chunk_shape}",
            key="chunk_grid",
        )
    for length, extent in zip(chunk_shape, shape, strict=True):
        if length == 0 and extent > 0:  # zarr-python 2 and xarray write 0 where the axis itself is empty
            raise MetadataError(
                f"chunk_grid 'regular': expected a chunk_shape of lengths of at least 1, found {chunk_shape} "
                f"for shape {shape}",
                key="chunk_grid",
            )
    return RegularGrid("regular", tuple([Axis(n, max(c, 1)) for n, c in zip(shape, chunk_shape, strict=True)]))


def _no_rectilinear(expected: str, found: Any) -> MetadataError:
    return MetadataError(f"chunk_grid 'rectilinear': expected {expected}, found {found!r}", key="chunk_grid")


def _listed_lengths(spec: list[Any], most: int) -> list[int]:
    """The lengths of an axis, its runs written out; refused where there are more than `most`, before they are."""
    lengths: list[int] = []
    for item in spec:
        value, count = item if isinstance(item, list) and len(item) == 2 else (item, 1)
        if type(value) is not int or type(count) is not int or value < 1 or count < 1:
            raise _no_rectilinear("lengths of at least 1, or pairs [length, count]", item)
        if len(lengths) + count > most:
            limit = limits.current().listed_chunks
            raise _no_rectilinear(f"at most {limit} chunks on all axes together, the limit listed_chunks", item)
        lengths.extend([value] * count)
    return lengths


def _rectilinear(configuration: dict[str, Any], shape: tuple[int, ...]) -> ChunkGrid:
    if set(configuration) != {"kind", "chunk_shapes"} or configuration["kind"] != "inline":
        raise _no_rectilinear("kind 'inline' and chunk_shapes", configuration)
    shapes = configuration["chunk_shapes"]
    if not isinstance(shapes, list) or len(shapes) != len(shape):
        raise _no_rectilinear(f"chunk_shapes for {len(shape)} axes", shapes)
    axes: list[Axis] = []
    most, listed = limits.current().listed_chunks, 0  # a run length may declare any number in a few bytes
    for extent, spec in zip(shape, shapes, strict=True):
        if type(spec) is int and spec >= 1:
            axes.append(Axis(extent, spec))
            continue
        if not isinstance(spec, list):
            raise _no_rectilinear("for each axis an integer of at least 1, or a list of lengths", spec)
        lengths = _listed_lengths(spec, most - listed)
        listed += len(lengths)
        if sum(lengths) < extent:
            raise _no_rectilinear(f"lengths that add up to at least {extent}", spec)
        axes.append(UnevenAxis(extent, lengths))
    return RectilinearGrid("rectilinear", tuple(axes))


_grids: dict[str, Callable[[dict[str, Any], tuple[int, ...]], ChunkGrid]] = {
    "regular": _regular,
    "rectilinear": _rectilinear,
}


def names() -> list[str]:
    """The grids that are known, sorted."""
    return sorted(_grids)


def parse(grid: Extension, shape: tuple[int, ...]) -> ChunkGrid:
    """The grid that a metadata document names, laid over an array of `shape`."""
    if grid.name not in _grids:
        raise UnsupportedError(
            f"chunk_grid: expected one of {', '.join(names())}, found {grid.name!r}", key="chunk_grid", found=grid.name
        )
    return _grids[grid.name](grid.configuration, shape)
