"""What the doctor finds: the table of faults, a fault, and the report that collects them.

A fault has a rule, by which programs know it, and says where it is, what is wrong, what likely caused it and
what repairs it. The last two stand in `RULES`, once for each rule.

>>> report = Report("MemoryStore(0 keys)", "")
>>> report.add("checksum", "a/c/0", "the checksum differs", node="a")
>>> report.ok, report.counts["checksum"], report.faults[0].severity
(False, 1, 'error')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tutorial_zarr import words
from tutorial_zarr.words import plain

SHOWN = 3  # faults of one kind that people are shown; programs are told more
KEPT = 1000  # faults of one rule that are listed one by one; the others are counted


class Rule(NamedTuple):
    """One kind of fault."""

    severity: str  # "error": data or metadata are wrong or lost; "warning": all can be read, something is amiss
    cause: str
    repair: str


_RESTORE = "restore the value from a copy of the store, or write this chunk again; deleting it makes it the fill value"
_DOCUMENT = "restore the document from a copy, or from consolidated metadata above it, which may hold it still"
_SHARD = "restore the shard from a copy, or write its part of the array again; the inner chunks not named are sound"
_MOVE = "look what it is; then move it away: doctor --repair --move KEY --into FOLDER"
_INTERRUPTED = "a write or a copy that was interrupted, or a full disk"

RULES = {
    # documents
    "bad-json": Rule("error", _INTERRUPTED + "; or an editor that does not know JSON", _DOCUMENT),
    "bad-metadata": Rule("error", "a writer that breaks the specification, or an edit by hand", _DOCUMENT),
    "unsupported": Rule(
        "warning",
        "an extension that this library does not know; it may be sound",
        "read it with the library that wrote it; its chunks were not checked",
    ),
    "lenient": Rule(
        "warning",
        "a writer that deviates from the specification in a way that is known",
        "other readers may refuse it: write the document again, as opening with mode 'r+' and updating attributes "
        "does; a NaN among the attributes stays until that one is set to null or text",
    ),
    "misread": Rule(
        "warning",
        "a writer that takes for granted what other readers do not know",
        "tutorial-zarr lint names the readers, and what to change",
    ),
    "two-formats": Rule(
        "warning",
        "metadata converted from Zarr 2 to 3, and the old documents left in place",
        "readers disagree on which to read: tutorial-zarr convert --to 3 --finish leaves Zarr 3, and --undo Zarr 2; "
        "where the two say different things, delete the documents of the format that is no longer meant",
    ),
    "missing-group": Rule(
        "warning",
        "a deleted or never written group document",
        "nodes below cannot be found from above: create the group, create_group(store, path=...)",
    ),
    "no-node": Rule("error", "a wrong path, or a deleted document", "check the path; restore the document from a copy"),
    "bad-consolidated": Rule(
        "error", "a write that was cut short, or a form that is not known here", "doctor --repair writes it anew"
    ),
    "stale-consolidated": Rule(
        "warning", "the hierarchy was changed after its metadata were consolidated", "doctor --repair writes it anew"
    ),
    "dimension-names": Rule(
        "warning", "a tool that changed axes and not their names", "set the names again, or delete them"
    ),
    "dimension-length": Rule(
        "warning",
        "an append or a resize that was not carried out on all arrays of the group",
        "xarray refuses such a group: resize the arrays to one length, or rename the dimension",
    ),
    # keys
    "leftover": Rule("warning", "a writer that was killed before it finished", "doctor --repair deletes it"),
    "unfinished-write": Rule(
        "warning",
        "a writer that was killed while it appended or resized, or one at work",
        "doctor --repair deletes what lies beyond the shape, and cuts off the block of an append that did not end; "
        "in the midst of an array write the elements again: array.finish(name, data)",
    ),
    "unfinished-node": Rule(
        "warning",
        "a writer that was killed while it made, replaced or deleted this node, or one at work",
        "repeat the call; or doctor --repair, which completes what is all there, and takes the rest back",
    ),
    "outside-grid": Rule(
        "warning",
        "the array was shrunk, or its shape restored, without deleting these chunks",
        "growing the array would bring old values back; " + _MOVE,
    ),
    "orphan": Rule("warning", "another program's file, or a node whose document was deleted", _MOVE),
    "dangling-link": Rule(
        "error",
        "a copy of a store that took the links and not what they lead to, or a file that was moved or deleted since",
        "copy the store again with what its links lead to (cp -rL, rsync -L), or put back what the link names; readers "
        "take it for an absent chunk, or for no node",
    ),
    # chunks
    "unreadable": Rule("error", "the store failed: permissions, the network, a bad disk", "repair it, then look again"),
    "empty-value": Rule("error", _INTERRUPTED, _RESTORE),
    "wrong-size": Rule("error", _INTERRUPTED + "; or a chunk of an array with another chunk shape or type", _RESTORE),
    "checksum": Rule("error", "bytes that changed after they were written: a bad disk, memory or transfer", _RESTORE),
    "undecodable": Rule("error", "bytes that changed, were cut short, or were written with other codecs", _RESTORE),
    "too-large": Rule(
        "warning", "a chunk larger than this machine can decode", "look again with more memory; it was not checked"
    ),
    "unchecked": Rule("warning", "an optional package is missing", "install it and look again; it was not checked"),
    "shard-index": Rule("error", "a shard that was cut short, or changed after it was written", _SHARD),
    "shard-entry": Rule("error", "a shard that was cut short, or an index that does not belong to it", _SHARD),
    "shard-overlap": Rule("warning", "two writers in one shard, or a changed index without a checksum", _SHARD),
    # manifest
    "changed": Rule("error", "the value was written again, or damaged, after the manifest was made", _RESTORE),
    "missing": Rule("error", "the value was deleted, or not copied", _RESTORE),
    "unlisted": Rule("warning", "the value was written after the manifest was made", "make a new manifest"),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, with the key that it was found at."""

    rule: str
    key: str
    problem: str
    node: str = ""  # the path of the array or group
    coords: tuple[int, ...] | None = None  # of the chunk or shard
    inner: tuple[int, ...] | None = None  # of the inner chunk within its shard
    evidence: str = ""  # a cause that the bytes themselves suggest; stands before the table's
    remedy: str = ""  # what repairs this one, where that is known; stands before the table's

    @property
    def severity(self) -> str:
        """``"error"`` or ``"warning"``."""
        return RULES[self.rule].severity

    @property
    def cause(self) -> str:
        """What likely happened."""
        return self.evidence or RULES[self.rule].cause

    @property
    def repair(self) -> str:
        """What can be done about it."""
        return self.remedy or RULES[self.rule].repair

    def to_json(self) -> dict[str, Any]:
        """The fault in types that JSON knows."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "key": self.key,
            "node": self.node,
            "coords": None if self.coords is None else list(self.coords),
            "inner": None if self.inner is None else list(self.inner),
            "problem": self.problem,
            "cause": self.cause,
            "repair": self.repair,
        }

    @property
    def where(self) -> str:
        """The key, and the inner chunk at it."""
        inner = f", inner chunk {self.inner}" if self.inner is not None else ""
        return (plain(self.key) or "(root)") + inner

    def __str__(self) -> str:
        return f"{self.severity} {self.rule}: {self.where}\n  {plain(self.problem)}\n{self._advice}"

    @property
    def _advice(self) -> str:
        return f"  likely: {plain(self.cause)}\n  repair: {plain(self.repair)}"


@dataclass
class ArrayRow:
    """What was counted in one array. Chunks within shards are counted one by one."""

    path: str
    zarr_format: int
    shape: tuple[int, ...]
    present: int = 0  # chunks stored
    total: int = 0
    shards: int | None = None  # shards stored; None without sharding
    nbytes: int = 0  # of the stored chunks
    unused: int = 0  # bytes of shards that no index entry points to
    protected: bool = False  # whether the codecs hold a checksum of every chunk
    checked: bool = True  # False where the chunks could not be decoded: codecs unknown or not installed

    @property
    def absent(self) -> int:
        """Chunks that are not stored, and read as the fill value."""
        return self.total - self.present

    def to_json(self) -> dict[str, Any]:
        """The row in types that JSON knows."""
        return {**self.__dict__, "shape": list(self.shape), "absent": self.absent}


@dataclass
class Report:
    """Everything that an examination found. It stays small, however large the store is."""

    store: str
    path: str
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # of each rule, those not listed too
    arrays: list[ArrayRow] = field(default_factory=list)
    groups: int = 0
    keys: int = 0
    nbytes: int = 0  # bytes that were read
    chunks: bool = True  # whether the chunks were looked at, not the documents alone
    unlisted: bool = False  # whether the store lists nothing, so that only what is named could be asked for
    unseen: list[str] = field(default_factory=list)  # groups whose members nobody names then

    def add(self, rule: str, key: str, problem: str, **more: Any) -> None:
        """Note a fault."""
        self.counts[rule] += 1
        if self.counts[rule] <= KEPT:
            self.faults.append(Fault(rule, key, problem, **more))

    @property
    def ok(self) -> bool:
        """Whether nothing is amiss."""
        return not self.counts

    @property
    def notes(self) -> list[str]:
        """What is no fault and should be known."""
        found = []
        if self.unlisted:
            followed = "groups were followed as far as metadata name their members, and " if self.groups else ""
            found.append(f"the store lists no keys: {followed}nobody looked for orphans")
        if self.unseen:
            groups = words.some((path or "the root" for path in self.unseen), 4)
            found.append(
                f"nobody looked at what lies below {groups}: no metadata name the members; try --path with an array, "
                "or consolidate where the store is written"
            )
        open_to_harm = [row for row in self.arrays if row.checked and row.present and not row.protected]
        if open_to_harm and self.chunks:
            some = words.some((row.path or "(root)" for row in open_to_harm), 4)
            found.append(
                f"not protected: the codecs of {words.count(len(open_to_harm), 'arrays')} ({some}) hold no checksum, "
                "so changed bits that still decode go unnoticed; keep a manifest, or add the codec crc32c"
            )
        found += [
            f"array {row.path or '(root)'!r}: {words.size_text(row.unused)} in its shards "
            "that no chunk uses; writing it again saves them"
            for row in self.arrays
            if row.unused
        ]
        return found

    def to_json(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return {
            "store": self.store,
            "path": self.path,
            "ok": self.ok,
            "groups": self.groups,
            "keys": self.keys,
            "nbytes": self.nbytes,
            "counts": dict(sorted(self.counts.items())),
            "faults": [fault.to_json() for fault in self.faults],
            "arrays": [row.to_json() for row in self.arrays],
            "notes": self.notes,
        }

    def __str__(self) -> str:
        return "\n".join([*self._kinds(), *(f"note: {note}" for note in self.notes), self.summary])

    def _kinds(self) -> Iterator[str]:
        """The faults for people: those of a kind together, the first few of each, errors first."""
        kinds: dict[tuple[str, str, str], list[Fault]] = {}
        for fault in self.faults:
            kinds.setdefault((fault.rule, fault.cause, fault.repair), []).append(fault)
        hidden = {rule: count - min(count, KEPT) for rule, count in self.counts.items()}
        for alike in sorted(kinds.values(), key=lambda alike: alike[0].severity != "error"):
            first, count = alike[0], len(alike) + hidden.pop(alike[0].rule, 0)
            if count == 1:
                yield str(first)
                continue
            yield f"{first.severity} {first.rule}: {count:,} of them"
            same = len({fault.problem for fault in alike}) == 1
            yield from ([f"  {plain(first.problem)}"] if same else [])
            for fault in alike[:SHOWN]:
                yield f"  - {fault.where}" + ("" if same else f": {plain(fault.problem)}")
            if count > SHOWN:
                yield f"  - and {count - SHOWN:,} more, which --json lists"
            yield first._advice

    @property
    def summary(self) -> str:
        """One line about it all."""
        present, absent = sum(row.present for row in self.arrays), sum(row.absent for row in self.arrays)
        found = sum(self.counts.values())
        return (
            f"{words.count(found, 'faults') if found else 'no faults'} in {words.count(self.keys, 'keys')}: "
            f"{words.count(self.groups, 'groups')}, {words.count(len(self.arrays), 'arrays')}, "
            f"{words.count(present, 'chunks')} present and {absent:,} absent"
        )
