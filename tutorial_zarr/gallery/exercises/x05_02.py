"""The exercises of 05_02: the cost of an order, chunks for the mid-price, and books strictly before trades."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

ASKS, BEST_BID, WANTED = [(10_000, 10), (10_001, 25), (10_002, 40)], 9_998, 50  # cents and lots
SHAPE = (12_000, 2, 10, 2)


def exercise_1(answer: Any) -> Verdict:
    """The slippage of 50 lots, found by taking lot after lot."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of cents, found {answer!r}.")
    lot_by_lot = [price for price, size in ASKS for _ in range(size)][:WANTED]
    mid, mean = (BEST_BID + ASKS[0][0]) / 2, sum(lot_by_lot) / WANTED
    if abs(answer - (mean - mid)) < 0.006:
        return right(f"{mean / 100:.4f} on average, against a mid-price of {mid / 100:.2f}.")
    if abs(answer - (mean - ASKS[0][0])) < 0.006:
        return not_yet("that is above the best ask. The mid-price is halfway to the bid.")
    if abs(answer - (sum(price for price, _ in ASKS) / 3 - mid)) < 0.006:
        return not_yet("that is the mean of the three prices. Weigh each by the lots that you take there.")
    if abs(answer - (mean - mid) / 100) < 0.00006:
        return not_yet("that is in dollars; the question is about cents.")
    return not_yet("take 10, then 25, then what is still missing; the mean price, less the mid-price.")


def exercise_2(answer: Any) -> Verdict:
    """Chunks, held to the bytes and the requests of reading level 0 and field 0."""
    try:
        chunks = tuple(int(length) for length in answer)
    except Exception:  # anything may be given
        return not_yet(f"expected four lengths, such as (256, 2, 10, 2), found {answer!r}.")
    if len(chunks) != 4 or any(not 1 <= c <= s for c, s in zip(chunks, SHAPE, strict=True)):
        return not_yet(f"expected four lengths from 1 to those of {SHAPE}, found {answer!r}.")
    touched = math.ceil(SHAPE[0] / chunks[0]) * math.ceil(SHAPE[1] / chunks[1])
    share = touched * math.prod(chunks) / math.prod(SHAPE)
    if share > 1 / 5:
        return not_yet(f"{touched} requests that read {share:.0%} of the bytes. Cut an axis that you need one step of.")
    if touched > 20:
        return not_yet(f"{share:.0%} of the bytes, but in {touched} requests; let the chunks be longer in time.")
    return right(f"{touched} requests, and {share:.0%} of the bytes.")


def _one_by_one(trades: Any, books: Any, oldest: Any) -> np.ndarray:
    found = []
    for trade in trades:
        before = [k for k, time in enumerate(books) if time < trade]
        found.append(before[-1] if before and trade - books[before[-1]] <= oldest else -1)
    return np.array(found, np.int64)


def _join(side: str, aged: bool, shift: int = 1) -> Any:
    """A join with its usual faults: the side, whether it minds the age, and how far it steps back."""

    def join(trades: Any, books: Any, oldest: Any) -> np.ndarray:
        last = np.searchsorted(books, trades, side=side) - shift  # type: ignore[call-overload]
        age = np.array([trade - books[k] if 0 <= k < len(books) else 0 for trade, k in zip(trades, last, strict=True)])
        return np.where((age > oldest) & aged, -1, last)

    return join


TIMES = np.array([10, 20, 20, 35, 90])
CASES = [
    (np.array([21, 11, 34]), TIMES, 100),
    (np.array([20, 35, 10]), TIMES, 100),
    (np.array([5, 9]), TIMES, 100),
    (np.array([60, 89, 200, 45]), TIMES, 20),
    (np.array([55, 56]), TIMES, 20),
    (np.array([95, 12, 36, 3]), TIMES, 30),
    (np.array([1, 2]), np.array([], dtype=int), 10),
    (np.array([], dtype=int), TIMES, 10),
]


def exercise_3(answer: Any) -> Verdict:
    """The join, held to looking at each book for each trade."""
    wrong = on_cases(answer, [(case, _one_by_one(*case)) for case in CASES])
    if wrong is None:
        return right(f"{len(CASES)} cases, with equal times, none before, an age just allowed and an empty book.")
    faults = {
        'an event of the very moment is taken; strictly before is side="left".': _join("right", True),
        "the age is not looked at.": _join("left", False),
        "the number of books before is one more than the number of the last.": _join("left", True, 0),
        'it takes an event of the very moment (side="left") and does not look at the age.': _join("right", False),
    }
    mistakes = {words: [(case, fault(*case)) for case in CASES[:6]] for words, fault in faults.items()}
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 1.1, "2": (256, 2, 10, 2), "3": _join("right", True)}
