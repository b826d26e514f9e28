"""Stores: where the bytes are. `base` says what a store is; each other file is one kind of place.

`make_store` turns what people pass as a store (a path, a dict, a store) into a store.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import Any

from tutorial_zarr.errors import StoreError

from .base import ABSENT, ByteRange, Leftover, Store
from .local import LocalStore
from .memory import MemoryStore
from .wrappers import ReadOnlyStore, Request, TraceStore, WrapperStore
from .zip import ZipStore

__all__ = [
    "ABSENT",
    "ByteRange",
    "Leftover",
    "LocalStore",
    "MemoryStore",
    "ReadOnlyStore",
    "Request",
    "Store",
    "TraceStore",
    "WrapperStore",
    "ZipStore",
    "make_store",
]


def make_store(store: Any, mode: str = "a", storage_options: dict[str, Any] | None = None) -> Store:
    """A store for `store`: a path or ``file://`` URL, a zip file's path, a dict, None (memory), or a store.

    >>> make_store({"a": b"1"})
    MemoryStore(1 keys)
    """
    if isinstance(store, Store):
        return ReadOnlyStore(store) if mode == "r" and not store.read_only else store
    if store is None:
        return MemoryStore()
    if isinstance(store, MutableMapping):
        return MemoryStore(store, read_only=mode == "r")
    if not isinstance(store, (str, os.PathLike)):
        raise TypeError(f"store: expected a path, a URL, a dict or a Store, found {type(store).__name__}")
    path = os.fspath(store)
    if path.startswith("memory://"):
        raise StoreError(f"store {path!r}: expected a dict or MemoryStore() for memory; try store={{}}")
    if path.startswith("file://"):
        path = path.removeprefix("file://")
    elif "://" in path:
        raise StoreError(
            f"store {path!r}: expected a path; this version opens folders, zip files and dicts, and no URLs"
        )
    if path.endswith(".zip") and not os.path.isdir(path):
        if mode == "r" or (mode == "r+" and not os.access(path, os.W_OK)):
            return ZipStore(path, "r")
        return ZipStore(path, "a")  # mode "w" too: what is there is deleted when all else has been checked
    return LocalStore(path, read_only=mode == "r")
