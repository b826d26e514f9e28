"""Many writers, one value: no update is lost, and a writer that is killed leaves the old value or the new one."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import tutorial_zarr as zarr
from tutorial_zarr.stores import LocalStore, MemoryStore, SQLiteStore, ZipStore, make_store

from .update_worker import is_signed, set_cell

WORKER = Path(__file__).with_name("update_worker.py")
CELLS = bytes(range(1, 65))


def start(store, *task, options=None):
    arguments = [sys.executable, str(WORKER), str(store), json.dumps(options or {}), *map(str, task)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def release(workers):
    """Let workers that were started go at once."""
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()


def finish(workers):
    for worker in workers:
        out, _ = worker.communicate(timeout=120)
        assert (worker.returncode, out) == (0, "done\n")


def update_with_threads(store, key="c/0", threads=64):
    """Each thread sets one byte of a value; all start together."""
    barrier = threading.Barrier(threads)

    def work(i):
        barrier.wait()
        store.update(key, lambda old: set_cell(old, i))

    running = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


@pytest.mark.parametrize("kind", ["memory", "folder", "zip", "sqlite"])
def test_64_threads_that_set_a_byte_each_of_one_value_lose_none(kind, tmp_path):
    store = {
        "memory": MemoryStore,
        "folder": lambda: LocalStore(tmp_path / "store"),
        "zip": lambda: ZipStore(tmp_path / "store.zip", "w"),
        "sqlite": lambda: SQLiteStore(tmp_path / "store.db"),
    }[kind]()
    update_with_threads(store)
    assert store.get("c/0") == CELLS


def test_two_stores_on_one_folder_share_the_lock(tmp_path):
    stores = [LocalStore(tmp_path), LocalStore(tmp_path)]
    threads = [
        threading.Thread(
            target=lambda i=i: [
                stores[i % 2].update("n", lambda old: str(int(old or 0) + 1).encode()) for _ in range(50)
            ]
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].get("n") == b"200"


def test_without_update_the_same_writes_are_lost():
    """What the two tests above would see if nothing were locked."""
    store, both = MemoryStore({"n": b"0"}), threading.Barrier(2)

    def work():
        old = store.get("n")
        both.wait()
        store.set("n", str(int(old) + 1).encode())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("n") == b"1"


def open_place(place):
    return make_store(place[0], storage_options=place[1] or None)


def test_8_processes_that_set_8_elements_each_of_one_value_one_chunk_and_one_shard_lose_none(place):
    store = open_place(place)
    zarr.create_array(store, name="chunk", shape=(64,), dtype="u1", chunks=(64,))
    zarr.create_array(store, name="shard", shape=(64,), dtype="u1", chunks=(16,), shards=(64,))
    workers = [start(place[0], "cells", "value", 8 * i, 8 * i + 8, options=place[1]) for i in range(8)]
    release(workers)
    finish(workers)
    assert store.get("value") == CELLS
    assert zarr.open_array(store, path="chunk")[:].tobytes() == CELLS
    assert zarr.open_array(store, path="shard")[:].tobytes() == CELLS
    assert store.leftovers() == []


@pytest.mark.slow
def test_8_processes_that_count_together_count_right(place):
    """`python -m pytest tests/faults/test_writers.py -m slow`: 1,600 updates of one key."""
    workers = [start(place[0], "count", "n", 200, options=place[1]) for _ in range(8)]
    release(workers)
    finish(workers)
    assert open_place(place).get("n") == b"1600"


def kill_writers(place, kills, seed=0):
    """Kill a writer `kills` times; after each, the value must be whole and its lock free."""
    store, source, seen = open_place(place), random.Random(seed), set()
    for i in range(kills):
        worker = start(place[0], "forever", "a/c/0", i, options=place[1])
        try:
            release([worker])
            time.sleep(source.uniform(0, 0.3))
        finally:
            worker.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            worker.communicate()
        value = store.get("a/c/0")
        assert value is None or is_signed(value), f"torn after kill {i}"
        seen.add(value)
        store.update("a/c/0", lambda old: old)  # raises where the dead worker's lock is not free
        assert set(store.list_prefix()) <= {"a/c/0"}
    return store, seen


def check_kills(store, seen, kills):
    assert len(seen) > kills // 4, "the workers were killed before they wrote anything"
    assert len(store.leftovers()) <= kills
    store.remove_leftovers(older_than=0)
    assert store.leftovers() == []
    assert is_signed(store.get("a/c/0"))


def test_a_killed_writer_leaves_a_whole_value_and_no_lock(place):
    check_kills(*kill_writers(place, 6), 6)


@pytest.mark.slow
def test_100_killed_writers_leave_whole_values_and_no_locks(place):
    """`python -m pytest tests/faults/test_writers.py -m slow`."""
    check_kills(*kill_writers(place, 100, seed=1), 100)


def test_a_writer_that_is_killed_while_it_holds_the_lock_frees_it(tmp_path):
    script = (
        "import sys, time\nfrom tutorial_zarr.stores import LocalStore\n"
        "def change(old):\n    print('held', flush=True); time.sleep(60)\n"
        f"LocalStore({str(tmp_path)!r}).update('c/0', change)"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout.readline() == "held\n"
        with pytest.raises(OSError, match=r"expected to lock .*c.0\.lock\.partial' within 0\.05 s, found another"):
            LocalStore(tmp_path, lock_timeout=0.05).update("c/0", lambda old: b"mine")
        assert [Path(leftover.path).name for leftover in LocalStore(tmp_path).leftovers()] == ["0.lock.partial"]
        assert LocalStore(tmp_path).remove_leftovers(older_than=0) == [], "a lock that is held is no leftover"
    finally:
        worker.kill()
        worker.communicate()
    store = LocalStore(tmp_path, lock_timeout=5)
    store.update("c/0", lambda old: b"mine")
    assert store.get("c/0") == b"mine"
    assert store.leftovers() == []


@pytest.mark.parametrize("kind", ["folder", "sqlite"])
def test_a_whole_chunk_and_a_part_of_it_written_by_two_processes_are_both_there(kind, tmp_path):
    """One writes the chunk whole, another one element: 150 times each, at once."""
    place, rounds = tmp_path / {"folder": "a", "sqlite": "a.sqlite"}[kind], 150
    array = zarr.create_array(place, shape=(4,), chunks=(4,), dtype="i4")
    worker = start(place, "partly", "unused", rounds)
    release([worker])
    for k in range(1, rounds + 1):
        worker.stdin.write("go\n")
        worker.stdin.flush()
        array[:] = k
        assert worker.stdout.readline() == "written\n"
        assert array[1:].tolist() == [k] * 3, f"round {k}: the whole write is lost"
        assert array[0] in (k, -k)
        if k % 5 == 0:  # an empty chunk is deleted, and so it stays
            worker.stdin.write("go\n")
            worker.stdin.flush()
            array[:] = 0
            assert worker.stdout.readline() == "written\n"
            assert array[1:].tolist() == [0] * 3, f"round {k}: the deletion is lost"
    assert worker.stdout.readline() == "done\n"
    worker.communicate(timeout=20)


def test_a_plain_put_beside_an_update_in_a_bucket_is_not_undone(seaweed):
    store, other = (make_store(seaweed[0], storage_options=seaweed[1]) for _ in range(2))
    store.set("n", b"0")

    seen = []

    def change(old):
        if not seen:
            other.set("n", b"100")
        seen.append(old)
        return str(int(bytes(old)) + 1).encode()

    store.update("n", change)
    assert store.get("n") == b"101"
