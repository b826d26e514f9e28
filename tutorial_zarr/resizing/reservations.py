"""Room behind the ends of arrays, that no reader sees until all of it is let in: `Reservation`.

The document of each array gets a mark beyond its shape, by a change on condition, which says who writes and since
when. Elements are written into the array as it will be; the shape becomes larger, and the mark goes, at the end.
Several arrays grow as one::

    reserve     a mark in each document; where one is refused, those before it are taken back
    write       whatever the writers like
    ready       each mark is told that the elements are there
    let in      one array after the other: the shape larger, the mark away, but for the last one's
    tell        the groups above that have consolidated metadata; then the last mark goes

So a killed writer is dealt with by whoever comes next (`settle`): if all the marks that are left are ready, the rest is
let in; if one is not, no shape has changed yet, and all is taken back. The one that is not ready goes last, so that
who is killed meanwhile leaves it to the next one to do the same.
"""

from __future__ import annotations

import posixpath
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tutorial_zarr import nodes
from tutorial_zarr.errors import SelectionError, StoreError
from tutorial_zarr.metadata import ArrayMetadata, Unfinished
from tutorial_zarr.stores import writers
from tutorial_zarr.stores.locks import jitter

from .marks import InTheWay, change_document, checked_axis, end_of, ending_at, let_in, look, take_back, unmark

PATIENCE = 2.0  # seconds for which a change of the shape waits for another one, before it says who is in the way


class Room(NamedTuple):
    """Room for `count` elements at the end of an axis; with `at`, only if it begins there."""

    array: Any
    count: int  # type: ignore[assignment]  # tuples have a method of that name
    axis: int = 0
    at: int | None = None


class Reservation:
    """Room in one array, or in several of a store that grow as one. Made by `Array.reserve`, or from `rooms`.

    `arrays` are the arrays as they will be, to write into, from any thread or process; `starts` is where the room of
    each begins. They are in the order of `rooms`. A ``with`` block commits at its end, and withdraws on an error. A
    reservation that is pickled can be committed elsewhere, as long as the process that made it lives.
    """

    arrays: list[Any]
    starts: list[int]

    def __init__(self, rooms: Iterable[Room]) -> None:
        self.by, self._decided, self._marked = writers.me(), False, {}  # type: ignore[var-annotated]
        weakref.finalize(self, writers.end, self.by)  # nobody waits for one that was dropped
        self._rooms = [room._replace(axis=checked_axis(room.array, room.axis)) for room in rooms]
        for room in self._rooms:
            room.array.check_writable("elements")
            if room.count < 0:
                raise SelectionError(f"{room.array.label}: expected room for at least 0 elements, found {room.count}")
        found: dict[int, tuple[Any, int]] = {}
        try:
            # In the order of their paths: of two that want the same arrays one is refused, not both.
            for i in sorted(range(len(self._rooms)), key=lambda i: self._rooms[i].array.path):
                found[i] = self._take(i)
        except BaseException:
            self._give_up()
            raise
        self.arrays = [found[i][0] for i in range(len(self._rooms))]
        self.starts = [found[i][1] for i in range(len(self._rooms))]

    @property
    def name(self) -> str:
        """What its marks are called."""
        return self.by["token"]

    def _take(self, i: int) -> tuple[Any, int]:
        array, count, axis, at = self._rooms[i]
        among = tuple(_path_from(array.path, room.array.path) for n, room in enumerate(self._rooms) if n != i)

        def reserve(now: ArrayMetadata) -> ArrayMetadata:
            if self.name in now.unfinished:
                return now
            look(array, now)
            start = end_of(array, now, axis, at)
            mark = Unfinished(axis, start, start + count, time.time(), self.by, among=among)
            ended = now if start == now.shape[axis] else ending_at(array, now, axis, start)
            return ended.with_unfinished(now.unfinished | {self.name: mark})

        self._marked[i] = False  # from here on, there may be one
        now = when_free(array, lambda: change_document(array, reserve))
        start = now.unfinished[self.name].start
        return array._with(ending_at(array, now, axis, start + count), alone=True), start

    def _mark_ready(self, i: int, ready: bool) -> None:
        def change(now: ArrayMetadata) -> ArrayMetadata:
            mark = now.unfinished.get(self.name)
            if mark is None and ready:
                raise taken_back(self._rooms[i].array)
            if mark is None or mark.ready == ready:
                return now
            return now.with_unfinished(now.unfinished | {self.name: mark._replace(ready=ready)})

        change_document(self._rooms[i].array, change)

    def commit(self) -> None:
        """Let the elements in: every array gets its new shape. Where one fails, `settle` does the rest."""
        if len(self._rooms) > 1 and not self._decided:
            for i in range(len(self._rooms)):
                self._marked[i] = True
                self._mark_ready(i, True)
        self._decided = True
        _let_in([room.array for room in self._rooms], self.name)
        writers.end(self.by)

    def withdraw(self) -> None:
        """Take all of it back: as if it had never been. After `commit` began to let in, there is no way back."""
        if self._decided:
            return
        last = [i for i, ready in self._marked.items() if not ready][-1:] or list(self._marked)[-1:]
        if any(self._marked.values()):
            for i in last:
                self._mark_ready(i, False)  # from here on it is certain that all go
        for i in [*(i for i in self._marked if i not in last), *last]:
            take_back(self._rooms[i].array, self.name)
        self._decided = True
        writers.end(self.by)

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, kind: Any, *error: object) -> None:
        try:
            if kind is None:
                self.commit()
                return
        except BaseException:
            self._give_up()
            raise
        self._give_up()

    def _give_up(self) -> None:
        try:
            self.withdraw()
        except Exception:
            pass  # there are the marks, of one that is gone
        finally:
            writers.end(self.by)


def taken_back(array: Any) -> StoreError:
    """What a writer is told whose room somebody else took back."""
    return StoreError(
        f"{array.label}: expected the room that was reserved, found it taken back: its writer was taken for gone; "
        "the elements in it are not there",
        path=array.path,
    )


def when_free(array: Any, attempt: Callable[[], Any]) -> Any:
    """What `attempt` returns once nobody is in the way: wait a little for the living, and settle for the dead."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return attempt()
        except InTheWay as found:
            if found.over:
                settle(array, found.name)
            elif time.monotonic() < deadline:
                time.sleep(jitter(0.01, 0.1))
            else:
                raise StoreError(
                    f"{array.label}: expected nobody to change its shape, found a change of what lies behind "
                    f"{found.mark.start} along axis {found.mark.axis}, "
                    f"{writers.describe(found.mark.by, found.mark.since)}; nothing was written; try again when it "
                    f"is done; if its writer is gone, finish({found.name!r}) takes its mark away, and another "
                    "resize what it left",
                    path=array.path,
                ) from None


def settle(array: Any, name: str) -> None:
    """Bring to its end what a writer left that is gone, in all arrays that were to grow as one: forward, or back."""
    mark = array.unfinished.get(name) or nodes.read_array(array.store, array.path, array.metadata).unfinished.get(name)
    by = writers.me()
    try:
        left, done = [], []
        for path in _paths(array, mark) if mark else ():
            metadata = nodes.read(array.store, path, array.zarr_format)
            if isinstance(metadata, ArrayMetadata):
                one = type(array)(array.store, path, metadata, **{**array._options, "alone": False})
                found = _claim(one, name, by) if name in metadata.unfinished else None
                left.append((one, found)) if found is not None else done.append(one)
        if left and all(found.ready for _, found in left):
            _let_in([one for one, _ in left], name, done)
            return
        for one, _ in sorted(left, key=lambda pair: pair[1].ready, reverse=True):
            take_back(one, name)
    finally:
        writers.end(by)


def _let_in(arrays: list[Any], name: str, before: Iterable[Any] = ()) -> None:
    """Let the elements in, one array after the other; some were let in `before`.

    The last of several keeps its mark until the groups above know of all.
    """
    together = [*before, *arrays]
    for array in arrays:
        let_in(array, name, keep=array is arrays[-1] and len(together) > 1)
    for array in together:
        array.renew_consolidated()
    if len(together) > 1:
        unmark(arrays[-1], name)


def _claim(array: Any, name: str, by: dict[str, Any]) -> Unfinished | None:
    """Make a mark one's own, so that nobody else settles for it at the same time; None where it is gone by now."""

    def change(now: ArrayMetadata) -> ArrayMetadata:
        mark = now.unfinished.get(name)
        if mark is None or mark.by == by:
            return now
        if writers.is_dead(mark.by) is False:
            raise StoreError(
                f"{array.label}: expected a mark whose writer is gone, found one at work, "
                f"{writers.describe(mark.by, mark.since)}; try again when it is done",
                path=array.path,
            )
        return now.with_unfinished(now.unfinished | {name: mark._replace(by=by)})

    return change_document(array, change).unfinished.get(name)


def _path_from(path: str, other: str) -> str:
    """`other` by its way from `path`, which holds in every view of the store that has both."""
    return posixpath.relpath("/" + other, "/" + path)


def _paths(array: Any, mark: Unfinished) -> list[str]:
    """The paths of an array and of those that were to grow with it."""
    depth = len([part for part in array.path.split("/") if part])
    for other in mark.among:
        if other.split("/").count("..") > depth:
            raise StoreError(
                f"{array.label}: expected all the arrays that a writer left that is gone, found one outside of "
                f"{array.store!r}, at {other!r} from here; try again from the group that holds them",
                path=array.path,
            )
    return sorted({array.path, *(posixpath.normpath(f"/{array.path}/{other}").lstrip("/") for other in mark.among)})
