"""A hierarchy from one format to the other: `to_v3`, `to_v2`, and `remove_metadata` for what is then superfluous.

In place only documents are written, beside the old ones, which stay. Both formats look at the same chunks::

    x/.zarray            x/.zarray                             x/zarr.json
    x/0.0     to_v3 -->  x/zarr.json   remove_metadata(2) -->  x/0.0
                         x/0.0         remove_metadata(3) -->  x/.zarray and x/0.0: undone

The root's document is written last, and removed first, so a reader sees the whole hierarchy in one format or in the
other at every moment; where both are there, `zarr.json` counts. Into another store, arrays whose chunks can stay are
copied byte by byte, and the others written anew by `rechunk`.

What would be lost is never lost silently: such a conversion is refused before anything is written, and its plan
says what and why. All of it can be cut short and called again.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group({}, zarr_format=2)
>>> _ = root.create_array("x", shape=(4,), dtype="i2", attributes={"unit": "m"})
>>> print(to_v3(root, dry_run=True))
convert the root of MemoryStore(3 keys) to Zarr 3: 2 nodes
  /  metadata only
  x  metadata only
>>> to_v3(root)["x"].attrs["unit"]
'm'
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from tutorial_zarr import api, consolidation, hierarchy, nodes, replacing, words
from tutorial_zarr.array import Array
from tutorial_zarr.errors import ConversionError, NodeExistsError, NodeNotFoundError, StoreError, ZarrError
from tutorial_zarr.group import Group
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, consolidated
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.stores import Store
from tutorial_zarr.stores import place as places

from . import ome
from .formats import Metadata, spell
from .rechunking import write_anew

DOCUMENTS = {2: (".zarray", ".zgroup", ".zattrs", consolidated.V2_KEY), 3: ("zarr.json",)}
DONE, METADATA_ONLY, REWRITE, IMPOSSIBLE = "done already", "metadata only", "must be rewritten", "impossible"
_LOOK = 8  # chunks asked for by key before the store is listed to find one


@dataclass(frozen=True)
class NodePlan:
    """What becomes of one node."""

    path: str
    how: str  # DONE, METADATA_ONLY, REWRITE or IMPOSSIBLE
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    old: Metadata | None = field(default=None, repr=False)
    new: Metadata | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.shown}  {self.said}"

    @property
    def shown(self) -> str:
        """The path, as it may be printed."""
        return words.plain(self.path) or "/"

    @property
    def said(self) -> str:
        """What becomes of it, and why."""
        return words.plain(self.how + (f": {'; '.join(self.reasons)}" if self.reasons else ""))


@dataclass(frozen=True)
class ConversionPlan:
    """What a conversion does to each node: print it, or look at `nodes`."""

    where: str
    zarr_format: int
    nodes: tuple[NodePlan, ...]

    def of(self, *how: str) -> list[NodePlan]:
        """The nodes of which it is so."""
        return [node for node in self.nodes if node.how in how]

    @property
    def tree(self) -> bool:
        """Whether there is a group at its top."""
        return any(not node.path and isinstance(node.old, GroupMetadata) for node in self.nodes)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON."""
        rows = [{"path": n.path, "how": n.how, "reasons": list(n.reasons), "notes": list(n.notes)} for n in self.nodes]
        return {"where": self.where, "zarr_format": self.zarr_format, "nodes": rows}

    def __str__(self) -> str:
        width = max((len(node.shown) for node in self.nodes), default=0)
        lines = [f"convert {self.where} to Zarr {self.zarr_format}: {words.count(len(self.nodes), 'nodes')}"]
        for node in self.nodes:
            lines.append(f"  {node.shown:<{width}}  {node.said}")
            lines += [f"  {'':<{width}}  note: {words.plain(note)}" for note in node.notes]
        return "\n".join(lines)

    __repr__ = __str__


def to_v3(source: Any, target: Any = None, **options: Any) -> Array | Group | ConversionPlan:
    """Make Zarr 3 of a Zarr 2 array or hierarchy; see `convert`, whose keywords it takes."""
    return convert(source, 3, target, **options)


def to_v2(source: Any, target: Any = None, **options: Any) -> Array | Group | ConversionPlan:
    """Make Zarr 2 of a Zarr 3 array or hierarchy; see `convert`, whose keywords it takes.

    Zarr 2 has no shards, no chunk keys that begin with ``c/``, and fewer types and codecs: in place it works for
    arrays with the chunk key encoding ``v2`` and codecs that have an id.
    """
    return convert(source, 2, target, **options)


def convert(
    source: Any,
    zarr_format: int,
    target: Any = None,
    *,
    path: str | None = None,
    dry_run: bool = False,
    consolidate: bool | None = None,
    memory: int | str = "256 MiB",
    executor: Executor | None = None,
    progress: Progress = None,
) -> Array | Group | ConversionPlan:
    """Write `source` (a node, or a store with a `path`) in another format, and return it opened.

    Without a `target` only documents are written, beside the old ones. With one, a store or a group, the hierarchy
    is written there, and arrays whose chunks cannot stay are written anew within `memory` bytes. Until all is there a
    mark says so; the same call goes on with what was cut short.

    dry_run: return the plan, which prints well, and write nothing.
    consolidate: write consolidated metadata; by default for each group of which the source has it.
    executor: for what is written anew, as in `rechunk`.
    progress: counts the nodes.

    Raises ConversionError, before anything is written, where a node would lose something or must be rewritten and
    has nowhere to go.
    """
    store, at = _place(source, path)
    move = None if target is None else _place(target, None)
    plan = _plan(store, at, zarr_format, move)
    if dry_run:
        return plan
    if move is not None and plan.tree and replacing.finish(*move):  # what was cut short there is out of the way now
        plan = _plan(store, at, zarr_format, move)
    _refuse(plan, in_place=move is None)
    groups = _consolidated_groups(store, at, plan, consolidate)
    place, root, strangers = store, at, []
    mark: replacing.Addition | nullcontext[None] = nullcontext()
    if move is not None:
        place, root = move
        strangers = _strangers(store, at, place, root)
        if plan.tree:
            about = repr((zarr_format, places.place(store, at)))
            mark = replacing.Addition(place, root, f"convert {plan.where}", about)
    with meter(progress, len(plan.nodes), f"convert to Zarr {zarr_format}", unit="nodes") as advance, mark as adding:
        for key in strangers:
            _copy(store, at, place, root, key)
        # Arrays before groups, the deepest first: what is above a node makes it visible.
        for node in sorted(plan.nodes, key=lambda n: (-len(n.path.split("/")) if n.path else 0, n.path)):
            if node.how != DONE:
                if move is not None and isinstance(node.old, ArrayMetadata):
                    _carry(store, at, place, root, node, memory, executor)
                else:
                    nodes.write(place, _join(root, node.path), node.new)  # type: ignore[arg-type]
            elif move is not None and isinstance(node.old, ArrayMetadata):
                replacing.finish(place, _join(root, node.path))  # killed between its document and the end of its mark
            advance()
            if adding is not None:
                adding.beat()
        for path in groups:
            consolidation.write(place, _join(root, path), zarr_format)
        consolidation.renew(place, root)
    return api._node(place, root, nodes.read(place, root, zarr_format), "r+", False, {})


def _refuse(plan: ConversionPlan, in_place: bool) -> None:
    """Refuse a plan that cannot be carried out."""
    bad = plan.of(IMPOSSIBLE) + (plan.of(REWRITE) if in_place else [])
    if bad:
        raise ConversionError(
            f"convert: expected nodes that can become Zarr {plan.zarr_format} {'in place' if in_place else 'unharmed'} "
            f"at {plan.where}, found {len(bad)} of {len(plan.nodes)} that cannot: "
            + "; ".join(f"{node.path or '/'!r} {node.how} ({', '.join(node.reasons)})" for node in bad[:4])
            + (" and others" if len(bad) > 4 else "")
            + ("; try target=, a store to write them to" if not plan.of(IMPOSSIBLE) else "; a dry run lists them all"),
            nodes=[node.path for node in bad],
        )


def _place(source: Any, path: str | None) -> tuple[Store, str]:
    relative = nodes.normalize_path(path)
    if isinstance(source, (Array, Group)):
        return source.store, _join(source.path, relative)
    return api._open_store(source, "a", None), relative


def _join(base: str, relative: str) -> str:
    return nodes.join(base, relative) if relative else base


def _consolidated_groups(store: Store, at: str, plan: ConversionPlan, consolidate: bool | None) -> list[str]:
    """The groups below `at` that are to be consolidated in the new format, the deepest first."""
    if consolidate is False:
        return []
    groups = [node.path for node in plan.nodes if isinstance(node.old, GroupMetadata)]
    listed = {
        path for path in groups if consolidation.recorded(store, _join(at, path), 5 - plan.zarr_format) is not None
    }
    if consolidate:
        listed |= {""} & {*groups}
    return sorted(listed, key=lambda path: (-len(path.split("/")) if path else 0, path))


# --- the plan


def _plan(store: Store, at: str, zarr_format: int, move: tuple[Store, str] | None) -> ConversionPlan:
    found: list[NodePlan] = []
    axes: dict[str, tuple[str, ...]] = {}
    for relative, old in _walk(store, at, 5 - zarr_format):
        if isinstance(old, ZarrError):
            found.append(NodePlan(relative, IMPOSSIBLE, (f"it cannot be read: {old}",)))
            continue
        place, path = (store, _join(at, relative)) if move is None else (move[0], _join(move[1], relative))
        _note_axes(axes, relative, old)
        known = axes.get(relative)
        source = _join(at, relative)
        found.append(_plan_node(relative, old, store, source, zarr_format, place, path, move is not None, known))
    if not found:
        if _there(store, at, zarr_format) is None:
            raise NodeNotFoundError(api._not_found("array or group", store, at, 5 - zarr_format), path=at)
        raise NodeNotFoundError(
            f"convert: expected a node of Zarr {5 - zarr_format} at {hierarchy.whereabouts(store, at)}, found one of "
            f"Zarr {zarr_format} already",
            path=at,
        )
    if move is not None:
        if places.overlaps(store, at, *move):
            raise ConversionError(
                "convert: expected a target outside of the source, found the same place", path=move[1]
            )
        hierarchy.check_place(move[0], move[1], zarr_format, "group")
        if _there(*move, 5 - zarr_format) is not None and _there(*move, zarr_format) is None:
            raise ConversionError(
                f"convert: expected a place for Zarr {zarr_format}, found a node of Zarr {5 - zarr_format} at "
                f"{move[1] or '/'!r} in {move[0]!r}; try another target",
                path=move[1],
            )
    return ConversionPlan(hierarchy.whereabouts(store, at), zarr_format, tuple(found))


def _walk(store: Store, at: str, zarr_format: int) -> Iterator[tuple[str, Metadata | ZarrError]]:
    """Pairs (path below `at`, metadata) of the nodes of one format; an error stands for what cannot be read."""
    waiting, listed = [""], None
    while waiting:
        relative = waiting.pop()
        try:
            found = nodes.read(store, _join(at, relative), zarr_format)
        except ZarrError as error:
            yield relative, error
            continue
        if found is None:
            continue
        yield relative, found
        if isinstance(found, GroupMetadata):
            try:
                names = list(nodes.child_names(store, _join(at, relative), zarr_format))
            except StoreError as error:  # a web server: what is consolidated at the top names the members
                if listed is None and not relative and error.fields.get("unlisted"):
                    listed = nodes.read_consolidated(store, at, found)
                if listed is None:
                    raise
                names = [path.rpartition("/")[2] for path in listed if path and nodes.parent(path) == relative]
            waiting += [nodes.join(relative, name) for name in names][::-1]


def _note_axes(axes: dict[str, tuple[str, ...]], path: str, node: Metadata | ZarrError | None) -> None:
    """Note what an OME-Zarr image calls the axes of the arrays below it."""
    if isinstance(node, GroupMetadata):
        axes.update({f"{path}/{name}".strip("/"): names for name, names in ome.axes(node.attributes).items()})


def _plan_node(
    relative: str,
    old: Metadata,
    store: Store,
    source: str,
    zarr_format: int,
    place: Store,
    path: str,
    moves: bool,
    axes: tuple[str, ...] | None,
) -> NodePlan:
    name = source.rpartition("/")[2]
    spelled = spell(old, zarr_format, path, name=name, axes=axes)
    if spelled.metadata is not None and not spelled.rewrite and isinstance(old, ArrayMetadata):
        spelled.rewrite += _differing_chunk(store, source, old, spelled.metadata)  # type: ignore[arg-type]
    how = IMPOSSIBLE if spelled.problems else REWRITE if spelled.rewrite else METADATA_ONLY
    if how == REWRITE and moves:
        spelled = spell(old, zarr_format, path, anew=True, name=name, axes=axes)
        how = IMPOSSIBLE if spelled.problems else REWRITE
    reasons, notes = tuple(spelled.problems or spelled.rewrite), tuple(spelled.notes)
    if how != IMPOSSIBLE:
        there = _there(place, path, zarr_format)
        if there is not None and isinstance(there, Metadata) and consolidation.same(spelled.metadata, there):  # type: ignore[arg-type]
            how, reasons = DONE, ()
        elif there is not None and not (isinstance(old, GroupMetadata) and _is_bare(there)):
            how, reasons = IMPOSSIBLE, (f"there is a node of Zarr {zarr_format} already, which says something else",)
    return NodePlan(relative, how, reasons, notes, old, spelled.metadata)


def _is_bare(metadata: Metadata | ZarrError) -> bool:
    """Whether a group says nothing yet, so that nothing is lost where it is given attributes."""
    if not isinstance(metadata, GroupMetadata) or metadata.attributes:
        return False
    return set(metadata.document) <= {"zarr_format", "node_type", "attributes"}


def _there(store: Store, path: str, zarr_format: int) -> Metadata | ZarrError | None:
    try:
        return nodes.read(store, path, zarr_format)
    except ZarrError as error:
        return error


def _differing_chunk(store: Store, path: str, old: ArrayMetadata, new: ArrayMetadata) -> list[str]:
    """Read one stored chunk by both documents, under both keys: a reason where the elements differ."""
    before, after = Array(store, path, old), Array(store, path, new)
    coords = next((c for c in itertools.islice(before.grid, _LOOK) if store.exists(before.chunk_key(c))), None)
    if coords is None:
        coords = next(iter(before.stored_chunks()), None) if math.prod(before.grid.counts) > _LOOK else None
    if coords is None:
        return []
    one = before.read_chunk(coords)
    try:
        other = after.read_chunk(coords)
        same = one.tolist() == other.tolist() if one.dtype.kind in "OT" else one.tobytes() == other.tobytes()
    except ZarrError:
        same = False
    if same and before.chunk_key(coords) == after.chunk_key(coords):
        return []
    return [f"the chunk {before.chunk_key(coords)} would be read as other elements"]


# --- writing to another place


def _carry(
    store: Store,
    at: str,
    place: Store,
    root: str,
    node: NodePlan,
    memory: int | str,
    executor: Executor | None,
) -> None:
    """Make an array at the other place; the groups above it come when all that they hold is there."""
    source, path = _join(at, node.path), _join(root, node.path)
    if node.how == REWRITE:
        there = Array(place, path, node.new)  # type: ignore[arg-type]
        here = Array(store, source, node.old)  # type: ignore[arg-type]
        write_anew(here, there, memory, executor=executor, within=True)
        return
    documents, about = nodes.documents(node.new, path), repr(places.place(store, source))  # type: ignore[arg-type]
    action = f"convert {hierarchy.whereabouts(store, source)}"
    tree = hierarchy.StoredTree.read(store, source)
    with replacing.Replacement(place, path, documents, action, about=about, within=True) as new:
        tree.transfer(tree.data, place, new.path, new.beat)
        if nodes.read(store, source, node.old.zarr_format).document != node.old.document:  # type: ignore[union-attr]
            raise StoreError(
                f"{hierarchy.whereabouts(store, source)}: expected an array that stays while it is converted, found "
                "its document changed; call again",
                path=source,
            )


def _strangers(store: Store, at: str, place: Store, root: str) -> list[str]:
    """The keys that belong to no node: files that somebody put beside them. They may not take the place of others."""
    hierarchy.listed_keys(store, at, refuse=True)
    keys = nodes.foreign_keys(store, at)
    for key in keys:
        there = nodes.read_value(place, target := _moved(at, root, key))
        if there is not None and bytes(there) != bytes(nodes.read_value(store, key) or b""):
            raise ConversionError(
                f"convert: expected nothing at key {target!r} in {place!r}, or what is at {key!r} in the source, found "
                "something else; nothing was written; move one of the two away, or try another target",
                path=root,
            )
    return keys


def _moved(at: str, root: str, key: str) -> str:
    return nodes.join(root, key[len(at) + 1 if at else 0 :])


def _copy(store: Store, at: str, place: Store, root: str, key: str) -> None:
    value = nodes.read_value(store, key)
    if value is not None:
        place.set(_moved(at, root, key), value)


# --- removing what is superfluous


def remove_metadata(
    source: Any, zarr_format: int, *, path: str | None = None, dry_run: bool = False, force: bool = False
) -> hierarchy.Plan:
    """Remove the documents of one format where those of the other say the same: of the old one to finish a
    conversion, of the new one to undo it. Chunks are not touched.

    Refused, before anything is removed, where a node has documents in this format alone, or where the two say
    different things (as after attributes were changed in one); `force` overrides the latter.
    """
    store, at = _place(source, path)
    store.check_writable()
    keys = [key for key in store.list_prefix(at) if key.rpartition("/")[2] in DOCUMENTS[zarr_format]]
    if not keys:
        raise NodeNotFoundError(f"remove_metadata: expected documents of Zarr {zarr_format} in {store!r}, found none")
    _check_above(store, at, 5 - zarr_format)
    axes: dict[str, tuple[str, ...]] = {}
    for folder in sorted({nodes.parent(key) for key in keys}):
        kept = _there(store, folder, 5 - zarr_format)
        gone = _there(store, folder, zarr_format)
        if kept is None or isinstance(kept, ZarrError):
            raise ConversionError(
                f"remove_metadata: expected a node of Zarr {5 - zarr_format} at {folder!r} as well, found "
                f"{'none' if kept is None else kept}; removing its documents would lose it",
                path=folder,
            )
        _note_axes(axes, folder, kept)
        if gone is not None and not force and not _agree(gone, kept, folder.rpartition("/")[2], axes.get(folder)):
            raise ConversionError(
                f"remove_metadata: expected documents that say the same at {folder!r}, found that those of Zarr 2 and "
                "Zarr 3 differ; if those of the other format are the ones to keep, try force=True",
                path=folder,
            )
    keys.sort(key=nodes.going_order)  # the root first: from then on the whole hierarchy is in the other format
    plan = hierarchy.Plan(
        "remove",
        f"the documents of Zarr {zarr_format} from {at or '/'!r} in {store!r}",
        {key: store.get_size(key) or 0 for key in keys},
    )
    if not dry_run:
        consolidation.forget(store, at, zarr_format)
        for key in keys:  # one after the other: their order is what readers rely on
            store.delete(key)
    return plan


def _check_above(store: Store, path: str, zarr_format: int) -> None:
    """Refuse to leave a node in a format in which no listing of the group above it would show it."""
    try:
        hierarchy.check_place(store, path, zarr_format, "node")
    except NodeExistsError as cause:
        raise ConversionError(
            f"remove_metadata: {nodes.label('node', path)}: expected a group of Zarr {zarr_format} above it, found one "
            f"of Zarr {5 - zarr_format} alone, whose listings would not show it; convert the group above as well",
            path=path,
        ) from cause


def _agree(one: Metadata | ZarrError, other: Metadata | ZarrError, name: str, axes: tuple[str, ...] | None) -> bool:
    """Whether one of the two is what the other becomes in its format."""
    if isinstance(one, ZarrError) or isinstance(other, ZarrError):
        return False
    for old, new in ((one, other), (other, one)):
        spelled = spell(old, new.zarr_format, name=name, axes=axes).metadata
        if spelled is not None and consolidation.same(spelled, new):
            return True
    return False
