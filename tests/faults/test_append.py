"""Many writers append to one array: no block is lost, doubled, torn or out of its writer's order.

python -m pytest tests/faults/test_append.py -m slow -n 0 -s     # 1,000 appends by 8 processes, on each store
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import doctor
from tutorial_zarr.resizing import reservations
from tutorial_zarr.stores import MemoryStore, ObjectStore, SQLiteStore, TraceStore, wrappers

from .append_worker import append, block
from .test_writers import open_place, release

WORKER = Path(__file__).with_name("append_worker.py")


def blocks_in(rows):
    """The (writer, number) of each block, in the order in which they lie; every row must be in its place."""
    found, at = [], 0
    while at < len(rows):
        writer, number, _, length = rows[at].tolist()
        np.testing.assert_array_equal(rows[at : at + length], block(writer, number))
        found.append((writer, number))
        at += length
    return found


def check(array, writers, each):
    """`writers` have appended blocks 0 to `each`, in their order."""
    array.refresh()
    found = blocks_in(array[...])
    assert len(found) == writers * each
    for writer in range(writers):
        assert [number for who, number in found if who == writer] == list(range(each))
    assert array.unfinished == {}
    return found


def start_appending(place, *task):
    arguments = [sys.executable, str(WORKER), str(place[0]), json.dumps(place[1]), *map(str, task)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def append_with_processes(place, writers, each, **layout):
    array = zarr.create_array(open_place(place), shape=(0, 4), dtype="i4", **layout)
    workers = [start_appending(place, "append", writer, each) for writer in range(writers)]
    release(workers)
    began = time.perf_counter()
    for writer, worker in enumerate(workers):
        out, _ = worker.communicate(timeout=600)
        *ends, done = out.split()
        assert (worker.returncode, done) == (0, "done")
        stops = {int(end): number for number, end in enumerate(ends)}
        array.refresh()
        for stop, number in list(stops.items())[:20]:  # what `append` returned is where the block ends
            rows = block(writer, number)
            np.testing.assert_array_equal(array[stop - len(rows) : stop], rows)
    seconds = time.perf_counter() - began
    found = check(array, writers, each)
    return found, seconds


@pytest.mark.parametrize("layout", [{"chunks": (7, 4)}, {"chunks": (2, 4), "shards": (8, 4)}], ids=["chunks", "shards"])
def test_3_processes_append_and_nothing_is_lost_doubled_or_out_of_order(place, layout):
    append_with_processes(place, 3, 8, **layout)


@pytest.mark.slow
def test_8_processes_append_1000_blocks_and_nothing_is_lost_doubled_or_out_of_order(place):
    _, seconds = append_with_processes(place, 8, 125, chunks=(64, 4))
    print(f"\n{place[0].split(':')[0][-12:]}: 1000 appends by 8 processes in {seconds:.1f} s, all there, in order")


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("kind", ["memory", "sqlite", "bucket"])
def test_8_threads_append_and_nothing_is_lost_doubled_or_out_of_order(kind, zarr_format, tmp_path):
    store = {"memory": MemoryStore, "sqlite": lambda: SQLiteStore(tmp_path / "a.sqlite"), "bucket": bucket}[kind]()
    array = zarr.create_array(store, shape=(0, 4), dtype="i4", chunks=(6, 4), zarr_format=zarr_format)
    handles = [zarr.open_array(store, mode="r+") for _ in range(8)]
    errors = []

    def work(writer):
        try:
            append(handles[writer], writer, 12)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check(array, 8, 12)


# --- what an append costs, and what it shows


def bucket():
    return ObjectStore(pytest.importorskip("obstore.store", reason="obstore is not installed").MemoryStore())


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (MemoryStore, ["GPPP", "GPPPP", "GPPP", "GGPP", "GGPP"]),
        (bucket, ["GPPGP", "GPPPGP", "GPGPGP", "GPGPGP", "GPGPGP"]),
    ],
    ids=["memory", "bucket"],
)
def test_an_append_lists_nothing_and_makes_the_requests_that_its_docstring_tells(make, expected):
    store = TraceStore(make())
    array = zarr.create_array(store, shape=(800, 4), dtype="i4", chunks=(8, 4))
    array[...] = 7
    made = []
    for rows in (8, 16, 3, 2, 3):  # one new unit; two; a part of a new one; parts of one that is there
        store.clear()
        array.append(np.ones((rows, 4), "i4"))
        made.append("".join(request.verb[0] for request in store.requests))
    assert made == expected
    assert (array[:800] == 7).all()
    assert (array[800:] == 1).all()


def test_a_handle_that_was_opened_before_appends_behind_what_others_appended():
    store = MemoryStore()
    first = zarr.create_array(store, shape=(2,), dtype="i4", chunks=(4,), attributes={"a": 1})
    second = zarr.open_array(store, mode="r+")
    assert first.append([1, 2]) == (4,)
    first.attrs["b"] = 2
    assert second.append([3]) == (5,)
    assert (first.shape, first.refresh(), first[:].tolist()) == ((4,), (5,), [0, 0, 1, 2, 3])
    assert second.attrs.asdict() == {"a": 1, "b": 2}


def test_an_attribute_that_is_set_through_an_old_handle_undoes_no_append():
    store = MemoryStore()
    old = zarr.create_array(store, shape=(2,), dtype="i4", chunks=(4,))
    zarr.open_array(store, mode="r+").append([1, 2])
    old.attrs["late"] = True
    assert zarr.open_array(store).shape == old.shape == (4,)
    assert old[:].tolist() == [0, 0, 1, 2]


def test_an_append_to_an_array_that_was_replaced_or_deleted_is_refused():
    store = MemoryStore()
    array = zarr.create_array(store, name="a", shape=(2,), dtype="i4", chunks=(4,))
    zarr.create_array(store, name="a", shape=(2,), dtype="f8", chunks=(4,), overwrite=True)
    with pytest.raises(ValueError, match=r"expected the array that was opened, found another one at key 'a/zarr.json'"):
        array.append([1])
    store.delete_prefix("a")
    with pytest.raises(FileNotFoundError, match=r"expected its document at key 'a/zarr.json', found none"):
        array.append([1])


# --- what a writer that fails, or is killed, leaves


class Killed(BaseException):
    pass


class DyingStore(wrappers.AroundStore):
    """A store whose writer dies before its n-th request that writes."""

    def __init__(self, store, writes):
        super().__init__(store)
        self.writes = writes

    def around(self, request, call, value=None):
        if request.verb in ("PUT", "DELETE"):
            self.writes -= 1
            if self.writes < 0:
                raise Killed
        return call()


@contextlib.contextmanager
def appending_elsewhere(array, job, writes):
    """A writer in another thread that has made so many requests that write; at the end it is killed."""
    reached, end, errors = threading.Event(), threading.Event(), []

    class Waiting(DyingStore):
        def around(self, request, call, value=None):
            if request.verb in ("PUT", "DELETE") and self.writes <= 0 and not end.is_set():
                reached.set()
                end.wait(60)
            return super().around(request, call, value)

    def work():
        try:
            job(zarr.open_array(Waiting(array.store, writes), mode="r+", path=array.path))
        except BaseException as error:
            errors.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert reached.wait(60)
    try:
        yield
    finally:
        end.set()
        thread.join()
    assert errors == [Killed]


def die(store, writes, job):
    """Whether a writer died in the job before it made so many writes."""
    try:
        job(zarr.open_array(DyingStore(store, writes), mode="r+"))
    except Killed:
        return True
    return False


@pytest.mark.parametrize("make", [MemoryStore, bucket], ids=["memory", "bucket"])
def test_an_append_that_dies_at_any_write_leaves_no_hole_without_a_mark_and_the_doctor_clears_up(make):
    old, new = np.arange(10, dtype="i4"), np.arange(100, 109, dtype="i4")
    died = 0
    while True:
        store = make()
        array = zarr.create_array(store, shape=(10,), dtype="i4", chunks=(4,), fill_value=-1)
        array[...] = old
        if not die(store, died, lambda array: array.append(new)):
            break
        died += 1
        array.refresh()
        found = array[...]
        np.testing.assert_array_equal(found[:10], old)
        marked = {i for mark in array.unfinished.values() for i in range(mark.start, mark.stop)}
        for i in range(10, array.shape[0]):
            assert found[i] == new[i - 10] or i in marked, "a hole that nothing marks"
        report = doctor.examine(store)
        assert set(report.counts) <= {"unfinished-write"}
        young = doctor.repair(store, report)
        assert not any(action.done for action in young)
        doctor.repair(store, report, leftover_age=0)
        assert doctor.examine(store).ok
        assert not doctor.examine(store).faults
        array.refresh()
        assert array[...].tolist() in (old.tolist(), [*old, *new])
        array.resize(40)
        assert (array[19:] == -1).all(), "what was left came to light"
    assert died == {MemoryStore: 5, bucket: 5}[make]


@pytest.mark.parametrize("make", [MemoryStore, bucket], ids=["memory", "bucket"])
@pytest.mark.parametrize("shape", [(5, 9), (14, 3), (20, 20), (1, 1)])
def test_a_resize_that_dies_at_any_write_shows_only_what_is_there_and_the_doctor_clears_up(make, shape):
    old, died = np.arange(1, 61, dtype="i4").reshape(10, 6), 0
    while True:
        store = make()
        array = zarr.create_array(store, shape=(10, 6), dtype="i4", chunks=(4, 4), fill_value=-1)
        array[...] = old
        if not die(store, died, lambda array: array.resize(shape)):
            break
        died += 1
        array.refresh()
        same = tuple(slice(min(a, b)) for a, b in zip(array.shape, old.shape, strict=True))
        np.testing.assert_array_equal(array[same], old[same])
        report = doctor.examine(store)
        assert set(report.counts) <= {"unfinished-write"}
        doctor.repair(store, report, leftover_age=0)
        assert not doctor.examine(store).faults
        array.refresh()
        array.resize((20, 20))
        model = np.full((20, 20), -1)
        model[same] = old[same]
        np.testing.assert_array_equal(array[...], model)
    assert died >= 1


@pytest.mark.parametrize("make", [MemoryStore, bucket], ids=["memory", "bucket"])
def test_a_handle_whose_append_failed_goes_on_with_the_shape_that_is_stored(make):
    for writes in range(5):
        store = make()
        zarr.create_array(store, shape=(3,), dtype="i4", chunks=(2,))
        dying = DyingStore(store, 1000)
        array = zarr.open_array(dying, mode="r+")
        dying.writes = writes
        try:
            array.append([1, 2, 3])
        except Killed:
            assert array.shape[0] <= zarr.open_array(store).shape[0], "it promises nothing that is not stored"


def test_a_hole_in_the_midst_is_left_to_who_knows_what_belongs_there():
    store = bucket()
    array = zarr.create_array(store, shape=(2,), dtype="i4", chunks=(4,), fill_value=-1)
    with appending_elsewhere(array, lambda array: array.append([1, 2]), 1):  # it has its place, and is killed later
        array.append([3])
    assert array[...].tolist() == [-1, -1, -1, -1, 3]
    report = doctor.examine(store)
    assert [fault.rule for fault in report.faults] == ["unfinished-write"]
    assert "elements 2 to 4 of axis 0 may not be written" in report.faults[0].problem
    (action,) = doctor.repair(store, report, leftover_age=0)
    assert (action.done, "are to be written again" in action.what) == (False, True)
    array.refresh()
    (name,) = array.unfinished
    with pytest.raises(ValueError, match=r"expected data for 2 to 4 along axis 0 of the shape \(5,\), found \(1,\)"):
        array.finish(name, [1])
    array.finish(name, [1, 2])
    assert array[...].tolist() == [-1, -1, 1, 2, 3]
    assert not doctor.examine(store).faults
    with pytest.raises(ValueError, match=r"expected the name of an unfinished write, of \[\], found 'x'"):
        array.finish("x")


def test_an_append_waits_for_no_resize_but_tells_of_it_and_not_at_all_for_one_that_was_killed(monkeypatch):
    store = bucket()
    array = zarr.create_array(store, shape=(9,), dtype="i4", chunks=(4,))
    array[...] = 1
    monkeypatch.setattr(reservations, "PATIENCE", 0)
    with appending_elsewhere(array, lambda array: array.resize(3), 1):
        message = (
            r"expected nobody to change its shape, found a change of what lies behind 3 along axis 0, begun \d+ s "
        )
        with pytest.raises(OSError, match=message + rf"ago by process {os.getpid()} on .*; nothing was written"):
            array.append([1])
        with pytest.raises(OSError, match=message):
            array.resize(5)
        (name,) = zarr.open_array(store).unfinished
        with pytest.raises(OSError, match="expected a mark whose writer is gone, found one that is at work, begun"):
            array.finish(name)
        (action,) = doctor.repair(store, doctor.examine(store), leftover_age=0)
        assert not action.done
        assert f"is at work, begun 0 s ago by process {os.getpid()} on " in action.what
        assert list(zarr.open_array(store).unfinished) == [name]
    assert array.append([5]) == (4,)
    assert array[...].tolist() == [1, 1, 1, 5]
    array.resize(12)
    assert array[...].tolist() == [1, 1, 1, 5] + [0] * 8, "what the killed one had to clear"
