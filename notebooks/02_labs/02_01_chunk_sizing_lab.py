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
# *A region of a cube is asked for; the hatched chunks are what it costs.*
#
# "Make chunks of a megabyte." "Of a hundred." Each rule is right for some reader, and neither says which *shape*. What
# decides is how you read. So write that down, and let a machine compare the layouts. This lesson does it for one array;
# the same tool does it for yours:
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
# | **Time** | 35 minutes |
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

# %% [markdown] tags=["section-parameters"]
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

# %% [markdown] tags=["section-idea"]
# ## A read is a box, and it costs every chunk that it touches
#
# Annual means of the air temperature, 37 x 49 places. The data set holds every tenth year; the nine years in between
# are interpolated, so that there are 240. Their values do not matter today, their places do.

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
# Three reads that people make: one **map** of a year, one **point** through all years, a **region** through thirty
# years. A compressed chunk is fetched whole, so a read costs every chunk that it touches. Here the region lights up, in
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

# %% [markdown] tags=["section-build"]
# ## The mean over all the places where a read may begin
#
# `touched` counts as in [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), here for one axis. New is the
# mean over all places where the window fits: the **[expected value](https://en.wikipedia.org/wiki/Expected_value "The
# mean of all outcomes, each weighted by how often it happens; it need not be an outcome itself.")** of a read whose
# place you do not know beforehand.


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
assert 240 * 8 * 8 * 4 == 60 * 16 * 16 * 4 == 60 * 1024

# %% [markdown]
# One map to a chunk makes a point take 240 requests. Long thin chunks turn that around, and a map pays. The
# third is in between. The last two chunks have one size, 60 KiB: the shape makes the difference. (A map in chunks of
# 240 x 8 x 8 brings more than the whole array holds: chunks at the edge are stored whole, and stick out.)

# %% [markdown] tags=["section-library"]
# ## Thousands of layouts, ranked for seven points and three maps
#
# First: is the prediction right? `lab.on_paper` gives an array that has metadata and no data, and `plan` says what a
# read of it would take. Then for real: three arrays, and a `TraceStore` that writes down every request. Each read is
# made at several places.

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
# layouts, each as a mean over all places, and ranks them by time in the model of a store. Times within one percent of
# the best count as a tie, and of these the fewest requests come first: so the first row may be slower by a hair than
# the next. Now look up your second guess.

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
# Every layout as a dot. The line joins those that none beats in both, the **[Pareto
# front](https://en.wikipedia.org/wiki/Pareto_front "The choices that no other choice beats in one respect without
# being worse in another; all the rest can be forgotten.")**: no layout of the search lies below it. The first choice
# may lie a little off the line, which knows nothing of rounds: in this model eight requests wait as long as one.

# %%
figures.front(advice)

# %% [markdown]
# And by size: small chunks wait for requests, large ones for bytes. Here the best lies between, at the bottom of the U.

# %%
figures.u_curve(advice)

# %% [markdown] tags=["section-bytes"]
# ## What the index at the end of a shard costs
#
# A **[shard](../GLOSSARY.md#shard)** holds many chunks in one object. By default its last bytes are an index: for
# each chunk where it begins and how long it is, 16 bytes, and a **[checksum](../GLOSSARY.md#checksum)** of 4. A reader fetches the index first, and
# then only the chunks it wants.

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
# The first choice, written to the disk: other implementations read the same values from it (the table is folded away).
# Only the price has changed.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
chosen = zarr.create_array(
    out / "chosen.zarr", data=cube, chunks=best.layout.chunks, zarr_format=zarr_format, overwrite=True
)
report = interop_check(out / "chosen.zarr", expected=cube)
print("Read by others:", report, sep="\n")
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A morning of ten reads, before and after
#
# Seven points and three maps: with one map to a chunk you can do that sum in your head. And from the first choice?
# Counted. The advice is kept as JSON, so that in a year you can see why it was so.

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
# Advice is as good as the weights. Do people still read as you wrote down? A log of a `TraceStore` has the answer, and
# `chunks advise PATH --log FILE` takes it in place of `--read`.

# %% [markdown] tags=["section-wrong"]
# ## A good compromise does not always exist
#
# Two mistakes are refused with a sentence: weights that do not add up, and an array so small that any layout will do.

# %%
for arguments in [(shape, "f4", ["points 70%: all, 1, 1", "maps 20%: 1, all, all"]), ((40, 50), "f4", None)]:
    try:
        lab.advise(*arguments, store=bucket)
    except ZarrError as error:
        print(textwrap.fill(f"{type(error).__name__}: {error}", 96) + "\n")

# %% [markdown]
# The third is silent: to take the best single layout for a good one. Make the same array a hundred times as large, ten
# times in latitude and in longitude.

# %%
large = (240, 370, 490)
torn = lab.advise(large, "f4", mix, store=bucket, shards=False)
seconds, one, other = torn.copies
print(f"the best single layout, {torn.best.layout}: {torn.best.seconds:.3f} s for a read, in the model")
objects = [math.prod(-(-n // c) for n, c in zip(large, copy.layout.chunks, strict=True)) for copy in (one, other)]
print(f"two copies, {one.layout} and {other.layout}: {seconds:.3f} s, {objects[0]:,} and {objects[1]:,} objects")

# %% [markdown]
# Where reads pull in opposite directions, two copies are faster, in this model. They are not free: twice the bytes, and
# a copy in small chunks is very many objects. Shards hold small chunks in few objects.

# %%
in_shards = lab.advise(large, "f4", mix, store=bucket)
print(f"in shards, {in_shards.best.layout}: {in_shards.best.seconds:.3f} s")
assert seconds < in_shards.best.seconds < torn.best.seconds

# %% [markdown] tags=["section-predict"]
# ## Predict: three points and seven maps
#
# Turn the weights around: three points, seven maps. Do the chunks become longer in time, or shorter? Write it down,
# and run. Then try 100 % of one kind.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
other_way = ["points 30%: all, 1, 1", "maps 70%: 1, all, all"]
turned = lab.advise(shape, "f4", other_way, store=bucket, shards=False)
print(turned.best.layout, f"{turned.best.requests:.1f} requests")

# %% [markdown] tags=["section-exercises"]
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
# For seven points and three maps, find a chunk shape that takes at most 20 requests and at most 100 KiB for a read,
# on average.
#
# <details><summary>Hint</summary>
# Few bytes means small chunks, few requests large ones. Ask advise for objective="nbytes", and look along its
# front.</details>

# %% tags=["exercise"]
frugal = ...
check("02_01.2", frugal)

# %% [markdown]
# ### Exercise 02_01.3: write code
#
# `front(layouts)` gets a list of pairs, `(requests, nbytes)`, and returns those on the Pareto front, each once, by
# their requests. A pair is not on it if another one has at most as many requests *and* at most as many bytes.
#
# <details><summary>Hint</summary>
# Go through the pairs by their requests, those with the same requests by their bytes. When is the next one worth
# keeping?</details>


# %% tags=["exercise"]
def front(layouts): ...


check("02_01.3", front)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `lab.advise(shape, dtype, reads)`: chunks for a mix of reads | `chunks="auto"`, or no `chunks`: a shape by its size alone | reads, weights, a ranking |
# | `a.plan(selection)`: requests and bytes of a read, beforehand | `dask.array.from_zarr(z)[selection].npartitions`: how many chunks it touches | bytes, and requests of a shard |
# | `TraceStore(store)`: each request with key, bytes, seconds | `zarr.storage.LoggingStore(store)`: calls in `counter`, seconds in the text of the log | bytes, and seconds as numbers |
# | `chunks=`, `shards=` | the same names; `shards="auto"` chooses a shape | - |
# | `to_dask(a)`: blocks of whole shards | `dask.array.from_zarr(z)`: a block for each inner chunk; `chunks=` makes larger ones | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A read is a box, a mix of reads is boxes with shares that sum to one.
# - On each axis the mean of the chunks touched comes from three lengths: the axis, the window, the chunk. Requests are
#   the product, and a trace counts the same.
# - The Pareto front holds the layouts worth talking about; the store's latency and bandwidth pick one of them.
# - A shard is one object with an index of 16 bytes for each chunk; a part of it costs a request for the index and
#   one for each stretch.
# - Reads pull in opposite directions when the best layout is much slower than each read's own; then two copies, or
#   shards, can be faster than a compromise, as here. Count the objects before you store twice.
#
# **Open questions.** How much better do large chunks compress? What does a **[cache](../GLOSSARY.md#cache)** change?
# Who writes the array, and in which portions?
#
# **To read further.**
#
# - [zarr-python: optimizing performance](https://zarr.readthedocs.io/en/stable/user-guide/performance/): its advice on
#   chunk shapes and shards
# - [Dask: array chunks](https://docs.dask.org/en/stable/array-chunks.html): how to choose blocks for computing, and
#   how to change them
# - [The sharding codec](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html): the index,
#   byte by byte
#
# **Next.** [02_02](02_02_compression_shootout.ipynb): how much space does a small error buy?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# With a share s of maps: s + 240 (1 - s) against 35 s + (1 - s). They are equal at 239 / 273.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_01.1", 239 / 273)

# %% [markdown]
# Slices of 21 years and one row: a point takes 12 requests, a map 37, each of 4 KiB.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_01.2", (21, 1, 49))

# %% [markdown]
# By requests, a pair is worth keeping if it has fewer bytes than all before it.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def front(layouts):
    kept = []
    for requests, nbytes in sorted(layouts):
        if not kept or nbytes < kept[-1][1]:
            kept.append((requests, nbytes))
    return kept


check("02_01.3", front)

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
            "best": torn.best.layout.chunks,
            "milliseconds": round(1000 * torn.best.seconds, 6),
            "two_copies_milliseconds": round(1000 * seconds, 6),
            "in_shards_milliseconds": round(1000 * in_shards.best.seconds, 6),
        },
        "turned": turned.best.layout.chunks,
        "model": {"latency_ms": latency_ms, "megabytes_per_second": megabytes_per_second, "in_flight": workers},
    },
)
