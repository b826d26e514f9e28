"""What a pattern costs on average over all places where it may lie, in closed form: no plan for each place.

Axes are independent, so what a box touches is a product. Along an axis, chunks of c and a window of w that starts at
s touch ``(s + w - 1) // c - s // c + 1`` chunks; summed over all starts that is two sums of floors.

Within shards what counts is, along each axis, how many inner chunks of a shard are touched and how many it has: few
different pairs, each with how often it occurs. For every combination of them the reader's rules give the requests::

    half of the inner chunks or more    1: the shard as a whole
    fewer                               1 for the index, and 1 for each run of inner chunks that lie closer to each
                                        other than a request costs

These are the rules of `tutorial_zarr.plan`; a test holds every figure here to the mean of its plans over all places.
Chunks count as compressed: one comes as a whole or not at all.

>>> from tutorial_zarr.labs.chunks.patterns import Pattern
>>> maps = Pattern("maps", 1.0, (1, 37, 49))
>>> cost = expected(Layout((60, 16, 16)), maps, (240, 37, 49), itemsize=4)
>>> cost.requests, cost.nbytes, cost.decoded
(12.0, 737280.0, 737280.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tutorial_zarr.labs.chunks.paper import Layout
from tutorial_zarr.labs.chunks.patterns import Pattern

MOST_STATES = 200_000  # combinations of pairs that are gone through; layouts with more are not costed
INDEX_ENTRY, INDEX_CHECKSUM = 16, 4


class Cost(NamedTuple):
    """Means over all places of a pattern."""

    requests: float
    nbytes: float  # that come from the store
    chunks: float  # chunks that are decoded; inner ones, of shards
    decoded: float  # bytes that the decoder makes
    rounds: float  # requests that wait for each other: the index of a shard, and then its chunks


def encoded_size(nbytes: int, ratio: float) -> int:
    """Bytes of a chunk in the store, if it becomes `ratio` times smaller."""
    return max(1, round(nbytes / ratio))


def expected(
    layout: Layout,
    pattern: Pattern,
    shape: Sequence[int],
    itemsize: int,
    ratio: float = 1.0,
    request_cost: int = 1 << 19,
) -> Cost | None:
    """The mean cost of a pattern; None where there are too many cases to go through."""
    nbytes = math.prod(layout.chunks) * itemsize
    size = encoded_size(nbytes, ratio)
    starts = pattern.starts or (None,) * len(pattern.lengths)
    axes = list(zip(shape, pattern.lengths, starts, layout.chunks, strict=True))
    if layout.shards is None:
        touched = 1.0
        for n, w, start, c in axes:
            total, places = mean_touched(n, w, start, c)
            touched *= total / places
        return Cost(touched, touched * size, touched, touched * nbytes, 1.0)
    counts = [s // c for s, c in zip(layout.shards, layout.chunks, strict=True)]
    pairs = [shard_pairs(*axis, m) for axis, m in zip(axes, counts, strict=True)]
    if math.prod(len(often) for _, _, often in pairs) > MOST_STATES:
        return None
    return _sharded(pairs, counts, size, nbytes, request_cost)


@lru_cache(maxsize=1 << 16)
def mean_touched(n: int, w: int, start: int | None, c: int) -> tuple[int, int]:
    """Chunks of c touched by a window of w along an axis of n: their sum over all starts, and how many starts."""
    if start is not None:
        return (start + w - 1) // c - start // c + 1, 1
    places = n - w + 1
    return _floors(n - 1, c) - _floors(w - 2, c) - _floors(places - 1, c) + places, places


def _floors(last: int, c: int) -> int:
    """The sum of ``k // c`` for k from 0 to `last`."""
    whole, rest = divmod(last + 1, c)
    return c * whole * (whole - 1) // 2 + whole * rest


@lru_cache(maxsize=1 << 14)
def shard_pairs(n: int, w: int, start: int | None, c: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along an axis of n, for shards of m chunks of c: inner chunks touched, those that are there, and how often.

    How often is a mean over the starts of a window of w: all of it adds up to the shards touched.
    """
    count, places = -(-n // c), n - w + 1
    last_shard, in_last = (count - 1) // m, count - (count - 1) // m * m
    if start is None:  # the starts at which the first chunk or the last one changes, and how many starts alike follow
        starts = np.unique(np.concatenate([np.arange(0, places, c), np.arange((1 - w) % c, places, c)]))
        often = np.diff(np.append(starts, places)) / places
    else:
        starts, often = np.array([start]), np.ones(1)
    first, last = starts // c, (starts + w - 1) // c
    one, other = first // m, last // m
    same = one == other
    between = other - one - 1
    touched = np.concatenate([np.where(same, last - first + 1, m - first % m), (last % m + 1)[~same], [m]])
    shards = np.concatenate([one, other[~same], [-1]])
    weights = np.concatenate([often, often[~same], [(often * between)[~same].sum()]])
    present = np.where(shards == last_shard, in_last, m)
    pairs, which = np.unique(np.stack([touched, present]), axis=1, return_inverse=True)
    sums = np.bincount(which.reshape(-1), weights)
    return pairs[0][sums > 0], pairs[1][sums > 0], sums[sums > 0]


def _sharded(
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]], counts: list[int], size: int, nbytes: int, request_cost: int
) -> Cost:
    """The rules of the module's docstring, for all combinations of pairs at once."""
    width, total = len(pairs), math.prod(counts)
    index = INDEX_ENTRY * total + INDEX_CHECKSUM

    def along(axis: int, which: int) -> np.ndarray:
        return pairs[axis][which].astype(float).reshape([-1 if a == axis else 1 for a in range(width)])

    often = wanted = present = np.ones((1,) * width)
    runs, data, extent, pitch = (np.full((1,) * width, float(start)) for start in (1, size, size, size))
    for axis in reversed(range(width)):
        touched, there = along(axis, 0), along(axis, 1)
        gap = pitch - extent  # from the end of what is wanted at one place along the axis to where the next one begins
        joined = gap <= request_cost
        runs = np.where(joined, touched * runs - (touched - 1), touched * runs)
        data = touched * data + np.where(joined, (touched - 1) * gap, 0)
        extent, pitch = (touched - 1) * pitch + extent, pitch * there
        often, wanted, present = often * along(axis, 2), wanted * touched, present * there
    whole = 2 * wanted >= total
    requests = np.where(whole, 1, 1 + runs)
    moved = index + np.where(whole, present * size, data)
    chunks = float((often * wanted).sum())
    return Cost(
        float((often * requests).sum()),
        float((often * moved).sum()),
        chunks,
        chunks * nbytes,
        2.0 if not whole.all() else 1.0,
    )
