# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Choose a codec by looking at your bytes
#
# **Question.** Which codec makes my data small?
#
# ![Ratio of compression for four kinds of data and seven pipelines. Shuffling helps temperatures and hurts
# prices.](../../articles/figures/01_03_ratios.svg)
#
# *Four arrays, the same seven pipelines. No pipeline wins everywhere.*
#
# The codec decides what a terabyte costs every month, and how long each read takes. And a setting that was copied from
# another project was chosen for other data.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 40 minutes |
# | **Needs** | [01_01](01_01_first_zarr_array.ipynb) |
# | **Code** | `tutorial_zarr/codecs/pipeline.py`, `tutorial_zarr/codecs/compressors.py` and `filters.py` |
# | **Article** | [One trick, half the size or three times it](../../articles/03_compression_pipelines.md) |
# | **Data** | real projected temperatures (`data_gen/air_temperature.py`), a day of trades (`data_gen/ticks.py`) |
#
# **You will be able to**
#
# - read a pipeline of codecs, and undo it by hand
# - tell from a picture of the bytes whether shuffling will help or hurt
# - make data easy to compress by storing what they really are
# - work out at which bandwidth compression stops paying
# - recognise data that no codec makes smaller, and a codec that a reader does not have
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# The speeds are those of the model at the end. `measure` times the codecs on your machine as well.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: five days of trades instead of one
workers = 4  # this lesson works in order; every notebook has this parameter
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
level = 3  # of zstd
decode_mb_per_s = {"lz4": 2000, "zstd": 800, "gzip": 300}  # of plain bytes, in the model
measure = True  # False: time nothing

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import json
import zlib

import numcodecs
import numpy as np

import tutorial_zarr as zarr
from data_gen import air_temperature, ticks
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, print_timings, save_facts
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, VERMILION

out = output_folder(out_dir)
in_range(level=(level, 1, 9), workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3))

# %% [markdown] tags=["section-data"]
# ## Temperatures, dollars, cents and random bytes
#
# Real temperatures over North America from a climate model, as float32. And what was paid for eight stocks, each second
# of a day, as float64: generated, and held to what is known of real markets.

# %%
climate = air_temperature.make("small", seed)
market = ticks.make("small" if quick else "large", seed)
for data_set, result in ((air_temperature, climate), (ticks, market)):
    passed = [low <= value <= high for value, low, high in data_set.realism(result).values()]
    print(next(iter(result.provenance.values())))
    print(f"   {sum(passed)} of {len(passed)} checks against published figures pass")
    assert all(passed)

# %% [markdown]
# The prices come twice: in dollars as float64, and as the whole cents that they are, in int32. The fourth array is
# random bytes.

# %%
temperature = climate.arrays["air_temperature"]
dollars = market.arrays["price"]
cents = np.rint(dollars * 100).astype("int32")
random_bytes = np.random.PCG64(seed).random_raw(2**15).view("uint8")
signals = {"temperature": temperature, "dollars": dollars, "cents": cents, "random": random_bytes}
chunks = {
    "temperature": temperature.shape,
    "dollars": (len(dollars), 1),
    "cents": (len(cents), 1),
    "random": random_bytes.shape,
}
for name, values in signals.items():
    print(f"{name:12} {values.dtype!s:8} {values.nbytes:9,} B  {values.ravel()[:4]}")

# %% [markdown] tags=["section-idea"]
# ## Lay out the bytes and look
#
# Compressors such as gzip and zstd look for pieces that they have seen before. Whether they find any depends on how the
# bytes lie. Here are forty values of three arrays, one value a line, and a square for every byte. Dark is high.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.2, 4.4, 1, 3, width_ratios=(4, 8, 4))
shown = {"temperature": temperature[0, 18, :40], "dollars": dollars[600:640, 0], "cents": cents[600:640, 0]}
for panel, (name, values) in zip(axes, shown.items(), strict=True):
    panel.imshow(
        np.ascontiguousarray(values).view("uint8").reshape(40, -1), cmap="Greys", aspect="auto", vmin=0, vmax=255
    )
    panel.set(title=f"{name}\n{values.dtype}", xlabel="byte", xticks=range(values.itemsize), yticks=[])
axes[0].set(ylabel="40 values, one below the other")
described = (
    "The bytes of forty values. Temperatures: two columns of noise, two that hardly change. Dollars: six columns of "
)
described += "noise in which whole lines repeat. Cents: one column that changes a little, the others constant."
bytes_seen = viz.Chart.of(figure, "The bytes of forty values of three arrays", described)
bytes_seen.save(out / "figures" / "01_03_bytes.svg")
bytes_seen

# %% [markdown]
# The **[byte shuffle](https://www.blosc.org/pages/blosc-in-depth/ "Storing the first bytes of all values, then all
# second bytes, and so on; a compressor then meets similar bytes side by side.")** is an old trick: store all first
# bytes, then all second bytes, and so on, column by column of the picture instead of line by line. It loses nothing,
# and takes little time.
#
# Look at the three pictures. For which of them will shuffling help? Is there one that it will hurt? Write it down.

# %% [markdown] tags=["section-build"]
# ## Build it small: a shuffle is a transpose
#
# The shuffle and its inverse are one line each. So is
# **[delta encoding](https://en.wikipedia.org/wiki/Delta_encoding "Storing by how much each value differs from the one
# before it, instead of the value itself.")**. The compressor is from the standard library.


# %%
def shuffle(raw, itemsize):
    """All first bytes, then all second bytes, ..."""
    return np.frombuffer(raw, "u1").reshape(-1, itemsize).T.tobytes()


def unshuffle(raw, itemsize):
    """The inverse: the same with the axes exchanged."""
    return np.frombuffer(raw, "u1").reshape(itemsize, -1).T.tobytes()


def delta(values):
    """The first value, and then by how much each differs from the one before."""
    return np.diff(values, prepend=values.dtype.type(0))


# %% [markdown]
# Gzip on one chunk of each array, without and with the shuffle: what is left?


# %%
def left_by_hand(values):
    """Bytes after gzip: as they are, and shuffled."""
    plain = values.tobytes()
    return [len(zlib.compress(data, 5, wbits=31)) for data in (plain, shuffle(plain, values.itemsize))]


firsts = {
    name: np.ascontiguousarray(values[..., :1] if values.ndim == 2 else values) for name, values in signals.items()
}
by_hand = {name: left_by_hand(values) for name, values in firsts.items()}
for name, (plain, shuffled) in by_hand.items():
    raw = firsts[name].nbytes
    print(f"{name:12} {raw:8,} B   gzip x{raw / plain:5.2f}   shuffled, then gzip x{raw / shuffled:5.2f}")
assert unshuffle(shuffle(dollars.tobytes(), 8), 8) == dollars.tobytes()

# %% [markdown]
# The same trick makes temperatures smaller and dollars several times larger. The bytes will show why.

# %% [markdown] tags=["section-library"]
# ## Seven pipelines on four arrays
#
# A pipeline is a list. Filters change the values, then they become bytes, then compressors change the bytes. First the
# proof that the library does what we did by hand, byte for byte.

# %%
shuffling = {"name": "numcodecs.shuffle", "configuration": {"elementsize": 8}}
gzip5 = {"name": "gzip", "configuration": {"level": 5}}
listed = {2: {"filters": [shuffling], "compressors": gzip5}, 3: {"compressors": [shuffling, gzip5]}}[zarr_format]
hand_made = {"shape": dollars.shape, "chunks": (len(dollars), 1), "dtype": "float64", "zarr_format": zarr_format}
a = zarr.create_array(out / "shuffled_gzip.zarr", **hand_made, **listed, overwrite=True)
a[...] = dollars
ours = zlib.compress(shuffle(np.ascontiguousarray(dollars[:, 0]).tobytes(), 8), 5, wbits=31)
print("the library's chunk and ours are the same bytes:", a.encoded_chunk((0, 0)) == ours)
assert a.encoded_chunk((0, 0)) == ours

# %% [markdown]
# Now seven pipelines on four arrays. Blosc is a codec that holds a shuffle and a compressor. Its bitshuffle goes
# further than bytes, and sorts bit by bit. Delta is for whole numbers here.


# %%
def blosc(cname, how):
    return {"name": "blosc", "configuration": {"cname": cname, "clevel": level, "shuffle": how}}


bit = blosc("zstd", "bitshuffle")
pipelines = {
    "none": {"compressors": None},
    "lz4": {"compressors": blosc("lz4", "noshuffle")},
    "gzip": {"compressors": gzip5},
    "zstd": {"compressors": blosc("zstd", "noshuffle")},
    "shuffle, zstd": {"compressors": blosc("zstd", "shuffle")},
    "bitshuffle, zstd": {"compressors": bit},
}
differences = {"name": "numcodecs.delta", "configuration": {"dtype": "<i4"}}
for_whole_numbers = {"delta, bitshuffle, zstd": {"filters": [differences], "compressors": bit}}

# %%
stored = {}
for signal, values in signals.items():
    candidates = pipelines | (for_whole_numbers if values.dtype == "int32" else {})
    for name, listed in candidates.items():
        path = out / f"{signal}_{name.replace(', ', '_')}.zarr"
        layout = {"chunks": chunks[signal], "zarr_format": zarr_format, "overwrite": True}
        a = zarr.create_array(path, data=values, **layout, **listed)
        assert np.array_equal(a[...], values)
        stored[signal, name] = sum(len(a.encoded_chunk(coords)) for coords in np.ndindex(a.cdata_shape))
print(len(stored), "arrays written, and each read back to the last bit")

# %%
ratio = {key: signals[key[0]].nbytes / nbytes for key, nbytes in stored.items()}
names = [*pipelines, *for_whole_numbers]
best, worst = (
    max(pipelines, key=lambda p: ratio["temperature", p]),
    min([*pipelines][1:], key=lambda p: ratio["dollars", p]),
)
assert best == worst == "shuffle, zstd"
print(f"{'':24}", *(f"{signal:>12}" for signal in signals))
for name in names:
    print(f"{name:24}", *(f"{f'x{ratio[s, name]:.2f}' if (s, name) in ratio else '':>12}" for s in signals))

# %% tags=["hide-input"] jupyter={"source_hidden": true}
figure, axes = viz.canvas(7.2, 5.0, 2, 2, sharex=True, sharey=True)
for panel, signal in zip(axes.flat, signals, strict=True):
    known = [name for name in names if (signal, name) in ratio]
    best = max(known, key=lambda name: ratio[signal, name])
    for name in known:
        panel.barh(names.index(name), ratio[signal, name], color=BLUE if name == best else GREY, height=0.7)
        panel.text(ratio[signal, name], names.index(name), f" x{ratio[signal, name]:.1f}", va="center")
    panel.set(title=signal, xlim=(0, 1.2 * max(ratio.values())))
axes[0, 0].set_yticks(range(len(names)), names)
axes[0, 0].invert_yaxis()
figure.supxlabel("bytes before / bytes after", fontsize=10)
said = [f"{s}: zstd x{ratio[s, 'zstd']:.1f}, shuffled x{ratio[s, 'shuffle, zstd']:.1f}" for s in signals]
ratios = viz.Chart.of(figure, "Ratio of compression, four arrays, seven pipelines", f"Bars. {'; '.join(said)}.")
ratios.save(out / "figures" / "01_03_ratios.svg")
ratios

# %% [markdown]
# Bytes before, divided by bytes after. Of these compressors, zstd behind a byte shuffle is the best for temperatures
# and the worst for dollars. The same prices as whole cents turn the order round. And no codec makes random bytes
# smaller.

# %% [markdown] tags=["section-bytes"]
# ## Why one trick helps and hurts
#
# Four temperatures, neighbours on the map. The sign and the size of a float32 are in its highest byte, which is the
# last on the disk: it is the same in all four, and the one before it nearly. How much can be saved in such a column?
# Its **[entropy](https://en.wikipedia.org/wiki/Entropy_%28information_theory%29 "The least number of bits that a symbol
# needs on average, if its neighbours tell nothing about it; 8 bits a byte means no saving.")** says.

# %%
print(viz.hexdump(temperature[0, 18, :4].tobytes(), length=16))
planes = shuffle(temperature.tobytes(), 4)
different = [len(set(planes[k * temperature.size : (k + 1) * temperature.size])) for k in range(4)]
print("different bytes in each of the four columns:", different)


# %%
def entropy(data):
    """Bits a byte: the mean of log2(1 / share) over all bytes."""
    counts = np.bincount(np.frombuffer(data, "u1"))
    shares = counts[counts > 0] / len(data)
    return float((shares * np.log2(1 / shares)).sum())


bits = [round(entropy(planes[k * temperature.size : (k + 1) * temperature.size]), 2) for k in range(4)]
print("bits a byte in each column:", bits, " in all of them mixed:", round(entropy(planes), 2))
assert np.isclose(entropy(planes), entropy(temperature.tobytes()))

# %% [markdown]
# The shuffle changes the order of bytes and not one byte, so the entropy of them all stays. What it gains comes from
# the neighbours: the quiet columns now stand by themselves.
#
# And dollars. A price like 39.89 is no round number in base two, so its eight bytes look like noise. But few prices
# occur, and each of them always as the same eight bytes. Those repeats are what zstd finds, and what shuffling tears
# apart.

# %%
seconds = np.ascontiguousarray(dollars[600:604, 0])
print(seconds, viz.hexdump(seconds.tobytes(), length=32), sep="\n")
distinct = [np.unique(dollars[:, k]).size for k in range(8)]
print(f"{len(dollars):,} prices of each stock, and only {min(distinct)} to {max(distinct):,} different ones")

# %% [markdown]
# Undo a stored chunk by hand, from the file, with zlib and NumPy.

# %%
key = {2: "0.0", 3: "c/0/0"}[zarr_format]
data = (out / "shuffled_gzip.zarr" / key).read_bytes()
undone = np.frombuffer(unshuffle(zlib.decompress(data, wbits=31), 8), "<f8")
print(f"{len(data):,} bytes in the file, {undone.nbytes:,} unpacked, equal: {np.array_equal(undone, dollars[:, 0])}")
assert np.array_equal(undone, dollars[:, 0])

# %% [markdown] tags=["section-others"]
# ## Who can undo it
#
# zarr-python and TensorStore undo blosc, gzip and zstd to the last bit (the table is folded away). Delta as a filter is
# a convention that zarr-python shares and TensorStore does not have. If you do not know your readers, stay with the
# first three.

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
print("Reader by reader:")
for path, values in {
    "temperature_shuffle_zstd.zarr": temperature,
    "dollars_gzip.zarr": dollars,
    "cents_bitshuffle_zstd.zarr": cents,
}.items():
    report = interop_check(out / path, expected=values)
    print(path, report, "", sep="\n")
    assert not report.differing

# %% [markdown] tags=["section-operations"]
# ## Where compression stops paying
#
# Smaller is not always faster. A read takes time to fetch what is stored, and time to unpack it. At a low
# **[bandwidth](../GLOSSARY.md#bandwidth)** the first counts, at a high one the second. Where is the border?


# %%
def seconds_per_gb(bandwidth, ratio=1.0, decode=np.inf):
    """The model: the time for a gigabyte of values; bandwidth and decode are in megabytes a second."""
    return 1000 / ratio / bandwidth + 1000 / decode


pairs = {"lz4": "lz4", "zstd": "bitshuffle, zstd", "gzip": "gzip"}
border = {name: speed * (1 - 1 / ratio["cents", pairs[name]]) for name, speed in decode_mb_per_s.items()}
for name, limit in border.items():
    r, speed = ratio["cents", pairs[name]], decode_mb_per_s[name]
    print(f"{name:5} unpacks {speed:,} MB/s, x{r:.1f}: pays below {limit:,.0f} MB/s")
    assert np.isclose(seconds_per_gb(limit), seconds_per_gb(limit, r, speed))
at_100 = {name: seconds_per_gb(100, ratio["cents", pairs[name]], speed) for name, speed in decode_mb_per_s.items()}
assert min(at_100, key=at_100.get) == max(pairs, key=lambda name: ratio["cents", pairs[name]])

# %% tags=["hide-input"] jupyter={"source_hidden": true}
bandwidth = np.logspace(1, 4, 100)
figure, panel = viz.canvas(7, 3.4)
panel.loglog(bandwidth, 1000 / seconds_per_gb(bandwidth), color=GREY, label="none")
for (name, of), colour in zip(pairs.items(), (VERMILION, BLUE, GREEN), strict=True):
    values = 1000 / seconds_per_gb(bandwidth, ratio["cents", of], decode_mb_per_s[name])
    panel.loglog(bandwidth, values, color=colour, label=of)
panel.set(title="Speed of a read of cents, in the model", xlabel="bandwidth of the store, MB/s", ylabel="values, MB/s")
panel.xaxis.set_major_formatter("{x:,g}")
panel.yaxis.set_major_formatter("{x:,g}")
panel.legend(loc="upper left")
limits = ", ".join(f"{name} pays below {limit:,.0f} MB/s" for name, limit in border.items())
described = f"Speed of a read against bandwidth: {limits}."
speeds = viz.Chart.of(figure, "Speed of a read against the bandwidth of the store", described)
speeds.save(out / "figures" / "01_03_bandwidth.svg")
speeds

# %% [markdown]
# With these speeds the smallest of the three wins at 100 MB/s, and above the highest border nothing beats no codec. But
# the speeds are round numbers. Here are those of this machine:

# %% tags=["nbval-ignore-output"]
if measure:
    timed = {name: zarr.open_array(out / f"cents_{name.replace(', ', '_')}.zarr", mode="r") for name in names}
    print_timings({name: (lambda array=array: array[...]) for name, array in timed.items()})
    print(f"of {cents.nbytes / 1e6:.1f} MB of values, from files that the system has in memory")

# %% [markdown] tags=["section-wrong"]
# ## Three ways to waste a codec
#
# **Compressing what has no pattern.** In encrypted data and in JPEGs there is next to nothing to find, and the codec
# stores them with a frame around. Compressing twice is the same mistake. Here are the random bytes:

# %%
packed = zlib.compress(random_bytes.tobytes(), 5, wbits=31)
twice = zlib.compress(packed, 5, wbits=31)
grown = [len(packed) - random_bytes.nbytes, len(twice) - random_bytes.nbytes]
print(f"random: {random_bytes.nbytes:,} bytes, {grown[0]:+} when packed, {grown[1]:+} when packed twice")
assert len(twice) > len(packed) > random_bytes.nbytes

# %% [markdown]
# **A shuffle that is set for another width.** It runs, it is lossless, and it is a waste: temperatures shuffled as if
# they had eight bytes, cents as if they had three.

# %%
wrong_width = {}
for name, itemsize in (("temperature", 4), ("temperature", 8), ("cents", 4), ("cents", 3)):
    raw = firsts[name].tobytes()
    raw = raw[: len(raw) // itemsize * itemsize]
    wrong_width[name, itemsize] = len(raw) / len(zlib.compress(shuffle(raw, itemsize), 5, wbits=31))
    print(f"{name} shuffled by {itemsize} bytes: x{wrong_width[name, itemsize]:.2f}")

# %% [markdown]
# **A codec that the reader does not have.** The metadata name every codec. A reader that does not know one must stop;
# anything else would hand out other numbers.

# %%
document = {2: ".zarray", 3: "zarr.json"}[zarr_format]
strange = zarr.create_array({}, data=cents, compressors=gzip5, zarr_format=zarr_format)
strange.store.set(document, strange.store.get(document).replace(b"gzip", b"brotli"))
try:
    zarr.open_array(strange.store, mode="r")
except ValueError as error:
    print(f"{type(error).__name__}: {str(error).partition(';')[0]}")

# %% [markdown] tags=["section-predict"]
# ## Keep a tenth of a kelvin
#
# So far every byte came back. Now a **[lossy compression](https://en.wikipedia.org/wiki/Lossy_compression "Storing less
# than was there, so that what comes back is near the original and not equal to it.")**: round the temperatures to a
# tenth of a kelvin, store them as whole numbers, and compress those. How much smaller are they than the float32? Write
# it down. Then try a hundredth.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
step = 0.1
rounded = np.rint((temperature - 250) / step).astype("int16")
small = len(numcodecs.Blosc("zstd", level, shuffle=2).encode(np.ascontiguousarray(rounded)))
rounded_ratio = temperature.nbytes / small
print(f"x{rounded_ratio:.1f}, and every value is off by up to {step / 2} kelvin")

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 01_03.1
#
# Each trade also has a size: whole numbers in int32, most of them between 10 and 1000. Order the
# pipelines `"lz4"`, `"zstd"` and `"shuffle, zstd"` by what they leave, the smallest first.
#
# <details><summary>Hint</summary>
# Do whole values repeat often, as prices do? What do the upper two bytes of such a number look like?</details>

# %% tags=["exercise"]
order = ...
check("01_03.1", order)

# %% [markdown]
# ### Exercise 01_03.2
#
# On the cents, delta followed by a byte shuffle leaves *more* than the byte shuffle alone. Why?
#
# - `"a"`: differences are larger numbers than prices
# - `"b"`: differences change their sign, and with it all the upper bytes flip between 00 and ff
# - `"c"`: delta stores every value twice
#
# <details><summary>Hint</summary>
# Look at `delta(cents[:, 0])[:8]` with `viz.hexdump`. What are the bytes of -1?</details>

# %% tags=["exercise"]
reason = ...
check("01_03.2", reason)

# %% [markdown]
# ### Exercise 01_03.3
#
# Write the function that undoes a pipeline. `data` are stored bytes, and `pipeline` names what was done to int32
# values, in the order of writing: `"delta"` on the values, `"shuffle"` and `"gzip"` on their bytes. Return the values.
# The check runs it on pipelines that you do not see, some with the same step twice.
#
# <details><summary>Hint</summary>
# Which step comes first on the way back? `zlib.decompress(data, wbits=31)` and `unshuffle` are there already. The
# inverse of differences are sums; keep them in int32.</details>


# %% tags=["exercise"]
def undo(data, pipeline): ...


check("01_03.3", undo)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `create_array(..., filters=..., compressors=...)`, with dicts | the same names, and dicts too | - |
# | no `compressors`: zstd | zstd, as well | - |
# | `UnsupportedError`, on opening, for an unknown codec | `UnknownCodecError`, on opening | - |
# | `a.encoded_chunk((1, 0))` | `await a.store.get(key, prototype)` | a call without `await` |
# | `np.rint(dollars * 100).astype("int32")` | xarray: `scale_factor` in `encoding`, undone on reading | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - A pipeline is a list, written down in the metadata; to undo it, go backwards: unpack, unshuffle, view.
# - Shuffling helped where the columns of the byte picture are quiet, and hurt where noisy lines repeat as a whole.
# - Prices are whole cents. Stored as what they are, they take half the bytes before any codec, and about half after the
#   best one.
# - Compression pays below a bandwidth of decoding speed times (1 - 1 / ratio), and not above, if fetching and decoding
#   do not overlap.
# - No codec makes random bytes smaller, and a codec that a reader does not know is an error, never a guess.
#
# **Open questions.** How much may be thrown away, and who decides? Which level is worth its time? What if one
# chunk holds quiet and busy data together?
#
# **To read further.**
#
# - [Blosc in depth](https://www.blosc.org/pages/blosc-in-depth/): how it cuts, shuffles and compresses, and why it is
#   fast
# - [zstd](https://facebook.github.io/zstd/): what its levels cost and save, against zlib and lz4
# - [Codecs of Zarr v3](https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html): which codecs a reader can be
#   expected to know
# - [A mathematical theory of communication](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x): the paper that
#   introduced entropy, and still readable
#
# **Next.** [01_04](01_04_metadata_one_rtt.ipynb): why does opening a dataset take many requests, and can it be one?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# Sizes hardly repeat, but their upper two bytes are zero: shuffling puts those together.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("01_03.1", ["shuffle, zstd", "zstd", "lz4"])

# %% [markdown]
# In two's complement -1 is ff ff ff ff and 1 is 01 00 00 00. A price that jumps up and down keeps all four bytes
# busy. Bitshuffle suffers less.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
print(viz.hexdump(delta(np.ascontiguousarray(cents[:, 0]))[1:9].tobytes(), length=32))
check("01_03.2", "b")

# %% [markdown]
# Go backwards. A delta is undone by running sums, in the type that the values have.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def undo(data, pipeline):
    for step in reversed(pipeline):
        if step == "gzip":
            data = zlib.decompress(data, wbits=31)
        elif step == "shuffle":
            data = unshuffle(data, 4)
        else:
            data = np.cumsum(np.frombuffer(data, "<i4"), dtype="<i4").tobytes()
    return np.frombuffer(data, "<i4")


check("01_03.3", undo)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "raw": {name: values.nbytes for name, values in signals.items()},
        "itemsize": {name: values.itemsize for name, values in signals.items()},
        "stored": {f"{signal}: {name}": nbytes for (signal, name), nbytes in stored.items()},
        "ratio": {f"{signal}: {name}": value for (signal, name), value in ratio.items()},
        "arrays": len(stored),
        "pipelines": len(names),
        "bytes_per_price": {
            name: stored[signal, name] / dollars.size
            for signal, name in (("dollars", "zstd"), ("dollars", "shuffle, zstd"), ("cents", "bitshuffle, zstd"))
        },
        "cents_of_dollars": dollars.nbytes / stored["cents", "bitshuffle, zstd"],
        "shuffle_hurts": stored["dollars", "shuffle, zstd"] / stored["dollars", "zstd"],
        "prices_of_a_share": len(dollars),
        "shares": dollars.shape[1],
        "example_price": float(seconds[0]),
        "different_prices": [min(distinct), max(distinct)],
        "different_bytes": different,
        "bits_a_byte": bits,
        "first_share": {
            "plain": firsts["dollars"].nbytes / by_hand["dollars"][0],
            "shuffled": firsts["dollars"].nbytes / by_hand["dollars"][1],
        },
        "by_hand": by_hand,
        "chunk_in_file": [len(data), undone.nbytes],
        "border_mb_per_s": border,
        "decode_mb_per_s": decode_mb_per_s,
        "wire_mb_per_s": 100,
        "random_grows_by": grown,
        "wrong_width": {f"{name} by {width}": value for (name, width), value in wrong_width.items()},
        "rounded": {"step": step, "ratio": rounded_ratio, "error": step / 2},
        "metadata_keys": sorted(json.loads(a.store.get(document))),
    },
)
