# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Find the bottleneck by measuring, and measure again after the cure
#
# **Question.** Where does the time go when a read is slow?
#
# ![Nine bars: three questions in three chunk sizes. In small chunks the store takes nearly all of the time, in large
# ones the decoder or the reader's own function.](../../articles/figures/01_09_buckets.svg)
#
# *The same data, the same machine, nine reads: where the time goes moves from one part to another.*
#
# A slow read gets tuned. Most people open the code, find the part that works hardest, and make it faster. Often
# nothing happens: the read was waiting for something else.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_02](01_02_chunking_is_the_index.ipynb), [01_03](01_03_compression_pipelines.ipynb) |
# | **Code** | `tutorial_zarr/stores/trace.py`, `tutorial_zarr/stores/wrappers.py`, `tutorial_zarr/codecs/base.py` |
# | **Article** | [The slowest function was not the problem](../../articles/09_profiling.md) |
# | **Data** | a plane in which every value names its place (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - split the time of a read into four buckets, without counting anything twice
# - say how much faster a cure can make a read at most, before you build it
# - get the price of a request and of a byte out of a few measurements
# - find in a report which part was made slow
# - say why the seconds of several threads do not add up, and what a mean hides
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# A machine with known prices, so that we can tell whether a measurement finds them. Its clock moves only for what is
# listed here.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: an array of 2048 x 2048
workers = 1  # this lesson measures on one thread; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
n = None  # rows and columns; None means 1024, or 2048 if not quick
request_ms = 20.0  # the store: for each request
megabytes_per_second = 100.0  # the store: for the bytes
decode_ms_per_mebibyte = 40.0  # the codec: for what comes out of it
function_ns_per_value = 500.0  # what you do with the values

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from collections import Counter
from contextlib import contextmanager
from functools import partial

import numpy as np

import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import codecs, viz
from tutorial_zarr.codecs import compressors
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from tutorial_zarr.stores import CacheStore, LatencyStore, TraceStore, VirtualClock
from tutorial_zarr.stores.faults import Clock
from tutorial_zarr.stores.wrappers import AroundStore
from tutorial_zarr.viz.chart import BLUE, ORANGE, VERMILION

out = output_folder(out_dir)
n = n or (1024 if quick else 2048)
in_range(n=(n, 1024, 4096), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
in_range(request_ms=(request_ms, 0.001, 1e4), megabytes_per_second=(megabytes_per_second, 0.001, 1e6))
in_range(decode_ms_per_mebibyte=(decode_ms_per_mebibyte, 0.001, 1e6))
in_range(function_ns_per_value=(function_ns_per_value, 0.001, 1e9))
zarr.set_workers(1)

# %% [markdown] tags=["section-idea"]
# ## A read passes through four hands
#
# Each of them can be the slow one.
#
# > **library:** which chunks? → **store:** fetch → **codec:** decode → **library:** put into place → **you:** compute
#
# On this machine two of them compute: the codec, 40 milliseconds for a mebibyte, and your function, half a
# microsecond for a value. A colleague rewrites both, and now they take **no time at all**. How many times as fast
# will it be to read everything, in chunks of 32 x 32? Write down a factor.

# %%
plane = fields.gradient(n)  # each value names its row and its column
print(f"{n} x {n} float32, {plane.nbytes / 2**20:.0f} MiB")

# %% [markdown] tags=["section-build"]
# ## A stopwatch whose buckets add up to the whole
#
# When one bucket opens inside another, its time belongs to the inner one alone: nothing is counted twice.


# %%
class Stopwatch:
    """Seconds and calls of each bucket. What an inner bucket takes does not count for the outer one."""

    def __init__(self, now):
        self.now, self.seconds, self.calls, self.inside = now, Counter(), Counter(), [0.0]

    @contextmanager
    def __call__(self, bucket):
        begun = self.now()
        self.inside.append(0.0)
        yield
        spent = self.now() - begun
        self.seconds[bucket] += spent - self.inside.pop()
        self.calls[bucket] += 1
        self.inside[-1] += spent


# %%
clock = VirtualClock(threads=1)
watch = Stopwatch(clock.now)
with watch("outer"):
    clock.sleep(1)
    with watch("inner"):
        clock.sleep(2)
    clock.sleep(4)
print(dict(watch.seconds))
assert watch.seconds == {"outer": 5, "inner": 2}

# %% [markdown] tags=["section-library"]
# ## Wrap the store, replace the codec
#
# To measure from inside, without changing what happens, is called
# **[instrumentation](https://en.wikipedia.org/wiki/Instrumentation_%28computer_programming%29 "Adding code to a
# program that measures what it does, such as a counter or a stopwatch at each call, and changes nothing else.")**.
# The library lets us stand at two of the doors: a store can be wrapped, and a codec can be replaced. Ours work as the
# old ones do, look at the clock, and pay the machine's prices.


# %%
class TimedStore(AroundStore):
    """Puts every request into the bucket "store"."""

    def __init__(self, store, watch):
        super().__init__(store)
        self.watch = watch

    def around(self, request, call, value=None):
        with self.watch("store"):
            return call()


# %%
class TimedGzip(compressors.Gzip):
    """gzip, in the bucket "codec". A decoded byte costs `price` seconds."""

    def __init__(self, watch, clock, price, name, configuration):
        super().__init__(name, configuration)
        self.watch, self.clock, self.price = watch, clock, price

    def decode(self, data, size=None):
        with self.watch("codec"):
            decoded = super().decode(data, size)
            self.clock.sleep(self.price * memoryview(decoded).nbytes)
            return decoded

    decode_into = codecs.BytesBytesCodec.decode_into  # which decodes, and copies


# %% [markdown]
# One read on this machine, from the question to your function. The price list is an argument.

# %%
prices = {"request": request_ms / 1000, "byte": 1 / (megabytes_per_second * 1e6)}
prices |= {"decoded": decode_ms_per_mebibyte / 1000 / 2**20, "value": function_ns_per_value / 1e9}
GZIP = ["gzip", "numcodecs.gzip"]


# %%
def measure(store, selection, prices, clock=None):
    """Read a selection, compute something, and say where the time went."""
    clock = clock or VirtualClock(threads=1)
    watch = Stopwatch(clock.now)
    codecs.register(GZIP, partial(TimedGzip, watch, clock, prices["decoded"]))
    slow = LatencyStore(store, prices["request"], 1 / prices["byte"], clock=clock)
    trace = TraceStore(slow, clock=clock.now)
    array = zarr.open_array(TimedStore(trace, watch), mode="r", zarr_format=zarr_format)
    codecs.register(GZIP, compressors.Gzip)
    watch.seconds.clear(), watch.calls.clear(), trace.clear()
    return read(array, selection, prices, clock, watch), trace


# %%
def read(array, selection, prices, clock, watch):
    """The part that is measured."""
    with watch("library"):
        values = array[selection]
    with watch("you"):
        clock.sleep(prices["value"] * values.size)
    return watch


gzip1 = {"name": "gzip", "configuration": {"level": 1}}
sides = (32, 128, n)
options = {"compressors": gzip1, "zarr_format": zarr_format}
stores = {side: zarr.create_array({}, data=plane, chunks=(side, side), **options).store for side in sides}

# %%
report, trace = measure(stores[32], ..., prices)
for bucket in ("store", "codec", "library", "you"):
    print(f"{bucket:8} {report.seconds[bucket]:7.3f} s in {report.calls[bucket]:5,} calls")
total = sum(report.seconds.values())
print(f"together {total:7.3f} s")
assert np.isclose(report.seconds["store"], trace.totals()["GET"].seconds)
assert report.calls["store"] == trace.count("GET")

# %% [markdown]
# The library's own `TraceStore` stands behind the same door, and has the same requests and the same seconds. (This
# clock does not move for the library's own work; further down there is a real one.)
#
# And now your factor. If a bucket takes no time any more, the rest remains. That is the most that a cure can do, and
# it is known as **[Amdahl's law](https://en.wikipedia.org/wiki/Amdahl%27s_law "Speeding up one part makes the whole
# at most as many times as fast as the whole time divided by the time without that part.")**.

# %%
ceiling = {}
for without in (("codec",), ("you",), ("codec", "you"), ("store",)):
    left = total - sum(report.seconds[bucket] for bucket in without)
    ceiling[" and ".join(without)] = total / left
    print(f"no time for {' and '.join(without):14} {left:6.2f} s, {total / left:5.2f} times as fast")

# %% [markdown]
# Perfect code, and next to no difference: on this machine, in these chunks, the read waits for the store.
#
# So cure the store: larger chunks, fewer requests. And then *measure again*, for three questions.

# %%
questions = {
    "everything": (slice(0, n), slice(0, n)),
    "100 x 100": (slice(600, 700), slice(700, 800)),
    "one row": (slice(5, 6), slice(0, n)),
}
cases = [(question, side) for question in questions for side in sides]
spent = {(q, side): measure(stores[side], questions[q], prices)[0].seconds for q, side in cases}
first = {case: max(seconds, key=seconds.get) for case, seconds in spent.items()}
for (question, side), seconds in spent.items():
    parts = ", ".join(f"{bucket} {seconds[bucket]:6.3f}" for bucket in ("store", "codec", "you"))
    whole = sum(seconds.values())
    print(f"{question:10} in {side:5,}: {whole:6.3f} s; {parts}; first: {first[question, side]}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.6, 3.3, 1, 3)
for panel, question in zip(axes, questions, strict=True):
    for x, side in enumerate(sides):
        seconds, below = spent[question, side], 0.0
        for bucket, colour in (("store", BLUE), ("codec", VERMILION), ("you", ORANGE)):
            share = 100 * seconds[bucket] / sum(seconds.values())
            panel.bar(x, share, 0.7, bottom=below, color=colour, label=bucket if x == 0 else None)
            below += share
        panel.text(x, 103, f"{sum(seconds.values()):.2f} s", ha="center", fontsize=9)
    panel.set_xticks(range(len(sides)), [f"{side:,}" for side in sides])
    panel.set(title=question, xlabel="side of a chunk", ylim=(0, 115), yticks=[0, 50, 100])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
axes[0].set_ylabel("share of the time, %")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
described = "; ".join(f"{q} in {side}: {first[q, side]} first" for q, side in first)
buckets = viz.Chart.of(figure, "Where the time goes in nine reads", f"Bars. {described}.")
buckets.save(out / "figures" / "01_09_buckets.svg")
buckets

# %% [markdown]
# Three different bottlenecks, in nine reads of the same values. "Where does the time go?" has no answer without
# "for which question, in which chunks?".

# %% [markdown] tags=["section-bytes"]
# ## The last four bytes of a chunk say what the codec has to do
#
# gzip ends with the number of bytes that come out (of a chunk below 4 GiB). Our codec is paid for these, the store
# for what is stored.

# %%
array = zarr.open_array(stores[128], mode="r", zarr_format=zarr_format)
chunk = array.encoded_chunk((0, 0))
decoded = int.from_bytes(chunk[-4:], "little")
print(viz.hexdump(chunk[-16:], notes={12: "bytes after decoding"}))
print(f"{decoded:,} bytes come out of {len(chunk):,}")
assert decoded == 128 * 128 * 4

# %% [markdown]
# Clocks and prices leave no mark on the data: other implementations read every value (the table is folded away).

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
zarr.create_array(out / "plane.zarr", data=plane, chunks=(128, 128), overwrite=True, **options)
report = interop_check(out / "plane.zarr", expected=plane)
print("Read by others:", report, sep="\n")
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Nine reads give away the price of a request
#
# What does a request cost, and what a byte? Few stores tell you, but a few reads do: seconds = price x requests +
# price x bytes, from reads in which the two do not go together. Least squares finds both prices.

# %%
runs = [measure(stores[side], questions[q], prices)[1] for q, side in cases]
costs = np.array([[trace.count("GET"), trace.nbytes("GET")] for trace in runs], float)
seconds = np.array([trace.totals()["GET"].seconds for trace in runs])
found, *_ = np.linalg.lstsq(costs / costs.max(axis=0), seconds, rcond=None)
a_request, a_byte = found / costs.max(axis=0)
print(f"a request {1000 * a_request:.3f} ms, bytes at {1 / a_byte / 1e6:.1f} MB a second")
assert np.allclose([a_request, a_byte], [prices["request"], prices["byte"]])

# %% [markdown]
# What was planted is found, exactly, because the machine pays by just this formula. A real store adds noise, and the
# two numbers are still the first that you want to know about it.
#
# Now the real clock, without prices, on your machine. Here the library's own bucket is not empty. Watch it in small
# chunks.

# %% tags=["nbval-ignore-output"]
stopped = Clock()
stopped.sleep = lambda seconds: None  # no waiting: what is left is work
free = {"request": 0.0, "byte": 1e-18, "decoded": 0.0, "value": 0.0}
for side in sides:
    runs = [measure(stores[side], ..., free, stopped)[0].seconds for _ in range(3)]
    best = min(runs, key=lambda seconds: sum(seconds.values()))
    words = (f"{bucket} {1000 * best[bucket]:6.1f} ms" for bucket in ("store", "codec", "library"))
    print(f"chunks of {side:5,}: " + ", ".join(words))

# %% [markdown]
# One cure needs no new layout: not to ask twice. A **[cache](https://en.wikipedia.org/wiki/Cache_%28computing%29 "A
# small, near store that keeps what was fetched before, so that the next request for the same thing need not
# travel.")** keeps what was fetched. A window of 128 x 128 slides down the array in steps of 32. How many of its
# chunks has the cache seen before?

# %%
cache = CacheStore(stores[32])
array = zarr.open_array(cache, mode="r", zarr_format=zarr_format)
cache.clear()
cache.hits = cache.misses = 0
steps = range(0, n - 128 + 1, 32)
for top in steps:
    array[top : top + 128, 0:128]
asked, distinct = len(steps) * 4 * 4, (n // 32) * 4
print(f"{asked} chunks in {len(steps)} windows: {cache.hits} from the cache, {cache.misses} from the store")
assert (cache.hits, cache.misses) == (asked - distinct, distinct)

# %% [markdown] tags=["section-wrong"]
# ## Seconds of four threads are not parts of a whole
#
# Four requests are in flight, and we add up what each of them took. The same trace, twice:

# %%
clock = VirtualClock(threads=1, settle=2.0)
slow = LatencyStore(stores[128], prices["request"], concurrency=4, clock=clock)
trace = TraceStore(slow, clock=clock.now)
array = zarr.open_array(trace, mode="r", zarr_format=zarr_format)
clock.threads = 4
trace.clear()
begun = clock.now()
array[...]
elapsed, added = clock.now() - begun, trace.totals()["GET"].seconds
print(f"the read took {elapsed:.2f} s; its {trace.count('GET')} requests took {added:.2f} s, added up")
print(f"the ceiling of that: {elapsed / (elapsed - added):.2f} times as fast")

# %% [markdown]
# A negative factor. What overlaps does not add up, so ceilings need a read on one thread (`zarr.set_workers(1)`, or
# one request in flight), or else the timeline: when was nothing but the store at work?
#
# **A mean hides the slow few.** Let one request in a hundred, at random, take a second instead of 20 milliseconds.
# How many reads of 64 requests meet a slow one? Guess, then count.

# %%
slow_ones = (np.random.PCG64(seed).random_raw(10_000 * 256) % 100 == 0).reshape(10_000, 256)
waits = np.where(slow_ones, 1000.0, request_ms)
half, nearly_all = np.percentile(waits, [50, 99.5])
print(f"the 50th percentile is {half:.0f} ms, the 99.5th {nearly_all:,.0f} ms; the mean is {waits.mean():.0f} ms")
meets = {}
for requests in (1, 16, 64, 256):
    meets[requests] = 1 - 0.99**requests
    print(f"reads of {requests:3} requests: {meets[requests]:5.1%} meet a slow one")
    assert abs(slow_ones[:, :requests].any(axis=1).mean() - meets[requests]) < 0.02

# %% [markdown]
# No request took the mean. So a report of waits gives a **[percentile](https://en.wikipedia.org/wiki/Percentile "The
# value below which a given share of all measurements lies: half of them lie below the 50th, nearly all below the
# 99th.")** or two. And the more requests a read makes, the more it is the slow few that decide: their wait is the
# **[tail latency](https://doi.org/10.1145/2408776.2408794 "How long the slowest few requests wait; a read that needs
# many answers often has to wait for one of them.")**. (If slow requests come in groups, the shares are others.)

# %% [markdown] tags=["section-predict"]
# ## Predict: the bucket moves next door
#
# 2 milliseconds for a request instead of 20. You read everything in chunks of 128 x 128. Which part comes first now?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
near = measure(stores[128], ..., {**prices, "request": 0.002})[0].seconds
print(", ".join(f"{bucket} {near[bucket]:.3f} s" for bucket in ("store", "codec", "you")))

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_09.1
#
# In each of the machines 6, 7 and 8 one part was made eight times as slow. Here are the reports. Which part is it:
# `"store"`, `"codec"` or `"you"`? Answer with a list of three.
#
# <details><summary>Hint</summary>
# A large bucket may be large because it always was. Compare with the healthy machine.</details>

# %%
healthy = spent["100 x 100", 128]
print("healthy   ", {bucket: round(healthy[bucket], 3) for bucket in ("store", "codec", "you")})
for machine in (6, 7, 8):
    part = list(prices)[[0, 2, 3][int(np.random.PCG64(machine).random_raw() % 3)]]
    sick = measure(stores[128], questions["100 x 100"], {**prices, part: 8 * prices[part]})[0].seconds
    print(f"machine {machine} ", {bucket: round(sick[bucket], 3) for bucket in ("store", "codec", "you")})

# %% tags=["exercise"]
parts = ...
check("01_09.1", parts)

# %% [markdown]
# ### Exercise 01_09.2
#
# A read takes 10 seconds, and 3 of them are the codec's. You make the codec three times as fast. How many times as
# fast is the read?
#
# <details><summary>Hint</summary>
# First work out how many seconds are left.</details>

# %% tags=["exercise"]
factor = ...
check("01_09.2", factor)

# %% [markdown]
# ### Exercise 01_09.3: write code
#
# A profiler hands you spans: `(bucket, begun, ended)` in seconds, of one thread, in any order. A span lies wholly
# inside another or apart from it. Write `own_seconds(spans)`: a dict from each bucket to the seconds that belong to
# it, where inner time counts for the inner bucket alone.
#
# <details><summary>Hint</summary>
# Each moment belongs to the shortest span around it. Or sort by the beginning, and keep a list of the spans that are
# still open, as `Stopwatch` does.</details>


# %% tags=["exercise"]
def own_seconds(spans): ...


check("01_09.3", own_seconds)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `TraceStore(store)`: each request with key, bytes, seconds | `zarr.storage.LoggingStore(store)`: calls in `counter`, seconds in the text of the log | bytes, and seconds as numbers |
# | `AroundStore`: one method `around` for every request | `zarr.storage.WrapperStore`: a method for each kind of request, and `async` | one place for all of them |
# | `codecs.register("gzip", Timed)` | `register_codec("gzip", Timed, qualname=...)` and `zarr.config.set({"codecs.gzip": ...})` | - |
# | `CacheStore(store, max_bytes=...)` | `zarr.experimental.cache_store.CacheStore(store, cache_store=...)`, which can also forget by age | - |
# | `LatencyStore(store, seconds, bandwidth)` on a `VirtualClock` | `zarr.testing.store.LatencyStore(store, get_latency=...)`, which really sleeps | a price for each byte, a clock that costs no time |
# | `zarr.set_workers(1)` | `zarr.config.set({"async.concurrency": 1, "threading.max_workers": 1})` | - |
# | `trace.timeline()`: when requests were in flight | `dask.diagnostics.Profiler()`: when each task ran, on which thread | the requests inside a task |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A stopwatch with buckets, wrapped around the store, the codec and your function: inner time counts once.
# - Without a bucket the rest remains: whole / (whole - bucket) is the most that its cure can bring, on one thread.
# - Requests and bytes are counted, seconds are measured; least squares gives the price of each.
# - A part that was made slow stands out against the healthy report, not against its neighbours.
# - What runs at once overlaps, so its seconds add up to more than passed; and a mean hides the slow few, for which a
#   read of many requests waits.
#
# **Open questions.** What if the buckets overlap, because one chunk is decoded while another is fetched? Should a
# slow request be asked a second time before it has answered? Where does the memory go?
#
# **To read further.**
#
# - [The Tail at Scale](https://doi.org/10.1145/2408776.2408794): why large services wait for their slowest parts, and
#   what they do about it
# - [Amdahl's paper](https://doi.org/10.1145/1465482.1465560): the few pages behind the ceiling
# - [zarr-python: optimizing performance](https://zarr.readthedocs.io/en/stable/user-guide/performance/): its knobs for
#   chunks, concurrency and threads
# - [Dask: local diagnostics](https://docs.dask.org/en/stable/diagnostics-local.html): profilers for tasks, processor
#   and memory
#
# **Next.** [01_10](01_10_codec_and_backend_plugins.ipynb): how do I add a codec or a store of my own, and know that
# it is right?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The bucket that has grown eightfold.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
drawn = [int(np.random.PCG64(machine).random_raw() % 3) for machine in (6, 7, 8)]
check("01_09.1", [["store", "codec", "you"][place] for place in drawn])

# %% [markdown]
# 7 seconds as before, and 1 for the codec.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_09.2", 10 / (7 + 1))

# %% [markdown]
# The whole of a span belongs to its bucket, and is taken away from the innermost span that is open around it.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def own_seconds(spans):
    own, open_spans = {}, []
    for bucket, begun, ended in sorted(spans, key=lambda span: (span[1], -span[2])):
        while open_spans and open_spans[-1][1] <= begun:
            open_spans.pop()
        own[bucket] = own.get(bucket, 0) + ended - begun
        if open_spans:
            own[open_spans[-1][0]] -= ended - begun
        open_spans.append((bucket, ended))
    return own


check("01_09.3", own_seconds)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
order = ("store", "codec", "you")
save_facts(
    out,
    {
        "side": n,
        "mebibytes": plane.nbytes / 2**20,
        "chunk_sides": sides,
        "window": 100,
        "prices": {
            "request_ms": request_ms,
            "megabytes_per_second": megabytes_per_second,
            "decode_ms_per_mebibyte": decode_ms_per_mebibyte,
            "function_ns_per_value": function_ns_per_value,
        },
        "requests": {str(side): (n // side) ** 2 for side in sides},
        "total": total,
        "ceiling": ceiling,
        "left": {bucket: total - spent["everything", 32][bucket] for bucket in order},
        "seconds": {f"{q} in {side}": {b: spent[q, side][b] for b in order} for q, side in spent},
        "totals": {f"{q} in {side}": sum(seconds.values()) for (q, side), seconds in spent.items()},
        "cured": sum(spent["everything", 32].values()) / sum(spent["everything", n].values()),
        "first": {f"{q} in {side}": bucket for (q, side), bucket in first.items()},
        "shares": {
            f"{q} in {side}": {bucket: 100 * seconds[bucket] / sum(seconds.values()) for bucket in order}
            for (q, side), seconds in spent.items()
        },
        "reads": len(spent),
        "found": {"request_ms": round(1000 * a_request, 6), "megabytes_per_second": round(1 / a_byte / 1e6, 4)},
        "decoded_bytes": decoded,
        "cache": {"asked": asked, "windows": len(steps), "hits": cache.hits, "misses": cache.misses},
        "at_once": {
            "in_flight": 4,
            "requests": (n // 128) ** 2,
            "elapsed": round(elapsed, 6),
            "added": round(added, 6),
        },
        "near": {"request_ms": 2, **{bucket: near[bucket] for bucket in order}},
        "tail": {
            "slow_in": 100,
            "percentiles": [half, nearly_all],
            "requests": list(meets),
            "percent": [100 * share for share in meets.values()],
        },
        "exercise": [10, 3],
    },
)
