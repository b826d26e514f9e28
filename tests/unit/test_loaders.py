"""Batches for training: every row once, the same after a resume, bytes and memory as the plan says, no thread left."""

import copy
import itertools
import json
import pickle
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import limits
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    ChunkError,
    LimitError,
    MetadataError,
    MissingDependencyError,
    ValueMismatchError,
)
from tutorial_zarr.loaders import Loader
from tutorial_zarr.loaders.order import SHUFFLES, Order
from tutorial_zarr.stores import MemoryStore, TraceStore

SHAPES = [  # rows, rows of a chunk, batch size, buffer
    (100, 10, 5, 3),
    (103, 10, 7, 2),
    (64, 64, 64, 1),
    (17, 1, 4, 5),
    (50, 50, 3, 4),
    (90, 7, 40, 1),
    (1, 5, 1, 1),
]


def rows_of(count, width=3):
    """Rows that tell their number: row i holds i * width and what follows it."""
    return np.arange(count * width, dtype="i4").reshape(count, width)


def stored(count=100, chunk=10, store=None, **options):
    return zarr.create_array(
        TraceStore(MemoryStore()) if store is None else store, data=rows_of(count), chunks=(chunk, 3), **options
    )


def numbers(batches):
    """The numbers of the rows in batches of `rows_of`."""
    return [(batch[:, 0] // 3).tolist() for batch in batches]


def data_bytes(store):
    """Bytes and requests of everything but documents."""
    found = [r for r in store.requests if r.verb == "GET" and not r.key.endswith("zarr.json")]
    return sum(r.nbytes or 0 for r in found), len(found)


def threads():
    return {t for t in threading.enumerate() if t.name.startswith("tutorial_zarr")}


def wait_for_threads():
    """Threads of the library that still run when reads that had begun are done."""
    deadline = time.monotonic() + 10
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    return threads()


# --- which rows


@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.parametrize(("count", "chunk", "batch", "buffer"), SHAPES)
def test_every_row_comes_once_an_epoch_with_what_stands_in_it(shuffle, count, chunk, batch, buffer):
    array = stored(count, chunk)
    loader = Loader({"x": array, "y": np.arange(count)}, batch, shuffle=shuffle, buffer=buffer, seed=5)
    for epoch in range(3):
        expected = [rows.tolist() for rows in loader.indices()]
        batches = list(loader)
        assert [len(b["y"]) for b in batches[:-1]] == [batch] * (len(loader) - 1)
        assert numbers(b["x"] for b in batches) == [b["y"].tolist() for b in batches] == expected
        assert all(np.array_equal(b["x"], rows_of(count)[b["y"]]) for b in batches)
        assert sorted(itertools.chain.from_iterable(expected)) == list(range(count))
        assert loader.epoch == epoch + 1


@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.parametrize("parts", [1, 2, 3, 7])
@pytest.mark.parametrize("drop_last", [False, True])
def test_parts_have_every_row_once_between_them_and_differ_by_one_at_most(shuffle, parts, drop_last):
    loader = Loader(stored(103), 4, shuffle=shuffle, buffer=3, drop_last=drop_last)
    shares = [loader.shard(rank, parts) for rank in range(parts)]
    batches = [numbers(share) for share in shares]
    assert [len(b) for b in batches] == [len(share) for share in shares]
    seen = sorted(itertools.chain.from_iterable(itertools.chain.from_iterable(batches)))
    assert len(seen) == len(set(seen))
    if drop_last:
        assert {len(b) for part in batches for b in part} == {4}
        assert len({len(b) for b in batches}) == 1, "ranks that wait for each other would wait for ever"
        assert len(seen) == 103 // parts // 4 * 4 * parts
    else:
        assert seen == list(range(103))
        sizes = [sum(map(len, part)) for part in batches]
        assert max(sizes) - min(sizes) <= 1


def test_a_part_of_a_part_is_a_part():
    loader = Loader(stored(100), 4, seed=3)
    both = loader.shard(1, 2).shard(2, 3)
    assert numbers(both) == numbers(loader.shard(5, 6))
    assert both.shard(0, 1).order == both.order


def test_without_shuffling_rows_keep_their_order():
    assert numbers(Loader(stored(10, 4), 3, shuffle=False)) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert numbers(Loader(stored(10, 4), 3, shuffle="none", drop_last=True)) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert Loader(stored(10, 4), 3, shuffle=True).order.shuffle == "full"


def test_epochs_seeds_and_parts_have_orders_of_their_own():
    array = stored(200)
    for shuffle in ("chunks", "blocks", "full"):
        orders = {}
        for seed, epoch, shard in itertools.product((0, 1, 1 << 32), (0, 1), ((0, 1), (0, 2), (1, 2))):
            loader = Loader(array, 8, shuffle=shuffle, seed=seed).shard(*shard)
            orders[seed, epoch, shard] = tuple(np.concatenate(list(loader.indices(epoch))).tolist())
        assert len(set(orders.values())) == len(orders)
    again = Loader(array, 8, shuffle="chunks", seed=1)
    assert numbers(again) == [rows.tolist() for rows in Loader(array, 8, shuffle="chunks", seed=1).indices(0)]


def test_the_streams_of_epochs_and_parts_are_not_one_stream_by_another_name():
    """Words of zero at the end of a seed, or in front of a key, may name the same stream: seeds as large as allowed."""
    words = {}
    for seed in (0, 1, 7, 7 + 3 * 2**32, 2**127, 2**128 - 1):
        for number, parts in ((0, 1), (0, 2), (1, 2)):
            order = Order(10, (0, 10), 1, "chunks", 1, seed, number=number, parts=parts)
            for epoch in (0, 1, 2**32 - 1):
                words[seed, epoch, number, parts] = tuple(order.bits(epoch, own=True).random_raw(4).tolist())
    assert len(set(words.values())) == len(words)
    own, common = (order.bits(0, own=own).random_raw(4).tolist() for own in (True, False))
    assert own != common


def test_rows_are_mixed_as_far_as_the_strategy_says():
    """Of sorted labels, the number of classes in a batch: one, about the buffer's, and as many as a full shuffle's."""
    labels = zarr.array(np.repeat(np.arange(50), 100), chunks=(100,))

    def classes(**options):
        return np.mean([len(set(batch.tolist())) for batch in Loader(labels, 50, seed=2, **options)])

    assert classes(shuffle="none") == classes(shuffle="chunks", buffer=1) == 1
    assert 4 <= classes(shuffle="blocks", buffer=5) <= 5
    assert 4 < classes(shuffle="chunks", buffer=5) < 15
    assert classes(shuffle="full") > 28  # 50 (1 - 0.98^50) is 31.8
    assert classes(shuffle="chunks", buffer=50) > 25


def test_any_row_of_the_buffer_may_leave_next():
    """Where rows of the first two chunks stand, over many epochs: each place as often as the others, within noise."""
    order = Order(12, (0, 6, 12), 1, "chunks", 2, 9)
    first = np.zeros(12)
    for epoch in range(3000):
        first[next(iter(order.batches(epoch)))[0]] += 1
    assert np.abs(first - 250).max() < 5 * np.sqrt(250)


# --- going on


@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.parametrize("prefetch", [0, 3])
def test_the_batch_after_a_resume_is_the_one_that_would_have_come(shuffle, prefetch):
    array = stored(1030)
    loader = Loader(array, 10, shuffle=shuffle, buffer=4, seed=11, prefetch=prefetch)
    list(loader)  # so that it is not the first epoch
    batches = iter(loader)
    for _ in range(100):
        next(batches)
    state = json.loads(json.dumps(loader.state_dict()))
    rest = numbers(batches)
    assert len(rest) == 3
    other = Loader(array, 10, shuffle=shuffle, buffer=4, seed=11, prefetch=0)
    other.load_state_dict(state)
    assert numbers(other) == rest
    assert numbers(other) == numbers(loader), "and so is the next epoch"


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_a_state_may_be_taken_after_any_batch(shuffle):
    array = stored(53, 5)
    options = {"shuffle": shuffle, "buffer": 3, "seed": 1}
    whole, states = [], []
    loader = Loader(array, 4, **options)
    for batch in loader:
        whole += numbers([batch])
        states.append(loader.state_dict())
    for taken, state in enumerate(states, 1):
        other = Loader(array, 4, **options)
        other.load_state_dict(state)
        assert numbers(other) == whole[taken:]
        assert other.epoch == 1, "an epoch of which nothing was left has ended too"


def test_a_resume_reads_what_is_still_needed_and_no_more():
    array = stored(1000, 10)
    loader = Loader(array, 10, buffer=4, prefetch=0)
    batches = iter(loader)
    for _ in range(50):
        next(batches)
    state = loader.state_dict()
    array.store.clear()
    loader.load_state_dict(state)
    list(loader)
    _, requests = data_bytes(array.store)
    assert 50 <= requests < 65  # of 100 chunks: those that are left, and those of which rows wait in the buffer


def test_an_iteration_that_was_left_begins_again_and_a_look_takes_nothing():
    loader = Loader(stored(), 10, seed=4)
    first = next(iter(loader))
    for _ in zip(range(3), loader, strict=False):
        pass
    assert np.array_equal(next(iter(loader)), first)
    assert len(list(loader)) == 10
    loader.set_epoch(0)
    assert np.array_equal(next(iter(loader)), first)


def test_a_state_of_another_loader_is_refused_with_what_differs():
    array = stored()
    state = Loader(array, 10, seed=4).state_dict()
    for options in (
        {"seed": 5},
        {"batch_size": 5},
        {"shuffle": "blocks"},
        {"buffer": 2},
        {"drop_last": True},
        {"rows_per_read": 20},
    ):
        other = Loader(array, **{"batch_size": 10, "seed": 4, **options})
        name = {"rows_per_read": "edges"}.get(*options, next(iter(options)))
        with pytest.raises(ValueMismatchError, match=f"expected a state with {name}"):
            other.load_state_dict(state)
        assert other.state_dict()["batch"] == 0
    with pytest.raises(ValueMismatchError, match=r"part 0, found 0|parts 2, found 1"):
        Loader(array, 10, seed=4).shard(0, 2).load_state_dict(state)
    with pytest.raises(ValueMismatchError, match="rows 100, found 90"):
        Loader(array, 10, seed=4).load_state_dict(Loader(stored(90), 10, seed=4).state_dict())
    for broken in ({"batch": -1}, {"batch": 11}, {"epoch": None}, {"workers": 0}):
        with pytest.raises(ValueError, match="state: "):
            Loader(array, 10, seed=4).load_state_dict({**state, **broken})


@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_processes_that_take_turns_go_on_where_they_were(shuffle, workers):
    """As a DataLoader takes from its workers: in turns, past those that have nothing left."""

    def in_turns(loader):
        given = [iter(loader.worker(number, workers)) for number in range(workers)]
        while given:
            for one in list(given):
                if (batch := next(one, None)) is None:
                    given.remove(one)
                else:
                    yield batch

    loader = Loader(stored(103), 4, shuffle=shuffle, buffer=2)
    whole = numbers(in_turns(loader))
    assert sorted(itertools.chain.from_iterable(whole)) == list(range(103))
    for taken in range(len(whole) + 1):
        other = Loader(stored(103), 4, shuffle=shuffle, buffer=2)
        other.load_state_dict(loader.state_dict(batch=taken, workers=workers))
        assert numbers(in_turns(other)) == whole[taken:]
    other.load_state_dict(loader.state_dict(batch=3, workers=workers))
    with pytest.raises(ValueMismatchError, match=f"expected the {workers} worker processes"):
        other.worker(0, workers + 1)


def test_a_state_is_not_dropped_by_a_part_by_set_epoch_or_without_the_workers_that_it_counts():
    """Each of these would begin the epoch again, and give rows a second time."""
    loader = Loader(stored(), 10, seed=4)
    whole = [rows.tolist() for rows in loader.indices()]
    state = loader.state_dict(batch=3)
    loader.load_state_dict(state)
    with pytest.raises(ValueMismatchError, match="found one that goes on in its midst"):
        loader.shard(0, 2)
    loader.set_epoch(0)  # as a training loop does before each epoch
    assert loader.state_dict()["batch"] == 3
    assert numbers(loader) == whole[3:]
    loader.load_state_dict(loader.state_dict(batch=3, workers=2) | {"epoch": 0})
    with pytest.raises(ValueMismatchError, match=r"expected 2 worker processes, .* num_workers=2"):
        next(iter(loader))
    with pytest.raises(ValueMismatchError, match="expected the 2 worker processes"):
        loader.worker(0, 1)
    loader.set_epoch(5)
    assert len(list(loader)) == 10


# --- what it costs


LAYOUTS = {
    "plain": {"compressors": None},
    "zstd": {"compressors": "zstd"},
    "shards": {"shards": (20, 3)},
    "columns": {"chunks": (10, 2)},
}


@pytest.mark.parametrize("shuffle", SHUFFLES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rank", [None, 1])
def test_the_plan_tells_requests_and_bytes_before_the_epoch_runs(shuffle, layout, rank):
    store = TraceStore(MemoryStore())
    array = zarr.create_array(store, data=rows_of(105), **{"chunks": (10, 3), **LAYOUTS[layout]})
    loader = Loader(array, 8, shuffle=shuffle, buffer=3, seed=8)
    loader = loader if rank is None else loader.shard(rank, 2)
    for _ in range(2):
        store.clear()
        plan, looked = loader.plan(), loader.plan(look=True)
        sizes = [r.key for r in store.requests]
        assert len(sizes) == len(set(sizes)) or layout == "shards", "each size is asked for once"
        assert {r.verb for r in store.requests} <= {"HEAD", "GET" if layout == "shards" else "HEAD"}
        store.clear()
        batches = list(loader)
        nbytes, requests = data_bytes(store)
        assert (looked.stored_bytes, looked.requests, looked.exact) == (nbytes, requests, True)
        assert plan.requests == requests if plan.exact else plan.requests >= requests
        assert (plan.rows, plan.batches) == (sum(map(len, batches)), len(batches))
        assert plan.nbytes == sum(b.nbytes for b in batches)


@pytest.mark.parametrize("shuffle", ["none", "chunks", "blocks"])
@pytest.mark.parametrize("parts", [1, 3])
def test_an_epoch_reads_each_chunk_once_and_once_more_where_parts_meet(shuffle, parts):
    array = stored(105, 10)
    loader = Loader(array, 8, shuffle=shuffle)
    array.store.clear()
    for rank in range(parts):
        list(loader.shard(rank, parts))
    _, requests = data_bytes(array.store)
    assert 11 <= requests <= 11 + parts - 1


def test_a_full_shuffle_reads_the_chunks_in_which_the_rows_of_a_batch_lie():
    array = stored(1000, 10, compressors="zstd")
    loader = Loader(array, 50, shuffle="full")
    distinct = sum(len(set((rows // 10).tolist())) for rows in loader.indices())
    array.store.clear()
    list(loader)
    assert data_bytes(array.store)[1] == loader.plan(0).requests == distinct
    # one batch: chunks that hold any of 50 rows drawn from 1000, without putting back
    none = np.prod([(990 - i) / (1000 - i) for i in range(50)])
    assert abs(distinct / 20 - 100 * (1 - none)) < 2


def test_chunks_that_do_not_end_together_are_counted_as_often_as_they_are_read():
    store = TraceStore(MemoryStore())
    wide = zarr.create_array(store, name="wide", data=rows_of(100), chunks=(10, 3))
    narrow = zarr.create_array(store, name="narrow", data=np.arange(100, dtype="u1"), chunks=(25,), compressors="zstd")
    loader = Loader((wide, narrow), 10)
    assert loader.plan().requests == 10 + 12  # two of the ten units lie on an edge of the narrow one
    store.clear()
    batches = list(loader)
    assert data_bytes(store)[1] == 22
    assert all(np.array_equal(x[:, 0] // 3, y) for x, y in batches)
    assert Loader((wide, narrow), 10, rows_per_read=50).plan().requests == 10 + 4
    assert Loader((wide, narrow[:]), 10).plan().requests == 10


def test_chunks_of_uneven_lengths_are_read_as_they_are():
    store = TraceStore(MemoryStore())
    array = zarr.create_array(store, data=rows_of(60), chunks=([5, 30, 10, 15], 3))
    loader = Loader(array, 8, buffer=2)
    store.clear()
    assert sorted(itertools.chain.from_iterable(numbers(loader))) == list(range(60))
    assert data_bytes(store)[1] == 4


@pytest.mark.parametrize("prefetch", [0, 1, 4])
@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_reads_run_ahead_by_so_many_units_and_no_more(shuffle, prefetch):
    array = stored(400, 10)
    loader = Loader(array, 10, shuffle=shuffle, buffer=2, prefetch=prefetch, seed=6)
    needed, units = [], 0
    if shuffle != "full":  # units that must be there when a batch is given
        from tutorial_zarr.loaders.order import Buffer

        for step in Buffer(loader.order, 0):
            units += len(step.loads)
            needed.append(units)
    array.store.clear()
    for number, _ in enumerate(loader):
        time.sleep(0.002)  # time to run further ahead, if it would
        if shuffle != "full":
            begun = data_bytes(array.store)[1]
            assert begun <= needed[number] + prefetch
        assert len(threads()) <= prefetch


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_memory_is_flat_and_within_what_the_plan_says(shuffle):
    """However many rows there are: what is held is the buffer, the units ahead, and a batch."""
    rows, width, chunk = 5120, 4096, 4096 * 32
    array = zarr.create_array({}, shape=(rows, width), chunks=(32, width), dtype="u1", compressors="zstd")
    array[...] = (np.arange(rows) % 251)[:, None]
    loader = Loader(array, 32, shuffle=shuffle, buffer=3, prefetch=2)
    units = {"none": 7, "chunks": 8, "blocks": 9, "full": 8}[shuffle]  # the buffer, four ahead, a batch
    allowed = loader.plan().memory_bytes
    assert chunk * (units - 1) < allowed <= chunk * units
    zarr.set_workers(2)
    tracemalloc.start()
    try:
        for batch in loader:
            del batch
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        zarr.set_workers(None)
    # a chunk encoded and decoded, for each of two workers of three reads, and eight buffers that are kept for the next
    decoders = chunk * (2 * 2 * 3 + 8)
    assert allowed - chunk * 4 < peak < allowed + decoders < array.nbytes / 5


def test_a_buffer_for_which_there_is_no_memory_is_refused_before_anything_is_read():
    array = stored(1000, 10)
    loader = Loader(array, 10, buffer=50)
    array.store.clear()
    with limits.override(memory_bytes=4000), pytest.raises(LimitError, match="an epoch would take"):
        next(iter(loader))
    assert array.store.requests == []


# --- errors, and what they leave


def test_arrays_that_do_not_fit_are_refused():
    array = stored()
    with pytest.raises(ValueMismatchError, match=r"same number of rows, found x: 100, y: 99"):
        Loader({"x": array, "y": np.arange(99)}, 10)
    with pytest.raises(ValueMismatchError, match="batch_size: expected at most 100, the rows of the arrays, found 101"):
        Loader(array, 101)
    with pytest.raises(ValueError, match="expected an array of rows, found list"):
        Loader({"x": [1, 2, 3]}, 1)
    with pytest.raises(ValueError, match="found one without axes"):
        Loader(zarr.array(5), 1)
    with pytest.raises(ValueError, match="at least one array in a store"):
        Loader(np.arange(5), 1)
    with pytest.raises(ValueError, match="at least one array in a store"):
        Loader({}, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shuffle": "chunk"}, "expected one of 'none', .*, True or False, found 'chunk'; did you mean 'chunks'"),
        ({"shuffle": 7}, "shuffle: expected one of .* found 7$"),
        ({"batch_size": 0}, "batch_size: expected an integer of at least 1, found 0"),
        ({"batch_size": 2.5}, "batch_size: expected an integer of at least 1, found 2.5"),
        ({"buffer": 0}, "buffer: expected an integer of at least 1"),
        ({"seed": -1}, "seed: expected an integer from 0"),
        ({"seed": 2**128}, "seed: expected an integer from 0"),
        ({"prefetch": -1}, "prefetch: expected an integer of at least 0"),
        ({"rows_per_read": 0}, "rows_per_read: expected"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_would(options, words):
    with pytest.raises(ValueError, match=words):
        Loader(stored(), **{"batch_size": 10, **options})


def test_parts_that_cannot_be_are_refused():
    loader = Loader(stored(), 10, drop_last=True)
    for rank, world in ((2, 2), (-1, 2), (0, 0), (0, 101)):
        with pytest.raises(ValueError, match=r"(rank|world): expected an integer from"):
            loader.shard(rank, world)
    with pytest.raises(ValueMismatchError, match="at least 10 rows for each of 11 parts, to fill a batch, found 9"):
        loader.shard(0, 11)
    assert len(Loader(stored(), 10).shard(0, 11)) == 1


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_an_array_that_changed_its_length_is_noticed(shuffle):
    store = MemoryStore()
    stored(store=store)
    array, other = zarr.open_array(store, mode="r"), zarr.open_array(store)
    loader = Loader(array, 10, shuffle=shuffle)
    assert len(list(loader)) == 10
    for rows in (120, 90):
        other.resize((rows, 3))
        with pytest.raises(ValueMismatchError, match=rf"expected the shape \(100, 3\), as when .* found \({rows}, 3\)"):
            next(iter(loader))
    assert array.shape == (100, 3), "the caller's handle is left as it was"


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_an_array_that_is_cut_while_it_is_read_ends_the_epoch_with_an_error(shuffle):
    """What was cut off reads as fill values: no epoch may end as if it had been right."""
    store = MemoryStore()
    stored(store=store)
    other = zarr.open_array(store)
    batches = iter(Loader(zarr.open_array(store, mode="r"), 10, shuffle=shuffle, prefetch=0))
    assert len(list(itertools.islice(batches, 5))) == 5
    other.resize((50, 3))
    assert len(list(itertools.islice(batches, 4))) == 4
    with pytest.raises(ValueMismatchError, match=r"found \(50, 3\)"):
        next(batches)
    other.resize((100, 3))
    for number, _ in enumerate(Loader(other, 10, shuffle=shuffle)):
        if number == 5:
            zarr.open_array(store).append(rows_of(10))  # rows that come later harm nothing
    assert number == 9


def test_another_array_in_the_place_of_the_old_one_is_noticed():
    store = MemoryStore()
    loader = Loader(stored(store=store), 10)
    zarr.create_array(store, data=rows_of(100).astype("f8"), chunks=(10, 3), overwrite=True)
    with pytest.raises(MetadataError, match="it was replaced since"):
        next(iter(loader))
    loader = Loader(stored(store=MemoryStore()), 10)
    store = loader.arrays["array"].store
    zarr.create_array(store, data=rows_of(100), chunks=(5, 6), overwrite=True)  # as many bytes in a chunk
    with pytest.raises(ValueMismatchError, match=r"found \(100, 3\), in other chunks"):
        next(iter(loader))
    store.delete("zarr.json")
    with pytest.raises(ArrayNotFoundError):
        next(iter(loader))


class Failing(TraceStore):
    """Cannot read the chunks from some moment on."""

    broken = False

    def around(self, request, call, value=None):
        if self.broken and request.key.startswith("c/"):
            raise OSError("the disk is gone")
        return super().around(request, call, value)


@pytest.mark.parametrize("prefetch", [0, 3])
def test_a_read_that_fails_is_told_where_it_was_and_the_loader_goes_on_later(prefetch):
    store = Failing(MemoryStore())
    loader = Loader(stored(store=store), 5, prefetch=prefetch, buffer=2, seed=2)
    whole, taken = [rows.tolist() for rows in loader.indices()], []

    def train():
        for batch in loader:
            taken.extend(numbers([batch]))
            store.broken = len(taken) == 4

    with pytest.raises(OSError, match="the disk is gone"):
        train()
    assert wait_for_threads() == set()
    store.broken, state = False, loader.state_dict()
    assert (state["batch"], loader.epoch) == (len(taken), 0)
    loader.load_state_dict(state)
    assert taken + numbers(loader) == whole


def test_bytes_that_cannot_be_decoded_name_the_chunk():
    store = MemoryStore()
    loader = Loader(stored(store=store, compressors="zstd"), 5)
    store.set("c/7/0", b"not zstd")
    with pytest.raises(ChunkError, match="c/7/0"):
        list(loader)
    assert wait_for_threads() == set()


def test_an_error_of_who_takes_the_batches_leaves_no_thread_even_where_its_traceback_is_kept():
    kept = []

    def train():
        for number, _ in enumerate(Loader(stored(400), 10, prefetch=4)):
            if number == 3:
                raise RuntimeError("loss is NaN")

    try:
        train()
    except RuntimeError as error:
        kept.append(error)
    assert kept[0].__traceback__ is not None
    assert wait_for_threads() == set()


def test_leaving_in_the_midst_leaves_no_thread_while_the_iterator_is_held():
    batches = iter(Loader(stored(400), 10, prefetch=4))
    next(batches)
    assert wait_for_threads() == set()
    assert len(list(batches)) == 39


CTRL_C = """
import os, signal, sys, threading, time
import numpy as np
import tutorial_zarr as zarr
from tutorial_zarr.loaders import Loader
from tutorial_zarr.stores import LatencyStore, MemoryStore

store = MemoryStore()
zarr.create_array(store, data=np.arange(4000).reshape(400, 10), chunks=(10, 10))
signal.signal(signal.SIGINT, signal.default_int_handler)
main = threading.get_native_id()
loader = Loader(zarr.open_array(LatencyStore(store, 0.02), mode="r"), 10, prefetch=3)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        for batch in loader:
            pass
except KeyboardInterrupt:
    deadline = time.monotonic() + 10
    while any(t.name.startswith("tutorial_zarr") for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    print([t.name for t in threading.enumerate() if t.name.startswith("tutorial_zarr")], loader.state_dict()["rows"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are not sent there")
def test_ctrl_c_leaves_no_thread():
    done = subprocess.run([sys.executable, "-c", CTRL_C], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[] 400", "")


def test_a_loader_is_copied_and_pickled_with_where_it_is_and_without_threads():
    loader = Loader({"x": stored(store=MemoryStore()), "y": np.arange(100)}, 10, seed=3)
    batches = iter(loader)
    next(batches)
    loader.load_state_dict(loader.state_dict())
    for other in (pickle.loads(pickle.dumps(loader)), copy.copy(loader)):
        assert numbers(b["x"] for b in other) == [rows.tolist() for rows in loader.indices(0)][1:]


def test_a_dataset_of_pytorch_needs_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.data", None)
    monkeypatch.delitem(sys.modules, "tutorial_zarr.loaders.pytorch", raising=False)
    with pytest.raises(MissingDependencyError, match="pip install torch"):
        Loader(stored(), 10).dataset()


def test_a_loader_tells_what_it_is():
    loader = Loader({"x": stored(), "y": np.arange(100)}, 8)
    assert repr(loader.shard(1, 2)) == (
        "<Loader of 100 rows of x, y: 7 batches of 8, shuffle='chunks' buffer=8 seed=0 part 2 of 2>"
    )
    assert "100 rows in 13 batches" in repr(loader.plan(look=True))
    assert loader.plan().amplification == pytest.approx(1200 / 2000)
