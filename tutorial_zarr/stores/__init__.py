"""Stores: where the bytes are. `base` says what a store is; each other file is one kind of place.

`make_store` turns what people pass as a store (a path, a URL, a dict, a store) into a store. Which kind of store a
URL opens is in a table of schemes: `register_store` adds to it, and so does an entry point in the group
``tutorial_zarr.stores``, which is looked up when a scheme is not known here.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, MutableMapping
from typing import Any

from tutorial_zarr.errors import StoreError
from tutorial_zarr.plugins import entry_point

from .base import ABSENT, ByteRange, Leftover, Store
from .local import LocalStore
from .memory import MemoryStore
from .secrets import public
from .snapshot import Snapshot
from .wrappers import PrefixStore, ReadOnlyStore, Request, WrapperStore

# These are imported when they are first asked for: most programs open folders, and importing is not free.
_LATER = {
    "CacheStore": "cache",
    "FaultStore": "faults",
    "FsspecStore": "fsspec",
    "HTTPStore": "http",
    "LatencyStore": "faults",
    "LoggingStore": "trace",
    "MetricsStore": "trace",
    "ObjectStore": "object",
    "ReferenceStore": "references",
    "RetryStore": "retry",
    "SQLiteStore": "sqlite",
    "TraceStore": "trace",
    "VirtualClock": "faults",
    "ZipStore": "zip",
}

__all__ = [
    "ABSENT",
    "ByteRange",
    "CacheStore",
    "FaultStore",
    "FsspecStore",
    "HTTPStore",
    "LatencyStore",
    "Leftover",
    "LocalStore",
    "LoggingStore",
    "MemoryStore",
    "MetricsStore",
    "ObjectStore",
    "PrefixStore",
    "ReadOnlyStore",
    "ReferenceStore",
    "Request",
    "RetryStore",
    "SQLiteStore",
    "Snapshot",
    "Store",
    "TraceStore",
    "VirtualClock",
    "WrapperStore",
    "ZipStore",
    "make_store",
    "register_store",
]

Factory = Callable[[str, str, dict[str, Any]], Store]
_factories: dict[str, Factory | str] = {  # a text: the module and the name of a function in it
    "http": "http:open_http_store",
    "https": "http:open_http_store",
    "reference": "references:open_reference_store",
    "sqlite": "sqlite:open_sqlite_store",
    **dict.fromkeys(("s3", "s3a", "gs", "gcs", "az"), "object:open_object_store"),
}


def _module(name: str) -> Any:
    """One of the modules beside this one."""
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_module(_LATER[name]), name)


def register_store(scheme: str, factory: Factory) -> None:
    """Make ``scheme://...`` known: ``factory(url, mode, storage_options)`` returns the store.

    `mode` is that of `open`, and `storage_options` a dict. A store that can be written to is wrapped for mode
    ``"r"``, so that a factory need not care.
    """
    _factories[scheme] = factory


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
    path, options = os.fspath(store), storage_options or {}
    try:
        opened = _open(path, mode, options)
    except TypeError as cause:
        if not options:
            raise
        raise StoreError(
            f"store {public(path)!r}: cannot open it with the options {sorted(options)}: {cause}"
        ) from cause
    return ReadOnlyStore(opened) if mode == "r" and not opened.read_only else opened


def _file_of(url: str) -> str:
    """The path that a ``file:`` URL names (RFC 8089), in which %20 is a space.

    A path that people have put behind ``file://`` as it stands is taken so where that is what is there.

    >>> _file_of("file:///data/my%20zarr"), _file_of("file:/data"), _file_of("file://localhost/data")
    ('/data/my zarr', '/data', '/data')
    """
    from urllib.parse import unquote

    path = url.removeprefix("file:")
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        path = slash + rest if host in ("", "localhost") else path[2:]  # file://data/a.zarr: a relative path
        if os.name == "nt" and host not in ("", "localhost"):
            path = "//" + path  # file://server/share
    if os.name == "nt" and re.match(r"/[A-Za-z]:(/|$)", path):
        path = path[1:]
    decoded = unquote(path, errors="surrogateescape")
    return path if os.path.exists(path) and not os.path.exists(decoded) else decoded


def _factory(scheme: str, url: str) -> Factory:
    """What opens URLs of a scheme."""
    factory = _factories.get(scheme) or entry_point("tutorial_zarr.stores", scheme)
    if isinstance(factory, str):
        module, _, name = factory.partition(":")
        factory = getattr(_module(module), name)
    if factory is None and _module("fsspec").knows(scheme):
        factory = _module("fsspec").open_fsspec_store
    if factory is None:
        known = ", ".join(f"{name}://" for name in sorted({"file", *_factories}))
        raise StoreError(
            f"store {public(url)!r}: expected a path or a URL with {known}, found {scheme}://; "
            "try store={} for memory, or install the package that brings this kind of store"
        )
    return factory


def _open(path: str, mode: str, options: dict[str, Any]) -> Store:
    scheme, is_url, _ = path.partition("://")
    if path.startswith("file:/"):
        path = _file_of(path)
    elif "::" in scheme:  # fsspec's chains: simplecache::s3://bucket/path, zip::https://host/file.zip
        return _module("fsspec").open_fsspec_store(path, mode, options)
    elif is_url:
        return _factory(scheme, path)(path, mode, options)
    if path.endswith(".zip") and not os.path.isdir(path):
        if mode == "r" or (mode == "r+" and not os.access(path, os.W_OK)):
            return _module("zip").ZipStore(path, "r", **options)
        # mode "w" too: what is there goes when all else has been checked
        return _module("zip").ZipStore(path, "a", **options)
    if path.endswith((".sqlite", ".db")) and not os.path.isdir(path):
        return _module("sqlite").SQLiteStore(path, read_only=mode == "r", **options)
    return LocalStore(path, read_only=mode == "r", **options)
