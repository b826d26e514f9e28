"""The exercises of 02_02: half a step, how many bits keep a tenth of a kelvin, and vectors that were rounded before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


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
    """The fewest bits of the mantissa that keep every number up to 320 within 0.1."""
    number = _number(answer)
    if number is None or number != int(number) or not 1 <= number <= 23:
        return not_yet(f"expected a whole number of bits from 1 to 23, found {answer!r}.")

    def worst(keep: int) -> float:
        values = np.arange(200, 320, 1 / 512, dtype=np.float64)
        step = 2.0 ** (np.floor(np.log2(values)) - keep)
        return float(np.abs(np.rint(values / step) * step - values).max())

    keep = int(number)
    if worst(keep) > 0.1:
        return not_yet(f"with {keep} bits a temperature is off by up to {worst(keep):.4f} K.")
    if worst(keep - 1) <= 0.1:
        return not_yet(f"that is enough, but {keep - 1} bits are as well: {worst(keep - 1):.4f} K.")
    return right(f"{keep} bits: {worst(keep):.4f} K; with one fewer it would be {worst(keep - 1):.4f} K.")


def exercise_3(answer: Any) -> Verdict:
    """Why vectors that were float16 once compress better as float32."""
    values = np.random.PCG64(0).random_raw(1000).astype(np.float64) / 2.0**64
    widened = values.astype(np.float16).astype("<f4")
    zeros = bool((widened.view("<u4") & 0x1FFF == 0).all())
    if answer == "b" and zeros:
        return right(f"the last 13 bits of all {values.size:,} numbers are zero. They were rounded before they came.")
    if answer == "a":
        return not_yet("widened, they take four bytes each like all the others. What stands in those bytes?")
    if answer == "c":
        return not_yet(f"of {values.size:,} numbers by chance {np.unique(widened).size:,} still differ.")
    return not_yet('expected one of the letters "a", "b" and "c". Look at the bytes of 0.1 in both types.')


# One plausible wrong answer each.
WRONG = {"1": 0.01, "2": 10, "3": "a"}
