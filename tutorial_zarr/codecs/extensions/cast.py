"""``cast_value``: the same numbers in another data type.

An element that ``scalar_map`` names becomes what it says there. Any other is rounded if need be, and then must be
in the range of the new type, unless ``out_of_range`` says what happens to it. Decoding goes by the same rules in
the other direction. How a number is rounded stands in `rounding`.

>>> codec = CastValue("cast_value", {"data_type": "uint8", "scalar_map": {"encode": [["NaN", 255]]}})
>>> spec = ChunkSpec((3,), dtypes.from_json("float64"), np.array(0.0))
>>> codec.encode(np.array([2.5, 3.5, np.nan]), spec)
array([  2,   4, 255], dtype=uint8)

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/cast_value
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.codecs.base import ArrayArrayCodec, ChunkSpec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes.numbers import Float, Integer
from tutorial_zarr.errors import CodecError, MetadataError

from .rounding import FORMATS, ROUNDINGS, integers_to_format, is_real, to_format, to_whole, widened


class _Real(Field[dtypes.DataType]):
    """A data type of real numbers."""

    def parse(self, codec: Any, value: Any) -> dtypes.DataType:
        try:
            data_type = dtypes.from_json(value)
        except MetadataError as error:
            raise type(error)(f"codec {codec.name!r}: {error.message}", **error.fields) from error
        codec.check_real(data_type)
        return data_type


class CastValue(ArrayArrayCodec):
    """``cast_value``: the same numbers in another data type, here floats as bytes, of which 255 means NaN.

    zarr.json   {"name": "cast_value", "configuration":
                 {"data_type": "uint8", "rounding": "towards-zero", "out_of_range": "clamp",
                  "scalar_map": {"encode": [["NaN", 255]], "decode": [[255, "NaN"]]}}}
    """

    data_type = _Real()
    rounding: Field[str] = Field(
        "nearest-even", f"rounding as one of {', '.join(ROUNDINGS)}", lambda value: value in ROUNDINGS
    )
    out_of_range: Field[str | None] = Field(
        None, "out_of_range as 'clamp' or 'wrap', or absent", lambda value: value in ("clamp", "wrap")
    )
    scalar_map: Field[dict[str, Any]] = Field(
        {},
        "scalar_map as an object with 'encode' or 'decode' or both",
        lambda value: isinstance(value, dict) and set(value) <= {"encode", "decode"},
    )

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        if self.out_of_range == "wrap" and not isinstance(self.data_type, Integer):
            raise self.misfit("an integer data_type for out_of_range 'wrap'", repr(self.data_type.name))
        for pairs in self.scalar_map.values():
            if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
                raise self.misfit("scalar_map with lists of pairs [input, output]", repr(pairs))
        self._maps: dict[Any, tuple[np.ndarray, np.ndarray]] = {}

    def check_real(self, data_type: dtypes.DataType) -> None:
        """Refuse a data type that is not of real numbers."""
        if not is_real(data_type):
            raise self.misfit("a data type of integers or floats", repr(data_type.name))

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        self.check_real(spec.data_type)
        for direction in ("encode", "decode"):
            self._map(direction, spec.data_type)
        fill = spec.data_type.fill_to_json(spec.fill)
        survives = f"a fill value that survives the cast to {self.data_type.name!r} and back"
        try:
            encoded = self.encode(spec.fill, spec)
            decoded = self.decode(encoded, spec)
        except CodecError as error:
            raise self.misfit(survives, f"{fill!r}: {error.message}") from error
        before, after = widened(spec.fill, spec.data_type), widened(decoded, spec.data_type)
        if not _equal(before, after).all():
            back = spec.data_type.fill_to_json(decoded)
            raise self.misfit(survives, f"{fill!r}, which comes back as {back!r}; try a scalar_map")
        return spec._replace(data_type=self.data_type, fill=encoded)

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return self._cast(array, "encode", spec.data_type, self.data_type, self._map("encode", spec.data_type))

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return self._cast(array, "decode", self.data_type, spec.data_type, self._map("decode", spec.data_type))

    def _map(self, direction: str, data_type: dtypes.DataType) -> tuple[np.ndarray, np.ndarray]:
        """The inputs that are mapped, sorted and widened, and what each becomes."""
        if (direction, data_type) not in self._maps:
            pairs = self.scalar_map.get(direction, [])
            types = (data_type, self.data_type) if direction == "encode" else (self.data_type, data_type)
            columns = [np.empty(len(pairs), t.numpy) for t in types]
            for row, pair in enumerate(pairs):
                for column, value, t in zip(columns, pair, types, strict=True):
                    # leniency: plus-infinity
                    plain = "Infinity" if value == "+Infinity" else value
                    try:
                        column[row] = t.fill_from_json(plain)
                    except MetadataError as error:
                        raise self.misfit(f"a {t.name} in scalar_map", f"{value!r}: {error.message}") from error
            keys, first = np.unique(widened(columns[0], types[0]), return_index=True)  # the first of equals
            self._maps[direction, data_type] = keys, columns[1][first]
        return self._maps[direction, data_type]

    def _cast(self, array: np.ndarray, direction: str, source: Any, target: Any, mapped: Any) -> np.ndarray:
        values = widened(array, source)
        keys, outputs = mapped
        hit = np.zeros(values.shape, bool)
        if keys.size:
            place = np.searchsorted(keys, values).clip(max=keys.size - 1)
            hit = _equal(keys[place], values)
            values = np.where(hit, 1, values)  # every type has a 1, so this passes
        with np.errstate(all="ignore"):
            convert = self._to_integers if isinstance(target, Integer) else self._to_floats
            result = convert(values, target)
        if hit.any():
            result[hit] = outputs[place[hit]]
        return result.reshape(array.shape)

    def _to_integers(self, values: np.ndarray, target: Integer) -> np.ndarray:
        whole = values
        if values.dtype.kind == "f":
            self._refuse(~np.isfinite(values), values, "finite numbers", target)
            whole = to_whole(values, self.rounding)
        if self.out_of_range == "wrap":
            return _low_bits(whole, target.bits or target.numpy.itemsize * 8, target.least < 0).astype(target.numpy)
        below, above = whole < target.least, whole >= target.greatest + 1  # + 1: a power of two, exact as a float
        result = whole.astype("i8" if target.least < 0 else "u8")
        if self.out_of_range == "clamp":
            result[below], result[above] = target.least, target.greatest
        else:
            self._refuse(below | above, values, f"numbers from {target.least} to {target.greatest}", target)
        return result.astype(target.numpy)

    def _to_floats(self, values: np.ndarray, target: Float) -> np.ndarray:
        form, infinite = FORMATS[target.name], np.zeros(values.shape, bool)
        if values.dtype.kind == "f":
            infinite = np.isinf(values)
            if not target.has_inf:
                self._refuse(infinite, values, "finite numbers", target)
            if target.nan_bits is None:
                self._refuse(np.isnan(values), values, "numbers", target)
            rounded = to_format(values, form, self.rounding)
        else:
            rounded = integers_to_format(values, form, self.rounding)
        below, above = (rounded < form.lowest) & ~infinite, (rounded > form.largest) & ~infinite
        if self.out_of_range == "clamp":
            rounded[below], rounded[above] = (-np.inf, np.inf) if target.has_inf else (form.lowest, form.largest)
        else:
            self._refuse(below | above, values, f"numbers from {form.lowest} to {form.largest}", target)
        return rounded.astype(target.numpy)

    def _refuse(self, bad: np.ndarray, values: np.ndarray, expected: str, target: dtypes.DataType) -> None:
        if bad.any():
            remedy = "out_of_range 'clamp', or a scalar_map" if " from " in expected else "a scalar_map"
            raise self.fail(f"{expected}, for {target.name}", f"{values[bad.argmax()]}; try {remedy}")


def _low_bits(whole: np.ndarray, width: int, signed: bool) -> np.ndarray:
    """Whole numbers modulo ``2**width``, in two's complement."""
    if whole.dtype.kind == "f":
        rest = np.fmod(np.abs(whole), 2.0**64).astype("u8")
        bits = np.where(whole < 0, np.negative(rest), rest)
    else:
        bits = whole.astype("u8")
    spare = 64 - width  # shifted out, so that shifting back extends the sign
    return (bits << np.uint64(spare)).view("i8" if signed else "u8") >> spare


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether two arrays hold the same numbers, a NaN being any NaN."""
    return (a == b) | ((a != a) & (b != b))


register("cast_value", CastValue)
