# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Shuffle a training set and read every chunk once
#
# **Question.** Can I shuffle without random reads?
#
# ![From which rows of the array the batches of an epoch come, for four ways to shuffle: a line, scattered columns,
# a band of clouds, and an even grey.](../../articles/figures/04_03_origins.svg)
#
# *Each column of dots is a batch, each dot a row of it. The first way teaches next to nothing, the last one reads all of
# the data more than a hundred times an epoch. The third avoids both.*
#
# A model that sees its examples in the order of the files learns the last class and forgets the first. So examples are
# shuffled. But examples lie in chunks, and a chunk is read as a whole: a row here and a row there cost a chunk each.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/loaders` |
# | **Article** | [Shuffled, and read once](../../articles/13_training_data_loader.md) |
# | **Data** | handwritten digits, class by class (`data_gen/digits.py`) |
#
# **You will be able to**
#
# - work out what a full shuffle reads, before you run it
# - build a shuffle that reads each chunk once, and measure how well it mixes
# - choose a buffer by what a model learns, not by how shuffled it looks
# - go on in the midst of an epoch, with the very batch that would have come
# - give each worker rows of its own
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk_rows` is how many rows a chunk has, `batch_size` how many a batch, `buffer` how many chunks are mixed.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: forty copies of each digit instead of ten
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk_rows = 256
batch_size = 64
buffer = 8

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import json
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import digits
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.loaders import Loader
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, prefixed

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(chunk_rows=(chunk_rows, 16, 1024), batch_size=(batch_size, 8, 512), buffer=(buffer, 2, 64))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Digits in the order of their labels, as a folder lists them
#
# Real handwriting, 8 x 8 pixels, copied with noise until there are enough. All zeros come first, then all ones: that
# is how a folder for each class is read, and how many a data set is written. The test rows are other pictures.

# %%
data = digits.make("small" if quick else "large", seed)
pixels, label = data.arrays["pixels"], data.arrays["label"]
rows, chunks, batches = len(label), -(-len(label) // chunk_rows), -(-len(label) // batch_size)
checks = digits.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
print(f"{rows:,} rows of {pixels.shape[1]} {pixels.dtype}, {len(data.arrays['test_label'])} for testing")
print(f"{len(checks)} of {len(checks)} checks against published figures pass; source: {data.provenance['source']}")

# %% [markdown] tags=["section-idea"]
# ## A random row costs a chunk
#
# The rows of a batch of a full shuffle come from everywhere. How many different chunks do they lie in? Of `n` rows,
# `r` lie in one chunk; a batch misses that chunk if all its rows are among the other `n - r`. How likely that is, the
# **[hypergeometric distribution](https://en.wikipedia.org/wiki/Hypergeometric_distribution "How likely it is that a
# sample, drawn without putting back, holds a given number of one kind.")** says. All other chunks are read.


# %%
def chunks_of_a_batch(batch, rows=rows, per_chunk=chunk_rows):
    """The number of chunks in which `batch` rows lie that are drawn without putting back, on average."""
    others = [rows - min(per_chunk, rows - first) for first in range(0, rows, per_chunk)]
    missed = [math.comb(n, batch) / math.comb(rows, batch) for n in others]
    return len(others) - sum(missed)


a_batch = chunks_of_a_batch(batch_size)
print(f"{chunks} chunks; the {batch_size} rows of a batch lie in {a_batch:.1f} of them")
print(f"an epoch of {batches} batches reads {batches * a_batch:,.0f} chunks instead of {chunks}")
print(f"that is everything {batches * a_batch / chunks:.0f} times")

# %% [markdown]
# An **[epoch](https://en.wikipedia.org/wiki/Glossary_of_artificial_intelligence "One pass of training over all rows,
# each once.")** is one pass over all rows. A **[cache](../GLOSSARY.md#cache)** does not help unless it holds all of them, and then there was no
# problem.

# %% [markdown] tags=["section-build"]
# ## Build it small: chunks at random, rows from a few of them
#
# Take the chunks in random order. Keep the rows of a few of them in a
# **[shuffle buffer](https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle "A store of rows that have been
# read; each row that leaves is drawn from it at random, and the next one read takes its place.")**, let each batch
# leave it at random, and fill it up. Everything here is row numbers; nothing is read.


# %%
def batches_of(rows, per_chunk, batch, kept, draw):
    """Row numbers, batch by batch: `kept` chunks are mixed, each is read once."""
    waiting = [np.arange(rows)[i : i + per_chunk] for i in range(0, rows, per_chunk)]
    waiting = [waiting[i] for i in np.argsort(draw.random_raw(len(waiting)), kind="stable")]
    inside = np.arange(0)
    while waiting or len(inside):
        while waiting and (len(inside) <= (kept - 1) * per_chunk or len(inside) < batch):
            inside = np.concatenate([inside, waiting.pop()])
        inside = inside[np.argsort(draw.random_raw(len(inside)), kind="stable")]
        yield inside[:batch]
        inside = inside[batch:]


# %% [markdown]
# How mixed is a batch? Count its labels, and take the
# **[entropy](../GLOSSARY.md#entropy)** of the counts: 0 if all rows have one label, the natural logarithm of ten,
# 2.303, if the ten are equally frequent.


# %%
def entropy(labels):
    share = np.bincount(labels, minlength=10) / len(labels)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())


by_hand = {}
for kept in (1, 2, 4, 8, 16, chunks):
    found = list(batches_of(rows, chunk_rows, batch_size, kept, np.random.Philox(seed)))
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(rows))
    by_hand[kept] = float(np.mean([entropy(label[one]) for one in found]))
    print(f"{kept:3} chunks in the buffer: entropy {by_hand[kept]:.2f}, and every row once")

# %% [markdown] tags=["section-library"]
# ## The loader does the same, and reads ahead
#
# `Loader` gives batches of several arrays at once. Its row numbers are known before anything is read, so what it reads
# is too: `plan` says so. Six ways to shuffle, and what each is worth.

# %%
store = zarr.open_group(out / "digits.zarr", mode="w", zarr_format=zarr_format).store
options = {"zarr_format": zarr_format}
x = zarr.create_array(store, name="x", data=pixels, chunks=(chunk_rows, 64), **options)
y = zarr.create_array(store, name="y", data=label, chunks=(chunk_rows,), **options)
trace = TraceStore(store)
traced = {name: zarr.open_array(trace, path=name, mode="r") for name in ("x", "y")}

# %%
ways = {
    "rows in order": {"shuffle": "none"},
    "chunks at random": {"shuffle": "chunks", "buffer": 1},
    f"blocks of {buffer}": {"shuffle": "blocks", "buffer": buffer},
    f"buffer of {buffer}": {"shuffle": "chunks", "buffer": buffer},
    f"buffer of {2 * buffer}": {"shuffle": "chunks", "buffer": 2 * buffer},
    "full": {"shuffle": "full"},
}

# %%
loaders = {way: Loader(traced, batch_size, seed=seed, **settings) for way, settings in ways.items()}
plans = {way: loader.plan(look=True) for way, loader in loaders.items()}
mixed = {way: float(np.mean([entropy(label[one]) for one in loaders[way].indices()])) for way in ways}
print("                    chunks of x and y        bytes   entropy")
for way, plan in plans.items():
    print(f"{way:18} {plan.requests:18,} {plan.stored_bytes:12,} {mixed[way]:9.2f}")

# %% [markdown]
# Now run them and count. Every row comes once, with what stands in it, and the store was asked for exactly what the
# plan said. Of the full shuffle twenty batches are enough to see that they hold the right rows.


# %%
def chunk_reads():
    """The requests for chunks so far; only their keys end with a digit."""
    return [request for request in trace.requests if request.key[-1].isdigit()]


# %%
counted = {}
for way, loader in loaders.items():
    trace.clear()
    for one, batch in itertools.islice(zip(loader.indices(0), loader, strict=False), 20 if way == "full" else batches):
        assert np.array_equal(batch["x"], pixels[one])
        assert np.array_equal(batch["y"], label[one])
    if way != "full":
        counted[way] = {"requests": len(chunk_reads()), "bytes": sum(request.nbytes or 0 for request in chunk_reads())}
        assert counted[way] == {"requests": plans[way].requests, "bytes": plans[way].stored_bytes}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
seen = {way: np.concatenate(list(loaders[way].indices(0))) for way in ways}
assert all(np.array_equal(np.sort(numbers), np.arange(rows)) for numbers in seen.values())
print(f"every row once in all {len(ways)} ways; requests and bytes of {len(counted)} counted, and as planned:")
for way, found in counted.items():
    print(f"{way:18} {found['requests']} requests, {found['bytes']:,} bytes")

# %% [markdown]
# Where do the rows of each batch come from? Dots of one column are a batch.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(8.4, 5.2, 2, 2, sharex=True, sharey=True)
figure.set_dpi(200)  # of the dots, which are pixels in the SVG too: there are thirty thousand
panels = ["rows in order", "chunks at random", f"buffer of {buffer}", "full"]
for panel, way, colour in zip(axes.flat, panels, (GREY, VERMILION, BLUE, GREEN), strict=True):
    numbers = seen[way][: 120 * batch_size]
    panel.scatter(np.arange(len(numbers)) // batch_size, numbers, s=0.6, color=colour, linewidths=0, rasterized=True)
    panel.set_title(f"{way}: entropy {mixed[way]:.2f}")
    panel.yaxis.set_major_formatter(prefixed())
for panel in axes[1]:
    panel.set_xlabel("batch")
for panel in axes[:, 0]:
    _ = panel.set_ylabel("row of the array")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = "Four panels: the rows of the first 120 batches. "
described += "; ".join(f"{way}: mean entropy of a batch {mixed[way]:.2f}" for way in panels)
described += ". In order they are a line; with chunks at random short lines at any height; with a buffer clouds that "
described += "fill most of the height; in a full shuffle an even grey."
origins = viz.Chart.of(figure, "Where the rows of each batch come from", described)
origins.save(out / "figures" / "04_03_origins.svg")
origins

# %% [markdown]
# ### What does a model make of it?
#
# The entropy is only a number about batches. So train the same model on each: one layer, softmax,
# **[stochastic gradient descent](https://en.wikipedia.org/wiki/Stochastic_gradient_descent "Learning in small steps,
# each from the error on one batch of rows instead of on all of them.")**, two epochs. The batches are those of the
# loader, by their row numbers.


# %%
def accuracies(loader, epochs=2, rate=0.5):
    """The share of test rows that are named correctly, after each batch."""
    weights, found = np.zeros((65, 10)), []
    for one in itertools.chain(*(loader.indices(epoch) for epoch in range(epochs))):
        scores = np.exp(inputs[one] @ weights)
        error = scores / scores.sum(1, keepdims=True) - np.eye(10)[label[one]]
        weights -= rate * inputs[one].T @ error / len(one)
        found.append(float(((tests @ weights).argmax(1) == data.arrays["test_label"]).mean()))
    return np.array(found)


# %%
inputs, tests = (np.c_[data.arrays[name], np.ones(len(data.arrays[name]))] for name in ("pixels", "test_pixels"))
curves = {way: accuracies(loader) for way, loader in loaders.items()}
last = {way: float(curve[-100:].mean()) for way, curve in curves.items()}
for way in ways:
    print(f"{way:18} {last[way]:.2f} of the test rows, the mean over the last 100 batches")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.6, 1, 2)
colours = dict(zip(ways, (GREY, VERMILION, ORANGE, BLUE, PURPLE, GREEN), strict=True))
for way, plan in plans.items():
    left.scatter(plan.stored_bytes, mixed[way], s=60, color=colours[way], label=way, zorder=3)
left.set(xscale="log", xlabel="bytes read in an epoch", ylabel="entropy of a batch", ylim=(-0.1, 2.45))
left.set_title("Bytes against mix")
left.xaxis.set_major_formatter(prefixed("B"))
left.set_xlim(plans["rows in order"].stored_bytes / 3, plans["full"].stored_bytes * 3)
left.axhline(math.log(10), color=GREY, linestyle="--", linewidth=1, label="ten labels alike")
_ = left.legend(loc="center right", fontsize=9)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
for way in ("rows in order", "chunks at random", f"buffer of {buffer}", "full"):
    smooth = np.convolve(curves[way], np.full(15, 1 / 15), "valid")
    right.plot(np.arange(len(smooth)) + 15, smooth, color=colours[way], label=way)
right.set(xlabel="batch", ylabel="test rows named correctly", ylim=(0, 1))
right.set_title("What a model learns")
_ = right.legend(loc="lower right", fontsize=9, bbox_to_anchor=(1, 0.26))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = "Left: entropy of a batch against bytes of an epoch. Five ways read "
described += f"{plans['rows in order'].stored_bytes / 1e6:.2f} MB, with entropies from {mixed['rows in order']:.2f} to "
described += (
    f"{mixed[f'buffer of {2 * buffer}']:.2f}; the full shuffle reads {plans['full'].stored_bytes / 1e6:.0f} MB for "
)
described += (
    f"{mixed['full']:.2f}. Right: accuracy over two epochs, smoothed over 15 batches. At the end rows in order "
)
described += f"reach {last['rows in order']:.2f}, chunks at random {last['chunks at random']:.2f}, the buffer "
described += f"{last[f'buffer of {buffer}']:.2f}, the full shuffle {last['full']:.2f}."
learned = viz.Chart.of(figure, "Bytes, mix, and what a model learns", described)
learned.save(out / "figures" / "04_03_learned.svg")
learned

# %% [markdown]
# Rows in order: the model names what it saw last and forgets the rest
# (**[catastrophic forgetting](https://en.wikipedia.org/wiki/Catastrophic_interference "A model that learns something
# new loses what it had learned before, since nothing reminds it.")**). The buffer comes close to the full shuffle here,
# for one model on sorted data. Rows that are not sorted need less.

# %%
gap = last["full"] - last[f"buffer of {buffer}"]
times = plans["full"].stored_bytes / plans[f"buffer of {buffer}"].stored_bytes
print(f"the full shuffle reads {times:.0f} times the bytes, for {100 * gap:.1f} points of accuracy more")

# %% [markdown] tags=["section-others"]
# ## Others read the same rows
#
# What the loader reads is an ordinary Zarr array.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
report = interop_check(out / "digits.zarr" / "x", expected=pixels)
print("What others read:")
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A run that was cut short goes on with the next batch
#
# A training that dies at batch 100 must not begin the epoch again: the first rows would count twice. The loader's state
# is a few numbers, since the order follows from seed and epoch. Keep it beside the weights.

# %%
running = Loader(traced, batch_size, buffer=buffer, seed=seed)
stream = iter(running)
for _ in range(100):
    next(stream)
state = json.dumps(running.state_dict())
batch_101 = next(stream)
stream.close()
print(state)

# %%
resumed = Loader(traced, batch_size, buffer=buffer, seed=seed, prefetch=0)
resumed.load_state_dict(json.loads(state))
trace.clear()
first = next(iter(resumed))
assert all(np.array_equal(first[name], batch_101[name]) for name in first)
again = {"buffer": len(chunk_reads()) // 2}
print(f"batch 101 is the same, and {batches - 100} are left")

# %% [markdown]
# What did that read? A buffer keeps some rows for long: after a hundred batches a few rows of nearly every chunk still
# wait in it, so nearly all that were read are read once more. Blocks leave as a whole before others come.

# %%
blocks = Loader(traced, batch_size, shuffle="blocks", buffer=buffer, seed=seed, prefetch=0)
blocks.load_state_dict(blocks.state_dict(batch=100))
trace.clear()
next(iter(blocks))
again["blocks"] = len(chunk_reads()) // 2
for way, read in again.items():
    print(f"to go on at batch 101, {way}: {read} of {chunks} chunks")

# %% [markdown]
# **How far ahead, and how much memory?** With `prefetch` chunks are read while the model works
# (**[prefetching](https://en.wikipedia.org/wiki/Prefetching "Reading what will be asked for next while the present is
# worked on.")**). What is held does not depend on the number of rows.

# %%
memory = {}
for depth in (0, 2, 8):
    memory[depth] = Loader(traced, batch_size, buffer=buffer, prefetch=depth).plan().memory_bytes
    print(f"prefetch {depth}: at most {memory[depth] / 1e6:.2f} MB of rows; the array has {x.nbytes / 1e6:.2f} MB")

# %% [markdown] tags=["section-wrong"]
# ## Two workers, and every row twice
#
# Worker processes that are given the same loader give the same batches. Nothing fails, an epoch takes as long as
# before, and every example counts twice. Give each its part: `shard(rank, world)`, or `loader.dataset()` for the
# `DataLoader` of PyTorch, which asks which worker it is in.

# %%
one = Loader(traced, batch_size, buffer=buffer, seed=seed)
careless = np.concatenate([np.concatenate(list(one.indices())) for worker in range(2)])
parts = [one.shard(worker, 2) for worker in range(2)]
shared = np.concatenate([np.concatenate(list(part.indices())) for part in parts])
print(f"the same loader twice: {len(careless):,} rows, {len(np.unique(careless)):,} different ones")
print(f"two parts: {len(shared):,} rows, {len(np.unique(shared)):,} different ones")
assert np.array_equal(np.sort(shared), np.arange(rows))

# %% [markdown]
# The other mistake is a seed that is added up: worker 1 of epoch 0 and worker 0 of epoch 1 then shuffle alike. The
# loader gives NumPy the numbers apart, as a key. What else can go wrong with seeds is the question of
# [04_08](04_08_synthetic_data_pipeline.ipynb).

# %%
added = [np.random.default_rng(seed + epoch + worker).random() for epoch, worker in ((0, 1), (1, 0))]
keys = (0, 1), (1, 0)
keyed = [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key)).random() for key in keys]
print(f"added up, the same: {added[0] == added[1]}; as a key of two numbers, the same: {keyed[0] == keyed[1]}")
assert added[0] == added[1]
assert keyed[0] != keyed[1]

# %% [markdown] tags=["section-predict"]
# ## Four times the buffer: how many bytes more?
#
# The buffer grows to four times its size. How many bytes more does an epoch read, and where does the entropy go? Write
# both down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
larger = Loader(traced, batch_size, buffer=4 * buffer, seed=seed)
more = larger.plan(look=True).stored_bytes - plans[f"buffer of {buffer}"].stored_bytes
larger_mix = float(np.mean([entropy(label[one]) for one in larger.indices()]))
print(f"{more} bytes more; entropy {larger_mix:.2f} instead of {mixed[f'buffer of {buffer}']:.2f}")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_03.1
#
# Draw batches of 64 labels, each of the ten with the same probability. What is the mean entropy of a batch? It is not
# the logarithm of ten. Two decimals are enough; simulate.
#
# <details><summary>Hint</summary>
# How often has a batch of 64 exactly 6.4 rows of each label?</details>

# %% tags=["exercise"]
mean_entropy = ...
check("04_03.1", mean_entropy)

# %% [markdown]
# ### Exercise 04_03.2
#
# A million rows lie in 1,000 full chunks. A full shuffle takes batches of 256. How many chunks does an epoch read, on
# average? Within one percent is enough.
#
# <details><summary>Hint</summary>
# `chunks_of_a_batch` takes other numbers as well. The last batch is smaller; it does not matter here.</details>

# %% tags=["exercise"]
chunks_read = ...
check("04_03.2", chunks_read)

# %% [markdown]
# ### Exercise 04_03.3
#
# This shuffle buffer loses rows. Repair it. `rows` is a list, `size` how many it holds, and `draw(n)` gives a number
# from 0 to n - 1.
#
# <details><summary>Hint</summary>
# What is still in the buffer when the rows are over?</details>


# %% tags=["exercise"]
def through_a_buffer(rows, size, draw):
    """All rows in another order; no more than `size` of them wait at a time."""
    inside, given = [], []
    for row in rows:
        if len(inside) == size:
            given.append(inside.pop(draw(size)))
        inside.append(row)
    return given


check("04_03.3", through_a_buffer)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `Loader(array, batch_size)` | `dask.array.from_zarr(...).shuffle(batches, axis=0)`: a block for each list of rows | a buffer, prefetching, a state |
# | `array.oindex[rows]` | `array.oindex[rows]`: each chunk once, too | - |
# | `loader.plan().requests` | `zarr.storage.LoggingStore(store).counter`, while it reads | the number before the epoch |
# | a shard is one read | `dask.array.from_zarr(...)` reads each inner chunk by itself, unless you give `chunks` | blocks of whole shards by default |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A batch of a full shuffle lies in all chunks but those that its rows miss, and that follows from four numbers. Here
#   an epoch reads everything more than a hundred times.
# - Chunks at random and a buffer of a few of them read each chunk once, whatever the buffer holds. The entropy of a
#   batch says how well they mix.
# - The model decides. Chunks at random without a buffer look shuffled, and teach little on sorted data; eight chunks
#   come close to a full shuffle here.
# - The order follows from seed and epoch, so a state of a few numbers goes on with the very next batch. A buffer is
#   read once more for that; blocks are cheaper to leave.
# - Workers get parts, or every row comes once for each of them.
#
# **Open questions.** What if the classes are much larger than the buffer? Does it pay to shuffle once when the data are
# written? How many chunks are in flight when the model is faster than the store?
#
# **To read further.**
#
# - [WebDataset](https://github.com/webdataset/webdataset): **[shards](../GLOSSARY.md#shard)** at random and a shuffle buffer, for files of samples
# - [torch.utils.data](https://docs.pytorch.org/docs/stable/data.html): worker processes, and why each needs to know
#   which one it is
# - [Parallel random numbers in NumPy](https://numpy.org/doc/stable/reference/random/parallel.html): seeds that cannot
#   collide, and how not to make them
#
# **Next.** [04_04](04_04_evaluation_cubes.ipynb): what do you store of an evaluation, so that it can be summed up later
# in any way?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Chance makes some labels more frequent than others in every batch, and any inequality lowers the entropy.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
drawn = (np.random.PCG64(1).random_raw(64 * 4000) % 10).reshape(-1, 64).astype(int)
check("04_03.1", round(float(np.mean([entropy(batch) for batch in drawn])), 2))

# %% [markdown]
# Nearly every row is alone in its chunk: 3,906 batches of 256, and each lies in about 226 chunks.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_03.2", 10**6 / 256 * chunks_of_a_batch(256, rows=10**6, per_chunk=1000))

# %% [markdown]
# When the rows are over, the buffer is emptied, at random as well.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def through_a_buffer(rows, size, draw):
    """All rows in another order; no more than `size` of them wait at a time."""
    inside, given = [], []
    for row in rows:
        if len(inside) == size:
            given.append(inside.pop(draw(size)))
        inside.append(row)
    while inside:
        given.append(inside.pop(draw(len(inside))))
    return given


check("04_03.3", through_a_buffer)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
names = dict(zip(ways, ("order", "chunks", "blocks", "buffer", "larger", "full"), strict=True))
save_facts(
    out,
    {
        "rows": rows,
        "test_rows": len(data.arrays["test_label"]),
        "features": pixels.shape[1],
        "chunk_rows": chunk_rows,
        "batch_size": batch_size,
        "buffer": buffer,
        "larger_buffer": 2 * buffer,
        "classes": 10,
        "rows_of_a_label": batch_size / 10,
        "most_entropy": math.log(10),
        "epochs": 2,
        "chunks": chunks,
        "batches": batches,
        "chunks_of_a_batch": a_batch,
        "expected_chunks": batches * a_batch,
        "times_everything": batches * a_batch / chunks,
        "realism": {fact: round(value, 4) for fact, (value, _, _) in checks.items()},
        "by_hand": {str(kept): round(value, 6) for kept, value in by_hand.items()},
        "requests": {names[way]: plan.requests for way, plan in plans.items()},
        "bytes": {names[way]: plan.stored_bytes for way, plan in plans.items()},
        "megabytes": {names[way]: plan.stored_bytes / 1e6 for way, plan in plans.items()},
        "counted": {names[way]: found for way, found in counted.items()},
        "entropy": {names[way]: round(value, 6) for way, value in mixed.items()},
        "accuracy": {names[way]: round(value, 4) for way, value in last.items()},
        "percent": {names[way]: round(100 * value, 1) for way, value in last.items()},
        "points_less": round(100 * gap, 1),
        "times_the_bytes": times,
        "resumed_at": 100,
        "batches_left": batches - 100,
        "chunks_read_again": again,
        "memory_megabytes": {str(depth): held / 1e6 for depth, held in memory.items()},
        "array_megabytes": x.nbytes / 1e6,
        "careless": [len(careless), len(np.unique(careless))],
        "more_bytes": more,
        "larger_mix": round(larger_mix, 6),
        "orders": {names[way]: numbers[:200].tolist() for way, numbers in seen.items()},
        "copies": data.truth["copies"],
    },
)
