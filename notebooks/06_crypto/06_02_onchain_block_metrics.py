# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Keep a chain exact while its end is rewritten
#
# **Question.** How do I keep a store of blocks exact to the satoshi while the chain grows and reorganises?
#
# ![The running total of all new coins, in satoshis off the truth. In float64 satoshis the error is zero for ever; in float64
# bitcoins it is zero for 2.1 million blocks and then grows.](../../articles/figures/06_02_off.svg)
#
# *The same coins, block by block, added up in float64. Only the unit differs.*
#
# An indexer writes a row for each block. Twice it can go wrong in silence: when it adds up money, and when the last blocks
# turn out not to be the last blocks. For both there is a cure that everybody knows, and it is not quite the right one.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/resizing` |
# | **Article** | [The float that was exact, and the one that was not](../../articles/26_onchain_block_metrics.md) |
# | **Data** | twenty thousand blocks by Bitcoin's rules (`data_gen/chain.py`) |
#
# **You will be able to**
#
# - compute targets and subsidies as the network does, and hold them to published numbers
# - say where a float loses a satoshi, and where it only seems to
# - follow a chain that takes blocks back, in batches that may come twice or break off
# - say which chunks of such a store will never change again
# - notice blocks of an abandoned branch that were left behind
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `depth` blocks are taken back in the reorganisation.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 209,664 blocks instead of 20,160
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
depth = 6

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from hashlib import sha256

import numpy as np

import tutorial_zarr as zarr
from data_gen import chain
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.stores.wrappers import AroundStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(depth=(depth, 2, 100), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Invented blocks under real rules
#
# A real index would be read from a node, with full hashes, proof of work, and clocks that go wrong by an hour. Ours begins
# at height 830,592 with the difficulty that the network had there, and from then on nothing of it happened. Rules and money are
# Bitcoin's; times are drawn from a **[Poisson process](https://en.wikipedia.org/wiki/Poisson_point_process "Events that come at
# a mean rate and know nothing of one another; the waits between them are exponential.")** whose rate follows a growing hash
# rate; fees are drawn and not calibrated.

# %%
data = chain.make("small" if quick else "large", seed)
for fact, (value, low, high) in chain.realism(data).items():
    assert low <= value <= high
    print(f"{fact:42}{value:8.4f}   expected {low:.4f} to {high:.4f}")
blocks, first_height = data.arrays, data.truth["first height"]
total_blocks = len(blocks["time"])
print(f"{total_blocks:,} blocks from height {first_height:,}: {', '.join(blocks)}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
waits = np.diff(blocks["time"])[chain.EPOCH :] / 60
epochs = blocks["bits"][:: chain.EPOCH].tolist()
difficulty = [chain.target(chain.BITS) / chain.target(bits) for bits in epochs]
mean_wait = float(waits.mean())
assert (waits < mean_wait).mean() > 0.6
figure, (left, right) = viz.canvas(7.6, 3.2, 1, 2)
left.hist(waits, np.arange(0, 61, 2), color=BLUE, alpha=0.6, label="blocks")
line = np.arange(0, 61)
left.plot(line, len(waits) * 2 / mean_wait * np.exp(-line / mean_wait), color=VERMILION, label="exponential")
left.set(xlabel="minutes to the next block", ylabel="blocks", title="Most blocks come soon", xlim=(0, 60))
left.legend(loc="upper right")
right.step(range(len(difficulty)), difficulty, where="post", color=GREEN)
right.set(
    xlabel="period of 2,016 blocks", ylabel="difficulty / first", title="The difficulty follows", ylim=(0.95, None)
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = (
    f"Left: waits between blocks, exponential with a mean of {mean_wait:.1f} minutes. Right: the difficulty by period, "
)
told += f"from 1 to {difficulty[-1]:.2f} times the first."
made = viz.Chart.of(figure, "What the blocks look like", told)
made.save(out / "figures" / "06_02_blocks.svg")
made

# %% [markdown]
# More than six in ten waits are shorter than the mean. The mean itself is below ten minutes: the target is set for the hash
# rate of the period before.

# %% [markdown] tags=["section-idea"]
# ## The end of the chain is an opinion
#
# A node tells you its blocks up to its tip. Now and then a heavier branch turns up, and the last blocks were never
# confirmed after all: a **[reorganisation](https://en.bitcoin.it/wiki/Chain_Reorganization "A node gives up its last
# blocks for a branch with more work; what they paid is taken back.")**. Old blocks go, new ones come, and you may ask in
# the middle of it. Two ways to write what the node says:

# %%
tip = 12_345  # the element after the last one
fork = tip - depth
old = {name: values[:tip] for name, values in blocks.items()}
new = chain.grow({name: values[:fork] for name, values in blocks.items()}, depth + 1, seed + 1)
halfway = {name: values[: fork + depth // 2] for name, values in new.items()}  # what a node says in the middle of it
overwritten = {name: np.concatenate([halfway[name], old[name][len(halfway[name]) :]]) for name in old}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
rows = {
    "before": old,
    "overwritten,\nhalfway": overwritten,
    "cut and appended,\nhalfway": halfway,
    "cut and appended,\nat the end": new,
}
figure, panel = viz.canvas(7.4, 3.0)
for place, held in enumerate(rows.values()):
    for k in range(fork - 6, len(held["hash"])):
        colour = GREY if k < fork else GREEN if held["hash"][k] == new["hash"][k] else ORANGE
        ghost = colour == ORANGE and place > 0
        panel.barh(
            place, 0.86, 0.66, left=k - fork - 0.43, color=VERMILION if ghost else colour, alpha=0.75, linewidth=0
        )
        panel.text(k - fork, place, "ghost" if ghost else "", ha="center", va="center", fontsize=9)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set(
    ylim=(3.6, -0.6),
    yticks=range(4),
    yticklabels=list(rows),
    xlabel="blocks after the fork (grey: agreed on, yellow: old, green: new)",
)
panel.tick_params(axis="y", length=0)
panel.spines[:].set_visible(False)
told = f"A branch of {depth} blocks is given up. If the store is overwritten with the first {depth // 2} of the new branch, "
told += f"{depth - depth // 2} blocks of the old one stay on top. If it is cut first, none do."
picture = viz.Chart.of(figure, "Overwriting leaves ghosts", told)
picture.save(out / "figures" / "06_02_ghosts.svg")
picture

# %% [markdown] tags=["section-build"]
# ## The rules of the network fit on a page
#
# Every 2,016 blocks, a *period*, the target is scaled by the time that they took, in whole numbers. Bitcoin Core tests its own
# code with four published cases; so do we. The subsidy halves every 210,000 blocks, and half a satoshi is cut off.

# %%
PUBLISHED = [  # bits, time of the first and of the last block of a period, bits of the next
    (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),
    (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),  # the limit of the easiest target
    (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),  # at most four times harder
    (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),  # at most four times easier
]
for bits, since, until, wanted in PUBLISHED:
    found = chain.next_bits(bits, since, until)
    print(f"{bits:#x} after {(until - since) / 86_400:4.1f} days: {found:#x}")
    assert found == wanted

# %%
subsidies = [50 * 10**8 >> halving for halving in range(33)]  # of a block, in satoshi
supply = sum(subsidies) * chain.HALVING
print(f"{supply:,} satoshi will ever be made, in {len(subsidies)} times {chain.HALVING:,} blocks")
assert [chain.subsidy(k * chain.HALVING) for k in range(33)] == subsidies
assert supply == 2_099_999_997_690_000
assert chain.subsidy(33 * chain.HALVING) == 0

# %% [markdown]
# Now add them up, block by block, in float64: once in satoshis, once in bitcoins. A float64 has 53 bits for its digits, and
# these are large numbers. **Write down a guess:** how many satoshis is each total off in the end, and when does it begin?


# %%
def off_by(scale):
    """The running total in float64 of subsidies / scale, less the truth, in satoshi, every 2,100 blocks; and the first error."""
    total, exact, curve, first = 0.0, 0, [], None
    for halving, subsidy in enumerate(subsidies):
        running = np.cumsum(np.append(total, np.full(chain.HALVING, subsidy / scale)))[1:]
        truth = exact + subsidy * np.arange(1, chain.HALVING + 1)
        error = np.rint(running * scale).astype("int64") - truth
        if first is None and error.any():
            first = halving * chain.HALVING + int((error != 0).argmax())
        total, exact = running[-1], int(truth[-1])
        curve.extend(error[2_099::2_100].tolist())
    return curve, first


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
off = {"satoshis": off_by(1), "bitcoins": off_by(10**8)}
for unit, (curve, first) in off.items():
    print(f"float64 {unit}: off by {curve[-1]:,} in the end, at most {max(map(abs, curve)):,}; first at height {first}")
wrong_from = off["bitcoins"][1]
year = 2009 + wrong_from * 600 / (365.25 * 86_400)
print(f"at ten minutes a block, height {wrong_from:,} comes in the year {int(year)}")
assert off["satoshis"] == ([0] * len(off["satoshis"][0]), None)
assert off["bitcoins"][0][-1] != 0

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.6)
million = np.arange(1, len(off["satoshis"][0]) + 1) * 2_100 / 1e6
for name, colour, width in (("bitcoins", VERMILION, 1.5), ("satoshis", GREEN, 3)):
    panel.plot(million, off[name][0], color=colour, linewidth=width, label=f"float64, in {name}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set(xlabel="height, million blocks", ylabel="satoshis off", title="The running total of all new coins")
panel.axvline(wrong_from / 1e6, color=GREY, linestyle="--", linewidth=1)
panel.text(wrong_from / 1e6 - 0.05, 60_000, f"the first error,\nin {int(year)} or so", ha="right", color=GREY)
panel.legend(loc="lower left")
worst = max(map(abs, off["bitcoins"][0]))
told = "The error of a running total in float64, by height. In satoshis it is zero throughout. In bitcoins it is zero up to "
told += f"height {wrong_from:,}, reaches {worst:,} satoshis and ends at {off['bitcoins'][0][-1]:,}."
hero = viz.Chart.of(figure, "One type, two units", told)
hero.save(out / "figures" / "06_02_off.svg")
hero

# %% [markdown]
# Everybody fears the first one, and it never fails: all coins are 2.1 * 10^15 satoshis, and a float64 holds every whole
# number up to 2^53, 9.0 * 10^15. The second one is exact for ten halvings, since 50, 25, 12.5 and so on are sums of powers of
# two. Then the subsidy is 0.04882812, which is none. Each addition rounds to the **[unit in the last
# place](https://en.wikipedia.org/wiki/Unit_in_the_last_place "The gap from a float to the next; it grows with the number, so a
# small amount added to a large total is rounded.")** of the *total*, and through a whole halving in the same direction.

# %%
unit = float(np.spacing(20_979_492.0)) * 1e8
print(f"near 21 million bitcoins, neighbouring float64 are {unit:.2f} satoshi apart")
by_chunks = {}
for length in (2_016, 2_100, 210_000):
    total = sum(subsidies[:10]) * chain.HALVING / 1e8
    for subsidy in subsidies[10:]:
        lengths = [length] * (chain.HALVING // length) + [chain.HALVING % length]
        parts = [float(np.cumsum(np.full(n, subsidy / 1e8))[-1]) for n in lengths if n]
        total = float(np.cumsum([total, *parts])[-1])
    by_chunks[length] = round(total * 1e8) - supply
    print(f"added up by chunks of {length:7,} blocks: off by {by_chunks[length]:,}")

# %% [markdown]
# So the error depends on how the blocks are cut into chunks; so did the mean of
# [05_01](../05_finance/05_01_tick_data_cube.ipynb). Whole satoshis (**[fixed-point
# numbers](../GLOSSARY.md#fixed-point-numbers)**) have one total in any order. `int64` says so in the type, and raises the
# question of the unit; but it is the unit that does the work.

# %% [markdown] tags=["section-library"]
# ## A follower that may be told twice
#
# One array for each quantity, in chunks of one period. The hash comes last when blocks are added, and goes first when they
# are taken away: a block is there if its hash is. The follower is told the node's blocks from `start` to its tip.

# %%
NAMES = ("time", "bits", "subsidy", "fees", "hash")


def create(store):
    group = zarr.create_group(store, zarr_format=zarr_format, overwrite=True, attributes={"first_height": first_height})
    for name in NAMES:
        group.create_array(
            name, shape=(0,), chunks=(chain.EPOCH,), dtype=blocks[name].dtype, dimension_names=("block",)
        )
    return group


# %%
def linked(group, start, told):
    """Whether the first block that was told stands on the block that is stored before it."""
    before = int(group["hash"][start - 1]) if start else 0
    return chain.hashed(before, *(int(told[name][0]) for name in ("time", "bits", "fees"))) == told["hash"][0]


# %%
def follow(group, start, told):
    """Let the stored chain be the one that was told: `told` begins at element `start` and ends at the node's tip."""
    if start > len(group["hash"]) or not linked(group, start, told):
        raise LookupError(f"block {start} does not stand on what is stored; ask from an earlier one")
    stored = group["hash"][start : start + len(told["hash"])]
    same = stored == told["hash"][: len(stored)]
    agreed = int(same.argmin()) if not same.all() else len(stored)
    for name in reversed(NAMES):
        if len(group[name]) > start + agreed:
            group[name].resize(start + agreed)
    if agreed < len(told["hash"]):
        for name in NAMES:
            group[name].append(told[name][agreed:])
    return start + agreed


# %%
def since(branch, start):
    return {name: values[start:] for name, values in branch.items()}


def holds(group, branch):
    return all(np.array_equal(group[name][...], branch[name]) for name in NAMES)


# %%
group = create(LocalStore(out / "chain.zarr"))
for stop in (1, 5_000, 5_000, 5_144, tip):  # in batches, one of them twice
    start = max(0, min(stop, len(group["hash"])) - 10)
    follow(group, start, {name: values[start:stop] for name, values in old.items()})
assert holds(group, old)
agreed = [follow(group, tip - 144, since(branch, tip - 144)) for branch in (halfway, new, new)]
assert holds(group, new)
print(f"told half of the branch, all of it, and all of it again: agreed up to {agreed}; {len(group['hash']):,} blocks")

# %% [markdown]
# It is **[idempotent](../GLOSSARY.md#idempotent)**: what was told is there already, and nothing is done. What if the power
# fails in the middle? Break off after every possible number of writes, and look; then tell it again.


# %%
class PowerCut(AroundStore):
    """Lets a number of writes and deletions through, and then no request at all, as in 01_07."""

    def __init__(self, store, writes):
        super().__init__(store)
        self.writes = writes

    def around(self, request, call, value=None):
        if request.verb in ("PUT", "DELETE") and self.writes == 0:
            raise OSError("power cut")
        self.writes -= request.verb in ("PUT", "DELETE")
        return call()


# %%
def broken_off(writes):
    """How many blocks a reader sees after `writes` writes of the reorganisation, and whether it ran to its end."""
    group = create({})
    follow(group, 0, old)
    try:
        follow(zarr.open_group(PowerCut(group.store, writes), mode="r+"), tip - 144, since(new, tip - 144))
        done = True
    except OSError:
        done = False
    n = len(group["hash"])
    branch = new if n == len(new["hash"]) else old
    assert all(np.array_equal(group[name][:n], branch[name][:n]) for name in NAMES)  # no block is half there
    follow(group, tip - 144, since(new, tip - 144))
    assert holds(group, new)
    return n, done


# %%
seen = [broken_off(writes) for writes in range(60)]
cuts = [done for _, done in seen].index(True)
lengths = sorted({n for n, _ in seen})
print(f"broken off at {cuts} places, told again, and exact each time; readers saw {lengths} blocks")
assert not any(done for _, done in seen[:cuts])

# %% [markdown]
# A reader that takes as many blocks as there are hashes sees the old chain, the agreed part, or the new one.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same numbers:")
for name in ("fees", "hash"):
    report = interop_check(out / "chain.zarr" / name, expected=new[name])
    print(name, report, sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Only the last chunks are hot, and all others are done
#
# Grow the chain to its end, let the last six blocks be given up, and compare all objects. Then count what a block costs
# that is written alone.


# %%
def is_chunk(key):
    return key[-1].isdigit()


def objects(store):
    return {key: sha256(bytes(store.get(key))).hexdigest() for key in sorted(store.list_prefix())}


# %%
follow(group, fork, since(blocks, fork))
before = objects(group.store)
end = total_blocks - depth
other = chain.grow({name: values[:end] for name, values in blocks.items()}, depth, seed + 2)
follow(group, end - 10, since(other, end - 10))
after = objects(group.store)
changed = [key for key in after if before.get(key) != after[key]]
chunks_now = [key for key in after if is_chunk(key)]
print(f"{len(changed)} of {len(chunks_now)} chunks changed: {', '.join(changed)}")

# %%
trace = TraceStore(group.store)
traced = zarr.open_group(trace, mode="r+")
costs = {}
for count in (144, 1):
    more = chain.grow({name: group[name][...] for name in NAMES}, count, seed)
    trace.clear()
    follow(traced, len(group["hash"]) - 1, since(more, len(group["hash"]) - 1))
    chunks = [request.nbytes for request in trace.requests if request.verb == "PUT" and is_chunk(request.key)]
    costs[count] = {"writes": trace.count("PUT"), "chunks": len(chunks), "bytes": sum(chunks)}
    print(f"{count:3} blocks at once: {len(chunks)} chunks, {sum(chunks) / count:8,.0f} bytes of chunks for each block")

# %% [markdown]
# A period that is full is never written again, unless a branch goes back beyond it: it can be cached for ever, or moved to
# a cheaper store. Only the last chunk of each array is hot, and it is rewritten with every batch (**[write
# amplification](../GLOSSARY.md#write-amplification)**), so tell the follower a day at a time if you can wait.

# %% [markdown] tags=["section-wrong"]
# ## Three blocks that were never taken back
#
# First the ghosts of the picture. The node was asked in the middle of its reorganisation, and the answer was written over
# the old blocks. The next answer would repair it. If the follower stops here, what do readers see?

# %%
ghosts = len(overwritten["hash"]) - len(halfway["hash"])
paid = [int(held["fees"].sum() + held["subsidy"].sum()) for held in (overwritten, halfway)]
too_much = paid[0] - paid[1]


# %%
def broken_links(branch):
    parents = np.append(np.uint64(0), branch["hash"][:-1]).tolist()
    columns = (branch[name].tolist() for name in ("time", "bits", "fees"))
    again = [chain.hashed(*block) for block in zip(parents, *columns, strict=True)]
    return np.flatnonzero(np.array(again, "uint64") != branch["hash"]).tolist()


print(f"{ghosts} ghosts pay {too_much:,} satoshi that nobody has; links that do not hold: {broken_links(overwritten)}")
assert broken_links(halfway) == broken_links(new) == []
assert broken_links(overwritten) == [len(halfway["hash"])]

# %% [markdown]
# The sum is plausible and the length is right. Only the links tell, so check them where the batch begins: `linked` above.
#
# **A satoshi lost on the way in.** The store is exact, but numbers arrive as text, `0.29`, and somebody writes
# `int(float(text) * 1e8)`. Guess how many of the fees survive this.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
fees = blocks["fees"].tolist()
texts = [f"{fee // 10**8}.{fee % 10**8:08d}" for fee in fees]
cut_off = [int(float(text) * 1e8) for text in texts]
rounded = [round(float(text) * 1e8) for text in texts]
lost = sum(wrong != fee for wrong, fee in zip(cut_off, fees, strict=True))
print(
    f"0.29 becomes {int(float('0.29') * 1e8):,}; {lost:,} of {len(fees):,} fees ({lost / len(fees):.1%}) lose a satoshi"
)
print("rounded instead of cut off, all are right:", rounded == fees)
assert sum(fees) - sum(cut_off) == lost
assert rounded == fees

# %% [markdown] tags=["section-predict"]
# ## How much ether fits into an int64?
#
# So `int64` it is. Another chain counts in wei, 10^18 of them to an ether. Which amounts of ether does an `int64` of wei
# hold? And up to which amount is a float64 of wei exact? Write both down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
largest, exact_up_to = (2**63 - 1) / 1e18, 2**53 / 1e18
print(f"an int64 of wei ends at {largest:.2f} ether; a float64 is exact up to {exact_up_to:.3f} ether")
ten = np.int64(5 * 10**18) + np.array([5 * 10**18])
print(f"5 + 5 ether in int64: {ten[0] / 1e18:.2f}, and no error")

# %% [markdown]
# An **[integer overflow](../GLOSSARY.md#integer-overflow)** in a single wallet. The type that is right for one unit is wrong
# for another: keep gwei in an `int64`, or two columns.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 06_02.1
#
# How many new satoshis does the block at height 840,000 make?
#
# <details><summary>Hint</summary>
# Heights count from zero, and the first halving was at height 210,000.</details>

# %% tags=["exercise"]
new_satoshi = ...
check("06_02.1", new_satoshi)

# %% [markdown]
# ### Exercise 06_02.2
#
# A store holds elements 0 to 20,162, in chunks of 2,016. The last six blocks are given up, and seven others come. Which chunks
# does a follower write? Give their numbers as a list.
#
# <details><summary>Hint</summary>
# Which element is the first that changes, and which one is the last?</details>

# %% tags=["exercise"]
written = ...
check("06_02.2", written)

# %% [markdown]
# ### Exercise 06_02.3
#
# Repair `to_satoshi`. It gets an amount of bitcoins as text, at most eight digits after the point, and gives whole
# satoshis, an `int`. Amounts may be negative, and reach up to 21 million.
#
# <details><summary>Hint</summary>
# float64 is good enough to find the nearest whole number. `int` does not look for the nearest.</details>


# %% tags=["exercise"]
def to_satoshi(text):
    return int(float(text) * 1e8)


check("06_02.3", to_satoshi)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a.resize(fork)`, then `a.append(blocks)` | the same names in zarr-python; xarray: `ds.to_zarr(append_dim="block")` appends | in xarray: a way to shrink a store |
# | `hash` is `uint64` for every reader | xarray: `float64` from format 2, unless `mask_and_scale=False` | - |
# | `time[h - 144 : h]`, by position | xarray: `ds.sel(block=slice(h - 144, h - 1))`, by height, both ends included | - |
# | `fees.sum()` of whole satoshis, in any chunks | Dask: `da.from_zarr(...).sum()`, `int64` and exact | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Targets and subsidies are whole-number arithmetic; four published cases and the total of 2,099,999,997,690,000 satoshi hold
#   it to the network's.
# - float64 satoshis are exact for all coins there will be. float64 bitcoins are not, from height 2,100,004 on, and text that
#   is cut off instead of rounded loses a satoshi today.
# - Compare hashes, cut at the first that differs, append. The hash goes first and comes last, so a block is never half there,
#   and any batch may be told again.
# - With a period in a chunk, full chunks are done; only the last one of each array is written again.
# - Writing over the old blocks leaves ghosts if the new branch is still shorter. Its sums look plausible; its links do not
#   hold.
#
# **Open questions.** When would you dare to delete what is needed to go back? How would two followers share a store?
#
# **To read further.**
#
# - [Nakamoto, Bitcoin](https://bitcoin.org/bitcoin.pdf): nine pages; its end computes how likely a branch of some depth is given up.
# - [Bowden, Keeler, Krzesinski and Taylor, Block arrivals in the Bitcoin blockchain](https://arxiv.org/abs/1801.07447): how
#   real intervals differ from a plain Poisson process.
# - [Goldberg, What every computer scientist should know about floating-point
#   arithmetic](https://doi.org/10.1145/103162.103163): where the unit in the last place comes from.
#
# **Next.** How large should chunks be if data are hot for seconds and cold for years?
# [06_03](06_03_mempool_features.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 840,000 is four times 210,000, so the subsidy has halved four times.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_02.1", 50 * 10**8 // 2**4)

# %% [markdown]
# Elements 20,157 to 20,163 change. Chunk 9 ends with 20,159, so the branch lies in chunks 9 and 10.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("06_02.2", sorted({element // 2016 for element in range(20_163 - 6, 20_163 - 6 + 7)}))

# %% [markdown]
# The nearest whole number is always the right one: amounts lie a satoshi apart, and float64 is off by far less than half of
# one up to 21 million. `decimal.Decimal` does it without any such argument.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def to_satoshi(text):
    return round(float(text) * 1e8)


check("06_02.3", to_satoshi)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "blocks": total_blocks,
        "first_height": first_height,
        "epoch": chain.EPOCH,
        "halving": chain.HALVING,
        "depth": depth,
        "realism": {fact: value for fact, (value, _, _) in chain.realism(data).items()},
        "published": [hex(wanted) for *_, wanted in PUBLISHED],
        "supply": supply,
        "supply_in_1e15": round(supply / 1e15, 4),
        "first_subsidies": [subsidy / 1e8 for subsidy in subsidies[:5]],
        "halvings": len(subsidies),
        "off": {name: curve[-1] for name, (curve, _) in off.items()},
        "off_at_most": {name: max(map(abs, curve)) for name, (curve, _) in off.items()},
        "wrong_from": wrong_from,
        "year": int(year),
        "subsidy_then": subsidies[10] / 1e8,
        "unit_in_the_last_place": round(unit, 4),
        "whole_up_to": 2**53,
        "whole_up_to_in_1e15": round(2**53 / 1e15, 4),
        "wrong_from_in_millions": round(wrong_from / 1e6, 2),
        "off_by_chunks": by_chunks,
        "off_by_chunks_of": {"rows": list(by_chunks), "satoshis": [abs(error) for error in by_chunks.values()]},
        "coins_in_millions": round(supply / 1e14, 4),
        "tip": tip,
        "fork": fork,
        "agreed": agreed,
        "places_to_break_off": cuts,
        "seen_after_a_break": lengths,
        "changed": len(changed),
        "chunks": len(chunks_now),
        "at_once": list(costs),
        "bits_of_a_hash": 8 * blocks["hash"].itemsize,
        "costs": costs,
        "bytes_for_each": {count: cost["bytes"] / count for count, cost in costs.items()},
        "ghosts": ghosts,
        "ghosts_pay": too_much,
        "broken_link": broken_links(overwritten),
        "lost": lost,
        "lost_percent": 100 * lost / len(fees),
        "of_29_hundredths": int(float("0.29") * 1e8),
        "ether_in_int64": round(largest, 4),
        "ether_exact_in_float64": round(exact_up_to, 6),
        "five_plus_five": round(float(ten[0] / 1e18), 4),
        "last_difficulty": round(difficulty[-1], 4),
    },
)
