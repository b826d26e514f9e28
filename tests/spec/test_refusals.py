"""What must be refused in Zarr v2 and v1: documents first, then chunks.

The refusals of v3 stand beside the elements that they are about, in the files named after those.
"""

import base64
import bz2
import gzip
import importlib.util
import lzma
import pickle
import zlib

import numpy as np

from spec.build import (
    V1,
    V2,
    Literal,
    Refuse,
    blosc_stored,
    check_folders,
    check_refusal,
    document,
    fletcher32,
    le,
    lz4_block,
    table,
    v1,
    v2,
    vlen,
    vlen_utf8,
    with_crc,
    zstd_frame,
)

META, DTYPE, FILL = V2 + "#metadata", V2 + "#data-type-encoding", V2 + "#fill-value-encoding"
SIX = bytes(range(6))
UTF8 = {"id": "vlen-utf8"}


def b64(raw):
    return base64.b64encode(raw).decode()


def refuse(id, words, spec=META, doc=None, **kwargs):
    store = v2(**({"shape": [3], "chunks": [2], "dtype": "<i2"} | kwargs))
    if doc is not None:
        store[".zarray"] = doc
    return Refuse(f"v2.refuse.{id}", spec, store, (".zarray", *words))


def members():
    for key in ("zarr_format", "shape", "chunks", "dtype", "order"):
        yield refuse(f"{key}_missing", [key], drop=[key])
    for value in (3, 1, "2", None, True, 2.5, [2]):
        yield refuse(f"zarr_format_{value!r}", ["zarr_format"], zarr_format=value)
    for value in (-3, "3", None, [-1], [1.5], ["3"], [True], {"x": 3}):
        yield refuse(f"shape_{value!r}", ["shape"], shape=value)
    for value in (0, None, [2, 2], [], [-2], [1.5], ["2"], [True], [0]):
        yield refuse(f"chunks_{value!r}", ["chunk"], chunks=value)
    for value in ("A", "c", None, 1):
        yield refuse(f"order_{value!r}", ["order"], order=value)
    for value in ("-", "", None, 1):
        yield refuse(f"dimension_separator_{value!r}", ["dimension_separator"], dimension_separator=value)
    for label, value, words in (
        ("text", "zlib", []),
        ("list", [{"id": "zlib"}], []),
        ("no_id", {"level": 1}, ["id"]),
        ("id_number", {"id": 1}, ["id"]),
        ("unknown", {"id": "acme"}, ["acme"]),
        ("false", False, []),
    ):
        yield refuse(f"compressor_{label}", ["compressor" if label != "unknown" else "acme", *words], compressor=value)
    for label, value, words in (
        ("object", {"id": "delta", "dtype": "<i2"}, []),
        ("text", "delta", []),
        ("no_id", [{"dtype": "<i2"}], ["id"]),
        ("null_inside", [None], []),
        ("unknown", [{"id": "acme"}], ["acme"]),
    ):
        yield refuse(f"filters_{label}", ["filters" if label != "unknown" else "acme", *words], filters=value)
    plain = v2([3], [2], "<i2")[".zarray"]
    yield refuse("not_json", ["JSON"], doc=b"not json")
    yield refuse("empty", ["JSON"], doc=b"")
    yield refuse("cut_short", ["JSON"], doc=plain[:-5])
    yield refuse("list", ["object"], doc=b"[]")
    yield refuse("utf16", ["UTF-8"], doc=plain.decode().encode("utf-16"))
    yield refuse("broken_utf8", ["UTF-8"], doc=plain[:-1] + b', "x": "\xff"}')
    yield refuse("duplicate_key", ["shape", "twice"], doc=plain[:-1] + b', "shape": [5]}')


def types():
    # i4 has no byte order; the letters are numpy's or C's and not those of the specification
    for value in (
        "i4",
        "int32",
        "<i3",
        "<q8",
        "<i",
        "<",
        "",
        "<f4x",
        " <i4",
        "=i4",
        "<b3",
        "|x4",
        "<i4[ns]",
        "<M8[fortnight]",
        None,
        4,
        {"name": "int32"},
        [],
        "V",
        "<U-1",
    ):
        yield refuse(f"dtype_{value!r}", ["dtype"], dtype=value, spec=DTYPE)
    for label, value in (
        ("no_type", [["a"]]),
        ("four", [["a", "<i4", [2], 3]]),
        ("not_a_list", ["<i4", "<i4"]),
        ("name_number", [[1, "<i4"]]),
        ("duplicate", [["a", "<i4"], ["a", "<i2"]]),
        ("no_byte_order", [["a", "i4"]]),
        ("shape_text", [["a", "<i4", "2"]]),
        ("shape_negative", [["a", "<i4", [-2]]]),
        ("nested_empty", [["a", []]]),
    ):
        yield refuse(f"structured_{label}", ["dtype"], dtype=value, fill=None, spec=DTYPE)
    yield refuse("structured_object_field", ["dtype", "a"], dtype=[["a", "|O"]], fill=None, filters=[UTF8], spec=DTYPE)
    yield refuse("object_without_codec", ["|O", "object codec"], dtype="|O", fill=None, spec=DTYPE)
    yield refuse(
        "object_with_zlib_alone",
        ["|O", "object codec"],
        dtype="|O",
        fill=None,
        compressor={"id": "zlib"},
        spec=DTYPE,
    )
    yield refuse(
        "object_with_delta_alone",
        ["|O", "object codec"],
        dtype="|O",
        fill=None,
        filters=[{"id": "delta", "dtype": "<i4"}],
        spec=DTYPE,
    )


RGB = [["r", "|u1"], ["g", "|u1"], ["b", "|u1"]]


def fills():
    for label, dtype, value in (
        ("int8_out_of_range", "|i1", 300),
        ("uint8_negative", "|u1", -1),
        ("int_fraction", "<i4", 1.5),
        ("int_text", "<i4", "five"),
        ("int_list", "<i4", [5]),
        ("uint64_above", "<u8", 2**64),
        ("bool_2", "|b1", 2),
        ("bool_text", "|b1", "true"),
        ("float_text", "<f4", "high"),
        ("float_list", "<f4", [1.0]),
        ("float_object", "<f4", {"re": 1}),
        # Hexadecimal is a form of v3; tensorstore and zarrita make wrong numbers of it.
        ("float_hexadecimal", "<f4", "0x7fc00001"),
        ("complex_three", "<c8", [1, 2, 3]),
        ("complex_text", "<c8", "i"),
        ("S_not_base64", "|S3", "***"),
        ("S_too_long", "|S3", b64(b"abcd")),
        ("U_too_long", "<U3", "four"),
        ("U_number", "<U3", 5),
        ("V_too_short", "|V4", b64(b"abc")),
        ("datetime_iso", "<M8[s]", "2000-01-01"),
        ("datetime_float", "<M8[s]", 1.5),
        ("structured_too_short", RGB, b64(b"ab")),
        ("structured_not_base64", RGB, "***"),
        ("structured_object", RGB, {"r": 1}),
        ("structured_number", RGB, 7),
    ):
        yield refuse(f"fill.{label}", ["fill_value"], dtype=dtype, fill=value, spec=FILL)
    yield refuse("fill.vlen_utf8_number", ["fill_value"], dtype="|O", fill=5, filters=[UTF8], spec=FILL)
    yield refuse("fill.float_bare_word", ["JSON"], dtype="<f4", fill=Literal("NotANumber"), spec=FILL)


def chunk(id, words, stored, dtype="|u1", n=6, fill=None, key="0", **kwargs):
    store = v2([n], [n], dtype, {key: stored}, fill=fill, **kwargs)
    return Refuse(f"v2.refuse.chunk.{id}", V2 + "#chunks", store, (f"'{key}'", *words))


def chunks():
    yield chunk("short", ["6", "5"], SIX[:5])
    yield chunk("long", ["6", "7"], SIX + b"\0")
    yield chunk("empty", ["6"], b"")
    yield chunk("not_a_multiple", ["12", "11"], bytes(11), "<i2")
    for name, whole in (
        ("zlib", zlib.compress(SIX)),
        ("gzip", gzip.compress(SIX)),
        ("bz2", bz2.compress(SIX)),
        ("lzma", lzma.compress(SIX)),
        ("lz4", le("I", 6) + lz4_block(SIX)),
        ("zstd", zstd_frame(SIX)),
        ("blosc", blosc_stored(SIX)),
    ):
        config = {"compressor": {"id": name}}
        yield chunk(f"{name}_cut", [name], whole[:-2], **config)
        yield chunk(f"{name}_empty", [name], b"", **config)
        yield chunk(f"{name}_garbage", [name], b"\x07garbage that is not a frame", **config)
    yield chunk("zlib_too_much", ["6"], zlib.compress(SIX * 2), compressor={"id": "zlib"})
    yield chunk("lz4_wrong_size", ["lz4"], le("I", 60) + lz4_block(SIX), compressor={"id": "lz4"})
    wrong = b"\1\2\3\4"
    for name, stored in (
        ("crc32", wrong + SIX),
        ("adler32", wrong + SIX),
        ("crc32c", SIX + wrong),
        ("fletcher32", SIX + wrong),
        ("jenkins_lookup3", SIX + wrong),
    ):
        yield chunk(f"{name}_wrong", [name], stored, filters=[{"id": name}])
        yield chunk(f"{name}_short", [name], b"\1\2", filters=[{"id": name}])
    # The right checksum at the wrong end.
    yield chunk("crc32_at_the_end", ["crc32"], SIX + le("I", zlib.crc32(SIX)), filters=[{"id": "crc32"}])
    yield chunk("crc32c_at_the_start", ["crc32c"], with_crc(SIX)[-4:] + SIX, filters=[{"id": "crc32c"}])
    yield chunk(
        "fletcher32_changed_data",
        ["fletcher32"],
        b"\x09" + SIX[1:] + fletcher32(SIX),
        filters=[{"id": "fletcher32"}],
    )
    yield chunk("delta_short", ["6"], SIX[:5], filters=[{"id": "delta", "dtype": "|u1"}])
    yield chunk("packbits_padding", ["packbits"], b"\x02\x00", dtype="|b1", n=3, filters=[{"id": "packbits"}])
    for label, stored in (
        ("fewer", vlen_utf8("a")),
        ("more", vlen_utf8("a", "b", "c")),
        ("cut", vlen_utf8("a", "bcd")[:-1]),
        ("empty", b""),
        ("not_utf8", vlen(b"\xff", b"a")),
        ("length_beyond", le("I", 2, 1) + b"a" + le("I", 2**32 - 1)),
    ):
        yield chunk(f"vlen-utf8_{label}", ["vlen-utf8"], stored, "|O", 2, filters=[UTF8])
    arrays = {"filters": [{"id": "vlen-array", "dtype": "<i4"}]}
    yield chunk("vlen-array_half_an_element", ["vlen-array"], vlen(b"\1\2\3\4", b"\1\2"), "|O", 2, **arrays)
    yield chunk("vlen-array_fewer", ["vlen-array"], vlen(b"\1\2\3\4"), "|O", 2, **arrays)
    json2 = {"filters": [{"id": "json2"}]}
    for label, stored in (
        ("not_json", b"[1,"),
        ("object", b"{}"),
        ("no_shape", b'[1, 2, "|O"]'),
        ("other_shape", b'[1, 2, 3, "|O", [3]]'),
        ("fewer_items", b'[1, "|O", [2]]'),
        ("deep", b"[" * 100_000),
        ("empty", b""),
    ):
        yield chunk(f"json2_{label}", ["json2"], stored, "|O", 2, **json2)
    if importlib.util.find_spec("msgpack") is not None:  # comes with the extra `codecs`
        yield from messages()
    store = v2([2], [2], "|O", {"0": pickle.dumps(np.array([1, 2], object))}, fill=None, filters=[{"id": "pickle"}])
    yield Refuse("v2.refuse.chunk.pickle", V2 + "#filters", store, ("pickle", "allow_pickle"))


def messages():
    message = {"filters": [{"id": "msgpack2"}]}
    for label, stored in (
        ("cut", b"\x94\x01\x02\xa2|O"),
        ("other_shape", b"\x95\x01\x02\x03\xa2|O\x91\x03"),
        ("empty", b""),
        ("number", b"\x01"),
    ):
        yield chunk(f"msgpack2_{label}", ["msgpack2"], stored, "|O", 2, **message)


def version_1():
    good = v1([3], [2], "<i2", {"0": le("h", 1, 2)})
    for key in ("shape", "chunks", "dtype", "compression", "compression_opts", "fill_value", "order"):
        store = dict(good) | {"meta": good["meta"].replace(f'"{key}"'.encode(), b'"other"')}
        yield Refuse(f"v1.refuse.{key}_missing", V1 + "#metadata", store, ("meta", key))
    yield Refuse("v1.refuse.compression_unknown", V1 + "#metadata", v1([3], [2], "<i2", compression="acme"), ("acme",))
    yield Refuse("v1.refuse.dtype", V1 + "#metadata", v1([3], [2], "i2"), ("meta", "dtype"))
    yield Refuse("v1.refuse.chunk_short", V1 + "#chunks", v1([2], [2], "|u1", {"0": b"\1"}), ("'0'",))
    yield Refuse("v1.refuse.attrs_list", V1 + "#attributes", good | {"attrs": document([1])}, ("attrs", "object"))


CASES = [*members(), *types(), *fills(), *chunks(), *version_1()]


@table(CASES)
def test_refuses(case):
    check_refusal(case, case.store)


def test_refuses_from_a_folder(tmp_path):
    check_folders([case for case in CASES if "chunk." in case.id], tmp_path)
