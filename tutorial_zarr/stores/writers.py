"""Identify writers in marks of unfinished work, and tell whether they are still alive.

A mark holds what `me` returns: the machine, the process and a random token. On the same machine anyone can tell whether
that process is gone. Nothing is known of processes on other machines, so their marks count for an hour.

>>> one = me()
>>> is_dead(one)
False
>>> end(one); is_dead(one)
True
"""

from __future__ import annotations

import os
import platform
import sys
import time
from typing import Any

HOUR = 3600.0  # seconds: how long the mark of a writer on another machine counts
_active: set[str] = set()  # tokens of the writers of this process that are at work


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_active.clear)


def me() -> dict[str, Any]:
    """Return a new writer of this process as plain values for a mark; it is at work until `end`."""
    token = os.urandom(8).hex()
    _active.add(token)
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid()), "token": token}


def end(by: dict[str, Any]) -> None:
    """Note that a writer's work is over, done or failed."""
    _active.discard(by["token"])


def is_dead(by: Any) -> bool | None:
    """Return whether a writer is gone; None if that cannot be known, for example on another machine."""
    if not isinstance(by, dict) or by.get("host") != _host():
        return None
    pid = by.get("pid")
    if type(pid) is not int or not 0 < pid < 1 << 31:
        return None
    if pid == os.getpid():
        return by.get("token") not in _active
    if sys.platform == "emscripten":  # a browser: there is one process
        return True
    return not _runs(pid) or (by.get("started") is not None and _started(pid) not in (None, by["started"]))


def is_over(by: Any, since: Any) -> bool:
    """Whether nobody need wait for a writer: it is gone, or not known to live and older than an hour."""
    dead = is_dead(by)
    old = not isinstance(since, (int, float)) or not -HOUR < time.time() - since < HOUR
    return old if dead is None else dead


def describe(by: Any, since: Any) -> str:
    """A writer in words."""
    age = f"{time.time() - since:.0f} s ago" if isinstance(since, (int, float)) else "at an unknown time"
    if not isinstance(by, dict):
        return f"begun {age}"
    return f"begun {age} by process {by.get('pid')} on {str(by.get('host')).partition(' ')[0]}"


def _host() -> str:
    """Return what identifies this machine, its last start, and the namespace of its process numbers."""
    found = [platform.node()]
    for read, place in ((_text, "/proc/sys/kernel/random/boot_id"), (os.readlink, "/proc/self/ns/pid")):
        try:
            found.append(read(place))
        except OSError:  # not Linux
            pass
    return " ".join(found)


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def _started(pid: int) -> str | None:
    """Return when a process was started, in the system's unit, or None if unknown. It tells a reused number."""
    try:
        return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


if sys.platform == "win32":

    def _runs(pid: int) -> bool:
        import ctypes

        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return kernel.GetLastError() == 5  # access denied: there is such a process
        try:
            code = ctypes.c_ulong()
            return not kernel.GetExitCodeProcess(handle, ctypes.byref(code)) or code.value == 259  # still active
        finally:
            kernel.CloseHandle(handle)

else:

    def _runs(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # somebody else's
            return True
        return True
