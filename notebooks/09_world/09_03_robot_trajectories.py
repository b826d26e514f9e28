# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Shrink a robot's log without turning its camera upside down
#
# **Question.** One number a second instead of five hundred: does it still say where the robot was?
#
# ![Joint 6 of an arm over one trajectory. The log jumps between plus and minus 180 degrees while the arm rests, and the
# means of whole seconds lie near zero, half a turn from where the camera was.](../../articles/figures/09_03_overview.svg)
#
# *A wrist that rests at half a turn. Orange: the mean of each second, as any tool takes it.*
#
# An arm's encoders are logged 500 times a second, in trajectories of unequal length. Nobody looks at all of that. So you
# keep an overview: the mean of each second. Encoders are precise, the arm is slow, a mean takes the tremble out. What
# could be safer?

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 30 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb), [01_08](../01_core_zarr/01_08_object_store_tuning.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/codecs` |
# | **Article** | [The joint that stood still, and pointed backwards](../../articles/37_robot_trajectories.md) |
# | **Data** | trajectories of a Puma 560, generated (`data_gen/robot.py`) |
#
# **You will be able to**
#
# - average angles, and know when the mean means something
# - let an integer overflow do the work
# - cut one trajectory of many out of one array, and count what it costs
# - see why unwrapping chunk by chunk fails, and what to do instead
# - double the rate of a log without new errors
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `trajectory` is the one in the figures.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: 200 trajectories instead of 40
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
trajectory = 12

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from itertools import pairwise

import numpy as np

import tutorial_zarr as zarr
from data_gen import robot
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(trajectory=(trajectory, 0, 39), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## An arm whose poses are published
#
# A Puma 560 goes to stations, rests, and comes home; a camera sits on joint 6, upright at 180 degrees. Moves have the
# **[least jerk](https://doi.org/10.1523/JNEUROSCI.05-07-01688.1985 "Of all moves from here to there in a given time, the
# one whose acceleration changes least; its top speed is 15/8 of its mean.")**. Real logs have gaps, offsets and
# vibration; these have none. What is held to published figures: the arm's geometry, by
# **[forward kinematics](https://en.wikipedia.org/wiki/Forward_kinematics "Where the hand is, computed from the angles of
# the joints and the lengths between them.")** at two known poses, and the shape of moves.

# %%
data = robot.make("small" if quick else "large", seed)
checks = robot.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
counts, offset, true = (data.arrays[name] for name in ("counts", "offset", "true"))
degrees = 360 / robot.TURN  # of a count
poses = {}
for name, (angles, published) in robot.POSES.items():
    poses[name] = robot.pose(np.array(angles))[:3, 3]
    print(f"Puma 560, {name} pose: computed {poses[name].round(4)} m, published {published}")
ratio = checks["top speed of a move over its mean"][0]
print(f"top speed over mean speed: {ratio:.3f} (15/8 is 1.875); counts from {counts.min():,} to {counts.max():,}")
print(
    f"{len(offset) - 1} trajectories, {len(counts):,} samples x 6 joints, {counts.dtype}, {counts.nbytes / 1e6:.1f} MB"
)

# %% [markdown]
# The encoder keeps 16 bits of its count, so that a turn has 65,536 steps, and after 32,767 comes
# minus 32,768. In degrees: just under 180 is followed by -180.

# %% [markdown] tags=["section-idea"]
# ## Ten seconds of a wrist
#
# Joint 6 of one trajectory, and what a mean over each second makes of it.

# %%
RATE = robot.RATE
begin, end = offset[trajectory], offset[trajectory + 1]
starts = np.arange(begin, end, RATE)


def plain_mean(block):
    """What `mean` says, in counts."""
    return block.mean(axis=0)


seen = counts[begin:end, 5] * degrees
naive = [plain_mean(counts[s : min(s + RATE, end), 5]) * degrees for s in starts]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.4, 3.4)
seconds = np.arange(end - begin) / RATE
panel.plot(seconds[::5], seen[::5], ".", color=BLUE, markersize=2.5, label="log, each fifth sample")
middle = np.array([(s + min(s + RATE, end)) / 2 - begin for s in starts]) / RATE
panel.plot(middle, naive, "o", color=ORANGE, markersize=7, label="mean of the second")
panel.set(xlabel="seconds", ylabel="joint 6, degrees", ylim=(-200, 260), yticks=(-180, -90, 0, 90, 180))
panel.set_title("A wrist, and its mean second by second")
panel.legend(loc="upper right", ncols=2)
far = int((np.abs(naive) < 90).sum())
told = f"At rest the log jumps between 180 and -180 degrees; {far} of {len(naive)} means lie within 90 degrees of zero."
overview_chart = viz.Chart.of(figure, "Joint 6 and its means", told)
overview_chart.save(out / "figures" / "09_03_overview.svg")
overview_chart

# %% [markdown]
# **Write down a guess.** A mean is bad when it is more than 90 degrees from where the wrist was. Is a second more often
# bad while the arm *moves*, or while it *stands still*? And in how many seconds of a hundred?

# %% [markdown] tags=["section-build"]
# ## Build it small: the overflow that is right
#
# 32,767 and minus 32,768 are neighbours. Subtract them *as 16-bit integers*, and the
# **[overflow](../GLOSSARY.md#integer-overflow)** gives 1: the short way round. So take differences to the first sample,
# average those, and go back. This is right as long as nothing in the block is half a turn or more from its first sample.


# %%
def short_mean(block):
    """The mean of 16-bit counts (sample, ...), in counts, each taken the short way round from the first."""
    away = block - block[0]  # int16: 32767 and -32768 are one apart
    return block[0] + away.mean(axis=0)


one, other = np.array([32_767], "i2"), np.array([-32_768], "i2")
print(f"as 16-bit integers: {other[0]} - {one[0]} = {(other - one)[0]}")
pair = np.concatenate([one, other])
print(f"plain mean: {plain_mean(pair) * degrees:.3f} degrees; short mean: {short_mean(pair) * degrees:.3f}")

# %% [markdown]
# Compare both with the true angles, of which the generator kept a record, in every second of every trajectory.


# %%
def apart(one, other):
    """Degrees between two angles, the short way round."""
    return np.abs((one - other + 180) % 360 - 180)


# %%
blocks = [(s, min(s + RATE, stop)) for a, stop in pairwise(offset) for s in range(a, stop, RATE)]
busy = np.zeros(len(counts), bool)
for start, stop in data.arrays["moves"]:
    busy[start:stop] = True
# %%
still = np.array([not busy[s:e].any() for s, e in blocks])
was = np.array([true[s:e, 5].mean() for s, e in blocks])
error = {
    kind.__name__: np.array([apart(kind(counts[s:e, 5]) * degrees, w) for (s, e), w in zip(blocks, was, strict=True)])
    for kind in (plain_mean, short_mean)
}

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
bad = {}
for name, values in error.items():
    bad[name] = [float((values[which] > 90).mean()) for which in (still, ~still)]
    print(f"{name:10} bad: {bad[name][0]:4.0%} of seconds at rest, {bad[name][1]:4.0%} of the others;", end=" ")
    print(f"largest error {values.max():.2f} degrees")
assert bad["plain_mean"][0] > bad["plain_mean"][1] > 0
assert error["short_mean"].max() < 0.1

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 2.6)
values = [100 * share for share in bad["plain_mean"]]
panel.barh((0, 1), values, 0.6, color=(VERMILION, ORANGE))
for row, value in enumerate(values):
    panel.text(value + 1, row, f"{value:.0f} %", va="center", fontsize=11)
panel.set(yticks=(0, 1), yticklabels=("at rest", "with a move"), ylim=(1.6, -0.6), xlim=(0, 100))
panel.set(xlabel="seconds whose mean is more than 90 degrees off, percent")
panel.set_title("The stiller the joint, the worse its mean")
told = f"Two bars: {values[0]:.0f} percent of the seconds at rest, {values[1]:.0f} percent of the seconds with a move."
rest_chart = viz.Chart.of(figure, "Bad means at rest and in motion", told)
rest_chart.save(out / "figures" / "09_03_rest.svg")
rest_chart

# %% [markdown]
# At rest the wrist trembles by 0.02 degrees around 180, so that half of its samples say 180 and half say -180. Their mean
# is anything in between. Angles that pass 180 in a move are wrong for a moment; an angle that *rests* there is wrong as long
# as it rests. The seconds with a move that are bad begin or end in such a rest. How many there are depends on where the arm
# rests: at 90 degrees, there would be none.

# %% [markdown] tags=["section-library"]
# ## Trajectories in one array, and where they begin
#
# Trajectories of unequal length are a **[ragged array](../GLOSSARY.md#ragged-array)**: all samples one after the other,
# and the offsets. An overview lies beside it, computed by reading one trajectory at a time.

# %%
group = zarr.create_group(out / "arm.zarr", overwrite=True, zarr_format=zarr_format)
about = {"units": "1/65536 turn", "wraps": "after 32767 comes -32768"}
log = group.create_array("counts", data=counts, chunks=(4096, 6), attributes=about)
where = group.create_array("offset", data=offset, chunks=(len(offset),))
seconds_of = [-(-int(n) // RATE) for n in np.diff(offset)]
overview = group.create_array("overview", shape=(sum(seconds_of), 6), chunks=(4096, 6), dtype="i2", attributes=about)

# %%
edges, row = where[...], 0
means = np.empty(overview.shape, "i2")
for a, b in pairwise(edges):
    piece = log[a:b]
    for s in range(0, len(piece), RATE):
        means[row] = np.rint(short_mean(piece[s : s + RATE])).astype("i4")  # 32768 wraps, as it should
        row += 1
overview[...] = means
by_hand = [short_mean(counts[s:e]) for s, e in blocks]
assert apart(overview[...] * degrees, np.array(by_hand) * degrees).max() <= degrees / 2 + 1e-9
print(f"overview: {overview.shape} {overview.dtype}, {overview.nbytes:,} bytes for {counts.nbytes:,}")

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other readers see the same counts:")
report = interop_check(out / "arm.zarr" / "counts", expected=counts)
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## One array each, or one for all?
#
# The obvious way is an array for each trajectory. **Guess:** how many objects does it make, and how many requests does
# cutting one trajectory take?

# %%
each = zarr.create_group(out / "each.zarr", overwrite=True, zarr_format=zarr_format)
for k, (a, b) in enumerate(pairwise(offset)):
    each.create_array(f"t{k:03}", data=counts[a:b], chunks=(4096, 6))


def objects(folder):
    """Files below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))


# %%
def cut(name, path, selection):
    """GETs for opening an array and taking a selection of it, and the values."""
    trace = TraceStore(zarr.open_group(out / name, mode="r").store)
    found = zarr.open_array(trace, path=path, mode="r")
    opened = trace.count("GET")
    values = found[selection]
    return opened, trace.count("GET") - opened, values


# %%
one_opened, one_chunks, mine = cut("arm.zarr", "counts", slice(begin, end))
each_opened, each_chunks, same = cut("each.zarr", f"t{trajectory:03}", slice(None))
assert np.array_equal(mine, same)
holds = {"one array": objects(out / "arm.zarr" / "counts"), "one each": objects(out / "each.zarr")}
print(f"one array, all trajectories: {holds['one array']} objects; a cut takes {one_chunks} chunks")
print(f"an array for each:           {holds['one each']} objects; a cut takes {each_chunks} chunks, and an open each")

# %% [markdown]
# A cut may cross one chunk border more, and that is all it costs. Opening is paid once, not for each trajectory. Who wants
# one joint of *all* trajectories, to look for wear, reads it in one go:

# %%
_, wear, joint = cut("arm.zarr", "counts", (slice(None), 5))
every = sum(sum(cut("each.zarr", f"t{k:03}", (slice(None), 5))[:2]) for k in range(len(offset) - 1))
print(f"joint 6 of everything: {wear} chunks of one array; {every} requests, opening included, of one array each")

# %% [markdown] tags=["section-wrong"]
# ## Unwrapped chunk by chunk
#
# "First **[unwrap](https://numpy.org/doc/stable/reference/generated/numpy.unwrap.html "Adding whole turns to angles in
# a row, so that no step is longer than half a turn.")** the angles, then average." True, and it needs the sample before.
# If each chunk is unwrapped on its own, as in a map over chunks, each begins in a turn of its own.

# %%
loose = np.concatenate([np.unwrap(counts[s : s + 4096, 5] * degrees, period=360) for s in range(0, len(counts), 4096)])
seams = np.arange(4096, len(counts), 4096)
jumps = int((np.abs(loose[seams] - loose[seams - 1]) > 180).sum())
off = np.array([apart(loose[s:e].mean(), w) for (s, e), w in zip(blocks, was, strict=True)])
wrong_seconds = int((off > 1).sum())
print(f"{jumps} of {len(seams)} seams are a whole turn high; {wrong_seconds} of {len(blocks)} seconds come out wrong,")
print(f"by up to {off.max():.0f} degrees")

# %% [markdown]
# Rare errors at places that only the layout explains, and another chunk size moves them. Unwrap over the whole array, then,
# and each chunk waits for the one before. A block that knows its own first sample needs neither. Note
# what does *not* find any of this: minimum, maximum, and a look at the place of the wrist.

# %%
flipped = robot.pose(np.array([0, 90, -90, 0, 0, 0])) - robot.pose(np.array([0, 90, -90, 0, 0, 180]))
moved = float(np.abs(flipped[:3, 3]).max())
print(f"half a turn of joint 6 moves the wrist by {moved * 1000:.1f} mm")

# %% [markdown] tags=["section-predict"]
# ## Twice the rate
#
# A controller wants 1,000 samples a second: one between each two. What comes between two samples on both sides of 180? **Guess** how many
# of a hundred new samples are more than 90 degrees off, if you take the plain middle.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
first, second = counts[:-1, 5], counts[1:, 5]
inside = np.ones(len(first), bool)
inside[offset[1:-1] - 1] = False  # between two trajectories there is nothing
between = (true[:-1, 5] + true[1:, 5])[inside] / 2
plain = ((first.astype("f8") + second) / 2 * degrees)[inside]
short = ((first + (second - first) / 2) * degrees)[inside]
plain_bad, short_bad = (float((apart(x, between) > 90).mean()) for x in (plain, short))
print(f"plain middle: {plain_bad:.1%} of the new samples; the short way round: {short_bad:.1%}")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 09_03.1
#
# Trajectories of 5,000, 3,000 and 9,000 samples lie in one array with chunks of 4,096. How many chunks does the third one
# touch?
#
# <details><summary>Hint</summary>
# It begins at 8,000.</details>

# %% tags=["exercise"]
chunks_of_the_third = ...
check("09_03.1", chunks_of_the_third)

# %% [markdown]
# ### Exercise 09_03.2
#
# From the ready pose (0, 90, -90, 0, 0, 0), turn joint 3 to 0 degrees. How high is the wrist, in metres? Use `robot.pose`.
#
# <details><summary>Hint</summary>
# `robot.pose(angles)[2, 3]` is the height.</details>

# %% tags=["exercise"]
height = ...
check("09_03.2", height)

# %% [markdown]
# ### Exercise 09_03.3
#
# Write `mean_angle(degrees)`: the mean direction of a list of angles in degrees, in (-180, 180], also if they are spread
# over more than half a turn. Add up their cosines and their sines. If both sums vanish (below 1e-9), return `None`: there is
# no mean.
#
# <details><summary>Hint</summary>
# `np.arctan2(sum of sines, sum of cosines)`.</details>


# %% tags=["exercise"]
def mean_angle(degrees):
    """The mean direction of angles, in degrees; None if there is none."""
    ...


check("09_03.3", mean_angle)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `short_mean(block)`, written by hand | xarray's `coarsen(sample=500).mean()` takes a plain mean; `scipy.stats.circmean` goes round | a mean of angles, in either library |
# | `np.unwrap` on each chunk: seams | Dask's `map_blocks(np.unwrap)`: the same seams | - |
# | `block - block[0]` in 16 bits wraps | Dask and xarray keep `int16`, and wrap as well | - |
# | `create_group`, `create_array`, `a[begin:end]` | the same names | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A mean of angles is taken the short way round from one of them; beyond half a turn it needs cosines and sines.
# - Two counts, subtracted in as many bits as the encoder keeps, overflow to the right difference.
# - One array and its offsets: a cut costs a chunk border more, and one open serves all trajectories.
# - Unwrapping needs the sample before: chunk by chunk it leaves seams. A block can take its own first sample instead.
# - What is put between two angles belongs on the short way round, too.
#
# **Open questions.** An orientation in space has three angles: what is the mean of two **[quaternions](https://en.wikipedia.org/wiki/Quaternions_and_spatial_rotation
# "Four numbers that say how a body is turned in space; a quaternion and its negative are the same turn.")**, if both
# signs of each mean the same? What if a block turns more than once?
#
# **To read further.**
#
# - [Flash and Hogan, The coordination of arm movements](https://doi.org/10.1523/JNEUROSCI.05-07-01688.1985): why moves of
#   least jerk look the way they do.
# - [Circular mean](https://en.wikipedia.org/wiki/Circular_mean): the mean by cosines and sines, and how sure it is.
# - [numpy.unwrap](https://numpy.org/doc/stable/reference/generated/numpy.unwrap.html): what it assumes of each step.
#
# **Next.** You have deleted a patient. Where is she still?
# [09_04](09_04_patient_cohorts.ipynb)

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Samples 8,000 to 16,999 lie in the chunks 1 to 4.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_03.1", 16_999 // 4096 - 8_000 // 4096 + 1)

# %% [markdown]
# The upper arm points up, the forearm lies level.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("09_03.2", robot.pose(np.array([0, 90, 0, 0, 0, 0]))[2, 3])

# %% [markdown]
# Angles become arrows of length one; the mean points where their sum points.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def mean_angle(degrees):
    """The mean direction of angles, in degrees; None if there is none."""
    angles = np.deg2rad(degrees)
    x, y = np.cos(angles).sum(), np.sin(angles).sum()
    if abs(x) < 1e-9 and abs(y) < 1e-9:
        return None
    found = float(np.rad2deg(np.arctan2(y, x)))
    return 180.0 if found == -180.0 else found


check("09_03.3", mean_angle)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "trajectories": len(offset) - 1,
        "samples": len(counts),
        "counts_of_a_turn": robot.TURN,
        "rate": RATE,
        "poses": {name: [round(float(x), 4) for x in place] for name, place in poses.items()},
        "ratio": round(ratio, 4),
        "seconds": len(blocks),
        "seconds_at_rest": int(still.sum()),
        "bad": {name: [round(share, 6) for share in shares] for name, shares in bad.items()},
        "bad_percent": [round(100 * share) for share in bad["plain_mean"]],
        "bad_seconds": int((error["plain_mean"] > 90).sum()),
        "bad_percent_of_all": round(100 * float((error["plain_mean"] > 90).mean())),
        "largest_error": {name: round(float(values.max()), 4) for name, values in error.items()},
        "objects": holds,
        "cut": {"one array": [one_opened, one_chunks], "one each": [each_opened, each_chunks]},
        "joint_of_all": {"one array": wear, "one each": every},
        "bytes": counts.nbytes,
        "overview_bytes": overview.nbytes,
        "seams": [jumps, len(seams)],
        "wrong_seconds": wrong_seconds,
        "largest_seam_error": round(float(off.max()), 2),
        "between_bad_percent": [round(100 * plain_bad, 1), round(100 * short_bad, 1)],
        "wrist_moves_mm": round(moved * 1000, 3),
        "tremble": robot.TREMBLE,
        "chunk": 4096,
        "limits": {
            "turn": 360,
            "half": 180,
            "bad": 90,
            "last": 32_767,
            "first": 32_768,
            "bits": robot.TURN.bit_length() - 1,
        },
        "twice": 2 * RATE,
        "joint": 6,
        "puma": 560,
    },
)
