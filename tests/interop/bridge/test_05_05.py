"""The bridge of 05_05 and of article 23: chunks that hold nothing, two arrays side by side, and NaN on both sides."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")


@pytest.mark.bridge(
    "a chunk of nothing but False is not stored",
    'the same by default in zarr-python; `config={"write_empty_chunks": True}` stores it',
    "-",
)
def test_a_chunk_without_a_break_is_not_stored():
    mask = np.zeros((8, 4), bool)
    mask[5, 2] = True
    for library in (tutorial_zarr, zarr):
        made = library.create_array({}, data=mask, chunks=(2, 4), fill_value=False)
        assert (made.nchunks_initialized, made.nchunks) == (1, 4)
        assert np.array_equal(made[...], mask)
    full = zarr.create_array({}, data=mask, chunks=(2, 4), fill_value=False, config={"write_empty_chunks": True})
    assert full.nchunks_initialized == 4


@pytest.mark.bridge(
    "`zip(a.chunk_stream(), b.chunk_stream())`",
    "`da.from_zarr(a) != da.from_zarr(b)`: Dask pairs the chunks, even if they are cut differently",
    "-",
)
def test_dask_pairs_chunks_that_are_cut_differently():
    da = pytest.importorskip("dask.array")
    one, other = np.arange(32.0).reshape(8, 4), np.arange(32.0).reshape(8, 4)
    other[[1, 6], [3, 0]] += 1
    pair = [tutorial_zarr.create_array({}, data=values, chunks=(2, 4), fill_value=np.nan) for values in (one, other)]
    streams = [a.chunk_stream() for a in pair]
    ours = {place: a != b for (place, a), (_, b) in zip(*streams, strict=True)}
    a, b = (zarr.create_array({}, data=values, chunks=c) for values, c in ((one, (2, 4)), (other, (3, 2))))
    theirs = (da.from_zarr(a) != da.from_zarr(b)).compute()
    assert np.array_equal(theirs, one != other)
    assert np.array_equal(np.concatenate([ours[k, 0] for k in range(4)]), theirs)


@pytest.mark.bridge(
    "NaN on both sides agrees: `broken`",
    "xarray's `equals` says so too, for the whole; `!=` says they differ",
    "where, with NaN equal to NaN",
)
def test_xarray_lets_nan_agree_with_nan_for_the_whole_only():
    xr = pytest.importorskip("xarray")
    one, other = (xr.DataArray([1.0, np.nan, 3.0]) for _ in range(2))
    assert one.equals(other)
    assert (one != other).values.tolist() == [False, True, False]
    assert not one.equals(xr.DataArray([1.0, np.nan, 3.01]))
