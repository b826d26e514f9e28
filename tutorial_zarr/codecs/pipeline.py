"""The chain of codecs of one array, checked once and applied to every chunk.

Building a pipeline passes a `ChunkSpec` down the chain. So a codec that does not fit is an error on opening, and
every codec knows what it will see. If the size of the decoded bytes follows from the metadata, no decoder may produce
more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.errors import CodecError, MetadataError, ZarrError
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import check_codec_count
from tutorial_zarr.metadata.v3 import extension

from .base import ArrayArrayCodec, ArrayBytesCodec, Buffer, BytesBytesCodec, ChunkSpec, Codec, as_bytes_view
from .bytes import BytesCodec
from .registry import build


class Pipeline:
    """A checked chain of codecs for chunks of one shape."""

    def __init__(self, codecs: Sequence[Codec], spec: ChunkSpec) -> None:
        self.codecs, self.spec = tuple(codecs), spec
        split = _split(codecs)
        self.array_array: list[tuple[ArrayArrayCodec, ChunkSpec]] = []
        for codec in cast("tuple[ArrayArrayCodec, ...]", self.codecs[:split]):
            bound = codec.bind(spec)
            self.array_array.append((bound, spec))
            spec = bound.resolve(spec)
        unbound = cast("ArrayBytesCodec", self.codecs[split])
        unbound.check(spec)
        self.array_bytes = unbound.bind(spec)
        self.inner_spec = spec  # what the array -> bytes codec sees
        self.bytes_bytes: list[tuple[BytesBytesCodec, int | None]] = []
        size = self.array_bytes.encoded_size(spec)
        for each in cast("tuple[BytesBytesCodec, ...]", self.codecs[split + 1 :]):
            each.check(spec)
            last = each.bind(spec)
            self.bytes_bytes.append((last, size))
            size = last.encoded_size(size) if size is not None else None
        self.encoded_size = size  # of a stored chunk, if it is always the same
        self.nbytes = self.spec.nbytes  # of a decoded chunk
        # The bytes that leave the last decompressor are the chunk's memory: they can be decoded in place.
        self.in_place = (
            not self.array_array and type(self.array_bytes) is BytesCodec and self.array_bytes.verbatim(spec)
        )
        # How many small chunks are decoded before any is copied: as many as stay in the processor's cache.
        self.batch_size = max(1, min(16, (1 << 19) // max(self.nbytes or 0, 1))) if self.in_place else 1
        self.raw = self.in_place and not self.bytes_bytes  # stored bytes are the chunk's memory
        # Bytes that a stored chunk rarely exceeds; None if nothing is known.
        self.encoded_bound = size or (None if self.nbytes is None else self.nbytes + (self.nbytes >> 6) + 256)

    @cached_property
    def joins(self) -> bool:
        """Whether several chunks may be encoded at once."""
        return self.batch_size > 1 and bool(self.bytes_bytes) and self.bytes_bytes[0][0].encode_all is not None

    @cached_property
    def quick(self) -> bool:
        """Whether a small chunk is encoded in less time than it takes to read and write its file."""
        return self.in_place and all(codec.quick for codec, _ in self.bytes_bytes)

    def decode(self, data: Buffer) -> np.ndarray:
        """Return the chunk in stored bytes, in native or swapped byte order. It may be a read-only view of `data`."""
        stage: Any = self.array_bytes  # the codec at work, of any kind, for the error
        if self.nbytes is not None and not self.raw:
            limits.check_memory(f"chunk of shape {self.spec.shape}", self.nbytes, "decoding it")
        try:
            for stage, size in reversed(self.bytes_bytes):
                data = stage.decode(data, size)
            stage = self.array_bytes
            array = self.array_bytes.decode(data, self.inner_spec)
            for stage, spec in reversed(self.array_array):
                if not (stage.moves_only or array.dtype.isnative):
                    array = array.astype(array.dtype.newbyteorder("="))
                array = stage.decode(array, spec)
        except ZarrError:
            raise
        except Exception as cause:  # whatever a codec library raises on bad bytes
            raise CodecError(f"codec {stage.name!r}: cannot decode: {cause}", codec=stage.name) from cause
        return array

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        """Decode stored bytes to `out`, the chunk's memory as a contiguous array of bytes.

        Only if `in_place` is true.
        """
        stage: Any = self.array_bytes  # the codec at work, of any kind, for the error
        try:
            for stage, size in self.bytes_bytes[:0:-1]:
                data = stage.decode(data, size)
            if self.bytes_bytes:
                stage = self.bytes_bytes[0][0]
                stage.decode_into(data, out)
            else:
                if memoryview(data).nbytes != out.nbytes:
                    raise stage.fail(f"{out.nbytes} bytes for a chunk of shape {self.spec.shape}", len(data))
                out[:] = np.frombuffer(data, np.uint8)
        except ZarrError:
            raise
        except Exception as cause:
            raise CodecError(f"codec {stage.name!r}: cannot decode: {cause}", codec=stage.name) from cause

    def decode_all_into(self, data: Sequence[Buffer], out: np.ndarray) -> None:
        """Decode several chunks to the rows of `out`, which are contiguous, as `decode_into` does one."""
        stage: Any = self.array_bytes  # the codec at work, of any kind, for the error
        try:
            for stage, size in self.bytes_bytes[:0:-1]:
                data = [stage.decode(each, size) for each in data]
            stage = first = self.bytes_bytes[0][0]
            if first.decode_all_into is None or not first.decode_all_into(data, out):
                for each, row in zip(data, out, strict=True):
                    first.decode_into(each, row)
        except ZarrError:
            raise
        except Exception as cause:
            raise CodecError(f"codec {stage.name!r}: cannot decode: {cause}", codec=stage.name) from cause

    def encode_all(self, rows: np.ndarray) -> Sequence[Buffer] | None:
        """Encode several chunks at once, the rows of an array of bytes; None where each is to be encoded by itself.

        Only if `joins` is true.
        """
        stage: Any = self.bytes_bytes[0][0]
        try:
            data = stage.encode_all(rows)
            for stage, _ in self.bytes_bytes[1:]:
                data = data and [stage.encode(each) for each in data]
        except ZarrError:
            raise
        except Exception as cause:
            raise CodecError(f"codec {stage.name!r}: cannot encode: {cause}", codec=stage.name) from cause
        return data

    def encode(self, array: np.ndarray) -> Buffer:
        """Return the stored bytes of a chunk."""
        stage: Any = self.array_bytes  # the codec at work, of any kind, for the error
        try:
            for stage, spec in self.array_array:
                array = stage.encode(array, spec)
            stage = self.array_bytes
            data = as_bytes_view(array) if self.in_place else self.array_bytes.encode(array, self.inner_spec)
            for stage, _ in self.bytes_bytes:
                data = stage.encode(data)
        except ZarrError:
            raise
        except Exception as cause:
            raise CodecError(f"codec {stage.name!r}: cannot encode: {cause}", codec=stage.name) from cause
        return data


def _split(codecs: Sequence[Codec]) -> int:
    """The place of the array -> bytes codec. Raises MetadataError where the kinds are not in order."""
    kinds = [0 if isinstance(c, ArrayArrayCodec) else 1 if isinstance(c, ArrayBytesCodec) else 2 for c in codecs]
    if kinds != sorted(kinds) or kinds.count(1) != 1:
        raise MetadataError(
            "codecs: expected any array -> array codecs, then exactly one array -> bytes codec, then any "
            f"bytes -> bytes codecs; found {[c.name for c in codecs]}",
            key="codecs",
        )
    return kinds.index(1)


def build_codecs(extensions: Sequence[Extension]) -> list[Codec]:
    """Return the codecs of a ``codecs`` list, without unknown ones that may be ignored."""
    return [codec for extension in extensions if (codec := build(extension)) is not None]


def build_pipeline(extensions: Sequence[Extension], spec: ChunkSpec) -> Pipeline:
    """Return the pipeline of a ``codecs`` list for chunks of `spec`."""
    return Pipeline(build_codecs(extensions), spec)


def parse_extensions(codecs: Any) -> list[Extension]:
    """Parse a ``codecs`` list inside a codec's own configuration; sharding has two of them."""
    if not isinstance(codecs, list) or not codecs:
        raise MetadataError(f"codecs: expected a list with at least one codec, found {codecs!r}", key="codecs")
    check_codec_count(codecs)
    return [extension(codec, "codecs") for codec in codecs]
