"""The air temperature over North America from 1860 to 2099, twice: a world that burns on, and one that does not.

Real, as far as a projection is: annual means at 1.5 m from the Met Office Unified Model, which the Met Office gives
away as sample data. Both runs share 1860 to 1999. From 2000 on the first follows the emission scenario A1B (rapid
growth, energy from a mixture of sources), the second E1 (emissions fall until greenhouse gases settle at 450 ppm).
Units: kelvin, in hundredths. Axes: scenario (A1B, E1), year, latitude from 15 to 60 degrees north, longitude from
225 to 315 degrees east.

Not real: no year here was measured, and single years differ by a weather that the model makes up. The values were
rounded to a hundredth of a kelvin. A year of this model has 360 days.

Its realism test: the region, cells weighted by their area, warms by 3.5 to 6 kelvin under A1B from the first thirty
years to the last (the fourth assessment of the IPCC expects 3 to 5 over most of North America within a century), and
by 1.5 to 3.5 under E1, which was made to keep the world below 2; the two are one until 1999; and neighbouring years
differ by some tenths of a kelvin, as they do in measured records of a region.

>>> result = make()
>>> result.arrays["air_temperature"].shape, result.truth
((2, 240, 37, 49), {'scenarios': ['A1B', 'E1'], 'years in common': 140})
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor
from data_gen.air_temperature import regional_mean

FIRST, COMMON = 1860, 140


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All 240 years ("small", 3.5 MB), or every twentieth ("tiny"). It has no chance in it."""
    if size not in ("small", "tiny"):
        raise ValueError(f"climate.make: size must be one of small, tiny, got {size!r}; try size='small'")
    stored = vendor.load("air_temperature_scenarios.npz")
    hundredths = stored["high"].astype(np.uint16) << 8 | stored["low"]
    maps = (hundredths / 100).astype(np.float32)  # 240 of A1B, then E1's own
    years = len(maps) - (240 - COMMON)
    both = np.stack([maps[:years], np.concatenate([maps[:COMMON], maps[years:]])])
    step = 20 if size == "tiny" else 1
    return GenResult(
        arrays={
            "air_temperature": both[:, ::step],
            "year": np.arange(FIRST, FIRST + years, step, dtype=np.int16),
            "latitude": stored["latitude"].astype(np.float64),
            "longitude": stored["longitude"].astype(np.float64),
        },
        dims={
            "air_temperature": ("scenario", "year", "latitude", "longitude"),
            **{name: (name,) for name in ("year", "latitude", "longitude")},
        },
        units={"air_temperature": "K", "year": "a", "latitude": "degrees_north", "longitude": "degrees_east"},
        truth={"scenarios": ["A1B", "E1"], "years in common": COMMON},
        provenance={
            "source": "Met Office Unified Model, scenarios A1B and E1, through iris-sample-data 2.5.2",
            "licence": "Open Government Licence, (c) British Crown copyright, 2018, the Met Office",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    air, latitude = result.arrays["air_temperature"], result.arrays["latitude"]
    a1b, e1 = (regional_mean(values, latitude) for values in air)
    apart = result.arrays["year"][(air[0] != air[1]).any(axis=(1, 2))]
    return {
        "warming under A1B, last 30 years against the first": (float(a1b[-30:].mean() - a1b[:30].mean()), 3.5, 6.0),
        "warming under E1": (float(e1[-30:].mean() - e1[:30].mean()), 1.5, 3.5),
        "the year in which they part": (float(apart.min(initial=9999)), 2000, 2000),
        "a year against the one before": (float(np.diff(a1b[:COMMON]).std()), 0.1, 0.6),
        "15 degrees north against 60": (float(air[..., 0, :].mean() - air[..., -1, :].mean()), 15.0, 35.0),
    }
