"""Read an array with other Zarr implementations and compare what they see.

Each implementation is imported inside its own function; one that is not installed is a row that says so.
The two-way matrix over data types and codecs is another job; this is the check at the end of a lesson.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr

SKIPPED = "SKIPPED (not installed)"


def _zarr_python(folder: str, path: str) -> np.ndarray:
    import zarr

    return zarr.open_array(folder, path=path, mode="r")[...]


def _tensorstore(folder: str, path: str) -> np.ndarray:
    import tensorstore

    place = Path(folder, path)
    driver = "zarr3" if (place / "zarr.json").is_file() else "zarr"
    kvstore = {"driver": "file", "path": f"{place.resolve()}/"}
    return tensorstore.open({"driver": driver, "kvstore": kvstore}, read=True).result().read().result()


def _xarray(folder: str, path: str) -> np.ndarray:
    import xarray

    # The stored values, without scaling, mask or dates. xarray opens groups, and finds an array by its name.
    group, _, name = path.rpartition("/")
    return xarray.open_zarr(folder, group=group or None, consolidated=False, decode_cf=False)[name].to_numpy()


READERS: dict[str, tuple[str, Callable[[str, str], np.ndarray]]] = {
    "zarr-python": ("zarr", _zarr_python),
    "tensorstore": ("tensorstore", _tensorstore),
    "xarray": ("xarray", _xarray),
}


@dataclass(frozen=True)
class Reading:
    """What one implementation saw."""

    reader: str
    version: str
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    sha256: str = ""
    equal: bool | None = None  # None where it was not asked


@dataclass(frozen=True)
class InteropReport:
    """What all of them saw. Shows itself as a table."""

    readings: tuple[Reading, ...]

    @property
    def all_equal(self) -> bool:
        """Whether every implementation that is installed saw the expected values, and at least one is."""
        asked = [reading.equal for reading in self.readings if reading.equal is not None]
        return bool(asked) and all(asked)

    def __str__(self) -> str:
        head = ("reader", "version", "shape", "dtype", "sha256", "equal")
        rows = [head]
        for r in self.readings:
            shape = " x ".join(map(str, r.shape)) if r.shape is not None else ""
            verdict = {True: "yes", False: "NO", None: ""}[r.equal]
            rows.append((r.reader, r.version, shape, r.dtype, r.sha256[:12], verdict))
        wide = [max(len(row[column]) for row in rows) for column in range(len(head))]
        return "\n".join(
            "  ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows
        )

    __repr__ = __str__


def interop_check(
    folder: str | Path,
    path: str = "",
    expected: np.ndarray | None = None,
    readers: Sequence[str] = ("zarr-python", "tensorstore"),
) -> InteropReport:
    """Read the array at `path` in the store `folder` with other implementations and compare with `expected`.

    Without `expected`, with what this library reads. "xarray" reads an array in a group, by its name.
    """
    unknown = sorted(set(readers) - set(READERS))
    if unknown:
        raise ValueError(
            f"interop_check: expected readers among {', '.join(READERS)}, got {', '.join(unknown)}"
        )
    if expected is None:
        expected = tutorial_zarr.open_array(str(folder), path=path, mode="r")[...]
    return InteropReport(tuple(_read(name, str(folder), path, expected) for name in readers))


def _read(name: str, folder: str, path: str, expected: np.ndarray) -> Reading:
    package, read = READERS[name]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return Reading(name, SKIPPED)
    values = np.asarray(read(folder, path))
    same = (
        values.shape == expected.shape
        and values.dtype == expected.dtype
        and _digest(values) == _digest(expected)
    )
    return Reading(name, version, values.shape, str(values.dtype), _digest(values), same)


def _digest(values: Any) -> str:
    """The sha256 of the values in C order, little-endian: equal to the bit, NaN included."""
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
