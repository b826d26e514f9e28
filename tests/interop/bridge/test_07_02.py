"""The bridge of 07_02 and of article 30: masks that choose chunks, tiles, fill values, unsigned numbers."""

import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

VALUES = np.arange(4 * 8 * 8, dtype="u2").reshape(4, 8, 8)
CLEAR = np.zeros((4, 8, 8), bool)
CLEAR[1, 0, 0] = CLEAR[3, 6, 7] = CLEAR[3, 7, 7] = True  # in two of 16 chunks


class Counting(zarr.storage.WrapperStore):
    """Writes down which chunks are asked for; a copy that is for reading only shares the list."""

    def __init__(self, store, asked=None):
        super().__init__(store)
        self.asked = [] if asked is None else asked

    def with_read_only(self, read_only=False):
        return type(self)(self._store.with_read_only(read_only), self.asked)

    async def get(self, key, *args, **kwargs):
        if "zarr.json" not in key and "/.z" not in key and not key.startswith(".z"):
            self.asked.append(key)
        return await super().get(key, *args, **kwargs)


def theirs():
    store = Counting(zarr.storage.MemoryStore())
    names = {"chunks": (1, 4, 4), "dimension_names": ("t", "y", "x")}
    zarr.create_group(store).create_array("pixels", data=VALUES, **names)
    return store


@pytest.mark.bridge(
    "`a.get_mask_selection(wanted)` asks only for chunks with a `True`",
    "the same name; xarray's `where(clear)` reads every chunk",
    "-",
)
def test_a_boolean_selection_asks_only_for_chunks_with_a_true():
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("dask.array")
    trace = TraceStore(MemoryStore())
    a = tutorial_zarr.create_array(trace, data=VALUES, chunks=(1, 4, 4))
    trace.clear()
    assert a.get_mask_selection(CLEAR).tolist() == VALUES[CLEAR].tolist()
    assert trace.count("GET") == 2
    store = theirs()
    b = zarr.open_array(store, path="pixels", mode="r")
    assert b.get_mask_selection(CLEAR).tolist() == VALUES[CLEAR].tolist()
    assert len(store.asked) == 2
    store.asked.clear()
    pixels = xarray.open_zarr(store, consolidated=False)["pixels"]
    found = pixels.where(xarray.DataArray(CLEAR, dims=pixels.dims)).values
    assert np.array_equal(found[CLEAR], VALUES[CLEAR])
    assert len(set(store.asked)) == 16


@pytest.mark.bridge(
    "`a.blocks[t, y, x, 0]`, a tile by its place",
    "the same name; Dask has `.blocks`, and computes the ones it is asked for",
    "-",
)
def test_a_tile_by_its_place():
    dask_array = pytest.importorskip("dask.array")
    store = theirs()
    b = zarr.open_array(store, path="pixels", mode="r")
    ours = tutorial_zarr.create_array({}, data=VALUES, chunks=(1, 4, 4))
    lazy = dask_array.from_array(b, chunks=(1, 4, 4))
    wanted = VALUES[3:4, 4:, 4:]
    for found in (ours.blocks[3, 1, 1], b.blocks[3, 1, 1], lazy.blocks[3, 1, 1].compute()):
        assert np.array_equal(np.reshape(found, wanted.shape), wanted)
    assert len(store.asked) == 2  # zarr-python once, and Dask once


MASK = np.zeros((8, 8), "u1")
MASK[:, :2] = 1


@pytest.mark.bridge(
    "a mask with `fill_value=255`",
    "GDAL takes a fill value of 0 for nodata and leaves clear pixels out; so does xarray in Zarr 2",
    "here: reading it as nodata",
)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_xarray_takes_the_fill_value_of_zarr_2_for_missing(tmp_path, zarr_format):
    xarray = pytest.importorskip("xarray")
    for fill in (0, 255):
        group = tutorial_zarr.create_group(tmp_path / f"{fill}", zarr_format=zarr_format)
        a = group.create_array("cloud", data=MASK, dimension_names=("y", "x"), chunks=(4, 4), fill_value=fill)
        assert float(a[...].mean()) == 0.25  # no value of ours is left out
        found = xarray.open_zarr(str(tmp_path / f"{fill}"), consolidated=False)["cloud"]
        left_out = zarr_format == 2 and fill == 0
        assert float(found.mean()) == (1.0 if left_out else 0.25)
        assert int(found.isnull().sum()) == (48 if left_out else 0)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_gdal_takes_the_fill_value_for_nodata_in_both_formats(tmp_path, zarr_format):
    rasterio = pytest.importorskip("rasterio", reason="GDAL is not in the shared environment")
    for fill in (0, 255):
        path = tmp_path / f"{fill}.zarr"
        tutorial_zarr.create_array(path, data=MASK, chunks=(4, 4), fill_value=fill, zarr_format=zarr_format)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mask without a place on the Earth
            with rasterio.open(f'ZARR:"{path}"') as source:
                found = source.read(1, masked=True)
        assert source.nodata == fill
        assert (float(found.mean()), found.count()) == ((1.0, 16) if fill == 0 else (0.25, 64))


@pytest.mark.bridge(
    "`ndvi(pixels)`, floats first",
    "NumPy's rule in all: `infrared - red` of `uint16` wraps, in xarray and Dask as well",
    "a warning",
)
def test_unsigned_numbers_wrap_in_all_of_them():
    xarray = pytest.importorskip("xarray")
    dask_array = pytest.importorskip("dask.array")
    red, infrared = np.array([400], "u2"), np.array([200], "u2")
    made = [
        [library.create_array({}, data=x, chunks=(1,))[...] for x in (red, infrared)]
        for library in (tutorial_zarr, zarr)
    ]
    made += [[xarray.DataArray(x) for x in (red, infrared)], [dask_array.from_array(x) for x in (red, infrared)]]
    for one, other in made:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.asarray(other - one).tolist() == [65_336]
            assert np.asarray(other.astype(float) - one).tolist() == [-200]
