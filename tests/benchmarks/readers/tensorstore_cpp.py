"""TensorStore, Google's C++ implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .base import Reader

# No cache, so that each read reads files, and no fsync after each chunk: the others have neither. Everything
# else is TensorStore's default: as many threads as there are cores.
CONTEXT = {"cache_pool": {"total_bytes_limit": 0}, "file_io_sync": False}


class Tensorstore(Reader):
    """TensorStore with its defaults, but for the cache and fsync."""

    label = "tensorstore"
    import_statement = "import tensorstore"
    context_settings = CONTEXT

    def version(self) -> str:
        from importlib.metadata import version

        import tensorstore

        self.context = tensorstore.Context(self.context_settings)
        return f"tensorstore {version('tensorstore')}"

    def _open(self, path: Path) -> Any:
        import tensorstore

        driver = "zarr3" if (path / "zarr.json").exists() else "zarr"
        spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(path)}}
        return tensorstore.open(spec, context=self.context, open=True)

    def open(self, path: Path, mode: str = "r") -> Any:
        return self._open(path).result()

    def open_members(self, path: Path, names: list[str]) -> list[tuple[int, ...]]:
        # It knows no groups and no consolidated metadata; all documents at once is its fastest way.
        return [future.result().shape for future in [self._open(path / name) for name in names]]

    def open_slow(self, path: Path, url: str, delay: float, concurrency: int) -> Any:
        import tensorstore

        context = tensorstore.Context(self.context_settings | {"http_request_concurrency": {"limit": concurrency}})
        spec = {"driver": "zarr3", "kvstore": {"driver": "http", "base_url": url}}
        return tensorstore.open(spec, context=context, open=True).result()

    def read(self, array: Any, selection: tuple) -> np.ndarray:
        return array[selection].read().result()

    def read_orthogonal(self, array: Any, indices: tuple[np.ndarray, ...]) -> np.ndarray:
        return array.oindex[indices].read().result()

    def read_mask(self, array: Any, mask: np.ndarray) -> np.ndarray:
        return array[mask].read().result()

    def write(self, array: Any, selection: tuple, values: np.ndarray) -> None:
        array[selection].write(values).result()


class TensorstoreMmap(Tensorstore):
    """TensorStore that maps files into memory: quick for uncompressed chunks, slow for many files."""

    label = "tensorstore, mapped files"
    context_settings = CONTEXT | {"file_io_mode": {"mode": "memmap"}}
