"""Readers that are not this project's: what they see of the array in a folder."""

from pathlib import Path

import pytest


def zarr_python(folder, path=None):
    """Its elements."""
    return zarr_python_in_full(folder, path)[0]


def zarr_python_in_full(folder, path=None):
    """Its elements, the shape of its chunks, and its format."""
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(str(folder), path=path, mode="r")
    return array[...], array.chunks, array.metadata.zarr_format


def tensorstore(folder, path=""):
    """Its elements."""
    return tensorstore_in_full(folder, path)[0]


def tensorstore_in_full(folder, path=""):
    """Its elements, the shape of its chunks, and its format."""
    ts = pytest.importorskip("tensorstore")
    place = Path(folder, path)
    zarr_format = 3 if (place / "zarr.json").is_file() else 2
    driver = "zarr3" if zarr_format == 3 else "zarr"
    array = ts.open({"driver": driver, "kvstore": {"driver": "file", "path": f"{place}/"}}).result()
    return array.read().result(), tuple(array.chunk_layout.read_chunk.shape), zarr_format
