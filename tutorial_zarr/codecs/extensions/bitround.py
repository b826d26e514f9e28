"""``bitround``: numbers with fewer significant bits, which compress better. Decoding leaves them as they are.

Floats keep `keepbits` bits of the mantissa, integers `keepbits` bits from the first that is set; ties go to even.
Negative integers are rounded as their absolute values are. Where an integer would round up out of its type, as
255 would to 256, its low bits are cut off instead. NaN and infinity stay.

>>> from tutorial_zarr import dtypes
>>> spec = ChunkSpec((3,), dtypes.from_json("uint8"), np.array(0, "u1"))
>>> BitRound("bitround", {"keepbits": 3}).encode(np.array([11, 123, 255], "u1"), spec)
array([ 12, 128, 224], dtype=uint8)

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/bitround
"""

from __future__ import annotations

import numpy as np

from tutorial_zarr.codecs.base import ArrayArrayCodec, ChunkSpec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes.numbers import Complex, Integer

from .rounding import FORMATS, keep_bits, magnitude

FLOATS = ("float16", "float32", "float64", "bfloat16")


class BitRound(ArrayArrayCodec):
    """``bitround``: floats with ``keepbits`` bits of mantissa, integers with as many from the first that is set.

    zarr.json   {"name": "bitround", "configuration": {"keepbits": 10}}
    """

    keepbits: Field[int] = Field(
        expected="keepbits as an integer from 1", test=lambda bits: type(bits) is int and bits >= 1
    )

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        # The fill value stays too: elements that were never written are not rounded, and decoding changes nothing.
        data_type = spec.data_type
        if (isinstance(data_type, Integer) and not data_type.bits) or data_type.numpy.kind in "mM":
            return spec
        part = data_type.part if isinstance(data_type, Complex) else data_type
        if part.name not in FLOATS:
            known = ", ".join(FLOATS)
            raise self.misfit(f"{known}, complex numbers of these, integers of 8 to 64 bits, or times", data_type.name)
        return spec

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        array = np.ascontiguousarray(array).astype(spec.data_type.numpy, copy=False)
        if isinstance(spec.data_type, Complex):
            part = spec.data_type.part
            rounded = self._floats(array.reshape(-1).view(part.numpy), part.name)
        elif spec.data_type.name in FLOATS:
            rounded = self._floats(array.reshape(-1), spec.data_type.name)
        else:
            rounded = self._integers(array.reshape(-1))
        return rounded.view(spec.data_type.numpy).reshape(array.shape)

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return array

    def _floats(self, values: np.ndarray, name: str) -> np.ndarray:
        drop = FORMATS[name].bits - 1 - self.keepbits
        if drop <= 0:
            return values
        rounded, lost = round_floats(values, drop)
        if lost is not None:
            raise self.fail(f"numbers in the range of {name} after rounding", f"{values[lost.argmax()]}; try more bits")
        return rounded

    def _integers(self, values: np.ndarray) -> np.ndarray:
        numbers = values.view(f"i{values.itemsize}") if values.dtype.kind in "mM" else values
        sizes, negative = magnitude(numbers), numbers < 0
        kept, dropped = keep_bits(sizes, self.keepbits, negative, "nearest-even")
        rounded = kept << dropped
        greatest = np.uint64(np.iinfo(numbers.dtype).max)
        # A carry out of 64 bits leaves 0.
        beyond = (rounded < kept) | ((rounded > greatest) & (rounded > sizes))
        rounded = np.where(beyond, sizes >> dropped << dropped, rounded)
        return np.where(negative, np.negative(rounded), rounded).astype(numbers.dtype).view(values.dtype)


def round_floats(values: np.ndarray, drop: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Floats without the last `drop` bits of their mantissa; and where finite ones became infinite, if they did."""
    # The bits of a float, read as an integer, grow with its absolute value: a carry is the next exponent.
    bits = values.view(f"u{values.itemsize}")
    half = (1 << (drop - 1)) - 1  # a tie goes up only from an odd number, which adds one more
    rounded = ((bits + (bits >> drop & 1) + half) >> drop << drop).view(values.dtype)
    with np.errstate(invalid="ignore"):  # older versions of ml_dtypes complain about NaN
        if np.isfinite(rounded).all() and np.isfinite(values).all():  # a NaN may round to a number
            return rounded, None
        finite = np.isfinite(values)
        lost = finite & ~np.isfinite(rounded)
    return np.where(finite, rounded, values), lost if lost.any() else None


register("bitround", BitRound)
