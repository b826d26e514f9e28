"""Attributes, groups, names and zip files changed by turns, and arrays that grow: what a matrix of cases cannot say."""

import warnings
import zipfile

import numpy as np
import pytest

import tutorial_zarr as zarr

pytestmark = pytest.mark.interop
BOTH = pytest.mark.parametrize("peer", ["zarr-python", "tensorstore"], indirect=True)
ZARR_PYTHON = pytest.mark.parametrize("peer", ["zarr-python"], indirect=True)
FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


# -- attributes, names and groups: zarr-python alone knows them ----------------------------------------------

ATTRIBUTES = {
    "title": "Überschrift 日本 🜁",
    "numbers": [1, -2.5, 1e300, 2**53 + 1, 2**70],
    "nested": {"deep": {"list": [[], {}, None, True, False]}, "": "an empty key"},
    "newline and quote": 'a\n"b"\t\\',
    "zero": 0,
}


@ZARR_PYTHON
@FORMATS
def test_attributes_go_both_ways(zarr_format, peer, tmp_path):
    a = zarr.create_array(tmp_path / "a", shape=(2,), dtype="int8", zarr_format=zarr_format, attributes=ATTRIBUTES)
    theirs = peer.zarr.open_array(str(tmp_path / "a"), mode="r+")
    assert dict(theirs.attrs) == ATTRIBUTES
    theirs.attrs["added"] = [1, {"two": None}]
    again = zarr.open_array(tmp_path / "a")
    assert dict(again.attrs) == {**ATTRIBUTES, "added": [1, {"two": None}]}
    del again.attrs["numbers"]
    again.attrs.update(title="short", more=1)
    expected = {**ATTRIBUTES, "added": [1, {"two": None}], "title": "short", "more": 1}
    del expected["numbers"]
    assert dict(peer.zarr.open_array(str(tmp_path / "a"), mode="r").attrs) == expected
    assert a.shape == peer.zarr.open_array(str(tmp_path / "a"), mode="r").shape


@ZARR_PYTHON
@FORMATS
def test_a_tree_of_ours_is_walked_by_them(zarr_format, peer, tmp_path):
    root = zarr.create_group(tmp_path / "g", zarr_format=zarr_format, attributes=ATTRIBUTES)
    deep = root.create_group("a").create_group("b", attributes={"level": 2})
    deep.create_array("x", shape=(3,), dtype="int32", chunks=(2,))[...] = [1, 2, 3]
    root.create_array("y", shape=(), dtype="float64")[...] = 2.5
    theirs = peer.zarr.open_group(str(tmp_path / "g"), mode="r")
    assert dict(theirs.attrs) == ATTRIBUTES
    found = {name: type(node).__name__ for name, node in theirs.members(max_depth=None)}
    assert found == {"a": "Group", "a/b": "Group", "a/b/x": "Array", "y": "Array"}
    assert theirs["a/b"].attrs["level"] == 2
    assert theirs["a/b/x"][...].tolist() == [1, 2, 3]
    assert theirs["y"][()] == 2.5


@ZARR_PYTHON
@FORMATS
def test_a_tree_of_theirs_is_walked_by_us(zarr_format, peer, tmp_path):
    root = peer.zarr.create_group(str(tmp_path / "g"), zarr_format=zarr_format, attributes=ATTRIBUTES)
    deep = root.create_group("a").create_group("b", attributes={"level": 2})
    deep.create_array("x", shape=(3,), dtype="int32", chunks=(2,))[...] = np.array([1, 2, 3])
    root.create_array("y", shape=(), dtype="float64")[...] = 2.5
    ours = zarr.open_group(tmp_path / "g", mode="r")
    assert dict(ours.attrs) == ATTRIBUTES
    assert sorted(name for name, _ in ours.members()) == ["a", "y"]
    assert list(ours.group_keys()) == ["a"]
    assert list(ours.array_keys()) == ["y"]
    assert ours["a/b"].attrs["level"] == 2
    assert ours["a"]["b"]["x"][...].tolist() == [1, 2, 3]
    assert ours["y"][()] == 2.5
    ours = zarr.open_group(tmp_path / "g", mode="a")
    ours["a"].create_array("z", shape=(2,), dtype="uint8", fill_value=4)
    assert peer.zarr.open_group(str(tmp_path / "g"), mode="r")["a/z"][...].tolist() == [4, 4]


@BOTH
@pytest.mark.parametrize("names", [["time", "x"], ["time", None], [None, None], ["", "ü"], ["x", "x"]])
def test_dimension_names_of_ours_are_read_by_them(names, peer, tmp_path):
    if type(peer).__name__ == "TensorStore" and names == ["x", "x"]:
        zarr.create_array(tmp_path / "a", shape=(2, 3), dtype="int8", dimension_names=names)
        with pytest.raises(ValueError, match="not unique"):  # by its own word; the specification allows them
            peer.open(tmp_path / "a")
        return
    a = zarr.create_array(tmp_path / "a", shape=(2, 3), dtype="int8", dimension_names=names)
    assert list(a.dimension_names) == names
    if type(peer).__name__ == "ZarrPython":
        assert list(peer.zarr.open_array(str(tmp_path / "a"), mode="r").metadata.dimension_names) == names
    else:
        assert list(peer.open(tmp_path / "a").domain.labels) == [name or "" for name in names]


@ZARR_PYTHON
@pytest.mark.parametrize("names", [["time", "x"], ["time", None], ["x", "x"], None])
def test_dimension_names_of_theirs_are_read_by_us(names, peer, tmp_path):
    peer.zarr.create_array(str(tmp_path / "a"), shape=(2, 3), dtype="int8", dimension_names=names)
    found = zarr.open_array(tmp_path / "a").dimension_names
    assert found == names or list(found) == names


@ZARR_PYTHON
@FORMATS
def test_consolidated_metadata_goes_both_ways(zarr_format, peer, tmp_path):
    root = zarr.create_group(tmp_path / "g", zarr_format=zarr_format)
    root.create_group("a", attributes={"k": 1}).create_array("x", shape=(3,), dtype="int32", fill_value=6)
    zarr.consolidate_metadata(tmp_path / "g")
    with warnings.catch_warnings(action="ignore"):
        theirs = peer.zarr.open_consolidated(str(tmp_path / "g"))
        assert dict(theirs["a"].attrs) == {"k": 1}
        assert theirs["a/x"][...].tolist() == [6, 6, 6]
        other = peer.zarr.create_group(str(tmp_path / "h"), zarr_format=zarr_format)
        other.create_group("a", attributes={"k": 1}).create_array("x", shape=(3,), dtype="int32", fill_value=6)
        peer.zarr.consolidate_metadata(str(tmp_path / "h"))
    ours = zarr.open_consolidated(tmp_path / "h")
    assert dict(ours["a"].attrs) == {"k": 1}
    assert ours["a/x"][...].tolist() == [6, 6, 6]


@ZARR_PYTHON
@FORMATS
def test_a_zip_file_goes_both_ways(zarr_format, peer, tmp_path):
    data = np.arange(12, dtype="int16").reshape(3, 4)
    root = zarr.open_group(tmp_path / "ours.zip", mode="w", zarr_format=zarr_format)
    root.create_array("x", shape=(3, 4), chunks=(2, 2), dtype="int16", attributes={"k": 1})[...] = data
    root.store.close()
    with zipfile.ZipFile(tmp_path / "ours.zip") as file:
        assert file.testzip() is None
        assert len(file.namelist()) == len(set(file.namelist()))
    store = peer.zarr.storage.ZipStore(str(tmp_path / "ours.zip"), mode="r")
    theirs = peer.zarr.open_group(store, mode="r")
    assert theirs["x"][...].tolist() == data.tolist()
    assert dict(theirs["x"].attrs) == {"k": 1}
    store.close()

    store = peer.zarr.storage.ZipStore(str(tmp_path / "theirs.zip"), mode="w")
    root = peer.zarr.create_group(store, zarr_format=zarr_format)
    root.create_array("x", shape=(3, 4), chunks=(2, 2), dtype="int16")[...] = data
    store.close()
    assert zarr.open_group(tmp_path / "theirs.zip", mode="r")["x"][...].tolist() == data.tolist()


# -- changes of shape, and records ---------------------------------------------------------------------------


@BOTH
@FORMATS
def test_what_we_resized_and_appended_to_is_read_equal(zarr_format, peer, tmp_path):
    shards = {"shards": (4,)} if zarr_format == 3 else {}
    a = zarr.create_array(
        tmp_path / "a",
        shape=(7,),
        chunks=(2,),
        dtype="int32",
        fill_value=-1,
        zarr_format=zarr_format,
        **shards,
    )
    a[...] = np.arange(7)
    a.resize((3,))
    a.resize((6,))
    a.append(np.array([8, 9], "int32"))
    assert peer.read(tmp_path / "a").tolist() == [0, 1, 2, -1, -1, -1, 8, 9]


@ZARR_PYTHON
@FORMATS
def test_what_they_resized_and_appended_to_we_read_equal(zarr_format, peer, tmp_path):
    a = peer.zarr.create_array(
        str(tmp_path / "a"), shape=(4,), chunks=(2,), dtype="int32", fill_value=-1, zarr_format=zarr_format
    )
    a[...] = np.arange(4)
    a.resize((9,))
    a.append(np.array([8, 9], "int32"))
    assert zarr.open_array(tmp_path / "a")[...].tolist() == [0, 1, 2, 3, *[-1] * 5, 8, 9]


@pytest.mark.parametrize("peer", ["tensorstore"], indirect=True)
@FORMATS
def test_each_field_of_our_records_is_read_by_tensorstore(zarr_format, peer, tmp_path):
    dtype = np.dtype([("id", "<i4"), ("x", "<f8"), ("n", "|u1")])
    a = zarr.create_array(tmp_path / "a", shape=(5,), chunks=(2,), dtype=dtype, zarr_format=zarr_format)
    data = np.zeros(5, dtype)
    data["id"], data["x"], data["n"] = np.arange(5), np.arange(5) / 4, 255
    a[...] = data
    for name in dtype.names:
        assert peer.read(tmp_path / "a", field=name).tolist() == data[name].tolist()


@ZARR_PYTHON
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize(
    "chosen", [{}, {"typesize": 1}, {"shuffle": "noshuffle"}, {"cname": "lz4", "clevel": 3}], ids=str
)
def test_what_a_codec_of_zarr_python_leaves_open_is_decided_as_there(chosen, dtype, peer):
    codec = peer.zarr.codecs.BloscCodec(**chosen)
    theirs = peer.zarr.create_array({}, shape=(8,), chunks=(4,), dtype=dtype, compressors=codec)
    ours = zarr.create_array({}, shape=(8,), chunks=(4,), dtype=dtype, compressors=codec)
    assert ours.codecs[-1].to_json() == theirs.metadata.codecs[-1].to_dict()
