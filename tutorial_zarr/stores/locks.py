"""Locks by name: between the threads of a process, and, through a file, between processes on one machine.

What they are for is `Store.update` in `base`. A file lock is the operating system's (flock, or LockFileEx), so it
ends with the process that holds it, whatever way that ends, and it holds on a network file system only as far as
that passes locks on: NFS does, some others refuse, which raises. Locks between machines are not here; object stores
put on a condition instead.

>>> with process_lock("a name"):
...     pass  # no other thread is in a block of this name
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from tutorial_zarr.errors import MissingDependencyError, StoreError

_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_locks: dict[Hashable, list[Any]] = {}  # name -> [lock, how many hold it or wait for it, the thread that holds it]
_locks_guard = threading.Lock()


def _forget_locks() -> None:
    """After fork: the threads that held these locks are not in the child."""
    global _locks_guard
    _locks.clear()
    _locks_guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_locks)


class process_lock:  # noqa: N801 - used as a function would be; the class is what makes it quick
    """Keep the other threads of this process out of what is called `name`. A lock exists only while it is used."""

    __slots__ = ("entry", "name")

    def __init__(self, name: Hashable) -> None:
        self.name = name

    def __enter__(self) -> None:
        me = threading.get_ident()
        with _locks_guard:
            entry = self.entry = _locks.setdefault(self.name, [threading.Lock(), 0, None])
            if entry[2] == me:
                raise StoreError(
                    f"{self.name}: expected one update at a time, found one inside another's change; "
                    "compute the new value first"
                )
            entry[1] += 1
        try:
            entry[0].acquire()
        except BaseException:  # Ctrl-C while waiting
            self._leave()
            raise
        entry[2] = me

    def __exit__(self, *exception: object) -> None:
        self.entry[2] = None
        self.entry[0].release()
        self._leave()

    def _leave(self) -> None:
        with _locks_guard:
            self.entry[1] -= 1
            if not self.entry[1]:
                _locks.pop(self.name, None)


def acquire(path: str, key: str, timeout: float, make_folder: Callable[[], None] | None = None) -> int | None:
    """Lock the file `path`, which is made for it; an open file. None in a browser: one process, and no locks."""
    try:
        from filelock import lock_descriptor
    except ImportError as cause:
        if sys.platform == "emscripten":
            return None
        raise MissingDependencyError(
            f"key {key!r}: changing a part of a value needs filelock, to keep other processes out; "
            "try: pip install 'filelock>=3.30'",
            key=key,
        ) from cause
    deadline = time.monotonic() + timeout
    while True:
        try:
            fd = os.open(path, _OPEN, 0o666)
        except OSError as cause:
            if isinstance(cause, (FileNotFoundError, NotADirectoryError)) and make_folder is not None:
                make_folder()
                make_folder = None
                continue
            if not (os.name == "nt" and isinstance(cause, PermissionError) and time.monotonic() < deadline):
                raise _failed(path, key, cause) from cause
        else:
            try:
                held = lock_descriptor(fd, blocking=False)
                if held and os.fstat(fd).st_nlink:
                    return fd
            except OSError as cause:
                os.close(fd)
                raise _failed(path, key, cause) from cause
            os.close(fd)
            if held:
                continue  # the one before us took the file away: this lock is on a file without a name
        if time.monotonic() >= deadline:
            raise StoreError(
                f"key {key!r}: expected to lock {path!r} within {timeout:g} s, found another process holding it; "
                "try again when that is done, or with a larger lock_timeout",
                key=key,
            )
        time.sleep(jitter(0.0005, 0.003))


def jitter(least: float, most: float) -> float:
    """A random number of seconds between the two: writers that met once should not meet again."""
    return least + (most - least) * int.from_bytes(os.urandom(4), "little") / (1 << 32)


def _failed(path: str, key: str, cause: OSError) -> StoreError:
    return StoreError(
        f"key {key!r}: cannot lock {path!r}: {cause.strerror}; where only one process writes, "
        "LocalStore(..., locked='threads') needs no lock files",
        key=key,
    )


def release(fd: int | None, path: str) -> None:
    """Let go of a lock that `acquire` gave, and of its file."""
    if fd is None:
        return
    if os.name == "nt":  # where a file that is open cannot be unlinked
        os.close(fd)
        fd = None
    try:
        os.unlink(path)  # while it is held: whoever waits for it sees that the file has no name now, and makes another
    except OSError:
        pass  # on Windows, somebody else has it by now; elsewhere, it is an empty file that the next lock uses
    if fd is not None:
        os.close(fd)
