"""The bridge of 04_05 and of article 15: cells, half cells, and what a search read, on both sides."""

import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
xarray = pytest.importorskip("xarray")

PICTURE = (np.arange(7 * 9) ** 2 % 251).astype("u1").reshape(7, 9)
WHOLE = PICTURE[:6, :8].reshape(3, 2, 4, 2).mean(axis=(1, 3))


@pytest.mark.bridge(
    "`create_group`, `group.create_array(data=...)`, `a[y:y+32, x:x+32]`", "the same in zarr-python", "-"
)
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_a_window_is_read_by_the_same_names(tmp_path, library):
    group = library.create_group(str(tmp_path / "sky"))
    pixels = group.create_array("pixels", data=PICTURE, chunks=(2, 3))
    assert np.array_equal(pixels[1:5, 2:6], PICTURE[1:5, 2:6])
    other = (zarr if library is tutorial_zarr else tutorial_zarr).open_group(str(tmp_path / "sky"), mode="r")
    assert np.array_equal(other["pixels"][1:5, 2:6], PICTURE[1:5, 2:6])


@pytest.mark.bridge(
    "`cells_of`: whole cells only, at an edge too",
    '`xarray.DataArray.coarsen(boundary="trim").mean()`; `dask.array.coarsen(numpy.mean, ..., trim_excess=True)`',
    "-",
)
def test_xarray_and_dask_leave_half_cells_out_when_they_are_told_to():
    da = pytest.importorskip("dask.array")
    named = xarray.DataArray(PICTURE, dims=("y", "x"))
    assert np.array_equal(named.coarsen(y=2, x=2, boundary="trim").mean(), WHOLE)
    lazy = da.from_array(PICTURE, chunks=(3, 5))  # chunks that tear cells apart
    assert np.array_equal(da.coarsen(np.mean, lazy, {0: 2, 1: 2}, trim_excess=True).compute(), WHOLE)
    with pytest.raises(ValueError):
        da.coarsen(np.mean, lazy, {0: 2, 1: 2})
    with pytest.raises(ValueError):
        named.coarsen(y=2, x=2).mean()


@pytest.mark.bridge(
    "half cells: with zeros here, on purpose",
    '`coarsen(boundary="pad").mean()` leaves out what is missing, and `.count()` says how many pixels are in each mean',
    "-",
)
def test_xarray_takes_the_mean_of_what_is_there_and_counts_it():
    cells = xarray.DataArray(PICTURE, dims=("y", "x")).coarsen(y=2, x=2, boundary="pad")
    assert cells.mean()[-1, -1] == PICTURE[-1, -1]
    assert cells.count()[-1].to_numpy().tolist() == [2, 2, 2, 2, 1]
    with_zeros = np.pad(PICTURE, ((0, 1), (0, 1))).reshape(4, 2, 5, 2).mean(axis=(1, 3))
    assert with_zeros[-1, -1] == PICTURE[-1, -1] / 4


@pytest.mark.bridge(
    "`trace.requests`: the keys that a search read",
    "`zarr.storage.LoggingStore` logs each request, and counts them by their kind",
    "a list of keys",
)
def test_requests_are_logged_and_counted_by_zarr_python(tmp_path, caplog):
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=PICTURE, chunks=(2, 3))
    trace.clear()
    ours[1:3, 2:4]
    assert sorted(request.key for request in trace.requests) == ["c/0/0", "c/0/1", "c/1/0", "c/1/1"]
    logged = zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_level="INFO", log_handler=logging.NullHandler())
    theirs = zarr.create_array(logged, data=PICTURE, chunks=(2, 3))
    before = logged.counter["get"]
    theirs[1:3, 2:4]
    assert logged.counter["get"] - before == 4
    assert not hasattr(logged, "requests")
