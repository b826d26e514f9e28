"""The exercises of 02_02: half a step, vectors that were rounded before, and how many bits a tolerance needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _number(answer: Any) -> float | None:
    """The answer as a finite number; None for anything else."""
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return float(answer) if is_number and math.isfinite(answer) else None


def exercise_1(answer: Any) -> Verdict:
    """The worst error of numbers that are rounded to multiples of 0.01."""
    number = _number(answer)
    if number is None:
        return not_yet(f"expected a number, found {answer!r}.")
    values = np.linspace(0, 1, 100_001)
    worst = float(np.abs(np.rint(values / 0.01) * 0.01 - values).max())
    if abs(number - worst) < 1e-9:
        return right(f"of {values.size:,} numbers none is off by more than {worst:.4f}, and some are by just that.")
    if number == 0.01:
        return not_yet("that is the distance from one multiple to the next. Which of the two is nearer?")
    return not_yet(f"of {values.size:,} numbers between 0 and 1 the worst is off by something else. Try a few.")


def exercise_2(answer: Any) -> Verdict:
    """Why vectors that were float16 once compress better as float32."""
    values = np.random.PCG64(0).random_raw(1000).astype(np.float64) / 2.0**64
    widened = values.astype(np.float16).astype("<f4")
    zeros = bool((widened.view("<u4") & 0x1FFF == 0).all())
    if answer == "b" and zeros:
        return right(f"the last 13 bits of all {values.size:,} numbers are zero. They were rounded before they came.")
    if answer == "a":
        return not_yet("widened, they take four bytes each like all the others. What stands in those bytes?")
    if answer == "c":
        return not_yet(f"of {values.size:,} random numbers {np.unique(widened).size:,} still differ.")
    return not_yet('expected one of the letters "a", "b" and "c". Look at the bytes of 0.1 in both types.')


def _rounded(values: np.ndarray, keep: int) -> np.ndarray:
    """The values with `keep` bits of the mantissa, by frexp and rint."""
    mantissa, exponent = np.frexp(values.astype(np.float64))
    return np.ldexp(np.rint(mantissa * 2.0 ** (keep + 1)) / 2.0 ** (keep + 1), exponent)


def _fewest(
    values: np.ndarray, tolerance: float, error: Callable[[np.ndarray], Any] = lambda off: np.abs(off).max()
) -> int:
    """The fewest bits with which an error is within the tolerance; `error` makes one number of all."""
    enough = (keep for keep in range(1, 23) if error(_rounded(values, keep) - values) <= tolerance)
    return next(enough, 23)


def _promised(values: np.ndarray, tolerance: float) -> int:
    """The fewest bits whose promise for the largest value is within the tolerance."""
    return next((keep for keep in range(1, 23) if np.abs(values).max() / 2.0 ** (keep + 1) <= tolerance), 23)


_DRAWN = (np.random.PCG64(2).random_raw(500) / 2.0**64).astype(np.float32)
CASES: list[tuple[np.ndarray, float]] = [
    (250 + 60 * _DRAWN, 0.1),
    (250 + 60 * _DRAWN, 0.05),
    (-40 * _DRAWN, 0.01),
    (np.array([0.5, 1.0, 2.0, 256.0], np.float32), 0.001),
    (np.array([257.0], np.float32), 1.0),
    (np.array([1.0, -1000.3], np.float32), 0.25),
    (np.array([[1.5, 0.0], [300.1, 0.1]], np.float32), 0.0625),
    (np.array([0.1], np.float32), 0.0),
    (1e-3 * _DRAWN, 1e-6),
]
MISTAKES: list[tuple[Callable[[np.ndarray, float], int], str]] = [
    (_promised, "that is what the promise needs for the largest value. Yours may be off by less: try them."),
    (
        lambda values, tolerance: _fewest(values, tolerance, lambda off: np.abs(off).mean()),
        "then the mean error is within the tolerance. No single value may be off by more.",
    ),
    (
        lambda values, tolerance: _fewest(values, tolerance, lambda off: off.max()),
        "a value that is rounded down is off as well. Take the absolute difference.",
    ),
    (
        lambda values, tolerance: min(23, _fewest(values, tolerance) + 1),
        "one bit fewer is enough: an error that equals the tolerance is not larger than it.",
    ),
]


def exercise_3(answer: Any) -> Verdict:
    """A function that finds how many bits a tolerance needs."""
    if made := recognised(answer, {words: [(case, mistake(*case)) for case in CASES] for mistake, words in MISTAKES}):
        return not_yet(made)
    if wrong := on_cases(answer, [(case, _fewest(*case)) for case in CASES]):
        return not_yet(wrong)
    return right(f"{len(CASES)} arrays: one bit fewer would break the tolerance, one more would be wasted.")


# One plausible wrong answer each.
WRONG = {"1": 0.01, "2": "a", "3": MISTAKES[0][0]}
