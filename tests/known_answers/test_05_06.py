"""05_06 again, from outside: features by pandas, runs read by others, curves and leaks worked out by other code."""

import hashlib
import json

import numpy as np
import pytest

from .readers import tensorstore_in_full, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_06_backtest_artifacts.ipynb"
pytestmark = pytest.mark.gallery
pandas = pytest.importorskip("pandas")

RUNS = [(126, 21), (126, 63), (252, 21), (252, 63)]
LABELS = ["day", "week", "month", "momentum", "volatility", "unrest"]
LABELS += ["gap", "drawdown", "range", "ending", "level", "volume"]


def frames(until=None):
    """The vendored prices, up to a day and adjusted as of that day."""
    from data_gen import stocks

    arrays = stocks.make().arrays
    index = pandas.DatetimeIndex(arrays["date"].astype("M8[ns]"))
    data = {name: pandas.DataFrame(arrays[name], index)[:until] for name in arrays if name != "date"}
    if until is not None:
        data["adjusted"] = data["adjusted"] * (data["close"].iloc[-1] / data["adjusted"].iloc[-1])
    return data


def by_pandas(data, momentum, volatility):
    """label -> DataFrame (day, stock)."""
    p, high, low, close = data["adjusted"], data["high"], data["low"], data["close"]
    log, moves = np.log(p), np.log(p).diff()
    deviation, five = moves.rolling(volatility).std(ddof=0), moves.rolling(5, center=True).std(ddof=0)
    made = {"day": moves, "week": log.diff(5), "month": log.diff(21), "momentum": log.shift(21) - log.shift(momentum)}
    made |= {"volatility": deviation, "unrest": five / deviation, "gap": p / p.rolling(momentum).mean() - 1}
    made |= {"drawdown": p / p.rolling(momentum).max() - 1, "range": ((high - low) / close).rolling(volatility).mean()}
    made |= {"ending": (close - low) / (high - low).clip(lower=0.01), "level": log}
    return made | {"volume": np.log(data["volume"] / data["volume"].mean())}


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_features_that_pandas_computes(left, read):
    out, facts, zarr_format = left
    found, chunks, kept = read(out / "march.zarr")
    assert (found.shape, chunks, kept) == ((4, facts["days"], 3, 12), (1, 512, 3, 12), zarr_format)
    data = frames()
    for k, run in enumerate(RUNS):
        for j, label in enumerate(LABELS):
            wanted = by_pandas(data, *run)[label].to_numpy()
            # From adjusted prices near a cent, pandas' own updates lose some digits.
            np.testing.assert_allclose(found[k, ..., j], wanted, rtol=2e-4, atol=2e-6, err_msg=label)
    assert np.nansum(found[0, :, :, 3].astype("f8")) == pytest.approx(facts["sum_of_momentum"], abs=1e-3)


def test_the_manifest_is_of_the_values_and_only_one_runs_chunks_changed(left):
    out, facts, _ = left
    noted = json.loads((out / "manifest.json").read_text(encoding="utf-8"))

    def hashes(name):
        values = zarr_python_in_full(out / f"{name}.zarr")[0]
        return {
            f"{run}/{start // 512}/0/0": hashlib.sha256(
                values[run : run + 1, start : start + 512].tobytes()
            ).hexdigest()
            for run in range(len(values))
            for start in range(0, values.shape[1], 512)
        }

    march = hashes("march")
    assert march == hashes("march_again") == noted
    assert len(march) == facts["chunks"] == 28
    other = hashes("other_run")
    differing = [at for at in march if march[at] != other[at]]
    assert {at[0] for at in differing} == {"2"}
    assert len(differing) == facts["changed_by_parameter"] == 7
    february = hashes("february")
    full = [at for at in february if int(at.split("/")[1]) < 6]
    assert len(full) == facts["full_chunks"]
    assert sum(february[at] != march[at] for at in full) == facts["changed_by_dividends"]


def test_what_changed_in_a_month_is_what_two_features_know(left):
    out, facts, _ = left
    old, new = (zarr_python_in_full(out / f"{name}.zarr")[0][:, : 6 * 512] for name in ("february", "march"))
    moved = [label for k, label in enumerate(LABELS) if not np.array_equal(old[..., k], new[..., k], equal_nan=True)]
    assert moved == facts["moved_in_a_month"] == ["level", "volume"]


def test_as_of_recomputation_finds_the_planted_leaks_and_none_else(committed):
    whole, days = by_pandas(frames(), 126, 21), frames()["close"].index
    found = dict.fromkeys(LABELS, 0)
    asked = list(range(130, len(days), 130))
    for t in asked:
        then = by_pandas(frames(days[t]), 126, 21)
        for label in LABELS:
            one, other = (x[label].iloc[t].to_numpy() for x in (then, whole))
            found[label] += not np.allclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True)
    assert found == committed["leaks"]
    assert len(asked) == committed["as_of_days"]
    assert {label for label, many in found.items() if many} == {"unrest", "level", "volume"}
    assert (committed["leaking"], committed["clean"], committed["leaks_after_repair"]) == (3, 9, 0)
    assert committed["found_by_one_day"]["the last day"] == ["level"]


def test_a_dollar_in_the_cheapest_of_three(committed):
    data = frames()
    growth = data["adjusted"].pct_change().fillna(0) + 1
    month = data["close"].index.to_period("M")
    for name, column in (("adjusted close", "adjusted"), ("price that was paid", "close")):
        last = data[column].groupby(month).last().idxmin(axis=1).shift(1)
        held = last.reindex(month).to_numpy()
        held = np.where(np.isnan(held), data[column].iloc[0].idxmin(), held).astype(int)
        money = growth.to_numpy()[np.arange(len(held)), held].prod()
        assert committed["one_dollar"][name] == pytest.approx(money, abs=0.006)
    assert committed["one_dollar_in_all"] == pytest.approx(growth.mean(axis=1).prod(), abs=0.006)
    first = {name: round(float(data[name].iloc[0, 0]), 2) for name in ("close", "adjusted")}
    assert committed["first_day"] == first
