"""The exercises of 06_03: the requests of a day of appends, the cheapest chunk, and the rule of the base fee."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data_gen.mempool import next_base_fee
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def exercise_1(answer: Any) -> Verdict:
    """PUT requests of a day with an append every three seconds that never touches two chunks."""
    appends = 24 * 3600 // 3
    chunks = appends * 50 // 1000
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of requests, found {answer!r}.")
    if answer == 2 * appends:
        return right(f"{appends:,} appends, each with a chunk and the metadata, for {chunks:,} chunks in the end.")
    if answer == appends:
        return not_yet("that is one for each append. An append makes the array longer; where does its length stand?")
    if answer in (chunks, chunks + appends):
        return not_yet("the last chunk is written again in each append, until it is full.")
    return not_yet("how many appends are there in a day, and what does each of them write?")


def exercise_2(answer: Any) -> Verdict:
    """The chunk size at which one array is cheapest, found by trying them all."""
    sizes = np.arange(100, 50_000, dtype=float)
    cheapest = float(sizes[np.argmin((2 * 5e-6 + 100 * 0.4e-6) / sizes + 0.02e-9 * 10 * sizes / 400)])
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return not_yet(f"expected a number of events, found {answer!r}.")
    if not 0 < answer < 1e12:
        return not_yet("expected a number of events, positive and not beyond all bounds.")
    found = float(answer)
    if abs(found / cheapest - 1) < 0.01:
        return right(f"{cheapest:,.0f} events, the cheapest of all sizes from 100 to 50,000.")
    if abs(found / cheapest**2 - 1) < 0.02:
        return not_yet("that is its square.")
    if abs(found / math.sqrt(400 * 2 * 5e-6 / (0.02e-9 * 10)) - 1) < 0.02:
        return not_yet("that is for the writer alone. Everything is read a hundred times.")
    return not_yet("put the numbers into the square root in `best_chunk`. A gigabyte is 1e9 bytes.")


GWEI = 10**9
CASES: list[tuple[Any, ...]] = [
    (GWEI, 30_025_257, 15_014_561),  # the first block after London
    (GWEI, 15_000_000, 15_000_000),
    (GWEI, 30_000_000, 15_000_000),
    (GWEI, 0, 15_000_000),
    (7, 14_999_999, 15_000_000),  # a change of less than one wei, down
    (7, 15_000_001, 15_000_000),  # and up: at least one
    (1_000_000_007, 14_000_000, 15_000_000),
    (np.int64(800 * GWEI), np.int64(30_000_000), np.int64(15_000_000)),
]


def exercise_3(answer: Any) -> Verdict:
    """The rule of the base fee, with fees whose product with the gas does not fit into 64 bits."""
    cases = [(case, next_base_fee(*map(int, case))) for case in CASES]
    with np.errstate(over="ignore"):
        wrong = on_cases(answer, cases, lambda found, wanted: found == wanted and float(found).is_integer())
        if wrong is None:
            return right(f"{len(CASES)} blocks to the wei, the first after London and a fee of 800 gwei among them.")
        small = on_cases(answer, cases[:-1]) is None
        found = recognised(
            answer,
            {
                "below the target the change is rounded towards zero, not the fee: make the difference positive.": [
                    (case, base + base * (used - target) // target // 8)
                    for case in (CASES[4], CASES[6])
                    for base, used, target in [case]
                ],
                "above the target the fee must rise by at least 1 wei.": [(CASES[5], 7)],
            },
        )
    if small:
        return not_yet("right for small fees; with np.int64 the product of fee and gas wraps. Begin with `int(base)`.")
    return not_yet(found or wrong)


def _rounded_down(base: int, used: int, target: int) -> int:
    return base + base * (used - target) // target // 8


# One plausible wrong answer each.
WRONG = {"1": 28_800, "2": 4_472, "3": _rounded_down}
