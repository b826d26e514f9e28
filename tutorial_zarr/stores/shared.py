"""Work that is sent to other processes: whether what it writes arrives.

A store in memory is copied with the work that is sent, and what is written there is lost with the copy, without a
word. So the work takes along where its store is, and looks before it writes.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore()
>>> home = Home(store)
>>> home.check(store)
>>> home.check(MemoryStore(dict(store.mapping)))
Traceback (most recent call last):
tutorial_zarr.errors.StoreError: expected a store that other processes write to, found MemoryStore(0 keys), ...
"""

from __future__ import annotations

import os

from tutorial_zarr.errors import StoreError

from .base import Store


class Home:
    """Where a store is, for the work that is to write to it. Sent along, it is compared with where that arrives."""

    def __init__(self, store: Store) -> None:
        self.place = _memory(store)

    @property
    def is_private(self) -> bool:
        """Whether the store is in this process's memory, so that no other one can write to it."""
        return self.place is not None

    def check(self, store: Store, label: str = "") -> None:
        """Raise where `store` is a copy of the one that was meant."""
        if self.place is not None and self.place != _memory(store):
            self.refuse(store, label)

    def refuse(self, store: Store, label: str = "") -> None:
        """Raise: other processes cannot write to it."""
        raise StoreError(
            f"{label}{': ' * bool(label)}expected a store that other processes write to, found {store!r}, which is in "
            "the memory of one: what the others wrote would be lost; try a folder, or threads"
        )


def _memory(store: Store) -> tuple[object, ...] | None:
    """The process and the place in its memory where a store is; None where it is outside of it."""
    place = store.location()
    in_memory = place[:1] in (("memory",), ("MemoryStore",)) or isinstance(place[0], int)
    return (os.getpid(), *place[:2]) if in_memory else None
