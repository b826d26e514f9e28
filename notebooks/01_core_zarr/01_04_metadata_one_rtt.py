# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Open a whole dataset with one request
#
# **Question.** Why does opening a dataset take so many requests, and can it be one?
#
# ![A waterfall of requests, one bar below the other, against a single bar.](../../articles/figures/01_04_waterfall.svg)
#
# *Opening the same dataset twice: by asking every node, and by reading one copy of all documents.*
#
# A dataset is a tree of groups and arrays, and every node has a document of its own. On a disk you hardly notice. In a
# bucket each document is a request that waits for its answer, and a simple reader sends one after the other.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★ intermediate |
# | **Time** | 35 minutes |
# | **Needs** | [01_01](01_01_first_zarr_array.ipynb) |
# | **Code** | `tutorial_zarr/group.py`, `tutorial_zarr/nodes.py`, `tutorial_zarr/consolidation.py` |
# | **Article** | [Thirty-four questions before the first value](../../articles/04_metadata_one_rtt.md) |
# | **Data** | real projected temperatures, a map for every tenth year (`data_gen/air_temperature.py`) |
#
# **You will be able to**
#
# - predict how many requests it takes to see what a dataset holds
# - build consolidated metadata by hand, and read a dataset from one document
# - say what the copy is in v2 and v3, and whether a specification promises it
# - notice a copy that is out of date, and cure it
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# The dataset has 24 maps in `groups` groups. `latency_ms` is the wait for one answer, in a model.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0  # not used here: nothing is random
quick = True  # False: twice as many groups, with half as many maps in each
workers = 4  # this lesson works in order; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
groups = None  # None means 4, or 8 if not quick
latency_ms = 100.0

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import json
import shutil
import textwrap

import tutorial_zarr as zarr
from data_gen import air_temperature
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, save_facts
from tutorial_zarr.stores import TraceStore
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
groups = groups or (4 if quick else 8)
per_group = 24 // groups
in_range(groups=(groups, 1, 24), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))
in_range(latency_ms=(latency_ms, 0.0, 60_000.0))

# %% [markdown] tags=["section-idea"]
# ## Every node speaks for itself
#
# Our data are twenty-four maps of North America from a climate model, one for every tenth year.

# %%
climate = air_temperature.make("small", seed)
maps, years = climate.arrays["air_temperature"], climate.arrays["year"]
print(climate.passport().splitlines()[0], climate.passport().splitlines()[2], sep="\n")

# %% [markdown]
# Each map becomes an array, and a few arrays a group. Every node describes itself, and no other node. To see what is
# there, a reader lists a group, reads the document of each child, lists those that are groups, and so on.
#
# ```text
# root: 1 document
# ├── from_1860: 1 document
# │   ├── 1860: 1 document
# │   ├── 1870: 1 document
# │   └── ...
# ├── from_1920: 1 document
# └── ...
# ```
#
# Count the documents of 4 groups with 6 arrays each, and the root. Each is a request, and each list is another. How
# many are there until you know what is there? Write it down, and multiply by a **[latency](../GLOSSARY.md#latency)** of
# 100 milliseconds.


# %%
def fill(store, zarr_format, together=per_group):
    """The dataset: a group for each span of years, with `together` arrays, one for each map."""
    root = zarr.open_group(store, mode="w", zarr_format=zarr_format)
    for first in range(0, 24, together):
        group = root.create_group(f"from_{years[first]}", attributes={"scenario": "A1B"})
        for k in range(first, first + together):
            group.create_array(f"{years[k]}", data=maps[k], chunks=maps[k].shape, attributes={"units": "K"})
    return root


# %%
root = fill(out / "climate.zarr", zarr_format)
print(root.tree(1))

# %% [markdown] tags=["section-build"]
# ## Build it small: a walk, and a copy of what it found
#
# A walk, with nothing but a store: read, list, go down. Each step is a request. `list_dir` gives the names directly
# below a path, and those of folders end with a slash. The root's path is empty; `strip` takes away the slash that it
# leaves.


# %%
def documents_of(store, path=""):
    """(path, document) of `path` and of every node below it, in v3: one GET a node, one LIST a group."""
    document = json.loads(store.get(f"{path}/zarr.json".strip("/")))
    yield path, document
    if document["node_type"] == "group":
        for name in store.list_dir(path):
            if name.endswith("/"):
                yield from documents_of(store, f"{path}/{name}".strip("/"))


# %%
v3 = fill({}, 3)
walk = TraceStore(v3.store)
found = list(documents_of(walk))
gets, lists = walk.count("GET"), walk.count("LIST")
one_by_one = gets + lists
print(f"{len(found)} nodes: {gets} GETs and {lists} LISTs; one after the other {one_by_one * latency_ms / 1000:.1f} s")
assert (gets, lists) == (1 + groups + 24, 1 + groups)

# %% [markdown]
# The number of GETs is 1 + groups + arrays, and no reader can do with fewer, as long as every node speaks for itself.
# So let one speak for all: put a copy of every document into the root's. That is
# **[consolidated metadata](https://zarr.readthedocs.io/en/stable/user-guide/consolidated_metadata/ "A copy of the
# documents of all nodes in one document at the root, so that one request shows the whole dataset.")**.


# %%
def consolidated(store):
    """The root's document, with a copy of all others in it."""
    copy = dict(documents_of(store))
    root = copy.pop("")
    return {**root, "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": copy}}


together = consolidated(v3.store)
v3.store.set("zarr.json", json.dumps(together).encode())
print(json.dumps(together)[:180], "...")

# %% [markdown]
# Our document, written by hand. Does the library open the whole dataset from it?

# %%
watched = TraceStore(v3.store)
opened = zarr.open_group(watched, mode="r", zarr_format=3)
names = [name for _, group in opened.groups() for name in group.array_keys()]
by_hand = {"GET": watched.count("GET"), "LIST": watched.count("LIST")}
print(f"{len(names)} arrays seen with GET {by_hand['GET']}, LIST {by_hand['LIST']}: {names[:3]} ...")
assert (by_hand, len(names)) == ({"GET": 1, "LIST": 0}, 24)

# %% [markdown] tags=["section-library"]
# ## The same by a call, in both formats
#
# First the requests of a walk, then of a walk with the copy.


# %%
def seen(store, zarr_format, **options):
    """Open a dataset, look at every node, and count what was asked."""
    trace = TraceStore(store)
    opened = zarr.open_group(trace, mode="r", zarr_format=zarr_format, **options)
    arrays = {f"{path}/{name}": array.shape for path, group in opened.groups() for name, array in group.arrays()}
    return arrays, {"GET": trace.count("GET"), "LIST": trace.count("LIST")}


# %%
requests = {}
for version in (2, 3):
    store = fill({}, version).store
    arrays, requests[f"v{version}, node by node"] = seen(store, version)
    zarr.consolidate_metadata(store, zarr_format=version)
    again, requests[f"v{version}, consolidated"] = seen(store, version)
    assert again == arrays
for name, counts in requests.items():
    print(f"{name:20} GET {counts['GET']:2}, LIST {counts['LIST']}")
assert requests["v2, node by node"]["GET"] == 2 * len(found) + groups + 2

# %% [markdown]
# Zarr v2 keeps attributes in a document of their own: two requests for each node. The others are looks for a `.zarray`,
# at the root and at each group, and one for a copy. With the copy it takes four in v2: for the root's `.zarray`,
# `.zgroup`, `.zattrs` and `.zmetadata`. One request is enough in v3 alone. There the library's copy is what we wrote by
# hand:

# %%
by_library = json.loads(store.get("zarr.json"))["consolidated_metadata"]
print("the same as by hand:", by_library == together["consolidated_metadata"])
assert by_library == together["consolidated_metadata"]

# %% [markdown]
# Give each request its 100 milliseconds (a list no more than a get, though in S3 its price is that of a write), and
# draw them one below the other. The second reader is cleverer: whatever it knows of, it asks for at once, level by
# level. For that it needs as many **[requests in flight](../GLOSSARY.md#requests-in-flight)** as a level has nodes,
# here up to 24. zarr-python takes ten unless you tell it otherwise.

# %%
rounds = [1, 1, groups, groups, 24]  # requests in each: the root, its list, the groups, their lists, the arrays
starts = {"one by one": 0, "level by level": one_by_one + 4, "consolidated": one_by_one + 32}
seconds = {"one by one": one_by_one, "level by level": len(rounds), "consolidated": 1}
seconds = {name: trips * latency_ms / 1000 for name, trips in seconds.items()}
rounds_of_ten = sum(-(-count // 10) for count in rounds)
print(*(f"{name}: {value:.1f} s" for name, value in seconds.items()), sep="\n")
print(f"level by level, ten in flight: {rounds_of_ten} rounds, {rounds_of_ten * latency_ms / 1000:.1f} s")

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, panel = viz.canvas(7.2, 4.4)
panel.barh(range(one_by_one), 1, left=range(one_by_one), color=GREY, height=0.7)
for number, width in enumerate(rounds):
    first = starts["level by level"]
    panel.barh(range(first, first + width), 0.92, left=number, color=BLUE, height=0.7)
panel.barh(starts["consolidated"], 0.92, left=0, color=GREEN, height=1.5)
places = {"one by one": (5, 1), "level by level": (len(rounds) + 0.8, 12), "consolidated": (1.8, 0)}
for name, (x, below) in places.items():
    panel.text(x, starts[name] + below, f"{name}: {seconds[name]:.1f} s", va="center")
panel.invert_yaxis()
panel.set(title="Seeing what is there", xlabel=f"round trips of {latency_ms:.0f} ms", yticks=[])
described = f"Requests as bars: one by one {one_by_one} round trips, level by level {len(rounds)}, consolidated 1."
waterfall = viz.Chart.of(figure, "Round trips until a dataset is known", described)
waterfall.save(out / "figures" / "01_04_waterfall.svg")
waterfall

# %% [markdown]
# **Could one list name everything?** It can: [a list without a
# delimiter](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html) returns every key below the root.
# Then two round trips are enough, the list and all documents at once.

# %%
flat = TraceStore(fill({}, 3).store)
keys = list(flat.list_prefix(""))
documents = [flat.get(key) for key in keys if key.endswith("zarr.json")]
print(f"{flat.count('LIST')} list of {len(keys)} keys, then {flat.count('GET')} GETs at once")
assert len(documents) == len(found)

# %% [markdown]
# But it lists the chunks as well, here one for each map. A bucket gives at most 1,000 keys in an answer, a page, and
# each page says where the next begins.

# %%
page_size, pages = 1000, {}
for chunks in (1, 100, 10_000):
    pages[chunks] = -(-(len(documents) + 24 * chunks) // page_size)
    wait = (pages[chunks] + 1) * latency_ms / 1000
    print(f"{chunks:6,} chunks an array: {pages[chunks]:3} pages one after the other, and the documents: {wait:4.1f} s")

# %% [markdown]
# The more data, the longer it takes to learn what they are; a walk from group to group does not see the chunks.

# %% [markdown] tags=["section-bytes"]
# ## Where the copy lies, and who promises it
#
# In v2 the copy is an object of its own, `.zmetadata`; in v3 it lies inside the root's `zarr.json`.

# %%
zarr.consolidate_metadata(out / "climate.zarr", zarr_format=zarr_format)
key = {2: ".zmetadata", 3: "zarr.json"}[zarr_format]
document = json.loads(root.store.get(key))
inside = document["metadata"] if zarr_format == 2 else document["consolidated_metadata"]["metadata"]
copy_size = root.store.get_size(key)
print(f"{key}: {copy_size:,} bytes, with {len(inside)} documents of other nodes")
print(*list(inside)[:4], "...", sep="\n   ")

# %% [markdown]
# Both are conventions. The core specification of v3 does not describe the copy; it allows additional fields, if they
# are marked as something that a reader need not understand. A reader that does not know this one walks, and sees the
# same. zarr-python reads our copy, and TensorStore reads one of the arrays without it. The table is folded away.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Reader by reader:")
last = f"from_{years[24 - per_group]}/{years[-1]}"
report = interop_check(out / "climate.zarr", path=last, expected=maps[-1])
print(report)
assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## A copy for a million nodes
#
# How does it grow? A walk costs a request for each node (and lists, which we leave out here); the copy costs bytes, and
# it is read as a whole.

# %%
each = copy_size / len(inside)
for nodes in (100, 10_000, 1_000_000):
    walked = nodes * latency_ms / 1000
    print(f"{nodes:9,} nodes: {walked:9,.0f} s of GETs one by one; in one document {nodes * each / 1e6:8.2f} MB")

# %% [markdown]
# For ten thousand nodes the copy is a large document, and still far better than the walk. For a million neither is
# good: such a dataset wants fewer and larger arrays, an axis instead of a thousand names.
#
# And say which format you mean. A reader that has to find out asks more.

# %%
asked = {}
for given in (None, zarr_format):
    trace = TraceStore(root.store)
    zarr.open_group(trace, mode="r", zarr_format=given)
    asked[f"{given}"] = trace.count()
print(f"requests to open the root: {asked['None']} if the format is not given, {asked[f'{zarr_format}']} if it is")

# %% [markdown] tags=["section-wrong"]
# ## A map that is on the disk and cannot be seen
#
# The copy is a copy. This library writes what it changes into the copy as well:

# %%
first = f"from_{years[0]}"
zarr.open_group(store, mode="r+", zarr_format=3)[first].create_array("2100", data=maps[-1])
print("made by this library, 2100 is there:", "2100" in zarr.open_group(store, mode="r", zarr_format=3)[first])

# %% [markdown]
# zarr-python does not, and neither does a folder that is copied by hand. Let 2100 be a copy of the folder of the last
# map, made after consolidating. Is it in the list of what is there?

# %%
late = f"{first}/2100"
shutil.copytree(out / "climate.zarr" / last, out / "climate.zarr" / late)
for use in (True, False):
    reader = zarr.open_group(out / "climate.zarr", mode="r", zarr_format=zarr_format, use_consolidated=use)
    print(f"with the copy: {use!s:5}  2100 is there: {'2100' in list(reader[first])}")

# %% [markdown]
# No error: the map is on the disk, and invisible. To find it, compare the copy with the documents. The library can, and
# says in how many nodes they differ:

# %%
stale = [str(difference) for difference in zarr.consolidated_differences(out / "climate.zarr")]
print(f"{len(stale)} difference: {stale[0]}")
zarr.consolidate_metadata(out / "climate.zarr", zarr_format=zarr_format)
cured = zarr.consolidated_differences(out / "climate.zarr")
print(f"after consolidating again: {len(cured)}")
assert (len(stale), len(cured)) == (1, 0)

# %% [markdown]
# The other direction: the map in memory is deleted, and the copy still lists it. zarr-python then reads fill values;
# this library looks for the document when the first chunk is absent, and refuses.

# %%
store.delete_prefix(late)
try:
    zarr.open_group(store, mode="r", zarr_format=3)[late][...]
    raise AssertionError("expected an error")
except zarr.errors.ArrayNotFoundError as error:
    print(textwrap.fill(f"{type(error).__name__}: {error}", 96))

# %% [markdown] tags=["section-predict"]
# ## Twenty-four groups instead of four
#
# Let the dataset be deep instead of wide: `groups = 24` at the top gives every map a group of its own. How many GETs
# and LISTs does the walk take then? And with the copy?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
deep = TraceStore(fill({}, 3, together=1).store)
assert len(list(documents_of(deep))) == 1 + 24 + 24
deep_walk = [deep.count("GET"), deep.count("LIST")]
zarr.consolidate_metadata(deep.store)
with_copy = seen(deep.store, 3)[1]["GET"]
print(f"{deep_walk[0]} GETs and {deep_walk[1]} LISTs, instead of {gets} and {lists}; with the copy still {with_copy}")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_04.1
#
# You consolidate a group with the arrays `a`, `b` and `c`. Then another program deletes `b`, adds `d`, and changes an
# attribute of `c`. In how many nodes does the copy differ from the store?
#
# <details><summary>Hint</summary>
# The copy knows nothing of what others did after it was made.</details>

# %% tags=["exercise"]
differing = ...
check("01_04.1", differing)

# %% [markdown]
# ### Exercise 01_04.2
#
# An array in v2 has 100 chunks of numbers, compressed with gzip and not filtered. You write a `zarr.json` that
# describes it in v3, with the chunk keys of v2 (`"chunk_key_encoding": {"name": "v2", ...}`). How many chunks have to
# be written again?
#
# <details><summary>Hint</summary>
# In 01_01 the chunks of both formats were compared, byte by byte.</details>

# %% tags=["exercise"]
rewritten = ...
check("01_04.2", rewritten)

# %% [markdown]
# ### Exercise 01_04.3
#
# A web server cannot list, so a reader must find its way by the copy alone. Write `children(copy, path)`: the sorted
# names of the nodes directly below `path`. `copy` maps the path of each node to its document, as
# `by_library["metadata"]` does, and the root's path is `""`. The check uses names that are easily confused.
#
# <details><summary>Hint</summary>
# `"from_1860/1900".rpartition("/")` tells the parent and the name. What is the parent of a node that lies at the root?
# </details>


# %% tags=["exercise"]
def children(copy, path): ...


check("01_04.3", children)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `open_group`, `consolidate_metadata`, `use_consolidated` | the same names; xarray uses the copy too | - |
# | `consolidated_differences(folder)` | - | all of it |
# | an array deleted behind the copy: `ArrayNotFoundError` | an array of fill values, without an error | the check |
# | `create_array` in a consolidated dataset | the array is written; the copy does not know it | a copy that follows |
# | `zarr_format=3`: 1 request to open, without it 3 | 1 request, without it 4 | - |
# | a walk, one request after another | all children of a group at once | - |
# | `TraceStore(store)` | `zarr.storage.LoggingStore(store)` logs and counts calls | the bytes of each answer |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Without a copy, seeing a dataset takes one GET for each node, which is 1 + groups + arrays in v3, and one LIST for
#   the root and each group.
# - The copy is all documents in one: written by hand in a dozen lines, and opened with one request in v3, four in v2.
# - It lies in `.zmetadata` in v2 and inside the root's `zarr.json` in v3. Both are conventions of the implementations;
#   the core specification does not describe them.
# - A copy goes out of date without a word; `consolidated_differences` names the nodes, consolidating again cures.
#
# **Open questions.** What if there are a million nodes? Who may consolidate while others write? How does a reader
# without lists, such as a web page, find its way?
#
# **To read further.**
#
# - [Consolidated metadata](https://zarr.readthedocs.io/en/stable/user-guide/consolidated_metadata/): how zarr-python
#   makes and uses it, and why it calls it experimental for v3
# - [Added consolidated metadata to spec](https://github.com/zarr-developers/zarr-specs/pull/309): the proposal for v3,
#   and what speaks for and against it
# - [Consolidate zarr metadata into single key](https://github.com/zarr-developers/zarr-python/pull/268): where the idea
#   came from, in the time of v2
#
# **Next.** [01_05](01_05_interop_zarr_python.ipynb): who else can read what I write, and will they see the same
# numbers?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# One is gone, one is new, one is changed.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_04.1", 3)

# %% [markdown]
# None: only the document is new.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_04.2", 0)

# %% [markdown]
# Split each path into parent and name. A path that only begins like `path` has another parent.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def children(copy, path):
    split = [node.rpartition("/") for node in copy]
    return sorted(name for parent, _, name in split if parent == path)


check("01_04.3", children)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "formats": [2, 3],
        "late_year": int(late[-4:]),
        "groups": groups,
        "arrays": 24,
        "per_group": per_group,
        "nodes": len(found),
        "walk": {"GET": gets, "LIST": lists, "together": one_by_one},
        "by_hand": by_hand,
        "requests": requests,
        "rounds": len(rounds),
        "rounds_of_ten": rounds_of_ten,
        "flat": {"keys": len(keys), "LIST": flat.count("LIST"), "GET": flat.count("GET")},
        "page_size": page_size,
        "pages": [
            {
                "chunks": chunks,
                "keys": len(keys) + 24 * (chunks - 1),
                "pages": n,
                "seconds": (n + 1) * latency_ms / 1000,
            }
            for chunks, n in pages.items()
        ],
        "latency_ms": latency_ms,
        "seconds": seconds,
        "copy_bytes": copy_size,
        "copy_documents": len(inside),
        "asked_to_open": asked,
        "stale": len(stale),
        "deep": deep_walk,
        "million": {"nodes": 1_000_000, "hours": 1_000_000 * latency_ms / 1000 / 3600},
    },
)
