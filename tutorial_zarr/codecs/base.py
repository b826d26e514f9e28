"""What a codec is. There are three kinds, and a chunk passes through them in this order::

    array --[array -> array]*--> array --[array -> bytes]--> bytes --[bytes -> bytes]*--> stored bytes

A codec is immutable, holds no buffer, and may be used by many threads at once. If it needs something from the array
that it is applied to, as blosc needs the size of an element, `bind` returns a copy for that array. To add a codec,
write a class of one of the three kinds and pass it to `codecs.register`; declare the members of its configuration as
in `fields`.

>>> class Flip(BytesBytesCodec):
...     def encode(self, data): return bytes(255 - b for b in bytes(data))
...     def decode(self, data, size=None): return self.encode(data)
>>> Flip("flip").decode(Flip("flip").encode(b"chunk"))
b'chunk'

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#id23
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import CodecError, MetadataError, MissingDependencyError

from .fields import REQUIRED, Field, check_keys

if TYPE_CHECKING:
    from typing import Self

Buffer = Any  # bytes, bytearray, memoryview, or a contiguous numpy array of bytes


class ChunkSpec(NamedTuple):
    """The shape, data type and fill value of an array at one point of the chain."""

    shape: tuple[int, ...]
    data_type: DataType
    fill: np.ndarray  # 0-d

    @property
    def nbytes(self) -> int | None:
        """Bytes of the array in memory; None if elements vary in length."""
        size = self.data_type.item_size
        return None if size is None else size * math.prod(self.shape)


_set = object.__setattr__  # not by way of `vars`: an object whose dictionary somebody asked for is slower ever after


class _Immutable(type):
    """Classes whose objects can be changed while `__init__` runs, and never after it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        _set(made, "_complete", True)
        return made


class Codec(metaclass=_Immutable):
    """Base of the three kinds: a name, and the configuration as it stands in the metadata.

    A class that declares fields (`IntegerField`, `Choice`, ... in `fields`) has their values as attributes, and takes
    no other members; one without declares ``fields = {}`` when it takes no configuration at all, and otherwise reads
    `configuration` itself.

    name           the name in the metadata; one class may serve several
    configuration  the ``configuration`` of the entry in ``codecs``, a dict of JSON
    """

    fields: ClassVar[dict[str, Field[Any]] | None] = None  # attribute -> field
    name: str
    configuration: dict[str, Any]
    _complete = False
    _required: ClassVar[frozenset[str]] = frozenset()
    _known: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        members = [item for base in reversed(cls.__mro__) for item in vars(base).items()]
        if declared := {attribute: field for attribute, field in members if isinstance(field, Field)}:
            cls.fields = declared
        fields = (cls.fields or {}).values()  # looked through here, and not each time that an array is opened
        cls._required = frozenset(field.key for field in fields if field.default is REQUIRED)
        cls._known = cls._required.union(field.key for field in fields)

    def __init__(self, name: str, configuration: dict[str, Any] | None = None) -> None:
        if not isinstance(name, str):
            raise MetadataError(
                f"codec: expected the codec's name, and then its configuration, found {short(name)}", key="codecs"
            )
        _set(self, "name", name)
        _set(self, "configuration", configuration or {})
        if self.fields is not None:
            found = self.members()
            if not (self._required.issubset(found) and self._known.issuperset(found)):
                self._refuse_members(found)
            for attribute, field in self.fields.items():
                _set(self, attribute, field.parse(self, found[field.key]) if field.key in found else field.default)

    def _refuse_members(self, found: dict[str, Any]) -> None:
        keys = [field.key for field in (self.fields or {}).values()]
        required = [key for key in keys if key in self._required]
        check_keys(self.name, found, required, [key for key in keys if key not in self._required])

    def members(self) -> dict[str, Any]:
        """Return the configuration under the names of the fields, for codecs that know a member by two names."""
        return self.configuration

    def __setattr__(self, attribute: str, value: Any) -> None:
        if self._complete:
            raise AttributeError(
                f"codec {self.name!r}: cannot set {attribute!r}, because a codec is immutable and may serve many "
                "threads and arrays; return a changed copy from bind(spec)"
            )
        super().__setattr__(attribute, value)

    def __delattr__(self, attribute: str) -> None:
        raise AttributeError(f"codec {self.name!r}: cannot delete {attribute!r}, because a codec is immutable")

    def changed(self, **attributes: Any) -> Self:
        """Return a codec of the same name and configuration with other values of some attributes."""
        other = copy.copy(self)
        vars(other).update(attributes)
        return other

    def bind(self, spec: ChunkSpec) -> Self:
        """Return the codec for chunks of `spec`: this one, or a copy with what it takes from `spec`.

        A codec of bytes gets the spec of the array that became the bytes. Raises MetadataError when the codec cannot
        be applied to such chunks.
        """
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the codec's entry in a v3 ``codecs`` list."""
        if self.configuration or self.name.startswith("numcodecs."):  # zarr-python insists on the member there
            return {"name": self.name, "configuration": self.configuration}
        return {"name": self.name}

    def fail(self, expected: str, found: Any) -> CodecError:
        """Return the error for bytes or arrays that this codec cannot handle."""
        return CodecError(f"codec {self.name!r}: expected {expected}, found {short(found)}", codec=self.name)

    def misfit(self, expected: str, found: Any) -> MetadataError:
        """Return the error for a configuration that is wrong, or does not fit what the codec is applied to."""
        return MetadataError(
            f"codec {self.name!r}: expected {expected}, found {short(found)}", key="codecs", codec=self.name
        )

    def needs(self, package: str) -> MissingDependencyError:
        """Return the error for an optional package that is not installed."""
        return MissingDependencyError(
            f"codec {self.name!r} needs the package {package}, which is not installed; try: pip install {package}",
            codec=self.name,
        )

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.configuration.items())})"


class ArrayArrayCodec(Codec):
    """Turns an array into an array, possibly of another shape or type. Both have native byte order."""

    moves_only = False  # True if elements only change their places: then they are decoded in any byte order

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        """Return the spec of the encoded array. Raises MetadataError if the codec cannot be applied."""
        return spec

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        """Return the encoded array; `spec` describes `array`."""
        raise NotImplementedError

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        """Return the decoded array; `spec` describes the result."""
        raise NotImplementedError


class ArrayBytesCodec(Codec):
    """Turns an array into bytes."""

    def check(self, spec: ChunkSpec) -> None:
        """Raise MetadataError if the codec cannot be applied to such an array."""

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        """Return how many bytes `encode` yields, if that is known beforehand, else None."""
        return None

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        """Return the bytes; `spec` describes `array`."""
        raise NotImplementedError

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        """Return the array, which may be a view of `data`; `spec` describes the result."""
        raise NotImplementedError


class BytesBytesCodec(Codec):
    """Turns bytes into bytes."""

    def check(self, spec: ChunkSpec) -> None:
        """Raise MetadataError if the codec cannot be applied; `spec` is what the array -> bytes codec sees."""

    def encoded_size(self, size: int) -> int | None:
        """Return how many bytes `encode` makes of `size` bytes, if that is known beforehand, else None."""
        return None

    def encode(self, data: Buffer) -> Buffer:
        """Return the encoded bytes."""
        raise NotImplementedError

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        """Return the decoded bytes. `size` is their number if the metadata says it; nothing larger is allocated."""
        raise NotImplementedError

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        """Decode into `out`, a contiguous array of bytes that must be filled exactly."""
        decoded = self.decode(data, out.nbytes)
        if memoryview(decoded).nbytes != out.nbytes:
            raise self.fail(f"{out.nbytes} bytes after decoding", memoryview(decoded).nbytes)
        out[:] = np.frombuffer(decoded, np.uint8)

    # Whether a small chunk is encoded in less time than it takes to read and write its file.
    quick: bool = False

    # A method, if several chunks are decoded faster together than one by one: it decodes each to a row of an array of
    # bytes, or returns False if these must be decoded one by one.
    decode_all_into: Callable[[Sequence[Buffer], np.ndarray], bool] | None = None
    # And one that encodes the rows of such an array, each to the bytes that `encode` gives; None for one by one.
    encode_all: Callable[[np.ndarray], Sequence[Buffer] | None] | None = None


def short(value: Any) -> str:
    """Return `value` as text for a message, shortened: an error about a huge document must not be huge itself."""
    text = str(value)
    return text if len(text) <= 300 else f"{text[:280]}... ({len(text)} characters)"


def as_bytes_view(array: np.ndarray) -> np.ndarray:
    """Return the bytes of an array as a 1-d array, without a copy if it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def is_fill(array: np.ndarray, fill: np.ndarray) -> bool:
    """Return whether every element equals the fill value bit for bit: -0.0 is not 0.0, and NaNs differ by payload.

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
