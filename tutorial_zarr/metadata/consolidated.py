"""Consolidated metadata: the documents of a whole hierarchy in one, to be had with one request.

Both forms are conventions. v2's ``.zmetadata`` stands in no specification; v3's member
``consolidated_metadata`` of a group's ``zarr.json`` is described as optional. They are written only when asked
for, and they can be stale: the documents themselves are the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from tutorial_zarr.errors import MetadataError

from . import v2, v3

V2_KEY = ".zmetadata"


def read_v2(document: dict[str, Any], where: str = V2_KEY) -> dict[str, dict[str, Any]]:
    """Key -> document, of a ``.zmetadata``."""
    entries = document.get("metadata")
    if document.get("zarr_consolidated_format") != 1 or not isinstance(entries, dict):
        raise MetadataError(
            f"{where}: expected zarr_consolidated_format 1 and an object 'metadata', found "
            f"{document.get('zarr_consolidated_format')!r} and {type(entries).__name__}",
            key=where,
        )
    return entries


def read_v3(document: dict[str, Any], where: str = "zarr.json") -> dict[str, dict[str, Any]] | None:
    """Path -> document, of the member ``consolidated_metadata``; None where a group has none.

    >>> read_v3({"consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": {}}})
    {}
    """
    member = document.get("consolidated_metadata")
    if member is None:
        return None
    if not isinstance(member, dict) or member.get("kind") != "inline" or not isinstance(member.get("metadata"), dict):
        if isinstance(member, dict) and member.get("must_understand") is False and member.get("kind") != "inline":
            return None  # a kind that this library does not know, and need not
        raise MetadataError(
            f"{where}: expected consolidated_metadata of kind 'inline' with an object 'metadata', found {member!r}",
            key="consolidated_metadata",
        )
    return member["metadata"]


def write(document: dict[str, Any], entries: dict[str, dict[str, Any]], zarr_format: int) -> dict[str, Any]:
    """A group's document with these entries in its ``consolidated_metadata``; of v2, a ``.zmetadata`` of them."""
    metadata = dict(sorted(entries.items()))
    if zarr_format == 2:
        return {"zarr_consolidated_format": 1, "metadata": metadata}
    return {**document, "consolidated_metadata": {"kind": "inline", "must_understand": False, "metadata": metadata}}


class Listed(MutableMapping[str, Any]):
    """Path -> metadata of a node, which is parsed when it is first asked for: there may be a million of them.

    For an entry that cannot be understood an error stands in: it must not hide the others.
    """

    def __init__(self, zarr_format: int, documents: dict[str, tuple[Any, Any, str]]) -> None:
        self.zarr_format = zarr_format
        self._documents = documents  # path -> document, attributes, and the key that errors name
        self._parsed: dict[str, Any] = {}

    def below(self, start: str, names: Iterable[str]) -> Listed:
        """Those of `names`, without the `start` that all have; what was parsed is not parsed again."""
        names = list(names)
        found = Listed(self.zarr_format, {name[len(start) :]: self._documents[name] for name in names})
        found._parsed = {name[len(start) :]: self._parsed[name] for name in names if name in self._parsed}
        return found

    def __getitem__(self, name: str) -> Any:
        if name not in self._parsed:
            document, attributes, key = self._documents[name]
            try:
                for each in (document,) if self.zarr_format == 3 else (document, attributes):
                    if not isinstance(each, dict):
                        raise MetadataError(f"{key}: expected a JSON object, found {type(each).__name__}", key=key)
                if self.zarr_format == 3:
                    self._parsed[name] = v3.parse(document, key)
                else:
                    parse = v2.parse_array if key.endswith(".zarray") else v2.parse_group
                    self._parsed[name] = parse(document, attributes, key)
            except MetadataError as error:
                self._parsed[name] = error
        return self._parsed[name]

    def __setitem__(self, name: str, metadata: Any) -> None:
        self._documents.setdefault(name, (None, None, name))
        self._parsed[name] = metadata

    def __delitem__(self, name: str) -> None:
        del self._documents[name]
        self._parsed.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._documents

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


def listed_v3(entries: dict[str, Any]) -> Listed:
    """What `read_v3` found, to be parsed entry by entry."""
    return Listed(3, {name.strip("/"): (document, None, name) for name, document in entries.items()})


def listed_v2(entries: dict[str, Any]) -> Listed:
    """What `read_v2` found: a document for each node, and the attributes beside it."""
    found = {}
    for key, entry in entries.items():
        name, _, kind = key.rpartition("/")
        if kind == ".zarray" or (kind == ".zgroup" and f"{key[:-6]}zarray" not in entries):
            found[name] = entry, entries.get(f"{name}/.zattrs" if name else ".zattrs", {}), key
    return Listed(2, found)
