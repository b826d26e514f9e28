"""Where a node lies: tell whether two paths lead to the same place, or one lies within the other.

A store answers with `Store.location`, and wrappers pass the question on. Handles, views, links and spellings that lead
to the same place compare equal.

>>> from tutorial_zarr.stores import MemoryStore, PrefixStore
>>> store = MemoryStore()
>>> place(PrefixStore(store, "a"), "b") == place(store, "a/b")
True
>>> overlaps(store, "a", PrefixStore(store, "a"), "b"), overlaps(store, "a", store, "ab")
(True, False)
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import Any

from .base import Store


def place(store: Store, path: str = "") -> tuple[Any, ...]:
    """What tells a place from all others, outermost part first: that of a node begins with that of its group."""
    return store.location(path)


def overlaps(source: Store, source_path: str, target: Store, path: str, either_way: bool = True) -> bool:
    """Whether the place at `path` is the source's or lies in it; or, `either_way`, the source in the place."""
    old, new = place(source, source_path), place(target, path)
    return new[: len(old)] == old or (either_way and old[: len(new)] == new)


def names(path: str) -> tuple[str, ...]:
    """The names in a path."""
    return tuple(name for name in path.split("/") if name)


def file_location(file: str, path: str = "") -> tuple[Hashable, ...]:
    """The place of `path` below a file or a folder, with all links followed."""
    real = os.path.normcase(os.path.realpath(os.path.join(file, *names(path))))
    return ("file", *(part for part in real.split(os.sep) if part))
