"""``scale_offset``: subtract an offset, then multiply by a scale, in the arithmetic of the data type.

A result that the type cannot hold is an error, and so is an integer that is not a multiple of the scale when it
is decoded. To store the results in a narrower type, put `cast` behind it.

>>> codec = ScaleOffset("scale_offset", {"offset": 1000, "scale": 2})
>>> spec = ChunkSpec((2,), dtypes.from_json("uint16"), np.array(1000, "u2"))
>>> codec.encode(np.array([1000, 1007], "u2"), spec)
array([ 0, 14], dtype=uint16)

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/scale_offset
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.codecs.base import ArrayArrayCodec, ChunkSpec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes.numbers import Integer
from tutorial_zarr.errors import CodecError, MetadataError

from .rounding import FORMATS, is_real, to_format, widened

Step = tuple[str, str]  # an operation and the key of its operand
ENCODE: list[Step] = [("-", "offset"), ("*", "scale")]
DECODE: list[Step] = [("/", "scale"), ("+", "offset")]
_FLOATS: dict[str, Callable[..., np.ndarray]] = {
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "+": np.add,
}
_INTEGERS: dict[str, Callable[..., np.ndarray]] = {**_FLOATS, "/": np.floor_divide}


class ScaleOffset(ArrayArrayCodec):
    """``scale_offset``: ``(element - offset) * scale``. Both are elements of the data type, written as fill values are.

    zarr.json   {"name": "scale_offset", "configuration": {"offset": 1000, "scale": 2}}
    """

    offset: Field[Any] = Field(None)
    scale: Field[Any] = Field(None)

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        if not is_real(spec.data_type):
            raise self.misfit("a data type of integers or floats", repr(spec.data_type.name))
        for key in self.configuration:
            operand = self._operand(key, spec.data_type)
            if not np.isfinite(operand.astype("f8")) or (key == "scale" and operand == 0):
                kind = "a finite number other than 0" if key == "scale" else "a finite number"
                raise self.misfit(f"{key} as {kind}, without which nothing can be decoded", operand[0])
        try:
            return spec._replace(fill=self.encode(spec.fill, spec))
        except CodecError as error:
            fill = spec.data_type.fill_to_json(spec.fill)
            raise self.misfit("a fill value that can be encoded", f"{fill!r}: {error.message}") from error

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return self._apply(array, ENCODE, spec.data_type)

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return self._apply(array, DECODE, spec.data_type)

    def _operand(self, key: str, data_type: dtypes.DataType) -> np.ndarray:
        try:
            return widened(data_type.fill_from_json(self.configuration[key]), data_type)
        except MetadataError as error:
            raise self.misfit(f"{key} as a {data_type.name}", f"{self.configuration[key]!r}") from error

    def _apply(self, array: np.ndarray, steps: list[Step], data_type: Any) -> np.ndarray:
        take = self._integers if isinstance(data_type, Integer) else self._floats
        values = widened(array, data_type)
        for operation, key in steps:
            if key in self.configuration:
                values = take(values, operation, self._operand(key, data_type), data_type)
        return values.astype(data_type.numpy).reshape(array.shape)

    def _integers(self, values: np.ndarray, operation: str, operand: np.ndarray, data_type: Integer) -> np.ndarray:
        # Which values stay in range is worked out beforehand, without overflow, so that 64 bits are enough.
        number, ends = int(operand[0]), (data_type.least, data_type.greatest)
        match operation:
            case "-":
                low, high = (end + number for end in ends)
            case "+":
                low, high = (end - number for end in ends)
            case "*":
                first, last = ends if number > 0 else ends[::-1]
                low, high = -(-first // number), last // number  # rounded inwards
            case _:
                low, high = sorted(end * number for end in ends)
                self._refuse(values % operand != 0, values, f"multiples of the scale {number}", data_type)
        outside = (values < low) | (values > high)
        self._refuse(outside, values, f"{data_type.name} after {operation} {number}", data_type)
        return _INTEGERS[operation](values, operand)

    def _floats(self, values: np.ndarray, operation: str, operand: np.ndarray, data_type: Any) -> np.ndarray:
        # In float64, then rounded: for a type of less than half the digits that is the type's own arithmetic.
        form = FORMATS[data_type.name]
        with np.errstate(all="ignore"):
            result = to_format(_FLOATS[operation](values, operand), form, "nearest-even")
            outside = np.isfinite(values) & ((result < form.lowest) | (result > form.largest))
        self._refuse(outside, values, f"{data_type.name} after {operation} {operand[0]}", data_type)
        return result

    def _refuse(self, bad: np.ndarray, values: np.ndarray, expected: str, data_type: dtypes.DataType) -> None:
        if bad.any():
            raise self.fail(expected, f"{values[bad.argmax()]}; try a wider data type than {data_type.name}")


register("scale_offset", ScaleOffset)
