"""Nodes: finding, naming, creating and deleting arrays and groups in a store, before they are arrays and groups; and
what both have in common when they are (`Node`).

What stands at a path is found by asking for ``zarr.json`` first, then for v2's documents, then for v1's. Where
both formats are present v3 counts, and a warning says so.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tutorial_zarr import chunk_grids, chunk_keys, limits, parallel
from tutorial_zarr.attributes import Attributes, Change
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    LimitError,
    MetadataError,
    NodeExistsError,
    NodeNameError,
    ReadOnlyError,
    StoreError,
    spelled,
    spelled_lines,
)
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, consolidated, dump_json, parse_json, v2, v3
from tutorial_zarr.metadata.model import too_large
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.bounds import at_most
from tutorial_zarr.stores.locks import process_lock

Metadata = ArrayMetadata | GroupMetadata


UNFINISHED = ".unfinished"  # the folder in a node that is being made: its mark, and what is temporary
MARK = f"{UNFINISHED}/mark.json"  # who makes it, and how far that is
NODE_NAMES = ("zarr.json", ".zarray", ".zgroup")  # documents that make a node
JOURNAL = f"{UNFINISHED}/journal.json"  # what of a long job is done, so that the same call goes on
STAGED = f"{UNFINISHED}/new"  # chunks that will take the place of others


class ZarrWarning(UserWarning):
    """Something that a reader should know, and that did not stop the work."""

    def __str__(self) -> str:
        return spelled_lines(super().__str__())


class MissingChunksWarning(ZarrWarning):
    """A read met chunks that are not stored, of an array that was opened with ``missing="warn"``."""


class Node:
    """An array or a group: a place in a store, and the metadata that were found there."""

    store: Store
    path: str
    metadata: Any
    read_only: bool

    @property
    def zarr_format(self) -> int:
        """2 or 3."""
        return self.metadata.zarr_format

    @property
    def name(self) -> str:
        """The path with a leading slash."""
        return "/" + self.path

    @property
    def basename(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def label(self) -> str:
        """How errors call it: ``array 'a/b' (Zarr 3)``."""
        return label(self.metadata.node_type, self.path, self.metadata.zarr_format)

    def check_writable(self, what: str = "") -> None:
        """Raise ReadOnlyError where it was opened for reading; `what` is what was to be written."""
        if self.read_only:
            raise ReadOnlyError(
                f"{self.label}: cannot write{what and ' '}{what}: the {self.metadata.node_type} was opened for "
                "reading; try mode='r+'",
                path=self.path,
            )

    @property
    def attrs(self) -> Attributes:
        """The attributes: a mapping that writes through to the store."""
        return Attributes(lambda: self.metadata.attributes, self._change_attributes)

    def _change_attributes(self, change: Change) -> None:
        self.check_writable("its attributes")
        with process_lock((id(self), "attributes")):  # so that of two threads the later one's result stays
            self._adopt(change_attributes(self.store, self.path, self.metadata, change))
        self.renew_consolidated()

    def _adopt(self, metadata: Any) -> None:
        """Take on what a change of the attributes found."""
        self.metadata = metadata

    def renew_consolidated(self) -> bool:
        """Put the node's documents into every consolidated metadata that tells of it; returns whether any does."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Node)
            and self.metadata.node_type == other.metadata.node_type
            and (self.store, self.path) == (other.store, other.path)
        )

    __hash__ = None  # type: ignore[assignment]


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
    for refuses, problem in (*_NO_NAMES, *_NO_NEW_NAMES) if strict else _NO_NAMES:
        if refuses(name):
            raise NodeNameError(f"node name {name!r}: expected a plain name, found {problem}", name=name)
    return name


def check_new(path: str) -> None:
    """Raise NodeNameError for a path at which no node may be created."""
    for name in path.split("/") if path else []:
        check_name(name, strict=True)


_NO_NAMES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: not name, "an empty name"),
    (lambda name: not name.strip("."), "a name of dots only"),
    (lambda name: "\0" in name or "/" in name, "a name with '/' or a zero byte"),
)
_NO_NEW_NAMES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda name: name.startswith("__"), "a name that begins with '__', which is reserved"),
    (lambda name: name in (*NODE_NAMES, ".zattrs", ".zmetadata"), "the name of a metadata document"),
    (lambda name: name == UNFINISHED, "the name of the folder for what is unfinished"),
    (lambda name: name.endswith(".partial"), "a name that ends in '.partial', which marks unfinished files"),
)


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
    data = read_document(store, key)
    return None if data is None else parse_json(data, key, strict)


def read_value(store: Store, key: str) -> Any:
    """A value of any kind, unless it takes more memory than there is; None where there is none."""
    most = limits.most_memory()

    def refusal(key: str, size: int) -> Exception:
        return LimitError(f"key {key!r}: expected at most {most} bytes, found {size} or more", limit="memory_bytes")

    with at_most(most, refusal):
        return store.get(key)


def read_document(store: Store, key: str) -> Any:
    """The bytes of a metadata document, whose size is looked at before; None where there is none."""
    with at_most(limits.current().document_bytes, too_large):
        return store.get(key)


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
    """Warn where a v3 node has documents of v2 beside it; where a request goes far, that is left to the doctor."""
    if found.zarr_format == 3 and store.concurrency is None:
        for name in (".zarray", ".zgroup"):
            if store.exists(join(path, name)):
                warnings.warn(
                    f"{label(found.node_type, path, 3)}: there is a {name} of Zarr 2 beside zarr.json; reading "
                    "zarr.json. Pass zarr_format=2 to read the other",
                    ZarrWarning,
                    stacklevel=5,  # who called `open`
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


def document_key(path: str, kind: str, zarr_format: int) -> str:
    """The key of a node's document."""
    return join(path, "zarr.json" if zarr_format == 3 else ".zarray" if kind == "array" else ".zgroup")


def array_key(path: str, zarr_format: int) -> str:
    """The key of an array's document, which holds its shape."""
    return document_key(path, "array", zarr_format)


def _newest(store: Store, path: str, known: Metadata, data: Any) -> Metadata:
    """The metadata that `data`, the bytes of a node's document, say now; `known` is what was known before."""
    kind = known.node_type
    key, where = document_key(path, kind, known.zarr_format), label(kind, path, known.zarr_format)
    if data is None:
        if known.zarr_format == 2 and _stands_for_itself(store, path, kind):
            return known
        raise (ArrayNotFoundError if kind == "array" else GroupNotFoundError)(
            f"{where}: expected its document at key {key!r}, found none: it was deleted since it was opened",
            path=path,
        )
    document = parse_json(data, key)
    if document == known.document:
        return known
    if known.zarr_format == 3:
        found: Metadata = v3.parse(document, key)
    else:
        found = (v2.parse_array if kind == "array" else v2.parse_group)(document, known.attributes, key)
    if _nature(found) != _nature(known):
        raise MetadataError(
            f"{where}: expected the {kind} that was opened, found another {'one' if kind == 'array' else 'node'} at "
            f"key {key!r}: it was replaced since; try opening it again",
            key=key,
        )
    return found


def _nature(metadata: Metadata) -> tuple[Any, ...]:
    """What stays the same of a node, whatever is done to it but to replace it."""
    if isinstance(metadata, GroupMetadata):
        return (metadata.zarr_format,)
    return metadata.codecs, metadata.data_type.numpy, len(metadata.shape)


def _stands_for_itself(store: Store, path: str, kind: str) -> bool:
    """Whether a v2 node is there without its document: an array of version 1, a group by what it holds."""
    if kind == "array":
        return store.exists(join(path, "meta"))  # with its first change it becomes version 2
    return store.exists(join(path, consolidated.V2_KEY)) or next(child_names(store, path), None) is not None


def read_array(store: Store, path: str, known: ArrayMetadata) -> ArrayMetadata:
    """What the document of a known array says now. Past caches, as an update reads it."""
    return _newest(store, path, known, store.get_tagged(array_key(path, known.zarr_format))[0])  # type: ignore[return-value]


def write_array(store: Store, path: str, metadata: ArrayMetadata) -> None:
    """Write an array's document; for a writer that holds the lock on its key."""
    key = array_key(path, metadata.zarr_format)
    store.set_if(key, dump_json(metadata.to_json(), key), None)


def change_array(
    store: Store, path: str, known: ArrayMetadata, change: Callable[[ArrayMetadata], ArrayMetadata]
) -> ArrayMetadata:
    """Change an array's document such that no other change of it is lost; returns what it says then.

    `change` may be called again with what it made itself, where the answer that it was written was lost and another
    writer came in between. So it looks for its own work first; it returns what it got where nothing is to be done.
    """
    key, result = array_key(path, known.zarr_format), known

    def changed(old: Any) -> Any:
        nonlocal result
        now: ArrayMetadata = _newest(store, path, known, old)  # type: ignore[assignment]
        result = change(now)
        return old if result is now and old is not None else dump_json(result.to_json(), key)

    store.update(key, changed)
    return result


def change_attributes(
    store: Store, path: str, known: Metadata, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Metadata:
    """Change a node's attributes such that no other change of them is lost; returns its metadata as they are then.

    `change` is given the attributes that are stored, and returns what they are to be. Refused where the node was
    deleted, or replaced by another one, since `known` was read.
    """
    key = document_key(path, known.node_type, known.zarr_format)
    result, alone, own_key = known, False, key if known.zarr_format == 3 else join(path, ".zattrs")

    def changed(old: Any) -> Any:
        nonlocal result, alone
        own = old if known.zarr_format == 3 else read_document(store, key)
        now = _newest(store, path, known, own)
        if known.zarr_format == 3:
            result = now.with_attributes(change(dict(now.attributes)))
            return dump_json(result.to_json(), key)
        alone = own is None
        before = {} if old is None else parse_json(old, own_key)
        result = now.with_attributes(change(dict(now.attributes) if alone and old is None else before))
        if result.attributes or not store.update_deletes:
            return dump_json(result.attributes, own_key)
        return None

    store.update(own_key, changed)
    if alone:  # of version 1, or a group that had none: readers look for the document before its attributes
        store.set_if_absent(key, dump_json(result.to_json(), key))
    return result


def kind_at(store: Store, path: str) -> str | None:
    """``"array"`` or ``"group"``, by the documents present; None where there is no node. Nothing is parsed but v3."""
    data = read_document(store, join(path, "zarr.json"))
    if data is not None:
        try:
            return "array" if parse_json(data, "zarr.json").get("node_type") == "array" else "group"
        except MetadataError:
            return "group"
    if store.exists(join(path, ".zarray")):
        return "array"
    return "group" if store.exists(join(path, ".zgroup")) else None


def refuse_inside_array(store: Store, path: str, kind: str) -> bool:
    """Refuse a place for a node that lies inside an array; tells whether there is a group directly above."""
    above, has_group = parent(path) if path else None, not path
    while above is not None:
        found = kind_at(store, above)
        if found == "array":
            raise NodeExistsError(
                f"{label(kind, path)}: expected a group above it, found {label('array', above)}; "
                "an array holds no other nodes",
                path=path,
            )
        has_group = has_group or (found is not None and above == parent(path))
        above = parent(above) if above else None
    return has_group


MOST_ASKED = 10_000  # keys that are asked for one by one where a store lists none
METADATA_NAMES = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata", "meta", "attrs")
_LEFT_CHUNK = r"(c|c[/.][0-9]+([/.][0-9]+)*|[0-9]+([.][0-9]+)+)"  # what nothing but a chunk is called
# What file managers and consoles of buckets leave in every folder that somebody looks at
_SCATTERED = re.compile(r"\.DS_Store|\._.*|\.localized|Thumbs\.db|ehthumbs\.db|desktop\.ini|\.directory|.*_\$folder\$")
_CHUNK_KEY = re.compile(r"c|(c[/.])?[0-9]+([/.][0-9]+)*")


def is_document(key: str) -> bool:
    """Whether a key is that of metadata."""
    return key.rpartition("/")[2] in METADATA_NAMES


def going_order(key: str) -> tuple[Any, ...]:
    """Sorts documents by when they are deleted: none shows a node of which something is gone already."""
    name = key.rpartition("/")[2]
    return key.count("/"), name != consolidated.V2_KEY, name in (".zattrs", "attrs"), key


def coming_order(key: str) -> tuple[Any, ...]:
    """Sorts documents by when they are written: none shows a node of which something is missing; its own come last."""
    name = key.rpartition("/")[2]
    return -key.count("/"), name not in (".zattrs", "attrs"), name != consolidated.V2_KEY, key


def is_chunk_name(name: str) -> bool:
    """Whether a key, counted from an array, is that of a chunk by the encodings of the specifications."""
    return _CHUNK_KEY.fullmatch(name) is not None


def foreign_keys(store: Store, path: str) -> list[str]:
    """Keys below `path` that belong to no Zarr hierarchy: neither metadata nor the chunks of an array, whose keys are
    those of its own encoding.

    Of an array that was deleted, chunks count that nobody can take for something else: ``c/0/1``, ``0.1``. Where a
    mark says that a tree was being made or deleted, all do so, at every depth.
    """
    keys = list(keys_below(store, path))
    start, marked = len(path) + 1 if path else 0, join(path, MARK) in keys
    arrays, first = _array_folders(store, keys)
    left = re.compile(rf"(.+/)?({_CHUNK_KEY.pattern})" if marked else _LEFT_CHUNK)
    no_node = path not in first and not any(join(path, name) in keys for name in NODE_NAMES)

    def is_ours(key: str) -> bool:
        folder, _, name = key.rpartition("/")
        if name in ("meta", "attrs"):
            return folder in first
        known = is_document(key) or _SCATTERED.fullmatch(name) is not None
        return known or _is_chunk(key, arrays) or (no_node and left.fullmatch(key[start:]) is not None)

    return [key for key in keys if not is_ours(key)]


Decode = Callable[[str], bool]  # whether a key, counted from an array, is a chunk's


def _array_folders(store: Store, keys: list[str]) -> tuple[dict[str, Decode], set[str]]:
    """The folders of arrays, and how their chunks are called; and those of version 1 among them, where `meta` and
    `attrs` are documents.
    """
    arrays: dict[str, Decode] = {}
    first = set()
    for key in keys:
        folder, _, name = key.rpartition("/")
        if name == "meta" and _quietly(store, key).get("zarr_format") == 1:
            first.add(folder)
        if name == ".zarray" or folder in first:
            arrays[folder] = is_chunk_name
        if name == "zarr.json" and (document := _quietly(store, key)).get("node_type") == "array":
            arrays[folder] = _decode(document)
        if UNFINISHED in (names := key.split("/")):  # an array on its way has no document yet
            arrays.setdefault("/".join(names[: names.index(UNFINISHED)]), is_chunk_name)
    return arrays, first


def _quietly(store: Store, key: str) -> dict[str, Any]:
    """The document at `key`; an empty one if it cannot be read."""
    try:
        return _document(store, key) or {}
    except MetadataError:
        return {}


def _decode(document: dict[str, Any]) -> Decode:
    """How the chunks of the array with this document are called: by an encoding of its own, or as usual."""
    try:
        encoding = v3.extension(document["chunk_key_encoding"], "chunk_key_encoding")
        if encoding.name in ("default", "v2"):
            return is_chunk_name
        keys, ndim = chunk_keys.parse(encoding), len(document["shape"])
    except (MetadataError, KeyError, TypeError):
        return is_chunk_name
    return lambda name: is_chunk_name(name) or keys.decode(name, ndim) is not None


def _is_chunk(key: str, arrays: dict[str, Decode]) -> bool:
    folder = key
    while folder:
        folder = parent(folder)
        if folder in arrays:
            rest = key[len(folder) + 1 if folder else 0 :]
            return arrays[folder](rest) or rest.startswith(UNFINISHED + "/")
    return False


def refuse_foreign(store: Store, path: str, where: str) -> None:
    """Refuse to delete what lies at `path` where it holds more than Zarr."""
    found = foreign_keys(store, path)
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise NodeExistsError(
            f"{where}: deleting what lies there in {store!r} would delete more than Zarr: "
            f"{', '.join(map(spelled, found[:5]))}{more}; move that away, or choose another place",
            path=path,
        )


def create_parents(store: Store, path: str, zarr_format: int) -> str:
    """Write the groups above `path` that are missing; returns the path of the topmost, or `path` where all are there.

    If somebody else is faster, theirs stays.
    """
    missing = []
    above = path
    while above:
        above = parent(above)
        if kind_at(store, above) is not None:
            break
        missing.append(above)
    for group in reversed(missing):
        for key, data in documents(new_group(zarr_format, {}), group).items():
            store.set_if_absent(key, data)
    return missing[-1] if missing else path


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
    limits.check_levels(path)
    for name in store.list_dir(path):
        if name.endswith("/") and name != UNFINISHED + "/" and not (zarr_format == 3 and name.startswith("__")):
            yield name[:-1]


@contextmanager
def where_listed() -> Iterator[None]:
    """A ``with`` block that ends early where a store lists nothing, as a web server."""
    try:
        yield
    except StoreError as error:
        if not error.fields.get("unlisted"):
            raise


def keys_below(store: Store, path: str, sure: bool = True) -> Iterator[str]:
    """The keys below `path`. Where a store lists none, as a web server, those that documents and grids name are asked
    for one by one: of an array, or of a group whose consolidated metadata name its members. Who reads them all, or
    asks for their sizes, finds out thereby which are there, and need not be `sure`.
    """
    try:
        yield from store.list_prefix(path)
        return
    except StoreError as error:
        if not error.fields.get("unlisted"):
            raise
        names = sorted(_named_keys(store, path, error))
    there = parallel.stream(store.exists, names, store.concurrency or parallel.get_workers()) if sure else ()
    yield from (key for key, found in there if found) if sure else names


def sizes(store: Store, keys: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Pairs (key, bytes of its value) of those keys that are there, by one request for each."""
    found = parallel.stream(store.get_size, keys, store.concurrency or 1)
    return ((key, size) for key, size in found if size is not None)


def sizes_below(store: Store, path: str) -> Iterator[tuple[str, int]]:
    """Pairs (key, bytes of its value) of the keys below `path`."""
    return sizes(store, keys_below(store, path, sure=False))


def _named_keys(store: Store, path: str, unlisted: StoreError) -> set[str]:
    """The keys that documents and grids name at and below `path`; the error of the store where they name none."""
    top = read(store, path)
    listed: Mapping[str, Any] | None = read_consolidated(store, path, top) if isinstance(top, GroupMetadata) else {}
    if top is None or listed is None:
        raise unlisted
    keys = {join(path, consolidated.V2_KEY)} if listed and top.zarr_format == 2 else set()
    for name, metadata in {**listed, "": top}.items():
        at = join(path, name) if name else path
        own = {"array": ".zarray", "group": ".zgroup"}[metadata.node_type]
        keys |= {join(at, each) for each in ((own, ".zattrs") if metadata.zarr_format == 2 else ("zarr.json",))}
        if isinstance(metadata, ArrayMetadata):
            keys |= _chunk_keys(metadata, at, MOST_ASKED - len(keys), unlisted)
    return keys


def _chunk_keys(metadata: ArrayMetadata, path: str, most: int, unlisted: StoreError) -> set[str]:
    """The keys of all chunks that an array may have, unless they are more than are asked for one by one."""
    grid = chunk_grids.parse(metadata.chunk_grid, metadata.shape)
    named = chunk_keys.parse(metadata.chunk_key_encoding)
    if math.prod(grid.counts) > most:
        raise StoreError(
            f"{unlisted.message}; {label('array', path)} has {math.prod(grid.counts)} chunks, and no more than "
            f"{MOST_ASKED} keys are asked for one by one",
            **unlisted.fields,
        )
    return {join(path, named.encode(coords)) for coords in grid}


def read_consolidated(store: Store, path: str, group: GroupMetadata) -> consolidated.Listed | None:
    """Path relative to the group -> metadata, from its consolidated metadata; None where there is none."""
    if group.zarr_format == 3:
        entries = consolidated.read_v3(group.document, join(path, "zarr.json"))
        return None if entries is None else consolidated.listed_v3(entries)
    document = _document(store, join(path, consolidated.V2_KEY))
    if document is None:
        return None
    return consolidated.listed_v2(consolidated.read_v2(document, join(path, consolidated.V2_KEY)))
