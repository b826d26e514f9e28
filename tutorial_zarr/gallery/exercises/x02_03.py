"""The exercises of 02_03: a coordinate that makes dates, attributes that JSON takes, a list among many."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from data_gen import climate
from tutorial_zarr.api import create_group
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.group import Group

DAYS, FIRST, ASKED = 60, np.datetime64("2024-02-01"), np.datetime64("2024-03-01")
ITEM = 7


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
        return not_yet(f"warmest shall stay a number that one can compare with, found {found!r}.")
    if not math.isclose(found, warmest, abs_tol=0.01):
        return not_yet(f"warmest was {warmest:.2f}, found {found}.")
    if back.get("years") != ends:
        return not_yet(f"years shall be a list of two whole numbers, found {back.get('years')!r}.")
    if isinstance(back.get("uncertainty"), (int, float)):
        return not_yet("the uncertainty is not known; a number would claim that it is.")
    return right("numbers as numbers, a list as a list, and nothing where nothing is known.")


def _records() -> list[list[int]]:
    """For each latitude under A1B the years that were warmer than all before."""
    data = climate.make().arrays
    found = []
    for row in range(len(data["latitude"])):
        best, years = math.inf, []
        for year, values in zip(data["year"].tolist(), data["air_temperature"][0, :, row].tolist(), strict=True):
            mean = round(math.fsum(values) / len(values), 6)
            if best == math.inf:
                best = mean
            elif mean > best:
                best = mean
                years.append(year)
        found.append(years)
    return found


def exercise_3(answer: Any) -> Verdict:
    """The record years of the latitude with index 7."""
    whole = isinstance(answer, (list, tuple, np.ndarray)) and all(
        isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in np.ravel(answer).tolist()
    )
    if not whole or np.ndim(answer) != 1 or not len(answer):
        return not_yet(f"expected a list of years, found {answer!r}.")
    lists, given = _records(), [int(year) for year in answer]
    if given == lists[ITEM]:
        return right(f"{len(given)} years, from {given[0]} to {given[-1]}.")
    if given in lists:
        return not_yet(f"that is the list with index {lists.index(given)}. The first has index 0.")
    if given[: len(lists[ITEM])] == lists[ITEM] or lists[ITEM][: len(given)] == given:
        return not_yet(f"it begins well, and has {len(given)} years where {len(lists[ITEM])} are expected.")
    return not_yet("take record_year from record_offset[7] up to record_offset[8].")


def _misnamed() -> Group:
    """The right dates under a name that is not the axis's."""
    group = rain_gauge()
    since = {"units": "days since 2024-02-01"}
    group.create_array("dates", data=np.arange(DAYS), dimension_names=["time"], attributes=since)
    return group


# One plausible wrong answer each.
WRONG = {"1": _misnamed(), "2": {"units": "K", "warmest": "304.5", "years": "[1860 2099]"}, "3": [1861, 1862, 1863]}
