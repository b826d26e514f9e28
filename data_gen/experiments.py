"""Three experiments on a shop, as people and as counts: two are fair, and one was ramped up while a sale ended.

Imitates: tests of a shop's page in 28 days and several segments of visitors, of very unequal size. Each visitor sees
variant A or B, and buys or does not; who buys pays some cents. More people buy at the weekend. "aa" compares A with
itself; in "ab" B sells 25 % more often in the first four segments, and nothing changes elsewhere; in "ramp" B sells
10 % more often everywhere, is shown to one visitor in ten in the first two weeks, during a sale, and to nine in ten
after it.

Not real: people come once, do not talk to each other, and are drawn independently; a real metric drifts, and real logs
lose some visitors and count others twice.

Its realism test holds it to what experimenters ask of a platform (Kohavi, Tang and Xu, Trustworthy Online Controlled
Experiments, 2020): p-values of the A/A test are uniform, variants are as large as they were meant to be (no sample
ratio mismatch), weekdays differ, and the lifts are those that were planted.

>>> cube = make("tiny").arrays["aa"]  # (metric, segment, day, variant, (n, sum, sum of squares))
>>> cube.shape, bool((cube[0, ..., 1] <= cube[0, ..., 0]).all())
((2, 8, 28, 2, 3), True)
"""

from __future__ import annotations

import math

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals

SEGMENTS = {"tiny": 8, "small": 40, "large": 200}
NAMES, METRICS, DAYS, SALE = ("aa", "ab", "ramp"), ("bought", "cents"), 28, 14
LIFTED = 4  # segments in which "ab" has an effect


def make(size: str = "small", seed: int = 0) -> GenResult:
    """The counts of three experiments: "tiny" 8 segments of visitors, "small" 40, "large" 200."""
    if size not in SEGMENTS:
        raise ValueError(f"experiments.make: size must be one of {', '.join(SEGMENTS)}, got {size!r}; try size='small'")
    count = SEGMENTS[size]
    arrays = {name: counted(visitors(name, count, seed), count) for name in NAMES}
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(arrays, ("metric", "segment", "day", "variant", "stat")),
        units=dict.fromkeys(arrays, "visitors, purchases or cents, and their squares"),
        truth={"lift": {"aa": 0.0, "ab": 0.25, "ramp": 0.1}, "lifted segments of ab": LIFTED},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def visitors(name: str, segments: int, seed: int = 0) -> dict[str, np.ndarray]:
    """One row a visitor of an experiment: segment, day, variant (0 is A), bought (0 or 1) and cents."""
    normal = Normals(seed * 8 + NAMES.index(name))
    size = np.exp(5.3 + normal(segments))  # visitors a day
    rate = 0.05 + 0.08 * normal.even(segments)
    today = np.maximum(1, np.rint(size[:, None] + np.sqrt(size)[:, None] * normal(segments, DAYS))).astype(np.int64)
    segment, day = (np.repeat(axis.ravel(), today.ravel().astype(np.intp)) for axis in np.indices(today.shape))
    share = np.where(day < SALE, 0.1, 0.9) if name == "ramp" else 0.5
    variant = (normal.even(len(day)) < share).astype(np.int64)
    chance = rate[segment] * np.where(day % 7 >= 5, 1.25, 0.9)
    if name == "ramp":
        chance = chance * np.where(day < SALE, 1.5, 0.75) * (1 + 0.1 * variant)
    if name == "ab":
        chance = chance * (1 + 0.25 * variant * (segment < LIFTED))
    bought = (normal.even(len(day)) < chance).astype(np.int64)
    paid = np.rint(np.exp(math.log(3000) + 0.6 * normal(len(day)))).astype(np.int64)
    return {"segment": segment, "day": day, "variant": variant, "bought": bought, "cents": bought * paid}


def counted(people: dict[str, np.ndarray], segments: int) -> np.ndarray:
    """(metric, segment, day, variant, stat): of the visitors of a cell their number, the sum and the sum of squares."""
    cell = (people["segment"] * DAYS + people["day"]) * 2 + people["variant"]
    cube = np.zeros((2, segments * DAYS * 2, 3), np.int64)
    for metric, name in enumerate(METRICS):
        for stat in range(3):
            np.add.at(cube[metric, :, stat], cell, people[name] ** stat)
    return cube.reshape(2, segments, DAYS, 2, 3)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    aa, ab, ramp = (result.arrays[name][0].astype(np.float64) for name in NAMES)
    return {
        "distance of the A/A p-values from uniform, scaled": (_scaled_distance(_p_values(aa.sum(1))), 0.2, 1.63),
        "sample ratio of the A/A test, in standard errors": (_imbalance(aa), -3.5, 3.5),
        "weekend against weekdays": (_rate(aa[:, [5, 6]]) / _rate(aa[:, :5]), 1.25, 1.55),
        "lift where it was planted": (_lift(ab[:LIFTED]), 0.1, 0.4),
        "lift where there is none": (_lift(ab[LIFTED:]), -0.04, 0.04),
        "lift of the ramp, in the sale": (_lift(ramp[:, :SALE]), 0.02, 0.18),
        "lift of the ramp, after the sale": (_lift(ramp[:, SALE:]), 0.02, 0.18),
        "share of B in the ramp's second half": (_share(ramp[:, SALE:]), 0.89, 0.91),
    }


def _rate(cube: np.ndarray) -> float:
    total = cube.reshape(-1, 3).sum(0)
    return float(total[1] / total[0])


def _lift(cube: np.ndarray) -> float:
    return _rate(cube[..., 1, :]) / _rate(cube[..., 0, :]) - 1


def _share(cube: np.ndarray) -> float:
    return float(cube[..., 1, 0].sum() / cube[..., 0].sum())


def _imbalance(cube: np.ndarray) -> float:
    return (_share(cube) - 0.5) * 2 * math.sqrt(cube[..., 0].sum())


def _p_values(cells: np.ndarray) -> np.ndarray:
    """Of the difference between two variants (..., variant, stat), two-sided."""
    n, total, _ = np.moveaxis(cells, -1, 0)
    rate, pooled = total / n, total.sum(-1) / n.sum(-1)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n).sum(-1))
    return np.array([math.erfc(abs(z) / math.sqrt(2)) for z in ((rate[..., 1] - rate[..., 0]) / error).ravel()])


def _scaled_distance(p: np.ndarray) -> float:
    """Kolmogorov and Smirnov's distance from the uniform distribution, times the root of the number of values."""
    ordered, steps = np.sort(p), np.arange(len(p) + 1) / len(p)
    return float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()) * math.sqrt(len(p)))
