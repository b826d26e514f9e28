"""What was found in peers: every cell that is wrong or a crash, with the cause that was looked up.

A defect names the peer, whether it shows in reading or in writing, the version in which it was seen, and the cases.
The report puts the cause beside the cell, and lists the cells that have none: these still have to be looked into.

>>> explain("tutorial-zarr", "zarrita", "v3/fill/uint64-max").peer
'zarrita'
>>> explain("tutorial-zarr", "zarr-python", "v3/int32/edge/gzip") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .outcomes import Outcome

READS, WRITES = "reads", "writes"


@dataclass(frozen=True)
class Defect:
    """One fault of one peer."""

    peer: str
    side: str  # READS or WRITES
    version: str  # in which it was seen
    cases: tuple[str, ...]  # patterns of ids
    cause: str


DEFECTS = (
    Defect(
        "zarr-python",
        READS,
        "zarr 3.4.2",
        ("v3/fill/NaN-signalling",),
        "turns a fill value given by its bits into a Python float, which makes a quiet NaN of a signalling one",
    ),
    Defect(
        "zarr-python",
        WRITES,
        "zarr 3.4.2",
        ("v?/bits/NaN-*",),
        "leaves out a chunk of NaNs when the fill value is a NaN, though their bits differ",
    ),
    Defect(
        "zarr-python",
        WRITES,
        "zarr 3.4.2",
        ("v3/fill/NaN-payload", "v3/fill/NaN-signalling", "v3/fill/NaN-sign"),
        'writes every NaN as "NaN", so that the bits of the fill value are lost',
    ),
    Defect(
        "zarr-python",
        READS,
        "zarr 3.4.2",
        ("v3/shards/transpose-before",),
        "compares the inner chunk shape with the chunk as it is before the transposition, and refuses",
    ),
    Defect(
        "zarr-python",
        WRITES,
        "zarr 3.4.2",
        ("v2/fill/null-*",),
        "leaves out a chunk of zeros where the fill value is null, so that its elements are undefined",
    ),
    Defect(
        "zarrs",
        WRITES,
        "zarrs 0.2.3",
        ("v2/fill/null-*",),
        "leaves out a chunk of zeros where the fill value is null, so that its elements are undefined",
    ),
    Defect(
        "zarrs",
        READS,
        "zarrs 0.2.3",
        ("v3/complex*/big-endian/*", "v3/complex*/sharded-big-endian/*"),
        "decoding a part of a chunk swaps the bytes of a complex number as one unit, not those of each of its halves",
    ),
    Defect(
        "zarrs",
        READS,
        "zarrs 0.2.3",
        ("v3/fill/NaN-payload", "v3/fill/NaN-signalling", "v3/fill/NaN-sign"),
        'is given every NaN as "NaN" by zarr-python, so that the bits of the fill value are lost',
    ),
    Defect(
        "zarrs",
        WRITES,
        "zarrs 0.2.3",
        ("v3/fill/NaN-payload", "v3/fill/NaN-signalling", "v3/fill/NaN-sign"),
        'zarr-python, which writes its metadata, writes every NaN as "NaN"',
    ),
    Defect(
        "zarrs",
        READS,
        "zarr 3.4.2",
        ("v3/shards/transpose-before",),
        "zarr-python, which parses its metadata, compares the inner chunk shape with the untransposed chunk",
    ),
    Defect(
        "tensorstore",
        READS,
        "tensorstore 0.1.86",
        ("v?/raw_bytes/*", "v2/null_terminated_bytes/*"),
        "its char and byte arrive in numpy as |S0 and |V0, which hold nothing",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v?/fill/uint64-max", "v?/fill/int64-beyond-doubles"),
        "parses the metadata with JSON.parse, which rounds integers beyond 2^53",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v?/attributes/beyond-doubles",),
        "parses the metadata with JSON.parse, which rounds integers beyond 2^53",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v3/fill/NaN-payload", "v3/fill/NaN-signalling", "v3/fill/NaN-sign"),
        "takes a fill value given by its bits for a number in hexadecimal",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v3/transpose/two",),
        "applies two transpose codecs in the wrong order",
    ),
    Defect(
        "zarrita",
        WRITES,
        "zarrita 0.7.5",
        ("v3/transpose/two",),
        "applies two transpose codecs in the wrong order",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v3/shards/transpose-before",),
        "takes a shard behind a transposition for one with fewer inner chunks, and fails on its index",
    ),
    Defect(
        "zarrita",
        WRITES,
        "zarrita 0.7.5",
        ("v3/fill/minus-zero",),
        "writes its metadata with JSON.stringify, which has no -0",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v2/null_terminated_bytes/*",),
        "decodes byte strings as UTF-8, and takes a fill value for text where it is base64",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v2/bytes/empty/*", "v2/bytes/no-axis-empty/*", "v2/bytes/partly-written/*"),
        "has no vlen-bytes, but notices only when there is a chunk; without one it gives the base64 of the fill value",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v2/int32/edge/delta-astype",),
        "applies delta to the type of the array and does not know `astype`",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v2/object/edge/json2",),
        "takes the rows of a chunk of two axes, which numcodecs writes as lists in a list, for its elements",
    ),
    Defect(
        "zarrita",
        READS,
        "zarrita 0.7.5",
        ("v?/names/quoting",),
        "decodes the path of a node as a URL, and fails on a percent sign",
    ),
    Defect(
        "gdal",
        READS,
        "gdal 3.12.2",
        ("v3/*/transposed/*", "v3/transpose/*"),
        "takes the `order` of a transposition for its inverse",
    ),
    Defect(
        "gdal",
        READS,
        "gdal 3.12.2",
        ("v?/fill/uint64-max",),
        "keeps a fill value of uint64 as a signed number, and clips it",
    ),
    Defect(
        "netcdf-c",
        READS,
        "netcdf-c 4.10.1",
        ("v2/*/F-order*/*",),
        "does not look at `order`, and takes chunks in F order for C order",
    ),
    Defect(
        "netcdf-c",
        READS,
        "netcdf-c 4.10.1",
        ("v2/null_terminated_bytes/*",),
        "takes the base64 of a fill value for the text itself",
    ),
    Defect(
        "xarray",
        READS,
        "zarr 3.4.2",
        ("v3/fill/NaN-signalling",),
        "zarr-python, through which it reads, makes a quiet NaN of a signalling one",
    ),
    Defect(
        "icechunk",
        READS,
        "zarr 3.4.2",
        ("v3/fill/NaN-signalling",),
        "zarr-python, which reads through it, makes a quiet NaN of a signalling one",
    ),
    Defect(
        "ome-zarr",
        READS,
        "zarr 3.4.2",
        ("v3/fill/NaN-signalling",),
        "zarr-python, through which it reads, makes a quiet NaN of a signalling one",
    ),
    Defect(
        "ome-zarr",
        READS,
        "zarr 3.4.2",
        ("v3/shards/transpose-before",),
        "zarr-python, which parses its metadata, compares the inner chunk shape with the untransposed chunk",
    ),
    Defect(
        "z5py",
        READS,
        "z5py 3.0.2",
        ("v3/*/big-endian/*", "v3/*/sharded-big-endian/*"),
        "does not look at `endian` of the codec `bytes`",
    ),
    Defect(
        "z5py",
        READS,
        "z5py 3.0.2",
        ("v?/fill/int64-beyond-doubles", "v?/fill/uint64-max"),
        "holds fill values as doubles",
    ),
    Defect(
        "z5py",
        WRITES,
        "z5py 3.0.2",
        ("v?/fill/int64-beyond-doubles", "v?/fill/uint64-max"),
        "holds fill values as doubles",
    ),
    Defect(
        "z5py",
        READS,
        "z5py 3.0.2",
        ("v?/attributes/beyond-doubles",),
        "reads integers beyond 64 bits as doubles",
    ),
    Defect(
        "z5py",
        WRITES,
        "z5py 3.0.2",
        ("v?/attributes/beyond-doubles",),
        "writes integers beyond 64 bits as doubles",
    ),
    Defect(
        "z5py",
        WRITES,
        "z5py 3.0.2",
        ("v?/*/zero-length/*",),
        "divides by zero for an axis of length 0, and dies",
    ),
    Defect(
        "zarr-python-2",
        READS,
        "zarr 2.18.7",
        ("v2/fill/complex-specials",),
        "puts a complex fill value together by arithmetic, which loses the sign of a zero beside an infinity",
    ),
    Defect(
        "zarr-python-2",
        WRITES,
        "zarr 2.18.7",
        ("v2/fill/complex-specials",),
        "writes the complex fill value as it has read it, without the sign of the zero",
    ),
    Defect(
        "zarr-python-2",
        READS,
        "zarr 2.18.7",
        ("v2/bytes/*",),
        "takes the fill value of objects as it stands, where zarr-python 3 and others have base64 for bytes",
    ),
)


def explain(writer: str, reader: str, case: str) -> Defect | None:
    """The defect that accounts for a cell: of the writer in writing, or of the reader in reading."""
    plain = case.replace("/named-", "/")  # names for the axes change nothing about a fault
    for defect in DEFECTS:
        who = reader if defect.side == READS else writer
        if defect.peer == who and any(fnmatchcase(plain, pattern) for pattern in defect.cases):
            return defect
    return None


def unexplained(
    results: Mapping[tuple[str, str, str], Outcome], outcomes: tuple[str, ...] = ("wrong", "crash", "timeout")
) -> dict[tuple[str, str, str], Outcome]:
    """The cells of these outcomes that no defect accounts for."""
    return {key: found for key, found in results.items() if found.name in outcomes and explain(*key) is None}
