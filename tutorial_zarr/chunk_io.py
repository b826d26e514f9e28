"""The hot path: selections of an array to and from the chunks of a store. Meant to be read from top to bottom.

Reading. Who holds which buffer::

    store --read--> encoded    one buffer a worker, reused for every chunk
                      |   decode
                    scratch    one chunk a worker, reused; skipped where the chunk's place in the output is
                      |        contiguous: then the last codec decodes straight into it
                    output     the caller's array

What makes it quick is what it does not do: no object, task or coroutine for a chunk, no intermediate copy, no
fresh memory (whose pages would have to be faulted in), and no thread where the whole job is small. Of a chunk that
is stored as it is in memory, only the stretches that are selected are read.

Writing runs the same way backwards. A chunk that is selected whole is encoded from the caller's array; any other
is read, changed and written back, under a lock, so that threads do not undo each other's work.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from operator import itemgetter
from typing import Any

import numpy as np

from tutorial_zarr import parallel
from tutorial_zarr.chunk_grids import Axis, ChunkGrid
from tutorial_zarr.chunk_keys import ChunkKeyEncoding
from tutorial_zarr.codecs import ChunkSpec, Codec, Pipeline, is_fill
from tutorial_zarr.codecs.sharding import ShardingCodec, ShardLayout, sharding_of
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import (
    ChunkError,
    ChunkNotFoundError,
    CodecError,
    MissingDependencyError,
    StoreError,
    ZarrError,
)
from tutorial_zarr.indexing import Part, Selection, join
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.base import cut

# A job that decodes less than this runs on the calling thread: waking others costs more than they bring.
SMALL_JOB = 1 << 18
# Chunks smaller than this spend their time in Python, which threads cannot share.
SMALL_CHUNK = 1 << 12
# Buffers larger than this are not held ready: a chunk may declare any size, and turn out to be six bytes.
LARGE_CHUNK = 1 << 28
Work = Callable[[Iterable[Any]], None]

_locks = [threading.RLock() for _ in range(256)]  # a write unit's lock is chosen by its key


class ChunkIO:
    """Reads and writes the chunks of one array."""

    def __init__(
        self,
        store: Store,
        path: str,
        label: str,
        grid: ChunkGrid,
        keys: ChunkKeyEncoding,
        codecs: list[Codec],
        data_type: DataType,
        fill: np.ndarray,
        missing: str = "fill",
        write_empty: bool = False,
    ) -> None:
        self.store, self.label, self.grid, self.keys = store, label, grid, keys
        self.prefix = path + "/" if path else ""
        self.codecs, self.data_type, self.fill = codecs, data_type, fill
        self.fill_item = fill[()] if fill.dtype.kind == "O" else fill  # numpy would store a 0-d object array as an item
        self.missing, self.write_empty = missing, write_empty
        self._pipelines: dict[tuple[int, ...], Pipeline] = {}
        self.pipeline = self.pipeline_for(grid.max_chunk_shape)
        self.shards = sharding_of(self.pipeline)
        if isinstance(self.pipeline.array_bytes, ShardingCodec):  # every shape of shard must fit, not the largest alone
            for shape in grid.shapes_by_axis():
                self.pipeline_for(shape)
        # of the largest chunk in memory; for elements without a fixed size, a guess
        self.chunk_nbytes = self.pipeline.nbytes or 64 * math.prod(self.pipeline.spec.shape)

    # --- what the metadata says about one chunk

    def pipeline_for(self, shape: tuple[int, ...]) -> Pipeline:
        """The codec chain for chunks of that shape; in a regular grid there is only one."""
        found = self._pipelines.get(shape)
        if found is None:
            found = self._pipelines[shape] = Pipeline(self.codecs, ChunkSpec(shape, self.data_type, self.fill))
        return found

    def pipeline_at(self, coords: tuple[int, ...]) -> Pipeline:
        """The codec chain of the chunk at `coords`."""
        return self.pipeline if self.grid.regular else self.pipeline_for(self.grid.chunk_shape(coords))

    def key(self, coords: tuple[int, ...]) -> str:
        """The store key of the chunk at `coords`."""
        return self.prefix + self.keys.encode(coords)

    def fail(self, key: str, stage: str, cause: Exception) -> Exception:
        """The error for a chunk that cannot be read or written: with the array and the key, where they are missing."""
        if isinstance(cause, MissingDependencyError) and not cause.message.startswith(self.label):
            return MissingDependencyError(f"{self.label}: {cause.message}", **cause.fields)
        if isinstance(cause, (ChunkError, ChunkNotFoundError, StoreError, MissingDependencyError)):
            return cause
        return ChunkError(f"{self.label}: cannot {stage} the chunk at key {key!r}: {cause}", key=key, stage=stage)

    def absent(self, key: str) -> None:
        """Raise for a chunk that is not there, if the caller wants it so."""
        if self.missing == "error":
            raise ChunkNotFoundError(
                f"{self.label}: expected a chunk at key {key!r}, found none; missing='fill' reads the fill value there",
                key=key,
            )

    def extents(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """How many elements of the chunk lie within the array, along each axis."""
        return tuple([s.stop - s.start for s in self.grid.region(coords)])

    def _workers(self, chunks: int, chunk_nbytes: int) -> tuple[int, int]:
        """Workers and batch length for a job of so many chunks of that size."""
        if self.store.concurrency is not None:
            return min(self.store.concurrency, chunks), 1
        if chunk_nbytes < SMALL_CHUNK or chunks * chunk_nbytes < SMALL_JOB:
            return 1, chunks
        workers = min(parallel.get_workers(), chunks)
        return workers, max(1, min(64, chunks // (4 * workers)))

    # --- reading

    def read(self, selection: Selection, out: np.ndarray) -> None:
        """Read a selection into `out`, whose shape is `selection.shape`."""
        parts = selection.split(self.grid.axes)
        chunks, items = math.prod(map(len, parts)), itertools.product(*parts)
        if chunks == 0:
            return
        workers, batch = self._workers(chunks, self.chunk_nbytes)
        if self.shards is None:
            parallel.run(lambda: _ChunkReader(self, selection, out), items, workers, batch)
        elif chunks >= 2 * workers:
            parallel.run(lambda: _ShardReader(self, selection, out), items, workers, 1)
        else:  # few shards: share out their inner chunks
            inner = (job for item in items for job in self.shard_jobs(item, selection))
            wanted = math.prod(selection.shape) * self.data_type.numpy.itemsize
            workers = parallel.get_workers() if wanted >= SMALL_JOB else 1
            parallel.run(lambda: _InnerReader(self, selection, out), inner, workers, 4)

    def shard_jobs(self, item: tuple[Part, ...], selection: Selection) -> Iterator[tuple[Any, ...]]:
        """(key, encoded bytes or None, pipeline, parts) for each inner chunk that one shard's part touches."""
        coords, _ = join(item, selection)
        key, layout = self.key(coords), sharding_of(self.pipeline_at(coords))
        try:
            source = ShardSource(self.store, key)
            for data, pipeline, parts in inner_jobs(source, layout, item, selection, self.extents(coords)):
                yield key, data, pipeline, parts
        except ZarrError as cause:
            raise self.fail(key, "decode", cause) from cause

    # --- writing

    def write(self, selection: Selection, value: np.ndarray, fields: list[str] | None = None) -> None:
        """Write `value`, whose shape is `selection.shape` and whose type is the array's (or that of `fields`)."""
        parts = selection.split(self.grid.axes)
        chunks, items = math.prod(map(len, parts)), itertools.product(*parts)
        if chunks:
            workers, batch = self._workers(chunks, self.chunk_nbytes)
            parallel.run(lambda: _ChunkWriter(self, selection, value, fields), items, workers, min(batch, 16))

    def load(self, key: str, pipeline: Pipeline) -> np.ndarray:
        """A chunk as an array of its own that may be changed; the fill value where there is none."""
        data = self.store.get(key)
        chunk = np.empty(pipeline.spec.shape, self.data_type.numpy)
        if data is None:
            chunk[...] = self.fill_item
            return chunk
        try:
            if pipeline.in_place:
                pipeline.decode_into(data, chunk.reshape(-1).view(np.uint8))
            else:
                chunk[...] = pipeline.decode(data)
        except ZarrError as cause:
            raise self.fail(key, "decode", cause) from cause
        return chunk

    def put(self, key: str, pipeline: Pipeline, chunk: np.ndarray) -> None:
        """Encode and store a chunk, or delete it where it holds nothing but the fill value."""
        if not self.write_empty and is_fill(chunk, self.fill):
            self.store.delete(key)
        else:
            self.store.set(key, pipeline.encode(chunk))


# --- reading


class _Decoder:
    """Decodes chunks of one pipeline and puts them where they belong in the output. One for each worker."""

    def __init__(self, io: ChunkIO, pipeline: Pipeline, selection: Selection, out: np.ndarray) -> None:
        self.io, self.pipeline, self.selection, self.out = io, pipeline, selection, out
        self.box = selection.kind == "box"
        self.place = _placer(selection)
        self.scratch = self.chunk = None
        if pipeline.in_place and pipeline.nbytes <= LARGE_CHUNK:  # type: ignore[operator]
            self.nbytes: int = pipeline.nbytes  # type: ignore[assignment]
            self._buffer = parallel.take_buffer(max(self.nbytes, 1))
            self.scratch = self._buffer[: self.nbytes]
            self.chunk = self.scratch.view(io.data_type.numpy).reshape(pipeline.spec.shape)
            shape = pipeline.spec.shape
            first = next((axis for axis, n in enumerate(shape) if n > 1), len(shape))
            self.contiguous = self.nbytes > 0 and self.box and out.shape[first + 1 :] == shape[first + 1 :]

    def close(self) -> None:
        """Give the scratch buffer back."""
        if self.scratch is not None:
            parallel.give_buffer(self._buffer)

    def destination(self, outer: tuple[Any, ...]) -> np.ndarray | None:
        """The bytes of the output where a whole chunk goes, if they are one contiguous stretch."""
        if self.contiguous:
            target = self.out[(*outer, ...)]
            if target.flags.c_contiguous and target.nbytes == self.nbytes:
                return target.reshape(-1).view(np.uint8)
        return None

    def put(self, data: Any, item: tuple[Part, ...]) -> None:
        """Decode `data` (None: the fill value) to the place that the parts of `item` say."""
        if data is None:
            self.place(self.out, item, self.io.fill_item)
        elif self.chunk is None or not self.box:
            self.place(self.out, item, self.pipeline.decode(data), join(item, self.selection)[1])
        else:
            _, inner, outer, complete, _ = zip(*item, strict=True) if item else SCALAR
            if all(complete) and (target := self.destination(outer)) is not None:
                self.pipeline.decode_into(data, target)
            elif self.pipeline.raw:
                self.out[outer] = self.pipeline.decode(data)[inner]
            else:
                self.pipeline.decode_into(data, self.scratch)
                self.out[outer] = self.chunk[inner]


SCALAR: Any = ((), (), (), (), ())  # what zip would give for the one chunk of an array without axes


class _ChunkReader:
    """A worker that reads whole chunks, or, of a chunk stored as it is in memory, the stretches selected."""

    def __init__(self, io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
        self.io, self.selection = io, selection
        self.decoder = _Decoder(io, io.pipeline, selection, out)
        bound = _encoded_bound(io.pipeline, io.chunk_nbytes)
        self.read = io.store.reader(io.prefix) if bound <= LARGE_CHUNK else None
        self.encoded = parallel.take_buffer(bound) if self.read else None

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.decoder.close()
        parallel.give_buffer(self.encoded)

    def work(self, items: Iterable[tuple[Part, ...]]) -> None:
        io, decoder, encode, box = self.io, self.decoder, self.io.keys.encode, self.decoder.box
        raw = io.pipeline.raw and box and io.grid.regular and decoder.chunk is not None
        for item in items:
            if box:
                coords, inner, outer, complete, _ = zip(*item, strict=True) if item else SCALAR
            else:
                coords, inner = join(item, self.selection)
            name = encode(coords)
            try:
                if raw and self._read_raw(name, inner, outer, all(complete)):
                    continue
                data = self.fetch(name)
                if data is None:
                    io.absent(io.prefix + name)
                if io.grid.regular:
                    decoder.put(data, item)
                else:
                    chunk = io.fill_item if data is None else io.pipeline_at(coords).decode(data)
                    decoder.place(decoder.out, item, chunk, None if data is None else inner)
            except CodecError as cause:  # bad bytes; or a read that was cut short, which a second one shows
                data = io.store.get(io.prefix + name)
                if data is None or self.read is None:
                    raise io.fail(io.prefix + name, "decode", cause) from cause
                try:
                    decoder.place(decoder.out, item, io.pipeline_at(coords).decode(data), inner)
                except ZarrError as again:
                    raise io.fail(io.prefix + name, "decode", again) from again
            except ZarrError as cause:
                raise io.fail(io.prefix + name, "decode", cause) from cause

    def fetch(self, name: str) -> Any:
        """The bytes of a chunk, valid until the next call; None where there is none."""
        if self.read is None:
            return self.io.store.get(self.io.prefix + name)
        size = self.read(name, self.encoded)
        if size is None:
            return None
        if size > len(self.encoded):  # type: ignore[arg-type]
            size = (self.io.store.get_size(self.io.prefix + name) or 0) + 1
            self.encoded = np.empty(max(size, 2 * len(self.encoded)), np.uint8)  # type: ignore[arg-type]
            return self.fetch(name)
        return self.encoded[:size]  # type: ignore[index]

    def _read_raw(self, name: str, inner: tuple[Any, ...], outer: tuple[Any, ...], whole: bool) -> bool:
        """Read a chunk that is stored as it is in memory, without a detour; False where the usual way must do."""
        io, decoder = self.io, self.decoder
        if not whole and decoder.nbytes > io.store.request_cost and self._read_stretches(name, inner, outer):
            return True
        if self.read is None:
            return False
        target = decoder.destination(outer) if whole else None
        size = self.read(name, decoder.scratch if target is None else target)
        if size != decoder.nbytes:
            return False  # absent, or of a wrong size: the usual way tells
        if target is None:
            decoder.out[outer] = decoder.chunk[inner]  # type: ignore[index]
        return True

    def _read_stretches(self, name: str, inner: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
        """Read a box of a raw chunk by its byte ranges, where that costs less than the whole."""
        io, spec = self.io, self.io.pipeline.spec
        stretches = choose_stretches(inner, spec.shape, io.data_type.numpy.itemsize, io.store.request_cost)
        if stretches is None:
            return False
        ranges, shape, rest = stretches
        found = io.store.get_ranges(io.prefix + name, ranges)
        if any(data is None or len(data) != stop - start for data, (start, stop) in zip(found, ranges, strict=True)):
            return False  # absent, or not as long as it should be
        data = found[0] if len(found) == 1 else b"".join(found)
        self.decoder.out[outer] = np.frombuffer(data, io.data_type.numpy).reshape(shape)[rest]
        return True


def _encoded_bound(pipeline: Pipeline, nbytes: int) -> int:
    """Bytes that an encoded chunk rarely exceeds."""
    return pipeline.encoded_size or nbytes + (nbytes >> 6) + 256


def choose_stretches(
    inner: tuple[slice, ...], shape: tuple[int, ...], itemsize: int, request_cost: int
) -> tuple[list[tuple[int, int]], tuple[int, ...], tuple[slice, ...]] | None:
    """The byte ranges that hold a box of a chunk in C order, the shape they make, and what to take of it.

    A stretch covers a span of one axis and all of the axes behind it; the axes before it are walked through. The
    axis is chosen such that requests and bytes together cost least. None: reading the whole chunk is no worse.
    """
    strides = [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    best, choice, walked = strides[0] * shape[0] // 2 if shape else 0, None, 1
    for axis, part in enumerate(inner):
        nbytes = walked * (part.stop - part.start) * strides[axis]
        if (cost := walked * request_cost + nbytes) < best:
            best, choice = cost, axis
        walked *= len(range(part.start, part.stop, part.step))
    if choice is None:
        return None
    span = inner[choice]
    starts = [span.start * strides[choice]]
    for axis in reversed(range(choice)):
        steps = range(inner[axis].start, inner[axis].stop, inner[axis].step)
        starts = [index * strides[axis] + start for index in steps for start in starts]
    length = (span.stop - span.start) * strides[choice]
    walked_shape = tuple(len(range(s.start, s.stop, s.step)) for s in inner[:choice])
    return (
        [(start, start + length) for start in starts],
        (*walked_shape, span.stop - span.start, *shape[choice + 1 :]),
        (*[slice(None)] * choice, slice(None, None, span.step), *inner[choice + 1 :]),
    )


# --- reading shards


class _InnerReader:
    """A worker that decodes inner chunks."""

    def __init__(self, io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
        self.io, self.selection, self.out = io, selection, out
        self.decoders: dict[int, _Decoder] = {}  # by pipeline: uneven and nested shards have several

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        for decoder in self.decoders.values():
            decoder.close()

    def work(self, jobs: Iterable[tuple[Any, ...]]) -> None:
        for key, data, pipeline, parts in jobs:
            decoder = self.decoders.get(id(pipeline))
            if decoder is None:
                decoder = self.decoders[id(pipeline)] = _Decoder(self.io, pipeline, self.selection, self.out)
            try:
                if data is None:
                    self.io.absent(key)
                decoder.put(data, parts)
            except ZarrError as cause:
                raise self.io.fail(key, "decode", cause) from cause


class _ShardReader(_InnerReader):
    """A worker that reads shards, each from its index to its last inner chunk."""

    def __enter__(self) -> Work:
        return self.work_shards

    def work_shards(self, items: Iterable[tuple[Part, ...]]) -> None:
        for item in items:
            self.work(self.io.shard_jobs(item, self.selection))


class ShardSource:
    """The bytes of one shard in a store; or, for a shard within a shard, a stretch of another source."""

    def __init__(self, store: Store | None, key: str, data: memoryview | None = None) -> None:
        self.store, self.key, self.data = store, key, data

    def get(self, byte_range: Any) -> Any:
        """The bytes of a range; None where there is no shard."""
        if self.store is not None:
            return self.store.get(self.key, byte_range)
        return cut(self.data, byte_range)

    def get_ranges(self, ranges: list[tuple[int, int]]) -> list[Any]:
        """The bytes of several ranges; those close together come with one request."""
        if self.store is None:
            return [self.data[start:stop] for start, stop in ranges]  # type: ignore[index]
        spans: list[list[int]] = []  # start and stop of each request
        which = [0] * len(ranges)
        for i in sorted(range(len(ranges)), key=ranges.__getitem__):
            start, stop = ranges[i]
            if spans and start - spans[-1][1] <= self.store.request_cost:
                spans[-1][1] = max(spans[-1][1], stop)
            else:
                spans.append([start, stop])
            which[i] = len(spans) - 1
        found = self.store.get_ranges(self.key, [(start, stop) for start, stop in spans])
        if any(data is None for data in found):
            raise StoreError(f"key {self.key!r}: expected the shard whose index was just read, found nothing")
        views = [memoryview(data) for data in found]
        return [
            views[w][start - spans[w][0] : stop - spans[w][0]] for w, (start, stop) in zip(which, ranges, strict=True)
        ]


def inner_axes(layout: ShardLayout, extents: tuple[int, ...]) -> tuple[Axis, ...]:
    """The grid of inner chunks, cut where the array ends."""
    return tuple([Axis(extent, length) for extent, length in zip(extents, layout.chunk_shape, strict=True)])


def split_inner(item: tuple[Part, ...], selection: Selection, axes: tuple[Axis, ...]) -> list[list[Part]]:
    """The parts of one chunk's part along a grid within that chunk."""
    return [
        part.factor.split(tuple([axes[a] for a in places])) for part, places in zip(item, selection.axes, strict=True)
    ]


def inner_jobs(
    source: ShardSource, layout: ShardLayout, item: tuple[Part, ...], selection: Selection, extents: tuple[int, ...]
) -> Iterator[tuple[Any, Pipeline, tuple[Part, ...]]]:
    """(encoded inner chunk or None, pipeline, parts) for each inner chunk that `item` touches.

    Where at least half of the inner chunks are wanted the shard is fetched whole, with one request; else the
    index is, and then the ranges.
    """
    wanted = list(itertools.product(*split_inner(item, selection, inner_axes(layout, extents))))
    if source.store is not None and 2 * len(wanted) >= layout.nchunks:
        shard = source.get(None)
        if shard is not None:
            source = ShardSource(None, source.key, memoryview(shard).cast("B"))
        encoded_index = None if shard is None else source.get(layout.index_range)
    else:
        encoded_index = source.get(layout.index_range)
    if encoded_index is None:
        yield from ((None, layout.inner, parts) for parts in wanted)
        return
    spans = layout.spans(layout.read_index(encoded_index), None if source.store else len(source.data or b""))
    present: list[tuple[tuple[Part, ...], tuple[int, int]]] = []
    for parts in wanted:
        span = spans[layout.number(join(parts, selection)[0])]
        if span is None:
            yield None, layout.inner, parts
        else:
            present.append((parts, span))
    nested = sharding_of(layout.inner)
    for data, (parts, (start, stop)) in zip(source.get_ranges([span for _, span in present]), present, strict=True):
        if len(data) != stop - start:
            raise layout.codec.fail(f"{stop - start} bytes at offset {start} of the shard", f"{len(data)}")
        if nested is None:
            yield data, layout.inner, parts
        else:
            at, _ = join(parts, selection)
            rest = [min(n, e - c * n) for c, n, e in zip(at, layout.chunk_shape, extents, strict=True)]
            deeper = ShardSource(None, source.key, memoryview(data))
            yield from inner_jobs(deeper, nested, parts, selection, tuple(rest))


# --- writing


class _ChunkWriter:
    """A worker that writes chunks."""

    def __init__(self, io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None) -> None:
        self.io, self.selection, self.value, self.fields = io, selection, value, fields
        self.pick, self.buffer = _picker(selection), None
        if io.pipeline.in_place and io.grid.regular and io.chunk_nbytes <= LARGE_CHUNK:
            self.buffer = parallel.take_buffer(max(io.chunk_nbytes, 1))
            self.chunk = self.buffer[: io.chunk_nbytes].view(io.data_type.numpy).reshape(io.pipeline.spec.shape)

    def __enter__(self) -> Work:
        return self.work

    def __exit__(self, *exception: object) -> None:
        parallel.give_buffer(self.buffer)

    def work(self, items: Iterable[tuple[Part, ...]]) -> None:
        io = self.io
        for item in items:
            coords, inner = join(item, self.selection)
            key = io.key(coords)
            with _locks[hash(key) % len(_locks)]:
                try:
                    pipeline, part = io.pipeline_at(coords), self.pick(self.value, item)
                    if self.fields is None and all(p.complete for p in item):
                        self.write_whole(key, pipeline, part, inner)
                    elif (layout := sharding_of(pipeline)) is not None:
                        self.write_into_shard(key, layout, coords, item)
                    else:
                        chunk = io.load(key, pipeline)
                        _assign(chunk, inner, part, self.selection, self.fields)
                        io.put(key, pipeline, chunk)
                except ZarrError as cause:
                    raise io.fail(key, "write", cause) from cause

    def write_whole(self, key: str, pipeline: Pipeline, part: np.ndarray, inner: tuple[Any, ...]) -> None:
        """Write a chunk of which every element within the array is given."""
        full = part.shape == pipeline.spec.shape
        if full and (self.buffer is None or part.flags.c_contiguous):
            chunk = part
        else:
            chunk = np.empty(pipeline.spec.shape, self.io.data_type.numpy) if self.buffer is None else self.chunk
            if not full:  # a chunk that hangs over the edge is stored whole
                chunk[...] = self.io.fill_item
            chunk[inner] = part
        self.io.put(key, pipeline, chunk)

    def write_into_shard(self, key: str, layout: ShardLayout, coords: tuple[int, ...], item: tuple[Part, ...]) -> None:
        """Encode the inner chunks that change; the others keep their bytes."""
        io, selection, fields, spec = self.io, self.selection, self.fields, layout.inner.spec
        shard = io.store.get(key)
        chunks: dict[tuple[int, ...], Any] = {}
        if shard is not None:
            view = memoryview(shard).cast("B")
            spans = layout.spans(layout.index_of(view), len(view))
            for at, _ in layout.regions():
                span = spans[layout.number(at)]
                if span is not None:
                    chunks[at] = view[slice(*span)]

        def work(items: Iterable[tuple[Part, ...]]) -> None:
            for parts in items:
                at, inner = join(parts, selection)
                part = self.pick(self.value, parts)
                if fields is None and part.shape == spec.shape and all(p.complete for p in parts):
                    chunk = part
                else:
                    chunk = np.empty(spec.shape, io.data_type.numpy)
                    chunk[...] = layout.inner.decode(chunks[at]) if chunks.get(at) is not None else io.fill_item
                    _assign(chunk, inner, part, selection, fields)
                empty = not io.write_empty and is_fill(chunk, io.fill)
                chunks[at] = None if empty else layout.inner.encode(chunk)

        split = split_inner(item, selection, inner_axes(layout, io.extents(coords)))
        count = math.prod(map(len, split))
        workers = parallel.get_workers() if count * (spec.nbytes or 0) >= SMALL_JOB else 1
        parallel.run(lambda: nullcontext(work), itertools.product(*split), min(workers, count), 1)
        if all(data is None for data in chunks.values()):
            io.store.delete(key)
        else:
            io.store.set(key, layout.pack(sorted(chunks.items(), key=itemgetter(0))))


# --- numpy indices


def _placer(selection: Selection) -> Callable[..., None]:
    """A function that copies the selected part of a chunk, or one value, to its place in the output."""
    kind = selection.kind

    def place(out: np.ndarray, item: tuple[Part, ...], chunk: np.ndarray, inner: Any = None) -> None:
        outer = tuple([part.outer for part in item])
        if kind == "mesh":
            outer = _open_mesh(outer)
        if inner is None:
            out[outer] = chunk
        elif kind == "points":
            out[outer] = _points_first(chunk, selection)[_points_index(inner, selection)]
        else:
            out[outer] = chunk[_open_mesh(inner)]

    return place


def _picker(selection: Selection) -> Callable[..., np.ndarray]:
    """A function that gives the part of a value that goes into one chunk."""
    mesh = selection.kind == "mesh"

    def pick(value: np.ndarray, item: tuple[Part, ...]) -> np.ndarray:
        outer = tuple([part.outer for part in item])
        return value[_open_mesh(outer) if mesh else (*outer, ...)]

    return pick


def _open_mesh(index: tuple[Any, ...]) -> Any:
    """`index` such that numpy takes each axis by itself, where two or more hold arrays."""
    if sum(isinstance(i, np.ndarray) for i in index) < 2:
        return index
    return np.ix_(*[i if isinstance(i, np.ndarray) else np.arange(i.start, i.stop, i.step or 1) for i in index])


def _points_first(chunk: np.ndarray, selection: Selection) -> np.ndarray:
    axes = selection.axes[0]
    return np.moveaxis(chunk, axes, range(len(axes)))


def _points_index(inner: tuple[Any, ...], selection: Selection) -> tuple[Any, ...]:
    axes = selection.axes[0]
    return (*[inner[a] for a in axes], *[s for axis, s in enumerate(inner) if axis not in axes])


def _assign(
    chunk: np.ndarray, inner: tuple[Any, ...], part: np.ndarray, selection: Selection, fields: list[str] | None
) -> None:
    """Assign a part of the value to its place in a chunk, or in some fields of it."""
    for field in fields or [None]:  # type: ignore[list-item]
        place = chunk if field is None else chunk[field]
        value = part if field is None or part.dtype.names is None else part[field]
        if selection.kind == "points":
            _points_first(place, selection)[_points_index(inner, selection)] = value
        else:
            place[_open_mesh(inner)] = value
