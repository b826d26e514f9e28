"""Orders and by how much they moved the price: a month of a trading firm, in six coins on four venues.

Imitates: orders that are worked within an hour. One of the size Q, on a day with the volume V, moves the price against
itself by Y sqrt(Q/V) on average, in units of the coin's daily volatility; meanwhile the price moves anyway, by 0.2 of
that unit (an hour is a twenty-fourth of a day, and its square root is 0.2). Y is near one and differs from coin to coin
and from venue to venue.

Not real: the noise is normal and independent, sizes come from a fixed grid, the day's volume is known, and impact does
not depend on the hour or on the trend. One venue, "thin", follows another law, on purpose: there impact is proportional
to the size.

Its realism test holds it to what is known: an exponent of a half (Toth et al. 2011; Donier and Bonart 2015 for Bitcoin;
Almgren et al. 2005 found 0.6), a prefactor of order one, an impact that is small against the noise of a single order,
so that many orders seem to move the price the wrong way, and many more small orders than large ones.

>>> orders = make("tiny").arrays
>>> sorted(orders)
['coin', 'day', 'impact', 'size', 'venue']
"""

from __future__ import annotations

import math

import numpy as np

from data_gen import GenResult

DAYS = {"tiny": 5, "small": 30, "large": 120}
VENUES, COINS = ("north", "east", "thin", "west"), ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE")
SHARES = np.round(10 ** np.linspace(-3, -1, 41), 7)  # Q/V: from a thousandth to a tenth of the day's volume
EXPONENT, THIN = 0.5, 1.0  # of three venues, and of the thin one
NOISE, UNIT = 0.2, 1e-6  # what the price does in the hour of an order, in daily volatilities; the unit that is stored


def make(size: str = "small", seed: int = 0) -> GenResult:
    """One row for each order, day after day: "tiny" 5 days, "small" 30, "large" 120."""
    if size not in DAYS:
        raise ValueError(f"impact.make: size must be one of {', '.join(DAYS)}, got {size!r}; try size='small'")
    arrays = orders(DAYS[size], seed)
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(arrays, ("order",)),
        units={**dict.fromkeys(arrays, "1"), "impact": "1e-6 daily volatilities"},
        truth={"exponent": EXPONENT, "exponent of thin": THIN},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def prefactors() -> np.ndarray:
    """Y of each (venue, coin)."""
    by_venue, by_coin = np.array([0.78, 0.87, 0.73, 0.82]), np.array([0.0, -0.1, 0.1, 0.02, -0.06, 0.06])
    return by_venue[:, None] + by_coin


def true_impact() -> np.ndarray:
    """The mean impact of an order, (venue, coin, size); where a hundredth of the volume is traded, all laws meet."""
    exponent = np.array([THIN if name == "thin" else EXPONENT for name in VENUES])[:, None, None]
    return prefactors()[..., None] * 0.1 * (SHARES / 0.01) ** exponent


def orders(days: int, seed: int) -> dict[str, np.ndarray]:
    """The arrays of `make`: day, venue, coin and size are places in `DAYS`, `VENUES`, `COINS` and `SHARES`."""
    bits, cells = np.random.PCG64(seed), (days, len(VENUES), len(COINS), len(SHARES))
    busy = (bits.random_raw(math.prod(cells)) >> np.uint64(11)).reshape(cells) * 2.0**-53
    usual = np.rint(60 * np.sqrt(SHARES[0] / SHARES))
    count = np.rint(usual * (0.5 + busy)).astype(np.int64)
    number = int(count.sum())
    one, two = ((bits.random_raw(number) >> np.uint64(11)) * 2.0**-53 for _ in range(2))
    normal = np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * two)  # Box and Muller's method
    cell = np.repeat(np.arange(count.size), count.ravel().astype(np.intp))
    day, venue, coin, size = (place.astype(np.uint8) for place in np.unravel_index(cell, cells))
    impact = true_impact()[venue, coin, size] + NOISE * np.round(normal, 9)
    return {
        "day": day,
        "venue": venue,
        "coin": coin,
        "size": size,
        "impact": np.rint(impact / UNIT).astype(np.int32),
    }


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed); of the venues that are not thin."""
    kept = result.arrays["venue"] != VENUES.index("thin")
    size, impact = result.arrays["size"][kept], result.arrays["impact"][kept] * UNIT
    count = np.bincount(size, minlength=len(SHARES))
    mean = np.bincount(size, impact, len(SHARES)) / np.maximum(count, 1)
    large = SHARES > 0.005  # where the noise of the mean is small, so that a logarithm does no harm
    slope, level = np.polyfit(np.log(SHARES[large]), np.log(np.maximum(mean[large], 1e-9)), 1)
    return {
        "exponent of the mean impact": (float(slope), 0.44, 0.56),
        "prefactor": (float(np.exp(level)), 0.5, 1.2),
        "impact of a small order against its noise": (float(mean[:8].mean() / impact[size < 8].std()), 0.05, 0.4),
        "share of orders that seem to move it the wrong way": (float((impact < 0).mean()), 0.2, 0.45),
        "small orders against large ones": (float(count[0] / max(1, count[-1])), 3.0, 100.0),
    }
