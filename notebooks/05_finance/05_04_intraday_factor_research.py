# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Carry a rolling window across a chunk border
#
# **Question.** What does a rolling window need from the chunk before?
#
# ![A price over three days with a band around it. Where each day is computed by itself, the band is missing in the
# first 59 minutes of every day.](../../articles/figures/05_04_restart.svg)
#
# *A price and its band of the last hour, each day a chunk. Computed chunk by chunk, the band is missing where markets are
# wildest.*
#
# Volatility, correlation, a moving average: many signals look back over a window. A window does not care where a chunk
# ends, and code that works chunk by chunk does. There are two cheap ways out. One costs five times what it seems to in the
# chunks of this lesson, and the other can be poisoned by one bad tick for days.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [05_01](05_01_tick_data_cube.ipynb), [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/resizing` |
# | **Article** | [The tick that would not leave](../../articles/22_intraday_factor_research.md) |
# | **Data** | a week of minutes in eight stocks (`data_gen/ticks.py`), thirteen years of Apple (`data_gen/stocks.py`) |
#
# **You will be able to**
#
# - compute a rolling window over a stream of chunks, the same at every row
# - say what a halo costs in rows, in chunks and in bytes
# - choose a state that forgets what has left the window
# - stop, and go on tomorrow, with the same bits
# - find a float32 sum that runs along the wrong axis
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `window` is the window in minutes, `chunk` the length of a chunk, `stock` the one in the figures, 0 to 7.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: every stock gets the bad tick, not only one
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
window = 60
chunk = 390  # a trading day
stock = 0

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math
from hashlib import sha256

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts

need("pandas")
import pandas

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import stocks, ticks
from tutorial_zarr import viz
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(window=(window, 2, 120), chunk=(chunk, 60, 975), stock=(stock, 0, 7))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A week of minutes, and one real stock
#
# The price at the end of each minute, in eight stocks, for five days of 390 minutes. They are the generated trades of
# [05_01](05_01_tick_data_cube.ipynb), which are held to the facts about real markets named there. Real ones would
# jump overnight, pause, and hold bad ticks; we shall plant one of those. After them comes a
# real series: thirteen years of Apple, daily.

# %%
week = ticks.make("large", seed)
assert all(low <= value <= high for value, low, high in ticks.realism(week).values())
price = week.arrays["price"][59::60]
minutes, count = price.shape
print(f"{minutes:,} minutes x {count} stocks, {price.min():.2f} to {price.max():.2f} dollars")
print(f"{len(ticks.realism(week))} of {len(ticks.realism(week))} checks of the trades pass")

# %% [markdown] tags=["section-idea"]
# ## A window does not stop at a border
#
# The standard deviation of the last 60 prices, with the mean of the same 60, makes a band (**[Bollinger
# bands](https://en.wikipedia.org/wiki/Bollinger_Bands "A moving mean of a price, and around it a band of two moving
# standard deviations to each side.")**). A price that leaves it is news. Store a day in a chunk, compute each chunk by
# itself, and every morning begins without a window.


# %%
def rolling(rows):
    """The standard deviation of each row and the `window - 1` before it; NaN where there are too few."""
    result = np.full(rows.shape, np.nan)
    if len(rows) >= window:
        result[window - 1 :] = sliding_window_view(rows, window, axis=0).std(axis=-1, ddof=1)
    return result


whole = rolling(price)
alone = np.concatenate([rolling(price[start : start + chunk]) for start in range(0, minutes, chunk)])
lost = np.isnan(alone[chunk:, stock]).mean()
print(f"without a value: {lost:.1%} of the minutes after the first chunk")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
mean = np.full(minutes, np.nan)
mean[window - 1 :] = sliding_window_view(price[:, stock], window).mean(-1)
shown = slice(chunk, min(4 * chunk, minutes))
at = np.arange(shown.start, shown.stop)
low, high = (mean + side * 2 * whole[:, stock] for side in (-1, 1))
there = ~np.isnan(alone[shown, stock])
starts = range(shown.start, shown.stop, chunk)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.6)
panel.plot(at, price[shown, stock], color=GREY, linewidth=1, label="price")
panel.fill_between(at, low[shown], high[shown], where=there, color=SKY, alpha=0.6, label="band of the last hour")
for start in range(shown.start, shown.stop, chunk):
    named = {"label": "no band: the chunk has just begun"} if start == shown.start else {}
    panel.axvspan(start, start + window - 1, facecolor="none", edgecolor=VERMILION, hatch="///", linewidth=0, **named)
    panel.axvline(start, color=GREY, linewidth=0.8)
panel.set_xticks([start + chunk / 2 for start in starts], [f"day {start // chunk + 1}" for start in starts])
panel.set(title="Each day a chunk, each chunk by itself", ylabel="dollars", xlabel="minutes of trading, day by day")
panel.tick_params(axis="x", length=0)
_ = figure.legend(*panel.get_legend_handles_labels(), loc="outside upper center", ncols=3)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = f"A price over three days with its band. In the first {window - 1} minutes of every day the band is missing."
restart = viz.Chart.of(figure, "A band with holes", told)
restart.save(out / "figures" / "05_04_restart.svg")
restart

# %% [markdown]
# Fifteen per cent of the day is gone, and it is the opening. Some code does worse and fills the hole with shorter
# windows: numbers of another kind under the same name.

# %% [markdown] tags=["section-build"]
# ## Build it small: hand on the last 59 rows
#
# A window that ends in this chunk reaches back at most `window - 1` rows. So keep these from one chunk to the next.


# %%
def carried(chunks, tail):
    """`rolling` of each chunk that comes, with the last rows before it in `tail`."""
    for rows in chunks:
        joined = np.concatenate([tail, rows])
        yield rolling(joined)[len(tail) :]
        tail = joined[-(window - 1) :]


nothing = price[:0]
for length in (1, 7, 59, 60, 390, 1000):
    cut = [price[start : start + length] for start in range(0, minutes, length)]
    assert np.allclose(np.concatenate(list(carried(cut, nothing))), whole, rtol=1e-12, equal_nan=True)

# %% [markdown]
# Chunks of one row or of a thousand: the same. And pandas, which knows nothing of chunks, says so too, at every row.

# %%
by_pandas = pandas.DataFrame(price).rolling(window).std().to_numpy()
apart = np.nanmax(np.abs(by_pandas - whole))
print(f"every row within 1e-10 dollars of pandas: {bool(apart < 1e-10)}")
assert apart < 1e-10

# %% [markdown]
# And a real series. The volatility of Apple over 60 days, from daily returns in chunks of a year, is pandas' at each of
# its rows:

# %%
apple = np.diff(np.log(stocks.make("tiny").arrays["adjusted"]), axis=0)
years = [apple[start : start + 252] for start in range(0, len(apple), 252)]
volatility = np.concatenate(list(carried(years, apple[:0])))[:, 0] * math.sqrt(252)
reference = pandas.Series(apple[:, 0]).rolling(window).std().to_numpy() * math.sqrt(252)
assert np.allclose(volatility, reference, rtol=1e-10, equal_nan=True)
date = stocks.make("tiny").arrays["date"][1:]
most = int(np.nanargmax(volatility))
print(f"{len(apple):,} days in {len(years)} chunks; highest {volatility[most]:.0%} a year, first on {date[most]}")

# %% [markdown] tags=["section-build"]
# ## The tick that would not leave
#
# 60 subtractions for each row look wasteful. Add the new row, remove the old one, and the state is two sums:


# %%
def running_sums(values):
    """Rolling standard deviation from the sum and the sum of squares of the window."""
    total = squares = 0.0
    for i, x in enumerate(values):
        total, squares = total + x, squares + x * x
        if i >= window:
            total, squares = total - values[i - window], squares - values[i - window] ** 2
        variance = (squares - total * total / window) / (window - 1)
        yield math.sqrt(max(variance, 0)) if i >= window - 1 else math.nan


# %% [markdown]
# Textbooks warn of it: two large sums are subtracted, and their first digits go (**[catastrophic
# cancellation](https://en.wikipedia.org/wiki/Catastrophic_cancellation "The difference of two numbers that are nearly
# equal: their shared first digits vanish, and what remains is mostly rounding.")**). They recommend Welford's update,
# which keeps the mean and the squares around it. A row that leaves is taken out the same way, backwards:


# %%
def add_and_remove(values):
    """Rolling standard deviation by Welford's update, and the same backwards for what leaves."""
    n, mean, squares = 0, 0.0, 0.0
    for i, x in enumerate(values):
        n, step = n + 1, x - mean
        mean += step / n
        squares += step * (x - mean)
        if i >= window:
            n, step = n - 1, values[i - window] - mean
            mean -= step / n
            squares -= step * (values[i - window] - mean)
        yield math.sqrt(max(squares, 0) / (n - 1)) if i >= window - 1 else math.nan


# %% [markdown]
# On clean prices both are fine. Now one tick is wrong. NASDAQ's feed sends prices as whole ten-thousandths of a dollar;
# one was not converted, and 39.73 came as 397,300. After sixty minutes it is out of the window.
#
# **Write down a guess.** How far off is each of the two in the days after: not at all, in the tenth digit, in the
# third? Which is worse?

# %%
BAD = {"none": 1, "in cents": 100, "in ten-thousandths": 10_000, "in millionths": 1_000_000}
hit = 600  # the minute of the bad tick
after = slice(hit + window, None)  # it has left every window from here on
spoiled, off = {}, {}
for k in [stock] if quick else [stock, *(set(range(count)) - {stock})]:
    for bad, times in BAD.items():
        values = price[:, k].copy()
        values[hit] = round(values[hit] * times)
        for method in (running_sums, add_and_remove):
            got = np.array(list(method(values.tolist())))
            off[k, bad, method.__name__] = float(np.max(np.abs(got[after] / whole[after, k] - 1)))
            spoiled[k, bad, method.__name__] = got

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess, the largest relative error once the tick has left:")
for bad in BAD:
    sums, updates = (off[stock, bad, name] for name in ("running_sums", "add_and_remove"))
    print(f"{bad:20} running sums {sums:.1e}   add and remove {updates:.1e}")
assert off[stock, "none", "add_and_remove"] < 1e-8
assert off[stock, "in ten-thousandths", "add_and_remove"] > 1e-3

# %% [markdown]
# pandas, which you would rather use, adds and removes as well. Since version 3 it [computes a window
# again](https://github.com/pandas-dev/pandas/pull/63048) when it notices that digits were lost. Does it notice this tick?

# %% tags=["nbval-ignore-output"]
print(f"pandas {pandas.__version__}")
for bad, times in BAD.items():
    values = price[:, stock].copy()
    values[hit] = round(values[hit] * times)
    by_pandas = pandas.Series(values).rolling(window).std().to_numpy()
    off_pandas = float(np.max(np.abs(by_pandas[after] / whole[after, stock] - 1)))
    print(f"{bad:20} {off_pandas:.1e}")
    assert bad != "in ten-thousandths" or off_pandas > 1e-4

# %% [markdown]
# The tick that hurts is the one just small enough to pass. In our two loops nothing heals it. The careful method
# rounds when the tick comes in and again when it goes out, each time at the scale of the *tick's* square, and what is
# left of that stays in the state until the program starts again. The window has forgotten; the state has not.


# %% [markdown] tags=["section-build"]
# ## Two parts, and nothing is ever taken out
#
# [05_01](05_01_tick_data_cube.ipynb) merged parts instead of results, and count, mean and squares can be merged as well
# (**[Chan's algorithm](../GLOSSARY.md#chans-algorithm)**, a **[monoid](../GLOSSARY.md#monoid)**). Cut the rows into
# blocks of 60. Every window is then the tail of one block and the head of the next. Merge the two; remove nothing.


# %%
def added(part, x):
    """(count, mean, squares) of a part and one more row."""
    n, mean, squares = part
    step = x - mean
    mean = mean + step / (n + 1)
    return n + 1, mean, squares + step * (x - mean)


def merged(one, two):
    """(count, mean, squares) of two parts."""
    n, apart = one[0] + two[0], two[1] - one[1]
    return n, one[1] + apart * (two[0] / n), one[2] + two[2] + apart**2 * (one[0] * two[0] / n)


# %%
def two_parts(rows):
    """Rolling standard deviation; rows are cut into blocks as long as the window."""
    block, head, tails = [], (0, 0.0, 0.0), None
    for row in rows:
        block.append(row)
        head, missing = added(head, row), window - len(block)
        part = merged(tails[missing], head) if missing and tails else head
        yield np.sqrt(part[2] / (window - 1)) if tails or not missing else row * math.nan
        if not missing:
            tails = [(0, 0.0, 0.0)]  # tails[k]: the last k rows of the block
            for x in reversed(block):
                tails.append(added(tails[-1], x))
            block, head = [], (0, 0.0, 0.0)


# %%
assert np.allclose(np.array(list(two_parts(price))), whole, rtol=1e-10, equal_nan=True)
for bad, times in BAD.items():
    values = price[:, stock].copy()
    values[hit] = round(values[hit] * times)
    spoiled[stock, bad, "two_parts"] = got = np.array(list(two_parts(values)))
    off[stock, bad, "two_parts"] = float(np.max(np.abs(got[after] / whole[after, stock] - 1)))
    assert off[stock, bad, "two_parts"] < 1e-10
print("two parts: within 1e-10 of the truth after every one of the bad ticks")

# %% [markdown]
# About three additions for each row, whatever the window, and a bad tick is gone when it is gone. The same works for
# whatever merges and cannot be taken apart again: a maximum, for instance.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
names = {"running_sums": "running sums", "add_and_remove": "add and remove", "two_parts": "two parts"}
figure, (left, right) = viz.canvas(8.2, 3.7, 1, 2)
floor, bars = 1e-12, list(BAD)[1:]
for j, (name, colour) in enumerate(zip(names, (ORANGE, VERMILION, GREEN), strict=True)):
    heights = [max(off[stock, bad, name], floor) for bad in bars]
    right.bar(np.arange(3) + (j - 1) * 0.27, heights, 0.25, color=colour, label=names[name])
right.set(yscale="log", ylim=(floor / 10, 1e6), ylabel="largest relative error", title="Once the tick has left")
right.set_yticks([1e-12, 1e-9, 1e-6, 1e-3, 1], ["1e-12", "1e-9", "1e-6", "0.1 %", "100 %"])
right.set_xticks(range(3), [bad.replace("in ", "in\n") for bad in bars])
right.minorticks_off()
_ = right.legend(loc="upper left")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
seen = slice(hit - 60, hit + 5 * window)
drawn = {"truth": (whole[:, stock], BLUE, 3), "two parts": (spoiled[stock, bars[2], "two_parts"], GREEN, 1.2)}
drawn["running sums"] = (spoiled[stock, bars[2], "running_sums"], ORANGE, 1.8)
for name, (line, colour, width) in drawn.items():
    quiet = np.where((np.arange(minutes) >= hit) & (np.arange(minutes) < hit + window), np.nan, line)
    left.plot(np.arange(seen.start - hit, seen.stop - hit), quiet[seen], color=colour, linewidth=width, label=name)
left.axvspan(0, window, color=GREY, alpha=0.25, linewidth=0)
left.text(window / 2, 0.005, "tick in\nthe window", ha="center", va="bottom", fontsize=9)
left.set(
    title="A tick in millionths", xlabel="minutes after the tick", ylabel="standard deviation, dollars", ylim=(0, 0.26)
)
_ = left.legend(loc="upper right")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = "Left: hours after a bad tick, running sums are off and two parts lie on the truth. Right: the error that stays, by "
told += "the size of the tick. In ten-thousandths: "
told += ", ".join(f"{names[name]} {off[stock, 'in ten-thousandths', name]:.0e}" for name in list(names)[:2])
stays = viz.Chart.of(figure, "What a bad tick leaves behind", told + ", two parts below 1e-10.")
stays.save(out / "figures" / "05_04_bad_tick.svg")
stays

# %% [markdown] tags=["section-library"]
# ## Stop in the middle, and go on tomorrow
#
# The band goes into an array that grows by a day. Its length says how far we have come, and the 59 rows of the state are
# in the prices already: the program can stop after any day. Start, stop after two days, go on, and compare.

# %%
prices = zarr.create_array(
    out / "price.zarr", data=price, chunks=(chunk, count), zarr_format=zarr_format, overwrite=True
)


def go_on(result, days=None):
    """Append the days that are missing, or the first `days` of them."""
    done = len(result)
    first, tail = done // chunk, prices[max(0, done - window + 1) : done]
    left = prices.chunk_stream(filter=lambda at: at[0] >= first)
    for (_, rows), _ in zip(left, range(days or minutes), strict=False):
        band = next(carried([rows], tail))
        tail = np.concatenate([tail, rows])[-(window - 1) :]
        result.append(band)


# %%
form = {"shape": (0, count), "chunks": (chunk, count), "dtype": "float64", "fill_value": math.nan}
form |= {"zarr_format": zarr_format, "overwrite": True}
at_once = zarr.create_array(out / "band.zarr", **form)
in_two = zarr.create_array(out / "band_in_two.zarr", **form)
go_on(at_once)
go_on(in_two, days=2)
print(f"stopped after {len(in_two):,} minutes")
go_on(in_two)
hashes = [sha256(np.ascontiguousarray(a[...]).tobytes()).hexdigest() for a in (at_once, in_two)]
assert np.allclose(at_once[...], whole, rtol=1e-12, equal_nan=True)
assert hashes[0] == hashes[1]
print("gone on from there: the same bits as at once")

# %% [markdown]
# Do the same with running sums that start from nothing at the border, after the tick in ten-thousandths. The same minute, the
# same window, and the number depends on when the program was started:

# %%
values = price[:, stock].copy()
values[hit] = round(values[hit] * 10_000)
restarted = 2 * chunk  # more than an hour after the tick
since = restarted - window + 1
different = {}
for method in (running_sums, add_and_remove):
    late = np.array(list(method(values[since:].tolist())))[window - 1 :]
    early = spoiled[stock, "in ten-thousandths", method.__name__][restarted:]
    different[method.__name__] = float(np.max(np.abs(early / late - 1)))
    print(f"{method.__name__:15} started at the beginning or on day 3: {different[method.__name__]:.1e} apart")
    assert different[method.__name__] > 1e-4

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same band:")
report = interop_check(out / "band.zarr", expected=at_once[...])
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A halo of 59 rows costs a chunk
#
# Workers that each take a chunk cannot hand on a state. Each reads a **[halo](../GLOSSARY.md#halo)** in front of its
# chunk: (390 + 59) / 390, so 1.15 times the rows. **Guess** how many times the bytes.

# %%
traffic = {}
lengths = [60, 120, 195, 390, 650, 975]
for length in lengths:
    for packed in ("compressed", "plain"):
        trace = TraceStore(MemoryStore())
        form = {} if packed == "compressed" else {"compressors": None}
        a = zarr.create_array(trace, data=price, chunks=(length, count), zarr_format=zarr_format, **form)
        trace.clear()
        for start in range(0, minutes, length):
            a[max(0, start - window + 1) : start + length]
        halo = trace.count("GET"), trace.nbytes("GET")
        trace.clear()
        once = sum(1 for _ in a.chunk_stream(stored_only=False)), trace.nbytes("GET")
        traffic[length, packed] = (*halo, *once)

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
for packed in ("compressed", "plain"):
    gets, nbytes, chunks_once, bytes_once = traffic[chunk, packed]
    ratio = nbytes / bytes_once
    print(f"{packed:10} {gets} requests for {chunks_once} chunks, {ratio:.2f} times the bytes of handing on")
assert traffic[chunk, "compressed"][0] == 2 * traffic[chunk, "compressed"][2] - 1

# %% [markdown]
# A compressed chunk is decoded as a whole, so 59 of its rows cost all 390 (**[read
# amplification](../GLOSSARY.md#read-amplification)**). Only in plain chunks are they a range of the object. Either cut
# longer chunks, or let one worker do a run of days and read one halo in front of the run.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.5)
for packed, colour in (("compressed", VERMILION), ("plain", BLUE)):
    ratios = [traffic[length, packed][1] / traffic[length, packed][3] for length in lengths]
    panel.plot(lengths, ratios, color=colour, marker="o", label=f"{packed} chunks, measured")
fine = np.arange(60, 976)
panel.plot(fine, (fine + window - 1) / fine, color=GREY, linestyle="--", label="rows: (chunk + window - 1) / chunk")
panel.axhline(1, color=GREEN, linewidth=2, label="state handed on: each chunk once")
panel.set(title="What a halo reads", xlabel="minutes in a chunk", ylabel="bytes / bytes of handing on", ylim=(0.9, 2.3))
panel.set_xticks(lengths)
_ = panel.legend(loc="upper right")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
by_length = {
    length: round(traffic[length, "compressed"][1] / traffic[length, "compressed"][3], 2) for length in lengths
}
told = f"Bytes read with a halo, relative to handing the state on. In compressed chunks of {chunk} minutes "
told += (
    f"{by_length[chunk]}; the rule for rows says {(chunk + window - 1) / chunk:.2f}. The last chunk is shorter in some."
)
halos = viz.Chart.of(figure, "The price of a halo", told)
halos.save(out / "figures" / "05_04_halo.svg")
halos

# %% [markdown] tags=["section-wrong"]
# ## The sum that runs along the wrong axis
#
# A state need not be a window to go bad. Ten cents a second, four million seconds, two accounts side by side, in
# float32. Each account should hold 400,000 dollars. **Guess** how far off NumPy's own sum is.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
paid = np.full((4_000_000, 2), 0.1, "float32")
down, column = float(paid.sum(axis=0)[0]), float(paid[:, 0].sum())
wide = float(paid.sum(axis=0, dtype="float64")[0])
print(f"paid.sum(axis=0)[0]             {down:12,.1f}")
print(f"paid[:, 0].sum()                {column:12,.1f}")
print(f"paid.sum(axis=0, dtype=float64) {wide:12,.1f}")
assert abs(column - 400_000) < 0.5
assert abs(wide - 400_000) < 0.01
assert 10_000 < 400_000 - down < 20_000

# %% [markdown]
# 15,475 dollars are missing from the first, and no warning was given. Along one column NumPy adds in pairs
# (**[pairwise summation](https://en.wikipedia.org/wiki/Pairwise_summation "Adding numbers in two halves, each summed the
# same way, so that rounding grows with the logarithm of the count.")**); down two columns at once it adds row after row,
# and where a float32 holds a few hundred thousand it moves in steps of a thirty-second. `mean(axis=0)` has the same error. Chunks of (time,
# stock) are summed along just this axis: say `dtype="float64"`.

# %% [markdown] tags=["section-predict"]
# ## A window longer than a chunk
#
# Let the window be 600 minutes, with chunks of 390. From how many chunks does the first value of a chunk need rows, and
# does `carried` still work? Write it down, and run. Then try a window of 390.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
usual, window = window, 600
cut = [price[start : start + 390] for start in range(0, minutes, 390)]
works = np.allclose(np.concatenate(list(carried(cut, nothing))), rolling(price), rtol=1e-12, equal_nan=True)
needed = 1 + math.ceil((window - 1) / 390)
print(f"from {needed} chunks, and it works: {works}; the tail has {window - 1} rows, wherever they come from")
window = usual
assert works

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_04.1
#
# Windows of 60 rows, chunks of 390: how many rows does a worker read, halo included, for each row of its chunk? Give it
# to three decimals.
#
# <details><summary>Hint</summary>
# The first window of the chunk holds one row of the chunk.</details>

# %% tags=["exercise"]
rows_for_a_row = ...
check("05_04.1", rows_for_a_row)

# %% [markdown]
# ### Exercise 05_04.2
#
# A year of 252 days, a day in a compressed chunk, windows of 60 minutes, and a worker for each chunk that reads a halo.
# How many chunks are decoded in all?
#
# <details><summary>Hint</summary>
# A row of a chunk costs the chunk. What lies before the first day?</details>

# %% tags=["exercise"]
decoded = ...
check("05_04.2", decoded)

# %% [markdown]
# ### Exercise 05_04.3
#
# Write a function that takes a list of arrays, the chunks of one series, and a window, and returns the rolling standard
# deviation (`ddof=1`) of the whole as one array, NaN where there are too few rows. Chunks may be of any length, the
# empty and the very short among them, and the values may lie around a billion.
#
# <details><summary>Hint</summary>
# The tail may span several chunks. Subtract the mean of the window before you square.</details>


# %% tags=["exercise"]
def rolling_std(chunks, window):
    """The standard deviation of each value and the `window - 1` before it."""
    ...


check("05_04.3", rolling_std)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `carried(chunks, tail)` over `array.chunk_stream()`: each chunk is read once | `xarray.open_zarr(...)["price"].rolling(minute=60).std()`: Dask hands on the halo, and each chunk is read once | - |
# | `two_parts(rows)`: a window is what is in it | `rolling(60).std()` of pandas adds and removes, and is off after a bad tick; xarray's `.rolling(...).construct(...)` sees the window alone | - |
# | `paid.sum(axis=0, dtype="float64")` | `DataArray.mean("second", dtype="float64")`; without `dtype` it is as far off as NumPy; Dask's partial sums are nearer | - |
# | `array[331:390]` of a plain chunk asks for these rows | the whole chunk in zarr-python | a range of a plain chunk outside a shard |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Hand on the last `window - 1` rows, and chunks of any length give the values of the whole.
# - A halo costs (chunk + window - 1) / chunk in rows, 1.8 times in these compressed chunks, and nothing if a state is
#   handed on.
# - Sums from which something is removed remember it; two parts that are merged do not.
# - The rows before the border are the state, and they are in the store: the length of the result says where to go on.
# - A float32 sum down several columns adds row after row: here 15,475 of 400,000 were lost. Say `dtype="float64"`.
#
# **Open questions.** Should a window cross the night? Which of your windows could not be merged, a median for instance?
# Who removes the bad tick in the first place?
#
# **To read further.**
#
# - [Chan, Golub and LeVeque, Algorithms for computing the sample
#   variance](https://doi.org/10.1080/00031305.1983.10483115): the merge of two parts, and how much each method loses.
# - [Gil and Werman, Computing 2-D min, median, and max filters](https://doi.org/10.1109/34.211471): blocks as long as
#   the window, invented for pictures.
# - [pandas, Fix polluted window in rolling var](https://github.com/pandas-dev/pandas/pull/63048): seven reports of this,
#   and how pandas 3 notices.
#
# **Next.** What does it cost to store the difference of two huge arrays? [05_05](05_05_reconciliation.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The first row of the chunk needs 59 rows before it.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_04.1", (390 + 59) / 390)

# %% [markdown]
# Each day decodes itself and the day before; before the first there is none.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_04.2", 2 * 252 - 1)

# %% [markdown]
# The tail is handed on, and each window is computed from its own values.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def rolling_std(chunks, window):
    """The standard deviation of each value and the `window - 1` before it."""
    tail, results = np.empty(0), [np.empty(0)]
    for values in chunks:
        rows = np.concatenate([tail, values])
        result = np.full(len(rows), np.nan)
        if len(rows) >= window:
            result[window - 1 :] = sliding_window_view(rows, window).std(axis=-1, ddof=1)
        results.append(result[len(tail) :])
        tail = rows[max(0, len(rows) - window + 1) :]
    return np.concatenate(results)


check("05_04.3", rolling_std)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
percent = {f"{bad}, {name}": round(100 * off[stock, bad, name], 3) for bad in BAD for name in names}
save_facts(
    out,
    {
        "minutes": minutes,
        "stocks": count,
        "chunk": chunk,
        "window": window,
        "tail": window - 1,
        "lost_percent": round(100 * float(lost), 1),
        "bad_tick": round(float(price[hit, stock]) * 10_000),
        "good_tick": float(price[hit, stock]),
        "percent_off_after": percent,
        "times_off_in_millionths": round(1 + off[stock, "in millionths", "running_sums"], 1),
        "percent_apart_by_start": {name: round(100 * value, 3) for name, value in different.items()},
        "rows_for_a_row": round((chunk + window - 1) / chunk, 3),
        "requests_with_halo": traffic[chunk, "compressed"][0],
        "chunks": traffic[chunk, "compressed"][2],
        "bytes_ratio": {
            packed: round(traffic[chunk, packed][1] / traffic[chunk, packed][3], 2)
            for packed in ("compressed", "plain")
        },
        "bytes_ratio_by_length": by_length,
        "float32_right": round(wide),
        "float32_down": round(down, 1),
        "float32_missing": round(400_000 - down),
        "chunks_of_600": needed,
        "apple_days": len(apple),
        "apple_highest_percent": round(100 * float(volatility[most])),
        "band_sum": round(float(np.nansum(whole)), 6),
    },
)
