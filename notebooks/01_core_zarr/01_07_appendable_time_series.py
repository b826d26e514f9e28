# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Grow an array every day without rewriting it
#
# **Question.** What does it cost to append?
#
# ![Blocks of 12, 36 and 48 rows over chunks of 48 rows; in each chunk the number of times it is
# written.](../../articles/figures/01_07_blocks.svg)
#
# *Blocks that arrive one after the other, above the chunks that they land in. The number says how often a chunk
# is written.*
#
# Measurements arrive in small pieces, for years. The cost of adding a piece is not its size: it is the size of
# the chunks that it touches.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 25 minutes |
# | **Needs** | [01_02](01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/resizing`, `tutorial_zarr/plan.py` |
# | **Article** | [The day the sea froze](../../articles/07_appendable_time_series.md) |
# | **Data** | real temperatures of the sea, every half hour (`data_gen/buoy.py`) |
#
# **You will be able to**
#
# - predict how often each chunk is written, from the size of a block and the length of a chunk
# - say what lies on the disk behind the last row
# - buffer rows so that every chunk is written once
# - choose a chunk for the time axis, and a unit that loses nothing
# - append so that a crash at any moment shows readers the old array or the new one
#
# </details>

# %% [markdown]
# ## Parameters
#
# `chunk` is the length of a chunk in rows; 48 half hours are a day.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: append the whole record day by day, and seven weeks of it row by row
workers = 4  # one writer works here; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk = 48

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import buoy
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.stores.wrappers import AroundStore
from tutorial_zarr.viz.chart import BLUE, GREY, SKY, VERMILION

out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3), chunk=(chunk, 2, 480))

# %% [markdown]
# ## The data
#
# The sea at a buoy off the coast of Maine, every half hour for thirteen months, as recorded.

# %%
record = buoy.make("small", seed)
time, sea = record.arrays["time"], record.arrays["temperature"]
print(record.passport().splitlines()[0], record.passport().splitlines()[1], sep="\n")
for fact, (value, low, high) in buoy.realism(record).items():
    print(f"   {fact}: {value:.4g}, expected {low:.4g} to {high:.4g}")
    assert low <= value <= high

# %% [markdown]
# Real records have holes. We keep them: a row for every reading, and its time beside it.

# %%
steps, many = np.unique(np.diff(time), return_counts=True)
print(*(f"{count:6,} steps of {step / 3600:4.1f} h" for step, count in zip(steps, many, strict=True)), sep="\n")

# %% [markdown]
# ## The idea
#
# A chunk is written whole. A block of rows that ends inside a chunk leaves it half full, and the next block has to
# read it, add to it, and write all of it again.


# %%
def touched(start, stop, chunk):
    """The chunks that rows from start to stop lie in."""
    return range(start // chunk, (stop - 1) // chunk + 1)


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.2, 3.4, 3, 1, sharex=True)
for panel, block in zip(axes, (12, 36, 48), strict=True):
    written = [0] * 3
    for k, start in enumerate(range(0, 144, block)):
        panel.barh(1.1, block, left=start, color=(BLUE, SKY)[k % 2], edgecolor="white", height=0.8)
        for c in touched(start, start + block, 48):
            written[c] += 1
    for c, times in enumerate(written):
        panel.barh(0, 48, left=48 * c, color="white", edgecolor=GREY, height=0.9)
        panel.text(48 * c + 24, 0, f"written {times}x", ha="center", va="center")
    panel.set(title=f"blocks of {block} rows", yticks=(0, 1.1), yticklabels=("chunks", "blocks"))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
axes[-1].set(xlabel="rows", xticks=range(0, 145, 24), xlim=(0, 144))
described = "Blocks over three chunks of 48 rows. Blocks of 12: each chunk is written 4 times. Of 36: 2. Of 48: once."
blocks = viz.Chart.of(figure, "How often a chunk is written", described)
blocks.save(out / "figures" / "01_07_blocks.svg")
blocks

# %% [markdown]
# Divide the bytes written by the bytes that are new, and you have the **write amplification**. Before you go on,
# guess it for chunks of 48 rows and blocks of 1 row, of 47, of 48, and of 49.

# %% [markdown]
# ## Build it small
#
# Count. A pattern of blocks and chunks repeats after the least common multiple of both, so one period is exact.


# %%
def counted(block, chunk):
    """Bytes written for each new byte, when blocks are appended to chunks: counted over one period."""
    rows = math.lcm(block, chunk)
    writes = sum(len(touched(start, start + block, chunk)) for start in range(0, rows, block))
    return writes * chunk / rows


def formula(block, chunk):
    """The same without counting: a block of b crosses (b - gcd) / c edges on average, and is 1 chunk besides."""
    return (chunk + block - math.gcd(block, chunk)) / block


# %%
sizes = range(1, 4 * chunk + 2)
assert all(math.isclose(counted(b, chunk), formula(b, chunk)) for b in sizes)
for b in (1, chunk // 4, chunk - 1, chunk, chunk + 1, 2 * chunk, 20 * chunk + 1):
    print(f"blocks of {b:3}: x{formula(b, chunk):.2f}")

# %% [markdown]
# One row more or less than a day, and the cost doubles: nearly every block then begins in one chunk and ends in
# the next.

# %% [markdown]
# ## The library's version
#
# Real arrays, real appends, and a `TraceStore` that counts the bytes put to chunks.


# %%
def new_array(length):
    """An empty array with chunks of so many rows, and the trace of all that is asked of it."""
    layout = {"shape": (0,), "chunks": (length,), "dtype": "float32", "fill_value": np.nan, "compressors": None}
    trace = TraceStore(zarr.create_array({}, **layout, zarr_format=zarr_format).store)
    return zarr.open_array(trace, mode="r+", zarr_format=zarr_format), trace


def put_to_chunks(trace):
    """Bytes written to chunks; what is left out are the documents."""
    documents = ("zarr.json", ".zarray", ".zattrs")
    return sum(r.nbytes for r in trace.requests if r.verb == "PUT" and r.key not in documents)


# %%
def appended(values, block):
    """Append `values` in blocks; the array, and its trace."""
    array, trace = new_array(chunk)
    for start in range(0, len(values), block):
        array.append(values[start : start + block])
    assert np.array_equal(zarr.open_array(trace, mode="r", zarr_format=zarr_format)[...], values)
    return array, trace


# %%
measured = {}
for b in (1, chunk // 4, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 1):
    rows = math.lcm(b, chunk) * (1 if quick or b > 1 else 49)
    _, trace = appended(sea[:rows], b)
    measured[b] = put_to_chunks(trace) / (4 * rows)
    assert math.isclose(measured[b], formula(b, chunk))
    print(f"{rows:5} rows in blocks of {b:3}: x{measured[b]:.2f}, {trace.count('PUT'):5} PUTs")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.4)
panel.plot(sizes, [formula(b, chunk) for b in sizes], color=BLUE, linewidth=1, label="formula, every size of block")
panel.plot(list(measured), list(measured.values()), "o", color=VERMILION, markersize=6, label="measured in the store")
panel.set(title=f"Bytes written for each new byte, chunks of {chunk} rows", xlabel="rows in a block", yscale="log")
panel.set_yticks([1, 2, 4, 8, 16, 32, 48], ["1", "2", "4", "8", "16", "32", "48"])
panel.set_xticks(range(0, 4 * chunk + 1, chunk))
panel.minorticks_off()
panel.legend()
points = ", ".join(f"{b} rows x{value:.2f}" for b, value in measured.items())
described = f"Write amplification against rows in a block: {points}. It falls to 1 at each multiple of {chunk} only."
curve = viz.Chart.of(figure, "Write amplification against the size of a block", described)
curve.save(out / "figures" / "01_07_amplification.svg")
curve

# %% [markdown]
# Whatever the blocks, the array that they leave is the same, byte for byte:

# %%
week = sea[: 7 * chunk]
left = []
for b in (1, 5, chunk, len(week)):
    store = appended(week, b)[0].store
    left.append({key: bytes(store.get(key)) for key in store.list_prefix()})
print("four ways to append a week, the same objects:", all(objects == left[0] for objects in left))
assert all(objects == left[0] for objects in left)

# %% [markdown]
# ## Look at the bytes
#
# Append a day and two rows. How large is the second chunk on the disk?

# %%
edge, _ = appended(sea[: chunk + 2], chunk)
last_chunk = edge.encoded_chunk((1,))
print(f"{edge.shape[0]} rows; the second chunk has {len(last_chunk)} bytes, {2 * 4} of them are data")
print(viz.hexdump(last_chunk, length=24, notes={0: "row 48", 4: "row 49", 8: "the fill value, NaN, to the end"}))
assert len(last_chunk) == 4 * chunk

# %% [markdown]
# A chunk at the edge is stored whole. That is why the formula holds to the byte, and why a single row costs as much
# as a day. Compression makes it smaller, and does not change the number of writes.

# %% [markdown]
# ## Check against others
#
# Now the buoy as a dataset: temperatures and their times, in one group, appended day by day.

# %%
root = zarr.open_group(out / "buoy.zarr", mode="w", zarr_format=zarr_format)
since = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
kinds = {"temperature": (sea, chunk, {"units": "degree_Celsius"}), "time": (time, 4096, since)}
rows = 30 * chunk if quick else len(sea)
for name, (values, length, attributes) in kinds.items():
    described_by = {"dimension_names": ("time",)} if zarr_format == 3 else {}
    marked = attributes | ({"_ARRAY_DIMENSIONS": ["time"]} if zarr_format == 2 else {})
    layout = {"shape": (0,), "chunks": (length,), "dtype": values.dtype, "attributes": marked}
    array = root.create_array(name, **layout, **described_by)
    for start in range(0, rows, chunk):
        array.append(values[start : min(start + chunk, rows)])
print(root.tree())

# %% tags=["nbval-ignore-output"]
for name, (values, _, _) in kinds.items():
    report = interop_check(out / "buoy.zarr", path=name, expected=values[:rows])
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown]
# ## Performance and operations
#
# If rows come one by one, do not append them one by one. Keep them until a chunk is full.


# %%
class Buffer:
    """Collects rows, and appends them in whole chunks."""

    def __init__(self, array):
        self.array, self.rows = array, []

    def add(self, rows):
        self.rows += list(rows)
        room = self.array.write_unit[0] - self.array.shape[0] % self.array.write_unit[0]
        if len(self.rows) >= room:
            ready = room + (len(self.rows) - room) // self.array.write_unit[0] * self.array.write_unit[0]
            self.array.append(np.array(self.rows[:ready], self.array.dtype))
            self.rows = self.rows[ready:]


# %%
fortnight = sea[: 14 * chunk]
array, trace = new_array(chunk)
buffer = Buffer(array)
for start in range(0, len(fortnight), 7):
    buffer.add(fortnight[start : start + 7])
assert np.array_equal(array[...], fortnight)
assert buffer.rows == []
buffered = put_to_chunks(trace) / fortnight.nbytes
print(f"blocks of 7 rows: x{formula(7, chunk):.2f} as they come, x{buffered:.2f} through the buffer")
assert buffered == 1.0

# %% [markdown]
# The price: what is in the buffer is not on the disk yet, so it is lost in a crash, and readers wait up to a day.
#
# **The time axis** is small, and every reader needs all of it to find a day. How is it to be cut?

# %%
opening = {}
for length in (1, chunk, 4096):
    axis = zarr.create_array({}, data=time[: 365 * chunk], chunks=(length,), compressors=None, zarr_format=zarr_format)
    trace = TraceStore(axis.store)
    reader = zarr.open_array(trace, mode="r", zarr_format=zarr_format)
    trace.clear()
    reader[...]
    opening[length] = trace.count("GET")
    day = length * 8 if length > chunk else chunk * 8  # a day fills 48 chunks of 1, or a part of a long one
    print(f"times of a year in chunks of {length:4}: {opening[length]:6,} GETs to read, {day:6,} B put a day")

# %% [markdown]
# Here amplification is worth paying: 32 KiB a day for the writer, and a year of times in five requests for everybody
# else. One knob to turn: the length of a chunk along time. Three things to watch: bytes put for each new byte,
# rows in the buffer, and requests to open.

# %% [markdown]
# ## What goes wrong
#
# **The shape first, then the data.** It is the natural order: make room, fill it. Cut the power in between.


# %%
class PowerCut(AroundStore):
    """Lets so many writes through, and then no request at all."""

    def __init__(self, store, writes):
        super().__init__(store)
        self.writes = writes

    def around(self, request, call, value=None):
        if request.verb == "PUT" and self.writes == 0:
            raise OSError("power cut")
        self.writes -= request.verb == "PUT"
        return call()


# %%
def seen_after_a_cut(grow, writes):
    """What a reader sees after three days, if the fourth is added and the power fails after so many writes."""
    array = zarr.create_array({}, data=sea[: 3 * chunk], chunks=(chunk,), compressors=None, zarr_format=zarr_format)
    cut = zarr.open_array(PowerCut(array.store, writes), mode="r+", zarr_format=zarr_format)
    try:
        grow(cut)
        finished = True
    except OSError:
        finished = False
    return finished, zarr.open_array(array.store, mode="r", zarr_format=zarr_format)[...]


def shape_first(array):
    array.resize(4 * chunk)
    array[3 * chunk :] = sea[3 * chunk : 4 * chunk]


# %%
done, torn = [seen_after_a_cut(shape_first, writes) for writes in range(10)], None
for writes, (finished, seen) in enumerate(done):
    if not finished and len(seen) == 4 * chunk:
        torn = seen
        print(f"cut after {writes} writes: {len(seen)} rows, the last {np.count_nonzero(seen == 0)} are 0.0 degrees")
        break
zeros = int(np.count_nonzero(torn[3 * chunk :] == 0))
assert zeros == chunk

# %% [markdown]
# A day on which the sea froze. No error, and no way to tell it from a measurement: a chunk that is not there reads
# as the fill value, and that is 0 unless you say otherwise. `append` writes the elements first and the shape last.
# (In a bucket, where no lock keeps others out, it leaves a mark in the document until the elements are there.)
# Cut it after every single write:

# %%
outcomes = []
for writes in range(10):
    finished, seen = seen_after_a_cut(lambda array: array.append(sea[3 * chunk : 4 * chunk]), writes)
    whole = np.array_equal(seen, sea[: len(seen)])
    outcomes.append((len(seen) // chunk, whole))
    print(f"cut after {writes} writes: {len(seen) // chunk} days, all of them right: {whole}")
    assert whole
    if finished:
        break

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 2.8)
hours = np.arange(4 * chunk) / 2
panel.plot(hours, torn, color=VERMILION, label="shape first, then a power cut")
panel.plot(hours, sea[: 4 * chunk], color=BLUE, linestyle="--", label="what the buoy measured")
panel.set(title="The day the sea froze", xlabel="hours", ylabel="degrees Celsius", xticks=range(0, 97, 24))
panel.legend(loc="lower left")
described = f"Sea temperature over four days: about 5 degrees as measured; after the cut, {zeros} values of 0.0."
frozen = viz.Chart.of(figure, "A torn append, as a reader sees it", described)
frozen.save(out / "figures" / "01_07_frozen.svg")
frozen

# %% [markdown]
# **A unit that the first write chose.** Hours since the first reading, as whole numbers, worked in the test, where
# readings came every hour.

# %%
as_hours = ((time - time[0]) // 3600).astype("int64")
lost_times = len(time) - len(np.unique(as_hours))
own_doubles = len(time) - len(np.unique(time))
print(f"{len(time):,} readings; in whole hours {lost_times:,} share their time with another, in seconds {own_doubles}")

# %% [markdown]
# Store times as int64 in a unit that is finer than anything you expect: seconds here, nanoseconds for trades. The
# one that remains is real: the buoy sent a time twice. An append should check that times grow.

# %%
late = np.flatnonzero(np.diff(time) <= 0)
silence = int(np.argmax(np.diff(time)))
print(f"times that do not grow: {len(late)}, at {time[late[0] + 1].astype('datetime64[s]')}")

# %% [markdown]
# ## Change one thing, predict first
#
# Let a chunk be a week, 336 rows, and append day by day. What is the amplification? And month by month, with 30
# days?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
longer = 7 * 48
print(f"days into weeks: x{formula(48, longer):.2f}; months into weeks: x{formula(30 * 48, longer):.2f}")

# %% [markdown]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_07.1
#
# 31 days, a row each, are appended to chunks of 10 rows, which are stored whole. How many rows are written day by
# day, and how many if all 31 come at once? Give both: `(day_by_day, at_once)`.
#
# <details><summary>Hint</summary>
# Each append writes the chunks that it touches, with 10 rows each, full or not.</details>

# %% tags=["exercise"]
row_units = ...
check("01_07.1", row_units)

# %% [markdown]
# ### Exercise 01_07.2
#
# An array of 20 rows, all 7, with the fill value 0, is shrunk with `resize(5)` and grown again with
# `resize(20)`. What is in row 3, and what in row 12? Give both: `(row_3, row_12)`.
#
# <details><summary>Hint</summary>
# What is cut off is gone. Try it with chunks of 10, so that row 5 is in the middle of a chunk.</details>

# %% tags=["exercise"]
rows_3_and_12 = ...
check("01_07.2", rows_3_and_12)

# %% [markdown]
# ### Exercise 01_07.3
#
# The buoy is silent once for longer than two hours. For how many half hours is there no reading?
#
# <details><summary>Hint</summary>
# `np.diff(time)` is 1800 where nothing is missing. Twelve hours between two readings: how many should lie
# between?</details>

# %% tags=["exercise"]
missing = ...
check("01_07.3", missing)

# %% [markdown]
# ## Recap
#
# - Blocks of b rows write (c + b - gcd(b, c)) / b bytes for each new one: c for single rows, 1 for multiples of c,
#   about 2 just beside.
# - Behind the last row is fill, to the end of the chunk: the edge is stored whole.
# - A buffer appends whole chunks only; what is still in it is not stored.
# - Times are int64 in a fine unit, in long chunks; a row for each reading, so that no gap is filled in silence.
# - Elements first, shape last: then a reader sees the old array or the new one, and nothing in between.
#
# **Open questions.** What if two writers append at once? What if the store is a bucket, which knows no locks? Who
# writes what is in the buffer when the program stops?
#
# **Next.** Look up how many rows your own job appends, and how long its chunks are. Is one a multiple of the other?

# %% [markdown]
# ## Solutions
#
# 31 appends of one chunk each, or the four chunks once.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_07.1", (31 * 10, -(-31 // 10) * 10))

# %% [markdown]
# Row 3 was never cut off. Row 12 was, and what is cut off does not come back.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_07.2", (7, 0))

# %% [markdown]
# Between two readings twelve hours apart there should be 24 steps, so 23 readings are missing.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_07.3", int(np.diff(time).max()) // 1800 - 1)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "readings": len(time),
        "steps": [[int(step), int(count)] for step, count in zip(steps, many, strict=True)],
        "gap_hours": int(steps.max()) / 3600,
        "gap_year": int(time[silence].astype("datetime64[s]").astype("datetime64[Y]").astype(int)) + 1970,
        "twice_year": int(time[late[0]].astype("datetime64[s]").astype("datetime64[Y]").astype(int)) + 1970,
        "chunk": chunk,
        "beside": [chunk - 1, chunk + 1],
        "month": [30, 31],
        "chunk_bytes": 4 * chunk,
        "blocks_drawn": [12, 36, 48],
        "formula": {str(b): formula(b, chunk) for b in sizes},
        "long_block": [20 * chunk + 1, formula(20 * chunk + 1, chunk)],
        "measured": {str(b): value for b, value in measured.items()},
        "edge": {"rows": edge.shape[0], "bytes": len(last_chunk), "of_data": 2 * 4},
        "rows": rows,
        "buffer": {"block": 7, "without": formula(7, chunk), "with": buffered},
        "opening": {str(length): count for length, count in opening.items()},
        "time_chunk_bytes": {str(length): 8 * length for length in opening},
        "time_chunk": 4096,
        "time_chunk_kibibytes": 4096 * 8 / 1024,
        "torn": {"days": 4, "zeros": zeros},
        "append_cut": [[days, whole] for days, whole in outcomes],
        "cuts": len(outcomes) - 1,
        "shared_hours": lost_times,
        "times_twice": own_doubles,
        "weeks": {"rows": longer, "daily": formula(48, longer), "monthly": formula(30 * 48, longer)},
    },
)
