"""The bridge of 04_07 and of article 17: chunks that do not exist, asked for, written and missed, on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import ChunkNotFoundError
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

LENGTHS = np.array([3, 9, 1, 2, 0, 4])  # runs of at most twelve steps, in chunks of two runs and four steps
PADDED = np.full((6, 12), np.nan, "float32")
for row, length in zip(PADDED, LENGTHS, strict=True):
    row[:length] = np.arange(length) + 1
STORED = 3 + 1 + 1  # chunks that hold a step, of nine


class Asked(zarr.storage.WrapperStore):
    """A store of zarr-python that notes the chunks that it is asked for."""

    keys: list[str] = []  # of the class, because zarr-python wraps the store again

    async def get(self, key, prototype, byte_range=None):
        self.keys.append(key)
        return await super().get(key, prototype, byte_range)

    def get_sync(self, key, *, prototype=None, byte_range=None):
        self.keys.append(key)
        return super().get_sync(key, prototype=prototype, byte_range=byte_range)


def written(library, store, **options):
    a = library.create_array(store, shape=(6, 12), chunks=(2, 4), dtype="float32", fill_value=np.nan, **options)
    a[...] = PADDED
    return a


def theirs_counted():
    """Their array, and the chunks that it asks for from here on."""
    a = written(zarr, Asked(zarr.storage.MemoryStore()))
    Asked.keys.clear()
    return a, Asked.keys


@pytest.mark.bridge(
    "`a[...]` asks for every chunk, stored or not", "the same in zarr-python, with a request for each", "-"
)
def test_both_ask_for_chunks_that_do_not_exist():
    trace = TraceStore(MemoryStore())
    ours = written(tutorial_zarr, trace)
    trace.clear()
    assert np.array_equal(ours[...], PADDED, equal_nan=True)
    assert (trace.totals()["GET"].requests, trace.totals()["GET"].absent) == (9, 9 - STORED)
    theirs, counted = theirs_counted()
    assert np.array_equal(theirs[...], PADDED, equal_nan=True)
    assert len(counted) == 9
    assert theirs.nchunks_initialized == ours.nchunks_initialized == STORED


@pytest.mark.bridge(
    "`a[start:stop, :longest]` asks only for chunks that exist",
    "the same in zarr-python; xarray's `isel(step=slice(0, longest))` reads as little",
    "-",
)
def test_with_the_lengths_both_ask_only_for_what_is_there():
    theirs, counted = theirs_counted()
    for start in (0, 2, 4):
        longest = LENGTHS[start : start + 2].max()
        assert np.array_equal(theirs[start : start + 2, :longest], PADDED[start : start + 2, :longest], equal_nan=True)
    assert len(counted) == STORED
    xr = pytest.importorskip("xarray")
    store = Asked(zarr.storage.MemoryStore())
    xr.Dataset({"a": (("run", "step"), PADDED)}).to_zarr(store, encoding={"a": {"chunks": (2, 4)}}, consolidated=False)
    opened = xr.open_zarr(store, chunks=None, consolidated=False)["a"]
    Asked.keys.clear()
    assert np.array_equal(opened.isel(run=slice(0, 2), step=slice(0, 9)).values, PADDED[:2, :9], equal_nan=True)
    assert sorted(Asked.keys) == ["a/c/0/0", "a/c/0/1", "a/c/0/2"]
    Asked.keys.clear()
    assert np.isnan(opened.isel(run=4).values).all()
    assert len(Asked.keys) == 3


@pytest.mark.bridge("`write_empty_chunks=True` stores every chunk", '`config={"write_empty_chunks": True}`', "-")
def test_both_store_empty_chunks_when_asked():
    assert written(tutorial_zarr, MemoryStore(), write_empty_chunks=True).nchunks_initialized == 9
    assert written(zarr, {}, config={"write_empty_chunks": True}).nchunks_initialized == 9


@pytest.mark.bridge(
    "`np.nanmean(a[...], axis=1)`: padding does not count", 'xarray: `.mean("step")` leaves NaN out by default', "-"
)
def test_a_mean_leaves_padding_out(tmp_path):
    xr = pytest.importorskip("xarray")
    xr.Dataset({"a": (("run", "step"), PADDED)}).to_zarr(tmp_path / "runs.zarr", encoding={"a": {"chunks": (2, 4)}})
    wanted = [(length + 1) / 2 if length else np.nan for length in LENGTHS]
    theirs = xr.open_zarr(tmp_path / "runs.zarr", chunks=None)["a"].mean("step").values
    np.testing.assert_allclose(theirs, wanted, rtol=1e-6)
    np.testing.assert_allclose(np.nanmean(tutorial_zarr.open_array(tmp_path / "runs.zarr/a")[...], axis=1), theirs)


@pytest.mark.bridge(
    '`missing="error"`, and lengths that say what to ask for',
    '`config={"read_missing_chunks": False}` raises `ChunkNotFoundError`',
    "-",
)
def test_a_lost_chunk_is_an_error_where_only_chunks_that_exist_are_asked_for():
    ours_in, theirs_in = MemoryStore(), {}
    written(tutorial_zarr, ours_in)
    written(zarr, theirs_in)
    ours = tutorial_zarr.open_array(ours_in, mode="r", missing="error")
    theirs = zarr.open_array(theirs_in, mode="r", config={"read_missing_chunks": False})
    for a in (ours, theirs):
        for start in (0, 2, 4):
            a[start : start + 2, : LENGTHS[start : start + 2].max()]
    ours_in.delete("c/0/1")
    del theirs_in["c/0/1"]
    for a, error in ((ours, ChunkNotFoundError), (theirs, zarr.errors.ChunkNotFoundError)):
        with pytest.raises(error, match="c/0/1"):
            a[0:2, :9]
