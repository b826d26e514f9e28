r"""Builds Zarr stores by hand, and says how a reader is judged on them.

A store is a `dict` of key to bytes. Nothing here knows a Zarr library: documents are JSON text, chunks are
packed with `struct`, and each container format (shard, packed bits, N5 block, Zstandard frame) is written out
from its own specification. Two kinds of case are made of such stores: `Read`, which must give exactly the
expected array, and `Refuse`, which must raise an error that names the document, the key and the rule.

>>> store = v3([3], [3], "int16", {"c/0": le("h", 1, 2, -3)})
>>> sorted(store), store["c/0"]
(['c/0', 'zarr.json'], b'\x01\x00\x02\x00\xfd\xff')
"""

from __future__ import annotations

import itertools
import json
import re
import struct
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import ZarrError

READTHEDOCS = "https://zarr-specs.readthedocs.io/en/latest/"
V1 = READTHEDOCS + "v1/v1.0.html"
V2 = READTHEDOCS + "v2/v2.0.html"
CORE = READTHEDOCS + "v3/core/index.html"
FILL = READTHEDOCS + "v3/data-types/index.html#permitted-fill-values"
CODECS = READTHEDOCS + "v3/codecs/"
GRIDS = READTHEDOCS + "v3/chunk-grids/"
KEYS = READTHEDOCS + "v3/chunk-key-encodings/"
EXTENSIONS = "https://github.com/zarr-developers/zarr-extensions/tree/main/"
NUMCODECS = "https://numcodecs.readthedocs.io/en/stable/"

Store = dict[str, bytes]


# --- documents


@dataclass(frozen=True)
class Literal:
    """JSON text that `json.dumps` would not write, such as ``3.0`` for an integer, put in as it stands."""

    text: str


def document(value: Any) -> bytes:
    """UTF-8 JSON of a value that may hold `Literal`s."""
    literals: list[str] = []

    def mark(item: Any) -> str:
        literals.append(item.text)
        return f"\0{len(literals) - 1}\0"

    text = json.dumps(value, default=mark, ensure_ascii=False)
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda m: literals[int(m[1])], text).encode()


def regular(*chunk_shape: Any) -> dict[str, Any]:
    """The ``chunk_grid`` member of a regular grid."""
    return {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}}


def rectilinear(*chunk_shapes: Any) -> dict[str, Any]:
    """The ``chunk_grid`` member of a rectilinear grid."""
    return {"name": "rectilinear", "configuration": {"kind": "inline", "chunk_shapes": list(chunk_shapes)}}


def codec(name: str, **configuration: Any) -> dict[str, Any]:
    """A codec as an object; without a ``configuration`` member where there is nothing to say."""
    return {"name": name, "configuration": configuration} if configuration else {"name": name}


LITTLE = codec("bytes", endian="little")
BIG = codec("bytes", endian="big")
CRC32C = codec("crc32c")


def _node(path: str, documents: Mapping[str, Any], data: Mapping[str, bytes]) -> Store:
    prefix = path + "/" if path else ""
    store = {prefix + key: value if isinstance(value, bytes) else document(value) for key, value in documents.items()}
    return store | {prefix + key: bytes(value) for key, value in data.items()}


def v3(
    shape: Any,
    chunks: Any,
    data_type: Any,
    data: Mapping[str, bytes] | None = None,
    *,
    codecs: Any = None,
    fill: Any = 0,
    path: str = "",
    drop: Iterable[str] = (),
    **members: Any,
) -> Store:
    """A Zarr 3 array with the chunk shape `chunks`; `members` are replaced or added, `drop` removed."""
    doc = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": [LITTLE] if codecs is None else codecs,
    } | members
    return _node(path, {"zarr.json": {k: v for k, v in doc.items() if k not in drop}}, data or {})


def v2(
    shape: Any,
    chunks: Any,
    dtype: Any,
    data: Mapping[str, bytes] | None = None,
    *,
    fill: Any = 0,
    compressor: Any = None,
    filters: Any = None,
    order: str = "C",
    path: str = "",
    attrs: Any = None,
    drop: Iterable[str] = (),
    **members: Any,
) -> Store:
    """A Zarr 2 array; `attrs` writes a ``.zattrs`` document."""
    doc = {
        "zarr_format": 2,
        "shape": shape,
        "chunks": chunks,
        "dtype": dtype,
        "compressor": compressor,
        "fill_value": fill,
        "order": order,
        "filters": filters,
    } | members
    documents: dict[str, Any] = {".zarray": {k: v for k, v in doc.items() if k not in drop}}
    if attrs is not None:
        documents[".zattrs"] = attrs
    return _node(path, documents, data or {})


def v1(
    shape: Any,
    chunks: Any,
    dtype: Any,
    data: Mapping[str, bytes] | None = None,
    *,
    fill: Any = 0,
    compression: Any = None,
    opts: Any = None,
    order: str = "C",
    attrs: Any = None,
) -> Store:
    """A Zarr 1 array: the documents are ``meta`` and ``attrs``."""
    meta = {
        "zarr_format": 1,
        "shape": shape,
        "chunks": chunks,
        "dtype": dtype,
        "compression": compression,
        "compression_opts": opts,
        "fill_value": fill,
        "order": order,
    }
    return _node("", {"meta": meta, "attrs": {} if attrs is None else attrs}, data or {})


def group3(path: str = "", **members: Any) -> Store:
    """A Zarr 3 group."""
    return _node(path, {"zarr.json": {"zarr_format": 3, "node_type": "group"} | members}, {})


def group2(path: str = "", attrs: Any = None) -> Store:
    """A Zarr 2 group."""
    documents: dict[str, Any] = {".zgroup": {"zarr_format": 2}}
    if attrs is not None:
        documents[".zattrs"] = attrs
    return _node(path, documents, {})


METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata", "meta", "attrs")


def documents_of(store: Store) -> Store:
    """The store without its chunks."""
    return {key: value for key, value in store.items() if key.rsplit("/", 1)[-1] in METADATA}


# --- elements


def le(code: str, *values: Any) -> bytes:
    """Values packed little-endian with one `struct` code: ``le("h", 1, 2)``."""
    return struct.pack(f"<{len(values)}{code}", *values)


def be(code: str, *values: Any) -> bytes:
    """The same, big-endian."""
    return struct.pack(f">{len(values)}{code}", *values)


def bits(width: int, *values: int) -> np.ndarray:
    """Floats of 2, 4 or 8 bytes given by their bits."""
    return np.array(values, f"u{width}").view(f"f{width}")


def minifloat(pattern: int, exponent: int, mantissa: int, bias: int) -> float:
    """The finite value of a narrow float: sign, `exponent` and `mantissa` bits, subnormals at exponent 0."""
    sign = -1.0 if pattern >> (exponent + mantissa) & 1 else 1.0
    e = pattern >> mantissa & ((1 << exponent) - 1)
    m = pattern & ((1 << mantissa) - 1)
    return sign * (2.0 ** (1 - bias) * m / 2**mantissa if e == 0 else 2.0 ** (e - bias) * (1 + m / 2**mantissa))


def objects(*values: Any, shape: Any = None) -> np.ndarray:
    """An object array with these elements, whatever they are."""
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array if shape is None else array.reshape(shape)


def text(*values: str, shape: Any = None) -> np.ndarray:
    """A `StringDType` array."""
    array = np.array(values, np.dtypes.StringDType())
    return array if shape is None else array.reshape(shape)


# --- checksums


def _crc_table(polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    return table


_CASTAGNOLI = _crc_table(0x82F63B78)


def crc32c(data: bytes) -> bytes:
    """CRC-32C (RFC 3720), four bytes little-endian.

    >>> crc32c(b"123456789").hex()
    '839206e3'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CASTAGNOLI[(crc ^ byte) & 0xFF]
    return le("I", crc ^ 0xFFFFFFFF)


def with_crc(data: bytes) -> bytes:
    """Data and its CRC-32C, as the codec ``crc32c`` writes them."""
    return data + crc32c(data)


def fletcher32(data: bytes) -> bytes:
    """Fletcher's checksum over big-endian 16-bit words (HDF5's filter), four bytes little-endian."""
    a = b = 0
    for (word,) in struct.iter_unpack(">H", data + b"\0" * (len(data) % 2)):
        a += word
        b += a
    a, b = ((s % 65535 or 65535) if s else 0 for s in (a, b))  # folding keeps 65535 where s % 65535 gives 0
    return le("I", b << 16 | a)


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0, the checksum of a Zstandard frame.

    >>> hex(xxh64(b""))
    '0xef46db3751d8e999'
    """
    mask = (1 << 64) - 1
    p1, p2, p3, p4, p5 = (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )

    def rotl(x: int, n: int) -> int:
        return (x << n | x >> (64 - n)) & mask

    def mix(acc: int, lane: int) -> int:
        return rotl((acc + lane * p2) & mask, 31) * p1 & mask

    n, at = len(data), 0
    if n >= 32:
        accs = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while at + 32 <= n:
            accs = [mix(a, lane) for a, lane in zip(accs, struct.unpack_from("<4Q", data, at), strict=True)]
            at += 32
        h = sum(rotl(a, r) for a, r in zip(accs, (1, 7, 12, 18), strict=True)) & mask
        for a in accs:
            h = ((h ^ mix(0, a)) * p1 + p4) & mask
    else:
        h = p5
    h = (h + n) & mask
    while at + 8 <= n:
        h = (rotl(h ^ mix(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & mask
        at += 8
    if at + 4 <= n:
        h = (rotl(h ^ struct.unpack_from("<I", data, at)[0] * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * p5 & mask, 11) * p1 & mask
    for shift, factor in ((33, p2), (29, p3), (32, 1)):
        h = (h ^ h >> shift) * factor & mask
    return h


# --- containers


def zstd_frame(data: bytes, *, size: bool = True, checksum: bool = False) -> bytes:
    """A Zstandard frame (RFC 8878) of one raw block; `size` declares the content size in the header."""
    descriptor = (0xA0 if size else 0) | (4 if checksum else 0)  # single segment and a four-byte content size
    header = le("I", 0xFD2FB528) + bytes([descriptor]) + (le("I", len(data)) if size else b"\x38")
    block = le("I", 1 | len(data) << 3)[:3] + data
    return header + block + (le("I", xxh64(data) & 0xFFFFFFFF) if checksum else b"")


def zstd_bomb(blocks: int) -> bytes:
    """A frame of `blocks` run-length blocks, each four bytes long and 128 KiB of zeros when decoded."""
    block = 1 << 17
    runs = b"".join(le("I", (i == blocks - 1) | 1 << 1 | block << 3)[:3] + b"\0" for i in range(blocks))
    return le("I", 0xFD2FB528) + b"\x00\x38" + runs


def lz4_block(data: bytes) -> bytes:
    """An LZ4 block that is one run of literals."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    rest = len(data) - 15
    return b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


def blosc_stored(data: bytes, typesize: int = 1) -> bytes:
    """A Blosc 1 chunk whose flags say that the data are stored as they are.

    Header: version, format of the compressor, flags, typesize, then the sizes of data, block and chunk.
    """
    return struct.pack("<4B3I", 2, 1, 0x02, typesize, len(data), max(len(data), 1), len(data) + 16) + data


def snappy_literal(data: bytes) -> bytes:
    """A raw Snappy stream: the length, then one literal of at most 60 bytes."""
    return bytes([len(data), len(data) - 1 << 2]) + data


def blosc_snappy(data: bytes) -> bytes:
    """A Blosc 1 chunk of one block that holds a raw Snappy stream (compressor format 2)."""
    stream = snappy_literal(data)
    body = le("I", 20) + le("I", len(stream)) + stream  # where the block starts, its length, the block
    return struct.pack("<4B3I", 2, 1, 2 << 5 | 0x10, 1, len(data), len(data), len(body) + 16) + body


EMPTY = (2**64 - 1, 2**64 - 1)  # the shard index entry of an absent inner chunk


def shard(
    chunks: Iterable[bytes | None],
    *,
    start: bool = False,
    endian: str = "<",
    crc: bool = True,
    write_order: Iterable[int] | None = None,
    gap: bytes = b"",
) -> bytes:
    """A shard of the inner chunks in C order; None is an absent one.

    `start` puts the index first, `write_order` is the order of the chunks in the shard, `gap` is put in front
    of each. Offsets count from the first byte of the shard, whichever end the index is at.
    """
    inner = list(chunks)
    body, entries = b"", [EMPTY] * len(inner)
    base = 16 * len(inner) + 4 * crc if start else 0
    for i in range(len(inner)) if write_order is None else write_order:
        chunk = inner[i]
        if chunk is not None:
            body += gap
            entries[i] = (base + len(body), len(chunk))
            body += chunk
    return assemble(body, entries, start=start, endian=endian, crc=crc)


def assemble(
    body: bytes,
    entries: Iterable[tuple[int, int]],
    *,
    start: bool = False,
    endian: str = "<",
    crc: bool = True,
) -> bytes:
    """A shard of a body and index entries exactly as given, however wrong."""
    index = b"".join(struct.pack(endian + "QQ", *entry) for entry in entries)
    if crc:
        index = with_crc(index)
    return index + body if start else body + index


def sharding(chunk_shape: Any, codecs: Any = None, index: Any = None, **more: Any) -> dict[str, Any]:
    """The codec ``sharding_indexed``."""
    return codec(
        "sharding_indexed",
        chunk_shape=chunk_shape,
        codecs=[LITTLE] if codecs is None else codecs,
        index_codecs=[LITTLE, CRC32C] if index is None else index,
        **more,
    )


def vlen(*items: bytes) -> bytes:
    """vlen-utf8 and vlen-bytes: the count, then each item behind its length, all u32 little-endian."""
    return le("I", len(items)) + b"".join(le("I", len(item)) + item for item in items)


def vlen_utf8(*items: str) -> bytes:
    """The same of strings."""
    return vlen(*(item.encode() for item in items))


def packed(width: int, *values: int) -> bytes:
    """packbits: `width` low bits of each value, least significant bit first, zero bits at the end."""
    sequence = 0
    for i, value in enumerate(values):
        sequence |= (int(value) & (1 << width) - 1) << (i * width)
    return sequence.to_bytes(-(-len(values) * width // 8), "little")


def n5_block(shape: Iterable[int], payload: bytes, mode: int = 0) -> bytes:
    """An N5 block: mode, number of dimensions, each dimension, all big-endian, then the payload."""
    dims = tuple(shape)
    return be("H", mode, len(dims)) + be("I", *dims) + payload


# --- cases


@dataclass(frozen=True)
class Read:
    """A store that must be read, and the array that it must give."""

    id: str
    spec: str  # the section that says so
    store: Store
    expected: np.ndarray
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)  # keywords of open_array
    lenient: bool = False  # against the letter of a specification; strict=True must refuse it
    exact: bool = True  # False where writing the values again need not give the same values (lossy codecs)
    writable: bool = True  # False for what is only ever read


@dataclass(frozen=True)
class Refuse:
    """A store that must be refused, and the words that the error must hold: document, key, rule."""

    id: str
    spec: str
    store: Store
    words: tuple[str, ...]
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict)


Case = Read | Refuse


def table(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """``@table(CASES)`` runs a test once per case, with the case's id; each id may occur once."""
    rows = list(cases)
    seen = [case.id for case in rows]
    twice = sorted({i for i in seen if seen.count(i) > 1})
    if twice:
        raise ValueError(f"two cases have the same id: {twice}")
    return pytest.mark.parametrize("case", rows, ids=[case.id for case in rows])


def write_folder(store: Store, folder: Path) -> Path:
    """The store as files in a folder."""
    for key, value in store.items():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value)
    return folder


def read(store: Any, path: str = "", **options: Any) -> np.ndarray:
    """The whole array at `path`."""
    a = zarr.open_array(store, mode="r", path=path, **options)
    found = a[...]
    return found if isinstance(found, np.ndarray) else np.asarray(found, dtype=a.dtype)


def _same_object(found: Any, expected: Any) -> bool:
    if isinstance(expected, np.ndarray):
        return (
            isinstance(found, np.ndarray)
            and found.dtype == expected.dtype
            and found.shape == expected.shape
            and found.tobytes() == expected.tobytes()
        )
    return type(found) is type(expected) and found == expected


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Same dtype, same shape, and the same bits."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "O":
        pairs = list(zip(found.ravel(), expected.ravel(), strict=True))
        assert all(_same_object(f, e) for f, e in pairs), f"found {found!r}, expected {expected!r}"
    elif expected.dtype.kind == "T":
        assert found.tolist() == expected.tolist()
    elif expected.dtype.name in (
        "int2",
        "int4",
        "uint2",
        "uint4",
    ):  # the bits above the value may be anything
        assert found.astype("i1").tolist() == expected.astype("i1").tolist()
    else:
        assert found.tobytes() == expected.tobytes(), f"found {found!r}, expected {expected!r}"


def check_read(case: Read, store: Any) -> None:
    """Judge one `Read` case on a store given as a dict or a folder."""
    assert_same(read(store, case.path, **case.options), case.expected)
    if case.lenient:
        with pytest.raises(ZarrError, match=r"."):
            read(store, case.path, strict=True, **case.options)


def check_refusal(case: Refuse, store: Any) -> None:
    """Judge one `Refuse` case: opening or reading raises an error of ours that holds all the words."""
    with pytest.raises(ZarrError, match=r".") as raised:
        read(store, case.path, **case.options)
    message = str(raised.value)
    absent = [word for word in case.words if word.lower() not in message.lower()]
    assert not absent, f"expected {absent} in: {message}"


def judge_all(cases: Iterable[Case], judge: Callable[[Any], None]) -> None:
    """Judge every case, and say at the end which of them fail: one test where one for each would take long."""
    wrong = []
    for case in cases:
        try:
            judge(case)
        except (Exception, pytest.fail.Exception) as error:
            wrong.append(f"{case.id}: {type(error).__name__}: {str(error)[:200]}")
    assert wrong == []


def check_folders(cases: Iterable[Case], folder: Path) -> None:
    """Judge all these cases again, each written to a folder."""
    places = (folder / f"{i}.zarr" for i in itertools.count())

    def judge(case: Case) -> None:
        place = write_folder(case.store, next(places))
        check_read(case, place) if isinstance(case, Read) else check_refusal(case, place)

    judge_all(cases, judge)


# --- what a reader costs


class Peak:
    """Measures the most memory that was allocated at a time within a `with` block."""

    def __enter__(self) -> Peak:
        tracemalloc.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
