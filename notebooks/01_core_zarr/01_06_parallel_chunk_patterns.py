# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Put many workers on one array, and lose nothing
#
# **Question.** Can many workers share one array?
#
# ![Four writers on two grids. In the first each chunk has one writer; in the second two rows of chunks have
# two.](../../articles/figures/01_06_writers.svg)
#
# *The same four writers on two grids. The hatched chunks have two writers each.*
#
# Chunks are separate objects, so work on them can be shared out: to threads, to processes, to a cluster.
# As long as no one writes, any number of readers is safe. For writers it depends on where you cut.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 45 minutes |
# | **Needs** | [01_02](01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/parallel.py`, `tutorial_zarr/array.py`, `tutorial_zarr/plan.py` |
# | **Article** | [Four writers, one chunk, and 2,496 ways to lose](../../articles/06_parallel_chunk_patterns.md) |
# | **Data** | a plane in which every value names its place (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - go through all chunks with a bound on what is in flight, and merge the results in any order
# - say which work lets threads run at the same time, prove it by counting, and measure what it brings
# - choose between results in order and results as they come
# - split an array among writers so that no writer needs to know about the others
# - recognise a lost update, and prevent it
# - find the chunk that took too long
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `n` is the side of the array, in chunks of 128 x 128. `measure` times threads on your machine.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: an array of 2048 x 2048, 256 chunks
workers = 4  # threads, and writers
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
n = None  # rows and columns; None means 1024, or 2048 if not quick
measure = True  # False: time nothing

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import hashlib
import heapq
import sys
import threading
import zlib
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial, reduce
from itertools import islice

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, print_timings, save_facts
from tutorial_zarr.stores import LatencyStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

out = output_folder(out_dir)
n = n or (1024 if quick else 2048)
in_range(n=(n, 512, 4096), workers=(workers, 2, 16), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Every value names its place
#
# A plane of numbers from which row and column can be read, so a value that got lost is seen at once.

# %%
plane = fields.gradient(n)
gzip1 = {"name": "gzip", "configuration": {"level": 1}}
layout = {"chunks": (128, 128), "compressors": gzip1, "zarr_format": zarr_format}
a = zarr.create_array(out / "plane.zarr", data=plane, **layout, overwrite=True)
print(f"{n} x {n} values in {a.nchunks} chunks; what is written at once: {a.write_unit}")

# %% [markdown] tags=["section-idea"]
# ## Four writers, and where their edges fall
#
# Cut the array into four bands, one for each writer. Where the edge of a band falls inside a chunk, that chunk
# has two writers, and what they leave may depend on who comes first: a
# **[race condition](https://en.wikipedia.org/wiki/Race_condition "When the result depends on the order in which two
# programs take their steps, and nothing fixes that order.")**. What can go wrong in this lesson goes wrong there.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = (BLUE, ORANGE, GREEN, SKY)
figure, axes = viz.canvas(7.2, 3.6, 1, 2)
shared = {}
for panel, high in zip(axes, (128, 192), strict=True):
    for k, colour in enumerate(colours):
        panel.axhspan(256 * k, 256 * (k + 1), color=colour, alpha=0.45, linewidth=0)
        panel.text(-24, 256 * k + 128, "ABCD"[k], va="center", ha="right")
    panel.hlines(range(high, 1024, high), 0, 1024, color=GREY, linewidth=0.6)
    panel.vlines(range(128, 1024, 128), 0, 1024, color=GREY, linewidth=0.6)
    cut = [top for top in range(0, 1024, high) if top // 256 != (min(top + high, 1024) - 1) // 256]
    for top in cut:
        panel.axhspan(top, top + high, facecolor="none", edgecolor=VERMILION, hatch="////", linewidth=1.2)
    shared[high] = 8 * len(cut)
    panel.set(title=f"chunks of {high} x 128", xlim=(0, 1024), ylim=(1024, 0), aspect="equal", xticks=[], yticks=[])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = f"Four writers of 256 rows each. Chunks 128 high: {shared[128]} of 64 have two writers. "
described += f"Chunks 192 high: {shared[192]} of 48, hatched, along the edges of the bands."
bands = viz.Chart.of(figure, "Four writers on two grids", described)
bands.save(out / "figures" / "01_06_writers.svg")
bands

# %% [markdown] tags=["section-build"]
# ## Build it small: hand out a chunk when one comes back
#
# Readers first. A pool takes all the work that you give it, and keeps all results until you fetch them. With a
# million chunks that is a million results. So hand out a new chunk only when one is finished.


# %%
def bounded(work, items, workers):
    """Pairs (item, result) as they are finished; never more than `workers` items are taken and not yet back."""
    items = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(work, item): item for item in islice(items, workers)}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()
            waiting |= {pool.submit(work, item): item for item in islice(items, len(done))}


# %% [markdown]
# And a reduction. The mean and variance of all chunks are merged from three numbers for each: how many values, their
# mean, and the sum of squared distances from it. This is **[Chan's
# algorithm](https://en.wikipedia.org/wiki/Algorithms_for_calculating_variance#Parallel_algorithm "A way to merge the
# means and variances of two groups into those of both, without going back to the values.")**, Welford's for whole
# groups.


# %%
def moments(coords):
    values = a.read_chunk(coords).astype("float64")
    return values.size, values.mean(), ((values - values.mean()) ** 2).sum()


def merge(one, two):
    (n1, mean1, sq1), (n2, mean2, sq2) = one, two
    n, apart = n1 + n2, mean2 - mean1
    return n, mean1 + apart * n2 / n, sq1 + sq2 + apart**2 * n1 * n2 / n


# %%
taken = Counter()


def counted(items, name):
    for item in items:
        taken[name] += 1
        yield item


everything = list(np.ndindex(a.cdata_shape))
stream = bounded(moments, counted(everything, "bounded"), workers)
next(stream)
with ThreadPoolExecutor(workers) as pool:
    pool.map(moments, counted(everything, "pool.map"))
print(f"taken before the first result is looked at: {dict(taken)}")

# %%
total, mean, squares = reduce(merge, [result for _, result in bounded(moments, everything, workers)])
print(f"mean {mean:.6f}, variance {squares / total:.3f}")
assert np.isclose(mean, plane.mean(dtype="float64"), rtol=1e-12)
assert np.isclose(squares / total, plane.var(dtype="float64"), rtol=1e-12)

# %% [markdown] tags=["section-library"]
# ## The library's loop: any number of threads, one result
#
# `parallel_chunk_map` is that loop. How many threads there are changes nothing in the result; in order, not even
# the last bit.


# %%
def reduced(count, ordered):
    results = a.parallel_chunk_map(lambda coords, _: moments(coords), max_concurrency=count, ordered=ordered)
    return reduce(merge, results)


counts = (1, 2, 4, 8)
in_order = {reduced(count, ordered=True) for count in counts}
as_they_come = [reduced(count, ordered=False) for count in counts]
print(f"in order, {len(counts)} numbers of workers: {len(in_order)} result, to the last bit")
assert len(in_order) == 1
assert np.allclose(as_they_come, [(total, mean, squares)] * len(counts), rtol=1e-12, atol=0)

# %% [markdown]
# Sums of floats depend on their order in the last bits, so results merged as they come may differ there. Now the
# bound, seen from the store:

# %%
trace = TraceStore(LatencyStore(a.store, seconds=0.002))
for _ in zarr.open_array(trace, mode="r", zarr_format=zarr_format).chunk_stream(parallel=workers, stored_only=False):
    pass
in_flight = trace.timeline().in_flight
print(f"{a.nchunks} chunks; requests in flight never exceeded {workers}: {in_flight <= workers}")
assert in_flight <= workers

# %% [markdown]
# **Do threads help at all?** Python has a lock that only one thread can hold, the
# **[GIL](https://docs.python.org/3/glossary.html#term-global-interpreter-lock "The global interpreter lock of CPython:
# only the thread that holds it runs Python code; C code may let go of it.")**. Forbid Python to take the lock away
# from a thread. Then a second thread gets in only if the first steps aside by itself. How many are inside at once?


# %%
def most_inside(work):
    """The most threads that were inside `work` at once, if a thread keeps the lock until it steps aside."""
    inside, most, before = 0, 0, sys.getswitchinterval()

    def task(_):
        nonlocal inside, most
        most, inside = max(most, inside + 1), inside + 1
        work()
        inside -= 1

    sys.setswitchinterval(100)  # seconds; normally 0.005
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(task, range(8 * workers)))
    sys.setswitchinterval(before)
    return most


# %%
packed = zlib.compress(plane.tobytes(), 1)
inside = {
    "zlib.decompress": most_inside(lambda: zlib.decompress(packed)),
    "a loop in Python": most_inside(lambda: sum(i * i for i in range(20_000))),
}
together = {name: most > 1 for name, most in inside.items()}
print(*(f"{name}: {'several at once' if several else 'one at a time'}" for name, several in together.items()), sep="\n")
assert together["zlib.decompress"]

# %% [markdown]
# The codec is C, and C can let go of the lock while it works. That is why threads can help with decoding, and why
# they do nothing for a function written in Python: for that, pass a `ProcessPoolExecutor` as `executor`. (In a Python
# without the lock, both lines say the same.) Counting proves that threads run at once; what it brings is measured:


# %% tags=["nbval-ignore-output"]
def in_threads(work, count):
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(8)))


kinds = {"zlib": lambda _: zlib.decompress(packed), "Python": lambda _: sum(range(10**6))}
if measure:
    cases = [(name, count) for name in kinds for count in (1, 2)]
    print_timings({f"{name}, threads: {count}": partial(in_threads, kinds[name], count) for name, count in cases})

# %% [markdown]
# **In order, or as they come?** Twenty-four chunks, four workers, and the sixth chunk is slow. In order, no worker
# may run further ahead than three chunks past the oldest that is not done: a window of four.

# %%
milliseconds = [20 + int(bits) % 20 for bits in np.random.PCG64(seed).random_raw(24)]
milliseconds[5] = 240
ordered = []
for i, takes in enumerate(milliseconds):
    before_the_window = ordered[: max(0, i - 3)]  # all of these must be done
    begin = max((end for _, end in before_the_window), default=0)
    ordered.append((begin, begin + takes))

for i, (begin, _) in enumerate(ordered):
    oldest = next(j for j in range(i + 1) if ordered[j][1] > begin)
    assert i - oldest <= 3

# %%
unordered, free = [], [0] * 4
for takes in milliseconds:
    begin = heapq.heappop(free)
    unordered.append((begin, begin + takes))
    heapq.heappush(free, begin + takes)
last = {"in order": max(end for _, end in ordered), "as they come": max(free)}
print(last)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.2, 3.6, 2, 1, sharex=True)
for panel, (name, tasks) in zip(axes, {"in order": ordered, "as they come": unordered}.items(), strict=True):
    lanes = [0] * 4
    for i, (begin, end) in enumerate(tasks):
        lane = next(k for k, busy in enumerate(lanes) if busy <= begin)
        lanes[lane] = end
        panel.barh(lane, end - begin, left=begin, color=VERMILION if i == 5 else BLUE, edgecolor="white", height=0.85)
        panel.text((begin + end) / 2, lane, i, ha="center", va="center", fontsize=7, color="white")
    panel.axvline(last[name], color=GREY, linewidth=1, linestyle=":")
    panel.set(title=f"{name}: {last[name]} ms", yticks=range(4), yticklabels=[f"worker {k}" for k in range(4)])
    panel.invert_yaxis()

# %% tags=["hide-input"] jupyter={"source_hidden": true}
axes[1].set(xlabel="milliseconds, in the model")
described = f"24 chunks on four workers, chunk 5 takes 240 ms. In order the others wait for it: {last['in order']} ms. "
gantt = viz.Chart.of(figure, "One slow chunk", f"{described}As they come they do not: {last['as they come']} ms.")
gantt.save(out / "figures" / "01_06_gantt.svg")
gantt

# %% [markdown] tags=["section-bytes"]
# ## One thread or eight, the same files
#
# Writing with one thread or with eight must leave the same files. Write the array again with each number of
# threads, and compare every object.


# %%
def fingerprint(store):
    """One hash over all keys and values of a store."""
    parts = (key.encode() + b"\0" + hashlib.sha256(store.get(key)).digest() for key in store.list_prefix())
    return hashlib.sha256(b"".join(parts)).hexdigest()


prints = set()
for count in counts:
    zarr.set_workers(count)
    prints.add(fingerprint(zarr.create_array({}, data=plane, **layout).store))
zarr.set_workers(None)
print(f"{len(counts)} numbers of threads, {len(prints)} fingerprint; the files of the first section: ", end="")
print("the same" if fingerprint(a.store) in prints else "others")
assert prints == {fingerprint(a.store)}

# %% [markdown]
# And the other implementations that are installed read what the threads wrote, to the last bit:

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
report = interop_check(out / "plane.zarr", expected=plane)
print("Who read it:", report, sep="\n")
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Aligned bands are cheaper, and need no turns
#
# Now writers. Four threads write a band each, on both grids of the picture. What does the store see?


# %%
def in_bands(high):
    """Requests when four threads write a band each to chunks of this height."""
    made = zarr.create_array({}, shape=(1024, 1024), dtype="f4", **{**layout, "chunks": (high, 128)})
    trace, source = TraceStore(made.store), fields.gradient(1024)
    target = zarr.open_array(trace, mode="r+", zarr_format=zarr_format)
    bands = [slice(256 * k, 256 * (k + 1)) for k in range(4)]
    planned = [target.plan_write(band) for band in bands]
    trace.clear()
    with ThreadPoolExecutor(4) as pool:
        for band in bands:
            pool.submit(target.__setitem__, band, source[band])
    asked = {verb: trace.count(verb) for verb in ("GET", "PUT")}
    assert np.array_equal(target[...], source)
    return planned, asked


# %%
seen = {}
for high in (128, 192):
    planned, seen[high] = in_bands(high)
    print(f"chunks of {high} x 128: {seen[high]}, alone on its chunks: {[plan.aligned for plan in planned]}")
    print("   writer B:", planned[1].explain())
    assert sum(plan.requests for plan in planned) == sum(seen[high].values())

# %% [markdown]
# All values are right both times. But a chunk that a writer covers only in part must be read, changed and written back,
# and to do that safely, writers have to take turns. So must one that sticks out past the edge of the array: others may
# have appended there. `plan_write` says so beforehand, and its numbers are those that the store saw. So choose the
# height of a band in whole write units, and ask `plan_write` before the job runs.

# %% [markdown] tags=["section-wrong"]
# ## 2,496 orders that lose a row
#
# Four writers with a row each of one chunk. No two of them touch the same row. Each reads the chunk, changes it, and
# writes it back (a **[read-modify-write](https://en.wikipedia.org/wiki/Read%E2%80%93modify%E2%80%93write "Reading a
# value, changing it and writing it back; two at once lose a change unless the steps cannot be parted.")**). That is two
# steps at the store, and in between others may take theirs.


# %%
def writer(store, row):
    """Writes its letter to its row of a chunk, the obvious way."""
    chunk = bytearray(store["chunk"])  # the first step: read all of it
    yield
    chunk[row] = ord("A") + row  # the second: change a row, and write all of it back
    store["chunk"] = bytes(chunk)


# %%
def replay(order, count):
    """What the chunk holds after the writers took their steps in this order."""
    store = {"chunk": b"." * count}
    writers = [writer(store, row) for row in range(count)]
    for k in order:
        next(writers[k], None)
    return store["chunk"].decode()


print("one after the other:", replay([0, 0, 1, 1, 2, 2, 3, 3], 4))

# %% [markdown]
# Four writers with two steps each can take them in 2,520 orders. In how many of these do all four letters
# survive? And how many survive if all read before the first one writes? Write both down.


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def orders(steps):
    """Every order in which writers can take their steps; `steps` says how many each has left."""
    if not any(steps):
        yield ()
    for k, left in enumerate(steps):
        if left:
            for rest in orders((*steps[:k], left - 1, *steps[k + 1 :])):
                yield (k, *rest)


outcomes = [replay(order, 4) for order in orders((2, 2, 2, 2))]
survived = Counter(4 - outcome.count(".") for outcome in outcomes)
print("After your guess:")
print(f"{len(outcomes):,} orders; rows that survive: {dict(sorted(survived.items()))}")
print("all read, then all write:", replay([0, 1, 2, 3, 0, 1, 2, 3], 4))

# %% [markdown]
# Twenty-four: the orders in which no writer overlaps with another. The other 2,496 lose at least one row, without an
# error: a **[lost update](https://en.wikipedia.org/wiki/Write%E2%80%93write_conflict "A change that another writer
# overwrote without having seen it, because both began from the same old value.")**. This counts orders, and is no
# probability: real threads are not fair dice. Mostly they do run one after the other, because the steps are short. Then
# a store is slow for a moment, and the orders that lose become likely.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.0)
for rows, many in sorted(survived.items()):
    panel.barh(f"{rows} of 4 rows", many, color=GREEN if rows == 4 else VERMILION, height=0.7)
    panel.text(many + 15, f"{rows} of 4 rows", f"{many:,}", va="center")
panel.set(title="What is left, in all 2,520 orders", xlabel="orders", xlim=(0, 1.15 * max(survived.values())))
panel.invert_yaxis()
described = ", ".join(f"{many:,} keep {rows}" for rows, many in sorted(survived.items()))
lost = viz.Chart.of(figure, "Rows that survive four writers", f"Of {len(outcomes):,} orders, {described} of 4 rows.")
lost.save(out / "figures" / "01_06_lost.svg")
lost

# %% [markdown]
# Now the same with real threads and a real chunk. The barrier makes all of them read before any of them writes.

# %%
dots = np.full((4, 8), ord("."), "uint8")
naive = zarr.create_array(
    out / "naive.zarr", data=dots, chunks=(4, 8), compressors=None, zarr_format=zarr_format, overwrite=True
)
key, all_have_read = naive.chunk_key((0, 0)), threading.Barrier(4)


def careless(row):
    chunk = np.frombuffer(bytes(naive.store.get(key)), "u1").reshape(4, 8).copy()
    all_have_read.wait()
    chunk[row] = ord("A") + row
    naive.store.set(key, chunk.tobytes())


# %%
with ThreadPoolExecutor(4) as pool:
    list(pool.map(careless, range(4)))
left_by_naive = int((naive[:, 0] != ord(".")).sum())
print(f"rows that are there: {left_by_naive} of 4")
assert left_by_naive == 1

# %% [markdown]
# The cure is to make the two steps one. `store.update(key, change)` does, and assigning to a part of a chunk goes
# through it:

# %%
safe = zarr.create_array(
    out / "safe.zarr", data=dots, chunks=(4, 8), compressors=None, zarr_format=zarr_format, overwrite=True
)


def careful(row):
    safe[row] = ord("A") + row


with ThreadPoolExecutor(4) as pool:
    list(pool.map(careful, range(4)))
print(viz.hexdump(safe.encoded_chunk((0, 0)), length=32))
assert bytes(safe.encoded_chunk((0, 0))) == b"AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDD"

# %% [markdown]
# How? In memory and in a folder it holds a lock. A bucket has none, but it gives every version of an object a tag, and
# writes on condition that the tag is still the same: a
# **[compare-and-swap](https://en.wikipedia.org/wiki/Compare-and-swap "Writing a new value only if the old one is still
# the one that was read; else nothing changes.")**. In small:


# %%
class Tagged:
    """A chunk in a bucket: every write changes its tag, and asks for the tag that was read."""

    def __init__(self, chunk):
        self.chunk, self.tag = bytes(chunk), 0

    def read(self):
        return bytearray(self.chunk), self.tag

    def write_if(self, chunk, tag):
        """Write if the tag is still this one, and say whether."""
        if tag != self.tag:
            return False
        self.chunk, self.tag = bytes(chunk), self.tag + 1
        return True


# %%
shared_chunk = Tagged(b"....")
(one, its_tag), (two, the_same_tag) = shared_chunk.read(), shared_chunk.read()
one[0], two[1] = ord("A"), ord("B")
print("the first writes:", shared_chunk.write_if(one, its_tag), shared_chunk.chunk.decode())
print("the second, late:", shared_chunk.write_if(two, the_same_tag), shared_chunk.chunk.decode())
assert shared_chunk.chunk == b"A..."

# %% [markdown]
# **A chunk that never comes.** A time limit says which. It unblocks the caller; the thread keeps running, because
# Python cannot stop one from outside.

# %%
stuck, let_go, came = (2, 3), threading.Event(), 0


def slow_at_one(coords, values):
    if coords == stuck:
        let_go.wait()
    return float(values[0, 0])


# %%
try:
    for _ in a.parallel_chunk_map(slow_at_one, max_concurrency=workers, timeout=1.0):
        came += 1
except zarr.errors.ChunkTimeoutError as error:
    print(f"{came} results, then {type(error).__name__}: {error}")
let_go.set()
assert came == stuck[0] * a.cdata_shape[1] + stuck[1]

# %% [markdown] tags=["section-predict"]
# ## Three writers, and two
#
# Take three writers. How many orders are there, and how many of them are harmless? And two?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
count = 3
found = [replay(order, count) for order in orders((2,) * count)]
print(f"{len(found)} orders, {sum('.' not in outcome for outcome in found)} harmless")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_06.1
#
# One worker saw 4 values with mean 10 and variance 5, another 4 values with mean 14 and variance 5. What is the
# variance of all eight?
#
# <details><summary>Hint</summary>
# The variance is the sum of squares divided by how many. `merge` takes (how many, mean, sum of squares).</details>

# %% tags=["exercise"]
variance = ...
check("01_06.1", variance)

# %% [markdown]
# ### Exercise 01_06.2
#
# An array of 1000 rows in chunks of 64 rows is split among 4 writers. Each is to have a band of whole chunks, and the
# bands are to be as even as possible. Where do the bands of writers 2, 3 and 4 begin? Give a list of three rows.
#
# <details><summary>Hint</summary>
# How many chunks are there? How many for each writer?</details>

# %% tags=["exercise"]
begins = ...
check("01_06.2", begins)

# %% [markdown]
# ### Exercise 01_06.3
#
# Repair code: `set_row` writes a letter to one row of a `Tagged` chunk, without a lock. It is right as long as no
# other writer comes. The check lets others come in between, once or several times; their rows must survive, and so
# must yours.
#
# <details><summary>Hint</summary>
# What does `write_if` return when it did not write? And which chunk should go into the next try?</details>


# %% tags=["exercise"]
def set_row(chunk_in_bucket, row, letter):
    """Write `letter` to `row` of a `Tagged` chunk, so that no row of another writer is lost."""
    chunk, tag = chunk_in_bucket.read()
    chunk[row] = ord(letter)
    chunk_in_bucket.write_if(chunk, tag)


check("01_06.3", set_row)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[row] = values` on a part of a chunk loses no row of another writer | rows can be lost, without an error; Dask's `store(..., lock=True)` lets its own threads take turns | safety between processes that do not know each other |
# | `store.update(key, change)` | by hand in a bucket: `obstore.put(store, key, value, mode={"e_tag": tag})` | the same in a folder |
# | `plan_write(rows).aligned` | xarray's `to_zarr` refuses Dask chunks that would share a Zarr chunk, and cuts them to fit with `align_chunks=True` | an answer before there are any data |
# | `parallel_chunk_map(fn, max_concurrency=4)` | `dask.array.from_zarr(a).map_blocks(fn)`, on a cluster too | a time limit for a chunk |
# | `chunk_stream(parallel=4)` | `zarr.config.set({"async.concurrency": 4})` bounds the requests in flight | chunks one by one |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Hand out a chunk when one comes back; merge what can be merged. Here any order gives the same result up to the
#   last bits of a float; the order of the chunks gives the same bits.
# - Threads run at the same time where the lock is released: in codecs written in C, while waiting for files and
#   networks. Not in loops in Python.
# - In order: reproducible to the last bit, but one slow chunk stalls the rest. As they come: no stall, but the last
#   bits may differ.
# - Give each writer whole write units, and `plan_write(...).aligned` is true: no writer needs a lock.
# - A read-modify-write by four writers of one chunk loses rows in 2,496 of 2,520 orders, silently; `update` makes it
#   one step.
# - A time limit names the chunk, and leaves its thread to itself.
#
# **Open questions.** What if a writer dies half way? What if the writers are on different machines, and the file
# system knows no locks? What if the array grows meanwhile?
#
# **To read further.**
#
# - [xarray, writing in parallel](https://docs.xarray.dev/en/stable/user-guide/io.html#distributed-writes): how writers of regions share one array
# - [Amazon S3, conditional writes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html): the compare-and-swap of a bucket
# - [Algorithms for computing the sample variance](https://doi.org/10.1080/00031305.1983.10483115): Chan, Golub and LeVeque on merging, and on what rounding does
# - [Understanding the Python GIL](https://www.dabeaz.com/GIL/): how threads pass the lock on
#
# **Next.** [01_07](01_07_appendable_time_series.ipynb): what does it cost to append?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Averaging the variances forgets that the two means differ.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
merged = merge((4, 10, 4 * 5), (4, 14, 4 * 5))
check("01_06.1", merged[2] / merged[0])

# %% [markdown]
# Sixteen chunks, four for each writer, and 4 x 64 = 256. The last band is shorter: the last chunk sticks out past the
# edge.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_06.2", [256, 512, 768])

# %% [markdown]
# Try again until no other writer came in between, each time from the newest chunk.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def set_row(chunk_in_bucket, row, letter):
    while True:
        chunk, tag = chunk_in_bucket.read()
        chunk[row] = ord(letter)
        if chunk_in_bucket.write_if(chunk, tag):
            return


check("01_06.3", set_row)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "side": n,
        "chunks": a.nchunks,
        "workers": workers,
        "taken": dict(taken),
        "mean": round(mean, 6),
        "variance": round(squares / total, 6),
        "worker_counts": list(counts),
        "results_in_order": len(in_order),
        "fingerprints": len(prints),
        "together": together,
        "gantt": {"chunks": len(milliseconds), "milliseconds": milliseconds, "slow": 240, **last},
        "usual_milliseconds": [min(milliseconds), sorted(milliseconds)[-2]],
        "band": {"rows": 256, "of": 1024, "chunk_heights": [128, 192]},
        "shared_chunks": {str(high): [number, 1024 // 128 * -(-1024 // high)] for high, number in shared.items()},
        "band_requests": {str(high): requests for high, requests in seen.items()},
        "orders": len(outcomes),
        "lossy_orders": len(outcomes) - survived[4],
        "survived": {str(rows): many for rows, many in sorted(survived.items())},
        "left_by_naive": left_by_naive,
        "left_by_update": 4,
        "stuck": list(stuck),
        "results_before_stuck": came,
        "three_writers": [len(found), sum("." not in outcome for outcome in found)],
    },
)
