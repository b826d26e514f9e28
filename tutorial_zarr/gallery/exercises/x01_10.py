"""The exercises of 01_10: zigzag, the limit of a careless codec, a list of keys to repair."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, recognised, right
from tutorial_zarr.stores import MemoryStore

KEYS = ("a/x", "a/y/1", "a0", "a-b", "A/z", "b/a")


def exercise_1(answer: Any) -> Verdict:
    """What zigzag makes of -3."""
    order = [0]
    for n in count(1):
        order += [-n, n]
        if -3 in order:
            break
    folded = order.index(-3)
    if isinstance(answer, bool) or not isinstance(answer, (int, np.integer)):
        return not_yet(f"expected a whole number, found {answer!r}.")
    if answer == folded:
        return right(f"{folded}: negative numbers become odd ones, the others even ones.")
    if answer == order.index(3):
        return not_yet("that is where 3 goes. -3 comes just before it.")
    return not_yet("write the list down: 0, -1, 1, -2, 2, ... At which place is -3, counting from 0?")


def exercise_2(answer: Any) -> Verdict:
    """The highest price in whole cents that fits int32."""
    highest = int(np.iinfo(np.int32).max) / 100
    if isinstance(answer, bool) or not isinstance(answer, (int, float, np.number)):
        return not_yet(f"expected a price, found {answer!r}.")
    if math.isclose(float(answer), highest, rel_tol=0, abs_tol=0.001):
        return right(f"{highest:,.2f}; one cent more, and it is read as a negative price.")
    if math.isclose(float(answer), highest * 100, rel_tol=1e-9):
        return not_yet("that is in ticks. How many dollars are they?")
    if math.isclose(float(answer), 2 * highest, rel_tol=1e-6):
        return not_yet("int32 has a sign. How much is left for the number?")
    return not_yet("how many ticks does an int32 hold at most?")


LISTED = [
    (list(KEYS), "a"),
    (list(KEYS), ""),
    (list(KEYS), "b"),
    (list(KEYS), "c"),
    ([], "a"),
    (["a", "a/b/c", "a/b", "ab/c", "b/a/b/c"], "a/b"),
    (["x_1/c", "xy1/c", "x_1", "x_1/a", "X_1/b"], "x_1"),
    (["zarr.json", "c/0", "c/10", "c/2"], ""),
]


def _below(keys: list[str], prefix: str) -> list[str]:
    """What the library lists."""
    return sorted(MemoryStore(dict.fromkeys(keys, b"")).list_prefix(prefix))


MISTAKES: list[tuple[Callable[[list[str], str], list[str]], str]] = [
    (
        lambda keys, prefix: sorted(key for key in keys if key.startswith(prefix)),
        "a0 and a-b begin with an a, and do not lie below it. Where does a prefix end?",
    ),
    (
        lambda keys, prefix: sorted(key for key in keys if key.startswith(prefix + "/")),
        "below the empty prefix lies everything, and no key begins with a slash.",
    ),
    (
        lambda keys, prefix: sorted(key for key in keys if not prefix or key.lower().startswith(prefix.lower() + "/")),
        "A/z does not lie below a: keys tell large letters from small ones.",
    ),
    (
        lambda keys, prefix: sorted(key for key in keys if not prefix or prefix + "/" in key),
        "a key lies below the prefix if it begins with it; in b/a/b/c it stands later.",
    ),
    (
        lambda keys, prefix: [key for key in keys if not prefix or key.startswith(prefix + "/")],
        "these are the right keys, and they are to be in order.",
    ),
]


def exercise_3(answer: Any) -> Verdict:
    """A function that lists the keys below a prefix."""
    if made := recognised(answer, {words: [(case, mistake(*case)) for case in LISTED] for mistake, words in MISTAKES}):
        return not_yet(made)
    if wrong := on_cases(answer, [(case, _below(*case)) for case in LISTED]):
        return not_yet(wrong)
    return right(f"{len(LISTED)} lists of keys: deleting a prefix would delete what lies below it, and nothing else.")


# One plausible wrong answer each.
WRONG = {"1": -6, "2": 2147483647, "3": MISTAKES[0][0]}
