"""The bridge of 01_04 and of article 04: what it takes to see a dataset, on both sides."""

import asyncio
import itertools
import shutil
import threading
import time

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.errors import ArrayNotFoundError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import TraceStore, WrapperStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


def dataset(library, place):
    """Two groups with four arrays each, in v3."""
    root = library.open_group(place, mode="w", zarr_format=3)
    for group, number in itertools.product("ab", range(4)):
        root.require_group(group).create_array(f"{group}{number}", shape=(2,), chunks=(2,), dtype="i4")
    return root


class Asked(zarr.storage.WrapperStore):
    """A store of zarr-python that notes the keys asked for, and how many requests wait at once."""

    keys: list[str] = []  # of the class, because zarr-python wraps the store again
    waiting = most = 0

    async def get(self, key, prototype, byte_range=None):
        Asked.keys.append(key)
        Asked.waiting += 1
        Asked.most = max(Asked.most, Asked.waiting)
        await asyncio.sleep(0.01)
        Asked.waiting -= 1
        return await super().get(key, prototype, byte_range)


def theirs(store, **options):
    Asked.keys.clear()
    Asked.waiting = Asked.most = 0
    return zarr.open_group(Asked(store), mode="r", **options)


@pytest.mark.bridge(
    "`open_group`, `consolidate_metadata`, `use_consolidated`", "the same names; xarray uses the copy too", "-"
)
def test_a_dataset_is_opened_by_its_copy(tmp_path):
    for library in BOTH:
        dataset(library, str(tmp_path / library.__name__))
        library.consolidate_metadata(str(tmp_path / library.__name__))
        for use, other in itertools.product((True, False), BOTH):
            root = other.open_group(str(tmp_path / library.__name__), mode="r", use_consolidated=use)
            assert sorted(root["a"].array_keys()) == ["a0", "a1", "a2", "a3"]
    xarray = pytest.importorskip("xarray")
    xarray.Dataset({"v": ("x", np.arange(3)), "w": ("x", np.arange(3))}).to_zarr(tmp_path / "x", consolidated=True)
    Asked.keys.clear()
    xarray.open_zarr(Asked(zarr.storage.LocalStore(tmp_path / "x")), chunks=None, zarr_format=3, consolidated=True)
    assert Asked.keys == ["zarr.json"]


@pytest.mark.bridge("`consolidated_differences(folder)`", "-", "all of it")
def test_a_stale_copy_is_found():
    root = dataset(tutorial_zarr, {})
    tutorial_zarr.consolidate_metadata(root.store)
    root.store.delete("a/a0/zarr.json")
    assert [difference.path for difference in tutorial_zarr.consolidated_differences(root.store)] == ["a/a0"]
    assert not [name for name in dir(zarr) if "differ" in name or "stale" in name]


@pytest.mark.bridge(
    "an array deleted behind the copy: `ArrayNotFoundError`", "an array of fill values, without an error", "the check"
)
def test_an_array_is_deleted_or_copied_behind_the_copy(tmp_path):
    for library in BOTH:
        place = tmp_path / library.__name__
        root = dataset(library, str(place))
        root["a"]["a0"][...] = 7
        library.consolidate_metadata(str(place))
        shutil.rmtree(place / "a" / "a0")
        with pytest.raises(ArrayNotFoundError, match="moved or deleted since"):
            tutorial_zarr.open_group(place, mode="r")["a"]["a0"][...]
        assert zarr.open_group(str(place), mode="r")["a"]["a0"][...].tolist() == [0, 0]
        shutil.copytree(place / "a" / "a1", place / "a" / "copied")
        for reader in BOTH:
            assert "copied" not in list(reader.open_group(str(place), mode="r")["a"].array_keys())
        with pytest.raises(KeyError):
            zarr.open_group(str(place), mode="r")["a"]["copied"]
        with pytest.warns(ZarrWarning, match="out of date"):
            assert tutorial_zarr.open_group(place, mode="r")["a"]["copied"].shape == (2,)


@pytest.mark.bridge(
    "`create_array` in a consolidated dataset", "the array is written; the copy does not know it", "a copy that follows"
)
def test_an_array_is_added_after_consolidating():
    seen = []
    for library in BOTH:
        store = dataset(library, {}).store
        library.consolidate_metadata(store)
        library.open_group(store, mode="r+")["a"].create_array("new", shape=(2,), chunks=(2,), dtype="i4")
        seen.append("new" in list(library.open_group(store, mode="r")["a"].array_keys()))
        assert "new" in list(library.open_group(store, mode="r", use_consolidated=False)["a"].array_keys())
    assert seen == [True, False]


@pytest.mark.bridge("`zarr_format=3`: 1 request to open, without it 3", "1 request, without it 4", "-")
def test_the_format_saves_requests():
    ours, store = dataset(tutorial_zarr, {}).store, dataset(zarr, {}).store
    counts = []
    for options in ({"zarr_format": 3}, {}):
        trace = TraceStore(ours)
        tutorial_zarr.open_group(trace, mode="r", **options)
        theirs(store, **options)
        counts.append((trace.count(), len(Asked.keys)))
    assert counts == [(1, 1), (3, 4)]


class Slow(WrapperStore):
    """A store of this library that answers after a while, and notes how many requests wait at once."""

    def __init__(self, store):
        super().__init__(store)
        self.lock, self.waiting, self.most = threading.Lock(), 0, 0

    def get(self, key, byte_range=None):
        with self.lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        time.sleep(0.01)
        with self.lock:
            self.waiting -= 1
        return super().get(key, byte_range)


@pytest.mark.bridge("a walk, one request after another", "all children of a group at once", "-")
def test_a_walk_waits():
    slow = Slow(dataset(tutorial_zarr, {}).store)
    root = tutorial_zarr.open_group(slow, mode="r", zarr_format=3)
    assert len([name for _, group in root.groups() for name, _ in group.arrays()]) == 8
    assert slow.most == 1
    root = theirs(dataset(zarr, {}).store, zarr_format=3)
    assert len([name for _, group in root.groups() for name, _ in group.arrays()]) == 8
    assert Asked.most == 4
    wide = zarr.open_group({}, mode="w", zarr_format=3)
    for number in range(24):
        wide.create_array(f"{number}", shape=(2,), chunks=(2,), dtype="i4")
    assert len(list(theirs(wide.store, zarr_format=3).arrays())) == 24
    assert Asked.most == 10  # its `async.concurrency`, unless it is set
