"""The chunks of an array one by one: keys, elements, stored bytes, streams of them, and functions over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import indexing, nodes, parallel
from tutorial_zarr.chunk_io import ChunkIO
from tutorial_zarr.errors import SelectionError
from tutorial_zarr.progress import Progress, meter

from .selecting import Selecting

if TYPE_CHECKING:
    from concurrent.futures import Executor


class ChunkAccess(Selecting):
    """Reading chunk by chunk."""

    def chunk_key(self, coords: Iterable[int]) -> str:
        """The store key of a chunk (of a shard, where there are shards)."""
        io = self._io
        return io.key(self._coords(coords, io))

    def _coords(self, coords: Iterable[int], io: ChunkIO) -> tuple[int, ...]:
        given = tuple(int(c) for c in coords)
        counts = io.grid.counts
        if len(given) != len(counts) or not all(0 <= c < n for c, n in zip(given, counts, strict=True)):
            raise SelectionError(
                f"{self._label}: expected chunk coordinates below {counts}, found {given}", coords=given
            )
        return given

    def read_chunk(self, coords: Iterable[int]) -> np.ndarray:
        """The elements of one chunk, cut at the array's edge; the fill value where it is not stored."""
        return self._get(lambda io: indexing.basic((*io.grid.region(self._coords(coords, io)), ...), io.shape))

    def encoded_chunk(self, coords: Iterable[int]) -> bytes | None:
        """The stored bytes of one chunk, as they are; None where it is not stored."""
        with self._io.bounded():
            data = self.store.get(self.chunk_key(coords))
        return None if data is None else bytes(data)

    def _stored_chunks(self, io: ChunkIO | None = None) -> Iterator[tuple[int, ...]]:
        """Coordinates of the chunks that are stored, in C order, found by one listing."""
        io = self._io if io is None else io
        start, counts = len(io.prefix), io.grid.counts
        found = (io.keys.decode(key[start:], self.ndim) for key in nodes.keys_below(self.store, self.path))
        yield from sorted(c for c in found if c is not None and all(i < n for i, n in zip(c, counts, strict=True)))

    @property
    def nchunks_initialized(self) -> int:
        """How many chunks are stored; with sharding, the chunks of the shards that are stored."""
        io, inner = self._io, self._inner
        stored = list(self._stored_chunks(io))
        if inner is None:
            return len(stored)
        return sum(
            math.prod(-(-(s.stop - s.start) // c) for s, c in zip(io.grid.region(coords), inner, strict=True))
            for coords in stored
        )

    def nbytes_stored(self) -> int:
        """Bytes of all stored values of this array, metadata included."""
        return sum(self.store.get_size(key) or 0 for key in nodes.keys_below(self.store, self.path))

    def chunk_stream(
        self,
        parallel: int = 1,
        ordered: bool = True,
        progress: Progress = None,
        filter: Callable[[tuple[int, ...]], bool] | None = None,
        stored_only: bool = True,
    ) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Pairs (chunk coordinates, elements), lazily: nothing is read before it is asked for.

        At most `parallel` chunks are under way at once. `progress` counts the chunks that have come.
        With `stored_only` the chunks that are not stored are left out.
        """
        return self._stream(self.read_chunk, parallel, ordered, progress, filter, stored_only)

    def _stream(
        self,
        work: Callable[[tuple[int, ...]], Any],
        in_flight: int,
        ordered: bool,
        progress: Progress,
        filter: Callable[[tuple[int, ...]], bool] | None = None,
        stored_only: bool = True,
        timeout: float | None = None,
        executor: Executor | None = None,
    ) -> Iterator[tuple[tuple[int, ...], Any]]:
        if in_flight < 1:
            raise ValueError(f"expected at least one chunk in flight, found {in_flight}")
        coords: Iterable[tuple[int, ...]] = self._stored_chunks() if stored_only else self.grid
        if filter is not None:
            coords = [c for c in coords if filter(c)]
        if progress:
            coords = list(coords)
        pairs = parallel.stream(work, coords, in_flight, ordered, timeout, executor)
        with meter(progress, len(coords) if progress else None, "chunks") as advance:  # type: ignore[arg-type]
            for pair in pairs:
                advance()
                yield pair

    def parallel_chunk_map(
        self,
        fn: Callable[[tuple[int, ...], np.ndarray], Any],
        max_concurrency: int | None = None,
        timeout: float | None = None,
        ordered: bool = True,
        executor: Executor | None = None,
        progress: Progress = None,
    ) -> Iterator[Any]:
        """The results of ``fn(chunk coordinates, elements)`` for every stored chunk, lazily.

        Reading and `fn` run on `executor`, which may be any `concurrent.futures.Executor` (threads, processes, a
        Dask client's), or on threads of our own; at most `max_concurrency` chunks are under way. A chunk that
        takes longer than `timeout` seconds raises ChunkTimeoutError.
        """
        count = parallel.get_workers() if max_concurrency is None else max_concurrency
        work = ChunkTask(self, fn)
        pairs = self._stream(work, count, ordered, progress, timeout=timeout, executor=executor)
        return (result for _, result in pairs)


class ChunkTask:
    """Reads one chunk and calls a function on it. A class, so that it can be sent to another process."""

    def __init__(self, array: ChunkAccess, fn: Callable[[tuple[int, ...], np.ndarray], Any]) -> None:
        self.array, self.fn = array, fn

    def __call__(self, coords: tuple[int, ...]) -> Any:
        return self.fn(coords, self.array.read_chunk(coords))
