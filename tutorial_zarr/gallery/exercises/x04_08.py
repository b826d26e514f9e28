"""The exercises of 04_08: the best accuracy, seeds that are one, and a stream that any portion can be taken from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right

SEEDS = {"a": [5], "b": [5, 0], "c": [0, 5], "d": 5}


def exercise_1(answer: Any) -> Verdict:
    """The best accuracy between two clouds that lie three standard deviations apart."""
    best, straight = ((1 + math.erf(far / math.sqrt(2))) / 2 for far in (1.5, 3))
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number between 0 and 1, found {answer!r}.")
    if abs(answer - best) < 0.0006:
        return right(f"Phi(1.5) = {best:.4f}.")
    if abs(answer - straight) < 0.0006:
        return not_yet("that is Phi(3). The cut lies halfway between the centres.")
    if abs(answer - (1 - best)) < 0.0006:
        return not_yet("that is the share of wrong answers.")
    return not_yet("a point is on the wrong side if it strays by half of the distance. How likely is that?")


def exercise_2(answer: Any) -> Verdict:
    """The seeds that give one stream, found by drawing from each."""
    if not isinstance(answer, str) or not answer or set(answer) - set(SEEDS):
        return not_yet(f"expected letters of {', '.join(SEEDS)}, such as 'ac', found {answer!r}.")
    first = {name: np.random.default_rng(seed).random() for name, seed in SEEDS.items()}  # type: ignore[arg-type]
    same = {name for name, value in first.items() if list(first.values()).count(value) > 1}
    if set(answer) == same:
        return right(f"{', '.join(sorted(same))} begin with {first['a']:.6f}, and c with {first['c']:.6f}.")
    if set(answer) - same:
        return not_yet("zeros are added at the end, so a zero in front counts.")
    return not_yet(f"{', '.join(sorted(answer))} are the same, and there is another one.")


def _by_counting(key: int, start: int, stop: int) -> np.ndarray:
    return np.random.Philox(key=key).random_raw(stop)[start:]


CASES = [(1, 0, 8), (1, 4, 9), (7, 5, 6), (7, 3, 3), (2, 13, 40), (3, 1_000_003, 1_000_010)]


def exercise_3(answer: Any) -> Verdict:
    """Numbers start to stop of a stream, held to drawing from the beginning."""
    wrong = on_cases(answer, [(case, _by_counting(*case)) for case in CASES])
    if wrong is None and _draws_from_the_beginning(answer):
        return not_yet("the numbers are right, and it drew all that come before them; use advance.")
    if wrong is None:
        return right(f"{len(CASES)} portions, one that begins after a million numbers and an empty one among them.")
    advanced = np.random.Philox(key=7)
    advanced.advance(5)
    try:
        if int(answer(7, 5, 6)[0]) == int(advanced.random_raw()):
            return not_yet("advance counts blocks of four numbers, so advance(start) goes four times too far.")
    except Exception:  # a student's function may raise anything; the sentence below says what
        pass
    return not_yet(wrong)


def _draws_from_the_beginning(answer: Any) -> bool:
    """Whether it draws a million numbers to get at a few: its memory shows."""
    import tracemalloc

    tracemalloc.start()
    try:
        answer(1, 1_000_000, 1_000_004)
        return tracemalloc.get_traced_memory()[1] > 1_000_000
    finally:
        tracemalloc.stop()


def _too_far(key: int, start: int, stop: int) -> np.ndarray:
    bits = np.random.Philox(key=key)
    bits.advance(start)
    return bits.random_raw(stop - start)


# One plausible wrong answer each.
WRONG = {"1": 0.99865, "2": "ad", "3": _too_far}
