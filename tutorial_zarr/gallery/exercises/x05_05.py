"""The exercises of 05_05: chunks with a break, what np.isclose lets pass, and a comparison of money to the cent."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The share of chunks of 65,536 cells with at least one break, at one in 100,000."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number between 0 and 1, found {answer!r}.")
    p, c = 1e-5, 65_536
    none = (1 - p) ** c
    if abs(answer - (1 - none)) < 0.0006:
        return right(f"0.99999 to the power of {c:,} is {none:.3f}; the rest has a break.")
    if abs(answer - none) < 0.0006:
        return not_yet("that is the share of chunks without a break; those are not stored.")
    if abs(answer - p * c) < 0.006:
        return not_yet("that is the mean number of breaks in a chunk; some chunks have two, and more have none.")
    return not_yet("a chunk is not stored if each of its cells is in order; how likely is that?")


def exercise_2(answer: Any) -> Verdict:
    """What np.isclose allows at 250,000, found by asking it."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of dollars, found {answer!r}.")
    value, low, high = 250_000.0, 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.isclose(value + middle, value) else (low, middle)
    if abs(answer - low) < 0.001:
        return right(f"{low:.2f} dollars pass, and {low + 0.01:.2f} do not.")
    if abs(answer - 1e-8) < 1e-9 or answer == 0:
        return not_yet("1e-8 is what it allows near zero; a part of the value is added to it.")
    if abs(answer - 1e-5) < 1e-6:
        return not_yet("that is the share of the value; how much is it in dollars?")
    return not_yet("what is a hundred-thousandth of the value?")


def _differ(one: np.ndarray, other: np.ndarray, cents: int) -> np.ndarray:
    whole = [[None if np.isnan(v) else round(100 * v) for v in values.tolist()] for values in (one, other)]
    return np.array(
        [(a is None) != (b is None) or (a is not None and abs(a - b) > cents) for a, b in zip(*whole, strict=True)],
        bool,
    )


OPEN = float("nan")
PAIRS = [
    ([1.00, 1.01, 50.0], [1.01, 1.03, 50.0], 1),
    ([10.0, OPEN, OPEN, 3.0], [10.01, OPEN, 2.0, OPEN], 1),
    ([250_000.0, -1.10, 4.35], [250_001.0, -1.15, 4.40], 5),
    ([19.99, -7.0, 0.0], [19.994, 7.0, -0.0], 0),
    ([], [], 1),
    ([0.07 * k for k in range(40)], [0.07 * k + 0.02 for k in range(40)], 2),
]
CASES = [((np.array(a), np.array(b), cents), _differ(np.array(a), np.array(b), cents)) for a, b, cents in PAIRS]


def exercise_3(answer: Any) -> Verdict:
    """Where amounts are more than some cents apart, NaN on both sides allowed."""
    with np.errstate(all="ignore"):
        wrong = on_cases(answer, CASES)
        if wrong is None:
            return right(f"{len(CASES)} pairs of books, with cells exactly at the limit, open ones, and an empty one.")
        return not_yet(recognised(answer, MISTAKES) or wrong)


def _in_floats(one: np.ndarray, other: np.ndarray, cents: int) -> np.ndarray:
    return ~((np.abs(one - other) <= cents / 100) | (np.isnan(one) & np.isnan(other)))


def _open_is_broken(one: np.ndarray, other: np.ndarray, cents: int) -> np.ndarray:
    return ~(np.abs(np.rint(100 * one) - np.rint(100 * other)) <= cents)


def _open_passes(one: np.ndarray, other: np.ndarray, cents: int) -> np.ndarray:
    return np.asarray(np.abs(np.rint(100 * one) - np.rint(100 * other)) > cents)


def _close(one: np.ndarray, other: np.ndarray, cents: int) -> np.ndarray:
    return ~np.isclose(one, other, atol=cents / 100, equal_nan=True)


def _as_cases(mistake: Any, *which: int) -> list[Any]:
    return [(CASES[k][0], mistake(*CASES[k][0])) for k in which]


MISTAKES = {
    "a cent is no float: 1.01 - 1.00 is more than 0.01. Turn both into whole cents first.": _as_cases(_in_floats, 0, 1),
    "cells that are open on both sides agree; NaN compares as different.": _as_cases(_open_is_broken, 0, 1),
    "a cell that is open on one side is a break, and a comparison with NaN is False.": _as_cases(_open_passes, 0, 1),
    "np.isclose adds a share of the value to your cents; give it rtol=0, or do without it.": _as_cases(_close, 2),
}

# One plausible wrong answer each.
WRONG = {"1": 0.65536, "2": 1e-8, "3": _in_floats}
