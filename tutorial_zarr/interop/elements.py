"""The elements of a metadata document: the names under which a matrix of readers can be looked up.

An element is one thing that a reader has to know in order to read an array, written ``category:name``:
``type:int32``, ``codec:zstd``, ``grid:rectilinear``, ``layout:sharded``. Cases are labelled with them, peers say
with patterns of them what they support, and the portability lint finds them in a store of the user's own.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html

>>> document = {"zarr_format": 2, "shape": [], "chunks": [], "dtype": ">i4", "order": "C", "fill_value": 0,
...             "filters": None, "compressor": {"id": "zlib", "level": 1}}
>>> sorted(elements_of(document))
['codec2:zlib', 'endian:big', 'format:2', 'keys:v2.', 'layout:0-d', 'type:int32']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.dtypes.v2 import Object, stored_dtype
from tutorial_zarr.metadata.v2 import OBJECT_CODECS

SHUFFLES = ("noshuffle", "shuffle", "bitshuffle", "automatic")


def elements_of(document: dict[str, Any], attributes: dict[str, Any] | None = None, node: str = "") -> frozenset[str]:
    """The elements of an array's document: the content of its ``zarr.json``, or of its ``.zarray``."""
    found = {f"format:{document['zarr_format']}", *_shape(document["shape"])}
    found.update(_v3(document) if document["zarr_format"] == 3 else _v2(document))
    found.update(_attributes(attributes or {}))
    found.update(_name(node))
    return frozenset(found)


def _shape(shape: list[int]) -> Iterator[str]:
    if not shape:
        yield "layout:0-d"
    if 0 in shape:
        yield "layout:zero-length"


def _name_of(entry: Any) -> str:
    return entry if isinstance(entry, str) else entry["name"]


def _configuration(entry: Any) -> dict[str, Any]:
    return {} if isinstance(entry, str) else entry.get("configuration") or {}


# --- Zarr 3


def _v3(document: dict[str, Any]) -> Iterator[str]:
    data_type = dtypes.from_json(document["data_type"])
    yield from _type(data_type, _name_of(document["data_type"]))
    yield f"grid:{_name_of(document['chunk_grid'])}"
    encoding = document["chunk_key_encoding"]
    name = _name_of(encoding)
    yield f"keys:{name}{_configuration(encoding).get('separator', '.' if name == 'v2' else '/')}"
    yield from _chain(document["codecs"], len(document["shape"]))
    yield from _fill(document["fill_value"], data_type)
    names = document.get("dimension_names")
    if names is not None:
        given = [n for n in names if n is not None]
        yield "names:dimensions"
        if None in names:
            yield "names:dimension-null"
        if len(set(given)) < len(given):
            yield "names:dimensions-twice"


def _chain(codecs: list[Any], ndim: int, depth: int = 0) -> Iterator[str]:
    names = [_name_of(codec) for codec in codecs]
    if names.count("transpose") > 1:
        yield "layout:two-transposes"
    for place, (name, codec) in enumerate(zip(names, codecs, strict=True)):
        configuration = _configuration(codec)
        match name:
            case "transpose":
                order = configuration["order"]
                yield "codec:transpose"
                if any(isinstance(n, int) and order[n] != i for i, n in enumerate(order)):
                    yield "layout:transpose-of-three"  # not its own inverse
            case "bytes" | "endian":
                if name == "endian" or configuration.get("endian") == "big":
                    yield "endian:big" if configuration.get("endian") == "big" else "codec:endian"
            case "sharding_indexed":
                yield "layout:sharded"
                if depth:
                    yield "layout:shards-in-shards"
                if place:
                    yield f"layout:{names[0]}-before-shards"
                if place < len(codecs) - 1:
                    yield "layout:codecs-after-shards"
                if configuration.get("index_location") == "start":
                    yield "layout:index-at-start"
                index = configuration.get("index_codecs", [])
                if "crc32c" not in map(_name_of, index):
                    yield "layout:index-without-checksum"
                if any(_configuration(entry).get("endian") == "big" for entry in index):
                    yield "layout:index-big-endian"
                yield from _chain(configuration["codecs"], ndim, depth + 1)
            case _:
                yield f"codec:{name}"
                yield from _options("codec", name, configuration)


def _options(category: str, name: str, configuration: dict[str, Any]) -> Iterator[str]:
    """What of a codec's configuration readers disagree about."""
    if name.endswith("blosc"):
        yield f"blosc:{configuration.get('cname', 'lz4')}"
        shuffle = configuration.get("shuffle", 1)
        yield f"blosc:{shuffle if isinstance(shuffle, str) else SHUFFLES[shuffle]}"
    if name.endswith("zstd") and configuration.get("checksum"):
        yield f"{category}:zstd with checksum"
    if name == "delta" and configuration.get("astype", configuration.get("dtype")) != configuration.get("dtype"):
        yield f"{category}:delta with astype"
    if name == "cast_value":
        yield f"cast:{_name_of(configuration['data_type'])}"


# --- Zarr 2


def _v2(document: dict[str, Any]) -> Iterator[str]:
    filters = document.get("filters") or []
    compressor = document.get("compressor")
    chain = [*filters, *([compressor] if compressor else [])]
    object_codec = next((f for f in chain if f["id"] in OBJECT_CODECS), None)
    data_type, _ = dtypes.from_v2(document["dtype"], object_codec)
    yield from _type(data_type, data_type.name)
    yield f"keys:v2{document.get('dimension_separator', '.')}"
    if any(np.dtype(d).byteorder == ">" for d in _scalars(stored_dtype(document["dtype"]))):
        yield "endian:big"
    if document.get("order") == "F" and len(document["shape"]) > 1:
        yield "layout:F order"
    for codec in chain:
        yield f"codec2:{codec['id']}"
        yield from _options("codec2", codec["id"], codec)
    if filters:
        yield "layout:filters"
    if document["fill_value"] is None:
        yield "fill:null"
    elif not isinstance(data_type, Object):
        yield from _fill(document["fill_value"], data_type)


def _scalars(dtype: np.dtype) -> Iterator[np.dtype]:
    if dtype.subdtype is not None:
        yield from _scalars(dtype.subdtype[0])
    elif dtype.names is not None:
        for name in dtype.names:
            yield from _scalars(dtype.fields[name][0])  # type: ignore[index]
    else:
        yield dtype


# --- both


def _type(data_type: dtypes.DataType, name: str) -> Iterator[str]:
    yield "type:r*" if name[0] == "r" and name[1:].isdigit() else f"type:{name}"
    fields = getattr(data_type, "fields", [])
    for _, field in fields:
        if getattr(field, "fields", None):
            yield "struct:nested"
        yield f"field:{field.name}"
    if getattr(data_type, "shapes", None):
        yield "struct:subarray"
    if data_type.name.startswith("numpy.") and getattr(data_type, "scale", 1) != 1:
        yield "time:scale-factor"


def _fill(value: Any, data_type: dtypes.DataType) -> Iterator[str]:
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        if isinstance(part, bool):
            continue
        if isinstance(part, int) and int(float(part)) != part:
            yield "fill:beyond-doubles"
        if isinstance(part, str) and data_type.numpy.kind in "fc":
            yield "fill:bits" if part.startswith("0x") else "fill:not-finite"


def _attributes(attributes: dict[str, Any]) -> Iterator[str]:
    def integers(value: Any) -> Iterator[int]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from integers(item)
        elif isinstance(value, int) and not isinstance(value, bool):
            yield value

    if attributes:
        yield "attributes:any"
    if any(abs(n) > 1 << 53 for n in integers(attributes)):
        yield "attributes:beyond-doubles"


def _name(node: str) -> Iterator[str]:
    if node:
        yield "names:below-a-group"
    if not node.isascii():
        yield "names:not-ascii"
    if any(c in node for c in " #?%"):
        yield "names:in-need-of-quoting"
