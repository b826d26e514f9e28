"""Two books of the same trades, ours and theirs, that ought to agree and do not: every break is planted and known.

Imitates: the ledgers of two firms after a day's trading, in the order of the trades. One row each: quantity in shares,
negative if sold; price in US dollars, whole cents; value, quantity times price; and a fee, NaN where none is booked
yet, which both sides then leave open. Most trades are with few counterparties, and nine breaks in ten come from ten of
the 200.

The kinds of breaks: "value", a value that is off by up to five dollars; "sign", a purchase booked as a sale; "empty",
a fee that they have not booked; "missing", a row that they do not have; "duplicate", a row that they have twice. And
"rounding", a value that differs by less than half a cent, which is none.

Not real: real breaks have histories, names and systems behind them, and how they cluster is an assumption here: no
published figure is known to us. Real books disagree on dates, currencies and identifiers as well; here these agree.

Its realism test holds the trades to what is known of real ones: first digits of amounts by Benford's law (Benford 1938;
Nigrini 1996), sizes that cluster on whole hundreds (Alexander and Peterson 2007), and prices that cluster on five and
ten cents (Harris 1991).

>>> result = make("tiny")
>>> result.arrays["ours"].shape, result.truth["kinds"]["sign"]
((51200, 4), 4)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult

ROWS = {"tiny": 51_200, "small": 102_400, "large": 1_024_000}
FIELDS = ("quantity", "price", "value", "fee")
COUNTERPARTIES, CARELESS = 200, range(40, 50)
KINDS = ("value", "sign", "empty", "missing", "duplicate", "rounding")


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Books of 51,200 ("tiny"), 102,400 ("small") or 1,024,000 rows ("large"); a cell in 10,000 is a break."""
    if size not in ROWS:
        raise ValueError(f"breaks.make: size must be one of {', '.join(ROWS)}, got {size!r}; try size='small'")
    n = ROWS[size]
    even = (np.random.PCG64(seed).random_raw(12 * n).reshape(12, n) >> np.uint64(11)) * 2.0**-53
    identity = np.cumsum(1 + (even[0] * 5).astype(np.int64))
    shares = 1 / (np.arange(COUNTERPARTIES) + 5.0)
    with_whom = np.searchsorted(np.cumsum(shares) / shares.sum(), even[1]).astype(np.int16)

    lots = 100 * np.ceil(10 ** (2 * even[2]) / 3)
    quantity = np.where(even[3] < 0.6, lots, np.ceil(10 ** (3 * even[2]))) * np.where(even[4] < 0.5, -1, 1)
    cents = np.rint(500 * 10 ** (2 * even[5]))
    step = np.where(even[6] < 0.15, 10, np.where(even[6] < 0.25, 5, 1))
    cents = np.rint(cents / step) * step
    fee = np.ceil(np.abs(quantity) * cents * 0.0002)
    fee[even[7] < 0.02] = np.nan
    ours = np.stack([quantity, cents / 100, quantity * cents / 100, fee / 100], 1)

    theirs, kind = ours.copy(), np.full(n, "", "U9")
    many = n * len(FIELDS) // 10_000
    counts = {"value": many - 2 * (many // 5) - 2 * (many // 10), "sign": many // 5, "empty": many // 5}
    counts |= {"missing": many // 10, "duplicate": many // 10, "rounding": 5 * many}
    careless = np.isin(with_whom, CARELESS)
    for name in KINDS:
        fit = (kind == "") & ~np.isnan(fee)
        by_chance = np.argsort(even[8 + KINDS.index(name) % 3], kind="stable")
        tenth = counts[name] if name == "rounding" else max(1, counts[name] // 10)
        kind[by_chance[(fit & ~careless)[by_chance]][:tenth]] = name
        kind[by_chance[(fit & careless)[by_chance]][: counts[name] - tenth]] = name
    off = np.where(even[11] < 0.5, -1, 1) * np.ceil(500 * even[10])
    theirs[kind == "value", 2] = ((quantity * cents + off) / 100)[kind == "value"]
    theirs[kind == "sign", 0] *= -1
    theirs[kind == "empty", 3] = np.nan
    theirs[kind == "rounding", 2] += (0.008 * (even[9] - 0.5))[kind == "rounding"]
    times = np.where(kind == "missing", 0, np.where(kind == "duplicate", 2, 1))
    return GenResult(
        arrays={
            "ours": ours,
            "id": identity,
            "counterparty": with_whom,
            "theirs": np.repeat(theirs, times, 0),
            "their_id": np.repeat(identity, times),
        },
        dims={
            "ours": ("row", "field"),
            "id": ("row",),
            "counterparty": ("row",),
            "theirs": ("their_row", "field"),
            "their_id": ("their_row",),
        },
        units={"ours": "shares and USD", "id": "1", "counterparty": "1", "theirs": "shares and USD", "their_id": "1"},
        truth={"kind": kind, "kinds": {name: int((kind == name).sum()) for name in KINDS}},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    quantity, price, value, fee = result.arrays["ours"].T
    leading = (np.abs(value) / 10 ** np.floor(np.log10(np.abs(value)))).astype(int).clip(1, 9)
    found = np.bincount(leading, minlength=10)[1:] / len(leading)
    benford = np.log10(1 + 1 / np.arange(1, 10))
    cents = np.rint(100 * price).astype(np.int64)
    kind = result.truth["kind"]
    broken = (kind != "") & (kind != "rounding")
    careless = np.isin(result.arrays["counterparty"], CARELESS)
    return {
        "first digits of the values, farthest from Benford": (float(np.abs(found - benford).max()), 0.0, 0.02),
        "share of quantities in whole hundreds": (float((quantity % 100 == 0).mean()), 0.4, 0.8),
        "share of prices on five or ten cents": (float((cents % 5 == 0).mean()), 0.3, 0.5),
        "share of trades with the ten most frequent counterparties": (
            float(np.sort(np.bincount(result.arrays["counterparty"]))[-10:].sum() / len(kind)),
            0.2,
            0.6,
        ),
        "fees that are not booked": (float(np.isnan(fee).mean()), 0.01, 0.03),
        "breaks to a million cells": (float(1e6 * broken.sum() / value.size / len(FIELDS)), 95.0, 105.0),
        "share of breaks with ten careless counterparties": (float(careless[broken].mean()), 0.85, 0.95),
    }
