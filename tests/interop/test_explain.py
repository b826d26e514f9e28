"""Who wrote a store: by the documents of real writers, which ``written.json`` holds as they wrote them, and live."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.cli import main
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.interop.explain import SURE, TRAITS, explain, lines

WRITTEN = json.loads(Path(__file__).with_name("written.json").read_text(encoding="utf-8"))
# Store -> writer -> how sure. Nothing else may be said of it.
WRITERS = {
    "acquire": {"acquire-zarr": "likely"},
    "anndata_v2": {"AnnData": "certain", "zarr-python 3": "likely"},
    "anndata_v3": {"AnnData": "certain", "zarr-python 3": "likely"},
    "gdal_ZARR_V2": {"GDAL": "certain"},
    "gdal_ZARR_V3": {"GDAL": "certain"},
    "icechunk": {"Icechunk": "certain"},
    "n5.n5": {"N5": "certain"},
    "n5_by_zarr_n5": {"zarr-n5": "certain", "zarr-python 3": "likely"},
    "netcdf_c": {"netCDF-C": "certain"},
    "netcdf_c_zarr": {"netCDF-C": "certain"},
    "ome_zarr_0.4": {"OME-Zarr 0.4": "certain", "zarr-python 3": "likely", "ome-zarr-py": "could be"},
    "ome_zarr_0.5": {"OME-Zarr 0.5": "certain", "zarr-python 3": "likely", "ome-zarr-py": "could be"},
    "tensorstore_zarr": {"TensorStore": "likely"},
    "tensorstore_zarr3": {"TensorStore": "likely"},
    "xarray_v2": {"zarr-python 3": "likely", "xarray": "likely"},
    "xarray_v3": {"zarr-python 3": "likely", "xarray": "likely"},
    "z5py.zarr": {"z5py": "could be", "zarr-python 2": "could be"},
    "z5py3.zarr": {"z5py": "likely"},
    "zarr_python2_v2": {"zarr-python 2": "likely"},
    "zarr_python3_v2": {"zarr-python 3": "likely"},
    "zarr_python3_v3": {"zarr-python 3": "likely"},
    "zarrita": {"zarrita": "likely"},
}


def written(name):
    return {key: text.encode() for key, text in WRITTEN[name]["documents"].items()}


def who(told):
    """Writer -> the best that is known."""
    return {one.writer: one.sure for one in reversed(told.traits)}


@pytest.mark.parametrize("name", WRITERS)
def test_a_real_writer_is_known_and_nobody_else_is_named(name):
    told = explain(written(name))
    assert who(told) == WRITERS[name]
    text = list(lines(told))
    assert len(text) <= 24
    assert max(map(len, text)) <= 80


def test_what_a_reader_refuses_it_does_not_misread(tmp_path):
    shutil.unpack_archive(Path(__file__).parent / "writers" / "n5.zip", tmp_path)
    told = explain(tmp_path / "gzip" / "c.n5")
    [gdal] = [by for one in told.misread for by in one.seen if by.reader == "gdal"]
    assert "missing" in gdal.sees
    text = " ".join(" ".join(lines(told)).split())
    assert "missing" not in text
    assert "does not read v: the codec n5_default" in text


def test_every_writer_of_the_table_is_seen_or_told_why_not():
    elsewhere = {
        "SpatialData", "bioformats2raw", "zarrs", "tutorial_zarr"  # below
    }  # fmt: skip
    assert set(WRITTEN) == set(WRITERS)
    assert {trait["writer"] for trait in TRAITS} == {name for found in WRITERS.values() for name in found} | elsewhere
    assert {trait["sure"] for trait in TRAITS} <= set(SURE)


@pytest.mark.parametrize(
    ("attributes", "writer"),
    [
        ({"spatialdata_attrs": {"version": "0.2"}}, "SpatialData"),
        ({"bioformats2raw.layout": 3}, "bioformats2raw"),
        ({"_zarrs": {"version": "0.22.0"}}, "zarrs"),
    ],
)
def test_an_attribute_that_one_program_writes_makes_certain(attributes, writer):
    store = {}
    zarr.create_group(store, attributes=attributes)
    assert who(explain(store)) == {writer: "certain"}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_our_own_stores_could_be_ours(zarr_format, tmp_path):
    zarr.create_group(tmp_path, zarr_format=zarr_format).create_array("v", data=np.ones((3, 4)), chunks=(2, 2))
    assert who(explain(tmp_path)) == {"tutorial_zarr": "could be"}
    assert explain(tmp_path).unusual == {}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_is_installed_is_known_live(zarr_format, tmp_path):
    for package in ("zarr", "xarray", "tensorstore"):
        pytest.importorskip(package)
    import tensorstore
    import xarray
    import zarr as other

    other.create_array(tmp_path / "a", data=np.ones(4), zarr_format=zarr_format)
    assert who(explain(tmp_path / "a")) == {"zarr-python 3": "likely"}
    with warnings.catch_warnings(action="ignore"):
        xarray.Dataset({"v": ("x", [1.5, 2.5])}).to_zarr(tmp_path / "b", zarr_format=zarr_format)
    assert who(explain(tmp_path / "b")) == {"zarr-python 3": "likely", "xarray": "likely"}
    driver = {2: "zarr", 3: "zarr3"}[zarr_format]
    spec = {"driver": driver, "kvstore": f"file://{tmp_path}/c/"}
    tensorstore.open(spec, create=True, dtype=tensorstore.int32, shape=[4]).result()
    assert who(explain(tmp_path / "c")) == {"TensorStore": "likely"}


def test_what_is_unusual_is_told_and_what_is_common_is_not():
    store = {}
    root = zarr.create_group(store)
    root.create_array("plain", shape=(4,), dtype="f4", fill_value=np.nan)
    root.create_array("odd", shape=(100_000,), chunks=(10,), dtype="f2", compressors=["numcodecs.bz2"])
    root.create_array("odder", shape=(8,), chunks=(2,), shards=(4,), dtype="i4")
    told = explain(store)
    assert told.unusual == {
        "the codec numcodecs.bz2": ["odd"],
        "the type float16": ["odd"],
        "more than 1,000 chunks of less than 16 kB": ["odd"],
        "shards": ["odder"],
    }
    assert told.unread["gdal"] == {"odd": "the codec numcodecs.bz2", "odder": "shards"}


def test_what_others_will_see_begins_with_what_nobody_notices(tmp_path):
    text = list(lines(explain(written("netcdf_c"))))
    at = text.index("What others will see:")
    assert text[at + 1 :] == [
        "  xarray, zarr-python and zarr-python-2: reads other numbers: v has a shuffle of",
        "      elementsize 0",
        "  gdal and zarrs: refuses it: v has a shuffle of elementsize 0",
        "  tensorstore: does not read v: filters",
        "  nothing known against: netcdf-c and zarrita",
    ]


def test_many_arrays_and_long_names_are_one_screen():
    store = {}
    root = zarr.create_group(store, zarr_format=2)
    for n, dtype in enumerate(["f2", "c8", "c16", "M8[s]", "m8[s]", "S3", "U3", ">i4", str]):
        root.create_array("long" * 30 + str(n), shape=(4,), dtype=dtype, order="F")
    text = list(lines(explain(store)))
    assert len(text) <= 24
    assert max(map(len, text)) <= 80
    assert any(line.startswith("  and ") and "see --json" in line for line in text)


def test_nothing_of_the_kind_is_an_error():
    with pytest.raises(ZarrError, match=r"found only notes\.txt"):
        explain({"notes.txt": b"hello"})


def test_documents_that_are_no_documents_do_no_harm():
    for text in (b"", b"[]", b"{", b'{"zarr_format": 3}', b'{"zarr_format": 3, "node_type": "array"}', b"\xff"):
        try:
            told = explain({"zarr.json": text, "v/zarr.json": text})
        except ZarrError:
            continue
        assert len(list(lines(told))) <= 24


def test_the_command(tmp_path, capsys):
    for key, value in written("xarray_v2").items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(value)
    assert main(["explain", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Zarr 2, 3 arrays\nWho wrote it:\n  zarr-python 3 (likely): ")
    assert main(["explain", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {one["writer"] for one in document["traits"]} == {"xarray", "zarr-python 3"}
    assert document["arrays"] == 3
    assert main(["explain", str(tmp_path / "nothing")]) == 1
    capsys.readouterr()
    packed = shutil.make_archive(str(tmp_path.parent / f"{tmp_path.name}-packed"), "zip", tmp_path)
    assert main(["explain", packed]) == 0
    assert capsys.readouterr().out == out
