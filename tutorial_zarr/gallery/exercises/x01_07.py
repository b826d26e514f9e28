"""The exercises of 01_07: rows written by appends, what a resize leaves, and a gap in a record."""

from __future__ import annotations

from typing import Any

import numpy as np

import tutorial_zarr as zarr
from data_gen import buoy
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.stores import TraceStore


def _whole(answer: Any) -> bool:
    return isinstance(answer, (int, np.integer)) and not isinstance(answer, bool)


def _pair(answer: Any) -> bool:
    return isinstance(answer, (tuple, list)) and len(answer) == 2 and all(map(_whole, answer))


def exercise_1(answer: Any) -> Verdict:
    """Rows written when 31 rows go into chunks of 10: one by one, and at once."""
    written = []
    for block in (1, 31):
        array = zarr.create_array({}, shape=(0,), chunks=(10,), dtype="u1", fill_value=255, compressors=None)
        trace = TraceStore(array.store)
        growing = zarr.open_array(trace, mode="r+")
        for start in range(0, 31, block):
            growing.append(np.arange(start, start + block, dtype="u1"))
        written.append(sum(r.nbytes or 0 for r in trace.requests if r.verb == "PUT" and r.key != "zarr.json"))
    if not _pair(answer):
        return not_yet(f"expected two whole numbers, found {answer!r}.")
    if list(answer) == written:
        return right(f"{written[0]} and {written[1]}, for 31 rows; the store counted the same.")
    if list(answer)[::-1] == written:
        return not_yet("the other way round: day by day first.")
    if answer[1] == 31:
        return not_yet("how many bytes has the last chunk, in which only one row is filled?")
    return not_yet("go through the days: which chunk does each one touch, and how many rows has it?")


def exercise_2(answer: Any) -> Verdict:
    """What rows 3 and 12 hold after shrinking from 20 to 5 and growing to 20."""
    array = zarr.create_array({}, data=np.full(20, 7, "i4"), chunks=(10,), fill_value=0)
    array.resize(5)
    array.resize(20)
    found = [int(array[3]), int(array[12])]
    if not _pair(answer):
        return not_yet(f"expected two whole numbers, found {answer!r}.")
    if list(answer) == found:
        return right(f"{found[0]} was kept; what was cut off reads as the fill value.")
    if answer[1] == 7:
        return not_yet("after resize(5) there are five rows. Where would the old row 12 be kept?")
    return not_yet("which of the two rows was in the array all the time?")


def exercise_3(answer: Any) -> Verdict:
    """How many half hours have no reading in the longest silence of the buoy."""
    time = buoy.make().arrays["time"]
    at = int(np.argmax(np.diff(time)))
    expected = set(range(int(time[at]), int(time[at + 1]), buoy.STEP))
    missing = len(expected - set(time.tolist()))
    if not _whole(answer):
        return not_yet(f"expected a whole number of half hours, found {answer!r}.")
    if answer == missing:
        return right(f"{missing} readings are missing, from {np.datetime64(int(time[at]), 's')} UTC on.")
    if answer == missing + 1:
        return not_yet("these are the steps between the two readings. How many readings lie between?")
    if answer == (missing + 1) // 2:
        return not_yet("these are hours.")
    return not_yet("find the largest step in the times, and lay half hours into it.")


# One plausible wrong answer each.
WRONG = {"1": (31, 31), "2": (7, 7), "3": 24}
