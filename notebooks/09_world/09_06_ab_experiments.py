# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Slice an experiment, and do not be fooled by it
#
# **Question.** Can B win on nearly every day, and lose in every segment?
#
# ![Left: the share of visitors who buy, day by day; B lies above A on nearly all days. Right: the same visitors by
# segment; B lies below A in all of them.](../../articles/figures/09_06_two_slices.svg)
#
# *The same visitors of one experiment, sliced in two ways. Both pictures are exact.*
#
# A shop shows page A to some visitors and page B to others, and counts who buys. You slice the result by day, and B wins.
# A colleague slices it by segment, and B loses. The arithmetic of both is right.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 40 minutes |
# | **Needs** | [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb), [05_01](../05_finance/05_01_tick_data_cube.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/resizing` |
# | **Article** | [Better every day, worse in every segment](../../articles/40_ab_experiments.md) |
# | **Data** | three experiments, generated (`data_gen/experiments.py`), and a real trial (`data_gen/trial.py`) |
#
# **You will be able to**
#
# - keep three numbers of each cell, and test any slice from them as if you had all visitors
# - say when sums may be merged, and when the merge reverses the answer
# - compare within days, and merge the differences
# - read the figures of a real trial from its counts
# - expect false winners, and know how many
# - add a late batch once, even if it is delivered twice
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `quick=False` takes 200 segments instead of 40.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 200 segments instead of 40
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import tutorial_zarr as zarr
from data_gen import experiments, trial
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Three experiments whose truth is known
#
# Visitors of a shop in 28 days and many segments. In `ramp` B sells 10 % more often than A: in every segment, on every day,
# by construction. In `ab` B is better in four segments only. `aa` compares A with itself, an **[A/A
# test](https://en.wikipedia.org/wiki/A/B_testing "An experiment whose two variants are the same; it tests the experiment,
# and should find a difference as seldom as chance allows.")**. Real logs also lose visitors and count some twice; these do
# not.

# %%
size = "small" if quick else "large"
made = experiments.make(size, seed)
checks = experiments.realism(made)
assert all(low <= value <= high for value, low, high in checks.values())
segments, days = made.arrays["ramp"].shape[1:3]
people = experiments.visitors("ramp", segments, seed)
print(
    f"{len(people['day']):,} visitors in {days} days and {segments} segments; {len(checks)} of {len(checks)} checks pass"
)

# %% [markdown] tags=["section-idea"]
# ## One experiment, and a guess
#
# `ramp`, day by day: the share of the visitors who buy.


# %%
def shares(by, many, variant):
    """The share of the visitors who buy, for each day or segment."""
    chosen = people["variant"] == variant
    came = np.bincount(people[by][chosen], minlength=many)
    bought = np.bincount(people[by][chosen], weights=people["bought"][chosen], minlength=many)
    return bought / came


by_day = [100 * shares("day", days, variant) for variant in (0, 1)]
days_won = int((by_day[1] > by_day[0]).sum())
print(f"B sells to a larger share on {days_won} of {days} days")

# %% [markdown]
# **Write down a guess.** In how many of the segments does B sell to a larger share?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
by_segment = [100 * shares("segment", segments, variant) for variant in (0, 1)]
segments_won = int((by_segment[1] > by_segment[0]).sum())
print(f"in {segments_won} of {segments}")
assert days_won > days * 3 / 4
assert segments_won < segments / 20

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.6, 3.6, 1, 2, sharey=True)
order = np.argsort(by_segment[0])
for variant, colour in ((0, GREY), (1, VERMILION)):
    name = "AB"[variant]
    left.plot(range(1, days + 1), by_day[variant], color=colour, marker="o", markersize=4, label=f"page {name}")
    right.plot(
        range(1, segments + 1), by_segment[variant][order], "o", color=colour, markersize=4, label=f"page {name}"
    )
left.set(title=f"By day: B is ahead on {days_won} of {days}", xlabel="day", ylabel="visitors who buy, %")
right.set(title=f"By segment: B is ahead in {segments_won} of {segments}", xlabel="segment, in the order of A's share")
left.legend(loc="upper right")
told = f"By day B is ahead on {days_won} of {days} days; by segment in {segments_won} of {segments}. The same visitors."
two_slices = viz.Chart.of(figure, "One experiment in two slices", told)
two_slices.save(out / "figures" / "09_06_two_slices.svg")
two_slices

# %% [markdown] tags=["section-build"]
# ## Build it small: three numbers of a cell
#
# To keep all visitors for every slice that will ever be asked is too much. What must be kept? Of each cell (segment, day,
# variant) the number of visitors, the sum of what they paid, and the sum of its squares: **[sufficient
# statistics](https://en.wikipedia.org/wiki/Sufficient_statistic "Few numbers that hold everything of the data that a
# test asks for; with them the data themselves are not needed.")** for a comparison of means.


# %%
def counted(values, cell, cells):
    """Of the values of each cell: how many, their sum, and the sum of their squares. Whole numbers, so exact."""
    table = np.zeros((cells, 3), "int64")
    for stat in range(3):
        np.add.at(table[:, stat], cell, values**stat)
    return table


cell = (people["segment"] * days + people["day"]) * 2 + people["variant"]
parts = [counted(people[metric], cell, segments * days * 2) for metric in ("bought", "cents")]
cube = np.stack(parts).reshape(2, segments, days, 2, 3)
assert np.array_equal(cube, made.arrays["ramp"])
print(f"{cube.shape} (metric, segment, day, variant, stat): {cube.nbytes:,} bytes")


# %%
def compare(cells):
    """B minus A and its standard error, from (..., variant, (n, sum, sum of squares))."""
    n, total, squares = np.moveaxis(cells.astype("float64"), -1, 0)
    mean = total / n
    variance = (squares - total * mean) / (n - 1)
    return mean[..., 1] - mean[..., 0], np.sqrt((variance / n).sum(-1))


def p_value(difference, error):
    """How often chance alone gives such a difference, or a larger one."""
    return math.erfc(abs(difference / error) / math.sqrt(2))


# %% [markdown]
# Is that exact? Take any slice, here the weekends of three segments, and compare with all its visitors, one by one.

# %%
weekend = [d for d in range(days) if d % 7 >= 5]
difference, error = compare(cube[1, [3, 5, 8]][:, weekend].sum((0, 1)))
chosen = np.isin(people["segment"], [3, 5, 8]) & np.isin(people["day"], weekend)
paid = [people["cents"][chosen & (people["variant"] == variant)] for variant in (0, 1)]
raw = paid[1].mean() - paid[0].mean()
raw_error = math.sqrt(sum(x.var(ddof=1) / len(x) for x in paid))
print(f"from the counts:   {difference:+.6f} cents, standard error {error:.6f}")
print(f"from the visitors: {raw:+.6f} cents, standard error {raw_error:.6f}")
assert math.isclose(difference, raw, rel_tol=1e-9)
assert math.isclose(error, raw_error, rel_tol=1e-12)

# %% [markdown]
# So three numbers a cell answer every slice as all visitors would. (A share alone would not: without n there is no test, and no
# weight to merge it by.) Then exact sums, as in [05_01](../05_finance/05_01_tick_data_cube.ipynb),
# should decide between day and segment. Merge everything:

# %%
pooled, pooled_error = compare(cube[0].sum((0, 1)))
a, b = (100 * total / n for n, total, _ in cube[0].sum((0, 1)))
print(
    f"A {a:.2f} %, B {b:.2f} %: B minus A is {100 * pooled:+.2f} points, {pooled / pooled_error:+.0f} standard errors"
)
assert pooled < 0

# %% [markdown]
# Merged exactly, tested exactly, and wrong: B *is* better. This is **[Simpson's
# paradox](https://en.wikipedia.org/wiki/Simpson%27s_paradox "A difference that is there in every part and reversed in the
# whole, since the parts are mixed in other proportions on the two sides.")**. Look at who saw B, and when:

# %% tags=["hide-input"] jupyter={"source_hidden": true}
of_b = 100 * cube[0, :, :, 1, 0].sum(0) / cube[0, ..., 0].sum((0, 2))
figure, panel = viz.canvas(7.2, 3.2)
panel.bar(range(1, days + 1), of_b, color=ORANGE, width=0.8, label="visitors who see B")
panel.plot(range(1, days + 1), by_day[0], color=BLUE, marker="o", markersize=4, label="of those who see A: buyers")
panel.set(title="B came when the sale had gone", xlabel="day", ylabel="share, %", ylim=(0, 100))
panel.legend(loc="upper left")
told = f"The share of visitors who see B: {of_b[0]:.0f} % on the first day, {of_b[-1]:.0f} % on the last. "
told += f"Buyers among those who see A: {by_day[0][:14].mean():.1f} % in the first two weeks, {by_day[0][14:].mean():.1f} % after."
ramp_chart = viz.Chart.of(figure, "Who saw B, and when", told)
ramp_chart.save(out / "figures" / "09_06_ramp.svg")
ramp_chart

# %% [markdown]
# One visitor in ten saw B while a sale was on; nine in ten when it was over. So A's visitors are those of the sale. Each segment
# holds both halves, and inherits the mistake. *Within* a day the draw was fair. So compare within days, and merge the
# differences, each weighted by how much it knows, n_A n_B / (n_A + n_B):


# %%
def within(cells):
    """B minus A within each cell (..., variant, stat), merged; and its standard error. Cells with one variant do not count."""
    cells = cells.reshape(-1, 2, 3)
    cells = cells[(cells[..., 0] > 1).all(-1)]
    differences, errors = compare(cells)
    n = cells[..., 0]
    weights = n[:, 0] * n[:, 1] / n.sum(-1)
    return np.average(differences, weights=weights), np.sqrt((weights**2 * errors**2).sum()) / weights.sum()


# %%
results = {
    "all merged": compare(cube[0].sum((0, 1))),
    "within segments": within(cube[0].sum(1)),
    "within days": within(cube[0].sum(0)),
    "within days and segments": within(cube[0]),
}
for name, (difference, error) in results.items():
    print(f"{name:26} B minus A: {100 * difference:+.2f} points, give or take {196 * error:.2f}")
assert results["within segments"][0] < 0 < results["within days"][0]
assert results["within days"][0] - 1.96 * results["within days"][1] > 0

# %% [markdown]
# Within days B wins, and that is the truth here. Merging sums is exact; *whether* they may be merged is no question of arithmetic.
# Merge freely where the draw was the same; across draws merge differences. What has been merged cannot be parted again, so keep
# the day in the cube even before it is asked for.

# %% [markdown] tags=["section-library"]
# ## The cube on the disk, a week at a time
#
# A chunk holds one metric of a week in all segments. Four workers count a week each and write it: whole chunks, so no locks.

# %%
shape, chunks = cube.shape, (1, segments, 7, 2, 3)
stored = zarr.create_array(
    out / "ramp.zarr", shape=shape, chunks=chunks, dtype="int64", fill_value=0, zarr_format=zarr_format, overwrite=True
)


def write_week(week):
    """Count the visitors of a week, and write them."""
    here = people["day"] // 7 == week
    inside = (people["segment"][here] * 7 + people["day"][here] % 7) * 2 + people["variant"][here]
    tables = [counted(people[metric][here], inside, segments * 7 * 2) for metric in ("bought", "cents")]
    stored[:, :, 7 * week : 7 * week + 7] = np.stack(tables).reshape(2, segments, 7, 2, 3)


# %%
with ThreadPoolExecutor(workers) as pool:
    list(pool.map(write_week, range(days // 7)))
assert np.array_equal(stored[...], cube)
trace = TraceStore(stored.store)
reader = zarr.open_array(trace, mode="r")
trace.clear()
one_segment = within(reader[0, 5])
requests, moved = trace.count("GET"), trace.nbytes("GET")
print(f"one segment, all days: {100 * one_segment[0]:+.2f} points, give or take {196 * one_segment[1]:.2f}")
print(f"{requests} requests, {moved:,} bytes, for what {len(people['day']):,} visitors did")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same counts:")
report = interop_check(out / "ramp.zarr", expected=cube)
print(report)
assert not report.differing

# %% [markdown] tags=["section-others"]
# ## A real trial: 2,834 people and a voucher
#
# In rural Malawi, people could come for the result of a test. By lot, some had a voucher worth up to three dollars if they
# came (Thornton, see below): a **[randomised controlled trial](https://en.wikipedia.org/wiki/Randomized_controlled_trial "A
# comparison in which a lot decides who gets what, so that nothing else differs between the groups but by chance.")**.
# Cells are villages.

# %%
real = trial.make().arrays
village = np.unique(real["village"], return_inverse=True)[1]
villages = int(village.max()) + 1
people_in = counted(real["came"].astype("int64"), village * 2 + real["incentive"], villages * 2).reshape(villages, 2, 3)
whole = people_in.sum(0)
(n_without, came_without, _), (n_with, came_with, _) = whole.tolist()
print(f"without: {came_without} of {n_without} came, {100 * came_without / n_without:.2f} %")
print(f"with:    {came_with} of {n_with} came, {100 * came_with / n_with:.2f} %")

# %%
both = people_in[(people_in[..., 0] > 0).all(-1)]
each = both[:, 1, 1] / both[:, 1, 0] - both[:, 0, 1] / both[:, 0, 0]
real_results = {"all merged": compare(whole), "within villages": within(people_in)}
for name, (difference, error) in real_results.items():
    print(f"{name:16} {100 * difference:+.2f} points, give or take {196 * error:.2f}")
print(f"plain mean of {len(each)} villages: {100 * each.mean():+.2f}; {(each < 0).sum()} of them go the other way")

# %% [markdown]
# Merged or within villages, the voucher moves about 45 or 43 points: the lot was about the same in every village, so the merge
# does little harm. The plain mean of villages gives five people the weight of a hundred.

# %% [markdown] tags=["section-wrong"]
# ## Winners of nothing, and a batch that counts twice
#
# **Winners of nothing.** Slice the A/A test by segment and week and test every slice. A and B are the same page. How
# many slices have a p-value below 0.05? Guess first.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
slices = made.arrays["aa"][0].reshape(segments, days // 7, 7, 2, 3).sum(2).reshape(-1, 2, 3)
p = np.array([p_value(d, e) for d, e in zip(*compare(slices), strict=True)])
false = int((p < 0.05).sum())
print(f"{false} of {len(p)} slices; {len(p) * 0.05:.0f} are to be expected")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
lift, lift_error = compare(made.arrays["ab"][0].sum(1))
clear = np.abs(lift) > 1.96 * lift_error
found, missed = int(clear[: experiments.LIFTED].sum()), int((~clear[: experiments.LIFTED]).sum())
lucky = int(clear[experiments.LIFTED :].sum())
figure, (left, right) = viz.canvas(8.6, 3.4, 1, 2)
left.hist(p, bins=20, range=(0, 1), color=GREY)
left.axvspan(0, 0.05, color=VERMILION, alpha=0.35)
left.set(title=f"aa: {false} of {len(p)} slices below 0.05", xlabel="p-value", ylabel="slices")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
for place, k in enumerate(np.argsort(lift)):
    colour = VERMILION if k < experiments.LIFTED else GREY
    ends = [100 * (lift[k] + side * 1.96 * lift_error[k]) for side in (-1, 1)]
    right.plot([place + 1] * 2, ends, color=colour, linewidth=1.5)
    right.plot(place + 1, 100 * lift[k], "o", color=colour, markersize=4)
right.axhline(0, color=BLUE, linewidth=1)
right.set(title="ab: red is truly better", xlabel="segment, in order", ylabel="B minus A, points")
told = f"A histogram of {len(p)} p-values, {false} of them below 0.05. And intervals of {segments} segments: "
told += f"of {experiments.LIFTED} truly better {found} are clear of zero, and of the others {lucky}."
chance_chart = viz.Chart.of(figure, "What chance finds", told)
chance_chart.save(out / "figures" / "09_06_chance.svg")
chance_chart

# %%
print(
    f"ab: {found} of the {experiments.LIFTED} better segments are found, {missed} missed, and {lucky} that are not better"
)

# %% [markdown]
# Each test was exact, and one in twenty is wrong by design. Twice as many slices, twice as many winners of nothing. Say
# before you slice which one you are going to look at.
#
# **A batch that counts twice.** Visitors of a day come in batches, and a queue may deliver one twice. Counts are not
# **[idempotent](../GLOSSARY.md#idempotent)**. So keep the number of the last batch, and keep it *in the same chunk*: then both
# are written, or neither.

# %%
day_zero = people["day"] == 0
batch_of = np.arange(day_zero.sum()) % 6
batches = []
for k in range(6):
    one = {name: values[day_zero][batch_of == k] for name, values in people.items()}
    batches.append(counted(one["bought"], one["segment"] * 2 + one["variant"], segments * 2).reshape(segments, 2, 3))
delivered = [0, 1, 2, 3, 3, 4, 5, 4]  # 3 comes twice, and 4 comes again at the end


# %%
def add(array, number, cells):
    """Add a batch to the counts of a day, once; slot 3 of the stats holds the number of the last batch, counted from 1."""
    now = array[...]
    if number + 1 <= now[0, 0, 3]:
        return  # has been added
    now[..., :3] += cells
    now[..., 3] = number + 1
    array[...] = now  # one chunk: the counts and the number, or neither


careless = sum(batches[k] for k in delivered)
store = TraceStore(MemoryStore())
careful = zarr.create_array(store, shape=(segments, 2, 4), chunks=(segments, 2, 4), dtype="int64", fill_value=0)
for k in delivered:
    add(careful, k, batches[k])

# %%
truth = int(day_zero.sum())
counts_of = {"added as they come": int(careless[..., 0].sum()), "with the last batch": int(careful[..., 0].sum())}
for name, many in counts_of.items():
    print(f"{name:20} {many:,} visitors; there were {truth:,}")
doubled_error, true_error = (float(compare(cells.sum(0))[1]) for cells in (careless, careful[..., :3]))
print(f"standard error: {100 * doubled_error:.2f} points with the doubled ones, {100 * true_error:.2f} without")
assert counts_of["with the last batch"] == truth
assert np.array_equal(careful[..., :3], cube[0, :, 0])

# %% [markdown]
# This takes one writer for a day, and batches in order; a batch that is missing has to be waited for. Doubled visitors hardly
# change a share, so they are hard to see. They make the standard error too small.

# %% [markdown] tags=["section-predict"]
# ## Leave out the sale
#
# Take the last two weeks of `ramp` only, when nine in ten saw B, all merged by segment. In how many segments is B ahead now?
# Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
first_day = 14
late_half = compare(cube[0, :, first_day:].sum(1))[0]
late_won = int((late_half > 0).sum())
print(f"B is ahead in {late_won} of {segments} segments")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_06.1
#
# Monday: 900 of A's 9,000 visitors buy, and 120 of B's 1,000. Tuesday: 50 of A's 1,000, and 540 of B's 9,000. By how many points
# is B ahead *within days*, with the weights n_A n_B / (n_A + n_B)?
#
# <details><summary>Hint</summary>
# What are the two weights?</details>

# %% tags=["exercise"]
points_ahead = ...
check("09_06.1", points_ahead)

# %% [markdown]
# ### Exercise 09_06.2
#
# A fair coin sent 50,000 visitors to A and 51,000 to B. Is the coin fair, or is this a **[sample ratio
# mismatch](https://doi.org/10.1145/3292500.3330722 "Variants that are not as large as they were meant to be; then something
# lost or doubled visitors, and the result is not to be trusted.")**? Give chi-squared, the sum of (found - expected)² /
# expected. (Above 6.63 chance is seen once in a hundred times.)
#
# <details><summary>Hint</summary>
# How many are expected in each?</details>

# %% tags=["exercise"]
chi_squared = ...
check("09_06.2", chi_squared)

# %% [markdown]
# ### Exercise 09_06.3
#
# Write `z_score(n_a, bought_a, n_b, bought_b)`: B's share minus A's, divided by the standard error that both have if they are
# the same, sqrt(s (1 - s) (1/n_a + 1/n_b)), where s is the share of all visitors. Where nobody or everybody buys it is 0.0.
#
# <details><summary>Hint</summary>
# s comes from merged counts, not from the mean of two shares.</details>


# %% tags=["exercise"]
def z_score(n_a, bought_a, n_b, bought_b):
    """How many standard errors B is ahead."""
    ...


check("09_06.3", z_score)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `cube[{"segment": [3, 5], "day": [1, 3]}]`: places, by the name of the axis | `cube.sel(segment=["phone", "desk"])` in xarray: labels, and sums by name | here: labels in a selection |
# | `counted` and `compare`: moments of cells, merged by sums | `dask.array.from_zarr(...).var(ddof=1)` merges moments of chunks by itself | in zarr-python alone: a reduction |
# | `within(cells)`: differences, then the mean | `xarray.Dataset.weighted(w).mean(...)`: the mean, once the differences are there | - |
# | `array[...] = now`: counts and number in one chunk, one write | the same in zarr-python | a write of several chunks that happens as one |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Keep n, the sum and the sum of squares of each cell: any slice is then tested as from all visitors.
# - Sums may be merged where the draw was the same. Across days with other shares the merge reversed the answer, in every segment.
# - Compare within days and merge the differences, weighted by n_A n_B / (n_A + n_B).
# - In the trial 33.87 % came without a voucher and 78.92 % with one; its villages agree.
# - One slice in twenty of an A/A test has p below 0.05: choose the slice before you look.
# - Keep the number of the last batch in the chunk of the counts, and a batch that comes twice counts once.
#
# **Open questions.** Which axes have to be compared within: only those by which the draw changed? What if B changes who comes?
#
# **To read further.**
#
# - [Crook et al., Seven pitfalls](https://doi.org/10.1145/1557019.1557139): a ramp that reversed a result, and six other
#   ways in which experiments on the web go wrong.
# - [Fabijan et al., Diagnosing sample ratio mismatch](https://doi.org/10.1145/3292500.3330722): how visitors get lost on one
#   side, and how it shows.
# - [Thornton, The demand for, and impact of, learning HIV status](https://doi.org/10.1257/aer.98.5.1829): the trial with the
#   vouchers.
#
# **Next.** Why does the mean of averages lie in a market? [05_01](../05_finance/05_01_tick_data_cube.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Both weights are 9,000 x 1,000 / 10,000 = 900. Monday 12 % - 10 %, Tuesday 6 % - 5 %: the mean of 2 and 1.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_06.1", (900 * 2 + 900 * 1) / 1800)

# %% [markdown]
# 50,500 are expected in each, and 500 are too few or too many.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_06.2", 2 * 500**2 / 50_500)

# %% [markdown]
# One share of all, and one error for both.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def z_score(n_a, bought_a, n_b, bought_b):
    """How many standard errors B is ahead."""
    s = (bought_a + bought_b) / (n_a + n_b)
    if s in (0, 1):
        return 0.0
    return (bought_b / n_b - bought_a / n_a) / math.sqrt(s * (1 - s) * (1 / n_a + 1 / n_b))


check("09_06.3", z_score)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "visitors": len(people["day"]),
        "segments": segments,
        "days": days,
        "days_won": days_won,
        "segments_won": segments_won,
        "share_a": round(float(a), 6),
        "share_b": round(float(b), 6),
        "behind_errors": round(float(-pooled / pooled_error), 4),
        "behind_points": round(float(-100 * pooled), 6),
        "p_below": 0.05,
        "of_b": [round(float(of_b[k]), 4) for k in (0, -1)],
        "a_in_the_sale": round(float(by_day[0][:14].mean()), 4),
        "a_after": round(float(by_day[0][14:].mean()), 4),
        "results": {k: [round(float(100 * d), 6), round(float(196 * e), 6)] for k, (d, e) in results.items()},
        "cube_bytes": cube.nbytes,
        "requests": requests,
        "moved": moved,
        "one_segment": [round(float(100 * one_segment[0]), 6), round(float(196 * one_segment[1]), 6)],
        "trial": {
            "people": len(village),
            "n": [n_without, n_with],
            "came": [came_without, came_with],
            "percent": [round(100 * came_without / n_without, 4), round(100 * came_with / n_with, 4)],
            "results": {k: [round(float(100 * d), 6), round(float(196 * e), 6)] for k, (d, e) in real_results.items()},
            "villages": len(each),
            "mean_of_villages": round(float(100 * each.mean()), 6),
            "reversed": int((each < 0).sum()),
        },
        "slices": len(p),
        "false": false,
        "expected_false": round(len(p) * 0.05),
        "found": found,
        "missed": missed,
        "lucky": lucky,
        "lift_percent": [10, 25],
        "counts_of": counts_of,
        "truth": truth,
        "errors_of_a_day": [round(100 * doubled_error, 6), round(100 * true_error, 6)],
        "late_won": late_won,
    },
)
