"""Stores that are slow, or that fail: what a network, a disk and a server do now and then, on purpose and repeatably.

>>> from tutorial_zarr.stores import MemoryStore
>>> clock = VirtualClock(threads=1)
>>> store = LatencyStore(MemoryStore({"a": b"1"}), seconds=0.1, clock=clock)
>>> store.get("a"), store.exists("b"), clock.now()
(b'1', False, 0.2)
"""

from __future__ import annotations

import hashlib
import heapq
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from tutorial_zarr.errors import StoreError

from .base import ABSENT, Store, cut
from .wrappers import AroundStore, Request, Tagged, moved


class Clock:
    """The time of the machine."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class VirtualClock(Clock):
    """A clock that stands while anybody works, and jumps to the next event when everybody waits.

    With it a run that would take minutes takes none, and shows the same times on a busy machine.
    Everybody waits when `threads` threads sleep, or when none has gone to sleep or woken up for `settle` real
    seconds. Work that takes longer than that between two requests needs a larger `settle`.
    """

    def __init__(self, threads: int | None = None, settle: float = 0.05) -> None:
        self.threads, self.settle = threads or sys.maxsize, settle
        self._now, self._sleepers, self._changes = 0.0, [], 0  # type: ignore[var-annotated]
        self._condition = threading.Condition()

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._condition:
            wake = round(self._now + seconds, 9)
            heapq.heappush(self._sleepers, wake)
            self._changes += 1
            while self._now < wake:
                seen = self._changes
                if len(self._sleepers) < self.threads or self._sleepers[0] <= self._now:  # or one is about to wake up
                    self._condition.wait(self.settle)
                if seen == self._changes and self._now < self._sleepers[0]:
                    self._now = self._sleepers[0]
                    self._changes += 1
                    self._condition.notify_all()
            self._sleepers.remove(wake)
            heapq.heapify(self._sleepers)
            self._changes += 1


class LatencyStore(AroundStore):
    """Makes every request wait `seconds`, and a second more for each `bandwidth` bytes that it moves.

    `concurrency` is what this store asks its callers for: a real bucket wants tens of requests in flight. A listing
    waits once for each `page` keys.
    """

    def __init__(
        self,
        store: Store,
        seconds: float = 0.1,
        bandwidth: float = float("inf"),
        concurrency: int | None = None,
        page: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(store)
        self.seconds, self.bandwidth, self.page = seconds, bandwidth, page
        self.clock, self._concurrency = clock or Clock(), concurrency

    @property
    def concurrency(self) -> int | None:  # type: ignore[override]
        return self.store.concurrency if self._concurrency is None else self._concurrency

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        result = call()
        pages = max(1, -(-len(result) // self.page)) if request.verb == "LIST" else 1
        self.clock.sleep(pages * self.seconds + (moved(request, result, value) or 0) / self.bandwidth)
        return result


class Fault(NamedTuple):
    """A fault that was injected."""

    kind: str
    verb: str
    key: str


READ, WRITE = {"GET"}, {"PUT"}
ANY = {"GET", "PUT", "DELETE", "HEAD", "LIST"}
KINDS = {  # which requests can suffer from each kind
    "error": ANY,  # the store fails, and would again: a disk that is full, a permission that was withdrawn
    "unavailable": ANY,  # 503: nothing was done, and the same request may succeed later
    "timeout": ANY,  # it was done, but no answer came
    "torn": WRITE,  # only the first part was written, and success was reported
    "lost": WRITE,  # nothing was written, and success was reported
    "flipped": READ,  # one bit of the answer is not as it was stored
    "stale": READ,  # the answer is what was there before the last write
}


class FaultStore(AroundStore):
    """Injects faults: each kind of `KINDS` with the probability that is given for it.

    Which requests suffer depends on `seed`, on the key, and on how many such requests for the key there were before;
    not on the time, nor on which thread is first with another key. `injected` lists what was done.
    """

    def __init__(self, store: Store, seed: int = 0, match: Callable[[str], bool] | None = None, **rates: float) -> None:
        super().__init__(store)
        if unknown := sorted(rates.keys() - KINDS):
            raise ValueError(f"FaultStore: expected rates of {', '.join(KINDS)}, found {', '.join(unknown)}")
        self.seed, self.match, self.rates = seed, match, rates
        self.injected: list[Fault] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._before: dict[str, Any] = {}  # what each key held, with its tag, before its last write
        self._lock = threading.Lock()

    def _draw(self, request: Request) -> str | None:
        """The kind of fault that this request suffers."""
        if self.match is not None and not self.match(request.key):
            return None
        with self._lock:
            self._counts[request[:2]] += 1
            name = f"{self.seed} {request.verb} {request.key} {self._counts[request[:2]]}"
            point = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64
            for kind, rate in self.rates.items():
                if request.verb in KINDS[kind]:
                    if point < rate and (kind != "stale" or request.key in self._before):
                        self.injected.append(Fault(kind, request.verb, request.key))
                        return kind
                    point -= rate
        return None

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        kind, where = self._draw(request), f"{self!r}: {request.verb} {request.key!r}"
        if kind == "error":
            raise StoreError(f"{where}: injected an error", key=request.key, transient=False)
        if kind == "unavailable":
            raise StoreError(f"{where}: injected 503 Slow Down", key=request.key, transient=True)
        if request.verb == "PUT":
            self._remember(request.key)
        if kind == "lost":
            return True
        if kind == "torn":
            return self._tear(request.key, value)
        result = call()
        if kind == "timeout":
            raise StoreError(f"{where}: injected a timeout after the work was done", key=request.key, transient=True)
        if kind == "flipped":
            return _flip(result, self.seed)
        if kind == "stale":
            return self._stale(request, result)
        return result

    def _remember(self, key: str) -> None:
        if "stale" in self.rates:
            self._before[key] = self.store.get_tagged(key)

    def _tear(self, key: str, value: Any) -> bool:
        self.store.set(key, memoryview(value).cast("B")[: memoryview(value).nbytes // 2])
        return True

    def _stale(self, request: Request, result: Any) -> Any:
        value, tag = self._before[request.key]
        if isinstance(result, Tagged):
            return Tagged((value, ABSENT if value is None and self.conditional else tag))
        ranges = request.byte_range
        if isinstance(result, list):
            return [None if value is None else cut(value, each) for each in ranges]
        return None if value is None else cut(value, ranges)


def _flip(result: Any, seed: int) -> Any:
    """A result with one bit of its bytes changed."""
    if isinstance(result, Tagged):
        return Tagged((_flip(result[0], seed), result[1]))
    if isinstance(result, list):
        return [_flip(each, seed) for each in result]
    if not result:
        return result
    changed = bytearray(result)
    at = int.from_bytes(hashlib.blake2b(f"{seed} {len(changed)}".encode(), digest_size=8).digest()) % (8 * len(changed))
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)
