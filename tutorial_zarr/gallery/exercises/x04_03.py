"""The exercises of 04_03: the entropy of a mixed batch, what a full shuffle reads, a buffer that loses rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right


def _number(answer: Any) -> float | None:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return None
    return None if not math.isfinite(answer) else float(answer)


def exercise_1(answer: Any) -> Verdict:
    """The mean entropy of a batch of 64 labels that are drawn from ten alike."""
    found = _number(answer)
    if found is None:
        return not_yet(f"expected a number such as 2.10, found {answer!r}.")
    # a label's count k is binomial: sum over ten labels of the mean of -(k / 64) ln(k / 64)
    share = [math.comb(64, k) * 0.1**k * 0.9 ** (64 - k) for k in range(65)]
    mean = -10 * sum(p * k / 64 * math.log(k / 64) for k, p in enumerate(share) if k)
    if abs(found - math.log(10)) < 0.005:
        return not_yet("that is the logarithm of ten: of a batch with 6.4 rows of each label. No batch has that.")
    if abs(found - mean / math.log(2)) < 0.02:
        return not_yet("that is in bits. Take the natural logarithm, as `entropy` does.")
    if abs(found - mean) > 0.01:
        return not_yet("draw some thousand batches of 64 labels, take the entropy of each, and the mean of these.")
    return right(f"{mean:.3f}, and not {math.log(10):.3f}: chance alone makes a batch uneven.")


def exercise_2(answer: Any) -> Verdict:
    """The chunks that an epoch of a full shuffle reads: a million rows, 1,000 chunks, batches of 256."""
    found = _number(answer)
    if found is None:
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    rows, per_chunk, batch = 10**6, 1000, 256
    missed = math.prod((rows - per_chunk - i) / (rows - i) for i in range(batch))
    read = rows / batch * 1000 * (1 - missed)
    if abs(found - rows) < rows / 200:
        return not_yet("that is a chunk for each row. Some rows of a batch share a chunk.")
    if abs(found - read / (rows / batch)) < 5:
        return not_yet("that is one batch. How many batches has an epoch?")
    if abs(found - 1000) < 5:
        return not_yet("that is each chunk once: what a buffer of chunks would read.")
    if abs(found - read) > read / 100:
        return not_yet("first the chunks of one batch, then times the batches of an epoch.")
    return right(f"about {read:,.0f}: {read / 1000:,.0f} times as many as there are chunks.")


def _draws(seed: int) -> Callable[[int], int]:
    """Numbers from 0 to n - 1, the same ones each time."""
    bits = iter(np.random.PCG64(seed).random_raw(1000).tolist())
    return lambda count: next(bits) % count


class _Draw:
    """`draw` of a case: a copy begins at the start, so that each call gets the same numbers."""

    def __init__(self, seed: int) -> None:
        self.seed, self.next = seed, _draws(seed)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Draw:
        return _Draw(self.seed)

    def __call__(self, count: int) -> int:
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"draw({count}): there is nothing to draw from")
        return self.next(int(count))

    def __repr__(self) -> str:
        return "draw"


def exercise_3(answer: Any) -> Verdict:
    """A shuffle buffer that gives all rows: each once, none before it could have come, and not in their order."""
    cases = [(([], 3), []), (([7], 3), [7]), (([1, 2, 3], 1), [1, 2, 3]), (([1, 2, 3], 8), None)]
    cases += [((list(range(count)), size), None) for count, size in itertools.product((10, 64), (2, 5, 9))]
    asked = [((*arguments, _Draw(seed)), (*arguments, wanted)) for seed, (arguments, wanted) in enumerate(cases)]

    def same(found: Any, wanted: tuple[list[int], int, list[int] | None]) -> bool:
        rows, size, exact = wanted
        given = list(found)
        if exact is not None:
            return given == exact
        early = any(place < rows.index(row) - size + 1 for place, row in enumerate(given) if row in rows)
        return sorted(given) == sorted(rows) and not early

    fault = on_cases(answer, asked, same)
    if fault is None:
        mixed = [list(answer(rows, size, _Draw(seed))) != rows for seed, (rows, size, _) in _large()]
        if not any(mixed):
            return not_yet("all rows come, but in their old order. Let `draw` choose which one leaves.")
        return right(
            f"every row once in {len(cases)} cases, an empty list and a buffer larger than the rows among them."
        )
    if not callable(answer):
        return not_yet(fault)
    fault = fault.partition("; wanted is")[0].rstrip(".")
    rows, size = list(range(10)), 4
    try:
        given = list(answer(list(rows), size, _Draw(3)))
    except Exception:  # a student's function may raise anything
        return not_yet(f"{fault}.")
    if len(given) == len(rows) - size and set(given) < set(rows):
        return not_yet(
            f"with ten rows and a buffer of four, {len(given)} come out: the last four stay inside. {fault}."
        )
    if len(given) > len(set(given)):
        return not_yet(f"a row comes twice: it is given away and stays inside. {fault}.")
    if sorted(given) == rows:
        return not_yet(f"rows come before the buffer can have held them: no more than `size` may wait. {fault}.")
    return not_yet(f"expected each row once. {fault}.")


def _large() -> list[tuple[int, tuple[list[int], int, None]]]:
    return [(seed, (list(range(64)), size, None)) for seed, size in enumerate((2, 5, 9))]


def _careless(rows: list[int], size: int, draw: Callable[[int], int]) -> list[int]:
    inside: list[int] = []
    given = []
    for row in rows:
        if len(inside) == size:
            given.append(inside.pop(draw(size)))
        inside.append(row)
    return given


# One plausible wrong answer each.
WRONG = {"1": math.log(10), "2": 10**6, "3": _careless}
