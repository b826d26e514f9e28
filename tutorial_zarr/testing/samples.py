"""Chunks to test with: any bits that a data type can have, or values that are given.

>>> from tutorial_zarr.dtypes import from_json
>>> chunk_of(from_json("int16"), (2, 3), values=[1, 2]).tolist()
[[1, 2, 1], [2, 1, 2]]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tutorial_zarr.codecs.bytes import low_bits
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.numbers import Complex
from tutorial_zarr.dtypes.records import Struct
from tutorial_zarr.dtypes.text import Bytes, FixedText, String

Take = Callable[[int], bytes]  # so many bytes, from wherever they come


def chunk_of(data_type: DataType, shape: tuple[int, ...], values: Sequence[Any] | None = None, take: Any = None) -> Any:
    """A chunk of `values` in turn, or of any bits; `take` draws bytes, by default always the same random ones."""
    count = math.prod(shape)
    values = _values(data_type) if values is None else values
    if values is None:
        return any_bits(data_type, count, take or np.random.Generator(np.random.PCG64(7)).bytes).reshape(shape)
    items = np.empty(len(values), data_type.numpy)
    items[:] = values
    if take is None:
        return np.resize(items, shape)
    return items[np.frombuffer(take(count), np.uint8) % len(values)].reshape(shape)


def _values(data_type: DataType) -> list[Any] | None:
    """What elements are made of that cannot have any bits."""
    match data_type:
        case Bytes():
            return [b"a", b"", b"\0", b"\xff" * 40]
        case String():
            return ["a", "", "né", "日本語", "x" * 40]
        case FixedText() if data_type.numpy.kind == "U":
            return ["a", "", "né"[: data_type.numpy.itemsize // 4], "日"]
    return None


def any_bits(data_type: DataType, count: int, take: Take) -> np.ndarray:
    """`count` elements of drawn bits: NaNs with payloads, NaT, both zeros, the greatest integers."""
    parts = data_type.fields if isinstance(data_type, Struct) else ()
    if isinstance(data_type, Complex) and data_type.numpy.names:
        parts = [(name, data_type.part) for name in data_type.numpy.names]
    if parts:
        records = np.zeros(count, data_type.numpy)
        for name, part in parts:
            records[name] = chunk_of(part, records[name].shape, take=take)
        return records
    raw = np.frombuffer(take(count * data_type.numpy.itemsize), np.uint8)
    if data_type.numpy.kind == "b":
        return raw % 2 == 1
    elements = raw.copy().view(data_type.numpy)
    return low_bits(elements, data_type) if data_type.bits else elements
