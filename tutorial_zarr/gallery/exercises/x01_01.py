"""The exercises of 01_01: what a selection touches, what a missing chunk reads as, the smallest write."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right

SHAPE, CHUNKS = (1000, 1000), (100, 100)


def touched(selection: tuple[slice, ...]) -> set[tuple[int, ...]]:
    """The chunks that a selection touches, found the slow way: by asking every element where it lives."""
    axes = [
        {index // chunk for index in range(length)[part]}
        for part, length, chunk in zip(selection, SHAPE, CHUNKS, strict=True)
    ]
    return set(itertools.product(*axes))


def exercise_1(answer: Any) -> Verdict:
    """How many chunks does a[95:105, 95:205] touch?"""
    rows, columns = slice(95, 105), slice(95, 205)
    chunks = touched((rows, columns))
    down, across = (len({coords[axis] for coords in chunks}) for axis in (0, 1))
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number of chunks, found {answer!r}.")
    if answer == len(chunks):
        return right(f"{down} rows of chunks times {across} columns of chunks; a window of {10 * 110:,} values.")
    if answer == 10 * 110:
        return not_yet("that is the number of values. Count the chunks that they lie in.")
    if answer == math.ceil(10 / 100) * math.ceil(110 / 100):
        return not_yet("that would do if the window began at the edge of a chunk. Where do rows 95 and 104 lie?")
    if answer == down + across:
        return not_yet("you have counted along both axes well. Every row of chunks meets every column: multiply.")
    return not_yet(
        "divide the first and last index of each axis by 100 and drop the remainder. Which chunks are these?"
    )


def exercise_2(answer: Any) -> Verdict:
    """What a[0, 0] reads, with fill_value=-1, after 7 was written everywhere and its chunk deleted."""
    array = zarr.create_array({}, shape=(4, 4), chunks=(2, 2), dtype="int32", fill_value=-1)
    array[:] = 7
    array.store.delete(array.chunk_key((0, 0)))
    value = array[0, 0]
    if isinstance(answer, (int, np.integer)) and answer == value:
        return right(f"an absent chunk reads as the fill value, here {value}, and no error is raised.")
    if isinstance(answer, (int, np.integer)) and answer == 7:
        return not_yet("7 was in the object that is gone. No other copy exists, so where could it come from?")
    if isinstance(answer, (int, np.integer)) and answer == 0:
        return not_yet("0 is the fill value of most arrays, but this one was created with another.")
    return not_yet("nothing is raised, and a number comes back. Which number stands in the metadata for this case?")


def exercise_3(answer: Any) -> Verdict:
    """The smallest selection of 1000 x 1000 in chunks of 100 x 100 whose writing makes 4 objects."""
    is_pair = isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(part, slice) for part in answer)
    if not is_pair:
        return not_yet(f"expected two slices, such as np.s_[0:10, 0:10], found {answer!r}.")
    chunks = touched(answer)
    values = math.prod(len(range(length)[part]) for part, length in zip(answer, SHAPE, strict=True))
    if len(chunks) != 4:
        return not_yet(f"that selection touches {len(chunks)} chunks and would leave as many objects.")
    array = zarr.create_array({}, shape=SHAPE, chunks=CHUNKS, dtype="uint8", compressors=None)
    array[answer] = 1
    # Four objects need a value in each of four chunks; no selection can do with fewer values than objects.
    if values > array.nchunks_initialized:
        return not_yet(f"{array.nchunks_initialized} objects, yes, but it writes {values:,} values. Fewer will do.")
    return right(f"{values} values leave {array.nchunks_initialized} objects: one on each side of a corner.")


# One plausible wrong answer each.
WRONG = {"1": 2, "2": 7, "3": np.s_[0:200, 0:200]}
