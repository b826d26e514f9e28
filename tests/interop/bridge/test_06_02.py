"""The bridge of 06_02 and of article 26: a chain that is cut, hashes of 64 bits, slices, exact sums."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

HASHES = np.array([2**63 + 1, 2**63 + 3, 7, 8, 9, 10, 11, 12, 13, 14], "u8")  # the first two are one float64


def stored(folder, zarr_format=3):
    """The hashes, one for each block, as a group that xarray reads."""
    names = {"dimension_names": ("block",)} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": ["block"]}}
    group = tutorial_zarr.create_group(str(folder), zarr_format=zarr_format)
    group.create_array("hash", data=HASHES, chunks=(4,), **names)
    return group


@pytest.mark.bridge(
    "`a.resize(fork)`, then `a.append(blocks)`",
    'the same names in zarr-python; xarray: `ds.to_zarr(append_dim="block")` appends',
    "in xarray: a way to shrink a store",
)
def test_xarray_appends_and_does_not_shrink(tmp_path):
    xr = pytest.importorskip("xarray")
    branch = np.array([21, 22, 23, 24, 25], "u8")
    for library in (tutorial_zarr, zarr):
        a = library.create_array(str(tmp_path / library.__name__), shape=HASHES.shape, chunks=(4,), dtype="u8")
        a[...] = HASHES
        a.resize((6,))
        a.append(branch)
        assert a[...].tolist() == [*HASHES[:6], *branch]
    stored(tmp_path / "theirs")
    whole = xr.open_zarr(str(tmp_path / "theirs"), consolidated=False).load()
    with pytest.raises(ValueError, match="only supports changing dimension sizes when explicitly appending"):
        whole.isel(block=slice(6)).to_zarr(str(tmp_path / "theirs"), mode="a")
    xr.Dataset({"hash": ("block", branch)}).to_zarr(str(tmp_path / "theirs"), append_dim="block", consolidated=False)
    assert tutorial_zarr.open_array(tmp_path / "theirs", path="hash", mode="r")[...].tolist() == [*HASHES, *branch]


@pytest.mark.bridge(
    "`hash` is `uint64` for every reader", "xarray: `float64` from format 2, unless `mask_and_scale=False`", "-"
)
@pytest.mark.parametrize(("zarr_format", "kind"), [(2, "float64"), (3, "uint64")])
def test_a_hash_of_format_2_is_a_float_for_xarray(tmp_path, zarr_format, kind):
    xr = pytest.importorskip("xarray")
    group = stored(tmp_path, zarr_format)
    assert group["hash"].dtype == "uint64"
    found = xr.open_zarr(str(tmp_path), consolidated=False)["hash"]
    assert found.dtype == kind
    assert (found.values[0] == found.values[1]) == (kind == "float64")
    plain = xr.open_zarr(str(tmp_path), consolidated=False, mask_and_scale=False)["hash"]
    assert plain.dtype == "uint64"
    assert np.array_equal(plain.values, HASHES)


@pytest.mark.bridge(
    "`time[h - 144 : h]`, by position",
    "xarray: `ds.sel(block=slice(h - 144, h - 1))`, by height, both ends included",
    "-",
)
def test_a_slice_of_labels_has_both_its_ends(tmp_path):
    xr = pytest.importorskip("xarray")
    first, h = 830_592, 830_592 + 300
    time = np.arange(400) * 600
    a = tutorial_zarr.create_array(tmp_path / "time", data=time, chunks=(64,))
    ds = xr.Dataset({"time": ("block", time)}, coords={"block": first + np.arange(400)})
    assert np.array_equal(a[h - first - 144 : h - first], ds.sel(block=slice(h - 144, h - 1)).time.values)
    assert len(ds.sel(block=slice(h - 144, h)).time) == 145


@pytest.mark.bridge(
    "`fees.sum()` of whole satoshis, in any chunks", "Dask: `da.from_zarr(...).sum()`, `int64` and exact", "-"
)
def test_dask_adds_whole_satoshis_exactly(tmp_path):
    da = pytest.importorskip("dask.array")
    fees = np.array([2**53, 1, 1, 1, 5 * 10**8, 3, 7], "i8")  # float64 would lose ones
    a = tutorial_zarr.create_array(tmp_path / "fees", data=fees, chunks=(2,))
    lazy = da.from_zarr(str(tmp_path / "fees"))
    for chunks in (1, 2, 3, 7):
        total = lazy.rechunk(chunks).sum().compute()
        assert (total, total.dtype) == (a[...].sum(), np.dtype("i8"))
    assert int(a[...].sum()) == sum(fees.tolist()) != int(np.cumsum(fees.astype("f8"))[-1])
