# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Merge a day of trades, chunk by chunk, to the last cent
#
# **Question.** What must I keep of each chunk, so that the whole day comes out exact?
#
# ![The price of a stock over a day, and the VWAP of each half hour as a bubble; the first bubble is four times as
# large as the smallest, in the early afternoon.](../../articles/figures/05_01_half_hours.svg)
#
# *One stock, one day. A bubble is a half hour: its height is the VWAP, its area the shares that were traded.*
#
# The **[VWAP](https://en.wikipedia.org/wiki/Volume-weighted_average_price "The volume-weighted average price: all that
# was paid, divided by all shares that were traded.")** is the yardstick for a day's trading: did we pay more or less
# than the market? A year of ticks does not fit into memory, so it is worked out chunk by chunk.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 50 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/resizing` |
# | **Article** | [The average of the averages](../../articles/19_tick_data_cube.md) |
# | **Data** | a day of trades in eight stocks (`data_gen/ticks.py`) |
#
# **You will be able to**
#
# - tell trades that behave like a market from trades that only look like one
# - reduce a cube of any size to open, high, low, close and VWAP, exactly, by any number of workers in any order
# - say what the mean of the chunks' VWAPs is instead, and how far off
# - store prices so that sums are exact, and files small
# - choose a layout for your question, by counted requests
# - follow a day while it is being written, and count each row once
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk_seconds` is the length of a chunk, `stock` the one in the figures, 0 to 7.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: a week instead of a day
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk_seconds = 1800  # half an hour
stock = 7  # the most expensive

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
from collections import namedtuple
from functools import reduce

import numcodecs
import numpy as np
from matplotlib.patches import Patch

import tutorial_zarr as zarr
from data_gen import GenResult, ticks
from tutorial_zarr import viz
from tutorial_zarr.errors import ChunkError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(chunk_seconds=(chunk_seconds, 60, 23_400), stock=(stock, 0, 7))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Ticks that behave like a market, and ticks that only look like it
#
# Eight stocks, a trade a second, from 9:30 to 16:00, with the quotes around it. They are generated. So is the second
# set, the way test data often are: every number drawn on its own. Which of them has the **[stylised
# facts](https://en.wikipedia.org/wiki/Stylized_fact "Properties that are found in the data of nearly all markets, such
# as fat tails and volatility in clusters.")** of a market? One trade a second is a simplification: real trades come at
# irregular times, and do not fit a grid of (second, stock, field) as they are;
# [05_02](05_02_order_book_snapshots.ipynb) is about those.

# %%
market = ticks.make("small" if quick else "large", seed)
seconds, stocks = market.arrays["price"].shape
bits = np.random.PCG64(seed).random_raw(4 * seconds * stocks).reshape(4, seconds, stocks)
drawn = dict(zip(("price", "bid", "ask"), 100 + bits[:3] % 101 / 100, strict=True))
naive = GenResult({**drawn, "size": (bits[3] % 1000 + 1).astype("int32")}, market.dims, market.units)
facts_of = {name: ticks.realism(result) for name, result in (("market", market), ("naive", naive))}
print(f"{'':44}{'market':>8}{'naive':>8}")
for fact, (value, low, high) in facts_of["market"].items():
    assert low <= value <= high
    print(f"{fact:44}{value:8.2f}{facts_of['naive'][fact][0]:8.2f}   expected {low:.2f} to {high:.2f}")
failed = sum(not low <= value <= high for value, low, high in facts_of["naive"].values())
print(f"the naive one fails {failed} of {len(facts_of['naive'])}")
assert failed

# %% [markdown]
# Two of these facts as curves. In a market volume is high at the open and the close, and a wild minute is
# followed by wild minutes. Independent draws have neither, except that two neighbouring moves have a price in common.


# %%
def by_half_hour(result):
    """Volume in each half hour of the day, relative to the mean."""
    volume = result.arrays["size"].sum(1, dtype="int64").reshape(-1, 13, 1800).sum((0, 2))
    return volume / volume.mean()


def memory_of_size(result, lags):
    """The correlation of the size of a minute's move with that `lag` minutes later; the median of the stocks."""
    middle = (result.arrays["bid"] + result.arrays["ask"])[::60] / 2
    moves = np.abs(np.diff(np.log(middle), axis=0))
    moves = (moves - moves.mean(0)) / moves.std(0)
    return [float(np.median((moves[:-lag] * moves[lag:]).mean(0))) for lag in lags]


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.0, 1, 2)
lags = range(1, 31)
curves = {name: (by_half_hour(r), memory_of_size(r, lags)) for name, r in (("market", market), ("naive", naive))}
for (name, (volume, memory)), colour in zip(curves.items(), (BLUE, VERMILION), strict=True):
    left.plot(9.75 + np.arange(13) / 2, volume, color=colour, marker="o", markersize=4, label=name)
    right.plot(lags, memory, color=colour, marker="o", markersize=3)
left.legend()
left.set(title="Volume", xlabel="time of day", ylabel="half hour / mean", ylim=(0, None))
left.set_xticks(range(10, 17, 2), [f"{hour}:00" for hour in range(10, 17, 2)])
_ = right.set(title="Memory of the size of moves", xlabel="minutes later", ylabel="correlation", ylim=(-0.1, 0.3))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
volume, memory = curves["market"]
described = f"Market: the first half hour trades {volume[0]:.1f} times the mean and noon {volume.min():.1f}; moves are "
described += f"correlated in size, {memory[0]:.2f} after a minute and {memory[9]:.2f} after ten. "
described += "Naive: flat, and near zero from the second minute on."
stylised = viz.Chart.of(figure, "Two facts about markets", described)
stylised.save(out / "figures" / "05_01_stylised.svg")
stylised

# %% [markdown] tags=["section-idea"]
# ## Thirteen right answers, and their average
#
# We store whole cents, in one cube of (second, stock, field), and cut it into half hours. Here is the day of one
# stock, as its chunks see it.

# %%
fields = ("price", "size", "bid", "ask")
cents = np.stack([np.rint(market.arrays[f] * (1 if f == "size" else 100)) for f in fields], -1).astype("int32")
price, size = cents[..., 0].astype("int64"), cents[..., 1].astype("int64")
starts = np.arange(0, seconds, chunk_seconds)
paid_in, size_in = (np.add.reduceat(values, starts, axis=0) for values in (price * size, size))
vwaps = paid_in / size_in / 100  # of each chunk and stock, in dollars
clock = range(1800, seconds, 7200 if quick else 23_400)
hours = [f"{(34_200 + t % 23_400) // 3600}:00" for t in clock]
middles = (starts + np.minimum(starts + chunk_seconds, seconds)) / 2

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.6)
panel.plot(np.arange(0, seconds, 30), price[::30, stock] / 100, color=GREY, linewidth=0.7, alpha=0.6)
areas = 900 * size_in[:, stock] / size_in[:, stock].max()
panel.scatter(middles, vwaps[:, stock], s=areas, color=SKY, edgecolor=BLUE, alpha=0.75, zorder=3)
panel.set(title="The VWAP of each chunk; area: shares traded", ylabel="dollars", xlabel="time of day")
panel.set_xticks(clock, hours)
most, least = size_in[:, stock].max(), size_in[:, stock].min()
described = f"A price over a day, and a bubble for each half hour. The largest holds {most:,} shares, the smallest "
half_hours = viz.Chart.of(figure, "A day in half hours", f"{described}{least:,}.")
half_hours.save(out / "figures" / "05_01_half_hours.svg")
half_hours

# %% [markdown]
# Each worker has a chunk, and reports its VWAP. You average them.
#
# **Write down a guess.** How far is the average from the VWAP of the day, in basis points? (One is a hundredth of a per
# cent. The whole spread between bid and ask is about one, for this stock.) And do smaller chunks help?

# %% [markdown] tags=["section-build"]
# ## Build it small: merge what results are made of
#
# Do not merge results. Merge what they are made of: two sums instead of their quotient. Let an open and a close know
# their time, and the chunks may come in any order.

# %%
Bar = namedtuple("Bar", "first open high low last close paid shares")


def summary(first, rows):
    """What must be kept of rows (second, stock, field) that begin at the second `first`."""
    price, size = rows[..., 0].astype("int64"), rows[..., 1].astype("int64")
    ends = {"open": price[0], "close": price[-1], "first": first, "last": first + len(rows) - 1}
    return Bar(high=price.max(0), low=price.min(0), paid=(price * size).sum(0), shares=size.sum(0), **ends)


# %%
def merge(one, two):
    """The Bar of both; in either order."""
    early = one if one.first < two.first else two
    late = one if one.last > two.last else two
    return Bar(
        *(early.first, early.open),
        *(np.maximum(one.high, two.high), np.minimum(one.low, two.low)),
        *(late.last, late.close),
        *(one.paid + two.paid, one.shares + two.shares),
    )


def vwap(bar):
    """In dollars: the one division, at the very end."""
    return bar.paid / bar.shares / 100


# %% [markdown]
# `merge` gives the same whichever two parts are merged first: it is
# **[associative](https://en.wikipedia.org/wiki/Associative_property "Said of an operation whose result does not depend
# on how its operands are grouped.")**, and here their order does not matter either. With a start value that changes
# nothing (exercise 3) such a thing is a **[monoid](https://en.wikipedia.org/wiki/Monoid "Values with an associative way
# to merge two of them, and one value that changes nothing when it is merged.")**. A map and a monoid are all that a
# parallel reduction needs.

# %%
parts = [summary(start, cents[start : start + chunk_seconds]) for start in starts]
day = reduce(merge, parts)
assert np.array_equal(day.open, price[0])
assert np.array_equal(day.close, price[-1])
assert np.array_equal(day.high, price.max(0))
assert np.array_equal(day.low, price.min(0))
assert np.array_equal(vwap(day), (price * size).sum(0) / size.sum(0) / 100)

# %%
off = (vwaps.mean(0) / vwap(day) - 1) * 1e4
spread = np.median((cents[..., 3] - cents[..., 2]) / price, axis=0) * 1e4
for k in range(stocks):
    print(f"stock {k}: VWAP {vwap(day)[k]:9.4f}, mean of the chunks {vwaps.mean(0)[k]:9.4f}, off by {off[k]:+6.1f} bp")
turnover = day.paid[stock] / 100
print(f"\nof stock {stock}, {turnover / 1e6:,.0f} million dollars were traded; {off[stock]:.1f} bp of it are", end=" ")
print(f"{abs(off[stock]) / 1e4 * turnover / 1e3:,.0f} thousand; the spread is {spread[stock]:.2f} bp")
naive_size = naive.arrays["size"].astype("int64")
paid, traded = (np.add.reduceat(v, starts, axis=0) for v in (naive.arrays["price"] * naive_size, naive_size))
naive_off = np.abs((paid / traded).mean(0) / (paid.sum(0) / traded.sum(0)) - 1).max() * 1e4
print(f"the naive ticks: off by at most {naive_off:.4f} bp")

# %% [markdown]
# The merge is exact. The mean of the means is off in all eight stocks: it counts a quiet half hour as much as a busy
# one. (Naive ticks, with flat volume, would have hidden that.) Now the second guess: smaller chunks?


# %%
def mean_of_chunks(length):
    """How far the average of the VWAPs of chunks of `length` seconds is off, in basis points, for each stock."""
    begin = np.arange(0, seconds, length)
    each = np.add.reduceat(price * size, begin, axis=0) / np.add.reduceat(size, begin, axis=0) / 100
    return (each.mean(0) / vwap(day) - 1) * 1e4


lengths = [1, 10, 60, 300, 900, 1800, 3600, 7200, 11_700, 23_400]
errors = np.array([mean_of_chunks(length) for length in lengths])
plain_mean = (price.mean(0) / 100 / vwap(day) - 1) * 1e4
assert np.allclose(errors[0], plain_mean)
print(dict(zip(lengths, errors[:, stock].round(1).tolist(), strict=True)))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.6)
for k in range(stocks):
    chosen = k == stock
    panel.plot(lengths, errors[:, k], color=VERMILION if chosen else GREY, linewidth=2.2 if chosen else 0.9, marker="o")
    panel.lines[-1].set_markersize(5 if chosen else 3)
    panel.lines[-1].set_label(f"stock {stock}, mean of means" if chosen else None)
panel.axhline(0, color=BLUE, linewidth=2, label="merged sums: exact")
panel.legend(loc="upper left", bbox_to_anchor=(0, 0.99))
panel.set(title="How far off is the VWAP?", xlabel="length of a chunk", ylabel="basis points", xscale="log")
panel.set_xticks([1, 10, 60, 300, 1800, 7200, 23_400], ["1 s", "10 s", "1 min", "5 min", "30 min", "2 h", "day"])
panel.minorticks_off()

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = f"The error of the mean of means for eight stocks against the length of a chunk. Share {stock}: "
described += f"{errors[0, stock]:.0f} basis points in chunks of a second, {errors[5, stock]:.0f} in half hours, "
described += f"{errors[7, stock]:.0f} in chunks of two hours, "
described += f"{errors[-1, stock]:.0f} in chunks of a day. Merged sums: 0 everywhere."
wrong = viz.Chart.of(figure, "The mean of the chunks' VWAPs", described)
wrong.save(out / "figures" / "05_01_mean_of_means.svg")
wrong

# %% [markdown]
# Small chunks do not help. In the limit of one second the volume drops out, and what is left is the plain mean of the
# prices: an honest number with another name (**[TWAP](https://en.wikipedia.org/wiki/Time-weighted_average_price "The
# time-weighted average price: the plain mean of the prices over time, whatever was traded at each.")**). And rechunking
# the array changes "the VWAP". A result that depends on the chunk shape is wrong.

# %% [markdown] tags=["section-library"]
# ## The cube on the disk, summarised by many threads
#
# `parallel_chunk_map` reads and summarises every chunk on some thread; each result is merged when it comes.

# %%
squeeze = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "bitshuffle"}}
kept = {"compressors": squeeze, "zarr_format": zarr_format, "overwrite": True}
about = {"fields": fields, "price": "cents of a US dollar", "size": "shares"}
layouts = {"moments": (chunk_seconds, stocks, 4), "stocks": (23_400, 1, 4)}
cubes = {
    name: zarr.create_array(out / f"{name}.zarr", data=cents, chunks=chunks, attributes=about, **kept)
    for name, chunks in layouts.items()
}
cube = cubes["moments"]
print(cube.shape, cube.chunks, cube.dtype, f"{cube.nchunks} chunks")


# %%
def reduced(array, count, ordered):
    work = array.parallel_chunk_map(
        lambda coords, rows: summary(coords[0] * array.chunks[0], rows), max_concurrency=count, ordered=ordered
    )
    return reduce(merge, work)


def same(one, two):
    return all(np.array_equal(x, y) for x, y in zip(one, two, strict=True))


trials = list(itertools.product((1, 2, 4, 8, workers), (True, False)))
equal = sum(same(reduced(cube, count, ordered), day) for count, ordered in trials)
print(f"{equal} of {len(trials)} runs, with 1 to 8 workers, in order and as they come: the same to the last cent")
assert equal == len(trials)

# %% [markdown]
# "To the last cent" is worth a second look. A sum of floats depends on its order in the last bits; a sum of whole
# numbers does not. Merge the parts in every rotation, as dollars and as cents:

# %%
dollars = [float(part.paid[stock]) / 100 for part in parts]  # a float for each chunk
turns = [[*range(k, len(parts)), *range(k)] for k in range(len(parts))]
float_sums = {reduce(float.__add__, [dollars[i] for i in turn]) for turn in turns}
whole_sums = {int(sum(parts[i].paid[stock] for i in turn)) for turn in turns}
assert all(same(reduce(merge, [parts[i] for i in turn]), day) for turn in turns)
print(f"{len(turns)} orders: {len(float_sums)} different sums of dollars, {len(whole_sums)} of cents")
print(f"they differ by {max(float_sums) - min(float_sums):.1e} of {max(float_sums):,.2f} dollars")
assert len(whole_sums) == 1

# %% [markdown]
# That is harmless until two runs are compared by their hash. Whole cents (**[fixed-point
# numbers](https://en.wikipedia.org/wiki/Fixed-point_arithmetic "Numbers stored as whole multiples of a small unit, such
# as cents; sums of them are exact.")**) settle it, as long as the sums fit into 64 bits.

# %% [markdown] tags=["section-bytes"]
# ## Cents in the file, not dollars
#
# The first row of the first stock, taken from the file by hand: four numbers of four bytes. Below it the same price
# as a float, which in base two has no end.

# %%
key = cube.chunk_key((0, 0, 0))
unpacked = numcodecs.Blosc().decode((out / "moments.zarr" / key).read_bytes())
print(viz.hexdump(unpacked[:16], notes=dict(zip(range(0, 16, 4), fields, strict=True))))
first_row = np.frombuffer(unpacked[:16], "<i4")
print(first_row)
print(viz.hexdump(np.float64(first_row[0] / 100).tobytes()))

# %% [markdown]
# What does it save? The same cube as floats and as whole numbers, with zstd alone, and after a bitshuffle.

# %%
alone = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "noshuffle"}}
as_floats = cents / np.array([100, 1, 100, 100])
stored = {}
for (name, values), (how, codec) in itertools.product(
    {"float64": as_floats, "int32": cents}.items(), {"zstd": alone, "bitshuffle, zstd": squeeze}.items()
):
    for layout, chunks in layouts.items():
        a = zarr.create_array({}, data=values, chunks=chunks, compressors=codec, zarr_format=zarr_format)
        stored[f"{name}, {how}, {layout}"] = sum(len(a.encoded_chunk(c)) for c in np.ndindex(a.cdata_shape))
ratio = {name: as_floats.nbytes / nbytes for name, nbytes in stored.items()}
for name, value in ratio.items():
    print(f"{name:34} {stored[name]:9,} B   x{value:5.2f} smaller than the floats in memory")
best_float, best_whole = (min(b for n, b in stored.items() if n.startswith(t) and "moments" in n) for t in ("f", "i"))
print(f"best against best, in chunks of moments: {best_float:,} B and {best_whole:,} B, x{best_float / best_whole:.2f}")

# %% [markdown]
# Half of the 9.2 is the type: four bytes instead of eight. Best against best, whole numbers are 1.9 times smaller in this
# cube. A bitshuffle makes the floats larger: cents as binary fractions fill all their bits, in no order.
#
# How far down does it go? From second to second a price moves by a few cents, and how hard those moves are to guess is
# their **[entropy](../GLOSSARY.md#entropy)**: a floor for whatever stores one move after the other. *Guess:* the recipe
# that most people recommend is differences, then zstd. How many times the floor does it take?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
one_price = cents[:, stock, 0].copy()
_, seen = np.unique(np.diff(one_price), return_counts=True)
floor = -(seen * np.log2(seen / seen.sum())).sum() / 8  # bytes
differences, zstd = numcodecs.Delta("i4").encode(one_price), numcodecs.Zstd(5)
squeezed = {
    "zstd": zstd.encode(one_price),
    "differences, zstd": zstd.encode(differences),
    "differences, bitshuffle, zstd": numcodecs.Blosc("zstd", 5, numcodecs.Blosc.BITSHUFFLE).encode(differences),
}
times_floor = {name: len(data) / floor for name, data in squeezed.items()}
print("After your guess:")
for name, times in times_floor.items():
    print(f"{name:30} {times:.2f} times the floor of {floor:,.0f} B")
assert min(times_floor.values()) > 1

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
# A coder that counts how often each number comes, instead of looking for what repeats: pip install pcodec
print("After your guess:")
try:
    from numcodecs.pcodec import PCodec
except ImportError:
    print("PCodec: not installed")
else:
    print(f"PCodec, without differences: {len(PCodec().encode(one_price)) / floor:.2f} times the floor")

# %% [markdown]
# zstd looks for pieces that were there before, and small random moves hardly repeat. A coder of numbers, such as
# [pcodec](https://github.com/pcodec/pcodec), nearly stands on the floor, and differences bring it nothing: it takes them
# itself. Other readers see the same cents in both layouts.

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
for name in cubes:
    report = interop_check(out / f"{name}.zarr", expected=cents)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Two questions, two layouts, and a day as it happens
#
# As in [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), a layout serves one question. Here they are *all
# stocks, one half hour* and *one stock, all day*, and the layouts chunks of a moment and chunks of a stock.

# %%
questions = {
    "all stocks, half an hour": (slice(1800, 3600), slice(0, stocks)),
    "one stock, all day": (slice(0, 23_400), slice(stock, stock + 1)),
}
costs = {}
for (layout, array), (question, selection) in itertools.product(cubes.items(), questions.items()):
    trace = TraceStore(array.store)
    traced = zarr.open_array(trace, mode="r")
    trace.clear()
    asked = traced[selection]
    assert np.array_equal(asked, cents[selection])
    decoded = trace.count("GET") * int(np.prod(array.chunks)) * 4
    costs[layout, question] = {"requests": trace.count("GET"), "amplification": decoded / asked.nbytes}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.2, 4.2, 2, 2, sharex=True, sharey=True)
for panel, ((layout, question), cost) in zip(axes.flat, costs.items(), strict=True):
    (rows, columns), (long, wide, _) = questions[question], layouts[layout]
    for t, k in itertools.product(range(0, 23_400, long), range(0, stocks, wide)):
        hit = t < rows.stop and rows.start < t + long and k < columns.stop and columns.start < k + wide
        panel.fill_between((t, min(t + long, 23_400)), k, k + wide, color=SKY if hit else "white", edgecolor=GREY)
    seen = {"facecolor": "none", "edgecolor": VERMILION, "hatch": "////", "linewidth": 1.5}
    panel.fill_between((rows.start, rows.stop), columns.start, columns.stop, **seen, label="asked")
    counted = f"{cost['requests']} request{'s' * (cost['requests'] > 1)}, x{cost['amplification']:.0f}"
    panel.set_title(f"{question}: {counted}", fontsize=9)
    panel.set(xlim=(0, 23_400), ylim=(stocks, 0), yticks=[], xticks=range(1800, 23_400, 7200))
    panel.set_xticklabels(["10:00", "12:00", "14:00"])
for panel, layout in zip(axes[:, 0], ("half hours", "stocks"), strict=True):
    panel.set(ylabel=f"chunks of\n{layout}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
handles = [Patch(facecolor=SKY), Patch(facecolor="none", edgecolor=VERMILION, hatch="////")]
figure.legend(handles, ["read and decoded", "asked"], loc="outside lower center", ncols=2)
described = "Two questions, hatched, in two layouts; blue is read and decoded. " + " ".join(
    f"{question}, {layout}: {cost['requests']} request{'s' * (cost['requests'] > 1)}, "
    f"x{cost['amplification']:.0f} the bytes asked."
    for (layout, question), cost in costs.items()
)
two_by_two = viz.Chart.of(figure, "Two questions, two layouts", described)
two_by_two.save(out / "figures" / "05_01_layouts.svg")
two_by_two

# %% [markdown]
# Hatched is asked, blue is read and decoded. Top: chunks of a half hour. Bottom: chunks of a stock. A writer that
# follows the day has no choice: the whole day of a stock is not there yet. So stream into half hours, and copy at night
# if the other question matters.
#
# **A day as it happens.** A writer appends five minutes at a time. A reader that was opened before the first trade
# calls `refresh()`, reads the rows that it has not seen, and merges them.


# %%
def empty_day(place):
    """A store with an array of no rows; it grows by `append`."""
    form = {"shape": (0, stocks, 4), "chunks": layouts["moments"], "dtype": "int32", "attributes": about}
    return zarr.create_array(place, **form, **kept).store


store = empty_day(out / "live.zarr")
document = {2: ".zarray", 3: "zarr.json"}[zarr_format]
writing, reading = TraceStore(store), TraceStore(store)
writer, reader = zarr.open_array(writing, mode="r+"), zarr.open_array(reading, mode="r")

# %%
bar, running, step = None, [], 300
for start in range(0, seconds, step):
    writing.clear()
    writer.append(cents[start : start + step])
    reading.clear()
    seen = reader.shape[0]  # what the reader knows of so far
    now = reader.refresh()[0]
    part = summary(seen, reader[seen:now])
    bar = merge(bar, part) if bar else part
    running.append(vwap(bar)[stock])
counts = {"append": writing.count(), "follow": reading.count()}
print("the writer's last append:", *(f"{request.verb} {request.key}" for request in writing.requests), sep="\n   ")
print("the reader's last look:", *(f"{request.verb} {request.key}" for request in reading.requests), sep="\n   ")
print(f"after {len(running)} looks the reader's day is the day, to the last cent: {same(bar, day)}")
assert same(bar, day)

# %% [markdown]
# The elements first, the shape last: a reader never sees a row that is not there. It reads the last chunk again
# each time, and counts only the rows that are new.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.6)
panel.plot(np.arange(0, seconds, 30), price[::30, stock] / 100, color=GREY, linewidth=0.7, alpha=0.7, label="price")
panel.plot(np.arange(step, seconds + step, step), running, color=BLUE, label="VWAP so far, merged")
mean_so_far = vwaps[:, stock].cumsum() / np.arange(1, len(starts) + 1)
ends = np.minimum(starts + chunk_seconds, seconds)
panel.plot(ends, mean_so_far, color=VERMILION, marker="o", markersize=4, linewidth=1.5, label="mean of means so far")
panel.set(title="A day as it happens", ylabel="dollars", xlabel="time of day")
panel.set_xticks(clock, hours)
panel.legend()
described = (
    f"A price, and two averages that follow it: merged, ending at {running[-1]:.2f}, and the mean of the chunks' "
)
followed = viz.Chart.of(figure, "The VWAP so far", f"{described}means, ending at {mean_so_far[-1]:.2f} dollars.")
followed.save(out / "figures" / "05_01_follow.svg")
followed

# %% [markdown]
# How often should you append? A chunk that is not full is written again each time
# (**[write amplification](../GLOSSARY.md#write-amplification)**). One chunk, in three rhythms:

# %%
chunk_writes = {}
for step in (60, 300, chunk_seconds):
    writing = TraceStore(empty_day({}))
    writer = zarr.open_array(writing, mode="r+")
    for start in range(0, chunk_seconds, step):
        writer.append(cents[start : min(start + step, chunk_seconds)])
    chunk_writes[step] = sum(request.verb == "PUT" and request.key != document for request in writing.requests)
    times = f"{chunk_writes[step]} time{'s' * (chunk_writes[step] != 1)}"
    late = f"a trade is seen {step / 2:g} s late on average, {step} s at most"
    print(f"every {step:5,} s: the chunk is written {times}; {late}")

# %% [markdown] tags=["section-wrong"]
# ## A merge that is right only in order
#
# This is how `merge` is often written first: sort the two, take the close of the second. It passes every test in order,
# until a chunk comes late (a **[race condition](../GLOSSARY.md#race-condition)**, where threads decide who is late).


# %%
def merge_in_order(one, two):
    late = two if one.first < two.first else one
    return merge(one, two)._replace(close=late.close)


assert same(reduce(merge_in_order, parts), day)
wrong_turns = [not same(reduce(merge_in_order, [parts[i] for i in turn]), day) for turn in turns]
late_one = reduce(merge_in_order, [*parts[:5], *parts[6:], parts[5]])
print(f"wrong in {sum(wrong_turns)} of {len(turns)} rotations")
print(f"chunk 5 comes last: close {late_one.close[stock] / 100:.2f}, not {day.close[stock] / 100:.2f}")

# %% [markdown]
# The merged bar begins before the late chunk *and* ends after it. First and last must be compared each on its own.
# A run in order never shows the mistake, so test a merge with its parts in other orders, on purpose.
#
# **A row that is counted twice.** `reduce` takes a start value; the first chunk looks like a fine one.

# %%
twice = reduce(merge, parts, parts[0])
twice_off = (vwap(twice) / vwap(day) - 1)[stock] * 1e4
print(f"open, high, low and close right: {same(twice[:6], day[:6])}; VWAP off by {twice_off:+.1f} bp")
print(f"shares: {twice.shares[stock]:,} instead of {day.shares[stock]:,}")

# %% [markdown]
# **Rows that are not there yet.** A writer makes the whole day in advance and fills it as it goes. What is not written
# reads as the fill value, which is zero.

# %%
noon = zarr.create_array({}, shape=cents.shape, chunks=layouts["moments"], dtype="int32", **kept)
noon[: seconds // 2] = cents[: seconds // 2]
half = summary(0, noon[...])
print(f"VWAP right: {vwap(half)[stock] == vwap(summary(0, cents[: seconds // 2]))[stock]}")
print(f"low {half.low[stock] / 100:.2f}, close {half.close[stock] / 100:.2f} dollars")

# %% [markdown]
# A sum does not mind zeros, a minimum does. Let the array grow instead: then its shape says what is there.
#
# **A second without a price.** In dollars that is NaN, and whole numbers have none. Many files pack floats by
# `FixedScaleOffset`: (value - offset) x scale, as an integer of 16 bits. What does a missing price come back as?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
middle = float(np.round(one_price.mean() / 100))
packed = numcodecs.FixedScaleOffset(offset=middle, scale=100, dtype="f8", astype="i2")
dollars = one_price[:5] / 100
dollars[2] = np.nan
with np.errstate(invalid="ignore"):
    came_back = packed.decode(packed.encode(dollars))
print("After your guess:")
print(dollars, "comes back as", came_back)
assert came_back[2] == middle
try:
    zarr.create_array({}, data=dollars, filters=[packed], zarr_format=zarr_format)
except ChunkError as error:
    print("here:", str(error).partition(": codec ")[2])

# %% [markdown]
# As the offset: the mean price of the day, which nobody will question. numcodecs says nothing; here the write is refused.
# Give what is missing a number that no price can be, and say so in the attributes.

# %% [markdown] tags=["section-predict"]
# ## Only a morning and an afternoon
#
# Two chunks only, morning and afternoon: `length = 11_700`. Is the mean of two VWAPs better than that of
# thirteen, for every stock? Write it down, and try.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
length = 1800
print(mean_of_chunks(length).round(1), "basis points")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_01.1
#
# Morning: open 100, high 104, low 99, close 101, VWAP 102, 3,000 shares. Afternoon: open 101, high 103, low 97,
# close 98, VWAP 99, 9,000 shares. What are (open, high, low, close, VWAP) of the day?
#
# <details><summary>Hint</summary>
# Four of the five are looked up. For the fifth: what was paid in the morning, and what in the afternoon?</details>

# %% tags=["exercise"]
of_the_day = ...
check("05_01.1", of_the_day)

# %% [markdown]
# ### Exercise 05_01.2
#
# The largest fall is what a price lost at most, from one moment to a later one. Of each part of a day you have
# (highest, lowest, fall). Write `merge_falls`: the same three numbers for an early part and the late part after it.
#
# <details><summary>Hint</summary>
# The largest fall of both may lie in the early part, in the late part, or begin in one and end in the other.</details>


# %% tags=["exercise"]
def merge_falls(early, late): ...


check("05_01.2", merge_falls)

# %% [markdown]
# ### Exercise 05_01.3
#
# `reduce` needs a start value that changes nothing, whatever it is merged with. Give (high, low, paid, shares).
#
# <details><summary>Hint</summary>
# Zero changes no sum. Which number changes no minimum?</details>

# %% tags=["exercise"]
start_value = ...
check("05_01.3", start_value)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `array.parallel_chunk_map(work)`, merged by `reduce` | `dask.array.from_zarr(...)`: it merges the sums of `(price * size).sum() / size.sum()` by itself | in zarr-python alone: a map over chunks |
# | `array.append(rows)`: elements first, shape last | `array.append(rows)`: shape first | a reader that never sees a row before its elements |
# | `array.refresh()` | `zarr.open_array(...)` once more | an open array that learns its new shape |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store).counter` | the bytes and the range of each request |
# | `array.encoded_chunk(coords)` | `array.nbytes_stored()`: all chunks and the metadata, in one sum | the stored bytes of one chunk |
# | `create_array(data=..., chunks=..., attributes=...)` | the same names | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A market has fat tails, volume at both ends of the day, and moves that remember their size; numbers that are drawn
#   each on its own do not.
# - Keep of each chunk its first and last time, open, high, low, close, and two sums. Merging them is exact, for any
#   number of workers, in any order.
# - The mean of the chunks' VWAPs forgets the volume between chunks. With small chunks it is the plain mean of the
#   prices.
# - Prices are whole cents. Their sums are exact, and their files here 1.9 times smaller than those of floats.
# - Chunks of moments are for all stocks at once, and for writing as it happens; chunks of stocks for one stock over
#   long times. Each pays for the other's question.
# - `append` writes the elements first and the shape last; `refresh` learns the new shape; the rows in between are
#   new.
#
# **Open questions.** What of a median, which has no small summary? What if trades arrive late, for a second that is
# already merged? What does a night's copy from one layout to the other cost?
#
# **To read further.**
#
# - [Monoidify!](https://arxiv.org/abs/1304.7544): why merging parts is the principle behind fast distributed sums
# - [Empirical properties of asset returns](https://doi.org/10.1080/713665670): the facts that made-up ticks have to
#   show
# - [Dask's reduction](https://docs.dask.org/en/stable/generated/dask.array.reduction.html): the same three steps,
#   chunk, combine and aggregate, for arrays of any size
#
# **Next.** [05_02](05_02_order_book_snapshots.ipynb): is a snapshot of the order book every second enough to know what an
# order costs?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The open is the morning's, the close the afternoon's. Paid: 306,000 and 891,000, for 12,000 shares.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_01.1", (100, 104, 97, 98, (102 * 3000 + 99 * 9000) / 12_000))

# %% [markdown]
# A fall across the border begins at the early high and ends at the late low. The other way round is no fall.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def merge_falls(early, late):
    fall = max(early[2], late[2], early[0] - late[1])
    return max(early[0], late[0]), min(early[1], late[1]), fall


check("05_01.2", merge_falls)

# %% [markdown]
# Nothing is above infinity or below its negative. In whole numbers the ends of the type would do.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_01.3", (-np.inf, np.inf, 0, 0))

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "seconds": seconds,
        "stocks": stocks,
        "trades": seconds * stocks,
        "stock": stock,
        "chunks": len(parts),
        "chunk_seconds": chunk_seconds,
        "realism": {
            name: {fact: round(value, 4) for fact, (value, _, _) in found.items()} for name, found in facts_of.items()
        },
        "checks": len(facts_of["naive"]),
        "failed_by_naive": failed,
        "half_hour_volume": {name: [round(v, 6) for v in volume.tolist()] for name, (volume, _) in curves.items()},
        "memory_of_size": {name: [round(v, 4) for v in memory] for name, (_, memory) in curves.items()},
        "shares_in_a_chunk": [most, least],
        "price_in_the_file": [int(first_row[0]), float(first_row[0] / 100)],
        "bars": {name: (getattr(day, name) / 100).tolist() for name in ("open", "high", "low", "close")},
        "vwap": vwap(day),
        "mean_of_means": vwaps.mean(0),
        "off_bp": off,
        "off_bp_least_and_most": [np.abs(off).min(), np.abs(off).max()],
        "naive_off_bp": round(naive_off, 4),
        "turnover_dollars": turnover,
        "turnover_millions": turnover / 1e6,
        "off_thousand_dollars": abs(off[stock]) / 1e4 * turnover / 1e3,
        "spread_bp": spread[stock],
        "best_against_best": best_float / best_whole,
        "one_percent_of_the_error": abs(off[stock]) / 1e4 * turnover / 1e5,
        "off_by_length": {str(length): error[stock] for length, error in zip(lengths, errors, strict=True)},
        "halves_bp": mean_of_chunks(11_700),
        "runs": [equal, len(trials)],
        "orders": len(turns),
        "sums": {"of floats agree": len(float_sums) == 1, "of cents": len(whole_sums)},
        "stored": stored,
        "ratio": ratio,
        "costs": {f"{question}, {layout}": cost for (layout, question), cost in costs.items()},
        "live": {"looks": len(running), "minutes": 5, "requests": counts, "last": running[-1]},
        "chunk_writes": {str(step): writes for step, writes in chunk_writes.items()},
        "wrong_turns": sum(wrong_turns),
        "late_chunk": [late_one.close[stock] / 100, day.close[stock] / 100],
        "twice": {"off_bp": abs(twice_off), "shares": [twice.shares[stock], day.shares[stock]]},
        "times_floor": times_floor,
        "floor": floor,
        "missing_price_comes_back_as": came_back[2],
        "noon": {"low": half.low[stock] / 100, "close": half.close[stock] / 100},
    },
)
