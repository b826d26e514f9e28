"""The exercises of 09_04: objects of an erasure, a value from two means, and bytes of a shard that no entry names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

SHAPE, CHUNKS = (512, 12, 8760), (64, 1, 730)
REPORTS = ((40, 5.20), (39, 5.00))  # patients, and their mean
EMPTY = (2**64 - 1, 2**64 - 1)


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """One object for each chunk that holds some of the patient."""
    across, measures, times = (n // c for n, c in zip(SHAPE, CHUNKS, strict=True))
    if not _number(answer):
        return not_yet(f"expected a number of objects, found {answer!r}.")
    if answer == measures * times:
        return right(f"1 x {measures} x {times}; and {CHUNKS[0] - 1} others are written again with her.")
    if answer == across * measures * times:
        return not_yet("these are all objects of the array; she lies in one of eight rows of them.")
    if answer in (measures, times):
        return not_yet("her part is cut along the measures, and along the hours as well.")
    return not_yet("multiply the pieces of her part along each of the three axes.")


def exercise_2(answer: Any) -> Verdict:
    """The sum with the one who left, less the sum without."""
    (then, with_one), (now, without) = REPORTS
    value = then * with_one - now * without
    if not _number(answer):
        return not_yet(f"expected a value in mmol/L, found {answer!r}.")
    if abs(answer - value) < 1e-6:
        return right(f"{value:.1f}: two means and two counts, and nobody had to open a record.")
    if abs(answer - (with_one - without)) < 1e-6:
        return not_yet("that is the difference of the means; subtract the sums.")
    if abs(answer - then * (with_one - without)) < 1e-6:
        return not_yet("the second mean is of 39 patients, not of 40.")
    return not_yet("a sum is the mean times the count. Subtract one from the other.")


def _unnamed(size: int, entries: list[tuple[int, int]]) -> int:
    named = {at for entry in entries if entry != EMPTY for at in range(entry[0], sum(entry))}
    return size - len(named)


def _twice(size: int, entries: list[tuple[int, int]]) -> int:
    return size - sum(length for offset, length in entries if offset != EMPTY[0])


def _tail(size: int, entries: list[tuple[int, int]]) -> int:
    return size - max((offset + length for offset, length in entries if offset != EMPTY[0]), default=0)


def _named(size: int, entries: list[tuple[int, int]]) -> int:
    return size - _unnamed(size, entries)


GIVEN: list[tuple[int, list[tuple[int, int]]]] = [
    (10, [(0, 5), (5, 5)]),
    (10, [(0, 5), EMPTY]),
    (12, [(4, 3), (0, 2), EMPTY]),
    (12, [(0, 6), (0, 6)]),
    (12, [(0, 6), (3, 6)]),
    (8, [EMPTY, EMPTY]),
    (9, []),
    (0, []),
]


def _cases(function: Any) -> list[Case]:
    return [((size, entries), function(size, entries)) for size, entries in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """Bytes that no entry of the index names."""
    wrong = on_cases(answer, _cases(_unnamed))
    if wrong is None:
        return right(f"{len(GIVEN)} shards, with gaps, with chunks that share bytes, and with no chunk at all.")
    mistakes = {
        "two entries may name the same bytes: count each byte once.": _cases(_twice),
        "there may be gaps between chunks as well, not only after the last.": _cases(_tail),
        "that is what the index names; asked is the rest.": _cases(_named),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 1152, "2": 0.2, "3": _twice}
