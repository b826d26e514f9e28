"""The bridge of 04_03: batches in a shuffled order, and what they read, here and in zarr-python and Dask."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.loaders import Loader
from tutorial_zarr.stores import LocalStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")

ROWS = np.arange(200).reshape(100, 2)


@pytest.fixture
def folder(tmp_path):
    tutorial_zarr.create_array(tmp_path / "a.zarr", data=ROWS, chunks=(10, 2))
    return tmp_path / "a.zarr"


def theirs_counted(folder):
    """zarr-python's array, and the counter of what its store is asked for."""
    array = zarr.open_array(zarr.storage.LoggingStore(zarr.storage.LocalStore(folder), "ERROR"), mode="r")
    array.store.counter.clear()
    return array, array.store.counter


def ours_counted(folder):
    trace = TraceStore(LocalStore(folder))
    array = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    return array, trace


@pytest.mark.bridge(
    "`Loader(array, batch_size)`",
    "`dask.array.from_zarr(...).shuffle(batches, axis=0)`: a block for each list of rows",
    "a buffer, prefetching, a state",
)
def test_dask_puts_rows_into_the_batches_that_it_is_given(folder):
    loader = Loader(tutorial_zarr.open_array(folder, mode="r"), 20, buffer=3)
    batches = [rows.tolist() for rows in loader.indices()]
    theirs = da.from_zarr(str(folder)).shuffle(batches, axis=0)
    found = [np.asarray(theirs.blocks[i].compute()) for i in range(theirs.numblocks[0])]
    assert np.array_equal(np.concatenate(found), np.concatenate(list(loader)))
    names = {name for kind in (da.Array, zarr.Array) for name in dir(kind)}
    assert not [n for n in names if "prefetch" in n or "state_dict" in n or "buffer" in n]


@pytest.mark.bridge("`array.oindex[rows]`", "`array.oindex[rows]`: each chunk once, too", "-")
def test_rows_from_everywhere_cost_a_chunk_each_in_both(folder):
    rows = np.array([95, 3, 57, 8, 51, 99])
    (ours, trace), (theirs, counter) = ours_counted(folder), theirs_counted(folder)
    assert np.array_equal(ours.oindex[rows], ROWS[rows])
    assert np.array_equal(theirs.oindex[rows], ROWS[rows])
    assert trace.count("GET") == counter["get"] == 3


@pytest.mark.bridge(
    "`loader.plan().requests`",
    "`zarr.storage.LoggingStore(store).counter`, while it reads",
    "the number before the epoch",
)
def test_the_number_of_requests_is_known_before_here_and_counted_there(folder):
    ours, trace = ours_counted(folder)
    loader = Loader(ours, 20)
    planned = loader.plan().requests
    assert trace.requests == []
    list(loader)
    assert sum("c/" in request.key for request in trace.requests) == planned == 10
    theirs, counter = theirs_counted(folder)
    for start in range(0, 100, 10):
        theirs[start : start + 10]
    assert counter["get"] == 10
    assert not [name for name in dir(zarr.Array) if "plan" in name]


@pytest.mark.bridge(
    "a shard is one read",
    "`dask.array.from_zarr(...)` reads each inner chunk by itself, unless you give `chunks`",
    "blocks of whole shards by default",
)
def test_dask_reads_a_sharded_array_by_its_inner_chunks(tmp_path):
    tutorial_zarr.create_array(tmp_path / "s.zarr", data=np.arange(100, dtype="i4"), chunks=(5,), shards=(20,))
    ours, trace = ours_counted(tmp_path / "s.zarr")
    assert np.array_equal(np.sort(np.concatenate(list(Loader(ours, 10)))), np.arange(100))
    assert sum("c/" in request.key for request in trace.requests) == 5
    theirs, counter = theirs_counted(tmp_path / "s.zarr")
    blocks = da.from_zarr(theirs)
    assert blocks.chunks[0] == (5,) * 20
    assert blocks.sum().compute() == 4950
    assert counter["get"] >= 20  # the counter does not see the ranges
    whole = da.from_zarr(theirs, chunks=(20,))
    counter.clear()
    assert whole.sum().compute() == 4950
    assert counter["get"] == 5
