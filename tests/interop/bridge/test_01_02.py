"""The bridge of 01_02 and of article 02: chunks that a read costs, on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
VALUES = np.arange(64 * 64, dtype="i4").reshape(64, 64)


class Fetches(zarr.storage.WrapperStore):
    """A store of zarr-python that notes the bytes of each answer."""

    sizes: list[int] = []  # of the class, because zarr-python wraps the store again

    async def get(self, key, prototype, byte_range=None):
        found = await super().get(key, prototype, byte_range)
        self.sizes.append(len(found) if found is not None else 0)
        return found

    def get_sync(self, key, *, prototype=None, byte_range=None):
        found = super().get_sync(key, prototype=prototype, byte_range=byte_range)
        self.sizes.append(len(found) if found is not None else 0)
        return found


def theirs(**options):
    """An array of zarr-python in chunks of 16 x 16, and the list of what it fetches from now on."""
    store = zarr.create_array({}, data=VALUES, chunks=(16, 16), **options).store
    a = zarr.open_array(Fetches(store), mode="r", zarr_format=3)
    Fetches.sizes.clear()
    return a, Fetches.sizes


def ours(**options):
    """An array of this library in chunks of 16 x 16, and the trace of what it fetches from now on."""
    trace = TraceStore(tutorial_zarr.create_array({}, data=VALUES, chunks=(16, 16), **options).store)
    a = tutorial_zarr.open_array(trace, mode="r", zarr_format=3)
    trace.clear()
    return a, trace


@pytest.mark.bridge(
    "`a.plan(np.s_[5, :])`",
    "`dask.array.from_zarr(a)[5, :].npartitions` counts the chunks",
    "the bytes, before you read",
)
def test_the_chunks_of_a_read_are_known_beforehand():
    dask_array = pytest.importorskip("dask.array")
    a, trace = ours()
    plan = a.plan(np.s_[5, :])
    assert (plan.requests, plan.decoded_bytes, trace.count()) == (4, 4 * 16 * 16 * 4, 0)
    b, sizes = theirs()
    assert dask_array.from_zarr(b)[5, :].npartitions == 4
    assert sizes == []
    assert not hasattr(b, "plan")


@pytest.mark.bridge("a loop over rows", "the same; `dask.compute(*rows)` of a Dask array fetches each chunk once", "-")
def test_a_loop_over_rows_fetches_chunks_again():
    dask = pytest.importorskip("dask")
    dask_array = pytest.importorskip("dask.array")
    a, trace = ours()
    b, sizes = theirs()
    for row in range(16):
        assert np.array_equal(a[row], b[row])
    assert trace.count("GET") == len(sizes) == 16 * 4
    rows = [dask_array.from_zarr(b)[row] for row in range(16)]
    sizes.clear()
    together = dask.compute(*rows, scheduler="sync")
    assert np.array_equal(together, VALUES[:16])
    assert len(sizes) == 4


@pytest.mark.bridge("a row of an uncompressed chunk", "the whole chunk is fetched", "the row's bytes alone")
def test_a_row_of_uncompressed_chunks_is_a_range_of_bytes():
    a, trace = ours(compressors=None)
    b, sizes = theirs(compressors=None)
    assert np.array_equal(a[5], b[5])
    assert (trace.count("GET"), trace.nbytes("GET")) == (4, 64 * 4)
    assert sizes == [16 * 16 * 4] * 4


@pytest.mark.bridge("no `chunks`: 4 MiB of 4096 x 4096 float32", "1 MiB", "-")
def test_the_chunks_that_nobody_chose():
    sizes = [
        np.prod(library.create_array({}, shape=(4096, 4096), dtype="float32").chunks) * 4
        for library in (tutorial_zarr, zarr)
    ]
    assert sizes == [4 << 20, 1 << 20]
