"""The bridge of 01_05: what the names about interoperability are called elsewhere, each row run on both sides."""

import json
import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import UnsupportedError
from tutorial_zarr.interop.lint import lint

pytestmark = pytest.mark.interop
zarr = pytest.importorskip("zarr", "3.4", reason="the rows are about zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


def made(library, tmp_path, **changes):
    folder = str(tmp_path / library.__name__)
    options = {"shape": (4, 6), "chunks": (2, 3), "dtype": "i4", "compressors": None}
    a = library.create_array(folder, **{**options, **changes})
    a[...] = np.arange(24).reshape(4, 6)
    return a


@pytest.mark.bridge("`create_array`, `open_array`, `a[...]`", "the same names", "-")
def test_arrays_are_made_and_read_with_the_same_names(tmp_path):
    for library in BOTH:
        made(library, tmp_path)
    for reader in BOTH:
        for writer in BOTH:
            found = reader.open_array(str(tmp_path / writer.__name__), mode="r")[...]
            np.testing.assert_array_equal(found, np.arange(24).reshape(4, 6))


@pytest.mark.bridge(
    "`a.encoded_chunk((0, 0))`",
    "`a.store.get_sync(a.metadata.encode_chunk_key((0, 0)))`",
    "one call by the chunk's place",
)
def test_the_bytes_of_a_chunk(tmp_path):
    ours, theirs = (made(library, tmp_path) for library in BOTH)
    stored = theirs.store.get_sync(theirs.metadata.encode_chunk_key((0, 0)))
    assert ours.encoded_chunk((0, 0)) == stored.to_bytes() == np.array([0, 1, 2, 6, 7, 8], "<i4").tobytes()
    assert not [name for name in dir(theirs) if "encode" in name]


@pytest.mark.bridge(
    "`digest(a[...])`",
    "`dask.base.tokenize` tells the zeros and the NaNs apart; xarray's `identical` does not",
    "a digest that is the same for both byte orders",
)
def test_equality_of_bits():
    tokenize = pytest.importorskip("dask.base").tokenize
    xarray = pytest.importorskip("xarray")
    one = np.array([0.0, np.nan])
    pairs = {"zeros": np.array([-0.0, np.nan]), "nans": one.copy()}
    pairs["nans"].view("u8")[1] ^= 1
    assert tokenize(one) == tokenize(one.copy())
    for other in pairs.values():
        assert one.tobytes() != other.tobytes()
        assert tokenize(one) != tokenize(other)
        assert xarray.DataArray(one).identical(xarray.DataArray(other))
    swapped = one.astype(">f8")
    assert swapped.astype("<f8").tobytes() == one.tobytes()  # what the digest of the lesson is made of
    assert tokenize(swapped) != tokenize(one)


@pytest.mark.bridge(
    "`UnsupportedError` for an unknown codec, when the array is opened",
    "`UnknownCodecError`, when the array is opened",
    "-",
)
def test_an_unknown_codec_is_refused_by_both(tmp_path):
    from zarr.errors import UnknownCodecError

    made(zarr, tmp_path)
    document = tmp_path / "zarr" / "zarr.json"
    changed = json.loads(document.read_text())
    changed["codecs"].append({"name": "of_another_program", "configuration": {}})
    document.write_text(json.dumps(changed))
    with pytest.raises(UnsupportedError, match="'of_another_program'"):
        tutorial_zarr.open_array(tmp_path / "zarr", mode="r")
    with pytest.raises(UnknownCodecError, match="'of_another_program'"):
        zarr.open_array(str(tmp_path / "zarr"), mode="r")


@pytest.mark.bridge('`lint(store, ["z5py"])`', "nothing that knows other readers", "what of an array they refuse")
def test_what_other_readers_refuse(tmp_path):
    a = made(tutorial_zarr, tmp_path, dtype="bool")
    assert [(finding.reader, finding.elements) for finding in lint(a.store, ["z5py"])] == [("z5py", ("type:bool",))]
    theirs = made(zarr, tmp_path, dtype="bool")
    names = [*dir(zarr), *dir(theirs), *dir(theirs.metadata)]
    assert not [name for name in names if "lint" in name or "portab" in name or "compatib" in name]


@pytest.mark.bridge(
    '`profile="portable"`',
    "`UnstableSpecificationWarning` for raw bytes, and no word for bool or complex64",
    "a refusal before anything is written",
)
def test_what_is_not_read_by_all_is_refused_here_and_made_there():
    from zarr.errors import UnstableSpecificationWarning

    for dtype in ("bool", "complex64", "V4"):
        store = {}
        with pytest.raises(UnsupportedError, match="try"):
            tutorial_zarr.create_array(store, shape=(4,), chunks=(2,), dtype=dtype, profile="portable")
        assert store == {}
        with warnings.catch_warnings(record=True, action="always") as said:
            zarr.create_array(store, shape=(4,), chunks=(2,), dtype=dtype)
        assert "zarr.json" in store
        assert [w.category for w in said] == ([UnstableSpecificationWarning] if dtype == "V4" else [])
