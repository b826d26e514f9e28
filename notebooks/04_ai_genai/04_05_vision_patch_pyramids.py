# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Find a cut-out in a picture from its coarse copy
#
# **Question.** Can a search start coarse and read fine only where it needs to?
#
# ![The deep sky with two squares, one around a spiral galaxy and one around a bright round one, and beside it the chunks of
# the picture, of which only those around the spiral were read.](../../articles/figures/04_05_search.svg)
#
# *Left: we look for the spiral, in the green square. The coarse copy alone says the red one. Right: the chunks that an
# exact search reads, once the coarse copy is asked the right question.*
#
# Slides, satellite scenes and sky surveys have billions of pixels. To find a patch in one you compare it with every place,
# and read everything. A coarse copy is small, so everybody begins there. It is also where the search goes wrong.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 40 minutes |
# | **Needs** | [08_01](../08_bio/08_01_multiscale_pyramids.ipynb) |
# | **Code** | `tutorial_zarr/group.py`, `tutorial_zarr/chunk_io` |
# | **Article** | [The galaxy that does not look like itself](../../articles/15_vision_patch_pyramids.md) |
# | **Data** | the Hubble eXtreme Deep Field (`data_gen/deep_field.py`) |
#
# **You will be able to**
#
# - say why a coarse copy finds the wrong place, and how often it did here
# - turn the coarse copy into a bound, which rules places out and never the right one
# - search a stored picture exactly, and count the chunks that it takes
# - say for which cut-outs no coarse copy helps
# - keep made-up pixels out of the cells at an edge
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# A cut-out has `side` pixels on each side, a cell of the coarse copy 8. `noise` is the spread of what is added to each
# cut-out, so that it is no exact copy.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 160 cut-outs of each kind instead of 24
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
side = 32
noise = 4

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import tutorial_zarr as zarr
from data_gen import deep_field
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(side=(side, 24, 64), noise=(noise, 0, 16), zarr_format=(zarr_format, 2, 3), workers=(workers, 1, 64))

# %% [markdown] tags=["section-data"]
# ## Some thousands of galaxies, and much that is dark
#
# Real: NASA's picture of a piece of sky, in shades of grey. It is a picture for people: stretched, and kept as JPEG. A
# survey would hand you calibrated floats with an error for each pixel; the search is the same.

# %%
data = deep_field.make("small", seed)
sky = data.arrays["sky"]
height, width = sky.shape
checks = deep_field.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
print(f"{height} x {width} pixels, {sky.dtype}; {len(checks)} of {len(checks)} checks of the data pass")
print(data.provenance["source"], data.provenance["licence"], sep="; ")

# %% [markdown] tags=["section-idea"]
# ## A coarse cell sees eight pixels on each side
#
# The coarse copy is a level of an **[image pyramid](../GLOSSARY.md#image-pyramid)**, as in
# [08_01](../08_bio/08_01_multiscale_pyramids.ipynb): each cell is the mean of 8 x 8 pixels, a sixty-fourth of the values.
# Both are compared by the sum of their squared differences (the squared **[Euclidean
# distance](https://en.wikipedia.org/wiki/Euclidean_distance "The square root of the sum of the squared differences; for
# pictures, over all pixels.")**): none is a perfect match.
#
# We cut nine galaxies out of this very picture, unchanged and without noise. To make it hard, each cut-out begins in the
# middle of a cell. **Write down a guess:** how many of the nine does the coarse copy find?

# %%
CELL = 8


def cells_of(picture, size=CELL):
    """The mean of every whole cell of `size` x `size` pixels; what is left over at an edge is left out."""
    rows, columns = (n // size for n in picture.shape)
    whole = picture[: rows * size, : columns * size].astype("float64")
    return whole.reshape(rows, size, columns, size).mean(axis=(1, 3))


coarse = cells_of(sky)


# %%
def first_try(cut):
    """The place at which the coarse sky looks most like the coarse cut-out, and the distances at all cells."""
    wanted = cells_of(cut)
    windows = sliding_window_view(coarse, wanted.shape)
    apart = ((windows - wanted) ** 2).sum(axis=(2, 3)) * CELL**2
    y, x = np.unravel_index(apart.argmin(), apart.shape)
    return (int(y) * CELL, int(x) * CELL), apart


def near(found, place):
    """Whether a place is right to within a cell, so that a look around would find it."""
    return all(abs(one - other) < CELL for one, other in zip(found, place, strict=True))


# %%
spiral = (388, 108)
others = [(204, 132), (140, 436), (444, 500), (60, 388), (580, 484), (564, 740), (460, 716), (52, 468)]
galaxies = [spiral, *others]
tries = {place: first_try(sky[place[0] : place[0] + side, place[1] : place[1] + side]) for place in galaxies}
right_of_nine = sum(near(found, place) for place, (found, _) in tries.items())

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"{right_of_nine} of {len(galaxies)} galaxies, each an exact copy")
for place, (found, _) in tries.items():
    print(f"  cut out at {place!s:10}  found at {found!s:10}  {'right' if near(found, place) else 'wrong'}")
assert right_of_nine < len(galaxies) / 2 or side != 32

# %% tags=["hide-input"] jupyter={"source_hidden": true}
found, apart = tries[spiral]
corner = tuple(n // CELL for n in spiral)
at_home = float(apart[corner])
by_mistake = float(apart.min())
cut = sky[spiral[0] : spiral[0] + side, spiral[1] : spiral[1] + side]
wide = side // CELL
shown = {
    "the cut-out": cut,
    "in its own cells": cells_of(cut),
    f"in the sky's cells:\n{at_home:,.0f} apart": coarse[corner[0] :, corner[1] :][:wide, :wide],
    f"the best place:\n{by_mistake:,.0f} apart": coarse[found[0] // CELL :, found[1] // CELL :][:wide, :wide],
}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(8.2, 2.6, 1, 4)
for panel, (title, image) in zip(panels, shown.items(), strict=True):
    panel.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none")
    panel.set_title(title, fontsize=10)
    panel.set_axis_off()
told = (
    "Four pictures: a spiral galaxy; its cells; the cells of the coarse sky at its place, shifted by half a cell, which "
    f"differ by {at_home:,.0f}; and the cells of another galaxy, which differ by {by_mistake:,.0f}."
)
chart = viz.Chart.of(figure, "", told)
chart.save(out / "figures" / "04_05_cells.svg")
chart

# %%
print(
    f"squared distance from the cut-out's cells: {at_home:,.0f} at its own place, {by_mistake:,.0f} at the best place"
)

# %% [markdown]
# The cut-out has its own grid of cells, and the sky has another: here they are four pixels apart, the most there can be.
# Half a cell is enough that another galaxy looks more like the spiral than the spiral itself. Further down, at random
# places, the coarse copy does better, and is still wrong for many.

# %% [markdown] tags=["section-build"]
# ## Build it small: ask what is impossible
#
# Do not ask where the coarse copy looks best. Ask where the match cannot be. For one cell of pixels *a* and *b*, the
# squared differences add up to at least 64 times the squared difference of their means (**[Jensen's
# inequality](https://en.wikipedia.org/wiki/Jensen%27s_inequality "For squares: the mean of squares is never below the
# square of the mean.")**). So the cells give a **[lower
# bound](https://en.wikipedia.org/wiki/Upper_and_lower_bounds "A number that a value cannot be below; if it is too large
# already, the value need not be worked out.")**, if both use the *same* cells: those of the sky.
#
# A window of 32 pixels holds at least three whole cells on each axis, wherever it lies. Where the first one begins depends
# on the place: 8 x 8 ways to lay the sky's cells over the cut-out.


# %%
def floors(cut, level, size):
    """For every place of the window, a number that the squared distance of its pixels is never below."""
    many = (side - size + 1) // size  # whole cells in a window, wherever it lies
    windows = rows_of(sliding_window_view(level, (many, many), axis=(0, 1)))  # y, x, all features of all cells
    squares = (windows**2).sum(axis=2)
    low = np.empty((height - side + 1, width - side + 1))
    for down in range(size):
        for right in range(size):
            inside = cut[down : down + many * size, right : right + many * size]
            wanted = features(inside, size, math.isqrt(level.shape[2])).transpose(2, 0, 1).ravel()
            apart = squares - 2 * windows @ wanted + wanted @ wanted
            part = low[-down % size :: size, -right % size :: size]  # the places where cells lie like this
            part[...] = apart[int(down > 0) :, int(right > 0) :][: part.shape[0], : part.shape[1]]
    return low - 1  # features are kept as float32: less than 1 of rounding


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def features(picture, size, keep=1):
    """keep x keep numbers for every whole cell: its lowest waves (DCT-II). The first is its mean times `size`."""
    waves = np.cos(np.pi / size * np.outer(np.arange(keep), np.arange(size) + 0.5))
    waves /= np.sqrt((waves**2).sum(axis=1, keepdims=True))
    rows, columns = (n // size for n in picture.shape)
    whole = picture[: rows * size, : columns * size].astype("float64").reshape(rows, size, columns, size)
    return np.einsum("yixj,ki,lj->yxkl", whole, waves, waves, optimize=True).reshape(rows, columns, -1)


def rows_of(windows):
    """The values of each window in one row."""
    return np.ascontiguousarray(windows).reshape(*windows.shape[:2], -1)


# %% [markdown]
# `features` (folded above) gives the mean of each cell, times 8, so that squared differences of features compare with those
# of pixels. A search goes through the places in the order of their bounds, compares pixels, and stops when the next bound
# is no smaller than the best distance so far. All later ones are ruled out: the result is **exact**, and the method a
# **[branch and bound](https://en.wikipedia.org/wiki/Branch_and_bound "A search that drops whole groups of candidates
# whose bound is worse than the best that was found.")**.


# %%
def search(cut, low, pixels):
    """The place whose window is nearest to `cut`, its squared distance, and how many windows were compared."""
    best, place, compared = math.inf, None, 0
    some = np.flatnonzero(low <= np.partition(low, 5000, axis=None)[5000])
    for number in some[np.argsort(low.flat[some])]:
        if low.flat[number] >= best:
            return place, best, compared
        y, x = divmod(int(number), low.shape[1])
        window = pixels[y : y + side, x : x + side].astype("int64")
        apart, compared = int(((window - cut) ** 2).sum()), compared + 1
        if apart < best:
            best, place = apart, (y, x)
    raise ValueError("more than 5,000 places are possible: too many to read them one by one")


# %% [markdown] tags=["section-library"]
# ## The picture and its levels in one group
#
# Pixels in chunks of 32 x 32, features in chunks of 16 x 16 cells; the search reads level 3 whole, and pixels where it must.

# %%
trace = TraceStore(LocalStore(out / "sky.zarr"))
group = zarr.create_group(trace, zarr_format=zarr_format, overwrite=True, attributes={"cells": {"2": 4, "3": 8}})
pixels = group.create_array("pixels", data=sky, chunks=(32, 32))
for name, size, keep in (("2", 4, 1), ("3", CELL, 2)):
    values = features(sky, size, keep).astype("float32")
    group.create_array(name, data=values, chunks=(16, 16, values.shape[2]))
level = group["3"][:, :, :1].astype("float64")  # the means alone
assert np.array_equal(level[..., 0] / CELL, coarse)

# %%
trace.clear()
place, best, compared = search(cut.astype("int64"), floors(cut, level, CELL), pixels)
read = sorted({request.key for request in trace.requests if request.verb == "GET"})
print(f"found at {place}, distance {best}; {compared} window compared, {len(read)} of {pixels.nchunks} chunks read")
assert place == spiral
assert best == 0

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(8.2, 3.7, 1, 2)
panels[0].imshow(cells_of(sky, 4), cmap="gray", vmin=0, vmax=150, extent=(0, width, height, 0))
panels[1].set(xlim=(0, width), ylim=(height, 0), aspect="equal")
for panel in panels:
    for (y, x), colour, word, up in ((spiral, GREEN, "cut out", -22), (found, VERMILION, "first try", 78)):
        frame = np.array([[y - 9, x - 9], [y - 9, x + 41], [y + 41, x + 41], [y + 41, x - 9], [y - 9, x - 9]])
        panel.plot(frame[:, 1], frame[:, 0], color=colour, linewidth=2)
        panel.text(x + 16, y + up, word, color=colour, ha="center", fontsize=10, weight="bold")
    panel.set(xlabel="x, pixels", ylabel="y, pixels")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panels[1].set_xticks(np.arange(0, width, 32), minor=True)
panels[1].set_yticks(np.arange(0, height, 32), minor=True)
panels[1].grid(which="minor", color=GREY, alpha=0.35, linewidth=0.5)
for key in read:
    i, j = (int(part) for part in key.replace(".", "/").split("/")[-2:])
    panels[1].fill([32 * j, 32 * j + 32, 32 * j + 32, 32 * j], [32 * i, 32 * i, 32 * i + 32, 32 * i + 32], color=BLUE)
panels[0].set_title("the sky", fontsize=11)
panels[1].set_title(f"{len(read)} of {pixels.nchunks} chunks are read", fontsize=11)
told = (
    f"Left the deep sky with a square around a spiral galaxy at {spiral} and one around another at {found}. "
    f"Right the chunks of the picture: {len(read)} of {pixels.nchunks} were read, around the spiral."
)
hero = viz.Chart.of(figure, "", told)
hero.save(out / "figures" / "04_05_search.svg")
hero

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same pixels:")
report = interop_check(out / "sky.zarr" / "pixels", expected=sky)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Galaxies take a handful of chunks, dark sky takes them all
#
# Now many cut-outs, with noise: half of them from the brightest twentieth of all windows, half from the darker half. For
# each, how many places are left that the bound cannot rule out? **Guess for both kinds**, of 814,929 places.


# %%
def cut_out(kind, draw):
    """A place of a kind by chance, and its pixels with noise."""
    y, x = divmod(int(kind[int(draw.random_raw()) % len(kind)]), width - side + 1)
    first, second = draw.random_raw((2, side, side)) / 2.0**64
    wave = noise * np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
    return (y, x), np.clip(sky[y : y + side, x : x + side] + np.rint(wave), 0, 255).astype("int64")


sums = np.pad(sky.astype("int64").cumsum(0).cumsum(1), ((1, 0), (1, 0)))
light = (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]).ravel()
kinds = {
    "galaxies": np.flatnonzero(light >= np.quantile(light, 0.95)),
    "dark sky": np.flatnonzero(light <= np.median(light)),
}


# %%
def chunks_around(possible):
    """How many chunks of pixels the windows at these places touch."""
    touched = np.zeros((-(-height // 32), -(-width // 32)), bool)
    y, x = np.nonzero(possible)
    for down in (0, side - 1):
        for right in (0, side - 1):
            touched[(y + down) // 32, (x + right) // 32] = True
    return int(touched.sum())


# %%
draw, many = np.random.PCG64(seed), 24 if quick else 160
results = {kind: [] for kind in kinds}
cuts = {kind: [cut_out(where, draw) for _ in range(many)] for kind, where in kinds.items()}
for kind, some in cuts.items():
    for place, cut_here in some:
        low = floors(cut_here, level, CELL)
        y, x = place
        distance = int(((sky[y : y + side, x : x + side] - cut_here) ** 2).sum())
        possible = low < distance  # a search that knew the right place could not drop these
        result = {"tried": near(first_try(cut_here)[0], place), "places": int(possible.sum())}
        results[kind].append({**result, "chunks": chunks_around(possible)})

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
summary = {}
for kind, found_of in results.items():
    places, chunks = ([result[key] for result in found_of] for key in ("places", "chunks"))
    tried = sum(result["tried"] for result in found_of)
    summary[kind] = {"first_try": tried, "places": round(np.median(places)), "chunks": round(np.median(chunks))}
    summary[kind] |= {"most_chunks": max(chunks), "fewest_chunks": min(chunks)}
    print(f"{kind}: the first try is right in {tried} of {many}")
    print(f"  places left: {np.median(places):,.0f} (median); chunks: {np.median(chunks):.0f} of {pixels.nchunks}")
    print(f"  fewest and most chunks: {min(chunks)} and {max(chunks)}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.2)
for (kind, found_of), colour, mark in zip(results.items(), (BLUE, ORANGE), ("o", "s"), strict=True):
    shares = sorted(100 * result["chunks"] / pixels.nchunks for result in found_of)
    panel.plot(np.linspace(0, 100, many), shares, color=colour, marker=mark, markersize=4, linewidth=1)
    panel.annotate(
        kind, (50, shares[many // 2]), (50, 9), textcoords="offset points", ha="center", color=colour, size=11
    )
panel.set(yscale="log", ylim=(0.1, 300), xlabel="share of the cut-outs, %", ylabel="chunks of pixels, %")
panel.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
panel.grid(alpha=0.3)
told = "Chunks that a search cannot rule out, in percent: for galaxies mostly below one, for dark sky nearly all."
shares_chart = viz.Chart.of(figure, "Coarse helps for what stands out", told)
shares_chart.save(out / "figures" / "04_05_shares.svg")
shares_chart

# %% [markdown]
# The bound is never wrong, and for dark sky it is useless: the noise of the cut-out is as large as what tells one dark
# place from another. Blur that away, and all of them look alike. No coarse copy helps there.
#
# And the searches, run through the store, find every galaxy:

# %%
found_right, requests = 0, []
for place, cut_here in cuts["galaxies"]:
    trace.clear()
    found_right += search(cut_here, floors(cut_here, level, CELL), pixels)[0] == place
    requests.append(len({request.key for request in trace.requests}))
level_bytes = sum(group["3"].store.get_size(group["3"].chunk_key(c)) for c in group["3"].stored_chunks())
print(
    f"{found_right} of {many} found, exactly; chunks read: {np.median(requests):.0f} (median), {max(requests)} (most)"
)
print(f"and level 3 once, {level_bytes / 1000:.0f} kB with its four features; all pixels are {sky.nbytes:,} B")
assert found_right == many

# %% [markdown] tags=["section-wrong"]
# ## A padded edge is the darkest place of the sky
#
# With cells of 16 pixels, 872 x 1000 pixels are 54.5 x 62.5 cells. What of the half? We leave it out. Many tools fill up
# with zeros, such as scikit-image's `downscale_local_mean`, [whose `cval` is
# 0](https://scikit-image.org/docs/stable/api/skimage.transform.html#skimage.transform.downscale_local_mean) unless you say
# otherwise. Astronomers ask where the sky is darkest, to subtract it. Ask both copies for their ten darkest cells:

# %%
padded = cells_of(np.pad(sky, ((0, 8), (0, 8))), 16)
whole = cells_of(sky, 16)
darkest = {}
for name, copy in (("filled up with zeros", padded), ("whole cells only", whole)):
    order = np.argsort(copy, axis=None, kind="stable")[:10]
    places = [divmod(int(number), copy.shape[1]) for number in order]
    at_edge = sum(y == height // 16 or x == width // 16 for y, x in places)
    darkest[name] = [at_edge, round(float(copy.flat[order].mean()), 2)]
    print(f"{name:21} mean of the ten darkest {darkest[name][1]:5.2f}; {at_edge} of 10 lie in a half cell")
assert darkest["filled up with zeros"][0] == 10

# %% [markdown]
# All ten are made up. Padding is no neutral choice: a half of zeros is a value that nobody measured. Leave half cells
# out, or keep beside each mean how many pixels are in it.

# %% [markdown] tags=["section-predict"]
# ## Same bytes: four waves in a large cell, or four small cells?
#
# Level 3 keeps four numbers for a cell of 8 x 8: its mean, its slopes and a twist (the first waves of a **[discrete cosine
# transform](https://en.wikipedia.org/wiki/Discrete_cosine_transform "A picture as a sum of waves; all of them keep every
# squared distance, and some of them never exceed it.")**, whose distances are lower bounds as well). Level 2 keeps one mean
# for each cell of 4 x 4. Both keep as many numbers. With noise of 12 and the same galaxies, **which of them rules out more
# places?**

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
rivals = {
    "one mean of 8 x 8": (group["3"][:, :, :1], CELL),
    "four waves of 8 x 8": (group["3"][...], CELL),
    "four means of 4 x 4": (group["2"][...], 4),
}
noisy = [
    (place, cut_here + 2 * (cut_here - sky[place[0] :, place[1] :][:side, :side]))
    for place, cut_here in cuts["galaxies"][:8]
]
left = {name: [] for name in rivals}
for (y, x), cut_here in noisy:
    distance = int(((sky[y : y + side, x : x + side] - cut_here) ** 2).sum())
    for name, (values, size) in rivals.items():
        left[name].append(int((floors(cut_here, values.astype("float64"), size) < distance).sum()))

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
for name, places in left.items():
    print(f"{name:20} places left: {np.median(places):7,.0f} (median), {max(places):,} (most)")

# %% [markdown]
# Small cells win here, for a reason that has nothing to do with waves: a window of 32 pixels holds three whole cells of 8
# on each axis, which cover 56 % of it, and seven of 4, which cover 77 %. What the cells do not cover, they cannot compare.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_05.1
#
# A picture with three coarser levels, each half as long on both axes: four levels together. How many times as many values
# as the picture alone? Give it to three decimals.
#
# <details><summary>Hint</summary>
# A quarter, and a quarter of that.
# </details>

# %% tags=["exercise"]
times = ...
check("04_05.1", times)

# %% [markdown]
# ### Exercise 04_05.2
#
# The window of 64 x 64 pixels whose corner is at y = 96, x = 40. How many chunks of 32 x 32 pixels does it touch, and how
# many chunks of 16 x 16 cells of level 2, whose cells have 4 pixels? Give `(pixels, level_2)`.
#
# <details><summary>Hint</summary>
# Where do the first and the last pixel of the window lie, on each axis?</details>

# %% tags=["exercise"]
chunks_touched = ...
check("04_05.2", chunks_touched)

# %% [markdown]
# ### Exercise 04_05.3
#
# Write a bound of your own: two windows of the same shape, and the length of a cell. Give a number that the squared
# distance of the windows is never below, and that uses nothing but the means of whole cells from the upper left corner.
# Make it as large as these means allow.
#
# <details><summary>Hint</summary>
# How many pixels does each mean stand for? What does `uint8` do with 3 - 5?</details>


# %% tags=["exercise"]
def bound(window, cut, size):
    """At least this far apart, squared; from the means of cells of `size` x `size`."""
    ...


check("04_05.3", bound)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_group`, `group.create_array(data=...)`, `a[y:y+32, x:x+32]` | the same in zarr-python | - |
# | `cells_of`: whole cells only, at an edge too | `xarray.DataArray.coarsen(boundary="trim").mean()`; `dask.array.coarsen(numpy.mean, ..., trim_excess=True)` | - |
# | half cells: with zeros here, on purpose | `coarsen(boundary="pad").mean()` leaves out what is missing, and `.count()` says how many pixels are in each mean | - |
# | `trace.requests`: the keys that a search read | `zarr.storage.LoggingStore` logs each request, and counts them by their kind | a list of keys |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - The cells of the cut-out and of the sky lie on different grids; half a cell off, a galaxy looked less like itself than
#   another did, and the coarse copy missed eight of nine exact copies.
# - With the sky's own cells inside each window, the coarse distance is a lower bound: it rules places out, never the right one.
# - In the order of the bounds, the search found every cut-out of the bright kind exactly, in 4 of 896 chunks at the median;
#   the hardest took 406.
# - For dark sky the bound rules out next to nothing: what tells such places apart is smaller than a cell and than the noise.
# - Whole cells only, or a count beside the mean; a cell filled up with zeros is the darkest of all.
#
# **Open questions.** What if the cut-out is turned, or its brightness scaled? Which bound survives that? And for features
# of a neural network, whose mean is not the feature of the mean?
#
# **To read further.**
#
# - [Template matching](https://en.wikipedia.org/wiki/Template_matching): the task, and the other measures of likeness.
# - [Faloutsos and others, Fast subsequence matching](https://doi.org/10.1145/191839.191925): the same idea for time series,
#   with the lemma that nothing is lost.
# - [Hubble eXtreme Deep Field](https://en.wikipedia.org/wiki/Hubble_Ultra-Deep_Field): the picture, how it was made, and
#   what is to be seen on it.
#
# **Next.** [04_06](04_06_product_quantization.ipynb): how many bytes of a vector does a search need?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# 1 + 1/4 + 1/16 + 1/64. Without an end it would be 4/3.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_05.1", sum(4.0**-k for k in range(4)))

# %% [markdown]
# Pixels 96 to 159 and 40 to 103 lie in chunks 3 to 4 and 1 to 3. A chunk of level 2 covers 64 pixels: 1 to 2 and 0 to 1.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_05.2", (2 * 3, 2 * 2))

# %% [markdown]
# Each mean stands for `size` x `size` pixels. `cells_of` takes floats, so that no difference wraps around.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def bound(window, cut, size):
    """At least this far apart, squared; from the means of cells of `size` x `size`."""
    return float(((cells_of(window, size) - cells_of(cut, size)) ** 2).sum() * size**2)


check("04_05.3", bound)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "shape": [height, width],
        "nbytes": sky.nbytes,
        "side": side,
        "cell": CELL,
        "noise": noise,
        "more_noise": 3 * noise,
        "galaxies": [list(place) for place in galaxies],
        "galaxy_count": len(galaxies),
        "first_tries": [list(tries[place][0]) for place in galaxies],
        "corner_in_cells": [n / CELL for n in spiral],
        "rows_of_a_cell": [[spiral[0], spiral[0] + CELL - 1], *[[n * CELL, n * CELL + CELL - 1] for n in (48, 49)]],
        "ways": CELL * CELL,
        "right_of_nine": right_of_nine,
        "wrong_of_nine": len(galaxies) - right_of_nine,
        "at_home": at_home,
        "by_mistake": by_mistake,
        "places": int(low.size),
        "nchunks": pixels.nchunks,
        "spiral": {"compared": compared, "chunks": len(read), "percent": 100 * len(read) / pixels.nchunks},
        "many": many,
        "summary": summary,
        "left_galaxies": [result["places"] for result in results["galaxies"]],
        "chunks_galaxies": [result["chunks"] for result in results["galaxies"]],
        "requests": {"median": float(np.median(requests)), "most": max(requests)},
        "level_kilobytes": round(level_bytes / 1000),  # a sum in another order changes a byte or two
        "darkest": darkest,
        "half_cells": [height / 16, width / 16],
        "rivals": {name: {"median": float(np.median(p)), "most": max(p)} for name, p in left.items()},
        "covered": [round(100 * (24 / 32) ** 2), round(100 * (28 / 32) ** 2)],
        "overhead": [sum(4.0**-k for k in range(4)), 4 / 3],
    },
)
