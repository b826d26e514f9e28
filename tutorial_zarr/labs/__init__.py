"""Laboratories: tools that answer a question about somebody's own data by counting, and say how they know.

    chunks        which chunk and shard shapes suit the way an array is read
    compression   which codecs suit the values of an array

A lab is a library module, a command of `tutorial-zarr`, and a notebook that teaches the idea behind it.

>>> issubclass(LabError, ValueError)
True
"""

from tutorial_zarr.errors import ZarrError

__all__ = ["LabError"]


class LabError(ZarrError, ValueError):
    """A lab was asked something that it cannot answer; nothing was changed."""
