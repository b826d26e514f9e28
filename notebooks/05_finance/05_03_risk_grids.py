# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Keep what risk is made of, and read it by portfolio
#
# **Question.** How do I read risk by portfolio when it was computed by scenario?
#
# ![How the risk of two portfolios together compares with the sum of their own, for 19,900 pairs: most lie below, and about
# one in five above.](../../articles/figures/05_03_pairs.svg)
#
# *Every pair of 200 portfolios, over 92 years of real months. Red: together they are riskier than the sum of both, by the
# number that banks have used since the 1990s.*
#
# At night a risk engine goes through scenarios, one after the other, for all portfolios. In the morning people ask about
# portfolios, one or several, over all scenarios. It would be handy to keep just one number of risk for each portfolio.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [05_01](05_01_tick_data_cube.ipynb), [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/tools/convert` |
# | **Article** | [Riskier together](../../articles/21_risk_grids.md) |
# | **Data** | 1,109 months of the Fama-French factors, and generated portfolios (`data_gen/risk.py`) |
#
# **You will be able to**
#
# - work out a value at risk from scenarios, and say what it does not add up to
# - say what must be kept, of portfolios and of scenarios, so that any sum comes out exact
# - choose between writing by scenario and by portfolio, with a copy in between, by counted requests
# - see why writing scenarios straight into the other layout is the most expensive way
# - test a value at risk for how often it fails, and for when
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# A chunk by portfolio holds `per_chunk` portfolios.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 400 portfolios instead of 200
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
per_chunk = 8

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import risk
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(per_chunk=(per_chunk, 2, 100), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Real months, and portfolios that are straight lines
#
# The scenarios are real: each of 1,109 months since July 1926, by what three
# **[factors](https://en.wikipedia.org/wiki/Fama%E2%80%93French_three-factor_model "What moves many shares at once: the
# market, small against large companies, cheap against expensive ones.")** did in it, over Treasury bills. The portfolios
# are generated: 100 dollars each, an exposure to each factor, and nothing else. Real ones hold options, whose losses bend,
# and risks of their own; then a scenario can take minutes to value, and keeping the results matters more.

# %%
data = risk.make("small" if quick else "large", seed)
checks = risk.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
factors = np.rint(100 * data.arrays["factors"]).astype("int64")  # hundredths of a percent
exposures = np.rint(100 * data.arrays["exposures"]).astype("int64")
months = data.arrays["month"]
market = factors[:, 0] / 100
print(
    f"{len(factors):,} months, {exposures.shape[1]} portfolios; {len(checks)} of {len(checks)} checks of the data pass"
)
print("worst months of the market, percent:", np.sort(market)[:3].tolist())

# %% [markdown]
# The P&L, what is won or lost, is exposure times factor. We keep it for each scenario, factor and portfolio, in whole
# hundredths of a cent, so that sums are exact (why: [05_01](05_01_tick_data_cube.ipynb)).

# %%
cube = (factors[:, :, None] * exposures).astype("int32")  # scenario, factor, portfolio
pnl = cube.sum(axis=1, dtype="int64")  # scenario, portfolio
assert np.array_equal(pnl, factors @ exposures)
print(f"{' x '.join(map(str, cube.shape))} (scenario, factor, portfolio), {cube.nbytes:,} B")

# %% [markdown] tags=["section-idea"]
# ## The twelfth worst month
#
# The **[value at risk](https://en.wikipedia.org/wiki/Value_at_risk "The loss that is exceeded in only a small, given share
# of all scenarios.")** (VaR) at 99 % is the loss that only one scenario in a hundred exceeds. Of 1,109 months we take the
# twelfth worst. For the market alone it is a loss of 13.6 percent in a month.

# %%
WORST = math.ceil(len(pnl) / 100)


def value_at_risk(pnl, worst=WORST):
    """The loss in the scenario that is number `worst` from below, along the first axis; positive."""
    return -np.partition(pnl, worst - 1, axis=0)[worst - 1]


alone = value_at_risk(pnl)
var_market = float(value_at_risk(market))
least, most = alone.min() / 1e4, alone.max() / 1e4
print(f"99 % VaR of the market: {var_market:.1f} %; of the portfolios: {least:.1f} to {most:.1f} dollars")

# %% [markdown]
# Now put two portfolios together. Losses of one are softened by the other, so the pair should risk less than the sum of
# both, or as much at the worst: that is what diversification means. **Write down a guess:** of all 19,900 pairs, how many
# have a VaR that is *larger* than the sum of their two?

# %%
together = np.zeros((len(alone), len(alone)), "int64")
for i in range(len(alone) - 1):
    together[i, i + 1 :] = value_at_risk(pnl[:, [i]] + pnl[:, i + 1 :])
upper = np.triu_indices(len(alone), 1)
pairs, sums = together[upper], (alone[:, None] + alone)[upper]
ratio = pairs / sums
riskier, equal = int((pairs > sums).sum()), int((pairs == sums).sum())

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(
    f"{riskier:,} of {len(pairs):,} pairs, {100 * riskier / len(pairs):.1f} %, by up to {100 * (ratio.max() - 1):.1f} %"
)
print(f"and {equal:,} have exactly the sum: one month is the twelfth worst of all three")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.2)
edges = np.arange(-30, 9.01, 0.5)
for some, colour in ((ratio < 1, BLUE), (ratio > 1, VERMILION)):
    panel.hist(100 * (ratio[some] - 1), edges, color=colour, rwidth=0.9)
counts, _ = np.histogram(100 * (ratio - 1), edges)
panel.annotate("less than\nthe sum of both", (-14, counts.max() * 0.5), ha="center", color=BLUE)
panel.annotate("more", (4.5, counts.max() * 0.5), ha="center", color=VERMILION)
panel.set(xlabel="VaR of the pair against the sum of both, %", ylabel="pairs", xlim=(-30, 9))
told = f"A histogram of {len(pairs):,} pairs: for {riskier:,} of them the VaR of the pair is above the sum of both. "
told += f"The {equal:,} pairs with exactly the sum are left out."
hero = viz.Chart.of(figure, "", told)
hero.save(out / "figures" / "05_03_pairs.svg")
hero

# %% [markdown]
# VaR is one month. In another month the other portfolio loses, and the pair has its own twelfth worst. Nothing orders the
# three. The word for what is missing is **[subadditive](https://en.wikipedia.org/wiki/Coherent_risk_measure "Said of a
# measure of risk that is never larger for a sum than for its parts added up.")**.

# %%
place = int(ratio.argmax())
a, b = (int(axis[place]) for axis in upper)
bad_months = []
for name, values in ((f"portfolio {a}", pnl[:, a]), (f"portfolio {b}", pnl[:, b]), ("together", pnl[:, a] + pnl[:, b])):
    at = int(np.argsort(values, kind="stable")[WORST - 1])
    bad_months.append(int(months[at]))
    print(f"{name:12} loses {-values[at] / 1e4:6.2f} dollars in its twelfth worst month, {months[at]}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(6.6, 3.9)
x, y, limit = pnl[:, a] / 1e4, pnl[:, b] / 1e4, [alone[a] / 1e4, alone[b] / 1e4]
beyond = x + y < -sum(limit)
panel.plot(x[~beyond], y[~beyond], ".", color=GREY, markersize=4)
panel.plot(x[beyond], y[beyond], "o", color=VERMILION, markersize=5)
low = min(x.min(), y.min()) * 1.05
panel.plot([low, 0], [-sum(limit) - low, -sum(limit)], color=VERMILION)
panel.axvline(-limit[0], color=BLUE, linestyle="--")
panel.axhline(-limit[1], color=BLUE, linestyle="--")
panel.set(xlim=(low, 3), ylim=(low, 3), xlabel=f"portfolio {a}, dollars", ylabel=f"portfolio {b}, dollars")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.text(2.5, -limit[1] + 0.5, f"VaR of portfolio {b}", color=BLUE, ha="right")
panel.text(-limit[0] + 0.5, 1, f"VaR of portfolio {a}", color=BLUE)
beyond_count = int(beyond.sum())
told = f"Months by what two portfolios lost in them. {beyond_count} months lie beyond the line of both VaRs together, "
told += f"{WORST - 1} beyond each alone."
pair_chart = viz.Chart.of(figure, f"{beyond_count} months lose more than both VaRs together", told)
pair_chart.save(out / "figures" / "05_03_pair.svg")
pair_chart

# %% [markdown] tags=["section-build"]
# ## Build it small: what adds up, and what merges
#
# So a stored VaR is a dead end: no sum of portfolios can be worked out from it, nor even bounded. What must be kept?
#
# - Of *portfolios*, everything: P&L adds up scenario by scenario, and nothing shorter does.
# - Of *scenarios*, twelve: the twelve worst of all are among the twelve worst of each part. That merges, in any order.

# %%
parts = [pnl[start : start + 100] for start in range(0, len(pnl), 100)]
worst_of_each = [np.sort(part, axis=0)[:WORST] for part in parts]
merged = np.sort(np.concatenate(worst_of_each), axis=0)[WORST - 1]
assert np.array_equal(-merged, alone)
book = pnl.sum(axis=1)
print(
    f"all {len(alone)} portfolios: {value_at_risk(book) / 1e4:,.0f} dollars; their VaRs added up: {alone.sum() / 1e4:,.0f}"
)

# %% [markdown]
# The mean of the twelve worst months, the **[expected
# shortfall](https://en.wikipedia.org/wiki/Expected_shortfall "The mean loss in the worst scenarios, beyond the value at
# risk; never larger for a sum than for its parts.")**, is a bound at least: of all pairs none is above the sum.


# %%
def shortfall(pnl, worst=WORST):
    """The mean loss of the `worst` worst scenarios, times `worst`, so that it stays a whole number."""
    return -np.partition(pnl, worst - 1, axis=0)[:worst].sum(axis=0)


each = shortfall(pnl)
above = sum(
    int((shortfall(pnl[:, [i]] + pnl[:, i + 1 :]) > each[i] + each[i + 1 :]).sum()) for i in range(len(each) - 1)
)
print(f"expected shortfall: {above} of {len(pairs):,} pairs are above the sum of both")
assert above == 0

# %% [markdown] tags=["section-library"]
# ## By night by scenario, by day by portfolio
#
# So the cube is kept. The engine finishes one scenario for all portfolios, and writes one chunk. That is what suits the
# night: no chunk has two writers ([01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb)).

# %%
scenarios, _, portfolios = cube.shape
trace = TraceStore(LocalStore(out / "by_scenario.zarr"))
form = {"shape": cube.shape, "dtype": "int32", "zarr_format": zarr_format, "overwrite": True}
by_scenario = zarr.create_array(trace, chunks=(1, 3, portfolios), **form)
trace.clear()
for scenario in range(scenarios):
    by_scenario[scenario] = cube[scenario]
night = {"reads": trace.count("GET"), "writes": trace.count("PUT")}
print(f"the night: {night['writes']:,} chunks written, {night['reads']} read")

# %%
trace.clear()
one = by_scenario[:, :, 17].sum(axis=1)
assert np.array_equal(one, pnl[:, 17])
slow = trace.count("GET")
print(f"one portfolio from it: {slow:,} requests, {portfolios} times the bytes that are needed")

# %% [markdown]
# Every question about a portfolio reads everything ([01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb)). A copy
# with chunks of all scenarios for eight portfolios helps, and it has to be made first, by reading everything once and
# writing it. **Guess: after how many questions has the copy paid for itself, in requests?**


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def chunks_in(trace, verb):
    """Requests of one kind for chunks, not for metadata."""
    return sum(
        request.verb == verb and "json" not in request.key and ".z" not in request.key for request in trace.requests
    )


# %%
trace.clear()
turned = TraceStore(LocalStore(out / "by_portfolio.zarr"))
by_portfolio = zarr.rechunk(by_scenario, turned, chunks=(scenarios, 3, per_chunk), overwrite=True)
copy = {"reads": chunks_in(trace, "GET"), "writes": chunks_in(turned, "PUT")}
turned.clear()
assert np.array_equal(by_portfolio[:, :, 17].sum(axis=1), pnl[:, 17])
quick_read = turned.count("GET")
paid_after = next(n for n in range(1, 1000) if copy["reads"] + copy["writes"] + n * quick_read < n * slow)

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"the copy: {copy['reads']:,} reads and {copy['writes']} writes; then {quick_read} request for a portfolio")
print(f"it has paid for itself after {paid_after} questions")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same cube:")
report = interop_check(out / "by_portfolio.zarr", expected=cube)
print(report)
assert not report.differing

# %% [markdown] tags=["section-wrong"]
# ## Writing into the layout that is wanted
#
# Why not spare the copy, and write each scenario where it belongs? Because a scenario is a thin slice of *every* chunk by
# portfolio: each is read, changed and written back (a **[read-modify-write](../GLOSSARY.md#read-modify-write)**).

# %%
direct = TraceStore(LocalStore(out / "direct.zarr"))
straight = zarr.create_array(direct, chunks=(scenarios, 3, per_chunk), fill_value=-1, **form)
straight[0] = cube[0]
direct.clear()
straight[1] = cube[1]
each_night = {"reads": direct.count("GET"), "writes": direct.count("PUT")}
in_all = scenarios * (each_night["reads"] + each_night["writes"])
print(f"one scenario of {cube[1].nbytes:,} B: {each_night['reads']} reads and {each_night['writes']} writes")
print(f"the night: {in_all:,} requests instead of {night['writes'] + copy['reads'] + copy['writes']:,} with the copy")
assert in_all > 10 * (night["writes"] + copy["reads"] + copy["writes"])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
ways = {
    "by scenario,\nevery question": (night["writes"], 0, 100 * slow),
    "by scenario,\nthen a copy": (night["writes"], copy["reads"] + copy["writes"], 100 * quick_read),
    "straight by\nportfolio": (in_all, 0, 100 * quick_read),
}

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 2.9)
left, words = np.zeros(3), ("night", "copy", "100 questions")
for number, (colour, word) in enumerate(zip((BLUE, ORANGE, GREY), words, strict=True)):
    part = [way[number] for way in ways.values()]
    panel.barh(range(3), part, left=left, color=colour, label=word)
    left += part
for row, total in enumerate(left):
    panel.text(total + 1500, row, f"{int(total):,}", va="center")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set(yticks=range(3), yticklabels=list(ways), xlabel="requests", xlim=(0, 1.15 * left.max()), ylim=(2.6, -0.6))
panel.legend(loc="lower right")
told = "; ".join(f"{way}: {int(total):,} requests" for way, total in zip(ways, left, strict=True)).replace("\n", " ")
bars = viz.Chart.of(figure, "A night, and 100 questions about a portfolio", told)
bars.save(out / "figures" / "05_03_requests.svg")
bars

# %% [markdown]
# Two writers at once would also lose each other's scenarios here. This toy would fit in memory; then keep the whole night
# there, and write by portfolio at the end. The copy is for what does not fit.

# %% [markdown] tags=["section-wrong"]
# ## A test that is passed
#
# Is a VaR any good? Each month since 1936, take the 5 % VaR of the 120 months before it, and see whether the month is worse
# (a breach). 5 % of 989 months should be, about 49. **[Kupiec's
# test](https://en.wikipedia.org/wiki/Value_at_risk#Backtesting "Whether the number of breaches of a value at risk fits the
# share that it promises, by a likelihood ratio.")** asks whether the number fits.

# %%
WINDOW = 120
limits = np.array([np.quantile(market[i - WINDOW : i], 0.05) for i in range(WINDOW, len(market))])
breach = market[WINDOW:] < limits
count, tests = int(breach.sum()), len(breach)


# %%
def log_likelihood(hits, misses, share):
    return hits * math.log(share) + misses * math.log(1 - share)


def p_value(smaller, larger):
    """Of a likelihood ratio with one degree of freedom."""
    return math.erfc(math.sqrt(max(larger - smaller, 0)))


kupiec = p_value(log_likelihood(count, tests - count, 0.05), log_likelihood(count, tests - count, count / tests))
print(f"{count} breaches in {tests} months; p = {kupiec:.2f}: the number fits")

# %% [markdown] tags=["section-predict"]
# ## The month after a breach
#
# It passes. Now a month with a breach has just ended. If breaches came independently, the next month would be another one in
# about 5 of 100 cases. **How often is it?** Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
after = breach[1:][breach[:-1]]
calm = breach[1:][~breach[:-1]]
apart = sum(log_likelihood(int(group.sum()), int((~group).sum()), group.mean()) for group in (after, calm))
alike = log_likelihood(int(breach[1:].sum()), int((~breach[1:]).sum()), breach[1:].mean())
independent = p_value(alike, apart)
print(f"after a breach: {after.sum()} of {len(after)} months, {100 * after.mean():.0f} %")
print(f"after a calm month: {calm.sum()} of {len(calm)}, {100 * calm.mean():.1f} %; p = {independent:.5f}")

# %% tags=["hide-input", "hide-output"] jupyter={"outputs_hidden": true, "source_hidden": true}
print("After your guess:")
figure, panel = viz.canvas(8.0, 3.0)
years = months // 100 + (months % 100 - 0.5) / 12
panel.plot(years[WINDOW:], limits, color=BLUE, linewidth=1.5)
panel.plot(years[WINDOW:], market[WINDOW:], ".", color=GREY, markersize=2.5)
panel.plot(years[WINDOW:][breach], market[WINDOW:][breach], "o", color=VERMILION, markersize=4)
panel.text(1952, -20, "5 % VaR of the ten years before", color=BLUE)
panel.text(1989, -23, "a breach", color=VERMILION)
panel.set(xlabel="year", ylabel="the market, % a month", ylim=(-26, 20))
told = f"Months of the market since 1936 and a line of the VaR; {count} months below it, in bunches."
breaches = viz.Chart.of(figure, "As many breaches as promised, and not when", told)
breaches.save(out / "figures" / "05_03_breaches.svg")
breaches

# %% [markdown]
# The number is right and the times are not: bad months follow bad months, and a window of ten years hardly notices.
# [Christoffersen's test](https://doi.org/10.2307/2527341), which is the second one, does.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 05_03.1
#
# The 99 % VaR of a portfolio that holds the market with an exposure of 1.5 and nothing else, in percent of its value, to
# one decimal. You may use `market`.
#
# <details><summary>Hint</summary>
# Which of its months is the twelfth worst?
# </details>

# %% tags=["exercise"]
levered = ...
check("05_03.1", levered)

# %% [markdown]
# ### Exercise 05_03.2
#
# A desk holds portfolios 6 to 17. How many chunks are read for its P&L in all scenarios, by scenario and by portfolio (8 in
# a chunk)? Give `(by_scenario, by_portfolio)`.
#
# <details><summary>Hint</summary>
# In which chunks by portfolio do 6 and 17 lie?</details>

# %% tags=["exercise"]
desk_reads = ...
check("05_03.2", desk_reads)

# %% [markdown]
# ### Exercise 05_03.3
#
# Where does the loss come from? Write a function that takes a cube (scenario, factor, portfolio), a list of portfolios that
# are held together, and a number `worst`. It gives what each factor won or lost for all of them in the scenario of their
# VaR, so that the parts add up to it.
#
# <details><summary>Hint</summary>
# One scenario for all factors: that of the total.</details>


# %% tags=["exercise"]
def explain(cube, held, worst):
    """The P&L of each factor in the scenario that is number `worst` from below for all of `held` together."""
    ...


check("05_03.3", explain)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `a[scenario] = results`, `a[:, :, 17]` | the same in zarr-python | - |
# | `rechunk(a, store, chunks=...)` | `dask.array.from_zarr(...).rechunk(...).to_zarr(...)`; in zarr-python `from_array(store, data=a, chunks=...)` | - |
# | `a.plan_write(selection)` says which chunks must be read first | - | the cost of a write, before it is made |
# | `np.partition` over whole portfolios | `xarray.DataArray.quantile(0.01, "scenario", method="inverted_cdf")`, over Dask's chunks as well | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - VaR is the loss in one scenario; of these 19,900 pairs about one in five had a larger one together than the sum of both.
# - Of portfolios keep the P&L of every scenario, which adds up; of scenarios the twelve worst are enough for one portfolio.
# - Write by scenario and read by portfolio, with a copy in between: it had paid for itself after two questions.
# - Scenarios written straight into chunks by portfolio read and write each chunk 1,109 times.
# - 53 breaches of 989 pass Kupiec's test, and come in bunches, which Christoffersen's test sees.
#
# **Open questions.** What if portfolios change during the night? How many scenarios does a 99 % VaR need before its twelfth
# worst means anything?
#
# **To read further.**
#
# - [Artzner and others, Coherent measures of risk](https://doi.org/10.1111/1467-9965.00068): what a measure of risk should
#   do, and why VaR does not.
# - [Kenneth French's data library](https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/data_library.html): the
#   factors, up to last month.
# - [Minimum capital requirements for market risk](https://www.bis.org/bcbs/publ/d457.htm): the rules with which banks went
#   from VaR to expected shortfall.
#
# **Next.** [05_04](05_04_intraday_factor_research.ipynb): what does a rolling window need from the chunk before?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The same month, times 1.5: a VaR scales, it only does not add up.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_03.1", round(float(-np.sort(1.5 * market)[11]), 1))

# %% [markdown]
# By scenario always all of them. By portfolio 6 lies in chunk 0, and 17 in chunk 2.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("05_03.2", (1109, 3))

# %% [markdown]
# Add up first, sort then, and look at the factors in the scenario that was found.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def explain(cube, held, worst):
    """The P&L of each factor in the scenario that is number `worst` from below for all of `held` together."""
    of_all = cube[:, :, held].sum(axis=2)
    scenario = np.argsort(of_all.sum(axis=1))[worst - 1]
    return of_all[scenario]


check("05_03.3", explain)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "scenarios": scenarios,
        "portfolios": portfolios,
        "first_month": int(months[0]),
        "worst_months": np.sort(market)[:3].tolist(),
        "worst": WORST,
        "var_market": var_market,
        "nbytes": cube.nbytes,
        "pairs": len(pairs),
        "riskier": riskier,
        "equal": equal,
        "riskier_percent": 100 * riskier / len(pairs),
        "most_percent": 100 * (ratio.max() - 1),
        "pair": [a, b],
        "pair_vars": [int(alone[a]), int(alone[b]), int(together[a, b])],
        "pair_dollars": [alone[a] / 1e4, alone[b] / 1e4, (alone[a] + alone[b]) / 1e4, together[a, b] / 1e4],
        "beyond": beyond_count,
        "beyond_each": WORST - 1,
        "bad_months": bad_months,
        "bad_years": [month // 100 for month in bad_months],
        "levels_percent": [99, 5],
        "dollars_of_a_portfolio": 100,
        "questions": 100,
        "window": WINDOW,
        "book": int(value_at_risk(book)),
        "book_dollars": [value_at_risk(book) / 1e4, alone.sum() / 1e4],
        "shortfall_above": above,
        "night": night,
        "one_portfolio": [slow, quick_read],
        "copy": copy,
        "paid_after": paid_after,
        "per_chunk": per_chunk,
        "direct": each_night,
        "direct_in_all": in_all,
        "copy_in_all": night["writes"] + copy["reads"] + copy["writes"],
        "hundred": [int(total) for total in left],
        "result_bytes": cube[1].nbytes,
        "breaches": count,
        "tests": tests,
        "expected_breaches": 0.05 * tests,
        "kupiec": kupiec,
        "after": [int(after.sum()), len(after), 100 * float(after.mean())],
        "calm": [int(calm.sum()), len(calm), 100 * float(calm.mean())],
        "independent": independent,
        "years": [1926, 1936, (len(months)) / 12],
    },
)
