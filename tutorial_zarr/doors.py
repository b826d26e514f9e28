"""Doors: every way from a lower layer up to a higher one, by name, opened when somebody goes through it.

An import may only go down. Where something below still offers what is built above it (an array draws itself, the
front page names the tools), the place is written here as text, and `open_door` imports it at that moment. So the
book is imported without its wings, and no import upwards is hidden: a test reads this table.

`MOVED` keeps the names under which modules were imported before they moved into a wing. Both names give the same
module.

>>> open_door("rechunk").__module__
'tutorial_zarr.tools.convert.rechunking'
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

DOORS = {
    "drawing": "tutorial_zarr.viz.drawing",
    "AppendBuffer": "tutorial_zarr.tools.ingestion:AppendBuffer",
    "convert": "tutorial_zarr.tools.convert",
    "doctor": "tutorial_zarr.tools.doctor",
    "ingest": "tutorial_zarr.tools.ingestion:ingest",
    "rechunk": "tutorial_zarr.tools.convert:rechunk",
    "profile:portable": "tutorial_zarr.interop.portable:Portable",
}

MOVED = {
    "tutorial_zarr.convert": "tutorial_zarr.tools.convert",
    "tutorial_zarr.dask_arrays": "tutorial_zarr.integrations.dask_arrays",
    "tutorial_zarr.doctor": "tutorial_zarr.tools.doctor",
    "tutorial_zarr.ingestion": "tutorial_zarr.tools.ingestion",
    "tutorial_zarr.xarray_backend": "tutorial_zarr.integrations.xarray_backend",
}


def open_door(name: str) -> Any:
    """Import what the door `name` leads to: a module, or one name in it. Raises KeyError for an unknown door."""
    module, _, attribute = DOORS[name].partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


class _Moved:
    """Finds a module by its old name, and hands out the one that stands in its new place."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The spec of a module that moved, or of one below it; None for all others."""
        for old, new in MOVED.items():
            if name == old or name.startswith(old + "."):
                return ModuleSpec(name, _Loader(new + name.removeprefix(old)))  # type: ignore[arg-type]  # as one
        return None


class _Loader:
    def __init__(self, place: str) -> None:
        self.place = place

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module in its new place; the import system writes the old name's spec into it, which is taken back."""
        module = importlib.import_module(self.place)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run."""
        module.__spec__ = self.spec


sys.meta_path.insert(0, _Moved())
