"""Points of two classes for training, made row by row: any row can be made by itself, and is always the same.

Imitates: two kinds of things, measured by 16 numbers each, that overlap. Both are round clouds, normal with variance
one, and their centres lie `APART` apart. No unit.

Not real: real classes are neither round nor equally frequent. In return the best accuracy that any classifier can
reach is known: Phi(APART / 2), the normal distribution function, which is 0.8413 for a distance of 2 (Fisher 1936;
Duda, Hart and Stork, Pattern Classification, 2nd ed. 2001, chapter 2).

How a row is found: Philox (Salmon et al. 2011) is a random generator that counts. Number k of a stream is a function
of the key and of k, so it can start anywhere. The key is the seed and the number of the array; a feature takes two.

>>> x, y = block(5, 8)
>>> x.shape, y.tolist()
((3, 16), [0, 1, 1])
>>> bool((block(0, 8)[0][5:] == x).all())
True
"""

from __future__ import annotations

import math

import numpy as np

from data_gen import GenResult

ROWS = {"tiny": 1_024, "small": 8_192, "large": 204_800}
FEATURES, APART = 16, 2.0
LABELS, NOISE = 0, 1  # which stream


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Rows of 16 features and their classes, 0 or 1: "tiny" 1,024, "small" 8,192, "large" 204,800."""
    if size not in ROWS:
        raise ValueError(f"training.make: size must be one of {', '.join(ROWS)}, got {size!r}; try size='small'")
    x, y = block(0, ROWS[size], seed)
    return GenResult(
        arrays={"x": x, "y": y},
        dims={"x": ("row", "feature"), "y": ("row",)},
        units={"x": "1", "y": "1"},
        truth={"best accuracy": best_accuracy(APART)},
        provenance={"source": f"computed; chance from Philox, seed {seed}", "licence": "none needed"},
    )


def block(start: int, stop: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows `start` to `stop`: features, float32, and classes, uint8. Whoever asks gets the same, in any portions."""
    y = (raw(seed, LABELS, start, stop) >> np.uint64(63)).astype(np.uint8)
    words = raw(seed, NOISE, start * FEATURES * 2, stop * FEATURES * 2)
    first, second = ((words >> np.uint64(11)) * 2.0**-53).reshape(-1, FEATURES, 2).transpose(2, 0, 1)
    noise = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)  # Box and Muller's method
    shift = (y - 0.5) * APART / math.sqrt(FEATURES)
    return np.round(noise + shift[:, None], 5).astype(np.float32), y


def raw(seed: int, stream: int, start: int, stop: int) -> np.ndarray:
    """The numbers `start` to `stop` of a stream, uint64. Philox counts in blocks of four."""
    bits = np.random.Philox(key=np.array([seed, stream], np.uint64))
    bits.advance(start // 4)
    return bits.random_raw(stop - start // 4 * 4)[start % 4 :]


def best_accuracy(apart: float) -> float:
    """What the best classifier reaches between two such clouds."""
    return (1 + math.erf(apart / 2 / math.sqrt(2))) / 2


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed). The bounds are four standard errors wide."""
    x, y = result.arrays["x"].astype(np.float64), result.arrays["y"]
    n, best = len(y), best_accuracy(APART)
    right = (x.mean(1) > 0) == y
    spread = 4 * math.sqrt(best * (1 - best) / n)
    apart = float(np.linalg.norm(x[y == 1].mean(0) - x[y == 0].mean(0)))
    within = float(np.concatenate([x[y == k] - x[y == k].mean(0) for k in (0, 1)]).var())
    return {
        "share of class 1": (float(y.mean()), 0.5 - 2 / math.sqrt(n), 0.5 + 2 / math.sqrt(n)),
        "distance of the centres": (apart, APART - 0.15, APART + 0.15),
        "variance within a class": (within, 0.97, 1.03),
        "accuracy of the best rule": (float(right.mean()), best - spread, best + spread),
        "share of rows that stand there once": (len(np.unique(x, axis=0)) / n, 1.0, 1.0),
    }
