# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Write a correct store over a network, a disk and workers that fail
#
# **Question.** Can the store be right if the network, the disk or the process is not?
#
# ![A map of 256 chunks, written without protection: holes, chunks that cannot be read, and chunks that are wrong
# in silence, scattered at random.](../../articles/figures/03_02_damage.svg)
#
# *What a job that goes on regardless leaves behind. Which of these would you have noticed?*
#
# A fault that comes once in a million requests comes about once a night to a job that writes a million chunks. A job
# that stops at the first fault never ends; a job that goes on regardless ends with a store that is wrong. There is a
# third way, and its end can be proved: the same bytes as on a day without a fault.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 50 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/tools/ingestion`, `tutorial_zarr/stores/retry.py`, `tutorial_zarr/tools/doctor` |
# | **Article** | none |
# | **Data** | a plane in which every value names its place (`data_gen/fields.py`) |
#
# **You will be able to**
#
# - tell which faults announce themselves, and which report success
# - retry with full jitter, and choose the number of attempts by arithmetic
# - replace a value so that a killed writer leaves the old one or the new one
# - let workers die, and still write every chunk
# - find what is damaged with the doctor, key by key, and write just that again
# - say what neither a retry nor a checksum can notice
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `p503` is how often the network says no, `p_torn` how often it stores half a value and reports success. The worker
# that writes chunk number `kill_at` is killed. Dead workers are replaced `max_restarts` times.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 2048 x 2048 values instead of 512 x 512, and more requests
workers = 2  # processes
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
p503 = 0.10
p_torn = 0.03
kill_at = 100  # 0 to 255
max_restarts = 20

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import heapq
import shutil
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from math import lgamma, log

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import fields
from tutorial_zarr import doctor, viz
from tutorial_zarr.codecs.checksums import crc32c
from tutorial_zarr.errors import ChunkError, StoreError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts
from tutorial_zarr.stores import FaultStore, LocalStore, MemoryStore, RetryStore
from tutorial_zarr.viz.chart import BLUE, ORANGE, PURPLE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
need("tenacity")
in_range(workers=(workers, 1, 16), zarr_format=(zarr_format, 2, 3), p503=(p503, 0.01, 0.3), p_torn=(p_torn, 0.0, 0.2))
in_range(kill_at=(kill_at, 0, 255), max_restarts=(max_restarts, 1, 100))
out = output_folder(out_dir)
work = out / "run"
shutil.rmtree(work, ignore_errors=True)  # what an earlier run in this folder left
work.mkdir()

# %% [markdown] tags=["section-data"]
# ## Every value names its place, and the source can be asked again
#
# The value at row r, column c is r + c / 4096, so what is out of place is seen at once. 256 chunks; the source can be
# asked for each of them again. Everything below rests on that: a source that is gone cannot repair anything.

# %%
data = fields.make("small" if quick else "large", seed)
values = data.arrays["gradient"]
assert all(low <= value <= high for value, low, high in fields.realism(data).values())
side, everything = len(values) // 16, list(np.ndindex(16, 16))
print(f"{values.shape[0]} x {values.shape[1]} values in 256 chunks of {side} x {side}")


def region(at):
    """Where in the plane a chunk lies."""
    return tuple(slice(i * side, (i + 1) * side) for i in at)


def block(at):
    """What the source says belongs in a chunk."""
    return values[region(at)]


# %% [markdown] tags=["section-idea"]
# ## Two faults announce themselves, two report success
#
# First without protection. Four things go wrong between us and the disk, and afterwards the disk itself turns three
# bits (a **[bit flip](https://en.wikipedia.org/wiki/Soft_error "A stored bit that changes by itself, by radiation or a
# worn cell; nothing is reported until something compares.")**):
#
# | fault | what happens | what the writer is told |
# |---|---|---|
# | unavailable | nothing is written | 503 |
# | timeout | it is written | nothing |
# | torn | half of it is written | success |
# | lost | nothing is written | success |

# %%
rates = {"unavailable": p503, "timeout": 0.02, "torn": p_torn, "lost": 0.02}
HOLE = -1.0  # the fill value; the plane has no such value
shape = {"shape": values.shape, "chunks": (side, side), "dtype": "float32", "fill_value": HOLE}
naive_folder = work / "naive.zarr"
naive = zarr.create_array(naive_folder, **shape, compressors=None, zarr_format=zarr_format)

# %%
network = FaultStore(LocalStore(naive_folder), seed, match=lambda key: key[-1].isdigit(), **rates)  # chunks only
unsafe, logged = zarr.open_array(network, mode="r+"), 0
for at in everything:
    try:
        unsafe[region(at)] = block(at)
    except StoreError:
        logged += 1  # a line in some log; the job goes on
injected = Counter(fault.kind for fault in network.injected)
print(f"{logged} errors in the log; in truth {dict(sorted(injected.items()))}")


# %%
def damage(folder):
    """For each chunk: 0 right, 1 missing, 2 unreadable, 3 wrong in silence."""
    array, grid = zarr.open_array(folder, mode="r"), np.zeros((16, 16), int)
    for at in everything:
        try:
            found = array.read_chunk(at)
            grid[at] = 0 if np.array_equal(found, block(at)) else 1 if (found == HOLE).all() else 3
        except ChunkError:
            grid[at] = 2
    return grid


# %%
def turn_a_bit(path):
    """What a bad disk does: one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def three_right(grid):
    """Three of the chunks that are right, by chance that is the same everywhere."""
    right = [tuple(map(int, at)) for at in np.argwhere(grid == 0)]
    return [right.pop(int(draw % len(right))) for draw in np.random.PCG64(seed).random_raw(3)]


for at in three_right(damage(naive_folder)):
    turn_a_bit(naive_folder / naive.chunk_key(at))

# %%
STATES = ("right", "missing", "unreadable", "wrong in silence")
LOOKS = ((SKY, ".", 40), (ORANGE, "s", 50), (PURPLE, "X", 60), (VERMILION, "D", 50))


def count_states(grid):
    return {name: int((grid == state).sum()) for state, name in enumerate(STATES)}


def draw_damage(panel, grid, title):
    for (state, (name, many)), (colour, mark, size) in zip(enumerate(count_states(grid).items()), LOOKS, strict=True):
        rows, columns = np.nonzero(grid == state)
        panel.scatter(columns, rows, c=colour, marker=mark, s=size, label=f"{many} {name}", linewidths=0)
    panel.set(title=title, xlim=(-0.7, 15.7), ylim=(15.7, -0.7), xticks=[], yticks=[], aspect="equal")
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, fontsize=9, handletextpad=0.2)


# %% tags=["hide-input"] jupyter={"source_hidden": true}
before = damage(naive_folder)
figure, panel = viz.canvas(4.6, 5.0)
draw_damage(panel, before, "256 chunks, no protection")
told = ", ".join(f"{many} {name}" for name, many in count_states(before).items())
unsafe_map = viz.Chart.of(figure, "The damage without protection", f"A map of 256 chunks: {told}; scattered at random.")
unsafe_map.save(out / "figures" / "03_02_damage.svg")
unsafe_map

# %% [markdown]
# Of these, a reader is told of the unreadable ones only. Holes read as the fill value, turned bits as numbers.
#
# Now let every request that fails be made again, until it succeeds. **Write down a guess:** how many of the 256
# chunks are wrong then?

# %% [markdown] tags=["section-build"]
# ## Build it small: ask again, replace whole
#
# **Ask again, but not all at once.** 64 clients are refused by a server that takes 8 requests in 100 milliseconds. Each
# waits 100 milliseconds, then twice as long each time (**[exponential
# backoff](https://en.wikipedia.org/wiki/Exponential_backoff "Waiting twice as long after each failed attempt, so that
# an overloaded server gets time to recover.")**). With full
# **[jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ "A random part in a waiting time,
# so that clients that failed together do not come back together.")** it waits anything from zero up to that.


# %%
def herd(jitter, clients=64, capacity=8):
    """All attempts, as (milliseconds, client, whether it was served)."""
    chance, taken, attempts = iter(np.random.PCG64(seed).random_raw(10_000).tolist()), Counter(), []
    waiting = [(0, client, 0) for client in range(clients)]
    while waiting:
        now, client, tried = heapq.heappop(waiting)
        served = taken[now // 100] < capacity
        taken[now // 100] += served
        attempts.append((now, client, served))
        if not served:
            longest = 100 * 2**tried
            wait = next(chance) % longest + 1 if jitter else longest
            heapq.heappush(waiting, (now + wait, client, tried + 1))
    return attempts


# %% tags=["hide-input"] jupyter={"source_hidden": true}
herds = {"backoff": herd(jitter=False), "backoff with full jitter": herd(jitter=True)}
figure, panels = viz.canvas(7.2, 5.2, 2, 1, sharex=True)
for panel, (name, attempts) in zip(panels, herds.items(), strict=True):
    for served, colour, mark in ((False, VERMILION, "x"), (True, BLUE, "o")):
        points = [(now / 1000, client) for now, client, ok in attempts if ok == served]
        label = f"{len(points)} {'served' if served else 'refused'}"
        panel.scatter(*zip(*points, strict=True), c=colour, marker=mark, s=14, linewidths=1, label=label)
    panel.set(title=f"{name}: {max(attempts)[0] / 1000:.1f} s", ylabel="client")
    panel.legend(loc="lower right")
panels[1].set_xlabel("seconds")
ends = {name: max(attempts)[0] / 1000 for name, attempts in herds.items()}
told = "; ".join(f"{name}: {len(a)} attempts, the last after {ends[name]:.1f} s" for name, a in herds.items())
viz.Chart.of(figure, "Attempts of 64 clients", f"{told}. Without jitter the attempts stand in columns, with it apart.")

# %% [markdown]
# Clients refused together come back together (a **[thundering
# herd](https://en.wikipedia.org/wiki/Thundering_herd_problem "Many clients that were waiting for the same thing wake at
# the same moment, and all but a few are refused again.")**), and each time eight are served. Random waits spread them
# out.

# %% [markdown]
# **Replace, never overwrite.** A process that writes is killed halfway: once in place, once beside it under another
# name, which it would have renamed at the end (an **[atomic rename](../GLOSSARY.md#atomic-rename)**). A kill is less
# than a power cut. After that, a renamed file may be empty unless
# **[fsync](https://man7.org/linux/man-pages/man2/fsync.2.html "The call that returns when the disk itself holds what
# was written; before it, a power cut may leave an empty file.")** had it on the disk first.

# %%
WRITER = """
import os, sys
place, beside = sys.argv[1:]
with open(beside or place, "wb") as file:
    file.write(b"new " * 128)
    file.flush()
    print("half of it", flush=True)
    sys.stdin.read()  # never returns: killed here
    file.write(b"new " * 128)
if beside:
    os.replace(beside, place)
"""


# %%
def killed_halfway(place, beside=""):
    """What stands at `place` after a process that wrote there was killed."""
    place.write_bytes(b"old " * 256)
    command = [sys.executable, "-c", WRITER, str(place), str(beside)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
    return place.read_bytes()


in_place, renamed = killed_halfway(work / "value"), killed_halfway(work / "value", work / "value.partial")
for name, content in (("written in place", in_place), ("renamed at the end", renamed)):
    print(f"{name}: {len(content)} bytes, {sorted(set(content.split()))}")
assert renamed == b"old " * 256

# %% [markdown] tags=["section-library"]
# ## Workers that die, and a supervisor that outlives them
#
# `RetryStore` waits with full jitter, `LocalStore` writes beside and renames, the codec `crc32c` adds a
# **[checksum](https://en.wikipedia.org/wiki/Checksum "A short number computed from data and kept with them; if it does
# not fit when it is computed again, something changed.")** of four bytes, and `ingest` hands chunks to processes and
# watches over them.
#
# The workers live in other processes, so what they need stands in a module. First a folder whose writer is killed once,
# at the worst moment: when all is written and nothing is renamed.

# %%
KILLED = """
import os, signal
from pathlib import Path
from tutorial_zarr.stores import FaultStore, LocalStore, RetryStore

class MortalFolder(LocalStore):
    doomed = mark = None

    def set(self, key, value):
        if key == self.doomed and not self.mark.exists():
            self.mark.touch()
            number = getattr(signal, "SIGKILL", signal.SIGTERM)
            os.replace = lambda *names: os.kill(os.getpid(), number)
        super().set(key, value)
"""

# %% [markdown]
# Around it go the faults and the retries: a store that notes which faults each request met, and the one that is built
# of all three. It can be pickled, so it can be sent to a worker.

# %%
NOTED = """
class Noted(RetryStore):
    notes = None

    def around(self, request, call, value=None):
        before = len(self.store.injected)
        result = super().around(request, call, value)
        came = [fault.kind for fault in self.store.injected[before:]]
        with Path(self.notes, f"{os.getpid()}.txt").open("a") as file:
            print(request.verb, request.key, *came, file=file)
        return result
"""

# %%
NETWORK = """
class Shaky(Noted):
    def __init__(self, folder, doomed, seed, rates, notes):
        self.given, self.notes, inside = (folder, doomed, seed, rates, notes), notes, MortalFolder(folder)
        inside.doomed, inside.mark = doomed, Path(folder + ".killed")
        network = FaultStore(inside, seed, match=lambda key: key[-1].isdigit(), **rates)
        super().__init__(network, attempts=9, first_wait=0.001, max_wait=0.01)

    def __reduce__(self):
        return Shaky, self.given
"""

# %%
(work / "shaky_network.py").write_text(KILLED + NOTED + NETWORK, encoding="utf-8")
sys.path.insert(0, str(work))  # spawned processes are given the same path
from shaky_network import Shaky

safe_folder, clean_folder = work / "safe.zarr", work / "clean.zarr"
layout = {**shape, "compressors": "crc32c", "zarr_format": zarr_format}
clean, safe = (zarr.create_array(folder, **layout) for folder in (clean_folder, safe_folder))
clean[...] = values  # on a day without a fault
doomed, key_of = safe.chunk_key(divmod(kill_at, 16)), {at: safe.chunk_key(at) for at in everything}


def harm(kinds):
    """The fault that nobody was told of. (One that timed out is stored; if its retry is lost, it is still there.)"""
    return kinds[-1] if kinds[-1:] == ["torn"] or (kinds[-1:] == ["lost"] and "timeout" not in kinds) else ""


# %%
def ingest_round(chunks, turn):
    """Let the workers write some chunks. The report, and for each key the faults that its requests met."""
    (notes := work / f"notes {turn}").mkdir(exist_ok=True)
    store = Shaky(str(safe_folder), None if turn else doomed, seed + turn, rates, str(notes))
    array = zarr.open_array(store, mode="r+")
    how = {"workers": workers} if len(chunks) > 100 else {"workers": 1, "executor": "threads"}  # for a few
    report = zarr.ingest([(at, block(at)) for at in chunks], array, restarts=max_restarts, **how)
    lines = [line.split() for file in notes.iterdir() for line in file.read_text().splitlines()]
    assert report.ok, report
    return report, {key: kinds for verb, key, *kinds in lines if verb == "PUT"}


report, met = ingest_round(everything, 0)
after = damage(safe_folder)
print(report, count_states(after), sep="\n")

# %% [markdown]
# Every chunk was reported as written, a worker was killed and replaced, its chunk was done again. And what was torn
# or lost is still wrong: **nobody asks again after a success.**
#
# Then comes a night in which the disk turns two bits, and zeroes a block. In the morning we call the doctor.

# %%
turned, also_turned, zeroed = three_right(after)
for at in (turned, also_turned):
    turn_a_bit(safe_folder / key_of[at])
(safe_folder / key_of[zeroed]).write_bytes(bytes((safe_folder / key_of[zeroed]).stat().st_size))
planted = {at: harm(met[key]) for at, key in key_of.items() if harm(met[key])}
planted |= {turned: "bit turned", also_turned: "bit turned", zeroed: "zeroed"}


def see_the_doctor():
    """Its report, and for each chunk that must be written again, why."""
    report = doctor.examine(safe_folder)
    named = {fault.coords: fault.rule for fault in report.faults if fault.coords is not None}
    absent = doctor.census(zarr.open_array(safe_folder, mode="r")).coords(present=False)
    return report, named | dict.fromkeys(absent, "absent")


# %%
examined, found = see_the_doctor()
was_found, sick = dict(found), damage(safe_folder)
for (what, rule), many in sorted(Counter((planted.get(at), rule) for at, rule in found.items()).items()):
    at = min(at for at in found if (planted.get(at), found[at]) == (what, rule))
    print(f"{what:10} chunks: {many:3}, called {rule:10} such as {key_of[at]}")
assert set(found) == set(planted)
leftovers = [fault for fault in examined.faults if fault.rule == "leftover"]
print(f"the killed worker: {len(leftovers)} leftovers, though it died while it wrote {doomed}")
assert len(leftovers) <= (work / "safe.zarr.killed").exists()  # one where the second try was lost on its way
print(next(fault for fault in examined.faults if fault.coords == zeroed))

# %% [markdown]
# Each has its name and its key. What the killed worker had begun is gone: the next writer of that chunk takes over the
# file that a dead one left. *Absent* is not a fault to the doctor, because a chunk may be absent on purpose. Here none
# should be, so we ask the census too.
#
# What is broken is written again, through the same network, and examined again, until nothing is left. Twice is
# harmless: to write a chunk is **[idempotent](https://en.wikipedia.org/wiki/Idempotence "Said of a task that leaves the
# same result whether it is done once or several times.")**.


# %%
def attempts_of(met):
    """All requests of a round: one for each chunk, and one more for each that failed."""
    return len(met) + sum(kind in ("unavailable", "timeout") for kinds in met.values() for kind in kinds)


rounds = [{"chunks": len(everything), "requests": attempts_of(met), "left": len(found)}]
while found:
    chunks = sorted(found)
    report, met = ingest_round(chunks, len(rounds))
    examined, found = see_the_doctor()
    rounds.append({"chunks": len(chunks), "requests": attempts_of(met), "left": len(found)})
for action in doctor.repair(LocalStore(safe_folder), examined, leftover_age=0.0):
    print(action.what)
for number, row in enumerate(rounds, 1):
    print(f"round {number}: {row['chunks']:3} chunks in {row['requests']:3} requests, then {row['left']} to do")


# %%
def store_hash(folder):
    """One hash of all keys and values of a store."""
    doctor.write_manifest(LocalStore(folder), work / f"{folder.name}.sha256")
    return sha256(b"".join(sorted((work / f"{folder.name}.sha256").open("rb")))).hexdigest()


hashes = store_hash(clean_folder), store_hash(safe_folder)
print(*hashes, sep="\n")
assert hashes[0] == hashes[1]
assert doctor.examine(safe_folder).ok

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(7.2, 4.6, 1, 2)
healed = damage(safe_folder)
draw_damage(panels[0], sick, "as the doctor found it")
draw_damage(panels[1], healed, "and left it")
told = [", ".join(f"{many} {name}" for name, many in count_states(grid).items()) for grid in (sick, healed)]
viz.Chart.of(figure, "Before and after the repair", f"Two maps of 256 chunks. Before: {told[0]}. After: {told[1]}.")

# %% [markdown]
# The store is the one of a day without a fault, to the last byte. No step was clever: a value is replaced whole, a
# task can be done twice, damage shows, and the source can be asked again.

# %% [markdown] tags=["section-bytes"]
# ## Four bytes at the end of each chunk
#
# The end of a chunk: the last three numbers, and four bytes of CRC-32C over all 4,096 before them (in quick mode).

# %%
encoded = safe.encoded_chunk(turned)
print(viz.hexdump(encoded[-16:], notes={0: "numbers", 12: "crc32c"}))
print(f"{crc32c(encoded[:-4]):08x} computed, {encoded[-4:][::-1].hex()} stored")
changed = MemoryStore({key: bytes(safe.store.get(key)) for key in safe.store.list_prefix()})
changed.set(key_of[turned], bytes([encoded[0] ^ 1]) + encoded[1:])
try:
    zarr.open_array(changed, mode="r").read_chunk(turned)
except ChunkError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# Other readers see the same values, and check the same four bytes. (TensorStore knows this codec in Zarr 3 only.)

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
readers = ("zarr-python", "tensorstore") if zarr_format == 3 else ("zarr-python",)
report = interop_check(safe_folder, expected=values, readers=readers)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## What retries cost: 1 / (1 - p) requests
#
# If each attempt fails with probability p, independent of the others, then k attempts all fail with probability p^k,
# and 1 / (1 - p) are needed on average (a **[geometric
# distribution](https://en.wikipedia.org/wiki/Geometric_distribution "How many independent attempts it takes until the
# first success: k of them with probability p to the power k - 1, times 1 - p.")**). An outage is not like that: it
# fails them all. Counted:

# %%
many, asked = 4096 if quick else 20_000, []
patient = RetryStore(FaultStore(MemoryStore(), seed, unavailable=p503), attempts=100, sleep=lambda seconds: None)
for number in range(many):
    before_it = patient.retries
    patient.set(f"value/{number}", b"x")
    asked.append(1 + patient.retries - before_it)
print(f"{sum(asked) / many:.4f} attempts on average; expected {1 / (1 - p503):.4f}")


def band(n, p):
    """Where 99 of 100 binomial counts of n trials with probability p lie."""
    k = np.arange(n + 1)
    ways = lgamma(n + 1) - np.array([lgamma(i + 1) + lgamma(n - i + 1) for i in k.tolist()])
    return np.searchsorted(np.exp(ways + k * log(p) + (n - k) * log(1 - p)).cumsum(), (0.005, 0.995))


# %% tags=["hide-input"] jupyter={"source_hidden": true}
tries = list(range(1, max(asked) + 1))
counted = [asked.count(k) for k in tries]
bands = [band(many, p503 ** (k - 1) * (1 - p503)).tolist() for k in tries]
figure, panel = viz.canvas(6.4, 3.6)
lows, highs = np.array(bands).T
panel.bar(tries, highs - lows, 0.8, bottom=lows, color=SKY, alpha=0.6, label="geometric law: 99 of 100 lie here")
panel.plot(tries, counted, "o", color=VERMILION, label="counted")
panel.set(title=f"Attempts for each of {many:,} requests", xlabel="attempts", ylabel="requests", xticks=tries)
panel.set_yscale("symlog", linthresh=10)
panel.set_ylim(0, 4 * many)
panel.legend()
told = "; ".join(
    f"{k} attempts: {n}, expected {low} to {high}" for k, n, (low, high) in zip(tries, counted, bands, strict=True)
)
viz.Chart.of(figure, "Attempts against the geometric law", told)

# %% [markdown]
# The checksums cost 4 bytes in each chunk, the examination one read of the whole store.
#
# The runbook: `tutorial-zarr doctor PATH` each night; list the keys that it names; write those chunks again from
# the source; examine again. Keep a manifest for what has no checksum. Choose the number of attempts from p and from
# the number of chunks (exercise 2). If requests for each chunk, restarts or named chunks climb from night to night,
# suspect the hardware.

# %% [markdown] tags=["section-wrong"]
# ## A chunk in another's place passes every checksum
#
# A checksum says that a chunk is whole, not that it is the right one. Two chunks change places:

# %%
swapped = MemoryStore({key: bytes(safe.store.get(key)) for key in safe.store.list_prefix()})
one, two = key_of[3, 4], key_of[4, 3]
first, second = swapped.get(one), swapped.get(two)
swapped.set(one, second)
swapped.set(two, first)
by_doctor, by_manifest = doctor.examine(swapped), doctor.verify(swapped, work / "clean.zarr.sha256")
print("the doctor:", by_doctor.summary)
print("the manifest:", *(f"{fault.rule} {fault.key}" for fault in by_manifest.faults))

# %% [markdown]
# **Asking again where it cannot help.** A permission that is missing, data that are wrong, a key that is not there:
# these stay. `RetryStore` asks once, and `ingest` puts wrong data into its report and goes on.

# %%
forbidden = RetryStore(FaultStore(MemoryStore(), error=1.0), attempts=9)
try:
    forbidden.set("value", b"x")
except StoreError as error:
    print(f"{forbidden.retries} retries: {type(error).__name__}: {str(error).rpartition(': ')[2]}")
some = zarr.create_array({}, **layout)
print(zarr.ingest([((0, 0), block((0, 0))), ((0, 1), block((0, 1))[:5])], some, executor="threads"))

# %% [markdown]
# **A task that may not be done twice.** Writing chunk (6, 4) twice is the same as once. Appending is not idempotent:
# after a timeout the writer cannot know whether the rows are there. Say *where*, not *after what is there*.

# %%
log_book = []


def append(row):
    log_book.append(row)  # done, and then the answer is lost
    raise TimeoutError


for _ in range(2):
    try:
        append("a trade")
    except TimeoutError:
        pass  # so it is tried again
print(log_book)

# %% [markdown] tags=["section-predict"]
# ## Let every second request fail
#
# With `p = 0.5` and 9 attempts for each, how many of 256 chunks will be given up? And how many requests does one chunk
# take? Write it down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
p = 0.5
store = RetryStore(FaultStore(MemoryStore(), seed, unavailable=p), attempts=9, sleep=lambda seconds: None)
given_up = 0
for number in range(256):
    try:
        store.set(f"value/{number}", b"x")
    except StoreError:
        given_up += 1
print(f"given up: {given_up}, expected {256 * p**9:.1f}; {1 + store.retries / 256:.2f} requests for each")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 03_02.1
#
# Every fourth attempt fails. How many attempts does a request take on average, if you ask until it succeeds?
#
# <details><summary>Hint</summary>
# One attempt always, a second one with probability 1/4, a third one with 1/16 ...</details>

# %% tags=["exercise"]
attempts_each = ...
check("03_02.1", attempts_each)

# %% [markdown]
# ### Exercise 03_02.2
#
# One attempt in ten fails, each for itself. How many attempts must be allowed, at least, so that at most one run in a
# million misses any of its 256 chunks?
#
# <details><summary>Hint</summary>
# A chunk is given up with probability p^k. And one of 256?</details>

# %% tags=["exercise"]
allowed = ...
check("03_02.2", allowed)

# %% [markdown]
# ### Exercise 03_02.3
#
# Three values of this store are damaged. Give their keys, as a list.
#
# <details><summary>Hint</summary>
# `doctor.examine(store)` takes any store. What do its `faults` know?</details>

# %% tags=["exercise"]
from tutorial_zarr.gallery.exercises.x03_02 import damaged_store

store = damaged_store()
keys = ...
check("03_02.3", keys)

# %% [markdown]
# ### Exercise 03_02.4
#
# Repair `persist`. It calls `call()` until it returns, at most `attempts` times, and returns what it returned. A
# `TimeoutError` or `ConnectionError` is worth another attempt, and any other error is not. `wait(k)` is called between
# attempt k and the next, from k = 1. When the attempts are used up, the last error goes to the caller.
#
# <details><summary>Hint</summary>
# Which attempt has no next one? And which errors does `except Exception` catch?</details>


# %% tags=["exercise"]
def persist(call, attempts, wait):
    for k in range(attempts):
        try:
            return call()
        except Exception:
            wait(k)
    return None


check("03_02.4", persist)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `RetryStore(store)` | `obstore.store.S3Store(..., retry_config=...)` in `zarr.storage.ObjectStore`: for buckets and HTTP | retries around any store: the first failing `set` ends the write |
# | `FaultStore(store, unavailable=0.1)` | `zarr.storage.WrapperStore`: override `get` and `set` | faults on purpose, drawn from a seed |
# | `LocalStore`: write beside, then rename | `LocalStore`: the same | - |
# | `compressors="crc32c"` | `compressors=zarr.codecs.Crc32cCodec()`: the same four bytes, a `ValueError` where they do not fit | the key of the chunk in the error |
# | `ingest(blocks, array)` | `dask.array.store(blocks, array)` | a report: the first error ends the run |
# | `doctor.examine(store)` | `array[...]`, which stops at the first chunk that is damaged | every damaged chunk by its key and rule |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - 503 and timeouts announce themselves; torn and lost writes report success, and a turned bit reports nothing.
# - Full jitter keeps clients apart. If failures are independent, k attempts all fail with p^k, so a few are enough, and
#   1 / (1 - p) are made on average. An outage is not independent.
# - Write beside and rename: a kill leaves the old value whole, and a leftover that no reader sees.
# - A supervisor replaces the worker and does its chunk again. That is harmless, because the task is idempotent: it says
#   where, not what next.
# - The doctor names torn, turned and zeroed chunks by rule and key, the census those that are absent; only they are
#   written again, and the end is the fault-free store, hash for hash.
# - A chunk in another's place passes every checksum. A manifest of hashes tells.
#
# **Open questions.** Who checks the source? How often must you look, if a disk turns a few bits in a year, and the
# source is kept for a month?
#
# **To read further.**
#
# - [Exponential backoff and jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): why
#   random waits end a jam sooner, simulated by those who run the servers
# - [The crc32c codec](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/crc32c/index.html): the four bytes, as the
#   specification defines them
# - [Files are hard](https://danluu.com/file-consistency/): what a file system promises after a power cut, and what not
#
# **Next.** [04_01](../04_ai_genai/04_01_embeddings_in_zarr.ipynb): do I need a vector database for a hundred thousand
# vectors?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 1 + p + p^2 + ... is 1 / (1 - p).

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("03_02.1", 1 / (1 - 0.25))

# %% [markdown]
# All succeed with probability (1 - p^k)^256.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("03_02.2", next(k for k in range(1, 99) if 1 - (1 - 0.1**k) ** 256 <= 1e-6))

# %% [markdown]
# Each fault names its key.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("03_02.3", [fault.key for fault in doctor.examine(damaged_store()).faults])

# %% [markdown]
# The last attempt has no wait after it, and its error is raised; errors that stay are not caught at all.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def persist(call, attempts, wait):
    for k in range(1, attempts):
        try:
            return call()
        except (TimeoutError, ConnectionError):
            wait(k)
    return call()


check("03_02.4", persist)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "chunks": len(everything),
        "side": side,
        "seed": seed,
        "rates": rates,
        "naive": count_states(before),
        "naive_errors": logged,
        "herd": {name: [len(attempts), max(attempts)[0]] for name, attempts in herds.items()},
        "after_retries": count_states(after),
        "sick": count_states(sick),
        "found": {key_of[at]: [planted[at], rule] for at, rule in sorted(was_found.items())},
        "doomed": doomed,
        "leftovers": len(leftovers),
        "rounds": rounds,
        "healed": count_states(healed),
        "hash": hashes[1],
        "law": {"requests": many, "p": p503, "counted": counted, "bands": bands},
        "swapped": {"doctor": sum(by_doctor.counts.values()), "manifest": [fault.key for fault in by_manifest.faults]},
        "given_up": given_up,
        "appended": len(log_book),
    },
)
