"""A shard that another writer replaces after its index was read and before its chunks are.

Read from the old index and the new bytes, a chunk would be that of another place: wrong, and without any error where
chunks are not compressed. So each store is asked what it does, with a writer that comes at just that moment.
"""

import subprocess
import sys

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import HTTPStore, LocalStore, MemoryStore, SQLiteStore, ZipStore, make_store
from tutorial_zarr.stores.snapshot import TaggedSnapshot
from tutorial_zarr.stores.wrappers import AroundStore

from .test_http import serving

SHARD, CHUNKS, LENGTH = "c/0", 16, 64  # chunk i holds i + 1, so that every place tells what belongs to it
FULL = np.repeat(np.arange(1, CHUNKS + 1), LENGTH)
SPARSE = np.where(FULL > CHUNKS // 2, FULL, 0)  # its first chunks are not stored, so that the others lie elsewhere


class Meddler(AroundStore):
    """Replaces the shard after each request for it, so many times."""

    def __init__(self, store, values, times):
        super().__init__(store)
        self.values, self.times, self.replaced = values, times, 0

    def around(self, request, call, value=None):
        found = call()
        if request.verb == "GET" and request.key == SHARD and self.replaced < self.times:
            self.replaced += 1
            self.values[self.replaced % 2]()
        return found


def create(store):
    """A sharded array on the store, and the two writers."""
    options = {"chunks": LENGTH, "shards": CHUNKS * LENGTH, "compressors": None, "overwrite": True}
    array = zarr.create_array(store, data=FULL, **options)
    shards = {}
    for number, data in enumerate((FULL, SPARSE)):
        apart = zarr.create_array({}, data=data, **options)
        shards[number] = apart.store.get(SHARD)
    assert len(shards[0]) > len(shards[1])
    return array, [lambda: store.set(SHARD, shards[0]), lambda: store.set(SHARD, shards[1])]


@pytest.fixture(params=["folder", "memory", "sqlite", "zip", "seaweed", "moto", "web"])
def places(request, tmp_path):
    """(a store to write to, the same place to read from)."""
    if request.param == "folder":
        store = LocalStore(tmp_path / "a")
    elif request.param == "memory":
        store = MemoryStore()
    elif request.param == "sqlite":
        store = SQLiteStore(tmp_path / "a.sqlite")
        yield store, SQLiteStore(tmp_path / "a.sqlite")  # another connection, as another process has one
        return
    elif request.param == "zip":
        store = ZipStore(tmp_path / "a.zip", "w")
    elif request.param == "web":
        pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
        store = MemoryStore()

        def answer(handler, path, byte_range):
            body = store.get(path.lstrip("/"))
            if body is None:
                return 404, {}, b""
            tag = {"ETag": f'"{hash(body)}"'}
            if byte_range is None:
                return 200, tag, body
            start, _, stop = byte_range.removeprefix("bytes=").partition("-")
            first = int(start) if start else len(body) - int(stop)
            last = min(int(stop), len(body) - 1) if start and stop else len(body) - 1
            if first >= len(body):
                return 416, {}, b""
            return 206, tag | {"Content-Range": f"bytes {first}-{last}/{len(body)}"}, body[first : last + 1]

        with serving(answer) as (url, _):
            yield store, HTTPStore(url)
        return
    else:
        pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
        url, options = request.getfixturevalue(request.param + "_server")
        store = make_store(f"{url}/{tmp_path.name}", storage_options=options)
    yield store, store


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_chunk_is_that_of_its_place_whatever_comes_in_between(places, chunk):
    writable, readable = places
    _, writers = create(writable)
    for times in (1, 2, 3):
        writers[0]()
        store = Meddler(readable, writers, times)
        found = zarr.open_array(store, mode="r")[chunk * LENGTH : (chunk + 1) * LENGTH]
        assert store.replaced
        assert set(found.tolist()) <= {chunk + 1, int(SPARSE[chunk * LENGTH])}
        assert len(set(found.tolist())) == 1


def test_several_chunks_of_a_shard_are_of_one_state(places):
    writable, readable = places
    _, writers = create(writable)
    wanted = np.array([3, 9, 14]) * LENGTH  # far enough from each other to be ranges of their own, in a bucket or not
    for times in (1, 2, 3):
        writers[0]()
        store = Meddler(readable, writers, times)
        found = zarr.open_array(store, mode="r").oindex[wanted]
        assert found.tolist() in (FULL[wanted].tolist(), SPARSE[wanted].tolist())


def test_a_shard_that_is_deleted_in_between_reads_as_if_never_written(places):
    writable, readable = places
    create(writable)
    if isinstance(writable, ZipStore):
        pytest.skip("an entry of a zip file stays in it until the file is written anew")
    store = Meddler(readable, [None, lambda: writable.delete(SHARD)], 1)
    found = zarr.open_array(store, mode="r")[9 * LENGTH : 10 * LENGTH]
    assert set(found.tolist()) <= {0, 10}


def test_a_shard_that_is_replaced_all_the_time_is_given_up_with_a_sentence():
    class Restless(MemoryStore):
        """A bucket in memory, each answer of which has another tag."""

        count = 0

        def get_part(self, key, byte_range):
            self.count += 1
            return self.get(key, byte_range), self.count

        def snapshot(self, key):
            return TaggedSnapshot(self, key)

    store = Restless()
    array, _ = create(store)
    with pytest.raises(StoreError, match=r"'c/0'.*expected a shard that stays the same.*20 times in a row"):
        array[LENGTH : 2 * LENGTH]


@pytest.mark.parametrize("kind", [MemoryStore, LocalStore, ZipStore])
def test_a_store_that_changes_how_it_gets_is_asked_for_shards_that_way_too(kind, tmp_path):
    class Turned(kind):
        """Keeps its values with every bit turned round."""

        def get(self, key, byte_range=None):
            found = super().get(key, byte_range)
            return None if found is None else bytes(255 - byte for byte in found)

        def get_ranges(self, key, ranges):
            return [self.get(key, byte_range) for byte_range in ranges]

        def reader(self, prefix):
            return None

        def set(self, key, value):
            super().set(key, bytes(255 - byte for byte in bytes(value)))

    store = {MemoryStore: Turned, LocalStore: lambda: Turned(tmp_path), ZipStore: lambda: Turned(tmp_path / "a", "w")}
    array, _ = create(store[kind]())
    assert set(array[9 * LENGTH : 10 * LENGTH].tolist()) == {10}


WRITER = """
import sys
import numpy as np
import tutorial_zarr as zarr

array = zarr.open_array(sys.argv[1], mode="r+")
full = np.repeat(np.arange(1, 17), 64)
for i in range(200):
    array[:] = np.where(full > 8, full, 0) if i % 2 else full
"""


def test_a_process_reads_right_while_another_one_writes(tmp_path):
    create(LocalStore(tmp_path / "a"))
    reads = 0
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "a")]) as writer:
        array = zarr.open_array(tmp_path / "a", mode="r")
        while writer.poll() is None:
            assert set(array[8 * LENGTH : 9 * LENGTH].tolist()) == {9}
            reads += 1
    assert writer.returncode == 0
    assert reads
