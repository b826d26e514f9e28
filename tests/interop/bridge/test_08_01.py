"""The bridge of 08_01: pyramids, empty chunks and requests, here and in zarr-python and xarray."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
xarray = pytest.importorskip("xarray")

VOLUME = np.arange(5 * 6 * 4, dtype="u1").reshape(5, 6, 4)


@pytest.mark.bridge("`array.plan(selection).chunks`", "-", "the requests of a read, before it is made")
def test_a_read_is_counted_beforehand_here_alone():
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=VOLUME + 1, chunks=(2, 2, 2))
    trace.clear()
    predicted = ours.plan(np.s_[1:4, :, 0]).chunks
    assert trace.count() == 0
    ours[1:4, :, 0]
    assert predicted == trace.count("GET") == 2 * 3 * 1
    theirs = zarr.create_array({}, data=VOLUME + 1, chunks=(2, 2, 2))
    assert not [name for name in dir(theirs) if name[0] != "_" and ("plan" in name or "cost" in name)]


@pytest.mark.bridge(
    "`array.grid`: the coordinates of all chunks; `array.grid.region(coords)`",
    "`array.blocks[coords]` reads and writes a chunk",
    "where a chunk lies, as slices",
)
def test_a_chunk_is_read_by_its_coordinates_in_both(tmp_path):
    ours = tutorial_zarr.create_array(tmp_path / "a", data=VOLUME, chunks=(2, 4, 4))
    theirs = zarr.open_array(str(tmp_path / "a"), mode="r+")
    assert len(list(ours.grid)) == 3 * 2 * 1
    for coords in ours.grid:
        assert np.array_equal(theirs.blocks[coords], VOLUME[ours.grid.region(coords)])
    assert ours.grid.region((2, 1, 0)) == np.s_[4:5, 4:6, 0:4]
    theirs.blocks[2, 1, 0] = 9
    assert (ours[4:5, 4:6, 0:4] == 9).all()
    assert not [name for name in dir(theirs) if name[0] != "_" and ("grid" in name or "region" in name)]


@pytest.mark.bridge(
    "`halve`, and `placed` for where its voxels lie",
    '`xarray.DataArray.coarsen(..., boundary="trim").mean()`: the coordinates are averaged with the values',
    "-",
)
def test_xarray_averages_the_places_with_the_values():
    axes = {name: 10.0 + np.arange(length) for name, length in zip("zyx", VOLUME.shape, strict=True)}
    half = xarray.DataArray(VOLUME, coords=axes, dims=tuple("zyx")).coarsen(z=2, y=2, x=2, boundary="trim").mean()
    assert np.array_equal(half, VOLUME[:4].reshape(2, 2, 3, 2, 2, 2).mean(axis=(1, 3, 5)))
    for name, length in zip("zyx", half.shape, strict=True):
        assert half[name].to_numpy().tolist() == [10.5 + 2 * i for i in range(length)]  # (2**1 - 1) / 2 further in


@pytest.mark.bridge("a chunk of fill values is not written; `array.nchunks_initialized`", "the same", "-")
def test_empty_chunks_are_not_written_by_both(tmp_path):
    values = np.zeros((6, 4), "u1")
    values[2, 1] = 7
    for library in (tutorial_zarr, zarr):
        path = tmp_path / library.__name__
        array = library.create_array(str(path), shape=(6, 4), chunks=(2, 2), dtype="u1", fill_value=0)
        array[...] = values
        assert array.nchunks_initialized == 1
        assert [file.relative_to(path).as_posix() for file in (path / "c").rglob("*") if file.is_file()] == ["c/1/0"]


@pytest.mark.bridge("`create_group(attributes=...)`, `group.create_array(...)`", "the same names", "-")
def test_a_group_of_levels_is_made_by_the_same_names(tmp_path):
    for library in (tutorial_zarr, zarr):
        path = str(tmp_path / library.__name__)
        group = library.create_group(path, attributes={"ome": {"version": "0.5"}})
        group.create_array("0", data=VOLUME, chunks=(2, 2, 2), dimension_names=list("zyx"))
        found = (zarr if library is tutorial_zarr else tutorial_zarr).open_group(path, mode="r")
        assert dict(found.attrs) == {"ome": {"version": "0.5"}}
        assert np.array_equal(found["0"][...], VOLUME)
