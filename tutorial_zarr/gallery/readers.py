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


def _zarr_python(folder: str, path: str) -> Any:
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


def _write_zarr_python(folder: str, values: np.ndarray, chunks: tuple[int, ...], zarr_format: Any) -> None:
    import zarr

    zarr.create_array(folder, data=values, chunks=chunks, zarr_format=zarr_format, overwrite=True)


def _write_tensorstore(folder: str, values: np.ndarray, chunks: tuple[int, ...], zarr_format: int) -> None:
    import tensorstore

    if zarr_format == 2:
        driver, metadata = "zarr", {"chunks": chunks, "compressor": {"id": "zstd", "level": 3}}
    else:
        grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
        codecs = ["bytes", {"name": "zstd", "configuration": {"level": 3}}]
        driver, metadata = "zarr3", {"chunk_grid": grid, "codecs": codecs}
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{folder}/"}, "metadata": metadata}
    array = tensorstore.open(spec, dtype=values.dtype, shape=values.shape, create=True, delete_existing=True).result()
    array.write(values).result()


READERS: dict[str, tuple[str, Callable[[str, str], np.ndarray]]] = {
    "zarr-python": ("zarr", _zarr_python),
    "tensorstore": ("tensorstore", _tensorstore),
    "xarray": ("xarray", _xarray),
}
WRITERS: dict[str, tuple[str, Callable[..., None]]] = {
    "zarr-python": ("zarr", _write_zarr_python),
    "tensorstore": ("tensorstore", _write_tensorstore),
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
    def differing(self) -> list[str]:
        """The implementations that saw other values; one that is not installed saw none, and is not named."""
        return [reading.reader for reading in self.readings if reading.equal is False]

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
        lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
        if any(reading.version == SKIPPED for reading in self.readings):
            lines.append('to install what is missing: python -m pip install "tutorial_zarr[interop]"')
        return "\n".join(lines)

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
        raise ValueError(f"interop_check: expected readers among {', '.join(READERS)}, got {', '.join(unknown)}")
    if expected is None:
        expected = tutorial_zarr.open_array(str(folder), path=path, mode="r")[...]
    return InteropReport(tuple(_read(name, str(folder), path, expected) for name in readers))


def interop_from_others(
    folder: str | Path, values: np.ndarray, chunks: tuple[int, ...], zarr_format: int
) -> InteropReport:
    """Let other implementations write `values` below `folder`, and compare what this library reads there."""
    return InteropReport(
        tuple(_read_from(name, Path(folder).resolve(), values, chunks, zarr_format) for name in WRITERS)
    )


def _read_from(name: str, folder: Path, values: np.ndarray, chunks: tuple[int, ...], zarr_format: int) -> Reading:
    package, write = WRITERS[name]
    version = _version(package)
    label = f"{name} -> tutorial_zarr"
    if version is None:
        return Reading(label, SKIPPED)
    target = str(folder / f"{name}_v{zarr_format}.zarr")
    write(target, values, chunks, zarr_format)
    return _compare(label, version, tutorial_zarr.open_array(target, mode="r")[...], values)


def _read(name: str, folder: str, path: str, expected: np.ndarray) -> Reading:
    package, read = READERS[name]
    version = _version(package)
    if version is None:
        return Reading(name, SKIPPED)
    return _compare(name, version, np.asarray(read(folder, path)), expected)


def _compare(label: str, version: str, found: np.ndarray, expected: np.ndarray) -> Reading:
    same = found.shape == expected.shape and found.dtype == expected.dtype and _digest(found) == _digest(expected)
    return Reading(label, version, found.shape, str(found.dtype), _digest(found), same)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _digest(values: np.ndarray) -> str:
    """The sha256 of the values in C order, little-endian: equal to the bit, NaN included."""
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
