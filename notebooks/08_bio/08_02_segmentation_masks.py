# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Count objects that no chunk holds whole
#
# **Question.** Can you label the objects of a picture chunk by chunk, and get exactly the objects?
#
# ![Coins, each chunk labelled alone: many coins have two to four colours, cut along the borders of chunks. Beside it the
# same labels joined: each coin has one colour.](../../articles/figures/08_02_pieces.svg)
#
# *Left: each chunk was labelled alone. Right: the same labels, joined, without looking at the picture again.*
#
# A picture of cells, stars or trees is too large for memory, so every worker labels a chunk. A cell on a border gets two
# labels, and is two cells. Sums over pixels do not notice. Counts and sizes do.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 40 minutes |
# | **Needs** | [01_03](../01_core_zarr/01_03_compression_pipelines.ipynb), [01_06](../01_core_zarr/01_06_parallel_chunk_patterns.ipynb), [08_01](08_01_multiscale_pyramids.ipynb) |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/stores/cache.py` |
# | **Article** | [The coin with four names](../../articles/33_segmentation_masks.md) |
# | **Data** | a photograph of 24 coins (`data_gen/coins.py`) |
#
# **You will be able to**
#
# - label objects with union-find, and join labels across borders with the same few lines
# - give labels in many workers at once, without a counter that they share
# - read no chunk twice for the join
# - show the joined objects without writing a label again
# - choose a codec for labels by what is in them, and say when a mask will do
# - make a smaller copy of labels that invents no object
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `chunk` is the length of a chunk on both axes.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: the join is tried with every one of 20 lengths of chunks, instead of 2
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
chunk = 64

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numcodecs
import numpy as np

import tutorial_zarr as zarr
from data_gen import coins
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import CacheStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(chunk=(chunk, 32, 96), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Twenty-four coins on uneven ground
#
# A real photograph, small enough that the whole can be labelled at once and every answer compared. Light falls from the
# upper left. So one threshold (**[Otsu's](https://en.wikipedia.org/wiki/Otsu%27s_method "The threshold that makes the
# values below it and those above it as alike among themselves as possible.")**) takes bright ground for an object too,
# and dust as well. We count what the mask shows, not coins.

# %%
data = coins.make("small", seed)
grey = data.arrays["grey"]
checks = coins.realism(data)
assert all(low <= value <= high for value, low, high in checks.values())
height, width = grey.shape
bright = grey > coins.THRESHOLD
print(f"{height} x {width} pixels; {len(checks)} of {len(checks)} checks pass; brighter than {coins.THRESHOLD}:")
print(f"{bright.sum():,} of {bright.size:,} pixels")
print(data.provenance["source"], data.provenance["licence"], sep="; ")

# %% [markdown] tags=["section-idea"]
# ## A border of a chunk is not a border of a coin
#
# The picture, and its **[binary mask](https://en.wikipedia.org/wiki/Mask_%28computing%29 "An array of true and false, of the same
# shape as a picture: which pixels belong to what is looked for.")** with the borders of chunks of 64 x 64.


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def draw(panel, image, title, lines=None, **options):
    """An image without axes, with the borders of chunks in colour `lines`."""
    panel.imshow(image, interpolation="none", **options)
    panel.set_axis_off()
    panel.set_title(title, fontsize=10)
    if lines:
        for at in range(chunk, height, chunk):
            panel.axhline(at - 0.5, color=lines, linewidth=0.8)
        for at in range(chunk, width, chunk):
            panel.axvline(at - 0.5, color=lines, linewidth=0.8)


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (left, right) = viz.canvas(8.4, 3.5, 1, 2)
draw(left, grey, "24 coins from Pompeii", cmap="gray")
draw(right, bright, f"brighter than {coins.THRESHOLD}, and the chunks", ORANGE, cmap="gray")
told = "A photograph of 24 coins, and its mask with the borders of chunks. Nearly every coin is cut by a border."
mask_chart = viz.Chart.of(figure, "Coins and their mask", told)
mask_chart.save(out / "figures" / "08_02_mask.svg")
mask_chart

# %% [markdown]
# An object is a **[connected component](https://en.wikipedia.org/wiki/Connected-component_labeling "Pixels of a mask that
# can be reached from each other by steps to a neighbour that belongs to the mask as well.")** of the mask; here a
# diagonal neighbour is a neighbour. The whole mask has 96, most of them dust.
#
# **Write down two guesses.** How many are counted if each chunk is labelled alone? And how many requests does it take to
# read the lines of pixels along all borders from the store, if all chunks together are 30?

# %% [markdown] tags=["section-build"]
# ## Build it small: who is connected to whom
#
# Give each pixel a number. List the pairs of neighbours. Then
# **[union-find](https://en.wikipedia.org/wiki/Disjoint-set_data_structure "Groups that grow together: every member points
# to another of its group, and the last one pointed to is the group's name.")** gives all that are connected one name, the
# smallest number among them.


# %%
def names(pairs):
    """For each number in `pairs`, the smallest number that it is connected to."""
    parent = {}

    def find(i):
        while parent.setdefault(i, i) != i:
            parent[i] = parent[parent[i]]  # the next search is shorter
            i = parent[i]
        return i

    for a, b in pairs:
        a, b = find(a), find(b)
        parent[max(a, b)] = min(a, b)
    return {i: find(i) for i in parent}


# %%
def touching(ids):
    """Pairs of numbers that are neighbours, straight or diagonal; 0 is ground."""
    right, below = (ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])
    falling, rising = (ids[:-1, :-1], ids[1:, 1:]), (ids[:-1, 1:], ids[1:, :-1])
    pairs = []
    for one, other in (right, below, falling, rising):
        both = (one > 0) & (other > 0)
        pairs += zip(one[both].tolist(), other[both].tolist(), strict=True)
    return pairs


def renamed(ids, table):
    """`ids` with each number replaced by its name in `table`, if it has one."""
    known, at = np.unique(ids, return_inverse=True)
    return np.array([table.get(i, i) for i in known.tolist()], ids.dtype)[at].reshape(ids.shape)


# %% [markdown]
# The number of a pixel is its place in the picture, counted from 1. So the name of an object is the place of its first
# pixel.


# %%
def numbered(mask, box):
    """The pixels of `mask`, which is the part `box` of the picture: each its place in the whole, ground 0."""
    rows, columns = (np.arange(s.start, s.stop, dtype="u4") for s in box)
    return np.where(mask, rows[:, None] * np.uint32(width) + columns + np.uint32(1), np.uint32(0))


def label(mask, box):
    """Each connected component of a part of the picture, named by the place of its first pixel."""
    ids = numbered(mask, box)
    return renamed(ids, names(touching(ids)))


# %%
everything = (slice(0, height), slice(0, width))
whole = label(bright, everything)
objects = len(np.unique(whole)) - 1
print(f"{objects} objects in the whole mask")

# %% [markdown] tags=["section-library"]
# ## Thirty workers, no counter, one join
#
# The mask is an array of bool, the labels are one of whole numbers, in the same chunks. Each worker reads a chunk of the
# mask, labels it, and writes a chunk of labels. Names are places in the whole picture, so two workers never give the same
# name, and none has to ask. Of its chunk a worker keeps the four edges in memory.

# %%
kept = {"zarr_format": zarr_format, "overwrite": True}
chunks = (chunk, chunk)
mask = zarr.create_array(out / "mask.zarr", data=bright, chunks=chunks, **kept)
labels = zarr.create_array(out / "labels.zarr", shape=mask.shape, dtype="u4", chunks=chunks, **kept)
down, across = mask.cdata_shape
edges = np.zeros((down, 2, width), "u4"), np.zeros((across, 2, height), "u4")  # first and last line of chunks


# %%
def label_chunk(coords):
    """Label one chunk, keep its edges, and return the names that it gave."""
    (row, column), box = coords, labels.grid.region(coords)
    ids = label(mask[box], box)
    labels[box] = ids
    edges[0][row, :, box[1]] = ids[[0, -1]]
    edges[1][column, :, box[0]] = ids[:, [0, -1]].T
    return np.unique(ids[ids > 0])


with ThreadPoolExecutor(workers) as pool:
    pieces = np.sort(np.concatenate(list(pool.map(label_chunk, labels.grid))))

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
print(f"{len(pieces)} pieces in {labels.nchunks} chunks; {objects} objects in the whole")

# %% [markdown]
# Now the join, with the same three functions. Two lines along a border are a picture of two rows. The lines run through the
# whole picture, so a corner where four chunks meet is in them as well.

# %%
pairs = []
for lines in edges:
    for before, after in zip(lines[:-1, 1], lines[1:, 0], strict=True):
        pairs += touching(np.stack([before, after]))
table = names(pairs)
joined = renamed(labels[...], table)
assert np.array_equal(joined, whole)
differ = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
renamed_pieces = sum(table.get(i, i) != i for i in pieces.tolist())
print(
    f"{len(differ)} different pairs; {len(pieces)} pieces less {renamed_pieces} that got another name: {objects} objects"
)
print("every pixel as in the whole mask")

# %% [markdown]
# Exact, to the pixel, and with the same names, since a name does not depend on the cut. It is so for other lengths of
# chunks too, whole pictures of one row of chunks among them:


# %%
def chunk_by_chunk(length):
    """Pieces, and the joined labels, for chunks of `length`; all in memory."""
    ids = np.zeros(bright.shape, "u4")
    for i in range(0, height, length):
        for j in range(0, width, length):
            box = (slice(i, min(i + length, height)), slice(j, min(j + length, width)))
            ids[box] = label(bright[box], box)
    lines = [ids[at - 1 : at + 1] for at in range(length, height, length)]
    lines += [ids[:, at - 1 : at + 1] for at in range(length, width, length)]
    met = [pair for line in lines for pair in touching(line)]
    return len(np.unique(ids)) - 1, renamed(ids, names(met))


# %%
found = {}
for length in (32, 128) if quick else range(20, 400, 20):
    found[length], again = chunk_by_chunk(length)
    assert np.array_equal(again, whole)
    print(f"chunks of {length:3} x {length:3}: {found[length]:3} pieces, joined {objects} objects")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
shades = np.random.PCG64(4).random_raw(3 * (whole.size + 1)).reshape(-1, 3) % 170 + 60
shades[0] = 45  # ground
figure, (left, right) = viz.canvas(8.4, 3.5, 1, 2)
draw(left, shades[labels[...]].astype("u1"), f"each chunk alone: {len(pieces)} pieces", "white")
draw(right, shades[joined].astype("u1"), f"joined: {objects} objects")
told = (
    f"Labels in colour. Left, each chunk alone: {len(pieces)} pieces, coins cut at borders. Right: {objects} objects."
)
pieces_chart = viz.Chart.of(figure, "Pieces and objects", told)
pieces_chart.save(out / "figures" / "08_02_pieces.svg")
pieces_chart

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Other programs:")
if find_spec("scipy"):
    from scipy import ndimage

    by_scipy, count = ndimage.label(bright, np.ones((3, 3)))
    ours = np.unique(whole, return_inverse=True)[1].reshape(whole.shape)
    assert np.array_equal(by_scipy, ours)
    print(f"scipy.ndimage.label on the whole mask: {count} objects, the same pixels")
else:
    print("SciPy is not installed; the tests of this lesson compare with it")
report = interop_check(out / "labels.zarr", expected=labels[...])
print(report)
assert not report.differing

# %% [markdown]
# The other half of a join is to write the new names. Do you have to? A **lazy viewer** reads the labels that it shows, and
# looks each up in a table on the way to the screen.

# %%
first = np.unique(whole)[1:]  # the names of the objects, in order
object_of = np.searchsorted(first, [table.get(i, i) for i in pieces.tolist()]) + 1
lookup = zarr.create_array(out / "objects.zarr", data=np.stack([pieces, object_of.astype("u4")]), **kept)


def seen(array, box):
    """A part of the picture, each object with its number from 1; no label is written again."""
    known, number = np.pad(lookup[...], ((0, 0), (1, 0)))  # ground stays 0
    return number[np.searchsorted(known, array[box])]


shown = seen(labels, everything)
assert np.array_equal(first[shown[shown > 0] - 1], whole[whole > 0])
print(f"a table of {lookup.nbytes:,} B, and {labels.nchunks} chunks of labels that nobody reads and writes again")
print(f"objects {shown.min() + 1} to {shown.max()}")

# %% [markdown] tags=["section-bytes"]
# ## The best codec depends on how you number
#
# Labels lie in long runs of one number, so everything compresses them. **Guess the order**, smallest first, for the
# labels 1 to 96 as int32 in one chunk: Zstd alone, Zstd after a **[byte shuffle](../GLOSSARY.md#byte-shuffle)**, Zstd
# after a bit shuffle, gzip, and bzip2. And does the order stay if the labels are places, as our workers gave them?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
codecs = {
    "zstd": numcodecs.Zstd(3),
    "byte shuffle, zstd": numcodecs.Blosc("zstd", 3, numcodecs.Blosc.SHUFFLE),
    "bit shuffle, zstd": numcodecs.Blosc("zstd", 3, numcodecs.Blosc.BITSHUFFLE),
    "gzip": numcodecs.GZip(5),
    "bzip2": numcodecs.BZ2(9),
}
numberings = {"1 to 96": shown.astype("i4"), "places": whole.astype("i4")}
sizes = {name: {c: len(codec.encode(values)) for c, codec in codecs.items()} for name, values in numberings.items()}
for name, row in sizes.items():
    print(f"{name}: " + "; ".join(f"{c} {size:,}" for c, size in sorted(row.items(), key=lambda item: item[1])))
assert sizes["1 to 96"]["byte shuffle, zstd"] < sizes["1 to 96"]["zstd"]
assert sizes["places"]["byte shuffle, zstd"] > sizes["places"]["zstd"]

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.6, 3.4)
for k, ((name, row), colour) in enumerate(zip(sizes.items(), (BLUE, ORANGE), strict=True)):
    for at, size in enumerate(row.values()):
        panel.barh(at + 0.2 * (2 * k - 1), size, 0.36, color=colour, label=f"labels: {name}" if at == 0 else None)
        panel.text(size + 150, at + 0.2 * (2 * k - 1), f"{size:,}", va="center", fontsize=10)
panel.set(yticks=range(5), yticklabels=list(codecs), ylim=(4.6, -0.6), xlabel="bytes", xlim=(0, 19_500))
panel.set_title(f"The same {objects} objects, numbered in two ways")
panel.legend(loc="lower right")
told = "; ".join(f"{name}, {c}: {size:,} bytes" for name, row in sizes.items() for c, size in row.items())
codec_chart = viz.Chart.of(figure, "Bytes of labels", f"{told}.")
codec_chart.save(out / "figures" / "08_02_codecs.svg")
codec_chart

# %% [markdown]
# Small numbers have three bytes that are zero throughout: a shuffle puts them together, and helps. Places fill their
# bytes, and a shuffle cuts one long repeated number into three that must be found apart. Bit shuffle, the best for many
# measurements, is in neither case the best here. On your labels, measure.
#
# And do labels hold more than the mask? Pack it, eight pixels to a byte:

# %%
packed = np.packbits(bright)
mask_bytes = len(numcodecs.Zstd(3).encode(packed))
smallest = min(min(row.values()) for row in sizes.values())
assert np.array_equal(label(np.unpackbits(packed, count=bright.size).reshape(bright.shape) > 0, everything), whole)
print(f"mask: {packed.nbytes:,} B packed, {mask_bytes:,} B with zstd; the smallest labels: {smallest:,} B")

# %% [markdown]
# The labels are worked out from the mask, so they hold nothing that it does not. Where objects never touch, keep the
# mask. Where a person or a model has parted two that touch, only labels know.

# %% [markdown] tags=["section-operations"]
# ## What the join reads, and what a viewer reads
#
# We kept the edges in memory. What if a second program comes later, and reads the two lines along each border from the store? (A
# viewer or a **[halo](../GLOSSARY.md#halo)** would do the same.)

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
trace = TraceStore(labels.store)
later = zarr.open_array(trace, mode="r")
trace.clear()
pixels = 0
for at in range(chunk, height, chunk):
    pixels += later[at - 1 : at + 1].size
for at in range(chunk, width, chunk):
    pixels += later[:, at - 1 : at + 1].size
reads, share = trace.count("GET"), pixels / whole.size
print(f"{share:.1%} of the pixels, in {reads} requests; all of {labels.nchunks} chunks take {labels.nchunks}")

# %% [markdown]
# A line is thin, but it goes through chunks, and a chunk comes whole. The lines cost over three times what the picture
# costs. Keep the edges while you have them, or read the picture once.

# %% [markdown]
# A screen of 128 x 128 moves from the left edge to the right, 16 pixels at a time. What does each step read, with a
# **[cache](../GLOSSARY.md#cache)** of chunks and without?

# %%
steps = [(slice(96, 224), slice(at, at + 128)) for at in range(0, width - 127, 16)]
walked = {}
for name in ("no cache", "cache"):
    trace = TraceStore(labels.store)
    a = zarr.open_array(CacheStore(trace) if name == "cache" else trace, mode="r")
    counts = []
    for box in steps:
        trace.clear()
        assert np.array_equal(seen(a, box), shown[box])
        counts.append(trace.count("GET"))
    walked[name] = counts
    print(f"{name:9} {counts}, together {sum(counts)}")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 3.2)
for (name, counts), colour in zip(walked.items(), (VERMILION, BLUE), strict=True):
    panel.plot(range(1, len(counts) + 1), np.cumsum(counts), color=colour, marker="o", markersize=4)
    panel.text(len(counts) - 0.3, sum(counts) + 4, f"{name}: {sum(counts)}", ha="right", fontsize=10)
panel.axhline(labels.nchunks, color=GREY, linewidth=1)
panel.text(10, labels.nchunks + 4, f"the whole picture: {labels.nchunks}", fontsize=10)
panel.set(xlabel="step of the screen, 16 pixels to the right each", ylabel="requests so far", ylim=(0, 160))
panel.set_title("A screen moves across the labels")
told = f"Requests so far, step by step. No cache: {sum(walked['no cache'])} in the end; cache: {sum(walked['cache'])}."
walk_chart = viz.Chart.of(figure, "Requests of a viewer", f"{told} The whole picture would be {labels.nchunks}.")
walk_chart.save(out / "figures" / "08_02_viewer.svg")
walk_chart

# %% [markdown] tags=["section-wrong"]
# ## A smaller copy with objects that nobody saw
#
# Make the copy for zooming out as in [08_01](08_01_multiscale_pyramids.ipynb): the mean of every 2 x 2 pixels, now of
# labels. **Guess:** of the cells on an edge, where the four pixels differ, how many show a number that none of the four has?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
half = (height // 2, width // 2)
four = shown[: 2 * half[0], : 2 * half[1]].reshape(half[0], 2, half[1], 2).transpose(0, 2, 1, 3).reshape(*half, 4)
mean = (four.sum(axis=2) + 2) // 4
one_of_four = four[..., 0]
on_edge = four.max(axis=2) != four.min(axis=2)
invented = (four != mean[..., None]).all(axis=2)
print(f"{invented.sum():,} of {on_edge.sum():,} cells on an edge: {invented.sum() / on_edge.sum():.0%}")
print(f"taking one of the four instead: {len(np.unique(one_of_four)) - 1} of {objects} objects are left, none invented")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
colours = shades[np.concatenate([[0], first])].astype("u1")
figure, (left, right) = viz.canvas(8.4, 3.5, 1, 2)
part = (slice(84, 144), slice(100, 176))
wrong = colours[mean]
wrong[invented] = (255, 255, 255)
draw(left, wrong[part], "the mean: white cells are invented")
draw(right, colours[one_of_four][part], "one of the four")
told = f"A part of the half-size labels. Mean: {invented.sum():,} cells on edges, here white, have a number of none of"
half_chart = viz.Chart.of(figure, "Two smaller copies", f"{told} the four pixels. One of the four: no such cell.")
half_chart.save(out / "figures" / "08_02_half.svg")
half_chart

# %% [markdown]
# The mean of an object's number and the ground's 0 is half the number: another object, which lies elsewhere. A label is
# a name, and names have no mean. Take one of the four: nothing is invented, but dust between the samples is gone. So count at full size, and show copies.

# %% [markdown] tags=["section-predict"]
# ## Chunks of one row
#
# Cut the mask into rows of one pixel, 303 chunks. How many pieces, and how many objects after the join? Does a chunk
# of one row make the join harder? Write it down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
ids = np.zeros(bright.shape, "u4")
for i in range(height):
    box = (slice(i, i + 1), slice(0, width))
    ids[box] = label(bright[box], box)
rows_of_pieces = len(np.unique(ids)) - 1
row_pairs = [pair for i in range(1, height) for pair in touching(ids[i - 1 : i + 1])]
assert np.array_equal(renamed(ids, names(row_pairs)), whole)
print(f"{rows_of_pieces:,} pieces, joined {objects} objects: now all the work is in the join")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 08_02.1
#
# A solid rectangle covers rows 40 to 199 and columns 100 to 158, ends included. Chunks are 64 x 64. How many
# joins of two groups does union-find make, at least, before it is one object?
#
# <details><summary>Hint</summary>
# How many pieces are there, and what does a join do to the number of groups?</details>

# %% tags=["exercise"]
joins = ...
check("08_02.1", joins)

# %% [markdown]
# ### Exercise 08_02.2
#
# A screen of 256 x 256 shows rows 0 to 255 and columns 32 to 287, in chunks of 64 x 64, with a cache that keeps all. It
# moves 64 pixels to the right. How many requests does this step cost?
#
# <details><summary>Hint</summary>
# Which columns of chunks does it show before, and which after?</details>

# %% tags=["exercise"]
requests_of_the_step = ...
check("08_02.2", requests_of_the_step)

# %% [markdown]
# ### Exercise 08_02.3
#
# Write `count(pieces, pairs)`: how many objects there are, from the list of all pieces and the pairs of pieces that touch
# across a border. A pair may come twice, and a piece may touch none.
#
# <details><summary>Hint</summary>
# Start with as many groups as pieces. When does a pair make one fewer?</details>


# %% tags=["exercise"]
def count(pieces, pairs):
    """The number of objects."""
    ...


check("08_02.3", count)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `label` for each chunk, then `names(pairs)` | `da.map_blocks(ndimage.label)` numbers each block from 1: one number for many objects | the join |
# | edges kept while a chunk is in memory | `dask.array.overlap.overlap(a, 1)`: each block with a line of its neighbours | here: a function for it |
# | `mask.grid.region(coords)`, chunk by chunk | `dask.array.core.slices_from_chunks`, or `block_info` in `map_blocks` | - |
# | `one_of_four`, a smaller copy of labels | `coarsen(...).mean()` in xarray invents numbers; `isel(y=slice(None, None, 2))` does not | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Union-find over pairs of neighbours labels a mask; over pairs across borders it joins the pieces, exactly.
# - Names that are places in the whole picture need no counter, and do not depend on the cut.
# - Keep the edges of a chunk while you have it: read later, 5.2 % of the pixels take 98 requests instead of 30.
# - A table from pieces to objects is all that a viewer needs; no label is written again.
# - Small numbers like a byte shuffle, places do not; a packed mask is smaller than both, if no objects touch.
# - A label is a name: take one of four pixels for a smaller copy, never the mean.
#
# **Open questions.** The table fits in memory here. If it does not, who joins? And a chunk that is labelled again changes
# some names: which part of the table has to be worked out again?
#
# **To read further.**
#
# - [scipy.ndimage.label](https://docs.scipy.org/doc/scipy/reference/generated/scipy.ndimage.label.html): the labels that
#   ours are compared with, and what counts as a neighbour.
# - [OME-Zarr 0.5, labels](https://ngff.openmicroscopy.org/0.5/#labels-md): where labels lie beside an image, and how
#   viewers find them.
# - [dask-image's ndmeasure](https://image.dask.org/en/latest/dask_image.ndmeasure.html): labels of Dask arrays, joined.
#
# **Next.** [08_03](08_03_vcf_zarr_matrices.ipynb): how varied is a population, if two calls in a hundred are missing?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Four rows of chunks times two columns: 8 pieces. Each join that unites two groups makes one fewer.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_02.1", 4 * 2 - 1)

# %% [markdown]
# Columns of chunks 0 to 4 before, 1 to 5 after: one new column of four chunks.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_02.2", 1 * 4)

# %% [markdown]
# A pair counts when its two ends are not in one group yet.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def count(pieces, pairs):
    """The number of objects."""
    group = {piece: piece for piece in pieces}
    objects = len(group)
    for a, b in pairs:
        one, other = group[a], group[b]
        if one != other:
            objects -= 1
            group = {piece: one if name == other else name for piece, name in group.items()}
    return objects


check("08_02.3", count)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "shape": [height, width],
        "coins": data.truth["coins"],
        "threshold": coins.THRESHOLD,
        "bright": bright.sum(),
        "objects": objects,
        "chunk": chunk,
        "chunks": labels.nchunks,
        "pieces": len(pieces),
        "pairs": len(differ),
        "renamed": renamed_pieces,
        "pieces_by_length": {str(length): n for length, n in found.items()},
        "pieces_by_row": rows_of_pieces,
        "lengths": list(found),
        "screen": 128,
        "screen_step": 16,
        "at_least_200_pixels": (np.bincount(shown.ravel())[1:] >= 200).sum(),
        "border_reads": reads,
        "border_share": round(share, 6),
        "table_bytes": lookup.nbytes,
        "walked": walked,
        "together": {name: sum(counts) for name, counts in walked.items()},
        "steps": len(steps),
        "sizes": sizes,
        "label_bytes": whole.size * 4,
        "packed_bytes": packed.nbytes,
        "mask_bytes": mask_bytes,
        "on_edge": on_edge.sum(),
        "invented": invented.sum(),
        "left_of_one_of_four": len(np.unique(one_of_four)) - 1,
        "percent": {"border": round(100 * share, 1), "invented": round(100 * invented.sum() / on_edge.sum())},
    },
)
