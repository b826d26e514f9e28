"""The exercises of 07_01: forgotten weights, requests for a region, the year above two kelvin, a moving window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from data_gen import climate
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

WINDOW, RUNNING = 30, 11  # years


def _number(answer: Any) -> float | None:
    """The answer as a number, or None where it is something else."""
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return float(answer) if is_number and math.isfinite(answer) else None


def _region(weighted: bool) -> list[float]:
    """The mean of the region in each year under A1B."""
    data = climate.make().arrays
    rows = [math.cos(math.radians(latitude)) if weighted else 1.0 for latitude in data["latitude"]]
    by_row = data["air_temperature"][0].astype(np.float64).mean(axis=2)
    return [math.fsum(w * t for w, t in zip(rows, year, strict=True)) / math.fsum(rows) for year in by_row.tolist()]


def _warming(yearly: list[float]) -> float:
    return (math.fsum(yearly[-WINDOW:]) - math.fsum(yearly[:WINDOW])) / WINDOW


def exercise_1(answer: Any) -> Verdict:
    """By how many kelvin the unweighted warming of A1B is too high."""
    plain, weighted = _warming(_region(False)), _warming(_region(True))
    found = _number(answer)
    if found is None:
        return not_yet(f"expected a number of kelvin, found {answer!r}.")
    if abs(found - (plain - weighted)) < 0.002:
        return right(f"{plain:.3f} K instead of {weighted:.3f}: {plain - weighted:.3f} K too much.")
    if abs(found + (plain - weighted)) < 0.002:
        return not_yet("the size is right; which of the two is larger?")
    if abs(found - plain) < 0.002:
        return not_yet("that is the warming without weights. How much more is it than the one with weights?")
    return not_yet("take the warming of cube.mean(axis=(2, 3)), scenario 0, and subtract the weighted one.")


def exercise_2(answer: Any) -> Verdict:
    """Requests for rows 10 to 17, columns 20 to 27 and the years 1990 to 2019, in three layouts."""
    given = isinstance(answer, (tuple, list)) and len(answer) == 3
    numbers = [_number(value) for value in answer] if given else []
    if not given or None in numbers:
        return not_yet(f"expected three numbers of requests, such as (1, 2, 3), found {answer!r}.")
    box = (range(130, 160), range(10, 18), range(20, 28))  # the first year is 1860
    layouts = {"maps": (1, 37, 49), "series": (240, 8, 8), "between": (60, 16, 16)}
    words = []
    for (name, chunk), found in zip(layouts.items(), numbers, strict=True):
        axes = [{index // n for index in axis} for axis, n in zip(box, chunk, strict=True)]
        if found != math.prod(map(len, axes)):
            return not_yet(f"in {name} it is not {found:g}. Which chunks of {chunk} hold the first and last row?")
        words.append(" x ".join(str(len(axis)) for axis in axes))
    return right(f"years x rows x columns: {', '.join(words)}. Eight rows are one chunk only where they begin with it.")


def exercise_3(answer: Any) -> Verdict:
    """The first year whose mean of eleven is more than 2 K above the first thirty years."""
    yearly = _region(True)
    base = math.fsum(yearly[:WINDOW]) / WINDOW
    above = [year - base for year in yearly]
    half = RUNNING // 2
    means = {1860 + i: math.fsum(above[i - half : i + half + 1]) / RUNNING for i in range(half, len(above) - half)}
    first = min(year for year, value in means.items() if value > 2)
    found = _number(answer)
    if found is None:
        return not_yet(f"expected a year, found {answer!r}.")
    if found == first:
        return right(f"{first}, with {means[first]:.3f} K; the year before has {means[first - 1]:.3f}.")
    if found == 1860 + next(i for i, value in enumerate(above) if value > 2):
        return not_yet("that is the first single year. A warm year is weather; take the means of eleven.")
    if found in (first - half, first + half):
        return not_yet("that is the first or the last of the eleven years. Give their middle.")
    if found not in means:
        return not_yet("there are means of eleven years from 1865 to 2094.")
    return not_yet(
        f"the eleven years around {found:.0f} are {means[int(found)]:+.3f} K above; look for the first above 2."
    )


Chunks = list[list[float]]


def _moving(series: list[float], length: int) -> list[float]:
    return [math.fsum(series[end - length : end]) / length for end in range(length, len(series) + 1)]


def exercise_4(answer: Any) -> Verdict:
    """A function that gives the means of a moving window over a series that comes in chunks."""
    drawn = [float(value % 100) for value in np.random.PCG64(701).random_raw(24).tolist()]
    cases: list[tuple[Chunks, int]] = [
        *(([[1.0, 2.0, 3.0, 4.0]], 2), ([[1.0, 2.0], [3.0, 4.0]], 2), ([[3.0, 5.0, 4.0], [8.0]], 1)),
        *(([[1.0], [2.0], [6.0]], 3), ([[1.0, 2.0], [], [3.0]], 2), ([[1.0], [2.0]], 3), ([], 2)),
    ]
    cases += [([drawn[:n], drawn[n : n + 2], drawn[n + 2 :]], length) for n in (1, 3, 8) for length in (2, 5, 11)]
    whole = [list(itertools.chain(*chunks)) for chunks, _ in cases]
    fault = on_cases(answer, [(case, _moving(series, case[1])) for case, series in zip(cases, whole, strict=True)])
    if fault is None:
        return right("each window once, wherever the series was cut.")
    if not callable(answer):
        return not_yet(fault)

    def one_before(chunks: Chunks, length: int) -> list[float]:
        pairs = zip([[], *chunks], chunks, strict=False)
        return [
            mean for kept, chunk in pairs for mean in _moving([*kept[max(0, len(kept) - length + 1) :], *chunk], length)
        ]

    def shrinking(chunks: Chunks, length: int) -> list[float]:
        series = list(itertools.chain(*chunks))
        return [
            math.fsum(part) / len(part)
            for end in range(len(series))
            if (part := series[max(0, end + 1 - length) : end + 1])
        ]

    mistakes: dict[str, Callable[[Chunks, int], list[float]]] = {
        "the windows that lie across two chunks are missing.": within_chunks,
        "a chunk may be shorter than the window, which then begins in the chunk before the last.": one_before,
        "the first windows are not full yet; begin with the one that is.": shrinking,
    }
    made = recognised(
        answer, {words: [(case, mistake(*case)) for case in cases] for words, mistake in mistakes.items()}
    )
    return not_yet(f"{made} {fault[0].upper()}{fault[1:]}" if made else fault)


def within_chunks(chunks: Chunks, length: int) -> list[float]:
    """What a reader may write first: the windows of each chunk, and none that lies across two."""
    return [mean for chunk in chunks for mean in _moving(chunk, length)]


# One plausible wrong answer each.
WRONG = {"1": 0.0, "2": (30, 1, 1), "3": 2023, "4": within_chunks}
