"""What a store is: keys, bytes and ranges. It knows nothing of arrays.

A store needs six methods. What a particular store can do better (read into a buffer, several ranges at once,
delete a whole prefix) has a default here that is made of the six.

Keys are text with ``/`` between the parts, never at either end: ``a/b/c/0/1``. A byte range is ``(start, stop)``,
``(start, None)``, or a negative number: the last bytes of the value.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#abstract-store-interface
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tutorial_zarr.errors import NodeNameError, ReadOnlyError

ByteRange = Any  # tuple[int, int | None] | int | None


class Store:
    """Base of all stores."""

    read_only = False
    concurrency: int | None = None  # requests worth having in flight; None where the processors are the limit
    request_cost = 1 << 19  # bytes that could be read in the time that one more request takes

    # --- the six

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
        """Every key that lies below `prefix`, sorted; all keys for ``""``."""
        raise NotImplementedError

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        """The names directly below `prefix`, sorted: keys as they are, deeper levels once with a ``/`` at the end."""
        raise NotImplementedError

    # --- what a store may do better

    def get_size(self, key: str) -> int | None:
        """Bytes of a value; None where there is no such key."""
        value = self.get(key)
        return None if value is None else len(value)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        """Several ranges of one value."""
        return [self.get(key, byte_range) for byte_range in ranges]

    def reader(self, prefix: str) -> Callable[[str, Any], int | None] | None:
        """A function ``read(name, buffer)`` that reads the value at `prefix` + `name` into a buffer.

        It returns the number of bytes read, None where there is no such key, or one more than the buffer holds where
        the value does not fit. None instead of a function says that the store has no better way than `get`.
        """
        return None

    def delete_prefix(self, prefix: str) -> None:
        """Delete every key below `prefix`."""
        for key in list(self.list_prefix(prefix)):
            self.delete(key)

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


def check_key(key: str) -> str:
    """`key`, if it cannot lead out of the store."""
    if not key or "\0" in key or "\\" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise NodeNameError(
            f"key {key!r}: expected names joined by '/', without empty parts, '.', '..' or backslashes", key=key
        )
    return key


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
