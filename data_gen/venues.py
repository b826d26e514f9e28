"""A week of one-minute bars of six coins on four venues: what each venue printed, and the trades of all put together.

Imitates: trading in coins on exchanges that never close. Open, high, low and close in US dollars, in ticks that grow
with the price; volume in coins. Every coin has one price that the market agrees on, with volatility in clusters and fat
tails. The largest venue, A, prints it at once; B, C and D see it 5, 10 and 25 seconds late, and stray around it a
little, the smallest one most (prices are found on the leading venues: Makarov and Schoar 2020). A bar in which nobody
traded is NaN, with a volume of zero.

Not real: at most one trade in five seconds on a venue, no fees, no outages, constant delays, and venues that always
come back to the market's price. The coins and venues are nobody's.

Its realism test holds it to what is known of real markets: returns with fat tails and volatility that is remembered
(Cont 2001), correlations between venues that vanish as the interval shrinks (Epps 1979), a day that breathes although
no bell rings, unequal venues, and bars that are possible: low below open and close, high above.

>>> bars = make("tiny").arrays["bars"]
>>> bars.shape, bool((bars[..., 2] > bars[..., 1]).any())
((1440, 4, 6, 5), False)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals, fat, remembering

DAYS = {"tiny": 1, "small": 7, "large": 28}
FIELDS = ("open", "high", "low", "close", "volume")
VENUES, COINS = "ABCD", 6
STEPS = 12  # of five seconds in a minute
LATE = (0, 1, 2, 5)  # steps behind the market
STRAY = (1e-4, 2e-4, 3e-4, 8e-4)  # how far a venue strays from it
TRADES = (0.9, 0.8, 0.7, 0.36)  # the chance of a trade in a step
SHARE = (0.48, 0.27, 0.17, 0.08)  # of the size of a trade


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Bars (minute, venue, coin, field) and all trades of a coin in one bar: "tiny" a day, "small" 7, "large" 28."""
    if size not in DAYS:
        raise ValueError(f"venues.make: size must be one of {', '.join(DAYS)}, got {size!r}; try size='small'")
    n = DAYS[size] * 1440 * STEPS
    normal = Normals(seed)
    clock = np.arange(n) / STEPS / 1440
    activity = 1 + 0.5 * np.sin(2 * np.pi * (clock - 0.35))  # no bell, and still a day
    activity *= np.where(clock.astype(int) % 7 >= 5, 0.7, 1.0)  # and a weekend
    together = _volatility(normal, n)
    market = fat(normal, n, 1)[:, 0]
    bars, every = [], []
    for coin in range(COINS):
        level = 0.6 * (together + _volatility(normal, n))
        level -= level.var()
        steps = 0.7 / np.sqrt(365 * 1440 * STEPS) * np.sqrt(activity) * np.exp(level)
        fair = np.cumsum(steps * (0.7 * market + np.sqrt(0.51) * fat(normal, n, 1)[:, 0]))
        price, volume = (np.empty((n, len(VENUES))) for _ in range(2))
        for v in range(len(VENUES)):
            seen = np.concatenate([np.zeros(LATE[v]), fair[: n - LATE[v]]])
            stray = STRAY[v] * remembering(normal(n, 1), 9.0)[:, 0]
            tick = 10.0 ** (coin // 2 - 3)
            price[:, v] = np.rint(100 * 4.0**coin * np.exp(seen + stray) / tick) * tick
            traded = normal.bits.random_raw(n) * 2.0**-64 < TRADES[v] * activity
            traded[0] = True  # so that there is a last price from the first minute on
            lots = np.exp(1.2 * normal(n) + 0.7 * level) * SHARE[v] * 1000 / 4.0**coin
            volume[:, v] = np.where(traded, np.round(lots, 6) + 1e-6, 0)
        bars.append(np.stack([bars_of(price[:, [v]], volume[:, [v]]) for v in range(len(VENUES))], axis=1))
        order = normal.bits.random_raw(price.size).reshape(price.shape).argsort(1)  # within five seconds
        every.append(bars_of(*(np.take_along_axis(a, order, axis=1) for a in (price, volume))))
    return GenResult(
        arrays={"bars": np.round(np.stack(bars, axis=2), 6), "consolidated": np.round(np.stack(every, axis=1), 6)},
        dims={"bars": ("minute", "venue", "coin", "field"), "consolidated": ("minute", "coin", "field")},
        units=dict.fromkeys(("bars", "consolidated"), "USD, volume in coins"),
        truth={"seconds behind": tuple(60 // STEPS * late for late in LATE)},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def bars_of(price: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Bars (minute, field) of trades (step, one or more), in this order; without a trade NaN, and a volume of 0."""
    price, volume = (np.reshape(a, (-1, STEPS * a.shape[1])) for a in (price, volume))
    traded, rows = volume > 0, np.arange(len(price))
    first, last = traded.argmax(1), traded.shape[1] - 1 - traded[:, ::-1].argmax(1)
    high, low = np.where(traded, price, -np.inf).max(1), np.where(traded, price, np.inf).min(1)
    prices = np.stack([price[rows, first], high, low, price[rows, last]], axis=1)
    return np.column_stack([np.where(traded.any(1)[:, None], prices, np.nan), volume.sum(1)])


def _volatility(normal: Normals, n: int) -> np.ndarray:
    """The logarithm of volatility: memories of six minutes and of half a day."""
    return sum(s * remembering(normal(n, 1), tau * STEPS)[:, 0] for tau, s in ((6.0, 0.4), (720.0, 0.5)))


def filled(close: np.ndarray) -> np.ndarray:
    """The last close so far, along the first axis; NaN until there is one."""
    rows = np.arange(len(close)).reshape(-1, *[1] * (close.ndim - 1))
    last = np.maximum.accumulate(np.where(np.isnan(close), 0, rows), axis=0)
    return np.take_along_axis(close, last, axis=0)


def correlation(close: np.ndarray, one: int, other: int, minutes: int) -> float:
    """Of the returns over so many minutes on two venues; the median of the coins."""
    moves = np.diff(np.log(filled(close)[::minutes][1:]), axis=0)
    pairs = [np.corrcoef(moves[:, one, coin], moves[:, other, coin])[0, 1] for coin in range(close.shape[2])]
    return float(np.median(pairs))


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    bars = result.arrays["bars"]
    o, high, low, close, volume = np.moveaxis(bars, -1, 0)
    there = volume > 0
    possible = (low <= np.minimum(o, close)) & (np.maximum(o, close) <= high) | ~there & np.isnan(close)
    moves = np.diff(np.log(filled(close[1:, 0])), axis=0)
    scaled = (moves - moves.mean(0)) / moves.std(0)
    size = np.abs(scaled) - np.abs(scaled).mean(0)
    by_hour = volume.sum(1).reshape(-1, 24, 60, COINS).sum((0, 2))
    share = (volume / volume.sum((0, 1))).sum((0, 2)) / COINS
    return {
        "bars that are possible": (float(possible.mean()), 1.0, 1.0),
        "correlation of A and D over 1 minute": (correlation(close, 0, 3, 1), 0.1, 0.6),
        "correlation of A and D over 60 minutes": (correlation(close, 0, 3, 60), 0.9, 1.0),
        "excess kurtosis of a minute's return": (float(np.median((scaled**4).mean(0) - 3)), 2.0, 30.0),
        "correlation of the sizes of returns, 5 minutes apart": (
            float(np.median((size[:-5] * size[5:]).sum(0) / (size**2).sum(0))),
            0.08,
            0.6,
        ),
        "correlation of returns, 1 minute apart": (float(np.median((scaled[:-1] * scaled[1:]).mean(0))), -0.1, 0.1),
        "share of the largest venue": (float(share[0]), 0.4, 0.65),
        "share of the smallest venue": (float(share[3]), 0.01, 0.06),
        "bars without a trade on the smallest": (float(np.isnan(close[:, 3]).mean()), 0.01, 0.1),
        "busiest hour against the quietest": (float(np.median(by_hour.max(0) / by_hour.min(0))), 1.8, 8.0),
    }
