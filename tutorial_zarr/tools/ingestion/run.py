"""`ingest`: blocks from anywhere into one array, by workers that are watched over, with a journal of what is done."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import parallel, words
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ConversionError, SelectionError, ValueMismatchError, WorkerError, ZarrError
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores.shared import Home

from . import journals
from .workers import Workers


class Item(NamedTuple):
    """A part of the array, and what belongs there."""

    key: str
    region: tuple[slice, ...]
    data: Any  # or a function that makes it
    attempt: int = 1


@dataclass
class Report:
    """What a run came to."""

    written: int = 0
    skipped: int = 0  # done before, as the journal says
    retried: int = 0
    restarted: int = 0  # workers
    failed: dict[str, str] = field(default_factory=dict)  # key of the item -> what was wrong
    stopped: str = ""  # why items are left in the source: the name of a signal, or "restarts"

    @property
    def ok(self) -> bool:
        """Whether everything that the source gave is in the array."""
        return not self.failed and not self.stopped

    def __str__(self) -> str:
        more = {"skipped": self.skipped, "retried": self.retried}
        told = [f"{words.count(self.written, 'items')} written", *(f"{n:,} {what}" for what, n in more.items() if n)]
        lines = [", ".join(told + [f"{words.count(self.restarted, 'workers')} restarted"] * bool(self.restarted))]
        if self.failed:
            first = next(iter(self.failed.items()))
            lines.append(f"{len(self.failed)} failed: {': '.join(first)}" + ", ..." * (len(self.failed) > 1))
        if self.stopped:
            lines.append(f"stopped before the end: {self.stopped}")
        return "\n".join(lines)


def ingest(
    source: Iterable[tuple[Any, Any]],
    array: Array,
    *,
    executor: Executor | str = "processes",
    workers: int | None = None,
    queue: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    attempts: int = 3,
    restarts: int = 20,
    timeout: float | None = None,
    on_error: str = "report",
    progress: Progress = None,
) -> Report:
    """Write the items of `source`, pairs (where, data), into `array`, and report how that went.

    `where` is the coordinates of a write unit (an integer or a tuple of them), or slices that cover whole units:
    then no two items meet, and one that is done again does no harm. `data` has exactly that shape, or is a function
    without arguments that returns it; the function runs in the worker.

    `executor` is ``"processes"`` (spawned), ``"threads"``, or a `concurrent.futures.Executor`, such as a Dask client's
    ``get_executor()``. At most `queue` items (twice the `workers`) are taken from the source before they are done.
    An item that fails with an OSError, or whose worker dies or takes more than `timeout` seconds, is tried `attempts`
    times; other errors are not, and go into the report, or with ``on_error="raise"`` are raised once the items in hand
    are done. Dead workers are replaced `restarts` times in all; then the run stops.

    `journal` names a file of what is done. A run that begins with one skips that, so after a kill the same call goes
    on. With each item stands a checksum of how what is stored of it ends, which takes a request for each write unit;
    before an item is skipped that is asked for again, and a journal of another array, or of one that was made anew or
    written to since, is refused; and so is one for a zip file, which keeps nothing before it is closed. SIGTERM and
    Ctrl-C end the run after the items in hand; the second one ends it at once.
    """
    if on_error not in ("report", "raise"):
        raise ValueError(f"on_error: expected 'report' or 'raise', found {on_error!r}")
    if isinstance(executor, str) and executor not in ("processes", "threads"):
        raise ValueError(f"executor: expected 'processes', 'threads' or an Executor, found {executor!r}")
    if timeout is not None and executor != "processes":
        raise ValueError("timeout: expected executor='processes' with it: nothing else can be stopped from outside")
    array.check_writable("elements")
    count, write = workers or parallel.get_workers(), Write(array, journal is not None)
    work: Write | Workers = write
    if executor == "processes" and write.home.is_private:
        write.home.refuse(array.store, array.label)
    with ExitStack() as stack:
        note, done = stack.enter_context(_journal(journal, array))
        total = len(source) if isinstance(source, Sized) else None
        advance = stack.enter_context(meter(progress, total, "ingesting", "items"))
        if executor == "processes":
            work = Workers(write, timeout)
            stack.callback(work.close)
        pool = stack.enter_context(ThreadPoolExecutor(count)) if isinstance(executor, str) else executor
        run = _Run(array, work, pool, note, done, advance, attempts, restarts)
        run.go(source, queue or 2 * count, on_error == "raise", stack.enter_context(_signals()))
    return run.report


class _Run:
    """One run: what is under way, and what has come of the rest."""

    def __init__(
        self,
        array: Array,
        work: Callable[[Item], str],
        pool: Any,
        note: Callable[[str, str], None],
        done: set[str],
        advance: Callable[[], None],
        attempts: int,
        restarts: int,
    ) -> None:
        self.array, self.work, self.pool = array, work, pool
        self.note, self.done, self.advance = note, done, advance
        self.attempts, self.restarts = attempts, restarts
        self.report = Report()
        self.error: Exception | None = None  # the first one of those that the report tells
        self.waiting: dict[Future[str], Item] = {}

    def go(self, source: Iterable[tuple[Any, Any]], queue: int, strict: bool, signals: list[str]) -> None:
        """Keep `queue` items under way until there are no more, or a reason to stop; then wait for those in hand."""
        items: Iterator[Item] | None = self.items(source)
        broken: Exception | None = None  # what the source itself failed with
        try:
            while items is not None or self.waiting:
                while items is not None and len(self.waiting) < queue:
                    item = None
                    if signals or self.report.restarted > self.restarts:
                        self.report.stopped = signals[0] if signals else "restarts"
                    elif not (strict and self.error):
                        try:
                            item = next(items, None)
                        except Exception as error:
                            broken = error
                    if item is None:
                        items = None
                    else:
                        self.submit(item)
                if self.waiting:  # with a timeout, so that signals come through
                    for future in wait(self.waiting, 0.5, FIRST_COMPLETED)[0]:
                        self.settle(self.waiting.pop(future), future)
        except BaseException:
            for future in self.waiting:
                future.cancel()
            if isinstance(self.work, Workers):
                self.work.kill()
            raise
        if broken is not None:
            raise broken
        if strict and self.error is not None:
            key, problem = next(iter(self.report.failed.items()))
            raise ConversionError(f"item {key}: {problem}", key=key, report=self.report) from self.error

    def items(self, source: Iterable[tuple[Any, Any]]) -> Iterator[Item]:
        """The items of the source that are to be written."""
        for where, data in source:
            try:
                region = _region(self.array, where)
            except (ZarrError, TypeError) as error:
                self.fail(str(where), error)
                continue
            key = ",".join(f"{part.start}:{part.stop}" for part in region)
            if key in self.done:
                self.report.skipped += 1
                self.advance()
                continue
            self.done.add(key)
            yield Item(key, region, data)

    def submit(self, item: Item) -> None:
        """Hand an item to the workers."""
        self.waiting[self.pool.submit(self.work, item)] = item

    def settle(self, item: Item, future: Future[str]) -> None:
        """Deal with an item that is done, one way or the other."""
        self.report.restarted, error = getattr(self.work, "restarted", 0), future.exception()
        if error is None:
            self.report.written += 1
            self.note(item.key, future.result())
            self.advance()
        elif not isinstance(error, Exception):
            raise error
        elif _passing(error) and item.attempt < self.attempts and self.report.restarted <= self.restarts:
            self.report.retried += 1
            self.submit(item._replace(attempt=item.attempt + 1))
        else:
            self.fail(item.key, error)

    def fail(self, key: str, error: Exception) -> None:
        """Note an item that is not written."""
        self.report.failed[key] = str(error) or type(error).__name__
        self.error = self.error or error
        self.advance()


class Write:
    """Writes an item into an array, and returns its stamp. A class, so that it can be sent to another process."""

    def __init__(self, array: Array, stamps: bool) -> None:
        self.array, self.stamps, self.home = array, stamps, Home(array.store)

    def __call__(self, item: Item) -> str:
        self.home.check(self.array.store, self.array.label)
        data = item.data() if callable(item.data) else item.data
        shape = tuple(part.stop - part.start for part in item.region)
        if np.shape(data) != shape:
            raise ValueMismatchError(f"expected data of the shape {shape}, found {np.shape(data)}")
        with parallel.alone():  # the items are what runs side by side
            self.array[item.region] = data
        return journals.stamp(self.array, item.region) if self.stamps else ""


def _region(array: Array, where: Any) -> tuple[slice, ...]:
    """The part of the array that an item names, if that is whole write units."""
    parts, io = where if isinstance(where, tuple) else (where,), array.io
    if all(isinstance(part, (int, np.integer)) for part in parts):
        coords = parts + (0,) * (array.ndim - len(parts)) if array.ndim > len(parts) == 1 else parts
        return array.chunk_region(coords)
    if not all(isinstance(part, slice) and part.step in (None, 1) for part in parts) or len(parts) > array.ndim:
        raise TypeError(f"expected the coordinates of a write unit, or slices for {array.ndim} axes, found {where!r}")
    bounds = [part.indices(n) for part, n in zip(parts, io.shape, strict=False)]
    region = tuple(slice(start, stop) for start, stop, _ in bounds)
    region += tuple(slice(0, n) for n in io.shape[len(parts) :])
    plan = array.plan_write(region)
    if not plan.units or not plan.aligned:
        raise SelectionError(
            f"expected a region of whole write units of {array.write_unit}, found {where!r}, which holds "
            f"{plan.whole} whole units and {plan.partial} in part"
        )
    return region


def _passing(error: BaseException) -> bool:
    """Whether another attempt may go better."""
    lasting = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
    return isinstance(error, (OSError, WorkerError)) and not isinstance(error, lasting)


@contextmanager
def _journal(path: Any, array: Array) -> Iterator[tuple[Callable[[str, str], None], set[str]]]:
    """A function that notes a key as done, and the keys that are; the first line says which array is meant."""
    if path is None:
        yield lambda key, stamp: None, set()
        return
    about = {"shape": array.shape, "write_unit": array.write_unit, "dtype": str(array.dtype)}
    head = json.dumps({"ingest": 2, **journals.about(array), **about})
    with Path(path).open("a+", encoding="utf-8", newline="\n") as file:
        file.seek(0)
        whole = file.read().rpartition("\n")[0]  # a kill may have cut the last line short
        file.truncate(len(whole.encode()) + 1 if whole else 0)
        lines = whole.split("\n") if whole else []
        if lines[:1] not in ([], [head]):
            raise ConversionError(
                f"journal {os.fspath(path)!r}: expected {head}, found {lines[0][:200]}: it belongs to another array; "
                "try another file"
            )
        done = journals.done(os.fspath(path), array, lines[1:])

        def note(key: str, stamp: str) -> None:
            file.write(f"{key} {stamp}\n")
            file.flush()

        if not lines:
            file.write(head + "\n")
            file.flush()
        yield note, set(done)


@contextmanager
def _signals() -> Iterator[list[str]]:
    """A list that gets the name of the signal that asks the run to stop. The next one does what it did before."""
    came: list[str] = []
    before: dict[int, Any] = {}

    def stop(number: int, frame: Any) -> None:
        came.append(signal.Signals(number).name)
        restore()

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    if threading.current_thread() is threading.main_thread():  # no other thread may do this
        before.update({number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)})
    try:
        yield came
    finally:
        restore()
