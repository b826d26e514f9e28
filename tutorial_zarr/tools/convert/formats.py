"""One node's metadata in the other format: what carries over as it is, what does not, and why. No store is touched.

What changes its spelling, and nothing else::

    Zarr 2                                Zarr 3
    order "F"                             transpose, all axes reversed
    filters                               numcodecs.<id>, array -> array
    dtype "<f4"                           data_type float32, codec bytes with endian little
    compressor                            gzip, zstd, blosc; else numcodecs.<id>
    dimension_separator                   chunk_key_encoding v2 with that separator
    attribute _ARRAY_DIMENSIONS           dimension_names
    OME-Zarr 0.4 among the attributes     OME-Zarr 0.5 under the attribute ome (`ome`)
    .zattrs                               attributes

What the other format cannot say is never dropped: it stands in `Spelling.problems`. Where an array's stored chunks
would not read the same in the other format, `Spelling.rewrite` says why; then the elements must be written anew.

>>> import tutorial_zarr as zarr
>>> old = zarr.create_array({}, shape=(4,), dtype=">i2", compressors="gzip", zarr_format=2).metadata
>>> spell(old, 3).metadata.document["codecs"][0]
{'name': 'bytes', 'configuration': {'endian': 'big'}}
>>> new = zarr.create_array({}, shape=(8,), chunks=(2,), shards=(4,), dtype="i2").metadata
>>> spell(new, 2).rewrite
["chunk keys such as c/0 are not Zarr 2's", 'Zarr 2 has no shards (sharding_indexed)']

The chunks themselves are compared before anything is written: `migrate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutorial_zarr import dtypes, nodes
from tutorial_zarr.array import Array
from tutorial_zarr.codecs import build_codecs
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec
from tutorial_zarr.codecs.filters import aligned, in_order
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.metadata import ArrayMetadata, Extension, GroupMetadata, v2, v3
from tutorial_zarr.spelling import SPELLED_ALIKE, to_extension, to_v2_codec
from tutorial_zarr.stores import MemoryStore

from . import ome

Metadata = ArrayMetadata | GroupMetadata
DIMENSIONS = "_ARRAY_DIMENSIONS"


@dataclass
class Spelling:
    """A node's metadata in another format, as far as it goes."""

    metadata: Metadata | None = None  # None where there are problems
    rewrite: list[str] = field(default_factory=list)  # why the stored chunks cannot stay
    problems: list[str] = field(default_factory=list)  # what would be lost
    notes: list[str] = field(default_factory=list)  # what changes its meaning for some readers


def spell(
    metadata: Metadata,
    zarr_format: int,
    path: str = "",
    anew: bool = False,
    name: str = "",
    axes: tuple[str, ...] | None = None,
) -> Spelling:
    """`metadata` in `zarr_format`. With `anew` its elements are written anew, so that chunk keys and shards may go.

    `name` is what the node is called in the source; `axes` are what an OME-Zarr image above an array calls its axes.
    """
    found = Spelling()
    document: dict[str, Any] = {}
    attributes = metadata.attributes
    try:
        if isinstance(metadata, GroupMetadata):
            attributes, notes = ome.spelled(metadata.attributes, zarr_format, name)
            found.notes += notes
            document = _group(metadata, zarr_format, attributes, found)
        elif zarr_format == 3:
            document = _array_v3(metadata, found)
            _name_axes(document, metadata, axes, found)
        else:
            document, attributes = _array_v2(metadata, found, anew)
    except ZarrError as error:  # a type or a fill value without a spelling
        found.problems.append(error.message)
    if found.problems:
        return found
    where = nodes.label(metadata.node_type, path, zarr_format)
    try:
        if zarr_format == 3:
            made: Metadata = v3.parse(document, where)
        elif isinstance(metadata, GroupMetadata):
            made = v2.parse_group(document, attributes, where)
        else:
            made = v2.parse_array(document, attributes, where)
        nodes.documents(made, path)  # what JSON cannot hold
        if isinstance(made, ArrayMetadata) and isinstance(metadata, ArrayMetadata):
            Array(MemoryStore(), path, made)  # codecs that do not fit
            _compare(metadata, made, found, axes)
    except ZarrError as error:
        found.problems.append(error.message)
    if not found.problems:
        found.metadata = made
    return found


def _name_axes(
    document: dict[str, Any], metadata: ArrayMetadata, axes: tuple[str, ...] | None, found: Spelling
) -> None:
    """OME-Zarr 0.5 asks that the dimensions of an image's arrays are named as its axes."""
    if axes is None or len(axes) != len(metadata.shape) or metadata.dimension_names == axes:
        return
    if metadata.dimension_names is None:
        document["dimension_names"] = list(axes)
    else:
        found.notes.append(
            f"OME-Zarr 0.5 asks for the dimension names {list(axes)}, as the image's axes; they stay "
            f"{list(metadata.dimension_names)}"
        )


def _compare(old: ArrayMetadata, new: ArrayMetadata, found: Spelling, axes: tuple[str, ...] | None) -> None:
    """A last look: what was made must say the same."""
    if new.data_type.numpy != old.data_type.numpy or new.data_type.name != old.data_type.name:
        found.problems.append(f"its type {old.data_type.name!r} would become {new.data_type.name!r}")
    elif new.fill.tobytes() != old.fill.tobytes() and not (new.fill.dtype.kind in "OT" and new.fill == old.fill):
        values = [metadata.data_type.fill_to_json(metadata.fill) for metadata in (old, new)]
        found.problems.append(f"its fill value {values[0]!r} would become {values[1]!r}")
    if new.dimension_names != old.dimension_names and (old.dimension_names is not None or new.dimension_names != axes):
        found.problems.append(f"its dimension names {old.dimension_names} would become {new.dimension_names}")


def _unknown(document: dict[str, Any], known: tuple[str, ...], name: str, zarr_format: int, found: Spelling) -> None:
    for key in document:
        if key not in known:
            found.problems.append(f"the member {key!r} of its {name} has no place in Zarr {zarr_format}")


def _group(metadata: GroupMetadata, zarr_format: int, attributes: dict[str, Any], found: Spelling) -> dict[str, Any]:
    if zarr_format == 3:
        _unknown(metadata.document, ("zarr_format",), ".zgroup", 3, found)
        return nodes.new_group(3, attributes).document
    known = ("zarr_format", "node_type", "attributes", "consolidated_metadata")
    _unknown(metadata.document, known, "zarr.json", 2, found)
    return nodes.new_group(2, {}).document


# --- from 2 to 3


def _array_v3(metadata: ArrayMetadata, found: Spelling) -> dict[str, Any]:
    document, data_type = metadata.document, metadata.data_type
    _unknown(document, (*v2.ARRAY_KEYS, "dimension_separator"), ".zarray", 3, found)
    attributes = dict(metadata.attributes)
    if metadata.dimension_names is not None:
        attributes.pop(DIMENSIONS)
    if metadata.fill_value is None:
        found.notes.append("fill_value null becomes the default of its type, which Zarr 3 asks for")
    elif metadata.dimension_names is not None and "_FillValue" not in attributes:
        found.notes.append(
            "xarray takes the fill_value of Zarr 2 for _FillValue and masks it, that of Zarr 3 it does not; "
            "where elements are missing values, add the attribute _FillValue"
        )
    stored = dtypes.v2.stored_dtype(document["dtype"])
    if stored.names and stored != stored.newbyteorder(v2.byte_order(stored)):
        found.rewrite.append("its fields differ in byte order, and Zarr 3 has one for all of them")
    filters = list(document.get("filters") or ())
    if aligned(filters, stored) != filters:
        found.rewrite.append("its filters name another byte order than they are given, and Zarr 3's see numbers")
    made = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": document["shape"],
        "data_type": data_type.to_json(),
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [max(1, int(c)) for c in document["chunks"]]},
        },
        "chunk_key_encoding": {"name": "v2", "configuration": metadata.chunk_key_encoding.configuration},
        "fill_value": data_type.fill_to_json(metadata.fill),
        "codecs": _chain_v3(metadata),
        "attributes": attributes,
    }
    if metadata.dimension_names is not None:
        made["dimension_names"] = list(metadata.dimension_names)
    return made


def _chain_v3(metadata: ArrayMetadata) -> list[dict[str, Any]]:
    document, data_type = metadata.document, metadata.data_type
    filters, compressor = list(document.get("filters") or ()), document.get("compressor")
    chain = [e for e in metadata.codecs if e.name == "transpose"]
    found = [{"name": e.name, "configuration": e.configuration} for e in chain]
    stored = dtypes.v2.stored_dtype(document["dtype"])
    if compressor and compressor["id"] in v2.ARRAY_CODECS:
        filters, compressor = [*filters, compressor], None
    entries = [to_extension(f, data_type) for f in filters]
    kinds = build_codecs([v3.extension(entry, "filters") for entry in entries])
    arrays = sum(isinstance(codec, ArrayArrayCodec) for codec in kinds)
    found += entries[:arrays]
    if not any(isinstance(codec, ArrayBytesCodec) for codec in kinds):
        made = [f.get("encode_dtype") or f.get("astype") or f.get("dtype") for f in filters[:arrays]]
        last = next((np.dtype(name) for name in reversed(made) if name), stored)  # what the last filter stores
        several = data_type.needs_endian or last.newbyteorder("S") != last
        endian = {"configuration": {"endian": v2.byte_order(last)}} if several else {}
        found.append({"name": "bytes", **endian})
    found += entries[arrays:]  # what turns an array to bytes; and compressors among the filters
    if compressor:
        found.append(to_extension(compressor, data_type))
    return found


# --- from 3 to 2


def _array_v2(metadata: ArrayMetadata, found: Spelling, anew: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    document, data_type, chain = metadata.document, metadata.data_type, list(metadata.codecs)
    _unknown(document, v3.ARRAY_KEYS + v3.OPTIONAL_KEYS, "zarr.json", 2, found)
    chunks, separator = metadata.chunk_grid.configuration.get("chunk_shape"), "."
    if metadata.chunk_grid.name != "regular":
        found.rewrite.append(f"Zarr 2 has one chunk shape, and no grid {metadata.chunk_grid.name!r}")
        chunks = list(Array(MemoryStore(), "", metadata).grid.max_chunk_shape)
    if metadata.chunk_key_encoding.name == "v2":
        separator = metadata.chunk_key_encoding.configuration.get("separator", ".")
    else:
        key = Array(MemoryStore(), "", metadata).io.keys.encode((0,) * len(metadata.shape))
        found.rewrite.append(f"chunk keys such as {key} are not Zarr 2's")
    if chain[-1].name == "sharding_indexed" or any(e.name == "sharding_indexed" for e in chain):
        found.rewrite.append("Zarr 2 has no shards (sharding_indexed)")
        inner = next(e for e in chain if e.name == "sharding_indexed").configuration
        chain, chunks = [v3.extension(codec, "codecs") for codec in inner["codecs"]], inner["chunk_shape"]
    attributes = dict(metadata.attributes)
    if metadata.dimension_names is not None:
        names = list(metadata.dimension_names)
        if None in names:
            found.problems.append(f"its dimension names {names} have one that is null, for which Zarr 2 has no place")
        elif attributes.setdefault(DIMENSIONS, names) != names:
            found.problems.append(f"its attribute {DIMENSIONS} contradicts its dimension names {names}")
    spelled, endian = _chain_v2(chain, len(metadata.shape), data_type)
    if spelled.pop("unknown", None):
        found.rewrite.append(f"its codecs {[e.name for e in chain]} have no spelling in Zarr 2")
        if anew:
            found.problems.append(f"its codecs {[e.name for e in chain]} have no spelling in Zarr 2; name others")
    made = {
        "zarr_format": 2,
        "shape": document["shape"],
        "chunks": chunks,
        "dtype": dtypes.to_v2(data_type, endian),
        "compressor": None,
        "fill_value": data_type.fill_to_v2(metadata.fill),
        "order": "C",
        "filters": None,
        **spelled,
    }
    if separator != ".":
        made["dimension_separator"] = separator
    if metadata.dimension_names is not None and "_FillValue" not in attributes:
        found.notes.append("xarray takes the fill_value of Zarr 2 for _FillValue, and shows such elements as missing")
    return made, attributes


def _chain_v2(chain: list[Extension], ndim: int, data_type: dtypes.DataType) -> tuple[dict[str, Any], str]:
    """The members `order`, `filters` and `compressor`, and the byte order; `unknown` is set where a codec has no id."""
    members: dict[str, Any] = {}
    chain, endian = list(chain), "little"
    backwards = list(range(ndim))[::-1]
    if chain[0].name == "transpose" and chain[0].configuration.get("order") in (backwards, "F"):
        members["order"] = "F" if ndim > 1 else "C"
        del chain[0]
    ids = []
    for extension in chain:
        if extension.name in ("bytes", "endian"):
            endian = extension.configuration.get("endian", "little")
        elif extension.name in (*SPELLED_ALIKE, "vlen-utf8", "vlen-bytes") or extension.name.startswith("numcodecs."):
            ids.append(to_v2_codec({"name": extension.name, "configuration": extension.configuration}, data_type))
        else:
            return {"unknown": True}, endian
    ids = [in_order(each, "<" if endian == "little" else ">") for each in ids]  # as v2's filters see the elements
    if ids and ids[-1]["id"] not in v2.OBJECT_CODECS and chain[-1].name not in ("bytes", "endian"):
        members["compressor"] = ids.pop()
    return {**members, "filters": ids or None}, endian
