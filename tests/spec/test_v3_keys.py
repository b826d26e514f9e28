"""Zarr v3: the two chunk key encodings, ``default`` and ``v2``, and where keys lie in a hierarchy."""

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import CORE, KEYS, Read, Refuse, check_folders, check_read, check_refusal, read, table, v3

DEFAULT, VERSION_2 = KEYS + "default/index.html#description", KEYS + "v2/index.html#description"
PAIR = np.array([[1, 2]], "u1")


def encoding(name, separator=None):
    return {"name": name} if separator is None else {"name": name, "configuration": {"separator": separator}}


def two(id, spec, keys, value, path="", decoys=()):
    """A 1 x 2 array in two chunks at these keys; decoys lie where another encoding would look."""
    data = dict(zip(keys, (b"\1", b"\2"), strict=True)) | dict.fromkeys(decoys, b"\xee")
    return Read(
        f"v3.keys.{id}",
        spec,
        v3([1, 2], [1, 1], "uint8", data, chunk_key_encoding=value, path=path),
        PAIR,
        path=path,
    )


def scalar(id, spec, key, value):
    return Read(f"v3.keys.{id}", spec, v3([], [], "uint8", {key: b"\5"}, chunk_key_encoding=value), np.array(5, "u1"))


SLASH, DOT = ("c/0/0", "c/0/1"), ("c.0.0", "c.0.1")
OLD_DOT, OLD_SLASH = ("0.0", "0.1"), ("0/0", "0/1")

CASES = [
    two("default.slash", DEFAULT, SLASH, encoding("default", "/"), decoys=(*DOT, *OLD_DOT)),
    two("default.dot", DEFAULT, DOT, encoding("default", "."), decoys=OLD_DOT),
    two("default.no_configuration_means_slash", DEFAULT, SLASH, encoding("default"), decoys=DOT),
    two(
        "default.empty_configuration_means_slash",
        DEFAULT,
        SLASH,
        {"name": "default", "configuration": {}},
        decoys=DOT,
    ),
    two("default.short_hand_means_slash", DEFAULT, SLASH, "default", decoys=DOT),
    two("v2.dot", VERSION_2, OLD_DOT, encoding("v2", "."), decoys=DOT),
    two("v2.slash", VERSION_2, OLD_SLASH, encoding("v2", "/"), decoys=OLD_DOT),
    two("v2.no_configuration_means_dot", VERSION_2, OLD_DOT, encoding("v2"), decoys=OLD_SLASH),
    two(
        "v2.empty_configuration_means_dot",
        VERSION_2,
        OLD_DOT,
        {"name": "v2", "configuration": {}},
        decoys=OLD_SLASH,
    ),
    two("v2.short_hand_means_dot", VERSION_2, OLD_DOT, "v2", decoys=OLD_SLASH),
    scalar("default.zero_dimensions_slash", DEFAULT, "c", encoding("default", "/")),
    scalar("default.zero_dimensions_dot", DEFAULT, "c", encoding("default", ".")),
    scalar("v2.zero_dimensions_dot", VERSION_2, "0", encoding("v2", ".")),
    scalar("v2.zero_dimensions_slash", VERSION_2, "0", encoding("v2", "/")),
    two("nested.default", CORE + "#stored-representation", SLASH, encoding("default"), path="foo/baz"),
    two("nested.v2", CORE + "#stored-representation", OLD_SLASH, encoding("v2", "/"), path="foo/baz"),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (encoding("default", "/"), "c/1/23/45"),
        (encoding("default", "."), "c.1.23.45"),
        (encoding("v2", "."), "1.23.45"),
        (encoding("v2", "/"), "1/23/45"),
    ],
    ids=["default_slash", "default_dot", "v2_dot", "v2_slash"],
)
def test_the_key_of_chunk_1_23_45_is_the_one_in_the_specification(value, key):
    store = v3([2, 24, 46], [1, 1, 1], "uint8", {key: b"\7"}, chunk_key_encoding=value)
    a = zarr.open_array(store, mode="r")
    assert a.chunk_key((1, 23, 45)) == key
    assert a[1, 23, 45] == 7
    assert a[1, 23, 44] == 0


def test_written_chunks_go_to_the_same_keys():
    for case in CASES:
        store = {key: value for key, value in case.store.items() if key.endswith("zarr.json")}
        zarr.open_array(store, mode="r+", path=case.path)[...] = case.expected
        written = set(store) - {key for key in store if key.endswith("zarr.json")}
        assert written <= set(case.store), case.id
        assert read(store, case.path).tolist() == case.expected.tolist()


def refuse(id, words, value):
    store = v3([1, 2], [1, 1], "uint8", chunk_key_encoding=value)
    return Refuse(f"v3.keys.refuse.{id}", DEFAULT, store, ("zarr.json", "chunk_key_encoding", *words))


REFUSALS = [
    refuse("separator_other", ["separator"], encoding("default", "-")),
    refuse("separator_empty", ["separator"], encoding("default", "")),
    refuse("separator_two_characters", ["separator"], encoding("v2", "//")),
    refuse("separator_number", ["separator"], encoding("v2", 1)),
    refuse("unknown_member", ["prefix"], {"name": "default", "configuration": {"prefix": "chunk"}}),
    refuse("unknown_name", ["fanout"], {"name": "fanout", "configuration": {"max_children": 10}}),
    refuse(
        "not_registered_suffix",
        ["zarrs.default_suffix"],
        {"name": "zarrs.default_suffix", "configuration": {"suffix": ".tif"}},
    ),
    refuse("separator_at_the_top", ["separator"], {"name": "default", "separator": "."}),
]


@table(REFUSALS)
def test_refuses(case):
    check_refusal(case, case.store)
