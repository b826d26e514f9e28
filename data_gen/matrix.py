"""A matrix in which every value names its own place: the value at row r, column c is ``1000 * r + c``.

Imitates: nothing. It is a ruler: whatever part of it you read back, you see at once which part it is, and
sums of blocks have a closed form that needs no computer. Units: none.

Not real: there is no noise and no chance, so `seed` changes nothing; neighbouring values differ by one, so it
compresses far better than measurements do. Never judge a codec by it.

Its realism test is arithmetic: the sum of a block equals ``block_sum``, Gauss's formula for two straight
lines.

>>> values = make(size="tiny").arrays["matrix"]
>>> values[2:4, 5:8]
array([[2005, 2006, 2007],
       [3005, 3006, 3007]], dtype=int32)
>>> int(values[2:4, 5:8].sum()) == block_sum(range(2, 4), range(5, 8))
True
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult

SIDES = {"tiny": 40, "small": 1000}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """A square matrix of int32: "tiny" is 40 x 40, "small" is 1000 x 1000 (4 MB).

    A thousand is as far as the pattern goes: the value of row 0, column 1000 would be that of row 1, column
    0.
    """
    if size not in SIDES:
        raise ValueError(f"matrix.make: size must be one of {', '.join(SIDES)}, got {size!r}; try size='small'")
    side = SIDES[size]
    row, column = np.ogrid[:side, :side]
    return GenResult(
        arrays={"matrix": (1000 * row + column).astype(np.int32)},
        dims={"matrix": ("row", "column")},
        units={"matrix": "1"},
        truth={"sum": block_sum(range(side), range(side))},
        provenance={"source": "computed: 1000 * row + column", "licence": "none needed"},
    )


def block_sum(rows: range, columns: range) -> int:
    """The exact sum of a block, from the sums of two arithmetic series; no array is made."""
    return 1000 * len(columns) * sum(rows) + len(rows) * sum(columns)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    values = result.arrays["matrix"].astype(np.int64)
    expected = float(result.truth["sum"])
    return {
        "sum": (float(values.sum()), expected, expected),
        "step along a row": (float(np.diff(values, axis=1).mean()), 1, 1),
        "step down a column": (float(np.diff(values, axis=0).mean()), 1000, 1000),
    }
