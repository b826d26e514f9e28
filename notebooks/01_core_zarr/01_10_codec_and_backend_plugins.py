# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Write your own codec and store, and let laws find the mistake
#
# **Question.** How do I add a codec or a store of my own, and know that it is right?
#
# ![Bars of bytes for each price: 8 raw, 1.1 with gzip, 0.8 with the codec of this lesson before
# it.](../../articles/figures/01_10_sizes.svg)
#
# *Bytes for each price of a day of trades.*
#
# You know things about your data that a general codec has to find out in every chunk. Prices move in whole cents, for
# example. Both ends of Zarr are open to you: what a chunk becomes, and where it goes. Twenty lines each; the hard part
# is to know that they are right.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★★★ advanced |
# | **Time** | 40 minutes |
# | **Needs** | [01_03](01_03_compression_pipelines.ipynb) |
# | **Code** | `tutorial_zarr/codecs/base.py`, `stores/base.py`, `testing` and `plugins.py` |
# | **Article** | [It gave back every price, and it was wrong](../../articles/10_codec_and_backend_plugins.md) |
# | **Data** | a day of trades, generated and held to known facts of markets (`data_gen/ticks.py`) |
#
# **You will be able to**
#
# - write a codec of twenty lines that refuses what it cannot give back
# - write a store of twenty lines that works for every array
# - hold both to laws that you did not write
# - let an installed package bring them, found by its entry points
# - say why a private codec is a promise to keep, and when public ones do the same
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `per_unit` is how many ticks make a dollar.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: five days of trades instead of one
workers = 4  # the laws bring threads of their own; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3  # of the arrays in the store; the codec is for v3, as v2 knows the names of numcodecs only
per_unit = 100

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import gzip
import json
import sqlite3
import sys
import threading
import zlib

import numpy as np

import tutorial_zarr as zarr
from data_gen import ticks
from tutorial_zarr import codecs, dtypes, viz
from tutorial_zarr.codecs.base import ArrayArrayCodec
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, need, output_folder, save_facts

# %% tags=["hide-input"] jupyter={"source_hidden": true}
need("pytest", "hypothesis")  # the laws are tests
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.base import check_key, cut
from tutorial_zarr.testing import CodecCase, CodecLaws, StoreLaws
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, VERMILION

out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3), per_unit=(per_unit, 100, 10_000))

# %% [markdown] tags=["section-idea"]
# ## Two open ends: the chain of codecs, and the store
#
# A chunk passes through codecs on its way to a store. You may add a link to the chain, or take the place of the
# store. Neither knows anything of the other.
#
# > chunk of prices → **your codec** (array to array) → bytes → gzip → key and bytes → **your store**
#
# The chunks of this lesson: what was paid for eight shares, each second of a day, in dollars.

# %%
market = ticks.make("small" if quick else "large", seed)
prices = market.arrays["price"]
facts_of_markets = ticks.realism(market)
assert all(low <= value <= high for value, low, high in facts_of_markets.values())
print(f"generated, and held to {len(facts_of_markets)} published facts of real markets")
print(f"{prices.size:,} prices, {prices.nbytes:,} bytes; the first: {prices[0, 0]}")

# %% [markdown] tags=["section-build"]
# ## Dollars become ticks, ticks become differences
#
# The codec first, in two functions. What comes first has nothing before it and stays as it is
# (**[delta encoding](../GLOSSARY.md#delta-encoding)**).


# %%
def to_ticks(dollars, per_unit):
    with np.errstate(invalid="ignore"):  # NaN and infinity become some number, which will not come back
        return np.rint(dollars * per_unit).astype("int64")


def to_dollars(ticks, per_unit):
    return ticks / per_unit


# %%
column = np.ascontiguousarray(prices[:, 0])
differences = np.diff(to_ticks(column, per_unit), prepend=0)
print(column[:5], "->", differences[:5])
by_hand = zlib.compress(differences.tobytes(), 5, wbits=31)
plain = zlib.compress(column.tobytes(), 5, wbits=31)
print(f"one share: {column.nbytes:,} bytes, gzip {len(plain):,}, differences and gzip {len(by_hand):,}")
assert np.array_equal(to_dollars(np.cumsum(differences), per_unit), column)

# %% [markdown] tags=["section-library"]
# ## Three methods make a codec, four make a store
#
# `resolve` says what comes out, and refuses what it cannot take. `encode` checks, bit for bit, that the way back
# exists: a codec that cannot keep a value must say so, not change it.

# %%
INT64, INT32 = dtypes.from_json("int64"), dtypes.from_json("int32")


# %%
class Ticks(ArrayArrayCodec):
    def resolve(self, spec):
        if spec.data_type.name != "float64":
            raise self.misfit("prices in float64", spec.data_type.name)
        return spec._replace(data_type=INT64, fill=INT64.default_fill())

    def encode(self, array, spec):
        ticks = to_ticks(array.ravel(), self.configuration["per_unit"])
        if to_dollars(ticks, self.configuration["per_unit"]).tobytes() != array.tobytes():
            raise self.fail("whole ticks", "a value in between, NaN, or -0.0")
        return np.diff(ticks, prepend=0).reshape(array.shape)

    def decode(self, array, spec):
        return to_dollars(np.cumsum(array), self.configuration["per_unit"]).reshape(spec.shape)


# %% [markdown]
# Give it a name, and use it like any other.


# %%
def stored(name, *listed):
    """Store the prices, a chunk for each share; the array, and bytes of all chunks."""
    layout = {"chunks": (len(prices), 1), "zarr_format": 3, "overwrite": True}
    filters = [{"name": each, "configuration": {"per_unit": per_unit}} for each in listed]
    array = zarr.create_array(out / name, data=prices, filters=filters, compressors=gzip5, **layout)
    assert array[...].tobytes() == prices.tobytes()
    return array, sum(len(array.encoded_chunk(coords)) for coords in np.ndindex(array.cdata_shape))


codecs.register("example.ticks", Ticks)
gzip5 = {"name": "gzip", "configuration": {"level": 5}}
_, with_gzip = stored("public.zarr")
a, with_ticks = stored("ticks.zarr", "example.ticks")
print("our chunk and the library's are the same bytes:", a.encoded_chunk((0, 0)) == by_hand)
assert a.encoded_chunk((0, 0)) == by_hand

# %% tags=["hide-input"] jupyter={"source_hidden": true}
each = {"float64": 8.0, "gzip": with_gzip / prices.size, "ticks, gzip": with_ticks / prices.size}
figure, panel = viz.canvas(7.2, 2.2)
for name, size in each.items():
    panel.barh(name, size, color=BLUE if "ticks" in name else GREY, height=0.7)
    panel.text(size + 0.1, name, f"{size:.2f}  (x{8 / size:.1f})", va="center")
panel.set(title="Bytes for each price", xlim=(0, 10), xticks=[])
panel.invert_yaxis()
sizes = viz.Chart.of(figure, "Bytes for each price", f"Bars: {', '.join(f'{k} {v:.2f}' for k, v in each.items())}.")
sizes.save(out / "figures" / "01_10_sizes.svg")
sizes

# %% [markdown]
# **Is it right?** It gave back every price. But those were our prices. The library has *laws* for codecs: tests that
# say what every codec promises, some of them as **[property-based testing](https://hypothesis.readthedocs.io/
# "Testing that states what must hold for every input, and lets a library draw many inputs and look for one that
# breaks it.")** does. Give them the codec, and values that it must be able to keep.


# %%
def broken_laws(laws, subject):
    """The laws that do not hold, and by which error. Normally pytest does this, and says more."""
    broken = {}
    for law in sorted(name for name in dir(laws) if name.startswith("test_")):
        try:
            getattr(laws(), law)(subject())
        except Exception as error:
            broken[law] = type(error).__name__
    return broken


def case(name):
    values = [101.25, 0.01, -3.5, 0.0, 429_496.73]  # all of them whole ticks; one is large
    return CodecCase(name, {"per_unit": 10_000}, data_types=["float64"], values=values)


# %%
found = {"example.ticks": broken_laws(CodecLaws, lambda: case("example.ticks"))}
print("laws that Ticks breaks:", found["example.ticks"])
assert found["example.ticks"] == {}

# %% [markdown]
# **A store** is four methods: get, set, delete, list. This one keeps everything in one table of one SQLite file. A
# lock lets one thread at a time talk to it.


# %%
class Table:
    """One table of keys and bytes, for any number of threads."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.guard = threading.Lock()
        self.ask("create table if not exists objects (key text primary key, value blob) without rowid")

    def ask(self, statement, *values):
        with self.guard:
            return self.db.execute(statement, values).fetchall()

    def close(self):
        self.db.close()


# %%
class TableStore(Table, Store):
    def get(self, key, byte_range=None):
        found = self.ask("select value from objects where key = ?", key)
        return cut(found[0][0], byte_range) if found else None

    def set(self, key, value):
        self.ask("replace into objects values (?, ?)", check_key(key), bytes(value))

    def delete(self, key):
        self.ask("delete from objects where key = ?", key)

    def list_prefix(self, prefix=""):
        start = prefix + "/" if prefix else ""
        yield from (key for (key,) in self.ask("select key from objects order by key") if key.startswith(start))


# %%
found["TableStore"] = broken_laws(StoreLaws, lambda: TableStore(":memory:"))
print("laws that TableStore breaks:", found["TableStore"])
assert found["TableStore"] == {}

# %% [markdown]
# Ranges, safe changes of a value, deleting a whole prefix, groups and arrays: all of it is made of the four. Now an
# array in it, the same as in a folder:

# %%
layout = {"data": prices, "chunks": (len(prices), 1), "compressors": gzip5, "zarr_format": zarr_format}
in_folder = zarr.create_array(out / "folder.zarr", **layout, overwrite=True)
(out / "table.sqlite").unlink(missing_ok=True)
table = TableStore(str(out / "table.sqlite"))
in_table = zarr.create_array(table, **layout)
same = {key: bytes(table.get(key)) == bytes(in_folder.store.get(key)) for key in table.list_prefix()}
print(f"{len(same)} keys, all with the same bytes as in the folder: {all(same.values())}")
assert all(same.values())
assert sorted(same) == sorted(in_folder.store.list_prefix())

# %% [markdown] tags=["section-bytes"]
# ## One line in the metadata asks for our codec
#
# A reader learns of it by its name alone. What the name means stands nowhere in the array.

# %%
document = json.loads((out / "ticks.zarr" / "zarr.json").read_text(encoding="utf-8"))
for codec in document["codecs"]:
    print(codec)
unpacked = gzip.decompress(a.encoded_chunk((0, 0)))
print(
    viz.hexdump(unpacked, length=32, notes={0: f"the first price: {differences[0]} ticks", 8: "the first difference"})
)

# %% [markdown] tags=["section-others"]
# ## What others make of a private codec
#
# No other reader knows `example.ticks`. A good one stops and names it; it must not guess. (What others say of the
# array without it is folded away: they read every price.)


# %% tags=["nbval-ignore-output"]
def read_by_zarr_python(path):
    """Whether zarr-python reads an array, or what it says."""
    try:
        import zarr as zarr_python

        zarr_python.open_array(str(path), mode="r")[...]
        return "reads it"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"


print("with our codec:", read_by_zarr_python(out / "ticks.zarr"))

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
report = interop_check(out / "public.zarr", expected=prices)
print("Without it:", report, sep="\n")
assert not report.differing

# %% [markdown]
# That is the price: an archive in a private codec is readable as long as twenty lines are kept alive. Do two
# public filters do the same, one that scales and one that takes differences? Guess: how many bytes more?

# %%
scaling = {"offset": 0, "scale": per_unit, "dtype": "<f8", "astype": "<i8"}
filters = [{"name": "numcodecs.fixedscaleoffset", "configuration": scaling}]
filters += [{"name": "numcodecs.delta", "configuration": {"dtype": "<i8"}}]
layout = {"chunks": a.chunks, "filters": filters, "compressors": gzip5, "overwrite": True}
handed_on = zarr.create_array(out / "handed_on.zarr", data=a[...], **layout)
assert handed_on[...].tobytes() == prices.tobytes()
same_bytes = [handed_on.encoded_chunk(coords) == a.encoded_chunk(coords) for coords in np.ndindex(a.cdata_shape)]
print(f"{sum(same_bytes)} of {len(same_bytes)} chunks are the same bytes; zarr-python", end=" ")
print(read_by_zarr_python(out / "handed_on.zarr"))
assert all(same_bytes)

# %% [markdown]
# Not one byte more. So these prices need no private codec, and every reader with numcodecs has them. What `Ticks`
# adds is its refusal. A third of a cent passes through the public filters, and comes out as something else:

# %%
third = zarr.create_array({}, data=np.array([1 / 300]), filters=filters, zarr_format=3, write_empty_chunks=True)
print(f"stored {1 / 300:.4f}, read {third[0]:.4f}; and no error")
silently = float(third[0])
assert silently != 1 / 300

# %% [markdown] tags=["section-operations"]
# ## An installed package brings its codec along
#
# `register` holds for one process. A package that is installed can bring its codec to every process: an **[entry
# point](https://packaging.python.org/en/latest/specifications/entry-points/ "A line in an installed package that
# gives one of its objects a public name, so that other packages find and import it.")** says which class belongs to a
# name, and it is imported when the name is met. Here is such a package, as `pip` would leave it.

# %%
site = out / "site-packages"
information = site / "example_codecs-1.0.dist-info"
information.mkdir(parents=True, exist_ok=True)
(information / "METADATA").write_text("Metadata-Version: 2.1\nName: example_codecs\nVersion: 1.0\n")
(information / "entry_points.txt").write_text("[tutorial_zarr.codecs]\nexample.negative = example_codecs:Negative\n")
(site / "example_codecs.py").write_text("""
from tutorial_zarr.codecs.base import ArrayArrayCodec

class Negative(ArrayArrayCodec):
    def encode(self, array, spec): return -array
    def decode(self, array, spec): return -array
""")
print((information / "entry_points.txt").read_text())

# %%
sys.path.insert(0, str(site))
imported_before = "example_codecs" in sys.modules
b = zarr.create_array({}, data=prices[:4, 0], filters=[{"name": "example.negative"}], zarr_format=3)
sys.path.remove(str(site))
print(f"{b.codecs[0]} from {type(b.codecs[0]).__module__}; imported before it was needed: {imported_before}")
print(b[...])

# %% [markdown]
# Before you publish one: write what the codec assumes into its configuration, run the laws in its tests, and pin the
# package where the data are read. Name it with a prefix that is yours, and never change what a name means: new bytes
# need a new name.

# %% [markdown] tags=["section-wrong"]
# ## Half the bytes, every price back, and wrong
#
# Differences of prices are small. So why eight bytes for each? A colleague saves half.


# %%
class Careless(Ticks):
    """The same in int32, as differences are small."""

    def resolve(self, spec):
        return super().resolve(spec)._replace(data_type=INT32, fill=INT32.default_fill())

    def encode(self, array, spec):
        return super().encode(array, spec).astype("int32")


codecs.register("example.careless", Careless)
_, with_careless = stored("careless.zarr", "example.careless")
print(f"{prices.size:,} prices stored and given back, bit for bit")
print(f"x{prices.nbytes / with_ticks:.1f} with Ticks, x{prices.nbytes / with_careless:.1f} with Careless")

# %% [markdown]
# Smaller, and every price came back. Is it correct? Write down what you think, and how you would find out.

# %%
found["example.careless"] = broken_laws(CodecLaws, lambda: case("example.careless"))
print(*found["example.careless"], sep="\n")
assert "test_decoding_what_was_encoded_gives_it_back" in found["example.careless"]

# %%
berkshire = np.array([429_496.73, 429_496.74])
careless = [{"name": "example.careless", "configuration": {"per_unit": 10_000}}]
c = zarr.create_array({}, data=berkshire, filters=careless, zarr_format=3)
print(f"stored {berkshire[0]:,.2f}, read {c[0]:,.2f}; and no error")
limit = (2**32 - 1) / 10_000
wrong_price = float(c[0])
assert wrong_price != berkshire[0]

# %% [markdown]
# The first "difference" is the price itself, and it does not fit: an **[integer
# overflow](https://en.wikipedia.org/wiki/Integer_overflow "What happens when a whole number is too large for its
# bits: it wraps round to another number, mostly without an error.")**. Four decimals and 32 bits end at 429,496.7295
# even without a sign; a stock exchange found out in May 2021, when one share came close to that.
#
# Now the store. This one lists with SQL, in one line instead of two. You delete all that lies below `sea`, as stores
# do it: `delete_prefix`. What is left?


# %%
class CarelessStore(TableStore):
    """Lists what begins with the prefix."""

    def list_prefix(self, prefix=""):
        yield from (key for (key,) in self.ask("select key from objects where key like ? order by key", f"{prefix}%"))


left = {}
for kind in (TableStore, CarelessStore):
    root = zarr.open_group(kind(":memory:"), mode="w", zarr_format=zarr_format)
    for name in ("sea", "sea_ice", "Seals"):
        root.create_array(f"{name}/values", data=np.ones(4))
    root.store.delete_prefix("sea")
    left[kind.__name__] = sorted({key.partition("/")[0] for key in root.store.list_prefix()} - {"zarr.json", ".zgroup"})
    print(f"{kind.__name__:13}: {left[kind.__name__]}")

# %%
found["CarelessStore"] = broken_laws(StoreLaws, lambda: CarelessStore(":memory:"))
print(*found["CarelessStore"], sep="\n")
assert "test_deleting_a_prefix_deletes_all_below_it_and_nothing_else" in found["CarelessStore"]

# %% [markdown]
# A prefix ends at a slash; `LIKE` knows no slashes, nor capital letters. Here are all laws, and who keeps them.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
pairs = {CodecLaws: ("example.ticks", "example.careless"), StoreLaws: ("TableStore", "CarelessStore")}
listed_of = {laws: sorted(name for name in dir(laws) if name.startswith("test_")) for laws in pairs}
lengths = [len(listed) for listed in listed_of.values()]
figure, axes = viz.canvas(7.2, 1.6 + 0.2 * sum(lengths), 2, 1, height_ratios=lengths)
for panel, (laws, names) in zip(axes, pairs.items(), strict=True):
    listed = listed_of[laws]
    for y, law in enumerate(listed):
        for x, name in enumerate(names):
            mark, colour, size = ("X", VERMILION, 10) if law in found[name] else ("o", GREEN, 6)
            panel.plot(x, y, mark, color=colour, markersize=size)
    words = [law.removeprefix("test_").replace("_", " ") for law in listed]
    panel.set_yticks(range(len(listed)), words, fontsize=8)
    panel.set_xticks(range(2), ["the careful one", "the careless one"])
    panel.set(xlim=(-0.6, 1.6), title=laws.__name__)
    panel.invert_yaxis()

# %% tags=["hide-input"] jupyter={"source_hidden": true}
broken = {name: len(laws) for name, laws in found.items()}
described = "Laws kept and broken: " + ", ".join(f"{name} breaks {count}" for name, count in broken.items()) + "."
marks = {line.get_marker(): line for line in axes[0].lines}
figure.legend([marks["o"], marks["X"]], ["kept", "broken"], loc="outside lower right", ncols=2)
table_of_laws = viz.Chart.of(figure, "Laws of codecs and stores, and who keeps them", described)
table_of_laws.save(out / "figures" / "01_10_laws.svg")
table_of_laws

# %% [markdown]
# In a test file of your own it takes three lines for each, and pytest tells which values broke what:
#
# ```python
# class TestTicks(CodecLaws):
#     cases = [CodecCase("example.ticks", {"per_unit": 100}, data_types=["float64"], values=[101.25, 429496.73])]
# ```

# %% [markdown] tags=["section-predict"]
# ## Predict: a third of a cent, NaN and -0.0
#
# What does `Ticks` do with these three? -0.0 equals 0.0, after all.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
tried = [1 / 300, float("nan"), -0.0]
for value in tried:
    try:
        zarr.create_array({}, data=np.array([value]), filters=a.filters, zarr_format=3, write_empty_chunks=True)
    except ValueError as error:
        print(f"{value:.4f}: {type(error).__name__}: {str(error).partition('codec ')[2]}")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_10.1
#
# Small negative numbers have ff in all their upper bytes. **Zigzag** folds the signs together: 0, -1, 1, -2, 2
# become 0, 1, 2, 3, 4. What becomes of -3?
#
# <details><summary>Hint</summary>
# Go on with the list: which number comes after 2?</details>

# %% tags=["exercise"]
folded = ...
check("01_10.1", folded)

# %% [markdown]
# ### Exercise 01_10.2
#
# With 100 ticks a dollar, what is the highest price that `Careless` keeps as the first of a chunk?
#
# <details><summary>Hint</summary>
# The largest int32 is 2147483647. That is how many ticks?</details>

# %% tags=["exercise"]
highest = ...
check("01_10.2", highest)

# %% [markdown]
# ### Exercise 01_10.3: repair code
#
# `below(keys, prefix)` is to list what lies below a prefix, in order; below the empty prefix lies everything. For the
# keys `a/x`, `a/y/1`, `a0`, `a-b`, `A/z`, `b/a` and the prefix `a` these are `a/x` and `a/y/1`. It lists more.
#
# <details><summary>Hint</summary>
# With which characters does a key begin that lies below `a`? Then try the empty prefix again.</details>


# %% tags=["exercise"]
def below(keys, prefix):
    return sorted(key for key in keys if key.startswith(prefix))


check("01_10.3", below)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | a codec: `resolve`, `encode`, `decode` | `zarr.abc.codec.ArrayArrayCodec`: `resolve_metadata`, `_encode_single`, `_decode_single` (`async`), `from_dict`, `to_dict` | - |
# | `codecs.register(name, Class)` | `zarr.registry.register_codec(name, Class)` | - |
# | entry points of the group `tutorial_zarr.codecs` | entry points of the group `zarr.codecs` | - |
# | `CodecLaws` | no tests for a codec of your own | all of them |
# | `Store`: get, set, delete and `list_prefix` | `zarr.abc.store.Store`: twelve members to write, eight of them asynchronous | `update`, with which no change is lost |
# | `list_prefix("sea")`: what lies below `sea/` | `list_prefix("sea")` lists `sea_ice` too; `delete_dir("sea")` ends at the slash | - |
# | `StoreLaws` | `zarr.testing.store.StoreTests`, also a class to inherit from | laws of threads and of updates |
# | `numcodecs.fixedscaleoffset`, `numcodecs.delta` | the same names, the same bytes | a NaN that does not fit is refused |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A codec says what comes out, encodes, decodes, and refuses what it could not give back, bit for bit.
# - A store gets, sets, deletes and lists; everything else is made of these.
# - Your own tests ask what you thought of. Laws bring other questions (threads, strides, a prefix that ends at a
#   slash), and you bring values at the ends: the largest, the smallest.
# - An entry point in an installed package names the class, and it is imported when the name is met.
# - A private codec is a promise: readers without it stop. Here two public filters wrote the same bytes, and checked
#   less.
#
# **Open questions.** Who keeps the codec alive in ten years? How does a name become public? What would a law look
# like for speed, or for memory?
#
# **To read further.**
#
# - [zarr-python: extending Zarr](https://zarr.readthedocs.io/en/stable/user-guide/extending/): codecs, stores and data
#   types of your own, there
# - [Hypothesis](https://hypothesis.readthedocs.io/): how to draw values that break a law, and make them small
# - [Entry points](https://packaging.python.org/en/latest/specifications/entry-points/): what an installed package may
#   declare, and how it is found
# - [Zarr v3: codecs](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html): the public names, and what
#   each of them means
#
# **Next.** [02_01](../02_labs/02_01_chunk_sizing_lab.ipynb): which chunk shape suits the way my array is read?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Negative numbers become odd: -n goes to 2n - 1.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_10.1", 2 * 3 - 1)

# %% [markdown]
# The first difference is the price itself, in ticks.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_10.2", (2**31 - 1) / 100)

# %% [markdown]
# A prefix ends at a slash, and the empty one has none.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def below(keys, prefix):
    start = prefix + "/" if prefix else ""
    return sorted(key for key in keys if key.startswith(start))


check("01_10.3", below)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "prices": prices.size,
        "shares": prices.shape[1],
        "bytes": {"raw": prices.nbytes, "gzip": with_gzip, "ticks": with_ticks, "careless": with_careless},
        "ratio": {
            "gzip": prices.nbytes / with_gzip,
            "ticks": prices.nbytes / with_ticks,
            "careless": prices.nbytes / with_careless,
        },
        "bytes_per_price": each,
        "first_price": float(prices[0, 0]),
        "first_ticks": int(differences[0]),
        "per_unit": [per_unit, 10_000],
        "berkshire": {"stored": float(berkshire[0]), "read": wrong_price, "limit": limit, "bits": 32, "year": 2021},
        "broken": {name: sorted(laws) for name, laws in found.items()},
        "broken_count": broken,
        "left": left,
        "same_keys": len(same),
        "codecs": [codec["name"] for codec in document["codecs"]],
        "highest": (2**31 - 1) / 100,
        "public_filters": {"chunks": len(same_bytes), "same": sum(same_bytes), "third_of_a_cent": silently},
    },
)
table.close()
