"""The filters of numcodecs that turn numbers into numbers, and whether those they are given come back.

numcodecs casts without a look: a NaN becomes 0, what is too large another number. Here such a number is an error, by
the rule for every codec that loses: it may round as its configuration says, and otherwise a number that does not fit
is refused. What is stored are the bytes that numcodecs makes. As far as possible the extremes alone are looked at.

    delta              comes back to the bit, or is refused; also where floats would be rounded
    fixedscaleoffset   finite (for integers), in range after rounding, and in range again on the way back
    quantize           finite numbers stay finite
    astype             floats may be rounded; anything else comes back as it was
    bitround           finite numbers stay finite; NaN and infinity keep their bits
    packbits           false and true
    categorize         the labels, and the empty string
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.codecs.base import short
from tutorial_zarr.errors import CodecError

from .bitround import round_floats

EXACT = 1 << 53  # greater integers are not all float64


class Checked:
    """A filter that refuses what would come back as something else."""

    def __init__(self, name: str, engine: Any) -> None:
        self.name, self.identifier, self.engine = name, name.removeprefix("numcodecs."), engine
        takes, makes = ("decode_dtype", "encode_dtype") if self.identifier == "astype" else ("dtype", "astype")
        self.takes: np.dtype | None = getattr(engine, takes, None)
        self.makes: np.dtype | None = getattr(engine, makes, None)

    def encode(self, array: np.ndarray) -> np.ndarray:
        """What numcodecs makes of a contiguous array. Raises CodecError where it would not come back."""
        values = self._taken(array)
        with np.errstate(all="ignore"):
            return FILTERS[self.identifier](self, values)

    def fill(self, value: np.ndarray) -> np.ndarray:
        """The fill value, encoded. It may be one that cannot be stored: then nothing that is stored holds it."""
        one = value.reshape(1)
        try:
            encoded = self.encode(one)
        except CodecError:
            with np.errstate(all="ignore"):
                encoded = self.engine.encode(one)
        return np.asarray(encoded).reshape(-1)[0:1].reshape(())

    def decode(self, data: Any) -> Any:
        """What numcodecs makes of it."""
        return self.engine.decode(data)

    def _taken(self, array: np.ndarray) -> np.ndarray:
        """The elements as the type that the configuration names, where that means the same numbers."""
        if self.takes is None or array.dtype == self.takes:
            return array
        whole = array.dtype.kind in "biumM" and self.takes.kind in "biumM" and array.itemsize == self.takes.itemsize
        alike = array.dtype.isnative == self.takes.isnative or self.identifier == "delta"  # which adds modulo 2**n
        if not (whole and alike):
            raise self.misfit(f"elements of the type {self.takes.str} that its configuration names", array.dtype.str)
        return array.view(self.takes)

    def misfit(self, expected: str, found: Any, remedy: str = "") -> CodecError:
        """The error for what cannot be stored."""
        text = f"codec {self.name!r}: expected {expected}, found {short(found)}"
        return CodecError(text + (f"; try {remedy}" if remedy else ""), codec=self.name)

    def refuse(self, bad: np.ndarray, values: np.ndarray, expected: str, remedy: str = "") -> None:
        """Raise for the first of `values` that is bad, if there is one."""
        if bad.any():
            raise self.misfit(expected, values.reshape(-1)[bad.reshape(-1).argmax()], remedy)


def _check_steps(codec: Checked, values: np.ndarray, makes: np.dtype) -> None:
    """Refuse neighbours whose difference does not fit the type that it is stored as."""
    steps, (low, high) = np.diff(values.reshape(-1)), _range(makes)
    if steps.min() < low or steps.max() > high:
        bad = np.concatenate([[False], (steps < low) | (steps > high)])
        codec.refuse(bad, values, f"values whose differences are {low} to {high}, for {makes}", "a wider astype")


def _delta(codec: Checked, values: np.ndarray) -> np.ndarray:
    takes, makes = values.dtype, codec.engine.astype
    if takes.kind not in "iufc" or makes.kind not in "iufc":
        other = f"dtype and astype as integers of {takes.itemsize} bytes" if takes.kind in "bmM" else ""
        raise codec.misfit("integers or floats", f"{takes} stored as {makes}", other)
    try:
        encoded = codec.engine.encode(values)
    except OverflowError as cause:
        raise codec.misfit(f"a first value in the range of {makes}", values.flat[0], "a wider astype") from cause
    if takes.kind in "iu" and makes.kind == takes.kind:
        if makes.itemsize < takes.itemsize and values.size > 1:
            _check_steps(codec, values, makes)
        return encoded  # modulo 2**n, so exact
    try:
        decoded = codec.decode(encoded)
    except TypeError as cause:  # sums that numpy casts into no such type
        raise codec.misfit("types that can be decoded again", f"{takes} stored as {makes}") from cause
    remedy = "a wider astype" if takes.kind in "iu" else "numcodecs.quantize in front of it, or no delta"
    codec.refuse(decoded != values.reshape(-1), values, f"values whose differences, as {makes}, add up to them", remedy)
    return encoded


def _fixed_scale_offset(codec: Checked, values: np.ndarray) -> np.ndarray:
    takes, makes, offset, scale = values.dtype, codec.engine.astype, codec.engine.offset, codec.engine.scale
    if takes.kind not in "biuf" or makes.kind not in "biuf":
        raise codec.misfit("integers or floats", f"{takes} stored as {makes}")
    if not (np.isfinite(scale) and np.isfinite(offset) and scale != 0):
        raise codec.misfit("a finite offset, and a finite scale other than 0", f"{offset} and {scale}")
    whole, finite = takes.kind != "f", values
    if not whole and makes.kind == "f" and not (kept := np.isfinite(values)).all():
        finite = values[kept]  # the others come back as they are
        if not finite.size:
            return codec.engine.encode(values)
    least, greatest = _check_end(codec, finite.min()), _check_end(codec, finite.max())
    encoded = codec.engine.encode(values) if least and greatest else _scaled(codec, values)
    _check_fractions(codec, values, encoded)
    return encoded


def _check_fractions(codec: Checked, values: np.ndarray, encoded: np.ndarray) -> None:
    """Refuse integers that decoding, which cuts fractions off, would make others than rounding does."""
    offset, scale = codec.engine.offset, codec.engine.scale
    if values.dtype.kind != "f" and (offset % 1 or scale % 1):
        error = np.abs(codec.decode(encoded).astype("f8") - values.reshape(-1))
        codec.refuse(error > 0.5 / abs(scale), values, f"integers that come back within {0.5 / abs(scale):.3g}")


def _scaled(codec: Checked, values: np.ndarray) -> np.ndarray:
    """What numcodecs would make of integers if it did not compute in their own type, where these would wrap around."""
    shifted = values.reshape(-1).astype("f8") - codec.engine.offset
    return np.around(shifted * codec.engine.scale).astype(codec.engine.astype)


def _check_end(codec: Checked, end: Any) -> bool:
    """Refuse an extreme value that cannot be scaled and come back; return whether numpy can in the value's own type."""
    takes, makes, offset, scale = end.dtype, codec.engine.astype, codec.engine.offset, codec.engine.scale
    whole = takes.kind != "f"
    (low, high), (least, most) = _range(takes), _range(makes, whole or makes.itemsize < takes.itemsize)
    if not np.isfinite(end):
        raise codec.misfit(f"finite numbers, to be stored as {makes}", end)
    shifted = int(end) - offset if whole else end - offset
    stored = float(np.around(float(shifted * scale)))
    if not least <= stored <= most:
        raise codec.misfit(f"numbers from {least:.17g} to {most:.17g} after scaling, for {makes}", end)
    if not low <= stored / scale + offset <= high or (whole and max(abs(int(end)), abs(stored)) > EXACT):
        raise codec.misfit(f"numbers that come back within {takes}", end)
    return not whole or all(low <= step <= high for step in (offset, scale, shifted, shifted * scale))


def _range(dtype: np.dtype, exact: bool = False) -> tuple[float, float]:
    """The least and the greatest number of a type; of a float that is to hold every integer, the greatest of those."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        info = np.finfo(dtype)
        most = float(2 ** (info.nmant + 1)) if exact else float(info.max)
        return -most, most
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _quantize(codec: Checked, values: np.ndarray) -> np.ndarray:
    encoded = codec.engine.encode(values)
    _stay_finite(codec, values, encoded)
    return encoded


def _stay_finite(codec: Checked, values: np.ndarray, encoded: np.ndarray) -> None:
    parts = encoded.view(encoded.real.dtype)
    if not np.isfinite(parts.min()) or not np.isfinite(parts.max()):
        lost = ~np.isfinite(encoded) & (encoded != values) & ~(np.isnan(encoded) & np.isnan(values))
        codec.refuse(lost, values, f"numbers in the range of {encoded.dtype} after rounding", "a wider type")


def _astype(codec: Checked, values: np.ndarray) -> np.ndarray:
    takes, makes = values.dtype, codec.engine.encode_dtype
    if takes.kind in "iu" and makes.kind in "iu":
        (low, high), ends = _range(makes), (values.min(), values.max())
        for end in ends if not np.can_cast(takes, makes) else ():
            if not low <= int(end) <= high:
                raise codec.misfit(f"numbers from {low} to {high}, for {makes}", end, "a wider encode_dtype")
        return codec.engine.encode(values)
    if takes.kind == "c" and makes.kind != "c":
        codec.refuse(values.imag != 0, values, f"numbers without an imaginary part, for {makes}")
        real = values.real if makes.kind == "f" else values.real.astype(np.float64)
        encoded = real.astype(makes)
    else:
        encoded = codec.engine.encode(values)
    if takes.kind in "fc" and makes.kind in "fc":
        _stay_finite(codec, values, encoded)
        return encoded
    _check_return(codec, values, encoded)
    return encoded


def _check_return(codec: Checked, values: np.ndarray, encoded: np.ndarray) -> None:
    """Refuse what another type does not give back."""
    takes, makes = values.dtype, encoded.dtype
    if np.can_cast(takes, makes) and makes.kind not in "fcUSmM":
        return
    decoded = encoded if takes.kind == "f" and makes.kind in "iu" else codec.decode(encoded)
    same = decoded == values
    if takes.kind in "mM":
        same |= np.isnat(decoded) & np.isnat(values)
    whole = "whole numbers in the range of " if takes.kind == "f" else "values that come back from "
    codec.refuse(~same, values, f"{whole}{makes}", "fixedscaleoffset to round" if takes.kind == "f" else "")


def _bitround(codec: Checked, values: np.ndarray) -> np.ndarray:
    bits, keepbits = {"f2": 10, "f4": 23, "f8": 52}.get(values.dtype.str[1:]), codec.engine.keepbits
    if bits is None or keepbits > bits:
        raise codec.misfit(f"floats of 16 to 64 bits that have the {keepbits} bits to keep", values.dtype)
    if keepbits == bits:
        return values
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    rounded, lost = round_floats(native, bits - keepbits)
    if lost is not None:
        codec.refuse(lost, values, f"numbers in the range of {native.dtype} after rounding", "more keepbits")
    return rounded.view(f"i{native.itemsize}").astype(values.dtype.str.replace("f", "i"), copy=False)


def _packbits(codec: Checked, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "b":
        codec.refuse((values.view("u1") > 1).reshape(values.size, -1).any(axis=1), values, "booleans")
    return codec.engine.encode(values)


def _categorize(codec: Checked, values: np.ndarray) -> np.ndarray:
    encoded = codec.engine.encode(values)
    if not encoded.all():  # 0 stands for the empty string, and for whatever is no label
        known = f"one of the labels {short(codec.engine.labels)}, or an empty string"
        codec.refuse((encoded == 0) & (values.reshape(-1) != ""), values, known, "a label for it")
    return encoded


FILTERS: dict[str, Callable[[Checked, np.ndarray], np.ndarray]] = {
    "delta": _delta,
    "fixedscaleoffset": _fixed_scale_offset,
    "quantize": _quantize,
    "astype": _astype,
    "bitround": _bitround,
    "packbits": _packbits,
    "categorize": _categorize,
}
