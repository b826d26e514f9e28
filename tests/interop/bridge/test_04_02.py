"""The bridge of 04_02 and of article 12: rows by number, several arrays at once, and caches, run on both sides."""

import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import CacheStore, MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

ROWS = np.arange(240).reshape(60, 4)
IDS = np.array([31, 2, 2, 59, 30, 3])  # in no order, one twice, in three chunks of five rows


def stored(library, store):
    """The rows in chunks of five, written by one of the libraries."""
    a = library.create_array(store, shape=ROWS.shape, chunks=(5, 4), dtype=ROWS.dtype, compressors=None)
    a[...] = ROWS
    return a


@pytest.mark.bridge(
    "`a.oindex[ids]`: the order of `ids`, each chunk read once", "the same name, and the same requests", "-"
)
def test_both_keep_the_order_and_read_each_chunk_once():
    trace = TraceStore(MemoryStore())
    ours = stored(tutorial_zarr, trace)
    trace.clear()
    assert np.array_equal(ours.oindex[IDS], ROWS[IDS])
    assert trace.count("GET") == 3
    log = zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_handler=logging.NullHandler())
    theirs = stored(zarr, log)
    log.counter.clear()
    assert np.array_equal(theirs.oindex[IDS], ROWS[IDS])
    assert dict(log.counter) == {"get": 3}


@pytest.mark.bridge(
    '`group["text"].oindex[ids]`, for each array', "xarray: `ds.isel(doc=ids)`, for all arrays at once", "-"
)
def test_isel_takes_the_same_rows_of_all_arrays_and_reads_each_chunk_once(tmp_path):
    xr = pytest.importorskip("xarray")
    text = np.array([f"passage {i}" for i in range(60)], dtype=object)
    group = tutorial_zarr.create_group(str(tmp_path / "a"))
    group.create_array("vectors", data=ROWS, chunks=(5, 4), dimension_names=("doc", "feature"))
    group.create_array("text", data=text, chunks=(5,), dtype="string", dimension_names=("doc",))
    log = zarr.storage.LoggingStore(
        zarr.storage.LocalStore(str(tmp_path / "a"), read_only=True), log_handler=logging.NullHandler()
    )
    ds = xr.open_zarr(log, chunks=None, consolidated=False)
    log.counter.clear()
    found = ds.isel(doc=IDS).load()
    assert log.counter["get"] == 6  # three chunks of each
    assert np.array_equal(found.vectors.values, group["vectors"].oindex[IDS])
    assert list(found.text.values) == list(group["text"].oindex[IDS]) == list(text[IDS])


@pytest.mark.bridge(
    "`CacheStore(store, max_bytes=n)`, its `hits` and `misses`",
    "`zarr.experimental.cache_store.CacheStore(store, cache_store=MemoryStore(), max_size=n)`, its `cache_stats()`",
    "a promise that the name stays",
)
@pytest.mark.parametrize(("space", "hits"), [(4, 0), (11, 0), (12, 24)])
def test_both_caches_answer_nothing_when_they_are_one_chunk_too_small(space, hits):
    theirs_cache = pytest.importorskip("zarr.experimental.cache_store").CacheStore  # experimental: it may move
    size, inner = space * 5 * 4 * 8, MemoryStore()
    stored(tutorial_zarr, inner)
    ours = CacheStore(inner, max_bytes=size)
    source = zarr.storage.MemoryStore()
    stored(zarr, source)
    theirs = theirs_cache(source, cache_store=zarr.storage.MemoryStore(), max_size=size)
    for library, cache in ((tutorial_zarr, ours), (zarr, theirs)):
        a = library.open_array(cache, mode="r")
        for _ in range(3):
            for chunk in range(12):
                assert np.array_equal(a.blocks[chunk], ROWS[5 * chunk : 5 * chunk + 5])
    assert ours.hits == hits
    assert theirs.cache_stats()["hits"] == hits


@pytest.mark.bridge("`a.blocks[chunk]`, in an order of your own", "the same name; a Dask array has `blocks`, too", "-")
def test_a_block_is_a_chunk_in_all_three():
    da = pytest.importorskip("dask.array")
    ours, theirs = stored(tutorial_zarr, MemoryStore()), stored(zarr, {})
    for chunk in (11, 3, 0):
        part = ROWS[5 * chunk : 5 * chunk + 5]
        for found in (ours, theirs, da.from_array(ROWS, chunks=(5, 4))):
            assert np.array_equal(np.asarray(found.blocks[chunk]), part)
