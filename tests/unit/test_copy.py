"""Copies of arrays and groups, byte by byte."""

from __future__ import annotations

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeExistsError


def test_an_array_at_the_root_is_copied_to_the_root_of_another_store():
    target: dict[str, bytes] = {}
    copy = zarr.copy(zarr.array(np.arange(5), chunks=2), target)
    assert copy[...].tolist() == [0, 1, 2, 3, 4]
    assert sorted(target) == ["c/0", "c/1", "c/2", "zarr.json"]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_group_is_copied_with_all_that_it_holds(zarr_format):
    source = zarr.create_group({}, zarr_format=zarr_format, attributes={"a": 1})
    source.create_array("deep/x", data=np.arange(4.0), chunks=2)
    copy = zarr.copy(source, {}, name="there")
    assert dict(copy.attrs) == {"a": 1}
    assert copy["deep/x"][...].tolist() == [0, 1, 2, 3]


def test_a_copy_into_itself_is_refused():
    source = zarr.create_group({})
    source.create_group("g")
    with pytest.raises(NodeExistsError, match="expected a place outside"):
        zarr.copy(source["g"], source["g"], name="h")
