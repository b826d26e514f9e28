"""Zarr v2: ``|O`` and the codecs that turn objects into bytes.

The specification lists no object dtype; these are the formats that numcodecs defines and zarr-python 2 wrote.
zarr-python 3.4.2 reads vlen-utf8 and vlen-bytes of them and takes ``fill_value: 0`` of text for "0"; zarrita
reads json2. The others have no reader left, and are read here.
"""

import importlib.util
import pickle
import zlib

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    NUMCODECS,
    Read,
    check_folders,
    check_read,
    document,
    le,
    objects,
    table,
    text,
    v2,
    vlen,
    vlen_utf8,
)
from tutorial_zarr.errors import ZarrError

VLEN, OTHER = NUMCODECS + "other/vlen.html", NUMCODECS + "other/"
UTF8, BYTES = {"id": "vlen-utf8"}, {"id": "vlen-bytes"}
INTS = {"id": "vlen-array", "dtype": "<i4"}
JSON2 = {
    "id": "json2",
    "encoding": "utf-8",
    "skipkeys": False,
    "ensure_ascii": True,
    "check_circular": True,
    "allow_nan": True,
    "sort_keys": True,
    "indent": None,
    "separators": [",", ":"],
    "strict": True,
}
MSGPACK = {"id": "msgpack2", "use_bin_type": True, "raw": False}
LABELS = {"id": "categorize", "dtype": "|O", "astype": "|u1", "labels": ["cold", "warm", "hé"]}
WORDS = ["a", "", "héllo 漢字 😀"]


def a_string(value):
    raw = value.encode()
    return bytes([0xA0 | len(raw)]) + raw  # MessagePack: a string of up to 31 bytes


# [1, "é", nil, [true, 2.5], "|O", [4]]
MESSAGE = b"".join(
    [
        b"\x96",  # a list of six
        b"\x01",
        a_string("é"),
        b"\xc0",
        b"\x92\xc3\xcb\x40\x04\x00\x00\x00\x00\x00\x00",
        a_string("|O"),
        b"\x91\x04",
    ]
)
ROWS = b"".join([b"\x94", b"\x91", a_string("a"), b"\x91", a_string("b"), a_string("|O"), b"\x92\x02\x01"])
ITEMS = objects(1, "é", None, [True, 2.5])
GRID = objects({"a": 1}, [1, 2], None, "x", 2.5, False, shape=(2, 3))

CASES = [
    Read(
        "v2.object.vlen-utf8",
        VLEN,
        v2([3], [3], "|O", {"0": vlen_utf8(*WORDS)}, fill="", filters=[UTF8]),
        text(*WORDS),
    ),
    Read(
        "v2.object.vlen-utf8_zlib",
        VLEN,
        v2(
            [3],
            [3],
            "|O",
            {"0": zlib.compress(vlen_utf8(*WORDS))},
            fill="",
            filters=[UTF8],
            compressor={"id": "zlib", "level": 1},
        ),
        text(*WORDS),
    ),
    Read(
        "v2.object.vlen-utf8_as_compressor",
        VLEN,
        v2([3], [3], "|O", {"0": vlen_utf8(*WORDS)}, fill="", compressor=UTF8),
        text(*WORDS),
    ),
    Read(
        "v2.object.vlen-utf8_overhang",
        VLEN,
        v2([3], [2], "|O", {"0": vlen_utf8("a", "b"), "1": vlen_utf8("c", "")}, fill="", filters=[UTF8]),
        text("a", "b", "c"),
    ),
    Read(
        "v2.object.vlen-utf8_order_F",
        VLEN,
        v2(
            [2, 2],
            [2, 2],
            "|O",
            {"0.0": vlen_utf8("00", "10", "01", "11")},
            fill="",
            filters=[UTF8],
            order="F",
        ),
        text("00", "01", "10", "11", shape=(2, 2)),
    ),
    Read(
        "v2.object.vlen-utf8_zero_dimensions",
        VLEN,
        v2([], [], "|O", {"0": vlen_utf8("one")}, fill="", filters=[UTF8]),
        text("one", shape=()),
    ),
    Read("v2.object.vlen-utf8_fill_text", VLEN, v2([2], [2], "|O", fill="né", filters=[UTF8]), text("né", "né")),
    Read("v2.object.vlen-utf8_fill_null", VLEN, v2([2], [2], "|O", fill=None, filters=[UTF8]), text("", "")),
    # zarr-python 2 wrote 0 for an empty string; zarr-python 3.4.2 and zarrita read "0" or 0 here.
    Read("v2.object.vlen-utf8_fill_0", VLEN, v2([2], [2], "|O", fill=0, filters=[UTF8]), text("", ""), lenient=True),
    Read(
        "v2.object.vlen-utf8_fill_the_text_0",
        VLEN,
        v2([2], [2], "|O", fill="0", filters=[UTF8]),
        text("0", "0"),
    ),
    Read(
        "v2.object.vlen-bytes",
        VLEN,
        v2([3], [3], "|O", {"0": vlen(b"\0\xff", b"", b"ab")}, fill="", filters=[BYTES]),
        objects(b"\0\xff", b"", b"ab"),
    ),
    Read(
        "v2.object.vlen-bytes_fill_null",
        VLEN,
        v2([2], [2], "|O", fill=None, filters=[BYTES]),
        objects(b"", b""),
    ),
    Read(
        "v2.object.vlen-bytes_fill_0",
        VLEN,
        v2([2], [2], "|O", fill=0, filters=[BYTES]),
        objects(b"", b""),
        lenient=True,
    ),
    Read(
        "v2.object.vlen-bytes_fill_base64",
        VLEN,
        v2([2], [2], "|O", fill="AQI=", filters=[BYTES]),
        objects(b"\1\2", b"\1\2"),
    ),
    Read(
        "v2.object.vlen-array",
        VLEN,
        v2([3], [3], "|O", {"0": vlen(le("i", 1, -2), b"", le("i", 7))}, fill=None, filters=[INTS]),
        objects(np.array([1, -2], "i4"), np.array([], "i4"), np.array([7], "i4")),
    ),
    Read(
        "v2.object.vlen-array_equal_lengths",
        VLEN,
        v2(
            [2],
            [2],
            "|O",
            {"0": vlen(le("d", 1, 2), le("d", 3, 4))},
            fill=None,
            filters=[{"id": "vlen-array", "dtype": "<f8"}],
        ),
        objects(np.array([1.0, 2]), np.array([3.0, 4])),
    ),
    Read(
        "v2.object.vlen-array_2d",
        VLEN,
        v2([2, 1], [2, 1], "|O", {"0.0": vlen(le("i", 1), le("i", 2, 3))}, fill=None, filters=[INTS]),
        objects(np.array([1], "i4"), np.array([2, 3], "i4"), shape=(2, 1)),
    ),
    Read(
        "v2.object.json2",
        OTHER + "json.html",
        v2(
            [4],
            [4],
            "|O",
            {"0": document([1, "é", None, [True, 2.5], "|O", [4]])},
            fill=None,
            filters=[JSON2],
        ),
        ITEMS,
    ),
    Read(
        "v2.object.json2_2d",
        OTHER + "json.html",
        v2(
            [2, 3],
            [2, 3],
            "|O",
            {"0.0": document([[{"a": 1}, [1, 2], None], ["x", 2.5, False], "|O", [2, 3]])},
            fill=None,
            filters=[JSON2],
        ),
        GRID,
    ),
    Read(
        "v2.object.json2_lists_of_one_length",
        OTHER + "json.html",
        v2([2], [2], "|O", {"0": document([[1, 2], [3, 4], "|O", [2]])}, fill=None, filters=[JSON2]),
        objects([1, 2], [3, 4]),
    ),
    Read(
        "v2.object.json2_defaults",
        OTHER + "json.html",
        v2(
            [2],
            [2],
            "|O",
            {"0": document(["x", {"y": [1]}, "|O", [2]])},
            fill=None,
            filters=[{"id": "json2"}],
        ),
        objects("x", {"y": [1]}),
    ),
    Read(
        "v2.object.json2_zlib",
        OTHER + "json.html",
        v2(
            [1],
            [1],
            "|O",
            {"0": zlib.compress(document([{"k": 1}, "|O", [1]]))},
            fill=None,
            filters=[JSON2],
            compressor={"id": "zlib", "level": 9},
        ),
        objects({"k": 1}),
    ),
    Read(
        "v2.object.msgpack2",
        OTHER + "msgpacks.html",
        v2([4], [4], "|O", {"0": MESSAGE}, fill=None, filters=[MSGPACK]),
        ITEMS,
    ),
    Read(
        "v2.object.msgpack2_text_2d",
        OTHER + "msgpacks.html",
        v2(
            [2, 1],
            [2, 1],
            "|O",
            {"0.0": ROWS},
            fill=None,
            filters=[MSGPACK],
        ),
        objects("a", "b", shape=(2, 1)),
    ),
    Read(
        "v2.object.pickle",
        OTHER + "pickles.html",
        v2(
            [4],
            [4],
            "|O",
            {"0": pickle.dumps(ITEMS, protocol=2)},
            fill=None,
            filters=[{"id": "pickle", "protocol": 5}],
        ),
        ITEMS,
        options={"allow_pickle": True},
    ),
    Read(
        "v2.object.categorize",
        NUMCODECS + "filter/categorize.html",
        v2([4], [4], "|O", {"0": bytes([3, 1, 0, 2])}, fill="", filters=[LABELS]),
        objects("hé", "cold", "", "warm"),
    ),
    Read(
        "v2.object.categorize_wide_codes",
        NUMCODECS + "filter/categorize.html",
        v2([2], [2], "|O", {"0": le("H", 2, 1)}, fill="", filters=[LABELS | {"astype": "<u2"}]),
        objects("warm", "cold"),
    ),
    Read(
        "v2.object.categorize_on_U",
        NUMCODECS + "filter/categorize.html",
        v2([4], [4], "<U4", {"0": bytes([3, 1, 0, 2])}, fill="", filters=[LABELS | {"dtype": "<U4"}]),
        np.array(["hé", "cold", "", "warm"], "U4"),
    ),
]
if importlib.util.find_spec("msgpack") is None:  # comes with the extra `codecs`
    CASES = [case for case in CASES if "msgpack2" not in case.id]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_pickle_is_refused_without_the_word_of_the_caller():
    store = next(case.store for case in CASES if case.id == "v2.object.pickle")
    with pytest.raises(ZarrError, match=r"(?s)pickle.*allow_pickle=True"):
        zarr.open_array(store, mode="r")[...]


def test_a_refused_pickle_is_never_loaded(tmp_path):
    mark = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return (open, (str(mark), "w"))

    store = v2([1], [1], "|O", {"0": pickle.dumps(objects(Trap()))}, fill=None, filters=[{"id": "pickle"}])
    with pytest.raises(ZarrError, match="pickle"):
        zarr.open_array(store, mode="r")[...]
    assert not mark.exists()
