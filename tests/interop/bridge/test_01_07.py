"""The bridge of 01_07: growing an array, here and elsewhere, each row run on both sides."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.stores.wrappers import AroundStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the rows are about zarr-python 3.4")
BOTH = [tutorial_zarr, zarr]


class Cut(AroundStore):
    """Lets a number of writes through."""

    def __init__(self, store, writes):
        super().__init__(store)
        self.writes = writes

    def around(self, request, call, value=None):
        if request.verb == "PUT" and self.writes == 0:
            raise OSError("power cut")
        self.writes -= request.verb == "PUT"
        return call()


class TheirCut(zarr.storage.WrapperStore):
    """The same for zarr-python; `left` is a list, so that copies of the store share it."""

    left, written = [], []

    async def set(self, key, *args, **kwargs):
        if not self.left:
            raise OSError("power cut")
        self.left.pop()
        self.written.append(key)
        return await super().set(key, *args, **kwargs)


def three_days(library, store):
    a = library.create_array(store, shape=(12,), chunks=(4,), dtype="f4", compressors=None)
    a[...] = 5
    return a


@pytest.mark.bridge(
    "`append(data, axis=0)` writes elements first, shape last",
    "the same name; it writes the shape first, and until the elements are there a reader sees the fill value",
    "old or new, and nothing in between",
)
def test_an_append_that_is_cut_off():
    day, seen = np.full(4, 6, "f4"), []
    for writes in range(10):
        store = MemoryStore()
        three_days(tutorial_zarr, store)
        try:
            tutorial_zarr.open_array(Cut(store, writes), mode="r+").append(day)
        except OSError:
            pass
        seen.append(tutorial_zarr.open_array(store, mode="r")[...].tolist())
    assert {tuple(values) for values in seen} == {(5.0,) * 12, (5.0,) * 12 + (6.0,) * 4}

    theirs = three_days(zarr, zarr.storage.MemoryStore()).store
    TheirCut.left[:], TheirCut.written[:] = [None], []
    with pytest.raises(OSError, match="power cut"):
        zarr.open_array(TheirCut(theirs), mode="r+").append(day)
    assert TheirCut.written == ["zarr.json"]
    assert zarr.open_array(theirs, mode="r")[:].tolist() == [5] * 12 + [0] * 4
    lengths = {library.create_array({}, shape=(1,), chunks=(4,), dtype="f4").append(day) for library in BOTH}
    assert lengths == {(5,)}


@pytest.mark.bridge(
    "`resize(5)` and then `resize(20)`: what was cut off is gone",
    "the same name; from the chunk at the edge old elements come back",
    "-",
)
def test_what_was_cut_off():
    grown = []
    for library in BOTH:
        a = library.create_array({}, shape=(20,), chunks=(10,), dtype="i4", fill_value=0)
        a[...] = 7
        a.resize((5,))
        a.resize((20,))
        grown.append(a[...].tolist())
    assert grown == [[7] * 5 + [0] * 15, [7] * 10 + [0] * 10]


@pytest.mark.bridge(
    "`AppendBuffer(a, journal=...)`",
    'xarray\'s `to_zarr(append_dim="time")` appends each block as it comes',
    "whole chunks only, and a journal",
)
def test_blocks_that_do_not_fit(tmp_path):
    xarray = pytest.importorskip("xarray")
    trace = TraceStore(tutorial_zarr.create_array({}, shape=(0,), chunks=(8,), dtype="i4", fill_value=-1).store)
    with tutorial_zarr.AppendBuffer(tutorial_zarr.open_array(trace, mode="r+"), journal=tmp_path / "journal") as buffer:
        for start in range(0, 24, 3):
            buffer.append(np.arange(start, start + 3))
    assert sum(r.verb == "PUT" and r.key.startswith("c/") for r in trace.requests) == 3

    values = xarray.Dataset({"v": ("time", np.arange(1, 25))})
    place = zarr.storage.MemoryStore()
    TheirCut.left[:], TheirCut.written[:] = [None] * 1000, []
    store = TheirCut(place)
    values.isel(time=slice(0, 3)).to_zarr(store, encoding={"v": {"chunks": (8,)}}, consolidated=False)
    for start in range(3, 24, 3):
        values.isel(time=slice(start, start + 3)).to_zarr(store, append_dim="time", consolidated=False)
    assert TheirCut.written.count("v/c/0") == TheirCut.written.count("v/c/2") == 3
    assert TheirCut.written.count("v/c/1") == 4
    np.testing.assert_array_equal(zarr.open_array(place, path="v", mode="r")[:], np.arange(1, 25))


@pytest.mark.bridge("`a.write_unit`", "`a.shards or a.chunks`", "-")
def test_what_is_written_at_once():
    for shards in (None, (8,)):
        options = {"shape": (16,), "chunks": (4,), "shards": shards, "dtype": "i4"}
        ours, theirs = (library.create_array({}, **options) for library in BOTH)
        assert ours.write_unit == (theirs.shards or theirs.chunks) == (shards or (4,))


@pytest.mark.bridge(
    '`to_zarr(..., append_dim="time")` refuses times that the stored unit cannot hold',
    "the same name in xarray; it warns, and stores other times",
    "an error before anything is written",
)
def test_times_that_do_not_fit_into_the_unit(tmp_path):
    xarray = pytest.importorskip("xarray")
    from tutorial_zarr.integrations.xarray_backend import to_zarr

    times = np.datetime64("2000-01-01T00:35", "ns") + np.arange(4) * np.timedelta64(6, "h")
    values = xarray.Dataset({"v": ("time", np.arange(4.0))}, {"time": times})
    first, rest = values.isel(time=[0]), values.isel(time=slice(1, None))

    first.to_zarr(tmp_path / "theirs", consolidated=False)
    with pytest.warns(UserWarning, match="can't be serialized faithfully"):
        rest.to_zarr(tmp_path / "theirs", append_dim="time", consolidated=False)
    found = xarray.open_zarr(tmp_path / "theirs", consolidated=False)["time"].to_numpy()
    assert (found == times).tolist() == [True, False, False, False]

    first.to_zarr(tmp_path / "ours", consolidated=False)
    before = {path: path.read_bytes() for path in (tmp_path / "ours").rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="days since"):
        to_zarr(rest, tmp_path / "ours", append_dim="time")
    assert before == {path: path.read_bytes() for path in (tmp_path / "ours").rglob("*") if path.is_file()}
