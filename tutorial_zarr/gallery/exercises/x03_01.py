"""The exercises of 03_01: Little's law, the memory of a pipeline, and the high-water mark of a log."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right


def _is_number(answer: Any) -> bool:
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return is_number and bool(np.isfinite(answer))


def exercise_1(answer: Any) -> Verdict:
    """Chunks in memory at 1,200 a minute and 2.5 seconds each, by adding up a minute of them."""
    inside = sum(2.5 for _ in range(1200)) / 60  # seconds spent inside, in each second
    if not _is_number(answer):
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    if abs(answer - inside) < 1e-6:
        return right(f"{inside:g} chunks: 20 a second, 2.5 seconds each.")
    if abs(answer - 1200 * 2.5) < 1e-6:
        return not_yet("the rate is for a minute and the time in seconds.")
    return not_yet("the mean number inside is the rate of arrival times the mean time inside.")


def exercise_2(answer: Any) -> Verdict:
    """The longest queue whose pipeline stays within a gigabyte."""
    longest = max(length for length in range(1000) if (length + 8 + 1) * 16 * 10**6 <= 10**9)
    if not _is_number(answer) or answer != int(answer):
        return not_yet(f"expected a whole number of chunks, found {answer!r}.")
    if answer == longest:
        return right(f"{longest} wait, 8 are being written, 1 is with the producer.")
    if answer == longest + 1:
        return not_yet("the producer holds a chunk too, the one for which there is no place.")
    if answer == longest + 9:
        return not_yet("the writers hold a chunk each, and the producer one.")
    return not_yet(f"that would take {(answer + 9) * 16 / 1000:.3f} GB, writers and producer included.")


def _by_moments(log: list[tuple[float, float]]) -> int:
    """The most at once, by looking at each moment at which something is accepted."""
    return max((sum(a <= moment < d for a, d in log) for moment, _ in log), default=0)


CASES: list[list[tuple[float, float]]] = [
    [],
    [(0, 5)],
    [(0, 5), (5, 9)],
    [(3, 9), (0, 4), (4, 6), (1, 2)],
    [(0, 10)] * 7,
    [(2.0 * k, 2.0 * k + 5) for k in range(40)][::-1],
]


def exercise_3(answer: Any) -> Verdict:
    """The high-water mark of a log, held to looking at each moment."""
    wrong = on_cases(answer, [((log,), _by_moments(log)) for log in CASES])
    if wrong is None:
        return right(f"{len(CASES)} logs, an empty one and one out of order among them.")
    if "for ([(0, 5), (5, 9)]) it returns 2" in wrong:
        return not_yet("the first chunk is done at 5 and leaves before the second is accepted: never more than 1.")
    return not_yet(wrong)


def _accepted_first(log: list[tuple[float, float]]) -> int:
    events = sorted([(a, 0) for a, _ in log] + [(d, 1) for _, d in log])
    inside = most = 0
    for _, done in events:
        inside += -1 if done else 1
        most = max(most, inside)
    return most


# One plausible wrong answer each.
WRONG = {"1": 3000.0, "2": 54, "3": _accepted_first}
