"""`Array`: what it says of itself, what it fetches and stores, and how it refuses what is wrong.

Selections are compared with NumPy in `small_worlds`; here it is counted what they cost.
"""

import gzip
import json
import math
import pickle
import tracemalloc

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.codecs.base import BytesBytesCodec
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.errors import (
    ChecksumError,
    ChunkError,
    CodecError,
    MetadataError,
    ReadOnlyError,
    SelectionError,
    UnsupportedError,
    ZarrError,
)
from tutorial_zarr.nodes import MissingChunksWarning
from tutorial_zarr.stores import MemoryStore, TraceStore

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])
METADATA = {2: ".zarray", 3: "zarr.json"}


def traced(**kwargs):
    """An array over a store that writes down what it is asked for."""
    store = TraceStore(MemoryStore())
    a = zarr.create_array(store, **{"compressors": None, "fill_value": 0, **kwargs})
    return a, store


def requests(store, verb):
    return [request for request in store.requests if request.verb == verb]


# -- what it says of itself ----------------------------------------------------------------------------------


@FORMATS
def test_an_array_describes_itself(zarr_format):
    a = zarr.create_array(
        MemoryStore(),
        name="group/temp",
        shape=(5, 7),
        chunks=(2, 3),
        dtype="int16",
        fill_value=-1,
        zarr_format=zarr_format,
        attributes={"unit": "K"},
    )
    assert a.shape == (5, 7)
    assert a.ndim == 2
    assert a.size == 35
    assert a.dtype == np.dtype("int16")
    assert a.nbytes == 70
    assert a.chunks == (2, 3)
    assert a.shards is None
    assert a.fill_value == -1
    assert a.cdata_shape == (3, 3)
    assert a.nchunks == 9
    assert a.nchunks_initialized == 0
    assert a.zarr_format == zarr_format
    assert (a.path, a.name, a.basename) == ("group/temp", "/group/temp", "temp")
    assert a.order == "C"
    assert not a.read_only
    assert dict(a.attrs) == {"unit": "K"}
    assert len(a) == 5
    assert a.metadata.shape == (5, 7)
    for word in ("temp", "(5, 7)", "int16"):
        assert word in repr(a)
        assert word in repr(a.info)


def test_a_sharded_array_describes_itself():
    a = zarr.create_array(MemoryStore(), shape=(9, 8), chunks=(2, 2), shards=(4, 4), dtype="float32")
    assert a.chunks == (2, 2)
    assert a.shards == (4, 4)
    assert a.cdata_shape == (5, 4)
    assert a.nchunks == 20
    assert a.chunk_key((2, 1)) == "c/2/1"  # a key is a shard's


def test_codecs_are_listed_in_the_order_of_encoding():
    a = zarr.create_array(
        MemoryStore(),
        shape=(4, 6),
        chunks=(2, 3),
        dtype=">i4",
        filters=[{"name": "transpose", "configuration": {"order": [1, 0]}}],
        compressors=["gzip", "crc32c"],
    )
    assert [codec.name for codec in a.codecs] == ["transpose", "bytes", "gzip", "crc32c"]
    assert [codec.name for codec in a.filters] == ["transpose"]
    assert a.serializer.name == "bytes"
    assert [codec.name for codec in a.compressors] == ["gzip", "crc32c"]


def test_numpy_functions_take_an_array():
    a = zarr.array(np.arange(12).reshape(3, 4), chunks=(2, 2))
    assert np.asarray(a).tolist() == np.arange(12).reshape(3, 4).tolist()
    assert np.asarray(a, dtype="float32").dtype == np.float32
    assert np.mean(a) == 5.5
    assert np.concatenate([a, a]).shape == (6, 4)
    assert [row.tolist() for row in a] == np.arange(12).reshape(3, 4).tolist()


def test_an_array_survives_pickling_where_its_store_does(tmp_path):
    a = zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), dtype="int32", attributes={"k": 1})
    a[...] = [1, 2, 3, 4]
    b = pickle.loads(pickle.dumps(a))
    assert b[...].tolist() == [1, 2, 3, 4]
    assert dict(b.attrs) == {"k": 1}
    b[0] = 9
    assert a[0] == 9


@FORMATS
def test_elements_never_written_are_the_fill_value(zarr_format):
    for dtype, fill in [("int32", 7), ("float64", np.nan), ("bool", True), ("complex64", 1j)]:
        a = zarr.create_array(
            MemoryStore(), shape=(3,), chunks=(2,), dtype=dtype, fill_value=fill, zarr_format=zarr_format
        )
        np.testing.assert_array_equal(a[...], np.full(3, fill, dtype))
        assert a.nchunks_initialized == 0


def test_the_dtype_of_a_big_endian_array_is_the_same_number_in_any_order():
    for zarr_format in (2, 3):
        a = zarr.create_array(MemoryStore(), shape=(2,), dtype=">u4", compressors=None, zarr_format=zarr_format)
        a[...] = [1, 258]
        assert a[...].tolist() == [1, 258]
        assert a.dtype.newbyteorder("=") == np.uint32
        stored = next(bytes(a.encoded_chunk((0,))) for _ in range(1))
        assert stored == b"\0\0\0\1\0\0\1\2"


# -- attributes ----------------------------------------------------------------------------------------------


@FORMATS
def test_attributes_are_written_through(zarr_format):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(2,), dtype="int8", zarr_format=zarr_format)
    a.attrs["title"] = "x"
    a.attrs.update({"n": 1}, m=[1, 2])
    a.attrs["n"] += 1
    assert dict(zarr.open_array(store).attrs) == {"title": "x", "n": 2, "m": [1, 2]}
    del a.attrs["title"]
    assert "title" not in zarr.open_array(store).attrs
    a.attrs.put({"only": True})
    assert dict(zarr.open_array(store).attrs) == {"only": True}
    assert a.attrs.asdict() == {"only": True}
    with pytest.raises(KeyError, match="absent"):
        a.attrs["absent"]


@FORMATS
def test_numpy_values_in_attributes_become_json(zarr_format):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(2,), dtype="int8", zarr_format=zarr_format)
    a.attrs["values"] = {
        "i": np.int64(2**62),
        "f": np.float32(0.5),
        "b": np.True_,
        "a": np.arange(3),
        "t": (1, 2),
    }
    expected = {"i": 2**62, "f": 0.5, "b": True, "a": [0, 1, 2], "t": [1, 2]}
    assert zarr.open_array(store).attrs["values"] == expected
    assert a.attrs["values"] == expected


@FORMATS
@pytest.mark.parametrize("value", [np.nan, [1.0, np.inf], {1, 2}, b"bytes", object(), {"deep": {"er": np.nan}}])
def test_attributes_that_json_cannot_hold_are_refused_and_change_nothing(zarr_format, value):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(2,), dtype="int8", zarr_format=zarr_format, attributes={"good": 1})
    before = dict(store.mapping)
    with pytest.raises((ValueError, TypeError), match=r"(?i)json|attribut"):
        a.attrs["bad"] = value
    with pytest.raises((ValueError, TypeError), match=r"(?i)json|attribut"):
        a.attrs.update(other=1, bad=value)
    assert dict(a.attrs) == {"good": 1}
    assert dict(store.mapping) == before
    a.attrs["next"] = 2  # and the failure does not linger
    assert dict(zarr.open_array(store).attrs) == {"good": 1, "next": 2}


@FORMATS
def test_attributes_are_seen_as_they_are_stored(zarr_format):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(2,), dtype="int8", zarr_format=zarr_format, attributes={"list": [1]})
    a.attrs["list"].append(2)  # of a copy: to change an attribute is to assign it
    assert dict(a.attrs) == dict(zarr.open_array(store).attrs)
    mine = {"deep": [1]}
    a.attrs["mine"] = mine
    mine["deep"].append(2)
    assert dict(a.attrs) == dict(zarr.open_array(store).attrs)
    try:
        a.attrs["keys"] = {1: "one", 2.5: "half", None: 0}
        a.attrs[5] = "five"
    except (TypeError, ValueError):
        pass  # refusing keys that JSON does not have is as good as converting them
    assert dict(a.attrs) == dict(zarr.open_array(store).attrs)


# -- slices by corner, and chunks ----------------------------------------------------------------------------


def test_get_slice_and_set_slice_name_the_corners():
    a = zarr.create_array(MemoryStore(), shape=(5, 7), chunks=(2, 3), dtype="int32", fill_value=0)
    expected = np.zeros((5, 7), "int32")
    a.set_slice(9, start=(1, 2), stop=(3, 6))
    expected[1:3, 2:6] = 9
    a.set_slice(np.arange(6).reshape(2, 3), start=(0, 1), stop=(4, 7), step=(2, 2))
    expected[0:4:2, 1:7:2] = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(a[...], expected, strict=True)
    np.testing.assert_array_equal(a.get_slice(start=(1, 2), stop=(3, 6)), expected[1:3, 2:6], strict=True)
    np.testing.assert_array_equal(a.get_slice(), expected, strict=True)
    np.testing.assert_array_equal(a.get_slice(stop=(2, 2)), expected[:2, :2], strict=True)
    np.testing.assert_array_equal(a.get_slice(start=(3, 0), step=(1, 3)), expected[3:, ::3], strict=True)
    with pytest.raises(SelectionError, match="2 numbers"):
        a.get_slice(start=(1,))


@FORMATS
def test_a_chunk_can_be_had_as_elements_and_as_bytes(zarr_format):
    a = zarr.create_array(
        MemoryStore(),
        shape=(3, 4),
        chunks=(2, 3),
        dtype="uint8",
        compressors=None,
        fill_value=5,
        zarr_format=zarr_format,
    )
    a[:, :3] = np.arange(9).reshape(3, 3)
    assert a.read_chunk((0, 0)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert a.encoded_chunk((0, 0)) == bytes([0, 1, 2, 3, 4, 5])
    assert a.read_chunk((1, 0)).tolist() == [[6, 7, 8]]  # cut at the array's edge
    assert a.encoded_chunk((1, 0)) == bytes([6, 7, 8, 5, 5, 5])  # stored whole, with the fill value
    assert a.encoded_chunk((1, 1)) is None
    assert a.read_chunk((1, 1)).tolist() == [[5]]
    assert a.chunk_key((1, 0)) == ("c/1/0" if zarr_format == 3 else "1.0")
    assert a.nchunks_initialized == 2
    for outside in [(2, 0), (0, -1), (0,), (0, 0, 0)]:
        for method in (a.chunk_key, a.read_chunk, a.encoded_chunk):
            with pytest.raises(SelectionError, match="chunk coordinates"):
                method(outside)


@FORMATS
def test_nbytes_stored_counts_metadata_and_chunks(zarr_format):
    store = MemoryStore()
    a = zarr.create_array(store, name="x", shape=(8,), chunks=(2,), dtype="int32", zarr_format=zarr_format)
    a[:4] = 1
    below = {key: value for key, value in store.mapping.items() if key.startswith("x/")}
    assert a.nbytes_stored() == sum(map(len, below.values()))


# -- the other ways to say a selection -----------------------------------------------------------------------


METHODS = {
    "basic": (slice(1, 4), slice(None, None, 2)),
    "orthogonal": ([3, 0], slice(1, 5)),
    "coordinate": ([4, 0, 2], [6, 1, 1]),
    "block": (slice(0, 2), 1),
}


@pytest.mark.parametrize("name", METHODS)
def test_selections_can_be_named_and_read_into_memory_that_is_there(name):
    a = zarr.array(np.arange(35, dtype="int16").reshape(5, 7), chunks=(2, 3))
    brackets = {"basic": a, "orthogonal": a.oindex, "coordinate": a.vindex, "block": a.blocks}[name]
    get, put = getattr(a, f"get_{name}_selection"), getattr(a, f"set_{name}_selection")
    expected = brackets[METHODS[name]]
    np.testing.assert_array_equal(get(METHODS[name]), expected, strict=True)
    out = np.full(expected.shape, -1, "int16")
    assert get(METHODS[name], out=out) is out
    np.testing.assert_array_equal(out, expected, strict=True)
    strided = np.full((*expected.shape, 2), -1, "int16")
    get(METHODS[name], out=strided[..., 0])
    np.testing.assert_array_equal(strided[..., 0], expected)
    assert (strided[..., 1] == -1).all()
    for wrong in (np.empty((9, 9), "int16"), np.empty(expected.shape, "float64")):
        with pytest.raises((ValueError, IndexError, TypeError), match=r"(?i)out"):
            get(METHODS[name], out=wrong)
    put(METHODS[name], 99)
    assert (brackets[METHODS[name]] == 99).all()
    assert (a[...] == 99).sum() == expected.size


def test_a_mask_selects_elements_by_name_too():
    a = zarr.array(np.arange(12).reshape(3, 4), chunks=(2, 2))
    mask = np.arange(12).reshape(3, 4) % 5 == 0
    assert a.get_mask_selection(mask).tolist() == [0, 5, 10]
    a.set_mask_selection(mask, [7, 8, 9])
    assert a[mask].tolist() == [7, 8, 9]


def test_changing_in_place_reads_and_writes_back():
    a = zarr.array(np.arange(6), chunks=(4,))
    a[1:5] += 10
    a[[0, 5]] *= 3
    assert a[...].tolist() == [0, 11, 12, 13, 14, 15]


# -- memory --------------------------------------------------------------------------------------------------


def peak_of(work):
    """The most memory that Python and NumPy hold while this runs, above what they hold already."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "kwargs", [{}, {"compressors": None}, {"chunks": (64, 256), "shards": (256, 1024)}, {"order": "F"}]
)
def test_reading_takes_the_size_of_the_result_and_a_few_chunks(kwargs, tmp_path):
    chunk, shard = 1 << 17, 1 << 21
    kwargs = {"shape": (2048, 2048), "chunks": (128, 128), "dtype": "float64", "fill_value": 0, **kwargs}
    a = zarr.create_array(tmp_path / "a", **kwargs)
    a[...] = np.random.default_rng(0).normal(size=a.shape)
    largest = shard if a.shards else chunk
    zarr.set_workers(2)
    try:
        a[:8]  # threads, modules and the like
        assert peak_of(lambda: a[...]) < a.nbytes + 8 * largest
        assert peak_of(lambda: a[100:356, 512:768]) < (1 << 19) + 8 * largest
        assert peak_of(lambda: [None for _ in a.chunk_stream()]) < 8 * largest
    finally:
        zarr.set_workers(None)


def test_writing_takes_a_few_chunks():
    a = zarr.create_array({}, shape=(2048, 2048), chunks=(128, 128), dtype="float64", compressors=None, fill_value=0)
    data = np.zeros(a.shape)
    data[::128, ::128] = 1
    zarr.set_workers(2)
    try:
        a[...] = data
        stored = a.nbytes_stored()
        peak = peak_of(lambda: a.__setitem__(..., data))
        assert peak < stored + 8 * 128 * 128 * 8  # the store's own copy, and a few chunks
    finally:
        zarr.set_workers(None)


@FORMATS
def test_a_huge_array_costs_nothing_until_it_is_read(zarr_format):
    store = MemoryStore()
    zarr.create_array(
        store,
        shape=(10**12, 10**9),
        chunks=(1000, 1000),
        dtype="float64",
        fill_value=1.5,
        zarr_format=zarr_format,
    )

    def work():
        a = zarr.open_array(store)
        assert a.nchunks == 10**15
        assert a.size == 10**21
        assert a[10**12 - 1, 10**9 - 1] == 1.5
        a[5 * 10**11, 3:6] = 2
        assert a[5 * 10**11, 2:7].tolist() == [1.5, 2, 2, 2, 1.5]
        assert a[:: 10**11, 5].tolist() == [1.5] * 5 + [2] + [1.5] * 4
        assert a.nchunks_initialized == 1
        assert "1000000000" in repr(a.info)

    assert peak_of(work) < 200 << 20


# -- what reading and writing cost ---------------------------------------------------------------------------


def test_reading_fetches_each_chunk_that_it_touches_once_and_no_other():
    a, store = traced(shape=(6, 6), chunks=(2, 2), dtype="int32")
    a[...] = 1
    for selection, keys in [
        ((0, 0), ["c/0/0"]),
        ((slice(1, 3), 0), ["c/0/0", "c/1/0"]),
        ((slice(None), slice(4, 6)), ["c/0/2", "c/1/2", "c/2/2"]),
        ((slice(None, None, 4), slice(None, None, 5)), ["c/0/0", "c/0/2", "c/2/0", "c/2/2"]),
        ((slice(2, 2), slice(None)), []),
        (([0, 5], [5, 0]), ["c/0/2", "c/2/0"]),
        ((np.eye(6, dtype=bool),), ["c/0/0", "c/1/1", "c/2/2"]),
        ((slice(None, None, -1), 3), ["c/0/1", "c/1/1", "c/2/1"]),
    ]:
        store.requests.clear()
        a[selection]
        assert sorted(request.key for request in store.requests) == keys, selection
        assert not store.requests or {request.verb for request in store.requests} == {"GET"}


def test_writing_whole_chunks_reads_nothing_but_those_that_hang_over_the_edge():
    a, store = traced(shape=(5, 6), chunks=(2, 2), dtype="int32")
    at_the_edge = ["c/2/0", "c/2/1", "c/2/2"]  # others may append to them meanwhile
    for selection, read in [
        (..., at_the_edge),
        ((slice(2, 4), slice(None)), []),
        ((slice(4, 5), slice(2, 4)), ["c/2/1"]),
    ]:
        store.requests.clear()
        a[selection] = 1
        assert [request.key for request in requests(store, "GET")] == read, selection
    store.requests.clear()
    a._with(a.metadata, alone=True)[...] = 2  # nobody else is at it
    assert not requests(store, "GET")
    assert (a[...] == 2).all()


def test_writing_part_of_a_chunk_reads_and_writes_that_chunk_once():
    a, store = traced(shape=(6,), chunks=(3,), dtype="int32")
    a[...] = 1
    store.requests.clear()
    a[2:4] = 2
    assert sorted(request.key for request in requests(store, "GET")) == ["c/0", "c/1"]
    assert sorted(request.key for request in requests(store, "PUT")) == ["c/0", "c/1"]
    assert a[...].tolist() == [1, 1, 2, 2, 1, 1]


@FORMATS
def test_a_chunk_that_holds_only_the_fill_value_is_not_stored(zarr_format):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(6,), chunks=(2,), dtype="float32", fill_value=np.nan, zarr_format=zarr_format)
    a[...] = np.nan
    assert a.nchunks_initialized == 0
    a[...] = 1
    a[2:4] = np.nan
    assert a.nchunks_initialized == 2
    minus_zero = zarr.create_array(MemoryStore(), shape=(2,), dtype="float32", fill_value=0.0, zarr_format=zarr_format)
    minus_zero[...] = -0.0
    assert minus_zero.nchunks_initialized == 1
    assert np.signbit(minus_zero[...]).all()


# -- shards --------------------------------------------------------------------------------------------------


def sharded(inner=64, per_axis=4, **kwargs):
    """A two by two grid of shards, each of per_axis by per_axis inner chunks of inner by inner bytes."""
    side = inner * per_axis
    return traced(shape=(2 * side, 2 * side), chunks=(inner, inner), shards=(side, side), dtype="uint8", **kwargs)


INDEX_SIZE = 16 * 16 + 4  # offset and length of 16 inner chunks, and a checksum


def test_reading_one_inner_chunk_fetches_the_index_and_that_chunk():
    a, store = sharded()
    a[...] = 7
    store.requests.clear()
    assert (a[:64, :64] == 7).all()
    assert [request.key for request in store.requests] == ["c/0/0", "c/0/0"]
    index, chunk = store.requests
    assert (index.byte_range, index.nbytes) == (-INDEX_SIZE, INDEX_SIZE)
    assert chunk.nbytes == 64 * 64
    store.requests.clear()
    assert a[300, 500] == 7
    assert [request.nbytes for request in store.requests] == [INDEX_SIZE, 64 * 64]
    assert {request.key for request in store.requests} == {"c/1/1"}


def test_an_index_at_the_start_of_a_shard_is_fetched_from_there():
    sharding = {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [64, 64],
            "codecs": [{"name": "bytes"}],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
            "index_location": "start",
        },
    }
    store = TraceStore(MemoryStore())
    a = zarr.create_array(store, shape=(256, 256), chunks=(256, 256), dtype="uint8", codecs=[sharding], fill_value=0)
    a[...] = np.arange(256)
    store.requests.clear()
    assert a[200, 70] == 70
    assert next(request.byte_range for request in store.requests) == (0, INDEX_SIZE)
    assert [request.nbytes for request in store.requests] == [INDEX_SIZE, 64 * 64]


def test_inner_chunks_that_lie_apart_are_fetched_apart():
    a, store = sharded(inner=256)
    a[...] = 7
    store.requests.clear()
    assert a[[0, 1023], [0, 1023]].tolist() == [7, 7]  # the first and the last inner chunk of one shard
    assert [request.nbytes for request in store.requests] == [INDEX_SIZE, 256 * 256, 256 * 256]


def test_an_absent_inner_chunk_costs_the_index_alone():
    a, store = sharded()
    a[:64, :64] = 7
    store.requests.clear()
    assert not a[128:192, 128:192].any()
    assert [request.nbytes for request in store.requests] == [INDEX_SIZE]


def test_an_absent_shard_costs_one_request():
    a, store = sharded()
    assert a[3, 3] == 0
    assert [(request.verb, request.key, request.nbytes) for request in store.requests[-1:]] == [("GET", "c/0/0", None)]
    store.requests.clear()
    a[3, 3]
    assert len(store.requests) == 1


def test_reading_a_whole_shard_is_one_request():
    a, store = sharded()
    a[...] = 7
    store.requests.clear()
    assert (a[256:, :256] == 7).all()
    assert [request.key for request in store.requests] == ["c/1/0"]


def test_writing_a_whole_shard_reads_nothing():
    a, store = sharded()
    store.requests.clear()
    a[:256, :256] = 1
    assert [(request.verb, request.key) for request in store.requests] == [("PUT", "c/0/0")]


def inner_chunks(shard, count):
    """The bytes of each inner chunk of a shard whose index stands at the end, taken apart by hand."""
    index = np.frombuffer(shard[-(16 * count + 4) : -4], "<u8").reshape(count, 2).tolist()
    return [None if offset == 2**64 - 1 else shard[offset : offset + length] for offset, length in index]


def test_writing_into_a_shard_keeps_the_other_inner_chunks_byte_for_byte():
    store = MemoryStore()
    a = zarr.create_array(store, shape=(8,), chunks=(2,), shards=(8,), dtype="uint8", compressors="gzip", fill_value=0)
    a[:6] = [1, 2, 3, 4, 5, 6]
    before = inner_chunks(store.mapping["c/0"], 4)
    assert before[3] is None
    a[2] = 9
    after = inner_chunks(store.mapping["c/0"], 4)
    assert (after[0], after[2], after[3]) == (before[0], before[2], None)
    assert gzip.decompress(after[1]) == bytes([9, 4])
    a[2:4] = 0  # back to the fill value: the inner chunk is dropped
    assert inner_chunks(store.mapping["c/0"], 4)[1] is None
    assert a[...].tolist() == [1, 2, 0, 0, 5, 6, 0, 0]
    a[...] = 0
    assert a.nchunks_initialized == 0
    assert "c/0" not in store.mapping


def test_writing_into_a_shard_does_not_decode_the_other_inner_chunks():
    """One that is damaged stays as it is: it is neither dropped nor in the way."""
    store = MemoryStore()
    a = zarr.create_array(store, shape=(4,), chunks=(2,), shards=(4,), dtype="uint8", compressors="gzip", fill_value=0)
    a[...] = [1, 2, 3, 4]
    damaged = bytearray(store.mapping["c/0"])
    damaged[5] ^= 0xFF
    damaged[2] ^= 0xFF
    store.mapping["c/0"] = bytes(damaged)
    first = inner_chunks(store.mapping["c/0"], 2)[0]
    a[3] = 9
    assert inner_chunks(store.mapping["c/0"], 2)[0] == first
    assert a[2:].tolist() == [3, 9]
    with pytest.raises(ChunkError, match=r"c/0.*gzip"):
        a[:2]


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("dtype", ["complex128", "int64", "<U3", "string", "bytes", "bool"])
@pytest.mark.parametrize("is_sharded", [False, True])
def test_arrays_of_every_number_of_axes_hold_every_kind_of_element(shape, dtype, is_sharded):
    value = {"complex128": 1 + 2j, "int64": -7, "<U3": "né", "string": "néé", "bytes": b"\0a", "bool": True}[dtype]
    chunks = (2,) * len(shape)
    kwargs = {"shards": tuple(2 * c for c in chunks)} if is_sharded else {}
    a = zarr.create_array(MemoryStore(), shape=shape, dtype=dtype, chunks=chunks, **kwargs)
    a[...] = value
    for _ in range(20):  # memory is handed out anew: what is left unwritten shows sooner or later
        noise = [np.full(4, -1.5) for _ in range(50)]
        assert a[...].shape == shape
        assert np.asarray(a[...]).ravel().tolist() == [value] * int(np.prod(shape))
        del noise


# -- damaged chunks ------------------------------------------------------------------------------------------


def damaged_array(zarr_format, **kwargs):
    store = MemoryStore()
    a = zarr.create_array(
        store,
        name="temp",
        shape=(4,),
        chunks=(2,),
        dtype="int32",
        fill_value=0,
        zarr_format=zarr_format,
        **kwargs,
    )
    a[...] = [1, 2, 3, 4]
    return a, store, "temp/" + a.chunk_key((1,)).removeprefix("temp/")


@FORMATS
@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"", lambda data: data * 2]
)
def test_a_chunk_of_the_wrong_length_is_refused_with_its_key(zarr_format, change):
    a, store, key = damaged_array(zarr_format, compressors=None)
    store.mapping[key] = change(store.mapping[key])
    with pytest.raises(ChunkError, match=rf"(?s)temp.*{key[5:]}.*8 bytes.*{len(store.mapping[key])}"):
        a[...]
    with pytest.raises(ChunkError, match=r"temp"):
        a[3] = 1  # writing part of it needs what is there
    assert a[:2].tolist() == [1, 2]  # the other chunk is not touched by this
    a[2:] = [5, 6]  # and writing it whole heals it
    assert a[...].tolist() == [1, 2, 5, 6]


@FORMATS
@pytest.mark.parametrize("compressor", ["gzip", "zstd", "blosc", "numcodecs.zlib", "numcodecs.lz4", "numcodecs.bz2"])
@pytest.mark.parametrize("change", ["cut", "empty", "noise"])
def test_a_damaged_compressed_chunk_is_refused_with_its_key_and_codec(zarr_format, compressor, change):
    if zarr_format == 2:
        compressor = {"id": compressor.removeprefix("numcodecs.")}
    a, store, key = damaged_array(zarr_format, compressors=compressor)
    store.mapping[key] = {"cut": store.mapping[key][:-3], "empty": b"", "noise": b"\x5a" * 30}[change]
    name = compressor if isinstance(compressor, str) else compressor["id"]
    with pytest.raises(ChunkError, match=rf"(?s)temp.*{key[5:]}.*{name}"):
        a[...]


def test_a_failed_checksum_is_told_apart():
    a, store, key = damaged_array(3, compressors="crc32c")
    data = bytearray(store.mapping[key])
    data[0] ^= 1
    store.mapping[key] = bytes(data)
    with pytest.raises(ChunkError, match=r"(?s)temp.*c/1.*crc32c.*checksum") as caught:
        a[...]
    assert isinstance(caught.value.__cause__, ChecksumError)
    assert isinstance(caught.value.__cause__, CodecError)


def test_a_chunk_that_decodes_to_too_much_is_refused():
    a, store, key = damaged_array(3, compressors="gzip")
    store.mapping[key] = gzip.compress(bytes(1 << 20))
    with pytest.raises(ChunkError, match=r"(?s)temp.*c/1.*gzip.*8"):
        a[...]


@pytest.mark.parametrize(
    "damage", ["empty", "index cut", "index flipped", "entry outside", "entry huge", "only offset"]
)
def test_a_damaged_shard_is_refused_with_its_key(damage):
    store = MemoryStore()
    a = zarr.create_array(store, shape=(16,), chunks=(2,), shards=(16,), dtype="int32", compressors=None, fill_value=0)
    a[...] = np.arange(1, 17)
    from tutorial_zarr.codecs.checksums import crc32c

    shard = store.mapping["c/0"]
    body, index = shard[: -(16 * 8 + 4)], np.frombuffer(shard[-(16 * 8 + 4) : -4], "<u8").copy()
    if damage == "entry outside":
        index[0] = len(shard)
    elif damage == "entry huge":
        index[1] = 2**63
    elif damage == "only offset":
        index[0] = 2**64 - 1
    rebuilt = body + index.tobytes() + crc32c(index.tobytes()).to_bytes(4, "little")
    store.mapping["c/0"] = {
        "empty": b"",
        "index cut": shard[:40],
        "index flipped": shard[:-10] + bytes([shard[-10] ^ 1]) + shard[-9:],
    }.get(damage, rebuilt)
    for selection in (slice(0, 2), ...):  # a part, by ranges, and all of it
        with pytest.raises(ChunkError, match="c/0"):
            a[selection]


# -- refusing to write ---------------------------------------------------------------------------------------


@FORMATS
def test_nothing_can_be_written_to_an_array_opened_for_reading(zarr_format, tmp_path):
    zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), dtype="int32", zarr_format=zarr_format)[...] = 1
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    a = zarr.open_array(tmp_path / "a", mode="r")
    assert a.read_only
    for write in (
        lambda: a.__setitem__(0, 5),
        lambda: a.__setitem__(slice(0, 0), 5),
        lambda: a.oindex.__setitem__([0], 5),
        lambda: a.vindex.__setitem__([0], 5),
        lambda: a.blocks.__setitem__(0, 5),
        lambda: a.set_slice(5, start=(0,), stop=(1,)),
        lambda: a.resize((9,)),
        lambda: a.append([1]),
        lambda: a.attrs.__setitem__("k", 1),
        lambda: a.attrs.update(k=1),
        lambda: a.attrs.put({"k": 1}),
    ):
        with pytest.raises(ReadOnlyError, match=r"(?i)read.*r\+"):
            write()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert a[...].tolist() == [1, 1, 1, 1]


def test_a_value_of_the_wrong_kind_is_refused_and_changes_nothing():
    a = zarr.array(np.arange(4), chunks=(2,))
    for value in ("text", ["a", "b", "c", "d"], object(), {"a": 1}):
        with pytest.raises((ValueError, TypeError), match=r"."):
            a[...] = value
    assert a[...].tolist() == [0, 1, 2, 3]
    blobs = zarr.create_array({}, shape=(3,), dtype="bytes", chunks=(1,))
    for value in ([b"a", 5, b"c"], [b"a", b"b", "text"], [b"a", None, b"c"]):
        with pytest.raises((ValueError, TypeError), match=r"."):
            blobs[...] = value
        assert blobs[...].tolist() == [b"", b"", b""], value


def test_without_a_fill_value_every_chunk_that_was_written_is_stored():
    """In version 2 null means that absent chunks may hold anything: zeros must not be left to chance."""
    a = zarr.create_array({}, shape=(4,), chunks=(2,), dtype="int32", fill_value=None, zarr_format=2)
    assert a.fill_value is None
    a[...] = 0
    assert a.nchunks_initialized == 2


def test_a_missing_chunk_can_be_made_an_error(tmp_path):
    zarr.create_array(tmp_path / "a", shape=(4,), chunks=(2,), dtype="int32", fill_value=0)[:2] = 1
    a = zarr.open_array(tmp_path / "a", mode="r", missing="error")
    assert a[:2].tolist() == [1, 1]
    with pytest.raises(KeyError, match=r"c/1"):
        a[...]


def test_what_is_missing_inside_a_shard_is_named_and_not_the_shard(tmp_path):
    options = {"chunks": (2,), "shards": (4,), "dtype": "int32", "fill_value": 0}
    zarr.create_array(tmp_path / "a", shape=(8,), **options)[:2] = 1
    a = zarr.open_array(tmp_path / "a", mode="r", missing="error")
    assert a[:2].tolist() == [1, 1]
    for selection in (slice(0, 4), slice(2, 4), slice(3, 8)):
        with pytest.raises(KeyError, match=r"expected chunk \(1,\) in the shard at key 'c/0', found none"):
            a[selection]
    with pytest.raises(KeyError, match=r"expected a chunk at key 'c/1', found none"):
        a[4:8]


def test_what_is_missing_inside_a_shard_within_a_shard_is_named(tmp_path):
    inner = {"name": "sharding_indexed", "configuration": {"chunk_shape": [2], "codecs": ["bytes"]}}
    inner["configuration"]["index_codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    outer = {"name": "sharding_indexed", "configuration": {"chunk_shape": [4], "codecs": [inner]}}
    outer["configuration"]["index_codecs"] = inner["configuration"]["index_codecs"]
    zarr.create_array(tmp_path, shape=(8,), chunks=(8,), dtype="u1", serializer=outer, compressors=None)[6:8] = 1
    a = zarr.open_array(tmp_path, mode="r", missing="error")
    assert a[6:8].tolist() == [1, 1]
    with pytest.raises(KeyError, match=r"expected chunk \(0,\) in the shard at key 'c/0', found none"):
        a[4:8]  # of the inner shard (1,)
    with pytest.raises(KeyError, match=r"expected chunk \(0,\) in the shard at key 'c/0', found none"):
        a[0:2]


@pytest.mark.parametrize("codecs", [{"compressors": None}, {}, {"shards": (8, 8)}], ids=["raw", "zstd", "shards"])
def test_missing_chunks_can_be_warned_of_once_for_a_read(codecs):
    store = MemoryStore()
    a = zarr.create_array(store, name="a", shape=(16, 16), chunks=(4, 4), dtype="int32", fill_value=-1, **codecs)
    a[:4, :12] = 1
    a = zarr.open_array(store, path="a", mode="r", missing="warn")
    first = "a/c/0/0" if codecs.get("shards") else "a/c/0/3"
    with pytest.warns(
        MissingChunksWarning, match=f"array 'a' .*: .* found 13 absent, the first at key '{first}'"
    ) as met:
        found = a[...]
    assert (len(met), met[0].filename) == (1, __file__)
    assert (found[:4, :12] == 1).all()
    assert (found[4:] == -1).all()
    with pytest.warns(MissingChunksWarning, match=r"found 1 absent") as met:
        assert a[15, 15] == -1
    assert len(met) == 1
    assert (a[:4, :12] == 1).all(), "and no warning where all is there"
    with pytest.raises(ValueError, match=r"missing: expected 'fill', 'warn' or 'error', found 'maybe'"):
        zarr.open_array(store, path="a", mode="r", missing="maybe")


# -- metadata that is wrong ----------------------------------------------------------------------------------


def documents(zarr_format):
    store = MemoryStore()
    zarr.create_array(
        store, name="temp", shape=(4,), chunks=(2,), dtype="int32", fill_value=0, zarr_format=zarr_format
    )[...] = 1
    key = "temp/" + METADATA[zarr_format]
    return store, key, json.loads(store.mapping[key])


@FORMATS
@pytest.mark.parametrize(
    "text", [b"", b"{", b"not json", b"[1, 2]", b"null", b'"text"', b"\xff\xfe\x00", b'{"zarr_format":']
)
def test_metadata_that_is_no_json_object_is_refused_with_its_key(zarr_format, text):
    store, key, _ = documents(zarr_format)
    store.mapping[key] = text
    with pytest.raises(MetadataError, match=rf"{key}"):
        zarr.open_array(store, path="temp")


@pytest.mark.parametrize(
    ("zarr_format", "missing"),
    [
        (3, name)
        for name in (
            "zarr_format",
            "node_type",
            "shape",
            "data_type",
            "chunk_grid",
            "chunk_key_encoding",
            "fill_value",
            "codecs",
        )
    ]
    + [(2, name) for name in ("zarr_format", "shape", "chunks", "dtype", "order")],
)
def test_metadata_with_a_member_missing_is_refused_and_names_it(zarr_format, missing):
    store, key, document = documents(zarr_format)
    del document[missing]
    store.mapping[key] = json.dumps(document).encode()
    with pytest.raises(MetadataError, match=rf"(?s){key}.*{missing}"):
        zarr.open_array(store, path="temp")


@pytest.mark.parametrize(
    ("zarr_format", "change", "message"),
    [
        (3, {"zarr_format": 4}, "zarr_format.*4"),
        (3, {"zarr_format": "3"}, "zarr_format.*'3'"),
        (3, {"node_type": "table"}, "node_type.*table"),
        (3, {"shape": 4}, "shape"),
        (3, {"shape": [-1]}, "shape.*-1"),
        (3, {"shape": ["4"]}, "shape"),
        (3, {"shape": [4, 4]}, "chunk_shape|chunk_grid"),
        (3, {"data_type": "int33"}, "int33"),
        (3, {"data_type": 3}, "data_type"),
        (3, {"chunk_grid": {"name": "hexagonal"}}, "hexagonal"),
        (3, {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0]}}}, "chunk"),
        (3, {"chunk_key_encoding": {"name": "spiral"}}, "spiral"),
        (3, {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "-"}}}, "separator.*-"),
        (3, {"fill_value": None}, "fill_value"),
        (3, {"fill_value": "abc"}, "fill_value.*abc"),
        (3, {"fill_value": 2**31}, "fill_value.*2147483648"),
        (3, {"codecs": []}, "codecs"),
        (3, {"codecs": "bytes"}, "codecs"),
        (3, {"codecs": [{"name": "bytes"}]}, "endian"),
        (3, {"codecs": [{"configuration": {}}]}, "name"),
        (3, {"codecs": [{"name": "gzip", "configuration": {"level": 1}}]}, "array -> bytes"),
        (3, {"dimension_names": ["x", "y"]}, "dimension_names"),
        (3, {"dimension_names": [1]}, "dimension_names"),
        (3, {"attributes": [1]}, "attributes"),
        (3, {"storage_transformers": [{"name": "cipher"}]}, "cipher"),
        (3, {"unheard_of": 1}, "unheard_of"),
        (3, {"unheard_of": {"must_understand": True}}, "unheard_of"),
        (2, {"zarr_format": 3}, "zarr_format.*3"),
        (2, {"shape": [4, 4]}, "chunks"),
        (2, {"chunks": [0]}, "chunk"),
        (2, {"chunks": [-2]}, "chunks.*-2"),
        (2, {"dtype": "<q9"}, "q9"),
        (2, {"dtype": "i4"}, "i4"),
        (2, {"dtype": "|O"}, "object codec"),
        (2, {"order": "K"}, "order.*K"),
        (2, {"fill_value": "abc"}, "fill_value.*abc"),
        (2, {"dimension_separator": "-"}, "dimension_separator"),
        (2, {"compressor": "gzip"}, "compressor"),
        (2, {"filters": [{"name": "delta"}]}, "filters.*id"),
    ],
)
def test_metadata_with_a_wrong_member_is_refused_and_shows_it(zarr_format, change, message):
    store, key, document = documents(zarr_format)
    store.mapping[key] = json.dumps(document | change).encode()
    with pytest.raises(MetadataError, match=rf"(?s){message}"):
        zarr.open_array(store, path="temp")


@pytest.mark.parametrize(
    ("zarr_format", "change"),
    [
        (3, {"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "squeeze"}]}),
        (2, {"compressor": {"id": "squeeze", "level": 3}}),
        (2, {"filters": [{"id": "squeeze"}]}),
    ],
)
def test_an_unknown_codec_is_named_with_the_array(zarr_format, change):
    store, key, document = documents(zarr_format)
    store.mapping[key] = json.dumps(document | change).encode()
    with pytest.raises(UnsupportedError, match=r"(?s)temp.*squeeze"):
        zarr.open_array(store, path="temp")


def test_a_codec_whose_package_is_missing_names_the_pip_line():
    """In a process that cannot import the package, as on a machine that does not have it."""
    import subprocess
    import sys

    program = """
import sys
sys.modules["pcodec"] = sys.modules["zfpy"] = None
import tutorial_zarr as zarr
from tutorial_zarr.errors import MissingDependencyError

for name, package in [("numcodecs.pcodec", "pcodec"), ("numcodecs.zfpy", "zfpy")]:
    store = {}
    try:
        serializer = {"name": name, "configuration": {}}
        a = zarr.create_array(store, name="temp", shape=4, dtype="float64", serializer=serializer)
        a[...] = 1.0
    except MissingDependencyError as error:
        assert f"pip install {package}" in str(error), error
        assert f"{package}' needs" in str(error), error
        assert "temp" in str(error), error
    else:
        raise SystemExit(f"{name} was used without its package")
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_every_error_of_ours_is_a_zarr_error_and_a_builtin_one():
    a = zarr.array(np.arange(4))
    with pytest.raises(ZarrError, match="out of range") as caught:
        a[9]
    assert isinstance(caught.value, IndexError)
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("before", "inner", "chunks", "shards", "counts"),
    [
        ({"name": "transpose", "configuration": {"order": [1, 0]}}, [3, 2], (2, 3), (4, 6), (2, 2)),
        ({"name": "reshape", "configuration": {"shape": [[0, 1]]}}, [6], (4, 6), None, (1, 1)),
    ],
)
def test_chunks_are_told_along_the_arrays_axes_whatever_turns_the_shard_first(before, inner, chunks, shards, counts):
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    sharding = {"name": "sharding_indexed", "configuration": {"chunk_shape": inner, "codecs": [little]}}
    a = zarr.create_array({}, shape=(4, 6), chunks=(4, 6), dtype="i4", codecs=[before, sharding])
    a[...] = np.arange(24).reshape(4, 6)
    assert (a.chunks, a.shards, a.cdata_shape) == (chunks, shards, counts)
    assert a.nchunks == a.nchunks_initialized == math.prod(counts)
    np.testing.assert_array_equal(a[1:3, 2], [8, 14])


def test_a_keyword_that_creating_does_not_know_is_refused_with_the_nearest_one():
    with pytest.raises(
        TypeError, match=r"found the keyword 'compressor'; did you mean 'compressors'\? expected one of"
    ):
        zarr.create_array({}, shape=4, dtype="u2", zarr_format=2, compressor={"id": "zlib"})
    with pytest.raises(TypeError, match=r"found the keyword 'x'; expected one of") as raised:
        zarr.create_array({}, shape=4, dtype="u2", x=1)
    assert "deferred" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int31"}, r"'int31' is not a data type .*; did you mean 'int32'\? known are"),
        (
            {"dtype": "i4", "compressors": {"name": "zsdt"}},
            r"'zsdt' is not a codec .*; did you mean 'zstd'\? try the package that brings it",
        ),
        (
            {"dtype": "i4", "compressors": {"name": "qqqq"}},
            "'qqqq' is not a codec that this library knows; try the package that brings it",
        ),
        (
            {"dtype": "i4", "compressors": {"name": "gzip", "configuration": {"level": 1, "lvl": 2}}},
            "codec 'gzip': expected no keys but level; found 'lvl'",
        ),
        ({"dtype": "i4", "chunks": (2, 2)}, r"expected a length of at least 1 for each axis of the shape \(4,\)"),
    ],
)
def test_a_name_that_nobody_knows_is_told_with_what_may_have_been_meant(options, words):
    with pytest.raises(MetadataError, match=words):
        zarr.create_array({}, shape=(4,), **options)


def test_what_is_no_selection_is_told_in_the_array_s_own_words():
    a = zarr.create_array({}, shape=(8, 8), dtype="i4", dimension_names=["time", "x"])
    with pytest.raises(SelectionError, match="its elements have no fields that text could name, found 'x'"):
        a["x"]
    with pytest.raises(SelectionError, match=r"too many indices: expected at most 2, found 3; its shape is \(8, 8\)$"):
        a[1, 2, 3]
    with pytest.raises(SelectionError, match="found 'tim'; did you mean 'time'; its shape"):
        a[{"tim": 3}]


def test_bytes_by_name_is_little_endian_where_elements_have_an_order():
    assert zarr.create_array({}, shape=4, dtype="u2", codecs=["bytes"]).codecs[0].endian == "little"
    assert zarr.create_array({}, shape=4, dtype="u1", codecs=["bytes"]).codecs[0].endian is None


class Unchanged(BytesBytesCodec):
    """A codec that gives back what it gets, as one may that finds nothing to gain."""

    def encode(self, data):
        return data

    def decode(self, data, size=None):
        return data


@pytest.mark.parametrize("shards", [None, (64, 64)])
def test_chunks_that_a_codec_leaves_as_they_are_do_not_share_their_memory(shards, tmp_path):
    register("test.unchanged", Unchanged)
    codecs = [{"name": "test.unchanged"}]
    a = zarr.create_array(
        tmp_path / "a", shape=(64, 64), chunks=(16, 16), shards=shards, dtype="int32", compressors=codecs
    )
    expected = np.arange(64 * 64, dtype="int32").reshape(64, 64)
    a[...] = expected
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a")[...], expected)


@pytest.mark.parametrize("path", ["", "group/a"])
@pytest.mark.parametrize("options", [{}, {"shards": (4, 4)}, {"zarr_format": 2}, {"chunks": [[1, 4], [2, 3]]}], ids=str)
def test_a_chunk_is_known_by_its_key_and_by_its_place(path, options):
    a = zarr.create_array({}, name=path, shape=(5, 5), dtype="i4", **{"chunks": (2, 2), **options})
    a[...] = 1
    for coords in a.grid:
        assert a.chunk_coords(a.chunk_key(coords)) == coords
        region = a.chunk_region(coords)
        assert a[region].shape == a.read_chunk(coords).shape
    keys = [key for key in a.store.list_prefix() if a.chunk_coords(key) is not None]
    assert [a.chunk_coords(key) for key in keys] == list(a.stored_chunks()) == list(a.grid)
    for foreign in ("zarr.json", "elsewhere/c/0/0", f"{path}/notes.txt", "", "c"):
        assert a.chunk_coords(foreign) is None


def test_the_coordinates_in_a_key_may_lie_beyond_the_edge_but_no_chunk_there_counts_as_stored():
    a = zarr.create_array({}, shape=(4,), chunks=(2,), dtype="i4")
    a[:] = 1
    a.store.set("c/7", b"left by another program")
    assert a.chunk_coords("c/7") == (7,)
    assert list(a.stored_chunks()) == [(0,), (1,)]
    with pytest.raises(SelectionError, match="expected chunk coordinates below"):
        a.chunk_region((7,))


def test_arrays_and_groups_tell_their_label_and_share_what_a_node_is():
    root = zarr.create_group({})
    a = root.create_array("b/a", shape=(2,), dtype="i4")
    assert (a.label, root.label, root["b"].label) == (
        "array 'b/a' (Zarr 3)",
        "group at the root (Zarr 3)",
        "group 'b' (Zarr 3)",
    )
    assert a == root["b/a"]
    assert a != root["b"]
    assert root["b"] == root["b"]
    for node in (zarr.open_array(root.store, path="b/a", mode="r"), zarr.open_group(root.store, mode="r")):
        with pytest.raises(ReadOnlyError, match="was opened for reading; try mode='r\\+'"):
            node.check_writable()
        with pytest.raises(ReadOnlyError, match="cannot write its attributes"):
            node.attrs["x"] = 1


def test_a_pipeline_decodes_what_a_chunk_is_stored_as():
    a = zarr.create_array({}, data=np.arange(12).reshape(3, 4), chunks=(2, 4))
    assert a.pipeline.decode(a.encoded_chunk((0, 0))).tolist() == a[:2].tolist()
    assert [codec.name for codec in a.pipeline.codecs] == ["bytes", "zstd"]


def test_an_array_that_was_pickled_before_it_was_one_class_opens():
    a = zarr.create_array({}, data=np.arange(6), chunks=(4,), attributes={"x": 1})
    state = a.__getstate__()
    assert set(state) == {"store", "path", "read_only", "options", "metadata"}
    assert type(a).__module__ == "tutorial_zarr.array"
    found = zarr.Array.__new__(zarr.Array)
    found.__setstate__(state)
    assert (found[:].tolist(), found.attrs["x"]) == ([0, 1, 2, 3, 4, 5], 1)
