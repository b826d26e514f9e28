"""How an array is read: patterns, each a box of some size, with weights that sum to one.

They are written down, or taken from the log of a `TraceStore`. What a pattern costs is in `expected`.

>>> series, maps = parse(["time series 70%: all, 1, 1", "maps 30%: time=1"], (240, 37, 49), ("time", "lat", "lon"))
>>> series.lengths, maps.lengths, maps.weight
((240, 1, 1), (1, 37, 49), 0.3)
>>> maps.at((240, 37, 49)).box
(slice(120, 121, None), slice(0, 37, None), slice(0, 49, None))
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tutorial_zarr.labs import LabError
from tutorial_zarr.stores.wrappers import Request
from tutorial_zarr.words import selection_text

EXAMPLE = "'time series 70%: all, 1, 1'"
MOST_BOXES = 200  # of a log, that are costed one by one
_SPELLING = re.compile(r"(?:(?P<name>[^:]+?)(?:\s+(?P<weight>\d+(?:\.\d*)?)\s*%)?\s*:)?(?P<lengths>[^:]+)", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """A box of `lengths` elements, at every place where it fits equally often; with `starts`, at that place alone."""

    name: str
    weight: float
    lengths: tuple[int, ...]
    starts: tuple[int, ...] | None = None

    def at(self, shape: Sequence[int], share: float | Sequence[float] = 0.5) -> Pattern:
        """The same box at one place: a share of 0 is the first place along an axis, 1 the last."""
        shares = [share] * len(shape) if isinstance(share, (int, float)) else share
        places = [round(each * (n - w)) for each, n, w in zip(shares, shape, self.lengths, strict=True)]
        return replace(self, starts=tuple(places))

    @property
    def box(self) -> tuple[slice, ...]:
        """The selection, of a pattern that has its place."""
        starts = self.starts or (0,) * len(self.lengths)
        return tuple([slice(start, start + n) for start, n in zip(starts, self.lengths, strict=True)])

    @property
    def elements(self) -> int:
        """How many elements are wanted."""
        return math.prod(self.lengths)


def parse(texts: Iterable[str], shape: Sequence[int], names: Sequence[str | None] | None = None) -> list[Pattern]:
    """Patterns from text: a name, a weight, and how much is read of each axis.

    After the colon comes a number or ``all`` for each axis, or ``name=number`` for some dimensions, the others whole.
    Patterns without a weight share what the others leave, evenly. The name may be left out as well.

    >>> [(p.name, p.weight) for p in parse(["maps: 1, all", "series 50%: all, 1", "2, 2"], (6, 8))]
    [('maps', 0.25), ('series', 0.5), ('2, 2', 0.25)]
    """
    found = []
    for text in texts:
        parts = _SPELLING.fullmatch(text.strip())
        if parts is None:
            raise LabError(f"pattern {text!r}: expected a name, a weight and lengths, such as {EXAMPLE}, found no such")
        entries = [entry.strip() for entry in parts["lengths"].split(",")]
        lengths = _by_name(text, entries, shape, names) if "=" in parts["lengths"] else entries
        if len(lengths) != len(shape):
            raise LabError(f"pattern {text!r}: expected a length for each of {len(shape)} axes, found {len(lengths)}")
        sizes = tuple(
            [_length(text, axis, entry, n) for axis, (entry, n) in enumerate(zip(lengths, shape, strict=True))]
        )
        weight = math.nan if parts["weight"] is None else float(parts["weight"]) / 100
        found.append(Pattern(parts["name"] or text.strip(), weight, sizes))
    return check(_shared(found), shape)


def _shared(patterns: list[Pattern]) -> list[Pattern]:
    """With weights for those that have none."""
    open_ones = sum(math.isnan(pattern.weight) for pattern in patterns)
    if not open_ones:
        return patterns
    left = 1 - math.fsum(pattern.weight for pattern in patterns if not math.isnan(pattern.weight))
    if left <= 0:
        raise LabError(
            "patterns: expected less than 100 % for those with a weight, as others have none, "
            f"found {100 * (1 - left):g} %; give each a weight, or less to those that have one"
        )
    return [replace(p, weight=left / open_ones) if math.isnan(p.weight) else p for p in patterns]


def _by_name(text: str, entries: list[str], shape: Sequence[int], names: Sequence[str | None] | None) -> list[str]:
    known = [name for name in names or () if name]
    lengths = {}
    for entry in entries:
        name, _, value = entry.partition("=")
        if name.strip() not in known:
            raise LabError(
                f"pattern {text!r}: expected a dimension of {', '.join(known) or 'the array, which has no names'}, "
                f"found {name.strip()!r}; or give a length for each axis, such as {EXAMPLE}"
            )
        lengths[name.strip()] = value.strip()
    return [lengths.get(name or "", "all") for name in names or ()]


def _length(text: str, axis: int, entry: str, extent: int) -> int:
    if entry in ("all", ":"):
        return extent
    if not entry.isdecimal():
        raise LabError(f"pattern {text!r}: expected a whole number or 'all' for axis {axis}, found {entry!r}")
    return int(entry)


def check(patterns: Sequence[Pattern], shape: Sequence[int]) -> list[Pattern]:
    """The patterns, if they fit the array and their weights sum to one; a sentence if not."""
    if not patterns:
        raise LabError(f"patterns: expected at least one, such as {EXAMPLE}, found none")
    for pattern in patterns:
        where = f"pattern {pattern.name!r}"
        if len(pattern.lengths) != len(shape):
            raise LabError(f"{where}: expected a length for each axis of {tuple(shape)}, found {pattern.lengths}")
        for axis, (length, extent) in enumerate(zip(pattern.lengths, shape, strict=True)):
            start = pattern.starts[axis] if pattern.starts else 0
            if length < 1 or start < 0 or start + length > extent:
                raise LabError(
                    f"{where}: expected from 1 to {extent} elements along axis {axis}, "
                    f"found {length}" + (f" from {start} on" if start else "")
                )
        if not pattern.weight > 0:
            raise LabError(f"{where}: expected a weight above 0, found {pattern.weight:g}; leave the pattern out")
    total = math.fsum(pattern.weight for pattern in patterns)
    if not math.isclose(total, 1, abs_tol=0.005):
        weights = " + ".join(f"{100 * pattern.weight:g}" for pattern in patterns)
        weights += f" = {100 * total:g}" if len(patterns) > 1 else ""
        scaled = " and ".join(f"{100 * pattern.weight / total:.3g} %" for pattern in patterns[:4])
        raise LabError(
            f"patterns: expected weights that sum to 100 %, found {weights} %; "
            f"in the same proportions they are {scaled}{' ...' if len(patterns) > 4 else ''}"
        )
    return [replace(pattern, weight=pattern.weight / total) for pattern in patterns]


def guess(shape: Sequence[int], names: Sequence[str | None] | None = None) -> list[Pattern]:
    """What people ask of an array of which nothing is known: lines along each axis, a plane, equally often."""
    named = [(names[axis] if names else None) or f"axis {axis}" for axis in range(len(shape))]
    boxes = {
        f"a line along {named[axis]}": tuple([n if a == axis else 1 for a, n in enumerate(shape)])
        for axis in range(len(shape))
    }
    if len(shape) == 1:
        boxes |= {f"a hundredth of {named[0]}": (max(1, shape[0] // 100),)}
    if len(shape) > 2:
        boxes[f"all at one {named[0]}"] = (1, *shape[1:])
    return [Pattern(name, 1 / len(boxes), lengths) for name, lengths in boxes.items()]


def from_log(requests: Iterable[Request], array: Any, pause: float = 0.05) -> list[Pattern]:
    """The reads that a `TraceStore` wrote down, as boxes of whole chunks; each box a pattern with its place.

    A read ends where for `pause` seconds nothing was asked for, or where a chunk is asked for again. The log tells
    which chunks were read, not which elements of them, so it knows nothing finer than the layout that it was
    recorded with.
    """
    unit = array.shards or array.chunks
    reads: list[set[tuple[int, ...]]] = []
    seen: dict[tuple[int, ...], Any] = {}
    until = -math.inf
    for request in sorted(requests, key=lambda each: each.start):
        coords = array.chunk_coords(request.key) if request.verb == "GET" else None
        if coords is None:
            continue
        again = coords in seen and (request.byte_range is None or request.byte_range in seen[coords])
        if not reads or request.start - until >= pause or again:
            reads.append(set())
            seen = {}
        reads[-1].add(coords)
        seen.setdefault(coords, set()).add(request.byte_range)
        until = max(until, request.start + request.seconds)
    if not reads:
        raise LabError(
            f"{array.label}: expected a log with requests for its chunks, found none; read with a TraceStore"
        )
    boxes = Counter(_box(read, unit, array.shape) for read in reads)
    kept = boxes.most_common(MOST_BOXES)
    total = sum(count for _, count in kept)
    return [
        Pattern(f"{count} of {len(reads)} reads, {_words(starts, lengths)}", count / total, lengths, starts)
        for (starts, lengths), count in kept
    ]


def _words(starts: Sequence[int], lengths: Sequence[int]) -> str:
    return selection_text([range(start, start + n) for start, n in zip(starts, lengths, strict=True)])


def _box(read: set[tuple[int, ...]], unit: Sequence[int], shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Where the box around chunks starts, and its lengths."""
    low = [min(column) * n for column, n in zip(zip(*read, strict=True), unit, strict=True)]
    high = [min((max(c) + 1) * n, e) for c, n, e in zip(zip(*read, strict=True), unit, shape, strict=True)]
    return tuple(low), tuple([b - a for a, b in zip(low, high, strict=True)])
