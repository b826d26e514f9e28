"""The bridge of 01_01 and of article 01: what carries over to zarr-python and Dask, run on both sides."""

import asyncio
import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


def corner(library, store, **options):
    """An array of 3 x 3 chunks, of which one is stored."""
    a = library.create_array(store, shape=(6, 6), chunks=(2, 2), dtype="i4", fill_value=-1, **options)
    a[:2, :2] = 7
    return a


@pytest.mark.bridge("`create_array`, `open_array`, `a[...]`, `nchunks_initialized`", "the same names", "-")
@pytest.mark.parametrize("library", BOTH)
def test_the_first_array_has_the_same_names(tmp_path, library):
    corner(library, str(tmp_path / "a"))
    a = library.open_array(str(tmp_path / "a"), mode="r")
    assert a.nchunks_initialized == 1
    assert a[1, 1:4].tolist() == [7, -1, -1]


@pytest.mark.bridge('`missing="error"`', '`config={"read_missing_chunks": False}` raises `ChunkNotFoundError`', "-")
def test_a_missing_chunk_can_be_an_error():
    store = corner(zarr, {}).store
    with pytest.raises(zarr.errors.ChunkNotFoundError, match="c/0/1"):
        zarr.open_array(store, mode="r", config={"read_missing_chunks": False})[0]
    with zarr.config.set({"array.read_missing_chunks": False}), pytest.raises(zarr.errors.ChunkNotFoundError):
        zarr.open_array(store, mode="r")[0]
    with pytest.raises(KeyError, match="c/0/1"):
        tutorial_zarr.open_array(corner(tutorial_zarr, {}).store, mode="r", missing="error")[0]


@pytest.mark.bridge("`write_empty_chunks=True`", '`config={"write_empty_chunks": True}`', "-")
def test_chunks_of_nothing_but_the_fill_value_can_be_written():
    empty = np.full((4,), 0, "i4")
    options = {"data": empty, "chunks": (2,)}
    ours, theirs = {"write_empty_chunks": True}, {"config": {"write_empty_chunks": True}}
    assert tutorial_zarr.create_array({}, **options, **ours).nchunks_initialized == 2
    assert zarr.create_array({}, **options, **theirs).nchunks_initialized == 2
    assert [library.create_array({}, **options).nchunks_initialized for library in BOTH] == [0, 0]


def logged(a):
    """The array behind a `LoggingStore`, and its counter of calls."""
    store = zarr.storage.LoggingStore(a.store, log_handler=logging.NullHandler())
    behind = zarr.open_array(store, mode="r", zarr_format=3)
    behind.store.counter.clear()
    return behind, behind.store.counter


@pytest.mark.bridge(
    "`a.chunk_stream()`",
    "`a.blocks[i, j]` in a loop, or `dask.array.from_zarr(a)`",
    "a stream of the stored chunks only",
)
def test_chunks_come_one_at_a_time():
    dask_array = pytest.importorskip("dask.array")
    assert [at for at, _ in corner(tutorial_zarr, {}).chunk_stream()] == [(0, 0)]
    a, calls = logged(corner(zarr, {}))
    assert a.blocks[0, 0].tolist() == [[7, 7], [7, 7]]
    assert calls["get"] == 1
    blocks = dask_array.from_zarr(a)
    calls.clear()
    assert blocks.numblocks == (3, 3)
    assert blocks.blocks[0, 0].compute(scheduler="sync").tolist() == [[7, 7], [7, 7]]
    assert calls["get"] == 1
    calls.clear()
    blocks.sum().compute(scheduler="sync")
    assert calls["get"] == 9, "Dask asks for the absent ones as well"


@pytest.mark.bridge(
    "`TraceStore(store)`", "`zarr.storage.LoggingStore(store)` logs and counts calls", "the bytes of each answer"
)
def test_requests_are_counted():
    trace = TraceStore(corner(tutorial_zarr, {}).store)
    ours = tutorial_zarr.open_array(trace, mode="r", zarr_format=3)
    trace.clear()
    theirs, calls = logged(corner(zarr, {}))
    assert ours[0].tolist() == theirs[0].tolist()
    assert trace.count("GET") == calls["get"] == 3
    assert trace.nbytes("GET") == ours.store.get_size("c/0/0")
    assert set(calls) == {"get"}
    assert not hasattr(theirs.store, "nbytes")


@pytest.mark.bridge(
    "`zarr.copy(a, folder)`",
    "`zarr.from_array(folder, data=a)` decodes and encodes",
    "a copy of the stored bytes",
)
def test_an_array_is_copied(tmp_path):
    for library in BOTH:
        corner(library, str(tmp_path / library.__name__))
        (tmp_path / library.__name__ / "c" / "0" / "0").write_bytes(b"damaged")
    a, b = (library.open_array(str(tmp_path / library.__name__), mode="r") for library in BOTH)
    tutorial_zarr.copy(a, tmp_path / "copy", name="a")
    assert (tmp_path / "copy" / "a" / "c" / "0" / "0").read_bytes() == b"damaged"
    with pytest.raises(RuntimeError, match="Zstd"):
        zarr.from_array(str(tmp_path / "from"), data=b)
    with pytest.raises(NotImplementedError):
        zarr.copy(b, {})


@pytest.mark.bridge("`a.encoded_chunk((1, 0))`", "`await a.store.get(key, prototype)`", "a call without `await`")
def test_a_stored_chunk_is_handed_out_as_it_is():
    a = corner(tutorial_zarr, {})
    assert a.encoded_chunk((0, 0)) == a.store.get("c/0/0")
    b = corner(zarr, {})
    key, prototype = b.metadata.encode_chunk_key((0, 0)), zarr.core.buffer.default_buffer_prototype()
    stored = asyncio.run(b.store.get(key, prototype)).to_bytes()
    assert stored.startswith(b"\x28\xb5\x2f\xfd"), "zstd, by default"
    assert not hasattr(b, "encoded_chunk")
