"""Writing, quickly: a value cut up along the grid; chunks encoded from it, or read, changed and written back.

`plain.write` is what it comes to. What is quicker here, or safer::

    _Encoder       a chunk that is selected whole is encoded from the value as it stands, or from memory used again;
                   small ones are encoded several at once, where the codec can
    _ChunkWriter   only what is not selected whole is read, and changed such that no other change of it is lost
    _ShardWriter   of a shard, only the inner chunks that change are encoded anew
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
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

QUICK_CHUNK = 1 << 17  # bytes up to which parts of chunks are written by one thread, if the codecs are quick
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
        quick = io.pipeline.quick and io.chunk_nbytes <= QUICK_CHUNK and concurrency is None
        if quick and 2 * split.complete < split.count:
            workers = 1  # its time goes into short calls for files: threads would wait for each other before each
        jobs: Iterable[Any] = zip(names(io, split), split.chunk_coords(), split.places(), strict=True)
        parallel.run(lambda: _ChunkWriter(io, selection, value, fields), jobs, workers, batch)
        return
    if split.count < 2 * workers and concurrency is None:
        workers = 1  # few shards: their inner chunks are shared out instead
    writer = _ShardWriter(io, selection, value, fields)
    jobs = zip(split.chunk_coords(), split.axis_projections(), split.are_complete(), strict=True)
    parallel.run(lambda: writer, jobs, workers, batch)


class _Encoder:
    """Makes whole chunks of one pipeline from parts of a value. One for each worker.

    Small chunks wait until there are `batch_size` of them, and are encoded together. `at` is the one at work.
    """

    def __init__(self, io: ChunkIO, pipeline: Pipeline, selection: Selection, fields: list[str] | None) -> None:
        self.io, self.pipeline, self.selection, self.fields = io, pipeline, selection, fields
        self.at: Any = None
        self.waiting: list[tuple[Any, np.ndarray | None]] = []  # name and chunk; None for one that is empty
        self.count = 0  # of those that are not empty
        self.buffer: np.ndarray | None = None
        self.joins = pipeline.joins  # until chunks are met that do not
        nbytes, shape, slots = pipeline.nbytes, pipeline.spec.shape, pipeline.batch_size
        if pipeline.in_place and nbytes is not None and nbytes <= LARGE_CHUNK:
            self.buffer = parallel.take_buffer(max(nbytes * slots, 1))
            self.rows = self.buffer[: nbytes * slots].reshape(slots, nbytes)
            self.chunks = self.rows.view(io.data_type.numpy).reshape(slots, *shape)

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, *exception: object) -> None:
        parallel.give_buffer(self.buffer)

    def add(self, name: Any, part: np.ndarray, chunk_selection: Any) -> None:
        """Have a chunk of which every element within the array is given wait for `take`."""
        self.at, shape = name, self.pipeline.spec.shape
        if part.shape == shape and (self.buffer is None or (part.flags.c_contiguous and not self.joins)):
            chunk = part
        else:
            chunk = np.empty(shape, self.io.data_type.numpy) if self.buffer is None else self.chunks[self.count, ...]
            if part.shape != shape:  # a chunk that hangs over the edge is stored whole
                chunk[...] = self.io.fill
            points_first(chunk, self.selection)[(*chunk_selection, ...)] = part
        stored = self.io.write_empty or not is_fill(chunk, self.io.fill)
        self.waiting.append((name, chunk if stored else None))
        self.count += stored

    def take(self) -> Iterator[tuple[Any, Any]]:
        """Name and bytes, valid until the next `add`, of each chunk that waits; None for an empty one."""
        waiting, count, joined = self.waiting, self.count, None
        self.waiting, self.count = [], 0
        if self.joins and count > 1:
            joined = self.pipeline.encode_all(self.rows[:count])
            self.joins = joined is not None
        encoded = iter(joined or ())
        for self.at, chunk in waiting:
            if chunk is None:
                yield self.at, None
            else:
                yield self.at, self.pipeline.encode(chunk) if joined is None else next(encoded)

    def change(self, chunk: np.ndarray, part: np.ndarray, chunk_selection: Any) -> None:
        """Assign a part of the value to its place in a chunk, or in some fields of it."""
        plain.assign(points_first(chunk, self.selection), chunk_selection, part, self.fields)


class _ChunkWriter:
    """A worker that writes chunks."""

    def __init__(self, io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None) -> None:
        self.io, self.selection, self.value, self.fields = io, selection, value, fields
        self.encoder = _Encoder(io, io.pipeline, selection, fields)
        self.batch_size = io.pipeline.batch_size if io.grid.regular else 1

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.encoder.__exit__(*exception)

    def work(self, jobs: Iterable[tuple[str, tuple[int, ...], Place]]) -> None:
        # Small chunks are encoded one after the other, and then written: threads that do the same thing wait for each
        # other less often than threads that mix both.
        put, prefix, jobs = self.io.store.put, self.io.prefix, iter(jobs)
        try:
            while group := list(itertools.islice(jobs, self.batch_size)):
                for name, coords, place in group:
                    self.add(prefix + name, coords, *place)
                for key, data in list(self.encoder.take()):
                    self.encoder.at = key
                    put(key, data)
        except ZarrError as cause:
            self.io.give_up(self.encoder.at, "write", cause)

    def add(self, key: str, coords: tuple[int, ...], chunk_selection: Any, out_selection: Any, complete: bool) -> None:
        """Have a chunk that is to be written whole wait; change another one where it is."""
        io, part = self.io, self.value[(*out_selection, ...)]
        whole = complete and self.fields is None
        self.encoder.at, pipeline = key, io.pipeline_at(coords)
        if self.encoder.pipeline is not pipeline:  # uneven grids have several
            self.encoder.__exit__()
            self.encoder = _Encoder(io, pipeline, self.selection, self.fields)
            self.encoder.at = key
        if not changes(io, coords, whole):
            self.encoder.add(key, part, chunk_selection)
            return
        io.update(key, pipeline, partial(self.encoder.change, part=part, chunk_selection=chunk_selection), whole)


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
        io, encoder, jobs = self.io, self.encoder, iter(jobs)
        while group := list(itertools.islice(jobs, encoder.pipeline.batch_size)):
            for coords, (chunk_selection, out_selection, is_complete) in group:
                part = self.value[(*out_selection, ...)]
                whole = is_complete and encoder.fields is None
                if whole and not any(map(operator.eq, coords, self.edges)):
                    encoder.add(coords, part, chunk_selection)
                    continue
                chunk = io.decode_or_fill(self.chunks.get(coords), encoder.pipeline, whole)
                encoder.change(chunk, part, chunk_selection)
                self.chunks[coords] = _owned(io.encode(chunk, encoder.pipeline))
            for coords, data in encoder.take():
                self.chunks[coords] = _owned(data)


def _owned(data: Any) -> Any:
    """Encoded bytes that stay as they are: codecs may give a view of the chunk, whose memory the next one takes."""
    return data if data is None or type(data) is bytes else bytes(data)
