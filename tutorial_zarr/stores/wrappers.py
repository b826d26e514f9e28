"""Stores around stores: each adds one behaviour, and they compose.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = TraceStore(MemoryStore({"a": b"12345"}))
>>> store.get("a", (1, 3)), store.requests
(b'23', [Request(verb='GET', key='a', byte_range=(1, 3), nbytes=2)])
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .base import ByteRange, Store


class WrapperStore(Store):
    """Passes every call on. Subclasses change what they are for."""

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

    def close(self) -> None:
        self.store.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store!r})"


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
