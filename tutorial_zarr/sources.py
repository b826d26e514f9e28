"""Where lazy data come from: whether they read from what they are to replace."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from tutorial_zarr.nodes import Node
from tutorial_zarr.stores import LocalStore, Store
from tutorial_zarr.stores.place import overlaps

_PLAIN = (type, types.ModuleType, str, bytes, int, float, complex, np.generic, np.dtype, Store, type(None))


def reads_from(data: Any, store: Store, path: str) -> bool:
    """Whether lazy data hold on to an array at, above or below a place, as far as that can be seen."""
    return any(overlaps(source, at, store, path) for source, at in _sources(data))


def _sources(data: Any) -> Iterator[tuple[Store, str]]:
    """Where the arrays lie that anything in a graph of tasks refers to."""
    seen: set[int] = set()
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _PLAIN) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Node):
            yield one.store, one.path
        elif (at := getattr(one, "store_path", None)) is not None and hasattr(getattr(at, "store", None), "root"):
            yield LocalStore(at.store.root), at.path  # an array of zarr-python in a folder
        elif isinstance(one, types.FunctionType):  # not its globals: they lead everywhere
            waiting += [*(one.__closure__ or ()), *(one.__defaults__ or ()), one.__kwdefaults__]
        elif not (isinstance(one, np.ndarray) and not one.dtype.hasobject):
            waiting += gc.get_referents(one)
