"""``zfp``: compressed integers and floats, mostly lossy, in blocks of 4 x 4 x ... elements; without a header.

Every mode sets four limits for a block: the least and the most bits, the number of bit planes, and the lowest power of
two. The Python functions of the package zfpy take only some of these, and do not say how much of a stream they read;
so this file calls the C library in zfpy. Its buffers are as large as the limits allow, so that neither damaged nor
forged bytes make it read beyond their end.

``numcodecs.zfpy``, whose streams begin with a header, is in `filters`.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/zfp
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr.codecs.base import ArrayBytesCodec, Buffer, ChunkSpec
from tutorial_zarr.codecs.fields import IntegerField, check_keys
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.numbers import Float, Integer
from tutorial_zarr.errors import MissingDependencyError

from .rounding import FORMATS, Format

MODES = {
    "reversible": (),
    "expert": ("minbits", "maxbits", "maxprec", "minexp"),
    "fixed_accuracy": ("tolerance",),
    "fixed_rate": ("rate",),
    "fixed_precision": ("precision",),
}
# numpy dtype of a field: zfp's number for it, and the bits in front of a block's values, lossy and reversible
FIELDS = {"int32": (1, 0, 5), "int64": (2, 0, 6), "float32": (3, 9, 15), "float64": (4, 12, 19)}
MAX_BITS, MAX_PREC, MIN_EXP = 16658, 64, -1074  # zfp's own: "no limit"; a smaller exponent means reversible


class ZfpParameters(NamedTuple):
    """What zfp may write for a block of values."""

    minbits: int
    maxbits: int
    maxprec: int
    minexp: int


class Zfp(ArrayBytesCodec):
    """``zfp``: compressed blocks of numbers. The mode says what is limited, and which members it takes.

    zarr.json   {"name": "zfp", "configuration": {"mode": "reversible"}}
    zarr.json   {"name": "zfp", "configuration": {"mode": "fixed_accuracy", "tolerance": 0.01}}
    zarr.json   {"name": "zfp", "configuration": {"mode": "fixed_rate", "rate": 10.5}}
    zarr.json   {"name": "zfp", "configuration": {"mode": "fixed_precision", "precision": 19}}
    zarr.json   {"name": "zfp", "configuration":
                 {"mode": "expert", "minbits": 1, "maxbits": 13, "maxprec": 19, "minexp": -2}}
    """

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        mode = configuration.get("mode")
        if not isinstance(mode, str) or mode not in MODES:
            raise self.misfit(f"mode of {', '.join(MODES)}", repr(mode))
        check_keys(name, configuration, required=("mode", *MODES[mode]))
        self.mode = mode
        for key in MODES[mode]:
            value = configuration[key]
            if key in ("tolerance", "rate"):
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not number or not 0 <= value <= sys.float_info.max:
                    raise self.misfit(f"{key} as a number of at least 0", repr(value))
            else:
                least = -(1 << 31) if key == "minexp" else 0
                IntegerField(least, (1 << 31) - 1, key=key).parse(self, value)

    def _field(self, data_type: DataType) -> str:
        """The zfp type that holds a data type: narrow integers become int32, narrow floats float32."""
        dtype = data_type.numpy
        if isinstance(data_type, Integer):
            return "int64" if dtype.itemsize == 8 else "int32"
        if isinstance(data_type, Float):
            return "float64" if dtype.itemsize == 8 else "float32"
        raise self.misfit("integers or floats", data_type.name)

    def _limits(self, spec: ChunkSpec) -> ZfpParameters:
        """The limits of the mode. Raises MetadataError for those that zfp cannot keep, where it would overrun."""
        field, options = self._field(spec.data_type), self.configuration
        if self.mode == "reversible":
            return ZfpParameters(1, MAX_BITS, MAX_PREC, MIN_EXP - 1)
        if self.mode == "fixed_precision":
            return ZfpParameters(1, MAX_BITS, min(options["precision"], MAX_PREC) or MAX_PREC, MIN_EXP)
        if self.mode == "fixed_accuracy":
            exponent = math.frexp(options["tolerance"])[1] - 1 if options["tolerance"] else MIN_EXP
            return ZfpParameters(1, MAX_BITS, MAX_PREC, exponent)
        if self.mode == "fixed_rate":
            values, least = 4 ** max(len(spec.shape), 1), max(FIELDS[field][1], 1) if field[0] == "f" else 0
            bits = max(math.floor(values * min(options["rate"], MAX_BITS) + 0.5), least)
            if not 1 <= bits <= MAX_BITS:
                raise self.misfit(f"a rate of {0.5 / values} to {MAX_BITS / values}", options["rate"])
            return ZfpParameters(bits, bits, MAX_PREC, MIN_EXP)
        return self._expert(spec, FIELDS[field])

    def _expert(self, spec: ChunkSpec, field: tuple[Any, ...]) -> ZfpParameters:
        """The limits of the expert mode, which names all four."""
        options = self.configuration
        exponent = max(-1 << 15, min(options["minexp"], 1 << 15))  # beyond any float's, and within zfp's arithmetic
        limits = ZfpParameters(options["minbits"], options["maxbits"], options["maxprec"], exponent)
        least = field[2] if limits.minexp < MIN_EXP else max(field[1], 1)
        if limits.minexp < MIN_EXP and limits.minbits > 1:  # zfp leaves blocks of zeros short, and does not read them
            raise self.misfit(f"minbits of at most 1 where minexp, below {MIN_EXP}, means reversible", limits.minbits)
        if not max(limits.minbits, least) <= limits.maxbits:
            raise self.misfit(f"maxbits of at least minbits and {least} for {spec.data_type.name}", limits.maxbits)
        if not 1 <= limits.maxprec <= MAX_PREC:
            raise self.misfit(f"maxprec from 1 to {MAX_PREC}", limits.maxprec)
        return limits

    def _size(self, spec: ChunkSpec) -> tuple[int, int]:
        """The least and the most bits that a chunk takes."""
        limits, field = self._limits(spec), self._field(spec.data_type)
        reversible = limits.minexp < MIN_EXP
        ndim, width = max(len(spec.shape), 1), int(field[-2:])
        blocks = math.prod(-(-n // 4) for n in spec.shape)
        # Of n values, each plane takes n bits at most, and finding where a value begins one bit more, once a value.
        planes = width if reversible else min(limits.maxprec, width)
        most = FIELDS[field][2 if reversible else 1] + 4**ndim - 1 + 4**ndim * planes
        return blocks * max(limits.minbits, 1), blocks * max(min(most, limits.maxbits), limits.minbits)

    def check(self, spec: ChunkSpec) -> None:
        if len(spec.shape) > 4:
            raise self.misfit("at most 4 dimensions; try reshape before it", f"{len(spec.shape)} dimensions")
        self._limits(spec)

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        if not array.size:
            return b""
        values = promote(self, np.ascontiguousarray(array).reshape(-1), spec.data_type, self._field(spec.data_type))
        buffer = np.zeros(_room(self._size(spec)[1]), np.uint8)
        encoded = buffer[: self._run("zfp_compress", values, buffer, spec)]
        limits, name = self._limits(spec), spec.data_type.name
        if limits.minexp >= MIN_EXP:
            form = FORMATS.get(name)
            width = spec.data_type.bits or 8 * array.itemsize
            kept = limits.maxprec >= width and limits.maxbits >= width * 4 ** max(array.ndim, 1)
            tolerance = self.configuration.get("tolerance")
            check_loss(self.fail, array, form, lambda: self.decode(encoded, spec), tolerance, kept)
        return encoded

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        stored, count = memoryview(data).nbytes, math.prod(spec.shape)
        if not count:
            return np.empty(spec.shape, spec.data_type.numpy)
        least, most = self._size(spec)
        if not least <= 8 * stored <= 8 * _room(most):  # before anything is allocated for it
            raise self.fail(f"{-(-least // 8)} to {_room(most)} bytes for a chunk of shape {spec.shape}", stored)
        buffer = np.zeros(_room(most), np.uint8)
        buffer[:stored] = np.frombuffer(data, np.uint8)
        values = np.empty(count, self._field(spec.data_type))
        used = self._run("zfp_decompress", values, buffer, spec)
        if used != stored:
            raise self.fail(f"{used} bytes, as the blocks of the chunk take", f"{stored} bytes")
        return demote(values, spec.data_type).reshape(spec.shape)

    def _run(self, function: str, values: np.ndarray, buffer: np.ndarray, spec: ChunkSpec) -> int:
        """Call zfp_compress or zfp_decompress; returns how many bytes of the buffer it used."""
        zfp, shape = _library(self.name), spec.shape[::-1] or (1,)
        kind = FIELDS[self._field(spec.data_type)][0]
        bits = zfp.stream_open(buffer.ctypes.data, buffer.nbytes)
        stream = zfp.zfp_stream_open(bits)
        field = getattr(zfp, f"zfp_field_{len(shape)}d")(values.ctypes.data, kind, *shape)
        try:
            if not zfp.zfp_stream_set_params(stream, *self._limits(spec)):
                raise self.fail("limits that zfp takes", self._limits(spec))
            used = getattr(zfp, function)(stream, field)
        finally:
            zfp.zfp_field_free(field)
            zfp.zfp_stream_close(stream)
            zfp.stream_close(bits)
        if not used:
            raise self.fail("a chunk that zfp can handle", "an error of zfp")
        return used


def _room(bits: int) -> int:
    """Return the size in bytes of a buffer for `bits` bits: zfp works in units of 8 bytes, and may read one more."""
    return (bits + 63) // 64 * 8 + 8


def check_loss(
    fail: Callable[[str, Any], Exception],
    array: np.ndarray,
    form: Format | None,
    decode: Callable[[], np.ndarray],
    tolerance: float | None,
    kept: bool,
) -> None:
    """Refuse what a lossy mode would turn into other numbers than those that it was asked for.

    Of floats: NaN, infinity, what overflows, and what misses the tolerance because far greater ones are beside it. Of
    integers (`form` is None): what misses the tolerance, which zfp does not heed there; what does not come back though
    all bits were to be `kept`; else what is not half right, as zfp counts the bits of an integer from the first that
    its type has, and overflows at the last two. The extremes of floats settle nearly always that nothing can happen;
    else `decode` tells.
    """
    least, greatest = float(array.min()), float(array.max())
    size = max(-least, greatest)
    if form is not None:
        for end in (least, greatest):
            if not math.isfinite(end):
                raise fail("finite numbers", f"{end}; try the mode reversible, or other numbers in their place")
        near = tolerance is None or size * 2.0 ** (5 - form.bits) <= tolerance
        if 4 * size <= form.largest and near and form.bits >= 8:
            return
    decoded = decode().reshape(array.shape)
    bad, expected = _lost(array, decoded, form, tolerance, size, kept)
    if bad.any():
        place = np.unravel_index(bad.argmax(), array.shape)
        raise fail(expected, f"{array[place]}, which would be read as {decoded[place]}; try the mode reversible")


def _lost(
    array: np.ndarray, decoded: np.ndarray, form: Format | None, tolerance: float | None, size: float, kept: bool
) -> tuple[np.ndarray, str]:
    """Return where a lossy mode broke its promise, and the promise in words."""
    values = array.astype("f8")
    error = np.abs(decoded.astype("f8") - values)
    if tolerance is not None:
        rounding = 0.0 if form is None else np.abs(values) * 2.0 ** (1 - form.bits)
        return ~(error <= tolerance + rounding), f"numbers that come back within the tolerance {tolerance}"
    if form is not None:
        return ~np.isfinite(error), f"numbers up to {form.largest:.17g} after decoding"
    if kept:
        return decoded != array, "integers that come back as they are"
    return error > size / 2, "integers that come back about as they are"


def promote(codec: Zfp, array: np.ndarray, data_type: DataType, field: str) -> np.ndarray:
    """The values as zfp takes them: narrow integers in the upper bits, around zero, as zfp_promote_* has it.

    The specification says nothing of uint32 and uint64, which zfp does not have. They are stored as signed
    integers of the same value, as zarrs does; values that do not fit are refused, where zarrs changes them.
    """
    if not isinstance(data_type, Integer):
        return array.astype(field, copy=False)
    if data_type.numpy.itemsize >= 4:
        if data_type.least == 0 and array.max() > np.iinfo(field).max:
            raise codec.fail(f"values up to {np.iinfo(field).max}, because zfp has no {data_type.name}", array.max())
        return array.astype(field, copy=False)
    width = data_type.bits or data_type.numpy.itemsize * 8
    middle = 1 << (width - 1) if data_type.least == 0 else 0
    return (array.astype("int32") - middle) << (31 - width)


def demote(values: np.ndarray, data_type: DataType) -> np.ndarray:
    """The reverse; values that lost precision and left the data type's range are brought back to its ends."""
    if not isinstance(data_type, Integer):
        with np.errstate(all="ignore"):
            return values.astype(data_type.numpy, copy=False)
    if data_type.numpy.itemsize >= 4:
        return (np.maximum(values, 0) if data_type.least == 0 else values).astype(data_type.numpy, copy=False)
    width = data_type.bits or data_type.numpy.itemsize * 8
    middle = 1 << (width - 1) if data_type.least == 0 else 0
    whole = (values >> (31 - width)) + middle
    return np.clip(whole, data_type.least, data_type.greatest).astype(data_type.numpy)


@cache
def _library(name: str) -> Any:
    """The C library, whose functions zfpy's own module is linked to."""
    import ctypes

    try:
        import zfpy
    except ImportError as cause:
        raise MissingDependencyError(
            f"codec {name!r} needs the package zfpy, which is not installed; try: pip install zfpy", codec=name
        ) from cause
    library = ctypes.CDLL(zfpy.__file__)
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    try:
        calls: tuple[tuple[Any, ...], ...] = (
            ("stream_open", pointer, pointer, size),
            ("stream_close", None, pointer),
            ("zfp_stream_open", pointer, pointer),
            ("zfp_stream_close", None, pointer),
            ("zfp_stream_set_params", ctypes.c_int, pointer, *[ctypes.c_uint] * 3, ctypes.c_int),
            *((f"zfp_field_{n}d", pointer, pointer, ctypes.c_int, *[size] * n) for n in (1, 2, 3, 4)),
            ("zfp_field_free", None, pointer),
            ("zfp_compress", size, pointer, pointer),
            ("zfp_decompress", size, pointer, pointer),
        )
        for function, result, *arguments in calls:
            call = getattr(library, function)
            call.restype, call.argtypes = result, arguments
    except AttributeError as cause:  # linked into the module, as in the wheels for Windows
        raise MissingDependencyError(
            f"codec {name!r} needs zfp as a shared library, which this build of zfpy does not bring; "
            "try the one of conda-forge",
            codec=name,
        ) from cause
    return library


register("zfp", Zfp)
