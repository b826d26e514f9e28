"""Arrays that grow, shrink and are written to in any order, against a model in NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

SETTINGS = settings(max_examples=70, deadline=None, derandomize=True, database=None)
LAYOUTS = ["v2", "v2 F order", "v3", "v3 sharded"]
FILL = -1


def create(layout, shape, chunks, shards=None, store=None):
    kwargs = {"shape": shape, "chunks": chunks, "dtype": "int32", "compressors": None, "fill_value": FILL}
    if layout == "v3 sharded":
        kwargs["shards"] = shards or tuple(2 * c for c in chunks)
    if layout == "v3 uneven":
        kwargs["chunks"] = [[c] * (n // c) + [c + 1] for c, n in zip(chunks, shape, strict=True)]
    if layout == "v3 uneven shards":
        kwargs["shards"] = [[c] * (n // c) + [3 * c] for c, n in zip(chunks, shape, strict=True)]
    if layout == "v3 transposed":
        kwargs["filters"] = [{"name": "transpose", "configuration": {"order": list(range(len(shape)))[::-1]}}]
        kwargs["compressors"] = "gzip"
    if layout.startswith("v2"):
        kwargs |= {"zarr_format": 2, "order": "F" if "F" in layout else "C"}
    return zarr.create_array(MemoryStore() if store is None else store, **kwargs)


def resized(model, shape):
    """The model of `resize`: what both shapes share is kept, all else is the fill value."""
    new = np.full(shape, FILL, model.dtype)
    shared = tuple(slice(0, min(pair)) for pair in zip(model.shape, shape, strict=True))
    new[shared] = model[shared]
    return new


@st.composite
def operations(draw, ndim):
    lengths = st.integers(0, 9)
    kind = draw(st.sampled_from(["write", "resize", "append", "write all"]))
    if kind == "resize":
        return kind, tuple(draw(lengths) for _ in range(ndim))
    if kind == "append":
        return kind, draw(st.integers(0, ndim - 1)), draw(st.integers(0, 4))
    if kind == "write":
        return kind, tuple(slice(*sorted((draw(lengths), draw(lengths)))) for _ in range(ndim))
    return (kind,)


@pytest.mark.parametrize("layout", [*LAYOUTS, "v3 uneven", "v3 uneven shards", "v3 transposed"])
@pytest.mark.parametrize("ndim", [1, 2])
@SETTINGS
@given(st.data())
def test_any_sequence_of_writes_resizes_and_appends_equals_the_model(layout, ndim, data):
    shape = tuple(data.draw(st.integers(0, 7)) for _ in range(ndim))
    chunks = tuple(data.draw(st.integers(1, 4)) for _ in range(ndim))
    shards = tuple(c * data.draw(st.integers(1, 3)) for c in chunks)
    store = MemoryStore()
    a, model = create(layout, shape, chunks, shards, store), np.full(shape, FILL, "int32")
    done = [("create", shape, chunks, shards)]
    for counter in range(data.draw(st.integers(1, 8))):
        kind, *arguments = operation = data.draw(operations(ndim))
        done.append(operation)
        if kind == "resize":
            a.resize(arguments[0])
            model = resized(model, arguments[0])
        elif kind == "append":
            axis, length = arguments
            block_shape = (*model.shape[:axis], length, *model.shape[axis + 1 :])
            block = np.arange(np.prod(block_shape), dtype="int32").reshape(block_shape) + 100 * counter
            assert tuple(a.append(block, axis=axis)) == tuple(a.shape)
            model = np.concatenate([model, block], axis=axis)
        elif kind == "write":
            a[arguments[0]] = model[arguments[0]] = 1000 + counter
        else:
            a[...] = model[...] = np.arange(model.size).reshape(model.shape) + 100 * counter
        assert a.shape == model.shape, done
        np.testing.assert_array_equal(a[...], model, strict=True, err_msg=str(done))
    again = zarr.open_array(store, mode="r")
    np.testing.assert_array_equal(again[...], model, strict=True, err_msg=f"reopened after {done}")


@pytest.mark.parametrize("layout", [*LAYOUTS, "v3 uneven", "v3 uneven shards"])
def test_shrinking_then_growing_shows_fill_values_not_old_data(layout):
    for chunks in range(1, 5):
        for length in range(8):
            a = create(layout, (7,), (chunks,))
            a[...] = np.arange(7)
            a.resize((length,))
            assert a[...].tolist() == list(range(length))
            a.resize((7,))
            assert a[...].tolist() == [*range(length), *[FILL] * (7 - length)], f"chunks {chunks}, to {length}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_shrinking_in_one_axis_and_growing_in_another_shows_fill_values(layout):
    a = create(layout, (5, 5), (2, 2))
    model = np.arange(25, dtype="int32").reshape(5, 5)
    a[...] = model
    for shape in [(3, 7), (7, 3), (7, 7), (1, 1), (6, 6)]:
        a.resize(shape)
        model = resized(model, shape)
        np.testing.assert_array_equal(a[...], model, strict=True, err_msg=str(shape))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_shrinking_deletes_the_chunks_that_are_now_outside(layout):
    store = MemoryStore()
    a = create(layout, (8, 8), (2, 2), (4, 4), store)
    a[...] = 1
    before = len(list(store.list_prefix("")))
    a.resize((4, 4))
    after = len(list(store.list_prefix("")))
    assert before - after == (3 if "sharded" in layout else 12)
    a.resize((0, 4))
    assert a.nchunks_initialized == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_handle_sees_the_new_shape_after_reopening(layout):
    store = MemoryStore()
    a = create(layout, (4,), (3,), store=store)
    a[...] = 1
    a.append(np.full(5, 2, "int32"))
    assert zarr.open_array(store, mode="r")[...].tolist() == [1] * 4 + [2] * 5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_append_refuses_blocks_that_do_not_fit_and_changes_nothing(layout):
    a = create(layout, (4, 3), (2, 2))
    a[...] = 7
    for block, axis, message in [
        (np.zeros((2, 4)), 0, r"(?i)shape|length"),
        (np.zeros(3), 0, r"(?i)dimension|shape"),
        (np.zeros((4, 1, 1)), 1, r"(?i)dimension|shape"),
        (np.zeros((4, 3)), 2, r"(?i)axis"),
    ]:
        with pytest.raises((ValueError, IndexError), match=message):
            a.append(block, axis=axis)
    assert a.shape == (4, 3)
    assert (a[...] == 7).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(3,), (3, 3, 3), (-1, 3), (2.5, 3)])
def test_resize_refuses_shapes_that_are_none_and_changes_nothing(layout, shape):
    a = create(layout, (4, 3), (2, 2))
    a[...] = 7
    with pytest.raises((ValueError, TypeError), match=r"(?i)shape|dimension|length|integer"):
        a.resize(shape)
    assert a.shape == (4, 3)
    assert (a[...] == 7).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_growing_looks_only_at_chunks_that_hang_over_the_edge(layout):
    """Their overhang may hold anything, and must not come to light; all others need no look."""
    store = TraceStore(MemoryStore())
    a = create(layout, (4, 9), (2, 2), (4, 4), store=store)
    a[...] = 7
    edge = {a.chunk_key((i, a.grid.counts[1] - 1)) for i in range(a.grid.counts[0])}
    store.requests.clear()
    a.resize((400, 300))
    metadata = {".zarray"} if layout.startswith("v2") else {"zarr.json"}
    assert {request.key for request in store.requests if request.verb != "LIST"} <= edge | metadata
    assert {request.key for request in store.requests if request.verb == "PUT"} == metadata
