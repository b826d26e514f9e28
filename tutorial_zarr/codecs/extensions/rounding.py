"""Exact rounding in five directions: what the codecs that do arithmetic share.

Everything is computed in float64 or in 64-bit integers and rounded once, so that no result is rounded twice.
Holds the layout of every float type too; which values are out of range is for `cast` and `scale_offset` to say.

>>> to_whole(np.array([0.5, 1.5, -2.5]), "nearest-even").tolist()
[0.0, 2.0, -2.0]
>>> to_format(np.array([1 + 2.0**-24, 65520.0]), FORMATS["float16"], "towards-zero").tolist()
[1.0, 65504.0]

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/cast_value#rounding
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.numbers import Integer

ROUNDINGS = ("nearest-even", "towards-zero", "towards-positive", "towards-negative", "nearest-away")


class Format(NamedTuple):
    """What decides where a number is rounded to, and whether it is in range."""

    bits: int  # of the significand, the leading one included
    least: int  # the values are multiples of 2**least; 2**least is the smallest subnormal number
    largest: float  # of the finite values
    lowest: float  # of the finite values


def _signed(bits: int, least: int, largest: float) -> Format:
    return Format(bits, least, largest, -largest)


FORMATS = {
    "float4_e2m1fn": _signed(2, -1, 6.0),
    "float6_e2m3fn": _signed(4, -3, 7.5),
    "float6_e3m2fn": _signed(3, -4, 28.0),
    "float8_e3m4": _signed(5, -6, 15.5),
    "float8_e4m3": _signed(4, -9, 240.0),
    "float8_e4m3b11fnuz": _signed(4, -13, 30.0),
    "float8_e4m3fn": _signed(4, -9, 448.0),
    "float8_e4m3fnuz": _signed(4, -10, 240.0),
    "float8_e5m2": _signed(3, -16, 57344.0),
    "float8_e5m2fnuz": _signed(3, -17, 57344.0),
    # Powers of two, without zero, subnormal or negative numbers. What lies below 2**-127 is rounded as anywhere
    # else (-1074 is no limit to a float64), and then out of range.
    "float8_e8m0fnu": Format(1, -1074, 2.0**127, 2.0**-127),
    "bfloat16": _signed(8, -133, (2 - 2.0**-7) * 2.0**127),
    "float16": _signed(11, -24, 65504.0),
    "float32": _signed(24, -149, (2 - 2.0**-23) * 2.0**127),
    "float64": _signed(53, -1074, (2 - 2.0**-52) * 2.0**1023),
}


def is_real(data_type: DataType) -> bool:
    """Whether the elements are real numbers: integers or floats."""
    return isinstance(data_type, Integer) or data_type.name in FORMATS


def widened(array: np.ndarray, data_type: DataType) -> np.ndarray:
    """The same numbers as int64, uint64 or float64, in one dimension."""
    wide = "f8" if not isinstance(data_type, Integer) else "i8" if data_type.least < 0 else "u8"
    with np.errstate(all="ignore"):  # a signalling NaN raises a flag
        return array.reshape(-1).astype(wide)


def to_whole(values: np.ndarray, rounding: str) -> np.ndarray:
    """Rounded to integers, as float64. NaN, infinity and the sign of zero stay."""
    match rounding:
        case "nearest-even":
            return np.rint(values)
        case "towards-zero":
            return np.trunc(values)
        case "towards-positive":
            return np.ceil(values)
        case "towards-negative":
            return np.floor(values)
    whole = np.trunc(values)  # what is cut off is exact, where values + 0.5 would be rounded
    with np.errstate(invalid="ignore"):
        return whole + np.copysign(np.abs(values - whole) >= 0.5, values)


def to_format(values: np.ndarray, form: Format, rounding: str) -> np.ndarray:
    """Float64 rounded to the precision of a float type, as float64. May lie out of that type's range."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if form is FORMATS["float64"]:
            return values
        if rounding == "nearest-even" and form in (FORMATS["float32"], FORMATS["float16"]):  # as the hardware rounds
            return values.astype("f4" if form is FORMATS["float32"] else "f2").astype("f8")
        _, exponents = np.frexp(values)  # abs(values) < 2**exponents
        unit = np.maximum(exponents - form.bits, form.least)
        return np.ldexp(to_whole(np.ldexp(values, -unit), rounding), unit)


def integers_to_format(values: np.ndarray, form: Format, rounding: str) -> np.ndarray:
    """Int64 or uint64 rounded to the precision of a float type, as float64."""
    negative = values < 0
    kept, dropped = keep_bits(magnitude(values), form.bits, negative, rounding)
    rounded = np.ldexp(kept.astype("f8"), dropped.astype("i4"))
    return np.where(negative, -rounded, rounded)


def keep_bits(sizes: np.ndarray, bits: int, negative: np.ndarray, rounding: str) -> tuple[np.ndarray, np.ndarray]:
    """Round unsigned integers to `bits` bits from the first that is set. Return them and how far to shift them left."""
    lengths, bits = bit_lengths(sizes), min(bits, 64)
    dropped = np.where(lengths > bits, lengths, bits).astype("u8") - np.uint64(bits)
    kept = sizes >> dropped
    twice, unit = 2 * (sizes - (kept << dropped)), np.uint64(1) << dropped
    match rounding:
        case "nearest-even":
            up = (twice > unit) | ((twice == unit) & (kept & 1 == 1))
        case "nearest-away":
            up = twice >= unit
        case "towards-positive":
            up = (twice > 0) & ~negative
        case "towards-negative":
            up = (twice > 0) & negative
        case _:
            up = np.zeros(sizes.shape, bool)
    return kept + up, dropped


def magnitude(values: np.ndarray) -> np.ndarray:
    """The absolute values of int64 or uint64, as uint64; so that of -2**63 has a place."""
    unsigned = values.astype("u8")
    return np.where(values < 0, np.negative(unsigned), unsigned)


def bit_lengths(sizes: np.ndarray) -> np.ndarray:
    """How many bits each uint64 takes without leading zeros."""
    for shift in (1, 2, 4, 8, 16, 32):
        sizes = sizes | sizes >> np.uint64(shift)
    return np.bitwise_count(sizes)
