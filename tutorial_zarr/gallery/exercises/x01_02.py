"""The exercises of 01_02: chunks that a window touches, chunks that random rows touch, a shape for two questions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


def _number(answer: Any) -> float | None:
    """The answer as a number, or None where it is none."""
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return float(answer) if is_number and math.isfinite(answer) else None


def exercise_1(answer: Any) -> Verdict:
    """Chunks of 16 that a window of 37 touches, on average over where it begins."""
    window, chunk = 37, 16
    counts = [len({index // chunk for index in range(begin, begin + window)}) for begin in range(chunk)]
    mean, found = float(np.mean(counts)), _number(answer)
    if found is None:
        return not_yet(f"expected a number, found {answer!r}.")
    if abs(found - mean) < 0.005:
        return right(f"{min(counts)} or {max(counts)} chunks, {mean} on average: 1 + ({window} - 1) / {chunk}.")
    if abs(found - window / chunk) < 0.02:
        return not_yet("37 / 16 would do if a window could use up part of a chunk. It always touches whole ones.")
    if found == math.ceil(window / chunk):
        return not_yet("that is the best case, a window that begins at an edge. Most do not.")
    if found == max(counts):
        return not_yet("that happens sometimes. How often, of the 16 places where the window may begin?")
    return not_yet("let the window begin at 0, 1, 2, ... 15, and count each time. What is the mean?")


def exercise_2(answer: Any) -> Verdict:
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


def exercise_3(answer: Any) -> Verdict:
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


# One plausible wrong answer each.
WRONG = {"1": 37 / 16, "2": 64, "3": (64, 64)}
