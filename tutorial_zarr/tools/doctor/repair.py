"""Repairs: only those that lose nothing, and only when asked for.

- leftovers of killed writers are deleted, those older than an hour: a younger one may belong to a writer at work;
- what a killed `append` or `resize` left beyond an array's shape, and the block of an append that did not end where it
  is the last, with the same care: nobody was promised these elements;
- a node that a killed writer was making, replacing or deleting is completed where all of it is there; else what was
  written of it is taken back, and a node that was to be replaced is as it was;
- consolidated metadata that are stale or broken are written anew, where every document below them is sound;
- orphans are moved out of the store into a folder, when each is asked for by name.

All else that is wrong needs a decision, or a copy of the data, and is left alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tutorial_zarr.api import consolidate_metadata, open_array
from tutorial_zarr.errors import NodeNameError
from tutorial_zarr.nodes import JOURNAL, array_key, join
from tutorial_zarr.replacing import finish, read_mark
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.base import check_key
from tutorial_zarr.stores.writers import describe, is_dead

from .report import Report

HOUR = 3600.0
_UNSOUND = ("bad-json", "bad-metadata", "unreadable", "unsupported")


class Action(NamedTuple):
    """One repair: what is done to which key, or why it is not."""

    key: str
    what: str
    done: bool


def repair(
    store: Store,
    report: Report,
    *,
    move: Iterable[str] = (),
    into: str | os.PathLike[str] | None = None,
    leftover_age: float = HOUR,
    dry_run: bool = False,
) -> list[Action]:
    """Repair what `report` found in `store`, as far as that is safe. With `dry_run` nothing is changed."""
    if not dry_run:
        store.check_writable()
    actions = [_move(store, report, key, into, dry_run) for key in move]
    actions += _delete_leftovers(store, report, leftover_age, dry_run)
    for path in sorted({fault.node for fault in report.faults if fault.rule == "unfinished-write"}):
        actions += _finish(store, path, leftover_age, dry_run)
    for fault in report.faults:
        if fault.rule == "unfinished-node":
            actions.append(_finish_node(store, fault.node, fault.key, dry_run))
    for fault in report.faults:
        if fault.rule in ("stale-consolidated", "bad-consolidated"):
            actions.append(_consolidate(store, report, fault.node, fault.key, dry_run))
    return actions


def _delete_leftovers(store: Store, report: Report, age: float, dry_run: bool) -> list[Action]:
    found = {fault.key for fault in report.faults if fault.rule == "leftover"}
    gone = {leftover.path for leftover in (store.leftovers(age) if dry_run else store.remove_leftovers(age))}
    young = {leftover.path for leftover in store.leftovers()} - gone
    actions = []
    for name in sorted(found | gone):
        if name in young:
            actions.append(Action(name, f"left: younger than {age:.0f} s, or locked; it may belong to a writer", False))
            continue
        if not dry_run and not os.path.isabs(name):  # a key of such a name, in a store that lists it
            store.delete(name)
        actions.append(Action(name, "deleted: unfinished, and no reader sees it", not dry_run))
    return actions


def _finish(store: Store, path: str, age: float, dry_run: bool) -> list[Action]:
    array = open_array(store, "r+", path=path)
    key, found = array_key(path, array.zarr_format), array.unfinished
    if not dry_run:
        array.clear_unfinished(age)
    actions = []
    for name, mark in found.items():
        inside, old = mark.start < array.shape[mark.axis], time.time() - mark.since >= age
        if is_dead(mark.by) is False:
            why = f"left: the writer of the mark {name!r} is at work, {describe(mark.by, mark.since)}"
            actions.append(Action(key, why, False))
        elif not old:
            why = f"left: the mark {name!r} is younger than {age:.0f} s; it may belong to a writer"
            actions.append(Action(key, why, False))
        elif name in array.unfinished if not dry_run else inside and mark.stop < array.shape[mark.axis]:
            why = f"left: elements {mark.start} to {mark.stop} of axis {mark.axis} are to be written again, then "
            actions.append(Action(key, f"{why}array.finish({name!r})", False))
        else:
            actions.append(Action(key, f"cleared: the mark {name!r}, and what it stood for", not dry_run))
    return actions


def _finish_node(store: Store, path: str, key: str, dry_run: bool) -> Action:
    mark = read_mark(store, path)
    if mark is None:
        return Action(key, "left: unfinished work without its mark; who makes a node there deletes it", False)
    if not mark.over:
        return Action(key, f"left: {mark}: the writer may be at work", False)
    if mark.adds or (not mark.complete and store.exists(join(path, JOURNAL))):
        return Action(key, f"left: {mark}; the same call goes on with it, deleting the node ends it", False)
    what = f"{'completed' if mark.complete else 'took back'} {mark}"
    return Action(key, what if dry_run else finish(store, path) or what, not dry_run)


def _consolidate(store: Store, report: Report, path: str, key: str, dry_run: bool) -> Action:
    below = path + "/" if path else ""
    broken = [f.key for f in report.faults if f.rule in _UNSOUND and f.key != key and f.key.startswith(below)]
    if broken:
        return Action(key, f"left: it may be the last copy of {broken[0]!r}, which is broken", False)
    if not dry_run:
        consolidate_metadata(store, path or None, zarr_format=2 if key.endswith(".zmetadata") else 3)
    return Action(key, "written anew from the documents below", not dry_run)


def _move(store: Store, report: Report, key: str, into: str | os.PathLike[str] | None, dry_run: bool) -> Action:
    """Copy one value out of the store, then delete it there."""
    if into is None:
        raise ValueError(f"key {key!r}: expected a folder to move it into, found none; try into=")
    if not any(f.key == key and f.rule in ("orphan", "outside-grid") for f in report.faults):
        return Action(key, "left: the examination did not call it an orphan", False)
    try:
        place = Path(into, *check_key(key).split("/"))
    except NodeNameError as error:
        return Action(key, f"left: {error}", False)
    if place.exists():
        return Action(key, f"left: there is a file at {str(place)!r} already", False)
    if not dry_run:
        data = store.get(key)
        if data is None:
            return Action(key, "left: it is gone", False)
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        store.delete(key)
    return Action(key, f"moved to {str(place)!r}", not dry_run)
