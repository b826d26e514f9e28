# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Make the same dataset with any number of workers
#
# **Question.** Is a seed enough to get the same data again?
#
# ![Five ways to use a seed, and five ways to run the job. Only the way that numbers the elements gives one dataset in all
# five; a shared generator gives a different one nearly every time.](../../articles/figures/04_08_recipes.svg)
#
# *One colour and letter is one dataset, by its hash. Every row of this table was "seeded".*
#
# You make ten million training rows with eight workers, write the seed into the paper, and a year later somebody runs
# it with four. They get other rows. Worse: with one of these recipes you get rows that are wrong today, and a
# classifier that looks better than any classifier can be.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/chunk_io` |
# | **Article** | [One seed, five datasets](../../articles/18_synthetic_data_pipeline.md) |
# | **Data** | two clouds of points, whose best classifier is known (`data_gen/training.py`) |
#
# **You will be able to**
#
# - say what the numbers of a chunk depend on: order, workers, chunks, or none of them
# - make any element of a dataset by itself
# - write a dataset with any number of workers, and prove by one hash that it is the same
# - make again just the chunks that were lost
# - name two traps of seeds and streams before they cost you a dataset
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk_rows` rows lie in a chunk.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 204,800 rows instead of 8,192
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk_rows = 256

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import heapq
import math
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import training
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.viz.chart import GREEN, GREY, ORANGE, PURPLE, SKY

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(chunk_rows=(chunk_rows, 64, 512), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Data whose best classifier is known
#
# Two round clouds of points with 16 features each, two standard deviations apart. They overlap, so no classifier can be
# right always: the best is right in a share of Phi(1) = 0.8413, the **[Bayes
# accuracy](https://en.wikipedia.org/wiki/Bayes_error_rate "The share of right answers of the best classifier there can be;
# where classes overlap it is below one.")**. Remember this number: nothing can beat it.

# %%
data = training.make("small" if quick else "large", seed)
checks = training.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
x, y = data.arrays["x"], data.arrays["y"]
chunks = len(y) // chunk_rows
best = training.best_accuracy(training.APART)
print(f"{len(y):,} rows in {chunks} chunks of {chunk_rows}; the best accuracy there can be is {best:.4f}")
print(f"{len(checks)} of {len(checks)} checks of the data pass")

# %% [markdown] tags=["section-idea"]
# ## A seed names a stream, and not who reads it
#
# A **[pseudorandom generator](https://en.wikipedia.org/wiki/Pseudorandom_number_generator "An algorithm that makes a long
# stream of numbers out of a seed; the same seed gives the same stream.")** turns a seed into one long stream of numbers.
# One reader gets the same every time. Several readers share it out among themselves: who gets which part depends on who
# comes first. So ask of each recipe what the numbers of chunk 17 depend on.

# %%
jobs = {
    "1 worker": (1, chunk_rows, 0),
    "2 workers": (2, chunk_rows, 0),
    "8 workers": (8, chunk_rows, 0),
    "8 workers, the next day": (8, chunk_rows, 1),
    "8 workers, half the chunk": (8, chunk_rows // 2, 0),
}


# %%
def who_does_what(many, rows, day):
    """Pairs (worker, chunk) in the order in which they are done. Each worker has its own speed, another one each day."""
    speed = np.random.PCG64([seed, day]).random_raw(many) % 7 + 3
    free, done = [(0, k) for k in range(many)], []
    for chunk in range(len(y) // rows):
        start, k = heapq.heappop(free)  # the worker that is free first takes the next chunk
        done.append((start + int(speed[k]), k, chunk))
        heapq.heappush(free, done[-1][:2])
    return [(k, chunk) for _, k, chunk in sorted(done)]


# %% [markdown] tags=["section-build"]
# ## Build it small: five recipes
#
# Each takes the same schedule, and gives the rows of every chunk. All five are seeded. The last one is a **[counter-based
# generator](https://doi.org/10.1145/2063384.2063405 "A generator that computes number k of its stream from the key and k,
# and so can begin anywhere.")**: it does not run through a stream, it looks up number *k*.


# %%
def drawn(generator, rows):
    """Rows from a NumPy generator: 16 features and a class."""
    label = generator.integers(0, 2, rows)
    noise = generator.standard_normal((rows, 16))  # other versions of NumPy may draw others: NEP 19
    return np.column_stack([noise + (label - 0.5)[:, None] / 2, label]).astype("float32")


def shared(schedule, rows):
    generator = np.random.default_rng(seed)
    return {chunk: drawn(generator, rows) for _, chunk in schedule}


def seed_in_each_worker(schedule, rows):
    own = {k: np.random.default_rng(seed) for k in range(8)}
    return {chunk: drawn(own[k], rows) for k, chunk in schedule}


# %%
def seed_plus_worker(schedule, rows):
    own = {k: np.random.default_rng(seed + k) for k in range(8)}
    return {chunk: drawn(own[k], rows) for k, chunk in schedule}


def seed_and_chunk(schedule, rows):
    return {chunk: drawn(np.random.default_rng([seed, chunk]), rows) for _, chunk in schedule}


def seed_and_element(schedule, rows):
    made = {}
    for _, chunk in schedule:
        features, label = training.block(chunk * rows, (chunk + 1) * rows, seed)
        made[chunk] = np.column_stack([features, label])
    return made


# %% [markdown]
# Run each recipe in each job, and take the hash of all rows. **Before you look, guess:** how many different datasets
# does each of the five make in the five jobs?

# %%
RECIPES = {
    "one generator, shared": shared,
    "the seed in each worker": seed_in_each_worker,
    "seed + worker": seed_plus_worker,
    "seed and chunk": seed_and_chunk,
    "seed and element": seed_and_element,
}
made, hashes = {}, {}
for name, recipe in RECIPES.items():
    for job, (many, rows, day) in jobs.items():
        parts = recipe(who_does_what(many, rows, day), rows)
        whole = np.concatenate([parts[chunk] for chunk in range(len(parts))])
        made[name, job], hashes[name, job] = whole, sha256(whole.astype("<f4").tobytes()).hexdigest()

# %% tags=["hide-input"] jupyter={"source_hidden": true}
different = {name: len({hashes[name, job] for job in jobs}) for name in RECIPES}
letters = {}
for name in RECIPES:
    seen = list(dict.fromkeys(hashes[name, job] for job in jobs))
    letters |= {(name, job): "ABCDE"[seen.index(hashes[name, job])] for job in jobs}
colours = dict(zip("ABCDE", (GREEN, ORANGE, SKY, PURPLE, GREY), strict=True))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.4)
for (name, job), letter in letters.items():
    row, column = list(RECIPES).index(name), list(jobs).index(job)
    panel.barh(row, 0.92, 0.84, left=column - 0.46, color=colours[letter], alpha=0.5, linewidth=0)
    panel.text(column, row, letter, ha="center", va="center", fontsize=13, weight="bold")
panel.set(xlim=(-0.5, 4.5), ylim=(4.5, -0.5), xticks=range(5), yticks=range(5), yticklabels=list(RECIPES))
panel.set_xticklabels([job.replace(", ", ",\n") for job in jobs], fontsize=9)
panel.tick_params(length=0)
panel.spines[:].set_visible(False)
told = "; ".join(f"{name}: {many}" for name, many in different.items())
table = viz.Chart.of(figure, "One letter is one dataset, row by row", f"Different datasets in five jobs. {told}.")
table.save(out / "figures" / "04_08_recipes.svg")
table

# %%
for name, many in different.items():
    print(f"{name:24} {many} different datasets in {len(jobs)} jobs")
assert different["seed and element"] == 1
assert hashes["seed and element", "1 worker"] == sha256(np.column_stack([x, y]).astype("<f4").tobytes()).hexdigest()

# %% [markdown]
# A key for each chunk makes the workers and their order irrelevant. It still depends on the chunks: choose others, for
# another store or another reader, and the data are others. Only a key for each element knows nothing of the layout.

# %% [markdown] tags=["section-build"]
# ## A classifier that beats the best classifier
#
# The second recipe is the common one: each worker process runs the same script, and the script says `default_rng(0)`.
# Take its 8 workers' rows, mix them, keep a quarter for the test, and ask the simplest classifier there is: which class
# has the nearest row of the training part? **Write down a guess** of its accuracy. The best possible is 0.8413.


# %%
def nearest_row(table):
    """Test accuracy of the class of the nearest training row; a random quarter of the rows is the test."""
    order = np.argsort(np.random.PCG64(seed + 1).random_raw(len(table)), kind="stable")
    table = table[order[:8192]].astype("float64")
    held, kept = np.split(table, [len(table) // 4])
    distance = (kept[:, :16] ** 2).sum(1) - 2 * held[:, :16] @ kept[:, :16].T
    return float((kept[distance.argmin(1), 16] == held[:, 16]).mean())


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
accuracy, distinct = {}, {}
for job in ("1 worker", "2 workers", "8 workers"):
    table_of_rows = made["the seed in each worker", job]
    accuracy[job] = nearest_row(table_of_rows)
    distinct[job] = len(np.unique(table_of_rows, axis=0))
    print(f"{job:10} {len(table_of_rows):,} rows, {distinct[job]:,} distinct: accuracy {accuracy[job]:.3f}")
honest = nearest_row(made["seed and element", "8 workers"])
print(f"each element by itself, 8 workers: accuracy {honest:.3f}")
assert accuracy["1 worker"] < best < accuracy["8 workers"]
assert honest < best

# %% [markdown]
# The workers all made the same rows. Many a test row has its twin among the training rows, and the nearest row *is* the
# answer: a **[data leak](https://en.wikipedia.org/wiki/Leakage_%28machine_learning%29 "Something of the test data that the
# training has seen; the measured accuracy is then too good.")**. No error, no warning, a better number. On one worker,
# where you tested the script, all was well.

# %% [markdown] tags=["section-library"]
# ## Any number of workers, one hash
#
# A Zarr array, and threads that each write whole chunks, in whatever order they come. No locks: a chunk has one writer,
# as in [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb). The hash is taken of every object in the store.


# %%
def create(path):
    """An empty dataset: features and classes, cut alike along the rows."""
    group = zarr.create_group(path, zarr_format=zarr_format, overwrite=True, attributes={"seed": seed})
    group.create_array("x", shape=x.shape, chunks=(chunk_rows, 16), dtype="float32", fill_value=math.nan)
    group.create_array("y", shape=y.shape, chunks=(chunk_rows,), dtype="uint8", fill_value=255)
    return group


# %%
def write(path, many):
    """The dataset at `path`, written by `many` threads; the group."""
    group = create(path)

    def one(chunk):
        start, stop = chunk * chunk_rows, (chunk + 1) * chunk_rows
        group["x"][start:stop], group["y"][start:stop] = training.block(start, stop, seed)

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(one, range(chunks)))
    return group


# %%
def store_hash(store):
    """One hash of every key and every value."""
    digest = sha256()
    for key in sorted(store.list_prefix()):
        digest.update(key.encode() + b"\0" + sha256(bytes(store.get(key))).digest())
    return digest.hexdigest()


folders = {many: out / f"by_{many}.zarr" for many in (1, 2, 8)}
stored = {many: store_hash(write(folder, many).store) for many, folder in folders.items()}
for many, digest in stored.items():
    print(f"{many} {'thread' if many == 1 else 'threads'}: {digest[:16]}")
assert len(set(stored.values())) == 1

# %% [markdown]
# What is in the store is what the generator says, element by element; the fill values say what was never written: NaN
# is no feature, and 255 is no class.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same features:")
report = interop_check(folders[8] / "x", expected=x)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Lost chunks are made again, and nothing else
#
# Nobody has to keep a copy. Delete three chunks, and ask the store which are missing.

# %%
trace = TraceStore(LocalStore(folders[8]))
group = zarr.open_group(trace, mode="r+")
for chunk in (3, 17, 30):
    trace.delete(group["x"].chunk_key((chunk, 0)))
missing = sorted(set(range(chunks)) - {chunk for chunk, _ in group["x"].stored_chunks()})
trace.clear()
for chunk in missing:
    start = chunk * chunk_rows
    group["x"][start : start + chunk_rows] = training.block(start, start + chunk_rows, seed)[0]
puts = trace.count("PUT")
print(f"missing: {missing}; {puts} writes, and the hash is {store_hash(LocalStore(folders[8]))[:16]}")
assert store_hash(LocalStore(folders[8])) == stored[1]

# %% [markdown]
# So the recipe is a backup: a seed, a version of the code, and one hash to prove it. Keep all three in the attributes.

# %% [markdown] tags=["section-wrong"]
# ## Two traps of seeds and streams
#
# **Seeds that are one.** A list is a fine seed: `[seed, chunk]`. But NumPy pads it with zeros. Chunk `(3,)` of one array
# and chunk `(3, 0)` of another:

# %%
pairs = {"[7, 3]": [7, 3], "[7, 3, 0]": [7, 3, 0], "7 + 3 * 2**32": 7 + 3 * 2**32}
first = {name: float(np.random.default_rng(given).random()) for name, given in pairs.items()}
for name, value in first.items():
    print(f"default_rng({name}).random() = {value:.6f}")
assert len(set(first.values())) == 1

# %% [markdown]
# Three seeds, one stream. `SeedSequence(7, spawn_key=(3, 0))` keeps the seed and the key apart, and keys of different
# lengths too.
#
# **Streams that depend on the cut.** Ten numbers drawn at once, or three and then seven. The same ten?

# %%
kinds = {
    "random(n)": lambda rng, n: rng.random(n),
    "standard_normal(n)": lambda rng, n: rng.standard_normal(n),
    "integers(0, 10, n)": lambda rng, n: rng.integers(0, 10, n),
    "integers(0, 256, n, 'uint8')": lambda rng, n: rng.integers(0, 256, n, "uint8"),
}

# %%
same_cut = {}
for name, draw in kinds.items():
    at_once, portions = draw(np.random.default_rng(1), 10), np.random.default_rng(1)
    in_two = np.concatenate([draw(portions, 3), draw(portions, 7)])
    same_cut[name] = bool((at_once == in_two).all())
    print(f"{name:30} {'the same' if same_cut[name] else 'different'}")

# %% [markdown]
# Small integers are cut out of larger words, and what is left of a word is thrown away at the end of a call. So labels
# that are drawn as `uint8`, portion by portion, depend on the portions.

# %% [markdown] tags=["section-predict"]
# ## Where does a generator stand after `advance(5)`?
#
# `Philox` can jump ahead. Draw 30 numbers; take a fresh generator, call `advance(5)`, and draw one. Which of the 30 is
# it, counted from 1? Write it down, and run. Then try it with `np.random.PCG64(1)`.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
numbers = np.random.Philox(key=1).random_raw(30).tolist()
jumped = np.random.Philox(key=1)
jumped.advance(5)
place = numbers.index(int(jumped.random_raw())) + 1
print(f"number {place}: Philox counts in blocks of four numbers, and advance counts blocks")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_08.1
#
# The clouds are moved to 3 standard deviations apart. What is the best accuracy that a classifier can reach? Give it to
# three decimals.
#
# <details><summary>Hint</summary>
# The best rule cuts halfway. How far, in standard deviations, does a point have to stray to be on the wrong side?
# </details>

# %% tags=["exercise"]
best_at_three = ...
check("04_08.1", best_at_three)

# %% [markdown]
# ### Exercise 04_08.2
#
# Which of these four seeds give `default_rng` the same stream: `"a"` is `[5]`, `"b"` is `[5, 0]`, `"c"` is `[0, 5]`,
# `"d"` is `5`? Give their letters, such as `"ac"`.
#
# <details><summary>Hint</summary>
# NumPy pads at the end. You may try it out.</details>

# %% tags=["exercise"]
same_stream = ...
check("04_08.2", same_stream)

# %% [markdown]
# ### Exercise 04_08.3
#
# Write a function that gives the numbers `start` to `stop` of a Philox stream, such that portions put together are what
# one call gives, wherever they are cut. A call must not draw from the beginning.
#
# <details><summary>Hint</summary>
# Advance to the block of four in which `start` lies, and throw away what comes before it.</details>


# %% tags=["exercise"]
def portion(key, start, stop):
    """The numbers `start` to `stop` of the stream of `key`."""
    ...


check("04_08.3", portion)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[start:stop] = values`, one whole chunk for each worker | the same in zarr-python | - |
# | `training.block(start, stop)`: the same in any chunks | `da.random.default_rng(0)`: the same for any workers, others for other chunks | numbers that do not depend on the chunks |
# | `a.stored_chunks()` names the chunks that are there | `a.nchunks_initialized` counts them | their coordinates |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A shared generator depends on the order; a seed in each worker, or seed + worker, on their number; seed and chunk on the
#   chunks; seed and element on nothing else.
# - A counter-based generator looks up number *k* of a stream, so any element can be made by itself.
# - With whole chunks for each worker, 1, 2 and 8 threads left the same bytes in every object of the store.
# - `stored_chunks` says which are there; the others are made again, and the hash proves it.
# - Seeds are padded with zeros, so two lists can be one seed; and small integers depend on how a stream is cut.
#
# **Open questions.** NumPy keeps raw bits for ever, and may change `standard_normal` (NEP 19): what do you pin? What if
# rows depend on each other, as in a time series?
#
# **To read further.**
#
# - [NumPy: parallel random number generation](https://numpy.org/doc/stable/reference/random/parallel.html): the ways that
#   NumPy recommends, spawn keys among them.
# - [Salmon et al., Parallel random numbers: as easy as 1, 2, 3](https://doi.org/10.1145/2063384.2063405): the paper behind
#   Philox, short and readable.
# - [NEP 19](https://numpy.org/neps/nep-0019-rng-policy.html): what NumPy promises to keep between versions, and what not.
#
# **Next.** Why does the mean of averages lie? [05_01](../05_finance/05_01_tick_data_cube.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The best rule errs where a point strays by half of the distance: Phi(1.5).

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_08.1", (1 + math.erf(1.5 / math.sqrt(2))) / 2)

# %% [markdown]
# `[5]`, `[5, 0]` and `5` are padded to the same words. `[0, 5]` is another number: 5 * 2**32.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_08.2", "abd")

# %% [markdown]
# The block of `start` is `start // 4`; of its numbers, `start % 4` come too early.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def portion(key, start, stop):
    """The numbers `start` to `stop` of the stream of `key`."""
    bits = np.random.Philox(key=key)
    bits.advance(start // 4)
    return bits.random_raw(stop - start // 4 * 4)[start % 4 :]


check("04_08.3", portion)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "rows": len(y),
        "chunks": chunks,
        "chunk_rows": chunk_rows,
        "features": x.shape[1],
        "best_accuracy": round(best, 6),
        "different": different,
        "letters": {f"{name}, {job}": letter for (name, job), letter in letters.items()},
        "accuracy_seed_in_each_worker": accuracy,
        "distinct_rows": distinct,
        "honest_accuracy": honest,
        "sum_of_labels": int(y.sum()),
        "missing": missing,
        "puts": puts,
        "first_of_three_seeds": {name: round(value, 6) for name, value in first.items()},
        "same_cut": same_cut,
        "advance_5": place,
    },
)
