# /// script
# requires-python = ">=3.12"
# dependencies = ["xarray>=2025.1", "zarr>=3,<4", "google-crc32c"]
# ///
"""xarray with its Zarr backend, as a consumer: it reads data sets, in which an array has named axes.

An array whose axes have no names is none that xarray can open, and that is what it says. Decoding by conventions
is switched off: what is compared is what is stored.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from pathlib import Path

import numpy as np
import xarray as xr
from peer_protocol import Opened, Peer, Unsupported, serve

warnings.simplefilter("ignore")


class Xarray(Peer):
    """What xarray does of the protocol."""

    name = "xarray"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("xarray", "zarr", "numpy")}

    def capabilities(self) -> list[str]:
        """Of what zarr-python reads: arrays with a name, in a group, with names for all axes."""
        types = ["int*", "uint*", "float16", "float32", "float64", "bool", "string"]
        missing = ["int2", "int4", "uint2", "uint4"]
        return [
            *(f"type:{name}" for name in types),
            *(f"!type:{name}" for name in missing),
            *("format:*", "grid:regular", "keys:*", "attributes:any", "fill:*", "names:dimensions"),
            *("names:below-a-group", "codec:zstd", "codec:vlen-utf8", "codec2:zstd", "codec2:vlen-utf8"),
            "layout:filters",
        ]

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


if __name__ == "__main__":
    serve(Xarray())
