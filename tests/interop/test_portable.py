"""What the profile "portable" makes, every reader reads; what it cannot make so, it refuses in one sentence."""

import contextlib
import json
import re

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.cli import main
from tutorial_zarr.errors import MetadataError, SelectionError, UnsupportedError
from tutorial_zarr.interop.lint import Matrix, lint, stored_matrix
from tutorial_zarr.interop.portable import Portable
from tutorial_zarr.interop.recipes import data_types_v2, data_types_v3

pytestmark = pytest.mark.interop
FORMATS = {2: data_types_v2(), 3: data_types_v3()}
NUMBERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_every_array_that_it_makes_has_no_finding_and_every_other_is_refused(zarr_format):
    readers, made = Portable().readers_of(zarr_format), set()
    for label, data_type in FORMATS[zarr_format].items():
        store, refused = {}, ""
        options = {"shape": (4, 6), "dtype": data_type, "zarr_format": zarr_format, "attributes": {"units": "m"}}
        try:
            zarr.create_array(store, **options, profile="portable")
        except UnsupportedError as error:
            refused = str(error)
        if refused:
            assert re.search("expected what all its readers read, found .*; try: ", refused)
            assert store == {}
            assert list(lint(zarr.create_array({}, **options).store, readers)), f"{label} is refused without a reason"
        else:
            made.add(label)
            assert list(lint(store, readers)) == []
    assert made >= NUMBERS
    for label in made:  # the matrix itself says so: each of these readers read this type equal, with this compressor
        key = "codec:zstd" if zarr_format == 3 else "codec2:zstd"
        wanted = {f"format:{zarr_format}", f"type:{label}", key}
        for reader in readers:
            marks = [
                m for c, m in zip(stored_matrix().cases, stored_matrix().marks[reader], strict=True) if wanted <= c
            ]
            assert set(marks) & set("=~"), (label, reader)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_the_lint_passes_what_it_makes(zarr_format, tmp_path, capsys):
    root = zarr.create_group(tmp_path / "all.zarr", zarr_format=zarr_format)
    for label, data_type in FORMATS[zarr_format].items():
        with contextlib.suppress(UnsupportedError):
            root.create_array(re.sub(r"\W", "_", label), shape=(4, 6), dtype=data_type, profile="portable")
    assert set(root) >= NUMBERS
    code, out = main(["lint", str(tmp_path / "all.zarr")]), capsys.readouterr().out
    assert (code, "does not read" in out) == (0, False)
    code, out = main(["lint", str(tmp_path / "all.zarr"), "--json"]), capsys.readouterr().out
    assert (code, json.loads(out)["findings"]) == (0, [])


def test_the_format_is_the_one_with_most_readers_or_the_one_that_is_asked_for():
    rules = Portable()
    most = max((3, 2), key=lambda zarr_format: len(rules.readers_of(zarr_format)))
    for options, expected in (({}, most), ({"zarr_format": 2}, 2), ({"zarr_format": 3}, 3)):
        assert zarr.create_array({}, shape=(4,), dtype="i4", profile="portable", **options).zarr_format == expected
    assert zarr.create(4, dtype="i4", profile="portable").zarr_format == most
    assert zarr.create_array({}, shape=(4,), dtype="i4").zarr_format == 3
    group = zarr.create_group({}, zarr_format=3)
    assert group.create_array("x", shape=(4,), dtype="i4", profile="portable").zarr_format == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dtype": "bool"}, "the type bool, which z5py does not read; try: the type uint8 instead of the type bool"),
        ({"dtype": "f2"}, "the type float16, .* try: the type float32 instead of the type float16"),
        ({"dtype": "M8[s]"}, "the type numpy.datetime64, .* try: the type int64 instead of"),
        ({"dtype": "bfloat16"}, "the type bfloat16, .* try: the type float32 instead of"),
        ({"dtype": "c8"}, "the type complex64, which z5py and zarrita do not read"),
        ({"dtype": str}, "the type string, which"),
        ({"dtype": [("a", "i4")]}, "the type struct, which"),
        ({"dtype": ">i4"}, "big-endian elements, which z5py does not read; try: little-endian elements"),
        (
            {"chunks": (2, 3), "shards": (4, 6)},
            "shards, which gdal does not read; try: chunks without shards",
        ),
        (
            {"chunks": ([1, 3], 3)},
            "the chunk grid rectilinear, .* try: the chunk grid regular instead of the chunk grid rectilinear",
        ),
        ({"order": "F"}, "the codec transpose, which z5py does not read"),
        ({"compressors": ["zstd", "crc32c"]}, "the codec crc32c, which gdal and z5py do not read"),
        ({"codecs": ["bytes", "numcodecs.zlib"]}, "the codec numcodecs.zlib, which .* try: the codec .* instead of"),
        ({"dtype": "u8", "fill_value": 2**64 - 1}, "a fill value beyond .* gdal does not read"),
        ({"attributes": {"n": 2**60}}, "attributes with integers beyond .*, which z5py and zarrita do not read"),
        ({"chunk_key_encoding": "v2"}, "chunk keys v2., which icechunk does not read"),
    ],
)
def test_what_not_all_read_is_refused_in_one_sentence_and_nothing_is_written(options, sentence):
    store = {}
    with pytest.raises(UnsupportedError, match=sentence) as caught:
        zarr.create_array(store, **{"shape": (4, 6), "dtype": "i4", "zarr_format": 3, **options}, profile="portable")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("profile 'portable', Zarr 3: expected what all its readers read, found ")
    assert caught.value.findings
    assert store == {}


def test_what_is_asked_for_and_read_by_all_stays():
    a = zarr.create_array({}, shape=(4,), dtype="i4", codecs=["bytes", "blosc"], zarr_format=3, profile="portable")
    assert [codec.name for codec in a.codecs] == ["bytes", "blosc"]
    a = zarr.create_array({}, shape=(4,), dtype="f4", fill_value=np.nan, compressors=None, profile="portable")
    assert np.isnan(a.fill_value)


def test_fewer_readers_allow_more():
    a = zarr.create_array({}, shape=(4,), dtype="bool", profile=Portable(["gdal", "zarrita"]))
    assert (a.dtype, a.zarr_format) == (np.dtype(bool), 3)
    assert zarr.create_array({}, shape=(4,), dtype="i4", profile=Portable(["netcdf-c"])).zarr_format == 2
    with pytest.raises(UnsupportedError, match="a format that all its readers read, which icechunk does not read"):
        zarr.create_array({}, shape=(4,), dtype="i4", zarr_format=2, profile=Portable(["icechunk"]))
    with pytest.raises(UnsupportedError, match="which netcdf-c does not read; try fewer readers"):
        zarr.create_array({}, shape=(4,), dtype="i4", profile=Portable(["icechunk", "netcdf-c"]))
    with pytest.raises(SelectionError, match=r"readers: expected some of .*, found excel"):
        Portable(["excel"])
    with pytest.raises(MetadataError, match="profile: expected 'portable', found 'quick'"):
        zarr.create_array({}, shape=(4,), dtype="i4", profile="quick")


def one_compressor(**marks):
    """A matrix of three cases with another compressor each."""
    elements = ["format:3", "type:int32", "grid:regular", "keys:default/", "codec:zstd", "codec:gzip", "codec:crc32c"]
    cases = [[0, 1, 2, 3, 4], [0, 1, 2, 3, 5], [0, 1, 2, 3, 6], [0, 1, 2, 3]]
    said = {name: {} for name in marks}
    data = {"date": "", "peers": {}, "elements": elements, "cases": cases, "empty": [], "marks": marks, "said": said}
    return Matrix({**data, "sentences": []})


@pytest.mark.parametrize(
    ("marks", "names"),
    [({"a": "====", "b": "===="}, "zstd"), ({"a": "-===", "b": "===="}, "gzip"), ({"a": "-===", "b": "=-=="}, None)],
)
def test_the_compressor_is_one_that_the_matrix_says_all_read(marks, names):
    rules = Portable(matrix=one_compressor(**marks))
    assert rules.compressor(dtypes.from_json("int32"), 3, "zstd") == names
    a = zarr.create_array({}, shape=(4,), dtype="i4", profile=rules)
    assert [codec.name for codec in a.codecs] == ["bytes", *([names] if names else [])]


def test_rechunking_refuses_what_is_not_portable(tmp_path, capsys):
    zarr.create_array(tmp_path / "a.zarr", data=np.eye(4, dtype="f2"), chunks=(2, 2))
    arguments = ["rechunk", str(tmp_path / "a.zarr"), str(tmp_path / "b.zarr"), "--chunks", "4,4"]
    assert main([*arguments, "--profile", "portable"]) == 1
    assert "the type float16, which" in capsys.readouterr().err
    assert not (tmp_path / "b.zarr" / "zarr.json").exists()
    assert main(arguments) == 0
    zarr.create_array(tmp_path / "c.zarr", data=np.eye(4, dtype="f4"), chunks=(2, 2))
    arguments[1:3] = str(tmp_path / "c.zarr"), str(tmp_path / "d.zarr")
    assert main([*arguments, "--profile", "portable"]) == 0
    assert zarr.open_array(tmp_path / "d.zarr").chunks == (4, 4)
