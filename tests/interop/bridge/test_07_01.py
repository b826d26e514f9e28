"""The bridge of 07_01: other layouts, shards and weighted means, here and in zarr-python, xarray and Dask."""

import inspect

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import MemoryBudgetError

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")
xarray = pytest.importorskip("xarray")

CUBE = np.arange(16 * 4 * 6, dtype="f4").reshape(16, 4, 6)  # (year, latitude, longitude)
AREA = np.array([1.0, 0.8, 0.5, 0.2])


@pytest.fixture
def maps(tmp_path):
    """The path of a group that holds the cube with one map to a chunk, and the name of each axis."""
    group = tutorial_zarr.create_group(tmp_path / "maps.zarr")
    names = ("year", "latitude", "longitude")
    group.create_array("air", data=CUBE, chunks=(1, 4, 6), dimension_names=names, fill_value=float("nan"))
    return tmp_path / "maps.zarr"


@pytest.mark.bridge(
    "`rechunk(array, target, chunks=..., memory=...)`",
    "`zarr.from_array(target, data=array, chunks=...)`; `dask.array.rechunk` and `to_zarr`",
    "a budget of memory",
)
def test_both_cut_an_array_again_and_one_within_a_budget(maps, tmp_path):
    ours = tutorial_zarr.open_array(maps / "air", mode="r")
    series = {"chunks": (16, 2, 2)}
    tutorial_zarr.rechunk(ours, tmp_path / "ours", **series, memory="4 KiB")
    with pytest.raises(MemoryBudgetError):
        tutorial_zarr.rechunk(ours, {}, **series, memory="100 B")
    theirs = zarr.open_array(str(maps / "air"), mode="r")
    zarr.from_array(str(tmp_path / "theirs"), data=theirs, **series)
    da.to_zarr(da.from_zarr(str(maps / "air")).rechunk((16, 2, 2)), str(tmp_path / "dask"))
    for name in ("ours", "theirs", "dask"):
        found = zarr.open_array(str(tmp_path / name), mode="r")
        assert found.chunks == (16, 2, 2)
        assert np.array_equal(found[...], CUBE)
    for function in (zarr.from_array, da.rechunk, da.to_zarr):
        assert not [name for name in inspect.signature(function).parameters if "mem" in name]


@pytest.mark.bridge("`rechunk(..., dry_run=True)`", "-", "reads, writes and memory, before anything is written")
def test_a_plan_is_told_here_alone(maps):
    ours, target = tutorial_zarr.open_array(maps / "air", mode="r"), {}
    plan = tutorial_zarr.rechunk(ours, target, chunks=(16, 2, 2), memory="4 KiB", dry_run=True)
    assert (plan.reads, plan.writes) == (16, 6)
    assert 0 < plan.peak <= 4096
    assert target == {}
    for function in (zarr.from_array, zarr.create_array, da.rechunk):
        assert not {"dry_run", "plan"} & set(inspect.signature(function).parameters)


@pytest.mark.bridge(
    "`create_array(..., shards=...)`: inner chunks row after row",
    "the same name: inner chunks in Morton order",
    "a map as one stretch of bytes",
)
def test_the_order_within_a_shard_is_the_writers(tmp_path):
    steps = {}
    for library in (tutorial_zarr, zarr):
        path = tmp_path / library.__name__
        form = {"chunks": (4, 1, 2), "shards": (16, 4, 6), "compressors": None}
        library.create_array(str(path), data=CUBE, **form)
        other = zarr if library is tutorial_zarr else tutorial_zarr
        assert np.array_equal(other.open_array(str(path), mode="r")[...], CUBE)
        shard = (path / "c" / "0" / "0" / "0").read_bytes()
        index = np.frombuffer(shard[-16 * 48 - 4 : -4], "<u8").reshape(4, 12, 2)[..., 0]  # (years, places)
        steps[library.__name__] = set(np.diff(index.astype("i8"), axis=1).ravel().tolist())
    assert steps["tutorial_zarr"] == {4 * 1 * 2 * 4}  # each place right behind the one before, in the same years
    assert len(steps["zarr"]) > 1


@pytest.mark.bridge(
    "`parallel_chunk_map(sums)`, merged by hand",
    "`xarray.open_zarr(...).weighted(area).mean(...)`: merged by itself, for any chunks, with labels",
    "in zarr-python alone: a map over chunks",
)
def test_a_weighted_mean_is_merged_by_both(maps):
    ours = tutorial_zarr.rechunk(tutorial_zarr.open_array(maps / "air", mode="r"), {}, chunks=(16, 3, 4))

    def sums(coords, values):
        area = AREA[coords[1] * 3 :][: values.shape[1]]
        return (values * area[:, None]).sum(axis=(1, 2), dtype="f8"), area.sum() * values.shape[2]

    parts = list(ours.parallel_chunk_map(sums))
    merged = sum(total for total, _ in parts) / sum(weight for _, weight in parts)
    wanted = np.average(CUBE.mean(axis=2, dtype="f8"), axis=1, weights=AREA)
    assert np.allclose(merged, wanted)
    for chunks in ({}, {"year": 16, "latitude": 3, "longitude": 4}):
        air = xarray.open_zarr(maps, chunks=chunks, consolidated=False)["air"]
        found = air.weighted(xarray.DataArray(AREA, dims="latitude")).mean(("latitude", "longitude"))
        assert np.allclose(found.to_numpy(), wanted)
    assert not [name for name in dir(zarr.Array) if "map" in name]


@pytest.mark.bridge("`xarray.open_dataset(store, engine=ZarrBackend)`", '`engine="zarr"`: the same data set', "-")
def test_both_are_engines_of_xarray(maps):
    from tutorial_zarr.integrations.xarray_backend import ZarrBackend

    with (
        xarray.open_dataset(maps, engine=ZarrBackend, consolidated=False) as ours,
        xarray.open_dataset(maps, engine="zarr", consolidated=False) as theirs,
    ):
        xarray.testing.assert_identical(ours, theirs)


@pytest.mark.bridge(
    "`array.chunk_stream()`: stored chunks alone",
    "`array.nchunks_initialized`: how many there are",
    "a walk over the stored chunks",
)
def test_stored_chunks_are_walked_here_and_counted_there(maps):
    writer = tutorial_zarr.open_array(maps / "air", mode="r+")
    writer.store.delete(writer.chunk_key((5, 0, 0)))
    ours = tutorial_zarr.open_array(maps / "air", mode="r")
    assert sorted(coords[0] for coords, _ in ours.chunk_stream()) == [year for year in range(16) if year != 5]
    theirs = zarr.open_array(str(maps / "air"), mode="r")
    assert theirs.nchunks_initialized == 15
    assert not [name for name in dir(theirs) if name[0] != "_" and ("stream" in name or "iter" in name)]
