"""Changing an array's shape: `resize`, and `append` by any number of writers at once.

What must never happen: that an append is lost or done twice; that the metadata promise elements that nobody has
written, with nothing that says so. How that is kept depends on what the store can do.

Where a lock keeps all others out (folders, memory), the elements are written first and the shape last; whoever is
killed in between has changed nothing that a reader sees. Where there is none (buckets), or only one for the whole
store (SQLite), an append first reserves its place: one conditional write of the document makes the shape larger and
adds a mark, a second one takes the mark away when the elements are there. A mark is a member of the document that
readers may ignore::

    "unfinished_writes": {"must_understand": false, "5f0c": {"axis": 0, "start": 100, "stop": 110, "since": 1.7e9}}

`unfinished` lists the marks, `finish` deals with one that a killed writer left, and so does the doctor.
Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#metadata

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(0, 2), chunks=(4, 2), dtype="i4")
>>> a.append([[1, 2], [3, 4]]), a.append([[5, 6]])
((2, 2), (3, 2))
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.errors import MetadataError, SelectionError, StoreError, ValueMismatchError
from tutorial_zarr.metadata import ArrayMetadata, Unfinished

from .chunks import ChunkAccess


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

    def _with(self, metadata: ArrayMetadata) -> Growing:
        return type(self)(self.store, self.path, metadata, **self._options)

    def _change(self, change: Callable[[ArrayMetadata], ArrayMetadata]) -> ArrayMetadata:
        """Change the metadata such that no other change of them is lost."""
        return nodes.change_array(self.store, self.path, self.metadata, change)

    # --- any shape

    def resize(self, *shape: Any) -> None:
        """Change the shape. What is cut off is gone, and stays gone when the array grows again.

        A reader sees the array cut at once, then larger: never elements that are about to go.
        """
        new = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        self._check_writable("its shape")
        if len(new) != self.ndim or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in new):
            raise MetadataError(
                f"{self._label}: expected {self.ndim} lengths of at least 0 for the shape {self.shape}, found {new}",
                key="shape",
            )
        wanted = tuple(int(n) for n in new)
        self._resize(lambda now: wanted)

    def _resize(self, choose: Callable[[ArrayMetadata], tuple[int, ...]], dead: Iterable[str] = ()) -> None:
        """Change the shape to what `choose` makes of the newest metadata, and clear all beyond it.

        `dead` names the marks of writers of whom one knows that they are gone.
        """
        if self._exclusive:
            with self.store.lock(nodes.array_key(self.path, self.zarr_format)):
                now = nodes.read_array(self.store, self.path, self.metadata)
                cut, after = self._resized(now, choose(now), "resize")
                if cut.shape != now.shape:
                    nodes.write_array(self.store, self.path, cut)
                self._with(cut)._clear_beyond()
                if after.document != now.document:
                    nodes.write_array(self.store, self.path, after)
                self._bind(after)
            return
        name, since, shape = os.urandom(8).hex(), time.time(), self.shape

        def begin(now: ArrayMetadata) -> ArrayMetadata:
            nonlocal shape
            self._refuse_resizes(now, since, dead)
            shape = choose(now)
            return self._resized(now, shape, name)[0]

        self._with(self._change(begin))._clear_beyond()
        self._bind(self._change(lambda now: self._resized(now, shape, name)[1]))

    def _resized(self, now: ArrayMetadata, new: tuple[int, ...], name: str) -> tuple[ArrayMetadata, ArrayMetadata]:
        """Metadata for the time in which what lies beyond the new shape, or the old one, is cleared; and for after."""
        after = now.with_shape(new, self._with(now).grid.resized(new, self._inner or (1,) * self.ndim))
        self._with(after)  # nothing is changed that would not open
        kept, since = tuple(map(min, now.shape, new)), time.time()
        own = {
            f"{name}-{axis}": Unfinished(axis, kept[axis], max(now.shape[axis], new[axis]), since)
            for axis in range(self.ndim)
            if now.shape[axis] != new[axis]
        }
        inside = {
            key: mark._replace(stop=min(mark.stop, kept[mark.axis]))
            for key, mark in now.unfinished.items()
            if mark.start < kept[mark.axis]
        }
        return now.with_shape(kept).with_unfinished(now.unfinished | inside | own), after.with_unfinished(inside)

    def _clear_beyond(self) -> None:
        """Delete what is stored beyond the shape: whole chunks, and what hangs over the edge in others.

        It may be old elements, or another writer's padding, and would come to light in a larger array.
        """
        start, counts = len(self._io.prefix), self.grid.counts
        for key in list(self.store.list_prefix(self.path)):
            coords = self._io.keys.decode(key[start:], self.ndim)
            if coords is None:
                continue
            if all(c < n for c, n in zip(coords, counts, strict=True)):
                self._clear_overhang(coords)
            else:
                self.store.delete(key)

    def _clear_overhang(self, coords: tuple[int, ...]) -> None:
        origin, shape = self.grid.origin(coords), self.grid.chunk_shape(coords)
        inside = tuple([max(0, min(n, v - o)) for n, v, o in zip(shape, self.shape, origin, strict=True)])
        if inside == shape:
            return

        def clear(chunk: np.ndarray) -> bool:
            before, kept = chunk.copy(), tuple([slice(n) for n in inside])
            chunk[...] = self._io.fill_item
            chunk[kept] = before[kept]
            return not _same_bits(before, chunk)

        self._io.update(self._io.key(coords), self._io.pipeline_at(coords), clear)

    # --- longer by a block

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Add `data` at the end of an axis, and return the shape that ends with it.

        Any number of writers may append at once: blocks do not mix, none is lost, and those of one writer keep their
        order. `shape` is then the newest one. Requests, where the block takes `whole` write units and `partial` ones:
        2 + `whole` + 2 `partial`, and 1 more where units are new; in buckets and in SQLite 4 + `whole` + 2 `partial`.
        Nothing is listed. What a killed writer left is in `unfinished`.

        While others append, do not assign to the elements of the last, partly filled write unit: it is written whole.
        """
        self._check_writable("elements")
        value = data if isinstance(data, np.ndarray) else self._cast(data, self.dtype)
        if not -self.ndim <= axis < self.ndim:
            raise SelectionError(f"{self._label}: expected an axis below {self.ndim}, found {axis}", axis=axis)
        axis %= self.ndim
        value = value.astype(self.dtype, copy=False)  # an error here comes before anything has changed
        if value.ndim == self.ndim and value.shape[axis]:
            return self._append(value, axis)
        self._check_block(value, self.shape, axis)
        return self.shape

    def _append(self, value: np.ndarray, axis: int, at: int | None = None) -> tuple[int, ...]:
        """`append` for a block of the array's type; with `at`, only if it will begin there."""
        return (self._append_locked if self._exclusive else self._append_reserved)(value, axis, at)

    def _check_block(self, value: np.ndarray, shape: tuple[int, ...], axis: int) -> None:
        if value.ndim != self.ndim or value.shape != tuple(
            value.shape[axis] if i == axis else n for i, n in enumerate(shape)
        ):
            raise ValueMismatchError(
                f"{self._label}: expected data of the array's shape {shape} on every axis but {axis}, "
                f"found {value.shape}",
                axis=axis,
            )

    def _grown(self, now: ArrayMetadata, value: np.ndarray, axis: int, at: int | None) -> ArrayMetadata:
        """Metadata with room for a block behind what there is now."""
        self._check_block(value, now.shape, axis)
        if at not in (None, now.shape[axis]):
            raise StoreError(
                f"{self._label}: expected to append at {at} along axis {axis}, found the length {now.shape[axis]}: "
                "somebody else changes it; nothing was written",
                path=self.path,
            )
        shape = tuple(n + value.shape[axis] * (i == axis) for i, n in enumerate(now.shape))
        return now.with_shape(shape, self._with(now).grid.resized(shape, self._inner or (1,) * self.ndim))

    def _append_locked(self, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
        """Elements first, shape last."""
        with self.store.lock(nodes.array_key(self.path, self.zarr_format)):
            now = nodes.read_array(self.store, self.path, self.metadata)
            grown = self._with(self._grown(now, value, axis, at))
            start, stop = now.shape[axis], grown.shape[axis]
            # Beyond the old end nothing is promised, and from now on the block is there: marks begin behind it.
            marks = {
                name: mark if mark.axis != axis or mark.start < start else mark._replace(start=max(mark.start, stop))
                for name, mark in now.unfinished.items()
                if mark.axis != axis or mark.start < start or mark.stop > stop
            }
            if grown.grid.counts != self._with(now).grid.counts:  # a chunk that a killed writer leaves must be found
                name = f"append-{axis}"
                older = now.unfinished.get(name, Unfinished(axis, start, stop, 0))  # of one that was killed
                own = {name: Unfinished(axis, min(start, older.start), max(stop, older.stop), time.time())}
                nodes.write_array(self.store, self.path, now.with_unfinished(now.unfinished | own))
            grown._put_block(value, axis, start)
            after = grown.metadata.with_unfinished(marks)
            nodes.write_array(self.store, self.path, after)
            self._bind(after)
        return self.shape

    def _append_reserved(self, value: np.ndarray, axis: int, at: int | None) -> tuple[int, ...]:
        """The shape first, with a mark; then the elements; then the mark goes."""
        name, since = os.urandom(8).hex(), time.time()

        def reserve(now: ArrayMetadata) -> ArrayMetadata:
            self._refuse_resizes(now, since)
            grown = self._grown(now, value, axis, at)
            mark = Unfinished(axis, now.shape[axis], grown.shape[axis], since)
            return grown.with_unfinished(now.unfinished | {name: mark})

        grown = self._change(reserve)
        start = grown.unfinished[name].start
        self._fill_reserved(grown, name, value)
        return (*grown.shape[:axis], start + value.shape[axis], *grown.shape[axis + 1 :])

    def _refuse_resizes(self, now: ArrayMetadata, since: float, dead: Iterable[str] = ()) -> None:
        """Refuse where somebody may be deleting what lies beyond the shape."""
        for name, mark in now.unfinished.items():
            if mark.start >= now.shape[mark.axis] and name not in dead:
                raise StoreError(
                    f"{self._label}: expected nobody to resize it, found a resize that began {since - mark.since:.0f} "
                    f"s ago; try again when it is done; if it was killed, finish({name!r}) takes its mark away, and "
                    "another resize what it left",
                    path=self.path,
                )

    def _fill_reserved(self, metadata: ArrayMetadata, name: str, value: np.ndarray) -> None:
        """Write the block that a mark stands for, then take the mark away."""
        mark = metadata.unfinished[name]
        units = self._with(metadata).grid.axes[mark.axis]
        last = units.find(mark.stop - 1)
        end = units.start(last) + units.size(last)  # others write in that unit too, so it is not ours to write whole
        wide = tuple(end if i == mark.axis else n for i, n in enumerate(metadata.shape))
        self._with(metadata.with_shape(wide))._put_block(value, mark.axis, mark.start)
        now = self._change(lambda now: now.with_unfinished({k: m for k, m in now.unfinished.items() if k != name}))
        self._bind(now)
        if now.shape[mark.axis] < mark.stop:
            raise StoreError(
                f"{self._label}: expected to append up to {mark.stop} along axis {mark.axis}, found the array cut to "
                f"{now.shape[mark.axis]} meanwhile",
                path=self.path,
            )

    def _put_block(self, value: np.ndarray, axis: int, start: int) -> None:
        place = slice(start, start + value.shape[axis])
        self[tuple(place if i == axis else slice(None) for i in range(self.ndim))] = value

    # --- what killed writers left

    @property
    def unfinished(self) -> dict[str, Unfinished]:
        """Changes of the shape that are under way, or that a killed writer left, by name; `refresh` looks anew."""
        return self.metadata.unfinished

    def clear_unfinished(self, older_than: float = 3600.0) -> None:
        """Take back what writers left that were killed more than so many seconds ago, as far as that loses nothing.

        Chunks beyond the shape are deleted. Where the last elements are those of an append that did not end, the
        array is cut to where it began. A mark in the midst of an array stays, for `finish`.
        """
        self._check_writable("its shape")
        self.refresh()
        latest = time.time() - older_than
        dead = [name for name, mark in self.unfinished.items() if mark.since <= latest]

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
        if data is None:
            self._bind(
                self._change(lambda now: now.with_unfinished({k: m for k, m in now.unfinished.items() if k != name}))
            )
            return
        value = self._cast(data, self.dtype)
        self._check_block(value, self.shape, mark.axis)
        if value.shape[mark.axis] != mark.stop - mark.start or mark.stop > self.shape[mark.axis]:
            raise ValueMismatchError(
                f"{self._label}: expected data for {mark.start} to {mark.stop} along axis {mark.axis} of the shape "
                f"{self.shape}, found {value.shape}",
                axis=mark.axis,
            )
        self._fill_reserved(self.metadata, name, value)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind in "OT":
        pairs = zip(a.flat, b.flat, strict=True)
        return all(x is y or (type(x) is type(y) and bool(np.all(x == y))) for x, y in pairs)
    return a.tobytes() == b.tobytes()
