"""The bridge of 09_04 and of article 38: what stays of a value that was deleted, run on both sides."""

import json
import math
import warnings

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import CacheStore, LocalStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

BOTH = pytest.mark.parametrize("library", [tutorial_zarr, zarr])
VALUES = np.arange(32, dtype="f4").reshape(8, 4) + 0.5
HERS = VALUES[3].tobytes()


def made(library, path, **layout):
    kept = {"fill_value": math.nan, "compressors": None}
    return library.create_array(str(path), data=VALUES, **layout, **kept)


def files(path):
    return [p for p in path.rglob("*") if p.is_file() and p.name != "zarr.json"]


@pytest.mark.bridge(
    "`a[patient] = nan`: the object of a chunk of fill values is deleted",
    "the same; with `write_empty_chunks=True` it is written instead",
    "-",
)
@BOTH
def test_a_chunk_of_fill_values_is_deleted(tmp_path, library):
    a = made(library, tmp_path / "a", chunks=(1, 4))
    a[3] = math.nan
    assert len(files(tmp_path / "a")) == 7
    kept = zarr.open_array(str(tmp_path / "a"), mode="r+", config={"write_empty_chunks": True})
    kept[4] = math.nan
    assert len(files(tmp_path / "a")) == 7
    assert np.isnan(kept[4]).all()


@pytest.mark.bridge(
    "`packed[patient] = nan` writes the shard again, without her bytes",
    "the same",
    "a promise to: the format allows bytes that no entry names",
)
@BOTH
def test_a_shard_is_written_again(tmp_path, library):
    a = made(library, tmp_path / "a", chunks=(1, 4), shards=(8, 4))
    [shard] = files(tmp_path / "a")
    before = shard.read_bytes()
    a[3] = math.nan
    assert HERS in before
    assert HERS not in shard.read_bytes()
    assert len(shard.read_bytes()) == len(before) - 16
    # A shard with bytes that no entry names is as good to both: the first 16 bytes are nobody's.
    entries = np.frombuffer(before[-132:-4], "<u8").reshape(8, 2) + np.array([16, 0], "u8")
    crc = pytest.importorskip("numcodecs.checksum32").CRC32C(location="end")
    shard.write_bytes(HERS + before[:-132] + bytes(crc.encode(entries.tobytes())))
    for reader in (tutorial_zarr, zarr):
        assert np.array_equal(reader.open_array(str(tmp_path / "a"), mode="r")[...], VALUES)


@pytest.mark.bridge(
    '`root["a"].attrs[...] = ...` renews the consolidated copy of `root`; `is_stale` compares',
    "the copy keeps the old attributes until `consolidate_metadata`",
    "a warning that it is out of date",
)
@BOTH
def test_the_consolidated_copy_of_an_attribute(tmp_path, library):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        tutorial_zarr.create_group(str(tmp_path / "g"), zarr_format=3)
        made(tutorial_zarr, tmp_path / "g" / "a", chunks=(1, 4)).attrs["remark"] = "ward 3"
        tutorial_zarr.consolidate_metadata(str(tmp_path / "g"))
        del library.open_group(str(tmp_path / "g"), mode="r+")["a"].attrs["remark"]
        stale = library is zarr
        assert ("ward 3" in (tmp_path / "g" / "zarr.json").read_text()) == stale
        assert tutorial_zarr.is_stale(str(tmp_path / "g")) == stale
        told = zarr.open_group(str(tmp_path / "g"), mode="r")["a"].attrs.asdict()
        assert (told == {"remark": "ward 3"}) == stale
        zarr.consolidate_metadata(str(tmp_path / "g"))
        assert "ward 3" not in json.dumps(json.loads((tmp_path / "g" / "zarr.json").read_text()))
    assert not any("out of date" in str(w.message) or "stale" in str(w.message) for w in said)


@pytest.mark.bridge(
    "`a.resize(...)` cuts a chunk at the border: what lay beyond is gone",
    "what lay beyond the border stays in the chunk, and comes back when the array grows",
    "-",
)
@BOTH
def test_what_lay_beyond_a_border(tmp_path, library):
    a = made(library, tmp_path / "a", chunks=(2, 4))
    a.resize((3, 4))
    stays = library is zarr
    assert any(HERS in path.read_bytes() for path in files(tmp_path / "a")) == stays
    a.resize((4, 4))
    assert np.array_equal(a[3], VALUES[3]) == stays
    assert np.isnan(a[3]).all() != stays


@pytest.mark.bridge(
    "`CacheStore(...)` shows what was read until `clear()`",
    "`zarr.experimental.cache_store.CacheStore(..., max_age_seconds=n)` forgets by age",
    "here: an age",
)
def test_a_cache_shows_what_was_read(tmp_path):
    experimental = pytest.importorskip("zarr.experimental.cache_store")
    a = made(tutorial_zarr, tmp_path / "a", chunks=(1, 4))
    ours = CacheStore(LocalStore(tmp_path / "a"))
    inner = zarr.storage.LocalStore(str(tmp_path / "a"))
    theirs = experimental.CacheStore(inner, cache_store=zarr.storage.MemoryStore())
    brief = experimental.CacheStore(inner, cache_store=zarr.storage.MemoryStore(), max_age_seconds=0)
    screens = [lib.open_array(s, mode="r") for lib, s in ((tutorial_zarr, ours), (zarr, theirs), (zarr, brief))]
    for screen in screens:
        assert np.array_equal(screen[3], VALUES[3])
    a[3] = math.nan
    assert np.array_equal(screens[0][3], VALUES[3])
    assert np.array_equal(screens[1][3], VALUES[3])
    assert np.isnan(screens[2][3]).all()
    ours.clear()
    assert np.isnan(screens[0][3]).all()
    with pytest.raises(TypeError):
        CacheStore(LocalStore(tmp_path / "a"), max_age_seconds=0)
