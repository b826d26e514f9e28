"""06_04 again, from outside: sums read by others, exponents by SciPy's curve_fit, the law from the published one.

Nothing here imports this project's library; the orders come from the generator, and are summed up by pandas.
"""

import functools

import numpy as np
import pytest

from data_gen import impact

from .readers import tensorstore, zarr_python, zarr_python_in_full

SOURCE = "notebooks/06_crypto/06_04_price_impact_curves.ipynb"
pytestmark = pytest.mark.gallery
pd = pytest.importorskip("pandas")
optimize = pytest.importorskip("scipy.optimize")
DAYS, SHAPE, UNIT = 30, (30, 4, 6, 41, 3), 1e-6


@functools.cache
def orders():
    return pd.DataFrame(impact.make().arrays)


@functools.cache
def sums():
    """Count, sum and sum of squares of each cell, by pandas."""
    frame = orders().astype("int64")
    frame["square"] = frame.impact**2
    by_cell = frame.groupby(["day", "venue", "coin", "size"])
    table = pd.concat([by_cell.size(), by_cell.impact.sum(), by_cell.square.sum()], axis=1)
    return (
        table.reindex(pd.MultiIndex.from_product([range(n) for n in SHAPE[:4]]), fill_value=0).to_numpy().reshape(SHAPE)
    )


@functools.cache
def line(venue, coin, until=DAYS):
    frame = orders()
    kept = frame[(frame.venue == venue) & (frame.coin == coin) & (frame.day < until) & (frame.impact > 0)]
    return pytest.importorskip("scipy.stats").linregress(
        np.log(impact.SHARES[kept["size"]]), np.log(kept.impact * UNIT)
    )


def exponent(cells):
    """Least squares of Y * share ** exponent, by SciPy, with the error that it states."""
    mean = cells[:, 1] / cells[:, 0] * UNIT
    spread = 0.2 / np.sqrt(cells[:, 0])
    law = lambda share, y, power: y * share**power  # noqa: E731
    found, covariance = optimize.curve_fit(law, impact.SHARES, mean, (0.8, 0.5), sigma=spread, absolute_sigma=True)
    return found[1], np.sqrt(covariance[1, 1])


def test_other_readers_find_the_sums_and_any_window_in_them(left):
    out, facts, zarr_format = left
    daily, chunks, kept = zarr_python_in_full(out / "impact.zarr", "daily")
    assert (daily.shape, chunks, kept) == (SHAPE, (1, *SHAPE[1:]), zarr_format)
    np.testing.assert_array_equal(daily, sums())
    running = tensorstore(out / "impact.zarr", "running")
    np.testing.assert_array_equal(running, zarr_python(out / "impact.zarr", "running"))
    for first, stop in ((0, 30), (3, 4), (10, 25), (7, 7)):
        np.testing.assert_array_equal(running[stop] - running[first], sums()[first:stop].sum(axis=0))
    assert facts["requests"] == {f"daily, {n}": n for n in (1, 7, 30)} | {f"running, {n}": 2 for n in (1, 7, 30)}
    assert facts["row_bytes"] == sums()[0].nbytes


def test_every_exponent_is_the_planted_one_within_its_error(left):
    facts = left[1]
    found = np.array(facts["exponents"]["means of all"])
    month = sums().sum(axis=0)
    for v, c in np.ndindex(4, 6):
        value, error = exponent(month[v, c])
        assert found[v, c] == pytest.approx(value, abs=2e-5)
        assert abs(value - (1.0 if impact.VENUES[v] == "thin" else 0.5)) < 3.5 * error
    odd = np.abs(found.mean(axis=1) - 0.5).argmax()
    assert impact.VENUES[odd] == "thin"
    honest = np.delete(found, odd, axis=0)
    assert facts["honest"] == pytest.approx({"mean": honest.mean(), "spread": honest.std()}, abs=2e-5)
    assert facts["by_venue"]["means of all"] == pytest.approx(found.mean(axis=1).tolist(), abs=2e-5)


def test_lines_through_logarithms_are_flat_on_every_venue(left):
    facts = left[1]
    flat = np.array([[line(v, c).slope for c in range(6)] for v in range(4)])
    np.testing.assert_allclose(facts["exponents"]["logs of orders"], flat, atol=2e-5)
    assert flat.max() < 0.35
    assert facts["by_venue"]["logs of orders"] == pytest.approx(flat.mean(axis=1).tolist(), abs=2e-5)
    at_small = np.exp(line(0, 0).intercept) * 0.001 ** line(0, 0).slope
    law = 0.78 * np.sqrt(0.001)  # the published form, with the prefactor of north and BTC
    assert facts["line"] == pytest.approx({"slope": line(0, 0).slope, "too_dear": at_small / law}, rel=1e-4)
    assert facts["by_the_line"] == pytest.approx(10 ** line(0, 0).slope, rel=1e-4)
    assert facts["ten_times"]["logs of orders"] == pytest.approx(10 ** flat[2].mean(), rel=1e-4)
    assert facts["ten_times"]["means of all"] == pytest.approx(10, rel=0.1)
    assert facts["ten_times_by_root"] == pytest.approx(10**0.5, abs=1e-4)


def test_more_days_do_not_mend_a_bias(left):
    for days, (by_logs, by_means) in left[1]["more_days"].items():
        assert by_logs == pytest.approx(line(0, 0, int(days)).slope, abs=2e-5)
        assert by_means == pytest.approx(exponent(sums()[: int(days), 0, 0].sum(axis=0))[0], abs=2e-5)
        assert by_logs < 0.2 < 0.4 < by_means


def test_the_orders_that_a_logarithm_drops_are_counted(left):
    facts, frame = left[1], orders()
    assert (facts["orders"], facts["days"]) == (len(frame), DAYS)
    assert facts["wrong_way_per_cent"] == pytest.approx(100 * (frame.impact <= 0).mean(), abs=1e-3)
    mine = frame[(frame.venue == 0) & (frame.coin == 0)]
    assert facts["missing_in_the_figure_per_cent"] == pytest.approx(100 * (mine.impact <= 0).mean(), abs=1e-3)
    means = pd.DataFrame((sums()[..., 1] / sums()[..., 0]).reshape(DAYS, -1))
    logs = np.log(means.where(means > 0))
    assert facts["nightly"]["missing_per_cent"] == pytest.approx(100 * logs.isna().to_numpy().mean(), abs=1e-3)
    curves = logs.mean().to_numpy().reshape(24, 41) + np.log(UNIT)
    nightly = np.array([np.polynomial.Polynomial.fit(np.log(impact.SHARES), y, 1).convert().coef[1] for y in curves])
    assert facts["nightly"]["exponents"] == pytest.approx(nightly.reshape(4, 6).mean(axis=1).tolist(), abs=2e-5)


def test_means_their_errors_and_what_float32_loses(left):
    facts, frame = left[1], orders()
    mine = frame[(frame.venue == 0) & (frame.coin == 0)]
    for (share, (mean, error, law)), size in zip(facts["curve"].items(), (0, 20, 40), strict=True):
        moved = mine[mine["size"] == size].impact * UNIT
        assert (mean, error) == pytest.approx((moved.mean(), moved.sem()), abs=2e-6)
        assert law == pytest.approx(0.78 * np.sqrt(float(share)), abs=2e-4)
    totals = sums()[..., 1].cumsum(axis=0)
    last = totals[-1].astype("float32") - totals[-2].astype("float32")
    off = np.abs(last.astype("float64") - sums()[-1, ..., 1])
    assert facts["float32"] == {
        "off_per_cent": round(100 * (off > 0).mean(), 2),
        "most": int(off.max()),
        "largest": int(np.abs(totals[-1]).max()),
    }


def test_the_facts_of_this_run_are_near_those_beside_the_notebook(left, committed):
    facts = left[1]
    assert set(facts) == set(committed)
    assert facts["exponents"]["means of all"] == committed["exponents"]["means of all"]
    exact = {"orders", "days", "requests", "row_bytes", "float32", "nightly", "wrong_way_per_cent"}
    assert {name: facts[name] for name in exact} == {name: committed[name] for name in exact}
