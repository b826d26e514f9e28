"""The bridge of 09_01 and of article 35: units of times that are appended, hourly means and counted requests."""

import logging
import math
import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
xarray = pytest.importorskip("xarray")

TIMES = np.datetime64("2026-03-01T00:10", "ns") + np.arange(0, 24, 6) * np.timedelta64(1, "h")
SECONDS = {"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}


def readings():
    return xarray.Dataset({"temperature": ("time", np.arange(4, dtype="f4"))}, {"time": TIMES})


def to_zarr_of_both():
    from tutorial_zarr.integrations.xarray_backend.writing import to_zarr

    return {"here": to_zarr, "xarray": lambda dataset, *args, **options: dataset.to_zarr(*args, **options)}


@pytest.mark.bridge(
    '`to_zarr(..., append_dim="time")` refuses times that need other units',
    '`Dataset.to_zarr` appends hours under "days since", with a warning',
    "a refusal",
)
def test_hours_are_not_appended_to_days(tmp_path):
    write = to_zarr_of_both()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, to_zarr in write.items():
            to_zarr(readings().isel(time=[0]), str(tmp_path / name), mode="w")
        with pytest.raises(ValueError, match="days since 2026-03-01"):
            write["here"](readings().isel(time=slice(1, None)), str(tmp_path / "here"), append_dim="time")
    assert tutorial_zarr.open_group(tmp_path / "here", mode="r")["time"].shape == (1,)
    with pytest.warns(UserWarning, match="Serializing with units 'hours since"):
        write["xarray"](readings().isel(time=slice(1, None)), str(tmp_path / "xarray"), append_dim="time")
    with xarray.open_dataset(tmp_path / "xarray", engine="zarr") as found:
        apart = np.diff(found.time.values) / np.timedelta64(1, "D")
    assert apart.tolist() == [6, 6, 6]  # and were six hours


@pytest.mark.bridge(
    '`encoding={"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}` at the first write',
    "the same; later appends keep it",
    "-",
)
def test_seconds_from_the_first_write_on_serve_every_later_one(tmp_path):
    for name, to_zarr in to_zarr_of_both().items():
        to_zarr(readings().isel(time=[0]), str(tmp_path / name), mode="w", encoding=SECONDS)
        to_zarr(readings().isel(time=slice(1, None)), str(tmp_path / name), append_dim="time")
        with xarray.open_dataset(tmp_path / name, engine="zarr") as found:
            assert np.array_equal(found.time.values, TIMES)


@pytest.mark.bridge(
    '`to_zarr(mode="r+")` of an array of `datetime64`, read and unchanged: the dates stay',
    "`Dataset.to_zarr` writes day numbers into it, with no warning: 1970",
    "the dates",
)
def test_dates_that_are_written_back_unchanged(tmp_path):
    dates = np.array(["2025-01-01", "2025-01-02"], "datetime64[s]")
    for name, to_zarr in to_zarr_of_both().items():
        group = zarr.open_group(tmp_path / name, mode="w")
        group.create_array("a", shape=(2,), dtype="datetime64[s]", dimension_names=("t",))[:] = dates
        read = xarray.open_zarr(tmp_path / name, consolidated=False, chunks=None).load()
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            to_zarr(read, str(tmp_path / name), mode="r+", consolidated=False)
        found = zarr.open_array(str(tmp_path / name), path="a", mode="r")[:]
        assert np.array_equal(found, dates if name == "here" else np.array([0, 1], "datetime64[s]"))


@pytest.mark.bridge(
    "`by_hour(values)`, written by hand",
    '`resample(time="1h").mean()` in xarray, NaN left out',
    "here: a function for it",
)
def test_hourly_means_leave_out_what_never_came():
    minutes = np.datetime64("2026-03-01", "ns") + np.arange(180) * np.timedelta64(1, "m")
    values = np.arange(180.0)
    values[10:70] = math.nan
    values[120:] = math.nan
    found = xarray.DataArray(values, {"time": minutes}, "time").resample(time="1h").mean()
    wanted = [np.mean(values[:10]), np.mean(values[70:120]), math.nan]
    assert np.array_equal(found, wanted, equal_nan=True)
    assert not hasattr(tutorial_zarr.Array, "resample")


@pytest.mark.bridge(
    "`a[place] = block` counted by `TraceStore`",
    "`zarr.storage.LoggingStore` logs each call",
    "a list of requests with bytes",
)
def test_writes_of_a_chunk_can_be_seen_on_both_sides(caplog):
    layout = {"shape": (4, 6), "chunks": (4, 3), "dtype": "f4", "fill_value": math.nan}
    trace = TraceStore(tutorial_zarr.create_array({}, **layout).store)
    a = tutorial_zarr.open_array(trace, mode="r+")
    trace.clear()
    a[:, :3] = 1
    (put,) = [request for request in trace.requests if request.verb == "PUT"]
    assert put.nbytes > 0
    store = zarr.storage.LoggingStore(zarr.storage.MemoryStore())
    a = zarr.create_array(store, **layout)
    with caplog.at_level(logging.DEBUG):
        store.counter.clear()
        a[:, :3] = 1
    assert store.counter["set"] == 1
    assert not hasattr(store, "requests")
