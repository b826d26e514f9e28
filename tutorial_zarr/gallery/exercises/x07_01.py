"""The exercises of 07_01: what forgetting the weights costs, requests for a region, the year above two kelvin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data_gen import climate
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right

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


# One plausible wrong answer each.
WRONG = {"1": 0.0, "2": (30, 1, 1), "3": 2023}
