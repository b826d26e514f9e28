"""What numcodecs computes for the filters that `filters` (v2) and `numcodecs_filters` (v3) name, made safe.

An engine is a numcodecs object, or stands for one, and has its methods ``encode`` and ``decode``. Some decoders
allocate what a stream asks for, read beyond its end, or run what it holds: those are checked before, replaced, or
refused unless the caller allowed them.
"""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np

from tutorial_zarr.codecs.base import Buffer, short
from tutorial_zarr.errors import CodecError, MissingDependencyError, UnsupportedError

from . import in_numpy
from .rounding import FORMATS
from .zfp import check_loss

# id -> the package that numcodecs needs for it
EXTRA_PACKAGES = {"pcodec": "pcodec", "zfpy": "zfpy", "msgpack2": "msgpack", "msgpack": "msgpack"}
DTYPES = {"dtype", "astype", "encode_dtype", "decode_dtype"}  # the members of a filter that name types


def numcodecs_codec(identifier: str, configuration: dict[str, Any]) -> Any:
    """Return the numcodecs object with that id and configuration; or, without numcodecs, what stands for it."""
    try:
        import numcodecs
    except ImportError as cause:
        if engine := in_numpy.ENGINES.get(identifier):
            try:
                return engine(**configuration)
            except (TypeError, ValueError) as wrong:
                raise CodecError(
                    f"codec {identifier!r}: expected a configuration that it takes, found {configuration!r}: {wrong}",
                    codec=identifier,
                ) from wrong
        raise MissingDependencyError(
            f"codec {identifier!r} needs the package numcodecs, which is not installed; try: pip install numcodecs",
            codec=identifier,
        ) from cause
    try:
        return numcodecs.get_codec({"id": identifier, **configuration})
    except Exception as cause:
        package = EXTRA_PACKAGES.get(identifier)
        if (
            package
            and isinstance(cause, (ImportError, ValueError))
            and identifier not in numcodecs.registry.codec_registry
        ):
            raise MissingDependencyError(
                f"codec {identifier!r} needs the package {package}, which is not installed; try: pip install {package}",
                codec=identifier,
            ) from cause
        if identifier in numcodecs.registry.codec_registry:
            raise CodecError(
                f"codec {identifier!r}: numcodecs refuses the configuration {configuration!r}: {cause}",
                codec=identifier,
            ) from cause
        raise UnsupportedError(
            f"codec {identifier!r} is known neither to this library nor to numcodecs", codec=identifier
        ) from cause


class AllowedPickle:
    """The object codec ``pickle``, for callers who said that they trust the writer."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol

    def encode(self, array: np.ndarray) -> bytes:
        """Return the pickle of an array."""
        return pickle.dumps(array, protocol=self.protocol)

    def decode(self, data: Buffer) -> Any:
        """Return the array in a pickle."""
        return pickle.loads(data)


class GuardedZfpy:
    """numcodecs' ``zfpy`` with checks: damaged streams would make zfp read and write past the end of its buffers."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def encode(self, array: np.ndarray) -> bytes:
        """The stream of an array, its header first."""
        if self.engine.mode == 2 and self.engine.rate >= 0 and array.dtype.kind == "f":  # 2: fixed rate
            values, exponent = 4**array.ndim, 9 if array.dtype.itemsize == 4 else 12
            if not exponent <= math.floor(values * self.engine.rate + 0.5):
                raise ValueError(
                    f"expected a rate of at least {exponent / values}, as the exponents of {array.dtype} in "
                    f"{array.ndim} dimensions take, found {self.engine.rate}"
                )
        encoded = self.engine.encode(array)
        mode = self.engine.mode
        limit = {2: self.engine.rate, 3: self.engine.precision, 4: self.engine.tolerance}.get(mode, -1)
        if limit >= 0 and array.size:  # a negative one is none, and the stream reversible
            form = FORMATS[array.dtype.name] if array.dtype.kind == "f" else None
            tolerance, kept = (limit, False) if mode == 4 else (None, limit >= 8 * array.itemsize)
            check_loss(self._fail, array, form, lambda: self.decode(encoded, array.size), tolerance, kept)
        return encoded

    def _fail(self, expected: str, found: Any) -> CodecError:
        return CodecError(f"codec 'zfpy': expected {expected}, found {short(found)}", codec="zfpy")

    def decode(self, data: Buffer, count: int) -> np.ndarray:
        """Return the array in a stream, decoded twice, with different bytes after its end: these must not count."""
        stream = bytes(data)
        room = self._room(stream, count)
        array, again = (self.engine.decode(stream.ljust(room, fill)) for fill in (b"\0", b"\xff"))
        if array.tobytes() != again.tobytes():
            raise ValueError("expected a complete stream, found one that ends early")
        return array

    def _room(self, stream: bytes, count: int) -> int:
        """Return the most bytes that decoding can read. The header is checked before zfp allocates by it."""
        head = int.from_bytes(stream[:19], "little")  # bits: 32 magic, 52 shape and type, 12 or 64 limits
        kind, ndim = head >> 32 & 3, (head >> 34 & 3) + 1
        width = 48 // ndim
        lengths = [(head >> (36 + i * width) & ((1 << width) - 1)) + 1 for i in range(ndim)]
        if stream[:4] != b"zfp\5" or math.prod(lengths) != count:
            raise ValueError(f"expected the header of a zfp stream of {count} elements, found {stream[:12].hex(' ')}")
        mode = head >> 84 & 0xFFF
        least = mode + 1 if mode < 2048 else (head >> 96 & 0x7FFF) + 1 if mode == 0xFFF else 1  # bits of a block
        most = max(least, 19 + 4**ndim * (65 if kind & 1 else 33))
        blocks = math.prod(-(-n // 4) for n in lengths)
        if blocks * least > 8 * len(stream):
            raise ValueError(f"expected at least {-(-blocks * least // 8)} bytes, found {len(stream)}")
        return max(len(stream), (148 + blocks * most) // 8) + 16


PCODEC_TYPES = tuple(np.dtype(kind + size) for size in "248" for kind in "uif")


def decode_pcodec(data: Buffer, count: int, likely: np.dtype) -> np.ndarray:
    """Return the array in a pcodec stream, decoded into memory of its size.

    pcodec's other decoder allocates what the stream asks for, and ends the process if that is too much. This one
    needs the type: that of the array, unless a filter before it changed that.
    """
    from pcodec import standalone

    stream, types = bytes(data), sorted(PCODEC_TYPES, key=lambda dtype: dtype != likely)
    for dtype in types:
        out = np.empty(count, dtype)
        try:
            progress = standalone.simple_decompress_into(stream, out)
        except RuntimeError as cause:
            if "number type" in str(cause) and dtype is not types[-1]:
                continue
            raise
        if progress.n_processed != count or not progress.finished:
            raise ValueError(f"expected a stream of {count} numbers, found another number of them")
        break
    return out


def check_count(data: Buffer, count: int) -> None:
    """Refuse a stream whose count of items is wrong, before a decoder allocates by it."""
    head = bytes(memoryview(data).cast("B")[:4])
    if len(head) < 4 or int.from_bytes(head, "little") != count:
        raise ValueError(f"expected {count} items, found a count of {int.from_bytes(head, 'little')}")


def _decode_json2(codec: Any, data: Buffer, count: int) -> np.ndarray:
    """JSON text of a list ``[item, ..., dtype, shape]``. The shape is checked before anything is allocated by it."""
    return _from_items(json.loads(bytes(data).decode(codec._text_encoding)), count)


def _decode_msgpack2(codec: Any, data: Buffer, count: int) -> np.ndarray:
    """The same list as MessagePack. (numcodecs has loaded msgpack, or refused the codec.)"""
    import msgpack

    return _from_items(msgpack.unpackb(bytes(data), raw=codec.raw), count)


def _from_items(items: Any, count: int) -> np.ndarray:
    """The array of a list ``[item, ..., dtype, shape]``, whose items are nested as deep as the shape is long."""
    shape = items[-1] if isinstance(items, list) and len(items) >= 2 else None
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) != count:
        raise ValueError(f"expected a list that ends with a shape of {count} items, found {short(shape)}")
    result = np.empty(shape, object)
    flat = items[:-2]
    for _ in shape[1:]:
        flat = [item for row in flat for item in row]
    if len(flat) != count:
        raise ValueError(f"expected {count} items, found {len(flat)}")
    result.reshape(-1)[:] = _objects(flat)
    return result


LISTS = {"json2": _decode_json2, "msgpack2": _decode_msgpack2}


def _objects(items: list[Any]) -> np.ndarray:
    """A 1-d object array of exactly these items, lists among them left whole."""
    array = np.empty(len(items), object)
    for i, item in enumerate(items):
        array[i] = item
    return array
