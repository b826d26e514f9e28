"""05_02 again, from outside: the events read by others, as-of joins by pandas, costs lot by lot.

The book and the trades come from the store that the lesson left, read by zarr-python and TensorStore; the grids are
pandas', the moments of the orders raw bits. Nothing here imports this project's library.
"""

import functools

import numpy as np
import pytest

from .readers import tensorstore, zarr_python, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_02_order_book_snapshots.ipynb"
pytestmark = pytest.mark.gallery
pd = pytest.importorskip("pandas")
LOTS, SECOND = 50, 1_000_000


@functools.cache
def events(out):
    """time, book, and a frame of the trades, with the index checked on the way."""
    read = functools.partial(zarr_python, out / "events.zarr")
    time, book, second = read("time"), read("book"), read("second")
    for name, values in (("time", time), ("book", book), ("second", second)):
        np.testing.assert_array_equal(tensorstore(out / "events.zarr", name), values)
    assert (np.diff(time) > 0).all()
    assert all(
        (time[:first] < k * SECOND).all() and (time[first:] >= k * SECOND).all() for k, first in enumerate(second)
    )
    trades = {name: read(f"trade_{name}") for name in ("time", "side", "price")}
    return time, book, pd.DataFrame(trades).astype("int64").sort_values("time")


def joined(moments, time, **how):
    """The number of the event that pandas finds for each moment."""
    left = pd.DataFrame({"t": np.asarray(moments, "int64")})
    right = pd.DataFrame({"t": time, "event": np.arange(len(time))})
    return pd.merge_asof(left, right, on="t", **how)["event"].to_numpy()


def order_moments(time):
    span = np.uint64(time[-1] - 20 * SECOND)
    return np.sort((np.random.PCG64(0).random_raw(20_000) % span).astype("int64") + 10 * SECOND)


@functools.cache
def lot_by_lot(out):
    """Of each book: what one lot, two lots, three lots cost and so on, in cents above the mid-price."""
    _, book, _ = events(out)
    lots = [np.repeat(*asks.T) for asks in book[:, 1]]
    mids = (book[:, 0, 0, 0] + book[:, 1, 0, 0]) / 2
    return [prices.cumsum() / np.arange(1, len(prices) + 1) - mid for prices, mid in zip(lots, mids, strict=True)]


def slippage(out, wanted):
    return np.array([costs[wanted - 1] if len(costs) >= wanted else np.nan for costs in lot_by_lot(out)])


def test_the_layouts_hold_the_same_book_and_their_reads_follow_from_the_chunks(left):
    out, facts, zarr_format = left
    _, book, _ = events(out)
    for name, chunks in (("moments", (256, 2, 10, 2)), ("levels", (2560, 2, 1, 2))):
        values, found, kept = zarr_python_in_full(out / f"{name}.zarr")
        assert (found, kept) == (chunks, zarr_format)
        np.testing.assert_array_equal(values, book)
        along, nbytes = -(-len(book) // chunks[0]), int(np.prod(chunks)) * 4
        for question, count in (("mid-price, all day", along), ("one book", 10 // chunks[2])):
            assert facts["reads"][f"{name}, {question}"] == {"requests": count, "decoded": count * nbytes}
    assert facts["requests"] == {"all times": -(-len(book) // 512) + 1, "index": 3}


def test_walking_the_book_is_taking_lot_after_lot(left):
    out, facts, _ = left
    for wanted, mean in zip(facts["sizes"], facts["slippage"], strict=True):
        assert mean == pytest.approx(np.nanmean(slippage(out, wanted)), abs=2e-6)


def test_what_a_grid_loses_and_makes_up_is_what_pandas_resamples(left):
    out, facts, _ = left
    time, _, _ = events(out)
    series = pd.Series(1, index=pd.to_timedelta(time, unit="us"))
    for step in (10_000, 1000, 100, 10, 1):
        each = series.resample(f"{step}ms").count()
        assert facts["rows"][str(step)] == len(each)
        assert facts["lost"][str(step)] == pytest.approx(1 - (each > 0).sum() / len(time), abs=1e-6)
        assert facts["copied"][str(step)] == pytest.approx((each == 0).mean(), abs=1e-6)
        for share in ("lost", "copied"):
            assert facts[f"{share}_per_cent"][str(step)] == pytest.approx(100 * facts[share][str(step)], abs=1e-3)
    assert facts["gaps"]["least_us"] == np.diff(time).min()


def test_snapshots_are_right_on_average_and_wrong_for_the_rule(left):
    out, facts, _ = left
    time, book, _ = events(out)
    moments = order_moments(time)
    true = joined(moments, time)
    cost = slippage(out, LOTS)
    seen = joined(moments - moments % SECOND, time)
    assert facts["other_book"] == np.mean([bool((book[i] != book[j]).any()) for i, j in zip(true, seen, strict=True)])
    both = ~np.isnan(cost[true] + cost[seen])
    assert facts["mean_cost"]["truth"] == pytest.approx(cost[true][both].mean(), abs=2e-6)
    assert facts["mean_cost"]["snapshots"] == pytest.approx(cost[seen][both].mean(), abs=2e-6)
    assert facts["single_off"] == pytest.approx(np.std((cost[seen] - cost[true])[both]), rel=1e-3)
    off = facts["mean_cost"]["snapshots"] / facts["mean_cost"]["truth"] - 1
    assert facts["mean_off_per_cent"] == pytest.approx(100 * abs(off), abs=1e-3)
    assert facts["mean_off_per_cent"] < 1
    assert facts["other_book_per_cent"] == pytest.approx(100 * facts["other_book"], abs=0.006)

    spread = book[:, 1, 0, 0] - book[:, 0, 0, 0]
    for every, (believed, real) in facts["narrow"].items():
        snapshot = joined(moments - moments % (1000 * int(every)), time)
        chosen = spread[snapshot] == 1
        assert believed == 0.5
        assert real == pytest.approx(spread[true][chosen].mean() / 2, abs=2e-6)
    wide = spread[seen] >= 5
    assert facts["wide"] == pytest.approx([spread[seen][wide].mean() / 2, spread[true][wide].mean() / 2], abs=2e-6)
    assert facts["always"] == pytest.approx([spread[seen].mean() / 2, spread[true].mean() / 2], abs=2e-6)
    assert facts["narrow"]["1000"][1] > 1.3 * 0.5
    assert facts["narrow_off_per_cent"] == pytest.approx(100 * (facts["narrow"]["1000"][1] / 0.5 - 1), abs=0.006)


def test_trades_are_joined_with_the_book_before_them(left):
    out, facts, _ = left
    time, book, trades = events(out)
    trades = trades[(trades.time > 2 * SECOND) & (trades.time < time[-1] - 2 * SECOND)]
    mid = (book[:, 0, 0, 0] + book[:, 1, 0, 0]) / 2
    begin = trades.time // SECOND * SECOND
    readings = {
        "before the trade": joined(trades.time, time, allow_exact_matches=False),
        "at or before": joined(trades.time, time),
        "last in its second": joined(begin + SECOND, time, allow_exact_matches=False),
        "snapshot before": joined(begin, time),
    }
    assert facts["trades"] == len(trades)
    for name, rows in readings.items():
        paid = (trades.side * (trades.price - mid[rows])).mean()
        assert facts["paid"][name] == pytest.approx(paid, abs=2e-6)
        against = abs(paid / facts["paid"]["before the trade"] - 1)
        assert facts["paid_off_per_cent"][name] == pytest.approx(100 * against, abs=0.006)
    assert np.isin(trades.time, time).all()  # each trade changes the book at its own time


def test_orders_that_are_larger_than_what_is_shown(left):
    out, facts, _ = left
    time, book, _ = events(out)
    true = joined(order_moments(time), time)
    there, mid = book[:, 1, :, 1].sum(1), (book[:, 0, 0, 0] + book[:, 1, 0, 0]) / 2
    shown = np.array([np.average(rows[1, :, 0], weights=rows[1, :, 1]) for rows in book]) - mid
    short = there < 2 * LOTS
    assert facts["short"]["share"] == pytest.approx(short[true].mean(), abs=1e-6)
    assert facts["short"]["shown"] == pytest.approx(shown[true][short[true]].mean(), abs=2e-6)
    assert facts["short"]["others"] == pytest.approx(np.nanmean(slippage(out, 2 * LOTS)[true]), abs=2e-6)


def test_the_facts_of_this_run_are_those_beside_the_notebook(left, committed):
    assert {k: v for k, v in left[1].items() if k != "figures"} == {
        k: v for k, v in committed.items() if k != "figures"
    }
