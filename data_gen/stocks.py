"""Thirteen years of three real stocks: what was paid each day, and the close as it was adjusted later.

Real: Apple, IBM and Microsoft from 2000-03-01 to 2013-03-01, 3,270 trading days, from Quandl's WIKI Prices, which its
publisher put into the public domain. `open`, `high`, `low` and `close` in US dollars are what was paid on the day, with
the splits in them: on 2005-02-28 Apple fell by half without anybody losing a cent. `adjusted` is the close divided by
every split and corrected for every dividend that came later, until the archive was made: it is the better series for
returns, and no one could have known it on the day. `volume` in shares.

Not real: three companies that are still there say nothing about those that are not (survivorship).

Its realism test holds the returns to what is known of real markets (Cont 2001): fat tails, next to no correlation
from one day to the next, and plenty in their size, even a month later; the prices to their order within a day; and
the adjustments to the three splits of those years. A random walk of the same volatility has no fat tails and no memory.

>>> stocks = make("tiny").arrays
>>> stocks["close"].shape, float(stocks["close"][0, 0]), str(stocks["date"][0])
((3270, 1), 130.31, '2000-03-01')
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

TICKERS = ("AAPL", "IBM", "MSFT")
COUNT = {"tiny": 1, "small": 3, "large": 3}


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Daily prices, each (day, stock); "tiny" is Apple alone. The data are real, so `seed` changes nothing."""
    if size not in COUNT:
        raise ValueError(f"stocks.make: size must be one of {', '.join(COUNT)}, got {size!r}; try size='small'")
    file, count = vendor.load("stocks.npz"), COUNT[size]
    arrays = {name: file[name][:, :count] / 100 for name in ("open", "high", "low", "close")}
    arrays |= {"adjusted": file["adjusted"][:, :count], "volume": file["volume"][:, :count]}
    dims = dict.fromkeys(arrays, ("day", "stock")) | {"date": ("day",)}
    units = dict.fromkeys(arrays, "USD") | {"volume": "shares", "date": "days since 1970-01-01"}
    return GenResult(
        arrays=arrays | {"date": file["day"].astype("M8[D]")},
        dims=dims,
        units=units,
        truth={"splits": {"2000-06-21": "AAPL", "2003-02-18": "MSFT", "2005-02-28": "AAPL"}},
        provenance={
            "source": "Quandl WIKI Prices, through bokeh_sampledata 2026.1; AAPL, IBM and MSFT, all days",
            "licence": "public domain, as Quandl's archived publisher page declares",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed); medians over the stocks."""
    a = result.arrays
    moves = np.diff(np.log(a["adjusted"]), axis=0)
    scaled = (moves - moves.mean(0)) / moves.std(0)
    inside = (a["low"] <= np.minimum(a["open"], a["close"])) & (np.maximum(a["open"], a["close"]) <= a["high"])
    jumps = np.abs(np.diff(np.log(a["close"]), axis=0) - moves) > np.log(1.4)
    return {
        "open and close between low and high": (float(inside.mean()), 1.0, 1.0),
        "excess kurtosis of a day's return": (float(np.median((scaled**4).mean(0) - 3)), 3.0, 30.0),
        "correlation of returns, 1 day apart": (_lagged(scaled, 1), -0.1, 0.1),
        "correlation of their sizes, 20 days apart": (_lagged(np.abs(scaled), 20), 0.08, 0.4),
        "volatility in a year": (float(np.median(moves.std(0)) * np.sqrt(252)), 0.2, 0.6),
        "splits for each stock": (float(jumps.sum(0).mean()), 0.5, 2.5),
    }


def _lagged(series: np.ndarray, lag: int) -> float:
    """The correlation of each column with itself, `lag` rows later; the median of them."""
    centred = series - series.mean(0)
    return float(np.median((centred[:-lag] * centred[lag:]).sum(0) / (centred**2).sum(0)))
