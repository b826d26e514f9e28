"""The exercises of 06_04: a power law between two points, twice the size, and a window of running totals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """The impact between two points of a power law."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number, found {answer!r}.")
    exponent = math.log(0.050 / 0.040) / math.log(0.40 / 0.25)
    power = 0.040 * (0.30 / 0.25) ** exponent
    straight = 0.040 + 0.010 * (0.30 - 0.25) / (0.40 - 0.25)
    if abs(answer - power) < 0.00006:
        return right(f"the exponent between the two is {exponent:.3f}, and the impact {power:.5f}.")
    if abs(answer - straight) < 0.00006:
        return not_yet("that lies on a straight line between the points; take logarithms on both axes.")
    return not_yet("what exponent leads from (0.25, 0.040) to (0.40, 0.050)?")


def exercise_2(answer: Any) -> Verdict:
    """The factor by which the total cost grows."""
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number, found {answer!r}.")
    if abs(answer - 2 * math.sqrt(2)) < 0.01:
        return right("two to the power of one and a half.")
    if abs(answer - math.sqrt(2)) < 0.01:
        return not_yet("that is the impact, what each coin costs more. How many coins are there?")
    return not_yet("the impact grows as the root of the size; the cost is impact times size.")


def _from_moves(before: Any, after: Any) -> tuple[np.ndarray, np.ndarray]:
    means, errors = [], []
    for count, total, square in (np.asarray(after) - np.asarray(before)).tolist():
        mean = total / count if count else math.nan
        means.append(mean)
        errors.append(math.sqrt((square - count * mean**2) / (count - 1) / count) if count > 1 else math.nan)
    return np.array(means), np.array(errors)


def _faulty(difference: bool = True, less: int = 1, root: bool = True) -> Any:
    """A query with its usual faults: no difference, the wrong count below the spread, no root of the count."""

    def query(before: Any, after: Any) -> tuple[np.ndarray, np.ndarray]:
        sums = np.asarray(after) - np.asarray(before) if difference else np.asarray(after)
        count, total, square = sums.astype(float).T
        with np.errstate(all="ignore"):
            mean = total / count
            spread = np.sqrt((square - count * mean**2) / (count - less))
            return mean, spread / np.sqrt(count) if root else spread

    return query


def _rows(*cells: list[float]) -> np.ndarray:
    return np.array([[len(moves), sum(moves), sum(m * m for m in moves)] for moves in cells], dtype="int64")


NOTHING = _rows([], [], [])
CASES = [
    (NOTHING, _rows([1, 3], [5, 5, 8], [-4, 2, 2, 0])),
    (_rows([7, 7], [100], [1, 2, 3]), _rows([7, 7, -1, 5, 2], [100, 90, 110], [1, 2, 3, -8, 8])),
    (_rows([1], [2], [3]), _rows([1], [2, 9], [3, 4, 6])),
    (NOTHING, _rows([0, 0, 0], [-3, 3], [])),
]


def _same(found: Any, wanted: Any) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True) for one, other in pairs)


def exercise_3(answer: Any) -> Verdict:
    """The mean and its error, held to a sum over each window's orders."""
    wrong = on_cases(answer, [(case, _from_moves(*case)) for case in CASES], _same)
    if wrong is None:
        return right(f"{len(CASES)} windows, with no order, with one, and with moves the wrong way.")
    faults = {
        "it takes the running totals themselves; first the difference of the two rows.": _faulty(difference=False),
        "the spread divides by the count; of a sample it is the count less one.": _faulty(less=0),
        "that is the spread of the orders; the error of a mean is less by the root of the count.": _faulty(root=False),
    }
    mistakes = {words: [(case, fault(*case)) for case in CASES[:2]] for words, fault in faults.items()}
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 0.040 + 0.010 / 3, "2": math.sqrt(2), "3": _faulty(root=False)}
