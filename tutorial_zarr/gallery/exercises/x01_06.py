"""The exercises of 01_06: merged variances, bands of whole chunks, a row that is set among other writers."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The variance of two groups of four values, with means 10 and 14 and a variance of 5 each."""
    spread = math.sqrt(5)
    groups = [[mean - spread, mean - spread, mean + spread, mean + spread] for mean in (10, 14)]
    variance = float(np.var(groups))
    if not _number(answer):
        return not_yet(f"expected a number, found {answer!r}.")
    if math.isclose(float(answer), variance, rel_tol=1e-9):
        return right(f"{variance:g}: 5 within the groups, and {variance - 5:g} since their means differ.")
    if math.isclose(float(answer), 5, rel_tol=1e-9):
        return not_yet("that would hold if both groups had the same mean. Which of the eight values are near 12?")
    if math.isclose(float(answer), 8 * variance, rel_tol=1e-9):
        return not_yet("that is the sum of squares. By what must it be divided?")
    return not_yet("write down four values with mean 10 and variance 5, four with mean 14, and merge them.")


def exercise_2(answer: Any) -> Verdict:
    """Where the bands of writers 2 to 4 begin: 1000 rows, chunks of 64, whole chunks for each."""
    if not isinstance(answer, (list, tuple, np.ndarray)) or len(answer) != 3:
        return not_yet(f"expected a list of three rows, found {answer!r}.")
    if not all(_number(row) and row == row and int(row) == row for row in answer if not np.isinf(row)):
        return not_yet(f"expected a list of three whole numbers, found {answer!r}.")
    edges = [0, *map(float, answer), 1000]
    if edges != sorted(edges) or not 0 < edges[1] <= edges[3] < 1000:
        return not_yet("expected rows that grow, between 0 and 1000.")
    crossed = [row for row in edges[1:-1] if row % 64]
    if crossed:
        return not_yet(f"row {crossed[0]:g} lies inside chunk {int(crossed[0] // 64)}, which then has two writers.")
    chunks = [math.ceil(stop / 64) - int(start // 64) for start, stop in itertools.pairwise(edges)]
    if max(chunks) - min(chunks) > 1:
        return not_yet(f"the bands have {chunks} chunks. That is not as even as possible.")
    return right(f"{chunks} chunks each, and no chunk has two writers.")


GOES_ON = "`write_if` returned True, and the function goes on. When is it done?"
ASKS_AGAIN = "it asks again with the tag of its first read. That one is out of date: read again in the loop."


class _Crowded:
    """A tagged chunk to which other writers write as soon as it has been read; it ends a loop that never would."""

    def __init__(self, chunk: bytes, rivals: tuple[str, ...]) -> None:
        self._chunk, self._tag, self._rivals = bytearray(chunk), 0, list(rivals)
        self._calls, self._written = 0, False

    def _called(self) -> None:
        self._calls += 1
        if self._calls > 50:
            raise RuntimeError(GOES_ON if self._written else ASKS_AGAIN)

    def read(self) -> tuple[bytearray, int]:
        self._called()
        found = bytearray(self._chunk), self._tag
        if self._rivals:
            letter = self._rivals.pop(0)
            self._chunk[ord(letter) - ord("A")] = ord(letter)
            self._tag += 1
        return found

    def write_if(self, chunk: Any, tag: int) -> bool:
        self._called()
        if tag != self._tag:
            return False
        self._chunk, self._tag, self._written = bytearray(chunk), self._tag + 1, True
        return True


def _alone(store: Any, row: int, letter: str) -> None:
    chunk, tag = store.read()
    chunk[row] = ord(letter)
    store.write_if(chunk, tag)


def exercise_3(answer: Any) -> Verdict:
    """A function that sets a row of a tagged chunk while other writers set theirs."""
    if not callable(answer):
        return not_yet(f"expected a function, found {answer!r}.")

    def after(chunk: bytes, rivals: tuple[str, ...], row: int, letter: str) -> str:
        store = _Crowded(chunk, rivals)
        answer(store, row, letter)
        return bytes(store._chunk).decode()

    crowds = [(), ("B",), ("B", "C"), ("B", "C", "D")]
    cases = [((b"....", crowd, 0, "A"), "A" + "".join("BCD"[: len(crowd)]).ljust(3, ".")) for crowd in crowds]
    cases += [((b"A..D", ("C",), 1, "B"), "ABCD"), ((b"....", ("A", "B"), 3, "D"), "AB.D")]
    wrong = on_cases(after, cases)
    if wrong is None:
        return right("four writers, none of them holding a lock, and every row is there.")
    (alone, _), (crowded, _) = cases[:2]
    try:
        found = after(*alone), after(*crowded)
    except RuntimeError as error:
        return not_yet(str(error))
    except Exception:
        return not_yet(f"with the letters of the others as the second argument: {wrong}")
    if found[0] != "A...":
        return not_yet(f"even without other writers the chunk is {found[0]!r}. It should be 'A...'.")
    if found[1] == ".B..":
        return not_yet(
            "B came in between, `write_if` returned False, and your row is not there. What should be done then?"
        )
    if found[1] == "A...":
        return not_yet("B came in between, and its row is gone: an old chunk was written under a new tag.")
    return not_yet(f"with the letters of the others as the second argument: {wrong}")


# One plausible wrong answer each.
WRONG = {"1": 5, "2": [250, 500, 750], "3": _alone}
