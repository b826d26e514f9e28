"""The rows of the bridge table of 02_02, each run on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import ChunkError
from tutorial_zarr.labs import compression

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows speak of zarr-python 3.4")
KELVIN = np.array([287.51746, 287.06998, 286.60333, 286.08722], "f4")
HOT = np.array([300.0, 2700.0], "f4")
PACKING = {"offset": 0, "scale": 100, "dtype": "<f4", "astype": "<i2"}


@pytest.mark.bridge(
    '`filters=[{"name": "numcodecs.bitround", ...}]`',
    "`filters=[zarr.codecs.numcodecs.BitRound(keepbits=9)]`: the same name, the same bytes",
    "a NaN that always stays one",
)
def test_bits_are_rounded(tmp_path):
    from zarr.codecs.numcodecs import BitRound

    def read(values):
        name = {"name": "numcodecs.bitround", "configuration": {"keepbits": 9}}
        a = tutorial_zarr.create_array(
            tmp_path / "ours", data=values, filters=[name], compressors=None, fill_value=1.0, overwrite=True
        )
        z = zarr.create_array(
            str(tmp_path / "theirs"),
            data=values,
            filters=[BitRound(keepbits=9)],
            compressors=None,
            fill_value=1.0,
            overwrite=True,
        )
        return a[:], z[:]

    ours, theirs = read(KELVIN)
    assert np.array_equal(ours, theirs)
    assert (tmp_path / "ours" / "c" / "0").read_bytes() == (tmp_path / "theirs" / "c" / "0").read_bytes()
    assert np.array_equal(zarr.open_array(str(tmp_path / "ours"), mode="r")[:], ours)
    ours, theirs = read(np.array([0x7FFFFFFF], "u4").view("f4"))
    assert np.isnan(ours[0])
    assert theirs[0] == 0.0


@pytest.mark.bridge(
    "`numcodecs.fixedscaleoffset` refuses what does not fit",
    "the same name, and 2,700 is read back as 78.56",
    "the refusal",
)
def test_a_filter_that_packs():
    from zarr.codecs.numcodecs import FixedScaleOffset

    with pytest.raises(ChunkError, match="expected numbers from -32768 to 32767"):
        tutorial_zarr.create_array(
            {}, data=HOT, filters=[{"name": "numcodecs.fixedscaleoffset", "configuration": PACKING}], compressors=None
        )
    z = zarr.create_array({}, data=HOT, filters=[FixedScaleOffset(**PACKING)], compressors=None)
    assert z[:] == pytest.approx([300.0, 78.56])


@pytest.mark.bridge(
    "`scale_offset` and `cast_value` in a short integer",
    'xarray: `encoding={"dtype": "int16", "scale_factor": 0.01}`, in the attributes; 2,700 is read back as 78.56',
    "the refusal",
)
def test_packing(tmp_path):
    xr = pytest.importorskip("xarray")
    filters = [
        {"name": "scale_offset", "configuration": {"offset": 0.0, "scale": 100.0}},
        {"name": "cast_value", "configuration": {"data_type": "int16", "rounding": "nearest-even"}},
    ]
    a = tutorial_zarr.create_array({}, data=HOT[:1], filters=filters, compressors=None)
    assert a[0] == 300.0
    with pytest.raises(ChunkError, match="int16"):
        tutorial_zarr.create_array({}, data=HOT, filters=filters, compressors=None)
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.01}}
    xr.Dataset({"v": ("x", HOT)}).to_zarr(tmp_path / "x", encoding=encoding)
    assert xr.open_zarr(tmp_path / "x")["v"].values == pytest.approx([300.0, 78.56])
    assert zarr.open_group(str(tmp_path / "x"), mode="r")["v"].attrs["scale_factor"] == 0.01


@pytest.mark.bridge("`compression.shootout(a)`", "-", "chains compared on a sample, proofs, advice")
def test_a_shootout():
    a = tutorial_zarr.create_array({}, data=np.tile(KELVIN, 1000))
    found = compression.shootout(a, workers=1, levels=False)
    assert len(found.results) > 10
    assert found.picks
    for module in (zarr, zarr.codecs):
        assert not [name for name in dir(module) if "shootout" in name or "advise" in name or "compare" in name]


@pytest.mark.bridge("`filters=`, `compressors=`, `nbytes_stored()`", "the same names", "-")
def test_names_that_are_the_same(tmp_path):
    a = tutorial_zarr.create_array(tmp_path / "a", data=KELVIN, filters=None, compressors=None)
    z = zarr.open_array(str(tmp_path / "a"), mode="r")
    assert a.nbytes_stored() == z.nbytes_stored() > KELVIN.nbytes  # with the metadata
    b = zarr.create_array({}, data=KELVIN, filters=None, compressors=None)
    assert len(a.compressors) == len(b.compressors) == len(a.filters) == len(b.filters) == 0
