"""Dask arrays from arrays in a store, and into them, block by block.

What is written at once is the write unit: the shard, or the chunk where there are no shards. Two tasks that write
into one unit at the same time may undo each other's work, so blocks that are stored must end where units end::

    units    |-------|-------|-------|----       edges at 0 8 16 24 28
    blocks   |---------------|-----------|       16 is an edge of both: the two may be written together
    blocks   |-----------|---------------|       12 lies within a unit: refused, or moved on to 16

Reading has no such rule; blocks of whole units read each of them once. Work on the chunks themselves, without dask
arrays, needs none of this: ``a.parallel_chunk_map(fn, executor=client.get_executor())`` runs on a dask cluster.

>>> edge_within_a_unit([(12, 16)], [slice(0, 28)], [Axis(28, 8)])
(0, 12, 8, 16)
>>> moved_to_units([(12, 16)], [slice(0, 28)], [Axis(28, 8)])
[(16, 12)]
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from tutorial_zarr import api, nodes, replacing
from tutorial_zarr.array import Array
from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.errors import MissingDependencyError, SelectionError, StoreError, ValueMismatchError
from tutorial_zarr.sources import reads_from
from tutorial_zarr.stores.shared import Home

BLOCK_BYTES = 1 << 27  # what a block that was not asked for otherwise holds at most, or one unit where that is more
Blocks = Sequence[tuple[int, ...]]  # lengths along each axis


def to_dask(array: Array, chunks: Any = "auto") -> Any:
    """A dask array that reads `array`. Blocks hold whole write units, unless `chunks` says something else.

    `chunks` is ``"auto"`` (blocks of up to 128 MiB), ``"units"`` (a block for each write unit), or what dask takes:
    lengths by axis. Blocks that cut units are allowed; such a unit is read once for each block that needs it.
    """
    da = _dask_array()
    if isinstance(chunks, str) and chunks in ("auto", "units"):
        blocks = whole_units(array, 0 if chunks == "units" else BLOCK_BYTES)
    else:
        blocks = da.core.normalize_chunks(chunks, array.shape, dtype=array.dtype)
    meta = np.empty((0,) * array.ndim, array.dtype)
    return da.from_array(array, chunks=blocks, name=False, meta=meta, inline_array=True)


def whole_units(array: Array, nbytes: int) -> tuple[tuple[int, ...], ...]:
    """Lengths along each axis of blocks of whole write units: as many as `nbytes` hold, the last axis first."""
    axes = array.grid.axes
    room = nbytes // max(1, array.itemsize * math.prod(axis.length for axis in axes))
    blocks: list[tuple[int, ...]] = []
    for axis in reversed(axes):
        taken = max(1, min(axis.count, room))
        room //= taken
        edges = [axis.start(unit) for unit in range(0, axis.count, taken)] + [axis.extent]
        blocks.append(tuple(b - a for a, b in itertools.pairwise(edges)) or (0,))
    return tuple(reversed(blocks))


def slabs(array: Array, nbytes: int) -> Iterator[tuple[slice, ...]]:
    """Slices that cover an array: blocks of whole write units, of at most `nbytes` where a unit is no more."""
    axes = [list(itertools.accumulate((0, *lengths))) for lengths in whole_units(array, nbytes)]
    return itertools.product(*[[slice(a, b) for a, b in itertools.pairwise(edges)] for edges in axes])


def store_dask(data: Any, array: Array, region: Any = None, *, rechunk: bool = False, compute: bool = True) -> Any:
    """Write a dask array into `array`, or into the slices `region` of it, block by block and many at a time.

    Blocks of which two lie in one write unit are refused with ValueMismatchError; with `rechunk` they are cut anew.
    With `compute` False nothing is written yet; a Delayed is returned that writes. Blocks that are read from the array
    itself are computed, and held, before one is written; with `compute` False they are refused.
    """
    da = _dask_array()
    cuts = _region(array, region)
    shape = tuple(cut.stop - cut.start for cut in cuts)
    if data.shape != shape:
        raise ValueMismatchError(
            f"array {array.path!r}: expected a dask array of the shape {shape}, found {data.shape}; try region="
        )
    axes = array.grid.axes
    if (found := edge_within_a_unit(data.chunks, cuts, axes)) is not None:
        if not rechunk:
            axis, edge, start, stop = found
            raise ValueMismatchError(
                f"array {array.path!r}: expected blocks that end where write units end, found one that ends at {edge} "
                f"on axis {axis}, within the unit from {start} to {stop}; tasks that share a unit may undo each "
                f"other's work. Try rechunk=True, or data.rechunk({tuple(moved_to_units(data.chunks, cuts, axes))})"
            )
        data = data.rechunk(tuple(moved_to_units(data.chunks, cuts, axes)))
    if reads_from(data, array.store, array.path):
        if not compute:
            raise ValueMismatchError(
                f"array {array.path!r}: expected blocks that are not read from the array itself, which changes while "
                "they are written; try compute=True"
            )
        data = data.persist()
    with Gate() as gate:
        return da.store(data, Target(array, gate if compute else None), regions=cuts, lock=False, compute=compute)


class Target:
    """An array that tasks write to, wherever they run: refused where that is a copy of a store in memory."""

    def __init__(self, array: Array, gate: Gate | None = None) -> None:
        self.array, self.home, self.gate = array, Home(array.store), gate

    def __setitem__(self, key: Any, value: Any) -> None:
        self.home.check(self.array.store, f"array {self.array.path!r}")
        with nullcontext() if self.gate is None else self.gate.passing():
            self.array[key] = value

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "gate": None}  # it is for threads


class Gate:
    """A ``with`` block that is left when nothing in it is being written any more.

    Where one block of dask fails, threads go on with others, which must not be written after all was taken back.
    """

    def __init__(self) -> None:
        self._changed, self._writing, self._closed = threading.Condition(), 0, False

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._closed = True
            while self._writing:
                self._changed.wait()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """For one write; an error where the gate is closed."""
        with self._changed:
            if self._closed:
                raise StoreError("expected to write a block in time, found that another one had failed before")
            self._writing += 1
        try:
            yield
        finally:
            with self._changed:
                self._writing -= 1
                self._changed.notify_all()


def from_dask(data: Any, store: Any, *, rechunk: bool = False, compute: bool = True, **options: Any) -> Any:
    """Create an array for a dask array and write it; `options` are those of `create_array`.

    Where no `chunks` are named, the blocks become the chunks; they must be of one length along each axis then, but
    for the last. Returns the array; with `compute` False the array and a Delayed that writes the values.
    """
    if "chunks" not in options:
        uneven = [i for i, b in enumerate(data.chunks) if len(set(b[:-1])) > 1 or b[-1] > b[0]]
        if uneven:
            raise ValueMismatchError(
                f"from_dask: expected blocks of one length along each axis, found {data.chunks[uneven[0]]} on axis "
                f"{uneven[0]}; try chunks= with rechunk=True, or data.rechunk(...)"
            )
        options["chunks"] = tuple(max(1, b[0]) for b in data.chunks)
    trial = api.create_array({}, shape=data.shape, dtype=data.dtype, **{**options, "name": None})
    whole = [slice(0, n) for n in data.shape]
    if not rechunk and edge_within_a_unit(data.chunks, whole, trial.grid.axes) is not None:
        store_dask(data, trial)  # refuses, before anything is created
    opened = api._open_store(store, "a", options.pop("storage_options", None))
    path = nodes.normalize_path(options.get("name"))
    if not compute:
        if options.get("overwrite") and reads_from(data, opened, path):
            raise ValueMismatchError(
                f"array {path!r}: expected blocks that are not read from what is replaced before they are computed; "
                "try compute=True, or another place"
            )
        array = api.create_array(opened, shape=data.shape, dtype=data.dtype, **options)
        return array, store_dask(data, array, rechunk=rechunk, compute=False)
    documents, overwrite = nodes.documents(trial.metadata, path), options.get("overwrite", False)
    making = replacing.Replacement(
        opened,
        path,
        documents,
        "store a dask array",
        overwrite=overwrite,
        staged=True,
        onto_itself=lambda: reads_from(data, opened, path),
    )
    with making as place:
        store_dask(data, trial.at(opened, place.path, alone=True), rechunk=rechunk)
    return trial.at(opened, path)


def afterwards(function: Callable[[], Any], values: Any) -> Any:
    """A Delayed that calls `function` when `values` are there."""
    dask = _dask()
    return dask.delayed(_call)(function, values)


def _call(function: Callable[[], Any], _: Any) -> None:
    function()


# --- blocks and write units


def edge_within_a_unit(
    blocks: Blocks, region: Sequence[slice], axes: Sequence[Axis], whole: bool = False
) -> tuple[int, int, int, int] | None:
    """The first edge between blocks that lies within a write unit: axis, index, where the unit begins and ends.

    None where all is well. With `whole` the outer edges of the region count as well.
    """
    for i, (lengths, cut, axis) in enumerate(zip(blocks, region, axes, strict=True)):
        for edge in [*([cut.start, cut.stop] if whole else []), *_inner_edges(lengths, cut.start)]:
            start, stop = _unit(axis, edge)
            if start < edge < stop:
                return i, edge, start, stop
    return None


def moved_to_units(blocks: Blocks, region: Sequence[slice], axes: Sequence[Axis]) -> list[tuple[int, ...]]:
    """The blocks with every edge that lies within a write unit moved on to the unit's end."""
    moved = []
    for lengths, cut, axis in zip(blocks, region, axes, strict=True):
        units = [(edge, *_unit(axis, edge)) for edge in _inner_edges(lengths, cut.start)]
        edges = {edge if edge == start else min(stop, cut.stop) for edge, start, stop in units}
        ends = [cut.start, *sorted(edges - {cut.start, cut.stop}), cut.stop]
        moved.append(tuple(b - a for a, b in itertools.pairwise(ends)))
    return moved


def _inner_edges(lengths: tuple[int, ...], start: int) -> list[int]:
    return [start + edge for edge in itertools.accumulate(lengths[:-1])]


def _unit(axis: Axis, index: int) -> tuple[int, int]:
    """Where the unit that holds an index begins and ends; beyond the axis there is nothing to share."""
    if index >= axis.extent:
        return index, index
    start = axis.start(unit := axis.find(index))
    return start, min(start + axis.size(unit), axis.extent)


def _region(array: Array, region: Any) -> tuple[slice, ...]:
    cuts = (slice(None),) * array.ndim if region is None else region if isinstance(region, tuple) else (region,)
    if len(cuts) != array.ndim or not all(isinstance(c, slice) and c.step in (None, 1) for c in cuts):
        raise SelectionError(
            f"array {array.path!r}: region: expected {array.ndim} slices of step 1, found {region!r}", region=region
        )
    return tuple(slice(*c.indices(n)[:2]) for c, n in zip(cuts, array.shape, strict=True))


def _dask() -> Any:
    try:
        import dask
    except ImportError as cause:
        raise MissingDependencyError(
            "tutorial_zarr.integrations.dask_arrays: expected dask, found none; try pip install 'tutorial_zarr[xarray]'"
        ) from cause
    return dask


def _dask_array() -> Any:
    _dask()
    import dask.array

    return dask.array
