# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "xarray>=2025.1", "zarr>=3,<4", "cast-value-rs>=0.4.2", "pcodec", "msgpack", "google-crc32c",
#   "zfpy==1.0.1; python_version < '3.14'",
# ]
# ///
"""xarray with its Zarr backend, as a consumer: it reads data sets, in which an array has named axes.

An array whose axes have no names is none that xarray can open, and that is what it says. Decoding by conventions
is switched off: what is compared is what is stored.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

sys.path.append(str(Path(__file__).parent))  # behind the packages, so that no file here hides one of them

from peer_protocol import Opened, Peer, Unsupported, serve
from zarr_python import ZarrPython


class Xarray(ZarrPython):
    """What xarray does of the protocol: it reads, by zarr-python."""

    name = "xarray"
    packages = ("xarray", "zarr", "numpy")
    write = Peer.write
    tree = Peer.tree

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        parent, _, name = node.rpartition("/")
        if not name:
            raise Unsupported("xarray opens groups, in which arrays have names")
        dataset = xr.open_zarr(
            str(path / parent) if parent else str(path),
            consolidated=consolidated and not parent,
            decode_cf=False,
            mask_and_scale=False,
            chunks=None,
        )
        array = dataset[name]
        attributes = {name: value for name, value in array.attrs.items() if name != "_FillValue"}  # it is metadata
        if (path / parent / name / ".zarray").exists():
            attributes["_ARRAY_DIMENSIONS"] = list(array.dims)  # which xarray takes from the attributes
        return Opened(array.shape, lambda region: np.asarray(array[region].values), attributes)

    def meaning(self, path: Path, node: str) -> Any:
        parent, _, name = node.rpartition("/")
        if not name:
            raise Unsupported("xarray opens groups, in which arrays have names")
        with xr.open_zarr(str(path / parent) if parent else str(path), chunks=None) as dataset:
            return dataset[name].values


if __name__ == "__main__":
    serve(Xarray())
