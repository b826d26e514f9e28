"""The exercises of 02_03: a coordinate that makes dates, attributes that JSON takes, the nearest longitude."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from data_gen import climate
from tutorial_zarr.api import create_group
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right
from tutorial_zarr.group import Group

DAYS, FIRST, ASKED = 60, np.datetime64("2024-02-01"), np.datetime64("2024-03-01")


def rain_gauge() -> Group:
    """A group that holds the rain of 60 days, and does not say which days they were."""
    group = create_group({}, zarr_format=3)
    group.create_array("rain", data=np.arange(DAYS) % 7 * 0.5, dimension_names=["time"], attributes={"units": "mm"})
    return group


def _dates(array: Array) -> np.ndarray | None:
    """The values of a coordinate as dates, by CF's rule; None where they have no unit of time."""
    values = array[...]
    if values.dtype.kind == "M":
        return values.astype("M8[s]")
    unit = re.fullmatch(r"(day|hour|minute|second)s? since (\d{4}-\d\d-\d\d).*", str(array.attrs.get("units")))
    if unit is None or values.dtype.kind not in "iuf":
        return None
    seconds = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}[unit[1]]
    return np.datetime64(unit[2], "s") + (values.astype("f8") * seconds).round().astype("i8").astype("m8[s]")


def exercise_1(answer: Any) -> Verdict:
    """A group in which the axis `time` has a coordinate of 60 dates."""
    if not isinstance(answer, Group) or "rain" not in answer:
        return not_yet(f"expected the group gauge, with an array more, found {answer!r}.")
    try:
        time = answer.get("time")
        if not isinstance(time, Array):
            names = ", ".join(sorted(answer.keys()))
            return not_yet(f"the axis is called time. Of what name must its coordinate be? The group holds {names}.")
        if time.shape != (DAYS,) or time.dimension_names != ("time",):
            return not_yet(
                f"time has the shape {time.shape} and the axes {time.dimension_names}; it needs one value for each of "
                "the 60 days, along the axis time."
            )
        dates = _dates(time)
    except ZarrError as error:
        return not_yet(f"the group could not be read: {error}.")
    if dates is None:
        return not_yet('xarray would see numbers, not dates. An attribute must say "days since" which day.')
    expected = FIRST + np.arange(DAYS)
    if not np.array_equal(dates.astype("M8[D]"), expected):
        return not_yet(f"the first and last day are {dates[0]} and {dates[-1]}; the gauge began on {FIRST}.")
    index = int(np.flatnonzero(expected == ASKED)[0])
    return right(f"{ASKED} is the day with index {index}: February had 29 days in 2024.")


def exercise_2(answer: Any) -> Verdict:
    """The attributes, as strict JSON holds them."""
    if not isinstance(answer, dict):
        return not_yet(f"expected a dict of attributes, found {answer!r}.")
    try:
        back = json.loads(json.dumps(answer, allow_nan=False))
    except (TypeError, ValueError) as error:
        return not_yet(f"JSON does not take it yet: {error}.")
    data = climate.make().arrays
    warmest, ends = float(data["air_temperature"].max()), [int(data["year"][0]), int(data["year"][-1])]
    if back.get("units") != "K":
        return not_yet('the unit was fine as it was: "units": "K".')
    found = back.get("warmest")
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return not_yet(f"warmest is to stay a number that one can compare with, found {found!r}.")
    if not math.isclose(found, warmest, abs_tol=0.01):
        return not_yet(f"warmest was {warmest:.2f}, found {found}.")
    if back.get("years") != ends:
        return not_yet(f"years is to be a list of two whole numbers, found {back.get('years')!r}.")
    if isinstance(back.get("uncertainty"), (int, float)):
        return not_yet("the uncertainty is not known; a number would claim that it is.")
    return right("numbers as numbers, a list as a list, and nothing where nothing is known.")


def _nearest(values: np.ndarray, east: float) -> int:
    """The index of the nearest longitude, by the angle between directions."""
    apart = [abs(math.remainder(value - east, 360.0)) for value in values.tolist()]
    return apart.index(min(apart))


GLOBE = np.arange(0.0, 360.0, 2.5)
LONGITUDES: list[tuple[np.ndarray, float]] = [
    (GLOBE, 90.0),
    (GLOBE, 359.0),
    (GLOBE, -93.25),
    (GLOBE, 361.0),
    (GLOBE - 180.0, 266.75),
    (GLOBE - 180.0, 181.0),
    (GLOBE[::-1], 359.5),
    (np.array([225.0, 226.875, 228.75]), 100.0),
    (np.array([10.0, 350.0]), 0.0),
    (np.array([350.0, 10.0]), 0.0),
    (np.array([45.0]), -300.0),
]
MISTAKES: list[tuple[Callable[[np.ndarray, float], int], str]] = [
    (
        lambda values, east: int(np.argmin(np.abs(values - east))),
        "it still looks for -93.25 and for 359 on a line. How far apart are 359 and 0 on a globe?",
    ),
    (
        lambda values, east: int(np.argmin(np.abs(values % 360 - east % 360))),
        "now -93.25 is found, and 359 is still far from 0: it is one degree westwards, not 359 eastwards.",
    ),
    (
        lambda values, east: int(np.argmin((values - east) % 360)),
        "that finds the next longitude to the east. It may be nearer westwards.",
    ),
    (
        lambda values, east: len(values) - 1 - _nearest(values[::-1], east),
        "where two are as near, the first one is wanted.",
    ),
]


def exercise_3(answer: Any) -> Verdict:
    """A function that finds the nearest longitude on a globe."""
    if made := recognised(
        answer, {words: [(case, mistake(*case)) for case in LONGITUDES] for mistake, words in MISTAKES}
    ):
        return not_yet(made)
    if wrong := on_cases(answer, [(case, _nearest(*case)) for case in LONGITUDES]):
        return not_yet(wrong)
    return right(f"{len(LONGITUDES)} grids, from 0 to 360 and from -180 to 180, upwards and downwards.")


def _misnamed() -> Group:
    """The right dates under a name that is not the axis's."""
    group = rain_gauge()
    since = {"units": "days since 2024-02-01"}
    group.create_array("dates", data=np.arange(DAYS), dimension_names=["time"], attributes=since)
    return group


# One plausible wrong answer each.
WRONG = {"1": _misnamed(), "2": {"units": "K", "warmest": "304.5", "years": "[1860 2099]"}, "3": MISTAKES[0][0]}
