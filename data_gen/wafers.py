"""Lots of wafers after the test of every die: passed, failed, or no die there, with one fault that the mask prints.

Imitates: maps of 52 x 52 positions on a round wafer, 25 wafers in a lot. Codes: 0 no die, or not inspected; 1 passed;
2 failed. Fails come in clusters: each wafer has a rate of its own, drawn from a gamma distribution, so that counts are
negative binomial (Stapper 1983). Some wafers show a pattern, in the shares of the 172,950 labelled maps of WM-811K (Wu,
Jang and Chen 2015): a ring at the edge, a scratch, a spot. The mask prints 4 x 4 dies in a shot; from the middle lot
on, one of these 16 positions fails in one more die of 50. In one lot, a bad
one, only the first five wafers were inspected.

Not real: one product, one test with a pass or a fail, patterns of simple shapes, shots that all lie on the grid.

Its realism test holds it to what is known of real wafers: the shares of patterns, counts that vary far more than
Poisson's, fails that lie beside fails, and an edge that fails more often.

>>> maps = make("tiny").arrays["maps"]
>>> maps.shape, sorted(set(maps.ravel().tolist()))
((6, 25, 52, 52), [0, 1, 2])
"""

from __future__ import annotations

import math

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals

LOTS = {"tiny": 6, "small": 20, "large": 200}
WAFERS, SIDE, SHOT, POSITION = 25, 52, 4, (2, 1)
SEEN = 5  # wafers of the lot that was hardly inspected
LABELLED = {
    "none": 147_431,
    "edge ring": 9_680,
    "edge spot": 5_189,
    "centre": 4_294,
    "spot": 3_593,
    "scratch": 1_193,
    "random": 866,
    "donut": 555,
    "nearly full": 149,
}
PATTERNS = tuple(LABELLED)
_Y, _X = np.meshgrid(*2 * [np.linspace(-1, 1, SIDE)], indexing="ij")
_R, _ANGLE = np.hypot(_X, _Y), np.arctan2(_Y, _X)
DIES = _R <= 1


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Maps (lot, wafer, y, x) of codes and the pattern of each wafer: "tiny" 6 lots, "small" 20, "large" 200."""
    if size not in LOTS:
        raise ValueError(f"wafers.make: size must be one of {', '.join(LOTS)}, got {size!r}; try size='small'")
    lots, normal = LOTS[size], Normals(seed)
    since, hardly = lots // 2, lots // 3
    maps = np.zeros((lots, WAFERS, SIDE, SIDE), "u1")
    shares = np.cumsum(list(LABELLED.values())) / sum(LABELLED.values())
    pattern = np.searchsorted(shares, normal.even(lots * WAFERS)).astype("u1").reshape(lots, WAFERS)
    for lot in range(lots):
        for wafer in range(WAFERS):
            rate = 0.03 * (normal(4) ** 2).sum() / 4  # gamma with shape 2 and mean 1
            chance = np.maximum(rate * (1 + _R**4), _shape(PATTERNS[pattern[lot, wafer]], normal.even(4)))
            chance *= 3 if lot == hardly else 1
            failed = normal.even(SIDE * SIDE).reshape(SIDE, SIDE) < chance
            printed = normal.even(SIDE * SIDE).reshape(SIDE, SIDE) < 0.02
            if lot >= since:
                failed[POSITION[0] :: SHOT, POSITION[1] :: SHOT] |= printed[POSITION[0] :: SHOT, POSITION[1] :: SHOT]
            if lot != hardly or wafer < SEEN:
                maps[lot, wafer] = np.where(DIES, 1 + failed, 0)
    return GenResult(
        arrays={"maps": maps, "pattern": pattern},
        dims={"maps": ("lot", "wafer", "y", "x"), "pattern": ("lot", "wafer")},
        units={"maps": "0 no die, 1 passed, 2 failed", "pattern": f"a number in {PATTERNS}"},
        truth={"position": POSITION, "since lot": since, "hardly inspected": hardly, "chance": 0.02},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _shape(pattern: str, u: np.ndarray) -> np.ndarray:
    """The chance of a fail that the pattern adds, where it lies; `u` are four even numbers that place it."""
    x, y = _X - u[0] + 0.5, _Y - u[1] + 0.5
    turned = math.pi * u[2]
    along, across = (x * math.cos(turned) + y * math.sin(turned), x * math.sin(turned) - y * math.cos(turned))
    around = np.abs((_ANGLE - 2 * turned + math.pi) % (2 * math.pi) - math.pi)
    where = {
        "none": _R < 0,
        "edge ring": _R - 0.06 * u[3] > 0.84,
        "edge spot": (_R > 0.75) & (around < 0.45),
        "centre": _R - 0.2 * u[3] < 0.2,
        "spot": np.hypot(x, y) < 0.2,
        "scratch": (np.abs(across + 0.3 * along**2) < 0.045) & (np.abs(along) < 0.6),
        "random": _R <= 1,
        "donut": np.abs(_R - 0.4 - 0.1 * u[3]) < 0.16,
        "nearly full": _R <= 1,
    }
    return {"random": 0.35, "nearly full": 0.93}.get(pattern, 0.7) * where[pattern]


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    maps, pattern = (result.arrays[name].reshape(-1, *result.arrays[name].shape[2:]) for name in ("maps", "pattern"))
    inspected = maps.any(axis=(1, 2))
    maps, pattern = maps[inspected], pattern[inspected]
    fails, there = maps == 2, maps > 0
    plain = fails[pattern == 0].sum((1, 2))
    beside = sum((fails[:, :, 1:] & fails[:, :, :-1]).sum((1, 2)) for fails in (fails, fails.swapaxes(1, 2)))
    pairs = sum(float((t[:, 1:] & t[:, :-1]).sum()) for t in (DIES, DIES.T))
    rate = fails.sum((1, 2)) / there.sum((1, 2))
    shaped = pattern > 0
    ring = fails[:, (_R > 0.85) & DIES].mean() / fails[:, _R < 0.5].mean()
    return {
        "dies on a wafer": (float(there.sum((1, 2)).mean()), DIES.sum(), DIES.sum()),
        "wafers without a pattern": (float(1 - shaped.mean()), 0.75, 0.93),
        "share that passes": (float(1 - fails.sum() / there.sum()), 0.85, 0.97),
        "variance of fails by their mean, no pattern": (float(plain.var() / plain.mean()), 10.0, 120.0),
        "fails beside fails, by chance 1, with a pattern": (
            float(np.median(beside[shaped] / pairs / rate[shaped] ** 2)),
            1.5,
            20.0,
        ),
        "edge against centre": (float(ring), 1.3, 6.0),
    }
