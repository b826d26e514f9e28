"""Zarr v3: the 17 registered codecs, the 21 names of numcodecs, and the aliases in use.

`sharding_indexed` has a file of its own. Arrays are small enough to follow with a pencil; expectations are
written out or come from plain arithmetic, and for compressors from `spec.build` and the standard library.
"""

import base64
import bz2
import gzip
import itertools
import lzma
import math
import struct
import zlib

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    BIG,
    CODECS,
    CRC32C,
    EXTENSIONS,
    LITTLE,
    NUMCODECS,
    Literal,
    Read,
    Refuse,
    be,
    bits,
    blosc_snappy,
    blosc_stored,
    check_folders,
    check_read,
    check_refusal,
    codec,
    crc32c,
    fletcher32,
    le,
    lz4_block,
    n5_block,
    objects,
    packed,
    read,
    rectilinear,
    table,
    text,
    v3,
    vlen,
    vlen_utf8,
    with_crc,
    zstd_frame,
)
from tutorial_zarr.errors import MissingDependencyError, ZarrError

ml_dtypes = pytest.importorskip("ml_dtypes")

REGISTERED = EXTENSIONS + "codecs/"
RAW = le("i", *range(-30, 30))
SIXTY = np.arange(-30, 30, dtype="i4")
PLAIN = codec("bytes")


def case(
    id,
    codecs,
    chunk,
    expected,
    *,
    fill=0,
    data_type=None,
    spec=None,
    exact=True,
    lenient=False,
    key=None,
    **members,
):
    """One chunk that holds the whole array."""
    name = id.split(".")[0]
    shape = list(expected.shape)
    key = key or "/".join(["c", *"0" * len(shape)])
    core = ("bytes", "transpose", "blosc", "gzip", "crc32c")
    spec = spec or (CODECS + name + "/index.html" if name in core else REGISTERED + name)
    store = v3(shape, shape, data_type or expected.dtype.name, {key: chunk}, codecs=codecs, fill=fill, **members)
    return Read(f"v3.codecs.{id}", spec, store, expected, exact=exact, lenient=lenient)


def absent(id, codecs, data_type, fill, expected, spec):
    expected = np.array([expected] * 2)
    return Read(f"v3.codecs.{id}", spec, v3([2], [2], data_type, fill=fill, codecs=codecs), expected)


# --- bytes, transpose

CUBE = np.arange(24, dtype="u1").reshape(2, 3, 4)
GRID = np.array([[1, 2, 3], [4, 5, 6]], "u1")


def transposed(array, *orders):
    """B_shape[i] = A_shape[order[i]] and B_pos[i] = A_pos[order[i]], position by position."""
    for order in orders:
        result = np.zeros([array.shape[o] for o in order], array.dtype)
        for position in itertools.product(*map(range, array.shape)):
            result[tuple(position[o] for o in order)] = array[position]
        array = result
    return bytes(array.ravel())


def transpose(*order):
    return {"name": "transpose", "configuration": {"order": list(order)}}


PLACEMENT = [
    case("bytes.little", [LITTLE], b"\1\0\0\2", np.array([1, 512], "u2")),
    case("bytes.big", [BIG], b"\1\0\0\2", np.array([256, 2], "u2")),
    case("bytes.short_hand", ["bytes"], b"\1\2", np.array([1, 2], "u1")),
    case("bytes.endian_on_one_byte", [BIG], b"\1\2", np.array([1, 2], "u1")),
    case("bytes.big_complex", [BIG], be("d", 1, -2), np.array([1 - 2j]), fill=[0, 0]),
    case("bytes.lexicographical_order", [LITTLE], le("h", 1, 2, 3, 4, 5, 6), GRID.astype("i2")),
    # The name of `bytes` before the specification was accepted.
    case(
        "endian",
        [codec("endian", endian="big")],
        b"\1\0\0\2",
        np.array([256, 2], "u2"),
        spec=CODECS + "bytes/index.html#change-log",
        lenient=True,
    ),
    case("transpose.swap", [transpose(1, 0), PLAIN], bytes([1, 4, 2, 5, 3, 6]), GRID),
    case("transpose.identity", [transpose(0, 1), PLAIN], bytes([1, 2, 3, 4, 5, 6]), GRID),
    case("transpose.one_dimension", [transpose(0), PLAIN], b"\1\2", np.array([1, 2], "u1")),
    case("transpose.zero_dimensions", [transpose(), PLAIN], b"\5", np.array(5, "u1")),
    *(
        case("transpose." + "".join(map(str, o)), [transpose(*o), PLAIN], transposed(CUBE, o), CUBE)
        for o in itertools.permutations(range(3))
    ),
    *(
        case(
            "transpose.twice_" + "".join(map(str, p + q)),
            [transpose(*p), transpose(*q), PLAIN],
            transposed(CUBE, p, q),
            CUBE,
        )
        for p, q in (((1, 2, 0), (1, 2, 0)), ((2, 0, 1), (0, 2, 1)), ((1, 0, 2), (2, 0, 1)))
    ),
    # Withdrawn when ZEP 1 was accepted; written by early versions.
    case(
        "transpose.F",
        [transpose() | {"configuration": {"order": "F"}}, PLAIN],
        bytes([1, 4, 2, 5, 3, 6]),
        GRID,
        lenient=True,
    ),
    case(
        "transpose.C",
        [transpose() | {"configuration": {"order": "C"}}, PLAIN],
        bytes([1, 2, 3, 4, 5, 6]),
        GRID,
        lenient=True,
    ),
]


# --- compressors and checksums


def blosc(cname="lz4", shuffle="shuffle", typesize=4, **more):
    configuration = {
        "cname": cname,
        "clevel": 5,
        "shuffle": shuffle,
        "typesize": typesize,
        "blocksize": 0,
    } | more
    return {"name": "blosc", "configuration": {k: v for k, v in configuration.items() if v is not None}}


def blosc_cases():
    import numcodecs.blosc as c_blosc

    big = np.tile(SIXTY, 20)
    modes = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
    for cname, mode in itertools.product(("blosclz", "lz4", "lz4hc", "zlib", "zstd"), modes):
        chunk = c_blosc.compress(big, cname.encode(), 5, modes[mode], 0)
        yield case(f"blosc.{cname}.{mode}", [LITTLE, blosc(cname, mode)], chunk, big)
    chunk = c_blosc.compress(big, b"zstd", 9, 1, 1024)
    yield case("blosc.blocksize", [LITTLE, blosc("zstd", blocksize=1024)], chunk, big)
    yield case("blosc.stored", [LITTLE, blosc(clevel=0)], blosc_stored(RAW, 4), SIXTY)
    yield case(
        "blosc.no_typesize_without_shuffle",
        [LITTLE, blosc(shuffle="noshuffle", typesize=None)],
        blosc_stored(RAW),
        SIXTY,
    )
    # Required with shuffle, and of no use to a reader: the chunk says it again.
    yield case(
        "blosc.no_typesize_with_shuffle",
        [LITTLE, blosc(typesize=None)],
        blosc_stored(RAW, 4),
        SIXTY,
        lenient=True,
    )
    # After cast_value the elements have one byte, and the writer kept the stride of eight.
    chunk = c_blosc.compress(np.frombuffer(bytes(range(64)), "f8"), b"lz4", 5, 1, 0)
    yield case(
        "blosc.typesize_wider_than_the_elements",
        [codec("cast_value", data_type="uint8"), PLAIN, blosc(typesize=8)],
        chunk,
        np.arange(64, dtype="f8"),
    )


def gz(data, level=6):
    return gzip.compress(data, level, mtime=0)


CHECKSUM_OF_GZIP = with_crc(gz(RAW))
COMPRESSORS = [
    *blosc_cases(),
    *(case(f"gzip.level_{n}", [LITTLE, codec("gzip", level=n)], gz(RAW, n), SIXTY) for n in (0, 1, 9)),
    case("gzip.two_members", [LITTLE, codec("gzip", level=5)], gz(RAW[:100]) + gz(RAW[100:]), SIXTY),
    case(
        "gzip.empty_member_between",
        [LITTLE, codec("gzip", level=5)],
        gz(RAW[:7]) + gz(b"") + gz(RAW[7:]),
        SIXTY,
    ),
    case("gzip.twice", [LITTLE, codec("gzip", level=5), codec("gzip", level=5)], gz(gz(RAW)), SIXTY),
    # Tapes and blocks are filled up with zeros; gzip itself reads past them.
    case("gzip.zero_padding", [LITTLE, codec("gzip", level=5)], gz(RAW) + bytes(9), SIXTY),
    case("crc32c", [LITTLE, CRC32C], with_crc(RAW), SIXTY),
    case("crc32c.short_hand", [LITTLE, "crc32c"], with_crc(RAW), SIXTY),
    case(
        "crc32c.published_vector",
        [PLAIN, CRC32C],
        b"123456789" + le("I", 0xE3069283),
        np.frombuffer(b"123456789", "u1"),
    ),
    case("crc32c.after_gzip", [LITTLE, codec("gzip", level=5), CRC32C], CHECKSUM_OF_GZIP, SIXTY),
    case("crc32c.before_gzip", [LITTLE, CRC32C, codec("gzip", level=5)], gz(with_crc(RAW)), SIXTY),
    case("crc32c.empty_configuration", [LITTLE, {"name": "crc32c", "configuration": {}}], with_crc(RAW), SIXTY),
    case("zstd", [LITTLE, codec("zstd", level=1, checksum=False)], zstd_frame(RAW), SIXTY),
    case(
        "zstd.checksum",
        [LITTLE, codec("zstd", level=1, checksum=True)],
        zstd_frame(RAW, checksum=True),
        SIXTY,
    ),
    case("zstd.no_checksum_member", [LITTLE, codec("zstd", level=3)], zstd_frame(RAW), SIXTY),
    case("zstd.checksum_not_declared", [LITTLE, codec("zstd", level=3)], zstd_frame(RAW, checksum=True), SIXTY),
    case(
        "zstd.checksum_declared_and_absent",
        [LITTLE, codec("zstd", level=3, checksum=True)],
        zstd_frame(RAW),
        SIXTY,
    ),
    *(case(f"zstd.level_{n}", [LITTLE, codec("zstd", level=n)], zstd_frame(RAW), SIXTY) for n in (-131072, -5, 0, 22)),
    case(
        "zstd.no_content_size",
        [LITTLE, codec("zstd", level=1)],
        zstd_frame(RAW, size=False, checksum=True),
        SIXTY,
    ),
    case(
        "zstd.two_frames",
        [LITTLE, codec("zstd", level=1)],
        zstd_frame(RAW[:100]) + zstd_frame(RAW[100:], checksum=True),
        SIXTY,
    ),
    case(
        "zstd.two_frames_no_content_size",
        [LITTLE, codec("zstd", level=1)],
        zstd_frame(RAW[:100], size=False) + zstd_frame(RAW[100:], size=False),
        SIXTY,
    ),
    # RFC 8878 section 3.1.2: a decoder skips such a frame.
    case(
        "zstd.skippable_frame",
        [LITTLE, codec("zstd", level=1)],
        le("I", 0x184D2A50, 3) + b"abc" + zstd_frame(RAW),
        SIXTY,
    ),
]


# --- vlen-utf8, vlen-bytes

WORDS = ["", "abc", "héllo 漢字 😀", "a\0b"]
UTF8, VLEN = codec("vlen-utf8"), codec("vlen-bytes")
VARIABLE = [
    case("vlen-utf8", [UTF8], vlen_utf8(*WORDS), text(*WORDS), data_type="string", fill=""),
    case("vlen-utf8.short_hand", ["vlen-utf8"], vlen_utf8(*WORDS), text(*WORDS), data_type="string", fill=""),
    case(
        "vlen-utf8.two_dimensions",
        [UTF8],
        vlen_utf8(*WORDS),
        text(*WORDS, shape=(2, 2)),
        data_type="string",
        fill="",
    ),
    case("vlen-utf8.zero_dimensions", [UTF8], vlen_utf8("x"), text("x", shape=()), data_type="string", fill=""),
    case(
        "vlen-utf8.transposed",
        [transpose(1, 0), UTF8],
        vlen_utf8("a", "c", "b", "d"),
        text("a", "b", "c", "d", shape=(2, 2)),
        data_type="string",
        fill="",
    ),
    case(
        "vlen-utf8.zstd",
        [UTF8, codec("zstd", level=1)],
        zstd_frame(vlen_utf8(*WORDS)),
        text(*WORDS),
        data_type="string",
        fill="",
    ),
    case(
        "vlen-bytes",
        [VLEN],
        vlen(b"", b"\0\xff", b"ab"),
        objects(b"", b"\0\xff", b"ab"),
        data_type="bytes",
        fill="",
    ),
    case(
        "vlen-bytes.gzip",
        [VLEN, codec("gzip", level=1)],
        gz(vlen(b"", b"\0\xff")),
        objects(b"", b"\0\xff"),
        data_type="bytes",
        fill="",
    ),
]


# --- bitround: reading leaves the values as they are

ROUND = codec("bitround", keepbits=3)
SAMPLE = [0, 0.1015625, 1.25, 12, 120, 1280, math.nan, math.inf, -math.inf]  # the registry's sample data
BITROUND = [
    case("bitround.float32", [ROUND, LITTLE], le("f", *SAMPLE), np.array(SAMPLE, "f4")),
    case("bitround.float64_big_endian", [ROUND, BIG], be("d", 1.25, -0.0), np.array([1.25, -0.0])),
    case("bitround.float16", [ROUND, LITTLE], le("e", 1.25), np.array([1.25], "f2")),
    case("bitround.complex64", [ROUND, LITTLE], le("f", 1.25, -1.5), np.array([1.25 - 1.5j], "c8"), fill=[0, 0]),
    case(
        "bitround.bfloat16",
        [ROUND, LITTLE],
        le("H", 0x3FA0),
        np.array([0x3FA0], "u2").view(ml_dtypes.bfloat16),
    ),
    case(
        "bitround.uint8",
        [ROUND, PLAIN],
        bytes([0, 1, 10, 12, 96, 128, 192, 224]),
        np.array([0, 1, 10, 12, 96, 128, 192, 224], "u1"),
    ),
    case("bitround.int64", [ROUND, LITTLE], le("q", -96, 96), np.array([-96, 96])),
    case(
        "bitround.datetime",
        [ROUND, LITTLE],
        le("q", 96),
        np.array([96]).view("M8[s]"),
        data_type={"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}},
    ),
    case(
        "bitround.alias_numcodecs",
        [codec("numcodecs.bitround", keepbits=3), LITTLE],
        le("f", 1.25),
        np.array([1.25], "f4"),
    ),
]


def write(data_type, codecs, values, fill=0):
    """What is stored when `values` are written."""
    store = v3([len(values)], [len(values)], data_type, codecs=codecs, fill=fill)
    zarr.open_array(store, mode="r+")[...] = values
    return store["c/0"]


def test_bitround_writes_the_sample_data_of_the_registry():
    """https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/bitround/sample_data"""
    original = np.array([0, 0.1, 1.2, 12.3, 123.4, 1234.5, np.nan, np.inf, -np.inf], "f4")
    assert write("float32", [ROUND, LITTLE], original) == le("f", *SAMPLE)
    original = np.array([0, 1, 10, 11, 100, 123, 200, 208, 209, 255], "u1")
    assert write("uint8", [ROUND, PLAIN], original) == bytes([0, 1, 10, 12, 96, 128, 192, 192, 224, 224])


# --- cast_value


def cast(data_type, **more):
    return codec("cast_value", data_type=data_type, **more)


MAPPED = {"encode": [["NaN", 0]], "decode": [[0, "NaN"]]}
CAST = REGISTERED + "cast_value"
CAST_VALUE = [
    case("cast_value.float64_to_uint8", [cast("uint8"), PLAIN], bytes([0, 7, 255]), np.array([0, 7, 255.0])),
    case("cast_value.int64_to_int8", [cast("int8"), PLAIN], b"\x80\xff\x7f", np.array([-128, -1, 127])),
    case("cast_value.uint16_to_uint8", [cast("uint8"), PLAIN], b"\0\xff", np.array([0, 255], "u2")),
    case(
        "cast_value.float32_to_float64",
        [cast("float64"), BIG],
        be("d", 1.5, -0.0, math.inf, -math.inf),
        np.array([1.5, -0.0, math.inf, -math.inf], "f4"),
    ),
    case(
        "cast_value.int32_to_float64",
        [cast("float64"), LITTLE],
        le("d", -5, 2**31 - 1),
        np.array([-5, 2**31 - 1], "i4"),
    ),
    case("cast_value.uint8_to_uint64", [cast("uint64"), LITTLE], le("Q", 3, 200), np.array([3, 200], "u1")),
    case("cast_value.to_object_form", [cast({"name": "uint8"}), PLAIN], b"\5", np.array([5.0])),
    case(
        "cast_value.to_bfloat16",
        [cast("bfloat16"), LITTLE],
        le("H", 0x3FC0, 0xFF80),
        np.array([1.5, -math.inf]),
    ),
    case("cast_value.to_float16", [cast("float16"), LITTLE], le("e", 1.5), np.array([1.5])),
    case(
        "cast_value.to_float8_e4m3fnuz",
        [cast("float8_e4m3fnuz"), PLAIN],
        bytes([0x40, 0x7F]),
        np.array([1, 240.0]),
    ),
    case("cast_value.to_float4", [cast("float4_e2m1fn"), PLAIN], bytes([0x07, 0x09]), np.array([6, -0.5], "f4")),
    case("cast_value.to_int4", [cast("int4"), PLAIN], bytes([0x07, 0x08, 0xF8]), np.array([7, -8, -8], "i4")),
    case(
        "cast_value.to_uint2_packed",
        [cast("uint2"), codec("packbits")],
        packed(2, 3, 0, 1),
        np.array([3, 0, 1.0]),
    ),
    case(
        "cast_value.from_int4",
        [cast("float32"), LITTLE],
        le("f", 7, -8),
        np.array([7, -8], "i1").astype(ml_dtypes.int4),
    ),
    case(
        "cast_value.from_bfloat16",
        [cast("float32"), LITTLE],
        le("f", 1.5),
        np.array([0x3FC0], "u2").view(ml_dtypes.bfloat16),
    ),
    # Decoding rounds and checks the range too.
    case(
        "cast_value.decode_rounds",
        [cast("float64", rounding="towards-zero"), LITTLE],
        le("d", 1.9, -1.9),
        np.array([1, -1], "i4"),
        exact=False,
    ),
    case(
        "cast_value.decode_rounds_to_even",
        [cast("float64"), LITTLE],
        le("d", 0.5, 1.5, 2.5),
        np.array([0, 2, 2], "i4"),
        exact=False,
    ),
    case(
        "cast_value.decode_clamps",
        [cast("int32", out_of_range="clamp"), LITTLE],
        le("i", 300, -300),
        np.array([127, -128], "i1"),
        exact=False,
    ),
    case(
        "cast_value.decode_wraps",
        [cast("int32", out_of_range="wrap"), LITTLE],
        le("i", 300, 32769),
        np.array([44, 1], "i1"),
        exact=False,
    ),
    case(
        "cast_value.decode_rounds_to_float32",
        [cast("float64", rounding="towards-positive"), LITTLE],
        le("d", 1 + 2.0**-40),
        np.array([1 + 2.0**-23], "f4"),
        exact=False,
    ),
    case(
        "cast_value.scalar_map",
        [cast("uint8", scalar_map=MAPPED), PLAIN],
        bytes([0, 7]),
        bits(8, 0x7FF8 << 48, 0x401C << 48),
        fill="NaN",
    ),
    # "Readers MUST use the first occurrence"; zarr-python 3.4.2 uses the last.
    case(
        "cast_value.scalar_map_first_wins",
        [cast("uint8", scalar_map={"decode": [[1, 10], [1, 20]]}), PLAIN],
        bytes([1, 2]),
        np.array([10, 2.0]),
        exact=False,
    ),
    case(
        "cast_value.scalar_map_before_range",
        [cast("int16", scalar_map={"decode": [[-999, "NaN"], [300, 1]], "encode": [["NaN", -999]]}), LITTLE],
        le("h", -999, 5),
        bits(8, 0x7FF8 << 48, 0x4014 << 48),
    ),
    # The example of the specification; the core calls this value "Infinity".
    case(
        "cast_value.scalar_map_plus_infinity",
        [
            cast(
                "uint8",
                rounding="towards-zero",
                out_of_range="wrap",
                scalar_map={"encode": [["NaN", 0], ["+Infinity", 0], ["-Infinity", 0]]},
            ),
            PLAIN,
        ],
        bytes([7]),
        np.array([7.0]),
        lenient=True,
    ),
    case("cast_value.twice", [cast("float32"), cast("int16"), LITTLE], le("h", -5), np.array([-5.0])),
    case(
        "cast_value.then_transpose",
        [cast("uint8"), transpose(1, 0), PLAIN],
        bytes([1, 4, 2, 5, 3, 6]),
        GRID.astype("f8"),
    ),
    absent(
        "cast_value.fill",
        [cast("uint8", scalar_map=MAPPED), PLAIN],
        "float64",
        "NaN",
        bits(8, 0x7FF8 << 48)[0],
        CAST + "#data_type",
    ),
    absent("cast_value.fill_number", [cast("int16"), LITTLE], "float64", 7, np.float64(7), CAST + "#data_type"),
]

HALVES = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1.2, 1.8, -1.2, -1.8]
ROUNDINGS = {
    "nearest-even": [-2, -2, 0, 0, 2, 2, 1, 2, -1, -2],
    "towards-zero": [-2, -1, 0, 0, 1, 2, 1, 1, -1, -1],
    "towards-positive": [-2, -1, 0, 1, 2, 3, 2, 2, -1, -1],
    "towards-negative": [-3, -2, -1, 0, 1, 2, 1, 1, -2, -2],
    "nearest-away": [-3, -2, -1, 1, 2, 3, 1, 2, -1, -2],
}


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_cast_value_rounds_to_integers_as_told(rounding):
    assert write("float64", [cast("int8", rounding=rounding), PLAIN], HALVES, 99) == le("b", *ROUNDINGS[rounding])


UP, DOWN = 1 + 2.0**-23, 1.0
# Of a value a quarter of the way up from 1 to its neighbour, of the half way, and of both negated.
FLOAT_ROUNDINGS = {
    "nearest-even": [DOWN, DOWN, -DOWN, -DOWN],
    "towards-zero": [DOWN, DOWN, -DOWN, -DOWN],
    "towards-positive": [UP, UP, -DOWN, -DOWN],
    "towards-negative": [DOWN, DOWN, -UP, -UP],
    "nearest-away": [DOWN, UP, -DOWN, -UP],
}


@pytest.mark.parametrize("rounding", FLOAT_ROUNDINGS)
def test_cast_value_rounds_to_narrower_floats_as_told(rounding):
    values = [1 + 2.0**-25, 1 + 2.0**-24, -1 - 2.0**-25, -1 - 2.0**-24]
    assert write("float64", [cast("float32", rounding=rounding), LITTLE], values) == le("f", *FLOAT_ROUNDINGS[rounding])


@pytest.mark.parametrize(
    ("rounding", "result"),
    [
        ("nearest-even", 2**24),
        ("towards-positive", 2**24 + 2),
        ("nearest-away", 2**24 + 2),
        ("towards-negative", 2**24),
    ],
)
def test_cast_value_rounds_integers_to_floats_as_told(rounding, result):
    assert write("int64", [cast("float32", rounding=rounding), LITTLE], [2**24 + 1]) == le("f", result)


# (target, configuration, values, stored)
CONVERSIONS = {
    "clamp": ("int8", {"out_of_range": "clamp"}, [128.0, -1000.0, 5.0], le("b", 127, -128, 5)),
    "clamp_unsigned": ("uint8", {"out_of_range": "clamp"}, [-1.0, 256.0], bytes([0, 255])),
    "clamp_float": ("float32", {"out_of_range": "clamp"}, [1e39, -1e39], le("f", math.inf, -math.inf)),
    "clamp_float16": ("float16", {"out_of_range": "clamp"}, [65520.0, 65519.0], le("e", math.inf, 65504)),
    "clamp_float_without_infinity": (
        "float4_e2m1fn",
        {"out_of_range": "clamp"},
        [100.0, -7.5],
        bytes([0x07, 0x0F]),
    ),
    "wrap": ("int8", {"out_of_range": "wrap"}, [128.0, 129.0, -129.0, 300.0], le("b", -128, -127, 127, 44)),
    "wrap_int16": (
        "int16",
        {"out_of_range": "wrap"},
        [32768.0, 32769.0, -32769.0],
        le("h", -32768, -32767, 32767),
    ),
    "wrap_unsigned": (
        "uint8",
        {"out_of_range": "wrap"},
        [-1.0, 256.0, 1e10],
        bytes([255, 0, int(1e10) % 256]),
    ),
    "wrap_int4": ("int4", {"out_of_range": "wrap"}, [8.0, -9.0], None),
    "round_before_range": ("int8", {}, [127.4, -128.4], le("b", 127, -128)),
    "round_before_clamp": ("int8", {"out_of_range": "clamp"}, [127.6], le("b", 127)),
    "round_before_wrap": ("int8", {"out_of_range": "wrap"}, [127.6], le("b", -128)),
    "map_before_rounding": ("uint8", {"scalar_map": {"encode": [[0.4, 9]]}}, [0.4, 0.3], bytes([9, 0])),
    "map_before_range": (
        "uint8",
        {"scalar_map": {"encode": [[300, 1], ["NaN", 2], ["Infinity", 3]]}},
        [300.0, math.nan, math.inf],
        bytes([1, 2, 3]),
    ),
    "first_duplicate_wins": ("uint8", {"scalar_map": {"encode": [[1, 10], [1, 20]]}}, [1.0], bytes([10])),
    "map_any_nan": ("uint8", {"scalar_map": {"encode": [["NaN", 9]]}}, bits(8, 0xFFF8 << 48 | 5), bytes([9])),
    "signed_zero": ("float32", {}, [-0.0], le("f", -0.0)),
    "infinity_kept": ("float16", {}, [math.inf, -math.inf], le("e", math.inf, -math.inf)),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_cast_value_converts(name):
    target, configuration, values, stored = CONVERSIONS[name]
    codecs = [cast(target, **configuration), LITTLE]
    found = write("float64", codecs, values, 2)
    if name == "wrap_int4":  # the upper bits may be anything
        assert [b & 15 for b in found] == [8, 7]
    else:
        assert found == stored


def test_cast_value_keeps_nan_a_nan():
    (found,) = struct.unpack("<f", write("float64", [cast("float32"), LITTLE], [math.nan]))
    assert math.isnan(found)


CAST_FAILURES = {
    "above": ("int8", {}, 128.0),
    "below": ("uint8", {}, -1.0),
    "rounds_out_of_range": ("int8", {}, 127.5),
    "nan_to_integer": ("int8", {}, math.nan),
    "infinity_to_integer": ("int8", {}, math.inf),
    "infinity_to_integer_clamped": ("int8", {"out_of_range": "clamp"}, math.inf),
    "nan_to_integer_wrapped": ("int8", {"out_of_range": "wrap"}, math.nan),
    "float_beyond_float32": ("float32", {}, 1e39),
    "nan_to_float_without_nan": ("float4_e2m1fn", {}, math.nan),
    "infinity_to_float_without_infinity": ("float8_e4m3fnuz", {"out_of_range": "clamp"}, math.inf),
}


@pytest.mark.parametrize("name", CAST_FAILURES)
def test_cast_value_refuses_to_write(name):
    target, configuration, value = CAST_FAILURES[name]
    with pytest.raises(ZarrError, match=r"cast_value"):
        write("float64", [cast(target, **configuration), LITTLE], [value], 1)


# --- scale_offset


def scale_offset(**configuration):
    return codec("scale_offset", **configuration)


SCALE = REGISTERED + "scale_offset"
F4 = np.float32
README_FLOATS = np.array([0, 1, 2.5], "f4") / F4(0.1) + F4(5)
PRESERVE_NAN = [
    scale_offset(offset=-10, scale=0.1),
    cast("uint8", rounding="nearest-even", scalar_map={"encode": [["NaN", 0]], "decode": [[0, "NaN"]]}),
    PLAIN,
]
SCALE_OFFSET = [
    case(
        "scale_offset.float32",
        [scale_offset(offset=5, scale=0.1), LITTLE],
        le("f", 0, 1, 2.5),
        README_FLOATS,
        exact=False,
    ),
    case(
        "scale_offset.float64",
        [scale_offset(offset=1.5, scale=4), LITTLE],
        le("d", 2, -8),
        np.array([2, -0.5]),
    ),
    case(
        "scale_offset.offset_alone",
        [scale_offset(offset=1000), LITTLE],
        le("H", 0, 255),
        np.array([1000, 1255], "u2"),
        fill=1000,
    ),
    case("scale_offset.scale_alone", [scale_offset(scale=3), LITTLE], le("i", -9, 6), np.array([-3, 2], "i4")),
    case("scale_offset.short_hand_does_nothing", ["scale_offset", LITTLE], le("i", -9), np.array([-9], "i4")),
    case(
        "scale_offset.empty_does_nothing",
        [{"name": "scale_offset", "configuration": {}}, LITTLE],
        le("i", -9),
        np.array([-9], "i4"),
    ),
    case(
        "scale_offset.negative_scale",
        [scale_offset(scale=-2, offset=1), LITTLE],
        le("h", -4),
        np.array([3], "i2"),
    ),
    case(
        "scale_offset.int64_beyond_doubles",
        [scale_offset(scale=3, offset=1), LITTLE],
        le("q", 3 * (2**60 + 1)),
        np.array([2**60 + 2]),
    ),
    case(
        "scale_offset.uint64_beyond_int64",
        [scale_offset(offset=2**63), LITTLE],
        le("Q", 5),
        np.array([2**63 + 5], "u8"),
        fill=2**63,
    ),
    case(
        "scale_offset.hexadecimal_scalar",
        [scale_offset(offset="0x40490fdb"), LITTLE],
        le("f", 0),
        np.array([0x40490FDB], "u4").view("f4"),
        exact=False,
        fill="0x40490fdb",
    ),
    case(
        "scale_offset.bfloat16",
        [scale_offset(offset=1, scale=2), LITTLE],
        le("H", 0x4000),
        np.array([0x4000], "u2").view(ml_dtypes.bfloat16),
        fill=1,
    ),
    case(
        "scale_offset.int4",
        [scale_offset(offset=1), PLAIN],
        b"\x03",
        np.array([4], "i1").astype(ml_dtypes.int4),
        fill=1,
    ),
    case(
        "scale_offset.range_reduction",
        [scale_offset(offset=1000), cast("uint8"), PLAIN],
        bytes([0, 255]),
        np.array([1000, 1255], "u2"),
        fill=1000,
    ),
    case(
        "scale_offset.nan_preserved",
        PRESERVE_NAN,
        bytes([0, 1, 255]),
        np.concatenate([bits(8, 0x7FF8 << 48), np.array([1, 255]) / 0.1 + -10]),
        fill="NaN",
    ),
    absent(
        "scale_offset.fill",
        [scale_offset(offset=1000), cast("uint8"), PLAIN],
        "uint16",
        1005,
        np.uint16(1005),
        SCALE + "#fill-value-handling",
    ),
    absent(
        "scale_offset.fill_nan",
        PRESERVE_NAN,
        "float64",
        "NaN",
        bits(8, 0x7FF8 << 48)[0],
        SCALE + "#fill-value-handling",
    ),
]


def test_scale_offset_writes_as_specified():
    assert write("float32", [scale_offset(offset=5, scale=0.1), LITTLE], [5, 15]) == le("f", 0, float(F4(10) * F4(0.1)))
    assert write("uint16", [scale_offset(offset=1000), cast("uint8"), PLAIN], [1000, 1255], 1000) == bytes([0, 255])
    assert write("float64", PRESERVE_NAN, [math.nan, 0, 2540], "NaN") == bytes([0, 1, 255])


# (data type, configuration, fill value, the value that cannot be written)
SCALE_FAILURES = {
    "below_the_type": ("uint8", {"offset": 10}, 10, 5),
    "above_the_type": ("int8", {"scale": 2}, 0, 100),
    "in_between": ("int8", {"offset": -100}, -100, 100),
    "int64": ("int64", {"scale": 2}, 0, 2**62),
}


@pytest.mark.parametrize("name", SCALE_FAILURES)
def test_scale_offset_refuses_to_write_what_the_type_cannot_hold(name):
    data_type, configuration, fill, value = SCALE_FAILURES[name]
    with pytest.raises(ZarrError, match=r"scale_offset"):
        write(data_type, [scale_offset(**configuration), LITTLE], [value], fill)


# --- packbits

FLAGS = np.array([True, False, False, True, True, False, True, False, True, True])
PACK = codec("packbits")
FOURS = np.array([1, -8, 7], "i1").astype(ml_dtypes.int4)


def pack(**configuration):
    return codec("packbits", **configuration)


def small(name, *values):
    return np.array(values, "i1").astype(getattr(ml_dtypes, name))


def by_bits(name, *patterns):
    dtype = np.dtype(getattr(ml_dtypes, name))
    return np.array(patterns, f"u{dtype.itemsize}").view(dtype)


TWELVE = np.array([0xABC, 0x123, 0xFFF], "u2")
PACKBITS = [
    case("packbits.bool", [PACK], bytes([0b01011001, 0b00000011]), FLAGS, fill=False),
    case("packbits.short_hand", ["packbits"], bytes([0b01011001, 0b00000011]), FLAGS, fill=False),
    case("packbits.bool_zero_dimensions", [PACK], b"\1", np.array(True), fill=False),
    case(
        "packbits.bool_two_dimensions",
        [PACK],
        packed(1, 1, 0, 1, 1, 1, 0),
        np.array([[1, 0, 1], [1, 1, 0]], bool),
        fill=False,
    ),
    case("packbits.padding_none", [pack(padding_encoding="none")], packed(1, *FLAGS), FLAGS, fill=False),
    case(
        "packbits.padding_first_byte",
        [pack(padding_encoding="first_byte")],
        b"\6" + packed(1, *FLAGS),
        FLAGS,
        fill=False,
    ),
    case(
        "packbits.padding_last_byte",
        [pack(padding_encoding="last_byte")],
        packed(1, *FLAGS) + b"\6",
        FLAGS,
        fill=False,
    ),
    case(
        "packbits.padding_zero_bits",
        [pack(padding_encoding="first_byte")],
        b"\0" + packed(1, *FLAGS[:8]),
        FLAGS[:8],
        fill=False,
    ),
    case("packbits.int2", [PACK], packed(2, -2, 1, -1, 0, 1), small("int2", -2, 1, -1, 0, 1)),
    case("packbits.uint2", [PACK], packed(2, 3, 0, 1, 2, 3), small("uint2", 3, 0, 1, 2, 3)),
    case("packbits.int4", [PACK], bytes([0x81, 0x07]), FOURS),
    case("packbits.uint4", [PACK], packed(4, 15, 0, 9), small("uint4", 15, 0, 9)),
    case("packbits.float4_e2m1fn", [PACK], packed(4, 7, 9, 15), by_bits("float4_e2m1fn", 7, 9, 15)),
    case("packbits.float6_e2m3fn", [PACK], packed(6, 0x3F, 1, 0x20), by_bits("float6_e2m3fn", 0x3F, 1, 0x20)),
    case(
        "packbits.float6_e3m2fn",
        [PACK],
        packed(6, 0x3F, 1, 0x20, 7),
        by_bits("float6_e3m2fn", 0x3F, 1, 0x20, 7),
    ),
    *(
        case(
            f"packbits.complex_{part}",
            [PACK],
            packed(width, 1, 2, 3, 4),
            by_bits(part, 1, 2, 3, 4).view([("re", getattr(ml_dtypes, part)), ("im", getattr(ml_dtypes, part))]),
            data_type=f"complex_{part}",
            fill=[0, 0],
        )
        for part, width in (("float4_e2m1fn", 4), ("float6_e2m3fn", 6), ("float6_e3m2fn", 6))
    ),
    # Full width: the little-endian bytes, and the padding byte where it is asked for (zarrs leaves it out).
    *(
        case(
            f"packbits.{np.dtype(code).name}",
            [PACK],
            np.array([1, 2, 3], f"<{code}").tobytes(),
            np.array([1, 2, 3], code),
        )
        for code in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
    ),
    case(
        "packbits.full_width_first_byte",
        [pack(padding_encoding="first_byte")],
        b"\0" + le("H", 1, 2),
        np.array([1, 2], "u2"),
    ),
    case(
        "packbits.full_width_last_byte",
        [pack(padding_encoding="last_byte")],
        le("H", 1, 2) + b"\0",
        np.array([1, 2], "u2"),
    ),
    case("packbits.bfloat16", [PACK], le("H", 0x3F80), by_bits("bfloat16", 0x3F80)),
    case(
        "packbits.complex64",
        [PACK],
        le("f", 1, -2),
        np.array([1 - 2j], "c8"),
        data_type="complex_float32",
        fill=[0, 0],
    ),
    case(
        "packbits.complex128",
        [PACK],
        le("d", 1, -2),
        np.array([1 - 2j]),
        data_type="complex_float64",
        fill=[0, 0],
    ),
    case("packbits.twelve_bits", [pack(first_bit=0, last_bit=11)], packed(12, *map(int, TWELVE)), TWELVE),
    case("packbits.last_bit_alone", [pack(last_bit=11)], packed(12, *map(int, TWELVE)), TWELVE),
    case("packbits.null_bits", [pack(first_bit=None, last_bit=None)], le("H", *map(int, TWELVE)), TWELVE),
    # Bits 4 to 11 are kept; decoded, they go back to where they were, and the others are zero.
    case(
        "packbits.middle_bits",
        [pack(first_bit=4, last_bit=11)],
        packed(8, 0xAB, 0x12),
        np.array([0xAB0, 0x120], "u2"),
    ),
    case("packbits.upper_bits", [pack(first_bit=12)], packed(4, 0xA, 0x5), np.array([0xA000, 0x5000], "u2")),
    case("packbits.sign_extension", [pack(last_bit=4)], packed(5, -16, 15, -1), np.array([-16, 15, -1], "i2")),
    case(
        "packbits.sign_extension_shifted",
        [pack(first_bit=2, last_bit=4)],
        packed(3, -4, 3),
        np.array([-16, 12], "i4"),
    ),
    case("packbits.zero_extension_of_unsigned", [pack(last_bit=4)], packed(5, 31), np.array([31], "u8")),
    case("packbits.one_bit_of_int8", [pack(first_bit=7)], packed(1, 1, 0, 1), np.array([-128, 0, -128], "i1")),
    case(
        "packbits.complex_components",
        [pack(first_bit=16)],
        packed(16, 0x3F80, 0xC000),
        np.array([1 - 2j], "c8"),
        data_type="complex_float32",
        fill=[0, 0],
    ),
    case("packbits.float_upper_half", [pack(first_bit=16)], packed(16, 0x3F80, 0xC000), np.array([1, -2], "f4")),
    case("packbits.gzip", [PACK, codec("gzip", level=1)], gz(packed(1, *FLAGS)), FLAGS, fill=False),
    case(
        "packbits.transposed",
        [transpose(1, 0), PACK],
        packed(1, 1, 1, 0, 1, 1, 0),
        np.array([[1, 0, 1], [1, 1, 0]], bool),
        fill=False,
    ),
]


# --- reshape


def reshape(*shape):
    return codec("reshape", shape=list(shape))


RESHAPE = [
    case("reshape.sizes", [reshape(3, 8), transpose(1, 0), PLAIN], transposed(CUBE.reshape(3, 8), (1, 0)), CUBE),
    case(
        "reshape.rest",
        [reshape(-1, 12), transpose(1, 0), PLAIN],
        transposed(CUBE.reshape(2, 12), (1, 0)),
        CUBE,
    ),
    case("reshape.flat", [reshape(-1), PLAIN], bytes(range(24)), CUBE),
    case(
        "reshape.input_dimensions",
        [reshape([0, 1], [2]), transpose(1, 0), PLAIN],
        transposed(CUBE.reshape(6, 4), (1, 0)),
        CUBE,
    ),
    case(
        "reshape.dimensions_and_sizes",
        [reshape([0], 6, -1), transpose(2, 0, 1), PLAIN],
        transposed(CUBE.reshape(2, 6, 2), (2, 0, 1)),
        CUBE,
    ),
    case(
        "reshape.dimensions_and_size",
        [reshape([0, 1], 4), transpose(1, 0), PLAIN],
        transposed(CUBE.reshape(6, 4), (1, 0)),
        CUBE,
    ),
    # The specification's example: 100 x 50, 64 and 3, here smaller.
    case(
        "reshape.readme",
        [reshape([0, 1], [2], 3), transpose(2, 1, 0), PLAIN],
        transposed(np.arange(24, dtype="u1").reshape(4, 2, 3), (2, 1, 0)),
        np.arange(24, dtype="u1").reshape(2, 2, 2, 3),
    ),
    case(
        "reshape.to_more_dimensions",
        [reshape(2, 1, -1), transpose(2, 1, 0), PLAIN],
        transposed(np.arange(6, dtype="u1").reshape(2, 1, 3), (2, 1, 0)),
        np.arange(6, dtype="u1"),
    ),
    case("reshape.zero_dimensions", [reshape(1), PLAIN], b"\5", np.array(5, "u1")),
    case("reshape.to_zero_dimensions", [reshape(), PLAIN], b"\5", np.array([[5]], "u1")),
    case(
        "reshape.multibyte",
        [reshape([0, 1]), BIG],
        be("h", *range(6)),
        np.arange(6, dtype="i2").reshape(2, 3),
    ),
    Read(
        "v3.codecs.reshape.chunks_of_several_shapes",
        REGISTERED + "reshape#shape",
        v3(
            [3, 2],
            None,
            "uint8",
            {"c/0/0": bytes([1, 2]), "c/1/0": bytes([3, 5, 4, 6])},
            chunk_grid=rectilinear([1, 2], 2),
            codecs=[reshape([0], [1]), transpose(1, 0), PLAIN],
        ),
        np.array([[1, 2], [3, 4], [5, 6]], "u1"),
    ),
]


# --- n5_default


def n5(*more, ndim=2, endian="big"):
    last = [{"name": "bytes", "configuration": {"endian": endian}}] if endian else [PLAIN]
    return codec("n5_default", codecs=[transpose(*range(ndim)[::-1]), *last, *more])


V2_KEYS = {"name": "v2", "configuration": {"separator": "/"}}
PAGE = np.array([[1, 2, 3], [4, 5, 6]], "i2")
COLUMNS = be("h", 1, 4, 2, 5, 3, 6)
N5_GZIP = n5(codec("gzip", level=1))


def edges(last):
    """A 3 x 3 array in blocks of 2 x 2, whose blocks at the edge are given by `last`."""
    blocks = {"0/0": n5_block((2, 2), be("h", 1, 4, 2, 5))} | last
    expected = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], "i2")
    return v3([3, 3], [2, 2], "int16", blocks, codecs=[n5()], chunk_key_encoding=V2_KEYS), expected


TRUNCATED = {
    "0/1": n5_block((2, 1), be("h", 3, 6)),
    "1/0": n5_block((1, 2), be("h", 7, 8)),
    "1/1": n5_block((1, 1), be("h", 9)),
}
PADDED = {
    "0/1": n5_block((2, 2), be("h", 3, 6, 0, 0)),
    "1/0": n5_block((2, 2), be("h", 7, 0, 8, 0)),
    "1/1": n5_block((2, 2), be("h", 9, 0, 0, 0)),
}
N5 = [
    case("n5_default", [n5()], n5_block((2, 3), COLUMNS), PAGE, key="0/0", chunk_key_encoding=V2_KEYS),
    case(
        "n5_default.gzip",
        [N5_GZIP],
        n5_block((2, 3), gz(COLUMNS)),
        PAGE,
        key="0/0",
        chunk_key_encoding=V2_KEYS,
    ),
    case(
        "n5_default.zstd",
        [n5(codec("zstd", level=0, checksum=False))],
        n5_block((2, 3), zstd_frame(COLUMNS)),
        PAGE,
        key="0/0",
        chunk_key_encoding=V2_KEYS,
    ),
    case(
        "n5_default.short_hand_inside",
        [n5("crc32c")],
        n5_block((2, 3), with_crc(COLUMNS)),
        PAGE,
        key="0/0",
        chunk_key_encoding=V2_KEYS,
    ),
    case(
        "n5_default.one_byte_without_endian",
        [n5(ndim=1, endian=None)],
        n5_block((3,), b"\1\2\3"),
        np.array([1, 2, 3], "u1"),
        key="0",
        chunk_key_encoding=V2_KEYS,
    ),
    case(
        "n5_default.three_dimensions",
        [n5(ndim=3)],
        n5_block((2, 3, 4), transposed(CUBE, (2, 1, 0))),
        CUBE,
        key="0/0/0",
        chunk_key_encoding=V2_KEYS,
    ),
    Read("v3.codecs.n5_default.truncated_edges", REGISTERED + "n5_default#chunk-grid", *edges(TRUNCATED)),
    Read("v3.codecs.n5_default.padded_edges", REGISTERED + "n5_default#chunk-grid", *edges(PADDED)),
    Read(
        "v3.codecs.n5_default.both_kinds_of_edges",
        REGISTERED + "n5_default#chunk-grid",
        *edges(TRUNCATED | {"1/0": PADDED["1/0"]}),
    ),
]


# --- conditional


def conditional(*codecs, **more):
    return codec("conditional", codecs=list(codecs), **more)


SHUFFLE = codec("numcodecs.shuffle", elementsize=4)
TWO_WORDS, SHUFFLED = bytes([1, 2, 3, 4, 5, 6, 7, 8]), bytes([1, 5, 2, 6, 3, 7, 4, 8])
PAIR = np.array([0x04030201, 0x08070605], "u4")
BOTH = conditional(SHUFFLE, codec("zstd", level=5))
CONDITIONAL = [
    case("conditional.none", [LITTLE, BOTH], b"\0" + TWO_WORDS, PAIR),
    case("conditional.first", [LITTLE, BOTH], b"\1" + SHUFFLED, PAIR),
    case("conditional.second", [LITTLE, BOTH], b"\2" + zstd_frame(TWO_WORDS), PAIR),
    case("conditional.both", [LITTLE, BOTH], b"\3" + zstd_frame(SHUFFLED), PAIR),
    case("conditional.header_bits", [LITTLE, conditional(SHUFFLE, header_bits=16)], b"\1\0" + SHUFFLED, PAIR),
    case(
        "conditional.wide_header_none",
        [LITTLE, conditional(SHUFFLE, header_bits=64)],
        bytes(8) + TWO_WORDS,
        PAIR,
    ),
    case("conditional.nine_codecs", [LITTLE, conditional(*["crc32c"] * 8, SHUFFLE)], b"\0\1" + SHUFFLED, PAIR),
    case(
        "conditional.ninth_and_first",
        [LITTLE, conditional(SHUFFLE, *["crc32c"] * 8)],
        b"\1\1" + with_crc(SHUFFLED),
        PAIR,
    ),
    case("conditional.crc32c_after", [LITTLE, BOTH, CRC32C], with_crc(b"\1" + SHUFFLED), PAIR),
    case(
        "conditional.gzip_before",
        [LITTLE, codec("gzip", level=1), conditional(CRC32C)],
        b"\1" + with_crc(gz(TWO_WORDS)),
        PAIR,
    ),
    case(
        "conditional.inside_conditional",
        [LITTLE, conditional(conditional(SHUFFLE))],
        b"\1\1" + SHUFFLED,
        PAIR,
    ),
]


def test_conditional_chunks_of_one_array_may_differ():
    store = v3([4], [2], "uint32", {"c/0": b"\1" + SHUFFLED, "c/1": b"\0" + TWO_WORDS}, codecs=[LITTLE, BOTH])
    assert read(store).tolist() == [*PAIR.tolist(), *PAIR.tolist()]


# --- zfp


def zfp_cases():
    try:
        import zfpy
    except ImportError:
        return
    wave = np.sin(np.linspace(0, 3, 60)).reshape(6, 10)
    spec = REGISTERED + "zfp"

    def stream(array, **how):
        """Without a header, as the codec writes it; and what the C library makes of it."""
        decoded = zfpy.decompress_numpy(zfpy.compress_numpy(array, write_header=True, **how))
        return zfpy.compress_numpy(array, write_header=False, **how), decoded

    for name in ("float32", "float64", "int32", "int64"):
        array = (wave * 1000).astype(name)
        chunk, decoded = stream(array)
        assert decoded.tobytes() == array.tobytes()
        yield case(f"zfp.reversible_{name}", [codec("zfp", mode="reversible")], chunk, array, spec=spec)
    for shape in ((60,), (3, 4, 5), (2, 3, 2, 5)):
        array = np.ascontiguousarray(wave.reshape(shape))
        yield case(
            f"zfp.reversible_{len(shape)}d",
            [codec("zfp", mode="reversible")],
            stream(array)[0],
            array,
            spec=spec,
        )
    chunk = stream(np.array([1.5]))[0]
    yield case("zfp.reversible_0d", [codec("zfp", mode="reversible")], chunk, np.array(1.5), spec=spec)
    for mode, how, configuration in (
        ("fixed_accuracy", {"tolerance": 0.05}, {"tolerance": 0.05}),
        ("fixed_rate", {"rate": 16}, {"rate": 16}),
        ("fixed_precision", {"precision": 20}, {"precision": 20}),
    ):
        chunk, decoded = stream(wave, **how)
        yield case(f"zfp.{mode}", [codec("zfp", mode=mode, **configuration)], chunk, decoded, exact=False, spec=spec)
    # Narrow integers go into the upper bits of int32, around zero; narrow floats become float32.
    for name, width in (("int8", 8), ("uint8", 8), ("int16", 16), ("uint16", 16)):
        unsigned = name[0] == "u"
        values = np.array([0, 1, 100, (1 << width) - 1 if unsigned else -(1 << width - 1)], name)
        promoted = (values.astype("i4") - ((1 << width - 1) if unsigned else 0)) << (31 - width)
        chunk = stream(promoted)[0]
        yield case(f"zfp.promoted_{name}", [codec("zfp", mode="reversible")], chunk, values, spec=spec)
    halves = np.array([1.5, -0.25, 65504], "f2")
    chunk = stream(halves.astype("f4"))[0]
    yield case("zfp.promoted_float16", [codec("zfp", mode="reversible")], chunk, halves, spec=spec)
    # zfp has no unsigned types; the values are those of the signed ones, as zarrs has it.
    for name, signed in (("uint32", "i4"), ("uint64", "i8")):
        values = np.array([0, 7, np.iinfo(signed).max], name)
        chunk = stream(values.astype(signed))[0]
        yield case(f"zfp.{name}", [codec("zfp", mode="reversible")], chunk, values, spec=spec)
    # Fixed accuracy 2^-5 is the expert mode with these limits (ZFP_MIN_BITS, ZFP_MAX_BITS, ZFP_MAX_PREC).
    chunk, decoded = stream(wave, tolerance=2.0**-5)
    expert = codec("zfp", mode="expert", minbits=1, maxbits=16658, maxprec=64, minexp=-5)
    yield case("zfp.expert", [expert], chunk, decoded, exact=False, spec=spec)


# --- numcodecs.*

CRC, ADLER = le("I", zlib.crc32(RAW)), le("I", zlib.adler32(RAW))
SCORE = b"Four score and seven years ago"
LZMA = {"format": lzma.FORMAT_XZ, "check": -1, "preset": None, "filters": None}


def named(id, configuration, chunk, expected=SIXTY, *, before=False, alone=False, **more):
    """`numcodecs.<id>`: behind `bytes`, or in front of it, or in its place."""
    this = {"name": f"numcodecs.{id.split('.')[0]}", "configuration": configuration}
    chain = [this] if alone else [this, LITTLE] if before else [LITTLE, this]
    return case(f"numcodecs.{id}", chain, chunk, expected, **{"spec": NUMCODECS} | more)


def numcodecs_cases():
    import numcodecs.blosc as c_blosc

    yield named("bz2", {"level": 1}, bz2.compress(RAW))
    yield named("crc32", {}, CRC + RAW)
    yield named("crc32.end", {"location": "end"}, RAW + CRC)
    yield named("crc32c", {}, RAW + crc32c(RAW))
    yield named("crc32c.start", {"location": "start"}, crc32c(RAW) + RAW)
    yield named("adler32", {}, ADLER + RAW)
    yield named("fletcher32", {}, RAW + fletcher32(RAW))
    yield named(
        "jenkins_lookup3",
        {"initval": 0, "prefix": None},
        SCORE + le("I", 0x17770551),
        np.frombuffer(SCORE, "u1"),
    )
    yield named("lz4", {"acceleration": 1}, le("I", len(RAW)) + lz4_block(RAW))
    yield named("lzma", LZMA, lzma.compress(RAW))
    yield named("zlib", {"level": 1}, zlib.compress(RAW))
    yield named("gzip", {"level": 1}, gz(RAW))
    yield named("zstd", {"level": 1, "checksum": True}, zstd_frame(RAW, checksum=True))
    blosc_chunk = c_blosc.compress(np.tile(SIXTY, 20), b"zstd", 5, 1, 0)
    yield named("blosc", {"cname": "zstd", "clevel": 5, "shuffle": 1, "blocksize": 0}, blosc_chunk, np.tile(SIXTY, 20))
    yield named("shuffle", {"elementsize": 4}, SHUFFLED, PAIR)
    yield named("delta", {"dtype": "<i4"}, le("i", 5, 2, -10), np.array([5, 7, -3], "i4"), before=True)
    yield named(
        "delta.type_names",
        {"dtype": "int32", "astype": "int16"},
        le("h", 5, 2),
        np.array([5, 7], "i4"),
        before=True,
    )
    yield named(
        "delta.astype",
        {"dtype": "<i4", "astype": "<i2"},
        le("h", 30000, 30000),
        np.array([30000, 60000], "i4"),
        before=True,
    )
    yield named("delta.flattens", {"dtype": "<i4"}, le("i", 1, 1, 1, 1), np.array([[1, 2], [3, 4]], "i4"), before=True)
    yield named(
        "fixedscaleoffset",
        {"offset": 1000, "scale": 10, "dtype": "<f8", "astype": "|u1"},
        bytes([0, 5, 255]),
        np.array([1000, 1000.5, 1025.5]),
        before=True,
        fill=1000,
    )
    # The example of the registry, with its names of types.
    yield named(
        "fixedscaleoffset.type_names",
        {"offset": 10, "scale": 0.1, "dtype": "float32", "astype": "uint8"},
        bytes([0, 9]),
        np.array([10, 100], "f4"),
        before=True,
        fill=10,
        spec=SCALE,
    )
    yield named("quantize", {"digits": 1, "dtype": "<f8"}, le("d", 0.125), np.array([0.125]), before=True)
    yield named("astype", {"encode_dtype": "<f4", "decode_dtype": "<f8"}, le("f", 1.5), np.array([1.5]), before=True)
    yield named("bitround", {"keepbits": 3}, le("f", 1.25), np.array([1.25], "f4"), before=True)
    yield named("packbits", {}, bytes([6, 0b10011010, 0b11000000]), FLAGS, before=True, fill=False)
    try:
        import pcodec

        chunk = bytes(pcodec.standalone.simple_compress(SIXTY, pcodec.ChunkConfig()))
        yield named("pcodec", {"level": 8, "mode_spec": "auto"}, chunk, alone=True)
    except ImportError:
        pass
    try:
        import zfpy

        wave = np.sin(np.linspace(0, 3, 60)).reshape(6, 10)
        chunk = zfpy.compress_numpy(wave, tolerance=0.001, write_header=True)
        yield named(
            "zfpy",
            {"mode": 4, "tolerance": 0.001},
            chunk,
            zfpy.decompress_numpy(chunk),
            alone=True,
            exact=False,
        )
    except ImportError:
        pass


CASES = [
    *PLACEMENT,
    *COMPRESSORS,
    *VARIABLE,
    *BITROUND,
    *CAST_VALUE,
    *SCALE_OFFSET,
    *PACKBITS,
    *RESHAPE,
    *N5,
    *CONDITIONAL,
    *zfp_cases(),
    *numcodecs_cases(),
]


@table(CASES)
@pytest.mark.filterwarnings("ignore:.*numcodecs")
def test_reads(case):
    check_read(case, case.store)


@pytest.mark.filterwarnings("ignore:.*numcodecs")
def test_reads_from_a_folder(tmp_path):
    check_folders([case for case in CASES if ".blosc." not in case.id], tmp_path)


def test_blosc_with_snappy_is_read_or_names_the_package_that_reads_it():
    raw = bytes(range(40))
    store = v3([40], [40], "uint8", {"c/0": blosc_snappy(raw)}, codecs=[PLAIN, blosc("snappy", "noshuffle", 1)])
    try:
        found = read(store)
    except MissingDependencyError as error:
        assert "pip install" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert found.tobytes() == raw


# --- refusals: of configurations, then of chunks


def refuse(id, codecs, *words, data_type="uint8", shape=(2, 3), chunk=None, spec=None, fill=0, **members):
    name = id.split(".")[0]
    spec = spec or REGISTERED + name
    data = {} if chunk is None else {"c/" + "/".join("0" * len(shape)): chunk}
    where = ("c/0",) if chunk is not None else ("zarr.json", "codec")
    store = v3(list(shape), list(shape), data_type, data, codecs=codecs, fill=fill, **members)
    return Refuse(f"v3.codecs.refuse.{id}", spec, store, (*where, *words))


def configuration_refusals():
    for label, order in (
        ("repeated", [0, 0]),
        ("short", [0]),
        ("long", [0, 1, 2]),
        ("out_of_range", [0, 2]),
        ("negative", [0, -1]),
        ("float", [0.5, 1]),
        ("text", ["0", "1"]),
        ("missing", None),
        ("reverse", "reverse"),
    ):
        configuration = {} if order is None else {"order": order}
        yield refuse(
            f"transpose.{label}",
            [{"name": "transpose", "configuration": configuration}, PLAIN],
            "transpose",
            "order",
        )
    yield refuse("bytes.unknown_key", [codec("bytes", endian="little", order="C")], "bytes", "order")
    yield refuse("bytes.endian_null", [codec("bytes", endian=None)], "bytes", "endian", data_type="uint16")
    for label, change in (
        ("shuffle_integer", {"shuffle": 1}),
        ("shuffle_unknown", {"shuffle": "byteshuffle"}),
        ("cname", {"cname": "gzip"}),
        ("clevel", {"clevel": 10}),
        ("clevel_negative", {"clevel": -1}),
        ("clevel_text", {"clevel": "5"}),
        ("typesize", {"typesize": 0}),
        ("blocksize", {"blocksize": -1}),
        ("unknown_key", {"nthreads": 4}),
    ):
        (key,) = change
        yield refuse(f"blosc.{label}", [PLAIN, blosc(**change)], "blosc", key)
    for level in (10, -1, "5", 5.5, True):
        yield refuse(f"gzip.level_{level}", [PLAIN, codec("gzip", level=level)], "gzip", "level")
    yield refuse("gzip.unknown_key", [PLAIN, codec("gzip", level=1, mtime=0)], "gzip", "mtime")
    yield refuse("crc32c.unknown_key", [PLAIN, codec("crc32c", location="start")], "crc32c", "location")
    for level in (23, -131073, "3", 1.5):
        yield refuse(f"zstd.level_{level}", [PLAIN, codec("zstd", level=level)], "zstd", "level")
    yield refuse("zstd.checksum_text", [PLAIN, codec("zstd", level=1, checksum="yes")], "zstd", "checksum")
    yield refuse("zstd.unknown_key", [PLAIN, codec("zstd", level=1, window=20)], "zstd", "window")
    yield refuse("vlen-utf8.on_numbers", [UTF8], "vlen-utf8", "string")
    yield refuse("vlen-bytes.on_numbers", [VLEN], "vlen-bytes", "bytes")
    yield refuse(
        "vlen-utf8.configuration",
        [codec("vlen-utf8", encoding="latin-1")],
        "vlen-utf8",
        data_type="string",
        fill="",
    )
    for keepbits in (None, 0, -1, "3", 1.5):
        configuration = {} if keepbits is None else {"keepbits": keepbits}
        yield refuse(
            f"bitround.keepbits_{keepbits}",
            [{"name": "bitround", "configuration": configuration}, LITTLE],
            "bitround",
            "keepbits",
            data_type="float32",
        )
    yield refuse("bitround.on_bool", [ROUND, PLAIN], "bitround", data_type="bool", fill=False)
    yield refuse("bitround.on_string", [ROUND, UTF8], "bitround", data_type="string", fill="")

    for label, configuration, words in (
        ("no_data_type", {}, ["data_type"]),
        ("unknown_type", {"data_type": "int128"}, ["int128"]),
        ("unknown_key", {"data_type": "uint8", "casting": "unsafe"}, ["casting"]),
        ("rounding", {"data_type": "uint8", "rounding": "up"}, ["rounding", "up"]),
        ("out_of_range", {"data_type": "uint8", "out_of_range": "ignore"}, ["out_of_range", "ignore"]),
        ("wrap_to_float", {"data_type": "float32", "out_of_range": "wrap"}, ["wrap"]),
        ("to_complex", {"data_type": "complex64"}, ["complex64"]),
        ("to_bool", {"data_type": "bool"}, ["bool"]),
        ("to_string", {"data_type": "string"}, ["string"]),
        ("to_raw", {"data_type": "r8"}, ["r8"]),
        ("map_list", {"data_type": "uint8", "scalar_map": []}, ["scalar_map"]),
        ("map_unknown_key", {"data_type": "uint8", "scalar_map": {"both": []}}, ["scalar_map", "both"]),
        ("map_triple", {"data_type": "uint8", "scalar_map": {"encode": [[1, 2, 3]]}}, ["scalar_map"]),
        ("map_object", {"data_type": "uint8", "scalar_map": {"encode": {"1": 2}}}, ["scalar_map"]),
        ("map_output_out_of_type", {"data_type": "uint8", "scalar_map": {"encode": [["NaN", 300]]}}, ["300"]),
        ("map_input_out_of_type", {"data_type": "uint8", "scalar_map": {"decode": [["NaN", 0]]}}, ["NaN"]),
    ):
        yield refuse(
            f"cast_value.{label}",
            [{"name": "cast_value", "configuration": configuration}, LITTLE],
            "cast_value",
            *words,
            data_type="float64",
        )
    for data_type, fill in (("bool", False), ("complex64", [0, 0]), ("r8", [0])):
        yield refuse(
            f"cast_value.from_{data_type}",
            [cast("uint8"), LITTLE],
            "cast_value",
            data_type,
            data_type=data_type,
            fill=fill,
        )
    for label, fill, more in (
        ("negative", -1, {}),
        ("nan", "NaN", {}),
        ("rounded", 0.5, {}),
        ("clamped", 300, {"out_of_range": "clamp"}),
        ("map_one_way", "NaN", {"scalar_map": {"encode": [["NaN", 0]]}}),
    ):
        yield refuse(
            f"cast_value.fill_{label}",
            [cast("uint8", **more), PLAIN],
            "cast_value",
            "fill",
            data_type="float64",
            fill=fill,
            spec=CAST + "#data_type",
        )

    for label, configuration, data_type, words in (
        ("unknown_key", {"offset": 1, "dtype": "uint8"}, "uint8", ["dtype"]),
        ("offset_1.5_on_integers", {"offset": 1.5}, "uint8", ["offset"]),
        ("offset_out_of_type", {"offset": 300}, "uint8", ["offset"]),
        ("scale_text", {"scale": "2"}, "uint8", ["scale"]),
        ("scale_zero", {"scale": 0}, "int32", ["scale"]),
        ("scale_null", {"scale": None}, "float32", ["scale"]),
        ("offset_true", {"offset": True}, "uint8", ["offset"]),
    ):
        yield refuse(
            f"scale_offset.{label}",
            [{"name": "scale_offset", "configuration": configuration}, LITTLE],
            "scale_offset",
            *words,
            data_type=data_type,
        )
    for data_type, fill in (("bool", False), ("complex64", [0, 0]), ("r8", [0])):
        yield refuse(
            f"scale_offset.on_{data_type}",
            [scale_offset(), LITTLE],
            "scale_offset",
            data_type,
            data_type=data_type,
            fill=fill,
        )
    yield refuse(
        "scale_offset.fill_out_of_type",
        [scale_offset(offset=1000), LITTLE],
        "scale_offset",
        data_type="uint16",
        fill=0,
        spec=SCALE + "#fill-value-handling",
    )

    for label, configuration, words in (
        ("padding", {"padding_encoding": "middle"}, ["padding_encoding"]),
        ("unknown_key", {"order": "msb"}, ["order"]),
        ("last_before_first", {"first_bit": 4, "last_bit": 3}, ["last_bit"]),
        ("last_beyond", {"last_bit": 8}, ["last_bit"]),
        ("first_beyond", {"first_bit": 8}, ["first_bit"]),
        ("first_negative", {"first_bit": -1}, ["first_bit"]),
        ("first_text", {"first_bit": "0"}, ["first_bit"]),
    ):
        yield refuse(f"packbits.{label}", [codec("packbits", **configuration)], "packbits", *words)
    yield refuse("packbits.on_string", [PACK], "packbits", data_type="string", fill="")

    for label, shape, words in (
        ("too_few", [5], []),
        ("too_many", [7], []),
        ("zero", [0], []),
        ("two_rests", [-1, -1], ["-1"]),
        ("rest_does_not_divide", [4, -1], []),
        ("swapped", [[1], [0]], []),
        ("swapped_inside", [[1, 0]], []),
        ("repeated", [[0], [0]], []),
        ("out_of_range", [[0], [2]], []),
        ("negative_dimension", [[-1]], []),
        ("negative_size", [-2, 3], []),
        ("float", [1.5, 4], []),
        ("text", "6", []),
        ("dimensions_not_aligned", [3, [0]], []),
        ("dimension_before_other_size", [[1], 2], []),
        ("missing", None, ["shape"]),
    ):
        configuration = {} if shape is None else {"shape": shape}
        yield refuse(
            f"reshape.{label}",
            [{"name": "reshape", "configuration": configuration}, PLAIN],
            "reshape",
            *words,
        )
    yield refuse("reshape.unknown_key", [codec("reshape", shape=[6], order="F"), PLAIN], "reshape", "order")

    for label, chain in (
        ("no_transpose", [PLAIN]),
        ("partial_transpose", [transpose(0, 1), PLAIN]),
        ("no_bytes", [transpose(1, 0)]),
        ("empty", []),
        ("little_endian", [transpose(1, 0), LITTLE]),
        ("two_compressors", [transpose(1, 0), PLAIN, "crc32c", "crc32c"]),
        ("array_codec_at_the_end", [transpose(1, 0), PLAIN, transpose(1, 0)]),
        ("packbits", [transpose(1, 0), PACK]),
        ("null", None),
    ):
        data_type = "uint16" if label == "little_endian" else "uint8"
        yield refuse(
            f"n5_default.{label}",
            [{"name": "n5_default", "configuration": {"codecs": chain}}],
            "n5_default",
            data_type=data_type,
        )
    yield refuse("n5_default.no_codecs", [codec("n5_default")], "n5_default", "codecs")

    for label, configuration, words in (
        ("no_codecs", {}, ["codecs"]),
        ("array_codec", {"codecs": [transpose(1, 0)]}, ["transpose"]),
        ("bytes_codec", {"codecs": [PLAIN]}, ["bytes"]),
        ("unknown_codec", {"codecs": ["acme.unknown"]}, ["acme.unknown"]),
        ("header_12", {"codecs": [CRC32C], "header_bits": 12}, ["header_bits", "8"]),
        ("header_short", {"codecs": [CRC32C] * 9, "header_bits": 8}, ["header_bits"]),
        ("header_negative", {"codecs": [], "header_bits": -8}, ["header_bits"]),
        ("header_text", {"codecs": [CRC32C], "header_bits": "8"}, ["header_bits"]),
        ("not_a_list", {"codecs": CRC32C}, ["codecs"]),
        ("unknown_key", {"codecs": [CRC32C], "mask": 1}, ["mask"]),
    ):
        yield refuse(
            f"conditional.{label}",
            [PLAIN, {"name": "conditional", "configuration": configuration}],
            "conditional",
            *words,
        )

    for label, configuration, words in (
        ("no_mode", {}, ["mode"]),
        ("mode", {"mode": "lossless"}, ["mode"]),
        ("mode_integer", {"mode": 4, "tolerance": 0.1}, ["mode"]),
        ("no_tolerance", {"mode": "fixed_accuracy"}, ["tolerance"]),
        ("no_rate", {"mode": "fixed_rate"}, ["rate"]),
        ("no_precision", {"mode": "fixed_precision"}, ["precision"]),
        ("expert_incomplete", {"mode": "expert", "minbits": 1}, ["maxbits"]),
        ("unknown_key", {"mode": "reversible", "write_header": False}, ["write_header"]),
    ):
        yield refuse(
            f"zfp.{label}",
            [{"name": "zfp", "configuration": configuration}],
            "zfp",
            *words,
            data_type="float32",
        )
    yield refuse("zfp.on_bool", [codec("zfp", mode="reversible")], "zfp", "bool", data_type="bool", fill=False)
    yield refuse(
        "zfp.five_dimensions",
        [codec("zfp", mode="reversible")],
        "zfp",
        "dimension",
        data_type="float32",
        shape=(1, 1, 1, 1, 1),
    )


SIX = bytes(range(6))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def chunk_refusals():
    yield refuse("bytes.chunk_short", [PLAIN], "6", "5", chunk=SIX[:5])
    yield refuse("bytes.chunk_long", [PLAIN], "6", "7", chunk=SIX + b"\0")
    yield refuse("bytes.chunk_empty", [PLAIN], "6", chunk=b"")
    frame = gz(SIX)
    yield refuse("gzip.zlib_stream", [PLAIN, codec("gzip", level=1)], "gzip", chunk=zlib.compress(SIX))
    yield refuse("gzip.deflate_stream", [PLAIN, codec("gzip", level=1)], "gzip", chunk=zlib.compress(SIX)[2:-4])
    yield refuse("gzip.cut", [PLAIN, codec("gzip", level=1)], "gzip", chunk=frame[:-9])
    yield refuse("gzip.cut_in_the_trailer", [PLAIN, codec("gzip", level=1)], "gzip", chunk=frame[:-2])
    yield refuse("gzip.bad_crc", [PLAIN, codec("gzip", level=1)], "gzip", chunk=flipped(frame, len(frame) - 8))
    yield refuse("gzip.bad_length", [PLAIN, codec("gzip", level=1)], "gzip", chunk=flipped(frame, len(frame) - 1))
    yield refuse("gzip.trailing_garbage", [PLAIN, codec("gzip", level=1)], "gzip", chunk=frame + b"garbage")
    yield refuse(
        "gzip.second_member_cut",
        [PLAIN, codec("gzip", level=1)],
        "gzip",
        chunk=gz(SIX[:3]) + gz(SIX[3:])[:-9],
    )
    yield refuse("gzip.too_much", [PLAIN, codec("gzip", level=1)], "6", chunk=gz(SIX + SIX))
    yield refuse("gzip.empty", [PLAIN, codec("gzip", level=1)], "gzip", chunk=b"")
    yield refuse("crc32c.bad_data", [PLAIN, CRC32C], "crc32c", chunk=flipped(with_crc(SIX), 2))
    yield refuse("crc32c.bad_sum", [PLAIN, CRC32C], "crc32c", chunk=flipped(with_crc(SIX), 7))
    yield refuse("crc32c.big_endian_sum", [PLAIN, CRC32C], "crc32c", chunk=SIX + crc32c(SIX)[::-1])
    yield refuse("crc32c.cut", [PLAIN, CRC32C], "crc32c", chunk=with_crc(SIX)[:-1])
    yield refuse("crc32c.three_bytes", [PLAIN, CRC32C], "crc32c", chunk=b"abc")
    yield refuse("crc32c.empty", [PLAIN, CRC32C], "crc32c", chunk=b"")
    zstd = codec("zstd", level=1)
    yield refuse(
        "zstd.bad_checksum",
        [PLAIN, zstd],
        "zstd",
        chunk=flipped(zstd_frame(SIX, checksum=True), -1 % len(zstd_frame(SIX, checksum=True))),
    )
    yield refuse("zstd.bad_data", [PLAIN, zstd], "zstd", chunk=flipped(zstd_frame(SIX, checksum=True), 13))
    yield refuse("zstd.cut", [PLAIN, zstd], "zstd", chunk=zstd_frame(SIX)[:-2])
    yield refuse("zstd.empty", [PLAIN, zstd], "zstd", chunk=b"")
    yield refuse("zstd.gzip_stream", [PLAIN, zstd], "zstd", chunk=gz(SIX))
    yield refuse("zstd.second_frame_cut", [PLAIN, zstd], "zstd", chunk=zstd_frame(SIX[:3]) + zstd_frame(SIX[3:])[:-1])
    yield refuse("zstd.trailing_garbage", [PLAIN, zstd], "zstd", chunk=zstd_frame(SIX) + b"garbage")
    yield refuse(
        "zstd.content_size_wrong",
        [PLAIN, zstd],
        "zstd",
        chunk=zstd_frame(SIX)[:5] + le("I", 7) + zstd_frame(SIX)[9:],
    )
    stored = blosc_stored(SIX)
    yield refuse("blosc.cut", [PLAIN, blosc()], "blosc", chunk=stored[:-1])
    yield refuse("blosc.header_alone", [PLAIN, blosc()], "blosc", chunk=stored[:16])
    yield refuse("blosc.half_a_header", [PLAIN, blosc()], "blosc", chunk=stored[:7])
    yield refuse("blosc.empty", [PLAIN, blosc()], "blosc", chunk=b"")
    yield refuse("blosc.version", [PLAIN, blosc()], "blosc", chunk=b"\xff" + stored[1:])
    yield refuse("blosc.long", [PLAIN, blosc()], "6", chunk=blosc_stored(SIX + SIX))
    string = {"data_type": "string", "fill": "", "shape": (2,)}
    good = vlen_utf8("ab", "c")
    for label, chunk in (
        ("cut", good[:-1]),
        ("header_alone", good[:4]),
        ("empty", b""),
        ("three_bytes", b"\2\0\0"),
        ("fewer", vlen_utf8("ab")),
        ("more", vlen_utf8("ab", "c", "d")),
        ("length_beyond", le("I", 2, 2) + b"ab" + le("I", 2**31) + b"c"),
        ("length_beyond_32", le("I", 2, 2**32 - 1) + b"ab"),
        ("count_beyond", le("I", 2**32 - 1) + good[4:]),
        ("not_utf8", vlen(b"\xff\xfe", b"c")),
        ("surrogate", vlen(b"\xed\xa0\x80", b"c")),
        ("trailing_garbage", good + b"x"),
    ):
        yield refuse(f"vlen-utf8.{label}", [UTF8], "vlen-utf8", chunk=chunk, **string)
    variable = {"data_type": "bytes", "fill": "", "shape": (2,)}
    for label, chunk in (
        ("cut", good[:-1]),
        ("fewer", vlen(b"ab")),
        ("length_beyond", le("I", 2, 2**32 - 1) + b"ab"),
    ):
        yield refuse(f"vlen-bytes.{label}", [VLEN], "vlen-bytes", chunk=chunk, **variable)
    # Decoding uint8 from what was cast to int16 or float64.
    yield refuse(
        "cast_value.decode_out_of_range",
        [cast("int16"), LITTLE],
        "cast_value",
        chunk=le("h", 0, 1, 2, 3, 4, 256),
    )
    yield refuse(
        "cast_value.decode_nan",
        [cast("float64"), LITTLE],
        "cast_value",
        chunk=le("d", 0, 1, 2, 3, 4, math.nan),
    )
    yield refuse(
        "cast_value.decode_infinity_clamped",
        [cast("float64", out_of_range="clamp"), LITTLE],
        "cast_value",
        chunk=le("d", 0, 1, 2, 3, 4, math.inf),
    )
    yield refuse(
        "scale_offset.decode_not_divisible",
        [scale_offset(scale=3), LITTLE],
        "scale_offset",
        chunk=bytes([0, 3, 6, 9, 12, 13]),
    )
    yield refuse(
        "scale_offset.decode_out_of_type",
        [scale_offset(offset=10), LITTLE],
        "scale_offset",
        chunk=bytes([0, 0, 0, 0, 0, 250]),
        fill=10,
    )
    yield refuse("packbits.chunk_short", [PACK], "packbits", chunk=SIX[:5])
    yield refuse("packbits.chunk_long", [PACK], "packbits", chunk=SIX + b"\0")
    first, flags = (
        codec("packbits", padding_encoding="first_byte"),
        {"data_type": "bool", "fill": False, "shape": (10,)},
    )
    for label, chunk in (
        ("padding_wrong", b"\5" + packed(1, *FLAGS)),
        ("padding_above_7", b"\x0e" + packed(1, *FLAGS)),
        ("padding_missing", packed(1, *FLAGS)),
        ("empty", b""),
    ):
        yield refuse(f"packbits.{label}", [first], "packbits", chunk=chunk, **flags)
    short = {"data_type": "int16"}
    for label, chunk, words in (
        ("mode_varlength", be("H", 1, 2) + be("I", 2, 3, 6) + COLUMNS, ["mode"]),
        ("mode_object", n5_block((2, 3), COLUMNS, 2), ["mode"]),
        ("dimensions", n5_block((6,), COLUMNS), ["dimension"]),
        ("payload_short", n5_block((2, 3), COLUMNS[:-2]), []),
        ("payload_long", n5_block((2, 3), COLUMNS + b"\0\0"), []),
        ("header_cut", n5_block((2, 3), b"")[:-1], []),
        ("empty", b"", []),
        ("declared_huge", n5_block((2**32 - 1, 2**32 - 1), COLUMNS), []),
    ):
        yield refuse(f"n5_default.{label}", [n5()], "n5_default", *words, chunk=chunk, **short)
    yield refuse("conditional.empty", [PLAIN, BOTH], "conditional", chunk=b"")
    yield refuse("conditional.reserved_bit", [PLAIN, BOTH], "conditional", chunk=b"\4" + SIX)
    yield refuse("conditional.nested_fails", [PLAIN, conditional(CRC32C)], "crc32c", chunk=b"\1" + SIX)
    for name in ("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3"):
        this = {"name": f"numcodecs.{name}", "configuration": {}}
        yield refuse(
            f"numcodecs.{name}_wrong",
            [PLAIN, this],
            name,
            chunk=b"\1\2\3\4" + SIX + b"\1\2\3\4",
            shape=(10,),
            spec=NUMCODECS,
        )
    yield refuse(
        "numcodecs.lz4_cut",
        [PLAIN, codec("numcodecs.lz4")],
        "lz4",
        chunk=(le("I", 6) + lz4_block(SIX))[:-1],
        spec=NUMCODECS,
    )
    yield refuse(
        "numcodecs.bz2_cut",
        [PLAIN, codec("numcodecs.bz2")],
        "bz2",
        chunk=bz2.compress(SIX)[:-1],
        spec=NUMCODECS,
    )
    yield refuse(
        "numcodecs.lzma_cut",
        [PLAIN, codec("numcodecs.lzma")],
        "lzma",
        chunk=lzma.compress(SIX)[:-1],
        spec=NUMCODECS,
    )
    yield refuse(
        "numcodecs.zlib_cut",
        [PLAIN, codec("numcodecs.zlib")],
        "zlib",
        chunk=zlib.compress(SIX)[:-1],
        spec=NUMCODECS,
    )
    yield refuse(
        "numcodecs.base64_is_not_registered_text",
        [PLAIN, codec("numcodecs.base64")],
        "base64",
        chunk=b"\xff" * 8,
        spec=NUMCODECS,
    )


@table(configuration_refusals())
@pytest.mark.filterwarnings("ignore")
def test_refuses_the_configuration(case):
    check_refusal(case, case.store)


@table(chunk_refusals())
@pytest.mark.filterwarnings("ignore")
def test_refuses_the_chunk(case):
    check_refusal(case, case.store)


def test_base64_is_what_the_standard_library_writes():
    chunk = base64.b64encode(RAW)
    assert (
        read(
            v3(
                [60],
                [60],
                "int32",
                {"c/0": chunk},
                codecs=[LITTLE, codec("numcodecs.base64")],
                fill=Literal("0"),
            )
        ).tobytes()
        == RAW
    )
