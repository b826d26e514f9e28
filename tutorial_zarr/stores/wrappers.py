"""Stores around stores: each adds one behaviour, and they compose. Here is what the others are made of.

`trace` says what was asked for, `faults` makes it slow or wrong, `retry` asks again, `cache` does not ask twice.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = PrefixStore(MemoryStore({"a/b": b"12345"}), "a")
>>> store.get("b", (1, 3)), list(store.list_dir())
(b'23', ['b'])
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from tutorial_zarr.errors import StoreError

from .base import ByteRange, Leftover, Store, check_key
from .snapshot import Snapshot


class WrapperStore(Store):
    """Passes every call on. Subclasses change what they are for.

    What one does to `get` and `set` must hold for updates too, which read and write with `get_tagged` and `set_if`.
    So a subclass that changes the former writes the latter as well; if not, they are made of its `get` and `set`
    where the store inside locks, and refused where that relies on tags.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        changed, own = vars(cls).keys() & {"get", "set"}, vars(cls).keys() & {"get_tagged", "set_if"}
        if changed and not own:
            cls.get_tagged, cls.set_if = _get_tagged_by_get, Store.set_if  # type: ignore[method-assign]

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def read_only(self) -> bool:  # type: ignore[override]
        return self.store.read_only

    def above(self) -> tuple[Store, str]:
        store, path = self.store.above()
        return (store, path) if path else (self, "")

    @property
    def concurrency(self) -> int | None:  # type: ignore[override]
        return self.store.concurrency

    @property
    def request_cost(self) -> int:  # type: ignore[override]
        return self.store.request_cost

    @property
    def conditional(self) -> bool:  # type: ignore[override]
        return self.store.conditional

    @property
    def holds_back(self) -> bool:  # type: ignore[override]
        return self.store.holds_back

    @property
    def locks_keys(self) -> bool:  # type: ignore[override]
        return self.store.locks_keys

    @property
    def set_waits(self) -> bool:  # type: ignore[override]
        return self.store.set_waits

    @property
    def update_deletes(self) -> bool:  # type: ignore[override]
        return self.store.update_deletes

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return self.store.get(key, byte_range)

    def set(self, key: str, value: Any) -> None:
        self.store.set(key, value)

    def delete(self, key: str) -> None:
        self.store.delete(key)

    def exists(self, key: str) -> bool:
        return self.store.exists(key)

    def get_size(self, key: str) -> int | None:
        return self.store.get_size(key)

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        return self.store.list_prefix(prefix)

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        return self.store.list_dir(prefix)

    def lock(self, key: str) -> AbstractContextManager[Any]:
        return self.store.lock(key)

    def lock_name(self, key: str) -> Hashable:
        return self.store.lock_name(key)

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.store.get_tagged(key)

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        return self.store.set_if(key, value, tag, writer)

    def location(self, path: str = "") -> tuple[Any, ...]:
        return self.store.location(path)

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        return self.store.leftovers(older_than)

    def remove_leftovers(self, older_than: float = 3600.0) -> list[Leftover]:
        self.check_writable()
        return self.store.remove_leftovers(older_than)

    def close(self) -> None:
        self.store.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"


def _get_tagged_by_get(self: WrapperStore, key: str) -> tuple[Any, Any]:
    """What stands in for `get_tagged` in a wrapper that changes `get` and `set` alone."""
    if self.conditional:
        raise StoreError(
            f"key {key!r} in {self!r}: expected a wrapper with get_tagged and set_if, since the store inside updates "
            f"by tags, found one without; add them to {type(self).__name__}",
            key=key,
        )
    return self.get(key), None


class ReadOnlyStore(WrapperStore):
    """Refuses to write."""

    read_only = True

    def set(self, key: str, value: Any) -> None:
        self.check_writable()

    def delete(self, key: str) -> None:
        self.check_writable()

    def reader(self, prefix: str) -> Callable[[str, Any], int | None] | None:
        return self.store.reader(prefix)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        return self.store.get_ranges(key, ranges)

    def snapshot(self, key: str) -> Snapshot:
        return self.store.snapshot(key)

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.store.get_tagged(key)

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        self.check_writable()
        return False

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()


class PrefixStore(WrapperStore):
    """What lies below `prefix` in another store, as a store of its own."""

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store)
        self.prefix = check_key(prefix)

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{check_key(key)}"

    def _below(self, prefix: str) -> str:
        return self._key(prefix) if prefix else self.prefix

    def above(self) -> tuple[Store, str]:
        store, path = self.store.above()
        return store, f"{path}/{self.prefix}".lstrip("/")

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return self.store.get(self._key(key), byte_range)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        return self.store.get_ranges(self._key(key), ranges)

    def snapshot(self, key: str) -> Snapshot:
        return self.store.snapshot(self._key(key))

    def set(self, key: str, value: Any) -> None:
        self.store.set(self._key(key), value)

    def delete(self, key: str) -> None:
        self.store.delete(self._key(key))

    def exists(self, key: str) -> bool:
        return self.store.exists(self._key(key))

    def get_size(self, key: str) -> int | None:
        return self.store.get_size(self._key(key))

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        start = len(self.prefix) + 1
        return (key[start:] for key in self.store.list_prefix(self._below(prefix)))

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        return self.store.list_dir(self._below(prefix))

    def reader(self, prefix: str) -> Callable[[str, Any], int | None] | None:
        return self.store.reader(f"{self.prefix}/{prefix}")

    def delete_prefix(self, prefix: str) -> None:
        self.store.delete_prefix(self._below(prefix))

    def delete_keys(self, keys: Iterable[str]) -> None:
        self.store.delete_keys([self._key(key) for key in keys])

    def move_prefix(self, prefix: str, target: str) -> None:
        self.store.move_prefix(self._key(prefix), self._below(target))

    def location(self, path: str = "") -> tuple[Any, ...]:
        return self.store.location(self._below(path))

    def lock(self, key: str) -> AbstractContextManager[Any]:
        return self.store.lock(self._key(key))

    def lock_name(self, key: str) -> Hashable:
        return self.store.lock_name(self._key(key))

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.store.get_tagged(self._key(key))

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        return self.store.set_if(self._key(key), value, tag, writer)

    def __repr__(self) -> str:
        return f"PrefixStore({self.store!r}, {self.prefix!r})"


class Request(NamedTuple):
    """One request that a store was asked for. `nbytes` is None where it found nothing."""

    verb: str  # GET, PUT, DELETE, HEAD, LIST
    key: str
    byte_range: ByteRange = None
    nbytes: int | None = None
    start: float = 0.0  # seconds since the trace began
    seconds: float = 0.0


class AroundStore(WrapperStore):
    """Passes every request through `around`, which a subclass writes: it makes the call, and may do more.

    Several ranges of one value are one call and one request, whose `byte_range` is a tuple of them. `value` is what
    a PUT writes.
    """

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        """Make the call, and return what it returned."""
        return call()

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return self.around(Request("GET", key, byte_range), lambda: self.store.get(key, byte_range))

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        return self.around(Request("GET", key, tuple(ranges)), lambda: self.store.get_ranges(key, ranges))

    def snapshot(self, key: str) -> Snapshot:
        return _Around(self, key)

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.around(Request("GET", key), lambda: Tagged(self.store.get_tagged(key)))

    def set(self, key: str, value: Any) -> None:
        self.around(Request("PUT", key), lambda: self.store.set(key, value), value)

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        verb = "DELETE" if value is None else "PUT"
        return self.around(Request(verb, key), lambda: self.store.set_if(key, value, tag, writer), value)

    def delete(self, key: str) -> None:
        self.around(Request("DELETE", key), lambda: self.store.delete(key))

    def exists(self, key: str) -> bool:
        return self.around(Request("HEAD", key), lambda: self.store.exists(key))

    def get_size(self, key: str) -> int | None:
        return self.around(Request("HEAD", key), lambda: self.store.get_size(key))

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        return iter(self.around(Request("LIST", prefix), lambda: list(self.store.list_prefix(prefix))))

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        return iter(self.around(Request("LIST", prefix), lambda: list(self.store.list_dir(prefix))))


class _Around(Snapshot):
    """A snapshot whose requests pass through `around`."""

    store: AroundStore

    def __init__(self, store: AroundStore, key: str) -> None:
        super().__init__(store, key)
        self.inside = store.store.snapshot(key)

    @property
    def isolated(self) -> bool:  # type: ignore[override]
        return self.inside.isolated  # which one with tags knows after its first answer

    def get(self, byte_range: ByteRange) -> Any:
        return self.store.around(Request("GET", self.key, byte_range), lambda: self.inside.get(byte_range))

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        return self.store.around(Request("GET", self.key, tuple(ranges)), lambda: self.inside.get_ranges(ranges))

    def close(self) -> None:
        self.inside.close()


class Tagged(tuple):  # type: ignore[type-arg]
    """What `get_tagged` returned, so that it can be told from other results."""


def moved(request: Request, result: Any, value: Any) -> int | None:
    """The bytes that a request moved; None where it found nothing."""
    if request.verb == "PUT":
        return None if result is False else memoryview(value).nbytes
    if request.verb == "GET":
        values = result[:1] if isinstance(result, Tagged) else result if isinstance(result, list) else [result]
        return None if any(each is None for each in values) else sum(map(len, values))
    if request.verb == "HEAD":
        return None if result is None or result is False else 0
    return None
