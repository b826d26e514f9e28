"""Coins from Pompeii: a photograph of 24 Greek coins on uneven ground, 303 x 384 pixels.

Real: from the collection of the Brooklyn Museum, as scikit-image ships it. Axes: y from above to below, x from left to
right. Values: brightness from 0 to 255, without a unit.

Not easy, which is why it is used for tests: the light falls from the upper left, and there the ground is as bright as
some of the coins. One threshold for all of it takes a patch of ground for an object.

Its realism test holds it to that: bright things are solid and not dust, they cover a good third, and the ground grows
darker from above to below.

>>> result = make()
>>> result.arrays["grey"].shape, result.arrays["grey"].dtype
((303, 384), dtype('uint8'))
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

THRESHOLD = 107  # Otsu's, of all pixels


def make(size: str = "small", seed: int = 0) -> GenResult:
    """All of it ("small", 116 kB), or its upper left quarter ("tiny"). It has no chance in it."""
    if size not in ("small", "tiny"):
        raise ValueError(f"coins.make: size must be one of small, tiny, got {size!r}; try size='small'")
    grey = vendor.load("coins.npz")["grey"]
    if size == "tiny":
        grey = np.ascontiguousarray(grey[:151, :192])
    return GenResult(
        arrays={"grey": grey},
        dims={"grey": ("y", "x")},
        units={"grey": "1"},
        truth={"coins": 24},
        provenance={
            "source": "Greek coins from Pompeii, Brooklyn Museum, through scikit-image 0.26.0",
            "licence": "no known copyright restrictions (Brooklyn Museum)",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    grey = result.arrays["grey"].astype(np.float64)
    bright = grey > THRESHOLD
    beside = bright[:, 1:][bright[:, :-1]]
    ground = np.percentile(grey, 20, axis=1)
    return {
        "share of bright pixels": (float(bright.mean()), 0.3, 0.6),
        "bright pixels whose right neighbour is bright": (float(beside.mean()), 0.9, 0.99),
        "ground above less ground below": (float(ground[:50].mean() - ground[-50:].mean()), 10.0, 80.0),
    }
