# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Keep counts of an evaluation, and merge any slices
#
# **Question.** What do you store of an evaluation, so that it can be summed up later in any way?
#
# ![Two panels over the size of a slice. Left: the accuracy is two flat lines. Right: the mean calibration error of the
# slices rises as they get smaller, and the line of the repaired model crosses that of the one it repairs.](../../articles/figures/04_04_slices.svg)
#
# *The same predictions, scored slice by slice and averaged. On the right the repair is good for large slices and bad for
# small ones. Nothing changed but the cut.*
#
# You evaluate a model on many slices: customers, languages, days. You keep a table of scores, and next month somebody
# asks for the total. So you average a column. For accuracy that works. For the calibration error it turns a repair that
# removes most of the error into one that makes it worse.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb), [05_01](../05_finance/05_01_tick_data_cube.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/group.py` |
# | **Article** | [The repair that looked like damage](../../articles/14_evaluation_cubes.md) |
# | **Data** | what three classifiers said about 1,797 handwritten digits (`data_gen/evals.py`) |
#
# **You will be able to**
#
# - say which scores survive an average over slices, and which do not
# - store an evaluation as counts that can be merged in any way
# - write thousands of runs at once, without a lock
# - notice a run that is missing
# - say what a merged score hides
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# Nothing here is particular to this lesson.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 60 runs instead of 9
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import tutorial_zarr as zarr
from data_gen import evals
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Real digits, and real mistakes
#
# Three classifiers judge 1,797 handwritten digits, each digit by a model that did not see it in training (five folds). A
# softmax regression; naive Bayes, which is known for being too sure of itself; and "cooled", the same naive Bayes with its
# log-probabilities divided by a number that was chosen on training rows, the usual repair (**[temperature
# scaling](https://arxiv.org/abs/1706.04599 "Dividing a classifier's scores by one number before they become probabilities; it
# changes how sure it is, and not what it says.")**). Other runs train with labels of which a share is wrong. The digits
# lie in pages of 25, in the order of the file: our slices.

# %%
data = evals.make("small" if quick else "large", seed)
checks = evals.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
said, sure, label, page = (data.arrays[name] for name in ("said", "sure", "label", "page"))
names, pages, rows = data.truth["run"], int(page.max()) + 1, len(label)
linear, bayes, cooled = (names.index(f"{model}, noise 0.0") for model in evals.MODELS)
print(f"{len(names)} runs, {rows:,} digits in {pages} pages; {len(checks)} of {len(checks)} checks of the data pass")
assert np.array_equal(said[bayes], said[cooled])

# %% [markdown]
# The last line holds: cooling changed no answer. It changed only how sure the model is.

# %% [markdown] tags=["section-idea"]
# ## A model should be right as often as it says
#
# Sort the answers into ten drawers by how sure the model was. In each drawer compare the mean confidence with the share
# of right answers. The gaps, weighted by the rows in the drawers, are the **[expected calibration
# error](https://doi.org/10.1609/aaai.v29i1.9602 "The mean gap between how sure a classifier is and how often it is right, over
# drawers of similar confidence, each weighted by its rows.")** (ECE).

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(8.4, 3.1, 1, 3, sharex=True, sharey=True)
for panel, run, colour in zip(axes, (linear, bayes, cooled), (BLUE, VERMILION, GREEN), strict=True):
    drawer = np.minimum(sure[run] // 100, 9)
    n, confidence, right = (np.bincount(drawer, w, 10) for w in (np.ones(rows), sure[run] / 1000, said[run] == label))
    some = n >= 10
    panel.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    panel.plot(confidence[some] / n[some], right[some] / n[some], "o-", color=colour, markersize=5)
    panel.set_title({linear: "linear", bayes: "naive Bayes", cooled: "naive Bayes, cooled"}[run])
    panel.set(xlabel="mean confidence", xlim=(0, 1.04), ylim=(0, 1.04))
_ = axes[0].set_ylabel("share of right answers")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
reliability = viz.Chart.of(
    figure,
    "How sure, and how often right",
    "Three panels, share of right answers over confidence. The linear model lies above the diagonal, naive Bayes far below "
    "it, the cooled one near it.",
)
reliability.save(out / "figures" / "04_04_reliability.svg")
reliability

# %% [markdown]
# Above the dashed line a model is too modest, below it too sure. Drawers with fewer than ten rows are not drawn.

# %% [markdown] tags=["section-build"]
# ## Build it small: two tables of counts
#
# For each page a **[confusion matrix](https://en.wikipedia.org/wiki/Confusion_matrix "A table of counts: rows are the true
# classes, columns what a classifier said; right answers lie on the diagonal.")**, and for each drawer three sums: rows,
# confidence, right answers. Confidence is kept in thousandths, as a whole number, so that its sums are exact in any order.


# %%
def counted(said, sure):
    """Counts of one run: (page, true, said), and (page, drawer, [rows, confidence, right])."""
    confusion = np.zeros((pages, 10, 10), "int32")
    np.add.at(confusion, (page, label, said), 1)
    bins = np.zeros((pages, 10, 3), "int64")
    three = np.column_stack([np.ones(rows, int), sure, said == label])
    np.add.at(bins, (page, np.minimum(sure // 100, 9)), three)
    return confusion, bins


# %% [markdown]
# The scores come from the counts, for a page, a hundred pages, or all:


# %%
def accuracy(confusion):
    return confusion.trace() / confusion.sum()


def macro_f1(confusion):
    """The mean F1 of the digits that occur, as truth or as answer."""
    hits, both = confusion.diagonal(), confusion.sum(0) + confusion.sum(1)
    return (2 * hits[both > 0] / both[both > 0]).mean()


def calibration_error(bins):
    n, confidence, right = bins.T
    return abs(confidence - 1000 * right).sum() / (1000 * n.sum())


# %% [markdown]
# To merge pages is to add their tables: merge the parts and not the quotients, as with the VWAP of
# [05_01](../05_finance/05_01_tick_data_cube.ipynb). Score all rows together first:

# %%
tables = {run: counted(said[run], sure[run]) for run in (linear, bayes, cooled)}
whole = {}
for run, (confusion, bins) in tables.items():
    merged = confusion.sum(0), bins.sum(0)
    whole[run] = accuracy(merged[0]), macro_f1(merged[0]), calibration_error(merged[1])
    print(f"{names[run]:18} accuracy {whole[run][0]:.4f}, macro F1 {whole[run][1]:.4f}, ECE {whole[run][2]:.4f}")
assert whole[cooled][2] < whole[bayes][2] / 2

# %% [markdown]
# Cooling took the calibration error of naive Bayes down to less than half. Now do what a table of scores makes you do:
# score each of the 72 pages, and average. **Write down a guess:** what ECE will naive Bayes have, and what the cooled one?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
average = {}
for run, (confusion, bins) in tables.items():
    scores = [(accuracy(c), macro_f1(c), calibration_error(b)) for c, b in zip(confusion, bins, strict=True)]
    average[run] = np.mean(scores, axis=0)
    print(f"{names[run]:18} accuracy {average[run][0]:.4f}, macro F1 {average[run][1]:.4f}, ECE {average[run][2]:.4f}")
assert average[cooled][2] > average[bayes][2]
assert all(abs(average[run][0] - whole[run][0]) < 0.001 for run in tables)

# %% [markdown]
# The accuracies agree. The calibration errors do not: each is larger, and **the repaired model is now the worse one**. Is
# 25 rows just too few? Here is every size of slice:

# %%
sizes = [9, 15, 25, 50, 100, 200, 450, 900, rows]
by_size = {}
for run in (bayes, cooled):
    gap = np.zeros((rows, 10), int)
    gap[np.arange(rows), np.minimum(sure[run] // 100, 9)] = sure[run] - 1000 * (said[run] == label).astype(int)
    for size in sizes:
        begins = np.arange(0, rows, size)
        n = np.diff(begins, append=rows)
        errors = abs(np.add.reduceat(gap, begins)).sum(1) / (1000 * n)
        right = np.add.reduceat(said[run] == label, begins, dtype=int) / n
        by_size[run, size] = right.mean(), errors.mean()
assert np.isclose(by_size[cooled, 25][1], average[cooled][2])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right_panel) = viz.canvas(8.4, 3.4, 1, 2, sharex=True)
for run, colour, style, width in ((bayes, VERMILION, "-", 4), (cooled, GREEN, "--", 2)):
    for panel, which in ((left, 0), (right_panel, 1)):
        values = [by_size[run, size][which] for size in sizes]
        name = "naive Bayes" if run == bayes else "naive Bayes, cooled"
        panel.plot(
            sizes, values, style + "o", color=colour, linewidth=width if which == 0 else 2, markersize=4, label=name
        )

# %% tags=["hide-input"] jupyter={"source_hidden": true}
for panel in (left, right_panel):
    panel.set(xscale="log", xlabel="rows in a slice")
    panel.set_xticks([10, 100, 1000], ["10", "100", "1,000"])
left.set(ylim=(0, 1), ylabel="mean accuracy of the slices")
right_panel.set(ylim=(0, 0.12), ylabel="mean calibration error of the slices")
left.set_title("Accuracy: cut as you like")
right_panel.set_title("ECE: the cut decides")
right_panel.plot([25, 25], [0.05, 0.12], ":", color=GREY, linewidth=1)
right_panel.text(27, 0.112, "a page: 25 rows")
_ = right_panel.legend(loc="lower left")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
ends = [f"{by_size[run, size][1]:.3f}" for run in (bayes, cooled) for size in (rows, 25)]
slices_chart = viz.Chart.of(
    figure,
    "The same predictions, averaged over slices",
    f"Left: accuracy over the size of a slice, two flat lines, one over the other. Right: ECE. Naive Bayes from {ends[0]} for "
    f"all rows to {ends[1]} for slices of 25; the cooled one from {ends[2]} to {ends[3]}, crossing it on the way.",
)
slices_chart.save(out / "figures" / "04_04_slices.svg")
slices_chart

# %% [markdown]
# In a small slice the share of right answers is off by chance. ECE takes the size of each gap and forgets its sign, so
# chance does not average out: it adds up. A very sure model has nearly all rows in one drawer, where chance is small;
# a modest one has a few rows in each of ten. The average rewards being sure. Proof by a model that is perfect:

# %%
drawn = np.random.PCG64(seed + 1).random_raw(rows) % 1000 < sure[cooled]  # right exactly as often as it says
perfect = np.zeros((pages, 10, 3), int)
np.add.at(perfect, (page, np.minimum(sure[cooled] // 100, 9)), np.column_stack([drawn >= 0, sure[cooled], drawn]))
perfect_merged = calibration_error(perfect.sum(0))
perfect_average = np.mean([calibration_error(one) for one in perfect])
print(f"calibrated by construction: ECE {perfect_merged:.4f} merged, {perfect_average:.4f} averaged over pages")
assert perfect_average > average[bayes][2] > perfect_merged

# %% [markdown]
# A perfectly calibrated model, averaged over pages, looks worse than naive Bayes. (Merged it is not zero either: with
# 1,797 rows some chance is left.)

# %% [markdown] tags=["section-library"]
# ## One run, one chunk, any number of writers
#
# All runs lie in two arrays, `(run, page, true, said)` and `(run, page, drawer, sum)`. A **[chunk](../GLOSSARY.md#chunk)**
# is one run, so runs can be written at once and no lock is needed ([01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb)).

# %%
group = zarr.create_group(out / "evals.zarr", zarr_format=zarr_format, attributes={"runs": names})
for name, shape, kind in (("confusion", (pages, 10, 10), "int32"), ("bins", (pages, 10, 3), "int64")):
    axes_named = ("run", "page", "true", "said") if name == "confusion" else ("run", "page", "drawer", "sum")
    group.create_array(
        name, shape=(len(names), *shape), chunks=(1, *shape), dtype=kind, fill_value=0, dimension_names=axes_named
    )


# %%
def evaluate(run):
    group["confusion"][run], group["bins"][run] = counted(said[run], sure[run])


with ThreadPoolExecutor(workers) as pool:
    list(pool.map(evaluate, range(len(names))))
cells = int(group["confusion"][...].sum())
print(f"{cells:,} answers are counted; {len(names)} runs of {rows:,} are {len(names) * rows:,}")
assert cells == len(names) * rows == group["bins"][..., 0].sum()

# %% [markdown]
# That sum is worth keeping as a test: it finds a lost write, a run counted twice, and a run that is missing. And any
# question is now an index and a sum:

# %%
trace = TraceStore(LocalStore(out / "evals.zarr"))
stored = zarr.open_group(trace, mode="r")
confusion, bins = stored["confusion"], stored["bins"]
trace.clear()
answers = {
    "ECE of the cooled model": calibration_error(bins[cooled].sum(0)),
    "its accuracy on the first 36 pages": accuracy(confusion[cooled, :36].sum(0)),
    "its accuracy on eights": (lambda c: c[8, 8] / c[8].sum())(confusion[cooled].sum(0)),
}
for question, value in answers.items():
    print(f"{question}: {value:.4f}")
print(f"{trace.count('GET')} requests")
assert answers["ECE of the cooled model"] == whole[cooled][2]
assert answers["its accuracy on eights"] == (said[cooled] == 8)[label == 8].mean()

# %%
mistakes = confusion[linear].sum(0)
np.fill_diagonal(mistakes, 0)
true, wrong = np.unravel_index(mistakes.argmax(), mistakes.shape)
print(f"the linear model errs {mistakes.sum()} times, most often by taking {true} for {wrong}: {mistakes.max()} times")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same counts:")
report = interop_check(out / "evals.zarr" / "confusion", expected=confusion[...])
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## When counts are too much, and when too little
#
# Counts are not always smaller than what they count. Store the answers themselves beside them, and compare one run:

# %%
group.create_array("said", data=said, chunks=(1, rows))
group.create_array("sure", data=sure, chunks=(1, rows))
bytes_of = {}
for name in ("said", "sure", "confusion", "bins"):
    key = group[name].chunk_key((bayes,) + (0,) * (group[name].ndim - 1))
    bytes_of[name] = [group[name].nbytes // len(names), len(group.store.get(key))]
    print(f"{name:10} {bytes_of[name][0]:7,} B in memory, {bytes_of[name][1]:6,} B stored")
answers_stored, counts_stored = (sum(bytes_of[n][1] for n in two) for two in (("said", "sure"), ("confusion", "bins")))
print(f"stored: answers {answers_stored:,} B, counts {counts_stored:,} B")

# %% [markdown]
# With 25 rows in a slice the answers are the smaller ones, and they can be cut in any way. Counts do not grow with the
# rows: with a million rows in 72 slices they stay what they are, and the answers grow 556 times. Counts know only the axes
# that you gave them. `bins` has no axis for the true digit, so the ECE of the eights cannot be had from it.

# %% [markdown] tags=["section-wrong"]
# ## A run that crashed has an accuracy of zero
#
# One worker died before it wrote its run. Keep rates with a **[fill value](../GLOSSARY.md#fill-value)** of 0 beside the
# counts, and see who notices.

# %%
crashed = names.index("cooled, noise 0.2")
rates = group.create_array("accuracy", shape=(len(names),), chunks=(1,), dtype="float64", fill_value=0)
for run in sorted(set(range(len(names))) - {crashed}):
    rates[run] = accuracy(group["confusion"][run].sum(0))
group.store.delete(group["confusion"].chunk_key((crashed, 0, 0, 0)))
counts = group["confusion"][...].sum((1, 2, 3))
there = np.flatnonzero(counts == rows)
mean_of_rates, mean_of_there = float(rates[...].mean()), float(rates[...][there].mean())
print(f"mean of the rates {mean_of_rates:.4f}; of the {len(there)} runs that are there {mean_of_there:.4f}")
print(f"rows counted: {counts.tolist()[:9]}: run {int(counts.argmin())} is missing")

# %% [markdown]
# An accuracy of 0 is a number like any other. A count of 0 says that nothing was counted, and adds nothing to a sum. (With
# NaN as the fill value the mean would be NaN: better than a wrong number.)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
evaluate(crashed)
assert group["confusion"][...].sum() == len(names) * rows

# %% [markdown] tags=["section-predict"]
# ## What is the calibration error of two models together?
#
# Half of your users get the linear model, half get naive Bayes. Each is off by about 0.065. Add their counts. Write down a
# guess of the ECE of your service, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
both = group["bins"][linear].sum(0) + group["bins"][bayes].sum(0)
together = calibration_error(both)
print(f"linear {whole[linear][2]:.4f}, naive Bayes {whole[bayes][2]:.4f}, together {together:.4f}")
assert together < 0.6 * min(whole[linear][2], whole[bayes][2])
for run, (_, bins_of_run) in tables.items():
    weighted = np.average([calibration_error(one) for one in bins_of_run], weights=bins_of_run[:, :, 0].sum(1))
    print(f"{names[run]:18} merged {whole[run][2]:.4f} <= averaged over pages {weighted:.4f}")
    assert whole[run][2] <= weighted

# %% [markdown]
# One is too modest, one too sure, and in the drawers that they share they cancel. The number is right: it is the ECE of the
# mixture. It says nothing about either model. In general **the average of the scores, weighted by rows, is never below the
# score of the merged counts**: when sizes of gaps are added, nothing cancels. The average errs upwards by chance; the
# merged score hides what cancels. So merge the slices of one model, and not the models.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 04_04.1
#
# Three drawers hold 50, 30 and 20 rows. Their mean confidences are 0.60, 0.80 and 0.95; 25, 27 and 15 of their answers are
# right. What is the ECE?
#
# <details><summary>Hint</summary>
# In each drawer: how many right answers would its confidence promise, and how many are there?
# </details>

# %% tags=["exercise"]
error_of_three = ...
check("04_04.1", error_of_three)

# %% [markdown]
# ### Exercise 04_04.2
#
# You keep 4,000 runs in two arrays like ours, one chunk to a run, and the store should not have more than 100 objects
# with values. So you put several runs in one **[shard](../GLOSSARY.md#shard)**. What is the least number of runs?
#
# <details><summary>Hint</summary>
# How many objects may each of the arrays have?</details>

# %% tags=["exercise"]
runs_in_a_shard = ...
check("04_04.2", runs_in_a_shard)

# %% [markdown]
# ### Exercise 04_04.3
#
# A colleague's function gets the counts of many runs, many pages, or both: any axes, and then (drawer, [rows, confidence in
# thousandths, right]). It should return the ECE of everything merged, and NaN if nothing was counted. Repair it.
#
# <details><summary>Hint</summary>
# Merge first, score once. `counts.reshape(-1, *counts.shape[-2:])` makes one axis of those in front.</details>


# %% tags=["exercise"]
def merged_error(counts):
    """The ECE of all rows that were counted, whatever axes stand before (drawer, sum)."""
    slices = counts.reshape(-1, *counts.shape[-2:])
    n, confidence, right = np.moveaxis(slices, -1, 0)
    return (abs(confidence - 1000 * right).sum(1) / (1000 * n.sum(1))).mean()


check("04_04.3", merged_error)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `confusion[run].sum(0)`: axes by number | `xr.open_zarr(path).confusion[run].sum("page")`: axes by name | - |
# | `chunks=(1, pages, 10, 10)`: each run has one writer | the same; in xarray `to_zarr(path, region={"run": slice(k, k + 1)})` | - |
# | a run that is missing has 0 rows | xarray's `.mean()` of rates leaves a NaN out, and numpy's is NaN | how many were left out; `.count()` says it |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Accuracy survives an average over slices of equal size. F1 drifts, and calibration error does not survive: small
#   slices add chance, more for a modest model than for a sure one.
# - Confusion matrices, and rows, confidence and right answers for each drawer, are whole numbers: add them in any order, then
#   score once.
# - One run is one chunk, so every run has one writer.
# - The sum of all counts has to be runs times rows; a missing run has none.
# - Errors of opposite sign cancel in merged counts: a good score of the whole says nothing about its parts.
#
# **Open questions.** Ten drawers are a choice: what would five, or fifty, do to the curve? How would you correct ECE for
# chance?
#
# **To read further.**
#
# - [Guo et al., On calibration of modern neural networks](https://arxiv.org/abs/1706.04599): the paper behind temperature
#   scaling.
# - [Roelofs et al., Mitigating bias in calibration error estimation](https://arxiv.org/abs/2012.08668): how far ECE is off in
#   small samples, and what to do.
# - [Forman and Scholz, Apples-to-apples in cross-validation studies](https://doi.org/10.1145/1882471.1882479): the same
#   question for F1 and for the area under the curve.
#
# **Next.** Can a search start coarse and read fine only where it needs to? [04_05](04_05_vision_patch_pyramids.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The drawers promise 30, 24 and 19 right answers: off by 5, 3 and 4 rows of 100.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_04.1", (5 + 3 + 4) / 100)

# %% [markdown]
# Each array may have 50 objects.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("04_04.2", 4000 // 50)

# %% [markdown]
# Merge, then score; and nothing divided by nothing is not zero.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def merged_error(counts):
    """The ECE of all rows that were counted, whatever axes stand before (drawer, sum)."""
    n, confidence, right = counts.reshape(-1, *counts.shape[-2:]).sum(0).T
    if n.sum() == 0:
        return float("nan")
    return abs(confidence - 1000 * right).sum() / (1000 * n.sum())


check("04_04.3", merged_error)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "runs": len(names),
        "rows": rows,
        "pages": pages,
        "page_rows": evals.PAGE,
        "cells": cells,
        "whole": {names[run]: [round(float(v), 6) for v in values] for run, values in whole.items()},
        "average": {names[run]: [round(float(v), 6) for v in values] for run, values in average.items()},
        "by_size": {f"{names[run]}, {size}": round(float(v[1]), 6) for (run, size), v in by_size.items()},
        "mean_confidence": {names[run]: round(float(sure[run].mean() / 1000), 4) for run in tables},
        "perfect": [round(float(v), 6) for v in (perfect_merged, perfect_average)],
        "mistakes_of_linear": int(mistakes.sum()),
        "most_frequent": [int(true), int(wrong), int(mistakes.max())],
        "accuracy_on_eights": round(float(answers["its accuracy on eights"]), 6),
        "accuracy_on_36_pages": round(float(answers["its accuracy on the first 36 pages"]), 6),
        "bytes": bytes_of,
        "bytes_stored": {"answers": answers_stored, "counts": counts_stored},
        "mean_of_rates": round(mean_of_rates, 6),
        "mean_of_there": round(mean_of_there, 6),
        "crashed": crashed,
        "together": round(float(together), 6),
        "times_a_million": round(1e6 / rows),
    },
)
