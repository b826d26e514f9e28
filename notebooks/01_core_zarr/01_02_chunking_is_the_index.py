# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Choose a chunk shape by counting, before you write a byte
#
# **Question.** Which chunk shape makes my reads fast?
#
# ![The same row in three layouts: in wide chunks little more than the row is decoded, in square chunks a broad
# band, in tall chunks the whole array.](../../articles/figures/01_02_one_row.svg)
#
# *One row, asked of the same array in three chunk shapes. Everything in blue is fetched and decoded.*
#
# A database finds a row through an index. A Zarr array has none: it has one grid of chunks, and the shape of a
# chunk decides which questions are cheap. It is chosen once, on the day of the first write, and often it is a default.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 35 minutes |
# | **Needs** | [01_01](01_01_first_zarr_array.ipynb) |
# | **Code** | `tutorial_zarr/chunk_grids.py`, `tutorial_zarr/indexing.py`, `tutorial_zarr/stores/wrappers.py` |
# | **Article** | [The chunk shape is the only index you get](../../articles/02_chunking_is_the_index.md) |
# | **Data** | a plane in which every value names its place (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - predict how many requests and bytes a read costs in any chunk shape, without an array
# - say why no chunk shape is good for everything, and which pairs of queries pull in opposite directions
# - find the bytes of a row inside the files of its chunks
# - choose a chunk size for a store that answers slowly
# - notice a loop that reads the same chunks again and again
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `n` is the side of the array. The last three numbers are those of a model of a store, at the end.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: an array of 2048 x 2048
workers = 8  # requests in flight, in the model of a store
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
n = None  # rows and columns; None means 1024, or 2048 if not quick
latency_ms = 30.0  # in the model: the wait for a request's first byte
megabytes_per_second = 100.0  # in the model: bandwidth, all requests together

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
n = n or (1024 if quick else 2048)
in_range(n=(n, 512, 4096), workers=(workers, 1, 1000), zarr_format=(zarr_format, 2, 3))
in_range(latency_ms=(latency_ms, 0.0, 10_000.0), megabytes_per_second=(megabytes_per_second, 0.001, 1e6))

# %% [markdown] tags=["section-idea"]
# ## One row asks for more than a row
#
# The values do not matter today, only where they lie. So every value names its place: the whole part is the row, and
# the rest times 4096 is the column.

# %%
plane = fields.gradient(n)
value = plane[5, 300]
print(f"value {value}: row {int(value)}, column {int(value % 1 * 4096)}")
print(f"{n} x {n} values of {plane.itemsize} bytes: {plane.nbytes / 2**20:.0f} MiB, and a row is {plane[0].nbytes:,} B")

# %% [markdown]
# A compressed chunk is decoded as a whole, or not at all. So a read costs all the chunks that it touches, and it wastes
# what else lies in them. Here is one row, in three chunk shapes. (The wide chunks are 64 high here, so that you can see
# them; in the tables below they are 16.)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
row = n // 3
shapes = {"wide": (64, n), "square": (256, 256), "tall": (n, 64)}
figure, axes = viz.canvas(7.2, 2.7, 1, 3, sharey=True)
for panel, (name, (high, wide)) in zip(axes, shapes.items(), strict=True):
    panel.axhspan(row // high * high, row // high * high + high, color=BLUE, alpha=0.7, linewidth=0)
    panel.axhline(row, color=ORANGE, linewidth=1.5)
    panel.hlines(range(high, n, high), 0, n, color=GREY, linewidth=0.25)
    panel.vlines(range(wide, n, wide), 0, n, color=GREY, linewidth=0.25)
    panel.set(title=f"{name}: {high} x {wide}", xlim=(0, n), ylim=(n, 0), aspect="equal", xticks=[], yticks=[])
described = f"Row {row} in three chunk shapes. Wide chunks: a band of 64 rows is decoded. Square: 256. Tall: all {n}."
one_row = viz.Chart.of(figure, "What one row costs in three chunk shapes", described)
one_row.save(out / "figures" / "01_02_one_row.svg")
one_row

# %% [markdown]
# The orange line is what you asked for; blue is what is decoded. Divide blue by orange, and you have the
# read amplification of [01_01](01_01_first_zarr_array.ipynb). For a row it is the height of a chunk.
#
# Before you go on, write down two guesses for squares of 256 x 256: how much is decoded for one row?
# And how much if you read the first 256 rows in a loop, one after the other?

# %% [markdown] tags=["section-build"]
# ## Build it small: the cost is a division
#
# To know the cost we need no array. On each axis: which chunks hold the first and the last index?


# %%
def touched(selection, chunks):
    """How many chunks a selection of slices touches."""
    return math.prod((part.stop - 1) // c - part.start // c + 1 for part, c in zip(selection, chunks, strict=True))


def cost(selection, chunks, itemsize=4):
    """Requests, bytes decoded, and decoded divided by asked, of one read. No array is needed."""
    requests = touched(selection, chunks)
    decoded = requests * math.prod(chunks) * itemsize
    return requests, decoded, decoded / (math.prod(part.stop - part.start for part in selection) * itemsize)


# %% [markdown]
# Five questions that people ask of an array, and six chunk shapes.

# %%
i, j = n // 3, n // 5
questions = {
    "one value": (slice(i, i + 1), slice(j, j + 1)),
    "one row": (slice(i, i + 1), slice(0, n)),
    "one column": (slice(0, n), slice(j, j + 1)),
    "100 x 100": (slice(i, i + 100), slice(j, j + 100)),
    "everything": (slice(0, n), slice(0, n)),
}
layouts = [(16, n), (n, 16), (256, 256), (64, 64), (8, 8), (n, n)]
predicted = {(q, chunks): cost(questions[q], chunks) for q, chunks in itertools.product(questions, layouts)}
requests, decoded, amplification = predicted["one row", (256, 256)]
print(f"one row of {plane[0].nbytes:,} B in squares: {requests} requests, {decoded:,} B decoded, x{amplification:.0f}")

# %% [markdown]
# That was the first guess. For a row of 4 KiB the reader unpacks a whole MiB.

# %% [markdown] tags=["section-library"]
# ## Thirty predictions, thirty reads
#
# Now for real: six arrays, thirty reads, and a `TraceStore` that writes down every request. Is the prediction
# right, and is every chunk fetched as a whole?

# %%
gzip1 = {"name": "gzip", "configuration": {"level": 1}}
arrays, counted = {}, {}
for chunks in layouts:
    array = zarr.create_array({}, data=plane, chunks=chunks, compressors=gzip1, zarr_format=zarr_format)
    trace = TraceStore(array.store)
    arrays[chunks] = zarr.open_array(trace, mode="r")
    for name, selection in questions.items():
        trace.clear()
        assert np.array_equal(arrays[chunks][selection], plane[selection])
        whole = all(request.nbytes == array.store.get_size(request.key) for request in trace.requests)
        counted[name, chunks] = trace.count("GET") if whole else None

# %%
agree = sum(counted[key] == predicted[key][0] for key in predicted)
print(f"{agree} of {len(predicted)} predictions are right, and every chunk was fetched whole")
assert agree == len(predicted)

# %% [markdown]
# The library has the two functions as well: `a.plan(selection)` says what a read would cost, and reads no chunk.

# %%
plan = arrays[256, 256].plan(np.s_[questions["one row"]])
print(plan)
assert (plan.requests, plan.decoded_bytes) == predicted["one row", (256, 256)][:2]

# %% [markdown]
# Here are all thirty, twice. Look for a chunk shape that is pale in both tables, from top to bottom.


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def heat_map(panel, number, sign=""):
    """Colour by `number(question, chunks)`, on a logarithmic scale, and write it into each cell."""
    table = np.array([[number(q, chunks) for chunks in layouts] for q in questions], float)
    panel.imshow(np.log10(table), cmap="Blues", aspect="auto")
    for y, x in np.ndindex(table.shape):
        dark = np.log10(table[y, x]) > 0.55 * np.log10(table.max())
        words = sign + (f"{table[y, x]:,.0f}" if table[y, x] >= 10 or not sign else f"{table[y, x]:.1f}")
        panel.text(x, y, words, ha="center", va="center", fontsize=9, color="white" if dark else "black")
    panel.set_xticks(range(len(layouts)), [f"{high} x {wide}" for high, wide in layouts])
    panel.set_yticks(range(len(questions)), list(questions))
    panel.tick_params(length=0)


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (above, below) = viz.canvas(7.2, 5.6, 2, 1, sharex=True)
heat_map(above, lambda q, chunks: predicted[q, chunks][2], "x")
heat_map(below, lambda q, chunks: predicted[q, chunks][0])
above.set(title="Bytes decoded for each byte asked")
below.set(title="Requests")
described = f"Two tables of five questions by six chunk shapes. One row costs x16 in 16 x {n}, x256 in 256 x 256, "
described += (
    f"x{n} in {n} x 16. Small chunks waste little and ask often: everything in 8 x 8 is {(n // 8) ** 2:,} requests."
)
heat = viz.Chart.of(figure, "What five questions cost in six chunk shapes", described)
heat.save(out / "figures" / "01_02_heat_map.svg")
heat

# %% [markdown]
# There is none. Wide chunks are made for rows and dreadful for columns; tall ones the reverse. Squares are the same for
# both, and good at neither. Small squares waste little, and pay in requests. An array has one grid, so it has one
# index.

# %% [markdown] tags=["section-bytes"]
# ## Where row 5 lies in the files
#
# Row 5, on the disk. In the wide layout it lies in one piece of one file; in squares, in a piece of every file
# along the way. Where exactly is a division again.

# %%
plain = {"data": plane, "compressors": None, "zarr_format": zarr_format, "overwrite": True}
wide = zarr.create_array(out / "wide.zarr", chunks=(16, n), **plain)
square = zarr.create_array(out / "square.zarr", chunks=(256, 256), **plain)
pieces = []
for array in (wide, square):
    high, width = array.chunks
    for column in range(0, n, width):
        key = array.chunk_key((5 // high, column // width))
        start = (5 % high) * width * 4  # the rows above it in the chunk, of `width` values of 4 bytes
        pieces.append(array.store.get(key, (start, start + width * 4)))
        print(f"{key:6} bytes {start:,} to {start + width * 4:,} of {array.store.get_size(key):,}")
in_wide, in_squares = pieces[0], b"".join(pieces[1:])
assert in_wide == in_squares == plane[5].tobytes()

# %% [markdown]
# These chunks are not compressed, and a store can hand out a part of an object. So here this library does not fetch the
# rest. In a compressed chunk there is no row 5 until all of it is unpacked.

# %%
for name, array in {"uncompressed": square, "compressed": arrays[256, 256]}.items():
    trace = TraceStore(array.store)
    traced = zarr.open_array(trace, mode="r")
    trace.clear()
    traced[5]
    print(f"row 5 of squares, {name}: {trace.count('GET')} requests, {trace.nbytes('GET'):,} B fetched")
    if name == "uncompressed":
        partial = {"requests": trace.count("GET"), "bytes": trace.nbytes("GET")}

# %%
print(viz.hexdump(in_squares[:16], notes={0: "row 5, column 0", 4: "row 5, column 1"}))
print(np.frombuffer(in_squares[:16], "<f4"))

# %% [markdown] tags=["section-others"]
# ## The shape changes the cost, never the values
#
# zarr-python and TensorStore read both layouts to the last bit (the table is folded away).

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Reader by reader:")
for name in ("wide.zarr", "square.zarr"):
    report = interop_check(out / name, expected=plane)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## How large: waiting against bytes
#
# How large should a chunk be? That depends on the store. A simple model has three numbers. Each request waits for its
# first byte: the **[latency](https://en.wikipedia.org/wiki/Latency_%28engineering%29 "The time from a request until the
# first byte of its answer arrives, however large the answer is.")**. A given number of
# **[requests in flight](https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
# "Requests that were sent and are not answered yet; they wait at the same time.")** wait together. Then all bytes come
# through one pipe: its width is the **[bandwidth](https://en.wikipedia.org/wiki/Bandwidth_%28computing%29 "The bytes
# that a connection carries in a second, once they flow.")**.

# %% [markdown]
# First, how many chunks does a window of `w` touch on an axis, on average over all places where it can begin?


# %%
def mean_touched(w, c):
    """Chunks of c that a window of w touches on an axis, averaged over where it may begin."""
    return sum((begin + w - 1) // c + 1 for begin in range(c)) / c


assert mean_touched(37, 16) == 1 + (37 - 1) / 16  # w values have w - 1 gaps, and one in c is an edge


def seconds(w, c, itemsize=4):
    """The model: the time to read a w x w window from c x c chunks."""
    chunks = mean_touched(w, c) ** 2
    waiting = max(1, chunks / workers) * latency_ms / 1000
    return waiting + chunks * c * c * itemsize / (megabytes_per_second * 1e6)


# %% [markdown]
# Small chunks are bound by waiting, large ones by bytes, and in between lies the best.

# %%
sides = [2**power for power in range(3, 13)]
windows = (100, 1000, 4000)
model = {w: [seconds(w, c) for c in sides] for w in windows}
best = {w: sides[int(np.argmin(model[w]))] for w in windows}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7, 3.6)
for w, colour in zip(windows, (BLUE, VERMILION, GREY), strict=True):
    panel.loglog(sides, model[w], color=colour, marker="o", markersize=3, label=f"{w:,} x {w:,} values")
    panel.plot(best[w], min(model[w]), "o", color=colour, markersize=10, fillstyle="none")
rule = math.sqrt(latency_ms / 1000 / workers * megabytes_per_second * 1e6 / 4)  # values, of 4 bytes
panel.axvline(rule, color=ORANGE, linewidth=1, linestyle="--", label=f"rule of thumb: {rule:.0f}")
panel.set(title="Time for a window, in the model", xlabel="side of a square chunk", ylabel="seconds")
panel.set_xticks(sides, [f"{side:,}" for side in sides])
panel.legend()
panel.yaxis.set_major_formatter("{x:,g}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = "Curves shaped like a U: " + ", ".join(f"{w:,} is best in chunks of {best[w]:,}" for w in windows)
described += f". The rule of thumb says {rule:.0f}."
u_curve = viz.Chart.of(figure, "Seconds for a window against the side of a chunk", described)
u_curve.save(out / "figures" / "01_02_u_curve.svg")
u_curve

# %%
for w in windows:
    at = dict(zip(sides, model[w], strict=True))
    print(f"{w:5,} x {w:,}: best {best[w]:,}, {at[best[w]]:.2f} s; in 8 {at[8]:,.1f} s; in 4,096 {at[4096]:.2f} s")
balance = latency_ms / 1000 * megabytes_per_second * 1e6 / workers
near = min(sides, key=lambda side: abs(math.log(side / rule)))
slower = {w: model[w][sides.index(near)] / min(model[w]) for w in windows}
below = {w: balance / (4 * best[w] ** 2) for w in windows}
print(f"waiting costs as much as {balance:,.0f} B: squares of about {math.isqrt(int(balance / 4))} values")
print(f"squares of {near}:", ", ".join(f"{w:,} x {w:,} takes x{slower[w]:.2f} its best" for w in windows))
print(f"the best chunk for 100 x 100 holds 1 / {below[100]:.0f} of the rule's bytes")
assert max(slower.values()) < 2

# %% [markdown]
# A rule of thumb: take the bytes that arrive while a request waits, the
# **[bandwidth-delay product](https://en.wikipedia.org/wiki/Bandwidth-delay_product "Bandwidth times latency: the bytes
# that must be on their way at any moment to keep a connection full.")**, here 3 MB, and divide it by the requests in
# flight. In this model the rule costs less than twice the best for all three windows. It is a start and no law: small
# windows do better with far smaller chunks, large ones with larger.

# %% [markdown] tags=["section-wrong"]
# ## The loop that fetches every chunk 256 times
#
# If you do not choose, this library does: a few MiB, close to a square. zarr-python has a rule of its own. Both are
# guesses about your questions.

# %%
unchosen = zarr.create_array({}, shape=(4 * n, 4 * n), dtype="float32", zarr_format=zarr_format)
print(unchosen.chunks, f"{math.prod(unchosen.chunks) * 4 / 2**20:.0f} MiB; a row costs x{unchosen.chunks[0]}")

# %% [markdown]
# And the loop, your second guess. It looks innocent: go through the first 256 rows, one by one.

# %%
trace = TraceStore(zarr.create_array({}, data=plane, chunks=(256, 256)).store)
squares = zarr.open_array(trace, mode="r")
trace.clear()
for r in range(256):
    squares[r]
chunk_bytes = 256 * 256 * 4
loop_requests = trace.count("GET")
trace.clear()
squares[0:256]
once_requests = trace.count("GET")
loop_bytes, once_bytes = loop_requests * chunk_bytes, once_requests * chunk_bytes
print(f"in a loop: {loop_requests:,} requests, {loop_bytes / 2**20:,.0f} MiB decoded")
print(f"at once:   {once_requests:,} requests, {once_bytes / 2**20:,.0f} MiB decoded")
assert loop_requests == 256 * once_requests

# %% [markdown]
# The same chunks, unpacked 256 times over. The result is right, so nothing tells you. The cure is to let the grid lead:
# step through the array in whole chunks.

# %%
trace.clear()
total = sum(float(chunk.sum(dtype="float64")) for _, chunk in squares.chunk_stream())
stream_requests = trace.count("GET")
print(f"everything, chunk by chunk: {stream_requests} requests for {squares.nchunks} chunks")
assert np.isclose(total, plane.sum(dtype="float64"))

# %% [markdown] tags=["section-predict"]
# ## Let the window begin one value later
#
# Let the window of 100 x 100 begin at row and column 63. How many chunks of 64 x 64 does it touch? Write it down, run,
# and then let it begin one later, at 64.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
begin = 63
moved = (slice(begin, begin + 100), slice(begin, begin + 100))
print(touched(moved, (64, 64)), "chunks")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_02.1
#
# 2048 rows lie in 128 chunks of 16 rows. You fetch 64 rows drawn at random. How many different chunks do you
# touch, on average?
#
# <details><summary>Hint</summary>
# Take one chunk. How likely is it that none of the 64 rows lies in it?</details>

# %% tags=["exercise"]
distinct = ...
check("01_02.1", distinct)

# %% [markdown]
# ### Exercise 01_02.2
#
# An array of 2048 x 2048 is read by rows in the morning and by columns in the evening. Find a chunk shape that
# decodes at most 16 bytes for each byte asked, both times, with at most 128 requests for a row or a column.
#
# <details><summary>Hint</summary>
# What does the height of a chunk do to a row, and what to a column?</details>

# %% tags=["exercise"]
chunk_shape = ...
check("01_02.2", chunk_shape)

# %% [markdown]
# ### Exercise 01_02.3
#
# This function returns the mean of each row, and fetches each chunk again for every row in it. Repair it: the same
# means, and no chunk fetched twice. The check counts the requests, on arrays of several shapes; it names a case by rows
# and columns, of the array and then of a chunk.
#
# <details><summary>Hint</summary>
# How many rows can you read at once without touching a second row of chunks? `array.chunks[0]` says. The last band may
# be smaller, and a slice past the end does not mind.</details>


# %% tags=["exercise"]
def row_means(array):
    means = [array[row].mean() for row in range(array.shape[0])]
    return np.array(means)


check("01_02.3", row_means)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a.plan(np.s_[5, :])` | `dask.array.from_zarr(a)[5, :].npartitions` counts the chunks | the bytes, before you read |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store)` logs and counts calls | the bytes of each answer |
# | a loop over rows | the same; `dask.compute(*rows)` of a Dask array fetches each chunk once | - |
# | `a.chunk_stream()` | `a.blocks[i, j]` in a loop, or `dask.array.from_zarr(a)` | a stream of the stored chunks only |
# | a row of an uncompressed chunk | the whole chunk is fetched | the row's bytes alone |
# | no `chunks`: 4 MiB of 4096 x 4096 float32 | 1 MiB | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - On each axis, divide the first and the last index by the chunk's length: that gives the chunks. Their number is the
#   requests, their size the bytes decoded.
# - A grid is one index. Rows and columns pull in opposite directions, and so do points and whole scans; squares are
#   fair to both and good to neither.
# - In uncompressed chunks a row lies in one piece in each chunk that it crosses; division and remainder say where.
# - A start for the chunk size: the bandwidth-delay product, divided by the requests in flight. Small windows want
#   smaller chunks than that, and large windows larger ones.
# - A loop that is finer than the grid unpacks the same chunks again and again; step in whole chunks instead.
#
# **Open questions.** How small do chunks become when they are compressed? Can one object hold many small chunks?
# What if two questions matter equally, and you can afford to store the array twice?
#
# **To read further.**
#
# - [Optimizing performance](https://zarr.readthedocs.io/en/stable/user-guide/performance/): zarr-python's own advice on
#   chunk sizes and shapes
# - [Choosing good chunk sizes in Dask](https://blog.dask.org/2021/11/02/choosing-dask-chunk-sizes): what changes when
#   each chunk is also a task
# - [Chunking data: choosing
#   shapes](https://www.unidata.ucar.edu/blogs/developer/entry/chunking_data_choosing_shapes): the same conflict of
#   rows and columns, worked out for netCDF
# - [Performance guidelines for Amazon
#   S3](https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html): how many requests
#   in flight a bucket wants
#
# **Next.** [01_03](01_03_compression_pipelines.ipynb): which codec makes *my* data small?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# A chunk is missed by one draw with probability 1 - 1/128, and by all 64 with its 64th power.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_02.1", 128 * (1 - (1 - 1 / 128) ** 64))

# %% [markdown]
# A row decodes as many times too much as a chunk is high, a column as it is wide: neither may exceed 16. And a
# chunk narrower than 16 needs more than 128 requests for a row.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_02.2", (16, 16))

# %% [markdown]
# Step in bands as high as a chunk.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def row_means(array):
    means = []
    for first in range(0, array.shape[0], array.chunks[0]):
        means.extend(array[first : first + array.chunks[0]].mean(axis=1))
    return np.array(means)


check("01_02.3", row_means)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "rule": {"bytes": balance, "near": near, "below": below[100]},
        "slower_than_the_best": {str(w): value for w, value in slower.items()},
        "side": n,
        "mebibytes": plane.nbytes / 2**20,
        "row_bytes": plane[0].nbytes,
        "row_kibibytes": plane[0].nbytes / 2**10,
        "layouts": layouts,
        "costs": {
            f"{q} in {high} x {wide}": dict(zip(("requests", "decoded", "amplification"), found, strict=True))
            for (q, (high, wide)), found in predicted.items()
        },
        "square_row_mebibytes": predicted["one row", (256, 256)][1] / 2**20,
        "predictions": len(predicted),
        "predictions_right": agree,
        "row_in_squares": [5, len(pieces) - 1, 256 * 4, square.store.get_size(square.chunk_key((0, 0)))],
        "partial": partial,
        "row_start_in_square": (5 % 256) * 256 * 4,
        "loop": {
            "rows": 256,
            "requests": loop_requests,
            "requests_at_once": once_requests,
            "mebibytes": loop_bytes / 2**20,
            "mebibytes_at_once": once_bytes / 2**20,
        },
        "stream_requests": stream_requests,
        "model": {
            "latency_ms": latency_ms,
            "megabytes_per_second": megabytes_per_second,
            "under_way": workers,
            "windows": windows,
            "best_side": list(best.values()),
            "best_seconds": [min(model[w]) for w in windows],
            "seconds_8": [model[w][0] for w in windows],
            "seconds_4096": [model[w][-1] for w in windows],
            "sides": [sides[0], sides[-1]],
            "balance_bytes": round(balance),
            "balance_side": math.isqrt(int(balance / 4)),
        },
        "unchosen": unchosen.chunks,
        "window_at": [[at, touched((slice(at, at + 100), slice(at, at + 100)), (64, 64))] for at in (63, 64)],
    },
)
