"""Ctrl-C at every moment at which Python lets it in: no lock stays held, no change vanishes, the next call works.

Python runs a signal's handler after a call into C, at the beginning of a function, and where a loop goes round. So an
exception is raised at each of these moments in the library's own code, one after the other, until the call passes.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import tutorial_zarr as zarr
from tutorial_zarr import parallel
from tutorial_zarr.stores import LocalStore, MemoryStore, SQLiteStore, ZipStore, locks

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # an interrupt within a __del__
]
HOME = str(Path(zarr.__file__).parent)
TOOL = 4


class Interruption:
    """Raises KeyboardInterrupt at the n-th moment within the library."""

    def __init__(self, moment):
        self.left, self.thread, self.place = moment, threading.get_ident(), None

    def __enter__(self):
        events, monitoring = sys.monitoring.events, sys.monitoring
        monitoring.use_tool_id(TOOL, "interruption")
        for event in (events.C_RETURN, events.PY_START):
            monitoring.register_callback(TOOL, event, self.happen)
        monitoring.register_callback(TOOL, events.JUMP, self.jump)
        monitoring.set_events(TOOL, events.CALL | events.PY_START | events.JUMP)
        return self

    def __exit__(self, *exception):
        sys.monitoring.set_events(TOOL, 0)
        for event in (sys.monitoring.events.C_RETURN, sys.monitoring.events.PY_START, sys.monitoring.events.JUMP):
            sys.monitoring.register_callback(TOOL, event, None)
        sys.monitoring.free_tool_id(TOOL)

    def jump(self, code, at, to):
        if to < at:  # a loop goes round
            self.happen(code, at)

    def happen(self, code, at, *rest):
        if self.place is not None or not code.co_filename.startswith(HOME) or threading.get_ident() != self.thread:
            return
        if code.co_name == "__del__":
            return  # an exception there goes nowhere, with an interrupt as without
        self.left -= 1
        if self.left < 0:
            self.place = f"{code.co_qualname} ({Path(code.co_filename).name}), at {at}"
            raise KeyboardInterrupt


def in_another_thread(call, seconds=20):
    """What a call returns that another thread makes, which holds no lock by chance."""
    found = []

    def run():
        try:
            found.append(call())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, "another thread waits for a lock that is held for ever"
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def places(tmp_path):
    return {
        "memory": lambda: MemoryStore(),
        "folder": lambda: LocalStore(tmp_path / "a", lock_timeout=5),
        "sqlite": lambda: SQLiteStore(tmp_path / "c.sqlite", timeout=5),
        "zip": lambda: ZipStore(tmp_path / "d.zip", "a"),
    }


def arrays(store):
    """An array in chunks, and one in shards, that hold 1."""
    chunked = zarr.create_array(store, name="x", shape=(8,), chunks=(4,), dtype="u1", compressors=None)
    sharded = zarr.create_array(store, name="y", shape=(8,), chunks=(2,), shards=(8,), dtype="u1", compressors=None)
    for array in (chunked, sharded):
        array[:] = 1
    return chunked, sharded


ACTS = {
    "a whole chunk": (lambda x, y: x.__setitem__(slice(0, 4), 2), [1, 2]),
    "a part of a chunk": (lambda x, y: x.__setitem__(slice(1, 3), 2), [1, 2]),
    "a chunk that becomes empty": (lambda x, y: x.__setitem__(slice(0, 4), 0), [1, 0]),
    "a part of a shard": (lambda x, y: y.__setitem__(slice(1, 3), 2), [1, 2]),
    "a shard that is read": (lambda x, y: y[1:7], [1]),
    "an update": (lambda x, y: x.store.update("n", lambda old: b"2"), [1]),
    "a key that is deleted": (lambda x, y: x.store.delete("x/c/1"), [1]),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("place", ["memory", "folder", "sqlite", "zip"])
def test_an_interrupt_leaves_no_lock_and_the_next_call_works(place, act, tmp_path):
    store = places(tmp_path)[place]()
    x, y = arrays(store)
    change, allowed = ACTS[act]
    moment, tried = 0, 0
    while True:
        x[:], y[:] = 1, 1
        interruption = Interruption(moment)
        try:
            with interruption:
                change(x, y)
        except KeyboardInterrupt:
            pass
        if interruption.place is None:
            break
        assert {*x[:4].tolist(), *y[:].tolist()} <= {1, *allowed}, interruption.place
        in_another_thread(lambda: change(x, y))
        for array, key in ((x, "x/c/0"), (y, "y/c/0")):
            in_another_thread(lambda array=array: array.__setitem__(3, 7))
            assert array[3] == 7, f"a change was lost after an interrupt in {interruption.place}"
            if isinstance(store, LocalStore):
                assert not locks.is_held(f"{store.root}/{key}.lock.partial"), interruption.place
        if isinstance(store, SQLiteStore):
            assert not store._connection.in_transaction, interruption.place
            with SQLiteStore(store.path, timeout=0.2) as other:
                other.update("other", lambda old: b"1")  # raises where a transaction is open
        moment, tried = moment + (3 if "shard" in act else 1), tried + 1
    assert tried > 2, "hardly any moment was tried"
    store.close()


@pytest.mark.parametrize("moments", [range(0, 4000, 7)])
def test_an_interrupt_while_a_zip_file_is_closed_leaves_the_old_one_or_the_new(moments, tmp_path):
    path = tmp_path / "a.zip"
    with ZipStore(path, "w") as store:
        store.set("a", b"1")
    for moment in moments:
        value = str(moment).encode()
        store, interruption = ZipStore(path, "a"), Interruption(moment)
        try:
            with interruption:
                store.delete("b")
                store.set("a", value)
                store.set("b", value)
                store.close()
        except KeyboardInterrupt:
            pass
        with ZipStore(path, "r") as reading:
            assert reading.get("a") in (b"1", value), interruption.place
        store.close()
        store.update("a", lambda old: b"1")
        store.close()
        assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip"], interruption.place
        if interruption.place is None:
            break
    else:
        pytest.fail("it never passed")


def test_a_lock_that_was_had_just_before_an_interrupt_is_given_back(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    real = fcntl.flock

    def interrupted(fd, flags):
        monkeypatch.setattr(fcntl, "flock", real)
        real(fd, flags)
        raise KeyboardInterrupt

    store = LocalStore(tmp_path, lock_timeout=2)
    for write in (lambda: store.set("a", b"1"), lambda: store.update("a", lambda old: b"1"), lambda: store.delete("a")):
        monkeypatch.setattr(fcntl, "flock", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write()
        store.set("a", b"2")
        assert in_another_thread(lambda: store.get("a")) == b"2"
    assert store.leftovers() == []


def test_an_interrupt_of_a_stream_does_not_wait_for_what_is_under_way():
    stop, began = threading.Event(), threading.Event()

    def work(item):
        began.set()
        stop.wait(60)

    pairs = parallel.stream(work, range(4), 2)
    try:

        def interrupt():
            began.wait()
            signal.raise_signal(signal.SIGINT) if os.name == "nt" else os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            next(pairs)
        assert not stop.is_set()
    finally:
        stop.set()
