"""Arrays on paper: any layout, planned by the library's own planner before a byte is written.

An array in a `PaperStore` has metadata, and every one of its chunks is there with its size, but not with its bytes.
`Array.plan` asks no more than that, so it says of a layout that does not exist what it says of one that does:
requests, ranges, bytes. A chunk whose codecs give a fixed size has that size; any other has its size in memory
divided by `ratio`, and is a whole number of bytes, at least one.

>>> array = on_paper(Layout((10, 10)), (100, 100), "u1")
>>> plan = array.plan((5, slice(None)), look=True)
>>> plan.requests, plan.stored_bytes
(10, 1000)
>>> sharded = on_paper(Layout((10, 10), (50, 50)), (100, 100), "u1").plan((5, slice(None)), look=True)
>>> sharded.requests, sharded.stored_bytes      # an index of 404 bytes and a stretch of 500 from each of two shards
(4, 1808)

Left out: chunks that hold nothing but the fill value, which a real array does not store.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.codecs import Pipeline
from tutorial_zarr.codecs.sharding import NO_CHUNK, sharding_of
from tutorial_zarr.labs import LabError
from tutorial_zarr.stores.base import ByteRange
from tutorial_zarr.stores.memory import MemoryStore
from tutorial_zarr.words import times


class Layout(NamedTuple):
    """Chunks, and the shards in which they lie together, if there are any."""

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return times(self.chunks) + (f" in shards of {times(self.shards)}" if self.shards else "")


class PaperStore(MemoryStore):
    """The documents of one array at the root; of its chunks, sizes alone."""

    def __init__(self, ratio: float = 1.0, request_cost: int = 0) -> None:
        super().__init__()
        self.ratio, self.request_cost = ratio, request_cost
        self.array: zarr.Array | None = None  # once it has been created

    def _coords(self, key: str) -> tuple[int, ...] | None:
        return None if self.array is None else self.array.io.keys.decode(key, self.array.ndim)

    def _present(self, coords: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
        """How many inner chunks of a shard lie in the array, along each axis."""
        extents = self.array.io.extents(coords)  # type: ignore[union-attr]
        return tuple([-(-extent // n) for extent, n in zip(extents, chunks, strict=True)])

    def encoded(self, pipeline: Pipeline) -> int:
        """Bytes of an encoded chunk."""
        return pipeline.encoded_size or max(1, round((pipeline.nbytes or 0) / self.ratio))

    def get_size(self, key: str) -> int | None:
        coords = self._coords(key)
        if coords is None:
            return super().get_size(key)
        pipeline = self.array.io.pipeline  # type: ignore[union-attr]
        layout = sharding_of(pipeline)
        if layout is None:
            return self.encoded(pipeline)
        return math.prod(self._present(coords, layout.chunk_shape)) * self.encoded(layout.inner) + layout.index_size

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        """A document; or the index of a shard. Of chunks there is nothing else to be read."""
        coords = self._coords(key)
        if coords is None:
            return super().get(key, byte_range)
        layout = sharding_of(self.array.io.pipeline)  # type: ignore[union-attr]
        if layout is None or byte_range != layout.index_range:
            raise LabError(f"key {key!r}: expected a request for a document or an index, as the array is on paper")
        present, size = self._present(coords, layout.chunk_shape), self.encoded(layout.inner)
        index = np.full((*layout.counts, 2), NO_CHUNK, "u8")
        places = np.arange(math.prod(present), dtype="u8").reshape(present) * size
        inside: Any = tuple([slice(n) for n in present])
        index[(*inside, 0)] = places + (0 if layout.index_at_end else layout.index_size)
        index[(*inside, 1)] = size
        return layout.index.encode(index)


def on_paper(
    layout: Layout,
    shape: Sequence[int],
    dtype: Any,
    *,
    compressors: Any = None,
    ratio: float = 1.0,
    request_cost: int = 1 << 19,
    **options: Any,
) -> zarr.Array:
    """An array of that layout to be planned with, ``plan(..., look=True)``; to read it or to write it is refused.

    `compressors` decides whether a chunk comes whole (any codec) or may come in parts (None). `request_cost` is that
    of the store which is imagined, `ratio` how many times smaller chunks become there.
    """
    store = PaperStore(ratio, request_cost)
    store.array = zarr.create_array(
        store, shape=tuple(shape), dtype=dtype, chunks=layout.chunks, shards=layout.shards, compressors=compressors,
        **options,
    )  # fmt: skip
    store.read_only = True
    return store.array
