"""The exercises of 08_01: what endless pyramids need, where a level of thick slices lies, what a slice asks for."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from data_gen import brain
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


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


# One plausible wrong answer each.
WRONG = {"1": (0.25, 0.125), "2": (1.5, 1.5, 1.5), "3": (16, 0)}
