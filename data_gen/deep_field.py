"""A piece of sky: the Hubble eXtreme Deep Field, some thousands of galaxies on a dark ground.

Real: NASA's picture of 2012, composed of ten years of exposures, as scikit-image ships it: 872 x 1000 pixels. The mean
of the three colours is kept, in 64 shades from 0 to 252. Axes: y from above to below, x from left to right. Values:
brightness of the picture, without a unit.

Not real: this is a picture for people, stretched so that faint things show, and kept as JPEG; brightness is not
proportional to light. An astronomer would search in calibrated floats, with the error of each pixel beside it.

Its realism test holds it to what a deep field is: most of it is dark, light comes from a small part of it, what is
bright has bright neighbours, and no side of it is brighter than the other.

>>> result = make()
>>> result.arrays["sky"].shape, int(result.arrays["sky"].max())
((872, 1000), 252)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All of it ("small", 872 kB), or its upper left quarter ("tiny"). It has no chance in it."""
    if size not in ("small", "tiny"):
        raise ValueError(f"deep_field.make: size must be one of small, tiny, got {size!r}; try size='small'")
    sky = 4 * vendor.load("deep_field.npz")["shades"]
    if size == "tiny":
        sky = np.ascontiguousarray(sky[:436, :500])
    return GenResult(
        arrays={"sky": sky},
        dims={"sky": ("y", "x")},
        units={"sky": "1"},
        provenance={
            "source": "Hubble eXtreme Deep Field, NASA/ESA, release STScI-2012-37, through scikit-image 0.26.0",
            "licence": "public domain (NASA)",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    sky = result.arrays["sky"].astype(np.float64)
    above = np.sort((sky - np.median(sky)).clip(0).ravel())[::-1]
    bright = sky > 100
    beside = bright[:, 1:][bright[:, :-1]]
    halves = sky[:, : sky.shape[1] // 2].mean(), sky[:, sky.shape[1] // 2 :].mean()
    return {
        "median brightness": (float(np.median(sky)), 8.0, 16.0),
        "light from the brightest twentieth": (float(above[: above.size // 20].sum() / above.sum()), 0.6, 0.85),
        "bright pixels whose right neighbour is bright": (float(beside.mean()) if beside.size else 0.0, 0.7, 0.9),
        "left half against right half": (float(halves[0] / halves[1]), 0.8, 1.25),
    }
