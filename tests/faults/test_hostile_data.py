"""Stores made to do harm, against the limits that are named in `tutorial_zarr.limits`.

What each attack costs is measured: memory that is taken, or the seconds within which a process must have ended.
The bombs that the metadata give away (a chunk's size is known, and more comes out) are in `tests/spec/test_hostile`;
here are those where the size is open, and those in containers and documents.
"""

import bz2
import gzip
import json
import lzma
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import limits, viz
from tutorial_zarr.errors import LimitError, MetadataError, NodeNameError, ZarrError
from tutorial_zarr.stores import MemoryStore, ZipStore

sys.path.insert(0, str(Path(__file__).parents[1]))

from spec import build
from spec.build import CRC32C, Peak, codec, le, sharding, v2, v3

MIB = 1 << 20
ZEROS = bytes(24 * MIB)
ALLOWED = {"unsized_bytes": 4 * MIB}


# --- chunks whose decoded size is open

PACKED = {
    "gzip": (gzip.compress(ZEROS, mtime=0), codec("gzip", level=1)),
    "zlib": (zlib.compress(ZEROS), codec("numcodecs.zlib", level=1)),
    "bz2": (bz2.compress(ZEROS), codec("numcodecs.bz2", level=1)),
    "lzma": (lzma.compress(ZEROS), codec("numcodecs.lzma")),
    "zstd": (build.zstd_bomb(192), codec("zstd", level=1, checksum=False)),
}


def with_native_bombs():
    """The same of the compressors that numcodecs brings, written by them."""
    from numcodecs import LZ4, Blosc

    # no line for lz4 in blosc: a block of either is the same
    return PACKED | {
        "lz4": (LZ4().encode(ZEROS), codec("numcodecs.lz4", acceleration=1)),
        "blosc": (
            Blosc("zstd").encode(ZEROS),
            codec("blosc", cname="zstd", clevel=5, shuffle="noshuffle", typesize=1, blocksize=0),
        ),
    }


def wrappings(stored, compressor):
    """Text in one chunk: the bomb alone, under a checksum, within itself, and in a shard."""
    text = {"fill": "", "codecs": None}
    alone = [codec("vlen-utf8"), compressor]
    yield "alone", v3([6], [6], "string", {"c/0": stored}, **text | {"codecs": alone})
    yield "checksum", v3([6], [6], "string", {"c/0": build.with_crc(stored)}, **text | {"codecs": [*alone, CRC32C]})
    twice = gzip.compress(stored, mtime=0)
    yield "chain", v3([6], [6], "string", {"c/0": twice}, **text | {"codecs": [*alone, codec("gzip", level=1)]})
    shard = {"c/0": build.shard([stored])}
    yield "shard", v3([6], [6], "string", shard, **text | {"codecs": [sharding([6], alone)]})


@pytest.mark.parametrize("name", [*PACKED, "lz4", "blosc"])
def test_a_bomb_among_text_of_any_length_stops_at_the_limit(name):
    for how, store in wrappings(*with_native_bombs()[name]):
        with limits.override(**ALLOWED), Peak() as peak, pytest.raises(ZarrError, match=r"'c/0'.*after decoding"):
            zarr.open_array(store, mode="r")[...]
        assert peak.bytes < 20 * MIB, how  # xz by itself takes 8 for its dictionary


@pytest.mark.parametrize("compressor", ["zlib", "gzip", "bz2", "lzma"])
def test_a_bomb_in_a_filter_of_zarr_2_stops_at_the_size_of_the_chunk(compressor):
    store = v2([6], [6], "|u1", {"0": PACKED[compressor][0]}, filters=[{"id": compressor}])
    with Peak() as peak, pytest.raises(ZarrError, match=r"'0'.*at most 6 bytes after decoding"):
        zarr.open_array(store, mode="r")[...]
    assert peak.bytes < 12 * MIB


@pytest.mark.parametrize("version", [2, 3])
def test_a_bomb_of_pcodec_stops_at_the_size_of_the_chunk(version):
    standalone = pytest.importorskip("pcodec", reason="needs pcodec").standalone
    config = __import__("pcodec").ChunkConfig()
    many = standalone.simple_compress(np.zeros(1 << 22, "f4"), config)
    hint = bytearray(standalone.simple_compress(np.arange(6, dtype="f4"), config))
    hint[6:7] = b"\xff\xff\xff\xff\xff\xff"  # "about 2^63 numbers follow"
    for stored in (many, bytes(hint)):
        if version == 3:
            store = v3([6], [6], "float32", {"c/0": stored}, codecs=[codec("numcodecs.pcodec")])
        else:
            store = v2([6], [6], "<f4", {"0": stored}, filters=[{"id": "pcodec"}])
        code = "import tutorial_zarr as z, sys; z.open_array(eval(sys.argv[1]), mode='r')[...]"
        done = subprocess.run(
            [sys.executable, "-c", code, repr(store)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
            check=False,
        )
        assert done.returncode == 1, done.stderr  # an exception of Python's, and no abort
        assert "ChunkError" in done.stderr


@pytest.mark.parametrize("rest", range(1, 9))
def test_a_zstd_frame_that_ends_early_hangs_nobody(rest):
    store = v3([8], [8], "uint8", codecs=[codec("bytes"), codec("zstd", level=1, checksum=False)])
    whole = build.zstd_frame(b"12345678", size=False)
    store["c/0"] = whole + whole[:rest]
    code = "import tutorial_zarr as z, sys; z.open_array(eval(sys.argv[1]), mode='r')[...]"
    done = subprocess.run(
        [sys.executable, "-c", code, repr(store)],
        timeout=60,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
        check=False,
    )
    assert "ChunkError" in done.stderr


# --- what a read would take

VAST = {
    "petabytes": v3([1 << 53], [1 << 20], "uint8"),
    "petabytes_in_one_chunk": v3([1 << 53], [1 << 53], "uint8"),
    "v2": v2([1 << 40, 1 << 13], [1, 1 << 13], "|u1"),
    "sharded": v3([1 << 53], [1 << 20], "uint8", codecs=[sharding([1 << 10], [codec("bytes")])]),
}


@pytest.mark.parametrize("name", VAST)
def test_opening_petabytes_is_free_and_reading_them_says_what_it_would_take(name):
    with Peak() as peak:
        a = zarr.open_array(VAST[name], mode="r")
        with pytest.raises(
            LimitError, match=r"array at the root .*would take 8.0 PiB; try a smaller selection"
        ) as raised:
            a[...]
        assert raised.value.nbytes == 1 << 53
        with pytest.raises(MemoryError, match=r"would take"):
            a.oindex[...]
    assert peak.bytes < 4 * MIB


def test_the_memory_that_a_read_may_take_can_be_set():
    a = zarr.create_array({}, shape=(1000,), chunks=(100,), dtype="f8")
    with limits.override(memory_bytes=4000):
        assert a[:500].shape == (500,)
        with pytest.raises(LimitError, match=r"at most 3.9 KiB, the limit memory_bytes, found .* take 7.9 KiB"):
            a[...]
    assert a[...].shape == (1000,)


def test_a_chunk_that_honestly_decodes_to_more_than_is_allowed_is_named():
    store = {}
    a = zarr.create_array(store, shape=(1 << 16,), chunks=(1 << 16,), dtype="u1", compressors=["gzip"], filters=None)
    b = zarr.create_array({}, shape=(4, 1 << 16), chunks=(4, 1 << 16), dtype="u1", order="F", zarr_format=2)
    for array in (a, b):
        array[...] = 7
    with limits.override(memory_bytes=1 << 12), pytest.raises(ZarrError, match=r"key '0.0': .*take 256.0 KiB"):
        b[0, :3]


# --- documents


def nested(depth):
    return b'{"zarr_format": 3, "node_type": "group", "attributes": {"a": ' + b"[" * depth + b"]" * depth + b"}}"


def test_a_document_may_be_nested_as_deep_as_the_limit_and_no_deeper():
    deep = limits.current().json_depth - 2
    group = zarr.open_group({"zarr.json": nested(deep)}, mode="r")
    assert dict(group.attrs)["a"] is not None
    with pytest.raises(MetadataError, match=r"zarr.json: expected JSON of at most 100 levels, the limit json_depth"):
        zarr.open_group({"zarr.json": nested(deep + 1)}, mode="r")
    with limits.override(json_depth=500):
        zarr.open_group({"zarr.json": nested(200)}, mode="r")


def test_brackets_within_text_are_not_levels():
    text = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"a": '[{"\\' * 1000}})
    assert zarr.open_group({"zarr.json": text.encode()}, mode="r").attrs["a"] == '[{"\\' * 1000


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 100_000 + b"[" * 200, b'\\"' * 100_000 + b"[" * 200, b'"' * 200_001])
def test_the_depth_of_a_hostile_text_is_found_in_one_pass(data):
    start = time.process_time()
    with pytest.raises(MetadataError, match=r"zarr.json"):
        zarr.open_group({"zarr.json": data + b"[" * 101}, mode="r")
    assert time.process_time() - start < 20  # a pass for each quote would take hours


def test_a_document_may_be_as_long_as_the_limit_and_no_longer():
    data = b'{"zarr_format": 3, "node_type": "group"}'.ljust(5000)
    zarr.open_group({"zarr.json": data}, mode="r")
    with limits.override(document_bytes=4999), pytest.raises(MetadataError, match=r"at most 4999 bytes, the limit"):
        zarr.open_group({"zarr.json": data}, mode="r")


MANY = {
    "v3": v3([6], [6], "uint8", codecs=[codec("bytes")] + [CRC32C] * 100_000),
    "v3_inside": v3([6], [6], "uint8", codecs=[sharding([6], [codec("bytes")] + [CRC32C] * 100_000)]),
    "v2": v2([6], [6], "|u1", filters=[{"id": "zlib"}] * 100_000),
}


@pytest.mark.parametrize("name", MANY)
def test_a_chain_of_very_many_codecs_is_refused_before_it_is_built(name):
    with pytest.raises(MetadataError, match=r"expected at most 64 codecs, the limit codecs, found 10000[01]"):
        zarr.open_array(MANY[name], mode="r")


def test_a_run_length_cannot_list_more_chunks_than_the_limit():
    grid = build.rectilinear([[1, 1 << 20]], [[1, 1]])
    store = v3([1 << 20, 1], None, "uint8", chunk_grid=grid)
    with Peak() as peak, pytest.raises(MetadataError, match=r"at most 1048576 chunks on all axes together"):
        zarr.open_array(store, mode="r")
    assert peak.bytes < 128 * MIB
    with limits.override(listed_chunks=1 << 21):
        assert zarr.open_array(store, mode="r").nchunks == 1 << 20


def test_a_grid_of_very_many_chunks_is_walked_lazily():
    a = zarr.open_array(v3([1 << 62, 1 << 62], [1, 1], "uint8"), mode="r")
    with Peak() as peak:
        steps = iter(a.grid)
        assert [next(steps) for _ in range(2)] == [(0, 0), (0, 1)]
        assert next(iter(a.chunk_stream(stored_only=False)))[0] == (0, 0)
    assert peak.bytes < MIB


def test_very_many_axes_are_refused_and_very_many_attributes_read():
    with pytest.raises(ZarrError, match=r"at most 64 axes"):
        zarr.open_array(v3([1] * 10_000, [1] * 10_000, "uint8"), mode="r")
    many = {f"a{i}": i for i in range(100_000)}
    assert len(zarr.open_array(v3([1], [1], "uint8", attributes=many), mode="r").attrs) == 100_000


@pytest.mark.parametrize("entry", ["x", 3, None, [], True])
@pytest.mark.parametrize("entries", ["a/.zgroup", "a/.zarray", "a/.zgroup a/.zattrs", "a"])
def test_an_entry_of_consolidated_metadata_that_is_no_object_is_left_out_with_a_word(entries, entry):
    *first, last = entries.split()
    listed = {name: {"zarr_format": 2} for name in first} | {last: entry}
    if last == "a":
        listed["good"] = {"zarr_format": 3, "node_type": "group"}
        stored = {"zarr.json": {**listed["good"], "consolidated_metadata": {"kind": "inline", "metadata": listed}}}
    else:
        listed["good/.zgroup"] = {"zarr_format": 2}
        stored = {".zgroup": {"zarr_format": 2}, ".zmetadata": {"zarr_consolidated_format": 1, "metadata": listed}}
    group = zarr.open_group({key: json.dumps(value).encode() for key, value in stored.items()}, mode="r")
    with pytest.warns(Warning, match="left out 'a'"):
        assert [path for path, _ in group.members(None)] == ["good"]


# --- zip files and names


def packed(place, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(place, "w", method) as file:
        for name, value in entries.items():
            file.writestr(name, value)
    return place


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_among_the_entries_of_a_zip_file_stops_at_the_limit(tmp_path, method):
    place = packed(tmp_path / "bomb.zip", v3([6], [6], "uint8", {"c/0": ZEROS}), method)
    with limits.override(**ALLOWED), Peak() as peak, pytest.raises(ZarrError, match=r"'c/0'.* at most"):
        zarr.open_array(str(place), mode="r")[...]
    assert peak.bytes < 12 * MIB


def test_an_entry_that_says_to_be_small_and_is_not_stops_at_what_it_said(tmp_path):
    place = packed(tmp_path / "bomb.zip", v3([6], [6], "uint8", {"c/0": ZEROS}))
    data = place.read_bytes()
    place.write_bytes(data.replace(le("I", len(ZEROS)), le("I", 6)))
    with Peak() as peak, pytest.raises(ZarrError, match=r"c/0"):
        zarr.open_array(str(place), mode="r")[...]
    assert peak.bytes < 8 * MIB


LEAVING = ["../x", "a/../../x", "/etc/x", "a//b", "a\\..\\..\\x", "\\x", "..", "a\0b"]


@pytest.mark.parametrize("name", LEAVING)
def test_a_name_that_leaves_the_store_is_refused_everywhere(tmp_path, name):
    folder = zarr.stores.LocalStore(tmp_path / "store")
    for store in (folder, MemoryStore()):
        with pytest.raises(NodeNameError, match=r"expected names joined by '/'"):
            store.set(name, b"x")
    if "\0" not in name:  # zipfile itself cuts a name there
        with pytest.raises(NodeNameError, match=r"would leave the store; refusing the file"):
            ZipStore(packed(tmp_path / "x.zip", {name: b""}))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("unit", ["Y", "D", "s"])
def test_a_time_without_a_date_is_shown(unit, zarr_format):
    a = zarr.create_array({}, shape=2, dtype=f"M8[{unit}]", fill_value=0, zarr_format=zarr_format)
    key = "zarr.json" if zarr_format == 3 else ".zarray"
    far = bytes(a.store.get(key)).replace(b'"fill_value": 0', b'"fill_value": 9223372036854775807')
    assert far != a.store.get(key)
    a.store.set(key, far)
    shown = zarr.open_array(a.store, mode="r")
    assert "9223372036854775807" in repr(shown.info) or str(shown.fill_value) in repr(shown.info)
    assert shown._repr_html_()
    assert str(viz.anatomy(shown))


def test_bare_lengths_are_lists_in_whatever_is_made_of_them():
    store = {key: bytes(value) for key, value in v2(3, 2, "<i4", {"0": le("i", 1, 2), "1": le("i", 3, 0)}).items()}
    target = {}
    zarr.convert.to_v3(store, target=target)
    assert zarr.open_array(target, mode="r", strict=True)[...].tolist() == [1, 2, 3]
    array = zarr.open_array(store, mode="r+")
    array.resize(4)
    assert zarr.open_array(store, mode="r", strict=True)[...].tolist() == [1, 2, 3, 0]


def test_text_of_no_length_is_an_array_or_an_error_of_ours():
    store = v2([3], [3], "<U0", {"0": b""}, fill=None)
    try:
        assert zarr.open_array(store, mode="r")[...].tolist() == [""] * 3
    except ZarrError:
        pass
