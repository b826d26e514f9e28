"""Integer arrays and masks, `oindex`, `vindex`, `blocks`, against NumPy, on selections drawn by hypothesis.

The worlds are small, so that a few hundred draws visit most kinds of selection in most layouts; the draws are
the same in every run.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)
LAYOUTS = [
    "v2",
    "v2 F order",
    "v3",
    "v3 sharded",
    "v3 shards in shards",
    "v3 transposed",
    "v3 uneven",
    "v3 uneven shards",
]
INDEX_CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]


@st.composite
def uneven_lengths(draw, length, unit=1):
    """Chunk lengths, all multiples of the unit, that cover an axis and may hang over its end."""
    lengths = []
    while sum(lengths) < length:
        lengths.append(unit * draw(st.integers(1, 3)))
    return lengths


@st.composite
def worlds(draw, min_ndim=1, max_ndim=3, min_length=1):
    """An array in a drawn layout, and the same values in NumPy."""
    ndim = draw(st.integers(min_ndim, max_ndim))
    shape = tuple(draw(st.integers(min_length, 5)) for _ in range(ndim))
    chunks = tuple(draw(st.integers(1, 4)) for _ in range(ndim))
    layout = draw(st.sampled_from(LAYOUTS))
    kwargs = {"dtype": "int32", "chunks": chunks, "compressors": None, "fill_value": -1}
    if layout == "v3 sharded":
        kwargs["shards"] = tuple(c * draw(st.integers(1, 3)) for c in chunks)
    elif layout == "v3 shards in shards":
        middle = tuple(c * draw(st.integers(1, 2)) for c in chunks)
        codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
        for chunk_shape in (chunks, middle):
            inside = {"chunk_shape": list(chunk_shape), "codecs": codecs, "index_codecs": INDEX_CODECS}
            codecs = [{"name": "sharding_indexed", "configuration": inside}]
        kwargs = {
            "dtype": "int32",
            "codecs": codecs,
            "chunks": tuple(c * 2 for c in middle),
            "fill_value": -1,
        }
    elif layout == "v3 transposed":
        order = draw(st.permutations(range(ndim)))
        kwargs["filters"] = [{"name": "transpose", "configuration": {"order": list(order)}}]
        kwargs["shards"] = tuple(c * draw(st.integers(1, 2)) for c in chunks) if draw(st.booleans()) else None
        kwargs |= {"serializer": {"name": "bytes", "configuration": {"endian": "big"}}, "compressors": "zstd"}
    elif layout == "v3 uneven":
        kwargs["chunks"] = [draw(uneven_lengths(n)) for n in shape]
    elif layout == "v3 uneven shards":
        kwargs["shards"] = [draw(uneven_lengths(n, c)) for n, c in zip(shape, chunks, strict=True)]
    elif layout.startswith("v2"):
        kwargs |= {"zarr_format": 2, "order": "F" if "F" in layout else "C"}
    a = zarr.create_array(MemoryStore(), shape=shape, **kwargs)
    expected = np.arange(10, 10 + np.prod(shape), dtype="int32").reshape(shape)
    a[...] = expected
    return a, expected


def index_arrays(shape, length):
    return hnp.arrays(np.int64, shape, elements=st.integers(-length, length - 1))


@st.composite
def parts_for(draw, lengths, broadcast):
    """One thing for each of these axes; a mask may take two of them."""
    parts, axis = [], 0
    while axis < len(lengths):
        n = lengths[axis]
        kinds = ["int", "slice", "slice", "array", "array", "list", "mask"]
        if axis + 1 < len(lengths):
            kinds.append("mask over two axes")
        kind = draw(st.sampled_from(kinds))
        axis += 1
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-n - 2, n + 2)
            step = st.none() | st.integers(1, 3) | st.integers(-3, -1)
            parts.append(slice(draw(bound), draw(bound), draw(step)))
        elif kind == "array":
            dims = tuple(draw(st.sampled_from([1, side])) for side in broadcast)
            parts.append(draw(index_arrays(dims[draw(st.integers(0, len(dims))) :], n)))
        elif kind == "list":
            parts.append(draw(index_arrays(broadcast[-1:], n)).tolist())
        elif kind == "mask":
            parts.append(draw(hnp.arrays(bool, (n,))))
        else:
            parts.append(draw(hnp.arrays(bool, lengths[axis - 1 : axis + 1])))
            axis += 1
    return parts


@st.composite
def numpy_selections(draw, shape):
    """A tuple for NumPy: integers, slices, integer arrays that broadcast, masks, newaxis, ellipsis."""
    broadcast = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=3))
    start = draw(st.integers(0, len(shape)))  # the axes from start to stop are left out
    stop = draw(st.integers(start, len(shape)) | st.just(len(shape)))
    parts = draw(parts_for(shape[:start], broadcast))
    if stop < len(shape) or draw(st.booleans()):
        parts += [..., *draw(parts_for(shape[stop:], broadcast))]
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts) if len(parts) != 1 or draw(st.booleans()) else parts[0]


@st.composite
def values_for(draw, shape):
    """An array that can be broadcast to this shape: leading axes left out, others of length one."""
    dims = tuple(draw(st.sampled_from([1, n])) if n else n for n in shape)
    dims = dims[draw(st.integers(0, len(dims))) :]
    return np.arange(1000, 1000 + np.prod(dims, dtype=int), dtype="int32").reshape(dims)


def numpy_reads(expected, selection):
    """What NumPy returns, or the IndexError that it raises (masks whose counts do not match, for one)."""
    try:
        return expected[selection], None
    except IndexError as error:
        return None, error


def assert_same(got, expected, what):
    got = np.asarray(got)
    np.testing.assert_array_equal(got, expected, err_msg=what, strict=True)


def where(a, selection):
    return f"Zarr {a.zarr_format} shape={a.shape} chunks={a.chunks} shards={a.shards}: a[{selection!r}]"


@SETTINGS
@given(st.data())
def test_reading_any_numpy_selection_equals_numpy(data):
    a, expected = data.draw(worlds())
    selection = data.draw(numpy_selections(expected.shape))
    result, error = numpy_reads(expected, selection)
    if error is None:
        assert_same(a[selection], result, where(a, selection))
    else:
        with pytest.raises(IndexError, match=r"(?i)shape|broadcast|mask|range"):
            a[selection]


@SETTINGS
@given(st.data())
def test_assigning_to_any_numpy_selection_equals_numpy(data):
    a, expected = data.draw(worlds())
    selection = data.draw(numpy_selections(expected.shape))
    result, error = numpy_reads(expected, selection)
    if error is not None:
        with pytest.raises(IndexError, match=r"(?i)shape|broadcast|mask|range"):
            a[selection] = 1
    else:
        value = data.draw(values_for(np.shape(result)))
        a[selection] = value
        expected[selection] = value  # where an index is repeated, the last value stays, in both
    assert_same(a[...], expected, where(a, selection))


@SETTINGS
@given(st.data())
def test_an_integer_array_with_one_index_outside_is_refused_and_changes_nothing(data):
    a, expected = data.draw(worlds())
    axis = data.draw(st.integers(0, expected.ndim - 1))
    n = expected.shape[axis]
    index = data.draw(index_arrays((3,), n))
    outside = data.draw(st.sampled_from([n, n + 7, -n - 1]))
    index[data.draw(st.integers(0, 2))] = outside
    selection = (*[slice(None)] * axis, index)
    for indexer in (a, a.oindex):
        with pytest.raises(IndexError, match=rf"(?s){outside}.*out of range.*axis {axis}.*{n}"):
            indexer[selection]
        with pytest.raises(IndexError, match="out of range"):
            indexer[selection] = 0
    assert_same(a[...], expected, where(a, selection))


def four_by_six(layout):
    return zarr.create_array(
        MemoryStore(),
        shape=(4, 6),
        chunks=(2, 3),
        dtype="int32",
        fill_value=0,
        **({"zarr_format": 2, "order": "F" if "F" in layout else "C"} if layout.startswith("v2") else {}),
        **({"shards": (4, 6)} if "sharded" in layout else {}),
    )


LONE = [
    True,
    False,
    np.True_,
    (True, slice(1, 3)),
    (slice(1, 3), True),
    (True, [1, 2]),
    ([1, 2], True, [0, 3]),
    (True, False),
    (..., True),
    (None, True, 1),
    (slice(None), np.array(True), [1, 1, 2]),
    (False, [1]),
]


@pytest.mark.parametrize("layout", ["v2", "v2 F order", "v3", "v3 sharded"])
@pytest.mark.parametrize("key", LONE, ids=repr)
def test_true_and_false_are_masks_without_axes(layout, key):
    expected = np.arange(24, dtype="int32").reshape(4, 6)
    a = four_by_six(layout)
    a[...] = expected
    assert_same(a[key], expected[key], where(a, key))
    value = np.arange(expected[key].size, dtype="int32").reshape(expected[key].shape) + 100
    a[key] = expected[key] = value
    assert_same(a[...], expected, where(a, key))


@pytest.mark.parametrize("layout", ["v2", "v2 F order", "v3", "v3 sharded"])
def test_a_mask_of_the_wrong_shape_is_refused(layout):
    a = four_by_six(layout)
    for mask in (np.ones(3, bool), np.ones((4, 5), bool), np.ones((4, 6, 1), bool)):
        message = "too many indices" if mask.ndim > a.ndim else "boolean mask"
        with pytest.raises(IndexError, match=message):
            a[mask]
        with pytest.raises(IndexError, match=message):
            a[mask] = 1
    with pytest.raises(IndexError, match=r"(?i)mask|boolean"):
        a.oindex[np.ones(3, bool)]
    with pytest.raises(IndexError, match=r"(?i)mask|boolean"):
        a.vindex[np.ones((4, 5), bool)]
    assert not a[...].any()


# -- oindex --------------------------------------------------------------------------------------------------


@st.composite
def orthogonal_selections(draw, shape):
    parts = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        kind = draw(st.sampled_from(["int", "slice", "array", "array", "mask"]))
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-n - 2, n + 2)
            step = st.none() | st.integers(1, 3) | st.integers(-3, -1)
            parts.append(slice(draw(bound), draw(bound), draw(step)))
        elif kind == "array":
            parts.append(draw(index_arrays((draw(st.integers(0, 4)),), n)))
        else:
            parts.append(draw(hnp.arrays(bool, (n,))))
    return tuple(parts) if len(parts) != 1 or draw(st.booleans()) else parts[0]


def outer(selection, shape):
    """The same selection for NumPy: `np.ix_` of each axis' indices, and the axes that integers drop."""
    selection = selection if isinstance(selection, tuple) else (selection,)
    selection += (slice(None),) * (len(shape) - len(selection))
    indices = [
        np.atleast_1d(np.flatnonzero(s) if isinstance(s, np.ndarray) and s.dtype == bool else np.arange(n)[s])
        for s, n in zip(selection, shape, strict=True)
    ]
    return np.ix_(*indices), tuple(axis for axis, s in enumerate(selection) if isinstance(s, int))


@SETTINGS
@given(st.data())
def test_oindex_reads_the_outer_product_of_the_axes(data):
    a, expected = data.draw(worlds())
    selection = data.draw(orthogonal_selections(expected.shape))
    grid, dropped = outer(selection, expected.shape)
    assert_same(a.oindex[selection], expected[grid].squeeze(dropped), where(a, selection))


@SETTINGS
@given(st.data())
def test_oindex_assigns_to_the_outer_product_of_the_axes(data):
    a, expected = data.draw(worlds())
    selection = data.draw(orthogonal_selections(expected.shape))
    grid, dropped = outer(selection, expected.shape)
    value = data.draw(values_for(expected[grid].squeeze(dropped).shape))
    a.oindex[selection] = value
    full = np.broadcast_to(value, expected[grid].squeeze(dropped).shape)
    expected[grid] = np.expand_dims(full, dropped)
    assert_same(a[...], expected, where(a, selection))


# -- vindex --------------------------------------------------------------------------------------------------


@st.composite
def point_selections(draw, shape):
    if draw(st.sampled_from(["points", "points", "mask"])) == "mask":
        return draw(hnp.arrays(bool, shape))
    broadcast = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=4))
    arrays = []
    for n in shape:
        dims = tuple(draw(st.sampled_from([1, side])) if side else side for side in broadcast)
        arrays.append(draw(index_arrays(dims, n)))
    return tuple(arrays) if len(arrays) > 1 or draw(st.booleans()) else arrays[0]


@SETTINGS
@given(st.data())
def test_vindex_reads_points(data):
    a, expected = data.draw(worlds())
    selection = data.draw(point_selections(expected.shape))
    assert_same(a.vindex[selection], expected[selection], where(a, selection))


@SETTINGS
@given(st.data())
def test_vindex_assigns_to_points(data):
    a, expected = data.draw(worlds())
    selection = data.draw(point_selections(expected.shape))
    value = data.draw(values_for(expected[selection].shape))
    a.vindex[selection] = value
    expected[selection] = value
    assert_same(a[...], expected, where(a, selection))


# -- blocks --------------------------------------------------------------------------------------------------


def block_unit(a):
    """A block is what is written as a whole: a shard where there are shards, a chunk elsewhere."""
    return a.shards or a.chunks


def edges_of(a):
    """Where blocks begin and end along each axis."""
    edges = []
    for n, size in zip(a.shape, block_unit(a), strict=True):
        lengths = size if isinstance(size, tuple) else [size] * -(-n // size)
        ends = np.minimum(np.cumsum([0, *lengths]), n).tolist()
        edges.append(ends[: ends.index(n) + 1])
    return edges


def element_slices(selection, edges):
    """The elements that a selection of whole blocks covers."""
    selection += (slice(None),) * (len(edges) - len(selection))
    parts = []
    for s, ends in zip(selection, edges, strict=True):
        blocks = range(len(ends) - 1)
        chosen = blocks[s] if isinstance(s, slice) else [blocks[s]]
        parts.append(slice(ends[chosen[0]], ends[chosen[-1] + 1]) if chosen else slice(0, 0))
    return tuple(parts)


@SETTINGS
@given(st.data())
def test_blocks_reads_and_assigns_whole_chunks_or_shards(data):
    a, expected = data.draw(worlds())
    edges = edges_of(a)
    selection = tuple(
        data.draw(
            st.integers(1 - len(ends), len(ends) - 2)
            | st.builds(slice, st.none() | st.integers(0, len(ends)), st.none() | st.integers(0, len(ends)))
        )
        for ends in edges[: data.draw(st.integers(1, len(edges)))]
    )
    elements = element_slices(selection, edges)
    assert_same(a.blocks[selection], expected[elements], where(a, selection))
    value = data.draw(values_for(expected[elements].shape))
    a.blocks[selection] = value
    expected[elements] = value
    assert_same(a[...], expected, where(a, selection))


def test_a_block_outside_the_grid_is_refused():
    a = zarr.create_array(MemoryStore(), shape=(5, 7), chunks=(2, 3), dtype="int32", fill_value=0)
    for outside in (3, -4, (0, 3), (0, -4)):
        with pytest.raises(IndexError, match=r"(?i)block.*out of range|out of range.*block"):
            a.blocks[outside]
        with pytest.raises(IndexError, match="out of range"):
            a.blocks[outside] = 1
    assert not a[...].any()


def test_a_slice_of_blocks_with_a_step_is_refused():
    a = zarr.create_array(MemoryStore(), shape=(9,), chunks=(2,), dtype="int32", fill_value=0)
    a[...] = np.arange(9)
    with pytest.raises(IndexError, match=r"(?i)step"):
        a.blocks[::2]


# -- fields of records ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["v2", "v3", "v3 sharded"])
def test_fields_are_read_and_assigned_one_by_one(layout):
    dtype = np.dtype([("time", "<i8"), ("price", "<f4"), ("side", "|u1")])
    kwargs = {"v2": {"zarr_format": 2}, "v3": {}, "v3 sharded": {"shards": (6,)}}[layout]
    a = zarr.create_array(MemoryStore(), shape=(10,), chunks=(3,), dtype=dtype, **kwargs)
    expected = np.zeros(10, dtype)
    for name in dtype.names:
        expected[name] = np.arange(10) + 1
    a[...] = expected
    for name in dtype.names:
        assert_same(a[name], expected[name], name)
    assert_same(a["price"][2:4], expected["price"][2:4], "price")
    a["price"] = expected["price"] = np.arange(10) / 4
    assert_same(a[...], expected, "assigning one field leaves the others")
    names = ["time", "side"]
    np.testing.assert_array_equal(a[names], expected[names])
    with pytest.raises(IndexError, match=r"time.*price.*side.*volume"):
        a["volume"]


def test_every_pair_of_an_integer_array_and_a_slice_equals_numpy():
    """Where several integer arrays are separated by a slice, NumPy moves their axes to the front."""
    a = zarr.create_array(MemoryStore(), shape=(3, 4, 5), chunks=(2, 3, 2), dtype="int32", fill_value=0)
    expected = np.arange(60, dtype="int32").reshape(3, 4, 5)
    a[...] = expected
    parts = [0, slice(None), slice(1, 3), [0, 2, 1], np.array([[0], [2]]), None]
    for selection in product(parts, repeat=4):
        if sum(part is not None for part in selection) > 3:
            continue
        assert_same(a[selection], expected[selection], where(a, selection))
