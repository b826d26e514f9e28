# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Find out who else reads your arrays
#
# **Question.** Does "compatible" mean the same bytes?
#
# ![A table of twelve implementations and fifty-eight arrays: most cells say equal, many say refused, and four say
# wrong without an error.](../../articles/figures/01_05_matrix.svg)
#
# *What twelve readers made of the same arrays. Each row differs from one plain array in one thing.*
#
# You write with one program, and your colleague reads with another: in a browser, in C++, in Rust, in a map viewer.
# The format is a standard, so it should just work. Often it does. Whether it does, for your array and their reader, is
# a question of **[interoperability](https://en.wikipedia.org/wiki/Interoperability "That one program can use what
# another has written, and gets the same values out of it.")**, and you can measure it.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 40 minutes |
# | **Needs** | [01_01](01_01_first_zarr_array.ipynb), [01_03](01_03_compression_pipelines.ipynb) |
# | **Code** | `tutorial_zarr/interop` |
# | **Article** | [It opened without an error, and the numbers were wrong](../../articles/05_interop_zarr_python.md) |
# | **Data** | arrays made to catch mistakes: the ends of every range, both zeros, NaNs that differ in one bit |
#
# **You will be able to**
#
# - compare what two programs read, down to the bit, without trusting either
# - say what of your array other implementations do not read, before you send it
# - recognise three mistakes of readers by the bytes that they leave
# - make arrays that all of them read
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `readers` are names of implementations, such as `"zarr-python,zarrs"`; those that are installed here answer.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: ask about codecs as well, and every implementation that is installed here
workers = 2  # how many are asked at once
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
readers = None  # None means zarr-python and tensorstore, or all if not quick

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import gzip
import hashlib
import itertools
import json
from collections import Counter

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.errors import UnsupportedError
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, interop_from_others, output_folder, save_facts
from tutorial_zarr.stores import TraceStore

out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from tutorial_zarr.interop import ours
from tutorial_zarr.interop.cases import all_cases, select
from tutorial_zarr.interop.defects import explain
from tutorial_zarr.interop.environments import OURS, find_peers
from tutorial_zarr.interop.lint import lint, stored_matrix
from tutorial_zarr.interop.matrix import Run, choose_peers
from tutorial_zarr.interop.outcomes import difference
from tutorial_zarr.interop.picture import heat_map, one_change, recorded, versions_of
from tutorial_zarr.interop.portable import Portable
from tutorial_zarr.interop.protocol.peer_protocol import canonical

# %% [markdown] tags=["section-data"]
# ## Fourteen types, chosen to be awkward
#
# Fourteen types, 7 by 11 elements in chunks of 3 by 4, so that both axes end in the middle of a chunk.


# %%
def hard(name):
    """Elements that catch mistakes: the ends of the range, both zeros, infinities, a NaN."""
    if name == "bool":
        some = [True, False, False]
    elif name.startswith(("int", "uint")):
        some = [np.iinfo(name).min, np.iinfo(name).max, 0, 1, 100]
    else:
        some = [0.0, -0.0, 1.5, np.finfo(name).max, np.finfo(name).tiny, np.inf, -np.inf, np.nan]
    return np.resize(np.array(some, name), (7, 11))


# %%
names = ["bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64))]
zoo = {name: hard(name) for name in [*names, "float16", "float32", "float64", "complex64", "complex128"]}
for name in ("float16", "float32", "float64"):
    bits = zoo[name].view(f"u{zoo[name].itemsize}")
    bits[3:][np.isnan(zoo[name][3:])] ^= 1  # from the fourth row on, a NaN with another lowest bit
nans = sorted({hex(x) for x in zoo["float16"].view("u2")[np.isnan(zoo["float16"])]})
print(len(zoo), "arrays; the NaNs of float16 are", *nans)

# %% [markdown] tags=["section-idea"]
# ## Let every program read, and compare bits
#
# Do not ask what a program claims to read. Write an array, let many programs read it, and compare every bit with what
# must come out: **[differential testing](https://en.wikipedia.org/wiki/Differential_testing "Giving several programs
# the same input and comparing what they make of it; where two differ, at least one is wrong.")**. One such run is
# recorded in the package. Blue is equal; grey was refused, which is honest; red was read wrong, without an error. A
# reader that knows nothing of this format has no column.

# %%
record = stored_matrix()
marks, panels = recorded(), one_change(zarr_format)
shown = [case for rows in panels.values() for case in rows.values()]
print(
    f"recorded on {record.data['date']}: {len(marks)} readers, {len(all_cases()):,} arrays, {len(shown)} of them below"
)
chart = heat_map(marks, panels, f"Who reads what of Zarr {zarr_format}", versions_of())
chart.save(out / "figures" / "01_05_matrix.svg")
chart

# %% [markdown]
# Take the readers that know this format at all. Of the 22 data types in the first panel, how many does every one of
# them read? Write a number down before you run the next cell.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
able = Portable().readers_of(zarr_format)
read_by_all = [label for label, case in panels["data types"].items() if all(marks[r][case] in "=~" for r in able)]
of_all = Counter(marks[reader][case] for reader in marks if reader != OURS for case in all_cases())
outcomes = {"equal": of_all["="] + of_all["~"], "refused": of_all["-"] + of_all["r"], "wrong": of_all["X"]}
print(f"{len(read_by_all)} types are read by all {len(able)}: {', '.join(read_by_all)}")
print(f"all cells of the eleven other readers: {outcomes}")

# %% [markdown]
# The whole numbers and two sizes of float. Not bool, not text, not time. And of the whole record 177 cells are wrong.

# %% [markdown] tags=["section-build"]
# ## Build it small: a digest, and a reader without a Zarr library
#
# To compare, you need two things: the elements as bytes that do not depend on how they were stored, and a reader that
# is not the writer. The first takes a line, the second needs no Zarr library at all.


# %%
def digest(values):
    """The sha256 of the elements in C order, little-endian; it tells NaNs apart, and the zeros."""
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()[:12]


def layout(document):
    """Chunk shape, type on disk, order in a chunk, and whether gzip is the last step: from either document."""
    if document["zarr_format"] == 2:
        return document["chunks"], np.dtype(document["dtype"]), document["order"], bool(document["compressor"])
    codecs = {codec["name"]: codec.get("configuration", {}) for codec in document["codecs"]}
    dtype = np.dtype(document["data_type"]).newbyteorder(codecs["bytes"].get("endian", "little")[0].upper())
    chunks = document["chunk_grid"]["configuration"]["chunk_shape"]
    return chunks, dtype, "F" if "transpose" in codecs else "C", "gzip" in codecs


# %%
def by_hand(folder):
    """All elements of an array, read with json, gzip and NumPy."""
    v3 = (folder / "zarr.json").is_file()
    document = json.loads((folder / ("zarr.json" if v3 else ".zarray")).read_text())
    chunks, dtype, order, packed = layout(document)
    found = np.empty(document["shape"], dtype)
    for coords in np.ndindex(*(-(-n // c) for n, c in zip(found.shape, chunks, strict=True))):
        key = "/".join(["c", *map(str, coords)]) if v3 else ".".join(map(str, coords))
        raw = (folder / key).read_bytes()
        chunk = np.frombuffer(gzip.decompress(raw) if packed else raw, dtype).reshape(chunks, order=order)
        part = found[tuple(slice(i * c, (i + 1) * c) for i, c in zip(coords, chunks, strict=True))]
        part[...] = chunk[tuple(map(slice, part.shape))]
    return found


# %% [markdown] tags=["section-library"]
# ## One array, eight sets of bytes
#
# Now let the library write each array in eight ways that the format allows: two byte orders
# (**[endianness](https://en.wikipedia.org/wiki/Endianness "Whether the bytes of a number are stored with the least
# significant one first, little-endian, or last, big-endian.")**), two orders of the axes in a chunk, with gzip and
# without. The reader by hand reads them all.

# %%
ways = list(itertools.product("<>", "CF", ["gzip", None]))
stored, read = {}, {}
for (name, values), (n, (endian, order, codec)) in itertools.product(zoo.items(), enumerate(ways)):
    folder = out / "ways" / f"{name}-{n}"
    layouts = {"chunks": (3, 4), "order": order, "compressors": codec, "zarr_format": zarr_format}
    a = zarr.create_array(folder, data=values, dtype=values.dtype.newbyteorder(endian), overwrite=True, **layouts)
    stored[name, n] = b"".join(a.encoded_chunk(coords) for coords in np.ndindex(a.cdata_shape))
    read[name, n] = digest(by_hand(folder))
    assert read[name, n] == digest(values) == digest(a[...])
by_way = {name: len({stored[name, n] for n in range(len(ways))}) for name in zoo}
print(f"{len(read)} arrays written, and every one is read equal by hand")
print(f"different byte strings for the same elements: int32 {by_way['int32']}, int8 {by_way['int8']}")

# %% [markdown]
# So **no**: compatible does not mean the same bytes on the disk. It means the same elements in memory, whichever of
# many bytes were written. A type of one byte has no byte order, so for int8 only four of the eight differ.

# %% [markdown] tags=["section-bytes"]
# ## The mistake of z5py, made on purpose
#
# One of the red cells: z5py and big-endian numbers. The record has a sentence for it, and our reading of what z5py
# does has another. Make the mistake ourselves, with one word of NumPy, and see whether it leaves the same bytes.


# %%
def said(reader, case):
    """What the record says of a cell that is not equal."""
    place = record.data["said"][reader][str(list(all_cases()).index(case))]
    return record.data["sentences"][place]


# %%
def mistaken(case, change):
    """The sentence that a reader would earn that does `change` to every chunk of a case."""
    store, wanted = out / "mistakes" / case, all_cases()[case]
    if not store.exists():
        ours.write(wanted, store)
    a = ours.open_array(store, wanted.node)
    found = np.empty(a.shape, a.dtype)
    for coords in np.ndindex(a.cdata_shape):
        part = found[tuple(slice(i * c, (i + 1) * c) for i, c in zip(coords, a.chunks, strict=True))]
        whole = np.full(a.chunks, a.fill_value, a.dtype)  # as it is stored, over the edge too
        whole[tuple(map(slice, part.shape))] = a.read_chunk(coords)
        part[...] = change(whole)[tuple(map(slice, part.shape))]
    return difference(wanted.expected_bytes, canonical(found), wanted)


# %%
big = "v3/int32/big-endian/named-zstd"
print("z5py: ", said("z5py", big))
print("ours: ", mistaken(big, lambda chunk: chunk.byteswap()))
print("cause:", explain(OURS, "z5py", big).cause)
assert said("z5py", big) == mistaken(big, lambda chunk: chunk.byteswap())

# %% [markdown]
# The same element, the same bytes. The smallest integer, -2147483648, arrives as 128; a map of heights would show a
# plain where there is a trench. There is no error to catch.

# %% [markdown] tags=["section-others"]
# ## The same questions to what is installed here
#
# Now the same on your machine. Every implementation runs in a process of its own, so a crash costs one cell. One that
# is not installed says so. All write, and all read what all have written. (In quick mode: types and layouts.)

# %% tags=["nbval-ignore-output"]
named = [name.strip() for name in (readers or "").split(",") if name.strip()]
wanted = named or (["zarr-python", "tensorstore"] if quick else list(find_peers()))
asked_now = {name: rows for name, rows in panels.items() if name != "codecs" or not quick}
cases = select(case for rows in asked_now.values() for case in rows.values())
run = Run(out / "matrix", cases, choose_peers(wanted), here=True, jobs=workers)()
for state in run.states.values():
    print(f"{state.name:14} {next(iter(state.versions.values()), None) or 'absent: ' + state.absent}")
for (writer, reader), found in sorted(run.counts().items()):
    print(f"{writer:>14} -> {reader or 'disk':14}", *(f"{n} {outcome}," for outcome, n in sorted(found.items())))
assert {outcome.name for key, outcome in run.results.items() if key[:2] == (OURS, OURS)} == {"equal"}

# %% tags=["nbval-ignore-output"]
here = {reader: {} for writer, reader, _ in run.results if reader}
for (writer, reader, case), outcome in run.results.items():
    if writer == OURS and reader:
        here[reader][case] = outcome.mark
heads = {name: f"{state.name} {next(iter(state.versions.values()), '')}" for name, state in run.states.items()}
heat_map(here, asked_now, f"Who reads what of Zarr {zarr_format}, here and now", heads)

# %% tags=["nbval-ignore-output"]
changed = [(r, case) for r in here if r in marks for case in here[r] if here[r][case] != marks[r][case]]
print(f"{len(changed)} cells differ from the record of {record.data['date']}", *changed[:5], sep="\n   ")

# %% [markdown]
# And both ways at once: others read what this library wrote, and this library reads what others wrote. Every program
# that is installed agrees to the last bit; the table is in the folded output.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
checked = interop_check(out / "ways" / "float64-3", expected=zoo["float64"])
written = interop_from_others(out / "from_others", zoo["float32"], (3, 4), zarr_format)
print("Who read what:", checked, "", written, sep="\n")
assert not checked.differing + written.differing

# %% [markdown] tags=["section-operations"]
# ## Ask the record before you send
#
# You will not run twelve programs for every array that you publish. Ask the record instead: `lint` needs the document
# of an array, and none of its chunks.

# %%
trace = TraceStore(zarr.open_array(out / "ways" / "float16-2").store)
findings = list(lint(trace, able))
asked = trace.count("GET")
trace.clear()
zarr.open_array(trace, mode="r")[...]
print(f"requests: {asked} to ask the record, {trace.count('GET')} to read this small array once")
print(
    *(f"{finding.reader}: {' with '.join(finding.elements)}; try: {finding.change}" for finding in findings), sep="\n"
)

# %% [markdown]
# Name the readers that you care about (`tutorial-zarr lint STORE --for gdal,zarrita`). The record is as old as the
# versions that it names; when one of them changes, ask the program itself with your own store
# (`tutorial-zarr interop verify STORE`).

# %% [markdown] tags=["section-wrong"]
# ## Three more that opened without an error
#
# "It opened, so it works." Here are three more readers that open an array and return wrong elements. Again we make
# each mistake ourselves, and compare with what the record says that the reader found.


# %%
def as_if_in_c_order(chunk):
    """Elements that lie column by column, taken row by row."""
    return chunk.ravel(order="F").reshape(chunk.shape)


def order_for_its_inverse(chunk):
    """Stored with the axes in the order 2, 0, 1; read as if that had been 1, 2, 0."""
    return np.ascontiguousarray(chunk.transpose(2, 0, 1)).reshape(3, 4, 2).transpose(2, 0, 1)


# %%
columns, turned, fill = "v2/int32/F-order/named-zstd", "v3/int32/transposed/named-zstd", "int64-beyond-doubles"
made = {
    ("netcdf-c", columns): mistaken(columns, as_if_in_c_order),
    ("gdal", turned): mistaken(turned, order_for_its_inverse),
    ("zarrita", f"v3/fill/named-{fill}"): mistaken(f"v3/fill/named-{fill}", lambda chunk: chunk.astype(float)),
}

# %%
for (reader, case), sentence in made.items():
    print(f"{reader}: {said(reader, case)}\n   ours: {sentence}\n   it {explain(OURS, reader, case).cause}")
    assert said(reader, case) == sentence

# %% [markdown]
# Three libraries, three mistakes; the arrays are legal Zarr, and none of the three raised an error. The last one is a
# fill value, `2**53 + 1`, that lost its last bit on its way through a double.

# %% [markdown] tags=["section-predict"]
# ## What does the portable profile refuse?
#
# The library can refuse for you: `profile="portable"` makes only what every reader of the format reads, by the record.
# Which of the fourteen types will it refuse? And what will it propose for bool?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
portable, refused = [], {}
for name, values in zoo.items():
    try:
        a = zarr.create_array({}, data=values, chunks=(3, 4), zarr_format=zarr_format, profile="portable")
        portable.append(name)
        assert not list(lint(a.store, able))
    except UnsupportedError as error:
        refused[name] = str(error).partition("found ")[2]
print("made:", *portable)
print(*refused.values(), sep="\n")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_05.1
#
# An int32 array is stored big-endian, and its first element is 1. A colleague "repairs" the metadata: one word, from
# big to little. The array opens. What is its first element now?
#
# <details><summary>Hint</summary>
# 1 is the bytes 00 00 00 01. Read them from the other end.</details>

# %% tags=["exercise"]
first = ...
check("01_05.1", first)

# %% [markdown]
# ### Exercise 01_05.2
#
# `zarr.create_array("x.zarr", shape=(4, 6), dtype="bool", compressors="gzip")` is read neither by netCDF-C nor by z5py.
# Which keywords have to change so that both read it, and GDAL too? Answer with a dict, such as `{"dtype": "float32"}`.
#
# <details><summary>Hint</summary>
# One of the three has no Zarr 3. Two have no bool. And look at gzip in the row of that format.</details>

# %% tags=["exercise"]
keywords = ...
check("01_05.2", keywords)

# %% [markdown]
# ### Exercise 01_05.3
#
# Three pairs: **a** is 0.0 and -0.0, **b** is NaN and the same NaN again, **c** is NaN and a NaN with another lowest
# bit. Which pair is equal for `==`, and which is equal byte by byte? Answer with two letters, such as `("c", "a")`.
#
# <details><summary>Hint</summary>
# A chunk may be left out only if it is the fill value. By which of the two should a writer decide?</details>

# %% tags=["exercise"]
pairs = ...
check("01_05.3", pairs)

# %% [markdown]
# ### Exercise 01_05.4
#
# Repair code: the chunk was stored with its axes in the order `order`, and `undo` is to bring them back. It is right
# for two axes. For three it makes the mistake of GDAL. The check tries shapes and orders that you do not see.
#
# <details><summary>Hint</summary>
# Axis 0 of what is stored is axis `order[0]` of what you want. Which order leads back? `np.argsort` knows.</details>


# %% tags=["exercise"]
def undo(raw, shape, order):
    """The elements, in `shape`, of a chunk of little-endian int32 that was stored with its axes in `order`."""
    stored = np.frombuffer(raw, "<i4").reshape([shape[axis] for axis in order])
    return stored.transpose(order)


check("01_05.4", undo)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_array`, `open_array`, `a[...]` | the same names | - |
# | `a.encoded_chunk((0, 0))` | `a.store.get_sync(a.metadata.encode_chunk_key((0, 0)))` | one call by the chunk's place |
# | `digest(a[...])` | `dask.base.tokenize` tells the zeros and the NaNs apart; xarray's `identical` does not | a digest that is the same for both byte orders |
# | `UnsupportedError` for an unknown codec, when the array is opened | `UnknownCodecError`, when the array is opened | - |
# | `lint(store, ["z5py"])` | nothing that knows other readers | what of an array they refuse |
# | `profile="portable"` | `UnstableSpecificationWarning` for raw bytes, and no word for bool or complex64 | a refusal before anything is written |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Elements in C order, little-endian, and a digest: that compares programs down to the bit, NaNs and zeros included.
# - `lint` asks the record with a few requests, and names reader, reason and the nearest change.
# - Bytes swapped, columns taken for rows, axes turned the wrong way: each leaves its own pattern, and none an error.
# - `profile="portable"` makes whole numbers and floats of 32 and 64 bits, and refuses with a sentence what the record
#   does not show as read by all.
#
# **Open questions.** Who should promise what a reader reads, and who should check it? What is a reader worth that is
# right in every case but one? When is refusing kinder than guessing?
#
# **To read further.**
#
# - [Zarr v3, the core specification](https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html): what a reader must accept, and where it must refuse
# - [zarr_implementations](https://github.com/zarr-developers/zarr_implementations): the community's own table of who reads what
# - [The JSON standard, on numbers](https://www.rfc-editor.org/rfc/rfc8259#section-6): why a large whole number in JSON may arrive as another one
# - [What every computer scientist should know about floating-point arithmetic](https://docs.oracle.com/cd/E19957-01/806-3568/ncg_goldberg.html): both zeros, infinities and NaNs
#
# **Next.** [01_06](01_06_parallel_chunk_patterns.ipynb): can many workers share one array?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The bytes 00 00 00 01 from the other end: 256 to the power of three.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_05.1", 256**3)

# %% [markdown]
# The older format, a number instead of a truth value, and a compressor that all three have.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_05.2", {"zarr_format": 2, "dtype": "uint8", "compressors": "zstd"})

# %% [markdown]
# For `==` the zeros are equal and NaN is not even equal to itself; bytes know no such subtleties.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_05.3", ("a", "b"))

# %% [markdown]
# The way back is the inverse of the order, and not the order itself.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def undo(raw, shape, order):
    stored = np.frombuffer(raw, "<i4").reshape([shape[axis] for axis in order])
    return stored.transpose(np.argsort(order))


check("01_05.4", undo)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "formats": [2, 3],
        "float_bits": [32, 64],
        "record": {"readers": len(marks), "arrays": len(all_cases()), "others": len(marks) - 1, "shown": len(shown)},
        "outcomes": outcomes,
        "asked": sum(outcomes.values()),
        "able": len(able),
        "types": len(panels["data types"]),
        "read_by_all": len(read_by_all),
        "read_by_all_names": read_by_all,
        "wrong_shown": sum(marks[reader][case] == "X" for reader in marks for case in shown),
        "zoo": len(zoo),
        "shape": [7, 11],
        "chunks": [3, 4],
        "ways": len(ways),
        "written": len(read),
        "by_way": by_way,
        "lint_requests": asked,
        "read_requests": trace.count("GET"),
        "mistakes": {f"{reader} {case}": said(reader, case) for reader, case in [("z5py", big), *made]},
        "smallest": -(2**31),
        "smallest_swapped": int(np.array(-(2**31), "i4").byteswap()),
        "fill": [2**53 + 1, int(float(2**53 + 1))],
        "one_swapped": 256**3,
        "portable": portable,
        "refused": refused,
        "digests": {name: read[name, 0] for name in zoo},
    },
)
