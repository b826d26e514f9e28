"""Batches of rows for training, in a shuffled order that follows the chunks.

A full shuffle reads a chunk for nearly every row. A loader that shuffles chunks, and mixes the rows of a few of them
in a buffer, reads each chunk once and comes close to the same mix::

    order    which rows make which batch: strategies, seeds and parts, on row numbers alone
    plans    what an epoch reads and holds, before it runs
    loader   `Loader`: the arrays read in that order, ahead of who takes the batches
    pytorch  the same as a dataset of PyTorch, whose worker processes share it out (needs torch)

>>> import numpy as np, tutorial_zarr as zarr
>>> from tutorial_zarr.loaders import Loader
>>> x = zarr.array(np.arange(20).reshape(10, 2), chunks=(4, 2))
>>> y = zarr.array(np.arange(10), chunks=(4,))
>>> loader = Loader({"x": x, "y": y}, batch_size=3, shuffle="chunks", seed=7)
>>> [batch["x"].shape for batch in loader]
[(3, 2), (3, 2), (3, 2), (1, 2)]
>>> loader.epoch, sorted(np.concatenate([batch["y"] for batch in loader]).tolist())
(1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
"""

from .loader import Loader
from .plans import EpochPlan

__all__ = ["EpochPlan", "Loader"]
