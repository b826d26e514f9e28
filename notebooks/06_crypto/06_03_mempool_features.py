# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Write it twice, and pay less
#
# **Question.** How large should chunks be if data are hot for seconds and cold for years?
#
# ![What a million events cost, against the chunk size: a valley with its lowest point at thirteen thousand events, and far
# below it a line for data that are written twice.](../../articles/figures/06_03_curve.svg)
#
# *One array has a best chunk size, and it is a compromise. Two arrays, one after the other, need none.*
#
# A node of Ethereum sees some fifteen transactions a second before they are in a block. A trader wants them within
# seconds, so they are stored in small portions. Research reads them for years, and wants few large objects. The two pull
# at one number, the chunk size.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 35 minutes |
# | **Needs** | [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb), [01_08](../01_core_zarr/01_08_object_store_tuning.ipynb) |
# | **Code** | `tutorial_zarr/resizing`, `tutorial_zarr/chunk_io/shards.py` |
# | **Article** | [Write it twice, and pay less](../../articles/27_mempool_features.md) |
# | **Data** | blocks after the fee rule of Ethereum, and what arrives between them (`data_gen/mempool.py`) |
#
# **You will be able to**
#
# - work out a base fee to the wei
# - count what a stream of small appends asks of a store
# - compute the chunk size with the lowest bill, and say what it is a compromise of
# - keep hot data in small chunks and cold data in shards, and show that they are equal
# - notice where 64 bits are not enough
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# Prices are list prices of a large provider for its object store, and for traffic between its regions; yours differ.
# `reads` says how often each event will be read from the archive, over the years.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: five hours of events instead of one
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
usd_per_million_puts = 5.0
usd_per_million_gets = 0.4
usd_per_gigabyte = 0.02
reads = 500
hot_chunk, shard = 2_048, 32_768  # events in a chunk of the hot array, and in a shard of the cold one

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import mempool
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, MemoryStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3), reads=(reads, 1, 100_000))
in_range(hot_chunk=(hot_chunk, 64, 8_192), shard=(shard, 8_192, 262_144))

# %% [markdown] tags=["section-data"]
# ## Fees that are exact to the wei
#
# Since block 12,965,000 each block of Ethereum has a **[base fee](https://eips.ethereum.org/EIPS/eip-1559 "What a transaction must pay for
# each unit of gas to be in a block; the rule of the chain sets it from how full the block before was.")**. Was the block
# before fuller than its target, it rises, by an eighth at most; else it falls. The rule is one of whole numbers, and all
# nodes must agree on the last wei. Here it is, held to the first block after it came into force.

# %%
print("block 12,965,000 is the first with a base fee")
print(f"block 12,965,001: {mempool.next_base_fee(1_000_000_000, 30_025_257, 15_014_561):,} wei")
assert mempool.next_base_fee(1_000_000_000, 30_025_257, 15_014_561) == 1_124_967_822
data = mempool.make("small" if quick else "large", seed)
checks = mempool.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
blocks, events = data.arrays["blocks"], data.arrays["events"]
many, flushes = len(events), mempool.SEEN["small" if quick else "large"]
print(f"{len(blocks):,} blocks; {many:,} events in the first {flushes}; {len(checks)} checks of the data pass")

# %% [markdown]
# Blocks and events are generated. The demand is noise, with a sale in it that everybody wants. A real pool, as a node
# records it, also has transactions that are replaced or dropped, and no two nodes see the same. Steps of the fee, full
# blocks and the heavy tail of the tips are held to known figures; a naive generator, in the tests, fails at all three.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
limit = (2**63 - 1) // mempool.TARGET  # wei; above it a product with a full block's gas does not fit into 63 bits
figure, panel = viz.canvas(7.4, 3.2)
panel.plot(blocks[:1000, 1] / 1e9, color=BLUE)
panel.axhline(limit / 1e9, color=VERMILION, linewidth=1.2)
panel.annotate(f"{limit / 1e9:.0f} gwei", (1000, limit / 1e9), ha="right", va="bottom", color=VERMILION)
panel.set(yscale="log", xlabel="block", ylabel="base fee, gwei", ylim=(5, 2000))
told = f"The base fee of 1,000 blocks: about 20 gwei, and {data.truth['highest base fee'] / 1e9:.0f} in a sale at block 150. "
fees = viz.Chart.of(figure, "A base fee, and a sale", told + f"A line at {limit / 1e9:.0f} gwei.")
fees.save(out / "figures" / "06_03_fees.svg")
fees

# %% [markdown] tags=["section-idea"]
# ## Two readers, one chunk size
#
# After each block, every twelve seconds, what arrived is appended: that is the freshness that the trader gets. An append
# writes the last chunk again ([01_07](../01_core_zarr/01_07_appendable_time_series.ipynb)). So large chunks move the same
# bytes over and over: **[write amplification](../GLOSSARY.md#write-amplification)**. Small chunks are many, and each read
# of the archive asks for each of them.
#
# A cost that rises with a size and one that falls with it have a lowest sum. Trade has known this for a hundred years: how
# many screws should you order at once? It is the **[economic order
# quantity](https://en.wikipedia.org/wiki/Economic_order_quantity "The size of an order at which the cost of ordering and the
# cost of storing are together lowest; it grows with a square root.")**.

# %% [markdown] tags=["section-build"]
# ## Build it small: the bill of a stream
#
# Let a flush bring F events, a chunk hold C, an event take b bytes. What does one event cost?


# %%
def bill(chunk, per_flush, size, reads):
    """Dollars for an event, by what is paid for."""
    put, get, byte = usd_per_million_puts / 1e6, usd_per_million_gets / 1e6, usd_per_gigabyte / 1e9
    return {
        "flushes": 2 * (put + get) / per_flush,  # metadata and last chunk, both read and written
        "chunks": 2 * put / chunk,  # a flush that begins a new chunk writes it too, and the metadata twice
        "bytes again": byte * size * chunk / per_flush,  # half a chunk there, and half a chunk back
        "readers": reads * get / chunk,
    }


def best_chunk(per_flush, size, reads):
    """The chunk with the lowest bill: the derivative of the sum above is 0 there."""
    put, get, byte = usd_per_million_puts / 1e6, usd_per_million_gets / 1e6, usd_per_gigabyte / 1e9
    return math.sqrt(per_flush * (2 * put + reads * get) / (byte * size))


# %% [markdown]
# The chunk size does not matter to the first line: whatever you choose, each flush asks for the metadata and the last
# chunk, and writes both. An append that begins a new chunk says so in the metadata first, so that a crash leaves no half
# of it, and writes them once more.

# %% [markdown] tags=["section-library"]
# ## Count a real stream
#
# Enough of formulas. We append an hour, block after block, in three chunk sizes, and count.
#
# **Write down a guess** for chunks of 2,048. There are some thirty of them in the end, and 300 flushes. How many requests
# does the hour take?

# %%
edges = np.searchsorted(events[:, 0], np.arange(flushes + 1) * mempool.SECONDS * 1000)  # where each flush begins
per_flush = many / flushes


def stream(store, chunk):
    """All events, appended flush by flush; the array, and what the appends asked for."""
    fields = events.shape[1]
    a = zarr.create_array(store, shape=(0, fields), chunks=(chunk, fields), dtype="int64", zarr_format=zarr_format)
    store.clear()
    for start, stop in itertools.pairwise(edges):
        a.append(events[start:stop])
    return a, store.totals()


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
folder = TraceStore(LocalStore(out / "hot.zarr"))
streams = {chunk: stream(TraceStore(MemoryStore()), chunk) for chunk in (512, 8_192)}
streams[hot_chunk] = stream(folder, hot_chunk)
for chunk, (a, total) in sorted(streams.items()):
    asked = f"{total['GET'].requests} GET, {total['PUT'].requests} PUT"
    moved = (total["GET"].nbytes + total["PUT"].nbytes) / 1e6
    print(f"chunks of {chunk:5,}: {a.nchunks:3} chunks, {asked}, {moved:.1f} MB")
    assert np.array_equal(a[...], events)

# %% [markdown]
# More than a thousand, for thirty objects. Two in each flush read and write the metadata: an append makes the array
# longer, and its length stands there. Now the same in dollars, beside the formula.


# %%
def paid(total):
    """What requests and bytes cost, in dollars."""
    moved = total["GET"].nbytes + total["PUT"].nbytes
    requests = total["PUT"].requests * usd_per_million_puts + total["GET"].requests * usd_per_million_gets
    return requests / 1e6 + moved * usd_per_gigabyte / 1e9


size = streams[8_192][0].nbytes_stored() / many  # compressed bytes of an event
counted, formula = {}, {}
for chunk, (a, total) in sorted(streams.items()):
    counted[chunk] = round((paid(total) + reads * a.nchunks * usd_per_million_gets / 1e6) / many * 1e6, 4)
    formula[chunk] = sum(bill(chunk, per_flush, size, reads).values()) * 1e6
    print(f"chunks of {chunk:5,}: ${counted[chunk]:.3f} for a million events counted, ${formula[chunk]:.3f} by formula")
    assert abs(formula[chunk] / counted[chunk] - 1) < 0.04

# %%
best = best_chunk(per_flush, size, reads)
lowest = sum(bill(best, per_flush, size, reads).values()) * 1e6
best_to_write = best_chunk(per_flush, size, 0)
print(f"best chunk: {best:,.0f} events, ${lowest:.3f}; if nobody read: {best_to_write:,.0f} events")

# %% [markdown]
# Readers pull the best size far up. It suits nobody: for the writer it is several times too large.

# %% [markdown] tags=["section-operations"]
# ## Hot chunks, then cold shards
#
# So do not choose. Append to an array whose chunks suit the writer. When a shard's worth of events is complete, read it
# back once, and write it as one **[shard](../GLOSSARY.md#shard)** of small chunks into a second array, for years:
# **[compaction](https://en.wikipedia.org/wiki/Log-structured_merge-tree "Writing many small objects again as few large ones,
# once they do not change any more, so that later reads ask for less.")**. Then the hot chunks can go.
#
# **Write down a guess.** Every event is read back and written once more. How much does that add to the bill of one array in
# its best size, in per cent?

# %%
hot, hot_total = streams[hot_chunk]
cold_store = TraceStore(LocalStore(out / "cold.zarr"))
cuts = {"shape": events.shape, "chunks": (512, events.shape[1]), "shards": (shard, events.shape[1])}
cold = zarr.create_array(cold_store, dtype="int64", **cuts, zarr_format=3)  # format 2 has no shards
folder.clear()
cold_store.clear()
for start in range(0, many, shard):
    cold[start : start + shard] = hot[start : start + shard]
read_back, written = folder.totals(), cold_store.totals()
print(f"read back with {read_back['GET'].requests} GET, written with {written['PUT'].requests} PUT")

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
cold_store.clear()
assert np.array_equal(cold[...], events)
once = cold_store.totals()["GET"].requests  # what one read of everything asks for
compaction = paid({"GET": read_back["GET"], "PUT": written["PUT"]}) / many * 1e6
archive = reads * once * usd_per_million_gets / many
twice = round(paid(hot_total) / many * 1e6 + compaction + archive, 4)
print(f"one array at its best ${lowest:.3f}, hot and cold ${twice:.3f}: {twice / lowest - 1:+.0%}")
assert twice < lowest

# %% [markdown]
# It is cheaper. Writing once more costs next to nothing, because it is done in few portions; and the writer and the
# readers have each the size that suits them.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
flush_cost = bill(best, per_flush, size, reads)["flushes"] * 1e6
sizes = 2.0 ** np.arange(9, 17.01, 0.125)
parts = [bill(chunk, per_flush, size, reads) for chunk in sizes]
figure, panel = viz.canvas(7.4, 3.8)
panel.plot(sizes, [sum(part.values()) * 1e6 for part in parts], color=BLUE, linewidth=2.4, label="one array")
panel.plot(
    sizes, [1e6 * (part["readers"] + part["chunks"]) for part in parts], color=SKY, label="of it: chunks and readers"
)
panel.plot(sizes, [1e6 * part["bytes again"] for part in parts], color=ORANGE, label="of it: bytes moved again")
panel.axhline(flush_cost, color=GREY, linewidth=1, linestyle=":", label="of it: flushes")
panel.plot(list(counted), list(counted.values()), "o", color=BLUE, label="counted")
panel.plot([best], [lowest], "v", color=VERMILION, markersize=9, label=f"lowest: {best:,.0f} events")
_ = panel.axhline(twice, color=GREEN, linewidth=2, label="hot, then cold: written twice")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set_xscale("log", base=2)
_ = panel.set_xticks(2 ** np.arange(9, 17), [f"{2**k:,}" for k in range(9, 17)])
panel.set(ylim=(0, 0.38), xlabel="events in a chunk", ylabel="dollars for a million events")
panel.legend(loc="upper right", fontsize=9)
told = f"One array costs least with chunks of {best:,.0f} events, ${lowest:.3f} for a million events; "
curve = viz.Chart.of(figure, "What a chunk size costs", told + f"hot and cold arrays cost ${twice:.3f}.")
curve.save(out / "figures" / "06_03_curve.svg")
curve

# %% tags=["hide-input"] jupyter={"source_hidden": true}
one_array = {name: value * 1e6 for name, value in bill(best, per_flush, size, reads).items()}
hot_part = {name: value * 1e6 for name, value in bill(hot_chunk, per_flush, size, 0).items()}
two_arrays = {**hot_part, "readers": archive, "compaction": compaction}
figure, panel = viz.canvas(7.4, 2.2)
for row, costs in enumerate((one_array, two_arrays)):
    left = 0.0
    for (name, value), colour in zip(costs.items(), (GREY, PURPLE, ORANGE, SKY, GREEN), strict=False):
        panel.barh(row, value, left=left, color=colour, label=name if row else None)
        left += value

# %% tags=["hide-input"] jupyter={"source_hidden": true}
_ = panel.set_yticks([0, 1], ["one array at its best", "hot, then cold"])
panel.invert_yaxis()
panel.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.4, -0.35), fontsize=9)
panel.set(xlabel="dollars for a million events")
told = "; ".join(f"{name} ${value:.4f}" for name, value in two_arrays.items())
viz.Chart.of(figure, "Most of the bill is freshness", f"Two bars, by what is paid for. Hot and cold: {told}.")

# %% [markdown]
# And most of the bill does not move at all. It is the flushes: the price of twelve seconds. Before you tune a chunk size,
# ask who needs the data that soon. A crash loses what one flush would have brought, some hundred events, and more in a
# rush:

# %%
waiting = np.diff(edges)
print(
    f"events in a flush: {waiting.mean():.0f} on average, {waiting.max()} at most; wait {mempool.SECONDS / 2:.0f} s on average"
)

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same events:")
report = interop_check(out / "cold.zarr", expected=events)
print(report)
assert not report.differing

# %% [markdown]
# The blocks have their own array. All base fees can be worked out again from what the blocks used, so a reader can check
# the archive without asking anyone.

# %%
kept = zarr.create_array(out / "blocks.zarr", data=blocks, chunks=(500, 4), zarr_format=zarr_format, overwrite=True)
base, used = kept[:, 1].tolist(), kept[:, 2].tolist()  # Python's integers, of any size
replayed = [base[0]]
for gas in used[:-1]:
    replayed.append(mempool.next_base_fee(replayed[-1], gas, mempool.TARGET))
assert replayed == base
print(f"{len(base):,} base fees replayed, all equal")

# %% [markdown] tags=["section-wrong"]
# ## 64 bits, until everybody wants the same
#
# A loop in Python is slow, so you write the rule for whole columns. Wei are whole numbers, int64 is exact, and here is no
# sum that could overflow. Or is there?

# %%
wei, gas = kept[:-1, 1], kept[:-1, 2]
change = wei * np.abs(gas - mempool.TARGET) // mempool.TARGET // 8
fast = np.where(gas > mempool.TARGET, wei + np.maximum(change, 1), wei - change)
wrong = np.flatnonzero(fast != kept[1:, 1])
print(f"{len(wrong)} of {len(fast):,} base fees are wrong")
for h in wrong[:2]:
    print(f"block {h + 1}: {fast[h] / 1e9:.1f} gwei, and right is {base[h + 1] / 1e9:.1f}")

# %% [markdown]
# The product of fee and gas passes 2^63 as soon as the fee is above 615 gwei and the block is full, and NumPy's arrays wrap
# round without a word: **[integer overflow](../GLOSSARY.md#integer-overflow)**. All other days it is right to the last wei.
# It fails in the minutes that you will want to study. Divide first what can be divided, or use Python's integers.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("Two cures, both exact:")
apart = wei // mempool.TARGET * np.abs(gas - mempool.TARGET)  # quotient and remainder, each small enough
rest = wei % mempool.TARGET * np.abs(gas - mempool.TARGET) // mempool.TARGET
change = (apart + rest) // 8
cured = np.where(gas > mempool.TARGET, wei + np.maximum(change, 1), wei - change)
big = wei.astype(object) * np.abs(gas - mempool.TARGET) // mempool.TARGET // 8  # Python's integers in an array
print((cured == kept[1:, 1]).all(), (big == change).all())
assert (cured == kept[1:, 1]).all()
assert (big == change).all()

# %% [markdown] tags=["section-predict"]
# ## Four times as fresh
#
# The trader wants events every 3 seconds instead of every 12. What happens to the best chunk size of one array, and what
# to its bill? Write both down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
fresh = best_chunk(per_flush / 4, size, reads)
fresh_bill = sum(bill(fresh, per_flush / 4, size, reads).values()) * 1e6
print(
    f"the best chunk has {fresh:,.0f} events, a half; the bill is ${fresh_bill:.3f}, {fresh_bill / lowest:.1f} times as much"
)

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 06_03.1
#
# You append every 3 seconds for a day, 50 events each time, to chunks of 1,000 events. How many PUT requests is that at
# least, chunks and metadata together?
#
# <details><summary>Hint</summary>
# Fifty divides a thousand, so no append touches two chunks.</details>

# %% tags=["exercise"]
puts = ...
check("06_03.1", puts)

# %% [markdown]
# ### Exercise 06_03.2
#
# A flush brings 400 events of 10 bytes. A PUT costs 5 dollars a million, a GET 0.4, a gigabyte 0.02, and everything is read
# 100 times. Which chunk size is cheapest, to 1 %?
#
# <details><summary>Hint</summary>
# One line: the square root in `best_chunk`.</details>

# %% tags=["exercise"]
cheapest = ...
check("06_03.2", cheapest)

# %% [markdown]
# ### Exercise 06_03.3
#
# Write the rule of the base fee, exact for any fee. Below the target the change is rounded towards zero; above it, it is at
# least 1. The broken version below is found in many a script.
#
# <details><summary>Hint</summary>
# In Python `-1 // 8` is -1. And what if `base` is a `np.int64`?</details>


# %% tags=["exercise"]
def next_fee(base, used, target):
    """The base fee of the next block, in wei, as a whole number."""
    return base + base * (used - target) // target // 8


check("06_03.3", next_fee)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a.append(rows)` within a chunk writes it and the metadata | the same name and the same two PUT; the metadata first | - |
# | `shards=(32768, 6)`: a whole shard is one PUT | the same name, and one PUT | - |
# | `cold[start:stop] = hot[start:stop]`, shard by shard | Dask: `da.store(hot.rechunk(shard), cold)`, a task for each shard | - |
# | `int64` products wrap without a word | the same in xarray and in Dask, which compute with NumPy | a warning |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - The base fee follows from the block before in whole numbers; Python's integers replay it to the wei.
# - Each append reads and writes the metadata and the last chunk, so requests count flushes, hardly chunks.
# - The best chunk is a square root, as in the economic order quantity; readers pull it up, rewritten bytes pull it down.
# - Hot chunks that suit the writer and cold shards that suit the readers cost less together than one array at its best.
# - A product in int64 wraps round above 2^63, in the rush and not in the test.
#
# **Open questions.** Who answers a reader who asks for the last hour, half of it hot and half of it cold? When may the hot
# chunks be deleted, if a reader may be at work on them?
#
# **To read further.**
#
# - [EIP-1559](https://eips.ethereum.org/EIPS/eip-1559): the rule of the base fee, as a specification and as Python.
# - [Flash Boys 2.0](https://arxiv.org/abs/1904.05234): what people pay for a place in a block, and why.
# - [Amazon S3 pricing](https://aws.amazon.com/s3/pricing/): the list prices of requests and traffic, for your own bill.
#
# **Next.** If an order were ten times as large, how much further would it move the price?
# [06_04](06_04_price_impact_curves.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Each append writes one chunk and the metadata.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_03.1", 2 * 24 * 3600 // 3)

# %% [markdown]
# The square root of F (2 p + R g) / (w b).

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_03.2", math.sqrt(400 * (2 * 5e-6 + 100 * 0.4e-6) / (0.02e-9 * 10)))

# %% [markdown]
# `//` rounds down, so a negative change must be made positive first; and `int` lets numbers grow.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def next_fee(base, used, target):
    """The base fee of the next block, in wei, as a whole number."""
    base, used, target = int(base), int(used), int(target)
    change = base * abs(used - target) // target // 8
    if used > target:
        return base + max(change, 1)
    return base - change


check("06_03.3", next_fee)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "london": mempool.next_base_fee(1_000_000_000, 30_025_257, 15_014_561),
        "london_block": 12_965_001,
        "blocks": len(blocks),
        "events": many,
        "flushes": flushes,
        "per_flush": round(per_flush),
        "largest_flush": int(waiting.max()),
        "hot_chunk": hot_chunk,
        "shard": shard,
        "prices": [usd_per_million_puts, usd_per_million_gets, usd_per_gigabyte],
        "reads": reads,
        "bytes_of_an_event": round(size, 1),
        "sizes": sorted(streams),
        "streams": {
            chunk: [a.nchunks, total["GET"].requests, total["PUT"].requests]
            for chunk, (a, total) in sorted(streams.items())
        },
        "requests_of_the_hot_hour": hot_total["GET"].requests + hot_total["PUT"].requests,
        "moved_mb": {c: round((t["GET"].nbytes + t["PUT"].nbytes) / 1e6, 1) for c, (_, t) in sorted(streams.items())},
        "counted": {chunk: round(value, 3) for chunk, value in counted.items()},
        "formula": {chunk: round(value, 3) for chunk, value in formula.items()},
        "best": round(best),
        "best_to_write": round(best_to_write),
        "lowest": round(lowest, 3),
        "twice": round(twice, 3),
        "change_percent": round(100 * (twice / lowest - 1)),
        "saved_percent": round(100 * (1 - twice / lowest)),
        "flushes_usd": round(flush_cost, 3),
        "flushes_percent_of_twice": round(100 * flush_cost / twice),
        "compaction": [read_back["GET"].requests, written["PUT"].requests, once],
        "compaction_usd": round(compaction, 4),
        "limit_gwei": round(limit / 1e9),
        "highest_gwei": round(data.truth["highest base fee"] / 1e9),
        "wrong": len(wrong),
        "of": len(fast),
        "first_wrong": [int(wrong[0]) + 1, round(fast[wrong[0]] / 1e9, 1), round(base[wrong[0] + 1] / 1e9, 1)],
        "fresh": [round(fresh), round(fresh_bill, 3), round(fresh_bill / lowest, 1)],
    },
)
