"""Reading: the chunks that a selection touches, decoded to their places in the output."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import limits, parallel
from tutorial_zarr.codecs import Pipeline
from tutorial_zarr.errors import CodecError, LimitError, ZarrError
from tutorial_zarr.indexing import Selection, Split
from tutorial_zarr.stores.bounds import change_bound, check_size

from . import shards
from .chunks import LARGE_CHUNK, SMALL_JOB, ChunkIO

MANY = 1 << 16  # chunks along an axis from which on it is asked whether there is the memory to plan for them
Work = Callable[[Iterable[Any]], None]


def read(io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
    """Read a selection into `out`, whose shape is `selection.shape`."""
    if io.missing != "warn":
        _read(io, selection, out)
        return
    noting = io.noting()
    _read(noting, selection, out)
    noting.warn()


def _read(io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
    if sum(selection.shape) > MANY:  # each chunk along an axis takes about 512 bytes to plan for, whatever it holds
        along = sum(map(min, selection.shape, [axis.count for axis in io.grid.axes]))
        limits.check_memory(io.label, 512 * along if along > MANY else 0)
    split = selection.split(io.grid.axes)
    if split.count == 0:
        return
    size = io.chunk_nbytes
    if io.shards is not None or reads_raw(io, split):  # of such chunks no more is read than is needed
        size = min(size, 4 * math.prod(selection.shape) * io.data_type.numpy.itemsize // split.count)
    workers, batch = io.workers(split.count, size)
    if io.shards is None:
        names = map(io.keys.encode, split.coords()) if selection.points else io.keys.encode_all(split.axis_coords())
        jobs = zip(names, split.coords(), split.inner(), split.outer(), split.complete(), strict=True)
        parallel.run(lambda: _ChunkReader(io, split, out), jobs, workers, batch)
        return
    pieces = zip(split.coords(), split.items(), split.outer(), strict=True)
    plan = shards.Plan(io, selection)
    if split.count >= 2 * workers or (split.count > 1 and io.store.concurrency is not None):
        parallel.run(lambda: _ShardReader(io, split, out, plan), pieces, workers, 1)
    else:  # few shards: share out their inner chunks
        inner = (job for piece in pieces for job in plan.jobs(*piece))
        wanted = math.prod(selection.shape) * io.data_type.numpy.itemsize
        workers = parallel.get_workers() if wanted >= SMALL_JOB else 1
        parallel.run(lambda: _InnerReader(io, split, out), inner, workers, 1)


class Decoder:
    """Decodes chunks of one pipeline and puts them where they belong in the output. One for each worker."""

    def __init__(self, io: ChunkIO, pipeline: Pipeline, split: Split, out: np.ndarray) -> None:
        self.io, self.pipeline, self.selection, self.out = io, pipeline, split.selection, out
        self.scratch: np.ndarray | None = None
        self.contiguous = False
        self.together = 1
        if pipeline.in_place and pipeline.nbytes <= LARGE_CHUNK:  # type: ignore[operator]
            self.nbytes: int = pipeline.nbytes  # type: ignore[assignment]
            shape, self.box = pipeline.spec.shape, split.box
            axis = self.axis = next((axis for axis, n in enumerate(shape) if n > 1), len(shape))
            self.contiguous = self.nbytes > 0 and split.box and out.shape[axis + 1 :] == shape[axis + 1 :]
            if shape and not pipeline.raw:
                self.together = min(pipeline.together, split.count) if split.count > 1 else pipeline.together
            self._buffer = parallel.take_buffer(max(self.nbytes * self.together, 1))
            self.slots = self._buffer[: self.nbytes * self.together].reshape(self.together, self.nbytes)
            self.chunks = self.slots.view(io.data_type.numpy).reshape(self.together, *shape)
            self.scratch = self.slots[0]
            self.chunk = points_first(self.chunks[0, ...], self.selection)  # a view, also where there are no axes

    def close(self) -> None:
        """Give the scratch buffer back."""
        if self.scratch is not None:
            parallel.give_buffer(self._buffer)

    def put_all(self, group: list[tuple[Any, Any, Any, bool]]) -> None:
        """`put` for each (data, inner, outer, complete) of a group of neighbours."""
        present = [job for job in group if job[0] is not None]
        for job in group if len(present) < len(group) else ():
            if job[0] is None:
                self.put(*job)
        for start in range(0, len(present), self.together):
            few = present[start : start + self.together]
            if len(few) == 1:
                self.put(*few[0])
            else:
                self._put_together(few)

    def _put_together(self, group: list[tuple[Any, Any, Any, bool]]) -> None:
        """Decode all of a group, then copy: in one go, where whole chunks lie side by side in the output.

        C code lets other threads run Python, and must wait for them when it is done. The less Python there is between
        one decoding and the next, and the fewer the copies, the less threads wait for each other.
        """
        data, first, last = [job[0] for job in group], group[0][2], group[-1][2]
        complete = self.box and all(job[3] for job in group)
        if complete and self.contiguous and first[: self.axis] == last[: self.axis]:
            row = (*first[: self.axis], slice(first[self.axis].start, last[self.axis].stop))
            target = self.destination(row, len(group))
            if target is not None:
                self.pipeline.decode_all_into(data, target.reshape(len(group), -1))
                return
        self.pipeline.decode_all_into(data, self.slots[: len(group)])
        shape = self.pipeline.spec.shape
        if (
            complete
            and first[:-1] == last[:-1]
            and last[-1].stop - first[-1].start == shape[-1] * len(group)
            and all(part.stop - part.start == n for part, n in zip(first, shape, strict=True))
        ):
            row = self.out[(*first[:-1], slice(first[-1].start, last[-1].stop))]
            row = row.reshape(*row.shape[:-1], len(group), shape[-1])  # the last axis in two: a view, always
            row[...] = np.moveaxis(self.chunks[: len(group)], 0, -2)
            return
        for (_, inner, outer, _), chunk in zip(group, self.chunks, strict=False):
            self.out[outer] = points_first(chunk, self.selection)[inner]

    def destination(self, outer: tuple[Any, ...], count: int = 1) -> np.ndarray | None:
        """The bytes of the output where so many whole chunks go, if they are one contiguous stretch."""
        target = self.out[(*outer, ...)]
        if target.flags.c_contiguous and target.nbytes == self.nbytes * count:
            return target.reshape(-1).view(np.uint8)
        return None

    def put(self, data: Any, inner: Any, outer: Any, complete: bool) -> None:
        """Decode `data` (None: the fill value) and copy the part `inner` of the chunk to the place `outer`."""
        if data is None:
            self.out[(*outer, ...)] = self.io.fill
        elif self.scratch is None or self.pipeline.raw:
            self.out[outer] = points_first(self.pipeline.decode(data), self.selection)[inner]
        elif self.contiguous and complete and (target := self.destination(outer)) is not None:
            self.pipeline.decode_into(data, target)
        else:
            self.pipeline.decode_into(data, self.scratch)
            self.out[outer] = self.chunk[inner]


def points_first(chunk: np.ndarray, selection: Selection) -> np.ndarray:
    """A view of a chunk with the axes of points, if there are any, in front: as `Split.inner` indexes it."""
    if not selection.points:
        return chunk
    axes = selection.axes[0]
    return np.moveaxis(chunk, axes, range(len(axes)))


class _Reader:
    """A worker, whose thread reads no value larger than a chunk can be."""

    io: ChunkIO

    def enter(self) -> None:
        """Set the bound for this thread."""
        self._before = change_bound(self.io.bound)

    def exit(self) -> None:
        """Take it away."""
        change_bound(self._before)


class _ChunkReader(_Reader):
    """A worker that reads whole chunks, or, of a chunk stored as it is in memory, the stretches selected."""

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray) -> None:
        self.io = io
        self.decoder = Decoder(io, io.pipeline, split, out)
        self.raw = reads_raw(io, split)
        bound = shards.encoded_bound(io.pipeline, io.chunk_nbytes)
        self.together = self.decoder.together if io.grid.regular else 1
        self.reader = io.store.reader(io.prefix) if bound * self.together <= LARGE_CHUNK else None
        self.buffer = parallel.take_buffer(bound * self.together) if self.reader else None
        if self.buffer is not None:
            self.buffers = list(self.buffer[: bound * self.together].reshape(self.together, bound))

    def __enter__(self) -> Work:
        self.enter()
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.exit()
        self.decoder.close()
        parallel.give_buffer(self.buffer)

    def work(self, jobs: Iterable[tuple[str, tuple[int, ...], Any, Any, bool]]) -> None:
        jobs = iter(jobs)
        while group := list(itertools.islice(jobs, self.together)):
            if len(group) == 1 or not self.read_together(group):
                for job in group:
                    self.read_one(*job)

    def read_together(self, group: list[tuple[str, tuple[int, ...], Any, Any, bool]]) -> bool:
        """Read a group of chunks; False where something about them is wrong, and each must be looked at by itself."""
        try:
            data = [self.fetch(job[0], slot) for slot, job in enumerate(group)]
            if self.io.missing != "fill" and any(each is None for each in data):
                return False
            self.decoder.put_all([(each, *job[2:]) for each, job in zip(data, group, strict=True)])
        except (CodecError, LimitError):
            return False
        return True

    def read_one(self, name: str, coords: tuple[int, ...], inner: Any, outer: Any, complete: bool) -> None:
        """Read one chunk."""
        io, decoder = self.io, self.decoder
        try:
            if self.raw and self._read_raw(name, inner, outer, complete):
                return
            data = self.fetch(name)
            if data is None:
                io.absent(io.prefix + name)
            if io.grid.regular or data is None:
                decoder.put(data, inner, outer, complete)
            else:
                self._place(coords, data, inner, outer)
        except CodecError as cause:  # bad bytes; or a read that was cut short, which a second one shows
            data = io.store.get(io.prefix + name)
            if data is None or self.reader is None:
                io.give_up(io.prefix + name, "decode", cause)
            try:
                self._place(coords, data, inner, outer)
            except ZarrError as again:
                io.give_up(io.prefix + name, "decode", again)
        except ZarrError as cause:
            io.give_up(io.prefix + name, "decode", cause)

    def _place(self, coords: tuple[int, ...], data: Any, inner: Any, outer: Any) -> None:
        chunk = self.io.pipeline_at(coords).decode(data)
        self.decoder.out[outer] = points_first(chunk, self.decoder.selection)[inner]

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
            check_size(self.io.prefix + name, size - 1)
            self.buffers[slot] = parallel.aligned_empty(max(size, 2 * len(buffer)))
            return self.fetch(name, slot)
        return buffer[:size]

    def _read_raw(self, name: str, inner: tuple[Any, ...], outer: tuple[Any, ...], whole: bool) -> bool:
        """Read a chunk that is stored as it is in memory, without a detour; False where the usual way must do."""
        io, decoder = self.io, self.decoder
        if not whole and (stretches := choose_stretches(io, inner)) and self._read_stretches(name, stretches, outer):
            return True
        if self.reader is None:
            return False
        target = decoder.destination(outer) if whole and decoder.contiguous else None
        size = self.reader(name, decoder.scratch if target is None else target)
        if size != decoder.nbytes:
            return False  # absent, or of a wrong size: the usual way tells
        if target is None:
            decoder.out[outer] = decoder.chunk[inner]
        return True

    def _read_stretches(self, name: str, stretches: Stretches, outer: tuple[Any, ...]) -> bool:
        """Read a box of a raw chunk by its byte ranges."""
        io = self.io
        found = io.store.get_ranges(io.prefix + name, stretches.ranges)
        if all(data is None for data in found):
            io.absent(io.prefix + name)
            self.decoder.put(None, None, outer, False)
            return True
        if any(
            data is None or len(data) != stop - start
            for data, (start, stop) in zip(found, stretches.ranges, strict=True)
        ):
            return False  # not as long as it should be
        data = found[0] if len(found) == 1 else b"".join(found)
        self.decoder.out[outer] = np.frombuffer(data, io.data_type.numpy).reshape(stretches.shape)[stretches.rest]
        return True


def reads_raw(io: ChunkIO, split: Split) -> bool:
    """Whether chunks are stored as they are in memory, so that what is selected of one can be read by itself."""
    return io.pipeline.raw and split.box and io.grid.regular and io.chunk_nbytes <= LARGE_CHUNK


class Stretches(NamedTuple):
    """The byte ranges that hold a box of a chunk in C order."""

    ranges: list[tuple[int, int]]
    shape: tuple[int, ...]  # that they make together
    rest: tuple[slice, ...]  # what to take of it


def choose_stretches(io: ChunkIO, inner: tuple[slice, ...]) -> Stretches | None:
    """How best to read a box of a raw chunk; None where reading the whole chunk is no worse.

    A stretch covers a span of one axis and all of the axes behind it; the axes before it are walked through. The
    axis is chosen such that requests and bytes together cost least.
    """
    shape, itemsize, request_cost = io.pipeline.spec.shape, io.data_type.numpy.itemsize, io.store.request_cost
    if io.chunk_nbytes <= request_cost:
        return None
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
    return Stretches(
        [(start, start + length) for start in starts],
        (*walked_shape, span.stop - span.start, *shape[choice + 1 :]),
        (*[slice(None)] * choice, slice(None, None, span.step), *inner[choice + 1 :]),
    )


class _InnerReader(_Reader):
    """A worker that decodes inner chunks."""

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray) -> None:
        self.io, self.split, self.out = io, split, out
        self.decoders: dict[int, Decoder] = {}  # by pipeline: uneven and nested shards have several

    def __enter__(self) -> Work:
        self.enter()
        return self.work

    def __exit__(self, *exception: object) -> None:
        self.exit()
        for decoder in self.decoders.values():
            decoder.close()

    def work(self, jobs: Iterable[tuple[str, Pipeline, list[Any]]]) -> None:
        for key, pipeline, group in jobs:
            decoder = self.decoders.get(id(pipeline))
            if decoder is None:
                decoder = self.decoders[id(pipeline)] = Decoder(self.io, pipeline, self.split, self.out)
            try:
                for job in group if self.io.missing != "fill" or self.io.doubt else ():
                    if job[0] is None:
                        self.io.absent(key)
                decoder.put_all(group)
            except ZarrError as cause:
                self.io.give_up(key, "decode", cause)


class _ShardReader(_InnerReader):
    """A worker that reads shards, each from its index to its last inner chunk."""

    def __init__(self, io: ChunkIO, split: Split, out: np.ndarray, plan: shards.Plan) -> None:
        super().__init__(io, split, out)
        self.plan, layout = plan, io.shards
        bound = layout.nchunks * shards.encoded_bound(layout.inner, layout.inner.nbytes or 0) + layout.index_size
        held = bound <= LARGE_CHUNK and io.store.reader(io.prefix) is not None
        self.buffer = parallel.take_buffer(bound) if held else None

    def __enter__(self) -> Work:
        self.enter()
        return self.work_shards

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        parallel.give_buffer(self.buffer)

    def work_shards(self, pieces: Iterable[tuple[tuple[int, ...], Any, Any]]) -> None:
        for piece in pieces:
            self.work(self.plan.jobs(*piece, self.buffer))
