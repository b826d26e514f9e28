"""The advisor: chunk and shard shapes for the way an array is read, ranked, with the reason for every number.

What is compared are means over all places of each pattern (`expected`), weighted by how often it is read; time and
money come from a model of the store (`storage`). Not modelled: that tiny chunks compress worse than large ones, and
that many objects are a burden when they are listed, copied or deleted, for which there are limits
(`StoreModel.least_object`, `least_chunk`); caches; and who else writes.

>>> advice = advise((8000, 8000), "f4", ["rows 70%: 1, all", "columns 30%: all, 1"], shards=False)
>>> print(advice.best.layout, round(advice.best.requests, 1), advice.best.chunk_nbytes >> 10)
267 x 1013 14.6 1056
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tutorial_zarr import nodes
from tutorial_zarr.labs import LabError
from tutorial_zarr.labs.chunks import patterns as reading
from tutorial_zarr.labs.chunks.choice import (
    OBJECTIVES,
    Choice,
    Question,
    dollars_text,
    mean_text,
    number_text,
    time_text,
)
from tutorial_zarr.labs.chunks.paper import Layout
from tutorial_zarr.labs.chunks.patterns import Pattern
from tutorial_zarr.labs.chunks.search import search
from tutorial_zarr.labs.chunks.storage import StoreModel
from tutorial_zarr.labs.chunks.storage import store as store_model
from tutorial_zarr.words import size_text, times

CHUNKS_HELD = 8  # as many chunks fit into the memory, even where a read takes one


class TooSmallError(LabError):
    """An array so small that any layout will do."""


@dataclass(frozen=True, eq=False)
class Advice:
    """Layouts, best first: print it, look at `best`, or ask a `Choice` to explain itself."""

    question: Question
    objective: str
    choices: tuple[Choice, ...]
    today: Choice | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what is true of many arrays alike

    @property
    def best(self) -> Choice:
        """The first choice."""
        return self.choices[0]

    @cached_property
    def front(self) -> tuple[Choice, ...]:
        """The Pareto front: layouts that none beats both in requests and in bytes; fewest requests first."""
        found: list[Choice] = []
        for choice in sorted(self.choices, key=lambda each: (each.requests, each.nbytes)):
            if not found or choice.nbytes < found[-1].nbytes:
                found.append(choice)
        return tuple(found)

    def distinct(self, top: int = 5) -> list[Choice]:
        """The best layouts that are not nearly the same: an axis differs by half, or shards come or go."""
        found: list[Choice] = []
        for choice in self.choices:
            if len(found) == top:
                break
            if not any(_alike(choice.layout, other.layout) for other in found):
                found.append(choice)
        return found

    def by_size(self) -> list[Choice]:
        """For each power of two the best layout with chunks of about that size and no shards: small ones first."""
        found: dict[int, Choice] = {}
        for choice in self.choices:
            if choice.layout.shards is None:
                found.setdefault(round(math.log2(choice.chunk_nbytes)), choice)
        return [found[power] for power in sorted(found)]

    @cached_property
    def copies(self) -> tuple[float, Choice, Choice] | None:
        """The best pair of layouts, if the array were stored twice and each pattern read the copy that suits it."""
        if not 2 <= len(self.question.patterns) <= 8:
            return None
        places = range(len(self.question.patterns))
        alone = [min(self.choices, key=lambda choice, i=i: choice.each_seconds[i]) for i in places]  # type: ignore[misc]
        weights = [pattern.weight for pattern in self.question.patterns]
        pairs = [(a, b) for i, a in enumerate(alone) for b in alone[i + 1 :] if a is not b]
        if not pairs:
            return None

        def mean(pair: tuple[Choice, Choice]) -> float:
            return sum(w * min(each.each_seconds[i] for each in pair) for i, w in enumerate(weights))

        pair = min(pairs, key=mean)
        return mean(pair), *pair

    def verdict(self) -> list[str]:
        """What to do, a sentence each."""
        best, today, lines = self.best, self.today, list(self.remarks)
        if today is not None:
            share = today.value(self.objective) / best.value(self.objective) if best.value(self.objective) else 1.0
            if share < 1.1:
                lines.append(f"Today's layout is within 10 % of the first choice in {self.objective}: leave it.")
            else:
                lines.append(
                    f"A rechunk to {best.layout} brings a read from {time_text(today.seconds)} to "
                    f"{time_text(best.seconds)}, from {mean_text(today.requests, 'requests')} to "
                    f"{number_text(best.requests)}, and from "
                    f"{size_text(round(today.nbytes))} to {size_text(round(best.nbytes))}" + self._saving(today, best)
                )
        if self.copies is not None and self.copies[0] < best.seconds / 1.5:
            seconds, one, other = self.copies
            lines.append(
                f"The patterns quarrel: stored twice, as {one.layout} and as {other.layout}, a read takes "
                f"{time_text(seconds)} rather than {time_text(best.seconds)}"
                + ("." if best.dollars is None else f", for {dollars_text(other.storage_dollars or 0)} more a month.")
            )
        return lines

    def _saving(self, today: Choice, best: Choice) -> str:
        prices = self.question.store.prices
        if prices is None or today.dollars is None or best.dollars is None:
            return "."
        once = (today.objects * prices.get_per_1000 + best.objects * prices.put_per_1000) / 1000
        less = today.dollars - best.dollars
        change = (
            f"it saves {dollars_text(less)} of {dollars_text(today.dollars)} a month"
            if less > 0
            else f"it costs {dollars_text(-less)} more a month"
        )
        return f"; {change}. Its own requests cost {dollars_text(once)}, once."

    def table(self, top: int = 5) -> list[tuple[str, ...]]:
        """The best layouts as text, with headings; today's first, a star at those on the Pareto front."""
        front = {choice.layout for choice in self.front}
        named = [
            *([("today", self.today)] if self.today else []),
            *[(f"{i}", c) for i, c in enumerate(self.distinct(top), 1)],
        ]
        rows: list[tuple[str, ...]] = [("", "chunks", "shards", "requests", "bytes", "x wanted", "time", "a month")]
        for name, choice in named:
            chunks, shards = choice.layout
            rows.append(
                (
                    name + ("*" if choice.layout in front else ""),
                    times(chunks),
                    times(shards) if shards else "-",
                    number_text(choice.requests),
                    size_text(round(choice.nbytes)),
                    number_text(choice.amplification),
                    time_text(choice.seconds),
                    "-" if choice.dollars is None else dollars_text(choice.dollars),
                )
            )
        return rows

    def __str__(self) -> str:
        return self.text()

    def text(self, top: int = 5, notes: bool = True) -> str:
        """All of it, for people; `notes` may be left out where they stand below several arrays."""
        q = self.question
        rows = self.table(top)
        if sum(max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]))) > 82:  # four axes, or more
            rows = [tuple([cell.replace(" x ", "x") for cell in row]) for row in rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        boxes = ["" if p.starts else f" ({times(p.lengths)})" for p in q.patterns[:6]]  # a log's names say where
        reads = "; ".join(f"{p.name} {100 * p.weight:.3g} %{box}" for p, box in zip(q.patterns, boxes, strict=False))
        reads += f"; and {len(q.patterns) - 6} more" if len(q.patterns) > 6 else ""
        lines = [f"{times(q.shape)} {q.dtype}, {size_text(q.nbytes)}, read as {reads}", ""]
        for row in rows:
            cells = [
                cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        lines += ["", *self.legend(top), "", *self.verdict(), "The first choice:", self.best.explain()]
        return "\n".join([*lines, *(self.notes if notes else ())])

    def legend(self, top: int = 5) -> list[str]:
        """What the signs and the columns of the table mean, a sentence each."""
        q, shown = self.question, [*self.distinct(top), *([self.today] if self.today else [])]
        lines = ["Each row is a mean over the reads above."]
        if {choice.layout for choice in self.front} & {choice.layout for choice in shown}:
            lines.append("*: no other layout that was tried takes both fewer requests and fewer bytes.")
        lines.append("x wanted: bytes that are decoded for each byte that is wanted.")
        if q.store.prices is not None:
            lines.append(f"a month: {q.reads:,} reads, and the storage.")
        return lines

    def __repr__(self) -> str:
        return self.text()

    def to_json(self, top: int = 5) -> dict[str, Any]:
        """As plain data."""
        q = self.question
        patterns = [
            {"name": p.name, "weight": p.weight, "lengths": list(p.lengths), "starts": p.starts} for p in q.patterns
        ]
        return {
            "shape": list(q.shape),
            "dtype": str(q.dtype),
            "patterns": patterns,
            "store": q.store.to_json(),
            "ratio": q.ratio,
            "reads_a_month": q.reads,
            "objective": self.objective,
            "considered": len(self.choices),
            "notes": list(self.notes),
            "today": self.today and self.today.to_json(),
            "choices": [choice.to_json() for choice in self.distinct(top)],
            "front": [choice.to_json() for choice in self.front],
            "verdict": self.verdict(),
        }


def advise(
    shape: Sequence[int],
    dtype: Any,
    patterns: Sequence[Pattern | str] | None = None,
    *,
    store: StoreModel | None = None,
    objective: str = "seconds",
    ratio: float = 1.0,
    reads: int = 100_000,
    memory: int = 1 << 31,
    smallest: int | None = None,
    shards: bool = True,
    tolerance: float = 0.01,
    today: Layout | None = None,
    names: Sequence[str | None] | None = None,
    remarks: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Advice:
    """The layouts that suit an array of that shape and type, best first.

    Parameters
    ----------
    shape, dtype
        Of the array; elements have a fixed size.
    patterns
        Texts or `Pattern`s; none means lines and planes, equally often.
    store
        A model of the store; Amazon S3 without it. It says how small an object and a chunk may be.
    objective
        What is to be small: seconds, dollars, requests, nbytes or amplification.
    ratio
        How many times smaller chunks become in the store.
    reads
        How many there are in a month.
    memory
        Bytes that a reader or a writer may hold; no chunk takes more than an eighth of them.
    smallest
        Bytes of the smallest object and chunk to think of, in the place of the store's.
    shards
        Whether shards are thought of.
    tolerance
        Layouts that are worse than the best by no more than this share count as equal to it: of them comes first the
        one without shards, with the fewest requests.
    today
        A layout to compare with.
    names
        Of dimensions, for patterns that use them.
    remarks, notes
        Sentences that stand in the verdict, and below it.

    Raises `LabError` for a question without an answer.
    """
    shape = tuple(int(n) for n in shape)
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise LabError(f"dtype: expected a type that NumPy knows, such as float32, found {dtype!r}") from None
    model = store or store_model("s3")
    if smallest is not None:
        model = replace(model, least_object=smallest, least_chunk=smallest, most_objects=0)
    if objective not in OBJECTIVES:
        raise LabError(f"objective: expected one of {', '.join(OBJECTIVES)}, found {objective!r}")
    if kind.hasobject or not kind.itemsize or kind.kind == "T":
        raise LabError(f"dtype {kind}: expected elements of a fixed size, as their bytes are counted")
    nbytes = math.prod(shape) * kind.itemsize
    least = max(model.request_cost, model.least_object)
    if not shape or nbytes <= least:
        raise TooSmallError(
            f"an array of {size_text(nbytes)} is too small to judge: expected more than {size_text(least)}, "
            f"the least for which another object is worth its request; try one chunk of {shape}"
        )
    texts = [each for each in patterns or () if isinstance(each, str)]
    if texts and len(texts) < len(patterns or ()):
        raise LabError("patterns: expected either texts or Pattern objects, found both")
    if not patterns:
        found = reading.guess(shape, names)
    else:
        found = reading.parse(texts, shape, names) if texts else reading.check(patterns, shape)  # type: ignore[arg-type]
    question = Question(shape, kind, tuple(found), model, ratio, reads, memory)
    if today is not None:
        _check_layout(today, shape)
    known: dict[Layout, Choice] = {}
    search(shape, _windows(question), _scorer(question, objective, known), shards)
    if not known:
        raise LabError(
            f"memory: expected enough for what a read takes, in objects of {size_text(model.least(nbytes))} or more, "
            f"found {size_text(memory)}; allow more, or fewer requests at once"
        )
    ranked = sorted(known.values(), key=lambda choice: _key(choice, objective))
    bound = ranked[0].value(objective) * (1 + tolerance)
    near = [choice for choice in ranked if choice.value(objective) <= bound]
    if tolerance:
        first = min(near, key=lambda choice: (choice.layout.shards is not None, choice.requests, choice.objects))
        ranked.remove(first)
        ranked.insert(0, first)
    return Advice(
        question, objective, tuple(ranked), question.choice(today) if today else None, tuple(remarks), tuple(notes)
    )


def _windows(question: Question) -> list[set[int]]:
    """How much is read along each axis."""
    return [{p.lengths[axis] for p in question.patterns[:8]} for axis in range(len(question.shape))]


def _scorer(
    question: Question, objective: str, known: dict[Layout, Choice]
) -> Callable[[Layout], tuple[Any, ...] | None]:
    least = question.store.least(question.nbytes)

    def score(layout: Layout) -> tuple[Any, ...] | None:
        if math.prod(layout.chunks) * question.itemsize < question.store.least_chunk:
            return None
        choice = question.choice(layout)
        if choice is None or choice.memory > question.memory or CHUNKS_HELD * choice.chunk_nbytes > question.memory:
            return None
        too_small = choice.unit_nbytes < least  # but the same chunks may suit within shards
        if not too_small:
            known[layout] = choice
        return too_small, *_key(choice, objective)

    return score


def _key(choice: Choice, objective: str) -> tuple[Any, ...]:
    """Small is good; among equals what is simpler: no shards, fewer objects."""
    value = float(f"{choice.value(objective):.12g}")
    return value, choice.layout.shards is not None, choice.objects, choice.layout.chunks, choice.layout.shards or ()


def _check_layout(layout: Layout, shape: Sequence[int]) -> None:
    chunks, shards = layout
    for what, lengths in (("chunks", chunks), ("shards", shards)):
        if lengths is not None and (len(lengths) != len(shape) or min(lengths, default=1) < 1):
            raise LabError(
                f"{what}: expected a length of at least 1 for each axis of the shape {tuple(shape)}, found {lengths}"
            )
    if shards is not None and any(s % c for s, c in zip(shards, chunks, strict=True)):
        nearest = tuple([max(1, round(s / c)) * c for s, c in zip(shards, chunks, strict=True)])
        raise LabError(f"shards: expected multiples of the chunks {chunks}, found {shards}; the nearest are {nearest}")


def advise_array(
    array: Any, patterns: Sequence[Pattern | str] | None = None, remarks: Sequence[str] = (), **options: Any
) -> Advice:
    """Advice for an array that exists: its layout is the one to compare with, and its codecs give the ratio."""
    label = array.label
    if not array.grid.regular:
        raise LabError(
            f"{label}: expected a regular chunk grid, found {array.grid.name!r}; give its shape and type instead"
        )
    if array.metadata.data_type.item_size is None:
        raise LabError(
            f"{label}: expected elements of a fixed size, found {array.dtype}; of others nobody knows the bytes"
        )
    remarks, notes, unit = [*remarks], list[str](), math.prod(array.shards or array.chunks) * array.dtype.itemsize
    below = nodes.keys_below(array.store, array.path, sure=False)
    keys = dict(nodes.sizes(array.store, (key for key in below if array.chunk_coords(key) is not None)))
    stored = sum(keys.values())
    units = math.prod(array.cdata_shape if array.shards is None else array.grid.counts)
    if stored:
        options.setdefault("ratio", len(keys) * unit / stored)
    else:
        notes.append("No chunk is stored, so nothing is known of compression: chunks count with their size in memory.")
    if 0 < len(keys) < units:
        remarks.append(f"{units - len(keys):,} of {units:,} objects are absent; asking for them counts all the same.")
    if array.io.pipeline.raw or (array.io.shards is not None and array.io.shards.inner.raw):
        notes.append(
            "Chunks are not compressed; all figures are for chunks that come as a whole, as compressed ones do."
        )
    if not patterns:
        notes.append("Nobody said how it is read: the reads above, equally often, are a guess; --read says it better.")
    if array.zarr_format == 2:
        options.setdefault("shards", False)
        notes.append("Zarr 2 has no shards; tutorial-zarr convert makes it Zarr 3.")
    own = Layout(tuple(array.chunks), tuple(array.shards) if array.shards else None)
    return advise(
        array.shape,
        array.dtype,
        patterns,
        names=array.dimension_names,
        remarks=remarks,
        notes=notes,
        **{"today": own, **options},
    )


def _alike(a: Layout, b: Layout) -> bool:
    near = all(2 * max(x, y) < 3 * min(x, y) for x, y in zip(a.chunks, b.chunks, strict=True))
    return near and (a.shards is None) == (b.shards is None)
