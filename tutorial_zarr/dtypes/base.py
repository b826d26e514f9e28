"""What a data type is: its name, its elements in memory, and its fill value as JSON.

A `DataType` ties four spellings of one thing together: the numpy dtype of the elements in memory (always in
native byte order; byte order on disk is the business of the ``bytes`` codec), the Zarr v3 name or object, the
Zarr v2 typestr, and the JSON form of a fill value. Fill values are 0-d numpy arrays, because those keep every
bit (the payload of a NaN, the sign of a zero).

The families live beside this file: `numbers`, `times`, `text`, `records`; `v2` maps typestrs.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/data-types/index.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.errors import MetadataError, MissingDependencyError, UnsupportedError, nearest
from tutorial_zarr.plugins import entry_point

JSON = Any


class Constant(float):
    """A ``NaN`` or ``Infinity`` written bare into JSON. No standard allows that; old writers did it."""


class DataType:
    """One data type with its configuration. Two are equal when their v3 JSON is."""

    name: str
    numpy: np.dtype  # of the elements in memory, in native byte order
    letter: int = 0  # bytes of a character, of text: what a shuffle takes for one element there
    bits: int = 0  # for types narrower than a byte: how many low bits count

    @property
    def item_size(self) -> int | None:
        """Bytes of one encoded element; None where elements vary in length."""
        return self.numpy.itemsize

    @property
    def carrier(self) -> np.dtype:
        """A numpy dtype of the same layout that knows how to swap bytes (ml_dtypes' own do not)."""
        return np.dtype(f"u{self.numpy.itemsize}") if is_ml_dtype(self.numpy) else self.numpy

    @property
    def needs_endian(self) -> bool:
        """Whether an element holds a unit of more than one byte, so that byte order matters."""
        return self.carrier.newbyteorder("<") != self.carrier.newbyteorder(">")

    def to_json(self) -> JSON:
        """Return the ``data_type`` member of a v3 document."""
        return self.name

    def default_fill(self) -> np.ndarray:
        """Return the fill value when none is given: zero, false, or empty."""
        return np.zeros((), self.numpy)

    def fill_from_json(self, value: JSON) -> np.ndarray:
        """Return a 0-d array from the v3 JSON form. Raises MetadataError for a form that is not allowed."""
        raise NotImplementedError

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        """Return the v3 JSON form of a fill value."""
        raise NotImplementedError

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        """Return a 0-d array from the v2 JSON form."""
        return self.fill_from_json(value)

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        """Return the v2 JSON form of a fill value."""
        return self.fill_to_json(fill)

    def scalar(self, value: Any) -> np.ndarray:
        """Return a 0-d array from a Python or numpy value, as a caller passes ``fill_value=``."""
        if isinstance(value, np.ndarray) and value.shape == () and value.dtype == self.numpy:
            return value
        try:
            with np.errstate(all="ignore"):
                return np.asarray(value, dtype=self.numpy).reshape(())
        except (ValueError, TypeError, OverflowError) as cause:
            raise self.bad_fill(value, "a value of that type") from cause

    def bad_fill(self, value: Any, expected: str) -> MetadataError:
        """Return the error for a fill value of the wrong form."""
        return MetadataError(
            f"fill_value of data type {self.name!r}: expected {expected}, found {value!r}",
            key="fill_value",
            found=value,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataType) and self.to_json() == other.to_json() and self.numpy == other.numpy

    def __hash__(self) -> int:
        return hash((self.name, str(self.numpy)))

    def __repr__(self) -> str:
        try:
            return f"<DataType {self.to_json()!r}>"
        except MetadataError:  # what only Zarr v2 can express
            return f"<DataType {self.name!r}, {self.numpy}>"


class VariableLength(DataType):
    """A type whose elements vary in length: the array -> bytes codec says how they are laid out."""

    item_size = None
    needs_endian = False


# --- the registry: v3 name -> a function of the configuration (a dict, or None where the member is absent).
# A name that is not in it is looked up among the entry points of the group "tutorial_zarr.data_types".
Factory = Callable[[str, "dict[str, Any] | None"], DataType]
_factories: dict[str, Factory] = {}
_patterns: list[Callable[[str, dict[str, Any] | None], DataType | None]] = []


def register(names: str | list[str], factory: Factory) -> None:
    """Make a v3 data type known. ``factory(name, configuration)`` returns the DataType."""
    for name in [names] if isinstance(names, str) else names:
        _factories[name] = factory


def register_pattern(match: Callable[[str, dict[str, Any] | None], DataType | None]) -> None:
    """Make a family of names known, such as ``r8``, ``r16``: `match` returns a DataType or None."""
    _patterns.append(match)


def names() -> list[str]:
    """Return the names of all known v3 data types, sorted (the pattern ``r*`` apart)."""
    return sorted(_factories)


def from_json(document: JSON) -> DataType:
    """Return the data type of a v3 ``data_type`` member: a name, or an object with ``name`` and ``configuration``.

    >>> from_json("int16").numpy, from_json({"name": "int16"}).to_json()
    (dtype('int16'), 'int16')
    """
    name, configuration = document, None
    if isinstance(document, dict):
        unknown = sorted(set(document) - {"name", "configuration", "must_understand"})
        if unknown or "name" not in document:
            raise MetadataError(
                f"data_type: expected 'name' and optionally 'configuration', found {document!r}", key="data_type"
            )
        name, configuration = document["name"], document.get("configuration")
    if not isinstance(name, str) or not (configuration is None or isinstance(configuration, dict)):
        raise MetadataError(f"data_type: expected a name or an object with a name, found {document!r}", key="data_type")
    if factory := _factories.get(name):
        return factory(name, configuration)
    for match in _patterns:
        if (found := match(name, configuration)) is not None:
            return found
    if factory := entry_point("tutorial_zarr.data_types", name):
        return factory(name, configuration)
    raise UnsupportedError(
        f"data_type: {name!r} is not a data type that this library knows; "
        f"{nearest(name, names())}known are {', '.join(names())}",
        key="data_type",
        found=name,
    )


def no_configuration(name: str, configuration: dict[str, Any] | None) -> None:
    """Refuse a configuration that a type does not take; an empty one means the same as none."""
    if configuration:
        raise MetadataError(f"data_type {name!r}: expected no configuration, found {configuration!r}", key=name)


def read_configuration(name: str, configuration: dict[str, Any] | None, keys: set[str]) -> dict[str, Any]:
    """Return the configuration. Refuse one that does not have exactly these `keys`."""
    if configuration is None or set(configuration) != keys:
        raise MetadataError(
            f"data_type {name!r}: expected a configuration with {sorted(keys)}, found {configuration!r}", key=name
        )
    return configuration


def ml_dtype(name: str) -> np.dtype:
    """Return the numpy dtype that the optional package ml_dtypes defines under `name`."""
    try:
        import ml_dtypes
    except ImportError as cause:
        raise MissingDependencyError(
            f"data type {name!r} needs the package ml_dtypes, which is not installed; try: pip install ml_dtypes",
            data_type=name,
        ) from cause
    return np.dtype(getattr(ml_dtypes, name))


def is_ml_dtype(dtype: np.dtype) -> bool:
    """Return whether ml_dtypes defined this dtype; numpy cannot swap its bytes and calls its kind V."""
    return dtype.type.__module__.startswith("ml_dtypes")


def from_base64(data_type: DataType, value: JSON) -> bytes:
    """Return the bytes of a base64 string."""
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise data_type.bad_fill(value, "a base64 string")
