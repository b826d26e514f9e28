"""``packbits``: elements of a few bits each, one after the other without gaps, least significant bit first.

    bool [1, 0, 0, 1, 1]           000 11001        one byte; three bits of padding
    uint4 [1, 2, 3]                0010 0001  0000 0011

Bit ``i`` of the sequence is bit ``i % 8`` of byte ``i // 8``, counted from the least significant one. That is the
other way round than in numcodecs' ``packbits``, which is a codec of its own in `filters`.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/packbits
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.codecs.base import ArrayBytesCodec, Buffer, ChunkSpec, as_bytes_view
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.numbers import Bool, Complex, Float, Integer

# The README says first_byte, last_byte, first_bit, last_bit; the schema beside it start_byte, end_byte, start_bit,
# end_bit. No word of the one means something else in the other, so both are read.
SCHEMA_KEYS = {"start_bit": "first_bit", "end_bit": "last_bit"}
SCHEMA_VALUES = {"start_byte": "first_byte", "end_byte": "last_byte"}
STRIDE = 1 << 16  # components at a time: each bit takes a byte while they are packed. A multiple of 8.


class _Padding(Field[str]):
    """Where the number of bits stands that fill up the last byte."""

    def parse(self, codec: Any, value: Any) -> str:
        found = SCHEMA_VALUES.get(value, value) if isinstance(value, str) else value
        if found not in ("none", "first_byte", "last_byte"):
            raise codec.misfit("padding_encoding 'none', 'first_byte' or 'last_byte'", repr(value))
        return str(found)


class PackBits(ArrayBytesCodec):
    """``packbits``: the bits from ``first_bit`` to ``last_bit`` of each element, without gaps.

    zarr.json   {"name": "packbits", "configuration":
                 {"padding_encoding": "first_byte", "first_bit": 0, "last_bit": 11}}
    """

    padding = _Padding("none", key="padding_encoding")
    first_bit: Field[Any] = Field(None)  # checked with the data type, which has the number of bits
    last_bit: Field[Any] = Field(None)

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        if len(self.members()) != len(configuration):
            raise self.misfit("one of first_bit and start_bit, one of last_bit and end_bit", sorted(configuration))

    def members(self) -> dict[str, Any]:
        return {SCHEMA_KEYS.get(key, key): value for key, value in self.configuration.items()}

    def _layout(self, data_type: DataType) -> tuple[int, int, int]:
        """Components of an element, and the first and last bit that is kept of each."""
        if not isinstance(data_type, (Bool, Integer, Float, Complex)):
            raise self.misfit("booleans, integers, floats or complex numbers", data_type.name)
        components = 2 if isinstance(data_type, Complex) else 1
        width = 1 if isinstance(data_type, Bool) else data_type.bits or data_type.numpy.itemsize * 8 // components
        first = 0 if self.first_bit is None else self.first_bit
        last = width - 1 if self.last_bit is None else self.last_bit
        for key, bit in (("first_bit", first), ("last_bit", last)):
            if type(bit) is not int or not 0 <= bit < width:
                raise self.misfit(f"{key} from 0 to {width - 1} for {data_type.name}", repr(bit))
        if last < first:
            raise self.misfit(f"last_bit of at least first_bit, {first}", last)
        return components, first, last

    def check(self, spec: ChunkSpec) -> None:
        self._layout(spec.data_type)

    def _sizes(self, spec: ChunkSpec) -> tuple[int, int]:
        """How many components there are, and how many bits they take together."""
        components, first, last = self._layout(spec.data_type)
        count = components * math.prod(spec.shape)
        return count, count * (last - first + 1)

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        return -(-self._sizes(spec)[1] // 8) + (self.padding != "none")

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        components, first, last = self._layout(spec.data_type)
        count, bits = self._sizes(spec)
        carrier = spec.data_type.carrier
        if carrier != spec.data_type.numpy:
            array = np.ascontiguousarray(array).view(carrier)
        stored = as_bytes_view(array.astype(carrier.newbyteorder("<"), copy=False))
        rows = stored.reshape(count, carrier.itemsize // components)  # the bytes of one component each
        parts = []
        for i in range(0, count, STRIDE):
            kept = np.unpackbits(rows[i : i + STRIDE], axis=1, bitorder="little")[:, first : last + 1]
            parts.append(np.packbits(kept, bitorder="little"))
        if self.padding != "none":
            parts.insert(0 if self.padding == "first_byte" else len(parts), np.array([-bits % 8], np.uint8))
        return np.concatenate(parts) if parts else b""

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        components, first, last = self._layout(spec.data_type)
        count, bits = self._sizes(spec)
        raw = np.frombuffer(data, np.uint8)
        if raw.nbytes != self.encoded_size(spec):
            raise self.fail(f"{self.encoded_size(spec)} bytes for a chunk of shape {spec.shape}", raw.nbytes)
        if self.padding != "none":
            found = int(raw[0 if self.padding == "first_byte" else -1])
            if found != -bits % 8:
                raise self.fail(f"{-bits % 8} bits of padding in its {self.padding}", found)
            raw = raw[1:] if self.padding == "first_byte" else raw[:-1]
        kept, itemsize = last - first + 1, spec.data_type.numpy.itemsize // components
        signed = isinstance(spec.data_type, Integer) and spec.data_type.least < 0
        rows = np.empty((count, itemsize), np.uint8)
        for i in range(0, count, STRIDE):
            n = min(STRIDE, count - i)
            stored = np.unpackbits(raw[i * kept // 8 :], count=n * kept, bitorder="little").reshape(n, kept)
            component = np.zeros((n, itemsize * 8), np.uint8)
            component[:, first : last + 1] = stored
            if signed:
                component[:, last + 1 :] = stored[:, -1:]
            rows[i : i + n] = np.packbits(component, axis=1, bitorder="little")
        carrier = spec.data_type.carrier
        array = rows.reshape(-1).view(carrier.newbyteorder("<")).astype(carrier, copy=False)
        return array.view(spec.data_type.numpy).reshape(spec.shape)


register("packbits", PackBits)
