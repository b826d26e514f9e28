"""Chains that give up part of the numbers, each with a promise of how far off a value may be.

Four ways, for floats:

    bitround       keeps so many bits of the mantissa: an error relative to the value
    quantize       keeps so many decimals, in binary steps
    scale_offset   stores whole multiples of a step in an integer type; off by half a step at most
    zfp            keeps a block of neighbours within a tolerance

Without a tolerance a ladder of each is tried, in steps of ten below the spread of the data. With one, each is set
as coarse as the tolerance allows.

>>> from tutorial_zarr.labs.compression.sample import take
>>> sample = take(np.linspace(0, 30, 5000, dtype="f4"))
>>> [chain.label for chain in lossy(sample, tolerance=0.05)[0]][0]
'bitround 9, blosc(zstd 3)'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from tutorial_zarr.codecs import registry

from .chains import BITROUND, JSON, Chain, Promise, Skipped, entry, scaling_filters, tails
from .sample import Sample

MANTISSA = {"float16": 10, "float32": 23, "float64": 52}
LADDER = {"float16": (8, 6, 4), "float32": (13, 11, 9, 7), "float64": (23, 16, 11, 9, 7)}  # keepbits
RUNGS = 4  # decades below the spread


def lossy(sample: Sample, tolerance: float | None = None) -> tuple[list[Chain], list[Skipped]]:
    """The chains that lose something, and what was not tried, with its reason."""
    kind = sample.data_type.name
    if kind not in MANTISSA:
        return [], []
    if not len(sample.finite):
        return [], [("lossy codecs", "the sample holds no finite number")]
    chains: list[Chain] = []
    skipped: list[Skipped] = []
    steps = [_step(sample, tolerance)] if tolerance else _ladder(sample)
    bitround = next(name for name in BITROUND if name in registry.names())
    for keep in [_keepbits(sample, tolerance)] if tolerance else LADDER[kind]:
        if 1 <= keep < MANTISSA[kind]:
            chains += _with_tails(sample, (entry(bitround, keepbits=keep),), rounded_to(keep, sample))
    for step in [step for step in steps if step]:
        chains += _quantized(sample, step)
        scaled = _scaled(sample, step)
        chains += scaled
        if not scaled:
            skipped.append((f"scale_offset {step:g}", _why_not_scaled(sample, step)))
    chains += [_zfp(sample, each) for each in ([tolerance] if tolerance else [step / 2 for step in steps])]
    return chains, skipped


def family(chain: Chain) -> str:
    """Which of the four ways a lossy chain goes."""
    name = chain.codecs[0]["name"].removeprefix("numcodecs.")
    return {"fixedscaleoffset": "scale_offset", "zfpy": "zfp"}.get(name, name)


def _with_tails(
    sample: Sample, filters: tuple[JSON, ...], promise: Promise, size: int | None = None
) -> Iterator[Chain]:
    for last in tails(sample, size):
        yield Chain((*filters, *last), promise)


# --- how coarse


def _ladder(sample: Sample) -> list[float]:
    """Steps in tens below the standard deviation."""
    spread = float(sample.finite.std())
    if not spread > 0:
        return []
    decade = math.floor(math.log10(spread))
    return [10.0 ** (decade - rung) for rung in range(1, RUNGS + 1)]


def _step(sample: Sample, tolerance: float) -> float:
    """The largest step of 1, 2 or 5 times a power of ten whose half, with what the type rounds, is within."""
    room = tolerance - float(_rounding(sample, 0.0)(np.abs(sample.finite)).max())
    if room <= 0:
        return 0.0
    decade = 10.0 ** math.floor(math.log10(2 * room))
    return max((n * decade for n in (1, 2, 5) if n * decade <= 2 * room), default=0.0)


def _keepbits(sample: Sample, tolerance: float) -> int:
    """The fewest bits that keep the largest value within the tolerance."""
    largest = float(np.abs(sample.finite).max())
    return max(1, math.ceil(math.log2(largest / tolerance)) - 1) if largest else 1


# --- promises


def rounded_to(keep: int, sample: Sample) -> Promise:
    """Half of the last bit that is kept: of x at most ``|x| / 2^(keep + 1)``."""
    least = float(np.finfo(sample.data_type.numpy).tiny)  # below it the bits that are kept grow fewer
    share = 2.0 ** -(keep + 1)
    return Promise(f"|x| / {2 ** (keep + 1):,}", lambda values: np.maximum(np.abs(values), least) * share)


def _rounding(sample: Sample, offset: float) -> Callable[[np.ndarray], np.ndarray]:
    """What arithmetic in the type itself may round: a few units in the last place."""
    eps = float(np.finfo(sample.data_type.numpy).eps)
    return lambda values: 2 * eps * (np.abs(values) + abs(offset))


def within_half(step: float, rounding: Callable[[np.ndarray], np.ndarray], largest: float) -> Promise:
    """Half a step, and what arithmetic rounds; the words speak of that where it is a tenth of the half or more."""
    more = " + rounding" if float(rounding(np.array(largest))) >= step / 20 else ""
    return Promise(f"{step / 2:g}{more}", lambda values: step / 2 + rounding(values))


def _quantized(sample: Sample, step: float) -> Iterator[Chain]:
    digits = max(0, math.ceil(-math.log10(step)))
    half = 0.5 / 2.0 ** math.ceil(math.log2(10.0**digits))
    kind = sample.data_type.numpy.newbyteorder("<").str
    quantize = entry("numcodecs.quantize", digits=digits, dtype=kind)
    promise = Promise(f"{half:.3g}", lambda values: np.full(np.shape(values), half))
    yield from _with_tails(sample, (quantize,), promise)


def _scaled(sample: Sample, step: float) -> list[Chain]:
    """Integers of 16 bits where the sample leaves half of them free, else of 32; none where neither will do."""
    if sample.has_nan and sample.zarr_format == 2:
        return []  # its filter would store NaN as some number
    low, high, fill = float(sample.finite.min()), float(sample.finite.max()), float(sample.array.metadata.fill)
    whole = max(1.0, step)  # a whole number of steps in any arithmetic, so that a fill value of 0 comes back as 0
    offset = float(round((low + high) / 2 / whole) * whole)
    for name in ("int16", "int32"):
        room = np.iinfo(name).max / 2 * step
        if max(abs(low - offset), abs(high - offset)) <= room and not abs(fill - offset) > 2 * room:
            promise = within_half(step, _rounding(sample, offset), max(abs(low), abs(high)))
            filters = scaling_filters(sample, step, offset, np.dtype(name))
            return list(_with_tails(sample, filters, promise, np.dtype(name).itemsize))
    return []


def _why_not_scaled(sample: Sample, step: float) -> str:
    if sample.has_nan and sample.zarr_format == 2:
        return "Zarr 2 has no integer that stands for NaN"
    reach = f"from {sample.finite.min():g} to {sample.finite.max():g}, and to the fill value,"
    return f"steps of {step:g} {reach} are more than 32 bits can count"


def _zfp(sample: Sample, tolerance: float) -> Chain:
    promise = Promise(f"{tolerance:g}", lambda values: np.full(np.shape(values), tolerance))
    if sample.zarr_format == 2:
        return Chain((entry("numcodecs.zfpy", mode=4, tolerance=tolerance),), promise)
    return Chain((entry("zfp", mode="fixed_accuracy", tolerance=tolerance),), promise)
