"""Elements worth writing, and a fill value worth having, for every data type.

They come from the type itself, so that a type that is registered later has them at once: the ends of an integer's
range, every bit pattern of a narrow float, both zeros, infinities, the unset moment, text beyond ASCII.

>>> from tutorial_zarr import dtypes
>>> elements(dtypes.from_json("int8")).tolist()
[-128, 127, 0, 1, 5, 42, 100, 7]
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.dtypes.numbers import Bool, Complex, Float, Integer
from tutorial_zarr.dtypes.records import RawBits, Struct
from tutorial_zarr.dtypes.text import Bytes, FixedText, String
from tutorial_zarr.dtypes.times import Time

TEXT = ["a", "", "né", "日本語", "xxxx", "🜁"]
BLOBS = [b"a", b"", b"\0", b"\xff\0x", b"four"]


@singledispatch
def elements(data_type: dtypes.DataType) -> np.ndarray:
    """A 1-d array of elements of this type, in native byte order."""
    raise TypeError(f"values: expected a data type with elements of its own, found {data_type!r}")


@elements.register
def _(data_type: Bool) -> np.ndarray:
    return np.array([True, False, False])


@elements.register
def _(data_type: Integer) -> np.ndarray:
    wanted = [data_type.least, data_type.greatest, 0, 1, 5, 42, 100, 7]
    return np.array([n for n in wanted if n <= data_type.greatest], data_type.numpy)


@elements.register
def _(data_type: Float) -> np.ndarray:
    size = data_type.numpy.itemsize
    if size == 1:  # every pattern that the type has
        bits: Any = np.arange(1 << (data_type.bits or 8), dtype="u1")
        return np.roll(bits, -8).view(data_type.numpy)
    special = [data_type.fill_from_json(v) for v in ("NaN", "Infinity", "-Infinity", 1.5, -0.0, 0.0, -7.25)]
    ends = [data_type.from_bits(b) for b in (1, (data_type.to_bits(special[1]) - 1), 0x41 << (8 * size - 8))]
    return np.array([special[3], special[4], *special[:3], *special[5:], *ends], data_type.numpy)


@elements.register
def _(data_type: Complex) -> np.ndarray:
    parts = elements(data_type.part)
    parts = parts[: len(parts) // 2 * 2]
    return np.concatenate([parts, parts[::-1]]).view(data_type.numpy)


@elements.register
def _(data_type: Time) -> np.ndarray:
    return np.array([0, -(1 << 63), 1772281801, -62135596800, 1, 1 << 62], "i8").view(data_type.numpy)


@elements.register
def _(data_type: FixedText) -> np.ndarray:
    if data_type.numpy.kind == "S":
        return np.array([b[: data_type.numpy.itemsize].rstrip(b"\0") for b in BLOBS], data_type.numpy)
    return np.array([t[: data_type.numpy.itemsize // 4] for t in TEXT], data_type.numpy)


@elements.register
def _(data_type: String) -> np.ndarray:
    return np.array(TEXT, data_type.numpy)


@elements.register
def _(data_type: Bytes) -> np.ndarray:
    return np.array(BLOBS, object)


@elements.register
def _(data_type: RawBits) -> np.ndarray:
    size = data_type.numpy.itemsize
    return np.array([bytes(i * 85 + j & 255 for j in range(size)) for i in range(4)], data_type.numpy)


@elements.register
def _(data_type: Struct) -> np.ndarray:
    array = np.zeros(7, data_type.numpy)
    for name, field in data_type.fields:
        array[name] = np.resize(elements(field), array[name].shape)
    return array


def plain_elements(data_type: dtypes.DataType) -> np.ndarray:
    """Small whole elements and quarters, which every lossy codec of the cases keeps as they are."""
    small = [1, 5, 42, 9, 3] if data_type.numpy.kind in "iu" else [0.0, 0.25, 1.5, -3.75, 20.0]
    return np.array(small).astype(data_type.numpy)


def fill_value(data_type: dtypes.DataType) -> np.ndarray:
    """A fill value other than zero, where the type has one that tells readers apart."""
    match data_type:
        case Bool():
            return np.array(True)
        case Integer():
            return data_type.scalar(min(9, data_type.greatest))
        case Float():
            return data_type.fill_from_json("NaN" if data_type.nan_bits is not None else 1.0)
        case Complex():
            lone = "NaN" if data_type.part.nan_bits is not None else 1.0
            return data_type.fill_from_json([lone, 2.0])
        case Time():
            return data_type.fill_from_json("NaT")
        case FixedText() if data_type.numpy.kind == "U":
            return data_type.scalar("ü")
        case FixedText():
            return data_type.scalar(b"z")
        case String():
            return data_type.scalar("-")
        case Bytes():
            return data_type.scalar(b"?")
        case RawBits():
            return data_type.scalar(bytes(range(1, data_type.numpy.itemsize + 1)))
        case Struct():
            fill = np.zeros((), data_type.numpy)
            for name, field in data_type.fields:
                fill[name] = fill_value(field)
            return fill
    return data_type.default_fill()
