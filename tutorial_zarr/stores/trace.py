"""Stores that tell what they were asked for: to a list, to a logger, to a metrics system.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = TraceStore(MemoryStore({"a": b"12345"}))
>>> store.get("a", (1, 3)), store.exists("b")
(b'23', False)
>>> [request[:4] for request in store.requests]
[('GET', 'a', (1, 3), 2), ('HEAD', 'b', None, None)]
>>> store.totals()["GET"].nbytes
2
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tutorial_zarr.errors import MissingDependencyError, spelled, spelled_lines

from .base import ByteRange, Store
from .wrappers import AroundStore, Request, moved


class Total(NamedTuple):
    """The totals of the requests of one verb."""

    requests: int
    nbytes: int
    seconds: float
    absent: int  # requests that found nothing


class TraceSpan(NamedTuple):
    """One request in a timeline. Requests that overlap in time are in different lanes."""

    lane: int
    start: float
    stop: float
    request: Request


class Timeline(list[TraceSpan]):
    """The requests by their start; as text, a row for each lane and the verb's first letter for as long as it took."""

    @property
    def in_flight(self) -> int:
        """The largest number of requests at the same time."""
        return max((span.lane for span in self), default=-1) + 1

    @property
    def seconds(self) -> float:
        """From the first request's start to the last one's end."""
        return max((span.stop for span in self), default=0.0) - min((span.start for span in self), default=0.0)

    def __repr__(self) -> str:
        width, first, scale = 60, min((span.start for span in self), default=0.0), self.seconds or 1.0
        rows = [[" "] * width for _ in range(self.in_flight)]
        for span in self:
            start = min(int((span.start - first) / scale * width), width - 1)
            stop = max(start + 1, round((span.stop - first) / scale * width))
            rows[span.lane][start:stop] = span.request.verb[0] * (min(stop, width) - start)
        lines = [f"{lane:3} |{''.join(row)}|" for lane, row in enumerate(rows)]
        return "\n".join([f"{len(self)} requests in {self.seconds:.4f} s, at most {self.in_flight} at once", *lines])


class TraceStore(AroundStore):
    """Writes down every request, in the order of their ends. What a lesson or a test counts is here."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(store)
        self.requests: list[Request] = []
        self._lock, self._clock, self._began = threading.Lock(), clock, clock()

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        start = self._clock()
        result = call()
        start, seconds = start - self._began, self._clock() - start
        found = request._replace(nbytes=moved(request, result, value), start=start, seconds=seconds)
        if request.verb == "GET" and isinstance(result, list):  # several ranges: a request for each
            sizes = [None if each is None else len(each) for each in result]
            each = zip(request.byte_range, sizes, strict=True)
            noted = [found._replace(byte_range=byte_range, nbytes=size) for byte_range, size in each]
        else:
            noted = [found]
        with self._lock:
            self.requests += noted
        return result

    def count(self, verb: str | None = None) -> int:
        """How many requests there were, of one verb or of all."""
        return sum(1 for request in self.requests if verb in (None, request.verb))

    def nbytes(self, verb: str = "GET") -> int:
        """Bytes moved by the requests of one verb."""
        return sum(request.nbytes or 0 for request in self.requests if request.verb == verb)

    def totals(self) -> dict[str, Total]:
        """Verb -> requests, bytes, seconds (added up, also of what ran at once), and how many found nothing."""
        found: dict[str, Total] = {}
        for request in self.requests:
            requests, nbytes, seconds, absent = found.get(request.verb, Total(0, 0, 0.0, 0))
            missed = request.verb in ("GET", "HEAD") and request.nbytes is None
            found[request.verb] = Total(
                requests + 1, nbytes + (request.nbytes or 0), seconds + request.seconds, absent + missed
            )
        return dict(sorted(found.items()))

    def table(self) -> str:
        """The requests as text, one a line, and their totals."""
        rows = [("verb", "key", "range", "bytes", "ms")]
        for verb, key, byte_range, nbytes, _, seconds in self.requests:
            size = "-" if nbytes is None else str(nbytes)
            rows.append((verb, spelled(key), range_text(byte_range), size, f"{1000 * seconds:.2f}"))
        for verb, total in self.totals().items():
            rows.append((verb, f"{total.requests} in all", "", str(total.nbytes), f"{1000 * total.seconds:.2f}"))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = []
        for row in rows:
            left = [row[i].ljust(widths[i]) for i in (0, 1, 2)]
            lines.append("  ".join([*left, *(row[i].rjust(widths[i]) for i in (3, 4))]))
        return "\n".join(lines)

    def timeline(self) -> Timeline:
        """When each request ran, and beside which others."""
        free: list[float] = []  # when each lane's last request ended
        found = Timeline()
        for request in sorted(self.requests, key=lambda each: each.start):
            lane = next((i for i, stop in enumerate(free) if stop <= request.start), len(free))
            free[lane : lane + 1] = [request.start + request.seconds]
            found.append(TraceSpan(lane, request.start, request.start + request.seconds, request))
        return found

    def clear(self) -> None:
        """Forget the requests so far."""
        with self._lock:
            self.requests.clear()
            self._began = self._clock()


def range_text(byte_range: ByteRange) -> str:
    """A byte range as text: `0-99`, `100-`, `-16`; commas between several."""
    if byte_range is None:
        return ""
    if isinstance(byte_range, int):
        return str(byte_range)
    if not byte_range or not isinstance(byte_range[0], int):
        return ",".join(map(range_text, byte_range))
    start, stop = byte_range
    return f"{start}-" if stop is None else f"{start}-{stop - 1}"


class LoggingStore(AroundStore):
    """Tells a logger of every request: its verb, key, range, bytes and time; and of those that failed."""

    def __init__(self, store: Store, logger: Any = None, level: int = logging.DEBUG) -> None:
        super().__init__(store)
        self.logger, self.level = logger or logging.getLogger("tutorial_zarr.stores"), level

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        start, what = time.perf_counter(), (request.verb, spelled(request.key), range_text(request.byte_range))
        try:
            result = call()
        except Exception as error:
            self.logger.warning("%s %s %s failed: %s", *what, spelled_lines(str(error)))
            raise
        milliseconds = 1000 * (time.perf_counter() - start)
        nbytes = moved(request, result, value)
        self.logger.log(self.level, "%s %s %s: %s bytes in %.2f ms", *what, nbytes, milliseconds)
        return result


class MetricsStore(AroundStore):
    """Reports requests, bytes and durations through OpenTelemetry, to the exporter that the program has set up.

    The instruments are ``tutorial_zarr.store.requests``, ``.bytes`` and ``.duration`` (seconds), with the attributes
    ``verb`` and ``outcome`` (``ok``, ``absent``, or the name of the error).
    """

    def __init__(self, store: Store, meter: Any = None) -> None:
        super().__init__(store)
        if meter is None:
            try:
                from opentelemetry.metrics import get_meter
            except ImportError as cause:
                raise MissingDependencyError(
                    "metrics need OpenTelemetry's API; try: pip install opentelemetry-api"
                ) from cause
            meter = get_meter("tutorial_zarr")
        self._requests = meter.create_counter("tutorial_zarr.store.requests", "{request}")
        self._bytes = meter.create_counter("tutorial_zarr.store.bytes", "By")
        self._duration = meter.create_histogram("tutorial_zarr.store.duration", "s")

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        start, outcome, nbytes = time.perf_counter(), "ok", None
        try:
            result = call()
            nbytes = moved(request, result, value)
            if nbytes is None and request.verb in ("GET", "HEAD"):
                outcome = "absent"
            return result
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            attributes = {"verb": request.verb, "outcome": outcome}
            self._requests.add(1, attributes)
            self._bytes.add(nbytes or 0, attributes)
            self._duration.record(time.perf_counter() - start, attributes)
