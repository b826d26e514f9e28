"""The bridge of 09_03 and of article 37: means, differences and unwrapping of angles, run on both sides."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

# A wrist that rests at half a turn: 16-bit counts on both sides of it.
RESTING = np.where(np.arange(1000) % 2, 32_766, -32_766).astype("i2")
DEGREES = 360 / 65_536


def from_half_a_turn(angle):
    return abs((angle - 180 + 180) % 360 - 180)


@pytest.mark.bridge(
    "`short_mean(block)`, written by hand",
    "xarray's `coarsen(sample=500).mean()` takes a plain mean; `scipy.stats.circmean` goes round",
    "a mean of angles, in either library",
)
def test_a_mean_of_angles_is_nobodys_method():
    xarray = pytest.importorskip("xarray")
    stats = pytest.importorskip("scipy.stats")
    block = RESTING[:500]
    short = block[0] + (block - block[0]).mean()
    assert from_half_a_turn(short * DEGREES) < 0.02
    plain = xarray.DataArray(RESTING * DEGREES, dims="sample").coarsen(sample=500).mean()
    assert np.allclose(plain, 0)
    assert from_half_a_turn(stats.circmean(block * DEGREES, high=180, low=-180)) < 0.02
    for library in (tutorial_zarr.Array, zarr.Array, xarray.DataArray):
        assert not hasattr(library, "circmean")


@pytest.mark.bridge("`np.unwrap` on each chunk: seams", "Dask's `map_blocks(np.unwrap)`: the same seams", "-")
def test_unwrapping_chunk_by_chunk_leaves_seams():
    dask = pytest.importorskip("dask.array")
    angles = np.array([170.0, -170, -150, -130, -110])  # one turn in a row, the seam after the second
    a = tutorial_zarr.create_array({}, data=angles, chunks=(2,))
    ours = np.concatenate([np.unwrap(a[k : k + 2], period=360) for k in range(0, 5, 2)])
    theirs = dask.from_array(angles, chunks=2).map_blocks(np.unwrap, period=360).compute()
    assert ours.tolist() == theirs.tolist() == [170, 190, -150, -130, -110]
    assert np.unwrap(a[...], period=360).tolist() == [170, 190, 210, 230, 250]


@pytest.mark.bridge("`block - block[0]` in 16 bits wraps", "Dask and xarray keep `int16`, and wrap as well", "-")
def test_sixteen_bits_stay_sixteen():
    xarray, dask = pytest.importorskip("xarray"), pytest.importorskip("dask.array")
    a = tutorial_zarr.create_array({}, data=RESTING, chunks=(500,))
    ours = a[...] - a[0]
    theirs = (dask.from_array(RESTING, chunks=500) - RESTING[0]).compute()
    labelled = xarray.DataArray(RESTING, dims="sample") - xarray.DataArray(RESTING, dims="sample")[0]
    assert ours.dtype == theirs.dtype == labelled.dtype == np.dtype("i2")
    assert set(ours.tolist()) == set(theirs.tolist()) == set(labelled.values.tolist()) == {0, -4}


@pytest.mark.bridge("`create_group`, `create_array`, `a[begin:end]`", "the same names", "-")
@pytest.mark.parametrize("library", [tutorial_zarr, zarr])
def test_a_cut_of_one_array_and_its_offsets(tmp_path, library):
    group = library.create_group(str(tmp_path / "arm"))
    log = group.create_array("counts", data=RESTING.reshape(-1, 2), chunks=(64, 2))
    where = group.create_array("offset", data=np.array([0, 100, 180, 500]), chunks=(4,))
    begin, end = where[1:3]
    assert np.array_equal(log[begin:end], RESTING.reshape(-1, 2)[100:180])
