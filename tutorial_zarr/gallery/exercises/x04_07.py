"""The exercises of 04_07: requests in vain, the order that stores least, and the sum of each run of a line."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

LENGTHS = (4, 15, 135, 1107)


def exercise_1(answer: Any) -> Verdict:
    """Requests of one run of 15 steps that find nothing, in an array of 1,200 steps in chunks of 50."""
    in_a_row, found = math.ceil(1200 / 50), math.ceil(15 / 50)
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of requests, found {answer!r}.")
    if answer == in_a_row - found:
        return right(f"{in_a_row} chunks are asked for, and {found} is stored.")
    if answer == in_a_row:
        return not_yet("that is all of them, and one finds the run.")
    if answer == 0:
        return not_yet("a chunk that does not exist is asked for all the same.")
    return not_yet("how many chunks lie in a row, and how many of them hold one of the 15 steps?")


def exercise_2(answer: Any) -> Verdict:
    """The fewest chunks of (2, 64) for four runs, in the best of all orders."""

    def chunks(order: tuple[int, ...]) -> int:
        return sum(math.ceil(max(order[k : k + 2]) / 64) for k in (0, 2))

    counts = [chunks(order) for order in itertools.permutations(LENGTHS)]
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of chunks, found {answer!r}.")
    if answer == min(counts):
        return right(f"{min(counts)} chunks in the order of length, and {max(counts)} in the worst order.")
    if answer in counts:
        return not_yet("there is an order that stores fewer. Which run should lie beside the longest?")
    if answer == sum(math.ceil(length / 64) for length in LENGTHS):
        return not_yet("that is with one run to a chunk; here two runs share theirs.")
    return not_yet("the longer run of a pair needs its length / 64 chunks, rounded up. Add up the two pairs.")


CASES = [
    ([3, 1, 4, 1, 5], [0, 2, 5]),
    ([3, 1, 4], [0, 2, 2, 3]),  # a run without steps
    ([3, 1, 4], [0, 0, 3, 3]),  # the first and the last without
    ([7], [0, 1]),
    ([2**40, 1, 2**40], [0, 2, 3]),
]


def _by_slices(values: list[int], offsets: list[int]) -> list[int]:
    return [sum(values[start:stop]) for start, stop in itertools.pairwise(offsets)]


def _of_the_next(values: list[int], offsets: list[int]) -> list[int]:
    return [sum(values[start:stop]) if stop > start else values[start] for start, stop in itertools.pairwise(offsets)]


def exercise_3(answer: Any) -> Verdict:
    """The sum of each run, runs without steps among them."""
    arrays = [(np.array(values), np.array(offsets)) for values, offsets in CASES]
    wrong = on_cases(answer, [(case, np.array(_by_slices(*plain))) for case, plain in zip(arrays, CASES, strict=True)])
    if wrong is None:
        return right(f"{len(CASES)} lines, with runs that have no step at the beginning, in the middle and at the end.")
    found = recognised(
        answer,
        {
            "for a run without steps that is the value that begins the next run, as np.add.reduceat gives it.": [
                (case, np.array(_of_the_next(*plain))) for case, plain in zip(arrays[:2], CASES[:2], strict=True)
            ]
        },
    )
    return not_yet(found or wrong)


def _reduceat(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, offsets[:-1])


# One plausible wrong answer each.
WRONG = {"1": 24, "2": 23, "3": _reduceat}
