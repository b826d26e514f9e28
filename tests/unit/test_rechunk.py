"""`rechunk`: what it plans, what it reads, what it holds in memory, and that it can be cut short anywhere."""

from __future__ import annotations

import itertools
import math
import threading
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutorial_zarr as zarr
from tutorial_zarr.errors import (
    ChunkError,
    ConversionError,
    MemoryBudgetError,
    MetadataError,
    NodeExistsError,
    StoreError,
    ZarrError,
)
from tutorial_zarr.stores import CacheStore, LocalStore, MemoryStore, PrefixStore, TraceStore, WrapperStore
from tutorial_zarr.tools.convert import content_hash, rechunk
from tutorial_zarr.tools.convert.plan import make_plan
from tutorial_zarr.tools.convert.rechunking import parse_bytes, plan_rechunk, target_metadata
from tutorial_zarr.tools.doctor import examine, repair
from tutorial_zarr.words import size_text


def rows(shape=(60, 40), chunks=(1, 40), **options):
    """An array whose chunks are rows, of numbers that are all different."""
    return zarr.create_array(
        data=np.arange(1, math.prod(shape) + 1, dtype="i4").reshape(shape), chunks=chunks, **options
    )


def chunk_requests(store, verb):
    return [
        r for r in store.requests if r.verb == verb and r.key.rpartition("/")[2].lstrip("c.").replace(".", "").isdigit()
    ]


# --- the plan


@pytest.mark.parametrize(
    ("memory", "passes"),
    [("1 MiB", 1), (5000, 2), (2500, 2), (1200, 2)],
)
def test_it_reads_and_writes_exactly_what_was_planned(memory, passes):
    source, target, temp = TraceStore(rows().store), TraceStore(MemoryStore()), TraceStore(MemoryStore())
    array = zarr.open_array(source, mode="r")
    plan = rechunk(array, target, chunks=(60, 1), memory=memory, temp=temp, workers=1, dry_run=True)
    assert len(plan.passes) == passes
    assert not target.count("PUT")
    source.clear()
    new = rechunk(array, target, chunks=(60, 1), memory=memory, temp=temp, workers=1)
    assert len(chunk_requests(source, "GET")) == plan.passes[0].reads
    assert len(chunk_requests(target, "PUT")) == plan.passes[-1].writes == 40
    if passes == 2:
        assert len(chunk_requests(source, "GET")) == 60  # each chunk once
        assert len(chunk_requests(temp, "PUT")) == len(chunk_requests(temp, "GET")) == plan.passes[0].writes
    assert chunk_requests(target, "GET") == []  # whole write units: nothing is read to be changed
    assert new.chunks == (60, 1)
    assert np.array_equal(new[...], array[...])
    assert sorted(temp.store.mapping) == []
    assert sorted(target.store.mapping) == sorted([*(f"c/0/{i}" for i in range(40)), "zarr.json"])


def test_a_plan_is_printed_with_passes_memory_reads_and_writes():
    plan = rechunk(rows(), {}, chunks=(60, 1), memory=2500, workers=1, dry_run=True)
    first = plan.passes[0]
    memory = f"at most {size_text(plan.peak)} in memory (allowed are 2.4 KiB)"
    one, two = [f"{p.nregions} regions of {p.region_shape}" for p in plan.passes]
    assert str(plan).splitlines() == [
        f"rechunk (60, 40), 9.4 KiB: 2 passes, {memory}, 1 at once",
        f"  1. source to between: {one}, 60 chunks read, {first.writes} write units written",
        f"  2. between to target: {two}, {first.writes} chunks read, 40 write units written",
        "  every element is read twice and written twice",
    ]
    assert plan.to_json()["reads"] == plan.reads == 60 + plan.passes[0].writes


def test_a_budget_that_is_too_small_says_the_smallest_that_does():
    array = rows()
    with pytest.raises(MemoryBudgetError, match=r"memory budget of at least \d+ bytes .* found 100 B") as caught:
        rechunk(array, {}, chunks=(60, 1), memory=100)
    smallest = caught.value.smallest
    with pytest.raises(MemoryBudgetError, match=f"at least {smallest} bytes"):
        rechunk(array, {}, chunks=(60, 1), memory=smallest - 1)
    assert np.array_equal(rechunk(array, {}, chunks=(60, 1), memory=smallest)[...], array[...])


edges = st.lists(st.integers(1, 6), min_size=1, max_size=6).map(lambda lengths: [0, *itertools.accumulate(lengths)])


@st.composite
def two_grids(draw):
    """Edges of two grids over one shape, along up to three axes."""
    source, target = [], []
    for _ in range(draw(st.integers(0, 3))):
        end = draw(st.integers(0, 12))
        for side in (source, target):
            side.append(sorted({0, end, *draw(st.lists(st.integers(0, end), max_size=5))}))
    return source, target


@given(grids=two_grids(), memory=st.integers(1, 20_000), itemsize=st.sampled_from([1, 4]), workers=st.integers(1, 3))
def test_every_plan_covers_each_element_once_with_whole_units_and_within_its_budget(grids, memory, itemsize, workers):
    source, target = grids
    try:
        plan = make_plan(source, target, itemsize=itemsize, memory=memory, workers=workers)
    except MemoryBudgetError as error:
        memory = error.smallest
        plan = make_plan(source, target, itemsize=itemsize, memory=memory, workers=1)
    assert plan.peak <= memory
    grid_pairs = [(source, target)] if plan.between is None else [(source, plan.between), (plan.between, target)]
    for one, (read, written) in zip(plan.passes, grid_pairs, strict=True):
        seen = np.zeros(plan.shape, int)
        reads = 0
        for region in map(one.region, range(one.nregions)):
            seen[region] += 1
            for part, unit_edges in zip(region, written, strict=True):
                assert part.start in unit_edges
                assert part.stop in unit_edges
            touched = [
                sum(part.start < stop and start < part.stop for start, stop in itertools.pairwise(e))
                for part, e in zip(region, read, strict=True)
            ]
            reads += math.prod(touched)
        assert (seen == 1).all()
        assert reads == one.reads
        assert math.prod(len(e) - 1 for e in written) == one.writes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("256 MiB", 256 << 20), ("1GB", 10**9), ("10", 10), ("0.5 KiB", 512), (77, 77), ("3 k", 3000)],
)
def test_a_budget_is_a_number_or_text(text, expected):
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("bad", ["", "much", "-1 MiB", 0, -5, True, None, 1.5])
def test_a_budget_that_is_neither_is_refused(bad):
    with pytest.raises(ValueError, match="memory: expected a number of bytes, or text"):
        rechunk(rows(), {}, chunks=(60, 1), memory=bad)


# --- memory


@pytest.mark.parametrize(
    ("chunks", "shards", "new", "new_shards"),
    [
        ((1, 256, 256), None, (32, 8, 256), None),
        ((8, 32, 32), None, (32, 32, 32), (32, 32, 256)),
        ((1, 256, 256), None, (4, 64, 64), None),
        ((8, 32, 64), (32, 64, 64), (16, 32, 32), None),
    ],
)
@pytest.mark.parametrize(("budget", "workers"), [(3 << 20, 1), (6 << 20, 2)])
def test_it_holds_no_more_memory_than_it_may(tmp_path, chunks, shards, new, new_shards, budget, workers):
    data = np.random.default_rng(0).integers(0, 1 << 16, (32, 256, 256)).astype("u2")  # 4 MiB
    source = zarr.create_array(tmp_path / "source", data=data, chunks=chunks, shards=shards)
    options = {"chunks": new, "shards": new_shards, "memory": budget, "workers": workers}
    plan = rechunk(source, tmp_path / "new", dry_run=True, **options)
    rechunk(source, tmp_path / "warm", **options)  # what is imported and compiled on the way is not the copy's
    tracemalloc.start()
    try:
        done = rechunk(source, tmp_path / "new", **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert plan.peak <= budget
    assert peak <= budget
    assert np.array_equal(done[...], data)


# --- what is carried over


@pytest.mark.parametrize(("zarr_format", "to"), [(2, 2), (2, 3), (3, 2), (3, 3)])
def test_everything_but_the_layout_stays(zarr_format, to):
    nan = np.array(0x7FF8000000000000, "u8").view("f8")
    source = zarr.create_array(
        {},
        data=np.array([[1.5, -0.0], [np.inf, nan]]).astype(">f8"),
        dtype=">f8",
        chunks=1,
        fill_value=nan,
        compressors="gzip",
        attributes={"units": "K"},
        dimension_names=["y", "x"],
        zarr_format=zarr_format,
    )
    new = rechunk(source, {}, chunks=(2, 2), zarr_format=to)
    assert (new.zarr_format, new.chunks, new.dimension_names) == (to, (2, 2), ("y", "x"))
    assert new.dtype == source.dtype
    assert new.metadata.fill.tobytes() == source.metadata.fill.tobytes()
    assert {k: v for k, v in new.attrs.items() if k != "_ARRAY_DIMENSIONS"} == {"units": "K"}
    assert [c.name.removeprefix("numcodecs.") for c in new.compressors] == ["gzip"]
    assert new[...].tobytes() == source[...].tobytes()
    assert content_hash(new) == content_hash(source)


def test_a_layout_is_changed_as_asked():
    source = rows(shards=(10, 40))
    assert rechunk(source, {}).shards == (10, 40)
    new = rechunk(source, {}, chunks=(5, 5), shards=(20, 20), compressors=["gzip", "crc32c"], chunk_key_encoding="v2")
    assert (new.chunks, new.shards) == ((5, 5), (20, 20))
    assert [c.name for c in new.compressors] == ["gzip", "crc32c"]
    assert new.chunk_key((2, 1)) == "2.1"
    assert rechunk(source, {}, chunks=(5, 5)).shards is None
    old = rechunk(source, {}, zarr_format=2, compressor={"id": "zlib", "level": 3}, order="F")
    assert (old.chunks, old.order) == ((1, 40), "F")
    assert old.metadata.document["compressor"] == {"id": "zlib", "level": 3}
    uneven = rechunk(source, {}, chunks=([30, 20, 10], 40))
    assert uneven.chunks == ((30, 20, 10), 40)
    for array in (new, old, uneven):
        assert np.array_equal(array[...], source[...])
    with pytest.raises(TypeError, match=r"expected layout keywords .* found dtype, fill_value"):
        rechunk(source, {}, dtype="f8", fill_value=3)


@pytest.mark.parametrize("dtype", [str, bytes, "S5", "U3", "M8[ns]", "bool", [("a", "i2"), ("b", "f4")], "c8"])
@pytest.mark.parametrize("memory", ["1 MiB", 10_000])
def test_elements_of_every_kind_arrive(dtype, memory):
    values = np.array(["a", "longer", "", "ü"] * 16, object) if dtype in (str, "U3") else np.arange(64)
    if dtype in (bytes, "S5"):
        values = np.array([b"a", b"bb", b"", b"\x01"] * 16, object)
    data = values.reshape(8, 8) if dtype in (str, bytes) else values.astype(dtype).reshape(8, 8)
    source = zarr.create_array({}, shape=(8, 8), dtype=dtype, chunks=(1, 8))
    source[...] = data
    new = rechunk(source, {}, chunks=(8, 1), memory=memory, verify=True)
    assert new[...].tolist() == source[...].tolist()


def test_absent_chunks_stay_absent():
    source = zarr.create_array({}, shape=(100, 100), chunks=(10, 100), dtype="i4", fill_value=7)
    source[5] = 1
    for memory in ("1 MiB", 70_000):
        target = MemoryStore()
        new = rechunk(source, target, chunks=(50, 100), memory=memory)
        assert sorted(target.mapping) == ["c/0/0", "zarr.json"]
        assert np.array_equal(new[...], source[...])


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1, 1)])
def test_arrays_without_axes_or_elements_are_rechunked_too(shape):
    source = zarr.create_array(data=np.ones(shape, "i2"), chunks=tuple(1 for _ in shape))
    assert rechunk(source, {}, chunks=tuple(2 for _ in shape))[...].tolist() == np.ones(shape, "i2").tolist()


def test_members_that_other_libraries_know_are_kept():
    source = rows()
    document = {**source.metadata.document, "provenance": {"must_understand": False, "by": "someone"}}
    zarr.create_hierarchy(store=(store := MemoryStore()), nodes={"x": document})
    new = rechunk(zarr.open_array(store, path="x"), {}, chunks=(60, 1))
    assert new.metadata.document["provenance"] == {"must_understand": False, "by": "someone"}
    with pytest.raises(MetadataError, match=r"without a loss: the member 'provenance' of its zarr\.json has no place"):
        rechunk(zarr.open_array(store, path="x"), {}, zarr_format=2)


# --- refusals


def test_what_is_there_is_not_written_over_unless_asked():
    root = zarr.create_group({})
    root["x"] = np.arange(4)
    root["group/y"] = np.arange(4)
    before = dict(root.store.mapping)
    for path, message in (("x", "overwrite=True"), ("group", "overwrite=True"), ("x/in", "an array holds no other")):
        with pytest.raises(NodeExistsError, match=message):
            rechunk(rows(), root, path=path)
    with pytest.raises(NodeExistsError, match="expected a place outside of the source"):
        rechunk(root["x"], root, path="x", overwrite=True)
    with pytest.raises(NodeExistsError, match="expected a place outside of the source"):
        rechunk(root["group/y"], root, path="group", overwrite=True)
    with pytest.raises(NodeExistsError, match="a group of the same format above it"):
        rechunk(root["x"], root, path="group/old", zarr_format=2)
    assert dict(root.store.mapping) == before
    assert rechunk(rows(), root, path="x", overwrite=True).shape == (60, 40)


def test_other_peoples_files_are_not_deleted():
    store = MemoryStore({"x/notes.txt": b"somebody's"})
    zarr.create_array(store, name="x", shape=3, dtype="i1")
    with pytest.raises(NodeExistsError, match=r"more than Zarr: x/notes\.txt"):
        rechunk(rows(), store, path="x", overwrite=True)


def test_shards_are_refused_in_zarr_2():
    with pytest.raises(MetadataError, match="only Zarr 3 has them"):
        rechunk(rows(), {}, chunks=(1, 1), shards=(2, 2), zarr_format=2)


# --- executors and progress


@pytest.mark.parametrize("memory", ["1 MiB", 5000])
def test_threads_share_the_work(memory, tmp_path):
    with ThreadPoolExecutor(3) as threads:
        new = rechunk(rows(), tmp_path, chunks=(60, 1), memory=memory, executor=threads)
    assert np.array_equal(new[...], rows()[...])


def test_processes_share_the_work(tmp_path):
    import multiprocessing

    source = rows(store=tmp_path / "source")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        new = rechunk(source, tmp_path / "new", chunks=(60, 1), memory=20_000, executor=processes)
        assert np.array_equal(new[...], source[...])
        with pytest.raises(ChunkError, match="found a copy of memory, where what is written would be lost"):
            rechunk(source, MemoryStore(), chunks=(60, 1), executor=processes)


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_dask_cluster_shares_the_work(tmp_path, processes):
    distributed = pytest.importorskip("distributed", reason="dask's distributed scheduler is not installed")
    source = rows(store=tmp_path / "source")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        new = rechunk(
            source, tmp_path / "new", chunks=(60, 1), memory=20_000, executor=client.get_executor(), workers=2
        )
    assert np.array_equal(new[...], source[...])


def test_progress_counts_the_regions_of_all_passes():
    seen = []
    plan = rechunk(rows(), {}, chunks=(60, 1), memory=2500, workers=1, dry_run=True)
    rechunk(rows(), {}, chunks=(60, 1), memory=2500, workers=1, progress=lambda *step: seen.append(step))
    total = sum(p.nregions for p in plan.passes)
    assert seen == [(i, total) for i in range(1, total + 1)]


# --- cut short


class StoppedError(Exception):
    """Stands for the end of the process."""


class Stopping(WrapperStore):
    """Stops at the write or deletion number `left`."""

    left = 0

    def _count(self):
        self.left -= 1
        if self.left < 0:
            raise StoppedError("here the process ends")

    def set(self, key, value):
        self._count()
        super().set(key, value)

    def delete(self, key):
        self._count()
        super().delete(key)


@pytest.mark.parametrize(("memory", "temp"), [("1 MiB", False), (700, False), (700, True)])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_it_goes_on_from_wherever_it_stopped(memory, temp, zarr_format):
    source = rows((12, 8), (1, 8), zarr_format=zarr_format)
    options = {"chunks": (12, 1), "memory": memory, "workers": 1, "path": "deep/new", "zarr_format": 3}
    whole = MemoryStore()
    rechunk(source, whole, **options)
    counting = Stopping(MemoryStore())
    counting.left = 10**6
    rechunk(source, counting, **options)
    steps = 10**6 - counting.left
    for step in range(steps):
        target, between = Stopping(MemoryStore()), MemoryStore()
        target.left = step
        extra = {"temp": between} if temp else {}
        try:
            rechunk(source, target, **options, **extra)
        except StoppedError:
            if target.store.exists("deep/new/zarr.json"):  # what is visible is whole
                assert np.array_equal(zarr.open_array(target.store, path="deep/new", mode="r")[...], source[...])
            rechunk(source, target.store, **options, **extra)
        assert target.store.mapping == whole.mapping
        assert between.mapping == {}


def test_what_is_done_is_not_done_again():
    source = TraceStore(rows((64, 8), (1, 8)).store)
    target = Stopping(MemoryStore())
    options = {"chunks": (2, 8), "memory": 500, "workers": 1}
    target.left = 30
    with pytest.raises(StoppedError, match="ends"):
        rechunk(zarr.open_array(source, mode="r"), target, **options)
    source.clear()
    rechunk(zarr.open_array(source, mode="r"), target.store, **options)
    assert len(chunk_requests(source, "GET")) < 30  # of 64


def test_a_lost_temporary_array_is_made_again():
    source = rows((12, 8), (1, 8))
    options = {"chunks": (12, 1), "memory": 700, "workers": 1}
    target, steps = Stopping(MemoryStore()), rechunk(source, {}, dry_run=True, **options).passes[0].nregions
    target.left = steps + 4  # the second pass has begun
    with pytest.raises(StoppedError, match="ends"):
        rechunk(source, target, temp=MemoryStore(), **options)
    assert np.array_equal(rechunk(source, target.store, temp=MemoryStore(), **options)[...], source[...])


def test_an_unfinished_rechunk_is_not_mixed_with_another():
    target = Stopping(MemoryStore())
    target.left = 5
    with pytest.raises(StoppedError, match="ends"):
        rechunk(rows((12, 8), (1, 8)), target, path="new", chunks=(12, 1))
    with pytest.raises(NodeExistsError, match="expected an unfinished rechunk with these settings"):
        rechunk(rows((12, 8), (1, 8)), target.store, path="new", chunks=(6, 1))
    other = rechunk(rows((12, 8), (1, 8)), target.store, path="new", chunks=(6, 1), overwrite=True)
    assert np.array_equal(other[...], rows((12, 8), (1, 8))[...])
    assert not [key for key in target.store.list_prefix("new") if ".rechunk" in key]


def test_an_unfinished_array_gives_way_to_a_new_one():
    target = Stopping(MemoryStore())
    target.left = 5
    with pytest.raises(StoppedError, match="ends"):
        rechunk(rows((12, 8), (1, 8)), target, path="new", chunks=(12, 1))
    a = zarr.create_array(target.store, name="new", shape=(3,), dtype="i1", overwrite=True)
    assert sorted(a.store.list_prefix("new")) == ["new/zarr.json"]


def test_the_hash_of_the_elements_knows_every_bit():
    zero, minus = zarr.array(np.zeros(3), chunks=1), zarr.array(-np.zeros(3), chunks=2)
    assert content_hash(zero) != content_hash(minus)
    assert content_hash(zarr.array(["a", "bc"])) != content_hash(zarr.array(["ab", "c"]))
    large = zarr.array(np.arange(10_000).reshape(100, 100), chunks=(7, 11))
    assert content_hash(large, memory=1000) == content_hash(rechunk(large, {}, chunks=(100, 3)), memory=1000)


def test_a_plan_can_be_made_for_any_two_arrays(tmp_path):
    array = rows(store=LocalStore(tmp_path))
    metadata = target_metadata(array, None, (60, 1), None, {})
    plan = plan_rechunk(array, zarr.Array(MemoryStore(), "", metadata), 10_000, 4)
    assert plan.workers >= 1
    assert plan.peak <= 10_000


# --- of which source, to which place, and what stays


def stopped(source, options, left=12):
    """A target in which a rechunk was cut short."""
    target = Stopping(MemoryStore())
    target.left = left
    with pytest.raises(StoppedError, match="ends"):
        rechunk(source, target, **options)
    return target.store


ONE_BY_ONE = {"path": "new", "chunks": (2, 8), "memory": 500, "workers": 1}


def test_an_unfinished_rechunk_goes_on_for_its_own_source_alone():
    store = MemoryStore()
    one = rows((64, 8), (1, 8), store=store, name="one")
    other = zarr.create_array(store, name="other", data=one[...] + 1000, chunks=(1, 8))
    target = stopped(one, ONE_BY_ONE)
    with pytest.raises(NodeExistsError, match="of another array, or from another place"):
        rechunk(other, target, **ONE_BY_ONE)
    assert np.array_equal(rechunk(one, target, **ONE_BY_ONE)[...], one[...])


@pytest.mark.parametrize("memory", [500, 700])
def test_an_unfinished_rechunk_of_a_source_that_was_made_anew_begins_anew(memory):
    store = MemoryStore()
    options = {**ONE_BY_ONE, "memory": memory}
    target = stopped(rows((64, 8), (1, 8), store=store, name="one"), options, left=20)
    new = rows((64, 8), (1, 8))[...] + 1000
    again = zarr.create_array(store, name="one", data=new, chunks=(1, 8), overwrite=True)
    assert np.array_equal(rechunk(again, target, **options)[...], new)


def test_a_source_that_was_written_meanwhile_is_noticed_when_asked():
    source = rows((64, 8), (1, 8))

    def write(done, total):
        source[0] = done

    with pytest.raises(ValueError, match="was the source written to meanwhile"):
        rechunk(source, {}, chunks=(2, 8), memory=500, workers=1, progress=write, verify=True)


def aliases(tmp_path):
    """Ways to the folder tmp_path/data, in which x lies."""
    (tmp_path / "link").symlink_to(tmp_path / "data", target_is_directory=True)
    folder = LocalStore(tmp_path / "data")
    return [
        tmp_path / "link", f"file://{tmp_path}/data", tmp_path / "data" / ".." / "data", CacheStore(folder, 1 << 20),
        TraceStore(folder), PrefixStore(LocalStore(tmp_path), "data"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(6))
def test_nothing_is_written_onto_its_own_source_by_whatever_way(tmp_path, number):
    a = rows(store=tmp_path / "data", name="x")
    before = a[...]
    way = aliases(tmp_path)[number]
    with pytest.raises(NodeExistsError, match="expected a place outside of the source"):
        rechunk(a, way, path="x", chunks=(60, 1), overwrite=True)
    with pytest.raises(NodeExistsError, match="expected a place outside of the source"):
        rechunk(zarr.open_array(way, path="x", mode="r"), tmp_path / "data", path="x", chunks=(60, 1), overwrite=True)
    for if_exists in ("replace", "skip", "raise"):
        with pytest.raises(NodeExistsError, match="expected a place outside"):
            zarr.copy(a, zarr.open_group(way, use_consolidated=False), name="x", if_exists=if_exists)
        with pytest.raises(NodeExistsError, match="expected a place outside"):
            zarr.copy(zarr.open_group(way), zarr.open_group(tmp_path / "data"), name="in", if_exists=if_exists)
    with pytest.raises(ConversionError, match="expected a target outside of the source"):
        zarr.convert.to_v2(zarr.open_group(tmp_path / "data"), way)
    assert np.array_equal(zarr.open_array(tmp_path / "data", path="x")[...], before)


class FailingStore(WrapperStore):
    """Its chunks cannot be read from the third on."""

    reads = 0

    def get(self, key, byte_range=None):
        if "/c/" in key or key.startswith("c/"):
            self.reads += 1
            if self.reads > 2:
                raise StoreError("the disk is gone")
        return super().get(key, byte_range)

    def get_tagged(self, key):
        return self.store.get_tagged(key)

    def set_if(self, key, value, tag, writer=""):
        return self.store.set_if(key, value, tag, writer)


@pytest.mark.parametrize("consolidated", [False, True])
def test_what_is_to_be_replaced_stays_where_the_source_fails(consolidated):
    target = MemoryStore()
    old = rows((12, 8), (3, 8), store=target, name="x")
    if consolidated:
        zarr.consolidate_metadata(target)
    source = rows((64, 8), (1, 8))
    failing = zarr.open_array(FailingStore(source.store), mode="r")
    options = {"path": "x", "chunks": (2, 8), "memory": 500, "workers": 1, "overwrite": True}
    with pytest.raises(StoreError, match="the disk is gone"):
        rechunk(failing, target, **options)
    with pytest.raises(StoreError, match="the disk is gone"):
        zarr.copy(failing, target, name="x", if_exists="replace")
    assert np.array_equal(zarr.open_array(target, path="x", mode="r")[...], old[...])
    assert np.array_equal(rechunk(source, target, **options)[...], source[...])
    assert not [key for key in target.mapping if ".unfinished" in key]
    assert not consolidated or not zarr.is_stale(target)


def test_what_is_to_be_replaced_stays_where_a_codec_refuses():
    target = MemoryStore()
    old = rows((12, 8), (3, 8), store=target, name="x")
    before = dict(target.mapping)
    source = zarr.create_array({}, data=np.array([1.0, 2.0, np.nan, 4.0]), chunks=1)
    codec = {"id": "fixedscaleoffset", "offset": 0, "scale": 10, "dtype": "<f8", "astype": "<i2"}
    with pytest.raises(ZarrError):
        rechunk(source, target, path="x", chunks=1, overwrite=True, workers=1, filters=[codec])
    assert np.array_equal(zarr.open_array(target, path="x")[...], old[...])
    assert {key: target.mapping[key] for key in before} == before


def test_the_doctor_leaves_an_unfinished_rechunk_to_the_same_call_or_to_a_deletion():
    source = rows((64, 8), (1, 8))
    target = stopped(source, ONE_BY_ONE)
    zarr.create_group(target)
    report = examine(target)
    assert [fault.rule for fault in report.faults] == ["unfinished-node"]
    assert [action.done for action in repair(target, report)] == [False]
    other = MemoryStore(dict(target.mapping))
    assert np.array_equal(rechunk(source, target, **ONE_BY_ONE)[...], source[...])
    zarr.delete(other, "new", dry_run=False)
    assert sorted(other.mapping) == ["zarr.json"]


class LateStore(WrapperStore):
    """Its journal cannot be written when chunks are on their way, and those come late."""

    def __init__(self):
        super().__init__(MemoryStore())
        self.came, self.journals = threading.Event(), 0

    def set(self, key, value):
        if key.endswith("journal.json"):
            self.journals += 1
            if self.journals == 2:
                raise StoreError("503: slow down")
        elif not key.endswith(".json"):
            if self.came.is_set():
                time.sleep(0.2)
            self.came.set()
        super().set(key, value)


def test_nothing_is_written_any_more_when_a_rechunk_has_failed():
    store = LateStore()
    source = zarr.create_array({}, data=np.arange(32), chunks=(1,))
    with pytest.raises(StoreError, match="slow down"):
        rechunk(source, store, path="x", chunks=(2,), workers=3)
    for thread in threading.enumerate():
        if thread.name.startswith("tutorial_zarr_stream"):
            thread.join()
    assert store.store.mapping == {}
