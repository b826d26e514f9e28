# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Let late sensors in without rewriting the day
#
# **Question.** What do late and missing readings cost?
#
# ![Writes of each chunk against the hours that a writer waits after midnight: about a hundred without waiting, one after
# most of a day. A dashed line far below: one correction pass each midnight.](../../articles/figures/09_01_wait.svg)
#
# *The same readings, and the same array in the end. Only the writer's patience differs.*
#
# A fleet sends a reading a minute, and a chunk holds a day. At midnight the day is written: once, if all has arrived.
# But some modems were offline in the evening, and send what they kept in the small hours. It is a very small part of all
# readings.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb), [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/stores` |
# | **Article** | [A half per cent of the readings, 99 % of the writes](../../articles/35_iot_sensor_fleets.md) |
# | **Data** | a week of a fleet, generated (`data_gen/sensors.py`), and a real buoy (`data_gen/buoy.py`) |
#
# **You will be able to**
#
# - tell losses that come in runs from losses one by one
# - count how often late readings make you write a chunk
# - choose how long to wait, or a correction pass instead
# - cut the array so that late readings meet few chunks
# - keep one dead device from holding up the fleet
# - find the devices that lie
# - append times in the units that are stored
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `rows` is the number of devices in a chunk.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 256 devices instead of 64
workers = 4  # not used here: there is one writer for each chunk
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
rows = 16

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import buoy, sensors
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, VERMILION

out = output_folder(out_dir)
in_range(rows=(rows, 1, 64), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A fleet with weak radios and slow modems
#
# Weather stations, four metrics, a reading a minute, for a week. Two things go wrong. The *radio* loses readings for good.
# The *modem* is offline now and then; it keeps the readings, and sends them later: one old reading a minute beside the
# new one. In a real fleet clocks differ, and an outage hits neighbours together; here each device fails alone.

# %%
data = sensors.make("small" if quick else "large", seed)
checks = sensors.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
values, arrival = data.arrays["values"], data.arrays["arrival"]
devices, minutes = arrival.shape
day = 1440
minute = np.arange(minutes)
alive = (arrival[:, -day:] >= 0).any(axis=1)
lost, late = arrival < 0, arrival > minute
print(f"{values.shape} (device, minute, metric), {values.nbytes / 1e6:.1f} MB; {len(checks)} checks pass")
print(f"never arrived: {lost[alive].mean():.2%}, of devices that live; late: {late.mean():.2%} of all readings")

# %% [markdown] tags=["section-idea"]
# ## What is lost is lost in runs
#
# The radio has two states. In the good one all arrives, in the bad one nothing does. This is the **[Gilbert-Elliott
# model](https://en.wikipedia.org/wiki/Burst_error "A channel with a good and a bad state and fixed chances to change
# from one to the other; errors then come in runs.")**. Its two chances:

# %%
worse, better = sensors.LOSS
share = worse / (worse + better)
print(f"it turns bad with a chance of {worse} a minute, and good with {better}")
runs = sensors.runs(lost[alive])
print(f"share lost: {share:.4f} by theory, {lost[alive].mean():.4f} found")
print(f"mean run:   {1 / better:.1f} minutes by theory, {runs.mean():.1f} found, in {len(runs)} runs")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.3)
length = np.arange(1, 101)
longer = np.array([(runs >= k).mean() for k in length])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.plot(length, longer, color=BLUE, linewidth=2, label="runs of the fleet")
panel.plot(length, (1 - better) ** (length - 1), color=GREY, linestyle="--", label="geometric, 1/0.05 = 20 on average")
panel.plot(length[:3], share ** (length[:3] - 1), color=VERMILION, marker="o", label="if lost one by one")
panel.set(yscale="log", ylim=(0.004, 1.3), xlabel="length of a run, minutes", ylabel="share that is as long or longer")
panel.set_title("How long a radio stays silent")
panel.set_yticks([0.01, 0.1, 1], ["1%", "10%", "100%"])
panel.minorticks_off()
panel.legend()
told = (
    f"{longer[19]:.0%} of the runs last 20 minutes or longer, {longer[59]:.0%} an hour; lost one by one, hardly any 3."
)
bursts = viz.Chart.of(figure, "Lengths of runs of lost readings", f"Falling lines, close to the geometric. {told}")
bursts.save(out / "figures" / "09_01_bursts.svg")
bursts

# %% [markdown]
# A straight line on this scale is the **[geometric distribution](../GLOSSARY.md#geometric-distribution)**. Does the real
# world do that? The buoy of [01_07](../01_core_zarr/01_07_appendable_time_series.ipynb) says at least that losses keep
# company:

# %%
time = buoy.make("small").arrays["time"]
steps = np.diff(time) // buoy.STEP
gaps = (steps[steps > 1] - 1).tolist()
missing, half_hours = sum(gaps), int(time[-1] - time[0]) // buoy.STEP + 1
print(f"{missing} of {half_hours:,} half hours are missing, in {len(gaps)} gaps: {gaps}")
print(f"lost one by one, they would make about {missing * (1 - missing / half_hours):.1f} gaps")

# %% [markdown]
# Lost readings cost no write. They stay NaN. The late ones arrive, and this is where the cost begins. How many come after
# the midnight that ends their day?

# %%
midnight = (minute // day + 1) * day
after = arrival >= midnight
delay = (arrival - minute)[late]
print(f"{after.mean():.2%} of the readings arrive after the midnight of their day")
print(f"a late reading comes {delay.mean() / 60:.1f} hours late on average, {delay.max() / 60:.1f} at most")

# %% [markdown]
# **Write down a guess.** A chunk holds a day of some devices. It is written at midnight, and again whenever a minute
# brings readings that belong into it. How many times is it written, on average: hardly more than once, twice, five times?

# %% [markdown] tags=["section-build"]
# ## Build it small: the minutes that bring something late
#
# A chunk closes at its midnight, or `wait` minutes later. What has arrived before is in the first write. Each minute after
# that brings one reading or several, and one more write.


# %%
def late_minutes(arrival, closes):
    """The minutes, from `closes` on, in which readings of a chunk arrive."""
    return np.unique(arrival[arrival >= closes])


# %%
def writes(arrival, wait, rows=rows, length=day):
    """How often each chunk of (rows, length) is written."""
    counts = []
    for first in range(0, devices, rows):
        for start in range(0, minutes, length):
            chunk = arrival[first : first + rows, start : start + length]
            counts.append(1 + len(late_minutes(chunk, start + length + wait)))
    return np.array(counts)


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
at_once = writes(arrival, 0)
theirs = 1 - len(at_once) / at_once.sum()
print(
    f"{len(at_once)} chunks are written {at_once.sum():,} times: {at_once.mean():.1f} times each, one of them {at_once.max()}"
)
print(f"{after.mean():.2%} of the readings cause {theirs:.1%} of the writes")
assert at_once.mean() > 20

# %% [markdown]
# A modem that was offline for ten hours has six hundred readings to tell. Told one a minute, they are six hundred
# writes, each of a whole chunk. This is **[write amplification](../GLOSSARY.md#write-amplification)** by
# lateness: the *number* of late readings hardly matters, but the number of *minutes* in which they come does.
#
# So wait. The moment up to which a writer holds all to be there is called a
# **[watermark](https://nightlies.apache.org/flink/flink-docs-stable/docs/concepts/time/ "A time up to which all events
# are held to have arrived; what comes with an earlier time after it is late.")**. **Guess again**: late readings are
# some hours late on average. If you wait for twice the average, how many writes are left?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
mean_delay = round(float(delay.mean()))
waits = sorted({0, 60, 180, 360, mean_delay, 540, 720, 2 * mean_delay, 900, int(delay.max()) + 1})
patience = {wait: float(writes(arrival, wait).mean()) for wait in waits}
for wait, mean in patience.items():
    print(f"close {wait:4} minutes after midnight: {mean:7.2f} writes of each chunk")
enough = next(wait for wait in range(int(delay.max()) + 2) if writes(arrival, wait).mean() <= 1.1)
print(f"at most 1.1 writes: wait {enough} minutes, {enough / mean_delay:.1f} times the mean delay")

# %% [markdown]
# The mean delay is no guide: a long outage has many readings to tell, and all of them are late by its whole length. And whoever reads yesterday's data now
# has to wait that long for *all* of it, for the sake of half a per cent. There is another way. Close at midnight, and
# put what comes late aside; write it a day later, all at once.


# %%
def passes(arrival, every=day):
    """How often each chunk is written: at midnight, and in each correction pass that has something for it."""
    counts = []
    for first in range(0, devices, rows):
        for start in range(0, minutes, day):
            chunk = arrival[first : first + rows, start : start + day]
            counts.append(1 + len(np.unique(late_minutes(chunk, start + day) // every)))
    return np.array(counts)


corrected = passes(arrival)
print(
    f"no wait, a correction pass each midnight: {corrected.mean():.2f} writes of each chunk, {corrected.max()} at most"
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.5)
grid = np.arange(0, int(delay.max()) + 60, 20)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.plot(
    grid / 60,
    [writes(arrival, int(w)).mean() for w in grid],
    color=VERMILION,
    linewidth=2,
    label="write what is late at once",
)
panel.axhline(corrected.mean(), color=GREEN, linestyle="--", linewidth=2, label="no wait, one correction pass a day")
panel.axvline(mean_delay / 60, color=GREY, linewidth=1)
panel.text(mean_delay / 60 + 0.2, at_once.mean(), "mean delay", color=GREY, va="top", fontsize=10)
told = f"{at_once.mean():.0f} without waiting, {patience[mean_delay]:.0f} after the mean delay, 1 at the end"

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set(
    yscale="log", xlabel="hours to wait after midnight", ylabel="writes of each chunk", ylim=(0.8, 2 * at_once.mean())
)
panel.set_yticks([1, 2, 5, 10, 20, 50, 100, 200], ["1", "2", "5", "10", "20", "50", "100", "200"])
panel.minorticks_off()
panel.set_title("What patience buys")
panel.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
wait_chart = viz.Chart.of(
    figure, "Writes of a chunk against the wait", f"A falling curve: {told}; a pass a day: {corrected.mean():.2f}."
)
wait_chart.save(out / "figures" / "09_01_wait.svg")
wait_chart

# %% [markdown] tags=["section-library"]
# ## Three writers, one array
#
# Now with real arrays, and requests counted. Each writer takes the readings in the order in which they came. To add to a
# chunk is a **[read-modify-write](../GLOSSARY.md#read-modify-write)**; a chunk has one writer, so nothing is lost
# ([01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb)).

# %%
layout = {"shape": values.shape, "chunks": (rows, day, 4), "dtype": "f4", "fill_value": math.nan}


def new_array():
    """An empty array, and the trace of what is asked of its chunks."""
    trace = TraceStore(zarr.create_array({}, **layout, compressors=None, zarr_format=zarr_format).store)
    a = zarr.open_array(trace, mode="r+", zarr_format=zarr_format)
    trace.clear()
    return a, trace


# %%
def add(a, place, moments):
    """Write a chunk once at each of these minutes, with all that has arrived before."""
    came, there = arrival[place], -1
    for moment in moments:
        new = (came > there) & (came < moment)
        block = a[place]
        block[new] = values[place][new]
        a[place] = block
        there = moment - 1


# %%
places = [
    (slice(first, first + rows), slice(start, start + day))
    for first in range(0, devices, rows)
    for start in range(0, minutes, day)
]

# %%
writers = {
    "at once": lambda arrival, closes: [closes, *(late_minutes(arrival, closes) + 1)],
    "wait": lambda arrival, closes: [closes + enough, *(late_minutes(arrival, closes + enough) + 1)],
    "a pass a day": lambda arrival, closes: [closes, *((np.unique(late_minutes(arrival, closes) // day) + 1) * day)],
}

# %%
puts, counted = {}, {"at once": at_once, "wait": writes(arrival, enough), "a pass a day": corrected}
for name, moments in writers.items():
    a, trace = new_array()
    for place in places:
        add(a, place, moments(arrival[place], place[1].stop))
    puts[name] = trace.count("PUT")
    assert puts[name] == counted[name].sum()
    assert np.array_equal(a[...], values, equal_nan=True)
    print(f"{name:13} {puts[name]:6,} writes of a chunk, x{puts[name] / len(at_once):.2f}; the same array in the end")

# %% [markdown]
# The store that is left is the one that a single batch would have made, value by value. Keep beside it why a value is as
# it is: `quality` says 0 for a reading that never came, 1 for one in time, 2 for one after midnight.

# %%
root = zarr.open_group(out / "fleet.zarr", mode="w", zarr_format=zarr_format)
kept = root.create_array("values", **layout)
kept[...] = values
quality = np.where(lost, 0, np.where(after, 2, 1)).astype("u1")
root.create_array("quality", data=quality, chunks=(rows, day), fill_value=0)
print(*(f"quality {code}: {count:8,} readings\n" for code, count in enumerate(np.bincount(quality.ravel()))), sep="")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same readings:")
report = interop_check(out / "fleet.zarr", path="values", expected=values)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## The devices that lie
#
# A reading that arrives can still be wrong. Take from each device the median of the fleet, hour by hour, and look.


# %%
def by_hour(values):
    """Means over each hour (device, hour); NaN where nothing arrived."""
    blocks = values.reshape(devices, -1, 60)
    there = (~np.isnan(blocks)).sum(axis=2)
    return np.divide(np.nansum(blocks, axis=2), there, out=np.full(there.shape, np.nan), where=there > 0)


warm = by_hour(kept[..., 0].astype("f8"))
apart = warm - np.nanmedian(warm, axis=0)
hours = np.arange(apart.shape[1])

# %%
slopes = [24 * np.polyfit(hours[~np.isnan(row)], row[~np.isnan(row)], 1)[0] for row in apart]
drifting = [device for device, slope in enumerate(slopes) if abs(slope) > 0.2]
dead = np.flatnonzero(~alive).tolist()
last_day = kept[:, -day:, 1]
stuck = [d for d in range(devices) if d not in dead and np.nanmin(last_day[d]) == np.nanmax(last_day[d])]
print(f"drifting: {drifting}, stuck: {stuck}, dead: {dead}")
assert (drifting, [*stuck, *dead]) == (data.truth["drifting"], [data.truth["stuck"], data.truth["dead"]])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.8)
panel.set_facecolor(GREY)
painted = panel.imshow(
    apart,
    cmap="RdBu_r",
    vmin=-4,
    vmax=4,
    aspect="auto",
    interpolation="nearest",
    extent=(0, minutes / day, devices - 0.5, -0.5),
)
figure.colorbar(painted, ax=panel, label="degrees from the fleet's median")
for device, name in ((drifting[0], "drifts"), (drifting[1], "drifts"), (dead[0], "dies")):
    panel.annotate(f"{name}: {device}", (0.15, device - 0.6), fontsize=10, va="bottom")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
panel.set(xlabel="day", ylabel="device", title="Each device against the fleet, hour by hour")
told = f"Pale rows; devices {drifting[0]} and {drifting[1]} turn red over the week, device {dead[0]} is grey from the middle on."
heat = viz.Chart.of(figure, "Temperature of each device against the fleet", told)
heat.save(out / "figures" / "09_01_fleet.svg")
heat

# %% [markdown]
# Device-major chunks (16 devices, a day) let you follow a device; the picture takes all of them. The stuck device is not
# in it: it shows in the humidity, where nothing moves any more.

# %% [markdown] tags=["section-wrong"]
# ## One dead device stops the fleet
#
# A careful writer does not wait for a fixed time. It waits until every device has passed midnight. The watermark is then
# the time of the *slowest* device.

# %%
newest = np.where(lost, -1, minute).max(axis=1)
for name, counted_in in (("all devices", np.full(devices, True)), ("without the dead", alive)):
    watermark = int(newest[counted_in].min()) + 1
    print(f"{name:16} the watermark stands at day {watermark / day:.1f} of {minutes // day}")
closed = (int(newest.min()) + 1) // day

# %% [markdown]
# Nobody reads a day that never closes, and the fleet looks dead because one device is. So leave a device out when it has
# been silent for longer than living devices ever are, and sound the alarm. How long is that?

# %%
silence = 0
for row in arrival[alive]:
    came = np.unique(row[(row >= 0) & (row < minutes)])
    silence = max(silence, int(np.diff(came).max()))
print(f"the longest silence of a living device: {silence / 60:.1f} hours")
heard = np.unique(arrival[dead[0]])[-1]
print(f"an alarm after {math.ceil(silence / 60)} hours comes on day {(heard + 60 * math.ceil(silence / 60)) / day:.1f}")

# %% [markdown]
# **The other trap is a unit.** A device starts; its first reading is stored by xarray, and three more are appended, six
# hours apart. CF stores times as whole numbers of a unit, and one time needs no finer unit than days.

# %%
start = np.datetime64("2026-03-01T00:10")
units, stored = "days since 2026-03-01T00:10", [0]
stored += [6, 12, 18]  # what xarray 2026.9 appends: hours, under the old units
read = start + np.array(stored) * np.timedelta64(1, "D")
print(*read)
assert read[1] - start == np.timedelta64(6, "D")

# %% [markdown]
# Six hours became six days. xarray warns that it uses hours "instead", and writes them under the attribute that says
# days. `to_zarr` of this library refuses, and names the units. In both, ask for units at the first write that will do
# for every later one: `encoding={"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}`.

# %% [markdown] tags=["section-predict"]
# ## Chunks of all devices, and six hours
#
# Cut the same bytes the other way: all devices, and fewer hours in a chunk, so that there are as many chunks as before.
# A dashboard of the last hours likes that. Does writing at once now take more writes, or fewer?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
length = day * rows // devices
across = {"devices x a day": at_once, "all, short": writes(arrival, 0, rows=devices, length=length)}
for name, counts in across.items():
    touched = (counts > 1).mean()
    print(
        f"{name:16} {len(counts)} chunks, {counts.mean():6.1f} writes of each; {touched:.0%} of them have something late"
    )
assert across["all, short"].sum() > at_once.sum()

# %% [markdown]
# More than twice as many: a shorter chunk closes sooner, so more readings are late for it, and nearly every chunk meets a
# device that was offline.

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_01.1
#
# A radio turns bad with a chance of 0.001 a minute, and good with 0.03. Which share of its readings is lost?
#
# <details><summary>Hint</summary>
# In the long run it turns bad as often as it turns good.</details>

# %% tags=["exercise"]
lost_share = ...
check("09_01.1", lost_share)

# %% [markdown]
# ### Exercise 09_01.2
#
# Ten chunks close at the same midnight. Late readings arrive for one of them in the minutes 30, 31 and 32 after it, for
# another in minute 90, for a third in 240 and 241. What is the shortest wait, in whole minutes, with at most 1.1 writes
# of each chunk on average? What arrives in the very minute of closing is late.
#
# <details><summary>Hint</summary>
# Ten chunks at 1.1: how many late minutes may be left?</details>

# %% tags=["exercise"]
shortest_wait = ...
check("09_01.2", shortest_wait)

# %% [markdown]
# ### Exercise 09_01.3
#
# Write `times_written(arrival, closes)` for one chunk: `arrival` is an array of minutes in any shape, -1 for what never
# came. The chunk is written once at `closes`, and once more for each minute from `closes` on in which something arrives.
#
# <details><summary>Hint</summary>
# Two readings in one minute are one write.</details>


# %% tags=["exercise"]
def times_written(arrival, closes):
    """How often a chunk is written that closes in minute `closes`."""
    ...


check("09_01.3", times_written)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `to_zarr(..., append_dim="time")` refuses times that need other units | `Dataset.to_zarr` appends hours under "days since", with a warning | a refusal |
# | `encoding={"time": {"units": "seconds since 1970-01-01", "dtype": "int64"}}` at the first write | the same; later appends keep it | - |
# | `to_zarr(mode="r+")` of an array of `datetime64`, read and unchanged: the dates stay | `Dataset.to_zarr` writes day numbers into it, with no warning: 1970 | the dates |
# | `by_hour(values)`, written by hand | `resample(time="1h").mean()` in xarray, NaN left out | here: a function for it |
# | `a[place] = block` counted by `TraceStore` | `zarr.storage.LoggingStore` logs each call | a list of requests with bytes |
#

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Look at the lengths of the gaps: losses in runs make long ones, and a straight line on a logarithmic scale.
# - Late readings cost a write for each *minute* that brings some, however few they are.
# - Wait nearly as long as the longest outage, or close at midnight and correct once a day; here 1.50 writes a chunk.
# - Chunks that are short in time close soon, and more readings are late for them.
# - A watermark of the slowest device needs an alarm that leaves out the dead.
# - Hold each device against the median of the fleet: who drifts, who is stuck, who is silent.
# - Choose the units of time at the first write, in seconds; a later append cannot change them.
#
# **Open questions.** How would you keep the correction pass from doing work twice if it is killed? What if outages hit
# a whole town at once?
#
# **To read further.**
#
# - [Gilbert, Capacity of a Burst-Noise Channel](https://doi.org/10.1002/j.1538-7305.1960.tb03959.x): the two states, for
#   telephone lines.
# - [Akidau and others, The Dataflow Model](https://doi.org/10.14778/2824032.2824076): time of the event against time of
#   arrival, and what watermarks promise.
# - [xarray, time coding](https://docs.xarray.dev/en/stable/user-guide/io.html): how `encoding` sets the units of times.
#
# **Next.** [09_02](09_02_wafer_inspection.ipynb): which failed dies have the same cause?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Of all minutes, the share b is bad. As many turn bad as turn good: (1 - b) x 0.001 = b x 0.03.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_01.1", 0.001 / (0.001 + 0.03))

# %% [markdown]
# At 1.1 there are 11 writes, so one late minute may be left: 241. Closing in it leaves it, and nothing else.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_01.2", 241)

# %% [markdown]
# The distinct minutes from `closes` on, and one. What never came is -1, below any closing time.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def times_written(arrival, closes):
    """How often a chunk is written that closes in minute `closes`."""
    arrival = np.asarray(arrival)
    return 1 + len(np.unique(arrival[(arrival >= closes) & (arrival >= 0)]))


check("09_01.3", times_written)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "devices": devices,
        "minutes": minutes,
        "chunks": len(at_once),
        "loss_theory": round(share, 6),
        "loss_found": round(float(lost[alive].mean()), 6),
        "mean_run": round(float(runs.mean()), 6),
        "runs": len(runs),
        "runs_as_long": {str(k): round(float(longer[k - 1]), 6) for k in (20, 60)},
        "buoy_missing": missing,
        "buoy_gaps": gaps,
        "buoy_readings": len(time),
        "buoy_half_hours": half_hours,
        "late": round(float(late.mean()), 6),
        "after_midnight": round(float(after.mean()), 6),
        "after_midnight_readings": int(after.sum()),
        "mean_delay": mean_delay,
        "longest_delay": int(delay.max()),
        "hours": [round(float(delay.mean()) / 60, 1), round(float(delay.max()) / 60, 1), round(enough / 60, 1)],
        "at_once": {"writes": int(at_once.sum()), "mean": round(float(at_once.mean()), 6), "most": int(at_once.max())},
        "late_share_of_writes": round(float(theirs), 6),
        "patience": {str(wait): round(mean, 6) for wait, mean in patience.items()},
        "enough": enough,
        "at_most": 1.1,
        "enough_mean": round(puts["wait"] / len(at_once), 6),
        "corrected": {
            "writes": int(corrected.sum()),
            "mean": round(float(corrected.mean()), 6),
            "most": int(corrected.max()),
        },
        "puts": puts,
        "quality": np.bincount(quality.ravel()).tolist(),
        "drifting": drifting,
        "stuck": stuck,
        "dead": dead,
        "days_closed": closed,
        "silence_hours": round(silence / 60, 1),
        "across": {
            "writes": int(across["all, short"].sum()),
            "mean": round(float(across["all, short"].mean()), 6),
            "length": length,
        },
        "percent": {
            "loss_theory": round(100 * share, 1),
            "loss_found": round(100 * float(lost[alive].mean()), 2),
            "runs_as_long": round(100 * float(longer[19])),
            "late": round(100 * float(late.mean()), 1),
            "after_midnight": round(100 * float(after.mean()), 2),
            "of_writes": round(100 * float(theirs), 1),
        },
    },
)
