"""``bytes``: the elements of an array one after the other, in C order, little- or big-endian.

    int16 [[1, 2], [3, 4]]    little   01 00 02 00 03 00 04 00
                              big      00 01 00 02 00 03 00 04

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/bytes/index.html
"""

from __future__ import annotations

import sys

import numpy as np

from tutorial_zarr.dtypes import DataType

from .base import ArrayBytesCodec, Buffer, ChunkSpec, as_bytes_view
from .fields import Choice
from .registry import register


class BytesCodec(ArrayBytesCodec):
    """``bytes``: the elements in C order, little- or big-endian. Types of single bytes need no ``endian``.

        zarr.json   {"name": "bytes", "configuration": {"endian": "little"}}
        zarr.json   {"name": "bytes"}

    Before the specification was final the codec had the name of its member, which is still read:

        zarr.json   {"name": "endian", "configuration": {"endian": "big"}}
    """

    endian = Choice(("little", "big"), default=None)

    def check(self, spec: ChunkSpec) -> None:
        if spec.data_type.item_size is None:
            raise self.misfit("elements of a fixed size; use vlen-utf8 or vlen-bytes", spec.data_type.name)
        if self.endian is None and spec.data_type.needs_endian:
            raise self.misfit(f"endian, because {spec.data_type.name} has units of several bytes", "none")

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        return spec.nbytes

    def verbatim(self, spec: ChunkSpec) -> bool:
        """Return whether stored bytes and memory are the same, with nothing to swap, mask or check."""
        native = self.endian in (None, sys.byteorder) or not spec.data_type.needs_endian
        return native and not spec.data_type.bits and spec.data_type.numpy.kind != "b"

    def _stored(self, data_type: DataType) -> np.dtype:
        return data_type.carrier.newbyteorder(">" if self.endian == "big" else "<")

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        stored = self._stored(spec.data_type)
        if spec.data_type.carrier != spec.data_type.numpy:
            array = np.ascontiguousarray(array).view(spec.data_type.carrier)
        return as_bytes_view(array.astype(stored, copy=False))

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        if memoryview(data).nbytes != spec.nbytes:
            raise self.fail(f"{spec.nbytes} bytes for a chunk of shape {spec.shape}", memoryview(data).nbytes)
        data_type = spec.data_type
        array = np.frombuffer(data, self._stored(data_type)).reshape(spec.shape)
        if data_type.carrier != data_type.numpy:
            array = array.astype(data_type.carrier).view(data_type.numpy)
        if data_type.bits:
            return low_bits(array, data_type)
        if data_type.numpy.kind == "b" and array.size and array.view(np.uint8).max() > 1:
            return array.view(np.uint8) != 0  # a byte that is neither 0 nor 1 would break numpy's logic
        return array


def low_bits(array: np.ndarray, data_type: DataType) -> np.ndarray:
    """Return the elements of a narrow type with their spare bits zero, as ml_dtypes has them."""
    raw = np.atleast_1d(array).view(np.uint8)  # numpy cuts no pair of bytes in two without an axis
    return (raw & ((1 << data_type.bits) - 1)).view(data_type.numpy).reshape(array.shape)


register(["bytes", "endian"], BytesCodec)
