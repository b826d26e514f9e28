"""Processes that end by SIGKILL at a change of a file or a statement of SQLite: nothing of Python's is tidied up.

`moments` pass through a store around the one that is tried, so that what that does by itself (renames a folder, deletes
a tree, writes a file and gives it its name) is one moment there. Here it is many. The process is a fork of this one.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}


def possible() -> bool:
    """Whether this system forks, and kills."""
    return hasattr(os, "fork") and hasattr(signal, "SIGKILL")


def die_at(folder: Path, at: int | None, work: Callable[[], Any]) -> int | None:
    """Do the work in another process, which dies before its change number `at` below `folder`.

    Returns how many changes there were, or None where the process died.
    """
    reads, writes = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this process has threads: the other one asks nothing of them
        child = os.fork()
    if not child:
        os.close(reads)
        status = 1
        try:
            count = _Counter(str(folder), at)
            work()
            os.write(writes, str(count.count).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f"the other process ended with {os.waitstatus_to_exitcode(status)}")
    return int(said)


class _Counter:
    """Counts the changes of this process, and ends it."""

    def __init__(self, folder: str, at: int | None) -> None:
        self.folder, self.at, self.count = folder, at, 0
        sys.addaudithook(self._event)
        connect = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> Any:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(lambda statement: None if statement.startswith("SELECT") else self._change())
            return connection

        sqlite3.connect = traced  # type: ignore[assignment]

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in CHANGES) and str(arguments[0]).startswith(self.folder):
            self._change()

    def _change(self) -> None:
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
