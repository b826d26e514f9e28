"""What a codec is. There are three kinds, and a chunk passes through them in this order::

    array --[array -> array]*--> array --[array -> bytes]--> bytes --[bytes -> bytes]*--> stored bytes

A codec is immutable, holds no buffer, and may be used by many threads at once. To add one, write a class of
one of the three kinds and pass it to `codecs.register`.

>>> class Flip(BytesBytesCodec):
...     def encode(self, data): return bytes(255 - b for b in bytes(data))
...     def decode(self, data, size=None): return self.encode(data)
>>> Flip("flip").decode(Flip("flip").encode(b"chunk"))
b'chunk'

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#id23
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import CodecError, MetadataError, MissingDependencyError

Buffer = Any  # bytes, bytearray, memoryview, or a contiguous numpy array of bytes


class ChunkSpec(NamedTuple):
    """What an array looks like at one point of the chain."""

    shape: tuple[int, ...]
    data_type: DataType
    fill: np.ndarray  # 0-d

    @property
    def nbytes(self) -> int | None:
        """Bytes of the array in memory; None where elements vary in length."""
        size = self.data_type.item_size
        return None if size is None else size * math.prod(self.shape)


class Codec:
    """Base of the three kinds: a name, and the configuration as it stands in the metadata."""

    def __init__(self, name: str, configuration: dict[str, Any] | None = None) -> None:
        self.name, self.configuration = name, configuration or {}

    def to_json(self) -> dict[str, Any]:
        """The codec's entry in a v3 ``codecs`` list."""
        if self.configuration or self.name.startswith("numcodecs."):  # zarr-python insists on the member there
            return {"name": self.name, "configuration": self.configuration}
        return {"name": self.name}

    def fail(self, expected: str, found: Any) -> CodecError:
        """The error for bytes or arrays that this codec cannot handle."""
        return CodecError(f"codec {self.name!r}: expected {expected}, found {short(found)}", codec=self.name)

    def misfit(self, expected: str, found: Any) -> MetadataError:
        """The error for a configuration that is wrong, or does not fit what the codec is applied to."""
        return MetadataError(
            f"codec {self.name!r}: expected {expected}, found {short(found)}", key="codecs", codec=self.name
        )

    def needs(self, package: str) -> MissingDependencyError:
        """The error for an optional package that is not installed."""
        return MissingDependencyError(
            f"codec {self.name!r} needs the package {package}, which is not installed; try: pip install {package}",
            codec=self.name,
        )

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.configuration.items())})"


class ArrayArrayCodec(Codec):
    """Turns an array into an array, possibly of another shape or type. Both have native byte order."""

    moves_only = False  # True where elements change nothing but their places: then they are decoded in any byte order

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        """The spec of the encoded array. Raises MetadataError where the codec cannot be applied."""
        return spec

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        """The encoded array; `spec` describes `array`."""
        raise NotImplementedError

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        """The decoded array; `spec` describes the result."""
        raise NotImplementedError


class ArrayBytesCodec(Codec):
    """Turns an array into bytes."""

    def check(self, spec: ChunkSpec) -> None:
        """Raise MetadataError where the codec cannot be applied to such an array."""

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        """How many bytes `encode` yields, where that is known beforehand."""
        return None

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        """The bytes; `spec` describes `array`."""
        raise NotImplementedError

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        """The array, which may be a view of `data`; `spec` describes the result."""
        raise NotImplementedError


class BytesBytesCodec(Codec):
    """Turns bytes into bytes."""

    def check(self, spec: ChunkSpec) -> None:
        """Raise MetadataError where the codec cannot be applied; `spec` is what the array -> bytes codec sees."""

    def encoded_size(self, size: int) -> int | None:
        """How many bytes `encode` makes of `size` bytes, where that is known beforehand."""
        return None

    def encode(self, data: Buffer) -> Buffer:
        """The encoded bytes."""
        raise NotImplementedError

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        """The decoded bytes. `size` is their number where the metadata tells it; nothing larger is allocated."""
        raise NotImplementedError

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        """Decode into `out`, a contiguous array of bytes that must be filled exactly."""
        decoded = self.decode(data, out.nbytes)
        if memoryview(decoded).nbytes != out.nbytes:
            raise self.fail(f"{out.nbytes} bytes after decoding", memoryview(decoded).nbytes)
        out[:] = np.frombuffer(decoded, np.uint8)

    # Where several are decoded faster together than one by one, a method: it decodes each to a row of an array of
    # bytes, or returns False where these must be decoded one by one.
    decode_all_into: Callable[[Sequence[Buffer], np.ndarray], bool] | None = None


def short(value: Any) -> str:
    """`value` for a message: an error about a huge document must not be huge itself."""
    text = str(value)
    return text if len(text) <= 300 else f"{text[:280]}... ({len(text)} characters)"


def as_bytes_view(array: np.ndarray) -> np.ndarray:
    """A contiguous array as a 1-d array of its bytes, without a copy where it is contiguous already."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def is_fill(array: np.ndarray, fill: np.ndarray) -> bool:
    """Whether every element equals the fill value bit for bit: -0.0 is not 0.0, and NaNs differ by payload.

    >>> is_fill(np.zeros(3), np.array(0.0)), is_fill(-np.zeros(3), np.array(0.0))
    (True, False)
    """
    if array.size == 0:
        return True
    if array.dtype.kind in "OT":
        value, first = fill[()], next(iter(array.flat))
        if type(value) is not type(first) or not _same(first, value):
            return False
        return all(type(item) is type(value) and _same(item, value) for item in array.flat)
    size = array.dtype.itemsize
    if array[(0,) * array.ndim].tobytes() != fill.tobytes():  # settles it for nearly every chunk with data
        return False
    if size in (1, 2, 4, 8) and array.dtype.kind != "V":
        unsigned = np.dtype(f"u{size}")
        return bool((array.view(unsigned) == fill.view(unsigned)).all())
    rows = as_bytes_view(array).reshape(-1, size)
    return bool((rows == np.frombuffer(fill.tobytes(), np.uint8)).all())


def _same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b)) if isinstance(b, np.ndarray) else bool(a == b)
