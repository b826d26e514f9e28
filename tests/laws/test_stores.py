"""The laws of a store, for every kind that comes with the library."""

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import stores
from tutorial_zarr.errors import ChunkError, StoreError
from tutorial_zarr.testing import StoreLaws


class TestMemoryStore(StoreLaws):
    def make(self, tmp_path):
        return stores.MemoryStore()

    def for_reading(self, store):
        return stores.MemoryStore(store.mapping, read_only=True)


class TestLocalStore(StoreLaws):
    def make(self, tmp_path):
        return stores.LocalStore(tmp_path / "a folder, été")

    def for_reading(self, store):
        return stores.LocalStore(store.root, read_only=True)

    def test_a_folder_in_the_place_of_a_value_is_an_error_and_not_absence(self, store):
        store.set("c/0/1", b"below")
        for read in (
            lambda: store.get("c/0"),
            lambda: store.get("c/0", (0, 1)),
            lambda: store.get_ranges("c/0", [(0, 1)]),
            lambda: store.reader("c/")("0", np.empty(4, np.uint8)),
        ):
            with pytest.raises(StoreError, match=r"key 'c/0': (expected a value, found a folder|cannot read)"):
                read()

    def test_a_folder_in_the_place_of_a_chunk_is_an_error_and_not_the_fill_value(self, store):
        a = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="i4", fill_value=7)
        a[:2] = 1
        store.set("c/1/stray", b"")
        with pytest.raises((StoreError, ChunkError), match="c/1"):
            a[:]
        assert a[:2].tolist() == [1, 1]


class TestZipStore(StoreLaws):
    def make(self, tmp_path):
        return stores.ZipStore(tmp_path / "a.zip", "w")


class TestSQLiteStore(StoreLaws):
    def make(self, tmp_path):
        return stores.SQLiteStore(tmp_path / "a b.sqlite")


class TestFsspecStore(StoreLaws):
    def make(self, tmp_path):
        pytest.importorskip("fsspec", reason="the package fsspec is not installed")
        return stores.FsspecStore(f"memory://{tmp_path}")


class TestWrapperStore(StoreLaws):
    def make(self, tmp_path):
        return stores.WrapperStore(stores.LocalStore(tmp_path / "inside"))


class TestTraceStore(StoreLaws):
    def make(self, tmp_path):
        return stores.TraceStore(stores.MemoryStore())


class TestMetricsStore(StoreLaws):
    def make(self, tmp_path):
        return stores.MetricsStore(stores.MemoryStore())


class TestLoggingStore(StoreLaws):
    def make(self, tmp_path):
        return stores.LoggingStore(stores.MemoryStore())


class TestCacheStore(StoreLaws):
    def make(self, tmp_path):
        return stores.CacheStore(stores.MemoryStore(), max_bytes=1000)  # less than some of the values


class TestRetryStore(StoreLaws):
    def make(self, tmp_path):
        return stores.RetryStore(stores.MemoryStore())


class TestLatencyStore(StoreLaws):
    def make(self, tmp_path):
        return stores.LatencyStore(stores.MemoryStore(), seconds=0)


class TestFaultStore(StoreLaws):
    def make(self, tmp_path):
        return stores.FaultStore(stores.MemoryStore())  # without a rate nothing is injected


class TestPrefixStore(StoreLaws):
    def make(self, tmp_path):
        inside = stores.MemoryStore()
        inside.set("beside", b"not to be seen")
        return stores.PrefixStore(inside, "a/b")


class Ranged(stores.Store):
    """The four methods and nothing else: the defaults of the base class are under the law as well."""

    def __init__(self):
        self.inside = stores.MemoryStore()

    def get(self, key, byte_range=None):
        return self.inside.get(key, byte_range)

    def set(self, key, value):
        self.inside.set(key, value)

    def delete(self, key):
        self.inside.delete(key)

    def list_prefix(self, prefix=""):
        return self.inside.list_prefix(prefix)


class TestDefaults(StoreLaws):
    def make(self, tmp_path):
        return Ranged()


def test_every_kind_of_store_is_under_the_law():
    """ObjectStore is tested where its servers are started; those for reading alone have nothing to be filled by."""
    not_here = {"Store", "ObjectStore", "ReadOnlyStore", "HTTPStore", "ReferenceStore"}
    named = {name: getattr(stores, name) for name in dir(stores)}
    kinds = {name for name, kind in named.items() if isinstance(kind, type) and issubclass(kind, stores.Store)}
    here = {name.removeprefix("Test") for name in globals() if name.startswith("Test")}
    assert kinds - here == not_here
