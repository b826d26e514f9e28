"""The exercises of 01_08: rounds of requests, attempts until an answer, a layout for two questions, joined ranges."""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right
from tutorial_zarr.stores import TraceStore


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool) and math.isfinite(answer)


def exercise_1(answer: Any) -> Verdict:
    """Seconds for 1,000 requests of 50 ms with 48 in flight."""
    free = [0.0] * 48
    for _ in range(1000):
        heapq.heapreplace(free, free[0] + 0.05)
    if not _number(answer):
        return not_yet(f"expected a number of seconds, found {answer!r}.")
    if math.isclose(answer, max(free), abs_tol=1e-6):
        return right(f"{round(max(free) / 0.05)} rounds, the last one for {1000 % 48} requests.")
    if math.isclose(answer, 1000 * 0.05 / 48, abs_tol=0.001):
        return not_yet(
            "close, but requests do not come in fractions. How many rounds are there, and how full is the last?"
        )
    if math.isclose(answer, 1000 * 0.05, rel_tol=0.01):
        return not_yet("that is one after the other.")
    return not_yet("48 requests take as long as one. How often does that happen?")


def exercise_2(answer: Any) -> Verdict:
    """Attempts for 1,000 answers where one in five is refused."""
    chance, expected = 1.0, 0.0
    while chance > 1e-12:  # of those that were refused so often, all are asked again
        expected += 1000 * chance
        chance /= 5
    if not _number(answer):
        return not_yet(f"expected a number of attempts, found {answer!r}.")
    if math.isclose(answer, expected, abs_tol=0.5):
        return right(f"1,000 and 200 and 40 and 8 and so on: {expected:,.0f}.")
    if math.isclose(answer, 1200, abs_tol=0.5):
        return not_yet("200 are asked a second time. Do all of those succeed?")
    return not_yet("how many of the first 1,000 are refused? And of those, when they are asked again?")


def exercise_3(answer: Any) -> Verdict:
    """A layout of 2048 x 2048 float32 that is good for a whole read and for a window."""
    if not isinstance(answer, dict) or not {"chunks"} <= answer.keys() <= {"chunks", "shards"}:
        return not_yet(f'expected something like {{"chunks": (512, 512)}}, found {answer!r}.')
    window = slice(1000, 1100), slice(300, 400)
    try:
        # The checksum stands for a compressor: a chunk is then read as a whole, and its size is known.
        array = zarr.create_array({}, shape=(2048, 2048), dtype="float32", compressors={"name": "crc32c"}, **answer)
        if array.nchunks > 1 << 16 or array.nbytes // max(1, math.prod(array.chunks)) > 1 << 22:
            return not_yet("a list of all these chunks would be very long. Try larger ones.")
        array[...] = 1
        array.store.request_cost = 1 << 19  # as a bucket has it: ranges that lie close come with one request
        whole = array.plan(...).requests
    except Exception as error:
        return not_yet(f"such an array cannot be made: {error}")
    trace = TraceStore(array.store)
    opened = zarr.open_array(trace, mode="r", zarr_format=3)
    trace.clear()
    opened[window]
    found = trace.count("GET"), trace.nbytes("GET") / 1024
    counted = f"{whole:,} requests for everything, {found[0]:,} and {found[1]:,.0f} KiB for the window"
    if whole > 20:
        return not_yet(f"{counted}. Fewer objects!")
    if found[1] > 256:
        return not_yet(f"{counted}. It brings too much that is not wanted.")
    if found[0] > 4:
        return not_yet(f"{counted}. The window asks too often.")
    return right(f"{counted}.")


def _join(ranges: Any, gap: int, order: bool = True, longest: bool = True) -> list[tuple[int, int]]:
    """Join neighbours, in order or as they come; by the longest stop, or by the one that came last."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges) if order else ranges:
        if found and start - found[-1][1] <= gap:
            found[-1] = found[-1][0], max(stop, found[-1][1]) if longest else stop
        else:
            found.append((start, stop))
    return found


def _unsorted(ranges: Any, gap: int) -> Any:
    return _join(ranges, gap, order=False)


def _cut_short(ranges: Any, gap: int) -> Any:
    return _join(ranges, gap, longest=False)


# What goes wrong most often, and what to say then.
JOINED = {
    lambda ranges, gap: None: "it returns nothing yet. Put your lines in place of the three dots.",
    _unsorted: "it is right for ranges that come in order. These do not always.",
    _cut_short: "a range may end before the one that it lies in. Which of the two stops counts then?",
    lambda ranges, gap: _join(
        ranges, gap - 1
    ): "`gap` bytes between two ranges are still worth joining: at most `gap`.",
    lambda ranges, gap: _join(ranges, 0): "it joins what overlaps or touches. What about a gap that is short enough?",
    lambda ranges, gap: sorted(ranges): "it returns all ranges, in order. Which of them can come with one request?",
}


def exercise_4(answer: Any) -> Verdict:
    """A function that joins ranges which overlap or lie close."""
    tried = [
        [],
        [(10, 20)],
        [(0, 5), (5, 9)],
        [(0, 5), (8, 9)],
        [(0, 5), (9, 12)],
        [(0, 100), (10, 20), (104, 110)],
        [(50, 60), (0, 5), (61, 70), (7, 9)],
        [(30, 40), (0, 50), (45, 48), (55, 60)],
        [(100 * k, 100 * k + 97) for k in range(6)],
    ]
    cases = [((ranges, gap), _by_bytes(ranges, gap)) for ranges in tried for gap in (0, 3, 10)]
    wrong = on_cases(answer, cases)
    if wrong is None:
        return right(f"{len(cases)} lists, and each byte is asked for once.")
    mistakes = {words: [(given, mistake(*given)) for given, _ in cases] for mistake, words in JOINED.items()}
    return not_yet(recognised(answer, mistakes) or wrong)


def _by_bytes(ranges: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """The same byte by byte: mark what is wanted, fill gaps that are short enough, and see what hangs together."""
    end = max((stop for _, stop in ranges), default=0)
    wanted = np.zeros(end + 1, bool)
    for start, stop in ranges:
        wanted[start:stop] = True
    found: list[tuple[int, int]] = []
    for at in np.flatnonzero(wanted).tolist():
        if found and at - found[-1][1] <= gap:
            found[-1] = found[-1][0], at + 1
        else:
            found.append((at, at + 1))
    return found


# One plausible wrong answer each.
WRONG = {"1": 1000 * 0.05 / 48, "2": 1200, "3": {"chunks": (512, 512)}, "4": _unsorted}
