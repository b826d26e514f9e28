"""The hot path: selections of an array to and from the chunks of a store. Meant to be read from top to bottom.

Reading. Who holds which buffer::

    store --read_into--> encoded   one buffer a worker, reused for every chunk
                           |  pipeline.decode
                         scratch   one chunk a worker, reused; skipped where the chunk's place in the output
                           |        is contiguous: then the last codec decodes straight into it
                         output    the caller's array

What makes it quick is what it does not do: no object, task or coroutine for a chunk, no intermediate copy, no
fresh memory (whose pages would have to be faulted in), and no thread where the whole job is small.

Writing runs the same way backwards. A chunk that is selected whole is encoded from the caller's array; any other
is read, changed and written back, under a lock, so that threads do not undo each other's work.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tutorial_zarr import parallel
from tutorial_zarr.chunk_grids import Axis, ChunkGrid
from tutorial_zarr.chunk_keys import ChunkKeyEncoding
from tutorial_zarr.codecs import ChunkSpec, Codec, Pipeline, is_fill
from tutorial_zarr.codecs.sharding import ShardLayout, sharding_of
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import ChunkError, ChunkNotFoundError, MissingDependencyError, StoreError, ZarrError
from tutorial_zarr.indexing import Part, Selection, join
from tutorial_zarr.stores import Store

# A job that decodes less than this runs on the calling thread: starting others costs more than it brings.
SMALL_JOB = 1 << 20
# Chunks smaller than this spend their time in Python, which threads cannot share.
SMALL_CHUNK = 1 << 13
# Ranges of a shard that lie closer together than this are fetched as one.
COALESCE_GAP = 1 << 15

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
        self.missing, self.write_empty = missing, write_empty
        self._pipelines: dict[tuple[int, ...], Pipeline] = {}
        self.pipeline = self.pipeline_for(grid.max_chunk_shape)
        self.shards = sharding_of(self.pipeline)

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

    def fail(self, key: str, stage: str, cause: Exception) -> ChunkError:
        """The error for a chunk that cannot be read or written."""
        return ChunkError(f"{self.label}: cannot {stage} the chunk at key {key!r}: {cause}", key=key, stage=stage)

    def _absent(self, key: str) -> None:
        if self.missing == "error":
            raise ChunkNotFoundError(f"{self.label}: expected a chunk at key {key!r}, found none", key=key)

    # --- how many workers

    def _plan(self, selection: Selection) -> tuple[list[list[Part]], Iterable[tuple[Part, ...]], int]:
        """The parts of each axis, the chunks (their product), and their number."""
        parts = selection.split(self.grid.axes)
        return parts, itertools.product(*parts), math.prod(map(len, parts))

    def _workers(self, chunks: int, nbytes: int) -> tuple[int, int]:
        """Workers and batch length for a job of so many chunks and bytes."""
        if self.store.concurrency is not None:
            return min(self.store.concurrency, chunks), 1
        if nbytes < SMALL_JOB or nbytes < chunks * SMALL_CHUNK:
            return 1, chunks
        workers = min(parallel.get_workers(), chunks)
        return workers, max(1, min(64, chunks // (4 * workers)))

    def _chunk_nbytes(self) -> int:
        return self.pipeline.spec.nbytes or 64 * math.prod(self.pipeline.spec.shape)

    # --- reading

    def read(self, selection: Selection, out: np.ndarray) -> None:
        """Read a selection into `out`, whose shape is `selection.shape`."""
        _, items, chunks = self._plan(selection)
        if chunks == 0:
            return
        workers, batch = self._workers(chunks, chunks * self._chunk_nbytes())
        if self.shards is None:
            parallel.run(lambda: self._chunk_reader(selection, out), items, workers, batch)
        elif chunks >= workers > 1:
            parallel.run(lambda: self._shard_reader(selection, out), items, workers, 1)
        else:  # few shards: share out their inner chunks
            nbytes = chunks * self._chunk_nbytes()
            inner = (job for item in items for job in self._shard_jobs(item, selection))
            count = chunks * self.shards.nchunks
            workers = min(parallel.get_workers(), count) if nbytes >= SMALL_JOB else 1
            parallel.run(lambda: self._inner_reader(selection, out), inner, workers, max(1, min(64, count // 8)))

    def _fetcher(self) -> Callable[[str], Any]:
        """A function from key to bytes, or to None, which reuses one buffer: its last result is then void."""
        store = self.store
        if type(store).read_into is Store.read_into:  # nothing gained: such stores hand out the bytes they hold
            return store.get
        expected = self.pipeline.encoded_size or 0
        buffer = memoryview(bytearray(expected + 1 if expected else min(self._chunk_nbytes() + 4096, 1 << 26)))

        def fetch(key: str) -> Any:
            nonlocal buffer
            size = store.read_into(key, buffer)
            if size is None:
                return None
            if size >= len(buffer):  # it may be longer: only the store knows
                size = store.get_size(key) or 0
                if size >= len(buffer):
                    buffer = memoryview(bytearray(size + 1))
                return fetch(key)
            return buffer[:size]

        return fetch

    def _chunk_reader(self, selection: Selection, out: np.ndarray) -> Callable[[Iterable[Any]], None]:
        """A worker that reads whole chunks and copies what is selected."""
        fetch, scratch = self._fetcher(), None
        regular, pipeline, fill = self.grid.regular, self.pipeline, self.fill
        in_order, axes, ndim = selection.in_order, selection.axes, len(self.grid.axes)
        prefix, encode = self.prefix, self.keys.encode
        place = _placer(selection)

        def work(items: Iterable[tuple[Part, ...]]) -> None:
            nonlocal pipeline, scratch
            for item in items:
                if in_order:
                    coords = tuple([part[0][0] for part in item])
                    inner = tuple([part[2][0] for part in item])
                else:
                    coords, inner = join(item, axes, ndim)
                key = prefix + encode(coords)
                data = fetch(key)
                if data is None:
                    self._absent(key)
                    place(out, item, fill)
                    continue
                if not regular:
                    pipeline = self.pipeline_at(coords)
                target = None
                try:
                    if pipeline.in_place:
                        nbytes: int = pipeline.spec.nbytes  # type: ignore[assignment]
                        target = _contiguous_place(out, item, pipeline.spec.shape)
                        if target is None:
                            if scratch is None or len(scratch) < nbytes:
                                scratch = np.empty(nbytes, np.uint8)
                            chunk = pipeline.decode(data, scratch)
                        else:
                            chunk = pipeline.decode(data, target)
                            if chunk.ctypes.data == target.ctypes.data:
                                continue  # decoded where it belongs
                    else:
                        chunk = pipeline.decode(data)
                except MissingDependencyError:
                    raise
                except (ZarrError, MemoryError) as cause:
                    raise self.fail(key, "decode", cause) from cause
                place(out, item, chunk, inner)

        return work

    # --- reading shards

    def _shard_reader(self, selection: Selection, out: np.ndarray) -> Callable[[Iterable[Any]], None]:
        """A worker that reads shards, each from its index to its last inner chunk."""
        read_inner = self._inner_reader(selection, out)

        def work(items: Iterable[tuple[Part, ...]]) -> None:
            for item in items:
                read_inner(self._shard_jobs(item, selection))

        return work

    def _shard_jobs(self, item: tuple[Part, ...], selection: Selection) -> Iterator[tuple[Any, ...]]:
        """For one shard: (encoded inner chunk or None, its pipeline, key, the parts it fills)."""
        coords, _ = join(item, selection.axes, len(self.grid.axes))
        key = self.key(coords)
        layout = sharding_of(self.pipeline_at(coords))
        assert layout is not None
        source = ShardSource(self.store, key)
        try:
            jobs = list(_inner_jobs(source, layout, item, selection.axes, self._extents(coords)))
        except ZarrError as cause:
            if isinstance(cause, (StoreError, MissingDependencyError)):
                raise
            raise self.fail(key, "decode", cause) from cause
        for data, pipeline, parts in jobs:
            if data is None:
                self._absent(key)
            yield data, pipeline, key, parts

    def _extents(self, coords: tuple[int, ...]) -> tuple[int, ...]:
        """How many elements of the chunk lie within the array, along each axis."""
        return tuple([s.stop - s.start for s in self.grid.region(coords)])

    def _inner_reader(self, selection: Selection, out: np.ndarray) -> Callable[[Iterable[Any]], None]:
        """A worker that decodes inner chunks."""
        scratch: np.ndarray | None = None
        place, fill = _placer(selection), self.fill
        axes, ndim = selection.axes, len(self.grid.axes)

        def work(jobs: Iterable[tuple[Any, ...]]) -> None:
            nonlocal scratch
            for data, pipeline, key, parts in jobs:
                if data is None:
                    place(out, parts, fill)
                    continue
                try:
                    target = None
                    if pipeline.in_place:
                        target = _contiguous_place(out, parts, pipeline.spec.shape)
                        if target is None:
                            if scratch is None or len(scratch) < pipeline.spec.nbytes:
                                scratch = np.empty(pipeline.spec.nbytes, np.uint8)
                    chunk = pipeline.decode(data, scratch if target is None else target)
                except MissingDependencyError:
                    raise
                except ZarrError as cause:
                    raise self.fail(key, "decode", cause) from cause
                if target is None or chunk.ctypes.data != target.ctypes.data:
                    place(out, parts, chunk, join(parts, axes, ndim)[1])

        return work

    # --- writing

    def write(self, selection: Selection, value: np.ndarray, fields: list[str] | None = None) -> None:
        """Write `value`, whose shape is `selection.shape` and whose type is the array's (or that of `fields`)."""
        _, items, chunks = self._plan(selection)
        if chunks == 0:
            return
        workers, batch = self._workers(chunks, chunks * self._chunk_nbytes())
        parallel.run(lambda: self._chunk_writer(selection, value, fields), items, workers, batch if batch < 8 else 8)

    def _chunk_writer(self, selection: Selection, value: np.ndarray, fields: list[str] | None) -> Callable[..., None]:
        axes, ndim, pick = selection.axes, len(self.grid.axes), _picker(selection)

        def work(items: Iterable[tuple[Part, ...]]) -> None:
            for item in items:
                coords, inner = join(item, axes, ndim)
                key, pipeline = self.key(coords), self.pipeline_at(coords)
                part = pick(value, item)
                whole = fields is None and all([p.complete for p in item])
                with _locks[hash(key) % len(_locks)]:
                    try:
                        if whole:
                            self._write_whole(key, pipeline, coords, part, inner)
                        else:
                            layout = sharding_of(pipeline)
                            if layout is not None:
                                self._write_into_shard(key, layout, coords, item, selection, value, fields)
                            else:
                                self._write_into_chunk(key, pipeline, part, inner, selection, item, fields)
                    except ZarrError as cause:
                        if isinstance(cause, (StoreError, MissingDependencyError, ChunkError)):
                            raise
                        raise self.fail(key, "write", cause) from cause

        return work

    def _write_whole(
        self, key: str, pipeline: Pipeline, coords: tuple[int, ...], part: np.ndarray, inner: tuple[Any, ...]
    ) -> None:
        chunk = part
        if part.shape != pipeline.spec.shape:  # a chunk that hangs over the edge is stored whole
            chunk = np.empty(pipeline.spec.shape, self.data_type.numpy)
            chunk[...] = self.fill
            chunk[inner] = part
        self.put(key, pipeline, chunk)

    def _write_into_chunk(
        self,
        key: str,
        pipeline: Pipeline,
        part: np.ndarray,
        inner: tuple[Any, ...],
        selection: Selection,
        item: tuple[Part, ...],
        fields: list[str] | None,
    ) -> None:
        chunk = self.load(key, pipeline)
        _assign(chunk, item, inner, part, selection, fields)
        self.put(key, pipeline, chunk)

    def load(self, key: str, pipeline: Pipeline) -> np.ndarray:
        """A chunk as an array of its own that may be changed; the fill value where there is none."""
        data = self.store.get(key)
        chunk = np.empty(pipeline.spec.shape, self.data_type.numpy)
        if data is None:
            chunk[...] = self.fill
            return chunk
        try:
            chunk[...] = pipeline.decode(data)
        except MissingDependencyError:
            raise
        except ZarrError as cause:
            raise self.fail(key, "decode", cause) from cause
        return chunk

    def put(self, key: str, pipeline: Pipeline, chunk: np.ndarray) -> None:
        """Encode and store a chunk, or delete it where it holds nothing but the fill value."""
        if not self.write_empty and is_fill(chunk, self.fill):
            self.store.delete(key)
        else:
            self.store.set(key, pipeline.encode(chunk))

    def _write_into_shard(
        self,
        key: str,
        layout: ShardLayout,
        coords: tuple[int, ...],
        item: tuple[Part, ...],
        selection: Selection,
        value: np.ndarray,
        fields: list[str] | None,
    ) -> None:
        """Encode the inner chunks that change; the others keep their bytes."""
        shard = self.store.get(key)
        view = None if shard is None else memoryview(shard)
        chunks: dict[tuple[int, ...], Any] = {}
        if view is not None:
            index = layout.index_of(view)
            for inner_coords, _ in layout.regions():
                span = layout.span(index, inner_coords, len(view))
                if span is not None:
                    chunks[inner_coords] = view[slice(*span)]
        pick = _picker(selection)
        spec, axes, ndim = layout.inner.spec, selection.axes, len(layout.counts)
        inner_axes = _inner_axes(layout, self._extents(coords))

        def start() -> Callable[[Iterable[Any]], None]:
            def work(items: Iterable[tuple[Part, ...]]) -> None:
                for parts in items:
                    at, inner = join(parts, axes, ndim)
                    part = pick(value, parts)
                    if fields is None and part.shape == spec.shape and all([p.complete for p in parts]):
                        chunk = part
                    else:
                        chunk = np.empty(spec.shape, self.data_type.numpy)
                        old = chunks.get(at)
                        chunk[...] = self.fill if old is None else layout.inner.decode(old)
                        _assign(chunk, parts, inner, part, selection, fields)
                    empty = not self.write_empty and is_fill(chunk, self.fill)
                    chunks[at] = None if empty else layout.inner.encode(chunk)

            return work

        split = [p.factor.split(tuple(inner_axes[a] for a in places)) for p, places in zip(item, axes, strict=True)]
        count = math.prod(map(len, split))
        workers = parallel.get_workers() if count * (spec.nbytes or 0) >= SMALL_JOB else 1
        parallel.run(start, itertools.product(*split), min(workers, count), 1)
        if all(data is None for data in chunks.values()):
            self.store.delete(key)
        else:
            self.store.set(key, layout.pack(sorted(chunks.items())))


# --- a shard as a source of bytes


class ShardSource:
    """The bytes of one shard in a store; or, for a shard within a shard, a stretch of another source."""

    def __init__(self, store: Store | None, key: str, data: memoryview | None = None) -> None:
        self.store, self.key, self.data = store, key, data

    def get(self, byte_range: Any) -> Any:
        """The bytes of a range; None where there is no shard."""
        if self.data is None:
            assert self.store is not None
            return self.store.get(self.key, byte_range)
        if isinstance(byte_range, int):
            return self.data[byte_range:]
        return self.data if byte_range is None else self.data[slice(*byte_range)]

    def get_ranges(self, ranges: list[tuple[int, int]]) -> list[Any]:
        """The bytes of several ranges; those close together come with one request."""
        if self.data is not None:
            return [self.data[start:stop] for start, stop in ranges]
        assert self.store is not None
        groups: list[list[int]] = []  # indices into ranges, each group one request
        end = None
        for i in sorted(range(len(ranges)), key=ranges.__getitem__):
            start, stop = ranges[i]
            if end is not None and start - end <= COALESCE_GAP:
                groups[-1].append(i)
                end = max(end, stop)
            else:
                groups.append([i])
                end = stop
        spans = [(ranges[g[0]][0], max(ranges[i][1] for i in g)) for g in groups]
        results: list[Any] = [None] * len(ranges)
        for group, (begin, _), data in zip(groups, spans, self.store.get_ranges(self.key, spans), strict=True):
            if data is None:
                raise StoreError(f"key {self.key!r}: expected the shard whose index was just read, found nothing")
            view = memoryview(data)
            for i in group:
                results[i] = view[ranges[i][0] - begin : ranges[i][1] - begin]
        return results


def _inner_axes(layout: ShardLayout, extents: tuple[int, ...]) -> tuple[Axis, ...]:
    """The grid of inner chunks, cut where the array ends."""
    return tuple([Axis(extent, length) for extent, length in zip(extents, layout.chunk_shape, strict=True)])


def _inner_jobs(
    source: ShardSource,
    layout: ShardLayout,
    item: tuple[Part, ...],
    axes: list[tuple[int, ...]],
    extents: tuple[int, ...],
) -> Iterator[tuple[Any, Pipeline, tuple[Part, ...]]]:
    """(encoded inner chunk or None, pipeline, parts) for each inner chunk that `item` touches.

    Where at least half of the inner chunks are wanted the shard is fetched whole, with one request; else the
    index is, and then the ranges.
    """
    inner_axes = _inner_axes(layout, extents)
    split = [p.factor.split(tuple([inner_axes[a] for a in places])) for p, places in zip(item, axes, strict=True)]
    wanted = list(itertools.product(*split))
    size = None
    if 2 * len(wanted) >= layout.nchunks:
        shard = source.get(None)
        if shard is not None:
            source = ShardSource(None, source.key, memoryview(shard).cast("B"))
            size = memoryview(shard).nbytes
    elif source.data is not None:
        shard, size = source.data, len(source.data)
    else:
        shard = b""
    encoded_index = None if shard is None else source.get(layout.index_range)
    if encoded_index is None:
        for parts in wanted:
            yield None, layout.inner, parts
        return
    index = layout.read_index(encoded_index)
    found: list[tuple[int, int]] = []
    present: list[tuple[Part, ...]] = []
    for parts in wanted:
        span = layout.span(index, join(parts, axes, len(inner_axes))[0], size)
        if span is None:
            yield None, layout.inner, parts
        else:
            found.append(span)
            present.append(parts)
    if size is None:
        _check_spans(layout, source, found)
    nested = sharding_of(layout.inner)
    for data, parts, (start, stop) in zip(source.get_ranges(found), present, found, strict=True):
        if len(data) != stop - start:
            raise layout.codec.fail(f"{stop - start} bytes at offset {start} of the shard", f"{len(data)}")
        if nested is None:
            yield data, layout.inner, parts
        else:
            at, _ = join(parts, axes, len(inner_axes))
            rest = tuple(
                [
                    min(length, extent - c * length)
                    for c, length, extent in zip(at, layout.chunk_shape, extents, strict=True)
                ]
            )
            yield from _inner_jobs(ShardSource(None, source.key, memoryview(data)), nested, parts, axes, rest)


def _check_spans(layout: ShardLayout, source: ShardSource, spans: list[tuple[int, int]]) -> None:
    """Refuse spans that are too large to be true before asking the store for them."""
    limit = layout.inner.encoded_size
    for start, stop in spans:
        if stop >= 1 << 62 or (limit is not None and stop - start != limit):
            raise layout.codec.fail(f"an inner chunk of {limit} bytes", f"an index entry for {stop - start} bytes")


# --- numpy indices


def _placer(selection: Selection) -> Callable[..., None]:
    """A function that copies (the selected part of) a chunk to its place in the output."""
    kinds = [type(f).__name__ for f in selection.factors]
    spans_only = all(kind == "Span" for kind in kinds)
    points = bool(kinds) and kinds[0] == "Points"
    point_axes = selection.axes[0] if points else ()

    def place(out: np.ndarray, item: tuple[Part, ...], chunk: np.ndarray, inner: Any = None) -> None:
        if inner is None:  # one value for all
            out[_outer(item, spans_only or points)] = chunk
        elif spans_only:
            out[tuple([part[3] for part in item])] = chunk[inner]
        elif points:
            out[_outer(item, True)] = _take_points(chunk, inner, point_axes)
        else:
            out[_outer(item, False)] = chunk[_open_mesh(inner, chunk.shape)]

    return place


def _picker(selection: Selection) -> Callable[..., np.ndarray]:
    """A function that gives the part of a value that goes into one chunk."""
    mesh = sum(type(f).__name__ == "Indices" for f in selection.factors) > 1

    def pick(value: np.ndarray, item: tuple[Part, ...]) -> np.ndarray:
        return value[_outer(item, not mesh)]

    return pick


def _outer(item: tuple[Part, ...], plain: bool) -> Any:
    places = tuple([part.outer for part in item])
    if plain or sum(isinstance(p, np.ndarray) for p in places) < 2:
        return places
    return _open_mesh(places, None)


def _open_mesh(index: tuple[Any, ...], shape: tuple[int, ...] | None) -> Any:
    """`index` such that numpy takes each axis by itself, where two or more hold arrays."""
    if sum(isinstance(i, np.ndarray) for i in index) < 2:
        return index
    return np.ix_(*[i if isinstance(i, np.ndarray) else np.arange(i.start, i.stop, i.step or 1) for i in index])


def _take_points(chunk: np.ndarray, inner: tuple[Any, ...], point_axes: tuple[int, ...]) -> np.ndarray:
    """The selected points first, then the axes that slices select."""
    moved = np.moveaxis(chunk, point_axes, range(len(point_axes)))
    rest = tuple([s for axis, s in enumerate(inner) if axis not in point_axes])
    return moved[(*[inner[a] for a in point_axes], *rest)]


def _assign(
    chunk: np.ndarray,
    item: tuple[Part, ...],
    inner: tuple[Any, ...],
    part: np.ndarray,
    selection: Selection,
    fields: list[str] | None,
) -> None:
    """Assign a part of the value to its place in a chunk, or in some fields of it."""
    for field in fields or [None]:  # type: ignore[list-item]
        place = chunk if field is None else chunk[field]
        value = part if field is None or part.dtype.names is None else part[field]
        if selection.points_shape is not None:
            axes = selection.axes[0]
            moved = np.moveaxis(place, axes, range(len(axes)))
            rest = tuple([s for axis, s in enumerate(inner) if axis not in axes])
            moved[(*[inner[a] for a in axes], *rest)] = value
        else:
            place[_open_mesh(inner, chunk.shape)] = value


def _contiguous_place(out: np.ndarray, item: tuple[Part, ...], shape: tuple[int, ...]) -> np.ndarray | None:
    """The chunk's place in the output as bytes, where the whole chunk goes to one contiguous stretch of it."""
    for part in item:
        if not part[4]:
            return None
    place = out[tuple([part[3] for part in item])]
    if place.shape != shape or not place.flags.c_contiguous or not place.size:
        return None
    return place.reshape(-1).view(np.uint8)
