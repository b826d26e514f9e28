"""A store that remembers what was read, within a bound, and forgets what was used least recently.

For data that nobody else changes while it is open: a value that another store or process writes is not seen. What is
written through this store is. Absence is not remembered.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = CacheStore(MemoryStore({"a": b"12345"}), max_bytes=100)
>>> store.get("a"), store.get("a"), store.hits, store.misses
(b'12345', b'12345', 1, 1)
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from . import locks
from .base import ByteRange, Store
from .wrappers import WrapperStore

Entry = tuple[str, ByteRange]
LEAST_KEPT = 1 << 20  # bytes that the keys may take, however small the cache is


class CacheStore(WrapperStore):
    """Holds up to `max_bytes` of values and ranges in memory, and up to `max_disk_bytes` more in a folder.

    What no longer fits in memory goes to the disk, if `folder` names a place for it. The store makes its own folder
    there and deletes it when it is closed. If that folder is full, or somebody empties it, reads cost requests again
    and nothing fails. The keys and their index may take `max_bytes` as well (or 1 MiB if that is more), so very small
    values are forgotten sooner.
    """

    def __init__(
        self,
        store: Store,
        max_bytes: int = 1 << 28,
        folder: str | os.PathLike[str] | None = None,
        max_disk_bytes: int = 1 << 32,
    ) -> None:
        super().__init__(store)
        self.max_bytes, self.max_disk_bytes = max_bytes, max_disk_bytes
        self.hits = self.misses = self.nbytes = self.disk_nbytes = 0
        self._memory: OrderedDict[Entry, bytes] = OrderedDict()  # the least recently used first
        self._disk: OrderedDict[Entry, tuple[str, int]] = OrderedDict()  # file and size
        self._keys: dict[str, set[Entry]] = {}  # what is held of each key
        self._kept = 0  # bytes of keys and of what it takes to find them
        self._lock, self._writes, self._files = threading.RLock(), 0, 0
        locks.tell_after_fork(self)
        self._folder = None
        if folder is not None:
            os.makedirs(folder, exist_ok=True)
            self._folder = tempfile.mkdtemp(prefix="cache-", dir=folder)
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def after_fork(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here."""
        self._lock = threading.RLock()

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        entry = key, byte_range
        with self._lock:
            value, writes = self._look_up(entry), self._writes
            if value is not None:
                self.hits += 1
                return value
            self.misses += 1
        value = self.store.get(key, byte_range)
        if value is not None:
            self._hold(entry, value, writes)
        return value

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        with self._lock:
            found, writes = {each: self._look_up((key, each)) for each in ranges}, self._writes
            missing = [each for each, value in found.items() if value is None]
            self.hits += len(found) - len(missing)
            self.misses += len(missing)
        for each, value in zip(missing, self.store.get_ranges(key, missing) if missing else [], strict=True):
            found[each] = value
            if value is not None:
                self._hold((key, each), value, writes)
        return [found[each] for each in ranges]

    def _look_up(self, entry: Entry) -> bytes | None:
        value = self._memory.get(entry)
        if value is not None:
            self._memory.move_to_end(entry)
            return value
        if entry not in self._disk:
            return None
        path, size = self._disk.pop(entry)
        self.disk_nbytes -= size
        value = _take_file(path, size)
        if value is None:
            self._let_go(entry)
        else:
            self._remember(entry, value)
        return value

    def _hold(self, entry: Entry, value: Any, writes: int) -> None:
        """Remember what was read, unless something was written since: it may have been this."""
        with self._lock:
            if writes == self._writes and entry not in self._memory and entry not in self._disk:
                self._keys.setdefault(entry[0], set()).add(entry)
                self._kept += _cost(entry)
                self._remember(entry, bytes(value))

    def _remember(self, entry: Entry, value: bytes) -> None:
        self._memory[entry] = value
        self.nbytes += len(value)
        while self.nbytes > self.max_bytes:
            oldest, value = self._memory.popitem(last=False)
            self.nbytes -= len(value)
            if not self._to_disk(oldest, value):
                self._let_go(oldest)
        while self.disk_nbytes > self.max_disk_bytes:
            self._forget_entry(next(iter(self._disk)))
        while self._kept > max(self.max_bytes, LEAST_KEPT):
            self._forget_entry(next(iter(self._disk or self._memory)))

    def _to_disk(self, entry: Entry, value: bytes) -> bool:
        """Write a value to the folder. Return False if there is none, or no space."""
        if self._folder is None or len(value) > self.max_disk_bytes:
            return False
        self._files += 1
        path = os.path.join(self._folder, str(self._files))
        try:
            with open(path, "wb") as file:
                file.write(value)
        except OSError:
            _remove_file(path)
            return False
        self._disk[entry] = path, len(value)
        self.disk_nbytes += len(value)
        return True

    def _forget_entry(self, entry: Entry) -> None:
        value = self._memory.pop(entry, None)
        if value is not None:
            self.nbytes -= len(value)
        elif entry in self._disk:
            path, size = self._disk.pop(entry)
            self.disk_nbytes -= size
            _remove_file(path)
        self._let_go(entry)

    def _let_go(self, entry: Entry) -> None:
        """Take an entry that is held nowhere any more out of the books."""
        self._kept -= _cost(entry)
        held = self._keys[entry[0]]
        held.discard(entry)
        if not held:
            del self._keys[entry[0]]

    def forget(self, key: str) -> None:
        """Forget what is held of a key."""
        with self._lock:
            self._writes += 1
            for entry in list(self._keys.get(key, ())):
                self._forget_entry(entry)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for key in list(self._keys):
                self.forget(key)

    def set(self, key: str, value: Any) -> None:
        try:
            self.store.set(key, value)
        finally:  # one that failed may have been written all the same
            self.forget(key)

    def delete(self, key: str) -> None:
        try:
            self.store.delete(key)
        finally:
            self.forget(key)

    def delete_prefix(self, prefix: str) -> None:
        try:
            self.store.delete_prefix(prefix)
        finally:
            self.clear()

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.store.get_tagged(key)  # an update must see what is there now

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        try:
            return self.store.set_if(key, value, tag, writer)
        finally:
            self.forget(key)

    def close(self) -> None:
        self.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        super().close()


def _cost(entry: Entry) -> int:
    """About what an entry takes in memory beside its value: its places in two dictionaries and a set, and the key."""
    return 500 + len(entry[0])


def _take_file(path: str, size: int) -> bytes | None:
    """The bytes of a file, which is removed; None where it is gone, or not as long as it was."""
    try:
        with open(path, "rb") as file:
            value = file.read(size + 1)
    except OSError:
        value = b""
    _remove_file(path)
    return value if len(value) == size else None


def _remove_file(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # the folder is a cache: emptying it does no harm
        pass
