# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Zoom into a brain without reading all of it
#
# **Question.** How does a viewer show a volume at once that would take minutes to read?
#
# ![Four views of a brain from the side, from the whole of it to a part of the cerebellum. Under each the chunks that
# were read for it: on a screen of 64 x 64 pixels never more than nine.](../../articles/figures/08_01_viewer.svg)
#
# *Above: what the screen shows while you zoom in. Below: what was read for it.*
#
# Microscopes and scanners make volumes of terabytes. A screen has two million pixels. If you must read the whole volume
# to fill the screen, you wait, and then see a picture in which most of what was read has been averaged away.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 55 minutes |
# | **Needs** | [01_02](../01_core_zarr/01_02_chunking_is_the_index.ipynb) |
# | **Code** | `tutorial_zarr/group.py`, `tutorial_zarr/chunk_io` |
# | **Article** | [The brain that fits in one chunk](../../articles/32_multiscale_pyramids.md) |
# | **Data** | the average of 152 brains, in voxels of 1 mm (`data_gen/brain.py`) |
#
# **You will be able to**
#
# - build a pyramid of smaller copies, chunk by chunk, without seams
# - say where each voxel of a copy lies, and prove that nothing moves when you zoom
# - write it as OME-Zarr, and have it judged by a program that is not yours
# - count what empty chunks save, and what they still cost
# - predict how many requests a viewer makes, at every zoom
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `levels` counts the volume and its smaller copies; `chunk` is the length of a chunk on each axis. `screen` is the
# size of our small screen in pixels, so that everything can be counted by hand.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: the viewer visits 200 places at every zoom, instead of 8
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
levels = 4
chunk = 32
screen = 64

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import gzip
import itertools
import json
import math
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np

import tutorial_zarr as zarr
from data_gen import brain
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import GREEN, ORANGE, SKY, VERMILION

# %% [markdown] tags=["section-data"]
# ## The average of 152 brains
#
# A template: 152 people were scanned, and their scans were warped onto one shape and averaged. Laboratories
# all over the world give places in its coordinates, in millimetres.

# %%
out = output_folder(out_dir)
in_range(levels=(levels, 3, 5), chunk=(chunk, 8, 128), screen=(screen, 16, 128))
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
data = brain.make("small", seed)
volume, origin = data.arrays["t1"], data.truth["origin"]
for fact, (value, low, high) in brain.realism(data).items():
    print(f"{fact:50}{value:8.2f}   expected {low:.1f} to {high:.1f}")
    assert low <= value <= high
print(f"{' x '.join(map(str, volume.shape))} (z, y, x) {volume.dtype}: {volume.nbytes:,} B, first voxel at {origin} mm")
print(data.provenance["source"], data.provenance["licence"], sep="\n")

# %% [markdown] tags=["section-idea"]
# ## A viewer takes the copy whose voxels are as large as its pixels
#
# A picture first. Three slices through one point, each at its place in millimetres.


# %% tags=["hide-input"] jupyter={"source_hidden": true}
def night(wide, high, rows, columns, **subplots):
    """A dark canvas without axes."""
    figure, panels = viz.canvas(wide, high, rows, columns, squeeze=False, **subplots)
    figure.set(facecolor="black", dpi=150)
    for panel in panels.flat:
        panel.set_axis_off()
    return figure, panels


def draw(panel, image, corner, voxel, title, **options):
    """An image whose first pixel has its centre at `corner`, in mm."""
    ends = [(c - voxel / 2, c + (n - 0.5) * voxel) for c, n in zip(corner, image.shape, strict=True)]
    options = {"cmap": "gray", "vmin": 0, "vmax": 255, "origin": "lower", "interpolation": "none", **options}
    panel.imshow(image, extent=[*ends[1], *ends[0]], **options)
    panel.set_title(title, color="white", fontsize=9, fontweight="normal")


# %% tags=["hide-input"] jupyter={"source_hidden": true}
point = (-32, -58, 4)  # mm: z, y, x; in the cerebellum, a little right of the middle
at = [round(mm - o) for mm, o in zip(point, origin, strict=True)]
figure, (panels,) = night(8.4, 3.1, 1, 3)
draw(panels[0], volume[:, :, at[2]], origin[:2], 1, "from the side")
draw(panels[1], volume[:, at[1]], origin[::2], 1, "from the back")
draw(panels[2], volume[at[0]], origin[1:], 1, "from above")
for panel, (down, across) in zip(panels, ((0, 1), (0, 2), (1, 2)), strict=True):
    panel.plot(point[across], point[down], marker="+", color=ORANGE, markersize=12)
    middle_of = (5, -17, 0)  # mm
    panel.set(xlim=np.add(middle_of[across], (-97, 97)), ylim=np.add(middle_of[down], (-97, 97)))
three_slices = viz.Chart.of(figure, "A brain", f"Three slices of a brain through one point, at z, y, x = {point} mm.")
three_slices.save(out / "figures" / "08_01_slices.svg")
three_slices

# %% [markdown]
# We cut it into chunks of 32 x 32 x 32 **[voxels](https://en.wikipedia.org/wiki/Voxel "The values of a volume on its
# grid: what pixels are to a picture.")**, and put copies beside it: half as long on each axis, again half, and so on,
# until a copy fits in one chunk (an **[image pyramid](https://en.wikipedia.org/wiki/Pyramid_%28image_processing%29 "An
# image or a volume with its smaller copies, each half as long on every axis as the one before.")**). A viewer takes the
# copy whose voxels are as large as the screen's pixels.
#
# **Write down three guesses.** The volume has 336 chunks; how many of them hold nothing but zeros? How much
# more must be kept for all copies together, in percent? And how many chunks are read before you see the whole brain?

# %% [markdown] tags=["section-build"]
# ## Build it small: the mean of every eight voxels
#
# A level of the pyramid is the mean of every eight voxels of the one before. To take one of the eight would be quicker,
# and bring **[aliasing](https://en.wikipedia.org/wiki/Aliasing "False patterns in data of which too few samples were
# kept; a mean before the sampling softens them.")**. Where the length is odd, the last voxel has no partner, and we
# leave it out.


# %%
def halve(block):
    """The mean of every 2 x 2 x 2 voxels, rounded. An odd voxel at the end is left out."""
    z, y, x = (n // 2 for n in block.shape)
    cubes = block[: 2 * z, : 2 * y, : 2 * x].reshape(z, 2, y, 2, x, 2)
    return ((cubes.sum(axis=(1, 3, 5), dtype="u2") + 4) // 8).astype("u1")


pyramid = [volume]
while len(pyramid) < levels:
    pyramid.append(halve(pyramid[-1]))
voxels = [level.size for level in pyramid]
overhead = sum(voxels) / voxels[0]
for k, level in enumerate(pyramid):
    print(f"level {k}: {level.shape!s:16} {level.size:9,} voxels of {2**k} mm")
print(f"all of them: {overhead:.4f} of the first; without an end it would be {8 / 7:.4f}")

# %% [markdown]
# One guess is settled: the copies cost 14 percent. Each is at most an eighth of the one before, and 1/8 + 1/64 + ... is
# 1/7.
#
# **Where does a voxel lie?** A voxel stands for its centre. Two become one: its centre is the mean of theirs.

# %%
centres = np.arange(8.0)
for k in range(3):
    print(f"level {k}: " + "".join(f"{centre:^{4 * 2**k}.1f}" for centre in centres))
    centres = centres.reshape(-1, 2).mean(axis=1)

# %% [markdown]
# So the first voxel of level *k* is not at 0. It is half of (2^k - 1) voxels further in: 0.5, then 1.5, then 3.5. That
# is the *translation* of the level; its *scale* is the size of its voxels. Together they are an **[affine
# transformation](https://en.wikipedia.org/wiki/Affine_transformation "A map from indices to places that stretches,
# turns and shifts, such as index times scale plus translation.")** without a turn. (OME's [draft of its next
# version](https://github.com/ome/ngff-spec) says the same: the size of a voxel, less that at level 0, halved.)


# %%
def placed(k):
    """Scale and translation of level `k`, in mm: index * scale + translation is where a voxel's centre lies."""
    return [2.0**k] * 3, [o + (2**k - 1) / 2 for o in origin]


def nearest(k, place=point):
    """The voxel of level `k` that is nearest to a place in mm."""
    (scale, *_), translation = placed(k)
    index = (math.floor((mm - t) / scale + 0.5) for mm, t in zip(place, translation, strict=True))
    return [min(max(i, 0), n - 1) for i, n in zip(index, pyramid[k].shape, strict=True)]


# %% [markdown]
# The mean of all places, weighted by their brightness, must not move from one level to the next.


# %%
def middle(values, scale, translation):
    """The centre of brightness, in mm."""
    found = []
    for axis, (s, t) in enumerate(zip(scale, translation, strict=True)):
        along = values.sum(axis=tuple({0, 1, 2} - {axis}), dtype="f8")
        found.append(float(along @ np.arange(len(along)) / along.sum() * s + t))
    return found


middles = [middle(level, *placed(k)) for k, level in enumerate(pyramid)]
drifting = [middle(level, placed(k)[0], origin) for k, level in enumerate(pyramid)]
for k in range(levels):
    with_it, without = np.round([middles[k], drifting[k]], 2) + 0.0  # no minus before a zero
    print(f"level {k}: centre at {with_it} mm; without the translation {without}")
assert np.allclose(middles, middles[0], rtol=0, atol=0.05)

# %% [markdown]
# With it the brain stays where it is, to a few hundredths of a millimetre. Without it, it creeps away as you zoom out.

# %% [markdown] tags=["section-library"]
# ## A group, its levels, and one document
#
# A group holds the levels as arrays, and its attributes say what they are, in the words of OME-Zarr: version
# [0.5](https://ngff.openmicroscopy.org/0.5/) in Zarr 3, version [0.4](https://ngff.openmicroscopy.org/0.4/) in Zarr 2.


# %%
def described_as(places):
    """The attributes of an image in OME-Zarr, with a (scale, translation) for each level."""
    axes = [{"name": name, "type": "space", "unit": "millimeter"} for name in "zyx"]
    datasets = []
    for k, (scale, translation) in enumerate(places):
        moves = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": translation}]
        datasets.append({"path": str(k), "coordinateTransformations": moves})
    image = {"name": "ICBM 152", "type": "mean", "axes": axes, "datasets": datasets}
    if zarr_format == 2:
        return {"multiscales": [{"version": "0.4", **image}]}
    return {"ome": {"version": "0.5", "multiscales": [image]}}


# %%
packed = {"name": "gzip", "configuration": {"level": 6}}
form = {"dtype": "u1", "chunks": (chunk,) * 3, "compressors": packed, "fill_value": 0, "dimension_names": list("zyx")}
if zarr_format == 2:
    form["chunk_key_encoding"] = {"name": "v2", "separator": "/"}  # as OME-Zarr 0.4 wants it


def new_image(folder, attributes):
    """A group of empty arrays, one for each level."""
    group = zarr.create_group(folder, attributes=attributes, zarr_format=zarr_format, overwrite=True)
    return group, [group.create_array(str(k), shape=level.shape, **form) for k, level in enumerate(pyramid)]


image, arrays = new_image(out / "brain.ome.zarr", described_as([placed(k) for k in range(levels)]))
arrays[0][...] = volume

# %% [markdown]
# Level 0 is written. A copy is made chunk by chunk, in threads: each chunk of it needs the box of twice its length
# from the level before. That box begins at an even voxel, so no pair is torn apart and no seam can show. No two threads
# write the same chunk, so no lock is needed.


# %%
def fill(k, coords):
    """Make one chunk of level `k` from the level before."""
    box = arrays[k].grid.region(coords)
    arrays[k][box] = halve(arrays[k - 1][tuple(slice(2 * s.start, 2 * s.stop) for s in box)])


with ThreadPoolExecutor(workers) as pool:
    for k in range(1, levels):
        list(pool.map(lambda coords, k=k: fill(k, coords), arrays[k].grid))
for k, array in enumerate(arrays):
    assert np.array_equal(array[...], pyramid[k])

# %% [markdown]
# The same as in memory, to the bit. And now the guess about the zeros:

# %%
stored = [array.nchunks_initialized for array in arrays]
sizes = [sum(a.store.get_size(a.chunk_key(coords)) for coords in viz.stored_chunks(a)) for a in arrays]
per_voxel = [size / np.count_nonzero(level) for size, level in zip(sizes, pyramid, strict=True)]
for k, array in enumerate(arrays):
    share = f"{stored[k]:3} of {array.nchunks:3} chunks are stored, {array.nchunks - stored[k]:3} are empty"
    print(f"level {k}: {share}; {sizes[k]:9,} B on the disk, {per_voxel[k]:.2f} for each voxel of brain")
more_bytes = sum(sizes) / sizes[0]
print(f"the copies take {100 * (overhead - 1):.1f} % more voxels, and {100 * (more_bytes - 1):.1f} % more bytes")

# %% [markdown]
# A brain is round and a volume is a box. A chunk whose voxels all are the fill value is not written
# ([01_01](../01_core_zarr/01_01_first_zarr_array.ipynb)): no file, no byte.
#
# In bytes the copies weigh more than in voxels. Their voxels lie further apart, so neighbours differ more, which the
# next cell counts, and gzip finds less to save.


# %%
def apart(level):
    """How much neighbours on the last axis differ, on average, where both are brain."""
    both = (level[..., 1:] > 0) & (level[..., :-1] > 0)
    return float(np.abs(np.diff(level.astype("int16"), axis=-1))[both].mean())


differences = [apart(level) for level in pyramid]
print("neighbours differ by", ", ".join(f"{value:.1f} at level {k}" for k, value in enumerate(differences)))
assert differences == sorted(differences)

# %% [markdown]
# Bright outlines are chunks that are stored:


# %%
def outline(panel, k, coords, **line):
    """A line around a chunk of level `k`, seen from the side."""
    (scale, *_), translation = placed(k)
    low, back = ((c * chunk - 0.5) * scale + t for c, t in zip(coords[:2], translation, strict=False))
    ends = [min((c + 1) * chunk, n) for c, n in zip(coords, arrays[k].shape, strict=True)]
    high, front = ((end - 0.5) * scale + t for end, t in zip(ends[:2], translation, strict=False))
    panel.plot([back, front, front, back, back], [low, low, high, high, low], **line)


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (panels,) = night(8.4, 2.2, 1, levels, sharex=True, sharey=True)
for k, panel in enumerate(panels):
    x, there = nearest(k)[2], viz.stored_chunks(arrays[k])
    draw(panel, arrays[k][:, :, x], placed(k)[1][:2], 2**k, f"level {k}: {stored[k]} of {arrays[k].nchunks} stored")
    for coords in (c for c in arrays[k].grid if c[2] == x // chunk):
        bright = coords in there
        outline(panel, k, coords, color=SKY if bright else "#56606e", linewidth=0.8, zorder=2 + bright)
told = ", ".join(f"{n} of {array.nchunks}" for n, array in zip(stored, arrays, strict=True))
described = f"Four levels of a brain from the side, in chunks; stored are {told}. Empty chunks are grey outlines."
four_levels = viz.Chart.of(figure, "The levels and their chunks", described)
four_levels.save(out / "figures" / "08_01_levels.svg")
four_levels

# %% [markdown] tags=["section-bytes"]
# ## The document that makes an image of arrays
#
# All that makes an image of a group of arrays is this document. A reader finds in it the levels and their places.

# %%
document = out / "brain.ome.zarr" / ("zarr.json" if zarr_format == 3 else ".zattrs")
attributes = json.loads(document.read_text(encoding="utf-8"))
attributes = attributes.get("attributes", attributes)
(multiscale,) = attributes.get("ome", attributes)["multiscales"]
print(f"{document.name}: OME-Zarr {attributes.get('ome', multiscale)['version']}, {multiscale['name']}")
for axis in multiscale["axes"]:
    print("  axis", json.dumps(axis))
for dataset in multiscale["datasets"]:
    print(f'  path "{dataset["path"]}"', *map(json.dumps, dataset["coordinateTransformations"]))

# %% [markdown]
# And the whole brain, from the single file of the last level, without any library:

# %%
key = arrays[-1].chunk_key((0, 0, 0))
whole = (out / "brain.ome.zarr" / key).read_bytes()
unpacked = np.frombuffer(gzip.decompress(whole), "u1").reshape((chunk,) * 3)
z, y, x = pyramid[-1].shape
assert np.array_equal(unpacked[:z, :y, :x], pyramid[-1][:chunk, :chunk, :chunk])
print(f"{key}: {len(whole):,} B, unpacked {unpacked.nbytes:,} B; {z} x {y} x {x} are the level, the rest is fill")

# %% [markdown] tags=["section-others"]
# ## A judge that is not ours
#
# Every level is read by other implementations, and by `ome-zarr`, with which microscopists read images, if it is here.

# %% tags=["nbval-ignore-output", "hide-cell"] jupyter={"source_hidden": true}
for k in range(levels):
    report = interop_check(out / "brain.ome.zarr", path=str(k), expected=pyramid[k])
    print(f"level {k}", report, "", sep="\n")
    assert not report.differing
if find_spec("ome_zarr"):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    (node,) = Reader(parse_url(str(out / "brain.ome.zarr")))()
    same = [np.array_equal(np.asarray(seen), level) for seen, level in zip(node.data, pyramid, strict=True)]
    print(f"ome-zarr: {sum(same)} of {levels} levels are equal")
    assert all(same)
else:
    print('ome-zarr: SKIPPED (not installed); try: python -m pip install "tutorial_zarr[bio]"')

# %% [markdown]
# The attributes are judged by `ome-zarr-models`, which holds them against OME's rules. A judge that accepts everything
# proves nothing, so it also gets images that are wrong on purpose.


# %%
def judged(folder):
    """What ome-zarr-models says of an image: accepted, or its reason."""
    import zarr as zarr_python
    from ome_zarr_models import v04, v05

    try:
        (v05 if zarr_format == 3 else v04).Image.from_zarr(zarr_python.open_group(folder, mode="r"))
    except ValueError as error:
        return "rejected: " + str(error).partition("Value error, ")[2].partition(" [type=")[0]
    return "accepted"


# %% tags=["nbval-ignore-output"]
def wrong_image(name, change):
    """An image whose description was changed by `change`, without voxels."""
    attributes = described_as([placed(k) for k in range(levels)])
    change(attributes.get("ome", attributes)["multiscales"][0])
    new_image(out / name, attributes)


wrong_image("short_scale.ome.zarr", lambda image: image["datasets"][0]["coordinateTransformations"][0]["scale"].pop())
wrong_image("coarse_first.ome.zarr", lambda image: image["datasets"].reverse())
wrong_image("two_z.ome.zarr", lambda image: image["axes"][1].update(name="z"))
wrong_image("no_translation.ome.zarr", lambda image: [d["coordinateTransformations"].pop() for d in image["datasets"]])
for folder in sorted(out.glob("*.ome.zarr")):
    print(f"{folder.name:24}", judged(folder) if find_spec("ome_zarr_models") else "SKIPPED (not installed)")

# %% [markdown]
# One of the wrong ones passes: the one without translations. Remember it.

# %% [markdown] tags=["section-operations"]
# ## A small screen asks for a few chunks, however large the volume
#
# Now the viewer. It shows a square of the slice from the side, `wide` mm long, on a screen of 64 x 64 pixels. It
# takes the coarsest level that still has a voxel for each pixel.


# %%
def level_for(wide):
    """The coarsest level that has a voxel for each pixel of the screen."""
    return min(max(int(math.log2(wide / screen)), 0), levels - 1)


def window(k, wide, place=point):
    """The selection of a square of `wide` mm around a place; at the border it is moved in, not cut."""
    n, index = round(wide / 2**k), nearest(k, place)
    starts = [max(0, min(i - n // 2, extent - n)) for i, extent in zip(index, pyramid[k].shape, strict=True)]
    return slice(starts[0], starts[0] + n), slice(starts[1], starts[1] + n), index[2]


# %%
watched = TraceStore(image.store)
traced = [zarr.open_array(watched, path=str(k), mode="r") for k in range(levels)]


def cost(array, selection, store=watched):
    """What a read shows and costs: the picture, requests, those of them that find nothing, and bytes."""
    store.clear()
    picture = array[selection]
    total = store.totals()["GET"]
    return picture, {"requests": total.requests, "empty": total.absent, "bytes": total.nbytes}


def show_costs(name, spent):
    print(f"{name:30}requests: {spent['requests']:4}, of which {spent['empty']:3} find nothing, {spent['bytes']:8,} B")


# %%
first, at_first = cost(traced[-1], np.s_[:, :, nearest(levels - 1)[2]])
show_costs(f"first look, level {levels - 1}", at_first)
zooms = (256, 128, 64, 32)  # mm
walk = {wide: cost(traced[level_for(wide)], window(level_for(wide), wide)) for wide in zooms}
alone = {wide: cost(traced[0], window(0, wide)) for wide in zooms}
for wide in zooms:
    show_costs(f"{wide:3} mm wide, from level {level_for(wide)}", walk[wide][1])
    show_costs("        with level 0 alone", alone[wide][1])

# %% [markdown]
# The third guess: one chunk. After that, at these zooms, never more than nine on this screen. With level 0 alone the
# first picture takes 48 requests, and most of what they bring is thrown away. In general a screen of p x q pixels, each
# as large as a voxel, touches at most (ceil((p - 1) / c) + 1) x (ceil((q - 1) / c) + 1) chunks of length c.


# %%
def zoomed(above, below, wide):
    """What the screen shows, and in its level what was read for it."""
    k = level_for(wide)
    selection, (picture, spent) = window(k, wide), walk[wide]
    corner = [s.start * 2**k + t for s, t in zip(selection[:2], placed(k)[1], strict=False)]
    draw(above, picture, corner, 2**k, f"{wide} mm, level {k}")
    ends = [
        c + (n - 1) * 2**k / 2 + np.array([-wide / 2, wide / 2]) for c, n in zip(corner, picture.shape, strict=True)
    ]
    above.set(xlim=ends[1], ylim=ends[0])
    draw(below, arrays[k][:, :, selection[2]], placed(k)[1][:2], 2**k, f"{spent['requests']} requests", alpha=0.55)
    for touch in traced[k].plan(selection).touches():
        outline(below, k, touch.coords, color=ORANGE, linewidth=1.1)
    below.set(xlim=(-136, 100), ylim=(-74, 118))


# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panels = night(8.4, 4.4, 2, len(zooms))
for wide, above, below in zip(zooms, *panels, strict=True):
    zoomed(above, below, wide)
told = "; ".join(f"{w} mm from level {level_for(w)}: {walk[w][1]['requests']} requests" for w in zooms)
described = (
    f"Four views of a brain from the side, from the whole of it to a part of the cerebellum, {told}. Under each "
)
described += "the slice of its level, with the chunks that were read outlined."
walk_in = viz.Chart.of(figure, "Zooming in", described)
walk_in.save(out / "figures" / "08_01_viewer.svg")
walk_in


# %% [markdown]
# The same, one zoom at a time: with `ipywidgets` (the extra `tutorial_zarr[labs]`) there is a slider above it.


# %% tags=["hide-input"] jupyter={"source_hidden": true}
from tutorial_zarr.labs.sliders import slide


def at_zoom(wide):
    """The two pictures of a zoom, side by side."""
    figure, ((left, right),) = night(6.4, 3.2, 1, 2)
    zoomed(left, right, wide)
    return viz.Chart.of(figure, "A zoom", f"{wide} mm of a brain, and the chunks that were read for it.")


slide(at_zoom, mm=zooms)

# %% [markdown]
# Is that so everywhere, or was the point chosen well? Many places, each at every zoom:

# %%
number = 8 if quick else 200
ends = np.array(volume.shape) - 1
places = [np.add(origin, ends * (s, s**2, 1 - s)).tolist() for s in np.linspace(0, 1, number)]
spread = {}
for wide in zooms:
    k = level_for(wide)
    counts = [cost(traced[k], window(k, wide, place))[1]["requests"] for place in places]
    spread[wide] = [min(counts), max(counts)]
    print(f"{wide:3} mm wide: {min(counts)} to {max(counts)} requests in {number} places")

# %% [markdown]
# At these four zooms a pixel is as large as a voxel. Between them it is up to twice as large, and the screen needs up
# to 127 x 127 voxels:

# %%
between = {}
for wide in range(zooms[-1], zooms[0] + 1):
    k = level_for(wide)
    between[wide] = max(traced[k].plan(window(k, wide, place)).chunks for place in places)
worst = max(between, key=between.get)
print(f"at any zoom from {zooms[-1]} to {zooms[0]} mm: at most {max(between.values())} requests, as at {worst} mm")
most_between = (math.ceil((2 * screen - 2) / chunk) + 1) ** 2
assert max(between.values()) <= most_between or screen * 2**levels <= zooms[0]
print(f"the bound for {2 * screen - 1} voxels on each axis: {most_between}")

# %% [markdown]
# And a volume a thousand times as long on each axis? It need not exist to be counted; a plan is enough.

# %%
huge = zarr.create_array({}, shape=tuple(1000 * n for n in volume.shape), dtype="u1", chunks=(chunk,) * 3)
slice_of_all = huge.plan(np.s_[:, :, 98_000]).chunks
levels_needed = 1 + math.ceil(math.log2(max(huge.shape) / chunk))
print(f"{huge.nbytes / 1e15:.1f} PB: a slice takes {slice_of_all:,} requests, or one of its level {levels_needed - 1}")

# %% [markdown]
# **Empty chunks are not quite free.** They take no byte, but a reader does not know that they are empty. It asks, and
# is told that there is nothing: a request like any other. A **[shard](../GLOSSARY.md#shard)** knows: its index says
# which of its chunks are there. It costs some bytes more, the index among them. (Shards are Zarr 3's, whatever this
# notebook's format.)

# %%
in_shards = {"shards": (4 * chunk,) * 3, "chunks": (chunk,) * 3, "compressors": packed, "zarr_format": 3}
sharded = zarr.create_array(out / "sharded.zarr", data=volume, fill_value=0, overwrite=True, **in_shards)
assert np.array_equal(sharded[...], volume)
watched_shards = TraceStore(sharded.store)
traced_shards = zarr.open_array(watched_shards, mode="r")
slice_from_the_side = np.s_[:, :, nearest(0)[2]]
plain_slice = cost(traced[0], slice_from_the_side)[1]
shard_slice = cost(traced_shards, slice_from_the_side, watched_shards)[1]
objects = len(list(sharded.store.list_prefix("c/")))
show_costs(f"a slice, {stored[0]} objects", plain_slice)
show_costs(f"a slice, {objects} shards", shard_slice)

# %% [markdown]
# What screens of three sizes ask for, at most, and what a longer chunk changes:


# %%
def most_requests(pixels, length):
    return math.prod(math.ceil((p - 1) / length) + 1 for p in pixels)


screens = {"64 x 64": (64, 64), "512 x 512": (512, 512), "1920 x 1080": (1920, 1080)}
bounds = {name: [most_requests(pixels, length) for length in (32, 64)] for name, pixels in screens.items()}
for name, (in_32, in_64) in bounds.items():
    print(f"a screen of {name:11}: at most {in_32:5,} requests in chunks of 32, {in_64:4,} in chunks of 64")
assert all(most <= bounds["64 x 64"][0] for _, most in spread.values()) or (screen, chunk) != (64, 32)

# %%
knob = {}
for length in (16, 32, 64, 128):
    asked = (math.ceil(511 / length) + 1) ** 2
    knob[length] = {"requests": asked, "megabytes": asked * length**3 / 1e6}
    print(f"chunks of {length:3}: {asked:5,} requests, {asked * length**3 / 1e6:5.1f} MB unpacked for 0.3 MB of pixels")

# %% [markdown]
# A slice is thin and a chunk is thick. Small chunks unpack little and ask often, and no length is best for both. Small
# chunks in shards ask for an index more, and need not be files of their own.

# %% [markdown] tags=["section-wrong"]
# ## The picture jumps, and the rules allow it
#
# One of the wrong images was accepted above: the one without translations. The rules allow it, because a level may lie
# anywhere. It shows like this, in the edge of the brain that level 3 sees, over level 0:

# %%
last_level = levels - 1
edge = pyramid[last_level][:, :, nearest(last_level)[2]]
off = (2**last_level - 1) / 2
figure, ((panel,),) = night(6.4, 4.6, 1, 1)
draw(panel, volume[:, :, nearest(0)[2]], origin[:2], 1, "")
for name, place, colour in (("with", placed(last_level)[1], GREEN), ("without", origin, VERMILION)):
    rows, columns = (np.arange(n) * 2**last_level + start for n, start in zip(edge.shape, place, strict=False))
    panel.contour(columns, rows, edge, levels=[45], colors=colour, linewidths=2)
    panel.plot([], [], color=colour, label=f"{name} its translation")
panel.annotate("", (-105 - off, -40 - off), (-105, -40), arrowprops={"arrowstyle": "->", "color": "white", "lw": 1.5})
panel.text(-110, -40, f"{off} mm down\nand back", color="white", ha="right")
panel.legend(loc="upper left", labelcolor="white")
panel.set(xlim=(-135, -45), ylim=(-75, -10))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
described = (
    f"The back of a brain with the edge that level {last_level} sees. With its translation the line lies on the "
)
described += f"edge; without, {off} mm too low and too far back. An arrow shows the way."
jump = viz.Chart.of(figure, "A level out of place", described)
jump.save(out / "figures" / "08_01_jump.svg")
jump

# %% [markdown]
# Half a voxel sounds harmless, but the voxels are 8 mm long. The rules allow it, so this validator accepts it. For a
# pyramid of means one line finds it: the first voxel of level k lies half of what the scale has grown further in. So
# does the centre of brightness, for any method that keeps it. Check a pyramid that you are given.


# %%
def in_place(places):
    """Whether the translations of a pyramid of means fit its scales."""
    (scale_0, start_0), *_ = places
    return all(np.allclose(start, np.add(start_0, np.subtract(scale, scale_0) / 2)) for scale, start in places)


right, jumps = [placed(k) for k in range(levels)], [(placed(k)[0], origin) for k in range(levels)]
print("with translations:", in_place(right), " without:", in_place(jumps))
assert in_place(right)
assert not in_place(jumps)

# %% [markdown]
# **A seam** comes from chunks of odd length: each is halved on its own, and each loses its last voxel.

# %%
odd = 33
torn = np.concatenate([halve(volume[start : start + odd]) for start in range(0, len(volume), odd)])
print(f"halved in slabs of {odd}: {len(torn)} voxels on z, and {len(pyramid[1])} when halved as a whole")

# %% [markdown] tags=["section-predict"]
# ## Labels take every second voxel
#
# Labels must not be averaged: between object 3 and object 5 there is no object 4. So take every second voxel instead:
# `volume[::2, ::2, ::2]`. Which translation has such a level? Write it down, and put it in place of the half.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
translation_in_voxels = 0.5  # of level 0; it was right for the mean
every_second = volume[::2, ::2, ::2]
found_at = middle(every_second, [2.0] * 3, [o + translation_in_voxels for o in origin])
off_by = np.subtract(found_at, middles[0])
print("its centre is off by", np.round(off_by, 2), "mm")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 08_01.1
#
# A pyramid goes on and on. How much do all its levels together need, measured in the first one, for a picture (two
# axes), and for a volume (three)? Answer with two numbers.
#
# <details><summary>Hint</summary>
# 1 + q + q^2 + ... is 1 / (1 - q). What is q for a picture?</details>

# %% tags=["exercise"]
two_sums = ...
check("08_01.1", two_sums)

# %% [markdown]
# ### Exercise 08_01.2
#
# A scanner in a hospital makes thick slices: voxels of 4 x 1 x 1 mm (z, y, x), the first at (0, 0, 0). It would be
# foolish to halve z while it is the coarsest. So levels 1 and 2 halve only y and x. What is the translation of level
# 2, in mm, for z, y and x?
#
# <details><summary>Hint</summary>
# On an axis that is not halved nothing is averaged. On the others four voxels became one.</details>

# %% tags=["exercise"]
three_mm = ...
check("08_01.2", three_mm)

# %% [markdown]
# ### Exercise 08_01.3
#
# A viewer shows the whole slice from above at z = -32 mm, of level 1, in chunks of 32. How many requests does it make,
# and how many of them find nothing? Answer with two numbers.
#
# <details><summary>Hint</summary>
# `pyramid[1]` has 116 x 98 voxels in such a slice. Where does z = -32 mm lie on its first axis? And a chunk is empty
# only if all of its 32 x 32 x 32 voxels are 0, not only those of the slice.</details>

# %% tags=["exercise"]
requests_and_empty = ...
check("08_01.3", requests_and_empty)

# %% [markdown]
# ### Exercise 08_01.4
#
# Write `halve_labels` for a picture of labels, a 2-D array of whole numbers: half as long on both axes, each value the
# most frequent of its 2 x 2; of equally frequent ones the smallest. An odd row or column at the end is left out.
#
# <details><summary>Hint</summary>
# `np.unique(four, return_counts=True)` gives the values in order, and how often each stands there.</details>


# %% tags=["exercise"]
def halve_labels(labels): ...


check("08_01.4", halve_labels)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `array.plan(selection).chunks` | - | the requests of a read, before it is made |
# | `array.grid`: the coordinates of all chunks; `array.grid.region(coords)` | `array.blocks[coords]` reads and writes a chunk | where a chunk lies, as slices |
# | `halve`, and `placed` for where its voxels lie | `xarray.DataArray.coarsen(..., boundary="trim").mean()`: the coordinates are averaged with the values | - |
# | a chunk of fill values is not written; `array.nchunks_initialized` | the same | - |
# | `create_group(attributes=...)`, `group.create_array(...)` | the same names | - |
# | `create_array(..., shards=...)`: inner chunks row after row | the same name: inner chunks in Morton order | a map as one stretch of bytes |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store).counter` | the bytes and the range of each request |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A level is the mean of every eight voxels of the one before. Made chunk by chunk, each chunk from a box that begins
#   at an even voxel, it has no seams.
# - A voxel stands for its centre, so level k begins (2^k - 1) / 2 voxels further in. The centre of brightness is the
#   same on all levels, or something has moved.
# - A group, its arrays and one document make an image of OME-Zarr. A validator finds what breaks the rules, and not
#   what is in the wrong place.
# - Empty chunks take no byte; each still takes a request, unless they lie in a shard.
# - A slice on a screen of p pixels, each as large as a voxel, touches at most ceil((p - 1) / c) + 1 chunks of length
#   c on an axis, whatever the volume: nine on a screen of 64 x 64, hundreds on a large one. Between two levels it is
#   more.
#
# **Open questions.** What about an axis of time? Who makes the levels again when a part of the volume changes? Which
# chunks should a viewer fetch before it is asked?
#
# **To read further.**
#
# - [OME-Zarr](https://ngff.openmicroscopy.org/): the specification, and the viewers and writers that follow it
# - [Why bioimaging moved to OME-Zarr](https://doi.org/10.1007/s00418-023-02209-1): the format as its makers describe it
# - [The Laplacian pyramid](https://doi.org/10.1109/TCOM.1983.1095851): the paper from which image pyramids come
#
# **Next.** [08_02](08_02_segmentation_masks.ipynb): can you label the objects of a picture chunk by chunk, and get exactly the
# objects?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# A quarter for a picture, an eighth for a volume.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_01.1", (1 / (1 - 1 / 4), 1 / (1 - 1 / 8)))

# %% [markdown]
# y and x were halved twice: centres at 0, 1, 2, 3 have their mean at 1.5. The scale is 4 x 4 x 4 now.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("08_01.2", (0.0, np.arange(4).mean(), np.arange(4).mean()))

# %% [markdown]
# Four by four chunks. Look which of them hold anything.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
depth = round((-32 - placed(1)[1][0]) / 2) // 32 * 32
slab = pyramid[1][depth : depth + 32]
in_the_slice = list(itertools.product(range(0, 116, 32), range(0, 98, 32)))
check("08_01.3", (len(in_the_slice), sum(not slab[:, y : y + 32, x : x + 32].any() for y, x in in_the_slice)))

# %% [markdown]
# `np.unique` is in order, and `argmax` takes the first of equals: the smallest.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def halve_labels(labels):
    rows, columns = labels.shape[0] // 2, labels.shape[1] // 2
    halved = np.zeros((rows, columns), labels.dtype)
    for i, j in np.ndindex(rows, columns):
        values, counts = np.unique(labels[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], return_counts=True)
        halved[i, j] = values[counts.argmax()]
    return halved


check("08_01.4", halve_labels)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "shapes": [level.shape for level in pyramid],
        "brains": data.truth["brains"],
        "nbytes": volume.nbytes,
        "voxels": voxels,
        "overhead": overhead,
        "overhead_percent": 100 * (overhead - 1),
        "overhead_forever_percent": 100 / 7,
        "zeros_percent": 100 * float((volume == 0).mean()),
        "litres": float((volume > 0).sum() / 1e6),
        "chunk": chunk,
        "screen": screen,
        "chunks": [array.nchunks for array in arrays],
        "stored": stored,
        "empty": [array.nchunks - n for array, n in zip(arrays, stored, strict=True)],
        "empty_percent": 100 * (1 - stored[0] / arrays[0].nchunks),
        "bytes": sizes,
        "bytes_in_all": sum(sizes),
        "bytes_per_voxel": per_voxel,
        "more_bytes_percent": 100 * (more_bytes - 1),
        "places": [placed(k) for k in range(levels)],
        "middles": np.round(middles, 6),
        "drifting": np.round(drifting, 6),
        "stays_within_mm": float(np.abs(np.subtract(middles, middles[0])).max().round(6)),
        "jump_mm": off,
        "last_level": last_level,
        "half_voxels": [(2**k - 1) / 2 for k in range(levels)],
        "ome_versions": [0.4, 0.5],
        "zooms_mm": zooms,
        "first_look": {**at_first, "kilobytes": at_first["bytes"] / 1000},
        "zooms": {str(wide): {"level": level_for(wide), **walk[wide][1]} for wide in zooms},
        "level_0_alone": {str(wide): alone[wide][1] for wide in zooms},
        "most_requests": max(most for _, most in spread.values()),
        "spread": {str(wide): ends for wide, ends in spread.items()},
        "between_levels": {"most": max(between.values()), "bound": most_between},
        "places_visited": number,
        "slice": {"plain": plain_slice, "shards": shard_slice, "objects": [stored[0], objects]},
        "found": plain_slice["requests"] - plain_slice["empty"],
        "huge": {
            "petabytes": huge.nbytes / 1e15,
            "slice_requests": slice_of_all,
            "levels": levels_needed,
            "shape": huge.shape,
        },
        "large_screen": 512,
        "knob": knob,
        "knob_lengths": list(knob),
        "torn": [odd, len(torn), len(pyramid[1])],
        "every_second_off": np.round(off_by, 6),
        "sums": [4 / 3, 8 / 7],
        "bounds": bounds,
        "hd": screens["1920 x 1080"],
        "differences": np.round(differences, 6),
    },
)
