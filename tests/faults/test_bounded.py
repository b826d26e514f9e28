"""Memory and time are bounded by the metadata and the limits, never by the data."""

import builtins
import bz2
import errno
import gzip
import json
import lzma
import os
import random
import threading
import time
import zlib

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import consolidation, doctor, limits, nodes
from tutorial_zarr.cli.output import json_text
from tutorial_zarr.codecs.registry import build
from tutorial_zarr.errors import ChunkError, CodecError, LimitError, MetadataError, NodeExistsError, StoreError
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import parse_json
from tutorial_zarr.stores import CacheStore, LocalStore, MemoryStore, TraceStore, bounds
from tutorial_zarr.viz import drawing
from tutorial_zarr.viz.drawing.tree import Branch, guides

from .test_hostile_data import Peak

MIB = 1 << 20
JOINED = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "numcodecs.zlib": zlib.compress,
    "numcodecs.bz2": bz2.compress,
    "numcodecs.lzma": lzma.compress,
}


# --- streams that are joined


@pytest.mark.parametrize("name", JOINED)
def test_joined_streams_decode_to_what_was_in_them(name):
    codec, rng, pack = build(Extension(name, {})), random.Random(name), JOINED[name]
    for _ in range(100):
        parts = [rng.randbytes(rng.choice([0, 0, 1, 300, 5000])) + bytes(rng.choice([0, 9000])) for _ in range(6)]
        whole, padding = b"".join(parts), bytes(rng.choice([0, 3, 1000]))
        packed = b"".join(map(pack, parts))
        assert bytes(codec.decode(packed + padding, len(whole))) == whole
        with pytest.raises(CodecError, match=f"at most {len(whole) - 1} bytes after decoding"):
            codec.decode(packed, len(whole) - 1)
        with pytest.raises(CodecError):
            codec.decode(packed[:-3], len(whole))
        with pytest.raises(Exception):  # noqa: B017 - the pipeline makes it one of ours
            codec.decode(packed + b"no stream", len(whole))


@pytest.mark.parametrize("name", JOINED)
def test_joined_streams_take_time_by_their_size_and_not_by_its_square(name):
    codec, pack = build(Extension(name, {})), JOINED[name]
    took = []
    for count in (4_000, 32_000):
        packed = pack(b"a") * count
        start = time.process_time()
        assert codec.decode(packed, count) == b"a" * count
        took.append(time.process_time() - start)
    assert took[1] < 24 * took[0] + 0.2  # eight times as much; its square would be 64 times
    with pytest.raises(CodecError, match=r"more than 10,000 empty ones"):
        codec.decode(pack(b"") * 10_002 + pack(b"abcd"), 4)


# --- sizes that are looked at first


def sparse(path, nbytes):
    """Make a file that long, of which the disk holds nothing."""
    with open(path, "r+b") as file:
        file.truncate(nbytes)


@pytest.mark.parametrize("codecs", [{"compressors": None}, {"compressors": "gzip"}, {"shards": (4,)}], ids=str)
def test_a_file_far_larger_than_a_chunk_is_not_read(tmp_path, codecs):
    array = zarr.create_array(tmp_path / "a", shape=(8,), chunks=(2,), dtype="i4", **codecs)
    array[:] = 1
    sparse(tmp_path / "a" / "c" / "0", 1 << 30)
    array = zarr.open(tmp_path / "a", mode="r")
    for act in (lambda: array[:], lambda: array[0], lambda: array.read_chunk((0,)), lambda: array.encoded_chunk((0,))):
        with Peak() as peak, pytest.raises((ChunkError, LimitError, CodecError)):
            act()
        assert peak.bytes < 64 * MIB
    with Peak() as peak:
        assert not doctor.examine(LocalStore(tmp_path / "a")).ok
    assert peak.bytes < 64 * MIB
    assert array[4:].tolist() == [1] * 4


def test_a_shard_with_much_that_is_dead_is_read_by_its_index(tmp_path):
    array = zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), shards=(4,), dtype="i4")
    array[:] = [1, 2, 3, 4]
    path = tmp_path / "a" / "c" / "0"
    data = path.read_bytes()
    index = np.frombuffer(data[-36:-4], "<u8").copy()
    dead = 20 * MIB
    index[::2] += dead
    with open(path, "wb") as file:
        file.truncate(dead)
        file.seek(dead)
        file.write(data[:-36])
        encoded = index.tobytes()
        from tutorial_zarr.codecs.checksums import crc32c

        file.write(encoded + crc32c(encoded).to_bytes(4, "little"))
    with Peak() as peak:
        assert zarr.open(tmp_path / "a", mode="r")[:].tolist() == [1, 2, 3, 4]
    assert peak.bytes < 8 * MIB


@pytest.mark.parametrize("key", ["zarr.json", ".zarray", ".zattrs", ".zmetadata"])
def test_a_document_larger_than_the_limit_is_not_read(tmp_path, key):
    root = zarr.create_group(tmp_path / "g", zarr_format=3 if key == "zarr.json" else 2, attributes={"a": 1})
    root.create_array("b", shape=(2,), dtype="i4", attributes={"a": 1})
    zarr.consolidate_metadata(tmp_path / "g")
    place = tmp_path / "g" / key if key == ".zmetadata" else tmp_path / "g" / "b" / key
    sparse(place, 1 << 30)
    options = {"mode": "r", "use_consolidated": key == ".zmetadata"}
    with Peak() as peak:
        with pytest.raises(MetadataError, match=rf"{key}: expected a document of at most 134217728 bytes"):
            zarr.open_group(tmp_path / "g", **options)["b"]
        report = doctor.examine(LocalStore(tmp_path / "g"))
    assert not report.ok
    assert peak.bytes < 16 * MIB


def test_a_bound_holds_for_its_thread_and_its_block():
    with bounds.at_most(4, lambda key, size: LimitError(f"{key} {size}")):
        with bounds.at_most(9, lambda key, size: LimitError("inner")):
            bounds.check_size("a", 9)
        with pytest.raises(LimitError, match=r"a 5"):
            bounds.check_size("a", 5)
        seen, carry = [], bounds.carried(lambda _: seen.append(bounds.room()))
        for target in (lambda: seen.append(bounds.room()), lambda: carry(0)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        assert seen[0] > 1 << 60
        assert seen[1] == 4
    bounds.check_size("a", 1 << 60)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_a_value_keeps_nobody_waiting(tmp_path):
    zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), dtype="i4")[:] = 1
    os.unlink(tmp_path / "a" / "c" / "0")
    os.mkfifo(tmp_path / "a" / "c" / "0")
    with pytest.raises((ChunkError, StoreError)):
        zarr.open(tmp_path / "a", mode="r")[:]
    os.mkfifo(tmp_path / "zarr.json")
    with pytest.raises(StoreError, match=r"key 'zarr.json': expected a file, found a special one"):
        zarr.open(tmp_path, mode="r")


# --- a shard that is not there


def test_an_absent_shard_costs_nothing_for_the_chunks_that_it_could_hold():
    n = 1 << 24
    array = zarr.create_array({}, shape=(n,), chunks=(1,), shards=(n,), dtype="u1", compressors=None, fill_value=7)
    with Peak() as peak:
        assert (array[:] == 7).all()
        assert array[5:9].tolist() == [7] * 4
        assert array.vindex[[1, n - 1]].tolist() == [7, 7]
        assert array.plan(slice(0, 10)).picture() is None
    assert peak.bytes < 3 * n


@pytest.mark.parametrize("missing", ["fill", "warn"])
def test_absent_shards_read_as_the_fill_value_in_every_selection(missing):
    store = MemoryStore()
    array = zarr.create_array(store, shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="i2", fill_value=3)
    array[4:, 4:] = 9
    model = np.full((8, 8), 3)
    model[4:, 4:] = 9
    array = zarr.open_array(store, mode="r", missing=missing)
    with np.errstate(all="ignore"):
        import warnings

        warnings.simplefilter("ignore", nodes.MissingChunksWarning)
        for key in (np.s_[:], np.s_[1:7, 2:8:3], np.s_[3], np.s_[::-1, 5], np.s_[0:0]):
            assert (array[key] == model[key]).all()
        assert (array.oindex[[0, 5], [7, 1]] == model[np.ix_([0, 5], [7, 1])]).all()
        assert (array.vindex[[0, 5], [7, 6]] == model[[0, 5], [7, 6]]).all()


# --- a cache


class Endless(MemoryStore):
    def get(self, key, byte_range=None):
        return b"x" * self.length


def test_a_cache_counts_the_keys_it_has_seen():
    for length in (1000, 1):
        inside = Endless()
        inside.length = length
        with Peak() as peak:
            cache = CacheStore(inside, max_bytes=MIB)
            for i in range(30_000):
                cache.get(f"a/c/{i}")
        assert peak.bytes < 4 * MIB, length
        assert len(cache._keys) == len(cache._memory)
        assert cache._kept == sum(500 + len(key) for key, _ in cache._memory)
    cache.clear()
    assert (cache._kept, cache.nbytes, cache._keys) == (0, 0, {})


def test_a_cache_on_the_disk_counts_its_keys_too(tmp_path):
    inside = Endless()
    inside.length = 10
    cache = CacheStore(inside, max_bytes=100, folder=tmp_path)
    for i in range(6_000):
        cache.get(str(i))
    assert cache._kept <= MIB
    assert len(os.listdir(cache._folder)) == len(cache._disk) < 2_200
    cache.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", ["emptied", "gone", "full", "shorter"])
def test_a_cache_whose_folder_fails_is_only_slower(tmp_path, trouble, monkeypatch):
    inside = MemoryStore({str(i): bytes([i]) * 300 for i in range(20)})
    trace = TraceStore(inside)
    cache = CacheStore(trace, max_bytes=700, folder=tmp_path)
    for i in range(9):
        cache.get(str(i))
    for file in list((tmp_path / os.path.basename(cache._folder)).iterdir()):
        if trouble in ("emptied", "gone"):
            file.unlink()
        elif trouble == "shorter":
            file.write_bytes(b"x")
    if trouble == "gone":
        os.rmdir(cache._folder)
    if trouble == "full":
        real = builtins.open

        def full(path, mode="r", *rest, **options):
            if "w" in mode:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(path, mode, *rest, **options)

        monkeypatch.setattr(builtins, "open", full)
    for i in [*range(20), *range(20)]:
        assert cache.get(str(i)) == inside.get(str(i))
    monkeypatch.undo()
    cache.forget("3")
    cache.close()
    assert cache._kept == cache.nbytes == cache.disk_nbytes == 0


# --- pages and terminals


def test_a_page_about_many_attributes_and_members_is_cut_and_says_so():
    store = {}
    array = zarr.create_array(store, shape=(4,), dtype="i4", attributes={f"k{i}": i for i in range(100_000)})
    html = array._repr_html_()
    assert len(html) < 200_000
    assert "100,000 attributes" in html
    assert "and 99,500 more" in html
    assert "and 99,980 more" in repr(array.info)
    member = json.loads(zarr.create_array({}, shape=(4,), dtype="i4").store.mapping["zarr.json"])
    group = {"zarr_format": 3, "node_type": "group"}
    listed = {f"{g}": group for g in range(30)} | {f"{g}/x{i}": member for g in range(30) for i in range(500)}
    member = {"kind": "inline", "must_understand": False, "metadata": listed}
    root = zarr.open({"zarr.json": json.dumps({**group, "consolidated_metadata": member}).encode()}, mode="r")
    html = root._repr_html_()
    assert "15,030 nodes" in html
    assert html.count("<li>") <= drawing.MOST_NODES + 31
    assert "and others" in html
    assert "group, not opened" in html
    assert len(str(root.tree()).splitlines()) == 15_031


def chain(depth):
    """Groups inside each other."""
    document = b'{"zarr_format":3,"node_type":"group"}'
    return {"/".join("a" * level) + ("/zarr.json" if level else "zarr.json"): document for level in range(depth + 1)}


@pytest.mark.parametrize("consolidated", [False, True])
def test_of_a_deep_hierarchy_all_is_found(consolidated):
    depth = 1100  # more than Python's stack
    store = chain(depth)
    if consolidated:
        zarr.consolidate_metadata(store)
    root = zarr.open_group(store, mode="r")
    assert sum(1 for _ in root.members(None)) == depth
    assert sum(1 for _ in root.walk()) == depth + 1
    assert sum(1 for _ in root.glob("**/a")) == depth
    text = str(root.tree()).splitlines()
    assert len(text) == depth + 1
    assert text[-1].endswith(f"level {depth}: a")
    assert "1,036 nodes below, not shown here" in root.tree()._repr_html_()
    assert len(consolidation.recorded(MemoryStore(store), "", 3) or ()) == (depth if consolidated else 0)


def test_what_lies_deeper_than_the_limit_is_an_error_and_not_a_part(tmp_path):
    store = chain(12)
    root = zarr.open_group(store)
    with limits.override(levels=10):
        for act in (
            lambda: list(root.members(None)),
            lambda: list(root.walk()),
            lambda: str(root.tree()),
            lambda: doctor.examine(MemoryStore(store)),
            lambda: zarr.consolidate_metadata(store),
        ):
            with pytest.raises(LimitError, match=r"at most 10 groups inside each other, the limit levels, found 11"):
                act()
        assert len(list(root.members(5))) == 6


@pytest.mark.skipif(os.name == "nt", reason="Windows has shorter paths")
def test_folders_deeper_than_the_stack_and_than_a_path_may_be(tmp_path):
    store, depth = LocalStore(tmp_path), 1100
    key = "/".join("a" * depth) + "/zarr.json"
    store.set(key, b"{}")
    assert list(store.list_prefix()) == [key]
    assert store.get(key) == b"{}"
    assert LocalStore(tmp_path).get(key) == b"{}"
    too_long = "/".join(["a" * 200] * 40)
    for act in (lambda: store.set(too_long, b""), lambda: list(store.list_prefix(too_long))):
        with pytest.raises(StoreError):
            act()
    store.delete_prefix("a")
    assert list(store.list_prefix()) == []


def test_guides_draw_every_node_in_order():
    root = Branch("r", "group", branches=[Branch("x", "group", branches=[Branch("y", "array")]), Branch("z", "array")])
    lines = [guide + branch.name for guide, branch in guides(root, lambda branch: branch.branches)]
    assert lines == ["r", "├── x", "│   └── y", "└── z"]


def test_consolidated_metadata_is_parsed_as_it_is_asked_for(monkeypatch):
    store, parsed = {}, []
    root = zarr.create_group(store)
    for i in range(20):
        root.create_array(f"g/x{i}", shape=(2,), dtype="i4")
    zarr.consolidate_metadata(store)
    parse = nodes.consolidated.v3.parse
    monkeypatch.setattr(nodes.consolidated.v3, "parse", lambda *a, **k: parsed.append(a[1]) or parse(*a, **k))
    root = zarr.open_group(store, mode="r")
    assert root["g"]["x3"].shape == (2,)
    assert len(parsed) < 5
    assert len(list(root["g"].keys())) == 20


def test_json_for_programs_is_json_whatever_is_in_it():
    report = {"a\u202e\x9b": [float("nan"), float("-inf"), 1.5, "\ud800\U000e0001 é"], "b": (True, None)}
    for only_ascii in (False, True):
        text = json_text(report, only_ascii)
        assert text.isascii() == only_ascii
        found = json.loads(text, parse_constant=pytest.fail)
        assert found == {"a\u202e\x9b": ["NaN", "-Infinity", 1.5, "\ud800\U000e0001 é"], "b": [True, None]}
        assert all(c.isprintable() or c == "\n" for c in text)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(LimitError, match=r"too many levels inside each other"):
        json_text(deep)


def test_how_deep_json_is_nested_is_counted_as_it_is_read():
    def depth(value):
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inside is None else 1 + max(map(depth, inside), default=0)

    rng = random.Random(0)

    def grown(levels):
        leaf = rng.choice([1, 'a[[[{{"\\', "\\\\]]}", {}, []])
        for _ in range(levels):
            leaf = [leaf, "]["] if rng.random() < 0.5 else {'k[{"': leaf, "b": {}}
        return leaf

    for _ in range(200):
        value = {"a": grown(rng.randint(90, 104)), "many": [[]] * 120}
        if depth(value) <= 100:
            parse_json(json.dumps(value).encode(), "k")
        else:
            with pytest.raises(MetadataError, match=r"at most 100 levels"):
                parse_json(json.dumps(value).encode(), "k")
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b"]" * 100 + b"[" * 200):
        with pytest.raises(MetadataError):
            parse_json(text, "k")


# --- other people's files


@pytest.mark.parametrize("name", ["meta", "attrs", "thesis.partial", "notes.txt", "sub/meta"])
def test_a_file_that_is_not_zarrs_is_not_overwritten(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(NodeExistsError, match=r"would delete more than Zarr"):
        zarr.create_array(tmp_path, shape=(4,), dtype="i4", overwrite=True)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", [".DS_Store", "._zarr.json", "Thumbs.db", "desktop.ini", "c/.DS_Store"])
def test_what_a_system_scatters_blocks_nobody(name, tmp_path):
    zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), dtype="i4")[:] = 1
    (tmp_path / "a" / name).write_bytes(b"\0")
    zarr.create_array(tmp_path / "a", shape=(2,), dtype="i4", overwrite=True)[:] = 5
    assert zarr.open(tmp_path / "a")[:].tolist() == [5, 5]


def test_documents_of_version_1_are_zarrs_where_they_are_documents(tmp_path):
    document = {"zarr_format": 1, "shape": [2], "chunks": [2], "dtype": "<i4", "compression": None}
    document |= {"compression_opts": None, "fill_value": 0, "order": "C"}
    (tmp_path / "meta").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "attrs").write_text("{}", encoding="utf-8")
    (tmp_path / "0").write_bytes(bytes(8))
    assert zarr.open(tmp_path, mode="r").shape == (2,)
    assert zarr.create_array(tmp_path, shape=(3,), dtype="i4", overwrite=True).shape == (3,)
    assert not (tmp_path / "meta").exists()


# --- what the hostile corpus found


def test_attributes_are_copied_out_one_by_one():
    found = {f"k{i}": [i] for i in range(20_000)}
    array = zarr.create_array({}, shape=(4,), dtype="i4", attributes=found)
    start = time.process_time()
    assert dict(array.attrs) == dict(array.attrs.items()) == array.attrs.asdict() == found
    assert time.process_time() - start < 5
    array.attrs["k0"].append(1)
    array.attrs.asdict()["k1"].append(1)
    assert (array.attrs["k0"], array.attrs["k1"], "k2" in array.attrs, "x" in array.attrs) == ([0], [1], True, False)


def test_a_long_text_as_fill_value_counts_for_each_element():
    array = zarr.create_array({}, shape=(1 << 16,), chunks=(1 << 10,), dtype="string", fill_value="x" * 100_000)
    with limits.override(memory_bytes=64 * MIB), pytest.raises(LimitError, match=r"would take 6.2 GiB"):
        array[:]
    assert array[3] == "x" * 100_000
    assert (zarr.create_array({}, shape=(1 << 16,), dtype="string", fill_value="short")[:] == "short").all()


def test_a_plan_for_rechunking_is_bounded_by_memory():
    array = zarr.create_array({}, shape=(1 << 50,), chunks=(1 << 20,), dtype="u1")
    with pytest.raises(LimitError, match=r"rechunk: axis 0: .*planning for its chunks would take"):
        zarr.rechunk(array, {}, chunks=(2,), dry_run=True)


def test_a_copy_looks_at_the_size_of_what_it_copies(tmp_path):
    zarr.create_array(tmp_path / "a", shape=(4,), dtype="u1")[:] = 1
    sparse(tmp_path / "a" / "c" / "0", 1 << 30)
    with limits.override(memory_bytes=MIB), Peak() as peak, pytest.raises(LimitError, match=r"at most 1048576 bytes"):
        zarr.copy(zarr.open(tmp_path / "a", mode="r"), tmp_path / "b")
    assert peak.bytes < 8 * MIB


def test_the_lint_looks_at_arrays_that_are_alike_once():
    pytest.importorskip("tutorial_zarr.interop.lint")
    from tutorial_zarr.interop import lint

    root = zarr.create_group({})
    for name in ("a", "b"):
        root.create_array(name, shape=(4,), dtype="i4", shards=(4,), chunks=(2,))
    matrix = lint.Matrix(lint.stored_matrix().data)
    found = list(lint.lint(root.store, ["gdal"], matrix))
    assert {finding.array for finding in found} == {"a", "b"}
    assert len(matrix.linted) == 1
    assert [f.change for f in found if f.array == "a"] == [f.change for f in found if f.array == "b"]
