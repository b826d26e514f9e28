"""06_01 again, from outside: the stores read by others, correlations by pandas, slopes and fits by SciPy and NumPy.

Requests are counted on paper, chunk border by chunk border. Nothing here imports this project's library.
"""

import itertools
import math

import numpy as np
import pytest

from data_gen import venues

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/06_crypto/06_01_ohlcv_across_venues.ipynb"
pytestmark = pytest.mark.gallery

DAY, WEEK = 1440, 10_080
SHAPE = (WEEK, 4, 6, 5)
LAYOUTS = {
    "by venue": (DAY, 1, 6, 5),
    "by coin": (DAY, 4, 1, 5),
    "by both, a day": (DAY, 1, 1, 5),
    "by both, a week": (WEEK, 1, 1, 5),
}
COIN = 2


@pytest.fixture(scope="module")
def data():
    return venues.make("small").arrays


@pytest.fixture(scope="module")
def closes(data):
    """pandas' own filling of gaps: columns (venue, coin)."""
    pd = pytest.importorskip("pandas")
    names = pd.MultiIndex.from_product([range(4), range(6)])
    return pd.DataFrame(data["bars"][..., 3].reshape(WEEK, 24), columns=names)


def folder(name):
    return f"{name.replace(', a', '').replace(' ', '_')}.zarr"


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_bars_in_every_layout(left, data, read):
    out, facts, zarr_format = left
    for name, chunks in LAYOUTS.items():
        values, found, kept = read(out / folder(name))
        assert (found, kept) == (chunks, zarr_format)
        np.testing.assert_array_equal(values, data["bars"])
        grid = [range(math.ceil(n / c)) for n, c in zip(SHAPE, chunks, strict=True)]
        assert facts["chunks"][name] == len(list(itertools.product(*grid)))


def test_every_bar_is_possible_and_the_venues_are_as_unequal_as_it_says(committed, data):
    o, high, low, close, volume = np.moveaxis(data["bars"], -1, 0)
    traded = volume > 0
    assert (low[traded] <= np.minimum(o, close)[traded]).all()
    assert (high[traded] >= np.maximum(o, close)[traded]).all()
    assert np.isnan(data["bars"][~traded][:, :4]).all()
    shares = (volume.sum(0) / volume.sum((0, 1))).mean(1)
    assert list(committed["share"].values()) == pytest.approx(shares, abs=1e-6)
    assert list(committed["silent"].values()) == pytest.approx(1 - traded.mean((0, 2)), abs=1e-6)


def moves(closes, n):
    return np.log(closes.ffill().iloc[n::n]).diff().iloc[1:]


def test_the_epps_curves_are_those_of_pandas(committed, closes):
    for (v, name), (k, n) in itertools.product(enumerate("BCD", 1), enumerate(committed["intervals"])):
        returns = moves(closes, n)
        found = np.median([returns[0, coin].corr(returns[v, coin]) for coin in range(6)])
        assert committed["epps"][name][k] == pytest.approx(found, abs=1e-6)
    assert committed["epps"]["D"] == sorted(committed["epps"]["D"])


def test_d_follows_a_by_pandas_scipy_and_least_squares(committed, closes):
    stats = pytest.importorskip("scipy.stats")
    returns = moves(closes, 1)
    for lag in (-2, -1, 0, 1, 2):
        pairs = [(returns[0, c][2:-2], returns[3, c].shift(-lag)[2:-2]) for c in range(6)]
        assert committed["shifted"][str(lag)] == pytest.approx(np.median([a.corr(d) for a, d in pairs]), abs=1e-6)
        slopes = [stats.linregress(a, d).slope for a, d in pairs]
        assert committed["slope"][str(lag)] == pytest.approx(np.median(slopes), abs=1e-6)
    assert committed["through"] == pytest.approx(sum(committed["slope"].values()), abs=1e-5)
    fits = []
    for coin in range(6):
        a, d = returns[0, coin].to_numpy(), returns[3, coin].to_numpy()
        columns = np.column_stack([a[1:], a[:-1], np.ones(len(a) - 1)])
        weights = np.linalg.lstsq(columns, d[1:])[0]
        fits.append(np.corrcoef(columns @ weights, d[1:])[0, 1])
    assert committed["both_minutes"] == pytest.approx(np.median(fits), abs=1e-6)


def counted(chunks, selection):
    """Requests for a selection of slices, and bytes decoded for each byte asked."""
    touched = [len({i // c for i in range(*s.indices(n))}) for s, n, c in zip(selection, SHAPE, chunks, strict=True)]
    asked = math.prod(len(range(*s.indices(n))) for s, n in zip(selection, SHAPE, strict=True))
    return [math.prod(touched), math.prod(touched) * math.prod(chunks) / asked]


def test_requests_are_those_of_the_borders(committed):
    every = slice(None)
    questions = {
        "one venue, all coins": (every, slice(3, 4), every, every),
        "one coin, all venues": (every, every, slice(COIN, COIN + 1), every),
    }
    for (name, chunks), (asked, selection) in itertools.product(LAYOUTS.items(), questions.items()):
        assert committed["costs"][f"{name}: {asked}"] == pytest.approx(counted(chunks, selection))
    for name, chunks in LAYOUTS.items():
        assert committed["dashboard"][name] == pytest.approx(counted(chunks, (slice(-60, None), every, every, every)))
        late = (slice(2 * DAY, 3 * DAY), slice(3, 4), every, every)
        requests, written = counted(chunks, late)
        whole = written == 1.0  # a chunk that is written whole is not read before
        others = 1 - 1 / chunks[1]
        assert committed["late"][name] == {"GET": 0 if whole else requests, "PUT": requests, "others": others}
    assert committed["writes"] == {
        "by both, a day": {"GET": 0, "PUT": 7 * 6},
        "by both, a week": {"GET": 7 * 6, "PUT": 7 * 6},
    }


def test_what_merges_across_venues_is_what_the_trades_say(committed, data):
    bars, whole = data["bars"], data["consolidated"]
    np.testing.assert_array_equal(np.nanmax(bars[..., 1], axis=1), whole[..., 1])
    np.testing.assert_array_equal(np.nanmin(bars[..., 2], axis=1), whole[..., 2])
    np.testing.assert_allclose(bars[..., 4].sum(1), whole[..., 4])
    assert committed["close_of_a"] == pytest.approx((bars[:, 0, :, 3] == whole[..., 3]).mean(), abs=1e-6)
    assert committed["open_of_a"] == pytest.approx((bars[:, 0, :, 0] == whole[..., 0]).mean(), abs=1e-6)


def test_the_old_price_and_the_silences_by_pandas(committed, closes):
    gap = closes.copy()
    gap.loc[2 * DAY : 3 * DAY - 1, 3] = math.nan
    for name, state in (("all there", closes), ("Wednesday missing", gap)):
        known = state.ffill().T.groupby(level=1)
        apart = (known.max() / known.min() - 1).to_numpy() * 1e4
        assert committed["over_100_bp"][name] == int((apart > 100).sum())
        assert committed["largest_bp"][name] == pytest.approx(apart.max(), abs=1e-5)
    silences = []
    for coin in range(6):
        empty = closes[3, coin].isna()
        silences.append(int(empty.groupby((~empty).cumsum()).sum().max()))
    assert committed["silences"] == silences
    assert committed["lowest_with_zeros"] == 0.0


def test_percents_are_the_shares_as_they_are_written(committed):
    percent, slope = committed["percent"], committed["slope"]
    assert percent["shares"] == [round(100 * value, 1) for value in committed["share"].values()]
    assert percent["silent"] == [round(100 * value, 1) for value in committed["silent"].values()]
    assert percent["same_next_all"] == [round(100 * v) for v in (slope["0"], slope["1"], committed["through"])]
    assert percent["others"] == 100 * committed["late"]["by coin"]["others"]
    assert percent["close_of_a"] == round(100 * committed["close_of_a"])
