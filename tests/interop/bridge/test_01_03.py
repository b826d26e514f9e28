"""The bridge of 01_03 and of article 03: pipelines of codecs, on both sides."""

import json

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import UnsupportedError

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]
VALUES = np.arange(3000, 3040, dtype="<i4")
GZIP = {"name": "gzip", "configuration": {"level": 5}}


def codecs(path):
    return [codec["name"] for codec in json.loads((path / "zarr.json").read_text(encoding="utf-8"))["codecs"]]


@pytest.mark.bridge(
    "`create_array(..., filters=..., compressors=...)`, with dicts", "the same names, and dicts too", "-"
)
def test_a_pipeline_is_a_list_of_dicts(tmp_path):
    delta = {"name": "numcodecs.delta", "configuration": {"dtype": "<i4"}}
    shuffle = {"name": "numcodecs.shuffle", "configuration": {"elementsize": 4}}
    for library, other in (BOTH, BOTH[::-1]):
        path = tmp_path / library.__name__
        library.create_array(str(path), data=VALUES, chunks=(20,), filters=delta, compressors=[shuffle, GZIP])
        assert codecs(path) == ["numcodecs.delta", "bytes", "numcodecs.shuffle", "gzip"]
        assert np.array_equal(other.open_array(str(path), mode="r")[...], VALUES)


@pytest.mark.bridge("no `compressors`: zstd", "zstd, as well", "-")
@pytest.mark.parametrize("library", BOTH)
def test_the_compressor_that_was_not_chosen(tmp_path, library):
    library.create_array(str(tmp_path / "a"), data=VALUES, chunks=(20,))
    assert codecs(tmp_path / "a") == ["bytes", "zstd"]


@pytest.mark.bridge("`UnsupportedError`, on opening, for an unknown codec", "`UnknownCodecError`, on opening", "-")
@pytest.mark.parametrize("library", BOTH)
def test_an_unknown_codec_is_an_error_on_opening(tmp_path, library):
    library.create_array(str(tmp_path / "a"), data=VALUES, chunks=(20,), compressors=GZIP)
    document = tmp_path / "a" / "zarr.json"
    document.write_text(document.read_text(encoding="utf-8").replace('"gzip"', '"brotli"'), encoding="utf-8")
    expected = UnsupportedError if library is tutorial_zarr else zarr.errors.UnknownCodecError
    with pytest.raises(expected, match="brotli"):
        library.open_array(str(tmp_path / "a"), mode="r")


@pytest.mark.bridge(
    '`np.rint(dollars * 100).astype("int32")`', "xarray: `scale_factor` in `encoding`, undone on reading", "-"
)
def test_dollars_are_stored_as_cents(tmp_path):
    xarray = pytest.importorskip("xarray")
    dollars = np.array([39.89, 39.9, 40.01, 39.89])
    encoding = {"price": {"dtype": "int32", "scale_factor": 0.01}}
    xarray.Dataset({"price": ("second", dollars)}).to_zarr(tmp_path / "x", encoding=encoding, consolidated=False)
    stored = tutorial_zarr.open_array(tmp_path / "x" / "price", mode="r")
    assert np.array_equal(stored[...], np.rint(dollars * 100).astype("int32"))
    assert np.allclose(xarray.open_zarr(tmp_path / "x", consolidated=False).price, dollars, rtol=0, atol=1e-9)
