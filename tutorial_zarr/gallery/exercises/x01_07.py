"""The exercises of 01_07: rows written by appends, what a resize leaves, and an append that can be cut off."""

from __future__ import annotations

from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.gallery.exercises import Verdict, not_yet, on_cases, right
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


class _CutError(Exception):
    """The power fails."""


class _Store(dict[str, Any]):
    """A dictionary that takes copies, writes down what is written, and ends after a number of writes."""

    def __init__(self, rows: list[int], writes: int = 1000) -> None:
        super().__init__(length=len(rows))
        for k in range(-(-len(rows) // 4)):
            part = rows[4 * k : 4 * k + 4]
            super().__setitem__(f"c/{k}", part + [0] * (4 - len(part)))
        self.writes, self.written = writes, list[str]()

    def __setitem__(self, key: str, value: Any) -> None:
        if len(self.written) == self.writes:
            raise _CutError
        self.written.append(key)
        super().__setitem__(key, list(value) if isinstance(value, (list, tuple)) else value)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return list(value) if isinstance(value, list) else value

    def get(self, key: str, default: Any = None) -> Any:
        value = super().get(key, default)
        return list(value) if isinstance(value, list) else value

    def read(self) -> list[int]:
        """What a reader sees: the length first, and a chunk that is not there is zeros."""
        return [self.get(f"c/{i // 4}", [0] * 4)[i % 4] for i in range(self["length"])]


def _row_by_row(store: Any, rows: Any) -> None:
    for row in rows:
        at = store["length"]
        store["length"] = at + 1
        part = store.get(f"c/{at // 4}", [0, 0, 0, 0])
        part[at % 4] = row
        store[f"c/{at // 4}"] = part


def exercise_3(answer: Any) -> Verdict:
    """A function that appends to chunks of 4: old or new after every write, each chunk written once."""

    def appended(old: list[int], new: list[int]) -> list[int]:
        store = _Store(old)
        answer(store, new)
        return store.read()

    places = [(length, count) for length in (0, 3, 4, 6) for count in (0, 1, 4, 7)]
    cases = [(list(range(1, n + 1)), list(range(100, 100 + count))) for n, count in places]
    if not callable(answer):
        return not_yet(f"expected a function, found {answer!r}.")
    wrong = on_cases(appended, [((old, new), old + new) for old, new in cases])
    if wrong is not None:
        return not_yet(wrong)
    for old, new in cases:
        for writes in range(2 * len(new) + 2):
            store = _Store(old, writes)
            try:
                answer(store, new)
            except _CutError:
                pass
            try:
                seen = store.read()
            except Exception as error:
                return not_yet(
                    f"cut off after {writes} of its writes, a reader fails: {type(error).__name__}: {error}."
                )
            if seen not in (old, old + new):
                after = f"rows {old} and then {new}, cut off after {writes} of its writes"
                if len(seen) == len(old + new) or 0 in seen:
                    return not_yet(f"{after}: a reader sees {seen}. The length says more than the chunks have.")
                return not_yet(f"{after}: a reader sees {seen}, which is a part of the new rows.")
    for old, new in cases:
        store = _Store(old)
        answer(store, new)
        again = [key for key in store.written if store.written.count(key) > 1]
        if again:
            times = store.written.count(again[0])
            return not_yet(
                f"safe, but {again[0]} is written {times} times for {len(new)} rows. Write it when it is full."
            )
    return right(f"old or new at every cut, and each chunk written once, in {len(cases)} appends.")


# One plausible wrong answer each.
WRONG = {"1": (31, 31), "2": (7, 7), "3": _row_by_row}
