"""09_05 again, from outside: the stores read by others, days by pandas, percentiles by sorting, requests on paper.

Nothing here imports this project's library.
"""

import bisect
import itertools
import math

import numpy as np
import pytest

from data_gen import loadgrid

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/09_world/09_05_energy_grid_load.ipynb"
pytestmark = pytest.mark.gallery

GRID, DAY, MONTH, YEAR, FEEDER = 24, 96, 2688, 34_944, 4
EDGES = sorted({round(1000 * 1.05**k) for k in range(155)})


@pytest.fixture(scope="module")
def wh():
    feeders = loadgrid.make("small").arrays["wh"]
    return np.concatenate([feeders, feeders.sum(axis=0, keepdims=True)]).astype("i8")


@pytest.fixture(scope="module")
def ordered(wh):
    return np.sort(wh, axis=1)


def summary(wh, many):
    """Count, sum, lowest and highest, by pandas."""
    pd = pytest.importorskip("pandas")
    groups = pd.DataFrame(wh.T).groupby(np.arange(wh.shape[1]) // many)
    return np.stack([np.asarray(getattr(groups, name)()).T for name in ("count", "sum", "min", "max")], axis=2)


def binned(wh):
    """(row, four weeks, bin) by NumPy's histogram."""
    return np.array([[np.histogram(part, EDGES)[0] for part in row.reshape(-1, MONTH)] for row in wh])


def rank(ordered, share):
    """The smallest value that at least this share does not exceed."""
    return ordered[..., math.ceil(round(share * ordered.shape[-1], 6)) - 1]


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_every_level(left, wh, read):
    out, facts, zarr_format = left
    expected = {
        "quarter": (wh, (5, MONTH), 4),
        "day": (summary(wh, DAY), (25, 28, 4), 8),
        "weeks": (summary(wh, MONTH), (25, 13, 4), 8),
        "counts": (binned(wh), (25, 13, 154), 2),
    }
    for name, (values, chunks, size) in expected.items():
        found, cut, kept = read(out / "grid.zarr", name)
        assert (cut, kept) == (chunks, zarr_format)
        np.testing.assert_array_equal(found, values)
        grid = [range(math.ceil(n / c)) for n, c in zip(values.shape, chunks, strict=True)]
        assert facts["chunks"][name] == len(list(itertools.product(*grid)))
        assert facts["bytes"][name] == found.nbytes == values.size * size
        if name != "quarter":
            assert facts["percent_of_readings"][name] == pytest.approx(
                100 * values.size * size / (wh.size * 4), abs=1e-6
            )


def test_the_year_is_as_it_says(committed, wh):
    assert (committed["quarters"], committed["days"]) == (YEAR, YEAR // DAY) == (wh.shape[1], 364)
    assert committed["megabytes"] == wh.size * 4 / 1e6
    assert committed["energy_wh"] == [sum(row) for row in wh.tolist()]
    assert committed["peak_wh"] == [max(row) for row in wh.tolist()]
    assert committed["grid_kw"]["peak"] == max(wh[GRID]) / 250
    assert committed["grid_kw"]["mean"] == pytest.approx(sum(wh[GRID].tolist()) / YEAR / 250, abs=1e-6)
    assert committed["counts_of_days"] == 25 * 364 * (len(EDGES) - 1) * 2


def test_what_the_days_say_by_sorting(committed, wh, ordered):
    days = np.sort(wh.reshape(25, 364, DAY), axis=2)
    true = rank(ordered, 0.95)
    medians = np.sort((days[:, :, 47] + days[:, :, 48]) / 2, axis=1)
    middle = (medians[:, 181] + medians[:, 182]) / (ordered[:, YEAR // 2 - 1] + ordered[:, YEAR // 2])
    ratios = {
        "energy: sum of sums": np.ones(25),
        "peak: highest of highest": np.ones(25),
        "median: median of medians": middle,
        "95th: mean of 95ths": rank(days, 0.95).mean(1) / true,
        "95th: highest of 95ths": rank(days, 0.95).max(1) / true,
        "grid's peak: sum of peaks": np.full(25, sum(committed["peak_wh"][:GRID]) / committed["peak_wh"][GRID]),
    }
    assert committed["says"].keys() == ratios.keys()
    for name, ratio in ratios.items():
        assert committed["says"][name] == pytest.approx([ratio[:GRID].min(), ratio[:GRID].max()], abs=1e-6)
    busy = rank(days, 0.95).mean(1)
    assert committed["p95_kw"] == pytest.approx(true / 250)
    assert committed["busy_kw"] == pytest.approx(busy / 250, abs=1e-6)
    above = [
        100 * (1 - bisect.bisect_right(row, level) / YEAR) for row, level in zip(ordered.tolist(), busy, strict=True)
    ]
    assert committed["above_percent"] == pytest.approx(above, abs=1e-6)
    spread = committed["says"]["95th: highest of 95ths"]
    assert committed["highest_of_95ths_too_high_percent"] == pytest.approx([100 * v - 100 for v in spread], abs=2e-4)
    parts = [100 * float((part > busy[GRID]).mean()) for part in wh[GRID].reshape(-1, MONTH)]
    assert committed["above_by_four_weeks"] == pytest.approx(parts, abs=1e-6)
    assert committed["grid_below_percent"] == pytest.approx(100 - 100 * busy[GRID] / true[GRID], abs=1e-6)
    too_much = 100 * sum(committed["peak_wh"][:GRID]) / committed["peak_wh"][GRID] - 100
    assert committed["diversity_excess_percent"] == pytest.approx(too_much, abs=1e-6)
    assert committed["stretch"] == {"readings_a_day": DAY, "days": MONTH // DAY, "years_share": 95}
    assert committed["bin_percent"] == round(100 * (EDGES[-1] / EDGES[-2] - 1))
    assert committed["above_median_percent"] == pytest.approx(sum(sorted(above[:GRID])[11:13]) / 2, abs=1e-6)


def test_the_bin_of_the_percentile_is_the_one_that_holds_it(committed):
    for row, true in enumerate(committed["p95_kw"]):
        k = bisect.bisect_right(EDGES, round(true * 250))
        assert committed["p95_low_kw"][row] == EDGES[k - 1] / 250
        assert committed["p95_high_kw"][row] == EDGES[k] / 250


def test_requests_and_bytes_are_those_of_the_borders(committed):
    piece, day, weeks, counts = 5 * MONTH * 4, 25 * 28 * 4 * 8, 25 * 13 * 4 * 8, 25 * 13 * 154 * 2
    assert committed["costs"] == {
        "the year's energy of all": [[5 * 13, 65 * piece], [1, weeks]],
        "95th percentile of all": [[5 * 13, 65 * piece], [1, counts]],
        "when was the grid's peak": [[13, 13 * piece], [3, weeks + day + piece]],
    }
    kilobytes = {asked: [round(n / 1000) for _, n in both] for asked, both in committed["costs"].items()}
    assert committed["kilobytes"] == kilobytes
    assert committed["feeders"] == GRID
    # One chunk of each of three levels is read and written; the two that a row is made from are read once more.
    assert committed["correction"] == {"GET": 3 + 2, "PUT": 3}


def test_the_moment_of_the_peak_and_the_peak_that_stayed(committed, wh):
    highest = wh[GRID].tolist()
    moment = highest.index(max(highest))
    assert committed["peak_moment"] == {"quarter": moment, "day": moment // DAY}
    right = int(wh[FEEDER, 200 * DAY + 40])
    others = max(wh[FEEDER].tolist())
    assert committed["feeder"] == FEEDER
    assert committed["spike"] == {
        "right_kw": right / 250,
        "spike_kw": 10 * right / 250,
        "quick_peak_kw": 10 * right / 250,
        "true_peak_kw": others / 250,
    }
    assert 10 * right > others


def test_peaks_of_means_lie_below_the_peak(committed, wh):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(wh.T)
    for name, many in (("hour", 4), ("day", DAY)):
        lower = 100 * (1 - frame.groupby(np.arange(YEAR) // many).mean().max() / frame.max())
        assert committed["lower_percent"][name]["grid"] == pytest.approx(lower[GRID], abs=1e-6)
        assert committed["lower_percent"][name]["worst"] == pytest.approx(lower[:GRID].max(), abs=1e-6)
