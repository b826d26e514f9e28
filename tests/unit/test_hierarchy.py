"""Whole hierarchies: many nodes at once, walks and patterns, copies, moves, deletions, and their dry runs."""

from __future__ import annotations

import contextlib
import json
import math

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import MetadataError, NodeExistsError, NodeNameError, NodeNotFoundError, StoreError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import (
    LocalStore,
    MemoryStore,
    PrefixStore,
    ReadOnlyStore,
    TraceStore,
    WrapperStore,
    local,
    locks,
)
from tutorial_zarr.words import size_text

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def small_tree(store, zarr_format=3):
    """/ holds the array x and the group g; g holds the array y and the group h, which holds the array x."""
    root = zarr.create_group(store, zarr_format=zarr_format)
    root.create_array("x", data=np.arange(4), chunks=2)
    root.create_array("g/y", data=np.arange(3.0), chunks=2)
    root.create_array("g/h/x", data=np.arange(2), chunks=2)
    return root


def group_document(zarr_format, **attributes):
    if zarr_format == 3:
        return {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    return {"zarr_format": 2, "attributes": attributes}


def paths(root):
    return [path for path, _ in root.members(max_depth=None)]


# --- walking


@FORMATS
def test_walk_gives_every_group_with_the_names_in_it(zarr_format):
    root = small_tree({}, zarr_format)
    assert [(group.path, groups, arrays) for group, groups, arrays in root.walk()] == [
        ("", ["g"], ["x"]),
        ("g", ["h"], ["y"]),
        ("g/h", [], ["x"]),
    ]


def test_walk_does_not_enter_what_is_taken_from_its_list():
    seen = []
    for group, groups, _ in small_tree({}).walk():
        seen.append(group.path)
        groups[:] = [name for name in groups if name != "h"]
    assert seen == ["", "g"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["g", "x"]),
        ("x", ["x"]),
        ("g/*", ["g/h", "g/y"]),
        ("*/h/?", ["g/h/x"]),
        ("**/x", ["g/h/x", "x"]),
        ("**", ["g", "g/h", "g/h/x", "g/y", "x"]),
        ("g/**/x", ["g/h/x"]),
        ("g/**", ["g", "g/h", "g/h/x", "g/y"]),
        ("[xy]", ["x"]),
        ("**/**/h/**", ["g/h", "g/h/x"]),
        ("nothing/*", []),
        ("/g//h/", ["g/h"]),
    ],
)
def test_glob_finds_what_matches_in_the_order_of_members(pattern, expected):
    found = list(small_tree({}).glob(pattern))
    assert [path for path, _ in found] == expected
    assert all(node.path == path for path, node in found)


def test_glob_lists_only_the_groups_that_can_hold_a_match():
    store = TraceStore(MemoryStore())
    root = small_tree(store)
    store.clear()
    assert [path for path, _ in root.glob("g/*")] == ["g/h", "g/y"]
    assert {request.key for request in store.requests if request.verb == "LIST"} == {"", "g"}


# --- creating many nodes


@FORMATS
def test_a_hierarchy_is_created_with_the_groups_between(zarr_format):
    template = zarr.create_array({}, shape=(3,), dtype="i2", fill_value=7, zarr_format=zarr_format).metadata
    store = MemoryStore()
    made = dict(zarr.create_hierarchy(store=store, nodes={"/a/b/x": template, "a": group_document(zarr_format, n=1)}))
    assert sorted(made) == ["", "a", "a/b", "a/b/x"]
    assert made["a/b/x"][...].tolist() == [7, 7, 7]
    root = zarr.open_group(store, mode="r")
    assert root.zarr_format == zarr_format
    assert dict(root["a"].attrs) == {"n": 1}
    assert paths(root) == ["a", "a/b", "a/b/x"]


@FORMATS
def test_a_hierarchy_leaves_the_groups_alone_that_it_does_not_name(zarr_format):
    store = MemoryStore()
    zarr.create_group(store, path="a", attributes={"kept": True}, zarr_format=zarr_format)
    made = dict(zarr.create_hierarchy(store=store, nodes={"a/new": group_document(zarr_format)}))
    assert sorted(made) == ["a/new"]
    assert dict(zarr.open_group(store, path="a").attrs) == {"kept": True}


@FORMATS
@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (lambda group, array: {"new": group, "g": group}, "overwrite=True"),
        (lambda group, array: {"new": group, "x/inside": group}, "found an array"),
        (lambda group, array: {"new": array, "new/inside": group}, "found an array"),
        (lambda group, array: {"new": group, "a/../b": group}, "dots only"),
        (lambda group, array: {"new": group, "zarr.json": group}, "metadata document"),
        (lambda group, array: {"new": group, "/new": group}, "each path once"),
        (lambda group, array: {"new": group, "other": group_document(5 - array.zarr_format)}, "one format"),
        (lambda group, array: {"new": group, "bad": {"zarr_format": 3, "node_type": "table"}}, "table"),
        (lambda group, array: {"new": group, "bad": group | {"attributes": {"n": math.nan}}}, "JSON can hold"),
    ],
)
def test_a_hierarchy_that_is_refused_changes_nothing(zarr_format, nodes, message):
    store = MemoryStore()
    small_tree(store, zarr_format)
    before = dict(store.mapping)
    template = zarr.create_array({}, shape=(3,), dtype="i2", zarr_format=zarr_format).metadata
    with pytest.raises((NodeExistsError, NodeNameError, MetadataError), match=message):
        zarr.create_hierarchy(store=store, nodes=nodes(group_document(zarr_format), template))
    assert dict(store.mapping) == before


def test_a_hierarchy_whose_codec_is_unknown_is_refused_before_anything_is_written():
    document = zarr.create_array({}, shape=(3,), dtype="i2").metadata.document
    store = MemoryStore()
    bad = {**document, "codecs": [{"name": "squeeze"}]}
    with pytest.raises(MetadataError, match="squeeze"):
        zarr.create_hierarchy(store=store, nodes={"good": document, "bad": bad})
    assert dict(store.mapping) == {}


def test_overwriting_replaces_the_named_nodes_and_no_others():
    root = small_tree({})
    made = dict(root.create_hierarchy({"g/h": group_document(3, n=1)}, overwrite=True))
    assert sorted(made) == ["g/h"]
    assert paths(root) == ["g", "g/h", "g/y", "x"]
    made = dict(root.create_hierarchy({"g": group_document(3), "g/h/z": group_document(3)}, overwrite=True))
    assert sorted(made) == ["g", "g/h", "g/h/z"]
    assert paths(root) == ["g", "g/h", "g/h/z", "x"]


def test_a_hierarchy_below_a_group_counts_its_paths_from_there():
    root = small_tree({})
    made = dict(root["g"].create_hierarchy({"new/x": root["x"].metadata}))
    assert sorted(made) == ["new", "new/x"]
    assert made["new/x"].path == "g/new/x"
    with pytest.raises(MetadataError, match="expected nodes of Zarr 3"):
        root.create_hierarchy({"old": group_document(2)})


def test_several_groups_are_required_at_once():
    root = small_tree({})
    assert [group.path for group in root.require_groups("g", "new/deep")] == ["g", "new/deep"]


# --- copying, moving, deleting


@FORMATS
def test_dry_runs_say_what_would_happen_and_change_nothing(zarr_format):
    store = MemoryStore()
    root = small_tree(store, zarr_format)
    before = dict(store.mapping)
    below = {key: len(value) for key, value in before.items() if key.startswith("g/")}
    for plan in (
        zarr.copy(root["g"], root, name="new", dry_run=True),
        zarr.move(store, "g", "new", dry_run=True),
        root.move("g", "new", dry_run=True),
        zarr.delete(store, "g"),
        root.delete("g"),
    ):
        assert plan.sizes == below
        assert (plan.nkeys, plan.nbytes) == (len(below), sum(below.values()))
        assert str(plan).splitlines()[0].endswith(f": {len(below)} keys, {size_text(sum(below.values()))}")
        assert all(key in str(plan) for key in below)
        assert json.loads(json.dumps(plan.to_json()))["nkeys"] == len(below)
    assert dict(store.mapping) == before


def test_a_long_plan_is_shown_in_part():
    root = zarr.create_group({})
    root.create_array("x", data=np.arange(100), chunks=1)
    assert str(root.delete("x")).splitlines()[-1] == "  and 80 more"


@FORMATS
def test_a_copy_carries_bytes_and_unknown_keys_as_they_are(zarr_format):
    source, target = MemoryStore(), MemoryStore()
    small_tree(source, zarr_format)
    source.set("g/notes.txt", b"not Zarr")
    source.set("g/y/extra/deep", b"\x00\x01")
    zarr.copy(zarr.open_group(source)["g"], zarr.create_group(target, zarr_format=zarr_format), name="there")
    copied = {key.removeprefix("there/"): value for key, value in target.mapping.items() if key.startswith("there/")}
    assert copied == {key.removeprefix("g/"): value for key, value in source.mapping.items() if key.startswith("g/")}


@FORMATS
def test_a_copy_that_stopped_in_the_middle_is_completed_by_skipping(zarr_format):
    class Full(WrapperStore):
        left = 3

        def set(self, key, value):
            self.left -= 1
            if self.left < 0:
                raise StoreError("no space left", key=key)
            super().set(key, value)

    source, target = small_tree({}, zarr_format), MemoryStore()
    whole = MemoryStore()
    zarr.copy(source, whole, name="")
    for room in range(1, len(whole.mapping)):
        target.mapping.clear()
        full = Full(target)
        full.left = room
        with pytest.raises(StoreError, match="no space"):
            zarr.copy(source, full, name="")
        # What is visible is whole: documents come last.
        for node in (zarr.open(target, path=p, mode="r") for p in ("x", "g/y", "g/h/x") if _is_node(target, p)):
            assert node[...].tolist() == source[node.path][...].tolist()
        zarr.copy(source, target, name="", if_exists="skip")
        assert target.mapping == whole.mapping


def _is_node(store, path):
    return any(store.exists(f"{path}/{name}") for name in ("zarr.json", ".zarray"))


def test_skipping_leaves_what_is_there_and_replacing_does_not():
    root, target = small_tree({}), small_tree({})
    target["x"][0] = 9
    target["g/h/x"].attrs["mine"] = True
    del target["g/y"]
    plan = zarr.copy(root, target.store, name="", if_exists="skip", dry_run=True)
    assert plan.skipped == ("", "g", "g/h", "g/h/x", "x")
    assert set(plan.sizes) == {"g/y/c/0", "g/y/c/1", "g/y/zarr.json"}
    zarr.copy(root, target.store, name="", if_exists="skip")
    assert target["x"][0] == 9
    assert target["g/y"][...].tolist() == [0, 1, 2]
    plan = zarr.copy(root["x"], target, if_exists="replace", dry_run=True)
    assert "x/zarr.json" in plan.replaced
    zarr.copy(root["x"], target, if_exists="replace")
    assert target["x"][0] == 0
    with pytest.raises(ValueError, match="if_exists: expected one of"):
        zarr.copy(root, target, if_exists="merge")
    with pytest.raises(NodeExistsError, match="expected group 'x' or nothing, found array 'x'"):
        zarr.copy(root["g"], target, name="x", if_exists="skip")


@FORMATS
def test_moving_takes_everything_along_and_leaves_nothing_behind(zarr_format, tmp_path):
    store = LocalStore(tmp_path / "a store")
    root = small_tree(store, zarr_format)
    store.set("g/notes.txt", b"not Zarr")
    before = {key: bytes(store.get(key)) for key in store.list_prefix("g")}
    moved = zarr.move(store, "g", "new/place")
    assert moved.path == "new/place"
    assert {k.replace("new/place/", "g/", 1): bytes(store.get(k)) for k in store.list_prefix("new/place")} == before
    assert not (tmp_path / "a store" / "g").exists()
    assert paths(root) == ["new", "new/place", "new/place/h", "new/place/h/x", "new/place/y", "x"]
    root["new"].move("place", "name")
    assert root["new/name/y"][...].tolist() == [0, 1, 2]


@FORMATS
@pytest.mark.parametrize(
    ("source", "dest", "error", "message"),
    [
        ("g", "x", NodeExistsError, "found an array"),
        ("g", "g", NodeExistsError, "expected a place outside"),
        ("g", "g/h/new", NodeExistsError, "expected a place outside"),
        ("g", "x/new", NodeExistsError, "an array holds no other nodes"),
        ("x", "g", NodeExistsError, "found a group"),
        ("nothing", "new", NodeNotFoundError, "found none"),
        ("", "new", NodeNameError, "the root"),
        ("g", "", NodeNameError, "the root"),
        ("g", "__new", NodeNameError, "reserved"),
        ("g", "loose", NodeExistsError, "loose/file"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_move_that_would_lose_something_is_refused(zarr_format, source, dest, error, message, dry_run):
    store = MemoryStore()
    small_tree(store, zarr_format)
    store.set("loose/file", b"somebody's")
    before = dict(store.mapping)
    with pytest.raises(error, match=message):
        zarr.move(store, source, dest, dry_run=dry_run)
    assert dict(store.mapping) == before


def test_a_copy_onto_what_holds_it_is_refused(tmp_path):
    root = small_tree(tmp_path / "store")
    with pytest.raises(NodeExistsError, match="expected a place outside"):
        zarr.copy(root["g/h"], root, name="g", if_exists="replace")
    with pytest.raises(NodeExistsError, match="expected a place outside"):
        zarr.copy(root, tmp_path / "store" / "g", name="inside")  # the same folder, from another root
    reading = zarr.open_group(ReadOnlyStore(LocalStore(tmp_path / "store")), mode="r")
    with pytest.raises(NodeExistsError, match="expected a place outside"):
        zarr.copy(reading, root, name="inside")
    assert paths(root) == ["g", "g/h", "g/h/x", "g/y", "x"]


@FORMATS
def test_a_node_is_not_put_where_no_listing_would_show_it(zarr_format):
    root, other = small_tree({}, zarr_format), zarr.create_group({}, zarr_format=5 - zarr_format)
    with pytest.raises(NodeExistsError, match=rf"expected a group of the same format above it.*to_v{5 - zarr_format}"):
        zarr.copy(root["x"], other)
    assert list(other) == []


@FORMATS
def test_deleting_asks_first(zarr_format):
    store = MemoryStore()
    root = small_tree(store, zarr_format)
    plan = root.delete("g")
    assert "g" in root
    assert root.delete("g", dry_run=False).where == plan.where
    assert sorted(key for key in store.mapping if key.startswith("g")) == []
    assert paths(root) == ["x"]
    with pytest.raises(NodeNotFoundError, match="found none"):
        root.delete("g")
    store.set("x/notes.txt", b"somebody's")
    with pytest.raises(NodeExistsError, match=r"more than Zarr: x/notes\.txt"):
        root.delete("x", dry_run=False)
    with pytest.raises(NodeNameError, match="root"):
        zarr.delete(store, "")
    assert "x" in root


@pytest.mark.parametrize("action", ["copy", "move"])
def test_progress_counts_the_stored_objects(action):
    store, seen = MemoryStore(), []
    root = small_tree(store)
    if action == "copy":
        zarr.copy(root["g"], {}, progress=lambda done, total: seen.append((done, total)))
    else:
        root.move("g", "new", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 7) for i in range(1, 8)]


# --- attributes


@FORMATS
def test_attributes_take_what_numpy_makes_of_numbers(zarr_format):
    store = MemoryStore()
    group = zarr.create_group(store, zarr_format=zarr_format)
    group.attrs["a"] = np.float32(0.5)
    group.attrs.update(b=np.int64(1 << 62), c=np.bool_(True), d=np.arange(3), e={"deep": (np.uint8(1), [np.str_("ü")])})
    expected = {"a": 0.5, "b": 1 << 62, "c": True, "d": [0, 1, 2], "e": {"deep": [1, ["ü"]]}}
    assert group.attrs.asdict() == zarr.open_group(store).attrs.asdict() == expected
    assert type(group.attrs["c"]) is bool
    group.attrs.put({"only": 10**30})
    assert zarr.open_group(store).attrs.asdict() == {"only": 10**30}


@FORMATS
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "found the number nan at bad; try a string or null"),
        (np.float64("inf"), "the number inf at bad"),
        ({"x": [1, np.nan]}, r"the number nan at bad\.x\[1\]"),
        ({1: 2}, "keys that are text, found 1"),
        (object(), "found a object at bad"),
        (b"bytes", "found a bytes at bad"),
        (np.datetime64("2020-01-01"), "found a date at bad"),
        ("\ud800", "lone surrogate"),
    ],
)
@pytest.mark.parametrize("change", ["item", "update", "put", "setdefault"])
def test_attributes_that_json_cannot_hold_are_refused_and_change_nothing(zarr_format, value, message, change):
    store = MemoryStore()
    array = zarr.create_array(store, shape=(2,), dtype="i1", zarr_format=zarr_format, attributes={"kept": 1})
    before = dict(store.mapping)
    with pytest.raises(MetadataError, match=message):
        {
            "item": lambda: array.attrs.__setitem__("bad", value),
            "update": lambda: array.attrs.update({"good": 1, "bad": value}),
            "put": lambda: array.attrs.put({"bad": value}),
            "setdefault": lambda: array.attrs.setdefault("bad", value),
        }[change]()
    assert dict(array.attrs) == {"kept": 1}
    assert dict(store.mapping) == before


@FORMATS
def test_attributes_stay_as_they_were_when_the_store_fails(zarr_format):
    class Failing(WrapperStore):
        broken = False

        def set(self, key, value):
            if self.broken:
                raise StoreError("the disk is full", key=key)
            super().set(key, value)

    store = Failing(MemoryStore())
    group = zarr.create_group(store, zarr_format=zarr_format, attributes={"kept": 1})
    store.broken = True
    with pytest.raises(StoreError, match="full"):
        group.attrs.update(new=2)
    assert dict(group.attrs) == {"kept": 1}


# --- consolidated metadata that is out of date


@contextlib.contextmanager
def by_another_program(store):
    """What is done in this block leaves consolidated metadata as they were, as other programs do."""
    zarr_format = 3 if "zarr.json" in store.mapping else 2
    key = "zarr.json" if zarr_format == 3 else ".zmetadata"
    copy = store.mapping[key]
    yield
    store.mapping[key] = copy


@FORMATS
def test_nothing_differs_after_consolidating(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)["g"].attrs["n"] = 1
    zarr.consolidate_metadata(store)
    assert not zarr.is_stale(store)
    zarr.consolidate_metadata(store, path="g")
    zarr.consolidate_metadata(store)  # copies inside copies are left out
    assert not zarr.is_stale(store)
    assert not zarr.is_stale(store, "g")
    with pytest.raises(NodeNotFoundError, match="try consolidate_metadata"):
        zarr.is_stale(store, "g/h")


def new_group(at, zarr_format):
    zarr.create_group(at("g"), path="new", zarr_format=zarr_format)


THROUGH = {
    "attribute of an array": lambda at, z: zarr.open_array(at("g/y"), mode="r+").attrs.update(unit="m"),
    "attribute of a group": lambda at, z: zarr.open_group(at("g"), mode="r+").attrs.update(title="t"),
    "resize": lambda at, z: zarr.open_array(at("g/y"), mode="r+").resize(9),
    "append": lambda at, z: zarr.open_array(at("g/h/x"), mode="r+").append(np.arange(5)),
    "create": lambda at, z: zarr.create_array(at("g/h/n"), data=np.arange(5), zarr_format=z),
    "create a group below": new_group,
    "overwrite": lambda at, z: zarr.create_array(at("g/y"), data=np.arange(7), overwrite=True, zarr_format=z),
    "delete": lambda at, z: zarr.delete(at("g"), "h", dry_run=False),
    "move": lambda at, z: zarr.move(at("g"), "h", "k"),
    "save": lambda at, z: zarr.save(at("g/h/s"), np.arange(3), zarr_format=z),
    "rechunk": lambda at, z: zarr.rechunk(zarr.create_array({}, data=np.arange(9)), at("g/r"), chunks=3, zarr_format=z),
}


@FORMATS
@pytest.mark.parametrize("how", ["path", "link", "prefix", "wrapped"])
@pytest.mark.parametrize("what", THROUGH)
def test_a_change_through_a_store_that_begins_below_is_in_the_consolidated_metadata_above(
    what, how, zarr_format, tmp_path
):
    """An array that is opened by the path of its own folder, or a part of a store, lies in a hierarchy all the same."""
    top = LocalStore(tmp_path / "top") if how in ("path", "link") else MemoryStore()
    small_tree(top, zarr_format)
    zarr.consolidate_metadata(top)
    if how == "link":
        (tmp_path / "other").symlink_to(tmp_path / "top", target_is_directory=True)

    def at(path):
        if how in ("path", "link"):
            return tmp_path / ("top" if how == "path" else "other") / path
        outer, _, inner = path.rpartition("/")
        if how == "prefix":
            return PrefixStore(PrefixStore(top, outer), inner) if outer else PrefixStore(top, inner)
        return TraceStore(PrefixStore(TraceStore(top), path))

    THROUGH[what](at, zarr_format)
    assert zarr.consolidated_differences(top) == []


def test_a_change_that_the_groups_above_cannot_be_told_of_says_that_it_was_made(tmp_path):
    small_tree(LocalStore(tmp_path))
    zarr.consolidate_metadata(tmp_path)
    array = zarr.open_array(tmp_path / "x", mode="r+", storage_options={"lock_timeout": 0.1})
    said = r"'x' in .* was changed, and .* 'zarr.json' .* try consolidate_metadata"
    with locks.FileLock(f"{tmp_path}/zarr.json{local.LOCK}", "zarr.json", 1), pytest.raises(StoreError, match=said):
        array.resize(9)
    assert zarr.open_array(tmp_path / "x", mode="r").shape == (9,)
    assert [str(each) for each in zarr.consolidated_differences(tmp_path)] == [
        "'x' differs from the consolidated metadata in shape"
    ]


@pytest.mark.parametrize("name", ["zarr.json", ".zgroup"])
def test_a_store_begins_where_no_group_lies_above(name, tmp_path):
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert LocalStore(tmp_path / "a" / "b" / "c").above()[1] == ""
    (tmp_path / "a" / name).write_bytes(b"{}")
    assert LocalStore(tmp_path / "a" / "b" / "c").above()[1] == ""
    (tmp_path / "a" / "b" / name).write_bytes(b"{}")
    store, path = LocalStore(tmp_path / "a" / "b" / "c", durable=True, lock_timeout=3).above()
    assert (store.root, path, store.durable, store.lock_timeout) == (str(tmp_path / "a"), "b/c", True, 3)


@FORMATS
def test_every_difference_is_named(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    with by_another_program(store):
        root = zarr.open_group(store, mode="r+", use_consolidated=False)
        root.create_group("late")
        root["x"].resize(9)
        root["g/y"].attrs["n"] = 1
        root.delete("g/h/x", dry_run=False)
    assert zarr.is_stale(store)
    assert [str(difference) for difference in zarr.consolidated_differences(store)] == [
        "'g/h/x' is in the consolidated metadata, and not in the store",
        "'g/y' differs from the consolidated metadata in attributes",
        "'late' is not in the consolidated metadata",
        "'x' differs from the consolidated metadata in shape",
    ]
    assert zarr.consolidated_differences(store)[0].path == "g/h/x"


@FORMATS
def test_a_group_that_may_be_written_asks_the_nodes_themselves_and_says_what_is_stale(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    with by_another_program(store):
        zarr.open_group(store, use_consolidated=False)["x"].resize(9)
        del zarr.open_group(store, use_consolidated=False)["g/y"]
    group = zarr.open_group(store, mode="r+")
    with pytest.warns(ZarrWarning, match="out of date: 'x' says something else of itself"):
        assert group["x"].shape == (9,)
    assert group["x"].shape == (9,)  # said once
    with pytest.warns(ZarrWarning, match="out of date: 'y' is not in the store"):
        assert list(group["g"]) == ["h"]
    assert zarr.open_group(store, mode="r")["x"].shape == (4,)  # who only reads has asked for one request


@FORMATS
def test_a_node_that_consolidated_metadata_does_not_list_is_found_by_its_name(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    with by_another_program(store):
        zarr.open_group(store, use_consolidated=False).create_group("late")
    root = zarr.open_group(store, mode="r")
    with pytest.warns(ZarrWarning, match="out of date: 'late' is not listed there, but is in the store"):
        assert root["late"].path == "late"
    with pytest.raises(KeyError, match="never"):
        root["never"]


@FORMATS
def test_an_entry_that_cannot_be_understood_does_not_hide_the_others(zarr_format):
    store = MemoryStore()
    small_tree(store, zarr_format)
    zarr.consolidate_metadata(store)
    key = "zarr.json" if zarr_format == 3 else ".zmetadata"
    text = store.mapping[key].decode()
    store.mapping[key] = text.replace('"float64"', '"float65"').replace('"<f8"', '"<q8"').encode()
    root = zarr.open_group(store, mode="r")
    with pytest.warns(ZarrWarning, match="left out 'y'"):
        assert paths(root) == ["g", "g/h", "g/h/x", "x"]
    assert "g/y" in root
    with pytest.raises(MetadataError, match=r"float65|q8"):
        root["g/y"]


def test_a_node_that_cannot_be_decoded_is_consolidated_as_it_stands():
    store = MemoryStore()
    small_tree(store)
    document = json.loads(store.mapping["x/zarr.json"])
    document["data_type"] = "float65"
    store.mapping["x/zarr.json"] = json.dumps(document).encode()
    zarr.consolidate_metadata(store)
    found = json.loads(store.mapping["zarr.json"])["consolidated_metadata"]["metadata"]
    assert found["x"] == document
    store.mapping["x/zarr.json"] = b"{ no json"
    with pytest.warns(ZarrWarning, match="left out of the consolidated metadata: x/zarr.json"):
        zarr.consolidate_metadata(store)


# --- loading


@FORMATS
def test_a_group_is_loaded_as_nested_dictionaries(zarr_format):
    loaded = zarr.load(small_tree({}, zarr_format).store)
    assert loaded["x"].tolist() == [0, 1, 2, 3]
    assert loaded["g"]["y"].tolist() == [0, 1, 2]
    assert loaded["g"]["h"]["x"].tolist() == [0, 1]
    assert sorted(loaded) == ["g", "x"]
