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
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 20 minutes |
# | **Needs** | Python and a little NumPy |
# | **Code** | `tutorial_zarr/array.py`, `tutorial_zarr/api.py`, `tutorial_zarr/stores` |
# | **Article** | [Ninety-six chunks that are not there](../../articles/01_first_zarr_array.md) |
# | **Data** | a ruler of a matrix (`data_gen/matrix.py`), a real map of land (`data_gen/land.py`) |
#
# **You will be able to**
#
# - say which objects a write makes, and why the rest of the array costs nothing
# - name every key of a v2 and of a v3 array, and decode a chunk by hand
# - count the requests behind a read, and stream an array that you never hold whole
# - save, reopen, and let other libraries read what you wrote
# - recognise the one failure that Zarr does not report: a chunk that is missing

# %% [markdown]
# ## Why this matters
#
# A brain scan, a climate model or a year of trades does not fit into memory, and most questions touch a
# little of it.
# Zarr cuts an array into chunks and stores each under a name that anyone can work out.
# There is no index to search and no server to ask, so the same layout works in a folder, in a zip file,
# and in a bucket on the other side of the world.
#
# ![A map of land under a grid of chunks; squares of sea are empty.](../../articles/figures/01_01_land.svg)
#
# *The Earth's land in chunks of ten by ten degrees. The empty squares hold nothing but sea,
# and are not stored anywhere.*

# %% [markdown]
# ## Parameters
#
# `zarr_format` is the format of the running example; the notebook shows both, side by side.

# %% tags=["parameters"]
seed = 0  # there is no chance in these data; every notebook has this parameter
quick = True  # False: declare an array of four terabytes instead of forty gigabytes
workers = 4  # chunks under way at once in the parallel stream
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
n = 1000  # rows and columns of the matrix
chunk = 100  # rows and columns of a chunk

# %%
import gzip
import itertools
import json
import zlib

import numcodecs
import numpy as np

import tutorial_zarr as zarr
from data_gen import land, matrix
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, interop_check, interop_from_others, output_folder, save_facts
from tutorial_zarr.stores import TraceStore

out = output_folder(out_dir)

# %% [markdown]
# ## The data
#
# A matrix to measure with: the value at row 3, column 7 is 3007.
# Whatever you read back, you see at once where it came from.

# %%
ruler = matrix.make("small", seed)
values = ruler.arrays["matrix"][:n, :n]
print(ruler.passport(), values[3, 7], sep="\n")

# %% [markdown]
# And something real, for later: how much of each one-degree cell of the Earth is land, in percent.

# %%
earth = land.make("small", seed)
land_percent = earth.arrays["land"]
print(earth.passport())
for fact, (value, low, high) in land.realism(earth).items():
    print(f"{fact}: {value:.2f}, expected from published figures: {low:.2f} to {high:.2f}")

# %% [markdown]
# ## The idea
#
# Cut the array into tiles of equal size, the **chunks**. A chunk is what is read and written, always as a
# whole.
# We are going to write the corner inside the dashed line. Count the tiles that it covers.

# %%
viz.chunk_grid(shape=(n, n), chunks=(chunk, chunk), selection=np.s_[:200, :200], title="The plan")

# %% [markdown]
# To find one value, divide. The quotient is the chunk, the remainder is the place in it, and the name
# follows:
#
# ```mermaid
# flowchart LR
#     A["a[137, 42]"] -- divide by 100 --> B["chunk 1, 0<br>place 37, 42"]
#     B -- name it --> C["1.0 or c/1/0"]
#     C -- fetch, decompress --> D["100 x 100<br>values"]
#     D -- pick --> E["137042"]
# ```

# %%
index = (137, 42)
coords, place = zip(*(divmod(i, chunk) for i in index), strict=True)
print(f"a[137, 42] is at {place} in chunk {coords}")

# %% [markdown]
# ## Build it small
#
# A store is a dictionary from names to bytes. Put a JSON document into one, and it is an empty Zarr v2 array.


# %%
def create_small(shape, chunk):
    """A Zarr v2 array in a dictionary: one document, and no chunk yet."""
    layout = {"shape": shape, "chunks": [chunk, chunk], "order": "C"}
    values = {"dtype": "<i4", "fill_value": 0, "filters": None, "compressor": {"id": "gzip", "level": 5}}
    return {".zarray": json.dumps({"zarr_format": 2, **layout, **values}).encode()}


# %% [markdown]
# Writing is four steps a tile: cut, lay out as bytes, compress, store under the two numbers. (31 asks zlib for the
# frame of gzip, with no time in it.)


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

# %% [markdown]
# ## The library's version
#
# Now in a folder, in both formats. Before the first write there is nothing but metadata.


# %%
def create(store, zarr_format, **changes):
    """The array of this lesson, in either format."""
    gzip5 = {"name": "gzip", "configuration": {"level": 5}}
    options = {"shape": (n, n), "chunks": (chunk, chunk), "dtype": "int32", "compressors": gzip5}
    return zarr.create_array(store, zarr_format=zarr_format, overwrite=True, **{**options, **changes})


v2, v3 = create(out / "matrix_v2.zarr", 2), create(out / "matrix_v3.zarr", 3)
print("v2:", list(v2.store.list_prefix()), " v3:", list(v3.store.list_prefix()))

# %% [markdown]
# Write the corner. Forty thousand values of a million: what will be in the folder?

# %%
for array in (v2, v3):
    array[:200, :200] = values[:200, :200]
    print(f"Zarr {array.zarr_format}: {array.nchunks_initialized} of {array.nchunks} chunks stored")

# %%
four_chunks = viz.chunk_grid(v3, selection=np.s_[:200, :200], title="Four chunks of a hundred are stored")
four_chunks.save(out / "figures" / "01_01_four_chunks.svg")
four_chunks

# %% [markdown]
# The other ninety-six do not exist, in any form. Here is every object of both arrays, and what it holds.

# %%
anatomy = viz.anatomy(v2, v3, names=["Zarr v2", "Zarr v3"])
anatomy.picture("The keys of the same array in v2 and v3").save(out / "figures" / "01_01_keys.svg")
anatomy

# %% [markdown]
# Reading puts the tiles together again. A window across the edge of what we wrote shows both halves:
# values, and the fill value where no chunk is. The sum has a closed form to compare with.

# %%
print(v3[198:202, 198:202])
total = int(v3[...].sum(dtype="int64"))
expected = matrix.block_sum(range(200), range(200))
print(f"sum of everything: {total:,}, by Gauss's formula: {expected:,}")
assert total == expected

# %% [markdown]
# **Stream.** `chunk_stream` is a generator: it reads a chunk when you ask for the next one, and no sooner.
# A `TraceStore` around the store writes down every request, so we can count.

# %%
trace = TraceStore({2: v2, 3: v3}[zarr_format].store)
a = zarr.open_array(trace, mode="r")
trace.clear()  # forget the requests that opened it
stream = a.chunk_stream(stored_only=False)
print("stream made:", trace.count("GET"), "requests")
five = list(itertools.islice(stream, 5))
stream_requests = trace.count("GET")
print("five chunks taken:", stream_requests, "requests for", [request.key for request in trace.requests])

# %% [markdown]
# Several at once, in whatever order they arrive, only those that are stored, with news of the progress.

# %%
news = []
tiles = a.chunk_stream(parallel=workers, ordered=False, progress=lambda done, of: news.append(f"{done}/{of}"))
streamed = sum(int(tile.sum(dtype="int64")) for _, tile in tiles)
print(f"{streamed:,}", news)
assert streamed == total

# %% [markdown]
# **Save and reopen.** This array lives in a dictionary in memory. Saving it is copying its objects to a
# folder,
# byte for byte; then we forget the original and open the folder by its name.

# %%
memory = create({}, zarr_format)
memory[:200, :200] = values[:200, :200]
zarr.copy(memory, out / "saved.zarr", name="matrix", overwrite=True)
del memory

reopened = zarr.open(out / "saved.zarr", mode="r")["matrix"]
print(reopened, "holds the same values:", np.array_equal(reopened[...], v3[...]))
assert np.array_equal(reopened[:200, :200], values[:200, :200])

# %% [markdown]
# ## Look at the bytes
#
# First the documents. Everything that a reader has to know is in them, and they are text.

# %%
for array, key in ((v2, ".zarray"), (v3, "zarr.json")):
    document = json.loads(array.store.get(key))
    print(key, *(f"  {name}: {json.dumps(value)}" for name, value in document.items()), sep="\n")

# %% [markdown]
# Then a chunk. The first bytes say that it is gzip; the four bytes for the time are zero,
# so that the same values always give the same bytes.

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
same_values = numcodecs.GZip().decode(stored) == values[:chunk, :chunk].astype("<i4").tobytes()
print("identical in all three:", same_bytes, " decoded by numcodecs, equal to the matrix:", same_values)
assert same_bytes
assert same_values

# %% [markdown]
# ## Check against others
#
# What we wrote, read by two other implementations: zarr-python, and TensorStore, which is C++.
# The sha256 is of the values, so equal means equal to the last bit.

# %% tags=["nbval-ignore-output"]
for version in (2, 3):
    report = interop_check(out / f"matrix_v{version}.zarr", expected=v3[...])
    print(f"Zarr {version}", report, "", sep="\n")
    assert not report.differing

# %% [markdown]
# And what they write, read by us.

# %% tags=["nbval-ignore-output"]
for version in (2, 3):
    report = interop_from_others(out / "others", values, (chunk, chunk), version)
    print(f"Zarr {version}", report, "", sep="\n")
    assert not report.differing

# %% [markdown]
# ## Performance and operations
#
# What does a read cost? Count requests and bytes; unlike seconds, they are the same on every machine.
# **Read amplification** is what was decoded divided by what was asked for.

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
# The same hundred values cost one, two or four requests, depending on where the window falls.
# A row asks for ten chunks, and eight of the answers are "no such object".
#
# **Edge chunks are stored whole.** When the shape is no multiple of the chunk, the last chunks hang over.

# %%
edges = zarr.create_array({}, shape=(250, 250), chunks=(100, 100), dtype="int32", compressors=None)
edges[:] = 1
edge_stored = edges.nbytes_stored() - edges.store.get_size("zarr.json")
print(f"{edges.nchunks_initialized} chunks, {edges.nbytes:,} bytes of values, {edge_stored:,} bytes stored")

# %% [markdown]
# **Size is a promise, not a cost.** An array may be declared far larger than any disk. You pay for what you
# write.

# %%
side = 100_000 if quick else 1_000_000
huge = create({}, zarr_format, shape=(side, side))
huge[:200, :200] = values[:200, :200]
print(f"{huge.nbytes / 1e9:,.0f} GB declared, {huge.nchunks:,} chunks, {huge.nchunks_initialized} stored")
print(f"{huge.nbytes_stored():,} bytes in the store")

# %% [markdown]
# One knob to turn: the chunk shape. Larger chunks mean fewer requests and more bytes decoded for nothing.
# Three things to watch in production: objects per array, requests per question, and read amplification.

# %% [markdown]
# ## What goes wrong
#
# Back to the real map, in chunks of ten by ten degrees. Open sea is zero, and zero is the fill value:
# a chunk of nothing but sea is not stored at all.

# %%
tiles_of_ten = {"shape": land_percent.shape, "chunks": (10, 10), "dtype": "uint8"}
world = create(out / "land.zarr", zarr_format, **tiles_of_ten)
world[:] = land_percent
sea_is_free = viz.chunk_grid(world, values=world[...], title="The open sea is not stored")
sea_is_free.save(out / "figures" / "01_01_land.svg")
sea_is_free

# %% [markdown]
# That is thrifty, and it has a price. Delete one object, as a failed upload or a hasty clean-up might.

# %%
brazil = (10, 12)  # 10 to 20 degrees south, 60 to 50 degrees west
before, lost = world[...], world.encoded_chunk(brazil)
world.store.delete(world.chunk_key(brazil))
after = world[...]
share_before, share_after = land.land_share(before), land.land_share(after)
print(f"15 degrees south, 55 degrees west: {before[105, 125]} percent land before, {after[105, 125]} after")
print(f"land share of the Earth: {share_before:.2%} before, {share_after:.2%} after")

# %%
lost_square = {"selection": np.s_[100:110, 120:130], "title": "One object lost: a square of Brazil is sea"}
hole = viz.chunk_grid(world, values=after, **lost_square)
hole.save(out / "figures" / "01_01_hole.svg")
hole

# %% [markdown]
# No error, no warning: a square of Brazil is sea. Zarr cannot tell a chunk that was lost from one that was
# never written.
# The cure is to write every chunk, sea included, and to open with `missing="error"`.

# %%
strict = create({}, zarr_format, **tiles_of_ten, write_empty_chunks=True)
strict[:] = land_percent
strict.store.delete(strict.chunk_key(brazil))
extra = strict.nchunks_initialized - world.nchunks_initialized  # Brazil is missing in both
try:
    zarr.open_array(strict.store, mode="r", missing="error")[105, 125]
except KeyError as error:
    print(f"{type(error).__name__}: {error}")
print(f"the price: {extra} more objects")
world.store.set(world.chunk_key(brazil), lost)  # put Brazil back

# %% [markdown]
# Other mistakes are reported, with the place, what was expected and what was found.

# %%
try:
    v3[1000, 0]
except IndexError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# ## Change one thing, predict first
#
# Take the same 200 x 200 block and move it down and right by 50. How many objects will it leave?
# Write your number down before you run the cell. Then change `shift` to 100, and `chunk` at the top to 50.

# %%
shift = 50
moved = create({}, zarr_format)
moved[shift : shift + 200, shift : shift + 200] = values[:200, :200]
print(moved.nchunks_initialized, "objects")
viz.chunk_grid(moved, selection=np.s_[shift : shift + 200, shift : shift + 200], title="The block, moved")

# %% [markdown]
# ## Exercises
#
# Put your answer in place of the three dots. The check works it out anew and says what to look at.
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
# An array has `fill_value=-1`. You write 7 everywhere, delete the object of chunk (0, 0), and read `a[0, 0]`.
# Which number comes back?
#
# <details><summary>Hint</summary>
# What does a reader know when an object is absent? Only what the metadata say.</details>

# %% tags=["exercise"]
value = ...
check("01_01.2", value)

# %% [markdown]
# ### Exercise 01_01.3
#
# Find the smallest selection of the same array whose writing makes exactly 4 objects.
# Give it as two slices, such as `np.s_[0:200, 0:200]`.
#
# <details><summary>Hint</summary>
# Where do four chunks meet? How few values can you write around that point?</details>

# %% tags=["exercise"]
selection = ...
check("01_01.3", selection)

# %% [markdown]
# ## Recap
#
# - A write makes one object for each chunk that it touches. A chunk that was never written does not exist,
#   and costs nothing.
# - v2 keeps `.zarray` and keys like `1.0`, v3 keeps `zarr.json` and keys like `c/1/0`; the chunks are the
#   same bytes, here gzip around plain numbers.
# - A read costs one request for each chunk that it touches, and decodes each of them whole. A stream asks for
#   one at a time.
# - To save an array is to copy its objects; zarr-python and TensorStore read ours to the last bit, and we
#   read theirs.
# - A missing chunk reads as the fill value, without a word. If absence must be an error, write every chunk
#   and open with `missing="error"`.
#
# **Open questions.** Which chunk shape makes *my* reads fast? Which codec fits *my* data? How do I open a
# thousand arrays
# without a thousand requests?
#
# **Next.** Change the chunk shape at the top and read the table of costs again. Then open a store of your own
# with
# `tutorial-zarr info PATH` and `tutorial-zarr tree PATH`.

# %% [markdown]
# ## Solutions
#
# Rows 95 to 104 lie in chunk rows 0 and 1, columns 95 to 204 in chunk columns 0, 1 and 2.

# %% tags=["solution"] jupyter={"source_hidden": true}
rows, columns = {i // 100 for i in range(95, 105)}, {j // 100 for j in range(95, 205)}
check("01_01.1", len(rows) * len(columns))

# %% [markdown]
# Only the metadata are left to ask, and they say: -1.

# %% tags=["solution"] jupyter={"source_hidden": true}
sevens = zarr.create_array({}, shape=(4, 4), chunks=(2, 2), dtype="int32", fill_value=-1)
sevens[:] = 7
sevens.store.delete(sevens.chunk_key((0, 0)))
check("01_01.2", sevens[0, 0])

# %% [markdown]
# Four chunks meet in a corner; a window of two by two around it has one value in each.

# %% tags=["solution"] jupyter={"source_hidden": true}
check("01_01.3", np.s_[99:101, 99:101])

# %% [markdown]
# The numbers that the article quotes, written down for its check.

# %% tags=["facts"] jupyter={"source_hidden": true}
save_facts(
    out,
    {
        "formats": [2, 3],
        "example_index": index,
        "example_chunk": coords,
        "side": n,
        "chunk_side": chunk,
        "values": v3.size,
        "chunks": v3.nchunks,
        "chunks_stored": v3.nchunks_initialized,
        "chunks_absent": v3.nchunks - v3.nchunks_initialized,
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
