"""The exercises of 08_01: endless pyramids, thick slices, the requests of a slice, and a pyramid of labels."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from data_gen import brain
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _numbers(answer: Any, count: int) -> list[float] | None:
    """The answer as that many numbers, or None where it is something else."""
    if not isinstance(answer, (tuple, list, np.ndarray)) or np.shape(answer) != (count,):
        return None
    real = [isinstance(n, (int, float, np.integer, np.floating)) and not isinstance(n, bool) for n in answer]
    return [float(n) for n in answer] if all(real) and all(math.isfinite(n) for n in answer) else None


def exercise_1(answer: Any) -> Verdict:
    """All levels of an endless pyramid, measured in the first: for a picture, and for a volume."""
    given = _numbers(answer, 2)
    if given is None:
        return not_yet(f"expected two numbers, such as (2.0, 1.5), found {answer!r}.")
    expected = [math.fsum(2.0 ** (-axes * level) for level in range(60)) for axes in (2, 3)]
    for found, value, name in zip(given, expected, ("a picture", "a volume"), strict=True):
        if abs(found - value) < 0.005:
            continue
        if abs(found + 1 - value) < 0.005:
            return not_yet(f"{found:g} is what the copies of {name} need. Count the first level as well.")
        return not_yet(f"for {name} it is not {found:g}. How many voxels become one, and what is 1 + q + q^2 + ...?")
    return right("4/3 and 8/7: the copies of a picture cost a third more, those of a volume a seventh.")


def exercise_2(answer: Any) -> Verdict:
    """The translation of level 2, where z was left alone and y and x were halved twice."""
    given = _numbers(answer, 3)
    if given is None:
        return not_yet(f"expected three numbers of mm, for z, y and x, such as (1.0, 2.0, 3.0), found {answer!r}.")
    expected = [math.fsum(range(n)) / n * voxel for n, voxel in ((1, 4.0), (4, 1.0), (4, 1.0))]
    for found, value, name in zip(given, expected, "zyx", strict=True):
        if abs(found - value) < 0.005:
            continue
        if name == "z":
            return not_yet(f"on z nothing was averaged, so the first voxel is where it was, and not at {found:g}.")
        if abs(found - 0.5) < 0.005:
            return not_yet(f"{found:g} mm on {name} is level 1. At level 2 four voxels have become one.")
        return not_yet(f"on {name} the voxels at 0, 1, 2 and 3 mm became one. Where is its centre? Not at {found:g}.")
    return right("0, 1.5 and 1.5 mm, with voxels of 4 x 4 x 4 mm. From here on all three axes may be halved.")


def exercise_3(answer: Any) -> Verdict:
    """The requests for a slice from above at z = -32 mm of level 1, and those of them that find nothing."""
    given = _numbers(answer, 2)
    if given is None:
        return not_yet(f"expected two numbers of requests, such as (9, 3), found {answer!r}.")
    data = brain.make()
    volume, (bottom, _, _) = data.arrays["t1"], data.truth["origin"]
    rows, columns = (range(0, n // 2, 32) for n in volume.shape[1:])
    depth = math.floor((-32 - (bottom + 0.5)) / 2 + 0.5) // 32 * 32
    # A chunk of level 1 is empty where every voxel of level 0 below it is, or rounds to 0 with its neighbours.
    sums = volume[2 * depth : 2 * depth + 64, :232, :196].astype(np.uint16)
    for axis in range(3):
        sums = np.add.reduceat(sums, range(0, sums.shape[axis], 2), axis=axis)
    empty = sum(bool((sums[:, y : y + 32, x : x + 32] < 4).all()) for y, x in itertools.product(rows, columns))
    asked = len(rows) * len(columns)
    if given[0] != asked:
        return not_yet(f"116 x 98 voxels in chunks of 32: how many chunks on each axis? Not {given[0]:g} in all.")
    if given[1] == 0:
        return not_yet("the corners of the slice are outside of the brain, and at some of them nothing is stored.")
    if given[1] != empty:
        return not_yet(f"{given[1]:g} is not it. Look at whole chunks: z from {depth} to {depth + 31} of level 1.")
    return right(f"{asked} requests, and {empty} of them find nothing; a shard would have known.")


def _fours(labels: np.ndarray) -> list[list[list[int]]]:
    """The four values of each 2 x 2, by row and column."""
    rows, columns = labels.shape[0] // 2, labels.shape[1] // 2
    return [
        [labels[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].ravel().tolist() for j in range(columns)] for i in range(rows)
    ]


def _halved(labels: np.ndarray, one_of: Callable[[list[int]], int]) -> np.ndarray:
    shape = (labels.shape[0] // 2, labels.shape[1] // 2)
    return np.array([[one_of(four) for four in row] for row in _fours(labels)], int).reshape(shape)


def _most_frequent(four: list[int]) -> int:
    counts = Counter(four)
    return min(label for label in counts if counts[label] == max(counts.values()))


def exercise_4(answer: Any) -> Verdict:
    """A function that halves a picture of labels: the most frequent of each 2 x 2, the smallest among equals."""
    drawn = np.random.PCG64(801).random_raw((9, 8)).astype("int64") % 4
    pictures = [np.array(rows) for rows in ([[3, 5], [5, 5]], [[3, 5], [5, 3]], [[7, 2], [9, 4]], [[5, 0], [0, 5]])]
    pictures += [drawn, drawn[:7, :7], drawn[:1], np.zeros((0, 4), int), 1000 * drawn.T]
    fault = on_cases(answer, [((picture,), _halved(picture, _most_frequent)) for picture in pictures])
    if fault is None:
        return right("every label was there before, and no object 4 appears between 3 and 5.")
    if not callable(answer):
        return not_yet(fault)
    mistakes: dict[str, Callable[[list[int]], int]] = {
        "that is the mean, and makes labels that no voxel had.": lambda four: sum(four) // 4,
        "that is the mean, rounded, and makes labels that no voxel had.": lambda four: round(sum(four) / 4),
        "that is every second voxel; the other three of the four have a say as well.": lambda four: four[0],
        "that is the largest of the four, however often it stands there.": max,
        "that is the smallest of the four, however often it stands there.": min,
        "of equally frequent ones take the smallest, not the first.": lambda four: Counter(four).most_common(1)[0][0],
        "of equally frequent ones take the smallest, not the largest.": lambda four: (
            -_most_frequent([-n for n in four])
        ),
    }
    made = recognised(
        answer,
        {
            words: [((picture,), _halved(picture, mistake)) for picture in pictures]
            for words, mistake in mistakes.items()
        },
    )
    return not_yet(f"{made} {fault[0].upper()}{fault[1:]}" if made else fault)


def every_second(labels: np.ndarray) -> np.ndarray:
    """What is quick, and asks one of the four alone."""
    return labels[: labels.shape[0] // 2 * 2 : 2, : labels.shape[1] // 2 * 2 : 2]


# One plausible wrong answer each.
WRONG = {"1": (0.25, 0.125), "2": (1.5, 1.5, 1.5), "3": (16, 0), "4": every_second}
