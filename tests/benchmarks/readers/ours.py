"""This library."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .base import Reader


class Ours(Reader):
    """`tutorial_zarr`, with its defaults."""

    label = "tutorial_zarr"
    import_statement = "import tutorial_zarr"

    def version(self) -> str:
        import tutorial_zarr

        return f"tutorial_zarr {tutorial_zarr.__version__}"

    def open(self, path: Path, mode: str = "r") -> Any:
        import tutorial_zarr

        return tutorial_zarr.open_array(path, mode=mode)

    def open_members(self, path: Path, names: list[str]) -> list[tuple[int, ...]]:
        import tutorial_zarr

        group = tutorial_zarr.open_group(path, mode="r", use_consolidated=True)
        return [group[name].shape for name in names]

    def open_slow(self, path: Path, url: str, delay: float, concurrency: int) -> Any:
        import tutorial_zarr
        from tutorial_zarr.stores.wrappers import WrapperStore

        class SlowStore(WrapperStore):
            """A local store that answers `get` as late as an object store."""

            def get(self, *args: Any) -> Any:
                time.sleep(delay)
                return self.store.get(*args)

        SlowStore.concurrency = concurrency
        store = tutorial_zarr.stores.LocalStore(path)
        return tutorial_zarr.open_array(SlowStore(store), mode="r")
