"""The bridge of 01_08: requests to a bucket, here and elsewhere, each row run on both sides."""

import re
import time

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import FaultStore, LatencyStore, MemoryStore, RetryStore, TraceStore, VirtualClock, make_store

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows are about zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


class Asked(zarr.storage.MemoryStore):
    """Counts the requests and bytes of chunks, and fails as often as `failures` says; copies share the lists."""

    sizes, failures = [], []

    async def get(self, key, *args, **kwargs):
        if self.failures and not key.endswith("zarr.json"):
            self.failures.pop()
            raise OSError("503 Slow Down")
        found = await super().get(key, *args, **kwargs)
        if found is not None and not key.endswith("zarr.json"):
            self.sizes.append(len(found))
        return found


@pytest.mark.bridge(
    '`storage_options={"concurrency": 32}`, 64 without',
    '`zarr.config.set({"async.concurrency": 32})`, 10 without',
    "-",
)
def test_how_many_requests_are_in_flight():
    pytest.importorskip("obstore")
    place, signature = "s3://bucket/array", {"skip_signature": True, "region": "us-east-1"}
    assert make_store(place, storage_options=signature).concurrency == 64
    assert make_store(place, storage_options={**signature, "concurrency": 32}).concurrency == 32
    assert zarr.config.get("async.concurrency") == 10
    with zarr.config.set({"async.concurrency": 32}):
        assert zarr.config.get("async.concurrency") == 32


@pytest.mark.bridge(
    "`shards=(512, 512)`: a part costs the index and one range",
    "the same name and requests; inner chunks lie in Morton order, so a row of them brings more bytes and a square "
    "fewer",
    "-",
)
def test_a_part_of_a_shard():
    options = {"shape": (64, 64), "shards": (64, 64), "chunks": (8, 8), "dtype": "u1", "compressors": None}
    values = np.arange(64 * 64).reshape(64, 64) % 251 + 1
    found = {}
    for question, selection in {"row": np.s_[:8], "square": np.s_[:16, :16]}.items():
        store = MemoryStore()
        store.request_cost = 1 << 19  # as a bucket has it
        trace = TraceStore(store)
        tutorial_zarr.create_array(trace, **options)[...] = values
        a = tutorial_zarr.open_array(trace, mode="r")
        trace.clear()
        np.testing.assert_array_equal(a[selection], values[selection])

        zarr.create_array(asked := Asked(), **options)[...] = values
        b = zarr.open_array(asked, mode="r")
        Asked.sizes.clear()
        np.testing.assert_array_equal(b[selection], values[selection])
        assert trace.count("GET") == len(Asked.sizes) == 2
        found[question] = trace.nbytes("GET"), sum(Asked.sizes)
    assert found["row"][0] < found["row"][1]
    assert found["square"][0] > found["square"][1]


@pytest.mark.bridge(
    "`store.get(key, -1028)`, the last bytes", "`store.get_sync(key, byte_range=SuffixByteRequest(1028))`", "-"
)
def test_the_last_bytes_of_an_object():
    from zarr.abc.store import SuffixByteRequest

    options = {"shape": (64, 64), "shards": (64, 64), "chunks": (8, 8), "dtype": "u1", "compressors": None}
    ours, theirs = (library.create_array({}, **options) for library in BOTH)
    for a in (ours, theirs):
        a[...] = 1
    index = theirs.store.get_sync("c/0/0", byte_range=SuffixByteRequest(1028)).to_bytes()
    for found in (index, bytes(ours.store.get("c/0/0", -1028))):
        lengths = np.frombuffer(found[:-4], "<u8")[1::2]
        assert lengths.tolist() == [64] * 64


@pytest.mark.bridge(
    "`LatencyStore(store, 0.03, clock=VirtualClock())`",
    "`zarr.testing.store.LatencyStore(store, get_latency=0.03)`",
    "a clock that does not wait",
)
def test_a_store_that_is_slow_on_purpose():
    testing = pytest.importorskip("zarr.testing.store")
    values = np.arange(1, 21)
    clock = VirtualClock(threads=1)
    plain = tutorial_zarr.create_array({}, data=values, chunks=(1,)).store
    ours = tutorial_zarr.open_array(LatencyStore(plain, 30.0, concurrency=1, clock=clock), mode="r")
    begun, opened = time.monotonic(), clock.now()
    np.testing.assert_array_equal(ours[...], values)
    assert clock.now() - opened == pytest.approx(20 * 30.0)
    assert time.monotonic() - begun < 300  # ten minutes on its clock

    theirs = zarr.create_array(zarr.storage.MemoryStore(), data=values, chunks=(1,)).store
    slow = zarr.open_array(testing.LatencyStore(theirs, get_latency=0.03), mode="r")
    begun = time.monotonic()
    with zarr.config.set({"async.concurrency": 1}):
        np.testing.assert_array_equal(slow[...], values)
    assert time.monotonic() - begun >= 20 * 0.03 * 0.9  # it sleeps


@pytest.mark.bridge(
    "`RetryStore(store)` around any store",
    "obstore's buckets ask again by themselves, by their `retry_config`",
    "asking again around any other store",
)
def test_a_refused_request_is_made_again():
    obstore = pytest.importorskip("obstore")
    plain = tutorial_zarr.create_array({}, data=np.arange(1, 9), chunks=(1,)).store
    faulty = FaultStore(plain, seed=0, unavailable=0.5)
    patient = RetryStore(faulty, attempts=40, sleep=lambda seconds: None)
    np.testing.assert_array_equal(tutorial_zarr.open_array(patient, mode="r")[...], np.arange(1, 9))
    assert patient.retries > 0
    with pytest.raises(StoreError):
        [tutorial_zarr.open_array(faulty, mode="r")[...] for _ in range(20)]

    zarr.create_array(asked := Asked(), data=np.arange(1, 9), chunks=(1,))
    a = zarr.open_array(asked, mode="r")
    Asked.failures[:] = [None]
    with pytest.raises(OSError, match="503"):
        a[...]
    assert not [name for name in dir(zarr.storage) if "retry" in name.lower()]
    obstore.store.S3Store("bucket", region="us-east-1", skip_signature=True, retry_config={"max_retries": 3})


@pytest.mark.bridge(
    "`TraceStore(store)`",
    "`zarr.storage.LoggingStore(store)` logs the key and the time of each call, and counts calls by name",
    "the bytes",
)
def test_requests_are_counted(caplog):
    trace = TraceStore(tutorial_zarr.create_array({}, data=np.arange(1, 9), chunks=(1,)).store)
    a = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    a[...]
    assert trace.count("GET") == 8
    assert {request.key for request in trace.requests} == {f"c/{k}" for k in range(8)}
    assert sum(request.nbytes for request in trace.requests) == trace.nbytes("GET") > 0

    theirs = zarr.create_array(zarr.storage.MemoryStore(), data=np.arange(1, 9), chunks=(1,)).store
    b = zarr.open_array(zarr.storage.LoggingStore(theirs, log_level="INFO"), mode="r")
    before = b.store.counter["get"]
    caplog.clear()
    b[...]
    assert b.store.counter["get"] - before == 8
    finished = [line for line in caplog.messages if line.startswith("Finished") and ".get(c/" in line]
    assert len(finished) == 8
    assert all(re.search(r"get\(c/\d\) \[\d+\.\d+ s\]$", line) for line in finished)  # a key, a time, and no size
