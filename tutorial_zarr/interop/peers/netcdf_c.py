# /// script
# requires-python = ">=3.12"
# dependencies = ["netCDF4>=1.7", "numpy"]
# ///
"""netCDF-C, as the wheel of netCDF4 brings it. It opens groups of Zarr 2: an array at the root of a store is put
below a group for it, without a byte of the array being changed.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from peer_protocol import Opened, Peer, Unsupported, serve

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


class NetCDF(Peer):
    """What netCDF-C does of the protocol."""

    name = "netCDF-C"

    def versions(self) -> dict[str, str]:
        return {"netcdf-c": netCDF4.__netcdf4libversion__, "netCDF4": importlib.metadata.version("netCDF4")}

    def capabilities(self) -> list[str]:
        """https://docs.unidata.ucar.edu/nug/current/nczarr_head.html"""
        return [
            *(f"type:{name}" for name in TYPES),
            *(f"codec2:{name}" for name in ("zlib", "blosc", "zstd", "bz2", "shuffle", "fletcher32")),
            *("format:2", "keys:*", "blosc:*", "endian:*", "layout:0-d", "attributes:any", "layout:filters"),
            *("names:below-a-group", "fill:*", "data:*"),
        ]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        with self._dataset(path, node) as root:
            variable = root[f"/{node or 'x'}"]
            variable.set_auto_maskandscale(False)
            variable.set_auto_chartostring(False)
            shape = variable.shape
            found = np.asarray(variable[...]).reshape(shape)
        return Opened(shape, lambda region: found[region])

    @contextmanager
    def _dataset(self, path: Path, node: str) -> Iterator[Any]:
        if not (path / node / ".zarray").exists():
            raise Unsupported("this build of netCDF-C reads Zarr 2 only")
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store.zarr"
            if node:
                shutil.copytree(path, store)
            else:
                shutil.copytree(path, store / "x")
                (store / ".zgroup").write_text(json.dumps({"zarr_format": 2}))
            with netCDF4.Dataset(f"file://{store}#mode=zarr,file") as root:
                yield root

    def meaning(self, path: Path, node: str) -> Any:
        """Masked, scaled and joined into text as netCDF4 does; times as its `num2date` makes them."""
        with self._dataset(path, node) as root:
            variable = root[f"/{node or 'x'}"]
            values, units = variable[...], getattr(variable, "units", "")
            if " since " not in str(units):
                return values
            calendar = getattr(variable, "calendar", "standard")
            return np.array(netCDF4.num2date(values, units, calendar, only_use_cftime_datetimes=False), "M8[ns]")


if __name__ == "__main__":
    serve(NetCDF())
