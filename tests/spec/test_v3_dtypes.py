"""Zarr v3: all 51 registered data types (July 2026), their bytes and names, and the spellings in use.

tensorstore 0.1.86 does not leave out the upper bits of ``float4_e2m1fn``, which its description says are ignored.
"""

import base64
import json
import struct
import warnings

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    BIG,
    CODECS,
    EXTENSIONS,
    LITTLE,
    READTHEDOCS,
    Literal,
    Read,
    Refuse,
    assert_same,
    be,
    check_folders,
    check_read,
    check_refusal,
    codec,
    le,
    minifloat,
    objects,
    read,
    table,
    text,
    v3,
    vlen,
    vlen_utf8,
)

ml_dtypes = pytest.importorskip("ml_dtypes")

CORE_TYPES = READTHEDOCS + "v3/data-types/index.html#core-data-types"
BYTES = CODECS + "bytes/index.html#format-and-algorithm"
TYPES = EXTENSIONS + "data-types/"
PLAIN = codec("bytes")


def one(id, spec, data_type, chunk, expected, *, codecs=None, fill=0, **more):
    """One chunk that holds the whole 1-d array."""
    n = expected.size
    store = v3([n], [n], data_type, {"c/0": chunk}, codecs=codecs, fill=fill)
    return Read(f"v3.dtype.{id}", spec, store, expected, **more)


NUMBERS = {
    "int8": ("b", [-128, 127, 5]),
    "uint8": ("B", [0, 255, 5]),
    "int16": ("h", [-(2**15), 2**15 - 1, 258]),
    "uint16": ("H", [0, 2**16 - 1, 258]),
    "int32": ("i", [-(2**31), 2**31 - 1, 16909060]),
    "uint32": ("I", [0, 2**32 - 1, 16909060]),
    "int64": ("q", [-(2**63), 2**63 - 1, 2**53 + 1]),
    "uint64": ("Q", [0, 2**64 - 1, 2**53 + 1]),
    "float16": ("e", [1.5, -0.0, 6.103515625e-05]),
    "float32": ("f", [1.5, -0.0, 2.0**-149]),
    "float64": ("d", [0.1, -0.0, 5e-324]),
}
BIT_PATTERNS = {  # a payload, a negative, a signalling NaN; the least subnormal; minus infinity
    "float16": ("H", [0x7E01, 0xFE00, 0x7D01, 0x0001, 0xFC00]),
    "float32": ("I", [0x7FC00001, 0xFFC00000, 0x7F800001, 1, 0xFF800000]),
    "float64": ("Q", [0x7FF8 << 48 | 1, 0xFFF8 << 48, 0x7FF0 << 48 | 1, 1, 0xFFF0 << 48]),
}


def core_cases():
    yield one("bool", CORE_TYPES, "bool", b"\0\1\1", np.array([False, True, True]), codecs=[PLAIN], fill=False)
    for name, (code, values) in NUMBERS.items():
        expected = np.array(values, name)
        yield one(name, CORE_TYPES, name, le(code, *values), expected)
        if expected.itemsize > 1:
            yield one(f"{name}.big_endian", BYTES, name, be(code, *values), expected, codecs=[BIG])
        else:  # byte order may be left out, or given without effect
            yield one(f"{name}.no_endian", BYTES, name, le(code, *values), expected, codecs=[PLAIN])
            yield one(f"{name}.big_endian", BYTES, name, le(code, *values), expected, codecs=[BIG])
    for name, (code, patterns) in BIT_PATTERNS.items():
        expected = np.array(patterns, code).view(name)
        yield one(f"{name}.every_bit", BYTES, name, le(code, *patterns), expected)
        yield one(f"{name}.every_bit_big_endian", BYTES, name, be(code, *patterns), expected, codecs=[BIG])
    for name, code, part in (("complex64", "f", "f4"), ("complex128", "d", "f8")):
        parts = [1.5, -2.25, -0.0, float("-inf")]
        expected = np.array(parts, part).view(name)
        for alias in (name, f"complex_float{32 if part == 'f4' else 64}"):
            spec = CORE_TYPES if alias == name else TYPES + alias
            yield one(alias, spec, alias, le(code, *parts), expected, fill=[0, 0])
            yield one(f"{alias}.big_endian", spec, alias, be(code, *parts), expected, codecs=[BIG], fill=[0, 0])
    for n in (8, 16, 24, 64):
        size = n // 8
        raw = bytes(range(3 * size))
        expected = np.frombuffer(raw, f"V{size}")
        yield one(f"r{n}", CORE_TYPES, f"r{n}", raw, expected, codecs=[PLAIN], fill=[0] * size)
    # Raw bits are not numbers: byte order does not touch them.
    yield one(
        "r16.endian_has_no_effect",
        CORE_TYPES,
        "r16",
        b"\1\2",
        np.frombuffer(b"\1\2", "V2"),
        codecs=[BIG],
        fill=[0, 0],
    )


def narrow_integer_cases():
    for name, width in (("int2", 2), ("uint2", 2), ("int4", 4), ("uint4", 4)):
        values = range(-(1 << width - 1), 1 << width - 1) if name[0] == "i" else range(1 << width)
        expected = np.array(list(values), "i1").astype(getattr(ml_dtypes, name))
        low = bytes(v & (1 << width) - 1 for v in values)
        high = bytes(b | 0xFF << width & 0xFF for b in low)
        yield one(name, TYPES + name, name, low, expected, codecs=[PLAIN])
        yield one(f"{name}.upper_bits_are_ignored", TYPES + name + "#bytes", name, high, expected, codecs=[LITTLE])


#  name -> bits, exponent bits, mantissa bits, bias
FLOATS = {
    "float4_e2m1fn": (4, 2, 1, 1),
    "float6_e2m3fn": (6, 2, 3, 1),
    "float6_e3m2fn": (6, 3, 2, 3),
    "float8_e3m4": (8, 3, 4, 3),
    "float8_e4m3": (8, 4, 3, 7),
    "float8_e4m3b11fnuz": (8, 4, 3, 11),
    "float8_e4m3fnuz": (8, 4, 3, 8),
    "float8_e5m2": (8, 5, 2, 15),
    "float8_e5m2fnuz": (8, 5, 2, 16),
    "float8_e8m0fnu": (8, 8, 0, 127),
    "bfloat16": (16, 8, 7, 127),
}


def value_of(name, pattern):
    """What a bit pattern means, from the description of the type alone."""
    width, exponent, mantissa, bias = FLOATS[name]
    if name == "float8_e8m0fnu":
        return float("nan") if pattern == 0xFF else 2.0 ** (pattern - 127)
    if name.endswith("fnuz"):
        return float("nan") if pattern == 0x80 else minifloat(pattern, exponent, mantissa, bias)
    top = ((1 << exponent) - 1) << mantissa
    if not name.endswith("fn") and pattern & top == top:  # IEEE 754: the greatest exponent is infinity or NaN
        if pattern & ((1 << mantissa) - 1):
            return float("nan")
        return float("-inf") if pattern >> (width - 1) else float("inf")
    return minifloat(pattern, exponent, mantissa, bias)


def patterns_of(name):
    width = FLOATS[name][0]
    return (
        list(range(1 << width))
        if width <= 8
        else [0, 1, 0x3F80, 0x7F80, 0x7FC0, 0x7F81, 0xFFC1, 0x8000, 0xFF80, 0x4049]
    )


def narrow_float_cases():
    for name, (width, *_) in FLOATS.items():
        code = "H" if width == 16 else "B"
        patterns = patterns_of(name)
        expected = np.array(patterns, f"u{2 if width == 16 else 1}").view(getattr(ml_dtypes, name))
        fill = 1 if name == "float8_e8m0fnu" else 0
        yield one(name, TYPES + name, name, le(code, *patterns), expected, fill=fill)
        if width == 16:
            yield one(
                f"{name}.big_endian",
                TYPES + name + "#bytes",
                name,
                be(code, *patterns),
                expected,
                codecs=[BIG],
            )
        else:
            yield one(
                f"{name}.no_endian",
                TYPES + name + "#bytes",
                name,
                le(code, *patterns),
                expected,
                codecs=[PLAIN],
                fill=fill,
            )
        if width < 8:
            high = bytes(p | 0xFF << width & 0xFF for p in patterns)
            yield one(f"{name}.upper_bits_are_ignored", TYPES + name + "#bytes", name, high, expected, fill=fill)


COMPLEX = ["float16", *FLOATS]


def complex_cases():
    for part in COMPLEX:
        name = f"complex_{part}"
        dtype = np.dtype(np.float16 if part == "float16" else getattr(ml_dtypes, part))
        code = "H" if dtype.itemsize == 2 else "B"
        patterns = [0x3C00, 0x8000, 0x7C00, 0x7E01] if part == "float16" else patterns_of(part)[:8]
        expected = np.array(patterns, f"u{dtype.itemsize}").view([("re", dtype), ("im", dtype)])
        fill = [1, 1] if part == "float8_e8m0fnu" else [0, 0]
        yield one(name, TYPES + name, name, le(code, *patterns), expected, fill=fill)
        if dtype.itemsize == 2:
            yield one(
                f"{name}.big_endian",
                TYPES + name + "#bytes",
                name,
                be(code, *patterns),
                expected,
                codecs=[BIG],
                fill=fill,
            )


WORDS = ["", "abc", "héllo 漢字 😀", "a\0b"]


def utf32(length):
    return {"name": "fixed_length_utf32", "configuration": {"length_bytes": length}}


def text_cases():
    yield one(
        "string",
        TYPES + "string",
        "string",
        vlen_utf8(*WORDS),
        text(*WORDS),
        codecs=[codec("vlen-utf8")],
        fill="",
    )
    pieces = [b"", b"\0\xff", b"abc"]
    for name in (
        "bytes",
        "variable_length_bytes",
        "binary",
    ):  # the last two were in use before the registered name
        yield one(
            name,
            TYPES + "bytes",
            name,
            vlen(*pieces),
            objects(*pieces),
            codecs=[codec("vlen-bytes")],
            fill="",
        )
    hi = "Hi\0" + "漢😀é"
    expected = np.array(["Hi", "漢😀é"], "U3")
    yield one(
        "fixed_length_utf32",
        TYPES + "fixed_length_utf32",
        utf32(12),
        hi.encode("utf-32-le"),
        expected,
        fill="",
    )
    yield one(
        "fixed_length_utf32.big_endian",
        TYPES + "fixed_length_utf32#endianness",
        utf32(12),
        hi.encode("utf-32-be"),
        expected,
        codecs=[BIG],
        fill="",
    )
    yield one(
        "fixed_length_utf32.shortest",
        TYPES + "fixed_length_utf32#length_bytes",
        utf32(4),
        "x".encode("utf-32-le"),
        np.array(["x"], "U1"),
        fill="",
    )
    fixed = {
        "name": "null_terminated_bytes",
        "configuration": {"length_bytes": 3},
    }  # not registered: zarr-python
    yield one(
        "null_terminated_bytes",
        "https://zarr.readthedocs.io/en/stable/",
        fixed,
        b"abcd\0\0",
        np.array([b"abc", b"d"], "S3"),
        codecs=[PLAIN],
        fill="",
    )
    raw = {
        "name": "raw_bytes",
        "configuration": {"length_bytes": 3},
    }  # not registered: zarr-python, tensorstore
    yield one(
        "raw_bytes",
        "https://zarr.readthedocs.io/en/stable/",
        raw,
        bytes(range(6)),
        np.frombuffer(bytes(range(6)), "V3"),
        codecs=[PLAIN],
        fill="AAAA",
    )
    yield one(
        "float8_e4m3fn",
        "https://google.github.io/tensorstore/",
        "float8_e4m3fn",
        bytes([0x38, 0x7E, 0x7F]),
        np.array([0x38, 0x7E, 0x7F], "u1").view(ml_dtypes.float8_e4m3fn),
        codecs=[PLAIN],
    )


UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
TICKS = [0, 1, -1, 20000, -(2**63)]


def time(kind, unit, scale=1):
    return {"name": f"numpy.{kind}64", "configuration": {"unit": unit, "scale_factor": scale}}


def time_cases():
    for kind, letter in (("datetime", "M"), ("timedelta", "m")):
        spec = TYPES + f"numpy.{kind}64#configuration"
        for unit in UNITS:
            expected = np.array(TICKS).view(f"{letter}8[{unit}]")
            yield one(f"numpy.{kind}64.{unit}", spec, time(kind, unit), le("q", *TICKS), expected)
        micro = np.array(TICKS).view(f"{letter}8[us]")
        yield one(f"numpy.{kind}64.micro_sign", spec, time(kind, "μs"), le("q", *TICKS), micro)
        yield one(f"numpy.{kind}64.big_endian", spec, time(kind, "us"), be("q", *TICKS), micro, codecs=[BIG])
        scaled = np.array(TICKS).view(f"{letter}8[25s]")
        yield one(f"numpy.{kind}64.scale_factor", spec, time(kind, "s", 25), le("q", *TICKS), scaled, fill="NaT")
        most = np.array(TICKS).view(f"{letter}8[{2**31 - 1}ns]")
        yield one(f"numpy.{kind}64.greatest_scale_factor", spec, time(kind, "ns", 2**31 - 1), le("q", *TICKS), most)
        generic = np.array(TICKS).view(f"{letter}8")
        yield one(f"numpy.{kind}64.generic", spec, time(kind, "generic"), le("q", *TICKS), generic)


def struct_type(*fields):
    return {"name": "struct", "configuration": {"fields": [{"name": n, "data_type": t} for n, t in fields]}}


def structured(*fields, name="structured"):
    return {"name": name, "configuration": {"fields": [list(field) for field in fields]}}


FLAT = struct_type(("id", "int32"), ("flags", "uint8"), ("value", "float64"))
FLAT_T = np.dtype([("id", "i4"), ("flags", "u1"), ("value", "f8")])
FLAT_FILL = {"id": 0, "flags": 0, "value": 0}
POINT = struct_type(("x", "float32"), ("y", "float32"))
NESTED = struct_type(("point", POINT), ("value", "float64"))
NESTED_T = np.dtype([("point", [("x", "f4"), ("y", "f4")]), ("value", "f8")])
NESTED_FILL = {"point": {"x": 0, "y": 0}, "value": 0}
RICH = struct_type(
    ("when", time("datetime", "s")),
    ("code", utf32(8)),
    ("half", "bfloat16"),
    ("wave", "complex64"),
    ("raw", "r16"),
    ("small", "int4"),
    ("ok", "bool"),
)
RICH_T = np.dtype(
    [
        ("when", "M8[s]"),
        ("code", "U2"),
        ("half", ml_dtypes.bfloat16),
        ("wave", "c8"),
        ("raw", "V2"),
        ("small", ml_dtypes.int4),
        ("ok", "?"),
    ]
)
RICH_FILL = {"when": "NaT", "code": "", "half": 0, "wave": [0, 0], "raw": [0, 0], "small": 0, "ok": False}


def rich(pack, encoding):
    return pack("q", 86400) + "é\0".encode(encoding) + pack("H", 0x3F80) + pack("f", 1, -1) + b"\1\2" + b"\x05" + b"\1"


def rich_expected():
    expected = np.zeros(1, RICH_T)
    expected["when"], expected["code"], expected["half"] = np.datetime64(86400, "s"), "é", 1
    expected["wave"], expected["raw"], expected["small"], expected["ok"] = 1 - 1j, b"\1\2", 5, True
    return expected


def b64(raw):
    return base64.b64encode(raw).decode()


def struct_cases():
    spec = TYPES + "struct"
    rows = [(1, 2, 3.5), (-1, 255, -0.0)]
    flat = np.array(rows, FLAT_T)
    for endian, mark in ((LITTLE, "<"), (BIG, ">")):
        chunk = b"".join(struct.pack(mark + "iBd", *row) for row in rows)
        yield one(
            f"struct.flat_{endian['configuration']['endian']}",
            spec + "#bytes-codec-encoding",
            FLAT,
            chunk,
            flat,
            codecs=[endian],
            fill=FLAT_FILL,
        )
        chunk = struct.pack(mark + "ffd", 1, 2, 3)
        nested = np.array([((1, 2), 3)], NESTED_T)
        yield one(
            f"struct.nested_{endian['configuration']['endian']}",
            spec + "#bytes-codec-encoding",
            NESTED,
            chunk,
            nested,
            codecs=[endian],
            fill=NESTED_FILL,
        )
    yield one(
        "struct.extension_fields",
        spec + "#configuration",
        RICH,
        rich(le, "utf-32-le"),
        rich_expected(),
        fill=RICH_FILL,
    )
    yield one(
        "struct.extension_fields_big_endian",
        spec + "#configuration",
        RICH,
        rich(be, "utf-32-be"),
        rich_expected(),
        codecs=[BIG],
        fill=RICH_FILL,
    )
    yield one(
        "struct.field_type_as_object",
        spec + "#change-log",
        struct_type(("a", {"name": "int16"}), ("b", {"name": "uint8", "configuration": {}})),
        b"\1\0\2",
        np.array([(1, 2)], [("a", "i2"), ("b", "u1")]),
        fill={"a": 0, "b": 0},
    )
    yield one(
        "struct.single_bytes_need_no_endian",
        spec + "#endianness",
        struct_type(("r", "uint8"), ("g", "int8")),
        b"\1\xff",
        np.array([(1, -1)], [("r", "u1"), ("g", "i1")]),
        codecs=[PLAIN],
        fill={"r": 0, "g": 0},
    )
    yield one(
        "struct.one_field",
        spec + "#configuration",
        struct_type(("x", "float64")),
        le("d", 0.5),
        np.array([(0.5,)], [("x", "f8")]),
        fill={"x": 0},
    )
    yield one(
        "struct.three_deep",
        spec + "#configuration",
        struct_type(("a", struct_type(("b", struct_type(("c", "int16")))))),
        le("h", 7),
        np.array([(((7,),),)], [("a", [("b", [("c", "i2")])])]),
        fill={"a": {"b": {"c": 0}}},
    )
    yield Read(
        "v3.dtype.struct.fill",
        spec + "#fill-value-representation",
        v3([2], [2], NESTED, fill={"value": 3.14, "point": {"y": "0x7fc00001", "x": "Infinity"}}),
        _nested_fill(),
    )
    yield Read(
        "v3.dtype.struct.fill_extension_fields",
        spec + "#fill-value-representation",
        v3(
            [1],
            [1],
            RICH,
            fill={
                "when": 86400,
                "code": "é",
                "half": 1,
                "wave": [1, -1],
                "raw": [1, 2],
                "small": 5,
                "ok": True,
            },
        ),
        rich_expected(),
    )
    legacy = TYPES + "structured"
    pair = np.array([(1, 2)], [("x", "f4"), ("y", "i2")])
    fields = (("x", "float32"), ("y", "int16"))
    zero = b64(bytes(6))
    yield one(
        "structured.tuples",
        legacy + "#tuple-based-field-definitions",
        structured(*fields),
        struct.pack("<fh", 1, 2),
        pair,
        fill=zero,
    )
    yield one(
        "structured.objects",
        legacy + "#data-type-name",
        {"name": "structured", "configuration": struct_type(*fields)["configuration"]},
        struct.pack("<fh", 1, 2),
        pair,
        fill={"x": 0, "y": 0},
    )
    yield one(
        "structured.no_endian_means_little",
        legacy + "#missing-endian-configuration",
        structured(*fields),
        struct.pack("<fh", 1, 2),
        pair,
        codecs=[PLAIN],
        fill=zero,
    )
    for endian, mark in ((LITTLE, "<"), (BIG, ">")):
        # The bytes of the fill follow the bytes codec; zarr-python 3.4.2 reads them little-endian always.
        yield Read(
            f"v3.dtype.structured.base64_fill_{endian['configuration']['endian']}",
            legacy + "#base64-encoded-fill-values",
            v3([1], [1], structured(*fields), fill=b64(struct.pack(mark + "fh", 1, 2)), codecs=[endian]),
            pair,
        )
    yield Read(
        "v3.dtype.structured.base64_fill_no_endian",
        legacy + "#base64-encoded-fill-values",
        v3([1], [1], structured(*fields), fill=b64(struct.pack("<fh", 1, 2)), codecs=[PLAIN]),
        pair,
    )


def _nested_fill():
    expected = np.zeros(2, NESTED_T)
    expected["point"]["x"], expected["value"] = np.inf, 3.14
    expected["point"]["y"] = np.array(0x7FC00001, "u4").view("f4")
    return expected


CASES = [
    *core_cases(),
    *narrow_integer_cases(),
    *narrow_float_cases(),
    *complex_cases(),
    *text_cases(),
    *time_cases(),
    *struct_cases(),
]
OBJECT = CODECS.replace("codecs/", "core/index.html#objects")
CASES += [
    one("object_form", OBJECT, {"name": "int16"}, le("h", 1, -1), np.array([1, -1], "i2")),
    one(
        "object_form_empty_configuration",
        OBJECT,
        {"name": "int16", "configuration": {}},
        le("h", 1, -1),
        np.array([1, -1], "i2"),
    ),
    one(
        "object_form_must_understand",
        OBJECT,
        {"name": "float64", "must_understand": True},
        le("d", 1),
        np.array([1.0]),
    ),
]


@table(CASES)
@pytest.mark.filterwarnings("ignore")  # a warning is allowed for records without byte order
def test_reads(case):
    check_read(case, case.store)


@pytest.mark.filterwarnings("ignore")
def test_reads_from_a_folder(tmp_path):
    check_folders([case for case in CASES if "numpy." not in case.id and "every_bit" not in case.id], tmp_path)


@pytest.mark.parametrize("name", FLOATS)
def test_every_bit_pattern_has_the_value_of_its_description(name):
    """The description of each type is decoded here by arithmetic, so that the numpy type is checked too."""
    case = next(case for case in CASES if case.id == f"v3.dtype.{name}")
    with np.errstate(all="ignore"):  # converting a signalling NaN raises a flag
        found = read(case.store).astype("f8")
    expected = np.array([value_of(name, p) for p in patterns_of(name)])
    np.testing.assert_array_equal(found, expected)
    numbers = ~np.isnan(expected)
    assert (np.signbit(found) == np.signbit(expected))[numbers].all()


def refuse(id, data_type, *words, fill=0, codecs=None, spec=TYPES + "struct"):
    return Refuse(
        f"v3.dtype.refuse.{id}",
        spec,
        v3([1], [1], data_type, fill=fill, codecs=codecs),
        ("zarr.json", *words),
    )


XY = {"x": 0, "y": 0}
REFUSALS = [
    refuse("unknown", "int128", "data_type", "int128", spec=CORE_TYPES),
    refuse("unknown_object", {"name": "int128"}, "data_type", "int128", spec=CORE_TYPES),
    refuse(
        "unknown_ignorable",
        {"name": "int128", "must_understand": False},
        "data_type",
        "int128",
        spec=CORE_TYPES,
    ),
    refuse("null", None, "data_type", spec=CORE_TYPES),
    refuse("list", ["int8"], "data_type", spec=CORE_TYPES),
    refuse("object_without_name", {"configuration": {}}, "data_type", "name", spec=CORE_TYPES),
    refuse("v2_typestr", "<i4", "data_type", "<i4", spec=CORE_TYPES),
    refuse(
        "configuration_not_taken",
        {"name": "int8", "configuration": {"endian": "big"}},
        "int8",
        "configuration",
        spec=CORE_TYPES,
    ),
    refuse("configuration_not_an_object", {"name": "int8", "configuration": 1}, "data_type", spec=CORE_TYPES),
    refuse("r12", "r12", "data_type", "r12", fill=[0], spec=CORE_TYPES),
    refuse("r0", "r0", "data_type", "r0", fill=[], spec=CORE_TYPES),
    refuse("struct.no_fields", struct_type(), "struct", "field", fill={}),
    refuse("struct.no_configuration", "struct", "struct", "fields", fill={}),
    refuse(
        "struct.unknown_key",
        {"name": "struct", "configuration": {"fields": [{"name": "x", "data_type": "int8"}], "align": True}},
        "struct",
        "align",
        fill={"x": 0},
    ),
    refuse("struct.duplicate_names", struct_type(("x", "int8"), ("x", "int16")), "struct", "x", fill={"x": 0}),
    refuse("struct.empty_name", struct_type(("", "int8")), "struct", "name", fill={"": 0}),
    refuse("struct.name_not_text", struct_type((1, "int8")), "struct", "name", fill={"1": 0}),
    refuse("struct.string_field", struct_type(("x", "string")), "struct", "x", fill={"x": ""}),
    refuse("struct.bytes_field", struct_type(("x", "bytes")), "struct", "x", fill={"x": ""}),
    refuse(
        "struct.nested_string_field",
        struct_type(("a", struct_type(("b", "string")))),
        "struct",
        "b",
        fill={"a": {"b": ""}},
    ),
    refuse("struct.unknown_field_type", struct_type(("x", "int128")), "int128", fill={"x": 0}),
    refuse(
        "struct.field_missing_type",
        {"name": "struct", "configuration": {"fields": [{"name": "x"}]}},
        "struct",
        "data_type",
        fill={"x": 0},
    ),
    refuse(
        "struct.field_unknown_key",
        {"name": "struct", "configuration": {"fields": [{"name": "x", "data_type": "int8", "offset": 4}]}},
        "struct",
        "offset",
        fill={"x": 0},
    ),
    refuse(
        "struct.fields_not_a_list",
        {"name": "struct", "configuration": {"fields": {"x": "int8"}}},
        "struct",
        "fields",
        fill={"x": 0},
    ),
    refuse(
        "struct.no_endian",
        POINT,
        "bytes",
        "endian",
        fill=XY,
        codecs=[PLAIN],
        spec=TYPES + "struct#endianness",
    ),
    refuse(
        "struct.no_endian_nested",
        struct_type(("a", POINT)),
        "bytes",
        "endian",
        fill={"a": XY},
        codecs=[PLAIN],
    ),
    refuse(
        "struct.fill_missing_field",
        POINT,
        "fill_value",
        "y",
        fill={"x": 0},
        spec=TYPES + "struct#fill-value-representation",
    ),
    refuse("struct.fill_missing_nested_field", NESTED, "fill_value", fill={"point": {"x": 0}, "value": 0}),
    refuse("struct.fill_unknown_field", POINT, "fill_value", "z", fill=XY | {"z": 0}),
    refuse("struct.fill_list", POINT, "fill_value", fill=[0, 0]),
    refuse("struct.fill_base64", POINT, "fill_value", fill=b64(bytes(8))),
    refuse("struct.fill_zero", POINT, "fill_value", fill=0),
    refuse("struct.fill_bad_in_field", POINT, "fill_value", fill={"x": "high", "y": 0}),
    refuse(
        "structured.base64_fill_too_short",
        structured(("x", "float32")),
        "fill_value",
        "4",
        fill=b64(bytes(3)),
        spec=TYPES + "structured",
    ),
    refuse(
        "utf32.no_configuration",
        "fixed_length_utf32",
        "fixed_length_utf32",
        "length_bytes",
        fill="",
        spec=TYPES + "fixed_length_utf32#configuration",
    ),
    *(
        refuse(
            f"utf32.length_{n}",
            utf32(n),
            "length_bytes",
            "4",
            str(n),
            fill="",
            spec=TYPES + "fixed_length_utf32#length_bytes",
        )
        for n in (0, 6, -4)
    ),
    refuse("utf32.length_text", utf32("12"), "length_bytes", fill=""),
    refuse(
        "utf32.no_endian",
        utf32(12),
        "bytes",
        "endian",
        fill="",
        codecs=[PLAIN],
        spec=TYPES + "fixed_length_utf32#endianness",
    ),
    refuse(
        "utf32.vlen_utf8",
        utf32(12),
        "vlen-utf8",
        fill="",
        codecs=[codec("vlen-utf8")],
        spec=TYPES + "fixed_length_utf32#codec-compatibility",
    ),
    *(
        refuse(
            f"time.scale_{n}",
            time("datetime", "s", n),
            "scale_factor",
            spec=TYPES + "numpy.datetime64#configuration",
        )
        for n in (0, -1, 2**31, 1.5, "1")
    ),
    refuse(
        "time.unit",
        time("timedelta", "fortnight"),
        "unit",
        "fortnight",
        spec=TYPES + "numpy.timedelta64#configuration",
    ),
    refuse(
        "time.no_configuration",
        "numpy.datetime64",
        "numpy.datetime64",
        "unit",
        spec=TYPES + "numpy.datetime64",
    ),
    refuse(
        "time.no_scale",
        {"name": "numpy.datetime64", "configuration": {"unit": "s"}},
        "scale_factor",
        spec=TYPES + "numpy.datetime64#configuration",
    ),
    refuse(
        "time.unknown_key",
        {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1, "calendar": "none"}},
        "calendar",
        spec=TYPES + "numpy.datetime64#configuration",
    ),
    refuse("string.bytes_codec", "string", "bytes", "string", fill="", spec=TYPES + "string#notes"),
    refuse(
        "bytes.vlen_utf8",
        "bytes",
        "vlen-utf8",
        "bytes",
        fill="",
        codecs=[codec("vlen-utf8")],
        spec=TYPES + "bytes",
    ),
    refuse(
        "string.vlen_bytes",
        "string",
        "vlen-bytes",
        "string",
        fill="",
        codecs=[codec("vlen-bytes")],
        spec=TYPES + "string",
    ),
    refuse("bytes_codec.no_endian", "uint16", "bytes", "endian", codecs=[PLAIN], spec=BYTES),
    refuse("bytes_codec.no_endian_bfloat16", "bfloat16", "bytes", "endian", codecs=[PLAIN], spec=BYTES),
    refuse(
        "bytes_codec.no_endian_complex_float16",
        "complex_float16",
        "bytes",
        "endian",
        fill=[0, 0],
        codecs=[PLAIN],
        spec=BYTES,
    ),
    refuse("bytes_codec.no_endian_time", time("datetime", "s"), "bytes", "endian", codecs=[PLAIN], spec=BYTES),
    refuse(
        "bytes_codec.bad_endian",
        "uint16",
        "bytes",
        "endian",
        "middle",
        codecs=[codec("bytes", endian="middle")],
        spec=BYTES,
    ),
    refuse(
        "fill.float_type_given_a_struct_fill",
        "float32",
        "fill_value",
        fill={"x": Literal("1")},
        spec=CORE_TYPES,
    ),
]


@table(REFUSALS)
def test_refuses(case):
    check_refusal(case, case.store)


@pytest.mark.parametrize(
    ("document", "written"),
    [
        (structured(("x", "float32")), struct_type(("x", "float32"))),
        (
            {"name": "structured", "configuration": {"fields": [{"name": "x", "data_type": "int8"}]}},
            struct_type(("x", "int8")),
        ),
    ],
    ids=["tuples", "objects"],
)
def test_the_legacy_name_structured_is_never_written_to_a_new_array(document, written):
    """https://github.com/zarr-developers/zarr-extensions/tree/main/data-types/structured#read-only-alias"""
    size = 4 if "float32" in str(document) else 1
    old = zarr.open_array(v3([1], [1], document, fill=b64(bytes(size))), mode="r")
    store = {}
    zarr.create_array(store, data=old[...], chunks=(1,))
    assert json.loads(store["zarr.json"])["data_type"] == written


def test_the_legacy_name_structured_is_registered_and_so_no_leniency():
    """Implementations MUST be able to read arrays whose metadata uses it, with all that belongs to it."""
    for case in CASES:
        if case.id.startswith("v3.dtype.structured."):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert_same(read(case.store, strict=True), case.expected)
