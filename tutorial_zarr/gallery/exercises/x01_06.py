"""The exercises of 01_06: merged variances, bands of whole chunks, rounds of workers."""

from __future__ import annotations

import heapq
import itertools
import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The variance of two groups of four values, with means 10 and 14 and a variance of 5 each."""
    spread = math.sqrt(5)
    groups = [[mean - spread, mean - spread, mean + spread, mean + spread] for mean in (10, 14)]
    variance = float(np.var(groups))
    if not _number(answer):
        return not_yet(f"expected a number, found {answer!r}.")
    if math.isclose(float(answer), variance, rel_tol=1e-9):
        return right(f"{variance:g}: 5 within the groups, and {variance - 5:g} since their means differ.")
    if math.isclose(float(answer), 5, rel_tol=1e-9):
        return not_yet("that would hold if both groups had the same mean. Which of the eight values are near 12?")
    if math.isclose(float(answer), 8 * variance, rel_tol=1e-9):
        return not_yet("that is the sum of squares. By what must it be divided?")
    return not_yet("write down four values with mean 10 and variance 5, four with mean 14, and merge them.")


def exercise_2(answer: Any) -> Verdict:
    """Where the bands of writers 2 to 4 begin: 1000 rows, chunks of 64, whole chunks for each."""
    if not isinstance(answer, (list, tuple, np.ndarray)) or len(answer) != 3:
        return not_yet(f"expected a list of three rows, found {answer!r}.")
    if not all(_number(row) and row == row and int(row) == row for row in answer if not np.isinf(row)):
        return not_yet(f"expected a list of three whole numbers, found {answer!r}.")
    edges = [0, *map(float, answer), 1000]
    if edges != sorted(edges) or not 0 < edges[1] <= edges[3] < 1000:
        return not_yet("expected rows that grow, between 0 and 1000.")
    crossed = [row for row in edges[1:-1] if row % 64]
    if crossed:
        return not_yet(f"row {crossed[0]:g} lies inside chunk {int(crossed[0] // 64)}, which then has two writers.")
    chunks = [math.ceil(stop / 64) - int(start // 64) for start, stop in itertools.pairwise(edges)]
    if max(chunks) - min(chunks) > 1:
        return not_yet(f"the bands have {chunks} chunks. That is not as even as possible.")
    return right(f"{chunks} chunks each, and no chunk has two writers.")


def exercise_3(answer: Any) -> Verdict:
    """When the last of 105 chunks of 100 ms is done by 10 workers."""
    free = [0] * 10
    for _ in range(105):
        heapq.heappush(free, heapq.heappop(free) + 100)
    if not _number(answer):
        return not_yet(f"expected a number of milliseconds, found {answer!r}.")
    if float(answer) == max(free):
        return right(f"{max(free)} ms; in the last round {sum(end == max(free) for end in free)} workers are busy.")
    if math.isclose(float(answer), 105 * 100 / 10):
        return not_yet("that is the mean. Can half a chunk be given to each of ten workers?")
    return not_yet("after the first 100 ms ten chunks are done. Go on like that.")


# One plausible wrong answer each.
WRONG = {"1": 5, "2": [250, 500, 750], "3": 1050}
