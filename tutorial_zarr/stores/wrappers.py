"""Stores around stores: each adds one behaviour, and they compose.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = TraceStore(MemoryStore({"a": b"12345"}))
>>> store.get("a", (1, 3)), store.requests
(b'23', [Request(verb='GET', key='a', byte_range=(1, 3), nbytes=2)])
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from tutorial_zarr.errors import StoreError

from .base import ByteRange, Leftover, Store


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

    def set_if(self, key: str, value: Any, tag: Any) -> bool:
        return self.store.set_if(key, value, tag)

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

    read_only = True  # type: ignore[assignment]

    def set(self, key: str, value: Any) -> None:
        self.check_writable()

    def delete(self, key: str) -> None:
        self.check_writable()

    def reader(self, prefix: str) -> Callable[[str, Any], int | None] | None:
        return self.store.reader(prefix)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        return self.store.get_ranges(key, ranges)

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        return self.store.get_tagged(key)

    def set_if(self, key: str, value: Any, tag: Any) -> bool:
        self.check_writable()
        return False


class Request(NamedTuple):
    """One request that a store was asked for. `nbytes` is None where it found nothing."""

    verb: str  # GET, PUT, DELETE, HEAD, LIST
    key: str
    byte_range: ByteRange = None
    nbytes: int | None = None


class TraceStore(WrapperStore):
    """Writes down every request, in order. What a lesson or a test counts is here."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def _note(self, verb: str, key: str, byte_range: ByteRange = None, nbytes: int | None = None) -> None:
        with self._lock:
            self.requests.append(Request(verb, key, byte_range, nbytes))

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        value = self.store.get(key, byte_range)
        self._note("GET", key, byte_range, None if value is None else len(value))
        return value

    def set(self, key: str, value: Any) -> None:
        self.store.set(key, value)
        self._note("PUT", key, None, memoryview(value).nbytes)

    def delete(self, key: str) -> None:
        self.store.delete(key)
        self._note("DELETE", key)

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        value, tag = self.store.get_tagged(key)
        self._note("GET", key, None, None if value is None else len(value))
        return value, tag

    def set_if(self, key: str, value: Any, tag: Any) -> bool:
        done = self.store.set_if(key, value, tag)
        if value is None:
            self._note("DELETE", key)
        else:
            self._note("PUT", key, None, memoryview(value).nbytes if done else None)
        return done

    def exists(self, key: str) -> bool:
        found = self.store.exists(key)
        self._note("HEAD", key, None, 0 if found else None)
        return found

    def get_size(self, key: str) -> int | None:
        size = self.store.get_size(key)
        self._note("HEAD", key, None, None if size is None else 0)
        return size

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        self._note("LIST", prefix)
        return self.store.list_prefix(prefix)

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        self._note("LIST", prefix)
        return self.store.list_dir(prefix)

    def count(self, verb: str | None = None) -> int:
        """How many requests there were, of one verb or of all."""
        return sum(1 for request in self.requests if verb in (None, request.verb))

    def nbytes(self, verb: str = "GET") -> int:
        """Bytes moved by the requests of one verb."""
        return sum(request.nbytes or 0 for request in self.requests if request.verb == verb)

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self.requests.clear()
