"""The exercises of 02_01: where two layouts cross, a frugal layout for a mix, the layouts that none beats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

SHAPE, ITEMSIZE = (240, 37, 49), 4


def _lengths(answer: Any) -> tuple[int, ...] | str:
    """A chunk shape for the array, or what is wrong with it."""
    is_shape = isinstance(answer, (tuple, list)) and len(answer) == 3
    if not is_shape or not all(isinstance(c, (int, np.integer)) and not isinstance(c, bool) for c in answer):
        return f"expected three whole numbers, such as (60, 16, 16), found {answer!r}."
    lengths = tuple(map(int, answer))
    if not all(1 <= c <= n for c, n in zip(lengths, SHAPE, strict=True)):
        return f"expected lengths from 1 to {SHAPE}, found {lengths}."
    return lengths


def _chunks(chunks: tuple[int, ...], window: tuple[int, ...]) -> float:
    """Chunks that a window touches, averaged over its places, by going through them."""
    means = []
    for n, w, c in zip(SHAPE, window, chunks, strict=True):
        counts = [len({index // c for index in range(start, start + w)}) for start in range(n - w + 1)]
        means.append(sum(counts) / len(counts))
    return math.prod(means)


def exercise_1(answer: Any) -> Verdict:
    """The share of maps from which on chunks of one map take fewer requests than 240 x 8 x 8."""
    maps, points = (1, 37, 49), (240, 1, 1)
    one, long = (tuple(_chunks(chunks, window) for window in (maps, points)) for chunks in ((1, 37, 49), (240, 8, 8)))
    cross = (one[1] - long[1]) / ((one[1] - long[1]) + (long[0] - one[0]))
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    if not is_number or not math.isfinite(answer):
        return not_yet(f"expected a number between 0 and 1, found {answer!r}.")
    if abs(answer - cross) < 0.005:
        return right(f"from {cross:.3f} on: seven maps for each point, and still a point's 240 requests count as much.")
    if abs(answer - (1 - cross)) < 0.005:
        return not_yet("that is the share of the points.")
    first, second = (share * answer + other * (1 - answer) for share, other in (one, long))
    return not_yet(f"at that share the one takes {first:,.4g} requests for a read and the other {second:,.4g}.")


def exercise_2(answer: Any) -> Verdict:
    """A layout of at most 20 requests and 100 KiB for a read, seven points to three maps."""
    chunks = _lengths(answer)
    if isinstance(chunks, str):
        return not_yet(chunks)
    requests = 0.7 * _chunks(chunks, (240, 1, 1)) + 0.3 * _chunks(chunks, (1, 37, 49))
    nbytes = requests * math.prod(chunks) * ITEMSIZE
    if requests > 20:
        return not_yet(f"a read takes {requests:,.4g} requests on average; 20 are allowed.")
    if nbytes > 100 * 1024:
        return not_yet(f"a read brings {nbytes / 1024:,.4g} KiB on average; 100 are allowed.")
    return right(f"{requests:.4g} requests and {nbytes / 1024:.4g} KiB for a read.")


Pair = tuple[int, int]
LAYOUTS: list[list[Pair]] = [
    [(4, 100), (2, 300), (1, 500)],
    [(1, 500), (2, 300), (2, 200), (3, 250), (4, 100), (5, 100), (4, 400)],
    [],
    [(7, 7)],
    [(3, 50), (3, 50), (9, 20), (9, 20)],
    [(2, 10), (1, 10), (3, 10)],
    [(5, 30), (5, 10), (5, 20)],
    [(240, 4096), (1, 99), (10, 98), (11, 98), (10, 97), (1, 100)],
]


def _dominated(pair: Pair, other: Pair) -> bool:
    return other != pair and other[0] <= pair[0] and other[1] <= pair[1]


def _front(layouts: list[Pair]) -> list[Pair]:
    """The pairs that no other one beats, by comparing each with each."""
    return sorted({pair for pair in layouts if not any(_dominated(pair, other) for other in layouts)})


MISTAKES: list[tuple[Callable[[list[Pair]], list[Pair]], str]] = [
    (
        lambda layouts: sorted({p for p in layouts if not any(o[0] < p[0] and o[1] < p[1] for o in layouts)}),
        "of (2, 300) and (2, 200) the first is not on the front: as many requests, and more bytes.",
    ),
    (
        lambda layouts: sorted(p for p in layouts if not any(_dominated(p, other) for other in layouts)),
        "a pair that occurs twice is wanted once.",
    ),
    (
        lambda layouts: [p for p in dict.fromkeys(layouts) if not any(_dominated(p, other) for other in layouts)],
        "these are the right pairs; now in the order of their requests.",
    ),
    (
        lambda layouts: sorted(p for p in layouts if not any(o[0] <= p[0] and o[1] <= p[1] for o in layouts)),
        "every pair has at most as many requests and bytes as itself. Compare it with the others only.",
    ),
    (
        lambda layouts: sorted(layouts)[:1],
        "that is the pair with the fewest requests. One with more requests and fewer bytes is on the front too.",
    ),
]


def exercise_3(answer: Any) -> Verdict:
    """A function that keeps the layouts on the Pareto front."""
    if made := recognised(
        answer, {words: [((case,), mistake(case)) for case in LAYOUTS] for mistake, words in MISTAKES}
    ):
        return not_yet(made)
    if wrong := on_cases(answer, [((case,), _front(case)) for case in LAYOUTS]):
        return not_yet(wrong)
    return right(f"{len(LAYOUTS)} lists: what is left out is beaten by something that is kept.")


# One plausible wrong answer each.
WRONG = {"1": 0.5, "2": (60, 16, 16), "3": MISTAKES[0][0]}
