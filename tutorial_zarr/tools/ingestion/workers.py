"""Processes that write items, each watched over by a thread of the parent's.

A worker takes one item at a time, so that whoever watches it knows what it died of, or what it hangs on; and it is
started anew for the next item. It ends with its parent, as their pipe does. It is spawned, not forked: a program that
starts workers needs the usual ``if __name__ == "__main__":``.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tutorial_zarr.errors import ChunkTimeoutError, WorkerError, ZarrError

if TYPE_CHECKING:  # a browser has no such module
    from multiprocessing.connection import Connection


class Workers:
    """A process for each thread that calls. `work` is what they do, sent to each once."""

    def __init__(self, work: Callable[[Any], Any], timeout: float | None) -> None:
        self.work, self.timeout = work, timeout
        self.restarted = 0  # workers that were started because another one had died or was stopped
        self._mine, self._guard = threading.local(), threading.Lock()
        self._all: set[Any] = set()
        self._context = multiprocessing.get_context("spawn")

    def __call__(self, item: Any) -> Any:
        """`work(item)`, in this thread's process."""
        process, pipe = getattr(self._mine, "worker", None) or self._start()
        try:
            if not self._mine.ready:
                self._mine.ready = pipe.recv()  # to start takes its time, which is not the item's
            pipe.send(item)
            if not pipe.poll(self.timeout):
                self._stop(process, pipe)
                raise ChunkTimeoutError(f"expected it to be written within {self.timeout:g} s; its worker was stopped")
            error, result = pipe.recv()
        except (pickle.PicklingError, AttributeError, TypeError) as cause:
            raise TypeError(f"expected data, or a function that another process can import: {cause}") from cause
        except (EOFError, ConnectionError):
            self._stop(process, pipe)
            raise WorkerError(
                f"expected a worker that writes it, found that it died (exit code {process.exitcode})",
                exitcode=process.exitcode,
            ) from None
        if error is not None:
            raise error
        return result

    def _start(self) -> tuple[Any, Connection]:
        pipe, end = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(end, self.work), daemon=True)
        process.start()
        end.close()  # so that the pipe ends with the process
        with self._guard:
            self._all.add((process, pipe))
            self.restarted += hasattr(self._mine, "worker")
        self._mine.worker, self._mine.ready = (process, pipe), False
        return process, pipe

    def _stop(self, process: Any, pipe: Connection) -> None:
        process.kill()
        process.join()
        pipe.close()
        with self._guard:
            self._all.discard((process, pipe))
        if getattr(self._mine, "worker", None) == (process, pipe):
            self._mine.worker = None

    def kill(self) -> None:
        """End the processes at once, whatever they have in hand."""
        for process, _ in list(self._all):
            process.kill()

    def close(self) -> None:
        """Let the processes end; they have nothing in hand."""
        for process, pipe in list(self._all):
            pipe.close()
            process.join(10)
            self._stop(process, pipe)


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """What a worker does until its parent closes the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: to stop is the parent's to say
    pipe.send(True)
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[Exception | None, Any] = None, work(item)
        except Exception as error:
            answer = _portable(error), None
        try:
            pipe.send(answer)
        except OSError:
            return


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same, if that one cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return ZarrError(f"{type(error).__name__}: {error}")
    return error
