# /// script
# requires-python = ">=3.12"
# dependencies = ["xarray>=2026.4", "zarr>=3.4", "fsspec", "aiohttp", "s3fs", "numpy"]
# ///
"""xarray with its own engine for Zarr, which is zarr-python's."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings
from typing import Any

import numpy as np
import xarray
from peer_protocol import CostPeer, Unsupported, serve

warnings.simplefilter("ignore")


class Xarray(CostPeer):
    """What `xarray.open_zarr` does, without Dask."""

    readers = ("xarray",)

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("xarray", "zarr", "fsspec")}

    def _open(self, place: dict[str, Any]) -> Any:
        if place["kind"] == "http":
            return xarray.open_zarr(place["url"], chunks=None)
        if importlib.util.find_spec("s3fs") is None:
            raise Unsupported("a bucket needs s3fs, which is not installed")
        options = {"anon": True, "client_kwargs": {"endpoint_url": place["endpoint"]}}
        return xarray.open_zarr(f"s3://{place['bucket']}/{place['path']}", chunks=None, storage_options=options)

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        found = self._open(place)[node]
        return found if region is None else found[region].to_numpy()

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        found = self._open(place)
        return [found[name].to_numpy() for name in names]


if __name__ == "__main__":
    serve(Xarray())
