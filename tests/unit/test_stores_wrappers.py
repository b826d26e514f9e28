"""Stores around stores: what each adds, and that they compose."""

import itertools
import logging
import random
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeNameError, StoreError
from tutorial_zarr.stores import (
    CacheStore,
    FaultStore,
    LatencyStore,
    LocalStore,
    LoggingStore,
    MemoryStore,
    MetricsStore,
    PrefixStore,
    RetryStore,
    TraceStore,
    VirtualClock,
    faults,
)

WRAPPERS = {
    "prefix": lambda inner: PrefixStore(inner, "a b/c"),
    "trace": TraceStore,
    "latency": lambda inner: LatencyStore(inner, 0.1, clock=VirtualClock(threads=1)),
    "faults": FaultStore,
    "retry": RetryStore,
    "cache": CacheStore,
    "small-cache": lambda inner: CacheStore(inner, max_bytes=5),
    "logging": LoggingStore,
    "all": lambda inner: CacheStore(
        TraceStore(RetryStore(FaultStore(PrefixStore(inner, "p"), unavailable=0.3), 30, 0.0001))
    ),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapped_store_behaves_as_a_dictionary_does_under_any_history(wrap):
    source, model = random.Random(5), {}
    keys = ["a", "b/c", "b/d/e", "bc"]
    with wrap(MemoryStore()) as store:
        for _ in range(400):
            key, value = source.choice(keys), source.randbytes(source.randrange(8))
            match source.randrange(9):
                case 0 | 1:
                    store.set(key, value)
                    model[key] = value
                case 2:
                    store.delete(key)
                    model.pop(key, None)
                case 3:
                    store.update(key, lambda old, value=value: (old or b"")[-4:] + value)
                    model[key] = model.get(key, b"")[-4:] + value
                case 4:
                    assert store.get(key) == model.get(key)
                case 5:
                    assert store.get(key, (1, 3)) == (model[key][1:3] if key in model else None)
                    found = [model[key][:2], model[key][-3:]] if key in model else [None, None]
                    assert store.get_ranges(key, [(0, 2), -3]) == found
                case 6:
                    assert (store.exists(key), store.get_size(key)) == (
                        key in model,
                        len(model[key]) if key in model else None,
                    )
                case 7:
                    assert list(store.list_prefix()) == sorted(model)
                    assert list(store.list_prefix("b")) == sorted(key for key in model if key.startswith("b/"))
                    assert ("d/" in store.list_dir("b")) == ("b/d/e" in model)
                case 8:
                    assert store.set_if_absent(key, value) == (key not in model)
                    model.setdefault(key, value)
        store.delete_prefix("b")
        assert list(store.list_prefix()) == sorted(key for key in model if not key.startswith("b/"))


def test_a_prefix_cannot_be_left():
    inner = MemoryStore({"secret": b"1", "p/a": b"2", "pq": b"3"})
    store = PrefixStore(inner, "p")
    assert list(store.list_prefix()) == ["a"]
    for key in ("../secret", "a/../../secret", "/secret"):
        with pytest.raises(NodeNameError, match="expected names joined by '/'"):
            store.get(key)
        with pytest.raises(NodeNameError, match="expected names joined by '/'"):
            store.set(key, b"")
    store.delete_prefix("")
    assert list(inner.list_prefix()) == ["pq", "secret"]


# --- trace


class Steps:
    """A clock that moves on by a second whenever somebody looks."""

    def __init__(self):
        self.times = itertools.count()

    def __call__(self):
        return float(next(self.times))


def test_a_trace_holds_each_request_with_its_bytes_and_its_time():
    store = TraceStore(MemoryStore({"a": b"12345"}), clock=Steps())
    store.get("a", (1, 3))
    store.get_ranges("a", [(0, 1), -2])
    store.get("b")
    store.set("c/d", b"123")
    store.delete("c/d")
    list(store.list_dir())
    store.exists("a")
    assert [request[:4] for request in store.requests] == [
        ("GET", "a", (1, 3), 2),
        ("GET", "a", (0, 1), 1),
        ("GET", "a", -2, 2),
        ("GET", "b", None, None),
        ("PUT", "c/d", None, 3),
        ("DELETE", "c/d", None, None),
        ("LIST", "", None, None),
        ("HEAD", "a", None, 0),
    ]
    assert [request.seconds for request in store.requests] == [1.0] * 8
    assert store.totals() == {
        "DELETE": (1, 0, 1.0, 0),
        "GET": (4, 5, 4.0, 1),
        "HEAD": (1, 0, 1.0, 0),
        "LIST": (1, 0, 1.0, 0),
        "PUT": (1, 3, 1.0, 0),
    }
    assert (store.count(), store.count("GET"), store.nbytes()) == (8, 4, 5)
    lines = store.table().splitlines()
    assert lines[0].split() == ["verb", "key", "range", "bytes", "ms"]
    assert lines[1].split() == ["GET", "a", "1-2", "2", "1000.00"]
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split() == ["PUT", "1", "in", "all", "3", "1000.00"]
    store.clear()
    assert store.requests == []
    assert "0 requests" in repr(store.timeline())


def test_a_timeline_shows_what_was_under_way_at_once():
    clock = VirtualClock(threads=1, settle=2.0)
    store = TraceStore(LatencyStore(MemoryStore(), 0.1, concurrency=4, clock=clock), clock=clock.now)
    array = zarr.create_array(store, shape=(8,), chunks=(1,), dtype="u1")
    clock.threads = 4
    store.clear()
    array[:] = np.arange(1, 9)
    line = store.timeline()
    assert (line.in_flight, round(line.seconds, 6)) == (4, 0.2)
    assert [span.lane for span in line] == [0, 1, 2, 3] * 2
    assert repr(line).splitlines() == [
        "8 requests in 0.2000 s, at most 4 at once",
        *[f"{lane:3} |{'P' * 60}|" for lane in range(4)],
    ]


# --- latency


@pytest.mark.parametrize(("in_flight", "rounds"), [(1, 100), (10, 10), (50, 2), (100, 1)])
def test_100_chunks_arrive_in_as_many_rounds_as_their_number_over_the_requests_in_flight(in_flight, rounds):
    memory, values = MemoryStore(), np.arange(100, dtype="u1")
    zarr.create_array(memory, data=values, chunks=(1,), compressors=None)
    clock = VirtualClock(threads=1, settle=2.0)
    store = LatencyStore(memory, 0.1, concurrency=in_flight, clock=clock)
    array = zarr.open_array(store, mode="r")
    opened, clock.threads = clock.now(), in_flight
    assert np.array_equal(array[:], values)
    assert round((clock.now() - opened) / 0.1, 6) == rounds


@pytest.mark.parametrize(("selection", "rounds"), [(slice(None), 1), (slice(0, 48, 8), 2)])
def test_shards_arrive_side_by_side_from_a_store_that_waits(selection, rounds):
    """Whole shards with a request each, or the index and then a part of each."""
    memory, values = MemoryStore(), np.arange(48, dtype="u1")
    zarr.create_array(memory, data=values, chunks=(2,), shards=(8,), compressors=None)
    clock = VirtualClock(threads=1, settle=2.0)
    store = LatencyStore(memory, 0.1, concurrency=6, clock=clock)
    array = zarr.open_array(store, mode="r")
    opened, clock.threads = clock.now(), 6
    assert np.array_equal(array[selection], values[selection])
    assert round((clock.now() - opened) / 0.1, 6) == rounds


def test_what_a_request_costs_is_latency_and_bytes_and_pages():
    clock = VirtualClock(threads=1)
    store = LatencyStore(MemoryStore({f"{i:04}": bytes(50) for i in range(2500)}), 0.1, bandwidth=100, clock=clock)
    store.get("0000")
    assert clock.now() == pytest.approx(0.6)
    store.get("0000", (0, 10))
    assert clock.now() == pytest.approx(0.6 + 0.2)
    list(store.list_prefix())
    assert clock.now() == pytest.approx(0.8 + 0.3)
    assert LatencyStore(MemoryStore()).concurrency is None
    assert LatencyStore(MemoryStore(), concurrency=9).concurrency == 9


# --- faults


def history(store, n=200):
    """What n writes and reads of ten keys came to, faults and all."""
    found = []
    for i in range(n):
        for request in (lambda i=i: store.set(f"k{i % 10}", bytes([i] * 8)), lambda i=i: store.get(f"k{i % 10}")):
            try:
                found.append(request())
            except StoreError as error:
                found.append(str(error))
    return found


def test_the_same_seed_injects_the_same_faults_and_another_one_others():
    rates = dict.fromkeys(faults.KINDS, 0.05)
    one, same, other = (FaultStore(MemoryStore(), seed=seed, **rates) for seed in (1, 1, 2))
    assert history(one) == history(same) != history(other)
    assert one.injected == same.injected
    assert {fault.kind for fault in one.injected} == set(faults.KINDS)
    assert 50 < len(one.injected) < 130  # 400 requests; 5 kinds for a read, 5 for a write, each 5 %


@pytest.mark.parametrize("kind", faults.KINDS)
def test_each_kind_of_fault_does_what_its_name_says(kind):
    inner = MemoryStore({"a": b"old!"})
    store = FaultStore(inner, **{kind: 1.0})

    def request(call):
        try:
            return call()
        except StoreError as error:
            return "transient" if error.transient else "permanent"

    written = request(lambda: store.set("a", b"new!"))
    stored, read = inner.get("a"), request(lambda: store.get("a"))
    assert (written, stored, read) == {
        "error": ("permanent", b"old!", "permanent"),
        "unavailable": ("transient", b"old!", "transient"),
        "timeout": ("transient", b"new!", "transient"),
        "torn": (None, b"ne", b"ne"),
        "lost": (None, b"old!", b"old!"),
        "flipped": (None, b"new!", read),
        "stale": (None, b"new!", b"old!"),
    }[kind]
    if kind == "flipped":
        difference = int.from_bytes(read) ^ int.from_bytes(b"new!")
        assert difference.bit_count() == 1
    assert {fault.kind for fault in store.injected} == {kind}


def test_faults_can_be_kept_to_some_keys_and_must_be_of_a_known_kind():
    store = FaultStore(MemoryStore({"a": b"1", "b": b"2"}), match=lambda key: key == "b", error=1.0)
    assert store.get("a") == b"1"
    with pytest.raises(StoreError, match="GET 'b': injected an error"):
        store.get("b")
    with pytest.raises(ValueError, match=r"expected rates of error, .*found explosion"):
        FaultStore(MemoryStore(), explosion=0.1)


# --- retry


def test_only_what_may_succeed_later_is_asked_for_again():
    calls, waits = [], []

    def failing(*errors):
        queue = list(errors)

        class Failing(MemoryStore):
            def get(self, key, byte_range=None):
                calls.append(key)
                if queue:
                    raise queue.pop(0)
                return b"1"

        return RetryStore(Failing(), attempts=5, first_wait=0.1, max_wait=0.3, sleep=waits.append)

    busy = StoreError("busy", transient=True)
    assert failing(busy, ConnectionError(), TimeoutError()).get("a") == b"1"
    assert len(calls) == 4
    assert len(waits) == 3
    assert all(0 <= wait <= bound for wait, bound in zip(waits, (0.1, 0.2, 0.3), strict=True)), waits
    assert len(set(waits)) == 3, "the waits are random"
    for error in (StoreError("no", transient=False), StoreError("no"), PermissionError("no"), ValueError("no")):
        del calls[:]
        with pytest.raises(type(error), match="no"):
            failing(error, error).get("a")
        assert len(calls) == 1
    del calls[:]
    with pytest.raises(StoreError, match="busy"):
        failing(*[busy] * 9).get("a")
    assert len(calls) == 5, "attempts are what they say"


def test_retries_make_an_unreliable_store_reliable():
    inner = MemoryStore()
    store = RetryStore(FaultStore(inner, seed=3, unavailable=0.1, timeout=0.1), attempts=40, first_wait=0.0005)
    values = np.random.default_rng(0).integers(0, 255, (64, 64), "u1")
    array = zarr.create_array(store, shape=values.shape, chunks=(8, 8), shards=(32, 32), dtype="u1")
    array[:] = values
    array[3:40, 7:9] = values[3:40, 7:9] = 1
    assert np.array_equal(zarr.open_array(store)[:], values)
    assert np.array_equal(zarr.open_array(inner)[:], values)
    assert store.retries == len(store.store.injected) > 0


# --- cache


def test_what_is_in_the_cache_is_not_asked_for_again_and_the_bound_holds():
    trace = TraceStore(MemoryStore({str(i): bytes(10) for i in range(10)}))
    store = CacheStore(trace, max_bytes=30)
    for key in "012":
        store.get(key)
    store.get("0")
    assert (trace.count(), store.hits, store.misses, store.nbytes) == (3, 1, 3, 30)
    store.get("3")  # "1" was used least recently
    store.get("0")
    assert trace.count() == 4
    store.get("1")
    assert (trace.count(), store.nbytes) == (5, 30)
    assert store.get("absent") is store.get("absent") is None
    assert trace.count() == 7
    assert store.get("9", (2, 4)) == bytes(2)
    assert store.get_ranges("9", [(2, 4), (0, 3)]) == [bytes(2), bytes(3)]
    assert [request.byte_range for request in trace.requests[-2:]] == [(2, 4), (0, 3)]
    store.set("9", b"new")
    assert store.get("9", (2, 4)) == b"w"


def test_what_memory_has_no_room_for_goes_to_the_disk_and_leaves_with_the_store(tmp_path):
    trace = TraceStore(MemoryStore({str(i): bytes([i] * 10) for i in range(10)}))
    with CacheStore(trace, max_bytes=20, folder=tmp_path / "cache", max_disk_bytes=50) as store:
        for key in "0123456789":
            store.get(key)
        assert (store.nbytes, store.disk_nbytes) == (20, 50)
        (folder,) = (tmp_path / "cache").iterdir()
        assert sorted(file.stat().st_size for file in folder.iterdir()) == [10] * 5
        assert [store.get(key) for key in "9876543"] == [bytes([int(key)] * 10) for key in "9876543"]
        assert trace.count() == 10
        assert (store.nbytes, store.disk_nbytes) == (20, 50)
        store.set("3", b"x")
        assert store.get("3") == b"x"
        store.delete_prefix("")
        assert store.get("9") is None
        assert list(folder.iterdir()) == []
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_value_that_was_written_while_it_was_read_is_not_remembered_as_it_was():
    reading, written = threading.Event(), threading.Event()

    class Slow(MemoryStore):
        def get(self, key, byte_range=None):
            value = super().get(key, byte_range)
            if threading.current_thread() is not threading.main_thread():
                reading.set()
                assert written.wait(10)
            return value

    store = CacheStore(Slow({"a": b"old"}))
    thread = threading.Thread(target=store.get, args=("a",))
    thread.start()
    assert reading.wait(10)
    store.set("a", b"new")
    written.set()
    thread.join()
    assert store.get("a") == b"new"


# --- logging and metrics


def test_each_request_is_logged_and_failures_are_warnings(caplog):
    store = LoggingStore(FaultStore(MemoryStore({"a": b"123"}), match=lambda key: key == "b", error=1.0))
    with caplog.at_level(logging.DEBUG, "tutorial_zarr.stores"):
        store.get("a", (0, 2))
        with pytest.raises(StoreError, match="injected"):
            store.get("b")
    told, failed = caplog.records
    assert told.getMessage().startswith("GET a 0-1: 2 bytes in ")
    assert failed.getMessage().startswith("GET b  failed: FaultStore(")
    assert (told.levelname, failed.levelname) == ("DEBUG", "WARNING")


class Instrument:
    """What OpenTelemetry calls a counter or a histogram."""

    def __init__(self):
        self.seen = []

    def add(self, amount, attributes):
        self.seen.append((amount, *attributes.values()))

    record = add


class Meter:
    """Keeps the instruments that it made."""

    def __init__(self):
        self.made = {}

    def create_counter(self, name, unit):
        return self.made.setdefault(name, Instrument())

    create_histogram = create_counter


def test_requests_bytes_and_durations_are_reported_by_verb_and_outcome():
    meter = Meter()
    store = MetricsStore(FaultStore(MemoryStore({"a": b"123"}), match=lambda key: key == "b", error=1.0), meter)
    store.get("a")
    store.exists("c")
    store.set("d", b"12")
    with pytest.raises(StoreError, match="injected"):
        store.get("b")
    outcomes = [("GET", "ok"), ("HEAD", "absent"), ("PUT", "ok"), ("GET", "StoreError")]
    assert meter.made["tutorial_zarr.store.requests"].seen == [(1, *each) for each in outcomes]
    amounts = (3, 0, 2, 0)
    assert meter.made["tutorial_zarr.store.bytes"].seen == [
        (amount, *each) for amount, each in zip(amounts, outcomes, strict=True)
    ]
    assert [seen[1:] for seen in meter.made["tutorial_zarr.store.duration"].seen] == outcomes


def test_metrics_reach_opentelemetry_where_it_is_installed():
    metrics = pytest.importorskip("opentelemetry.sdk.metrics", reason="opentelemetry-sdk is not installed")
    export = pytest.importorskip("opentelemetry.sdk.metrics.export", reason="opentelemetry-sdk is not installed")
    reader = export.InMemoryMetricReader()
    meter = metrics.MeterProvider([reader]).get_meter("test")
    MetricsStore(MemoryStore({"a": b"123"}), meter).get("a")
    (resource,) = reader.get_metrics_data().resource_metrics
    found = {metric.name: metric.data.data_points[0] for metric in resource.scope_metrics[0].metrics}
    assert found["tutorial_zarr.store.bytes"].value == 3
    assert dict(found["tutorial_zarr.store.requests"].attributes) == {"verb": "GET", "outcome": "ok"}


def test_metrics_use_the_programs_own_set_up_when_none_is_given():
    pytest.importorskip("opentelemetry.metrics", reason="opentelemetry-api is not installed")
    assert MetricsStore(MemoryStore({"a": b"123"})).get("a") == b"123"


def test_leftovers_are_seen_through_wrappers(tmp_path):
    (tmp_path / "a.0.partial").write_bytes(b"1")
    store = LoggingStore(CacheStore(LocalStore(tmp_path)))
    assert len(store.leftovers()) == len(store.remove_leftovers(older_than=0)) == 1
    assert list(tmp_path.iterdir()) == []
