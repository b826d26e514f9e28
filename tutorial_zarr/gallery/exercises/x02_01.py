"""The exercises of 02_01: where two layouts cross, the largest chunk for a point, a frugal layout for a mix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right

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
    """The chunk with the most values such that a point is one request of at most 64 KiB."""
    chunks = _lengths(answer)
    if isinstance(chunks, str):
        return not_yet(chunks)
    requests, nbytes, limit = _chunks(chunks, (240, 1, 1)), math.prod(chunks) * ITEMSIZE, 1 << 16
    if requests != 1:
        return not_yet(f"a point takes {requests:,.0f} requests in chunks of {chunks}.")
    if nbytes > limit:
        return not_yet(f"such a chunk has {nbytes:,} B, more than {limit:,}.")
    most = max(a * b for a in range(1, 38) for b in range(1, 50) if SHAPE[0] * a * b * ITEMSIZE <= limit)
    if chunks[1] * chunks[2] < most:
        return not_yet(f"that fits, with {chunks[1] * chunks[2]} places. How many would fit?")
    return right(f"{most} places and all years: {nbytes:,} of {limit:,} B.")


def exercise_3(answer: Any) -> Verdict:
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


# One plausible wrong answer each.
WRONG = {"1": 0.5, "2": (240, 8, 8), "3": (60, 16, 16)}
