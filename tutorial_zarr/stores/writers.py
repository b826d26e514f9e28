"""Who writes, and whether they still do: what marks of unfinished work name, so that nobody waits for the dead.

A mark holds what `me` returns: the machine, the process and a random token. Whoever finds it on the same machine can
tell whether that process is gone. Of a process elsewhere nothing is known, so its marks count for an hour.

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

HOUR = 3600.0  # how long the mark of a writer counts of whom nobody can tell whether it lives
_active: set[str] = set()  # tokens of the writers of this process that are at work


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_active.clear)


def me() -> dict[str, Any]:
    """A new writer of this process, at work until `end`: plain values, for a mark."""
    token = os.urandom(8).hex()
    _active.add(token)
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid()), "token": token}


def end(by: dict[str, Any]) -> None:
    """The writer's work is over, whatever came of it."""
    _active.discard(by["token"])


def is_dead(by: Any) -> bool | None:
    """Whether a writer is gone; None where that cannot be known, as of another machine."""
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
    """This machine since it was started, and the space in which its process numbers count."""
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
    """When a process was started, in whatever unit; None where that cannot be had. It tells a number used again."""
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
