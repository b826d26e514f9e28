# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read a climate as maps and as time series
#
# **Question.** Maps or time series: which does my layout favour, and does the answer survive when I change it?
#
# ![Two maps of North America. In one future most of the land warms by four to eight kelvin, in the other by two to
# four; most in the north.](../../articles/figures/07_01_warming.svg)
#
# *How much warmer the last thirty years are than the first thirty, in two futures of one model.*
#
# A climate model goes through time and writes maps; here each is the mean of a year. Most of its readers live in one
# place, and ask for one cell through all years. The file suits the writer.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 45 minutes |
# | **Needs** | [02_01](../02_labs/02_01_chunk_sizing_lab.ipynb) |
# | **Code** | `tutorial_zarr/tools/convert`, `tutorial_zarr/chunk_io/shards.py` |
# | **Article** | [The map and the thermometer](../../articles/29_climate_cube_windows.md) |
# | **Data** | two projections for North America, 1860 to 2099 (`data_gen/climate.py`) |
#
# **You will be able to**
#
# - say what a map and a time series cost in a layout, before you read
# - rewrite an array within a memory budget, and prove that nothing changed
# - use shards so that both reads are cheap, and say what they still cost
# - reduce a cube of any size, chunk by chunk, to a number that no layout changes
# - notice a mean of means, and a chunk that is gone
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `window` is the length of the periods that are compared, in years. `row` and `column` choose the place of the time
# series: 20 and 16 are 40 degrees north and 105 degrees west, near Denver.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: read thirty maps and thirty places in each layout, instead of three
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
window = 30
row, column = 20, 16

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import gzip
import hashlib
import itertools
import math
import textwrap

import numpy as np

import tutorial_zarr as zarr
from data_gen import climate, land
from tutorial_zarr import viz
from tutorial_zarr.errors import MemoryBudgetError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
need("xarray")
import xarray as xr

from tutorial_zarr.integrations.xarray_backend import ZarrBackend

out = output_folder(out_dir)
in_range(window=(window, 1, 120), row=(row, 0, 36), column=(column, 0, 48))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Two futures of one model
#
# Annual means of one model under two scenarios. In A1B the world grows and burns on; in E1 emissions fall early
# enough to settle. Both have the same past, until 1999.

# %%
data = climate.make("small", seed)
cube, years = data.arrays["air_temperature"], data.arrays["year"]
latitude, longitude = data.arrays["latitude"], data.arrays["longitude"]
names = data.truth["scenarios"]
for fact, (value, low, high) in climate.realism(data).items():
    wanted = f"{low:.1f} to {high:.1f}" if low < high else f"{low:.0f}"
    print(f"{fact:52}{value:9.4g}   expected {wanted}")
    assert low <= value <= high
print(f"{' x '.join(map(str, cube.shape))} {cube.dtype}: {cube.nbytes:,} B; {data.provenance['source']}")

# %% [markdown] tags=["section-idea"]
# ## A map and a time series lie across each other
#
# The question that the numbers are for: how much warmer? As a picture, before any chunk.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
change = cube[:, -window:].mean(1, dtype="f8") - cube[:, :window].mean(1, dtype="f8")
coast = land.make().arrays["land"][30:75, 45:135]  # 60 to 15 degrees north, 135 to 45 west
north, east = 59.5 - np.arange(45), 225.5 + np.arange(90)
figure, panels = viz.canvas(8.4, 3.7, 1, 2, sharey=True)
for panel, name, field in zip(panels, names, change, strict=True):
    shade = panel.contourf(longitude - 360, latitude, field, levels=range(11), cmap="YlOrRd")
    panel.contour(east - 360, north, coast, levels=[50], colors="black", linewidths=0.8)
    panel.plot(longitude[column] - 360, latitude[row], marker="o", color=BLUE, markeredgecolor="white", markersize=8)
    panel.set(title=name, xlabel="degrees east", aspect=1.25)
panels[0].set(ylabel="degrees north")
_ = figure.colorbar(shade, ax=panels, label="warmer by, K", shrink=0.85)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
place = change[:, row, column]
described = f"Two maps of North America, the last {window} years against the first. "
described += ", ".join(f"{n}: from {f.min():.1f} to {f.max():.1f} K" for n, f in zip(names, change, strict=True))
described += f"; most in the north. The dot is the place of the time series: {place[0]:.1f} and {place[1]:.1f} K."
warming_map = viz.Chart.of(figure, "Warmer by", described)
warming_map.save(out / "figures" / "07_01_warming.svg")
warming_map

# %% [markdown]
# Two reads live in this cube: a **map** of one year, and the **series** of one place, the blue dot. The file that the
# Met Office gives away holds one map to a chunk. So does our first store.
#
# **Write down three guesses.** How many requests does a series take there? We cut the array again, so that
# a series takes one: how many does a map take then? And does the warming of the region change with it?

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(7.4, 3.2, 1, 2, sharey=True)
cuts = {"Cut by year": (1, 9), "By place": (12, 3)}
for panel, (title, (tall, wide)) in zip(panels, cuts.items(), strict=True):
    panel.barh(7.5, 9, height=1, color=ORANGE, label="a map")
    panel.bar(4.5, 12, width=1, color=GREEN, label="a series")
    panel.hlines(range(0, 13, tall), 0, 9, color=GREY)
    panel.vlines(range(0, 10, wide), 0, 12, color=GREY)
    panel.set(title=title, xlabel="places", ylabel="years", xticks=[], yticks=[])
panels[0].invert_yaxis()
panels[1].legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 1.0))
described = "A cube of 12 years and 9 places. With a chunk for a year, a map lies in 1 and a series across 12. "
described += "With a chunk for 3 places, a series lies in 1 and a map across 3."
viz.Chart.of(figure, "One cube, cut in two ways", described)

# %% [markdown] tags=["section-build"]
# ## Build it small: count the chunks, add the sums
#
# Requests are counted as in [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb). The warming is the difference
# of two **[weighted means](https://en.wikipedia.org/wiki/Weighted_arithmetic_mean "A mean in which each value counts as
# much as its weight: the sum of value times weight, divided by the sum of the weights.")**: a cell of one degree
# shrinks with the cosine of its latitude. As in [05_01](../05_finance/05_01_tick_data_cube.ipynb), the mean of the
# parts' means is another number, but their two sums can be added, part by part. A part says where it begins: its rows
# have areas of their own, and its sums belong to years of their own.


# %%
def touched(read, lengths):
    """Chunks that a read touches: on each axis from the first to the last, and all pairs of them."""
    return math.prod((s.stop - 1) // n - s.start // n + 1 for s, n in zip(read, lengths, strict=True))


a_map = (slice(0, 1), slice(140, 141), slice(0, 37), slice(0, 49))
a_series = (slice(0, 1), slice(0, 240), slice(row, row + 1), slice(column, column + 1))
layouts = {"maps": (1, 1, 37, 49), "series": (1, 240, 8, 8), "between": (1, 60, 16, 16)}
predicted = {name: [touched(read, lengths) for read in (a_map, a_series)] for name, lengths in layouts.items()}
for name, (for_map, for_series) in predicted.items():
    print(f"{name:8} {layouts[name]!s:16} a map {for_map:3} requests, a series {for_series:3}")

# %%
area = np.cos(np.deg2rad(latitude))  # of a cell, in units of one at the equator


def sums(corner, values):
    """What to keep of a box that begins at `corner`: where it lies, the weighted sum of each map, and the weight."""
    scenario, year, top, _ = corner
    here = area[top : top + values.shape[2]]
    total = (values.sum(axis=3, dtype="f8") * here).sum(axis=2)
    where = slice(scenario, scenario + len(values)), slice(year, year + values.shape[1])
    return where, total, here.sum() * values.shape[3]


# %%
def merged(parts):
    """The mean of each scenario and year, and the area that it is the mean of."""
    total, weight = np.zeros(cube.shape[:2]), np.zeros(cube.shape[:2])
    for where, part, area_of_part in parts:
        total[where] += part
        weight[where] += area_of_part
    return total / weight, weight


# %%
def warming(mean):
    """The last years against the first, in K."""
    return mean[:, -window:].mean(1) - mean[:, :window].mean(1)


mean, whole_area = merged([sums((0, 0, 0, 0), cube)])
kelvin = warming(mean)
by_numpy = np.average(cube.mean(axis=3, dtype="f8"), axis=2, weights=area)
assert np.allclose(mean, by_numpy, rtol=0, atol=1e-9)
for name, value in zip(names, kelvin, strict=True):
    print(f"{name:4} warmer by {value:.3f} K")

# %% [markdown]
# The same, year by year, as **[anomalies](https://en.wikipedia.org/wiki/Temperature_anomaly "Differences from the mean
# of a reference period, in which places of different climate can be compared.")**. Thick are **[moving
# averages](https://en.wikipedia.org/wiki/Moving_average "The mean of each few values in a row; it quiets what changes
# from one value to the next.")** of eleven years, which quiet the weather.


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def smooth(values, length=11):
    """Moving averages; the first is that of the first `length` years, and belongs to their middle."""
    return np.convolve(values, np.ones(length) / length, "valid")


above = mean - mean[:, :window].mean(1, keepdims=True)
figure, panel = viz.canvas(7.4, 3.6)
for name, values, colour in zip(names, above, (VERMILION, BLUE), strict=True):
    panel.plot(years, values, color=colour, linewidth=0.7, alpha=0.6)
    panel.plot(years[5:-5], smooth(values), color=colour, linewidth=2.4, label=f"{name}, means of 11 years")
panel.axhline(2, color=GREY, linewidth=0.8, linestyle="--")
panel.legend(loc="upper left")
_ = panel.set(title=f"The region against its first {window} years", ylabel="K", xlabel="year", xlim=(1860, 2100))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
last = [float(smooth(values)[-1]) for values in above]
described = "Two curves that are one until 1999 and then part. The last eleven years: "
described += " and ".join(f"{name} {value:+.1f} K" for name, value in zip(names, last, strict=True))
two_futures = viz.Chart.of(figure, "Two futures of one past", f"{described}. A dashed line at 2 K.")
two_futures.save(out / "figures" / "07_01_futures.svg")
two_futures

# %% [markdown] tags=["section-library"]
# ## Cut it again within a budget, and prove that nothing changed
#
# The cube on the disk, one map to a chunk, with coordinates beside it. An absent chunk shall read as *not a number*,
# never as 0 K.

# %%
axes = data.dims["air_temperature"]
kept = {"compressors": {"name": "gzip", "configuration": {"level": 1}}, "zarr_format": zarr_format, "overwrite": True}
group = zarr.create_group(out / "maps.zarr", zarr_format=zarr_format, overwrite=True)
for name in ("year", "latitude", "longitude"):
    group.create_array(name, data=data.arrays[name], dimension_names=[name], attributes={"units": data.units[name]})
about = {"units": "K", "scenarios": names, "source": data.provenance["source"]}
form = {"chunks": layouts["maps"], "dimension_names": axes, "fill_value": math.nan, "attributes": about}
arrays = {"maps": group.create_array("air_temperature", data=cube, **form, **kept)}

# %% [markdown]
# `rechunk` cuts it again, in threads. It plans so that the chunks it holds stay within what it is allowed; with too
# little memory it takes fewer threads ("at once"), reads some chunks again, or goes through a temporary array (an
# **[out-of-core](https://en.wikipedia.org/wiki/External_memory_algorithm "Said of an algorithm for data larger than
# memory: it reads and writes them in pieces, several times if it must.")** algorithm). Ask first what it would do. (A
# write unit is what is written as one object: a chunk, or a shard.)

# %%
plans = {}
only_ask = {"chunks": layouts["series"], "workers": workers, "dry_run": True}
for budget in ("8 MiB", "2 MiB", "512 KiB", "256 KiB"):
    plans[budget] = zarr.rechunk(arrays["maps"], {}, memory=budget, **only_ask)  # nothing is written into the {}
    print(plans[budget], "\n")

# %%
source = TraceStore(arrays["maps"].store)
traced_source = zarr.open_array(source, path="air_temperature", mode="r")
series_options = {"chunks": layouts["series"], "memory": "2 MiB", "workers": workers, "overwrite": True}
source.clear()
arrays["series"] = zarr.rechunk(traced_source, out / "series.zarr", **series_options)
counted = source.count("GET")
print(f"{counted} requests to the source, {plans['2 MiB'].passes[0].reads} predicted")
assert counted == plans["2 MiB"].passes[0].reads
arrays["between"] = zarr.rechunk(arrays["maps"], out / "between.zarr", chunks=layouts["between"], overwrite=True)

# %% [markdown]
# **The third way.** A **[shard](../GLOSSARY.md#shard)** is one object with many small chunks in it, and an index of
# where each lies. Here: all years of a scenario in one object, in chunks of 24 x 8 x 8. A shard holds whole chunks, so
# for maps of 37 x 49 it is 40 x 56. Zarr 2 has no shards: this store is Zarr 3, whatever the format of the others.

# %%
inner, shard = (1, 24, 8, 8), (1, 240, 40, 56)
in_shards = {"chunks": inner, "shards": shard, "zarr_format": 3, "overwrite": True}
arrays["shards"] = zarr.rechunk(arrays["maps"], out / "shards.zarr", **in_shards)
digests = {name: hashlib.sha256(array[...].tobytes()).hexdigest() for name, array in arrays.items()}
units = {name: array.shards or array.chunks for name, array in arrays.items()}
objects = {name: math.prod(-(-n // c) for n, c in zip(cube.shape, unit, strict=True)) for name, unit in units.items()}
for name, array in arrays.items():
    print(f"{name:8} {objects[name]:4} objects  {array.nbytes_stored():9,} B  sha256 {digests[name][:16]}...")
assert set(digests.values()) == {hashlib.sha256(cube.tobytes()).hexdigest()}

# %% [markdown]
# Four layouts, the same bits. Now the warming again, read from each store, chunk by chunk, in threads. Where there are
# shards, a thread gets a whole shard.


# %%
def region_mean(array, count=workers):
    """`merged` over the chunks of an array (over its shards, where there are some), read by `count` threads."""
    lengths = array.shards or array.chunks
    work = array.parallel_chunk_map(
        lambda coords, values: sums([c * n for c, n in zip(coords, lengths, strict=True)], values),
        max_concurrency=count,
    )
    return merged(work)


found = {name: region_mean(array)[0] for name, array in arrays.items()}
for name, values in found.items():
    print(f"{name:8}", ", ".join(f"{n} {k:+.6f} K" for n, k in zip(names, warming(values), strict=True)))
    assert np.allclose(values, mean, rtol=0, atol=1e-9)

# %%
runs = [np.array_equal(region_mean(arrays["series"], n)[0], found["series"]) for n in (1, 2, 8)]
print(f"with 1, 2 and 8 threads the same bits: {all(runs)}")
assert all(runs)

# %% [markdown] tags=["section-bytes"]
# ## One number in every 64, and an index at the end
#
# A series by hand: one file of the second store, unpacked; 240 years of 8 x 8 places; one number in every 64.

# %%
key = arrays["series"].chunk_key((0, 0, row // 8, column // 8))
unpacked = gzip.decompress((out / "series.zarr" / key).read_bytes())
block = np.frombuffer(unpacked, "<f4").reshape(240, 8, 8)
assert np.array_equal(block[:, row % 8, column % 8], cube[0, :, row, column])
start = 4 * (8 * (row % 8) + column % 8)
first_year = viz.hexdump(unpacked[start : start + 4], notes={0: f"{years[0]}: {block[0, row % 8, column % 8]:.2f} K"})
print(key, f"{len(unpacked):,} B", first_year, sep="\n")

# %% [markdown]
# And the shard: at its end the index, 16 bytes for each of 350 chunks, and a **[checksum](../GLOSSARY.md#checksum)** of
# 4. All places of the same years lie side by side, so a map is one stretch of bytes; a series is one chunk out of every
# 35. (The specification leaves the order to the writer. zarr-python takes the **[Morton
# order](https://en.wikipedia.org/wiki/Z-order_curve "An order of the cells of a grid in which near cells mostly stay
# near: the bits of their coordinates take turns.")**, and then a map is no stretch.)

# %%
packed = (out / "shards.zarr" / arrays["shards"].chunk_key((0, 0, 0, 0))).read_bytes()
slots = 10 * 5 * 7
index = np.frombuffer(packed[-16 * slots - 4 : -4], "<u8").reshape(10, 5, 7, 2)  # of each chunk: offset, size
starts, sizes = index[5].reshape(35, 2).T
side_by_side = starts[:-1] + sizes[:-1] == starts[1:]
print(f"the shard: {len(packed):,} B, of which the index is {16 * slots + 4:,} B")
print(f"the 35 chunks of {years[120]} to {years[143]} lie side by side: {side_by_side.all()}")
apart = np.diff(index[:, row // 8, column // 8, 0].astype("i8"))
print(f"the 10 chunks of the place lie {apart.min():,} to {apart.max():,} B apart")

# %% [markdown] tags=["section-others"]
# ## xarray finds the same kelvin
#
# Other readers see the same in all layouts.

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
for name in arrays:
    report = interop_check(out / f"{name}.zarr", path="air_temperature" if name == "maps" else "", expected=cube)
    print(name, report, "", sep="\n")
    assert not report.differing

# %% [markdown]
# And xarray, on this library as its engine, with its own weighted mean (`consolidated=False`: there is no copy of the
# documents to look for):

# %%
watched = TraceStore(group.store)
with xr.open_dataset(watched, engine=ZarrBackend, consolidated=False) as dataset:
    air = dataset["air_temperature"]
    watched.clear()
    dot = air.isel(scenario=0).sel(latitude=latitude[row], longitude=longitude[column]).to_numpy()
    through_xarray = watched.count("GET")
    weighted = air.weighted(np.cos(np.deg2rad(dataset["latitude"]))).mean(("latitude", "longitude")).to_numpy()
assert np.array_equal(dot, cube[0, :, row, column])
by_xarray = warming(weighted)
print("by xarray:", ", ".join(f"{n} {k:+.3f} K" for n, k in zip(names, by_xarray, strict=True)))
print(f"one place through xarray: {through_xarray} requests, one for each map")
assert np.allclose(weighted, mean, rtol=0, atol=1e-4)

# %% [markdown] tags=["section-operations"]
# ## Four layouts, counted
#
# Requests and bytes for a map, a series, and everything. Each read is made in several places.

# %%
steps = 3 if quick else 30
reads = {
    "a map": [(0, 239 * k // (steps - 1)) for k in range(steps)],
    "a series": [(0, slice(None), 36 * k // (steps - 1), 48 * k // (steps - 1)) for k in range(steps)],
    "everything": [...],
}
costs = {}
for (name, array), (read, selections) in itertools.product(arrays.items(), reads.items()):
    trace = TraceStore(array.store)
    traced = zarr.open_array(trace, path=array.path, mode="r")
    trace.clear()
    assert all(np.array_equal(traced[selection], cube[selection]) for selection in selections)
    each = {"requests": trace.count("GET"), "bytes": trace.nbytes("GET")}
    costs[name, read] = {what: count / len(selections) for what, count in each.items()}

# %%
print(f"{'':8}" + "".join(f"{read:>27}" for read in reads))
for name in arrays:
    row_of = (costs[name, read] for read in reads)
    print(f"{name:8}" + "".join(f"{c['requests']:8.0f} requests{c['bytes'] / 1024:6,.0f} KiB" for c in row_of))
for name, (for_map, for_series) in predicted.items():
    assert [costs[name, read]["requests"] for read in ("a map", "a series")] == [for_map, for_series]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.4, 1, 2)
places = np.arange(len(arrays))
for offset, read, colour, marker in ((-0.15, "a map", ORANGE, "o"), (0.15, "a series", GREEN, "s")):
    for panel, what, unit in ((left, "requests", 1), (right, "bytes", 1024)):
        heights = [costs[name, read][what] / unit for name in arrays]
        panel.plot(places + offset, heights, marker, markersize=8, color=colour, label=read)
        for x, height in zip(places + offset, heights, strict=True):
            panel.text(x, height * 1.4, f"{height:,.0f}", ha="center", fontsize=8.5)
for panel, title, top in ((left, "Requests", 1000), (right, "KiB moved", 8000)):
    panel.set(title=title, yscale="log", ylim=(0.7, top), xlim=(-0.6, len(arrays) - 0.4))
    panel.set_xticks(places, list(arrays))
    panel.yaxis.set_major_formatter("{x:,.0f}")
_ = right.legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 1.0))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = (
    f"{name}: {read} {costs[name, read]['requests']:.0f} requests, {costs[name, read]['bytes'] / 1024:,.0f} KiB"
    for name, read in itertools.product(arrays, ("a map", "a series"))
)
described = f"Dots for four layouts, on a log scale. {'; '.join(told)}."
dots = viz.Chart.of(figure, "What a map and a series cost", described)
dots.save(out / "figures" / "07_01_costs.svg")
dots

# %% [markdown]
# From maps to series, 240 requests become 1, and a map pays with 35. *Between* is mediocre at both. Shards need two
# waits for a map, and for a series one for the index and then ten ranges at once. How many bytes do they carry for each
# byte asked? (What they carry is compressed, so less than one is possible.)

# %%
asked = {"a map": 37 * 49 * 4, "a series": 240 * 4}
carried = {(name, read): costs[name, read]["bytes"] / asked[read] for name in arrays for read in asked}
print(f"{'':8}" + "".join(f"{read:>12}" for read in asked))
for name in arrays:
    print(f"{name:8}" + "".join(f"{carried[name, read]:10.1f} x" for read in asked))

# %% [markdown]
# Two copies, one layout for each read, ask for least, at twice the disk. Shards are one copy, few objects, and no read
# that costs hundreds: a series takes 11 requests, where the best layout takes 1 and *between* 4. The years in an inner
# chunk are the trade: fewer make maps lighter, and series more ranges.

# %% [markdown] tags=["section-wrong"]
# ## The region turns colder by a change of chunks
#
# Each thread returns the weighted mean of its chunk, and we average. With one map to a chunk that is right, and every
# test passes. Then the array is cut again.


# %%
def mean_of_means(array):
    """The mistake: each chunk's own weighted mean, averaged."""
    found, count = np.zeros(cube.shape[:2]), np.zeros(cube.shape[:2])
    for coords, values in array.chunk_stream():
        where, total, area_of_part = sums([c * n for c, n in zip(coords, array.chunks, strict=True)], values)
        found[where] += total / area_of_part
        count[where] += 1
    return found / count


wrong = {name: mean_of_means(arrays[name]) for name in layouts}
for name, values in wrong.items():
    print(f"{name:8} the region is at {values[0, 0]:.2f} K in {years[0]}, A1B warms by {warming(values)[0]:.3f} K")

# %% [markdown]
# 37 rows in chunks of 8 leave five over, in the north, and each of their chunks counts as much as one of eight rows
# near the tropics, which covers more than twice the area. The region has become colder, and warms faster, by a change
# of chunks.
#
# **A chunk that is gone** reads as the fill value ([01_01](../01_core_zarr/01_01_first_zarr_array.ipynb)). With 0, as
# is usual, that is 0 K, and nothing complains.

# %%
losses = {}
for fill in (0.0, math.nan):
    lost = zarr.create_array({}, data=cube, chunks=layouts["series"], fill_value=fill, zarr_format=zarr_format)
    lost.store.delete(lost.chunk_key((0, 0, 2, 2)))
    whole = np.average(lost[...].mean(axis=3, dtype="f8"), axis=2, weights=area)
    by_parts, weight = region_mean(lost)
    share = float((weight / whole_area).min())
    losses[str(fill)] = [float(whole[0, 0]), float(by_parts[0, 0]), share, float(warming(whole)[0])]
    print(f"absent is {fill}: NumPy finds {whole[0, 0]:.2f} K", end=", ")
    print(f"the merge {by_parts[0, 0]:.2f} K of {share:.1%} of the area")
print(f"nothing lost: {mean[0, 0]:.2f} K of all of it")

# %% [markdown]
# `parallel_chunk_map` visits what is stored, so a lost chunk does not enter the sums. The merge is nearer than NumPy
# with its zeros, and wrong all the same, by a tenth of a kelvin. But the second sum says so: not all of the area was
# there. Carry the weight along, and compare it. And let temperatures be absent as *nan*.
#
# **Too little memory** is refused before anything is written:

# %%
try:
    zarr.rechunk(arrays["maps"], {}, chunks=layouts["series"], memory="64 KiB", workers=workers)
except MemoryBudgetError as error:
    print(textwrap.fill(f"{type(error).__name__}: {error}", 96))

# %% [markdown] tags=["section-predict"]
# ## Inner chunks of all years
#
# With `(1, 240, 8, 8)` in the shard, what do a series and a map cost? Think of how many of the inner chunks a map
# touches, and of where they lie. Write it down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
inner_years, all_years = 240, {}
other = zarr.create_array({}, data=cube, chunks=(1, inner_years, 8, 8), shards=shard, compressors="gzip")
trace = TraceStore(other.store)
traced = zarr.open_array(trace, mode="r")
for read, selection in (("a map", (0, 140)), ("a series", (0, slice(None), row, column))):
    trace.clear()
    assert np.array_equal(traced[selection], cube[selection])
    all_years[read] = trace.count("GET")
    print(f"{read}: GET {all_years[read]}, {trace.nbytes('GET'):,} B")
print(f"A map touches all 35 chunks of the shard of {other.store.get_size('c/0/0/0/0'):,} B: it is fetched whole.")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 07_01.1
#
# A script forgets the weights: every cell counts the same. By how many kelvin is the warming of A1B then too high, over
# windows of 30 years?
#
# <details><summary>Hint</summary>
# `cube.mean(axis=(2, 3))` is the mean that forgets. Why is the error positive? Look at the map.</details>

# %% tags=["exercise"]
too_high = ...
check("07_01.1", too_high)

# %% [markdown]
# ### Exercise 07_01.2
#
# A region of 8 x 8 places and 30 years, of one scenario: rows 10 to 17, columns 20 to 27, the years 1990 to 2019. How
# many requests does it take in *maps*, *series* and *between*? Answer with three numbers.
#
# <details><summary>Hint</summary>
# Row 10 lies in the chunk of rows 8 to 15. And row 17?</details>

# %% tags=["exercise"]
three_requests = ...
check("07_01.2", three_requests)

# %% [markdown]
# ### Exercise 07_01.3
#
# Take the weighted mean of the region under A1B, and moving averages of eleven years. Which is the first
# year, as the middle of its eleven, that is more than 2 K above the mean of 1860 to 1889?
#
# <details><summary>Hint</summary>
# `smooth`, in the folded cell of the figure of two futures, gives the means: `smooth(above[0])` has 230 values. The
# first belongs to 1865.</details>

# %% tags=["exercise"]
first_year_above = ...
check("07_01.3", first_year_above)

# %% [markdown]
# ### Exercise 07_01.4
#
# A series arrives in chunks of any lengths. Write `moving_means`: the mean of every `length` values in a row, as a
# list, as if the series were one piece. From a chunk that is done you may keep no more than its end (a
# **[halo](https://docs.dask.org/en/stable/array-overlap.html "The few values beyond the edge of a chunk that a moving
# window needs from the neighbouring chunk.")**).
#
# <details><summary>Hint</summary>
# How many of the last values can a window need that ends in the next chunk? And if that chunk is shorter?</details>


# %% tags=["exercise"]
def moving_means(chunks, length): ...


check("07_01.4", moving_means)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `parallel_chunk_map(sums)`, merged by hand | `xarray.open_zarr(...).weighted(area).mean(...)`: merged by itself, for any chunks, with labels | in zarr-python alone: a map over chunks |
# | `rechunk(array, target, chunks=..., memory=...)` | `zarr.from_array(target, data=array, chunks=...)`; `dask.array.rechunk` and `to_zarr` | a budget of memory |
# | `rechunk(..., dry_run=True)` | - | reads, writes and memory, before anything is written |
# | `create_array(..., shards=...)`: inner chunks row after row | the same name: inner chunks in Morton order | a map as one stretch of bytes |
# | `xarray.open_dataset(store, engine=ZarrBackend)` | `engine="zarr"`: the same data set | - |
# | `array.chunk_stream()`: stored chunks alone | `array.nchunks_initialized`: how many there are | a walk over the stored chunks |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store).counter` | the bytes and the range of each request |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - On each axis count the chunks from the first index to the last, and multiply. One map to a chunk: 1 for a map,
#   240 for a series. All years of 8 x 8 places: 35 and 1.
# - `rechunk` says beforehand what it reads, writes and holds; with too small a budget it reads chunks again. The sha256
#   of the elements is the proof.
# - A shard keeps chunks small and objects few: an index first, then stretches. A map costs 2 requests and a
#   series 11, with more bytes than the best layout for each.
# - Keep of each chunk where it lies, a weighted sum and its weight. Merged they give the same kelvin in any layout, by
#   any number of threads, and in xarray.
# - A mean of means changes with the chunks. A weight that is carried along tells of a chunk that is gone.
#
# **Open questions.** Who writes the next year, and into which layout? What if a thousand people ask for
# series at once? How sure is one model of two futures?
#
# **To read further.**
#
# - [Rechunker](https://rechunker.readthedocs.io/en/latest/algorithm.html): how to cut an array again in a fixed memory,
#   and why it may take two passes
# - [The sharding codec](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html): the index,
#   and what a reader may rely on
# - [Computing with xarray](https://docs.xarray.dev/en/stable/user-guide/computation.html): weighted means and moving
#   windows, with names in place of axes
#
# **Next.** [07_02](07_02_satellite_tiles.ipynb): more than half of my satellite pixels are cloud; how do I read the others
# without the clouds?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The north has many cells on a grid of degrees, and little area. It also warms most.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
plain = cube[0].mean(axis=(1, 2), dtype="f8")
weighted_30 = by_numpy[0, -30:].mean() - by_numpy[0, :30].mean()
check("07_01.1", plain[-30:].mean() - plain[:30].mean() - weighted_30)

# %% [markdown]
# Maps: one for each year. Series: rows and columns each lie across an edge, two by two. Between: rows across one
# edge, and the years 130 to 159 within 120 to 179.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
region = (slice(0, 1), slice(130, 160), slice(10, 18), slice(20, 28))
check("07_01.2", tuple(touched(region, lengths) for lengths in layouts.values()))

# %% [markdown]
# A single year is above earlier. The line then dips once more, so "the first" is a decision, too.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
against_1860 = by_numpy[0] - by_numpy[0, :30].mean()
check("07_01.3", 1865 + int(np.argmax(smooth(against_1860) > 2)))

# %% [markdown]
# The last `length - 1` values are kept; with the next chunk behind them they give its windows, and its end.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def moving_means(chunks, length):
    means, kept = [], []
    for chunk in chunks:
        here = [*kept, *chunk]
        means += [sum(here[end - length : end]) / length for end in range(length, len(here) + 1)]
        kept = here[max(0, len(here) - length + 1) :]
    return means


check("07_01.4", moving_means)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
crossings = {name: int(years[5 + np.argmax(smooth(values) > 2)]) for name, values in zip(names, above, strict=True)}
save_facts(
    out,
    {
        "shape": cube.shape,
        "nbytes": cube.nbytes,
        "years": [years[0], years[-1]],
        "chunks_of_a_map": [-(-n // 8) for n in cube.shape[2:]],
        "window": window,
        "years_in_common": data.truth["years in common"],
        "last_common_year": 1859 + data.truth["years in common"],
        "realism": {name: round(value, 6) for name, (value, _, _) in climate.realism(data).items()},
        "place": [latitude[row], 360 - longitude[column]],
        "place_kelvin": np.round(place, 6),
        "map_kelvin": {
            n: [round(float(f.min()), 6), round(float(f.max()), 6)] for n, f in zip(names, change, strict=True)
        },
        "kelvin": {name: round(float(value), 9) for name, value in zip(names, kelvin, strict=True)},
        "kelvin_apart": round(float(kelvin[0] - kelvin[1]), 9),
        "kelvin_by_layout": {name: np.round(warming(values), 9) for name, values in found.items()},
        "kelvin_by_xarray": np.round(by_xarray, 4),
        "last_eleven_years": np.round(last, 6),
        "crossings": crossings,
        "threads_agree": sum(runs),
        "predicted": predicted,
        "layouts": {**layouts, "shards": [inner, shard]},
        "plans": {
            budget: {
                "reads": plan.reads,
                "writes": plan.writes,
                "passes": len(plan.passes),
                "peak_kib": plan.peak / 1024,
            }
            for budget, plan in plans.items()
        },
        "source_requests": counted,
        "sha256": digests,
        "objects": objects,
        "costs": {name: {read: costs[name, read] for read in reads} for name in arrays},
        "kib": {name: {read: costs[name, read]["bytes"] / 1024 for read in reads} for name in arrays},
        "carried": {name: {read: carried[name, read] for read in asked} for name in arrays},
        "shard": {"bytes": len(packed), "index": 16 * slots + 4, "chunks": slots},
        "stored": {name: array.nbytes_stored() for name, array in arrays.items()},
        "through_xarray": through_xarray,
        "all_years": all_years,
        "mean_of_means": {
            name: {"first_year": round(float(v[0, 0]), 6), "warming": round(float(warming(v)[0]), 6)}
            for name, v in wrong.items()
        },
        "first_year": round(float(mean[0, 0]), 6),
        "colder": round(float(mean[0, 0] - wrong["series"][0, 0]), 6),
        "lost": {
            fill: {
                "numpy": None if math.isnan(values[0]) else round(values[0], 6),
                "merged": round(values[1], 6),
                "area_percent": round(100 * values[2], 6),
                "merge_off": round(values[1] - float(mean[0, 0]), 6),
                "warming": None if math.isnan(values[3]) else round(values[3], 6),
            }
            for fill, values in losses.items()
        },
        "unweighted": {
            "too_high": round(float(plain[-30:].mean() - plain[:30].mean() - weighted_30), 6),
            "kelvin": round(float(plain[-30:].mean() - plain[:30].mean()), 6),
        },
        "region_requests": [touched(region, lengths) for lengths in layouts.values()],
    },
)
