"""What the metadata of an array says about its chunks: keys, codec chains, errors; and one chunk by itself."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.chunk_grids import ChunkGrid
from tutorial_zarr.chunk_keys import ChunkKeyEncoding
from tutorial_zarr.codecs import ChunkSpec, Codec, Pipeline, is_fill
from tutorial_zarr.codecs.sharding import ShardingCodec, ShardLayout, sharding_of
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import (
    ChunkError,
    ChunkNotFoundError,
    LimitError,
    MissingDependencyError,
    NodeNotFoundError,
    StoreError,
    ZarrError,
)
from tutorial_zarr.nodes import MissingChunksWarning
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.bounds import Bound, at_most

# Buffers larger than this are not held ready: a chunk may declare any size, and turn out to be six bytes.
LARGE_CHUNK = 1 << 28


def most_encoded(nbytes: int) -> int:
    """Bytes that no encoded chunk of `nbytes` exceeds: no codec known adds more than a few per cent and a header."""
    return 16 * nbytes + (1 << 24)


class ChunkIO:
    """The chunks of one array."""

    def __init__(
        self,
        store: Store,
        path: str,
        label: str,
        *,
        grid: ChunkGrid,
        keys: ChunkKeyEncoding,
        codecs: list[Codec],
        data_type: DataType,
        fill: np.ndarray,
        missing: str = "fill",
        write_empty: bool = False,
        alone: bool = False,
    ) -> None:
        self.store, self.label, self.grid, self.keys = store, label, grid, keys
        self.prefix = path + "/" if path else ""
        self.codecs, self.data_type, self.fill = codecs, data_type, fill
        self.missing, self.write_empty = missing, write_empty
        self.shape = tuple([axis.extent for axis in grid.axes])
        self.alone = alone
        self.absences: list[str] = []  # keys of absent chunks that a read met, where it is to warn of them
        self.doubt: Callable[[], None] | None = None  # asks the array's own document, where a copy of it was believed
        self._pipelines: dict[tuple[int, ...], Pipeline] = {}
        self.pipeline = self.pipeline_for(grid.max_chunk_shape)
        self.shards = sharding_of(self.pipeline)
        if isinstance(self.pipeline.array_bytes, ShardingCodec):  # every shape of shard must fit, not the largest alone
            for shape in grid.shapes_by_axis():
                self.pipeline_for(shape)
        # of the largest chunk in memory; for elements without a fixed size, a guess
        self.chunk_nbytes = self.pipeline.nbytes or 64 * math.prod(self.pipeline.spec.shape)
        self.bound: Bound | None = None  # what `make_bound` made, where it stays the same: each read sets it

    @cached_property
    def element_nbytes(self) -> int:
        """Bytes that an element takes in memory where it is absent.

        Text that is absent is a copy of the fill value each time; up to 15 bytes of one lie in the element itself.
        """
        long = len(str(self.fill).encode("utf-8", "replace")) if self.fill.dtype.kind == "T" else 0
        return self.data_type.numpy.itemsize + (long if long > 15 else 0)

    @cached_property
    def edges(self) -> tuple[int, ...]:
        """The last unit along each axis, if it hangs over the edge, else -1; () where none does.

        Others may have made the array larger, and written there, since its shape was read; unless we are alone.
        """
        return () if self.alone else self.grid.overhanging

    def pipeline_for(self, shape: tuple[int, ...]) -> Pipeline:
        """The codec chain for chunks of that shape; in a regular grid there is only one."""
        found = self._pipelines.get(shape)
        if found is None:
            found = self._pipelines[shape] = Pipeline(self.codecs, ChunkSpec(shape, self.data_type, self.fill))
        return found

    def pipeline_at(self, coords: tuple[int, ...]) -> Pipeline:
        """The codec chain of the chunk at `coords`."""
        return self.pipeline if self.grid.regular else self.pipeline_for(self.grid.chunk_shape(coords))

    def layout_at(self, coords: tuple[int, ...]) -> ShardLayout:
        """The layout of the shard at `coords`, where there are `shards`."""
        found = sharding_of(self.pipeline_at(coords))
        if found is None:
            raise TypeError(f"{self.label}: expected shards, found chunks")
        return found

    def key(self, coords: tuple[int, ...]) -> str:
        """The store key of the chunk at `coords`."""
        return self.prefix + self.keys.encode(coords)

    def bounded(self) -> at_most:
        """While this thread reads chunks: none larger than one can be. What stands in a shard by itself is smaller."""
        return at_most(*(self.bound or self.make_bound()))

    def make_bound(self) -> Bound:
        """The bound of a chunk's bytes: by its size in memory; where the metadata do not say that, by the limits."""
        nbytes = self.pipeline.nbytes
        if nbytes is None:
            return self._bound_of(limits.current().unsized_bytes)
        self.bound = self._bound_of(most_encoded(nbytes))
        return self.bound

    def _bound_of(self, most: int) -> Bound:
        shape = self.pipeline.spec.shape

        def refusal(key: str, size: int) -> Exception:
            found = f"found {size} or more; is it another array's?"
            return LimitError(f"expected at most {most} bytes for a chunk of shape {shape}, {found}", nbytes=size)

        return most, refusal

    def extents(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """How many elements of the chunk lie within the array, along each axis."""
        return tuple([s.stop - s.start for s in self.grid.region(coords)])

    def give_up(self, key: str, stage: str, cause: Exception) -> NoReturn:
        """Raise for a chunk that cannot be read or written: with the array and the key, where `cause` lacks them."""
        if isinstance(cause, MissingDependencyError) and not cause.message.startswith(self.label):
            raise MissingDependencyError(f"{self.label}: {cause.message}", **cause.fields) from cause
        if isinstance(cause, (ChunkError, ChunkNotFoundError, NodeNotFoundError, StoreError, MissingDependencyError)):
            raise cause  # as it is: an error that is its own cause would be followed for ever
        raise ChunkError(
            f"{self.label}: cannot {stage} the chunk at key {key!r}: {cause}", key=key, stage=stage
        ) from cause

    def absent(self, key: str, inner: tuple[int, ...] | None = None) -> None:
        """Raise for a chunk that is not there, or note it, if the caller wants it so; `inner` is one within a shard.

        Where the metadata are a copy, the first absent chunk is the reason to ask if it is still true.
        """
        if self.doubt is not None:
            doubt, self.doubt = self.doubt, None
            doubt()
        if self.missing == "warn":
            self.absences.append(key)
        if self.missing == "error":
            expected = f"a chunk at key {key!r}" if inner is None else f"chunk {inner} in the shard at key {key!r}"
            problem = f"{self.label}: expected {expected}, found none; missing='fill' reads the fill value there"
            raise ChunkNotFoundError(problem, key=key)

    def noting(self) -> ChunkIO:
        """The same with a list of absences of its own, for one read."""
        other = copy.copy(self)
        other.absences = []
        return other

    def warn(self) -> None:
        """Warn of the absences that were noted: once, however many they are."""
        if self.absences:
            warnings.warn(
                f"{self.label}: expected every chunk that was selected, found {len(self.absences)} absent, the first "
                f"at key {min(self.absences)!r}; they read as the fill value",
                MissingChunksWarning,
                stacklevel=5,  # who wrote the brackets
            )

    def decode(self, data: Any, pipeline: Pipeline) -> np.ndarray:
        """A chunk as an array of its own that may be changed; the fill value where `data` is None."""
        chunk = np.empty(pipeline.spec.shape, self.data_type.numpy)
        if data is None:
            chunk[...] = self.fill
        elif pipeline.in_place:
            pipeline.decode_into(data, chunk.reshape(-1).view(np.uint8))
        else:
            chunk[...] = pipeline.decode(data)
        return chunk

    def decode_or_fill(self, data: Any, pipeline: Pipeline, damaged: bool) -> np.ndarray:
        """As `decode`; the fill value too where `data` are `damaged`, if the caller will write over all of it."""
        try:
            return self.decode(data, pipeline)
        except ZarrError:
            if not damaged:
                raise
            return self.decode(None, pipeline)

    def encode(self, chunk: np.ndarray, pipeline: Pipeline) -> Any:
        """The bytes of a chunk; None where it holds nothing but the fill value, and so is not stored."""
        return None if not self.write_empty and is_fill(chunk, self.fill) else pipeline.encode(chunk)

    def update(
        self, key: str, pipeline: Pipeline, change: Callable[[np.ndarray], bool | None], whole: bool = False
    ) -> None:
        """Read a chunk, change it in place, and write it back, such that no other update of it is lost.

        Where `change` returns False nothing is written. `whole` says that it sets all that the array has of the chunk.
        """

        def changed(old: Any) -> Any:
            try:
                chunk = self.decode_or_fill(old, pipeline, whole)
            except ZarrError as cause:
                self.give_up(key, "decode", cause)
            return old if change(chunk) is False else self.encode(chunk, pipeline)

        self.modify(key, changed, lambda: pipeline.encode(self.decode(None, pipeline)))

    def modify(self, key: str, change: Callable[[Any], Any], empty: Callable[[], Any]) -> None:
        """Update stored bytes. `empty()` makes those of an empty unit, for a store that cannot delete one safely."""

        def changed(old: Any) -> Any:
            new = change(old)
            return new if new is not None or old is None or self.store.update_deletes else empty()

        self.store.update(key, changed)
