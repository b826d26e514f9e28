"""The exercises of 03_02: attempts on average, attempts that are enough, and a store with three damaged values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tutorial_zarr.api import create_array
from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
from tutorial_zarr.stores import MemoryStore


def _number(answer: Any) -> float | None:
    """The answer as a finite number; None for anything else."""
    is_number = isinstance(answer, (int, float, np.integer, np.floating)) and not isinstance(answer, bool)
    return float(answer) if is_number and math.isfinite(answer) else None


def sound_store() -> MemoryStore:
    """64 chunks, each with a checksum."""
    store = MemoryStore()
    row, column = np.ogrid[:32, :32]
    array = create_array(store, shape=(32, 32), chunks=(4, 4), dtype="int32", compressors="crc32c", zarr_format=3)
    array[...] = 1000 * row + column
    return store


def damaged_store() -> MemoryStore:
    """The same, of which three values are damaged, each in its own way."""
    store = sound_store()
    keys = [key for key in store.list_prefix() if key[-1].isdigit()]
    keys = [keys.pop(draw % len(keys)) for draw in np.random.PCG64(302).random_raw(3).tolist()]
    turned, torn, zeroed = (bytes(store.get(key)) for key in keys)
    store.set(keys[0], turned[:20] + bytes([turned[20] ^ 4]) + turned[21:])
    store.set(keys[1], torn[: len(torn) // 2])
    store.set(keys[2], bytes(len(zeroed)))
    return store


def exercise_1(answer: Any) -> Verdict:
    """Attempts on average, if each fails with probability 1/4."""
    number = _number(answer)
    if number is None:
        return not_yet(f"expected a number of attempts, found {answer!r}.")
    mean = sum(k * 0.25 ** (k - 1) * 0.75 for k in range(1, 100))  # attempt k is made, and is the last
    if abs(number - mean) < 0.005:
        return right(f"{mean:.3f}: of 1,000 requests 250 are made again, 62 of these a third time, and so on.")
    if number == 1.25:
        return not_yet("the second attempt fails as well, now and then.")
    return not_yet("sum over k: the attempt k is made if all before it failed.")


def exercise_2(answer: Any) -> Verdict:
    """The fewest attempts with which all of 256 chunks are written, but for one run in a million."""
    number = _number(answer)
    if number is None or number != int(number) or not 1 <= number <= 1000:
        return not_yet(f"expected a whole number of attempts, found {answer!r}.")

    def some_fail(k: int) -> float:
        return -math.expm1(256 * math.log1p(-(0.1**k)))

    k = int(number)
    if some_fail(k) > 1e-6:
        return not_yet(f"with {k} attempts one run in {1 / some_fail(k):,.0f} misses a chunk.")
    if some_fail(k - 1) <= 1e-6:
        return not_yet(f"that is enough, and {k - 1} are as well.")
    return right(f"with {k} attempts one run in {1 / some_fail(k):,.0f} misses a chunk.")


def exercise_3(answer: Any) -> Verdict:
    """The keys of the three values that are not as they were."""
    if not isinstance(answer, (list, tuple, set, frozenset)) or not all(isinstance(key, str) for key in answer):
        return not_yet(f"expected a list of three keys, found {answer!r}.")
    sound, damaged = sound_store(), damaged_store()
    wrong = {key for key in sound.list_prefix() if bytes(sound.get(key)) != bytes(damaged.get(key))}
    given = set(answer)
    if given == wrong:
        return right(f"{', '.join(sorted(wrong))}; all else is as it was written.")
    return not_yet(
        f"{len(given & wrong)} of the {len(wrong)} are among yours, and {len(given - wrong)} that are sound."
    )


# One plausible wrong answer each.
WRONG = {"1": 1.25, "2": 6, "3": ["c/0/0", "c/1/1", "c/2/2"]}
