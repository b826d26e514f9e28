# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read the ground and not the clouds
#
# **Question.** More than half of my satellite pixels are cloud. How do I read the others without reading the clouds?
#
# ![Six scenes of the same fields. Two are clear, two are broken by clouds, two are white.](../../articles/figures/07_02_scenes.svg)
#
# *The same fields on six days of a year, as the satellite saw them; plants are red.*
#
# A satellite passes every few days, and somebody's field is under cloud on most of them. Every scene comes with a small
# map that says which pixels are cloud. So: read the map first, and fetch only what is clear. It cannot fail to be
# cheaper. It can.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), [07_01](07_01_climate_cube_windows.ipynb) |
# | **Code** | `tutorial_zarr/chunk_io`, `tutorial_zarr/array.py` |
# | **Article** | [Look up before you download](../../articles/30_satellite_tiles.md) |
# | **Data** | a year of scenes, generated (`data_gen/satellite.py`) |
#
# **You will be able to**
#
# - tell what a filter of whole scenes throws away
# - say what a mask that is read first saves, in requests and in bytes
# - choose chunks for the mask that differ from those of the pixels
# - predict how many chunks clouds let you skip
# - compute NDVI from unsigned integers without a wrong sign
# - choose a fill value that does not pass for a clear sky
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `edge` is that of a chunk, in pixels; it divides 192. `field` is the parcel that is followed through the year, 0 to 39.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: four times the area
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
edge = 32
field = 6

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tutorial_zarr as zarr
from data_gen import satellite
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(edge=(edge, 8, 96), field=(field, 0, 39), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
if 192 % edge:
    raise ValueError(f"edge: expected a divisor of 192, found {edge}; try 32")

# %% [markdown] tags=["section-data"]
# ## A year of scenes, more than half of it white
#
# Three bands, in reflectance times 10,000, and a **[cloud
# mask](https://www.usgs.gov/landsat-missions/landsat-collection-2-quality-assessment-bands "An array beside a scene that
# says of each pixel whether a cloud was seen in it.")**: 0 is clear, 1 is cloud. These scenes are generated. A real
# **[binary mask](../GLOSSARY.md#binary-mask)** errs, real clouds throw shadows, and real scenes shift by a fraction of a pixel. What
# counts here is held to published figures: how much is cloud, how rarely a scene is half and half, and how ragged clouds are at each size.

# %%
data = satellite.make("small" if quick else "large", seed)
checks = satellite.realism(data)
for fact, (value, low, high) in checks.items():
    print(f"{fact:50}{value:6.2f}   expected {low} to {high}")
    assert low <= value <= high
scenes, cloud, parcel, day = (data.arrays[name] for name in ("pixels", "cloud", "parcel", "day"))
dates, n = len(day), cloud.shape[1]
cover = cloud.mean(axis=(1, 2))  # of each scene
print(f"{scenes.shape} (t, y, x, band) {scenes.dtype}, {scenes.nbytes / 1e6:.1f} MB")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
wanted = (0.02, 0.1, 0.35, 0.65, 0.9, 0.99)
summer = [t for t in range(dates) if 100 <= day[t] <= 290]
shown = sorted(min(summer, key=lambda t, w=w: abs(cover[t] - w)) for w in wanted)
shown = list(dict.fromkeys(shown))
figure, panels = viz.canvas(9.0, 2.1, 1, len(shown))
for panel, t in zip(panels, shown, strict=True):
    panel.imshow(np.clip(scenes[t][::2, ::2, ::-1] / 5000, 0, 1), interpolation="nearest")
    panel.set(xticks=[], yticks=[])
    panel.set_title(f"day {day[t]}: {cover[t]:.0%}", fontsize=12)
told = ", ".join(f"day {day[t]} {cover[t]:.0%}" for t in shown)
scenes_chart = viz.Chart.of(figure, "One year, the same fields", f"Scenes of the same fields, and how cloudy: {told}.")
scenes_chart.save(out / "figures" / "07_02_scenes.svg")
scenes_chart

# %% [markdown] tags=["section-idea"]
# ## A field through the year, with its clouds and without
#
# **[NDVI](https://en.wikipedia.org/wiki/Normalized_difference_vegetation_index "Infrared minus red over infrared plus
# red: near one over dense plants, near zero over clouds and bare rock, negative over water.")** says how green a pixel
# is. Average it over one field, in each scene. Clouds are white, so their NDVI is about 0, and they drag the curve down.
#
# A habit: take only scenes that are less than 20 % cloudy. **Guess**: which share of the clear pixels is in those?


# %%
def ndvi(pixels):
    """NDVI of pixels (..., band)."""
    red, infrared = pixels[..., 1].astype(float), pixels[..., 2].astype(float)
    return (infrared - red) / (infrared + red)


inside = parcel == field
clear = cloud == 0
green = ndvi(scenes)
all_pixels = green[:, inside].mean(axis=1)
seen = [t for t in range(dates) if clear[t][inside].any()]
clear_only = np.array([green[t][inside & clear[t]].mean() for t in seen])
clean = cover < 0.2
kept = float(clear[clean].sum() / clear.sum())

# %% tags=["hide-input"] jupyter={"source_hidden": true}
truth = data.truth["ndvi"][:, field]
figure, panel = viz.canvas(7.4, 3.6)
panel.plot(day, truth, color=GREY, linewidth=5, alpha=0.5, label="the truth")
panel.plot(day, all_pixels, color=VERMILION, linewidth=1.2, marker=".", label="all pixels")
panel.plot(day[seen], clear_only, color=GREEN, linewidth=0, marker="o", label="clear pixels")
ticks = {"color": BLUE, "linewidth": 0, "marker": "|", "markersize": 10}
panel.plot(day[clean], np.full(clean.sum(), -0.07), label="scenes under 20 % cloud", **ticks)
panel.set(xlabel="day of the year", ylabel="NDVI", ylim=(-0.13, 1.18))
panel.legend(loc="upper left", ncols=2, fontsize=10)
_ = panel.set_title(f"Field {field}, a {data.truth['kind'][field]}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
error = float(np.abs(clear_only - truth[seen]).max())
described = (
    f"Clear pixels follow the truth to {error:.3f}. All pixels fall to near zero on cloudy days. {len(seen)} of "
)
described += f"{dates} dates show clear pixels of the field; {clean.sum()} scenes are under 20 percent cloudy."
curve_chart = viz.Chart.of(figure, "A field's year", described)
curve_chart.save(out / "figures" / "07_02_field.svg")
curve_chart

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"{clean.sum()} of {dates} scenes are under 20 % cloudy; they hold {kept:.0%} of the clear pixels")
print(f"the field has clear pixels on {len(seen)} dates; {sum(clean[t] for t in seen)} of them are in such scenes")
assert error < 0.02

# %% [markdown]
# Half of what could be seen goes away with the filter, and dates with it. So a scene is too coarse a unit. Ask each chunk.

# %% [markdown] tags=["section-build"]
# ## Build it small: which chunks have a clear pixel?
#
# Cut a scene into tiles of `edge` x `edge` pixels. A tile is worth a request if one of its pixels is clear. That is a
# reshape and an `any`.
#
# **Guess again.** Over half of the pixels are cloud. Which share of the tiles is *all* cloud, and can be skipped?


# %%
def worth(clear, edge):
    """Tiles (t, row, column) that have a clear pixel."""
    t, n, _ = clear.shape
    return clear.reshape(t, n // edge, edge, n // edge, edge).any(axis=(2, 4))


needed = worth(clear, edge)
skipped = float(1 - needed.mean())

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"{cloud.mean():.1%} of the pixels are cloud, and {skipped:.1%} of the {needed.size:,} tiles can be skipped")

# %% [markdown]
# A cloud that ends within a tile leaves the tile to be read. How much can be skipped depends on the size of the tile
# *and* of the clouds. To see it, keep the share of each scene, and scatter its clouds pixel by pixel:

# %%
salt = np.empty_like(cloud)
bits = np.random.PCG64(seed + 7)
for t in range(dates):
    salt[t] = bits.random_raw(n * n).reshape(n, n) * 2.0**-64 < cover[t]
edges = [e for e in (1, 2, 4, 8, 16, 32, 64, 96, 192) if n % e == 0]
skips = {
    name: [float(1 - worth(mask == 0, e).mean()) for e in edges] for name, mask in (("clouds", cloud), ("salt", salt))
}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.5)
panel.plot(edges, [100 * v for v in skips["clouds"]], color=BLUE, marker="o", label="clouds as they are")
panel.plot(edges, [100 * v for v in skips["salt"]], color=ORANGE, marker="s", label="the same share, pixel by pixel")
panel.set_xscale("log", base=2)
panel.set(xlabel="edge of a tile, pixels", ylabel="tiles to skip, %", xticks=edges, xticklabels=edges, ylim=(-2, 62))
panel.minorticks_off()
panel.legend(loc="upper right")
panel.set_title("How much of the sky a tile can skip")
told = "; ".join(
    f"edge {e}: {a:.0%} and {b:.0%}" for e, a, b in zip(edges, skips["clouds"], skips["salt"], strict=True)
)
skip_chart = viz.Chart.of(figure, "Tiles that are all cloud", f"With clouds as they are and scattered. {told}.")
skip_chart.save(out / "figures" / "07_02_skipped.svg")
skip_chart

# %% [markdown]
# Test a reader with random pixels, and you conclude that a mask is of no use. Clouds come in lumps; that is what can be
# skipped.

# %% [markdown] tags=["section-library"]
# ## Read the mask first, and count
#
# Pixels in chunks of one date, one tile, all bands. The mask three times: cut as the pixels are; long in
# time; and in one chunk. 255 in the mask is to mean *nobody has looked*.

# %%
how = {"compressors": {"name": "gzip", "configuration": {"level": 1}}, "zarr_format": zarr_format, "overwrite": True}
pixels = zarr.create_array(out / "pixels.zarr", data=scenes, chunks=(1, edge, edge, 3), fill_value=0, **how)
cuts = {"like the pixels": (1, edge, edge), "long in time": (dates, edge, edge), "in one": (dates, n, n)}
masks = {}
for name, chunks in cuts.items():
    path = out / f"cloud_{name.replace(' ', '_')}.zarr"
    masks[name] = zarr.create_array(path, data=cloud, chunks=chunks, fill_value=255, **how)
for name, a in {"pixels": pixels, **masks}.items():
    print(f"{name:16} {a.chunks!s:16} {a.nchunks:5,} chunks  {a.nbytes_stored() / 1e6:6.3f} MB")

# %% [markdown]
# The whole area through the year, every clear pixel: read everything, or read a mask and then the chunks that are worth
# it. **Guess** the order of the four, by requests, cheapest first.


# %%
def traced(a):
    """The same array, with its requests counted from here on."""
    trace = TraceStore(a.store)
    again = zarr.open_array(trace, mode="r")
    trace.clear()
    return again, trace


def everything():
    a, trace = traced(pixels)
    return a[...], trace.count("GET"), trace.nbytes("GET")


# %%
def mask_first(mask):
    """Clear tiles in their places, 0 elsewhere; requests and bytes, the mask's among them."""
    (m, of_mask), (a, of_pixels) = traced(mask), traced(pixels)
    found = np.zeros(a.shape, a.dtype)

    def fetch(place):
        t, y, x = place
        found[t, y * edge : (y + 1) * edge, x * edge : (x + 1) * edge] = a.blocks[t, y, x, 0]

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fetch, np.argwhere(worth(m[...] == 0, edge)).tolist()))
    return found, of_mask.count("GET") + of_pixels.count("GET"), of_mask.nbytes("GET") + of_pixels.nbytes("GET")


# %%
costs = {}
for name in ("everything", *masks):
    found, requests, nbytes = everything() if name == "everything" else mask_first(masks[name])
    assert np.array_equal(found[clear], scenes[clear])
    costs[name if name == "everything" else f"mask {name}"] = (requests, nbytes)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.2)
for row, (name, (requests, nbytes)) in enumerate(costs.items()):
    of_mask = 0 if name == "everything" else masks[name.removeprefix("mask ")].nchunks
    panel.barh(row, requests - of_mask, 0.6, color=BLUE, label="of pixels" if row == 0 else None)
    panel.barh(row, of_mask, 0.6, left=requests - of_mask, color=ORANGE, label="of the mask" if row == 1 else None)
    panel.text(requests + 20, row, f"{requests:,}, {nbytes / 1e6:.1f} MB", va="center", fontsize=10)
panel.set(yticks=range(4), yticklabels=list(costs), ylim=(3.6, -0.6), xlabel="requests")
panel.set_xlim(0, 1.35 * max(requests for requests, _ in costs.values()))
panel.legend(loc="lower right")
panel.set_title("Every clear pixel of a year")
told = "; ".join(f"{name}: {r:,} requests, {b / 1e6:.1f} MB" for name, (r, b) in costs.items())
cost_chart = viz.Chart.of(figure, "Requests for all clear pixels", f"{told}.")
cost_chart.save(out / "figures" / "07_02_requests.svg")
cost_chart

# %% [markdown]
# The mask that is cut like the pixels makes the read *more expensive* than no mask at all: it asks once for each tile in order to
# save fewer requests than that. Bytes fall, requests rise, and at an **[object store](../GLOSSARY.md#object-store)** small requests are mostly waiting
# (**[latency](../GLOSSARY.md#latency)**). The same mask in chunks of all dates costs a request for each tile of the map,
# or one for all of it. So: **cut a mask for how it is read**, through time, and not for how its pixels are cut.
#
# One field, one line: a boolean selection fetches only chunks with a `True`.

# %%
m, of_mask = traced(masks["long in time"])
rows, columns = (slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(inside))
wanted = np.zeros(pixels.shape, bool)
wanted[:, rows, columns] = ((m[:, rows, columns] == 0) & inside[rows, columns])[..., None]
a, of_pixels = traced(pixels)
found = a.get_mask_selection(wanted)
assert np.array_equal(found, scenes[wanted])
of_field = {"mask": of_mask.count("GET"), "pixels": of_pixels.count("GET")}
a, trace = traced(pixels)
a[:, rows, columns]
of_field["box"] = trace.count("GET")
print(f"field {field}: {of_field['mask']} + {of_field['pixels']} requests; its box, clouds and all: {of_field['box']}")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same scenes:")
report = interop_check(out / "pixels.zarr", expected=scenes)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Three bands in a chunk, and two are needed
#
# NDVI needs red and infrared. With a chunk for each band it reads two thirds of the values, and asks twice as often.

# %%
apart = zarr.create_array({}, data=scenes, chunks=(1, edge, edge, 1), fill_value=0, **how)
bands = {}
for name, array in (("together", pixels), ("apart", apart)):
    a, trace = traced(array)
    assert np.array_equal(a[..., 1:], scenes[..., 1:])
    bands[name] = (trace.count("GET"), trace.nbytes("GET"))
    print(f"bands {name:9} {bands[name][0]:5,} requests, {bands[name][1] / 1e6:.1f} MB")

# %% [markdown]
# And the best value of the year, per pixel? A **[maximum value
# composite](https://doi.org/10.1080/01431168608948945 "The highest NDVI of each pixel within a period; clouds, which have
# low NDVI, drop out by themselves.")** takes a running maximum, and no mask at all. Where would that go wrong?

# %%
water = np.array([kind == "water" for kind in data.truth["kind"]])[parcel]
best = np.full((n, n), -1.0)
for t in range(dates):
    best = np.maximum(best, green[t])  # clouds and all
off = best - data.truth["ndvi"].max(axis=0)[parcel]
composite = {name: float(off[where].mean()) for name, where in (("land", ~water), ("water", water))}
print(f"too high by {composite['land']:.3f} over land, by {composite['water']:.3f} over water")
assert np.median(np.abs(off[~water])) < 0.02

# %% [markdown]
# A cloud is less green than any field in summer, and greener than a lake. Over water the cloud wins.

# %% [markdown] tags=["section-wrong"]
# ## A lake that is greener than a forest, and a sky that is always clear
#
# Reflectance comes as `uint16`, and an unsigned number has no sign to go below zero. Over water red exceeds infrared:

# %%
red, infrared = scenes[..., 1][clear & water], scenes[..., 2][clear & water]
wrapped = (infrared - red) / (infrared + red)  # uint16 minus uint16
right_ndvi = ndvi(scenes[clear & water])
print(f"NDVI of water: {np.median(right_ndvi):.2f}; in unsigned numbers: {np.median(wrapped):.0f}")

# %% [markdown]
# No warning. `np.clip(..., -1, 1)`, which many add afterwards, makes a perfect forest of it.
#
# The second is quieter. In a mask, 0 means clear. And 0 is what the **[fill value](../GLOSSARY.md#fill-value)** is unless
# you say otherwise. Some readers take the fill value for a **[nodata
# value](https://gdal.org/en/stable/user/raster_data_model.html "A value that stands for no measurement; a reader leaves
# such pixels out.")**: GDAL in both formats, xarray in Zarr 2. What becomes of the share of clouds then?

# %%
shares = {}
for fill in (0, 255):
    keys = {}
    a = zarr.create_array(keys, data=cloud, chunks=cuts["long in time"], fill_value=fill, zarr_format=zarr_format)
    as_nodata = np.ma.masked_equal(a[...], a.fill_value)
    keys.pop(min(key for key in keys if "z" not in key), None)  # the first chunk, unless it was never stored
    lost = zarr.open_array(keys, mode="r")[:, :edge, :edge]
    shares[fill] = {"nodata": float(as_nodata.mean()), "lost": float((lost == 0).mean())}
    print(f"fill value {fill:3}: {shares[fill]['nodata']:.1%} cloud to such a reader;", end=" ")
    print(f"a chunk of the mask that is lost reads as {shares[fill]['lost']:.0%} clear")

# %% [markdown]
# With 0, every clear pixel is left out, and the rest is all cloud. And a chunk that was never written, or is lost, reads as
# a year of clear sky. Take a value that no pixel has: 255 here, 0 for reflectance.

# %% [markdown] tags=["section-predict"]
# ## Half the edge: more is skipped, and then?
#
# Tiles with half the edge fit clouds more closely. Beside the share that can be skipped, what happens to the number of
# requests, and to the pixels that are fetched? Write three numbers down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
halved = {}
for e in (edge, edge // 2):
    tiles = worth(clear, e)
    halved[e] = (float(1 - tiles.mean()), int(tiles.sum()), float(tiles.sum() * e * e / clear.sum()))
    print(f"edge {e:2}: skips {halved[e][0]:.0%}, {halved[e][1]:5,} requests, x{halved[e][2]:.2f} the clear pixels")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 07_02.1
#
# 73 dates, a map of 10 x 10 tiles, 40 % of all tiles are all cloud. The mask lies in chunks of all dates of one tile. How many
# requests read every clear pixel, the mask first?
#
# <details><summary>Hint</summary>
# Requests of the mask and requests of the pixels.</details>

# %% tags=["exercise"]
requests_of_a_year = ...
check("07_02.1", requests_of_a_year)

# %% [markdown]
# ### Exercise 07_02.2
#
# And if the mask is cut like the pixels: from which share of tiles that are all cloud on, between 0 and 1, does reading it
# first take no more requests than reading everything?
#
# <details><summary>Hint</summary>
# For each tile one request for the mask, and a second one unless it is skipped.</details>

# %% tags=["exercise"]
share_to_break_even = ...
check("07_02.2", share_to_break_even)

# %% [markdown]
# ### Exercise 07_02.3
#
# Write `index(red, infrared)`: NDVI of two arrays of `uint16`, as floats. Where both are 0 (no data), it is NaN, without a
# warning. Do not change the arrays.
#
# <details><summary>Hint</summary>
# Neither the difference nor the sum of two `uint16` must be a `uint16`.</details>


# %% tags=["exercise"]
def index(red, infrared):
    """NDVI; NaN where both are 0."""
    ...


check("07_02.3", index)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a.get_mask_selection(wanted)` asks only for chunks with a `True` | the same name; xarray's `where(clear)` reads every chunk | - |
# | `a.blocks[t, y, x, 0]`, a tile by its place | the same name; Dask has `.blocks`, and computes the ones it is asked for | - |
# | a mask with `fill_value=255` | GDAL takes a fill value of 0 for nodata and leaves clear pixels out; so does xarray in Zarr 2 | here: reading it as nodata |
# | `ndvi(pixels)`, floats first | NumPy's rule in all: `infrared - red` of `uint16` wraps, in xarray and Dask as well | a warning |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Scenes under 20 % cloud hold about half of the clear pixels here; the cloudier ones hold the other half.
# - A mask that is read first saves bytes; it saves requests only if it takes fewer than it spares.
# - Cut the mask long in time, or in one: it is read before the pixels, and for all dates at once.
# - Count the tiles that are all cloud; their share is less than that of cloudy pixels, and falls as tiles grow.
# - Make floats of unsigned integers before you subtract.
# - Take a fill value that means nothing else; 0 in a mask means clear.
#
# **Open questions.** What would thin clouds and shadows, which real masks miss, do to the composite? And what if the
# masks are computed again with a better algorithm: who notices that the chunks that were skipped are now clear?
#
# **To read further.**
#
# - [King et al., Spatial and Temporal Distribution of Clouds](https://doi.org/10.1109/TGRS.2012.2227333): how much of the
#   land and sea is behind clouds, and when.
# - [Lovejoy, Area-Perimeter Relation for Rain and Cloud Areas](https://doi.org/10.1126/science.216.4542.185): clouds of
#   every size have the same ragged edge.
# - [Zhang et al., Monitoring vegetation phenology using MODIS](https://doi.org/10.1016/S0034-4257%2802%2900135-9): the curve of
#   a field's year.
#
# **Next.** Can you read old NetCDF files as Zarr without copying a byte? [07_03](07_03_netcdf_references.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# A hundred for the mask, and one for each tile that is not all cloud.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("07_02.1", 10 * 10 + round(0.6 * 73 * 10 * 10))

# %% [markdown]
# One request for each mask tile, and (1 - share) for its pixels: that is at most one only if everything is skipped.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("07_02.2", 1.0)

# %% [markdown]
# Floats first; divide only where there is something to divide by.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def index(red, infrared):
    """NDVI; NaN where both are 0."""
    red, infrared = np.asarray(red, dtype=float), np.asarray(infrared, dtype=float)
    total = infrared + red
    result = np.full(total.shape, np.nan)
    return np.divide(infrared - red, total, out=result, where=total > 0)


check("07_02.3", index)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "dates": dates,
        "scale": 10_000,
        "n": n,
        "edge": edge,
        "field": field,
        "cloud": round(float(cloud.mean()), 6),
        "clean_scenes": int(clean.sum()),
        "kept_by_clean": round(kept, 6),
        "dates_of_field": len(seen),
        "clean_dates_of_field": int(sum(clean[t] for t in seen)),
        "field_error": round(error, 6),
        "tiles": int(needed.size),
        "needed": int(needed.sum()),
        "skipped": round(skipped, 6),
        "edges": edges,
        "skips": {name: [round(v, 6) for v in values] for name, values in skips.items()},
        "requests": {name: requests for name, (requests, _) in costs.items()},
        "megabytes": {name: round(nbytes / 1e6, 1) for name, (_, nbytes) in costs.items()},
        "of_field": of_field,
        "bands": {name: requests for name, (requests, _) in bands.items()},
        "bands_megabytes": {name: round(nbytes / 1e6, 1) for name, (_, nbytes) in bands.items()},
        "composite": {name: round(value, 6) for name, value in composite.items()},
        "water": round(float(np.median(right_ndvi)), 6),
        "water_wrapped": round(float(np.median(wrapped)), 1),
        "fill_values": list(shares),
        "shares": {str(fill): {k: round(v, 6) for k, v in share.items()} for fill, share in shares.items()},
        "halved": {str(e): [round(a, 6), b, round(c, 6)] for e, (a, b, c) in halved.items()},
        "percent": {
            "cloud": round(100 * float(cloud.mean())),
            "kept": round(100 * kept),
            "skipped": round(100 * skipped),
            "skips": [round(100 * v) for v in skips["clouds"]],
            "salt": [round(100 * v) for v in skips["salt"]],
            "halved": [round(100 * a) for a, _, _ in halved.values()],
            "filter": 20,
            "nodata": [round(100 * share["nodata"]) for share in shares.values()],
        },
    },
)
