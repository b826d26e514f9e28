"""Zarr v2 documents: ``.zarray``, ``.zgroup``, ``.zattrs``; and v1's ``meta``, which reads as v2.

How a v2 document becomes the one codec list::

    order "F"              ->  transpose (all axes reversed)
    filters, object dtype  ->  v2_filters, one array -> bytes codec that runs the whole chain
    no filters             ->  bytes, with the byte order of the dtype
    compressor             ->  numcodecs.<id>, bytes -> bytes

Spec: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.errors import MetadataError

from . import leniencies
from .model import (
    JSON,
    ArrayMetadata,
    Extension,
    GroupMetadata,
    InternalExtension,
    check_codec_count,
    integers,
    require,
    spell_constants,
)

ARRAY_KEYS = ("zarr_format", "shape", "chunks", "dtype", "compressor", "fill_value", "order", "filters")
OBJECT_CODECS = ("vlen-utf8", "vlen-bytes", "vlen-array", "json2", "msgpack2", "pickle", "categorize")
# These ids take an array, not bytes, so they cannot follow the `bytes` codec even as compressor.
ARRAY_CODECS = (
    *OBJECT_CODECS,
    "pcodec",
    "zfpy",
    "delta",
    "fixedscaleoffset",
    "quantize",
    "astype",
    "packbits",
    "bitround",
)


def parse_group(
    document: dict[str, Any], attributes: dict[str, Any], where: str = ".zgroup", strict: bool = False
) -> GroupMetadata:
    """The metadata in a ``.zgroup``, with the attributes of its ``.zattrs``."""
    if document.get("zarr_format") != 2 or isinstance(document["zarr_format"], bool):
        raise MetadataError(
            f"{where}: expected zarr_format 2, found {document.get('zarr_format')!r}", key="zarr_format"
        )
    if strict and set(document) != {"zarr_format"}:
        raise MetadataError(f"{where}: expected no key but zarr_format, found {sorted(document)}", key=where)
    return GroupMetadata(2, attributes, document)


def parse_array(
    document: dict[str, Any], attributes: dict[str, Any], where: str = ".zarray", strict: bool = False
) -> ArrayMetadata:
    """The metadata in a ``.zarray``, with the attributes of its ``.zattrs``."""
    try:
        return _parse_array(document, attributes, strict)
    except MetadataError as error:
        raise type(error)(f"{where}: {error.message}", **error.fields) from error


def _check_members(document: dict[str, Any], strict: bool) -> None:
    """Refuse a document that is not of Zarr 2, lacks a member, or has another word than the few that there are."""
    found = document.get("zarr_format")
    if found != 2 or type(found) is not int:
        raise MetadataError(f"expected zarr_format 2, found {found!r}", key="zarr_format")
    # leniency: missing-members - some writers leave out compressor, filters or fill_value
    require(document, ARRAY_KEYS if strict else ("shape", "chunks", "dtype", "order"), "members")
    separator = document.get("dimension_separator", ".")
    if separator not in (".", "/"):
        raise MetadataError(f"dimension_separator: expected '.' or '/', found {separator!r}", key="dimension_separator")
    if document["order"] not in ("C", "F"):
        raise MetadataError(f"order: expected 'C' or 'F', found {document['order']!r}", key="order")


def _parse_array(document: dict[str, Any], attributes: dict[str, Any], strict: bool) -> ArrayMetadata:
    _check_members(document, strict)
    document = {**document, **{key: _listed(document[key], strict) for key in ("shape", "chunks")}}
    shape, chunks = integers(document["shape"], "shape", strict), integers(document["chunks"], "chunks", strict)
    if len(shape) != len(chunks):
        raise MetadataError(
            f"chunks: expected as many lengths as shape, {len(shape)}, found {len(chunks)}", key="chunks"
        )
    if "fill_value" in document:
        document = {**document, "fill_value": spell_constants(document["fill_value"])}
    filters = _codec_list(document.get("filters"), "filters")
    compressor = document.get("compressor")
    if compressor is not None:
        compressor = _codec_list([compressor], "compressor")[0]
    everything = [*filters, *([compressor] if compressor else [])]
    object_codec = next((c for c in everything if c["id"] in OBJECT_CODECS), None)
    data_type, stored = dtypes.from_v2(document["dtype"], object_codec)
    if stored.kind == "O" and object_codec is None:
        raise MetadataError(
            "dtype '|O': expected an object codec among the filters "
            f"({', '.join(OBJECT_CODECS)}), found {[c['id'] for c in everything]}",
            key="filters",
        )
    return ArrayMetadata(
        zarr_format=2,
        shape=shape,
        data_type=data_type,
        chunk_grid=Extension("regular", {"chunk_shape": list(chunks)}),
        chunk_key_encoding=Extension("v2", {"separator": document.get("dimension_separator", ".")}),
        codecs=_codecs(document["order"], len(shape), data_type, stored, filters, compressor),
        fill_value=_fill_value(document.get("fill_value"), data_type, stored, strict),
        attributes=attributes,
        dimension_names=_dimension_names(attributes, len(shape)),
        document=document,
    )


def _codec_list(codecs: JSON, key: str) -> list[dict[str, Any]]:
    if codecs is None:
        return []
    if not isinstance(codecs, list) or not all(isinstance(c, dict) and isinstance(c.get("id"), str) for c in codecs):
        raise MetadataError(f"{key}: expected null or objects with an 'id', found {codecs!r}", key=key)
    check_codec_count(codecs, key)
    return codecs


def _array_bytes(data_type: dtypes.DataType, stored: np.dtype, filters: list[dict[str, Any]]) -> Extension:
    """The one codec that stands for the filters, and for the way from elements to bytes."""
    if len(filters) == 1 and filters[0]["id"] in ("vlen-utf8", "vlen-bytes") and stored.kind == "O":
        return Extension(filters[0]["id"])
    as_in_memory = stored.kind != "O" and data_type.numpy.kind != "T"
    if not filters and as_in_memory and stored == data_type.numpy.newbyteorder(byte_order(stored)):
        return Extension("bytes", {"endian": byte_order(stored)})
    return InternalExtension("v2_filters", {"dtype": dtypes.v2.describe_stored(stored), "filters": filters})


def _codecs(
    order: str,
    ndim: int,
    data_type: dtypes.DataType,
    stored: np.dtype,
    filters: list[dict[str, Any]],
    compressor: dict[str, Any] | None,
) -> tuple[Extension, ...]:
    chain = []
    if order == "F" and ndim > 1:
        chain.append(Extension("transpose", {"order": list(range(ndim))[::-1]}))
    if compressor and compressor["id"] in ARRAY_CODECS:  # an array -> bytes codec in the compressor's place
        filters, compressor = [*filters, compressor], None
    chain.append(_array_bytes(data_type, stored, filters))
    if compressor:
        configuration = {k: v for k, v in compressor.items() if k != "id"}
        chain.append(Extension(f"numcodecs.{compressor['id']}", configuration))
    return tuple(chain)


def byte_order(stored: np.dtype) -> Literal["little", "big"]:
    """``"little"`` or ``"big"``, of a numpy dtype as stored. "little" too where a record's fields differ."""
    return "big" if stored == stored.newbyteorder(">") != stored.newbyteorder("<") else "little"


def _listed(value: JSON, strict: bool) -> JSON:
    """leniency: bare-lengths - 2 is [2] in the shape and the chunks of an array with one axis."""
    return [value] if type(value) is int and not strict else value


def _fill_value(value: JSON, data_type: dtypes.DataType, stored: np.dtype, strict: bool) -> np.ndarray | None:
    if value is None:
        return None
    if strict:
        leniencies.refuse_v2_fill(data_type, value)
    if isinstance(data_type, dtypes.records.Struct):
        return data_type.fill_from_v2(value, stored)
    return data_type.fill_from_v2(value)


def _dimension_names(attributes: dict[str, Any], ndim: int) -> tuple[str | None, ...] | None:
    """The names that xarray keeps in ``_ARRAY_DIMENSIONS``; v2 itself has none."""
    names = attributes.get("_ARRAY_DIMENSIONS")
    if isinstance(names, list) and len(names) == ndim and all(isinstance(n, str) for n in names):
        return tuple(names)
    return None


def from_v1(document: dict[str, Any], where: str = "meta") -> dict[str, Any]:
    """The ``.zarray`` that says what a v1 ``meta`` document says."""
    keys = ("shape", "chunks", "dtype", "compression", "compression_opts", "fill_value", "order")
    require(document, keys, where)
    compressor: dict[str, Any] | None = None
    if document["compression"] not in (None, "none"):
        compressor = {"id": document["compression"]}
        options = document["compression_opts"]
        if isinstance(options, dict):
            compressor |= options
        elif options is not None:
            compressor["preset" if document["compression"] == "lzma" else "level"] = options
    return {
        "zarr_format": 2,
        **{k: document[k] for k in ("shape", "chunks", "dtype", "fill_value", "order")},
        "compressor": compressor,
        "filters": None,
    }
