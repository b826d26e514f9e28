"""What cases are made of: data types with a configuration each, layouts, and chains of codecs.

The names come from the registries of this library; what stands here is the configuration that a name needs.
`tests/interop` fails when a registered name has no recipe, so that a new codec cannot be forgotten.
`cases` crosses the recipes.

Spec: https://github.com/zarr-developers/zarr-extensions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tutorial_zarr import dtypes
from tutorial_zarr.codecs import registry
from tutorial_zarr.errors import MetadataError

from .values import TEXT

CORE = "https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html"
V2 = "https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html"
CORE_CODECS = "https://zarr-specs.readthedocs.io/en/latest/v3/codecs/"
EXTENSIONS = "https://github.com/zarr-developers/zarr-extensions/tree/main/"
NUMCODECS = "https://numcodecs.readthedocs.io/en/stable/"

JSON = dict[str, Any]


def v3(name: str, **configuration: Any) -> JSON:
    """A codec of Zarr 3 as an object. zarr-python wants the member of a ``numcodecs.*`` even where it is empty."""
    if configuration or name.startswith("numcodecs."):
        return {"name": name, "configuration": configuration}
    return {"name": name}


def v2(id: str, **configuration: Any) -> JSON:
    """A codec of Zarr 2."""
    return {"id": id, **configuration}


# --- data types

READ_ONLY_TYPES = ("structured",)  # the former name of `struct`; it must be read and must not be written
RECORD = [("id", "int32"), ("x", "float64"), ("on", "bool")]
_TYPE_CONFIGURATIONS: dict[str, JSON] = {
    "numpy.datetime64": {"unit": "s", "scale_factor": 1},
    "numpy.timedelta64": {"unit": "ms", "scale_factor": 10},
    "fixed_length_utf32": {"length_bytes": 16},
    "null_terminated_bytes": {"length_bytes": 4},
    "raw_bytes": {"length_bytes": 4},
    "struct": {"fields": [{"name": name, "data_type": kind} for name, kind in RECORD]},
}
NESTED = {
    "fields": [
        {"name": "at", "data_type": {"name": "struct", "configuration": _TYPE_CONFIGURATIONS["struct"]}},
        {"name": "when", "data_type": {"name": "numpy.datetime64", "configuration": {"unit": "D", "scale_factor": 1}}},
    ]
}


def data_types_v3() -> dict[str, dtypes.DataType]:
    """Every data type that may be written in Zarr 3, by the label that it has in the ids of cases."""
    found = {}
    for name in dtypes.names():
        if name not in READ_ONLY_TYPES:
            configuration = _TYPE_CONFIGURATIONS.get(name)
            found[name] = dtypes.from_json({"name": name, "configuration": configuration} if configuration else name)
    return found | {
        "r16": dtypes.from_json("r16"),
        "r24": dtypes.from_json("r24"),
        "struct-nested": dtypes.from_json({"name": "struct", "configuration": NESTED}),
    }


def data_types_v2() -> dict[str, dtypes.DataType]:
    """Every data type that Zarr 2 can express."""
    found = {}
    for name, data_type in data_types_v3().items():
        if name in ("binary", "variable_length_bytes", "complex_float32", "complex_float64", "r16", "r24"):
            continue  # in Zarr 2 the same as another
        try:
            dtypes.to_v2(data_type)
        except MetadataError:
            continue
        if data_type.numpy.names is None or name.startswith("struct"):
            found[name] = data_type
    return found | {"struct-subarray": dtypes.from_numpy([("id", "<i4"), ("z", "<f4", (2, 2))])}


# Types that go through every layout and every widely used codec. The others go through a few of each.
MAIN_TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128", "numpy.datetime64", "numpy.timedelta64"),
    *("fixed_length_utf32", "null_terminated_bytes", "raw_bytes", "struct", "string", "bytes"),
)


# --- layouts


@dataclass(frozen=True)
class Layout:
    """Where elements go: the shape, the grid, and what is written."""

    shape: tuple[int, ...]
    chunks: Any  # a chunk shape; or, for a rectilinear grid, `chunk_shapes` as the document has them
    shards: Any = None  # the chunks of the outer grid, in the same forms
    write: tuple[Any, ...] | None = (...,)  # the region that is written; None for nothing at all
    transpose: tuple[int, ...] | None = None
    endian: str = "little"
    middle: tuple[int, ...] | None = None  # a shard inside a shard: the chunk shape between
    index_location: str = "end"
    rectilinear: bool = False
    few: bool = False  # also for the types that go through a few layouts only
    formats: tuple[int, ...] = (2, 3)
    spec: str = f"{CORE}#chunk-grids"


_SHARDING: dict[str, Any] = {"formats": (3,), "spec": f"{CORE_CODECS}sharding-indexed/index.html"}
_RECTILINEAR: dict[str, Any] = {
    "formats": (3,),
    "rectilinear": True,
    "spec": "https://zarr-specs.readthedocs.io/en/latest/v3/chunk-grids/rectilinear-grid/index.html",
}
_PART = (slice(1, 3), slice(4, 6))

LAYOUTS = {
    "chunked": Layout((4, 6), (2, 3)),
    "edge": Layout((5, 7), (2, 3), few=True),
    "one-chunk-larger": Layout((3, 4), (5, 8)),
    "one-axis": Layout((10,), (4,)),
    "long": Layout((300,), (128,), few=True),
    "no-axis": Layout((), (), few=True),
    "no-axis-empty": Layout((), (), write=None),
    "empty": Layout((5, 7), (2, 3), write=None, few=True),
    "partly-written": Layout((5, 7), (2, 3), write=_PART),
    "zero-length": Layout((0, 3), (2, 2)),
    "F-order": Layout((5, 7), (2, 3), transpose=(1, 0)),
    "F-order-3": Layout((3, 4, 5), (2, 3, 2), transpose=(2, 1, 0)),
    "big-endian": Layout((5, 7), (2, 3), endian="big", few=True),
    "transposed": Layout((3, 4, 5), (2, 3, 4), transpose=(2, 0, 1), formats=(3,), spec=f"{CORE_CODECS}transpose/"),
    "sharded": Layout((5, 7), (2, 3), (4, 6), few=True, **_SHARDING),
    "sharded-partly-written": Layout((5, 7), (2, 3), (4, 6), (slice(1, 3), slice(4, 7)), **_SHARDING),
    "sharded-empty": Layout((5, 7), (2, 3), (4, 6), None, **_SHARDING),
    "sharded-no-axis": Layout((), (), (), **_SHARDING),
    "sharded-one-chunk": Layout((5, 7), (4, 6), (4, 6), **_SHARDING),
    "sharded-index-at-start": Layout((5, 7), (2, 3), (4, 6), index_location="start", **_SHARDING),
    "sharded-transposed": Layout((5, 7), (2, 3), (4, 6), transpose=(1, 0), **_SHARDING),
    "sharded-big-endian": Layout((5, 7), (2, 3), (4, 6), endian="big", **_SHARDING),
    "shards-in-shards": Layout((9, 8), (1, 2), (4, 8), middle=(2, 4), **_SHARDING),
    "rectilinear": Layout((5, 7), [[2, 1, 2], [4, 3]], **_RECTILINEAR),
    "rectilinear-runs": Layout((5, 7), [[[2, 2], 1], 3], **_RECTILINEAR),
    "rectilinear-sharded": Layout((6, 8), (1, 2), [[2, 4], [[4, 2]]], **_RECTILINEAR),
}


# --- codecs


@dataclass(frozen=True)
class Chain:
    """Codecs around the elements, in the words of one format."""

    compressors: tuple[JSON, ...] = ()
    filters: tuple[JSON, ...] = ()  # array to array, in front of the serializer
    serializer: JSON | None = None
    types: tuple[str, ...] = ()  # labels of the data types it goes with; empty: any
    lossy: bool = False  # elements have to be plain ones
    layouts: tuple[str, ...] = ("edge",)
    every_type: bool = False
    chunk_keys: JSON | None = None
    spec: str = ""
    names: tuple[str, ...] = field(default=())  # what it is there for, where that is more than its first codec


def _after(compressors: Any, **more: Any) -> Chain:
    return Chain(tuple(compressors), **more)


_WHERE = ("edge", "partly-written", "F-order", "big-endian", "sharded-partly-written")
_FLOATS, _WIDE_INTS = ("float64", "float32"), ("int16", "int32", "int64", "uint16", "uint32", "uint64")
_BLOSC = [*product(["lz4", "lz4hc", "blosclz", "zstd", "zlib"], ["noshuffle", "shuffle", "bitshuffle"])]

_NUMCODECS: dict[str, JSON] = {
    "bz2": {"level": 3},
    "gzip": {"level": 3},
    "lzma": {"preset": 1},
    "zlib": {"level": 3},
    "lz4": {"acceleration": 1},
    "zstd": {"level": 3},
    "blosc": {"cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0},
    "shuffle": {"elementsize": 4},
    "base64": {},
    "crc32": {},
    "crc32c": {},
    "adler32": {},
    "fletcher32": {},
    "jenkins_lookup3": {},
}


def _blosc(cname: str, shuffle: str, size: int = 4) -> JSON:
    return v3("blosc", cname=cname, clevel=5, shuffle=shuffle, typesize=size, blocksize=0)


def _registered(name: str, **configuration: Any) -> JSON:
    return {"spec": f"{EXTENSIONS}codecs/{name}", **configuration}


CHAINS_V3: dict[str, Chain] = {
    "none": Chain(every_type=True, spec=f"{CORE_CODECS}bytes/"),
    "gzip": _after([v3("gzip", level=5)], every_type=True, spec=f"{CORE_CODECS}gzip/"),
    "gzip-0": _after([v3("gzip", level=0)], spec=f"{CORE_CODECS}gzip/"),
    "gzip-9": _after([v3("gzip", level=9)], spec=f"{CORE_CODECS}gzip/"),
    "zstd": _after([v3("zstd", level=3, checksum=False)], every_type=True, layouts=_WHERE, **_registered("zstd")),
    "zstd-checksum": _after([v3("zstd", level=0, checksum=True)], layouts=_WHERE, **_registered("zstd")),
    "zstd-negative": _after([v3("zstd", level=-5, checksum=False)], **_registered("zstd")),
    "blosc": _after([_blosc("lz4", "shuffle")], every_type=True, layouts=_WHERE, spec=f"{CORE_CODECS}blosc/"),
    **{f"blosc-{c}-{s}": _after([_blosc(c, s)], spec=f"{CORE_CODECS}blosc/") for c, s in _BLOSC},
    "crc32c": _after([v3("crc32c")], every_type=True, layouts=_WHERE, spec=f"{CORE_CODECS}crc32c/"),
    "gzip-crc32c": _after([v3("gzip", level=1), v3("crc32c")], layouts=_WHERE, spec=CORE),
    "crc32c-zstd": _after([v3("crc32c"), v3("zstd", level=1, checksum=False)], layouts=_WHERE, spec=CORE),
    **{
        f"numcodecs.{name}": _after([v3(f"numcodecs.{name}", **options)], layouts=_WHERE, spec=NUMCODECS + name)
        for name, options in _NUMCODECS.items()
    },
    "numcodecs.delta": Chain((), (v3("numcodecs.delta", dtype="<i4"),), types=("int32",), layouts=_WHERE),
    "numcodecs.astype": Chain(
        (), (v3("numcodecs.astype", encode_dtype="<i4", decode_dtype="<i8"),), types=("int64",), lossy=True
    ),
    "numcodecs.fixedscaleoffset": Chain(
        (),
        (v3("numcodecs.fixedscaleoffset", offset=-4, scale=4, dtype="<f8", astype="<i4"),),
        types=("float64",),
        lossy=True,
    ),
    "numcodecs.quantize": Chain((), (v3("numcodecs.quantize", digits=3, dtype="<f4"),), types=("float32",), lossy=True),
    "numcodecs.bitround": Chain((), (v3("numcodecs.bitround", keepbits=10),), types=_FLOATS, lossy=True),
    "numcodecs.packbits": Chain((), (v3("numcodecs.packbits"),), types=("bool",)),
    "numcodecs.pcodec": Chain((), (), v3("numcodecs.pcodec", level=8), types=("int32", "float64", "uint16")),
    "numcodecs.zfpy": Chain((), (), v3("numcodecs.zfpy", mode=4), types=_FLOATS, lossy=True),
    "scale_offset": Chain(
        (),
        (v3("scale_offset", offset=-4.0, scale=8.0),),
        types=_FLOATS,
        lossy=True,
        layouts=_WHERE,
        **_registered("scale_offset"),
    ),
    "scale_offset-integers": Chain(
        (), (v3("scale_offset", offset=1, scale=2),), types=("int32",), lossy=True, **_registered("scale_offset")
    ),
    "cast_value": Chain(
        (),
        (v3("cast_value", data_type="int16", rounding="nearest-even"),),
        types=("int32", "int64"),
        lossy=True,
        layouts=_WHERE,
        **_registered("cast_value"),
    ),
    "scale_offset-cast_value": Chain(
        (),
        (v3("scale_offset", offset=-4.0, scale=4.0), v3("cast_value", data_type="uint8")),
        types=("float64",),
        lossy=True,
        **_registered("cast_value"),
    ),
    "bitround": Chain(
        (), (v3("bitround", keepbits=10),), types=_FLOATS, lossy=True, layouts=_WHERE, **_registered("bitround")
    ),
    "reshape": Chain((), (v3("reshape", shape=[-1]),), **_registered("reshape")),
    **{
        f"packbits-{encoding}": Chain(
            (),
            (),
            v3("packbits", padding_encoding=encoding),
            types=("bool", "int2", "int4", "uint4", "float6_e3m2fn", "uint16"),
            **_registered("packbits"),
        )
        for encoding in ("none", "first_byte", "last_byte")
    },
    "zfp": Chain(
        (), (), v3("zfp", mode="reversible"), types=("int32", "int64", *_FLOATS), lossy=True, **_registered("zfp")
    ),
    "n5_default": Chain(
        (),
        (),
        v3(
            "n5_default",
            codecs=[v3("transpose", order=[1, 0]), v3("bytes", endian="big"), v3("gzip", level=1)],
        ),
        types=("int16", "float64"),
        chunk_keys={"name": "v2", "configuration": {"separator": "/"}},
        **_registered("n5_default"),
    ),
    "conditional": _after([v3("conditional", codecs=[v3("gzip", level=1)])], **_registered("conditional")),
}

# Registered, and part of the chains by themselves; or, as for `endian`, a former name that is only read.
CODECS_OF_LAYOUTS = ("bytes", "transpose", "sharding_indexed", "vlen-utf8", "vlen-bytes")
READ_ONLY_CODECS = ("endian",)

CHAINS_V2: dict[str, Chain] = {
    "none": Chain(every_type=True),
    "zlib": _after([v2("zlib", level=1)], every_type=True, layouts=_WHERE),
    "gzip": _after([v2("gzip", level=5)], every_type=True),
    "bz2": _after([v2("bz2", level=1)], layouts=_WHERE),
    "lzma": _after([v2("lzma", format=1, check=-1, preset=None, filters=None)], layouts=_WHERE),
    "lz4": _after([v2("lz4", acceleration=1)], layouts=_WHERE),
    "zstd": _after([v2("zstd", level=3)], every_type=True, layouts=_WHERE),
    "zstd-checksum": _after([v2("zstd", level=3, checksum=True)]),
    "blosc": _after([v2("blosc", cname="lz4", clevel=5, shuffle=1, blocksize=0)], every_type=True, layouts=_WHERE),
    "blosc-automatic": _after([v2("blosc", cname="zstd", clevel=3, shuffle=-1, blocksize=0)]),
    **{
        f"blosc-{c}-{s}": _after(
            [v2("blosc", cname=c, clevel=5, shuffle=("noshuffle", "shuffle", "bitshuffle").index(s), blocksize=0)]
        )
        for c, s in _BLOSC
    },
    "pcodec": _after([v2("pcodec", level=8)], types=("int32", "float64", "uint16")),
    "zfpy": _after([v2("zfpy", mode=4)], types=_FLOATS, lossy=True),
    "delta": Chain((v2("zlib", level=1),), (v2("delta", dtype="<i4"),), types=("int32",), layouts=_WHERE),
    "delta-astype": Chain(
        (v2("zlib", level=1),), (v2("delta", dtype="<i4", astype="|i1"),), types=("int32",), lossy=True
    ),
    "fixedscaleoffset": Chain(
        (),
        (v2("fixedscaleoffset", offset=-4, scale=4, dtype="<f8", astype="|u1"),),
        types=("float64",),
        lossy=True,
    ),
    "quantize": Chain((), (v2("quantize", digits=3, dtype="<f4"),), types=("float32",), lossy=True),
    "bitround": Chain((), (v2("bitround", keepbits=10),), types=_FLOATS, lossy=True),
    "astype": Chain((), (v2("astype", encode_dtype="<i4", decode_dtype="<i8"),), types=("int64",), lossy=True),
    "packbits": Chain((), (v2("packbits"),), types=("bool",)),
    "categorize": Chain(
        (),
        (v2("categorize", dtype="<U4", astype="|u1", labels=sorted({"ü", *TEXT} - {""})),),
        types=("fixed_length_utf32",),
    ),
    **{
        name: Chain((), (v2(name),), layouts=_WHERE)
        for name in ("crc32", "crc32c", "adler32", "fletcher32", "base64", "jenkins_lookup3")
    },
    "shuffle": Chain((v2("zlib", level=1),), (v2("shuffle", elementsize=4),), layouts=_WHERE),
    "two-filters": Chain(
        (v2("bz2", level=9),), (v2("delta", dtype="<i4"), v2("shuffle", elementsize=4)), types=("int32",)
    ),
}
# Objects of Python in Zarr 2: the codec that encodes them, and elements that it can.
OBJECTS: dict[str, tuple[JSON, list[Any]]] = {
    "json2": (v2("json2"), [1, "two", [3.5, None], {"k": True}]),
    "msgpack2": (v2("msgpack2"), [1, "two", [3.5, None], {"k": True}]),
    "pickle": (v2("pickle", protocol=5), [1, "two", [3.5, None], {"k": True}]),
    "vlen-array": (v2("vlen-array", dtype="<i4"), [[1, 2, 3], [], [-4]]),
}

KEYS: dict[str, tuple[int, Any]] = {
    "default-dot": (3, {"name": "default", "configuration": {"separator": "."}}),
    "v2-dot": (3, {"name": "v2", "configuration": {"separator": "."}}),
    "v2-slash": (3, {"name": "v2", "configuration": {"separator": "/"}}),
    "nested": (2, "/"),
}


def codec_names(document: Any) -> Iterator[str]:
    """The name of every codec in a document of a case, those inside of others too."""
    if isinstance(document, dict):
        for key in ("codecs", "index_codecs", "filters"):
            for entry in document.get(key) or []:
                yield entry.get("name", entry.get("id"))
                yield from codec_names(entry.get("configuration", {}))
        if document.get("compressor"):
            yield document["compressor"]["id"]


def registered_codecs() -> set[str]:
    """The names of codecs that a document of Zarr 3 may hold and that this library writes."""
    return set(registry.names()) - {"v2_filters", *READ_ONLY_CODECS}
