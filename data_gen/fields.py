"""Square fields of float32: one that changes smoothly, one of pure chance, and one of zeros.

Imitates: the two ends between which measurements lie, and emptiness. "gradient" is a plane in which every value
names its own place: the value at row r, column c is ``r + c / 4096``, exactly. "noise" is drawn evenly from the
same range. Units: none.

Not real: measurements are smooth and noisy at once, so neither a ratio of compression nor a statistic of these
fields says anything about them. They are for counting, where the values do not matter, and for limits.

Its realism test is what the names promise: neighbours in the gradient go together perfectly and in the noise not
at all, and zlib finds everything in zeros, something in the gradient, and next to nothing in the noise.

>>> field = gradient(8)
>>> float(field[3, 7]), 3 + 7 / 4096
(3.001708984375, 3.001708984375)
"""

from __future__ import annotations

import zlib

import numpy as np

from data_gen import GenResult

SIDES = {"tiny": 64, "small": 512, "large": 2048}
LARGEST = 4096  # beyond it, float32 cannot hold a row's number and a column's share exactly


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Three square fields: "tiny" is 64 x 64, "small" 512 x 512 (1 MB each), "large" 2048 x 2048 (16 MB each)."""
    if size not in SIDES:
        raise ValueError(f"fields.make: size must be one of {', '.join(SIDES)}, got {size!r}; try size='small'")
    side = SIDES[size]
    return GenResult(
        arrays={"gradient": gradient(side), "noise": noise(side, seed), "zero": np.zeros((side, side), np.float32)},
        dims=dict.fromkeys(("gradient", "noise", "zero"), ("row", "column")),
        units=dict.fromkeys(("gradient", "noise", "zero"), "1"),
        truth={"gradient": "row + column / 4096"},
        provenance={"source": f"computed; noise from PCG64, seed {seed}", "licence": "none needed"},
    )


def gradient(side: int) -> np.ndarray:
    """The plane ``row + column / 4096`` of `side` x `side` values."""
    if not 1 <= side <= LARGEST:
        raise ValueError(f"fields.gradient: side must be from 1 to {LARGEST}, got {side}; try 2048")
    row, column = np.ogrid[:side, :side]
    return (row + column / 4096).astype(np.float32)


def noise(side: int, seed: int = 0) -> np.ndarray:
    """`side` x `side` values drawn evenly from 0 to `side`, in steps of ``1 / 4096``."""
    bits = np.random.PCG64(seed).random_raw(side * side)  # NumPy promises to keep these; a Generator's it does not
    return (bits % np.uint64(side * 4096) / 4096).astype(np.float32).reshape(side, side)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""

    def neighbours(values: np.ndarray) -> float:
        pairs = values.astype(np.float64)
        return float(np.corrcoef(pairs[1:].ravel(), pairs[:-1].ravel())[0, 1])

    def left(values: np.ndarray) -> float:
        return len(zlib.compress(values.tobytes(), 6)) / values.nbytes

    fields = result.arrays
    # Chance: the correlation of n independent pairs is within four standard errors of zero.
    slack = 4 / np.sqrt(fields["noise"].size)
    return {
        "correlation of neighbours in the gradient": (neighbours(fields["gradient"]), 0.999, 1.0),
        "correlation of neighbours in the noise": (neighbours(fields["noise"]), -slack, slack),
        "share left by zlib: zeros": (left(fields["zero"]), 0.0, 0.02),
        "share left by zlib: gradient": (left(fields["gradient"]), 0.02, 0.7),
        "share left by zlib: noise": (left(fields["noise"]), 0.7, 1.01),
    }
