# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reproduce a backtest to the bit, and still doubt it
#
# **Question.** Can I reproduce last month's backtest, bit for bit?
#
# ![Two equity curves of one rule over thirteen years, on a logarithmic scale. With adjusted prices it ends at ten times
# the money, with the prices that were paid at three quarters of it.](../../articles/figures/05_06_cheapest.svg)
#
# *One rule, one program, one set of real returns: each month hold the cheapest of three stocks. Both curves can be
# reproduced to the bit. Only one could have been earned.*
#
# You are asked how you got the number in the report. You still have the code. Do you have the parameters, the data of
# that day, and a way to say that nothing has changed? And if all of it comes out the same: was it true?

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [05_01](05_01_tick_data_cube.ipynb), [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/chunk_io` |
# | **Article** | [Bit for bit the same, and wrong](../../articles/24_backtest_artifacts.md) |
# | **Data** | thirteen years of three real stocks (`data_gen/stocks.py`) |
#
# **You will be able to**
#
# - keep runs, days and features in one array, with a hash of every chunk
# - say which chunks a change of parameters, code or data has changed, and which not
# - keep an adjusted price from rewriting your history
# - find every feature that knows the future, by computing it as of a day
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `days_in_chunk` is the length of a chunk.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 24 runs instead of 4
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
days_in_chunk = 512

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import json
import math
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import stocks
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.viz.chart import BLUE, GREY, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(days_in_chunk=(days_in_chunk, 128, 1024), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Three real stocks, with their splits in them
#
# Apple, IBM and Microsoft, 2000 to 2013: what was paid each day, and the **[adjusted
# close](https://en.wikipedia.org/wiki/Adjusted_closing_price "A closing price, recomputed as if all later splits and
# dividends had happened before, so that its changes are what a holder earned.")**, as Quandl's WIKI archive had them
# (public domain). Real data end there and these companies lived: those that did not are missing (**[survivorship
# bias](https://en.wikipedia.org/wiki/Survivorship_bias "What you conclude from those that are still there, and would not
# conclude if you saw the others as well.")**). Costs and taxes are left out. None of this is advice.

# %%
result = stocks.make("small", seed)
checks = stocks.realism(result)
assert all(low <= value <= high for value, low, high in checks.values())
names = ("open", "high", "low", "close", "adjusted", "volume")
now = {name: result.arrays[name] for name in names}
date = result.arrays["date"]
print(f"{len(date):,} days of {', '.join(stocks.TICKERS)}; {len(checks)} of {len(checks)} checks of the data pass")
for day, ticker in result.truth["splits"].items():
    t, k = int(np.flatnonzero(date == np.datetime64(day))[0]), stocks.TICKERS.index(ticker)
    print(f"{day} {ticker:4} {now['close'][t - 1, k]:7.2f} -> {now['close'][t, k]:6.2f} dollars, two shares for one")

# %% [markdown] tags=["section-idea"]
# ## One rule, two columns
#
# At the end of each month, look at the last price and hold the cheapest stock of the three for the next month. What was
# earned comes from the adjusted close in both backtests; there it belongs. The one difference: which column says what is
# cheap. **Write down a guess:** does it matter?

# %%
earned = np.vstack([np.zeros(3), now["adjusted"][1:] / now["adjusted"][:-1] - 1])
new_month = np.concatenate([[True], date[1:].astype("M8[M]") != date[:-1].astype("M8[M]")])


def follow(score):
    """What a dollar becomes, day by day, in the stock whose score was lowest at the end of the month before."""
    money, held = [1.0], int(score[0].argmin())
    for t in range(1, len(score)):
        if new_month[t]:
            held = int(score[t - 1].argmin())
        money.append(money[-1] * (1 + earned[t, held]))
    return np.array(money)


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
curves = {"adjusted close": follow(now["adjusted"]), "price that was paid": follow(now["close"])}
for column, money in curves.items():
    daily = np.diff(np.log(money))
    sharpe = daily.mean() / daily.std() * math.sqrt(252)
    print(f"cheapest by {column:20}: 1 dollar becomes {money[-1]:5.2f}; Sharpe ratio {sharpe:5.2f}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.6)
for (column, money), colour in zip(curves.items(), (VERMILION, BLUE), strict=True):
    panel.plot(date, money, color=colour, linewidth=1.4, label=f"by {column}: {money[-1]:.2f}")
panel.plot(date, np.cumprod(1 + earned.mean(1)), color=GREY, linewidth=1, label="all three, equally")
panel.axhline(1, color=GREY, linewidth=0.6)
panel.set(title="Hold the cheapest of three", yscale="log", ylabel="dollars, from one", xlabel="year")
panel.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
panel.minorticks_off()
_ = panel.legend(loc="upper left")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = (
    f"One rule over thirteen years. By the adjusted close a dollar becomes {curves['adjusted close'][-1]:.2f}, by the "
)
told += f"price that was paid {curves['price that was paid'][-1]:.2f}."
cheapest = viz.Chart.of(figure, "One rule, two columns", told)
cheapest.save(out / "figures" / "05_06_cheapest.svg")
cheapest

# %% [markdown]
# It is Apple. On the first day it cost 130.31 dollars, the most of the three; its adjusted close of that day is 4.19,
# because the archive was made after all its splits. Stocks are split after they have risen. So "cheap when
# adjusted" means "will rise": a **[look-ahead bias](https://en.wikipedia.org/wiki/Look-ahead_bias "Using in a backtest
# what could not have been known on the day; the result is then too good.")** without one line of wrong code.

# %% [markdown] tags=["section-build"]
# ## Build it small: twelve features of a run
#
# A run is a few parameters. Its features are a function of the parameters and of the data, and of nothing else: no
# clock, no state, no file that is looked up. Three of the twelve know the future. Can you see which?


# %%
def moving(values, window, what):
    """`what` of each value and the `window - 1` before it; NaN where there are too few."""
    rolled = np.full(values.shape, np.nan)
    if len(values) >= window:
        rolled[window - 1 :] = what(sliding_window_view(values, window, axis=0), axis=-1)
    return rolled


# %%
def back(values, days):
    """The values as they were `days` days before."""
    return np.concatenate([np.full((min(days, len(values)), 3), np.nan), values[:-days]])[: len(values)]


# %%
def features(data, run, price="adjusted"):
    """(day, stock, feature) as float32."""
    p, m, v = data[price], run["momentum"], run["volatility"]
    high, low, close, moves = data["high"], data["low"], data["close"], np.log(p / back(p, 1))
    deviation, five = moving(moves, v, np.std), moving(moves, 5, np.std)
    unrest = np.vstack([five[2:], np.full((2, 3), np.nan)]) / deviation  # the five days around each
    columns = {"day": moves, "week": np.log(p / back(p, 5)), "month": np.log(p / back(p, 21))}
    columns |= {"momentum": np.log(back(p, 21) / back(p, m)), "volatility": deviation}
    columns |= {"unrest": unrest, "gap": p / moving(p, m, np.mean) - 1}
    columns |= {"drawdown": p / moving(p, m, np.max) - 1, "range": moving((high - low) / close, v, np.mean)}
    columns |= {"ending": (close - low) / np.maximum(high - low, 0.01), "level": np.log(p)}
    columns |= {"volume": np.log(data["volume"] / data["volume"].mean(axis=0))}
    return np.stack(list(columns.values()), axis=-1).astype("float32"), list(columns)


# %%
grid = {"momentum": [126, 252], "volatility": [21, 63]}
if not quick:
    grid = {"momentum": [63, 126, 189, 252, 315, 378], "volatility": [10, 21, 42, 63]}
runs = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
_, labels = features(now, runs[0])
print(f"{len(runs)} runs: {runs[0]} to {runs[-1]}")
print(f"{len(labels)} features: {', '.join(labels)}")

# %% [markdown] tags=["section-library"]
# ## Runs in an array, and a hash for every chunk
#
# One array (run, day, stock, feature). A chunk holds one run and two years, so each run has chunks of its own, and the
# threads need no locks, as in [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb). The **[content
# hash](https://en.wikipedia.org/wiki/Content-addressable_storage "A checksum that names what is stored by what it holds:
# the same content has the same name, and other content another.")** of a chunk is taken of its values, not of its
# compressed bytes, which may change with the compressor.


# %%
form = {"dtype": "float32", "fill_value": math.nan, "zarr_format": zarr_format, "overwrite": True}


def keep(name, data, runs, price="adjusted"):
    """An array of the features of all runs, and beside each run what it was made of."""
    shape, chunks = (len(runs), len(data["close"]), 3, len(labels)), (1, days_in_chunk, 3, len(labels))
    about = {"runs": runs, "features": labels, "price": price, "data": data_hash(data)}
    array = zarr.create_array(out / f"{name}.zarr", shape=shape, chunks=chunks, attributes=about, **form)

    def one(k):
        array[k] = features(data, runs[k], price)[0]

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(len(runs))))
    return array


# %%
def data_hash(data):
    """One hash of all columns."""
    digest = sha256()
    for name in sorted(data):
        digest.update(name.encode() + b"\0" + np.ascontiguousarray(data[name]).tobytes())
    return digest.hexdigest()


# %%
def manifest(array):
    """chunk -> the hash of its values."""
    return {
        at: sha256(np.ascontiguousarray(array.read_chunk(at)).tobytes()).hexdigest() for at in array.stored_chunks()
    }


def changed(one, other):
    """The chunks of both whose hashes differ."""
    return sorted(at for at in one.keys() & other.keys() if one[at] != other[at])


# %%
first = keep("march", now, runs)
again = keep("march_again", now, runs)
hashes = manifest(first)
(out / "manifest.json").write_text(
    json.dumps({"/".join(map(str, at)): h for at, h in hashes.items()}), encoding="utf-8"
)
print(f"{first.shape}, {len(hashes)} chunks; run once more: {len(changed(hashes, manifest(again)))} of them differ")
assert not changed(hashes, manifest(again))

# %% [markdown]
# Bit for bit. Now change one parameter of one run: the momentum of run 2 looks back half a year more. How many of the
# chunks change, and which?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
one_other = [dict(run) for run in runs]
one_other[2]["momentum"] += 126
by_parameter = changed(hashes, manifest(keep("other_run", now, one_other)))
print(f"{len(by_parameter)} of {len(hashes)} chunks differ, all of run {by_parameter[0][0]}")
assert {at[0] for at in by_parameter} == {2}

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same features:")
report = interop_check(out / "march.zarr", expected=first[...])
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Last month's data are not what they were
#
# So code and parameters are under control. Go back a month: on 2013-02-01 you downloaded the data, made the four runs,
# and kept the hashes. Today you download again. In between each company paid a dividend. No price of the past has
# changed. **Guess** how many of the 24 chunks that were full a month ago still have their hash.


# %%
def as_of(data, t):
    """The data as a vendor would have published them on day `t`: nothing later, and adjusted up to that day."""
    seen = {name: values[: t + 1] for name, values in data.items()}
    return seen | {"adjusted": seen["adjusted"] * (seen["close"][-1] / seen["adjusted"][-1])}


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
month_ago = int(np.flatnonzero(date == np.datetime64("2013-02-01"))[0])
full = (month_ago + 1) // days_in_chunk
then = keep("february", as_of(now, month_ago), runs)
before = {at: h for at, h in manifest(then).items() if at[1] < full}
rewritten = changed(before, hashes)
old, new = (a[:, : full * days_in_chunk] for a in (then, first))
print(f"{len(before) - len(rewritten)} of {len(before)} chunks still have their hash")
by_feature = [not np.array_equal(old[..., k], new[..., k], equal_nan=True) for k in range(len(labels))]
moved = [label for label, moves in zip(labels, by_feature, strict=True) if moves]
print(f"the features whose values of the past have changed: {', '.join(moved)}")
level = np.split(old[..., labels.index("level")] != new[..., labels.index("level")], full, axis=1)
by_dividends = sum(int(chunk[run].any()) for chunk in level for run in range(len(runs)))
print(f"in {by_dividends} of {len(before)} chunks level has changed, which only the dividends can do")
assert len(rewritten) == len(before) == by_dividends

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(8.0, 2.6, 1, 2, sharey=True)
shown = {f"one parameter of run 2: {len(by_parameter)} of {len(hashes)}": by_parameter}
shown[f"a month of dividends: {len(rewritten)} of {len(before)}"] = rewritten
for panel, (title, which) in zip(axes, shown.items(), strict=True):
    for at in hashes:
        growing = panel is axes[1] and at[1] >= full
        colour = VERMILION if at in which else "none" if growing else SKY
        panel.barh(at[0], 0.9, 0.84, left=at[1] - 0.45, color=colour, edgecolor=GREY, linewidth=0.6)
    panel.set(title=title, xlabel="chunk, two years each", ylim=(len(runs) - 0.5, -0.5))
    panel.set_yticks(range(len(runs)))
    panel.tick_params(length=0)
_ = axes[0].set_ylabel("run")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = f"Chunks of {len(runs)} runs whose hash has changed: after one parameter the {len(by_parameter)} of one run, after a "
told += f"month of dividends all {len(rewritten)} that were full. White: the last chunk, still growing."
which = viz.Chart.of(figure, "Whose hash has changed", told)
which.save(out / "figures" / "05_06_hashes.svg")
which

# %% [markdown]
# None. Each dividend lowers *all* adjusted closes before it, and `level` with them; `volume` moves with the month's new
# days. Ask why, and you have found your first leaks: what was known on a day cannot change a month later. So a second
# download and the old hashes are a test that costs nothing. What it does not see comes below.
#
# Keep the download by its hash, for ever. And adjust forward: multiply by each split and dividend on the day when it
# happens. Such a series never rewrites what has been.


# %%
def with_forward(data):
    """The data and "forward": what one share of the first day has become, told by the events up to each day."""
    total = data["adjusted"][1:] / data["adjusted"][:-1]
    event = np.round(total / (data["close"][1:] / data["close"][:-1]), 6)
    event[np.abs(event - 1) < 5e-4] = 1  # the archive's rounding; dividends are larger
    return data | {"forward": data["close"] * np.vstack([np.ones(3), np.cumprod(event, axis=0)])}


lasting, lasting_then = with_forward(now), with_forward(as_of(now, month_ago))
old, new = (features(data, runs[0], "forward")[0][: full * days_in_chunk] for data in (lasting_then, lasting))
same_bits = {label: bool(np.array_equal(old[..., k], new[..., k], equal_nan=True)) for k, label in enumerate(labels)}
print(f"adjusted forward: {sum(same_bits.values())} of {len(labels)} features have the same bits a month later")
print("not:", ", ".join(label for label, same in same_bits.items() if not same))

# %% [markdown] tags=["section-wrong"]
# ## A leak reproduces perfectly
#
# `volume` still changes: it was planted. A hash says that the result is the same, and not that it was
# possible. The test for that is another one: compute the features **as of** a day, from what was known then, and compare
# with what the full history says about that day. It needs no idea where the leak may be. **Which of the twelve
# will it find?**


# %%
def leaks(data, run, price, days, features=features):
    """(as-of day, feature): whether the full history tells of the day what the day itself could not."""
    whole, found = features(data, run, price)[0], []
    for t in days:
        known = as_of(data, t)
        then = features(with_forward(known) if price == "forward" else known, run, price)[0][t]
        found.append(~np.isclose(then, whole[t], rtol=1e-4, atol=1e-6, equal_nan=True).all(axis=0))
    return np.array(found)


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
asked = list(range(130, len(date), 130))
table = leaks(now, runs[0], "adjusted", asked)
for label, days in zip(labels, table.T, strict=True):
    print(f"{label:11} {'knows the future' if days.any() else 'clean':17} {int(days.sum()):2} of {len(asked)} days")
leaking = [label for label, days in zip(labels, table.T, strict=True) if days.any()]
assert leaking == ["unrest", "level", "volume"]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.9)
for k in range(len(labels)):
    for j in range(len(asked)):
        bad = bool(table[j, k])
        panel.barh(k, 0.86, 0.8, left=j - 0.43, color=VERMILION if bad else SKY, alpha=1 if bad else 0.45, linewidth=0)
        if bad:
            panel.text(j, k, "x", ha="center", va="center", fontsize=10, weight="bold", color="white")
years = [j for j, t in enumerate(asked) if j % 4 == 0]
panel.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.5, -0.5), xlim=(-0.6, len(asked) - 0.4))
panel.set_xticks(years, [str(date[asked[j]])[:7] for j in years])
panel.set(title="What the day could not know", xlabel="computed as of")
panel.tick_params(length=0)
panel.spines[:].set_visible(False)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = (
    f"Twelve features, computed as of {len(asked)} days and compared with the full history. Nine agree on every day. "
)
told += ", ".join(f"{label} differs on {int(table[:, labels.index(label)].sum())}" for label in leaking) + "."
future = viz.Chart.of(figure, "Features that know the future", told)
future.save(out / "figures" / "05_06_as_of.svg")
future

# %% [markdown]
# `level` leaks through the data: the adjusted close. `volume` divides by the mean of *all* days, the coming ones too. And
# `unrest` takes the five days *around* each, as `center=True` does in pandas: two of them are still to come. No hash would
# have told, since a month later these two are long past. Repair all three:


# %%
def repaired(data, run, price="forward"):
    """`features`, with the volume compared with the days so far, and unrest in the last five days."""
    values, labels = features(data, run, price)
    so_far = np.cumsum(data["volume"], axis=0) / np.arange(1, len(data["volume"]) + 1)[:, None]
    values[..., labels.index("volume")] = np.log(data["volume"] / so_far)
    moves = np.log(data[price] / back(data[price], 1))
    values[..., labels.index("unrest")] = moving(moves, 5, np.std) / moving(moves, run["volatility"], np.std)
    return values, labels


# %%
left = leaks(lasting, runs[0], "forward", asked, repaired)
print(f"repaired: {int(left.any(axis=0).sum())} of {len(labels)} features know the future")
old, new = (repaired(data, runs[0])[0][: full * days_in_chunk] for data in (lasting_then, lasting))
assert not left.any()
assert np.array_equal(old, new, equal_nan=True)
print("and all have the same bits a month later")

# %% [markdown] tags=["section-predict"]
# ## Is one day enough?
#
# As-of recomputation costs a run for each day. Would the last day alone have found all three? Write it down, and run.
# Then try the day before it.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
alone = {}
for name, t in {"the last day": len(date) - 1, "a month before": month_ago, "the first of the table": asked[0]}.items():
    found = leaks(now, runs[0], "adjusted", [t])[0]
    alone[name] = [label for label, bad in zip(labels, found, strict=True) if bad]
    print(f"{name:23} finds {', '.join(alone[name]) or 'nothing'}")

# %% [markdown]
# On the last day the whole sample *is* what was known, and the day after is missing in both. The mistakes in the code
# cannot be seen there; what is left is the archive, which was adjusted for years to come. Take days from all over.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_06.1
#
# A strategy earns 0.05 % a day on average, with a standard deviation of 1.2 %. What is its **[Sharpe
# ratio](https://en.wikipedia.org/wiki/Sharpe_ratio "The mean of the returns divided by their standard deviation, both
# for a year; here without a riskless rate.")** for a year of 252 days? Give it to two decimals.
#
# <details><summary>Hint</summary>
# The mean grows with the days, the standard deviation with their square root.</details>

# %% tags=["exercise"]
sharpe_ratio = ...
check("05_06.1", sharpe_ratio)

# %% [markdown]
# ### Exercise 05_06.2
#
# 24 runs of 3,270 days lie in chunks of one run and 512 days. Ten days are appended to every run, and one parameter of one
# run is changed, so that all its values differ. How many chunks change?
#
# <details><summary>Hint</summary>
# Into how many chunks do 3,280 days go, and how full is the last one? Count no chunk twice.</details>

# %% tags=["exercise"]
chunks_changed = ...
check("05_06.2", chunks_changed)

# %% [markdown]
# ### Exercise 05_06.3
#
# Write a function that takes a feature, which is a function from a list of prices to a list of values of the same length,
# and prices, and returns the first day on which the feature knows the future: its value differs from that computed as of
# that day. `None` if there is no such day. NaN equals NaN.
#
# <details><summary>Hint</summary>
# As of day t, only `prices[: t + 1]` is known.</details>


# %% tags=["exercise"]
def first_leak(feature, prices):
    """The first day on which `feature` knows the future; None if it never does."""
    ...


check("05_06.3", first_leak)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `array.read_chunk(at)` for each `at` of `array.stored_chunks()` | `array.blocks[at]` in zarr-python | the coordinates of the chunks that are stored |
# | `manifest(array)`: named by content | `dask.array.from_zarr(path).name`: named by path; the same after a write, another for a copy | a name by content for what is in a store |
# | `array[2, t]`, with `t` looked up among the dates | `dataset["features"].sel(run=2, date="2013-02-01")` in xarray | - |
# | `as_of(data, t)` | `dataset.sel(date=slice(None, day))`, which includes the day itself | a check that a feature is causal |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Runs in an array whose chunks hold one run each, with parameters, price column and data hash in the attributes, and a
#   hash of each chunk's values.
# - Of 28 chunks a new parameter changed the 7 of its run; one month of dividends changed all that were full.
# - Adjust forward, and history stays; or keep each download by its hash.
# - As-of recomputation found the three features that know the future, and none else. Use many days.
#
# **Open questions.** Your vendor corrects a price of last year: is that a leak, or a repair? Which companies are missing
# from your data because they failed?
#
# **To read further.**
#
# - [Bailey and others, The probability of backtest overfitting](https://doi.org/10.21314/JCF.2016.322): why the best of many
#   runs disappoints, even without a leak.
# - [Shumway, The delisting bias in CRSP data](https://doi.org/10.1111/j.1540-6261.1997.tb03818.x): what missing companies
#   do to returns.
# - [The Zarr specification, version 3](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html): what is stored of
#   an array, and so what a hash can cover.
#
# **Next.** [06_01](../06_crypto/06_01_ohlcv_across_venues.ipynb): do two exchanges agree on what a coin did in the last
# minute?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 0.05 / 1.2, times the square root of 252.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_06.1", 0.05 / 1.2 * math.sqrt(252))

# %% [markdown]
# Seven chunks hold up to 3,584 days, so the ten new days lie in the last one: one chunk of each of 23 runs, and all seven
# of the changed one.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_06.2", 23 + 7)

# %% [markdown]
# The value of a day from the whole, and from what was known on it.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def first_leak(feature, prices):
    """The first day on which `feature` knows the future; None if it never does."""
    whole = feature(prices)
    for t in range(len(prices)):
        known = feature(prices[: t + 1])[t]
        both_missing = known != known and whole[t] != whole[t]
        if not both_missing and not abs(known - whole[t]) < 1e-9:
            return t
    return None


check("05_06.3", first_leak)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "days": len(date),
        "runs": len(runs),
        "features": len(labels),
        "chunks": len(hashes),
        "days_in_chunk": days_in_chunk,
        "changed_by_parameter": len(by_parameter),
        "full_chunks": len(before),
        "changed_by_dividends": by_dividends,
        "moved_in_a_month": moved,
        "one_dollar": {column: round(float(money[-1]), 2) for column, money in curves.items()},
        "one_dollar_in_all": round(float(np.cumprod(1 + earned.mean(1))[-1]), 2),
        "first_day": {name: round(float(now[name][0, 0]), 2) for name in ("close", "adjusted")},
        "forward_same_bits": sum(same_bits.values()),
        "as_of_days": len(asked),
        "leaks": {label: int(days.sum()) for label, days in zip(labels, table.T, strict=True)},
        "leaking": len(leaking),
        "clean": len(labels) - len(leaking),
        "leaks_after_repair": int(left.any(axis=0).sum()),
        "found_by_one_day": alone,
        "sum_of_momentum": round(float(np.nansum(first[0, :, :, 3].astype("float64"))), 3),
    },
)
