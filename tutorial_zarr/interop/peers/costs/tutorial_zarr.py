# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""This library: its arrays, and its engine in xarray."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from peer_protocol import CostPeer, serve

import tutorial_zarr as zarr


class TutorialZarr(CostPeer):
    """What this library does."""

    readers = ("ours", *(("ours in xarray",) if importlib.util.find_spec("xarray") else ()))

    def versions(self) -> dict[str, str]:
        return {"tutorial_zarr": zarr.__version__}

    def _where(self, place: dict[str, Any]) -> dict[str, Any]:
        if place["kind"] == "http":
            return {"store": place["url"]}
        options = {"anon": True, "endpoint_url": place["endpoint"], "region": "us-east-1"}
        return {"store": f"s3://{place['bucket']}/{place['path']}", "storage_options": options}

    def _xarray(self, place: dict[str, Any]) -> Any:
        import xarray

        from tutorial_zarr.integrations.xarray_backend import ZarrBackend  # by itself, where it is not installed

        where = self._where(place)
        options = {"storage_options": where["storage_options"]} if "storage_options" in where else {}
        return xarray.open_dataset(where["store"], engine=ZarrBackend, **options)

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        if reader != "ours":
            found = self._xarray(place)[node]
            return found if region is None else found[region].to_numpy()
        array = zarr.open_array(mode="r", path=node, **self._where(place))
        return array if region is None else array[region]

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        if reader != "ours":
            found = self._xarray(place)
            return [found[name].to_numpy() for name in names]
        group = zarr.open_group(mode="r", **self._where(place))
        return [group[name][...] for name in names]


if __name__ == "__main__":
    serve(TutorialZarr())
