"""A long run on a server that fails now and then stores, in the end, what it would store without failures."""

import hashlib
import random
import threading

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.stores import FaultStore, LocalStore, MemoryStore, RetryStore, TraceStore, make_store


def hashes(store):
    """Key -> hash of its bytes."""
    return {key: hashlib.sha256(store.get(key)).hexdigest() for key in store.list_prefix()}


def write(store, elements, threads, seed=0):
    """Blocks of two arrays, in any order, by several threads; most share chunks and shards with other blocks."""
    values = np.random.default_rng(seed).integers(1, 1 << 30, (elements, 64), "i4")
    root = zarr.create_group(store)
    arrays = [
        root.create_array("chunks", shape=values.shape, dtype="i4", chunks=(64, 32)),
        root.create_array("shards", shape=values.shape, dtype="i4", chunks=(16, 16), shards=(64, 64)),
    ]
    jobs = [(array, i) for array in arrays for i in range(0, elements, 8)]
    random.Random(seed).shuffle(jobs)
    errors = []

    def work(mine):
        try:
            for array, i in mine:
                array[i : i + 8] = values[i : i + 8]
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=work, args=(jobs[i::threads],)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert errors == []
    return values


def soak(inner, elements, seed=0):
    """Write through 10 % of faults; (requests made, faults injected, retries)."""
    trace = TraceStore(inner)
    faulty = FaultStore(trace, seed=seed, unavailable=0.05, timeout=0.05)
    store = RetryStore(faulty, attempts=60, first_wait=0.002, max_wait=0.05)
    values = write(store, elements, threads=8)
    for name in ("chunks", "shards"):
        assert np.array_equal(zarr.open_group(store)[name][:], values)
        assert np.array_equal(zarr.open_group(inner)[name][:], values)
    write(calm := MemoryStore(), elements, threads=1)
    assert hashes(inner) == hashes(calm)
    assert store.retries == len(faulty.injected)
    return trace.count(), len(faulty.injected), store.retries


def test_a_folder_with_a_tenth_of_its_requests_failing_holds_the_same_bytes(tmp_path):
    requests, injected, _ = soak(LocalStore(tmp_path), 256)
    assert 0.05 < injected / requests < 0.2


def test_seaweedfs_with_a_tenth_of_its_requests_failing_holds_the_same_bytes(seaweed):
    requests, injected, _ = soak(make_store(seaweed[0], storage_options=seaweed[1]), 256)
    assert 0.05 < injected / requests < 0.2


@pytest.mark.slow
def test_a_long_soak_on_seaweedfs_holds_the_same_bytes(seaweed):
    """`python -m pytest tests/faults/test_soak.py -m slow -s`; prints requests, faults, retries."""
    figures = soak(make_store(seaweed[0], storage_options=seaweed[1]), 8192, seed=1)
    print("requests, faults, retries:", figures)


@pytest.mark.parametrize("kind", ["error", "unavailable", "timeout", "torn", "lost", "flipped", "stale"])
def test_a_fault_is_survived_or_told_and_never_read_as_data(kind):
    """With checksums in the chunks, wrong bytes are found; what was lost or is stale is whole, but old."""
    values = np.random.default_rng(1).integers(1, 255, (32, 32), "u1")
    inner = MemoryStore()
    codecs = {"chunks": (4, 4), "compressors": ["crc32c"]}
    array = zarr.create_array(inner, shape=values.shape, dtype="u1", **codecs)
    array[:] = old = values[::-1].copy()
    store = FaultStore(inner, seed=4, match=lambda key: key.startswith("c/"), **{kind: 0.3})
    faulty = zarr.open_array(store)
    errors = []
    for block in np.ndindex(8, 8):
        at = tuple(slice(4 * b, 4 * b + 4) for b in block)
        for request in (lambda at=at: faulty.__setitem__(at, values[at]), lambda at=at: faulty[at]):
            try:
                found = request()
            except zarr.errors.ZarrError as error:
                errors.append((f"c/{block[0]}/{block[1]}", str(error)))
            else:
                whole = found is None or any(np.array_equal(found, right[at]) for right in (values, old))
                assert whole, f"{kind} at {block} gave data that nobody wrote"
    assert store.injected
    assert all(key in message for key, message in errors)
    assert bool(errors) == (kind not in ("lost", "stale"))
