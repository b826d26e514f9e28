"""Reading, quickly: the chunks that a selection touches, decoded to their places in the output.

`plain.read` is what it comes to. Each quick way here opens with its reason::

    ScratchDecoder   decodes into memory that is used again, or straight into the output; small chunks by the batch
    _ChunkReader     fetches chunks into a buffer that is used again
    _RawReader       of chunks that are stored as they are in memory, the bytes alone that are selected
    _InnerReader     inner chunks of shards, which `shards` fetches
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import limits, parallel
from tutorial_zarr.codecs import Pipeline
from tutorial_zarr.codecs.sharding import ShardLayout
from tutorial_zarr.errors import CodecError, LimitError, ZarrError
from tutorial_zarr.indexing import Selection, Split, points_first
from tutorial_zarr.stores import bounds

from . import plain, shards
from .chunks import LARGE_CHUNK, ChunkIO

MANY = 1 << 16  # with more chunks than this along an axis, ask first whether there is memory to plan for them
Work = Callable[[Iterable[Any]], None]
Place = tuple[Any, Any, bool]  # chunk selection, out selection, whether the chunk is complete: as in a ChunkProjection


def read(io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
    """Read a selection into `out`, whose shape is `selection.shape`."""
    if sum(selection.shape) > MANY:  # each chunk along an axis takes about 512 bytes to plan for, whatever it holds
        along = sum(map(min, selection.shape, [axis.count for axis in io.grid.axes]))
        limits.check_memory(io.label, 512 * along if along > MANY else 0)
    split = selection.split(io.grid.axes)
    if split.count == 0:
        return
    if io.missing == "warn":
        io = io.noting()
    if io.shards is None:
        _read_chunks(io, split, out)
    else:
        _read_shards(io, io.shards, split, out)
    if io.absences:
        io.warn()


def _read_chunks(io: ChunkIO, split: Split, out: np.ndarray) -> None:
    raw, size = reads_raw(io, split), io.chunk_nbytes
    if raw:
        size = min(size, _needed(io, split))
    jobs = zip(names(io, split), split.chunk_coords(), split.places(), strict=True)
    workers, batch = parallel.shares(split.count, size, concurrency=io.store.concurrency)
    reader = _RawReader if raw else _ChunkReader
    parallel.run(lambda: reader(io, split, out), jobs, workers, batch)


def _read_shards(io: ChunkIO, layout: ShardLayout, split: Split, out: np.ndarray) -> None:
    size = min(io.chunk_nbytes, _needed(io, split))
    workers, _ = parallel.shares(split.count, size, concurrency=io.store.concurrency)
    plan = shards.ShardPlan(io, split.selection)
    pieces = zip(split.chunk_coords(), split.axis_projections(), split.out_selections(), strict=True)
    if split.count >= 2 * workers or (split.count > 1 and io.store.concurrency is not None):
        parallel.run(lambda: _ShardReader(io, split, out, plan, layout), pieces, workers, 1)
    else:  # few shards: share out their inner chunks
        inner_jobs = (job for coords, item, place in pieces for job in plan.jobs(coords, item, place))
        workers = parallel.get_workers() if out.nbytes >= parallel.SMALL_JOB else 1
        parallel.run(lambda: _InnerReader(io, split, out), inner_jobs, workers, 1)


def _needed(io: ChunkIO, split: Split) -> int:
    """About what is read of a chunk, or shard, of which no more is read than is needed."""
    return 4 * math.prod(split.selection.shape) * io.data_type.numpy.itemsize // split.count


def names(io: ChunkIO, split: Split) -> Iterator[str]:
    """The keys of the chunks without the array's path; most parts of a key are shared along an axis."""
    return (
        map(io.keys.encode, split.chunk_coords()) if split.selection.points else io.keys.encode_all(split.axis_coords())
    )


class ScratchDecoder(plain.Decoder):
    """Decodes in place, where the pipeline can: fresh memory, and every copy, cost more than many a chunk's decoding.

    A chunk whose place in the output is contiguous is decoded straight into it; any other into scratch memory. One for
    each worker. It is given `most` chunks at a time, and takes no memory for more.
    """

    def __init__(self, io: ChunkIO, pipeline: Pipeline, split: Split, out: np.ndarray, most: int = MANY) -> None:
        self.io, self.pipeline, self.selection, self.out = io, pipeline, split.selection, out
        self.scratch: np.ndarray | None = None
        self.contiguous = False
        self.batch_size = 1
        if pipeline.in_place and pipeline.nbytes <= LARGE_CHUNK:  # type: ignore[operator]
            self.nbytes: int = pipeline.nbytes  # type: ignore[assignment]
            shape, self.box = pipeline.spec.shape, split.box
            axis = self.axis = next((axis for axis, n in enumerate(shape) if n > 1), len(shape))
            self.contiguous = self.nbytes > 0 and split.box and out.shape[axis + 1 :] == shape[axis + 1 :]
            if shape and not pipeline.raw:
                self.batch_size = min(pipeline.batch_size, most)
            self._buffer = parallel.take_buffer(max(self.nbytes * self.batch_size, 1))
            self.slots = self._buffer[: self.nbytes * self.batch_size].reshape(self.batch_size, self.nbytes)
            self.scratch = self.slots[0]
            self.chunks = self.slots.view(io.data_type.numpy).reshape(self.batch_size, *shape)
            self.chunk = self.chunks[0, ...]  # a view, also where there are no axes
            if split.selection.points and not pipeline.raw:  # of raw chunks `decode` makes a view
                self.chunk = points_first(self.chunk, split.selection)

    def close(self) -> None:
        """Give the scratch buffer back."""
        if self.scratch is not None:
            parallel.give_buffer(self._buffer)

    def place(self, data: Any, chunk_selection: Any, out_selection: Any, is_complete: bool = False) -> None:
        if data is None or self.scratch is None or self.pipeline.raw:
            super().place(data, chunk_selection, out_selection)
        elif self.contiguous and is_complete and (target := self.destination(out_selection)) is not None:
            self.pipeline.decode_into(data, target)
        else:
            self.pipeline.decode_into(data, self.scratch)
            self.out[out_selection] = self.chunk[chunk_selection]

    def destination(self, out_selection: tuple[Any, ...], count: int = 1) -> np.ndarray | None:
        """The bytes of the output where so many whole chunks go, if they are one contiguous stretch."""
        target = self.out[(*out_selection, ...)]
        if target.flags.c_contiguous and target.nbytes == self.nbytes * count:
            return target.reshape(-1).view(np.uint8)
        return None

    def place_all(self, group: list[tuple[Any, Place]]) -> None:
        """`place` for each (data, place) of a group of neighbours."""
        present = [(data, place) for data, place in group if data is not None]
        if len(present) < len(group):
            for data, place in group:
                if data is None:
                    self.place(data, *place)
        for start in range(0, len(present), self.batch_size):
            few = present[start : start + self.batch_size]
            if len(few) == 1:
                ((data, place),) = few
                self.place(data, *place)
            else:
                self._place_batch([data for data, _ in few], [place for _, place in few])

    def _place_batch(self, data: list[Any], places: list[Place]) -> None:
        """Decode all of a batch, then copy: in one go, where whole chunks lie side by side in the output.

        C code lets other threads run Python, and must wait for them when it is done. The less Python there is between
        one decoding and the next, and the fewer the copies, the less threads wait for each other.
        """
        count, shape = len(data), self.pipeline.spec.shape
        (_, first, _), (_, last, _) = places[0], places[-1]
        complete = self.box and all(is_complete for _, _, is_complete in places)
        if complete and self.contiguous and first[: self.axis] == last[: self.axis]:
            row = (*first[: self.axis], slice(first[self.axis].start, last[self.axis].stop))
            target = self.destination(row, count)
            if target is not None:
                self.pipeline.decode_all_into(data, target.reshape(count, -1))
                return
        self.pipeline.decode_all_into(data, self.slots[:count])
        if complete and _is_row(first, last, shape, count):
            place = self.out[(*first[:-1], slice(first[-1].start, last[-1].stop))]
            place = place.reshape(*place.shape[:-1], count, shape[-1])  # the last axis in two: a view, always
            place[...] = np.moveaxis(self.chunks[:count], 0, -2)
            return
        for chunk, (chunk_selection, out_selection, _) in zip(self.chunks, places, strict=False):
            if self.selection.points:
                chunk = points_first(chunk, self.selection)
            self.out[out_selection] = chunk[chunk_selection]


def _is_row(first: tuple[slice, ...], last: tuple[slice, ...], shape: tuple[int, ...], count: int) -> bool:
    """Whether the places of whole chunks, from the first to the last, lie side by side along the last axis."""
    return (
        first[:-1] == last[:-1]
        and last[-1].stop - first[-1].start == shape[-1] * count
        and all(place.stop - place.start == n for place, n in zip(first, shape, strict=True))
    )


class _Reader:
    """A worker, whose thread reads no value larger than a chunk can be."""

    io: ChunkIO

    def enter(self) -> None:
        """Set the bound for this thread."""
        here = bounds.here
        self._before, here.bound = here.bound, self.io.bound or self.io.make_bound()

    def exit(self) -> None:
        """Take it away."""
        bounds.here.bound = self._before


class _ChunkReader(_Reader):
    """A worker that fetches chunks into buffers that are used again; small ones by the batch.

    What is odd about a chunk (its grid, its codecs, what is wrong with it) is left to `plain.Decoder`.
    """

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray) -> None:
        self.io, self.out, self.selection = io, out, split.selection
        # Where requests go far each worker takes one chunk at a time, as `parallel.shares` has it.
        self.decoder = ScratchDecoder(
            io, io.pipeline, split, out, 1 if io.store.concurrency is not None else split.count
        )
        self.regular = io.grid.regular
        size = self.size = io.pipeline.encoded_bound or io.chunk_nbytes + (io.chunk_nbytes >> 6) + 256
        self.batch_size = self.decoder.batch_size if self.regular else 1
        self.reader = io.store.reader(io.prefix) if size * self.batch_size <= LARGE_CHUNK else None
        self.buffer = parallel.take_buffer(size * self.batch_size) if self.reader else None
        if self.buffer is not None:
            self.buffers = list(self.buffer[: size * self.batch_size].reshape(self.batch_size, size))

    def __enter__(self) -> Work:
        self.enter()
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.exit()
        self.decoder.close()
        parallel.give_buffer(self.buffer)

    def work(self, jobs: Iterable[tuple[str, tuple[int, ...], Place]]) -> None:
        jobs = iter(jobs)
        while group := list(itertools.islice(jobs, self.batch_size)):
            if len(group) == 1 or not self.read_batch(group):
                for name, chunk_coords, place in group:
                    self.read(name, chunk_coords, *place)

    def read_batch(self, group: list[tuple[str, tuple[int, ...], Place]]) -> bool:
        """Read a group of chunks; False where something about them is wrong, and each must be looked at by itself."""
        io = self.io
        try:
            found = [(self.fetch(name, slot), place) for slot, (name, _, place) in enumerate(group)]
            if (io.missing != "fill" or io.doubt) and any(data is None for data, _ in found):
                return False
            self.decoder.place_all(found)
        except (CodecError, LimitError):
            return False
        return True

    def read(
        self, name: str, chunk_coords: tuple[int, ...], chunk_selection: Any, out_selection: Any, is_complete: bool
    ) -> None:
        """Read one chunk. Where its bytes are bad it is fetched once more: a read may have been cut short."""
        io = self.io
        try:
            data = self.fetch(name)
            if data is None:
                io.absent(io.prefix + name)
            if self.regular or data is None:
                self.decoder.place(data, chunk_selection, out_selection, is_complete)
            else:
                self.plain_decoder(chunk_coords).place(data, chunk_selection, out_selection)
        except CodecError as cause:
            data = io.store.get(io.prefix + name)
            if data is None or self.reader is None:
                io.give_up(io.prefix + name, "decode", cause)
            try:
                self.plain_decoder(chunk_coords).place(data, chunk_selection, out_selection)
            except ZarrError as again:
                io.give_up(io.prefix + name, "decode", again)
        except ZarrError as cause:
            io.give_up(io.prefix + name, "decode", cause)

    def plain_decoder(self, chunk_coords: tuple[int, ...]) -> plain.Decoder:
        """What decodes one chunk, whatever its shape is."""
        return plain.Decoder(self.io, self.io.pipeline_at(chunk_coords), self.selection, self.out)

    def fetch(self, name: str, slot: int = 0) -> Any:
        """The bytes of a chunk, valid until the next call with that slot; None where there is none."""
        if self.reader is None:
            return self.io.store.get(self.io.prefix + name)
        buffer = self.buffers[slot]
        size = self.reader(name, buffer)
        if size is None:
            return None
        if size > len(buffer):
            size = (self.io.store.get_size(self.io.prefix + name) or 0) + 1
            bounds.check_size(self.io.prefix + name, size - 1)
            self.buffers[slot] = parallel.aligned_empty(max(size, 2 * len(buffer)))
            return self.fetch(name, slot)
        return buffer[:size]


class _RawReader(_ChunkReader):
    """A worker for chunks that are stored as they are in memory: nothing is decoded. Of large chunks it reads only the
    stretches that are selected; others the store reads straight into the output.
    """

    def read(
        self, name: str, chunk_coords: tuple[int, ...], chunk_selection: Any, out_selection: Any, is_complete: bool
    ) -> None:
        io, done = self.io, False
        try:
            if not is_complete and (stretches := choose_stretches(io, chunk_selection)):
                done = self._read_stretches(name, stretches, out_selection)
            if not done and self.reader is not None:
                done = self._read_whole(name, chunk_selection, out_selection, is_complete)
        except ZarrError as cause:
            if not isinstance(cause, CodecError):
                io.give_up(io.prefix + name, "decode", cause)
        if not done:  # absent, or of a wrong size: the usual way tells
            super().read(name, chunk_coords, chunk_selection, out_selection, is_complete)

    def _read_whole(self, name: str, chunk_selection: Any, out_selection: Any, is_complete: bool) -> bool:
        decoder = self.decoder
        target = decoder.destination(out_selection) if is_complete and decoder.contiguous else None
        if self.reader(name, decoder.scratch if target is None else target) != decoder.nbytes:  # type: ignore[misc]
            return False
        if target is None:
            self.out[out_selection] = decoder.chunk[chunk_selection]
        return True

    def _read_stretches(self, name: str, stretches: Stretches, out_selection: Any) -> bool:
        """Read a box of a chunk by its byte ranges."""
        io, ranges = self.io, stretches.ranges
        found = io.store.get_ranges(io.prefix + name, ranges)
        if all(data is None for data in found):
            io.absent(io.prefix + name)
            self.decoder.place(None, None, out_selection)
            return True
        lengths = [-1 if data is None else len(data) for data in found]
        if lengths != [stop - start for start, stop in ranges]:
            return False  # not as long as it should be
        data = found[0] if len(found) == 1 else b"".join(found)
        self.out[out_selection] = np.frombuffer(data, io.data_type.numpy).reshape(stretches.shape)[stretches.rest]
        return True


def reads_raw(io: ChunkIO, split: Split) -> bool:
    """Whether chunks are stored as they are in memory, so that what is selected of one can be read by itself."""
    return io.pipeline.raw and split.box and io.grid.regular and io.chunk_nbytes <= LARGE_CHUNK


class Stretches(NamedTuple):
    """The byte ranges that hold a box of a chunk in C order."""

    ranges: list[tuple[int, int]]
    shape: tuple[int, ...]  # that they make together
    rest: tuple[slice, ...]  # what to take of it


def choose_stretches(io: ChunkIO, box: tuple[slice, ...]) -> Stretches | None:
    """How best to read a box of a raw chunk; None where reading the whole chunk is no worse.

    A stretch covers a span of one axis and all of the axes behind it; the axes before it are walked through. The
    axis is chosen such that requests and bytes together cost least.
    """
    shape, itemsize, request_cost = io.pipeline.spec.shape, io.data_type.numpy.itemsize, io.store.request_cost
    if io.chunk_nbytes <= request_cost:
        return None
    strides = [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    best, choice, walked = strides[0] * shape[0] // 2 if shape else 0, None, 1
    for axis, part in enumerate(box):
        nbytes = walked * (part.stop - part.start) * strides[axis]
        if (cost := walked * request_cost + nbytes) < best:
            best, choice = cost, axis
        walked *= len(range(part.start, part.stop, part.step))
    if choice is None:
        return None
    span = box[choice]
    starts = [span.start * strides[choice]]
    for axis in reversed(range(choice)):
        steps = range(box[axis].start, box[axis].stop, box[axis].step)
        starts = [index * strides[axis] + start for index in steps for start in starts]
    length = (span.stop - span.start) * strides[choice]
    walked_shape = tuple(len(range(s.start, s.stop, s.step)) for s in box[:choice])
    return Stretches(
        [(start, start + length) for start in starts],
        (*walked_shape, span.stop - span.start, *shape[choice + 1 :]),
        (*[slice(None)] * choice, slice(None, None, span.step), *box[choice + 1 :]),
    )


class _InnerReader(_Reader):
    """A worker that decodes inner chunks of shards."""

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray) -> None:
        self.io, self.split, self.out = io, split, out
        self.decoders: dict[int, ScratchDecoder] = {}  # by pipeline: uneven and nested shards have several

    def __enter__(self) -> Work:
        self.enter()
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.exit()
        for decoder in self.decoders.values():
            decoder.close()

    def work(self, jobs: Iterable[tuple[str, Pipeline, list[tuple[Any, Place]]]]) -> None:
        io = self.io
        for key, pipeline, group in jobs:
            decoder = self.decoders.get(id(pipeline))
            if decoder is None:
                decoder = self.decoders[id(pipeline)] = ScratchDecoder(io, pipeline, self.split, self.out)
            try:
                if io.missing != "fill" or io.doubt:
                    for data, _ in group:
                        if data is None:
                            io.absent(key)
                decoder.place_all(group)
            except ZarrError as cause:
                io.give_up(key, "decode", cause)


class _ShardReader(_InnerReader):
    """A worker that reads shards, each from its index to its last inner chunk, into a buffer that is used again."""

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray, plan: shards.ShardPlan, layout: ShardLayout) -> None:
        super().__init__(io, split, out)
        self.plan = plan
        size = layout.nchunks * (layout.inner.encoded_bound or 256) + layout.index_size
        held = size <= LARGE_CHUNK and io.store.reader(io.prefix) is not None
        self.buffer = parallel.take_buffer(size) if held else None

    def __enter__(self) -> Work:
        self.enter()
        return self.work_shards

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        parallel.give_buffer(self.buffer)

    def work_shards(self, pieces: Iterable[tuple[tuple[int, ...], Any, Any]]) -> None:
        for shard_coords, item, out_selection in pieces:
            self.work(self.plan.jobs(shard_coords, item, out_selection, self.buffer))
