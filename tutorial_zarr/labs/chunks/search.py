"""Which layouts are costed: lengths worth trying along each axis, shards around the best chunks, then small steps.

The search is a heuristic: a test compares its first choice with all layouts there are, where those are few.

>>> lengths(240, [1, 30])
[1, 2, 4, 8, 16, 24, 27, 30, 32, 35, 40, 48, 60, 64, 80, 120, 128, 240]
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tutorial_zarr.labs.chunks.paper import Layout

EVERY = 16  # an axis so short has all lengths tried
FANNED_OUT = 48  # chunk shapes around which shards are tried
MOST_CHUNKS = 6000  # chunk shapes that are tried; where there are more, powers of two are
STEPS = 40  # rounds of small steps


def lengths(extent: int, windows: Iterable[int]) -> list[int]:
    """Chunk lengths worth trying along an axis: powers of two, even shares of it, and what is read of it."""
    if extent <= EVERY:
        return list(range(1, extent + 1))
    powers = {1 << power for power in range(extent.bit_length())}
    shares = {-(-extent // parts) for parts in range(1, 11)}
    return sorted(n for n in powers | shares | set(windows) if n <= extent)


def chunk_shapes(shape: Sequence[int], windows: Sequence[Iterable[int]]) -> Iterator[tuple[int, ...]]:
    """Chunk shapes worth trying."""
    axes = [lengths(n, w) for n, w in zip(shape, windows, strict=True)]
    if math.prod(map(len, axes)) > MOST_CHUNKS:
        axes = [sorted({1 << power for power in range(n.bit_length())} | {n}) for n in shape]
    while math.prod(map(len, axes)) > MOST_CHUNKS:  # many axes: every other length, but never the ends
        axes = [[*axis[:-1][::2], axis[-1]] if len(axis) > 3 else axis for axis in axes]
        if all(len(axis) <= 3 for axis in axes):
            break
    return itertools.product(*axes)


def shards_around(chunks: tuple[int, ...], shape: Sequence[int]) -> Iterator[Layout]:
    """Layouts with these chunks in shards; along each axis one chunk, a few, many, or all of them."""
    axes = []
    for c, n in zip(chunks, shape, strict=True):
        every = -(-n // c)
        axes.append(sorted({m for m in (1, 2, 4, 8, 16, 64, 256) if m < every} | {every}))
        if len(shape) > 3:
            axes[-1] = sorted({m for m in (1, 8, 64) if m < every} | {every})
    for several in itertools.product(*axes):
        if math.prod(several) > 1:
            yield Layout(chunks, tuple([m * c for m, c in zip(several, chunks, strict=True)]))


def neighbours(layout: Layout, shape: Sequence[int]) -> Iterator[Layout]:
    """Layouts a small step away: along one axis another length of the chunk, or more or fewer of them in a shard."""
    several = [s // c for s, c in zip(layout.shards, layout.chunks, strict=True)] if layout.shards else [1] * len(shape)
    for axis, (c, n) in enumerate(zip(layout.chunks, shape, strict=True)):
        parts = -(-n // c)
        others = {c - 1, c + 1, c * 2, c // 2, -(-n // (parts + 1)), -(-n // max(parts - 1, 1))}
        for other in sorted(o for o in others if 1 <= o <= n and o != c):
            yield _layout([*layout.chunks[:axis], other, *layout.chunks[axis + 1 :]], several, shape)
            wide = [*several[:axis], max(1, round(several[axis] * c / other)), *several[axis + 1 :]]
            yield _layout([*layout.chunks[:axis], other, *layout.chunks[axis + 1 :]], wide, shape)
        m = several[axis]
        for other in sorted({m - 1, m + 1, m * 2, m // 2, parts} - {m}):
            if 1 <= other <= parts:
                yield _layout(layout.chunks, [*several[:axis], other, *several[axis + 1 :]], shape)


def _layout(chunks: Sequence[int], several: Sequence[int], shape: Sequence[int]) -> Layout:
    several = [min(m, -(-n // c)) for m, n, c in zip(several, shape, chunks, strict=True)]
    shards = tuple([m * c for m, c in zip(several, chunks, strict=True)])
    return Layout(tuple(chunks), shards if math.prod(several) > 1 else None)


def search(
    shape: Sequence[int],
    windows: Sequence[Iterable[int]],
    score: Callable[[Layout], Any],
    with_shards: bool = True,
) -> None:
    """Have `score` called with layouts worth costing. It gives None for one that is not allowed, else a key to sort by.

    `score` remembers what it was called with; that is the result.
    """
    known: dict[Layout, Any] = {}

    def tried(layout: Layout) -> Any:
        if layout not in known:
            known[layout] = score(layout)
        return known[layout]

    for chunks in chunk_shapes(shape, windows):
        tried(Layout(chunks))
    if with_shards:
        plain = sorted((key, layout) for layout, key in known.items() if key is not None)
        # Large chunks are best alone, small ones within shards: fan out over sizes, not only over the best.
        sizes: dict[int, list[Layout]] = {}
        for _, layout in plain:
            sizes.setdefault(math.prod(layout.chunks).bit_length(), []).append(layout)
        share = max(2, FANNED_OUT // max(len(sizes), 1))
        for layout in [layout for group in sizes.values() for layout in group[:share]]:
            for candidate in shards_around(layout.chunks, shape):
                tried(candidate)
    for start in sorted((key, layout) for layout, key in known.items() if key is not None)[:3]:
        key, best = start
        for _ in range(STEPS):
            around = [layout for layout in neighbours(best, shape) if with_shards or layout.shards is None]
            options = [(tried(layout), layout) for layout in around]
            found = min((option for option in options if option[0] is not None), default=(key, best))
            if found[0] >= key:
                break
            key, best = found
