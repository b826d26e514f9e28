"""The laws of a codec, for every one in the registry; checksums and streams have some of their own.

A codec that is registered and not listed here fails a test.
"""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest

from tutorial_zarr import codecs, dtypes
from tutorial_zarr.errors import ChecksumError, CodecError, MetadataError
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import InternalExtension
from tutorial_zarr.testing import CodecCase, CodecLaws
from tutorial_zarr.testing.codecs import TYPES, as_bytes, assert_same
from tutorial_zarr.testing.samples import chunk_of

NAMES = codecs.names()  # at import, before any other test has registered its own

SIGNED = ["int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
LITTLE, BIG = ("bytes", {"endian": "little"}), ("bytes", {"endian": "big"})


def Law(configuration=None, types=TYPES, **more):
    return functools.partial(CodecCase, configuration=configuration or {}, data_types=types, **more)


def stream(*configurations):
    """A bytes -> bytes codec: it follows `bytes`, and `vlen-utf8` in one case."""
    return [*map(Law, configurations), Law(configurations[-1], types=["string"])]


BLOSC = [
    {"cname": cname, "clevel": 3, "shuffle": shuffle, "typesize": 4, "blocksize": 0}
    for cname in ("lz4", "lz4hc", "blosclz", "zstd", "zlib")
    for shuffle in ("noshuffle", "shuffle", "bitshuffle")
]
SHARD = {"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}], "chunk_shape": [1, 2]}
INDEX = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
SMALL = [0.0, 0.25, -3.75, 100.5, 12.125, -0.5]

LAWS = {
    "bytes": [
        Law({"endian": "little"}),
        Law({"endian": "big"}),
        Law({}, types=["bool", "int8", "uint8", "r24"]),
    ],
    "endian": [Law({"endian": "little"}), Law({"endian": "big"})],
    "transpose": [Law({"order": [1, 0]}), Law({"order": [0, 1]}, after=[BIG])],
    "vlen-utf8": [Law(types=["string"])],
    "vlen-bytes": [Law(types=["bytes"])],
    "gzip": stream({"level": 0}, {"level": 9}, {"level": 5}),
    "zstd": stream({"level": 0}, {"level": -7}, {"level": 3, "checksum": True}),
    "blosc": stream(*BLOSC),
    "crc32c": stream({}),
    "sharding_indexed": [
        Law({**SHARD, "index_codecs": INDEX}),
        Law({**SHARD, "index_codecs": INDEX, "index_location": "start"}),
        Law({**SHARD, "index_codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]}),
        Law(
            {"chunk_shape": [1, 2], "codecs": [{"name": "vlen-utf8"}], "index_codecs": INDEX},
            types=["string"],
        ),
    ],
    "reshape": [Law({"shape": shape}) for shape in ([-1], [[0, 1]], [2, -1], [1, [0], -1])],
    "bitround": [
        Law({"keepbits": 64}, FLOATS + INTEGERS),
        Law({"keepbits": 5}, FLOATS, values=[0.0, 0.337, -2.77, 1e4], error=lambda x: abs(x) * 2.0**-6),
        Law({"keepbits": 3}, SIGNED, values=[0, 1, 100, -99], error=lambda x: abs(x) * 2.0**-3),
    ],
    "cast_value": [
        Law({"data_type": "int64"}, ["int8", "int16", "int32", "uint8", "uint16", "uint32"]),
        Law({"data_type": "int8", "out_of_range": "wrap"}, ["int16"], values=[0, 5, -128, 127]),
        Law({"data_type": "float32"}, ["float64", "float16"], values=SMALL),
        Law(
            {"data_type": "uint8", "scalar_map": {"encode": [["NaN", 255]], "decode": [[255, "NaN"]]}},
            ["float64"],
            after=[("bytes", {})],
            values=[0.0, 254.0, float("nan")],
        ),
        Law(
            {"data_type": "int16", "rounding": "towards-zero"},
            ["float32"],
            values=[0.0, 0.9, -7.25],
            error=lambda x: 0.999,
        ),
    ],
    "scale_offset": [
        Law({"offset": 5, "scale": 2}, ["int16", "int32", "int64"], values=[0, 5, -1000, 1000]),
        Law({"offset": 1.5, "scale": 4.0}, ["float32", "float64"], values=SMALL),
        Law({}, FLOATS + INTEGERS, values=[0, 1, 5, 42]),
    ],
    "packbits": [
        Law({}, ["bool", *INTEGERS, "float32", "complex64"]),
        Law({"padding_encoding": "first_byte"}, ["bool", "uint16"]),
        Law({"padding_encoding": "last_byte"}, ["bool", "uint16"]),
        Law({"first_bit": 0, "last_bit": 11}, ["uint16", "uint32"], values=[0, 1, 4095, 2048]),
        Law({"first_bit": 0, "last_bit": 11}, ["int16"], values=[0, 1, 2047, -2048]),
        Law({"first_bit": 4, "last_bit": 9}, ["uint16"], values=[0, 16, 1008]),
        Law({}, ["int4", "uint4", "int2", "uint2"], values=[0, 1], needs="ml_dtypes"),
    ],
    "n5_default": [
        Law(
            {
                "codecs": [
                    {"name": "transpose", "configuration": {"order": [1, 0]}},
                    {"name": "bytes", "configuration": {"endian": "big"}},
                    *last,
                ]
            },
            [*INTEGERS, "float32", "float64"],
        )
        for last in ([], [{"name": "gzip", "configuration": {"level": 1}}])
    ],
    "conditional": stream(
        {"codecs": [{"name": "gzip", "configuration": {"level": 1}}]},
        {
            "codecs": [{"name": "zstd", "configuration": {"level": 1}}, {"name": "crc32c"}],
            "header_bits": 16,
        },
        {"codecs": []},
    ),
    "zfp": [
        Law({"mode": "reversible"}, ["int8", "int16", "int32", "int64", "uint8", "uint16"], needs="zfpy"),
        Law({"mode": "reversible"}, ["float32", "float64"], values=SMALL, needs="zfpy"),
        Law(
            {"mode": "fixed_accuracy", "tolerance": 0.01},
            ["float32", "float64"],
            values=SMALL,
            needs="zfpy",
            error=lambda x: 0.01,
        ),
        Law(
            {"mode": "fixed_rate", "rate": 24}, ["float32", "float64"], values=SMALL, needs="zfpy", error=lambda x: 0.01
        ),
        Law(
            {"mode": "fixed_precision", "precision": 30}, ["float64"], values=SMALL, needs="zfpy", error=lambda x: 0.01
        ),
        Law(
            {"mode": "expert", "minbits": 1, "maxbits": 16658, "maxprec": 64, "minexp": -1075},
            ["float64"],
            values=SMALL,
            needs="zfpy",
        ),
    ],
    "numcodecs.gzip": stream({"level": 1}),
    "numcodecs.zlib": stream({"level": 1}, {"level": -1}),
    "numcodecs.bz2": stream({"level": 1}),
    "numcodecs.lzma": stream({"preset": 1}, {"format": 1, "check": -1, "preset": None, "filters": None}),
    "numcodecs.zstd": stream({"level": 1}),
    "numcodecs.lz4": stream({"acceleration": 1}),
    "numcodecs.blosc": stream(
        *[{"cname": "lz4", "clevel": 5, "shuffle": shuffle, "blocksize": 0} for shuffle in (-1, 0, 1, 2)]
    ),
    "numcodecs.shuffle": [Law({"elementsize": size}, types=["int32", "float64"]) for size in (4, 8)],
    "numcodecs.base64": stream({}),
    "numcodecs.crc32": stream({}, {"location": "end"}),
    "numcodecs.crc32c": stream({}, {"location": "start"}),
    "numcodecs.adler32": stream({}, {"location": "end"}),
    "numcodecs.fletcher32": [Law(types=["int32", "float64"])],
    "numcodecs.jenkins_lookup3": stream({}, {"initval": 7}, {"initval": 0, "prefix": [1, 2, 3]}),
    "numcodecs.delta": [
        *[Law({"dtype": np.dtype(name).str}, types=[name]) for name in INTEGERS],
        Law({"dtype": "<i4", "astype": "<i2"}, types=["int32"], values=[1, 2, 50, -3]),
    ],
    "numcodecs.fixedscaleoffset": [
        Law(
            {"offset": -4, "scale": 8, "dtype": "<f8", "astype": "<i4"},
            ["float64"],
            values=[0.0, 0.3, -2.77, 1000.1],
            error=lambda x: 0.5 / 8 + 1e-12,
        ),
    ],
    "numcodecs.quantize": [
        Law(
            {"digits": 2, "dtype": "<f4"},
            ["float32"],
            values=[0.0, 0.337, -2.77, 1000.1],
            error=lambda x: 0.005,
        ),
    ],
    "numcodecs.bitround": [
        Law(
            {"keepbits": 10},
            ["float32"],
            values=[0.0, 0.337, -2.77, 1e30],
            error=lambda x: abs(x) * 2.0**-11,
        ),
    ],
    "numcodecs.astype": [
        Law(
            {"encode_dtype": "<i2", "decode_dtype": "<i8"},
            ["int64"],
            values=[0, 1, -32768, 32767],
        ),
    ],
    "numcodecs.packbits": [Law(types=["bool"])],
    "numcodecs.pcodec": [
        Law(
            {"level": 8},
            ["int16", "int32", "int64", "uint16", "uint32", "uint64", "float32", "float64"],
            needs="pcodec",
        ),
    ],
    "numcodecs.zfpy": [
        Law(
            {"mode": 4},
            ["float32", "float64"],
            values=SMALL,
            needs="zfpy",
            crashes="its C code trusts its input; see the test with a process of its own",
        )
    ],
}

# v2's filters run as one step: filters, stored dtype, data type, values
V2_FILTERS = [
    ([], "<i4", "int32", None),
    ([], ">f8", "float64", None),
    ([{"id": "delta", "dtype": "<i4"}], "<i4", "int32", None),
    ([{"id": "delta", "dtype": "<i4", "astype": "|i1"}], "<i4", "int32", [1, 2, 50, -3]),
    ([{"id": "delta", "dtype": ">i2"}], ">i2", "int16", None),
    ([{"id": "shuffle", "elementsize": 4}], "<f4", "float32", None),
    (
        [{"id": "fixedscaleoffset", "offset": -4, "scale": 8, "dtype": "<f8", "astype": "<i4"}],
        "<f8",
        "float64",
        SMALL,
    ),
    ([{"id": "quantize", "digits": 3, "dtype": "<f4"}], "<f4", "float32", SMALL),
    ([{"id": "bitround", "keepbits": 12}], "<f4", "float32", SMALL),
    (
        [{"id": "astype", "encode_dtype": "<i2", "decode_dtype": "<i8"}],
        "<i8",
        "int64",
        [1, -2, 300],
    ),
    ([{"id": "packbits"}], "|b1", "bool", None),
    (
        [{"id": "categorize", "dtype": "<U2", "astype": "|u1", "labels": ["a", "bé"]}],
        "<U2",
        {"name": "fixed_length_utf32", "configuration": {"length_bytes": 8}},
        ["a", "bé", ""],
    ),
    ([{"id": "crc32"}], "<i4", "int32", None),
    ([{"id": "crc32c"}], "<i4", "int32", None),
    ([{"id": "adler32"}], "<i4", "int32", None),
    ([{"id": "fletcher32"}], "<i4", "int32", None),
    ([{"id": "jenkins_lookup3", "initval": 0, "prefix": None}], "<i4", "int32", None),
    ([{"id": "base64"}], "<i4", "int32", None),
    (
        [{"id": "delta", "dtype": "<i4"}, {"id": "shuffle", "elementsize": 4}, {"id": "zlib", "level": 1}],
        "<i4",
        "int32",
        None,
    ),
    ([{"id": "vlen-utf8"}], "|O", "string", None),
    ([{"id": "vlen-utf8"}, {"id": "zlib", "level": 1}], "|O", "string", None),
    ([{"id": "vlen-bytes"}], "|O", "bytes", None),
]


class FilterCase(CodecCase):
    """v2's filters, which no document of v3 can name."""

    def extension(self, name, configuration):
        return InternalExtension(name, configuration)

    def __str__(self):
        return f"v2_filters({','.join(f['id'] for f in self.configuration['filters'])}){self.configuration['dtype']}"


class Held(CodecLaws):
    def missing(self, package):
        if os.environ.get("CI") == "true":
            pytest.fail(f"the package {package} is not installed; try: pip install 'tutorial_zarr[codecs]'")
        super().missing(package)


class TestCodecs(Held):
    cases = [law(name) for name, laws in LAWS.items() for law in laws]


class TestFilters(Held):
    cases = [
        FilterCase("v2_filters", {"dtype": dtype, "filters": filters}, [data_type], values)
        for filters, dtype, data_type, values in V2_FILTERS
    ]


def test_every_registered_codec_is_under_the_law():
    assert set(LAWS) == set(NAMES)


def pipeline(chain, data_type, shape):
    spec = codecs.ChunkSpec(shape, data_type, data_type.default_fill())
    return codecs.build_pipeline([Extension(name, configuration) for name, configuration in chain], spec)


def test_truncated_zfpy_is_a_codec_error_and_no_crash():
    pytest.importorskip("zfpy", reason="the package zfpy is not installed")
    program = """
import numpy as np
from tutorial_zarr import codecs, dtypes
from tutorial_zarr.errors import CodecError
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import InternalExtension

data_type = dtypes.from_json("float64")
spec = codecs.ChunkSpec((16, 16), data_type, data_type.default_fill())
line = codecs.build_pipeline([Extension("numcodecs.zfpy", {"mode": 4})], spec)
encoded = bytes(memoryview(line.encode(np.random.default_rng(0).normal(size=(16, 16)))))
for length in range(0, len(encoded), 16):
    try:
        line.decode(encoded[:length])
    except CodecError:
        continue
    raise SystemExit(f"{length} of {len(encoded)} bytes were decoded to something")
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr or f"ended by signal {-finished.returncode}"


CHECKED = {
    "crc32c": {},
    "numcodecs.crc32": {},
    "numcodecs.crc32c": {},
    "numcodecs.adler32": {},
    "numcodecs.fletcher32": {},
    "numcodecs.jenkins_lookup3": {},
}


@pytest.mark.parametrize("name", CHECKED)
def test_a_checksum_finds_every_flipped_bit(name):
    data_type = dtypes.from_json("int32")
    line = pipeline([LITTLE, (name, CHECKED[name])], data_type, (3, 4))
    encoded = as_bytes(line.encode(chunk_of(data_type, (3, 4))))
    for bit in range(len(encoded) * 8):
        flipped = bytearray(encoded)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ChecksumError, match=r"(?i)checksum|expected"):
            line.decode(bytes(flipped))


@pytest.mark.parametrize(("name", "configuration"), [("gzip", {"level": 5}), ("zstd", {"level": 3, "checksum": True})])
def test_a_flipped_bit_in_a_checked_stream_never_gives_other_values(name, configuration):
    data_type = dtypes.from_json("int32")
    line = pipeline([LITTLE, (name, configuration)], data_type, (3, 4))
    chunk = chunk_of(data_type, (3, 4))
    encoded = as_bytes(line.encode(chunk))
    refused = 0
    for bit in range(len(encoded) * 8):
        flipped = bytearray(encoded)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            decoded = line.decode(bytes(flipped))
        except CodecError:
            refused += 1
        else:
            assert_same(decoded, chunk)  # a bit that means nothing, as in gzip's header
    assert refused > len(encoded) * 8 * 0.8


def test_joined_streams_are_read_as_one():
    """RFC 1952 and RFC 8878 let members and frames follow one another."""
    data_type = dtypes.from_json("uint8")
    chunk = np.arange(32, dtype="uint8")
    for name in ("gzip", "zstd", "numcodecs.bz2"):
        half = pipeline([("bytes", {}), (name, {"level": 1})], data_type, (16,))
        both = as_bytes(half.encode(chunk[:16])) + as_bytes(half.encode(chunk[16:]))
        assert_same(pipeline([("bytes", {}), (name, {"level": 1})], data_type, (32,)).decode(both), chunk)


@pytest.mark.parametrize(
    ("chain", "data_type", "message"),
    [
        ([("bytes", {})], "int32", "endian"),
        ([("bytes", {"endian": "middle"})], "int32", "endian"),
        ([("bytes", {"endian": "little", "speed": 1})], "int32", "speed"),
        ([LITTLE], "string", "vlen-utf8"),
        ([("vlen-utf8", {})], "int32", "string"),
        ([("transpose", {"order": [0]}), LITTLE], "int32", "order|axes"),
        ([("transpose", {"order": [0, 0]}), LITTLE], "int32", "permutation"),
        ([("transpose", {}), LITTLE], "int32", "order"),
        ([LITTLE, ("gzip", {"level": 10})], "int32", "level"),
        ([LITTLE, ("gzip", {"level": True})], "int32", "level"),
        ([LITTLE, ("zstd", {"level": 23})], "int32", "level"),
        ([LITTLE, ("blosc", {"cname": "nothing", "clevel": 1, "shuffle": "noshuffle"})], "int32", "cname"),
        ([LITTLE, ("blosc", {"cname": "lz4", "clevel": 1, "shuffle": 1})], "int32", "shuffle"),
        ([LITTLE, ("no_such_codec", {})], "int32", "no_such_codec"),
        ([("numcodecs.pickle", {}), LITTLE], "int32", "numcodecs.pickle"),
        ([], "int32", "array -> bytes"),
        ([LITTLE, LITTLE], "int32", "exactly one"),
        ([("gzip", {"level": 1}), LITTLE], "int32", "exactly one|order"),
        ([LITTLE, ("transpose", {"order": [1, 0]})], "int32", "exactly one|order"),
        (
            [("sharding_indexed", {**SHARD, "chunk_shape": [2, 3], "index_codecs": INDEX})],
            "int32",
            "divide|chunk_shape",
        ),
        (
            [("sharding_indexed", {**SHARD, "chunk_shape": [2], "index_codecs": INDEX})],
            "int32",
            "chunk_shape|axes",
        ),
        (
            [("sharding_indexed", {**SHARD, "chunk_shape": [0, 2], "index_codecs": INDEX})],
            "int32",
            "chunk_shape|at least",
        ),
        (
            [
                (
                    "sharding_indexed",
                    {**SHARD, "index_codecs": [*INDEX, {"name": "gzip", "configuration": {"level": 1}}]},
                )
            ],
            "int32",
            "index",
        ),
        (
            [("sharding_indexed", {**SHARD, "index_codecs": INDEX, "index_location": "middle"})],
            "int32",
            "index_location",
        ),
    ],
)
def test_a_codec_that_does_not_fit_is_refused_when_the_chain_is_built(chain, data_type, message):
    with pytest.raises(MetadataError, match=message):
        pipeline(chain, dtypes.from_json(data_type), (3, 4))
