"""`Store.update`, and what it is made of: locks, tags, and files that a killed writer leaves."""

import os
import stat
import threading

import pytest

from tutorial_zarr.errors import ReadOnlyError, StoreError
from tutorial_zarr.stores import (
    ABSENT,
    LocalStore,
    MemoryStore,
    ReadOnlyStore,
    TraceStore,
    WrapperStore,
    ZipStore,
    base,
)


@pytest.fixture(params=["memory", "folder", "folder-threads", "durable", "zip", "wrapped"])
def store(request, tmp_path):
    made = {
        "memory": MemoryStore,
        "folder": lambda: LocalStore(tmp_path / "s"),
        "folder-threads": lambda: LocalStore(tmp_path / "s", locked="threads"),
        "durable": lambda: LocalStore(tmp_path / "s", durable=True),
        "zip": lambda: ZipStore(tmp_path / "s.zip", "w"),
        "wrapped": lambda: TraceStore(LocalStore(tmp_path / "s")),
    }[request.param]()
    with made:
        yield made


class TaggedStore(MemoryStore):
    """Updates by tags: a value's tag is its count of writes. `intruders` write between a read and the write after."""

    conditional = True

    def __init__(self, intruders=0):
        super().__init__()
        self.writes, self.intruders = 0, intruders

    def set(self, key, value):
        self.writes += 1
        super().set(key, value)

    def get_tagged(self, key):
        value = self.get(key)
        found = value, ABSENT if value is None else self.writes
        if self.intruders:
            self.intruders -= 1
            self.set(key, (value or b"") + b"!")
        return found

    def set_if(self, key, value, tag, writer=""):
        if tag != (self.writes if key in self.mapping else ABSENT):
            return False
        self.set(key, value)
        return True


def test_an_update_sees_the_old_bytes_and_writes_the_new(store):
    seen = []
    for new in (b"1", b"22", b"333"):
        store.update("a/b", lambda old, new=new: seen.append(old and bytes(old)) or new)
    assert (seen, store.get("a/b")) == ([None, b"1", b"22"], b"333")


def test_an_update_to_none_deletes_and_of_nothing_to_none_does_nothing(store):
    store.update("a/b", lambda old: None)
    store.set("a/b", b"1")
    store.update("a/b", lambda old: None)
    assert store.get("a/b") is None
    assert list(store.list_prefix()) == []


def test_an_update_that_returns_what_it_was_given_writes_nothing():
    trace = TraceStore(MemoryStore({"a": b"1"}))
    trace.update("a", lambda old: old)
    assert [request.verb for request in trace.requests] == ["GET"]


def test_a_change_that_raises_leaves_the_value_and_the_lock_free(store):
    store.set("a", b"1")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="division"):
            store.update("a", lambda old: 1 // 0)
    store.update("a", lambda old: old + b"2")
    assert store.get("a") == b"12"


def test_an_update_within_an_update_of_the_same_key_is_refused_and_not_waited_for(store):
    with pytest.raises(StoreError, match="found one inside another's change"):
        store.update("a", lambda old: store.update("a", lambda old: b"2") or b"1")
    assert store.get("a") is None


def test_set_if_absent_has_one_winner(store):
    barrier, won = threading.Barrier(8), []

    def work(i):
        barrier.wait()
        if store.set_if_absent("a/b", b"%d" % i):
            won.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.get("a/b") == b"%d" % won[0]


def test_updates_of_different_keys_do_not_wait_for_each_other(store):
    inside, done = threading.Event(), threading.Event()

    def slow(old):
        inside.set()
        assert done.wait(10)
        return b"slow"

    thread = threading.Thread(target=store.update, args=("a", slow))
    thread.start()
    assert inside.wait(10)
    store.update("b", lambda old: b"quick")
    done.set()
    thread.join()
    assert (store.get("a"), store.get("b")) == (b"slow", b"quick")


def test_nothing_is_updated_in_a_store_opened_for_reading(tmp_path):
    LocalStore(tmp_path).set("a", b"1")
    for reader in (LocalStore(tmp_path, read_only=True), ReadOnlyStore(MemoryStore({"a": b"1"}))):
        with pytest.raises(ReadOnlyError, match="expected a writable store"):
            reader.update("a", lambda old: b"2")
        assert reader.get("a") == b"1"
    assert os.listdir(tmp_path) == ["a"]


def test_an_update_by_tags_comes_again_until_nobody_was_first():
    store, calls = TaggedStore(intruders=3), []
    store.update("a", lambda old: calls.append(old) or (old or b"") + b"mine")
    assert store.get("a") == b"!!!mine"
    assert calls == [None, b"!", b"!!", b"!!!"]


def test_an_update_that_is_never_first_gives_up_and_says_so(monkeypatch):
    monkeypatch.setattr(base, "UPDATE_ATTEMPTS", 4)
    store = TaggedStore(intruders=99)
    with pytest.raises(StoreError, match="another writer was first 4 times in a row; nothing was written; try"):
        store.update("a", lambda old: b"mine")
    assert store.get("a") == b"!!!!"


class XorStore(WrapperStore):
    """Knows of `get` and `set` only."""

    def get(self, key, byte_range=None):
        value = self.store.get(key, byte_range)
        return value if value is None else bytes(b ^ 255 for b in value)

    def set(self, key, value):
        self.store.set(key, bytes(b ^ 255 for b in value))


def test_what_a_wrapper_does_to_get_and_set_it_does_to_updates_too():
    inner = MemoryStore()
    store = XorStore(inner)
    store.update("a", lambda old: b"\x00")
    store.update("a", lambda old: old + b"\x0f")
    assert (store.get("a"), inner.get("a")) == (b"\x00\x0f", b"\xff\xf0")
    trace = TraceStore(store)
    trace.update("a", lambda old: old + b"\x01")
    assert inner.get("a") == b"\xff\xf0\xfe"
    assert [(request.verb, request.nbytes) for request in trace.requests] == [("GET", 2), ("PUT", 3)]


def test_a_wrapper_without_tags_over_a_store_that_needs_them_is_refused():
    with pytest.raises(StoreError, match=r"expected a wrapper with get_tagged and set_if.*add them to XorStore"):
        XorStore(TaggedStore()).update("a", lambda old: b"1")


def test_a_durable_store_syncs_the_file_then_the_folders_it_is_named_in(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def note(fd):
        status = os.fstat(fd)
        synced.append("folder" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr("sys.platform", "linux")  # macOS has its own call
    store = LocalStore(tmp_path / "s", durable=True)
    store.set("a/b/c", b"12345")
    entries = [] if os.name == "nt" else ["folder"]
    assert synced == [*3 * entries, 5, *entries]  # s, a and b are new; then the value, then its name in b
    del synced[:]
    store.set("a/b/c", b"123")
    store.delete("a/b/c")
    assert synced == [3, *entries, *entries]
    LocalStore(tmp_path / "t").set("a/b", b"1")
    assert len(synced) == 1 + 2 * len(entries), "only durable stores sync"


def test_leftovers_are_hidden_found_and_removed(tmp_path):
    store = LocalStore(tmp_path)
    store.set("a/b", b"1")
    for name in ("a/b.0123456789ab7.partial", "zarr.json.0123456789ab8.partial", "a/c.lock.partial"):
        (tmp_path / name).write_bytes(b"123")
    os.utime(tmp_path / "a/b.0123456789ab7.partial", (0, 0))
    assert list(store.list_prefix()) == ["a/b"]
    assert list(store.list_dir("a")) == ["b"]
    names = ["b.0123456789ab7.partial", "c.lock.partial", "zarr.json.0123456789ab8.partial"]
    assert [os.path.basename(found.path) for found in store.leftovers()] == names
    assert [found.nbytes for found in TraceStore(store).leftovers()] == [3, 3, 3]
    assert [os.path.basename(found.path) for found in store.remove_leftovers()] == names[:1]  # older than an hour
    assert len(store.remove_leftovers(older_than=0)) == 2
    assert (store.leftovers(), store.get("a/b")) == ([], b"1")


def test_the_leftover_of_a_killed_compaction_is_found(tmp_path):
    with ZipStore(tmp_path / "s.zip", "w") as store:
        (tmp_path / "s.zip.partial").write_bytes(b"12")
        assert [(os.path.basename(found.path), found.nbytes) for found in store.leftovers()] == [("s.zip.partial", 2)]
        assert len(store.remove_leftovers(older_than=0)) == 1
    assert os.listdir(tmp_path) == ["s.zip"]


def test_a_place_for_locks_that_is_no_folder_is_told(tmp_path):
    LocalStore(tmp_path).set("a", b"1")
    with pytest.raises(StoreError, match="key 'a/b': expected a folder above it, found a file"):
        LocalStore(tmp_path).update("a/b", lambda old: b"2")


def test_what_an_update_keeps_out_is_one_of_two():
    with pytest.raises(ValueError, match=r"expected locked='processes' or 'threads', found 'all'"):
        LocalStore("x", locked="all")
