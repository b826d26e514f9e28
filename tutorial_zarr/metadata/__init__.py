"""Metadata documents: JSON to dataclasses and back, without reading or writing a store.

`model` holds the one in-memory form; `v2`, `v3` and `consolidated` the spellings.
"""

from . import consolidated, v2, v3
from .model import ArrayMetadata, Extension, GroupMetadata, Unfinished, dump_json, parse_json

__all__ = [
    "ArrayMetadata",
    "Extension",
    "GroupMetadata",
    "Unfinished",
    "consolidated",
    "dump_json",
    "parse_json",
    "v2",
    "v3",
]
