"""The bridge of 04_08 and of article 18: chunks for each worker, random numbers, missing chunks, run on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from data_gen import training
from tutorial_zarr.stores import MemoryStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")


@pytest.mark.bridge("`a[start:stop] = values`, one whole chunk for each worker", "the same in zarr-python", "-")
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_whole_chunks_of_several_threads_all_arrive(tmp_path, library):
    from concurrent.futures import ThreadPoolExecutor

    x, _ = training.block(0, 64)
    a = library.create_array(str(tmp_path / "a"), shape=x.shape, chunks=(8, 16), dtype="f4")

    def write(start):
        a[start : start + 8] = training.block(start, start + 8)[0]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, 64, 8)))
    assert np.array_equal(library.open_array(str(tmp_path / "a"), mode="r")[...], x)


@pytest.mark.bridge(
    "`training.block(start, stop)`: the same in any chunks",
    "`da.random.default_rng(0)`: the same for any workers, others for other chunks",
    "numbers that do not depend on the chunks",
)
def test_dasks_random_numbers_depend_on_the_chunks_and_not_on_the_workers():
    da = pytest.importorskip("dask.array")

    def drawn(chunks, workers):
        return da.random.default_rng(0).random(64, chunks=chunks).compute(num_workers=workers)

    assert np.array_equal(drawn(16, 1), drawn(16, 4))
    one, other = drawn(16, 1), drawn(8, 1)
    assert np.array_equal(one[:8], other[:8])  # the first chunk begins alike, and no other
    assert (one[8:] != other[8:]).all()
    whole = training.block(0, 64)[0]
    for rows in (16, 8):
        assert np.array_equal(np.concatenate([training.block(i, i + rows)[0] for i in range(0, 64, rows)]), whole)


@pytest.mark.bridge(
    "`a.stored_chunks()` names the chunks that are there", "`a.nchunks_initialized` counts them", "their coordinates"
)
def test_zarr_python_counts_the_chunks_that_are_there():
    ours = tutorial_zarr.create_array(MemoryStore(), shape=(9,), chunks=(3,), dtype="i4", fill_value=-1)
    theirs = zarr.create_array({}, shape=(9,), chunks=(3,), dtype="i4", fill_value=-1)
    for a in (ours, theirs):
        a[3:6] = 1
        assert a.nchunks_initialized == 1
    assert list(ours.stored_chunks()) == [(1,)]
    public = [name for name in dir(theirs) if not name.startswith("_")]
    assert [name for name in public if "stored" in name or "initialized" in name] == [
        "nbytes_stored",
        "nchunks_initialized",
    ]
    assert isinstance(theirs.nbytes_stored(), int)
