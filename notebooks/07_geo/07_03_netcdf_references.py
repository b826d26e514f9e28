# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read a NetCDF file as Zarr, and leave it where it lies
#
# **Question.** Can Zarr read an old NetCDF file without copying a byte of its data?
#
# ![A NetCDF file from its first byte to its last. Nearly all of it is chunks of three variables; little lies between
# them.](../../articles/figures/07_03_bytes.svg)
#
# *One NetCDF file, from its first byte to its last. Who knows where a chunk lies needs no NetCDF library to read it.*
#
# Archives hold decades of NetCDF. To convert all of it takes weeks, and doubles the bill. But such a file is already cut
# into chunks. What Zarr lacks is a list: this chunk is in that file, from here to there.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 40 minutes |
# | **Needs** | [01_03](../01_core_zarr/01_03_compression_pipelines.ipynb), [07_01](07_01_climate_cube_windows.ipynb) |
# | **Code** | `tutorial_zarr/stores/references.py`, `tutorial_zarr/codecs/filters.py` |
# | **Article** | [The freezing point that went missing](../../articles/31_netcdf_references.md) |
# | **Data** | a projection for North America, 1860 to 2099 (`data_gen/climate.py`), written as NetCDF-4 |
#
# **You will be able to**
#
# - make a list of references to the chunks of a NetCDF file, and read it as Zarr
# - say what a read costs through references, and why a slow layout stays slow
# - name the codec for each filter of HDF5, and refuse what has none
# - find zeros that a reader took for missing, and bring them back
# - notice that a file changed behind its references
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `row` and `column` choose a place: 20 and 16 are near Denver.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # not used here: the file is small
workers = 4
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
row, column = 20, 16

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import hashlib
import json
import math

import numpy as np

import tutorial_zarr as zarr
from data_gen import climate
from tutorial_zarr import viz
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.lesson import check, in_range, need, output_folder, save_facts
from tutorial_zarr.stores import ReferenceStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION

# %% tags=["hide-input"] jupyter={"source_hidden": true}
need("h5netcdf")
need("xarray")
need("fsspec")
import h5netcdf
import h5py
import xarray as xr

out = output_folder(out_dir)
in_range(row=(row, 0, 36), column=(column, 0, 48), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## A NetCDF file of 240 maps
#
# Air temperatures of a climate model under scenario A1B, by the Met Office
# ([07_01](07_01_climate_cube_windows.ipynb)). Its own file has one raw chunk for each map, as `kelvin` has here. We
# write the file with h5netcdf, and add two more forms that archives are full of: whole degrees in two bytes, and
# compressed chunks. Real archives have thousands of such files.

# %%
data = climate.make("small", seed)
air = data.arrays["air_temperature"][0]
DIMS = ("year", "latitude", "longitude")
degrees = np.rint(air - 273.15).astype("i2")  # whole degrees Celsius


# %%
def write(path, kelvin, celsius):
    with h5netcdf.File(path, "w") as file:
        file.dimensions = dict(zip(DIMS, kelvin.shape, strict=True))
        for name in DIMS:
            file.create_variable(name, (name,), data=data.arrays[name])
        file.create_variable("kelvin", DIMS, data=kelvin, chunks=(1, 37, 49))
        file.create_variable("celsius", DIMS, data=celsius, chunks=(1, 37, 49))
        kept = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        file.create_variable("packed", DIMS, data=kelvin, chunks=(24, 37, 49), **kept)


path = out / "air.nc"
write(path, air, degrees)
print(f"{air.shape}: kelvin {air.nbytes:,} B, celsius {degrees.nbytes:,} B, and kelvin once more, compressed")

# %% [markdown] tags=["section-idea"]
# ## What lies in the file, byte by byte
#
# NetCDF-4 is **[HDF5](https://en.wikipedia.org/wiki/Hierarchical_Data_Format "A file format that holds many arrays in
# one file, each cut into chunks, with an index of where each chunk lies.")** with rules. h5py tells where each chunk lies.


# %%
def chunks_of(v):
    """Chunk index -> (first byte, bytes) of an HDF5 dataset."""
    if v.chunks is None:  # contiguous: one piece
        return {(0,) * v.ndim: (v.id.get_offset(), v.id.get_storage_size())}
    found = [v.id.get_chunk_info(i) for i in range(v.id.get_num_chunks())]
    return {
        tuple(at // n for at, n in zip(c.chunk_offset, v.chunks, strict=True)): (c.byte_offset, c.size) for c in found
    }


with h5py.File(path) as file:
    where = {name: chunks_of(v) for name, v in file.items()}
for name in ("kelvin", "celsius", "packed"):
    print(f"{name:8} {len(where[name]):3} chunks")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, (whole, part) = viz.canvas(7.6, 3.2, 2, 1)
colours = {"kelvin": BLUE, "celsius": ORANGE, "packed": GREEN}
size = path.stat().st_size
whole.barh(0, size / 1e6, color=GREY)
for name, colour in colours.items():
    places = list(where[name].values())
    for begin, length in places:
        whole.barh(0, length / 1e6, left=begin / 1e6, color=colour)
    middle = (min(begin for begin, _ in places) + max(sum(place) for place in places)) / 2e6
    whole.text(middle, 0.55, name, ha="center", va="bottom")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
part.barh(0, 40, color=GREY)
for k in range(4):
    begin, length = where["kelvin"][k, 0, 0]
    part.barh(0, length / 1e3, left=begin / 1e3, color=BLUE, edgecolor="white")
    if (begin + length) / 1e3 < 40:
        part.text((begin + length / 2) / 1e3, 0, f"{1860 + k}", ha="center", va="center", color="white")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
_ = whole.set(yticks=[], xlabel="byte of the file, millions", xlim=(0, size / 1e6))
_ = whole.set(ylim=(-0.45, 1.0), title="The whole file")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
part.set(yticks=[], xlabel="byte of the file, thousands", xlim=(0, 40))
_ = part.set_title("Its beginning: the first maps in kelvin (grey: all else)")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
told = "A NetCDF file from its first byte to its last: chunks of kelvin, celsius and packed fill nearly all of it. "
told += "Its beginning: little else, and then one map of kelvin after the other, each 7,252 bytes."
bytes_chart = viz.Chart.of(
    figure, "What lies where in a NetCDF file", told, unequal="the second is the begin, enlarged"
)
bytes_chart.save(out / "figures" / "07_03_bytes.svg")
bytes_chart

# %% [markdown]
# **Write down three guesses.** How many requests does one map take through such a list, and one place through all
# years? And: if every byte that is read is right, can a value still be wrong?

# %% [markdown] tags=["section-build"]
# ## Build it small: a list of places in a file
#
# A **[reference set](https://fsspec.github.io/kerchunk/spec.html "A list that gives for each key of a Zarr store its
# value, or the file, the first byte and the number of bytes where it lies.")** gives for each key of a store either a
# text, or `[file, first byte, bytes]`. First without metadata: one chunk, by hand.

# %%
begin, length = where["kelvin"][140, 0, 0]
with open(path, "rb") as file:
    file.seek(begin)
    one_map = np.frombuffer(file.read(length), "<f4").reshape(37, 49)
assert np.array_equal(one_map, air[140])
print(f"{length:,} bytes of the file are the map of the year 2000: 37 x 49 x 4 = {37 * 49 * 4:,}")

# %% [markdown]
# What is done to a chunk in HDF5 is a list of *filters*, numbered. Each needs a **[codec](../GLOSSARY.md#codec)** of the
# same meaning. What has none is refused here, with its name.

# %%
FILTERS = {1: "zlib", 2: "shuffle", 3: "fletcher32"}


def codecs_of(v):
    """The filters of an HDF5 dataset as numcodecs knows them, in the order of writing."""
    made, plist = [], v.id.get_create_plist()
    for k in range(plist.get_nfilters()):
        number, _, values, name = plist.get_filter(k)
        if number not in FILTERS:
            raise NotImplementedError(f"{v.name}: filter {number} ({name.decode()}) has no codec here")
        settings = {1: {"level": values[0] if values else 0}, 2: {"elementsize": v.dtype.itemsize}}
        made.append((FILTERS[number], settings.get(number, {})))
    return made


# %%
with h5py.File(path) as file:
    packed_codecs = codecs_of(file["packed"])
    print("packed:", packed_codecs)

# %% [markdown]
# Then the metadata of the array, in the words of either format.


# %%
def metadata(v, zarr_format):
    """The name and the content of a dataset's metadata document."""
    codecs, chunks, fill = codecs_of(v), list(v.chunks or v.shape), v.fillvalue.item()
    dims = list(DIMS) if v.ndim == 3 else [v.name[1:]]
    common = {"zarr_format": zarr_format, "shape": list(v.shape), "fill_value": fill}
    if zarr_format == 2:
        filters = [{"id": name, **settings} for name, settings in codecs] or None
        more = {"chunks": chunks, "dtype": v.dtype.str, "order": "C", "compressor": None, "filters": filters}
        return {".zarray": {**common, **more}, ".zattrs": {"_ARRAY_DIMENSIONS": dims}}
    steps = [{"name": f"numcodecs.{name}", "configuration": settings} for name, settings in codecs]
    steps = [{"name": "bytes", "configuration": {"endian": "little"}}, *steps]
    grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    more = {"node_type": "array", "data_type": v.dtype.name, "chunk_grid": grid, "codecs": steps}
    more |= {"chunk_key_encoding": {"name": "v2"}, "dimension_names": dims, "attributes": {}}
    return {"zarr.json": {**common, **more}}


# %% [markdown]
# And the whole set. `{{u}}` stands for the file: a template, so that the file can move.


# %%
def reference_set(path, zarr_format):
    """All variables of a NetCDF-4 file as a reference set."""
    group = {2: {".zgroup": {}}, 3: {"zarr.json": {"node_type": "group", "attributes": {}}}}[zarr_format]
    refs = {name: json.dumps({"zarr_format": zarr_format, **document}) for name, document in group.items()}
    with h5py.File(path) as file:
        for name, v in file.items():
            for key, document in metadata(v, zarr_format).items():
                refs[f"{name}/{key}"] = json.dumps(document)
            for index, place in chunks_of(v).items():
                refs[f"{name}/{'.'.join(map(str, index))}"] = ["{{u}}", *place]
    return {"version": 1, "templates": {"u": str(path)}, "refs": refs}


# %%
made = reference_set(path, zarr_format)
for key in ("kelvin/0.0.0", "kelvin/1.0.0"):
    print(key, "->", f"{made['refs'][key][2]:,} bytes of {made['refs'][key][0]}")

# %% [markdown] tags=["section-library"]
# ## A reference set is a store like any other
#
# The store asks other stores for ranges. `roots` names the folders and URLs to which the set may lead: one from somebody
# else could name any file of yours. Of a set that lies in a file, `reference://air.json`, it is by default the folder of that
# file.


# %%
def through(made):
    """A store that counts, over a reference set."""
    return TraceStore(ReferenceStore(made, roots=path.parent))


trace = through(made)
group = zarr.open_group(trace, mode="r")
with h5netcdf.File(path) as file:
    for name in file.variables:
        assert np.array_equal(group[name][...], file.variables[name][...])
print(f"{len(file_names := sorted(group))} variables, equal to h5netcdf's: {', '.join(file_names)}")

# %% [markdown]
# Not a byte was copied, and HDF5 was not asked. Now the cost: a map, and a place through all years.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
questions = {"a map": np.s_[140], "a place": np.s_[:, row, column]}
costs = {}
for name in ("kelvin", "packed"):
    a = group[name]
    for asked, selection in questions.items():
        trace.clear()
        assert np.array_equal(a[selection], air[selection])
        costs[name, asked] = trace.count("GET")
        decoded = trace.count("GET") * math.prod(a.chunks) * 4
        print(f"{name:7} {asked:8} {trace.count('GET'):4} requests, {decoded:9,} bytes decoded")
assert costs["kelvin", "a place"] == 240

# %% [markdown]
# One map: one request. One place: 240 of them (**[read amplification](../GLOSSARY.md#read-amplification)**). References
# give you Zarr's door to the file. They do not change what lies behind it: a layout that is slow for your question stays
# slow, and only a copy in other chunks mends that ([07_01](07_01_climate_cube_windows.ipynb)).

# %% [markdown] tags=["section-bytes"]
# ## HDF5 says gzip and means zlib
#
# h5py calls the filter "gzip". Zarr has a codec of that name. Both compress with the same algorithm (DEFLATE). Is it the
# same codec? Look at the first two bytes of what shuffle and compression left.

# %%
begin, length = where["packed"][0, 0, 0]
with open(path, "rb") as file:
    file.seek(begin)
    start = file.read(2).hex(" ")
two = reference_set(path, 2)
wrong = json.loads(json.dumps(two))
document = json.loads(wrong["refs"]["packed/.zarray"])
document["filters"] = [{"id": "gzip", "level": 4} if f["id"] == "zlib" else f for f in document["filters"]]
wrong["refs"]["packed/.zarray"] = json.dumps(document)
print(f"first bytes {start}; those of gzip are 1f 8b")
try:
    zarr.open_group(through(wrong), mode="r")["packed"][0]
except ZarrError as error:
    print(type(error).__name__)

# %% [markdown]
# What fails is the **[zlib envelope](https://en.wikipedia.org/wiki/Zlib "A library and an envelope for DEFLATE streams
# with a header of two bytes; gzip has another header.")**. This one is loud, at least.
#
# Not all has a codec. Scale and offset, HDF5's lossy filter (NetCDF forbids it, other HDF5 files
# have it), has none here, and it is a good one to leave behind:

# %%
with h5py.File(out / "scaled.h5", "w") as file:
    file.create_dataset("t", data=np.float32([20.123, np.nan, 20.456, 21.789]), chunks=(4,), scaleoffset=2)
with h5py.File(out / "scaled.h5") as file:
    scaled = file["t"][...]
    print("stored 20.123, nan, 20.456, 21.789; HDF5 itself reads", ", ".join(f"{x:.3f}" for x in scaled))
    try:
        codecs_of(file["t"])
    except NotImplementedError as error:
        refused = str(error)
        print(refused)

# %% [markdown]
# HDF5 made a temperature of the NaN, in silence. Also without references: strings of any length (they lie in a heap
# elsewhere in the file), and chunks of two files that do not fit one grid.

# %% [markdown] tags=["section-others"]
# ## Every byte is right, and the freezing point is gone
#
# Now the same set in format 2, in which kerchunk's references are written, through xarray and zarr-python. Same bytes,
# same offsets.
#
# **Guess.** In how many of the 435,120 values of `celsius` does xarray differ from h5netcdf?


# %%
def by_xarray(made):
    options = {"fo": made, "remote_protocol": "file", "skip_instance_cache": True}
    given = {"consolidated": False, "storage_options": options}
    with xr.open_dataset("reference://", engine="zarr", backend_kwargs=given) as dataset:
        return dataset.load()


seen = by_xarray(two)

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
assert np.array_equal(seen["kelvin"], air)
lost = np.isnan(seen["celsius"].to_numpy())
means = float(degrees.mean(dtype="f8")), float(seen["celsius"].mean(dtype="f8"))
print(f"celsius was {degrees.dtype}, is {seen['celsius'].dtype}")
print(f"NaN in {lost.sum():,} of {lost.size:,} values; there h5netcdf has {np.unique(degrees[lost])}")
print(f"mean of all: {means[0]:.3f} degrees in the file, {means[1]:.3f} through xarray")
assert np.array_equal(lost, degrees == 0)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 4.0)
shown = np.ma.masked_array(degrees[140], lost[140])
east, north = data.arrays["longitude"] - 360, data.arrays["latitude"]
shade = panel.pcolormesh(east, north, shown, cmap="cividis", shading="nearest", rasterized=True)
holes = np.argwhere(lost[140])
panel.plot(east[holes[:, 1]], north[holes[:, 0]], "s", color=VERMILION, markersize=5, label="NaN: stored as 0 degrees")
panel.set(xlabel="degrees east", ylabel="degrees north", title="The mean of the year 2000, read through references")
panel.legend(loc="lower left")
_ = figure.colorbar(shade, ax=panel, label="degrees Celsius")
told = f"A map of North America. {len(holes)} of its places have no value; they lie where it is 0 degrees."
hole_chart = viz.Chart.of(figure, "The freezing point is missing", told)
hole_chart.save(out / "figures" / "07_03_holes.svg")
hole_chart

# %% [markdown]
# Two meanings of one word. In HDF5 a **[fill value](../GLOSSARY.md#fill-value)** is what a chunk holds that was never
# written; unless told otherwise, 0. So it is in Zarr, and so the set says 0. But xarray takes the fill value of a
# format-2 array for NetCDF's `_FillValue`: *missing*. The file never said that. `kelvin` escaped since nothing there is
# at 0 K.
#
# VirtualiZarr's export for kerchunk says 0 as well. kerchunk itself says `null` for variables of NetCDF, and gives other
# HDF5 its fill value. Every chunk of this file exists, so none is needed. Say `null`.

# %%
mended = json.loads(json.dumps(two))
for key, text in two["refs"].items():
    if key.endswith(".zarray"):
        mended["refs"][key] = json.dumps({**json.loads(text), "fill_value": None})
again = by_xarray(mended)
assert np.array_equal(again["celsius"], degrees)
print(f"fill_value null: {again['celsius'].dtype}, {int(np.isnan(again['celsius']).sum())} values missing")

# %% [markdown]
# Format 3 parts the two: there, missing is only what an attribute `_FillValue` names.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
three = by_xarray(
    reference_set(path, 3) | {"refs": {k: v for k, v in reference_set(path, 3)["refs"].items() if "packed" not in k}}
)
assert np.array_equal(three["celsius"], degrees)
print(f"format 3, fill value 0: {three['celsius'].dtype}, {int(np.isnan(three['celsius']).sum())} values missing")

# %% [markdown] tags=["section-wrong"]
# ## Somebody replaced the file
#
# The model is run again: scenario E1 instead of A1B, written to the same name. Our list is not made again. **Guess:**
# an error, an old value, or a new one?

# %%
kept = {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
other = data.arrays["air_temperature"][1]
write(path, other, np.rint(other - 273.15).astype("i2"))
group = zarr.open_group(through(made), mode="r")
changed = np.flatnonzero((group["kelvin"][...] != air).any(axis=(1, 2)))
print(f"kelvin: no error; {len(changed)} of {len(air)} years are E1's, from {1860 + changed[0]} on")
assert np.array_equal(group["kelvin"][...], other)
try:
    group["packed"][...]
    print("packed: no error")
except ZarrError as error:
    packed_error = type(error).__name__
    print(f"packed: {packed_error}")

# %% [markdown]
# Raw chunks have the same places in both files, so the old list fits, and gives another world. Compressed ones moved, and
# their **[checksum](../GLOSSARY.md#checksum)** says so. Keep the size and a checksum of the file with the list, and
# compare before you trust it:

# %%
now = {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
print("the file is the one that was listed:", now == kept)
write(path, air, degrees)
assert np.array_equal(zarr.open_group(through(made), mode="r")["kelvin"][...], air)

# %% [markdown] tags=["section-predict"]
# ## Ten years of one place, in both forms
#
# Ten years from 2000 on, at one place. Requests from `kelvin`, with a chunk for each year, and from `packed`, with 24 years
# in one? Write them down, and run.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
trace = through(made)
group = zarr.open_group(trace, mode="r")
decade = {}
for name in ("kelvin", "packed"):
    a = group[name]
    trace.clear()
    a[140:150, row, column]
    decade[name] = trace.count("GET")
    print(f"{name}: {decade[name]} requests")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 07_03.1
#
# Raw chunks of 7,252 bytes lie one after the other. The first begins at byte 9,280. Where does chunk 100 begin, counted
# from 0?
#
# <details><summary>Hint</summary>
# How many chunks lie before it?</details>

# %% tags=["exercise"]
first_byte = ...
check("07_03.1", first_byte)

# %% [markdown]
# ### Exercise 07_03.2
#
# Files of 60 years each, in chunks of 24 years, are to be joined along time by references alone. How many of four such
# files can lie one after the other before the regular grid breaks?
#
# <details><summary>Hint</summary>
# All chunks but the last of an array are whole.</details>

# %% tags=["exercise"]
files_that_fit = ...
check("07_03.2", files_that_fit)

# %% [markdown]
# ### Exercise 07_03.3
#
# Write `joined(one, two, chunks)`: the chunks of two files one after the other along the first axis. Both are dicts from
# keys such as `"3.0.0"` to references; the first file has `chunks` chunks along that axis. Change neither.
#
# <details><summary>Hint</summary>
# Only the first number of the second file's keys changes.</details>


# %% tags=["exercise"]
def joined(one, two, chunks):
    """The references of `one`, and those of `two` behind them."""
    ...


check("07_03.3", joined)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `ReferenceStore(refs, roots=folder)` | `zarr.storage.FsspecStore.from_url("reference://", storage_options=...)` | `roots`: fsspec reads any file that the set names |
# | `reference_set(path, 2)`, written by hand | kerchunk's `SingleHdf5ToZarr(path).translate()`: the same places; a variable with Fletcher's checksum is left out, with a warning | here: a scanner of files |
# | zeros of `celsius` are zeros | xarray takes the fill value of format 2 for a missing value; `mask_and_scale=False` does not | - |
# | fill value 0 in `reference_set(path, 2)` | VirtualiZarr's `to_kerchunk` writes 0 as well: the same zeros go missing | - |
# | a filter without a codec is refused | h5py reads it, with HDF5's own code | here: HDF5's filters |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Ask h5py where each chunk lies; add the metadata of an array: that is a reference set, and Zarr reads it.
# - A request for each chunk that a read touches, as ever: one for a map, 240 for a place.
# - Shuffle, zlib and Fletcher's checksum have codecs; "gzip" of HDF5 is zlib; scale-offset is refused.
# - A fill value of 0 made stored zeros missing. Compare one variable with h5netcdf; use `null` where every chunk exists.
# - References know nothing of the file: keep its size and checksum with them.
#
# **Open questions.** A list of a million chunks is itself a large file: kerchunk keeps such lists in Parquet, Icechunk in
# manifests. When does a list pay, and when a copy?
#
# **To read further.**
#
# - [The kerchunk specification](https://fsspec.github.io/kerchunk/spec.html): what may stand in a reference set.
# - [VirtualiZarr](https://virtualizarr.readthedocs.io/): the same lists, as arrays that xarray can join.
# - [HDF5 filters](https://docs.h5py.org/en/stable/high/dataset.html): what h5py may have done to a chunk.
#
# **Next.** [08_01](../08_bio/08_01_multiscale_pyramids.ipynb): how does a viewer open a volume that does not fit into memory?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# A hundred chunks lie before chunk 100.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("07_03.1", 9280 + 100 * 7252)

# %% [markdown]
# One: 60 is two and a half chunks of 24, and a half chunk may only be the last.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("07_03.2", 1)

# %% [markdown]
# Raise the first number of each key of the second file.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def joined(one, two, chunks):
    """The references of `one`, and those of `two` behind them."""
    both = dict(one)
    for key, place in two.items():
        index, dot, rest = key.partition(".")
        both[f"{int(index) + chunks}{dot}{rest}"] = place
    return both


check("07_03.3", joined)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
(out / "references.json").write_text(json.dumps({**two, "templates": {"u": "air.nc"}}), encoding="utf-8")
save_facts(
    out,
    {
        "shape": list(air.shape),
        "nbytes": {"kelvin": air.nbytes, "celsius": degrees.nbytes, "a map": air[0].nbytes},
        "chunks": {name: len(places) for name, places in where.items()},
        "costs": {f"{name}: {asked}": n for (name, asked), n in costs.items()},
        "values": int(lost.size),
        "lost": int(lost.sum()),
        "lost_percent": round(100 * float(lost.mean()), 1),
        "lost_in_2000": len(holes),
        "means": [round(value, 3) for value in means],
        "too_warm": round(means[1] - means[0], 2),
        "scaled": [round(float(x), 3) for x in scaled],
        "stored": [20.123, 20.456, 21.789],
        "packed_years": 24,
        "refused": refused,
        "years_of_another_world": len(changed),
        "first_of_them": 1860 + int(changed[0]),
        "years_equal": len(air) - len(changed),
        "packed_error": packed_error,
        "decade": decade,
    },
)
