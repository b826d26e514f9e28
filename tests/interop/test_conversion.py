"""What was converted is read by zarr-python, an implementation that shares no code with this one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.tools.convert import rechunk, remove_metadata, to_v2, to_v3

pytestmark = pytest.mark.interop
zarr = pytest.importorskip("zarr", reason="zarr-python is not installed")


def layouts(zarr_format):
    """Name -> the keywords of an array whose chunks the other format can keep."""
    number = np.arange(12).reshape(4, 3)
    keys = {} if zarr_format == 2 else {"chunk_key_encoding": "v2"}
    yield "plain", {"data": number.astype("f4"), "compressors": None, **keys}
    yield "big", {"data": number.astype(">f8"), "dtype": ">f8", "compressors": ["gzip"], **keys}
    yield "fortran", {"data": number.astype("i2"), "order": "F", **keys}
    yield "text", {"data": np.array([["a", "ü", ""]] * 4, object), "dtype": str, **keys}
    if zarr_format == 2:
        yield "delta", {"data": number.astype("i8"), "filters": [{"id": "delta", "dtype": "<i8"}]}


@pytest.mark.parametrize(("zarr_format", "convert"), [(2, to_v3), (3, to_v2)])
def test_converted_hierarchies_are_read_by_zarr_python(zarr_format, convert, tmp_path):
    root = tutorial_zarr.create_group(tmp_path, zarr_format=zarr_format, attributes={"title": "x"})
    for name, options in layouts(zarr_format):
        root.create_array(f"g/{name}", chunks=(2, 2), attributes={"name": name}, **options)
    expected = {path: node[...] for path, node in root["g"].arrays()}
    convert(tmp_path)
    remove_metadata(tmp_path, zarr_format)
    with warnings.catch_warnings(action="ignore"):  # zarr-python's, about what it calls unstable
        group = zarr.open_group(str(tmp_path), mode="r", zarr_format=5 - zarr_format)
        assert dict(group.attrs) == {"title": "x"}
        for name, elements in expected.items():
            assert dict(group[f"g/{name}"].attrs) == {"name": name}
            assert np.asarray(group[f"g/{name}"][...]).tolist() == elements.tolist()


@pytest.mark.parametrize("options", [{"chunks": (3, 1)}, {"chunks": (1, 2), "shards": (2, 4)}, {"zarr_format": 2}])
def test_rechunked_arrays_are_read_by_zarr_python(options, tmp_path):
    data = np.arange(60, dtype="i4").reshape(10, 6)
    rechunk(tutorial_zarr.array(data, chunks=(1, 6)), tmp_path, **options)
    with warnings.catch_warnings(action="ignore"):
        assert np.array_equal(zarr.open_array(str(tmp_path), mode="r")[...], data)
