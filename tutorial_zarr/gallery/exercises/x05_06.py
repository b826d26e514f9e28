"""The exercises of 05_06: a Sharpe ratio, chunks that change, and the first day on which a feature knows the future."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right


def _number(answer: Any) -> float | None:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.integer, np.floating)):
        return None
    return float(answer)


def exercise_1(answer: Any) -> Verdict:
    """The Sharpe ratio of a year, from the mean and the standard deviation of a day in per cent."""
    found, mean, deviation = _number(answer), 0.05, 1.2
    wanted = 252 * mean / (deviation * math.sqrt(252))
    if found is None:
        return not_yet(f"expected a number such as 1.5, found {answer!r}.")
    if abs(found - wanted) < 0.006:
        return right(f"{wanted:.3f}.")
    if abs(found - mean / deviation) < 0.006:
        return not_yet("that is the ratio for one day.")
    if abs(found - 252 * mean / deviation) < 0.06:
        return not_yet("the standard deviation of a year is larger than that of a day as well.")
    return not_yet("a year's mean is 252 times a day's. What is a year's standard deviation?")


def exercise_2(answer: Any) -> Verdict:
    """Chunks that change when all runs grow by ten days and one run is made again."""
    found, old, new = _number(answer), 3270, 3280
    touched = {(run, day // 512) for run in range(24) for day in range(old, new)}
    touched |= {(5, day // 512) for day in range(new)}
    if found is None:
        return not_yet(f"expected a number of chunks, found {answer!r}.")
    if found == len(touched):
        return right(f"{len(touched)}: the last chunk of each run, and six more of one.")
    if found == len(touched) + 1:
        return not_yet("the last chunk of the changed run is counted twice.")
    if found == 24 * 7:
        return not_yet("a chunk changes if one of its values does; ten new days lie in the last chunk.")
    return not_yet("how many chunks has a run, and into which of them do ten more days go?")


class Feature:
    """A feature that an answer may call, and that a sentence can name."""

    def __init__(self, name: str, compute: Callable[[list[float]], list[float]]) -> None:
        self.name, self.compute = name, compute

    def __call__(self, prices: list[float]) -> list[float]:
        return self.compute(list(prices))

    def __repr__(self) -> str:
        return f"the feature {self.name!r}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _features() -> dict[str, Feature]:
    """Features that know the future, and some that do not."""
    nan = math.nan
    made: dict[str, Callable[[list[float]], list[float]]] = {
        "change": lambda p: [nan, *(b - a for a, b in itertools.pairwise(p))],
        "mean so far": lambda p: [_mean(p[: t + 1]) for t in range(len(p))],
        "three days": lambda p: [_mean(p[t - 2 : t + 1]) if t > 1 else nan for t in range(len(p))],
        "tomorrow": lambda p: [*p[1:], nan],
        "mean of all": lambda p: [x - _mean(p) for x in p],
        "centred": lambda p: [_mean(p[t - 1 : t + 2]) if 0 < t < len(p) - 1 else nan for t in range(len(p))],
        "late": lambda p: [x if t < 6 else x / p[-1] for t, x in enumerate(p)],
        "one day": lambda p: [p[t + 2] if t == 4 and len(p) > 6 else x for t, x in enumerate(p)],
    }
    return {name: Feature(name, compute) for name, compute in made.items()}


def _first(feature: Feature, prices: list[float]) -> int | None:
    whole = feature(prices)
    for t in range(len(prices)):
        known = feature(prices[: t + 1])[t]
        if not (known == whole[t] or math.isclose(known, whole[t]) or (math.isnan(known) and math.isnan(whole[t]))):
            return t
    return None


def exercise_3(answer: Any) -> Verdict:
    """A function (feature, prices) -> the first day on which the feature knows the future, or None."""
    prices = [10.0, 11.0, 9.0, 12.0, 13.0, 8.0, 14.0, 15.0, 7.0, 16.0]
    made = _features()
    cases = [((feature, prices), _first(feature, prices)) for feature in made.values()]
    cases.append(((made["tomorrow"], []), None))

    def same(found: Any, wanted: Any) -> bool:
        return found is None if wanted is None else _number(found) == wanted

    fault = on_cases(answer, cases, same=same)
    if fault is None:
        return right(f"{len(made)} features; one of them leaks on a single day.")
    if not callable(answer):
        return not_yet(fault)

    def typical(leak: Callable[[Feature, list[float]], Any], names: tuple[str, ...]) -> list[Any]:
        return [((made[name], prices), leak(made[name], prices)) for name in names]

    mistakes = {
        "NaN differs from NaN in Python: two missing values are the same here.": typical(
            lambda f, p: 0, ("change", "three days")
        ),
        "one day at the end is not enough: a leak may show on earlier days alone.": typical(
            lambda f, p: None, ("tomorrow", "mean of all", "one day")
        )
        + typical(_first, ("change", "mean so far")),
        "as of day t the price of day t is known: prices[: t + 1].": [((made["mean so far"], prices), 1)],
    }
    told = None if _always_none(answer, made["tomorrow"], prices) else recognised(answer, mistakes)
    return not_yet(f"{told} {fault[0].upper()}{fault[1:]}" if told else fault)


def _always_none(function: Callable[..., Any], feature: Feature, prices: list[float]) -> bool:
    """Whether it is the function with the three dots, which never looks at the feature."""
    asked = []

    def noted(prices: list[float]) -> list[float]:
        asked.append(len(prices))
        return feature(prices)

    try:
        function(Feature("asked", noted), prices)
    except Exception:  # a student's function may raise anything
        return False
    return not asked


def _last_day_alone(feature: Feature, prices: list[float]) -> int | None:
    """Looks at the last day only, on which everything is known."""
    if not prices:
        return None
    known, whole = feature(prices)[-1], feature(prices)[-1]
    return None if known == whole or math.isnan(known) else len(prices) - 1


# One plausible wrong answer each.
WRONG = {"1": 10.5, "2": 31, "3": _last_day_alone}
