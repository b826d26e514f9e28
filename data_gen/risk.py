"""Scenarios and portfolios: what happened to US shares in 1,109 months, and funds that would have felt it.

Real: the three factors of Fama and French (1993), monthly from July 1926 to November 2018, of Kenneth French's data
library: what the market gained over Treasury bills (Mkt-RF), small over large companies (SMB), cheap over expensive
ones (HML), and the bills themselves (RF). Units: percent a month, with two decimals.

Not real: the portfolios. Each has three exposures, drawn by chance from normal distributions: to the market around 1
with a spread of 0.25, to the other two around 0 with 0.5, about as wide as the portfolios that Fama and French
describe. They have nothing of their own, so they are more alike than funds are; a real desk holds options as well,
whose losses are no straight line in a factor.

Its realism test holds the factors to what is known of them: fat tails, months of which the worst is September 1931, a
large month followed by large ones (Cont 2001), and the portfolios to what they were drawn from.

>>> result = make("tiny")
>>> result.arrays["factors"].shape, result.arrays["exposures"].shape
((1109, 3), (3, 40))
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

FACTORS = ("market", "size", "value")
PORTFOLIOS = {"tiny": 40, "small": 200, "large": 400}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """1,109 months of three factors, and the exposures of 40 ("tiny"), 200 ("small") or 400 ("large") portfolios."""
    if size not in PORTFOLIOS:
        raise ValueError(f"risk.make: size must be one of {', '.join(PORTFOLIOS)}, got {size!r}; try size='small'")
    file = vendor.load("factors.npz")
    many = PORTFOLIOS[size]
    first, second = np.random.PCG64(seed).random_raw((2, many, 3)) / 2.0**64  # portfolio by portfolio
    normal = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
    exposures = np.round(np.array([1.0, 0.0, 0.0]) + normal * np.array([0.25, 0.5, 0.5]), 2).T
    factors = file["hundredths"] / 100
    return GenResult(
        arrays={
            "factors": factors[:, :3],
            "bills": factors[:, 3],
            "month": file["month"],
            "exposures": np.ascontiguousarray(exposures),
        },
        dims={
            "factors": ("scenario", "factor"),
            "bills": ("scenario",),
            "month": ("scenario",),
            "exposures": ("factor", "portfolio"),
        },
        units={"factors": "percent", "bills": "percent", "month": "year and month, as 192607", "exposures": "1"},
        truth={"factors": list(FACTORS)},
        provenance={
            "source": "Kenneth R. French's data library, through arch 8.0.0; exposures computed, chance from PCG64, "
            f"seed {seed}",
            "licence": "factors as arch ships them (NCSA); data provided by Kenneth R. French",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    market, exposures = result.arrays["factors"][:, 0], result.arrays["exposures"]
    apart = market - market.mean()
    size = np.abs(apart) - np.abs(apart).mean()
    return {
        "worst month of the market, percent": (float(market.min()), -29.2, -29.0),
        "excess kurtosis of the market": (float((apart**4).mean() / (apart**2).mean() ** 2 - 3), 5.0, 10.0),
        "correlation of the size of a month with the next": (
            float((size[:-1] * size[1:]).mean() / (size**2).mean()),
            0.15,
            0.4,
        ),
        "mean exposure to the market": (float(exposures[0].mean()), 0.9, 1.1),
        "spread of the exposures to size and value": (float(exposures[1:].std()), 0.4, 0.6),
    }
