"""Changing an array's shape: `resize`, and `append` by any number of writers at once: functions of an array.

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
readers see, on several arrays at once (`reservations`).

What is done for a mark is in `marks`, what for room in `reservations`; here is what arrays offer.

`unfinished` lists the marks, `finish` deals with one that a killed writer left, and so does the doctor.
Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#metadata

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(0, 2), chunks=(4, 2), dtype="i4")
>>> a.append([[1, 2], [3, 4]]), a.append([[5, 6]])
((2, 2), (3, 2))
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.errors import MetadataError, StoreError, ValueMismatchError
from tutorial_zarr.metadata import ArrayMetadata, Unfinished
from tutorial_zarr.stores import writers

from .marks import (
    InTheWay,
    behind,
    but,
    change_document,
    checked_axis,
    clear_block,
    clear_unit,
    end_of,
    ending_at,
    exclusive,
    look,
    take_back,
    unmark,
)
from .reservations import settle, when_free

# --- any shape


def resize(array: Any, new: tuple[int, ...]) -> None:
    """Change the shape: `Array.resize`."""
    array.check_writable("its shape")
    if len(new) != array.ndim or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in new):
        raise MetadataError(
            f"{array.label}: expected a length of at least 0 for each axis of the shape {array.shape}, found {new}",
            key="shape",
        )
    wanted = tuple(int(n) for n in new)
    _resize(array, lambda now: wanted)


def _resize(array: Any, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str] = ()) -> None:
    """Change the shape to what `choose` makes of the newest metadata, and clear all beyond it.

    `dead` names the marks of writers of whom one knows that they are gone.
    """
    if array.ndim:
        resize = _resize_locked if exclusive(array) else _resize_marked
        when_free(array, lambda: resize(array, choose, dead))


def _resize_locked(array: Any, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str]) -> None:
    with array.store.lock(nodes.array_key(array.path, array.zarr_format)):
        now = nodes.read_array(array.store, array.path, array.metadata)
        look(array, now, dead)
        cut, after = _resized(array, now, choose(now), "resize")
        if cut.shape != now.shape:
            nodes.write_array(array.store, array.path, cut)
        told = cut.shape != now.shape and array.renew_consolidated()
        _clear_beyond(array._with(cut))
        if told and after.shape != cut.shape:  # the groups above are told of the new shape while a mark is there
            nodes.write_array(array.store, array.path, _grown(cut, after, "resize"))
            array.renew_consolidated()
        if after.document != now.document:
            nodes.write_array(array.store, array.path, after)
        array._bind(after)
    array.renew_consolidated()


def _resize_marked(array: Any, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Collection[str]) -> None:
    by, old, shape, ended = writers.me(), array.shape, array.shape, False
    name = by["token"]

    def begin(now: ArrayMetadata) -> ArrayMetadata:
        nonlocal old, shape
        if _own(now, name):
            return now
        look(array, now, dead)
        old, shape = now.shape, choose(now)
        return _resized(array, now, shape, name, by)[0]

    def grow(now: ArrayMetadata) -> ArrayMetadata:
        if not _own(now, name) or now.shape == shape:
            return now
        return _grown(now, _resized(array, now, shape, name)[1], name)

    def end(now: ArrayMetadata) -> ArrayMetadata:
        nonlocal ended
        if _own(now, name):
            ended = True
            return _resized(array, now, shape, name)[1]
        if not ended:
            raise StoreError(
                f"{array.label}: expected to resize it to {shape}, found that others went on from "
                f"{now.shape}: this writer was taken for gone; try again",
                path=array.path,
            )
        return now

    try:
        cut = change_document(array, begin)
        told = cut.shape != old and array.renew_consolidated()
        _clear_beyond(array._with(cut))
        if told and cut.shape != shape:  # the groups above are told of the new shape while a mark is there
            change_document(array, grow)
            array.renew_consolidated()
        array._bind(change_document(array, end))
    finally:
        writers.end(by)
    array.renew_consolidated()


def _resized(
    array: Any, now: ArrayMetadata, new: tuple[int, ...], name: str, by: dict[str, Any] | None = None
) -> tuple[ArrayMetadata, ArrayMetadata]:
    """Metadata for the time in which what lies beyond the new shape, or the old one, is cleared; and for after."""
    after = now.with_shape(new, array._with(now).grid.resized(new, array._inner or (1,) * array.ndim))
    array._with(after)  # nothing is changed that would not open
    kept, since = tuple(map(min, now.shape, new)), time.time()
    changing = [axis for axis in range(array.ndim) if now.shape[axis] != new[axis]] or [0]
    own = {
        f"{name}-{axis}": Unfinished(axis, kept[axis], max(now.shape[axis], new[axis]), since, by) for axis in changing
    }
    inside = {
        key: mark._replace(stop=min(mark.stop, kept[mark.axis]), shape=())
        for key, mark in now.unfinished.items()
        if mark.start < kept[mark.axis]
    }
    return now.with_shape(kept).with_unfinished(now.unfinished | inside | own), after.with_unfinished(inside)


def _own(now: ArrayMetadata, name: str) -> bool:
    """Whether a resize of that name is under way."""
    return any(key.startswith(f"{name}-") for key in now.unfinished)


def _grown(cut: ArrayMetadata, after: ArrayMetadata, name: str) -> ArrayMetadata:
    """What a resize of that name has made, with its marks, which now stand behind all that is left."""
    own = {key: mark for key, mark in cut.unfinished.items() if key.startswith(f"{name}-")}
    ends = {key: max(mark.start, after.shape[mark.axis]) for key, mark in own.items()}
    moved = {key: mark._replace(start=ends[key], stop=max(mark.stop, ends[key])) for key, mark in own.items()}
    return after.with_unfinished(after.unfinished | moved)


def _clear_beyond(array: Any) -> None:
    """Delete what is stored beyond the shape: whole chunks, and what hangs over the edge in others.

    It may be old elements, or another writer's padding, and would come to light in a larger array.
    """
    start = len(array.io.prefix)
    for key in list(array.store.list_prefix(array.path)):
        coords = array.io.keys.decode(key[start:], array.ndim)
        if coords is not None:
            clear_unit(array, coords)


# --- longer by a block


def append(array: Any, data: Any, axis: int = 0) -> tuple[int, ...]:
    """Add `data` at the end of an axis, and return the shape that ends with it: `Array.append`."""
    array.check_writable("elements")
    value = array._cast(data, array.dtype, array.ndim)  # an error here comes before anything has changed
    axis = checked_axis(array, axis)
    if value.ndim == array.ndim and value.shape[axis]:
        return append_block(array, value, axis)
    check_block(array, value, array.shape, axis)
    return array.shape


def check_block(array: Any, value: np.ndarray, shape: tuple[int, ...], axis: int) -> None:
    """Refuse a block that does not fit an array of that shape along all axes but one."""
    if value.ndim != array.ndim or value.shape != tuple(
        value.shape[axis] if i == axis else n for i, n in enumerate(shape)
    ):
        raise ValueMismatchError(
            f"{array.label}: expected data of the array's shape {shape} on every axis but {axis}, found {value.shape}",
            axis=axis,
        )


def as_block(array: Any, data: Any, axis: int) -> np.ndarray:
    """`data` as elements of the array that could be appended to it as it is; an error where they could not."""
    value = array._cast(data, array.dtype, array.ndim)
    check_block(array, value, array.shape, axis)
    return value


def append_block(array: Any, value: np.ndarray, axis: int, at: int | None = None) -> tuple[int, ...]:
    """`append` for a block of the array's type; with `at`, only if it will begin there."""
    append = _append_locked if exclusive(array) else _append_reserved
    shape = when_free(array, lambda: append(array, value, axis, at))
    array.renew_consolidated()
    return shape


def _append_locked(array: Any, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
    """Elements first, shape last."""
    with array.store.lock(nodes.array_key(array.path, array.zarr_format)):
        now = nodes.read_array(array.store, array.path, array.metadata)
        look(array, now)
        check_block(array, value, now.shape, axis)
        start = end_of(array, now, axis, at)
        stop = start + value.shape[axis]
        grown = ending_at(array, now, axis, stop)
        name = f"append-{axis}"
        older = now.unfinished.get(name, Unfinished(axis, start, stop, 0))  # of one that was killed
        own = {name: Unfinished(axis, min(start, older.start), max(stop, older.stop), time.time())}
        marked = now.with_unfinished(now.unfinished | own)
        room, before = array._with(grown, alone=True), array._with(now)
        if room.grid.counts != before.grid.counts:  # a chunk that a killed writer leaves must be found
            nodes.write_array(array.store, array.path, marked)
        after = grown.with_unfinished(behind(now.unfinished, axis, start, stop))
        try:
            _put_block(room, value, axis, start)
            nodes.write_array(array.store, array.path, after)
        except BaseException:
            with suppress(Exception):  # if not, there is the mark
                nodes.write_array(array.store, array.path, marked)  # the answer alone may have been lost
                clear_block(before, room, axis, start, stop)
                nodes.write_array(array.store, array.path, now)
            raise
        array._bind(after)
    return after.shape


def _append_reserved(array: Any, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
    """The shape first, with a mark; then the elements; then the mark goes."""
    by, since = writers.me(), time.time()
    name = by["token"]

    def reserve(now: ArrayMetadata) -> ArrayMetadata:
        if name in now.unfinished:
            return now
        look(array, now)
        check_block(array, value, now.shape, axis)
        start = end_of(array, now, axis, at)
        stop = start + value.shape[axis]
        grown = ending_at(array, now, axis, stop)
        mark = Unfinished(axis, start, stop, since, by, grown.shape)
        return grown.with_unfinished(behind(now.unfinished, axis, start, stop) | {name: mark})

    try:
        grown = change_document(array, reserve)
        mark = grown.unfinished[name]
        _put_block(array._with(grown), value, axis, mark.start)
        array._bind(_without(array, name, mark))
    except InTheWay:
        raise
    except BaseException:
        with suppress(Exception):  # if not, there is the mark
            take_back(array, name)
        raise
    finally:
        writers.end(by)
    return (*grown.shape[:axis], mark.stop, *grown.shape[axis + 1 :])


def _put_block(array: Any, value: np.ndarray, axis: int, start: int) -> None:
    place = slice(start, start + value.shape[axis])
    array[tuple(place if i == axis else slice(None) for i in range(array.ndim))] = value


def _without(array: Any, name: str, mark: Unfinished) -> ArrayMetadata:
    """Take away the mark of a block that is written; an error where somebody else did."""
    mine = False

    def change(now: ArrayMetadata) -> ArrayMetadata:
        nonlocal mine
        if name in now.unfinished:
            mine = True
            return now.with_unfinished(but(now.unfinished, name))
        if not mine:
            raise StoreError(
                f"{array.label}: expected to append up to {mark.stop} along axis {mark.axis}, found the place "
                f"taken back, and the length {now.shape[mark.axis]}: it was cut meanwhile",
                path=array.path,
            )
        return now

    return change_document(array, change)


# --- what killed writers left


def clear_unfinished(array: Any, older_than: float = 3600.0) -> None:
    """Take back what killed writers left: `Array.clear_unfinished`."""
    array.check_writable("its shape")
    array.refresh()
    latest = time.time() - older_than

    def is_dead(mark: Unfinished) -> bool:
        return mark.since <= latest and writers.is_dead(mark.by) is not False

    for name, mark in array.unfinished.items():
        if mark.among and is_dead(mark):
            settle(array, name)
    array.refresh()
    dead = [name for name, mark in array.unfinished.items() if is_dead(mark)]

    def without_the_last(now: ArrayMetadata) -> tuple[int, ...]:
        shape = list(now.shape)
        for name, mark in sorted(now.unfinished.items(), key=lambda item: -item[1].stop):
            if name in dead and mark.stop >= shape[mark.axis]:
                shape[mark.axis] = min(mark.start, shape[mark.axis])
        return tuple(shape)

    if dead:
        _resize(array, without_the_last, dead)


def finish(array: Any, name: str, data: Any = None) -> None:
    """Take away a mark that a killed writer left: `Array.finish`."""
    array.check_writable("elements")
    array.refresh()
    mark = array.unfinished.get(name)
    if mark is None:
        raise MetadataError(
            f"{array.label}: expected the name of an unfinished write, of {sorted(array.unfinished)}, found {name!r}"
        )
    if writers.is_dead(mark.by) is False:
        raise StoreError(
            f"{array.label}: expected a mark whose writer is gone, found one that is at work, "
            f"{writers.describe(mark.by, mark.since)}",
            path=array.path,
        )
    if mark.among:
        settle(array, name)
        array.refresh()
        return
    if data is not None:
        value = array._cast(data, array.dtype, array.ndim)
        check_block(array, value, array.shape, mark.axis)
        if value.shape[mark.axis] != mark.stop - mark.start or mark.stop > array.shape[mark.axis]:
            raise ValueMismatchError(
                f"{array.label}: expected data for {mark.start} to {mark.stop} along axis {mark.axis} of the shape "
                f"{array.shape}, found {value.shape}",
                axis=mark.axis,
            )
        _put_block(array._with(array.metadata), value, mark.axis, mark.start)
    unmark(array, name)
    array.renew_consolidated()
