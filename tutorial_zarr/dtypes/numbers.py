"""Booleans, integers, floats and complex numbers, down to two bits wide.

The types narrower than a byte and the machine-learning floats are numpy dtypes of the package ml_dtypes, which
is loaded when such a type is asked for. ``complex_float16`` and its kin have no numpy type: their elements are
records with the fields ``re`` and ``im``.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#fill-value
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .base import JSON, Constant, DataType, Factory, is_ml_dtype, ml_dtype, no_configuration, register


class Bool(DataType):
    """One byte, 0 or 1."""

    name = "bool"
    numpy = np.dtype(bool)

    def fill_from_json(self, value: JSON) -> np.ndarray:
        if type(value) is not bool:
            raise self.bad_fill(value, "true or false")
        return np.array(value)

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        return bool(fill)

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        return self.fill_from_json(bool(value) if value in (0, 1) else value)  # old writers: 0 and 1


class Integer(DataType):
    """Signed and unsigned integers, of 2 to 64 bits."""

    def __init__(self, name: str, dtype: np.dtype, bits: int = 0) -> None:
        self.name, self.numpy, self.bits = name, dtype, bits
        width = bits or dtype.itemsize * 8
        signed = not name.startswith("u")
        self.least = -(1 << (width - 1)) if signed else 0
        self.greatest = (1 << (width - 1 if signed else width)) - 1

    def fill_from_json(self, value: JSON) -> np.ndarray:
        if type(value) is not int or not self.least <= value <= self.greatest:
            raise self.bad_fill(value, f"an integer from {self.least} to {self.greatest}, without '.' or exponent")
        return np.array(value, dtype=self.numpy)

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        return int(fill)

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray):
            value = value[()]
        try:
            number = int(value)
            if number == value:
                return self.fill_from_json(number)
        except (ValueError, TypeError, OverflowError):
            pass
        raise self.bad_fill(value, f"an integer from {self.least} to {self.greatest}")

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        # The v2 text says little about numbers, and writers wrote 5.0, "5" and true for the integer 5.
        try:
            if isinstance(value, str):
                value = float(value) if not value.strip().lstrip("+-").isdigit() else int(value)
        except ValueError:
            pass
        return self.fill_from_json(int(value) if isinstance(value, bool) else whole(value))


def whole(value: JSON) -> JSON:
    """Return 5.0 as 5. Above 2**53, where a float may stand for several integers, return the float."""
    return int(value) if type(value) is float and value.is_integer() and abs(value) < 1 << 53 else value


class Float(DataType):
    """Floating point numbers: IEEE 754 and the narrow formats of machine learning."""

    def __init__(self, name: str, dtype: np.dtype, bits: int = 0, nan: int | None = 0, inf: bool = True) -> None:
        self.name, self.numpy, self.bits = name, dtype, bits
        self.nan_bits, self.has_inf = nan, inf  # the bits that "NaN" stands for; None: the type has no NaN

    def from_bits(self, bits: int) -> np.ndarray:
        """Return the 0-d array with exactly these bits."""
        return np.array(bits, f"u{self.numpy.itemsize}").view(self.numpy)

    def to_bits(self, fill: np.ndarray) -> int:
        """Return the bits of a 0-d array as an integer."""
        return int(np.asarray(fill, self.numpy).reshape(()).view(f"u{self.numpy.itemsize}"))

    def fill_from_json(self, value: JSON) -> np.ndarray:
        digits = self.numpy.itemsize * 2
        if isinstance(value, (int, float)) and not isinstance(value, (bool, Constant)):
            return self._from_number(value)
        if value == "NaN" and self.nan_bits is not None:
            return self.from_bits(self.nan_bits)
        if value in ("Infinity", "-Infinity") and self.has_inf:
            return np.array(float(value.replace("inity", "")), dtype=self.numpy)
        if isinstance(value, str) and re.fullmatch(rf"0x[0-9a-fA-F]{{{digits}}}", value):
            bits = int(value, 16)
            if not self.bits or bits < 1 << self.bits:
                return self.from_bits(bits)
        raise self.bad_fill(value, f'a number, "NaN", "Infinity", "-Infinity", or "0x" and {digits} hex digits')

    def _from_number(self, value: float) -> np.ndarray:
        try:
            number = float(value)
        except OverflowError:  # an integer literal beyond the largest double
            number = math.inf if value > 0 else -math.inf
        if not math.isfinite(number) and isinstance(value, float) and not self.has_inf:
            raise self.bad_fill(value, "a number that the type can hold")
        if is_ml_dtype(self.numpy):
            return self._nearest(number, value)
        with np.errstate(all="ignore"):
            return np.array(number, dtype=self.numpy)

    def _nearest(self, number: float, found: JSON) -> np.ndarray:
        """Return the element nearest to a number, ties to even. ml_dtypes itself rounds twice, through float32."""
        bits = np.arange(1 << (self.bits or 8 * self.numpy.itemsize), dtype=f"u{self.numpy.itemsize}")
        with np.errstate(all="ignore"):
            values = bits.view(self.numpy).astype("f8")
        keep = np.isfinite(values) & (np.signbit(values) == np.signbit(number))
        bits, values = bits[keep], values[keep]
        if not len(values) or (number == 0 and not (values == 0).any()):
            raise self.bad_fill(found, "a number that the type can hold")
        least, greatest = np.sort(np.abs(values))[[-2, -1]]
        if abs(number) >= greatest + (greatest - least) / 2 or (not self.has_inf and abs(number) > greatest):
            if not self.has_inf:
                raise self.bad_fill(found, f"a number of at most {greatest}")
            return np.array(math.copysign(math.inf, number), dtype=self.numpy)
        distance = np.abs(values - number)
        nearest = bits[distance == distance.min()]
        return self.from_bits(int(min(nearest, key=lambda b: int(b) & 1)))

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        with np.errstate(all="ignore"):  # converting a signalling NaN raises a flag; its bits are kept below
            number = float(np.asarray(fill, self.numpy).reshape(()).astype("f8"))
        if math.isnan(number):
            bits = self.to_bits(fill)
            return "NaN" if bits == self.nan_bits else f"0x{bits:0{self.numpy.itemsize * 2}x}"
        if math.isinf(number):
            return "Infinity" if number > 0 else "-Infinity"
        return number

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        if isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity"):
            try:  # "1.5", written by some; a hexadecimal form is v3's and stays refused
                value = float(value) if not value.lower().startswith("0x") else [value]
            except ValueError:
                pass
        if isinstance(value, bool):
            value = float(value)
        if isinstance(value, list):
            raise self.bad_fill(value[0] if value else value, 'a number, "NaN", "Infinity" or "-Infinity"')
        return self.fill_from_json(value)

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        number = self.fill_to_json(fill)
        return "NaN" if isinstance(number, str) and number.startswith("0x") else number  # v2 has no other NaN


class Complex(DataType):
    """A pair of floats, real part first: numpy's complex types, or a record of ``re`` and ``im``."""

    def __init__(self, name: str, part: Float, dtype: np.dtype | None = None) -> None:
        self.name, self.part = name, part
        self.numpy = dtype if dtype is not None else np.dtype([("re", part.numpy), ("im", part.numpy)])
        self.bits = part.bits

    @property
    def carrier(self) -> np.dtype:
        return self.numpy if self.numpy.names is None else np.dtype([(n, self.part.carrier) for n in ("re", "im")])

    def _join(self, re_part: np.ndarray, im_part: np.ndarray) -> np.ndarray:
        pair = np.empty(2, self.part.numpy)
        pair[0], pair[1] = re_part, im_part  # assigned apart: arithmetic would change NaN bits and signs of zero
        return pair.view(self.numpy)[0:1].reshape(())

    def fill_from_json(self, value: JSON) -> np.ndarray:
        if not isinstance(value, list) or len(value) != 2:
            raise self.bad_fill(value, "a list of the real and the imaginary part")
        return self._join(*(self.part.fill_from_json(v) for v in value))

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        pair = np.asarray(fill, self.numpy).reshape(1).view(self.part.numpy)
        return [self.part.fill_to_json(pair[i : i + 1].reshape(())) for i in (0, 1)]

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        if not isinstance(value, list):  # a lone number is common
            return self._join(self.part.fill_from_v2(value), self.part.default_fill())
        return self.fill_from_json(value)


def _plain(factory: Callable[[str], DataType]) -> Factory:
    factory = functools.cache(factory)  # a data type never changes, and each array that is opened asks for one

    def make(name: str, configuration: dict[str, Any] | None) -> DataType:
        no_configuration(name, configuration)
        return factory(name)

    return make


_IEEE = {"float16": 0x7E00, "float32": 0x7FC00000, "float64": 0x7FF8000000000000}
#          name                bits, NaN,  has infinity
_NARROW = {
    "bfloat16": (0, 0x7FC0, True),
    "float4_e2m1fn": (4, None, False),
    "float6_e2m3fn": (6, None, False),
    "float6_e3m2fn": (6, None, False),
    "float8_e3m4": (0, 0x78, True),
    "float8_e4m3": (0, 0x7C, True),
    "float8_e4m3b11fnuz": (0, 0x80, False),
    "float8_e4m3fn": (0, 0x7F, False),  # not registered, written by tensorstore
    "float8_e4m3fnuz": (0, 0x80, False),
    "float8_e5m2": (0, 0x7E, True),
    "float8_e5m2fnuz": (0, 0x80, False),
    "float8_e8m0fnu": (0, 0xFF, False),
}


def float_type(name: str) -> Float:
    """Return the float type of that name, such as ``float32`` or ``bfloat16``."""
    if name in _IEEE:
        return Float(name, np.dtype(name), nan=_IEEE[name])
    bits, nan, inf = _NARROW[name]
    return Float(name, ml_dtype(name), bits, nan, inf)


def complex_type(name: str) -> Complex:
    """Return the complex type of that name, such as ``complex64`` or ``complex_bfloat16``."""
    numpy_name = {"complex_float32": "complex64", "complex_float64": "complex128"}.get(name, name)
    if not numpy_name.startswith("complex_"):
        return Complex(name, float_type("float32" if numpy_name == "complex64" else "float64"), np.dtype(numpy_name))
    return Complex(name, float_type(name.removeprefix("complex_")))


register("bool", _plain(lambda name: Bool()))
register(
    [f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)],
    _plain(lambda name: Integer(name, np.dtype(name))),
)
register(["int2", "int4", "uint2", "uint4"], _plain(lambda name: Integer(name, ml_dtype(name), int(name[-1]))))
register([*_IEEE, *_NARROW], _plain(float_type))
register(["complex64", "complex128", "complex_float32", "complex_float64"], _plain(complex_type))
register(
    [f"complex_{n}" for n in ("float16", *_NARROW) if n != "float8_e4m3fn"],
    _plain(complex_type),
)
