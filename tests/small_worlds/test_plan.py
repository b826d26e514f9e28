"""A plan foretells exactly the requests and bytes that reading then takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

BYTES = {"name": "bytes", "configuration": {"endian": "little"}}


def sharding(chunk_shape, codec):
    return {"name": "sharding_indexed", "configuration": {"chunk_shape": chunk_shape, "codecs": [codec]}}


LAYOUTS = {
    "raw": {"chunks": (5, 7), "compressors": None},
    "zstd": {"chunks": (5, 7)},
    "v2": {"chunks": (5, 7), "zarr_format": 2, "compressors": None},
    "sharded": {"chunks": (3, 2), "shards": (9, 8)},
    "sharded raw": {"chunks": (3, 2), "shards": (9, 8), "compressors": None},
    "nested": {"chunks": (12, 12), "codecs": [sharding([6, 4], sharding([3, 2], BYTES))]},
}
SHAPE = (23, 17)


def traced(layout, request_cost, holes):
    """An array whose store writes down each request; in `holes` of its chunks nothing was ever written."""
    inner = MemoryStore()
    inner.request_cost = request_cost
    store = TraceStore(inner)
    a = zarr.create_array(store, shape=SHAPE, dtype="u2", fill_value=0, **LAYOUTS[layout])
    a[...] = np.arange(23 * 17).reshape(SHAPE) + 1
    for index in holes:
        if index < len(
            keys := [key for key in inner.list_prefix("") if "zarr.json" not in key and ".zarray" not in key]
        ):
            inner.delete(keys[index])
    store.clear()
    return a, store


@st.composite
def selections(draw):
    entries = []
    for length in SHAPE:
        kind = draw(st.sampled_from(["slice", "index", "array"]))
        if kind == "slice":
            bound = st.none() | st.integers(-length, length)
            entries.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 5, -3]))))
        elif kind == "index":
            entries.append(draw(st.integers(-length, length - 1)))
        else:
            entries.append(draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=5)))
    return tuple(entries)


@settings(max_examples=300)
@given(
    st.sampled_from(list(LAYOUTS)),
    selections(),
    st.sampled_from([1, 8, 64, 1 << 19]),
    st.sets(st.integers(0, 9), max_size=3),
    st.booleans(),
)
def test_a_plan_that_looked_counts_the_requests_and_bytes_of_the_reading(layout, selection, cost, holes, vectorised):
    a, store = traced(layout, cost, holes)
    if vectorised:
        entries = [np.array(e) if isinstance(e, list) else e for e in selection]
        if sum(isinstance(e, np.ndarray) for e in entries) == 2 and len(entries[0]) != len(entries[1]):
            return
        selection = tuple(entries)
        plan, read = a.plan(selection, look=True), lambda: a[selection]
    else:
        plan, read = a.oindex.plan(selection, look=True), lambda: a.oindex[selection]
    requests, stored = plan.requests, plan.stored_bytes
    unlooked = a.plan(selection) if vectorised else a.oindex.plan(selection)
    store.clear()
    values = read()
    assert plan.exact
    assert (requests, stored) == (store.count("GET"), store.nbytes("GET"))
    assert store.count() == store.count("GET")
    assert plan.shape == values.shape
    assert plan.picture().svg.startswith("<svg")
    assert plan.nbytes == values.nbytes
    assert unlooked.requests == requests if unlooked.exact else unlooked.requests >= requests
    assert {t.key for t in plan.touches()} == {r.key for r in store.requests}


def test_a_plan_reads_nothing():
    a, store = traced("sharded", 1, ())
    plan = a.plan((slice(2, 4), slice(None)))
    assert "<svg" in plan._repr_html_()
    assert "at most" in plan.explain()
    assert store.requests == []


@given(st.sampled_from(list(LAYOUTS)), selections())
def test_a_plan_to_write_counts_the_requests_of_the_writing(layout, selection):
    a, store = traced(layout, 1, ())
    arrays = sum(isinstance(entry, list) for entry in selection)
    if arrays > 1:
        selection = (selection[0], 3)
    plan = a.plan_write(selection)
    store.clear()
    a[selection] = 7
    assert store.count() == plan.requests
    assert store.count("GET") == plan.partial + plan.edge
    assert {key for key, _ in plan.touches()} == {r.key for r in store.requests}
    assert plan.aligned == (store.count("GET") == plan.edge)


def test_aligned_writes_say_so():
    a, _ = traced("sharded", 1, ())
    assert a.plan_write((slice(0, 9), slice(8, 17))).aligned
    assert not a.plan_write((slice(0, 9), slice(7, 17))).aligned
    assert a.plan_write((slice(0, 10), slice(8, 17))).explain() == (
        "4 shards are written: 2 wholly (1 at the edge, which is read first), 2 in part, which must be read first; "
        "7 requests."
    )


def test_nothing_selected_costs_nothing():
    a, _ = traced("raw", 1, ())
    assert a.plan(slice(0, 0)).explain().endswith("nothing is read.")
    assert a.plan_write(slice(0, 0)).explain() == "No chunk is touched: nothing is written."


def test_a_selection_outside_is_refused_before_anything_is_planned():
    a, _ = traced("raw", 1, ())
    with pytest.raises(IndexError, match=r"index 99 is out of range for axis 0"):
        a.plan(99)
