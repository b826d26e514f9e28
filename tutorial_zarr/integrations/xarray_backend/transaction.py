"""Carrying out what was planned: all that one call writes is let in at its end, or taken back.

    a group that is not there, or is replaced   one `Replacement` for it and all below, documents last
    a variable that is not there                a `Replacement`: chunks, then the document
    variables all of which are written anew     a staged one: the old values are read from until the new are complete
    variables that get longer                   a `Reservation` of room in all of them
    a part of a variable (a region)             in its place, as by assignment

So a source may read from what it replaces, and one that fails leaves everything as it was. With a region it is
otherwise: what was written stays, and blocks that are read from the array itself are computed before one is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from xarray.backends.common import ArrayWriter

from tutorial_zarr import consolidation, nodes
from tutorial_zarr.array import Array
from tutorial_zarr.errors import NodeExistsError, StoreError
from tutorial_zarr.integrations.dask_arrays import Gate, Target
from tutorial_zarr.integrations.xarray_backend.outcome import Write
from tutorial_zarr.replacing import Replacement, Survey, cut_short, read_mark
from tutorial_zarr.resizing.reservations import Reservation, Room
from tutorial_zarr.sources import reads_from
from tutorial_zarr.stores import Store

ACTION = "write a dataset"
_DOCUMENTS = ("attrs", "meta", ".zattrs", ".zarray", ".zmetadata", ".zgroup", "zarr.json")  # a node's own comes last
Plan = tuple[Any, list[Write], dict[str, Any]]  # the data store of a group, its variables, its attributes


class GrownMeanwhileError(StoreError):
    """Somebody else appended between the plan and the first change; nothing was written, so it can be planned anew."""


class Making:
    """Groups that are made as one, with all that they hold: those at and below one that is missing, or replaced."""

    def __init__(self, plans: list[Plan], action: str = ACTION, about: str = "") -> None:
        top = min((place for place, _, _ in plans), key=lambda place: len(place.path))
        documents: dict[str, bytes] = {}
        for place, writes, attributes in sorted(plans, key=lambda plan: -len(plan[0].path)):
            for one in writes:
                documents |= nodes.documents(one.new.metadata, nodes.join(place.path, one.name))
            documents |= nodes.documents(nodes.new_group(place.zarr_format, attributes), place.path)
        top.gathered = top.consolidate and not top.path
        if top.gathered:
            documents = consolidation.with_copy(documents, top.zarr_format)
        writes = [one for _, some, _ in plans for one in some]
        self.left = cut_short(top.zarr_store, top.path, documents, about) if about else None
        self.replacement = Replacement(
            top.zarr_store,
            top.path,
            documents,
            action,
            kind="group",
            overwrite=top.mode == "w",
            staged=True,
            found=self.left,
            about=about,
            onto_itself=lambda: _read_from(top.zarr_store, top.path, writes),
        )
        members = {self.relative(key).partition("/")[0] for key in documents}
        if taken := sorted(members & {name[:-1] for name in self.replacement.found.keep if name.endswith("/")}):
            raise NodeExistsError(
                f"{nodes.label('group', top.path)}: expected nothing in {top.zarr_store!r} where its members will be, "
                f"found {', '.join(taken)}; try mode='w' to delete them, or another group",
                path=top.path,
            )
        top.gathered = top.gathered and not self.replacement.found.keep  # who knows what that is

    def relative(self, path: str) -> str:
        """A path or key counted from the topmost group."""
        return path[len(self.replacement.node) :].strip("/")

    def path(self, path: str) -> str:
        """Where the chunks of the array that will be at `path` are written meanwhile."""
        return nodes.join(self.replacement.path, self.relative(path))


def makings(plans: list[Plan], action: str = ACTION, about: str = "") -> dict[str, Making]:
    """Path of a group that is missing, or is to be replaced -> what makes it. Nothing is changed yet.

    `about` names a source that can be read again: then what a killed call has left of the same is there to go on with.
    """
    missing = {plan[0].path: plan for plan in plans if plan[0].zarr_group is None}
    found: dict[str, Making] = {}
    for path in sorted(missing, key=len):
        if path not in found:
            together = [plan for other, plan in missing.items() if not path or f"{other}/".startswith(f"{path}/")]
            found |= dict.fromkeys((place.path for place, _, _ in together), Making(together, action, about))
    return found


@contextmanager
def begun(
    plans: list[Plan], compute: bool = True, made: dict[str, Making] | None = None
) -> Iterator[list[tuple[Write, Array, Any]]]:
    """Triples (variable, array to write it into, data store), for a ``with`` block that writes the values.

    Its end lets all of it in. An error in it takes all back, but for regions. `compute`: see `write`. `made` is what
    `makings` gave for the plans, where somebody has asked before.
    """
    made, ready = makings(plans) if made is None else made, []
    if not compute:
        check_sources(plans, made)
    with ExitStack() as opened:  # what is entered last is let in first: new groups, then the rest
        for plan in sorted(plans, key=lambda plan: plan[0].path in made):
            place, writes, attributes = plan
            making = made.get(place.path)
            if making is not None and place.path == making.replacement.node:
                opened.enter_context(making.replacement)
            ready += [(*pair, place) for pair in place.carry_out(writes, attributes, opened, making, compute)]
        yield ready
    for place, _, attributes in plans:
        place.finish_group(attributes)


def write(plans: list[Plan], compute: bool = True, options: dict[str, Any] | None = None) -> Any:
    """Carry out the plans of several groups.

    With `compute` False variables in blocks get their metadata and shapes now, and their values by what is returned.
    """
    writer, later, gate = ArrayWriter(), [], Gate()
    with begun(plans, compute) as ready, gate:
        for one, array, place in ready:
            if compute or one.variable.chunks is None:
                writer.add(bound(one, array), Target(array, gate), one.region)
            else:
                later.append((one, place))
        writer.sync(compute=True, chunkmanager_store_kwargs=options)
    for one, place in later:
        writer.add(one.variable.data, Target(place.array_of(one)), one.region)
    return writer.sync(compute=False, chunkmanager_store_kwargs=options)


def add(opened: ExitStack, store: Store, path: str, one: Write) -> Array:
    """The array for a variable that is not there: no reader sees it until the block ends."""
    making = opened.enter_context(Replacement(store, path, nodes.documents(one.new.metadata, path), ACTION))
    return one.new.at(store, making.path, alone=True)


def replace(opened: ExitStack, store: Store, path: str, writes: list[Write]) -> dict[str, Array]:
    """Name -> array for the variables of a group that all get new values; elsewhere, until the block ends.

    The group's own documents go and come back with them, so that nobody meets some old and some new.
    """
    if not writes:
        return {}

    def documents() -> dict[str, bytes]:
        places = [nodes.join(path, one.name) for one in writes] + [path]
        keys = [nodes.join(place, name) for place in places for name in _DOCUMENTS]
        return {key: bytes(data) for key in keys if (data := store.get(key)) is not None}

    mark = read_mark(store, path)
    if mark is not None and not mark.over:
        raise NodeExistsError(
            f"{nodes.label('group', path)}: expected nobody at work there in {store!r}, found {mark}; try again when "
            "that is done",
            path=path,
        )
    for one in writes:
        nodes.refuse_foreign(store, nodes.join(path, one.name), f"variable {one.name!r}")
    only = (*(one.name for one in writes), *_DOCUMENTS)
    making = Replacement(
        store,
        path,
        documents(),
        ACTION,
        kind="group",
        staged=True,
        found=Survey("group", mark),
        only=only,
        onto_itself=lambda: _read_from(store, path, writes),
    )
    opened.enter_context(making)
    opened.callback(lambda: making.documents.update(documents()))  # others may have set attributes
    return {one.name: one.stored.at(store, nodes.join(making.path, one.name), alone=True) for one in writes}


def reserve(opened: ExitStack, writes: list[Write], dim: Any) -> dict[str, Array]:
    """Name -> the array as it will be, of those that get longer along `dim`: behind the ends that were planned for."""
    rooms = []
    for one in writes:
        axis = one.variable.dims.index(dim)
        rooms.append(Room(one.stored, one.shape[axis] - one.stored.shape[axis], axis, one.stored.shape[axis]))
    if not rooms:
        return {}
    try:
        room = Reservation(rooms)
    except StoreError as error:
        for one in writes:
            array = one.stored
            now = nodes.read_array(array.store, array.path, array.metadata)
            if now.shape != array.shape:
                raise GrownMeanwhileError(
                    f"{nodes.label('array', array.path)}: expected the shape {array.shape}, found {now.shape}: "
                    "somebody else appended meanwhile; nothing was written; try again",
                    path=array.path,
                ) from error
        raise
    opened.enter_context(room)
    return {one.name: array for one, array in zip(writes, room.arrays, strict=True)}


# --- sources that read from what is written


def check_sources(plans: list[Plan], made: dict[str, Making]) -> None:
    """Refuse values that are to be written later, and are read from what will have been replaced by then."""
    for place, writes, _ in plans:
        making = made.get(place.path)
        if making is not None and making.replacement.found.kind is None:
            continue
        for one in writes:
            if one.variable.chunks is None or one.grows or (making is None and one.array is None):
                continue
            target = nodes.join(place.path, one.name) if making is None else making.replacement.node
            if reads_from(one.variable._data, place.zarr_store, target):
                raise ValueError(
                    f"variable {one.name!r}: expected values that are not read from {target or 'the root'!r} in "
                    f"{place.zarr_store!r}, which is replaced before they are computed; try compute=True, load(), or "
                    "another place"
                )


def _read_from(store: Store, path: str, writes: Iterable[Write]) -> bool:
    return any(reads_from(one.variable._data, store, path) for one in writes)


def bound(one: Write, array: Array) -> Any:
    """The values of a variable; computed, where blocks would be read from the array while others are written."""
    in_place = array is one.array and one.variable.chunks is not None
    if in_place and reads_from(one.variable._data, array.store, array.path):
        return one.variable.compute().data
    return one.variable.data
