"""A question, and what one layout costs as an answer: every number, and the sentence that says where it is from.

>>> from tutorial_zarr.labs.chunks.patterns import parse
>>> from tutorial_zarr.labs.chunks.storage import store
>>> rows = parse(["rows 100%: 1, all"], (1000, 1000))
>>> question = Question((1000, 1000), np.dtype("f4"), tuple(rows), store("gcs"))
>>> choice = question.choice(Layout((10, 500)))
>>> choice.requests, choice.nbytes, choice.amplification, choice.objects, round(choice.seconds, 4)
(2.0, 40000.0, 10.0, 200, 0.0325)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tutorial_zarr.labs import LabError
from tutorial_zarr.labs.chunks.expected import Cost, encoded_size, expected
from tutorial_zarr.labs.chunks.paper import Layout
from tutorial_zarr.labs.chunks.patterns import Pattern
from tutorial_zarr.labs.chunks.storage import GB, StoreModel
from tutorial_zarr.words import count, size_text

OBJECTIVES = ("seconds", "dollars", "requests", "nbytes", "amplification")
MOST_EXPLAINED = 6  # patterns


@dataclass(frozen=True)
class Question:
    """What is to be read, how, and from where."""

    shape: tuple[int, ...]
    dtype: np.dtype
    patterns: tuple[Pattern, ...]
    store: StoreModel
    ratio: float = 1.0  # how many times smaller chunks become in the store
    reads: int = 100_000  # a month
    memory: int = 1 << 31  # bytes that a reader, or a writer, may hold

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.itemsize

    def choice(self, layout: Layout) -> Choice | None:
        """What a layout costs; None where there are too many cases to go through."""
        costs = []
        for pattern in self.patterns:
            cost = expected(layout, pattern, self.shape, self.itemsize, self.ratio, self.store.request_cost)
            if cost is None:
                return None
            costs.append(cost)
        return Choice(self, layout, tuple(costs))


@dataclass(frozen=True)
class Choice:
    """A layout and what it costs: `costs` by pattern, the rest weighted over all."""

    question: Question = field(repr=False)
    layout: Layout
    costs: tuple[Cost, ...]

    def _mean(self, values: Sequence[float]) -> float:
        weights = [pattern.weight for pattern in self.question.patterns]
        return math.fsum(weight * value for weight, value in zip(weights, values, strict=True))

    @cached_property
    def requests(self) -> float:
        """Requests for a read."""
        return self._mean([cost.requests for cost in self.costs])

    @cached_property
    def nbytes(self) -> float:
        """Bytes that come from the store for a read."""
        return self._mean([cost.nbytes for cost in self.costs])

    @cached_property
    def amplification(self) -> float:
        """Bytes decoded for each byte that is wanted."""
        wanted = [pattern.elements * self.question.itemsize for pattern in self.question.patterns]
        return self._mean([cost.decoded for cost in self.costs]) / self._mean(wanted)

    @cached_property
    def each_seconds(self) -> tuple[float, ...]:
        """The modelled time of a read, by pattern."""
        model = self.question.store
        return tuple([model.seconds(c.requests, c.rounds, c.nbytes, c.decoded, c.chunks) for c in self.costs])

    @cached_property
    def seconds(self) -> float:
        """The modelled time of a read."""
        return self._mean(self.each_seconds)

    @cached_property
    def dollars(self) -> float | None:
        """What a month costs: requests, transfer, storage. None without a price list."""
        price = self.question.store.dollars(self.requests, self.nbytes)
        return None if price is None else price * self.question.reads + (self.storage_dollars or 0.0)

    @property
    def storage_dollars(self) -> float | None:
        """The part of it for bytes that lie there."""
        prices = self.question.store.prices
        return None if prices is None else self.stored / GB * prices.gb_month

    @property
    def chunk_nbytes(self) -> int:
        """Bytes of a chunk in memory."""
        return math.prod(self.layout.chunks) * self.question.itemsize

    @property
    def unit_nbytes(self) -> int:
        """Bytes of a write unit in memory: of a shard, where there are shards."""
        return math.prod(self.layout.shards or self.layout.chunks) * self.question.itemsize

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return _many(self.question.shape, self.layout.chunks)

    @property
    def objects(self) -> int:
        """How many objects the store holds: shards, where there are shards."""
        return _many(self.question.shape, self.layout.shards or self.layout.chunks)

    @property
    def stored(self) -> int:
        """Bytes in the store. A chunk at an edge is stored whole."""
        nbytes = self.chunks * encoded_size(self.chunk_nbytes, self.question.ratio)
        inside = math.prod(
            s // c for s, c in zip(self.layout.shards or self.layout.chunks, self.layout.chunks, strict=True)
        )
        return nbytes + (self.objects * (16 * inside + 4) if self.layout.shards else 0)

    @property
    def memory(self) -> int:
        """Bytes that a reader holds, or a writer if that is more: each chunk, or unit, encoded and decoded.

        A reader has as many chunks at once as the largest of the reads takes, or as there are requests at once.
        """
        together = min(self.question.store.concurrency, math.ceil(max(cost.chunks for cost in self.costs)))
        return 2 * max(together * self.chunk_nbytes, self.unit_nbytes)

    def value(self, objective: str) -> float:
        """What is to be small."""
        found = getattr(self, objective)
        if found is None:
            raise LabError(
                f"objective 'dollars': expected a price list, found none for store {self.question.store.name!r}; "
                "name a store that has one, or a file with your own list"
            )
        return found

    def explain(self) -> str:
        """Every number in a sentence."""
        q, model, lines = self.question, self.question.store, []
        unit = f" in {count(self.objects, 'shards')} of {size_text(self.unit_nbytes)}" if self.layout.shards else ""
        lines.append(
            f"{self.layout}: {count(self.chunks, 'chunks')} of {size_text(self.chunk_nbytes)}{unit}; "
            f"{size_text(self.stored)} stored. A reader or writer holds up to {size_text(self.memory)}."
        )
        most = sorted(zip(q.patterns, self.costs, self.each_seconds, strict=True), key=lambda each: -each[0].weight)
        for pattern, cost, seconds in most[:MOST_EXPLAINED]:
            wanted = pattern.elements * q.itemsize
            rounds = max(cost.rounds, cost.requests / model.concurrency)
            work = cost.requests * model.request_seconds
            lines.append(
                f"{pattern.name} ({100 * pattern.weight:.3g} %): decodes {mean_text(cost.chunks, 'chunks')}, "
                f"{size_text(cost.decoded)} for {size_text(wanted)} wanted, {number_text(cost.decoded / wanted)} times "
                f"as much; {mean_text(cost.requests, 'requests')} for {size_text(round(cost.nbytes))}. "
                f"Modelled {time_text(seconds)}: {time_text(rounds * model.latency)} waiting "
                f"({number_text(rounds)} times {time_text(model.latency)}, with {model.concurrency} requests at once), "
                f"{f'{time_text(work)} of work for requests, ' if work else ''}"
                f"{time_text(cost.nbytes / model.bandwidth)} for the bytes, "
                f"{time_text(cost.decoded / model.decode_rate + cost.chunks * model.chunk_overhead)} decoding."
            )
        if len(most) > MOST_EXPLAINED:
            lines.append(f"And {len(most) - MOST_EXPLAINED} patterns more.")
        if model.prices is not None:
            asked, moved = self.requests * q.reads, self.nbytes * q.reads / GB
            transfer = moved * model.prices.gb_to_internet if model.internet else 0.0
            lines.append(
                f"{q.reads:,} reads a month: {number_text(asked)} requests, "
                f"{dollars_text(asked / 1000 * model.prices.get_per_1000)}; {number_text(moved)} GB moved"
                f"{'' if model.internet else ' within the region'}, {dollars_text(transfer)}; "
                f"storage, {dollars_text(self.storage_dollars or 0)}. "
                f"To write it once takes {count(self.objects, 'requests')}, "
                f"{dollars_text(self.objects / 1000 * model.prices.put_per_1000)}."
            )
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        numbers = ("requests", "nbytes", "amplification", "seconds", "dollars", "chunk_nbytes", "objects", "stored")
        patterns = {
            pattern.name: {**cost._asdict(), "seconds": seconds}
            for pattern, cost, seconds in zip(self.question.patterns, self.costs, self.each_seconds, strict=True)
        }
        layout = {"chunks": list(self.layout.chunks), "shards": self.layout.shards and list(self.layout.shards)}
        return {**layout, **{name: getattr(self, name) for name in (*numbers, "memory")}, "patterns": patterns}


def _many(shape: Sequence[int], lengths: Sequence[int]) -> int:
    return math.prod(-(-n // c) for n, c in zip(shape, lengths, strict=True))


def number_text(value: float) -> str:
    """A mean: whole where it is large or whole."""
    return f"{value:,.0f}" if value >= 1000 or value == round(value) else f"{value:.3g}"


def mean_text(value: float, plural: str) -> str:
    """A mean of how many: ``1 request``, ``17.8 requests``."""
    number = number_text(value)
    return f"{number} {plural if number != '1' else plural.removesuffix('s')}"


def time_text(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds >= 1:
        return f"{seconds:,.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"
    return f"{seconds * 1000:.3g} ms"


def dollars_text(amount: float) -> str:
    """An amount of money."""
    return f"${amount:,.2f}" if amount >= 0.095 or not amount else f"${amount:.2g}"
