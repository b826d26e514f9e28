# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read an order book as it was when the order came
#
# **Question.** Is a snapshot of the book every second enough to know what an order costs?
#
# ![Ten seconds of an order book as a heat map of price and time. The best bid and the best ask move many times between
# the dotted lines of two snapshots.](../../articles/figures/05_02_book.svg)
#
# *Ten seconds. Dark: many lots wait at this price. Dotted: the moments that a snapshot every second keeps.*
#
# A **[limit order book](https://en.wikipedia.org/wiki/Order_book "All orders that wait in a market: how much is bid or
# asked at which price.")** changes when something happens, not when a clock ticks. Most stored books are sampled by a
# clock all the same, because a regular grid is so easy to keep as an array. What does that do to an answer?

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 40 minutes |
# | **Needs** | [05_01](05_01_tick_data_cube.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/group.py` |
# | **Article** | [Right on average, wrong when you act on it](../../articles/20_order_book_snapshots.md) |
# | **Data** | every change of a book in a quarter of an hour (`data_gen/order_book.py`) |
#
# **You will be able to**
#
# - work out what an order costs by walking the book
# - find the book of any moment among events at irregular times, with few requests
# - say what a regular grid loses, and what it makes up
# - tell the questions that snapshots answer from those that they answer wrongly
# - avoid three readings of a book that look right
# - choose chunks that read the mid-price from a tenth of the bytes
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `step_ms` is the time between two snapshots, in milliseconds, `lots` the size of the order.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: an hour and a half instead of a quarter of an hour
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
step_ms = 1000
lots = 50

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import numpy as np

import tutorial_zarr as zarr
from data_gen import order_book
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(step_ms=(step_ms, 10, 10_000), lots=(lots, 1, 60))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A book whose every change we know
#
# Real data would be an exchange's message feed: every order, change and cancellation, in bursts, at nanoseconds. Ours
# comes from a model with no intelligence at all: orders arrive, wait and vanish at fixed rates, and the clock runs in
# bursts. It lacks news, big orders, and traders who watch each other; it is known to have a depth, a spread and a
# recovery like a real book, and those we check. We need every change, to know the truth that snapshots miss.

# %%
made = order_book.make("small" if quick else "large", seed)
time, book = made.arrays["time"], made.arrays["book"]
for fact, (value, low, high) in order_book.realism(made).items():
    assert low <= value <= high
    print(f"{fact:50}{value:8.2f}   expected {low:.2f} to {high:.2f}")
print(f"\n{len(time):,} changes of the ten best levels in {time[-1] / 1e6:,.0f} seconds; {book.shape}, {book.dtype}")

# %% [markdown] tags=["section-idea"]
# ## Events have times of their own
#
# `time[k]` is when event *k* happened, in microseconds. `book[k]` is the book from then on, until event *k + 1*: the ten
# best bids and asks, each a price in cents and a size in lots. In [05_01](05_01_tick_data_cube.ipynb) the row *was* the
# second. Here the row is only a number, and the time is data.

# %%
bid, ask = book[:, 0, 0, 0], book[:, 1, 0, 0]
mid = (bid + ask) / 2  # cents
busiest = int(np.bincount(time // 10_000_000)[1:-1].argmax()) + 1
begin = 10 * busiest  # the busiest ten seconds
clock = (begin + np.arange(0, 10, 0.02)) * 1e6
rows = np.searchsorted(time, clock, side="right") - 1
lowest, highest = int(bid[rows].min()) - 6, int(ask[rows].max()) + 6

# %% tags=["hide-input"] jupyter={"source_hidden": true}
picture = np.zeros((highest - lowest + 1, len(rows)))
for column, row in enumerate(rows):
    for side in (0, 1):
        price, size = book[row, side].T
        seen = (price >= lowest) & (price <= highest)
        picture[price[seen] - lowest, column] = size[seen]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.8)
where = (begin, begin + 10, lowest - 0.5, highest + 0.5)
drawn = panel.imshow(picture, origin="lower", aspect="auto", extent=where, cmap="Greys", vmax=20, interpolation="none")
figure.colorbar(drawn, ax=panel, label="lots that wait", ticks=range(0, 21, 5))
inside = slice(rows[0], rows[-1] + 1)
panel.step(time[inside] / 1e6, ask[inside], where="post", color=VERMILION, linewidth=1.6, label="best ask")
panel.step(time[inside] / 1e6, bid[inside], where="post", color=BLUE, linewidth=1.6, label="best bid")
for second in range(begin, begin + 11):
    panel.axvline(second, color=GREEN, linestyle=":", linewidth=1.8, label="snapshot" if second == begin else None)
panel.set(xlim=(begin, begin + 10), xlabel="seconds", ylabel="price, dollars")
prices = range(lowest, highest + 1, 4)
panel.set_yticks(prices, [f"{price / 100:.2f}" for price in prices])
_ = figure.legend(loc="outside upper center", ncols=3)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
in_view = int((np.diff(bid[inside]) != 0).sum() + (np.diff(ask[inside]) != 0).sum())
described = f"Ten seconds of an order book: price against time, darker where more lots wait. In them {inside.stop - inside.start} "
described += f"events happen, and the best prices change {in_view} times; snapshots are taken eleven times."
heat = viz.Chart.of(figure, "Ten seconds of an order book", described)
heat.save(out / "figures" / "05_02_book.svg")
heat

# %% [markdown] tags=["section-build"]
# ## Build it small: walk the book
#
# To buy 50 lots at once, take the best ask, then the next, until you have them. The mean price paid, above the
# **[mid-price](https://en.wikipedia.org/wiki/Mid_price "Halfway between the best bid and the best ask.")**, is the
# **[slippage](https://en.wikipedia.org/wiki/Slippage_%28finance%29 "By how much the price that an order gets is worse than
# the one at which it was decided, here the mid-price.")**. And the book of a moment is that of the last event up to it.


# %%
def walk(asks, wanted):
    """The mean price of buying `wanted` lots from levels (price, size); NaN if they are not there."""
    paid, left = 0, wanted
    for price, size in asks.tolist():
        taken = min(size, left)
        paid, left = paid + taken * price, left - taken
    return paid / wanted if left == 0 else float("nan")


def as_of(time, moments):
    """The number of the last event at or before each moment; -1 if there is none."""
    return np.searchsorted(time, moments, side="right") - 1


# %%
here = as_of(time, 60_000_000)  # after one minute
for price, size in book[here, 1, :6].tolist():
    print(f"{size:3} lots at {price / 100:.2f}")
print(f"mid {mid[here] / 100:.3f}; {lots} lots cost {walk(book[here, 1], lots) / 100:.4f} on average:", end=" ")
print(f"a slippage of {walk(book[here, 1], lots) - mid[here]:.2f} cents")

# %% [markdown]
# The same for all events at once: of each level, as much as the levels above it have left to buy.


# %%
def slippage(book, wanted):
    """Cents above the mid-price for buying `wanted` lots, for each book of (event, side, level, field)."""
    price, size = book[:, 1, :, 0].astype(float), book[:, 1, :, 1]
    above = np.cumsum(size, axis=1) - size
    taken = np.clip(wanted - above, 0, size)
    cost = (price * taken).sum(1) / wanted - (book[:, 0, 0, 0] + book[:, 1, 0, 0]) / 2
    return np.where(taken.sum(1) == wanted, cost, np.nan)


cost = slippage(book, lots)
brute = [walk(book[k, 1], lots) - mid[k] for k in range(0, len(time), 97)]
assert np.allclose(cost[::97], brute, equal_nan=True)
sizes = [1, 5, 10, 20, 30, 40, 50, 60]
curve = [float(np.nanmean(slippage(book, wanted))) for wanted in sizes]
print({wanted: round(value, 2) for wanted, value in zip(sizes, curve, strict=True)})

# %% [markdown] tags=["section-build"]
# ## A clock loses events, and makes up others
#
# Now sample it: one snapshot at each step of a clock. A cell of the grid in which several events fall keeps the last
# one; a cell with none gets a copy. **Guess:** of all events, how many does a grid of one second lose? And how
# fine must a grid be to lose less than two in a hundred?

# %%
steps_ms = [10_000, 1000, 100, 10, 1]
lost, copied = {}, {}
for step in steps_ms:
    each = np.bincount(time // (1000 * step))  # events in each cell
    lost[step] = float(1 - (each > 0).sum() / len(time))
    copied[step] = float((each == 0).mean())
    print(
        f"{step:6,} ms: {len(each):9,} rows, {lost[step]:6.1%} of events lost, {copied[step]:6.1%} of rows are copies"
    )
gaps = np.diff(time)
print(f"between two events: {gaps.min()} us at least, {np.median(gaps) / 1000:.0f} ms in the median,", end=" ")
print(f"{gaps.max() / 1e6:.1f} s at most")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.0, 3.2)
panel.plot(steps_ms, [100 * lost[s] for s in steps_ms], marker="o", color=VERMILION, label="events that are lost")
panel.plot(steps_ms, [100 * copied[s] for s in steps_ms], marker="s", color=BLUE, label="rows that are copies")
panel.set(xscale="log", xlabel="time between two snapshots", ylabel="per cent", ylim=(-4, 104))
panel.set_xticks(steps_ms, ["10 s", "1 s", "100 ms", "10 ms", "1 ms"])
panel.minorticks_off()
panel.legend(loc="center right")
told = "; ".join(f"{s:,} ms: {lost[s]:.1%} lost, {copied[s]:.1%} copies" for s in steps_ms)
grid_loss = viz.Chart.of(figure, "What a grid loses and makes up", f"Two curves against the step of a grid. {told}.")
grid_loss.save(out / "figures" / "05_02_grid.svg")
grid_loss

# %% [markdown]
# None of these steps is right. Events come in bursts, so a clock is too slow for some of them and too fast for most of the time.
# A millisecond still loses some, and nearly all of its rows say nothing new.

# %% [markdown] tags=["section-build"]
# ## Snapshots are right on average
#
# 20,000 orders of 50 lots, at moments that nobody chose. Price each with the last snapshot, and with the book as it was
# when the order came: an **[as-of
# join](https://pandas.pydata.org/docs/reference/api/pandas.merge_asof.html "Giving each row of one table the latest row
# of another up to its time; neither need have equal or regular times.")**. In most cases these are two different
# books. **Write down a guess:** by how many per cent is the mean cost of the snapshots off?

# %%
moments = np.random.PCG64(seed).random_raw(20_000) % np.uint64(time[-1] - 20_000_000) + np.uint64(10_000_000)
moments = np.sort(moments.astype("int64"))
true = as_of(time, moments)
step = 1000 * step_ms
seen = as_of(time, moments // step * step)  # the last snapshot
both = ~np.isnan(cost[true]) & ~np.isnan(cost[seen])

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
other = float((book[true] != book[seen]).any((1, 2, 3)).mean())
mean_true, mean_seen = cost[true][both].mean(), cost[seen][both].mean()
single = float(np.sqrt(((cost[seen] - cost[true])[both] ** 2).mean()))
print(f"the snapshot is another book for {other:.0%} of the orders")
print(f"mean cost by the snapshots {mean_seen:.3f} cents, in truth {mean_true:.3f}: {mean_seen / mean_true - 1:+.2%}")
print(f"a single order is off by {single:.2f} cents (root mean square)")
assert abs(mean_seen / mean_true - 1) < 0.01

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.4, 1, 2)
left.plot(sizes, curve, marker="o", color=BLUE)
left.set(title="Larger orders pay more", xlabel="lots to buy", ylabel="slippage, cents", ylim=(0, None))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
some = np.flatnonzero(both)[::40]
right.scatter(cost[true][some], cost[seen][some], s=8, color=GREY, alpha=0.6, linewidth=0)
limits = (0, float(np.ceil(max(np.nanmax(cost[true]), np.nanmax(cost[seen])))))
right.plot(limits, limits, color=GREEN, linewidth=1)
right.plot(
    mean_true, mean_seen, marker="D", markersize=9, color=VERMILION, linestyle="none", label="mean of all orders"
)
right.set(title=f"One order of {lots} lots a dot", xlabel="cents, by the book", ylabel="cents, by the snapshot")
right.set(xlim=limits, ylim=limits)
right.legend(loc="upper left")
described = f"Left: the slippage of buying 1 to 60 lots, from {curve[0]:.2f} to {curve[-1]:.2f} cents. Right: the cost of orders by the "
described += f"last snapshot against the truth; dots scatter widely about the diagonal, by {single:.2f} cents, and the mean lies on it."
scatter = viz.Chart.of(figure, "Wrong for each, right for all", described)
scatter.save(out / "figures" / "05_02_scatter.svg")
scatter

# %% [markdown]
# Wrong for nearly every order, and right for all of them. The moments did not depend on the book, so a snapshot that is
# half a second old is as good a sample of it as a fresh one. If this is your question, snapshots will do.

# %% [markdown] tags=["section-build"]
# ## Snapshots are wrong when you act on them
#
# Traders choose their moments. A simple rule: buy only if the spread, from bid to ask, is one cent, as narrow as it
# gets. An order for one lot then costs half a cent above the mid. The backtest takes the spread from the snapshot.
# **Guess** what those orders cost in truth.

# %%
half = (ask - bid) / 2  # what one lot costs above the mid-price


def by_rule(rule, step_ms):
    """What orders cost by the snapshot and in truth, where the snapshot says so: `rule` is of the spread in cents."""
    snapshot = as_of(time, moments // (1000 * step_ms) * (1000 * step_ms))
    chosen = rule(ask[snapshot] - bid[snapshot])
    return half[snapshot][chosen].mean(), half[true][chosen].mean()


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
narrow = {every: by_rule(lambda spread: spread == 1, every) for every in (10, 100, 500, 1000, 5000)}
always = by_rule(lambda spread: spread > 0, 1000)
for every, (believed, real) in narrow.items():
    print(f"a snapshot every {every:5,} ms: believed {believed:.2f} cents, real {real:.2f}: {real / believed - 1:+.0%}")
print(f"without the rule, every 1,000 ms: believed {always[0]:.2f} cents, real {always[1]:.2f}")
assert narrow[1000][1] > 1.3 * narrow[1000][0]
assert abs(always[1] / always[0] - 1) < 0.05

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.0, 3.4)
panel.axhline(half[true].mean(), color=GREY, linestyle="--", label="any moment")
panel.plot(list(narrow), [real for _, real in narrow.values()], marker="o", color=VERMILION, label="the rule, in truth")
panel.plot(list(narrow), [b for b, _ in narrow.values()], marker="s", color=BLUE, label="the rule, by the snapshots")
panel.set(xscale="log", xlabel="time between two snapshots", ylabel="cost of one lot, cents", ylim=(0, 1.9))
panel.set_xticks(list(narrow), ["10 ms", "100 ms", "0.5 s", "1 s", "5 s"])
panel.minorticks_off()
figure.legend(loc="outside upper center", ncols=3)
told = "; ".join(f"{every:,} ms: {real:.2f}" for every, (_, real) in narrow.items())
described = f"The cost of a lot when the snapshot shows a spread of one cent: believed, 0.50 cents at any step. In truth: {told}."
acted = viz.Chart.of(
    figure, "Buying when the snapshot looks cheap", f"{described} At any moment: {half[true].mean():.2f}."
)
acted.save(out / "figures" / "05_02_rule.svg")
acted

# %% [markdown]
# The rule picks the snapshots that look best. A narrow spread does not stay: someone takes the price, and by the time
# of the order it is wider again (**[regression to the
# mean](https://en.wikipedia.org/wiki/Regression_toward_the_mean "What is chosen because it is extreme lies, when it is
# looked at once more, nearer to the middle on average.")**). The backtest never sees it: it prices the order with
# the snapshot that it chose by. The average over all moments would not have warned you.

# %% [markdown] tags=["section-library"]
# ## Keep the events, and an index to them
#
# So keep events: two arrays of one length, times and books. To find a moment, a reader needs the times, and all of
# them are many requests. So add a third array, `second`: the number of the first event in each second, or after it. It is
# the grid again, in its right place: it says where to look, and not what the book was.

# %%
squeeze = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "shuffle"}}
stored = zarr.create_group(out / "events.zarr", zarr_format=zarr_format, overwrite=True)
second = np.searchsorted(time, np.arange(0, time[-1] + 2_000_000, 1_000_000))
parts = {"time": (time, (512,)), "second": (second, (4096,)), "book": (book, (256, 2, 10, 2))}
parts |= {name: (values, (4096,)) for name, values in made.arrays.items() if name.startswith("trade")}
for name, (values, chunks) in parts.items():
    stored.create_array(name, data=values, chunks=chunks, compressors=squeeze)
stored["time"].attrs["unit"] = "microseconds"
stored["book"].attrs.update({"side": ["bid", "ask"], "field": ["price in cents", "size in lots"]})


# %%
def book_at(group, moment):
    """The book (side, level, field) at a moment, in microseconds."""
    whole = moment // 1_000_000
    first, stop = group["second"][whole : whole + 2]
    times = group["time"][first:stop]  # the events of this second
    return group["book"][first + as_of(times, moment)]  # if there is none before: the last event of an earlier second


for moment, row in zip(moments[::500], true[::500], strict=True):
    assert np.array_equal(book_at(stored, moment), book[row])

# %%
trace = TraceStore(stored.store)
traced = zarr.open_group(trace, mode="r")
arrays = {name: traced[name] for name in ("time", "second", "book")}  # open: their metadata is read
trace.clear()
row = as_of(arrays["time"][:], moments[7])
found = arrays["book"][row]
by_all_times = trace.count("GET")
trace.clear()
assert np.array_equal(book_at(arrays, moments[7]), found)
by_index = trace.count("GET")
print(f"one book, with all times read: {by_all_times} requests; with the index: {by_index}")

# %% [markdown]
# Other readers see the same events.

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
for name, (values, _) in parts.items():
    report = interop_check(out / "events.zarr" / name, expected=values)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## The mid-price lies in a tenth of the bytes
#
# One book is one question. The mid-price of the whole day is another: it needs the best level only. Cut the
# levels apart, into chunks of the same number of bytes, ten times as long.

# %%
layouts = {"moments": (256, 2, 10, 2), "levels": (2560, 2, 1, 2)}
reads = {}
for name, chunks in layouts.items():
    array = zarr.create_array(
        out / f"{name}.zarr", data=book, chunks=chunks, compressors=squeeze, zarr_format=zarr_format, overwrite=True
    )
    trace = TraceStore(array.store)
    traced = zarr.open_array(trace, mode="r")
    for question, selection in {"mid-price, all day": np.s_[:, :, 0, 0], "one book": np.s_[5000]}.items():
        trace.clear()
        assert np.array_equal(traced[selection], book[selection])
        decoded = trace.count("GET") * int(np.prod(chunks)) * 4
        reads[name, question] = {"requests": trace.count("GET"), "decoded": decoded}
for (name, question), read in reads.items():
    print(f"chunks of {name:8} {question:20} {read['requests']:3} requests, {read['decoded']:9,} bytes decoded")

# %% [markdown]
# It is the choice of [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) once more, along an axis that is easily
# overlooked: a level is a place in a list, so it can be cut like any other.

# %% [markdown] tags=["section-wrong"]
# ## Three readings of a book that look right
#
# **The book of the very moment.** What did real trades cost? A trade and the change of the book that it makes carry one
# time. "At or before" is then the book *after* the trade, and you compare a price with the mid-price that it made.

# %%
when, sign, price = (made.arrays[f"trade_{name}"] for name in ("time", "side", "price"))
late = (when > 2_000_000) & (when < time[-1] - 2_000_000)
when, sign, price = when[late], sign[late], price[late]
readings = {
    "before the trade": np.searchsorted(time, when, side="left") - 1,
    "at or before": as_of(time, when),
    "last in its second": as_of(time, (when // 1_000_000 + 1) * 1_000_000 - 1),
    "snapshot before": as_of(time, when // 1_000_000 * 1_000_000),
}
paid = {name: float((sign * (price - mid[rows])).mean()) for name, rows in readings.items()}
for name, value in paid.items():
    print(f"{name:20} {value:.3f} cents above the mid-price, {value / paid['before the trade'] - 1:+.0%}")
assert paid["at or before"] < 0.9 * paid["before the trade"]

# %% [markdown]
# One letter, `side="left"` for `"right"`, and trading looks cheaper by more than a quarter.
#
# **A cell that is named by its beginning.** The third line is what `resample("1s").last()` gives: the last book *of* a
# second, filed under its first moment. An order in the middle of the second then reads the future. The snapshot
# *before* is old but honest: here its mean is that of the truth.
#
# **An order larger than what is shown.** Ten levels are not the book. What if you divide by what was there?

# %%
large = 2 * lots
there = book[:, 1, :, 1].sum(1)
short = there < large
shown = (book[:, 1, :, 0].astype(float) * book[:, 1, :, 1]).sum(1) / there - mid  # all that is shown, and no more
short_share, short_cost = float(short[true].mean()), float(shown[true][short[true]].mean())
full_cost = float(np.nanmean(slippage(book, large)[true]))
print(f"for {short_share:.0%} of the orders ten levels hold fewer than {large} lots")
print(f"by what is shown they would cost {short_cost:.2f} cents, the others {full_cost:.2f}")

# %% [markdown]
# `slippage` says NaN there: not known. A mean that leaves NaN out is a mean of the deep books, which are the cheap ones.
# Report how many were left out.

# %% [markdown] tags=["section-predict"]
# ## Buy when it looks expensive
#
# Turn the rule around: act only if the snapshot shows a spread of five cents or more. Is the truth above or below what
# the snapshots say? Write it down, and run. Then change the five.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
wide = by_rule(lambda spread: spread >= 5, step_ms)
print(f"believed {wide[0]:.2f} cents, real {wide[1]:.2f}: {wide[1] / wide[0] - 1:+.0%}")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_02.1
#
# Best bid 99.98. Asks: 10 lots at 100.00, 25 at 100.01, 40 at 100.02. What is the slippage of buying 50 lots, in cents?
#
# <details><summary>Hint</summary>
# How many lots come from the third level? And where is the mid-price?</details>

# %% tags=["exercise"]
slippage_of_50 = ...
check("05_02.1", slippage_of_50)

# %% [markdown]
# ### Exercise 05_02.2
#
# A book has the shape (12000, 2, 10, 2). Give chunks with which the two best *prices* of all events are read from at most
# a fifth of the array's bytes, and in at most 20 requests.
#
# <details><summary>Hint</summary>
# Which of the four axes does the question take only one step of? There are two.</details>

# %% tags=["exercise"]
chunks_for_the_mid = ...
check("05_02.2", chunks_for_the_mid)

# %% [markdown]
# ### Exercise 05_02.3
#
# Write the as-of join that a study of trades needs: for each trade the number of the last book *strictly before* it, or
# -1 if there is none, or if that book is older than `oldest`. Trades come in any order; book times are sorted, and may
# be equal.
#
# <details><summary>Hint</summary>
# `searchsorted` counts how many come before. Look out for index -1: NumPy reads it as the last.</details>


# %% tags=["exercise"]
def books_before(trade_times, book_times, oldest):
    """For each trade, the number of the last book strictly before it and not older than `oldest`; else -1."""
    ...


check("05_02.3", books_before)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `np.searchsorted(time, t, side="right") - 1` | `ds.sel(time=t, method="ffill")` in xarray | strictly before: `sel` takes an event of the very moment |
# | `as_of(time, grid)` for a grid of snapshots | `ds.reindex(time=grid, method="ffill")` | - |
# | the last event of a cell, by `np.searchsorted` | `ds.resample(time="1s").last()`: named by the beginning of the cell, unless `label="right"` | - |
# | `group["second"]`, an index that is read in part | `xr.open_zarr(...)` reads the whole coordinate `time` | a part of the index |
# | `book[:, :, 0, 0]` reads the chunks of level 0 only | the same in zarr-python | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Take the asks one after the other until the order is filled; NaN if what is shown does not suffice.
# - The book of a moment is that of the last event up to it. An index by seconds makes that a few small reads.
# - A grid of one second lost nine events in ten here, and one of a millisecond still lost some, with copies for rows.
# - Snapshots gave the mean cost of orders at unchosen moments, to less than one per cent. For orders chosen *by* a
#   snapshot a second they promised 0.50 cents, and it was 0.83.
# - Read before a trade, not at it; do not file the end of a second under its beginning; do not drop what was not shown.
# - A layout that cuts the levels apart reads the mid-price from a tenth of the bytes, and pays for one whole book.
#
# **Open questions.** What if clocks of two venues differ by a millisecond? What does your own order do to the book that
# you walk? Does a real book's spread close as fast as this one's?
#
# **To read further.**
#
# - [Statistical theory of the continuous double auction](https://doi.org/10.1088/1469-7688/3/6/307): the model of this
#   book, and what it predicts of depth and spread
# - [Lee and Ready, Inferring trade direction from intraday data](https://doi.org/10.1111/j.1540-6261.1991.tb02683.x): why
#   trades were once matched with the quote of five seconds before
# - [pandas: merge_asof](https://pandas.pydata.org/docs/reference/api/pandas.merge_asof.html): the as-of join with its
#   tolerance, its direction, and the switch for exact matches
#
# **Next.** [05_03](05_03_risk_grids.ipynb): how do I read risk by portfolio when it was computed by scenario?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 10, 25 and 15 lots: 0, 1 and 2 cents above 100.00, so 55 / 50 = 1.1; and the mid-price is one cent below 100.00.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_02.1", (10 * 0 + 25 * 1 + 15 * 2) / 50 + 1)

# %% [markdown]
# Cut the levels apart, and the fields as well: a twentieth of the bytes.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_02.2", (3000, 2, 1, 1))

# %% [markdown]
# `side="left"` counts the books before; minus one is the last of them. Where it is -1 there is no age to compare.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def books_before(trade_times, book_times, oldest):
    """For each trade, the number of the last book strictly before it and not older than `oldest`; else -1."""
    last = np.searchsorted(book_times, trade_times, side="left") - 1
    if len(book_times) == 0:
        return last
    age = np.asarray(trade_times) - np.asarray(book_times)[last]
    return np.where((last >= 0) & (age <= oldest), last, -1)


check("05_02.3", books_before)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "events": len(time),
        "seconds": round(time[-1] / 1e6),
        "lots": lots,
        "orders": len(moments),
        "realism": {fact: round(value, 4) for fact, (value, _, _) in order_book.realism(made).items()},
        "checks": len(order_book.realism(made)),
        "in_view": {"events": inside.stop - inside.start, "best_prices": in_view},
        "sizes": sizes,
        "slippage": [round(value, 6) for value in curve],
        "rows": {str(s): len(np.bincount(time // (1000 * s))) for s in steps_ms},
        "lost": {str(s): round(value, 6) for s, value in lost.items()},
        "copied": {str(s): round(value, 6) for s, value in copied.items()},
        "lost_per_cent": {str(s): round(100 * value, 3) for s, value in lost.items()},
        "copied_per_cent": {str(s): round(100 * value, 3) for s, value in copied.items()},
        "gaps": {"least_us": int(gaps.min()), "median_ms": float(np.median(gaps) / 1000), "most_s": gaps.max() / 1e6},
        "other_book": other,
        "other_book_per_cent": round(100 * other, 2),
        "mean_cost": {"snapshots": round(mean_seen, 6), "truth": round(mean_true, 6)},
        "mean_off_per_cent": round(100 * abs(mean_seen / mean_true - 1), 4),
        "single_off": round(single, 6),
        "narrow": {str(k): [round(v, 6) for v in pair] for k, pair in narrow.items()},
        "narrow_off_per_cent": round(100 * (narrow[1000][1] / narrow[1000][0] - 1), 2),
        "always": [round(v, 6) for v in always],
        "wide": [round(v, 6) for v in wide],
        "requests": {"all times": by_all_times, "index": by_index},
        "reads": {f"{name}, {question}": read for (name, question), read in reads.items()},
        "paid": {name: round(value, 6) for name, value in paid.items()},
        "paid_off_per_cent": {n: round(100 * abs(v / paid["before the trade"] - 1), 2) for n, v in paid.items()},
        "trades": len(when),
        "large": large,
        "chunk_events": layouts["moments"][0],
        "short": {"share": round(short_share, 6), "shown": round(short_cost, 6), "others": round(full_cost, 6)},
    },
)
