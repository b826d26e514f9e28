"""What a selection costs, worked out before anything is read or written.

`ReadPlan` is made by ``array.plan(selection)``, `WritePlan` by ``array.plan_write(selection)``. They follow the very
decisions of `chunk_io`, so the requests they foretell are the requests that are made. How many requests it takes to
read a part of a shard depends on where the writer put its inner chunks, which only the shard's index tells; and so do
the bytes that a compressed chunk takes. ``plan(selection, look=True)`` asks the store for these, which costs requests.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(100, 100), chunks=(10, 50), dtype="u1")
>>> print(a.plan((slice(0, 15), 7)).explain())
15 of 10,000 elements, 15 B in memory.
2 of 20 chunks are touched, 0 wholly and 2 in part: 2 requests.
1000 B are decoded for them, 66.7 times what is wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from tutorial_zarr.chunk_grids import Axis, UnevenAxis
from tutorial_zarr.chunk_io import ChunkIO, reading, shards
from tutorial_zarr.chunk_io.shards import coalesce, fetches_whole
from tutorial_zarr.doors import open_door
from tutorial_zarr.indexing import AxisProjection, Selection
from tutorial_zarr.words import size_text


class Touch(NamedTuple):
    """One chunk, or shard, that a selection touches."""

    coords: tuple[int, ...]
    key: str
    complete: bool  # whether all of its elements within the array are selected
    ranges: list[Any] | None  # the byte ranges to request, None among them for the whole value; None: not known
    inner: int | None  # how many inner chunks are touched, of a shard
    decoded: int | None  # bytes that the decoder will make; None for elements without a fixed size


class ReadPlan:
    """The cost of reading a selection. Counting is exact where `exact` is true, else `requests` is a bound."""

    def __init__(self, io: ChunkIO, selection: Selection, look: bool = False) -> None:
        self._io, self._selection, self.looked = io, selection, look
        self._split = selection.split(io.grid.axes)
        self._shards = shards.ShardPlan(io, selection)
        self.shape = selection.final_shape
        self.elements = math.prod(selection.final_shape)
        self.nbytes = self.elements * io.data_type.numpy.itemsize

    @property
    def chunks(self) -> int:
        """Chunks touched; shards, where there are shards."""
        return self._split.count

    @property
    def complete(self) -> int:
        """How many of them are selected wholly."""
        return math.prod(sum(part.is_complete for part in axis) for axis in self._split.parts) if self.chunks else 0

    def touches(self) -> Iterator[Touch]:
        """The chunks touched, in the order in which they are read."""
        io, split = self._io, self._split
        raw = reading.reads_raw(io, split)
        for coords, item, inner, complete in zip(
            split.chunk_coords(), split.axis_projections(), split.chunk_selections(), split.are_complete(), strict=True
        ):
            key = io.key(coords)
            if io.shards is not None:
                yield self._shard(coords, key, item, complete)
                continue
            stretches = reading.choose_stretches(io, inner) if raw and not complete else None
            if stretches is None:
                yield Touch(coords, key, complete, [None], None, io.pipeline_at(coords).nbytes)
            else:
                nbytes = sum(stop - start for start, stop in stretches.ranges)
                yield Touch(coords, key, complete, list(stretches.ranges), None, nbytes)

    def _shard(self, coords: tuple[int, ...], key: str, item: tuple[AxisProjection, ...], complete: bool) -> Touch:
        io = self._io
        layout = io.layout_at(coords)
        split = self._shards.split(layout, item, io.extents(coords))
        decoded = None if layout.inner.nbytes is None else split.count * layout.inner.nbytes
        ranges: list[Any] | None = None
        if fetches_whole(layout, split.count):
            ranges = [None]
        elif self.looked:
            ranges = [layout.index_range]
            encoded = io.store.get(key, layout.index_range)
            if encoded is not None:
                wanted = list(map(layout.number, split.chunk_coords()))
                found = layout.spans(layout.read_index(encoded), None, wanted)
                ranges += coalesce([span for span in found if span is not None], io.store.request_cost)[0]
        return Touch(coords, key, complete, ranges, split.count, decoded)

    @cached_property
    def _totals(self) -> tuple[int, bool, int | None, int, int | None]:
        requests, exact, inner = 0, True, 0
        decoded: int | None = 0
        stored: int | None = 0 if self.looked else None
        for touch in self.touches():
            exact = exact and touch.ranges is not None
            # without a look: the index, and each inner chunk by itself
            requests += 1 + (touch.inner or 0) if touch.ranges is None else len(touch.ranges)
            inner += touch.inner or 0
            decoded = None if decoded is None or touch.decoded is None else decoded + touch.decoded
            if stored is not None:
                stored += self._stored(touch)
        return requests, exact, decoded, inner, stored

    def _stored(self, touch: Touch) -> int:
        size = self._io.store.get_size(touch.key)
        if size is None:
            return 0
        nbytes = 0
        for byte_range in touch.ranges or ():
            if byte_range is None:
                nbytes += size
            elif isinstance(byte_range, int):
                nbytes += min(-byte_range, size)
            else:
                nbytes += max(0, min(byte_range[1], size) - byte_range[0])
        return nbytes

    @property
    def requests(self) -> int:
        """Requests to the store; without a look, of shards read in part the most that it may take."""
        return self._totals[0]

    @property
    def exact(self) -> bool:
        """Whether `requests` is exact."""
        return self._totals[1]

    @property
    def decoded_bytes(self) -> int | None:
        """Bytes that the decoders make, wanted or not; None for elements without a fixed size."""
        return self._totals[2]

    @property
    def inner_chunks(self) -> int | None:
        """Inner chunks touched; None without shards."""
        return None if self._io.shards is None else self._totals[3]

    @property
    def stored_bytes(self) -> int | None:
        """Bytes that come from the store; None unless it was asked (`look`)."""
        return self._totals[4]

    @property
    def amplification(self) -> float | None:
        """Bytes decoded for each byte wanted."""
        return None if self.decoded_bytes is None or not self.nbytes else self.decoded_bytes / self.nbytes

    def explain(self) -> str:
        """All of it in words."""
        io, unit = self._io, "chunks" if self._io.shards is None else "shards"
        size = math.prod(axis.extent for axis in io.grid.axes)
        lines = [f"{self.elements:,} of {size:,} elements, {size_text(self.nbytes)} in memory."]
        if not self.chunks:
            return f"{lines[0]}\nNo chunk is touched: nothing is read."
        inner = "" if self.inner_chunks is None else f" ({self.inner_chunks:,} inner chunks)"
        lines.append(
            f"{self.chunks:,} of {io.grid.nchunks:,} {unit} are touched{inner}, {self.complete:,} wholly and "
            f"{self.chunks - self.complete:,} in part: {'' if self.exact else 'at most '}"
            f"{self.requests:,} request{'s' if self.requests != 1 else ''}"
            + ("." if self.stored_bytes is None else f" for {size_text(self.stored_bytes)}.")
        )
        if self.amplification is not None:
            many = f"{self.amplification:,.3g} times what is wanted"
            lines.append(f"{size_text(self.decoded_bytes or 0)} are decoded for them, {many}.")
        return "\n".join(lines)

    def drawn(self) -> tuple[Any, ...] | None:
        """What is drawn of it: the shape, the lengths of chunks and of shards (or None), the chunks touched as pairs
        (coordinates, whole?), the factors of the selection. None if they are too many to go through.
        """
        io, selection = self._io, self._selection
        lengths = tuple(_lengths(axis) for axis in io.grid.axes)
        split, around, chunks = self._split, None, lengths
        if io.shards is not None:
            around, chunks = lengths, io.shards.chunk_shape
            if any(axis.extent > MOST_DRAWN * n for axis, n in zip(io.grid.axes, chunks, strict=True)):
                return None
            split = selection.split(tuple([Axis(axis.extent, n) for axis, n in zip(io.grid.axes, chunks, strict=True)]))
        if split.count > MOST_DRAWN:
            return None
        touched = zip(split.chunk_coords(), split.are_complete(), strict=True)
        shape = tuple(axis.extent for axis in io.grid.axes)
        return shape, chunks, around, touched, selection.factors

    def picture(self, names: Sequence[str | None] | None = None) -> Any:
        """The chunks touched, drawn over the grid, its axes by `names`; None where they are too many to go through."""
        return open_door("drawing").plan_picture(self, names)

    def __repr__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        return open_door("drawing").plan_card(self)


MOST_DRAWN = 20_000


def _lengths(axis: Axis) -> Any:
    """The length of an axis's chunks; all of them, where they differ."""
    return tuple(axis.lengths) if isinstance(axis, UnevenAxis) else axis.length


class WritePlan:
    """The cost of writing a selection: which write units it covers wholly, and which it must read and change."""

    def __init__(self, io: ChunkIO, selection: Selection) -> None:
        self._io, self._split = io, selection.split(io.grid.axes)

    @property
    def units(self) -> int:
        """Chunks, or shards, that are written."""
        return self._split.count

    @property
    def whole(self) -> int:
        """Units that are covered wholly: encoded and written, without a lock; of those at the edge see `edge`."""
        return math.prod(sum(part.is_complete for part in axis) for axis in self._split.parts) if self.units else 0

    @property
    def partial(self) -> int:
        """Units that are read, changed and written back."""
        return self.units - self.whole

    @property
    def edge(self) -> int:
        """Whole units that hang over the array's edge: changed, not replaced, since others may append meanwhile."""
        edges = self._io.edges
        if not edges or not self.units:
            return 0
        covered = [[part.chunk_coord for part in axis if part.is_complete] for axis in self._split.parts]
        if self._split.selection.points:
            return 0
        inner = math.prod(sum(chunk != last for chunk in axis) for axis, last in zip(covered, edges, strict=True))
        return math.prod(map(len, covered)) - inner

    @property
    def aligned(self) -> bool:
        """Whether all units are whole: then writers of other units need know nothing of this one."""
        return self.partial == 0

    @property
    def requests(self) -> int:
        """Requests to the store: one for a whole unit, two for one at the edge or in part, if nobody else disturbs."""
        return self.whole + self.edge + 2 * self.partial

    def touches(self) -> Iterator[tuple[str, bool]]:
        """The key of each unit, and whether it is covered wholly."""
        return zip(map(self._io.key, self._split.chunk_coords()), self._split.are_complete(), strict=True)

    def explain(self) -> str:
        """All of it in words."""
        if not self.units:
            return "No chunk is touched: nothing is written."
        unit = "chunks" if self._io.shards is None else "shards"
        text = f"{self.units:,} {unit} are written: {self.whole:,} wholly"
        if self.edge:
            text += f" ({self.edge:,} at the edge, which {'are' if self.edge > 1 else 'is'} read first)"
        if self.partial:
            text += f", {self.partial:,} in part, which must be read first"
        return f"{text}; {self.requests:,} request{'s' if self.requests != 1 else ''}."

    def __repr__(self) -> str:
        return self.explain()
