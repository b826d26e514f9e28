"""The bridge of 05_04 and of article 22: rolling windows, bad ticks, sums along an axis and halos, on both sides."""

from typing import ClassVar

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
xr = pytest.importorskip("xarray")

WINDOW = 60
PRICE = 40 + np.cumsum(np.random.default_rng(54).standard_normal((240, 2)) * 0.02, axis=0)
WINDOWS = np.lib.stride_tricks.sliding_window_view


class Log(zarr.storage.WrapperStore):
    """A store that keeps (key, byte range) of each get; xarray opens copies of it, which share the list."""

    seen: ClassVar[list] = []

    async def get(self, key, prototype, byte_range=None):
        self.seen.append((key, byte_range))
        return await super().get(key, prototype, byte_range)


@pytest.mark.bridge(
    "`carried(chunks, tail)` over `array.chunk_stream()`: each chunk is read once",
    '`xarray.open_zarr(...)["price"].rolling(minute=60).std()`: Dask hands on the halo, and each chunk is read once',
    "-",
)
def test_a_rolling_window_reads_each_chunk_once_on_both_sides(tmp_path):
    pytest.importorskip("dask.array")
    xr.Dataset({"price": (("minute", "stock"), PRICE)}).to_zarr(
        tmp_path / "a.zarr", encoding={"price": {"chunks": (80, 2)}}
    )
    log = Log(zarr.storage.LocalStore(tmp_path / "a.zarr"))
    theirs = xr.open_zarr(log, chunks={})["price"].rolling(minute=WINDOW).std(ddof=1)
    log.seen.clear()
    found = theirs.compute().to_numpy()
    assert sorted(key for key, _ in log.seen if "/c/" in key) == [f"price/c/{i}/0" for i in range(3)]

    trace = TraceStore(tutorial_zarr.stores.LocalStore(tmp_path / "a.zarr"))
    array = tutorial_zarr.open_array(trace, path="price", mode="r")
    trace.clear()
    tail, ours = PRICE[:0], []
    for _, rows in array.chunk_stream():
        joined = np.concatenate([tail, rows])
        result = np.full(joined.shape, np.nan)
        result[WINDOW - 1 :] = WINDOWS(joined, WINDOW, axis=0).std(-1, ddof=1)
        ours.append(result[len(tail) :])
        tail = joined[1 - WINDOW :]
    assert trace.count("GET") == 3
    np.testing.assert_allclose(np.concatenate(ours), found, rtol=1e-10)


@pytest.mark.bridge(
    "`two_parts(rows)`: a window is what is in it",
    "`rolling(60).std()` of pandas adds and removes, and is off after a bad tick; "
    "xarray's `.rolling(...).construct(...)` sees the window alone",
    "-",
)
def test_pandas_remembers_a_bad_tick_and_a_window_by_itself_does_not():
    pandas = pytest.importorskip("pandas")
    clean = np.round(40 + np.cumsum(np.random.default_rng(2).standard_normal(240) * 0.03), 2)
    values = clean.copy()
    values[60] = round(clean[60] * 10_000)
    truth = WINDOWS(clean, WINDOW).std(-1, ddof=1)[-60:]
    by_pandas = pandas.Series(values).rolling(WINDOW).std().to_numpy()[-60:]
    assert np.abs(by_pandas / truth - 1).max() > 1e-4
    alone = xr.DataArray(values, dims="minute").rolling(minute=WINDOW).construct("w").std("w", ddof=1)
    np.testing.assert_allclose(alone.to_numpy()[-60:], truth, rtol=1e-10)
    # Two parts, with a block border every 60 rows: the tail of one block and the head of the next.
    for end in range(200, 240):
        cut = end // WINDOW * WINDOW
        one, two = values[end - WINDOW : cut], values[cut:end]
        means = [part.mean() if len(part) else 0 for part in (one, two)]
        squares = sum(((part - mean) ** 2).sum() for part, mean in zip((one, two), means, strict=True))
        squares += (means[1] - means[0]) ** 2 * len(one) * len(two) / WINDOW
        assert np.sqrt(squares / (WINDOW - 1)) == pytest.approx(truth[end - 181], rel=1e-10)


@pytest.mark.bridge(
    '`paid.sum(axis=0, dtype="float64")`',
    '`DataArray.mean("second", dtype="float64")`; without `dtype` it is as far off as NumPy; '
    "Dask's partial sums are nearer",
    "-",
)
def test_a_float32_mean_down_two_columns_is_off_in_numpy_and_xarray_alike():
    da = pytest.importorskip("dask.array")
    paid = np.full((1_000_000, 2), 0.1, "f4")
    labelled = xr.DataArray(paid, dims=("second", "account"))
    off = abs(float(labelled.mean("second")[0]) / 0.1 - 1)
    assert off == abs(float(paid.mean(axis=0)[0]) / 0.1 - 1) > 5e-3
    assert abs(float(labelled.mean("second", dtype="float64")[0]) / 0.1 - 1) < 1e-7
    assert abs(float(paid.sum(axis=0, dtype="float64")[0]) / 1e5 - 1) < 1e-7
    assert abs(float(da.from_array(paid, chunks=(1000, 2)).mean(axis=0)[0].compute()) / 0.1 - 1) < off / 10


@pytest.mark.bridge(
    "`array[331:390]` of a plain chunk asks for these rows",
    "the whole chunk in zarr-python",
    "a range of a plain chunk outside a shard",
)
def test_rows_of_a_plain_chunk_are_a_range_here_and_a_chunk_there():
    form = {"data": np.zeros((390, 2)), "chunks": (390, 2), "compressors": None}
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, **form, fill_value=1)
    trace.clear()
    ours[331:390]
    assert (trace.count("GET"), trace.nbytes("GET")) == (1, 59 * 2 * 8)
    log = Log(zarr.storage.MemoryStore())
    theirs = zarr.create_array(log, **form, fill_value=1)
    log.seen.clear()
    theirs[331:390]
    assert log.seen == [("c/0/0", None)]
    log = Log(zarr.storage.MemoryStore())
    sharded = zarr.create_array(log, data=form["data"], chunks=(30, 2), shards=(390, 2), fill_value=1)
    log.seen.clear()
    sharded[331:390]
    assert any(byte_range is not None for _, byte_range in log.seen)
