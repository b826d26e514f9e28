"""The air temperature over North America as a climate model sees it, in every tenth year from 1860 to 2090.

Real, as far as a projection is: annual means at 1.5 m from the Met Office Unified Model under the emission scenario
A1B, which the Met Office gives away as sample data. Units: kelvin. Axes: year, latitude from 15 to 60 degrees north,
longitude from 225 to 315 degrees east.

Not real: no year here was measured; single years differ by their weather, which a model makes up; and between two
of these years there are nine that were left out.

Its realism test: the region warms by 3 to 6 kelvin from the first three of these years to the last three (the
fourth assessment of the IPCC expects 3 to 5 over most of North America within a century under A1B), and it is 15 to
35 kelvin colder at 60 degrees north than at 15.

>>> result = make()
>>> result.arrays["air_temperature"].shape, result.arrays["year"][[0, -1]]
((24, 37, 49), array([1860, 2090], dtype=int16))
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor


def make(size: str = "small", seed: int = 0) -> GenResult:
    """The whole of it ("small", 174 KB), or its first three years ("tiny"). It has no chance in it."""
    if size not in ("small", "tiny"):
        raise ValueError(f"air_temperature.make: size must be one of small, tiny, got {size!r}; try size='small'")
    arrays = vendor.load("air_temperature_a1b.npz")
    if size == "tiny":
        arrays |= {name: arrays[name][:3] for name in ("air_temperature", "year")}
    return GenResult(
        arrays=arrays,
        dims={
            "air_temperature": ("year", "latitude", "longitude"),
            **{name: (name,) for name in ("year", "latitude", "longitude")},
        },
        units={"air_temperature": "K", "year": "a", "latitude": "degrees_north", "longitude": "degrees_east"},
        provenance={
            "source": "Met Office Unified Model, scenario A1B, through iris-sample-data 2.5.2",
            "licence": "Open Government Licence, (c) British Crown copyright, 2018, the Met Office",
        },
    )


def regional_mean(air_temperature: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """The mean of each year, cells weighted by their area."""
    weights = np.cos(np.deg2rad(latitude.astype(np.float64)))
    return np.average(air_temperature.astype(np.float64).mean(axis=2), axis=1, weights=weights)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    air, latitude = result.arrays["air_temperature"], result.arrays["latitude"]
    mean = regional_mean(air, latitude)
    return {
        "warming, last three years against the first three": (float(mean[-3:].mean() - mean[:3].mean()), 3.0, 6.0),
        "15 degrees north against 60": (float(air[:, 0].mean() - air[:, -1].mean()), 15.0, 35.0),
        "mean of the region": (float(mean.mean()), 280.0, 295.0),
    }
