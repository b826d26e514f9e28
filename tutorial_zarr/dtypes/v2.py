"""Zarr v2 typestrs: ``"<i4"``, ``"|S3"``, ``"<M8[ns]"``, ``"|O"``, and lists of fields.

Spec: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html#data-type-encoding
"""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from tutorial_zarr.errors import MetadataError, UnsupportedError, ValueMismatchError

from . import base
from .numbers import Bool, Integer, complex_type, float_type
from .records import RawBits, Struct
from .text import Bytes, FixedText, String, object_scalar
from .times import time_type


class Object(base.VariableLength):
    """Python objects that a v2 object codec turns into bytes: json2, pickle and msgpack2 any object, categorize words,
    vlen-array one array for each element, of the type `item`.
    """

    name = "object"
    numpy = np.dtype(object)

    def __init__(self, codec: str | None = None, item: np.dtype | None = None) -> None:
        self.codec, self.item = codec, item

    def to_json(self) -> base.JSON:
        raise MetadataError("data type '|O': Zarr v3 has no objects; try dtype=str or zarr_format=2", key="data_type")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and (self.codec, self.item) == (other.codec, other.item)

    __hash__ = base.DataType.__hash__

    def default_fill(self) -> np.ndarray:
        """Return what an element is that nobody wrote: an empty array, an empty word, or None."""
        if self.item is not None:
            return object_scalar(np.empty(0, self.item))
        return object_scalar("" if self.codec == "categorize" else None)

    def fill_from_json(self, value: base.JSON) -> np.ndarray:
        if self.item is not None or self.codec == "categorize":
            if value in (0, "", []) and value is not False:  # zarr-python 2 wrote 0 for every type
                return self.default_fill()
            return self.scalar(value)
        return object_scalar(value)

    def fill_to_json(self, fill: np.ndarray) -> base.JSON:
        if self.item is not None:
            return fill[()].tolist() if len(fill[()]) else 0
        return fill[()]

    def scalar(self, value: Any) -> np.ndarray:
        if isinstance(value, np.ndarray) and value.shape == ():
            value = value[()]
        if self.item is not None and isinstance(value, int) and value == 0:
            return self.default_fill()
        try:
            return object_scalar(self._cell(value))
        except ValueMismatchError as cause:
            raise self.bad_fill(value, cause.message) from cause

    def cells(self, value: Any, ndim: int) -> np.ndarray:
        """Return `value` as an object array for a selection of `ndim` axes. Lists are unpacked to that depth only.

        >>> Object("json2").cells([[1, 2], [3]], 1).tolist(), Object("json2").cells([1, 2], 0).tolist()
        ([[1, 2], [3]], [1, 2])
        """
        if hasattr(value, "__array__"):
            value = np.asanyarray(value)
            if (ndim or not value.ndim) and (self.item is None or value.dtype.kind == "O"):
                return self._each(value)
        if ndim and isinstance(value, (list, tuple)):
            return self._taken_apart(value, ndim)
        if ndim and isinstance(value, np.ndarray):
            if value.ndim < 2:
                raise ValueMismatchError(
                    f"expected a list of arrays, one for each element, found one array of {value.size} numbers; "
                    "try a list with it alone"
                )
            return self._taken_apart(list(value), min(ndim, value.ndim - 1))  # its rows are the elements
        return object_scalar(self._cell(value))

    def _each(self, values: np.ndarray) -> np.ndarray:
        if self.item is None:
            return values.astype(object, copy=False)
        found = np.empty(values.shape, object)
        for place, item in np.ndenumerate(values):
            found[place] = self._cell(item)
        return found

    def _taken_apart(self, value: Any, ndim: int) -> np.ndarray:
        if ndim == 1:
            found = np.empty(len(value), object)
            for i, item in enumerate(value):
                zero = isinstance(item, np.ndarray) and item.shape == () and item.dtype.kind == "O"
                found[i] = self._cell(item[()] if zero else item)
            return found
        rows = [self.cells(each, ndim - 1) for each in value]
        if len({row.shape for row in rows}) > 1:
            raise ValueMismatchError(f"expected rows of one length, found {[row.shape for row in rows]}")
        return np.stack(rows) if rows else np.empty(0, object)

    def _cell(self, value: Any) -> Any:
        """Return one element. Of a vlen-array: an array of the type `item`, whose numbers fit."""
        if self.item is None:
            return value
        array = np.asarray(value) if isinstance(value, (list, tuple)) else value
        if not isinstance(array, np.ndarray) or array.ndim != 1:
            found = f"{array.ndim} axes" if isinstance(array, np.ndarray) else repr(value)
            raise ValueMismatchError(f"expected an array of one axis as an element, found {found}")
        if array.dtype == self.item or not array.size:
            return array.astype(self.item, copy=True)
        with np.errstate(all="ignore"):
            cast = array.astype(self.item)
        numbers = array.dtype.kind == "f" and self.item.kind in "fc"  # these may be rounded
        same = np.isfinite(cast) | ~np.isfinite(array) if numbers else cast == array
        if not np.all(same):
            bad = array[~np.asarray(same)].flat[0]
            raise ValueMismatchError(f"expected elements that hold numbers of the type {self.item}, found {bad!r}")
        return cast


def from_numpy(dtype: Any) -> base.DataType:
    """Return the data type of a numpy dtype, or of anything that ``numpy.dtype`` takes.

    >>> from_numpy("f4").name, from_numpy(str).name, from_numpy("U3").to_json()["name"]
    ('float32', 'string', 'fixed_length_utf32')
    """
    if isinstance(dtype, base.DataType):
        return dtype
    if isinstance(dtype, dict) or (isinstance(dtype, str) and _is_v3_only(dtype)):
        return base.from_json(base.from_json(dtype).to_json())  # a legacy name is read, and never written
    if dtype in (str, "str"):
        return String()
    if dtype is bytes:
        return Bytes()
    try:
        dt = np.dtype(dtype)
    except TypeError as cause:
        raise MetadataError(f"dtype: expected a numpy dtype or a Zarr data type name, found {dtype!r}") from cause
    if dt.subdtype is not None:
        raise MetadataError(f"dtype: sub-arrays are allowed in a field only, found {dt!r}; give the shape to shape=")
    if dt.kind == "T":
        return String()
    if dt.names is not None:
        return _record(dt)
    if base.is_ml_dtype(dt):
        return base.from_json(dt.name)
    return _element(dt)


def _element(dt: np.dtype) -> base.DataType:
    """Return the data type of numpy's own dtypes of one element."""
    match dt.kind:
        case "b":
            return Bool()
        case "i" | "u":
            return Integer(dt.name, np.dtype(dt.name))
        case "f" if dt.itemsize <= 8:
            return float_type(dt.name)
        case "c" if dt.itemsize <= 16:
            return complex_type(dt.name)
        case "M" | "m":
            return time_type(dt)
        case "U" | "S":
            if dt.itemsize == 0:
                return String() if dt.kind == "U" else Bytes()
            return FixedText("fixed_length_utf32" if dt.kind == "U" else "null_terminated_bytes", dt.newbyteorder("="))
        case "V":
            return RawBits(dt.itemsize)
        case "O":
            return Object()
    raise UnsupportedError(f"dtype: {dt!r} has no counterpart in Zarr; try a narrower type", found=str(dt))


def _is_v3_only(name: str) -> bool:
    try:
        np.dtype(name)
    except TypeError:
        return True
    # numpy reads "bytes" as S0, "r8" not at all; these names mean the Zarr type
    return name in ("bytes", "string", "int2", "int4", "uint2", "uint4")


def _record(dt: np.dtype) -> Struct:
    fields, shapes = [], {}
    for name in dt.names or ():
        field = dt.fields[name][0]  # type: ignore[index]
        if field.subdtype is not None:
            field, shapes[name] = field.subdtype
        fields.append((name, from_numpy(field)))
    struct = Struct(fields, shapes=shapes)
    bad = [n for n, t in fields if t.item_size is None]
    if bad:
        raise UnsupportedError(f"dtype: fields {bad} hold objects, which cannot be packed into a record", found=str(dt))
    return struct


_TYPESTR = re.compile(r"[<>|][biufcmMSUV][0-9]+(\[[0-9]*(Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as|generic)\])?|[<>|]O[0-9]*")


def stored_dtype(document: base.JSON) -> np.dtype:
    """Return the numpy dtype of a v2 ``dtype`` member, with the byte order that it names."""
    if isinstance(document, str):
        if _TYPESTR.fullmatch(document) and not (document[1] in "mM" and not document.endswith("]")):
            try:
                return np.dtype(document.replace("μs", "us").replace("[generic]", ""))
            except TypeError:
                pass
        if document[1:] in ("M8", "m8"):  # written for a dtype without a unit
            return np.dtype(document)
        raise UnsupportedError(
            f"dtype: expected a typestr with its byte order, such as '<i4', found {document!r}", key="dtype"
        )
    if not isinstance(document, list) or not document:
        raise MetadataError(f"dtype: expected a typestr or a list of fields, found {document!r}", key="dtype")
    fields: list[Any] = [_stored_field(field) for field in document]
    try:
        return np.dtype(fields)
    except (ValueError, TypeError) as cause:
        raise MetadataError(f"dtype: numpy refuses the fields {document!r}: {cause}", key="dtype") from cause


def _stored_field(field: base.JSON) -> tuple[str, np.dtype, tuple[int, ...]]:
    if not isinstance(field, list) or len(field) not in (2, 3) or not isinstance(field[0], str):
        raise MetadataError(f"dtype: expected a field [name, typestr, shape?], found {field!r}", key="dtype")
    shape = field[2] if len(field) == 3 else []
    shape = [shape] if type(shape) is int else shape
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise MetadataError(f"dtype: expected a shape in field {field!r}", key="dtype")
    return field[0], stored_dtype(field[1]), tuple(shape)


def object_type(object_codec: dict[str, Any] | None) -> base.DataType:
    """Return the data type of ``|O``, by the filter that encodes it: vlen-utf8 makes text of it."""
    config = object_codec or {}
    match config.get("id"):
        case "vlen-utf8":
            return String()
        case "vlen-bytes":
            return Bytes()
        case "vlen-array":
            try:
                return Object("vlen-array", np.dtype(config.get("dtype")))
            except TypeError as cause:
                raise MetadataError(
                    f"codec 'vlen-array': expected the dtype of its items, found {config.get('dtype')!r}", key="filters"
                ) from cause
    return Object(config.get("id"))


def from_v2(document: base.JSON, object_codec: dict[str, Any] | None = None) -> tuple[base.DataType, np.dtype]:
    """Return the data type of a v2 ``dtype`` member, and the numpy dtype of its elements as stored.

    `object_codec` is the configuration of the filter that encodes ``|O``, if there is one.

    >>> from_v2(">i4")
    (<DataType 'int32'>, dtype('>i4'))
    """
    stored = stored_dtype(document)
    if stored.kind != "O":
        return from_numpy(stored), stored
    return object_type(object_codec), stored


def to_v2(data_type: base.DataType, endian: str = "little") -> base.JSON:
    """Return the v2 ``dtype`` member: a typestr, or a list of fields.

    >>> from tutorial_zarr.dtypes import from_json
    >>> to_v2(from_json("int32")), to_v2(from_json("int32"), "big"), to_v2(String())
    ('<i4', '>i4', '|O')
    """
    mark: Literal["<", ">"] = "<" if endian == "little" else ">"
    match data_type:
        case String() | Bytes() | Object():
            return "|O"
        case Struct():
            fields = []
            for name, t in data_type.fields:
                shape = data_type.shapes.get(name)
                fields.append([name, to_v2(t, endian)] + ([list(shape)] if shape else []))
            return fields
        case _ if data_type.numpy.names or (data_type.carrier != data_type.numpy and data_type.numpy.kind not in "mM"):
            raise MetadataError(f"data type {data_type.name!r} has no Zarr v2 typestr; try zarr_format=3", key="dtype")
    return data_type.numpy.newbyteorder(mark).str


def describe_stored(stored: np.dtype) -> base.JSON:
    """Return the v2 ``dtype`` member for a numpy dtype exactly as stored, each field with its own byte order."""
    if stored.names is None:
        return "|O" if stored.kind == "O" else stored.str
    fields: list[Any] = []
    for name in stored.names:
        field, shape = stored.fields[name][0], ()  # type: ignore[index]
        if field.subdtype is not None:
            field, shape = field.subdtype
        fields.append([name, describe_stored(field)] + ([list(shape)] if shape else []))
    return fields
