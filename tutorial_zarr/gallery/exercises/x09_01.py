"""The exercises of 09_01: the share that a radio loses, the shortest wait, and how often a chunk is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

WORSE, BETTER = 0.001, 0.03
CHUNKS, LATE = 10, (30, 31, 32, 90, 240, 241)  # minutes after midnight in which a chunk gets something late


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The long run of a chain of two states."""
    share = WORSE / (WORSE + BETTER)
    if not _number(answer):
        return not_yet(f"expected a share, found {answer!r}.")
    if abs(answer - share) < 5e-5:
        return right(f"{share:.4f}; the runs last {1 / BETTER:.0f} minutes on average, and one begins every 1,000.")
    if abs(answer - WORSE / BETTER) < 5e-5:
        return not_yet("a radio that is bad already cannot turn bad: divide by the sum of both chances.")
    if abs(answer - WORSE) < 5e-5:
        return not_yet("that is how often a run begins; each run lasts several minutes.")
    if abs(answer - 100 * share) < 5e-3:
        return not_yet("a share, please, and not percent.")
    return not_yet("as many minutes turn bad as turn good: (1 - b) x 0.001 = b x 0.03.")


def exercise_2(answer: Any) -> Verdict:
    """The shortest wait that leaves few enough late minutes."""
    allowed = round(CHUNKS * 1.1) - CHUNKS
    shortest = next(wait for wait in range(max(LATE) + 2) if sum(m >= wait for m in LATE) <= allowed)
    if not _number(answer):
        return not_yet(f"expected minutes, found {answer!r}.")
    if answer == shortest:
        return right(
            f"{CHUNKS + allowed} writes of {CHUNKS} chunks: the minute {shortest} is left, and it is one write."
        )
    left = sum(m >= answer for m in LATE)
    if left > allowed:
        return not_yet(
            f"after {answer} minutes {left} late minutes are left: {CHUNKS + left} writes of {CHUNKS} chunks."
        )
    return not_yet("that is enough, and longer than it need be.")


def _written(arrival: np.ndarray, closes: int) -> int:
    return 1 + len({m for m in arrival.ravel().tolist() if m >= closes})


def _each(arrival: Any, closes: int) -> int:
    return 1 + int((np.asarray(arrival) >= closes).sum())


def _one_late(arrival: Any, closes: int) -> int:
    return _written(np.asarray(arrival), closes + 1)


def _without_the_first(arrival: Any, closes: int) -> int:
    return _written(np.asarray(arrival), closes) - 1


GIVEN: list[tuple[np.ndarray, int]] = [
    (np.array([0, 1, 2, 3]), 4),
    (np.array([0, 9, 9, 3]), 4),
    (np.array([0, 4, 2, -1]), 4),
    (np.array([[0, 12], [7, 12], [-1, 8]]), 6),
    (np.array([-1, -1, -1]), 3),
    (np.array([5, 6, 7, 5]), 5),
]


def _cases(function: Any) -> list[Case]:
    return [((arrival, closes), function(arrival, closes)) for arrival, closes in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """One write at closing time, and one for each late minute."""
    wrong = on_cases(answer, _cases(_written))
    if wrong is None:
        return right(
            f"{len(GIVEN)} chunks, one that nothing came for and one with two readings in a minute among them."
        )
    mistakes = {
        "readings that arrive in the same minute are one write.": _cases(_each),
        "what arrives in the minute of closing is late already.": _cases(_one_late),
        "the chunk is written at `closes` in any case; count that write as well.": _cases(_without_the_first),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 0.001 / 0.03, "2": 240, "3": _each}
