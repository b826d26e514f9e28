"""Stores in one SQLite file, in whatever fsspec knows, and how `make_store` finds them."""

import json
import multiprocessing
import os
import pickle
import random

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeNameError, ReadOnlyError, StoreError
from tutorial_zarr.stores import (
    FsspecStore,
    HTTPStore,
    LocalStore,
    ObjectStore,
    SQLiteStore,
    Store,
    ZipStore,
    make_store,
)


@pytest.fixture(params=["sqlite", "fsspec-memory", "fsspec-folder"])
def store(request, tmp_path):
    if request.param == "sqlite":
        with SQLiteStore(tmp_path / "a b.sqlite") as made:
            yield made
    else:
        pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tutorial_zarr[cloud]'")
        place = f"memory://{tmp_path}" if request.param == "fsspec-memory" else f"file://{tmp_path}/a b"
        yield FsspecStore(place)


def test_ranges_are_those_of_a_python_slice(store):
    store.set("a/b", b"0123456789")
    store.set("empty", bytearray())
    for byte_range in [None, (2, 5), (8, 50), (20, 50), (2, 2), (5, 2), (7, None), (20, None), (0, None)]:
        assert store.get("a/b", byte_range) == b"0123456789"[slice(*(byte_range or (None, None)))], byte_range
        assert store.get("empty", byte_range) == b""
        assert store.get("absent", byte_range) is None
    assert (store.get("a/b", -3), store.get("a/b", -30), store.get("a/b", 0)) == (b"789", b"0123456789", b"")
    assert store.get_ranges("a/b", [(8, 30), (0, 2), (1, 3)]) == [b"89", b"01", b"12"]
    assert store.get_ranges("absent", [(8, 30), (0, 2)]) == [None, None]


def test_keys_are_listed_below_a_prefix_and_not_beside_it(store):
    for key in ("a/b", "a/c/d", "ab", "a0", "a.b", "é%_/x"):
        store.set(key, memoryview(b"12"))
    assert list(store.list_prefix("a")) == ["a/b", "a/c/d"]
    assert list(store.list_dir()) == ["a.b", "a/", "a0", "ab", "é%_/"]
    assert list(store.list_dir("a")) == ["b", "c/"]
    assert list(store.list_dir("absent")) == list(store.list_prefix("absent")) == []
    assert (store.get_size("a/b"), store.get_size("a"), store.exists("a"), "a/b" in store) == (2, None, False, True)
    store.delete("absent")
    store.delete_prefix("a")
    assert sorted(store.list_prefix()) == ["a.b", "a0", "ab", "é%_/x"]
    store.delete_prefix("")
    assert list(store.list_prefix()) == []


def test_arrays_and_groups_live_there(store):
    values = np.arange(400, dtype="i2").reshape(20, 20)
    group = zarr.create_group(store, attributes={"a": 1})
    group.create_array("x/y", data=values, chunks=(5, 5), shards=(10, 10))
    group["x/y"][3:7, 2:11] = -1
    values[3:7, 2:11] = -1
    assert np.array_equal(zarr.open_group(pickle.loads(pickle.dumps(store)))["x/y"][1:19], values[1:19])
    with pytest.raises(NodeNameError, match="expected names joined by '/'"):
        store.set("a/../../b", b"")


def test_a_path_that_ends_in_sqlite_or_db_is_one_file(tmp_path):
    for name in ("x.sqlite", "x.db"):
        zarr.save_array(tmp_path / name, np.arange(3))
        assert (tmp_path / name).is_file()
        assert list(zarr.open_array(tmp_path / name, mode="r")[:]) == [0, 1, 2]
    zarr.save_array(f"sqlite://{tmp_path}/y%20z", np.arange(3))
    assert (tmp_path / "y z").is_file()
    (tmp_path / "folder.db").mkdir()
    assert isinstance(make_store(tmp_path / "folder.db"), LocalStore)


def test_sqlite_reads_only_what_is_a_store(tmp_path):
    with pytest.raises(StoreError, match="expected a SQLite file, found none"):
        make_store(tmp_path / "absent.sqlite", "r")
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at as one" * 40)
    with pytest.raises(StoreError, match=r"text\.db: file is not a database"):
        make_store(tmp_path / "text.db", "a")
    with SQLiteStore(tmp_path / "x.db") as store:
        store.set("a", b"1")
    with make_store(tmp_path / "x.db", "r") as store, pytest.raises(ReadOnlyError, match="expected a writable store"):
        store.set("a", b"2")


def test_sqlite_opened_for_reading_makes_nothing_beside_the_file_and_sees_what_others_write(tmp_path):
    with SQLiteStore(tmp_path / "x.db") as store:
        store.set("a", b"1")
    before = (tmp_path / "x.db").read_bytes()
    with SQLiteStore(tmp_path / "x.db", read_only=True) as reading:
        assert reading.get("a") == b"1"
        assert os.listdir(tmp_path) == ["x.db"]
        assert (tmp_path / "x.db").read_bytes() == before
        for value in (b"2", b"3"):
            with SQLiteStore(tmp_path / "x.db") as store:
                store.set("a", value)
                assert reading.get("a") == value, "while another connection is open"
            assert reading.get("a") == value, "after it was closed"


def test_sqlite_says_so_where_changes_lie_beside_a_file_and_cannot_be_read(tmp_path):
    with SQLiteStore(tmp_path / "x.db") as store:
        store.set("a", b"1")
        store.set("a", b"2")
        (tmp_path / "copy.db-wal").write_bytes((tmp_path / "x.db-wal").read_bytes())
        (tmp_path / "copy.db").write_bytes((tmp_path / "x.db").read_bytes())
    with SQLiteStore(tmp_path / "copy.db", read_only=True) as reading:
        assert reading.get("a") == b"2", "a copy of both is read with both"
    (tmp_path / "copy.db-wal").write_bytes(b"1")
    for name in os.listdir(tmp_path):
        if name.endswith("-shm"):
            os.unlink(tmp_path / name)
    (tmp_path / "copy.db-shm").mkdir()  # as where nothing can be written
    with pytest.raises(StoreError, match=r"found changes beside it in .*copy\.db-wal', which SQLite cannot read"):
        SQLiteStore(tmp_path / "copy.db", read_only=True).get("a")


def test_a_transaction_that_was_left_open_takes_no_later_write_with_it(tmp_path):
    """As an interrupt in the midst of an update may do."""
    with SQLiteStore(tmp_path / "x.db") as store:
        store._run("BEGIN IMMEDIATE")
        store._connection.execute("INSERT INTO zarr VALUES ('lost', x'31')")
        store.set("a", b"1")
        assert (store.get("a"), store.get("lost"), store._connection.in_transaction) == (b"1", None, False)
        with SQLiteStore(tmp_path / "x.db", timeout=0) as other:
            other.set("a", b"2")


def test_an_update_that_fails_is_rolled_back_whole(tmp_path):
    with SQLiteStore(tmp_path / "x.db") as store:
        store.set("a", b"1")

        def change(old):
            store.set("b", b"inside the same transaction")
            raise KeyError("no")

        with pytest.raises(KeyError, match="no"):
            store.update("a", change)
        assert (store.get("a"), store.get("b")) == (b"1", None)
        store.update("a", lambda old: old + b"2")
        assert store.get("a") == b"12"


def _add_one(store):
    store.update("n", lambda old: str(int(old or 0) + 1).encode())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_sqlite_store_opens_the_file_anew_after_a_fork(tmp_path):
    with SQLiteStore(tmp_path / "x.db") as store:
        _add_one(store)
        children = [multiprocessing.get_context("fork").Process(target=_add_one, args=(store,)) for _ in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0] * 4
        assert store.get("n") == b"5"


def test_urls_find_their_stores_and_need_no_network_for_it(tmp_path):
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tutorial_zarr[cloud]'")
    found = {
        "s3://bucket/a": ObjectStore,
        "gs://bucket/a": ObjectStore,
        "az://container/a": ObjectStore,
        "https://host/a": HTTPStore,
        "memory://a": FsspecStore,
        str(tmp_path / "a.zip"): ZipStore,
        f"file://{tmp_path}/a": LocalStore,
    }
    assert {url: type(make_store(url)) for url in found} == found
    with pytest.raises(StoreError, match=r"expected a path or a URL with .*s3://.*found nonsense://"):
        make_store("nonsense://a")


def test_a_folder_takes_its_own_options_and_no_others(tmp_path):
    store = make_store(tmp_path, storage_options={"durable": True, "locked": "threads", "lock_timeout": 1.0})
    assert (store.durable, store.locked, store.lock_timeout) == (True, "threads", 1.0)
    with pytest.raises(StoreError, match=r"cannot open it with the options \['anon'\]"):
        make_store(tmp_path, storage_options={"anon": True})
    assert os.listdir(tmp_path) == []


def test_a_reference_set_is_read_by_fsspec_and_what_it_says_amiss_is_an_error_of_the_store(tmp_path):
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tutorial_zarr[cloud]'")
    array = {"zarr_format": 2, "shape": [4], "chunks": [2], "dtype": "|u1", "compressor": None, "filters": None}
    (tmp_path / "bytes").write_bytes(b"xx\3\4")
    refs = {".zgroup": '{"zarr_format": 2}', "x/.zarray": json.dumps({**array, "fill_value": 0, "order": "C"})}
    refs |= {"x/0": "\1\2", "x/1": [str(tmp_path / "bytes"), 2, 2]}
    place = tmp_path / "references.json"

    def options(document):
        place.write_text(json.dumps(document))
        return {"fo": str(place), "remote_protocol": "file", "skip_instance_cache": True}

    store = FsspecStore("reference://", read_only=True, **options({"version": 1, "refs": refs}))
    assert zarr.open_group(store, mode="r")["x"][:].tolist() == [1, 2, 3, 4]
    assert list(store.list_dir("x")) == [".zarray", "0", "1"]
    assert sorted(store.list_prefix()) == sorted(refs)
    for document in (
        [],
        {"version": 1, "refs": [1]},
        {"version": 1, "templates": {"u": "{"}, "refs": {"a": ["{{v}}"]}},
    ):
        with pytest.raises(StoreError, match=r"reference:.*: cannot open with the options"):
            FsspecStore("reference://", read_only=True, **options(document))
    for size in ("2", -1, 1.5, [2]):
        document = {"version": 1, "refs": {**refs, "x/1": ["y", 2, size]}}
        wrong = FsspecStore("reference://", read_only=True, **options(document))
        with pytest.raises(StoreError, match=r"key 'x/1'"):
            wrong.get("x/1", -1)


def test_a_value_whose_size_a_file_system_does_not_know_is_measured():
    pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'tutorial_zarr[cloud]'")
    store = FsspecStore("memory://of-unknown-size")
    store.set("a", b"0123456789")
    store.fs = Unmeasured(store.fs)
    assert (store.get_size("a"), store.get("a", -3), store.get_size("absent")) == (10, b"789", None)
    assert store.get("a", (20, 30)) == b""


class Unmeasured:
    """A file system that tells no sizes, as that of a web server may."""

    def __init__(self, fs):
        self.fs = fs

    def __getattr__(self, name):
        return getattr(self.fs, name)

    def info(self, path):
        return {**self.fs.info(path), "size": None}


@pytest.mark.parametrize("seed", range(5))
def test_a_database_lists_a_folder_as_it_would_by_all_of_its_keys_and_looks_at_few(seed):
    rng = random.Random(seed)
    keys = {
        "/".join(rng.choices(["a", "b", "a.b", "a0", "a!", "A", "é", "😀", "c"], k=rng.randint(1, 5)))
        for _ in range(300)
    }
    store = SQLiteStore(":memory:")
    for key in keys | {f"many/{n}" for n in range(3000)} | {f"deep/x/{n}" for n in range(3000)}:
        store.set(key, b"")
    for prefix in ["", "many", "absent", *rng.sample(sorted(keys), 30)]:
        assert list(store.list_dir(prefix)) == list(Store.list_dir(store, prefix)), prefix
    asked = []
    store._run = lambda statement, *values: asked.append(values) or SQLiteStore._run(store, statement, *values)
    assert list(store.list_dir("deep")) == ["x/"]
    assert [values[-1] for values in asked] == [1, 2]
    assert len(list(store.list_dir("many"))) == 3000
    assert len(asked) < 20
