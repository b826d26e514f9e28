"""A store in a folder: a key is a path below it.

A value is written to the file ``<key>.lock.partial``, which is then renamed, so a reader sees the old bytes or the new
ones, and a killed writer leaves at most that file, which no listing shows. `leftovers` does. With ``durable=True`` a
value that was set is on the disk: the file and the folder's entry are synced.

As the file has one name, and is locked by who makes it, it keeps the other writers of the key out: an update from
before it reads until its value has the name, a `set` while it writes. So neither is lost, whichever threads and
processes they come from. The operating system releases a lock when its holder dies; the next writer of the
key then deletes the file, after a quarter of a second. That costs a `set` one system call.

A symbolic link is followed if it leads to a place within the folder. One that leads out is refused, because a store
may come from somebody else, and such a link could read or overwrite other files of the user who opens it.

The read path makes three system calls for a chunk: open, read, close.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NoReturn

from tutorial_zarr import parallel
from tutorial_zarr.errors import NodeNameError, StoreError

from . import locks
from .base import DELETE_ATTEMPTS, ByteRange, Change, Leftover, Store, check_key, left_over
from .bounds import check_size
from .place import file_location
from .snapshot import Snapshot

PARTIAL = ".partial"
LOCK = ".lock" + PARTIAL
_OURS = re.compile(r".+\.(lock|[0-9a-f]+)\.partial", re.S)  # other names with that ending are somebody else's
MAX_LINKS = 8  # on the way to one key
DEVICES = {"CON", "PRN", "AUX", "NUL", *(name + str(n) for name in ("COM", "LPT") for n in range(10))}
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a pipe in the place of a file keeps nobody waiting
_READ = _NOFOLLOW | _NONBLOCK | os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
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

    `durable` syncs every write to the disk. `locked` says what an update is safe against: other ``"processes"``
    (and threads), or other ``"threads"`` only, for a file system without locks that one process writes to. An update
    that waits longer than `lock_timeout` seconds for another one raises. `follow_links` allows symbolic links that
    lead out of the folder, for your own stores that are spread over several disks.
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
        self._locks_files = sys.platform != "emscripten"  # in a browser there is one process, and no locks
        self.set_waits = locked == "processes" and self._locks_files
        self._inside = {self.root: 0}  # folders known not to lead out, and the links on the way to each

    def _path(self, key: str) -> str:
        if ".." in key or "\\" in key or "\0" in key or key[:1] == "/":
            check_key(key)
        if os.sep != "/":
            check_windows_key(key)
        return self._base + key

    def above(self) -> tuple[Store, str]:
        """The folders above count as long as they hold the document of a group, or of anything else of Zarr's."""
        root, names = self.root, []
        while (folder := os.path.dirname(root)) != root and any(
            os.path.isfile(os.path.join(folder, name)) for name in ("zarr.json", ".zgroup")
        ):
            names.append(os.path.basename(root))
            root = folder
        if not names:
            return self, ""
        options = self.read_only, self.durable, self.locked, self.lock_timeout, self.follow_links
        return LocalStore(root, *options), "/".join(reversed(names))

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
        unknown = []  # no recursion: folders may be deeper than Python's stack
        while (links := self._inside.get(folder)) is None and folder.startswith(self._base):
            unknown.append(folder)
            folder = os.path.dirname(folder)
        for below in reversed(unknown):
            links = self._check_below(below, links or 0, key)
        return links or 0

    def _check_below(self, folder: str, links: int, key: str) -> int:
        above = os.path.dirname(folder)
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
        base = self._path(prefix.removesuffix("/")) + "/" * prefix.endswith("/") if prefix else self._base

        def read(name: str, buffer: Any) -> int | None:
            try:
                fd = self._open(base + name, prefix + name)
            except StoreError:
                raise
            except OSError as error:
                return _absent(error, prefix + name)
            try:
                return _read_into(fd, buffer)
            except OSError as error:
                return _absent(error, prefix + name)
            finally:
                os.close(fd)

        return read

    def set(self, key: str, value: Any) -> None:
        if self.read_only:
            self.check_writable()
        path = self._place(key)
        if self._apart(path):
            self._write_beside(path, key, value)
            return
        if not self.durable and locks.PLAIN and self._set_at_once(path, path + LOCK, value):
            return
        try:
            with self._lock_for(path, key) as lock:
                self._write(lock, path, key, value)
        except StoreError as error:
            self._note(error)
            self._write_beside(path, key, value)
        except OSError as error:
            _give_up("write", key, error)

    def _set_at_once(self, path: str, name: str, value: Any) -> bool:
        """Set a value in the usual case, without other writers or errors. Otherwise return False and change nothing."""
        fd, view, began = -1, memoryview(value), time.monotonic()
        try:
            fd = os.open(name, locks.MAKE, 0o666)
            if locks.take(fd) and time.monotonic() - began < locks.PROMPT and os.write(fd, view) == view.nbytes:
                os.close(os.dup(fd))  # see `FileLock.become`
                os.replace(name, path)
                done, fd = fd, -1  # from here on it is a value like any other, whose lock means nothing
                os.close(done)
                return True
        except OSError:
            pass  # it comes again by the other way, which says what it is
        finally:
            if fd >= 0:
                locks.FileLock(name, name, 0.0, fd=fd).release()
        return False

    def _apart(self, path: str) -> bool:
        """Whether no lock is to be taken for a value: this thread has it, or nobody takes any."""
        return self.locked == "threads" or not self._locks_files or locks.holds(path + LOCK)

    def _note(self, error: StoreError) -> None:
        """That files cannot be locked here, so that no update needs to be kept out; any other error is raised."""
        if getattr(error, "lacks", None) != locks.NO_LOCKS:
            raise error
        self._locks_files = False

    def _place(self, key: str) -> str:
        """The path of a key that is to be written."""
        if PARTIAL in key and any(map(is_ours, key.split("/"))):
            raise NodeNameError(
                f"key {key!r}: expected another name: those like 'x.lock{PARTIAL}' are for unfinished files", key=key
            )
        path = self._path(check_key(key))
        if path[: path.rfind("/")] not in self._inside:
            self._check_folder(os.path.dirname(path), key)
        return path

    def _lock_for(self, path: str, key: str) -> locks.FileLock:
        return locks.FileLock(path + LOCK, key, self.lock_timeout, lambda: self._make_folder(path, key))

    def _write(self, lock: locks.FileLock | None, path: str, key: str, value: Any) -> None:
        """Write a value into the file that is locked, and give that its name."""
        if lock is None or os.name == "nt":  # where a file that is open cannot be renamed
            self._write_beside(path, key, value)
            return
        _write_all(lock.fd, value)  # type: ignore[arg-type]
        lock.become(path, _sync if self.durable else None)
        if self.durable:
            _sync_folder(os.path.dirname(path))

    def _write_beside(self, path: str, key: str, value: Any) -> None:
        """The same with a file of its own, where the lock is not to go yet, or where there is none."""
        temporary = f"{path}.{_token}{next(_counter)}{PARTIAL}"
        try:
            try:
                fd = os.open(temporary, _WRITE, 0o666)
            except (FileNotFoundError, NotADirectoryError):
                self._make_folder(path, key)
                fd = os.open(temporary, _WRITE, 0o666)
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
            if isinstance(error, OSError):
                _give_up("write", key, error)
            raise

    def _make_folder(self, path: str, key: str) -> None:
        """Create the folder of `path`; with `durable`, sync it so that it survives a power cut."""
        folder, missing = os.path.dirname(path), []
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for folder in reversed(missing):  # os.makedirs is not for folders deeper than Python's stack
            try:
                os.makedirs(folder, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as cause:
                raise StoreError(
                    f"key {key!r}: expected a folder above it, found a file; a node and a value cannot share a name",
                    key=key,
                ) from cause
            except OSError as cause:
                _give_up("write", key, cause)
            if self.durable:
                _sync_folder(os.path.dirname(folder))

    def delete(self, key: str) -> None:
        self.check_writable()
        path = self._path(check_key(key))
        self._check_folder(os.path.dirname(path), key)
        if not os.path.lexists(path):
            return  # a change made meanwhile comes after this one
        if self._apart(path):
            self._unlink(path, key)
            return
        try:
            with self._lock_for(path, key):
                self._unlink(path, key)
        except StoreError as error:
            self._note(error)
            self._unlink(path, key)

    def _unlink(self, path: str, key: str) -> None:
        try:
            os.unlink(path)
        except OSError as error:
            if isinstance(error, (FileNotFoundError, NotADirectoryError)) or os.path.isdir(path):
                return  # a folder is no key
            _give_up("delete", key, error)
        if self.durable:
            _sync_folder(os.path.dirname(path))

    # --- changing a value

    def lock_name(self, key: str) -> Hashable:
        return self.root, key

    def lock(self, key: str) -> locks.KeyLock:
        """Keep other updates of a key out, as `locked` says."""
        path = self._path(check_key(key))
        threads = self.locked == "threads" or sys.platform == "emscripten"
        return locks.KeyLock(self.lock_name(key), None if threads else self._lock_for(path, key))

    def update(self, key: str, change: Change) -> None:
        self.check_writable()
        path = self._place(key)
        with self.lock(key) as lock:
            old = self.get(key)
            new = change(old)
            try:
                if new is None:
                    self._unlink(path, key)
                elif new is not old:
                    self._write(lock.file, path, key, new)
            except OSError as error:
                _give_up("write", key, error)

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        found, latest = [], time.time() - older_than
        for folder, _, names in os.walk(self.root):
            for name in filter(is_ours, names):
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
                if not leftover.path.endswith(LOCK):
                    os.unlink(leftover.path)
                elif os.path.lexists(leftover.path):
                    locks.FileLock(leftover.path, leftover.path, 0.0).take_away()
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

    def _entries(self, prefix: str) -> list[os.DirEntry[str]]:
        """What lies in a folder, but for what no listing shows."""
        folder = self._path(prefix) if prefix else self.root
        self._check_folder(folder, prefix)
        try:
            with os.scandir(folder) as entries:
                return [each for each in entries if not is_ours(each.name) or _leads_to_folder(each)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            _give_up("list", prefix, error)

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        waiting = [self._sorted(prefix)]  # no recursion: folders may be deeper than Python's stack
        while waiting:
            for key, is_folder in waiting[-1]:
                if is_folder:
                    waiting.append(self._sorted(key))
                    break
                yield key
            else:
                waiting.pop()

    def _sorted(self, prefix: str) -> Iterator[tuple[str, bool]]:
        """Pairs (key, whether it is a folder) of what a folder holds, in the order of the keys that come of it."""
        start = prefix + "/" if prefix else ""
        found = [(entry.name, _leads_to_folder(entry)) for entry in self._entries(prefix)]
        return ((start + name, is_folder) for name, is_folder in sorted(found, key=lambda e: e[0] + "/" * e[1]))

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        yield from sorted(each.name + "/" if _leads_to_folder(each) else each.name for each in self._entries(prefix))

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()
        folder = self._path(check_key(prefix)) if prefix else os.path.realpath(self.root)
        self._check_folder(os.path.dirname(folder), prefix)
        left: list[str] = []
        for attempt in range(DELETE_ATTEMPTS):
            try:
                if os.path.islink(folder) or _is_junction(folder):  # the link goes, what it points to stays
                    os.unlink(folder)
                else:
                    self._delete_below(folder, bool(prefix))
            except OSError as error:
                _give_up("delete what is below", prefix, error)
            left = list(self.list_prefix(prefix))  # other writers may add keys meanwhile
            if not left:
                return
            time.sleep(locks.jitter(0, 0.01 * 2**attempt))
        raise left_over(self, prefix, left)

    def _delete_below(self, folder: str, itself: bool) -> None:
        """Delete what lies in a folder, itself too if asked. No link is followed, and no absence stops it.

        A folder is opened, and is the one that was listed: nobody can lead the deletion away by a link in its place.
        """
        waiting: list[tuple[str, tuple[int, int] | None, bool]] = [(folder, None, False)]
        while waiting:
            path, known, is_empty = waiting.pop()
            if is_empty:
                try:
                    os.rmdir(path)
                except OSError:
                    pass  # somebody else deleted it, or writes there; what is left is listed
                continue
            if itself or path != folder:
                waiting.append((path, known, True))
            for name, status in _emptied(path, known, self.lock_timeout):
                waiting.append((os.path.join(path, name), status, False))

    def move_prefix(self, prefix: str, target: str) -> None:
        self.check_writable()
        old, new = self._path(check_key(prefix)), self._path(check_key(target)) if target else self.root
        self._check_folder(old, prefix)
        self._check_folder(new, target)
        try:
            _move_entries(old, new)
            os.rmdir(old)
        except FileNotFoundError:
            return
        except OSError as cause:
            raise StoreError(f"key {prefix!r}: cannot move it to {target!r}: {cause.strerror}", key=prefix) from cause

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        return file_location(self.root, path)

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

    def _size(self, fd: int) -> int:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):  # a pipe, a device: no end to it
            raise StoreError(f"key {self.key!r}: expected a file, found a special one, which is not read", key=self.key)
        return status.st_size

    def get(self, byte_range: ByteRange) -> Any:
        fd = self._opened()
        if fd is None:
            return None
        try:
            start, stop = _bounds(byte_range, self._size(fd))
            check_size(self.key, stop - start)
            os.lseek(fd, start, os.SEEK_SET)
            return _read_exactly(fd, stop - start)
        except StoreError:
            raise
        except OSError as error:
            return _absent(error, self.key)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        fd = self._opened()
        if fd is None:
            return [None] * len(ranges)
        try:
            size, results = self._size(fd), []
            bounds = [_bounds(byte_range, size) for byte_range in ranges]
            check_size(self.key, sum([stop - start for start, stop in bounds]))
            memory = memoryview(parallel.aligned_empty(sum([stop - start for start, stop in bounds])))
            used = 0
            for start, stop in bounds:
                view = memory[used : used + stop - start]
                used += len(view)
                results.append(view[: _read_at(fd, view, start)])
            return results
        except StoreError:
            raise
        except OSError as error:
            return [_absent(error, self.key)] * len(ranges)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def _move_entries(old: str, new: str) -> None:
    """Give what lies in one folder to another one; folders that are in both become one."""
    os.makedirs(new, exist_ok=True)
    for entry in list(os.scandir(old)):
        place = os.path.join(new, entry.name)
        if entry.is_dir(follow_symlinks=False) and os.path.isdir(place):
            _move_entries(entry.path, place)
            os.rmdir(entry.path)
        else:
            os.replace(entry.path, place)


def _emptied(path: str, known: tuple[int, int] | None, timeout: float) -> list[tuple[str, tuple[int, int] | None]]:
    """Delete the files in a folder; the folders in it, and what tells each from others that may take its place."""
    safe = os.scandir in os.supports_fd and os.unlink in os.supports_dir_fd
    folders: list[tuple[str, tuple[int, int] | None]] = []
    fd = None
    try:
        if safe:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
            status = os.fstat(fd)
            if known not in (None, (status.st_dev, status.st_ino)):
                return []
        with os.scandir(path if fd is None else fd) as entries:
            found = list(entries)
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False) and not _is_junction(os.path.join(path, entry.name)):
                    status = entry.stat(follow_symlinks=False)
                    folders.append((entry.name, (status.st_dev, status.st_ino) if safe else None))
                else:
                    _delete_file(path, entry, fd, timeout)
            except FileNotFoundError:
                pass
    except (FileNotFoundError, NotADirectoryError):
        pass
    finally:
        if fd is not None:
            os.close(fd)
    return folders


def _delete_file(path: str, entry: os.DirEntry[str], fd: int | None, timeout: float) -> None:
    """Delete a file: in the folder `fd`, or by its path. The holder of a lock is waited for."""
    if entry.name.endswith(LOCK):
        lock = os.path.join(path, entry.name)
        if not locks.holds(lock):
            locks.FileLock(lock, lock, timeout).take_away()  # its writer's value is found afterwards
    else:
        os.unlink(entry.path if fd is None else entry.name, dir_fd=fd)


def is_ours(name: str) -> bool:
    """Whether a file is one of ours that a writer has not finished, by its name."""
    return name.endswith(PARTIAL) and _OURS.fullmatch(name) is not None


def _give_up(verb: str, key: str, error: OSError) -> NoReturn:
    """Raise the error of a store for one of the system's; one of ours goes on as it is."""
    if isinstance(error, StoreError):
        raise error
    if isinstance(error, IsADirectoryError):
        raise StoreError(f"key {key!r}: expected a place for a value, found a folder", key=key) from error
    where = f"key {key!r}" if key else "the whole folder"
    raise StoreError(f"{where}: cannot {verb}: {error.strerror}", key=key) from error


def _absent(error: OSError, key: str) -> Any:
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
