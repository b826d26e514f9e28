"""Deterministic data for the notebooks: one data set per module, each with ``make(size="small", seed=0)``.

Two kinds live side by side. A *generator* (`matrix`) computes its values from its arguments alone, so the
same call gives the same bytes everywhere; where it needs chance it takes the raw bits of ``PCG64``, which
NumPy promises to keep, and rounds before anything is hashed. A *vendored* data set (`land`) is a small real
one, kept in ``vendor/`` with its licence, the script that built it and its sha256, which is checked on every
load.

A module's docstring says what the data imitate, in which units, what is not real about them, and which
published fact its ``realism`` function holds them to. Nothing here knows about Zarr.

>>> from data_gen import matrix
>>> result = matrix.make(size="tiny")
>>> int(result.arrays["matrix"][3, 7])
3007
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["GenResult"]


@dataclass(frozen=True)
class GenResult:
    """What a generator returns.

    arrays      name -> array
    dims        name -> the names of its axes
    units       name -> the unit of its values, "1" for plain numbers
    truth       what was planted and can be recovered: sums, counts, positions
    provenance  where the data come from: source, licence, and how they were made
    """

    arrays: dict[str, np.ndarray]
    dims: dict[str, tuple[str, ...]]
    units: dict[str, str]
    truth: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)

    def sha256(self, name: str) -> str:
        """The sha256 of an array's values, in C order and little-endian, as hexadecimal digits."""
        values = np.ascontiguousarray(self.arrays[name])
        return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()

    def passport(self) -> str:
        """Where the data come from and what they are, as lines of text to print at the head of a lesson."""
        lines = [f"{key}: {value}" for key, value in self.provenance.items()]
        for name, values in self.arrays.items():
            axes = " x ".join(f"{dim} {n}" for dim, n in zip(self.dims[name], values.shape, strict=True))
            lines.append(f"{name}: {values.dtype}, {axes}, unit {self.units[name]}")
            lines.append(f"{name} sha256: {self.sha256(name)[:16]}...")
        return "\n".join(lines)
