"""A year of quarter hours on 24 feeders of a power grid: watt-hours, as meters deliver them, in whole numbers.

Imitates: feeders that serve homes, offices and works in different shares. Homes peak in the morning and in the evening,
and heat in winter; some cool in summer instead. Offices follow the week, works hardly rest. All share one weather,
which lasts for days, and each feeder has a whim of its own. Rows are (feeder, quarter hour), the day begins at
midnight UTC, and day 0 is a Monday at the beginning of January.

Not real: no holidays, no growth, no solar panels that turn a feeder round, no outages and no lost readings, and years
of 364 days, so that weeks fit into them. Nobody's meters.

Its realism test holds it to what is published of demand: half-hourly demand of England and Wales repeats itself after a
day with a correlation of 0.83 and after a week with 0.91, its mean is 0.76 of its peak in the twelve weeks that were
published, and a weekend takes 0.83 of a weekday (Taylor 2003, Journal of the Operational Research Society 54:799-805);
over a whole year the mean is a smaller part of the peak.

>>> wh = make("tiny").arrays["wh"]
>>> wh.shape, int(wh.min()) > 0
((24, 8064), True)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals, remembering

DAYS = {"tiny": 84, "small": 364, "large": 4 * 364}
QUARTERS, FEEDERS = 96, 24


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Watt-hours (feeder, quarter hour): "tiny" twelve weeks, "small" a year of 364 days, "large" four of them."""
    if size not in DAYS:
        raise ValueError(f"loadgrid.make: size must be one of {', '.join(DAYS)}, got {size!r}; try size='small'")
    normal, n = Normals(seed), DAYS[size] * QUARTERS
    hour, day = np.arange(n) % QUARTERS / 4, np.arange(n) // QUARTERS
    weekend = day % 7 >= 5
    homes = 0.5 + _hump(hour, 7.5, 1.5, 0.25) + _hump(hour, 19, 2.5, 0.5) + _hump(hour, 13, 3, 0.15)
    offices = 0.35 + 0.65 / (1 + np.exp(-1.5 * (hour - 7.5))) / (1 + np.exp(1.2 * (hour - 18)))
    weather = remembering(normal(n, 1), 3.0 * QUARTERS)[:, 0]
    winter = np.cos(2 * np.pi * (np.arange(n) / QUARTERS - 15) / 364)  # coldest in the middle of January
    wh = np.empty((FEEDERS, n), dtype=np.int32)
    for feeder in range(FEEDERS):
        share = -np.log1p(-((normal.bits.random_raw(3) >> np.uint64(11)) * 2.0**-53)) * (1.2, 1.0, 0.5) + 0.05
        share /= share.sum()
        season = -0.15 if feeder % 6 == 5 else 0.15 + 0.15 * share[0]  # one in six cools in summer
        mixed = share[0] * homes * np.where(weekend, 1.03, 1.0) + share[1] * offices * np.where(weekend, 0.55, 1.0)
        mixed += share[2] * 0.9 * np.where(weekend, 0.75, 1.0)
        whim = 0.03 * remembering(normal(n, 1), 6.0)[:, 0] + 0.03 * remembering(normal(n, 1), 2.0 * QUARTERS)[:, 0]
        kilowatts = 120 * np.exp(0.6 * normal(1)) * mixed * np.exp(season * (winter + 0.3 * weather) + whim)
        wh[feeder] = np.rint(250 * kilowatts)
    return GenResult(
        arrays={"wh": wh},
        dims={"wh": ("feeder", "quarter")},
        units={"wh": "Wh in a quarter hour"},
        truth={"coldest day": 15, "cooling feeders": tuple(range(5, FEEDERS, 6))},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _hump(hour: np.ndarray, middle: float, width: float, height: float) -> np.ndarray:
    return height * np.exp(-(((hour - middle) / width) ** 2))


def again(series: np.ndarray, steps: int) -> float:
    """The autocorrelation of a series after so many steps."""
    left = series - series.mean()
    return float((left[:-steps] * left[steps:]).sum() / (left**2).sum())


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    wh = result.arrays["wh"].astype(float)
    grid = wh.sum(0)
    by_day = grid.reshape(-1, QUARTERS).sum(1)
    rest = np.arange(len(by_day)) % 7 >= 5
    twelve = grid[: 84 * QUARTERS]
    step = np.abs(np.diff(wh, axis=1)).mean(1) / wh.mean(1)
    return {
        "readings above zero": (float((wh > 0).mean()), 1.0, 1.0),
        "twelve weeks: correlation with the day before": (again(twelve, QUARTERS), 0.65, 0.9),
        "twelve weeks: correlation with the week before": (again(twelve, 7 * QUARTERS), 0.75, 0.97),
        "twelve weeks: mean over peak": (float(twelve.mean() / twelve.max()), 0.55, 0.8),
        "weekend over weekday": (float(by_day[rest].mean() / by_day[~rest].mean()), 0.7, 0.95),
        "sum of the feeders' peaks over the grid's": (float(wh.max(1).sum() / grid.max()), 1.05, 1.5),
        "change in a quarter hour over the mean, median feeder": (float(np.median(step)), 0.005, 0.08),
        "largest feeder over the smallest": (float(wh.sum(1).max() / wh.sum(1).min()), 3.0, 40.0),
    }
