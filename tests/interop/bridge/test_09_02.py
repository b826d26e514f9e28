"""The bridge of 09_02 and of article 36: a fold, zeros that mean no die, and lots that never came."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

MAPS = (np.arange(3 * 8 * 12).reshape(3, 8, 12) * 7 % 11 % 3).astype("u1")


@pytest.mark.bridge(
    "`fold(these)`: a reshape and a sum",
    '`maps.coarsen(y=4, x=4).construct(y=("shot_y", "y_in"), x=("shot_x", "x_in"))` in xarray, by name',
    "here: axes by name in a reduction",
)
def test_xarray_cuts_maps_into_shots_by_name():
    xarray = pytest.importorskip("xarray")
    failed = MAPS == 2
    maps = xarray.DataArray(failed, dims=("wafer", "y", "x"))
    cut = maps.coarsen(y=4, x=4).construct(y=("shot_y", "y_in"), x=("shot_x", "x_in"))
    folded = cut.sum(("shot_y", "shot_x")).transpose("wafer", "y_in", "x_in").to_numpy()
    assert np.array_equal(folded, failed.reshape(3, 2, 4, 3, 4).sum((-4, -2)))
    assert not {"sum", "coarsen"} & set(dir(tutorial_zarr.Array))


@pytest.mark.bridge(
    "`fill_value=0`: a lot that never came reads as no die, in `u1`",
    "the same name; xarray reads NaN, as `float32`, from format 2, and 0 from format 3",
    "-",
)
@pytest.mark.parametrize(("zarr_format", "dtype"), [(2, "float32"), (3, "uint8")])
def test_zeros_that_mean_no_die(tmp_path, zarr_format, dtype):
    xarray = pytest.importorskip("xarray")
    names = ("wafer", "y", "x")
    named = {"dimension_names": names} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": list(names)}}
    group = tutorial_zarr.create_group(tmp_path / "a.zarr", zarr_format=zarr_format)
    ours = group.create_array("maps", shape=MAPS.shape, dtype="u1", chunks=(1, 8, 12), fill_value=0, **named)
    ours[:2] = MAPS[:2]
    for found in (ours[...], zarr.open_array(str(tmp_path / "a.zarr"), path="maps", mode="r")[...]):
        assert found.dtype == "u1"
        assert not found[2].any()
        assert np.array_equal(found[:2], MAPS[:2])
    seen = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False)["maps"]
    assert seen.dtype == dtype
    no_die = np.isnan(seen.to_numpy()) if zarr_format == 2 else seen.to_numpy() == 0
    assert np.array_equal(no_die, ours[...] == 0)


@pytest.mark.bridge(
    "`array.chunk_stream()`: lots that never came are not read",
    "`dask.array.from_zarr(path)`: a block for every chunk, stored or not",
    "in zarr-python alone: a stream of stored chunks",
)
def test_a_stream_leaves_out_what_never_came(tmp_path):
    da = pytest.importorskip("dask.array")
    ours = tutorial_zarr.create_array(tmp_path / "a.zarr", shape=MAPS.shape, dtype="u1", chunks=(1, 8, 12))
    ours[1] = MAPS[1]
    assert [at[0] for at, _ in ours.chunk_stream()] == [1]
    assert da.from_zarr(str(tmp_path / "a.zarr")).numblocks == (3, 1, 1)
    assert not [name for name in dir(zarr.Array) if "stream" in name]
    memory = MemoryStore()
    tutorial_zarr.create_array(memory, shape=MAPS.shape, dtype="u1", chunks=(1, 8, 12))[1] = MAPS[1]
    trace = TraceStore(memory)
    traced = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    assert len(list(traced.chunk_stream())) == trace.count("GET") == 1
