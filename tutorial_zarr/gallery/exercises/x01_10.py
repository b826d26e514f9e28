"""The exercises of 01_10: zigzag, the limit of a careless codec, what a careless store lists."""

from __future__ import annotations

import math
import sqlite3
from itertools import count
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import Verdict, not_yet, right
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


def exercise_3(answer: Any) -> Verdict:
    """Keys that `LIKE 'a%'` gives and that do not lie below a."""
    store = MemoryStore(dict.fromkeys(KEYS, b""))
    with sqlite3.connect(":memory:") as db:
        db.execute("create table objects (key text)")
        db.executemany("insert into objects values (?)", [(key,) for key in KEYS])
        like = {key for (key,) in db.execute("select key from objects where key like 'a%'")}
    db.close()
    wrong = like - set(store.list_prefix("a"))
    if not isinstance(answer, (list, tuple, set)) or not all(isinstance(key, str) for key in answer):
        return not_yet(f"expected a list of keys, found {answer!r}.")
    if set(answer) == wrong:
        return right(f"{', '.join(sorted(wrong))}: deleting a would delete them all.")
    if set(answer) == wrong - {"A/z"}:
        return not_yet("one is missing: LIKE does not tell a from A.")
    if set(answer) - like:
        return not_yet(f"{sorted(set(answer) - like)[0]} does not begin with an a.")
    return not_yet("which keys begin with an a, and which of these lie below a/?")


# One plausible wrong answer each.
WRONG = {"1": -6, "2": 2147483647, "3": ["a0", "a-b"]}
