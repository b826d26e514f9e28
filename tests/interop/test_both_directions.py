"""What we write, others read; what others write, we read: data type x layout x codec x format.

A case is written down twice: as the arguments of `create_array`, for us, and as a metadata document, for the
peers, so that neither side depends on the other's idea of the metadata. What a peer can do, by its own word,
stands in `supports`; where that says yes, a refusal is a failure. Nothing is skipped for being inconvenient.
"""

import json
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

import tutorial_zarr as zarr

pytestmark = pytest.mark.interop

# -- data types: numpy, v2 typestr, v3 JSON, a fill value as JSON, and elements worth writing ----------------


@dataclass
class DataType:
    v2: object
    v3: object
    values: list
    numpy: object = None
    fill_v2: object = 0
    fill_v3: object = 0
    plain: list | None = None  # values that survive every lossy codec
    filters: list | None = None  # v2: what an object dtype needs
    serializer: str = "bytes"
    ours: object = None  # `dtype=` for create_array, where numpy's is not enough
    tensorstore: bool = True

    def __post_init__(self):
        self.numpy = np.dtype(self.numpy or self.v2)

    def array(self, shape, plain=False):
        """An array of this shape whose elements go round through the values."""
        values = np.array(self.plain if plain and self.plain else self.values, dtype=self.numpy)
        return np.resize(values, shape)

    @property
    def wide(self):
        """Whether byte order matters."""
        return self.serializer == "bytes" and self.numpy.newbyteorder("<") != self.numpy.newbyteorder(">")


def integers(name, v2):
    info = np.iinfo(name)
    return DataType(v2, name, [info.min, info.max, 0, 1, 5, 42, 100, 7], fill_v2=9, fill_v3=9, plain=[1, 5, 42, 9, 3])


def floats(name, v2):
    info = np.finfo(name)
    values = [
        1.5,
        -0.0,
        0.0,
        np.nan,
        np.inf,
        -np.inf,
        info.max,
        info.min,
        info.tiny,
        info.smallest_subnormal,
        -7.25,
    ]
    return DataType(v2, name, values, fill_v2="NaN", fill_v3="NaN", plain=[0.0, 0.25, 1.5, -3.75, 20.0])


def complexes(name, v2):
    values = [1 + 2j, complex(-0.0, np.inf), complex(np.nan, -0.0), 0, -3.5j]
    return DataType(v2, name, values, fill_v2=["NaN", -1.5], fill_v3=["NaN", -1.5])


TEXT = ["a", "", "né", "日本語", "x" * 4, "🜁"]
BLOBS = [b"a", b"", b"\0", b"\xff\0x", b"four"]
DATA_TYPES = {
    "bool": DataType("|b1", "bool", [True, False, False], fill_v2=True, fill_v3=True),
    **{
        name: integers(name, v2)
        for name, v2 in [
            ("int8", "|i1"),
            ("int16", "<i2"),
            ("int32", "<i4"),
            ("int64", "<i8"),
            ("uint8", "|u1"),
            ("uint16", "<u2"),
            ("uint32", "<u4"),
            ("uint64", "<u8"),
        ]
    },
    **{name: floats(name, v2) for name, v2 in [("float16", "<f2"), ("float32", "<f4"), ("float64", "<f8")]},
    **{name: complexes(name, v2) for name, v2 in [("complex64", "<c8"), ("complex128", "<c16")]},
    "datetime64": DataType(
        "<M8[s]",
        {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}},
        ["1970-01-01", "NaT", "2026-02-28T12:30:01", "0001-01-01"],
        fill_v2="NaT",
        fill_v3="NaT",
        tensorstore=False,
    ),
    "timedelta64": DataType(
        "<m8[10ms]",
        {"name": "numpy.timedelta64", "configuration": {"unit": "ms", "scale_factor": 10}},
        [1, -1, 0, 2**62],
        fill_v2=5,
        fill_v3=5,
        tensorstore=False,
    ),
    "fixed text": DataType(
        "<U4",
        {"name": "fixed_length_utf32", "configuration": {"length_bytes": 16}},
        TEXT,
        fill_v2="ü",
        fill_v3="ü",
        tensorstore=False,
    ),
    "fixed bytes": DataType(
        "|S4",
        None,
        BLOBS,
        fill_v2="AAAAAA==",
        tensorstore=False,
    ),
    "void": DataType(
        "|V4",
        None,
        [b"abcd", b"\0\1\2\3", b"\xff" * 4],
        fill_v2="AQIDBA==",
        tensorstore=False,
    ),
    "record": DataType(
        [["id", "<i4"], ["x", "<f8"], ["on", "|b1"]],
        {
            "name": "struct",
            "configuration": {
                "fields": [
                    {"name": "id", "data_type": "int32"},
                    {"name": "x", "data_type": "float64"},
                    {"name": "on", "data_type": "bool"},
                ]
            },
        },
        [(1, 2.5, True), (-(2**31), np.nan, False), (0, -0.0, False)],
        numpy=[("id", "<i4"), ("x", "<f8"), ("on", "?")],
        fill_v2="BwAAAAAAAAAAAPC/AQ==",
        fill_v3={"id": 7, "x": -1.0, "on": True},
        tensorstore=False,
    ),
    "text": DataType(
        "|O",
        "string",
        TEXT,
        numpy=np.dtypes.StringDType(),
        fill_v2="-",
        fill_v3="-",
        filters=[{"id": "vlen-utf8"}],
        serializer="vlen-utf8",
        tensorstore=False,
    ),
    "blobs": DataType(
        "|O",
        "bytes",
        BLOBS,
        fill_v2="",
        fill_v3="",
        filters=[{"id": "vlen-bytes"}],
        serializer="vlen-bytes",
        ours="bytes",
        tensorstore=False,
    ),
}

# -- layouts -------------------------------------------------------------------------------------------------


@dataclass
class Layout:
    shape: tuple
    chunks: tuple
    shards: tuple | None = None
    write: tuple | None = (...,)  # the region that is written; None for nothing at all
    transpose: list | None = None
    endian: str = "little"
    nested: tuple | None = None  # a shard inside a shard: the middle chunk shape
    index_location: str = "end"
    formats: tuple = (2, 3)

    @property
    def sharded(self):
        return self.shards is not None


LAYOUTS = {
    "chunked": Layout((4, 6), (2, 3)),
    "edge": Layout((5, 7), (2, 3)),
    "one chunk, larger": Layout((3, 4), (5, 8)),
    "one axis": Layout((10,), (4,)),
    "no axis": Layout((), ()),
    "no axis, empty": Layout((), (), write=None),
    "empty": Layout((5, 7), (2, 3), write=None),
    "partly written": Layout((5, 7), (2, 3), write=(slice(1, 3), slice(4, 6))),
    "zero length": Layout((0, 3), (2, 2)),
    "F order": Layout((5, 7), (2, 3), transpose=[1, 0]),
    "F order, three axes": Layout((3, 4, 5), (2, 3, 2), transpose=[2, 1, 0]),
    "big-endian": Layout((5, 7), (2, 3), endian="big"),
    "transposed": Layout((3, 4, 5), (2, 3, 4), transpose=[2, 0, 1], formats=(3,)),
    "sharded": Layout((5, 7), (2, 3), (4, 6), formats=(3,)),
    "sharded, partly written": Layout((5, 7), (2, 3), (4, 6), (slice(1, 3), slice(4, 7)), formats=(3,)),
    "sharded, empty": Layout((5, 7), (2, 3), (4, 6), None, formats=(3,)),
    "sharded, no axis": Layout((), (), (), formats=(3,)),
    "sharded, one chunk": Layout((5, 7), (4, 6), (4, 6), formats=(3,)),
    "sharded, index at start": Layout((5, 7), (2, 3), (4, 6), index_location="start", formats=(3,)),
    "sharded, transposed": Layout((5, 7), (2, 3), (4, 6), transpose=[1, 0], formats=(3,)),
    "sharded, big-endian": Layout((5, 7), (2, 3), (4, 6), endian="big", formats=(3,)),
    "shards in shards": Layout((9, 8), (1, 2), (4, 8), nested=(2, 4), formats=(3,)),
}

# -- codecs --------------------------------------------------------------------------------------------------


@dataclass
class Codec:
    compressors: list = field(default_factory=list)
    filters: list = field(default_factory=list)  # array -> array, before the bytes codec
    serializer: dict | None = None
    types: tuple = ()  # empty: any
    plain: bool = False
    tensorstore: bool = True
    every_type: bool = False  # cases with every data type, not only with one
    needs: str | None = None  # a package that is not in the core

    def fits(self, name):
        return not self.types or name in self.types


def v3(name, **configuration):
    if name.startswith("numcodecs."):  # zarr-python wants the member even where there is nothing to say
        return {"name": name, "configuration": configuration}
    return {"name": name, "configuration": configuration} if configuration else {"name": name}


def v2(id, **configuration):
    return {"id": id, **configuration}


WIDE = ("int32", "float64", "datetime64", "complex64")
NUMBERS = ("int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")
INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")

BLOSC = [*product(["lz4", "lz4hc", "blosclz", "zstd", "zlib"], ["noshuffle", "shuffle", "bitshuffle"])]

V3_CODECS = {
    "none": Codec(every_type=True),
    "gzip": Codec([v3("gzip", level=5)], every_type=True),
    "gzip 0": Codec([v3("gzip", level=0)]),
    "gzip 9": Codec([v3("gzip", level=9)]),
    "zstd": Codec([v3("zstd", level=3, checksum=False)], every_type=True),
    "zstd with checksum": Codec([v3("zstd", level=0, checksum=True)]),
    "zstd negative": Codec([v3("zstd", level=-5, checksum=False)]),
    "blosc": Codec([v3("blosc", cname="lz4", clevel=5, shuffle="shuffle", typesize=4, blocksize=0)], every_type=True),
    **{f"blosc {c} {s}": Codec([v3("blosc", cname=c, clevel=5, shuffle=s, typesize=4, blocksize=0)]) for c, s in BLOSC},
    "crc32c": Codec([v3("crc32c")], every_type=True),
    "gzip, then crc32c": Codec([v3("gzip", level=1), v3("crc32c")]),
    "crc32c, then zstd": Codec([v3("crc32c"), v3("zstd", level=1, checksum=False)]),
    **{
        f"numcodecs.{name}": Codec([v3(f"numcodecs.{name}", **configuration)], tensorstore=False)
        for name, configuration in {
            "bz2": {"level": 3},
            "gzip": {"level": 3},
            "lzma": {"preset": 1},
            "zlib": {"level": 3},
            "lz4": {"acceleration": 1},
            "zstd": {"level": 3},
            "blosc": {"cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0},
            "shuffle": {"elementsize": 4},
            "crc32": {},
            "crc32c": {},
            "adler32": {},
            "fletcher32": {},
            "jenkins_lookup3": {},
        }.items()
    },
    "numcodecs.delta": Codec(filters=[v3("numcodecs.delta", dtype="<i4")], types=("int32",), tensorstore=False),
    "scale_offset": Codec(
        filters=[v3("scale_offset", offset=-4.0, scale=8.0)],
        types=("float64", "float32"),
        plain=True,
        tensorstore=False,
    ),
    "scale_offset of integers": Codec(
        filters=[v3("scale_offset", offset=1, scale=2)], types=("int32", "int16"), plain=True, tensorstore=False
    ),
    "numcodecs.astype": Codec(
        filters=[v3("numcodecs.astype", encode_dtype="<i4", decode_dtype="<i8")],
        types=("int64",),
        plain=True,
        tensorstore=False,
    ),
    "numcodecs.fixedscaleoffset": Codec(
        filters=[v3("numcodecs.fixedscaleoffset", offset=-4, scale=4, dtype="<f8", astype="<i4")],
        types=("float64",),
        plain=True,
        tensorstore=False,
    ),
    "numcodecs.quantize": Codec(
        filters=[v3("numcodecs.quantize", digits=3, dtype="<f4")],
        types=("float32",),
        plain=True,
        tensorstore=False,
    ),
    "numcodecs.bitround": Codec(
        filters=[v3("numcodecs.bitround", keepbits=10)],
        types=("float32", "float64"),
        plain=True,
        tensorstore=False,
    ),
    "numcodecs.packbits": Codec(filters=[v3("numcodecs.packbits")], types=("bool",), tensorstore=False),
    "numcodecs.pcodec": Codec(
        serializer=v3("numcodecs.pcodec", level=8),
        types=("int32", "float64", "uint16"),
        tensorstore=False,
        needs="pcodec",
    ),
    "numcodecs.zfpy": Codec(
        serializer=v3("numcodecs.zfpy", mode=4),
        types=("float64", "float32"),
        plain=True,
        tensorstore=False,
        needs="zfpy",
    ),
}

V2_CODECS = {
    "none": Codec(every_type=True),
    "zlib": Codec([v2("zlib", level=1)], every_type=True),
    "gzip": Codec([v2("gzip", level=5)], every_type=True),
    "bz2": Codec([v2("bz2", level=1)]),
    "lzma": Codec([v2("lzma", format=1, check=-1, preset=None, filters=None)], tensorstore=False),
    "lz4": Codec([v2("lz4", acceleration=1)], tensorstore=False),
    "zstd": Codec([v2("zstd", level=3)], every_type=True),
    "zstd with checksum": Codec([v2("zstd", level=3, checksum=True)], tensorstore=False),
    "blosc": Codec([v2("blosc", cname="lz4", clevel=5, shuffle=1, blocksize=0)], every_type=True),
    "blosc automatic": Codec([v2("blosc", cname="zstd", clevel=3, shuffle=-1, blocksize=0)]),
    **{
        f"blosc {c} {s}": Codec([v2("blosc", cname=c, clevel=5, shuffle=i, blocksize=0)])
        for c, (i, s) in product(
            ["lz4", "lz4hc", "blosclz", "zstd", "zlib"], enumerate(["noshuffle", "shuffle", "bitshuffle"])
        )
    },
    "pcodec": Codec([v2("pcodec", level=8)], types=("int32", "float64", "uint16"), tensorstore=False, needs="pcodec"),
    "zfpy": Codec([v2("zfpy", mode=4)], types=("float64", "float32"), plain=True, tensorstore=False, needs="zfpy"),
    "delta": Codec([v2("zlib", level=1)], [v2("delta", dtype="<i4")], types=("int32",), tensorstore=False),
    "delta into one byte": Codec(
        [v2("zlib", level=1)],
        [v2("delta", dtype="<i4", astype="|i1")],
        types=("int32",),
        plain=True,
        tensorstore=False,
    ),
    "fixedscaleoffset": Codec(
        filters=[v2("fixedscaleoffset", offset=-4, scale=4, dtype="<f8", astype="|u1")],
        types=("float64",),
        plain=True,
        tensorstore=False,
    ),
    "quantize": Codec(
        filters=[v2("quantize", digits=3, dtype="<f4")], types=("float32",), plain=True, tensorstore=False
    ),
    "bitround": Codec(
        filters=[v2("bitround", keepbits=10)], types=("float64", "float32"), plain=True, tensorstore=False
    ),
    "astype": Codec(
        filters=[v2("astype", encode_dtype="<i4", decode_dtype="<i8")],
        types=("int64",),
        plain=True,
        tensorstore=False,
    ),
    "packbits": Codec(filters=[v2("packbits")], types=("bool",), tensorstore=False),
    "categorize": Codec(
        filters=[v2("categorize", dtype="<U4", astype="|u1", labels=sorted({"ü", *TEXT} - {""}))],
        types=("fixed text",),
        tensorstore=False,
    ),
    "shuffle": Codec([v2("zlib", level=1)], [v2("shuffle", elementsize=4)], tensorstore=False),
    "crc32": Codec(filters=[v2("crc32")], tensorstore=False),
    "crc32c": Codec(filters=[v2("crc32c")], tensorstore=False),
    "adler32": Codec(filters=[v2("adler32")], tensorstore=False),
    "fletcher32": Codec(filters=[v2("fletcher32")], tensorstore=False),
    "base64": Codec(filters=[v2("base64")], tensorstore=False),
    "two filters": Codec(
        [v2("bz2", level=9)],
        [v2("delta", dtype="<i4"), v2("shuffle", elementsize=4)],
        types=("int32",),
        tensorstore=False,
    ),
}
CODECS = {2: V2_CODECS, 3: V3_CODECS}

# -- cases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    zarr_format: int
    type_name: str
    layout_name: str
    codec_name: str

    def __str__(self):
        return f"v{self.zarr_format}, {self.type_name}, {self.layout_name}, {self.codec_name}"

    @property
    def data_type(self):
        return DATA_TYPES[self.type_name]

    @property
    def layout(self):
        return LAYOUTS[self.layout_name]

    @property
    def codec(self):
        return CODECS[self.zarr_format][self.codec_name]

    @property
    def makes_sense(self):
        if self.zarr_format == 3 and self.data_type.v3 is None:
            return False
        if self.layout.endian == "big" and (not self.data_type.wide or self.codec.types or self.codec.serializer):
            return False
        if self.data_type.serializer != "bytes" and (self.codec.filters or self.codec.serializer):
            return False
        return self.zarr_format in self.layout.formats and self.codec.fits(self.type_name)

    def data(self):
        return self.data_type.array(self.layout.shape, self.codec.plain)

    def fill_json(self):
        if self.codec.plain:  # not every codec keeps a NaN
            return 0
        return self.data_type.fill_v2 if self.zarr_format == 2 else self.data_type.fill_v3

    def fill(self):
        """The fill value as an element in memory, made from the document's JSON without any Zarr library."""
        if self.type_name in ("fixed bytes", "void", "record"):
            import base64

            return np.frombuffer(base64.b64decode(self.data_type.fill_v2), self.data_type.numpy)[0]
        if self.type_name == "blobs":
            return b""
        value = self.fill_json()
        if isinstance(value, list):
            value = complex(*map(float, value))
        return np.array(value, dtype=self.data_type.numpy)[()]

    def expected(self):
        data, write = self.data(), self.layout.write
        if write == (...,):
            return data
        expected = np.full_like(data, self.fill())
        if write is not None:
            expected[write] = data[write]
        return expected


def make_cases():
    cases = {}
    for zarr_format in (2, 3):
        first = {name: codec.types[0] if codec.types else "int32" for name, codec in CODECS[zarr_format].items()}
        every = [name for name, codec in CODECS[zarr_format].items() if codec.every_type]
        for data_type, layout in product(DATA_TYPES, LAYOUTS):
            cases[Case(zarr_format, data_type, layout, "gzip")] = None
        for data_type, codec in product(DATA_TYPES, every):
            cases[Case(zarr_format, data_type, "edge", codec)] = None
        for codec, data_type in first.items():
            every_layout = ("edge", "partly written", "F order", "big-endian", "sharded, partly written")
            for layout in ("edge",) if codec.startswith("blosc ") else every_layout:
                cases[Case(zarr_format, data_type, layout, codec)] = None
        for codec in CODECS[zarr_format]:
            for data_type in CODECS[zarr_format][codec].types:
                cases[Case(zarr_format, data_type, "edge", codec)] = None
    return [case for case in cases if case.makes_sense]


CASES = make_cases()


def supports(peer, verb, case):
    """What the peer can do by its own word: its documentation, or the refusal that names the element."""
    if peer == "zarr-python":
        # It has every type and codec here. But in F order numcodecs' zfpy refuses, and its bitround loses the
        # order, so that zarr-python reads its own data wrong; and without dimensions it cannot write
        # variable-length bytes.
        if verb == "write" and case.type_name == "blobs" and case.data().ndim == 0 and case.layout.write:
            return False
        return not (case.zarr_format == 2 and case.layout.transpose and case.codec_name in ("zfpy", "bitround"))
    return (
        case.data_type.tensorstore
        and case.codec.tensorstore
        # its driver for v2 knows compressors and no filters
        and not (case.zarr_format == 2 and case.codec.filters)
    )


def pairs(verb):
    return [
        pytest.param(case, peer, id=f"{case} [{peer}]")
        for case in CASES
        for peer in ("zarr-python", "tensorstore")
        if supports(peer, verb, case)
    ]


def byte_order(dtype, endian):
    return dtype.newbyteorder(">" if endian == "big" else "<")


def document(case):
    """The metadata as the specification has it."""
    layout, codec, data_type = case.layout, case.codec, case.data_type
    if case.zarr_format == 2:
        typestr = data_type.v2
        if layout.endian == "big":
            typestr = byte_order(data_type.numpy, "big")
            typestr = [list(field) for field in typestr.descr] if typestr.names else typestr.str
        return {
            "zarr_format": 2,
            "shape": layout.shape,
            "chunks": layout.chunks,
            "dtype": typestr,
            "compressor": codec.compressors[0] if codec.compressors else None,
            "filters": [*codec.filters, *(data_type.filters or [])] or None,
            "fill_value": case.fill_json(),
            "order": "F" if layout.transpose else "C",
        }
    chain = codec_chain(case)
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": layout.shape,
        "data_type": data_type.v3,
        "chunk_grid": v3("regular", chunk_shape=layout.shards if layout.sharded else layout.chunks),
        "chunk_key_encoding": v3("default", separator="/"),
        "fill_value": case.fill_json(),
        "codecs": chain,
        "attributes": {},
    }


def codec_chain(case):
    layout, codec, data_type = case.layout, case.codec, case.data_type
    serializer = codec.serializer or v3(data_type.serializer)
    if serializer["name"] == "bytes" and (data_type.wide or codec.filters):
        serializer = v3("bytes", endian=layout.endian)
    chain = [v3("transpose", order=layout.transpose)] if layout.transpose else []
    chain += [*codec.filters, serializer, *codec.compressors]
    for chunk_shape in (layout.chunks, layout.nested) if layout.nested else (layout.chunks,):
        if layout.sharded:
            chain = [
                v3(
                    "sharding_indexed",
                    chunk_shape=list(chunk_shape),
                    codecs=chain,
                    index_codecs=[v3("bytes", endian="little"), v3("crc32c")],
                    index_location=layout.index_location,
                )
            ]
    return chain


def create_ours(case, path):
    layout, codec, data_type = case.layout, case.codec, case.data_type
    kwargs = {
        "shape": layout.shape,
        "chunks": layout.chunks,
        "dtype": data_type.ours or data_type.numpy,
        "fill_value": case.fill(),
        "zarr_format": case.zarr_format,
    }
    if case.zarr_format == 2:
        if data_type.wide:
            kwargs["dtype"] = byte_order(data_type.numpy, layout.endian)
        kwargs["order"] = "F" if layout.transpose else "C"
        kwargs["filters"] = [*codec.filters, *(data_type.filters or [])] or None
        kwargs["compressors"] = codec.compressors[0] if codec.compressors else None
    elif layout.nested or layout.index_location == "start":
        kwargs |= {"codecs": codec_chain(case), "chunks": layout.shards}
    else:
        transpose = [v3("transpose", order=layout.transpose)] if layout.transpose else []
        kwargs["filters"] = [*transpose, *codec.filters]
        kwargs["compressors"] = codec.compressors
        if codec.serializer or layout.endian == "big":
            kwargs["serializer"] = codec.serializer or v3("bytes", endian="big")
        kwargs["shards"] = layout.shards
    return zarr.create_array(path, **kwargs)


def assert_equal_to_the_bit(got, expected, case):
    __tracebackhide__ = True
    got = np.asarray(got)
    assert got.shape == expected.shape, case
    if expected.dtype.kind in "OTU":
        assert got.tolist() == expected.tolist(), case
        return
    native = got.astype(got.dtype.newbyteorder("="))
    assert native.dtype == expected.dtype, case
    assert native.tobytes() == expected.tobytes(), f"{case}: expected\n{expected}\nfound\n{got}"


# -- the two directions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "peer"), pairs("read"), indirect=["peer"])
def test_what_we_write_is_read_equal(case, peer, need, tmp_path):
    need(case.codec.needs)
    a = create_ours(case, tmp_path / "a.zarr")
    if case.layout.write is not None:
        a[case.layout.write] = case.data()[case.layout.write]
    assert_equal_to_the_bit(a[...], case.expected(), case)
    assert_equal_to_the_bit(peer.read(tmp_path / "a.zarr"), case.expected(), case)


@pytest.mark.parametrize(("case", "peer"), pairs("write"), indirect=["peer"])
def test_what_they_write_we_read_equal(case, peer, need, tmp_path):
    need(case.codec.needs)
    (tmp_path / (".zarray" if case.zarr_format == 2 else "zarr.json")).write_text(json.dumps(document(case)))
    if case.layout.write is not None:
        peer.write(tmp_path, case.data()[case.layout.write], case.layout.write)
    assert_equal_to_the_bit(peer.read(tmp_path), case.expected(), case)
    a = zarr.open_array(tmp_path, mode="r")
    assert_equal_to_the_bit(a[...], case.expected(), case)
    if case.layout.write not in (None, (...,)):  # and we may go on where they stopped
        b = zarr.open_array(tmp_path, mode="r+")
        b[...] = case.data()
        assert_equal_to_the_bit(peer.read(tmp_path), case.data(), case)


@pytest.mark.parametrize("case", [case for case in CASES if case.layout_name in ("edge", "sharded")], ids=str)
def test_the_same_input_gives_the_same_bytes_twice(case, need, tmp_path):
    need(case.codec.needs)
    stores = []
    for name in ("first", "second"):
        a = create_ours(case, tmp_path / name)
        if case.layout.write is not None:
            a[case.layout.write] = case.data()[case.layout.write]
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        stores.append({p.relative_to(tmp_path / name): p.read_bytes() for p in files})
    assert stores[0] == stores[1]


def test_the_cases_cover_every_type_layout_and_codec():
    for zarr_format in (2, 3):
        cases = [case for case in CASES if case.zarr_format == zarr_format]
        types = {name for name, t in DATA_TYPES.items() if zarr_format == 2 or t.v3 is not None}
        assert {case.type_name for case in cases} == types
        assert {case.layout_name for case in cases} == {
            n for n, layout in LAYOUTS.items() if zarr_format in layout.formats
        }
        assert {case.codec_name for case in cases} == set(CODECS[zarr_format])
