"""Writing, quickly: a value cut up along the grid; chunks encoded from it, or read, changed and written back.

`plain.write` is what it comes to. What is quicker here, or safer::

    _Encoder       a chunk that is selected whole is encoded from the value as it stands, or from memory used again
    _ChunkWriter   only what is not selected whole is read, and changed such that no other change of it is lost
    _ShardWriter   of a shard, only the inner chunks that change are encoded anew
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tutorial_zarr import parallel
from tutorial_zarr.codecs import Pipeline, is_fill
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.indexing import AxisProjection, Selection, points_first

from . import plain, shards
from .chunks import LARGE_CHUNK, ChunkIO
from .reading import Place, names

Work = Callable[[Iterable[Any]], None]


def write(io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None = None) -> None:
    """Write `value`, whose shape is `selection.shape` and whose type is the array's, or has the `fields` alone."""
    split = selection.split(io.grid.axes)
    if split.count == 0:
        return
    concurrency = io.store.concurrency
    workers, batch = parallel.shares(split.count, io.chunk_nbytes, parallel.ENCODING, concurrency)
    batch = min(batch, 16)
    if io.shards is None:
        jobs: Iterable[Any] = zip(names(io, split), split.chunk_coords(), split.places(), strict=True)
        parallel.run(lambda: _ChunkWriter(io, selection, value, fields), jobs, workers, batch)
        return
    if split.count < 2 * workers and concurrency is None:
        workers = 1  # few shards: their inner chunks are shared out instead
    writer = _ShardWriter(io, selection, value, fields)
    jobs = zip(split.chunk_coords(), split.axis_projections(), split.are_complete(), strict=True)
    parallel.run(lambda: writer, jobs, workers, batch)


class _Encoder:
    """Makes whole chunks of one pipeline from parts of a value. One for each worker."""

    def __init__(self, io: ChunkIO, pipeline: Pipeline, selection: Selection, fields: list[str] | None) -> None:
        self.io, self.pipeline, self.selection, self.fields = io, pipeline, selection, fields
        self.buffer: np.ndarray | None = None
        nbytes, shape = pipeline.nbytes, pipeline.spec.shape
        if pipeline.in_place and nbytes is not None and nbytes <= LARGE_CHUNK:
            self.buffer = parallel.take_buffer(max(nbytes, 1))
            self.chunk = self.buffer[:nbytes].view(io.data_type.numpy).reshape(shape)

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, *exception: object) -> None:
        parallel.give_buffer(self.buffer)

    def whole(self, part: np.ndarray, chunk_selection: Any) -> np.ndarray:
        """A chunk of which every element within the array is given: as it is stored, valid until the next call."""
        shape = self.pipeline.spec.shape
        if part.shape == shape and (self.buffer is None or part.flags.c_contiguous):
            return part
        chunk = np.empty(shape, self.io.data_type.numpy) if self.buffer is None else self.chunk
        if part.shape != shape:  # a chunk that hangs over the edge is stored whole
            chunk[...] = self.io.fill
        points_first(chunk, self.selection)[(*chunk_selection, ...)] = part
        return chunk

    def change(self, chunk: np.ndarray, part: np.ndarray, chunk_selection: Any) -> None:
        """Assign a part of the value to its place in a chunk, or in some fields of it."""
        plain.assign(points_first(chunk, self.selection), chunk_selection, part, self.fields)


class _ChunkWriter:
    """A worker that writes chunks."""

    def __init__(self, io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None) -> None:
        self.io, self.selection, self.value, self.fields = io, selection, value, fields
        self.encoder = _Encoder(io, io.pipeline, selection, fields)
        self.batch_size = io.pipeline.batch_size if io.pipeline.bytes_bytes else 1

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.encoder.__exit__(*exception)

    def work(self, jobs: Iterable[tuple[str, tuple[int, ...], Place]]) -> None:
        # Small chunks are encoded one after the other, and then written: threads that do the same thing wait for each
        # other less often than threads that mix both.
        io, jobs = self.io, iter(jobs)
        while group := list(itertools.islice(jobs, self.batch_size)):
            for found in [self.encode(io.prefix + name, coords, *place) for name, coords, place in group]:
                if found is None:
                    continue
                key, data = found
                try:
                    io.store.put(key, data)
                except ZarrError as cause:
                    io.give_up(key, "write", cause)

    def encode(
        self, key: str, chunk_coords: tuple[int, ...], chunk_selection: Any, out_selection: Any, is_complete: bool
    ) -> tuple[str, Any] | None:
        """(key, data) of a chunk that is to be written whole; None for one that was changed where it is."""
        io, encoder, part = self.io, self.encoder, self.value[(*out_selection, ...)]
        whole = is_complete and self.fields is None
        try:
            pipeline = io.pipeline_at(chunk_coords)
            if encoder.pipeline is not pipeline:  # uneven grids have several
                encoder = _Encoder(io, pipeline, self.selection, self.fields)
            if not changes(io, chunk_coords, whole):
                data = io.encode(encoder.whole(part, chunk_selection), pipeline)
                return key, data if self.batch_size == 1 else _owned(data)
            io.update(key, pipeline, partial(encoder.change, part=part, chunk_selection=chunk_selection), whole)
            return None
        except ZarrError as cause:
            io.give_up(key, "write", cause)


def changes(io: ChunkIO, coords: tuple[int, ...], whole: bool) -> bool:
    """Whether a unit is changed where it is, rather than replaced: where a part of it is written, and at the edge.

    Where a unit hangs over the edge, what others have appended since is kept.
    """
    return not whole or bool(io.edges and any(map(operator.eq, coords, io.edges)))


class _ShardWriter:
    """Writes shards; the inner chunks of one are encoded by as many workers as are free.

    The inner chunks that do not change keep their bytes: they are not decoded. It holds nothing of its own between two
    shards, so that all workers may share it.
    """

    def __init__(self, io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None) -> None:
        self.io, self.selection, self.value, self.fields = io, selection, value, fields
        self.plan = shards.ShardPlan(io, selection)

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        pass

    def work(self, jobs: Iterable[tuple[tuple[int, ...], tuple[AxisProjection, ...], bool]]) -> None:
        for shard_coords, item, is_complete in jobs:
            key = self.io.key(shard_coords)
            try:
                self.write(key, shard_coords, item, is_complete and self.fields is None)
            except ZarrError as cause:
                self.io.give_up(key, "write", cause)

    def write(self, key: str, coords: tuple[int, ...], item: tuple[AxisProjection, ...], whole: bool) -> None:
        """Encode the inner chunks of one shard that change. `whole`: all that the array has of it is given."""
        io, extents, layout = self.io, self.io.extents(coords), self.io.layout_at(coords)
        split = self.plan.split(layout, item, extents)
        edges = [n // size if n % size else -1 for n, size in zip(extents, layout.chunk_shape, strict=True)]
        workers, batch = parallel.shares(split.count, layout.inner.nbytes or parallel.SMALL_JOB, parallel.ENCODING)
        if io.store.concurrency is not None:
            workers, batch = parallel.get_workers(), 1

        def changed(old: Any) -> Any:
            try:
                chunks = layout.chunks(old)
            except ZarrError:
                if not whole:
                    raise
                chunks = layout.chunks(None)  # it is damaged, and all that the array has of it is written anew
            jobs = zip(split.chunk_coords(), split.places(), strict=True)
            parallel.run(
                lambda: _InnerWriter(self, layout.inner, chunks, edges if io.edges else ()),
                jobs,
                workers,
                min(batch, 16),
            )
            return None if all(data is None for data in chunks.values()) else layout.pack(chunks)

        if changes(io, coords, whole):
            io.modify(key, changed, lambda: layout.pack({}))
        else:
            io.store.put(key, changed(None))


class _InnerWriter:
    """A worker that encodes inner chunks of one shard into `chunks`, a dict by coordinates."""

    def __init__(
        self, writer: _ShardWriter, pipeline: Pipeline, chunks: dict[tuple[int, ...], Any], edges: Sequence[int]
    ) -> None:
        self.io, self.value, self.chunks, self.edges = writer.io, writer.value, chunks, edges
        self.encoder = _Encoder(writer.io, pipeline, writer.selection, writer.fields)

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.encoder.__exit__(*exception)

    def work(self, jobs: Iterable[tuple[tuple[int, ...], Place]]) -> None:
        io, encoder, chunks = self.io, self.encoder, self.chunks
        encode = encoder.pipeline.encode
        for coords, (chunk_selection, out_selection, is_complete) in jobs:
            part = self.value[(*out_selection, ...)]
            whole = is_complete and encoder.fields is None
            if whole and not any(map(operator.eq, coords, self.edges)):
                chunk = encoder.whole(part, chunk_selection)
            else:
                chunk = io.decode_or_fill(chunks.get(coords), encoder.pipeline, whole)
                encoder.change(chunk, part, chunk_selection)
            if not io.write_empty and is_fill(chunk, io.fill):
                chunks[coords] = None
            else:
                chunks[coords] = _owned(encode(chunk))


def _owned(data: Any) -> Any:
    """Encoded bytes that stay as they are: codecs may give a view of the chunk, whose memory the next one takes."""
    return data if data is None or type(data) is bytes else bytes(data)
