"""The bridge of 01_06: many workers on one array, here and elsewhere, each row run on both sides."""

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import LatencyStore, MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows are about zarr-python 3.4")


class Slow(zarr.storage.WrapperStore):
    """Answers late for a chunk, and counts the answers that are waited for."""

    waiting, most = [], []

    async def get(self, key, *args, **kwargs):
        if key.endswith("zarr.json"):
            return await super().get(key, *args, **kwargs)
        self.waiting.append(key)
        self.most.append(len(self.waiting))
        found = await super().get(key, *args, **kwargs)
        await asyncio.sleep(0.05)
        self.waiting.remove(key)
        return found


def dots(library, store):
    a = library.create_array(store, shape=(4, 8), chunks=(4, 8), dtype="u1", compressors=None)
    a[...] = ord(".")
    return a


def rows_after(a):
    def write(row):
        a[row] = ord("A") + row

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    return bytes(a[:, 0])


@pytest.mark.bridge(
    "`a[row] = values` on a part of a chunk loses no row of another writer",
    "rows can be lost, without an error; Dask's `store(..., lock=True)` lets its own threads take turns",
    "safety between processes that do not know each other",
)
def test_parts_of_a_chunk_from_several_threads():
    dask_array = pytest.importorskip("dask.array")
    ours = dots(tutorial_zarr, LatencyStore(MemoryStore(), 0.01))
    assert rows_after(ours) == b"ABCD"
    theirs = dots(zarr, Slow(zarr.storage.MemoryStore()))
    assert rows_after(theirs).count(b".") >= 1  # all of them have read the chunk before any of them writes it
    letters = dask_array.from_array(np.arange(4)[:, None] * np.ones(8, "u1") + ord("A"), chunks=(1, 8)).astype("u1")
    for lock, whole in ((True, True), (False, False)):
        target = dots(zarr, Slow(zarr.storage.MemoryStore()))
        dask_array.store(letters, target, lock=lock, scheduler="threads", num_workers=4)
        assert (bytes(target[:, 0]) == b"ABCD") is whole


@pytest.mark.bridge(
    "`store.update(key, change)`",
    'by hand in a bucket: `obstore.put(store, key, value, mode={"e_tag": tag})`',
    "the same in a folder",
)
def test_a_write_on_condition(tmp_path):
    obstore = pytest.importorskip("obstore")
    from obstore.exceptions import PreconditionError

    for place in ({}, tmp_path):
        store = tutorial_zarr.create_group(place).store
        store.set("counter", b"0")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(store.update, ["counter"] * 20, [lambda old: b"%d" % (int(bytes(old)) + 1)] * 20))
        assert bytes(store.get("counter")) == b"20"
    bucket = obstore.store.MemoryStore()
    tag = obstore.put(bucket, "key", b"1")["e_tag"]
    obstore.put(bucket, "key", b"2", mode={"e_tag": tag})
    with pytest.raises(PreconditionError):
        obstore.put(bucket, "key", b"3", mode={"e_tag": tag})
    folder = obstore.store.LocalStore(str(tmp_path))
    tag = obstore.put(folder, "key", b"1")["e_tag"]
    with pytest.raises(NotImplementedError):
        obstore.put(folder, "key", b"2", mode={"e_tag": tag})
    assert not [name for name in dir(zarr.abc.store.Store) if "update" in name or name == "set_if"]


@pytest.mark.bridge(
    "`plan_write(rows).aligned`",
    "xarray's `to_zarr` refuses Dask chunks that would share a Zarr chunk, and cuts them to fit with "
    "`align_chunks=True`",
    "an answer before there are any data",
)
def test_chunks_with_two_writers_are_seen_beforehand(tmp_path):
    pytest.importorskip("dask.array")
    xarray = pytest.importorskip("xarray")
    a = tutorial_zarr.create_array({}, shape=(12,), chunks=(4,), dtype="f8")
    assert [a.plan_write(slice(start, start + 3)).aligned for start in (0, 3)] == [False, False]
    assert a.plan_write(slice(0, 4)).aligned
    values = xarray.Dataset({"v": ("x", np.arange(12.0))}).chunk(x=3)
    options = {"encoding": {"v": {"chunks": (4,)}}, "consolidated": False}
    with pytest.raises(ValueError, match="overlap multiple Dask chunks"):
        values.to_zarr(tmp_path / "refused", **options)
    values.to_zarr(tmp_path / "aligned", align_chunks=True, **options)
    found = zarr.open_array(str(tmp_path / "aligned"), path="v", mode="r")
    assert found.chunks == (4,)
    np.testing.assert_array_equal(found[...], np.arange(12.0))
    assert not [name for name in dir(found) if "plan" in name]


@pytest.mark.bridge(
    "`parallel_chunk_map(fn, max_concurrency=4)`",
    "`dask.array.from_zarr(a).map_blocks(fn)`, on a cluster too",
    "a time limit for a chunk",
)
def test_a_function_for_each_chunk(tmp_path):
    dask_array = pytest.importorskip("dask.array")
    values = np.arange(48.0).reshape(6, 8)
    a = tutorial_zarr.create_array(tmp_path / "a", data=values, chunks=(2, 4))
    ours = sum(a.parallel_chunk_map(lambda coords, chunk: float(chunk.sum()), max_concurrency=4))
    blocks = dask_array.from_zarr(str(tmp_path / "a"))
    theirs = blocks.map_blocks(lambda chunk: chunk.sum(keepdims=True), chunks=(1, 1)).compute()
    assert theirs.shape == (3, 2)
    assert ours == theirs.sum() == values.sum()
    let_go = threading.Event()
    with pytest.raises(tutorial_zarr.errors.ChunkTimeoutError):
        next(a.parallel_chunk_map(lambda coords, chunk: let_go.wait(10), timeout=0.05))
    let_go.set()
    assert "timeout" not in inspect.signature(blocks.map_blocks).parameters
    assert "timeout" not in inspect.signature(dask_array.map_blocks).parameters


@pytest.mark.bridge(
    "`chunk_stream(parallel=4)`",
    '`zarr.config.set({"async.concurrency": 4})` bounds the requests in flight',
    "chunks one by one",
)
def test_a_bound_on_what_is_in_flight():
    trace = TraceStore(LatencyStore(tutorial_zarr.create_array({}, data=np.arange(12) + 1, chunks=(1,)).store, 0.005))
    a = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    stream = a.chunk_stream(parallel=4, ordered=False)
    next(stream)
    assert trace.count("GET") < 12  # the others wait until somebody asks for more
    assert len(list(stream)) == 11
    assert trace.timeline().in_flight <= 4
    theirs = zarr.create_array(zarr.storage.MemoryStore(), shape=(12,), chunks=(1,), dtype="i4")
    theirs[:] = np.arange(12) + 1
    for bound in (2, 4):
        Slow.most.clear()
        with zarr.config.set({"async.concurrency": bound}):
            zarr.open_array(Slow(theirs.store), mode="r")[:]
        assert max(Slow.most) == bound
    assert not [name for name in dir(theirs) if "stream" in name]
