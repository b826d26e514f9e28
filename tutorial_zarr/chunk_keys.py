"""Chunk coordinates to store keys: the encodings ``default`` and ``v2``.

>>> default = parse(Extension("default", {"separator": "/"}))
>>> default.encode((1, 2)), default.encode(())
('c/1/2', 'c')
>>> parse(Extension("v2")).encode((1, 2)), parse(Extension("v2")).encode(())
('1.2', '0')

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/chunk-key-encodings/index.html
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tutorial_zarr.errors import MetadataError, UnsupportedError, nearest
from tutorial_zarr.metadata import Extension
from tutorial_zarr.plugins import entry_point


class ChunkKeyEncoding:
    """An encoding that joins a prefix and the coordinates with a separator, as those of the specification do.

    An encoding of your own overrides `encode` and `decode`, which must undo it; `encode_all` follows from `encode`
    unless it is overridden as well.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "encode" in vars(cls) and "encode_all" not in vars(cls):
            cls.encode_all = cls._encode_each  # type: ignore[method-assign]

    def __init__(self, name: str, prefix: str, separator: str, scalar: str) -> None:
        self.name, self.prefix, self.separator, self.scalar = name, prefix, separator, scalar

    def encode(self, coords: tuple[int, ...]) -> str:
        """Return the key of a chunk, relative to the array."""
        return self.prefix + self.separator.join(map(str, coords)) if coords else self.scalar

    def encode_all(self, axes: list[list[int]]) -> Iterator[str]:
        """Return the keys of the chunks in the product of coordinates along each axis, in C order."""
        if not axes:
            return iter([self.scalar])
        names = [list(map(str, coords)) for coords in axes]
        names[0] = [self.prefix + name for name in names[0]]
        return map(self.separator.join, itertools.product(*names))

    def _encode_each(self, axes: list[list[int]]) -> Iterator[str]:
        """`encode_all` by `encode`."""
        return map(self.encode, itertools.product(*axes))

    def decode(self, key: str, ndim: int) -> tuple[int, ...] | None:
        """Return the coordinates in a key, or None if the key is not a chunk's."""
        if ndim == 0:
            return () if key == self.scalar else None
        if not key.startswith(self.prefix):
            return None
        parts = key[len(self.prefix) :].split(self.separator)
        if len(parts) != ndim or not all(p.isascii() and p.isdigit() and (p == "0" or p[0] != "0") for p in parts):
            return None
        return tuple(map(int, parts))


def _default(configuration: dict[str, Any]) -> ChunkKeyEncoding:
    separator = _separator("default", configuration, "/")
    return ChunkKeyEncoding("default", "c" + separator, separator, "c")


def _v2(configuration: dict[str, Any]) -> ChunkKeyEncoding:
    return ChunkKeyEncoding("v2", "", _separator("v2", configuration, "."), "0")


def _separator(name: str, configuration: dict[str, Any], default: str) -> str:
    separator = configuration.get("separator", default)
    if separator not in ("/", ".") or len(configuration) > ("separator" in configuration):
        raise MetadataError(
            f"chunk_key_encoding {name!r}: expected a separator '/' or '.', found {configuration!r}",
            key="chunk_key_encoding",
        )
    return separator


_encodings: dict[str, Callable[[dict[str, Any]], ChunkKeyEncoding]] = {"default": _default, "v2": _v2}


def register(name: str, factory: Callable[[dict[str, Any]], ChunkKeyEncoding]) -> None:
    """Make an encoding known: ``factory(configuration)`` returns it.

    Other programs find it by an entry point in the group ``tutorial_zarr.chunk_key_encodings``.
    """
    _encodings[name] = factory


def names() -> list[str]:
    """Return the names of all registered encodings, sorted."""
    return sorted(_encodings)


def parse(encoding: Extension) -> ChunkKeyEncoding:
    """Return the encoding that a metadata document names. Raises UnsupportedError for an unknown one."""
    factory = _encodings.get(encoding.name) or entry_point("tutorial_zarr.chunk_key_encodings", encoding.name)
    if factory is None:
        raise UnsupportedError(
            f"chunk_key_encoding: expected one of {', '.join(names())}, found {encoding.name!r}; "
            f"{nearest(encoding.name, names())}try the package that brings it",
            key="chunk_key_encoding",
            found=encoding.name,
        )
    return factory(encoding.configuration)
