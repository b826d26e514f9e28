"""What a reader must be able to do to be timed. Opening is timed only where it is the workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class Unsupported(Exception):  # noqa: N818 - it reads as a statement: `raise Unsupported("no string arrays")`
    """This reader cannot run this workload, and the message says why; the table shows a dash."""


class Reader:
    """One implementation of Zarr, driven as its documentation tells a user to."""

    label: str
    """How tables and figures call it."""
    import_statement: str
    """What a fresh interpreter runs to get it."""

    def version(self) -> str:
        """Import the library, and say which one it is."""
        raise NotImplementedError

    def open(self, path: Path, mode: str = "r") -> Any:
        """Open an existing array for reading ("r") or writing ("r+"), without any cache of its data."""
        raise NotImplementedError

    def open_members(self, path: Path, names: list[str]) -> list[tuple[int, ...]]:
        """Open a group and each of its arrays, as quickly as the library can, and return their shapes."""
        raise NotImplementedError

    def open_slow(self, path: Path, url: str, delay: float, concurrency: int) -> Any:
        """Open an array on a store that answers every request after `delay` seconds.

        `url` is a local HTTP server that does so; a reader without an HTTP client of its own wraps a store on
        `path` instead, and lets it sleep. `concurrency` is how many requests may be under way at once.
        """
        raise NotImplementedError

    def read(self, array: Any, selection: tuple) -> np.ndarray:
        """Read slices and integers into a new array."""
        return array[selection]

    def read_orthogonal(self, array: Any, indices: tuple[np.ndarray, ...]) -> np.ndarray:
        """Read the outer product of one integer array per axis."""
        return array.oindex[indices]

    def read_mask(self, array: Any, mask: np.ndarray) -> np.ndarray:
        """Read the elements where a boolean array of the same shape is set."""
        return array.vindex[mask]

    def write(self, array: Any, selection: tuple, values: np.ndarray) -> None:
        """Write slices."""
        array[selection] = values
