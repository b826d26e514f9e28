"""The bridge of 03_01: writing from an iterator, and appending row by row, run on both sides."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")


def blocks(taken):
    for k in range(32):
        taken.append(k)
        yield (k,), np.full(4, k, "i4")


@pytest.mark.bridge(
    "`ingest(blocks, array)` takes a few blocks at a time from any iterator",
    "a thread pool's `map` takes all of them before the first is written",
    "a way to write from an iterator",
)
def test_a_pool_takes_the_whole_iterator(tmp_path):
    theirs = zarr.create_array(str(tmp_path / "a"), shape=(128,), chunks=(4,), dtype="i4")
    taken, seen = [], []

    def write(block):
        (k,), values = block
        theirs[4 * k : 4 * k + 4] = values

    with ThreadPoolExecutor(2) as pool:
        results = pool.map(write, blocks(taken))
        seen.append(len(taken))  # before the first result was asked for
        list(results)
    assert seen == [32]
    assert theirs[:].tolist() == np.repeat(np.arange(32), 4).tolist()
    assert not hasattr(zarr, "ingest")

    ours, taken, ahead = tutorial_zarr.create_array({}, shape=(128,), chunks=(4,), dtype="i4"), [], []

    def note(done, of):
        ahead.append(len(taken) - done)

    report = tutorial_zarr.ingest(blocks(taken), ours, workers=2, executor="threads", progress=note)
    assert report.ok
    assert max(ahead) <= 3
    assert ours[:].tolist() == theirs[:].tolist()


@pytest.mark.bridge(
    "`AppendBuffer(array)` writes whole chunks",
    "`a.append(rows)` writes at once, each row into its chunk again",
    "a buffer",
)
def test_rows_that_are_appended_one_by_one_are_written_again_and_again(tmp_path):
    store = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(store, shape=(0,), chunks=(8,), dtype="i4", compressors=None)
    store.clear()
    with tutorial_zarr.AppendBuffer(ours) as buffer:
        for row in range(16):
            buffer.append([row])
    puts = [request for request in store.requests if request.verb == "PUT" and request.key.startswith("c/")]
    assert len(puts) == 2

    theirs = zarr.create_array(
        str(tmp_path / "a"), shape=(0,), chunks=(8,), dtype="i4", compressors=None, fill_value=-1
    )
    written = 0
    for row in range(16):
        theirs.append(np.array([row], "i4"))
        chunk = tmp_path / "a" / "c" / str(row // 8)
        written += np.frombuffer(chunk.read_bytes(), "i4")[row % 8] == row  # it is there at once
    assert written == 16
    assert not [name for name in dir(zarr) if "buffer" in name.lower()]


@pytest.mark.bridge("`nchunks_initialized` shows what was dropped", "the same name", "-")
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_chunks_that_are_there_are_counted(library):
    a = library.create_array({}, shape=(12,), chunks=(4,), dtype="i4", fill_value=-1)
    a[:4] = 1
    assert (a.nchunks_initialized, a.nchunks) == (1, 3)
    assert a[4:].tolist() == [-1] * 8
