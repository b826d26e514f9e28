# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Make one dataset of several arrays
#
# **Question.** How do several arrays become one dataset?
#
# ![Two stacks of maps of North America, one for each scenario. Along their edges lie latitude, longitude, year and
# scenario.](../../articles/figures/02_03_dataset.svg)
#
# *Five arrays. What makes them one thing?*
#
# `air[1, 190, 24, 22]` is a number. *The air temperature of the year 2050, at 45 degrees north, if emissions fall* is
# knowledge. Between the two lie four small arrays and the agreement that they belong to the large one. Where that
# agreement is a colleague's memory, it leaves with the colleague.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 45 minutes |
# | **Needs** | [01_04](../01_core_zarr/01_04_metadata_one_rtt.ipynb) |
# | **Code** | `tutorial_zarr/group.py`, `tutorial_zarr/integrations/xarray_backend` |
# | **Article** | none |
# | **Data** | two projections for North America, 1860 to 2099 (`data_gen/climate.py`) |
#
# **You will be able to**
#
# - turn loose arrays into a dataset by hand, and say what that costs in bytes
# - go from a label to an index, and open the same in xarray, through this library or zarr-python
# - add what CF adds: units, dates, names that programs know
# - store lists of unequal length
# - count what opening and asking cost, and choose between an axis and many arrays
# - notice lengths that disagree, a zero that vanishes, and attributes that are no JSON
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `north` and `east` choose a place, in degrees. 45 and 266.7 are near Minneapolis.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: ask for thirty places instead of three
workers = 4  # this lesson works in order; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
north, east = 45.0, 266.7

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import json
import math
import shutil
import textwrap
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import tutorial_zarr as zarr
from data_gen import climate
from tutorial_zarr import viz
from tutorial_zarr.errors import GroupNotFoundError, MetadataError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION

out = output_folder(out_dir)
in_range(north=(north, 15.0, 60.0), east=(east, 225.0, 315.0))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
for name in ("loose", "by_hand.zarr", "dataset.zarr", "climate.zarr"):
    shutil.rmtree(out / name, ignore_errors=True)  # what an earlier run in this folder left

# %% [markdown] tags=["section-idea"]
# ## Five arrays, and the agreement that they belong together
#
# A map of North America for every year, in two futures: A1B, in which emissions go on growing until the middle of the
# century, and E1, in which they fall early. Both have the same past.

# %%
data = climate.make("small", seed)
assert all(low <= value <= high for value, low, high in climate.realism(data).values())
cube, years = data.arrays["air_temperature"], data.arrays["year"]
latitude, longitude = data.arrays["latitude"], data.arrays["longitude"]
parts = {"air_temperature": cube, "scenario": np.array(data.truth["scenarios"], np.dtypes.StringDType())}
parts |= {"year": years, "latitude": latitude, "longitude": longitude}
print(data.provenance["source"])
for name, values in parts.items():
    print(f"{name:16} {' x '.join(map(str, values.shape)):18} such as {values.ravel()[-1]!s}")

# %% [markdown]
# One array holds the temperatures; the other four say of what: which future, which year, how far north, how far east.
# Each is a **[coordinate variable](https://cfconventions.org/cf-conventions/cf-conventions.html#coordinate-types "An
# array with one axis and the name of that axis; it gives a label, such as a year, to each step along it.")**: one
# value for each step along one axis.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.8, 4.2)
for future, sheet in itertools.product(range(2), range(4)):  # the farthest sheet, 1860, is drawn first
    x, y = 6.9 * future + 0.5 * (3 - sheet), 0.42 * (3 - sheet)
    box = (x, x + 4.9, y, y + 3.7)
    shown = cube[future, round(239 * sheet / 3)]
    panel.imshow(shown, origin="lower", extent=box, cmap="RdYlBu_r", vmin=250, vmax=304, zorder=sheet)
    panel.plot([x, x + 4.9, x + 4.9, x, x], [y, y, y + 3.7, y + 3.7, y], color="white", lw=1.5, zorder=sheet)
strips = (("Blues", latitude[:, None], (-0.7, -0.3, 0, 3.7)), ("Greens", longitude[None, :], (0, 4.9, -0.7, -0.3)))
for colours, values, box in strips:
    panel.imshow(values, origin="lower", extent=box, cmap=colours, aspect="auto", vmin=values.min() - 40)
panel.plot([5.1, 6.6], [-0.1, 1.16], "o-", color=ORANGE, lw=3, markersize=6)
_ = panel.set(xlim=(-1.6, 13.6), ylim=(-1.5, 5.9), aspect="equal")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set_axis_off()
bold = {"fontweight": "bold", "ha": "center", "va": "center"}
panel.text(-1.15, 1.85, f"latitude: {latitude[0]:.0f} to {latitude[-1]:.0f}", color=BLUE, rotation=90, **bold)
panel.text(2.45, -1.1, f"longitude: {longitude[0]:.0f} to {longitude[-1]:.0f}", color=GREEN, **bold)
panel.text(6.7, -0.5, f"year: {years[0]} to {years[-1]}", color=ORANGE, **bold)
for x, name in zip((4.0, 10.9), parts["scenario"], strict=True):
    panel.text(x, 5.4, f"scenario: {name}", color=PURPLE, **bold)
told = (
    "Two stacks of maps of North America, A1B and E1, with the year 2099 in front and 1860 at the back. Along their "
    "edges lie the coordinates, latitude, longitude, year and scenario; both stacks share them."
)
together = viz.Chart.of(figure, "Five arrays, one dataset", told)
together.save(out / "figures" / "02_03_dataset.svg")
together

# %% [markdown]
# How would a program know that `latitude` lies along the third axis of `air_temperature`? Something has to say so.
#
# **Write down two guesses.** The temperatures are 3,480,960 bytes. How many bytes must be added, so that a program
# finds them together and can ask by label? And how many of the chunks must be written again?

# %% [markdown] tags=["section-build"]
# ## A dataset by hand: one document, and the names of the axes
#
# First the arrays loose: each a store of its own, in one folder. Nothing is missing but what belongs to what.

# %%
gzip1 = {"name": "gzip", "configuration": {"level": 1}}
axes = {"air_temperature": ["scenario", "year", "latitude", "longitude"]}
axes |= {name: [name] for name in axes["air_temperature"]}


def form(name):
    """How an array is stored: temperatures in chunks, a coordinate whole."""
    chunks, fill = ((1, 60, 16, 16), math.nan) if name == "air_temperature" else (parts[name].shape, None)
    return {"chunks": chunks, "fill_value": fill, "compressors": gzip1, "zarr_format": zarr_format}


for name, values in parts.items():
    zarr.create_array(out / "loose" / name, data=values, **form(name))
print(*sorted(path.name for path in (out / "loose").iterdir()), sep="  ")

# %% [markdown]
# Now with an editor, so to speak. Two things are needed: a document that makes the folder a **group**, and in each
# array's document the **names of its axes**. Zarr 3 has a place for them, `dimension_names`. Zarr 2 has none, so
# xarray keeps them among the attributes, as `_ARRAY_DIMENSIONS`.


# %%
def edit(path, **more):
    """Add to a JSON document; begin one where there is none."""
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(document | more, indent=2), encoding="utf-8")


by_hand = shutil.copytree(out / "loose", out / "by_hand.zarr")
if zarr_format == 3:
    edit(by_hand / "zarr.json", zarr_format=3, node_type="group")
    for name, names in axes.items():
        edit(by_hand / name / "zarr.json", dimension_names=names)
else:
    edit(by_hand / ".zgroup", zarr_format=2)
    for name, names in axes.items():
        edit(by_hand / name / ".zattrs", _ARRAY_DIMENSIONS=names)

# %% [markdown]
# That is a dataset. The rest is a rule for readers: **an array that has the name of its only axis is the coordinate
# of that axis.** With it, a label leads to an index.


# %%
def names_of(folder):
    """What an array's document says its axes are called."""
    if zarr_format == 3:
        return json.loads((folder / "zarr.json").read_text(encoding="utf-8"))["dimension_names"]
    return json.loads((folder / ".zattrs").read_text(encoding="utf-8"))["_ARRAY_DIMENSIONS"]


# %%
def places_of(folder, name, labels):
    """For each axis of an array an index: where its coordinate is nearest to the label; all of it without one."""
    for axis in names_of(folder / name):
        if axis not in labels:
            yield slice(None)
            continue
        values, label = zarr.open_array(folder / axis, mode="r")[...], labels[axis]
        if isinstance(label, str):
            yield values.tolist().index(label)
        else:
            yield int(np.argmin(np.abs(values - label)))


# %%
wanted = {"scenario": "E1", "latitude": north, "longitude": east}
found = tuple(places_of(by_hand, "air_temperature", wanted))
_, _, row, column = found
series = zarr.open_array(by_hand / "air_temperature", mode="r")[found]
arithmetic = round((north - 15) / 1.25), round((east - 225) / 1.875)
print(f"{wanted}\nis {found}: {len(series)} years, the last {series[-1]:.2f} K")
print(f"the grid begins at 15 north and 225 east, in steps of 1.25 and 1.875: {arithmetic}")
assert (row, column) == arithmetic
assert np.array_equal(series, cube[1, :, row, column])

# %% [markdown] tags=["section-library"]
# ## The same with the library, and what xarray sees
#
# A group, and arrays in it that are given the names of their axes. The same keys, the same documents, the same bytes
# as ours:

# %%
root = zarr.create_group(out / "dataset.zarr", zarr_format=zarr_format)
for name, values in parts.items():
    root.create_array(name, data=values, dimension_names=axes[name], **form(name))
DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


def contents(folder):
    """key -> what is there: a document as its values, a chunk as bytes."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {key: json.loads(data) if Path(key).name in DOCUMENTS else data for key, data in sorted(files.items())}


ours, theirs = contents(by_hand), contents(out / "dataset.zarr")
print(f"{len(ours)} keys by hand, {len(theirs)} by the library; equal: {ours == theirs}")
assert ours == theirs

# %%
root.tree()

# %% [markdown]
# **xarray** knows the rule, and opens a dataset in one line: `xr.open_dataset(folder, engine="tutorial_zarr")`. Does
# it open the loose arrays? No: there is no group.

# %%
need("xarray")
import xarray as xr

from tutorial_zarr.integrations.xarray_backend import ZarrBackend


def open_dataset(store, **options):
    """A store in xarray, on this library."""
    return xr.open_dataset(store, engine=ZarrBackend, zarr_format=zarr_format, **options)


try:
    open_dataset(out / "loose")
except GroupNotFoundError as error:
    print(type(error).__name__)

# %% tags=["nbval-ignore-output"]
dataset = open_dataset(out / "dataset.zarr")
print(dataset)

# %%
by_xarray = dataset["air_temperature"].sel(scenario="E1").sel(latitude=north, longitude=east, method="nearest")
same = np.array_equal(by_xarray, series)
print(f"the same {len(series)} values as by hand: {same}")
assert same
assert by_xarray.sel(year=2050) == cube[1, 190, row, column]
assert np.array_equal(open_dataset(by_hand)["air_temperature"], cube)

# %% [markdown]
# **The third layout** speaks to programs that have never heard of us. The **[CF
# conventions](https://cfconventions.org/cf-conventions/cf-conventions.html "An agreement on attributes for climate
# and forecast data: units, standard names and times, so that programs understand an array that they have never
# met.")** say how: a unit for everything, names from a list (`standard_name`), and dates as numbers since a day. A
# year is named by its 1 July.

# %%
days = (years.astype("i8") - 1970).astype("M8[Y]").astype("M8[M]") + np.timedelta64(6, "M")
days = (days.astype("M8[D]") - np.datetime64("1860-01-01")).astype("i4")
cf = {
    "air_temperature": {"standard_name": "air_temperature", "units": "K", "cell_methods": "time: mean"},
    "time": {"standard_name": "time", "units": "days since 1860-01-01", "calendar": "proleptic_gregorian"},
    "latitude": {"standard_name": "latitude", "units": "degrees_north"},
    "longitude": {"standard_name": "longitude", "units": "degrees_east"},
    "scenario": {"long_name": "emission scenario"},
}
about = {"Conventions": "CF-1.11", "source": data.provenance["source"], "license": data.provenance["licence"]}
shared = zarr.create_group(out / "climate.zarr", zarr_format=zarr_format, attributes=about)

# %%
for name, attributes in cf.items():
    stem, values = ("year", days) if name == "time" else (name, parts[name])
    named = ["time" if axis == "year" else axis for axis in axes[stem]]
    shared.create_array(name, data=values, dimension_names=named, attributes=attributes, **form(stem))
labelled = open_dataset(out / "climate.zarr")
air = labelled["air_temperature"].sel(latitude=north, longitude=east, method="nearest")
late, early = air.sel(time=slice("2070", "2099")), air.sel(time=slice("1860", "1889"))
warmer = (late.astype("f8").mean("time") - early.astype("f8").mean("time")).to_numpy()
for name, value in zip(parts["scenario"], warmer, strict=True):
    print(f"{name:4} {value:.2f} {air.attrs['units']} warmer in 2070 to 2099 than in 1860 to 1889")
place = cube[:, :, row, column].astype("f8")
assert np.allclose(warmer, place[:, 210:].mean(1) - place[:, :30].mean(1))

# %% [markdown]
# **What has no rectangle.** Which years were the warmest so far, for each latitude under A1B? Some have many such
# years, some few. That is a **[ragged array](https://en.wikipedia.org/wiki/Jagged_array "An array of lists of unequal
# length; stored as all values one after the other, and where each list begins.")**. One array holds all lists, one
# after the other, a second where each begins. List *k* is `record_year[record_offset[k]:record_offset[k + 1]]`. (CF
# stores how long each list is instead.)

# %%
by_row = np.round(cube[0].mean(axis=2, dtype="f8"), 6)  # (year, latitude)
fresh = by_row[1:] > np.maximum.accumulate(by_row)[:-1]
lists = [years[1:][fresh[:, k]] for k in range(len(latitude))]
record_year = np.concatenate(lists)
record_offset = np.cumsum([0, *map(len, lists)]).astype("i4")
whole = {"fill_value": None, "compressors": gzip1, "zarr_format": zarr_format}
for name, axis, values in (("record_year", "record", record_year), ("record_offset", "edge", record_offset)):
    shared.create_array(name, data=values, dimension_names=[axis], **whole)
longest = max(map(len, lists))
print(f"{len(lists)} lists of {min(map(len, lists))} to {longest} years: {record_year.size:,} values and", end=" ")
print(f"{record_offset.size} offsets; a rectangle would take {len(lists) * longest:,}")
print(f"{latitude[20]} north: {', '.join(map(str, lists[20][:5]))} ... {lists[20][-1]}")

# %% [markdown] tags=["section-bytes"]
# ## What the three layouts add on the disk
#
# Now the answer to the guesses. What differs between the three layouts, on the disk?


# %%
def sizes(folder):
    """How many documents, their bytes, and how many chunks; the lists of records are left out."""
    files = [
        path for path in folder.rglob("*") if path.is_file() and "record" not in path.relative_to(folder).as_posix()
    ]
    documents = [path.stat().st_size for path in files if path.name in DOCUMENTS]
    return {"documents": len(documents), "bytes": sum(documents), "chunks": len(files) - len(documents)}


layouts = {"loose": sizes(out / "loose")} | {n: sizes(out / f"{n}.zarr") for n in ("dataset", "climate")}
for name, size in layouts.items():
    print(f"{name:8} {size['chunks']} chunks, {size['documents']:2} documents of {size['bytes']:6,} bytes")
added = {name: size["bytes"] - layouts["loose"]["bytes"] for name, size in layouts.items()}
print(f"a dataset costs {added['dataset']} bytes more, with CF {added['climate']:,}; the values are {cube.nbytes:,}")

# %% [markdown]
# Are the chunks the same, byte for byte? **A dataset is a matter of documents.** See what the latitude's says, and what
# its one chunk holds:

# %%
stored = [contents(out / name / "air_temperature") for name in ("loose", "dataset.zarr", "climate.zarr")]
assert all(one == stored[0][key] for found in stored for key, one in found.items() if Path(key).name not in DOCUMENTS)
print(f"{sum(Path(key).name not in DOCUMENTS for key in stored[0])} chunks of air_temperature, the same in all three")
key = {2: ".zattrs", 3: "zarr.json"}[zarr_format]
for folder in ("loose/latitude", "dataset.zarr/latitude", "climate.zarr/latitude"):
    place = out / folder / key
    document = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    said = {k: v for k, v in document.items() if v and (zarr_format == 2 or k in ("dimension_names", "attributes"))}
    print(f"{folder:22} {said or 'says nothing of names'}")
bare = zarr.create_array({}, data=latitude, chunks=latitude.shape, compressors=None, zarr_format=zarr_format)
encoded = bare.encoded_chunk((0,))
print(viz.hexdump(encoded[:16], notes={0: f"{latitude[0]} degrees", 8: f"{latitude[1]} degrees"}))

# %% [markdown] tags=["section-others"]
# ## The same dataset through zarr-python
#
# xarray with its own engine, which is zarr-python, against xarray with ours: the same names, labels, attributes and
# values. The array itself is read by other implementations as well (the table is folded away).

# %%
for folder in ("dataset.zarr", "climate.zarr"):
    here = xr.open_dataset(out / folder, engine=ZarrBackend, consolidated=False).load()
    if find_spec("zarr"):
        xr.testing.assert_identical(here, xr.open_dataset(out / folder, engine="zarr", consolidated=False).load())
        print(f"{folder}: {len(here.variables)} variables, identical in both")
    else:
        print(f"{folder}: zarr-python SKIPPED (not installed)")
nearest = here["air_temperature"].sel(latitude=north, longitude=east, method="nearest")
assert np.array_equal(nearest, cube[:, :, row, column])

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
report = interop_check(out / "climate.zarr", path="air_temperature", expected=cube)
print("Read by others:", report, sep="\n")
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## What it takes to open, and an axis against many arrays
#
# xarray reads all coordinates when it opens a dataset, to have the labels at hand. So a coordinate belongs in **one
# chunk**. Guess: what does opening take if the years lie in chunks of one, as an array that grows by a year has them?


# %%
def kinds(trace):
    """The requests of a trace: for documents, for lists of names, for chunks."""
    names = [request.key.rpartition("/")[2] for request in trace.requests if request.verb == "GET"]
    documents = sum(name in DOCUMENTS for name in names)
    return {"documents": documents, "lists": trace.count("LIST"), "chunks": len(names) - documents}


def opening(store, **options):
    """The requests that xarray makes to open a dataset."""
    trace = TraceStore(store)
    open_dataset(trace, **options).close()
    return kinds(trace)


# %%
def in_memory(year_chunk):
    """The dataset again, with `year_chunk` years in each chunk of their coordinate."""
    group = zarr.create_group({}, zarr_format=zarr_format)
    for name, values in parts.items():
        how = form(name) | ({"chunks": (year_chunk,)} if name == "year" else {})
        group.create_array(name, data=values, dimension_names=axes[name], **how)
    return group.store


whole_years, single_years = in_memory(240), in_memory(1)
to_open = {"node by node": opening(whole_years, consolidated=False)}
to_open["years in chunks of one"] = opening(single_years, consolidated=False)
zarr.consolidate_metadata(whole_years, zarr_format=zarr_format)
to_open["consolidated"] = opening(whole_years)
print(*(f"{name:24} {counts}" for name, counts in to_open.items()), sep="\n")

# %% [markdown]
# One list tells what there is; each of the six nodes has its document, or two in Zarr 2. (And the engine asks for
# another that is not there: in Zarr 3 for a name that xarray reserves, in Zarr 2 whether the root is an array.) What
# [01_04](../01_core_zarr/01_04_metadata_one_rtt.ipynb) says of copies holds here too.
#
# **An axis, or many arrays?** The scenarios could be two arrays, and the maps 480. Each time an axis becomes names.
# What does it take to open, to draw a map, and to follow a place through both futures, in chunks of 60 whole maps?


# %%
def split_after(depth):
    """The cube in a group: one array for each index along its first `depth` axes."""
    group = zarr.create_group({}, zarr_format=zarr_format)
    for index in np.ndindex(cube.shape[:depth]):
        how = {"chunks": (1, 60, 37, 49)[depth:], "dimension_names": axes["air_temperature"][depth:]}
        group.create_array("_".join(["air", *map(str, index)]), data=cube[index], compressors=gzip1, **how)
    return group


# %%
def answer(arrays, depth, selection):
    """A part of the cube, from as many arrays as it takes."""
    numbers = np.arange(math.prod(cube.shape[:depth])).reshape(cube.shape[:depth])
    found = []
    for number in np.ravel(numbers[selection[:depth]]):
        index = np.unravel_index(number, numbers.shape) if depth else ()
        found.append(np.ravel(arrays["_".join(["air", *map(str, index)])][selection[depth:]]))
    return np.concatenate(found)


# %%
steps, every = 3 if quick else 30, slice(None)
asked = {"a map": [(0, 239 * k // (steps - 1), every, every) for k in range(steps)]}
asked["a place"] = [(every, every, 36 * k // (steps - 1), 48 * k // (steps - 1)) for k in range(steps)]
one_or_many = {}
for depth, name in enumerate(("one array", "one for each scenario", "one for each map")):
    trace = TraceStore(split_after(depth).store)
    arrays = dict(zarr.open_group(trace, mode="r", zarr_format=zarr_format).arrays())
    counted = {"documents": kinds(trace)["documents"]}
    for question, selections in asked.items():
        trace.clear()
        assert all(np.array_equal(answer(arrays, depth, s), cube[s].ravel()) for s in selections)
        counted[question] = trace.count("GET") / len(selections)
    print(f"{name:22}", ", ".join(f"{what}: {count:3.0f}" for what, count in counted.items()))
    one_or_many[name] = counted

# %% [markdown]
# What lies in two arrays cannot share a chunk. Two scenarios cost one more document here, and a label that `.sel` can
# no longer see; 480 maps cost a document each, and a request for every year of a series. **If you loop over names,
# you wanted an axis.** Different *quantities* belong in different arrays: other units, other types.

# %% [markdown]
# Arrays that are used together should be **cut together**. A program goes through the warming block by block, and
# looks up the mean of the same places in a second array. How often is a chunk of the second fetched?

# %%
mean = cube[0].mean(0)
warming = cube[0, -30:].mean(0) - cube[0, :30].mean(0)
cuts = {"cut alike, 12 x 12": 12, "cut otherwise, 16 x 16": 16}
blocks = [np.s_[r : r + 12, c : c + 12] for r in range(0, 37, 12) for c in range(0, 49, 12)]
cut = {}
for name, length in cuts.items():
    second = zarr.create_array({}, data=mean, chunks=(length, length), zarr_format=zarr_format)
    trace = TraceStore(second.store)
    traced = zarr.open_array(trace, mode="r", zarr_format=zarr_format)
    trace.clear()
    assert all(np.array_equal(traced[block], mean[block]) for block in blocks)
    cut[name] = [second.nchunks, trace.count("GET")]
    print(f"{name:24} {len(blocks)} blocks; {cut[name][0]} chunks are fetched {cut[name][1]} times")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(8.4, 4.0, 1, 2, sharey=True)
for panel, (name, length) in zip(panels, cuts.items(), strict=True):
    panel.imshow(warming, origin="lower", cmap="Greys", alpha=0.45, extent=(0, 49, 0, 37), aspect="auto")
    lo, hi = 12 // length * length, -(-24 // length) * length
    box = {"zorder": 2, "linewidth": 0}
    panel.fill([lo, hi, hi, lo], [lo, lo, hi, hi], color=SKY, alpha=0.55, label="chunks fetched", **box)
    panel.fill([12, 24, 24, 12], [12, 12, 24, 24], color=ORANGE, alpha=0.85, label="one block", **box)
    for colour, step, style, label in ((VERMILION, 12, "-", "blocks"), (BLUE, length, "--", "chunks of the second")):
        panel.hlines(range(0, 38, step), 0, 49, color=colour, linestyle=style, lw=1.6, label=label, zorder=3)
        panel.vlines(range(0, 50, step), 0, 37, color=colour, linestyle=style, lw=1.6, zorder=3)
    panel.set(title=f"{name}: {cut[name][1]} requests", xlabel="longitude, index", xlim=(0, 51), ylim=(0, 38))
panels[0].set(ylabel="latitude, index")
_ = figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = "; ".join(f"{name}: {chunks} chunks, {requests} requests" for name, (chunks, requests) in cut.items())
viz.Chart.of(
    figure, "Two arrays cut alike, and otherwise", f"Two grids over the same map, in {len(blocks)} blocks. {told}."
)

# %% [markdown]
# And where blocks are *written* by several workers, two of them meet in one chunk: they take turns, or one change is
# gone (a **[lost update](../GLOSSARY.md#lost-update)**).

# %% [markdown] tags=["section-wrong"]
# ## One mistake is loud, one is silent, one is refused
#
# **Lengths that disagree.** A year is appended to the data, and not to its coordinate.

# %%
grown = zarr.create_group({}, zarr_format=zarr_format)
for name, values in (("region", by_row.mean(1)), ("year", years)):
    grown.create_array(name, data=values, dimension_names=["year"], **whole)
grown["region"].append(np.array([290.0]))
try:
    open_dataset(grown.store)
except ValueError as error:
    print(textwrap.fill(f"{type(error).__name__}: {error}", 96))

# %% [markdown]
# That one is loud. **A zero that vanishes** is not. In Zarr 2, xarray takes the fill value for *missing*, and the
# fill value is 0 unless you say otherwise. Count something, and the days with none of it are gone.

# %%
vanished = {}
for version in (2, 3):
    counts = zarr.create_group({}, zarr_format=version)
    counts.create_array("storms", data=np.array([3, 0, 0, 2]), dimension_names=["day"])
    with xr.open_dataset(counts.store, engine=ZarrBackend, zarr_format=version) as opened:
        found = opened["storms"].to_numpy()
        vanished[str(version)] = float(opened["storms"].mean())
        print(f"Zarr {version}: {found}, the mean is {vanished[str(version)]}")

# %% [markdown]
# In Zarr 3 xarray takes the fill value only for what an absent chunk holds, and *missing* is an attribute,
# `_FillValue`. (Other programs differ: GDAL takes the fill value for *missing* in both formats.) That is why our
# coordinates have no fill value in Zarr 2.
#
# **Attributes that are no JSON.** Python writes `NaN` into a document and says nothing; a strict parser stops there,
# and the array is gone with its attribute. So it is refused, before anything is written.

# %%
print(json.dumps({"valid_max": math.nan}), "is not JSON")
try:
    shared["air_temperature"].attrs["valid_max"] = math.nan
except MetadataError as error:
    print(textwrap.fill(f"{type(error).__name__}: {error}", 96))
assert "valid_max" not in shared["air_temperature"].attrs

# %% [markdown] tags=["section-predict"]
# ## Predict: the years in chunks of twelve
#
# The years in chunks of 12 instead of 1 or 240: how many requests for chunks does opening take? Each of the other
# three coordinates takes one. Write it down, and run; then try 50, which does not divide 240.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
year_chunk = 12
changed = opening(in_memory(year_chunk), consolidated=False)
print(f"years in chunks of {year_chunk}: {changed['chunks']} requests for chunks")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 02_03.1
#
# A gauge measured rain on 60 days, beginning with 1 February 2024. The group holds one array, `rain`, with the
# axis `time`. Add what is missing, so that `.sel(time="2024-03-01")` finds the right day.
#
# <details><summary>Hint</summary>
# Which name must the array have, and which name its axis? Numbers become dates by an attribute; look at
# `cf["time"]`.</details>

# %% tags=["exercise"]
from tutorial_zarr.gallery.exercises.x02_03 import rain_gauge

gauge = rain_gauge()
# add an array to gauge here
complete = ...  # and put gauge here
check("02_03.1", complete)

# %% [markdown]
# ### Exercise 02_03.2
#
# `json.dumps` refuses these attributes, and it is right. Give them as a dict of plain Python values, numbers as
# numbers, that any JSON parser takes.
#
# <details><summary>Hint</summary>
# Every NumPy scalar has `.item()`, every array `.tolist()`. What is missing can be left out.</details>

# %% tags=["exercise"]
computed = {"units": "K", "warmest": cube.max(), "years": years[[0, -1]], "uncertainty": math.nan}
strict = ...
check("02_03.2", strict)

# %% [markdown]
# ### Exercise 02_03.3: repair code
#
# `nearest(values, east)` finds the index of the nearest longitude, the first one if two are as near. On a globe 359
# degrees lie next to 0, and -93.3 is 266.7. It does not know that. Repair it.
#
# <details><summary>Hint</summary>
# `%` brings any difference into 0 to 360. And from 350 degrees eastwards it is 10 degrees westwards.</details>


# %% tags=["exercise"]
def nearest(values, east):
    return int(np.argmin(np.abs(values - east)))


check("02_03.3", nearest)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_group`, `create_array`, `attrs`, `consolidate_metadata` | the same names | - |
# | `xr.open_dataset(path, engine="tutorial_zarr")` | `xr.open_zarr(path)`: an identical dataset, as Dask arrays if Dask is there | - |
# | `dimension_names=`, in both formats | zarr-python: in Zarr 3 only; xarray writes `_ARRAY_DIMENSIONS` in Zarr 2 | zarr-python: names in Zarr 2 |
# | `a.append(values)`: one array grows | xarray: `ds.to_zarr(path, append_dim="year")`, all arrays of the axis grow | - |
# | `attrs["valid_max"] = nan` is refused | zarr-python and xarray write `NaN`, which is no JSON | the refusal |
# | a fill value of 0 in Zarr 2 hides zeros from xarray | the same through zarr-python | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A group's document and the names of the axes make a dataset of loose arrays: some hundred bytes here, and not one
#   chunk is written again.
# - An array named like its only axis is a coordinate; the nearest label is an `argmin`, and xarray finds the same,
#   through this library or zarr-python.
# - CF adds units, standard names and dates as numbers since a day, so that `.sel(time="2050")` works.
# - Lists of unequal length are one array of values and one of offsets.
# - Opening in xarray reads every document and every chunk of every coordinate: keep coordinates whole, consolidate, and
#   make an axis of what you would loop over. Cut alike what is used together.
# - xarray says when lengths disagree. It does not say that a Zarr 2 fill value of 0 hides your zeros; and NaN is no
#   JSON, so it is refused.
#
# **Open questions.** Where do two grids go that share no axis? Who checks that a unit is true? How do variables grow
# together, if a writer may die between two of them?
#
# **To read further.**
#
# - [xarray: how Zarr is encoded](https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html): where the names
#   of axes stand, in both formats
# - [CF conventions](https://cfconventions.org/cf-conventions/cf-conventions.html): the whole agreement, with examples of
#   ragged arrays
# - [Zarr v3](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html): what `dimension_names` may hold, and what
#   a group is
#
# **Next.** [03_01](../03_pipelines/03_01_ingestion_backpressure.ipynb): what happens when data arrive faster than the
# store can take them?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The array has the name of the axis, and a unit that makes days of numbers.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
gauge = rain_gauge()
since = {"units": "days since 2024-02-01", "calendar": "proleptic_gregorian"}
gauge.create_array("time", data=np.arange(60), dimension_names=["time"], attributes=since)
check("02_03.1", gauge)

# %% [markdown]
# NumPy knows the way back to Python's own numbers. What is not known is left out.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_03.2", {"units": "K", "warmest": cube.max().item(), "years": years[[0, -1]].tolist()})

# %% [markdown]
# Eastwards or westwards, whichever is shorter.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def nearest(values, east):
    eastwards = (values - east) % 360
    return int(np.argmin(np.minimum(eastwards, 360 - eastwards)))


check("02_03.3", nearest)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "shape": cube.shape,
        "nbytes": cube.nbytes,
        "place": [north, east, row, column],
        "last_value": round(float(series[-1]), 2),
        "keys": len(ours),
        "layouts": layouts,
        "added": added,
        "warmer": np.round(warmer, 6),
        "records": {
            "values": record_year.size,
            "offsets": record_offset.size,
            "shortest": min(map(len, lists)),
            "longest": longest,
            "rectangle": len(lists) * longest,
        },
        "to_open": to_open,
        "one_or_many": one_or_many,
        "cut": cut,
        "blocks": len(blocks),
        "vanished": vanished,
        "changed": changed,
    },
)
