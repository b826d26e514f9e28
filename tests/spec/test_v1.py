"""Zarr v1: ``meta`` and ``attrs``. It is read, never written; no other library reads it any more."""

import bz2
import lzma
import zlib

import numpy as np

import tutorial_zarr as zarr
from spec.build import V1, Read, be, blosc_stored, check_folders, check_read, le, table, v1

META = V1 + "#metadata"
SIX = np.arange(6, dtype="i4").reshape(2, 3)
RAW = le("i", *range(6))
BLOSC = {"clevel": 5, "cname": "lz4", "shuffle": 1}


def case(id, *args, expected=SIX, **kwargs):
    return Read(f"v1.{id}", META, v1(*args, **kwargs), expected, writable=False)


CASES = [
    case("uncompressed", [2, 3], [2, 3], "<i4", {"0.0": RAW}),
    case("blosc", [2, 3], [2, 3], "<i4", {"0.0": blosc_stored(RAW, 4)}, compression="blosc", opts=BLOSC),
    case("zlib", [2, 3], [2, 3], "<i4", {"0.0": zlib.compress(RAW, 1)}, compression="zlib", opts=1),
    case("bz2", [2, 3], [2, 3], "<i4", {"0.0": bz2.compress(RAW)}, compression="bz2", opts=9),
    case(
        "lzma_options",
        [2, 3],
        [2, 3],
        "<i4",
        {"0.0": lzma.compress(RAW)},
        compression="lzma",
        opts={"format": lzma.FORMAT_XZ, "check": -1, "preset": 1, "filters": None},
    ),
    case("lzma_null", [2, 3], [2, 3], "<i4", {"0.0": lzma.compress(RAW)}, compression="lzma", opts=None),
    case("big_endian", [2, 3], [2, 3], ">i4", {"0.0": be("i", *range(6))}),
    case("order_F", [2, 3], [2, 3], "<i4", {"0.0": le("i", 0, 3, 1, 4, 2, 5)}, order="F"),
    case("missing_chunk", [3], [2], "<i4", {"0": le("i", 1, 2)}, fill=42, expected=np.array([1, 2, 42], "i4")),
    case("fill_null", [3], [2], "<f8", fill=None, expected=np.zeros(3)),
    case(
        "structured",
        [2],
        [2],
        [["r", "|u1"], ["g", "<u2"]],
        {"0": b"\1" + le("H", 2) + b"\3" + le("H", 4)},
        fill=None,
        expected=np.array([(1, 2), (3, 4)], [("r", "u1"), ("g", "u2")]),
    ),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_attributes_come_from_attrs():
    assert dict(zarr.open_array(v1([1], [1], "|u1", attrs={"foo": 42}), mode="r").attrs) == {"foo": 42}
