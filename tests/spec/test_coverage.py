"""Every registered name is read from at least one store of this folder, and is known to the library; and none
is known that is not listed here. The lists are those of the registries in July 2026.
"""

import json

import pytest

import tutorial_zarr as zarr
from spec import (
    test_v2_codecs,
    test_v2_dtypes,
    test_v2_metadata,
    test_v2_object_codecs,
    test_v3_codecs,
    test_v3_dtypes,
    test_v3_fill_values,
    test_v3_grids,
    test_v3_hierarchy,
    test_v3_keys,
    test_v3_metadata,
    test_v3_sharding,
)
from spec.build import v3
from tutorial_zarr import chunk_grids, chunk_keys, dtypes
from tutorial_zarr.codecs import registry
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.metadata.leniencies import LENIENCIES

# https://github.com/zarr-developers/zarr-extensions/tree/main/data-types
DATA_TYPES = [
    "bfloat16",
    "bool",
    "bytes",
    "complex128",
    "complex64",
    "complex_bfloat16",
    "complex_float16",
    "complex_float32",
    "complex_float4_e2m1fn",
    "complex_float64",
    "complex_float6_e2m3fn",
    "complex_float6_e3m2fn",
    "complex_float8_e3m4",
    "complex_float8_e4m3",
    "complex_float8_e4m3b11fnuz",
    "complex_float8_e4m3fnuz",
    "complex_float8_e5m2",
    "complex_float8_e5m2fnuz",
    "complex_float8_e8m0fnu",
    "fixed_length_utf32",
    "float16",
    "float32",
    "float4_e2m1fn",
    "float64",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "int16",
    "int2",
    "int32",
    "int4",
    "int64",
    "int8",
    "numpy.datetime64",
    "numpy.timedelta64",
    "r",
    "string",
    "struct",
    "structured",
    "uint16",
    "uint2",
    "uint32",
    "uint4",
    "uint64",
    "uint8",
]
# https://github.com/zarr-developers/zarr-extensions/tree/main/codecs
CODECS = [
    "bitround",
    "blosc",
    "bytes",
    "cast_value",
    "conditional",
    "crc32c",
    "gzip",
    "n5_default",
    "packbits",
    "reshape",
    "scale_offset",
    "sharding_indexed",
    "transpose",
    "vlen-bytes",
    "vlen-utf8",
    "zfp",
    "zstd",
]
# The codecs of numcodecs under the names that zarr-python gave them.
NUMCODECS = [
    "numcodecs." + name
    for name in [
        "adler32",
        "astype",
        "bitround",
        "blosc",
        "bz2",
        "crc32",
        "crc32c",
        "delta",
        "fixedscaleoffset",
        "fletcher32",
        "gzip",
        "jenkins_lookup3",
        "lz4",
        "lzma",
        "packbits",
        "pcodec",
        "quantize",
        "shuffle",
        "zfpy",
        "zlib",
        "zstd",
    ]
]
CHUNK_GRIDS = ["rectilinear", "regular"]
CHUNK_KEY_ENCODINGS = ["default", "v2"]

# Not registered, and written by some: zarr-python, tensorstore, the draft of the specification.
MORE_DATA_TYPES = ["binary", "float8_e4m3fn", "null_terminated_bytes", "raw_bytes", "variable_length_bytes"]
MORE_CODECS = ["endian", "numcodecs.base64"]
# How the library spells a chain of v2 filters in its one list of codecs; no document may name it.
INTERNAL_CODECS = ["v2_filters"]

# https://numcodecs.readthedocs.io: what a v2 document can name
V2_CODECS = [
    "adler32",
    "astype",
    "base64",
    "bitround",
    "blosc",
    "bz2",
    "categorize",
    "crc32",
    "crc32c",
    "delta",
    "fixedscaleoffset",
    "fletcher32",
    "gzip",
    "jenkins_lookup3",
    "json2",
    "lz4",
    "lzma",
    "msgpack2",
    "packbits",
    "pcodec",
    "pickle",
    "quantize",
    "shuffle",
    "vlen-array",
    "vlen-bytes",
    "vlen-utf8",
    "zfpy",
    "zlib",
    "zstd",
]

V3_CASES = [
    case
    for module in (
        test_v3_codecs,
        test_v3_dtypes,
        test_v3_fill_values,
        test_v3_grids,
        test_v3_keys,
        test_v3_metadata,
        test_v3_sharding,
    )
    for case in module.CASES
]


def name_of(value):
    return value if isinstance(value, str) else value["name"]


def codec_names(chain):
    for entry in chain:
        yield name_of(entry)
        if isinstance(entry, dict):
            for key in ("codecs", "index_codecs"):
                yield from codec_names(entry.get("configuration", {}).get(key, []))


def type_names(data_type):
    yield name_of(data_type)
    if isinstance(data_type, dict):
        for entry in data_type.get("configuration", {}).get("fields", []):
            yield from type_names(entry["data_type"] if isinstance(entry, dict) else entry[1])


def seen():
    """The names in all documents of the stores that must be read, by kind."""
    names = {"data_type": set(), "codec": set(), "chunk_grid": set(), "chunk_key_encoding": set()}
    for case in V3_CASES:
        for key, value in case.store.items():
            if key.endswith("zarr.json"):
                doc = json.loads(value.decode("utf-8-sig"))
                names["data_type"].update(type_names(doc["data_type"]))
                names["codec"].update(codec_names(doc["codecs"]))
                names["chunk_grid"].add(name_of(doc["chunk_grid"]))
                names["chunk_key_encoding"].add(name_of(doc["chunk_key_encoding"]))
    names["data_type"] = {"r" if name[0] == "r" and name[1:].isdigit() else name for name in names["data_type"]}
    return names


SEEN = seen()
OPTIONAL = {
    "zfp": "zfpy",
    "numcodecs.zfpy": "zfpy",
    "numcodecs.pcodec": "pcodec",
}  # cases exist where the package does


def test_the_registries_hold_as_many_names_as_they_did():
    assert (len(DATA_TYPES), len(CODECS), len(NUMCODECS)) == (51, 17, 21)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("data_type", DATA_TYPES + MORE_DATA_TYPES),
        ("codec", CODECS + NUMCODECS + ["endian"]),
        ("chunk_grid", CHUNK_GRIDS),
        ("chunk_key_encoding", CHUNK_KEY_ENCODINGS),
    ],
)
def test_every_registered_name_occurs_in_a_store(kind, names):
    missing = set(names) - SEEN[kind]
    for name in sorted(missing & set(OPTIONAL)):
        pytest.importorskip(OPTIONAL[name])
    assert missing == set()


def test_every_codec_of_v2_occurs_in_a_store():
    found = set()
    for case in [*test_v2_codecs.CASES, *test_v2_object_codecs.CASES]:
        doc = json.loads(case.store[".zarray"])
        found.update(entry["id"] for entry in [doc["compressor"], *(doc["filters"] or [])] if entry)
    for name, package in (("zfpy", "zfpy"), ("pcodec", "pcodec"), ("msgpack2", "msgpack")):
        if name not in found:
            pytest.importorskip(package)
    assert found == set(V2_CODECS)


def test_the_library_knows_these_data_types_and_no_others():
    assert set(dtypes.names()) | {"r"} == set(DATA_TYPES + MORE_DATA_TYPES)


def test_the_library_knows_these_codecs_and_no_others():
    assert set(registry.names()) - set(INTERNAL_CODECS) == set(CODECS + NUMCODECS + MORE_CODECS)


def test_no_document_may_name_an_internal_codec():

    for name in INTERNAL_CODECS:
        codecs = [{"name": name, "configuration": {"dtype": "|u1", "filters": []}}]
        with pytest.raises(ZarrError, match=name):
            zarr.open_array(v3([1], [1], "uint8", codecs=codecs), mode="r")[...]


def test_the_library_knows_these_chunk_grids_and_no_others():
    assert chunk_grids.names() == CHUNK_GRIDS


def test_the_library_knows_these_chunk_key_encodings_and_no_others():
    assert chunk_keys.names() == CHUNK_KEY_ENCODINGS


# Each leniency of the table in the code: the case, or the test, that holds both that it is read and that
# `strict=True` refuses it.
LENIENT = {
    "bare-constants": test_v3_metadata.test_a_bare_nan_in_attributes_is_read_and_strictly_not,
    "whole-floats": "v3.metadata.shape_3.0",
    "bare-lengths": "v2.metadata.bare_lengths",
    "null-members": "v3.metadata.attributes_null",
    "plus-infinity": "v3.codecs.cast_value.scalar_map_plus_infinity",
    "bool-fill-0": "v3.fill.bool.0_of_zarrita",
    "endian": "v3.codecs.endian",
    "transpose-letters": "v3.codecs.transpose.F",
    "blosc-typesize": "v3.codecs.blosc.no_typesize_with_shuffle",
    "index-codecs": "v3.codecs.sharding.index_codecs_missing",
    "missing-members": "v2.metadata.compressor_missing",
    "v2-fill-values": "v2.fill.S_zero",
    "v2-group-members": test_v3_hierarchy.test_extra_keys_of_zgroup_are_read_past_and_strictly_not,
}


def test_every_leniency_has_a_store_that_is_read_and_strictly_not():
    lenient = {case.id for case in [*V3_CASES, *test_v2_metadata.CASES, *test_v2_dtypes.CASES] if case.lenient}
    assert {name for name in LENIENT.values() if isinstance(name, str)} <= lenient
    assert set(LENIENT) == set(LENIENCIES)
