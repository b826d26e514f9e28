"""The exercises of 09_03: chunks of a trajectory, the height of a stretched arm, and the mean of angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, right

LENGTHS, CHUNK = (5000, 3000, 9000), 4096
UPPER_ARM, ELBOW, FOREARM = 0.4318, 0.0203, 0.4318  # metres


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The chunks between the first and the last sample."""
    first, stop = sum(LENGTHS[:2]), sum(LENGTHS)
    chunks = len({sample // CHUNK for sample in range(first, stop)})
    if not _number(answer):
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    if answer == chunks:
        return right(f"{chunks}: it begins within one chunk and ends within another.")
    if answer == -(-LENGTHS[2] // CHUNK):
        return not_yet("that would do if the trajectory began at the border of a chunk.")
    return not_yet("divide the first and the last sample by the length of a chunk.")


def exercise_2(answer: Any) -> Verdict:
    """An upper arm that points up, and a forearm that lies level."""
    height = UPPER_ARM + ELBOW
    if not _number(answer):
        return not_yet(f"expected a height in metres, found {answer!r}.")
    if abs(answer - height) < 1e-6:
        return right(f"{height:.4f} m: the upper arm points up, the forearm lies level, {ELBOW} m above its end.")
    if abs(answer - UPPER_ARM - FOREARM) < 1e-6:
        return not_yet("that is the ready pose; joint 3 is at 0 degrees now.")
    if abs(answer - UPPER_ARM) < 1e-6:
        return not_yet("the elbow has a step of its own; let `robot.pose` count.")
    return not_yet("`robot.pose` takes degrees, and its third row has the height in the last column.")


def _mean(degrees: Any) -> float | None:
    x = math.fsum(math.cos(math.radians(a)) for a in degrees)
    y = math.fsum(math.sin(math.radians(a)) for a in degrees)
    if abs(x) < 1e-9 and abs(y) < 1e-9:
        return None
    found = math.degrees(math.atan2(y, x))
    return 180.0 if found <= -180.0 else found


def _plain(degrees: Any) -> float:
    return float(np.mean(degrees))


def _swapped(degrees: Any) -> float:
    angles = np.deg2rad(degrees)
    return float(np.rad2deg(np.arctan2(np.cos(angles).sum(), np.sin(angles).sum())))


def _radians(degrees: Any) -> float | None:
    found = _mean(degrees)
    return found if found is None else math.radians(found)


def _same(found: Any, wanted: Any) -> bool:
    if wanted is None or found is None:
        return found is wanted
    if not _number(found) or not -180 - 1e-6 < found <= 180 + 1e-6:
        return False
    return abs((found - wanted + 180) % 360 - 180) < 1e-6


def _near(found: Any, wanted: Any) -> bool:
    return _number(found) and abs(found - wanted) < 1e-6


GIVEN = (
    [10.0, 20.0],
    [179.0, -179.0],
    [170.0, -170.0, -150.0],
    [0.0, 180.0],
    [0.0, 90.0, 90.0],
    [-90.0],
    [0, 120, 240],
)


def _cases(function: Any) -> list[Case]:
    return [((list(angles),), function(angles)) for angles in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """The direction of a sum of arrows."""
    wrong = on_cases(answer, _cases(_mean), same=_same)
    if wrong is None:
        return right(f"{len(GIVEN)} lists, two of them without a mean.")
    there = [case for case in _cases(_mean) if case[1] is not None]
    if on_cases(answer, there, same=_same) is None:
        return not_yet(
            "where the arrows cancel, there is no mean: return None. Their sums may be off zero by rounding."
        )
    mistakes = {
        "this is the plain mean; 179 and -179 degrees are two degrees apart.": _plain,
        "`arctan2` takes the sine first.": _swapped,
        "the answer is wanted in degrees.": _radians,
    }
    for words, mistake in mistakes.items():
        cases = [(given, mistake(*given)) for given, _ in there]
        if on_cases(answer, cases, same=_near) is None:
            return not_yet(words)
    return not_yet(wrong)


# One plausible wrong answer each.
WRONG = {"1": 3, "2": 0.8636, "3": _plain}
