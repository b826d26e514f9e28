"""The law of everything that replaces or grows: ``python -m tests.faults.law``.

Each operation of `acts` x each moment at which each fault of `moments` can come x each kind of place. Afterwards the
place holds the old hierarchy, the new one, or a marked one that the same call finishes; never one that a reader takes
for whole with other values. The readers are zarr-python, where it is installed, and a new handle of this library, each
by path and by what the root lists. Then the same call is made again, and must end with the new one, to the byte.

    python -m tests.faults.law --full                        every moment
    python -m tests.faults.law --act append --world folder   some of it, with all that is found printed
    python -m tests.faults.law --full --fault dies --part 3/12   a twelfth of the cases, so that each run ends soon
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import importlib.util
import json
import random
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import parallel
from tutorial_zarr.codecs import compressors
from tutorial_zarr.errors import NodeExistsError, NodeNotFoundError
from tutorial_zarr.stores import MemoryStore, RetryStore, writers

from . import deaths
from .acts import Act, Source, acts, existing
from .moments import FAULTS, Bucket, Folder, Killed, Memory, Moments, OnDisk, SQLite, World, Zip

OF_SOURCES = ("source fails", "source interrupted")
ALL_FAULTS = (*FAULTS, *OF_SOURCES, "encoding fails", "dies")
WORKING = (".unfinished", ".rechunk")  # the folders of what is being made: no reader takes them for nodes


class EncodingError(Exception):
    """A codec that refuses a value."""


# --- what a reader sees


class Node(NamedTuple):
    """An array or a group as a reader sees it; two that show the same are equal, in whatever format and codecs."""

    kind: str
    attributes: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    values: bytes = b""

    @classmethod
    def of(cls, node: Any) -> Node:
        attributes = json.dumps(dict(node.attrs), sort_keys=True)
        if not hasattr(node, "shape"):
            return cls("group", attributes)
        values = np.asarray(node[...])
        return cls(
            "array",
            attributes,
            node.shape,
            str(values.dtype),
            repr(values.tolist()).encode() if values.dtype.kind in "OT" else values.tobytes(),
        )

    def array(self) -> np.ndarray:
        """The elements."""
        if self.dtype == "object" or self.dtype.startswith("String"):
            return np.array(ast.literal_eval(self.values.decode()), object).reshape(self.shape)
        return np.frombuffer(self.values, self.dtype).reshape(self.shape)

    def __str__(self) -> str:
        if self.kind != "array":
            return f"{self.kind} {self.attributes}"
        return f"{self.dtype} {self.shape} {self.array().tolist()} {self.attributes}"


@dataclass
class View:
    """What is in a place: by path and as listed, for each reader."""

    by_path: dict[str, dict[str, Node]] = field(default_factory=dict)
    listed: dict[str, dict[str, Node]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    holes: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)  # path -> (axis, start, stop)

    def same(self, other: View) -> bool:
        return self.by_path == other.by_path and self.listed == other.listed


_views: dict[bytes, View] = {}


def look(content: dict[str, bytes]) -> View:
    """A view of keys and bytes; the same content is looked at once."""
    name = hashlib.sha256(repr(content).encode()).digest()
    if name not in _views:
        _views[name] = _look(content)
    return _views[name]


def _look(content: dict[str, bytes]) -> View:
    view = View(
        marks=sorted({key.split(part)[0] + part for key in content for part in WORKING if part in key.split("/")})
    )
    paths = {key.rpartition("/")[0] for key in content if key.rpartition("/")[2] in ("zarr.json", ".zarray", ".zgroup")}
    for path in sorted(paths):
        if set(path.split("/")) & set(WORKING):
            view.by_path.setdefault("documents", {})[path] = Node("a document that a reader may take for a node", "")
    paths = {path for path in paths if not set(path.split("/")) & set(WORKING)}
    for key, data in content.items():
        if key.rpartition("/")[2] in ("zarr.json", ".zarray") and b"unfinished_writes" in data:
            marks = json.loads(data).get("unfinished_writes", {})  # it may stand in a copy of another's document
            found = [(m["axis"], m["start"], m["stop"]) for m in marks.values() if isinstance(m, dict)]
            if found:
                view.holes[key.rpartition("/")[0]] = found
            view.marks += [f"{key} {hole}" for hole in found]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for reader, opened in _readers(content):
            view.by_path[reader] = {path: _node(partial(opened, path)) for path in sorted(paths)}
            view.listed[reader] = _listed(opened) if "" in paths else {}
    return view


def _readers(content: dict[str, bytes]) -> Iterator[tuple[str, Callable[[str], Any]]]:
    yield "ours", lambda path: zarr.open(MemoryStore(dict(content)), mode="r", path=path)
    with contextlib.suppress(ImportError):
        import zarr as peer
        from zarr.core.buffer import default_buffer_prototype
        from zarr.storage import MemoryStore as PeerStore

        buffer = default_buffer_prototype().buffer
        store = PeerStore({key: buffer.from_bytes(value) for key, value in content.items()}, read_only=True)
        yield "zarr-python", lambda path: peer.open(store, mode="r", path=path or None)


def _node(make: Callable[[], Any]) -> Node:
    try:
        return Node.of(make())
    except Exception as error:  # whatever a reader raises is an error, and no wrong value
        return Node("error", type(error).__name__)


def _listed(opened: Callable[[str], Any]) -> dict[str, Node]:
    try:
        root = opened("")
        return {"": Node.of(root)} | {name: _node(lambda node=node: node) for name, node in root.members(None)}
    except Exception as error:
        return {"": Node("error", type(error).__name__)}


# --- what may be seen


def wrong_in_between(view: View, old: View, new: View, act: Act | None = None) -> list[str]:
    """What a reader takes for whole though it is neither old nor new, after a fault."""
    found, mixed = [f"{path}: a document in a place of work" for path in view.by_path.get("documents", ())], []
    for how in ("by_path", "listed"):
        for reader, nodes in getattr(view, how).items():
            if reader == "documents":
                continue
            before, after = getattr(old, how).get(reader, {}), getattr(new, how).get(reader, {})
            seen = nodes if nodes.get("", Node("", "")).kind != "error" else {}
            for path in sorted({*seen, *(before if nodes is seen else ()), *(after if nodes is seen else ())}):
                now, allowed = seen.get(path), (before.get(path), after.get(path))
                if now in allowed or (now is not None and now.kind == "error") or (now is None and view.marks):
                    continue
                if now is not None and path in view.holes and _with_holes(now, allowed, view.holes[path]):
                    continue
                if now is not None and act is not None and _in_part(now, *allowed, act):
                    continue
                found.append(f"{reader} {how} {path or '/'}: {now}; expected {' or '.join(map(str, allowed))}")
            # An empty group above what was to be made says nothing wrong.
            rest = {p: n for p, n in nodes.items() if p in before or n.kind != "group" or n != after.get(p)}
            if rest != before and nodes != after and not any(node.kind == "error" for node in nodes.values()):
                mixed.append(f"{reader} {how}: neither the old hierarchy nor the new one, and no mark")
    in_part = act is not None and (act.elementwise or act.by_rows)
    return found or ([] if view.marks or in_part else mixed)


def _in_part(now: Node, old: Node | None, new: Node | None, act: Act) -> bool:
    """Whether each element is the old one or the new one, or some rows of a block are there, where an act may do so."""
    if old is None or new is None or not now.kind == old.kind == new.kind == "array":
        return False
    values = now.array()
    if act.by_rows:
        return len(values) >= old.shape[0] and np.array_equal(values, new.array()[: len(values)])
    if not act.elementwise or not now.shape == old.shape == new.shape:
        return False
    return bool(((values == old.array()) | (values == new.array())).all())


def _with_holes(now: Node, allowed: tuple[Node | None, ...], holes: list[tuple[int, int, int]]) -> bool:
    """Whether an array shows an allowed one around the places that its marks name."""
    if now.kind != "array":
        return False
    values = now.array()
    keep = [np.ones(n, bool) for n in values.shape]
    for axis, start, stop in holes:
        keep[axis][start:stop] = False
    for one in allowed:
        if one is not None and one.kind == "array" and len(one.shape) == len(now.shape):
            other = one.array()
            both = tuple(min(a, b) for a, b in zip(values.shape, other.shape, strict=True))
            cut = tuple(slice(n) for n in both)
            mask = np.ix_(*[k[:n] for k, n in zip(keep, both, strict=True)])
            rest = all(not k[n:].any() for k, n in zip(keep, both, strict=True))
            if rest and np.array_equal(values[cut][mask], other[cut][mask]):
                return True
    return False


# --- one combination


@dataclass
class Case:
    """An act in a format, with consolidated metadata or without: what is before, and what is after."""

    act: Act
    zarr_format: int
    consolidated: bool
    old: dict[str, bytes] = field(default_factory=dict)
    new: dict[str, bytes] = field(default_factory=dict)
    moments: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.act.name}, Zarr {self.zarr_format}{', consolidated' if self.consolidated else ''}"


class Found(NamedTuple):
    """A combination, and what is wrong with it."""

    case: str
    world: str
    fault: str
    at: int
    kind: str
    text: str

    def __str__(self) -> str:
        text = re.sub(r"\s+", " ", self.text)[:600]
        return f"{self.kind}: {self.case}, {self.world}, {self.fault} at {self.at}: {text}"


def once(act: Act, store: Any, source: Source, encodes: Callable[[], None]) -> BaseException | None:
    """The call; what it raised."""
    plain = compressors.Gzip.encode

    def encode(codec: Any, data: Any) -> Any:
        if not source.making:
            encodes()
        return plain(codec, data)

    compressors.Gzip.encode = encode  # type: ignore[method-assign]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            act.act(store, source)
    except BaseException as error:
        if isinstance(error, (SystemExit, GeneratorExit)):
            raise
        return error
    finally:
        compressors.Gzip.encode = plain  # type: ignore[method-assign]
    return None


class Encodes:
    """Counts what is encoded; number `at` is refused."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.count = at, 0

    def __call__(self) -> None:
        self.count += 1
        if self.count - 1 == self.at:
            raise EncodingError


def make_case(act: Act, zarr_format: int, consolidated: bool, world: World, folder: Path) -> Case:
    """What is before and after, and how many moments there are, by a run in which nothing goes wrong."""
    case = Case(act, zarr_format, consolidated)
    place = world.make()
    store = world.open(place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        existing(act, store, zarr_format, consolidated)
    store.close()
    case.old = world.dump(place)
    place = world.copy(place)
    own = Path(tempfile.mkdtemp(dir=folder))
    moments, source, encodes = Moments(world.open(place)), Source(own, zarr_format), Encodes()
    error = once(act, moments, source, encodes)
    moments.close()
    if (error is not None) != act.refuses:
        raise AssertionError(
            f"{case.name}: {'expected a refusal' if act.refuses else 'without a fault'}: {error!r}"
        ) from error
    case.new = world.dump(place)
    case.moments = {fault: moments.moments(fault) for fault in FAULTS}
    case.moments |= {**dict.fromkeys(OF_SOURCES, source.blocks), "encoding fails": encodes.count}
    if act.refuses:
        case.moments = {"refused": 1}
    elif isinstance(world, OnDisk) and deaths.possible():
        case.moments["dies"] = _dies(case, world, _filled(world, case.old), Path(tempfile.mkdtemp(dir=folder)), None)
    return case


def _dies(case: Case, world: World, place: Any, own: Path, at: int | None) -> int:
    """Do the act in another process, which dies at a change of a file; how many changes there were."""

    def work() -> None:
        parallel.set_workers(1)  # there are as many changes each time
        error = once(case.act, store := world.open(place), Source(own, case.zarr_format), Encodes())
        store.close()
        if error is not None:
            raise error

    return deaths.die_at(own.parent, at, work) or 0


def wrong_when_nothing_happens(case: Case) -> list[str]:
    """What is wrong with a run without a fault: by what the act says of the elements, and by what is listed."""
    old, new = look(case.old), look(case.new)
    found = [f"a mark is left: {mark}" for mark in new.marks]
    if case.act.refuses:
        return found + ([] if new.same(old) else wrong_in_between(new, old, old) or ["the old one changed"])
    for reader, nodes in new.by_path.items():
        for path, expected in case.act.arrays.items():
            node = nodes.get(path)
            if expected is None:
                found += [] if node is None else [f"{reader} {path}: expected nothing, found {node}"]
            elif (
                node is None
                or node.kind != "array"
                or not (node.shape == expected.shape and np.array_equal(node.array(), expected))
            ):
                found.append(f"{reader} {path}: expected {np.asarray(expected).tolist()}, found {node}")
        for path, node in old.by_path.get(reader, {}).items():
            gone = any(path == p or path.startswith(p + "/") or p.startswith(path + "/") for p in case.act.arrays)
            if not gone and node.kind == "array" and nodes.get(path) is not None and nodes[path].values != node.values:
                found.append(f"{reader} {path}: it was not to be changed")
        by_path = {path: node for path, node in nodes.items() if node.kind != "error"}
        if new.listed.get(reader) != by_path:
            odd = sorted(p for p in {*by_path, *new.listed[reader]} if by_path.get(p) != new.listed[reader].get(p))
            found.append(f"{reader}: what the root lists is not what is there: {odd}")
    return found


def run(case: Case, world: World, fault: str, at: int, folder: Path) -> list[tuple[str, str]]:
    """One combination; pairs (kind, what is wrong)."""
    own = Path(tempfile.mkdtemp(dir=folder))
    place = _filled(world, case.old)
    if fault == "dies":
        _dies(case, world, place, own, at)
        return _judged(case, world, place, own, fault, Killed("by SIGKILL"), True)
    moments = Moments(world.open(place), fault if fault in FAULTS else "", at)
    store: Any = RetryStore(moments, attempts=4, first_wait=1e-5) if fault == "asked again" else moments
    error_of = KeyboardInterrupt if fault == "source interrupted" else None
    source = Source(own, case.zarr_format, at if fault in OF_SOURCES else None, *([error_of] if error_of else []))
    error = once(case.act, store, source, Encodes(at if fault == "encoding fails" else None))
    if isinstance(error, Killed) or (fault == "kill" and moments.fired):
        writers._active.clear()  # they went with their process
        world.crash(place, moments.store)
    else:
        moments.fault = ""
        try:
            store.close()
        except Exception as late:
            error = error or late
    return _judged(case, world, place, own, fault, error, moments.fired or fault not in FAULTS)


def _judged(
    case: Case, world: World, place: Any, own: Path, fault: str, error: BaseException | None, fired: bool
) -> list[tuple[str, str]]:
    """What is wrong after the fault, and, where nothing is, after the same call."""
    problems = judge(case, world.dump(place), fault, error, fired) or again(case, world, place, own, error)
    world.remove(place)
    return problems


def _filled(world: World, content: dict[str, bytes]) -> Any:
    """A new place with keys and bytes."""
    place = world.make()
    world.fill(place, content)
    return place


def judge(
    case: Case, content: dict[str, bytes], fault: str, error: BaseException | None, fired: bool
) -> list[tuple[str, str]]:
    """What is wrong right after the fault."""
    old, new, now = look(case.old), look(case.new), look(content)
    if error is None:
        return [] if now.same(new) else [("silent" if fired else "differs", _differences(now, new))]
    if fault == "asked again":
        return [("told in vain", f"{type(error).__name__}: {error}")]
    texts = wrong_in_between(now, old, new, case.act)[:1]
    problems = [("other values" if "expected" in text else "mixture", text) for text in texts]
    if case.act.refuses and not now.same(old) and not problems:
        problems.append(("old lost", _differences(now, old)))
    return problems


def again(case: Case, world: World, place: Any, own: Path, error: BaseException | None) -> list[tuple[str, str]]:
    """What is wrong when the same call is made again, and nothing happens."""
    act, before, old, new = case.act, look(world.dump(place)), look(case.old), look(case.new)
    store = world.open(place)
    if act.relative:  # what is there is the new one or the old one, once it is opened for writing
        _open_all(store)
        store.close()
        before = look(world.dump(place))
        store = world.open(place)
    done = act.relative and before.same(new) and not before.marks
    second = None if done else once(act, store, Source(own, case.zarr_format), Encodes())
    store.close()
    content = world.dump(place)
    after = look(content)
    if act.refuses:
        return (
            [] if after.same(old) and second is not None else [("old lost", f"{second!r} {_differences(after, old)}")]
        )
    if second is not None and not (act.relative and after.same(new)):  # nor is it changed twice
        if isinstance(second, (NodeExistsError, NodeNotFoundError, KeyError)) and after.same(new):
            return []  # it is done, and the call says so
        return [("does not go on", f"after {error!r} the same call: {type(second).__name__}: {second}")]
    if act.grows and (act.by_rows or not before.same(old)):
        return _grown_again(case, after, error)
    if not after.same(new):
        return [("ends wrong", f"after {error!r}: {_differences(after, new)}")]
    if content.keys() != case.new.keys():
        return [("keys left", f"{sorted(content.keys() ^ case.new.keys())}")]
    odd = sorted(key for key in content if content[key] != case.new[key])
    return [("other bytes", f"{odd}")] if odd and not act.grows else []


def _open_all(store: Any) -> None:
    """Open what is there for writing, which finishes what was all written."""
    with warnings.catch_warnings(), contextlib.suppress(NodeNotFoundError):
        warnings.simplefilter("ignore")
        node = zarr.open(store, mode="r+", use_consolidated=False)
        for path in sorted(
            {key.rpartition("/.unfinished/")[0] for key in store.list_prefix() if "/.unfinished/" in key}
        ):
            zarr.open(store, mode="r+", path=path)
        del node


def _grown_again(case: Case, after: View, error: BaseException | None) -> list[tuple[str, str]]:
    """Blocks that may be there already were added once more: all are there once or twice, around what is marked."""
    found = []
    for reader, nodes in after.by_path.items():
        fits = []
        for path in case.act.grows:
            old, new = (look(content).by_path["ours"][path].array() for content in (case.old, case.new))
            block, node = new[len(old) :], nodes.get(path)
            rows = node.array() if node is not None and node.kind == "array" else old[:0]
            keep = np.ones(len(rows), bool)
            for _, start, stop in after.holes.get(path, ()):
                keep[start:stop] = False
            taken = range(len(block) + 1) if case.act.by_rows else (0, len(block))
            fits.append({n for n in taken if np.array_equal(rows[keep], np.concatenate([old, block[:n], block]))})
        if not set.intersection(*fits):
            shown = {path: str(nodes.get(path)) for path in case.act.grows}
            found.append(("ends wrong", f"{reader}: after {error!r} and again: {shown}, marks {after.holes}"))
    return found


def _differences(now: View, expected: View) -> str:
    lines = []
    for how in ("by_path", "listed"):
        for reader, nodes in getattr(now, how).items():
            other = getattr(expected, how).get(reader, {})
            lines += [
                f"{reader} {how} {path or '/'}: {nodes.get(path)}; expected {other.get(path)}"
                for path in sorted({*nodes, *other})
                if nodes.get(path) != other.get(path)
            ]
    return "; ".join(lines[:4]) + (f"; marks {now.marks}" if now.marks else "")


# --- all of them


def combinations(case: Case, choose: Callable[[int], list[int]]) -> Iterator[tuple[str, int]]:
    """Pairs (fault, moment)."""
    for fault, count in case.moments.items():
        if fault == "full":
            yield from ((fault, count * part // 8) for part in (choose(8) if count else ()))
        else:
            yield from ((fault, at) for at in choose(count))


def every(count: int) -> list[int]:
    """All moments."""
    return list(range(count))


def some(numbers: random.Random, extra: int = 1) -> Callable[[int], list[int]]:
    """The first moment, the last one, and some between."""

    def choose(count: int) -> list[int]:
        return sorted({0, count - 1, *(numbers.randrange(count) for _ in range(extra))}) if count else []

    return choose


def hold(
    world: World,
    folder: Path,
    wanted: list[tuple[Act, int, bool]],
    choose: Callable[[int], list[int]],
    faults: tuple[str, ...] = ALL_FAULTS,
) -> Iterator[tuple[int, list[Found]]]:
    """Try the law; for each case how many combinations there were, and what was found."""
    for act, zarr_format, consolidated in wanted:
        try:
            case = make_case(act, zarr_format, consolidated, world, folder)
        except Exception as error:
            yield (
                1,
                [
                    Found(
                        f"{act.name}, Zarr {zarr_format}",
                        world.name,
                        "none",
                        0,
                        "fails",
                        f"{type(error).__name__}: {error}",
                    )
                ],
            )
            continue
        found = [
            Found(case.name, world.name, "none", 0, "without a fault", text)
            for text in wrong_when_nothing_happens(case)
        ]
        count = 1
        if any("expected" in one.text for one in found):
            yield count, found  # there is nothing to compare with
            continue
        for fault, at in combinations(case, choose):
            if fault not in faults and fault != "refused":
                continue
            count += 1
            found += [
                Found(case.name, world.name, fault, at, *problem) for problem in run(case, world, fault, at, folder)
            ]
        yield count, found


def cases(full: bool) -> list[tuple[Act, int, bool]]:
    """Acts with formats, without consolidated metadata and with."""
    return [
        (act, zarr_format, consolidated)
        for act in acts()
        for zarr_format in act.formats
        for consolidated in (False, True)
        if full or zarr_format == 3 or consolidated or act.formats == (2,)
    ]


def installed(package: str) -> bool:
    """Whether a package is there."""
    return importlib.util.find_spec(package) is not None


def worlds(folder: Path) -> list[World]:
    """Places that need no server."""
    return [Memory(), Folder(folder), SQLite(folder), Zip(folder), *([Bucket()] if installed("obstore") else [])]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every moment, both formats, consolidated and not")
    parser.add_argument("--act", default="", help="acts whose name contains this")
    parser.add_argument("--world", default="", help="places whose name contains this")
    parser.add_argument("--fault", default="", help="faults whose name contains this")
    parser.add_argument("--part", default="1/1", help="of the cases the Kth of N parts, as K/N")
    parser.add_argument("--verbose", action="store_true", help="print all that is found, not the first of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    numbers = random.Random(options.seed)
    part, parts = map(int, options.part.split("/"))
    wanted = [case for case in cases(options.full) if options.act in case[0].name][part - 1 :: parts]
    faults = tuple(fault for fault in ALL_FAULTS if options.fault in fault)
    total, seen, start = 0, Counter(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="law") as name:
        for world in worlds(Path(name)):
            if options.world not in world.name:
                continue
            for count, found in hold(world, Path(name), wanted, every if options.full else some(numbers), faults):
                total += count
                for one in found:
                    kind = (one.kind, one.case.partition(", Zarr")[0], one.fault)
                    seen[kind] += 1
                    if options.verbose or seen[kind] == 1:
                        print(one, flush=True)
    print(f"{total} combinations, {sum(seen.values())} found, {time.monotonic() - start:.0f} s")
    for (kind, act, fault), count in sorted(seen.items()):
        print(f"  {kind}: {act}, {fault}: {count}")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
