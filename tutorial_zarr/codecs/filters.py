"""The ``filters`` of Zarr v2, as one codec: a chain of numcodecs' filters, the first of which may be an object codec.

In v2 a filter sees a flat buffer in the chunk's own order; in v3, where filters are codecs called ``numcodecs.<id>``,
it sees an array. What they compute is the same, and numcodecs computes it (`extensions.numcodecs_engines`). The
compressors and checksums among the ids have files of their own.

Spec: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html#filters
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.errors import CodecError, UnsupportedError, ZarrError
from tutorial_zarr.metadata import Extension

from .base import ArrayBytesCodec, Buffer, BytesBytesCodec, ChunkSpec, as_bytes_view
from .extensions.checked import FILTERS, Checked
from .extensions.numcodecs_engines import (
    DTYPES,
    LISTS,
    AllowedPickle,
    GuardedZfpy,
    check_count,
    decode_pcodec,
    numcodecs_codec,
)
from .registry import build, register_internal

if TYPE_CHECKING:
    from typing import Self

KEEPS_SHAPE = ("json2", "msgpack2", "pickle", "zfpy")  # these write the chunk's shape into the bytes
COUNTED = ("vlen-utf8", "vlen-bytes", "vlen-array")  # these begin with the number of items


class V2Filters(ArrayBytesCodec):
    """The whole v2 filter chain as one step from an array to bytes; the first filter may be an object codec."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.stored = dtypes.v2.stored_dtype(configuration["dtype"])
        if self.stored.kind in "mM":  # as the integers that they are: numpy swaps no bytes of a time without a unit
            self.stored = np.dtype("i8").newbyteorder(self.stored.byteorder)
        self.filters: list[tuple[str, Any]] = []
        for config in configuration["filters"]:
            identifier, rest = config["id"], {k: v for k, v in config.items() if k != "id"}
            if identifier == "pickle" and not configuration.get("allow_pickle"):
                raise UnsupportedError(
                    "codec 'pickle': loading a pickle runs whatever code its writer put in, so it is refused; "
                    "if you trust the writer, open the array with allow_pickle=True",
                    key="filters",
                    codec="pickle",
                )
            self.filters.append((identifier, self._filter(identifier, rest)))

    def _filter(self, identifier: str, configuration: dict[str, Any]) -> Any:
        name = f"numcodecs.{identifier}"
        codec = build(Extension(name, configuration, must_understand=False))
        if isinstance(codec, BytesBytesCodec):
            return codec
        if identifier == "pickle":
            return AllowedPickle(configuration.get("protocol", 5))
        engine = numcodecs_codec(identifier, configuration)
        if identifier in FILTERS:
            return Checked(identifier, engine)
        return GuardedZfpy(engine) if identifier == "zfpy" else engine

    def check(self, spec: ChunkSpec) -> None:
        for _, codec in self.filters:
            if isinstance(codec, BytesBytesCodec):
                codec.check(spec)

    def bind(self, spec: ChunkSpec) -> Self:
        bound = [(name, c.bind(spec) if isinstance(c, BytesBytesCodec) else c) for name, c in self.filters]
        return self.changed(filters=bound)

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        return self._sizes(spec)[-1]

    def _sizes(self, spec: ChunkSpec) -> list[int | None]:
        """Return the number of bytes before each filter and after the last; None if the metadata do not say."""
        count, sizes = math.prod(spec.shape), [spec.nbytes]
        for identifier, codec in self.filters:
            size = sizes[-1]
            if size is not None:
                if isinstance(codec, BytesBytesCodec):
                    size = codec.encoded_size(size)
                elif identifier == "packbits":
                    size = 1 + -(-count // 8)
                elif isinstance(codec, Checked) and codec.makes is not None:
                    size = count * codec.makes.itemsize
                elif identifier != "bitround":
                    size = None
            sizes.append(size)
        return sizes

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        if self.stored.kind == "O":
            data: Any = np.ascontiguousarray(array).astype(object)
        else:
            array = np.ascontiguousarray(array).view(spec.data_type.carrier)
            data = np.ascontiguousarray(array.astype(self.stored, copy=False))
        for identifier, codec in self.filters:
            if isinstance(codec, Checked) and not _is_array(data):  # bytes, which it takes for what its dtype says
                data = np.frombuffer(data, codec.takes or np.uint8)
            if _is_array(data) and identifier not in KEEPS_SHAPE:
                data = data.reshape(-1)
            if isinstance(codec, BytesBytesCodec):
                data = memoryview(codec.encode(as_bytes_view(data) if _is_array(data) else data))
            else:
                data = codec.encode(data)
        return as_bytes_view(data) if _is_array(data) else data

    def _decode_one(self, identifier: str, codec: Any, data: Any, count: int, size: int | None) -> Any:
        """One filter backwards: `count` elements, or `size` bytes where that is known."""
        if identifier in COUNTED:
            check_count(data, count)
        if isinstance(codec, BytesBytesCodec):
            return codec.decode(data, size)
        if identifier == "zfpy":
            return codec.decode(data, count)
        if identifier == "pcodec":
            return decode_pcodec(data, count, self.stored)
        return LISTS[identifier](codec, data, count) if identifier in LISTS else codec.decode(data)

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        count, identifier = math.prod(spec.shape), self.name
        sizes = self._sizes(spec)[:-1]
        for (identifier, codec), size in zip(reversed(self.filters), reversed(sizes), strict=True):
            try:
                data = self._decode_one(identifier, codec, data, count, size)
            except ZarrError:
                raise
            except Exception as cause:
                raise CodecError(f"filter {identifier!r}: cannot decode: {cause}", codec=identifier) from cause
        if self.stored.kind == "O":
            if not isinstance(data, np.ndarray) or data.size != count:
                found = getattr(data, "size", "bytes")
                raise CodecError(f"filter {identifier!r}: expected {count} objects, found {found}", codec=identifier)
            return data.reshape(spec.shape).astype(spec.data_type.numpy)
        raw = as_bytes_view(np.asarray(data)) if _is_array(data) else np.frombuffer(data, np.uint8)
        if raw.nbytes != count * self.stored.itemsize:
            raise CodecError(
                f"filter {identifier!r}: expected {count * self.stored.itemsize} bytes for a chunk of shape "
                f"{spec.shape}, found {raw.nbytes}",
                codec=identifier,
            )
        array = raw.view(self.stored).reshape(spec.shape)
        return array.astype(spec.data_type.carrier, copy=False).view(spec.data_type.numpy)


def _is_array(data: Any) -> bool:
    return isinstance(data, np.ndarray)


def in_order(configuration: dict[str, Any], order: str) -> dict[str, Any]:
    """Return a filter's configuration with the types that it names in that byte order (``"<"`` or ``">"``).

    In v3 a filter sees numbers, whose byte order in memory does not matter; readers that look at it expect ``<``.

    >>> in_order({"dtype": ">i4", "astype": "|i1"}, "<")
    {'dtype': '<i4', 'astype': '|i1'}
    """
    found = dict(configuration)
    for key in DTYPES & set(found):
        with suppress(TypeError):  # what is no dtype stays, for others to refuse
            dtype = np.dtype(found[key])
            if found[key] is not None and dtype != dtype.newbyteorder(order):
                found[key] = dtype.newbyteorder(order).str
    return found


def aligned(filters: list[dict[str, Any]], stored: np.dtype) -> list[dict[str, Any]]:
    """Return v2's filters for elements of `stored`, each with the byte order in which it gets them.

    A filter of v2 sees bytes, and views them as the type in its configuration: one for ``<i4`` reads a 1 in ``>i4`` as
    16777216. People write ``Delta(dtype="i4")`` and mean the numbers.
    """
    found = []
    for config in filters:
        key = "decode_dtype" if config["id"] == "astype" else "dtype"
        with suppress(TypeError, KeyError):
            dtype = np.dtype(config[key])
            if dtype != stored and dtype.newbyteorder("S") == stored:
                config = {**config, key: stored.str}
        made = config.get("encode_dtype") or config.get("astype") or config.get("dtype")
        with suppress(TypeError):
            stored = stored if made is None else np.dtype(made)
        found.append(config)
    return found


register_internal("v2_filters", V2Filters)
