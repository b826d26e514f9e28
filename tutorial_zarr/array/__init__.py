"""`Array`: metadata, grid, codecs and store behind NumPy's brackets.

What an array is, is in `base`; what is between its brackets, in `selecting`; its chunks one by one, in `chunks`. Here
it changes its shape, and shows itself. How chunks are read and written is in `chunk_io`.
An array holds no data and no thread: it can be pickled, and opens itself again elsewhere.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(6, 4), chunks=(3, 4), dtype="i4")
>>> a[2:5, 1] = [7, 8, 9]
>>> a[:, 1].tolist(), a.nchunks_initialized
([0, 0, 7, 8, 9, 0], 2)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tutorial_zarr import display, nodes
from tutorial_zarr.errors import MetadataError, SelectionError, ValueMismatchError, ZarrError

from .chunks import ChunkAccess


class Array(ChunkAccess):
    """An array in a store. Made by `create_array` and `open_array`."""

    def resize(self, *shape: Any) -> None:
        """Change the shape. What is cut off is gone, and stays gone when the array grows again."""
        new = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
        self._check_writable("its shape")
        if len(new) != self.ndim or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in new):
            raise MetadataError(
                f"{self._label}: expected {self.ndim} lengths of at least 0 for the shape {self.shape}, found {new}",
                key="shape",
            )
        new = tuple(int(n) for n in new)
        inner = self._inner or (1,) * self.ndim
        metadata = self.metadata.with_shape(new, self.grid.resized(new, inner))
        after = Array(self.store, self.path, metadata, **self._options).grid  # nothing is changed that would not open
        # Nothing beyond the edge may come back: an edge chunk is stored whole, and what its overhang holds (old
        # elements, or another writer's padding) would come to light in a larger array.
        for coords in list(self._stored_chunks()):
            if any(c >= n for c, n in zip(coords, after.counts, strict=True)):
                self.store.delete(self._io.key(coords))
            else:
                self._clear_overhang(coords, tuple(min(a, b) for a, b in zip(self.shape, new, strict=True)))
        nodes.write(self.store, self.path, metadata)
        self._bind(metadata)

    def _clear_overhang(self, coords: tuple[int, ...], valid: tuple[int, ...]) -> None:
        origin, shape = self.grid.origin(coords), self.grid.chunk_shape(coords)
        inside = tuple([max(0, min(n, v - o)) for n, v, o in zip(shape, valid, origin, strict=True)])
        if inside == shape:
            return

        def clear(chunk: np.ndarray) -> bool:
            before, kept = chunk.copy(), tuple([slice(n) for n in inside])
            chunk[...] = self._io.fill_item
            chunk[kept] = before[kept]
            return not _same_bits(before, chunk)

        self._io.update(self._io.key(coords), self._io.pipeline_at(coords), clear)

    def append(self, data: Any, axis: int = 0) -> tuple[int, ...]:
        """Add `data` at the end of an axis, and return the new shape."""
        self._check_writable("elements")
        value = data if isinstance(data, np.ndarray) else self._cast(data, self.dtype)
        if not -self.ndim <= axis < self.ndim:
            raise SelectionError(f"{self._label}: expected an axis below {self.ndim}, found {axis}", axis=axis)
        axis %= self.ndim
        others = tuple(n for i, n in enumerate(self.shape) if i != axis)
        if value.ndim != self.ndim or tuple(n for i, n in enumerate(value.shape) if i != axis) != others:
            raise ValueMismatchError(
                f"{self._label}: expected data of the array's shape {self.shape} on every axis but {axis}, "
                f"found {value.shape}",
                axis=axis,
            )
        value = value.astype(self.dtype, copy=False)  # an error here comes before anything has changed
        start, stop = self.shape[axis], self.shape[axis] + value.shape[axis]
        if stop > start:
            self.resize(tuple(stop if i == axis else n for i, n in enumerate(self.shape)))
            self[tuple(slice(start, stop) if i == axis else slice(None) for i in range(self.ndim))] = value
        return self.shape

    # --- to look at

    def _summary(self) -> display.ArraySummary:
        """What the metadata says; nothing is read, nothing listed."""
        fill = self.fill_value
        known: dict[str, Any] = {
            "name": self.name,
            "zarr_format": self.zarr_format,
            "shape": self.shape,
            "dtype": str(self.dtype),
            "itemsize": self.itemsize,
            "fill_value": "undefined" if fill is None else repr(fill) if isinstance(fill, (str, bytes)) else str(fill),
            "dimension_names": self.dimension_names,
            "attributes": self.metadata.attributes,
            "store": repr(self.store),
            "read_only": self.read_only,
            "varying": self.metadata.data_type.item_size is None,
        }
        try:
            codecs = display.codec_lines(self.codecs, self.zarr_format)
            return display.ArraySummary(
                **known, chunks=self.chunks, shards=self.shards, codecs=codecs, order=self.order
            )
        except ZarrError as error:  # listed although its codecs are unknown
            return display.ArraySummary(**known, problem=str(error))

    def _repr_html_(self) -> str:
        return display.array_html(self._summary())

    @property
    def info(self) -> display.Info:
        """A summary to print or to show on a page; it reads and lists nothing in the store."""
        summary = self._summary()
        return display.Info(display.array_text(summary), display.array_html(summary))

    def info_complete(self) -> display.Info:
        """`info`, and what the store tells by one listing: how much is stored, and the ratio."""
        stored, summary = self.nbytes_stored(), self._summary()
        more = {"Stored": f"{stored:,} bytes, metadata included"}
        if not summary.varying:
            more["Ratio"] = display.ratio_text(self.nbytes, stored)
        more["Chunks stored"] = f"{self.nchunks_initialized:,} of {self.nchunks:,}"
        return display.Info(display.array_text(summary, more), display.array_html(summary, more))


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind in "OT":
        pairs = zip(a.flat, b.flat, strict=True)
        return all(x is y or (type(x) is type(y) and bool(np.all(x == y))) for x, y in pairs)
    return a.tobytes() == b.tobytes()
