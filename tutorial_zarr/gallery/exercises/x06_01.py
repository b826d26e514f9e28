"""The exercises of 06_01: one price of several venues, requests of one coin, and how far a price may be carried."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

TRADED = ((30, 100.0), (10, 102.0))  # coins, and the average that was paid for one
WEEKS, VENUES = 28 * 1440 // 10_080, 4


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """What was paid on all venues, for a coin."""
    price = sum(coins * paid for coins, paid in TRADED) / sum(coins for coins, _ in TRADED)
    if not _number(answer):
        return not_yet(f"expected a price, found {answer!r}.")
    if abs(answer - price) < 1e-6:
        return right(f"{price:.2f}: a venue without a trade adds nothing to what was paid, and nothing to the coins.")
    if abs(answer - sum(paid for _, paid in TRADED) / len(TRADED)) < 1e-6:
        return not_yet("that is the mean of the two, as if B had traded as much as A.")
    if math.isnan(answer):
        return not_yet("NaN times zero is NaN. Leave out the venues that did not trade.")
    return not_yet("divide what was paid on all venues by all coins.")


def exercise_2(answer: Any) -> Verdict:
    """One request for each chunk that holds some of the coin."""
    requests = WEEKS * VENUES
    if not _number(answer):
        return not_yet(f"expected a number of requests, found {answer!r}.")
    if answer == requests:
        return right(f"{WEEKS} weeks x {VENUES} venues; the other coin comes along in the same chunk.")
    if answer == 2 * requests:
        return not_yet("the second coin lies in the same chunk: it costs bytes, and no request.")
    if answer == 28 * VENUES:
        return not_yet("a chunk holds a week, not a day.")
    if answer == 5 * requests:
        return not_yet("all five fields lie in one chunk.")
    return not_yet("count the pieces along time, and those along the venues.")


def _carried(close: list[float], limit: int) -> np.ndarray:
    result = np.array(close, dtype=float)
    for minute in np.flatnonzero(np.isnan(result)).tolist():
        before = [m for m in range(max(0, minute - limit), minute) if not math.isnan(close[m])]
        result[minute] = close[before[-1]] if before else math.nan
    return result


def _forever(close: Any, limit: int) -> np.ndarray:
    return _carried(close, len(close))


def _one_short(close: Any, limit: int) -> np.ndarray:
    return _carried(close, limit - 1)


def _zero(close: Any, limit: int) -> np.ndarray:
    return np.nan_to_num(_carried(close, limit), nan=0.0)


NAN = math.nan
GIVEN: list[tuple[np.ndarray, int]] = [
    (np.array([5.0, 6.0, 7.0]), 2),
    (np.array([5.0, NAN, 7.0]), 1),
    (np.array([5.0, NAN, NAN, NAN, 9.0, NAN]), 2),
    (np.array([NAN, NAN, 4.0, NAN]), 3),
    (np.array([4.0, NAN, 6.0, NAN, NAN]), 1),
    (np.array([4.0, NAN, 6.0]), 0),
    (np.array([NAN, NAN]), 5),
]


def _cases(function: Any) -> list[Case]:
    return [((close, limit), function(close, limit)) for close, limit in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """A price that is carried for a while, and no longer."""
    wrong = on_cases(answer, _cases(_carried))
    if wrong is None:
        for close, limit in GIVEN:
            given = close.copy()
            answer(given, limit)
            if not np.array_equal(given, close, equal_nan=True):
                return not_yet("the values are right, and `close` itself was changed; work on a copy.")
        return right(f"{len(GIVEN)} series, one that begins with NaN and one without a price among them.")
    mistakes = {
        "it carries a price for ever; compare the age of the price with `limit`.": _cases(_forever),
        "a price that is exactly `limit` minutes old may still be used.": _cases(_one_short),
        "where the price is too old, NaN stays; a zero is a price.": _cases(_zero),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 101.0, "2": 32, "3": _forever}
