"""A peer's process: started once, asked many things, limited in time and memory, started again when it dies.

What a process prints that is no reply is noise: it is counted and passed over. A process that ends, that does not
answer in time, or that answers nonsense costs the question that it was asked and no other.

The limit of memory is `ulimit -d`, which counts what a process can write to and not what it merely reserves (a
JavaScript engine reserves tens of gigabytes). Windows has no such limit, and macOS does not keep it.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

MEMORY = 4 << 30  # bytes, for each process
SECONDS = 30.0  # for each question
START_SECONDS = 120.0  # for the first one: large packages have to be imported


class PeerDied(Exception):  # noqa: N818 - it is what the peer did
    """The process ended while it owed a reply."""


class PeerSilent(Exception):  # noqa: N818
    """The process did not reply in time, and was ended."""


class PeerProcess:
    """Questions to a peer program, and its replies. A context manager; it starts with the first question."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str] | None = None,
        *,
        memory: int = MEMORY,
        seconds: float = SECONDS,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.command, self.environment = command, dict(environment or {})
        self.memory, self.seconds, self.start_seconds = memory, seconds, start_seconds
        self.starts = self.noise = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._errors: Any = None
        self._number = 0

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The reply. Raises `PeerDied` or `PeerSilent`; the next question then goes to a new process."""
        limit = self.seconds
        process = self._process
        if process is None:
            process = self._start()
            limit = max(self.start_seconds, self.seconds)
        self._number += 1
        try:
            _input(process).write(json.dumps({"id": self._number, **question}).encode() + b"\n")
            _input(process).flush()
        except OSError:
            raise self._dead(process) from None
        timer = _Deadline(limit)
        while True:
            try:
                line = self._lines.get(timeout=timer.left())
            except queue.Empty:
                self.close(force=True)
                raise PeerSilent(f"no reply within {limit:g} seconds") from None
            if line is None:
                raise self._dead(process)
            reply = _parsed(line)
            if reply is not None and reply.get("id") == self._number:
                return reply
            self.noise += 1

    def _start(self) -> subprocess.Popen[bytes]:
        command = self.command
        if os.name == "posix" and self.memory:
            limit = f'ulimit -d {self.memory >> 10} 2>/dev/null; exec "$@"'
            command = ["/bin/sh", "-c", limit, "sh", *command]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        process = self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **self.environment},
            start_new_session=os.name == "posix",
        )
        self.starts += 1
        self._lines = queue.Queue()
        threading.Thread(target=_pump, args=(process.stdout, self._lines), daemon=True).start()
        return process

    def _dead(self, process: subprocess.Popen[bytes]) -> PeerDied:
        """What is to be said of a process that ended by itself."""
        code = process.wait()
        self._errors.seek(max(0, self._errors.seek(0, 2) - 20000))
        said = _telling(self._errors.read().decode(errors="replace"))
        self.close(force=True)
        if code < 0:
            how = f"ended by {signal.Signals(-code).name}"
        else:
            how = f"ended with exit code {code}"
        return PeerDied(how + (f": {said[:500]}" if said else ""))

    def close(self, force: bool = False) -> None:
        """End the process: by closing its input, or at once with `force`."""
        process, self._process = self._process, None
        if process is None:
            return
        _input(process).close()
        if not force:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                force = True
        if force:
            _kill(process)
        self._errors.close()

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close(force=exception[0] is not None)


class _Deadline:
    """How long is left to wait."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


def _pump(stream: Any, lines: queue.Queue[bytes | None]) -> None:
    try:
        while line := stream.readline(1 << 24):  # a line without an end is cut
            lines.put(line)
    except (OSError, ValueError):
        pass
    finally:
        lines.put(None)
        stream.close()


def _input(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise TypeError("expected a process that was started with a pipe for its input")
    return process.stdin


def _telling(errors: str) -> str:
    """The line of standard error that says most: the last one, or the failed check above a stack of frames."""
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not line.lstrip().startswith("@ ")]
    checks = [line for line in lines if re.search(r"Check failed|panicked|terminate called|Fatal|\*\*\*", line)]
    return (checks or lines or [""])[-1]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and those that it started."""
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
    process.wait()
