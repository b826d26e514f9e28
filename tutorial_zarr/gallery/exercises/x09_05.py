"""The exercises of 09_05: peaks that do not coincide, numbers that merge, and means that need their counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

PEAKS, TOGETHER = (60.0, 90.0), 120.0
MERGE = {"count", "sum", "lowest", "highest"}
NOT = {
    "range": "days of 1 and 2, and of 8 and 9, have a range of 1 each; so have two days of 1 and 2. Together 8, and 1.",
    "median": "of 2, 2, 2, 5, 5, 5 it is 3.5. Make the first day 2, 2, 9: its median stays 2, and that of both is 5.",
    "95th percentile": "two days with the same percentile can differ in what lies just below it.",
}
Row = tuple[int, float, float]


def exercise_1(answer: Any) -> Verdict:
    """The sum of the peaks over the peak of the sum."""
    if not isinstance(answer, (int, float, np.integer, np.floating)) or isinstance(answer, bool):
        return not_yet(f"expected a number, found {answer!r}.")
    factor = sum(PEAKS) / TOGETHER
    if abs(answer - factor) < 1e-9:
        return right(f"{factor:.2f}: a quarter more than is needed at any moment.")
    if abs(answer - 1 / factor) < 1e-9:
        return not_yet("that is its inverse, the coincidence factor. Diversity is never below one.")
    if abs(answer - sum(PEAKS)) < 1e-9:
        return not_yet("that is the sum of the peaks; divide it by the peak of both together.")
    return not_yet("add up the two peaks, and divide by the peak of both together.")


def exercise_2(answer: Any) -> Verdict:
    """Which numbers of two days give the number of both."""
    known = MERGE | NOT.keys()
    if not isinstance(answer, (set, frozenset, list, tuple)) or not all(isinstance(name, str) for name in answer):
        return not_yet(f"expected a set of names, found {answer!r}.")
    found = set(answer)
    if found - known:
        return not_yet(f"no such name: {sorted(found - known)[0]!r}; the names are {', '.join(sorted(known))}.")
    if found == MERGE:
        return right("the range follows if you keep lowest and highest, and not if you keep their difference.")
    for name, reason in NOT.items():
        if name in found:
            return not_yet(f"{name}: {reason}")
    return not_yet(f"something that follows is missing; {len(found)} of {len(MERGE)} found.")


def _merged(one: Row, other: Row) -> Row:
    there = [row for row in (one, other) if row[0]]
    count = sum(n for n, _, _ in there)
    if not count:
        return (0, 0.0, 0.0)
    return (count, sum(n * mean for n, mean, _ in there) / count, max(highest for _, _, highest in there))


def _mean_of_means(one: Row, other: Row) -> Row:
    count, _, highest = _merged(one, other)
    return (count, (one[1] + other[1]) / 2, highest)


def _zero_is_a_peak(one: Row, other: Row) -> Row:
    count, mean, _ = _merged(one, other)
    return (count, mean, max(one[2], other[2]))


def _undefended(one: Row, other: Row) -> Row:
    count = one[0] + other[0]
    return (count, (one[0] * one[1] + other[0] * other[1]) / count, max(one[2], other[2]))


GIVEN: list[tuple[Row, Row]] = [
    ((96, 50.0, 80.0), (96, 70.0, 90.0)),
    ((96, 50.0, 80.0), (48, 80.0, 70.0)),
    ((1, 4.0, 4.0), (3, 8.0, 9.0)),
    ((96, -20.0, -5.0), (96, -30.0, -8.0)),
    ((0, 0.0, 0.0), (96, 50.0, 80.0)),
    ((96, -20.0, -5.0), (0, 0.0, 0.0)),
    ((0, 0.0, 0.0), (0, 0.0, 0.0)),
]


def _cases(function: Any) -> list[Case]:
    return [((one, other), function(one, other)) for one, other in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """Two rows of count, mean and highest become one."""
    wrong = on_cases(answer, _cases(_merged))
    if wrong is None:
        return right(f"{len(GIVEN)} pairs, days without readings and loads below zero among them.")
    mistakes = {
        "the mean of the two means, as if both had as many readings; weigh them by their counts.": _mean_of_means,
        "a day without readings has no peak: its 0.0 hides the peaks that lie below zero.": _zero_is_a_peak,
    }
    said = recognised(answer, {words: _cases(function) for words, function in mistakes.items()})
    return not_yet(said or wrong)


# One plausible wrong answer each.
WRONG = {"1": 0.8, "2": {"count", "sum", "lowest", "highest", "range"}, "3": _undefended}
