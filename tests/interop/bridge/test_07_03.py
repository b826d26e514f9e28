"""The bridge of 07_03 and of article 31: reference sets, who makes them, zeros, and filters, run on both sides."""

import json

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import ReferenceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
h5py = pytest.importorskip("h5py")
pytest.importorskip("fsspec")

CELSIUS = np.array([[3, 0, -2], [0, 1, 2]], "i2")


@pytest.fixture
def made(tmp_path):
    """A file of one variable, and its references."""
    path = tmp_path / "air.nc"
    with h5py.File(path, "w") as file:
        file.create_dataset("celsius", data=CELSIUS, chunks=(1, 3))
    with h5py.File(path) as file:
        chunks = [file["celsius"].id.get_chunk_info(k) for k in range(2)]
    array = {"zarr_format": 2, "shape": [2, 3], "chunks": [1, 3], "dtype": "<i2", "fill_value": 0, "order": "C"}
    refs = {
        ".zgroup": json.dumps({"zarr_format": 2}),
        "celsius/.zarray": json.dumps({**array, "compressor": None, "filters": None}),
        "celsius/.zattrs": json.dumps({"_ARRAY_DIMENSIONS": ["year", "place"]}),
        **{f"celsius/{c.chunk_offset[0]}.0": [str(path), c.byte_offset, c.size] for c in chunks},
    }
    return path, {"version": 1, "refs": refs}


def ours(refs, folder):
    return tutorial_zarr.open_group(ReferenceStore(refs, roots=folder), mode="r")


@pytest.mark.bridge(
    "`ReferenceStore(refs, roots=folder)`",
    '`zarr.storage.FsspecStore.from_url("reference://", storage_options=...)`',
    "`roots`: fsspec reads any file that the set names",
)
def test_both_read_a_reference_set_and_one_asks_where_it_may_lead(made, tmp_path):
    path, refs = made
    options = {"fo": refs, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
    store = zarr.storage.FsspecStore.from_url("reference://", storage_options=options, read_only=True)
    theirs = zarr.open_group(store, mode="r", zarr_format=2)
    assert np.array_equal(theirs["celsius"][...], CELSIUS)
    assert np.array_equal(ours(refs, path.parent)["celsius"][...], CELSIUS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with pytest.raises(StoreError, match=r"key 'celsius/0.0': expected bytes in .*elsewhere"):
        ours(refs, elsewhere)["celsius"][...]


@pytest.mark.bridge(
    "`reference_set(path, 2)`, written by hand",
    "kerchunk's `SingleHdf5ToZarr(path).translate()`: the same places; "
    "a variable with Fletcher's checksum is left out, with a warning",
    "here: a scanner of files",
)
def test_kerchunk_lists_the_same_places(made):
    path, refs = made
    hdf = pytest.importorskip("kerchunk.hdf")
    theirs = hdf.SingleHdf5ToZarr(str(path), inline_threshold=0).translate()["refs"]
    for key in ("celsius/0.0", "celsius/1.0"):
        assert list(theirs[key])[1:] == refs["refs"][key][1:]
    with h5py.File(path, "a") as file:
        file.create_dataset("summed", shape=(2, 999), dtype="i2", chunks=(1, 999), fletcher32=True, shuffle=True)
        file["summed"][...] = 1
    with pytest.warns(UserWarning, match="fletcher32"):
        theirs = hdf.SingleHdf5ToZarr(str(path), inline_threshold=0).translate()["refs"]
    assert not [key for key in theirs if key.startswith("summed/")]


def test_there_is_no_scanner_of_files_here():
    assert not [name for name in dir(tutorial_zarr) if "hdf" in name.lower() or "kerchunk" in name.lower()]


@pytest.mark.bridge(
    "zeros of `celsius` are zeros",
    "xarray takes the fill value of format 2 for a missing value; `mask_and_scale=False` does not",
    "-",
)
def test_zeros_are_missing_to_xarray(made):
    xarray = pytest.importorskip("xarray")
    path, refs = made
    given = {"consolidated": False, "storage_options": {"fo": refs, "remote_protocol": "file"}}
    with xarray.open_dataset("reference://", engine="zarr", backend_kwargs=given) as dataset:
        assert np.array_equal(np.isnan(dataset["celsius"]), CELSIUS == 0)
    with xarray.open_dataset("reference://", engine="zarr", mask_and_scale=False, backend_kwargs=given) as dataset:
        assert np.array_equal(dataset["celsius"], CELSIUS)
    assert np.array_equal(ours(refs, path.parent)["celsius"][...], CELSIUS)


@pytest.mark.bridge(
    "fill value 0 in `reference_set(path, 2)`",
    "VirtualiZarr's `to_kerchunk` writes 0 as well: the same zeros go missing",
    "-",
)
def test_virtualizarr_exports_a_fill_value_that_hides_zeros(made):
    xarray = pytest.importorskip("xarray")
    virtualizarr = pytest.importorskip("virtualizarr", "2.8")
    registry = pytest.importorskip("obspec_utils.registry").ObjectStoreRegistry
    local = pytest.importorskip("obstore.store").LocalStore
    parser = pytest.importorskip("virtualizarr.parsers").HDFParser()
    path, refs = made
    opened = {"registry": registry({"file://": local()}), "parser": parser, "loadable_variables": []}
    with virtualizarr.open_virtual_dataset(path.as_uri(), **opened) as dataset:
        theirs = dataset.vz.to_kerchunk(format="dict")
    for key in ("celsius/0.0", "celsius/1.0"):
        assert list(theirs["refs"][key])[1:] == refs["refs"][key][1:]
    assert json.loads(theirs["refs"]["celsius/.zarray"])["fill_value"] == 0
    given = {"consolidated": False, "storage_options": {"fo": theirs, "remote_protocol": "file"}}
    with xarray.open_dataset("reference://", engine="zarr", backend_kwargs=given) as dataset:
        assert np.array_equal(np.isnan(dataset["celsius"]), CELSIUS == 0)


@pytest.mark.bridge(
    "a filter without a codec is refused",
    "h5py reads it, with HDF5's own code",
    "here: HDF5's filters",
)
def test_hdf5_reads_what_has_no_codec(tmp_path):
    values = np.float32([20.12, 20.46, 21.79, 20.99])
    with h5py.File(tmp_path / "scaled.h5", "w") as file:
        file.create_dataset("t", data=values, chunks=(4,), scaleoffset=2)
    with h5py.File(tmp_path / "scaled.h5") as file:
        assert np.allclose(file["t"][...], values, atol=0.006)
    attributes = {"zarr_format": 2, "shape": [4], "chunks": [4], "dtype": "<f4", "fill_value": 0, "order": "C"}
    document = {**attributes, "compressor": None, "filters": [{"id": "hdf5.scaleoffset"}]}
    with pytest.raises(tutorial_zarr.errors.ZarrError, match=r"scaleoffset"):
        tutorial_zarr.open_array({".zarray": json.dumps(document).encode()}, mode="r")[...]
