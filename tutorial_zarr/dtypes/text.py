"""Text and bytes, of variable and of fixed length.

Variable text appears as numpy's ``StringDType``; variable bytes as an object array of ``bytes``.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/data-types (string, bytes, fixed_length_utf32)
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tutorial_zarr.errors import MetadataError, ValueMismatchError

from .base import JSON, DataType, VariableLength, from_base64, no_configuration, read_configuration, register


def object_scalar(value: Any) -> np.ndarray:
    """Return a 0-d object array that holds `value`, of any type."""
    array = np.empty((), object)
    array[()] = value
    return array


NO_TEXT = "text (no type of Zarr's knows missing text; try '' or a word of your own)"


def is_missing(value: Any) -> bool:
    """Return whether a value means that there is none: None, NaN, NaT, pandas' NA, a masked element."""
    if isinstance(value, (str, bytes)):
        return False
    if value is None or value is np.ma.masked:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA is neither the same as itself nor another
        return True
    except ValueError:  # an array
        return False


def as_text(value: Any, dtype: np.dtype) -> np.ndarray:
    """Return `value` as an array of text. Refuse missing text: numpy would write the word "None" or "nan"."""
    if not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
        if isinstance(value, (str, bytes)):
            return np.asarray(value, dtype)
        items = np.asarray(value, object)
        _refuse_missing(items)
        return np.asarray(value if items.ndim else items, dtype)
    array = np.ma.asanyarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    missing = _missing(array)
    if np.any(missing):
        raise _no_text(array[missing].flat[0])
    return np.asarray(array).astype(dtype, copy=False)


def _missing(array: np.ndarray) -> Any:
    """Return a mask of what is missing in an array. Refuse missing objects at once."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        return np.ma.getmaskarray(array)
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind in "mM":
        return np.isnat(array)
    if array.dtype.kind == "O" or hasattr(array.dtype, "na_object"):
        _refuse_missing(array.astype(object, copy=False))
    return False


def _missing_scalar(value: Any) -> bool:
    return is_missing(value.item() if isinstance(value, np.ndarray) and value.shape == () else value)


def _refuse_missing(items: np.ndarray) -> None:
    if not set(map(type, items.flat)) <= {str, np.str_, bytes, np.bytes_}:  # the types alone settle it, mostly
        for item in items.flat:
            if is_missing(item):
                raise _no_text(item)


def _no_text(found: Any) -> ValueMismatchError:
    return ValueMismatchError(
        f'expected text, found {found!r}: no type of Zarr\'s knows missing text; try "" or a word of your own in its '
        "place, such as series.fillna('')"
    )


def array_of(value: Any) -> np.ndarray:
    """Return what numpy makes of a value. Refuse a NaN beside text, which numpy turns into the word "nan"."""
    array = np.asarray(value)
    if array.dtype.kind in "US":
        _refuse_missing(np.asarray(value, object))
    return array


def check_record_text(value: Any, dtype: np.dtype) -> None:
    """Refuse missing text in a value for records with fields of text."""
    if not _holds_text(dtype):
        return
    if not isinstance(value, np.ndarray) or value.dtype.names is None:
        value = np.asarray(value, _with_objects(dtype))
    for name, given in zip(dtype.names or (), value.dtype.names or (), strict=False):
        base = dtype[name].base
        if base.names:
            check_record_text(value[given], base)
        elif base.kind in "US":
            as_text(value[given], base)


def _holds_text(dtype: np.dtype) -> bool:
    bases = [dtype[name].base for name in dtype.names or ()]
    return any(base.kind in "US" or _holds_text(base) for base in bases)


def _with_objects(dtype: np.dtype) -> np.dtype:
    fields = []
    for name in dtype.names or ():
        base = dtype[name].base
        kept = _with_objects(base) if base.names else np.dtype(object) if base.kind in "US" else base
        fields.append((name, kept, dtype[name].shape))
    return np.dtype(fields)


class String(VariableLength):
    """Text of any length, UTF-8 on disk."""

    name = "string"
    numpy = np.dtypes.StringDType()

    def default_fill(self) -> np.ndarray:
        return np.array("", self.numpy)

    def fill_from_json(self, value: JSON) -> np.ndarray:
        try:
            if isinstance(value, str):
                return np.array(value, self.numpy)
        except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
            pass
        raise self.bad_fill(value, "a string")

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        return str(fill[()])

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        return self.fill_from_json("" if value == 0 and not isinstance(value, str) else value)  # zarr-python 2 wrote 0

    def scalar(self, value: Any) -> np.ndarray:
        if _missing_scalar(value):
            raise self.bad_fill(value, NO_TEXT)
        return super().scalar("" if isinstance(value, int) and value == 0 else value)


class Bytes(VariableLength):
    """Byte strings of any length."""

    numpy = np.dtype(object)

    def __init__(self, name: str = "bytes") -> None:
        self.name = name

    def default_fill(self) -> np.ndarray:
        return object_scalar(b"")

    def fill_from_json(self, value: JSON) -> np.ndarray:
        if isinstance(value, list):
            if all(type(v) is int and 0 <= v <= 255 for v in value):
                return object_scalar(bytes(value))
            raise self.bad_fill(value, "integers from 0 to 255, or base64")
        return object_scalar(from_base64(self, value))

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        return base64.b64encode(fill[()]).decode()

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        return self.default_fill() if value in (0, "") else self.fill_from_json(value)

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray):
            value = value[()]
        if value == 0 and isinstance(value, int):
            value = b""
        if not isinstance(value, (bytes, bytearray)):
            raise self.bad_fill(value, "bytes")
        return object_scalar(bytes(value))


class FixedText(DataType):
    """``U`` (``fixed_length_utf32``) and ``S`` (``null_terminated_bytes``): a fixed length, padded with zeros."""

    def __init__(self, name: str, dtype: np.dtype) -> None:
        self.name, self.numpy, self.letter = name, dtype, 4 if dtype.kind == "U" else 1

    def to_json(self) -> JSON:
        return {"name": self.name, "configuration": {"length_bytes": self.numpy.itemsize}}

    def fill_from_json(self, value: JSON) -> np.ndarray:
        text: Any = value if self.numpy.kind == "U" else from_base64(self, value)
        capacity = self.numpy.itemsize // (4 if self.numpy.kind == "U" else 1)
        if not isinstance(text, (str, bytes)) or len(text) > capacity:
            raise self.bad_fill(value, f"a string of at most {capacity} characters")
        return np.array(text, self.numpy)

    def fill_to_json(self, fill: np.ndarray) -> JSON:
        value = np.asarray(fill, self.numpy).reshape(())[()]
        return str(value) if self.numpy.kind == "U" else base64.b64encode(value).decode()

    def fill_from_v2(self, value: JSON) -> np.ndarray:
        if value in (0, "") and not isinstance(value, bool):
            return self.default_fill()  # zarr-python 2 wrote 0 for an empty string
        return self.fill_from_json(value)

    def fill_to_v2(self, fill: np.ndarray) -> JSON:
        if self.numpy.kind == "S":  # all bytes of the element, as v2 writers do
            return base64.b64encode(np.asarray(fill, self.numpy).tobytes()).decode()
        return self.fill_to_json(fill)

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, int) and value == 0:
            return self.default_fill()
        if _missing_scalar(value):
            raise self.bad_fill(value, NO_TEXT)
        array = super().scalar(value)
        plain = np.asarray(value)
        if plain.dtype.kind in "US" and plain.dtype.itemsize > array.dtype.itemsize and plain != array:
            raise self.bad_fill(value, f"a string that fits into {self.numpy.itemsize} bytes")
        return array


def _fixed(name: str, configuration: dict[str, Any] | None) -> FixedText:
    length = read_configuration(name, configuration, {"length_bytes"})["length_bytes"]
    unit = 4 if name == "fixed_length_utf32" else 1
    if type(length) is not int or length < 1 or length % unit or length >= 1 << 28:
        raise MetadataError(
            f"data_type {name!r}: expected length_bytes as a positive multiple of {unit}, found {length!r}", key=name
        )
    return FixedText(name, np.dtype(f"U{length // 4}" if unit == 4 else f"S{length}"))


def _variable(name: str, configuration: dict[str, Any] | None) -> DataType:
    no_configuration(name, configuration)
    return String() if name == "string" else Bytes(name)


register(["string", "bytes", "variable_length_bytes", "binary"], _variable)
register(["fixed_length_utf32", "null_terminated_bytes"], _fixed)
