"""Streams and maps over chunks: lazy, bounded, ordered or not, on any executor.

Nothing here measures time. What runs at once is forced by barriers: work that waits for its neighbours can
only go on if they are under way as well.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.parallel import stream as stream_of
from tutorial_zarr.stores import MemoryStore, TraceStore, WrapperStore

PATIENCE = 30  # seconds after which a barrier gives up: a failure, not a measurement


def traced(count=20, **kwargs):
    store = TraceStore(MemoryStore())
    a = zarr.create_array(
        store, shape=(2 * count,), chunks=(2,), dtype="int32", compressors=None, fill_value=-1, **kwargs
    )
    a[...] = np.arange(2 * count)
    store.requests.clear()
    return a, store


def gets(store):
    return sum(request.verb == "GET" for request in store.requests)


class CountingStore(WrapperStore):
    """Counts how many reads are under way at once, and can make them wait for each other."""

    def __init__(self, store):
        super().__init__(store)
        self.guard, self.now, self.most, self.barrier = threading.Lock(), 0, 0, None

    def get(self, key, byte_range=None):
        with self.guard:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            if self.barrier is not None and "c/" in key:
                self.barrier.wait(PATIENCE)
            return super().get(key, byte_range)
        finally:
            with self.guard:
                self.now -= 1


def counting(count):
    store = CountingStore(MemoryStore())
    a = zarr.create_array(store, shape=(2 * count,), chunks=(2,), dtype="int32", compressors=None, fill_value=-1)
    a[...] = np.arange(2 * count)
    store.most = 0
    return a, store


# -- chunk_stream --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parallel", [1, 2, 4])
def test_a_stream_yields_every_chunk_with_its_coordinates(parallel):
    a = zarr.create_array({}, shape=(5, 7), chunks=(2, 3), dtype="int32", fill_value=-1)
    expected = np.arange(35, dtype="int32").reshape(5, 7)
    a[...] = expected
    seen = dict(a.chunk_stream(parallel=parallel))
    assert list(seen) == [(i, j) for i in range(3) for j in range(3)]
    for (i, j), chunk in seen.items():
        np.testing.assert_array_equal(chunk, expected[2 * i : 2 * i + 2, 3 * j : 3 * j + 3], strict=True)


def test_a_stream_reads_nothing_before_it_is_asked():
    a, store = traced()
    a.chunk_stream()
    a.chunk_stream(parallel=4)
    assert store.requests == []


def test_taking_five_chunks_reads_five():
    a, store = traced(count=20)
    taken = list(islice(a.chunk_stream(), 5))
    assert [coords for coords, _ in taken] == [(0,), (1,), (2,), (3,), (4,)]
    assert gets(store) == 5


@pytest.mark.parametrize("ordered", [True, False])
def test_a_parallel_stream_reads_no_further_ahead_than_it_was_told(ordered):
    a, store = traced(count=20)
    stream = a.chunk_stream(parallel=3, ordered=ordered)
    for taken in range(1, 6):
        next(stream)
        assert gets(store) <= taken + 3
    stream.close()
    assert gets(store) <= 5 + 3


def test_a_closed_stream_stops_reading():
    a, store = traced(count=20)
    stream = a.chunk_stream(parallel=2)
    next(stream)
    stream.close()
    after = gets(store)
    assert after <= 4
    with pytest.raises(StopIteration, match=r"^$"):
        next(stream)
    assert gets(store) == after


@pytest.mark.parametrize("ordered", [True, False])
def test_as_many_reads_are_under_way_as_were_allowed_and_no_more(ordered):
    a, store = counting(count=12)
    store.barrier = threading.Barrier(3)  # goes on only when three are there
    chunks = dict(a.chunk_stream(parallel=3, ordered=ordered))
    assert len(chunks) == 12
    assert store.most == 3
    assert np.concatenate([chunks[key] for key in sorted(chunks)]).tolist() == list(range(24))


def test_one_read_at_a_time_is_one_read_at_a_time():
    a, store = counting(count=6)
    list(a.chunk_stream(parallel=1))
    assert store.most == 1


class LateStore(WrapperStore):
    """The read of the first chunk waits until it is told to go on."""

    def __init__(self, store):
        super().__init__(store)
        self.go_on = threading.Event()
        self.others = threading.Semaphore(0)

    def get(self, key, byte_range=None):
        if key == "c/0":
            assert self.go_on.wait(PATIENCE)
        value = super().get(key, byte_range)
        if key.startswith("c/"):
            self.others.release()
        return value


def test_an_ordered_stream_keeps_the_order_when_the_first_chunk_comes_last():
    _a, store = counting(count=4)
    late = LateStore(store)
    stream = zarr.open_array(late, mode="r").chunk_stream(parallel=4, ordered=True)

    def let_go_when_the_others_are_there():
        for _ in range(3):
            assert late.others.acquire(timeout=PATIENCE)
        late.go_on.set()

    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(let_go_when_the_others_are_there)
        assert [coords for coords, _ in stream] == [(0,), (1,), (2,), (3,)]
        waiting.result()


def test_an_unordered_stream_does_not_wait_for_the_first_chunk():
    _a, store = counting(count=4)
    late = LateStore(store)
    stream = zarr.open_array(late, mode="r").chunk_stream(parallel=4, ordered=False)
    assert sorted(coords for coords, _ in islice(stream, 3)) == [(1,), (2,), (3,)]
    late.go_on.set()
    assert [coords for coords, _ in stream] == [(0,)]


def test_chunks_that_are_not_stored_can_be_left_out_or_kept():
    a, _store = traced(count=4)
    a[2:4] = -1
    assert [coords for coords, _ in a.chunk_stream()] == [(0,), (2,), (3,)]
    everything = dict(a.chunk_stream(stored_only=False))
    assert list(everything) == [(0,), (1,), (2,), (3,)]
    assert everything[(1,)].tolist() == [-1, -1]


def test_a_filter_chooses_chunks_before_they_are_read():
    a, store = traced(count=10)
    even = dict(a.chunk_stream(filter=lambda coords: coords[0] % 2 == 0))
    assert list(even) == [(0,), (2,), (4,), (6,), (8,)]
    assert gets(store) == 5


@pytest.mark.parametrize("parallel", [1, 3])
def test_progress_is_told_after_every_chunk(parallel):
    a, _ = traced(count=6)
    told = []
    list(a.chunk_stream(parallel=parallel, progress=lambda done, total: told.append((done, total))))
    assert told == [(i, 6) for i in range(1, 7)]


def test_a_stream_of_shards_reads_each_shard_once():
    store = TraceStore(MemoryStore())
    a = zarr.create_array(store, shape=(32,), chunks=(2,), shards=(8,), dtype="int32", compressors=None, fill_value=-1)
    a[...] = np.arange(32)
    store.requests.clear()
    pieces = list(a.chunk_stream())
    assert np.concatenate([piece for _, piece in pieces]).tolist() == list(range(32))
    assert {request.key for request in store.requests if request.verb == "GET"} == {f"c/{i}" for i in range(4)}
    assert gets(store) == 4


@pytest.mark.parametrize("parallel", [0, -1])
def test_less_than_one_read_at_a_time_is_refused(parallel):
    a, _ = traced(count=2)
    with pytest.raises(ValueError, match=f"{parallel}"):
        list(a.chunk_stream(parallel=parallel))


def test_a_damaged_chunk_ends_the_stream_with_its_key():
    a, store = traced(count=6)
    store.store.mapping["c/3"] = b"short"
    for parallel in (1, 3):
        stream = a.chunk_stream(parallel=parallel)
        assert [coords for coords, _ in islice(stream, 3)] == [(0,), (1,), (2,)]
        with pytest.raises(ValueError, match="c/3"):
            next(stream)


# -- parallel_chunk_map --------------------------------------------------------------------------------------


def total(coords, elements):
    return coords, int(elements.sum())


EXPECTED = [((i,), 4 * i + 1) for i in range(8)]


def test_a_map_gives_the_results_in_order():
    a, _ = traced(count=8)
    assert list(a.parallel_chunk_map(total)) == EXPECTED
    assert list(a.parallel_chunk_map(total, max_concurrency=1)) == EXPECTED
    assert sorted(a.parallel_chunk_map(total, max_concurrency=4, ordered=False)) == EXPECTED


def test_a_map_is_lazy_and_bounded():
    a, store = traced(count=20)
    results = a.parallel_chunk_map(total, max_concurrency=2)
    assert store.requests == []
    next(results)
    assert gets(store) <= 3
    results.close()


def test_as_many_calls_are_under_way_as_were_allowed_and_no_more():
    a, _ = traced(count=12)
    barrier, lock, now, most = threading.Barrier(3), threading.Lock(), [0], [0]

    def work(coords, elements):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait(PATIENCE)
        with lock:
            now[0] -= 1
        return coords

    assert list(a.parallel_chunk_map(work, max_concurrency=3)) == [(i,) for i in range(12)]
    assert most[0] == 3


@pytest.mark.parametrize("ordered", [True, False])
def test_a_map_runs_on_the_threads_it_is_given(ordered):
    a, _ = traced(count=8)
    with ThreadPoolExecutor(2, thread_name_prefix="mine") as executor:
        names = list(
            a.parallel_chunk_map(
                lambda coords, elements: threading.current_thread().name, executor=executor, ordered=ordered
            )
        )
        assert len(names) == 8
        assert all(name.startswith("mine") for name in names)
        assert executor.submit(int).result() == 0  # it is the caller's, and still open


def test_a_map_runs_on_processes(tmp_path, monkeypatch):
    (tmp_path / "work_on_chunks.py").write_text(
        "import os\n\n\ndef total(coords, elements):\n    return coords, int(elements.sum()), os.getpid()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import os

    from work_on_chunks import total as work

    a = zarr.create_array(tmp_path / "a", shape=(16,), chunks=(2,), dtype="int32", fill_value=-1)
    a[...] = np.arange(16)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        results = list(a.parallel_chunk_map(work, executor=executor))
    assert [result[:2] for result in results] == EXPECTED
    assert os.getpid() not in {pid for _, _, pid in results}


@pytest.mark.parametrize("max_concurrency", [1, 3])
@pytest.mark.parametrize("ordered", [True, False])
def test_an_error_in_the_function_arrives_as_it_was_raised(max_concurrency, ordered):
    a, _ = traced(count=8)

    def work(coords, elements):
        if coords == (4,):
            raise LookupError(f"no luck with {coords}")
        return coords

    results = a.parallel_chunk_map(work, max_concurrency=max_concurrency, ordered=ordered)
    with pytest.raises(LookupError, match=r"no luck with \(4,\)"):
        list(results)
    assert list(results) == []


def test_work_that_takes_too_long_is_given_up():
    a, _ = traced(count=4)
    release = threading.Event()

    def work(coords, elements):
        if coords == (1,):
            release.wait(PATIENCE)
        return coords

    try:
        results = a.parallel_chunk_map(work, max_concurrency=2, timeout=0.2)
        assert next(results) == (0,)
        with pytest.raises(TimeoutError, match=r"\(1,\)"):
            list(results)
    finally:
        release.set()


def test_work_that_is_quick_enough_is_not_given_up():
    a, _ = traced(count=8)
    assert list(a.parallel_chunk_map(total, max_concurrency=2, timeout=PATIENCE)) == EXPECTED


def test_time_spent_by_the_consumer_is_not_held_against_the_work():
    """A result that was ready is not late because nobody had asked for it."""
    a, _ = traced(count=6)
    finished = [threading.Event() for _ in range(6)]

    def work(coords, elements):
        finished[coords[0]].set()
        return coords

    with ThreadPoolExecutor(2) as executor:
        results = a.parallel_chunk_map(work, max_concurrency=2, timeout=0.05, executor=executor)
        seen = [next(results)]
        assert finished[1].wait(PATIENCE)
        threading.Event().wait(0.2)  # the consumer is busy for longer than the timeout
        seen += list(results)
    assert seen == [(i,) for i in range(6)]


@pytest.mark.parametrize("wrong", [0, -2])
def test_less_than_one_call_at_a_time_is_refused(wrong):
    a, _ = traced(count=2)
    with pytest.raises(ValueError, match=f"{wrong}"):
        list(a.parallel_chunk_map(total, max_concurrency=wrong))


def test_progress_of_a_map_is_told_after_every_chunk():
    a, _ = traced(count=5)
    told = []
    list(a.parallel_chunk_map(total, max_concurrency=2, progress=lambda done, total: told.append((done, total))))
    assert told == [(i, 5) for i in range(1, 6)]


# -- reading and writing with several threads ----------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("kwargs", [{}, {"shards": (128, 256)}, {"zarr_format": 2, "order": "F"}])
def test_results_do_not_depend_on_the_number_of_threads(workers, kwargs):
    data = np.random.default_rng(0).integers(0, 100, size=(600, 700), dtype="int64")
    zarr.set_workers(workers)
    try:
        a = zarr.create_array({}, shape=data.shape, chunks=(64, 64), dtype="int64", fill_value=0, **kwargs)
        a[...] = data
        np.testing.assert_array_equal(a[...], data, strict=True)
        np.testing.assert_array_equal(a[5:590:3, ::-2], data[5:590:3, ::-2], strict=True)
        a[3:400, 5:600] = data[100:497, 50:645]
        data[3:400, 5:600] = data[100:497, 50:645].copy()
        np.testing.assert_array_equal(a[...], data, strict=True)
    finally:
        zarr.set_workers(None)


def test_threads_that_write_to_one_chunk_do_not_undo_each_other():
    a = zarr.create_array({}, shape=(64,), chunks=(64,), dtype="int32", fill_value=-1)
    sharded = zarr.create_array({}, shape=(64,), chunks=(4,), shards=(64,), dtype="int32", fill_value=-1)
    for array in (a, sharded):
        barrier = threading.Barrier(8)

        def write(start, array=array, barrier=barrier):
            barrier.wait(PATIENCE)
            for i in range(start, 64, 8):
                array[i] = i

        with ThreadPoolExecutor(8) as executor:
            list(executor.map(write, range(8)))
        assert array[...].tolist() == list(range(64))


def test_an_error_in_one_chunk_of_many_ends_the_read_and_leaves_no_thread_busy():
    a = zarr.create_array({}, shape=(2048, 1024), chunks=(64, 1024), dtype="int64", compressors=None, fill_value=0)
    a[...] = 1
    a.store.mapping["c/17/0"] = b"short"
    zarr.set_workers(4)
    try:
        for _ in range(5):
            with pytest.raises(ValueError, match="c/17/0"):
                a[...]
        assert (a[:1024] == 1).all()
    finally:
        zarr.set_workers(None)


def test_reading_inside_a_map_on_our_threads_does_not_wait_for_itself():
    big = zarr.create_array({}, shape=(1024, 1024), chunks=(64, 1024), dtype="int64", compressors=None, fill_value=0)
    big[...] = 3
    a, _ = traced(count=8)
    sums = list(a.parallel_chunk_map(lambda coords, elements: int(big[...].sum()), max_concurrency=4))
    assert sums == [3 * 1024 * 1024] * 8


# -- how a stream ends ---------------------------------------------------------------------------------------


def test_a_stream_may_be_collected_by_one_of_its_own_threads(monkeypatch):
    ignored, dropped, collected = [], threading.Event(), threading.Event()
    monkeypatch.setattr(sys, "unraisablehook", lambda found: ignored.append(found.exc_value))

    def work(item):
        if item:
            dropped.wait(PATIENCE)
            gc.collect()
            collected.set()

    pairs = stream_of(work, range(2), 2)
    next(pairs)
    cycle = [pairs]
    cycle.append(cycle)
    del pairs, cycle
    dropped.set()
    assert collected.wait(PATIENCE)
    assert ignored == []


@pytest.mark.parametrize("own", [True, False])
def test_where_a_stream_writes_nothing_is_under_way_when_it_ends(own):
    guard, under_way, began = threading.Lock(), set(), threading.Semaphore(0)

    def work(item):
        with guard:
            under_way.add(item)
        began.release()
        threading.Event().wait(0.3)
        with guard:
            under_way.remove(item)

    def interrupt():
        for _ in range(2):
            began.acquire()
        signal.raise_signal(signal.SIGINT) if os.name == "nt" else os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(2) as threads:
        pairs = stream_of(work, range(9), 2, executor=None if own else threads, writes=True)
        killer = threading.Thread(target=interrupt)
        killer.start()
        with pytest.raises(KeyboardInterrupt):
            next(pairs)
        assert not under_way
        killer.join()
        pairs = stream_of(work, range(9), 2, executor=None if own else threads, writes=True)
        next(pairs)
        pairs.close()
        assert not under_way


BLOSC_LZ4 = {"name": "blosc", "configuration": {"cname": "lz4"}}
BLOSC_ZSTD = {"name": "blosc", "configuration": {"cname": "zstd"}}


@pytest.mark.parametrize(
    ("compressors", "edge", "whole", "threads"),
    [
        (None, 32, False, 1),
        (BLOSC_LZ4, 32, False, 1),
        ([BLOSC_LZ4, "crc32c"], 32, False, 1),
        (BLOSC_LZ4, 64, False, 2),  # of a large chunk, even a quick codec's share is the larger one
        (BLOSC_ZSTD, 32, False, 2),
        (BLOSC_LZ4, 32, True, 2),
    ],
)
def test_parts_of_small_chunks_with_quick_codecs_are_written_by_one_thread(
    compressors, edge, whole, threads, monkeypatch
):
    """Where the work is a few short calls for a file, threads take longer together than one alone."""
    values = np.arange(192**3, dtype="uint16").reshape(192, 192, 192)
    array = zarr.create_array({}, data=values, chunks=(edge,) * 3, compressors=compressors)
    run, seen = zarr.parallel.run, []
    monkeypatch.setattr(zarr.parallel, "run", lambda *args: seen.append(args[2]) or run(*args))
    zarr.parallel.set_workers(2)
    try:
        window = () if whole else (slice(1, 191), slice(edge // 2, None), slice(edge // 2, None))
        array[window] = values[window] + np.uint16(1)
    finally:
        zarr.parallel.set_workers(None)
    values[window] += np.uint16(1)
    np.testing.assert_array_equal(array[...], values)
    assert seen[0] == threads
