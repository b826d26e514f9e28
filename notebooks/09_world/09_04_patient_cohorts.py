# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Erase a patient, and prove it
#
# **Question.** You have deleted a patient. Where is she still?
#
# ![Eight places where a patient's data lie, and five states. After the array reads NaN, she is still found in seven of
# the eight.](../../articles/figures/09_04_places.svg)
#
# *Eight places, five states. The second column is where most deletions end.*
#
# A patient withdraws her consent. You set her rows to NaN, read them back, and see NaN. The law asks for more than
# that: the data have to be gone. The array can only tell you what it shows.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_04](../01_core_zarr/01_04_metadata_one_rtt.ipynb), [01_08](../01_core_zarr/01_08_object_store_tuning.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/codecs/sharding.py`, `tutorial_zarr/stores/cache.py` |
# | **Article** | [The patient who was NaN](../../articles/38_patient_cohorts.md) |
# | **Data** | a week of 64 patients in intensive care, generated (`data_gen/cohort.py`) |
# | **Formats** | 3 |
#
# **You will be able to**
#
# - search a folder for a patient in its decoded bytes, without trusting any index
# - name the places where a deleted patient lives on
# - choose chunks by what an erasure costs and what a question costs
# - say what such a search proves, and what it cannot
# - work out a patient from two averages
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `patient` is the row that withdraws.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 512 patients instead of 64
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
patient = 17

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import json
import math
import shutil
import zlib

import numpy as np

import tutorial_zarr as zarr
from data_gen import cohort
from tutorial_zarr import viz
from tutorial_zarr.codecs.checksums import crc32c
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import CacheStore, LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(patient=(patient, 0, 63), workers=(workers, 1, 64), zarr_format=(zarr_format, 3, 3))

# %% [markdown] tags=["section-data"]
# ## Nobody's week in intensive care
#
# Hourly means of three signs from a monitor and three values from a lab. Every patient is made up: no reading comes from a
# person. A real cohort has dozens of measures, stays of different length, and units that change. What is like the real
# ones: most lab values are missing, and the sicker a patient is, the fewer ([Che and
# others](https://doi.org/10.1038/s41598-018-24271-9)).

# %%
data = cohort.make("small" if quick else "large", seed)
checks = cohort.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
vitals, record = data.arrays["vitals"], data.arrays["record"]
patients, measures, hours = vitals.shape
missing = np.isnan(vitals).mean(axis=(0, 2))
print(
    f"{vitals.shape} (patient, measure, hour), {vitals.nbytes / 1e3:.0f} kB; {len(checks)} of {len(checks)} checks pass"
)
for name, share in zip(cohort.MEASURES, missing, strict=True):
    print(f"{name:18} {share:4.0%} missing")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
order = np.argsort(np.nanmean(vitals[:64, 0], axis=1))
figure, panel = viz.canvas(7.2, 3.2)
panel.imshow(~np.isnan(vitals[order, 3]), aspect="auto", cmap="Blues", vmin=-0.15, vmax=1.3, interpolation="nearest")
panel.set(title="Hours with a lactate value", xlabel="hour of the week")
panel.set_ylabel("patient, by mean heart rate\n(fastest at the bottom)")
tests = (~np.isnan(vitals[order, 3])).sum(axis=1)
calm, sick = (float(part.mean()) for part in (tests[:16], tests[-16:]))
told = f"Blue where there is one: {calm:.0f} a week among the calm quarter of patients, {sick:.0f} among the sickest."
there = viz.Chart.of(figure, "What is missing says something", told)
there.save(out / "figures" / "09_04_missing.svg")
there

# %% [markdown]
# So the mean of what was measured is not the mean of the patients, a **[selection bias](../GLOSSARY.md#selection-bias)**:

# %%
measured, real = float(np.nanmean(vitals[:, 3].astype("f8"))), data.truth["mean of all hours"][3]
print(f"mean lactate of what was measured {measured:.2f} mmol/L, of all hours {real:.2f}: {measured / real - 1:+.0%}")

# %% [markdown] tags=["section-idea"]
# ## One patient, eight places
#
# A store that people work with is never one array. There is one with a
# **[chunk](../GLOSSARY.md#chunk)** for each patient; a copy with a chunk for each measure, for studies; one packed in a
# **[shard](../GLOSSARY.md#shard)**; the record numbers; a remark in the attributes; the
# **[consolidated metadata](../GLOSSARY.md#consolidated-metadata)**; a reader's
# **[cache](../GLOSSARY.md#cache)** on disk; and yesterday's backup.

# %%
gzip = {"name": "gzip", "configuration": {"level": 6}}
kept = {"fill_value": math.nan, "compressors": gzip, "zarr_format": zarr_format}
place = out / "hospital"
root = zarr.create_group(place / "cohort.zarr", zarr_format=zarr_format)
by_patient = root.create_array("by_patient", data=vitals, chunks=(1, measures, hours), **kept)
by_measure = root.create_array("by_measure", data=vitals, chunks=(patients, 1, hours), **kept)
packed = root.create_array("packed", data=vitals, chunks=(1, measures, hours), shards=vitals.shape, **kept)
root.create_array("record", data=record, compressors=gzip)
by_patient.attrs["remarks"] = {str(record[patient]): "moved to ward 3"}
zarr.consolidate_metadata(place / "cohort.zarr")
backup = shutil.copytree(place / "cohort.zarr", place / "yesterday.zarr")

# %%
cache = CacheStore(LocalStore(place / "cohort.zarr"), max_bytes=0, folder=place / "cache")
screen = zarr.open_array(cache, path="by_patient", mode="r")  # what a nurse looks at
assert np.array_equal(screen[patient], vitals[patient], equal_nan=True)

# %% [markdown]
# **Write down two guesses.** You run `by_patient[17] = nan`. In how many of the eight places is she still? And before that:
# if you search all files for the bytes of her readings, in how many places do you find them?

# %% [markdown] tags=["section-build"]
# ## Build it small: a search that trusts no index
#
# What is hers? Her record number, and twelve hours in a row of any measure, wherever at least eight are there. Such a row
# of numbers belongs to one patient alone; that is checked below.


# %%
def traces_of(patient):
    """Byte strings that only this patient's data hold."""
    number = int(record[patient])
    found = [number.to_bytes(8, "little"), str(number).encode()]
    for series in vitals[patient]:
        for start in range(0, hours, 12):
            piece = series[start : start + 12]
            if np.isfinite(piece).sum() >= 8:
                found.append(piece.tobytes())
    return found


# %% [markdown]
# Compressed data hide them. To look inside, do as detectives do with a broken disk: look for the bytes with which a gzip
# stream begins, at any place in any file, and decompress from there (**[file
# carving](https://en.wikipedia.org/wiki/File_carving "Finding data in raw bytes by how they begin, without the directory
# or index that would say where they are.")**).


# %%
def carve(raw):
    """The bytes of a file, and of each gzip stream that begins anywhere in it."""
    yield raw
    at = raw.find(b"\x1f\x8b\x08")
    while at >= 0:
        try:
            yield zlib.decompressobj(wbits=31).decompress(raw[at:])
        except zlib.error:
            pass  # three bytes that only look like a beginning
        at = raw.find(b"\x1f\x8b\x08", at + 1)


def holds(raw, traces):
    """Whether a file holds any of the traces, compressed or not."""
    return any(trace in content for content in carve(raw) for trace in traces)


# %%
PLACES = {
    "chunks by patient": "cohort.zarr/by_patient/c/**/*",
    "copy by measure": "cohort.zarr/by_measure/c/**/*",
    "shard": "cohort.zarr/packed/c/**/*",
    "record numbers": "cohort.zarr/record/c/**/*",
    "attributes": "cohort.zarr/by_patient/zarr.json",
    "consolidated copy": "cohort.zarr/zarr.json",
    "cache on disk": "cache/**/*",
    "backup": "yesterday.zarr/**/*",
}


# %%
def files_of(pattern):
    return [path for path in sorted(place.glob(pattern)) if path.is_file()]


def search(traces, look=holds):
    """place -> whether one of its files holds any of the traces."""
    return {name: any(look(path.read_bytes(), traces) for path in files_of(glob)) for name, glob in PLACES.items()}


# %% [markdown]
# A search that finds nothing proves nothing unless it can find. So it is tried on three people: hers, another's, and one who
# was never here.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
hers = traces_of(patient)
states = {"before": search(hers)}
other = traces_of((patient + 1) % patients)
nobody = [(123_456_789).to_bytes(8, "little"), b"123456789", np.arange(12, dtype="f4").tobytes()]
raw_only = search(hers[2:], look=lambda raw, traces: any(trace in raw for trace in traces))
print(f"readings, in the bytes as they lie there: {sum(raw_only.values())} of {len(PLACES)} places")
print(f"decoded: she is in {sum(states['before'].values())}, nobody in {sum(search(nobody).values())}")
everyone = [trace for row in range(patients) if row != patient for trace in traces_of(row)]
assert all(states["before"].values())
assert not any(search(nobody).values())
assert not set(hers) & set(everyone)

# %% [markdown]
# She is everywhere, and a search of the files as they are does not see one reading. A clean `grep` says nothing about
# compressed data. Now delete her.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
by_patient[patient] = math.nan
assert np.isnan(zarr.open_array(place / "cohort.zarr", path="by_patient", mode="r")[patient]).all()
states["row = NaN"] = search(hers)
left = [name for name, found in states["row = NaN"].items() if found]
print(f"{len(left)} of {len(PLACES)}: {', '.join(left)}")

# %% [markdown] tags=["section-library"]
# ## Seven places, one after the other
#
# **Copies.** Each is written again. The copy by measure costs every one of its chunks. For the shard there is a quick way:
# the index at its end says where each patient's chunk lies. Take her entry out, compute its
# **[checksum](../GLOSSARY.md#checksum)** again, and 16 bytes have changed. The specification allows bytes in a shard that
# no entry names.

# %%
by_measure[patient] = math.nan
shard = files_of(PLACES["shard"])[0]
raw, size = shard.read_bytes(), 16 * patients + 4
index = np.frombuffer(raw[-size:-4], "<u8").reshape(patients, 2).copy()  # (offset, bytes) of each
index[patient] = 2**64 - 1  # "not here"
shard.write_bytes(raw[:-size] + index.tobytes() + crc32c(index.tobytes()).to_bytes(4, "little"))

print("every reading of hers is NaN:", bool(np.isnan(packed[patient]).all()))
states["copies = NaN"] = search(hers)
print("still in the shard:", states["copies = NaN"]["shard"])
assert np.isnan(packed[patient]).all()
assert states["copies = NaN"]["shard"]

# %% [markdown]
# Every reader says NaN, and her week lies in the file, whole. The library writes shards as a whole, so to assign is
# enough; here with any row, since the shard is written again from what its index names.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see NaN in that shard as well:")
expected = vitals.copy()
expected[patient] = math.nan
report = interop_check(place / "cohort.zarr" / "packed", expected=expected)
print(report)
assert not report.differing

# %%
before = shard.stat().st_size
packed[patient] = math.nan
print(f"the shard: {before:,} bytes, written again {shard.stat().st_size:,}")
shrunk = before - shard.stat().st_size

# %% [markdown]
# **Documents.** The remark is taken out by a script that edits one document, as a program does that knows nothing of the copy
# at the root.

# %%
root["record"][patient] = 0
document = place / "cohort.zarr" / "by_patient" / "zarr.json"
edited = json.loads(document.read_text())
edited["attributes"]["remarks"] = {}
document.write_text(json.dumps(edited))
states["documents"] = search(hers)
for name in ("record numbers", "attributes", "consolidated copy", "cache on disk"):
    print(f"{name:18} {'still there' if states['documents'][name] else 'gone'}")
print("is the consolidated copy out of date?", zarr.is_stale(place / "cohort.zarr"))

# %% [markdown]
# A reader who asks the root is told her number, and on the screen that reads through the cache she is alive:

# %%
print("the screen still shows her week:", bool(np.array_equal(screen[patient], vitals[patient], equal_nan=True)))
zarr.consolidate_metadata(place / "cohort.zarr")
cache.clear()
assert np.isnan(screen[patient]).all()
shutil.rmtree(backup)
states["sweep"] = search(hers)
print("places where she is:", sum(states["sweep"].values()))
assert not any(states["sweep"].values())
assert search(other)["chunks by patient"]
assert search(other)["shard"]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.9)
for x, (_state, found) in enumerate(states.items()):
    for y, name in enumerate(PLACES):
        panel.barh(y, 0.92, 0.84, left=x - 0.46, color=VERMILION if found[name] else SKY)
        word, ink = ("here", "white") if found[name] else ("gone", "black")
        panel.text(x, y, word, ha="center", va="center", fontsize=10, color=ink)
panel.set_xticks(range(len(states)), list(states))
panel.set_yticks(range(len(PLACES)), list(PLACES))
panel.set(ylim=(len(PLACES) - 0.5, -0.5), xlim=(-0.5, len(states) - 0.5), title="Where is she found?")
panel.set(xlabel="what has been done, from left to right")
panel.grid(False)
told = "; ".join(f"{state}: in {sum(found.values())} of {len(PLACES)} places" for state, found in states.items())
places_chart = viz.Chart.of(figure, "Eight places and five states", f"Where she is found. {told}.")
places_chart.save(out / "figures" / "09_04_places.svg")
places_chart

# %% [markdown] tags=["section-operations"]
# ## What an erasure costs, and what a question costs
#
# One patient erased, against one question: the heart rate of all. Guess which layout is best at both.

# %%
layouts = {
    "a patient a chunk": {"chunks": (1, measures, hours)},
    "8 patients a chunk": {"chunks": (8, measures, hours)},
    "a measure a chunk": {"chunks": (patients, 1, hours)},
    "a patient and measure, sharded": {"chunks": (1, 1, hours), "shards": (patients, 1, hours)},
}

# %%
costs = {}
for name, layout in layouts.items():
    trace = TraceStore(zarr.create_array({}, data=vitals, **layout, **kept).store)
    a = zarr.open_array(trace, mode="r+")
    trace.clear()
    a[:, 0]
    asked = trace.count("GET"), trace.nbytes("GET")
    trace.clear()
    a[patient] = math.nan
    costs[name] = (*asked, trace.count("PUT") + trace.count("DELETE"), trace.nbytes("PUT"))
    print(f"{name:31} question {asked[0]:3} requests {asked[1]:7,} bytes;", end=" ")
    print(f"erasure {costs[name][2]} objects, {costs[name][3]:7,} bytes written")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.4)
for k, (which, colour, label) in enumerate(((1, BLUE, "read for the question"), (3, ORANGE, "written to erase"))):
    panel.barh(np.arange(4) + 0.4 * k - 0.2, [c[which] / 1e3 for c in costs.values()], 0.36, color=colour, label=label)
for row, (requests, read, objects, written) in enumerate(costs.values()):
    panel.text(read / 1e3 + 1, row - 0.2, f"requests: {requests}", va="center", fontsize=10)
    panel.text(written / 1e3 + 1, row + 0.2, f"objects: {objects}", va="center", fontsize=10)
panel.set_yticks(range(4), ["patient", "8 patients", "measure", "measure,\nsharded"])
top = max(max(c[1], c[3]) for c in costs.values()) / 1e3
panel.set(ylim=(3.6, -0.6), xlim=(0, 1.3 * top), xlabel="kilobytes", ylabel="what a chunk holds")
panel.set_title("The heart rate of all, and one erasure")
panel.legend(loc="center right", bbox_to_anchor=(1, 0.45))
told = "; ".join(f"{n}: {c[0]} requests, {c[1]:,} bytes; {c[2]} objects, {c[3]:,} bytes" for n, c in costs.items())
cost_chart = viz.Chart.of(figure, "Cost of a question and of an erasure", f"Question, then erasure. {told}.")
cost_chart.save(out / "figures" / "09_04_costs.svg")
cost_chart

# %% [markdown]
# None is best at both. A chunk of one patient is one object to delete and nothing to write, and every question reads the whole
# cohort. Chunks of a measure turn it around. Erasures are rare and questions are not; but a copy for questions is a copy
# to erase from, and you have to know that it exists.

# %% [markdown] tags=["section-wrong"]
# ## Two averages give her away
#
# She is in no file. Last week's report is: the mean heart rate of all, hour by hour, with one decimal, and how many were
# counted. This week's has the same table, without her. Guess how near one comes to her heart rate with nothing but these.


# %%
def mean_and_count(cube):
    """Of the heart rate, hour by hour: the mean, with one decimal as it is printed, and of how many."""
    heart = cube[:, 0].astype("f8")
    return np.round(np.nanmean(heart, axis=0), 1), np.isfinite(heart).sum(axis=0)


(mean_then, n_then), (mean_now, n_now) = mean_and_count(vitals), mean_and_count(by_patient[...])

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
guessed = np.where(n_then > n_now, mean_then * n_then - mean_now * n_now, math.nan)
heart = vitals[patient, 0].astype("f8")
known = np.isfinite(heart)
error = np.abs(guessed - heart)[known]
daily = np.abs(
    [np.nanmean(g) - np.nanmean(h) for g, h in zip(guessed.reshape(7, 24), heart.reshape(7, 24), strict=True)]
)
week_error = float(abs(np.nanmean(guessed) - np.nanmean(heart)))
print(f"hour by hour: {np.mean(error):.1f} beats off on average, {error.max():.1f} at most")
print(f"mean of a day: {daily.max():.1f} off at most; of the week: {week_error:.2f}")

# %% [markdown]
# The sum of all less the sum of the others is she: a **[differencing
# attack](https://en.wikipedia.org/wiki/Reconstruction_attack "Working out one person's value from statistics of a group
# with that person and without.")**. Rounding blurs an hour; over a day it averages out. No search of bytes finds that, for
# her values are not there. Either rework the reports that went out, or add noise on purpose.

# %% [markdown] tags=["section-predict"]
# ## A copy that lies the other way
#
# A colleague kept a copy with the hour first: (hour, measure, patient), same numbers, same gzip. Does the search find her in
# it? Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
turned = np.ascontiguousarray(vitals.transpose(2, 1, 0))
copy = zarr.create_array(out / "by_hour.zarr", data=turned, chunks=(24, measures, patients), **kept)
chunks = [path for path in sorted((out / "by_hour.zarr" / "c").glob("**/*")) if path.is_file()]
blind = any(holds(path.read_bytes(), hers) for path in chunks)
along = any(trace in copy[...].T.tobytes() for trace in hers)
print(f"found in the bytes: {blind}; found if the elements are read, and turned: {along}")
assert along
assert not blind

# %% [markdown]
# Between two of her hours lie the readings of all others. The search proves presence; absence it proves only for the forms
# that it knows. A copy in float64, in other units or encrypted escapes it as well. So keep a list of copies, and search to
# test the list, not in its place.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_04.1
#
# 512 patients, 12 measures, 8,760 hours; chunks of (64, 1, 730). How many objects does the erasure of one patient touch?
#
# <details><summary>Hint</summary>
# How many pieces is her part of the array cut into?</details>

# %% tags=["exercise"]
objects_touched = ...
check("09_04.1", objects_touched)

# %% [markdown]
# ### Exercise 09_04.2
#
# Last week's report: 40 patients with a mean of 5.20 mmol/L. This week's: 39 with a mean of 5.00. What was the value of
# the one who left?
#
# <details><summary>Hint</summary>
# What is the sum of each?</details>

# %% tags=["exercise"]
who_left = ...
check("09_04.2", who_left)

# %% [markdown]
# ### Exercise 09_04.3
#
# Write `unnamed(size, entries)`: how many of the first `size` bytes of a shard no entry of its index names. `entries` is a
# list of (offset, bytes); `(2**64 - 1, 2**64 - 1)` means that there is no chunk. Two entries may name the same bytes.
#
# <details><summary>Hint</summary>
# Mark each byte that is named.</details>


# %% tags=["exercise"]
def unnamed(size, entries):
    """Bytes of a shard that its index does not name."""
    ...


check("09_04.3", unnamed)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[patient] = nan`: the object of a chunk of fill values is deleted | the same; with `write_empty_chunks=True` it is written instead | - |
# | `packed[patient] = nan` writes the shard again, without her bytes | the same | a promise to: the format allows bytes that no entry names |
# | `root["a"].attrs[...] = ...` renews the consolidated copy of `root`; `is_stale` compares | the copy keeps the old attributes until `consolidate_metadata` | a warning that it is out of date |
# | `a.resize(...)` cuts a chunk at the border: what lay beyond is gone | what lay beyond the border stays in the chunk, and comes back when the array grows | - |
# | `CacheStore(...)` shows what was read until `clear()` | `zarr.experimental.cache_store.CacheStore(..., max_age_seconds=n)` forgets by age | here: an age |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Search in decoded bytes, found by how they begin; try the search on a person who is there and on nobody.
# - A row of NaN leaves copies, shards whose index forgets, record numbers, attributes, their consolidated copy, caches and
#   backups.
# - A chunk for each patient makes erasures cheap, a chunk for each measure questions; no layout here is best at both.
# - The search proves that she is there. That she is not, it proves for the forms that it knows.
# - The mean with her and the mean without her give her away, to a beat or so over a day.
#
# **Open questions.** An object store with versions keeps what you delete, and a disk keeps the blocks of a deleted file.
# If each patient's chunk were encrypted with a key of its own, would it be enough to destroy the key?
#
# **To read further.**
#
# - [General Data Protection Regulation, article 17](https://eur-lex.europa.eu/eli/reg/2016/679/oj): the right to erasure, and
#   when it does not hold.
# - [Che and others, Recurrent Neural Networks for Multivariate Time Series with Missing
#   Values](https://doi.org/10.1038/s41598-018-24271-9): what missing values say about patients.
# - [The sharding codec](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html): what the index of a
#   shard has to hold, and what may lie between.
#
# **Next.** [09_05](09_05_energy_grid_load.ipynb): of each day you kept a short row; which questions about the year can it still
# answer?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# She lies in one piece along the patients, in 12 along the measures, and in 12 along the hours.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_04.1", 1 * 12 * (8760 // 730))

# %% [markdown]
# The sum of 40, less the sum of 39.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_04.2", 40 * 5.20 - 39 * 5.00)

# %% [markdown]
# A byte is named or it is not, however often.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def unnamed(size, entries):
    """Bytes of a shard that its index does not name."""
    named = np.zeros(size, bool)
    for offset, length in entries:
        if offset != 2**64 - 1:
            named[offset : offset + length] = True
    return int(size - named.sum())


check("09_04.3", unnamed)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "patients": patients,
        "hours": hours,
        "patient": patient,
        "places": len(PLACES),
        "states": {state: [name for name in PLACES if found[name]] for state, found in states.items()},
        "counts": [sum(found.values()) for found in states.values()],
        "raw_only": sum(raw_only.values()),
        "traces": len(hers),
        "missing": dict(zip(cohort.MEASURES, missing.round(6).tolist(), strict=True)),
        "missing_percent": [round(100 * share) for share in missing.tolist()],
        "lactate": {"measured": round(measured, 4), "real": real, "percent": round(100 * (measured / real - 1))},
        "tests_of_quarters": [round(calm, 4), round(sick, 4)],
        "shard": {"before": before, "shrunk": shrunk},
        "index_entry": 16,
        "costs": {name: list(values) for name, values in costs.items()},
        "costs_kb": {name: [round(values[1] / 1e3), round(values[3] / 1e3)] for name, values in costs.items()},
        "attack": {
            "hour": round(float(np.mean(error)), 4),
            "hour_most": round(float(error.max()), 4),
            "day_most": round(float(daily.max()), 4),
            "week": round(week_error, 4),
        },
        "turned": {"bytes": blind, "elements": along},
    },
)
