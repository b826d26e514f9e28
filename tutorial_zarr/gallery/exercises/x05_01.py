"""The exercises of 05_01: merge two bars, the VWAP of a half hour, a start value that changes nothing."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from data_gen import ticks
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


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


def exercise_2(answer: Any) -> Verdict:
    """The VWAP of the first share of the tiny day from 10:00 to 10:30, and the chunks of 1,000 s that it takes."""
    found = _numbers(answer, 2)
    if found is None:
        return not_yet(f"expected a pair (VWAP, chunks), found {answer!r}.")
    day = ticks.make("tiny").arrays
    window = range(30 * 60, 60 * 60)
    cents = [round(100 * price) for price in day["price"][window.start : window.stop, 0].tolist()]
    sizes = day["size"][window.start : window.stop, 0].tolist()
    paid = sum(price * size for price, size in zip(cents, sizes, strict=True))
    vwap, chunks = paid / sum(sizes) / 100, {second // 1000 for second in window}
    if abs(found[0] - sum(cents) / len(cents) / 100) < 1e-9:
        return not_yet("that is the mean of the prices. Weigh each with its size.")
    if abs(found[0] - vwap) > 1e-6:
        return not_yet("the VWAP is another. 10:00 is second 1,800; the price and the size of share 0 are needed.")
    if found[1] != len(chunks):
        return not_yet("the VWAP is right. Now the chunks: divide the first second and the last by 1,000.")
    return right(f"{vwap:.4f} dollars, from the chunks {sorted(chunks)}.")


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
WRONG = {"1": (100, 104, 97, 98, 100.5), "2": (39.9, 2), "3": (0, 0, 0, 0)}
