"""The exercises of 03_02: attempts on average, attempts that are enough, three damaged values, a retry to repair."""

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


class _TooMany(BaseException):
    """Ends a loop that asks for ever, and is no error that an `except Exception` would catch."""


def _told(persist: Any, outcomes: list[Any], attempts: int) -> tuple[str, int, list[Any]]:
    """What `persist` ends with, how often it called and what it waited for; `outcomes` are errors, then results."""
    calls = 0
    waits: list[Any] = []

    def call() -> Any:
        nonlocal calls
        calls += 1
        if calls > 100:
            raise _TooMany
        outcome = outcomes[min(calls, len(outcomes)) - 1]
        if isinstance(outcome, type) and issubclass(outcome, Exception):
            raise outcome("planted")
        return outcome

    try:
        end = f"returns {persist(call, attempts, waits.append)!r}"
    except _TooMany:
        end = "asks more than 100 times"
    except Exception as error:  # the planted ones, and any of the student's
        end = f"raises {type(error).__name__}" + ("" if error.args == ("planted",) else f" ({error})")
    return end, calls, waits


def exercise_4(answer: Any) -> Verdict:
    """A function that asks again where that helps, as often as is allowed."""
    if not callable(answer):
        return not_yet(f"expected a function persist(call, attempts, wait), found {answer!r}.")
    late, lost = TimeoutError, ConnectionResetError
    cases: list[tuple[list[Any], int, str, int]] = [  # outcomes, attempts; what it ends with, calls
        ([7], 3, "returns 7", 1),
        ([late, 7], 3, "returns 7", 2),
        ([lost, late, None], 3, "returns None", 3),
        ([late, late, late, 0], 4, "returns 0", 4),
        ([late, lost, lost, 7], 3, "raises ConnectionResetError", 3),
        ([late, 7], 1, "raises TimeoutError", 1),
        ([PermissionError, 7], 3, "raises PermissionError", 1),
        ([late, KeyError, 7], 5, "raises KeyError", 2),
    ]
    for outcomes, attempts, end, made in cases:
        found = _told(answer, outcomes, attempts)
        story = " then ".join(one.__name__ if isinstance(one, type) else f"the result {one!r}" for one in outcomes)
        story = f"with {story}, and {attempts} attempts, it"
        if end.startswith("raises") and found[0] == "returns None":
            return not_yet(f"{story} returns None, and the caller takes that for success. Let the error go to it.")
        if found[0] != end and end in ("raises PermissionError", "raises KeyError"):
            return not_yet(f"{story} {found[0]}. That error stays however often you ask: let it go to the caller.")
        if found[0] != end:
            return not_yet(f"{story} {found[0]}; wanted is that it {end}.")
        if found[1] != made:
            return not_yet(f"{story} calls {found[1]} times; wanted is {made}.")
        if found[2] != list(range(1, made)):
            return not_yet(f"{story} waits {found[2]}; wanted is {list(range(1, made))}: only between two attempts.")
    return right("it asks again where that can help, waits between attempts alone, and hides no error.")


def careless(call: Any, attempts: int, wait: Any) -> Any:
    """What the exercise has to be repaired of: it catches everything, waits after the last, and says nothing."""
    for k in range(attempts):
        try:
            return call()
        except Exception:
            wait(k)
    return None


# One plausible wrong answer each.
WRONG = {"1": 1.25, "2": 6, "3": ["c/0/0", "c/1/1", "c/2/2"], "4": careless}
