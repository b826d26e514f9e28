"""`Store.update`, and what it is made of: locks, tags, and files that a killed writer leaves."""

import errno
import os
import re
import stat
import subprocess
import sys
import threading
import time
import zipfile

import pytest

from tutorial_zarr.errors import NodeNameError, ReadOnlyError, StoreError
from tutorial_zarr.stores import (
    ABSENT,
    LocalStore,
    MemoryStore,
    ReadOnlyStore,
    TraceStore,
    WrapperStore,
    ZipStore,
    base,
    locks,
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


def test_files_of_somebody_else_are_keys_whatever_they_are_called(tmp_path):
    store = LocalStore(tmp_path)
    (tmp_path / "run.partial").mkdir()
    for name in ("thesis.partial", "run.partial/zarr.json", ".partial"):
        (tmp_path / name).write_bytes(b"mine")
    assert list(store.list_prefix()) == [".partial", "run.partial/zarr.json", "thesis.partial"]
    assert list(store.list_dir()) == [".partial", "run.partial/", "thesis.partial"]
    assert (store.leftovers(), store.remove_leftovers(older_than=0)) == ([], [])
    store.set("run.partial/c/0", b"1")
    for key in ("a.lock.partial", "x/b.0123456789ab7.partial/c"):
        with pytest.raises(NodeNameError, match="expected another name"):
            store.set(key, b"1")


def test_a_file_that_a_dead_writer_left_is_taken_away_and_a_young_one_is_not(tmp_path):
    store, left = LocalStore(tmp_path, lock_timeout=0), tmp_path / "a.lock.partial"
    for write in (lambda: store.set("a", b"1"), lambda: store.update("a", lambda old: b"1"), lambda: store.delete("a")):
        left.write_bytes(b"half")
        began = time.monotonic()
        write()
        assert time.monotonic() - began > locks.ABANDONED, "its maker may have been about to lock it"
        assert not left.exists()


def test_a_lock_exists_only_while_it_is_held(tmp_path):
    store = LocalStore(tmp_path)
    for i in range(5):
        store.update(f"a/{i}", lambda old: b"1")
    assert (locks._held, locks._locks) == ({}, {})


def test_a_writer_that_was_stopped_before_it_locked_its_file_begins_anew(tmp_path, monkeypatch):
    """Others take the file for a dead writer's. By the clock it sees that this may be, and looks."""
    store, real, stolen = LocalStore(tmp_path), locks.take, []

    def stopped(fd):
        if not stolen:
            stolen.append(os.stat(tmp_path / "a.lock.partial").st_ino)
            time.sleep(2 * locks.PROMPT)
            os.unlink(tmp_path / "a.lock.partial")  # another one took it away,
            (tmp_path / "a.lock.partial").write_bytes(b"half a value of another")  # and is at work
            os.utime(tmp_path / "a.lock.partial")
        return real(fd)

    monkeypatch.setattr(locks, "take", stopped)
    store.set("a", b"1")
    assert store.get("a") == b"1"
    assert stolen


@pytest.mark.skipif(os.name == "nt", reason="locks of another kind")
def test_where_files_cannot_be_locked_whole_values_are_written_and_an_update_is_refused(tmp_path, monkeypatch):
    import fcntl

    def refuse(fd, flags):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    store = LocalStore(tmp_path)
    with pytest.raises(StoreError, match=r"key 'a': cannot lock .*No locks.*locked='threads'\) needs no lock files"):
        store.update("a", lambda old: b"1")
    store.set("a", b"1")
    store.set("a", b"2")
    assert store.get("a") == b"2"
    store.delete("a")
    assert [each.name for each in tmp_path.iterdir()] == []


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EROFS, errno.ENOSPC])
def test_what_the_system_refuses_is_an_error_of_the_store(tmp_path, monkeypatch, number):
    store, real = LocalStore(tmp_path), os.open
    store.set("a/b", b"1")

    def failing(path, flags, *rest, **options):
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, *rest, **options)

    def scan(path="."):
        raise OSError(number, os.strerror(number), path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", failing)
        patch.setattr(os, "scandir", scan)
        for act in (
            lambda: store.set("a/b", b"2"),
            lambda: store.update("a/b", lambda old: b"2"),
            lambda: list(store.list_prefix()),
            lambda: list(store.list_dir("a")),
            lambda: store.delete_prefix("a"),
        ):
            with pytest.raises(StoreError, match=re.escape(os.strerror(number))):
                act()
    assert store.get("a/b") == b"1"


def test_a_link_in_a_folder_that_is_deleted_goes_and_what_it_leads_to_stays(tmp_path):
    store, other = LocalStore(tmp_path / "s"), tmp_path / "other"
    other.mkdir()
    (other / "kept").write_bytes(b"1")
    store.set("a/b/c", b"1")
    try:
        os.symlink(other, tmp_path / "s/a/b/link")
        os.symlink(other / "kept", tmp_path / "s/a/file")
    except OSError:
        pytest.skip("links need a privilege here")
    store.delete_prefix("a")
    assert os.listdir(tmp_path / "s") == []
    assert (other / "kept").read_bytes() == b"1"


def test_a_deletion_waits_for_a_writer_and_deletes_what_it_wrote(tmp_path):
    store, inside, go = LocalStore(tmp_path), threading.Event(), threading.Event()
    for i in range(20):
        store.set(f"a/{i}", b"1")
    thread = threading.Thread(target=store.update, args=("a/3", lambda old: inside.set() or (go.wait(10) and b"2")))
    thread.start()
    inside.wait()
    threading.Timer(0.2, go.set).start()
    store.delete_prefix("a")
    thread.join()
    assert os.listdir(tmp_path) == []


def test_a_deletion_that_others_undo_all_the_time_says_how_many_keys_are_left():
    class Busy(MemoryStore):
        def delete(self, key):
            super().delete(key)
            self.mapping["a/new"] = b"1"

    store = Busy({"a/1": b"1"})
    with pytest.raises(StoreError, match=r"expected nothing below 'a' after deleting it \d times, found 1 keys"):
        store.delete_prefix("a")


def test_a_zip_file_is_as_it_was_until_its_writer_closes_it(tmp_path):
    path = tmp_path / "s.zip"
    with ZipStore(path, "w") as store:
        store.set("a", b"1")
    whole = path.read_bytes()
    writing, reading = ZipStore(path, "a"), ZipStore(path, "r")
    writing.set("b", b"2")
    writing.delete("a")
    assert path.read_bytes() == whole
    assert (reading.get("a"), reading.get("b"), writing.get("a"), writing.get("b")) == (b"1", None, None, b"2")
    assert (reading.leftovers(), writing.leftovers()) == ([], []), "a writer that is at work is no leftover"
    other = ZipStore(path, "a")
    with pytest.raises(StoreError, match="expected to be the one that writes, found that another handle does"):
        other.set("c", b"3")
    writing.close()
    other.set("c", b"3")  # what the first wrote is there
    other.update("b", lambda old: old + b"2")
    other.close()
    assert {key: ZipStore(path).get(key) for key in ZipStore(path).list_prefix()} == {"b": b"22", "c": b"3"}
    assert reading.get("a") == b"1", "a reader reads on in the file that it opened"
    assert zipfile.ZipFile(path).testzip() is None
    assert os.listdir(tmp_path) == ["s.zip"]


def test_a_zip_file_that_nobody_closes_is_finished_when_it_is_dropped_deletions_too(tmp_path):
    path = tmp_path / "s.zip"
    store = ZipStore(path, "a")
    for key in ("a", "b"):
        store.set(key, b"1")
    del store
    store = ZipStore(path, "a")
    store.delete("a")
    del store
    assert list(ZipStore(path).list_prefix()) == ["b"]
    assert os.listdir(tmp_path) == ["s.zip"]


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)", "sys.exit()"])
def test_a_writer_of_a_zip_file_that_dies_leaves_the_old_file(tmp_path, how):
    path = tmp_path / "s.zip"
    with ZipStore(path, "w") as store:
        store.set("a", b"1")
    program = (
        "import os, signal, sys\nfrom tutorial_zarr.stores import ZipStore\n"
        f"store = ZipStore({str(path)!r}, 'a')\nstore.set('a', b'2')\nstore.set('b', bytes(100000))\n{how}"
    )
    subprocess.run([sys.executable, "-c", program])
    reading = ZipStore(path)
    assert zipfile.ZipFile(path).testzip() is None
    if "sys" in how:
        assert (reading.get("a"), reading.get_size("b")) == (b"2", 100000), "a program that ends finishes its files"
        return
    assert (reading.get("a"), reading.get("b")) == (b"1", None)
    assert {os.path.basename(found.path) for found in reading.leftovers()} == {"s.zip.partial", "s.zip.lock.partial"}
    with ZipStore(path, "a") as store:
        store.set("b", b"3")
    assert (ZipStore(path).get("a"), ZipStore(path).get("b")) == (b"1", b"3")
    assert os.listdir(tmp_path) == ["s.zip"]


def test_a_full_disk_leaves_a_zip_file_as_it_was_and_lets_go_on(tmp_path, monkeypatch):
    if not hasattr(os, "pwrite"):
        pytest.skip("written in another way there")
    path, real, left = tmp_path / "s.zip", os.pwrite, [0]
    with ZipStore(path, "w") as store:
        store.set("a", b"1" * 100)

    def pwrite(fd, data, at):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(left[0], len(data))
        left[0] -= taken
        return real(fd, data[:taken], at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    for room in (0, 50, 140, 150, 300):
        store = ZipStore(path, "a")
        left[0] = room
        with pytest.raises(StoreError, match="No space left on device; the file is as it was"):
            store.set("b", b"2" * 500)
        assert (ZipStore(path).get("a"), ZipStore(path).get("b")) == (b"1" * 100, None)
        left[0] = 10_000
        store.set("c", b"%d" % room)
        assert store.get("b") is None
        store.close()
        assert ZipStore(path).get("c") == b"%d" % room
        assert zipfile.ZipFile(path).testzip() is None


def test_a_zip_file_that_another_program_replaces_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "s.zip"
    with ZipStore(path, "w") as store:
        store.set("a", b"1")
    store = ZipStore(path, "a")
    store.set("b", b"2")
    with zipfile.ZipFile(path, "a") as other:
        other.writestr("theirs", b"3")
    with pytest.raises(StoreError, match=r"another program has replaced it; what was written is in .*s\.zip\.partial"):
        store.close()
    assert ZipStore(path).get("theirs") == b"3"
    with zipfile.ZipFile(tmp_path / "s.zip.partial") as kept:
        assert kept.read("b") == b"2"
    store._writing.release()
    store._writing = None


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
