# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Store where two books differ
#
# **Question.** What does it cost to store the difference of two huge arrays?
#
# ![The share of chunks that hold a break, over the share of cells that are broken, as three curves for three sizes of chunk.
# Measured dots lie on them. One mark lies far below its curve: the same breaks, sorted by counterparty.](../../articles/figures/05_05_chunks.svg)
#
# *How much of a mask is stored. Dots are measured, lines computed. The star is one of the dots after the rows were sorted.*
#
# Every evening two firms compare their books. Of ten thousand numbers one is wrong, so the difference should cost next to
# nothing to store. It costs a third of all chunks. And then, with the same breaks, a tenth.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_01](../01_core_zarr/01_01_first_zarr_array.ipynb), [03_02](../03_pipelines/03_02_fault_tolerant_ingestion.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/chunk_io` |
# | **Article** | [One break in ten thousand](../../articles/23_reconciliation.md) |
# | **Data** | two books of 102,400 trades, with every break planted (`data_gen/breaks.py`) |
#
# **You will be able to**
#
# - say how many chunks a few breaks will fill, before you write any
# - line two books up by their keys, compare them chunk by chunk, and find every break and no other
# - choose between a mask, a difference and a list
# - compare money without an error in the last cent
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk_rows` rows of four numbers lie in a chunk.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 1,024,000 rows instead of 102,400
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk_rows = 1024

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import numpy as np
from matplotlib.ticker import PercentFormatter

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import breaks
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, ORANGE, VERMILION, prefixed

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3), chunk_rows=(chunk_rows, 256, 2048))

# %% [markdown] tags=["section-data"]
# ## Two ledgers, and every break is planted
#
# Ours and theirs, one row a trade, in the order of the trades: quantity, price, value, fee. They are generated. Amounts
# follow Benford's law, and sizes and prices cluster on round numbers, as in real trades. Real books also disagree on dates
# and identifiers, and their breaks have causes. That nine in ten come from ten careless counterparties is our assumption.
# In return we know each break. A difference that must be explained is a **[reconciliation break](https://en.wikipedia.org/wiki/Reconciliation_%28accounting%29 "A difference between two sets of
# records that should agree; each one has to be found and explained.")**.

# %%
data = breaks.make("small" if quick else "large", seed)
checks = breaks.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
ours, ids, counterparty, theirs, their_ids = (
    data.arrays[name] for name in ("ours", "id", "counterparty", "theirs", "their_id")
)
planted = data.truth["kind"]
print(f"{len(ours):,} rows of ours, {len(theirs):,} of theirs; {len(checks)} of {len(checks)} checks of the data pass")
print(", ".join(f"{count} {kind}" for kind, count in data.truth["kinds"].items()))

# %% [markdown] tags=["section-idea"]
# ## One break, and its whole chunk is stored
#
# A mask says for each cell whether the books differ. It is nearly all False, False is its **[fill
# value](../GLOSSARY.md#fill-value)**, and a **[chunk](../GLOSSARY.md#chunk)** that holds nothing else is not stored. So only
# chunks with a break cost anything. One cell in 10,000 is broken, and a chunk holds 4,096. **Write down a guess:** which
# share of the chunks is stored?

# %%
ROWS_ALL, cells = len(ours), ours.size


def scattered(share, draw=0):
    """A mask of cells that are broken with this chance, each on its own."""
    bits = np.random.PCG64([seed, draw]).random_raw(cells) >> np.uint64(11)
    return (bits * 2.0**-53 < share).reshape(ours.shape)


def stored_share(mask, rows):
    """Write the mask in chunks of so many rows; the share of chunks that are stored."""
    array = zarr.create_array(MemoryStore(), data=mask, chunks=(rows, 4), fill_value=False, zarr_format=zarr_format)
    return array.nchunks_initialized / array.nchunks


# %% [markdown]
# A chunk of *c* cells has no break with chance (1 - *p*)^*c*, if breaks fall each on their own. The share with a break is
# **1 - (1 - *p*)^*c***: the **[complement rule](https://en.wikipedia.org/wiki/Complementary_event "The chance that something
# happens is one minus the chance that it does not; the second is often easier to work out.")**.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
expected = 1 - (1 - 1e-4) ** 4096
assert 1 - (1 - 4 / 4096) ** 4096 > 0.98  # four breaks to a chunk
found = stored_share(scattered(1e-4), 1024)
print(f"computed {expected:.3f}, measured {found:.3f}")
assert abs(found - expected) < 4 * (expected * (1 - expected) / (ROWS_ALL / 1024)) ** 0.5

# %% [markdown]
# One cell in 10,000, and one chunk in three. What matters is *p* times *c*, the mean number of breaks in a
# chunk: far below one it is also the share, and from four on hardly a chunk is empty. Now the two books, in the order of the
# trades, and after their rows were **sorted by counterparty**. The breaks stay the same. **Guess again:** how many of the
# chunks have one, in each order?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
broken_rows = (planted != "") & (planted != "rounding")
by_counterparty = np.argsort(counterparty, kind="stable")
full_chunks = len(ours) // chunk_rows
in_time_order = broken_rows.reshape(full_chunks, -1).any(1).sum()
sorted_rows = broken_rows[by_counterparty].reshape(full_chunks, -1).any(1).sum()
print(
    f"rows with a break: {broken_rows.sum()}; chunks with one: {in_time_order} by time, {sorted_rows} by counterparty"
)
assert sorted_rows < in_time_order / 2

# %% tags=["hide-input"] jupyter={"source_hidden": true}
shares = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
dots = {}
for draw, share in enumerate(shares):
    mask = scattered(share, draw + 1)
    for rows in (64, 1024, 4096):
        dots[rows, share] = float(mask.mean()), mask[: len(ours) // rows * rows].reshape(-1, rows * 4).any(1).mean()
line = np.geomspace(5e-6, 2e-2, 200)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.8)
for rows, colour in ((64, GREEN), (1024, BLUE), (4096, ORANGE)):
    panel.plot(line, 1 - (1 - line) ** (4 * rows), color=colour, label=f"{4 * rows:,} cells in a chunk")
    panel.scatter(*zip(*(dots[rows, share] for share in shares), strict=True), color=colour, s=28, zorder=3)
p_real = broken_rows.sum() / cells
panel.plot([p_real] * 2, [in_time_order / full_chunks, sorted_rows / full_chunks], ":", color=VERMILION)
panel.scatter([p_real], [in_time_order / full_chunks], color=VERMILION, s=50, zorder=4, label="the books, by time")
panel.scatter(
    [p_real], [sorted_rows / full_chunks], color=VERMILION, marker="*", s=190, zorder=4, label="by counterparty"
)
panel.set(
    xscale="log", xlabel="share of cells that are broken", ylabel="share of chunks that are stored", ylim=(-0.02, 1.04)
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
panel.set_xticks([1e-5, 1e-4, 1e-3, 1e-2], ["0.001 %", "0.01 %", "0.1 %", "1 %"])
panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
panel.legend(loc="upper left", fontsize=9)
chunks_chart = viz.Chart.of(
    figure,
    "How much of a mask is stored",
    "Three curves that rise from zero to all chunks, the larger the chunk the earlier; measured dots lie on them. The books, "
    f"in chunks of {4 * chunk_rows:,} cells: {in_time_order} of {full_chunks} chunks by time, {sorted_rows} by counterparty.",
)
chunks_chart.save(out / "figures" / "05_05_chunks.svg")
chunks_chart

# %% [markdown]
# The formula takes breaks to be independent. Here they are not: they cluster by their cause, and the order of rows
# decides whether a cluster is spread over all chunks or lies in a few. Sort by what breaks together. Nothing was made smaller;
# it was put side by side (**[locality](../GLOSSARY.md#locality)**).

# %% [markdown] tags=["section-build"]
# ## Build it small: line up, then compare
#
# Comparing row by row is the first idea, and a section below shows what comes of it. Rows have keys: look up where each of
# ours lies in theirs (a **[merge join](https://en.wikipedia.org/wiki/Sort-merge_join "Matching two sorted tables by walking
# through both at once; each row is looked at once.")**). Both books are sorted by their key, so a binary search finds the
# place, and counts how often the key is there.


# %%
def line_up(ids, theirs, their_ids):
    """Their rows in our order, NaN where they have none; and how often they have each."""
    first = np.searchsorted(their_ids, ids, "left")
    times = np.searchsorted(their_ids, ids, "right") - first
    rows = theirs[np.minimum(first, len(theirs) - 1)]
    return np.where((times > 0)[:, None], rows, np.nan), times


lined_up, times = line_up(ids, theirs, their_ids)
print(f"missing: {(times == 0).sum()}, twice: {(times == 2).sum()}, once: {(times == 1).sum():,}")
assert np.array_equal(np.flatnonzero(times == 0), np.flatnonzero(planted == "missing"))
assert np.array_equal(np.flatnonzero(times == 2), np.flatnonzero(planted == "duplicate"))

# %% [markdown]
# Two cells agree if they are the same number of cents, or if both are open (NaN). Why whole cents, and no `<= 0.005`? That
# comes further down.


# %%
def broken(one, other):
    """Where two arrays of amounts differ, in whole cents; NaN on both sides is no difference."""
    cents = np.rint(100 * one), np.rint(100 * other)
    return (cents[0] != cents[1]) & ~(np.isnan(one) & np.isnan(other))


# %% [markdown] tags=["section-library"]
# ## Two streams of chunks, side by side
#
# Books larger than memory are read as two streams. Both arrays are cut alike, so the streams can be zipped, and a chunk of
# the mask depends on one chunk of each: never more than two chunks in memory.


# %%
def cut(group, name, values, fill_value):
    """An array in chunks of `chunk_rows` rows, in the group; chunks that hold nothing but the fill value are not stored."""
    chunks = (chunk_rows, *values.shape[1:])
    return group.create_array(name, data=values, chunks=chunks, fill_value=fill_value)


group = zarr.create_group(out / "books.zarr", zarr_format=zarr_format)
ours_z = cut(group, "ours", ours, np.nan)
theirs_z = cut(group, "theirs", lined_up, np.nan)
mask_z = cut(group, "broken", np.zeros(ours.shape, bool), False)


# %%
def compare():
    """Write the mask, chunk by chunk."""
    streams = ours_z.chunk_stream(stored_only=False), theirs_z.chunk_stream(stored_only=False)
    for (place, one), (same_place, other) in zip(*streams, strict=True):
        assert place == same_place
        mask_z.blocks[place] = broken(one, other)


compare()
mask = mask_z[...]
print(f"{mask.sum()} cells in {mask_z.nchunks_initialized} of {mask_z.nchunks} chunks are broken")

# %% [markdown]
# And are these the planted ones? Missing rows show as broken cells, duplicates do not: their two rows are equal, and only
# the count gives them away. So the result is the mask *and* the counts.

# %%
FIELD = {"value": 2, "sign": 0, "empty": 3}
truth = np.zeros(ours.shape, bool)
for kind, field in FIELD.items():
    truth[planted == kind, field] = True
truth[planted == "missing"] = ~np.isnan(ours[planted == "missing"])
for kind in breaks.KINDS:
    rows = planted == kind
    told = mask[rows].any(1) | (times[rows] != 1)
    print(f"{kind:10} planted {rows.sum():3}, reported {told.sum():3}")
assert np.array_equal(mask, truth)

# %% [markdown]
# Every break, and none else: of the 200 values that are off by less than half a cent none is reported. If a worker dies and
# the night's job is run again, it leaves the same mask (**[idempotent](../GLOSSARY.md#idempotent)**): a chunk is computed
# from its two inputs, and not from what stood there before.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same mask:")
report = interop_check(out / "books.zarr" / "broken", expected=mask)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A mask, a difference, or a list
#
# The store now says where to look, and nothing else has to be read:

# %%
trace = TraceStore(group.store)
watched = zarr.open_group(trace, mode="r")
trace.clear()
at = [place for place, _ in watched["broken"].chunk_stream()]
print(f"the breaks were read from {len(at)} chunks of {mask_z.nchunks}: {trace.count('GET')} requests")

# %% [markdown]
# A mask is not the only way. Store the differences, zero where there is none. Or a list: row, field and their value, three
# long arrays (the **[coordinate format](https://en.wikipedia.org/wiki/Sparse_matrix#Coordinate_list_%28COO%29 "A way to store
# an array that is nearly empty: a list of the places that hold something, and a list of what they hold.")** of sparse
# matrices). Which is smallest, for breaks that fall each on their own?


# %%
def in_chunks(values):
    """An array in memory: a table like the books, or a list in chunks of 65,536."""
    chunks = (chunk_rows, 4) if values.ndim == 2 else (65_536,)
    return zarr.create_array({}, data=values, chunks=chunks, fill_value=0, zarr_format=zarr_format)


# %%
def sizes(mask):
    """Bytes and objects of the three ways to store the breaks of a mask, each off by one cent to ten dollars."""
    row, field = np.nonzero(mask)
    off = np.where(mask, (ids * 7919 % 1000 + 1)[:, None] / 100, 0.0)
    ways = {
        "mask": {"broken": mask},
        "difference": {"off": off},
        "list": {"row": row.astype("int64"), "field": field.astype("uint8"), "off": off[mask]},
    }
    result = {}
    for way, arrays in ways.items():
        made = [in_chunks(values) for values in arrays.values()]
        chunks = [a.store.get(a.chunk_key(place)) for a in made for place in a.stored_chunks()]
        result[way] = sum(map(len, chunks)), len(chunks)
    return result


# %%
cost = {share: sizes(scattered(share, 20 + draw)) for draw, share in enumerate((1e-5, 1e-4, 1e-3, 1e-2, 1e-1))}
for share, ways in cost.items():
    told = ", ".join(f"{way} {size:7,} B in {objects:3} objects" for way, (size, objects) in ways.items())
    print(f"{100 * share:6g} %: {told}")
cheapest = {share: min(ways, key=lambda way: ways[way][0]) for share, ways in cost.items()}
assert all(ways["list"][1] == 3 for share, ways in cost.items() if share < 0.1)
assert (cheapest[1e-4], cheapest[1e-3], cheapest[1e-1]) == ("list", "list", "mask")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.5)
for way, colour, marker in (("difference", VERMILION, "s"), ("mask", BLUE, "o"), ("list", GREEN, "^")):
    panel.plot(list(cost), [ways[way][0] for ways in cost.values()], color=colour, marker=marker, label=way)
panel.set(xscale="log", yscale="log", xlabel="share of cells that are broken", ylabel="bytes stored")
panel.set_xticks(list(cost), ["0.001 %", "0.01 %", "0.1 %", "1 %", "10 %"])
panel.yaxis.set_major_formatter(prefixed("B"))
panel.legend(loc="upper left")
told = "; ".join(f"{way} {cost[1e-4][way][0]:,} bytes" for way in cost[1e-4])
bytes_chart = viz.Chart.of(figure, "Bytes by way", f"Three rising lines. With one broken cell in 10,000: {told}.")
bytes_chart.save(out / "figures" / "05_05_bytes.svg")
bytes_chart

# %% [markdown]
# From one cell in 10,000 to one in 1,000 the list is the smallest, although it says more than a mask: how far off each cell is.
# And it is three objects, one for each of its arrays, where the mask has one for each chunk with a break. With one cell in ten
# broken the mask wins. A mask can also be asked about one region; a list has to be read whole, unless you keep where each chunk
# of the books begins in it.

# %% [markdown] tags=["section-wrong"]
# ## Three ways to compare books wrongly
#
# **By position.** They lack four of our rows. What share of the rows differs, if row 5 is compared with row 5?

# %%
n = min(len(ours), len(theirs))
by_position = broken(ours[:n], theirs[:n]).any(1)
first_gap = int(np.flatnonzero(times == 0)[0])
before, after = by_position[:first_gap].sum(), by_position[first_gap:].mean()
print(
    f"{100 * by_position.mean():.0f} % of the rows differ: {before} before row {first_gap:,}, the first that they lack,"
)
print(f"and {100 * after:.0f} % of those from there on")
assert by_position.mean() > 0.5

# %% [markdown]
# After a row that is missing everything is one row off, until a duplicate happens to put it right.
#
# **With the defaults of `np.isclose`.** It allows 1e-8, *plus a hundred-thousandth of the value*, and NaN equals nothing:

# %%
by_isclose = ~np.isclose(ours, lined_up)
both_open = np.isnan(ours) & np.isnan(lined_up)
million = bool(np.isclose(1_000_009.0, 1_000_000.0))
print(f"{by_isclose.sum():,} cells reported, {(by_isclose & both_open).sum():,} of them open on both sides")
print(
    f"breaks that it misses: {(truth & ~by_isclose).sum()}; nine dollars in a million: {'close' if million else 'apart'}"
)
assert million
assert (by_isclose & both_open).sum() == both_open.sum()

# %% [markdown] tags=["section-predict"]
# ## Is a difference of one cent at most one cent?
#
# Your rule is: up to one cent is no break, so `abs(a - b) <= 0.01`. Take all our prices, and add exactly one cent to each.
# **Write down a guess:** for how many does the rule report a break?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
price = ours[:, 1]
one_more = (np.rint(100 * price) + 1) / 100
over = float((abs(one_more - price) > 0.01).mean())
print(f"{100 * over:.0f} % of the prices; for instance 1.01 - 1.00 = {1.01 - 1.00!r}")
exact = abs(np.rint(100 * one_more) - np.rint(100 * price)) <= 1
print(f"in whole cents: {(~exact).sum()} of {len(exact):,}")
assert exact.all()
assert 0.2 < over < 0.5

# %% [markdown]
# 1.01 is no number in base two, and neither is 0.01. Their neighbours are what is compared, and which side a difference falls
# on is a matter of luck. Whole cents are **[fixed-point numbers](../GLOSSARY.md#fixed-point-numbers)**, and exact.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_05.1
#
# One cell in 100,000 is broken, each on its own, and a chunk holds 65,536 cells. Which share of the chunks is stored? Three
# decimals.
#
# <details><summary>Hint</summary>
# What is the chance that none of the 65,536 is broken?
# </details>

# %% tags=["exercise"]
share_of_chunks = ...
check("05_05.1", share_of_chunks)

# %% [markdown]
# ### Exercise 05_05.2
#
# Their value is 250,000.00 dollars: `np.isclose(ours, 250_000.0)`. By how many dollars may ours be off and still be "close"?
#
# <details><summary>Hint</summary>
# `help(np.isclose)`: absolute(a - b) <= atol + rtol * absolute(b).</details>

# %% tags=["exercise"]
may_be_off = ...
check("05_05.2", may_be_off)

# %% [markdown]
# ### Exercise 05_05.3
#
# Write `differ(one, other, cents)`: where two arrays of dollars are more than `cents` cents apart. Exactly `cents` apart is no
# break, at any price. Open on both sides (NaN) is none; open on one side is one.
#
# <details><summary>Hint</summary>
# Whole cents first; then ask where they are close, and turn it round: a comparison with NaN is False.</details>


# %% tags=["exercise"]
def differ(one, other, cents):
    """A boolean array: where `one` and `other` are more than `cents` cents apart, or open on one side only."""
    ...


check("05_05.3", differ)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | a chunk of nothing but False is not stored | the same by default in zarr-python; `config={"write_empty_chunks": True}` stores it | - |
# | `zip(a.chunk_stream(), b.chunk_stream())` | `da.from_zarr(a) != da.from_zarr(b)`: Dask pairs the chunks, even if they are cut differently | - |
# | NaN on both sides agrees: `broken` | xarray's `equals` says so too, for the whole; `!=` says they differ | where, with NaN equal to NaN |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Of the chunks 1 - (1 - *p*)^*c* hold a break, if breaks are independent; if they cluster, the order of the rows decides.
# - Line up by key and count the matches, zip two streams of chunks, and compare: every planted break was found, and no other.
# - A list needs the fewest objects, and for few breaks mostly the fewest bytes; a mask wins when breaks are many, and can be
#   read in parts.
# - Compare whole cents: a tolerance in floats is a matter of luck, and the defaults of `np.isclose` are not for money.
#
# **Open questions.** How would you store the difference of today's breaks and yesterday's? What if both books are too large
# to sort?
#
# **To read further.**
#
# - [numpy.isclose](https://numpy.org/doc/stable/reference/generated/numpy.isclose.html): its formula, and a warning about its
#   defaults.
# - [Zarr-Python: empty chunks](https://zarr.readthedocs.io/en/stable/user-guide/arrays/): when a chunk is left out, and how to
#   change that.
# - [Goldberg, What every computer scientist should know about floats](https://doi.org/10.1145/103162.103163): why a cent is
#   no number in base two.
#
# **Next.** Can I reproduce last month's backtest, bit for bit? [05_06](05_06_backtest_artifacts.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# None of 65,536 is broken with chance 0.99999 to that power.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_05.1", 1 - (1 - 1e-5) ** 65_536)

# %% [markdown]
# A hundred-thousandth of 250,000, and next to nothing more.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_05.2", 1e-8 + 1e-5 * 250_000)

# %% [markdown]
# With NaN on one side the distance is NaN, and no NaN is small: the cell is not close.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def differ(one, other, cents):
    """A boolean array: where `one` and `other` are more than `cents` cents apart, or open on one side only."""
    close = abs(np.rint(100 * one) - np.rint(100 * other)) <= cents
    return ~(close | (np.isnan(one) & np.isnan(other)))


check("05_05.3", differ)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "rows": len(ours),
        "their_rows": len(theirs),
        "cells": cells,
        "kinds": data.truth["kinds"],
        "chunk_rows": chunk_rows,
        "cells_in_a_chunk": 4 * chunk_rows,
        "chunks": full_chunks,
        "expected_share": round(expected, 6),
        "measured_share": round(found, 6),
        "dots": {f"{4 * rows}, {share:g}": [round(float(v), 8) for v in two] for (rows, share), two in dots.items()},
        "rows_broken": int(broken_rows.sum()),
        "chunks_by_time": int(in_time_order),
        "chunks_by_counterparty": int(sorted_rows),
        "cells_broken": int(mask.sum()),
        "chunks_of_the_mask": mask_z.nchunks_initialized,
        "chunks_read": len(at),
        "cost": {f"{share:g}": {way: list(two) for way, two in ways.items()} for share, ways in cost.items()},
        "cheapest": {f"{share:g}": way for share, way in cheapest.items()},
        "by_position": round(float(by_position.mean()), 6),
        "by_position_percent": round(100 * float(by_position.mean()), 4),
        "before_the_gap": int(before),
        "first_gap": first_gap,
        "isclose": [int(v.sum()) for v in (by_isclose, by_isclose & both_open, truth & ~by_isclose)],
        "one_cent_over": round(over, 6),
        "one_cent_over_percent": round(100 * over, 4),
        "one_cent": [1.01, 1.01 - 1.00],
        "one_in": 10_000,
        "chunks_never_read": mask_z.nchunks - len(at),
        "kilobytes": {way: two[0] / 1000 for way, two in cost[1e-1].items()},
        "isclose_in_a_million": round(1e-5 * 1e6, 6),
    },
)
