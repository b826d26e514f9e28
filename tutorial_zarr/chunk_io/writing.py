"""Writing: a value cut up along the grid; chunks encoded from it, or read, changed and written back."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tutorial_zarr import parallel
from tutorial_zarr.codecs import Pipeline, is_fill
from tutorial_zarr.codecs.sharding import ShardLayout, sharding_of
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.indexing import Part, Selection

from . import shards
from .chunks import ENCODING, LARGE_CHUNK, SMALL_JOB, ChunkIO
from .reading import points_first

Work = Callable[[Iterable[Any]], None]


def write(io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None = None) -> None:
    """Write `value`, whose shape is `selection.shape` and whose type is the array's, or has the `fields` alone."""
    split = selection.split(io.grid.axes)
    if split.count == 0:
        return
    workers, batch = io.workers(split.count, io.chunk_nbytes, ENCODING)
    if io.shards is not None and split.count < 2 * workers and io.store.concurrency is None:
        workers = 1  # few shards: their inner chunks are shared out instead
    names = map(io.keys.encode, split.coords()) if selection.points else io.keys.encode_all(split.axis_coords())
    jobs = zip(names, split.coords(), split.inner(), split.outer(), split.complete(), split.items(), strict=True)
    parallel.run(lambda: _ChunkWriter(io, selection, value, fields), jobs, workers, min(batch, 16))


class _Encoder:
    """Makes whole chunks of one pipeline from parts of a value. One for each worker."""

    def __init__(self, io: ChunkIO, pipeline: Pipeline, selection: Selection, fields: list[str] | None) -> None:
        self.io, self.pipeline, self.selection, self.fields = io, pipeline, selection, fields
        self.buffer: np.ndarray | None = None
        nbytes, shape = pipeline.nbytes, pipeline.spec.shape
        if pipeline.in_place and nbytes <= LARGE_CHUNK:  # type: ignore[operator]
            self.buffer = parallel.take_buffer(max(nbytes, 1))  # type: ignore[type-var]
            self.chunk = self.buffer[:nbytes].view(io.data_type.numpy).reshape(shape)

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, *exception: object) -> None:
        parallel.give_buffer(self.buffer)

    def whole(self, part: np.ndarray, inner: Any) -> np.ndarray:
        """A chunk of which every element within the array is given: as it is stored, valid until the next call."""
        shape = self.pipeline.spec.shape
        if part.shape == shape and (self.buffer is None or part.flags.c_contiguous):
            return part
        chunk = np.empty(shape, self.io.data_type.numpy) if self.buffer is None else self.chunk
        if part.shape != shape:  # a chunk that hangs over the edge is stored whole
            chunk[...] = self.io.fill
        points_first(chunk, self.selection)[(*inner, ...)] = part
        return chunk

    def change(self, chunk: np.ndarray, part: np.ndarray, inner: Any) -> None:
        """Assign a part of the value to its place in a chunk, or in some fields of it."""
        for field in self.fields or [None]:  # type: ignore[list-item]
            place = chunk if field is None else chunk[field]
            points_first(place, self.selection)[(*inner, ...)] = part if field is None else part[field]


class _ChunkWriter:
    """A worker that writes chunks."""

    def __init__(self, io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None) -> None:
        self.io, self.selection, self.value, self.fields = io, selection, value, fields
        self.encoder = _Encoder(io, io.pipeline, selection, fields) if io.shards is None else None
        self.plan = shards.Plan(io, selection)
        self.together = io.pipeline.together if io.pipeline.bytes_bytes else 1  # chunks that are encoded, then written

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        if self.encoder is not None:
            self.encoder.__exit__(*exception)

    def work(self, jobs: Iterable[tuple[str, tuple[int, ...], Any, Any, bool, tuple[Part, ...]]]) -> None:
        # Small chunks are encoded one after the other, and then written: threads that do the same thing wait for each
        # other less often than threads that mix both.
        jobs = iter(jobs)
        while group := list(itertools.islice(jobs, self.together)):
            for found in [self.encode(*job) for job in group]:
                if found is None:
                    continue
                key, data = found
                try:
                    self.io.store.put(key, data)
                except ZarrError as cause:
                    self.io.give_up(key, "write", cause)

    def encode(
        self, name: str, coords: tuple[int, ...], inner: Any, outer: Any, complete: bool, item: tuple[Part, ...]
    ) -> tuple[str, Any] | None:
        """(key, data) of a chunk that is to be put whole; None for one that was changed where it is."""
        io, key = self.io, self.io.prefix + name
        whole = complete and self.fields is None
        # Where a unit hangs over the edge, what others have appended since is kept: it is changed, not replaced.
        changed = not whole or (io.edges and any(map(operator.eq, coords, io.edges)))
        try:
            pipeline = io.pipeline_at(coords)
            layout = sharding_of(pipeline)
            if layout is not None:
                self.write_shard(key, layout, coords, item, whole, changed)
                return None
            encoder, part = self.encoder, self.value[(*outer, ...)]
            if encoder is None or encoder.pipeline is not pipeline:  # uneven grids have several
                encoder = _Encoder(io, pipeline, self.selection, self.fields)
            if not changed:
                data = io.encode(encoder.whole(part, inner), pipeline)
                return key, data if self.together == 1 else _owned(data)
            io.update(key, pipeline, partial(encoder.change, part=part, inner=inner), whole)
            return None
        except ZarrError as cause:
            io.give_up(key, "write", cause)

    def write_shard(
        self,
        key: str,
        layout: ShardLayout,
        coords: tuple[int, ...],
        item: tuple[Part, ...],
        whole: bool,
        updates: bool,
    ) -> None:
        """Encode the inner chunks that change; the others keep their bytes."""
        io, extents = self.io, self.io.extents(coords)
        split = self.plan.split(layout, item, extents)
        edges = [n // size if n % size else -1 for n, size in zip(extents, layout.chunk_shape, strict=True)]
        workers, batch = io.workers(split.count, layout.inner.nbytes or SMALL_JOB, ENCODING)
        if io.store.concurrency is not None:
            workers, batch = parallel.get_workers(), 1

        def changed(old: Any) -> Any:
            try:
                chunks = layout.chunks(old)
            except ZarrError:
                if not whole:
                    raise
                chunks = layout.chunks(None)  # it is damaged, and all that the array has of it is written anew
            jobs = zip(split.coords(), split.inner(), split.outer(), split.complete(), strict=True)
            parallel.run(
                lambda: _InnerWriter(self, layout.inner, chunks, edges if io.edges else ()),
                jobs,
                workers,
                min(batch, 16),
            )
            return None if all(data is None for data in chunks.values()) else layout.pack(chunks)

        if updates:
            io.modify(key, changed, lambda: layout.pack({}))
        else:
            io.store.put(key, changed(None))


class _InnerWriter:
    """A worker that encodes inner chunks of one shard into `chunks`, a dict by coordinates."""

    def __init__(
        self, writer: _ChunkWriter, pipeline: Pipeline, chunks: dict[tuple[int, ...], Any], edges: Sequence[int]
    ) -> None:
        self.io, self.value, self.chunks, self.edges = writer.io, writer.value, chunks, edges
        self.encoder = _Encoder(writer.io, pipeline, writer.selection, writer.fields)

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.encoder.__exit__(*exception)

    def work(self, jobs: Iterable[tuple[tuple[int, ...], Any, Any, bool]]) -> None:
        io, encoder, chunks = self.io, self.encoder, self.chunks
        encode = encoder.pipeline.encode
        for coords, inner, outer, complete in jobs:
            part = self.value[(*outer, ...)]
            whole = complete and encoder.fields is None
            if whole and not any(map(operator.eq, coords, self.edges)):
                chunk = encoder.whole(part, inner)
            else:
                chunk = io.decode_or_fill(chunks.get(coords), encoder.pipeline, whole)
                encoder.change(chunk, part, inner)
            if not io.write_empty and is_fill(chunk, io.fill):
                chunks[coords] = None
            else:
                chunks[coords] = _owned(encode(chunk))


def _owned(data: Any) -> Any:
    """Encoded bytes that stay as they are: codecs may give a view of the chunk, whose memory the next one takes."""
    return data if data is None or type(data) is bytes else bytes(data)
