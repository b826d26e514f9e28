# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Give up the bits that mean nothing
#
# **Question.** How much space does a small error buy?
#
# ![The 32 bits of a temperature as bars: the sign, the exponent and the first of the mantissa are easy to predict; the
# rest are as surprising as a coin.](../../articles/figures/02_02_bits.svg)
#
# *Each bar is a bit of the number. The grey ones are coins that were tossed.*
#
# No thermometer knows the temperature of a place to a hundred-thousandth of a kelvin. Stored as float32 it has such
# digits all the same. They are noise, noise cannot be compressed, and so they are most of what you pay for.
#
# [01_03](../01_core_zarr/01_03_compression_pipelines.ipynb) lost nothing and came to a ratio below two.

# %% [markdown]
# <details><summary><b>About this lesson:</b> what you will be able to do, time, level, what you need</summary>
#
# | | |
# |---|---|
# | **Level** | ★ beginner |
# | **Time** | 35 minutes |
# | **Needs** | [01_03](../01_core_zarr/01_03_compression_pipelines.ipynb) |
# | **Code** | `tutorial_zarr/labs/compression`, `tutorial_zarr/codecs/extensions/bitround.py` |
# | **Article** | none |
# | **Data** | real projected temperatures (`data_gen/air_temperature.py`), a day of trades (`data_gen/ticks.py`) |
#
# **You will be able to**
#
# - see which bits of a number carry something, and which are noise
# - round away what is noise, and say how far off a value may be
# - try every codec on a sample of your own, and read the advice
# - hold a lossy codec to its promise, value by value
# - name three ways in which a lossy codec goes wrong in silence
#
# </details>

# %% [markdown] tags=["section-parameters"]
# ## Parameters
#
# `tolerance` is how far off a temperature may be, in kelvin.

# %% tags=["parameters", "hide-input"] jupyter={"source_hidden": true}
seed = 0
quick = True  # False: every codec at every level
workers = 1  # threads for the speeds in the shootout
out_dir = None  # where to write; None means a fresh temporary folder
zarr_format = 3
tolerance = 0.05

# %% tags=["hide-input"] jupyter={"source_hidden": true}
import itertools
import zlib
from functools import partial

import numpy as np

import tutorial_zarr as zarr
from data_gen import air_temperature, ticks
from tutorial_zarr import viz
from tutorial_zarr.gallery.lesson import check, in_range, interop_check, output_folder, print_timings, save_facts
from tutorial_zarr.labs import compression
from tutorial_zarr.stores import LocalStore, TraceStore
from tutorial_zarr.viz.chart import BLUE, GREY

# %% tags=["hide-input"] jupyter={"source_hidden": true}
out = output_folder(out_dir)
in_range(workers=(workers, 1, 64), zarr_format=(zarr_format, 2, 3), tolerance=(tolerance, 0.001, 1.0))

# %% [markdown] tags=["section-idea"]
# ## Some bits are as hard to guess as a coin
#
# Real temperatures over North America from a climate model, as float32, and what was paid for one share in each
# second of a day: generated, and held to what is known of markets.

# %%
climate, market = air_temperature.make("small", seed), ticks.make("tiny", seed)
for data_set, result in ((air_temperature, climate), (ticks, market)):
    assert all(low <= value <= high for value, low, high in data_set.realism(result).values())
kelvin = climate.arrays["air_temperature"]
dollars = np.ascontiguousarray(market.arrays["price"][:, :1])
print(f"{kelvin.size:,} temperatures, such as {kelvin[0, 0, 0]!s}; {dollars.size:,} prices, such as {dollars[0, 0]!s}")

# %% [markdown]
# A float32 has 32 bits: a sign, 8 of the exponent, 23 of the mantissa. For each of them: if you know your neighbour's,
# how hard is it to guess? That is its **[entropy](../GLOSSARY.md#entropy)**: 0 is "always the same", 1 is "a coin".


# %%
def surprise(values):
    """For each bit of a float32, from the sign on: the entropy, in bits, of whether it differs from its neighbour's."""
    bits = np.unpackbits(np.ascontiguousarray(values).astype(">f4").view("u1").reshape(*values.shape, 4), axis=-1)
    share = (bits[..., 1:, :] != bits[..., :-1, :]).reshape(-1, 32).mean(0)
    return -sum(np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0) for p in (share, 1 - share))


# %% tags=["hide-input"] jupyter={"source_hidden": true}
coins = surprise(kelvin)
noise = int((coins[9:] > 0.99).sum())
figure, axes = viz.canvas(7.2, 3.2)
axes.bar(range(32), coins, color=[BLUE if c <= 0.99 else GREY for c in coins], width=0.85)
axes.set(title="Temperatures, bit by bit", xlabel="bit, from the sign to the end of the mantissa", ylabel="surprise")
for place, name in ((0, "sign"), (4.5, "exponent"), (20, "mantissa")):
    axes.text(place, 1.04, name, ha="center", fontsize=9)
axes.set_ylim(0, 1.15)
said = (
    f"Bars: {noise} of the 23 bits of the mantissa are as surprising as a coin; the others less, the first not at all."
)
bit_by_bit = viz.Chart.of(figure, "How surprising each bit of a temperature is", said)
bit_by_bit.save(out / "figures" / "02_02_bits.svg")
bit_by_bit

# %% [markdown]
# The grey bits are coins, as far as a neighbour can tell, and a codec has little to work with. (Below, no lossless
# chain makes a temperature smaller than these bits.) If they mean nothing to you, set them to zero: **[lossy
# compression](../GLOSSARY.md#lossy-compression)**.
#
# **Bitround** keeps the first bits of the mantissa. Guess: if 9 of 23 are kept, how far off is the worst
# temperature, and how many times smaller do the values become? Write both down.

# %% [markdown] tags=["section-build"]
# ## Round to nine bits, in three lines of integers
#
# Add half of the last bit that is kept, then cut off what follows; a tie goes to the even number. Then the shuffle
# of 01_03, and zlib.


# %%
def bitround(values, keep):
    """float32 with `keep` bits of the mantissa, rounded to nearest, ties to even."""
    bits, drop = values.view("u4"), 23 - keep
    half = (1 << (drop - 1)) - 1 + (bits >> drop & 1)
    return ((bits + half.astype("u4")) >> drop << drop).view("f4")


def squeezed(values):
    """Bytes after a shuffle and zlib."""
    planes = np.ascontiguousarray(values).view("u1").reshape(-1, values.itemsize).T
    return len(zlib.compress(planes.tobytes(), 5))


# %%
keeps, by_hand = (13, 11, 9, 7), {}
print(f"all 23 bits: x{kelvin.nbytes / squeezed(kelvin):.2f}, exact")
for keep in keeps:
    rounded = bitround(kelvin, keep)
    by_hand[keep] = (kelvin.nbytes / squeezed(rounded), float(np.abs(rounded - kelvin).max()))
    alike = np.mean(rounded[..., 1:] == rounded[..., :-1])
    print(
        f"{keep:2} bits: x{by_hand[keep][0]:5.2f}, worst error {by_hand[keep][1]:.4f} K, neighbours alike {alike:3.0%}"
    )

# %% [markdown]
# Two bits fewer cost four times the error here, and save about a quarter of the bytes; from 9 to 7 more than half,
# because now many neighbours are equal. What is promised follows from the number of bits alone: of x at most
# `|x| / 2^(keep + 1)`.

# %% [markdown] tags=["section-library"]
# ## Every chain on a sample, each held to its promise
#
# The library's codec does the same, bit for bit. It only rounds when it writes: decoding leaves the numbers as they
# are.

# %%
blosc = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "shuffle"}}
layout = {"chunks": (12, 37, 49), "zarr_format": zarr_format, "overwrite": True}
for keep in keeps:
    rounding = {"name": "numcodecs.bitround", "configuration": {"keepbits": keep}}
    a = zarr.create_array(out / f"keep_{keep}.zarr", data=kelvin, filters=[rounding], compressors=blosc, **layout)
    assert np.array_equal(a[...], bitround(kelvin, keep))
exact = zarr.create_array(out / "exact.zarr", data=kelvin, compressors=blosc, **layout)
assert np.array_equal(exact[...], kelvin)
print("the library rounds as we do")

# %% [markdown]
# Bitround is one of four ways, and blosc one of many compressors. The **shootout** takes a sample of an array and
# tries all that is installed: the lossless chains proved by hash, the lossy ones held to their promise.

# %%
shots = compression.shootout(exact, name="temperature", workers=workers, levels=not quick)
lossless = [r for r in shots.results if r.chain.promise is None]
lossy = [r for r in shots.results if r.chain.promise]
print(f"{len(lossless)} chains that lose nothing, {len(lossy)} that do")
assert all(r.exact for r in lossless)
assert all(r.holds for r in lossy)
print(f"the smallest that loses nothing: {min(r.stored for r in lossless) * 8 / kelvin.size:.1f} bits a value")
assert min(r.stored for r in lossless) * 8 / kelvin.size > noise

# %%
compression.errors_figure(shots, "K")

# %% [markdown]
# Above the dotted line lies what an error buys. On these temperatures the four ways lie close together: how much you
# give up counts for more than how. Where the lines grow steep, neighbours become equal, as in the table above.
#
# What would the lab take, if a temperature may be off by `tolerance`?

# %%
coarse, _ = compression.lossy(shots.sample, tolerance)  # each way, as coarse as the tolerance allows
tried = [compression.measure(chain, shots.sample) for chain in coarse]
within = compression.advise([*shots.results, *tried], shots.sample, bandwidth=100, tolerance=tolerance)[-1]
print(f"{within.use} K: {within.label}\n{within.reason}")
print(f"\nthe smallest that loses nothing: {shots.picks[1].label}, x{shots.picks[1].result.ratio:.2f}")
assert within.result.error <= tolerance

# %% [markdown]
# The same on prices. Which shuffle helps, which hurts? It finds out by itself, with the same compressor behind each.

# %%
prices = zarr.create_array(
    out / "dollars.zarr",
    data=dollars,
    chunks=dollars.shape,
    compressors="gzip",
    zarr_format=zarr_format,
    overwrite=True,
)
trades = compression.shootout(prices, name="dollars", workers=workers, levels=False)

# %%
for found in (shots, trades):
    print(found.sample.name)
    print(*(f"   {effect}" for effect in found.effects if effect.behind == "blosc(zstd 3)"), sep="\n")
verdict = {
    f.sample.name: {e.step: e.verdict for e in f.effects if e.behind == "blosc(zstd 3)"} for f in (shots, trades)
}
assert (verdict["temperature"]["shuffle"], verdict["dollars"]["shuffle"]) == ("helps", "hurts")

# %% [markdown]
# One more line stands there: the lab saw that every price is a whole number of cents, stored those, and got each
# dollar back to the last bit. That is no lossy codec, as long as it stays true.

# %% tags=["nbval-ignore-output"]
compression.pareto_figure(trades)

# %% [markdown] tags=["section-bytes"]
# ## Four temperatures, before and after rounding
#
# Four neighbours on the map, before and after. The first byte of each is zero now, and most of the second.

# %%
four = np.ascontiguousarray(kelvin[0, 18, :4])
print(four, viz.hexdump(four.tobytes(), length=16), sep="\n")
print(bitround(four, 9), viz.hexdump(bitround(four, 9).tobytes(), length=16), sep="\n")

# %% [markdown]
# Where do the bytes go? Two chains taken apart, stage by stage. The first stores whole multiples of a step
# (**[quantization](../GLOSSARY.md#quantization)**) in a short integer, which CF calls
# **[packing](https://cfconventions.org/cf-conventions/cf-conventions.html#packed-data "Storing numbers as short
# integers, with a scale and an offset that lead back to them; what does not fit into the integer is lost.")**.

# %%
way = next(r for r in lossy if r.label.startswith("scale_offset 0.1"))
compression.waterfall_figure([way, shots.picks[0].result], "Bytes of the temperatures after each stage")

# %% [markdown] tags=["section-others"]
# ## Round first, and every reader reads it
#
# Not every reader has every codec. But rounded numbers are numbers: round before you write, leave the codec out of
# the metadata, and other implementations read them (the table is folded away).

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
for_all = zarr.create_array(out / "for_all.zarr", data=bitround(kelvin, 9), compressors=blosc, **layout)
report = interop_check(out / "for_all.zarr", expected=bitround(kelvin, 9))
print("Read by others:", report, sep="\n")
assert not report.differing

# %%
same = [a.nbytes_stored() for a in (for_all, zarr.open_array(out / "keep_9.zarr", mode="r"))]
chunks = [[x.encoded_chunk((i, 0, 0)) for i in range(2)] for x in (for_all, zarr.open_array(out / "keep_9.zarr"))]
print("the same chunks:", chunks[0] == chunks[1], "and", same[1] - same[0], "more bytes of metadata with the codec")
assert chunks[0] == chunks[1]

# %% [markdown] tags=["section-operations"]
# ## More effort finds no order in noise
#
# Could a compressor do the same by trying harder? The same chain at three levels, on all bits and on nine. What a
# whole read fetches, counted. Guess: how much does the highest level save?

# %%
fetched = {}
for (name, values), level in itertools.product({"exact": kelvin, "keep_9": bitround(kelvin, 9)}.items(), (1, 5, 9)):
    harder = {"name": "blosc", "configuration": {**blosc["configuration"], "clevel": level}}
    place = out / f"{name}_level_{level}.zarr"
    zarr.create_array(place, data=values, compressors=harder, **layout)
    traced = zarr.open_array(store := TraceStore(LocalStore(place)), mode="r")
    store.clear()
    traced[...]
    fetched[place.stem] = [store.count("GET"), store.nbytes("GET")]
    print(f"{name:6} level {level}: {fetched[place.stem][0]} requests, {fetched[place.stem][1]:7,} bytes")
effort, rounding = (
    1 - fetched[after][1] / fetched["exact_level_1"][1] for after in ("exact_level_9", "keep_9_level_1")
)
print(f"the highest level saves {effort:.0%}, rounding {rounding:.0%}")
assert rounding > effort

# %% [markdown]
# The requests are the same; each is smaller. And what does the effort cost? It is paid with every write, here on the
# machine and the day that stand below the table. Build nothing on a small difference.

# %% tags=["nbval-ignore-output"]
work = {}
for (name, values), level in itertools.product({"all bits": kelvin, "nine bits": bitround(kelvin, 9)}.items(), (1, 9)):
    harder = {"name": "blosc", "configuration": {**blosc["configuration"], "clevel": level}}
    options = {"data": values, "compressors": harder, **layout}
    work[f"write {name}, level {level}"] = partial(zarr.create_array, {}, **options)
    work[f"read {name}, level {level}"] = partial(zarr.create_array({}, **options).__getitem__, ...)
print_timings(dict(sorted(work.items(), key=lambda item: item[0].startswith("read"))))
print(f"of {kelvin.nbytes / 1e6:.1f} MB of values in memory")

# %% [markdown]
# The person who uses the data should choose the tolerance. In a shell, on your own store:
# `tutorial-zarr compress shootout PATH --tolerance 0.05`. Watch the ratio of each batch: if the noise grows, it falls.

# %% [markdown] tags=["section-wrong"]
# ## Three errors that raise nothing
#
# **Packed into too few bits.** Hundredths of a kelvin in int16 reach from -327.68 to 327.67. A lamp filament is
# hotter, and the filter of numcodecs, which zarr-python uses, says nothing. Here the array asks it, and refuses.

# %%
from numcodecs import FixedScaleOffset

print(f"int16 in hundredths: {np.iinfo('i2').min / 100} to {np.iinfo('i2').max / 100}")
packing = {"offset": 0, "scale": 100, "dtype": "<f4", "astype": "<i2"}
filament = np.array([300.0, 2700.0], "f4")
with np.errstate(invalid="ignore"):
    wrapped = FixedScaleOffset(**packing).decode(FixedScaleOffset(**packing).encode(filament))
print(filament, "is read back as", wrapped)
pack = {"name": "numcodecs.fixedscaleoffset", "configuration": packing}
try:
    zarr.create_array({}, data=filament, filters=[pack], compressors=None, zarr_format=zarr_format)
except zarr.errors.ChunkError as error:
    print(error)

# %% [markdown]
# **An error that is small, until you subtract.** Over a century the region warms by a few kelvin. Rounded to 7 bits
# no temperature here is off by half a per cent. And the warming?

# %%
warming = kelvin[-1].astype("f8") - kelvin[0]
lost = np.abs((bitround(kelvin, 7)[-1].astype("f8") - bitround(kelvin, 7)[0]) - warming)
relative = [float(np.max(np.abs(bitround(kelvin, 7) - kelvin) / kelvin)), float(np.median(lost / np.abs(warming)))]
print(f"worst temperature off by {relative[0]:.2%}, half of the warmings by more than {relative[1]:.0%}")

# %% [markdown]
# **A promise that is never checked.** Tell the lab that nine bits keep a tenth of a kelvin, and it finds out.

# %%
nine = next(r.chain for r in lossy if r.label.startswith("bitround 9"))
promise = compression.Promise("0.1", lambda values: np.full(values.shape, 0.1))
boast = compression.measure(compression.Chain(nine.codecs, promise), shots.sample)
print(f"kept: {boast.holds}; {boast.broken:,} of {kelvin.size:,} values are farther off, the worst by {boast.error} K")
assert not boast.holds

# %% [markdown] tags=["section-predict"]
# ## Predict: whole tenths, or eleven bits
#
# Store the temperatures as whole tenths of a kelvin, in int16, and shuffle and zlib as above. The worst error is
# 0.05 K. Is that smaller or larger than bitround with an error of 0.0625 K, 11 bits? Write it down.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("After your guess:")
tenths = np.rint((kelvin - 250) * 10).astype("i2")
tenth_ratio = kelvin.nbytes / squeezed(tenths)
print(f"tenths: x{tenth_ratio:.2f}; 11 bits: x{by_hand[11][0]:.2f}")
assert tenth_ratio < by_hand[11][0]

# %% [markdown] tags=["section-exercises"]
# ## Exercises
#
# Put your answer in place of the three dots. The check recomputes the answer and tells you where to look.
#
# ### Exercise 02_02.1
#
# Numbers are stored as whole multiples of a step, rounded to the nearest. The step is 0.01. How far off can a number
# be, at most, apart from what float32 itself rounds?
#
# <details><summary>Hint</summary>
# Which number lies farthest from both of its neighbours on a ruler?</details>

# %% tags=["exercise"]
worst = ...
check("02_02.1", worst)

# %% [markdown]
# ### Exercise 02_02.2
#
# A colleague's float32 vectors compress by 2.0, yours only by 1.1, with the same lossless codec. Hers were computed
# in float16 and widened. Where does her factor come from?
#
# - `"a"`: float16 numbers are smaller
# - `"b"`: the 13 bits of the mantissa that float16 does not have are zero in each of her numbers
# - `"c"`: her vectors repeat
#
# <details><summary>Hint</summary>
# Look at `np.float16(0.1).astype("f4").tobytes().hex()` and at `np.float32(0.1).tobytes().hex()`.</details>

# %% tags=["exercise"]
reason = ...
check("02_02.2", reason)

# %% [markdown]
# ### Exercise 02_02.3: write code
#
# `fewest_bits(values, tolerance)` gets float32 numbers, and returns how many bits of the mantissa have to be kept, from
# 1 to 23, so that none of them is off by more than `tolerance`: the smallest such number.
#
# <details><summary>Hint</summary>
# Try `bitround` with 1 bit, 2 bits, and so on. With all 23 bits nothing is rounded, and `bitround` need not be asked.
# The promise, |x| / 2^(keep + 1), is for the worst x; yours may be off by less.</details>


# %% tags=["exercise"]
def fewest_bits(values, tolerance): ...


check("02_02.3", fewest_bits)

# %% [markdown] tags=["section-bridge"]
# ## In zarr-python, xarray and Dask
#
# | here | zarr-python, xarray, Dask | not there |
# |---|---|---|
# | `filters=[{"name": "numcodecs.bitround", ...}]` | `filters=[zarr.codecs.numcodecs.BitRound(keepbits=9)]`: the same name, the same bytes | a NaN that always stays one |
# | `numcodecs.fixedscaleoffset` refuses what does not fit | the same name, and 2,700 is read back as 78.56 | the refusal |
# | `scale_offset` and `cast_value` in a short integer | xarray: `encoding={"dtype": "int16", "scale_factor": 0.01}`, in the attributes; 2,700 is read back as 78.56 | the refusal |
# | `compression.shootout(a)` | - | chains compared on a sample, proofs, advice |
# | `filters=`, `compressors=`, `nbytes_stored()` | the same names | - |

# %% [markdown] tags=["section-recap"]
# ## Recap
#
# - Draw the bits: those that are as surprising as a coin hardly shrink; keep them or give them up.
# - Bitround keeps a number of bits and promises |x| / 2^(keep + 1); a step promises half of itself.
# - The shootout tries every chain that is installed on your sample, and says which shuffle helped and which hurt.
# - A promise is held against every value of the sample; a worst error is a number, not a feeling.
# - A packed integer can wrap, a small error is a large one in a difference, and a promise can be false: none of the
#   three raises an error by itself.
#
# **Open questions.** Who decides on a tolerance, once for all uses? What if the noise differs from place to place?
#
# **To read further.**
#
# - [Compressing atmospheric data into its real information content](https://doi.org/10.1038/s43588-021-00156-2): how to
#   choose the bits by what they tell of their neighbours
# - [CF: packed data](https://cfconventions.org/cf-conventions/cf-conventions.html#packed-data): scale, offset, and what
#   else an archive should say
# - [zarr-python: extending Zarr](https://zarr.readthedocs.io/en/stable/user-guide/extending/): where a codec stands in
#   the chain, there
#
# **Next.** [02_03](02_03_dataset_layout.ipynb): how do several arrays become one dataset?

# %% [markdown] tags=["section-solutions"]
# ## Solutions
#
# The middle between two marks is half a step from both.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_02.1", 0.01 / 2)

# %% [markdown]
# She has rounded already: the last 13 bits of her numbers are zero, and zeros compress.

# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
check("02_02.2", "b")

# %% [markdown]
# The first number of bits that keeps the worst value within the tolerance.


# %% tags=["solution", "hide-cell"] jupyter={"source_hidden": true}
def fewest_bits(values, tolerance):
    for keep in range(1, 23):
        if np.abs(bitround(values, keep).astype("f8") - values).max() <= tolerance:
            return keep
    return 23


check("02_02.3", fewest_bits)

# %% tags=["facts", "remove-cell"] jupyter={"source_hidden": true}
# For maintainers: the numbers that an article quotes and the tests compare.
save_facts(
    out,
    {
        "values": kelvin.size,
        "raw": kelvin.nbytes,
        "noisy_bits": noise,
        "by_hand": {str(keep): list(found) for keep, found in by_hand.items()},
        "fetched": fetched,
        "lossless": {r.label: r.stored for r in shots.results if r.chain.promise is None and not r.chain.name},
        "lossy_error": {r.label: r.error for r in lossy if r.label.startswith("bitround")},
        "within": {"tolerance": tolerance, "chain": within.label, "error": within.result.error},
        "verdict": verdict,
        "dollars": {r.label: r.stored for r in trades.results if r.chain.promise is None and not r.chain.name},
        "recommended": {found.sample.name: found.recommended.label for found in (shots, trades)},
        "wrapped": [float(value) for value in wrapped],
        "relative": relative,
        "boast": [boast.broken, boast.error],
        "tenths": tenth_ratio,
    },
)
