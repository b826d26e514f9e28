"""The rows of the bridge table of 02_03, each run on both sides."""

import json

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import MetadataError

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows speak of zarr-python 3.4")
xr = pytest.importorskip("xarray")
ZarrBackend = pytest.importorskip("tutorial_zarr.integrations.xarray_backend").ZarrBackend


def fill(library, path):
    """A value along years, and the years, with the names of one library."""
    root = library.create_group(str(path), attributes={"title": "two years"})
    root.create_array("value", data=np.array([1.0, 2.0]), dimension_names=["year"])
    root.create_array("year", data=np.array([2001, 2002]), dimension_names=["year"])
    root["value"].attrs["units"] = "K"
    library.consolidate_metadata(root.store)
    return path


@pytest.mark.bridge("`create_group`, `create_array`, `attrs`, `consolidate_metadata`", "the same names", "-")
def test_the_same_names_make_the_same_dataset(tmp_path):
    ours = fill(tutorial_zarr, tmp_path / "ours")
    theirs = fill(zarr, tmp_path / "theirs")
    one, other = (xr.open_zarr(path).load() for path in (ours, theirs))
    xr.testing.assert_identical(one, other)
    assert one["value"].attrs == {"units": "K"}


@pytest.mark.bridge(
    '`xr.open_dataset(path, engine="tutorial_zarr")`',
    "`xr.open_zarr(path)`: an identical dataset, as Dask arrays if Dask is there",
    "-",
)
def test_both_engines_open_the_same_dataset(tmp_path):
    path = fill(zarr, tmp_path / "d")
    ours, theirs = xr.open_dataset(path, engine=ZarrBackend), xr.open_zarr(path)
    xr.testing.assert_identical(ours.load(), xr.open_zarr(path).load())
    pytest.importorskip("dask")
    assert theirs["value"].chunks == ((2,),)
    assert "tutorial_zarr" in xr.backends.list_engines()


@pytest.mark.bridge(
    "`dimension_names=`, in both formats",
    "zarr-python: in Zarr 3 only; xarray writes `_ARRAY_DIMENSIONS` in Zarr 2",
    "zarr-python: names in Zarr 2",
)
def test_names_of_axes_in_zarr_2(tmp_path):
    tutorial_zarr.create_array(tmp_path / "ours", data=np.arange(2), zarr_format=2, dimension_names=["x"])
    assert json.loads((tmp_path / "ours" / ".zattrs").read_text()) == {"_ARRAY_DIMENSIONS": ["x"]}
    with pytest.raises(ValueError, match="format 2 arrays do not support dimension names"):
        zarr.create_array({}, data=np.arange(2), zarr_format=2, dimension_names=["x"])
    assert zarr.create_array({}, data=np.arange(2), dimension_names=["x"]).metadata.dimension_names == ("x",)
    xr.Dataset({"v": ("x", [1, 2])}).to_zarr(tmp_path / "xarray", zarr_format=2)
    assert json.loads((tmp_path / "xarray" / "v" / ".zattrs").read_text())["_ARRAY_DIMENSIONS"] == ["x"]


@pytest.mark.bridge(
    "`a.append(values)`: one array grows",
    'xarray: `ds.to_zarr(path, append_dim="year")`, all arrays of the axis grow',
    "-",
)
def test_what_grows(tmp_path):
    path = fill(tutorial_zarr, tmp_path / "d")
    tutorial_zarr.open_group(path)["value"].append(np.array([3.0]))
    with pytest.raises(ValueError, match="conflicting sizes"):
        xr.open_zarr(path, consolidated=False)
    whole = tmp_path / "whole"
    xr.Dataset({"value": ("year", [1.0, 2.0])}, {"year": [2001, 2002]}).to_zarr(whole)
    xr.Dataset({"value": ("year", [3.0])}, {"year": [2003]}).to_zarr(whole, append_dim="year")
    grown = xr.open_zarr(whole)
    assert (grown["year"].values.tolist(), grown["value"].values.tolist()) == ([2001, 2002, 2003], [1.0, 2.0, 3.0])


@pytest.mark.bridge(
    '`attrs["valid_max"] = nan` is refused',
    "zarr-python and xarray write `NaN`, which is no JSON",
    "the refusal",
)
def test_an_attribute_that_is_no_json(tmp_path):
    a = tutorial_zarr.create_array(tmp_path / "ours", data=np.arange(2.0))
    with pytest.raises(MetadataError, match="expected values that JSON can hold"):
        a.attrs["valid_max"] = float("nan")
    zarr.create_array(str(tmp_path / "theirs"), data=np.arange(2.0)).attrs["valid_max"] = float("nan")
    xr.Dataset({"v": ("x", [1.0], {"valid_max": float("nan")})}).to_zarr(tmp_path / "xarray")

    def strict(text):
        return json.loads(text, parse_constant=lambda name: pytest.fail(name))

    strict((tmp_path / "ours" / "zarr.json").read_text())
    for document in (tmp_path / "theirs" / "zarr.json", tmp_path / "xarray" / "v" / "zarr.json"):
        with pytest.raises(pytest.fail.Exception, match="NaN"):
            strict(document.read_text())


@pytest.mark.bridge("a fill value of 0 in Zarr 2 hides zeros from xarray", "the same through zarr-python", "-")
def test_zeros_that_vanish(tmp_path):
    group = tutorial_zarr.create_group(tmp_path / "g", zarr_format=2)
    group.create_array("storms", data=np.array([3, 0, 0, 2]), dimension_names=["day"])
    for engine in (ZarrBackend, "zarr"):
        found = xr.open_dataset(tmp_path / "g", engine=engine, zarr_format=2, consolidated=False)["storms"].values
        assert np.array_equal(found, [3, np.nan, np.nan, 2], equal_nan=True)
