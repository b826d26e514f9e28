"""The exercises of 08_03: complete sites, the chunks of a region, and a frequency among what was read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

MISSING, PEOPLE = 0.01, 100
REGION, CHUNKS, SAMPLES = (1500, 4000), (1000, 100), 250


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """All of them have to be there."""
    share = (1 - MISSING) ** PEOPLE
    if not _number(answer):
        return not_yet(f"expected a share, found {answer!r}.")
    if abs(answer - share) < 0.005:
        return right(f"{share:.1%}: about one site in three, with one call in a hundred missing.")
    if abs(answer - (1 - MISSING)) < 1e-9:
        return not_yet("that is the share of calls that are there; a site needs all hundred.")
    if abs(answer - (1 - share)) < 0.005:
        return not_yet("that is the share of sites with a gap.")
    if abs(answer) < 1e-9:
        return not_yet("gaps meet on the same site; the losses do not add up.")
    return not_yet("one call is there with 0.99. Two are there with 0.99 * 0.99.")


def exercise_2(answer: Any) -> Verdict:
    """Rows of chunks times columns of chunks."""
    (first, last), (tall, wide) = REGION, CHUNKS
    rows, columns = (last - 1) // tall - first // tall + 1, math.ceil(SAMPLES / wide)
    if not _number(answer):
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    if answer == rows * columns:
        return right(f"{rows} x {columns}.")
    if answer in (rows, columns):
        return not_yet("the people are cut into chunks as well as the sites.")
    if answer == ((last // tall) - first // tall + 1) * columns:
        return not_yet("site 4,000 is the end of the slice and not in it.")
    return not_yet("count chunks along the sites, count them along the people, and multiply.")


def _share(calls: Any) -> float:
    known = int((calls >= 0).sum())
    return int((calls > 0).sum()) / known if known else math.nan


def _mean(calls: Any) -> float:
    return float(np.mean(calls))


def _of_all(calls: Any) -> float:
    return int((calls > 0).sum()) / calls.size


def _ones(calls: Any) -> float:
    known = int((calls >= 0).sum())
    return int((calls == 1).sum()) / known if known else math.nan


def _no_minus_two(calls: Any) -> float:
    known = int((calls != -1).sum())
    return int((calls > 0).sum()) / known if known else math.nan


GIVEN: list[Any] = [
    [[0, 1], [0, 0]],
    [[1, 1], [-1, -1], [0, 0]],
    [[0, -2], [1, 1]],
    [[0, 2], [3, 1]],
    [[-1, -1], [-1, -1]],
    [[-1, 1], [0, -2], [0, 2]],
]


def _cases(function: Any) -> list[Case]:
    arrays = [np.array(calls, np.int8) for calls in GIVEN]
    return [((calls,), function(calls)) for calls in arrays]


def exercise_3(answer: Any) -> Verdict:
    """Not the reference, among those that were read."""
    wrong = on_cases(answer, _cases(_share))
    if wrong is None:
        return right(f"{len(GIVEN)} sites, with gaps, with single chromosomes, and with more than two letters.")
    mistakes = {
        "the mean takes the codes -1 and -2 for numbers, and a 2 for two alleles.": _cases(_mean),
        "divide by what was read, not by all that could have been.": _cases(_of_all),
        "2 and 3 are not the reference either.": _cases(_ones),
        "-2 is no allele that was read: leave it out as well.": _cases(_no_minus_two),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 0.99, "2": 3, "3": _mean}
