"""05_04 again, from outside: the band read by others and recomputed by pandas, the errors by exact arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_04_intraday_factor_research.ipynb"
pytestmark = pytest.mark.gallery

WINDOW, CHUNK, HIT = 60, 390, 600


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_band_that_pandas_computes(left, read):
    pandas = pytest.importorskip("pandas")
    out, facts, zarr_format = left
    price, chunks, _ = read(out / "price.zarr")
    assert (price.shape, chunks) == ((facts["minutes"], facts["stocks"]), (CHUNK, facts["stocks"]))
    wanted = pandas.DataFrame(price).rolling(WINDOW).std().to_numpy()
    for name in ("band.zarr", "band_in_two.zarr"):
        band, chunks, kept = read(out / name)
        assert (chunks, kept) == ((CHUNK, facts["stocks"]), zarr_format)
        np.testing.assert_allclose(band, wanted, rtol=0, atol=1e-10)  # NaN where pandas has NaN
    assert np.nansum(wanted) == pytest.approx(facts["band_sum"], abs=1e-5)
    assert np.isnan(wanted).any(axis=1).sum() == facts["tail"] == WINDOW - 1


def exact(values, end):
    """The standard deviation of the window that ends before `end`, in fractions."""
    kept = [Fraction(x) for x in values[end - WINDOW : end]]
    mean = sum(kept) / WINDOW
    return math.sqrt(sum((x - mean) ** 2 for x in kept) / (WINDOW - 1))


def test_a_bad_tick_stays_in_sums_and_in_updates(left):
    out, facts, _ = left
    price = zarr_python_in_full(out / "price.zarr")[0][:, 0].tolist()
    assert facts["good_tick"] == price[HIT]
    assert facts["bad_tick"] == round(price[HIT] * 10_000)
    for bad, times in (("in ten-thousandths", 10_000), ("in millionths", 1_000_000)):
        values = [*price[:HIT], float(round(price[HIT] * times)), *price[HIT + 1 :]]
        total = squares = mean = around = 0.0
        worst = {"running_sums": 0.0, "add_and_remove": 0.0}
        for i, x in enumerate(values):
            total, squares = total + x, squares + x * x
            step, n = x - mean, min(i, WINDOW) + 1
            mean += step / n
            around += step * (x - mean)
            if i >= WINDOW:
                gone = values[i - WINDOW]
                total, squares = total - gone, squares - gone**2
                step = gone - mean
                mean -= step / WINDOW
                around -= step * (gone - mean)
            if i >= HIT + WINDOW:
                truth = exact(values, i + 1)
                found = {"running_sums": squares - total * total / WINDOW, "add_and_remove": around}
                for name, value in found.items():
                    error = abs(math.sqrt(max(value, 0) / (WINDOW - 1)) / truth - 1)
                    worst[name] = max(worst[name], error)
        for name, error in worst.items():
            assert facts["percent_off_after"][f"{bad}, {name}"] == pytest.approx(100 * error, abs=6e-4)
        assert facts["percent_off_after"][f"{bad}, two_parts"] == 0
    assert facts["times_off_in_millionths"] == pytest.approx(1 + worst["running_sums"], abs=0.051)
    # The careful update is the worse one after a tick in ten-thousandths, and this does not heal.
    stays = facts["percent_off_after"]
    assert stays["in ten-thousandths, add_and_remove"] > stays["in ten-thousandths, running_sums"] > 0.1
    assert min(facts["percent_apart_by_start"].values()) > 0.1


def test_the_costs_of_a_halo_follow_from_counting(committed):
    minutes, compressed = committed["minutes"], committed["bytes_ratio_by_length"]
    chunks = minutes // CHUNK
    assert (committed["chunks"], committed["requests_with_halo"]) == (chunks, 2 * chunks - 1)
    assert committed["rows_for_a_row"] == round(1 + 59 / CHUNK, 3) == 1.151
    assert committed["bytes_ratio"]["plain"] == pytest.approx(1 + 59 * (chunks - 1) / minutes, abs=0.006)
    assert committed["bytes_ratio"]["compressed"] == compressed[str(CHUNK)]
    assert compressed[str(CHUNK)] == pytest.approx(2 - 1 / chunks, abs=0.03)  # chunks compress about alike
    assert committed["lost_percent"] == round(100 * 59 / CHUNK, 1)
    assert committed["chunks_of_600"] == len({row // CHUNK for row in range(2 * CHUNK - 599, 2 * CHUNK + 1)})


def test_a_float32_sum_down_two_columns_is_a_running_sum(committed):
    running = np.cumsum(np.full(4_000_000, 0.1, "f4"))  # one after another
    assert committed["float32_down"] == round(float(running[-1]), 1)
    assert committed["float32_right"] == 4_000_000 // 10
    assert committed["float32_missing"] == round(400_000 - float(running[-1]))


def test_apples_wildest_sixty_days(committed):
    pandas = pytest.importorskip("pandas")
    from data_gen import stocks

    close = pandas.Series(stocks.make("tiny").arrays["adjusted"][:, 0])
    volatility = np.log(close).diff().dropna().rolling(WINDOW).std() * math.sqrt(252)
    assert committed["apple_days"] == len(volatility)
    assert committed["apple_highest_percent"] == round(100 * volatility.max())
