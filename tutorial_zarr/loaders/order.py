"""Which rows make which batch: strategies, seeds and parts, worked out on row numbers alone.

Rows are read by the unit, which is a chunk or a few of them. All strategies but one are the same walk: units come into
a buffer one after the other, or several at a time, and rows leave it::

    none    units in their order; rows leave as they came
    chunks  units in random order; a buffer of so many units, of which any row may leave next
    blocks  units in random order; as many as the buffer holds come at once, are mixed, and leave before others come
    full    rows in random order: each batch reads the units in which its rows lie

Random numbers are the raw bits of Philox, whose stream no version of NumPy changes, and permutations are the order of
such numbers: two machines with different versions give the same batches. Each epoch has a stream of its own, and in
it each part.

>>> order = Order(10, (0, 4, 8, 10), batch_size=4, shuffle="blocks", buffer=2, seed=1)
>>> [rows.tolist() for rows in order.batches(0)]
[[8, 5, 9, 6], [4, 7, 1, 3], [2, 0]]
>>> len(order.part(1, 2)), [rows.tolist() for rows in order.part(1, 2).batches(0)]
(2, [[7, 1, 3, 0], [2]])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

SHUFFLES = ("none", "chunks", "blocks", "full")
MOST_SEED = (1 << 128) - 1  # more words than that would run into those that tell epochs and parts apart
MOST_EPOCH = (1 << 32) - 1


def shuffled(bits: np.random.Philox, count: int) -> np.ndarray:
    """A permutation of ``range(count)``: the order of so many random numbers."""
    return np.argsort(bits.random_raw(count), kind="stable")


class Load(NamedTuple):
    """Rows that come into the buffer: `rows` are read, those at `picked` in it go to `slots`."""

    rows: range
    picked: np.ndarray | slice
    slots: np.ndarray


class Step(NamedTuple):
    """One batch: what must come into the buffer first, the slots that leave it, and the rows that these hold."""

    loads: list[Load]
    slots: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Order:
    """The order of an array's rows, in every epoch. `edges` are where units begin, and the number of rows."""

    rows: int
    edges: tuple[int, ...]
    batch_size: int
    shuffle: str
    buffer: int
    seed: int
    drop_last: bool = False
    number: int = 0
    parts: int = 1

    def part(self, number: int, parts: int) -> Order:
        """Part `number` of `parts` of this one: its rows are in no other, and their numbers differ by one at most."""
        return replace(self, number=self.number * parts + number, parts=self.parts * parts)

    @property
    def bounds(self) -> range:
        """Where this part lies in the sequence of the epoch. With `drop_last` all parts are of one length."""
        if self.drop_last:
            length = self.rows // self.parts
            return range(self.number * length, (self.number + 1) * length)
        return range(self.rows * self.number // self.parts, self.rows * (self.number + 1) // self.parts)

    def __len__(self) -> int:
        """Batches in an epoch."""
        count = len(self.bounds)
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    @property
    def longest(self) -> int:
        """Rows of the longest unit."""
        return max((b - a for a, b in pairwise(self.edges)), default=0)

    def bits(self, epoch: int, own: bool) -> np.random.Philox:
        """The stream of an epoch: one for all parts, which must agree on it, or this part's `own`."""
        # always four words: a shorter key and one with zeros at its end could be the same stream
        key = (epoch, 1, self.number, self.parts) if own else (epoch, 0, 0, 0)
        return np.random.Philox(np.random.SeedSequence(self.seed, spawn_key=key))

    def units(self, epoch: int) -> list[range]:
        """The rows of each unit in the order of an epoch, as far as they are this part's."""
        units = [range(a, b) for a, b in pairwise(self.edges)]
        if self.shuffle != "none":
            units = [units[i] for i in shuffled(self.bits(epoch, own=False), len(units))]
        found, at, wanted = [], 0, self.bounds
        for unit in units:
            mine = unit[max(0, wanted.start - at) : max(0, wanted.stop - at)]
            if len(mine):
                found.append(mine)
            at += len(unit)
        return found

    def batches(self, epoch: int) -> Iterator[np.ndarray]:
        """The row numbers of each batch of an epoch."""
        if self.shuffle != "full":
            return (step.rows for step in Buffer(self, epoch))
        rows = shuffled(self.bits(epoch, own=False), self.rows)[self.bounds.start : self.bounds.stop]
        return (rows[i * self.batch_size : (i + 1) * self.batch_size] for i in range(len(self)))


class Buffer:
    """The buffer of an epoch: which row stands in which slot, and which slots leave next. The elements follow it.

    Going through it gives a `Step` for each batch.
    """

    def __init__(self, order: Order, epoch: int) -> None:
        self.order, self.bits, self.units = order, order.bits(epoch, own=True), order.units(epoch)
        self.at_once = order.buffer if order.shuffle == "blocks" else 1
        self.capacity = capacity(order)
        self.least = max(order.batch_size, kept(order) + 1)  # with fewer rows than that, others come in
        self._waiting = iter(self.units)
        self._slots = np.arange(self.capacity)  # those that are taken come first, and of them the next to leave last
        self._held = np.zeros(self.capacity, np.int64)
        self._taken = self._left = 0  # rows in the buffer; batches that have left it

    def __iter__(self) -> Buffer:
        return self

    def __next__(self) -> Step:
        loads: list[Load] = []
        while self._taken < self.least and (units := list(islice(self._waiting, self.at_once))):
            loads += self._enter(units)
        if self._left == len(self.order):
            raise StopIteration
        start = max(0, self._taken - self.order.batch_size)
        slots = self._slots[start : self._taken][::-1].copy()
        self._taken, self._left = start, self._left + 1
        return Step(loads, slots, self._held[slots])

    def _enter(self, units: list[range]) -> list[Load]:
        loads, before = [], self._taken
        for unit in units:
            slots = self._slots[self._taken : self._taken + len(unit)].copy()
            self._held[slots] = unit
            self._taken += len(unit)
            loads.append(Load(unit, slice(None), slots))
        old, new = self._slots[:before], self._slots[before : self._taken]
        if self.order.shuffle == "chunks":
            mixed = self._slots[: self._taken][shuffled(self.bits, self._taken)]
        else:  # what was there before leaves first
            new = new[::-1] if self.order.shuffle == "none" else new[shuffled(self.bits, len(new))]
            mixed = np.concatenate([new, old])
        self._slots[: self._taken] = mixed
        return loads

    def skip(self, batches: int) -> list[Load]:
        """Go on without the next `batches`; returns what must be read to have what is in the buffer then."""
        for _ in islice(self, batches):
            pass
        slots = self._slots[: self._taken]
        rows, waiting = self._held[slots], list(self._waiting)
        self._waiting = iter(waiting)
        loads = []
        for unit in self.units[: len(self.units) - len(waiting)]:
            (here,) = np.nonzero((rows >= unit.start) & (rows < unit.stop))
            if len(here):
                loads.append(Load(unit, rows[here] - unit.start, slots[here].copy()))
        self.units = waiting
        return loads


def kept(order: Order) -> int:
    """Rows that stay in the buffer to be mixed with those that come."""
    return (order.buffer - 1) * order.longest if order.shuffle == "chunks" else 0


def capacity(order: Order) -> int:
    """Rows that the buffer holds at most."""
    at_once = order.buffer if order.shuffle == "blocks" else 1
    return min(len(order.bounds), max(order.batch_size - 1, kept(order)) + at_once * order.longest)
