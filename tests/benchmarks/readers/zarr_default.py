"""zarr-python as it is installed, and the base of its two other pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .base import Reader, Unsupported


class ZarrDefault(Reader):
    """zarr-python with its default pipeline. Each reader has a process of its own, so its configuration is
    global.
    """

    label = "zarr-python"
    import_statement = "import zarr"
    pipeline = "zarr.core.codec_pipeline.BatchedCodecPipeline"

    def version(self) -> str:
        import zarr

        zarr.config.set({"codec_pipeline.path": self.pipeline})
        return f"zarr-python {zarr.__version__}"

    def check(self, array: Any) -> Any:
        """The array itself, once it is certain that the pipeline that is to be timed is the one it uses."""
        pipeline = array._async_array.codec_pipeline
        if type(pipeline).__name__ != self.pipeline.rpartition(".")[2]:
            raise Unsupported(f"the array uses {type(pipeline).__name__} instead")
        return array

    def open(self, path: Path, mode: str = "r") -> Any:
        import zarr

        return self.check(zarr.open_array(path, mode=mode))

    def open_members(self, path: Path, names: list[str]) -> list[tuple[int, ...]]:
        import zarr

        group = zarr.open_group(path, mode="r", use_consolidated=True)
        return [group[name].shape for name in names]

    def open_slow(self, path: Path, url: str, delay: float, concurrency: int) -> Any:
        import asyncio

        import zarr

        class SlowStore(zarr.storage.WrapperStore):
            """A local store that answers `get` as late as an object store, and as asynchronously."""

            _supports_sync_io = False

            async def get(self, *args: Any, **kwargs: Any) -> Any:
                await asyncio.sleep(delay)
                return await self._store.get(*args, **kwargs)

        zarr.config.set({"async.concurrency": concurrency})
        store = SlowStore(zarr.storage.LocalStore(path, read_only=True))
        return self.check(zarr.open_array(store, mode="r"))
