"""05_03 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The factors come from the vendored table; pairs are sorted columns, the backtest is done with pandas, likelihood ratios
with SciPy, requests by arithmetic; zarr-python and TensorStore read the stores. Nothing here imports this project.
"""

from math import ceil
from pathlib import Path

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_03_risk_grids.ipynb"
pytestmark = pytest.mark.gallery

MONTHS, PORTFOLIOS, WORST = 1109, 200, 12


@pytest.fixture(scope="module")
def factors():
    """Hundredths of a percent: market, size, value."""
    table = np.load(Path(__file__).parents[2] / "data_gen" / "vendor" / "factors.npz")["hundredths"]
    return table[:, :3].astype("i8")


def exposures():
    """Hundredths, by Box and Muller from the raw bits, portfolio by portfolio."""
    bits = np.random.PCG64(0).random_raw(2 * PORTFOLIOS * 3) / 2.0**64
    one, other = bits[: PORTFOLIOS * 3], bits[PORTFOLIOS * 3 :]
    normal = (np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * other)).reshape(PORTFOLIOS, 3).T
    return np.rint(100 * np.round([[1.0], [0], [0]] + normal * [[0.25], [0.5], [0.5]], 2)).astype("i8")


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_exposure_times_factor(left, factors, read):
    out, facts, zarr_format = left
    held = exposures()
    for name, wanted in (("by_scenario", (1, 3, 200)), ("by_portfolio", (1109, 3, 8))):
        cube, chunks, kept = read(out / f"{name}.zarr")
        assert (cube.shape, chunks, kept) == ((MONTHS, 3, PORTFOLIOS), wanted, zarr_format)
        for factor in range(3):
            assert np.array_equal(cube[:, factor], np.outer(factors[:, factor], held[factor]))
    assert facts["nbytes"] == cube.nbytes == 4 * MONTHS * 3 * PORTFOLIOS


def twelfth_worst(pnl):
    return -np.sort(pnl, axis=0)[WORST - 1]


def test_pairs_that_are_riskier_together(committed, factors):
    pnl = factors @ exposures()
    alone, riskier, equal, most = twelfth_worst(pnl), 0, 0, (0, None)
    for i in range(PORTFOLIOS - 1):
        pair = twelfth_worst(pnl[:, [i]] + pnl[:, i + 1 :])
        both = alone[i] + alone[i + 1 :]
        riskier, equal = riskier + int((pair > both).sum()), equal + int((pair == both).sum())
        j = int((pair / both).argmax())
        most = max(most, (pair[j] / both[j], (i, i + 1 + j)))
    assert (committed["riskier"], committed["equal"]) == (riskier, equal)
    assert committed["pairs"] == PORTFOLIOS * (PORTFOLIOS - 1) // 2
    assert committed["most_percent"] == pytest.approx(100 * (most[0] - 1))
    assert tuple(committed["pair"]) == most[1]
    a, b = most[1]
    assert committed["pair_vars"] == [alone[a], alone[b], twelfth_worst(pnl[:, a] + pnl[:, b])]
    months = np.load(Path(__file__).parents[2] / "data_gen" / "vendor" / "factors.npz")["month"]
    for month, pnl_of in zip(committed["bad_months"], (pnl[:, a], pnl[:, b], pnl[:, a] + pnl[:, b]), strict=True):
        assert (pnl_of < pnl_of[months.tolist().index(month)]).sum() == WORST - 1
    assert committed["beyond"] == (pnl[:, a] + pnl[:, b] < -alone[a] - alone[b]).sum() >= WORST
    assert committed["book"] == twelfth_worst(pnl.sum(axis=1))
    assert committed["book_dollars"] == pytest.approx([committed["book"] / 1e4, alone.sum() / 1e4])
    assert committed["shortfall_above"] == 0


def test_the_market_and_its_backtest(committed, factors):
    pandas, stats = pytest.importorskip("pandas"), pytest.importorskip("scipy.stats")
    market = pandas.Series(factors[:, 0] / 100)
    assert committed["worst"] == ceil(MONTHS / 100)
    assert committed["var_market"] == pytest.approx(-market.nsmallest(12).iloc[-1]) == pytest.approx(13.61)
    assert committed["worst_months"] == market.nsmallest(3).tolist() == [-29.13, -23.82, -23.24]
    limit = market.rolling(120).quantile(0.05).shift(1)
    breach = (market < limit)[120:].to_numpy()
    n, k = len(breach), int(breach.sum())
    assert (committed["tests"], committed["breaches"]) == (n, k) == (989, 53)
    binomial = stats.binom.logpmf
    ratio = 2 * (binomial(k, n, k / n) - binomial(k, n, 0.05))
    assert committed["kupiec"] == pytest.approx(stats.chi2.sf(ratio, 1)) == pytest.approx(0.61, abs=0.005)
    table = pandas.crosstab(breach[:-1], breach[1:]).to_numpy()
    assert committed["after"][:2] == [table[1, 1], table[1].sum()]
    assert committed["calm"][:2] == [table[0, 1], table[0].sum()]
    likelihood = stats.contingency.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert committed["independent"] == pytest.approx(likelihood.pvalue)


def test_requests_are_arithmetic(committed):
    chunks = ceil(PORTFOLIOS / 8)
    assert committed["night"] == {"reads": 0, "writes": MONTHS}
    assert committed["one_portfolio"] == [MONTHS, 1]
    assert committed["copy"] == {"reads": MONTHS, "writes": chunks}
    assert committed["paid_after"] == next(n for n in range(9) if MONTHS + chunks + n < n * MONTHS)
    assert committed["direct"] == {"reads": chunks, "writes": chunks}
    assert committed["direct_in_all"] == MONTHS * 2 * chunks
    assert committed["copy_in_all"] == 2 * MONTHS + chunks
    assert committed["hundred"] == [101 * MONTHS, 2 * MONTHS + chunks + 100, MONTHS * 2 * chunks + 100]
