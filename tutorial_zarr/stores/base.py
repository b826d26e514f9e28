"""What a store is: keys, bytes and ranges. It knows nothing of arrays.

A store needs four methods: `get`, `set`, `delete` and `list_prefix`. What a particular store can do better (list a
folder, read into a buffer, several ranges at once, delete a whole prefix, change a value so that no other change is
lost) has a default here that is made of the four.

Keys are text with ``/`` between the parts, never at either end: ``a/b/c/0/1``. A byte range is ``(start, stop)``,
``(start, None)``, or a negative number: the last bytes of the value.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#abstract-store-interface

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore({"n": b"41"})
>>> store.update("n", lambda old: str(int(old) + 1).encode())
>>> store.get("n")
b'42'
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from tutorial_zarr.errors import NodeNameError, ReadOnlyError, StoreError

from .locks import jitter, process_lock
from .snapshot import ByteRange as ByteRange
from .snapshot import Snapshot

Change = Callable[[Any], Any]  # a value's bytes, or None where there are none, to the new bytes, or None to delete it
_NOTHING: Any = contextlib.nullcontext()
ABSENT = object()  # the tag of a key that has no value
DELETE_ATTEMPTS = 6  # a deletion gives up when other writers have added keys this many times
UPDATE_ATTEMPTS = 200  # an update gives up after this many conflicts in a row


class Leftover(NamedTuple):
    """A file that a killed writer left behind. It is no key, and no listing shows it."""

    path: str
    nbytes: int
    age: float  # seconds since it was last written


def _of_folder(method: Callable[..., Any]) -> Callable[..., Any]:
    """The same method for prefixes that end in a slash, as many people write them: ``g/`` means what ``g`` means."""

    @functools.wraps(method)
    def below(self: Store, *prefixes: str, **named: str) -> Any:
        named = {name: prefix.removesuffix("/") for name, prefix in named.items()}
        return method(self, *(prefix.removesuffix("/") for prefix in prefixes), **named)

    return below


class Store:
    """Base of all stores."""

    read_only = False
    concurrency: int | None = None  # requests worth having in flight; None where the processors are the limit
    request_cost = 1 << 19  # bytes that could be read in the time that one more request takes
    conditional = False  # whether `update` keeps others out by tags on the values; if not, by a lock
    locks_keys = True  # whether other keys may be written while one is locked: not in the midst of a transaction
    holds_back = False  # whether what is written lasts only when the store is closed, as in a zip file
    set_waits = False  # whether `set` and `delete` wait for an update to end; if not, who has a lock may call them
    update_deletes = True  # whether the change of an `update` may return None: S3 has no delete-if-unchanged

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if vars(cls).keys() & {"get", "get_ranges"} and "snapshot" not in vars(cls):
            cls.snapshot = Store.snapshot  # type: ignore[method-assign]  # what it does to `get` holds for shards too
        if vars(cls).keys() & {"get", "set", "get_tagged", "set_if"} and "update" not in vars(cls):
            cls.update = Store.update  # type: ignore[method-assign]  # and what it does to both, for updates
        for name in vars(cls).keys() & {"list_prefix", "list_dir", "delete_prefix", "move_prefix"}:
            setattr(cls, name, _of_folder(vars(cls)[name]))

    # --- the four, and two that ask less

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        """The bytes of a value, or of a range of it; None where there is no such key."""
        raise NotImplementedError

    def set(self, key: str, value: Any) -> None:
        """Write a value, whole and at once: a reader sees the old bytes or the new ones."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Delete a value. An absent key is no error."""
        raise NotImplementedError

    def exists(self, key: str) -> bool:
        """Whether there is a value at `key`."""
        return self.get_size(key) is not None

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        """Every key that lies below `prefix`, sorted; all keys for ``""``. A slash at its end is no part of it."""
        raise NotImplementedError

    @_of_folder
    def list_dir(self, prefix: str = "") -> Iterator[str]:
        """The names directly below `prefix`, sorted: keys as they are, deeper levels once with a ``/`` at the end."""
        yield from names_below(self.list_prefix(prefix), prefix)

    def above(self) -> tuple[Store, str]:
        """The store of the whole hierarchy that this one is a part of, if it is known, and where it lies in that."""
        return self, ""

    # --- what a store may do better

    def get_size(self, key: str) -> int | None:
        """Bytes of a value; None where there is no such key."""
        value = self.get(key)
        return None if value is None else len(value)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        """Several ranges of one value."""
        return [self.get(key, byte_range) for byte_range in ranges]

    def snapshot(self, key: str) -> Snapshot:
        """What several reads of one value go through that must belong together."""
        return Snapshot(self, key)

    def reader(self, prefix: str) -> Callable[[str, Any], int | None] | None:
        """A function ``read(name, buffer)`` that reads the value at `prefix` + `name` into a buffer.

        It returns the number of bytes read, None where there is no such key, or one more than the buffer holds where
        the value does not fit. None instead of a function says that the store has no better way than `get`.
        """
        return None

    @_of_folder
    def delete_prefix(self, prefix: str) -> None:
        """Delete every key below `prefix`, those too that another writer adds meanwhile; else StoreError is raised."""
        self.check_writable()
        left: list[str] = []
        for attempt in range(DELETE_ATTEMPTS):
            left = list(self.list_prefix(prefix))
            if not left:
                return
            if attempt > 1:
                time.sleep(jitter(0, 0.01 * 2**attempt))
            self.delete_keys(left)
        left = list(self.list_prefix(prefix))
        if left:
            raise left_over(self, prefix, left)

    def delete_keys(self, keys: Iterable[str]) -> None:
        """Delete many keys. Those that are absent are no error, and keep none of the others."""
        for key in keys:
            self.delete(key)

    @_of_folder
    def move_prefix(self, prefix: str, target: str) -> None:
        """Give every key below `prefix` a place below `target`. If that is cut short, the same call finishes it."""
        for key in list(self.list_prefix(prefix)):
            value = self.get(key)
            if value is not None:
                self.set(f"{target}/{key[len(prefix) + 1 :]}" if target else key[len(prefix) + 1 :], value)
            self.delete(key)

    def location(self, path: str = "") -> tuple[Any, ...]:
        """What tells the place of a path in this store from all others, outermost part first: for `stores.place`."""
        return (self, *(name for name in path.split("/") if name))

    # --- changing a value

    def update(self, key: str, change: Change) -> None:
        """Read, change and write a value without losing any other update of it.

        ``change(old)`` gets the present bytes, or None where there are none, and returns the new bytes, None to
        delete the key, or `old` itself to leave it. It may be called again, with newer bytes, where another writer
        was first; so it should have no other effects, and must not update the same store.

        Updates are safe against each other. A plain `set` or `delete` of the same key at the same time keeps out of
        them where `set_waits` is true, and elsewhere if it holds ``process_lock(store.lock_name(key))``.

        Where the answer to a write is lost, and another writer changes the value before this one asks again, nobody
        can tell whether the first write was there: `change` is then applied to a value that may hold it already. A
        change that must count once writes a name of its own into the value, and looks for that.
        """
        self.check_writable()
        with self.lock(key):
            self._update(key, change)

    def _update(self, key: str, change: Change) -> None:
        for attempt in range(UPDATE_ATTEMPTS):
            old, tag = self.get_tagged(key)
            new = change(old)
            if new is old or self.set_if(key, new, tag, os.urandom(12).hex() if self.conditional else ""):
                return
            time.sleep(jitter(0, min(1.0, 0.01 * 2 ** min(attempt, 10))))  # full jitter
        raise StoreError(
            f"key {key!r} in {self!r}: expected to write an updated value, found that another writer was first "
            f"{UPDATE_ATTEMPTS} times in a row; nothing was written; try again when fewer write to this key",
            key=key,
        )

    def put(self, key: str, value: Any) -> None:
        """Write a value whole (None: delete it). It cannot fall in between the two halves of an `update`."""
        with _NOTHING if self.set_waits else process_lock(self.lock_name(key)):
            if value is None:
                self.delete(key)
            else:
                self.set(key, value)

    def set_if_absent(self, key: str, value: Any) -> bool:
        """Write a value where there is none, and tell whether that was so. Of many writers one wins."""
        if self.conditional and type(self).set_if is not Store.set_if:
            return self.set_if(key, value, ABSENT, os.urandom(12).hex())
        written = False

        def change(old: Any) -> Any:
            nonlocal written
            written = old is None
            return value if written else old

        self.update(key, change)
        return written

    def lock(self, key: str) -> AbstractContextManager[Any]:
        """Return the lock that `update` holds against other updates of a key."""
        return process_lock(self.lock_name(key))

    def lock_name(self, key: str) -> Hashable:
        """Return what identifies the lock of a key in this process; stores on the same place must agree on it."""
        return id(self), key

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        """A value and its tag, which changes with every write; (None, ABSENT) where there is no such key.

        A store whose `lock` keeps every other update out needs no tags: (value, None).
        """
        return self.get(key), None

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        """Write a value (None: delete the key) if the tag is still that one, else leave it and return False.

        `writer` names this write. One that is made again because its answer was lost finds the value changed, by
        itself: a store that keeps the name beside the value can tell.
        """
        if value is None:
            self.delete(key)
        else:
            self.set(key, value)
        return True

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        """Return files of killed writers that were last written more than `older_than` seconds ago."""
        return []

    def remove_leftovers(self, older_than: float = 3600.0) -> list[Leftover]:
        """Delete what `leftovers` finds. A writer at work has such files too: leave it time."""
        self.check_writable()
        found = self.leftovers(older_than)
        for leftover in found:
            try:
                os.unlink(leftover.path)
            except FileNotFoundError:
                pass
        return found

    def close(self) -> None:
        """Finish writing, and let go of files."""

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        return self.exists(key)

    # --- for implementations

    def check_writable(self) -> None:
        """Raise ReadOnlyError where nothing may be written."""
        if self.read_only:
            raise ReadOnlyError(f"{self!r}: expected a writable store, found one opened for reading; try mode='r+'")


_NO_NAMES = {"", ".", ".."}


def check_key(key: str) -> str:
    """`key`, if it cannot lead out of the store."""
    if not key or "\0" in key or "\\" in key or not _NO_NAMES.isdisjoint(key.split("/")):
        raise NodeNameError(
            f"key {key!r}: expected names joined by '/', without empty parts, '.', '..' or backslashes", key=key
        )
    return key


def left_over(store: Store, prefix: str, keys: Sequence[str]) -> StoreError:
    """The error for a deletion of many keys after which some are there."""
    return StoreError(
        f"{store!r}: expected nothing below {prefix!r} after deleting it {DELETE_ATTEMPTS} times, found {len(keys)} "
        f"keys, such as {keys[0]!r}: somebody writes there; try again when that is done",
        key=prefix,
    )


def lists_nothing(url: str) -> StoreError:
    """The error where a store is asked for its keys that has no list of them; by its field others do without."""
    return StoreError(
        f"{url}: expected a store that lists its keys, found a web server, which does not; give the URL of an array "
        "in it, or consolidate the metadata where the store is written",
        url=url,
        unlisted=True,
    )


def cut(value: Any, byte_range: ByteRange) -> Any:
    """The bytes of `byte_range` in a whole value."""
    if byte_range is None:
        return value
    if isinstance(byte_range, int):
        return value[max(len(value) + byte_range, 0) :] if byte_range else value[:0]
    start, stop = byte_range
    return value[start:stop]


def names_below(keys: Iterable[str], prefix: str) -> list[str]:
    """What `Store.list_dir` yields, worked out from keys."""
    start = prefix + "/" if prefix else ""
    names = set()
    for key in keys:
        if key.startswith(start):
            name, slash, _ = key[len(start) :].partition("/")
            names.add(name + slash)
    return sorted(names)
