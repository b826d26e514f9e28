"""Threads for chunk work: started for a large job, gone when it is done, never at import, never nested.

A thread that is kept waiting for the next job is often woken on the processor of the one that wakes it, and then both
take turns there. A new thread is put where there is room. It costs some 50 microseconds.

Chunk work is C code that releases the interpreter's lock (decompressors, file reads, copies), so threads help.
A job is a stream of small items; every worker, the calling thread among them, takes a batch of neighbours at a
time, so that the per-item cost stays that of a plain loop.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr.errors import ChunkTimeoutError

if TYPE_CHECKING:  # its import brings logging with it, so it waits for the first job that needs it
    from concurrent.futures import Executor, Future

_inside = threading.local()  # set in a worker: work started there runs there


def cpu_count() -> int:
    """Processors that this process may use: its affinity and its container's quota, not the machine's size."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError):
        pass
    return count


# Encoding a byte takes about so many times as long as decoding it.
ENCODING = 4
# A job that decodes less than this runs on the calling thread: waking others costs more than they bring.
SMALL_JOB = 3 << 19
# Chunks smaller than this spend their time in Python, which threads cannot share.
SMALL_CHUNK = 1 << 12
_workers: int | None = None


def get_workers() -> int:
    """How many threads chunk work may use, the calling one included."""
    global _workers
    if _workers is None:
        _workers = int(os.environ.get("TUTORIAL_ZARR_WORKERS", "0")) or cpu_count()
    return _workers


def set_workers(count: int | None) -> None:
    """Bound the threads of chunk work: 1 means none but the caller's; None means as many as processors."""
    global _workers
    if count is not None and count < 1:
        raise ValueError(f"set_workers: expected a count of at least 1, found {count}")
    _workers = count


def shares(chunks: int, chunk_nbytes: int, cost: int = 1, concurrency: int | None = None) -> tuple[int, int]:
    """Workers, and how many chunks each takes at a time, for a job of so many chunks of that size in memory.

    `cost` is 1 for decoding a byte. `concurrency` is how many requests a store wants in flight; None where the
    processors are the limit.
    """
    if concurrency is not None:
        return min(concurrency, chunks), 1
    if chunk_nbytes < SMALL_CHUNK or cost * chunks * chunk_nbytes < SMALL_JOB:
        return 1, chunks
    workers = min(get_workers(), chunks)
    # Of large chunks few at a time, so that all workers end together.
    return workers, max(1, min(64, chunks // (4 * workers), (1 << 22) // chunk_nbytes))


class alone:  # noqa: N801 - used as a function would be; a generator would let an interrupt in after its first half
    """Within it, chunk work that this thread starts runs on this thread, with one set of buffers."""

    def __enter__(self) -> None:
        self.before = getattr(_inside, "worker", False)
        _inside.worker = True

    def __exit__(self, *exception: object) -> None:
        _inside.worker = self.before


_buffers: list[np.ndarray] = []  # the latest used comes last
_guard = threading.Lock()


def _forget_buffers() -> None:
    """After fork: the lock may be held by a thread that is not in the child."""
    global _guard
    _guard = threading.Lock()
    _buffers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_buffers)
ALIGNMENT = 64  # some processors copy to other addresses at a seventh of the speed, as the kernel does in `read`
KEEP = 1 << 25  # buffers up to this size are kept, four for each worker


def aligned_empty(nbytes: int) -> np.ndarray:
    """Fresh memory of so many bytes, with anything in it, whose address suits file reads."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + nbytes]


@cache
def _keep_freed() -> None:
    """Free one array of nearly 32 MiB that nothing was written to, before the first job.

    GNU's C library takes memory for anything above 128 KiB fresh from the system, page by page cleared, and gives it
    back as soon as it is freed, until it sees a larger piece freed; from then on it keeps pieces up to that size, and
    up to twice as much in all for each of its arenas. What is read and written here is of that size, over and over:
    windows of an array, encoded chunks, files.
    """
    if sys.platform == "linux":
        with suppress(MemoryError):
            np.empty((1 << 25) - (1 << 13), np.uint8)


def take_buffer(nbytes: int) -> np.ndarray:
    """An array of at least so many bytes, with anything in it: one that was used before, if there is one.

    Fresh memory costs a page fault every 4 KiB, which is more than the decoding of many a chunk.
    """
    _keep_freed()
    with _guard:  # no loop in here: Python leaves a lock held that is interrupted where a loop goes round
        found = _find_buffer(nbytes)
    return aligned_empty(nbytes) if found is None else found


def _find_buffer(nbytes: int) -> np.ndarray | None:
    for i in range(len(_buffers) - 1, -1, -1):
        if nbytes <= len(_buffers[i]) <= 4 * nbytes + 4096:
            return _buffers.pop(i)
    return None


def give_buffer(buffer: np.ndarray | None) -> None:
    """Hand a buffer back for the next job."""
    if buffer is not None and len(buffer) <= KEEP:
        with _guard:
            _buffers.append(buffer)
            if len(_buffers) > 4 * get_workers():
                del _buffers[0]


def run(
    start: Callable[[], AbstractContextManager[Callable[[Iterable[Any]], None]]],
    items: Iterable[Any],
    workers: int,
    batch: int,
) -> None:
    """Use up `items` on up to `workers` threads, `batch` neighbours at a time.

    Each worker enters the context that `start()` gives, for its work function, and so may hold buffers of its own.
    The first error stops all workers and is raised here; none is left running. An interrupt (Ctrl-C) waits for what
    they have in hand, and a second one does not.
    """
    if workers <= 1 or getattr(_inside, "worker", False):
        with start() as work:
            work(items)
        return
    iterator, lock = iter(items), threading.Lock()
    errors: list[BaseException] = []

    def loop() -> None:
        _inside.worker = True
        try:
            with start() as work:
                while not errors:
                    with lock:
                        taken = list(islice(iterator, batch))
                    if not taken:
                        return
                    work(taken)
        except BaseException as error:
            errors.append(error)
        finally:
            _inside.worker = False

    threads = [threading.Thread(target=loop, name=f"tutorial_zarr_{i}") for i in range(1, workers)]
    started = []
    try:
        for thread in threads:
            try:
                thread.start()
            except RuntimeError:  # no more threads are to be had here: fewer do the work
                break
            started.append(thread)
        loop()
    except BaseException as error:  # Ctrl-C in between
        errors.insert(0, error)
        raise
    finally:
        _join(started, errors)
    if errors:
        try:
            raise errors[0]
        finally:
            errors.clear()  # an error that holds its own traceback would keep the output in memory


def _join(threads: list[threading.Thread], errors: list[BaseException]) -> None:
    """Wait for threads, which stop at an error. An interrupt is one; a second one leaves them."""
    interrupted = any(isinstance(error, KeyboardInterrupt) for error in errors)
    for thread in threads:
        while thread.is_alive():
            try:
                thread.join()
            except BaseException as error:  # Ctrl-C: they stop after what they have in hand
                errors.insert(0, error)
                if interrupted:
                    raise
                interrupted = True


class _Busy:
    """Work that is counted while it is done: a pool that is interrupted as it starts a thread does not know of it."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.work, self.count, self.over = work, 0, False
        self.changed = threading.Condition()

    def __call__(self, item: Any) -> Any:
        with self.changed:
            if self.over:
                return None  # nobody asks for it any more
            self.count += 1
        try:
            return self.work(item)
        finally:
            with self.changed:
                self.count -= 1
                self.changed.notify_all()

    def end(self) -> None:
        """Begin nothing any more, and wait for what has begun."""
        with self.changed:
            self.over = True
            self.changed.wait_for(lambda: not self.count)


def stream(
    work: Callable[[Any], Any],
    items: Iterable[Any],
    in_flight: int,
    ordered: bool = True,
    timeout: float | None = None,
    executor: Executor | None = None,
    writes: bool = False,
) -> Generator[tuple[Any, Any], None, None]:
    """Pairs (item, work(item)), lazily, with at most `in_flight` items under way.

    Nothing is read ahead beyond that, and nothing at all before the first pair is asked for. With `ordered` the
    pairs come in the order of `items`, else as they are finished. An item that takes longer than `timeout`
    seconds raises TimeoutError; its thread cannot be stopped, but its result is dropped. So it is with an interrupt
    (Ctrl-C): it does not wait for the items under way. It does where `work` writes (`writes`), so that nothing is
    written any more when it has ended, whatever ended it: close it where an error may keep you from using it up.

    Where no thread can be started, as in a browser, the items come one after the other, however long each takes.
    """
    if executor is None and ((in_flight <= 1 and timeout is None) or not threads_start()):
        return ((item, work(item)) for item in items)
    return _stream(work, items, in_flight, ordered, timeout, executor, writes)


def threads_start() -> bool:
    """Whether a thread can be started here, now; it cannot in a browser."""
    try:
        threading.Thread(target=int, name="tutorial_zarr_first").start()
    except RuntimeError:
        return False
    return True


def _stream(
    work: Callable[[Any], Any],
    items: Iterable[Any],
    in_flight: int,
    ordered: bool,
    timeout: float | None,
    executor: Executor | None,
    writes: bool,
) -> Generator[tuple[Any, Any], None, None]:
    """`stream`, with several items in flight or by another's executor."""
    from concurrent.futures import ThreadPoolExecutor

    pool = executor or ThreadPoolExecutor(in_flight, thread_name_prefix="tutorial_zarr_stream")
    counted = _Busy(work) if writes and isinstance(pool, ThreadPoolExecutor) else None
    work = counted or work
    waiting: dict[Future[Any], tuple[Any, float]] = {}
    source, patient, user = iter(items), writes or timeout is None, threading.get_ident()
    try:
        while True:
            _submit(pool, work, islice(source, in_flight - len(waiting)), waiting)
            if not waiting:
                return
            for future in _finished(waiting, ordered, timeout):
                item, _ = waiting.pop(future)
                yield item, future.result()
                user = threading.get_ident()
    except KeyboardInterrupt:
        patient = writes
        raise
    finally:
        # Who drops it in the middle may leave it to the garbage collector, which comes to any thread, a worker too.
        patient = patient and user == threading.get_ident()
        _wind_up(pool, executor is None, waiting, counted, patient and writes, patient)


def _submit(pool: Executor, work: Callable[[Any], Any], items: Iterable[Any], waiting: dict[Future[Any], Any]) -> None:
    for item in items:
        waiting[pool.submit(work, item)] = item, time.monotonic()


def _wind_up(
    pool: Executor, own: bool, waiting: Iterable[Future[Any]], counted: _Busy | None, writing: bool, patient: bool
) -> None:
    """Begin nothing any more, and wait for what has begun: if it writes (`writing`), on another's pool as well."""
    from concurrent.futures import wait

    busy = [future for future in waiting if not future.cancel()]
    if own:
        pool.shutdown(wait=patient, cancel_futures=True)
    if writing and counted is None:
        wait(busy)
    elif writing and counted is not None:
        counted.end()


def _finished(waiting: dict[Future[Any], tuple[Any, float]], ordered: bool, timeout: float | None) -> set[Future[Any]]:
    """What is finished of the work under way: the oldest; or, not `ordered`, whatever is first. It waits for that."""
    from concurrent.futures import FIRST_COMPLETED, wait

    oldest = next(iter(waiting))
    item, began = waiting[oldest]
    allowed = None if timeout is None else max(0.0, began + timeout - time.monotonic())
    done, _ = wait([oldest] if ordered else list(waiting), allowed, FIRST_COMPLETED)
    if not done:
        raise ChunkTimeoutError(f"chunk {item}: expected a result within {timeout} s, found none", coords=item)
    return done
