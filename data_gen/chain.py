"""Blocks of a chain by Bitcoin's rules: times, targets, subsidies, fees, and hashes that link each block to the last.

Imitates: what an indexer keeps of each block. The arithmetic is the consensus' own, in whole numbers: the target in its
compact form `bits`, a new one every 2,016 blocks from the time that the last 2,015 intervals took, and a subsidy in
satoshi that halves every 210,000 blocks. Blocks are found at random, as a Poisson process whose rate is the hash rate
over the difficulty (Nakamoto 2008), and the hash rate grows by 5 percent in 2,016 blocks.

Not real: the chain begins at height 830,592 with the difficulty of early 2024, and from there nothing of it happened.
Times are exact and never go back, as real headers' times do by an hour or so; fees are drawn, skewed, and not
calibrated; a hash is the first 8 bytes of a SHA-256 over the hash before and the block's own numbers, without any proof
of work.

Its realism test holds it to an exponential distribution of intervals (Nakamoto 2008; Bowden et al. 2018, who also give
the departures from it: a mean below ten minutes while the hash rate grows), and to the rules.

>>> blocks = make("tiny").arrays
>>> hex(next_bits(0x1D00FFFF, 1261130161, 1262152739)), subsidy(840_000)  # the first from Bitcoin Core's own tests
('0x1d00d86a', 312500000)
>>> bool((blocks["time"][1:] > blocks["time"][:-1]).all())
True
"""

from __future__ import annotations

import hashlib
import math
import struct

import numpy as np

from data_gen import GenResult

EPOCH, HALVING, SPACING, COIN = 2_016, 210_000, 600, 100_000_000
FIRST, START, BITS = 412 * EPOCH, 1_708_000_000, 0x17034219  # height, second and target of the first block
GROWTH = 0.05  # of the hash rate, in an epoch
EASIEST = 0xFFFF << 208
BLOCKS = {"tiny": 2 * EPOCH, "small": 10 * EPOCH, "large": 104 * EPOCH}
TYPES = {"time": "i8", "bits": "u4", "subsidy": "i8", "fees": "i8", "hash": "u8"}
UNITS = {"time": "s", "bits": "1", "subsidy": "satoshi", "fees": "satoshi", "hash": "1"}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Blocks from height 830,592 on, one element each: "tiny" 4,032 of them, "small" 20,160, "large" 209,664."""
    if size not in BLOCKS:
        raise ValueError(f"chain.make: size must be one of {', '.join(BLOCKS)}, got {size!r}; try size='small'")
    arrays = grow({name: np.empty(0, kind) for name, kind in TYPES.items()}, BLOCKS[size], seed)
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(arrays, ("block",)),
        units=UNITS,
        truth={"first height": FIRST},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def grow(before: dict[str, np.ndarray], count: int, seed: int) -> dict[str, np.ndarray]:
    """A chain, and `count` blocks more on top of it. Another seed gives another branch."""
    done = len(before["time"])
    draw = (np.random.PCG64([seed, done]).random_raw((count, 3)) >> np.uint64(11)) * 2.0**-53
    rows = [tuple(int(before[name][k]) for name in TYPES) for k in range(max(0, done - EPOCH), done)]
    kept = len(rows)
    for index, (wait, first, second) in enumerate(draw.tolist(), done):
        _, bits, _, _, parent = rows[-1] if rows else (START, BITS, 0, 0, 0)
        if index and index % EPOCH == 0:
            bits = next_bits(bits, rows[-EPOCH][0], rows[-1][0])
        mean = SPACING * (target(BITS) / target(bits)) / math.exp(GROWTH * index / EPOCH)
        time = (rows[-1][0] if rows else START) + max(1, round(-math.log1p(-wait) * mean))
        skewed = math.exp(0.7 * math.sqrt(-2 * math.log1p(-first)) * math.cos(2 * math.pi * second))
        fees = round(0.15 * COIN * skewed)
        rows.append((time, bits, subsidy(FIRST + index), fees, hashed(parent, time, bits, fees)))
    new = zip(*rows[kept:], strict=True) if count else [()] * len(TYPES)
    return {
        name: np.concatenate([before[name], np.array(column, TYPES[name])])
        for name, column in zip(TYPES, new, strict=True)
    }


def target(bits: int) -> int:
    """What a block's hash must not exceed: the compact form is a floating point number to the base 256."""
    size, digits = bits >> 24, bits & 0x7FFFFF
    return digits << 8 * (size - 3) if size > 3 else digits >> 8 * (3 - size)


def compact(value: int) -> int:
    """The compact form of a target; what does not fit into its 23 bits is cut off."""
    size = (value.bit_length() + 7) // 8
    digits = value << 8 * (3 - size) if size <= 3 else value >> 8 * (size - 3)
    if digits & 0x800000:  # this bit is the sign
        digits, size = digits >> 8, size + 1
    return size << 24 | digits


def next_bits(bits: int, first: int, last: int) -> int:
    """The target after an epoch whose first and last block have these times: 2,015 intervals, held to be 2,016."""
    wanted = EPOCH * SPACING
    took = min(max(last - first, wanted // 4), wanted * 4)
    return compact(min(target(bits) * took // wanted, EASIEST))


def subsidy(height: int) -> int:
    """The new satoshi of a block."""
    return 50 * COIN >> height // HALVING if height < 64 * HALVING else 0


def hashed(parent: int, time: int, bits: int, fees: int) -> int:
    """A block's hash, 64 bits of it."""
    return int.from_bytes(hashlib.sha256(struct.pack("<QqIq", parent, time, bits, fees)).digest()[:8])


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    time, bits = result.arrays["time"], result.arrays["bits"]
    waits = np.diff(time)[EPOCH:].astype(np.float64)  # the first epoch has not yet been adjusted
    n, mean = len(waits), SPACING / math.exp(GROWTH)  # the target follows the hash rate an epoch behind
    late = math.exp(-3600 / mean)
    ends = range(EPOCH, len(time), EPOCH)
    ruled = [int(bits[k]) == next_bits(int(bits[k - 1]), int(time[k - EPOCH]), int(time[k - 1])) for k in ends]
    paid = [subsidy(FIRST + k) == value for k, value in enumerate(result.arrays["subsidy"].tolist())]
    return {
        "mean interval": (float(waits.mean()), mean * (1 - 4 / math.sqrt(n)), mean * (1 + 4 / math.sqrt(n))),
        "spread of the intervals over their mean": (float(waits.std() / waits.mean()), 0.95, 1.05),
        "share of intervals above an hour": (float((waits > 3600).mean()), late / 2, late * 2),
        "correlation of neighbouring intervals": (float(np.corrcoef(waits[1:], waits[:-1])[0, 1]), -0.05, 0.05),
        "targets by the rule": (float(np.mean(ruled)), 1.0, 1.0),
        "subsidies by the rule": (float(np.mean(paid)), 1.0, 1.0),
    }
