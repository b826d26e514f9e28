"""The exercises of 01_02: chunks that random rows touch, a shape for two questions, a loop to repair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right
from tutorial_zarr.stores import TraceStore


def _number(answer: Any) -> float | None:
    """The answer as a number, or None where it is none."""
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return float(answer) if is_number and math.isfinite(answer) else None


def exercise_1(answer: Any) -> Verdict:
    """Different chunks of 16 rows, of 128, that 64 rows drawn at random touch, on average."""
    rows, chunk, drawn = 2048, 16, 64
    chunks = rows // chunk
    # With rows that may be drawn twice, and with rows that may not; either reading of the question is fine.
    again = chunks * (1 - (1 - 1 / chunks) ** drawn)
    once = chunks * (1 - math.comb(rows - chunk, drawn) / math.comb(rows, drawn))
    found = _number(answer)
    if found is None:
        return not_yet(f"expected a number, found {answer!r}.")
    if again - 0.06 < found < once + 0.06:
        shared = 1 - (1 - 1 / chunks) ** (drawn - 1)
        return right(
            f"{again:.1f} if a row may be drawn twice, {once:.1f} if not. A row shares its chunk with another of "
            f"the {drawn} in {shared:.0%} of all draws, which saves {drawn - again:.0f} requests."
        )
    if found == drawn:
        return not_yet("that would be so if no two rows ever shared a chunk. Some do.")
    if found == drawn / chunk:
        return not_yet("that would be so if the rows were neighbours. They are anywhere.")
    return not_yet("one chunk is missed by one draw with probability 127/128. By 64 draws? And there are 128 chunks.")


def exercise_2(answer: Any) -> Verdict:
    """A chunk shape for rows and columns of 2048 x 2048: at most x16, and 128 requests, for both."""
    side, most, requests_allowed = 2048, 16, 128
    is_pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    if not is_pair or not all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) for c in answer):
        return not_yet(f"expected two whole numbers, such as (256, 256), found {answer!r}.")
    high, wide = map(int, answer)
    if not (1 <= high <= side and 1 <= wide <= side):
        return not_yet(f"expected lengths from 1 to {side}, found {high} and {wide}.")
    for name, along, across in (("row", wide, high), ("column", high, wide)):
        requests = math.ceil(side / along)
        amplification = requests * along * across / side
        if amplification > most:
            return not_yet(
                f"a {name} decodes x{amplification:,.0f} in chunks of {high} x {wide}; x{most} is the limit."
            )
        if requests > requests_allowed:
            return not_yet(f"a {name} needs {requests:,} requests in chunks of {high} x {wide}; fewer are allowed.")
    objects = math.ceil(side / high) * math.ceil(side / wide)
    return right(f"both cost x{high}, with {math.ceil(side / wide)} requests. The price: {objects:,} objects.")


def exercise_3(answer: Any) -> Verdict:
    """The function that returns the mean of each row, and fetches no chunk twice."""
    fetched = []

    def run(rows: int, columns: int, high: int, wide: int) -> Any:
        array = zarr.create_array({}, data=_values(rows, columns), chunks=(high, wide), fill_value=-1)
        trace = TraceStore(array.store)
        traced = zarr.open_array(trace, mode="r")
        trace.clear()
        found = answer(traced)
        fetched.append((trace.count("GET"), array.nchunks))
        return found

    shapes = [(32, 24, 8, 8), (30, 25, 8, 10), (20, 6, 3, 6), (5, 7, 1, 7), (3, 4, 8, 8)]
    means = [_values(*shape[:2]).mean(axis=1) for shape in shapes]
    said = on_cases(run if callable(answer) else answer, zip(shapes, means, strict=True))
    if said is None and all(requests <= chunks for requests, chunks in fetched):
        return right(
            f"{fetched[0][0]} requests for {fetched[0][1]} chunks, and as few for each of {len(shapes)} shapes."
        )
    if said is None:
        requests, chunks = next(pair for pair in fetched if pair[0] > pair[1])
        return not_yet(
            f"the means are right, with {requests} requests for {chunks} chunks. Read a band of rows at once."
        )
    mistakes = {
        "these are the means of the columns; a row's mean goes along axis 1.": [
            _values(*s[:2]).mean(axis=0) for s in shapes
        ],
        "rows are missing at the end: the last band may be smaller than a chunk is high.": [
            mean[: len(mean) // high * high] for mean, (_, _, high, _) in zip(means, shapes, strict=True)
        ],
    }
    alike = {words: list(zip(shapes, wrong, strict=True)) for words, wrong in mistakes.items()}
    return not_yet((recognised(run, alike) if callable(answer) else None) or said)


def _values(rows: int, columns: int) -> np.ndarray:
    return np.arange(rows * columns, dtype="f8").reshape(rows, columns) ** 2


def _row_by_row(array: Any) -> np.ndarray:
    """The function as it stands in the exercise, not repaired."""
    return np.array([array[row].mean() for row in range(array.shape[0])])


# One plausible wrong answer each.
WRONG = {"1": 64, "2": (64, 64), "3": _row_by_row}
