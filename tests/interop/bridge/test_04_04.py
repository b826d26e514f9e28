"""The bridge of 04_04 and of article 14: sums by axis, one writer for each run, and a run that is missing."""

import numpy as np
import pytest

import tutorial_zarr

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("its_own_warnings_are_not_ours")]
zarr = pytest.importorskip("zarr", "3.4", reason="the bridges lead to zarr-python 3.4")
xr = pytest.importorskip("xarray")

COUNTS = (np.arange(3 * 4 * 10 * 10) % 7).reshape(3, 4, 10, 10).astype("i4")
AXES = ("run", "page", "true", "said")


def cube(library, path):
    """Three runs of four pages, one chunk to a run, nothing written."""
    group = library.create_group(str(path))
    return group.create_array(
        "confusion", shape=COUNTS.shape, chunks=(1, 4, 10, 10), dtype="i4", fill_value=0, dimension_names=AXES
    )


@pytest.mark.bridge(
    "`confusion[run].sum(0)`: axes by number",
    '`xr.open_zarr(path).confusion[run].sum("page")`: axes by name',
    "-",
)
def test_xarray_sums_over_a_name(tmp_path):
    confusion = cube(tutorial_zarr, tmp_path / "e")
    confusion[...] = COUNTS
    theirs = xr.open_zarr(tmp_path / "e", consolidated=False, mask_and_scale=False).confusion
    assert theirs.dims == AXES
    assert np.array_equal(theirs[1].sum("page"), confusion[1].sum(0))


@pytest.mark.bridge(
    "`chunks=(1, pages, 10, 10)`: each run has one writer",
    'the same; in xarray `to_zarr(path, region={"run": slice(k, k + 1)})`',
    "-",
)
def test_each_run_is_written_by_itself(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    for library in (tutorial_zarr, zarr):
        confusion = cube(library, tmp_path / library.__name__)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda k, a=confusion: a.__setitem__(k, COUNTS[k]), range(3)))
        assert np.array_equal(confusion[...], COUNTS)
    cube(zarr, tmp_path / "regions")
    for k in range(3):
        one = xr.Dataset({"confusion": (AXES, COUNTS[k : k + 1])})
        one.to_zarr(tmp_path / "regions", region={"run": slice(k, k + 1)}, consolidated=False)
    assert np.array_equal(tutorial_zarr.open_group(tmp_path / "regions", mode="r")["confusion"][...], COUNTS)


@pytest.mark.bridge(
    "a run that is missing has 0 rows",
    "xarray's `.mean()` of rates leaves a NaN out, and numpy's is NaN",
    "how many were left out; `.count()` says it",
)
def test_a_mean_of_rates_leaves_the_missing_run_out(tmp_path):
    group = tutorial_zarr.create_group(tmp_path / "e")
    rates = group.create_array(
        "accuracy", shape=(3,), chunks=(1,), dtype="f8", fill_value=np.nan, dimension_names=["run"]
    )
    rates[0], rates[2] = 0.5, 0.7
    theirs = xr.open_zarr(tmp_path / "e", consolidated=False).accuracy
    assert float(theirs.mean()) == 0.6
    assert int(theirs.count()) == 2
    assert np.isnan(rates[...].mean())
    assert np.isnan(zarr.open_array(tmp_path / "e", path="accuracy")[...].mean())
    confusion = cube(tutorial_zarr, tmp_path / "c")
    confusion[0], confusion[2] = COUNTS[0], COUNTS[2]
    assert (confusion[...].sum((1, 2, 3)) == 0).tolist() == [False, True, False]
