"""Zarr v3: what ``fill_value`` may be for each data type, read bit by bit from a chunk that is not there.

What others do with these stores: zarr-python 3.4.2 loses the payload of hexadecimal float16 and of signalling
float32, and takes 3.0, 1e2, "5", true, "+Infinity" and hexadecimal of the wrong width; tensorstore 0.1.86
reads ``float8_e8m0fnu`` 1.0 as 5.4e-20 and takes 3.0 for an integer; zarrita 0.7.5 rounds 64-bit integers to
doubles and takes hexadecimal for a number. The specification is explicit on all of these.
"""

import base64
import json

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    EXTENSIONS,
    FILL,
    Literal,
    Read,
    Refuse,
    assert_same,
    bits,
    check_folders,
    check_read,
    check_refusal,
    codec,
    judge_all,
    le,
    objects,
    read,
    table,
    text,
    v3,
)

ml_dtypes = pytest.importorskip("ml_dtypes")

TYPES = EXTENSIONS + "data-types/"
UTF8, VLEN_BYTES = [codec("vlen-utf8")], [codec("vlen-bytes")]


def time(kind, unit, scale=1):
    return {"name": f"numpy.{kind}64", "configuration": {"unit": unit, "scale_factor": scale}}


UTF32 = {"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}}


def absent(id, data_type, fill, expected, codecs=None, spec=FILL, lenient=False):
    """Two elements of a chunk that is not there; `expected` is 0-d."""
    expected = np.asarray(expected)
    store = v3([2], [2], data_type, fill=fill, codecs=codecs)
    return Read(f"v3.fill.{id}", spec, store, np.stack([expected, expected]), lenient=lenient)


def ml(name, pattern):
    dtype = np.dtype(getattr(ml_dtypes, name))
    return np.array(pattern, f"u{dtype.itemsize}").view(dtype)


def floats():
    for width, digits in ((2, 4), (4, 8), (8, 16)):
        name = f"float{8 * width}"
        top = {2: 0x7C00, 4: 0x7F800000, 8: 0x7FF0 << 48}[width]  # infinity: all ones in the exponent
        quiet = top | top >> 1 & ~top  # and the first bit of the mantissa
        patterns = {
            "payload": quiet | 1,
            "negative_nan": quiet | 1 << (8 * width - 1),
            "signalling": top | 1,
            "all_ones": (1 << 8 * width) - 1,
            "quiet": quiet,
            "infinity": top,
            "number": 0x4049 << 8 * (width - 2),
        }
        yield absent(f"{name}.NaN", name, "NaN", bits(width, quiet)[0])
        yield absent(f"{name}.Infinity", name, "Infinity", bits(width, top)[0])
        yield absent(f"{name}.-Infinity", name, "-Infinity", bits(width, top | 1 << (8 * width - 1))[0])
        for label, pattern in patterns.items():
            yield absent(f"{name}.hex_{label}", name, f"0x{pattern:0{digits}x}", bits(width, pattern)[0:1].reshape(()))
        yield absent(f"{name}.hex_upper_case", name, f"0x{quiet | 0xA:0{digits}X}", bits(width, quiet | 0xA)[0])
        yield absent(f"{name}.minus_zero", name, Literal("-0.0"), np.array(-0.0, name))
        yield absent(f"{name}.integer", name, 3, np.array(3, name))
        yield absent(f"{name}.exponent", name, Literal("1e2"), np.array(100, name))
        yield absent(f"{name}.0.1", name, 0.1, np.array(0.1, name))


ROUNDED = [
    absent("float32.beyond_the_greatest", "float32", Literal("1e39"), np.float32("inf")),
    absent("float32.least_subnormal", "float32", Literal("1e-45"), bits(4, 1)[0]),
    absent("float32.half_to_even_down", "float32", 2**24 + 1, np.float32(2**24)),
    absent("float32.half_to_even_up", "float32", 2**24 + 3, np.float32(2**24 + 4)),
    absent("float64.half_to_even", "float64", 2**53 + 1, np.float64(2**53)),
    absent("float64.a_long_integer", "float64", Literal("1" + "0" * 40), np.float64(1e40)),
    absent("float64.a_long_fraction", "float64", Literal("0.1000000000000000055511151231257827"), np.float64(0.1)),
    absent("float16.greatest", "float16", 65519, np.float16(65504)),
    absent("float16.beyond_the_greatest", "float16", 65520, bits(2, 0x7C00)[0]),
]

INTEGERS = [
    absent("int8.least", "int8", -128, np.int8(-128)),
    absent("uint8.greatest", "uint8", 255, np.uint8(255)),
    absent("int16.least", "int16", -(2**15), np.int16(-(2**15))),
    absent("uint16.greatest", "uint16", 2**16 - 1, np.uint16(2**16 - 1)),
    absent("int32.least", "int32", -(2**31), np.int32(-(2**31))),
    absent("uint32.greatest", "uint32", 2**32 - 1, np.uint32(2**32 - 1)),
    absent("int64.least", "int64", -(2**63), np.int64(-(2**63))),
    absent("int64.beyond_2_53", "int64", 2**53 + 1, np.int64(2**53 + 1)),
    absent("uint64.greatest", "uint64", 2**64 - 1, np.uint64(2**64 - 1)),
    absent("int32.3.0", "int32", Literal("3.0"), np.int32(3), lenient=True),
    absent("uint8.exponent", "uint8", Literal("1e2"), np.uint8(100), lenient=True),
    # The prototype zarrita wrote 0 and 1, and is known by naming a byte order for single bytes.
    absent("bool.0_of_zarrita", "bool", 0, np.bool_(False), lenient=True),
    absent("bool.true", "bool", True, np.bool_(True)),
    absent("bool.false", "bool", False, np.bool_(False)),
    absent("int2.least", "int2", -2, np.array(-2, ml_dtypes.int2), spec=TYPES + "int2"),
    absent("uint2.greatest", "uint2", 3, np.array(3, ml_dtypes.uint2), spec=TYPES + "uint2"),
    absent("int4.least", "int4", -8, np.array(-8, ml_dtypes.int4), spec=TYPES + "int4"),
    absent("uint4.greatest", "uint4", 15, np.array(15, ml_dtypes.uint4), spec=TYPES + "uint4"),
]


def complexes():
    pair = np.array([1, 2], "f4")
    for name in ("complex64", "complex_float32"):
        yield absent(f"{name}.numbers", name, [1, 2], pair.view("c8")[0])
        yield absent(f"{name}.names", name, ["-Infinity", "NaN"], bits(4, 0xFF800000, 0x7FC00000).view("c8")[0])
        yield absent(
            f"{name}.hex",
            name,
            ["0x7fc00001", Literal("-0.0")],
            bits(4, 0x7FC00001, 0x80000000).view("c8")[0:1].reshape(()),
        )
    yield absent(
        "complex128.hex",
        "complex128",
        ["0xfff8000000000000", 1],
        bits(8, 0xFFF8 << 48, 0x3FF0 << 48).view("c16")[0:1].reshape(()),
    )
    half = np.array([0x3C00, 0x7E01], "u2").view([("re", "f2"), ("im", "f2")]).reshape(())
    yield absent("complex_float16", "complex_float16", [1, "0x7e01"], half, spec=TYPES + "complex_float16")
    brain = np.array([0x3F80, 0x7FC0], "u2").view([("re", ml_dtypes.bfloat16), ("im", ml_dtypes.bfloat16)]).reshape(())
    yield absent("complex_bfloat16", "complex_bfloat16", [1, "NaN"], brain, spec=TYPES + "complex_bfloat16")
    scale = np.array([0x80, 0xFF], "u1").view([(n, ml_dtypes.float8_e8m0fnu) for n in ("re", "im")]).reshape(())
    yield absent(
        "complex_float8_e8m0fnu",
        "complex_float8_e8m0fnu",
        [2, "NaN"],
        scale,
        spec=TYPES + "complex_float8_e8m0fnu",
    )
    tiny = np.array([0x07, 0x0F], "u1").view([(n, ml_dtypes.float4_e2m1fn) for n in ("re", "im")]).reshape(())
    yield absent("complex_float4_e2m1fn", "complex_float4_e2m1fn", [6, -6], tiny, spec=TYPES + "complex_float4_e2m1fn")


# (type, JSON, bits)
NARROW = [
    ("bfloat16", "NaN", 0x7FC0),
    ("bfloat16", "Infinity", 0x7F80),
    ("bfloat16", "0xffc1", 0xFFC1),
    ("bfloat16", 1, 0x3F80),
    ("bfloat16", Literal("1.00390625"), 0x3F80),  # half way between two neighbours: to the even one
    ("bfloat16", Literal("1.01171875"), 0x3F82),
    ("float4_e2m1fn", 6, 0x07),
    ("float4_e2m1fn", Literal("-0.5"), 0x09),
    ("float4_e2m1fn", Literal("-0.0"), 0x08),
    ("float6_e2m3fn", Literal("7.5"), 0x1F),
    ("float6_e2m3fn", Literal("0.125"), 0x01),
    ("float6_e3m2fn", 28, 0x1F),
    ("float6_e3m2fn", Literal("-0.0625"), 0x21),
    ("float8_e3m4", "NaN", 0x78),
    ("float8_e3m4", "-Infinity", 0xF0),
    ("float8_e3m4", Literal("15.5"), 0x6F),
    ("float8_e3m4", "0x79", 0x79),
    ("float8_e4m3", "NaN", 0x7C),
    ("float8_e4m3", "Infinity", 0x78),
    ("float8_e4m3", 240, 0x77),
    ("float8_e4m3", "0x7f", 0x7F),
    ("float8_e4m3b11fnuz", "NaN", 0x80),
    ("float8_e4m3b11fnuz", 30, 0x7F),
    ("float8_e4m3b11fnuz", "0x80", 0x80),
    ("float8_e4m3fnuz", "NaN", 0x80),
    ("float8_e4m3fnuz", 240, 0x7F),
    ("float8_e5m2", "NaN", 0x7E),
    ("float8_e5m2", "-Infinity", 0xFC),
    ("float8_e5m2", 57344, 0x7B),
    ("float8_e5m2", "0xfd", 0xFD),
    ("float8_e5m2fnuz", "NaN", 0x80),
    ("float8_e5m2fnuz", 57344, 0x7F),
    ("float8_e8m0fnu", "NaN", 0xFF),
    ("float8_e8m0fnu", 1, 0x7F),
    ("float8_e8m0fnu", Literal("0.5"), 0x7E),
    ("float8_e8m0fnu", "0x00", 0x00),
]


def narrow():
    for i, (name, fill, pattern) in enumerate(NARROW):
        yield absent(f"{name}.{i}", name, fill, ml(name, pattern), spec=TYPES + name)


OTHERS = [
    absent("r8", "r8", [255], np.frombuffer(b"\xff", "V1")[0], [codec("bytes")]),
    absent("r16", "r16", [1, 2], np.frombuffer(b"\1\2", "V2")[0], [codec("bytes")]),
    absent("r24", "r24", [1, 0, 255], np.frombuffer(b"\1\0\xff", "V3")[0], [codec("bytes")]),
    absent("r64", "r64", list(range(8)), np.frombuffer(bytes(range(8)), "V8")[0], [codec("bytes")]),
    absent("string", "string", "héllo 漢字 😀", text("héllo 漢字 😀", shape=()), UTF8, TYPES + "string"),
    absent("string.empty", "string", "", text("", shape=()), UTF8, TYPES + "string"),
    absent(
        "string.looks_like_a_number",
        "string",
        "0x7fc00000",
        text("0x7fc00000", shape=()),
        UTF8,
        TYPES + "string",
    ),
    absent(
        "bytes.list",
        "bytes",
        [1, 2, 3],
        objects(b"\1\2\3", shape=()),
        VLEN_BYTES,
        TYPES + "bytes#fill-value-encoding",
    ),
    absent(
        "bytes.base64",
        "bytes",
        "AQID",
        objects(b"\1\2\3", shape=()),
        VLEN_BYTES,
        TYPES + "bytes#fill-value-encoding",
    ),
    absent(
        "bytes.empty_list",
        "bytes",
        [],
        objects(b"", shape=()),
        VLEN_BYTES,
        TYPES + "bytes#fill-value-encoding",
    ),
    absent(
        "bytes.empty_text",
        "bytes",
        "",
        objects(b"", shape=()),
        VLEN_BYTES,
        TYPES + "bytes#fill-value-encoding",
    ),
    absent(
        "utf32",
        UTF32,
        "é漢😀",
        np.array("é漢😀", "U3"),
        spec=TYPES + "fixed_length_utf32#fill-value-representation",
    ),
    absent(
        "utf32.short",
        UTF32,
        "x",
        np.array("x", "U3"),
        spec=TYPES + "fixed_length_utf32#fill-value-representation",
    ),
    absent(
        "datetime.NaT",
        time("datetime", "ns"),
        "NaT",
        np.datetime64("NaT", "ns"),
        spec=TYPES + "numpy.datetime64",
    ),
    absent(
        "datetime.least",
        time("datetime", "ns"),
        -(2**63),
        np.datetime64("NaT", "ns"),
        spec=TYPES + "numpy.datetime64",
    ),
    absent(
        "datetime.integer",
        time("datetime", "D"),
        19000,
        np.datetime64(19000, "D"),
        spec=TYPES + "numpy.datetime64",
    ),
    absent(
        "datetime.greatest",
        time("datetime", "s", 10),
        2**63 - 1,
        np.array(2**63 - 1).view("M8[10s]"),
        spec=TYPES + "numpy.datetime64",
    ),
    absent(
        "timedelta.NaT",
        time("timedelta", "us"),
        "NaT",
        np.timedelta64("NaT", "us"),
        spec=TYPES + "numpy.timedelta64",
    ),
    absent(
        "timedelta.integer",
        time("timedelta", "μs"),
        -5,
        np.timedelta64(-5, "us"),
        spec=TYPES + "numpy.timedelta64",
    ),
]

CASES = [*floats(), *ROUNDED, *INTEGERS, *complexes(), *narrow(), *OTHERS]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders([case for case in CASES if "hex" in case.id or case in OTHERS], tmp_path)


def test_writing_the_metadata_back_keeps_the_fill_value():
    """Opening to write and changing an attribute leaves the very same JSON value."""

    def judge(case):
        store = dict(case.store)
        before = json.loads(store["zarr.json"])["fill_value"]
        zarr.open_array(store, mode="r+").attrs["touched"] = True
        after = json.loads(store["zarr.json"])
        assert after["attributes"] == {"touched": True}
        assert json.dumps(after["fill_value"]) == json.dumps(before)

    judge_all(CASES, judge)


def test_a_new_array_with_the_same_fill_value_has_the_same_bits():
    """The document of the new array is made from the parsed value, which goes through our own JSON form."""

    def judge(case):
        a, store = zarr.open_array(case.store, mode="r"), {}
        data_type, fill_value = a.metadata.data_type, a.metadata.fill_value
        zarr.create_array(store, shape=a.shape, chunks=a.chunks, dtype=data_type, fill_value=fill_value)
        assert_same(read(store), case.expected)

    judge_all(CASES, judge)


def refuse(id, data_type, fill, *words, codecs=None, spec=FILL):
    return Refuse(
        f"v3.fill.refuse.{id}",
        spec,
        v3([1], [1], data_type, fill=fill, codecs=codecs),
        ("zarr.json", "fill_value", *words),
    )


def refusals():
    yield Refuse("v3.fill.refuse.missing", FILL, v3([1], [1], "int8", drop=["fill_value"]), ("zarr.json", "fill_value"))
    for name in ("int8", "float32", "bool", "complex64", "string"):
        yield refuse(f"{name}.null", name, None, codecs=UTF8 if name == "string" else None)
    for name, low, high in (
        ("int8", -129, 128),
        ("uint8", -1, 256),
        ("int64", -(2**63) - 1, 2**63),
        ("uint64", -1, 2**64),
        ("int2", -3, 2),
        ("uint2", -1, 4),
        ("int4", -9, 8),
        ("uint4", -1, 16),
    ):
        yield refuse(f"{name}.below", name, low, name, str(low))
        yield refuse(f"{name}.above", name, high, name, str(high))
    for label, value in (
        ("1.5", 1.5),
        ("above_2_53", Literal("9007199254740994.0")),
        ("text", "5"),
        ("true", True),
        ("list", [5]),
        ("NaN", "NaN"),
        ("hex", "0x05"),
    ):
        yield refuse(f"int64.{label}", "int64", value, "int64")
    for label, value in (("0", 0), ("1", 1), ("text", "true"), ("list", [True])):
        yield refuse(f"bool.{label}", "bool", value, "bool", codecs=[codec("bytes")])
    for label, value in (
        ("true", True),
        ("+Infinity", "+Infinity"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("-NaN", "-NaN"),
        ("text", "1.5"),
        ("empty", ""),
        ("list", [1.0]),
        ("short_hex", "0x1"),
        ("long_hex", "0x07fc00000"),
        ("hex_of_float64", "0x7ff8000000000000"),
        ("hex_of_float16", "0x7e00"),
        ("not_hex", "0x7fc0000g"),
        ("bits", "0b01111111110000000000000000000000"),
    ):
        yield refuse(f"float32.{label}", "float32", value, "float32")
    yield refuse("float64.hex_of_float32", "float64", "0x7fc00000", "float64")
    yield refuse("float16.hex_of_float32", "float16", "0x7fc00000", "float16")
    for label, value in (
        ("scalar", 1),
        ("name", "NaN"),
        ("one", [1]),
        ("three", [1, 2, 3]),
        ("object", {"re": 1, "im": 2}),
        ("true", [1, True]),
        ("+Infinity", ["+Infinity", 0]),
        ("hex_width", ["0x7ff8000000000000", 0]),
    ):
        yield refuse(f"complex64.{label}", "complex64", value)
    for name in ("float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn"):
        for value in ("NaN", "Infinity", "-Infinity"):
            yield refuse(f"{name}.{value}", name, value, name, spec=TYPES + name)
    for name in ("float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"):
        for value in ("Infinity", "-Infinity"):
            yield refuse(f"{name}.{value}", name, value, name, spec=TYPES + name)
    yield refuse("bfloat16.hex_width", "bfloat16", "0x7fc00000", "bfloat16", spec=TYPES + "bfloat16")
    yield refuse("complex_float4_e2m1fn.NaN", "complex_float4_e2m1fn", [0, "NaN"], "float4_e2m1fn", spec=TYPES)
    for label, value in (
        ("too_short", [1]),
        ("too_long", [1, 2, 3]),
        ("as_many_as_bits", [0] * 16),
        ("256", [1, 256]),
        ("negative", [-1, 0]),
        ("float", [1.5, 0]),
        ("true", [True, False]),
        ("number", 258),
    ):
        yield refuse(f"r16.{label}", "r16", value, "r16", codecs=[codec("bytes")])
    for label, value in (("number", 0), ("list", ["a"]), ("true", True)):
        yield refuse(f"string.{label}", "string", value, "string", codecs=UTF8, spec=TYPES + "string")
    for label, value in (
        ("number", 0),
        ("256", [256]),
        ("not_base64", "A"),
        ("not_base64_alphabet", "€€€€"),
        ("float", [1.5]),
    ):
        yield refuse(
            f"bytes.{label}",
            "bytes",
            value,
            "bytes",
            codecs=VLEN_BYTES,
            spec=TYPES + "bytes#fill-value-encoding",
        )
    yield refuse("utf32.too_long", UTF32, "four", "fixed_length_utf32", "3", spec=TYPES + "fixed_length_utf32")
    yield refuse("utf32.number", UTF32, 0, "fixed_length_utf32", spec=TYPES + "fixed_length_utf32")
    for label, value in (
        ("iso", "2000-01-01"),
        ("float", Literal("1.0")),
        ("exponent", Literal("1e3")),
        ("nat", "nat"),
        ("above", 2**63),
        ("true", True),
    ):
        yield refuse(
            f"datetime.{label}",
            time("datetime", "s"),
            value,
            "numpy.datetime64",
            spec=TYPES + "numpy.datetime64",
        )
    yield refuse("timedelta.text", time("timedelta", "s"), "1", "numpy.timedelta64", spec=TYPES + "numpy.timedelta64")


@table(refusals())
def test_refuses(case):
    check_refusal(case, case.store)


@pytest.mark.parametrize(
    ("fill", "value"),
    [
        ("NaN", 0x7FC00001),
        ("NaN", 0xFFC00000),
        ("0x7fc00001", 0x7FC00000),
        (0, 0x80000000),
        (Literal("-0.0"), 0),
    ],
    ids=["payload", "negative_nan", "canonical_nan", "minus_zero", "zero"],
)
def test_a_chunk_equal_to_the_fill_value_only_in_part_of_its_bits_is_kept(fill, value):
    """zarr-python 3.4.2 drops a chunk of NaNs whose payload differs from the fill value's."""
    store = v3([2], [2], "float32", fill=fill)
    zarr.open_array(store, mode="r+")[...] = bits(4, value, value)
    assert store["c/0"] == le("I", value, value)


def test_a_chunk_equal_to_the_fill_value_bit_for_bit_is_dropped():
    store = v3([2], [2], "float32", {"c/0": le("f", 1, 2)}, fill="0x7fc00001")
    zarr.open_array(store, mode="r+")[...] = bits(4, 0x7FC00001, 0x7FC00001)
    assert "c/0" not in store


def test_base64_here_is_the_standard_alphabet():
    raw = bytes([0xFB, 0xFF])
    store = v3([1], [1], "bytes", fill=base64.b64encode(raw).decode(), codecs=VLEN_BYTES)
    assert zarr.open_array(store, mode="r")[...].tolist() == [raw]
