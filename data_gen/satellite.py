"""A year of satellite scenes of one farmland, every ten days, most of them behind clouds.

Imitates: surface reflectance in green, red and near infrared as Landsat and Sentinel-2 deliver it, times 10,000 in
whole numbers; a **cloud mask** beside it (0 clear, 1 cloud); and a map of parcels. Fields green up and turn yellow
along double logistic curves (Zhang et al. 2003), each on days of its own; forest stays green; water is dark, darkest
in near infrared. A scene is mostly clear or mostly cloudy, and clouds come in all sizes with ragged edges.

Not real: the mask is the truth (real ones miss thin cloud and take snow for cloud), there are no shadows, no haze, no
snow, no border of the swath, and the satellite always looks straight down at the same pixels. Nobody owns the fields.

Its realism test holds it to what is published: 55 percent of the land is behind clouds (King et al. 2013); the
edges of clouds have a dimension of about 1.35 (Lovejoy 1982), which says how many blocks of each size are neither
clear nor cloudy; NDVI is high over crops and forest, near 0 over clouds, and below 0 over water (Tucker 1979).

>>> result = make("tiny")
>>> result.arrays["pixels"].shape, round(float(result.arrays["cloud"].mean()), 2)
((36, 96, 96, 3), 0.54)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals

EDGES = {"tiny": 96, "small": 192, "large": 384}
DATES, STEP = 36, 10  # one scene in ten days
BANDS = ("green", "red", "near infrared")
KINDS = ("winter crop", "summer crop", "grass", "forest", "water")
# of each kind: NDVI in winter, how far it rises, the days of half rise and half fall, days of the rise, red + infrared
SEASON = {
    "winter crop": (0.22, 0.58, 95, 185, 9, 0.42),
    "summer crop": (0.18, 0.66, 165, 265, 9, 0.42),
    "grass": (0.45, 0.22, 90, 290, 15, 0.40),
    "forest": (0.62, 0.22, 115, 295, 10, 0.32),
    "water": (-0.30, 0.0, 100, 200, 10, 0.06),
}
PARCELS = 40
ROUGH = 0.6  # the exponent of a field whose level lines have the dimension 2 - 0.6


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Scenes (t, y, x, band), clouds (t, y, x), parcels (y, x): an edge of 96 pixels for "tiny", 192, 384 "large"."""
    if size not in EDGES:
        raise ValueError(f"satellite.make: size must be one of {', '.join(EDGES)}, got {size!r}; try size='small'")
    n, normal = EDGES[size], Normals(seed)
    corners = normal.bits.random_raw(2 * PARCELS).reshape(-1, 2) * 2.0**-64 * n
    at = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=-1) + 0.5
    parcel = ((at[:, :, None] - corners) ** 2).sum(-1).argmin(-1).astype(np.uint8)
    kind = np.arange(PARCELS) % len(KINDS)
    day = STEP * np.arange(DATES)
    shift, vigour = 6 * np.clip(normal(PARCELS), -2, 2), 1 + 0.04 * np.clip(normal(PARCELS), -2, 2)
    ndvi, sums = np.empty((DATES, PARCELS)), np.empty(PARCELS)
    for k in range(PARCELS):
        base, rise, up, down, days, sums[k] = SEASON[KINDS[kind[k]]]
        curve = 1 / (1 + np.exp(-(day - up - shift[k]) / days)) - 1 / (1 + np.exp(-(day - down - shift[k]) / days))
        ndvi[:, k] = base + rise * vigour[k] * curve
    ndvi = np.round(ndvi, 4)

    cover = np.sin(np.pi / 2 * ((np.arange(DATES) + 0.5) / DATES) ** 0.87) ** 2  # few scenes are half and half
    cover = np.round(cover[normal.bits.random_raw(DATES).argsort()], 6)
    pixels, cloud = np.empty((DATES, n, n, 3), np.uint16), np.empty((DATES, n, n), np.uint8)
    for t in range(DATES):
        depth = _clouds(normal, n)
        order = depth.ravel().argsort(kind="stable")
        hidden = np.zeros(n * n, bool)
        hidden[order[n * n - round(cover[t] * n * n) :]] = True
        cloud[t] = hidden.reshape(n, n)
        green_ness, both = ndvi[t][parcel], sums[parcel] * (1 + 0.03 * normal(n * n).reshape(n, n))
        red, infrared = both * (1 - green_ness) / 2, both * (1 + green_ness) / 2
        bands = np.stack([0.02 + 0.75 * red, red, infrared], axis=-1)
        bands += 0.001 * normal(n * n * 3).reshape(n, n, 3)
        rank = np.empty(n * n)
        rank[order] = np.arange(n * n) / (n * n)
        bright = 0.35 + 0.5 * rank.reshape(n, n)[..., None] * np.array([1.0, 0.98, 1.02])
        bright = bright + 0.004 * normal(n * n * 3).reshape(n, n, 3)
        seen = np.where(cloud[t][..., None] == 1, bright, bands)
        pixels[t] = np.clip(np.rint(seen * 1e4), 1, 16_000)  # 0 is kept for "no data"
    return GenResult(
        arrays={"pixels": pixels, "cloud": cloud, "parcel": parcel, "day": day.astype(np.int16)},
        dims={"pixels": ("t", "y", "x", "band"), "cloud": ("t", "y", "x"), "parcel": ("y", "x"), "day": ("t",)},
        units={"pixels": "reflectance x 10,000", "cloud": "0 clear, 1 cloud", "parcel": "1", "day": "day of the year"},
        truth={"ndvi": ndvi, "kind": [KINDS[k] for k in kind]},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _clouds(normal: Normals, n: int) -> np.ndarray:
    """A rough field (y, x): in each octave half as wide bumps, 2 ** -0.6 times as high."""
    field, wide = np.zeros((n, n)), 2 * n // 3
    height = 1.0
    while wide >= 1:
        cells = -(-n // wide) + 2
        grid = normal(cells * cells).reshape(cells, cells)
        offset = normal.bits.random_raw(2) * 2.0**-64
        for axis in (0, 1):
            place = np.arange(n) / wide + offset[axis]
            low, part = place.astype(int), place % 1
            part = (part * part * (3 - 2 * part)).reshape([-1, 1] if axis == 0 else [1, -1])
            grid = np.take(grid, low, axis) * (1 - part) + np.take(grid, low + 1, axis) * part
        field += height * grid
        wide, height = wide // 2, height * 2.0**-ROUGH
    return np.round(field, 9)


def ndvi_of(pixels: np.ndarray) -> np.ndarray:
    """NDVI of pixels (..., band)."""
    red, infrared = pixels[..., 1].astype(float), pixels[..., 2].astype(float)
    return (infrared - red) / (infrared + red)


def mixed(cloud: np.ndarray, edge: int) -> float:
    """The share of square blocks with such an edge that are neither all clear nor all cloudy."""
    t, n, _ = cloud.shape
    sums = cloud.reshape(t, n // edge, edge, n // edge, edge).sum(axis=(2, 4), dtype=int)
    return float(((sums > 0) & (sums < edge * edge)).mean())


def dimension(cloud: np.ndarray) -> float:
    """The box-counting dimension of the edges of clouds, from blocks of 2 and of 16 pixels; edges between two blocks,
    which neither of them shows, are added.
    """
    small, large = (mixed(cloud, edge) * edge / (edge - 1) for edge in (2, 16))
    return 2 + float(np.log(small / large) / np.log(8))


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    cloud, parcel, day = (result.arrays[name] for name in ("cloud", "parcel", "day"))
    ndvi = ndvi_of(result.arrays["pixels"])
    cover = cloud.mean(axis=(1, 2))
    names = np.array(result.truth["kind"])[parcel]

    def over(kind: str, first: int, last: int) -> np.ndarray:
        """Mean clear NDVI of a kind's pixels on each date in a span of days, where there are any."""
        dates = [t for t in range(len(day)) if first <= day[t] <= last]
        clear = [ndvi[t][(cloud[t] == 0) & (names == kind)] for t in dates]
        return np.array([values.mean() for values in clear if values.size] or [np.nan])

    return {
        "share of the pixels behind clouds": (float(cloud.mean()), 0.45, 0.65),
        "scenes under a fifth or over four fifths cloudy": (float(((cover < 0.2) | (cover > 0.8)).mean()), 0.5, 0.8),
        "dimension of the edges of clouds": (dimension(cloud), 1.25, 1.5),
        "highest NDVI of summer crops": (float(over("summer crop", 150, 280).max()), 0.7, 0.9),
        "lowest NDVI of forest in summer": (float(over("forest", 160, 250).min()), 0.75, 0.9),
        "highest NDVI of water": (float(over("water", 0, 365).max()), -0.6, -0.1),
        "mean NDVI of clouds": (float(ndvi[cloud == 1].mean()), -0.05, 0.1),
    }
