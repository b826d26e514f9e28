"""The bridge of 06_03 and of article 27: appends, shards, compaction and wide products, run on both sides."""

import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

ROWS = np.arange(1, 1 + 40 * 6, dtype="int64").reshape(40, 6)


class Put(zarr.storage.WrapperStore):
    """A store of zarr-python that notes what is written to it."""

    keys: list[str] = []  # of the class, because zarr-python wraps the store again

    async def set(self, key, value, *args, **kwargs):
        self.keys.append(key)
        return await super().set(key, value, *args, **kwargs)

    def set_sync(self, key, value, *args, **kwargs):
        self.keys.append(key)
        return super().set_sync(key, value, *args, **kwargs)


@pytest.mark.bridge(
    "`a.append(rows)` within a chunk writes it and the metadata",
    "the same name and the same two PUT; the metadata first",
    "-",
)
def test_an_append_is_two_puts_on_both_sides():
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, shape=(0, 6), chunks=(16, 6), dtype="int64")
    theirs = zarr.create_array(Put(zarr.storage.MemoryStore()), shape=(0, 6), chunks=(16, 6), dtype="int64")
    for a in (ours, theirs):
        a.append(ROWS[:4])
    trace.clear()
    Put.keys.clear()
    for a in (ours, theirs):
        a.append(ROWS[4:8])
        assert np.array_equal(a[...], ROWS[:8])
    assert [request.key for request in trace.requests if request.verb == "PUT"] == ["c/0/0", "zarr.json"]
    assert Put.keys == ["zarr.json", "c/0/0"]
    trace.clear()
    Put.keys.clear()
    for a in (ours, theirs):
        a.append(ROWS[8:20])  # begins a new chunk: here the metadata announce it
    keys = [request.key for request in trace.requests if request.verb == "PUT"]
    assert keys == ["zarr.json", "c/0/0", "c/1/0", "zarr.json"]
    assert (Put.keys[0], sorted(Put.keys[1:])) == ("zarr.json", ["c/0/0", "c/1/0"])


def in_shards(library, store):
    return library.create_array(store, shape=ROWS.shape, chunks=(4, 6), shards=(16, 6), dtype="int64")


@pytest.mark.bridge("`shards=(32768, 6)`: a whole shard is one PUT", "the same name, and one PUT", "-")
def test_a_whole_shard_is_one_put():
    trace = TraceStore(MemoryStore())
    ours, theirs = in_shards(tutorial_zarr, trace), in_shards(zarr, Put(zarr.storage.MemoryStore()))
    trace.clear()
    Put.keys.clear()
    for a in (ours, theirs):
        for start in (0, 16, 32):
            a[start : start + 16] = ROWS[start : start + 16]
        assert np.array_equal(a[...], ROWS)
    assert [request.key for request in trace.requests if request.verb == "PUT"] == Put.keys
    assert Put.keys == ["c/0/0", "c/1/0", "c/2/0"]


@pytest.mark.bridge(
    "`cold[start:stop] = hot[start:stop]`, shard by shard",
    "Dask: `da.store(hot.rechunk(shard), cold)`, a task for each shard",
    "-",
)
def test_dask_compacts_a_shard_at_a_time():
    da = pytest.importorskip("dask.array")
    hot = zarr.create_array({}, data=ROWS, chunks=(3, 6))
    cold = in_shards(zarr, Put(zarr.storage.MemoryStore()))
    Put.keys.clear()
    da.store(da.from_zarr(hot).rechunk((16, 6)), cold, lock=False)
    assert sorted(Put.keys) == ["c/0/0", "c/1/0", "c/2/0"]
    ours = in_shards(tutorial_zarr, MemoryStore())
    for start in (0, 16, 32):
        ours[start : start + 16] = ROWS[start : start + 16]
    assert np.array_equal(cold[...], ours[...])


@pytest.mark.bridge(
    "`int64` products wrap without a word", "the same in xarray and in Dask, which compute with NumPy", "a warning"
)
def test_products_wrap_everywhere():
    xr, da = pytest.importorskip("xarray"), pytest.importorskip("dask.array")
    fee = np.array([10**9, 800 * 10**9])
    exact = [int(wei) * 15_000_000 for wei in fee]
    with warnings.catch_warnings(action="error"):
        ours = tutorial_zarr.create_array({}, data=fee)[...] * 15_000_000
        theirs = zarr.create_array({}, data=fee)[...] * 15_000_000
        labelled = (xr.DataArray(fee) * 15_000_000).values
        lazy = (da.from_array(fee) * 15_000_000).compute()
    for found in (ours, theirs, labelled, lazy):
        assert found[0] == exact[0]
        assert int(found[1]) == exact[1] - 2**64
