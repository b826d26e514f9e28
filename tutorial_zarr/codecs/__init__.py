"""Codecs: how a chunk becomes bytes.

Read `base` first (the three kinds), then `bytes` and `transpose`, `pipeline`, `compressors`, `sharding`; the rest
in any order. `registry` finds a codec by its name.
"""

from . import (
    bitround,
    bytes,
    cast,
    checksums,
    compressors,
    conditional,
    filters,
    n5,
    packbits,
    registry,
    reshape,
    rounding,
    scale_offset,
    sharding,
    strings,
    transpose,
    zfp,
)
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
    "bitround",
    "build_codecs",
    "build_pipeline",
    "bytes",
    "cast",
    "checksums",
    "compressors",
    "conditional",
    "filters",
    "is_fill",
    "n5",
    "names",
    "packbits",
    "register",
    "registry",
    "reshape",
    "rounding",
    "scale_offset",
    "sharding",
    "strings",
    "transpose",
    "zfp",
]
