# /// script
# requires-python = ">=3.11"
# dependencies = ["tutorial_zarr"]
# ///
"""This library itself, behind the same protocol as the others, so that a fault in it costs one cell as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from peer_protocol import Case, Opened, Peer, Unsupported, serve

import tutorial_zarr as zarr
from tutorial_zarr.interop import ours


class TutorialZarr(Peer):
    """What tutorial_zarr does of the protocol."""

    name = "tutorial_zarr"

    def versions(self) -> dict[str, str]:
        import numcodecs

        return {"tutorial_zarr": zarr.__version__, "numcodecs": numcodecs.__version__, "numpy": np.__version__}

    def capabilities(self) -> list[str]:
        return ["*"]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        array = ours.open_array(path, node, consolidated)
        return Opened(array.shape, lambda region: np.asarray(array[region], dtype=array.dtype), dict(array.attrs))

    def tree(self, path: Path, consolidated: bool) -> dict[str, object]:
        return ours.tree(path, consolidated)

    def meaning(self, path: Path, node: str) -> Any:
        """By the xarray engine, where xarray is."""
        import xarray as xr

        parent, _, name = node.rpartition("/")
        if not name:
            raise Unsupported("the engine opens groups, in which arrays have names")
        with xr.open_dataset(str(path / parent) if parent else str(path), engine="tutorial_zarr") as dataset:
            return dataset[name].values

    def write(self, case: Case) -> None:
        ours.write(case, case.path)


if __name__ == "__main__":
    serve(TutorialZarr())
