"""Consolidated metadata of a hierarchy in a store: gathered, written when asked, kept true, compared with the truth.

What the two conventions look like as JSON is in `metadata.consolidated`. Documents are gathered as they stand, so
that a node which this library cannot decode is there for a reader that can. Between an entry and a node's own
document the document counts; `differences` says where they part.

Whatever this library changes in a hierarchy it changes in the consolidated metadata above as well: what goes is taken
out first (`forget`), what is new or changed is put in afterwards (`renew`), also where a folder, or a part of a store,
is opened by itself. Nobody knows what lies above a URL: there open the hierarchy by its root. Other programs do not; a
group that is only read believes its copy, and asks the store where the copy lists no such node, or where a chunk is
absent.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group({})
>>> _ = zarr.consolidate_metadata(root.store)
>>> _ = root.create_group("known")
>>> root.store.set("late/zarr.json", b'{"zarr_format": 3, "node_type": "group"}')  # another program
>>> for difference in differences(root.store, ""):
...     print(difference)
'late' is not in the consolidated metadata
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from tutorial_zarr import nodes
from tutorial_zarr.errors import GroupNotFoundError, MetadataError, StoreError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, consolidated, dump_json, parse_json
from tutorial_zarr.progress import Progress, follow
from tutorial_zarr.stores import Store

Documents = dict[str, dict[str, Any]]  # name of a document -> its JSON
V2_NAMES = (".zarray", ".zgroup", ".zattrs")
_ATTEMPTS = 5  # to gather documents that others change meanwhile


class Difference(NamedTuple):
    """One node about which the consolidated metadata and the store disagree."""

    path: str  # below the group
    what: str

    def __str__(self) -> str:
        return f"{self.path!r} {self.what}" if self.path else f"the group itself {self.what}"


def _documents(store: Store, path: str, names: Iterable[str]) -> Documents:
    """A node's documents by these names, those that are there and are JSON."""
    found: Documents = {}
    for name in names:
        key = nodes.join(path, name)
        if (data := nodes.read_document(store, key)) is None:
            continue
        try:
            found[name] = parse_json(data, key)
        except MetadataError as error:
            warnings.warn(f"left out of the consolidated metadata: {error}", nodes.ZarrWarning, stacklevel=3)
    return found


def gather(store: Store, path: str, zarr_format: int, tree: bool = True) -> Iterator[tuple[str, Documents]]:
    """Pairs (path below the group, its documents), the group itself first; and that alone, without `tree`.

    A document that is no JSON is left out, with a warning.
    """
    names = ("zarr.json",) if zarr_format == 3 else V2_NAMES
    waiting = [""]
    while waiting:
        relative = waiting.pop()
        below = nodes.join(path, relative) if relative else path
        found = _documents(store, below, names)
        if not found and relative:
            continue
        yield relative, found
        if tree and not _is_array(found):
            waiting += [nodes.join(relative, name) for name in nodes.child_names(store, below, zarr_format)][::-1]


def write(store: Store, path: str, zarr_format: int, progress: Progress = None) -> None:
    """Gather the documents below the group at `path` into its consolidated metadata."""
    members = dict(follow(gather(store, path, zarr_format), progress, "consolidate", unit="nodes"))
    key = nodes.join(path, "zarr.json" if zarr_format == 3 else consolidated.V2_KEY)
    for _ in range(_ATTEMPTS):
        entries: Documents = {}
        for name, found in members.items():
            entries |= _entries(name, found, zarr_format)

        def gathered(old: Any, entries: Documents = entries) -> bytes:
            if old is None and zarr_format == 3:
                raise GroupNotFoundError(
                    f"{nodes.label('group', path, 3)}: expected its document at key {key!r}, found none: it was "
                    "deleted meanwhile",
                    path=path,
                )
            document = parse_json(old, key) if zarr_format == 3 else {}
            return dump_json(consolidated.write(document, entries, zarr_format), key)

        store.update(key, gathered)
        before, members = members, dict(gather(store, path, zarr_format))
        if all(_same_entries(before.get(name), members.get(name), zarr_format) for name in {*before, *members}):
            return
    raise StoreError(
        f"{nodes.label('group', path, zarr_format)}: expected to gather its members' metadata, found others each of "
        f"{_ATTEMPTS} times: somebody changes them; the consolidated metadata may be out of date; try again later",
        path=path,
    )


def _same_entries(one: Documents | None, other: Documents | None, zarr_format: int) -> bool:
    """Whether a node stands in consolidated metadata as before."""
    return (one is None) == (other is None) and repr(_entries("x", one or {}, zarr_format)) == repr(
        _entries("x", other or {}, zarr_format)
    )


def with_copy(documents: Mapping[str, bytes], zarr_format: int) -> dict[str, bytes]:
    """The documents of a new hierarchy from the root on, and among them the consolidated metadata of all of them."""
    entries: Documents = {}
    for key, data in documents.items():
        folder, _, name = key.rpartition("/")
        entries |= _entries(folder, {name: parse_json(data, key)}, zarr_format)
    if zarr_format == 3:
        own = consolidated.write(parse_json(documents["zarr.json"], "zarr.json"), entries, 3)
        return {**documents, "zarr.json": dump_json(own, "zarr.json")}
    copy = {consolidated.V2_KEY: dump_json(consolidated.write({}, entries, 2), consolidated.V2_KEY)}
    *others, own_key = documents  # the root's own comes last
    return {**{key: documents[key] for key in others}, **copy, own_key: documents[own_key]}


def renew(store: Store, path: str, zarr_format: int | None = None, tree: bool = True) -> bool:
    """Update all consolidated metadata that covers `path`, after a change there. Return whether there is any.

    That is the metadata of the groups above, and of the node itself. With `tree` everything below the node is read
    again, otherwise only the node's own documents. Each group above costs one request, or two without a format.
    """
    found, (store, path) = False, _in_all(store, path)
    for key, base in _holders(store, path, zarr_format, own=tree or zarr_format == 2):
        try:
            store.update(key, partial(_changed, store, path, key, base, there=True, tree=tree))
        except StoreError as cause:
            raise StoreError(
                f"{path or '/'!r} in {store!r} was changed, and the consolidated metadata at key {key!r} tell of it as "
                f"it was: {cause}; then try consolidate_metadata",
                key=key,
            ) from cause
        found = True
    return found


def forget(store: Store, path: str, zarr_format: int | None = None) -> None:
    """Remove `path` and everything below it from the consolidated metadata of the groups above, before a deletion."""
    store, path = _in_all(store, path)
    for key, base in _holders(store, path, zarr_format, own=False):
        store.update(key, partial(_changed, store, path, key, base, there=False, tree=True))


def _in_all(store: Store, path: str) -> tuple[Store, str]:
    """The same place in the whole hierarchy: a store may begin in its midst, as that of an array opened by its path."""
    whole, at = store.above()
    return (whole, nodes.join(at, path) if path else at) if at else (store, path)


def _holders(store: Store, path: str, zarr_format: int | None, own: bool) -> Iterator[tuple[str, str]]:
    """Yield key and group of each consolidated metadata that may cover the node at `path`, the nearest first."""
    above: str | None = path if own else nodes.parent(path) if path else None
    while above is not None:
        key = nodes.join(above, "zarr.json")
        if zarr_format != 2 and b'"consolidated_metadata"' in bytes(nodes.read_document(store, key) or b""):
            yield key, above
        key = nodes.join(above, consolidated.V2_KEY)
        if zarr_format != 3 and store.exists(key):
            yield key, above
        above = nodes.parent(above) if above else None


def _changed(store: Store, path: str, key: str, base: str, old: Any, *, there: bool, tree: bool) -> Any:
    """The bytes of consolidated metadata in which the node at `path` is as it is now; or, not `there`, is not."""
    if old is None:
        return old
    document, zarr_format = parse_json(old, key), 3 if key.endswith("zarr.json") else 2
    entries = _read(document, key)
    if entries is None:
        return old
    relative = path[len(base) :].strip("/")
    now = dict(gather(store, path, zarr_format, tree)) if there else {}
    stays = not tree and not any(map(_is_array, now.values()))
    kept = {name: entry for name, entry in entries.items() if not _tells_of(name, relative, zarr_format, stays)}
    if now.get(""):
        kept |= _between(store, base, nodes.parent(relative), zarr_format, kept)
    for name, found in now.items():
        kept |= _entries(nodes.join(relative, name).strip("/"), found, zarr_format)
    new = consolidated.write(document, kept, zarr_format)
    return old if new == document else dump_json(new, key)


def _read(document: dict[str, Any], key: str) -> Documents | None:
    """Return the entries of consolidated metadata; None where there are none that could mislead a reader."""
    try:
        return consolidated.read_v3(document, key) if key.endswith("zarr.json") else consolidated.read_v2(document, key)
    except MetadataError:
        return None


def _between(store: Store, base: str, path: str, zarr_format: int, kept: Documents) -> Documents:
    """Return the entries of groups that were made on the way from the group at `base` to a new node, up to `path`."""
    listed = {name.strip("/") if zarr_format == 3 else nodes.parent(name) for name in kept}
    made: Documents = {}
    while path and path not in listed:
        made |= _entries(path, dict(gather(store, nodes.join(base, path), zarr_format, False))[""], zarr_format)
        path = nodes.parent(path)
    return made


def _is_array(found: Documents) -> bool:
    return ".zarray" in found or found.get("zarr.json", {}).get("node_type") == "array"


def _tells_of(name: str, relative: str, zarr_format: int, only: bool) -> bool:
    """Whether an entry is that of the node at `relative`, or, unless `only` that is asked for, of one below it."""
    node = name.strip("/") if zarr_format == 3 else nodes.parent(name)
    return node == relative or (not only and (not relative or node.startswith(relative + "/")))


def _entries(at: str, found: Documents, zarr_format: int) -> Documents:
    """The entries of a node in consolidated metadata. A v3 group has none for itself."""
    if zarr_format == 3:
        return {at: _bare(found["zarr.json"])} if at and "zarr.json" in found else {}
    return {nodes.join(at, name): doc for name, doc in found.items() if doc or name != ".zattrs"}


def recorded(store: Store, path: str, zarr_format: int) -> dict[str, Documents] | None:
    """Path below the group -> documents, as the consolidated metadata has them; None where there is none."""
    key = nodes.join(path, "zarr.json" if zarr_format == 3 else consolidated.V2_KEY)
    data = nodes.read_document(store, key)
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
