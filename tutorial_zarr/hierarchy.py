"""Whole hierarchies as keys and documents: creating many nodes at once, copying, moving, deleting.

Everything here is checked first and done afterwards, so that what is refused has changed nothing. Documents are
written last and deleted first: a reader never finds an array some of whose chunks are still on their way, for
those would read as the fill value. Stored bytes are never decoded.

What a dry run returns is a `Plan`: the keys, their bytes, and a text that says what would happen.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore({"a/zarr.json": b'{"zarr_format": 3, "node_type": "group"}'})
>>> print(delete(store, "a", dry_run=True))
delete 'a' in MemoryStore(1 keys): 1 key, 40 bytes
  a/zarr.json  40 bytes

Left out: nodes with attributes and elements (`group`, `array`), and changes of the format (`convert`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutorial_zarr import nodes, parallel
from tutorial_zarr.errors import MetadataError, NodeExistsError, NodeNameError, NodeNotFoundError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, v2, v3
from tutorial_zarr.progress import Progress, follow
from tutorial_zarr.stores import LocalStore, Store, WrapperStore

IF_EXISTS = ("raise", "replace", "skip")
_LISTED = 20  # keys that a printed plan shows


@dataclass(frozen=True)
class Plan:
    """What a copy, a move or a deletion does: print it, or ask `sizes`, `nkeys`, `nbytes`."""

    action: str
    where: str  # the sentence's middle: "'a' to 'b' in LocalStore(...)"
    sizes: dict[str, int] = field(repr=False)  # key that is copied, moved or deleted -> its bytes
    replaced: tuple[str, ...] = ()  # keys that go to make room
    skipped: tuple[str, ...] = ()  # paths of nodes that are there already and stay as they are

    @property
    def nkeys(self) -> int:
        """How many stored values it concerns."""
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """The bytes of these values."""
        return sum(self.sizes.values())

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {"action": self.action, "where": self.where, "nkeys": self.nkeys, "nbytes": self.nbytes,
                "keys": self.sizes, "replaced": list(self.replaced), "skipped": list(self.skipped)}  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.action} {self.where}: {_count(self.nkeys, 'key')}, {readable(self.nbytes)}"]
        shown = list(self.sizes.items())[:_LISTED]
        width = max((len(key) for key, _ in shown), default=0)
        lines += [f"  {key:<{width}}  {readable(size)}" for key, size in shown]
        if self.nkeys > _LISTED:
            lines.append(f"  and {self.nkeys - _LISTED} more")
        if self.replaced:
            lines.append(f"  first deletes {_count(len(self.replaced), 'key')} that lie there")
        lines += [f"  leaves {path!r} as it is" for path in self.skipped]
        return "\n".join(lines)

    __repr__ = __str__


def readable(nbytes: int) -> str:
    """A number of bytes for people.

    >>> readable(40), readable(3 << 20)
    ('40 bytes', '3.0 MiB')
    """
    size, unit = float(nbytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{nbytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


# --- copying, moving, deleting


def copy(
    source: Store,
    source_path: str,
    target: Store,
    path: str,
    *,
    zarr_format: int,
    if_exists: str = "raise",
    dry_run: bool = False,
    progress: Progress = None,
) -> Plan:
    """Copy every key below `source_path` to below `path`, bytes unchanged.

    `if_exists`: ``"raise"`` refuses a place where a node is; ``"replace"`` deletes that first; ``"skip"`` leaves
    the nodes that are there and adds those that are not, so that a copy that was cut short can be completed.
    """
    if if_exists not in IF_EXISTS:
        raise ValueError(f"if_exists: expected one of {', '.join(map(repr, IF_EXISTS))}, found {if_exists!r}")
    _refuse_overlap("copy", source, source_path, target, path, replace=if_exists == "replace")
    check_place(target, path, zarr_format, kind=nodes.kind_at(source, source_path) or "group")
    keys = list(source.list_prefix(source_path))
    replaced: list[str] = []
    skipped: dict[str, str] = {}
    if if_exists == "skip":
        skipped = _present(source, source_path, target, path, keys)
        keys = [key for key in keys if not _belongs_to(key, skipped)]
    else:
        nodes.prepare(target, path, "node", overwrite=if_exists == "replace", dry_run=True)
        replaced = list(target.list_prefix(path)) if if_exists == "replace" else []
    plan = _plan("copy", f"{source_path!r} in {source!r} to {path!r} in {target!r}", source, keys if dry_run else [],
                 replaced=tuple(replaced), skipped=tuple(skipped))  # fmt: skip
    if dry_run:
        return plan
    if replaced:
        target.delete_prefix(path)
    nodes.create_parents(target, path, zarr_format)
    _transfer(source, source_path, target, path, keys, progress, f"copy {source_path or '/'}")
    return plan


def move(store: Store, source: str, path: str, *, dry_run: bool = False, progress: Progress = None) -> Plan:
    """Move the node at `source`, and all that it holds, to `path` in the same store.

    The copy is complete before anything is deleted: whoever stops this in the middle finds the node at the old
    place or at both.
    """
    kind = nodes.kind_at(store, source)
    if not source or not path:
        raise NodeNameError("move: expected two paths below the root, found the root itself; try copy", path=source)
    if kind is None:
        raise NodeNotFoundError(f"move: expected a node at {source!r} in {store!r}, found none", path=source)
    _refuse_overlap("move", store, source, store, path, replace=False)
    zarr_format = 3 if store.exists(nodes.join(source, "zarr.json")) else 2
    check_place(store, path, zarr_format, kind)
    nodes.prepare(store, path, kind, overwrite=False, dry_run=True)
    if (there := next(iter(store.list_prefix(path)), None)) is not None:
        raise NodeExistsError(
            f"move: expected nothing at {path!r} in {store!r}, found the key {there!r}; try another name", path=path
        )
    keys = list(store.list_prefix(source))
    plan = _plan("move", f"{source!r} to {path!r} in {store!r}", store, keys if dry_run else [])
    if dry_run:
        return plan
    nodes.create_parents(store, path, zarr_format)
    _transfer(store, source, store, path, keys, progress, f"move {source}")
    _remove(store, source, keys)
    return plan


def delete(store: Store, path: str, *, dry_run: bool) -> Plan:
    """Delete the node at `path` with all that it holds; refused where that is more than Zarr."""
    store.check_writable()
    if not path:
        raise NodeNameError("delete: expected a path below the root, found the root; delete the store itself", path="")
    if nodes.kind_at(store, path) is None:
        raise NodeNotFoundError(f"delete: expected a node at {path!r} in {store!r}, found none", path=path)
    nodes.refuse_foreign(store, path, f"cannot delete {path!r}")
    keys = list(store.list_prefix(path))
    plan = _plan("delete", f"{path!r} in {store!r}", store, keys if dry_run else [])
    if not dry_run:
        _remove(store, path, keys)
    return plan


def _plan(action: str, where: str, store: Store, keys: list[str], **more: Any) -> Plan:
    """The sizes are asked for in a dry run alone: that is a request for every key."""
    return Plan(action, where, {key: store.get_size(key) or 0 for key in keys}, **more)


def _place(store: Store, path: str) -> tuple[Any, ...]:
    """Where a node lies, comparable across stores that look at the same folder from different roots."""
    while isinstance(store, WrapperStore):
        store = store.store
    if isinstance(store, LocalStore):
        return tuple(os.path.realpath(os.path.join(store.root, *path.split("/"))).split(os.sep))
    return (store, *path.split("/")) if path else (store,)


def overlaps(source: Store, source_path: str, target: Store, path: str, either_way: bool = True) -> bool:
    """Whether the place at `path` is the source's or lies in it; or, `either_way`, the source in the place."""
    old, new = _place(source, source_path), _place(target, path)
    return new[: len(old)] == old or (either_way and old[: len(new)] == new)


def _refuse_overlap(action: str, source: Store, source_path: str, target: Store, path: str, replace: bool) -> None:
    if overlaps(source, source_path, target, path, replace):
        raise NodeExistsError(
            f"{action}: expected a place outside of {'/' + source_path!r}, found {'/' + path!r}; "
            "try one that is neither the same nor inside the other",
            path=path,
        )


def check_place(store: Store, path: str, zarr_format: int, kind: str) -> None:
    """Refuse a place in an array, or below a group of the other format, where no listing would show the node."""
    nodes.refuse_inside_array(store, path, kind)
    above = path
    while above:
        above = nodes.parent(above)
        if nodes.kind_at(store, above) is None:
            continue
        if not store.exists(nodes.join(above, "zarr.json" if zarr_format == 3 else ".zgroup")):
            raise NodeExistsError(
                f"{nodes.label(kind, path, zarr_format)}: expected a group of the same format above it, found "
                f"{nodes.label('group', above, 5 - zarr_format)}; try convert.to_v{5 - zarr_format} with a target",
                path=path,
            )
        return


def _present(source: Store, source_path: str, target: Store, path: str, keys: list[str]) -> dict[str, str]:
    """Source path -> kind, of the nodes that the target has already."""
    found = {}
    for folder in sorted({nodes.parent(key) for key in keys if is_document(key)}):
        kind, relative = nodes.kind_at(source, folder), folder[len(source_path) :].strip("/")
        place = nodes.join(path, relative) if relative else path
        there = nodes.kind_at(target, place)
        if kind is None or there is None:
            continue
        if kind != there:
            raise NodeExistsError(
                f"copy: expected {nodes.label(kind, place)} or nothing, found {nodes.label(there, place)}", path=place
            )
        found[folder] = kind
    return found


def _belongs_to(key: str, skipped: dict[str, str]) -> bool:
    folder = nodes.parent(key)
    if skipped.get(folder) == "group":
        return is_document(key)
    while True:
        if skipped.get(folder) == "array":
            return True
        if not folder:
            return False
        folder = nodes.parent(folder)


def is_document(key: str) -> bool:
    """Whether a key is that of metadata."""
    return key.rpartition("/")[2] in nodes.METADATA_NAMES


def _documents_last(keys: list[str]) -> tuple[list[str], list[str]]:
    """Data, then documents: the deepest first, attributes before what makes them visible."""
    documents = sorted(
        filter(is_document, keys),
        key=lambda k: (-k.count("/"), not k.endswith(".zattrs"), k.endswith(".zmetadata"), k),
    )
    return [key for key in keys if not is_document(key)], documents


def _transfer(
    source: Store, source_path: str, target: Store, path: str, keys: list[str], progress: Progress, what: str
) -> None:
    start = len(source_path) + 1 if source_path else 0

    def one(key: str) -> None:
        value = source.get(key)
        if value is not None:
            target.set(nodes.join(path, key[start:]), value)

    data, documents = _documents_last(keys)
    in_flight = max(source.concurrency or 0, target.concurrency or 0, 1)
    work = (
        pair for part in (parallel.stream(one, data, in_flight), parallel.stream(one, documents, 1)) for pair in part
    )
    for _ in follow(work, progress, what, total=len(keys), unit="objects"):
        pass


def _remove(store: Store, path: str, keys: list[str]) -> None:
    """Delete these keys, the node's own documents first, and the folders that are left empty."""
    data, documents = _documents_last(keys)
    for key in [*reversed(documents), *data]:
        store.delete(key)
    if next(iter(store.list_prefix(path)), None) is None:
        store.delete_prefix(path)


# --- creating


Metadata = ArrayMetadata | GroupMetadata


def parse_nodes(documents: Mapping[str, Any], base: str = "") -> tuple[dict[str, Metadata], set[str]]:
    """Path -> metadata of a whole hierarchy, and the paths of the groups in it that nobody named.

    A value is metadata, or a document: a ``zarr.json`` as a dict; of Zarr 2 a ``.zarray`` or ``.zgroup`` with its
    attributes as the member ``attributes``.
    """
    found = {
        nodes.join(base, p) if (p := nodes.normalize_path(key)) else base: value for key, value in documents.items()
    }
    if len(found) != len(documents):
        raise NodeNameError(f"nodes: expected each path once, found {sorted(documents)}")
    parsed = {path: _metadata(path, value) for path, value in found.items()}
    formats = {metadata.zarr_format for metadata in parsed.values()}
    if len(formats) > 1:
        raise MetadataError("nodes: expected one format for the whole hierarchy, found Zarr 2 and Zarr 3")
    implied: set[str] = set()
    for path in list(parsed):
        above = path
        while above:
            above = nodes.parent(above)
            if above in found and isinstance(parsed[above], ArrayMetadata):
                raise NodeExistsError(
                    f"nodes: expected {above!r} to be a group, for {path!r} lies in it; found an array", path=above
                )
            if above not in parsed:
                parsed[above] = nodes.new_group(formats.copy().pop(), {})
                implied.add(above)
    return dict(sorted(parsed.items())), implied


def _metadata(path: str, value: Any) -> Metadata:
    if isinstance(value, Metadata):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"nodes[{path!r}]: expected metadata or a metadata document, found {type(value).__name__}")
    document = dict(value)
    if document.get("zarr_format") == 2:
        attributes = document.pop("attributes", {})
        parse = v2.parse_array if "shape" in document else v2.parse_group
        return parse(document, attributes, nodes.label("node", path, 2))
    return v3.parse(document, nodes.label("node", path, 3))


def check_creation(
    store: Store, parsed: dict[str, Metadata], implied: set[str], overwrite: bool
) -> dict[str, Metadata]:
    """The nodes of `parsed` that are to be written; refused where they meet others."""
    store.check_writable()
    missing = {}
    for path, metadata in parsed.items():
        for name in path.split("/") if path else []:
            nodes.check_name(name, strict=True)
        there = nodes.kind_at(store, path)
        if overwrite and any(above in parsed and above not in implied for above in _above(path)):
            there = None  # it goes with the node above it
        if path in implied:
            if there == "array":
                raise NodeExistsError(
                    f"nodes: expected a group or nothing at {path!r} in {store!r}, found an array", path=path
                )
            if there is None:
                missing[path] = metadata
            continue
        if there is not None:
            nodes.prepare(store, path, metadata.node_type, overwrite, dry_run=True)
        missing[path] = metadata
    return missing


def _above(path: str) -> list[str]:
    names = path.split("/") if path else []
    return ["/".join(names[:i]) for i in range(len(names))]


def create(store: Store, missing: dict[str, Metadata], implied: set[str], overwrite: bool) -> None:
    """Write the nodes that `check_creation` let pass. All are encoded before the first is written."""
    encoded = [nodes.documents(metadata, path) for path, metadata in missing.items()]
    if overwrite:
        for path in missing.keys() - implied:
            store.delete_prefix(path)
    for documents in encoded:
        for key, data in documents.items():
            store.set(key, data)
