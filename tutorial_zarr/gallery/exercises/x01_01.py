"""The exercises of 01_01: what a selection touches, the smallest write, which chunks are absent."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right

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


def _names(shape: tuple[int, ...], chunks: tuple[int, ...]) -> list[str]:
    """The names of all chunks in row-major order, found by asking every index where it lives."""
    axes = [sorted({index // chunk for index in range(length)}) for length, chunk in zip(shape, chunks, strict=True)]
    return [".".join(map(str, place)) for place in itertools.product(*axes)]


def exercise_3(answer: Any) -> Verdict:
    """The function that names the chunks that are absent from a dictionary with a Zarr v2 array."""
    layouts = [
        ((4, 6), (2, 3)),
        ((5, 7), (2, 3)),
        ((7,), (2,)),
        ((3, 2, 5), (2, 2, 2)),
        ((30, 2), (2, 2)),
        ((0, 3), (2, 2)),
    ]
    cases, floors, backwards, letters = [], [], [], []
    for shape, chunks in layouts:
        names = _names(shape, chunks)
        store = dict.fromkeys(names[::2], b"chunk")
        store[".zarray"] = json.dumps({"shape": shape, "chunks": chunks}).encode()
        absent = [name for name in names if name not in store]
        whole = [
            name
            for name in absent
            if all(int(k) < n // c for k, n, c in zip(name.split("."), shape, chunks, strict=True))
        ]
        cases.append(((store,), absent))
        floors.append(((store,), whole))
        backwards.append(((store,), sorted(absent, key=lambda name: [int(k) for k in name.split(".")][::-1])))
        letters.append(((store,), sorted(absent)))
    said = on_cases(answer, cases)
    if said is None:
        return right(f"{len(cases)} arrays of one, two and three axes, chunks past the edge among them.")
    mistakes = {
        "chunks past the edge are missing from your list: 7 rows in chunks of 2 are 4 chunks. Round up.": floors,
        "the names are right, and their order is not: in row-major order the last number moves fastest.": backwards,
        "sorted as text, 10 comes before 2. Make the positions in order instead of sorting their names.": letters,
        "these are the chunks that are there. The absent ones are all the others.": [
            ((store,), sorted(set(store) - {".zarray"}, key=lambda name: [int(k) for k in name.split(".")]))
            for (store,), _ in cases
        ],
    }
    return not_yet(recognised(answer, mistakes) or said)


def _whole_chunks_only(store: dict[str, bytes]) -> list[str]:
    """A plausible mistake: what sticks out past the edge is forgotten."""
    document = json.loads(store[".zarray"])
    counts = [range(length // side) for length, side in zip(document["shape"], document["chunks"], strict=True)]
    names = (".".join(map(str, place)) for place in itertools.product(*counts))
    return [name for name in names if name not in store]


# One plausible wrong answer each.
WRONG = {"1": 2, "2": np.s_[0:200, 0:200], "3": _whole_chunks_only}
