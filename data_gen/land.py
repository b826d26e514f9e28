"""How much of each one-degree cell of the Earth is land, in percent: a small real map.

Real: the shares were counted on the GLOBE elevation grid (NOAA, about 1 km), as packaged by global-land-mask.
Row 0 is the northernmost cell (89 to 90 degrees north), column 0 the westernmost (180 to 179 degrees west).
Units: percent of the cell's grid points that are land, a whole number from 0 to 100.

Not real: only the open ocean counts as sea, so lakes and the Caspian are land, while the floating ice shelves
of Antarctica are sea. A cell of one degree is 111 km high and shrinks to a sliver at the poles, so weight by
the cosine of the latitude before you average.

Its realism test: between 28 and 30 percent of the Earth's surface is land (29.2 in the CIA World Factbook),
and between 37 and 42 percent of its northern half (39).

>>> result = make()
>>> result.arrays["land"].shape, result.arrays["land"].max()
((180, 360), np.uint8(100))
>>> round(land_share(result.arrays["land"]), 2)
0.29
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor


def make(size: str = "small", seed: int = 0) -> GenResult:
    """The map as uint8: "small" is 180 x 360 cells of one degree, "tiny" 18 x 36 cells of ten. It has no
    chance in it.
    """
    if size not in ("small", "tiny"):
        raise ValueError(f"land.make: size must be one of small, tiny, got {size!r}; try size='small'")
    land = vendor.load("land_percent_1deg.npz")["land_percent"]
    if size == "tiny":
        land = np.rint(land.reshape(18, 10, 36, 10).mean(axis=(1, 3))).astype(np.uint8)
    return GenResult(
        arrays={"land": land},
        dims={"land": ("latitude", "longitude")},
        units={"land": "%"},
        truth={"cells without land": int((land == 0).sum())},
        provenance={
            "source": "GLOBE elevation (NOAA), through global-land-mask 1.0.0",
            "licence": "GLOBE: public domain; global-land-mask: MIT, Copyright (c) 2019 Todd Karin",
        },
    )


def land_share(land: np.ndarray) -> float:
    """The land's share of the sphere, 0 to 1: cells weighted by their area."""
    rows = land.shape[0]
    latitude = 90 - (np.arange(rows) + 0.5) * 180 / rows
    return float(np.average(land.mean(axis=1), weights=np.cos(np.deg2rad(latitude))) / 100)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    land = result.arrays["land"]
    half = land.shape[0] // 2
    return {
        "land share of the sphere": (land_share(land), 0.28, 0.30),
        "land share north of the equator": (
            land_share(np.vstack([land[:half], land[half - 1 :: -1]])),
            0.37,
            0.42,
        ),
    }
