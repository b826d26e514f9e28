"""`packbits`, `reshape`, `n5_default`, `conditional` and `zfp`, one codec at a time and without an array around it."""

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutorial_zarr import codecs, dtypes, limits
from tutorial_zarr.codecs.extensions import packbits
from tutorial_zarr.codecs.extensions.conditional import Conditional
from tutorial_zarr.dtypes.numbers import Integer
from tutorial_zarr.errors import CodecError, MetadataError
from tutorial_zarr.metadata import Extension

BYTES, GZIP, CRC32C = ("bytes", {"endian": "little"}), ("gzip", {"level": 1}), ("crc32c", {})


def line(data_type, shape, *chain, fill=None):
    data_type = dtypes.from_json(data_type)
    spec = codecs.ChunkSpec(
        shape, data_type, data_type.default_fill() if fill is None else np.array(fill, data_type.numpy)
    )
    return codecs.build_pipeline([Extension(*entry) for entry in chain], spec)


def encoded(pipeline, array):
    return bytes(memoryview(pipeline.encode(array)))


def named(*chain):
    return [{"name": name, "configuration": configuration} for name, configuration in chain]


# --- packbits


@given(st.data())
def test_packbits_keeps_the_bits_that_it_is_told_to_and_extends_signs(data):
    name = data.draw(st.sampled_from([f"{s}int{n}" for s in ("", "u") for n in (2, 4, 8, 16, 32, 64)]))
    data_type = dtypes.from_json(name)
    width = data_type.bits or data_type.numpy.itemsize * 8
    first = data.draw(st.integers(0, width - 1))
    last = data.draw(st.integers(first, width - 1))
    values = data.draw(st.lists(st.integers(data_type.least, data_type.greatest), min_size=1, max_size=20))
    padding = data.draw(st.sampled_from(["none", "first_byte", "last_byte"]))
    chain = line(
        name, (len(values),), ("packbits", {"first_bit": first, "last_bit": last, "padding_encoding": padding})
    )

    kept = last - first + 1
    fields = [value >> first & (1 << kept) - 1 for value in values]
    sequence = sum(field << i * kept for i, field in enumerate(fields))
    flag = bytes([-len(values) * kept % 8])
    expected = sequence.to_bytes(-(-len(values) * kept // 8), "little")
    expected = {"none": expected, "first_byte": flag + expected, "last_byte": expected + flag}[padding]
    stored = encoded(chain, np.array(values, data_type.numpy))
    assert stored == expected
    assert chain.encoded_size == len(stored)

    sign = 1 << (kept - 1) if isinstance(data_type, Integer) and data_type.least < 0 else 0
    decoded = chain.decode(stored)
    assert decoded.dtype == data_type.numpy
    assert decoded.astype(object).tolist() == [((field ^ sign) - sign) << first for field in fields]


@given(st.binary(min_size=1, max_size=40), st.sampled_from(["none", "first_byte", "last_byte"]))
def test_packbits_of_booleans_is_what_numpy_packs_from_the_least_significant_bit(raw, padding):
    flags = np.unpackbits(np.frombuffer(raw, np.uint8))[:-3].astype(bool)
    chain = line("bool", flags.shape, ("packbits", {"padding_encoding": padding}))
    stored = encoded(chain, flags)
    body = {"none": stored, "first_byte": stored[1:], "last_byte": stored[:-1]}[padding]
    assert body == np.packbits(flags, bitorder="little").tobytes()
    assert chain.decode(stored).tolist() == flags.tolist()


@pytest.mark.parametrize(
    "name", ["float16", "float32", "float64", "bfloat16", "float8_e5m2", "complex64", "complex128"]
)
def test_packbits_of_whole_elements_is_their_little_endian_bytes(name):
    data_type = dtypes.from_json(name)
    raw = np.random.default_rng(1).bytes(12 * data_type.numpy.itemsize)
    array = np.frombuffer(raw, data_type.numpy).reshape(3, 4)
    chain = line(name, (3, 4), ("packbits", {}))
    assert encoded(chain, array) == raw
    assert chain.decode(raw).tobytes() == raw


def test_packbits_takes_each_part_of_a_complex_number_by_itself():
    chain = line("complex_float4_e2m1fn", (3,), ("packbits", {}))
    array = np.array([1, 2, 3, 4, 5, 6], np.uint8).view(chain.spec.data_type.numpy)
    assert encoded(chain, array) == bytes([0x21, 0x43, 0x65])
    assert chain.decode(bytes([0x21, 0x43, 0x65])).tobytes() == array.tobytes()


def test_packbits_swaps_the_bytes_of_an_array_in_the_other_order():
    array = np.array([0x0102, 0x0304], ">u2")
    assert encoded(line("uint16", (2,), ("packbits", {})), array) == b"\2\1\4\3"


@pytest.mark.parametrize("last", [0, 4, 7])
def test_packbits_joins_its_strides_without_a_gap(last):
    count = 2 * packbits.STRIDE + 5
    array = (np.arange(count) % (1 << (last + 1))).astype(np.uint8)
    chain = line("uint8", (count,), ("packbits", {"last_bit": last}))
    stored = encoded(chain, array)
    assert len(stored) == math.ceil(count * (last + 1) / 8)
    assert (chain.decode(stored) == array).all()


def test_packbits_reads_the_names_of_the_readme_and_those_of_the_schema():
    array = np.array([0xABC, 0x123], "u2")
    readme = line("uint16", (2,), ("packbits", {"first_bit": 4, "last_bit": 11, "padding_encoding": "first_byte"}))
    schema = line("uint16", (2,), ("packbits", {"start_bit": 4, "end_bit": 11, "padding_encoding": "start_byte"}))
    assert encoded(readme, array) == encoded(schema, array) == b"\0\xab\x12"
    with pytest.raises(MetadataError, match="one of first_bit and start_bit"):
        line("uint16", (2,), ("packbits", {"first_bit": 4, "start_bit": 4}))


@pytest.mark.parametrize(("name", "found"), [("string", "string"), ("r16", "r16")])
def test_packbits_refuses_types_that_are_no_numbers(name, found):
    with pytest.raises(MetadataError, match=f"booleans, integers, floats or complex numbers, found {found}"):
        line(name, (2,), ("packbits", {}))


# --- reshape

SHAPES = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(st.data())
def test_reshape_joins_any_neighbouring_axes_and_keeps_the_order_of_elements(data):
    shape = data.draw(SHAPES)
    groups, axis = [], 0
    while axis < len(shape):
        count = data.draw(st.integers(1, len(shape) - axis))
        groups.append(list(range(axis, axis + count)))
        axis += count
    sizes = [math.prod(shape[a] for a in group) for group in groups]
    entries = [data.draw(st.sampled_from([group, size])) for group, size in zip(groups, sizes, strict=True)]
    if entries and data.draw(st.booleans()):
        entries[data.draw(st.integers(0, len(entries) - 1))] = -1
    chain = line("int16", shape, ("reshape", {"shape": entries}), BYTES)
    assert chain.inner_spec.shape == tuple(sizes)
    array = np.arange(math.prod(shape), dtype="i2").reshape(shape)
    turned = np.asfortranarray(array)
    assert encoded(chain, turned) == array.tobytes()
    assert (chain.decode(array.tobytes()) == array).all()


@pytest.mark.parametrize(
    ("shape", "entries", "message"),
    [
        ((2, 3), [5], "a shape of 6 elements"),
        ((2, 3), [4, -1], "a shape of 6 elements"),
        ((2, 3), [-1, -1], "-1 at most once"),
        ((2, 3), [[1], [0]], "increasing order"),
        ((2, 3), [[0, 0], 1], "increasing order"),
        ((2, 3), [[0], [2]], "axes below 2"),
        ((2, 2, 3), [3, [1], 2], "before and after axes"),
        ((2, 3, 2), [[0, 2], 3], "before and after axes"),
        ((2, 3), [0, 6], "positive integer, -1, or a list of axes"),
        ((2, 3), [True, 6], "positive integer, -1, or a list of axes"),
    ],
)
def test_reshape_refuses_what_does_not_fit_the_chunk(shape, entries, message):
    with pytest.raises(MetadataError, match=message):
        line("uint8", shape, ("reshape", {"shape": entries}), BYTES)


def test_reshape_may_leave_out_an_axis_of_length_one():
    assert line("uint8", (2, 1, 3), ("reshape", {"shape": [[0, 2]]}), BYTES).inner_spec.shape == (6,)


def test_reshape_makes_an_axis_of_length_one_from_no_axes():
    assert line("uint8", (2, 3), ("reshape", {"shape": [[0], [], [1]]}), BYTES).inner_spec.shape == (2, 1, 3)


# --- n5_default


def n5(*more, ndim=2):
    return "n5_default", {
        "codecs": named(("transpose", {"order": list(range(ndim))[::-1]}), ("bytes", {"endian": "big"}), *more)
    }


def test_an_n5_block_is_a_header_and_the_elements_in_fortran_order():
    chain = line("int16", (2, 3), n5())
    block = struct.pack(">HHII", 0, 2, 2, 3) + struct.pack(">6h", 1, 4, 2, 5, 3, 6)
    assert encoded(chain, np.array([[1, 2, 3], [4, 5, 6]], "i2")) == block
    assert chain.decode(block).tolist() == [[1, 2, 3], [4, 5, 6]]


@given(SHAPES, st.sampled_from([(), (GZIP,), (CRC32C,)]), st.sampled_from(["int8", "uint32", "float64"]))
def test_n5_blocks_read_back(shape, more, name):
    chain = line(name, shape, n5(*more, ndim=len(shape)))
    array = np.arange(math.prod(shape)).astype(name).reshape(shape)
    decoded = chain.decode(encoded(chain, array))
    assert decoded.shape == shape
    assert (decoded == array).all()


@given(SHAPES, st.data())
def test_an_n5_block_of_another_shape_is_filled_up_or_cut(shape, data):
    other = tuple(data.draw(st.integers(1, 5)) for _ in shape)
    block = np.arange(1, 1 + math.prod(other), dtype="u2").reshape(other)
    stored = encoded(line("uint16", other, n5(GZIP, ndim=len(shape))), block)
    found = line("uint16", shape, n5(GZIP, ndim=len(shape)), fill=9999).decode(stored)
    expected = np.full(shape, 9999)
    common = tuple(slice(min(a, b)) for a, b in zip(shape, other, strict=True))
    expected[common] = block[common]
    assert (found == expected).all()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (struct.pack(">HHIII", 1, 2, 2, 3, 6), "mode 1"),
        (struct.pack(">HHIII", 2, 2, 2, 3, 6), "mode 2"),
        (struct.pack(">HHIII", 0, 3, 1, 2, 3), "2 dimensions, found 3"),
        (struct.pack(">HHII", 0, 2, 2**32 - 1, 2**32 - 1), "about as large as the chunk"),
        (struct.pack(">HHII", 0, 2, 0, 3), "about as large as the chunk"),
        (struct.pack(">HHII", 0, 2, 3, 3), "n5_default.*bytes"),
        (struct.pack(">HHI", 0, 2, 2), "a header of 12 bytes"),
    ],
)
def test_an_n5_header_that_does_not_fit_is_refused(header, message):
    with pytest.raises(CodecError, match=message):
        line("uint8", (2, 3), n5()).decode(header + bytes(6) if len(header) > 8 else header)


def test_an_n5_block_unpacks_to_no_more_than_its_header_says():
    stored = struct.pack(">HHII", 0, 2, 2, 3) + zlib.compress(bytes(1 << 20), wbits=31)
    with pytest.raises(CodecError, match="at most 6 bytes"):
        line("uint8", (2, 3), n5(GZIP)).decode(stored)


def test_n5_has_no_complex_numbers():
    with pytest.raises(MetadataError, match="a data type of N5"):
        line("complex64", (2, 3), n5())


# --- conditional


def conditional(*chain, **more):
    return "conditional", {"codecs": named(*chain), **more}


@given(st.binary(min_size=1, max_size=300), st.sampled_from([(), (GZIP,), (CRC32C, GZIP), (GZIP, CRC32C)]))
def test_conditional_never_adds_more_than_its_header(raw, chain):
    pipeline = line("uint8", (len(raw),), BYTES, conditional(*chain))
    stored = encoded(pipeline, np.frombuffer(raw, np.uint8))
    assert len(stored) <= len(raw) + (1 if chain else 0)
    assert pipeline.decode(stored).tobytes() == raw


def test_conditional_decides_for_each_chunk():
    pipeline = line("uint8", (1000,), BYTES, conditional(GZIP))
    zeros, noise = np.zeros(1000, "u1"), np.frombuffer(np.random.default_rng(0).bytes(1000), "u1")
    assert encoded(pipeline, zeros)[0] == 1
    assert len(encoded(pipeline, zeros)) < 100
    assert encoded(pipeline, noise) == b"\0" + noise.tobytes()


def test_conditional_applies_a_shuffle_where_the_compressor_after_it_gains_by_it():
    pipeline = line("uint32", (1000,), BYTES, conditional(("numcodecs.shuffle", {"elementsize": 4}), GZIP))
    ramp = np.arange(1000, dtype="u4")
    stored = encoded(pipeline, ramp)
    assert stored[0] == 3
    assert len(stored) < len(encoded(line("uint32", (1000,), BYTES, GZIP), ramp))
    assert (pipeline.decode(stored) == ramp).all()


def test_conditional_keeps_the_bit_of_a_codec_that_is_unknown_and_may_be_ignored():
    unknown = {"name": "acme.unknown", "configuration": {}, "must_understand": False}
    pipeline = line("uint8", (100,), BYTES, ("conditional", {"codecs": [unknown, *named(GZIP)]}))
    stored = encoded(pipeline, np.zeros(100, "u1"))
    assert stored[0] == 2
    assert pipeline.decode(stored).tolist() == [0] * 100
    with pytest.raises(CodecError, match="bit 0, of one that it does not"):
        pipeline.decode(b"\3" + stored[1:])


def test_conditional_writes_its_header_little_endian():
    pipeline = line("uint8", (100,), BYTES, conditional(*[CRC32C] * 8, GZIP, header_bits=24))
    assert encoded(pipeline, np.zeros(100, "u1"))[:3] == b"\0\1\0"


def test_conditional_refuses_reserved_bits():
    with pytest.raises(CodecError, match=r"reserved bits of 0.*0x2"):
        line("uint8", (2,), BYTES, conditional(CRC32C)).decode(b"\2\0\0")


def test_conditional_leaves_the_choice_to_a_subclass():
    class Always(Conditional):
        def choose(self, data):
            return 1, self.apply(1, data)

    assert bytes(Always("conditional", conditional(CRC32C)[1]).encode(b"abc"))[:4] == b"\1abc"


# --- zfp

WAVE = np.sin(np.linspace(0, 3, 60)).reshape(6, 10)


def zfp(**configuration):
    pytest.importorskip("zfpy")
    return "zfp", configuration


@given(st.data())
def test_zfp_reversible_gives_every_value_back(data):
    reversible = zfp(mode="reversible")
    names = ["int2", "int4", "int8", "int16", "int32", "int64", "uint8", "uint16", "float16", "float32", "float64"]
    name = data.draw(st.sampled_from(names))
    shape = data.draw(SHAPES)
    data_type, count = dtypes.from_json(name), math.prod(shape)
    if isinstance(data_type, Integer):
        elements = st.integers(data_type.least, data_type.greatest)
    else:
        elements = st.floats(width=data_type.numpy.itemsize * 8, allow_nan=False, allow_infinity=False)
    values = data.draw(st.lists(elements, min_size=count, max_size=count))
    array = np.array(values, data_type.numpy).reshape(shape)
    chain = line(name, shape, reversible)
    decoded = chain.decode(encoded(chain, array))
    assert decoded.dtype == data_type.numpy
    assert decoded.shape == shape
    assert decoded.astype("O").tolist() == array.astype("O").tolist()


@pytest.mark.parametrize(
    ("configuration", "keyword", "error"),
    [
        ({"mode": "reversible"}, {}, 0),
        ({"mode": "fixed_accuracy", "tolerance": 0.05}, {"tolerance": 0.05}, 0.05),
        ({"mode": "fixed_accuracy", "tolerance": 0}, {"tolerance": 0}, 1e-14),
        ({"mode": "fixed_rate", "rate": 16}, {"rate": 16}, 1e-3),
        ({"mode": "fixed_precision", "precision": 24}, {"precision": 24}, 1e-5),
        ({"mode": "fixed_precision", "precision": 0}, {"precision": 0}, 1e-14),
    ],
)
def test_zfp_writes_the_stream_of_zfpy_without_its_header(configuration, keyword, error):
    zfpy = pytest.importorskip("zfpy")
    chain = line("float64", WAVE.shape, zfp(**configuration))
    stored = encoded(chain, WAVE)
    assert stored == zfpy.compress_numpy(WAVE, write_header=False, **keyword)
    assert np.abs(chain.decode(stored) - WAVE).max() <= error


def test_zfp_expert_is_what_the_other_modes_are_made_of():
    def stream(**configuration):
        return encoded(line("float64", WAVE.shape, zfp(**configuration)), WAVE)

    def expert(minbits, maxbits, maxprec, minexp):
        return stream(mode="expert", minbits=minbits, maxbits=maxbits, maxprec=maxprec, minexp=minexp)

    assert expert(1, 16658, 64, -5) == stream(mode="fixed_accuracy", tolerance=2.0**-5)
    assert expert(1, 16658, 12, -1074) == stream(mode="fixed_precision", precision=12)
    assert expert(128, 128, 64, -1074) == stream(mode="fixed_rate", rate=8)
    assert expert(1, 16658, 64, -1075) == stream(mode="reversible")
    assert len(expert(1, 50, 20, -9)) < min(len(expert(1, 16658, 20, -1074)), len(expert(1, 16658, 64, -9)))


def test_zfp_stores_uint32_as_int32_of_the_same_value_and_refuses_what_does_not_fit():
    values = np.array([0, 1, 5, 2**31 - 1])
    chain = line("uint32", (4,), zfp(mode="reversible"))
    stored = encoded(chain, values.astype("u4"))
    assert stored == encoded(line("int32", (4,), zfp(mode="reversible")), values.astype("i4"))
    assert chain.decode(stored).tolist() == values.tolist()
    with pytest.raises(CodecError, match="values up to 2147483647, because zfp has no uint32, found 4294967295"):
        chain.encode(np.array([0, 0, 0, 2**32 - 1], "u4"))


@pytest.mark.parametrize(("name", "least", "greatest"), [("uint8", 0, 255), ("int16", -(2**15), 2**15 - 1)])
def test_zfp_brings_narrow_integers_that_lost_precision_back_into_their_range(name, least, greatest):
    chain = line(name, (16,), zfp(mode="fixed_precision", precision=6))
    array = np.array([least, greatest] * 8, name)
    error = chain.decode(encoded(chain, array)).astype(int) - array
    assert np.abs(error).max() < (greatest - least) / 4  # not wrapped round to the other end


@pytest.mark.parametrize("name", ["int32", "float32", "float64"])
@pytest.mark.parametrize("mode", [{"mode": "reversible"}, {"mode": "fixed_rate", "rate": 10}])
def test_a_zfp_stream_that_is_cut_or_has_more_behind_it_is_refused(name, mode):
    chain = line(name, WAVE.shape, zfp(**mode))
    stored = encoded(chain, (WAVE * 1000).astype(name))
    for length in range(len(stored)):
        with pytest.raises(CodecError, match="bytes"):
            chain.decode(stored[:length])
    with pytest.raises(CodecError, match="bytes"):
        chain.decode(stored + bytes(8))


@given(st.binary(max_size=400), SHAPES, st.sampled_from(["int32", "int64", "float32", "float64"]), st.data())
def test_any_bytes_are_a_zfp_chunk_of_the_right_shape_or_an_error(raw, shape, name, data):
    modes = [
        {"mode": "reversible"},
        {"mode": "fixed_accuracy", "tolerance": 1e-300},
        {"mode": "fixed_rate", "rate": 0.25},
        {"mode": "fixed_precision", "precision": 3},
        {"mode": "expert", "minbits": 70, "maxbits": 99, "maxprec": 64, "minexp": -1074},
    ]
    try:
        mode = zfp(**data.draw(st.sampled_from(modes)))
        chain = line(name, shape, mode)
    except MetadataError:  # a quarter of a bit for each of four integers is no bit at all in some shapes
        assert mode[1]["mode"] == "fixed_rate"
        return
    try:
        decoded = chain.decode(raw)
    except CodecError:
        return
    assert decoded.shape == shape
    assert decoded.dtype == name


def test_a_zfp_chunk_is_not_allocated_before_its_bytes_could_hold_it():
    unlimited = limits.override(memory_bytes=1 << 60)  # or the limits of a read would refuse it first
    with unlimited, pytest.raises(CodecError, match="expected 549755813888 to"):
        line("float64", (2**44,), zfp(mode="reversible")).decode(bytes(64))


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"maxbits": 11}, "maxbits of at least minbits and 12 for float64"),
        ({"maxbits": 18, "minexp": -2000}, "maxbits of at least minbits and 19"),
        ({"minbits": 200, "maxbits": 100}, "maxbits of at least minbits"),
        ({"minbits": 2, "minexp": -2000}, "minbits of at most 1"),
        ({"maxprec": 65}, "maxprec from 1 to 64"),
        ({"maxprec": 0}, "maxprec from 1 to 64"),
    ],
)
def test_zfp_limits_that_its_library_cannot_keep_are_refused(configuration, message):
    expert = {"mode": "expert", "minbits": 1, "maxbits": 1000, "maxprec": 64, "minexp": -10, **configuration}
    with pytest.raises(MetadataError, match=message):
        line("float64", (4,), ("zfp", expert))


@pytest.mark.parametrize("value", [-1, True, "0.1", None, 10**400])
def test_a_zfp_tolerance_is_a_number_of_at_least_0(value):
    with pytest.raises(MetadataError, match="tolerance as a number of at least 0"):
        line("float64", (4,), ("zfp", {"mode": "fixed_accuracy", "tolerance": value}))


# --- numcodecs.zfpy, whose streams begin with a header


def zfpy_line(name="float64", **configuration):
    pytest.importorskip("zfpy")
    return line(name, WAVE.shape, ("numcodecs.zfpy", configuration or {"mode": 4}))


@pytest.mark.parametrize("configuration", [{"mode": 4}, {"mode": 4, "tolerance": 0.01}, {"mode": 2, "rate": 9.0}])
def test_a_cut_zfpy_stream_is_refused(configuration):
    chain = zfpy_line(**configuration)
    stored = encoded(chain, WAVE)
    assert np.abs(chain.decode(stored) - WAVE).max() < 0.1
    for length in range(0, len(stored) - 8, 8):
        with pytest.raises(CodecError, match=r"zfpy"):
            chain.decode(stored[:length])


@pytest.mark.parametrize(
    ("bit", "message"),
    [
        (0, "the header of a zfp stream of 60 elements"),  # the magic word
        (32, "a stream of float64"),  # the type
        (34, "the header of a zfp stream of 60 elements"),  # the number of dimensions
        (36, "the header of a zfp stream of 60 elements"),  # their lengths
        (83, "the header of a zfp stream of 60 elements"),
    ],
)
def test_a_forged_zfpy_header_is_refused(bit, message):
    chain = zfpy_line()
    stored = bytearray(encoded(chain, WAVE))
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CodecError, match=message):
        chain.decode(bytes(stored))


def test_a_zfpy_rate_too_low_for_the_exponents_is_refused_where_the_library_would_overrun():
    with pytest.raises(CodecError, match=r"a rate of at least 0\.75"):
        zfpy_line(mode=2, rate=0.5).encode(WAVE)
