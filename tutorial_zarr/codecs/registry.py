"""Codec names to codecs.

A factory takes a name and a configuration and returns a codec. Projects register their own with `register`, or
with an entry point in the group ``tutorial_zarr.codecs``, which is looked up for names that are not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tutorial_zarr.errors import UnsupportedError, nearest
from tutorial_zarr.metadata import Extension
from tutorial_zarr.metadata.model import InternalExtension
from tutorial_zarr.plugins import entry_point

from .base import Codec

Factory = Callable[[str, dict[str, Any]], Codec]
_factories: dict[str, Factory] = {}
_internal: dict[str, Factory] = {}


def register(names: str | list[str], factory: Factory) -> None:
    """Make a codec known under one name or several: ``factory(name, configuration)`` returns it."""
    for name in [names] if isinstance(names, str) else names:
        _factories[name] = factory


def register_internal(name: str, factory: Factory) -> None:
    """Make a codec known that only this library's own parsers may name; documents that name it are refused."""
    _internal[name] = factory


def names() -> list[str]:
    """Return the names of all registered codecs, sorted."""
    return sorted(_factories)


def build(extension: Extension) -> Codec | None:
    """Return the codec of an entry in ``codecs``, or None if it is unknown and its entry says that it may be ignored.

    Raises UnsupportedError for an unknown codec, MetadataError for a wrong configuration.
    """
    factory = _factories.get(extension.name)
    if factory is None and isinstance(extension, InternalExtension):
        factory = _internal[extension.name]
    factory = factory or entry_point("tutorial_zarr.codecs", extension.name)
    if factory is None:
        if not extension.must_understand:
            return None
        raise UnsupportedError(
            f"codecs: {extension.name!r} is not a codec that this library knows; "
            f"{nearest(extension.name, names())}try the package that brings it (entry point group "
            f"tutorial_zarr.codecs), or one of {', '.join(names())}",
            key="codecs",
            found=extension.name,
        )
    return factory(extension.name, extension.configuration)
