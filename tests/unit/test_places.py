"""Two ways to one place are known for what they are, and so is a writer that is gone."""

import json
import os
import subprocess
import sys
import time

import pytest

from tutorial_zarr import stores
from tutorial_zarr.stores import (
    FsspecStore,
    LocalStore,
    MemoryStore,
    ObjectStore,
    PrefixStore,
    SQLiteStore,
    ZipStore,
    writers,
)
from tutorial_zarr.stores.place import overlaps, place

pytest.importorskip("fsspec")


def test_ways_to_a_folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    ways = [
        (LocalStore(folder), "a/b"),
        (LocalStore(tmp_path), "data/a/b"),
        (LocalStore(tmp_path / "link"), "a/b"),
        (LocalStore(tmp_path), "link/a/b"),
        (LocalStore(f"{folder}/../data/"), "a/b"),
        (stores.make_store(f"file://{folder}"), "a/b"),
        (FsspecStore(f"file://{folder}"), "a/b"),
        (FsspecStore(f"simplecache::file://{folder}"), "a/b"),
        (PrefixStore(LocalStore(folder), "a"), "b"),
        (PrefixStore(PrefixStore(LocalStore(tmp_path), "data"), "a"), "b"),
        (stores.ReadOnlyStore(stores.TraceStore(LocalStore(folder))), "a/b"),
        (stores.CacheStore(LocalStore(folder)), "a/b"),
    ]
    assert {place(*way) for way in ways} == {place(LocalStore(folder), "a/b")}
    assert place(LocalStore(folder), "a/c") != place(LocalStore(folder), "a/b")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_within_a_store_leads_to_its_target(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    assert overlaps(LocalStore(tmp_path), "real", LocalStore(tmp_path), "alias/deep")


def test_ways_to_a_file(tmp_path):
    one, other = (
        SQLiteStore(tmp_path / "s.sqlite"),
        stores.make_store(f"sqlite:///{tmp_path}/../{tmp_path.name}/s.sqlite"),
    )
    assert place(one, "a") == place(other, "a")
    packed = ZipStore(tmp_path / "s.zip", "w")
    packed.close()
    assert place(packed, "a") == place(stores.make_store(tmp_path / "s.zip"), "a")
    assert overlaps(LocalStore(tmp_path), "", one, "a")
    assert place(SQLiteStore(":memory:")) != place(SQLiteStore(":memory:"))


def test_memory_is_told_apart_by_the_dictionary():
    mapping = {}
    assert place(MemoryStore(mapping), "a") == place(MemoryStore(mapping), "a")
    assert place(MemoryStore(), "a") != place(MemoryStore(), "a")


def test_buckets_are_told_apart_by_endpoint_bucket_and_path():
    pytest.importorskip("obstore")
    options = {"skip_signature": True, "endpoint": "http://localhost:1"}
    one = ObjectStore("s3://bucket/a", **options)
    assert place(one, "b") == place(ObjectStore("s3a://bucket", **options), "a/b")
    assert place(one, "b") == place(PrefixStore(ObjectStore("s3://bucket/a/", **options), "b"))
    assert place(one, "b") != place(ObjectStore("s3://other/a", **options), "b")
    assert place(one, "b") != place(ObjectStore("s3://bucket/a", skip_signature=True, endpoint="http://else:1"), "b")


def test_a_place_lies_in_another_by_whole_names():
    store = MemoryStore()
    assert overlaps(store, "a", store, "a/b")
    assert overlaps(store, "a/b", store, "a")
    assert not overlaps(store, "a/b", store, "a", either_way=False)
    assert not overlaps(store, "a", store, "ab")
    assert overlaps(store, "", store, "a")


# --- writers


def test_a_writer_of_this_process_is_gone_when_its_work_has_ended():
    one, other = writers.me(), writers.me()
    assert (writers.is_dead(one), writers.is_dead(other)) == (False, False)
    writers.end(one)
    assert (writers.is_dead(one), writers.is_dead(other)) == (True, False)
    writers.end(other)


def test_a_writer_of_another_process_is_gone_with_it():
    code = "import json; from tutorial_zarr.stores import writers; print(json.dumps(writers.me()), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        by = json.loads(child.stdout.readline())
        assert writers.is_dead(by) is False
        if by["started"] is not None:
            assert writers.is_dead({**by, "started": "0"}) is True  # the number of a process that came later
        child.communicate("\n")
    assert writers.is_dead(by) is True


@pytest.mark.parametrize("by", [None, {}, {"host": "elsewhere", "pid": 1}, {"host": None}, "text"])
def test_of_a_writer_elsewhere_nothing_is_known_and_its_mark_counts_for_an_hour(by):
    assert writers.is_dead(by) is None
    assert not writers.is_over(by, time.time() - 60)
    assert writers.is_over(by, time.time() - 3601)
    assert writers.is_over(by, None)
    assert "60 s ago" in writers.describe(by, time.time() - 60)


@pytest.mark.parametrize("pid", [0, -1, 1 << 40, True, "1", None])
def test_what_is_no_process_is_asked_about_nowhere(pid):
    assert writers.is_dead({**writers.me(), "pid": pid}) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_in_its_own_name():
    by = writers.me()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"1" if writers.is_dead(by) is False and by["token"] not in writers._active else b"0")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 1) == b"1"
    os.close(read)
    os.close(write)
    writers.end(by)
