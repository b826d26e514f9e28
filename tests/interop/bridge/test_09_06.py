"""The bridge of 09_06 and of article 40: slices by name, moments of chunks, weighted means, one write of one chunk."""

import numpy as np
import pytest

import tutorial_zarr
from tutorial_zarr.stores import MemoryStore, TraceStore

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")

CUBE = np.arange(6 * 4 * 2 * 3, dtype="i8").reshape(6, 4, 2, 3)  # (segment, day, variant, stat)
NAMES = ("segment", "day", "variant", "stat")


@pytest.mark.bridge(
    '`cube[{"segment": [3, 5], "day": [1, 3]}]`: places, by the name of the axis',
    '`cube.sel(segment=["phone", "desk"])` in xarray: labels, and sums by name',
    "here: labels in a selection",
)
def test_axes_have_names_on_both_sides_and_labels_in_xarray(tmp_path):
    xarray = pytest.importorskip("xarray")
    group = tutorial_zarr.create_group(tmp_path / "a.zarr")
    ours = group.create_array("cube", data=CUBE, chunks=(6, 2, 2, 3), dimension_names=NAMES)
    by_place = ours[{"segment": [3, 5], "day": [1, 3]}]
    assert np.array_equal(by_place, CUBE[[3, 5]][:, [1, 3]])
    found = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False)["cube"]
    found = found.assign_coords(segment=["app", "mail", "feed", "phone", "map", "desk"])
    by_label = found.sel(segment=["phone", "desk"]).isel(day=[1, 3])
    assert np.array_equal(by_label.to_numpy(), by_place)
    assert np.array_equal(by_label.sum(("segment", "day")).to_numpy(), by_place.sum((0, 1)))
    assert not hasattr(ours, "sel")
    with pytest.raises((IndexError, TypeError)):
        ours[{"segment": ["phone", "desk"]}]


@pytest.mark.bridge(
    "`counted` and `compare`: moments of cells, merged by sums",
    "`dask.array.from_zarr(...).var(ddof=1)` merges moments of chunks by itself",
    "in zarr-python alone: a reduction",
)
def test_dask_merges_moments_of_chunks(tmp_path):
    da = pytest.importorskip("dask.array")
    values = np.arange(40, dtype="i8") ** 2 % 17
    tutorial_zarr.create_array(tmp_path / "a.zarr", data=values, chunks=(7,))
    theirs = da.from_zarr(str(tmp_path / "a.zarr"))
    assert theirs.numblocks == (6,)
    n, total, squares = (int((values**k).sum()) for k in range(3))
    assert float(theirs.var(ddof=1).compute()) == pytest.approx((squares - total**2 / n) / (n - 1), rel=1e-12)
    assert not {"mean", "var", "sum"} & set(dir(zarr.Array))


@pytest.mark.bridge(
    "`within(cells)`: differences, then the mean",
    "`xarray.Dataset.weighted(w).mean(...)`: the mean, once the differences are there",
    "-",
)
def test_differences_of_days_are_averaged_by_weight():
    xarray = pytest.importorskip("xarray")
    n = np.array([[9_000, 1_000], [1_000, 9_000]])
    bought = np.array([[900, 120], [50, 540]])
    differences, weights = np.diff(bought / n, axis=1)[:, 0], n.prod(1) / n.sum(1)
    days = xarray.Dataset({"lead": ("day", differences)})
    found = days.weighted(xarray.DataArray(weights, dims="day")).mean("day")["lead"]
    assert float(found) == pytest.approx(np.average(differences, weights=weights)) == pytest.approx(0.015)
    assert np.diff(bought.sum(0) / n.sum(0))[0] < 0  # all merged, B is behind


class Counted(zarr.storage.WrapperStore):
    """Notes the keys that are written."""

    written = []

    async def set(self, key, value):
        self.written.append(key)
        await super().set(key, value)


@pytest.mark.bridge(
    "`array[...] = now`: counts and number in one chunk, one write",
    "the same in zarr-python",
    "a write of several chunks that happens as one",
)
def test_one_chunk_is_one_write_and_two_chunks_are_two():
    now = np.arange(6 * 2 * 4).reshape(6, 2, 4)
    for stats, writes in ((4, 1), (3, 2)):
        trace, store = TraceStore(MemoryStore()), Counted(zarr.storage.MemoryStore())
        form = {"shape": now.shape, "chunks": (6, 2, stats), "dtype": "i8"}
        ours, theirs = tutorial_zarr.create_array(trace, **form), zarr.create_array(store, **form)
        trace.clear()
        Counted.written.clear()
        ours[...] = theirs[...] = now
        assert trace.count("PUT") == len(Counted.written) == writes
        assert np.array_equal(ours[...], theirs[...])
