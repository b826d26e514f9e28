"""Pictures of arrays: the chunk grid with what is stored, the keys of an array and what each holds, the bytes of
a chunk taken apart, bytes in hex, the requests that a store was asked for.

A `Picture` is an SVG with a title and a description for screen readers, in colours that stay apart for
colour-blind eyes and in grey, with a dark variant for dark pages. In a notebook it shows itself; as text it
is its description. `chunk_grid_figure` draws the grid with matplotlib, the only optional package here, for
those who want to draw on. `canvas` and `Chart` are for a lesson's charts of measurements.

Notebooks: 01_01, 01_02.

>>> import tutorial_zarr as zarr
>>> from tutorial_zarr import viz
>>> a = zarr.create_array({}, shape=(6, 6), chunks=(2, 3), dtype="uint8", zarr_format=2)
>>> a[0:2, 0:4] = 1
>>> print(viz.chunk_grid(a, selection=(slice(1, 3), slice(2, 4))))
Chunk grid of a 6 x 6 array in chunks of 2 x 3: 2 of 6 chunks are stored, 4 are absent and read as 0. \
The selection [1:3, 2:4] touches 4 chunks.
"""

from tutorial_zarr.viz.anatomy import Anatomy, anatomy, hexdump
from tutorial_zarr.viz.chart import Chart, canvas
from tutorial_zarr.viz.chunk_bytes import ChunkBytes, chunk_bytes
from tutorial_zarr.viz.chunk_grid import chunk_grid, chunk_grid_figure, stored_chunks
from tutorial_zarr.viz.drawing import Picture
from tutorial_zarr.viz.requests import Requests, requests

__all__ = [
    "Anatomy",
    "Chart",
    "ChunkBytes",
    "Picture",
    "Requests",
    "anatomy",
    "canvas",
    "chunk_bytes",
    "chunk_grid",
    "chunk_grid_figure",
    "hexdump",
    "requests",
    "stored_chunks",
]
