"""The quick ways of `chunk_io` do what the plain way does, on every kind of grid and codec, for every selection.

`chunk_io.plain` reads and writes chunk by chunk, and shares only what cannot be quicker. So it is the oracle here; that
it is right itself is held to NumPy.
"""

import itertools

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import chunk_io, indexing
from tutorial_zarr.chunk_io import plain
from tutorial_zarr.stores import MemoryStore

SHAPE = (5, 7)
RECORD = np.dtype([("a", "<i2"), ("b", "<f4")])
SLICES = [slice(None), slice(1, 4), slice(None, None, 2), slice(4, 0, -3), slice(2, 2)]
AXES = [*SLICES, 0, 3, [0, 4, 2], [1, 1]]
ONE_BY_ONE = [([0, 4, 2, 0], [6, 0, 3, 6]), ([[0, 1], [4, 3]], [[6, 5], [0, 0]])]
MASK = np.arange(35).reshape(SHAPE) % 3 == 0


def shards(chunk_shape, *codecs):
    return {"name": "sharding_indexed", "configuration": {"chunk_shape": chunk_shape, "codecs": [*codecs]}}


LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}
NESTED = [shards([2, 2], shards([1, 2], LITTLE, {"name": "zstd"}))]
LAYOUTS = {
    "raw": {"chunks": (2, 3), "compressors": None},
    "zstd": {"chunks": (2, 3)},
    "large raw": {"chunks": (5, 4), "compressors": None},
    "one chunk": {"chunks": (5, 7)},
    "uneven": {"chunks": [[1, 4], [2, 2, 3]]},
    "transposed": {"chunks": (2, 3), "order": "F"},
    "sharded": {"chunks": (1, 3), "shards": (2, 6)},
    "uneven shards": {"chunks": (1, 1), "shards": [[1, 4], [2, 5]]},
    "nested shards": {"chunks": (4, 4), "codecs": NESTED},
    "checksum over shards": {"chunks": (4, 4), "codecs": [*NESTED, "crc32c"]},
    "v2": {"chunks": (2, 3), "zarr_format": 2},
}


def selections(io):
    shape = io.shape
    for key in itertools.product(SLICES, [*SLICES, 0, 3]):
        yield key, indexing.basic(key, shape)
    for key in itertools.product(AXES, AXES):
        yield key, indexing.orthogonal(key, shape)
    for key in ONE_BY_ONE:
        yield key, indexing.coordinates(key, shape)
        yield (key[0], slice(1, 6, 2)), indexing.parse((key[0], slice(1, 6, 2)), shape)
        yield (slice(3, 0, -1), key[1]), indexing.parse((slice(3, 0, -1), key[1]), shape)
    yield "mask", indexing.mask(MASK, shape)
    yield (0, 0), indexing.blocks((0, 0), io.grid)
    yield (slice(1, None), -1), indexing.blocks((slice(1, None), -1), io.grid)


def made(layout, dtype, store):
    if dtype is str:  # what has no fixed size has another serializer
        layout = eval(repr(layout).replace(repr(LITTLE), "{'name': 'vlen-utf8'}"))
    fill = np.zeros((), RECORD) if dtype is RECORD else "9" if dtype is str else 9
    array = zarr.create_array(store, shape=SHAPE, dtype=dtype, fill_value=fill, **layout)
    whole = np.arange(1, 36).reshape(SHAPE)
    values = np.zeros(SHAPE, RECORD) if dtype is RECORD else whole.astype(array.dtype)
    if dtype is RECORD:
        values["a"], values["b"] = whole, whole / 4
    array[:4, :6] = values[:4, :6]  # some chunks are absent, some in part
    return array


@pytest.fixture(params=["memory", "folder", "bucket"])
def store(request, tmp_path):
    """Stores that are read into a buffer, that are not, and that threads read."""
    if request.param == "folder":
        return tmp_path / "a"
    memory = MemoryStore()
    if request.param == "bucket":
        memory.concurrency, memory.request_cost = 4, 8
    return memory


@pytest.mark.parametrize("dtype", ["i2", str])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_selection_is_read_as_the_plain_way_reads_it(layout, dtype, store):
    array = made(layout, dtype, store)
    io = array.io
    for key, selection in selections(io):
        quick, slow = (np.full(selection.shape, 8).astype(io.data_type.numpy) for _ in range(2))
        chunk_io.read(io, selection, quick)
        plain.read(io, selection, slow)
        assert quick.tolist() == slow.tolist(), key


@pytest.mark.parametrize("dtype", ["i2", str])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_selection_is_written_as_the_plain_way_writes_it(layout, dtype):
    quick, slow = made(layout, dtype, {}), made(layout, dtype, {})
    for number, (key, selection) in enumerate(selections(quick.io)):
        value = (np.arange(np.prod(selection.shape, dtype=int)) + 100 * number % 3000).reshape(selection.shape)
        if number % 5 == 4:  # so that chunks go, and come back
            value = np.full(selection.shape, 9)
        value = value.astype(quick.dtype)
        chunk_io.write(quick.io, selection, value)
        plain.write(slow.io, selection, value)
        if number % 3 == 0:
            assert quick[...].tolist() == slow[...].tolist(), key
        assert set(quick.store.list_prefix()) == set(slow.store.list_prefix()), key


@pytest.mark.parametrize("fields", [["a"], ["b"], ["a", "b"]])
@pytest.mark.parametrize("layout", [LAYOUTS["zstd"], LAYOUTS["uneven"], LAYOUTS["sharded"]], ids=str)
def test_fields_are_written_as_the_plain_way_writes_them(layout, fields):
    quick, slow = made(layout, RECORD, {}), made(layout, RECORD, {})
    for _, selection in selections(quick.io):
        value = np.zeros(selection.shape, [(name, RECORD[name]) for name in fields])
        for name in fields:
            value[name] = np.arange(value.size).reshape(value.shape) + 7
        chunk_io.write(quick.io, selection, value, fields)
        plain.write(slow.io, selection, value, fields)
    assert quick[...].tolist() == slow[...].tolist()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_plain_way_is_right(layout):
    array, mirror = made(layout, "i4", {}), np.full(SHAPE, 9)
    io = array.io
    plain.write(io, indexing.basic(..., SHAPE), mirror.astype("i4"))
    for number, (key, mine) in enumerate(itertools.product(SLICES, SLICES)):
        selection = indexing.basic((key, mine), SHAPE)
        value = np.arange(np.prod(selection.shape, dtype=int)).reshape(selection.final_shape) + 10 * number
        mirror[key, mine] = value
        plain.write(io, selection, selection.from_final(value.astype("i4")))
        out = np.empty(selection.shape, "i4")
        plain.read(io, selection, out)
        assert selection.to_final(out).tolist() == mirror[key, mine].tolist()
    for rows, columns in ONE_BY_ONE:
        selection = indexing.coordinates((rows, columns), SHAPE)
        out = np.empty(selection.shape, "i4")
        plain.read(io, selection, out)
        assert selection.to_final(out).tolist() == mirror[rows, columns].tolist()
