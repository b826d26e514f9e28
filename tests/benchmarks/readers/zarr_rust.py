"""zarr-python with the Rust pipeline of the `zarrs` package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .base import Unsupported
from .zarr_default import ZarrDefault


class ZarrRust(ZarrDefault):
    """zarr-python with `zarrs.ZarrsCodecPipeline`, in strict mode.

    Where the Rust code cannot do something, the pipeline quietly hands it to zarr-python's default one.
    Strict mode makes it raise, so that no figure of one stands under the name of the other.
    """

    label = "zarr-python zarrs"
    import_statement = "import zarr, zarrs"
    pipeline = "zarrs.ZarrsCodecPipeline"

    def version(self) -> str:
        from importlib.metadata import version

        import zarr
        import zarrs  # noqa: F401 - registers itself

        super().version()
        zarr.config.set({"codec_pipeline.strict": True})
        return f"zarrs {version('zarrs')}"

    def check(self, array: Any) -> Any:
        if super().check(array)._async_array.codec_pipeline.impl is None:
            raise Unsupported("its Rust code does not know this array's codecs")
        return array

    def open_slow(self, path: Path, url: str, delay: float, concurrency: int) -> Any:
        raise Unsupported("it takes no wrapped store, and its HTTP client waits for one chunk after another")
