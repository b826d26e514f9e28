# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tune reads from a bucket: how many requests, and how many at once
#
# **Question.** What makes a read from a bucket fast?
#
# ![Sixteen requests as bars: one after the other they take sixteen waits, four at a time four, all at once a single
# one.](../../articles/figures/01_08_rounds.svg)
#
# *Sixteen requests: one after the other, four at a time, all at once. A bar is a wait.*
#
# A bucket of an **[object store](https://en.wikipedia.org/wiki/Object_storage "Storage that keeps whole objects under
# keys and is asked over HTTP; there are no folders and no changes in place.")** is slow to answer and quick to deliver,
# it serves many at once, and most providers charge for each request. So the same array can be fast or slow, cheap or
# expensive, and a stopwatch on one machine does not tell you why.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 45 minutes |
# | **Needs** | [01_02](01_02_chunking_is_the_index.ipynb), [01_04](01_04_metadata_one_rtt.ipynb) |
# | **Code** | `tutorial_zarr/stores/object.py`, `tutorial_zarr/stores/faults.py`, `tutorial_zarr/stores/retry.py` |
# | **Article** | [A thousand requests at once, as slow as eight](../../articles/08_object_store_tuning.md) |
# | **Data** | a square of random numbers, so that no layout compresses better (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - predict how long a read takes, from its requests, their latency, and how many are in flight
# - say how many requests are worth having in flight, and what happens beyond
# - fetch a part of an object from an S3 server, and find a chunk in it
# - choose between small chunks, large chunks and shards by requests, bytes and price
# - make a read survive answers that fail, and say what that costs
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# The server of the model has a latency, a bandwidth, and a limit of requests in a second. The prices are list
# prices of a large provider; yours will differ.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: an array of 2048 x 2048
workers = 8  # requests in flight, where we compare the model with the library
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3  # of the layouts without shards; shards exist in v3 only
n = None  # rows and columns; None means 1024, or 2048 if not quick
many = 1024  # requests of the read in the model
latency_ms = 30.0
megabytes_per_second = 100.0
requests_per_second = 1000.0  # what the server takes; beyond that it answers 503
usd_per_million_gets = 0.40
usd_per_gigabyte_out = 0.09  # traffic that leaves the provider's network

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import heapq
import math
import urllib.request
from importlib.util import find_spec

import numpy as np

import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import viz
from tutorial_zarr.errors import MissingDependencyError, StoreError

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts
from tutorial_zarr.gallery.servers import start_s3
from tutorial_zarr.stores import (
    FaultStore,
    LatencyStore,
    LocalStore,
    MemoryStore,
    RetryStore,
    TraceStore,
    VirtualClock,
    make_store,
)
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
need("obstore", "tenacity")
out = output_folder(out_dir)
n = n or (1024 if quick else 2048)
in_range(n=(n, 1024, 4096), many=(many, 16, 100_000))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
in_range(latency_ms=(latency_ms, 0.001, 10_000.0))
in_range(megabytes_per_second=(megabytes_per_second, 0.001, 1e6))
in_range(requests_per_second=(requests_per_second, 10.0, 1e9))
in_range(usd_per_million_gets=(usd_per_million_gets, 0.0, 1e6))
in_range(usd_per_gigabyte_out=(usd_per_gigabyte_out, 0.0, 1e6))

# %% [markdown] tags=["section-data"]
# ## Random numbers, so that only requests differ
#
# All layouts of them compress about alike.

# %%
plane = fields.noise(n, seed)
total = (n // 64) ** 2
print(f"{n} x {n} float32, {plane.nbytes / 2**20:.0f} MiB")
print(f"{total:,} chunks of 64 x 64, {64 * 64 * 4 / 1024:.0f} KiB each")

# %% [markdown] tags=["section-idea"]
# ## Waiting can be shared
#
# A request waits, and then its bytes come. While one waits, others can wait beside it. Sixteen requests:


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def lanes(requests, in_flight):
    """(lane, start) of each request, in waits: a free lane takes the next."""
    return [(number % in_flight, number // in_flight) for number in range(requests)]


figure, axes = viz.canvas(7.2, 2.6, 1, 3, sharex=True)
for panel, in_flight in zip(axes, (1, 4, 16), strict=True):
    for lane, start in lanes(16, in_flight):
        panel.barh(lane, 0.9, left=start, height=0.75, color=BLUE)
    panel.set(title=f"{in_flight} in flight", xlabel=f"waits: {16 // in_flight}")
    panel.set(ylim=(15.7, -0.7), yticks=[], xticks=[0, 4, 8, 12, 16])
described = "Sixteen requests as bars: one after the other in 16 waits, four at a time in 4, all at once in 1."
rounds = viz.Chart.of(figure, "Sixteen requests, 1, 4 and 16 in flight", described)
rounds.save(out / "figures" / "01_08_rounds.svg")
rounds

# %% [markdown]
# So more is better? Each answer takes 30 milliseconds, and 1,024 of them one by one take half a minute. The server
# takes 1,000 requests in a second and refuses what is more; a refused client waits a little and asks again.
#
# Write down your guess: how long with 8 in flight, with 32, with 1,024?

# %% [markdown] tags=["section-build"]
# ## Build it small: a server with a limit, and no network
#
# A simulation: no network, no clock, exact. First, how long a refused client waits before it asks again: a random time,
# on average twice as long after each refusal (**[exponential backoff](../GLOSSARY.md#exponential-backoff)** with
# **[jitter](../GLOSSARY.md#jitter)**).


# %%
def pause(refused, luck):
    """Seconds to wait before asking again, after `refused` refusals."""
    return 0.1 * 2**refused * luck.random_raw() / 2**64


# %% [markdown]
# The server has permits, which refill as time goes on. A request that finds none is refused.


# %%
class Server:
    """Grants `limit` requests a second; a tenth of a second's worth may come at once."""

    def __init__(self, limit):
        self.limit, self.permits, self.since = limit, limit / 10, 0.0

    def grants(self, now):
        if now > self.since:
            self.permits = min(self.limit / 10, self.permits + (now - self.since) * self.limit)
        self.since = now
        if self.permits < 1:
            return False
        self.permits -= 1
        return True


# %% [markdown]
# A heap says which client asks next. All answers come through one pipe, one after the other.


# %%
def simulate(requests, in_flight, latency, transfer=0.0, limit=math.inf):
    """Seconds until the last answer, and the attempts that it took."""
    server, luck, pipe, attempts = Server(limit), np.random.PCG64(seed), 0.0, 0
    clients = [(0.0, 0)] * min(in_flight, requests)  # when each asks next, and how often it was refused
    following = iter(range(len(clients), requests))
    while clients:
        now, refused = heapq.heappop(clients)
        attempts += 1
        if server.grants(now):
            pipe = max(now + latency, pipe) + transfer
            if next(following, None) is not None:
                heapq.heappush(clients, (pipe, 0))
        else:
            heapq.heappush(clients, (now + latency + pause(refused, luck), refused + 1))
    return pipe, attempts


# %% [markdown]
# Without a limit, and if the answers have no bytes, a formula must come out: the rounds, a latency each.

# %%
latency = latency_ms / 1000
for in_flight in (1, 7, 64):
    simulated, attempts = simulate(many, in_flight, latency)
    formula = math.ceil(many / in_flight) * latency
    print(f"{in_flight:3} in flight: {simulated:7.3f} s, formula {formula:7.3f} s, {attempts:,} attempts")
    assert math.isclose(simulated, formula)

# %% [markdown] tags=["section-library"]
# ## The library, on a clock that does not wait
#
# Now the library reads a real array, through a store that waits on a clock of its own, so that waiting takes no
# time. Does it keep as many requests in flight as it is told?

# %%
gzip1 = {"name": "gzip", "configuration": {"level": 1}}
small = zarr.create_array({}, data=plane, chunks=(64, 64), compressors=gzip1, zarr_format=zarr_format)
by_library = {}
for in_flight in (1, workers, 64):
    clock = VirtualClock(threads=1, settle=2.0)
    slow = LatencyStore(small.store, latency, concurrency=in_flight, clock=clock)
    array = zarr.open_array(slow, mode="r", zarr_format=zarr_format)
    opened, clock.threads = clock.now(), in_flight
    assert np.array_equal(array[...], plane)
    by_library[in_flight] = clock.now() - opened
    print(f"{in_flight:3} in flight: {by_library[in_flight]:7.3f} s on the library's clock")
    assert math.isclose(by_library[in_flight], simulate(total, in_flight, latency)[0])

# %% [markdown]
# To the last digit, as long as no request is refused. The limit and the pipe are in the simulation alone. Now your
# guess:

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
ways = [2**power for power in range(11)]
per_chunk = 64 * 64 * 4 / (megabytes_per_second * 1e6)
free_run = {p: simulate(many, p, latency, per_chunk) for p in ways}
limited = {p: simulate(many, p, latency, per_chunk, requests_per_second) for p in ways}
print(f"{'in flight':>10} {'no limit':>10} {f'{requests_per_second:,.0f} a second':>16} {'attempts':>10}")
for p in ways:
    print(f"{p:10,} {free_run[p][0]:8.2f} s {limited[p][0]:14.2f} s {limited[p][1]:10,}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
fastest = min(ways, key=lambda p: limited[p][0])
figure, panel = viz.canvas(7, 3.8)
panel.loglog(ways, [free_run[p][0] for p in ways], color=BLUE, marker="o", markersize=4, label="no limit")
panel.loglog(ways, [limited[p][0] for p in ways], color=VERMILION, marker="s", markersize=4, label="with a limit")
panel.axhline(many * per_chunk, color=GREY, linewidth=1, linestyle=":")
panel.text(1, many * per_chunk * 1.08, "the bytes alone", color=GREY, fontsize=9)
panel.set(title=f"A read of {many:,} chunks from a bucket", xlabel="requests in flight")
panel.set_xticks(ways, [f"{p:,}" for p in ways])
panel.set_yticks([0.1, 1, 10], ["0.1 s", "1 s", "10 s"])
for p in (8, fastest, ways[-1]):
    at = {"xytext": (-7, -12), "textcoords": "offset points", "ha": "right"}
    panel.annotate(f"{limited[p][0]:.1f} s", (p, limited[p][0]), **at)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.legend()
lowest, most, flat = limited[fastest][0], limited[1024][0], free_run[1024][0]
described = f"Two curves fall together. Without a limit it flattens at {flat:.2f} s. With one it is lowest "
described += f"at {fastest} in flight, {lowest:.2f} s, and at 1,024 it is back at {most:.2f} s."
knee = viz.Chart.of(figure, "Seconds for a read against requests in flight", described)
knee.save(out / "figures" / "01_08_knee.svg")
print(f"with 8 in flight: {limited[8][0]:.2f} s; with 1,024: {most:.2f} s, {limited[1024][1]:,} attempts")
knee

# %% [markdown]
# More is better, until it is worse. Of a thousand at once most are refused, wait, and come back while the server still
# has no permits. In this model they are about as slow as eight, and they ask several times as often.
#
# Both turning points follow from one rule, **[Little's law](https://en.wikipedia.org/wiki/Little%27s_law "What is
# inside a system, on average, is the rate at which things arrive times how long each stays.")**: requests in flight =
# requests in a second x latency. What counts is the lesser of two rates: what the server takes, and what fits through
# the pipe.

# %%
pipe_rate = 1 / per_chunk
worth = {"pipe": pipe_rate * latency, "limit": requests_per_second * latency}
print(f"the pipe carries {pipe_rate:,.0f} chunks a second: {worth['pipe']:.0f} in flight")
print(f"the server takes {requests_per_second:,.0f} requests a second: {worth['limit']:.0f} in flight")

# %% [markdown] tags=["section-bytes"]
# ## A range request to a real S3 server
#
# Enough of models: here is an S3 server, on this machine. If it is not installed, the lesson goes on with a
# store in memory: the same requests, counted alike, and no server to ask.

# %% tags=["nbval-ignore-output"]
server, memory = None, {}
try:
    server = start_s3()
    print("an S3 server runs on this machine, with the buckets 'private' and 'public'")
except MissingDependencyError as absent:
    print(f"{absent}\nUntil then the buckets of this lesson are in memory.")


def bucket(name):
    """The store of an array in the bucket, or in memory where there is no server."""
    if server is None:
        memory.setdefault(name, MemoryStore()).request_cost = 1 << 19  # as a bucket: join ranges that lie close
        return memory[name]
    return make_store(f"s3://private/{name}", storage_options=server.options)


# %% [markdown]
# Three layouts go up. The third puts 64 small chunks into each object, a
# **[shard](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html "An object that holds many
# chunks and an index of where each of them lies in it.")**.

# %%
layouts = {"small": {"chunks": (64, 64)}, "large": {"chunks": (512, 512)}}
layouts["shards"] = {"chunks": (64, 64), "shards": (512, 512)}
objects, formats = {}, {"small": zarr_format, "large": zarr_format, "shards": 3}
for name, shapes in layouts.items():
    store = TraceStore(bucket(name))
    zarr.create_array(store, data=plane, compressors=gzip1, zarr_format=formats[name], **shapes)
    objects[name] = sum(
        request.verb == "PUT" and not request.key.endswith(("json", ".zarray")) for request in store.requests
    )
    print(f"{name:6} {objects[name]:5,} objects")

# %% [markdown]
# A shard ends with its index: where each chunk begins and how long it is, 16 bytes for each, and a **[checksum](../GLOSSARY.md#checksum)**. So the
# *last* bytes are fetched first, with a **[range
# request](https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Range_requests "A request for a part of an object,
# for some bytes from its middle or its end.")**. This is how it looks on the wire.

# %% tags=["nbval-ignore-output"]
shard = bucket("shards").get("c/0/0")
index_bytes = 64 * 16 + 4
if server is None:
    print("no server to ask")
else:
    make_store("s3://public", storage_options=server.options).set("a_shard", shard)
    headers = {"Range": f"bytes=-{index_bytes}"}
    request = urllib.request.Request(f"{server.endpoint}/public/a_shard", headers=headers)
    with urllib.request.urlopen(request) as answer:
        print("GET /public/a_shard", headers, answer.status, answer.reason, sep="\n")
        for name in ("Content-Range", "Content-Length", "ETag"):
            print(f"{name}: {answer.headers[name]}")
        assert answer.read() == shard[-index_bytes:]

# %%
index = np.frombuffer(bucket("shards").get("c/0/0", -index_bytes)[:-4], "<u8").reshape(64, 2)
start, length = map(int, index[9])
piece = bucket("shards").get("c/0/0", (start, start + length))
print(f"chunk 9 of the shard, in row 1, column 1: {length:,} bytes from byte {start:,} of {len(shard):,}")
print(viz.hexdump(piece[:16], notes={0: "gzip"}))
assert piece == zarr.open_array(bucket("small"), mode="r", zarr_format=zarr_format).encoded_chunk((1, 1))

# %% [markdown]
# The chunk in the shard is, byte for byte, the object that the layout of small chunks has for itself.

# %% [markdown] tags=["section-others"]
# ## Other readers, from the bucket
#
# Copy the objects to a folder, and let the others that are installed read them: they do, to the last bit. With a
# server, zarr-python reads from the bucket as well.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Who read what:")
for name in ("large", "shards"):
    store, home = bucket(name), LocalStore(out / f"{name}.zarr")
    for key in store.list_prefix():
        home.set(key, store.get(key))
    report = interop_check(out / f"{name}.zarr", expected=plane)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% tags=["nbval-ignore-output"]
if server is not None and find_spec("zarr"):
    import zarr as zarr_python
    from obstore.store import S3Store

    account = {"access_key_id": server.options["key"], "secret_access_key": server.options["secret"]}
    place = {"endpoint": server.endpoint, "region": "us-east-1", "client_options": {"allow_http": True}}
    shards = zarr_python.storage.ObjectStore(S3Store("private", prefix="shards", **account, **place))
    theirs = zarr_python.open_array(shards, mode="r")
    print("zarr-python, from the bucket:", np.array_equal(theirs[...], plane))
else:
    print("no server, or no zarr-python")

# %% [markdown] tags=["section-operations"]
# ## Three layouts, four questions, and a bill
#
# Four questions to three layouts: what does each ask of the bucket?

# %%
questions = {
    "one value": (slice(700, 701), slice(300, 301)),
    "100 x 100": (slice(600, 700), slice(700, 800)),
    "one row": (slice(5, 6), slice(0, n)),
    "everything": (slice(0, n), slice(0, n)),
}

# %%
asked, fetched, traces = {}, {}, {}
before = server.counted() if server else None
for name in layouts:
    trace = traces[name] = TraceStore(bucket(name))
    array = zarr.open_array(trace, mode="r", zarr_format=formats[name])
    for question, selection in questions.items():
        begun = trace.count("GET"), trace.nbytes("GET")
        assert np.array_equal(array[selection], plane[selection])
        asked[question, name] = trace.count("GET") - begun[0]
        fetched[question, name] = trace.nbytes("GET") - begun[1]

# %%
print(f"{'':12}" + "".join(f"{name:>20}" for name in layouts))
for question in questions:
    cells = [(asked[question, name], fetched[question, name] / 1024) for name in layouts]
    print(f"{question:12}" + "".join(f"{f'{gets:,} for {size:,.0f} KiB':>20}" for gets, size in cells))

# %% [markdown]
# Shards are few objects, like large chunks, and small reads, nearly like small ones. The price is a second trip, first
# the index and then the range, and the neighbours that lie in between: 155 KiB for the window, and not 84.
#
# Do we count what the server counts? It keeps books of its own.

# %% tags=["nbval-ignore-output"]
gets = sum(trace.count("GET") for trace in traces.values())
print(f"the trace:  {gets:,} GETs, {sum(trace.nbytes('GET') for trace in traces.values()):,} B")
if server is not None:
    booked = server.counted() - before
    print(f"the server: {booked['GET']:,} GETs, {booked['sent']:,} B")
    assert booked["GET"] == gets

# %% [markdown]
# And the requests of the window, as the reader of each layout made them.

# %% tags=["nbval-ignore-output"]
for name in layouts:
    trace = TraceStore(LatencyStore(bucket(name), 0.01))
    array = zarr.open_array(trace, mode="r", zarr_format=formats[name])
    trace.clear()
    array[questions["100 x 100"]]
    print(name, trace.timeline(), "", sep="\n")

# %% [markdown]
# What would a million such windows cost? Requests have a price, and so has traffic that leaves the provider.

# %%
bill = {}
for name in layouts:
    requests, gigabytes = asked["100 x 100", name], fetched["100 x 100", name] / 1e9
    for_requests, for_traffic = requests * usd_per_million_gets, gigabytes * 1e6 * usd_per_gigabyte_out
    bill[name] = {"requests": for_requests, "traffic": for_traffic}
    print(f"{name:6} requests {for_requests:5.2f} USD, traffic {for_traffic:6.2f} USD")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7, 2.4)
for y, parts in enumerate(bill.values()):
    panel.barh(y, parts["requests"], color=ORANGE, label="requests" if y == 0 else None)
    panel.barh(y, parts["traffic"], left=parts["requests"], color=BLUE, label="traffic" if y == 0 else None)
    panel.text(sum(parts.values()) + 1, y, f"{sum(parts.values()):.0f} USD", va="center")
panel.set_yticks(range(len(bill)), list(bill))
panel.invert_yaxis()
panel.set(title="A million windows of 100 x 100", xlabel="USD")
panel.margins(x=0.12)
panel.legend(loc="lower right")
described = ", ".join(f"{name} {sum(parts.values()):.2f} USD" for name, parts in bill.items())
assert bill["large"]["requests"] < bill["shards"]["requests"] < bill["small"]["requests"]
costs = viz.Chart.of(figure, "What a million windows cost in three layouts", f"Bars: {described}.")
costs.save(out / "figures" / "01_08_bill.svg")
costs

# %% [markdown]
# At these prices nearly all of the bill is traffic. In the bucket's own region it is free, and the order turns round:
# the large chunks are the cheapest. The number in flight is yours to set, with `storage_options={"concurrency": 32}`;
# if the share of refused requests rises, turn it down.

# %% [markdown] tags=["section-wrong"]
# ## One request in a hundred fails
#
# Nearly every request succeeds. A read of many chunks needs *all* of them. Let one in a hundred be refused, each
# independently of the others.

# %%
rate = 0.01
store = LatencyStore(small.store, 0.0, concurrency=1)  # one after the other, so that each run stops alike
faulty = FaultStore(store, seed=seed, unavailable=0.0)
array = zarr.open_array(faulty, mode="r", zarr_format=zarr_format)
faulty.rates["unavailable"] = rate
try:
    array[...]
except StoreError as error:
    print(f"{type(error).__name__}: {str(error).rpartition(': ')[2]}")
whole = (1 - rate) ** many
print(f"the probability that {many:,} requests all succeed: {100 * whole:.4f} percent")

# %% [markdown]
# So a reader asks again, and each answer costs 1 / (1 - rate) attempts on average. Ours counts.

# %%
retried = {}
for rate in (0.01, 0.1, 0.5):
    faulty = FaultStore(small.store, seed=seed, unavailable=rate)
    patient = RetryStore(faulty, attempts=40, sleep=lambda seconds: None)
    got = zarr.open_array(patient, mode="r", zarr_format=zarr_format)[...]
    assert np.array_equal(got, plane)
    retried[rate] = patient.retries
    expected = (total + 1) * rate / (1 - rate)
    print(f"{rate:4.0%} refused: {patient.retries:4,} more requests; expected {expected:6.1f}")

# %% [markdown]
# The data are whole each time. Against a bucket the library retries by itself. It waits a random time between attempts:
# clients that were refused together must not come back together.

# %% [markdown] tags=["section-predict"]
# ## Next to the bucket
#
# Move the computation next to the bucket: a latency of 3 milliseconds instead of 30. How many requests are worth
# having in flight now, with the limit of 1,000 in a second? And how long does the read take?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
near = 3.0
print(f"{requests_per_second * near / 1000:.0f} in flight")
for p in (1, 2, 4, 8, 1024):
    seconds, attempts = simulate(many, p, near / 1000, per_chunk, requests_per_second)
    print(f"{p:5,} in flight: {seconds:5.2f} s, {attempts:5,} attempts")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_08.1
#
# 1,000 requests, 48 in flight, 50 milliseconds each. How many seconds does it take? There is no limit, and the time for
# the bytes does not count.
#
# <details><summary>Hint</summary>
# Count rounds. The last one need not be full, and takes as long as the others.</details>

# %% tags=["exercise"]
seconds = ...
check("01_08.1", seconds)

# %% [markdown]
# ### Exercise 01_08.2
#
# One request in five is refused, and is made again until it succeeds. How many attempts do 1,000 answers take, on
# average?
#
# <details><summary>Hint</summary>
# Those that are made again can be refused again.</details>

# %% tags=["exercise"]
attempts = ...
check("01_08.2", attempts)

# %% [markdown]
# ### Exercise 01_08.3
#
# 2048 x 2048 values of 4 bytes. Find a layout that is read as a whole with at most 20 requests, while the window
# `[1000:1100, 300:400]` takes at most 4 requests and 256 KiB. Answer like this:
# `{"chunks": (512, 512)}`, or with `"shards"` as well.
#
# <details><summary>Hint</summary>
# Few objects, and small pieces in them. Which word in this lesson is that?</details>

# %% tags=["exercise"]
layout = ...
check("01_08.3", layout)

# %% [markdown]
# ### Exercise 01_08.4
#
# Write code: a reader wants several ranges of one object, and a short gap is cheaper than another request. `joined`
# gets pairs (start, stop) in any order and returns those to ask for, in order: ranges that overlap, or with at most
# `gap` bytes between them, come as one. The check tries lists that you do not see.
#
# <details><summary>Hint</summary>
# Sort them. Each begins a new range, or makes the last one longer. Can it end before that one does?</details>


# %% tags=["exercise"]
def joined(ranges, gap):
    # returns a list of pairs (start, stop)
    ...


check("01_08.4", joined)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `storage_options={"concurrency": 32}`, 64 without | `zarr.config.set({"async.concurrency": 32})`, 10 without | - |
# | `shards=(512, 512)`: a part costs the index and one range | the same name and requests; inner chunks lie in Morton order, so a row of them brings more bytes and a square fewer | - |
# | `store.get(key, -1028)`, the last bytes | `store.get_sync(key, byte_range=SuffixByteRequest(1028))` | - |
# | `LatencyStore(store, 0.03, clock=VirtualClock())` | `zarr.testing.store.LatencyStore(store, get_latency=0.03)` | a clock that does not wait |
# | `RetryStore(store)` around any store | obstore's buckets ask again by themselves, by their `retry_config` | asking again around any other store |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store)` logs the key and the time of each call, and counts calls by name | the bytes |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - As long as latency decides, a read takes as many rounds as its requests divided by those in flight, rounded up, and
#   a latency for each.
# - Requests in a second times latency are worth having in flight. Beyond the pipe's rate more brings nothing, and
#   beyond the server's rate it brings refusals and waiting: here, with 1,024, several times the requests.
# - A range request fetches a part of an object; a shard's index lies in its last bytes and says which part.
# - Small chunks ask often, large ones bring bytes that are not wanted, shards do less of both and make two trips. Where
#   traffic has a price the bytes are most of the bill, in the bucket's own region the requests.
# - With enough requests some fail. If failures are independent, each answer costs 1 / (1 - rate) attempts on average.
#
# **Open questions.** What of the one answer in a thousand that takes a second? Who shares the limit with you? Would
# you ask twice, and take the first answer?
#
# **To read further.**
#
# - [Amazon S3, performance guidelines](https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html): the limits of a real service, and what it advises
# - [Exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): why clients should wait a random time, with simulations
# - [The Tail at Scale](https://doi.org/10.1145/2408776.2408794): what the slowest of many answers does to the whole
# - [Zarr v3, the sharding codec](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html): the index, byte by byte
#
# **Next.** [01_09](01_09_profiling.ipynb): where does the time go when a read is slow?

# %%
if server is not None:
    server.close()

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 20 full rounds and one for the rest.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_08.1", math.ceil(1000 / 48) * 0.05)

# %% [markdown]
# 1,000 answers, a share of 4/5 of the attempts.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_08.2", 1000 / (1 - 1 / 5))

# %% [markdown]
# 16 shards hold the chunks; the window lies in two of them, an index and a range each.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_08.3", {"chunks": (64, 64), "shards": (512, 512)})

# %% [markdown]
# One pass over the ranges, sorted; the last one grows as long as the next one begins close enough.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def joined(ranges, gap):
    found = []
    for start, stop in sorted(ranges):
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


check("01_08.4", joined)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "side": n,
        "mebibytes": plane.nbytes / 2**20,
        "chunk": {"side": 64, "kibibytes": 16, "bytes": 64 * 64 * 4, "chunks": total, "many": many},
        "model": {
            "latency_ms": latency_ms,
            "megabytes_per_second": megabytes_per_second,
            "requests_per_second": requests_per_second,
            "bytes_alone_seconds": many * per_chunk,
        },
        "by_library": {str(p): round(seconds, 6) for p, seconds in by_library.items()},
        "in_flight": ways,
        "no_limit": {str(p): seconds for p, (seconds, _) in free_run.items()},
        "limited": {str(p): {"seconds": s, "attempts": a} for p, (s, a) in limited.items()},
        "attempts_for_each": limited[1024][1] / many,
        "fastest": fastest,
        "worth": worth,
        "pipe_rate": pipe_rate,
        "objects": objects,
        "large_side": 512,
        "index": {"bytes": index_bytes, "entry": 16, "chunks_in_shard": 64, "checksum": 4},
        "requests": {name: {q: asked[q, name] for q in questions} for name in layouts},
        "bytes": {name: {q: fetched[q, name] for q in questions} for name in layouts},
        "kibibytes": {name: {q: fetched[q, name] / 1024 for q in questions} for name in layouts},
        "bill": bill,
        "bill_total": {name: sum(parts.values()) for name, parts in bill.items()},
        "prices": [usd_per_million_gets, usd_per_gigabyte_out],
        "refused": {"percents": [1, 10, 50], "chance_of_a_whole_read_percent": 100 * whole},
        "retries": {str(rate): count for rate, count in retried.items()},
        "near": {str(p): simulate(many, p, near / 1000, per_chunk, requests_per_second)[0] for p in (2, 4, 1024)},
        "near_ms": near,
        "exercise_limits": [1000, 48, 50, 20, 4],
    },
)
