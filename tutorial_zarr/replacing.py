"""Create or replace a node or a tree so that a kill leaves the old one, the new one, or a mark that says what to do.

Meanwhile the key ``.unfinished/mark.json`` below the path says what is being made, by which process, and how far it is.
Documents are written last and deleted first, so that no reader meets an array with missing chunks.

- Where nothing was, chunks are written in their place, and the document at the end.
- With `staged`, chunks are written below ``.unfinished/new`` while the old node stays whole, and may be read as their
  source. When all are there, the old one is deleted and they are moved.
- Without, the old node is deleted first: for data that are at hand, and codecs that refuse no value.
- Where nodes are added to a tree one by one, each is made so, and a mark at the top says that others are to come.

A killed process leaves the mark. If the new chunks were not all written, the same call starts over. If they were,
`finish` completes the work, and so do the same call, opening for writing, and the doctor.

>>> from tutorial_zarr.stores import MemoryStore
>>> store = MemoryStore()
>>> with Replacement(store, "g", {"g/zarr.json": b'{"zarr_format": 3, "node_type": "group"}'}, "create group"):
...     sorted(store.mapping)
['g/.unfinished/mark.json']
>>> sorted(store.mapping)
['g/zarr.json', 'zarr.json']
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from tutorial_zarr import consolidation, nodes
from tutorial_zarr.errors import MetadataError, NodeExistsError, StoreError
from tutorial_zarr.metadata import dump_json, parse_json
from tutorial_zarr.stores import Store, writers
from tutorial_zarr.stores.base import check_key
from tutorial_zarr.stores.locks import jitter

WRITING, CLEARING, MOVING = "writing", "clearing", "moving"  # the states of a mark; in the last two, all is written
ADDING = "adding"  # what is there is whole, and there is more to come: the same call alone can go on
_ATTEMPTS = 6  # at deleting keys that other writers keep adding
_FOLDER = nodes.UNFINISHED + "/"


class Mark(NamedTuple):
    """What is being made at a path."""

    action: str  # in words
    what: str  # a hash of the documents
    by: dict[str, Any]  # see `stores.writers`
    since: float  # seconds since 1970
    state: str = WRITING
    staged: bool = False  # whether the new one is written elsewhere, so that what lies at the path is the old one
    keep: tuple[str, ...] = ()  # names at the path that are not part of it
    documents: dict[str, str] = {}  # noqa: RUF012 - never modified; key below the path -> bytes, once all is written
    only: tuple[str, ...] = ()  # names at the path that are part of it, where all others are not
    up: int = 0  # how many levels above the path that begins which is made with it
    was: str = ""  # a hash of the old node's own document, once the new one may take its place

    @property
    def over(self) -> bool:
        """Whether its writer is dead."""
        return writers.is_over(self.by, self.since)

    @property
    def complete(self) -> bool:
        """Whether all is written, so that anybody can finish it."""
        return self.state in (CLEARING, MOVING)

    @property
    def adds(self) -> bool:
        """Whether all that is there is whole, but not all is there."""
        return self.state == ADDING

    @property
    def kind(self) -> str:
        """What it makes: ``"array"`` or ``"group"``; ``"node"`` where its documents do not say."""
        if "zarr.json" in self.documents:
            return str(parse_json(self.documents["zarr.json"].encode("latin-1"), "zarr.json").get("node_type"))
        return "array" if ".zarray" in self.documents else "group" if ".zgroup" in self.documents else "node"

    def __str__(self) -> str:
        return f"an unfinished {self.action!r}, {writers.describe(self.by, self.since)}"


def read_mark(store: Store, path: str) -> Mark | None:
    """Return the mark at a path, or None if there is none."""
    key = nodes.join(path, nodes.MARK)
    data = nodes.read_document(store, key)
    return None if data is None else _parse(data, key)


def _parse(data: Any, key: str) -> Mark:
    document = {"documents": {}, "keep": [], "only": [], "up": 0, "was": "", **parse_json(data, key)}
    documents, keep, only, up, was = (document[name] for name in ("documents", "keep", "only", "up", "was"))
    if [*map(type, (documents, keep, only, up, was))] != [dict, list, list, int, str] or not (
        document.get("state") in (WRITING, CLEARING, MOVING, ADDING)
        and {*map(type, [*documents.values(), *keep, *only])} <= {str}
        and all(max(text, default="") <= "\xff" for text in documents.values())  # each character is a byte
        and all(check_key(name).rpartition("/")[2] in nodes.METADATA_NAMES for name in documents)
    ):
        raise MetadataError(f"{key}: expected the mark of unfinished work, found another document", key=key)
    action, what, by, since = (document.get(name) for name in ("action", "what", "by", "since"))
    state, staged = document["state"], document.get("staged") is True
    more = (state, staged, tuple(keep), documents, tuple(only), up, was)
    return Mark(str(action), str(what), by or {}, since or 0, *more)


# --- what lies at a place


class Survey(NamedTuple):
    """What lies at a path: a node's kind, the mark of unfinished work, keys that have to go, names that stay."""

    kind: str | None
    mark: Mark | None
    dead: tuple[str, ...] = ()  # left by a node that is no more
    keep: tuple[str, ...] = ()
    has_group: bool = False  # whether the group above is known to be there


def survey(store: Store, path: str, kind: str, overwrite: bool | str = False, what: str = "") -> Survey:
    """Survey the place for a new node. Refuse it if it may not be taken.

    Nothing is changed, but where a node is refused that a killed writer made: what was left to do then is done, so that
    the groups above know of it. Unless its mark says that it is `what` is to be made: that is for the caller to see to.

    `overwrite` may name the one kind of node that may be replaced. It costs one listing where nothing is, beside a
    look at the groups above.
    """
    store.check_writable()
    nodes.check_new(path)
    has_group = nodes.refuse_inside_array(store, path, kind)
    names, where = _names(store, path), nodes.label(kind, path)
    if not names:
        return Survey(None, None, has_group=has_group)
    mark = _dead_mark(store, path, where, names)
    there = nodes.kind_at(store, path) or (mark.kind if mark is not None and mark.complete else None)
    if there is not None and overwrite not in (True, there):
        if mark is not None and mark.what == what:
            return Survey(there, mark, keep=mark.keep, has_group=has_group)
        raise _taken(store, path, where, there, mark, overwrite)
    if overwrite:
        nodes.refuse_foreign(store, path, where)
        return Survey(there or "leftovers", mark, has_group=has_group)
    if mark is not None:
        return Survey(None, mark, keep=mark.keep, has_group=has_group)
    return _leftovers(store, path, kind, names)._replace(has_group=has_group)


def _dead_mark(store: Store, path: str, where: str, names: Collection[str]) -> Mark | None:
    """Return the mark that a dead writer left. Refuse the place of one that still writes."""
    mark = read_mark(store, path) if _FOLDER in names else None
    if mark is not None and not mark.over:
        raise NodeExistsError(
            f"{where}: expected nobody at work there in {store!r}, found {mark}; try again when that is done",
            path=path,
        )
    return mark


def _taken(
    store: Store, path: str, where: str, there: str, mark: Mark | None, overwrite: bool | str
) -> NodeExistsError:
    """Return the error for a node that is there, after what a killed writer left to do was done."""
    if mark is None:
        consolidation.renew(store, path)
    elif mark.complete or not mark.staged:
        finish(store, path)
    wanted, found = "nothing", "an array" if there == "array" else f"a {there}"
    advice = "try another name, or overwrite=True to delete it and all that it holds"
    if isinstance(overwrite, str):
        wanted, advice = f"an {overwrite} or nothing", f"saving over it would delete all its members; {advice}"
    return NodeExistsError(f"{where}: expected {wanted} in {store!r} at that path, found {found}; {advice}", path=path)


def _names(store: Store, path: str) -> list[str]:
    """Return the names at a path. If a server refuses to list, try those that a node would have, and warn."""
    try:
        return list(store.list_dir(path))
    except StoreError as error:
        if error.fields.get("transient") is not False:  # it failed, or nothing is known of why
            raise
        warnings.warn(
            f"{_where(path)}: expected a store that lists what it holds, found one that does not ({error.message}); "
            "where chunks of an array lie that was deleted, a new one would show them",
            nodes.ZarrWarning,
            stacklevel=5,
        )
        known = {nodes.join(path, name): name for name in nodes.NODE_NAMES} | {nodes.join(path, nodes.MARK): _FOLDER}
        return [name for key, name in known.items() if store.exists(key)]


def _leftovers(store: Store, path: str, kind: str, names: list[str]) -> Survey:
    """Return what lies where no node is: chunks of a deleted one, or other files, which stay."""
    stale, start = [name for name in names if name in (".zattrs", ".zmetadata")], len(path) + 1 if path else 0
    if _FOLDER in names:  # what is left of one when its mark was gone; a folder may be empty
        stale += [key[start:] for key in store.list_prefix(nodes.join(path, nodes.UNFINISHED))]
    if kind == "array":
        stale += _stale_chunks(store, path, [key[start:] for key in store.list_prefix(path)])
    dead = {nodes.UNFINISHED, *(name.partition("/")[0] for name in stale)}
    keep = [name for name in names if name.rstrip("/") not in dead]
    return Survey(None, None, tuple(nodes.join(path, name) for name in stale), tuple(keep))


def _stale_chunks(store: Store, path: str, below: list[str]) -> list[str]:
    """Return the chunks of a deleted array. Refuse what may be somebody else's, and would be taken for a chunk."""
    chunks = [name for name in below if nodes.is_chunk_name(name)]
    inside = [name for name in below if name.rpartition("/")[2] in nodes.NODE_NAMES]
    doubtful = [name for name in chunks if name[0] != "c"] + inside
    if doubtful:
        raise NodeExistsError(
            f"{nodes.label('array', path)}: expected nothing in {store!r} that the new array would take for its own, "
            f"found {', '.join(doubtful[:5])}{' and more' * (len(doubtful) > 5)}; overwrite=True deletes what is "
            "Zarr's; try that, or another name",
            path=path,
        )
    return chunks


def clear(store: Store, path: str, keep: Collection[str] = (), only: Collection[str] = ()) -> None:
    """Delete all that lies below `path` but the names in `keep` and what is unfinished there; documents first.

    With `only`, nothing but what has one of these names.

    It counts afterwards: where others add or delete at the same time it tries again, and says in the end if keys
    are left.
    """
    for attempt in range(_ATTEMPTS):
        folders, own = _there(store, path, keep, only)
        keys = own + _inside(store, folders)
        if not keys and (attempt or not folders):  # folders without keys: some servers show them for minutes
            return
        time.sleep(jitter(0, 0.01 * 2**attempt) if attempt else 0)
        store.delete_keys(sorted(filter(nodes.is_document, keys), key=nodes.going_order))
        for folder in folders:
            store.delete_prefix(folder)
        store.delete_keys([key for key in own if not nodes.is_document(key)])
    left = _inside(store, folders) + own
    raise StoreError(
        f"{_where(path)} in {store!r}: expected to delete all that lies there, found {len(left)} keys left after "
        f"{_ATTEMPTS} attempts, {', '.join(left[:3])}; does somebody write there? Try again when that is done",
        path=path,
    )


def _there(store: Store, path: str, keep: Collection[str], only: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the folders and the keys at `path` that go."""
    names = [name for name in store.list_dir(path) if name not in keep and name != _FOLDER]
    names = [name for name in names if not only or name.rstrip("/") in only]
    folders = [nodes.join(path, name[:-1]) for name in names if name.endswith("/")]
    return folders, [nodes.join(path, name) for name in names if not name.endswith("/")]


def _inside(store: Store, folders: list[str]) -> list[str]:
    return [key for folder in folders for key in store.list_prefix(folder)]


def _where(path: str) -> str:
    return repr(path) if path else "the root"


# --- making


class Replacement:
    """``with Replacement(...) as place:`` write chunks below `place.path`; leaving the block makes them the node.

    `documents` are those of all nodes that are made, by their keys, in the order in which they become visible: the
    node's own last. An error in the block takes back what was written; with `staged` the old node is then as it was.
    `only` names what is replaced of a group that is there, where the rest of it stays: its documents, and members.
    `onto_itself` tells whether what is written is made from what lies at the path, and would be another a second time.
    """

    def __init__(
        self,
        store: Store,
        path: str,
        documents: Mapping[str, bytes],
        action: str,
        *,
        kind: str = "array",
        overwrite: bool | str = False,
        staged: bool = False,
        found: Survey | None = None,
        about: str = "",
        what: str = "",
        only: tuple[str, ...] = (),
        within: bool = False,
        up: int = 0,
        onto_itself: Callable[[], bool] = bool,
    ) -> None:
        self.store, self.node, self.documents = store, path, dict(documents)
        self.zarr_format = 3 if any(key.endswith("zarr.json") for key in documents) else 2
        self.found = survey(store, path, kind, overwrite) if found is None else found
        self.kind, self.staged = kind, staged and self.found.kind is not None
        self.path = nodes.join(path, nodes.STAGED) if self.staged else path  # where chunks are written meanwhile
        # `about` is what it is made from, where its documents do not say that; `what` is the hash of more than them
        what, keep = what or fingerprint(documents, about), self.found.keep
        self.mark = Mark(action, what, {}, 0.0, staged=self.staged, keep=keep, only=only, up=up)
        self._onto_itself = onto_itself
        self.within = within  # whether the caller sees to the groups above, so that they are not made here
        self.resumes = False  # whether what a killed call has written of the same is kept
        self.keeps = False  # whether an error leaves what was written, and the mark, for a call that resumes it
        self.joined = False  # whether others that are made with it may be seen, so that an error leaves the mark
        self.then: Callable[[], Any] | None = None  # what is done when all is there, before the mark goes

    def __enter__(self) -> Replacement:
        if self.found.mark is not None and self.found.mark.complete:
            self._deal_with(self.found.mark)
        self.mark = self.mark._replace(by=writers.me(), since=time.time())
        try:
            if self.found.mark is not None and not self.resumes:  # before chunks that it tells of, and its mark, go
                self.store.delete(nodes.join(self.node, nodes.JOURNAL))
            _put_mark(self.store, self.node, self.mark, self.kind)
            if self.resumes:
                self.store.delete_keys([] if self.staged else self.documents)  # attributes, where the last one is not
                return self
            if self.found.kind is None:
                self._check_free()
            if self.staged or self.found.mark is not None:
                self.store.delete_prefix(nodes.join(self.node, nodes.STAGED))
            if not self.staged:
                self._make_way()
        except BaseException:
            self._end()
            raise
        return self

    def _deal_with(self, found: Mark) -> None:
        """Drop what a killed writer had made, where the old one is whole, from which this one may be made; else finish
        it, and do not make the next one from it as from the old one.
        """
        # Documents go first, the own one before the others: where that is there, nothing else is gone.
        if self.staged and found.state == CLEARING and nodes.kind_at(self.store, self.node) is not None:
            _advance(self.store, self.node, found._replace(state=WRITING, documents={}))
            consolidation.renew(self.store, self.node)  # the groups above may have forgotten it
            return
        finish(self.store, self.node)
        if self._onto_itself():
            raise StoreError(
                f"{_where(self.node)} in {self.store!r}: expected a whole {self.kind} to read from and to replace, "
                f"found {found}; all of it had been written, and it is finished now; open it again, and see if there "
                "is anything left to write",
                path=self.node,
            )

    def _check_free(self) -> None:
        """Check again, now that the mark keeps others out: somebody may have made a node since the survey."""
        names = list(self.store.list_dir(self.node))
        if not {*names}.isdisjoint(nodes.NODE_NAMES):
            self.store.delete_prefix(nodes.join(self.node, nodes.UNFINISHED))
            raise _overtaken(self.store, self.node)

    def _make_way(self) -> None:
        if self.found.kind is not None:
            consolidation.forget(self.store, self.node)
        if self.found.kind is not None or self.found.mark is not None:
            clear(self.store, self.node, self.found.keep, self.mark.only)
        elif self.found.dead:
            self.store.delete_keys(self.found.dead)

    def _end(self) -> None:
        writers.end(self.mark.by)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self._publish()
            elif not (self.keeps or self.joined):
                self._withdraw()
        finally:
            self._end()

    def _publish(self) -> None:
        if self.staged:
            self.complete()
            _roll_forward(self.store, self.node, self.mark)
            return
        if self._lost():
            raise StoreError(f"{_where(self.node)} in {self.store!r}: found that somebody took over; try again later")
        known = self.within or self.found.has_group
        top = self.node if known else nodes.create_parents(self.store, self.node, self.zarr_format)
        _write_documents(self.store, self.documents, self.node)
        if self.then is not None:
            self.then()
        alone = self.found.mark is None and not self.keeps
        _tidy(self.store, self.node, _higher(top, self.mark.up), self.zarr_format, alone)

    def complete(self) -> None:
        """Mark a staged node as completely written: from now on anybody can finish it."""
        if self.staged and not self.mark.complete:
            start = len(self.node) + 1 if self.node else 0
            texts = {key[start:]: data.decode("latin-1") for key, data in self.documents.items()}
            was = _digest(self.store, self.node)
            self.mark = _advance(self.store, self.node, self.mark._replace(state=CLEARING, documents=texts, was=was))

    def beat(self) -> None:
        """Renew the mark from time to time: other machines trust it for an hour."""
        self.mark = _beat(self.store, self.node, self.mark)

    def _lost(self) -> bool:
        """Return whether another writer took over because this one was silent for more than an hour."""
        if time.time() - self.mark.since < writers.HOUR / 2:
            return False
        mark = read_mark(self.store, self.node)
        return mark is None or mark.by != self.mark.by

    def _withdraw(self) -> None:
        """Delete what was written, if the store allows it. The mark goes last. It stays if the
        old node is gone, to say why.
        """
        try:
            if self._lost():
                return
            if self.staged:
                self.store.delete_prefix(self.path)
            else:
                clear(self.store, self.node, self.mark.keep, self.mark.only)
            if self.staged or self.found.kind is None:
                self.store.delete_prefix(nodes.join(self.node, nodes.UNFINISHED))
        except Exception:  # the error that brought us here counts; the mark says what is left
            pass


@contextmanager
def together(news: Collection[Replacement]) -> Iterator[None]:
    """``with together(news):`` write the chunks of all; none is seen before all are written, and the mark of the first
    stays until the last one is there.
    """
    with ExitStack() as stack:
        for new in news:
            stack.enter_context(new)
        yield
        many = list(news) if len(news) > 1 else []
        for new in many:
            new.joined = True
        for new in many:
            new.complete()


def make(
    store: Store,
    path: str,
    documents: Mapping[str, bytes],
    action: str,
    *,
    kind: str,
    found: Survey,
    within: bool = False,
    what: str = "",
) -> None:
    """Make a node that has no chunks yet, where `survey` allowed it.

    Where nothing was, and one document says all, no mark is needed. `within`: it is one of many, whose caller has seen
    to the groups above and will tell them (`consolidation.renew`).
    """
    if found.kind is not None or found.mark is not None or found.dead or len(documents) > 1:
        with Replacement(store, path, documents, action, kind=kind, found=found, within=within, what=what):
            return
    zarr_format = 3 if nodes.join(path, "zarr.json") in documents else 2
    top = path if within or found.has_group else nodes.create_parents(store, path, zarr_format)
    _write_documents(store, documents, path)
    mark = read_mark(store, path) if kind == "array" else None
    if mark is not None and not mark.over:  # who put it has looked before our document was there, and writes chunks
        store.delete_keys(documents)
        raise _overtaken(store, path)
    if not within:
        consolidation.renew(store, top, zarr_format, tree=top != path)


def _overtaken(store: Store, path: str) -> NodeExistsError:
    return NodeExistsError(
        f"{_where(path)} in {store!r}: expected nothing at that path, found that somebody else makes a node there at "
        "the same time; try opening it",
        path=path,
    )


def _put_mark(store: Store, path: str, mark: Mark, kind: str) -> None:
    """Put a mark where there is none, or only that of a dead writer. If two try at once, one gets an error."""
    key = nodes.join(path, nodes.MARK)

    def put(old: Any) -> bytes:
        there = None if old is None else _parse(old, key)
        if there is not None and there.by != mark.by and (not there.over or there.complete):
            raise NodeExistsError(
                f"{nodes.label(kind, path)}: expected nobody at work there in {store!r}, found {there}; "
                "try again when that is done",
                path=path,
            )
        adds = mark.adds or mark.only
        if adds and there is not None and there.adds and there.what != mark.what:
            raise NodeExistsError(
                f"{nodes.label(kind, path)}: expected a whole one in {store!r}, to add to it by {mark.action!r}, found "
                f"{there}; repeat that call to finish it, or delete the key {key!r} to leave it as it is",
                path=path,
            )
        return _bytes(mark, key)

    store.update(key, put)


def _advance(store: Store, path: str, mark: Mark, expected: dict[str, Any] | None = None) -> Mark:
    """Replace our own mark, or the `expected` one. Refuse if another writer took over."""
    key = nodes.join(path, nodes.MARK)

    def advance(old: Any) -> bytes:
        there = None if old is None else _parse(old, key)
        if there is None or there.by not in (mark.by, expected):
            raise StoreError(
                f"{_where(path)} in {store!r}: expected the mark of this {mark.action!r}, found "
                f"{there or 'none'}: somebody took over; nothing was replaced",
                path=path,
            )
        return _bytes(mark, key)

    store.update(key, advance)
    return mark


def _beat(store: Store, path: str, mark: Mark) -> Mark:
    """Renew our own mark if it is more than ten minutes old."""
    old = time.time() - mark.since > writers.HOUR / 6
    return _advance(store, path, mark._replace(since=time.time())) if old else mark


def _bytes(mark: Mark, key: str) -> bytes:
    members = {name: value for name, value in mark._asdict().items() if value not in ((), {}, "")}
    if not mark.up:
        del members["up"]
    return dump_json(members, key)


def _roll_forward(store: Store, path: str, mark: Mark) -> None:
    """Finish what is written: delete the old node, move the new one to its place, write its own document last."""
    zarr_format = 3 if any(name.endswith("zarr.json") for name in mark.documents) else 2
    if mark.state == CLEARING:
        consolidation.forget(store, path)
        clear(store, path, mark.keep, mark.only)
        mark = _advance(store, path, mark._replace(state=MOVING))
    store.move_prefix(nodes.join(path, nodes.STAGED), path)
    top = nodes.create_parents(store, path, zarr_format) if mark.documents else path  # nothing follows a deletion
    documents = {nodes.join(path, name): text.encode("latin-1") for name, text in mark.documents.items()}
    _write_documents(store, documents, path, again=True)
    _tidy(store, path, _higher(top, mark.up), zarr_format if mark.documents else None)


def _write_documents(store: Store, documents: Mapping[str, bytes], path: str, again: bool = False) -> None:
    """Write documents where there are none; `again`: a first try may have left some, which may have changed since."""
    for key, data in documents.items():
        if not store.set_if_absent(key, data) and not again:
            raise _overtaken(store, path)


def _higher(path: str, levels: int) -> str:
    """Return the path of the group that lies `levels` above."""
    names = path.split("/") if path else []
    return "/".join(names[: max(len(names) - levels, 0)])


def _tidy(store: Store, path: str, top: str, zarr_format: int | None = None, alone: bool = False) -> None:
    """Update the groups above, from `top` down, and delete the mark; `alone`: nothing lies beside it."""
    consolidation.renew(store, top, zarr_format)
    _unmark(store, path, alone)


def _unmark(store: Store, path: str, alone: bool) -> None:
    if alone and store.conditional:  # a bucket: it has no folder that would stay
        store.delete(nodes.join(path, nodes.MARK))
    else:
        store.delete_prefix(nodes.join(path, nodes.UNFINISHED))


class Removal:
    """``with Removal(...):`` the node is there in the block and deleted when it ends, unless by an error.

    A mark says from the first deletion to the last that what lies there is to go; after `decide` it does so always.
    """

    def __init__(self, store: Store, path: str, action: str, keep: tuple[str, ...] = ()) -> None:
        self.store, self.path = store, path
        self.mark = Mark(action, fingerprint({}, action), {}, 0.0, keep=keep)

    def __enter__(self) -> Removal:
        self.mark = self.mark._replace(by=writers.me(), since=time.time())
        try:
            _put_mark(self.store, self.path, self.mark, "node")
        except BaseException:
            writers.end(self.mark.by)
            raise
        return self

    def decide(self) -> None:
        """Make the deletion final: from now on anyone who finds the mark completes it."""
        if not self.mark.complete:
            was = _digest(self.store, self.path)
            self.mark = _advance(self.store, self.path, self.mark._replace(state=CLEARING, was=was))

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self.decide()
                _roll_forward(self.store, self.path, self.mark)
            elif not self.mark.complete:
                self._withdraw()
        finally:
            writers.end(self.mark.by)

    def _withdraw(self) -> None:
        try:
            self.store.delete_prefix(nodes.join(self.path, nodes.UNFINISHED))
        except Exception:  # the error that brought us here counts; the mark alone does no harm
            pass


class Addition:
    """``with Addition(...):`` nodes are added at a path and below it, each of them whole when it is seen.

    A mark says from the first to the last that there are more to come. An error leaves it and what is there, as a kill
    does: the same call goes on, and one that would add something else is refused. `about` is what they are made from.
    """

    def __init__(self, store: Store, path: str, action: str, about: str) -> None:
        self.store, self.path = store, path
        self.mark = Mark(action, fingerprint({}, about), {}, 0.0, ADDING)

    def __enter__(self) -> Addition:
        dead: tuple[str, ...] = ()
        there = read_mark(self.store, self.path)
        if there is not None and there.adds:
            self.mark = self.mark._replace(keep=there.keep)
        elif nodes.kind_at(self.store, self.path) is None:
            found = survey(self.store, self.path, "group")
            self.mark, dead = self.mark._replace(keep=found.keep), found.dead
        self.mark = self.mark._replace(by=writers.me(), since=time.time())
        try:
            _put_mark(self.store, self.path, self.mark, "group")
            self.store.delete_keys(dead)
        except BaseException:
            writers.end(self.mark.by)
            raise
        return self

    def beat(self) -> None:
        """Renew the mark, as `Replacement.beat` does."""
        self.mark = _beat(self.store, self.path, self.mark)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self.beat()
                _unmark(self.store, self.path, alone=True)
        finally:
            writers.end(self.mark.by)


# --- what killed writers left


def fingerprint(documents: Mapping[str, bytes], about: str = "") -> str:
    """Return a hash of what is made of what: the same for the same call."""
    return hashlib.sha256(repr((sorted(documents.items()), about)).encode()).hexdigest()[:16]


def cut_short(store: Store, path: str, documents: Mapping[str, bytes], about: str = "") -> Survey | None:
    """Return what a killed call left while it made this very node, so that a new call can go on; else None."""
    mark = read_mark(store, path)
    if mark is None or not mark.over or mark.complete or mark.what != fingerprint(documents, about):
        return None
    there = nodes.kind_at(store, path)
    return Survey(there, mark, keep=mark.keep) if mark.staged == (there is not None) else None


def is_made(store: Store, path: str, documents: Mapping[str, bytes], about: str = "") -> bool:
    """Return whether a killed call made this very node, up to the last step, which is `finish`."""
    mark = read_mark(store, path)
    if mark is None or not mark.over or mark.what != fingerprint(documents, about):
        return False
    return mark.complete or (not mark.staged and all(store.get(key) == data for key, data in documents.items()))


def resume(store: Store, path: str, documents: Mapping[str, bytes], about: str = "") -> bool:
    """Finish this very node if a killed call made it up to the last step; return whether it did."""
    made = is_made(store, path, documents, about)
    if made:
        finish(store, path)
    return made


def _digest(store: Store, path: str) -> str:
    """Return a hash of a node's own document, "" if it has none."""
    for name in ("zarr.json", ".zarray", ".zgroup"):
        if (data := nodes.read_document(store, nodes.join(path, name))) is not None:
            return hashlib.sha256(data).hexdigest()[:16]
    return ""


def settle(store: Store, path: str, there: bool) -> bool:
    """Finish what a killed writer left complete, before somebody writes at `path`; return whether it did.

    `there`: a node is there, so that the writer had announced its end and not begun. To look for the mark then is done
    where a request goes nowhere far; elsewhere `finish` sees that the old node's document is another one by now.
    """
    if there and (store.concurrency is not None or not store.exists(nodes.join(path, nodes.MARK))):
        return False
    mark = read_mark(store, path)
    return mark is not None and mark.complete and mark.over and finish(store, path) is not None


def finish(store: Store, path: str, changed: bool = False) -> str | None:
    """Deal with the mark of a dead writer and return what was done, None if there is no mark.

    What was all written is completed. What was not is taken back: chunks that would have replaced others, or those of
    a node that has no document. What was to be added to waits for the call that goes on with it. Refused where the
    writer may be at work; and where the old node is whole and somebody has changed its document (by appending, say)
    since the writer announced that it goes, unless it goes although it is `changed`.
    """
    mark = read_mark(store, path)
    if mark is None or mark.adds:
        return None
    if not mark.over:
        raise StoreError(f"{_where(path)} in {store!r}: found {mark}; try again when that is done", path=path)
    if mark.state == CLEARING and mark.was and not changed and _digest(store, path) not in ("", mark.was):
        key = nodes.join(path, nodes.MARK)
        raise StoreError(
            f"{_where(path)} in {store!r}: expected what was there when {mark} was about to delete it, found that "
            f"somebody has changed it since; delete the key {key!r} to keep it, or delete the node at that path",
            path=path,
        )
    by = writers.me()
    try:
        mark, found = _advance(store, path, mark._replace(by=by, since=time.time()), mark.by), mark
        if mark.complete:
            _roll_forward(store, path, mark)
            return f"completed {found}"
        if nodes.kind_at(store, path) is None:
            clear(store, path, mark.keep, mark.only)
        store.delete_prefix(nodes.join(path, nodes.STAGED))
        _tidy(store, path, _higher(path, mark.up))
        return f"took back {found}"
    finally:
        writers.end(by)
