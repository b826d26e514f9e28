"""The exercises of 04_04: a calibration error by hand, runs in a shard, and a function that merges before it scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

DRAWERS = [(50, 0.60, 25), (30, 0.80, 27), (20, 0.95, 15)]  # rows, mean confidence, right answers


def exercise_1(answer: Any) -> Verdict:
    """The ECE of three drawers, in rows."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number between 0 and 1, found {answer!r}.")
    rows = sum(n for n, _, _ in DRAWERS)
    gaps = [n * sure - hits for n, sure, hits in DRAWERS]
    error = sum(map(abs, gaps)) / rows
    if abs(answer - error) < 0.0006:
        return right(f"gaps of {', '.join(f'{gap:+.0f}' for gap in gaps)} rows of {rows}: {error:.2f}.")
    if abs(answer - abs(sum(gaps)) / rows) < 0.0006:
        return not_yet("a drawer that is too sure and one that is too modest do not cancel: take sizes, then add.")
    if abs(answer - sum(abs(gap) / n for gap, (n, _, _) in zip(gaps, DRAWERS, strict=True)) / len(DRAWERS)) < 0.0006:
        return not_yet("that counts each drawer alike; a drawer weighs as much as it has rows.")
    return not_yet("in each drawer compare rows times confidence with the right answers; divide the sum by all rows.")


def exercise_2(answer: Any) -> Verdict:
    """The fewest runs in a shard, so that two arrays of 4,000 runs are at most 100 objects."""
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of runs, found {answer!r}.")
    runs, arrays, most = 4000, 2, 100
    least = next(n for n in range(1, runs + 1) if arrays * math.ceil(runs / n) <= most)
    if answer == least:
        return right(f"{arrays} arrays of {math.ceil(runs / least)} shards each.")
    if answer == runs // most:
        return not_yet("that would do for one array, and there are two.")
    objects = arrays * math.ceil(runs / answer) if answer > 0 else 0
    if answer <= 0 or objects > most:
        return not_yet(f"that makes {objects:,} objects." if objects else "a shard holds at least one run.")
    return not_yet(f"that makes {objects} objects, so fewer runs to a shard will do.")


def _merged(counts: np.ndarray) -> float:
    n = int(counts[..., 0].sum())
    gaps = counts[..., 1] - 1000 * counts[..., 2]
    return float(np.abs(gaps.reshape(-1, gaps.shape[-1]).sum(0)).sum() / (1000 * n)) if n else math.nan


def _counts(*shape: int, seed: int = 0) -> np.ndarray:
    """Counts with small slices, among them some drawers without rows."""
    bits = np.random.PCG64(seed).random_raw(int(np.prod(shape)) * 2).reshape(2, *shape)
    n = (bits[0] % 4).astype(np.int64)
    return np.stack([n, n * (np.arange(shape[-1]) * 100 + 50), np.minimum(n, (bits[1] % 4).astype(np.int64))], -1)


LATER = _counts(2, 3, 10, seed=3)
EMPTY_PAGE = np.concatenate([_counts(2, 10, seed=4), np.zeros((1, 10, 3), np.int64)])
CASES = [_counts(10), _counts(4, 10, seed=1), LATER, EMPTY_PAGE, np.zeros((3, 10, 3), np.int64)]


def exercise_3(answer: Any) -> Verdict:
    """The ECE of all counts merged, with any axes in front, empty slices and no rows at all."""
    with np.errstate(all="ignore"):
        wrong = on_cases(answer, [((case,), _merged(case)) for case in CASES])
        if wrong is None:
            return right(f"{len(CASES)} tables, one with an empty page and one without any rows among them.")
        return not_yet(recognised(answer, MISTAKES) or wrong)


def _average(counts: np.ndarray) -> float:
    slices = counts.reshape(-1, *counts.shape[-2:])
    n, confidence, hits = np.moveaxis(slices, -1, 0)
    with np.errstate(all="ignore"):
        return float((np.abs(confidence - 1000 * hits).sum(1) / (1000 * n.sum(1))).mean())


def _weighted(counts: np.ndarray) -> float:
    return float(np.abs(counts[..., 1] - 1000 * counts[..., 2]).sum() / (1000 * counts[..., 0].sum()))


def _signed(counts: np.ndarray) -> float:
    return abs(float((counts[..., 1] - 1000 * counts[..., 2]).sum())) / (1000 * float(counts[..., 0].sum()))


MISTAKES = {
    "it averages the scores of the slices; add the counts of all slices first.": [
        ((case,), _average(case)) for case in CASES[1:3]
    ],
    "it takes the sizes of the gaps before it merges the slices, so that chance adds up.": [
        ((case,), _weighted(case)) for case in CASES[1:3]
    ],
    "it lets drawers cancel each other; take the size of each drawer's gap, and then add.": [
        ((case,), _signed(case)) for case in CASES[1:3]
    ],
}

# One plausible wrong answer each.
WRONG = {"1": 0.06, "2": 40, "3": _average}
