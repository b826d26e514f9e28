"""Changing an array's shape: `resize`, and `append` by any number of writers at once.

What must never happen: that an append is lost or done twice; that the metadata promise elements that nobody has
written, with nothing that says so. How that is kept depends on what the store can do.

Where a lock keeps all others out (folders, memory), the elements are written first and the shape last; whoever is
killed in between has changed nothing that a reader sees. Where there is none (buckets), or only one for the whole
store (SQLite), an append first reserves its place: one conditional write of the document makes the shape larger and
adds a mark, a second one takes the mark away when the elements are there. A mark is a member of the document that
readers may ignore, and says who writes (`stores.writers`)::

    "unfinished_writes": {"must_understand": false, "5f0c": {"axis": 0, "start": 100, "stop": 110, "since": 1.7e9}}

The mark of a writer that is gone is in nobody's way: where it is at the end of the array, the next append begins where
that one did. An append that fails, but lives, takes back what it did. `reserve` makes room without changing what
readers see, on several arrays at once (`reserving`).

Each change of a document is made such that it may be made again: the answer of a bucket may be lost, and another
writer come in between. So it looks for its own mark first.

`unfinished` lists the marks, `finish` deals with one that a killed writer left, and so does the doctor.
Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#metadata

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(0, 2), chunks=(4, 2), dtype="i4")
>>> a.append([[1, 2], [3, 4]]), a.append([[5, 6]])
((2, 2), (3, 2))
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import numpy as np

from tutorial_zarr import consolidation, nodes
from tutorial_zarr.errors import MetadataError, SelectionError, StoreError, ValueMismatchError
from tutorial_zarr.metadata import ArrayMetadata, Unfinished
from tutorial_zarr.stores import writers
from tutorial_zarr.stores.locks import jitter

from .chunks import ChunkAccess
from .reserving import Reservation, Room, settle

PATIENCE = 2.0  # seconds for which a change of the shape waits for another one, before it says who is in the way
Marks = dict[str, Unfinished]


class _InTheWay(Exception):  # noqa: N818 - it never leaves this module
    """A mark that a change of the shape has to wait for; or `over`: that has to be dealt with first."""

    def __init__(self, name: str, mark: Unfinished, over: bool) -> None:
        self.name, self.mark, self.over = name, mark, over


class Growing(ChunkAccess):
    """An array that can change its shape."""

    def refresh(self) -> tuple[int, ...]:
        """Take on the metadata as they are now, since others may have changed them; returns the shape."""
        self._bind(nodes.read_array(self.store, self.path, self.metadata))
        return self.shape

    @property
    def _exclusive(self) -> bool:
        """Whether a lock on the metadata keeps the other writers out while chunks are written."""
        return self.store.locks_keys and not self.store.conditional

    def _with(self, metadata: ArrayMetadata, alone: bool = False) -> Growing:
        """The array as other metadata have it. `alone`: nobody else can write beyond its shape."""
        return type(self)(self.store, self.path, metadata, **{**self._options, "alone": alone})

    def _change(self, change: Callable[[ArrayMetadata], ArrayMetadata]) -> ArrayMetadata:
        """Change the metadata such that no other change of them is lost. `change` may be called again: see above."""
        return nodes.change_array(self.store, self.path, self.metadata, change)

    def _renew_consolidated(self) -> bool:
        """Write the new shape where consolidated metadata hold it: one request for each group above.

        It tells whether any do.
        """
        return bool(self.path) and consolidation.renew(self.store, self.path, self.zarr_format, tree=False)

    # --- others who are at it

    def _look(self, now: ArrayMetadata, dead: Collection[str] = ()) -> None:
        """Raise where somebody may be writing, or deleting, beyond the shape.

        Marks within it are those of other appends, which have their place; of arrays that grew as one, the last one's
        mark may be left, until the groups above know of all of them. Where a lock is held, a mark that names
        nobody is one that a killed writer left.
        """
        for name, mark in now.unfinished.items():
            inside = mark.start < now.shape[mark.axis]
            if (inside and not mark.among) or name in dead or (self._exclusive and mark.by is None):
                continue
            over = writers.is_over(mark.by, mark.since)
            if mark.among if over else not inside:
                raise _InTheWay(name, mark, over)

    def _when_free(self, attempt: Callable[[], Any]) -> Any:
        """What `attempt` returns once nobody is in the way: wait a little for the living, and settle for the dead."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return attempt()
            except _InTheWay as found:
                if found.over:
                    settle(self, found.name)
                elif time.monotonic() < deadline:
                    time.sleep(jitter(0.01, 0.1))
                else:
                    raise StoreError(
                        f"{self._label}: expected nobody to change its shape, found a change of what lies behind "
                        f"{found.mark.start} along axis {found.mark.axis}, "
                        f"{writers.describe(found.mark.by, found.mark.since)}; nothing was written; try again when it "
                        f"is done; if its writer is gone, finish({found.name!r}) takes its mark away, and another "
                        "resize what it left",
                        path=self.path,
                    ) from None

    # --- any shape

    def resize(self, *shape: Any) -> None:
        """Change the shape. What is cut off is gone, and stays gone when the array grows again.

        A reader sees the array cut at once, then larger: never elements that are about to go. Until it has its new
        shape, in the metadata of the groups above as well, there is a mark in `unfinished`.
        """
        new = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        self._check_writable("its shape")
        if len(new) != self.ndim or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in new):
            raise MetadataError(
                f"{self._label}: expected a length of at least 0 for each axis of the shape {self.shape}, found {new}",
                key="shape",
            )
        wanted = tuple(int(n) for n in new)
        self._resize(lambda now: wanted)

    def _resize(self, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str] = ()) -> None:
        """Change the shape to what `choose` makes of the newest metadata, and clear all beyond it.

        `dead` names the marks of writers of whom one knows that they are gone.
        """
        if self.ndim:
            resize = self._resize_locked if self._exclusive else self._resize_marked
            self._when_free(lambda: resize(choose, dead))

    def _resize_locked(self, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str]) -> None:
        with self.store.lock(nodes.array_key(self.path, self.zarr_format)):
            now = nodes.read_array(self.store, self.path, self.metadata)
            self._look(now, dead)
            cut, after = self._resized(now, choose(now), "resize")
            if cut.shape != now.shape:
                nodes.write_array(self.store, self.path, cut)
            told = cut.shape != now.shape and self._renew_consolidated()
            self._with(cut)._clear_beyond()
            if told and after.shape != cut.shape:  # the groups above are told of the new shape while a mark is there
                nodes.write_array(self.store, self.path, _grown(cut, after, "resize"))
                self._renew_consolidated()
            if after.document != now.document:
                nodes.write_array(self.store, self.path, after)
            self._bind(after)
        self._renew_consolidated()

    def _resize_marked(self, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str]) -> None:
        by, old, shape, ended = writers.me(), self.shape, self.shape, False
        name = by["token"]

        def begin(now: ArrayMetadata) -> ArrayMetadata:
            nonlocal old, shape
            if _own(now, name):
                return now
            self._look(now, dead)
            old, shape = now.shape, choose(now)
            return self._resized(now, shape, name, by)[0]

        def grow(now: ArrayMetadata) -> ArrayMetadata:
            if not _own(now, name) or now.shape == shape:
                return now
            return _grown(now, self._resized(now, shape, name)[1], name)

        def end(now: ArrayMetadata) -> ArrayMetadata:
            nonlocal ended
            if _own(now, name):
                ended = True
                return self._resized(now, shape, name)[1]
            if not ended:
                raise StoreError(
                    f"{self._label}: expected to resize it to {shape}, found that others went on from "
                    f"{now.shape}: this writer was taken for gone; try again",
                    path=self.path,
                )
            return now

        try:
            cut = self._change(begin)
            told = cut.shape != old and self._renew_consolidated()
            self._with(cut)._clear_beyond()
            if told and cut.shape != shape:  # the groups above are told of the new shape while a mark is there
                self._change(grow)
                self._renew_consolidated()
            self._bind(self._change(end))
        finally:
            writers.end(by)
        self._renew_consolidated()

    def _resized(
        self, now: ArrayMetadata, new: tuple[int, ...], name: str, by: dict[str, Any] | None = None
    ) -> tuple[ArrayMetadata, ArrayMetadata]:
        """Metadata for the time in which what lies beyond the new shape, or the old one, is cleared; and for after."""
        after = now.with_shape(new, self._with(now).grid.resized(new, self._inner or (1,) * self.ndim))
        self._with(after)  # nothing is changed that would not open
        kept, since = tuple(map(min, now.shape, new)), time.time()
        changing = [axis for axis in range(self.ndim) if now.shape[axis] != new[axis]] or [0]
        own = {
            f"{name}-{axis}": Unfinished(axis, kept[axis], max(now.shape[axis], new[axis]), since, by)
            for axis in changing
        }
        inside = {
            key: mark._replace(stop=min(mark.stop, kept[mark.axis]), shape=())
            for key, mark in now.unfinished.items()
            if mark.start < kept[mark.axis]
        }
        return now.with_shape(kept).with_unfinished(now.unfinished | inside | own), after.with_unfinished(inside)

    def _clear_beyond(self) -> None:
        """Delete what is stored beyond the shape: whole chunks, and what hangs over the edge in others.

        It may be old elements, or another writer's padding, and would come to light in a larger array.
        """
        start = len(self._io.prefix)
        for key in list(self.store.list_prefix(self.path)):
            coords = self._io.keys.decode(key[start:], self.ndim)
            if coords is not None:
                self._clear_unit(coords)

    def _clear_unit(self, coords: tuple[int, ...]) -> None:
        """Delete what one write unit holds beyond the shape."""
        io = self._io
        if not all(c < n for c, n in zip(coords, io.grid.counts, strict=True)):
            self.store.delete(io.key(coords))
            return
        origin, shape = io.grid.origin(coords), io.grid.chunk_shape(coords)
        inside = tuple([max(0, min(n, v - o)) for n, v, o in zip(shape, io.shape, origin, strict=True)])
        if inside == shape:
            return

        def clear(chunk: np.ndarray) -> bool:
            before, kept = chunk.copy(), tuple([slice(n) for n in inside])
            chunk[...] = io.fill
            chunk[kept] = before[kept]
            return not same_bits(before, chunk)

        io.update(io.key(coords), io.pipeline_at(coords), clear)

    # --- longer by a block

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Add `data` at the end of an axis, and return the shape that ends with it.

        Any number of writers may append at once: blocks do not mix, none is lost, and those of one writer keep their
        order. `shape` is then the newest one. Requests, where the block takes `whole` write units and `partial` ones:
        2 + `whole` + 2 `partial`, and 1 more where units are new; in buckets and in SQLite 4 + `whole` + 2 `partial`,
        of which a unit that hangs over the new edge is one; and 1 for each group above, which may be consolidated.
        Nothing is listed. What a killed writer left is in `unfinished`; the next append takes its place.
        """
        self._check_writable("elements")
        value = self._cast(data, self.dtype, self.ndim)  # an error here comes before anything has changed
        axis = self._checked_axis(axis)
        if value.ndim == self.ndim and value.shape[axis]:
            return self._append(value, axis)
        self._check_block(value, self.shape, axis)
        return self.shape

    def _checked_axis(self, axis: int) -> int:
        if not -self.ndim <= axis < self.ndim:
            raise SelectionError(f"{self._label}: expected an axis below {self.ndim}, found {axis}", axis=axis)
        return axis % self.ndim

    def _append(self, value: np.ndarray, axis: int, at: int | None = None) -> tuple[int, ...]:
        """`append` for a block of the array's type; with `at`, only if it will begin there."""
        append = self._append_locked if self._exclusive else self._append_reserved
        shape = self._when_free(lambda: append(value, axis, at))
        self._renew_consolidated()
        return shape

    def reserve(self, count: int, axis: int = 0) -> Reservation:
        """Room for `count` elements behind the end of an axis, which no reader sees until it is committed.

        For a block that comes in parts, or from many workers: they write to ``reservation.arrays[0]``, the array as it
        will be, where the room begins at ``reservation.starts[0]``. Meanwhile nobody else changes the shape: others
        are told who is at it. ``with`` commits at its end, or takes all back where there was an error. Room in several
        arrays that are to grow as one is made by `tutorial_zarr.array.reserving.Reservation`.

        >>> import tutorial_zarr as zarr
        >>> a = zarr.create_array({}, shape=(2,), chunks=(4,), dtype="i4")
        >>> with a.reserve(3) as room:
        ...     room.arrays[0][room.starts[0] :] = 7
        ...     a.refresh()
        (2,)
        >>> a[:].tolist()
        [0, 0, 7, 7, 7]
        """
        return Reservation([Room(self, count, axis)])

    def _check_block(self, value: np.ndarray, shape: tuple[int, ...], axis: int) -> None:
        if value.ndim != self.ndim or value.shape != tuple(
            value.shape[axis] if i == axis else n for i, n in enumerate(shape)
        ):
            raise ValueMismatchError(
                f"{self._label}: expected data of the array's shape {shape} on every axis but {axis}, "
                f"found {value.shape}",
                axis=axis,
            )

    def _ending_at(self, now: ArrayMetadata, axis: int, stop: int) -> ArrayMetadata:
        """Metadata with another length along one axis."""
        shape = tuple(stop if i == axis else n for i, n in enumerate(now.shape))
        return now.with_shape(shape, self._with(now).grid.resized(shape, self._inner or (1,) * self.ndim))

    def _end(self, now: ArrayMetadata, axis: int, at: int | None) -> int:
        """Where a block begins: at the end, before what an append left there that is gone; if it must, at `at`."""
        length, shape = now.shape[axis], list(now.shape)
        for mark in sorted(now.unfinished.values(), key=lambda mark: -mark.stop):
            if mark.axis == axis and list(mark.shape) == shape and writers.is_over(mark.by, mark.since):
                shape[axis] = min(mark.start, shape[axis])
        end = shape[axis]
        if at not in (None, length, end):
            raise StoreError(
                f"{self._label}: expected to append at {at} along axis {axis}, found the length {length}: "
                "somebody else changes it; nothing was written",
                path=self.path,
            )
        return end if at is None else at

    def _append_locked(self, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
        """Elements first, shape last."""
        with self.store.lock(nodes.array_key(self.path, self.zarr_format)):
            now = nodes.read_array(self.store, self.path, self.metadata)
            self._look(now)
            self._check_block(value, now.shape, axis)
            start = self._end(now, axis, at)
            stop = start + value.shape[axis]
            grown = self._ending_at(now, axis, stop)
            name = f"append-{axis}"
            older = now.unfinished.get(name, Unfinished(axis, start, stop, 0))  # of one that was killed
            own = {name: Unfinished(axis, min(start, older.start), max(stop, older.stop), time.time())}
            marked = now.with_unfinished(now.unfinished | own)
            room, before = self._with(grown, alone=True), self._with(now)
            if room.grid.counts != before.grid.counts:  # a chunk that a killed writer leaves must be found
                nodes.write_array(self.store, self.path, marked)
            after = grown.with_unfinished(_behind(now.unfinished, axis, start, stop))
            try:
                room._put_block(value, axis, start)
                nodes.write_array(self.store, self.path, after)
            except BaseException:
                with suppress(Exception):  # if not, there is the mark
                    nodes.write_array(self.store, self.path, marked)  # the answer alone may have been lost
                    before._clear_block(room, axis, start, stop)
                    nodes.write_array(self.store, self.path, now)
                raise
            self._bind(after)
        return after.shape

    def _append_reserved(self, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
        """The shape first, with a mark; then the elements; then the mark goes."""
        by, since = writers.me(), time.time()
        name = by["token"]

        def reserve(now: ArrayMetadata) -> ArrayMetadata:
            if name in now.unfinished:
                return now
            self._look(now)
            self._check_block(value, now.shape, axis)
            start = self._end(now, axis, at)
            stop = start + value.shape[axis]
            grown = self._ending_at(now, axis, stop)
            mark = Unfinished(axis, start, stop, since, by, grown.shape)
            return grown.with_unfinished(_behind(now.unfinished, axis, start, stop) | {name: mark})

        try:
            grown = self._change(reserve)
            mark = grown.unfinished[name]
            self._with(grown)._put_block(value, axis, mark.start)
            self._bind(self._without(name, mark))
        except _InTheWay:
            raise
        except BaseException:
            with suppress(Exception):  # if not, there is the mark
                self._take_back(name)
            raise
        finally:
            writers.end(by)
        return (*grown.shape[:axis], mark.stop, *grown.shape[axis + 1 :])

    def _put_block(self, value: np.ndarray, axis: int, start: int) -> None:
        place = slice(start, start + value.shape[axis])
        self[tuple(place if i == axis else slice(None) for i in range(self.ndim))] = value

    def _clear_block(self, grown: Growing, axis: int, start: int, stop: int) -> None:
        """Clear, beyond this shape, the write units of a block that lies in a larger one."""
        if start < stop:
            axes = grown.grid.axes
            units = [range(one.count) for one in axes]
            units[axis] = range(axes[axis].find(start), axes[axis].find(stop - 1) + 1)
            for coords in itertools.product(*units):
                self._clear_unit(coords)

    # --- marks

    def _without(self, name: str, mark: Unfinished) -> ArrayMetadata:
        """Take away the mark of a block that is written; an error where somebody else did."""
        mine = False

        def change(now: ArrayMetadata) -> ArrayMetadata:
            nonlocal mine
            if name in now.unfinished:
                mine = True
                return now.with_unfinished(_but(now.unfinished, name))
            if not mine:
                raise StoreError(
                    f"{self._label}: expected to append up to {mark.stop} along axis {mark.axis}, found the place "
                    f"taken back, and the length {now.shape[mark.axis]}: it was cut meanwhile",
                    path=self.path,
                )
            return now

        return self._change(change)

    def _take_back(self, name: str) -> None:
        """Undo what a mark of this writer's stands for, as far as others have not built on it."""

        def cut(now: ArrayMetadata) -> ArrayMetadata:
            mark = now.unfinished.get(name)
            built_on = mark is None or now.shape != mark.shape
            return now if built_on else self._ending_at(now, mark.axis, mark.start)

        now = self._change(cut)
        mark = now.unfinished.get(name)
        if mark is None or mark.start < now.shape[mark.axis]:
            return  # it did not come to it; or others have appended behind it
        grown = self._with(self._ending_at(now, mark.axis, mark.stop))
        self._with(now)._clear_block(grown, mark.axis, mark.start, mark.stop)
        self._unmark(name)

    def _let_in(self, name: str, keep: bool = False) -> None:
        """Make the shape larger by a block that is written in reserved room. With `keep` the mark stays."""
        mine = False

        def grow(now: ArrayMetadata) -> ArrayMetadata:
            nonlocal mine
            mark = now.unfinished.get(name)
            if mark is None and mine:
                return now
            if mark is not None and mark.ready and now.shape[mark.axis] >= mark.stop > mark.start:
                mine = True  # or another one's, who was killed then
                return now if keep else now.with_unfinished(_but(now.unfinished, name))
            if mark is None or now.shape[mark.axis] != mark.start:
                raise StoreError(
                    f"{self._label}: expected the room that was reserved, found it taken back, and the shape "
                    f"{now.shape}: its writer was taken for gone; the elements in it are not there",
                    path=self.path,
                )
            mine = True
            marks = _behind(_but(now.unfinished, name), mark.axis, mark.start, mark.stop)
            own = {name: mark} if keep else {}
            return self._ending_at(now, mark.axis, mark.stop).with_unfinished(marks | own)

        self._bind(self._change(grow))

    def _unmark(self, name: str) -> None:
        """Take a mark away, if it is there."""

        def change(now: ArrayMetadata) -> ArrayMetadata:
            return now.with_unfinished(_but(now.unfinished, name)) if name in now.unfinished else now

        self._bind(self._change(change))

    @property
    def unfinished(self) -> dict[str, Unfinished]:
        """Changes of the shape that are under way, or that a killed writer left, by name; `refresh` looks anew."""
        return self.metadata.unfinished

    def clear_unfinished(self, older_than: float = 3600.0) -> None:
        """Take back what writers left that were killed more than so many seconds ago, as far as that loses nothing.

        Chunks beyond the shape are deleted. Where the last elements are those of an append that did not end, the
        array is cut to where it began. A mark in the midst of an array stays, for `finish`. Room in several arrays is
        let in where all of them have their elements. What a writer is known to be at work on stays.
        """
        self._check_writable("its shape")
        self.refresh()
        latest = time.time() - older_than

        def is_dead(mark: Unfinished) -> bool:
            return mark.since <= latest and writers.is_dead(mark.by) is not False

        for name, mark in self.unfinished.items():
            if mark.among and is_dead(mark):
                settle(self, name)
        self.refresh()
        dead = [name for name, mark in self.unfinished.items() if is_dead(mark)]

        def without_the_last(now: ArrayMetadata) -> tuple[int, ...]:
            shape = list(now.shape)
            for name, mark in sorted(now.unfinished.items(), key=lambda item: -item[1].stop):
                if name in dead and mark.stop >= shape[mark.axis]:
                    shape[mark.axis] = min(mark.start, shape[mark.axis])
            return tuple(shape)

        if dead:
            self._resize(without_the_last, dead)

    def finish(self, name: str, data: Any = None) -> None:
        """Take away a mark that a killed writer left: with `data`, once they are written in the place that it marks.

        Without data, what was not written stays the fill value. Chunks beyond the shape go with `resize`.
        """
        self._check_writable("elements")
        self.refresh()
        mark = self.unfinished.get(name)
        if mark is None:
            raise MetadataError(
                f"{self._label}: expected the name of an unfinished write, of {sorted(self.unfinished)}, found {name!r}"
            )
        if writers.is_dead(mark.by) is False:
            raise StoreError(
                f"{self._label}: expected a mark whose writer is gone, found one that is at work, "
                f"{writers.describe(mark.by, mark.since)}",
                path=self.path,
            )
        if mark.among:
            settle(self, name)
            self.refresh()
            return
        if data is not None:
            value = self._cast(data, self.dtype, self.ndim)
            self._check_block(value, self.shape, mark.axis)
            if value.shape[mark.axis] != mark.stop - mark.start or mark.stop > self.shape[mark.axis]:
                raise ValueMismatchError(
                    f"{self._label}: expected data for {mark.start} to {mark.stop} along axis {mark.axis} of the shape "
                    f"{self.shape}, found {value.shape}",
                    axis=mark.axis,
                )
            self._with(self.metadata)._put_block(value, mark.axis, mark.start)
        self._unmark(name)
        self._renew_consolidated()


def _but(marks: Marks, name: str) -> Marks:
    return {key: mark for key, mark in marks.items() if key != name}


def _own(now: ArrayMetadata, name: str) -> bool:
    """Whether a resize of that name is under way."""
    return any(key.startswith(f"{name}-") for key in now.unfinished)


def _grown(cut: ArrayMetadata, after: ArrayMetadata, name: str) -> ArrayMetadata:
    """What a resize of that name has made, with its marks, which now stand behind all that is left."""
    own = {key: mark for key, mark in cut.unfinished.items() if key.startswith(f"{name}-")}
    ends = {key: max(mark.start, after.shape[mark.axis]) for key, mark in own.items()}
    moved = {key: mark._replace(start=ends[key], stop=max(mark.stop, ends[key])) for key, mark in own.items()}
    return after.with_unfinished(after.unfinished | moved)


def _behind(marks: Marks, axis: int, start: int, stop: int) -> Marks:
    """The marks that are left where a block takes the place from `start` to `stop`: they begin behind it.

    They get another name: should their writer live after all, it finds that its place was taken.
    """
    left = {}
    for name, mark in marks.items():
        if mark.axis != axis or mark.start < start:
            left[name] = mark
        elif mark.stop > stop:
            left[name if mark.by is None else f"left-{name.removeprefix('left-')}"] = mark._replace(
                start=max(mark.start, stop), shape=(), among=(), ready=False
            )
    return left


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether elements are the same, NaN and the sign of zero included."""
    if a.dtype.kind in "OT":
        pairs = zip(a.flat, b.flat, strict=True)
        return all(x is y or (type(x) is type(y) and bool(np.all(x == y))) for x, y in pairs)
    return a.tobytes() == b.tobytes()
