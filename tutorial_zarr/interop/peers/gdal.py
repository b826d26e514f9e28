# /// script
# requires-python = ">=3.12"
# dependencies = ["rasterio>=1.5", "numpy"]
# ///
"""GDAL, as the wheel of rasterio brings it. Its classic interface knows rasters: axes beyond the last two are
counted out as bands, and an array needs two. Booleans are bytes to it.
"""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from peer_protocol import Opened, Peer, Unsupported, serve

warnings.simplefilter("ignore")
TYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


class Gdal(Peer):
    """What GDAL does of the protocol."""

    name = "GDAL"

    def versions(self) -> dict[str, str]:
        return {"gdal": rasterio.__gdal_version__, "rasterio": importlib.metadata.version("rasterio")}

    def capabilities(self) -> list[str]:
        """https://gdal.org/en/stable/drivers/raster/zarr.html"""
        return [
            *(f"type:{name}" for name in TYPES),
            *(f"codec2:{name}" for name in ("blosc", "gzip", "lzma", "zlib", "zstd", "zstd with checksum", "delta")),
            *(f"codec2:{name}" for name in ("shuffle", "quantize", "fixedscaleoffset")),
            *(f"codec:{name}" for name in ("blosc", "gzip", "zstd", "zstd with checksum", "transpose")),
            *("format:*", "grid:regular", "keys:*", "blosc:*", "layout:*", "fill:*", "data:*", "endian:*", "names:*"),
            *(
                "!format:2+type:complex*",
                "!format:2+type:float16",
                "!layout:sharded",
                "!layout:0-d",
                "!layout:zero-length",
                "attributes:*",
            ),
        ]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        found = self._read(path, node, consolidated)
        return Opened(found.shape, lambda region: found[region])

    def meaning(self, path: Path, node: str) -> Any:
        """Masked where GDAL says that there is no data, and scaled by what it says of each band."""
        return self._read(path, node, False, masked=True)

    def _read(self, path: Path, node: str, consolidated: bool, masked: bool = False) -> Any:
        shape = tuple(_document(path / node)["shape"])
        if len(shape) < 2:
            raise Unsupported("GDAL's rasters have two axes or more")
        if consolidated or node:
            name = f'ZARR:"{path}":/{node}'
        else:
            name = f'ZARR:"{path}"'
        if len(shape) > 2:
            found = self._bands(name, masked)
        else:
            with rasterio.open(name) as raster:
                found = _values(raster, masked)
        if found.size != np.prod(shape):
            raise ValueError(f"expected {shape}, found {found.shape}")
        return found.reshape(shape)

    def _bands(self, name: str, masked: bool) -> Any:
        with rasterio.open(name) as raster:
            if raster.count:
                return _values(raster, masked)
            names = raster.subdatasets
        parts = []
        for sub in names:
            with rasterio.open(sub) as raster:
                parts.append(_values(raster, masked))
        return np.ma.concatenate(parts) if masked else np.concatenate(parts)


def _values(raster: Any, masked: bool) -> Any:
    found = raster.read(masked=masked)
    scales, offsets = (np.array(each)[:, None, None] for each in (raster.scales, raster.offsets))
    if not masked or ((scales == 1).all() and (offsets == 0).all()):
        return found
    return found * scales + offsets


def _document(path: Path) -> dict[str, Any]:
    for name in ("zarr.json", ".zarray"):
        if (path / name).exists():
            return json.loads((path / name).read_bytes())
    raise FileNotFoundError(f"no array in {path}")


if __name__ == "__main__":
    serve(Gdal())
