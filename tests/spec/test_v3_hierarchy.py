"""Groups, members, names, consolidated metadata, and both formats in one folder."""

import json
import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import CORE, V2, Refuse, document, group2, group3, le, table, v1, v2, v3, write_folder
from tutorial_zarr.errors import NodeExistsError, NodeNameError, NodeNotFoundError, ZarrError


def array3(path="", value=7, **kwargs):
    return v3([1], [1], "uint8", {"c/0": bytes([value])}, path=path, **kwargs)


def array2(path="", value=7, **kwargs):
    return v2([1], [1], "|u1", {"0": bytes([value])}, path=path, **kwargs)


TREE3 = (
    group3(attributes={"title": "root"}) | group3("foo") | array3("foo/bar", 1) | group3("foo/baz") | array3("qux", 2)
)
TREE2 = group2(attrs={"title": "root"}) | group2("foo") | array2("foo/bar", 1) | group2("foo/baz") | array2("qux", 2)
TREES = pytest.mark.parametrize("store", [TREE3, TREE2], ids=["v3", "v2"])


@pytest.fixture(params=["memory", "folder"])
def place(request, tmp_path):
    """Puts a store into memory or into a folder."""
    return dict if request.param == "memory" else lambda store: write_folder(store, tmp_path / "h.zarr")


@TREES
def test_members_are_the_direct_children(store, place):
    """https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#operations, v2/v2.0.html#groups"""
    root = zarr.open_group(place(store), mode="r")
    assert sorted(root) == ["foo", "qux"]
    assert sorted(root.array_keys()) == ["qux"]
    assert sorted(root.group_keys()) == ["foo"]
    assert sorted(root["foo"]) == ["bar", "baz"]
    assert sorted(name for name, _ in root.members(max_depth=None)) == ["foo", "foo/bar", "foo/baz", "qux"]
    assert root["foo/bar"][...].tolist() == [1]
    assert root["foo"]["bar"][...].tolist() == [1]
    assert dict(root.attrs) == {"title": "root"}
    assert dict(root["foo"].attrs) == {}


@TREES
def test_a_node_opens_at_its_path(store, place):
    where = place(store)
    assert zarr.open_array(where, mode="r", path="foo/bar")[...].tolist() == [1]
    assert sorted(zarr.open_group(where, mode="r", path="/foo/")) == ["bar", "baz"]
    assert zarr.open(where, mode="r", path="qux").shape == (1,)
    assert sorted(zarr.open(where, mode="r")) == ["foo", "qux"]


def test_a_group_may_be_empty_and_a_root_may_be_an_array(place):
    assert list(zarr.open_group(place(group3()), mode="r")) == []
    assert zarr.open(dict(array3()), mode="r")[...].tolist() == [7]


@TREES
def test_what_is_not_there_is_not_found(store):
    for path in ("nothing", "foo/nothing", "foo/bar/c", "qux/0"):
        with pytest.raises(NodeNotFoundError, match=path):
            zarr.open(store, mode="r", path=path)
    with pytest.raises(KeyError, match="nothing"):
        zarr.open_group(store, mode="r")["nothing"]


@TREES
def test_asking_for_the_other_kind_is_refused(store):
    with pytest.raises(ZarrError, match=r"expected an array.*group"):
        zarr.open_array(store, mode="r", path="foo")
    with pytest.raises(ZarrError, match=r"expected a group.*array"):
        zarr.open_group(store, mode="r", path="qux")


def test_version_3_has_no_implicit_groups(place):
    """Removed before acceptance: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#change-log"""
    store = place(group3() | array3("seen/array", 1) | array3("top"))
    assert sorted(zarr.open_group(store, mode="r")) == ["top"]
    with pytest.raises(NodeNotFoundError, match="seen"):
        zarr.open_group(store, mode="r", path="seen")
    assert zarr.open_array(store, mode="r", path="seen/array")[...].tolist() == [1]  # it is there all the same


def test_a_root_without_a_document_is_not_a_group(place):
    with pytest.raises(NodeNotFoundError, match="group"):
        zarr.open_group(place(array3("foo")), mode="r")
    with pytest.raises(NodeNotFoundError, match="group"):
        zarr.open_group(dict(array2("foo")), mode="r")


def test_version_2_lists_no_folder_without_zgroup(place):
    """Groups MUST exist at all ancestor paths; where a writer left one out, its arrays open by their path."""
    store = place(group2() | array2("seen/array", 1) | array2("top"))
    assert sorted(zarr.open_group(store, mode="r")) == ["top"]
    assert zarr.open_array(store, mode="r", path="seen/array")[...].tolist() == [1]


def test_names_that_begin_with_two_underscores_are_no_children(place):
    """Discovery of children: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#operations"""
    store = place(group3() | array3("__private") | group3("__zarr") | array3("public") | array3("_ordinary"))
    assert sorted(zarr.open_group(store, mode="r")) == ["_ordinary", "public"]


def test_other_files_in_a_group_are_no_members(place):
    store = place(group3() | {"README.md": b"hello", "data/table.csv": b"1,2"} | array3("a"))
    assert sorted(zarr.open_group(store, mode="r")) == ["a"]


def test_names_are_case_sensitive_and_any_unicode():
    composed, decomposed = "\u00e9", "e\u0301"
    names = [
        "foo",
        "FOO",
        "Foo",
        composed,
        decomposed,
        "漢字 😀",
        "with space",
        "a?b#c%20",
        "...x",
        ".hidden",
        "x..",
        "c",
        "0",
        "_",
    ]
    store = group3()
    for value, name in enumerate(names):
        store |= array3(name, value)
    root = zarr.open_group(store, mode="r")
    assert sorted(root) == sorted(names)
    assert [root[name][0] for name in names] == list(range(len(names)))


BAD_NAMES = ["..", ".", "...", "__private", "__zarr", "zarr.json"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_reserved_names_are_refused_for_new_nodes(name):
    """https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#node-names"""
    store = group3()
    root = zarr.open_group(store, mode="r+")
    for create in (root.create_group, lambda n: root.create_array(n, shape=(1,), dtype="u1")):
        with pytest.raises(NodeNameError, match=r"node name"):
            create(name)
        with pytest.raises(NodeNameError, match=r"node name"):
            create(f"fine/{name}")
        with pytest.raises(NodeNameError, match=r"node name"):
            create(f"{name}/below")
    assert sorted(store) == ["zarr.json"]


def test_an_empty_name_is_refused_for_a_member():
    root = zarr.open_group(group3(), mode="r+")
    for name in ("", "/"):
        with pytest.raises(ZarrError, match=r"name|at the root"):
            root.create_array(name, shape=(1,), dtype="u1")


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "a/./b", "...", "a\\..\\b"])
def test_no_path_leaves_the_store(path, tmp_path):
    inside = write_folder(group3(), tmp_path / "inside")
    write_folder(array3("x"), tmp_path)
    for mode in ("r", "w"):
        with pytest.raises(NodeNameError, match=r"\.\.?"):
            zarr.open_array(inside, mode=mode, path=path, shape=(1,), dtype="u1")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inside", "x"]


def test_creating_a_node_creates_the_groups_above_it():
    for zarr_format, name in ((3, "zarr.json"), (2, ".zgroup")):
        store = {}
        zarr.create_array(store, name="a/b/c", shape=(1,), chunks=(1,), dtype="u1", zarr_format=zarr_format)
        assert {name, f"a/{name}", f"a/b/{name}"} <= set(store)


@TREES
def test_an_array_has_no_children(store):
    store = dict(store)
    with pytest.raises(NodeExistsError, match=r"array"):
        zarr.open_group(store, mode="r+").create_group("qux/below")
    with pytest.raises(NodeExistsError, match=r"array"):
        zarr.create_array(
            store, name="foo/bar/below", shape=(1,), dtype="u1", zarr_format=3 if "zarr.json" in store else 2
        )


def test_where_both_formats_are_present_version_3_counts_with_a_warning(place):
    store = place(array3(value=3) | array2(value=2))
    with pytest.warns(UserWarning, match=r"\.zarray"):
        assert zarr.open_array(store, mode="r")[...].tolist() == [3]
    with pytest.warns(UserWarning, match=r"\.zarray"):
        assert zarr.open(store, mode="r").zarr_format == 3


def test_zarr_format_chooses_between_two_formats(place):
    store = place(array3(value=3) | array2(value=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert zarr.open_array(store, mode="r", zarr_format=2)[...].tolist() == [2]
        assert zarr.open_array(store, mode="r", zarr_format=3)[...].tolist() == [3]
    with pytest.raises(NodeNotFoundError, match="2"):
        zarr.open_array(dict(array3()), mode="r", zarr_format=2)
    with pytest.raises(NodeNotFoundError, match="3"):
        zarr.open_array(dict(array2()), mode="r", zarr_format=3)


def test_the_children_of_a_group_are_of_its_own_format(place):
    store = place(group3() | group2() | array3("new", 3) | array2("old", 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert sorted(zarr.open_group(store, mode="r")) == ["new"]
        assert sorted(zarr.open_group(store, mode="r", zarr_format=2)) == ["old"]


def test_version_1_opens_without_being_told(place):
    store = place(v1([1], [1], "|u1", {"0": b"\7"}))
    assert zarr.open(store, mode="r")[...].tolist() == [7]


def without_root_attributes(store):
    """The documents of the store by node path, as v3's inline form holds them."""
    return {
        key.removesuffix("zarr.json").rstrip("/"): json.loads(value)
        for key, value in store.items()
        if key.endswith("zarr.json")
    }


INLINE = {path: doc for path, doc in without_root_attributes(TREE3).items() if path}


def consolidated3(metadata=INLINE, **more):
    member = {"kind": "inline", "must_understand": False, "metadata": metadata} | more
    return TREE3 | group3(attributes={"title": "root"}, consolidated_metadata=member)


def test_inline_consolidated_metadata_is_used(place):
    """https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#additional-fields"""
    root = zarr.open_group(place(consolidated3()), mode="r")
    assert sorted(name for name, _ in root.members(max_depth=None)) == ["foo", "foo/bar", "foo/baz", "qux"]
    assert root["foo/bar"][...].tolist() == [1]
    assert root["foo"]["bar"][...].tolist() == [1]
    assert sorted(root["foo"]) == ["bar", "baz"]


def test_inline_consolidated_metadata_saves_asking_the_store():
    store = {
        key: value for key, value in consolidated3().items() if key == "zarr.json" or not key.endswith("zarr.json")
    }
    assert zarr.open_group(store, mode="r")["foo/bar"][...].tolist() == [1]
    with pytest.raises(KeyError, match="foo"):
        zarr.open_group(store, mode="r", use_consolidated=False)["foo"]


def test_stale_consolidated_metadata_is_believed_until_told_otherwise(place):
    store = place(consolidated3() | array3("later", 9))
    assert "later" not in sorted(zarr.open_group(store, mode="r"))
    assert "later" in sorted(zarr.open_group(store, mode="r", use_consolidated=False))


def test_consolidated_metadata_orders_names_that_share_a_beginning():
    """In the order of text, "foo-bar" stands between the group "foo" and its member "foo/x"."""
    tree = group3("foo") | array3("foo-bar", 2) | array3("foo/x", 1) | array3("foo0", 3)
    metadata = without_root_attributes(tree)
    store = group3(consolidated_metadata={"kind": "inline", "must_understand": False, "metadata": metadata}) | tree
    root = zarr.open_group(store, mode="r")
    assert sorted(root) == ["foo", "foo-bar", "foo0"]
    assert sorted(root["foo"]) == ["x"]


def test_consolidated_metadata_null_reads_as_absent():
    """zarr-python 3.0 wrote null; the specification wants an object."""
    store = TREE3 | group3(consolidated_metadata=None)
    assert sorted(zarr.open_group(store, mode="r")) == ["foo", "qux"]
    with pytest.raises(ZarrError, match=r"(?s)zarr\.json.*consolidated_metadata"):
        zarr.open_group(store, mode="r", strict=True)


@pytest.mark.parametrize(
    "member",
    [
        {"kind": "external", "metadata": {}},
        {"kind": "inline", "must_understand": False},
        {"metadata": {}},
        [],
        "inline",
        1,
        {"kind": "inline", "must_understand": False, "metadata": []},
        {"kind": "external", "must_understand": True, "metadata": {}},
    ],
    ids=str,
)
def test_consolidated_metadata_of_another_form_is_refused(member):
    with pytest.raises(ZarrError, match=r"(?s)zarr\.json.*consolidated_metadata"):
        sorted(zarr.open_group(group3(consolidated_metadata=member), mode="r"))


ZMETADATA = {
    "zarr_consolidated_format": 1,
    "metadata": {key: json.loads(value) for key, value in TREE2.items() if key.rsplit("/", 1)[-1].startswith(".z")},
}


def test_zmetadata_is_used(place):
    root = zarr.open_group(place(TREE2 | {".zmetadata": document(ZMETADATA)}), mode="r")
    assert sorted(name for name, _ in root.members(max_depth=None)) == ["foo", "foo/bar", "foo/baz", "qux"]
    assert root["foo/bar"][...].tolist() == [1]
    assert dict(root.attrs) == {"title": "root"}


def test_zmetadata_saves_asking_the_store():
    store = {".zmetadata": document(ZMETADATA), ".zgroup": TREE2[".zgroup"], "foo/bar/0": b"\1"}
    assert zarr.open_consolidated(store, mode="r")["foo/bar"][...].tolist() == [1]


def test_zmetadata_alone_makes_a_group():
    """Written so by some catalogues; zarrita reads it, zarr-python does not."""
    root = zarr.open_consolidated({".zmetadata": document(ZMETADATA), "qux/0": b"\2"}, mode="r")
    assert sorted(root) == ["foo", "qux"]
    assert root["qux"][...].tolist() == [2]


@pytest.mark.parametrize(
    "value",
    [{"metadata": {}}, {"zarr_consolidated_format": 2, "metadata": {}}, {"zarr_consolidated_format": 1}, []],
    ids=str,
)
def test_zmetadata_of_another_form_is_refused(value):
    with pytest.raises(ZarrError, match=r"\.zmetadata"):
        sorted(zarr.open_consolidated(group2() | {".zmetadata": document(value)}, mode="r"))


def test_open_consolidated_refuses_where_there_is_none():
    with pytest.raises(ZarrError, match="consolidated"):
        zarr.open_consolidated(TREE3, mode="r")


def test_setting_an_attribute_of_a_group_keeps_what_may_be_ignored():
    store = group3(acme={"must_understand": False, "x": 2**60 + 1}, attributes={"a": 2**53 + 1})
    zarr.open_group(store, mode="r+").attrs["b"] = 2
    assert json.loads(store["zarr.json"]) == {
        "zarr_format": 3,
        "node_type": "group",
        "acme": {"must_understand": False, "x": 2**60 + 1},
        "attributes": {"a": 2**53 + 1, "b": 2},
    }


def refuse(id, words, spec=CORE + "#group-metadata", **members):
    return Refuse(f"v3.group.refuse.{id}", spec, group3(**members), ("zarr.json", *words))


GROUPS = [
    refuse("zarr_format_2", ["zarr_format"], zarr_format=2),
    refuse("zarr_format_text", ["zarr_format"], zarr_format="3"),
    refuse("node_type_other", ["node_type"], node_type="dataset"),
    refuse("attributes_list", ["attributes"], attributes=[]),
    refuse("attributes_text", ["attributes"], attributes="x"),
    refuse("unknown_key", ["acme"], acme=1, spec=CORE + "#must-understand"),
    refuse("unknown_object", ["acme"], acme={"name": "x"}, spec=CORE + "#must-understand"),
    refuse("array_member_shape", ["shape"], shape=[1], spec=CORE + "#must-understand"),
    Refuse(
        "v2.group.refuse.zarr_format_3",
        V2 + "#groups",
        {".zgroup": document({"zarr_format": 3})},
        (".zgroup", "zarr_format"),
    ),
    Refuse(
        "v2.group.refuse.zarr_format_missing",
        V2 + "#groups",
        {".zgroup": document({})},
        (".zgroup", "zarr_format"),
    ),
    Refuse(
        "v2.group.refuse.zarr_format_text",
        V2 + "#groups",
        {".zgroup": document({"zarr_format": "2"})},
        (".zgroup", "zarr_format"),
    ),
    Refuse("v2.group.refuse.list", V2 + "#groups", {".zgroup": b"[]"}, (".zgroup", "object")),
    Refuse("v2.group.refuse.attributes_list", V2 + "#attributes", group2(attrs=[1]), (".zattrs", "object")),
]


@table(GROUPS)
def test_refuses(case):
    with pytest.raises(ZarrError, match="(?s)" + ".*".join(word.replace(".", r"\.") for word in case.words)):
        zarr.open_group(case.store, mode="r")


def test_extra_keys_of_zgroup_are_read_past_and_strictly_not():
    """MUST NOT be present, and NCZarr writes some."""
    store = {".zgroup": document({"zarr_format": 2, "_nczarr_group": {}})}
    assert list(zarr.open_group(store, mode="r")) == []
    with pytest.raises(ZarrError, match=r"(?s)\.zgroup.*_nczarr_group"):
        zarr.open_group(store, mode="r", strict=True)


def test_a_member_that_cannot_be_read_does_not_hide_the_others():
    store = group3() | array3("good") | {"bad/zarr.json": b"{"} | v3([1], [1], "int128", path="foreign")
    with pytest.warns(UserWarning, match=r"bad|foreign"):
        assert "good" in sorted(zarr.open_group(store, mode="r"))


def test_arrays_of_both_formats_give_the_same_values_in_one_tree():
    a = zarr.open_group(TREE3, mode="r")["qux"]
    b = zarr.open_group(TREE2, mode="r")["qux"]
    np.testing.assert_array_equal(a[...], b[...])
    assert le("B", 2) == a[...].tobytes()
