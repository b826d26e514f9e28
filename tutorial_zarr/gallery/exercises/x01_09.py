"""The exercises of 01_09: which part was made slow, what a cure brings, what a cache knows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.stores import CacheStore

PARTS = ("store", "codec", "you")


def _number(answer: Any) -> bool:
    return isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool) and math.isfinite(answer)


def exercise_1(answer: Any) -> Verdict:
    """The part that was made slow in each of the machines 6, 7 and 8, drawn as the notebook draws it."""
    planted = [PARTS[int(np.random.PCG64(machine).random_raw() % 3)] for machine in (6, 7, 8)]
    if not isinstance(answer, (list, tuple)) or len(answer) != 3 or not all(isinstance(part, str) for part in answer):
        return not_yet(f'expected a list of three of "store", "codec" and "you", found {answer!r}.')
    if list(answer) == planted:
        return right("each of them takes eight times what it takes in the healthy machine.")
    if unknown := [part for part in answer if part not in PARTS]:
        return not_yet(f'expected "store", "codec" or "you", found {unknown[0]!r}.')
    wrong = [machine for machine, (said, is_) in enumerate(zip(answer, planted, strict=True), 6) if said != is_]
    return not_yet(f"look at machine {wrong[0]} again: which bucket differs from the healthy machine, and by how much?")


def exercise_2(answer: Any) -> Verdict:
    """How many times as fast is a read of 10 s if the 3 s of its codec become a third?"""
    before, codec = 10.0, 3.0
    after = before - codec + codec / 3
    if not _number(answer):
        return not_yet(f"expected a factor, found {answer!r}.")
    if math.isclose(answer, before / after, abs_tol=0.005):
        return right(f"{before:.0f} seconds become {after:.0f}; {before / (before - codec):.2f} would be the most.")
    if math.isclose(answer, 3, abs_tol=0.005):
        return not_yet("three times as fast is the codec. What of the other 7 seconds?")
    if math.isclose(answer, after / before, abs_tol=0.005):
        return not_yet("that is the share of the time that is left. How many times as fast is it?")
    if math.isclose(answer, before / (before - codec), abs_tol=0.005):
        return not_yet("that would be a codec that takes no time at all.")
    return not_yet("how many seconds does the read take afterwards?")


def exercise_3(answer: Any) -> Verdict:
    """Chunks from the cache, for a window of 100 that slides along 1,000 values in steps of 50, in chunks of 100."""
    array = zarr.create_array({}, data=np.arange(1000, dtype="int32"), chunks=(100,))
    cache = CacheStore(array.store)
    opened = zarr.open_array(cache, mode="r")
    cache.clear()
    cache.hits = cache.misses = 0
    for start in range(0, 901, 50):
        opened[start : start + 100]
    if not _number(answer) or answer != int(answer):
        return not_yet(f"expected a whole number of chunks, found {answer!r}.")
    if answer == cache.hits:
        return right(f"{cache.hits + cache.misses} chunks are asked for, and {cache.misses} have to be fetched.")
    if answer == cache.misses:
        return not_yet("these are the chunks that come from the store.")
    if answer == cache.hits + cache.misses:
        return not_yet("these are all that the windows ask for. Which of them are asked for the first time?")
    return not_yet("how many chunks does a window touch that begins at 0, and one that begins at 50?")


# One plausible wrong answer each.
WRONG = {"1": ["store", "store", "store"], "2": 3.0, "3": 18 * 2 - 10}
