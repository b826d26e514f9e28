"""Which chunks of an array are stored, and which read as the fill value; inside shards too.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(6,), chunks=(2,), dtype="u1")
>>> a[2:4] = 7
>>> found = census(a)
>>> found.present, found.absent, found.mask.tolist(), list(found.coords(present=False))
(1, 2, [False, True, False], [(0,), (2,)])
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.array import Array
from tutorial_zarr.chunk_grids import walk
from tutorial_zarr.codecs.sharding import NO_CHUNK
from tutorial_zarr.errors import ZarrError

from .chunks import counts_inner, open_shard, within

MASK_LIMIT = 1 << 26  # chunks of which a mask is made: a byte each


@dataclass(frozen=True)
class Census:
    """Present and absent chunks of one array; `coords` yields where they are."""

    array: Array = field(repr=False)
    present: int
    total: int
    mask: np.ndarray | None = field(repr=False)  # over the chunk grid; None where that is too large

    @property
    def absent(self) -> int:
        """Chunks that are not stored."""
        return self.total - self.present

    def coords(self, present: bool = True) -> Iterator[tuple[int, ...]]:
        """Coordinates in the chunk grid of the chunks that are present, or of those that are absent."""
        if self.mask is not None:
            for index in np.argwhere(self.mask == present).tolist():
                yield tuple(index)
        elif present:
            yield from _stored(self.array)
        else:
            stored = set(_stored(self.array))
            yield from (at for at in walk(_counts(self.array)) if at not in stored)


def census(array: Array, mask_limit: int = MASK_LIMIT) -> Census:
    """Count the chunks of `array`: one listing, and the index of each shard.

    A shard whose index cannot be read raises ChunkError; the doctor's `examine` says what is wrong with it.
    """
    counts = _counts(array)
    total = math.prod(counts)
    mask = np.zeros(counts, bool) if total <= mask_limit else None
    present = 0
    for coords in _stored(array):
        present += 1
        if mask is not None:
            mask[coords] = True
    return Census(array, present, total, mask)


def _counts(array: Array) -> tuple[int, ...]:
    """Chunks along each axis; shards, where other codecs reshape a shard before it is cut."""
    return array.cdata_shape if counts_inner(array.io) else array.grid.counts


def _stored(array: Array) -> Iterator[tuple[int, ...]]:
    """Coordinates of the stored chunks, each once; of an array with shards, those that the indexes name."""
    io, start = array.io, len(array.path) + 1 if array.path else 0
    store, path, inner = array.store, array.path, counts_inner(io)
    for key, size in nodes.sizes_below(store, path) if inner else ((key, 0) for key in nodes.keys_below(store, path)):
        coords = io.keys.decode(key[start:], array.ndim)
        if coords is None or not all(at < count for at, count in zip(coords, array.grid.counts, strict=True)):
            continue
        if not inner:
            yield coords
            continue
        try:
            yield from _inner(array, key, coords, size)
        except ZarrError as error:
            io.give_up(key, "count", error)


def _inner(array: Array, key: str, coords: tuple[int, ...], size: int) -> Iterator[tuple[int, ...]]:
    io = array.io
    source, size, layout = open_shard(io, key, io.pipeline_at(coords), size)  # type: ignore[misc]
    if size < layout.index_size:
        raise layout.codec.fail(f"an index of {layout.index_size} bytes", f"a shard of {size}")
    with source:
        index = layout.read_index(source.get(layout.index_range)).reshape(*layout.counts, 2)
    origin = [start // n for start, n in zip(io.grid.origin(coords), layout.chunk_shape, strict=True)]
    extents = io.extents(coords)
    stored = ~(index == NO_CHUNK).all(axis=-1)
    for at in map(tuple, np.argwhere(stored).tolist()) if stored.ndim else itertools.repeat((), int(stored)):
        if within(at, layout, extents):
            yield tuple(o + c for o, c in zip(origin, at, strict=True))
