"""The exercises of 04_01: the row number of the whole, ties that do not depend on arrival, a merge to repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _whole(value: Any) -> int | None:
    """A whole number, also as a float or one of NumPy's; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    return int(value) if np.isfinite(value) and value == int(value) else None


def exercise_1(answer: Any) -> Verdict:
    """The row of the array that is row 300 of the 138th chunk of 512 rows."""
    per_chunk, chunk, local = 512, 137, 300
    found = _whole(answer)
    if found is None:
        return not_yet(f"expected a whole number, found {answer!r}.")
    expected = range(chunk * per_chunk, (chunk + 1) * per_chunk)[local]
    if found == chunk * local:
        return not_yet("a chunk number times a row number is neither. How many rows come before the chunk?")
    if abs(found - expected) == per_chunk:
        return not_yet("you are off by a whole chunk. Chunks are counted from 0.")
    if found != expected:
        return not_yet(f"{found:,} is in chunk {found // per_chunk}, at its row {found % per_chunk}.")
    return right(f"{chunk} chunks of {per_chunk} rows come before, and {local} rows of its own: {expected:,}.")


def exercise_2(answer: Any) -> Verdict:
    """The best four of five rows, among equals the lower row number first."""
    scores = {40: 0.5, 7: 0.9, 3: 0.9, 11: 0.5, 25: 0.9}
    given = answer.tolist() if isinstance(answer, np.ndarray) else answer
    found: list[Any] = [_whole(row) for row in given] if isinstance(given, (list, tuple)) else []
    if len(found) != 4 or not set(found) <= set(scores):
        return not_yet(f"expected four of the rows {', '.join(map(str, scores))}, found {answer!r}.")
    if len(set(found)) != 4:
        return not_yet("a row is there twice.")
    if [scores[row] for row in found] != sorted(scores.values(), reverse=True)[:4]:
        return not_yet("the scores are not in order yet: the highest first.")
    expected = sorted(scores, key=lambda row: (-scores[row], row))[:4]
    if sorted(found) != sorted(expected):
        return not_yet("of the two with 0.5, which one stays if neither came first?")
    if found != expected:
        return not_yet("the right four. Now the three with 0.9: what decides between them, if not their arrival?")
    return right("the score decides, and among equals the row number; arrival never does.")


Pairs = list[tuple[float, int]]


def _merged(one: Pairs, two: Pairs, k: int) -> Pairs:
    """The k best of both, found one by one: the highest score, and among equals the lowest row."""
    left, found = [*one, *two], list[tuple[float, int]]()
    while left and len(found) < k:
        top = max(score for score, _ in left)
        found.append((top, min(row for score, row in left if score == top)))
        left.remove(found[-1])
    return found


def exercise_3(answer: Any) -> Verdict:
    """A function that merges two sorted lists of (score, row) into the k best of both."""
    cases: list[tuple[Pairs, Pairs, int]] = [
        *(([(0.9, 3)], [(0.7, 8)], 2), ([(0.5, 9)], [(0.5, 1)], 1)),
        *(([], [(0.5, 1)], 3), ([(0.5, 1)], [], 1), ([], [], 2)),
    ]
    for number, drawn in enumerate(np.random.PCG64(401).random_raw((40, 12)).tolist()):
        pool = [(value % 4 / 4, row) for row, value in enumerate(drawn)]
        one = [pair for pair in pool if pair[1] % 3 != number % 3]
        two = [pair for pair in pool if pair[1] % 3 == number % 3]
        cases.append((_merged(one, [], 12), _merged(two, [], 12), number % 9 + 1))
    fault = on_cases(answer, [((one, two, k), _merged(one, two, k)) for one, two, k in cases])
    if fault is None:
        return right("whichever list comes first, and wherever the rows were cut, the same rows in the same order.")
    if not callable(answer):
        return not_yet(fault)
    mistakes: dict[str, Callable[[Pairs, Pairs, int], Pairs]] = {
        "among equal scores yours takes the higher row number.": lambda a, b, k: sorted(a + b, reverse=True)[:k],
        "among equal scores yours takes the one that came first.": lambda a, b, k: sorted(a + b, key=lambda p: -p[0])[
            :k
        ],
        "yours gives the worst first.": lambda a, b, k: sorted(a + b)[:k],
        "the order is right; now only the k best of them.": lambda a, b, k: _merged(a, b, len(a + b)),
        "the scores decide first, and the row number only among equals.": lambda a, b, k: sorted(
            a + b, key=lambda p: p[1]
        )[:k],
    }
    made = recognised(
        answer,
        {
            words: [((one, two, k), mistake(one, two, k)) for one, two, k in cases]
            for words, mistake in mistakes.items()
        },
    )
    return not_yet(f"{made} {fault[0].upper()}{fault[1:]}" if made else fault)


# One plausible wrong answer each.
WRONG = {"1": 137 * 300, "2": [7, 3, 25, 40], "3": lambda one, two, k: sorted(one + two, reverse=True)[:k]}
