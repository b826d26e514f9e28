"""The filters of numcodecs as codecs of Zarr v3, ``numcodecs.<id>``. As ``filters`` of v2 they are in `codecs.filters`.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.codecs.base import (
    ArrayArrayCodec,
    ArrayBytesCodec,
    Buffer,
    BytesBytesCodec,
    ChunkSpec,
    as_bytes_view,
)
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.errors import ChecksumError, ZarrError

from .checked import Checked
from .numcodecs_engines import DTYPES, PCODEC_TYPES, GuardedZfpy, decode_pcodec, numcodecs_codec

if TYPE_CHECKING:
    from typing import Self


class NumcodecsFilter(ArrayArrayCodec):
    """The filters of numcodecs that turn numbers into numbers, with the configuration that numcodecs gives them.

    ``numcodecs.delta``: the differences of neighbours, as ``astype``.

        zarr.json   {"name": "numcodecs.delta", "configuration": {"dtype": "<i4", "astype": "<i2"}}
        .zarray     {"id": "delta", "dtype": "<i4", "astype": "<i2"}

    ``numcodecs.fixedscaleoffset``: ``(number - offset) * scale``, rounded.

        zarr.json   {"name": "numcodecs.fixedscaleoffset", "configuration":
                     {"offset": 0, "scale": 10, "dtype": "<f8", "astype": "<i2"}}
        .zarray     {"id": "fixedscaleoffset", "offset": 0, "scale": 10, "dtype": "<f8", "astype": "<i2"}

    ``numcodecs.quantize``: floats with ``digits`` decimal digits.

        zarr.json   {"name": "numcodecs.quantize", "configuration": {"digits": 2, "dtype": "<f8"}}
        .zarray     {"id": "quantize", "digits": 2, "dtype": "<f8", "astype": "<f8"}

    ``numcodecs.astype``: the same numbers in another type.

        zarr.json   {"name": "numcodecs.astype", "configuration": {"encode_dtype": "<i2", "decode_dtype": "<i4"}}
        .zarray     {"id": "astype", "encode_dtype": "<i2", "decode_dtype": "<i4"}

    ``numcodecs.bitround``: floats with ``keepbits`` bits of mantissa.

        zarr.json   {"name": "numcodecs.bitround", "configuration": {"keepbits": 10}}
        .zarray     {"id": "bitround", "keepbits": 10}

    ``numcodecs.packbits``: eight booleans in a byte, the first of them the most significant.

        zarr.json   {"name": "numcodecs.packbits", "configuration": {}}
        .zarray     {"id": "packbits"}
    """

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.identifier = name.removeprefix("numcodecs.")
        self._filters: dict[np.dtype, Checked] = {}

    def _filter(self, spec: ChunkSpec) -> Checked:
        """Return the filter for elements in native byte order, even if its configuration names the other one.

        In v3 a filter turns numbers into numbers; the codec after it decides how they are stored.
        """
        dtype = spec.data_type.numpy
        if dtype not in self._filters:
            configuration = dict(self.configuration)
            if self.identifier in ("delta", "fixedscaleoffset", "quantize"):
                configuration.setdefault("dtype", dtype.str)
            if self.identifier == "astype":
                configuration.setdefault("decode_dtype", dtype.str)
            for key in DTYPES & set(configuration):
                if configuration[key] is not None:
                    with suppress(TypeError):  # no dtype at all: numcodecs says so
                        configuration[key] = np.dtype(configuration[key]).newbyteorder("=").str
            engine = numcodecs_codec(self.identifier, configuration)
            self._filters[dtype] = Checked(self.name, engine)
        return self._filters[dtype]

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        try:
            codec = self._filter(spec)
            if self.identifier == "packbits":
                if spec.data_type.numpy.kind != "b":
                    raise self.misfit("booleans", spec.data_type.name)
                size = math.prod(spec.shape)
                return ChunkSpec((1 + -(-size // 8),), dtypes.from_json("uint8"), np.zeros((), "u1"))
            fill = codec.fill(spec.fill)
        except ZarrError as error:
            raise self.misfit("a configuration that numcodecs takes", error.message) from error
        except Exception as cause:
            raise self.misfit(f"arrays that it can encode, not {spec.data_type.name}", str(cause)) from cause
        return ChunkSpec(spec.shape, dtypes.from_numpy(fill.dtype), fill)

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        encoded = np.asarray(self._filter(spec).encode(np.ascontiguousarray(array)))
        return encoded.reshape(-1) if self.identifier == "packbits" else encoded.reshape(spec.shape)

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        decoded = np.asarray(self._filter(spec).decode(np.ascontiguousarray(array)))
        return decoded.reshape(-1).view(spec.data_type.numpy).reshape(spec.shape)


class NumcodecsArrayBytes(ArrayBytesCodec):
    """The codecs of numcodecs that turn an array into bytes.

    ``numcodecs.pcodec``: lossless, for columns of numbers.

        zarr.json   {"name": "numcodecs.pcodec", "configuration": {"level": 8}}
        .zarray     {"id": "pcodec", "level": 8}

    ``numcodecs.zfpy``: zfp behind a header. The mode 4 keeps a tolerance, 3 a precision, 2 a rate.

        zarr.json   {"name": "numcodecs.zfpy", "configuration": {"mode": 4, "tolerance": 0.01}}
        .zarray     {"id": "zfpy", "mode": 4, "tolerance": 0.01}
    """

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.identifier = name.removeprefix("numcodecs.")

    def check(self, spec: ChunkSpec) -> None:
        dtype = spec.data_type.numpy
        types = PCODEC_TYPES if self.identifier == "pcodec" else tuple(map(np.dtype, ("i4", "i8", "f4", "f8")))
        if dtype not in types:
            raise self.misfit(f"elements of {', '.join(sorted(map(str, types)))}", spec.data_type.name)

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        engine = numcodecs_codec(self.identifier, self.configuration)
        return (GuardedZfpy(engine) if self.identifier == "zfpy" else engine).encode(np.ascontiguousarray(array))

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        engine = numcodecs_codec(self.identifier, self.configuration)
        if self.identifier == "zfpy":
            decoded = GuardedZfpy(engine).decode(data, math.prod(spec.shape))
            if decoded.dtype != spec.data_type.numpy:
                raise self.fail(f"a stream of {spec.data_type.name}", f"one of {decoded.dtype}")
        else:
            decoded = decode_pcodec(data, math.prod(spec.shape), spec.data_type.numpy)
        raw = as_bytes_view(decoded)
        if raw.nbytes != spec.nbytes:
            raise self.fail(f"{spec.nbytes} bytes for a chunk of shape {spec.shape}", raw.nbytes)
        return raw.view(spec.data_type.numpy).reshape(spec.shape)


class NumcodecsBytes(BytesBytesCodec):
    """The codecs of numcodecs that turn bytes into bytes and compress nothing.

    ``numcodecs.shuffle``: the first bytes of all elements, then the second ones, and so on. The size of an element
    that is left out, or 0, is that of the array's.

        zarr.json   {"name": "numcodecs.shuffle", "configuration": {"elementsize": 4}}
        .zarray     {"id": "shuffle", "elementsize": 4}

    ``numcodecs.base64``: bytes as text.

        zarr.json   {"name": "numcodecs.base64", "configuration": {}}
        .zarray     {"id": "base64"}
    """

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.identifier, self._options = name.removeprefix("numcodecs."), dict(configuration)

    def bind(self, spec: ChunkSpec) -> Self:
        if self.identifier != "shuffle" or self._options.get("elementsize"):
            return self
        return self.changed(_options={**self._options, "elementsize": spec.data_type.item_size or 1})

    def encoded_size(self, size: int) -> int | None:
        return size if self.identifier == "shuffle" else None

    def encode(self, data: Buffer) -> Buffer:
        return numcodecs_codec(self.identifier, self._options).encode(np.frombuffer(data, np.uint8))

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        return numcodecs_codec(self.identifier, self._options).decode(np.frombuffer(data, np.uint8))


class JenkinsLookup3(BytesBytesCodec):
    """``numcodecs.jenkins_lookup3``: a 32-bit hash behind the data. It starts with a number and a prefix of bytes.

    zarr.json   {"name": "numcodecs.jenkins_lookup3", "configuration": {"initval": 0, "prefix": [1, 2, 3]}}
    .zarray     {"id": "jenkins_lookup3", "initval": 0, "prefix": null}
    """

    initval: Field[Any] = Field(0)
    prefix: Field[Any] = Field(None)

    def encoded_size(self, size: int) -> int | None:
        return size + 4

    def _engine(self) -> Any:
        prefix = bytes(self.prefix) if isinstance(self.prefix, list) else self.prefix
        return numcodecs_codec(self.name.removeprefix("numcodecs."), {"initval": self.initval, "prefix": prefix})

    def encode(self, data: Buffer) -> Buffer:
        return self._engine().encode(bytes(data))

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        try:
            return self._engine().decode(bytes(data))
        except RuntimeError as cause:
            raise ChecksumError(f"codec {self.name!r}: {cause}", codec=self.name) from cause


register(
    [f"numcodecs.{i}" for i in ("delta", "fixedscaleoffset", "quantize", "astype", "bitround", "packbits")],
    NumcodecsFilter,
)
register(["numcodecs.pcodec", "numcodecs.zfpy"], NumcodecsArrayBytes)
register(["numcodecs.shuffle", "numcodecs.base64"], NumcodecsBytes)
register("numcodecs.jenkins_lookup3", JenkinsLookup3)
