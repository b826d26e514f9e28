"""09_02 again, from outside: the stores read by others, counts by pandas and bincount, distributions by SciPy.

Nothing here imports this project's library.
"""

import numpy as np
import pytest

from data_gen import wafers

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_02_wafer_inspection.ipynb"
pytestmark = pytest.mark.gallery


@pytest.fixture(scope="module")
def data():
    return wafers.make("small")


@pytest.fixture(scope="module")
def dies(data):
    """A row for each tested die."""
    pd = pytest.importorskip("pandas")
    lot, wafer, y, x = np.nonzero(data.arrays["maps"])
    codes = data.arrays["maps"][lot, wafer, y, x]
    return pd.DataFrame({"lot": lot, "wafer": wafer, "y": y, "x": x, "failed": codes == 2})


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_maps(left, data, read):
    out, _, zarr_format = left
    values, chunks, found = read(out / "maps.zarr")
    assert (chunks, found) == ((1, 25, 52, 52), zarr_format)
    np.testing.assert_array_equal(values, data.arrays["maps"])


def test_dies_and_fails_are_counted(committed, data, dies):
    assert committed["dies"] == len(dies)
    assert committed["fails"] == dies.failed.sum()
    assert committed["dies_of_a_wafer"] == len(dies[(dies.lot == 0) & (dies.wafer == 0)])
    assert committed["labelled"] == 172_950
    assert committed["since"] == data.truth["since lot"] == committed["lots"] // 2
    assert committed["one_of"] == 50 * 16 == committed["one_more_of"] * committed["shot"] ** 2
    assert committed["added"] == pytest.approx(2032 / 16 * data.truth["chance"], abs=0.06)
    assert committed["wafers"] == data.arrays["maps"].shape[1]
    assert committed["places"] == {"4": 16, "2": 4, "13": 169}


def test_the_change_and_its_two_errors(committed, data, dies):
    known = dies[dies.lot != data.truth["hardly inspected"]]
    new = known.lot >= committed["since"]
    groups = [known[~new], known[new]]
    shares = [1 - group.failed.mean() for group in groups]
    assert committed["passed_percent"] == pytest.approx([100 * x for x in shares], abs=0.006)
    change = shares[1] - shares[0]
    assert committed["change_points"] == pytest.approx(100 * change, abs=0.006)
    assert change > 0  # although the mask has a flaw
    by_dies = sum(group.failed.sum() / len(group) ** 2 for group in groups) ** 0.5
    rates = [group.groupby(["lot", "wafer"]).failed.mean() for group in groups]
    by_wafers = sum(rate.sem() ** 2 for rate in rates) ** 0.5
    for name, error in (("dies", by_dies), ("wafers", by_wafers)):
        assert committed["errors"][name] == pytest.approx(change / error, abs=0.06)
        assert committed["error_points"][name] == pytest.approx(100 * error, abs=0.0006)
    assert committed["errors"]["wafers"] < 1 < 4 < committed["errors"]["dies"]


def test_counts_of_a_wafer_by_scipys_distributions(committed, data, dies):
    stats = pytest.importorskip("scipy.stats")
    known = dies[dies.lot != data.truth["hardly inspected"]]
    counts = known.groupby(["lot", "wafer"]).failed.sum()
    mean, variance = counts.mean(), counts.var()
    shape = mean**2 / (variance - mean)
    assert committed["fails_of_a_wafer"] == round(mean)
    assert committed["variance_by_mean"] == round(variance / mean)
    assert committed["shape"] == pytest.approx(shape, abs=1e-4)
    negative = stats.nbinom(shape, shape / (shape + mean)).cdf(59)
    assert committed["few_percent"] == [round(100 * (counts < committed["few"]).mean()), round(100 * negative)]
    assert committed["few_by_poisson"] == pytest.approx(stats.poisson(mean).cdf(59), rel=0.05)


def test_the_planted_place_is_found_in_the_lots_that_have_it(committed, data, dies):
    y, x = data.truth["position"]
    assert committed["place"] == 4 * y + x
    by_place = dies.assign(place=dies.y % 4 * 4 + dies.x % 4).groupby(["lot", "place"]).failed.mean().unstack()
    worst, since = by_place.idxmax(axis=1), committed["since"]
    assert committed["hits"] == [(worst[:since] == 4 * y + x).sum(), (worst[since:] == 4 * y + x).sum()]
    assert committed["hits"][1] == 10
    new = by_place[since:].mean()
    assert committed["place_percent"] == pytest.approx(100 * new.max(), abs=0.06)
    assert committed["other_percent"] == pytest.approx(100 * new.drop(4 * y + x).mean(), abs=0.06)


def test_folds_of_other_sizes(committed, dies):
    known = dies[dies.lot >= committed["since"]]
    for size, found in committed["by_size"].items():
        rates = known.groupby([known.y % int(size), known.x % int(size)]).failed.mean()
        assert found == pytest.approx(rates.max() / rates.mean(), abs=0.006)


def test_the_worst_lot_becomes_the_best_with_one_bit(committed, data, dies):
    share = 1 - dies.groupby("lot").failed.mean()
    simple = 1 - dies.groupby("lot").failed.sum() / (25 * committed["dies_of_a_wafer"])
    hardly = data.truth["hardly inspected"]
    assert committed["hardly"] == hardly == share.idxmin() == simple.idxmax()
    assert committed["hardly_percent"] == pytest.approx([100 * share[hardly], 100 * simple[hardly]], abs=0.06)
    assert committed["best_percent"] == pytest.approx(100 * share.max(), abs=0.06)


def test_sizes_are_those_of_the_files(left):
    out, facts, _ = left
    names = [p for p in (out / "maps.zarr").rglob("*") if p.is_file() and p.name not in ("zarr.json", ".zarray")]
    stored = sum(p.stat().st_size for p in names if p.name != ".zattrs")
    positions = 20 * 25 * 52 * 52
    assert facts["sizes"]["a byte a die"] == positions
    assert facts["sizes"]["two bits a die"] == positions // 4
    assert stored <= facts["sizes"]["a byte, compressed"] <= stored + 2_000  # with its metadata or without
    for name, bits in facts["bits"].items():
        assert bits == pytest.approx(8 * facts["sizes"][name] / positions, abs=0.006)
