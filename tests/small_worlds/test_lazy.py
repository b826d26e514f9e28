"""Lazy views: selecting from a selection, and reading once, is what NumPy does step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

LAYOUTS = {
    "v2": {"zarr_format": 2},
    "v3": {},
    "sharded": {"shards": (6, 4)},
}


def make(layout):
    expected = np.arange(13 * 9, dtype="int32").reshape(13, 9)
    names = {} if layout == "v2" else {"dimension_names": ["time", "x"]}
    a = zarr.create_array({}, shape=expected.shape, chunks=(3, 2), dtype="int32", **names, **LAYOUTS[layout])
    a[...] = expected
    return a, expected


@st.composite
def entries(draw, length):
    kind = draw(st.sampled_from(["slice", "slice", "index", "array", "mask"]))
    if kind == "index" and length:
        return draw(st.integers(-length, length - 1))
    if kind == "array" and length:
        return draw(st.lists(st.integers(-length, length - 1), max_size=6))
    if kind == "mask":
        return np.array(draw(st.lists(st.booleans(), min_size=length, max_size=length)), bool)
    bound = st.none() | st.integers(-length - 2, length + 2)
    return slice(draw(bound), draw(bound), draw(st.none() | st.sampled_from([-3, -2, -1, 1, 2, 5])))


def take(array, key):
    """``oindex`` by NumPy: from the last axis to the first, so that dropped axes do not move the others."""
    for axis in reversed(range(len(key))):
        entry = key[axis]
        if isinstance(entry, list):
            entry = np.array(entry, int)
        array = array[(slice(None),) * axis + (entry,)]
    return array


@given(st.data())
def test_views_of_views_equal_numpy_step_by_step(data):
    a, expected = make(data.draw(st.sampled_from(list(LAYOUTS))))
    view = a.lazy
    for _ in range(data.draw(st.integers(0, 3))):
        key = tuple(data.draw(entries(n)) for n in expected.shape[: data.draw(st.integers(0, expected.ndim))])
        view, expected = view[key], take(expected, key)
        assert view.shape == expected.shape
    np.testing.assert_array_equal(view.result(), expected)
    np.testing.assert_array_equal(np.asarray(view), expected)


@given(st.data())
def test_assigning_to_a_view_changes_what_it_stands_for(data):
    a, expected = make(data.draw(st.sampled_from(list(LAYOUTS))))
    places = np.arange(expected.size).reshape(expected.shape)
    view = a.lazy
    for _ in range(2):
        key = tuple(data.draw(entries(n)) for n in places.shape)
        view, places = view[key], take(places, key)
    view[...] = -1
    expected.reshape(-1)[places.reshape(-1)] = -1
    np.testing.assert_array_equal(a[...], expected)


def test_a_view_reads_nothing_until_asked_and_then_only_the_chunks_that_are_left():
    store = TraceStore(MemoryStore())
    a = zarr.create_array(store, shape=(100, 100), chunks=(10, 10), dtype="u1")
    a[...] = 1
    store.requests.clear()
    view = a.lazy[5:95][::9][2:4]  # rows 23 and 32
    assert store.requests == []
    assert view.result().sum() == 200
    assert len(store.requests) == 20


def test_names_select_axes_in_reads_writes_and_views():
    a, expected = make("v3")
    np.testing.assert_array_equal(a.isel(x=3), expected[:, 3])
    np.testing.assert_array_equal(a.isel(x=[1, 5], time=slice(2, 4)), expected[2:4][:, [1, 5]])
    np.testing.assert_array_equal(a[{"time": 12}], expected[12])
    np.testing.assert_array_equal(a.lazy[{"time": 12}][{"x": slice(2)}].result(), expected[12, :2])
    np.testing.assert_array_equal(a.lazy.isel(x=0).isel(time=-1).result(), expected[-1, 0])
    a[{"x": 0}] = 7
    expected[:, 0] = 7
    np.testing.assert_array_equal(a[...], expected)


def test_a_name_that_no_dimension_has_is_refused_with_the_nearest_one():
    a, _ = make("v3")
    with pytest.raises(IndexError, match="'time', 'x'; found 'tine'; did you mean 'time'"):
        a.isel(tine=3)
    with pytest.raises(IndexError, match="'x'; found 'time'"):
        a.lazy[0].isel(time=3)
    b, _ = make("v2")
    with pytest.raises(IndexError, match="which there are none; found 'time'"):
        b.isel(time=3)


def test_an_index_outside_a_view_is_refused_with_its_shape():
    a, _ = make("v3")
    with pytest.raises(IndexError, match=r"LazyView of / shape=\(3, 9\).*index 3 is out of range for axis 0"):
        a.lazy[10:][3]
