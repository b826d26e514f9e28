"""The walk through a store: every document held against the specification, every key to the node it belongs to.

It asks for the documents of a path first, then lists what is below. Keys below an array are its chunks, as a
stream; so memory does not grow with their number. A node whose document is broken is named and passed by: its
neighbours are examined all the same, and its own keys are not called orphans, as nobody can say what they are.

Leaves out what is in a chunk (`chunks`), and the comparison with consolidated metadata (`consolidation`).

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#hierarchy
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tutorial_zarr import api, limits, parallel, words
from tutorial_zarr.array import Array
from tutorial_zarr.errors import MetadataError, MissingDependencyError, UnsupportedError, ZarrError
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata, parse_json, v2, v3
from tutorial_zarr.nodes import MARK, UNFINISHED, join, kind_at, parent, read_document
from tutorial_zarr.replacing import Mark, read_mark
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.local import is_ours
from tutorial_zarr.stores.writers import describe
from tutorial_zarr.tools.convert import ome

from . import misread
from .chunks import Outcome, check_chunk, counts_inner, dangling, protected
from .consolidation import Consolidations
from .report import ArrayRow, Report

NODES = ("zarr.json", ".zarray", ".zgroup")  # a key of such a name says that there is a node
V2_DOCUMENTS = (".zarray", ".zgroup", ".zattrs", ".zmetadata")
BATCH = 16  # chunks that a thread takes at a time
Metadata = ArrayMetadata | GroupMetadata
_GOES_ON = {  # the first word of what a mark says -> what the same command does
    "rechunk": "tutorial-zarr rechunk with the same options goes on where it was",
    "convert": "tutorial-zarr convert with the same --target goes on where it was",
    "copy": "tutorial-zarr copy with the same options finishes it",
    "move": "tutorial-zarr move with the same paths finishes it",
    "delete": "tutorial-zarr delete with --yes deletes the rest",
    "import": "tutorial-zarr import with the same options finishes it",
}


def remedy_for(mark: Mark) -> str:
    """What to do about unfinished work."""
    if not mark.over:
        return "wait: its writer is at work, or may be, if it runs on another machine"
    goes_on = _GOES_ON.get(mark.action.partition(" ")[0], "the same call begins anew")
    if mark.complete:
        return f"doctor --repair completes it: all is written; or {goes_on}"
    if mark.adds or mark.action.startswith(("rechunk", "import")):  # what is there is kept for the call that goes on
        return goes_on + "; tutorial-zarr delete gives it up"
    return f"{goes_on}; or doctor --repair takes back what is not complete"


class Examination:
    """One walk. `run` fills the report."""

    def __init__(self, store: Store, report: Report, chunks: bool, jobs: int, advance: Callable[[], None]) -> None:
        self.store, self.report, self.chunks, self.jobs = store, report, chunks, jobs
        self.advance = advance  # called after each key and each path
        self.consolidations = Consolidations(report)
        self.lengths: dict[tuple[str, str], tuple[int, str]] = {}  # (group, dimension) -> length, array
        self.key = ""  # of the document that was parsed last
        self.scaled: set[str] = set()  # groups whose arrays are one image at several scales

    def run(self, path: str) -> None:
        """Examine the node at `path` and all below it."""
        waiting = [(path, False)]
        while waiting:
            at, broken = waiting.pop()
            limits.check_levels(at)
            waiting += reversed(list(self.visit(at, broken)))
        if not self.report.groups and not self.report.arrays and not self.report.counts.keys() - {"orphan", "leftover"}:
            found, _ = api._found_instead(self.store, list(self.guard(path, self.store.list_dir)))
            problem = f"expected an array or a group in {self.store!r}, found {found}"
            self.report.add("no-node", join(path, "zarr.json"), problem, node=path)
        for leftover in self.store.leftovers():
            if f"/{path}/" in leftover.path.replace(os.sep, "/") or not path:
                problem = (
                    f"found an unfinished file of {words.count(leftover.nbytes, 'bytes')}, {leftover.age:.0f} s old"
                )
                self.report.add("leftover", leftover.path, problem)
        self.consolidations.finish()

    # --- one path

    def visit(self, path: str, broken: bool) -> Iterator[tuple[str, bool]]:
        """Examine what is at `path` itself; yields the paths below, and whether they are inside a broken node."""
        metadata, sound, names = None, True, []
        if broken:  # perhaps the chunks of an array: look before asking for documents
            names = list(self.guard(path, self.store.list_dir))
        if not broken or set(names) & {*NODES, "meta"}:
            metadata, sound = self.read_v3(path)
            if metadata is None and sound:
                metadata, sound = self.read_v2_array(path)
            if isinstance(metadata, ArrayMetadata):
                self.examine_array(path, metadata)
                return
        names = names or list(self.guard(path, self.store.list_dir))
        if self.report.unlisted:
            names = [name for name in ("zarr.json", *V2_DOCUMENTS) if self.store.exists(join(path, name))]
        files = [name for name in names if not name.endswith("/")]
        if metadata is None and sound:
            metadata, sound = self.read_v2_group(path, files)
        self.advance()
        if UNFINISHED + "/" in names:
            self.unfinished_node(path)
            if metadata is None and sound:
                return  # all that lies there belongs to it
        if not sound:
            broken = True
        elif metadata is not None:
            broken = False
            self.report.groups += 1
            self.note_group(path, metadata)
        elif not broken and not self.holds_nodes(path):
            self.report_orphans(path)
            return
        elif not broken:
            self.report.add(
                "missing-group",
                join(path, "zarr.json"),
                "expected the document of a group, as there are nodes below, found none",
                node=path,
            )
        self.check_files(path, files, metadata, broken)
        if self.report.unlisted:
            names = [name + "/" for name in self.named_below(path, metadata)]
        for name in names:
            if name.endswith("/") and name != UNFINISHED + "/":
                yield join(path, name[:-1]), broken

    def named_below(self, path: str, metadata: Metadata | None) -> list[str]:
        """The names directly below a group of a store that lists none, as far as documents have them."""
        if self.consolidations.tells_of(path):
            return self.consolidations.names_below(path)
        named = ome.named(dict(metadata.attributes)) if metadata is not None else []
        there = [name for name in named if kind_at(self.store, join(path, name)) is not None]
        if not named:
            self.report.unseen.append(path)
        return list(dict.fromkeys(name.partition("/")[0] for name in there))

    def guard(self, path: str, listing: Callable[[str], Iterator[str]]) -> Iterator[str]:
        """The names of a listing; a store that fails in the middle is a fault, not the end.

        One that never lists is none: then the documents are asked for by their names, and the chunks by theirs.
        """
        try:
            yield from listing(path)
        except (ZarrError, OSError) as error:
            if getattr(error, "unlisted", False):
                self.report.unlisted = True
                return
            self.report.add("unreadable", path, f"cannot list what is there: {error}", node=path)

    def holds_nodes(self, path: str) -> bool:
        """Whether there is an array or a group somewhere below."""
        return any(key.rpartition("/")[2] in NODES for key in self.guard(path, self.store.list_prefix))

    def report_orphans(self, path: str) -> None:
        """Every key below `path` belongs to no node."""
        for key in self.guard(path, self.store.list_prefix):
            self.report.keys += 1
            self.orphan(key, "found a key below no array and no group", path)

    def orphan(self, key: str, problem: str, path: str) -> None:
        """Note a key that nothing accounts for."""
        if self.dangles(key, path):
            return
        if is_ours(key.rpartition("/")[2]):
            self.report.add("leftover", key, "found an unfinished value", node=path)
        else:
            self.report.add("orphan", key, problem, node=path)

    def dangles(self, key: str, path: str) -> bool:
        """Note a link that leads nowhere."""
        target = dangling(self.store, key)
        if target is not None:
            problem = f"expected a value, found a link to {target!r}, where nothing is"
            self.report.add("dangling-link", key, problem, node=path)
        return target is not None

    def unfinished_node(self, path: str) -> None:
        """Note that a node is being made, replaced or deleted, or that this was cut short."""
        key = join(path, MARK)
        try:
            mark = read_mark(self.store, path)
        except (ZarrError, OSError) as error:
            self.report.add("unreadable", key, str(error), node=path)
            return
        below = self.guard(path, lambda at: self.store.list_prefix(join(at, UNFINISHED)))
        if mark is None and next(below, None) is None:
            return  # the empty folder of a mark that never came
        remedy = "" if mark is None else remedy_for(mark)
        problem = f"found {mark or 'what is left of unfinished work'}"
        self.report.add("unfinished-node", key, problem, node=path, remedy=remedy)

    def check_files(self, path: str, files: list[str], metadata: Metadata | None, broken: bool) -> None:
        """Hold the keys directly in a group to what may be there."""
        self.report.keys += len(files)
        known = {"zarr.json"} if "zarr.json" in files else set()
        if ".zgroup" in files:
            known.update(V2_DOCUMENTS[1:])
        if "zarr.json" in files and (".zarray" in files or ".zgroup" in files):
            known.update(V2_DOCUMENTS)
            self.two_formats(path)
        for name in files:
            if name in known:
                self.dangles(join(path, name), path)
            elif not broken:
                self.orphan(join(path, name), "found a key in a group that is neither metadata nor a node", path)

    def two_formats(self, path: str) -> None:
        """Note a node with documents of both formats."""
        problem = "expected documents of one format, found those of Zarr 2 beside it"
        self.report.add("two-formats", join(path, "zarr.json"), problem, node=path)

    # --- documents

    def document(self, key: str, path: str) -> tuple[dict[str, Any] | None, bool]:
        """The JSON object at `key`, and whether all is well with it. (None, True): there is none."""
        try:
            data = read_document(self.store, key)
        except (ZarrError, OSError) as error:
            self.report.add("unreadable", key, str(error), node=path)
            return None, False
        if data is None:
            return None, True
        self.report.nbytes += len(data)
        try:
            return parse_json(data, key, strict=True), True
        except MetadataError as error:
            problem = error.message
        try:
            found = parse_json(data, key)
        except MetadataError:
            evidence = "a crash before the data reached the disk: there are only zero bytes"
            only_zeros = len(data) > 0 and not bytes(data).strip(b"\0")
            self.report.add("bad-json", key, problem, node=path, evidence=evidence if only_zeros else "")
            return None, False
        self.report.add("lenient", key, problem, node=path)
        return found, True

    def parse(self, key: str, path: str, parse: Callable[[bool], Metadata]) -> Metadata | None:
        """The metadata that ``parse(strict)`` makes of a document; None where it breaks a rule."""
        self.key = key
        try:
            return parse(True)
        except MetadataError as error:
            problem = error.message
        try:
            metadata = parse(False)
        except UnsupportedError as error:
            self.report.add("unsupported", key, error.message, node=path)
        except MetadataError as error:
            self.report.add("bad-metadata", key, error.message, node=path)
        else:
            self.report.add("lenient", key, problem, node=path)
            return metadata
        return None

    def read_v3(self, path: str) -> tuple[Metadata | None, bool]:
        """What ``zarr.json`` says, and whether it is sound. (None, True): there is none."""
        key = join(path, "zarr.json")
        document, sound = self.document(key, path)
        if document is None:
            return None, sound
        self.consolidations.observe(path, key, document)
        metadata = self.parse(key, path, lambda strict: v3.parse(document, key, strict))
        if metadata is None:
            self.misread(path, {"zarr.json": document})
        if metadata is None and document.get("node_type") == "group":  # what is below can be examined still
            metadata = GroupMetadata(3, {}, document)
        return metadata, metadata is not None

    def read_v2_array(self, path: str) -> tuple[Metadata | None, bool]:
        """What ``.zarray`` says, or version 1's ``meta``."""
        key = join(path, ".zarray")
        document, sound = self.document(key, path)
        if document is not None:
            self.consolidations.observe(path, key, document)
            attributes = self.attributes(path, ".zattrs")
            found = document
            metadata = self.parse(key, path, lambda strict: v2.parse_array(found, attributes, key, strict))
            return metadata, metadata is not None
        if not sound or self.store.exists(join(path, ".zgroup")) or not self.store.exists(join(path, "meta")):
            return None, sound
        key = join(path, "meta")
        document, sound = self.document(key, path)
        if document is None or document.get("zarr_format") != 1:
            return None, sound
        attributes = self.attributes(path, "attrs")
        metadata = self.parse(
            key, path, lambda strict: v2.parse_array(v2.from_v1(document, key), attributes, key, strict)
        )
        return metadata, metadata is not None

    def read_v2_group(self, path: str, files: list[str]) -> tuple[Metadata | None, bool]:
        """What ``.zgroup`` says."""
        key = join(path, ".zgroup")
        document, sound = self.document(key, path) if ".zgroup" in files else (None, True)
        if document is None:
            return None, sound
        if ".zmetadata" in files:
            copy, _ = self.document(join(path, ".zmetadata"), path)
            if copy is not None:
                self.consolidations.add_v2(path, join(path, ".zmetadata"), copy)
        self.consolidations.observe(path, key, document)
        attributes = self.attributes(path, ".zattrs")
        metadata = self.parse(key, path, lambda strict: v2.parse_group(document, attributes, key, strict))
        return metadata or GroupMetadata(2, attributes, document), True

    def attributes(self, path: str, name: str) -> dict[str, Any]:
        """The document of attributes beside a Zarr 2 node."""
        key = join(path, name)
        document, _ = self.document(key, path)
        if document is not None:
            self.consolidations.observe(path, key, document)
        return document or {}

    def note_group(self, path: str, metadata: Metadata) -> None:
        """Remember of a group what its members are held to."""
        if "multiscales" in metadata.attributes or "ome" in metadata.attributes:
            self.scaled.add(path)
        if metadata.zarr_format == 3:
            self.consolidations.add_v3(path, join(path, "zarr.json"), metadata.document)

    # --- arrays

    def examine_array(self, path: str, metadata: ArrayMetadata) -> None:
        """Bind an array's metadata, then go through its keys."""
        key, row = self.key, ArrayRow(path, metadata.zarr_format, metadata.shape)
        self.report.arrays.append(row)
        self.check_dimensions(path, key, metadata)
        if key.endswith(("zarr.json", ".zarray")):
            name = key.rpartition("/")[2]
            self.misread(path, {name: metadata.document, ".zattrs": metadata.attributes})
        try:
            array = Array(self.store, path, metadata, read_only=True)
        except (UnsupportedError, MissingDependencyError) as error:
            rule = "unsupported" if isinstance(error, UnsupportedError) else "unchecked"
            self.report.add(rule, key, error.message, node=path)
            array = None
        except ZarrError as error:
            self.report.add("bad-metadata", key, error.message, node=path)
            array = None
        self.unfinished(path, key, metadata)
        keys = self.array_keys(path, metadata, array)
        if array is None:
            row.checked = False
            for _ in keys:
                self.advance()
            return
        inside = counts_inner(array.io)
        row.total = array.nchunks if inside else array.grid.nchunks
        row.shards = 0 if inside else None
        row.protected = protected(array.io.pipeline)
        batches = iter(lambda: list(islice(keys, BATCH)), [])  # a thread's hand-over costs more than a small chunk

        def look(batch: list[tuple[int, ...]]) -> list[Outcome | None]:
            return [check_chunk(array.io, coords) if self.chunks else None for coords in batch]

        for batch, outcomes in parallel.stream(look, batches, self.jobs, ordered=False):
            for coords, outcome in zip(batch, outcomes, strict=True):
                self.count(row, array.io.key(coords), coords, outcome)
                self.advance()

    def count(self, row: ArrayRow, key: str, coords: tuple[int, ...], outcome: Outcome | None) -> None:
        """Add what was found at one key."""
        if row.shards is not None:
            row.shards += 1
        if outcome is None:
            row.present += row.shards is None
            return
        row.present += outcome.present
        row.nbytes += outcome.nbytes
        row.unused += outcome.unused
        self.report.nbytes += outcome.nbytes
        for rule, problem, inner, evidence in outcome.findings:
            self.report.add(rule, key, problem, node=row.path, coords=coords, inner=inner, evidence=evidence)

    def misread(self, path: str, documents: dict[str, Any]) -> None:
        """Note what common readers take otherwise than it was meant, as far as documents alone tell."""
        node = misread.Node(self.store, path, documents)
        for found in misread.of_node(node, misread.KNOWN, misread.FAULTS):
            seen = "; ".join(f"{one.reader} {one.version} {one.sees}" for one in found.seen)
            remedy = found.cure + ("; tutorial-zarr lint --fix does it" if found.fix else "")
            self.report.add("misread", join(path, node.main), f"{found.problem}: {seen}", node=path, remedy=remedy)

    def array_keys(self, path: str, metadata: ArrayMetadata, array: Array | None) -> Iterator[tuple[int, ...]]:
        """The coordinates of the chunks that are stored. Faults of the keys between them are noted on the way."""
        start = len(path) + 1 if path else 0
        own = ("zarr.json",) if metadata.zarr_format == 3 else (".zarray", ".zattrs", "meta", "attrs")
        other = unfinished = False
        for key in self.guard(path, self.store.list_prefix):
            self.report.keys += 1
            name = key[start:]
            if name.startswith(UNFINISHED + "/"):
                if not unfinished:
                    self.unfinished_node(path)
                unfinished = True
                continue
            if name in own:
                continue
            if metadata.zarr_format == 3 and name in V2_DOCUMENTS:
                if not other:
                    self.two_formats(path)
                other = True
                continue
            if array is None:
                continue
            coords = array.io.keys.decode(name, array.ndim)
            if coords is None:
                self.orphan(key, "found a key below an array that is neither its metadata nor a chunk", path)
            elif not all(at < count for at, count in zip(coords, array.grid.counts, strict=True)):
                if any(coords[mark.axis] >= array.grid.counts[mark.axis] for mark in metadata.unfinished.values()):
                    continue  # what the fault about the mark means
                self.report.add(
                    "outside-grid",
                    key,
                    f"expected chunks within {array.grid.counts}, found one at {coords}",
                    node=path,
                    coords=coords,
                )
            else:
                yield coords
        if self.report.unlisted and array is not None:
            for coords in array.grid:
                if self.store.exists(array.io.key(coords)):
                    self.report.keys += 1
                    yield coords

    def unfinished(self, path: str, key: str, metadata: ArrayMetadata) -> None:
        """Note the changes of the shape that did not come to their end."""
        for name, mark in metadata.unfinished.items():
            axis, start, stop, since = mark[:4]
            inside = min(stop, metadata.shape[axis])
            if start >= inside:
                what = f"elements from {start} on of axis {axis}, beyond the shape, may be stored"
            elif mark.ready:
                what = f"elements {start} to {inside} of axis {axis} are there; the groups above may not know of them"
            else:
                what = f"elements {start} to {inside} of axis {axis} may not be written"
            who = describe(mark.by, since)
            self.report.add("unfinished-write", key, f"found the mark {name!r}, {who}: {what}", node=path)

    def check_dimensions(self, path: str, key: str, metadata: ArrayMetadata) -> None:
        """Hold the names of an array's axes to its attributes, and to the arrays beside it."""
        names, listed = metadata.dimension_names, metadata.attributes.get("_ARRAY_DIMENSIONS")
        if listed is not None and (
            (names is None and metadata.zarr_format == 2) or (names is not None and list(names) != listed)
        ):
            expected = f"{len(metadata.shape)} names" if names is None else f"{list(names)}, as in dimension_names"
            self.report.add(
                "dimension-names", key, f"attribute _ARRAY_DIMENSIONS: expected {expected}, found {listed!r}", node=path
            )
        if not path or parent(path) in self.scaled:
            return
        for name, length in zip(names or (), metadata.shape, strict=False):
            if name:
                known, other = self.lengths.setdefault((parent(path), name), (length, path))
                if known != length:
                    self.report.add(
                        "dimension-length",
                        key,
                        f"dimension {name!r}: expected length {known}, as in {other!r}, found {length}",
                        node=path,
                    )
