"""Zarr v2: the members of ``.zarray`` and ``.zattrs``, layout of chunks, chunk keys, paths."""

import json
import struct

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    V2,
    Literal,
    Read,
    assert_same,
    be,
    check_folders,
    check_read,
    document,
    group2,
    le,
    read,
    table,
    v2,
)
from tutorial_zarr.errors import ZarrError

META, CHUNKS, FILTERS = V2 + "#metadata", V2 + "#chunks", V2 + "#filters"


def i4(*values, shape=None):
    return np.array(values, "i4").reshape(shape if shape is not None else len(values))


CUBE = np.arange(24, dtype="i4").reshape(2, 3, 4)
# Column-major: the first dimension varies fastest.
CUBE_F = le("i", *(int(CUBE[i, j, k]) for k in range(4) for j in range(3) for i in range(2)))
ZLIB = {"id": "zlib", "level": 1}
TWO = {"0": le("i", 1, 2), "1": le("i", 3, -9)}  # the second chunk hangs over the end by one

CASES = [
    Read("v2.metadata.minimal", META, v2([3], [2], "<i4", TWO), i4(1, 2, 3)),
    Read(
        "v2.metadata.unknown_keys_are_ignored",
        META,
        v2([3], [2], "<i4", TWO, _nczarr_array={"dimrefs": ["/x"]}, node_type="array", x=None),
        i4(1, 2, 3),
    ),
    Read(
        "v2.metadata.byte_order_mark",
        META,
        {".zarray": b"\xef\xbb\xbf" + v2([3], [2], "<i4")[".zarray"]} | TWO,
        i4(1, 2, 3),
    ),
    Read("v2.metadata.filters_empty_list", META, v2([3], [2], "<i4", TWO, filters=[]), i4(1, 2, 3)),
    Read(
        "v2.metadata.filters_missing",
        META,
        v2([3], [2], "<i4", TWO, drop=["filters"]),
        i4(1, 2, 3),
        lenient=True,
    ),
    Read(
        "v2.metadata.compressor_missing",
        META,
        v2([3], [2], "<i4", TWO, drop=["compressor"]),
        i4(1, 2, 3),
        lenient=True,
    ),
    Read("v2.metadata.bare_lengths", META, v2(3, 2, "<i4", TWO), i4(1, 2, 3), lenient=True),
    Read("v2.metadata.shape_2_0", META, v2([Literal("3.0")], [2], "<i4", TWO), i4(1, 2, 3), lenient=True),
    Read("v2.metadata.fill_value_null", META, v2([3], [2], "<i4", TWO, fill=None), i4(1, 2, 3)),
    # "Undefined": every reader gives zero, and so do we.
    Read("v2.chunks.missing_and_fill_null", CHUNKS, v2([3], [2], "<i4", fill=None), i4(0, 0, 0)),
    Read("v2.chunks.missing", CHUNKS, v2([3], [2], "<i4", {"1": le("i", 3, 4)}, fill=-7), i4(-7, -7, 3)),
    Read(
        "v2.chunks.overhang_is_undefined",
        CHUNKS,
        v2([2, 3], [2, 2], "<i2", {"0.0": le("h", 1, 2, 4, 5), "0.1": le("h", 3, 99, 6, 99)}),
        np.array([[1, 2, 3], [4, 5, 6]], "i2"),
    ),
    Read(
        "v2.chunks.larger_than_array",
        CHUNKS,
        v2([2], [5], "|u1", {"0": bytes([1, 2, 9, 9, 9])}),
        np.array([1, 2], "u1"),
    ),
    Read("v2.chunks.zero_dimensions", CHUNKS, v2([], [], "<f8", {"0": le("d", 2.5)}), np.array(2.5)),
    Read("v2.chunks.zero_dimensions_missing", CHUNKS, v2([], [], "<i4", fill=42), np.array(42, "i4")),
    Read(
        "v2.chunks.zero_dimensions_order_F",
        CHUNKS,
        v2([], [], "<i4", {"0": le("i", 5)}, order="F", compressor=None),
        np.array(5, "i4"),
    ),
    Read("v2.chunks.zero_length", CHUNKS, v2([0, 4], [1, 4], "<i4"), np.zeros((0, 4), "i4")),
    Read("v2.chunks.zero_length_chunk_0", CHUNKS, v2([0, 4], [0, 4], "<i4"), np.zeros((0, 4), "i4")),
    Read(
        "v2.chunks.two_digit_index",
        CHUNKS,
        v2([1, 12], [1, 1], "|u1", {f"0.{i}": bytes([i]) for i in range(12)}),
        np.arange(12, dtype="u1").reshape(1, 12),
    ),
    Read(
        "v2.dimension_separator.dot",
        META,
        v2([1, 2], [1, 1], "|u1", {"0.0": b"\1", "0.1": b"\2"}, dimension_separator="."),
        np.array([[1, 2]], "u1"),
    ),
    Read(
        "v2.dimension_separator.slash",
        META,
        v2([1, 2], [1, 1], "|u1", {"0/0": b"\1", "0/1": b"\2"}, dimension_separator="/"),
        np.array([[1, 2]], "u1"),
    ),
    # The default is ".", whatever the files look like: nested chunks of such an array do not exist.
    Read(
        "v2.dimension_separator.absent_means_dot",
        META,
        v2([1, 2], [1, 1], "|u1", {"0/0": b"\1", "0/1": b"\2"}, fill=7),
        np.array([[7, 7]], "u1"),
    ),
    Read(
        "v2.dimension_separator.slash_zero_dimensions",
        META,
        v2([], [], "|u1", {"0": b"\5"}, dimension_separator="/"),
        np.array(5, "u1"),
    ),
    Read("v2.order.C", META, v2([2, 3, 4], [2, 3, 4], "<i4", {"0.0.0": le("i", *range(24))}), CUBE),
    Read("v2.order.F_1d", META, v2([3], [3], "<i4", {"0": le("i", 1, 2, 3)}, order="F"), i4(1, 2, 3)),
    Read(
        "v2.order.F_2d",
        META,
        v2([2, 3], [2, 3], "<i4", {"0.0": le("i", 0, 3, 1, 4, 2, 5)}, order="F"),
        i4(*range(6), shape=(2, 3)),
    ),
    Read(
        "v2.order.F_2d_overhang",
        META,
        v2([1, 3], [2, 2], ">i2", {"0.0": be("h", 1, 99, 2, 99), "0.1": be("h", 3, 99, 99, 99)}, order="F"),
        np.array([[1, 2, 3]], "i2"),
    ),
    Read("v2.order.F_3d", META, v2([2, 3, 4], [2, 3, 4], "<i4", {"0.0.0": CUBE_F}, order="F"), CUBE),
    # A filter sees the chunk as the flat buffer it is stored as, so delta runs down the columns.
    Read(
        "v2.order.F_filter_sees_the_stored_order",
        FILTERS,
        v2(
            [2, 2],
            [2, 2],
            "<i4",
            {"0.0": le("i", 10, 20, -19, 20)},
            order="F",
            filters=[{"id": "delta", "dtype": "<i4"}],
        ),
        i4(10, 11, 30, 31, shape=(2, 2)),
    ),
    Read(
        "v2.order.F_3d_filter",
        FILTERS,
        v2(
            [2, 3, 4],
            [2, 3, 4],
            "<i4",
            {"0.0.0": le("i", *np.diff(struct.unpack("<24i", CUBE_F), prepend=0).tolist())},
            order="F",
            filters=[{"id": "delta", "dtype": "<i4", "astype": "<i4"}],
        ),
        CUBE,
    ),
    Read(
        "v2.order.F_structured",
        META,
        v2(
            [2, 2],
            [2, 2],
            [["a", "|u1"], ["b", "<i2"]],
            {"0.0": struct.pack("<BhBhBhBh", 1, 1, 3, 3, 2, 2, 4, 4)},
            order="F",
            fill=None,
        ),
        np.array([[(1, 1), (2, 2)], [(3, 3), (4, 4)]], [("a", "u1"), ("b", "i2")]),
    ),
    Read(
        "v2.path.nested",
        V2 + "#logical-storage-paths",
        v2([3], [2], "<i4", TWO, path="foo/bar") | group2() | group2("foo"),
        i4(1, 2, 3),
        path="foo/bar",
    ),
    Read(
        "v2.path.normalised",
        V2 + "#logical-storage-paths",
        v2([3], [2], "<i4", TWO, path="foo/bar") | group2() | group2("foo"),
        i4(1, 2, 3),
        path="\\foo//bar/",
    ),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_fill_value_missing_reads_as_null_and_strictly_not():
    """The specification says MUST be present. zarrita reads it, zarr-python, zarrs and tensorstore refuse."""
    store = v2([3], [2], "<i4", {"0": le("i", 1, 2)}, drop=["fill_value"])
    assert_same(read(store), i4(1, 2, 0))
    with pytest.raises(ZarrError, match=r"(?s)\.zarray.*fill_value"):
        zarr.open_array(store, mode="r", strict=True)


def test_attributes_come_from_zattrs():
    attrs = {"foo": 42, "bar": "apples", "baz": [1, 2, 3, 4], "big": 2**53 + 1, "huge": 2**70, "π": None}
    a = zarr.open_array(v2([1], [1], "|u1", attrs=attrs), mode="r")
    assert dict(a.attrs) == attrs


def test_attributes_are_empty_without_zattrs():
    assert dict(zarr.open_array(v2([1], [1], "|u1"), mode="r").attrs) == {}


def test_a_bare_nan_in_zattrs_is_read_and_strictly_not():
    """zarr-python writes it; RFC 8259 has no such literal."""
    store = v2([1], [1], "|u1", attrs={"gap": Literal("NaN"), "low": Literal("-Infinity")})
    attrs = dict(zarr.open_array(store, mode="r").attrs)
    assert np.isnan(attrs["gap"])
    assert attrs["low"] == -np.inf
    with pytest.raises(ZarrError, match=r"(?s)\.zattrs.*NaN"):
        zarr.open_array(store, mode="r", strict=True)


def test_zattrs_must_be_an_object():
    with pytest.raises(ZarrError, match=r"(?s)\.zattrs.*object.*list"):
        zarr.open_array(v2([1], [1], "|u1", attrs=[1]), mode="r")


def test_setting_an_attribute_writes_zattrs_and_leaves_zarray_as_it_was():
    store = v2([3], [2], "<i4", TWO, fill=Literal("-0"), _nczarr_array={"x": 1})
    before = store[".zarray"]
    a = zarr.open_array(store, mode="r+")
    a.attrs["units"] = "K"
    assert json.loads(store[".zattrs"]) == {"units": "K"}
    assert json.loads(store[".zarray"]) == json.loads(before)


def test_dot_segments_in_a_path_are_refused():
    store = v2([3], [2], "<i4", TWO, path="foo") | group2()
    for path in ("./foo", "foo/../foo", ".."):
        with pytest.raises(ZarrError, match=r"\.\.?"):
            zarr.open_array(store, mode="r", path=path)


def test_metadata_of_every_member_is_exposed():
    store = v2(
        [4, 6],
        [2, 3],
        ">u2",
        order="F",
        compressor=ZLIB,
        fill=9,
        filters=[{"id": "shuffle", "elementsize": 2}],
    )
    a = zarr.open_array(store, mode="r")
    assert (a.shape, a.chunks, a.dtype, a.order, a.fill_value, a.zarr_format) == (
        (4, 6),
        (2, 3),
        "u2",
        "F",
        9,
        2,
    )


def test_a_document_is_bytes_of_json():
    assert json.loads(document({"n": Literal("3.0"), "s": "é"})) == {"n": 3.0, "s": "é"}
