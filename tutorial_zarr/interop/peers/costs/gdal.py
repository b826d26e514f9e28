# /// script
# requires-python = ">=3.12"
# dependencies = ["rasterio>=1.5", "numpy"]
# ///
"""GDAL, as the wheel of rasterio brings it, through /vsicurl and /vsis3. Of three axes the first is its bands."""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import Any

import numpy as np
import rasterio
from peer_protocol import CostPeer, Unsupported, serve
from rasterio.windows import Window

warnings.simplefilter("ignore")


class Gdal(CostPeer):
    """What GDAL's classic interface does."""

    readers = ("GDAL",)

    def versions(self) -> dict[str, str]:
        return {"gdal": rasterio.__gdal_version__, "rasterio": importlib.metadata.version("rasterio")}

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        if place["kind"] == "http":
            name, options = f"/vsicurl/{place['url']}/{node}", {}
        else:
            name = f"/vsis3/{place['bucket']}/{place['path']}/{node}"
            options = {"AWS_NO_SIGN_REQUEST": "YES", "AWS_S3_ENDPOINT": place["endpoint"].partition("://")[2]}
            options |= {"AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_REGION": "us-east-1"}
        with rasterio.Env(**options), rasterio.open(f'ZARR:"{name}"') as raster:
            if region is None:
                return np.empty((raster.count, *raster.shape), bool)
            planes, rows, columns = region
            bands = range(planes.start + 1, planes.stop + 1)
            return raster.read(list(bands), window=Window.from_slices(rows, columns))

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        raise Unsupported("a raster has two axes or more, a coordinate has one")


if __name__ == "__main__":
    serve(Gdal())
