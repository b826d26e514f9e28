"""Zarr v3 documents: ``zarr.json``, of an array or of a group.

Left out here: what the named codecs, grids and key encodings do (`codecs`, `chunk_grids`, `chunk_keys`).

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#metadata
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.errors import MetadataError, UnsupportedError

from . import leniencies
from .model import JSON, ArrayMetadata, Extension, GroupMetadata, check_codec_count, integers, require, spell_constants

ARRAY_KEYS = (
    "zarr_format",
    "node_type",
    "shape",
    "data_type",
    "chunk_grid",
    "chunk_key_encoding",
    "fill_value",
    "codecs",
)
OPTIONAL_KEYS = ("attributes", "storage_transformers", "dimension_names")
_ARRAY_KEYS = frozenset(ARRAY_KEYS + OPTIONAL_KEYS)
_GROUP_KEYS = frozenset(["zarr_format", "node_type", "attributes", "consolidated_metadata"])
_EXTENSION_KEYS = frozenset(["name", "configuration", "must_understand"])


def parse(document: dict[str, Any], where: str = "zarr.json", strict: bool = False) -> ArrayMetadata | GroupMetadata:
    """The metadata in a ``zarr.json``. Raises MetadataError, or UnsupportedError for names not known.

    `strict` turns off the leniencies towards old writers (`leniencies`).
    """
    found = document.get("zarr_format")
    if found != 3 or type(found) is not int:
        raise MetadataError(f"{where}: expected zarr_format 3, found {found!r}", key="zarr_format")
    node_type = document.get("node_type")
    try:
        if node_type == "group":
            return _parse_group(document, where, strict)
        if node_type == "array":
            return _parse_array(document, where, strict)
    except MetadataError as error:
        if error.message.startswith(where):
            raise
        raise type(error)(f"{where}: {error.message}", **error.fields) from error
    raise MetadataError(f"{where}: expected node_type 'array' or 'group', found {node_type!r}", key="node_type")


def extension(value: JSON, key: str) -> Extension:
    """A named thing: ``"gzip"``, or ``{"name": "gzip", "configuration": {...}, "must_understand": ...}``.

    >>> extension("crc32c", "codecs")
    Extension(name='crc32c', configuration={}, must_understand=True)
    """
    members = {"name": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
    name, configuration, must = (
        members.get("name"),
        members.get("configuration", {}),
        members.get("must_understand", True),
    )
    if not (isinstance(name, str) and isinstance(configuration, dict) and isinstance(must, bool)):
        raise MetadataError(f"{key}: expected a name, or an object with a 'name', found {value!r}", key=key)
    if not _EXTENSION_KEYS.issuperset(members):
        unknown = ", ".join(sorted(set(members) - _EXTENSION_KEYS))
        raise MetadataError(
            f"{key} {name!r}: found the unknown keys {unknown}; settings belong in 'configuration'", key=key
        )
    return Extension(name, configuration, must)


def _check_unknown(document: dict[str, Any], known: frozenset[str], where: str) -> None:
    for key, value in document.items() if not known.issuperset(document) else ():
        if key not in known and not (isinstance(value, dict) and value.get("must_understand") is False):
            raise UnsupportedError(
                f"{where}: the key {key!r} is not known to this library and does not say "
                '"must_understand": false, so the node cannot be read safely',
                key=key,
                found=value,
            )


def _attributes(document: dict[str, Any], where: str, strict: bool) -> dict[str, Any]:
    attributes = document.get("attributes", {})
    if attributes is None and not strict:
        return {}  # leniency: null-members
    if not isinstance(attributes, dict):
        raise MetadataError(f"{where}: expected attributes to be an object, found {attributes!r}", key="attributes")
    return attributes


def _parse_group(document: dict[str, Any], where: str, strict: bool) -> GroupMetadata:
    _check_unknown(document, _GROUP_KEYS, where)
    if strict and document.get("consolidated_metadata", {}) is None:
        raise MetadataError("consolidated_metadata: expected an object, found null", key="consolidated_metadata")
    return GroupMetadata(3, _attributes(document, where, strict), document)


def _parse_array(document: dict[str, Any], where: str, strict: bool) -> ArrayMetadata:
    _check_unknown(document, _ARRAY_KEYS, where)
    require(document, ARRAY_KEYS, where)
    shape = integers(document["shape"], "shape", strict)
    data_type = dtypes.from_json(document["data_type"])
    codecs = document["codecs"]
    if not isinstance(codecs, list) or not codecs:
        raise MetadataError(f"codecs: expected a list with at least one codec, found {codecs!r}", key="codecs")
    check_codec_count(codecs)
    chain = tuple(extension(codec, "codecs") for codec in codecs)
    if strict:
        leniencies.refuse(data_type, chain)
    for transformer in _transformers(document):
        if transformer.must_understand:
            raise UnsupportedError(
                f"storage_transformers: {transformer.name!r} is not known, and none is defined by the specification",
                key="storage_transformers",
                found=transformer.name,
            )
    document = {**document, "fill_value": spell_constants(document["fill_value"])}
    if document["fill_value"] is None:
        raise MetadataError("fill_value: expected a value of the data type, found null", key="fill_value")
    return ArrayMetadata(
        zarr_format=3,
        shape=shape,
        data_type=data_type,
        chunk_grid=extension(document["chunk_grid"], "chunk_grid"),
        chunk_key_encoding=extension(document["chunk_key_encoding"], "chunk_key_encoding"),
        codecs=chain,
        fill_value=_fill_value(document["fill_value"], data_type, chain, strict),
        attributes=_attributes(document, where, strict),
        dimension_names=_dimension_names(document.get("dimension_names"), document, len(shape), strict),
        document=document,
    )


def _fill_value(value: JSON, data_type: dtypes.DataType, codecs: tuple[Extension, ...], strict: bool) -> np.ndarray:
    if isinstance(data_type, dtypes.records.Struct):
        endian = next((c.configuration.get("endian") for c in codecs if c.name == "bytes"), None)
        return data_type.fill_from_json(value, endian or "little")
    if isinstance(data_type, dtypes.numbers.Bool) and not strict and _from_zarrita(codecs):
        return data_type.fill_from_v2(value)
    if isinstance(data_type, dtypes.numbers.Integer) and not strict:
        value = dtypes.numbers.whole(value)  # leniency: whole-floats - 0.0 of an integer type is 0
    return data_type.fill_from_json(value)


def _from_zarrita(codecs: tuple[Extension, ...]) -> bool:
    """leniency: bool-fill-0 - whether zarrita, the prototype of 2023, wrote this: it names a byte order for bytes."""
    for codec in codecs:
        if codec.name == "bytes" and "endian" in codec.configuration:
            return True
        if codec.name == "sharding_indexed" and isinstance(codec.configuration.get("codecs"), list):
            return _from_zarrita(tuple(extension(c, "codecs") for c in codec.configuration["codecs"]))
    return False


def _transformers(document: dict[str, Any]) -> list[Extension]:
    transformers = document.get("storage_transformers", [])
    if not isinstance(transformers, list):
        raise MetadataError(
            f"storage_transformers: expected a list, found {transformers!r}", key="storage_transformers"
        )
    return [extension(t, "storage_transformers") for t in transformers]


def _dimension_names(names: JSON, document: dict[str, Any], ndim: int, strict: bool) -> tuple[str | None, ...] | None:
    if names is None and not (strict and "dimension_names" in document):
        return None  # leniency: null-members
    if not isinstance(names, list) or len(names) != ndim or not all(n is None or isinstance(n, str) for n in names):
        raise MetadataError(
            f"dimension_names: expected a list of {ndim} strings or nulls, found {names!r}", key="dimension_names"
        )
    return tuple(names)
