"""The exercises of 04_05: what a pyramid of a picture costs, the chunks of a window, and a bound from means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The values of four levels of a picture, against the first."""
    wanted, volume = (sum(float(base) ** -k for k in range(4)) for base in (4, 8))
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number such as 1.5, found {answer!r}.")
    if abs(answer - wanted) < 0.0006:
        return right("1 + 1/4 + 1/16 + 1/64; three more levels would add next to nothing.")
    if abs(answer - 4 / 3) < 0.0006:
        return not_yet("4/3 is where the sum ends with levels without an end; here there are four.")
    if abs(answer - volume) < 0.0006:
        return not_yet("an eighth each is right for a volume; a picture has two axes.")
    if abs(answer - (wanted - 1)) < 0.0006:
        return not_yet("that is what the copies add; count the picture itself as well.")
    return not_yet("each level has a quarter of the values of the one before.")


def exercise_2(answer: Any) -> Verdict:
    """The chunks that a window touches, counted pixel by pixel, in the picture and at level 2."""
    rows, columns = range(96, 96 + 64), range(40, 40 + 64)
    wanted = tuple(len({(y // per, x // per) for y in rows for x in columns}) for per in (32, 16 * 4))
    try:
        given = tuple(int(number) for number in answer)
    except (TypeError, ValueError):
        return not_yet(f"expected two numbers such as (9, 1), found {answer!r}.")
    if given == wanted:
        return right("a window is as long as the chunks of level 2 and still touches four of them.")
    if given == (math.ceil(64 / 32) ** 2, math.ceil(16 / 16) ** 2):
        return not_yet("that is a window that begins where a chunk begins; x = 40 does not.")
    if given == wanted[::-1]:
        return not_yet("the other way round: first pixels, then level 2.")
    if len(given) == 2 and given[0] == wanted[0]:
        return not_yet("the pixels are right. A chunk of level 2 covers 16 x 4 = 64 pixels on each axis.")
    return not_yet(
        "divide the first and the last pixel of an axis by what a chunk covers; count from one to the other."
    )


def _bound(window: np.ndarray, cut: np.ndarray, size: int) -> float:
    """Cell by cell, in plain loops."""
    total = 0.0
    for y in range(0, window.shape[0] - size + 1, size):
        for x in range(0, window.shape[1] - size + 1, size):
            one, other = (sum(map(int, p[y : y + size, x : x + size].ravel())) / size**2 for p in (window, cut))
            total += size**2 * (one - other) ** 2
    return total


def _without_pixels(window: np.ndarray, cut: np.ndarray, size: int) -> float:
    return _bound(window, cut, size) / size**2


def _padded(window: np.ndarray, cut: np.ndarray, size: int) -> float:
    more = [(0, -n % size) for n in window.shape]
    return _bound(np.pad(window, more), np.pad(cut, more), size)


def _pictures() -> list[tuple[np.ndarray, np.ndarray, int]]:
    bits = np.random.PCG64(45).random_raw((2, 9, 11)) % 256
    one, other = bits.astype(np.uint8)
    return [(one[:8, :8], other[:8, :8], 4), (one[:6, :6], other[:6, :6], 1), (one, other, 4), (one[:3], other[:3], 4)]


def exercise_3(answer: Any) -> Verdict:
    """A bound from the means of whole cells, on windows that do and do not end with one."""
    cases: list[Case] = [(case, _bound(*case)) for case in _pictures()]
    wrong = on_cases(answer, cases)
    if wrong is None:
        return right(f"{len(cases)} pairs of windows; from cells of one pixel it is the distance itself.")
    mistakes = {
        "each mean stands for size x size pixels, so the bound is that many times larger.": _without_pixels,
        "a cell that hangs over the edge is no whole cell; with zeros filled in its mean is made up.": _padded,
    }
    made = {words: [(case, function(*case)) for case in _pictures()] for words, function in mistakes.items()}
    told = recognised(answer, made)
    return not_yet(told or wrong)


# One plausible wrong answer each.
WRONG = {"1": 4 / 3, "2": (4, 1), "3": _without_pixels}
