"""The exercises of 08_02: joins of a rectangle, requests of a step, and objects counted from pieces and pairs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Case, Verdict, not_yet, on_cases, recognised, right

CHUNK = 64
ROWS, COLUMNS = (40, 199), (100, 158)  # of the rectangle, ends included
SCREEN, START, MOVE = 256, 32, 64


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)


def _chunks(first: int, last: int) -> set[int]:
    return {at // CHUNK for at in range(first, last + 1)}


def exercise_1(answer: Any) -> Verdict:
    """Each join makes one group fewer."""
    down, across = len(_chunks(*ROWS)), len(_chunks(*COLUMNS))
    pieces = down * across
    if not _number(answer):
        return not_yet(f"expected a number of joins, found {answer!r}.")
    if answer == pieces - 1:
        return right(f"{down} x {across} = {pieces} pieces, and each join makes one group fewer.")
    if answer == pieces:
        return not_yet("that is the number of pieces. How many joins make one of two?")
    if answer == (down - 1) * across + (across - 1) * down:
        return not_yet("these are all borders between two pieces. Some of them join what is joined already.")
    return not_yet("count the chunks that hold some of it, along the rows and along the columns.")


def exercise_2(answer: Any) -> Verdict:
    """Only chunks that were not there before."""
    down = len(_chunks(0, SCREEN - 1))
    before = _chunks(START, START + SCREEN - 1)
    after = _chunks(START + MOVE, START + MOVE + SCREEN - 1)
    if not _number(answer):
        return not_yet(f"expected a number of requests, found {answer!r}.")
    if answer == down * len(after - before):
        return right(f"{len(after - before)} new column of {down} chunks; the others are in the cache.")
    if answer == down * len(after):
        return not_yet("that is the step without a cache. Which of these chunks were on the screen before?")
    if answer == len(after - before):
        return not_yet("one column of chunks is new; how many chunks are in it?")
    return not_yet("list the columns of chunks on the screen, before and after.")


def _count(pieces: list[int], pairs: list[tuple[int, int]]) -> int:
    groups = [{piece} for piece in pieces]
    for a, b in pairs:
        met = [group for group in groups if a in group or b in group]
        groups = [group for group in groups if group not in met] + [set().union(*met)]
    return len(groups)


def _every_pair(pieces: list[int], pairs: list[tuple[int, int]]) -> int:
    return len(set(pieces)) - len(pairs)


def _different_pairs(pieces: list[int], pairs: list[tuple[int, int]]) -> int:
    return len(set(pieces)) - len({(min(pair), max(pair)) for pair in pairs})


def _one_pass(pieces: list[int], pairs: list[tuple[int, int]]) -> int:
    name = {piece: piece for piece in pieces}
    for a, b in pairs:
        name[a] = name[b] = min(name[a], name[b])
    return len(set(name.values()))


def _only_joined(pieces: list[int], pairs: list[tuple[int, int]]) -> int:
    met = list(dict.fromkeys(itertools.chain.from_iterable(pairs)))
    return _count(met, pairs)


GIVEN: list[tuple[list[int], list[tuple[int, int]]]] = [
    ([1, 5, 9], [(1, 5)]),
    ([1, 5, 9], []),
    ([], []),
    ([3, 8], [(3, 8), (3, 8), (8, 3)]),
    ([1, 2, 3, 4], [(1, 2), (2, 4), (4, 3), (3, 1)]),
    ([1, 2, 3, 4, 7], [(3, 4), (1, 2), (2, 4)]),
    ([10, 20, 30, 40], [(30, 40), (20, 30), (10, 20)]),
]


def _cases(function: Any) -> list[Case]:
    return [((pieces, pairs), function(pieces, pairs)) for pieces, pairs in GIVEN]


def exercise_3(answer: Any) -> Verdict:
    """Groups, from pieces and the pairs that touch."""
    wrong = on_cases(answer, _cases(_count))
    if wrong is None:
        return right(f"{len(GIVEN)} pictures, a ring, a chain from its end and an empty one among them.")
    mistakes = {
        "not every pair joins: two ends may be in one group already, and a pair may come twice.": _cases(_every_pair),
        "in a ring the last pair joins nothing; look whether both ends are in one group already.": _cases(
            _different_pairs
        ),
        "when two groups meet, all members of both get one name, not these two pieces alone.": _cases(_one_pass),
        "a piece that touches no other is an object as well.": _cases(_only_joined),
    }
    return not_yet(recognised(answer, mistakes) or wrong)


# One plausible wrong answer each.
WRONG = {"1": 8, "2": 20, "3": _one_pass}
