"""Consolidated metadata: the documents of a whole hierarchy in one, to be had with one request.

Both forms are conventions. v2's ``.zmetadata`` stands in no specification; v3's member
``consolidated_metadata`` of a group's ``zarr.json`` is described as optional. They are written only when asked
for, and they can be stale: the documents themselves are the truth.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr.errors import MetadataError

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


def write_v2(entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The ``.zmetadata`` of these documents."""
    return {"zarr_consolidated_format": 1, "metadata": dict(sorted(entries.items()))}


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


def write_v3(entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The member ``consolidated_metadata`` for these documents."""
    return {"kind": "inline", "must_understand": False, "metadata": dict(sorted(entries.items()))}
