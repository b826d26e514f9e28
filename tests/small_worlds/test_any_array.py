"""Arrays of any type, grid, shards and codecs, drawn by hypothesis: what NumPy holds after some writes, we hold.

Where the other small worlds look at every selection of integers, this one looks at every kind of element, to the
bit, after the array was written to here and there, opened again, and copied.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tutorial_zarr as zarr
from tutorial_zarr.stores import MemoryStore

SETTINGS = settings(max_examples=250, deadline=None, derandomize=True, database=None)
RECORD = np.dtype([("id", "<i4"), ("x", "<f8"), ("name", "<U2")])
DTYPES = [
    *("bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64", "complex64"),
    *("<M8[ms]", "<m8[s]", "<U3", "string", "bytes", RECORD),
]
TEXT = ["", "a", "né", "日本", "🜁x"]


def little(name, **configuration):
    return {"name": name, "configuration": configuration}


@st.composite
def elements(draw, dtype, shape):
    """Any elements: any bits where a type has nothing but bits, NaNs with payloads among them."""
    count = int(np.prod(shape, dtype=int))
    if dtype == "string" or str(dtype).startswith("<U"):
        items = draw(st.lists(st.sampled_from(TEXT), min_size=count, max_size=count))
        return np.array(items, dtype=np.dtypes.StringDType() if dtype == "string" else dtype).reshape(shape)
    if dtype == "bytes":
        array = np.empty(count, object)
        array[:] = draw(st.lists(st.binary(max_size=3), min_size=count, max_size=count))
        return array.reshape(shape)
    if dtype == "bool":
        return np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)), bool).reshape(shape)
    dtype = np.dtype(dtype)
    if dtype.names:
        array = np.zeros(count, dtype)
        array["id"] = draw(st.lists(st.integers(-9, 9), min_size=count, max_size=count))
        array["name"] = draw(st.lists(st.sampled_from(["", "a", "né"]), min_size=count, max_size=count))
        array["x"] = array["id"] / 4
        return array.reshape(shape)
    nbytes = count * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=nbytes, max_size=nbytes)), dtype).reshape(shape).copy()


@st.composite
def layouts(draw, dtype, shape):
    """The keywords of `create_array` that say how an array is stored."""
    ndim = len(shape)
    chunks = tuple(draw(st.integers(1, 4)) for _ in range(ndim))
    varies = dtype in ("string", "bytes")
    if draw(st.booleans()) and draw(st.booleans()):
        compressor = st.sampled_from([None, {"id": "zlib", "level": 1}, {"id": "blosc"}, {"id": "zstd"}])
        separator = draw(st.sampled_from(["/", "."]))
        return {
            "zarr_format": 2,
            "chunks": chunks,
            "order": draw(st.sampled_from("CF")),
            "compressors": draw(compressor),
            "chunk_key_encoding": {"name": "v2", "separator": separator},
        }
    kwargs = {
        "chunks": chunks,
        "compressors": draw(st.lists(st.sampled_from(["gzip", "zstd", "crc32c", "blosc"]), max_size=3, unique=True)),
        "chunk_key_encoding": draw(st.sampled_from(["default", "v2", {"name": "default", "separator": "."}])),
    }
    if ndim and draw(st.booleans()):
        order = draw(st.permutations(range(ndim)))
        kwargs["filters"] = [little("transpose", order=list(order))]
    if not varies and draw(st.booleans()) and np.dtype(dtype).itemsize > 1:
        kwargs["serializer"] = little("bytes", endian="big")
    if draw(st.booleans()):
        kwargs["shards"] = tuple(c * draw(st.integers(1, 3)) for c in chunks)
    return kwargs


@st.composite
def boxes(draw, shape):
    box = tuple(slice(*sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))) for n in shape)
    return (*box, ...)  # an array, never a single element


def bits(array):
    """What can be compared without losing the difference between NaNs, or between 0.0 and -0.0."""
    return array.tolist() if array.dtype.kind in "OT" else array.tobytes()


@SETTINGS
@given(st.data())
def test_any_array_holds_what_numpy_holds(data):
    dtype = data.draw(st.sampled_from(DTYPES))
    shape = tuple(data.draw(st.integers(1, 6)) for _ in range(data.draw(st.integers(0, 3))))
    kwargs = data.draw(layouts(dtype, shape))
    fill = data.draw(elements(dtype, ()))
    if kwargs.get("zarr_format") == 2 and fill.dtype.kind in "fc" and np.isnan(fill):
        fill = np.full_like(fill, 1.5)  # version 2 has one NaN only
    store = MemoryStore()
    a = zarr.create_array(store, name="a", shape=shape, dtype=dtype, fill_value=fill[()], **kwargs)
    expected = np.empty(shape, fill.dtype)
    expected[...] = fill
    what = f"{dtype} {shape} {kwargs} fill {fill!r}"
    assert bits(a[...]) == bits(expected), what
    for _ in range(data.draw(st.integers(1, 4))):
        box = data.draw(boxes(shape))
        value = data.draw(elements(dtype, expected[box].shape))
        a[box] = value
        expected[box] = value
        box = data.draw(boxes(shape))
        assert bits(np.asarray(a[box])) == bits(expected[box]), what
    again = zarr.open_array(store, path="a", mode="r")
    assert again.dtype == expected.dtype
    assert bits(again[...]) == bits(expected), what
    for coords, chunk in again.chunk_stream(parallel=2):
        assert bits(chunk) == bits(expected[(*again.grid.region(coords), ...)]), what
    copied = zarr.copy(again, MemoryStore(), name="b")
    assert bits(copied[...]) == bits(expected), what
    like = zarr.empty_like(again)
    assert bits(like[...]) == bits(np.full_like(expected, fill)), what
    like[...] = again
    assert bits(like[...]) == bits(expected), what
