"""Reading within shards: which inner chunks a selection touches, and which bytes of the shard they are.

The format of a shard is in `codecs.sharding`; here only what is wanted of it is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.codecs.sharding import ShardLayout, sharding_of
from tutorial_zarr.errors import LimitError, ReplacedError, StoreError, ZarrError
from tutorial_zarr.indexing import AxisProjection, Selection, Split
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.base import cut
from tutorial_zarr.stores.snapshot import Snapshot

from .chunks import ChunkIO

MANY = 1 << 12  # inner chunks along an axis from which on it is asked first whether there is a shard
READ_ATTEMPTS = 20  # a shard that was replaced so many times in a row while it was read is given up


class ShardPlan:
    """How a selection falls on inner chunks. What shards share along an axis is worked out once."""

    def __init__(self, io: ChunkIO, selection: Selection) -> None:
        self.io, self.selection = io, selection
        self._parts: dict[tuple[Any, ...], tuple[AxisProjection, list[AxisProjection]]] = {}

    def split(self, layout: ShardLayout, item: tuple[AxisProjection, ...], extents: tuple[int, ...]) -> Split:
        """One shard's part of the selection, cut along its inner chunks; `extents` is where the array ends in it."""
        along = max(layout.counts, default=1)
        if along > 1 << 16:  # each takes about so much to plan for, whatever it holds
            limits.check_memory(self.io.label, 512 * along)
        sizes = tuple(zip(extents, layout.chunk_shape, strict=True))
        parts = []
        for part, axes in zip(item, self.selection.axes, strict=True):
            key = (id(part), tuple([sizes[a] for a in axes]))
            found = self._parts.get(key)
            if found is None:  # the part is kept too, so that no other gets its id
                found = self._parts[key] = part, part.factor.split(tuple([Axis(*sizes[a]) for a in axes]))
            parts.append(found[1])
        return Split(self.selection, parts)

    def jobs(
        self,
        coords: tuple[int, ...],
        item: tuple[AxisProjection, ...],
        out_selection: Any,
        buffer: np.ndarray | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """(key, pipeline, group) for the inner chunks of a shard's part, whose place in the output is `out_selection`.

        A group is a list of neighbours: (encoded bytes or None, place), a place being (chunk selection, out selection,
        whether it is complete). The bytes may lie in `buffer`, where one is given. A shard that is absent is one group
        of one, however many chunks it could hold.
        """
        io = self.io
        key, layout = io.key(coords), io.layout_at(coords)
        try:
            many = io.missing != "warn" and max(layout.counts, default=1) > MANY
            if many and not io.store.exists(key):  # to cut the part up would take long
                yield key, layout.inner, [(None, (None, out_selection, False))]
                return
            source, extents = ShardSource(io.store, key), io.extents(coords)
            for pipeline, group in self._inner_jobs(source, layout, item, extents, out_selection, buffer):
                yield key, pipeline, group
        except ZarrError as cause:
            io.give_up(key, "decode", cause)

    def _inner_jobs(
        self,
        source: ShardSource,
        layout: ShardLayout,
        item: tuple[AxisProjection, ...],
        extents: tuple[int, ...],
        out_selection: Any,
        buffer: np.ndarray | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """The jobs of one shard, without its key.

        Where at least half of the inner chunks are wanted the shard is fetched whole, with one request; else the
        index is, and then the ranges.
        """
        split = self.split(layout, item, extents)
        pipeline, nested = layout.inner, sharding_of(layout.inner)
        if source.store is not None and fetches_whole(layout, split.count):
            source = source.whole(buffer)
        data = fetch(source, layout, split, self.io.absent if self.io.missing == "error" else None)
        if data is None:  # no shard: one place for all, unless each inner chunk counts
            each_place = split.places() if self.io.missing == "warn" else [(None, out_selection, False)]
            yield pipeline, [(None, place) for place in each_place]
            return
        jobs = zip(data, split.places(), strict=True)
        if nested is None:
            while group := list(itertools.islice(jobs, pipeline.batch_size)):
                yield pipeline, group
            return
        for (each, place), coords, deeper in zip(jobs, split.chunk_coords(), split.axis_projections(), strict=True):
            if each is None:
                yield pipeline, [(each, place)]
                continue
            rest = [min(n, e - c * n) for c, n, e in zip(coords, layout.chunk_shape, extents, strict=True)]
            inside, (_, inner_out, _) = ShardSource(None, source.key, memoryview(each)), place
            yield from self._inner_jobs(inside, nested, deeper, tuple(rest), inner_out)


def fetch(source: ShardSource, layout: ShardLayout, split: Split, absent: Any = None) -> list[Any] | None:
    """The encoded inner chunks that a selection touches, None for each that is absent; None where there is no shard.

    The index and the chunks are of one state of the shard: if it was replaced in between, all is read again. `absent`
    is called with the key and the coordinates of the first chunk that a shard lacks.
    """
    with source:
        for _ in range(READ_ATTEMPTS):
            encoded_index = source.get(layout.index_range)
            if encoded_index is None:
                return None
            size = None if source.store else len(source.data or b"")
            wanted = layout.spans(layout.read_index(encoded_index), size, [*map(layout.number, split.chunk_coords())])
            if absent and None in wanted:
                absent(source.key, [*split.chunk_coords()][wanted.index(None)])
            present = list(filter(None, wanted))
            try:
                found = source.get_ranges(present)
            except ReplacedError:
                continue
            _check_lengths(layout, present, found)
            following = iter(found)
            return [None if span is None else next(following) for span in wanted]
    raise StoreError(
        f"key {source.key!r}: expected a shard that stays the same while it is read, found that another writer "
        f"replaced it {READ_ATTEMPTS} times in a row; try again when fewer write to it"
    )


def _check_lengths(layout: ShardLayout, spans: list[tuple[int, int]], found: list[Any]) -> None:
    for (start, stop), each in zip(spans, found, strict=True):
        if len(each) != stop - start:
            raise layout.codec.fail(f"{stop - start} bytes at offset {start} of the shard", f"{len(each)}")


def fetches_whole(layout: ShardLayout, wanted: int) -> bool:
    """Whether a shard is fetched whole, with one request, rather than its index and then so many inner chunks."""
    return 2 * wanted >= layout.nchunks


def coalesce(ranges: list[tuple[int, int]], request_cost: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Byte ranges with those joined that lie close together, and for each of `ranges` which of them it is in."""
    spans: list[tuple[int, int]] = []
    which = [0] * len(ranges)
    for i in sorted(range(len(ranges)), key=ranges.__getitem__):
        start, stop = ranges[i]
        if spans and start - spans[-1][1] <= request_cost:
            spans[-1] = spans[-1][0], max(spans[-1][1], stop)
        else:
            spans.append((start, stop))
        which[i] = len(spans) - 1
    return spans, which


class ShardSource:
    """The bytes of one shard in a store; or, for a shard within a shard, a stretch of another source."""

    def __init__(self, store: Store | None, key: str, data: memoryview | None = None) -> None:
        self.store, self.key, self.data = store, key, data
        self._snapshot: Snapshot | None = None

    def __enter__(self) -> ShardSource:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the state that `get` read."""
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def get(self, byte_range: Any) -> Any:
        """The bytes of a range, and from now on of this state of the shard; None where there is none."""
        if self.store is None:
            return None if self.data is None else cut(self.data, byte_range)
        self.close()
        self._snapshot = self.store.snapshot(self.key)
        return self._snapshot.get(byte_range)

    def get_whole(self, buffer: np.ndarray | None) -> Any:
        """The bytes of the shard in the store, in `buffer` where they fit; None where there is none."""
        read = None if buffer is None else self.store.reader("")  # type: ignore[union-attr]
        if read is None:
            return self.store.get(self.key)  # type: ignore[union-attr]
        size = read(self.key, buffer)
        if size is not None and size > len(buffer):  # type: ignore[arg-type]
            return self.store.get(self.key)  # type: ignore[union-attr]
        return None if size is None else buffer[:size]  # type: ignore[index]

    def whole(self, buffer: np.ndarray | None) -> ShardSource:
        """All of the shard, at hand; or this one, where it is far larger than its chunks: not all need be read."""
        try:
            shard = self.get_whole(buffer)
        except LimitError:
            return self
        return ShardSource(None, self.key, None if shard is None else memoryview(shard).cast("B"))

    def get_ranges(self, ranges: list[tuple[int, int]]) -> list[Any]:
        """The bytes of several ranges of what `get` read last; those close together come with one request."""
        if self.store is None:
            return [self.data[start:stop] for start, stop in ranges]  # type: ignore[index]
        spans, which = coalesce(ranges, self.store.request_cost)
        found = self._snapshot.get_ranges(spans)  # type: ignore[union-attr]
        if any(data is None for data in found):
            raise ReplacedError(f"key {self.key!r}: expected the shard whose index was just read, found nothing")
        views = [memoryview(data) for data in found]
        return [
            views[w][start - spans[w][0] : stop - spans[w][0]] for w, (start, stop) in zip(which, ranges, strict=True)
        ]
