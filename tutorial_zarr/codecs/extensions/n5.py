"""``n5_default``: the blocks of N5 arrays, in N5's default mode.

    [ mode 0 ][ dimensions ][ length ] ... [ length ][ elements: F order, big-endian, perhaps compressed ]
      2 bytes    2 bytes     4 bytes        4 bytes   all big-endian

A block says its own shape. Where it is smaller than the chunk, as blocks at the edge of an array may be, the rest
is the fill value; what lies outside of the chunk is left away. Written blocks always have the chunk's shape. N5's
own metadata, ``attributes.json``, is not read.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/n5_default
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr.codecs.base import ArrayBytesCodec, Buffer, BytesBytesCodec, ChunkSpec, Codec
from tutorial_zarr.codecs.bytes import BytesCodec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.pipeline import Pipeline, build_codecs, parse_extensions
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.codecs.transpose import Transpose
from tutorial_zarr.errors import ZarrError

if TYPE_CHECKING:
    from typing import Self

N5_TYPES = [*(f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)), "float32", "float64"]
# What a block may say its size is where that is more than the chunk's: a full block behind a chunk that the grid cuts.
LARGEST_BLOCK = 1 << 27


class _BlockCodecs(Field[list[Codec]]):
    """The codecs that turn a block into what stands behind its header."""

    def parse(self, codec: Any, value: Any) -> list[Codec]:
        with codec.naming():
            return build_codecs(parse_extensions(value))


class N5Default(ArrayBytesCodec):
    """``n5_default``: the blocks of N5, whose axes are those of Zarr the other way round.

    zarr.json   {"name": "n5_default", "configuration":
                 {"codecs": [{"name": "transpose", "configuration": {"order": [1, 0]}},
                             {"name": "bytes", "configuration": {"endian": "big"}},
                             {"name": "gzip", "configuration": {"level": 5}}]}}
    """

    codecs = _BlockCodecs()

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        kinds = (Transpose, BytesCodec, BytesBytesCodec)
        right = len(self.codecs) in (2, 3) and all(map(isinstance, self.codecs, kinds))
        if not right or self.codecs[1].configuration.get("endian") == "little":
            raise self.misfit(
                "codecs that are transpose, bytes (big-endian) and at most one bytes -> bytes codec", self.codecs
            )
        self._pipeline: Pipeline | None = None

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Errors about the codecs inside say that they are this codec's."""
        try:
            yield
        except ZarrError as error:
            raise type(error)(f"codec {self.name!r}: {error.message}", **error.fields) from error

    def check(self, spec: ChunkSpec) -> None:
        backwards = list(range(len(spec.shape)))[::-1]
        if self.codecs[0].configuration["order"] != backwards:
            raise self.misfit(f"transpose with the order {backwards}", self.codecs[0].configuration["order"])
        if spec.data_type.name not in N5_TYPES:
            raise self.misfit(f"a data type of N5: {', '.join(N5_TYPES)}", spec.data_type.name)
        if len(spec.shape) >= 1 << 16 or max(spec.shape, default=0) >= 1 << 32:
            raise self.misfit("fewer than 2^16 dimensions, each shorter than 2^32", spec.shape)

    def bind(self, spec: ChunkSpec) -> Self:
        return self.changed(_pipeline=self._line(spec))

    def _line(self, spec: ChunkSpec) -> Pipeline:
        """Return the chain inside for blocks of `spec`; it is checked once, if the codec is bound to that very spec."""
        if self._pipeline is not None and self._pipeline.spec is spec:
            return self._pipeline
        with self.naming():
            return Pipeline(self.codecs, spec)

    # encoded_size stays unknown: the blocks at the edge may be smaller.

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        header = struct.pack(f">HH{len(spec.shape)}I", 0, len(spec.shape), *spec.shape)
        return header + bytes(self._line(spec).encode(array))

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        view, ndim = memoryview(data).cast("B"), len(spec.shape)
        if len(view) < 4 + 4 * ndim:
            raise self.fail(f"a header of {4 + 4 * ndim} bytes", f"{len(view)} bytes")
        mode, found, *lengths = struct.unpack_from(f">HH{ndim}I", view)
        if mode != 0:
            raise self.fail("a block of mode 0, the default", f"mode {mode}; this codec reads no other")
        if found != ndim:
            raise self.fail(f"{ndim} dimensions", found)
        shape = tuple(lengths)
        size = math.prod(shape) * spec.data_type.numpy.itemsize
        if 0 in shape or size > max(spec.nbytes or 0, LARGEST_BLOCK):
            raise self.fail(f"a block about as large as the chunk, {spec.shape}", f"one of {shape}")
        pipeline = self._line(spec if shape == spec.shape else spec._replace(shape=shape))
        with self.naming():
            block = pipeline.decode(view[4 + 4 * ndim :])
        if shape == spec.shape:
            return block
        array = np.full(spec.shape, spec.fill)
        common = tuple(slice(min(a, b)) for a, b in zip(shape, spec.shape, strict=True))
        array[common] = block[common]
        return array


register("n5_default", N5Default)
