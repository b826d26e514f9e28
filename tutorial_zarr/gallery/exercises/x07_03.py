"""The exercises of 07_03: where a chunk begins, which files fit one grid, and the references of two files as one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

FIRST, BYTES, CHUNK = 9280, 37 * 49 * 4, 100
YEARS, CUT, FILES = 60, 24, 4


def _whole(answer: Any) -> bool:
    return isinstance(answer, (int, np.integer)) and not isinstance(answer, bool)


def exercise_1(answer: Any) -> Verdict:
    """The first byte of a chunk."""
    begins = FIRST + CHUNK * BYTES
    if not _whole(answer):
        return not_yet(f"expected the number of a byte, found {answer!r}.")
    if answer == begins:
        return right(f"{begins:,}: {CHUNK} chunks of {BYTES:,} bytes lie before it.")
    if answer == CHUNK * BYTES:
        return not_yet(f"the first chunk does not begin at byte 0, but at {FIRST:,}.")
    if abs(answer - begins) == BYTES:
        return not_yet("one chunk off: counted from 0, a hundred chunks lie before chunk 100.")
    return not_yet("add the bytes of the chunks before it to the first byte of the first.")


def exercise_2(answer: Any) -> Verdict:
    """Files in a row until one ends in the middle of a chunk."""
    fit = next((n for n in range(1, FILES + 1) if n * YEARS % CUT), FILES)
    if not _whole(answer):
        return not_yet(f"expected a number of files, found {answer!r}.")
    if answer == fit:
        return right(
            f"{YEARS} is no multiple of {CUT}: the first file ends within a chunk, and nothing fits behind it."
        )
    if answer == FILES:
        return not_yet(f"the second file would begin in year {YEARS}, within a chunk of the grid.")
    if answer == 2:
        return not_yet(f"{2 * YEARS} years are whole chunks, but the border between the two files lies within one.")
    return not_yet("where does each file end on a grid of 24 years?")


def _joined(one: dict[str, Any], two: dict[str, Any], chunks: int) -> dict[str, Any]:
    result = dict(one)
    for key, place in two.items():
        first, *rest = key.split(".")
        result[".".join([str(int(first) + chunks), *rest])] = place
    return result


def _plain(one: Any, two: Any, chunks: int) -> dict[str, Any]:
    return {**one, **two}


def _by_count(one: Any, two: Any, chunks: int) -> dict[str, Any]:
    return _joined(one, two, len(one))


def _one_digit(one: Any, two: Any, chunks: int) -> dict[str, Any]:
    return {**one, **{f"{int(key[0]) + chunks}{key[1:]}": place for key, place in two.items()}}


def _place(n: int) -> list[Any]:
    return [f"{n % 2}.nc", 100 * n, 50]


GIVEN: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"0.0.0": _place(0)}, {"0.0.0": _place(1)}, 1),
    ({"0": _place(0), "1": _place(2)}, {"0": _place(1), "1": _place(3)}, 2),
    ({"0.0": _place(0), "0.1": _place(2)}, {"0.0": _place(1), "0.1": _place(3)}, 1),
    ({"0.0": _place(0)}, {"2.0": _place(1)}, 3),
    ({}, {"9.0": _place(1), "10.0": _place(3)}, 4),
    ({"1.0": _place(0)}, {}, 2),
]


def _cases(function: Any) -> list[Case]:
    return [((one, two, chunks), function(one, two, chunks)) for one, two, chunks in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """The references of a second file behind those of a first."""
    wrong = on_cases(answer, _cases(_joined))
    if wrong is None:
        for one, two, chunks in GIVEN:
            given = dict(one), dict(two)
            answer(*given, chunks)
            if given != (one, two):
                return not_yet("the keys are right, and a dict that was given is changed; work on a copy.")
        return right(f"{len(GIVEN)} pairs, with chunks that do not exist and numbers of two digits among them.")
    mistakes = {
        "equal keys: the second file's chunks replace the first's. Raise their first number.": _cases(_plain),
        "not every chunk exists, and there are other axes: use `chunks`, not the number of keys.": _cases(_by_count),
        "a number may have two digits; take all that stands before the first dot.": _cases(_one_digit),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 100 * BYTES, "2": 4, "3": _by_count}
