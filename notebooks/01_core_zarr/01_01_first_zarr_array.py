# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Write your first Zarr array and look at the disk
#
# **Question.** You create an array, write a corner of it and read it back: what is on the disk?
#
# ![A map of land under a grid of chunks; squares of sea are empty.](../../articles/figures/01_01_land.svg)
#
# *The Earth's land in chunks of ten by ten degrees. The empty squares hold nothing but sea,
# and are not stored anywhere.*
#
# A climate model or a year of trades does not fit into memory, and most questions need only a small part. Zarr cuts an
# array into tiles and stores each tile, a **[chunk](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html "One
# tile of an array: a block of values that is stored as one object, and read and written as a whole when it is
# compressed.")**, under a name that anyone can work out. There is no index to search and no server to ask, so the same
# layout works in a folder, in a zip file, and in a bucket on the other side of the world. Zarr is to arrays what
# Parquet is to tables.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 40 minutes |
# | **Needs** | Python and a little NumPy |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/api.py`, `tutorial_zarr/stores` |
# | **Article** | [Ninety-six chunks that are not there](../../articles/01_first_zarr_array.md) |
# | **Data** | a test matrix (`data_gen/matrix.py`), a real map of land (`data_gen/land.py`) |
#
# **You will be able to**
#
# - say which objects a write makes, and why the rest of the array costs nothing
# - name every key of a v2 and of a v3 array, and decode a chunk by hand
# - count the requests behind a read, and stream an array that you never hold whole
# - save, reopen, and let other libraries read what you wrote
# - recognise the one failure that Zarr does not report: a chunk that is missing
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# The notebook writes Zarr v3, and shows v2 once beside it. `zarr_format` turns that around.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: declare an array of four terabytes instead of forty gigabytes
workers = 4  # chunks in flight in the parallel stream
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
n = 1000  # rows and columns of the matrix
chunk = 100  # rows and columns of a chunk

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import shutil

import numpy as np

import tutorial_zarr as zarr
from data_gen import land, matrix
from tutorial_zarr import tiny, viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, interop_from_others, output_folder, save_facts
from tutorial_zarr.stores import TraceStore

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(n=(n, 400, 4000), chunk=(chunk, 10, 200), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-idea"]
# ## A grid of tiles, and a name for each
#
# Our array is a test matrix whose values name their own position: the value at row 3, column 7 is 3007.

# %%
values = matrix.make("small", seed).arrays["matrix"][:n, :n]
print(values[3, 7], values.shape, values.dtype)

# %% [markdown]
# Cut it into chunks of equal size. We are going to write the corner inside the dashed line. Count the chunks that it
# covers.

# %%
viz.chunk_grid(shape=(n, n), chunks=(chunk, chunk), selection=np.s_[:200, :200], title="The plan")

# %% [markdown]
# To find one value, divide. The quotient is the chunk, the remainder is the place in it, and the name follows:
#
# > `a[137, 42]` → divide by 100 → chunk (1, 0), place (37, 42) → name it `c/1/0` → fetch, decompress → `137042`

# %%
index = (137, 42)
coords = (137 // chunk, 42 // chunk)
place = (137 % chunk, 42 % chunk)
print(f"a[137, 42] is at {place} in chunk {coords}")

# %% [markdown]
# Now write it. This is all of it, for a folder of your own: make an array, and assign to a part of it.

# %%
first = zarr.create_array(out / "first.zarr", shape=(1000, 1000), chunks=(100, 100), dtype="int32", overwrite=True)
first[:200, :200] = 7
print(first[199, 198:202])

# %% [markdown]
# Before you run the next cell: which files will be in the folder `first.zarr`?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
files = sorted(file.relative_to(out / "first.zarr").as_posix() for file in (out / "first.zarr").rglob("*"))
print([name for name in files if (out / "first.zarr" / name).is_file()])

# %% [markdown] tags=["section-build"]
# ## Build it small: a store is a dictionary
#
# `tutorial_zarr/tiny.py` is Zarr in 200 lines that you can read in one sitting, and its folders are real Zarr. Here is
# the same array, made with it:

# %%
shutil.rmtree(out / "tiny.zarr", ignore_errors=True)  # so that this cell can be run again
small = {"shape": (1000, 1000), "chunks": (100, 100), "dtype": "int32", "compressor": "gzip"}
made = tiny.create_array(out / "tiny.zarr", **small)
made[:200, :200] = 7
print("read by tiny.py:", made[199, 198:202], " by the library:", zarr.open(out / "tiny.zarr")[199, 198:202])
assert np.array_equal(zarr.open(out / "tiny.zarr")[...], first[...])

# %% [markdown]
# Smaller still: to Zarr a **[store](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html "Anything that keeps
# bytes under names: a folder, a zip file, a bucket in the cloud, or a dictionary in memory.")** is a dictionary from
# names to bytes. Put one JSON document into it, and it is an empty array. This is the older format, Zarr v2, because
# its document is shorter.


# %%
import gzip
import itertools
import json
import zlib


def create_small(shape, chunk):
    """A Zarr v2 array in a dictionary: one document, and no chunk yet."""
    layout = {"shape": shape, "chunks": [chunk, chunk], "order": "C"}
    values = {"dtype": "<i4", "fill_value": 0, "filters": None, "compressor": {"id": "gzip", "level": 5}}
    return {".zarray": json.dumps({"zarr_format": 2, **layout, **values}).encode()}


# %% [markdown]
# Writing takes four steps for each chunk: cut, lay out as bytes, compress, store under the two numbers. (31 asks zlib
# for gzip's frame, with no time in it.) What compresses and decompresses is the
# **[codec](https://en.wikipedia.org/wiki/Codec "A pair of functions, one that encodes and one that decodes; a Zarr
# array names its codecs in its metadata.")**. A chunk that is not there reads as the
# **[fill value](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html "The value, named in an array's
# metadata, that a reader returns wherever no chunk is stored.")**.


# %%
def write_small(store, block, chunk):
    """Write a block that begins at row 0, column 0 and ends at the edges of chunks."""
    rows, columns = block.shape[0] // chunk, block.shape[1] // chunk
    for i, j in itertools.product(range(rows), range(columns)):
        tile = block[i * chunk : (i + 1) * chunk, j * chunk : (j + 1) * chunk]
        store[f"{i}.{j}"] = zlib.compress(tile.astype("<i4").tobytes(), 5, wbits=31)


def read_small(store, i, j, chunk):
    """Read one value. A chunk that is not there reads as the fill value."""
    data = store.get(f"{i // chunk}.{j // chunk}")
    if data is None:
        return json.loads(store[".zarray"])["fill_value"]
    return int(np.frombuffer(gzip.decompress(data), "<i4").reshape(chunk, chunk)[i % chunk, j % chunk])


# %% [markdown]
# Is that really Zarr? Hand our dictionary to the library and see.

# %%
small = create_small([n, n], chunk)
write_small(small, values[:200, :200], chunk)
print(list(small))
print("by hand:", read_small(small, 137, 42, chunk), "and", read_small(small, n - 1, n - 1, chunk))
opened = zarr.open_array(small, mode="r")
print("by the library:", opened[137, 42], "and", opened[n - 1, n - 1], "from", opened)

# %% [markdown] tags=["section-library"]
# ## Four chunks exist, ninety-six do not
#
# The same array in a folder, and once more beside it in the other format. The codec is gzip, as in our dictionary.


# %%
gzip5 = {"name": "gzip", "configuration": {"level": 5}}
options = {"shape": (n, n), "chunks": (chunk, chunk), "dtype": "int32", "compressors": gzip5, "overwrite": True}
a = zarr.create_array(out / f"matrix_v{zarr_format}.zarr", zarr_format=zarr_format, **options)
beside = zarr.create_array(out / f"matrix_v{5 - zarr_format}.zarr", zarr_format=5 - zarr_format, **options)
print(a, list(a.store.list_prefix()))

# %% [markdown]
# Before the first write there is nothing but metadata. Write the corner: forty thousand values of a million.

# %%
for array in (a, beside):
    array[:200, :200] = values[:200, :200]
    print(f"Zarr {array.zarr_format}: {array.nchunks_initialized} of {array.nchunks} chunks stored")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
four_chunks = viz.chunk_grid(a, selection=np.s_[:200, :200], title="Four chunks of a hundred are stored")
four_chunks.save(out / "figures" / "01_01_four_chunks.svg")
four_chunks

# %% [markdown]
# The other ninety-six do not exist, in any form. Here is every object of both arrays, and what it holds.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
v2, v3 = sorted((a, beside), key=lambda array: array.zarr_format)
anatomy = viz.anatomy(v2, v3, names=["Zarr v2", "Zarr v3"])
anatomy.picture("The keys of the same array in v2 and v3").save(out / "figures" / "01_01_keys.svg")
anatomy

# %% [markdown]
# Reading puts the chunks together again. A window across the edge of what we wrote shows both halves: values, and the
# fill value where no chunk is. The sum has a closed form to compare with.

# %%
print(a[198:202, 198:202])
total = int(a[...].sum(dtype="int64"))
expected = matrix.block_sum(range(200), range(200))
print(f"sum of everything: {total:,}, by Gauss's formula: {expected:,}")
assert total == expected

# %% [markdown]
# **Stream.** `chunk_stream` is a generator: it reads a chunk when you ask for the next one, and no sooner.
# A `TraceStore` around the store writes down every request, so we can count.

# %%
trace = TraceStore(a.store)
a = zarr.open_array(trace, mode="r")
trace.clear()  # forget the requests that opened it
stream = a.chunk_stream(stored_only=False)
print("stream made:", trace.count("GET"), "requests")
five = list(itertools.islice(stream, 5))
stream_requests = trace.count("GET")
print("five chunks taken:", stream_requests, "requests for", [request.key for request in trace.requests])

# %% [markdown]
# Now four at a time, in any order, stored chunks only, with a progress callback.

# %%
news = []
tiles = a.chunk_stream(parallel=workers, ordered=False, progress=lambda done, of: news.append(f"{done}/{of}"))
streamed = sum(int(tile.sum(dtype="int64")) for _, tile in tiles)
print(f"{streamed:,}", news)
assert streamed == total

# %% [markdown]
# **Save and reopen.** This array lives in a dictionary in memory. To save it, copy its objects to a folder, byte for
# byte. Then forget the original, and open the folder by its name.

# %%
memory = zarr.create_array({}, zarr_format=zarr_format, **options)
memory[:200, :200] = values[:200, :200]
zarr.copy(memory, out / "saved.zarr", name="matrix", overwrite=True)
del memory

reopened = zarr.open(out / "saved.zarr", mode="r")["matrix"]
print(reopened, "holds the same values:", np.array_equal(reopened[...], a[...]))
assert np.array_equal(reopened[:200, :200], values[:200, :200])

# %% [markdown] tags=["section-bytes"]
# ## Take one chunk apart by hand
#
# First the documents. They are text, and they hold everything that a reader has to know.

# %%
for array, key in ((v2, ".zarray"), (v3, "zarr.json")):
    document = json.loads(array.store.get(key))
    print(key, *(f"  {name}: {json.dumps(value)}" for name, value in document.items()), sep="\n")

# %% [markdown]
# Then a chunk. The first bytes say that it is gzip. The four bytes for the time are zero, so that the same values
# always give the same bytes. Inside lie the plain values in
# **[row-major order](https://en.wikipedia.org/wiki/Row-_and_column-major_order "The first row from left to right, then
# the second, and so on: the last index moves fastest, as in C and by default in NumPy.")**, one row after the other.

# %%
stored = v3.encoded_chunk((0, 0))
print(viz.hexdump(stored, length=32, notes={0: "gzip's signature", 4: "the time, left at zero"}))
raw = gzip.decompress(stored)
print(f"\n{len(stored):,} bytes in the store, {len(raw):,} decompressed: {chunk} x {chunk} values of 4 bytes")
print(viz.hexdump(raw, length=16))
print(np.frombuffer(raw, "<i4")[:4])

# %% [markdown]
# Three authors, one chunk: the lines above, the library in v2, the library in v3. Compare them byte by byte.
# The two formats differ in their labels; the data are the same.

# %%
same_bytes = small["0.0"] == v2.encoded_chunk((0, 0)) == v3.encoded_chunk((0, 0))
same_values = raw == values[:chunk, :chunk].astype("<i4").tobytes()
print("identical in all three:", same_bytes, " decoded, equal to the matrix:", same_values)
assert same_bytes
assert same_values

# %% [markdown] tags=["section-others"]
# ## Others read it, and we read them
#
# Two other implementations read both folders to the last bit: zarr-python, and TensorStore, which is C++. And this
# library reads what they write. The tables are folded away; each compares a sha256 of the values.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Reader by reader, and then writer by writer:")
for version in (2, 3):
    for report in (
        interop_check(out / f"matrix_v{version}.zarr", expected=a[...]),
        interop_from_others(out / "others", values, (chunk, chunk), version),
    ):
        print(f"Zarr {version}", report, "", sep="\n")
        assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## What a read costs, in requests and bytes
#
# What does a read cost? Count requests and bytes; unlike seconds, they are the same on every machine. A compressed
# chunk is decoded as a whole, so a small window decodes more than it asks for: the quotient is the
# **[read amplification](https://smalldatum.blogspot.com/2015/11/read-write-space-amplification-pick-2_23.html "Bytes
# that a read decodes, divided by the bytes that it was asked for; 1 would be no waste.")**.

# %%
windows = {"one value": np.s_[137, 42], "one row": np.s_[5, :], "10 x 10, inside": np.s_[10:20, 10:20]}
windows |= {"10 x 10, on an edge": np.s_[10:20, 95:105], "10 x 10, on a corner": np.s_[95:105, 95:105]}
costs = {}
print(f"{'':20} {'GETs':>5} {'fetched':>9} {'decoded':>9} {'asked':>7} {'amplification':>14}")
for name, window in windows.items():
    trace.clear()
    asked = a[window].nbytes
    gets, fetched = trace.count("GET"), trace.nbytes("GET")
    decoded = chunk * chunk * 4 * sum(request.nbytes is not None for request in trace.requests)
    costs[name] = {"gets": gets, "fetched": fetched, "decoded": decoded, "amplification": decoded / asked}
    print(f"{name:20} {gets:5} {fetched:9,} {decoded:9,} {asked:7,} {decoded / asked:14,.0f}")

# %% [markdown]
# The same hundred values cost one, two or four requests, depending on where the window falls. A row asks for ten
# chunks, and eight of the answers are "no such object". Larger chunks would need fewer requests, and decode more bytes
# for nothing; [01_02](01_02_chunking_is_the_index.ipynb) is about that choice.
#
# **Edge chunks are stored whole.** If the shape is not a multiple of the chunk, the last chunks stick out past the
# edge.

# %%
edges = zarr.create_array({}, shape=(250, 250), chunks=(100, 100), dtype="int32", compressors=None)
edges[:] = 1
edge_stored = edges.nbytes_stored() - edges.store.get_size("zarr.json")
print(f"{edges.nchunks_initialized} chunks, {edges.nbytes:,} bytes of values, {edge_stored:,} bytes stored")

# %% [markdown]
# **Size is a promise, not a cost.** You may declare an array far larger than any disk. You pay for what you write.

# %%
side = 100_000 if quick else 1_000_000
huge = zarr.create_array({}, zarr_format=zarr_format, **{**options, "shape": (side, side)})
huge[:200, :200] = values[:200, :200]
print(f"{huge.nbytes / 1e9:,.0f} GB declared, {huge.nchunks:,} chunks, {huge.nchunks_initialized} stored")
print(f"{huge.nbytes_stored():,} bytes in the store")

# %% [markdown] tags=["section-wrong"]
# ## A lost chunk looks like sea
#
# Now a real map: how much of each one-degree cell of the Earth is land, in percent, in chunks of ten by ten degrees.
# Open sea is zero, and zero is the fill value: a chunk of nothing but sea is not stored at all.

# %%
earth = land.make("small", seed)
land_percent = earth.arrays["land"]
passed = [low <= value <= high for value, low, high in land.realism(earth).values()]
print(f"{earth.passport()}\n{sum(passed)} of {len(passed)} checks against published figures pass")
world = zarr.create_array(
    out / "land.zarr", data=land_percent, chunks=(10, 10), compressors=gzip5, zarr_format=zarr_format, overwrite=True
)

# %% tags=["hide-input"] jupyter={"source_hidden": true}
sea_is_free = viz.chunk_grid(world, values=world[...], title="The open sea is not stored")
sea_is_free.save(out / "figures" / "01_01_land.svg")
sea_is_free

# %% [markdown]
# That saves a third of the objects, and it has a price. Delete one object, as a failed upload or a hasty clean-up
# might.

# %%
inland = (10, 12)  # 10 to 20 degrees south, 60 to 50 degrees west: Brazil, and a corner of Bolivia
before, lost = world[...], world.encoded_chunk(inland)
world.store.delete(world.chunk_key(inland))
after = world[...]
share_before, share_after = land.land_share(before), land.land_share(after)
print(f"15 degrees south, 55 degrees west: {before[105, 125]} percent land before, {after[105, 125]} after")
print(f"land share of the Earth: {share_before:.2%} before, {share_after:.2%} after")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
lost_square = {"selection": np.s_[100:110, 120:130], "title": "One object lost: a square of land is sea"}
hole = viz.chunk_grid(world, values=after, **lost_square)
hole.save(out / "figures" / "01_01_hole.svg")
hole

# %% [markdown]
# No error, no warning: a square of South America is sea. A reader cannot tell a chunk that was lost from one that was
# never written. The cure is to write every chunk, sea included, and to open with `missing="error"`.

# %%
strict = zarr.create_array({}, data=land_percent, chunks=(10, 10), write_empty_chunks=True)
strict.store.delete(strict.chunk_key((10, 12)))
try:
    zarr.open_array(strict.store, mode="r", missing="error")[105, 125]
except KeyError as error:
    print(f"{type(error).__name__}: {error}")

# %%
extra = strict.nchunks_initialized - world.nchunks_initialized  # the square is missing in both
print(f"the price: {extra} more objects")
world.store.set(world.chunk_key(inland), lost)  # put it back

# %% [markdown]
# Other mistakes are reported, with the place, what was expected and what was found.

# %%
try:
    a[1000, 0]
except IndexError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown] tags=["section-predict"]
# ## Move the block by half a chunk
#
# Take the same 200 x 200 block and move it down and right by 50. How many objects will it leave? Write your number down
# before you run the cell. Then change `shift` to 100, and `chunk` at the top to 50.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
shift = 50
moved = zarr.create_array({}, zarr_format=zarr_format, **options)
moved[shift : shift + 200, shift : shift + 200] = values[:200, :200]
print(moved.nchunks_initialized, "objects")
viz.chunk_grid(moved, selection=np.s_[shift : shift + 200, shift : shift + 200], title="The block, moved")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_01.1
#
# The array is 1000 x 1000 in chunks of 100 x 100. How many chunks does `a[95:105, 95:205]` touch?
#
# <details><summary>Hint</summary>
# Which chunk holds row 95, and which row 104? The same for the columns.</details>

# %% tags=["exercise"]
touched = ...
check("01_01.1", touched)

# %% [markdown]
# ### Exercise 01_01.2
#
# Find the smallest selection of the same array whose writing makes exactly 4 objects.
# Give it as two slices, such as `np.s_[0:200, 0:200]`.
#
# <details><summary>Hint</summary>
# Where do four chunks meet? How few values can you write around that point?</details>

# %% tags=["exercise"]
selection = ...
check("01_01.2", selection)

# %% [markdown]
# ### Exercise 01_01.3
#
# Write the function that finds what no reader reports. `store` is a dictionary that holds one Zarr v2 array: its
# document under `".zarray"`, with a `shape` and `chunks`, and its chunks under names such as `"0.1"`. Return the names
# of the chunks that are absent, in row-major order. The check runs it on arrays of one, two and three axes.
#
# <details><summary>Hint</summary>
# How many chunks lie along an axis whose length is no multiple of the chunk? `itertools.product` of a few ranges gives
# all positions in row-major order.</details>


# %% tags=["exercise"]
def absent_chunks(store): ...


check("01_01.3", absent_chunks)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_array`, `open_array`, `a[...]`, `nchunks_initialized` | the same names | - |
# | `missing="error"` | `config={"read_missing_chunks": False}` raises `ChunkNotFoundError` | - |
# | `write_empty_chunks=True` | `config={"write_empty_chunks": True}` | - |
# | `a.chunk_stream()` | `a.blocks[i, j]` in a loop, or `dask.array.from_zarr(a)` | a stream of the stored chunks only |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store)` logs and counts calls | the bytes of each answer |
# | `zarr.copy(a, folder)` | `zarr.from_array(folder, data=a)` decodes and encodes | a copy of the stored bytes |
# | `a.encoded_chunk((1, 0))` | `await a.store.get(key, prototype)` | a call without `await` |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A write makes one object for each chunk that it touches, unless the chunk holds nothing but the fill value. A chunk
#   that was never written does not exist, and costs nothing.
# - v2 keeps `.zarray` and keys like `1.0`, v3 keeps `zarr.json` and keys like `c/1/0`; the chunks are the
#   same bytes, here gzip around plain numbers.
# - A read costs one request for each chunk that it touches, and decodes each compressed chunk whole. A stream asks for
#   one at a time.
# - To save an array is to copy its objects; zarr-python and TensorStore read ours to the last bit, and we
#   read theirs.
# - A missing chunk reads as the fill value, without a word. If absence must be an error, write every chunk and open
#   with `missing="error"`.
#
# **Open questions.** Which codec fits *my* data? How do I open a thousand arrays without a thousand requests? And how
# would I notice that a chunk is missing from an array that was never written in full?
#
# **To read further.**
#
# - [Zarr core specification, version 3](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html): every word of
#   `zarr.json`, and what a reader must do with it
# - [Zarr specification, version 2](https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html): the older format that we
#   built in a dictionary, in a few pages
# - [Working with arrays in zarr-python](https://zarr.readthedocs.io/en/stable/user-guide/arrays/): the same calls, with
#   resizing and advanced indexing
# - [Cloud-optimized geospatial formats guide](https://guide.cloudnativegeo.org/): Zarr beside the other formats for
#   data in a bucket, and when to take which
#
# **Next.** [01_02](01_02_chunking_is_the_index.ipynb): which chunk shape makes *my* reads fast?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Rows 95 to 104 lie in chunk rows 0 and 1, columns 95 to 204 in chunk columns 0, 1 and 2.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
rows, columns = {i // 100 for i in range(95, 105)}, {j // 100 for j in range(95, 205)}
check("01_01.1", len(rows) * len(columns))

# %% [markdown]
# Four chunks meet in a corner; a window of two by two around it has one value in each.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_01.2", np.s_[99:101, 99:101])

# %% [markdown]
# Divide and round up: the last chunk of an axis may stick out past the edge, and it is a chunk all the same.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def absent_chunks(store):
    document = json.loads(store[".zarray"])
    counts = [-(-length // side) for length, side in zip(document["shape"], document["chunks"], strict=True)]
    places = itertools.product(*(range(count) for count in counts))
    names = [".".join(str(number) for number in place) for place in places]
    return [name for name in names if name not in store]


check("01_01.3", absent_chunks)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "formats": [2, 3],
        "example_index": index,
        "example_chunk": coords,
        "side": n,
        "chunk_side": chunk,
        "values": beside.size,
        "chunks": beside.nchunks,
        "chunks_stored": beside.nchunks_initialized,
        "chunks_absent": beside.nchunks - beside.nchunks_initialized,
        "block_side": 200,
        "values_written": 200 * 200,
        "sum": total,
        "chunk_bytes_stored": len(stored),
        "chunk_bytes_decoded": len(raw),
        "stream_taken": len(five),
        "stream_requests": stream_requests,
        "costs": costs,
        "edge_chunks": edges.nchunks_initialized,
        "edge_side": edges.shape[0],
        "edge_bytes_of_values": edges.nbytes,
        "edge_bytes_stored": edge_stored,
        "huge_gigabytes": huge.nbytes / 1e9,
        "huge_chunks": huge.nchunks,
        "huge_chunks_stored": huge.nchunks_initialized,
        "huge_bytes_stored": huge.nbytes_stored(),
        "moved_chunks": moved.nchunks_initialized,
        "moved_by": shift,
        "land_chunks": world.nchunks,
        "land_chunks_stored": world.nchunks_initialized,
        "land_chunks_absent": world.nchunks - world.nchunks_initialized,
        "land_chunk_side": world.chunks[0],
        "land_percent_before": 100 * share_before,
        "land_percent_after": 100 * share_after,
        "strict_extra_objects": extra,
    },
)
