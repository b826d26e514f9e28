"""Marks in an array's document: who changes the shape, and what of it is not there yet.

A mark is a member of the document that readers may ignore. What is done for one is done here: look for those of
others, make the shape end elsewhere, clear what lies beyond it, and take the mark away. Each change of a document may
be made twice, since the answer of a bucket may be lost: so it looks for its own mark first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.errors import SelectionError, StoreError
from tutorial_zarr.metadata import ArrayMetadata, Unfinished
from tutorial_zarr.stores import writers

Marks = dict[str, Unfinished]


class InTheWay(Exception):  # noqa: N818 - it never leaves this folder
    """A mark that a change of the shape has to wait for; or `over`: that has to be dealt with first."""

    def __init__(self, name: str, mark: Unfinished, over: bool) -> None:
        self.name, self.mark, self.over = name, mark, over


def exclusive(array: Any) -> bool:
    """Whether a lock on the metadata keeps the other writers out while chunks are written."""
    return array.store.locks_keys and not array.store.conditional


def change_document(array: Any, change: Callable[[ArrayMetadata], ArrayMetadata]) -> ArrayMetadata:
    """Change the metadata such that no other change of them is lost. `change` may be called twice: see above."""
    return nodes.change_array(array.store, array.path, array.metadata, change)


def look(array: Any, now: ArrayMetadata, dead: Collection[str] = ()) -> None:
    """Raise where somebody may be writing, or deleting, beyond the shape.

    Marks within it are those of other appends, which have their place; of arrays that grew as one, the last one's
    mark may be left, until the groups above know of all of them. Where a lock is held, a mark that names
    nobody is one that a killed writer left.
    """
    for name, mark in now.unfinished.items():
        inside = mark.start < now.shape[mark.axis]
        if (inside and not mark.among) or name in dead or (exclusive(array) and mark.by is None):
            continue
        over = writers.is_over(mark.by, mark.since)
        if mark.among if over else not inside:
            raise InTheWay(name, mark, over)


def ending_at(array: Any, now: ArrayMetadata, axis: int, stop: int) -> ArrayMetadata:
    """Metadata with another length along one axis."""
    shape = tuple(stop if i == axis else n for i, n in enumerate(now.shape))
    return now.with_shape(shape, array._with(now).grid.resized(shape, array._inner or (1,) * array.ndim))


def end_of(array: Any, now: ArrayMetadata, axis: int, at: int | None) -> int:
    """Where a block begins: at the end, before what an append left there that is gone; if it must, at `at`."""
    length, shape = now.shape[axis], list(now.shape)
    for mark in sorted(now.unfinished.values(), key=lambda mark: -mark.stop):
        if mark.axis == axis and list(mark.shape) == shape and writers.is_over(mark.by, mark.since):
            shape[axis] = min(mark.start, shape[axis])
    end = shape[axis]
    if at not in (None, length, end):
        raise StoreError(
            f"{array.label}: expected to append at {at} along axis {axis}, found the length {length}: "
            "somebody else changes it; nothing was written",
            path=array.path,
        )
    return end if at is None else at


def checked_axis(array: Any, axis: int) -> int:
    """An axis that may count from the last; an error where there is none."""
    if not -array.ndim <= axis < array.ndim:
        raise SelectionError(f"{array.label}: expected an axis below {array.ndim}, found {axis}", axis=axis)
    return axis % array.ndim


def clear_unit(array: Any, coords: tuple[int, ...]) -> None:
    """Delete what one write unit holds beyond the shape."""
    io = array.io
    if not all(c < n for c, n in zip(coords, io.grid.counts, strict=True)):
        array.store.delete(io.key(coords))
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


def clear_block(array: Any, grown: Any, axis: int, start: int, stop: int) -> None:
    """Clear, beyond this shape, the write units of a block that lies in a larger one."""
    if start < stop:
        axes = grown.grid.axes
        units = [range(one.count) for one in axes]
        units[axis] = range(axes[axis].find(start), axes[axis].find(stop - 1) + 1)
        for coords in itertools.product(*units):
            clear_unit(array, coords)


def take_back(array: Any, name: str) -> None:
    """Undo what a mark of this writer's stands for, as far as others have not built on it."""

    def cut(now: ArrayMetadata) -> ArrayMetadata:
        mark = now.unfinished.get(name)
        if mark is None or now.shape != mark.shape:
            return now
        return ending_at(array, now, mark.axis, mark.start)

    now = change_document(array, cut)
    mark = now.unfinished.get(name)
    if mark is None or mark.start < now.shape[mark.axis]:
        return  # it did not come to it; or others have appended behind it
    grown = array._with(ending_at(array, now, mark.axis, mark.stop))
    clear_block(array._with(now), grown, mark.axis, mark.start, mark.stop)
    unmark(array, name)


def let_in(array: Any, name: str, keep: bool = False) -> None:
    """Make the shape larger by a block that is written in reserved room. With `keep` the mark stays."""
    mine = False

    def grow(now: ArrayMetadata) -> ArrayMetadata:
        nonlocal mine
        mark = now.unfinished.get(name)
        if mark is None and mine:
            return now
        if mark is not None and mark.ready and now.shape[mark.axis] >= mark.stop > mark.start:
            mine = True  # or another one's, who was killed then
            return now if keep else now.with_unfinished(but(now.unfinished, name))
        if mark is None or now.shape[mark.axis] != mark.start:
            raise StoreError(
                f"{array.label}: expected the room that was reserved, found it taken back, and the shape "
                f"{now.shape}: its writer was taken for gone; the elements in it are not there",
                path=array.path,
            )
        mine = True
        marks = behind(but(now.unfinished, name), mark.axis, mark.start, mark.stop)
        own = {name: mark} if keep else {}
        return ending_at(array, now, mark.axis, mark.stop).with_unfinished(marks | own)

    array._bind(change_document(array, grow))


def unmark(array: Any, name: str) -> None:
    """Take a mark away, if it is there."""

    def change(now: ArrayMetadata) -> ArrayMetadata:
        return now.with_unfinished(but(now.unfinished, name)) if name in now.unfinished else now

    array._bind(change_document(array, change))


def but(marks: Marks, name: str) -> Marks:
    """The marks without one."""
    return {key: mark for key, mark in marks.items() if key != name}


def behind(marks: Marks, axis: int, start: int, stop: int) -> Marks:
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
