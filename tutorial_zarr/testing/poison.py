"""Memory that nobody wrote, filled with a pattern: what reads it shows the pattern instead of a lucky zero.

>>> with poisoned(0xAA):
...     hex(np.empty((), "u2")[()])
'0xaaaa'
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from tutorial_zarr import parallel

PATTERNS = (0xAA, 0x55)  # a read that gives the same with both has read no such memory


@contextmanager
def poisoned(byte: int) -> Iterator[None]:
    """While it lasts, fresh arrays of `numpy.empty` and buffers that are used again hold `byte` everywhere."""
    empty, take, aligned = np.empty, parallel.take_buffer, parallel.aligned_empty

    def fill(array: np.ndarray) -> np.ndarray:
        if not array.dtype.hasobject and array.dtype.kind != "T":  # what holds pointers numpy clears itself
            ctypes.memset(array.ctypes.data, byte, array.nbytes)
        return array

    def filled(*shape: Any, **options: Any) -> np.ndarray:
        return fill(empty(*shape, **options))

    with (
        mock.patch.object(np, "empty", filled),
        mock.patch.object(parallel, "take_buffer", lambda nbytes: fill(take(nbytes))),
        mock.patch.object(parallel, "aligned_empty", lambda nbytes: fill(aligned(nbytes))),
    ):
        yield
