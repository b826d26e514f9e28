"""The bridge of 05_03 and of article 21: grids of P&L, cutting them again, and quantiles, on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")
xarray = pytest.importorskip("xarray")

CUBE = (np.arange(20 * 3 * 6) ** 2 % 997 - 500).astype("i4").reshape(20, 3, 6)


@pytest.mark.bridge("`a[scenario] = results`, `a[:, :, 17]`", "the same in zarr-python", "-")
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_scenarios_are_written_and_portfolios_read_by_the_same_names(tmp_path, library):
    a = library.create_array(str(tmp_path / "a"), shape=CUBE.shape, chunks=(1, 3, 6), dtype="i4")
    for scenario, results in enumerate(CUBE):
        a[scenario] = results
    assert np.array_equal(a[:, :, 4], CUBE[:, :, 4])


@pytest.mark.bridge(
    "`rechunk(a, store, chunks=...)`",
    "`dask.array.from_zarr(...).rechunk(...).to_zarr(...)`; in zarr-python `from_array(store, data=a, chunks=...)`",
    "-",
)
def test_a_cube_is_cut_again_by_all(tmp_path):
    path = str(tmp_path / "by_scenario")
    ours = tutorial_zarr.create_array(path, data=CUBE, chunks=(1, 3, 6))
    tutorial_zarr.rechunk(ours, tmp_path / "ours", chunks=(20, 3, 2))
    da.from_zarr(path).rechunk((20, 3, 2)).to_zarr(str(tmp_path / "dask"))
    zarr.from_array(str(tmp_path / "zarr"), data=zarr.open_array(path, mode="r"), chunks=(20, 3, 2))
    for name in ("ours", "dask", "zarr"):
        found = zarr.open_array(str(tmp_path / name), mode="r")
        assert found.chunks == (20, 3, 2)
        assert np.array_equal(found[...], CUBE)


@pytest.mark.bridge(
    "`a.plan_write(selection)` says which chunks must be read first", "-", "the cost of a write, before it is made"
)
def test_what_a_write_costs_is_known_beforehand_here_alone():
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=CUBE, chunks=(20, 3, 2))
    trace.clear()
    plan = ours.plan_write(np.s_[7])
    assert trace.count() == 0
    ours[7] = CUBE[7] + 1
    assert (trace.count("GET"), trace.count("PUT")) == (3, 3)
    assert "3" in str(plan)
    theirs = zarr.create_array({}, data=CUBE, chunks=(20, 3, 2))
    assert not [name for name in dir(theirs) if name[0] != "_" and ("plan" in name or "cost" in name)]


@pytest.mark.bridge(
    "`np.partition` over whole portfolios",
    '`xarray.DataArray.quantile(0.01, "scenario", method="inverted_cdf")`, over Dask\'s chunks as well',
    "-",
)
def test_xarrays_quantile_is_the_twelfth_worst_in_any_chunks():
    pnl = np.random.default_rng(3).integers(-10_000, 10_000, (1109, 4))
    named = xarray.DataArray(pnl, dims=("scenario", "portfolio"))
    for chunked in (named, named.chunk(scenario=-1, portfolio=2), named.chunk(scenario=100)):
        found = chunked.quantile(0.01, "scenario", method="inverted_cdf")
        assert np.array_equal(found, np.partition(pnl, 11, axis=0)[11])
