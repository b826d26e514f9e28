"""Locks by name: between the threads of a process, and, through a file, between processes on one machine.

What they are for is in `Store.update` in `base`, and in `local`, where the file that is locked becomes the new value. A
file lock is the operating system's (flock, or LockFileEx), so it ends when the process that holds it ends. On a network
file system it works only if that supports locks: NFS does, some others refuse, which raises. There are no locks between
machines; object stores use conditional writes instead.

An interrupt (Ctrl-C) may come after any call. So the code notes that it is about to take a lock before it does, and
releases what it has when an exception passes or the holder is dropped.

>>> with process_lock("a name"):
...     pass  # no other thread is in a block of this name
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

from tutorial_zarr.errors import MissingDependencyError, StoreError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_OPEN = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
MAKE = _OPEN | os.O_CREAT | os.O_EXCL
BROWSER = sys.platform == "emscripten"  # where one process is all there is, and fcntl or filelock may be, and refuse
PLAIN = fcntl is not None or BROWSER  # whether a file that is open can be locked and renamed at once
PROMPT = 0.1  # seconds: a writer that locked its new file sooner need not check that the file is still there
ABANDONED = 0.25  # seconds: a file unlocked for that long belongs to a dead writer; far more than PROMPT
NO_LOCKS = "locks"  # the field of an error that says that a file system has none

_locks: dict[Hashable, list[Any]] = {}  # name -> [lock, how many hold it or wait for it, the thread that holds it]
_locks_guard = threading.Lock()
_taken: set[int] = set()  # in a browser: descriptors that have a lock, each while it is open
_held: dict[str, weakref.ref[KeyLock]] = {}  # files that this process holds for updates
_inherited: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def tell_after_fork(owner: Any) -> None:
    """Have `owner.after_fork()` called in a forked child: what it holds open is the parent's, its locks may be held."""
    _inherited[id(owner)] = owner


def _forked() -> None:
    """In a forked child: the threads that held locks are not here, and a file lock is the parent's as long as it lives.

    The child's copies of the open files would keep the locks alive beyond the parent, so they go.
    """
    global _locks_guard
    _locks_guard = threading.Lock()
    _locks.clear()
    for held in list(_held.values()):
        if (lock := held()) is not None and lock.file is not None:
            lock.file.leave()
    _held.clear()
    for owner in list(_inherited.values()):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class process_lock:  # noqa: N801 - used as a function would be; the class is what makes it quick
    """Keep the other threads of this process out of what is called `name`. A lock exists only while it is used."""

    __slots__ = ("entry", "name")

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.entry: list[Any] | None = None

    def __enter__(self) -> None:
        me = threading.get_ident()
        with _locks_guard:
            entry = _locks.setdefault(self.name, [threading.RLock(), 0, None])
            if entry[2] == me:
                raise StoreError(
                    f"{self.name}: expected one update at a time, found one inside another's change; "
                    "compute the new value first"
                )
            self.entry = entry
            entry[1] += 1
        try:
            entry[0].acquire()
            entry[2] = me
        except BaseException:  # Ctrl-C while waiting, or just after
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        entry = self.entry
        if entry is None:
            return
        try:
            if entry[2] == threading.get_ident():
                entry[2] = None
            entry[0].release()
        except RuntimeError:
            pass  # it was never had
        finally:
            self.entry = None
            with _locks_guard:
                entry[1] -= 1
                if not entry[1] and _locks.get(self.name) is entry:
                    del _locks[self.name]

    def __del__(self) -> None:
        try:
            if self.entry is not None:  # an interrupt came between the two
                self.__exit__()
        except AttributeError:
            pass  # it came before there was an entry


def if_free(name: Hashable, act: Callable[..., Any], *arguments: Any) -> bool:
    """Call `act` if nobody has a lock of that name, or waits for one, and let nobody have one meanwhile; else False.

    All locks of the process wait for it, so it is for what takes less time than to make a lock, and takes none itself.
    """
    with _locks_guard:
        if name in _locks:
            return False
        act(*arguments)
    return True


class FileLock:
    """A file `path` that is made for its locker alone, who takes it away again or gives it another name.

    Whoever makes the file locks it at once. One that is there and locked is waited for, up to `timeout` seconds. One
    that is there and not locked is a dead writer's, or its maker is just about to lock it: it is taken away when it
    was seen so for `ABANDONED` seconds, which its maker, if it was stopped for so long, looks for by the clock.
    """

    __slots__ = ("fd", "key", "make_folder", "path", "timeout")

    def __init__(
        self,
        path: str,
        key: str,
        timeout: float,
        make_folder: Callable[[], None] | None = None,
        fd: int | None = None,
    ) -> None:
        self.path, self.key, self.timeout, self.make_folder = path, key, timeout, make_folder
        self.fd = fd

    def __enter__(self) -> FileLock:
        try:
            began = time.monotonic()
            if self._make() and self._lock(self.fd) and time.monotonic() - began < PROMPT:
                return self
            self._wait(began)
        except BaseException as cause:
            self.release()
            if isinstance(cause, OSError) and not isinstance(cause, StoreError):
                text = f"key {self.key!r}: cannot make {self.path!r}: {cause.strerror}; nothing was changed"
                raise StoreError(text, key=self.key) from cause
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def _make(self, attempts: int = 5) -> bool:
        """Make the file and open it; False where there is one. (Its folder may be deleted as soon as it is made.)"""
        try:
            self.fd = os.open(self.path, MAKE, 0o666)
        except FileExistsError:
            return False
        except (FileNotFoundError, NotADirectoryError):
            if self.make_folder is None:
                raise
            self.make_folder()
            self.make_folder = None if attempts == 1 else self.make_folder
            return self._make(attempts - 1)
        except PermissionError:
            if os.name != "nt":
                raise
            return False  # it is being deleted there
        return True

    def _lock(self, fd: int | None) -> bool:
        try:
            return fd is not None and take(fd)
        except OSError as cause:
            raise StoreError(
                f"key {self.key!r}: cannot lock {self.path!r}: {cause.strerror}; where only one process writes, "
                "LocalStore(..., locked='threads') needs no lock files",
                key=self.key,
                lacks=NO_LOCKS,
            ) from cause

    def _is_mine(self) -> bool:
        try:
            return self.fd is not None and take(self.fd)
        except OSError:  # there are no locks here, so that nobody can have thought it a dead writer's
            return True

    def _wait(self, began: float) -> None:
        """Wait until the holder releases the file, then make one; or check that the one just made is still there."""
        seen: tuple[int, int] | None = None
        deadline, since = began + self.timeout, 0.0
        while True:
            now = time.monotonic()
            if self.fd is not None and self._lock(self.fd):
                if _is_at(self.path, self.fd):
                    return
                self.leave()  # it was taken for a dead writer's
            if self.fd is None:
                seen, since = self._watch(seen, since, now)
                if seen is None and self._make() and self._lock(self.fd):
                    if time.monotonic() - now < PROMPT:
                        return
                    continue
            if now >= deadline and seen is None:
                raise StoreError(
                    f"key {self.key!r}: expected to lock {self.path!r} within {self.timeout:g} s, found another "
                    "process holding it; try again when that is done, or with a larger lock_timeout",
                    key=self.key,
                )
            time.sleep(jitter(0.0005, 0.003))

    def _watch(self, seen: tuple[int, int] | None, since: float, now: float) -> tuple[tuple[int, int] | None, float]:
        """Return what tells a file that nobody has locked, and since when it was seen; take it away after a while."""
        found = self._look()
        if found is None or found != seen:
            return found, now
        if now - since > ABANDONED and self._look(take_away=True) == seen:
            return None, since
        return seen, since

    def _look(self, take_away: bool = False) -> tuple[int, int] | None:
        """What tells the file that is there from all others, if nobody has locked it."""
        fd = None
        try:
            fd = os.open(self.path, _OPEN)
            if not self._lock(fd) or not _is_at(self.path, fd):
                return None
            status = os.fstat(fd)
            if take_away and os.name == "nt":
                os.close(fd)
                fd = None
            if take_away:
                os.unlink(self.path)
            return status.st_dev, status.st_ino
        except FileNotFoundError:
            return None
        except PermissionError:
            if os.name != "nt":
                raise
            return None
        finally:
            if fd is not None:
                os.close(fd)

    def take_away(self) -> None:
        """Delete the file of a dead writer, once it is certain that it is dead."""
        with self:
            pass

    def become(self, path: str, sync: Callable[[int], None] | None) -> None:
        """Give the file, which holds a value by now, the name of that value. (Not on Windows, where it is open.)"""
        if self.fd is None:
            raise StoreError(f"key {self.key!r}: expected the lock of this process, found one from before a fork")
        if sync is not None:
            sync(self.fd)
        os.close(os.dup(self.fd))  # network file systems tell when a file is closed that the disk is full
        os.replace(self.path, path)
        self.leave()

    def leave(self) -> None:
        """Close the file and leave it in place, under its present name."""
        fd, self.fd = self.fd, None
        if fd is not None:
            os.close(fd)

    def release(self) -> None:
        """Delete the file if it is still there, and close it."""
        if getattr(self, "fd", None) is None:  # see `process_lock.__del__`
            return
        try:
            if os.name == "nt":  # where a file that is open cannot be unlinked
                self.leave()
                os.unlink(self.path)
            elif self._is_mine() and self.fd is not None and _is_at(self.path, self.fd):
                os.unlink(self.path)  # waiting writers see that the file lost its name, and make another
        except OSError:
            pass  # on Windows, somebody else has it by now; elsewhere, it is taken for a dead writer's
        self.leave()


class KeyLock:
    """What keeps the other updates of a key out: the threads of this process, and through `file` other processes."""

    __slots__ = ("__weakref__", "file", "inside", "thread")

    def __init__(self, name: Hashable, file: FileLock | None) -> None:
        self.inside, self.file = process_lock(name), file

    def __enter__(self) -> KeyLock:
        try:
            self.inside.__enter__()
            if self.file is not None:
                self.file.__enter__()
                self.thread = threading.get_ident()
                _held[self.file.path] = weakref.ref(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if self.file is not None:
                if (held := _held.get(self.file.path)) is not None and held() is self:
                    _held.pop(self.file.path, None)
                self.file.release()
        finally:
            self.inside.__exit__()


def holds(path: str) -> bool:
    """Whether this very thread holds the lock on a file for an update."""
    lock = held() if (held := _held.get(path)) is not None else None
    return lock is not None and lock.thread == threading.get_ident()


def is_held(path: str) -> bool:
    """Whether somebody has locked a file that may be there."""
    try:
        fd = os.open(path, _OPEN)
    except OSError:
        return False
    try:
        return not take(fd)
    except OSError:
        return False
    finally:
        os.close(fd)


def jitter(least: float, most: float) -> float:
    """A random number of seconds between the two: writers that met once should not meet again."""
    return least + (most - least) * int.from_bytes(os.urandom(4), "little") / (1 << 32)


def _is_at(path: str, fd: int) -> bool:
    """Whether a path is still that of an open file."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def take(fd: int) -> bool:
    """Take the operating system's lock on an open file, if nobody else has it."""
    if BROWSER:
        return _take_alone(fd)
    try:
        if fcntl is None:
            return _take_windows(fd)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # asked for here: JupyterLite's fcntl is empty
    except BlockingIOError:
        return False
    return True


def _take_alone(fd: int) -> bool:
    """The lock on a file among the handles of the only process there is."""
    for other in _taken - {fd}:
        with suppress(OSError):  # it is closed
            if os.path.sameopenfile(fd, other):
                return False
    _taken.add(fd)
    return True


def _take_windows(fd: int) -> bool:
    try:
        from filelock import lock_descriptor
    except ImportError as cause:
        raise MissingDependencyError(
            "writing to a folder needs filelock on Windows, to keep other processes out; "
            "try: pip install 'filelock>=3.30'"
        ) from cause
    return bool(lock_descriptor(fd, blocking=False))
