"""Zarr v2 and v3 from scratch, in Python that can be read in an afternoon.

Begin with `tiny`; then read `dtypes`, `metadata`, `chunk_grids`, `chunk_keys`, `codecs`, `stores`, `indexing`,
`nodes`, `chunk_io`, `array`, `create`, `group`, in this order. `DESIGN.md` beside this file follows one ``a[3:5]``
through them.

>>> import tutorial_zarr as zarr
>>> a = zarr.array([[1, 2, 3], [4, 5, 6]], chunks=(1, 3))
>>> a[1, :2], sorted(a.store.mapping)
(array([4, 5]), ['c/0/0', 'c/1/0', 'zarr.json'])
"""

from typing import TYPE_CHECKING

from tutorial_zarr import codecs, dtypes, errors, stores
from tutorial_zarr.api import (
    array,
    consolidate_metadata,
    consolidated_differences,
    copy,
    create,
    create_array,
    create_group,
    create_hierarchy,
    delete,
    empty,
    empty_like,
    full,
    full_like,
    group,
    is_stale,
    load,
    move,
    ones,
    ones_like,
    open,
    open_array,
    open_consolidated,
    open_group,
    open_like,
    save,
    save_array,
    save_group,
    tree,
    zeros,
    zeros_like,
)
from tutorial_zarr.array import Array
from tutorial_zarr.doors import open_door
from tutorial_zarr.group import Group
from tutorial_zarr.parallel import get_workers, set_workers

__version__ = "0.1.0"


if TYPE_CHECKING:  # type checkers look through the doors, and notice a misspelt name
    from tutorial_zarr.tools import convert
    from tutorial_zarr.tools import doctor as doctor
    from tutorial_zarr.tools.convert import rechunk
    from tutorial_zarr.tools.ingestion import AppendBuffer, ingest
else:

    def __getattr__(name: str) -> object:
        """Import rarely used names on first access."""
        if name not in {"AppendBuffer", "convert", "doctor", "ingest", "rechunk"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return open_door(name)


__all__ = [
    "AppendBuffer",
    "Array",
    "Group",
    "__version__",
    "array",
    "codecs",
    "consolidate_metadata",
    "consolidated_differences",
    "convert",
    "copy",
    "create",
    "create_array",
    "create_group",
    "create_hierarchy",
    "delete",
    "dtypes",
    "empty",
    "empty_like",
    "errors",
    "full",
    "full_like",
    "get_workers",
    "group",
    "ingest",
    "is_stale",
    "load",
    "move",
    "ones",
    "ones_like",
    "open",
    "open_array",
    "open_consolidated",
    "open_group",
    "open_like",
    "rechunk",
    "save",
    "save_array",
    "save_group",
    "set_workers",
    "stores",
    "tree",
    "zeros",
    "zeros_like",
]
