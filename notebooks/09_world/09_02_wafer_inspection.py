# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Fold a thousand wafer maps onto one shot
#
# **Question.** Which failed dies have the same cause?
#
# ![Left: the share of dies that pass, lot by lot; it is no lower after lot 10. Right: the same fails folded onto the 16
# places of a shot; from lot 10 on one place is dark in every lot.](../../articles/figures/09_02_turn.svg)
#
# *The same dies twice. A fault came with lot 10. On the left you cannot see it.*
#
# A factory tests each die of each wafer and keeps the map. Most fails are dust, a scratch, a bad edge: gone with the
# wafer. A fault in the photomask is printed again and again, on every wafer that follows. It is the one to find, and the
# number that everybody watches does not show it.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 30 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/array.py` |
# | **Article** | [The yield rose when the mask broke](../../articles/36_wafer_inspection.md) |
# | **Data** | the maps of 20 lots of 25 wafers, generated (`data_gen/wafers.py`) |
#
# **You will be able to**
#
# - fold maps onto what repeats in them, so that its fault stands out and the rest averages out
# - give a difference of two shares an error that counts wafers, not dies
# - reduce a stream of chunks in parallel, to the same counts as the whole array
# - keep a position without a die from passing the test
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `wafer` is the one in the figure, 0 to 24, of the last lot.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 200 lots instead of 20
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
wafer = 3

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tutorial_zarr as zarr
from data_gen import wafers
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, SKY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(wafer=(wafer, 0, 24), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Lots of 25 round maps
#
# Each position of a 52 x 52 map is 0 (no die, or not inspected), 1 (passed) or 2 (failed). The maps are generated. Their
# patterns have the shares of 172,950 real labelled maps (WM-811K), and their fails cluster as Stapper described. Real
# maps come from many products and many tests, with shots that hang over the edge; here one product is tested once,
# and its shots fit the grid. The fault is planted.

# %%
data = wafers.make("small" if quick else "large", seed)
checks = wafers.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
maps = data.arrays["maps"]
lots, half = len(maps), len(maps) // 2
failed, there = maps == 2, maps > 0
dies, fails = int(there.sum()), int(failed.sum())
print(f"{lots} lots, {dies:,} dies tested, {fails:,} failed; {len(checks)} of {len(checks)} checks pass")

# %% [markdown] tags=["section-idea"]
# ## What a photomask prints, it prints again
#
# A **[photomask](https://en.wikipedia.org/wiki/Photomask "The plate whose picture light prints onto a wafer, shot
# after shot; a flaw in it is printed with every shot.")** holds 4 x 4 dies, and is printed side by side across the
# wafer. A new one was fitted before the second half of the lots. One of its 16 places has a flaw that kills
# one more die of 50 there. That is one die of 800.
#
# **Write down a guess.** The share of dies that pass is known from half a million tested in each half. How many
# percentage points does it fall? And can you see the fault on one wafer?

# %%
share = 1 - failed.sum((1, 2, 3)) / there.sum((1, 2, 3))
full = there.any((2, 3)).all(1)  # every wafer of the lot was inspected
old, new = np.flatnonzero(full[:half]), half + np.flatnonzero(full[half:])
passed = [1 - failed[some].sum() / there[some].sum() for some in (old, new)]
change = float(passed[1] - passed[0])

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"old mask {passed[0]:.2%}, new mask {passed[1]:.2%}: {100 * change:+.2f} points")

# %% [markdown]
# With the seed of this lesson it *rises* (a lot that was hardly inspected is left out). Is that a discovery? Treat dies as independent and count
# (**[Poisson](../GLOSSARY.md#poisson-process)**): then it is.

# %%
by_dies = math.sqrt(sum(failed[some].sum() / there[some].sum() ** 2.0 for some in (old, new)))
of_a_wafer = [failed[some].mean((2, 3)).ravel() / there[some].mean((2, 3)).ravel() for some in (old, new)]
by_wafers = math.sqrt(sum(x.var(ddof=1) / len(x) for x in of_a_wafer))
print(f"error if dies are independent: {100 * by_dies:.3f} points, the change is {change / by_dies:.1f} of them")
print(f"error if wafers are:           {100 * by_wafers:.3f} points, the change is {change / by_wafers:.1f} of them")

# %% [markdown]
# Dies of one wafer share its dust and its edge, so a wafer is one observation and not 2,032. The fails of a wafer vary
# far more than Poisson's (**[overdispersion](https://en.wikipedia.org/wiki/Overdispersion "Counts that vary more than the
# assumed distribution allows, often because their rate is not the same for all.")**). A rate of its own for each wafer
# gives a **[negative binomial](https://en.wikipedia.org/wiki/Negative_binomial_distribution "The distribution of counts
# whose Poisson rate itself varies by a gamma distribution; its variance exceeds its mean.")** count:

# %%
counts = failed[full].sum((2, 3)).ravel()
mean, variance = counts.mean(), counts.var(ddof=1)
shape = float(mean**2 / (variance - mean))


def expected(k):
    """The shares of wafers with k fails: by Poisson, and by the negative binomial with the same variance."""
    poisson = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
    ways = math.lgamma(k + shape) - math.lgamma(shape) - math.lgamma(k + 1)
    return poisson, math.exp(ways + shape * math.log(shape / (shape + mean)) + k * math.log(mean / (shape + mean)))


few = [float((counts < 60).mean()), *(sum(expected(k)[i] for k in range(60)) for i in (0, 1))]
print(f"fails of a wafer: mean {mean:.0f}, variance {variance / mean:.0f} times the mean")
print(f"wafers with fewer than 60: {few[0]:.0%}; Poisson {few[1]:.1e}, negative binomial {few[2]:.0%}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.2)
edges = np.arange(0, 401, 20)
found = np.histogram(counts, edges)[0]
panel.bar(edges[:-1] + 10, found, 18, color=SKY, label="wafers found")
curves = np.array([expected(k) for k in range(400)]).reshape(20, 20, 2).sum(1) * len(counts)
panel.plot(edges[:-1] + 10, curves[:, 0], color=VERMILION, label="Poisson")
panel.plot(edges[:-1] + 10, curves[:, 1], color=BLUE, marker="o", markersize=4, label="negative binomial")
panel.set(title="Failed dies of a wafer", xlabel="failed dies", ylabel="wafers", xlim=(0, 400))
panel.legend(loc="upper right")
told = f"Wafers by failed dies. Of all, {few[0]:.0%} have fewer than 60, the negative binomial expects {few[2]:.0%}, "
spread = viz.Chart.of(figure, "A wafer is one observation", told + "Poisson none: its curve is a narrow peak.")
spread.save(out / "figures" / "09_02_counts.svg")
spread

# %% [markdown] tags=["section-build"]
# ## Build it small: cut the map into shots and lay them on each other
#
# Stack all wafers and you see what the *wafer* repeats: its edge. To see what the *photomask* repeats, lay the shots on each
# other. A `reshape` and two sums:


# %%
def fold(these, shot=4):
    """Of maps (..., y, x) the number of marked dies in each place of a shot, (..., shot, shot)."""
    across = these.shape[-1] // shot
    cut = these.reshape(*these.shape[:-2], across, shot, across, shot)
    return cut.sum((-4, -2))


rate = fold(failed).sum(1) / fold(there).sum(1)  # (lot, place, place)
hottest = rate.reshape(lots, 16).argmax(1)
truth = data.truth["position"][0] * 4 + data.truth["position"][1]

# %% [markdown]
# **A second guess.** A lot is 25 wafers, and the flaw adds about 2.5 fails to each of them. In how many of the lots with the
# new photomask is the flawed place the worst of the 16?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
hits = [int((hottest[some] == truth).sum()) for some in (slice(half), slice(half, None))]
print(f"old mask: in {hits[0]} of {half} lots; new mask: in {hits[1]} of {lots - half}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
shown = [
    (np.where(maps[-1, wafer] > 0, failed[-1, wafer], np.nan), f"One wafer: {failed[-1, wafer].sum()} fails"),
    (100 * failed[new].mean((0, 1)) / np.maximum(there[new].mean((0, 1)), 1e-9), "All wafers, stacked"),
    (100 * rate[new].mean(0), "All shots, folded"),
]
shown[1][0][~there[new].any((0, 1))] = np.nan

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = viz.canvas(8.6, 3.1, 1, 3)
for panel, (picture, title) in zip(panels, shown, strict=True):
    drawn = panel.imshow(picture, cmap="cividis_r", interpolation="nearest")
    panel.set(title=title, xlabel="die", xticks=[], yticks=[])
    if picture is not shown[0][0]:
        figure.colorbar(drawn, ax=panel, label="fails, %", shrink=0.8)
three = viz.Chart.of(
    figure,
    "One wafer, a stack, a fold",
    f"Left, scattered fails. Middle, a stack: the edge fails more. Right, 4 x 4 places: one has {100 * rate[new].mean(0).max():.1f} "
    "percent, the others about 5.",
    unequal="the fold shows one shot, the others a wafer of 13 x 13 shots",
)
three.save(out / "figures" / "09_02_fold.svg")
three

# %% [markdown]
# The fold needs no model of dust. Whatever has another size than a shot, a ring or a scratch, falls on all 16 places
# about alike, and cancels when places of the *same* wafers are compared. Lot by lot:

# %% tags=["hide-input"] jupyter={"source_hidden": true}
number, hardly = np.arange(lots), int(np.flatnonzero(~full)[0])
relative = rate.reshape(lots, 16) / rate.reshape(lots, 16).mean(1, keepdims=True)
told = f"Left, the share that passes by lot: {100 * passed[0]:.2f} percent before, {100 * passed[1]:.2f} after. "
told += f"Right, place {truth} is darkest in {hits[1]} lots after."

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.6, 3.8, 1, 2)
left.plot(number, 100 * share, color=GREY, marker="o", markersize=5, linewidth=1)
left.axvline(half - 0.5, color=ORANGE, linewidth=2, label="new mask")
left.set(title="Dies that pass", xlabel="lot", ylabel="percent", xticks=number[:: lots // 4])
left.annotate("hardly\ninspected", (hardly, 100 * share[hardly]), (-8, 2), textcoords="offset points", ha="right")
left.legend(loc="lower right")
drawn = right.imshow(relative, cmap="cividis_r", aspect="auto", interpolation="nearest")
right.axhline(half - 0.5, color=ORANGE, linewidth=2)
right.set(title="Fails by place in the shot", xlabel="place in the shot", ylabel="lot")
right.set(xticks=range(0, 16, 3), yticks=number[:: lots // 4])
figure.colorbar(drawn, ax=right, label="fails / mean of the lot")
turn = viz.Chart.of(figure, "Seen in the fold only", told)
turn.save(out / "figures" / "09_02_turn.svg")
turn

# %% [markdown] tags=["section-library"]
# ## A lot is a chunk, and the fold is a sum
#
# One array (lot, wafer, y, x), a lot in a chunk: a lot is written when it comes, and deleted by itself when it is too
# old. Counts add, so workers may take lots in any order.

# %%
kept = {"chunks": (1, 25, 52, 52), "fill_value": 0, "zarr_format": zarr_format, "overwrite": True}
array = zarr.create_array(out / "maps.zarr", data=maps, **kept)


def of_a_lot(lot):
    found = array[lot]
    return fold(found == 2).sum(0), fold(found > 0).sum(0)


with ThreadPoolExecutor(workers) as pool:
    parts = np.array(list(pool.map(of_a_lot, range(lots))))
assert np.array_equal(parts[:, 0] / parts[:, 1], rate)
print(f"{array.nchunks} chunks by {workers} workers: the counts of the whole, exactly")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same maps:")
report = interop_check(out / "maps.zarr", expected=maps)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Two bits by hand, or a compressor
#
# Three codes fit into two bits, so four dies go into a byte. **Guess** which is smaller in the end: bytes compressed, or
# two bits and then compressed?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
quarters = maps.reshape(-1, 4) << np.array([0, 2, 4, 6], "u1")
by_hand = (quarters[:, 0] | quarters[:, 1] | quarters[:, 2] | quarters[:, 3]).reshape(lots, -1)
squeezed = zarr.create_array({}, data=by_hand, chunks=(1, by_hand.shape[1]), zarr_format=zarr_format)
sizes = {"a byte a die": maps.nbytes, "two bits a die": by_hand.nbytes}
sizes |= {"a byte, compressed": array.nbytes_stored(), "two bits, compressed": squeezed.nbytes_stored()}
bits = {name: 8 * nbytes / maps.size for name, nbytes in sizes.items()}
for name, nbytes in sizes.items():
    print(f"{name:21} {nbytes:9,} bytes, {bits[name]:.2f} bits a position")

# %% [markdown] tags=["section-wrong"]
# ## The best lot was hardly inspected
#
# In one lot the inspection tool was down, and only five wafers were measured. The others are zeros, the **[fill
# value](../GLOSSARY.md#fill-value)**: no die. Say that a program keeps one bit: failed or not.
# Which lot is the best of all?

# %%
one_bit = zarr.create_array({}, data=failed, chunks=kept["chunks"], zarr_format=zarr_format)
simple = 1 - one_bit[...].sum((1, 2, 3)) / (25 * int(there[0, 0].sum()))
for name, values in (("with 'no die'", share), ("one bit", simple)):
    order = np.argsort(-values)
    print(
        f"{name:14} best lot {order[0]:2}; lot {hardly} has {values[hardly]:.1%}, place {list(order).index(hardly) + 1}"
    )
assert simple.argmax() == hardly == share.argmin()

# %% [markdown]
# The worst lot became the best, because wafers that nobody looked at have no fails. A missing map must read as *missing*:
# give it a code of its own, make that the fill value, and divide by the dies that were tested.

# %% [markdown] tags=["section-predict"]
# ## The wrong size of a shot
#
# You do not know the photomask, and try shots of 2 x 2 and of 13 x 13. Does the worst place still exceed the mean by as much as
# in 4 x 4? And which of the two has nothing to do with the flaw? Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
by_size = {}
for size in (4, 2, 13):
    by_place = fold(failed[new], size).sum((0, 1)) / fold(there[new], size).sum((0, 1))
    by_size[size] = float(by_place.max() / by_place.mean())
    print(f"{size:2} x {size:2}: the worst place has {by_size[size]:.2f} times the mean")
print(
    "2 x 2: the flaw, spread over four times the dies. 13 x 13: it is in no place, and what is left is dust and edge."
)

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_02.1
#
# A map of 1,000 positions has 260 without a die, 666 that passed and 74 that failed. What share of the dies passes?
#
# <details><summary>Hint</summary>
# How many dies were tested?</details>

# %% tags=["exercise"]
passing = ...
check("09_02.1", passing)

# %% [markdown]
# ### Exercise 09_02.2
#
# The fault repeats every 4 dies in both directions. How many places stand out if you fold by 12 x 12?
#
# <details><summary>Hint</summary>
# How many shots of 4 x 4 lie in a square of 12 x 12?</details>

# %% tags=["exercise"]
places = ...
check("09_02.2", places)

# %% [markdown]
# ### Exercise 09_02.3
#
# Write `rates(codes, shot)`: of one map (y, x) of codes the share of failed among tested dies at each place of a shot. A
# place without a tested die is NaN. Sides need not be multiples of `shot`: the last shots hang over the edge.
#
# <details><summary>Hint</summary>
# `codes[i::shot, j::shot]` are the dies of one place.</details>


# %% tags=["exercise"]
def rates(codes, shot):
    """The share of failed dies at each place of a shot, (shot, shot)."""
    ...


check("09_02.3", rates)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `fold(these)`: a reshape and a sum | `maps.coarsen(y=4, x=4).construct(y=("shot_y", "y_in"), x=("shot_x", "x_in"))` in xarray, by name | here: axes by name in a reduction |
# | `fill_value=0`: a lot that never came reads as no die, in `u1` | the same name; xarray reads NaN, as `float32`, from format 2, and 0 from format 3 | - |
# | `array.chunk_stream()`: lots that never came are not read | `dask.array.from_zarr(path)`: a block for every chunk, stored or not | in zarr-python alone: a stream of stored chunks |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Fold by the size of what repeats: its fault adds up in one place, and rings and scratches spread over all.
# - Count what is independent. Here that is wafers; by dies, chance looks like a discovery.
# - Counts of chunks add, in any order, so each worker takes lots and the sum is exact.
# - A position that was not tested needs a code of its own, and that is the fill value. Divide by what was tested.
#
# **Open questions.** How would you find the size of a shot that nobody tells you? What if the flaw prints only when the
# focus is off? Which of the real patterns has a size that does fold onto a shot?
#
# **To read further.**
#
# - [Stapper, Armstrong and Saji, Integrated circuit yield statistics](https://doi.org/10.1109/PROC.1983.12619): why Poisson
#   fails, and the negative binomial that the trade uses.
# - [Wu, Jang and Chen, Wafer map failure pattern recognition](https://doi.org/10.1109/TSM.2014.2364237): the real maps of
#   WM-811K, and their patterns.
# - [Photomask](https://en.wikipedia.org/wiki/Photomask): what is printed, and how photomasks are inspected and repaired.
#
# **Next.** [09_03](09_03_robot_trajectories.ipynb): one number a second instead of five hundred, does it still say where the
# robot was?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Of 740 tested dies 666 passed. Positions without a die are no part of it.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_02.1", 666 / (666 + 74))

# %% [markdown]
# Three shots by three lie in the square, and each brings the place once.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_02.2", (12 // 4) ** 2)

# %% [markdown]
# Slices with a step need no whole number of shots.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def rates(codes, shot):
    """The share of failed dies at each place of a shot, (shot, shot)."""
    result = np.full((shot, shot), np.nan)
    for i in range(shot):
        for j in range(shot):
            place = codes[i::shot, j::shot]
            if (place > 0).any():
                result[i, j] = (place == 2).sum() / (place > 0).sum()
    return result


check("09_02.3", rates)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "lots": lots,
        "since": half,
        "dies": dies,
        "fails": fails,
        "dies_of_a_wafer": int(there[0, 0].sum()),
        "labelled": sum(wafers.LABELLED.values()),
        "passed_percent": [round(100 * float(x), 2) for x in passed],
        "change_points": round(100 * change, 2),
        "one_more_of": round(1 / data.truth["chance"]),
        "one_of": 800,
        "added": round(float(there[0, 0].sum()) / 16 * data.truth["chance"], 1),
        "errors": {"dies": round(change / by_dies, 1), "wafers": round(change / by_wafers, 1)},
        "error_points": {"dies": round(100 * by_dies, 3), "wafers": round(100 * by_wafers, 3)},
        "fails_of_a_wafer": round(float(mean)),
        "variance_by_mean": round(float(variance / mean)),
        "shape": round(shape, 4),
        "few_percent": [round(100 * few[0]), round(100 * few[2])],
        "few_by_poisson": float(f"{few[1]:.1e}"),
        "few": 60,
        "wafers": array.shape[1],
        "shot": wafers.SHOT,
        "places": {str(size): size**2 for size in by_size},
        "place": truth,
        "hits": hits,
        "place_percent": round(float(100 * rate[new].mean(0).max()), 1),
        "other_percent": round(float(100 * np.delete(rate[new].mean(0), truth).mean()), 1),
        "sizes": sizes,
        "bits": {name: round(value, 2) for name, value in bits.items()},
        "hardly": hardly,
        "hardly_percent": [round(100 * float(x[hardly]), 1) for x in (share, simple)],
        "best_percent": round(100 * float(share.max()), 1),
        "by_size": {str(size): round(value, 2) for size, value in by_size.items()},
    },
)
