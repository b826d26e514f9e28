# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Answer for a year from one row a day
#
# **Question.** Of each day you kept a short row. Which questions about the year can it still answer?
#
# ![What daily rows say of the year, divided by the truth. Energy and peak are exact on all feeders; medians, 95th
# percentiles and the sum of peaks are not.](../../articles/figures/09_05_says.svg)
#
# *24 feeders of a power grid, a year. Each point is an answer put together from days, divided by the true one.*
#
# A meter reads every quarter of an hour. Nobody wants to read 34,944 numbers to learn a year's peak, so reports are built
# on reports: days on quarter hours, years on days. Some of these numbers are exact, and some are quietly wrong.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb), [05_01](../05_finance/05_01_tick_data_cube.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/group.py` |
# | **Article** | [The busy level that is busy one hour in four](../../articles/39_energy_grid_load.md) |
# | **Data** | a year of quarter hours on 24 feeders, generated (`data_gen/loadgrid.py`) |
#
# **You will be able to**
#
# - tell a number that merges from one that does not, and test it
# - say what the mean of daily percentiles is, and what it is not
# - keep counts from which every percentile of every stretch follows, within a known error
# - find a year's peak and its quarter hour in three requests
# - correct a reading, and know which summaries must be built again
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `feeder` is the one in the figures, 0 to 23.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: four years instead of one
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
feeder = 4

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tutorial_zarr as zarr
from data_gen import loadgrid
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(feeder=(feeder, 0, 23), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## 24 feeders that share a winter
#
# Energy in each quarter of an hour, in whole watt-hours, as meters deliver it. Homes, offices and works are mixed in other
# shares on each feeder; most are busiest in winter, one in six in summer. The data are generated: no holidays, no lost
# readings, and years of 364 days, into which weeks fit. What repeats after a day and after a week, and how far the mean lies
# below the peak, is held to published demand (Taylor, below). Row 24 is the grid: the sum of all feeders.

# %%
data = loadgrid.make("small" if quick else "large", seed)
checks = loadgrid.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
feeders = data.arrays["wh"]
wh = np.vstack([feeders, feeders.sum(axis=0, dtype=np.int32)])
rows, quarters = wh.shape
days, grid = quarters // 96, 24
print(
    f"{rows} rows of {quarters:,} quarter hours, {wh.nbytes / 1e6:.1f} MB; {len(checks)} of {len(checks)} checks pass"
)
kilowatts = wh / 250  # Wh in a quarter hour, as power
print(f"the grid takes {kilowatts[grid].mean():,.0f} kW on average, {kilowatts[grid].max():,.0f} kW at its peak")

# %% [markdown] tags=["section-idea"]
# ## A year of one feeder, a row a day
#
# Left, one week, all its readings. Right, the year: of each day the lowest, the mean and the highest.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.0, 1, 2)
left.plot(np.arange(672) / 96, kilowatts[feeder, :672], color=BLUE, linewidth=1.2)
of_days = kilowatts[feeder, : 364 * 96].reshape(-1, 96)
right.fill_between(range(364), of_days.min(1), of_days.max(1), color=SKY, alpha=0.6, label="lowest to highest")
right.plot(of_days.mean(1), color=BLUE, linewidth=1.0, label="mean")
top = kilowatts[feeder].max() * 1.12
left.set(title="A week, 672 readings", xlabel="day", ylabel="load, kW", ylim=(0, top))
right.set(title="A year, 364 rows", xlabel="day", ylim=(0, top))
right.legend(loc="lower center", ncols=2)
told = f"One feeder, in kilowatts. A week of ups and downs; a year of daily bands, highest in winter, up to {of_days.max():,.0f} kW."
year_chart = viz.Chart.of(figure, "A week and a year of one feeder", told, unequal="a week of the same year, enlarged")
year_chart.save(out / "figures" / "09_05_year.svg")
year_chart

# %% [markdown] tags=["section-build"]
# ## Build it small: four numbers of a day, and how they merge
#
# Count, sum, lowest, highest. A row of a longer stretch comes from the rows of its parts, whatever their order
# (a **[monoid](../GLOSSARY.md#monoid)**):


# %%
def rows_of(readings, many):
    """Count, sum, lowest and highest of each `many` readings: (row, time) becomes (row, time / many, 4)."""
    parts = readings.reshape(len(readings), -1, many).astype(np.int64)
    return np.stack([np.full(parts.shape[:2], many), parts.sum(2), parts.min(2), parts.max(2)], axis=2)


def merge(summaries, many):
    """The rows of `many` rows each."""
    parts = summaries.reshape(len(summaries), -1, many, 4)
    count, total, low, high = np.moveaxis(parts, -1, 0)
    return np.stack([count.sum(2), total.sum(2), low.min(2), high.max(2)], axis=2)


# %%
day = rows_of(wh, 96)
weeks = merge(day, 28)  # four weeks
whole = merge(weeks, days // 28)
assert np.array_equal(weeks, rows_of(wh, 28 * 96))
assert np.array_equal(whole, rows_of(wh, quarters))
print(f"readings {wh.nbytes:,} bytes, days {day.nbytes:,} bytes, four weeks {weeks.nbytes:,} bytes")

# %% [markdown]
# Exact to the watt-hour: whole numbers add up in any order. This is an
# **[image pyramid](../GLOSSARY.md#image-pyramid)** of time. An hour has no level of its own: its row would be four numbers
# for four readings.
#
# Now put more into the daily row: the median, and the **[95th percentile](../GLOSSARY.md#percentile)**, by which lines are
# often sized or billed. From 364 of them, the obvious: the median of medians, and the mean of the 95th percentiles. For
# the grid, add up the peaks of the feeders.


# %%
def percentile(values, share, axis=None):
    """The smallest value that at least this share of them does not exceed."""
    return np.percentile(values, 100 * share, axis=axis, method="inverted_cdf")


# %%
by_day = wh.reshape(rows, days, 96)
p95_of_days, p95 = percentile(by_day, 0.95, axis=2), percentile(wh, 0.95, axis=1)
# %%
says = {
    "energy: sum of sums": day[..., 1].sum(1) / wh.sum(1),
    "peak: highest of highest": day[..., 3].max(1) / wh.max(1),
    "median: median of medians": np.median(np.median(by_day, axis=2), axis=1) / np.median(wh, axis=1),
    "95th: mean of 95ths": p95_of_days.mean(1) / p95,
    "95th: highest of 95ths": p95_of_days.max(1) / p95,
    "grid's peak: sum of peaks": np.array([wh[:24].max(1).sum() / wh[grid].max()]),
}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = "; ".join(f"{name}: {r[:24].min():.2f} to {r[:24].max():.2f}" for name, r in says.items())
figure, panel = viz.canvas(7.6, 3.4)
for row, ratio in enumerate(says.values()):
    points, exact = np.unique(ratio[:24]), bool((ratio == 1).all())
    panel.plot(points, [row] * len(points), "o", color=GREEN if exact else VERMILION, markersize=6, alpha=0.6)
    spread = " to ".join(dict.fromkeys(f"{value:.2f}" for value in (points[0], points[-1])))
    panel.text(1.5, row, "exact" if exact else spread, va="center", fontsize=10)
panel.axvline(1, color=GREY, linewidth=0.8)
panel.set(title="What the days say of the year", xlabel="answer from daily rows, divided by the true one")
panel.set(xlim=(0.75, 1.72), xticks=[0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4])
panel.set(yticks=range(len(says)), yticklabels=list(says), ylim=(len(says) - 0.5, -0.5))
says_chart = viz.Chart.of(figure, "Answers from daily rows, divided by the truth", f"Of 24 feeders. {told}.")
says_chart.save(out / "figures" / "09_05_says.svg")
says_chart

# %% [markdown]
# The peaks of the feeders come at different moments, so their sum is a peak that never was. By how much it is too large is the
# **[diversity factor](https://en.wikipedia.org/wiki/Diversity_factor "The sum of the peaks of the parts, divided by the
# peak of their sum; at least one.")**, and the reason why row 24 has a pyramid of its own: maxima merge along time, and not
# across feeders.
#
# **Write down a guess.** The mean of daily 95th percentiles is some 10 to 20 % too low. By definition, 5 % of a year
# lie above its 95th percentile. How much of the year lies above *this* one, on the grid: 6 %, 8 %, 10 %?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
busy = p95_of_days.mean(1)
above = (wh > busy[:, None]).mean(1)
assert ((wh > p95[:, None]).mean(1) <= 0.05).all()
print(f"the grid: {above[grid]:.1%} of the year; feeder by feeder {above[:24].min():.1%} to {above[:24].max():.1%}")
print(f"half of the feeders: {np.median(above[:24]):.1%} or more")
print(
    "four weeks after four weeks, the grid:",
    *(f"{v:.0%}" for v in (wh[grid] > busy[grid]).reshape(-1, 28 * 96).mean(1)),
)
assert above[grid] > 0.1

# %% [markdown]
# More than four times what it says, and in summer it is hardly ever exceeded. The mean of the days is the level of a usual day. The
# picture is the
# **[load duration curve](https://en.wikipedia.org/wiki/Load_duration_curve "All loads of a stretch of time, from the
# highest to the lowest: for each load, the share of the time in which it is exceeded.")**:

# %% tags=["hide-input"] jupyter={"source_hidden": true}
curve = np.sort(kilowatts[grid])[::-1]
share = 100 * (np.arange(quarters) + 1) / quarters
figure, panel = viz.canvas(7.2, 3.3)
panel.plot(share[::96], curve[::96], color=BLUE, linewidth=2)
true, daily = ("95th percentile of the year", p95[grid], 5.0), ("mean of the daily ones", busy[grid], 100 * above[grid])
for (name, level, part), colour in ((true, GREEN), (daily, VERMILION)):
    panel.plot([0, part, part], [level / 250, level / 250, 0], color=colour, linewidth=1.2, linestyle="--")
    words = f"{name}: exceeded {part:.0f} % of the time"
    panel.text(part + 1.5, level / 247, words, color=colour, va="bottom", fontsize=10)
panel.set(xlim=(0, 100), ylim=(0, curve[0] * 1.08), xlabel="share of the year, %", ylabel="load of the grid, kW")
panel.set_title("Every quarter hour of the year, highest first")
told = f"A falling curve. The 95th percentile is exceeded 5 % of the time, the mean of the daily ones {daily[2]:.0f} %."
curve_chart = viz.Chart.of(figure, "Load duration curve of the grid", told)
curve_chart.save(out / "figures" / "09_05_curve.svg")
curve_chart

# %% [markdown]
# No better rule will save it: days with the same percentile can differ in how many readings lie just below, and that is
# what the year asks. What does merge is a *count*. Cut the scale into bins, each 5 % wide, and count the readings of four weeks
# in each bin: a **[quantile sketch](https://arxiv.org/abs/1908.10693 "A small summary that merges, and from which any
# percentile follows within a known error.")**.

# %%
edges = np.unique(np.rint(1000 * 1.05 ** np.arange(155)).astype(np.int64))  # watt-hours


def counts_of(readings):
    """How many readings of each row lie in each bin: (row, time) becomes (row, bin)."""
    places = np.searchsorted(edges, readings, side="right") - 1
    return np.stack([np.bincount(row, minlength=len(edges) - 1) for row in places])


def between(counts, share):
    """Two edges between which the percentile lies: the lower one included."""
    place = np.searchsorted(counts.cumsum(), share * counts.sum())
    return edges[place], edges[place + 1]


# %%
assert edges[0] <= wh.min()
assert wh.max() < edges[-1]
month = 28 * 96
pieces = [wh[:, start : start + month] for start in range(0, quarters, month)]
with ThreadPoolExecutor(workers) as pool:
    counts = np.stack(list(pool.map(counts_of, pieces)), axis=1).astype("uint16")
year_counts = counts.sum(axis=1, dtype=np.int64)  # counts merge by adding
low, high = np.array([between(row, 0.95) for row in year_counts]).T
assert ((low <= p95) & (p95 < high)).all()
print(
    f"the grid's 95th percentile: {low[grid] / 250:,.0f} to {high[grid] / 250:,.0f} kW; truly {p95[grid] / 250:,.0f} kW"
)
print(f"counts of four weeks: {counts.nbytes:,} bytes, {counts.nbytes / wh.nbytes:.1%} of the readings")
print(f"of each day they would take {counts[:, 0].nbytes * days:,} bytes")

# %% [markdown]
# The interval holds for every row, and for every percentile, also for those that nobody asked for yet. The price is the width of a bin.
# And a sketch pays only where it stands for many readings: one for each day would take four fifths of what the readings take.

# %% [markdown] tags=["section-library"]
# ## Three levels in one group
#
# Readings, days, four weeks, counts: four arrays. Every four weeks each of them grows by
# what arrived, and no older reading is touched.

# %%
store = zarr.create_group(out / "grid.zarr", zarr_format=zarr_format, overwrite=True)
levels = {
    "quarter": store.create_array("quarter", shape=(rows, 0), chunks=(5, month), dtype="int32", fill_value=0),
    "day": store.create_array("day", shape=(rows, 0, 4), chunks=(rows, 28, 4), dtype="int64", fill_value=0),
    "weeks": store.create_array("weeks", shape=(rows, 0, 4), chunks=(rows, 13, 4), dtype="int64", fill_value=0),
    "counts": store.create_array("counts", shape=(rows, 0, 154), chunks=(rows, 13, 154), dtype="uint16", fill_value=0),
}

# %%
for arrived in pieces:
    levels["quarter"].append(arrived, axis=1)
    levels["day"].append(rows_of(arrived, 96), axis=1)
    levels["weeks"].append(rows_of(arrived, month), axis=1)
    levels["counts"].append(counts_of(arrived)[:, None].astype("uint16"), axis=1)

# %%
for name, expected in (("quarter", wh), ("day", day), ("weeks", weeks), ("counts", counts)):
    assert np.array_equal(levels[name][...], expected)
    print(f"{name:8} {levels[name].shape!s:16} {levels[name].nchunks:3} chunks, {expected.nbytes:9,} bytes")

# %% [markdown]
# **Guess** how many requests it takes to learn *when* the grid had its peak: the very quarter hour. All of its readings lie
# in 13 chunks. The level of four weeks knows in which four weeks it was. Then?


# %%
def counted(name):
    """An array of the group that notes its requests."""
    trace = TraceStore(store.store)
    a = zarr.open_array(trace, path=name, mode="r")
    trace.clear()
    return a, trace


# %%
def moment_of_peak(row):
    """The quarter hour of a row's peak from the top down, the requests, and the bytes decoded."""
    (top, one), (middle, two), (bottom, three) = (counted(name) for name in ("weeks", "day", "quarter"))
    four = int(top[row, :, 3].argmax())
    when = 28 * four + int(middle[row, 28 * four : 28 * four + 28, 3].argmax())
    moment = 96 * when + int(bottom[row, 96 * when : 96 * when + 96].argmax())
    taken = [trace.count("GET") for trace in (one, two, three)]
    sizes = [int(np.prod(a.chunks)) * a.dtype.itemsize for a in (top, middle, bottom)]
    return moment, sum(taken), sum(n * size for n, size in zip(taken, sizes, strict=True))


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
moment, down_requests, down_bytes = moment_of_peak(grid)
assert all(moment_of_peak(row)[0] == wh[row].argmax() for row in range(rows))
print(
    f"{down_requests} requests, {down_bytes:,} bytes: day {moment // 96}, {moment % 96 // 4}:{moment % 4 * 15:02} UTC"
)

# %% [markdown]
# One request a level, down the branch that holds the peak. And three questions, asked of the readings and of the pyramid:


# %%
def cost(name, selection):
    """Requests and bytes decoded for a selection of a level."""
    a, trace = counted(name)
    assert a[selection].size
    return trace.count("GET"), trace.count("GET") * int(np.prod(a.chunks)) * a.dtype.itemsize


costs = {
    "the year's energy of all": (cost("quarter", ...), cost("weeks", ...)),
    "95th percentile of all": (cost("quarter", ...), cost("counts", ...)),
    "when was the grid's peak": (cost("quarter", grid), (down_requests, down_bytes)),
}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.2)
for row, both in enumerate(costs.values()):
    for k, (colour, label) in enumerate(((ORANGE, "from the readings"), (BLUE, "from the pyramid"))):
        requests, moved = both[k]
        at = row + 0.2 * (2 * k - 1)
        panel.barh(at, moved / 1e3, 0.36, color=colour, label=label if row == 0 else None)
        panel.text(moved / 1e3 * 1.1, at, f"{moved / 1e3:,.0f} kB, requests: {requests}", va="center", fontsize=10)
panel.set(xscale="log", xlim=(3, 4e6 if quick else 2e7), yticks=range(3), yticklabels=list(costs), ylim=(2.6, -0.6))
panel.set(xlabel="bytes decoded, kB (each line is ten times the one before)", title="What three questions cost")
panel.legend(loc="lower right")
told = "; ".join(f"{asked}: {a[1]:,} bytes, {b[1]:,} from the pyramid" for asked, (a, b) in costs.items())
cost_chart = viz.Chart.of(figure, "Bytes of three questions", f"Pairs of bars. {told}.")
cost_chart.save(out / "figures" / "09_05_costs.svg")
cost_chart

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same days:")
report = interop_check(out / "grid.zarr" / "day", expected=day)
print(report)
assert not report.differing

# %% [markdown] tags=["section-wrong"]
# ## The peak that was corrected, and stayed
#
# In July the meter of a feeder reports one reading ten times too high. All levels take it in. Weeks later the right value
# comes. The quick way to update a row: add the difference to the sum, and take the higher of the old peak and the new
# value.

# %%
at = 200 * 96 + 40
right_value = int(wh[feeder, at])
spike = 10 * right_value
broken = wh[feeder : feeder + 1].copy()
broken[0, at] = spike
row = rows_of(broken, quarters)[0, 0]
quick_row = [row[0], row[1] + right_value - spike, min(row[2], right_value), max(row[3], right_value)]
sum_is_right = bool(quick_row[1] == whole[feeder, 0, 1])
print(
    f"energy right again: {sum_is_right}; peak {quick_row[3] / 250:,.0f} kW, truly {whole[feeder, 0, 3] / 250:,.0f} kW"
)
assert sum_is_right
assert quick_row[3] > whole[feeder, 0, 3]

# %% [markdown]
# A sum can be undone: it has an **[inverse element](https://en.wikipedia.org/wiki/Inverse_element "What takes another value back
# when it is merged with it: for a sum the negative number; a maximum has none.")**. A maximum has none: the second
# highest reading is gone. A count can be undone as well: one less in this bin, one more in that. So a correction builds its branch
# again, from below:


# %%
def correct(row, moment, value):
    """Put a reading right, and every row above it; other rows and stretches are not touched."""
    k, four = moment // 96, moment // month
    quarter[row, moment] = value
    summaries[row, k] = rows_of(quarter[row : row + 1, 96 * k : 96 * k + 96], 96)[0, 0]
    tops[row, four] = merge(summaries[row : row + 1, 28 * four : 28 * four + 28], 28)[0, 0]


# %%
trace = TraceStore(store.store)
quarter, summaries, tops = (zarr.open_array(trace, path=name, mode="r+") for name in ("quarter", "day", "weeks"))
correct(feeder, at, spike)
assert tops[feeder, :, 3].max() == spike
trace.clear()
correct(feeder, at, right_value)
reads, writes = trace.count("GET"), trace.count("PUT")
assert np.array_equal(tops[...], weeks)
print(f"all levels right again: {reads} reads, {writes} writes")

# %% [markdown]
# One chunk of each level is written. (The grid's row needs the same, and so do the counts.) The clock is another trap: with
# summer time, one day in spring is four quarter hours short, and one in autumn is four too long. Store UTC.

# %% [markdown] tags=["section-predict"]
# ## Keep means of hours instead
#
# To save space, keep only the mean of each hour and throw the quarter hours away. By how much is the peak too low: on the
# grid, and on the worst feeder? And with means of days?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
lower = {}
for name, many in (("hour", 4), ("day", 96)):
    peaks = wh.reshape(rows, -1, many).mean(2).max(1)
    lower[name] = 100 * (1 - peaks / wh.max(1))
    print(
        f"means of a{'n' if many == 4 else ''} {name}: grid {lower[name][grid]:.1f} %, feeders up to {lower[name][:24].max():.1f} %"
    )

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_05.1
#
# Feeder A peaks at 60 kW in the morning, B at 90 kW in the evening. Together they never take more than 120 kW. What is the
# diversity factor?
#
# <details><summary>Hint</summary>
# What would a planner build who adds up the peaks, and what is needed?</details>

# %% tags=["exercise"]
factor = ...
check("09_05.1", factor)

# %% [markdown]
# ### Exercise 09_05.2
#
# Of two days you know one of these numbers each. For which of them does the number of both days together follow? Give a
# set of names out of `"count"`, `"sum"`, `"lowest"`, `"highest"`, `"range"` (highest less lowest), `"median"`, `"95th percentile"`.
#
# <details><summary>Hint</summary>
# Try days of two readings: 1 and 2, and then 8 and 9.</details>

# %% tags=["exercise"]
follows = ...
check("09_05.2", follows)

# %% [markdown]
# ### Exercise 09_05.3
#
# A job stored rows of (count, mean, highest) instead of sums. Write `merged(one, other)` for two of them. A day
# without readings is `(0, 0.0, 0.0)`; it adds nothing, and loads can be below zero where the sun feeds the grid.
#
# <details><summary>Hint</summary>
# What is the sum of all readings of the two?</details>


# %% tags=["exercise"]
def merged(one, other):
    """The row of two stretches; each is (count, mean, highest)."""
    ...


check("09_05.3", merged)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `rows_of(readings, 96)`, written by hand | `load.coarsen(quarter=96).max()` in xarray; by the clock, `resample(time="1D")` | here: a function for it |
# | `counts_of` in four weeks, merged by adding | `dask.array.histogram(a, bins=edges)` adds the counts of chunks | - |
# | `percentile` of all readings, exact | `dask.array.percentile(a, 95)` on chunks of a day: the grid's is exceeded 1 % of the year, not 5 % | a bound on its error |
# | levels in one group, a branch built again by hand | `xarray.DataTree` writes and opens levels as one tree | on both sides: levels that follow a correction |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Counts, sums, lowest and highest merge, and so did every year here, to the watt-hour; medians and percentiles do not.
# - The mean of daily 95th percentiles is a level of a usual day; nearly a quarter of the grid's year lay above it.
# - Counts in bins merge by adding, and hold every percentile within the width of a bin.
# - From four weeks to the day to the quarter hour: one request a level finds the peak and its moment.
# - A sum and a count can be undone, a maximum cannot: after a correction, build its branch again from below.
#
# **Open questions.** Months do not nest into weeks: which levels do you need if both are asked for? And what if a feeder
# turns round at noon, because of the sun on its roofs: which bins would you take for loads below zero?
#
# **To read further.**
#
# - [Taylor, Short-term electricity demand forecasting using double seasonal exponential
#   smoothing](https://doi.org/10.1057/palgrave.jors.2601589): half-hourly demand, its day and its week.
# - [Masson, Rim and Lee, DDSketch](https://arxiv.org/abs/1908.10693): bins of equal ratio, and why their error is known.
# - [Gray et al., Data Cube](https://doi.org/10.1023/A:1009726021843): distributive, algebraic and holistic, the three kinds of
#   summaries.
#
# **Next.** Can B win on nearly every day, and lose in every segment? [09_06](09_06_ab_experiments.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 150 kW are added up, and 120 kW are needed.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_05.1", (60 + 90) / 120)

# %% [markdown]
# The range of 1, 2, 8, 9 is 8, and both days have a range of 1; the range of 1, 2, 2, 3 would be 2.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_05.2", {"count", "sum", "lowest", "highest"})

# %% [markdown]
# Go by way of the sum, and leave out who has no readings.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def merged(one, other):
    """The row of two stretches; each is (count, mean, highest)."""
    there = [row for row in (one, other) if row[0] > 0]
    if not there:
        return (0, 0.0, 0.0)
    count = sum(row[0] for row in there)
    return (count, sum(row[0] * row[1] for row in there) / count, max(row[2] for row in there))


check("09_05.3", merged)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "quarters": quarters,
        "days": days,
        "megabytes": round(wh.nbytes / 1e6, 6),
        "bytes": {"quarter": wh.nbytes, "day": day.nbytes, "weeks": weeks.nbytes, "counts": counts.nbytes},
        "percent_of_readings": {
            name: round(100 * a.nbytes / wh.nbytes, 6)
            for name, a in (("day", day), ("weeks", weeks), ("counts", counts))
        },
        "counts_of_days": counts[:, 0].nbytes * days,
        "grid_kw": {"mean": round(float(kilowatts[grid].mean()), 6), "peak": float(kilowatts[grid].max())},
        "energy_wh": wh.sum(1).tolist(),
        "peak_wh": wh.max(1).tolist(),
        "says": {name: [round(float(r[:24].min()), 6), round(float(r[:24].max()), 6)] for name, r in says.items()},
        "above_percent": [round(100 * float(v), 6) for v in above],
        "above_median_percent": round(100 * float(np.median(above[:24])), 6),
        "above_by_four_weeks": [round(100 * float(v), 6) for v in (wh[grid] > busy[grid]).reshape(-1, 28 * 96).mean(1)],
        "p95_kw": [float(v) / 250 for v in p95],
        "busy_kw": [round(float(v) / 250, 6) for v in busy],
        "p95_low_kw": [float(v) / 250 for v in low],
        "p95_high_kw": [float(v) / 250 for v in high],
        "costs": {asked: [list(one), list(other)] for asked, (one, other) in costs.items()},
        "chunks": {name: a.nchunks for name, a in levels.items()},
        "peak_moment": {"quarter": moment, "day": moment // 96},
        "spike": {
            "right_kw": right_value / 250,
            "spike_kw": spike / 250,
            "quick_peak_kw": float(quick_row[3]) / 250,
            "true_peak_kw": float(whole[feeder, 0, 3]) / 250,
        },
        "correction": {"GET": reads, "PUT": writes},
        "lower_percent": {
            name: {"grid": round(float(v[grid]), 6), "worst": round(float(v[:24].max()), 6)}
            for name, v in lower.items()
        },
        "feeder": feeder,
        "bin_percent": 5,
        "feeders": grid,
        "kilobytes": {asked: [round(one[1] / 1e3), round(other[1] / 1e3)] for asked, (one, other) in costs.items()},
        "highest_of_95ths_too_high_percent": [
            round(100 * (float(v) - 1), 6)
            for v in (says["95th: highest of 95ths"][:24].min(), says["95th: highest of 95ths"][:24].max())
        ],
        "stretch": {"readings_a_day": 96, "days": 28, "years_share": 95},
        "grid_below_percent": round(100 * (1 - float(busy[grid] / p95[grid])), 6),
        "diversity_excess_percent": round(100 * (float(says["grid's peak: sum of peaks"][0]) - 1), 6),
    },
)
