"""Documents that break the specifications and are read all the same, and who writes them. ``strict=True`` refuses them.

Each entry is marked in the code by the words ``leniency: name``. What is read leniently is never written.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import MetadataError

from .model import Extension

LENIENCIES = {
    # name: (what is read, whose stores need it)
    "bare-constants": ("NaN and Infinity without quotes in JSON", "zarr-python, in attributes; old v2 fill values"),
    "whole-floats": ("2.0 for 2 in a shape, or in an integer's fill value", "JavaScript and xarray-made writers"),
    "bare-lengths": ("2 for [2] in the shape and chunks of v2", "Rarr, in R, whose numbers are vectors"),
    "null-members": ("null for attributes, dimension_names, consolidated_metadata", "zarr-python 3.0"),
    "plus-infinity": ("+Infinity in a scalar_map of cast_value", "those who followed the specification's example"),
    "bool-fill-0": ("0 and 1 as the fill value of booleans", "zarrita, the v3 prototype; many v2 writers"),
    "endian": ("the codec name endian for bytes", "writers of the v3 draft"),
    "transpose-letters": ("the orders C and F of transpose", "writers of the v3 draft"),
    "blosc-typesize": ("blosc with a shuffle but without typesize", "zarrita.js"),
    "index-codecs": ("sharding_indexed without index_codecs", "zarr-python, which defaults them"),
    "missing-members": ("v2 documents without compressor, filters or fill_value", "n5 and Java writers"),
    "v2-fill-values": ("0 for text and records, numbers as text, true for 1", "zarr-python 2"),
    "v2-group-members": ("further members in .zgroup", "netCDF-C, for its own groups"),
}


def refuse(data_type: DataType, codecs: tuple[Extension, ...]) -> None:
    """Raise MetadataError for what only a lenient reader takes among the types and codecs of a v3 document."""
    for codec in codecs:
        if problem := _problem(codec.name, codec.configuration):
            raise MetadataError(f"codec {codec.name!r}: expected {problem}", key="codecs", codec=codec.name)
        for key in ("codecs", "index_codecs") if codec.name == "sharding_indexed" else ():
            inside = codec.configuration.get(key)
            refuse(data_type, tuple(_inner(c) for c in inside) if isinstance(inside, list) else ())


def _problem(name: str, config: dict[str, Any]) -> str:
    """What only a lenient reader takes in a codec, by its name and configuration; "" where there is nothing."""
    if name == "endian":
        return "the name 'bytes', found 'endian'"
    if name == "transpose" and config.get("order") in ("C", "F"):
        return f"order as a permutation of the axes, found {config['order']!r}"
    if name == "blosc" and config.get("shuffle") in ("shuffle", "bitshuffle") and "typesize" not in config:
        return "typesize, which a shuffle needs, found none"
    if name == "cast_value" and "+Infinity" in str(config.get("scalar_map")):
        return "'Infinity' in scalar_map, found '+Infinity'"
    return "index_codecs, found none" if name == "sharding_indexed" and "index_codecs" not in config else ""


def _inner(codec: object) -> Extension:
    if isinstance(codec, dict) and isinstance(codec.get("configuration", {}), dict):
        return Extension(str(codec.get("name")), codec.get("configuration", {}))
    return Extension(str(codec))


def refuse_v2_fill(data_type: DataType, value: Any) -> None:
    """Raise MetadataError for a v2 fill value in a form that only a lenient reader takes."""
    fixed = data_type.item_size is not None
    kind = data_type.numpy.kind
    if kind in "iuf" and isinstance(value, str):
        bad = kind != "f" or value not in ("NaN", "Infinity", "-Infinity")
    elif kind in "iufb" and isinstance(value, bool) != (kind == "b"):
        bad = True
    else:
        bad = (kind in "SVUT" or not fixed) and value in (0, "") and not (kind in "UT" and value == "")
    if bad:
        raise MetadataError(
            f"fill_value: expected the form that the type {kind!r} has, found {value!r}", key="fill_value"
        )
