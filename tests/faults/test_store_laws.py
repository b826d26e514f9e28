"""The laws of a store, for buckets on real servers, for a store that fails now and then, and for a small cache."""

import pytest

from tutorial_zarr import stores
from tutorial_zarr.testing import StoreLaws


class TestBuckets(StoreLaws):
    @pytest.fixture
    def store(self, cloud, monkeypatch):
        url, options, kind = cloud
        if kind == "fake_gcs":
            monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", options["endpoint_url"])
            return stores.FsspecStore(url, **options)
        return stores.make_store(url, storage_options=options)


class TestObstoresOwnStore(StoreLaws):
    def make(self, tmp_path):
        obstore_store = pytest.importorskip("obstore.store", reason="obstore is not installed")
        return stores.ObjectStore(obstore_store.MemoryStore())


class TestRetriesOfAFailingStore(StoreLaws):
    def make(self, tmp_path):
        faulty = stores.FaultStore(stores.MemoryStore(), unavailable=0.1, timeout=0.1)
        return stores.RetryStore(faulty, attempts=60, first_wait=0.0001)


class TestCacheWithADiskTier(StoreLaws):
    def make(self, tmp_path):
        inside = stores.LocalStore(tmp_path / "inside")
        return stores.CacheStore(inside, max_bytes=50, folder=tmp_path / "cache", max_disk_bytes=100)
