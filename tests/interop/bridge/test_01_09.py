"""The rows of the bridge table of 01_09, each run on both sides."""

import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr import codecs, stores
from tutorial_zarr.codecs import compressors
from tutorial_zarr.stores.wrappers import AroundStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows speak of zarr-python 3.4")
storage = pytest.importorskip("zarr.storage")
VALUES = np.arange(64, dtype="int32")


def ours(store=None, **options):
    return tutorial_zarr.create_array({} if store is None else store, data=VALUES, chunks=(8,), **options)


def theirs(**options):
    store = storage.MemoryStore()
    a = zarr.create_array(store, shape=VALUES.shape, chunks=(8,), dtype=VALUES.dtype, **options)
    a[:] = VALUES
    return store


@pytest.mark.bridge(
    "`TraceStore(store)`: each request with key, bytes, seconds",
    "`zarr.storage.LoggingStore(store)`: calls in `counter`, seconds in the text of the log",
    "bytes, and seconds as numbers",
)
def test_requests_are_noted(caplog):
    trace = stores.TraceStore(ours().store)
    a = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    a[:]
    assert (trace.count("GET"), {request.key for request in trace.requests}) == (8, {f"c/{i}" for i in range(8)})
    assert trace.nbytes("GET") > 0
    assert trace.totals()["GET"].seconds > 0

    # read from its logger: a handler is not taken where a store before had the same address, and so the same logger
    watched = storage.LoggingStore(theirs())
    b = zarr.open_array(watched, mode="r+")  # one that only reads counts in a copy of the store
    watched.counter.clear()
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger=watched.logger.name):
        b[:]
    lines = [record.getMessage() for record in caplog.records]
    assert watched.counter == {"get": 8}
    assert sum(line.startswith("Finished MemoryStore.get(c/") and line.rstrip().endswith(" s]") for line in lines) == 8
    assert not any("bytes" in name or "second" in name for name in dir(watched) if not name.startswith("_"))


@pytest.mark.bridge(
    "`AroundStore`: one method `around` for every request",
    "`zarr.storage.WrapperStore`: a method for each kind of request, and `async`",
    "one place for all of them",
)
def test_a_store_is_wrapped():
    class Noted(AroundStore):
        seen = []

        def around(self, request, call, value=None):
            self.seen.append(request.verb)
            return call()

    a = ours(Noted(stores.MemoryStore()))
    a[:]
    assert {"GET", "PUT"} <= set(Noted.seen)

    class Gets(storage.WrapperStore):
        gets = sets = 0

        async def get(self, *args, **options):
            Gets.gets += 1
            return await super().get(*args, **options)

    b = zarr.create_array(Gets(storage.MemoryStore()), shape=(64,), chunks=(8,), dtype="i4")
    b[:] = VALUES  # by set, which this wrapper does not see
    before = Gets.gets
    b[:]
    assert Gets.gets - before == 8
    assert not hasattr(storage.WrapperStore, "around")


@pytest.mark.bridge(
    '`codecs.register("gzip", Timed)`',
    '`register_codec("gzip", Timed, qualname=...)` and `zarr.config.set({"codecs.gzip": ...})`',
    "-",
)
def test_a_codec_is_replaced():
    from zarr.codecs import GzipCodec
    from zarr.registry import register_codec

    calls = []

    class Timed(compressors.Gzip):
        def decode(self, data, size=None):
            calls.append("ours")
            return super().decode(data, size)

        decode_into = codecs.BytesBytesCodec.decode_into

    a = ours(compressors="gzip")
    codecs.register("gzip", Timed)
    try:
        assert np.array_equal(tutorial_zarr.open_array(a.store, mode="r")[:], VALUES)
    finally:
        codecs.register("gzip", compressors.Gzip)

    class Theirs(GzipCodec):
        def _decode_sync(self, *args, **options):
            calls.append("theirs")
            return super()._decode_sync(*args, **options)

    store = theirs(compressors=GzipCodec())
    register_codec("gzip", Theirs, qualname="bridge.Theirs")
    with zarr.config.set({"codecs.gzip": "bridge.Theirs"}):
        assert np.array_equal(zarr.open_array(store, mode="r")[:], VALUES)
    assert (calls.count("ours"), calls.count("theirs")) == (8, 8)


@pytest.mark.bridge(
    "`CacheStore(store, max_bytes=...)`",
    "`zarr.experimental.cache_store.CacheStore(store, cache_store=...)`, which can also forget by age",
    "-",
)
def test_a_window_that_slides_asks_the_cache():
    from zarr.experimental.cache_store import CacheStore

    def slide(a):
        for begin in range(0, 49, 4):
            assert np.array_equal(a[begin : begin + 16], VALUES[begin : begin + 16])

    cache = stores.CacheStore(ours().store, max_bytes=1 << 20)
    a = tutorial_zarr.open_array(cache, mode="r")
    cache.clear()
    cache.hits = cache.misses = 0
    slide(a)
    other = CacheStore(theirs(), cache_store=storage.MemoryStore())
    b = zarr.open_array(other, mode="r")
    before = other.cache_stats()
    slide(b)
    after = other.cache_stats()
    assert (cache.hits, cache.misses) == tuple(after[name] - before[name] for name in ("hits", "misses")) == (24, 8)
    aged = CacheStore(theirs(), cache_store=storage.MemoryStore(), max_age_seconds=60)
    assert aged.cache_info()["max_age_seconds"] == 60


@pytest.mark.bridge(
    "`LatencyStore(store, seconds, bandwidth)` on a `VirtualClock`",
    "`zarr.testing.store.LatencyStore(store, get_latency=...)`, which really sleeps",
    "a price for each byte, a clock that costs no time",
)
def test_a_store_is_made_slow(monkeypatch):
    import inspect

    from zarr.testing import store as testing

    clock = stores.VirtualClock(threads=1)
    slow = stores.LatencyStore(stores.MemoryStore({"k": b"x" * 1000}), 3600.0, 1.0, clock=clock)
    begun = clock.now()
    slow.get("k")
    assert clock.now() - begun == 3600 + 1000  # more than an hour that nobody waits for

    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(testing.asyncio, "sleep", sleep)
    b = zarr.open_array(testing.LatencyStore(theirs(), get_latency=0.5), mode="r")
    slept.clear()
    b[:]
    assert slept == [0.5] * 8
    assert set(inspect.signature(testing.LatencyStore).parameters) == {"store", "get_latency", "set_latency"}


@pytest.mark.bridge(
    "`zarr.set_workers(1)`",
    '`zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})`',
    "-",
)
def test_one_request_at_a_time():
    import asyncio

    class Deepest(storage.WrapperStore):
        now = most = 0

        async def get(self, *args, **options):
            Deepest.now += 1
            Deepest.most = max(Deepest.most, Deepest.now)
            await asyncio.sleep(0.002)
            Deepest.now -= 1
            return await super().get(*args, **options)

    def most():
        a = zarr.open_array(Deepest(theirs()), mode="r")  # which asks for its documents at the same time
        Deepest.most = 0
        a[:]
        return Deepest.most

    assert most() > 1
    with zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1}):
        assert most() == 1

    clock = stores.VirtualClock(threads=1)
    trace = stores.TraceStore(stores.LatencyStore(ours().store, 1.0, clock=clock), clock=clock.now)
    a = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    tutorial_zarr.set_workers(1)
    try:
        a[:]
    finally:
        tutorial_zarr.set_workers(None)
    assert trace.timeline().in_flight == 1


@pytest.mark.bridge(
    "`trace.timeline()`: when requests were in flight",
    "`dask.diagnostics.Profiler()`: when each task ran, on which thread",
    "the requests inside a task",
)
def test_a_timeline():
    da = pytest.importorskip("dask.array")
    from dask.diagnostics import Profiler

    trace = stores.TraceStore(ours().store)
    a = tutorial_zarr.open_array(trace, mode="r")
    trace.clear()
    a[:]
    assert len(trace.timeline()) == 8
    assert all(span.stop >= span.start for span in trace.timeline())

    z = zarr.open_array(theirs(), mode="r")
    with Profiler() as profiler:
        da.from_zarr(z, chunks=(32,)).sum().compute(scheduler="threads")
    assert profiler.results
    assert {"start_time", "end_time", "worker_id"} <= set(profiler.results[0]._fields)
    assert not any("c/0" in str(entry.key) for entry in profiler.results)
