"""A store in a folder: a key is a path below it.

A value is written to a temporary file beside its place and renamed, so a reader sees the old bytes or the new
ones, and a killed writer leaves at most a file whose name ends in ``.partial``, which no listing shows. `leftovers`
does. With ``durable=True`` a value that was set is on the disk: the file and the folder's entry are synced.

An update holds a lock on the file ``<key>.lock.partial``, which keeps out other threads and other processes. The
operating system lets go of it when its holder dies, whatever the way.

A link within the folder is followed as long as it leads to a place within the folder. One that leads out of it is
refused, as a store may come from somebody else: it would read, or overwrite, other files of whoever opens it.

The read path makes three system calls for a chunk: open, read, close.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.errors import NodeNameError, StoreError

from . import locks
from .base import ByteRange, Leftover, Store, check_key
from .snapshot import Snapshot

PARTIAL = ".partial"
LOCK = ".lock" + PARTIAL
MAX_LINKS = 8  # on the way to one key
DEVICES = {"CON", "PRN", "AUX", "NUL", *(name + str(n) for name in ("COM", "LPT") for n in range(10))}
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ = _NOFOLLOW | os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_counter = itertools.count()
_token = os.urandom(6).hex()  # tells this process's temporary files from those of any other


def _new_token() -> None:
    global _token
    _token = os.urandom(6).hex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_token)


class LocalStore(Store):
    """A folder. It is created with the first write.

    `durable` syncs every write to the disk. `locked` says whom an update keeps out: the other ``"processes"`` (and
    threads), or other ``"threads"`` alone, for a file system without locks that one process writes to. An update
    that waits longer than `lock_timeout` seconds for another one raises. `follow_links` allows symbolic links that
    lead out of the folder, for stores of one's own that are spread over several disks.
    """

    request_cost = 1 << 13

    def __init__(
        self,
        root: str | os.PathLike[str],
        read_only: bool = False,
        durable: bool = False,
        locked: str = "processes",
        lock_timeout: float = 600.0,
        follow_links: bool = False,
    ) -> None:
        if locked not in ("processes", "threads"):
            raise ValueError(f"LocalStore: expected locked='processes' or 'threads', found {locked!r}")
        self.root = os.path.abspath(os.fspath(root))
        self.read_only, self.durable, self.locked, self.lock_timeout = read_only, durable, locked, lock_timeout
        self._base = self.root + os.sep
        self.follow_links = follow_links
        self._inside = {self.root: 0}  # folders known not to lead out, and the links on the way to each

    def _path(self, key: str) -> str:
        if ".." in key or "\\" in key or "\0" in key or key[:1] == "/":
            check_key(key)
        if os.sep != "/":
            check_windows_key(key)
        return self._base + key

    def _open(self, path: str, key: str) -> int:
        """A descriptor for reading."""
        if path[: path.rfind("/")] not in self._inside:
            self._check_folder(os.path.dirname(path), key)
        try:
            return os.open(path, _READ)
        except OSError as error:
            if not os.path.islink(path):
                raise
            real = os.path.realpath(path)
            if not os.path.lexists(real):  # a link to nothing: there is no value here, and none to keep out
                raise FileNotFoundError(errno.ENOENT, "the link leads to nothing") from error
            self._check_link(path, key)
            if os.path.islink(real):  # a circle
                raise StoreError(f"key {key!r}: cannot read: {error.strerror}", key=key) from error
            return os.open(real, _READ)

    def _check_folder(self, folder: str, key: str) -> int:
        """Refuse a key below a link that leads out of the store, or in a circle. A folder is looked at once."""
        known = self._inside.get(folder)
        if known is not None or not folder.startswith(self._base):
            return known or 0
        above = os.path.dirname(folder)
        links = self._check_folder(above, key)
        if os.path.islink(folder) or _is_junction(folder):
            self._check_link(folder, key)
            links += 1
            if links > MAX_LINKS or (os.path.realpath(above) + os.sep).startswith(os.path.realpath(folder) + os.sep):
                raise StoreError(
                    f"key {key!r}: expected folders, found links that lead in a circle, or more than {MAX_LINKS} of "
                    "them on the way",
                    key=key,
                )
        elif not os.path.isdir(folder):
            return links  # it may become a link yet
        if len(self._inside) >= 1 << 16:
            self._inside = {self.root: 0}
        self._inside[folder] = links
        return links

    def _check_link(self, path: str, key: str) -> None:
        real, root = os.path.realpath(path), os.path.realpath(self.root)
        if not self.follow_links and real != root and not real.startswith(root.rstrip(os.sep) + os.sep):
            raise StoreError(
                f"key {key!r}: expected a place within {self.root!r}, found a link that leads to {real!r}; if you "
                "trust the store, open it with storage_options={'follow_links': True}",
                key=key,
            )

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        with _OpenFile(self, key) as file:
            return file.get(byte_range)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        with _OpenFile(self, key) as file:
            return file.get_ranges(ranges)

    def snapshot(self, key: str) -> Snapshot:
        return _OpenFile(self, key)

    def reader(self, prefix: str) -> Callable[[str, Any], int | None]:
        base = self._path(prefix) if prefix else self._base

        def read(name: str, buffer: Any) -> int | None:
            try:
                fd = self._open(base + name, prefix + name)
            except StoreError:
                raise
            except OSError as error:
                return _absent(error, prefix + name)
            try:
                return _read_into(fd, buffer)
            except IsADirectoryError as error:
                return _absent(error, prefix + name)
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
        path = self._path(check_key(key))
        self._check_folder(os.path.dirname(path), key)
        temporary = f"{path}.{_token}{next(_counter)}{PARTIAL}"
        try:
            fd = os.open(temporary, _WRITE, 0o666)
        except (FileNotFoundError, NotADirectoryError):
            self._make_folder(path, key)
            fd = os.open(temporary, _WRITE, 0o666)
        try:
            try:
                _write_all(fd, value)
                if self.durable:
                    _sync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, path)
            if self.durable:
                _sync_folder(os.path.dirname(path))
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

    def _make_folder(self, path: str, key: str) -> None:
        """Make the folder that `path` lies in; with `durable`, such that it outlives a power cut."""
        folder, missing = os.path.dirname(path), []
        while self.durable and not os.path.isdir(folder) and folder != os.path.dirname(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except (FileExistsError, NotADirectoryError) as cause:
            raise StoreError(
                f"key {key!r}: expected a folder above it, found a file; a node and a value cannot share a name",
                key=key,
            ) from cause
        for made in reversed(missing):
            _sync_folder(os.path.dirname(made))

    def delete(self, key: str) -> None:
        self.check_writable()
        path = self._path(check_key(key))
        self._check_folder(os.path.dirname(path), key)
        try:
            os.unlink(path)
        except OSError as error:
            if isinstance(error, (FileNotFoundError, NotADirectoryError)) or os.path.isdir(path):
                return  # a folder is no key
            raise StoreError(f"key {key!r}: cannot delete: {error.strerror}", key=key) from error
        if self.durable:
            _sync_folder(os.path.dirname(path))

    def lock_name(self, key: str) -> Hashable:
        return self.root, key

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Keep other updates of a key out, as `locked` says."""
        path = self._path(check_key(key)) + LOCK
        with locks.process_lock(self.lock_name(key)):
            if self.locked == "threads":
                yield
                return
            held = locks.acquire(path, key, self.lock_timeout, lambda: self._make_folder(path, key))
            try:
                yield
            finally:
                locks.release(held, path)

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        found, latest = [], time.time() - older_than
        for folder, _, names in os.walk(self.root):
            for name in names:
                if name.endswith(PARTIAL):
                    path = os.path.join(folder, name)
                    try:
                        status = os.lstat(path)
                    except FileNotFoundError:
                        continue  # its writer has finished
                    if status.st_mtime <= latest:
                        found.append(Leftover(path, status.st_size, max(0.0, time.time() - status.st_mtime)))
        return sorted(found)

    def remove_leftovers(self, older_than: float = 3600.0) -> list[Leftover]:
        self.check_writable()
        removed = []
        for leftover in self.leftovers(older_than):
            try:
                if leftover.path.endswith(LOCK):
                    locks.release(locks.acquire(leftover.path, leftover.path, 0.0), leftover.path)
                else:
                    os.unlink(leftover.path)
                removed.append(leftover)
            except (FileNotFoundError, StoreError):
                pass  # gone by itself, or a lock that somebody holds
        return removed

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
        self._check_folder(folder, prefix)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name + "/" * _leads_to_folder(entry))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if _leads_to_folder(entry):
                yield from self.list_prefix(key)
            elif not entry.name.endswith(PARTIAL):
                yield key

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        folder = self._path(prefix) if prefix else self.root
        self._check_folder(folder, prefix)
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from sorted(
            e.name + "/" if _leads_to_folder(e) else e.name for e in entries if not e.name.endswith(PARTIAL)
        )

    def delete_prefix(self, prefix: str) -> None:
        import shutil

        self.check_writable()
        folder = self._path(check_key(prefix)) if prefix else self.root
        self._check_folder(os.path.dirname(folder), prefix)
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


class _OpenFile(Snapshot):
    """A file that stays open, and so the same: who replaces it writes another one and gives that its name."""

    isolated = True
    store: LocalStore
    fd: int | None = None

    def _opened(self) -> int | None:
        """The file, opened by the first that asks; None where there is none."""
        if self.fd is None:
            try:
                self.fd = self.store._open(self.store._path(self.key), self.key)
            except StoreError:
                raise
            except OSError as error:
                _absent(error, self.key)
        return self.fd

    def get(self, byte_range: ByteRange) -> Any:
        fd = self._opened()
        if fd is None:
            return None
        try:
            start, stop = _bounds(byte_range, os.fstat(fd).st_size)
            os.lseek(fd, start, os.SEEK_SET)
            return _read_exactly(fd, stop - start)
        except IsADirectoryError as error:
            return _absent(error, self.key)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        fd = self._opened()
        if fd is None:
            return [None] * len(ranges)
        try:
            size, results = os.fstat(fd).st_size, []
            bounds = [_bounds(byte_range, size) for byte_range in ranges]
            memory = memoryview(parallel.aligned_empty(sum([stop - start for start, stop in bounds])))
            used = 0
            for start, stop in bounds:
                view = memory[used : used + stop - start]
                used += len(view)
                results.append(view[: _read_at(fd, view, start)])
            return results
        except IsADirectoryError as error:
            return [_absent(error, self.key)] * len(ranges)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def _absent(error: OSError, key: str) -> None:
    """None for the errors that mean "no such key"; the others are the store's, and must not pass for absence."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return
    if isinstance(error, IsADirectoryError):
        raise StoreError(f"key {key!r}: expected a value, found a folder in its place", key=key) from error
    if error.errno == errno.ENAMETOOLONG:
        return
    raise StoreError(f"key {key!r}: cannot read: {error.strerror}", key=key) from error


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; a link to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_junction(path: str) -> bool:
    """Whether a folder is Windows' other kind of link. (Python 3.11 cannot tell.)"""
    return sys.platform == "win32" and sys.version_info >= (3, 12) and os.path.isjunction(path)


def check_windows_key(key: str) -> None:
    """Refuse what Windows takes for something else: a drive, a device, a name without the dot at its end.

    >>> check_windows_key("a/nul.txt")
    Traceback (most recent call last):
    tutorial_zarr.errors.NodeNameError: key 'a/nul.txt': expected a plain name, found 'nul.txt', which Windows ...
    """
    for name in key.split("/"):
        if ":" in name or name[-1:] in (".", " ") or name.partition(".")[0].rstrip().upper() in DEVICES:
            raise NodeNameError(
                f"key {key!r}: expected a plain name, found {name!r}, which Windows takes for a drive, a device or "
                "another name; try another name",
                key=key,
            )


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


if hasattr(os, "preadv"):
    _SPARE = bytearray(1)  # what lands here is never looked at: only whether something did

    def _read_into(fd: int, buffer: Any) -> int:
        return os.readv(fd, (buffer, _SPARE))

    def _read_at(fd: int, view: memoryview, start: int) -> int:
        found = os.preadv(fd, (view,), start)
        while found < len(view) and (size := os.preadv(fd, (view[found:],), start + found)):
            found += size
        return found

else:  # Windows

    def _read_into(fd: int, buffer: Any) -> int:
        data = _read_exactly(fd, len(buffer) + 1)
        memoryview(buffer)[: len(data)] = data[: len(buffer)]
        return len(data)

    def _read_at(fd: int, view: memoryview, start: int) -> int:
        os.lseek(fd, start, os.SEEK_SET)
        data = _read_exactly(fd, len(view))
        view[: len(data)] = data
        return len(data)


def _sync(fd: int) -> None:
    """Have the disk hold what was written. On macOS fsync stops at the drive's own memory."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def _sync_folder(folder: str) -> None:
    """Have the disk hold a folder's entries. Windows does so by itself, and opens no folders."""
    if os.name != "nt":
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _write_all(fd: int, value: Any) -> None:
    view = memoryview(value).cast("B") if memoryview(value).nbytes else memoryview(b"")
    written = os.write(fd, view)
    while written < len(view):
        written += os.write(fd, view[written:])
