# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Let your own reads choose the chunks
#
# **Question.** Which chunk shape suits the way my array is read?
#
# ![Four layers of a cube of 240 years and 37 x 49 places, cut into chunks. A small region is asked for in the third
# layer, and the four chunks that it touches are hatched.](../../articles/figures/02_01_region.svg)
#
# "Make chunks of a megabyte." "Of a hundred." Both rules are right, for somebody else. A viewer wants small chunks,
# a cluster wants large ones, and neither rule says which *shape*. What decides is how you read: so write that down,
# and let a machine compare the layouts. This notebook does it for one array; the same tool does it for yours:
#
# ```
# tutorial-zarr chunks advise PATH --read "points 70%: all, 1, 1" --read "maps 30%: 1, all, all"
# ```

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 25 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/labs/chunks`, `tutorial_zarr/plan.py` |
# | **Article** | none |
# | **Data** | air temperature over North America, from a climate model (`data_gen/air_temperature.py`) |
#
# **You will be able to**
#
# - write down how an array is read, as boxes with weights
# - predict what a layout costs for these reads, and prove it with a trace
# - find the layouts that none beats both in requests and in bytes
# - say what a shard adds, down to the bytes of its index
# - notice when two reads pull in opposite directions, and what a second copy would bring
#
# </details>

# %% [markdown]
# ## Parameters
#
# The model of a store: how long a request waits, how fast bytes come, and `workers` requests in flight.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: trace ten times as many reads
workers = 8  # requests in flight, in the model of a store
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
latency_ms = 30.0  # in the model: the wait for a request's first byte
megabytes_per_second = 100.0  # in the model: bandwidth, all requests together

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import json
import math
import textwrap

import numpy as np

import tutorial_zarr as zarr
from data_gen import air_temperature
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.labs import chunks as lab
from tutorial_zarr.labs.chunks import figures
from tutorial_zarr.stores import TraceStore

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 1000), zarr_format=(zarr_format, 2, 3))
in_range(latency_ms=(latency_ms, 0.0, 10_000.0), megabytes_per_second=(megabytes_per_second, 0.001, 1e6))

# %% [markdown]
# ## The data
#
# Annual means of the air temperature, 37 x 49 places. The data set holds every tenth year; the nine years in
# between are interpolated, so that there are 240. Their values do not matter today, their places do.

# %%
data = air_temperature.make()
decades = data.arrays["air_temperature"]
print(data.passport())
years = np.arange(240) / 240 * (len(decades) - 1)
below = years.astype(int)
share = (years - below).astype("float32")[:, None, None]
cube = decades[below] * (1 - share) + decades[below + 1] * share
shape = cube.shape
print(f"{shape} values of {cube.itemsize} bytes: {cube.nbytes:,} B")

# %% [markdown]
# ## The idea
#
# Three reads that people make: one **map** of a year, one **point** through all years, a **region** through
# thirty years. A chunk is fetched whole, so a read costs every chunk that it touches. Here the region lights up, in
# chunks of 60 x 16 x 16.

# %%
reads = {
    "map": (slice(120, 121), slice(0, 37), slice(0, 49)),
    "point": (slice(0, 240), slice(14, 15), slice(30, 31)),
    "region": (slice(120, 150), slice(12, 20), slice(28, 36)),
}
region = lab.Pattern("region", 1.0, (30, 8, 8), (120, 12, 28))
bucket = lab.StoreModel("bucket", latency_ms / 1e3, megabytes_per_second * 1e6, workers)
names = ("year", "latitude", "longitude")
lit = lab.lit(shape, "f4", lab.Layout((60, 16, 16)), region, bucket, names=names)
print(lit)
lit.picture.save(out / "figures" / "02_01_region.svg")
lit.picture

# %% [markdown]
# In JupyterLab, with the extra `tutorial_zarr[labs]`, the next picture has sliders: for the chunks, for shards, and for
# the place of the read. Without, it stands still.

# %%
lab.explore(shape, "f4", ["points 70%: all, 1, 1", "maps 30%: 1, all, all"], store=bucket, names=names)

# %% [markdown]
# Before you go on, guess: with chunks of one map each, 1 x 37 x 49, how many requests does a point take? And is
# there a shape with which neither a map nor a point takes more than eight?

# %% [markdown]
# ## Build it small
#
# Requests and bytes of one read, and the mean over all places where a window may begin, axis by axis.


# %%
def touched(start, window, chunk):
    """Chunks that a window touches on an axis."""
    return (start + window - 1) // chunk - start // chunk + 1


def mean_touched(extent, window, chunk):
    """The same, averaged over all places where the window fits."""
    return np.mean([touched(start, window, chunk) for start in range(extent - window + 1)])


def cost(read, chunks):
    """Requests, and bytes that they bring."""
    requests = math.prod(touched(s.start, s.stop - s.start, c) for s, c in zip(read, chunks, strict=True))
    return requests, requests * math.prod(chunks) * 4


# %%
layouts = [(1, 37, 49), (240, 8, 8), (60, 16, 16)]
predicted = {(name, chunks): cost(read, chunks) for chunks in layouts for name, read in reads.items()}
print(f"{'chunks':>14}" + "".join(f"{name + ', requests':>18}{'':8}" for name in reads))
for chunks in layouts:
    row = [f"{' x '.join(map(str, chunks)):>14}"]
    for name in reads:
        requests, nbytes = predicted[name, chunks]
        row.append(f"{requests:>14,}{nbytes // 1024:8,} KiB")
    print("".join(row))

# %% [markdown]
# One map to a chunk makes a point take 240 requests. Long thin chunks turn that around, and a map pays. The
# third is in between. No rule of thumb about megabytes told you that. (A map in chunks of 240 x 8 x 8 brings more than
# the whole array holds: chunks at the edge are stored whole, and hang over.)

# %% [markdown]
# ## The library's version
#
# `lab.on_paper` gives an array that has metadata and no data, and `plan` says what a read of it would take. Then for
# real: three arrays, and a `TraceStore` that writes down every request. Each read is made at several places.

# %%
steps = 3 if quick else 30
gzip1 = {"name": "gzip", "configuration": {"level": 1}}


def places(read):
    for step in range(steps):
        starts = [(n - part.stop + part.start) * step // steps for n, part in zip(shape, read, strict=True)]
        yield tuple(slice(k, k + part.stop - part.start) for k, part in zip(starts, read, strict=True))


def traced_array(chunks):
    array = zarr.create_array({}, data=cube, chunks=chunks, compressors=gzip1, zarr_format=zarr_format)
    trace = TraceStore(array.store)
    return zarr.open_array(trace, mode="r"), trace


# %%
agree = traced = 0
for chunks in layouts:
    paper = lab.on_paper(lab.Layout(chunks), shape, "f4", compressors="gzip")
    array, trace = traced_array(chunks)
    for box in itertools.chain.from_iterable(map(places, reads.values())):
        exact, guess = array.plan(box, look=True), paper.plan(box, look=True).requests
        expected = exact.requests, exact.stored_bytes
        trace.clear()
        assert np.array_equal(array[box], cube[box])
        counted = trace.count("GET"), trace.nbytes("GET")
        agree += counted == expected and counted[0] == guess == cost(box, chunks)[0]
        traced += 1
print(f"{agree} of {traced} traced reads took the requests and bytes that were predicted")
assert agree == traced

# %% [markdown]
# Now the weights. Say that of ten reads seven are points and three are maps, anywhere. `advise` costs thousands of
# layouts, each as a mean over all places, and ranks them by time. Times within one percent of the
# best count as a tie, and of these the fewest requests come first: so the first row may be slower by a hair than the
# next. Now look up your second guess.

# %%
mix = ["points 70%: all, 1, 1", "maps 30%: 1, all, all"]
one_map = lab.Layout((1, 37, 49))
advice = lab.advise(shape, "f4", mix, store=bucket, shards=False, today=one_map)
for row in advice.table(5):
    print("  ".join(cell.rjust(width) for cell, width in zip(row[:7], (6, 12, 6, 8, 10, 8, 8), strict=True)))
best, quickest = advice.best, min(choice.seconds for choice in advice.choices)
tied = [choice for choice in advice.choices if choice.seconds <= 1.01 * quickest]
assert best in tied
assert best.requests == min(choice.requests for choice in tied)
print(f"\n{len(advice.choices):,} layouts were costed; {len(tied)} tie for the best time")

# %%
for line in best.explain().splitlines():
    print(textwrap.fill(line, 96))

# %% [markdown]
# There is a shape with which neither takes more than eight. Each read fits into one round of requests, so both wait
# once. Six for a point, seven for a map, weighted; by our own few lines:

# %%
ours = 0
for weight, window in [(0.7, (240, 1, 1)), (0.3, (1, 37, 49))]:
    axes = zip(shape, window, best.layout.chunks, strict=True)
    ours += weight * math.prod(mean_touched(n, w, c) for n, w, c in axes)
print(f"ours {ours:.6f}, the lab's {best.requests:.6f} requests for a read")
assert math.isclose(ours, best.requests)

# %% [markdown]
# Every layout as a dot. The line joins those that none beats in both, the Pareto front: no layout lies below it.
# The first choice may lie a little off the line, which knows nothing of rounds: eight requests wait as long as one.

# %%
figures.front(advice)

# %% [markdown]
# And by size: small chunks wait for requests, large ones for bytes. The best lies between, at the bottom of the U.

# %%
figures.u_curve(advice)

# %% [markdown]
# ## Look at the bytes
#
# A shard holds many chunks in one object. Its last bytes are an index: for each chunk where it begins and how long
# it is, 16 bytes, and a checksum of 4. A reader fetches the index first, and then only the chunks it wants.

# %%
sharded = zarr.create_array(
    {}, data=cube, chunks=(60, 16, 16), shards=(240, 64, 64), compressors=None, zarr_format=3
)  # shards are Zarr 3's, whatever this notebook's format
trace = TraceStore(sharded.store)
watched = zarr.open_array(trace, mode="r")
trace.clear()
watched[reads["region"]]
for request in trace.requests:
    print(request.verb, request.key, request.byte_range, f"{request.nbytes:,} B")

# %%
shard = bytes(sharded.store.get("c/0/0/0"))
slots = 4 * 4 * 4
index = np.frombuffer(shard[-16 * slots - 4 : -4], "<u8").reshape(4, 4, 4, 2)
offset, length = map(int, index[2, 0, 1])
inside = np.frombuffer(shard[offset : offset + length], "<f4").reshape(60, 16, 16)
print(f"{len(shard):,} B, of which {16 * slots + 4:,} B are the index")
print(f"chunk (2, 0, 1): {length:,} B at {offset:,}")
assert np.array_equal(inside, cube[120:180, 0:16, 16:32])
absent = int((index[..., 0] == 2**64 - 1).sum())
print(f"{absent} of {slots} chunks are absent: they lie outside of the array")

# %% [markdown]
# ## Check against others
#
# The first choice, written to the disk. Other readers see the same values; only the price has changed.

# %% tags=["nbval-ignore-output"]
chosen = zarr.create_array(
    out / "chosen.zarr", data=cube, chunks=best.layout.chunks, zarr_format=zarr_format, overwrite=True
)
report = interop_check(out / "chosen.zarr", expected=cube)
print(report)
assert not report.differing

# %% [markdown]
# ## Performance and operations
#
# A morning of ten reads, seven points and three maps: with one map to a chunk you can do that sum in your head. And
# from the first choice? Counted. The advice is kept as JSON, for whoever asks in a year why it was so.

# %%
morning = [(slice(None), 5 * i, 6 * i) for i in range(7)]
morning += [(60 * i + 30, slice(None), slice(None)) for i in range(3)]
ten_reads = {}
for name, chunks in {"one map": (1, 37, 49), "first choice": best.layout.chunks}.items():
    array, trace = traced_array(chunks)
    trace.clear()
    assert all(np.array_equal(array[read], cube[read]) for read in morning)
    ten_reads[name] = trace.count("GET")
    print(f"{name:12}: {ten_reads[name]:,} requests for ten reads")
assert ten_reads["one map"] == 10 * round(advice.today.requests, 1)
_ = (out / "advice.json").write_text(json.dumps(advice.to_json(), indent=1), encoding="utf-8")

# %% [markdown]
# One knob to turn: the weights. Three things to watch: requests for a read, bytes for each byte wanted, and whether
# the reads are still the ones you wrote down. A log of a `TraceStore` says so: `chunks advise PATH --log FILE`.

# %% [markdown]
# ## What goes wrong
#
# Weights that are not shares, and an array so small that any layout will do, are refused with a sentence.

# %%
for arguments in [(shape, "f4", ["points 70%: all, 1, 1", "maps 20%: 1, all, all"]), ((40, 50), "f4", None)]:
    try:
        lab.advise(*arguments, store=bucket)
    except ZarrError as error:
        print(textwrap.fill(f"{type(error).__name__}: {error}", 96) + "\n")

# %% [markdown]
# The other mistake is silent: to believe that a good compromise always exists. Make the same array a hundred times
# as large, ten times in latitude and in longitude.

# %%
large = (240, 370, 490)
quarrel = lab.advise(large, "f4", mix, store=bucket, shards=False)
seconds, one, other = quarrel.copies
print(f"the best single layout, {quarrel.best.layout}: {quarrel.best.seconds:.3f} s for a read, in the model")
objects = [math.prod(-(-n // c) for n, c in zip(large, copy.layout.chunks, strict=True)) for copy in (one, other)]
print(f"two copies, {one.layout} and {other.layout}: {seconds:.3f} s, {objects[0]:,} and {objects[1]:,} objects")

# %% [markdown]
# Where reads pull in opposite directions, two copies are faster. They are not free: twice the bytes, and a copy in
# small chunks is very many objects. Shards hold small chunks in few objects.

# %%
in_shards = lab.advise(large, "f4", mix, store=bucket)
print(f"in shards, {in_shards.best.layout}: {in_shards.best.seconds:.3f} s")

# %% [markdown]
# ## Change one thing, predict first
#
# Turn the weights around: three points, seven maps. Do the chunks become longer in time, or shorter? Write it down,
# and run. Then try 100 % of one kind.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
other_way = ["points 30%: all, 1, 1", "maps 70%: 1, all, all"]
turned = lab.advise(shape, "f4", other_way, store=bucket, shards=False)
print(turned.best.layout, f"{turned.best.requests:.1f} requests")

# %% [markdown]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 02_01.1
#
# A share of `s` of the reads are maps, the others points. In chunks of 1 x 37 x 49 a map takes 1 request and a
# point 240; in 240 x 8 x 8 a map takes 35 and a point 1. From which share of maps on does 1 x 37 x 49 take fewer
# requests? Give a number between 0 and 1.
#
# <details><summary>Hint</summary>
# Write the mean requests of both layouts as a line in s. Where do the lines cross?</details>

# %% tags=["exercise"]
share_of_maps = ...
check("02_01.1", share_of_maps)

# %% [markdown]
# ### Exercise 02_01.2
#
# Find the chunk shape with the most values such that a point through all 240 years is one request of at most 64 KiB.
#
# <details><summary>Hint</summary>
# One request means that all the years lie in one chunk. How many places does that leave, at 4 bytes a value?</details>

# %% tags=["exercise"]
one_request = ...
check("02_01.2", one_request)

# %% [markdown]
# ### Exercise 02_01.3
#
# For seven points and three maps, find a chunk shape that takes at most 20 requests and at most 100 KiB for a read,
# on average.
#
# <details><summary>Hint</summary>
# Few bytes means small chunks, few requests large ones. Ask advise for objective="nbytes", and look along its
# front.</details>

# %% tags=["exercise"]
frugal = ...
check("02_01.3", frugal)

# %% [markdown]
# ## Recap
#
# - A read is a box, a mix of reads is boxes with shares that sum to one.
# - On each axis the mean of the chunks touched comes from the window and the chunk alone; requests are the product,
#   and a trace counts the same.
# - The Pareto front holds the layouts worth talking about; the store's latency and bandwidth pick one of them.
# - A shard is one object with an index of 16 bytes for each chunk; a part of it costs a request for the index and
#   one for each stretch.
# - Reads pull in opposite directions when the best layout is much slower than each read's own; then two copies, or
#   shards, are faster than a compromise. Count the objects before you store twice.
#
# **Open questions.** How much better do large chunks compress? What does a cache change? Who writes the array, and in
# which portions?
#
# **Next.** Run `tutorial-zarr chunks advise` on a store of your own, and see what today's layout costs you.

# %% [markdown]
# ## Solutions
#
# With a share s of maps: s + 240 (1 - s) against 35 s + (1 - s). They are equal at 239 / 273.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_01.1", 239 / 273)

# %% [markdown]
# 64 KiB are 16,384 values, and 240 years leave 68 places: 4 x 17, or 2 x 34.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_01.2", (240, 4, 17))

# %% [markdown]
# Slices of 21 years and one row: a point takes 12 requests, a map 37, each of 4 KiB.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_01.3", (21, 1, 49))

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
curve = advice.by_size()
save_facts(
    out,
    {
        "shape": shape,
        "nbytes": cube.nbytes,
        "predicted": {
            f"{name} in {' x '.join(map(str, chunks))}": found for (name, chunks), found in predicted.items()
        },
        "traced": traced,
        "traced_right": agree,
        "first_choice": best.layout.chunks,
        "first_choice_requests": best.requests,
        "first_choice_nbytes": best.nbytes,
        "first_choice_milliseconds": round(1000 * best.seconds, 6),
        "one_map_requests": advice.today.requests,
        "one_map_milliseconds": round(1000 * advice.today.seconds, 6),
        "curve": [[point.chunk_nbytes, round(1000 * point.seconds, 6)] for point in curve],
        "shard": {"bytes": len(shard), "index": 16 * slots + 4, "offset": offset, "length": length, "absent": absent},
        "ten_reads": ten_reads,
        "large": {
            "best": quarrel.best.layout.chunks,
            "milliseconds": round(1000 * quarrel.best.seconds, 6),
            "two_copies_milliseconds": round(1000 * seconds, 6),
            "in_shards_milliseconds": round(1000 * in_shards.best.seconds, 6),
        },
        "turned": turned.best.layout.chunks,
        "model": {"latency_ms": latency_ms, "megabytes_per_second": megabytes_per_second, "under_way": workers},
    },
)
