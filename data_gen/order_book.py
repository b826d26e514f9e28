"""A limit order book and every change of it: what is bid and asked at each moment, and the trades.

Imitates: the messages of one liquid share for some twenty minutes. Limit orders arrive at each price at the same rate,
market orders take the best one on the other side, and each waiting order is cancelled at the same rate: the
zero-intelligence book of Smith, Farmer, Gillemot and Krishnamurthy (2003). Prices are whole ticks of a cent, sizes are
lots, times are microseconds. The clock runs in bursts: all rates are four times higher or lower for a while.

Not real: every order is one lot, orders know nothing of each other, no news arrives, and the price returns to where it
was more strongly than prices do. No share was ever traded here.

Its realism test holds it to what is known of real books: bid below ask; a depth that grows away from the best price
(Bouchaud, Mezard and Potters 2002); events in bursts (Engle and Russell 1998); a spread that closes again after it was
opened, and so is remembered for a moment (Biais, Hillion and Spatt 1995); buys as frequent as sells; and trades at the
best price. What the model predicts of itself, that the mean spread grows in proportion to the rate of market orders if
their ratio to cancellations stays, is a test of the lesson.

>>> small = make("tiny").arrays
>>> small["book"].shape[1:], bool((small["book"][:, 0, 0, 0] < small["book"][:, 1, 0, 0]).all())
((2, 10, 2), True)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult

EVENTS = {"tiny": 8_000, "small": 32_000, "large": 200_000}  # changes anywhere in the book, the first quarter dropped
BID, ASK = 0, 1  # sides
PRICE, SIZE = 0, 1  # fields
LEVELS = 10  # that are shown
CENTRE = 512  # the price in the middle of the simulated range, in ticks
PACE = (0.25, 1.0, 4.0)  # how fast the clock of the book runs, drawn every 300 events or so


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Each change of the ten best levels, and each trade: "tiny" is two minutes, "small" a quarter of an hour."""
    if size not in EVENTS:
        raise ValueError(f"order_book.make: size must be one of {', '.join(EVENTS)}, got {size!r}; try size='small'")
    arrays, _ = zero_intelligence(EVENTS[size], seed)
    fields = {"trade_time": "us", "trade_side": "1", "trade_price": "cents"}
    return GenResult(
        arrays=arrays,
        dims={"time": ("event",), "book": ("event", "side", "level", "field"), **dict.fromkeys(fields, ("trade",))},
        units={"time": "us", "book": "cents, lots", **fields},
        truth={"tick": 0.01},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def zero_intelligence(
    events: int,
    seed: int = 0,
    limit: float = 0.5,
    market: float = 5.0,
    cancel: float = 0.04,
    reach: int = 25,
    shown: bool = True,
) -> tuple[dict[str, np.ndarray], float]:
    """The arrays of `make`, and the mean spread in ticks, weighted by the time that it stood.

    events  how many changes happen, anywhere in the book; the first quarter is not shown, as the book settles
    limit   limit orders a second, side and tick; market: market orders a second; cancel: a second and waiting order
    reach   how far from the best price of the other side orders are placed, in ticks
    shown   whether to make the arrays
    """
    bits = np.random.PCG64(seed)
    draws = ((bits.random_raw(4 * events) >> np.uint64(11)) * 2.0**-53).reshape(events, 4)
    waits, paces = -np.log1p(-draws[:, 3]), np.random.PCG64([seed, 1]).random_raw(events) % 900
    depth = np.zeros(2 * CENTRE, np.int64)  # lots at each price; below the best ask they are bids
    bid, ask, full = CENTRE - 2, CENTRE + 2, max(1, round(limit / cancel))
    depth[bid - reach : bid + 1] = depth[ask : ask + reach + 1] = full
    waiting = [full * (reach + 1)] * 2
    low, high, clock, pace = 0, 2 * CENTRE, 0, 1.0
    spread = stood = 0.0
    found: list[tuple[int, np.ndarray]] = []
    trades: list[tuple[int, int, int]] = []
    for number, ((chance, side_chance, place, _), wait, draw) in enumerate(
        zip(draws.tolist(), waits.tolist(), paces.tolist(), strict=True)
    ):
        arriving, leaving = 2 * limit * reach, cancel * sum(waiting)
        total = arriving + market + leaving
        step, what = wait / total, chance * total
        pace = PACE[draw] if draw < len(PACE) else pace
        clock += max(1, round(step / pace * 1e6))
        if number > events // 4:
            spread, stood = spread + (ask - bid) * step, stood + step
        side, change, price, sold = int(side_chance >= 0.5), -1, -1, False
        if what < arriving:
            change, price = 1, (bid + 1 + int(place * reach)) if side == ASK else (ask - 1 - int(place * reach))
        elif what < arriving + market:
            price, sold = (ask if side == ASK else bid), True
        else:
            side = int(side_chance * sum(waiting) >= waiting[BID])
            nearest = depth[ask:] if side == ASK else depth[bid::-1]
            away = int(np.searchsorted(np.cumsum(nearest), place * waiting[side], side="right"))
            price = ask + away if side == ASK else bid - away
        if change < 0 and waiting[side] == 1:
            continue  # the last order of a side stays
        depth[price] += change
        waiting[side] += change
        bid, ask = (max(bid, price), ask) if side == BID and change > 0 else (bid, ask)
        ask = min(ask, price) if side == ASK and change > 0 else ask
        while not depth[ask]:
            ask += 1
        while not depth[bid]:
            bid -= 1
        if not shown or number < events // 4:
            continue
        if sold:
            trades.append((clock, 1 if side == ASK else -1, price))
        if low <= price <= high:
            rows = _best(depth, bid, ask)
            low, high = (int(rows[BID, -1, PRICE]) or 0), int(rows[ASK, -1, PRICE]) or 2 * CENTRE
            found.append((clock, rows))
    if not shown:
        return {}, spread / stood
    begin = found[0][0]
    time = np.array([at for at, _ in found], np.int64) - begin
    when, sign, paid = (np.array(column, np.int64) for column in zip(*trades, strict=True))
    book = np.stack([rows for _, rows in found])
    book[..., PRICE][book[..., SIZE] > 0] += 10_000 - CENTRE  # around a hundred dollars
    return {
        "time": time,
        "book": book,
        "trade_time": when - begin,
        "trade_side": sign.astype(np.int8),
        "trade_price": (paid + 10_000 - CENTRE).astype(np.int32),
    }, spread / stood


def _best(depth: np.ndarray, bid: int, ask: int) -> np.ndarray:
    """The best levels: (side, level, (price, size)), zeros where there are no more."""
    rows = np.zeros((2, LEVELS, 2), np.int32)
    for side, nearest, first, away in ((BID, depth[bid::-1], bid, -1), (ASK, depth[ask:], ask, 1)):
        there = np.flatnonzero(nearest)[:LEVELS]
        rows[side, : len(there), PRICE], rows[side, : len(there), SIZE] = first + away * there, nearest[there]
    return rows


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    time, book = result.arrays["time"], result.arrays["book"]
    bid, ask = book[:, BID, 0, PRICE], book[:, ASK, 0, PRICE]
    before = np.searchsorted(time, result.arrays["trade_time"], side="left") - 1
    bought = result.arrays["trade_side"] > 0
    at_best = np.where(bought, ask[before], bid[before]) == result.arrays["trade_price"]
    each = np.bincount((time // 1_000_000).astype(np.intp))[:-1]
    often = np.arange(0, time[-1], 100_000)
    spread = (ask - bid)[np.searchsorted(time, often, side="right") - 1].astype(float)
    spread -= spread.mean()
    remembered = [float((spread[:-lag] * spread[lag:]).mean() / spread.var()) for lag in (1, 100)]
    size = book[..., SIZE].astype(float)
    return {
        "share of moments with bid below ask": (float((bid < ask).mean()), 1.0, 1.0),
        "mean spread, ticks": (float((ask - bid)[:-1] @ np.diff(time) / time[-1]), 1.2, 6.0),
        "size at the sixth level against the best": (float(size[:, :, 5].mean() / size[:, :, 0].mean()), 1.3, 8.0),
        "variance of events in a second, over their mean": (float(each.var() / each.mean()), 4.0, 200.0),
        "correlation of the spread, 0.1 s apart": (remembered[0], 0.3, 0.95),
        "the same, 10 s apart": (remembered[1], -0.25, 0.25),
        "share of trades that are buys": (float(bought[before >= 0].mean()), 0.43, 0.57),
        "share of trades at the best price": (float(at_best[before >= 0].mean()), 1.0, 1.0),
    }
