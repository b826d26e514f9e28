"""A day of trades: what was paid each second for a few shares, with the quotes around it and the sizes.

Imitates: trading in liquid shares. Prices in US dollars move in ticks of a cent; volatility comes in clusters and
is larger at the open and the close; sizes in shares grow with volatility; trades fall on the bid or the ask, and
buys follow buys. One row each second of 6.5 hours.

Not real: there is a trade in every second, the spread never changes, no news arrives, and all shares follow one
market. No price here was ever paid.

Its realism test holds it to what is known of real markets: returns with fat tails (Cont 2001), hardly any
correlation from one minute to the next but plenty in their size, a bounce between bid and ask from trade to trade
(Roll 1984), more volume at the open than at noon (Wood, McInish and Ord 1985; Admati and Pfleiderer 1988), and
volume that goes with volatility (Clark 1973).

>>> day = make("tiny").arrays
>>> sorted(day), bool((day["bid"] < day["ask"]).all())
(['ask', 'bid', 'price', 'size'], True)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals, fat, remembering

TICK = 0.01  # dollars
SECONDS = 23_400  # from 9:30 to 16:00
DAYS = {"tiny": (1, 2), "small": (1, 8), "large": (5, 8)}  # size -> days, shares


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Prices, quotes and sizes, each (second, share): "tiny" is a day of 2 shares, "small" of 8, "large" a week."""
    if size not in DAYS:
        raise ValueError(f"ticks.make: size must be one of {', '.join(DAYS)}, got {size!r}; try size='small'")
    days, shares = DAYS[size]
    arrays = trades(days, shares, seed)
    return GenResult(
        arrays=arrays,
        dims=dict.fromkeys(arrays, ("second", "share")),
        units={"price": "USD", "bid": "USD", "ask": "USD", "size": "shares"},
        truth={"tick": TICK},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def trades(days: int, shares: int, seed: int) -> dict[str, np.ndarray]:
    """The arrays of `make`; prices and quotes are whole ticks, as float64 dollars."""
    n = SECONDS * days
    normal = Normals(seed)
    day = (np.arange(n) % SECONDS / SECONDS)[:, None]
    season = 1 + 1.6 * (2 * day - 1) ** 2 + 0.8 * np.exp(-day / 0.03)  # more at the open, some more at the close
    season /= season.mean()

    # The logarithm of volatility: three memories, of a minute, a quarter of an hour, and half a day; shared, and own.
    memories = np.array([60.0, 900.0, 12_000.0]), np.array([0.35, 0.35, 0.45])
    level = np.stack([remembering(normal(n, shares + 1), tau) * s for tau, s in zip(*memories, strict=True)]).sum(0)
    level = 0.7 * (level[:, :1] + level[:, 1:])
    level -= level.var(0)
    volatility = np.linspace(0.18, 0.45, shares) / np.sqrt(252 * SECONDS) * np.sqrt(season) * np.exp(level)

    market, own = fat(normal, n, 1), fat(normal, n, shares)
    steps = volatility * (0.6 * market + 0.8 * own)
    middle = np.linspace(40, 320, shares) * np.exp(np.cumsum(steps, axis=0))
    buys = remembering(normal(n, shares), 8.0) * 0.6 + normal(n, shares) > 0
    bid = np.rint(middle / TICK - 1.5)
    ask = np.maximum(bid + 1, np.rint(middle / TICK + 1.5))
    size = np.maximum(1, np.rint(100 * np.exp(normal(n, shares)) * season * np.exp(0.8 * level)))
    dollars = {name: np.round(t * TICK, 2) for name, t in (("bid", bid), ("ask", ask))}
    return {"price": np.where(buys, dollars["ask"], dollars["bid"]), "size": size.astype(np.int32), **dollars}


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed); medians over the shares."""
    price, bid, ask = (result.arrays[name] for name in ("price", "bid", "ask"))
    size = result.arrays["size"].astype(np.float64)
    minutes = np.diff(np.log((bid + ask)[::60] / 2), axis=0)
    volume = size.reshape(-1, 60, size.shape[1]).sum(1)[1:]
    day = np.arange(len(size)) % SECONDS / SECONDS
    trade = np.diff(np.log(price), axis=0)
    scaled = minutes / minutes.std(0)
    return {
        "bid below ask, price on one of them": (
            float(((bid < ask) & ((price == bid) | (price == ask))).mean()),
            1.0,
            1.0,
        ),
        "excess kurtosis of a minute's return": (float(np.median((scaled**4).mean(0) - 3)), 0.8, 20.0),
        "correlation of returns, 1 minute apart": (_lagged(minutes, 1), -0.12, 0.12),
        "correlation of their sizes, 5 minutes apart": (_lagged(np.abs(minutes), 5), 0.06, 0.6),
        "correlation of trades, 1 second apart": (_lagged(trade, 1), -0.5, -0.05),
        "volume at the open against noon": (
            float(size[day < 1 / 13].mean() / size[np.abs(day - 0.5) < 0.04].mean()),
            1.3,
            8.0,
        ),
        "correlation of volume and volatility": (
            float(np.median([np.corrcoef(np.abs(r), v)[0, 1] for r, v in zip(minutes.T, volume.T, strict=True)])),
            0.2,
            0.9,
        ),
    }


def _lagged(series: np.ndarray, lag: int) -> float:
    """The correlation of each column with itself, `lag` rows later; the median of them."""
    centred = series - series.mean(0)
    return float(np.median((centred[:-lag] * centred[lag:]).sum(0) / (centred**2).sum(0)))
