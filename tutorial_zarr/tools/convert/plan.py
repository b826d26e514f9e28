"""How to rechunk within a memory budget: which regions to copy, in one pass or in two. Nothing is read here.

Along each axis the source has edges (where its chunks begin and end) and so has the target (its write units: chunks,
or shards). A pass copies regions; a region is a group of neighbouring write units, so every unit is written once
and whole::

    one pass     regions are groups of target units. A source chunk is read once for each region that it
                 touches: once in all, where the regions are large enough to hold whole source chunks.
    two passes   regions of the first are groups of source chunks, those of the second are groups of target
                 units. Between them lies a temporary array whose chunks are cut at the edges of both, so that each
                 is written once by the first pass and read once by the second.

Two passes move every element four times; one pass once, and as often again as it reads chunks twice. The plan is
what moves the fewest bytes, a request counting as the bytes that its store could move in the same time. The
idea of the array between is that of pangeo's rechunker.

>>> shape = ([range(101), [0, 100]], [[0, 100], range(101)])      # 100 rows to 100 columns
>>> for budget in (30_000, 5_000):
...     plan = make_plan(*shape, itemsize=1, memory=budget)
...     len(plan.passes), plan.reads, plan.writes
(1, 100, 100)
(2, 125, 125)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tutorial_zarr import limits, words
from tutorial_zarr.chunk_grids import ChunkGrid, UnevenAxis
from tutorial_zarr.errors import MemoryBudgetError

COMFORT = 1 << 24  # bytes of a region that is worth a task of its own; smaller ones are joined while it costs nothing
LEAST_COST = 1 << 14  # of a request, in bytes: what Python could copy while it makes one
Option = tuple[tuple[int, ...], int, Any]  # lengths, one for each limit; a factor of the cost; what it stands for
_KEPT = 400  # partial plans that the search goes on with


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over the elements: regions, given by their edges along each axis, copied one after the other."""

    edges: tuple[np.ndarray, ...]
    reads: int  # chunks
    writes: int  # write units
    bytes_read: int  # of elements, decoded

    @property
    def counts(self) -> tuple[int, ...]:
        """Regions along each axis."""
        return tuple(len(e) - 1 for e in self.edges)

    @property
    def nregions(self) -> int:
        """How many regions there are."""
        return math.prod(self.counts)

    @property
    def region_shape(self) -> tuple[int, ...]:
        """The shape that no region exceeds."""
        return tuple(int(np.diff(e).max(initial=0)) for e in self.edges)

    def region(self, number: int) -> tuple[slice, ...]:
        """The slices of one region; they are numbered in C order."""
        place = np.unravel_index(number, self.counts) if self.counts else ()
        return tuple(slice(int(e[i]), int(e[i + 1])) for e, i in zip(self.edges, place, strict=True))


@dataclass(frozen=True, eq=False)
class RechunkPlan:
    """What a rechunk does and what it takes: print it, or ask it for numbers."""

    shape: tuple[int, ...]
    itemsize: int
    passes: tuple[Pass, ...]
    between: tuple[np.ndarray, ...] | None  # edges of the temporary array's chunks
    workers: int
    memory: int  # the budget
    peak: int  # the bytes that it expects to hold at once, all workers together

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return math.prod(self.shape) * self.itemsize

    @property
    def reads(self) -> int:
        """Chunks read, in all passes; an absent one counts, for it is asked for."""
        return sum(p.reads for p in self.passes)

    @property
    def writes(self) -> int:
        """Write units written, in all passes, if none of them holds fill values alone."""
        return sum(p.writes for p in self.passes)

    @property
    def bytes_read(self) -> int:
        """Bytes of elements that are read, in all passes."""
        return sum(p.bytes_read for p in self.passes)

    @property
    def bytes_written(self) -> int:
        """Bytes of elements that are written, in all passes."""
        return self.nbytes * len(self.passes)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {
            "shape": list(self.shape),
            "passes": [
                {"regions": p.nregions, "region_shape": list(p.region_shape), "reads": p.reads, "writes": p.writes}
                for p in self.passes
            ],
            **{name: getattr(self, name) for name in ("reads", "writes", "bytes_read", "bytes_written")},
            **{name: getattr(self, name) for name in ("workers", "memory", "peak")},
        }

    def __str__(self) -> str:
        passes = "1 pass" if len(self.passes) == 1 else f"{len(self.passes)} passes"
        memory = f"at most {words.size_text(self.peak)} in memory (allowed are {words.size_text(self.memory)})"
        lines = [f"rechunk {self.shape}, {words.size_text(self.nbytes)}: {passes}, {memory}, {self.workers} at once"]
        for number, p in enumerate(self.passes, 1):
            ends = (
                "source to target" if len(self.passes) == 1 else ("source to between", "between to target")[number - 1]
            )
            lines.append(
                f"  {number}. {ends}: {words.count(p.nregions, 'regions')} of {p.region_shape}, "
                f"{words.count(p.reads, 'chunks')} read, {words.count(p.writes, 'write units')} written"
            )
        times = self.bytes_read / self.nbytes if self.nbytes else 0
        often = [{1.0: "once", 2.0: "twice"}.get(n, f"{n:.3g} times") for n in (times, len(self.passes))]
        lines.append(f"  every element is read {often[0]} and written {often[1]}")
        return "\n".join(lines)

    __repr__ = __str__


def edges_of(grid: ChunkGrid, lengths: Sequence[Any] | None = None) -> list[np.ndarray]:
    """Where the chunks of a grid begin and end along each axis; `lengths` are those of inner chunks of shards."""
    found = []
    for i, axis in enumerate(grid.axes):
        if isinstance(axis, UnevenAxis) and lengths is None:
            starts = np.asarray(axis.edges[: axis.count])
        else:
            length = axis.length if lengths is None else lengths[i]
            limits.check_memory(f"rechunk: axis {i}", 128 * -(-axis.extent // length), "planning for its chunks")
            starts = np.arange(0, axis.extent, length)
        found.append(np.append(starts, axis.extent))
    return found


def make_plan(
    source: Iterable[Any],
    target: Iterable[Any],
    *,
    itemsize: int,
    memory: int,
    workers: int = 1,
    source_extra: int = 0,
    target_extra: int = 0,
    request_cost: int = 0,
    may_pass_twice: bool = True,
    where: str = "rechunk",
) -> RechunkPlan:
    """The plan that moves the fewest bytes. `source` and `target` are edges along each axis.

    `source_extra` and `target_extra` are bytes that shards take beside their chunks. Among equal plans that with
    the most workers, at most `workers`, is taken. Raises MemoryBudgetError where no plan fits into `memory` bytes.
    """
    given = [np.asarray(list(e)) for e in source], [np.asarray(list(e)) for e in target]
    planner = _Planner(*given, itemsize, source_extra, target_extra, request_cost)
    best: tuple[int, RechunkPlan] | None = None
    allowed = memory if planner.nbytes else 1 << 62  # nothing fits everywhere
    for count in range(max(1, workers), 0, -1):
        once = planner.one_pass(allowed // count, count)
        twice = planner.two_passes(allowed // count, count) if may_pass_twice else None
        for candidate in (once, twice):
            if candidate is not None and (best is None or planner.cost(candidate) < best[0]):
                best = planner.cost(candidate), candidate
    if best is None:
        raise MemoryBudgetError(
            f"{where}: expected a memory budget of at least {planner.smallest} bytes "
            f"({words.size_text(planner.smallest, up=True)}), which hold a write unit and the chunks that it is made "
            f"from, found {words.size_text(memory)}; allow more, or choose smaller chunks or shards",
            smallest=planner.smallest,
            found=memory,
        )
    plan = best[1]
    return RechunkPlan(plan.shape, itemsize, plan.passes, plan.between, plan.workers, memory, plan.peak)


class _Planner:
    def __init__(
        self,
        source: list[np.ndarray],
        target: list[np.ndarray],
        itemsize: int,
        source_extra: int,
        target_extra: int,
        request_cost: int,
    ) -> None:
        self.source, self.target, self.itemsize = source, target, itemsize
        self.request_cost = max(request_cost, LEAST_COST)
        self.shape = tuple(int(e[-1]) for e in target)
        self.nbytes = math.prod(self.shape) * itemsize
        self.chunk, self.unit = self.largest(source), self.largest(target)
        # A chunk that is decoded or encoded is there twice beside the region: encoded, and on its way. A thread
        # keeps the buffers that it read with while it writes.
        self.read_scratch = 2 * self.chunk + source_extra
        self.write_scratch = 2 * self.unit + target_extra
        self.smallest = self.unit + self.read_scratch + self.write_scratch

    def largest(self, edges: Sequence[np.ndarray]) -> int:
        """Bytes of the largest cell between edges."""
        return math.prod(int(np.diff(e).max(initial=0)) for e in edges) * self.itemsize

    def cost(self, plan: RechunkPlan) -> int:
        return plan.bytes_read + plan.bytes_written + (plan.reads + plan.writes) * self.request_cost

    def copying(self, regions: Sequence[np.ndarray], source: list[np.ndarray], target: list[np.ndarray]) -> Pass:
        """The pass that copies these regions, with what it reads and writes."""
        touched, length = 1, 1
        for region, edges in zip(regions, source, strict=True):
            first, last = _touched(region, edges)
            touched *= int((last - first).sum())
            length *= int((edges[last] - edges[first]).sum())
        return Pass(tuple(regions), touched, math.prod(len(e) - 1 for e in target), length * self.itemsize)

    @cached_property
    def groups(self) -> list[list[Option]]:
        """For each axis: groups of target units, and how many source chunks they touch in all."""
        options: list[list[Option]] = []
        for source, target in zip(self.source, self.target, strict=True):
            grouped = [target[_group(target, size)] for size in _group_sizes(source, target)]
            options.append([((_longest(e),), int(np.subtract(*_touched(e, source)[::-1]).sum()), e) for e in grouped])
        return options

    @cached_property
    def pairs(self) -> list[list[Option]]:
        """For each axis: groups of source chunks with groups of target units, and the pieces between them."""
        options: list[list[Option]] = []
        for source, target in zip(self.source, self.target, strict=True):
            first = [source[_group(source, size)] for size in _few(len(source) - 1)]
            second = [target[_group(target, size)] for size in _few(len(target) - 1)]
            pairs = itertools.product(first, second)
            options.append([((_longest(a), _longest(b)), len(np.union1d(a, b)) - 1, (a, b)) for a, b in pairs])
        return options

    def one_pass(self, budget: int, workers: int) -> RechunkPlan | None:
        scratch = self.read_scratch + self.write_scratch
        limit = (budget - scratch) // self.itemsize
        found = _cheapest(self.groups, (limit,))
        if found is None:
            return None
        regions = self.joined(list(found), self.target, limit, workers)
        workers = min(workers, max(1, math.prod(len(e) - 1 for e in regions)))
        peak = (self.largest(regions) + scratch) * workers
        only = self.copying(regions, self.source, self.target)
        return RechunkPlan(self.shape, self.itemsize, (only,), None, workers, budget, peak)

    def two_passes(self, budget: int, workers: int) -> RechunkPlan | None:
        if budget < self.smallest:
            return None
        for share in (2, 3, 5, 8):  # of the budget that a region may take: the more, the fewer pieces lie between
            found = _cheapest(self.pairs, (budget // share // self.itemsize,) * 2)
            if found is None:
                return None
            first, second, between = [a for a, _ in found], [b for _, b in found], [np.union1d(a, b) for a, b in found]
            piece = 2 * self.largest(between)
            peak = max(self.largest(first) + self.read_scratch, self.largest(second) + self.write_scratch) + piece
            if peak <= budget:
                passes = self.copying(first, self.source, between), self.copying(second, between, self.target)
                return RechunkPlan(self.shape, self.itemsize, passes, tuple(between), workers, budget, peak * workers)
        return None

    def joined(self, regions: list[np.ndarray], units: list[np.ndarray], limit: int, workers: int) -> list[np.ndarray]:
        """Neighbouring regions put together while they are small and many: it saves tasks, and never adds a read."""
        bound = min(limit, COMFORT // self.itemsize)
        for axis in reversed(range(len(regions))):
            while len(regions[axis]) > 2:
                wider = [*regions[:axis], regions[axis][_group(regions[axis], 2)], *regions[axis + 1 :]]
                if math.prod(map(_longest, wider)) > bound or math.prod(len(e) - 1 for e in wider) < 8 * workers:
                    break
                regions = wider
        return regions


def _longest(edges: np.ndarray) -> int:
    return int(np.diff(edges).max(initial=0))


def _group(edges: np.ndarray, size: int) -> np.ndarray:
    """The places of the edges that are left where `size` neighbouring cells become one."""
    return np.append(np.arange(0, len(edges) - 1, size), len(edges) - 1)


def _touched(regions: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each region the first cell that it touches, and the one after the last."""
    first = np.searchsorted(edges, regions[:-1], side="right") - 1
    return first, np.searchsorted(edges, regions[1:], side="left")


def _few(count: int) -> list[int]:
    """Group sizes worth trying for so many cells: 1, 2, 3, 4, 6, 8, 12, ... and all."""
    sizes = {1, max(count, 1)}
    for power in range(count.bit_length()):
        sizes |= {size for size in (1 << power, 3 << power) if size < count}
    return sorted(sizes)


def _group_sizes(source: np.ndarray, target: np.ndarray) -> list[int]:
    """Group sizes of target units worth trying: `_few`, and those whose edges meet edges of the source."""
    count = len(target) - 1
    meeting = np.flatnonzero(np.isin(target[1:-1], source)) + 1  # so many units end where a source chunk ends
    first = int(meeting[0]) if len(meeting) else max(count, 1)
    return sorted({*_few(count), *(min(first * k, count) for k in _few(count // first))} if count else {1})


def _cheapest(options: list[list[Option]], limits: tuple[int, ...]) -> tuple[Any, ...] | None:
    """One option an axis, so that the product of the costs is least and no product of lengths exceeds its limit.

    Axes are added one after the other; of the partial choices those are kept that no other beats in everything.
    """
    if min(limits) < 1:
        return None
    states: list[Option] = [((1,) * len(limits), 1, ())]
    for axis in options:
        grown = []
        for (sizes, cost, chosen), (lengths, factor, what) in itertools.product(states, axis):
            products = tuple(a * max(b, 1) for a, b in zip(sizes, lengths, strict=True))
            if all(p <= limit for p, limit in zip(products, limits, strict=True)):
                grown.append((products, cost * factor, (*chosen, what)))
        grown.sort(key=lambda state: (state[1], state[0]))
        states = []
        for state in grown:
            if not any(all(a <= b for a, b in zip(kept[0], state[0], strict=True)) for kept in states):
                states.append(state)
        if len(states) > _KEPT:
            states = [*states[:: -(-len(states) // _KEPT)], states[-1]]
    return min(states, key=lambda state: (state[1], state[0]))[2] if states else None
