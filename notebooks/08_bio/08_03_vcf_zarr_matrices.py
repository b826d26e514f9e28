# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Measure how varied a population is, with calls that are missing
#
# **Question.** How much variety is there, if two genotypes in a hundred are missing?
#
# ![Variety against the number of people, by three ways to treat what is missing. Two stay near 5; the one that keeps
# complete sites only falls from about 4.6 to 2.3.](../../articles/figures/08_03_variety.svg)
#
# *The same sites, the same two per cent. Only the number of people grows.*
#
# You have a table: a row for each place where people differ, a column for each person. Two per cent of it is empty. A
# careful colleague drops every row with a gap, to be on the safe side. How safe is it?

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 35 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), [01_03](../01_core_zarr/01_03_compression_pipelines.ipynb) |
# | **Code** | `tutorial_zarr/group.py`, `tutorial_zarr/array.py` |
# | **Article** | [The more people, the less variety](../../articles/34_vcf_zarr_matrices.md) |
# | **Data** | 40 people and some thousand sites, generated (`data_gen/coalescent.py`) |
#
# **You will be able to**
#
# - estimate the variety of a population from the number of its sites, with a standard error
# - treat missing calls so that the estimate stays where it belongs
# - lay genotypes out as VCF Zarr does, and choose chunks for a region or for a person
# - see what the codes -1 and -2 do to a mean
# - say which gaps no formula repairs
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `person` is the column that is asked for, 0 to 39.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 100 people and 1,000 stretches instead of 40 and 300
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
person = 3

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import coalescent
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(person=(person, 0, 39), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A population that only chance has shaped
#
# A **[genotype](https://en.wikipedia.org/wiki/Genotype "Which alleles one individual has at one site: two of them where
# chromosomes come in pairs.")** is two numbers: 0 for the letter of the reference, 1 for the other one. These come from
# the **[coalescent](https://en.wikipedia.org/wiki/Coalescent_theory "A model of ancestry that looks back in time: two
# lineages at random meet in an ancestor, until one lineage is left.")**, in 300 separate stretches. Real populations
# grew, moved and were selected, and real calls can be wrong; these differ by chance alone, and calls are lost by lot.
# That is why the answer is known: the variety was set to 5.

# %%
data = coalescent.make("small" if quick else "large", seed)
checks = coalescent.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
calls, complete, position = (data.arrays[name] for name in ("genotype", "complete", "position"))
sites, people, _ = calls.shape
stretches, theta = data.truth["stretches"], data.truth["theta"]
missing = float((calls[..., 0] < 0).mean())
print(
    f"{calls.shape} (variant, sample, ploidy), {calls.nbytes / 1e3:.0f} kB; {len(checks)} of {len(checks)} checks pass"
)
print(f"{missing:.1%} of the calls are missing, by lot")

# %% [markdown] tags=["section-idea"]
# ## A table with a gap in every other row
#
# Sixty sites. Few people have the new letter at most of them; and a gap here and there, strewn over everything.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.6)
part = calls[:60, :40].sum(axis=2)
for code, colour, name in ((1, BLUE, "one"), (2, GREEN, "two"), (-2, VERMILION, "missing")):
    row, column = np.nonzero(part == code)
    panel.scatter(row, column, s=14, marker="s", color=colour, label=name)
panel.set(xlabel="site", ylabel="person", title="Copies of the new letter; where there is no mark, none")
panel.set(xlim=(-1, 60), ylim=(-1, 40))
panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
gaps = int((part == -2).any(axis=1).sum())
told = f"60 sites of 40 people: {int((part == -2).sum())} calls are missing, and {gaps} of the sites have one."
table = viz.Chart.of(figure, "Sixty sites of forty people", told)
table.save(out / "figures" / "08_03_table.svg")
table

# %% [markdown]
# **Write down a guess.** You keep the sites without a gap. The variety is 5. What will you measure with 5 people, and
# what with 40?

# %% [markdown] tags=["section-build"]
# ## Build it small: variety from a count of sites
#
# The measure is **[theta](https://en.wikipedia.org/wiki/Watterson_estimator "The variety of a population: how many
# differences to expect between two chromosomes, in one stretch of the genome.")**. More chromosomes show more sites:
# theta times 1 + 1/2 + 1/3 + ... up to one less than their number. So count the sites where the sample differs, and
# divide.


# %%
def harmonic(n):
    """1 + 1/2 + ... + 1/(n - 1): the sites that n chromosomes show, for a theta of one."""
    return float((1 / np.arange(1, n)).sum())


def varied(calls):
    """At each site: do the known alleles differ, and how many are known."""
    known = (calls >= 0).sum(axis=(1, 2))
    new = (calls == 1).sum(axis=(1, 2))
    return (new > 0) & (new < known), known


# %%
def complete_only(calls):
    """Theta of the sites without a gap."""
    differ, known = varied(calls)
    n = 2 * calls.shape[1]
    return int((differ & (known == n)).sum()) / harmonic(n) / stretches


def as_reference(calls):
    """Theta, with each gap taken for the reference."""
    differ, _ = varied(np.maximum(calls, 0))
    return int(differ.sum()) / harmonic(2 * calls.shape[1]) / stretches


# %%
def by_its_own(calls):
    """Theta, each site divided by what its own number of chromosomes shows."""
    differ, known = varied(calls)
    return sum(1 / harmonic(n) for n in known[differ]) / stretches


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
groups = (5, 10, 20, 40)
ways = {"complete sites only": complete_only, "gap = reference": as_reference, "each site by its own": by_its_own}
found = {name: [way(calls[:, :m]) for m in groups] for name, way in ways.items()}
nothing_lost = [as_reference(complete[:, :m]) for m in groups]
print("people              ", *(f"{m:6}" for m in groups))
for name, row in {**found, "(nothing missing)": nothing_lost}.items():
    print(f"{name:21}", *(f"{value:6.2f}" for value in row))
assert found["complete sites only"][3] < theta / 2 < found["each site by its own"][3]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.6)
panel.axhline(theta, color=GREY, linewidth=1, linestyle="--", label="the truth")
for (name, row), colour, size in zip(found.items(), (VERMILION, ORANGE, BLUE), (6, 11, 5), strict=True):
    panel.plot(groups, row, color=colour, marker="o", markersize=size, label=name)
panel.set(ylim=(0, 6.2), xlabel="people", ylabel="theta of a stretch", title="The more people, the less variety?")
panel.set_xticks(groups)
panel.legend(loc="lower left")
told = "; ".join(f"{name}: {row[0]:.2f} with 5 people, {row[3]:.2f} with 40" for name, row in found.items())
variety = viz.Chart.of(figure, "Theta against the number of people", f"The truth is 5. {told}.")
variety.save(out / "figures" / "08_03_variety.svg")
variety

# %% [markdown]
# With every person that you add, the population seems poorer. A site stays only if *all* have a call. With a share of
# 0.98 for each that is a power, and the power of 40 is less than a half:

# %%
stay = {m: float((calls[:, :m] >= 0).all(axis=(1, 2)).mean()) for m in groups}
print(
    "sites without a gap:",
    ", ".join(f"{m} people {share:.0%} (0.98**{m} = {0.98**m:.0%})" for m, share in stay.items()),
)


# %% [markdown]
# This is **[listwise deletion](https://en.wikipedia.org/wiki/Listwise_deletion "Leaving out every record that has any
# value missing; the more values a record has, the fewer records stay.")**. It is harmless for a mean, where what is
# dropped is dropped from both sides of a division. Here the *number* of rows is the result. (To take a gap for the
# reference hardly hurts this count; it does hurt a frequency, see below.)
#
# And the careful way, is it right? The model says how much chance alone moves theta.

# %%
n = 2 * people
squares = float((1 / np.arange(1, n) ** 2).sum())
error = math.sqrt((theta * harmonic(n) + theta**2 * squares) / stretches) / harmonic(n)
estimate = by_its_own(calls)
print(f"{estimate:.2f}, {(estimate - theta) / error:+.1f} standard errors of {error:.2f} from {theta:.0f}")
print(f"complete sites only: {(complete_only(calls) - theta) / error:+.0f} standard errors")
assert abs(estimate - theta) < 3 * error

# %% [markdown] tags=["section-library"]
# ## A group of arrays, as VCF Zarr has it
#
# The [VCF Zarr specification](https://github.com/sgkit-dev/vcf-zarr-spec) gives names to the arrays of a group; here
# those that we need. A gap is -1, and -2 is "no such entry": the second chromosome of someone who has one.
# All are cut at the same sites: `vcztools`, which makes VCF text of such a group, insists on it. The genotypes are
# kept in two ways, with chunks of equal size:

# %%
root = zarr.create_group(out / "people.vcz", zarr_format=zarr_format)
header = ["##fileformat=VCFv4.3", "##contig=<ID=1>", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
root.attrs.update({"vcf_zarr_version": "0.4", "vcf_header": "\n".join(header)})
parts = {
    "contig_id": (np.array(["1"]), ["contigs"]),
    "filter_id": (np.array(["PASS"]), ["filters"]),
    "sample_id": (np.array([f"p{k}" for k in range(people)]), ["samples"]),
    "variant_contig": (np.zeros(sites, "i1"), ["variants"]),
    "variant_position": (position, ["variants"]),
    "variant_allele": (data.arrays["allele"], ["variants", "alleles"]),
}
for name, (values, axes) in parts.items():
    values = values.astype(np.dtypes.StringDType()) if values.dtype.kind == "U" else values
    root.create_array(name, data=values, chunks=(min(500, len(values)), *values.shape[1:]), dimension_names=axes)

# %%
gzip = {"name": "gzip", "configuration": {"level": 6}}
form = {"fill_value": -2, "dimension_names": ["variants", "samples", "ploidy"], "compressors": gzip}
genotype = root.create_array("call_genotype", data=calls, chunks=(500, people, 2), **form)
by_person = zarr.create_array(
    out / "by_person.zarr", data=calls, chunks=(500 * people // 4, 4, 2), zarr_format=zarr_format, **form
)
assert np.array_equal(genotype[...], calls)
assert by_its_own(genotype[...]) == estimate

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same genotypes:")
report = interop_check(out / "people.vcz" / "call_genotype", expected=calls)
print(report)
assert not report.differing

# %% [markdown] tags=["section-bytes"]
# ## The same genotypes, turned round
#
# A chunk of 500 sites and all people, as a file. Neighbours in it are people at one site. Turn it, and they are sites of
# one person. The same numbers, the same gzip: **which one is smaller?**

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
some = calls[: 500 * (sites // 500)]
turned = zarr.create_array({}, data=some.transpose(1, 2, 0), chunks=(people, 2, 500), compressors=gzip)
straight = zarr.create_array({}, data=some, chunks=(500, people, 2), compressors=gzip)
times = {
    name: some.nbytes / a.nbytes_stored() for name, a in (("site by site", straight), ("person by person", turned))
}
print(", ".join(f"{name}: {value:.1f} times smaller" for name, value in times.items()))
assert times["site by site"] > times["person by person"]

# %% [markdown]
# Site by site. Most sites have one or two bearers, so the row of a site is nearly all zeros, and the gzip of zeros is
# short. Along a person the zeros are broken at each site that is common.

# %% [markdown] tags=["section-operations"]
# ## One stretch of all, or all of one person
#
# The positions are sorted. So a region is a slice, found by two look-ups. Guess the requests of the two questions in the two layouts.

# %%
low, high = (int(k) for k in np.searchsorted(root["variant_position"][...], (10_000_000, 11_000_000)))
questions = {"a region, all people": slice(low, high), "all sites, one person": (slice(None), person)}
costs, layouts = {}, {"by site": genotype, "by person": by_person}


# %%
def cost(a, selection):
    """Requests and bytes of a selection."""
    trace = TraceStore(a.store)
    traced = zarr.open_array(trace, path=a.path, mode="r")
    trace.clear()
    assert np.array_equal(traced[selection], calls[selection])
    return trace.count("GET"), trace.nbytes("GET")


# %%
for name, a in layouts.items():
    for asked, selection in questions.items():
        costs[f"{name}: {asked}"] = cost(a, selection)
        print(f"{name:9} {asked:21} {costs[f'{name}: {asked}'][0]:3} requests, {costs[f'{name}: {asked}'][1]:7,} bytes")

# %% [markdown]
# [A layout serves one question](../01_core_zarr/01_02_chunking_is_the_index.ipynb). Here both are asked: a study goes by
# region, a person who asks for their own data, or wants them erased, by column.

# %% [markdown] tags=["section-wrong"]
# ## A mean of codes
#
# The frequency of an allele is a mean of zeros and ones. Is it? NumPy takes -1 for a number.

# %%
naive = calls.mean(axis=(1, 2))
known, new = (calls >= 0).sum(axis=(1, 2)), (calls == 1).sum(axis=(1, 2))
frequency = new / known
negative = float((naive < 0).mean())
print(
    f"sites with a frequency below zero: {negative:.0%}; on average {naive.mean():.4f} instead of {frequency.mean():.4f}"
)
assert frequency.min() >= 0

# %% [markdown]
# A negative frequency is a lucky mistake, since you see it. The others are too low by two per cent of what they are, and
# by two hundredths more, and nothing shows. The **[allele
# frequency](https://en.wikipedia.org/wiki/Allele_frequency "The share of chromosomes that have a certain allele at a
# site, among those that were read.")** divides by what was read.

# %% [markdown] tags=["section-predict"]
# ## When the gap knows what it hides
#
# So far calls went missing by lot. A sequencer that saw few reads often misses one of two different letters, and such a
# call is given up. Take out every second call of two different letters. Then take out as many by lot. Which of the
# two does the careful way get right? Write it down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
mixed = complete[..., 0] != complete[..., 1]
even = np.random.PCG64(seed + 1).random_raw(mixed.size).reshape(mixed.shape) * 2.0**-64
gone = mixed & (even < 0.5)
hidden, lots = (np.where(g[..., None], -1, complete) for g in (gone, even < gone.mean()))
biased, fair, whole = by_its_own(hidden), by_its_own(lots), by_its_own(complete)
print(
    f"{gone.mean():.1%} missing. By lot: theta {fair:.2f}; mixed calls only: {biased:.2f}; nothing missing: {whole:.2f}"
)
print(f"too low by {(whole - biased) / error:.1f} standard errors")
assert abs(fair - whole) < error < 3 * error < whole - biased

# %% [markdown]
# By lot it is right with any share of gaps. But an allele that one person has is always in a mixed call, and half of them
# are gone. Dividing by what is known repairs gaps that fall by lot. No formula here sees what a gap chose.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 08_03.1
#
# One call in a hundred is missing, by lot. What share of the sites is complete in 100 people?
#
# <details><summary>Hint</summary>
# All hundred have to be there.</details>

# %% tags=["exercise"]
share_complete = ...
check("08_03.1", share_complete)

# %% [markdown]
# ### Exercise 08_03.2
#
# Chunks of (1,000, 100, 2), 250 people. How many chunks does the region `1_500:4_000` of all people touch?
#
# <details><summary>Hint</summary>
# In how many chunks of 1,000 do 1,500 and 3,999 and all between them lie?</details>

# %% tags=["exercise"]
chunks_of_region = ...
check("08_03.2", chunks_of_region)

# %% [markdown]
# ### Exercise 08_03.3
#
# Write `share_of_new(calls)`: of one site (sample, ploidy), the share of alleles that are not the reference, among those
# that were read. -1 and -2 were not read; 2, 3 ... are further letters. NaN if none was read.
#
# <details><summary>Hint</summary>
# Count what is above zero, and what is zero or above.</details>


# %% tags=["exercise"]
def share_of_new(calls):
    """The share of alleles that are not the reference, among those that were read."""
    ...


check("08_03.3", share_of_new)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_array("call_genotype", fill_value=-2)`, `a[...]`, `attrs` | the same names, in the same group | - |
# | `fill_value=0` in format 2: `a[...]` gives the reference | `xarray.open_zarr` gives NaN for each reference allele, since it takes the fill value for missing | - |
# | `bitround` keeps the two NaNs of VCF Zarr, missing and "no such entry" | `numcodecs.BitRound(10)` makes both infinite | - |
# | an allele is a number, and `variant_allele` as wide as needed | scikit-allel reads three further letters unless told otherwise, and the call 5 all the same; its `vcf_to_zarr` fails with zarr-python 3 | here: a reader of VCF |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Theta is the count of sites over 1 + 1/2 + 1/3 + ...; the model gives the standard error as well.
# - Divide each site by what its own calls would show; to drop sites with a gap takes away more with every person.
# - A group of named arrays, -1 for missing; chunks of all people for a region, of few people for a person.
# - The mean of codes can be negative; count what was read.
# - A gap that falls on certain genotypes biases every answer; look at who is missing.
#
# **Open questions.** Real variant files leave out sites where nobody differs. How do you then tell a stretch without
# variety from one that was not read?
#
# **To read further.**
#
# - [Czech and others, Analysis-ready VCF at Biobank scale using Zarr](https://doi.org/10.1093/gigascience/giaf049): the
#   layout, and what it saves over text.
# - [Watterson, On the number of segregating sites](https://doi.org/10.1016/0040-5809%2875%2990020-9): the estimator and its variance.
# - [Korunes and Samuk, pixy](https://doi.org/10.1111/1755-0998.13326): the same trap for differences of pairs, in tools that
#   are in use.
#
# **Next.** [What do readings cost that come late?](../09_world/09_01_iot_sensor_fleets.ipynb) Another kind of gap, and one
# that fills.

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# A power of the number of people.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_03.1", 0.99**100)

# %% [markdown]
# Rows 1, 2 and 3 of chunks, and three columns.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_03.2", 3 * 3)

# %% [markdown]
# Two counts and a division.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def share_of_new(calls):
    """The share of alleles that are not the reference, among those that were read."""
    calls = np.asarray(calls)
    known = int((calls >= 0).sum())
    return int((calls > 0).sum()) / known if known else math.nan


check("08_03.3", share_of_new)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "sites": sites,
        "people": people,
        "groups": list(groups),
        "chromosomes": n,
        "with_one_gap": n - 2,
        "there": round(1 - missing, 2),
        "chunk": genotype.chunks[0],
        "stretches": stretches,
        "missing": round(missing, 6),
        "missing_percent": round(100 * missing, 1),
        "theta": {name: [round(value, 4) for value in row] for name, row in found.items()},
        "nothing_lost": [round(value, 4) for value in nothing_lost],
        "stay": {str(m): round(share, 6) for m, share in stay.items()},
        "stay_percent": [round(100 * share) for share in stay.values()],
        "error": round(error, 4),
        "off": round((estimate - theta) / error, 2),
        "off_complete": round((theta - complete_only(calls)) / error, 1),
        "smaller": {name: round(value, 2) for name, value in times.items()},
        "region": [low, high],
        "costs": {name: list(values) for name, values in costs.items()},
        "negative_percent": round(100 * negative, 1),
        "frequency": round(float(frequency.mean()), 4),
        "naive": round(float(naive.mean()), 4),
        "hidden": {
            "percent": round(100 * float(gone.mean()), 1),
            "theta": round(biased, 4),
            "by_lot": round(fair, 4),
            "whole": round(whole, 4),
            "off": round((whole - biased) / error, 1),
        },
    },
)
