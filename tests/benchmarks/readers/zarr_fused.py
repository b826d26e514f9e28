"""zarr-python with the synchronous pipeline that it ships and does not yet use by default."""

from __future__ import annotations

from typing import Any

from .base import Unsupported
from .zarr_default import ZarrDefault


class ZarrFused(ZarrDefault):
    """zarr-python's `FusedCodecPipeline`."""

    label = "zarr-python fused"
    pipeline = "zarr.core.codec_pipeline.FusedCodecPipeline"

    def check(self, array: Any) -> Any:
        if super().check(array)._async_array.codec_pipeline.sync_transform is None:
            raise Unsupported("its codecs have no synchronous form, so the pipeline falls back to the default one")
        return array
