"""Blocks of Ethereum with their base fees, exact to the wei, and the transactions that arrive while they are made.

Imitates: the fee market of EIP-1559 (https://eips.ethereum.org/EIPS/eip-1559), in force since London, block 12,965,000,
August 2021. A block says how much gas it used, and the base fee of the next block follows from that in whole numbers.
`blocks` is (block, field): number, base fee in wei, gas used, gas limit. `events` is what a node would see during the
first of these blocks: time in ms, number of the next block, tip and highest fee in wei, gas, and size in bytes.

What is held to known figures: a base fee moves by at most an eighth; blocks are on average as full as the target (that
is what the rule is for); 2 to 15 % of them are full; tips have a heavy tail with an index of 1 to 2 (few pay a thousand
times the median, Daian et al. 2019, Flash Boys 2.0). The rule itself is held to the first block after London, whose
base fee of 1,124,967,822 wei is public.

Not real: a block comes every 12 seconds exactly, the demand is noise that falls as the fee rises, and in block 150
a sale begins that everybody wants, for 34 blocks. Real pools see transactions replaced, dropped and never
mined, and no two nodes see the same. No transaction here is one that was sent.

>>> next_base_fee(1_000_000_000, 30_025_257, 15_014_561)
1124967822
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult

SEEN = {"tiny": 60, "small": 300, "large": 1_500}  # blocks whose transactions are seen
BLOCKS, FIRST = 2_000, 20_000_000
LIMIT, TARGET, SECONDS = 30_000_000, 15_000_000, 12
SALE = range(150, 184)
BLOCK_FIELDS = ("number", "base_fee", "gas_used", "gas_limit")
FIELDS = ("time_ms", "block", "tip", "max_fee", "gas", "bytes")


def next_base_fee(base: int, used: int, target: int) -> int:
    """The base fee after a block with this base fee in wei, whose transactions used this much gas."""
    if used == target:
        return base
    change = base * abs(used - target) // target // 8
    return base + max(change, 1) if used > target else base - change


def make(size: str = "small", seed: int = 0) -> GenResult:
    """2,000 blocks, int64 (block, 4), and the transactions of the first "tiny" 60, "small" 300 or "large" 1,500."""
    if size not in SEEN:
        raise ValueError(f"mempool.make: size must be one of {', '.join(SEEN)}, got {size!r}; try size='small'")
    bits = np.random.PCG64(seed)
    slow, fast = _normal(bits, BLOCKS), _normal(bits, BLOCKS)
    blocks, arriving, base, mood = np.empty((BLOCKS, 4), np.int64), [], 20 * 10**9, 0.0
    for h in range(BLOCKS):
        mood = 0.97 * mood + 0.23 * float(slow[h])
        wanted = TARGET * np.exp(0.35 * mood - 0.9 * np.log(base / 20e9) + 0.45 * float(fast[h]))
        wanted = int(wanted * (100 if h in SALE else 1)) // 1000 * 1000
        blocks[h] = FIRST + h, base, min(LIMIT, wanted), LIMIT
        arriving.append(min(max(wanted // 110_000, 20), 900))
        base = next_base_fee(base, int(blocks[h, 2]), TARGET)
    return GenResult(
        arrays={"blocks": blocks, "events": _events(bits, np.array(arriving[: SEEN[size]]), blocks)},
        dims={"blocks": ("block", "field"), "events": ("event", "field")},
        units={"blocks": "1, wei, gas, gas", "events": "ms, 1, wei, wei, gas, B"},
        truth={"highest base fee": int(blocks[:, 1].max()), "sale": (SALE.start, SALE.stop)},
        provenance={"source": f"computed by the rule of EIP-1559, seed {seed}", "licence": "none needed"},
    )


def _uniform(bits: np.random.PCG64, many: int) -> np.ndarray:
    return ((bits.random_raw(many) >> np.uint64(11)) + 0.5) * 2.0**-53


def _normal(bits: np.random.PCG64, many: int) -> np.ndarray:
    first, second = _uniform(bits, many), _uniform(bits, many)
    return np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)


def _events(bits: np.random.PCG64, arriving: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """The transactions that arrive during each block, by time."""
    many, block = int(arriving.sum()), np.repeat(np.arange(len(arriving)), arriving)
    time = np.sort(block * SECONDS * 1000 + (_uniform(bits, many) * SECONDS * 1000).astype(np.int64))
    tip = np.rint(50 * _uniform(bits, many) ** (-1 / 1.5)).astype(np.int64) * 10**6  # Pareto, from 0.05 gwei
    works = np.where(_uniform(bits, many) < 0.4, 0, np.rint(40_000 * np.exp(_normal(bits, many)))).astype(np.int64)
    fee = 2 * blocks[block, 1] + tip  # what wallets offer
    return np.stack([time, blocks[block, 0] + 1, tip, fee, 21_000 + works, 110 + works // 200], axis=1)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    base, used = result.arrays["blocks"][:, 1], result.arrays["blocks"][:, 2]
    ratio = base[1:] / base[:-1]
    tips = np.sort(result.arrays["events"][:, 2])[::-1].astype(np.float64)
    top = tips[: len(tips) // 20]
    exact = sum(
        next_base_fee(int(b), int(u), TARGET) == after
        for b, u, after in zip(base, used, base[1:].tolist(), strict=False)
    )
    return {
        "largest step of the base fee": (float(abs(ratio - 1).max()), 0.1, 0.125 + 1e-9),
        "mean use of a block, in targets": (float(used.mean() / TARGET), 0.9, 1.1),
        "share of full blocks": (float((used == LIMIT).mean()), 0.02, 0.15),
        "tail index of tips": (float(1 / np.log(top / top[-1]).mean()), 1.0, 2.0),
        "share of base fees exact to the wei": (exact / (len(base) - 1), 1.0, 1.0),
        "transactions in a second": (len(tips) / ((result.arrays["events"][-1, 0]) / 1000), 8.0, 30.0),
    }
