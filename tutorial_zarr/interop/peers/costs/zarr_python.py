# /// script
# requires-python = ">=3.12"
# dependencies = ["zarr>=3.4", "zarrs>=0.2", "obstore>=0.12", "fsspec", "aiohttp", "s3fs", "numpy"]
# ///
"""zarr-python with each of its pipelines, on fsspec and on obstore."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings
from typing import Any

import numpy as np
import zarr
from obstore.store import HTTPStore, S3Store
from peer_protocol import CostPeer, Unsupported, serve

warnings.simplefilter("ignore")
PIPELINES = {
    "": "zarr.core.codec_pipeline.BatchedCodecPipeline",
    " fused": "zarr.core.codec_pipeline.FusedCodecPipeline",
    " zarrs": "zarrs.ZarrsCodecPipeline",
}


class ZarrPython(CostPeer):
    """What zarr-python does."""

    readers = tuple(f"zarr-python{name}, {store}" for store in ("fsspec", "obstore") for name in PIPELINES)

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("zarr", "zarrs", "fsspec", "obstore")}

    def _store(self, reader: str, place: dict[str, Any]) -> Any:
        name, _, kind = reader.removeprefix("zarr-python").partition(", ")
        zarr.config.set({"codec_pipeline.path": PIPELINES[name], "codec_pipeline.strict": name == " zarrs"})
        web = place["kind"] == "http"
        if kind == "fsspec":
            if not web and importlib.util.find_spec("s3fs") is None:
                raise Unsupported("a bucket needs s3fs, which is not installed")
            options = {} if web else {"anon": True, "client_kwargs": {"endpoint_url": place["endpoint"]}}
            url = place["url"] if web else f"s3://{place['bucket']}/{place['path']}"
            return zarr.storage.FsspecStore.from_url(url, storage_options=options, read_only=True)
        options = {"client_options": {"allow_http": True}}
        if web:
            return zarr.storage.ObjectStore(HTTPStore(place["url"], **options), read_only=True)
        where = {"prefix": place["path"], "endpoint": place["endpoint"], "region": "us-east-1"}
        return zarr.storage.ObjectStore(
            S3Store(place["bucket"], skip_signature=True, **where, **options), read_only=True
        )

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        array = _checked(zarr.open_array(self._store(reader, place), path=node, mode="r"), reader)
        return array if region is None else array[region]

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        group = zarr.open_group(self._store(reader, place), mode="r")
        return [_checked(group[name], reader)[...] for name in names]


def _checked(array: Any, reader: str) -> Any:
    """The array, once it is certain that it uses the pipeline that the reader is called after."""
    pipeline = array._async_array.codec_pipeline
    wanted = PIPELINES[reader.removeprefix("zarr-python").partition(", ")[0]].rpartition(".")[2]
    if type(pipeline).__name__ != wanted or getattr(pipeline, "impl", pipeline) is None:
        raise Unsupported(f"zarr-python takes another pipeline here without a word: {type(pipeline).__name__}")
    return array


if __name__ == "__main__":
    serve(ZarrPython())
