"""The bridge of 05_02 and of article 20: events at irregular times, here and in xarray and zarr-python."""

import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
xr = pytest.importorskip("xarray")

TIME = np.array([100, 900, 1_000, 1_700, 3_200])  # milliseconds
PRICE = np.array([10, 11, 12, 13, 14])


def events():
    return xr.Dataset({"price": ("time", PRICE)}, {"time": TIME.astype("timedelta64[ms]")})


def milliseconds(values):
    return np.asarray(values).astype("timedelta64[ms]")


@pytest.mark.bridge(
    '`np.searchsorted(time, t, side="right") - 1`',
    '`ds.sel(time=t, method="ffill")` in xarray',
    "strictly before: `sel` takes an event of the very moment",
)
def test_sel_with_ffill_is_the_join_at_or_before():
    moments = np.array([100, 950, 1_000, 3_199, 9_000])
    ours = PRICE[np.searchsorted(TIME, moments, side="right") - 1]
    theirs = events().sel(time=milliseconds(moments), method="ffill").price.values
    assert theirs.tolist() == ours.tolist() == [10, 11, 12, 13, 14]
    before = PRICE[np.searchsorted(TIME, [1_000], side="left") - 1]
    assert before.tolist() == [11] != events().sel(time=milliseconds([1_000]), method="ffill").price.values.tolist()


@pytest.mark.bridge("`as_of(time, grid)` for a grid of snapshots", '`ds.reindex(time=grid, method="ffill")`', "-")
def test_reindex_makes_the_same_snapshots():
    grid = np.arange(1_000, 5_000, 1_000)
    ours = PRICE[np.searchsorted(TIME, grid, side="right") - 1]
    assert events().reindex(time=milliseconds(grid), method="ffill").price.values.tolist() == ours.tolist()


@pytest.mark.bridge(
    "the last event of a cell, by `np.searchsorted`",
    '`ds.resample(time="1s").last()`: named by the beginning of the cell, unless `label="right"`',
    "-",
)
def test_resample_files_the_last_event_of_a_cell_under_its_beginning():
    dated = events().assign_coords(time=np.datetime64("2026-01-05T09:30", "ms") + milliseconds(TIME))
    opening = np.datetime64("2026-01-05T09:30", "ms")
    cells = np.arange(0, 4_000, 1_000)
    ours = PRICE[np.searchsorted(TIME, cells + 1_000, side="left") - 1]
    for label, first in (("left", 0), ("right", 1_000)):
        theirs = dated.resample(time="1s", label=label).last().price
        assert theirs.time.values[0] == opening + milliseconds(first)
        assert theirs.values[[0, 1, 3]].tolist() == ours[[0, 1, 3]].tolist() == [11, 13, 14]
        assert np.isnan(theirs.values[2])  # no event in this cell
    assert dated.resample(time="1s").last().time.equals(dated.resample(time="1s", label="left").last().time)


@pytest.mark.bridge(
    '`group["second"]`, an index that is read in part',
    "`xr.open_zarr(...)` reads the whole coordinate `time`",
    "a part of the index",
)
def test_xarray_reads_every_time_when_it_opens():
    memory = zarr.storage.MemoryStore()
    events().to_zarr(memory, encoding={"time": {"chunks": (1,)}, "price": {"chunks": (1,)}}, consolidated=False)

    class Counting(zarr.storage.WrapperStore):
        read: list = []

        async def get(self, key, prototype=None, byte_range=None):
            self.read.append(key)
            return await super().get(key, prototype, byte_range)

    xr.open_zarr(Counting(memory), consolidated=False)
    assert len({key for key in Counting.read if key.startswith("time/c/")}) == len(TIME)
    assert not [key for key in Counting.read if key.startswith("price/c/")]

    trace = TraceStore(MemoryStore())
    second = np.searchsorted(TIME, np.arange(0, 5_000, 1_000))
    ours = tutorial_zarr.create_array(trace, data=second, chunks=(2,))
    trace.clear()
    assert ours[2:4].tolist() == [4, 4]
    assert trace.count("GET") == 1


@pytest.mark.bridge("`book[:, :, 0, 0]` reads the chunks of level 0 only", "the same in zarr-python", "-")
def test_the_best_level_is_read_alone():
    book = np.arange(8 * 2 * 10 * 2).reshape(8, 2, 10, 2)
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=book, chunks=(4, 2, 1, 2))
    trace.clear()
    log = zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_handler=logging.NullHandler())
    theirs = zarr.create_array(log, data=book, chunks=(4, 2, 1, 2))
    log.counter.clear()
    assert np.array_equal(ours[:, :, 0, 0], theirs[:, :, 0, 0])
    assert trace.count("GET") == log.counter["get"] == 2
