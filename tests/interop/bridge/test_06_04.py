"""The bridge of 06_04 and of article 28: running totals, appending and means, here, in zarr-python and in xarray."""

import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")

DAILY = np.arange(5 * 3).reshape(5, 3) % 7 + 2**54  # too large for a float64 to hold exactly
RUNNING = np.concatenate([np.zeros((1, 3), "int64"), DAILY.cumsum(axis=0)])


@pytest.mark.bridge("`running[stop] - running[first]`", "the same in zarr-python: two chunks", "-")
def test_a_window_is_two_chunks_in_both():
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=RUNNING, chunks=(1, 3))
    trace.clear()
    log = zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_handler=logging.NullHandler())
    theirs = zarr.create_array(log, data=RUNNING, chunks=(1, 3))
    log.counter.clear()
    for a in (ours, theirs):
        assert np.array_equal(a[4] - a[1], DAILY[1:4].sum(axis=0))
    assert trace.count("GET") == log.counter["get"] == 2


@pytest.mark.bridge(
    "`daily.cumsum(axis=0)`, exact in whole numbers", '`ds.cumsum("day")` in xarray, whole numbers too', "-"
)
def test_running_totals_of_whole_numbers_stay_whole_in_xarray():
    xr = pytest.importorskip("xarray")
    theirs = xr.DataArray(DAILY, dims=("day", "size")).cumsum("day")
    assert theirs.dtype == np.int64
    assert np.array_equal(theirs, RUNNING[1:])
    assert not np.array_equal(DAILY.astype(float).cumsum(axis=0).astype("int64"), RUNNING[1:])


@pytest.mark.bridge(
    "`array.append(row)` along the first axis",
    '`ds.to_zarr(store, append_dim="day")` in xarray, by the name of the axis',
    "the name of the axis here",
)
def test_a_day_is_appended_by_number_here_and_by_name_there():
    xr = pytest.importorskip("xarray")
    ours = tutorial_zarr.create_array(MemoryStore(), data=DAILY[:4], chunks=(1, 3), dimension_names=("day", "size"))
    ours.append(DAILY[4:])
    with pytest.raises((TypeError, ValueError)):
        ours.append(DAILY[4:], axis="day")
    store = zarr.storage.MemoryStore()
    for part, how in ((DAILY[:4], {}), (DAILY[4:], {"append_dim": "day"})):
        xr.Dataset({"sums": (("day", "size"), part)}).to_zarr(store, consolidated=False, **how)
    assert np.array_equal(xr.open_zarr(store, consolidated=False).sums, DAILY)
    assert np.array_equal(ours[...], DAILY)


@pytest.mark.bridge(
    "means of all orders, NaN where there are none",
    '`ds.mean("day")` leaves NaN out without a word, `skipna=False` keeps it',
    "-",
)
def test_xarray_leaves_nan_out_of_a_mean():
    xr = pytest.importorskip("xarray")
    logs = xr.DataArray([[1.0, 5.0], [np.nan, 7.0]], dims=("day", "size"))
    assert logs.mean("day").values.tolist() == [1.0, 6.0]
    assert np.isnan(logs.mean("day", skipna=False).values).tolist() == [True, False]
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.array([0.0, 3.0]) / np.array([0, 1])).tolist() == [True, False]
