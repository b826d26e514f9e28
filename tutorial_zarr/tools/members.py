"""The members of a group, also where the store lists none: a web server has those that OME-Zarr metadata name.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group()
>>> _ = root.create_group("a").create_array("x", shape=(2,), dtype="u1")
>>> [path for path, _ in members(root)], [path for path, _ in walk(root)]
(['a'], ['a', 'a/x'])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tutorial_zarr import nodes
from tutorial_zarr.errors import MetadataError, NodeNameError, StoreError
from tutorial_zarr.group import Group

from .convert import ome


def members(group: Group) -> list[tuple[str, Any]]:
    """Pairs (path below the group, array or group).

    Where the store lists none, those that the group's OME-Zarr metadata name; where they name none that is there, the
    error of the store, a `StoreError` with the field ``unlisted``.
    """
    try:
        return list(group.members())
    except StoreError as error:
        if not error.fields.get("unlisted"):
            raise
        found = {}
        for path in ome.named(dict(group.attrs))[: nodes.MOST_ASKED]:
            with suppress(MetadataError, NodeNameError):
                if (node := group.get(path)) is not None:
                    found[path] = node
        if not found:
            raise
        return sorted(found.items())


def partly(group: Group) -> bool:
    """Whether `members` of the group are only those that metadata name, as its store lists none."""
    if group.consolidated_members is None:
        with nodes.where_listed():
            next(iter(group.store.list_dir(group.path)), None)
            return False
        return True
    return False


PARTLY = "note: the server lists nothing; shown is what the OME-Zarr metadata name"


def walk(group: Group) -> Iterator[tuple[str, Any]]:
    """Pairs (path, node) of all that is below a group, as `members` finds it. Raises what that raises."""
    waiting = members(group)[::-1]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        if isinstance(node, Group):
            waiting += [(f"{path}/{name}", member) for name, member in members(node)][::-1]
