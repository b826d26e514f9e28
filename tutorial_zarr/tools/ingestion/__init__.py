"""Long writing jobs that must come to their end: `ingest` for blocks in any order, `AppendBuffer` for rows one by one.

    run       `ingest`: many workers, watched over; what is done stands in a journal, and a killed run goes on
    workers   processes that are started again when they die
    buffer    `AppendBuffer`: rows are collected until they fill a write unit, and outlive a kill

How several writers append to one array without a buffer is in `resizing`.

>>> import numpy as np
>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(4, 4), chunks=(2, 4), dtype="i4")
>>> print(ingest([(0, np.ones((2, 4))), (1, np.full((2, 4), 2)), ((9, 0), None)], a, executor="threads"))
2 items written
1 failed: (9, 0): array at the root (Zarr 3): expected chunk coordinates below (2, 1), found (9, 0)
"""

from .buffer import AppendBuffer
from .run import Report, ingest

__all__ = ["AppendBuffer", "Report", "ingest"]
