"""The bridge of 03_02: what carries over to zarr-python and Dask of a store that faults cannot spoil."""

import asyncio
import os

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr import doctor
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import FaultStore, LocalStore, MemoryStore, RetryStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridge leads to zarr-python 3.4")
da = pytest.importorskip("dask.array")


FORM = {"shape": (8,), "chunks": (2,), "dtype": "i4"}


def failing(times):
    """A store of zarr-python's that refuses the first `times` writes of a chunk."""

    class Failing(zarr.storage.WrapperStore):
        left = times

        async def set(self, key, value):
            if "c/" in key and self.left:
                self.left -= 1
                raise ConnectionError("503")
            await super().set(key, value)

    return Failing(zarr.storage.MemoryStore())


@pytest.mark.bridge(
    "`RetryStore(store)`",
    "`obstore.store.S3Store(..., retry_config=...)` in `zarr.storage.ObjectStore`: for buckets and HTTP",
    "retries around any store: the first failing `set` ends the write",
)
def test_retries_are_around_any_store_here_and_in_obstore_there():
    patient = RetryStore(FaultStore(MemoryStore(), 0, unavailable=0.3), attempts=20, sleep=lambda seconds: None)
    ours = tutorial_zarr.create_array(patient, **FORM)
    ours[:] = 7
    assert ours[:].tolist() == [7] * 8
    assert patient.retries > 0

    theirs = zarr.create_array(failing(1), **FORM)
    with pytest.raises(ConnectionError, match="503"):
        theirs[:] = 7
    assert not [name for name in vars(zarr.storage) if "retry" in name.lower()]

    store = pytest.importorskip("obstore.store")
    bucket = store.S3Store("bucket", region="none", retry_config={"max_retries": 2})
    assert bucket.retry_config["max_retries"] == 2
    assert isinstance(zarr.storage.ObjectStore(bucket), zarr.abc.store.Store)


@pytest.mark.bridge(
    "`FaultStore(store, unavailable=0.1)`",
    "`zarr.storage.WrapperStore`: override `get` and `set`",
    "faults on purpose, drawn from a seed",
)
def test_faults_on_purpose_have_to_be_written_there():
    kinds = []
    for _ in range(2):
        network = FaultStore(MemoryStore(), 5, unavailable=0.5)
        for number in range(20):
            try:
                network.set(f"c/{number}", b"x")
            except StoreError:
                kinds.append(number)
    half = len(kinds) // 2
    assert kinds[:half] == kinds[half:] != []

    store = failing(1)
    theirs = zarr.create_array(store, **FORM)
    with pytest.raises(ConnectionError):
        theirs[0:2] = 1
    theirs[0:2] = 1
    assert theirs[:].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert not [name for name in vars(zarr.storage) if "fault" in name.lower()]


@pytest.mark.bridge("`LocalStore`: write beside, then rename", "`LocalStore`: the same", "-")
def test_a_value_is_replaced_whole_by_both(tmp_path, monkeypatch):
    def refuse(*names, **more):
        raise KeyboardInterrupt

    buffer = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes
    stores = {
        "ours": lambda value: LocalStore(tmp_path / "ours").set("c/0", value),
        "theirs": lambda value: asyncio.run(theirs.set("c/0", buffer(value))),
    }
    theirs = zarr.storage.LocalStore(tmp_path / "theirs")
    for name, put in stores.items():
        put(b"old")
        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", refuse)  # as if it were killed between the two steps
            with pytest.raises(KeyboardInterrupt):
                put(b"new")
        assert (tmp_path / name / "c" / "0").read_bytes() == b"old"


@pytest.mark.bridge(
    '`compressors="crc32c"`',
    "`compressors=zarr.codecs.Crc32cCodec()`: the same four bytes, a `ValueError` where they do not fit",
    "the key of the chunk in the error",
)
def test_the_checksum_is_the_same_four_bytes(tmp_path):
    arrays = {}
    for library, codec in ((tutorial_zarr, "crc32c"), (zarr, zarr.codecs.Crc32cCodec())):
        path = str(tmp_path / library.__name__)
        library.create_array(path, **FORM, compressors=codec)[:] = np.arange(8)
        chunk = tmp_path / library.__name__ / "c" / "1"
        arrays[library.__name__] = chunk.read_bytes()
        chunk.write_bytes(bytes([chunk.read_bytes()[0] ^ 1]) + chunk.read_bytes()[1:])
    assert arrays["zarr"] == arrays["tutorial_zarr"]
    assert len(arrays["zarr"]) == 2 * 4 + 4
    with pytest.raises(ValueError, match="c/1"):
        tutorial_zarr.open_array(tmp_path / "tutorial_zarr", mode="r")[:]
    with pytest.raises(ValueError, match="checksum do not match") as caught:
        zarr.open_array(str(tmp_path / "zarr"), mode="r")[:]
    assert "c/1" not in str(caught.value)


@pytest.mark.bridge(
    "`ingest(blocks, array)`", "`dask.array.store(blocks, array)`", "a report: the first error ends the run"
)
def test_one_bad_block_is_a_line_here_and_the_end_there():
    good, bad = np.ones(2, "i4"), None
    ours = tutorial_zarr.create_array({}, **FORM)
    report = tutorial_zarr.ingest([(0, good), (1, bad), (2, good), (3, good)], ours, executor="threads")
    assert not report.ok
    assert str(report).startswith("3 items written\n1 failed")
    assert ours[:].tolist() == [1, 1, 0, 0, 1, 1, 1, 1]

    def made(block_id=None):
        if block_id == (1,):
            raise RuntimeError("no such block")
        return good

    theirs = zarr.create_array({}, **FORM)
    da.store(da.ones(8, chunks=2, dtype="i4"), theirs, lock=False)
    assert theirs[:].tolist() == [1] * 8
    blocks = da.map_blocks(made, chunks=((2, 2, 2, 2),), dtype="i4")
    with pytest.raises(RuntimeError, match="no such block"):
        da.store(blocks, zarr.create_array({}, **FORM), lock=False, scheduler="synchronous")


@pytest.mark.bridge(
    "`doctor.examine(store)`",
    "`array[...]`, which stops at the first chunk that is damaged",
    "every damaged chunk by its key and rule",
)
def test_the_doctor_names_all_and_a_read_stops_at_one(tmp_path):
    path = tmp_path / "a"
    zarr.create_array(str(path), **FORM, compressors=zarr.codecs.Crc32cCodec())[:] = np.arange(8)
    for number in (1, 3):
        chunk = path / "c" / str(number)
        chunk.write_bytes(bytes(len(chunk.read_bytes())))
    assert {fault.key: fault.rule for fault in doctor.examine(path).faults} == {"c/1": "checksum", "c/3": "checksum"}
    with pytest.raises(ValueError, match="checksum") as caught:
        zarr.open_array(str(path), mode="r")[:]
    assert str(caught.value).count("Stored:") == 1
    assert not any("doctor" in name or "verify" in name or "check" in name for name in dir(zarr.Array))
