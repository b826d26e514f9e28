"""The plain way: for each chunk that a selection touches, fetch its bytes, decode them, and copy what is selected.

`read` and `write` are all that a Zarr needs. They hold one chunk at a time, one thread runs them, and a shard is a
chunk like any other. The quick ways in `reading` and `writing` do the same, and the tests compare them with these two.
`Decoder` and `assign` are theirs as well: they serve where no quick way does, as in uneven grids, for points, and for
codecs that cannot decode in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr.codecs import Pipeline
from tutorial_zarr.indexing import Selection, points_first

from .chunks import ChunkIO


def read(io: ChunkIO, selection: Selection, out: np.ndarray) -> None:
    """Read a selection into `out`, whose shape is `selection.shape`."""
    for chunk_coords, chunk_selection, out_selection, _ in selection.split(io.grid.axes):
        data = io.store.get(io.key(chunk_coords))
        decoder = Decoder(io, io.pipeline_at(chunk_coords), selection, out)
        decoder.place(data, chunk_selection, out_selection)


def write(io: ChunkIO, selection: Selection, value: np.ndarray, fields: list[str] | None = None) -> None:
    """Write `value`, whose shape is `selection.shape` and whose type is the array's, or has the `fields` alone.

    A chunk is read, changed and written back, and nobody else is kept out meanwhile: `writing` does that.
    """
    for chunk_coords, chunk_selection, out_selection, _ in selection.split(io.grid.axes):
        key, pipeline = io.key(chunk_coords), io.pipeline_at(chunk_coords)
        chunk = io.decode(io.store.get(key), pipeline)
        assign(points_first(chunk, selection), chunk_selection, value[(*out_selection, ...)], fields)
        io.store.put(key, io.encode(chunk, pipeline))


class Decoder:
    """Decodes chunks of one pipeline, and copies what is selected of each to its place in the output."""

    def __init__(self, io: ChunkIO, pipeline: Pipeline, selection: Selection, out: np.ndarray) -> None:
        self.io, self.pipeline, self.selection, self.out = io, pipeline, selection, out

    def place(self, data: Any, chunk_selection: Any, out_selection: Any, is_complete: bool = False) -> None:
        """Decode `data`, and copy what is selected. Where there is no chunk (None), its place is the fill value."""
        if data is None:
            self.out[(*out_selection, ...)] = self.io.fill  # "...": a view, also of one element
        else:
            self.out[out_selection] = points_first(self.pipeline.decode(data), self.selection)[chunk_selection]


def assign(chunk: np.ndarray, chunk_selection: Any, part: np.ndarray, fields: list[str] | None) -> None:
    """Assign `part` to what is selected of a chunk, or of some of its fields."""
    if fields is None:
        chunk[(*chunk_selection, ...)] = part
    for field in fields or ():
        chunk[field][(*chunk_selection, ...)] = part[field]
