"""`Group`: members, names, making and deleting, and what a damaged child may not spoil."""

import json

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    MetadataError,
    NodeExistsError,
    NodeNameError,
    NodeNotFoundError,
    ReadOnlyError,
)
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import LocalStore, MemoryStore, TraceStore

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])
STORES = pytest.mark.parametrize("kind", ["memory", "folder"])


@pytest.fixture
def store(kind, tmp_path):
    return MemoryStore() if kind == "memory" else LocalStore(tmp_path / "root")


def small_tree(store, zarr_format):
    """/ holds the array x and the group g; g holds the array y and the group h."""
    root = zarr.create_group(store, zarr_format=zarr_format, attributes={"title": "root"})
    root.create_array("x", shape=(3,), dtype="int32", fill_value=0)[...] = [1, 2, 3]
    g = root.create_group("g", attributes={"title": "g"})
    g.create_array("y", shape=(), dtype="float64", fill_value=0)[...] = 2.5
    g.create_group("h")
    return root


@STORES
@FORMATS
def test_members_are_listed_by_kind_and_by_name(store, zarr_format):
    root = small_tree(store, zarr_format)
    assert [name for name, _ in root.members()] == ["g", "x"]
    assert list(root) == ["g", "x"]
    assert len(root) == 2
    assert list(root.array_keys()) == ["x"]
    assert list(root.group_keys()) == ["g"]
    assert [name for name, node in root.arrays() if isinstance(node, zarr.Array)] == ["x"]
    assert [name for name, node in root.groups() if isinstance(node, zarr.Group)] == ["g"]
    assert [name for name, _ in root.members(max_depth=1)] == ["g", "g/h", "g/y", "x"]
    assert [name for name, _ in root.members(max_depth=None)] == ["g", "g/h", "g/y", "x"]
    assert "x" in root
    assert "g/y" in root
    assert "z" not in root
    assert "g/z" not in root


@STORES
@FORMATS
def test_members_are_reached_by_path(store, zarr_format):
    root = small_tree(store, zarr_format)
    assert root["x"][...].tolist() == [1, 2, 3]
    assert root["g/y"][()] == 2.5
    assert root["g"]["y"].name == "/g/y"
    assert root["/g/"].path == "g"
    assert root["g"].attrs["title"] == "g"
    assert root["g"]["h"].basename == "h"
    assert root.get("nothing") is None
    assert root.get("nothing", 5) == 5
    with pytest.raises(KeyError, match=r"(?s)nothing.*g, x"):
        root["nothing"]
    reopened = zarr.open_group(store, mode="r")
    assert dict(reopened.attrs) == {"title": "root"}
    assert reopened["g/y"][()] == 2.5
    assert zarr.open_array(store, path="g/y", mode="r")[()] == 2.5
    assert zarr.open(store, path="g", mode="r").path == "g"


@STORES
@FORMATS
def test_a_group_describes_itself(store, zarr_format):
    root = small_tree(store, zarr_format)
    assert (root.path, root.name, root.basename) == ("", "/", "")
    assert root.zarr_format == zarr_format
    assert not root.read_only
    assert "Group" in repr(root)
    assert root.info_complete()["Arrays"] == 1
    assert root.info_complete()["Groups"] == 1


@FORMATS
def test_a_tree_draws_the_hierarchy(zarr_format):
    root = small_tree(MemoryStore(), zarr_format)
    assert str(root.tree()).splitlines() == [
        "/",
        "├── g",
        "│   ├── h",
        "│   └── y () float64",
        "└── x (3,) int32",
    ]
    assert str(zarr.tree(root)) == str(root.tree())
    assert str(root.tree(max_depth=1)).splitlines() == ["/", "├── g", "└── x (3,) int32"]


@STORES
@FORMATS
def test_groups_above_a_new_node_are_made(store, zarr_format):
    zarr.create_array(store, name="a/b/c", shape=(2,), dtype="int8", zarr_format=zarr_format)
    root = zarr.open_group(store, mode="r")
    assert [name for name, _ in root.members(max_depth=None)] == ["a", "a/b", "a/b/c"]
    assert {node.zarr_format for _, node in root.members(max_depth=None)} == {zarr_format}


@FORMATS
def test_members_take_the_format_of_their_group(zarr_format):
    root = small_tree(MemoryStore(), zarr_format)
    assert root["x"].zarr_format == zarr_format
    assert root.require_group("new").zarr_format == zarr_format
    assert root.require_array("array", shape=(1,), dtype="int8").zarr_format == zarr_format


@STORES
@FORMATS
def test_require_makes_what_is_missing_and_returns_what_is_there(store, zarr_format):
    root = small_tree(store, zarr_format)
    assert dict(root.require_group("g").attrs) == {"title": "g"}
    assert root.require_group("new/deep").path == "new/deep"
    x = root.require_array("x", shape=(3,), dtype="int32")
    assert x[...].tolist() == [1, 2, 3]
    assert root.require_array("z", shape=(2,), dtype="int8", fill_value=4)[...].tolist() == [4, 4]
    with pytest.raises(NodeExistsError, match=r"(?s)x.*\(4,\).*\(3,\)"):
        root.require_array("x", shape=(4,), dtype="int32")
    with pytest.raises(NodeExistsError, match=r"(?s)x.*float64.*int32"):
        root.require_array("x", shape=(3,), dtype="float64")
    with pytest.raises(NodeExistsError, match=r"(?s)x.*int16.*int32"):
        root.require_array("x", shape=(3,), dtype="int16", exact=True)
    with pytest.raises((GroupNotFoundError, NodeExistsError), match="array"):
        root.require_group("x")
    with pytest.raises((ArrayNotFoundError, NodeExistsError), match="group"):
        root.require_array("g", shape=(3,), dtype="int32")
    assert root["x"][...].tolist() == [1, 2, 3]


@STORES
@FORMATS
def test_creating_over_a_member_is_refused_unless_asked_for(store, zarr_format):
    root = small_tree(store, zarr_format)
    for create in (
        lambda **kw: root.create_array("x", shape=(2,), dtype="int8", **kw),
        lambda **kw: root.create_array("g", shape=(2,), dtype="int8", **kw),
        lambda **kw: root.create_group("g", **kw),
        lambda **kw: root.create_group("x", **kw),
    ):
        with pytest.raises(NodeExistsError, match=r"(?s)overwrite=True"):
            create()
    assert root["x"][...].tolist() == [1, 2, 3]
    assert root["g/y"][()] == 2.5
    assert root.create_array("g", shape=(2,), dtype="int8", fill_value=1, overwrite=True)[...].tolist() == [
        1,
        1,
    ]
    assert [name for name, _ in root.members(max_depth=None)] == ["g", "x"]
    assert root.create_group("x", overwrite=True).path == "x"
    assert list(root["x"].members()) == []


@STORES
@FORMATS
def test_nothing_can_be_made_inside_an_array(store, zarr_format):
    root = small_tree(store, zarr_format)
    for create in (
        lambda: root.create_array("x/inner", shape=(2,), dtype="int8"),
        lambda: root.create_group("x/inner"),
        lambda: root.create_group("x/a/b/c"),
        lambda: zarr.create_group(store, path="g/y/z", zarr_format=zarr_format),
    ):
        with pytest.raises(NodeExistsError, match=r"array"):
            create()
    assert [name for name, _ in root.members(max_depth=None)] == ["g", "g/h", "g/y", "x"]


@STORES
@FORMATS
def test_deleting_a_member_deletes_all_that_it_holds(store, zarr_format):
    root = small_tree(store, zarr_format)
    del root["g"]
    assert [name for name, _ in root.members(max_depth=None)] == ["x"]
    assert not any(key.startswith("g/") for key in store.list_prefix(""))
    with pytest.raises(KeyError, match="g"):
        del root["g"]
    del root["x"]
    assert list(root) == []
    assert dict(root.attrs) == {"title": "root"}


@STORES
@FORMATS
def test_assigning_to_a_name_stores_an_array(store, zarr_format):
    root = small_tree(store, zarr_format)
    root["new"] = np.arange(6, dtype="int16").reshape(2, 3)
    assert root["new"].dtype == np.int16
    assert root["new"][...].tolist() == [[0, 1, 2], [3, 4, 5]]
    root["new"] = [1.5, 2.5]
    assert root["new"][...].tolist() == [1.5, 2.5]
    assert root["new"].zarr_format == zarr_format


@FORMATS
def test_attributes_of_a_group_are_written_through(zarr_format):
    store = MemoryStore()
    root = small_tree(store, zarr_format)
    root.attrs["title"] = "changed"
    root["g"].attrs.update(n=[1, {"deep": None}])
    again = zarr.open_group(store, mode="r")
    assert dict(again.attrs) == {"title": "changed"}
    assert dict(again["g"].attrs) == {"title": "g", "n": [1, {"deep": None}]}
    assert again["x"][...].tolist() == [1, 2, 3]


@FORMATS
def test_nothing_can_be_written_to_a_group_opened_for_reading(zarr_format, tmp_path):
    small_tree(tmp_path / "root", zarr_format)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    root = zarr.open_group(tmp_path / "root", mode="r")
    for write in (
        lambda: root.create_array("new", shape=(1,), dtype="int8"),
        lambda: root.create_group("new"),
        lambda: root.require_group("new"),
        lambda: root.require_array("new", shape=(1,), dtype="int8"),
        lambda: root.__setitem__("new", [1]),
        lambda: root.__delitem__("x"),
        lambda: root.attrs.__setitem__("k", 1),
        lambda: root["g"].attrs.__setitem__("k", 1),
        lambda: root["x"].__setitem__(0, 9),
        lambda: root["g/y"].resize(()),
        lambda: next(iter(root.arrays()))[1].append([1]),
    ):
        with pytest.raises(ReadOnlyError, match=r"(?i)read"):
            write()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert root.require_group("g").path == "g"  # what is there need not be made


# -- names ---------------------------------------------------------------------------------------------------


@STORES
@pytest.mark.parametrize(
    "name",
    [
        "..",
        ".",
        "...",
        "a/../b",
        "../outside",
        "a/./b",
        "..\\outside",
        "a/..",
        "__reserved",
        "a/__b/c",
        "zarr.json",
        "a/zarr.json",
        "nul\0byte",
    ],
)
def test_names_that_the_specification_forbids_are_refused(store, name, tmp_path):
    root = zarr.create_group(store)
    before = sorted(path for path in tmp_path.rglob("*"))
    for create in (
        lambda: root.create_array(name, shape=(1,), dtype="int8"),
        lambda: root.create_group(name),
        lambda: root.require_group(name),
        lambda: zarr.create_array(store, name=name, shape=(1,), dtype="int8"),
        lambda: zarr.create_group(store, path=name),
        lambda: zarr.open_group(store, path=name, mode="w"),
        lambda: root.__setitem__(name, [1]),
    ):
        with pytest.raises(NodeNameError, match=r"(?i)name"):
            create()
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert list(root) == []


@STORES
@pytest.mark.parametrize("name", ["", "/", "//"])
def test_an_empty_name_is_no_member(store, name):
    root = small_tree(store, 3)
    for group in (root, root["g"]):
        with pytest.raises((KeyError, NodeNameError), match=r"name|member"):
            del group[name]
        with pytest.raises((NodeNameError, NodeExistsError), match=r"name|overwrite|group"):
            group.create_array(name, shape=(1,), dtype="int8", overwrite=True)
        with pytest.raises((NodeNameError, NodeExistsError), match=r"name|overwrite|group"):
            group.create_group(name, overwrite=True)
        with pytest.raises((NodeNameError, NodeExistsError), match=r"name|overwrite|group"):
            group[name] = [1, 2, 3]
    assert [found for found, _ in root.members(max_depth=None)] == ["g", "g/h", "g/y", "x"]


@pytest.mark.parametrize("name", ["..", "../outside", "a/../../outside"])
def test_reading_never_leaves_the_store(name, tmp_path):
    zarr.create_array(tmp_path / "outside", shape=(1,), dtype="int8")
    root = zarr.create_group(tmp_path / "root")
    for read in (
        lambda: root[name],
        lambda: name in root,
        lambda: zarr.open(tmp_path / "root", path=name, mode="r"),
        lambda: zarr.load(tmp_path / "root", path=name),
    ):
        with pytest.raises(NodeNameError, match="name"):
            read()


def test_an_absolute_name_stays_inside_the_store(tmp_path):
    root = zarr.create_group(tmp_path / "root")
    outside = tmp_path / "outside"
    a = root.create_array(str(outside), shape=(1,), dtype="int8")
    assert not outside.exists()
    assert a.path == str(outside).strip("/").replace("\\", "/")


@STORES
@pytest.mark.parametrize(
    "name", ["ü", "日本", "with space", "a.b", "UPPER", "0", "c", "1.2", "-", "a%20b", "x?y#z", "🜁"]
)
@FORMATS
def test_unusual_names_that_are_allowed_work(store, name, zarr_format):
    root = zarr.create_group(store, zarr_format=zarr_format)
    group = root.create_group(name)
    group.create_array(name, shape=(2,), dtype="int8", fill_value=3, chunks=(1,))[0] = 1
    again = zarr.open_group(store, mode="r")
    assert list(again) == [name]
    assert again[f"{name}/{name}"][...].tolist() == [1, 3]


def test_a_group_may_hold_members_that_are_named_like_chunks():
    """`c` is where the chunks of an array lie, and a fine name for a group."""
    root = zarr.create_group(MemoryStore())
    root.create_group("c").create_array("0", shape=(2,), dtype="int8", chunks=(1,), fill_value=0)[...] = [
        1,
        2,
    ]
    assert [name for name, _ in root.members(max_depth=None)] == ["c", "c/0"]
    array = root["c/0"]
    array.resize((1,))
    assert array[...].tolist() == [1]


# -- what is wrong with one member ---------------------------------------------------------------------------


@FORMATS
def test_one_member_that_cannot_be_read_does_not_hide_the_others(zarr_format):
    store = MemoryStore()
    root = small_tree(store, zarr_format)
    store.mapping["x/" + (".zarray" if zarr_format == 2 else "zarr.json")] = b"{ not json"
    with pytest.warns(UserWarning, match="x"):
        assert [name for name, _ in root.members(max_depth=None)] == ["g", "g/h", "g/y"]
    with pytest.raises(MetadataError, match="x"):
        root["x"]


def test_a_member_that_cannot_be_decoded_is_listed_and_refuses_to_be_read():
    store = MemoryStore()
    root = small_tree(store, 3)
    document = json.loads(store.mapping["x/zarr.json"])
    document["codecs"] = [{"name": "squeeze"}]
    store.mapping["x/zarr.json"] = json.dumps(document).encode()
    found = dict(root.members())
    assert list(found) == ["g", "x"]
    assert found["x"].shape == (3,)
    assert "(3,)" in repr(found["x"])
    assert "x (3,) int32" in str(root.tree())
    with pytest.raises(MetadataError, match=r"(?s)x.*squeeze"):
        found["x"][...]
    with pytest.raises(MetadataError, match=r"(?s)x.*squeeze"):
        root["x"][...]


@FORMATS
def test_what_is_not_zarr_is_not_a_member(zarr_format, tmp_path):
    root = small_tree(tmp_path / "root", zarr_format)
    (tmp_path / "root" / "notes").mkdir()
    (tmp_path / "root" / "notes" / "readme.txt").write_text("not Zarr")
    (tmp_path / "root" / "loose.txt").write_text("neither")
    assert list(root) == ["g", "x"]
    assert "notes" not in root
    with pytest.raises(KeyError, match="notes"):
        root["notes"]


# -- consolidated metadata -----------------------------------------------------------------------------------


@FORMATS
def test_consolidated_metadata_opens_the_whole_hierarchy_without_looking_further(zarr_format):
    store = TraceStore(MemoryStore())
    small_tree(store, zarr_format)
    consolidated = zarr.consolidate_metadata(store)
    assert consolidated["g/y"][()] == 2.5
    store.requests.clear()
    root = zarr.open_consolidated(store, mode="r")
    opening = len(store.requests)
    assert [name for name, _ in root.members(max_depth=None)] == ["g", "g/h", "g/y", "x"]
    assert dict(root["g"].attrs) == {"title": "g"}
    assert [name for name, _ in root["g"].members()] == ["h", "y"]
    assert len(store.requests) == opening
    assert root["x"][...].tolist() == [1, 2, 3]


@FORMATS
def test_consolidated_metadata_is_used_where_it_is_found_and_can_be_left_aside(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    with pytest.raises(NodeNotFoundError, match="consolidate"):
        zarr.open_consolidated(store)
    zarr.consolidate_metadata(store)
    made_elsewhere(store, "later", zarr_format)
    assert "later" not in list(zarr.open_group(store, mode="r"))
    assert "later" in zarr.open_group(store, mode="r", use_consolidated=False)
    zarr.consolidate_metadata(store)
    assert "later" in list(zarr.open_group(store, mode="r"))


def made_elsewhere(store, path, zarr_format):
    """A group that another program makes, which knows nothing of consolidated metadata."""
    other = MemoryStore()
    zarr.create_group(other, zarr_format=zarr_format)
    store.mapping.update({f"{path}/{key}": value for key, value in other.mapping.items()})


@FORMATS
def test_consolidating_twice_changes_nothing(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    once = dict(store.mapping)
    zarr.consolidate_metadata(store)
    assert dict(store.mapping) == once


@FORMATS
def test_a_group_read_from_consolidated_metadata_can_still_be_written(zarr_format):
    """What is made through such a handle must be seen through it, and after it."""
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    root = zarr.open_group(store, mode="a")
    root.create_array("new", shape=(2,), dtype="int8", fill_value=1)
    assert "new" in root
    root["x"][0] = 9
    assert root["x"][...].tolist() == [9, 2, 3]
    assert "new" in zarr.open_group(store, mode="r", use_consolidated=False)


# -- copies --------------------------------------------------------------------------------------------------


@FORMATS
def test_copy_takes_a_node_with_all_that_it_holds(zarr_format):
    root = small_tree(MemoryStore(), zarr_format)
    target = zarr.create_group(MemoryStore(), zarr_format=zarr_format)
    zarr.copy(root["g"], target, name="copied")
    zarr.copy(root["x"], target)
    assert [name for name, _ in target.members(max_depth=None)] == ["copied", "copied/h", "copied/y", "x"]
    assert target["copied/y"][()] == 2.5
    assert dict(target["copied"].attrs) == {"title": "g"}
    with pytest.raises(NodeExistsError, match="overwrite"):
        zarr.copy(root["x"], target)
    root["x"][0] = 7
    assert target["x"][0] == 1
    zarr.copy(root["x"], target, overwrite=True)
    assert target["x"][0] == 7
    with pytest.raises(NodeExistsError, match="outside"):
        zarr.copy(root["g"], root, name="g/inside")


@pytest.mark.parametrize("selection", [slice(0, 1), slice(None)], ids=["one chunk", "a batch"])
@pytest.mark.parametrize("options", [{}, {"compressors": None}, {"shards": (4,)}], ids=str)
def test_the_first_absent_chunk_is_the_reason_to_ask_whether_the_copy_is_true(options, selection):
    root = zarr.create_group({})
    a = root.create_array("a", shape=(8,), dtype="i4", **{"chunks": (1,), **options})
    zarr.consolidate_metadata(root.store)
    a.store.update("a/zarr.json", lambda old: old.replace(b'"attributes": {}', b'"attributes": {"by": "another"}'))
    known = zarr.open_group(root.store, mode="r")
    with pytest.warns(ZarrWarning, match="'a' says something else of itself"):
        assert not known["a"][selection].any()
