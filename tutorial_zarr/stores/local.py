"""A store in a folder: a key is a path below it.

A value is written to a temporary file beside its place and renamed, so a reader sees the old bytes or the new
ones, and a killed writer leaves at most a file whose name ends in ``.partial``, which no listing shows.

The read path makes three system calls for a chunk: open, read, close.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tutorial_zarr.errors import NodeNameError, StoreError

from .base import ByteRange, Store, check_key

PARTIAL = ".partial"
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_counter = itertools.count()
_token = os.urandom(6).hex()  # tells this process's temporary files from those of any other


def _new_token() -> None:
    global _token
    _token = os.urandom(6).hex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_token)


class LocalStore(Store):
    """A folder. It is created with the first write."""

    request_cost = 1 << 13

    def __init__(self, root: str | os.PathLike[str], read_only: bool = False) -> None:
        self.root = os.path.abspath(os.fspath(root))
        self.read_only = read_only
        self._base = self.root + os.sep

    def _path(self, key: str) -> str:
        if ".." in key or "\\" in key or "\0" in key or key[:1] == "/" or (os.sep != "/" and ":" in key):
            if os.sep != "/" and ":" in key:
                raise NodeNameError(f"key {key!r}: expected no ':', which names a drive on this system", key=key)
            check_key(key)
        return self._base + key

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        path = self._path(key)
        try:
            fd = os.open(path, _READ)
        except OSError as error:
            return _absent(error, key)
        try:
            size = os.fstat(fd).st_size
            start, stop = _bounds(byte_range, size)
            if start:
                os.lseek(fd, start, os.SEEK_SET)
            return _read_exactly(fd, stop - start)
        except IsADirectoryError:
            return None
        finally:
            os.close(fd)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        try:
            fd = os.open(self._path(key), _READ)
        except OSError as error:
            return [_absent(error, key)] * len(ranges)
        try:
            size, results = os.fstat(fd).st_size, []
            for byte_range in ranges:
                start, stop = _bounds(byte_range, size)
                os.lseek(fd, start, os.SEEK_SET)
                results.append(_read_exactly(fd, stop - start))
            return results
        finally:
            os.close(fd)

    def reader(self, prefix: str) -> Callable[[str, Any], int | None]:
        base = self._path(prefix) if prefix else self._base

        def read(name: str, buffer: Any) -> int | None:
            try:
                fd = os.open(base + name, _READ)
            except OSError as error:
                return _absent(error, prefix + name)
            try:
                return _read_into(fd, buffer)
            except IsADirectoryError:
                return None
            finally:
                os.close(fd)

        return read

    def set(self, key: str, value: Any) -> None:
        if self.read_only:
            self.check_writable()
        if PARTIAL in key:
            raise NodeNameError(
                f"key {key!r}: expected a name without {PARTIAL!r}, which marks unfinished files", key=key
            )
        path = self._path(check_key(key) if "//" in key or not key else key)
        temporary = f"{path}.{_token}{next(_counter)}{PARTIAL}"
        try:
            fd = os.open(temporary, _WRITE, 0o666)
        except (FileNotFoundError, NotADirectoryError):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            except (FileExistsError, NotADirectoryError) as cause:
                raise StoreError(
                    f"key {key!r}: expected a folder above it, found a file; a node and a value cannot share a name",
                    key=key,
                ) from cause
            fd = os.open(temporary, _WRITE, 0o666)
        try:
            try:
                _write_all(fd, value)
            finally:
                os.close(fd)
            os.replace(temporary, path)
        except BaseException as error:
            try:
                os.unlink(temporary)
            except OSError:
                pass
            if isinstance(error, IsADirectoryError):
                raise StoreError(f"key {key!r}: expected a place for a value, found a folder", key=key) from error
            if isinstance(error, OSError) and not isinstance(error, StoreError):
                raise StoreError(f"key {key!r}: cannot write: {error.strerror}", key=key) from error
            raise

    def delete(self, key: str) -> None:
        self.check_writable()
        try:
            os.unlink(self._path(check_key(key)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            pass

    def exists(self, key: str) -> bool:
        return os.path.isfile(self._path(key))

    def get_size(self, key: str) -> int | None:
        try:
            status = os.stat(self._path(key))
        except OSError as error:
            return _absent(error, key)
        return status.st_size if not _is_folder(status.st_mode) else None

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        folder = self._path(prefix) if prefix else self.root
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir():
                yield from self.list_prefix(key)
            elif not entry.name.endswith(PARTIAL):
                yield key

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        try:
            entries = list(os.scandir(self._path(prefix) if prefix else self.root))
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from sorted(e.name + "/" if e.is_dir() else e.name for e in entries if not e.name.endswith(PARTIAL))

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()
        folder = self._path(check_key(prefix)) if prefix else self.root
        if os.path.islink(folder):  # the link goes, what it points to stays
            os.unlink(folder)
            return
        try:
            if prefix:
                shutil.rmtree(folder)
                return
            for entry in list(os.scandir(folder)):
                shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            return

    def __repr__(self) -> str:
        return f"LocalStore({self.root!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalStore) and self.root == other.root

    def __hash__(self) -> int:
        return hash(self.root)


def _absent(error: OSError, key: str) -> None:
    """None for the errors that mean "no such key"; the others are the store's, and must not pass for absence."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
        return
    if error.errno == errno.ENAMETOOLONG:
        return
    raise StoreError(f"key {key!r}: cannot read: {error.strerror}", key=key) from error


def _is_folder(mode: int) -> bool:
    return mode & 0o170000 == 0o040000


def _bounds(byte_range: ByteRange, size: int) -> tuple[int, int]:
    if byte_range is None:
        return 0, size
    if isinstance(byte_range, int):
        return max(size + byte_range, 0), size
    start, stop = byte_range
    start = min(start, size)
    return start, max(start, size if stop is None else min(stop, size))


def _read_exactly(fd: int, count: int) -> bytes:
    """`count` bytes, or fewer where the file ends. One system call reads at most 2 GiB."""
    data = os.read(fd, count) if count else b""
    if len(data) == count or not data:
        return data
    pieces = [data]
    while (missing := count - sum(map(len, pieces))) > 0 and (piece := os.read(fd, missing)):
        pieces.append(piece)
    return b"".join(pieces)


if hasattr(os, "readv"):
    _SPARE = bytearray(1)  # what lands here is never looked at: only whether something did

    def _read_into(fd: int, buffer: Any) -> int:
        return os.readv(fd, (buffer, _SPARE))

else:  # Windows

    def _read_into(fd: int, buffer: Any) -> int:
        data = _read_exactly(fd, len(buffer) + 1)
        memoryview(buffer)[: len(data)] = data[: len(buffer)]
        return len(data)


def _write_all(fd: int, value: Any) -> None:
    view = memoryview(value).cast("B") if memoryview(value).nbytes else memoryview(b"")
    written = os.write(fd, view)
    while written < len(view):
        written += os.write(fd, view[written:])
