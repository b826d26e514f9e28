"""Nodes: finding, naming, creating and deleting arrays and groups in a store, before they are arrays and groups.

What stands at a path is found by asking for ``zarr.json`` first, then for v2's documents, then for v1's. Where
both formats are present v3 counts, and a warning says so.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tutorial_zarr.errors import ArrayNotFoundError, MetadataError, NodeExistsError, NodeNameError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, consolidated, dump_json, parse_json, v2, v3
from tutorial_zarr.stores import Store

Metadata = ArrayMetadata | GroupMetadata


class ZarrWarning(UserWarning):
    """Something that a reader should know, and that did not stop the work."""


class MissingChunksWarning(ZarrWarning):
    """A read met chunks that are not stored, of an array that was opened with ``missing="warn"``."""


def normalize_path(path: Any) -> str:
    """A node's path: ``/`` between names, none at the ends. Raises NodeNameError for names that are not allowed.

    >>> normalize_path("/a//b/"), normalize_path(None)
    ('a/b', '')
    """
    if path is None:
        return ""
    if not isinstance(path, str):
        raise TypeError(f"path: expected text, found {path!r}")
    names = [name for name in path.replace("\\", "/").split("/") if name]
    for name in names:
        check_name(name)
    return "/".join(names)


def check_name(name: str, strict: bool = False) -> str:
    """`name`, if a node may be called so. `strict` is for nodes that are created.

    Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#node-names
    """
    problem = ""
    if not name:
        problem = "an empty name"
    elif not name.strip("."):
        problem = "a name of dots only"
    elif "\0" in name or "/" in name:
        problem = "a name with '/' or a zero byte"
    elif strict and name.startswith("__"):
        problem = "a name that begins with '__', which is reserved"
    elif strict and name in ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"):
        problem = "the name of a metadata document"
    elif strict and name.endswith(".partial"):
        problem = "a name that ends in '.partial', which marks unfinished files"
    if problem:
        raise NodeNameError(f"node name {name!r}: expected a plain name, found {problem}", name=name)
    return name


def join(path: str, name: str) -> str:
    """The store key or path of `name` below `path`."""
    return f"{path}/{name}" if path else name


def parent(path: str) -> str:
    """The path of the group that holds a node."""
    return path.rpartition("/")[0]


def label(kind: str, path: str, zarr_format: int | None = None) -> str:
    """How errors call a node: ``array 'a/b' (Zarr 3)``."""
    name = repr(path) if path else "at the root"
    return f"{kind} {name}" + (f" (Zarr {zarr_format})" if zarr_format else "")


def _document(store: Store, key: str, strict: bool = False) -> dict[str, Any] | None:
    data = store.get(key)
    return None if data is None else parse_json(data, key, strict)


def read_v2_attributes(store: Store, path: str, strict: bool = False) -> dict[str, Any]:
    """The attributes in ``.zattrs``; none where the document is absent."""
    return _document(store, join(path, ".zattrs"), strict) or {}


def read(store: Store, path: str, zarr_format: int | None = None, strict: bool = False) -> Metadata | None:
    """The metadata of the node at `path`; None where there is none."""
    found: Metadata | None = None
    if zarr_format in (None, 3):
        key = join(path, "zarr.json")
        if (document := _document(store, key, strict)) is not None:
            found = v3.parse(document, key, strict)
    if zarr_format == 3 or found is not None:
        return found
    key = join(path, ".zarray")
    if (document := _document(store, key, strict)) is not None:
        return v2.parse_array(document, read_v2_attributes(store, path, strict), key, strict)
    key = join(path, ".zgroup")
    if (document := _document(store, key, strict)) is not None:
        return v2.parse_group(document, read_v2_attributes(store, path, strict), key, strict)
    key = join(path, "meta")
    document = _document(store, key, strict) if zarr_format is None else None
    if document is not None and document.get("zarr_format") == 1:
        attributes = _document(store, join(path, "attrs"), strict) or {}
        return v2.parse_array(v2.from_v1(document, key), attributes, key, strict)
    return None


def warn_if_both(store: Store, path: str, found: Metadata) -> None:
    """Warn where a v3 node has documents of v2 beside it."""
    if found.zarr_format == 3:
        for name in (".zarray", ".zgroup"):
            if store.exists(join(path, name)):
                warnings.warn(
                    f"{label(found.node_type, path, 3)}: there is a {name} of Zarr 2 beside zarr.json; reading "
                    "zarr.json. Pass zarr_format=2 to read the other",
                    ZarrWarning,
                    stacklevel=4,
                )


def documents(metadata: Metadata, path: str) -> dict[str, bytes]:
    """Key -> bytes of the documents that say what `metadata` says."""
    if metadata.zarr_format == 3:
        return {join(path, "zarr.json"): dump_json(metadata.to_json(), join(path, "zarr.json"))}
    name = ".zarray" if metadata.node_type == "array" else ".zgroup"
    parts = {".zattrs": metadata.attributes} if metadata.attributes else {}
    parts[name] = metadata.to_json()  # last: it makes the node visible, with its attributes
    return {join(path, part): dump_json(document, join(path, part)) for part, document in parts.items()}


def write(store: Store, path: str, metadata: Metadata) -> None:
    """Write a node's documents. All are encoded before the first is written."""
    for key, data in documents(metadata, path).items():
        store.set(key, data)


def array_key(path: str, zarr_format: int) -> str:
    """The key of an array's document, which holds its shape."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zarray")


def _newest(store: Store, path: str, known: ArrayMetadata, data: Any) -> ArrayMetadata:
    """The metadata that `data`, the bytes of an array's document, say now; `known` is what was known before."""
    key = array_key(path, known.zarr_format)
    if data is None:
        if known.zarr_format == 2 and store.exists(join(path, "meta")):
            return known  # version 1: with its first change it becomes version 2
        raise ArrayNotFoundError(
            f"{label('array', path, known.zarr_format)}: expected its document at key {key!r}, found none: it was "
            "deleted since it was opened",
            path=path,
        )
    document = parse_json(data, key)
    if document == known.document:
        return known
    found = v3.parse(document, key) if known.zarr_format == 3 else v2.parse_array(document, known.attributes, key)
    if not isinstance(found, ArrayMetadata) or (found.codecs, found.data_type.numpy, len(found.shape)) != (
        known.codecs,
        known.data_type.numpy,
        len(known.shape),
    ):
        raise MetadataError(
            f"{label('array', path, known.zarr_format)}: expected the array that was opened, found another one at "
            f"key {key!r}: it was replaced since; try opening it again",
            key=key,
        )
    return found


def read_array(store: Store, path: str, known: ArrayMetadata) -> ArrayMetadata:
    """What the document of a known array says now. Past caches, as an update reads it."""
    return _newest(store, path, known, store.get_tagged(array_key(path, known.zarr_format))[0])


def write_array(store: Store, path: str, metadata: ArrayMetadata) -> None:
    """Write an array's document; for a writer that holds the lock on its key."""
    key = array_key(path, metadata.zarr_format)
    store.set_if(key, dump_json(metadata.to_json(), key), None)


def change_array(
    store: Store, path: str, known: ArrayMetadata, change: Callable[[ArrayMetadata], ArrayMetadata]
) -> ArrayMetadata:
    """Change an array's document such that no other change of it is lost; returns what it says then."""
    key, result = array_key(path, known.zarr_format), known

    def changed(old: Any) -> bytes:
        nonlocal result
        result = change(_newest(store, path, known, old))
        return dump_json(result.to_json(), key)

    store.update(key, changed)
    return result


def write_attributes(store: Store, path: str, metadata: Metadata) -> None:
    """Write what changes when attributes do."""
    if metadata.zarr_format == 3:
        write(store, path, metadata)
        return
    key = join(path, ".zattrs")
    if metadata.attributes:
        store.set(key, dump_json(metadata.attributes, key))
    else:
        store.delete(key)


def kind_at(store: Store, path: str) -> str | None:
    """``"array"`` or ``"group"``, by the documents present; None where there is no node. Nothing is parsed but v3."""
    data = store.get(join(path, "zarr.json"))
    if data is not None:
        try:
            return "array" if parse_json(data, "zarr.json").get("node_type") == "array" else "group"
        except MetadataError:
            return "group"
    if store.exists(join(path, ".zarray")):
        return "array"
    return "group" if store.exists(join(path, ".zgroup")) else None


def refuse_inside_array(store: Store, path: str, kind: str) -> None:
    """Refuse a place for a node that lies inside an array."""
    above = parent(path) if path else None
    while above is not None:
        if kind_at(store, above) == "array":
            raise NodeExistsError(
                f"{label(kind, path)}: expected a group above it, found {label('array', above)}; "
                "an array holds no other nodes",
                path=path,
            )
        above = parent(above) if above else None


def prepare(store: Store, path: str, kind: str, overwrite: bool, dry_run: bool = False) -> None:
    """Make way for a new node: refuse, or delete what is there; and refuse a place inside an array.

    A dry run only refuses.
    """
    store.check_writable()
    for name in path.split("/") if path else []:
        check_name(name, strict=True)
    refuse_inside_array(store, path, kind)
    found = kind_at(store, path)
    if found is None and not overwrite:
        return
    if not overwrite:
        raise NodeExistsError(
            f"{label(kind, path)}: expected nothing in {store!r} at that path, found a {found}; "
            "try another name, or overwrite=True to delete it and all that it holds",
            path=path,
        )
    refuse_foreign(store, path, label(kind, path))
    if not dry_run:
        store.delete_prefix(path)


UNFINISHED = ".rechunk"  # the folder in an array that is being written: a journal, and what is temporary
METADATA_NAMES = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata", "meta", "attrs")
_CHUNK_KEY = re.compile(r"c|(c[/.])?[0-9]+([/.][0-9]+)*")


def foreign_keys(store: Store, path: str) -> list[str]:
    """Keys below `path` that belong to no Zarr hierarchy: neither metadata nor the chunks of an array."""
    keys = list(store.list_prefix(path))
    arrays = set()
    for key in keys:
        folder, _, name = key.rpartition("/")
        if name in (".zarray", "meta") or (name == "zarr.json" and _is_array_document(store, key)):
            arrays.add(folder)
        if UNFINISHED in (names := key.split("/")):  # an array on its way has no document yet
            arrays.add("/".join(names[: names.index(UNFINISHED)]))
    return [key for key in keys if key.rpartition("/")[2] not in METADATA_NAMES and not _is_chunk(key, arrays)]


def _is_array_document(store: Store, key: str) -> bool:
    try:
        return (_document(store, key) or {}).get("node_type") == "array"
    except MetadataError:
        return False


def _is_chunk(key: str, arrays: set[str]) -> bool:
    folder = key
    while folder:
        folder = parent(folder)
        if folder in arrays:
            rest = key[len(folder) + 1 if folder else 0 :]
            return _CHUNK_KEY.fullmatch(rest) is not None or rest.startswith(UNFINISHED + "/")
    return False


def refuse_foreign(store: Store, path: str, where: str) -> None:
    """Refuse to delete what lies at `path` where it holds more than Zarr."""
    found = foreign_keys(store, path)
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise NodeExistsError(
            f"{where}: deleting what lies there in {store!r} would delete more than Zarr: "
            f"{', '.join(found[:5])}{more}; move that away, or choose another place",
            path=path,
        )


def create_parents(store: Store, path: str, zarr_format: int) -> None:
    """Write the groups above `path` that are missing."""
    missing = []
    above = path
    while above:
        above = parent(above)
        if kind_at(store, above) is not None:
            break
        missing.append(above)
    for group in reversed(missing):
        write(store, group, new_group(zarr_format, {}))


def new_group(zarr_format: int, attributes: dict[str, Any]) -> GroupMetadata:
    """The metadata of a new group."""
    if zarr_format == 3:
        document: dict[str, Any] = {"zarr_format": 3, "node_type": "group"}
        if attributes:
            document["attributes"] = attributes
        return GroupMetadata(3, attributes, document)
    return GroupMetadata(2, attributes, {"zarr_format": 2})


def child_names(store: Store, path: str, zarr_format: int | None = None) -> Iterator[str]:
    """The names below `path` that may be nodes: those that hold something. v3 reserves names with ``__``."""
    for name in store.list_dir(path):
        if name.endswith("/") and not (zarr_format == 3 and name.startswith("__")):
            yield name[:-1]


def read_consolidated(store: Store, path: str, group: GroupMetadata) -> dict[str, Metadata | MetadataError] | None:
    """Path relative to the group -> metadata, from its consolidated metadata; None where there is none.

    For an entry that cannot be understood an error stands in: it must not hide the others.
    """
    found: dict[str, Metadata | MetadataError] = {}
    if group.zarr_format == 3:
        entries = consolidated.read_v3(group.document, join(path, "zarr.json"))
        if entries is None:
            return None
        for name, document in entries.items():
            try:
                found[name.strip("/")] = v3.parse(document, name)
            except MetadataError as error:
                found[name.strip("/")] = error
        return found
    document = _document(store, join(path, consolidated.V2_KEY))
    if document is None:
        return None
    entries = consolidated.read_v2(document, join(path, consolidated.V2_KEY))
    for key, entry in entries.items():
        name, _, kind = key.rpartition("/")
        attributes = entries.get(join(name, ".zattrs"), {})
        try:
            if kind == ".zarray":
                found[name] = v2.parse_array(entry, attributes, key)
            elif kind == ".zgroup":
                found.setdefault(name, v2.parse_group(entry, attributes, key))
        except MetadataError as error:
            found.setdefault(name, error)
    return found
