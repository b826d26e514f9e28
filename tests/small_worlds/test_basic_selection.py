"""Integers, slices, ellipsis and newaxis, against NumPy, in every small world that there is.

A world is a shape, a chunk shape and a layout (Zarr 2, Zarr 3, Zarr 3 sharded). Each is created once in
memory and asked everything. Bugs of indexing live at the edges of chunks; small worlds are all edge.
"""

from itertools import cycle, product

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore

LAYOUTS = ["v2", "v2 F order", "v3", "v3 sharded"]
LAYOUTS_1D = ["v2", "v3", "v3 sharded"]  # one axis has one order
LENGTHS = range(8)
CHUNKS = range(1, 5)
BOUNDS = [None, *range(-9, 10)]
STEPS = [None, *range(1, 9), *range(-8, 0)]
EVERY_SLICE = [slice(*parts) for parts in product(BOUNDS, BOUNDS, STEPS)]


def create(layout, shape, chunks, shards=None, fill_value=-1):
    kwargs = {
        "shape": shape,
        "chunks": chunks,
        "dtype": "int32",
        "compressors": None,
        "fill_value": fill_value,
    }
    if layout == "v3 sharded":
        kwargs["shards"] = shards or tuple(2 * c for c in chunks)
    if layout.startswith("v2"):
        kwargs |= {"zarr_format": 2, "order": "F" if "F" in layout else "C"}
    return zarr.create_array(MemoryStore(), **kwargs)


def shards_of(layout, chunk):
    """Every shard length up to 8 that the inner chunk divides; one None where there are no shards."""
    return range(chunk, 9, chunk) if layout == "v3 sharded" else [None]


def worlds_1d(layout):
    for length, chunk in product(LENGTHS, CHUNKS):
        for shard in shards_of(layout, chunk):
            yield (length,), (chunk,), None if shard is None else (shard,)


def spellings(length):
    """What a slice selects -> the slices of EVERY_SLICE that select it."""
    found = {}
    for s in EVERY_SLICE:
        found.setdefault(range(length)[s], []).append(s)
    return list(found.values())


def same(got, expected):
    return got.shape == expected.shape and got.dtype == expected.dtype and got.tolist() == expected.tolist()


def where(a, selection):
    return f"Zarr {a.zarr_format} shape={a.shape} chunks={a.chunks} shards={a.shards}: a[{selection!r}]"


def test_reading_every_spelling_of_every_slice_equals_numpy():
    """Of each length the spellings go round the chunk lengths; the next test reads every slice with each of them."""
    for length in LENGTHS:
        expected = np.arange(10, 10 + length, dtype="int32")
        arrays = [create("v3", (length,), (chunk,)) for chunk in CHUNKS]
        for a in arrays:
            a[...] = expected
        for s, a in zip(EVERY_SLICE, cycle(arrays), strict=False):
            got = a[s]
            assert same(got, expected[s]), f"{where(a, s)}: expected {expected[s]}, found {got}"


@pytest.mark.parametrize("layout", LAYOUTS_1D)
def test_reading_every_slice_in_every_layout_equals_numpy(layout):
    for turn, (shape, chunks, shards) in enumerate(worlds_1d(layout)):
        a = create(layout, shape, chunks, shards)
        expected = np.arange(10, 10 + shape[0], dtype="int32")
        a[...] = expected
        for equal_slices in spellings(shape[0]):
            s = equal_slices[turn % len(equal_slices)]
            got = a[s]
            assert same(got, expected[s]), f"{where(a, s)}: expected {expected[s]}, found {got}"


@pytest.mark.parametrize("layout", LAYOUTS_1D)
def test_writing_every_slice_changes_what_numpy_would_change_and_nothing_else(layout):
    counter = 0
    for turn, (shape, chunks, shards) in enumerate(worlds_1d(layout)):
        a, expected = create(layout, shape, chunks, shards), np.full(shape, -1, "int32")
        for equal_slices in spellings(shape[0]):
            s = equal_slices[turn % len(equal_slices)]
            count = len(range(shape[0])[s])
            counter += 1
            a[s] = expected[s] = counter  # a scalar is broadcast
            assert same(a[...], expected), f"{where(a, s)} = {counter}: expected {expected}, found {a[...]}"
            values = np.arange(counter, counter + count, dtype="int32")
            counter += count
            a[s] = expected[s] = values
            assert same(a[...], expected), f"{where(a, s)} = {values}: expected {expected}, found {a[...]}"


@pytest.mark.parametrize("layout", LAYOUTS_1D)
def test_writing_one_slice_of_a_fresh_array_leaves_the_fill_value_around_it(layout):
    for turn, (shape, chunks, shards) in enumerate(worlds_1d(layout)):
        if shards is not None and shards[0] > 2 * chunks[0]:
            continue
        for equal_slices in spellings(shape[0]):
            s = equal_slices[-1 - turn % len(equal_slices)]
            a, expected = create(layout, shape, chunks, shards), np.full(shape, -1, "int32")
            a[s] = expected[s] = 5
            assert same(a[...], expected), f"{where(a, s)} = 5: expected {expected}, found {a[...]}"


@pytest.mark.parametrize("layout", LAYOUTS_1D)
def test_integers_count_from_both_ends_and_refuse_what_is_outside(layout):
    for shape, chunks, shards in worlds_1d(layout):
        (n,) = shape
        a, expected = create(layout, shape, chunks, shards), np.arange(n, dtype="int32")
        a[...] = expected
        for i in range(-n, n):
            assert a[i] == expected[i], where(a, i)
            assert np.shape(a[i]) == (), where(a, i)
            assert a[np.int16(i)] == expected[i], where(a, i)
            a[i] = expected[i] = 100 + i
        assert same(a[...], expected), where(a, "every integer in turn")
        for i in (-n - 1, n, 10**20, -(10**20)):
            with pytest.raises(IndexError, match=rf"(?s){i}.*out of range.*axis 0.*{n}"):
                a[i]
            with pytest.raises(IndexError, match="out of range"):
                a[i] = 1
        assert same(a[...], expected), "a refused write must change nothing"


# -- two dimensions ------------------------------------------------------------------------------------------

AXIS_SLICES = [
    slice(*parts)
    for parts in [
        (None,),
        (1, None),
        (2,),
        (1, 3),
        (None, None, 2),
        (1, None, 2),
        (None, None, 3),
        (None, None, -1),
        (None, None, -2),
        (2, 0, -1),
        (-2, None),
        (None, -1),
        (2, 2),
        (9, None),
        (-9, 9),
        (None, 1, -1),
    ]
]


def axis_selections(length):
    """One spelling of each thing that AXIS_SLICES can select on an axis of this length, and every integer."""
    different = {range(length)[s]: s for s in AXIS_SLICES}
    return [*different.values(), *range(-1, length)] if length else list(different.values())


# chunk shape -> shard shape
CHUNKS_2D = {(1, 1): (2, 3), (1, 3): (4, 3), (2, 2): (2, 4), (3, 2): (3, 2), (4, 3): (4, 6)}


def worlds_2d(layout):
    for shape, (chunks, shards) in product(product(range(5), repeat=2), CHUNKS_2D.items()):
        yield shape, chunks, shards if layout == "v3 sharded" else None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reading_rows_columns_and_blocks_equals_numpy(layout):
    for shape, chunks, shards in worlds_2d(layout):
        a = create(layout, shape, chunks, shards)
        expected = np.arange(10, 10 + np.prod(shape), dtype="int32").reshape(shape)
        a[...] = expected
        for selection in product(*map(axis_selections, shape)):
            got = np.asarray(a[selection])
            assert same(got, expected[selection]), f"{where(a, selection)}: expected {expected[selection]}, found {got}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_writing_rows_columns_and_blocks_changes_what_numpy_would_change(layout):
    counter = 0
    for shape, chunks, shards in worlds_2d(layout):
        if 0 in shape and shape not in [(0, 0), (0, 3), (3, 0)]:
            continue
        a, expected = create(layout, shape, chunks, shards), np.full(shape, -1, "int32")
        for turn, selection in enumerate(product(*map(axis_selections, shape))):
            part = expected[selection]
            if turn % 3 == 0:
                value = counter
            elif turn % 3 == 1 or part.ndim < 2:
                value = np.arange(counter, counter + part.size, dtype="int32").reshape(part.shape)
            else:  # one column, broadcast along the rows
                value = np.arange(counter, counter + part.shape[0], dtype="int32")[:, None]
            counter += max(part.size, 1)
            a[selection] = expected[selection] = value
            if turn % 2:  # reading costs as much as writing: look after every other write
                assert same(a[...], expected), f"{where(a, selection)} = {value!r}: {a[...]} is not {expected}"
        assert same(a[...], expected), where(a, "all of them")


# -- ellipsis, newaxis, fewer and more dimensions ------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ndim", [0, 1, 2, 3])
def test_ellipsis_and_newaxis_anywhere_equal_numpy(layout, ndim):
    shape = (3, 2, 4)[:ndim]
    a = create(layout, shape, (2, 1, 3)[:ndim])
    expected = np.arange(10, 10 + np.prod(shape, dtype=int), dtype="int32").reshape(shape)
    a[...] = expected
    tried = 0
    for length in range(ndim + 3):
        for selection in product([0, -1, slice(None), slice(1, None), slice(None, None, -1), ..., None], repeat=length):
            axes = sum(s is not None and s is not ... for s in selection)
            if axes > ndim or selection.count(...) > 1 or selection.count(None) > 2:
                continue
            tried += 1
            got = np.asarray(a[selection])
            assert same(got, expected[selection]), f"{where(a, selection)}: {got} is not {expected[selection]}"
            if tried % 7 == 0:
                value = np.full(expected[selection].shape, tried, "int32")
                a[selection] = expected[selection] = value
                assert same(a[...], expected), f"{where(a, selection)} = {tried}"
    assert tried >= 5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_without_dimensions_holds_one_element(layout):
    a = create(layout, (), ())
    assert a.shape == ()
    assert a.size == 1
    assert a[()] == -1
    a[...] = 7
    assert a[()] == 7
    assert a[...].shape == ()
    a[()] = np.int32(8)
    assert a[...].tolist() == 8
    assert a[None, ...].tolist() == [8]
    with pytest.raises(IndexError, match=r"(?i)too many|dimension"):
        a[0]
    with pytest.raises(IndexError, match=r"(?i)too many|dimension"):
        a[:]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 0), (2, 0, 3)])
def test_an_array_of_zero_length_reads_and_writes_nothing(layout, shape):
    store = MemoryStore()
    a = create(layout, shape, (2,) * len(shape))
    assert a[...].shape == shape
    assert a.size == 0
    assert a.nchunks == 0
    a[...] = 5
    a[...] = np.zeros(shape, "int32")
    assert a[...].shape == shape
    assert a.nchunks_initialized == 0
    assert list(store.list_prefix("")) == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_wrong_selections_are_index_errors_that_name_the_shape(layout):
    a = create(layout, (4, 6), (2, 3))
    a[...] = 1
    for selection, message in [
        ((0, 0, 0), r"(?i)(too many|2 dimensions|3 indices)"),
        ((..., ...), r"(?i)ellips"),
        ("no such field", r"(?i)field|name|no such field"),
        (1.0, r"(?i)1\.0|float"),
        (slice(1.5), r"(?i)1\.5|float|integer"),
        (slice(None, None, 0), r"(?i)step"),
        ((4, 0), r"(?i)4 is out of range"),
        ((0, -7), r"(?i)-7 is out of range.*axis 1.*6"),
    ]:
        with pytest.raises(IndexError, match=message):
            a[selection]
        with pytest.raises(IndexError, match=message):
            a[selection] = 2
    assert (a[...] == 1).all(), "a refused write must change nothing"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", [np.zeros(3), np.zeros((5, 7)), np.zeros((2, 4, 6)), [1, 2, 3, 4, 5]])
def test_a_value_that_cannot_be_broadcast_is_refused_and_changes_nothing(layout, value):
    a = create(layout, (4, 6), (2, 3))
    a[...] = 1
    with pytest.raises(ValueError, match=r"(?i)broadcast|shape"):
        a[...] = value
    assert (a[...] == 1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_leading_axes_of_length_one_are_broadcast_away_as_in_numpy(layout):
    a, expected = create(layout, (4, 6), (2, 3)), np.zeros((4, 6), "int32")
    for selection, value in [
        (..., np.arange(24).reshape(1, 1, 4, 6)),
        ((slice(1, 3),), np.arange(6)[None, None]),
        ((0, slice(None)), np.arange(6)[None]),
        ((slice(None), 2), [7]),
    ]:
        a[selection] = expected[selection] = value
    assert same(a[...], expected)
