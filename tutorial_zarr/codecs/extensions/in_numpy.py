"""What numcodecs computes, in NumPy and the standard library, for where numcodecs is not: in a browser.

Each engine takes the configuration of numcodecs and has its ``encode`` and ``decode``; the bytes are equal, which
tests/unit/test_without_numcodecs.py holds. `ENGINES` has them by numcodecs' ids. zstd is Python's own since 3.14
(`ZstdEngine`). Blosc, lz4, pcodec and zfpy are C code: without numcodecs they are refused.
"""

from __future__ import annotations

import base64
import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.codecs.base import Buffer

from .bitround import round_floats


def _elements(data: Any, dtype: Any) -> np.ndarray:
    """The elements of an array, or of bytes, as one row of another type."""
    array = data if isinstance(data, np.ndarray) else np.frombuffer(data, np.uint8)
    return array.reshape(-1, order="A").view(dtype)


class _Typed:
    """A filter from elements of `dtype` to such of `astype`, the same ones where that is left out."""

    kinds = "biufcmMSUV"

    def __init__(self, dtype: Any, astype: Any = None) -> None:
        self.dtype = np.dtype(dtype)
        self.astype = self.dtype if astype is None else np.dtype(astype)
        if not {self.dtype.kind, self.astype.kind} <= set(self.kinds):
            raise ValueError(f"expected types of the kinds {self.kinds}, found {self.dtype} and {self.astype}")


class DeltaEngine(_Typed):
    """The first element, and the steps to each that follows."""

    def encode(self, data: Any) -> np.ndarray:
        """The steps."""
        values = _elements(data, self.dtype)
        steps = np.empty(values.shape, self.astype)
        steps[0], steps[1:] = values[0], np.diff(values)
        return steps

    def decode(self, data: Any) -> np.ndarray:
        """Their sums."""
        steps = _elements(data, self.astype)
        return np.cumsum(steps, out=np.empty(steps.shape, self.dtype))


class FixedScaleOffsetEngine(_Typed):
    """``(number - offset) * scale``, rounded."""

    def __init__(self, offset: float, scale: float, dtype: Any, astype: Any = None) -> None:
        super().__init__(dtype, astype)
        self.offset, self.scale = offset, scale

    def encode(self, data: Any) -> np.ndarray:
        """The rounded numbers."""
        return np.around((_elements(data, self.dtype) - self.offset) * self.scale).astype(self.astype, copy=False)

    def decode(self, data: Any) -> np.ndarray:
        """The numbers near which they were."""
        return (_elements(data, self.astype) / self.scale + self.offset).astype(self.dtype, copy=False)


class QuantizeEngine(_Typed):
    """Floats rounded to the binary fraction that is just fine enough for `digits` decimals."""

    kinds = "f"

    def __init__(self, digits: int, dtype: Any, astype: Any = None) -> None:
        super().__init__(dtype, astype)
        self.digits = digits

    def encode(self, data: Any) -> np.ndarray:
        """The rounded floats."""
        exponent = math.log10(10.0**-self.digits)
        exponent = math.floor(exponent) if exponent < 0 else math.ceil(exponent)
        scale = 2.0 ** math.ceil(math.log2(10.0**-exponent))
        return (np.around(scale * _elements(data, self.dtype)) / scale).astype(self.astype, copy=False)

    def decode(self, data: Any) -> np.ndarray:
        """The same in the type that they had."""
        return _elements(data, self.astype).astype(self.dtype, copy=False)


class AsTypeEngine:
    """The same numbers in another type."""

    def __init__(self, encode_dtype: Any, decode_dtype: Any) -> None:
        self.encode_dtype, self.decode_dtype = np.dtype(encode_dtype), np.dtype(decode_dtype)

    def encode(self, data: Any) -> np.ndarray:
        """The numbers as `encode_dtype`."""
        return _elements(data, self.decode_dtype).astype(self.encode_dtype)

    def decode(self, data: Any) -> np.ndarray:
        """The numbers as `decode_dtype`."""
        return _elements(data, self.encode_dtype).astype(self.decode_dtype)


class BitRoundEngine:
    """Floats with `keepbits` bits of mantissa; `checked` does the rounding itself."""

    def __init__(self, keepbits: int) -> None:
        if keepbits < 0:
            raise ValueError(f"keepbits: expected 0 or more, found {keepbits}")
        self.keepbits = keepbits

    def encode(self, data: np.ndarray) -> np.ndarray:
        """The rounded floats."""
        drop = np.finfo(data.dtype).nmant - self.keepbits
        return round_floats(data, drop)[0] if drop > 0 else data

    def decode(self, data: Any) -> Any:
        """The same: what is lost is lost."""
        return data


class PackBitsEngine:
    """Eight booleans in a byte, the first of them the most significant; before them, how many bits fill the last."""

    def encode(self, data: Any) -> np.ndarray:
        """The bytes."""
        values = _elements(data, bool)
        return np.concatenate([np.array([-values.size % 8], "u1"), np.packbits(values)])

    def decode(self, data: Any) -> np.ndarray:
        """The booleans."""
        packed = _elements(data, "u1")
        values = np.unpackbits(packed[1:]).view(bool)
        return values[: values.size - int(packed[0])]


class ShuffleEngine:
    """The first bytes of all elements, then the second ones, and so on."""

    def __init__(self, elementsize: int = 4) -> None:
        self.size = max(1, elementsize)

    def _turned(self, data: Any, encoded: bool) -> np.ndarray:
        stored = _elements(data, "u1")
        if stored.size % self.size:
            raise ValueError(f"expected a whole number of elements of {self.size} bytes, found {stored.size} bytes")
        rows = stored.reshape((self.size, -1) if encoded else (-1, self.size))
        return rows.T.reshape(-1)

    def encode(self, data: Any) -> np.ndarray:
        """The bytes by their place in the element."""
        return self._turned(data, encoded=False)

    def decode(self, data: Any) -> np.ndarray:
        """The bytes by elements."""
        return self._turned(data, encoded=True)


class Base64Engine:
    """Bytes as text."""

    def encode(self, data: Buffer) -> bytes:
        """The text."""
        return base64.standard_b64encode(data)

    def decode(self, data: Buffer) -> bytes:
        """The bytes."""
        return base64.standard_b64decode(data)


class Fletcher32Engine:
    """The checksum of HDF5 behind the data: two sums of 16-bit words, big-endian, modulo 65535."""

    def encode(self, data: Buffer) -> bytes:
        """The data and the checksum."""
        stored = bytes(data)
        words = np.frombuffer(stored + b"\0" * (len(stored) % 2), ">u2").astype(np.uint64)
        weights = np.arange(len(words), 0, -1, dtype=np.uint64) % np.uint64(65535)
        sums = [int(words.sum()), int((words * weights).sum())]
        low, high = (
            (part - 1) % 65535 + 1 if words.any() else 0 for part in sums
        )  # 65535 stands for 0, unless all is 0
        return stored + (high << 16 | low).to_bytes(4, "little")


class VLenEngine:
    """Items of any length, each behind its length; the number of items stands in front."""

    def __init__(self, item: type[str] | type[bytes]) -> None:
        self.item = item

    def _bytes(self, item: Any) -> bytes:
        if item is None or (not isinstance(item, (str, bytes)) and item == 0):
            return b""  # a missing one, as numcodecs has it
        if not isinstance(item, self.item):
            raise TypeError(f"expected {self.item.__name__}, found {type(item).__name__}")
        return item.encode() if isinstance(item, str) else item

    def encode(self, items: np.ndarray) -> bytes:
        """The stream of an array of objects."""
        parts = [len(items).to_bytes(4, "little")]
        for item in map(self._bytes, items.tolist()):
            parts += [len(item).to_bytes(4, "little"), item]
        return b"".join(parts)

    def decode(self, data: Buffer) -> np.ndarray:
        """The array of objects in a stream."""
        stored = bytes(data)
        count, at = int.from_bytes(stored[:4], "little"), 4
        if len(stored) < 4 + 4 * count:  # before anything is allocated by it
            raise ValueError(f"expected {count} items, found {len(stored)} bytes")
        items = np.empty(count, object)
        for i in range(count):
            end = at + 4 + int.from_bytes(stored[at : at + 4], "little")
            if end > len(stored):
                raise ValueError(f"expected {end} bytes for item {i}, found {len(stored)}")
            items[i] = str(stored[at + 4 : end], "utf-8") if self.item is str else stored[at + 4 : end]
            at = end
        return items


ENGINES: dict[str, Callable[..., Any]] = {
    "delta": DeltaEngine,
    "fixedscaleoffset": FixedScaleOffsetEngine,
    "quantize": QuantizeEngine,
    "astype": AsTypeEngine,
    "bitround": BitRoundEngine,
    "packbits": PackBitsEngine,
    "shuffle": ShuffleEngine,
    "base64": Base64Engine,
    "fletcher32": Fletcher32Engine,
    "vlen-utf8": lambda: VLenEngine(str),
    "vlen-bytes": lambda: VLenEngine(bytes),
}


class ZstdEngine:
    """Python's own zstd, since 3.14, with the functions of ``numcodecs.zstd``. Raises ImportError where it is not."""

    def __init__(self) -> None:
        self.module = importlib.import_module("compression.zstd")

    def compress(self, data: Buffer, level: int, checksum: bool) -> bytes:
        """One frame, with its size."""
        parameter = self.module.CompressionParameter
        options = {parameter.compression_level: level, parameter.checksum_flag: int(checksum)}
        return self.module.compress(data, options=options)

    def decompress(self, data: Buffer, out: np.ndarray | None = None) -> bytes | np.ndarray:
        """What is in the frames; into `out`, if that is given."""
        room = None if out is None else out.nbytes
        found, rest = bytearray(), bytes(data)
        while rest:  # a frame each; no more is taken than there is room for
            decoder = self.module.ZstdDecompressor()
            try:
                found += decoder.decompress(rest, -1 if room is None else room - len(found) + 1)
            except self.module.ZstdError as cause:
                raise RuntimeError(f"zstd: {cause}") from cause
            if room is not None and len(found) > room:
                raise RuntimeError(f"zstd: expected {room} bytes, found more")
            if not decoder.eof:
                raise RuntimeError("zstd: expected a whole frame, found its beginning")
            rest = decoder.unused_data
        if out is None:
            return bytes(found)
        if len(found) != room:
            raise RuntimeError(f"zstd: expected {room} bytes, found {len(found)}")
        out.reshape(-1).view(np.uint8)[:] = np.frombuffer(found, np.uint8)
        return out
