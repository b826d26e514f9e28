"""The bridge of 05_06 and of article 24: chunks one by one, names by content, dates and as-of reads, on both sides."""

import hashlib

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")

FORM = {"shape": (2, 10, 3), "chunks": (1, 4, 3), "dtype": "f4", "fill_value": -1}
DAYS = np.arange("2013-01-28", "2013-02-07", dtype="M8[D]").astype("M8[ns]")


@pytest.mark.bridge(
    "`array.read_chunk(at)` for each `at` of `array.stored_chunks()`",
    "`array.blocks[at]` in zarr-python",
    "the coordinates of the chunks that are stored",
)
def test_a_chunk_is_read_by_its_coordinates_on_both_sides():
    values = np.arange(60, dtype="f4").reshape(2, 10, 3)
    ours, theirs = tutorial_zarr.create_array(MemoryStore(), **FORM), zarr.create_array({}, **FORM)
    for a in (ours, theirs):
        a[1] = values[1]
        assert a.nchunks_initialized == 3
    stored = list(ours.stored_chunks())
    assert stored == [(1, 0, 0), (1, 1, 0), (1, 2, 0)]
    for at in stored:
        assert np.array_equal(ours.read_chunk(at), np.asarray(theirs.blocks[at]))
    assert not [name for name in dir(theirs) if not name.startswith("_") and "stored_chunk" in name]


@pytest.mark.bridge(
    "`manifest(array)`: named by content",
    "`dask.array.from_zarr(path).name`: named by path; the same after a write, another for a copy",
    "a name by content for what is in a store",
)
def test_dask_names_an_array_by_its_path(tmp_path):
    da = pytest.importorskip("dask.array")

    def manifest(path):
        array = tutorial_zarr.open_array(path, mode="r")
        return [hashlib.sha256(array.read_chunk(at).tobytes()).hexdigest() for at in array.stored_chunks()]

    array = zarr.create_array(str(tmp_path / "a"), data=np.arange(6.0), chunks=(3,))
    zarr.create_array(str(tmp_path / "copy"), data=np.arange(6.0), chunks=(3,))
    name, content = da.from_zarr(str(tmp_path / "a")).name, manifest(tmp_path / "a")
    assert da.from_zarr(str(tmp_path / "copy")).name != name
    assert manifest(tmp_path / "copy") == content
    array[0] = 99
    assert da.from_zarr(str(tmp_path / "a")).name == name
    assert [one == other for one, other in zip(manifest(tmp_path / "a"), content, strict=True)] == [False, True]


def dataset():
    xr = pytest.importorskip("xarray")
    values = np.arange(60.0).reshape(2, 10, 3)
    return xr.Dataset({"features": (("run", "date", "feature"), values)}, {"date": DAYS, "run": [0, 2]})


@pytest.mark.bridge(
    "`array[2, t]`, with `t` looked up among the dates",
    '`dataset["features"].sel(run=2, date="2013-02-01")` in xarray',
    "-",
)
def test_xarray_looks_a_date_up(tmp_path):
    labelled = dataset()
    found = labelled["features"].sel(run=2, date="2013-02-01")
    ours = tutorial_zarr.create_array(MemoryStore(), data=labelled["features"].to_numpy(), chunks=(1, 4, 3))
    t = int(np.flatnonzero(np.datetime64("2013-02-01") == DAYS)[0])
    assert np.array_equal(ours[1, t], found.to_numpy())


@pytest.mark.bridge(
    "`as_of(data, t)`",
    "`dataset.sel(date=slice(None, day))`, which includes the day itself",
    "a check that a feature is causal",
)
def test_a_slice_of_labels_includes_its_end_and_nothing_checks_what_a_feature_has_seen():
    pandas = pytest.importorskip("pandas")
    known = dataset().sel(date=slice(None, "2013-02-01"))
    assert known.sizes["date"] == 5
    assert known["date"].to_numpy()[-1] == np.datetime64("2013-02-01")
    prices = pandas.Series(np.arange(10.0) ** 2, index=DAYS)
    centred = prices.rolling(3, center=True).mean()  # knows tomorrow, and nothing objects
    assert not np.isnan(centred["2013-02-01"])
    assert np.isnan(prices[:"2013-02-01"].rolling(3, center=True).mean()["2013-02-01"])
