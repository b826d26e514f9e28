# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Keep fast producers from filling your memory
#
# **Question.** What happens when data arrive faster than the store can take them?
#
# ![Chunks in memory over time, with and without a bound on the queue. Without, they pile up to 189 while data arrive;
# with a bound of 4 there are never more than 5. Both jobs end in the same second.](../../articles/figures/03_01_queue.svg)
#
# *The same data, the same writer, the same end. Only one of the two fits into memory.*
#
# A download is faster than a disk, a sensor does not wait, a simulation hands out its arrays when they are done. In
# between stands a queue, and nobody looks at it. It is the most common way in which a pipeline that worked for a
# thousand files dies at a million: not with an error, but when the memory is full.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb), [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb) |
# | **Code** | `tutorial_zarr/parallel.py`, `tutorial_zarr/tools/ingestion` |
# | **Article** | none |
# | **Data** | a plane in which every value names its place (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - say what a bound on a queue costs, and what it does not cost
# - check any trace of a queue with Little's law
# - bound the memory of a pipeline at (queue + workers) chunks, and prove it by counting
# - end a job on SIGTERM without losing what it has taken
# - choose between waiting and dropping, and see what a drop leaves in the array
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# A chunk arrives every `every` milliseconds and takes `service` milliseconds to write. The queue holds `maxsize`.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 5,000 chunks in the simulation instead of 500
workers = 2  # real threads; the simulation has one writer
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
every, service, maxsize = 10, 16, 4

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import queue
import subprocess
import sys
import threading
import time
from hashlib import sha256

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import MemoryStore
from tutorial_zarr.viz.chart import BLUE, GREY, VERMILION

out = output_folder(out_dir)
in_range(every=(every, 1, 1000), service=(service, 1, 1000), maxsize=(maxsize, 1, 1000))
in_range(workers=(workers, 1, 16), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-idea"]
# ## Something has to give: the memory, the data, or the producer
#
# If more comes in than goes out, the difference must stay somewhere. A queue without a limit keeps it in memory. A
# queue that throws away what does not fit loses data. A queue with a limit that makes its producer wait does neither:
# this is **[backpressure](https://en.wikipedia.org/wiki/Back_pressure#Backpressure_in_information_technology "A slow
# receiver makes the sender wait, instead of letting data pile up between the two.")**.
#
# **Write down a guess.** 500 chunks arrive every 10 ms, a writer takes 16 ms for each. With a queue of at most 4, how
# much later is the job done than with a queue without a limit?

# %% [markdown] tags=["section-build"]
# ## Build it small: a queue is three times for each chunk
#
# When it is accepted, when the writer begins, when the writer is done. With a bound, a chunk is accepted only when a
# place is free; the producer stands still until then, and makes the next one after that.


# %%
def line(gaps, services, bound=None):
    """For each chunk (accepted, begun, done), in milliseconds; one writer, and at most `bound` chunks that wait."""
    times, now = [], 0
    for k, (gap, takes) in enumerate(zip(gaps, services, strict=True)):
        accepted = now + gap
        if bound is not None and k >= bound:
            accepted = max(accepted, times[k - bound][1])  # the chunk `bound` places ahead has left the queue
        begun = max(accepted, times[-1][2] if times else 0)
        times.append((accepted, begun, begun + takes))
        now = accepted
    return times


# %%
n = 500 if quick else 5_000
steady = [every] * n, [service] * n
free, bounded = line(*steady), line(*steady, bound=maxsize)


# %%
def in_memory(times):
    """(moment, chunks accepted and not yet done) at each moment when that changes."""
    events = sorted([(accepted, 1) for accepted, _, _ in times] + [(done, -1) for _, _, done in times])
    return [moment for moment, _ in events], np.cumsum([change for _, change in events]).tolist()


chunk_bytes = 64 * 1440 * 4
for name, times in (("no limit", free), (f"at most {maxsize} wait", bounded)):
    most = max(in_memory(times)[1])
    print(f"{name:16} {most:5} chunks at most, {most * chunk_bytes / 1e6:7.1f} MB; done at {times[-1][2]:,} ms")
end_free, end_bounded = free[-1][2], bounded[-1][2]
most_free, most_bounded = max(in_memory(free)[1]), max(in_memory(bounded)[1])
assert end_free == end_bounded

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.6)
for times, colour, label in ((free, VERMILION, "no limit"), (bounded, BLUE, f"at most {maxsize} wait")):
    moments, held = in_memory(times)
    panel.step([moment / 1000 for moment in moments], held, where="post", color=colour, label=label)
panel.axvline(end_free / 1000, color=GREY, linewidth=0.8, linestyle="--")
panel.annotate(
    "both are done", (end_free / 1000, most_free * 0.9), xytext=(-6, 0), textcoords="offset points", ha="right"
)
panel.set(xlabel="seconds", ylabel="chunks in memory", title="One writer, 500 chunks" if quick else "One writer")
panel.legend(loc="upper left")
described = f"Chunks in memory over time. Without a limit they reach {most_free}, with a bound of {maxsize} never more "
described += f"than {most_bounded}. Both jobs are done after {end_free / 1000:.1f} s."
piled = viz.Chart.of(figure, "What waits in memory", described)
piled.save(out / "figures" / "03_01_queue.svg")
piled

# %% [markdown]
# Not a millisecond later. The writer is the slow part, and it never waits: with one chunk in the queue it has
# something to do. A longer queue cannot make it faster. It can only make the memory fuller.
#
# If writes take longer at times, a queue of one is not quite enough: the writer may find it empty. How long must it be?

# %%
draws = np.random.PCG64(seed).random_raw(2 * n) / 2**64
uneven = -every * np.log1p(-draws[:n]), -every * np.log1p(-draws[n:])  # equal means, exponential, both
done_by = {bound: round(float(line(*uneven, bound=bound)[-1][2])) for bound in (1, 2, 4, 8, 16, 32, None)}
for bound, end in done_by.items():
    print(
        f"at most {bound if bound else 'all':>4} wait: done at {end:,} ms, {end / done_by[None] - 1:6.1%} later than without a limit"
    )

# %% [markdown]
# That is the hard case: a producer and a writer of the same mean speed, both with random times (exponential ones, the
# textbook's **[M/M/1 queue](https://en.wikipedia.org/wiki/M/M/1_queue "A queue with one server in which both the times
# between arrivals and the times of service are random, and exponentially distributed.")**). In this run sixteen places
# are as good as no limit. What sets the bound is how uneven the times are.

# %% [markdown] tags=["section-build"]
# ## A law without assumptions
#
# How many chunks are in memory on average? Nobody has to watch. **[Little's law](../GLOSSARY.md#littles-law)**: the mean
# number inside is the rate of arrival times the mean time inside. It holds for every queue that begins and ends empty.


# %%
def little(times):
    """The mean number inside, by watching, and by Little's law."""
    moments, held = in_memory(times)
    whole = moments[-1] - moments[0]
    watched = sum(count * (after - before) for count, before, after in zip(held, moments, moments[1:], strict=False))
    inside = [done - accepted for accepted, _, done in times]
    return watched / whole, len(times) / whole * (sum(inside) / len(inside))


laws = {}
for name, times in {"no limit": free, "bounded": bounded, "uneven times": line(*uneven, bound=8)}.items():
    laws[name] = little(times)
    print(f"{name:13} watched {laws[name][0]:8.3f}, by the law {laws[name][1]:8.3f}")
    assert np.isclose(*laws[name], rtol=1e-9)

# %% [markdown]
# Read backwards it is a tool: from a log that has arrivals and ends alone, you know how much was in memory. If the
# numbers disagree, the log has lost something.

# %% [markdown] tags=["section-library"]
# ## Real threads, held still, and counted
#
# Now a Zarr array, a `queue.Queue` and `workers` threads. To see the most that can be in memory, without a clock: the
# writers' store waits at a gate. With the gate shut the producer runs on until it is stopped, or until it is through.


# %%
class Gate(MemoryStore):
    """A store whose writes wait until somebody opens it."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()

    def set(self, key, value):
        if not key.endswith(("zarr.json", ".zarray", ".zattrs")):
            self.open.wait()
        super().set(key, value)


# %%
plane = fields.make("small", seed).arrays["gradient"]
side, blocks = 64, list(np.ndindex(8, 8))


layout = {"shape": plane.shape, "chunks": (side, side), "dtype": "float32", "fill_value": -1}
layout["zarr_format"] = zarr_format


def region(at):
    return tuple(slice(i * side, (i + 1) * side) for i in at)


# %%
def write_from(waiting, array):
    """What a writer does: take a chunk and write it, until None comes."""
    while (item := waiting.get()) is not None:
        array[region(item[0])] = item[1]


# %%
def pipeline(limit):
    """What writes the plane through a queue of `limit` (0: none): store, array, threads, and the chunks taken."""
    store, waiting, taken = Gate(), queue.Queue(limit), []
    array = zarr.create_array(store, **layout)

    def produce():
        for at in blocks:
            taken.append(at)  # the chunk is in memory from here on
            waiting.put((at, plane[region(at)].copy()))
        for _ in range(workers):
            waiting.put(None)  # for each writer: no more comes

    writers = [threading.Thread(target=write_from, args=(waiting, array)) for _ in range(workers)]
    return store, array, [threading.Thread(target=produce), *writers], taken


# %% [markdown]
# With the gate shut each writer holds one chunk, the queue is full, and the producer holds one more, for which there is
# no place. That is the whole bound: queue + workers + 1.

# %%
most_taken, hashes = {}, {}
for limit in (0, maxsize):
    store, array, threads, taken = pipeline(limit)
    for thread in threads:
        thread.start()
    expected = len(blocks) if limit == 0 else limit + workers + 1
    while len(taken) < expected:
        time.sleep(0.001)
    time.sleep(0.05)  # time to take more, if anything could
    most_taken[limit] = len(taken)
    store.open.set()
    for thread in threads:
        thread.join()
    hashes[limit] = sha256(array[...].tobytes()).hexdigest()
    print(f"limit {limit or 'none':>4}: {most_taken[limit]:2} of {len(blocks)} chunks taken with the gate shut")

# %%
assert most_taken == {0: len(blocks), maxsize: maxsize + workers + 1}
assert set(hashes.values()) == {sha256(plane.tobytes()).hexdigest()}
print(f"both arrays hold the plane, sha256 {hashes[maxsize][:16]}")

# %% [markdown]
# The library's ways have the bound built in: `ingest`, `chunk_stream` and `parallel_chunk_map` take a window of
# chunks from any iterator, as the loop of [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) does. A
# generator stands still between two `next`: that *is* backpressure.

# %%
handed, ahead = [], []


def generated():
    for at in blocks:
        handed.append(at)
        yield at, plane[region(at)]


# %%
array = zarr.create_array(out / "plane.zarr", **layout, overwrite=True)


def note(done, of):
    ahead.append(len(handed) - done)


report = zarr.ingest(generated(), array, workers=workers, executor="threads", progress=note)
print(f"{len(handed)} chunks; the generator was never more than {workers + 1} ahead")
assert report.ok
assert max(ahead) <= workers + 1

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same plane:")
others = interop_check(out / "plane.zarr", expected=plane)
print(others)
assert not others.differing

# %% [markdown] tags=["section-operations"]
# ## SIGTERM: a minute to put things away
#
# A cluster that wants its machine back sends **[SIGTERM](https://en.wikipedia.org/wiki/Signal_%28IPC%29#SIGTERM "The signal
# that asks a process to end; unlike SIGKILL it can be caught, so that the process can put things away.")** first. What
# has been taken and not written is then in your memory alone. Python's default is to die at once, without leaving any
# `with` block.

# %%
PROGRAM = """
import signal, sys
import tutorial_zarr as zarr

path, caught = sys.argv[1], sys.argv[2] == "caught"
if caught:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
array = zarr.create_array(path, shape=(0,), chunks=(100,), dtype="i4", zarr_format=int(sys.argv[3]))
with zarr.AppendBuffer(array) as buffer:
    for reading in range(250):
        buffer.append([reading])
    signal.raise_signal(signal.SIGTERM)  # the cluster wants its machine back
"""

# %%
kept = {}
for how in ("not caught", "caught"):
    folder = out / f"{how.replace(' ', '_')}.zarr"
    subprocess.run([sys.executable, "-c", PROGRAM, folder, how, str(zarr_format)], check=False, cwd=out)
    kept[how] = zarr.open_array(folder, mode="r").shape[0]
    print(f"SIGTERM {how:10}: {kept[how]} of 250 readings are in the array")
assert kept == {"not caught": 200, "caught": 250}

# %% [markdown]
# One line turns the signal into `SystemExit`, the `with` block is left in order, and the buffer writes its rest. For
# SIGKILL, which nobody can catch, there is the journal of [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb).

# %% [markdown] tags=["section-wrong"]
# ## A drop reads as a fill value
#
# The other policy: if the queue is full, throw the chunk away. It keeps a live display live. In an archive it leaves
# holes, and a hole is no error. Here the writer does nothing until the producer is through.

# %%
small, dropped = queue.Queue(maxsize), []
for at in blocks:
    try:
        small.put_nowait(at)
    except queue.Full:
        dropped.append(at)  # without this line nobody would ever know
holes = zarr.create_array({}, **layout)
while not small.empty():
    at = small.get()
    holes[region(at)] = plane[region(at)]
print(f"{len(dropped)} of {len(blocks)} chunks dropped; {holes.nchunks_initialized} stored")
print(f"mean by the array {holes[...].mean():.2f}, in truth {plane.mean():.2f}, and no error")
assert holes.nchunks_initialized == maxsize

# %% [markdown]
# If you must drop, count it, write it down, and choose a fill value that cannot be a measurement.

# %% [markdown] tags=["section-predict"]
# ## Serve the newest first
#
# The writer of the queue without a limit takes the newest chunk instead of the oldest. Does the mean number in memory
# change? Does the longest time that a chunk waits? Two guesses, then run.


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
heap, accepted, moment, inside, k = [], np.cumsum(steady[0]).tolist(), 0, [], 0
while len(inside) < n:
    while k < n and accepted[k] <= moment:
        heap.append(accepted[k])
        k += 1
    if heap:
        moment += service
        inside.append(moment - heap.pop())
    else:
        moment = accepted[k]
oldest_first = [done - come for come, _, done in free]
print(f"mean time inside: oldest first {np.mean(oldest_first):,.0f} ms, newest first {np.mean(inside):,.0f} ms")
print(f"longest:          oldest first {max(oldest_first):,} ms, newest first {max(inside):,} ms")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 03_01.1
#
# A log says: 1,200 chunks a minute, and each is in the pipeline for 2.5 seconds on average. How many chunks are in
# memory on average?
#
# <details><summary>Hint</summary>
# Little's law, with one unit of time.</details>

# %% tags=["exercise"]
mean_in_memory = ...
check("03_01.1", mean_in_memory)

# %% [markdown]
# ### Exercise 03_01.2
#
# You have 1 GB (10^9 bytes) for a pipeline of 8 writers, and chunks of 16 MB (16 * 10^6 bytes). The producer holds one
# chunk itself. How long may the queue be at most?
#
# <details><summary>Hint</summary>
# Who holds a chunk when nothing moves?</details>

# %% tags=["exercise"]
longest_queue = ...
check("03_01.2", longest_queue)

# %% [markdown]
# ### Exercise 03_01.3
#
# Write a function that finds the high-water mark of a log: of pairs (accepted, done) it gives the largest number of
# chunks that were in memory at once. A chunk that is done at a moment leaves before one that is accepted at it. The
# log is not sorted.
#
# <details><summary>Hint</summary>
# Turn each pair into two events, +1 and -1. In which order must two events of one moment come?</details>


# %% tags=["exercise"]
def high_water(log):
    """The most chunks that were in memory at once."""
    ...


check("03_01.3", high_water)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `ingest(blocks, array)` takes a few blocks at a time from any iterator | a thread pool's `map` takes all of them before the first is written | a way to write from an iterator |
# | `AppendBuffer(array)` writes whole chunks | `a.append(rows)` writes at once, each row into its chunk again | a buffer |
# | `nchunks_initialized` shows what was dropped | the same name | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - With a writer that is the slow part, a bound costs no time: it never finds the queue empty. With uneven times of equal
#   means, sixteen places cost nothing in this run.
# - The mean number inside is the rate times the mean time inside, for every queue that begins and ends empty; a log that
#   breaks the law has lost something.
# - The most that can be in memory is the queue, a chunk for each worker, and the one that the producer holds.
# - SIGTERM can be caught in one line, and then a `with` block writes what was taken. SIGKILL cannot.
# - To wait loses nothing. To drop leaves holes that read as fill values: count them.
#
# **Open questions.** What if the producer cannot wait, such as a telescope? How large must a buffer on a disk be then?
#
# **To read further.**
#
# - [Little's law at fifty](https://doi.org/10.1287/opre.1110.0940): its author on what it needs, and what people think it
#   needs.
# - [Python: queue](https://docs.python.org/3/library/queue.html): `Queue(maxsize)`, and how to shut one down.
# - [Reactive Streams](https://www.reactive-streams.org/): a standard for backpressure between programs, in four
#   interfaces.
#
# **Next.** And if the network, the disk or a worker fails in the midst of it?
# [03_02](03_02_fault_tolerant_ingestion.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 1,200 a minute are 20 a second, for 2.5 seconds.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("03_01.1", 1200 / 60 * 2.5)

# %% [markdown]
# 62 chunks fit. Eight are with the writers, and one with the producer.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("03_01.2", 10**9 // (16 * 10**6) - 8 - 1)

# %% [markdown]
# Sorted as pairs, -1 comes before +1 at the same moment: who is done leaves first.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def high_water(log):
    """The most chunks that were in memory at once."""
    events = sorted([(accepted, 1) for accepted, _ in log] + [(done, -1) for _, done in log])
    inside = most = 0
    for _, change in events:
        inside += change
        most = max(most, inside)
    return most


check("03_01.3", high_water)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "chunks": n,
        "most_in_memory": {"no limit": most_free, "bounded": most_bounded},
        "done_ms": {"no limit": end_free, "bounded": end_bounded},
        "uneven_done_ms": {str(bound): end for bound, end in done_by.items()},
        "little": {name: [round(value, 6) for value in pair] for name, pair in laws.items()},
        "taken_with_the_gate_shut": {str(limit): most for limit, most in most_taken.items()},
        "kept_on_sigterm": kept,
        "dropped": len(dropped),
        "mean_inside_ms": [round(float(np.mean(oldest_first)), 3), round(float(np.mean(inside)), 3)],
        "longest_inside_ms": [max(oldest_first), max(inside)],
    },
)
