"""Whole hierarchies as keys and documents: creating many nodes at once, copying, moving, deleting.

Everything here is checked first and done afterwards, so that what is refused has changed nothing. Documents are
written last and deleted first: a reader never finds an array some of whose chunks are still on their way, for
those would read as the fill value. Stored bytes are never decoded.

What a dry run returns is a `Plan`: the keys, their bytes, and a text that says what would happen.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore({"a/zarr.json": b'{"zarr_format": 3, "node_type": "group"}'})
>>> print(delete(store, "a", dry_run=True))
delete 'a' in MemoryStore(1 keys): 1 key, 40 B
  a/zarr.json  40 B

Left out: nodes with attributes and elements (`group`, `array`), and changes of the format (`convert`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tutorial_zarr import consolidation, nodes, parallel, replacing, words
from tutorial_zarr.errors import MetadataError, NodeExistsError, NodeNameError, NodeNotFoundError, StoreError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, v2, v3
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.place import overlaps, place

IF_EXISTS = ("raise", "replace", "skip")
_LISTED = 20  # keys that a printed plan shows
_ATTEMPTS = 6  # to read a tree to which others add, or from which they delete


@dataclass(frozen=True)
class Plan:
    """What a copy, a move or a deletion will do: print it, or ask `sizes`, `nkeys`, `nbytes`."""

    action: str
    where: str  # the sentence's middle: "'a' to 'b' in LocalStore(...)"
    sizes: dict[str, int] = field(repr=False)  # key that is copied, moved or deleted -> its bytes
    replaced: tuple[str, ...] = ()  # keys that are deleted first
    skipped: tuple[str, ...] = ()  # paths of nodes that are there already and stay as they are

    @property
    def nkeys(self) -> int:
        """How many stored values this concerns."""
        return len(self.sizes)

    @property
    def nbytes(self) -> int:
        """The bytes of these values."""
        return sum(self.sizes.values())

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {"action": self.action, "where": self.where, "nkeys": self.nkeys, "nbytes": self.nbytes,
                "keys": self.sizes, "replaced": list(self.replaced), "skipped": list(self.skipped)}  # fmt: skip

    def __str__(self) -> str:
        shown = [(words.plain(key), size) for key, size in islice(self.sizes.items(), _LISTED)]
        lines = [f"{self.action} {self.where}: {words.count(self.nkeys, 'keys')}, {words.size_text(self.nbytes)}"]
        width = max((len(key) for key, _ in shown), default=0)
        lines += [f"  {key:<{width}}  {words.size_text(size)}" for key, size in shown]
        if self.nkeys > _LISTED:
            lines.append(f"  and {self.nkeys - _LISTED} more")
        if self.replaced:
            lines.append(f"  first deletes {words.count(len(self.replaced), 'keys')} that lie there")
        lines += [f"  leaves {path!r} as it is" for path in self.skipped]
        return "\n".join(lines)

    __repr__ = __str__


def whereabouts(store: Store, path: str) -> str:
    """Return a place in words: ``'a/b' in LocalStore('data.zarr')``."""
    return f"{path!r} in {store!r}" if path else f"the root of {store!r}"


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
    kind = nodes.kind_at(source, source_path) or "group"
    check_place(target, path, zarr_format, kind)
    if dry_run:
        return _copy_plan(source, source_path, target, path, if_exists, kind)
    if if_exists == "skip":
        replacing.finish(target, path)
    tree = StoredTree.read(source, source_path)
    present = _present(source, source_path, target, path, tree) if if_exists == "skip" else {}
    plan = _plan("copy", f"{whereabouts(source, source_path)} to {whereabouts(target, path)}", source, [],
                 skipped=tuple(present))  # fmt: skip
    with meter(progress, tree.without(present).nkeys(), f"copy {source_path or '/'}", unit="objects") as advance:
        if present:
            about = "copy " + tree.about
            with replacing.Addition(target, path, f"copy {whereabouts(source, source_path)}", about) as adding:
                _add(tree, target, path, present, _both(adding.beat, advance))
        else:
            _place(tree, target, path, kind, plan.action, if_exists == "replace", advance)
    return plan


def _copy_plan(source: Store, source_path: str, target: Store, path: str, if_exists: str, kind: str) -> Plan:
    keys, replaced = listed_keys(source, source_path), []
    skipped: dict[str, str] = {}
    if if_exists == "skip":
        skipped = _present(
            source, source_path, target, path, StoredTree(source, source_path, dict.fromkeys(keys, b""), [])
        )
        keys = [key for key in keys if not _belongs_to(key, skipped)]
    if not skipped:
        replacing.survey(target, path, kind, overwrite=if_exists == "replace")
        replaced = list(target.list_prefix(path)) if if_exists == "replace" else []
    return _plan("copy", f"{whereabouts(source, source_path)} to {whereabouts(target, path)}", source, keys,
                 replaced=tuple(replaced), skipped=tuple(skipped))  # fmt: skip


def _place(
    tree: StoredTree, target: Store, path: str, kind: str, action: str, overwrite: bool, advance: Callable[..., None]
) -> None:
    """Make a whole tree at `path`: what is there stays until all of the new one is."""
    documents, about = tree.placed(path), tree.about
    if not replacing.resume(target, path, documents, about):
        action = f"{action} {whereabouts(tree.store, tree.path)}"
        with replacing.Replacement(
            target, path, documents, action, kind=kind, overwrite=overwrite, staged=True, about=about
        ) as new:
            tree.fill(new, advance)
    for _ in documents:
        advance()


def _both(beat: Callable[[], None], advance: Callable[..., Any]) -> Callable[[], None]:
    """Return what to call after each object: the mark stays fresh, and the bar moves."""

    def after() -> None:
        beat()
        advance()

    return after


def _add(tree: StoredTree, target: Store, path: str, present: dict[str, str], advance: Callable[..., None]) -> None:
    """Add the nodes of a tree that are not there yet: groups, then array by array; each is seen when it is whole."""
    for folder in present:
        replacing.finish(target, tree.moved(folder, path))  # of this call, killed just before it took the mark away
    rest = tree.without(present)
    folders = {nodes.parent(key) for key in rest.documents}
    arrays = [folder for folder in sorted(folders) if nodes.kind_at(tree.store, folder) == "array"]
    for key, value in reversed(rest.documents.items()):
        if nodes.parent(key) not in arrays:
            target.set_if_absent(tree.moved(key, path), value)
            advance()
    for folder in arrays:
        _place(rest.part(folder), target, tree.moved(folder, path), "array", "copy", False, advance)
    below = tuple(folder + "/" for folder in arrays)
    tree.transfer([key for key in rest.data if not key.startswith(below)], target, path, advance)
    tree.check()
    consolidation.renew(target, path)


def move(store: Store, source: str, path: str, *, dry_run: bool = False, progress: Progress = None) -> Plan:
    """Move the node at `source`, and all that it holds, to `path` in the same store.

    The copy is complete before anything is deleted. If this is interrupted, the node is at the old place or at both,
    with a mark, and the same call finishes it.
    """
    action = f"move {source!r} to {path!r}"
    plan = Plan("move", f"{source!r} to {path!r} in {store!r}", {})
    if not source or not path:
        raise NodeNameError("move: expected two paths below the root, found the root itself; try copy", path=source)
    mark = replacing.read_mark(store, source)
    written = mark is not None and mark.complete
    again = mark is not None and written and mark.action == action
    if written and not dry_run:
        replacing.finish(store, source)
        _drop_folder(store, source)
        if again and nodes.kind_at(store, path) is not None:
            replacing.finish(store, path)
            return plan
    if dry_run:
        if not again:
            _check_free(store, path, _check_move(store, source, path))
        return _plan(plan.action, plan.where, store, listed_keys(store, source))
    _move(store, source, path, action, progress)
    return plan


def _check_move(store: Store, source: str, path: str) -> str:
    """Return the kind of node that is to be moved. Refuse where none is, and a place that it cannot take."""
    kind = nodes.kind_at(store, source)
    if kind is None:
        raise _absent("move", store, source)
    _refuse_overlap("move", store, source, store, path, replace=False)
    check_place(store, path, 3 if store.exists(nodes.join(source, "zarr.json")) else 2, kind)
    return kind


def _move(store: Store, source: str, path: str, action: str, progress: Progress) -> None:
    kind = _check_move(store, source, path)
    tree = StoredTree.read(store, source)
    documents, about = tree.placed(path), tree.about
    arrived = replacing.is_made(store, path, documents, about)
    found = None if arrived else _check_free(store, path, kind)
    with (
        meter(progress, tree.nkeys(), f"move {source}", unit="objects") as advance,
        replacing.Removal(store, source, action) as old,
    ):
        if arrived:
            old.decide()
            replacing.finish(store, path)
        else:
            with replacing.Replacement(store, path, documents, action, kind=kind, found=found, about=about) as new:
                new.then = old.decide
                tree.fill(new, advance)
        for _ in documents:
            advance()
    _drop_folder(store, source)


def _absent(action: str, store: Store, path: str) -> NodeNotFoundError:
    """Return the error for a path without a node; it names the nodes beside it."""
    near = [name[:-1] for name in store.list_dir(nodes.parent(path)) if name.endswith("/")]
    advice = f"there are {words.some(near, 8)}" if near else "check the path, and the store's"
    return NodeNotFoundError(f"{action}: expected a node at {path!r} in {store!r}, found none; {advice}", path=path)


def _check_free(store: Store, path: str, kind: str) -> replacing.Survey:
    """Check the target of a move: refuse anything but what an unfinished copy or move left."""
    found = replacing.survey(store, path, kind)
    if found.mark is None and (there := next(iter(store.list_prefix(path)), None)) is not None:
        raise NodeExistsError(
            f"move: expected nothing at {path!r} in {store!r}, found the key {there!r}; try another name", path=path
        )
    return found


def delete(store: Store, path: str, *, dry_run: bool) -> Plan:
    """Delete the node at `path` with all that it holds. Refuse to delete files that are not Zarr.

    What a deletion, a copy or a move that was cut short has left there is deleted as well.
    """
    store.check_writable()
    if not path:
        raise NodeNameError("delete: expected a path below the root, found the root; delete the store itself", path="")
    keys = listed_keys(store, path)
    left = keys or store.exists(nodes.join(path, nodes.MARK))
    if nodes.kind_at(store, path) is None and (not left or nodes.foreign_keys(store, path)):
        raise _absent("delete", store, path)
    nodes.refuse_foreign(store, path, f"cannot delete {path!r}")
    plan = _plan("delete", f"{path!r} in {store!r}", store, keys if dry_run else [])
    if dry_run:
        return plan
    _delete(store, path)
    _drop_folder(store, path)
    return plan


def _delete(store: Store, path: str) -> None:
    """Delete what lies at `path`. What a killed call had written whole is finished first: that may delete it all."""
    mark = replacing.read_mark(store, path)
    if mark is not None and mark.complete:
        replacing.finish(store, path, changed=True)
    there = nodes.kind_at(store, path) is not None
    if there or mark is None or not mark.complete:
        keep = () if there or mark is None else mark.keep
        with replacing.Removal(store, path, f"delete {path!r}", keep):
            pass


def _drop_folder(store: Store, path: str) -> None:
    """Delete the folder if nothing is left in it."""
    if next(iter(store.list_prefix(path)), None) is None:
        store.delete_prefix(path)


def _plan(action: str, where: str, store: Store, keys: list[str], **more: Any) -> Plan:
    """Return a plan with the size of each key. Only a dry run asks: it takes a request for every key."""
    return Plan(action, where, dict(nodes.sizes(store, keys)), **more)


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


def _present(source: Store, source_path: str, target: Store, path: str, tree: StoredTree) -> dict[str, str]:
    """Return source path -> kind of the nodes that the target already has."""
    found = {}
    for folder in sorted({nodes.parent(key) for key in tree.documents if nodes.is_document(key)}):
        kind, at = nodes.kind_at(source, folder), tree.moved(folder, path)
        there = nodes.kind_at(target, at)
        if kind is None or there is None:
            continue
        if kind != there:
            raise NodeExistsError(
                f"copy: expected {nodes.label(kind, at)} or nothing, found {nodes.label(there, at)}", path=at
            )
        found[folder] = kind
    return found


def _belongs_to(key: str, skipped: dict[str, str]) -> bool:
    folder = nodes.parent(key)
    if skipped.get(folder) == "group":
        return nodes.is_document(key)
    while True:
        if skipped.get(folder) == "array":
            return True
        if not folder:
            return False
        folder = nodes.parent(folder)


@dataclass
class StoredTree:
    """A node with all below it, as keys: documents as they were read, and the keys of all else."""

    store: Store
    path: str
    documents: dict[str, bytes]  # key -> bytes, in the order in which a copy shows them: a node's own after those below
    data: list[str]
    gone: list[str] = field(default_factory=list)  # keys that were not there any more when they were read

    @classmethod
    def read(cls, store: Store, path: str) -> StoredTree:
        """Bind what lies at `path`: its documents, and the keys that were there while they were so."""
        for _ in range(_ATTEMPTS):
            listed = sorted(filter(nodes.is_document, listed_keys(store, path)), key=nodes.coming_order)
            documents = {key: bytes(data) for key in listed if (data := nodes.read_document(store, key)) is not None}
            # Listed after the documents were read, so that no array is larger there than the chunks that are copied.
            keys = listed_keys(store, path, refuse=True)
            if {*listed} == {*filter(nodes.is_document, keys)}:
                if not documents:
                    raise NodeNotFoundError(f"expected a node at {whereabouts(store, path)}, found none", path=path)
                return cls(store, path, documents, [key for key in keys if not nodes.is_document(key)])
        raise StoreError(f"{whereabouts(store, path)}: expected to read a tree of nodes, found that others make and "
                         "delete some all the time; nothing was changed; try again later", path=path)  # fmt: skip

    def nkeys(self) -> int:
        """Return how many stored values there are."""
        return len(self.documents) + len(self.data)

    def without(self, paths: dict[str, str]) -> StoredTree:
        """Return this tree without the documents of some groups, and without some arrays: path -> kind."""
        documents = {key: data for key, data in self.documents.items() if not _belongs_to(key, paths)}
        return StoredTree(self.store, self.path, documents, [key for key in self.data if not _belongs_to(key, paths)])

    def part(self, folder: str) -> StoredTree:
        """Return the array at `folder` alone."""
        documents = {key: data for key, data in self.documents.items() if nodes.parent(key) == folder}
        return StoredTree(self.store, folder, documents, [key for key in self.data if key.startswith(folder + "/")])

    def moved(self, key: str, path: str) -> str:
        """Return a key or a path of this tree as it will be below `path`."""
        rest = key[len(self.path) + 1 if self.path else 0 :]
        return nodes.join(path, rest) if rest else path

    def placed(self, path: str) -> dict[str, bytes]:
        """Return the documents as they will be below `path`."""
        return {self.moved(key, path): data for key, data in self.documents.items()}

    def transfer(self, keys: list[str], target: Store, path: str, advance: Callable[[], Any]) -> None:
        """Copy stored values below `path`."""

        def one(key: str) -> None:
            value = nodes.read_value(self.store, key)
            if value is None:
                self.gone.append(key)
            else:
                target.set(self.moved(key, path), value)

        at_once = max(self.store.concurrency or 0, target.concurrency or 0, 1)
        with closing(parallel.stream(one, keys, at_once, writes=True)) as results:
            for _ in results:
                advance()

    @property
    def about(self) -> str:
        """What the copy is made from, for its mark."""
        return repr(place(self.store, self.path))

    def fill(self, new: replacing.Replacement, advance: Callable[[], Any]) -> None:
        """Copy everything but the documents to where a new tree is made."""
        self.transfer(self.data, new.store, new.path, _both(new.beat, advance))
        self.check()

    def check(self) -> None:
        """Raise if the source changed while it was copied: a chunk that is missing in the copy would be no error."""
        if self.gone and any(self.store.get(key) != data for key, data in self.documents.items()):
            raise StoreError(
                f"{whereabouts(self.store, self.path)}: expected a source that stays while it is copied, found that "
                f"{self.gone[0]!r} is gone and documents were changed; try again",
                path=self.path,
            )


def listed_keys(store: Store, path: str, refuse: bool = False) -> list[str]:
    """Return the keys below `path`, without unfinished work; `refuse` a tree of which only a part can be listed.

    Where the store lists none, those that may be there: whoever reads them, or their sizes, finds out.
    """
    keys = []
    for key in nodes.keys_below(store, path, sure=False):
        if nodes.UNFINISHED not in key.split("/"):
            keys.append(key)
        elif refuse and f"/{key}".endswith("/" + nodes.MARK):
            at = key[: -len(nodes.MARK)].strip("/")
            mark = replacing.read_mark(store, at)
            if mark is not None and (mark.adds or (mark.complete and nodes.kind_at(store, at) is None)):
                raise StoreError(
                    f"{whereabouts(store, path)}: expected a tree that is whole, found {mark} at {at or '/'!r}; repeat "
                    "the call that was cut short, and then this one",
                    path=at,
                )
    return keys


# --- creating


Metadata = ArrayMetadata | GroupMetadata


def parse_nodes(documents: Mapping[str, Any], base: str = "") -> tuple[dict[str, Metadata], set[str]]:
    """Return path -> metadata of a whole hierarchy, and the paths of the groups in it that nobody named.

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
    """Return the nodes of `parsed` that must be written. Refuse if an array lies where a group is implied."""
    store.check_writable()
    missing: dict[str, Metadata] = {}
    replaced = parsed.keys() - implied if overwrite else set()
    unfinished: set[str] = set()  # places where a call was killed: everything below is made again
    for path, metadata in parsed.items():
        nodes.check_new(path)
        above = {*_above(path)}
        goes = not above.isdisjoint(replaced | unfinished)
        there = nodes.kind_at(store, path) if path in implied and not goes else None
        if there == "array":
            raise NodeExistsError(
                f"nodes: expected a group or nothing at {path!r} in {store!r}, found an array", path=path
            )
        if there is None:
            missing[path] = metadata
            if above.isdisjoint(missing) and nodes.kind_at(store, path) is None and replacing.read_mark(store, path):
                unfinished.add(path)
    return missing


def _above(path: str) -> list[str]:
    names = path.split("/") if path else []
    return ["/".join(names[:i]) for i in range(len(names))]


def create(store: Store, missing: dict[str, Metadata], implied: set[str], overwrite: bool) -> None:
    """Write the nodes that `check_creation` found missing.

    Before the first is written, all are encoded and all places are checked. What has nothing above it, or replaces a
    node, is made as a whole tree. If there are several, the first keeps a mark until all are there: after a
    kill that mark remains, and the same call continues.
    """
    encoded = {path: nodes.documents(metadata, path) for path, metadata in missing.items()}
    between = implied if overwrite else set()
    trees = _trees(encoded, between)
    groups = [trees.pop(path) for path in [*trees] if path in between]  # they replace nothing
    named = {key: data for path in missing if path not in implied for key, data in encoded[path].items()}
    what = replacing.fingerprint(named)
    kinds = {path: metadata.node_type for path, metadata in missing.items()}
    found = _Places(store, trees, kinds, implied, overwrite, what).look()

    def make(path: str, within: bool, what: str = "") -> None:
        about: dict[str, Any] = {"kind": kinds[path], "found": found[path], "within": within, "what": what}
        replacing.make(store, path, trees[path], "create hierarchy", **about)

    def make_groups() -> None:
        for key, data in (pair for group in groups for pair in group.items()):
            store.set_if_absent(key, data)

    if not found:
        return
    first, *others = found
    if len(trees) == 1:
        make_groups()
        make(first, False, what)
        return
    up = len(first.split("/")) - len(_common(missing))
    about: dict[str, Any] = {"kind": kinds[first], "found": found[first], "within": True, "what": what, "up": up}
    with replacing.Replacement(store, first, trees[first], "create hierarchy", **about) as new:
        new.joined = True
        make_groups()
        for path in others:
            new.beat()
            make(path, True)


def _trees(encoded: dict[str, dict[str, bytes]], between: set[str]) -> dict[str, dict[str, bytes]]:
    """Return path of what is made at once -> all its documents, its own last. Groups in `between` are made alone."""
    trees: dict[str, dict[str, bytes]] = {}
    for path, documents in encoded.items():
        above = (a for a in _above(path) if a in encoded and a not in between)
        trees.setdefault(next(above, path), {}).update(documents)
    return {path: {key: tree[key] for key in sorted(tree, key=nodes.coming_order)} for path, tree in trees.items()}


def _common(paths: Iterable[str]) -> list[str]:
    """Return the names that all of these paths begin with."""
    names = [path.split("/") if path else [] for path in paths]
    return [one for one, *others in zip(*names, strict=False) if {one} == {*others, one}]


@dataclass
class _Places:
    """Where a hierarchy is to be made: its trees by path, and what is known of the call that makes it."""

    store: Store
    trees: dict[str, dict[str, bytes]]
    kinds: dict[str, str]  # of all new nodes
    implied: set[str]
    overwrite: bool
    what: str  # the hash that the mark of a killed call of the same has

    def look(self) -> dict[str, replacing.Survey]:
        """Survey the places, the one with the mark first. Refuse a place that may not be taken.

        What a killed call of the same made is left out. If that is all, the call is finished.
        """
        found: dict[str, replacing.Survey] = {}
        refused = {}
        for path in self.trees:
            try:
                found[path] = self.survey(path)
            except NodeExistsError as error:
                refused[path] = error
        marked = [path for path, one in found.items() if one.mark is not None and one.mark.what == self.what]
        marked += self.marked_groups() if refused else []
        there = self.made([*refused, *marked] if marked else [])
        for path in refused:
            if path not in there:
                raise refused[path]
        self.finish(marked, there, found)
        return {path: found[path] for path in sorted(found, key=lambda path: path not in marked) if path not in there}

    def survey(self, path: str) -> replacing.Survey:
        """Survey the place of one tree. Refuse it if it, or the place of one of its nodes, may not be taken."""
        found = replacing.survey(self.store, path, self.kinds[path], self.overwrite, self.what)
        dead, below = list(found.dead), {nodes.parent(key) for key in self.trees[path]} - self.implied - {path}
        for at in sorted(below) if found.keep and not self.overwrite else []:
            dead += replacing.survey(self.store, at, self.kinds[at]).dead
        return found._replace(dead=tuple(dead))

    def marked_groups(self) -> list[str]:
        """Return which groups above have the mark of a killed call of the same. Finish what others left."""
        marked = []
        for path in sorted(self.implied - self.kinds.keys()):
            mark = replacing.read_mark(self.store, path)
            if mark is None or not mark.over:
                continue
            if mark.what == self.what:
                marked.append(path)
            elif mark.complete or not mark.staged:
                replacing.finish(self.store, path)
        return marked

    def made(self, paths: list[str]) -> set[str]:
        """Return which of these trees are there already, document by document; none where they are to be replaced."""
        trees = ((path, self.trees[path]) for path in paths if path in self.trees and not self.overwrite)
        return {path for path, tree in trees if all(self.store.get(key) == data for key, data in tree.items())}

    def finish(self, marked: list[str], there: set[str], found: dict[str, replacing.Survey]) -> None:
        """Finish the call that left its mark, if all is there; refuse a place that was changed since."""
        for path in [] if self.overwrite else marked:
            if there == self.trees.keys() or path not in self.trees:
                replacing.finish(self.store, path)
            elif found[path].kind is not None:  # it was changed since, or another one deleted
                replacing.survey(self.store, path, self.kinds[path])
