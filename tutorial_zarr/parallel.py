"""Threads for chunk work: started with the first large job, never at import, never nested.

Chunk work is C code that releases the interpreter's lock (decompressors, file reads, copies), so threads help.
A job is a stream of small items; every worker, the calling thread among them, takes a batch of neighbours at a
time, so that the per-item cost stays that of a plain loop.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr.errors import ChunkTimeoutError

if TYPE_CHECKING:  # its import brings logging with it, so it waits for the first job that needs it
    from concurrent.futures import Executor, Future, ThreadPoolExecutor

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
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


_workers: int | None = None


def get_workers() -> int:
    """How many threads chunk work may use, the calling one included."""
    global _workers
    if _workers is None:
        _workers = int(os.environ.get("TUTORIAL_ZARR_WORKERS", "0")) or cpu_count()
    return _workers


def set_workers(count: int | None) -> None:
    """Bound the threads of chunk work: 1 means none but the caller's; None means as many as processors."""
    global _workers, _pool
    if count is not None and count < 1:
        raise ValueError(f"set_workers: expected a count of at least 1, found {count}")
    with _lock:
        pool, _pool, _workers = _pool, None, count
    if pool is not None:
        pool.shutdown(wait=False)


def _forget_pool() -> None:
    """After fork: the child has the pool object, but none of its threads."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


@contextmanager
def alone() -> Iterator[None]:
    """Within it, chunk work that this thread starts runs on this thread, with one set of buffers."""
    before = getattr(_inside, "worker", False)
    _inside.worker = True
    try:
        yield
    finally:
        _inside.worker = before


def _shared_pool(threads: int) -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None or _pool._max_workers < threads:
            from concurrent.futures import ThreadPoolExecutor

            _pool = ThreadPoolExecutor(threads, thread_name_prefix="tutorial_zarr")
        return _pool


_buffers = threading.local()
ALIGNMENT = 64  # some processors copy to other addresses at a seventh of the speed, as the kernel does in `read`
KEEP = 1 << 25  # buffers up to this size stay with their thread


def aligned_empty(nbytes: int) -> np.ndarray:
    """Fresh memory of so many bytes, with anything in it, whose address suits file reads."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[start : start + nbytes]


def take_buffer(nbytes: int) -> np.ndarray:
    """An array of at least so many bytes, with anything in it: one that this thread used before, if there is one.

    Fresh memory costs a page fault every 4 KiB, which is more than the decoding of many a chunk.
    """
    kept = getattr(_buffers, "kept", None)
    if kept:
        for i, buffer in enumerate(kept):
            if nbytes <= len(buffer) <= 4 * nbytes + 4096:
                return kept.pop(i)
    return aligned_empty(nbytes)


def give_buffer(buffer: np.ndarray | None) -> None:
    """Hand a buffer back to its thread for the next job."""
    if buffer is not None and len(buffer) <= KEEP:
        kept = _buffers.__dict__.setdefault("kept", [])
        kept.append(buffer)
        if len(kept) > 4:
            kept.pop(0)


def run(
    start: Callable[[], AbstractContextManager[Callable[[Iterable[Any]], None]]],
    items: Iterable[Any],
    workers: int,
    batch: int,
) -> None:
    """Use up `items` on up to `workers` threads, `batch` neighbours at a time.

    Each worker enters the context that `start()` gives, for its work function, and so may hold buffers of its own.
    The first error stops all workers and is raised here; none is left running.
    """
    if workers <= 1 or getattr(_inside, "worker", False):
        with start() as work:
            work(items)
        return
    iterator, lock, stop = iter(items), threading.Lock(), threading.Event()

    def loop() -> None:
        _inside.worker = True
        try:
            with start() as work:
                while not stop.is_set():
                    with lock:
                        taken = list(islice(iterator, batch))
                    if not taken:
                        return
                    work(taken)
        except BaseException:
            stop.set()
            raise
        finally:
            _inside.worker = False

    pool = _shared_pool(workers - 1)
    futures = [pool.submit(loop) for _ in range(workers - 1)]
    try:
        loop()
    except BaseException:
        stop.set()
        raise
    finally:
        errors = [None if future.cancel() else future.exception() for future in futures]
    for error in errors:
        if error is not None:
            raise error


def stream(
    work: Callable[[Any], Any],
    items: Iterable[Any],
    in_flight: int,
    ordered: bool = True,
    timeout: float | None = None,
    executor: Executor | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Pairs (item, work(item)), lazily, with at most `in_flight` items under way.

    Nothing is read ahead beyond that, and nothing at all before the first pair is asked for. With `ordered` the
    pairs come in the order of `items`, else as they are finished. An item that takes longer than `timeout`
    seconds raises TimeoutError; its thread cannot be stopped, but its result is dropped.
    """
    if in_flight <= 1 and executor is None and timeout is None:
        for item in items:
            yield item, work(item)
        return
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    pool = executor or ThreadPoolExecutor(in_flight, thread_name_prefix="tutorial_zarr_stream")
    waiting: dict[Future[Any], tuple[Any, float]] = {}
    source = iter(items)
    try:
        while True:
            for item in islice(source, in_flight - len(waiting)):
                waiting[pool.submit(work, item)] = item, time.monotonic()
            if not waiting:
                return
            oldest = next(iter(waiting))
            allowed = None if timeout is None else max(0.0, waiting[oldest][1] + timeout - time.monotonic())
            done, _ = wait([oldest] if ordered else list(waiting), allowed, FIRST_COMPLETED)
            if not done:
                item = waiting[oldest][0]
                raise ChunkTimeoutError(f"chunk {item}: expected a result within {timeout} s, found none", coords=item)
            for future in done:
                item, _ = waiting.pop(future)
                yield item, future.result()
    finally:
        for future in waiting:
            future.cancel()
        if executor is None:
            pool.shutdown(wait=timeout is None, cancel_futures=True)
