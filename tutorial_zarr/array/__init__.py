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

from tutorial_zarr import display
from tutorial_zarr.display.words import text_of
from tutorial_zarr.errors import ZarrError

from .growing import Growing


class Array(Growing):
    """An array in a store. Made by `create_array` and `open_array`."""

    def _summary(self) -> display.ArraySummary:
        """What the metadata says; nothing is read, nothing listed."""
        fill = self.fill_value
        known: dict[str, Any] = {
            "name": self.name,
            "zarr_format": self.zarr_format,
            "shape": self.shape,
            "dtype": str(self.dtype),
            "itemsize": self.itemsize,
            "fill_value": "undefined"
            if fill is None
            else repr(fill)
            if isinstance(fill, (str, bytes))
            else text_of(fill),
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
