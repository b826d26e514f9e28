"""A store in a dictionary.

>>> store = MemoryStore()
>>> store.set("a/b", b"123"); store.get("a/b", -2), list(store.list_dir("a"))
(b'23', ['b'])
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator, MutableMapping, Sequence
from typing import Any

from tutorial_zarr.errors import ReadOnlyError

from . import locks
from .base import ByteRange, Store, check_key, cut
from .place import names
from .snapshot import Snapshot


class MemoryStore(Store):
    """Keys and bytes in a dict: one of its own, or any mutable mapping that is passed in.

    Pickled, as on the way to another process, it becomes a copy that can only be read: what somebody wrote there would
    never be seen here.
    """

    request_cost = 0
    pickled = False

    def __init__(self, mapping: MutableMapping[str, Any] | None = None, read_only: bool = False) -> None:
        self.mapping: MutableMapping[str, Any] = {} if mapping is None else mapping
        self.read_only = read_only

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        value = self.mapping.get(key)
        return None if value is None else cut(value, byte_range)

    def snapshot(self, key: str) -> Snapshot:
        return _Held(self.get(key))

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        self.mapping[check_key(key)] = bytes(value)

    def put(self, key: str, value: Any) -> None:
        if type(self) is not MemoryStore or type(self.mapping) is not dict:  # theirs may take long, or take locks
            super().put(key, value)
            return
        self.check_writable()
        act = (
            (self.mapping.pop, key, None) if value is None else (self.mapping.__setitem__, check_key(key), bytes(value))
        )
        if not locks.if_free(self.lock_name(key), *act):
            super().put(key, value)

    def delete(self, key: str) -> None:
        self.check_writable()
        self.mapping.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.mapping

    def get_size(self, key: str) -> int | None:
        value = self.mapping.get(key)
        return None if value is None else len(value)

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        start = prefix + "/" if prefix else ""
        yield from sorted(key for key in list(self.mapping) if key.startswith(start))

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        return ("memory", id(self.mapping), *names(path))

    def lock_name(self, key: str) -> Hashable:
        return id(self.mapping), key

    def check_writable(self) -> None:
        if self.pickled:
            raise ReadOnlyError(
                f"{self!r}: expected a store that processes share, found a copy of memory, where what is written would "
                "be lost; try a folder, or MemoryStore(store.mapping) for a store of this process's own"
            )
        super().check_writable()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"read_only": True, "pickled": True}

    def __copy__(self) -> MemoryStore:
        new = type(self).__new__(type(self))
        new.__dict__.update(self.__dict__)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> MemoryStore:
        new = self.__copy__()
        new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return new

    def __repr__(self) -> str:
        return f"MemoryStore({len(self.mapping)} keys)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryStore) and self.mapping is other.mapping

    __hash__ = None  # type: ignore[assignment]


class _Held(Snapshot):
    """A value that is at hand."""

    isolated = True

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self, byte_range: ByteRange) -> Any:
        return None if self.value is None else cut(self.value, byte_range)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        return [self.get(byte_range) for byte_range in ranges]
