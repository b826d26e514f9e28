"""The bridge of 05_01: merging chunks, growing arrays and counting requests, here and in zarr-python and Dask."""

import json
import logging

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")

DAY = np.stack([np.arange(100, 112), np.arange(12) % 5 + 1], axis=-1).astype("i8")  # (second, (price, size))


@pytest.mark.bridge(
    "`array.parallel_chunk_map(work)`, merged by `reduce`",
    "`dask.array.from_zarr(...)`: it merges the sums of `(price * size).sum() / size.sum()` by itself",
    "in zarr-python alone: a map over chunks",
)
def test_dask_merges_sums_as_reduce_does(tmp_path):
    ours = tutorial_zarr.create_array(tmp_path / "a.zarr", data=DAY, chunks=(5, 2))
    parts = ours.parallel_chunk_map(lambda coords, rows: np.array([rows.prod(axis=1).sum(), rows[:, 1].sum()]))
    paid, traded = sum(parts)
    theirs = da.from_zarr(str(tmp_path / "a.zarr"))
    assert theirs.numblocks[0] == 3
    price, size = theirs[:, 0], theirs[:, 1]
    assert paid / traded == float(((price * size).sum() / size.sum()).compute())
    assert paid / traded == np.average(DAY[:, 0], weights=DAY[:, 1])
    assert not [name for name in dir(zarr.Array) if "map" in name]


def shape_in(document):
    return json.loads(bytes(document))["shape"]


@pytest.mark.bridge(
    "`array.append(rows)`: elements first, shape last",
    "`array.append(rows)`: shape first",
    "a reader that never sees a row before its elements",
)
def test_append_writes_the_shape_last_here_and_first_there():
    form, shapes = {"shape": (0, 2), "chunks": (5, 2), "dtype": "i8"}, {}

    class Ours(MemoryStore):
        def set(self, key, value):
            if key.startswith("c/"):
                shapes["ours"] = shape_in(self.get("zarr.json"))
            super().set(key, value)

    class Theirs(zarr.storage.WrapperStore):
        async def set(self, key, value):
            if key.startswith("c/"):
                document = await self.get("zarr.json", zarr.core.buffer.default_buffer_prototype())
                shapes["theirs"] = shape_in(document.to_bytes())
            await super().set(key, value)

    for library, store in ((tutorial_zarr, Ours()), (zarr, Theirs(zarr.storage.MemoryStore()))):
        array = library.create_array(store, **form)
        array.append(DAY[:5])
        assert array.shape == (5, 2)
    assert shapes == {"ours": [0, 2], "theirs": [5, 2]}  # what a reader would have seen as the elements were written


@pytest.mark.bridge("`array.refresh()`", "`zarr.open_array(...)` once more", "an open array that learns its new shape")
def test_an_open_array_learns_its_shape_here_and_is_opened_again_there(tmp_path):
    writer = tutorial_zarr.create_array(tmp_path / "a.zarr", shape=(0, 2), chunks=(5, 2), dtype="i8")
    ours = tutorial_zarr.open_array(tmp_path / "a.zarr", mode="r")
    theirs = zarr.open_array(str(tmp_path / "a.zarr"), mode="r")
    writer.append(DAY)
    assert ours.refresh() == ours.shape == (12, 2)
    assert theirs.shape == (0, 2)
    assert not hasattr(theirs, "refresh")
    assert zarr.open_array(str(tmp_path / "a.zarr"), mode="r").shape == (12, 2)


@pytest.mark.bridge(
    "`TraceStore(store)`",
    "`zarr.storage.LoggingStore(store).counter`",
    "the bytes and the range of each request",
)
def test_requests_are_counted_by_both_and_bytes_here():
    trace = TraceStore(MemoryStore())
    ours = tutorial_zarr.create_array(trace, data=DAY, chunks=(5, 2), compressors=None)
    trace.clear()
    ours[0:6]
    assert (trace.count("GET"), trace.nbytes("GET")) == (2, 6 * 2 * 8)  # uncompressed: the asked rows of each chunk

    log = zarr.storage.LoggingStore(zarr.storage.MemoryStore(), log_handler=logging.NullHandler())
    theirs = zarr.create_array(log, data=DAY, chunks=(5, 2), compressors=None)
    log.counter.clear()
    theirs[0:6]
    assert log.counter["get"] == 2
    assert all(isinstance(count, int) for count in log.counter.values())
    assert not [name for name in dir(log) if "bytes" in name.lower()]


@pytest.mark.bridge(
    "`array.encoded_chunk(coords)`",
    "`array.nbytes_stored()`: all chunks and the metadata, in one sum",
    "the stored bytes of one chunk",
)
def test_stored_bytes_are_one_chunks_here_and_a_sum_there(tmp_path):
    tutorial_zarr.create_array(tmp_path / "a.zarr", data=DAY, chunks=(5, 2))
    ours = tutorial_zarr.open_array(tmp_path / "a.zarr", mode="r")
    theirs = zarr.open_array(str(tmp_path / "a.zarr"), mode="r")
    chunks = [len(ours.encoded_chunk((i, 0))) for i in range(3)]
    assert chunks == [(tmp_path / "a.zarr" / "c" / str(i) / "0").stat().st_size for i in range(3)]
    assert theirs.nbytes_stored() == sum(chunks) + (tmp_path / "a.zarr" / "zarr.json").stat().st_size
    assert not hasattr(theirs, "encoded_chunk")


@pytest.mark.bridge("`create_array(data=..., chunks=..., attributes=...)`", "the same names", "-")
def test_an_array_is_made_by_the_same_names(tmp_path):
    for library in (tutorial_zarr, zarr):
        path = str(tmp_path / library.__name__)
        library.create_array(path, data=DAY, chunks=(5, 2), attributes={"price": "cents"})
        found = (zarr if library is tutorial_zarr else tutorial_zarr).open_array(path, mode="r")
        assert np.array_equal(found[...], DAY)
        assert (found.chunks, dict(found.attrs)) == ((5, 2), {"price": "cents"})
