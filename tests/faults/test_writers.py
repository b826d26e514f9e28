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

from tutorial_zarr.stores import LocalStore, MemoryStore, ZipStore

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


@pytest.mark.parametrize("kind", ["memory", "folder", "zip"])
def test_64_threads_that_set_a_byte_each_of_one_value_lose_none(kind, tmp_path):
    store = {
        "memory": MemoryStore,
        "folder": lambda: LocalStore(tmp_path / "store"),
        "zip": lambda: ZipStore(tmp_path / "store.zip", "w"),
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


def test_8_processes_that_set_8_bytes_each_of_one_value_lose_none(tmp_path):
    workers = [start(tmp_path / "a b é", "cells", "c/0", 8 * i, 8 * i + 8) for i in range(8)]
    release(workers)
    finish(workers)
    store = LocalStore(tmp_path / "a b é")
    assert store.get("c/0") == CELLS
    assert store.leftovers() == []


@pytest.mark.slow
def test_8_processes_that_count_together_count_right(tmp_path):
    """`python -m pytest tests/faults/test_writers.py -m slow`: 8,000 updates of one key."""
    workers = [start(tmp_path, "count", "n", 1000) for _ in range(8)]
    release(workers)
    finish(workers)
    assert LocalStore(tmp_path).get("n") == b"8000"


def kill_writers(folder, kills, seed=0):
    """Kill a writer `kills` times; after each, the value must be whole and its lock free."""
    store, source, seen = LocalStore(folder, lock_timeout=5), random.Random(seed), set()
    for i in range(kills):
        worker = start(folder, "forever", "a/c/0", i)
        try:
            release([worker])
            time.sleep(source.uniform(0, 0.05))
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


def test_a_killed_writer_leaves_a_whole_value_and_no_lock(tmp_path):
    check_kills(*kill_writers(tmp_path, 12), 12)


@pytest.mark.slow
def test_300_killed_writers_leave_whole_values_and_no_locks(tmp_path):
    """`python -m pytest tests/faults/test_writers.py -m slow`."""
    check_kills(*kill_writers(tmp_path, 300, seed=1), 300)


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
