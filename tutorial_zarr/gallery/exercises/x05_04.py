"""The exercises of 05_04: rows and chunks that a halo reads, and a rolling deviation over chunks of any length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _number(answer: Any) -> float | None:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return None
    return float(answer)


def exercise_1(answer: Any) -> Verdict:
    """Rows that are read for each row of a chunk of 390, for windows of 60."""
    found, rows = _number(answer), sum(1 for row in range(-59, 390))
    if found is None:
        return not_yet(f"expected a number such as 1.25, found {answer!r}.")
    if abs(found - rows / 390) < 0.0006:
        return right(f"{rows} rows for 390.")
    if abs(found - 450 / 390) < 0.0006:
        return not_yet("a window of 60 that ends in the chunk's first row holds 59 rows before it.")
    if abs(found - rows) < 1:
        return not_yet("that is the number of rows. How many are they for each row of the chunk?")
    return not_yet("a chunk's 390 rows, and the rows before it that its first window needs.")


def exercise_2(answer: Any) -> Verdict:
    """Chunks that are decoded in 252 days with a halo in front of each."""
    found = _number(answer)
    decoded = sum(len({day - 1, day} & set(range(252))) for day in range(252))
    if found is None:
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    if found == decoded:
        return right(f"{decoded}: each day and the day before it, but for the first.")
    if found == decoded + 1:
        return not_yet("before the first day there is no chunk.")
    if abs(found - 252 * 449 / 390) < 1.5:
        return not_yet("that counts rows. A compressed chunk is decoded as a whole, for 59 rows as for 390.")
    return not_yet("which chunks does the worker of day 17 decode, and which that of day 0?")


def _plain(values: list[float], window: int, ddof: int = 1) -> list[float]:
    """Each window by itself, with exact sums."""
    result = [math.nan] * len(values)
    for end in range(window, len(values) + 1):
        kept = values[end - window : end]
        mean = math.fsum(kept) / window
        result[end - 1] = math.sqrt(math.fsum((x - mean) ** 2 for x in kept) / (window - ddof))
    return result


def _by_squares(values: np.ndarray, window: int) -> np.ndarray:
    """By the mean of the squares less the square of the mean."""
    sums, squares = (np.cumsum(np.concatenate([[0.0], v])) for v in (values, values * values))
    total, square = sums[window:] - sums[:-window], squares[window:] - squares[:-window]
    with np.errstate(invalid="ignore"):
        variance = (square - total * total / window) / (window - 1)
        return np.concatenate([np.full(window - 1, np.nan), np.sqrt(variance)])[: len(values)]


def _series() -> list[tuple[list[np.ndarray], int]]:
    drawn = [int(bits) % 1000 / 100 for bits in np.random.PCG64(504).random_raw(60)]
    near, far = np.array(drawn), np.array(drawn) + 1e9
    return [
        ([near[:30], near[30:]], 5),
        ([near[:2], near[2:3], near[3:3], near[3:20], near[20:]], 6),
        ([near[:0], near[:4], near[4:9]], 12),
        ([near[i : i + 1] for i in range(20)], 2),
        ([far[:25], far[25:]], 8),
    ]


def exercise_3(answer: Any) -> Verdict:
    """A function (chunks, window) -> the rolling standard deviation of the whole series."""
    series = _series()
    wholes = [np.concatenate(chunks) for chunks, _ in series]

    def close(found: Any, wanted: Any) -> bool:
        found = np.asarray(found, dtype=float)
        return found.shape == np.shape(wanted) and np.allclose(found, wanted, rtol=1e-6, equal_nan=True)

    wanted = [np.array(_plain(v.tolist(), window)) for v, (_, window) in zip(wholes, series, strict=True)]
    fault = on_cases(answer, list(zip(series, wanted, strict=True)), same=close)
    if fault is None:
        return right(f"{len(series)} series, the one around a billion among them.")
    if not callable(answer):
        return not_yet(fault)
    with np.errstate(all="ignore"):
        made = recognised(
            answer,
            {
                "a chunk that is computed by itself has no window at its beginning: hand on the tail.": [
                    (case, np.concatenate([_plain(chunk.tolist(), case[1]) for chunk in case[0]]))
                    for case in series[:1]
                ],
                "divide by window - 1, which is ddof=1.": [
                    (case, np.array(_plain(v.tolist(), case[1], ddof=0)))
                    for case, v in zip(series[:1], wholes, strict=False)
                ],
                "each square near a billion has lost its last digits: subtract the mean before you square.": [
                    (case, _by_squares(v, case[1])) for case, v in zip(series[:1], wholes, strict=False)
                ],
            },
        )
    return not_yet(f"{made} {fault[0].upper()}{fault[1:]}" if made else fault)


# One plausible wrong answer each.
WRONG = {
    "1": 450 / 390,
    "2": 290,
    "3": lambda chunks, window: _by_squares(np.concatenate(chunks), window),
}
