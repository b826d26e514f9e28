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
# | **Time** | 40 minutes |
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

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk` is the length of a chunk in rows; 48 half hours are a day.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: append the whole record day by day, and seven weeks of it row by row
workers = 4  # not used here: there is one writer
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

# %% [markdown] tags=["section-data"]
# ## A buoy, and the gaps in its record
#
# The sea at a buoy off the coast of Maine, every half hour for thirteen months, as recorded.

# %%
record = buoy.make("small", seed)
time, sea = record.arrays["time"], record.arrays["temperature"]
print(*record.passport().splitlines()[:2], sep="\n")
as_expected = [low <= value <= high for value, low, high in buoy.realism(record).values()]
print(f"{sum(as_expected)} of {len(as_expected)} checks of the sea's temperature hold")
assert all(as_expected)

# %% [markdown]
# Real records have holes. We keep them: a row for every reading, and its time beside it.

# %%
steps, many = np.unique(np.diff(time), return_counts=True)
print(*(f"{count:6,} steps of {step / 3600:4.1f} h" for step, count in zip(steps, many, strict=True)), sep="\n")

# %% [markdown] tags=["section-idea"]
# ## A block that ends inside a chunk
#
# A chunk is written whole. A block of rows that ends inside a chunk leaves it partly full, and the next block has to
# read it, add to it, and write all of it again. Which chunks a block touches is the division of
# [01_02](01_02_chunking_is_the_index.ipynb):


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
# Divide the bytes written by the bytes that are new, and you have the **[write
# amplification](https://en.wikipedia.org/wiki/Write_amplification "How many bytes are written to the storage for each
# byte that is new.")**. Before you go on, guess it for chunks of 48 rows and blocks of 1 row, of 47, of 48, and of 49.

# %% [markdown] tags=["section-build"]
# ## Build it small: count the writes of one period
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


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
sizes = range(1, 4 * chunk + 2)
assert all(math.isclose(counted(b, chunk), formula(b, chunk)) for b in sizes)
for b in (1, chunk // 4, chunk - 1, chunk, chunk + 1, 2 * chunk, 20 * chunk + 1):
    print(f"blocks of {b:3}: x{formula(b, chunk):.2f}")
for k in (1, 2, 3):
    assert math.isclose(formula(k * chunk + 1, chunk), 1 + 1 / k, rel_tol=1 / chunk)

# %% [markdown]
# One row more or less than a day, and the cost about doubles: nearly every block then begins in one chunk and ends in
# the next. Larger blocks suffer less: a row more than k days costs 1 + 1/k. And a block that divides the chunk is not
# cheap: 12 rows at a time cost 4.

# %% [markdown] tags=["section-library"]
# ## Real appends, counted in the store
#
# Real arrays, real appends, and a `TraceStore` that counts the bytes put to chunks.


# %%
def new_array(length):
    """An empty array with chunks of `length` rows, and the trace of all that is asked of it."""
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
panel.plot(sizes, [formula(b, chunk) for b in sizes], color=BLUE, linewidth=1, label="formula, every block size")
panel.plot(list(measured), list(measured.values()), "o", color=VERMILION, markersize=6, label="measured in the store")
panel.set(title=f"Bytes written for each new byte, chunks of {chunk} rows", xlabel="rows in a block", yscale="log")
panel.set_yticks([1, 2, 4, 8, 16, 32, 48], ["1", "2", "4", "8", "16", "32", "48"])
panel.set_xticks(range(0, 4 * chunk + 1, chunk))
panel.minorticks_off()
panel.legend()
points = ", ".join(f"{b} rows x{value:.2f}" for b, value in measured.items())
described = f"Write amplification against rows in a block: {points}. It falls to 1 at each multiple of {chunk} only."
curve = viz.Chart.of(figure, "Write amplification against rows in a block", described)
curve.save(out / "figures" / "01_07_amplification.svg")
curve

# %% [markdown]
# However the rows came, the array that they leave is the same, byte for byte:

# %%
week = sea[: 7 * chunk]
left = []
for b in (1, 5, chunk, len(week)):
    store = appended(week, b)[0].store
    left.append({key: bytes(store.get(key)) for key in store.list_prefix()})
print("four ways to append a week, the same objects:", all(objects == left[0] for objects in left))
assert all(objects == left[0] for objects in left)

# %% [markdown] tags=["section-bytes"]
# ## What lies behind the last row
#
# Append a day and two rows. How large is the second chunk on the disk?

# %%
edge, _ = appended(sea[: chunk + 2], chunk)
last_chunk = edge.encoded_chunk((1,))
print(f"{edge.shape[0]} rows; the second chunk has {len(last_chunk)} bytes, {2 * 4} of them are data")
print(viz.hexdump(last_chunk, length=24, notes={0: "row 48", 4: "row 49", 8: "the fill value, NaN, to the end"}))
assert len(last_chunk) == 4 * chunk

# %% [markdown]
# A chunk at the edge is stored whole ([01_01](01_01_first_zarr_array.ipynb)). That is why the formula holds to the
# byte, and why a single row costs as much as a day. Compression makes it smaller, and does not change the number of
# writes.

# %% [markdown] tags=["section-others"]
# ## A dataset that grew day by day
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

# %% [markdown]
# The other implementations that are installed read both arrays, to the last bit:

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Who read what:")
for name, (values, _, _) in kinds.items():
    report = interop_check(out / "buoy.zarr", path=name, expected=values[:rows])
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A buffer, and how to cut the time axis
#
# If rows come one by one, do not append them one by one. Keep them until a chunk is full.


# %%
class Buffer:
    """Collects rows, and appends them in whole chunks."""

    def __init__(self, array):
        self.array, self.rows = array, []

    def add(self, rows):
        self.rows += list(rows)
        stored, unit = self.array.shape[0], self.array.write_unit[0]
        ready = (stored + len(self.rows)) // unit * unit - stored  # rows up to the last whole chunk
        if ready > 0:
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
# The price: what is in the buffer is not in the array yet. Readers wait for it, here up to a day, and a crash loses it.
# `AppendBuffer` is the same for real work: it can write each block to a journal first (a **[write-ahead
# log](https://en.wikipedia.org/wiki/Write-ahead_logging "A file into which every change is written before it is made,
# so that what a crash left undone can be done later.")**), from which the next buffer takes what a killed program left:

# %%
array, _ = new_array(chunk)
killed = zarr.AppendBuffer(array, journal=out / "rows.journal")
killed.append(sea[: chunk + 7])
print(f"in the array: {array.shape[0]} rows; in the buffer and its journal: {len(killed)}")
del killed  # the program ends here, without a word
with zarr.AppendBuffer(array, journal=out / "rows.journal") as following:
    print(f"found in the journal: {len(following)} rows")
assert np.array_equal(array[...], sea[: chunk + 7])

# %% [markdown]
# **The time axis** is small, and every reader needs all of it to find a day. In which chunks should it be?

# %%
opening = {}
for length in (1, chunk, 4096):
    axis = zarr.create_array({}, data=time[: 365 * chunk], chunks=(length,), compressors=None, zarr_format=zarr_format)
    trace = TraceStore(axis.store)
    reader = zarr.open_array(trace, mode="r", zarr_format=zarr_format)
    trace.clear()
    reader[...]
    opening[length] = trace.count("GET")
    day = 8 * chunk * formula(chunk, length)
    print(f"times of a year in chunks of {length:4}: {opening[length]:6,} GETs to read, {day:6,.0f} B put a day")

# %% [markdown]
# Here amplification is worth paying: one writer puts some 32 KiB a day, and every reader gets a year of times with five
# requests.

# %% [markdown] tags=["section-wrong"]
# ## The day the sea froze
#
# **The shape first, then the data.** It is the natural order: make the array longer, then fill it. Cut the power in between.


# %%
class PowerCut(AroundStore):
    """Lets a number of writes through, and then no request at all."""

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
    """What a reader sees after three days, if the fourth is added and the power fails after `writes` writes."""
    array = zarr.create_array({}, data=sea[: 3 * chunk], chunks=(chunk,), compressors=None, zarr_format=zarr_format)
    cut = zarr.open_array(PowerCut(array.store, writes), mode="r+", zarr_format=zarr_format)
    try:
        grow(cut, sea[3 * chunk : 4 * chunk])
        finished = True
    except OSError:
        finished = False
    return finished, zarr.open_array(array.store, mode="r", zarr_format=zarr_format)[...]


def shape_first(array, day):
    array.resize(len(array) + len(day))
    array[-len(day) :] = day


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
# A day on which the sea froze. No error, and no way to tell it from a measurement: an absent chunk reads as
# the fill value, and that is 0 unless you say otherwise. `append` writes the elements first and the shape last, in one
# small write that happens or does not (on a disk an **[atomic
# rename](https://man7.org/linux/man-pages/man2/rename.2.html "Putting a finished file in the place of an old one in one
# step: readers see the old one or the new one.")**). In a bucket, where no lock keeps others out, it leaves a mark in
# the document until the elements are there. Cut it after every single write:

# %%
outcomes = []
for writes in range(10):
    finished, seen = seen_after_a_cut(lambda array, day: array.append(day), writes)
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

# %% [markdown] tags=["section-predict"]
# ## Days into weeks, months into weeks
#
# Let a chunk be a week, 336 rows, and append day by day. What is the amplification? And month by month, with 30
# days?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
longer = 7 * 48
print(f"days into weeks: x{formula(48, longer):.2f}; months into weeks: x{formula(30 * 48, longer):.2f}")

# %% [markdown] tags=["section-exercises"]
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
# Repair code: `grow` appends rows to a store that is a dictionary. Cut off after any of its writes, it must leave the
# old list or the new one to a reader, who takes the length first and then the chunks. And it must write each chunk
# once, not once for each row. The check cuts it everywhere.
#
# <details><summary>Hint</summary>
# Collect the new contents of each chunk, the old rows of the first one included. What has to be written last?</details>


# %% tags=["exercise"]
def grow(store, rows):
    """Append `rows`, numbers, to the chunks of 4 in store["c/0"], store["c/1"], ...; store["length"] counts the rows."""
    for row in rows:
        at = store["length"]
        store["length"] = at + 1
        chunk_there = list(store.get(f"c/{at // 4}", [0, 0, 0, 0]))
        chunk_there[at % 4] = row
        store[f"c/{at // 4}"] = chunk_there


check("01_07.3", grow)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `append(data, axis=0)` writes elements first, shape last | the same name; it writes the shape first, and until the elements are there a reader sees the fill value | old or new, and nothing in between |
# | `resize(5)` and then `resize(20)`: what was cut off is gone | the same name; from the chunk at the edge old elements come back | - |
# | `AppendBuffer(a, journal=...)` | xarray's `to_zarr(append_dim="time")` appends each block as it comes | whole chunks only, and a journal |
# | `a.write_unit` | `a.shards or a.chunks` | - |
# | `to_zarr(..., append_dim="time")` refuses times that the stored unit cannot hold | the same name in xarray; it warns, and stores other times | an error before anything is written |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Blocks of b rows write (c + b - gcd(b, c)) / b bytes for each new one: c for single rows, 1 for multiples of c,
#   about 2 just beside c itself, and less beside its multiples.
# - Behind the last row is fill, to the end of the chunk: the edge is stored whole.
# - A buffer appends whole chunks only; what is still in it is not stored, or in a journal.
# - Times are int64 in a fine unit, in long chunks; a row for each reading, so that no gap is filled in silence.
# - Elements first, shape last: then a reader sees the old array or the new one, and nothing in between.
#
# **Open questions.** What if two writers append at once? What if a reader has opened the array before it grew? Should
# a time that is already there be replaced, kept twice, or refused?
#
# **To read further.**
#
# - [xarray, appending and writing regions](https://docs.xarray.dev/en/stable/user-guide/io.html#modifying-existing-zarr-stores): `append_dim` and `region`, and their limits
# - [Icechunk](https://icechunk.io): a store in which an append is a transaction, over many arrays at once
# - [All file systems are not created equal](https://www.usenix.org/conference/osdi14/technical-sessions/presentation/pillai): in which order writes reach a disk when the power fails
# - [CF conventions, time](https://cfconventions.org/cf-conventions/cf-conventions.html#time-coordinate): how a unit such as "seconds since 1970-01-01" is read
#
# **Next.** [01_08](01_08_object_store_tuning.ipynb): what makes a read from a bucket fast?

# %% [markdown] tags=["section-solutions"]
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
# All rows, old and new, of the chunks that change; these chunks, once each; and then the length.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def grow(store, rows):
    length, rows = store["length"], list(rows)
    first = length // 4
    whole = [*store.get(f"c/{first}", [0, 0, 0, 0])[: length % 4], *rows]
    whole += [0] * (-len(whole) % 4)
    for k in range(len(whole) // 4 if rows else 0):
        store[f"c/{first + k}"] = whole[4 * k : 4 * k + 4]
    store["length"] = length + len(rows)


check("01_07.3", grow)

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
        "journal": {"held": 7, "found": len(sea[: chunk + 7]) - chunk},
        "buffer": {"block": 7, "without": formula(7, chunk), "with": buffered},
        "opening": {str(length): count for length, count in opening.items()},
        "time_chunk_bytes": {str(length): 8 * length for length in opening},
        "time_put_a_day": {str(length): 8 * chunk * formula(chunk, length) for length in opening},
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
