"""The differences from zarr-python that DESIGN.md lists: each is run on both sides, so that none is hearsay.

Where zarr-python changes its mind, the test of that row fails, and the row goes.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import MetadataError, NodeExistsError, StoreError

pytestmark = pytest.mark.interop
zarr = pytest.importorskip("zarr", "3.4", reason="the differences are those from zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


@pytest.fixture(autouse=True)
def its_own_warnings_are_not_ours():
    with warnings.catch_warnings(action="ignore"):
        yield


def counted(library, path):
    a = library.create_array(str(path / library.__name__), shape=(4, 6), chunks=(2, 3), dtype="i4")
    a[:] = np.arange(24).reshape(4, 6)
    return a


def write(folder, name, document, chunk=b""):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))
    (folder / "0").write_bytes(chunk)
    return str(folder)


def test_every_row_of_the_table_has_a_test():
    design = Path(tutorial_zarr.__file__).with_name("DESIGN.md").read_text(encoding="utf-8")
    table = design.split("## Differences from zarr-python 3")[1].split("##")[0]
    rows = len(re.findall(r"(?m)^\| (?!here)", table))
    assert rows == sum(name.startswith("test_") for name in globals()) - 1


@pytest.mark.parametrize("selection", [np.s_[::-1], np.s_[None, 0], np.s_[np.array([True, False, False, True])]])
def test_indexing_is_numpys(tmp_path, selection):
    assert np.array_equal(counted(tutorial_zarr, tmp_path)[selection], np.arange(24).reshape(4, 6)[selection])
    with pytest.raises(IndexError, match=r"step|selection"):
        counted(zarr, tmp_path)[selection]


def test_one_element_is_a_scalar(tmp_path):
    assert isinstance(counted(tutorial_zarr, tmp_path)[1, 2], np.int32)
    assert isinstance(counted(zarr, tmp_path)[1, 2], np.ndarray)


def test_what_was_cut_off_is_gone():
    grown = []
    for library in BOTH:
        a = library.create_array({}, shape=(4,), chunks=(4,), dtype="i4")
        a[:] = 7
        a.resize((2,))
        a.resize((4,))
        grown.append(a[:].tolist())
    assert grown == [[7, 7, 0, 0], [7, 7, 7, 7]]


def test_a_nan_in_attributes_is_refused(tmp_path):
    with pytest.raises(MetadataError, match="expected values that JSON can hold"):
        counted(tutorial_zarr, tmp_path).attrs["x"] = float("nan")
    counted(zarr, tmp_path / "z").attrs["x"] = float("nan")
    assert re.search(r":\s*NaN", (tmp_path / "z" / "zarr" / "zarr.json").read_text())


def test_a_chunk_of_other_nans_than_the_fill_value_is_kept(tmp_path):
    found = []
    for library in BOTH:
        a = library.create_array(
            str(tmp_path / library.__name__), shape=(2,), chunks=(2,), dtype="f8", fill_value=np.nan
        )
        a[:] = np.array([0x7FF8000000000001] * 2, "u8").view("f8")
        found.append(a[:].view("u8").tolist())
    assert found == [[0x7FF8000000000001] * 2, [0x7FF8000000000000] * 2]


def test_overwriting_spares_what_is_no_zarr(tmp_path):
    left = []
    for library in BOTH:
        notes = tmp_path / library.__name__ / "notes.txt"
        notes.parent.mkdir()
        notes.write_text("mine")
        try:
            library.create_array(str(notes.parent), shape=(2,), chunks=(2,), dtype="i4", overwrite=True)
        except NodeExistsError:
            pass
        left.append(notes.exists())
    assert left == [True, False]


def test_a_folder_in_the_place_of_a_chunk_is_an_error(tmp_path):
    for library in BOTH:
        (tmp_path / library.__name__ / "c" / "1").mkdir(parents=True)
        library.create_array(str(tmp_path / library.__name__), shape=(4,), chunks=(2,), dtype="i4", fill_value=9)
    with pytest.raises(StoreError, match="c/1"):
        tutorial_zarr.open_array(tmp_path / "tutorial_zarr")[:]
    assert zarr.open_array(str(tmp_path / "zarr"))[:].tolist() == [9] * 4


def test_one_place_has_one_format(tmp_path):
    for library in BOTH:
        library.create_group(str(tmp_path / library.__name__), zarr_format=2)
    with pytest.raises(NodeExistsError, match="found a group"):
        tutorial_zarr.create_group(tmp_path / "tutorial_zarr", zarr_format=3)
    zarr.create_group(str(tmp_path / "zarr"), zarr_format=3)
    assert {file.name for file in (tmp_path / "zarr").iterdir()} >= {".zgroup", "zarr.json"}


def test_a_key_stands_once(tmp_path):
    twice = '{"zarr_format": 3, "node_type": "group", "attributes": {"a": 1, "a": 2}}'
    path = write(tmp_path / "g", "zarr.json", twice)
    with pytest.raises(MetadataError, match="'a' stands twice"):
        tutorial_zarr.open_group(path, mode="r")
    assert dict(zarr.open_group(path, mode="r").attrs) == {"a": 2}


V2 = {"zarr_format": 2, "shape": [2], "chunks": [2], "compressor": None, "fill_value": None, "order": "C"}


def test_times_without_a_unit_have_a_byte_order(tmp_path):
    path = write(tmp_path / "t", ".zarray", {**V2, "dtype": ">M8", "filters": None}, np.array([1, 2], ">i8").tobytes())
    assert tutorial_zarr.open_array(path, mode="r")[:].view("i8").tolist() == [1, 2]
    assert zarr.open_array(path, mode="r")[:].view("i8").tolist() == [1 << 56, 2 << 56]


def test_integers_are_not_taken_for_floats(tmp_path):
    grid = {"name": "regular", "configuration": {"chunk_shape": [3]}}
    chain = [{"name": "numcodecs.bitround", "configuration": {"keepbits": 3}}]
    chain.append({"name": "bytes", "configuration": {"endian": "little"}})
    document = {"zarr_format": 3, "node_type": "array", "shape": [3], "data_type": "int32", "fill_value": 0}
    document |= {"chunk_grid": grid, "chunk_key_encoding": {"name": "default"}, "codecs": chain}
    path = write(tmp_path / "b", "zarr.json", document)
    (tmp_path / "b" / "c").mkdir()
    (tmp_path / "b" / "c" / "0").write_bytes(np.array([1, 1000, 123456], "<i4").tobytes())
    with pytest.raises(MetadataError, match="not int32"):
        tutorial_zarr.open_array(path, mode="r")
    assert zarr.open_array(path, mode="r")[:].tolist() == [0, 0, 0]
    v2 = {**V2, "dtype": "<i4", "filters": [{"id": "bitround", "keepbits": 3}]}
    path = write(tmp_path / "v2", ".zarray", v2, np.array([1, 1000], "<i4").tobytes())
    for library in BOTH:
        assert library.open_array(path, mode="r")[:].tolist() == [1, 1000]


def test_rectilinear_grids_need_no_flag():
    a = tutorial_zarr.create_array({}, shape=(6,), chunks=[[1, 2, 3]], dtype="i4")
    assert a.nchunks == 3
    with pytest.raises(ValueError, match="disabled by default"):
        zarr.create_array({}, shape=(6,), chunks=[[1, 2, 3]], dtype="i4")


def test_groups_are_loaded_and_nodes_copied(tmp_path):
    tutorial_zarr.create_group(tmp_path / "g")
    for library in BOTH:
        counted(library, tmp_path / "g")
    assert set(tutorial_zarr.load(tmp_path / "g")) == {"tutorial_zarr", "zarr"}
    with pytest.raises(NotImplementedError, match="loading groups"):
        zarr.load(str(tmp_path / "g"))
    with pytest.raises(NotImplementedError, match=""):
        zarr.copy(None, None)


def test_v1_is_read(tmp_path):
    meta = {"zarr_format": 1, "shape": [2], "chunks": [2], "dtype": "<i4", "compression": None, "order": "C"}
    path = write(tmp_path / "v1", "meta", {**meta, "compression_opts": None, "fill_value": 0}, b"\1\0\0\0\2\0\0\0")
    (tmp_path / "v1" / "attrs").write_text("{}")
    assert tutorial_zarr.open_array(path, mode="r")[:].tolist() == [1, 2]
    with pytest.raises(FileNotFoundError, match="No array found"):
        zarr.open_array(path, mode="r")
