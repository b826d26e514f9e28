"""The bridge of 06_01 and of article 25: writers that share a chunk, gaps, and correlations, run on both sides."""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import LatencyStore, MemoryStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

BARS = np.arange(8 * 4, dtype="f8").reshape(8, 4)  # (minute, venue)
CLOSE = np.array([5.0, math.nan, math.nan, 8.0, 9.0, math.nan])


class Slow(zarr.storage.WrapperStore):
    """Answers late for a chunk, so that all feeds have read it before one of them writes."""

    async def get(self, key, *args, **kwargs):
        found = await super().get(key, *args, **kwargs)
        if not key.endswith("zarr.json"):
            await asyncio.sleep(0.05)
        return found


@pytest.mark.bridge(
    "`a[wednesday, 3] = bars` in a chunk of all venues: feeds wait for each other",
    "bars of one feed can be lost; xarray's `to_zarr(region=...)` refuses Dask chunks that would share a chunk",
    "feeds that know nothing of each other",
)
def test_feeds_that_share_a_chunk():
    arrived = {}
    for library, store in (
        (tutorial_zarr, LatencyStore(MemoryStore(), 0.01)),
        (zarr, Slow(zarr.storage.MemoryStore())),
    ):
        a = library.create_array(store, shape=(8, 4), chunks=(4, 4), dtype="f8", fill_value=math.nan)
        a[...] = 0  # so that there is something to read and to write back

        def feed(venue, a=a):
            a[4:, venue] = BARS[4:, venue]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(feed, range(4)))
        arrived[library.__name__] = sum(bool((a[4:, v] == BARS[4:, v]).all()) for v in range(4))
    assert arrived["tutorial_zarr"] == 4
    assert arrived["zarr"] < 4


def test_xarray_refuses_feeds_that_would_share_a_chunk(tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("dask.array")
    empty = xarray.Dataset({"close": (("minute", "venue"), np.full((8, 4), math.nan))})
    feed = xarray.Dataset({"close": (("minute", "venue"), BARS[4:, 3:])})
    region = {"minute": slice(4, 8), "venue": slice(3, 4)}
    for name, chunks in (("shared", (4, 4)), ("own", (4, 1))):
        empty.to_zarr(tmp_path / name, encoding={"close": {"chunks": chunks}}, consolidated=False)
    with pytest.raises(ValueError, match=r"[Oo]verlap|safe_chunks"):
        feed.chunk({"minute": 2}).to_zarr(tmp_path / "shared", region=region, consolidated=False)
    feed.chunk({"minute": 4}).to_zarr(tmp_path / "own", region=region, consolidated=False)
    assert np.array_equal(zarr.open_array(str(tmp_path / "own" / "close"), mode="r")[4:, 3], BARS[4:, 3])


@pytest.mark.bridge(
    "`filled(close)`, written by hand",
    "`close.to_series().ffill(limit=5)` in xarray, by pandas",
    "here: a function for it",
)
def test_pandas_carries_a_price_for_so_many_minutes():
    xarray = pytest.importorskip("xarray")
    close = xarray.DataArray(CLOSE, dims="minute")
    assert close.to_series().ffill(limit=5).tolist() == [5, 5, 5, 8, 9, 9]
    short = close.to_series().ffill(limit=1)
    assert np.array_equal(short, [5, 5, math.nan, 8, 9, 9], equal_nan=True)
    assert not hasattr(tutorial_zarr.Array, "ffill")


@pytest.mark.bridge(
    "`alike(one, other)` on filled prices",
    '`xarray.corr(one, other, dim="minute")` leaves out pairs with a NaN',
    "-",
)
def test_xarrays_correlation_leaves_out_pairs_with_a_gap():
    xarray = pytest.importorskip("xarray")
    other = np.array([1.0, 2.0, 4.0, 3.0, 7.0, 5.0])
    there = ~np.isnan(CLOSE)
    found = xarray.corr(*(xarray.DataArray(x, dims="minute") for x in (CLOSE, other)), dim="minute")
    assert float(found) == pytest.approx(np.corrcoef(CLOSE[there], other[there])[0, 1])
    assert math.isnan(np.corrcoef(CLOSE, other)[0, 1])  # which is why the lesson fills the prices first


@pytest.mark.bridge("`create_array(..., fill_value=nan)`: minutes that never came read as NaN", "the same name", "-")
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_minutes_that_never_came_are_no_prices(tmp_path, library):
    a = library.create_array(str(tmp_path / "a"), shape=(8, 4), chunks=(4, 1), dtype="f8", fill_value=math.nan)
    a[4:, 3] = BARS[4:, 3]
    found = library.open_array(str(tmp_path / "a"), mode="r")[...]
    assert np.isnan(found[:4]).all()
    assert np.isnan(found[:, :3]).all()
    assert np.array_equal(found[4:, 3], BARS[4:, 3])
