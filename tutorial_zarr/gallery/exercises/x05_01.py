"""The exercises of 05_01: merge two bars, merge the largest falls, a start value that changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _numbers(answer: Any, count: int) -> list[float] | None:
    """The answer as so many numbers, or None where it is something else."""
    if not isinstance(answer, (tuple, list)) or len(answer) != count:
        return None
    kinds = (int, float, np.integer, np.floating)
    if not all(isinstance(value, kinds) and not isinstance(value, bool) and not math.isnan(value) for value in answer):
        return None
    return [float(value) for value in answer]


def exercise_1(answer: Any) -> Verdict:
    """(open, high, low, close, VWAP) of a day from those of its morning and its afternoon."""
    morning, afternoon = (100, 104, 99, 101, 102, 3000), (101, 103, 97, 98, 99, 9000)
    found = _numbers(answer, 5)
    if found is None:
        return not_yet(f"expected five numbers, such as (100, 104, 99, 101, 102), found {answer!r}.")
    shares = morning[5] + afternoon[5]
    vwap = float(Fraction(morning[4] * morning[5] + afternoon[4] * afternoon[5], shares))
    highs, lows = max(morning[1], afternoon[1]), min(morning[2], afternoon[2])
    expected = {"open": morning[0], "high": highs, "low": lows, "close": afternoon[3]}
    for (name, value), given in zip(expected.items(), found, strict=False):
        if given != value:
            return not_yet(f"the {name} is not {given:g}. Of the two, whose is it?")
    if abs(found[4] - (morning[4] + afternoon[4]) / 2) < 1e-9:
        return not_yet("that is the mean of the two VWAPs. The afternoon traded three times as much.")
    if abs(found[4] - vwap) > 0.005:
        return not_yet("the first four are right. For the VWAP: everything that was paid, by all shares.")
    return right(f"{vwap}: {shares:,} shares, and three quarters of them in the afternoon.")


Part = tuple[int, int, int]


def _fall(prices: list[int]) -> Part:
    """(highest, lowest, the most that was lost from a price to a later one)."""
    return max(prices), min(prices), max(a - b for i, a in enumerate(prices) for b in prices[i:])


def exercise_2(answer: Any) -> Verdict:
    """A function that merges (highest, lowest, largest fall) of two parts, the early one first."""
    drawn = [value % 50 + 1 for value in np.random.PCG64(501).random_raw(120).tolist()]
    days = [
        [9, 4],
        [4, 9],
        [5, 9, 8, 3],
        [2, 8, 9, 7],
        [9, 1, 8, 6],
        [3, 6, 4, 9, 2],
        [7, 7],
        *np.reshape(drawn, (12, 10)).tolist(),
    ]
    cases: list[tuple[Part, Part, Part]] = [
        (_fall(day[:cut]), _fall(day[cut:]), _fall(day)) for day in days for cut in range(1, len(day))
    ]
    fault = on_cases(answer, [((early, late), wanted) for early, late, wanted in cases])
    if fault is None:
        return right("a fall lies in one part, or begins at the early high and ends at the late low.")
    if not callable(answer):
        return not_yet(fault)
    mistakes: dict[str, Callable[[Part, Part], float]] = {
        "that forgets a fall that begins in the early part and ends in the late one.": lambda a, b: max(a[2], b[2]),
        "the highest less the lowest is no fall where the low came first.": lambda a, b: (
            max(a[0], b[0]) - min(a[1], b[1])
        ),
        "from the late high to the early low is back in time.": lambda a, b: max(a[2], b[2], b[0] - a[1]),
        "a fall may lie within one of the two parts as well.": lambda a, b: max(0, a[0] - b[1]),
        "falls do not add up: between two of them the price may have risen.": lambda a, b: a[2] + b[2],
    }
    alike = {
        words: [((a, b), (wanted[0], wanted[1], mistake(a, b))) for a, b, wanted in cases]
        for words, mistake in mistakes.items()
    }
    made = recognised(answer, alike)
    return not_yet(f"{made} {fault[0].upper()}{fault[1:]}" if made else fault)


def exercise_3(answer: Any) -> Verdict:
    """(high, low, paid, shares) that change nothing when they are merged."""
    found = _numbers(answer, 4)
    if found is None:
        return not_yet(f"expected four numbers (high, low, paid, shares), found {answer!r}.")
    for high, low, paid, shares in ((2**31 - 1, 2**31 - 1, 5, 7), (1, 1, 3, 2), (40_000, 39_000, 10**12, 10**6)):
        for name, merged, before in (
            ("paid", found[2] + paid, paid),
            ("shares", found[3] + shares, shares),
            ("low", min(found[1], low), low),
            ("high", max(found[0], high), high),
        ):
            if merged != before:
                return not_yet(f"a {name} of {before:,} becomes {merged:,g} when it is merged with yours.")
    return right("a sum starts with zero, a low with something that is above all, a high with something below.")


# One plausible wrong answer each.
WRONG = {
    "1": (100, 104, 97, 98, 100.5),
    "2": lambda early, late: tuple(
        max(pair) if k != 1 else min(pair) for k, pair in enumerate(zip(early, late, strict=True))
    ),
    "3": (0, 0, 0, 0),
}
