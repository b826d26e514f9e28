"""Zarr v3: the codec ``sharding_indexed`` in all its forms, each shard written byte by byte."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

import tutorial_zarr as zarr
from spec.build import (
    BIG,
    CODECS,
    CRC32C,
    EMPTY,
    EXTENSIONS,
    LITTLE,
    Read,
    Refuse,
    assemble,
    be,
    bits,
    check_folders,
    check_read,
    check_refusal,
    codec,
    crc32c,
    judge_all,
    le,
    read,
    rectilinear,
    shard,
    sharding,
    table,
    text,
    v3,
    vlen_utf8,
    with_crc,
    zstd_frame,
)
from tutorial_zarr.errors import ChunkError
from tutorial_zarr.stores import MemoryStore

SPEC = CODECS + "sharding-indexed/index.html"
FORMAT, CONFIGURATION = SPEC + "#binary-shard-format", SPEC + "#configuration-parameters"
PLAIN, GZIP = codec("bytes"), codec("gzip", level=1)
GRID = np.arange(16, dtype="u2").reshape(4, 4)  # one shard of 4 x 4, inner chunks of 2 x 2
QUARTERS = [GRID[i : i + 2, j : j + 2] for i in (0, 2) for j in (0, 2)]
PIECES = [le("H", *map(int, q.ravel())) for q in QUARTERS]


def gz(data):
    return gzip.compress(data, 1, mtime=0)


def transpose(*order):
    return codec("transpose", order=list(order))


def case(
    id,
    stored,
    codecs=None,
    expected=GRID,
    *,
    spec=FORMAT,
    fill=0,
    data_type=None,
    chunks=None,
    data=None,
    lenient=False,
    **kwargs,
):
    shape = list(expected.shape)
    data = {"/".join(["c", *"0" * len(shape)]): stored} if data is None else data
    codecs = codecs or [sharding([2, 2])]
    store = v3(shape, chunks or shape, data_type or expected.dtype.name, data, codecs=codecs, fill=fill, **kwargs)
    return Read(f"v3.codecs.sharding.{id}", spec, store, expected, lenient=lenient)


def hole(*missing, fill=9):
    """The grid with some inner chunks replaced by the fill value."""
    expected = GRID.copy()
    for i in missing:
        expected[i // 2 * 2 : i // 2 * 2 + 2, i % 2 * 2 : i % 2 * 2 + 2] = fill
    return expected


def without(*missing):
    return [None if i in missing else piece for i, piece in enumerate(PIECES)]


ENTRIES = [(8 * i, 8) for i in range(4)]
BODY = b"".join(PIECES)


def transposed_index():
    """index_codecs with a transpose: the index is 2 x 2 x 2, here with the axes (2, 0, 1)."""
    flat = [entry[k] for k in (0, 1) for entry in ENTRIES]
    return BODY + with_crc(le("Q", *flat))


def nested():
    """Eight values: a shard of 8, in it shards of 4 with the index first, in these chunks of 2."""
    values = [le("H", 2 * i, 2 * i + 1) for i in range(4)]
    middle = [shard(values[:2], start=True), shard([values[2], None], start=True, crc=True)]
    inner = sharding([2], index_location="start")
    expected = np.array([0, 1, 2, 3, 4, 5, 7, 7], "u2")
    return case("nested", shard(middle), [sharding([4], [inner])], expected, fill=7)


TWO_BY_THREE = np.array([[1, 2, 3], [4, 5, 6]], "u2")
OVERHANG = np.arange(1, 10, dtype="u1").reshape(3, 3)
SHORT = sharding([2], ["bytes", "crc32c"], [LITTLE, "crc32c"])
NAN = bits(4, 0x7FC00001)[0]

CASES = [
    case("index_at_end", shard(PIECES)),
    case("index_location_end", shard(PIECES), [sharding([2, 2], index_location="end")], spec=CONFIGURATION),
    # Offsets count from the beginning of the shard, so the index itself is counted.
    case("index_at_start", shard(PIECES, start=True), [sharding([2, 2], index_location="start")]),
    case(
        "index_at_start_no_crc",
        shard(PIECES, start=True, crc=False),
        [sharding([2, 2], index=[LITTLE], index_location="start")],
    ),
    case("index_without_crc", shard(PIECES, crc=False), [sharding([2, 2], index=[LITTLE])]),
    case("index_big_endian", shard(PIECES, endian=">"), [sharding([2, 2], index=[BIG, CRC32C])]),
    case(
        "index_big_endian_start",
        shard(PIECES, endian=">", start=True),
        [sharding([2, 2], index=[BIG, CRC32C], index_location="start")],
    ),
    case(
        "index_two_crcs",
        BODY + with_crc(with_crc(le("Q", *sum(ENTRIES, ())))),
        [sharding([2, 2], index=[LITTLE, CRC32C, CRC32C])],
    ),
    case("index_transposed", transposed_index(), [sharding([2, 2], index=[transpose(2, 0, 1), LITTLE, CRC32C])]),
    case("any_write_order", shard(PIECES, write_order=[2, 0, 3, 1])),
    case("gaps", shard(PIECES, gap=b"unused")),
    case(
        "gaps_index_at_start",
        shard(PIECES, gap=b"unused", start=True),
        [sharding([2, 2], index_location="start")],
    ),
    case("rewritten_by_appending", assemble(b"old chunk and index" + BODY, [(19 + o, n) for o, n in ENTRIES])),
    case("one_place_for_equal_chunks", assemble(PIECES[0], [(0, 8)] * 4), expected=np.tile(QUARTERS[0], (2, 2))),
    case(
        "overlapping_chunks",
        assemble(le("H", 1, 2, 3, 4, 5, 6, 7), [(0, 8), (2, 8), (4, 8), (6, 8)]),
        expected=np.array([[1, 2, 2, 3], [3, 4, 4, 5], [3, 4, 4, 5], [5, 6, 6, 7]], "u2"),
    ),
    case("empty_inner_chunk", shard(without(1)), expected=hole(1), fill=9),
    case(
        "empty_inner_chunks_index_at_start",
        shard(without(0, 3), start=True),
        [sharding([2, 2], index_location="start")],
        hole(0, 3),
        fill=9,
    ),
    case("all_inner_chunks_empty", shard([None] * 4), expected=hole(0, 1, 2, 3), fill=9),
    case("missing_shard", b"", expected=hole(0, 1, 2, 3), fill=9, data={}),
    case(
        "fill_nan_payload",
        shard([le("f", 1, 2), None]),
        [sharding([2])],
        np.array([1, 2, NAN, NAN], "f4"),
        fill="0x7fc00001",
    ),
    # Inner chunks beyond the edge have index entries too; whatever they hold is of no account.
    case(
        "overhanging_shard",
        b"",
        [sharding([2, 2], [PLAIN])],
        OVERHANG,
        chunks=[2, 2],
        data={
            "c/0/0": shard([bytes([1, 2, 4, 5])]),
            "c/0/1": shard([bytes([3, 99, 6, 99])]),
            "c/1/0": shard([bytes([7, 8, 99, 99])]),
            "c/1/1": shard([bytes([9, 99, 99, 99])]),
        },
    ),
    case(
        "overhanging_shard_of_several",
        shard(
            [
                bytes([1, 2, 4, 5]),
                bytes([3, 9, 6, 9]),
                bytes([7, 8, 9, 9]),
                bytes([9, 0, 0, 0]),
            ]
        ),
        [sharding([2, 2], [PLAIN])],
        OVERHANG,
        chunks=[4, 4],
    ),
    case(
        "overhanging_shard_whole_inner_chunks_outside",
        shard(
            [
                bytes([1, 2, 4, 5]),
                bytes([3, 9, 6, 9]),
                None,
                bytes([7, 8, 9, 9]),
                bytes([9, 0, 0, 0]),
                None,
                None,
                None,
                None,
            ]
        ),
        [sharding([2, 2], [PLAIN])],
        OVERHANG,
        chunks=[6, 6],
    ),
    case(
        "two_shards",
        b"",
        [sharding([1, 1], [PLAIN])],
        np.array([[1, 2], [3, 4]], "u1"),
        chunks=[1, 2],
        data={"c/0/0": shard([b"\1", b"\2"]), "c/1/0": shard([b"\3", b"\4"], write_order=[1, 0])},
    ),
    case("one_inner_chunk", shard([PIECES[0]]), [sharding([2, 2])], QUARTERS[0]),
    case("zero_dimensions", shard([le("H", 7)]), [sharding([])], np.array(7, "u2")),
    case("zero_dimensions_empty", shard([None]), [sharding([])], np.array(9, "u2"), fill=9),
    case(
        "three_dimensions",
        shard([bytes([i]) for i in range(8)]),
        [sharding([1, 1, 1], [PLAIN])],
        np.arange(8, dtype="u1").reshape(2, 2, 2),
    ),
    case(
        "inner_big_endian",
        shard([be("H", *map(int, q.ravel())) for q in QUARTERS]),
        [sharding([2, 2], [BIG])],
    ),
    case("inner_gzip", shard([gz(p) for p in PIECES]), [sharding([2, 2], [LITTLE, GZIP])]),
    case(
        "inner_zstd",
        shard([zstd_frame(p, size=i % 2 == 0) for i, p in enumerate(PIECES)]),
        [sharding([2, 2], [LITTLE, codec("zstd", level=1)])],
    ),
    case("inner_crc32c", shard([with_crc(p) for p in PIECES]), [sharding([2, 2], [LITTLE, CRC32C])]),
    case(
        "inner_transpose",
        shard([le("H", *map(int, q.T.ravel())) for q in QUARTERS]),
        [sharding([2, 2], [transpose(1, 0), LITTLE])],
    ),
    case(
        "inner_packbits",
        shard([b"\x05", None]),
        [sharding([4], ["packbits"])],
        np.array([1, 0, 1, 0, 0, 0, 0, 0], bool),
        fill=False,
    ),
    case(
        "inner_strings",
        shard([vlen_utf8("a", "漢"), None, vlen_utf8("", "d")]),
        [sharding([2], [codec("vlen-utf8")])],
        text("a", "漢", "-", "-", "", "d"),
        data_type="string",
        fill="-",
    ),
    # The shard is of the transposed array: 3 x 2, in inner chunks of 1 x 2.
    case(
        "transpose_before",
        shard([le("H", 1, 4), le("H", 2, 5), le("H", 3, 6)]),
        [transpose(1, 0), sharding([1, 2])],
        TWO_BY_THREE,
    ),
    case(
        "transpose_three_before",
        shard([bytes([i]) for i in np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).ravel()]),
        [transpose(2, 0, 1), sharding([1, 1, 1], [PLAIN])],
        np.arange(24, dtype="u1").reshape(2, 3, 4),
    ),
    # Legal, and the end of partial reading: tensorstore and zarrita refuse.
    case("gzip_after", gz(shard(PIECES)), [sharding([2, 2]), GZIP]),
    case("crc32c_after", with_crc(shard(PIECES)), [sharding([2, 2]), CRC32C]),
    case(
        "crc32c_after_index_at_start",
        with_crc(shard(PIECES, start=True)),
        [sharding([2, 2], index_location="start"), CRC32C],
    ),
    nested(),
    case(
        "nested_twice",
        shard([shard([shard([le("H", 1)]), shard([None])])]),
        [sharding([2], [sharding([1], [sharding([1])])])],
        np.array([1, 9], "u2"),
        fill=9,
    ),
    # Short-hand names are allowed in 3.1 wherever an extension is named.
    # Required; zarr-python takes a little-endian index with crc32c where it is missing.
    case(
        "index_codecs_missing",
        shard(PIECES),
        [codec("sharding_indexed", chunk_shape=[2, 2], codecs=[LITTLE])],
        lenient=True,
    ),
    case("short_hand_names", shard([with_crc(b"\1\2"), None]), [SHORT], np.array([1, 2, 0, 0], "u1")),
    case(
        "short_hand_grid_of_keys",
        shard([with_crc(b"\1\2"), None]),
        [SHORT],
        np.array([1, 2, 0, 0], "u1"),
        chunk_key_encoding="default",
    ),
    case(
        "must_understand_inside",
        shard(PIECES),
        [sharding([2, 2], [LITTLE, {"name": "acme.hint", "must_understand": False}])],
        spec=CONFIGURATION,
    ),
    case(
        "rectilinear_shards",
        b"",
        [sharding([2], [PLAIN])],
        np.arange(1, 9, dtype="u1"),
        chunk_grid=rectilinear([2, 6]),
        data={"c/0": shard([b"\1\2"]), "c/1": shard([b"\3\4", b"\5\6", b"\7\x08"])},
        spec=EXTENSIONS + "chunk-grids/rectilinear",
    ),
    case(
        "v2_keys",
        b"",
        [sharding([1], [PLAIN])],
        np.array([1, 2], "u1"),
        chunk_key_encoding={"name": "v2"},
        data={"0": shard([b"\1", b"\2"])},
    ),
    # The fill value goes through the array -> array codecs before it stands for an empty inner chunk.
    case(
        "fill_through_scale_offset",
        shard([le("H", 1, 2), None]),
        [codec("scale_offset", offset=1000), sharding([2])],
        np.array([1001, 1002, 1005, 1005], "u2"),
        fill=1005,
        spec=EXTENSIONS + "codecs/scale_offset#fill-value-handling",
    ),
    case(
        "fill_through_cast_value",
        shard([b"\1\2", None]),
        [codec("cast_value", data_type="uint8"), sharding([2], [PLAIN])],
        np.array([1, 2, 7, 7], "f8"),
        fill=7,
        spec=EXTENSIONS + "codecs/cast_value#data_type",
    ),
    case(
        "fill_through_both_and_a_map",
        shard([b"\1\2", None]),
        [
            codec("scale_offset", offset=-10, scale=0.5),
            codec("cast_value", data_type="uint8", scalar_map={"encode": [["NaN", 0]], "decode": [[0, "NaN"]]}),
            sharding([2], [PLAIN]),
        ],
        np.concatenate([np.array([1, 2]) / 0.5 + -10, bits(8, 0x7FF8 << 48, 0x7FF8 << 48)]),
        fill="NaN",
        spec=EXTENSIONS + "codecs/scale_offset#fill-value-handling",
    ),
    case(
        "fill_through_inner_scale_offset",
        shard([le("H", 1, 2), None]),
        [sharding([2], [codec("scale_offset", offset=1000), LITTLE])],
        np.array([1001, 1002, 1005, 1005], "u2"),
        fill=1005,
        spec=EXTENSIONS + "codecs/scale_offset#fill-value-handling",
    ),
    case(
        "fill_through_reshape",
        shard([b"\1\2", None, None]),
        [codec("reshape", shape=[-1]), sharding([2], [PLAIN])],
        np.array([[1, 2, 9], [9, 9, 9]], "u1"),
        fill=9,
    ),
]


@table(CASES)
def test_reads(case):
    check_read(case, case.store)


def test_reads_from_a_folder(tmp_path):
    check_folders(CASES, tmp_path)


def test_reads_every_element_alone():
    """What partial reading of the index and of one inner chunk gives, element by element."""

    def judge(case):
        a = zarr.open_array(case.store, mode="r")
        for position in np.ndindex(*case.expected.shape):
            found, expected = np.asarray(a[position]), case.expected[position]
            if case.expected.dtype.kind == "T":
                assert str(found) == expected
            else:
                assert found.tobytes() == np.asarray(expected).tobytes()

    judge_all(CASES, judge)


def refuse(id, words, codecs=None, stored=None, *, spec=CONFIGURATION, shape=(4, 4), data_type="uint16", fill=0):
    data = {} if stored is None else {"c/" + "/".join("0" * len(shape)): stored}
    where = ("zarr.json", "sharding_indexed") if stored is None else ("c/0",)
    store = v3(list(shape), list(shape), data_type, data, codecs=codecs or [sharding([2, 2])], fill=fill)
    return Refuse(f"v3.codecs.sharding.refuse.{id}", spec, store, (*where, *words))


def bare(**configuration):
    full = sharding([2, 2])["configuration"] | configuration
    return {"name": "sharding_indexed", "configuration": {k: v for k, v in full.items() if v is not ...}}


CONFIGURATIONS = [
    refuse("inner_shape_does_not_divide", ["chunk_shape"], [sharding([3, 2])]),
    refuse("inner_shape_larger", ["chunk_shape"], [sharding([8, 4])]),
    refuse("inner_shape_zero", ["chunk_shape"], [sharding([0, 2])]),
    refuse("inner_shape_negative", ["chunk_shape"], [sharding([-2, 2])]),
    refuse("inner_shape_ndim", ["chunk_shape"], [sharding([2])]),
    refuse("inner_shape_float", ["chunk_shape"], [sharding([2.5, 2])]),
    refuse("inner_shape_missing", ["chunk_shape"], [bare(chunk_shape=...)]),
    refuse("codecs_missing", ["codecs"], [bare(codecs=...)]),
    refuse("codecs_empty", ["codecs"], [bare(codecs=[])]),
    refuse("codecs_no_array_to_bytes", ["array", "bytes"], [bare(codecs=[CRC32C])]),
    refuse("codecs_two_array_to_bytes", ["array", "bytes"], [bare(codecs=[LITTLE, LITTLE])]),
    refuse("codecs_unknown", ["acme.unknown"], [bare(codecs=[LITTLE, "acme.unknown"])]),
    refuse("codecs_no_endian", ["endian"], [bare(codecs=[PLAIN])]),
    refuse("index_codecs_empty", ["index_codecs"], [bare(index_codecs=[])]),
    refuse("index_codecs_gzip", ["index_codecs", "gzip"], [sharding([2, 2], index=[LITTLE, GZIP])]),
    refuse(
        "index_codecs_zstd",
        ["index_codecs", "zstd"],
        [sharding([2, 2], index=[LITTLE, codec("zstd", level=1), CRC32C])],
    ),
    refuse("index_codecs_no_endian", ["endian"], [sharding([2, 2], index=[PLAIN])]),
    refuse("index_codecs_no_array_to_bytes", ["array", "bytes"], [sharding([2, 2], index=[CRC32C])]),
    refuse("index_location", ["index_location", "middle"], [sharding([2, 2], index_location="middle")]),
    refuse("index_location_null", ["index_location"], [sharding([2, 2], index_location=None)]),
    refuse("unknown_key", ["chunk_order"], [bare(chunk_order="morton")]),
    refuse("after_bytes", ["sharding_indexed"], [LITTLE, sharding([2, 2])]),
    refuse("nested_does_not_divide", ["chunk_shape"], [sharding([2, 2], [sharding([2, 4])])]),
    Refuse(
        "v3.codecs.sharding.refuse.rectilinear_does_not_divide",
        CONFIGURATION,
        v3([7], None, "uint8", codecs=[sharding([2], [PLAIN])], chunk_grid=rectilinear([4, 3])),
        ("zarr.json", "sharding_indexed", "chunk_shape"),
    ),
]


def flip(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


GOOD = shard(PIECES)
ONLY_OFFSET = [(2**64 - 1, 8), *ENTRIES[1:]]
SHARDS = [
    refuse("index_checksum_wrong", ["crc32c"], stored=flip(GOOD, -1)),
    refuse("index_entry_changed", ["crc32c"], stored=flip(GOOD, -20)),
    refuse(
        "index_checksum_wrong_at_start",
        ["crc32c"],
        [sharding([2, 2], index_location="start")],
        flip(shard(PIECES, start=True), 3),
    ),
    refuse("offset_beyond_the_shard", ["index"], stored=assemble(BODY, [(1000, 8), *ENTRIES[1:]])),
    refuse("end_beyond_the_shard", ["index"], stored=assemble(BODY, [(0, 1000), *ENTRIES[1:]])),
    refuse("offset_and_length_wrap_around", ["index"], stored=assemble(BODY, [(2**64 - 8, 16), *ENTRIES[1:]])),
    refuse("length_of_nearly_2_64", ["index"], stored=assemble(BODY, [(0, 2**64 - 2), *ENTRIES[1:]])),
    # Not the mark of an empty chunk, which is both numbers.
    refuse("only_the_offset_is_the_mark", ["index"], stored=assemble(BODY, ONLY_OFFSET)),
    refuse("only_the_length_is_the_mark", ["index"], stored=assemble(BODY, [(0, 2**64 - 1), *ENTRIES[1:]])),
    refuse("zero_bytes", ["index"], stored=b""),
    refuse("shorter_than_the_index", ["index"], stored=GOOD[-67:]),
    refuse(
        "shorter_than_the_index_at_start",
        ["index"],
        [sharding([2, 2], index_location="start")],
        shard(PIECES, start=True)[:67],
    ),
    # What remains of the last chunk would reach into the index.
    refuse("cut_at_the_front", ["index"], stored=GOOD[8:]),
    refuse("entry_within_the_index", ["index"], stored=assemble(BODY, [(32, 8), *ENTRIES[1:]])),
    refuse(
        "entry_within_the_index_at_start",
        ["index"],
        [sharding([2, 2], index_location="start")],
        assemble(BODY, [(0, 8), *((o + 68, n) for o, n in ENTRIES[1:])], start=True),
    ),
    refuse("cut_at_the_end", ["crc32c"], stored=GOOD[:-8]),
    refuse(
        "cut_at_the_end_index_at_start",
        ["index"],
        [sharding([2, 2], index_location="start")],
        shard(PIECES, start=True)[:-4],
    ),
    refuse("inner_chunk_short", [], stored=assemble(BODY, [(0, 7), *ENTRIES[1:]])),
    refuse("inner_chunk_long", [], stored=assemble(BODY, [(0, 9), *ENTRIES[1:]])),
    refuse("inner_chunk_of_no_bytes", [], stored=assemble(BODY, [(0, 0), *ENTRIES[1:]])),
    refuse(
        "inner_checksum_wrong",
        ["crc32c"],
        [sharding([2, 2], [LITTLE, CRC32C])],
        shard([flip(with_crc(p), 0) for p in PIECES]),
    ),
    refuse("inner_gzip_cut", ["gzip"], [sharding([2, 2], [LITTLE, GZIP])], shard([gz(p)[:-9] for p in PIECES])),
    refuse("outer_checksum_wrong", ["crc32c"], [sharding([2, 2]), CRC32C], flip(with_crc(GOOD), 0)),
    refuse(
        "nested_index_wrong",
        ["crc32c"],
        [sharding([2], [sharding([1])])],
        shard([flip(shard([b"\1\0", b"\2\0"]), -1)]),
        shape=(2,),
    ),
]


@table([*CONFIGURATIONS, *SHARDS])
def test_refuses(case):
    check_refusal(case, case.store)


def test_refuses_from_a_folder(tmp_path):
    check_folders(SHARDS, tmp_path)


class Counted(MemoryStore):
    """A store that keeps a list of what was asked of it."""

    def __init__(self, data):
        super().__init__(data)
        self.asked = []

    def get(self, key, byte_range=None):
        self.asked.append((key, byte_range))
        return super().get(key, byte_range)


def test_one_inner_chunk_costs_two_ranges_of_the_shard():
    store = Counted(CASES[0].store)
    a = zarr.open_array(store, mode="r")
    store.asked.clear()
    assert a[3, 3] == 15
    ranges = [r for _, r in store.asked]
    assert len(ranges) == 2
    assert None not in ranges


def test_one_of_many_inner_chunks_costs_the_memory_of_the_index_and_not_of_a_list_of_it():
    many = 1 << 18
    a = zarr.create_array({}, shape=(many,), chunks=(1,), shards=(many,), dtype="u1", fill_value=9)
    a[77] = 5
    tracemalloc.start()
    try:
        assert a[76:78].tolist() == [9, 5]
        assert a.plan(slice(76, 78), look=True).requests == 2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 16 * many  # a list of tuples takes eight times the index


def test_what_is_wrong_with_one_inner_chunk_is_told_to_who_reads_it():
    store = v3([4], [4], "uint8", codecs=[sharding([2], [PLAIN], [LITTLE])])
    store["c/0"] = b"\1\2\3\4" + le("Q", 0, 2, 2, 3)
    a = zarr.open_array(store, mode="r")
    assert a[:1].tolist() == [1]
    for wrong in (slice(3, 4), slice(None)):
        with pytest.raises(ChunkError, match=r"inner chunk \(1,\).*offset 2 and length 3"):
            a[wrong]


def test_the_index_of_build_is_laid_out_as_the_specification_draws_it():
    index = GOOD[len(BODY) :]
    assert index == le("Q", 0, 8, 8, 8, 16, 8, 24, 8) + crc32c(le("Q", 0, 8, 8, 8, 16, 8, 24, 8))
    assert len(index) == 68
    assert struct.unpack("<2Q", shard([None])[:16]) == EMPTY


def test_a_written_shard_has_the_layout_that_its_configuration_says():
    for location, endian in (("start", BIG), ("end", LITTLE)):
        store = v3(
            [4],
            [4],
            "uint8",
            codecs=[sharding([2], [PLAIN], [endian, CRC32C], index_location=location)],
            fill=9,
        )
        zarr.open_array(store, mode="r+")[:2] = [1, 2]
        stored = store["c/0"]
        index = stored[:36] if location == "start" else stored[-36:]
        assert index[32:] == crc32c(index[:32])
        (offset, length, *empty) = struct.unpack(">4Q" if endian is BIG else "<4Q", index[:32])
        assert stored[offset : offset + length] == b"\1\2"
        assert tuple(empty) == EMPTY
        assert read(store).tolist() == [1, 2, 9, 9]
