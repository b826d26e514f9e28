"""Codecs: how a chunk becomes bytes.

Read `base` first (the three kinds), then `bytes` and `transpose`, `pipeline`, `compressors`, `sharding`; the rest
in any order. `fields` declares what a configuration may hold, `registry` finds a codec by its name. Those of
`extensions` are not the specification's own.
"""

from . import bytes, checksums, compressors, extensions, fields, filters, registry, sharding, transpose
from .base import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec, ChunkSpec, Codec, is_fill
from .pipeline import Pipeline, build_codecs, build_pipeline
from .registry import names, register

__all__ = [
    "ArrayArrayCodec",
    "ArrayBytesCodec",
    "BytesBytesCodec",
    "ChunkSpec",
    "Codec",
    "Pipeline",
    "build_codecs",
    "build_pipeline",
    "bytes",
    "checksums",
    "compressors",
    "extensions",
    "fields",
    "filters",
    "is_fill",
    "names",
    "register",
    "registry",
    "sharding",
    "transpose",
]
