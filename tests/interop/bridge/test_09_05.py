"""The bridge of 09_05 and of article 39: rows of days, counts in bins, percentiles of chunks, levels in one tree."""

import numpy as np
import pytest

import tutorial_zarr
from data_gen import loadgrid

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

LOAD = (np.arange(2 * 4 * 96, dtype="i4") * 7919 % 1009).reshape(2, 4 * 96)


@pytest.mark.bridge(
    "`rows_of(readings, 96)`, written by hand",
    '`load.coarsen(quarter=96).max()` in xarray; by the clock, `resample(time="1D")`',
    "here: a function for it",
)
def test_days_of_xarray_are_those_of_the_lesson():
    xarray = pytest.importorskip("xarray")
    by_day = LOAD.reshape(2, 4, 96)
    load = xarray.DataArray(LOAD, dims=("feeder", "quarter"))
    clock = np.datetime64("2026-01-05", "ns") + np.arange(4 * 96) * np.timedelta64(15, "m")
    timed = xarray.DataArray(LOAD, dims=("feeder", "time"), coords={"time": clock})
    for name in ("sum", "min", "max"):
        expected = getattr(by_day, name)(axis=2)
        assert np.array_equal(getattr(load.coarsen(quarter=96), name)(), expected)
        assert np.array_equal(getattr(timed.resample(time="1D"), name)().transpose("feeder", "time"), expected)
    assert not hasattr(tutorial_zarr.Array, "coarsen")


@pytest.mark.bridge(
    "`counts_of` in four weeks, merged by adding",
    "`dask.array.histogram(a, bins=edges)` adds the counts of chunks",
    "-",
)
def test_dask_adds_the_counts_of_chunks(tmp_path):
    array = pytest.importorskip("dask.array")
    ours = tutorial_zarr.create_array(tmp_path / "a.zarr", data=LOAD, chunks=(1, 96))
    edges = np.array([0, 10, 100, 500, 2000])
    counts, _ = array.histogram(array.from_zarr(str(tmp_path / "a.zarr")), bins=edges)
    merged = sum(np.histogram(ours[:, k : k + 96], edges)[0] for k in range(0, 4 * 96, 96))
    assert np.array_equal(counts.compute(), merged)


@pytest.mark.bridge(
    "`percentile` of all readings, exact",
    "`dask.array.percentile(a, 95)` on chunks of a day: the grid's is exceeded 1 % of the year, not 5 %",
    "a bound on its error",
)
def test_dask_makes_a_percentile_of_those_of_the_chunks():
    array = pytest.importorskip("dask.array")
    grid = loadgrid.make().arrays["wh"].sum(axis=0, dtype="i8").astype(float)
    exact = np.percentile(grid, 95, method="inverted_cdf")
    assert 0.049 < (grid > exact).mean() <= 0.05
    found = float(array.percentile(array.from_array(grid, chunks=96), 95).compute())
    assert round(100 * float((grid > found).mean())) == 1
    assert float(array.percentile(array.from_array(grid, chunks=-1), 95).compute()) == pytest.approx(exact, rel=1e-4)


@pytest.mark.bridge(
    "levels in one group, a branch built again by hand",
    "`xarray.DataTree` writes and opens levels as one tree",
    "on both sides: levels that follow a correction",
)
def test_a_tree_keeps_levels_and_lets_them_part(tmp_path):
    xarray = pytest.importorskip("xarray")
    load = xarray.DataArray(LOAD, dims=("feeder", "quarter"))
    days = load.coarsen(quarter=96).max().rename(quarter="day")
    tree = xarray.DataTree.from_dict({"/quarter": load.to_dataset(name="wh"), "/day": days.to_dataset(name="peak")})
    tree.to_zarr(tmp_path / "grid.zarr", consolidated=False)
    for library in (tutorial_zarr, zarr):
        group = library.open_group(str(tmp_path / "grid.zarr"), mode="r+")
        group["quarter/wh"][0, 0] = 5000  # a correction from below
    found = xarray.open_datatree(tmp_path / "grid.zarr", engine="zarr", consolidated=False)
    assert found["quarter/wh"].to_numpy()[0, 0] == 5000
    assert np.array_equal(found["day/peak"], days)  # which is wrong now, on both sides
