"""The filters of numcodecs: what Zarr v2 lists under ``filters``, and v3 knows as ``numcodecs.<id>``.

In v2 a filter sees a flat buffer in the chunk's own order; in v3 it sees an array. What they compute is the
same, and numcodecs computes it. The compressors and checksums among the ids have files of their own.

Spec: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html#filters
"""

from __future__ import annotations

import json
import math
import pickle
from contextlib import suppress
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.errors import CodecError, MissingDependencyError, UnsupportedError, ZarrError
from tutorial_zarr.metadata import Extension

from .base import ArrayArrayCodec, ArrayBytesCodec, Buffer, BytesBytesCodec, ChunkSpec, as_bytes_view, short
from .checked import FILTERS, Checked
from .registry import build, register, register_internal
from .rounding import FORMATS
from .zfp import check_loss

# id -> the package that numcodecs needs for it
EXTRA_PACKAGES = {"pcodec": "pcodec", "zfpy": "zfpy", "msgpack2": "msgpack", "msgpack": "msgpack"}
KEEPS_SHAPE = ("json2", "msgpack2", "pickle", "zfpy")  # these write the chunk's shape into the bytes
DTYPES = {"dtype", "astype", "encode_dtype", "decode_dtype"}  # the members of a filter that name types
COUNTED = ("vlen-utf8", "vlen-bytes", "vlen-array")  # these begin with the number of items


def numcodecs_codec(identifier: str, configuration: dict[str, Any]) -> Any:
    """The numcodecs object with that id and configuration."""
    try:
        import numcodecs
    except ImportError as cause:
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

    def encoded_size(self, spec: ChunkSpec) -> int | None:
        return self._sizes(spec)[-1]

    def _sizes(self, spec: ChunkSpec) -> list[int | None]:
        """Bytes before each filter and after the last; None where the metadata do not tell."""
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

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        count, identifier = math.prod(spec.shape), self.name
        sizes = self._sizes(spec)[:-1]
        for (identifier, codec), size in zip(reversed(self.filters), reversed(sizes), strict=True):
            try:
                if identifier in COUNTED:
                    check_count(data, count)
                if isinstance(codec, BytesBytesCodec):
                    data = codec.decode(data, size)
                elif identifier == "zfpy":
                    data = codec.decode(data, count)
                elif identifier == "pcodec":
                    data = decode_pcodec(data, count, self.stored)
                else:
                    data = LISTS[identifier](codec, data, count) if identifier in LISTS else codec.decode(data)
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


class AllowedPickle:
    """The object codec ``pickle``, for callers who said that they trust the writer."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol

    def encode(self, array: np.ndarray) -> bytes:
        """The pickle of an array."""
        return pickle.dumps(array, protocol=self.protocol)

    def decode(self, data: Buffer) -> Any:
        """The array in a pickle."""
        return pickle.loads(data)


class GuardedZfpy:
    """numcodecs' ``zfpy`` where it is safe: zfp reads and writes past the end of its buffers when it is misled."""

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
        """The array in a stream. It is decoded twice, with different bytes after its end, which must not matter."""
        stream = bytes(data)
        room = self._room(stream, count)
        array, again = (self.engine.decode(stream.ljust(room, fill)) for fill in (b"\0", b"\xff"))
        if array.tobytes() != again.tobytes():
            raise ValueError("expected a complete stream, found one that ends early")
        return array

    def _room(self, stream: bytes, count: int) -> int:
        """The most bytes that decoding can look at, from a header that is checked before zfp allocates by it."""
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
    """The array in a pcodec stream, decoded into memory of its size.

    The decoder that makes its own memory takes what the stream asks for, and ends the process where that is too
    much. This one wants to know the type: that of the array, unless a filter before it changed that.
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


def in_order(configuration: dict[str, Any], order: str) -> dict[str, Any]:
    """A filter's configuration, the types that it names in that byte order (``"<"`` or ``">"``).

    In v3 a filter sees numbers, whose byte order in memory is nobody's business; readers that look at it want ``<``.

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
    """v2's filters for elements of `stored`, each told the byte order in which it gets them.

    A filter of v2 sees bytes, and views them as the type that it is given: one for ``<i4`` takes 1 in ``>i4`` for
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


class NumcodecsFilter(ArrayArrayCodec):
    """A filter under its v3 name, such as ``numcodecs.delta``."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.identifier = name.removeprefix("numcodecs.")

        self._filters: dict[np.dtype, Checked] = {}

    def _filter(self, spec: ChunkSpec) -> Checked:
        """The filter for elements in native byte order, whatever order its configuration names.

        In v3 a filter turns numbers into numbers, and how they are stored is the business of the codec behind it.
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
    """``numcodecs.pcodec`` and ``numcodecs.zfpy``: from an array to bytes at once."""

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
    """``numcodecs.shuffle`` and ``numcodecs.base64``."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.identifier, self.options = name.removeprefix("numcodecs."), dict(configuration)

    def check(self, spec: ChunkSpec) -> None:
        if self.identifier == "shuffle" and not self.options.get("elementsize"):  # left out, or 0: the element's size
            self.options["elementsize"] = spec.data_type.item_size or 1

    def encoded_size(self, size: int) -> int | None:
        return size if self.identifier == "shuffle" else None

    def encode(self, data: Buffer) -> Buffer:
        return numcodecs_codec(self.identifier, self.options).encode(np.frombuffer(data, np.uint8))

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        return numcodecs_codec(self.identifier, self.options).decode(np.frombuffer(data, np.uint8))


register_internal("v2_filters", V2Filters)
register(
    [f"numcodecs.{i}" for i in ("delta", "fixedscaleoffset", "quantize", "astype", "bitround", "packbits")],
    NumcodecsFilter,
)
register(["numcodecs.pcodec", "numcodecs.zfpy"], NumcodecsArrayBytes)
register(["numcodecs.shuffle", "numcodecs.base64"], NumcodecsBytes)
