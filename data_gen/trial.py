"""A real trial: 2,834 people in rural Malawi, whether they drew a voucher, and whether they came for a result.

Real: Thornton 2008 ("The Demand for, and Impact of, Learning HIV Status", American Economic Review 98:1829-1863) let
people draw a voucher of zero to three dollars, to be had when they came for the result of an HIV test. One row a
person: the village as a number (0 where it is not known), whether the voucher was worth anything, and whether the
person came. Units: 1.

Not here: what the result was, ages and distances. Nothing in the lessons needs them.

Its realism test holds it to the figures that are published of it: 2,211 of them with an incentive and 623 without, of
which 78.92 % and 33.87 % came.

>>> people = make().arrays
>>> len(people["came"]), int(people["came"].sum())
(2834, 1956)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All people; there is one size, "small", and no chance, so `seed` changes nothing."""
    if size != "small":
        raise ValueError(f"trial.make: size must be one of small, got {size!r}; try size='small'")
    arrays = vendor.load("trial.npz")
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(arrays, ("person",)),
        units=dict.fromkeys(arrays, "1"),
        truth={},
        provenance={"source": "Thornton 2008, through causaldata 0.1.5", "licence": "MIT, causaldata authors"},
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    incentive, came = (result.arrays[name].astype(bool) for name in ("incentive", "came"))
    village = result.arrays["village"]
    drawn = np.array([incentive[village == k].mean() for k in np.unique(village) if (village == k).sum() >= 30])
    return {
        "people with an incentive": (float(incentive.sum()), 2211, 2211),
        "people without": (float((~incentive).sum()), 623, 623),
        "share that came, with": (float(came[incentive].mean()), 0.78915, 0.78925),
        "share that came, without": (float(came[~incentive].mean()), 0.33865, 0.33875),
        "least share that drew an incentive in a village of 30": (float(drawn.min()), 0.4, 0.9),
    }
