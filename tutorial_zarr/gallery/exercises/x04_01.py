"""The exercises of 04_01: the row number of the whole, ties that do not depend on arrival, the cost of a pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right


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
    found = [_whole(row) for row in given] if isinstance(given, (list, tuple)) else []
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


def exercise_3(answer: Any) -> Verdict:
    """(bytes, requests) of a pass over a million float16 vectors in chunks of 512."""
    rows, features, per_chunk = 10**6, 384, 512
    given = answer.tolist() if isinstance(answer, np.ndarray) else answer
    found = [_whole(value) for value in given] if isinstance(given, (list, tuple)) else []
    if len(found) != 2 or None in found:
        return not_yet(f"expected a pair (bytes, requests) of whole numbers, found {answer!r}.")
    itemsize = np.dtype("float16").itemsize
    expected = (rows * features * itemsize, len(range(0, rows, per_chunk)))
    if found[0] == rows * features * 4:
        return not_yet("those are the bytes of float32.")
    if found[0] == expected[1] * per_chunk * features * itemsize:
        return not_yet("those are the bytes of the files, the last chunk filled up. Count the vectors alone.")
    if found[0] != expected[0]:
        return not_yet("rows times features times the bytes of one number.")
    if found[1] == rows // per_chunk:
        return not_yet("the bytes are right. And the rows that do not fill a chunk?")
    if found[1] != expected[1]:
        return not_yet("the bytes are right. Now the requests: one for each chunk.")
    return right(f"{expected[0] / 1e6:,.0f} MB, in {expected[1]:,} requests.")


# One plausible wrong answer each.
WRONG = {"1": 137 * 300, "2": [7, 3, 25, 40], "3": (768_000_000, 1953)}
