"""The exercises of 07_02: requests of a mask and its pixels, where they break even, and NDVI of unsigned numbers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

DATES, TILES, CLOUDY = 73, 10 * 10, 40  # percent


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """One request for each tile of the map, and one for each tile that has a clear pixel."""
    pixels = DATES * TILES * (100 - CLOUDY) // 100
    if not _number(answer):
        return not_yet(f"expected a number of requests, found {answer!r}.")
    if answer == TILES + pixels:
        return right(f"{TILES} for the mask and {pixels:,} for pixels, instead of {DATES * TILES:,} for everything.")
    if answer == pixels:
        return not_yet("that is the pixels' part; the mask has to be read as well.")
    if answer == DATES * TILES + pixels:
        return not_yet("a chunk of this mask holds all dates of a tile, not one.")
    if answer == TILES + DATES * TILES * CLOUDY // 100:
        return not_yet("those that are all cloud are the ones to leave out.")
    return not_yet("count the chunks of the mask, and those of the pixels that are not all cloud.")


def exercise_2(answer: Any) -> Verdict:
    """1 + (1 - share) <= 1 only for a share of 1."""
    if not _number(answer):
        return not_yet(f"expected a share between 0 and 1, found {answer!r}.")
    if answer == 1:
        return right("1 + (1 - share) is at most 1 only if every tile is skipped: it never pays in requests.")
    if answer == 0.5:
        return not_yet("half of the tiles skipped: 1 + 0.5 requests for each tile, against 1.")
    if answer == 100:
        return not_yet("as a share between 0 and 1.")
    return not_yet("write requests for each tile as 1 + (1 - share), and compare with 1.")


def _index(red: Any, infrared: Any) -> np.ndarray:
    total = infrared.astype(float) + red
    zero = total == 0
    return np.where(zero, np.nan, (infrared.astype(float) - red) / np.where(zero, 1, total))


def _wraps(red: Any, infrared: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray((infrared - red) / (infrared + red))


def _sum_wraps(red: Any, infrared: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return (infrared.astype(float) - red) / (infrared + red)


def _zero(red: Any, infrared: Any) -> np.ndarray:
    return np.nan_to_num(_index(red, infrared), nan=0.0)


def _exchanged(red: Any, infrared: Any) -> np.ndarray:
    return -_index(red, infrared)


def _pair(red: list[Any], infrared: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(red, np.uint16), np.array(infrared, np.uint16)


GIVEN = [
    _pair([400, 1000], [3600, 1000]),
    _pair([400, 300], [200, 100]),  # water
    _pair([40_000, 30_000], [60_000, 65_535]),  # more than 65,535 together
    _pair([0, 500, 0], [0, 1500, 700]),
    _pair([[100, 0], [0, 3]], [[300, 0], [9, 1]]),
    _pair([], []),
]


def _cases(function: Any) -> list[Case]:
    return [((red, infrared), function(red, infrared)) for red, infrared in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """NDVI of unsigned numbers, NaN without data."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        wrong = on_cases(answer, _cases(_index))
        if wrong is None:
            for red, infrared in GIVEN:
                given = red.copy(), infrared.copy()
                answer(*given)
                if not (np.array_equal(given[0], red) and np.array_equal(given[1], infrared)):
                    return not_yet("the values are right, and the arrays themselves were changed; work on copies.")
            if told:
                return not_yet(f"the values are right, with a warning: {told[0].message}.")
            return right(f"{len(GIVEN)} pairs of arrays, with water, no data and sums above 65,535 among them.")
        mistakes = {
            "unsigned numbers wrap around below zero and above 65,535; make floats of them first.": _cases(_wraps),
            "the difference is right; the sum of two uint16 wraps around as well.": _cases(_sum_wraps),
            "where both are 0 there is no measurement: NaN, not 0.": _cases(_zero),
            "the sign is wrong: infrared minus red.": _cases(_exchanged),
        }
        return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": DATES * TILES * 60 // 100, "2": 0.5, "3": _wraps}
