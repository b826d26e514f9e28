"""What a process holds open, after a fork or a pickle: children read what is stored, or are told; none waits."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import CacheStore, LocalStore, MemoryStore, SQLiteStore, ZipStore, locks

from .test_http import from_values, serving

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
VALUES = np.random.default_rng(0).permutation(200_000).astype("i4")


def in_children(work, count=4, seconds=30):
    """Exit codes of forked children that do `work(number)`: 0 where it returns true."""
    children = []
    for number in range(count):
        children.append(os.fork())
        if children[-1] == 0:
            signal.alarm(seconds)
            try:
                os._exit(not work(number))
            except BaseException:
                os._exit(2)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def reads_right(array, seed, count=150):
    starts = np.random.default_rng(seed).integers(0, len(VALUES) - 700, count).tolist()
    return all(np.array_equal(array[start : start + 700], VALUES[start : start + 700]) for start in starts)


@forks
@pytest.mark.parametrize("kind", ["zip", "sqlite", "folder", "cached"])
def test_children_of_a_process_that_has_a_store_open_read_what_is_stored(kind, tmp_path):
    store = {
        "zip": lambda: ZipStore(tmp_path / "a.zip", "w"),
        "sqlite": lambda: SQLiteStore(tmp_path / "a.sqlite"),
        "folder": lambda: LocalStore(tmp_path / "a"),
        "cached": lambda: CacheStore(LocalStore(tmp_path / "a"), max_bytes=50_000),
    }[kind]()
    zarr.create_array(store, data=VALUES, chunks=(500,), shards=(50_000,), compressors=None)
    if kind == "zip":
        store.close()
        store = ZipStore(tmp_path / "a.zip")
    array = zarr.open_array(store, mode="r")
    assert reads_right(array, 99, 2)
    assert in_children(lambda number: reads_right(array, number)) == [0] * 4


@forks
def test_children_ask_a_web_server_on_connections_of_their_own(tmp_path):
    pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
    store = MemoryStore()
    zarr.create_array(store, data=VALUES[:2000], chunks=(500,), compressors=None)
    values = {f"/a/{key}": value for key, value in store.mapping.items()}
    with serving(from_values(values)) as (url, _):
        array = zarr.open_array(f"{url}/a", mode="r")
        assert array[0] == VALUES[0]
        before = array.store.pool if hasattr(array.store, "pool") else None

        def work(number):
            return np.array_equal(array[:], VALUES[:2000]) and array.store.pool is not before

        assert in_children(work, 2) == [0, 0]


@forks
@pytest.mark.parametrize("kind", [ZipStore, SQLiteStore, CacheStore])
def test_a_child_does_not_wait_for_a_lock_that_a_thread_of_its_parent_held(kind, tmp_path):
    path = tmp_path / "a"
    store = kind(LocalStore(path)) if kind is CacheStore else kind(path, "w") if kind is ZipStore else kind(path)
    zarr.create_array(store, shape=(4,), dtype="i4")[:] = 1
    if kind is ZipStore:
        store.close()
        store = ZipStore(path)
    array, held, done = zarr.open_array(store, mode="r"), threading.Event(), threading.Event()

    def busy():
        with store._lock, locks._locks_guard:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=busy)
    thread.start()
    held.wait()
    try:
        assert in_children(lambda number: array[:].tolist() == [1] * 4, 1, seconds=10) == [0]
    finally:
        done.set()
        thread.join()


@forks
def test_a_child_holds_no_file_lock_of_its_parent(tmp_path):
    """A writer that was killed in the parent would else keep its chunk locked for as long as a child lives."""
    store, inside, go = LocalStore(tmp_path), threading.Event(), threading.Event()

    def change(old):
        inside.set()
        go.wait(20)
        return b"1"

    thread = threading.Thread(target=store.update, args=("a", change))
    thread.start()
    inside.wait()
    (waiting, living), (ready, there) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(there, b"1")
        os.close(living)
        os.read(waiting, 1)
        os._exit(0)
    assert os.read(ready, 1) == b"1"
    lock = next(held.file for each in locks._held.values() if (held := each()) is not None)
    lock.leave()  # as when the parent dies
    assert not locks.is_held(lock.path), "the child holds it"
    os.close(living)
    os.waitpid(child, 0)
    lock.fd = os.open(lock.path, os.O_RDWR)
    go.set()
    thread.join()
    assert store.get("a") == b"1"


@forks
def test_what_is_written_to_a_zip_file_is_finished_by_the_process_that_opened_it(tmp_path):
    store = ZipStore(tmp_path / "a.zip", "w")
    store.set("a", b"1")

    def work(number):
        with pytest.raises(StoreError, match="expected the process that opened it for writing, found one"):
            store.set("b", b"2")
        store.close()
        return store.get("a") is not None

    assert in_children(work, 1) in ([0], [2])
    assert not (tmp_path / "a.zip").exists()
    store.close()
    with ZipStore(tmp_path / "a.zip") as reading:
        assert list(reading.list_prefix()) == ["a"]


@forks
def test_a_database_in_memory_stays_with_its_process(tmp_path):
    store = SQLiteStore(":memory:")
    store.set("a", b"1")

    def work(number):
        with pytest.raises(StoreError, match=r"in memory: expected the process that made it.*use a file"):
            store.get("a")
        return True

    assert in_children(work, 1) == [0]
    assert store.get("a") == b"1"
    with pytest.raises(TypeError, match="a database in memory cannot be sent to another process; use a file"):
        pickle.dumps(store)


def test_a_copy_of_memory_in_another_process_can_be_read_and_says_so_where_it_is_written_to():
    store = MemoryStore({"a": b"1"})
    program = f"import pickle\ns = pickle.loads({pickle.dumps(store)!r})\nprint(s.get('a'))\ns.set('a', b'2')"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (1, "b'1'\n")
    assert "ReadOnlyError" in found.stderr
    assert "expected a store that processes share, found a copy of memory" in found.stderr
    again = pickle.loads(pickle.dumps(store))
    assert (again.get("a"), again.read_only) == (b"1", True)
    own = MemoryStore(again.mapping)
    own.set("a", b"3")
    assert (own.get("a"), store.get("a")) == (b"3", b"1")


def test_a_store_in_memory_that_is_copied_can_be_written_to():
    store = MemoryStore({"a": b"1"})
    deep, shallow = copy.deepcopy(store), copy.copy(store)
    deep.set("a", b"2")
    assert store.get("a") == b"1"
    shallow.set("a", b"3")
    assert store.get("a") == b"3"
