# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Compare one coin across exchanges that disagree
#
# **Question.** Do two exchanges agree on what a coin did in the last minute?
#
# ![The correlation of one coin's returns on two exchanges against the interval. With the slowest exchange it is about a
# third at one minute and nearly one at an hour.](../../articles/figures/06_01_epps.svg)
#
# *The same six coins, on four exchanges. One is how much a coin ought to resemble itself.*
#
# You keep one-minute bars of several exchanges: to find the best price, to check a fill, to see who leads. The coin is
# the same everywhere. So its returns should be the same too, and any difference should be noise. Should.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb), [05_01](../05_finance/05_01_tick_data_cube.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/stores` |
# | **Article** | [The coin that hardly resembles itself](../../articles/25_ohlcv_across_venues.md) |
# | **Data** | a week of one-minute bars, generated (`data_gen/venues.py`) |
#
# **You will be able to**
#
# - measure how much two series agree, interval by interval
# - tell a late price from a wrong one
# - say which fields of bars can be merged, and which cannot
# - choose chunks for one venue, for one coin, or for both, by counted requests
# - add a day that comes late, without touching what others wrote
# - keep an old price from passing for a new one
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `coin` is the one in the figures, 0 to 5.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: four weeks instead of one
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
coin = 2

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tutorial_zarr as zarr
from data_gen import venues
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(coin=(coin, 0, 5), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Bars of four venues that never close
#
# Four venues, A to D, the largest first, and six coins. For each minute, venue and coin an
# **[OHLCV](https://en.wikipedia.org/wiki/Open-high-low-close_chart "Open, high, low, close and volume: the first, the
# highest, the lowest and the last price of an interval, and how much was traded.")** bar. Real bars come with outages,
# clocks that are off, and prices in dollars here and in a stablecoin there. These are generated: one currency, one clock,
# constant delays, and a market that all venues come back to. Their
# **[stylised facts](../GLOSSARY.md#stylised-facts)** are held to published ones.

# %%
data = venues.make("small" if quick else "large", seed)
checks = venues.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
bars = data.arrays["bars"]
minutes, days = len(bars), len(bars) // 1440
close, volume = bars[..., 3], bars[..., 4]
silent = np.isnan(close).mean(axis=(0, 2))
share = (volume / volume.sum((0, 1))).sum((0, 2)) / close.shape[2]
print(
    f"{bars.shape} (minute, venue, coin, field), {bars.nbytes / 1e6:.1f} MB; {len(checks)} of {len(checks)} checks pass"
)
for v, name in enumerate(venues.VENUES):
    print(f"{name}: {share[v]:5.1%} of the volume, {silent[v]:5.1%} of the bars without a trade")

# %% [markdown] tags=["section-idea"]
# ## One coin, two venues, a week and an hour of it
#
# Closes of the largest venue and of the smallest. Over the week they are one line. Within an hour they are not.


# %%
def filled(close):
    """The last close so far, along the first axis."""
    rows = np.arange(len(close)).reshape(-1, *[1] * (close.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(close), 0, rows), axis=0)
    return np.take_along_axis(close, last, axis=0)


known, day = filled(close), 1440
begin = 1440  # of the hour in the figure

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.0, 1, 2)
for v, colour in ((0, BLUE), (3, VERMILION)):
    left.plot(np.arange(0, minutes, 30) / day, known[::30, v, coin], color=colour, linewidth=1.2)
    right.step(range(60), known[begin : begin + 60, v, coin], where="post", color=colour, label=f"venue {'ABCD'[v]}")
left.set(title=f"Coin {coin}, every half hour", xlabel="day", ylabel="US dollars")
right.set(title="One hour of it, minute by minute", xlabel="minute of the hour", ylabel="US dollars")
right.legend()
ends = [f"{'ABCD'[v]} from {known[begin, v, coin]:,.2f} to {known[begin + 59, v, coin]:,.2f}" for v in (0, 3)]
told = f"The closes of two venues: one line over {minutes // day} days, and two within an hour: {'; '.join(ends)}."
two = viz.Chart.of(figure, "One coin, two venues", told, unequal="an hour of the same price, enlarged")
two.save(out / "figures" / "06_01_hour.svg")
two

# %% [markdown]
# **Write down two guesses.** Take the return of each minute of the week on A, and on D. What is the correlation of the
# two? And if you take the returns over whole hours?

# %% [markdown] tags=["section-build"]
# ## Build it small: returns, and how alike they are
#
# Take every n-th close, take the differences of the logarithms, and correlate. A minute without a trade keeps the price
# before it.


# %%
def returns(close, minutes):
    """Logarithmic returns over so many minutes, along the first axis; the first close is left out."""
    return np.diff(np.log(filled(close)[minutes::minutes]), axis=0)


def alike(one, other):
    """The correlation of two sets of returns (time, coin); the median of the coins."""
    return float(np.median([np.corrcoef(a, b)[0, 1] for a, b in zip(one.T, other.T, strict=True)]))


intervals = (1, 2, 5, 10, 30, 60, 120)
epps = {
    venues.VENUES[v]: [alike(returns(close[:, 0], n), returns(close[:, v], n)) for n in intervals] for v in (1, 2, 3)
}

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print("minutes  ", *(f"{n:6}" for n in intervals))
for name, row in epps.items():
    print(f"A and {name}  ", *(f"{value:6.3f}" for value in row))
assert epps["D"][0] < 0.5 < 0.95 < epps["D"][5]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.4)
for (name, row), colour in zip(epps.items(), (BLUE, GREEN, VERMILION), strict=True):
    panel.plot(intervals, row, color=colour, marker="o", markersize=5, label=f"A and {name}")
panel.set(xscale="log", ylim=(0, 1.03), xlabel="interval of a return, minutes", ylabel="correlation")
panel.set_title("The same coin on two venues: how alike are its returns?")
panel.set_xticks(intervals, [str(n) for n in intervals])
panel.minorticks_off()
panel.legend(loc="lower right")
told = "; ".join(f"A and {name}: {row[0]:.2f} at one minute, {row[5]:.2f} at an hour" for name, row in epps.items())
epps_chart = viz.Chart.of(figure, "Correlation against the interval", f"Three rising curves. {told}.")
epps_chart.save(out / "figures" / "06_01_epps.svg")
epps_chart

# %% [markdown]
# This is the **[Epps effect](https://en.wikipedia.org/wiki/Epps_effect "Correlations between prices vanish as the
# interval of the returns shrinks, since not all prices follow at once.")**, first found in shares. Nothing is broken: over
# an hour the venues agree. So what happens within a minute? Two explanations: D is *noisy*, or D is *late*. Noise has
# nothing to do with A a minute later. A late price is found there.
#
# **A third guess.** D's minute resembles A's same minute with the correlation that you have seen. What is its
# correlation with A's minute *before*: about 0, 0.1, or more?

# %% [markdown]
# Shift one of the two series by some minutes, and correlate again: a **[lead-lag
# correlation](https://arxiv.org/abs/1111.7103 "The correlation of two series, one of them shifted in time; it peaks at
# the shift by which one follows the other.")**. The slope says how much of a move on A shows on D.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
lags = (-2, -1, 0, 1, 2)
a, d = returns(close[:, 0], 1), returns(close[:, 3], 1)
middle, shifted, slope = a[2:-2], {}, {}
for lag in lags:
    later = d[2 + lag : len(d) - 2 + lag]
    shifted[lag] = alike(middle, later)
    slope[lag] = float(np.median([np.cov(x, y)[0, 1] / x.var(ddof=1) for x, y in zip(middle.T, later.T, strict=True)]))
    print(f"A's minute and D's {lag:+} minutes: correlation {shifted[lag]:6.3f}, slope {slope[lag]:6.3f}")
assert max(shifted, key=shifted.get) == 1

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.0)
panel.bar(lags, [shifted[lag] for lag in lags], width=0.7, color=[ORANGE if lag == 1 else SKY for lag in lags])
for lag in lags:
    panel.text(lag, max(shifted[lag], 0) + 0.012, f"{abs(shifted[lag]):.2f}", ha="center", fontsize=10)
panel.set(ylim=(-0.03, 0.5), ylabel="correlation", title="A's minute, and a minute of D")
panel.set_xticks(lags, ["2 before", "1 before", "the same", "1 after", "2 after"])
panel.axhline(0, color=GREY, linewidth=0.8)
told = ", ".join(f"{shifted[lag]:.3f} at {lag:+}" for lag in lags)
lag_chart = viz.Chart.of(
    figure, "Who follows whom", f"Correlation of A's minute with D's minutes: {told}. The next is highest."
)
lag_chart.save(out / "figures" / "06_01_lag.svg")
lag_chart

# %% [markdown]
# D resembles what A did a minute ago *more* than what A is doing now. How much of a move arrives, and how much of D's
# minute do A's two minutes explain together?

# %%
through = sum(slope.values())
print(
    f"of a move on A, {slope[0]:.0%} shows on D in the same minute, {slope[1]:.0%} in the next; all in all {through:.0%}"
)
late_and_now = [np.corrcoef(np.stack([y[1:], x[1:], x[:-1]])) for x, y in zip(a.T, d.T, strict=True)]
both = float(np.median([math.sqrt(1 - np.linalg.det(r) / np.linalg.det(r[1:, 1:])) for r in late_and_now]))
print(f"D's minute and the best mix of A's same minute and the one before: correlation {both:.2f}")

# %% [markdown]
# D is late, and also noisy. The late part is the one that arrives: a move is there in full after two minutes. What D strays
# from A does not add up, so over an hour it hardly counts. (The generator says: D sees A's price 25 seconds late. A real
# delay need not be constant.)
#
# This alone makes nobody rich: a bar is what was traded, and not what you could have traded at. It tells you not to
# call a difference between two bars of one minute an opportunity.

# %% [markdown] tags=["section-library"]
# ## One cube, two ways to ask
#
# One array (minute, venue, coin, field), NaN where nobody traded. Two questions are asked of it: *one venue, all coins*
# (its report) and *one coin, all venues* (this lesson). Four ways to cut it:

# %%
week = 7 * day
layouts = {
    "by venue": (day, 1, 6, 5),
    "by coin": (day, 4, 1, 5),
    "by both, a day": (day, 1, 1, 5),
    "by both, a week": (week, 1, 1, 5),
}
kept = {"fill_value": math.nan, "zarr_format": zarr_format}
cubes = {}
for name, chunks in layouts.items():
    path = out / f"{name.replace(', a', '').replace(' ', '_')}.zarr"
    cubes[name] = zarr.create_array(path, data=bars, chunks=chunks, overwrite=True, **kept)
for name, cube in cubes.items():
    print(f"{name:16} {cube.chunks}: {cube.nchunks} chunks")

# %% [markdown]
# **Guess** the requests of both questions, in each layout, before you run the next cell. Is there one that is good at both?

# %%
questions = {"one venue, all coins": (slice(None), 3), "one coin, all venues": (slice(None), slice(None), coin)}


def cost(cube, selection):
    """Requests for a selection of a cube, and bytes decoded for each byte asked."""
    trace = TraceStore(cube.store)
    traced = zarr.open_array(trace, mode="r")
    trace.clear()
    found = traced[selection]
    assert np.array_equal(found, bars[selection], equal_nan=True)
    return trace.count("GET"), trace.count("GET") * math.prod(cube.chunks) * 8 / found.nbytes


costs = {(name, asked): cost(cubes[name], selection) for name in cubes for asked, selection in questions.items()}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.6)
for row, name in enumerate(cubes):
    for k, (asked, colour) in enumerate(zip(questions, (BLUE, ORANGE), strict=True)):
        requests, times = costs[name, asked]
        at = row + 0.2 * (2 * k - 1)
        panel.barh(at, requests, 0.36, color=colour, label=asked if row == 0 else None)
        panel.text(requests + 0.6 * days / 7, at, f"{requests}, x{times:.0f} the bytes", va="center", fontsize=10)
panel.set(yticks=range(4), yticklabels=list(cubes), ylim=(3.6, -0.6), xlabel="requests", xlim=(0, 58 * days / 7))
panel.set_title(f"Two questions about {days} days, in four layouts")
panel.legend(loc="center right", bbox_to_anchor=(1, 0.12))
told = "; ".join(f"{name}, {asked}: {n}, x{times:.0f} the bytes" for (name, asked), (n, times) in costs.items())
layout_chart = viz.Chart.of(figure, "Requests of two questions in four layouts", f"Requests. {told}.")
layout_chart.save(out / "figures" / "06_01_layouts.svg")
layout_chart

# %% [markdown]
# The obvious two each pay for the other's question: up to six times the bytes
# (**[read amplification](../GLOSSARY.md#read-amplification)**). Cut by both, and no byte is wasted, at the price of many
# requests. The way out is the axis that nobody asked about: *time*. A week of one coin on one venue holds as many bars
# as a day of a venue with seven coins, and both questions take fewer requests than in any other layout here.
#
# What can be merged across venues? Not all of a bar:

# %%
whole = data.arrays["consolidated"]  # made from all trades, not from bars
o, high, low, last, amount = np.moveaxis(cubes["by both, a week"][...], -1, 0)
assert np.array_equal(np.nanmax(high, axis=1), whole[..., 1])
assert np.array_equal(np.nanmin(low, axis=1), whole[..., 2])
assert np.allclose(amount.sum(axis=1), whole[..., 4])
close_of_a, open_of_a = (float((x[:, 0] == y).mean()) for x, y in ((last, whole[..., 3]), (o, whole[..., 0])))
print("high, low and volume of all venues: exact in every bar")
print(
    f"the largest venue's close is the market's last price in {close_of_a:.0%} of the bars, its open in {open_of_a:.0%}"
)

# %% [markdown]
# A close must know its time ([05_01](../05_finance/05_01_tick_data_cube.ipynb)), and a bar has thrown it away. So has the
# VWAP been: store what was paid as a sixth field, or you cannot have it later.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same bars:")
report = interop_check(out / "by_both_week.zarr", expected=bars)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Venue D comes a day late
#
# Each venue's feed is a writer of its own. D's feed was down on Wednesday, and sends the day on Thursday. What does
# writing it touch? Count reads, writes, and how much of what is written again belongs to the other venues.

# %%
wednesday = slice(2 * day, 3 * day)
late = {}
for name, chunks in layouts.items():
    trace = TraceStore(cubes[name].store)
    a = zarr.open_array(trace, mode="r+")
    trace.clear()
    a[wednesday, 3] = bars[wednesday, 3]
    late[name] = {"GET": trace.count("GET"), "PUT": trace.count("PUT"), "others": 1 - 1 / chunks[1]}
    print(
        f"{name:16} {late[name]['GET']} reads, {late[name]['PUT']} writes; {late[name]['others']:.0%} of it is others'"
    )

# %% [markdown]
# In chunks of a coin, D's bars lie in one object with those of A, B and C. To add them means to read, change and write back
# what others wrote. If C is late as well, that is a **[lost update](../GLOSSARY.md#lost-update)** in the making. Here the
# three steps are one ([01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb)), and the feeds wait for each other;
# other libraries let one of them lose. With chunks that belong to one venue, four feeds need no lock:

# %%
fresh = zarr.create_array({}, shape=bars.shape, dtype="f8", chunks=layouts["by both, a day"], **kept)


def feed(v):
    for start in range(0, minutes, day):
        fresh[start : start + day, v] = bars[start : start + day, v]


with ThreadPoolExecutor(workers) as pool:
    list(pool.map(feed, range(4)))
assert np.array_equal(fresh[...], bars, equal_nan=True)
print("four feeds at once, no lock: every bar arrived")

# %% [markdown]
# And the price of weeks: a feed that adds a day to a chunk of a week writes the chunk seven times.

# %%
writes = {}
for name in ("by both, a day", "by both, a week"):
    trace = TraceStore(zarr.create_array({}, shape=bars.shape, dtype="f8", chunks=layouts[name], **kept).store)
    a = zarr.open_array(trace, mode="r+")
    trace.clear()
    for start in range(0, week, day):
        a[start : start + day, 3] = bars[start : start + day, 3]
    writes[name] = {"GET": trace.count("GET"), "PUT": trace.count("PUT")}
    print(f"{name:16} seven days of D: {writes[name]['GET']} reads, {writes[name]['PUT']} writes")

# %% [markdown]
# So write days, and when a week is complete, copy it into weeks (`rechunk`,
# [07_01](../07_geo/07_01_climate_cube_windows.ipynb)). Late days then go where they belong, and the readers get the long
# chunks.

# %% [markdown] tags=["section-wrong"]
# ## The price that was a day old
#
# Until Wednesday comes, every tool carries D's last price forward. Look for the largest difference between two venues in
# that state, and without the gap:


# %%
def apart(known):
    """By how much the highest venue exceeds the lowest, in basis points (minute, coin)."""
    return (known.max(axis=1) / known.min(axis=1) - 1) * 1e4


gap = close.copy()
gap[wednesday, 3] = np.nan
spreads = {"all there": apart(known), "Wednesday missing": apart(filled(gap))}
wide = {name: int((values > 100).sum()) for name, values in spreads.items()}
largest = {name: float(values.max()) for name, values in spreads.items()}
for name in spreads:
    print(
        f"{name:18} largest difference {largest[name]:6.1f} bp; over 100 bp in {wide[name]:,} of {known[:, 0].size:,} bars"
    )


# %%
def longest_silence(close):
    """The most minutes in a row without a trade."""
    most = run = 0
    for missing in np.isnan(close):
        run = run + 1 if missing else 0
        most = max(most, run)
    return most


silences = [longest_silence(close[:, 3, k]) for k in range(6)]
print(f"the longest silence of D, coin by coin: {silences} minutes")

# %% [markdown]
# Thousands of opportunities, and all of them one old price. NaN said so; filling it in threw that away. So carry a price
# no further than trading is ever silent (here a few minutes), and store NaN, not the filled price. A zero is worse: it
# is a price.

# %%
zeros = np.nan_to_num(bars, nan=0.0)
lowest = float(zeros[..., 2].min(axis=1).min())
print(f"no trade stored as zero: the low of all venues is {lowest:.2f} dollars")

# %% [markdown] tags=["section-predict"]
# ## A third question: the last hour of everything
#
# A dashboard shows the last hour of all coins on all venues. How many requests in each of the four layouts, and which one
# reads the most for it? Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
dashboard = {name: cost(cube, slice(-60, None)) for name, cube in cubes.items()}
for name, (requests, times) in dashboard.items():
    print(f"{name:16} {requests} requests, x{times:.0f} the bytes")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 06_01.1
#
# In one minute A trades 30 coins at a VWAP of 100.00, B trades 10 at 102.00, and C and D trade none (NaN). What is the VWAP
# of all venues?
#
# <details><summary>Hint</summary>
# What was paid, and for how many?</details>

# %% tags=["exercise"]
all_venues = ...
check("06_01.1", all_venues)

# %% [markdown]
# ### Exercise 06_01.2
#
# 28 days of bars, chunks of (10,080, 1, 2, 5): a week, one venue, two coins, five fields. How many requests take one coin
# on all four venues?
#
# <details><summary>Hint</summary>
# Along which axes does the selection cross borders of chunks?</details>

# %% tags=["exercise"]
requests_of_a_coin = ...
check("06_01.2", requests_of_a_coin)

# %% [markdown]
# ### Exercise 06_01.3
#
# Write `carried(close, limit)`: a series in which a NaN becomes the last price before it, if that is at most `limit`
# minutes old; what is older stays NaN. Do not change `close`.
#
# <details><summary>Hint</summary>
# For each minute, when was the last trade?</details>


# %% tags=["exercise"]
def carried(close, limit):
    """`close` with gaps filled by the last price, for at most `limit` minutes."""
    ...


check("06_01.3", carried)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[wednesday, 3] = bars` in a chunk of all venues: feeds wait for each other | bars of one feed can be lost; xarray's `to_zarr(region=...)` refuses Dask chunks that would share a chunk | feeds that know nothing of each other |
# | `filled(close)`, written by hand | `close.to_series().ffill(limit=5)` in xarray, by pandas | here: a function for it |
# | `alike(one, other)` on filled prices | `xarray.corr(one, other, dim="minute")` leaves out pairs with a NaN | - |
# | `create_array(..., fill_value=nan)`: minutes that never came read as NaN | the same name | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Correlate returns over one minute, two, five, an hour: that two series agree depends on the interval.
# - Shift one of them. If the correlation is higher a minute later, the price is late, and not wrong.
# - Of bars of several venues, high, low and volume merge; open, close and VWAP need what a bar does not keep.
# - Chunks of one venue and one coin, long in time, serve both questions; here 6 and 4 requests for a week.
# - A chunk that belongs to one venue can be written late, and by a writer of its own, without touching the others.
# - Store NaN where nobody traded, and carry a price for a few minutes only.
#
# **Open questions.** Trades come at irregular times ([05_02](../05_finance/05_02_order_book_snapshots.ipynb)), and a
# bar is a grid laid over them: what would the correlation be from
# the trades themselves, as Hayashi and Yoshida propose? What if a venue's clock is wrong?
#
# **To read further.**
#
# - [Epps, Comovements in Stock Prices in the Very Short Run](https://doi.org/10.1080/01621459.1979.10482508): the paper
#   that found it, in shares of one industry.
# - [Makarov and Schoar, Trading and Arbitrage in Cryptocurrency Markets](https://doi.org/10.1016/j.jfineco.2019.07.001): real
#   venues, and how far apart they were.
# - [Huth and Abergel, High frequency lead/lag relationships](https://arxiv.org/abs/1111.7103): who leads, from trades at
#   irregular times.
#
# **Next.** How do you keep a store of blocks exact to the satoshi while the chain grows and reorganises?
# [06_02](06_02_onchain_block_metrics.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# What was paid is 30 x 100 + 10 x 102, for 40 coins. A venue without a trade adds nothing to either sum.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_01.1", (30 * 100 + 10 * 102) / 40)

# %% [markdown]
# Four weeks times four venues; the second coin in the chunk costs bytes, and no request.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_01.2", 4 * 4)

# %% [markdown]
# Keep the minute of the last trade, and compare how long ago it was.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def carried(close, limit):
    """`close` with gaps filled by the last price, for at most `limit` minutes."""
    result, last = np.array(close, dtype=float), None
    for minute, price in enumerate(close):
        if not np.isnan(price):
            last = minute
        elif last is not None and minute - last <= limit:
            result[minute] = close[last]
    return result


check("06_01.3", carried)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "minutes": minutes,
        "coin": coin,
        "share": dict(zip(venues.VENUES, share.round(6).tolist(), strict=True)),
        "silent": dict(zip(venues.VENUES, silent.round(6).tolist(), strict=True)),
        "intervals": list(intervals),
        "epps": {name: [round(value, 6) for value in row] for name, row in epps.items()},
        "shifted": {str(lag): round(value, 6) for lag, value in shifted.items()},
        "slope": {str(lag): round(value, 6) for lag, value in slope.items()},
        "through": round(through, 6),
        "both_minutes": round(both, 6),
        "seconds_late": data.truth["seconds behind"],
        "costs": {f"{name}: {asked}": [n, round(times, 6)] for (name, asked), (n, times) in costs.items()},
        "dashboard": {name: [n, round(times, 6)] for name, (n, times) in dashboard.items()},
        "chunks": {name: cube.nchunks for name, cube in cubes.items()},
        "late": late,
        "writes": writes,
        "close_of_a": round(close_of_a, 6),
        "open_of_a": round(open_of_a, 6),
        "over_100_bp": wide,
        "largest_bp": {name: round(value, 6) for name, value in largest.items()},
        "bars_of_all_coins": known[:, 0].size,
        "silences": silences,
        "lowest_with_zeros": lowest,
        "wide_bp": 100,
        "percent": {
            "shares": [round(100 * value, 1) for value in share],
            "silent": [round(100 * value, 1) for value in silent],
            "same_next_all": [round(100 * value) for value in (slope[0], slope[1], through)],
            "others": round(100 * late["by coin"]["others"]),
            "close_of_a": round(100 * close_of_a),
        },
    },
)
