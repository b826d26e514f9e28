"""Zarr v2: every typestr in both byte orders, structured types, and the forms of the fill value."""

import base64
import itertools
import struct

import numpy as np

from spec.build import V2, Literal, Read, be, bits, check_folders, check_read, le, table, v2

DTYPE, FILL = V2 + "#data-type-encoding", V2 + "#fill-value-encoding"


def b64(raw):
    return base64.b64encode(raw).decode()


NUMBERS = {
    "i1": ("b", [-128, 127, 5]),
    "u1": ("B", [0, 255, 5]),
    "i2": ("h", [-(2**15), 2**15 - 1, 258]),
    "u2": ("H", [0, 2**16 - 1, 258]),
    "i4": ("i", [-(2**31), 2**31 - 1, 16909060]),
    "u4": ("I", [0, 2**32 - 1, 16909060]),
    "i8": ("q", [-(2**63), 2**63 - 1, 2**53 + 1]),
    "u8": ("Q", [0, 2**64 - 1, 2**53 + 1]),
    "f2": ("e", [1.5, -0.0, 6.103515625e-05]),
    "f4": ("f", [1.5, -0.0, 2.0**-149]),
    "f8": ("d", [0.1, -0.0, 5e-324]),
}


def _number_cases():
    for name, (code, values) in NUMBERS.items():
        for mark, pack in (("<", le), (">", be)):
            yield Read(
                f"v2.dtype.{mark}{name}",
                DTYPE,
                v2([3], [3], mark + name, {"0": pack(code, *values)}),
                np.array(values, name),
            )
    for name in ("|i1", "|u1"):
        code, values = NUMBERS[name[1:]]
        yield Read(f"v2.dtype.{name}", DTYPE, v2([3], [3], name, {"0": le(code, *values)}), np.array(values, name))
    for size, code, part in ((8, "f", "f4"), (16, "d", "f8")):
        for mark, pack in (("<", le), (">", be)):
            parts = [1.5, -2.25, float("inf"), -0.0]
            yield Read(
                f"v2.dtype.{mark}c{size}",
                DTYPE,
                v2([2], [2], f"{mark}c{size}", {"0": pack(code, *parts)}, fill=[0.0, 0.0]),
                np.array(parts, part).view(f"c{size}"),
            )


NAN_PAYLOADS = [0x7FC00000, 0x7FC00001, 0xFFC00000, 0x7F800001]  # the last one signals

TEXT_CASES = [
    Read(
        "v2.dtype.|b1",
        DTYPE,
        v2([3], [3], "|b1", {"0": b"\1\0\1"}, fill=False),
        np.array([True, False, True]),
    ),
    Read(
        "v2.dtype.|S3",
        DTYPE,
        v2([3], [3], "|S3", {"0": b"abcde\0\0\0\0"}, fill=""),
        np.array([b"abc", b"de", b""], "S3"),
    ),
    Read(
        "v2.dtype.|S3_inner_zero",
        DTYPE,
        v2([1], [1], "|S3", {"0": b"a\0b"}, fill=""),
        np.array([b"a\0b"], "S3"),
    ),
    Read(
        "v2.dtype.<U3",
        DTYPE,
        v2([2], [2], "<U3", {"0": "aé漢".encode("utf-32-le") + "😀\0\0".encode("utf-32-le")}, fill=""),
        np.array(["aé漢", "😀"], "U3"),
    ),
    Read(
        "v2.dtype.>U3",
        DTYPE,
        v2([2], [2], ">U3", {"0": "aé漢".encode("utf-32-be") + "b\0\0".encode("utf-32-be")}, fill=""),
        np.array(["aé漢", "b"], "U3"),
    ),
    Read(
        "v2.dtype.|V4",
        DTYPE,
        v2([2], [2], "|V4", {"0": bytes(range(8))}, fill=b64(bytes(4))),
        np.frombuffer(bytes(range(8)), "V4"),
    ),
]

UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
TICKS = [0, 1, -1, 20000, -(2**63)]  # the last one is NaT


def _time_cases():
    for kind, unit in itertools.product("Mm", UNITS):
        yield Read(
            f"v2.dtype.<{kind}8[{unit}]",
            DTYPE,
            v2([5], [5], f"<{kind}8[{unit}]", {"0": le("q", *TICKS)}),
            np.array(TICKS).view(f"{kind}8[{unit}]"),
        )
    for kind in "Mm":
        yield Read(
            f"v2.dtype.>{kind}8[ns]",
            DTYPE,
            v2([5], [5], f">{kind}8[ns]", {"0": be("q", *TICKS)}),
            np.array(TICKS).view(f"{kind}8[ns]"),
        )
        yield Read(
            f"v2.dtype.<{kind}8[25s]",
            DTYPE,
            v2([5], [5], f"<{kind}8[25s]", {"0": le("q", *TICKS)}),
            np.array(TICKS).view(f"{kind}8[25s]"),
        )


RGB = [["r", "|u1"], ["g", "|u1"], ["b", "|u1"]]
SUB = [["x", "<f4"], ["y", "<f4"], ["z", "<f4", [2, 2]]]
NESTED = [["foo", "<f4"], ["bar", [["baz", "<f4"], ["qux", "<i4"]]]]
DEEP = [
    ["id", ">u2"],
    ["box", [["lo", "<i2", [2]], ["in", [["t", "<M8[s]"], ["ok", "|b1"]]]]],
    ["tag", "|S2"],
]
RGB_T = np.dtype([("r", "u1"), ("g", "u1"), ("b", "u1")])
SUB_T = np.dtype([("x", "f4"), ("y", "f4"), ("z", "f4", (2, 2))])
NESTED_T = np.dtype([("foo", "f4"), ("bar", [("baz", "f4"), ("qux", "i4")])])
DEEP_T = np.dtype(
    [
        ("id", "u2"),
        ("box", [("lo", "i2", (2,)), ("in", [("t", "M8[s]"), ("ok", "?")])]),
        ("tag", "S2"),
    ]
)
MIXED = [["a", "<i2"], ["b", ">i2"], ["c", ">f8"]]
MIXED_T = np.dtype([("a", "i2"), ("b", "i2"), ("c", "f8")])

STRUCTURED = [
    Read(
        "v2.structured.simple",
        DTYPE,
        v2([2], [2], RGB, {"0": bytes(range(6))}, fill=b64(bytes(3))),
        np.array([(0, 1, 2), (3, 4, 5)], RGB_T),
    ),
    Read(
        "v2.structured.mixed_byte_order",
        DTYPE,
        v2(
            [2],
            [2],
            MIXED,
            {"0": b"".join(le("h", a) + be("h", b) + be("d", c) for a, b, c in ((1, 2, 0.5), (-3, -4, 7)))},
            fill=b64(le("h", 0) + be("h", 0) + be("d", 0)),
        ),
        np.array([(1, 2, 0.5), (-3, -4, 7)], MIXED_T),
    ),
    Read(
        "v2.structured.subarray",
        DTYPE,
        v2([2], [2], SUB, {"0": le("f", *range(12))}, fill=b64(bytes(24))),
        np.array([(0, 1, [[2, 3], [4, 5]]), (6, 7, [[8, 9], [10, 11]])], SUB_T),
    ),
    Read(
        "v2.structured.nested",
        DTYPE,
        v2([2], [2], NESTED, {"0": struct.pack("<ffiffi", 1, 2, 3, 4, 5, 6)}, fill=b64(bytes(12))),
        np.array([(1, (2, 3)), (4, (5, 6))], NESTED_T),
    ),
    Read(
        "v2.structured.nested_subarray_time_text",
        DTYPE,
        v2([1], [1], DEEP, {"0": be("H", 7) + le("h", -1, 1) + le("q", 86400) + b"\1" + b"ab"}, fill=None),
        np.array([(7, ([-1, 1], (np.datetime64(86400, "s"), True)), b"ab")], DEEP_T),
    ),
    Read(
        "v2.structured.unicode_field",
        DTYPE,
        v2([1], [1], [["name", "<U2"], ["n", "|i1"]], {"0": "é\0".encode("utf-32-le") + b"\xff"}, fill=None),
        np.array([("é", -1)], [("name", "U2"), ("n", "i1")]),
    ),
    Read(
        "v2.structured.one_field",
        DTYPE,
        v2([2], [2], [["only", "<u2"]], {"0": le("H", 1, 2)}, fill=None),
        np.array([(1,), (2,)], [("only", "u2")]),
    ),
    Read(
        "v2.structured.zero_dimensions",
        DTYPE,
        v2([], [], MIXED, {"0": le("h", 1) + be("h", 2) + be("d", 3)}, fill=None),
        np.array((1, 2, 3.0), MIXED_T),
    ),
]


def absent(id, dtype, fill, expected, **more):
    """No chunk is there, so that the two elements are the fill value."""
    return Read(
        f"v2.fill.{id}",
        FILL,
        v2([2], [2], dtype, fill=fill),
        np.array([expected] * 2).astype(expected.dtype),
        **more,
    )


def nan(width, pattern):
    return bits(width, pattern)[0:1].reshape(())


FILLS = [
    absent("NaN_f2", "<f2", "NaN", nan(2, 0x7E00)),
    absent("NaN_f4", "<f4", "NaN", nan(4, 0x7FC00000)),
    absent("NaN_f8_big_endian", ">f8", "NaN", nan(8, 0x7FF8 << 48)),
    absent("Infinity", "<f4", "Infinity", np.float32("inf")),
    absent("-Infinity", "<f8", "-Infinity", np.float64("-inf")),
    absent("minus_zero", "<f8", Literal("-0.0"), np.float64(-0.0)),
    absent("float_as_integer", "<f8", 3, np.float64(3)),
    absent("float_0.1", "<f4", 0.1, np.float32(0.1)),
    absent("float_as_string", "<f4", "1.5", np.float32(1.5), lenient=True),
    absent("integer_as_5.0", "<i4", Literal("5.0"), np.int32(5)),
    absent("integer_as_string", "<i4", "5", np.int32(5), lenient=True),
    absent("int64_beyond_2_53", "<i8", 2**53 + 1, np.int64(2**53 + 1)),
    absent("int64_least", ">i8", -(2**63), np.int64(-(2**63))),
    absent("uint64_greatest", "<u8", 2**64 - 1, np.uint64(2**64 - 1)),
    absent("bool_true", "|b1", True, np.bool_(True)),
    absent("bool_as_1", "|b1", 1, np.bool_(True)),
    absent("bool_as_0", "|b1", 0, np.bool_(False)),
    absent("complex_pair", "<c8", [1, -2.5], np.complex64(1 - 2.5j)),
    absent("complex_pair_of_names", "<c16", ["-Infinity", 1], np.complex128(complex(float("-inf"), 1))),
    absent("complex_number", ">c16", 1.5, np.complex128(1.5)),
    absent("S_base64", "|S3", b64(b"ab\0"), np.array(b"ab", "S3")),
    absent("S_base64_short", "|S3", b64(b"ab"), np.array(b"ab", "S3")),
    absent("S_zero", "|S3", 0, np.array(b"", "S3"), lenient=True),  # zarr-python 2
    absent("S_empty", "|S3", "", np.array(b"", "S3")),
    absent("S_null", "|S3", None, np.array(b"", "S3")),
    absent("U_text", "<U3", "né", np.array("né", "U3")),
    absent("U_zero", ">U3", 0, np.array("", "U3"), lenient=True),  # zarr-python 2
    absent("U_null", "<U3", None, np.array("", "U3")),
    absent("V_base64", "|V4", b64(b"\1\2\3\4"), np.frombuffer(b"\1\2\3\4", "V4")[0:1].reshape(())),
    absent("V_zero", "|V4", 0, np.zeros((), "V4"), lenient=True),
    absent("datetime_integer", "<M8[ns]", 10**18, np.datetime64(10**18, "ns")),
    absent("datetime_NaT", "<M8[D]", "NaT", np.datetime64("NaT", "D")),
    absent("datetime_least_is_NaT", "<M8[s]", -(2**63), np.datetime64("NaT", "s")),
    absent("timedelta_integer", ">m8[ms]", -5, np.timedelta64(-5, "ms")),
    absent("timedelta_NaT", "<m8[s]", "NaT", np.timedelta64("NaT", "s")),
    absent("datetime_scaled", "<M8[25s]", 3, np.array(3).view("M8[25s]")),
    absent("structured_base64", RGB, b64(bytes([7, 8, 9])), np.array((7, 8, 9), RGB_T)),
    absent(
        "structured_base64_mixed_byte_order",
        MIXED,
        b64(le("h", 1) + be("h", 2) + be("d", 0.5)),
        np.array((1, 2, 0.5), MIXED_T),
    ),
    absent("structured_base64_subarray", SUB, b64(le("f", *range(6))), np.array((0, 1, [[2, 3], [4, 5]]), SUB_T)),
    absent("structured_base64_nested", NESTED, b64(struct.pack("<ffi", 1, 2, 3)), np.array((1, (2, 3)), NESTED_T)),
    absent("structured_zero", RGB, 0, np.zeros((), RGB_T), lenient=True),  # zarr-python up to 2.17
    absent("structured_zero_nested", DEEP, 0, np.zeros((), DEEP_T), lenient=True),
    absent("structured_null", SUB, None, np.zeros((), SUB_T)),
]

CASES = [
    *_number_cases(),
    *TEXT_CASES,
    *_time_cases(),
    *STRUCTURED,
    *FILLS,
    Read(
        "v2.dtype.float32_nan_bits_survive",
        DTYPE,
        v2([4], [4], "<f4", {"0": le("I", *NAN_PAYLOADS)}),
        bits(4, *NAN_PAYLOADS),
    ),
    Read(
        "v2.dtype.big_endian_float32_nan_bits_survive",
        DTYPE,
        v2([4], [4], ">f4", {"0": be("I", *NAN_PAYLOADS)}),
        bits(4, *NAN_PAYLOADS),
    ),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders([case for case in CASES if "fill" in case.id or "structured" in case.id], tmp_path)
