# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Store runs of any length, and ask only for what is there
#
# **Question.** What do the empty chunks of ragged data cost?
#
# ![Two maps of the same runs in chunks. As they arrived, a bit more than half of the chunks hold a step; sorted by length,
# an eighth. Under both stands the same number of requests.](../../articles/figures/04_07_map.svg)
#
# *A line is a run of an agent, a blue box a chunk that is stored. A box that is white is not stored, and is asked for.*
#
# One agent is done after four steps, another needs a thousand. In a rectangle of runs and steps most of the cells are
# padding. Zarr does not store a chunk that holds nothing else, so people say that empty chunks cost nothing. That is
# true of the disk.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), [02_03](../02_labs/02_03_dataset_layout.ipynb) |
# | **Code** | `tutorial_zarr/chunk_io` |
# | **Article** | [Sorted, packed, and not one request fewer](../../articles/17_agent_trace_tensors.md) |
# | **Data** | runs of coding agents, made after published figures (`data_gen/agents.py`) |
#
# **You will be able to**
#
# - say from the lengths alone which chunks a store will hold
# - say what leaving out empty chunks saves, and what it does not
# - count what a reader pays for chunks that do not exist, and stop paying
# - choose between a rectangle, shards, and one long line of steps
# - tell a lost chunk from an empty one
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# A chunk holds `chunk_runs` runs and `chunk_steps` steps.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 4,096 runs instead of 512
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk_runs, chunk_steps = 16, 64

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import agents
from tutorial_zarr import viz
from tutorial_zarr.errors import ChunkNotFoundError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, MemoryStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
in_range(chunk_runs=(chunk_runs, 2, 128), chunk_steps=(chunk_steps, 16, 512))

# %% [markdown] tags=["section-data"]
# ## Four steps, or eleven hundred
#
# A step is one call of a model, and the tool that it asked for. The runs are generated, and held to what
# [SyFI TraceLab](https://tracelab.cs.washington.edu) found in 4,265 real sessions, by
# **[percentiles](../GLOSSARY.md#percentile)**: how many steps a session has, and how many tokens a step. Real traces also carry text, and a step there depends on the one before; here only the context
# does, which grows until it is cut.

# %%
data = agents.make("small" if quick else "large", seed)
checks = agents.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
steps, offsets = data.arrays["steps"], data.arrays["offsets"]
lengths = np.diff(offsets)  # run r is steps[offsets[r] : offsets[r + 1]]
runs, width, features = len(lengths), agents.LONGEST, steps.shape[1]
percentiles = {share: float(np.percentile(lengths, share)) for share in (25, 50, 90, 99)}
print(f"{runs:,} runs, {len(steps):,} steps of {features} features; {len(checks)} checks against 4,265 sessions pass")
print("steps of a run:", ", ".join(f"{value:,.0f} at p{share}" for share, value in percentiles.items()))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.2)
order = np.argsort(lengths, kind="stable")
for share, colour in ((0.5, ORANGE), (0.9, VERMILION), (0.97, BLUE)):
    run = int(order[int(share * runs)])
    panel.plot(
        np.arange(1, lengths[run] + 1),
        steps[offsets[run] : offsets[run + 1], 2] / 1000,
        color=colour,
        label=f"{lengths[run]} steps: longer than {share:.0%} of the runs",
    )
panel.legend(loc="upper left")
panel.set(xscale="log", ylim=(0, 320), xlabel="step", ylabel="tokens in the context, thousands")
told = "The tokens in the context of three runs: of median length, longer than 90 % and than 97 % of the runs. "
viz.Chart.of(figure, "A context grows, is cut, and grows again", told + "Contexts grow until about 200,000 tokens.")

# %% [markdown] tags=["section-idea"]
# ## A rectangle that is nearly all padding
#
# The simplest layout is one array: run, step, feature. It is as wide as the longest run can be, and where a run has no
# step the value is NaN, the **[fill value](../GLOSSARY.md#fill-value)**. A
# **[chunk](../GLOSSARY.md#chunk)** that holds nothing but fill values need not be stored. How much of this rectangle is
# data?

# %%
padding = 1 - len(steps) / (runs * width)
print(f"{runs:,} x {width:,} cells, {padding:.1%} of them padding")

# %% [markdown] tags=["section-build"]
# ## Build it small: which chunks exist
#
# A row of chunks holds a few runs side by side, and the longest of them decides how many chunks are needed.


# %%
def existing(lengths, rows, columns):
    """The chunks (i, j) that hold a step, in chunks of `rows` runs and `columns` steps."""
    found = []
    for first in range(0, len(lengths), rows):
        longest = max(lengths[first : first + rows])
        found += [(first // rows, j) for j in range(math.ceil(longest / columns))]
    return found


# %%
by_length = np.argsort(lengths, kind="stable")  # by_length[k] is the number of the k-th shortest run
orders = {"as they arrived": np.arange(runs), "sorted by length": by_length}
whole_grid = math.ceil(runs / chunk_runs) * math.ceil(width / chunk_steps)
expected = {name: existing(lengths[order], chunk_runs, chunk_steps) for name, order in orders.items()}
for name, found in expected.items():
    print(f"{name}: {len(found)} of {whole_grid} chunks hold a step, {len(found) / whole_grid:.0%}")

# %% [markdown]
# One long run among sixteen fills its row with chunks that hold a single run each. Sorted, long runs share their chunks
# with long ones.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(7.6, 4.2, 1, 2, sharey=True)
for panel, (name, order) in zip(panels, orders.items(), strict=True):
    reach = np.bincount([i for i, _ in expected[name]]) * chunk_steps  # of the chunks that a row of them stores
    edges = np.arange(len(reach) + 1) * chunk_runs
    panel.fill_betweenx(edges, 0, np.append(reach, 0), step="post", color=SKY, alpha=0.45, linewidth=0)
    panel.hlines(edges, 0, width, color="white", linewidth=0.8)
    long = np.append(lengths[order], 0)
    panel.fill_betweenx(np.arange(runs + 1), 0, long, step="post", color=BLUE, linewidth=0, zorder=3)
    panel.vlines(np.arange(0, width + 1, chunk_steps), 0, runs, color=GREY, linewidth=0.3, alpha=0.6)
    panel.set(xlim=(0, width), ylim=(runs, 0), xlabel="step")
    panel.set_title(f"{name}\n{len(expected[name])} chunks stored, {whole_grid} asked for", fontsize=11)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panels[0].set_ylabel("run")
told = "; ".join(f"{name}, {len(found)} of {whole_grid} chunks are stored" for name, found in expected.items())
occupied = viz.Chart.of(figure, "The same runs, twice", f"Two maps of runs against steps: {told}.")
occupied.save(out / "figures" / "04_07_map.svg")
occupied

# %% [markdown] tags=["section-library"]
# ## Leave the empty chunks out
#
# The library leaves them out by itself. We write the rectangle three times: with every chunk, without the empty
# ones, and without them in the order of length.


# %%
def rectangle(order, start, stop):
    """The runs order[start:stop], padded with NaN to the full width."""
    block = np.full((stop - start, width, features), math.nan, "float32")
    for k, run in enumerate(order[start:stop]):
        block[k, : lengths[run]] = steps[offsets[run] : offsets[run + 1]]
    return block


# %%
def write(store, order, chunks=(chunk_runs, chunk_steps, features), **options):
    """The rectangle of all runs, a row of chunks at a time."""
    options = {"chunks": chunks, "zarr_format": zarr_format, "overwrite": True, **options}
    a = zarr.create_array(store, shape=(runs, width, features), dtype="float32", fill_value=math.nan, **options)
    for start in range(0, runs, chunk_runs):
        stop = min(start + chunk_runs, runs)
        a[start:stop] = rectangle(order, start, stop)
    return a


# %%
everything = write(MemoryStore(), orders["as they arrived"], write_empty_chunks=True)
arrived = write(TraceStore(LocalStore(out / "arrived.zarr")), orders["as they arrived"])
in_order = write(TraceStore(LocalStore(out / "sorted.zarr")), orders["sorted by length"])
assert sorted(index[:2] for index in arrived.stored_chunks()) == expected["as they arrived"]
assert sorted(index[:2] for index in in_order.stored_chunks()) == expected["sorted by length"]
print("exactly the chunks that were worked out are stored")

# %% [markdown]
# **Write down a guess.** Of the chunks nearly half are left out, as the runs arrived. By how many per cent does the store
# get smaller?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
arrays = {"every chunk": everything, "as they arrived": arrived, "sorted by length": in_order}
stored = {name: (a.nchunks_initialized, a.nbytes_stored()) for name, a in arrays.items()}
for name, (many, size) in stored.items():
    print(f"{name:17} {many:4} chunks, {size:9,} bytes")
saved = 1 - stored["as they arrived"][1] / stored["every chunk"][1]
left_out = 1 - len(expected["as they arrived"]) / whole_grid
print(f"leaving out {left_out:.0%} of the chunks saved {saved:.1%} of the bytes")
assert saved < 0.02

# %% [markdown]
# The default compressor makes a few bytes of a chunk of NaN, as of the padding in [04_02](04_02_rag_dataset_cache.ipynb). What is saved are
# objects: fewer files, fewer writes. And with the chunks in order of length nearly nine in ten are gone.

# %% [markdown] tags=["section-operations"]
# ## A request that finds nothing is a request
#
# Sorting took the store from about half of the chunks to an eighth. **Guess again.** How many requests does it save a
# reader who reads everything?


# %%
def gets(a, read):
    """What `read()` asks of the store of `a`: requests, and those of them that found nothing."""
    a.store.clear()
    read()
    total = a.store.totals()["GET"]
    return total.requests, total.absent


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
costs = {}
for name, a in (("as they arrived", arrived), ("sorted by length", in_order)):
    costs[f"rectangle, {name}"] = gets(a, lambda a=a: a[...])
    asked, nothing = costs[f"rectangle, {name}"]
    print(f"{name}: {asked} requests, {nothing} of them found nothing")
assert len({asked for asked, _ in costs.values()}) == 1

# %% [markdown]
# None. A reader cannot know that a chunk does not exist, so it asks: that is a **[negative
# lookup](https://en.wikipedia.org/wiki/Bloom_filter "A question to a store whose answer is that there is nothing; it costs
# a round trip like any other.")**. The fewer chunks are stored, the larger is the share of answers that say nothing.
# Each takes a round trip ([01_08](../01_core_zarr/01_08_object_store_tuning.ipynb)), and S3 [bills
# it](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorCodeBilling.html) like a good one.
#
# The cure is one small array. Store the lengths, read them first, and ask for nothing beyond.


# %%
def read_by_lengths(a, its_lengths):
    """All runs, from only those chunks that exist."""
    found = []
    for start in range(0, runs, chunk_runs):
        longest = its_lengths[start : start + chunk_runs].max()
        found.append(a[start : start + chunk_runs, :longest])
    return found


# %%
small = zarr.create_group(out / "index.zarr", zarr_format=zarr_format, overwrite=True)
small.create_array("lengths", data=lengths, chunks=lengths.shape)
small.create_array("by_length", data=by_length, chunks=lengths.shape)
for name, a in (("as they arrived", arrived), ("sorted by length", in_order)):
    asked, nothing = gets(a, lambda a=a, name=name: read_by_lengths(a, lengths[orders[name]]))
    assert (asked, nothing) == (len(expected[name]), 0)
    costs[f"{name}, by lengths"] = asked + 1 + (name == "sorted by length"), 0  # and the arrays of `small`
    print(f"{name}, by lengths: {costs[f'{name}, by lengths'][0]} requests, none in vain")

# %% [markdown] tags=["section-operations"]
# ## Two layouts that know what they hold
#
# A **[shard](../GLOSSARY.md#shard)** begins or ends with an index of its chunks, and the index says which do not exist. So
# one shard for each row of chunks answers for all of them. Shards are Zarr 3's; this array is always in that format.

# %%
wide = math.ceil(width / chunk_steps) * chunk_steps
store = TraceStore(LocalStore(out / "shards.zarr"))
shards = write(store, orders["as they arrived"], shards=(chunk_runs, wide, features), zarr_format=3)
costs["rectangle, in shards"] = gets(shards, lambda: shards[...])
print(f"in shards: {costs['rectangle, in shards'][0]} requests")

# %% [markdown]
# Or leave the rectangle. All steps in one line, one run after the other, and where each begins: a **[ragged
# array](../GLOSSARY.md#ragged-array)**. The same two arrays hold a sparse matrix, whose rows are of unequal length too:
# **[compressed sparse row](https://en.wikipedia.org/wiki/Sparse_matrix "A sparse matrix as its values row by row, the column
# of each, and where each row begins; called CSR.")**, without the columns.

# %%
line = TraceStore(LocalStore(out / "line.zarr"))
group = zarr.create_group(line, zarr_format=zarr_format, overwrite=True)
in_line = group.create_array("steps", data=steps, chunks=(chunk_runs * chunk_steps, features))
begins = group.create_array("offsets", data=offsets, chunks=offsets.shape)
costs["one line of steps"] = gets(in_line, lambda: (begins[:], in_line[:]))
assert costs["one line of steps"][1] == 0
print(f"one line of steps: {costs['one line of steps'][0]} requests, {in_line.nbytes_stored():,} bytes")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.3)
names = list(costs)
good = [asked - nothing for asked, nothing in costs.values()]
vain = [nothing for _, nothing in costs.values()]
panel.barh(names, good, color=BLUE, label="found a chunk")
panel.barh(names, vain, left=good, color=ORANGE, label="found nothing")
for row, (asked, _) in enumerate(costs.values()):
    panel.text(asked + whole_grid / 100, row, f"{asked:,}", va="center")
panel.invert_yaxis()
panel.legend(loc="lower right")
panel.set(xlabel="requests to read everything", xlim=(0, 1.1 * whole_grid))
told = "; ".join(f"{name}: {asked}, {nothing} in vain" for name, (asked, nothing) in costs.items())
bars = viz.Chart.of(figure, "What reading everything asks for", f"Requests for each layout. {told}.")
bars.save(out / "figures" / "04_07_costs.svg")
bars

# %% [markdown]
# And one run, of median length? The metadata are read already; the lengths or the offsets are not.

# %%
run = int(np.flatnonzero(lengths == 15)[0])
begin, end = int(offsets[run]), int(offsets[run + 1])
one_run = {
    "rectangle": gets(arrived, lambda: arrived[run]),
    "by its length": (gets(arrived, lambda: arrived[run, : lengths[run]])[0] + 1, 0),
    "in shards, by its length": (gets(shards, lambda: shards[run, : lengths[run]])[0] + 1, 0),
    "one line of steps": gets(in_line, lambda: (begins[:], in_line[begin:end])),
}
for name, (asked, nothing) in one_run.items():
    print(f"run {run}, {lengths[run]} steps, {name}: {asked} requests, {nothing} in vain")
assert np.array_equal(arrived[run, : lengths[run]], in_line[begin:end])

# %% [markdown]
# The line has the fewest bytes and no padding. What it lacks is a place for a run that is not finished: the next run
# begins where this one ends. Write live runs into the rectangle, each in its own row, and finished ones into the line.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same rectangle:")
report = interop_check(out / "arrived.zarr", expected=rectangle(orders["as they arrived"], 0, runs))
print(report)
assert not report.differing

# %% [markdown] tags=["section-wrong"]
# ## A lost chunk looks like a short run
#
# An empty chunk and a lost one look alike ([01_01](../01_core_zarr/01_01_first_zarr_array.ipynb)). Here they look like
# something quite plausible. We delete one chunk of the longest run, and sum its output tokens.

# %%
longest = int(lengths.argmax())
output = agents.FEATURES.index("output")
true_sum = int(steps[offsets[longest] : offsets[longest + 1], output].sum())
arrived.store.delete(arrived.chunk_key((longest // chunk_runs, 2, 0)))
wrong_sum = int(np.nansum(arrived[longest, :, output]))
print(f"output tokens of run {longest}: {true_sum:,}; after the loss {wrong_sum:,}, and no error")

# %% [markdown]
# `missing="error"` makes this an error. On a rectangle with holes you cannot use it, because the holes are meant. If you
# ask only for what must be there, you can.

# %%
strict = zarr.open_array(arrived.store, mode="r", missing="error")
try:
    strict[longest, : lengths[longest], output]
except ChunkNotFoundError as error:
    print(f"{type(error).__name__}: {error}")
there = {index[:2] for index in arrived.stored_chunks()}
lost = [index for index in expected["as they arrived"] if index not in there]
print("lost:", lost)
assert lost == [(longest // chunk_runs, 2)]
arrived = write(arrived.store, orders["as they arrived"])  # whole again

# %% [markdown]
# So the lengths pay twice: no request in vain, and a loss is an error.

# %% [markdown] tags=["section-predict"]
# ## One run to a chunk
#
# Cut the chunks to a single run: (1, 64). No run pads its neighbours any more. Which share of the chunks is stored, and
# how many requests does reading everything take? Write both down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
single = write(TraceStore(MemoryStore()), orders["as they arrived"], chunks=(1, chunk_steps, features))
single_asked, single_nothing = gets(single, lambda: single[...])
single_share = single.nchunks_initialized / single.nchunks
print(f"{single_share:.1%} are stored; {single_asked:,} requests, {single_nothing:,} of them in vain")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_07.1
#
# An array is 1,200 steps wide, in chunks of (1, 50). A run has 15 steps. How many of the requests of `a[run]` find
# nothing?
#
# <details><summary>Hint</summary>
# How many chunks are there in a row, and how many of them hold a step?</details>

# %% tags=["exercise"]
in_vain = ...
check("04_07.1", in_vain)

# %% [markdown]
# ### Exercise 04_07.2
#
# Four runs of 4, 15, 135 and 1,107 steps, in chunks of (2, 64). You may put them in any order. How many chunks are stored
# in the best one?
#
# <details><summary>Hint</summary>
# The longer run of each pair decides.</details>

# %% tags=["exercise"]
fewest = ...
check("04_07.2", fewest)

# %% [markdown]
# ### Exercise 04_07.3
#
# Write a function that sums each run of a line. `values` is one feature, whole numbers; `offsets` says where each run
# begins, and ends with the number of all steps. A run without a step has the sum 0.
#
# <details><summary>Hint</summary>
# `np.add.reduceat` looks right. Try it with offsets of 0, 2, 2, 3.</details>


# %% tags=["exercise"]
def sum_of_each_run(values, offsets):
    """The sum of values[offsets[r] : offsets[r + 1]] for each run r."""
    ...


check("04_07.3", sum_of_each_run)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[...]` asks for every chunk, stored or not | the same in zarr-python, with a request for each | - |
# | `a[start:stop, :longest]` asks only for chunks that exist | the same in zarr-python; xarray's `isel(step=slice(0, longest))` reads as little | - |
# | `write_empty_chunks=True` stores every chunk | `config={"write_empty_chunks": True}` | - |
# | `np.nanmean(a[...], axis=1)`: padding does not count | xarray: `.mean("step")` leaves NaN out by default | - |
# | `missing="error"`, and lengths that say what to ask for | `config={"read_missing_chunks": False}` raises `ChunkNotFoundError` | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - The longest run of a row of chunks decides how many are stored; sorting by length makes them few.
# - Leaving out empty chunks saves objects and writes, and here hardly any bytes: padding had compressed away.
# - A reader of the whole rectangle asks for every chunk, stored or not. With the lengths it asks only for what is there.
# - A shard's index and a line of steps know what they hold; a line has no place for a run that still grows.
# - Lengths say which chunks must exist, so that `missing="error"` and `stored_chunks` find a lost one.
#
# **Open questions.** New runs arrive every minute: when do you sort? A run is to be deleted, and shares its chunks with
# fifteen others: what do you rewrite?
#
# **To read further.**
#
# - [SyFI TraceLab](https://tracelab.cs.washington.edu): the real sessions behind the percentiles, with their figures.
# - [CF conventions](https://cfconventions.org/cf-conventions/cf-conventions.html): chapter 9 has ragged arrays, as the
#   climate community writes them down.
# - [S3, billing for error responses](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorCodeBilling.html): which
#   answers without data cost money, and which do not.
#
# **Next.** Is a seed enough to get the same data again? [04_08](04_08_synthetic_data_pipeline.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# There are 24 chunks in a row, and 15 steps lie in the first.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_07.1", math.ceil(1200 / 50) - math.ceil(15 / 50))

# %% [markdown]
# Sorted: 4 with 15 need one chunk, 135 with 1,107 need eighteen.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_07.2", math.ceil(15 / 64) + math.ceil(1107 / 64))

# %% [markdown]
# Sums up to each end, minus sums up to each beginning. For a run without steps `reduceat` gives the value that stands
# there, which belongs to the next run.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def sum_of_each_run(values, offsets):
    """The sum of values[offsets[r] : offsets[r + 1]] for each run r."""
    up_to = np.concatenate([[0], np.cumsum(values)])
    return up_to[offsets[1:]] - up_to[offsets[:-1]]


check("04_07.3", sum_of_each_run)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "runs": runs,
        "steps": len(steps),
        "features": features,
        "width": width,
        "longest": int(lengths.max()),
        "chunk": [chunk_runs, chunk_steps],
        "percentiles": percentiles,
        "published": dict(agents.STEPS[1:-1]),
        "padding_percent": round(100 * padding, 2),
        "chunks_of_the_grid": whole_grid,
        "chunks": {name: many for name, (many, _) in stored.items()},
        "share_percent": {name: round(100 * len(found) / whole_grid, 1) for name, found in expected.items()},
        "bytes_kb": {name: round(size / 1000) for name, (_, size) in stored.items()},
        "line_kb": round(in_line.nbytes_stored() / 1000),
        "bytes_saved_percent": round(100 * saved, 1),
        "requests": {name: asked for name, (asked, _) in costs.items()},
        "in_vain": {name: nothing for name, (_, nothing) in costs.items()},
        "one_run": {name: list(both) for name, both in one_run.items()},
        "run": run,
        "longest_run": longest,
        "output_tokens_of_the_longest": true_sum,
        "after_the_loss": wrong_sum,
        "single": [single_asked, single_nothing],
        "single_percent": round(100 * single_share, 1),
    },
)
