"""Moments and durations: ``numpy.datetime64`` and ``numpy.timedelta64``, 64-bit integers with a unit.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/data-types/numpy.datetime64
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.errors import MetadataError

from .base import JSON, DataType, read_configuration, register

UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "μs", "ns", "ps", "fs", "as", "generic")
_NAT = -(1 << 63)


class Time(DataType):
    """``M8`` or ``m8`` with a unit and a scale factor: value 1 of ``M8[25s]`` is 25 seconds after 1970."""

    def __init__(self, name: str, unit: str, scale: int = 1) -> None:
        self.name, self.unit, self.scale = name, unit, scale
        code = "M8" if name == "numpy.datetime64" else "m8"
        numpy_unit = "us" if unit == "μs" else unit
        self.numpy = np.dtype(code if unit == "generic" else f"{code}[{scale}{numpy_unit}]")

    @property
    def carrier(self) -> np.dtype:
        return np.dtype("i8") if self.unit == "generic" else self.numpy  # numpy swaps no bytes of a time without a unit

    def to_json(self) -> JSON:
        return {"name": self.name, "configuration": {"unit": self.unit, "scale_factor": self.scale}}

    def fill_from_json(self, value: JSON) -> np.ndarray:
        if value == "NaT":
            value = _NAT
        if type(value) is not int or not _NAT <= value < 1 << 63:
            raise self.bad_fill(value, 'an integer or "NaT"')
        return np.array(value, dtype="i8").view(self.numpy)

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        value = int(np.asarray(fill, self.numpy).reshape(()).view("i8"))
        return "NaT" if value == _NAT else value

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        return int(np.asarray(fill, self.numpy).reshape(()).view("i8"))

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, int) and not isinstance(value, bool):
            return self.fill_from_json(value)
        return super().scalar(value)


def _make(name: str, configuration: dict[str, Any] | None) -> Time:
    config = read_configuration(name, configuration, {"unit", "scale_factor"})
    unit, scale = config["unit"], config["scale_factor"]
    if unit not in UNITS or type(scale) is not int or not 1 <= scale < 1 << 31:
        raise MetadataError(
            f"data_type {name!r}: expected a unit of {', '.join(UNITS)} and a scale_factor from 1 to 2147483647, "
            f"found {config!r}",
            key=name,
        )
    return Time(name, unit, scale)


def time_type(dtype: np.dtype) -> Time:
    """Return the data type of a numpy ``M8`` or ``m8`` dtype."""
    unit, scale = np.datetime_data(dtype)
    return Time("numpy.datetime64" if dtype.kind == "M" else "numpy.timedelta64", unit, scale)


register(["numpy.datetime64", "numpy.timedelta64"], _make)
