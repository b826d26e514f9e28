"""Raw bits (``r8``, ``r16``, ...) and records with named fields (``struct``).

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/data-types/struct
"""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np

from tutorial_zarr.errors import MetadataError

from .base import JSON, DataType, from_base64, from_json, read_configuration, register, register_pattern
from .text import check_record_text


class RawBits(DataType):
    """Bytes without a meaning: numpy's ``V``."""

    def __init__(self, size: int, name: str = "") -> None:
        self.name, self.numpy = name or f"r{size * 8}", np.dtype(f"V{size}")

    @property
    def needs_endian(self) -> bool:
        return False

    def to_json(self) -> JSON:
        if self.name == "raw_bytes":
            return {"name": self.name, "configuration": {"length_bytes": self.numpy.itemsize}}
        return self.name

    def fill_from_json(self, value: JSON) -> np.ndarray:
        size = self.numpy.itemsize
        if isinstance(value, str):  # zarr-python and tensorstore write base64
            raw = from_base64(self, value)
        elif isinstance(value, list) and all(type(v) is int and 0 <= v <= 255 for v in value):
            raw = bytes(value)
        else:
            raw = b""
        if len(raw) != size:
            raise self.bad_fill(value, f"a list of {size} integers from 0 to 255")
        return np.frombuffer(raw, self.numpy).reshape(())

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        raw = np.asarray(fill, self.numpy).tobytes()
        return base64.b64encode(raw).decode() if self.name == "raw_bytes" else list(raw)

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        return self.default_fill() if value in (0, "") else self.fill_from_json(value)

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        return base64.b64encode(np.asarray(fill, self.numpy).tobytes()).decode()

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, (bytes, bytearray)) and len(value) == self.numpy.itemsize:
            return np.frombuffer(bytes(value), self.numpy).reshape(())
        return self.default_fill() if isinstance(value, int) and value == 0 else super().scalar(value)


class Struct(DataType):
    """A record: its fields packed one after the other in the order declared."""

    def __init__(self, fields: list[tuple[str, DataType]], name: str = "struct", shapes: Any = None) -> None:
        self.name, self.fields = "struct", fields
        self.legacy = name == "structured"  # read under the old name, never written
        self.shapes: dict[str, tuple[int, ...]] = shapes or {}  # sub-arrays in a field: v2 only
        self.numpy = self._layout(lambda t: t.numpy)

    def _layout(self, of: Any) -> np.dtype:
        return np.dtype([(name, of(t), self.shapes.get(name, ())) for name, t in self.fields])

    @property
    def carrier(self) -> np.dtype:
        return self._layout(lambda t: t.carrier)

    @property
    def needs_endian(self) -> bool:
        return super().needs_endian and not self.legacy  # the old name: without endian it is little

    def to_json(self) -> JSON:
        if self.shapes:
            raise MetadataError(
                f"data type 'struct': fields {sorted(self.shapes)} hold sub-arrays, which only Zarr v2 can express; "
                "try zarr_format=2",
                key="data_type",
            )
        fields = [{"name": name, "data_type": t.to_json()} for name, t in self.fields]
        return {"name": "struct", "configuration": {"fields": fields}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and self.fields == other.fields and self.shapes == other.shapes

    __hash__ = DataType.__hash__

    def default_fill(self) -> np.ndarray:
        fill = np.zeros((), self.numpy)
        for name, t in self.fields:
            fill[name] = t.default_fill()
        return fill

    def fill_from_json(self, value: JSON, endian: str = "little") -> np.ndarray:
        if isinstance(value, str) and self.legacy:  # base64 of the encoded record, in the codec's byte order
            return self._from_record(value, self.carrier.newbyteorder("<" if endian == "little" else ">"))
        names = [name for name, _ in self.fields]
        if not isinstance(value, dict) or sorted(value) != sorted(names):
            raise self.bad_fill(value, f"an object with a value for each of the fields {names}")
        fill = np.zeros((), self.numpy)
        for name, t in self.fields:
            fill[name] = t.fill_from_json(value[name])
        return fill

    def _from_record(self, value: str, stored: np.dtype) -> np.ndarray:
        raw = from_base64(self, value)
        if len(raw) != stored.itemsize:
            raise self.bad_fill(value, f"base64 of {stored.itemsize} bytes")
        return np.frombuffer(raw, stored).astype(self.carrier).view(self.numpy).reshape(())

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        return {name: t.fill_to_json(np.asarray(fill[name], t.numpy)) for name, t in self.fields}

    def fill_from_v2(self, value: JSON, stored: np.dtype | None = None) -> np.ndarray:
        if value in (0, ""):
            return self.default_fill()  # zarr-python up to 2.17 wrote 0
        if isinstance(value, list):  # a record as a list of its fields' values: zarr-python 3 betas
            try:
                return np.array(tuple(value), self.numpy)
            except (ValueError, TypeError, OverflowError) as cause:
                raise self.bad_fill(value, f"{len(self.fields)} values, one for each field") from cause
        if not isinstance(value, str):
            raise self.bad_fill(value, "base64 of one record")
        return self._from_record(value, self.carrier if stored is None else stored)

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        return base64.b64encode(np.asarray(fill, self.numpy).tobytes()).decode()

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, int) and value == 0:
            return self.default_fill()
        if isinstance(value, dict):
            value = tuple(value[name] for name, _ in self.fields)
        value = tuple(value) if isinstance(value, list) else value
        try:
            check_record_text(value, self.numpy)
        except (ValueError, TypeError) as cause:
            raise self.bad_fill(value, "a record whose text is text") from cause
        return super().scalar(value)


def _field(name: str, field: JSON) -> tuple[str, DataType]:
    """Return a field of the type `name` from its JSON: its name and its own type."""
    if isinstance(field, list) and len(field) == 2 and name == "structured":  # the legacy pair [name, type]
        field = {"name": field[0], "data_type": field[1]}
    if not isinstance(field, dict) or set(field) != {"name", "data_type"} or not isinstance(field["name"], str):
        raise MetadataError(
            f"data_type {name!r}: expected fields of the form {{'name', 'data_type'}}, found {field!r}", key=name
        )
    data_type = from_json(field["data_type"])
    if data_type.item_size is None:
        raise MetadataError(
            f"data_type {name!r}: field {field['name']!r} must have a fixed size, found {data_type.name!r}", key=name
        )
    return field["name"], data_type


def _struct(name: str, configuration: dict[str, Any] | None) -> Struct:
    fields = read_configuration(name, configuration, {"fields"})["fields"]
    parsed = [_field(name, field) for field in fields] if isinstance(fields, list) else []
    found = [n for n, _ in parsed]
    if not parsed or len(set(found)) != len(found) or "" in found:
        raise MetadataError(
            f"data_type {name!r}: expected a list of one or more fields with distinct, non-empty names, "
            f"found {fields!r}",
            key=name,
        )
    return Struct(parsed, name)


def _raw_bytes(name: str, configuration: dict[str, Any] | None) -> RawBits:
    size = read_configuration(name, configuration, {"length_bytes"})["length_bytes"]
    if type(size) is not int or not 1 <= size < 1 << 28:
        raise MetadataError(f"data_type {name!r}: expected a positive length_bytes, found {size!r}", key=name)
    return RawBits(size, name)


def _r_star(name: str, configuration: dict[str, Any] | None) -> RawBits | None:
    if not re.fullmatch(r"r[0-9]+", name):
        return None
    bits = int(name[1:]) if len(name) < 12 else 0
    if bits == 0 or bits % 8 or configuration:
        raise MetadataError(f"data_type {name!r}: the number of bits must be a positive multiple of 8", key=name)
    return RawBits(bits // 8)


register(["struct", "structured"], _struct)
register("raw_bytes", _raw_bytes)
register_pattern(_r_star)
