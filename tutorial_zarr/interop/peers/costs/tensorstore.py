# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorstore>=0.1.70", "numpy"]
# ///
"""TensorStore: its drivers for the web and for S3. It knows arrays and no groups."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
import tensorstore
from peer_protocol import CostPeer, serve


class TensorStore(CostPeer):
    """What TensorStore does."""

    readers = ("tensorstore",)

    def versions(self) -> dict[str, str]:
        return {"tensorstore": importlib.metadata.version("tensorstore")}

    def _open(self, place: dict[str, Any], node: str) -> Any:
        if place["kind"] == "http":
            store = {"driver": "http", "base_url": f"{place['url']}/{node}/"}
        else:
            store = {"driver": "s3", "path": f"{place['path']}/{node}/", "aws_region": "us-east-1"}
            store |= {"bucket": place["bucket"], "endpoint": place["endpoint"]}
            store |= {"aws_credentials": {"type": "anonymous"}}
        spec = {"driver": "zarr3", "kvstore": store}
        return tensorstore.open(spec, context=tensorstore.Context(), open=True, read=True)

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        array = self._open(place, node).result()
        return array if region is None else array[region].read().result()

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        opened = [self._open(place, name) for name in names]
        reads = [each.result().read() for each in opened]
        return [each.result() for each in reads]


if __name__ == "__main__":
    serve(TensorStore())
