"""09_06 again, from outside: the counts read by others, and tests by SciPy and pandas on visitors, one by one.

Nothing here imports this project's library.
"""

import math

import numpy as np
import pytest

from data_gen import experiments, vendor

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_06_ab_experiments.ipynb"
pytestmark = pytest.mark.gallery

SEGMENTS, DAYS = 40, 28


@pytest.fixture(scope="module")
def people():
    """The visitors of `ramp`, a row each."""
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(experiments.visitors("ramp", SEGMENTS, 0))


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_what_pandas_counts(left, people, read):
    out, facts, zarr_format = left
    cube, chunks, kept = read(out / "ramp.zarr")
    assert (cube.shape, chunks, kept) == ((2, SEGMENTS, DAYS, 2, 3), (1, SEGMENTS, 7, 2, 3), zarr_format)
    assert (facts["cube_bytes"], facts["requests"]) == (cube.nbytes, DAYS // 7)
    for metric, name in enumerate(("bought", "cents")):
        values = people.assign(square=people[name] ** 2).groupby(["segment", "day", "variant"])
        table = values.agg(n=(name, "size"), total=(name, "sum"), squares=("square", "sum"))
        found = np.zeros((SEGMENTS, DAYS, 2, 3), "i8")
        found[tuple(np.array(table.index.to_list()).T)] = table.to_numpy()
        np.testing.assert_array_equal(cube[metric], found)


def test_days_and_segments_disagree(committed, people):
    assert committed["visitors"] == len(people)
    by_day, by_segment = (people.groupby([by, "variant"])["bought"].mean().unstack() for by in ("day", "segment"))
    assert committed["days_won"] == int((by_day[1] > by_day[0]).sum())
    assert committed["segments_won"] == int((by_segment[1] > by_segment[0]).sum()) == 0
    assert committed["a_in_the_sale"] == pytest.approx(100 * by_day[0][:14].mean(), abs=1e-4)
    assert committed["a_after"] == pytest.approx(100 * by_day[0][14:].mean(), abs=1e-4)
    shown = 100 * people.groupby("day")["variant"].mean()
    assert committed["of_b"] == pytest.approx([shown[0], shown[DAYS - 1]], abs=1e-4)


def test_the_merged_comparison_is_welchs_of_scipy(committed, people):
    stats = pytest.importorskip("scipy.stats")
    a, b = (people["bought"][people["variant"] == variant] for variant in (0, 1))
    assert (committed["share_a"], committed["share_b"]) == pytest.approx((100 * a.mean(), 100 * b.mean()), abs=1e-6)
    found = stats.ttest_ind(b, a, equal_var=False)
    assert committed["behind_errors"] == pytest.approx(-found.statistic, abs=1e-4)
    assert committed["behind_points"] == pytest.approx(100 * (a.mean() - b.mean()), abs=1e-5)
    assert committed["p_below"] == 0.05
    low, high = found.confidence_interval(0.95)
    merged, half = committed["results"]["all merged"]
    assert (merged - half, merged + half) == pytest.approx((100 * low, 100 * high), abs=1e-4)


def within(table, by, value):
    """Differences within groups, and the half of a 95 % interval, in percent, from pandas' means and variances."""
    cells = table.groupby([*by, "arm"])[value].agg(["size", "mean", "var"]).unstack()
    n, mean, var = (cells[name] for name in ("size", "mean", "var"))
    good = (n > 1).all(axis=1)
    n, mean, var = n[good], mean[good], var[good]
    weight = n[0] * n[1] / (n[0] + n[1])
    difference = float((weight * (mean[1] - mean[0])).sum() / weight.sum())
    error = math.sqrt(float((weight**2 * (var[0] / n[0] + var[1] / n[1])).sum())) / weight.sum()
    return 100 * difference, 196 * error


def test_within_days_b_is_ahead(committed, people):
    table = people.rename(columns={"variant": "arm"})
    for name, by in (("segments", ["segment"]), ("days", ["day"]), ("days and segments", ["day", "segment"])):
        assert committed["results"][f"within {name}"] == pytest.approx(within(table, by, "bought"), abs=1e-5)
    assert committed["results"]["within segments"][0] < 0 < committed["results"]["within days"][0]
    one = table[table["segment"] == 5]
    assert committed["one_segment"] == pytest.approx(within(one, ["day"], "bought"), abs=1e-5)
    late = table[table["day"] >= 14].groupby(["segment", "arm"])["bought"].mean().unstack()
    assert committed["late_won"] == int((late[1] > late[0]).sum())


def test_the_trials_figures_are_the_published_ones_and_pandas(committed):
    pd = pytest.importorskip("pandas")
    file = vendor.load("trial.npz")
    table = pd.DataFrame({"arm": file["incentive"], "village": file["village"], "came": file["came"]})
    found, trial = table.groupby("arm")["came"].agg(["size", "sum", "mean"]), committed["trial"]
    assert trial["n"] == found["size"].tolist() == [623, 2211]
    assert trial["came"] == found["sum"].tolist()
    assert trial["people"] == 2834
    assert [round(p, 2) for p in trial["percent"]] == [33.87, 78.92]  # Thornton 2008
    assert trial["results"]["all merged"][0] == pytest.approx(45.0552, abs=1e-4)
    assert trial["results"]["within villages"] == pytest.approx(within(table, ["village"], "came"), abs=1e-5)
    villages = table.groupby(["village", "arm"])["came"].mean().unstack().dropna()
    each = 100 * (villages[1] - villages[0])
    assert (trial["villages"], trial["reversed"]) == (len(each), int((each < 0).sum()))
    assert trial["mean_of_villages"] == pytest.approx(each.mean(), abs=1e-5)


def test_winners_of_nothing_by_scipy(committed):
    pd, stats = pytest.importorskip("pandas"), pytest.importorskip("scipy.stats")
    aa = pd.DataFrame(experiments.visitors("aa", SEGMENTS, 0)).assign(week=lambda t: t["day"] // 7)
    p = [
        2 * stats.norm.sf(abs(stats.ttest_ind(*(g["bought"][g["variant"] == v] for v in (0, 1)), equal_var=False)[0]))
        for _, g in aa.groupby(["segment", "week"])
    ]
    assert committed["slices"] == len(p) == SEGMENTS * 4
    assert committed["false"] == sum(value < 0.05 for value in p)
    assert committed["expected_false"] == len(p) / 20
    ab = pd.DataFrame(experiments.visitors("ab", SEGMENTS, 0)).groupby(["segment", "variant"])["bought"]
    mean, error = ab.mean().unstack(), (ab.var() / ab.size()).unstack().sum(axis=1) ** 0.5
    clear = abs(mean[1] - mean[0]) > 1.96 * error
    assert (committed["found"], committed["missed"]) == (int(clear[:4].sum()), int((~clear[:4]).sum()))
    assert committed["lucky"] == int(clear[4:].sum())


@pytest.mark.parametrize("seed", range(3))
def test_p_values_of_nothing_are_uniform(seed):
    pd, stats = pytest.importorskip("pandas"), pytest.importorskip("scipy.stats")
    aa = pd.DataFrame(experiments.visitors("aa", SEGMENTS, seed)).groupby(["segment", "variant"])["bought"]
    mean, error = aa.mean().unstack(), (aa.var() / aa.size()).unstack().sum(axis=1) ** 0.5
    p = 2 * stats.norm.sf(abs((mean[1] - mean[0]) / error))
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_batches_that_came_twice(committed, people):
    day = people[people["day"] == 0].assign(batch=lambda t: np.arange(len(t)) % 6)
    twice = day.loc[day.index.repeat(day["batch"].isin([3, 4]) + 1)]
    assert committed["truth"] == committed["counts_of"]["with the last batch"] == len(day)
    assert committed["counts_of"]["added as they come"] == len(twice)
    errors = []
    for table in (twice, day):
        arms = table.groupby("variant")["bought"]
        errors.append(100 * math.sqrt((arms.var() / arms.size()).sum()))
    assert committed["errors_of_a_day"] == pytest.approx(errors, abs=1e-5)
