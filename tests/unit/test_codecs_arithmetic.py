"""cast_value, scale_offset and bitround against exact arithmetic with fractions.

The reference knows nothing of significands: it takes every value that a type has, in order, and looks for the
two that a number lies between. Of the types of 8 bits and fewer, every value is tried.
"""

import bisect
import functools
import itertools
import math
import operator
from fractions import Fraction

import ml_dtypes
import numcodecs
import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.codecs import ChunkSpec
from tutorial_zarr.codecs.extensions.bitround import BitRound
from tutorial_zarr.codecs.extensions.cast import CastValue
from tutorial_zarr.codecs.extensions.rounding import FORMATS, ROUNDINGS
from tutorial_zarr.codecs.extensions.scale_offset import ScaleOffset
from tutorial_zarr.errors import ChunkError, CodecError, MetadataError

INTEGERS = ["int2", "int4", "int8", "uint2", "uint4", "uint8"]
FLOATS = [name for name in FORMATS if name.startswith(("float4_", "float6_", "float8_"))]
NARROW = [*INTEGERS, *FLOATS]
NO_SIGN_OF_ZERO = ("float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e4m3b11fnuz")


def spec_of(data_type, size=1, fill=None):
    data_type = dtypes.from_json(data_type)
    return ChunkSpec((size,), data_type, data_type.default_fill() if fill is None else data_type.fill_from_json(fill))


def patterns(name):
    """Every bit pattern of a type of at most 16 bits."""
    data_type = dtypes.from_json(name)
    size = data_type.numpy.itemsize
    return np.arange(1 << (data_type.bits or 8 * size), dtype=f"u{size}").view(data_type.numpy)


def plain(array):
    """The same numbers in Python's own types."""
    if array.dtype.isbuiltin == 1:
        return array.tolist()
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return array.astype("f8").tolist()


@functools.cache
def table(name):
    """The finite values of a type in order, on both ends the next that it does not have; and which are even."""
    data_type = dtypes.from_json(name)
    if name.startswith(("int", "uint")):
        values = list(range(data_type.least - 1, data_type.greatest + 2))
        return [Fraction(v) for v in values], [v % 2 == 0 for v in values]
    bits = patterns(name)
    even = {}
    with np.errstate(all="ignore"):
        for pattern, value in zip(bits.view(f"u{bits.itemsize}").tolist(), bits.astype("f8").tolist(), strict=True):
            if math.isfinite(value):
                even[Fraction(value)] = pattern % 2 == 0
    values = sorted(even)
    if name == "float8_e8m0fnu":  # a significand of one digit is never even: a tie goes to the larger
        ends = [values[0] / 2, *values, values[-1] * 2]
        return ends, [False] * len(ends)
    step = values[-1] - values[-2]
    flags = [not even[values[0]], *(even[v] for v in values), not even[values[-1]]]
    return [values[0] - step, *values, values[-1] + step], flags


@functools.cache
def exactly(value, name, rounding):
    """What a finite number is rounded to in a type, or "below" or "above" its range."""
    values, even = table(name)
    value = Fraction(value)
    if value < values[0]:
        return "below"
    if value > values[-1]:
        return "above"
    high = bisect.bisect_left(values, value)
    if values[high] == value:
        found = high
    else:
        low = high - 1
        negative = value < 0
        outer, inner = (low, high) if negative else (high, low)
        if rounding == "towards-zero":
            found = inner
        elif rounding == "towards-positive":
            found = high
        elif rounding == "towards-negative":
            found = low
        else:
            twice = 2 * value
            middle = values[low] + values[high]
            if twice != middle:
                found = high if twice > middle else low
            elif rounding == "nearest-away":
                found = outer
            else:
                found = inner if even[inner] else outer
    return "below" if found == 0 else "above" if found == len(values) - 1 else values[found]


def expected(value, source_negative, name, rounding, out_of_range):
    """The number that the specification wants, as a Python number, or None for an error."""
    data_type = dtypes.from_json(name)
    is_float = name in FORMATS
    if isinstance(value, float) and not math.isfinite(value):
        if not is_float or (data_type.nan_bits is None if math.isnan(value) else not data_type.has_inf):
            return None
        return value
    found = exactly(value, name, rounding)
    if found in ("below", "above"):
        if out_of_range is None:
            return None
        if out_of_range == "clamp":
            if is_float and data_type.has_inf:
                return math.inf if found == "above" else -math.inf
            found = table(name)[0][1 if found == "below" else -2]
        else:
            width = data_type.bits or 8 * data_type.numpy.itemsize
            whole = round_whole(Fraction(value), rounding) % (1 << width)
            return whole - (1 << width) if whole > data_type.greatest else whole
    if is_float and found == 0 and source_negative and name not in NO_SIGN_OF_ZERO:
        return -0.0
    return float(found) if is_float else int(found)


def round_whole(value, rounding):
    low = math.floor(value)
    rest = value - low
    match rounding:
        case "towards-positive":
            return math.ceil(value)
        case "towards-negative":
            return low
        case "towards-zero":
            return math.trunc(value)
        case "nearest-even":
            return round(value)
    return low + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and value > 0))


def same(found, wanted):
    if isinstance(wanted, float):
        if math.isnan(wanted):
            return math.isnan(found)
        return found == wanted and math.copysign(1, found) == math.copysign(1, wanted)
    return int(found) == wanted


def cast(values, source, target, **configuration):
    codec = CastValue("cast_value", {"data_type": target, **configuration})
    return codec.encode(values, spec_of(source, values.size))


def check_cast(values, source, target, rounding, out_of_range):
    """Every value that can be cast is right to the bit; those that cannot are returned."""
    more = {"out_of_range": out_of_range} if out_of_range else {}
    given = plain(values)
    signs = [math.copysign(1, v) < 0 for v in given]
    wanted = [expected(v, s, target, rounding, out_of_range) for v, s in zip(given, signs, strict=True)]
    good = np.array([w is not None for w in wanted])
    found = cast(values[good], source, target, rounding=rounding, **more)
    assert found.dtype == dtypes.from_json(target).numpy
    found = plain(found)
    wanted = [w for w in wanted if w is not None]
    wrong = [(v, f, w) for v, f, w in zip(plain(values[good]), found, wanted, strict=True) if not same(f, w)]
    assert wrong == []
    return values[~good]


# --- cast_value


@pytest.mark.parametrize("name", FORMATS)
def test_the_table_of_formats_is_what_the_types_are(name):
    dtype = dtypes.from_json(name).numpy
    info = np.finfo(dtype) if dtype.isbuiltin == 1 else ml_dtypes.finfo(dtype)
    form = FORMATS[name]
    assert (form.lowest, form.largest) == (float(info.min), float(info.max))
    assert 2.0 ** (1 - form.bits) == float(info.eps)
    if name != "float8_e8m0fnu":
        assert 2.0**form.least == float(info.smallest_subnormal)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("target", NARROW)
def test_every_value_of_8_bits_is_cast_exactly(target, rounding):
    modes = [None, "clamp", "wrap"] if target in INTEGERS else [None, "clamp"]
    for source in NARROW:
        for out_of_range in modes:
            check_cast(patterns(source), source, target, rounding, out_of_range)


@pytest.mark.parametrize("out_of_range", [None, "clamp"])
@pytest.mark.parametrize("target", NARROW)
def test_every_value_of_8_bits_that_cannot_be_cast_is_refused(target, out_of_range):
    more = {"out_of_range": out_of_range} if out_of_range else {}
    for source in NARROW:
        for value in check_cast(patterns(source), source, target, "nearest-even", out_of_range):
            with pytest.raises(CodecError, match=r"cast_value.*expected.*found"):
                cast(np.array([value]), source, target, **more)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("target", [*NARROW, "bfloat16", "float16"])
def test_between_two_values_doubles_go_to_the_right_one(target, rounding):
    values, _ = table(target)
    if len(values) > 600:  # of the 16-bit types, some from every exponent
        values = [*values[:40], *values[40:-40:131], *values[-40:]]
    middles = np.array([float((a + b) / 2) for a, b in itertools.pairwise(values)])
    ends = np.array([float(v) for v in values])
    near = [np.nextafter(x, way) for x in (middles, ends) for way in (-np.inf, np.inf)]
    check_cast(np.concatenate([middles, ends, *near]), "float64", target, rounding, "clamp")


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("source", ["float16", "bfloat16"])
@pytest.mark.parametrize("target", ["int8", "uint4", "float8_e5m2", "float8_e8m0fnu", "float4_e2m1fn"])
def test_every_value_of_16_bits_is_cast_exactly(source, target, rounding):
    check_cast(patterns(source)[::7], source, target, rounding, "clamp")


def nearest(value, form, rounding):
    """A whole number rounded to so many binary digits, by integer arithmetic alone."""
    excess = max(abs(value).bit_length() - form.bits, 0)
    return round_whole(Fraction(value, 1 << excess), rounding) << excess


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("target", ["bfloat16", "float16", "float32", "float64"])
@pytest.mark.parametrize("source", ["int64", "uint64", "int32"])
def test_integers_become_floats_in_one_rounding(source, target, rounding):
    integer, form = dtypes.from_json(source), FORMATS[target]
    given = {
        sign * ((1 << top) + offset + half)
        for top in range(65)
        for sign in (1, -1)
        for offset in (-2, -1, 0, 1, 2)
        for half in (0, (1 << top) >> form.bits, ((1 << top) >> form.bits) * 3, (1 << top) >> 54)
    }
    given = sorted(v for v in given | {integer.least, integer.greatest} if integer.least <= v <= integer.greatest)
    found = cast(np.array(given, source), source, target, rounding=rounding, out_of_range="clamp").astype("f8")
    for value, result in zip(given, found.tolist(), strict=True):
        wanted = nearest(value, form, rounding)
        assert result == (math.copysign(math.inf, wanted) if abs(wanted) > form.largest else wanted), value


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("target", ["int64", "uint64", "int32"])
def test_doubles_become_integers_up_to_the_ends_of_64_bits(target, rounding):
    integer = dtypes.from_json(target)
    tops = [sign * 2.0**top for top in (0, 1, 30, 31, 32, 52, 53, 62, 63, 64, 70, 200, 1023) for sign in (1, -1)]
    given = np.array([0.49999999999999994, 0.5, 1.5, 4503599627370497.5, *tops])
    given = np.concatenate([given, np.nextafter(given, 0), np.nextafter(given, np.inf), -given])
    given = given[np.isfinite(given)]
    whole = [round_whole(Fraction(v), rounding) for v in given.tolist()]
    clamped = cast(given, "float64", target, rounding=rounding, out_of_range="clamp").tolist()
    assert clamped == [min(max(v, integer.least), integer.greatest) for v in whole]
    wrapped = cast(given, "float64", target, rounding=rounding, out_of_range="wrap").tolist()
    span = 1 << (8 * integer.numpy.itemsize)
    assert wrapped == [(v - integer.least) % span + integer.least for v in whole]


@pytest.mark.parametrize("source", ["int64", "uint64"])
@pytest.mark.parametrize("target", ["int2", "uint4", "int8", "int32", "uint32", "int64", "uint64"])
def test_integers_wrap_and_clamp_from_end_to_end(source, target):
    here, there = dtypes.from_json(source), dtypes.from_json(target)
    given = sorted(
        {v for end in (here, there) for v in (end.least, end.least + 1, end.greatest, end.greatest - 1, 0, 5)}
    )
    given = [v for v in given if here.least <= v <= here.greatest]
    span = there.greatest - there.least + 1
    wrapped = cast(np.array(given, source), source, target, out_of_range="wrap").tolist()
    assert [int(v) for v in wrapped] == [(v - there.least) % span + there.least for v in given]
    clamped = cast(np.array(given, source), source, target, out_of_range="clamp").tolist()
    assert [int(v) for v in clamped] == [min(max(v, there.least), there.greatest) for v in given]


@pytest.mark.parametrize("target", ["float32", "float16", "bfloat16", *FLOATS])
def test_a_nan_of_any_bits_stays_a_nan_where_the_target_has_one(target):
    nans = np.array([0x7FF8 << 48, 0xFFF8 << 48, 0x7FF0_0000_0000_0001, 0xFFFF_FFFF_FFFF_FFFF], "u8").view("f8")
    if dtypes.from_json(target).nan_bits is None:
        with pytest.raises(CodecError, match=r"expected numbers, for float.*found nan; try a scalar_map"):
            cast(nans, "float64", target)
    else:
        assert np.isnan(cast(nans, "float64", target).astype("f8")).all()


def test_a_map_comes_first_and_its_first_pair_wins():
    pairs = [["NaN", 1], [2.5, 7], [2.5, 8], ["Infinity", 9], ["0x7ff8000000000001", 10], [300, 11]]
    values = np.array([np.nan, 2.5, -np.nan, np.inf, 300, 3.5, 0])
    found = cast(values, "float64", "uint8", scalar_map={"encode": pairs})
    assert found.tolist() == [1, 7, 1, 9, 11, 4, 0]


def test_a_map_reads_its_inputs_in_the_type_that_they_are_looked_for():
    found = cast(np.array([0.1], "f4"), "float32", "uint8", scalar_map={"encode": [[0.1, 5]]})
    assert found.tolist() == [5]
    beyond_doubles = [[2**63 - 1, 1], [2**63 - 2, 2]]
    found = cast(np.array([2**63 - 2, 2**63 - 1]), "int64", "uint8", scalar_map={"encode": beyond_doubles})
    assert found.tolist() == [2, 1]


def test_a_map_of_every_value_is_a_lookup_table():
    shuffled = np.random.default_rng(3).permutation(256)
    codec = CastValue(
        "cast_value",
        {
            "data_type": "uint8",
            "scalar_map": {
                "encode": [[i, int(v)] for i, v in enumerate(shuffled)],
                "decode": [[int(v), i] for i, v in enumerate(shuffled)],
            },
        },
    )
    values = np.arange(256, dtype="i2").reshape(16, 16).T
    spec = spec_of("int16")._replace(shape=(16, 16))
    encoded = codec.encode(values, spec)
    assert np.array_equal(encoded, shuffled[values])
    assert np.array_equal(codec.decode(encoded, spec), values)


def test_a_map_may_give_what_a_cast_could_not():
    pairs = {"encode": [["NaN", -8]], "decode": [[-8, "NaN"]]}
    codec = CastValue("cast_value", {"data_type": "int4", "scalar_map": pairs})
    spec = spec_of("float32", 2, "NaN")
    assert codec.resolve(spec).fill.astype("i1") == -8
    decoded = codec.decode(codec.encode(np.array([np.nan, 7], "f4"), spec), spec)
    assert decoded.view("u4").tolist() == [0x7FC00000, np.float32(7).view("u4")]


@pytest.mark.parametrize(
    ("fill", "configuration"),
    [
        (0.5, {}),
        (300, {"out_of_range": "clamp"}),
        (256, {"out_of_range": "wrap"}),
        (-1, {}),
        ("NaN", {"scalar_map": {"encode": [["NaN", 0]]}}),
        (3, {"scalar_map": {"decode": [[3, 4]]}}),
    ],
)
def test_a_fill_value_that_would_come_back_changed_is_refused(fill, configuration):
    codec = CastValue("cast_value", {"data_type": "uint8", **configuration})
    with pytest.raises(MetadataError, match=r"cast_value.*expected a fill value that survives.*found"):
        codec.resolve(spec_of("float64", fill=fill))


@pytest.mark.parametrize("fill", ["NaN", "0xfff8000000000001", -0.0, "Infinity", 0.5])
def test_a_fill_value_survives_as_a_number(fill):
    spec = CastValue("cast_value", {"data_type": "float16"}).resolve(spec_of("float64", fill=fill))
    assert (spec.data_type.name, spec.fill.dtype, spec.fill.shape) == ("float16", np.dtype("f2"), ())


def test_the_error_names_the_value_the_type_and_a_way_out():
    message = r"'cast_value': expected numbers from -128 to 127, for int8, found 200.0; try out_of_range 'clamp', or a"
    with pytest.raises(CodecError, match=message):
        cast(np.array([1.0, 200.0]), "float64", "int8")


# --- scale_offset


OPERATORS = {"-": operator.sub, "+": operator.add, "*": operator.mul, "/": operator.truediv}


def scaled(codec, value, name, steps):
    """One number by exact arithmetic, rounded to the type after every step; None for an error."""
    for operation, key in steps:
        if key not in codec:
            continue
        number = Fraction(codec[key])
        value = OPERATORS[operation](value, number)
        if name in FORMATS:
            value = exactly(value, name, "nearest-even")
        elif value.denominator != 1 or not dtypes.from_json(name).least <= value <= dtypes.from_json(name).greatest:
            return None
        if value in ("below", "above"):
            return None
    return value


def check_scale_offset(name, configuration, values):
    codec = ScaleOffset("scale_offset", configuration)
    exact = {key: float(dtypes.from_json(name).fill_from_json(v)) for key, v in configuration.items()}
    for method, steps in ((codec.encode, ["-offset", "*scale"]), (codec.decode, ["/scale", "+offset"])):
        steps = [(step[0], step[1:]) for step in steps]
        wanted = [scaled(exact, Fraction(v), name, steps) for v in values.astype("f8").tolist()]
        good = np.array([w is not None for w in wanted])
        found = method(values[good], spec_of(name, int(good.sum())))
        assert found.dtype == values.dtype
        assert found.astype("f8").tolist() == [float(w) for w in wanted if w is not None]
        for value in values[~good]:
            with pytest.raises(CodecError, match=r"scale_offset.*expected.*found.*try a wider data type"):
                method(np.array([value]), spec_of(name))


@pytest.mark.parametrize("name", INTEGERS)
def test_every_small_integer_is_scaled_exactly_or_refused(name):
    data_type = dtypes.from_json(name)
    for offset in {data_type.least, -1, 0, 1, data_type.greatest} - ({-1} if name[0] == "u" else set()):
        for scale in {data_type.least, -1, 1, 2, 3, data_type.greatest} - {0}:
            if data_type.least <= min(offset, scale) and max(offset, scale) <= data_type.greatest:
                check_scale_offset(name, {"offset": offset, "scale": scale}, patterns(name))


@pytest.mark.parametrize("name", [*FLOATS, "bfloat16", "float16"])
def test_every_small_float_is_scaled_with_one_rounding_for_each_step(name):
    values = patterns(name)[:: 1 if name in FLOATS else 61]
    values = values[np.isfinite(plain(values))]
    scalars = [1, 2, 0.5] if name == "float8_e8m0fnu" else [1.5, -1, 3, 0.5]
    for number in scalars:
        check_scale_offset(name, {"scale": number}, values)
        check_scale_offset(name, {"offset": number}, values)
        check_scale_offset(name, {"offset": 1, "scale": number}, values)


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_wide_floats_are_scaled_as_numpy_does_it(name):
    values = np.random.default_rng(5).normal(size=500).astype(name) * 1000
    values[:4] = [np.nan, np.inf, -np.inf, 0]
    dtype = values.dtype.type
    codec, spec = ScaleOffset("scale_offset", {"offset": -10, "scale": 0.1}), spec_of(name, 500)
    assert codec.encode(values, spec).tobytes() == ((values - dtype(-10)) * dtype(0.1)).tobytes()
    assert codec.decode(values, spec).tobytes() == (values / dtype(0.1) + dtype(-10)).tobytes()


@pytest.mark.parametrize(
    ("name", "configuration", "value", "encoded"),
    [
        ("uint64", {"offset": 2**63}, 2**64 - 1, 2**63 - 1),
        ("uint64", {"scale": 3}, (2**64 - 1) // 3, 2**64 - 1),
        ("uint64", {"offset": 2**64 - 1, "scale": 2**64 - 1}, 2**64 - 1, 0),
        ("int64", {"offset": -(2**63)}, -1, 2**63 - 1),
        ("int64", {"scale": -(2**63)}, 1, -(2**63)),
        ("int64", {"scale": -1}, -(2**63) + 1, 2**63 - 1),
        ("int64", {"offset": 1, "scale": 3}, 2**60 + 2, 3 * (2**60 + 1)),
        ("uint32", {"scale": 2**32 - 1}, 1, 2**32 - 1),
    ],
)
def test_wide_integers_are_scaled_beyond_what_doubles_hold(name, configuration, value, encoded):
    codec, spec = ScaleOffset("scale_offset", configuration), spec_of(name)
    found = codec.encode(np.array([value], name), spec)
    assert found.tolist() == [encoded]
    assert codec.decode(found, spec).tolist() == [value]


@pytest.mark.parametrize(
    ("name", "configuration", "method", "value"),
    [
        ("uint64", {"offset": 1}, "encode", 0),
        ("uint64", {"scale": 2}, "encode", 2**63),
        ("uint64", {"offset": 1}, "decode", 2**64 - 1),
        ("uint64", {"scale": 3}, "decode", 2**64 - 2),
        ("int64", {"scale": -1}, "encode", -(2**63)),
        ("int64", {"scale": -1}, "decode", -(2**63)),
        ("int64", {"offset": -1}, "encode", 2**63 - 1),
        ("uint32", {"scale": 2**32 - 1}, "encode", 2**32 - 1),
        ("float32", {"scale": 10}, "encode", 3e38),
        ("float64", {"scale": 0.1}, "decode", 1e308),
        ("float16", {"offset": -60000}, "encode", 10000),
    ],
)
def test_what_the_type_cannot_hold_is_refused(name, configuration, method, value):
    codec = ScaleOffset("scale_offset", configuration)
    with pytest.raises(CodecError, match=r"scale_offset.*expected.*found"):
        getattr(codec, method)(np.array([value], name), spec_of(name))


@pytest.mark.parametrize(
    ("configuration", "data_type"),
    [
        ({"scale": 0}, "int8"),
        ({"scale": -0.0}, "float32"),
        ({"scale": "NaN"}, "float32"),
        ({"scale": "Infinity"}, "float64"),
    ],
)
def test_a_scale_that_cannot_be_undone_is_refused(configuration, data_type):
    with pytest.raises(MetadataError, match=r"expected scale as a finite number other than 0.*found"):
        ScaleOffset("scale_offset", configuration).resolve(spec_of(data_type))


def test_the_fill_value_is_scaled_too():
    spec = ScaleOffset("scale_offset", {"offset": 1000, "scale": 2}).resolve(spec_of("uint16", fill=1005))
    assert (spec.fill.item(), spec.fill.dtype) == (10, np.dtype("u2"))
    with pytest.raises(MetadataError, match=r"scale_offset.*expected a fill value that can be encoded, found 5"):
        ScaleOffset("scale_offset", {"offset": 1000}).resolve(spec_of("uint16", fill=5))


# --- bitround


def bitround(values, name, keepbits):
    return BitRound("bitround", {"keepbits": keepbits}).encode(values, spec_of(name, values.size))


@pytest.mark.parametrize("keepbits", range(1, 12))
@pytest.mark.parametrize("name", ["int8", "uint8", "int16"])
def test_integers_keep_their_first_bits(name, keepbits):
    integer = dtypes.from_json(name)
    found = bitround(patterns(name), name, keepbits).tolist()
    for value, result in zip(patterns(name).tolist(), found, strict=True):
        drop = max(abs(value).bit_length() - keepbits, 0)
        size = round(Fraction(abs(value), 1 << drop)) << drop
        if size > integer.greatest and size != abs(value):
            size = abs(value) >> drop << drop
        assert result == (size if value >= 0 else -size), value


@pytest.mark.parametrize(
    ("name", "value", "rounded"),
    [
        ("uint64", 2**64 - 1, 0b111 << 61),
        ("uint64", (0b1011 << 60) + 1, 0b110 << 61),
        ("uint64", 0b1011 << 60, 0b110 << 61),
        ("uint64", 0b1001 << 60, 0b100 << 61),
        ("int64", 2**63 - 1, 0b111 << 60),
        ("int64", -(2**63), -(2**63)),
        ("int64", -(2**63) + 1, -(0b111 << 60)),
        ("int64", -123, -128),
    ],
)
def test_wide_integers_are_rounded_up_to_their_ends(name, value, rounded):
    assert bitround(np.array([value], name), name, 3).tolist() == [rounded]


@pytest.mark.parametrize("keepbits", [1, 3, 9, 10])
def test_floats_are_rounded_as_numcodecs_does_it(keepbits):
    values = patterns("float16")
    expected = numcodecs.BitRound(keepbits).encode(values).view("f2")
    values = values[np.isfinite(expected) | ~np.isfinite(values)]
    finite = np.isfinite(values)
    found = bitround(values, "float16", keepbits)
    assert found[finite].tobytes() == numcodecs.BitRound(keepbits).encode(values[finite]).tobytes()
    assert found[~finite].tobytes() == values[~finite].tobytes()  # no NaN becomes a number
    for name in ("float32", "float64"):
        wide = np.random.default_rng(1).normal(size=200).astype(name)
        assert bitround(wide, name, keepbits).tobytes() == numcodecs.BitRound(keepbits).encode(wide).tobytes()


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "bfloat16", "complex64"])
def test_a_float_that_would_round_up_to_infinity_is_refused(name):
    most = {"float16": 65504, "float32": np.finfo("f4").max, "float64": np.finfo("f8").max}.get(name, 3.3895e38)
    for value in (most, -most):
        values = np.array([1, value, 2]).astype(dtypes.from_json(name).numpy)
        with pytest.raises(
            CodecError,
            match=r"codec 'bitround': expected numbers in the range of .*, found -?[36]"
            if name != "float64"
            else r"found -?1\.797",
        ):
            bitround(values, name, 3)
        values[1] = value / 2
        assert np.isfinite(bitround(values, name, 3).astype("c16")).all()


@pytest.mark.parametrize("keepbits", [1, 3, 6, 7, 8])
def test_bfloat16_is_rounded_as_the_float32_that_it_is_half_of(keepbits):
    values = patterns("bfloat16")
    with np.errstate(invalid="ignore"):  # older versions of ml_dtypes complain about NaN
        values = values[~(np.isfinite(values) & (np.abs(values.astype("f4")) > 2.0**127))]  # may round up to infinity
    wide = bitround(values.astype("f4"), "float32", min(keepbits, 7))
    number = ~np.isnan(values.astype("f4"))
    assert (bitround(values, "bfloat16", keepbits).astype("f4") == wide)[number].all()


def test_complex_numbers_are_rounded_part_by_part():
    values = np.array([1.3 - 2.7j, complex(np.nan, 123.4)], "c8")
    found = bitround(values, "complex64", 3).view("f4")
    assert found.tobytes() == bitround(values.view("f4"), "float32", 3).tobytes()


BITROUND = {"name": "numcodecs.bitround", "configuration": {"keepbits": 3}}


def test_numcodecs_bitround_rounds_no_integers():
    """numcodecs refuses to write them, so no store holds any; v2 hands a reader the bytes as they are."""
    with pytest.raises(MetadataError, match="arrays that it can encode, not int32"):
        zarr.create_array({}, shape=4, dtype="i4", filters=BITROUND)
    store = {}
    a = zarr.create_array(store, shape=4, dtype="i4", filters=[{"id": "bitround", "keepbits": 3}], zarr_format=2)
    with pytest.raises(ChunkError, match="expected floats of 16 to 64 bits"):
        a[:] = 1
    assert not any(key[0].isdigit() for key in store)


def test_numcodecs_zfpy_reads_past_bytes_after_its_stream():
    pytest.importorskip("zfpy", reason="the package zfpy is not installed")
    store = {}
    serializer = {"name": "numcodecs.zfpy", "configuration": {"mode": 4, "tolerance": 1e-9}}
    a = zarr.create_array(store, shape=(8, 8), dtype="f8", serializer=serializer, compressors=None)
    a[:] = values = np.arange(64.0).reshape(8, 8)
    store["c/0/0"] += b"more"
    assert np.abs(a[:] - values).max() <= 1e-9
