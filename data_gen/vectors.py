"""Vectors as a language model makes them, as many as you like: a mixture of von Mises-Fisher distributions.

Imitates: embeddings of text, of length one. Topics of very different sizes lie as tight or loose heaps around their
centres, and all centres within one wide cone. No unit.

Not real: heaps are round, and there is nothing to read. Whatever depends on meaning must be asked of real vectors
(`passages`); these are for counting and for scale.

Its realism test holds them to the same properties as the real ones: a mean cosine above zero (Ethayarajh 2019);
nearest neighbours that are much closer than that; and some vectors that are neighbours of many (Radovanovic, Nanopoulos
and Ivanovic 2010).

>>> rows = make("tiny").arrays["vectors"]
>>> rows.shape, bool(np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5))
((512, 384), True)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_gen import GenResult

ROWS = {"tiny": 512, "small": 4_000, "large": 100_000}
FEATURES, HEAPS, BLOCK = 384, 80, 4_096
CONE, TIGHTEST, LOOSEST = 0.58, 0.94, 0.72  # mean cosine of the centres to the axis, and of rows to their centre


def make(size: str = "small", seed: int = 0) -> GenResult:
    """So many vectors of 384 features: "tiny" 512, "small" 4,000, "large" 100,000."""
    if size not in ROWS:
        raise ValueError(f"vectors.make: size must be one of {', '.join(ROWS)}, got {size!r}; try size='small'")
    return GenResult(
        arrays={"vectors": np.concatenate(list(blocks(ROWS[size], seed)))},
        dims={"vectors": ("row", "feature")},
        units={"vectors": "1"},
        truth={"heaps": HEAPS},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def blocks(rows: int, seed: int = 0) -> Iterator[np.ndarray]:
    """The vectors, some thousand rows at a time. The first ones are the same however many are asked for."""
    draw = _Chance(seed)
    axis = np.full((1, FEATURES), FEATURES**-0.5)
    centres = _around(np.repeat(axis, HEAPS, 0), np.full(HEAPS, CONE), draw)
    sizes = 1 / np.arange(1, HEAPS + 1)  # as Zipf found: the second is half as large as the first
    closeness = LOOSEST + (TIGHTEST - LOOSEST) * (np.arange(HEAPS) * 0.618 % 1)  # large heaps and small ones alike
    for start in range(0, rows, BLOCK):
        heap = np.searchsorted(np.cumsum(sizes) / sizes.sum(), draw.uniform(BLOCK))
        found = _around(centres[heap], closeness[heap], draw)
        yield np.round(found, 7).astype(np.float32)[: rows - start]


class _Chance:
    """Uniform and normal numbers from the raw bits that NumPy promises to keep."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.PCG64(seed)

    def uniform(self, count: int) -> np.ndarray:
        """At least 0 and below 1."""
        return (self.bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def normal(self, rows: int, columns: int) -> np.ndarray:
        """Box and Muller's method: two numbers from two."""
        half = rows * columns // 2
        radius, angle = np.sqrt(-2 * np.log1p(-self.uniform(half))), 2 * np.pi * self.uniform(half)
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]).reshape(rows, columns)


def _around(centres: np.ndarray, closeness: np.ndarray, draw: _Chance) -> np.ndarray:
    """A von Mises-Fisher draw around each centre, whose mean cosine to it is `closeness`.

    The cosine comes from its distribution function, on a grid; the direction away from the centre is any.
    """
    n, d = centres.shape
    kappa = closeness * (d - closeness**2) / (1 - closeness**2)  # Banerjee et al. 2005
    grid = np.linspace(-1, 1, 2001)[1:-1]
    away = draw.normal(n, d)
    away -= (away * centres).sum(1, keepdims=True) * centres
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    chance, cosine = draw.uniform(n), np.empty(n)
    for k in np.unique(kappa):
        density = k * grid + (d - 3) / 2 * np.log1p(-grid * grid)
        upto = np.cumsum(np.exp(density - density.max()))
        chosen = kappa == k
        cosine[chosen] = np.interp(chance[chosen] * upto[-1], upto, grid)
    return cosine[:, None] * centres + np.sqrt(1 - cosine**2)[:, None] * away


def nearest(rows: np.ndarray, k: int) -> np.ndarray:
    """The rows that are closest to each row, itself left out, the closest first."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    some = np.argpartition(-cosines, k, axis=1)[:, :k]
    return np.take_along_axis(some, np.argsort(-np.take_along_axis(cosines, some, 1), axis=1), 1)


def shape_of(rows: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """What embeddings of text have in common: name -> (value, lowest allowed, highest allowed)."""
    rows = rows[:2_000].astype(np.float64)
    n, neighbours = len(rows), nearest(rows, 10)
    times = np.bincount(neighbours.ravel(), minlength=n)  # how often each row is among the ten of another
    return {
        "length of a vector": (float(np.linalg.norm(rows, axis=1).mean()), 0.99999, 1.00001),
        "mean cosine of two vectors": (float((np.linalg.norm(rows.sum(0)) ** 2 - n) / (n * (n - 1))), 0.1, 0.5),
        "median cosine of nearest neighbours": (float(np.median((rows * rows[neighbours[:, 0]]).sum(1))), 0.6, 0.9),
        "skewness of the times a row is a neighbour": (
            float((((times - times.mean()) / times.std()) ** 3).mean()),
            0.5,
            9,
        ),
    }


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    return shape_of(result.arrays["vectors"])
