"""`Array`: metadata, grid, codecs and store behind NumPy's brackets.

What an array is, is in `base`; what is between its brackets, in `selecting`; its chunks one by one, in `chunks`; how
it changes its shape, in `growing`. Here it shows itself. How chunks are read and written is in `chunk_io`.
An array holds no data and no thread: it can be pickled, and opens itself again elsewhere.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(6, 4), chunks=(3, 4), dtype="i4")
>>> a[2:5, 1] = [7, 8, 9]
>>> a[:, 1].tolist(), a.nchunks_initialized
([0, 0, 7, 8, 9, 0], 2)
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr.doors import open_door

from .growing import Growing


class Array(Growing):
    """An array in a store. Made by `create_array` and `open_array`."""

    def _repr_html_(self) -> str:
        return open_door("drawing").array_card(self)

    @property
    def info(self) -> Any:
        """A summary to print or to show on a page; it reads and lists nothing in the store."""
        return open_door("drawing").array_info(self)

    def info_complete(self) -> Any:
        """`info`, and what the store tells by one listing: how much is stored, and the ratio."""
        return open_door("drawing").array_info(self, complete=True)
