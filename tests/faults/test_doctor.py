"""The doctor finds every fault that is planted, by its rule and its key, and none that was not.

Each row of the tables damages one sound store in one way. Stores are made by this library and, where a fault has
to be exact to the byte, by the builder of `tests/spec`.
"""

import json
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import doctor
from tutorial_zarr.stores import LocalStore, MemoryStore, TraceStore, ZipStore

sys.path.insert(0, str(Path(__file__).parents[1]))

from spec import build
from spec.build import CRC32C, LITTLE, codec, sharding

GZIP = codec("gzip", level=1)
PLAIN = codec("bytes")


def found(store, path="", **options):
    """(rule, key) of every fault."""
    return sorted((fault.rule, fault.key) for fault in doctor.examine(store, path, jobs=1, **options).faults)


# --- a sound store of each format


def grown(zarr_format):
    """A hierarchy of some depth, with an array of every layout."""
    store = {}
    root = zarr.create_group(store, zarr_format=zarr_format, attributes={"title": "sound"})
    values = np.arange(64, dtype="u2").reshape(8, 8)
    for name in ("raw", "a/b/deep"):
        array = root.create_array(name, shape=(8, 8), chunks=(4, 4), dtype="u2", compressors=None)
        array[...] = values
    root.create_array("empty", shape=(8, 8), chunks=(4, 4), dtype="f4")
    root.create_array("scalar", shape=(), dtype="i8")[...] = 7
    root.create_array("packed", shape=(8, 8), chunks=(4, 4), dtype="u2")[:4] = values[:4]
    text = root.create_array("text", shape=(6,), chunks=(4,), dtype="str")
    text[...] = list("abcdef")
    if zarr_format == 3:
        shards = root.create_array("shards", shape=(7, 8), chunks=(2, 2), shards=(4, 4), dtype="u2")
        shards[:5] = values[:5]
    return store


@pytest.fixture(scope="module", params=[2, 3], ids=["v2", "v3"])
def sound(request):
    return grown(request.param)


def test_a_sound_store_has_no_fault(sound, tmp_path):
    assert found(sound) == []
    folder = LocalStore(tmp_path / "folder")
    with ZipStore(tmp_path / "store.zip", "w") as packed:
        for key, value in sound.items():
            folder.set(key, value)
            packed.set(key, value)
    assert found(folder) == found(ZipStore(tmp_path / "store.zip")) == []


def test_a_sound_store_with_consolidated_metadata_has_no_fault(sound):
    store = dict(sound)
    zarr.consolidate_metadata(store)
    assert found(store) == []


CASES = "v1 v2_codecs v2_dtypes v2_metadata v2_object_codecs v3_codecs v3_dtypes v3_fill_values v3_grids v3_metadata"
# What those stores hold on purpose, as the specification allows it to be there.
AMISS = {
    "v2.dimension_separator.absent_means_dot": {"orphan", "misread"},
    "v2.object.pickle": {"unsupported"},
    "v3.grids.regular.chunks_beyond_the_array_are_ignored": {"outside-grid"},
    "v3.grids.rectilinear.overflow_by_several_chunks": {"outside-grid"},
    "v3.codecs.sharding.overlapping_chunks": {"shard-overlap"},
}


@pytest.mark.filterwarnings("ignore:.*overflow")
@pytest.mark.parametrize("module", [*CASES.split(), "v3_sharding"])
def test_the_stores_of_the_specifications_have_no_fault(module):
    import importlib

    wrong = {}
    for case in importlib.import_module(f"spec.test_{module}").CASES:
        if isinstance(case, build.Read):
            rules = {rule for rule, _ in found(MemoryStore(case.store), case.path)} - AMISS.get(case.id, set())
            if rules - ({"lenient"} if case.lenient or "fill" in str(rules) or case.id.startswith("v2.") else set()):
                wrong[case.id] = rules
    assert wrong == {}


# --- documents and keys


def edit(key, **members):
    """Change members of a document."""

    def change(store):
        store[key] = json.dumps({**json.loads(store[key]), **members}).encode()

    return change


def put(key, value):
    """Write a value."""

    def change(store):
        store[key] = value if isinstance(value, bytes) else value(store[key])

    return change


def drop(*keys):
    """Delete values."""

    def change(store):
        for key in keys:
            del store[key]

    return change


def consolidated(change):
    """A change after the metadata were consolidated."""

    def both(store):
        zarr.consolidate_metadata(store)
        change(store)

    return both


def twice(data):
    return data.replace(b"{", b'{"zarr_format": 3, ', 1)


ATTRIBUTES = {"attributes": {"_ARRAY_DIMENSIONS": ["y"]}}
MARK = b'{"action": "create array", "what": "0", "by": {"host": "elsewhere"}, "since": 0, "state": "writing"}'
V3 = {
    "cut_json": (put("raw/zarr.json", lambda data: data[:40]), [("bad-json", "raw/zarr.json")]),
    "empty_json": (put("raw/zarr.json", b""), [("bad-json", "raw/zarr.json")]),
    "zeroed_json": (put("raw/zarr.json", bytes(300)), [("bad-json", "raw/zarr.json")]),
    "root_cut": (put("zarr.json", lambda data: data[:20]), [("bad-json", "zarr.json")]),
    "not_utf8": (put("raw/zarr.json", b"\xff\xfe{}"), [("bad-json", "raw/zarr.json")]),
    "json_list": (put("raw/zarr.json", b"[]"), [("bad-json", "raw/zarr.json")]),
    "duplicate_key": (put("raw/zarr.json", twice), [("bad-json", "raw/zarr.json")]),
    "nan_attribute": (edit("raw/zarr.json", attributes={"x": float("nan")}), [("lenient", "raw/zarr.json")]),
    "group_nan_attribute": (edit("a/zarr.json", attributes={"x": float("inf")}), [("lenient", "a/zarr.json")]),
    "float_shape": (edit("raw/zarr.json", shape=[8.0, 8]), [("lenient", "raw/zarr.json")]),
    "unknown_dtype": (edit("raw/zarr.json", data_type="uint17"), [("unsupported", "raw/zarr.json")]),
    "unknown_codec": (edit("raw/zarr.json", codecs=["nope"]), [("unsupported", "raw/zarr.json")]),
    "unknown_member": (edit("raw/zarr.json", surprise=1), [("unsupported", "raw/zarr.json")]),
    "unknown_group_member": (edit("a/zarr.json", surprise=1), [("unsupported", "a/zarr.json")]),
    "codec_order": (edit("raw/zarr.json", codecs=[GZIP, LITTLE]), [("bad-metadata", "raw/zarr.json")]),
    "shard_without_codecs": (
        edit("raw/zarr.json", codecs=[codec("sharding_indexed", chunk_shape=[2, 2], index_codecs=["bytes"])]),
        [("bad-metadata", "raw/zarr.json")],
    ),
    "null_fill": (
        edit("raw/zarr.json", fill_value=None),
        [("bad-metadata", "raw/zarr.json"), ("misread", "raw/zarr.json")],
    ),
    "fill_out_of_range": (edit("raw/zarr.json", fill_value=1 << 20), [("bad-metadata", "raw/zarr.json")]),
    "negative_shape": (edit("raw/zarr.json", shape=[-8, 8]), [("bad-metadata", "raw/zarr.json")]),
    "grid_of_other_rank": (edit("raw/zarr.json", chunk_grid=build.regular(4)), [("bad-metadata", "raw/zarr.json")]),
    "wider_dtype": (
        edit("raw/zarr.json", data_type="uint32"),
        [("wrong-size", f"raw/c/{i}/{j}") for i in (0, 1) for j in (0, 1)],
    ),
    "dimension_names": (edit("raw/zarr.json", dimension_names=["y"]), [("bad-metadata", "raw/zarr.json")]),
    "dimension_attribute": (
        edit("raw/zarr.json", dimension_names=["y", "x"], **ATTRIBUTES),
        [("dimension-names", "raw/zarr.json")],
    ),
    "no_root": (drop("zarr.json"), [("missing-group", "zarr.json")]),
    "no_group_between": (drop("a/zarr.json"), [("missing-group", "a/zarr.json")]),
    "no_array_document": (
        drop("a/b/deep/zarr.json"),
        [("orphan", f"a/b/deep/c/{i}/{j}") for i in (0, 1) for j in (0, 1)],
    ),
    "stray_file": (put("a/.DS_Store", b"x"), [("orphan", "a/.DS_Store")]),
    "stray_file_in_array": (put("raw/notes.txt", b"x"), [("orphan", "raw/notes.txt")]),
    "stray_folder": (put("old/x/y.csv", b"x"), [("orphan", "old/x/y.csv")]),
    "node_in_array": (put("raw/sub/zarr.json", b"{}"), [("orphan", "raw/sub/zarr.json")]),
    "chunk_of_other_rank": (put("raw/c/0", b"x"), [("orphan", "raw/c/0")]),
    "chunk_with_leading_zero": (put("raw/c/00/0", b"x"), [("orphan", "raw/c/00/0")]),
    "chunk_outside": (put("raw/c/0/2", bytes(32)), [("outside-grid", "raw/c/0/2")]),
    "shrunk": (
        edit("raw/zarr.json", shape=[4, 8]),
        [("outside-grid", "raw/c/1/0"), ("outside-grid", "raw/c/1/1")],
    ),
    "unfinished_array": (put("raw/.unfinished/mark.json", MARK), [("unfinished-node", "raw/.unfinished/mark.json")]),
    "unfinished_group": (put("a/.unfinished/mark.json", MARK), [("unfinished-node", "a/.unfinished/mark.json")]),
    "unfinished_new": (
        lambda store: store.update({"new/.unfinished/mark.json": MARK, "new/c/0": b"x"}),
        [("unfinished-node", "new/.unfinished/mark.json")],
    ),
    "unfinished_rechunk": (
        put("raw/.unfinished/journal.json", b"{}"),
        [("unfinished-node", "raw/.unfinished/mark.json")],
    ),
    "unfinished": (put("raw/c/0/0.abc123.partial", b"x"), [("leftover", "raw/c/0/0.abc123.partial")]),
    "both_formats": (put("raw/.zarray", b"{}"), [("two-formats", "raw/zarr.json")]),
    "both_formats_group": (put("a/.zgroup", b'{"zarr_format": 2}'), [("two-formats", "a/zarr.json")]),
    "stale_changed": (consolidated(edit("raw/zarr.json", fill_value=9)), [("stale-consolidated", "zarr.json")]),
    "stale_deep": (consolidated(edit("a/b/zarr.json", attributes={"x": 1})), [("stale-consolidated", "zarr.json")]),
    "stale_gone": (consolidated(drop("scalar/zarr.json", "scalar/c")), [("stale-consolidated", "zarr.json")]),
    "stale_new": (
        consolidated(lambda store: store.update({"new/zarr.json": store["scalar/zarr.json"]})),
        [("stale-consolidated", "zarr.json")],
    ),
    "consolidated_form": (
        edit("zarr.json", consolidated_metadata={"kind": "inline", "metadata": []}),
        [("bad-consolidated", "zarr.json")],
    ),
}
V2 = {
    "cut_json": (put("raw/.zarray", lambda data: data[:40]), [("bad-json", "raw/.zarray")]),
    "root_cut": (put(".zgroup", b"{"), [("bad-json", ".zgroup")]),
    "cut_attributes": (put(".zattrs", b'{"title'), [("bad-json", ".zattrs")]),
    "duplicate_key": (
        put("raw/.zarray", lambda d: d.replace(b"{", b'{"order": "C", ', 1)),
        [("bad-json", "raw/.zarray")],
    ),
    "nan_attribute": (put(".zattrs", b'{"x": NaN}'), [("lenient", ".zattrs")]),
    "bad_dtype": (edit("raw/.zarray", dtype="<u3"), [("unsupported", "raw/.zarray")]),
    "bad_order": (edit("raw/.zarray", order="K"), [("bad-metadata", "raw/.zarray")]),
    "format_3": (edit("raw/.zarray", zarr_format=3), [("bad-metadata", "raw/.zarray")]),
    "unknown_codec": (edit("raw/.zarray", compressor={"id": "nope"}), [("unsupported", "raw/.zarray")]),
    "no_compressor_member": (put("raw/.zarray", lambda d: _without(d, "compressor")), [("lenient", "raw/.zarray")]),
    "wider_dtype": (
        edit("raw/.zarray", dtype="<u4"),
        [("wrong-size", f"raw/{i}.{j}") for i in (0, 1) for j in (0, 1)],
    ),
    "dimension_attribute": (put("raw/.zattrs", b'{"_ARRAY_DIMENSIONS": ["y"]}'), [("dimension-names", "raw/.zarray")]),
    "no_root": (drop(".zgroup"), [("missing-group", "zarr.json"), ("orphan", ".zattrs")]),
    "no_group_between": (drop("a/.zgroup"), [("missing-group", "a/zarr.json")]),
    "stray_file": (put("a/x.nc", b"x"), [("orphan", "a/x.nc")]),
    "attributes_of_nothing": (put("lost/.zattrs", b"{}"), [("orphan", "lost/.zattrs")]),
    "chunk_of_other_separator": (put("raw/0/0", bytes(32)), [("orphan", "raw/0/0")]),
    "chunk_outside": (put("raw/2.0", bytes(32)), [("outside-grid", "raw/2.0")]),
    "stale_changed": (consolidated(edit("raw/.zarray", fill_value=9)), [("stale-consolidated", ".zmetadata")]),
    "stale_attributes": (consolidated(put(".zattrs", b"{}")), [("stale-consolidated", ".zmetadata")]),
    "stale_gone": (consolidated(drop("scalar/.zarray", "scalar/0")), [("stale-consolidated", ".zmetadata")]),
    "consolidated_cut": (consolidated(put(".zmetadata", lambda data: data[:99])), [("bad-json", ".zmetadata")]),
    "consolidated_form": (put(".zmetadata", b'{"metadata": {}}'), [("bad-consolidated", ".zmetadata")]),
}


def _without(data, member):
    document = json.loads(data)
    del document[member]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("zarr_format", "name"), [*((3, name) for name in V3), *((2, name) for name in V2)], ids=lambda value: str(value)
)
def test_a_planted_fault_is_found_and_no_other(zarr_format, name):
    damage, expected = {2: V2, 3: V3}[zarr_format][name]
    store = grown(zarr_format)
    damage(store)
    assert found(store) == sorted(expected)


def test_dimensions_of_one_name_have_one_length_within_a_group():
    store = {}
    for name, length in (("t", 10), ("x", 12)):
        zarr.create_array(store, name=name, shape=(length,), dtype="u1", dimension_names=["time"])
    assert found(store, chunks=False) == [("dimension-length", "x/zarr.json")]


def test_the_scales_of_one_image_may_differ_in_length():
    store = {}
    zarr.create_group(store, attributes={"ome": {"version": "0.5", "multiscales": []}})
    for name, length in (("0", 10), ("1", 5)):
        zarr.create_array(store, name=name, shape=(length,), dtype="u1", dimension_names=["x"])
    assert found(store) == []


# --- chunks


def compressed(*chain, data_type="uint16", values=None):
    values = np.arange(64, dtype=data_type) if values is None else values
    store = {}
    a = zarr.create_array(store, shape=values.shape, chunks=values.shape, dtype=values.dtype, codecs=list(chain))
    a[...] = values
    return store


CHAINS = {
    "raw": [LITTLE],
    "gzip": [LITTLE, GZIP],
    "zlib": [LITTLE, codec("numcodecs.zlib", level=1)],
    "bz2": [LITTLE, codec("numcodecs.bz2", level=1)],
    "lzma": [LITTLE, codec("numcodecs.lzma", preset=1)],
    "zstd": [LITTLE, codec("zstd", level=1, checksum=False)],
    "zstd_checksum": [LITTLE, codec("zstd", level=1, checksum=True)],
    "lz4": [LITTLE, codec("numcodecs.lz4", acceleration=1)],
    "blosc": [LITTLE, codec("blosc", cname="lz4", clevel=5, shuffle="shuffle", typesize=2, blocksize=0)],
    "crc32c": [LITTLE, CRC32C],
    "zstd_crc32c": [LITTLE, codec("zstd", level=1, checksum=False), CRC32C],
    "crc32c_zstd": [LITTLE, CRC32C, codec("zstd", level=1, checksum=False)],
    "adler32": [LITTLE, codec("numcodecs.adler32")],
    "fletcher32": [LITTLE, codec("numcodecs.fletcher32")],
    "shard_crc32c": [sharding([32], [LITTLE, CRC32C])],
    "shard_raw": [sharding([32], [LITTLE])],
    "crc32c_over_shard": [sharding([32], [LITTLE]), CRC32C],
}
PROTECTED = {"gzip", "zlib", "bz2", "lzma", "zstd_checksum", "crc32c", "zstd_crc32c", "crc32c_zstd", "adler32"}
PROTECTED |= {"fletcher32", "shard_crc32c", "crc32c_over_shard"}


@pytest.mark.parametrize("name", CHAINS)
def test_a_changed_bit_is_found_or_the_array_is_said_to_be_unprotected(name):
    store = compressed(*CHAINS[name])
    original = zarr.open_array(store)[...]
    data, unnoticed = store["c/0"], 0
    for at in range(len(data)):
        changed = {**store, "c/0": data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]}
        report = doctor.examine(changed, jobs=1)
        assert {fault.key for fault in report.faults} <= {"c/0"}
        if report.ok and not np.array_equal(zarr.open_array(changed)[...], original):
            unnoticed += 1
    report = doctor.examine(store, jobs=1)
    protected = report.arrays[0].protected
    assert protected == (name in PROTECTED)
    assert unnoticed == 0 if protected else any("not protected" in note for note in report.notes)


@pytest.mark.parametrize("name", CHAINS)
def test_a_chunk_that_is_cut_emptied_lengthened_or_zeroed_is_found(name):
    store = compressed(*CHAINS[name])
    data = store["c/0"]
    same = zarr.open_array(store)[...].tolist()
    for damaged in (b"", data[:1], data[: len(data) // 2], data[:-1], data + b"\0" * 7, bytes(len(data))):
        changed = {**store, "c/0": damaged}
        report = doctor.examine(changed, jobs=1)
        harmless = damaged == bytes(len(data)) and name in ("raw", "fletcher32")  # zeros are numbers; their sum is 0
        harmless |= damaged[: len(data)] == data and report.ok and zarr.open_array(changed)[...].tolist() == same
        assert report.ok == harmless, (len(damaged), report)
        if damaged == bytes(len(data)) and not harmless and name != "shard_raw":
            assert "zero bytes" in report.faults[0].cause


def test_causes_that_the_bytes_themselves_show_are_named():
    store = compressed(LITTLE, GZIP)
    for value, words in (
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>', "error page"),
    ):
        [fault] = doctor.examine({**store, "c/0": value}).faults
        assert words in fault.cause


def test_a_chunk_in_another_chunks_place_is_found_where_their_sizes_differ():
    grid = build.rectilinear([2, 4])
    store = build.v3([6], None, "uint8", {"c/0": b"\1\2", "c/1": b"\3\4\5\6"}, chunk_grid=grid)
    swapped = {**store, "c/0": store["c/1"], "c/1": store["c/0"]}
    assert found(store) == []
    assert found(swapped) == [("wrong-size", "c/0"), ("wrong-size", "c/1")]


def test_chunks_of_one_size_that_changed_places_are_found_by_the_manifest_alone(tmp_path):
    store = MemoryStore(grown(3))
    doctor.write_manifest(store, tmp_path / "manifest")
    mapping = store.mapping
    mapping["raw/c/0/0"], mapping["raw/c/1/1"] = mapping["raw/c/1/1"], mapping["raw/c/0/0"]
    assert found(store) == []
    report = doctor.verify(store, tmp_path / "manifest")
    assert sorted((f.rule, f.key) for f in report.faults) == [("changed", "raw/c/0/0"), ("changed", "raw/c/1/1")]


# --- shards

INNER = [bytes([i] * 4) for i in range(1, 5)]
ENTRIES = [(i * 4, 4) for i in range(4)]


def sharded(value, inner=None, shape=16, **more):
    return build.v3([shape], [16], "uint8", {"c/0": value}, codecs=[sharding([4], inner or [PLAIN, CRC32C], **more)])


def sums(*pieces):
    return [build.with_crc(piece) for piece in pieces]


WITH_SUM = [(i * 8, 8) for i in range(4)]
BODY = b"".join(sums(*INNER))
SHARDS = {
    # what is stored, rules found, the inner chunk named by the first of them
    "truncated": (build.shard(sums(*INNER))[:-1], ["shard-index"], None),
    "shorter_than_its_index": (bytes(20), ["shard-index"], None),
    "empty": (b"", ["shard-index"], None),
    "lengthened": (build.shard(sums(*INNER)) + b"\0", ["shard-index"], None),
    "index_bit": (build.shard(sums(*INNER))[:-6] + b"\xff" + build.shard(sums(*INNER))[-5:], ["shard-index"], None),
    "index_in_other_byte_order": (build.shard(sums(*INNER), endian=">"), ["shard-entry"] * 4, (0,)),
    "entry_beyond": (build.assemble(BODY, [*WITH_SUM[:3], (900, 8)]), ["shard-entry"], (3,)),
    "entry_in_index": (build.assemble(BODY, [*WITH_SUM[:3], (28, 8)]), ["shard-entry"], (3,)),
    "entry_half_absent": (build.assemble(BODY, [*WITH_SUM[:3], (2**64 - 1, 8)]), ["shard-entry"], (3,)),
    "entry_length": (build.assemble(BODY, [(0, 7), *WITH_SUM[1:]]), ["shard-entry"], (0,)),
    "entry_vast": (build.assemble(BODY, [(0, 2**63), *WITH_SUM[1:]]), ["shard-entry"], (0,)),
    "inner_bit": (build.shard([*sums(*INNER[:2]), b"\0" * 8, *sums(INNER[3])]), ["checksum"], (2,)),
    "two_inner": (build.shard([b"\1" * 8, *sums(*INNER[1:3]), b"\1" * 8]), ["checksum"] * 2, (0,)),
    "overlap": (
        build.assemble(BODY, [(0, 8), (4, 8), (16, 8), (24, 8)]),
        ["shard-overlap", "checksum"],
        (1,),
    ),
}


@pytest.mark.parametrize("name", SHARDS)
def test_a_damaged_shard_is_found_with_the_inner_chunk(name):
    value, rules, inner = SHARDS[name]
    report = doctor.examine(sharded(value), jobs=1)
    assert [fault.rule for fault in report.faults] == rules
    assert report.faults[0].inner == inner
    assert {fault.key for fault in report.faults} == {"c/0"}


def test_the_same_shards_with_the_index_at_the_start():
    whole = build.shard(sums(*INNER), start=True)
    assert found(sharded(whole, index_location="start")) == []
    bad = build.assemble(BODY, [(0, 8), *[(o + 68, n) for o, n in WITH_SUM[1:]]], start=True)
    assert found(sharded(bad, index_location="start")) == [("shard-entry", "c/0")]
    assert found(sharded(whole[:67], index_location="start")) == [("shard-index", "c/0")]


def test_a_shard_that_other_codecs_wrap_is_examined_inside():
    chain = [sharding([4], [PLAIN, CRC32C]), GZIP]
    value = build.shard([*sums(*INNER[:3]), b"\0" * 8])
    store = build.v3([16], [16], "uint8", {"c/0": zlib.compress(value, wbits=31)}, codecs=chain)
    [fault] = doctor.examine(store).faults
    assert (fault.rule, fault.inner) == ("checksum", (3,))
    assert found({**store, "c/0": value}) == [("undecodable", "c/0")]


def test_a_shard_within_a_shard_is_examined_to_the_bottom():
    inner = build.shard(sums(b"\1\1", b"\2\2"))
    broken = build.shard([build.with_crc(b"\1\1"), b"\0" * 6])
    chain = [sharding([4], [sharding([2], [PLAIN, CRC32C])])]
    store = build.v3([8], [8], "uint8", {"c/0": build.shard([inner, inner])}, codecs=chain)
    assert found(store) == []
    [fault] = doctor.examine({**store, "c/0": build.shard([inner, broken])}).faults
    assert (fault.rule, fault.inner) == ("checksum", (1,))
    [fault] = doctor.examine({**store, "c/0": build.shard([inner[:-1], inner])}).faults
    assert (fault.rule, fault.inner) == ("shard-index", (0,))


def test_bytes_of_a_shard_that_no_chunk_uses_are_noted_and_no_fault():
    report = doctor.examine(sharded(build.shard(sums(*INNER), gap=b"unused")))
    assert report.ok
    assert report.arrays[0].unused == 24
    assert any("24 B in its shards" in note for note in report.notes)


def test_a_shard_is_read_in_pieces(monkeypatch):
    from tutorial_zarr.tools.doctor import chunks

    monkeypatch.setattr(chunks, "BATCH", 20)
    store = TraceStore(MemoryStore(sharded(build.shard(sums(*INNER)))))
    assert found(store) == []
    ranges = [r.byte_range for r in store.requests if r.key == "c/0" and r.verb == "GET"]
    assert ranges == [-68, (0, 16), (16, 32)]


# --- stores that fail, are huge, or hold one broken node


def test_a_broken_node_does_not_hide_its_neighbours():
    store = grown(3)
    put("a/zarr.json", b"{")(store)
    put("raw/c/0/0", b"short")(store)
    put("a/b/deep/c/1/1", b"short")(store)
    assert found(store) == [
        ("bad-json", "a/zarr.json"),
        ("wrong-size", "a/b/deep/c/1/1"),
        ("wrong-size", "raw/c/0/0"),
    ]


class Failing(MemoryStore):
    """A store that cannot read some keys."""

    def __init__(self, mapping, *bad):
        super().__init__(mapping)
        self.bad = bad

    def get(self, key, byte_range=None):
        if key in self.bad:
            raise OSError(5, "Input/output error", key)
        return super().get(key, byte_range)


def test_a_store_that_fails_on_some_keys_is_examined_for_the_rest():
    store = Failing(grown(3), "raw/c/1/0", "text/zarr.json")
    put("packed/c/0/1", b"short")(store.mapping)
    assert found(store) == [
        ("undecodable", "packed/c/0/1"),
        ("unreadable", "raw/c/1/0"),
        ("unreadable", "text/zarr.json"),
    ]


def test_a_path_without_a_node_says_so():
    assert found({}) == [("no-node", "zarr.json")]
    assert found(grown(3), "nowhere") == [("no-node", "nowhere/zarr.json")]
    assert found({"x.csv": b""}) == [("no-node", "zarr.json"), ("orphan", "x.csv")]


def test_one_node_of_a_store_can_be_examined():
    store = grown(3)
    put("raw/c/0/0", b"")(store)
    assert found(store, "a") == []
    assert found(store, "raw") == [("empty-value", "raw/c/0/0")]


def test_the_report_stays_small_and_counts_what_it_does_not_list():
    store = build.v3([5000], [1], "uint8", {f"c/{i}": b"12" for i in range(5000)})
    report = doctor.examine(store, jobs=1)
    assert report.counts == {"wrong-size": 5000}
    assert len(report.faults) == 1000
    assert "and 4,997 more" in str(report)


def test_memory_does_not_grow_with_the_number_of_chunks():
    import tracemalloc

    class Endless(MemoryStore):
        """An array of many chunks that are made when they are asked for."""

        def __init__(self, count):
            super().__init__(build.v3([count], [1], "uint8"))
            self.count = count

        def get(self, key, byte_range=None):
            return b"\1" if key.startswith("c/") else super().get(key, byte_range)

        def get_size(self, key):
            return 1 if key.startswith("c/") else super().get_size(key)

        def list_prefix(self, prefix=""):
            yield from (f"c/{i}" for i in range(self.count))
            yield "zarr.json"

    peaks = []
    for count in (200, 4_000):
        tracemalloc.start()
        report = doctor.examine(Endless(count), jobs=4)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.arrays[0].present == count
    assert peaks[1] < peaks[0] + 100_000


def test_a_chunk_larger_than_the_memory_allowed_is_said_to_be_unchecked():
    store = compressed(LITTLE, GZIP, values=np.ones(1 << 16, "u2"))
    with zarr.limits.override(memory_bytes=1 << 10):
        assert found(store) == [("too-large", "c/0")]


def test_the_progress_is_told_of_every_chunk():
    seen, store = [], build.v3([50], [1], "uint8", {f"c/{i}": b"1" for i in range(50)})
    doctor.examine(store, jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, None) for done in range(1, 51)]


def test_jobs_find_the_same():
    store = grown(3)
    for key in [key for key in store if "/c/" in key]:
        store[key] = store[key][:-1]
    assert sorted((f.rule, f.key) for f in doctor.examine(store, jobs=8).faults) == found(store)


# --- leftovers, repairs


def plant_leftover(folder, name="raw/c/0/0.deadbeef7.partial"):
    (folder / name).write_bytes(b"half")
    return str(folder / name)


def test_leftovers_of_killed_writers_are_found_in_a_folder(tmp_path):
    store = LocalStore(build.write_folder(grown(3), tmp_path))
    name = plant_leftover(tmp_path)
    assert found(store) == [("leftover", name)]
    assert found(store, "raw") == [("leftover", name)]
    assert found(store, "text") == []


def test_a_young_leftover_is_left_to_its_writer_and_an_old_one_deleted(tmp_path):
    store = LocalStore(build.write_folder(grown(3), tmp_path))
    name = plant_leftover(tmp_path)
    report = doctor.examine(store)
    [action] = doctor.repair(store, report)
    assert (action.key, action.done) == (name, False)
    [action] = doctor.repair(store, report, leftover_age=0, dry_run=True)
    assert not action.done
    assert found(store) == [("leftover", name)]
    [action] = doctor.repair(store, report, leftover_age=0)
    assert action.done
    assert found(store) == []


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_stale_consolidated_metadata_are_written_anew(zarr_format):
    store = MemoryStore(grown(zarr_format))
    zarr.consolidate_metadata(store)
    other = zarr.create_array({}, shape=(2,), dtype="u1", zarr_format=zarr_format).store  # another program's
    store.mapping.update({f"new/{key}": value for key, value in other.mapping.items()})
    before = dict(store.mapping)
    doctor.repair(store, doctor.examine(store), dry_run=True)
    assert store.mapping == before
    [action] = doctor.repair(store, doctor.examine(store))
    assert action.done
    assert found(store) == []
    assert "new" in zarr.open_consolidated(store)


def test_what_a_killed_writer_left_is_completed_or_taken_back():
    store = MemoryStore(grown(3))
    whole = dict(store.mapping)
    store.mapping.update({"new/.unfinished/mark.json": MARK, "new/c/0": b"x"})
    text = store.mapping["raw/zarr.json"].decode().replace('"attributes": {}', '"attributes": {"is": "new"}')
    mark = {**json.loads(MARK), "state": "moving", "documents": {"zarr.json": text}}
    store.mapping["raw/.unfinished/mark.json"] = json.dumps(mark).encode()
    del store.mapping["raw/zarr.json"]
    planned = doctor.repair(store, doctor.examine(store), dry_run=True)
    assert not any(action.done for action in planned)
    actions = doctor.repair(store, doctor.examine(store))
    assert [action.what.partition(" an")[0] for action in actions] == ["took back", "completed"]
    assert found(store) == []
    assert store.mapping == {**whole, "raw/zarr.json": text.encode()}


def test_a_node_that_somebody_is_making_is_left_alone():
    store = MemoryStore(grown(3))
    store.mapping["new/.unfinished/mark.json"] = MARK.replace(b'"since": 0', b'"since": %d' % time.time())
    before = dict(store.mapping)
    [action] = doctor.repair(store, doctor.examine(store))
    assert not action.done
    assert "at work" in action.what
    assert store.mapping == before


def test_a_consolidated_copy_is_kept_where_a_document_below_is_broken():
    store = MemoryStore(grown(3))
    zarr.consolidate_metadata(store)
    put("raw/zarr.json", b"{")(store.mapping)
    before = dict(store.mapping)
    [action] = doctor.repair(store, doctor.examine(store))
    assert not action.done
    assert "raw/zarr.json" in action.what
    assert store.mapping == before


def test_orphans_are_moved_only_when_named(tmp_path):
    store = MemoryStore(grown(3))
    store.set("a/notes.txt", b"keep me")
    store.set("raw/c/9/9", b"old")
    report = doctor.examine(store)
    assert doctor.repair(store, report) == []
    assert len(report.faults) == 2
    actions = doctor.repair(store, report, move=["a/notes.txt", "raw/c/0/0"], into=tmp_path)
    assert [action.done for action in actions] == [True, False]  # a chunk in its place is no orphan
    assert (tmp_path / "a" / "notes.txt").read_bytes() == b"keep me"
    assert found(store) == [("outside-grid", "raw/c/9/9")]
    with pytest.raises(ValueError, match=r"expected a folder to move it into"):
        doctor.repair(store, report, move=["raw/c/9/9"])


def test_a_store_that_was_opened_for_reading_is_not_repaired(tmp_path):
    store = LocalStore(build.write_folder(grown(3), tmp_path), read_only=True)
    with pytest.raises(zarr.errors.ReadOnlyError, match=r"expected a writable store"):
        doctor.repair(store, doctor.examine(store))


# --- manifests


def test_a_manifest_notices_each_change(tmp_path):
    store = MemoryStore(grown(3))
    count = doctor.write_manifest(store, tmp_path / "m")
    assert count == len(store.mapping)
    assert doctor.verify(store, tmp_path / "m").ok
    data = bytearray(store.mapping["raw/c/0/0"])
    data[3] ^= 4
    store.set("raw/c/0/0", bytes(data))
    store.delete("text/c/1")
    store.set("new", b"")
    report = doctor.verify(store, tmp_path / "m", jobs=3)
    assert sorted((f.rule, f.key) for f in report.faults) == [
        ("changed", "raw/c/0/0"),
        ("missing", "text/c/1"),
        ("unlisted", "new"),
    ]


def test_a_manifest_is_one_that_sha256sum_reads(tmp_path):
    import shutil
    import subprocess

    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not on this machine")
    folder = build.write_folder({**grown(3), "a line\nfeed": b"x"}, tmp_path / "store with space")
    doctor.write_manifest(LocalStore(folder), tmp_path / "m")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", tmp_path / "m"], cwd=folder, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("text", ["x\n", "0" * 64 + " a\n", "g" * 64 + "  a\n", "0" * 64 + "  \n"])
def test_a_manifest_that_is_none_is_refused_with_its_line(tmp_path, text):
    (tmp_path / "m").write_text(text)
    with pytest.raises(zarr.errors.MetadataError, match=r"line 1: expected a SHA-256 and a key"):
        doctor.verify({}, tmp_path / "m")


# --- the census


def test_the_census_counts_chunks_inside_shards():
    store = {}
    a = zarr.create_array(store, shape=(7, 8), chunks=(2, 2), shards=(4, 4), dtype="u2")
    a[:2, :3] = 1
    a[6, 7] = 1
    wanted = np.zeros((4, 4), bool)
    wanted[0, :2] = wanted[3, 3] = True
    census = doctor.census(a)
    np.testing.assert_array_equal(census.mask, wanted)
    assert (census.present, census.absent, census.total) == (3, 13, 16)
    row = doctor.examine(store).arrays[0]
    assert (row.present, row.absent, row.shards) == (3, 13, 2)
    iterated = doctor.census(a, mask_limit=1)
    assert iterated.mask is None
    for present in (True, False):
        assert sorted(iterated.coords(present)) == sorted(census.coords(present))


def test_the_census_of_an_array_of_vast_extent_is_an_iterator():
    a = zarr.create_array({}, shape=(1 << 62,), chunks=(1,), dtype="u1")
    a[5] = 1
    census = doctor.census(a)
    assert (census.mask, census.present, census.absent) == (None, 1, (1 << 62) - 1)
    assert list(census.coords()) == [(5,)]
    absent = census.coords(present=False)
    assert [next(absent) for _ in range(6)] == [(0,), (1,), (2,), (3,), (4,), (6,)]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_the_census_of_arrays_without_extent(shape):
    a = zarr.create_array({}, shape=shape, chunks=tuple(max(n, 1) for n in shape), dtype="u1")
    a[...] = 1
    assert doctor.census(a).present == doctor.census(a).total == (1 if shape == () else 0)


def test_a_shard_without_a_readable_index_stops_the_census_with_its_key():
    a = zarr.open_array(sharded(b"short"), mode="r")
    with pytest.raises(zarr.errors.ChunkError, match=r"count the chunk at key 'c/0'"):
        doctor.census(a)


def test_struct_sizes_of_the_builder_are_what_the_table_says():
    assert len(build.shard(sums(*INNER))) == struct.calcsize("<8Q") + 4 + 32


def test_a_web_server_which_lists_nothing_is_examined_by_name(tmp_path):
    import functools
    import http.server
    import threading

    pytest.importorskip("urllib3", reason="needs urllib3")
    store = LocalStore(build.write_folder(grown(3), tmp_path))
    zarr.consolidate_metadata(store)
    store.set("raw/c/0/1", b"short")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert found(url) == [("wrong-size", "raw/c/0/1")]
            assert found(url, "a/b/deep") == []
            report = doctor.examine(url)
        finally:
            server.shutdown()
            thread.join()
    assert any("lists no keys" in note for note in report.notes)
    assert [row.path for row in report.arrays] == [row.path for row in doctor.examine(store).arrays]
