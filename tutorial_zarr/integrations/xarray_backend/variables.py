"""An array as an xarray variable, and a variable as the options of a new array.

The names of the axes are ``dimension_names`` in v3 and the attribute ``_ARRAY_DIMENSIONS`` in v2 (NetCDF's own
Zarr stores keep them in ``_NCZARR_ARRAY``). "Missing" is said in two ways:

    v2   Zarr's fill value is CF's ``_FillValue``: elements equal to it are masked
    v3   Zarr's fill value is only what absent chunks hold; CF's ``_FillValue`` is an attribute, floats in base64

What is not a matter of Zarr (CF's packing, times, text) is xarray's: `conventions`.

Spec: https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import struct
import warnings
from typing import Any

import numpy as np
import pandas as pd
from xarray import Variable, coding, conventions
from xarray.backends.common import BackendArray, ensure_dtype_not_object
from xarray.core import indexing

from tutorial_zarr.array import Array
from tutorial_zarr.codecs.base import ArrayBytesCodec
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.errors import MetadataError
from tutorial_zarr.metadata.model import json_value
from tutorial_zarr.metadata.v2 import OBJECT_CODECS

DIMENSIONS = "_ARRAY_DIMENSIONS"


class DimensionNamesError(MetadataError, KeyError):
    """An array does not say how its axes are called, so xarray cannot take it. (A KeyError too, as in xarray.)"""


class LazyArray(BackendArray):
    """Reads what xarray asks for, when it asks: slices, each axis by itself, or points."""

    __slots__ = ("_array", "dtype", "shape")

    def __init__(self, array: Array) -> None:
        self._array, self.shape, self.dtype = array, array.shape, array.dtype
        if array.metadata.data_type.name in ("bytes", "variable_length_bytes", "binary"):
            self.dtype = coding.strings.create_vlen_dtype(bytes)

    def get_array(self) -> Array:
        """The array in the store."""
        return self._array

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, indexing.VectorizedIndexer):
            read: Any = self._array.vindex
        else:
            read = self._array.oindex if isinstance(key, indexing.OuterIndexer) else self._array
        found = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.VECTORIZED, read.__getitem__
        )
        if isinstance(found, np.ndarray):
            return found
        cell = np.empty((), self.dtype)  # np.asarray would make text and bytes into fixed lengths
        cell[()] = found
        return cell

    async def async_getitem(self, key: Any) -> Any:
        return await asyncio.to_thread(self.__getitem__, key)


# --- reading


def dimensions(array: Array) -> tuple[str, ...]:
    """The names of an array's axes."""
    names = array.dimension_names or ()
    if not names and array.zarr_format == 2:
        references = array.metadata.document.get("_NCZARR_ARRAY", {}).get("dimrefs", [])
        names = tuple(reference.rpartition("/")[2] for reference in references)
    if len(names) != array.ndim or None in names:
        where = "dimension_names" if array.zarr_format == 3 else f"the attribute {DIMENSIONS}"
        raise DimensionNamesError(
            f"array {array.path!r} (Zarr {array.zarr_format}): expected {where} with {array.ndim} names, which are "
            f"required for xarray to determine variable dimensions; found {list(names)}. "
            "Try writing them, or read the array with tutorial_zarr.open_array",
            path=array.path,
        )
    return tuple(map(str, names))


def attributes(array: Array) -> dict[str, Any]:
    """An array's attributes without what says how it is stored."""
    found = array.attrs.asdict()
    if array.zarr_format == 3:
        return found
    return {k: v for k, v in found.items() if k != DIMENSIONS and not k.lower().startswith("_nc")}


def to_variable(array: Array, fill_value_masks: bool) -> Variable:
    """An array as an undecoded variable that reads when its values are needed."""
    names, attrs = dimensions(array), attributes(array)
    encoding: dict[str, Any] = {
        "chunks": array.chunks,
        "preferred_chunks": dict(zip(names, array.write_unit, strict=True)),  # blocks of these can be written back
        "compressors": _compressors(array),
        "filters": _as_json(array.filters),
        "shards": array.shards,
    }
    if array.dtype.kind == "T":
        encoding["dtype"] = array.dtype
    if array.zarr_format == 3:
        serializer = array.serializer
        if isinstance(serializer, ShardingCodec):
            serializer = next(codec for codec in serializer.codecs if isinstance(codec, ArrayBytesCodec))
        encoding["serializer"] = serializer.to_json()
    if fill_value_masks:
        is_text = array.dtype.kind in "OT"  # for which zarr-python 2 writes the fill value 0, that is no text
        if isinstance(array.metadata.document["fill_value"], str) if is_text else array.fill_value is not None:
            attrs["_FillValue"] = array.fill_value
    else:
        if array.zarr_format == 3:
            encoding["fill_value"] = array.fill_value
        if "_FillValue" in attrs:
            attrs["_FillValue"] = decode_fill_value(attrs["_FillValue"], array.dtype, array.path)
    if attrs.get("missing_value") == "NaN" and array.dtype.kind == "f":
        attrs["missing_value"] = np.nan  # JSON has no NaN
    return Variable(names, indexing.LazilyIndexedArray(LazyArray(array)), attrs, encoding)


def _as_json(codecs: tuple[Any, ...]) -> tuple[dict[str, Any], ...]:
    """Codecs as their documents name them: comparable, and good for `create_array` again."""
    return tuple(codec if isinstance(codec, dict) else codec.to_json() for codec in codecs)


def _compressors(array: Array) -> tuple[dict[str, Any], ...]:
    """The compressors as the document names them: an ``id`` in v2, of which `create_array` knows the name in v3."""
    if array.zarr_format == 3:
        return _as_json(array.compressors)
    compressor = array.metadata.document.get("compressor")
    return () if compressor is None else (compressor,)


# --- fill values as attributes


def encode_fill_value(value: Any, dtype: np.dtype) -> Any:
    """``_FillValue`` as JSON: floats as base64 of eight bytes, so that every NaN survives."""
    item = np.asarray(value)[()]
    if dtype.kind == "f":
        return base64.b64encode(struct.pack("<d", float(item))).decode()
    if dtype.kind == "c":
        return [encode_fill_value(part, np.dtype("f8")) for part in (item.real, item.imag)]
    if dtype.kind in "iu":
        return int(item)
    if dtype.kind == "b":
        return bool(item)
    if dtype.kind == "S" or isinstance(item, bytes):
        return base64.b64encode(bytes(item)).decode()
    if dtype.kind in "UT" or isinstance(item, str):
        return str(item)
    raise MetadataError(f"_FillValue: expected a number, text or bytes for the type {dtype}, found {value!r}")


def decode_fill_value(value: Any, dtype: np.dtype, where: str = "") -> Any:
    """The value that the attribute ``_FillValue`` stands for. Plain numbers count too: GDAL writes them."""
    try:
        if dtype.kind == "f" and isinstance(value, str):
            try:
                return struct.unpack("<d", base64.b64decode(value, validate=True))[0]
            except (binascii.Error, struct.error):
                return float(value)
        if dtype.kind == "c" and isinstance(value, list):
            return complex(*[decode_fill_value(part, np.dtype("f8")) for part in value])
        if dtype.kind in "SO":
            return base64.b64decode(value, validate=True)
        if dtype.kind in "UT":
            return str(value)
        return {"f": float, "c": complex, "i": int, "u": int, "b": bool}[dtype.kind](value)
    except (ValueError, TypeError, KeyError) as cause:
        raise MetadataError(
            f"array {where!r}: attribute _FillValue: expected a value of the type {dtype}, found {value!r}"
        ) from cause


# --- writing

LAYOUT = ("chunks", "shards", "compressors", "filters", "serializer", "write_empty_chunks", "chunk_key_encoding",
          "compressor", "codecs", "order", "dimension_separator", "cache_metadata")  # fmt: skip
SAME_BYTES = ("blosc", "gzip", "zstd")  # codecs that write alike as ``numcodecs.<name>`` and as ``<name>``
_FROM_A_FILE = ("source", "original_shape", "preferred_chunks")


def encode_variable(variable: Variable, name: Any = None) -> Variable:
    """A variable by CF's conventions, with a type that Zarr holds."""
    if variable.dtype == bool and np.dtype(variable.encoding.get("dtype", bool)) == bool:
        encoded = variable.copy(deep=False)  # CF has no booleans and would make bytes of them; Zarr has
        encoded.encoding = {k: v for k, v in variable.encoding.items() if k not in ("dtype", "_FillValue")}
        if variable.encoding.get("_FillValue") is not None:
            encoded.attrs["_FillValue"] = variable.encoding["_FillValue"]
    else:
        encoded = conventions.encode_cf_variable(variable, name=name)
    if encoded.dtype.kind == "O" and not encoded.chunks:
        missing = bool(pd.isnull(encoded.data).any())
        encoded = ensure_dtype_not_object(encoded, name=name)
        if missing and (encoded.dtype.kind in "OSTU"):
            _warn_of_missing_text(name)
    else:
        encoded = ensure_dtype_not_object(encoded, name=name)
    if encoded.dtype.kind == "T":
        return encoded if encoded.dtype == np.dtypes.StringDType() else _without_missing_text(encoded, name)
    encoded = coding.strings.EncodedStringCoder(allows_unicode=True).encode(encoded, name=name)
    return coding.strings.ensure_fixed_length_bytes(encoded)


def _warn_of_missing_text(name: Any) -> None:
    warnings.warn(
        f"variable {name!r}: missing text is stored as empty text, as xarray does it, since Zarr has no missing text; "
        "to tell the two apart, try fillna() with a word of your own",
        stacklevel=2,
    )


def _without_missing_text(variable: Variable, name: Any) -> Variable:
    """Missing text as empty text, as xarray writes it: Zarr's text has no value for "missing"."""

    def fill(block: np.ndarray) -> np.ndarray:
        plain = block.astype(object)
        missing = pd.isnull(plain)
        if missing.any():
            _warn_of_missing_text(name)
        plain[missing] = ""
        return plain.astype(np.dtypes.StringDType())

    values = variable.data
    dtype = np.dtypes.StringDType()
    return variable.copy(data=values.map_blocks(fill, dtype=dtype) if variable.chunks else fill(values))


def array_options(
    variable: Variable, name: Any, zarr_format: int, explicit: bool, fill_value_masks: bool
) -> dict[str, Any]:
    """The keywords of `create_array` for an encoded variable. Those that the caller named must all be known."""
    encoding = {k: v for k, v in variable.encoding.items() if k not in _FROM_A_FILE}
    attrs = dict(variable.attrs)
    if encoding.pop("_FillValue", None) is not None:
        raise ValueError(f"variable {name!r}: _FillValue is an attribute by now; give it in the encoding of to_zarr")
    known = (*LAYOUT, "fill_value") if zarr_format == 3 else LAYOUT
    unknown = [k for k in encoding if k not in known]
    if explicit and unknown:
        hint = " Use `_FillValue` to set the Zarr array `fill_value`." if "fill_value" in unknown else ""
        raise ValueError(
            f"variable {name!r}: unexpected encoding parameters for Zarr {zarr_format}: {unknown!r}.{hint} "
            f"Known: {', '.join(known)}"
        )
    options = {k: v for k, v in encoding.items() if k in known and k != "cache_metadata"}
    _spell_codecs(options, name)
    if not explicit:
        _drop_what_the_format_lacks(options, zarr_format)
    if "chunks" in options and isinstance(options["chunks"], (tuple, list)) and len(options["chunks"]) != variable.ndim:
        del options["chunks"]  # those of the variable before axes were added or taken away
        options.pop("shards", None)
    if "chunks" not in options and variable.chunks:
        options["chunks"] = _uniform(variable, name)
    _set_fill_value(options, attrs, variable.dtype, fill_value_masks)
    if isinstance(attrs.get("missing_value"), (float, np.floating)) and np.isnan(attrs["missing_value"]):
        attrs["missing_value"] = "NaN"
    dtype = variable.dtype
    if dtype.kind == "O":
        dtype = coding.strings.check_vlen_dtype(dtype) or dtype
    options |= {"shape": variable.shape, "dtype": dtype, "zarr_format": zarr_format, "attributes": json_value(attrs)}
    return {**options, "dimension_names": [str(d) for d in variable.dims]}


def _spell_codecs(options: dict[str, Any], name: Any) -> None:
    """``compressor``, as Zarr 2 calls it, becomes ``compressors``; None asks for no codecs there, and for the default
    elsewhere.
    """
    if "compressor" in options:
        if options.get("compressors", "auto") != "auto":
            raise ValueError(
                f"variable {name!r}: expected one of compressor and compressors in the encoding, found both; "
                "try compressors, a list"
            )
        options["compressors"] = options.pop("compressor")
    for key, value in list(options.items()):
        if key in ("compressors", "filters"):
            given = value if isinstance(value, (list, tuple)) else (value,)
            options[key] = "auto" if given == ("auto",) else [codec for codec in given if codec is not None]
        elif value is None:
            del options[key]


def _set_fill_value(options: dict[str, Any], attrs: dict[str, Any], dtype: np.dtype, fill_value_masks: bool) -> None:
    """Zarr's fill value into the options; CF's stays among the attributes where the two are not one.

    In Zarr 3 they are equal unless the options say otherwise: chunks that are never written are missing then, and not
    measured zeros.
    """
    if fill_value_masks:
        options["fill_value"] = attrs.pop("_FillValue", None)
        return
    given = attrs.get("_FillValue")
    if dtype.kind in "iuf" and (given is not None or dtype.kind == "f"):
        options.setdefault("fill_value", np.nan if given is None else given)
    if given is not None:
        attrs["_FillValue"] = encode_fill_value(attrs["_FillValue"], dtype)
    else:
        attrs.pop("_FillValue", None)


def _drop_what_the_format_lacks(options: dict[str, Any], zarr_format: int) -> None:
    """A dataset read from the other format brings along what this one spells differently."""
    if zarr_format == 2:
        for key in ("shards", "serializer", "codecs"):
            options.pop(key, None)
        return
    if isinstance(options.get("filters"), list):
        kept = [
            f
            for f in options["filters"]
            if (f.get("id") if isinstance(f, dict) else getattr(f, "codec_id", None)) not in OBJECT_CODECS
        ]
        options["filters"] = kept or "auto"
    if isinstance(options.get("compressors"), list):
        options["compressors"] = [_registered(codec) for codec in options["compressors"]]


def _registered(codec: Any) -> Any:
    """A codec that numcodecs and Zarr 3 both have by Zarr 3's name, under which more readers know it."""
    if isinstance(codec, dict) and (known := str(codec.get("name", "")).removeprefix("numcodecs.")) in SAME_BYTES:
        return {"id": known, **codec.get("configuration", {})} if codec["name"] != known else codec
    return codec


def _uniform(variable: Variable, name: Any) -> tuple[int, ...]:
    """The chunk shape that a chunked variable's blocks have, all but the last of each axis."""
    for blocks in variable.chunks or ():
        if len(set(blocks[:-1])) > 1 or blocks[-1] > blocks[0]:
            raise ValueError(
                f"variable {name!r}: Zarr requires uniform chunk sizes except for the final chunk, which must be the "
                f"same size or smaller; the variable has incompatible dask chunks: {variable.chunks!r}. "
                "Consider rechunking with chunk(), or encoding={...: {'chunks': ...}} with align_chunks=True"
            )
    return tuple(max(1, blocks[0]) for blocks in variable.chunks or ())
