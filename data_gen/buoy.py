"""The temperature of the sea at a buoy, every half hour for thirteen months: a small real record, as it came.

Real: buoy B01 on the Western Maine Shelf, from 15 February 2016 to 22 March 2017 (NERACOOS, University of Maine), in
the extract that bokeh_sampledata keeps. Units: seconds since 1970 (UTC), degrees Celsius. Nothing was filled or
corrected: one night is missing, one reading besides, and one time occurs twice.

Not real: nothing, as far as an instrument in salt water tells the truth. The data may be used and redistributed for
free but are not intended for legal use, since they may contain inaccuracies.

Its realism test: the Gulf of Maine is coldest in late winter and warmest in late summer, by 10 to 20 degrees
(Mountain and Manning 1994 describe the cycle); the sea changes slowly, so neighbours in time are alike; and a clock
gives one reading each half hour.

>>> record = make("tiny").arrays
>>> record["time"].size, record["temperature"][:3]
(672, array([4.929, 4.887, 4.821], dtype=float32))
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

STEP = 1800  # seconds
ROWS = {"tiny": 14 * 48, "small": None}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All 19,226 readings ("small", 225 KB), or those of the first fortnight ("tiny"). It has no chance in it."""
    if size not in ROWS:
        raise ValueError(f"buoy.make: size must be one of small, tiny, got {size!r}; try size='small'")
    arrays = {name: values[: ROWS[size]] for name, values in vendor.load("buoy_b01.npz").items()}
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(("time", "temperature"), ("time",)),
        units={"time": "s since 1970-01-01", "temperature": "degree_Celsius"},
        provenance={
            "source": "NERACOOS buoy B01, dataset B01_sbe37_all, through bokeh_sampledata 2026.1",
            "licence": "free to use and redistribute; not intended for legal use",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    time, sea = result.arrays["time"], result.arrays["temperature"].astype(np.float64)
    month = time.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
    mean = {int(m): float(sea[month == m].mean()) for m in np.unique(month)}
    apart = np.diff(sea)
    return {
        "the warmest month": (max(mean, key=mean.__getitem__), 7, 9),
        "the coldest month": (min(mean, key=mean.__getitem__), 1, 4),
        "warmest month against coldest": (max(mean.values()) - min(mean.values()), 10.0, 20.0),
        "correlation of neighbours": (float(np.corrcoef(sea[1:], sea[:-1])[0, 1]), 0.99, 1.0),
        "largest step in half an hour": (float(np.abs(apart).max()), 0.1, 8.0),
        "share of steps of half an hour": (float((np.diff(time) == STEP).mean()), 0.999, 1.0),
    }
