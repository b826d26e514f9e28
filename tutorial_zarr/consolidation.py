"""Consolidated metadata of a hierarchy in a store: gathered, written when asked, and compared with the truth.

What the two conventions look like as JSON is in `metadata.consolidated`. Documents are gathered as they stand, so
that a node which this library cannot decode is there for a reader that can. Between an entry and a node's own
document the document counts; `differences` says where they part.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group({})
>>> _ = zarr.consolidate_metadata(root.store)
>>> _ = zarr.open_group(root.store, use_consolidated=False).create_group("late")
>>> for difference in differences(root.store, ""):
...     print(difference)
'late' is not in the consolidated metadata
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from tutorial_zarr import nodes
from tutorial_zarr.errors import GroupNotFoundError, MetadataError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, consolidated, dump_json, parse_json
from tutorial_zarr.progress import Progress, follow
from tutorial_zarr.stores import Store

Documents = dict[str, dict[str, Any]]  # name of a document -> its JSON
V2_NAMES = (".zarray", ".zgroup", ".zattrs")


class Difference(NamedTuple):
    """One node of which the consolidated metadata does not say what the store does."""

    path: str  # below the group
    what: str

    def __str__(self) -> str:
        return f"{self.path!r} {self.what}" if self.path else f"the group itself {self.what}"


def gather(store: Store, path: str, zarr_format: int) -> Iterator[tuple[str, Documents]]:
    """Pairs (path below the group, its documents), the group itself first.

    A document that is no JSON is left out, with a warning.
    """
    names = ("zarr.json",) if zarr_format == 3 else V2_NAMES
    waiting = [""]
    while waiting:
        relative = waiting.pop()
        found: Documents = {}
        for name in names:
            key = nodes.join(nodes.join(path, relative) if relative else path, name)
            if (data := store.get(key)) is None:
                continue
            try:
                found[name] = parse_json(data, key)
            except MetadataError as error:
                warnings.warn(f"left out of the consolidated metadata: {error}", nodes.ZarrWarning, stacklevel=2)
        if not found and relative:
            continue
        yield relative, found
        if ".zarray" not in found and found.get("zarr.json", {}).get("node_type") != "array":
            below = nodes.join(path, relative) if relative else path
            waiting += [nodes.join(relative, name) for name in nodes.child_names(store, below, zarr_format)][::-1]


def write(store: Store, path: str, zarr_format: int, progress: Progress = None) -> None:
    """Gather the documents below the group at `path` into its consolidated metadata."""
    members = dict(follow(gather(store, path, zarr_format), progress, "consolidate", unit="nodes"))
    if zarr_format == 3:
        key = nodes.join(path, "zarr.json")
        entries = {name: _bare(found["zarr.json"]) for name, found in members.items() if name}
        document = {**members[""]["zarr.json"], "consolidated_metadata": consolidated.write_v3(entries)}
    else:
        key = nodes.join(path, consolidated.V2_KEY)
        flat = {nodes.join(node, name): doc for node, found in members.items() for name, doc in found.items()}
        document = consolidated.write_v2({k: v for k, v in flat.items() if v or not k.endswith(".zattrs")})
    store.set(key, dump_json(document, key))


def recorded(store: Store, path: str, zarr_format: int) -> dict[str, Documents] | None:
    """Path below the group -> documents, as the consolidated metadata has them; None where there is none."""
    key = nodes.join(path, "zarr.json" if zarr_format == 3 else consolidated.V2_KEY)
    data = store.get(key)
    document = None if data is None else parse_json(data, key)
    if document is None:
        return None
    if zarr_format == 3:
        entries = consolidated.read_v3(document, key)
        return None if entries is None else {name.strip("/"): {"zarr.json": entry} for name, entry in entries.items()}
    found: dict[str, Documents] = {}
    for name, entry in consolidated.read_v2(document, key).items():
        folder, _, document_name = name.rpartition("/")
        found.setdefault(folder, {})[document_name] = entry
    return found


def differences(store: Store, path: str, zarr_format: int = 3) -> list[Difference]:
    """Every node of which consolidated and own metadata differ, by path; none where nothing is stale."""
    listed = recorded(store, path, zarr_format)
    if listed is None:
        raise GroupNotFoundError(
            f"{nodes.label('group', path, zarr_format)}: expected consolidated metadata in {store!r}, found none; "
            "try consolidate_metadata(store)",
            path=path,
        )
    there = dict(gather(store, path, zarr_format))
    if zarr_format == 3:
        there.pop("", None)  # a v3 group has no entry for itself
    found = []
    for name in sorted({*listed, *there}):
        if name not in there:
            found.append(Difference(name, "is in the consolidated metadata, and not in the store"))
        elif name not in listed:
            found.append(Difference(name, "is not in the consolidated metadata"))
        elif members := _differing(listed[name], there[name]):
            found.append(Difference(name, f"differs from the consolidated metadata in {', '.join(members)}"))
    return found


def same(listed: ArrayMetadata | GroupMetadata, own: ArrayMetadata | GroupMetadata) -> bool:
    """Whether an entry says of a node what its own documents say."""
    return (
        listed.node_type == own.node_type
        and not _differing({"document": listed.document}, {"document": own.document})
        and _equal(listed.attributes, own.attributes)
    )


def _differing(listed: Documents, own: Documents) -> list[str]:
    """The members of the documents that differ."""
    members = set()
    for name in {*listed, *own}:
        one, other = _bare(listed.get(name, {})), _bare(own.get(name, {}))
        if name == ".zattrs":
            members |= {"attributes"} if not _equal(one, other) else set()
        else:
            members |= {key for key in {*one, *other} if not _equal(one.get(key), other.get(key))}
    return sorted(members)


def _bare(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the copies that a nested group holds of others."""
    return {key: value for key, value in document.items() if key != "consolidated_metadata"}


def _equal(a: Any, b: Any) -> bool:
    """Equality of JSON, in which an absent member is null or empty, and a NaN of an old writer is itself."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(_equal(a.get(key), b.get(key)) for key in {*a, *b})
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if a in (None, [], {}) and b in (None, [], {}):
        return True
    return bool(a == b) or (a != a and b != b)
