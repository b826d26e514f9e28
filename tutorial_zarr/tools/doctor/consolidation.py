"""Consolidated metadata held against the documents that it copies.

A copy is stale where it lacks a node, names one that is gone, or differs. Members that say no more than their
absence does (``"attributes": {}``) count as absent, as writers leave out one or the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tutorial_zarr.errors import MetadataError
from tutorial_zarr.metadata import consolidated
from tutorial_zarr.nodes import join

from .report import Report

_SAME_AS_ABSENT: dict[str, tuple[Any, ...]] = {
    "attributes": ({}, None),
    "storage_transformers": ([],),
    "dimension_names": (None,),
    "dimension_separator": (".",),
}


@dataclass
class Copy:
    """One consolidated document, and what of it has not been met yet."""

    path: str
    key: str
    zarr_format: int
    entries: dict[str, Any]  # of v3: paths below the group; of v2: keys. Those that were met are taken out
    nodes: tuple[str, ...] = ()  # paths of all nodes that it names
    differences: list[str] = field(default_factory=list)


class Consolidations:
    """All consolidated documents met on a walk. `observe` is told of every document, `finish` of the end."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.copies: list[Copy] = []

    def add_v3(self, path: str, key: str, document: dict[str, Any]) -> None:
        """Note the member ``consolidated_metadata`` of a group's document, if it has one."""
        try:
            entries = consolidated.read_v3(document, key)
        except MetadataError as error:
            self.report.add("bad-consolidated", key, error.message, node=path)
            return
        if entries is not None:
            found = {name.strip("/"): entry for name, entry in entries.items()}
            self.copies.append(Copy(path, key, 3, found, tuple(join(path, name) for name in found)))

    def add_v2(self, path: str, key: str, document: dict[str, Any]) -> None:
        """Note a ``.zmetadata``."""
        try:
            entries = dict(consolidated.read_v2(document, key))
        except MetadataError as error:
            self.report.add("bad-consolidated", key, error.message, node=path)
            return
        named = (name.rpartition("/") for name in entries)
        nodes = tuple(join(path, name) for name, _, kind in named if kind in (".zarray", ".zgroup") and name)
        self.copies.append(Copy(path, key, 2, entries, nodes))

    def tells_of(self, path: str) -> bool:
        """Whether a copy has the members of a group."""
        return any(not copy.path or f"{path}/".startswith(copy.path + "/") for copy in self.copies)

    def names_below(self, path: str) -> list[str]:
        """The names directly below a group, as far as the copies know them: for stores that list nothing."""
        start = path + "/" if path else ""
        found = {
            node[len(start) :].partition("/")[0]
            for copy in self.copies
            for node in copy.nodes
            if node.startswith(start)
        }
        return sorted(found - {""})

    def observe(self, path: str, key: str, document: dict[str, Any]) -> None:
        """Compare one document with the copies of it."""
        for copy in self.copies:
            below = not copy.path or key.startswith(copy.path + "/")
            if not below or (copy.zarr_format == 3) != key.endswith("zarr.json") or key == copy.key:
                continue
            name = (path if copy.zarr_format == 3 else key)[len(copy.path) + 1 if copy.path else 0 :]
            if name not in copy.entries:
                if not (name.endswith(".zattrs") and not document):
                    copy.differences.append(f"no entry for {name!r}")
            elif _canonical(copy.entries.pop(name)) != _canonical(document):
                copy.differences.append(f"another document for {name!r}")

    def finish(self) -> None:
        """Report the copies that differ from what was met."""
        for copy in self.copies:
            gone = [name for name, entry in copy.entries.items() if not (name.endswith(".zattrs") and not entry)]
            copy.differences += [f"an entry for {name!r}, which is not in the store" for name in sorted(gone)]
            if copy.differences:
                more = f", and {len(copy.differences) - 3} more differences" if len(copy.differences) > 3 else ""
                self.report.add(
                    "stale-consolidated",
                    copy.key,
                    f"expected a copy of the documents below, found {', '.join(copy.differences[:3])}{more}",
                    node=copy.path,
                )


def _canonical(document: Any) -> str:
    if isinstance(document, dict):
        document = {
            key: value
            for key, value in document.items()
            if key != "consolidated_metadata" and value not in _SAME_AS_ABSENT.get(key, ())
        }
    return json.dumps(document, sort_keys=True, default=repr)
