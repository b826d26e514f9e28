"""Random histories against a model in NumPy: ``python -m tests.faults.differential --minutes 60``.

A history is a list of steps on a small hierarchy: create, write, resize, append, delete, copy, move, rechunk, convert,
consolidate, attributes. Each step is taken by one of several actors, who keep their handles: two in this process, and
one in another where the store is a file. After each step what it concerns is read and compared; now and then all is, by
new handles and by zarr-python. A history has a number, by which it can be told again; one that fails is made as short
as it still fails.

    python -m tests.faults.differential --history 17       tell one, step by step
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pickle
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import convert
from tutorial_zarr.errors import ConversionError

from .law import look
from .moments import Folder, Memory, SQLite, World, Zip

DTYPES = ["i1", "<i4", ">i4", "<u2", ">f4", "<f8", "?", "<c8", "S3", "<U4", "M8[s]", "str"]
PATHS = ["a", "b", "g/a", "g/b", "g/h/a"]
GROUPS = ["", "g", "g/h"]
STEPS = 40
KINDS = [*["write"] * 6, *["resize", "append", "attribute"] * 2, "create", "delete", "copy", "move", "rechunk", "item"]
KINDS += ["consolidate", "convert", "reopen", "check"]


class Step(NamedTuple):
    """One step: who takes it, what it is, where, and all that it needs besides."""

    actor: int
    kind: str
    path: str = ""
    more: Any = None

    def __str__(self) -> str:
        return f"actor {self.actor}: {self.kind} {self.path or '/'} {self.more if self.more is not None else ''}"


class WrongError(Exception):
    """What was found is not what the model says."""


def values(seed: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Elements by chance, the same for the same seed."""
    raw = np.random.default_rng(seed).integers(1, 100, shape)
    if dtype == "str":
        return np.array([f"t{n}" * (n % 3) for n in raw.ravel().tolist()], object).reshape(shape)
    if np.dtype(dtype).kind in "SU":
        return raw.astype("U2").astype(dtype)
    return raw.astype("i8").astype(dtype)


def world_of(name: str, folder: Path) -> World:
    """A kind of place, by its name."""
    return {"memory": Memory, "folder": Folder, "sqlite": SQLite, "zip": Zip}[name](*[folder] * (name != "memory"))


# --- those who act


class Actor:
    """Takes steps on a place, through handles that it keeps."""

    def __init__(self) -> None:
        self.place: Any = None
        self.nodes: dict[str, Any] = {}

    def go_to(self, world: str, place: Any) -> None:
        """Work on another place, or on this one with new handles."""
        self.leave()
        self.store, self.place, self.nodes = world_of(world, Path()).open(place), place, {}

    def leave(self) -> None:
        if self.place is not None:
            self.store.close()
            self.place = None

    def forget(self, path: str) -> None:
        """What lay there is something else now."""
        self.nodes = {p: node for p, node in self.nodes.items() if p != path and not p.startswith(path + "/")}

    def node(self, path: str) -> Any:
        if path not in self.nodes:
            self.nodes[path] = zarr.open(self.store, mode="r+", path=path, use_consolidated=False)
        return self.nodes[path]

    def take(self, kind: str, path: str, more: Any) -> Any:
        """One step, at what `more` says; returns what was read."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(self, "_" + kind)(path, more)

    def _create(self, path: str, more: dict[str, Any]) -> None:
        options = dict(more)
        data = options.pop("seed")
        if data is not None:
            options["data"] = values(data, options.pop("shape"), options["dtype"])
        zarr.create_array(
            self.store, name=path, **options | {"dtype": str if more["dtype"] == "str" else more["dtype"]}
        )

    def _write(self, path: str, more: Any) -> None:
        selection, value = more
        self.node(path)[selection] = value

    def _shape(self, path: str, more: None) -> tuple[int, ...]:
        return self.node(path).shape

    def _refresh(self, path: str, more: None) -> None:
        self.node(path).refresh()

    def _resize(self, path: str, shape: tuple[int, ...]) -> None:
        self.node(path).resize(shape)

    def _append(self, path: str, more: Any) -> None:
        value, axis = more
        self.node(path).append(value, axis=axis)

    def _read(self, path: str, selection: Any) -> Any:
        array = self.node(path)
        array.refresh()
        return array[selection]

    def _delete(self, path: str, more: None) -> None:
        zarr.delete(self.store, path, dry_run=False)

    def _copy(self, path: str, target: str) -> None:
        zarr.copy(self.node(path), self.store, name=target, if_exists="replace")

    def _move(self, path: str, target: str) -> None:
        zarr.move(self.store, path, target)

    def _rechunk(self, path: str, more: Any) -> None:
        target, chunks, shards = more
        array = zarr.open_array(self.store, mode="r", path=path)
        zarr.rechunk(array, self.store, path=target, chunks=chunks, shards=shards, overwrite=True)

    def _item(self, path: str, target: str) -> None:
        zarr.open_group(self.store, mode="r+", use_consolidated=False)[target] = zarr.open_array(
            self.store, path=path, mode="r"
        )

    def _attribute(self, path: str, more: Any) -> None:
        name, value = more
        attributes = self.node(path).attrs
        if value is None:
            del attributes[name]
        else:
            attributes[name] = value

    def _consolidate(self, path: str, more: None) -> None:
        zarr.consolidate_metadata(self.store)


def serve() -> None:
    """An actor in this process, which takes orders on standard input."""
    actor, out = Actor(), sys.stdout.buffer
    sys.stdout = sys.stderr
    while (order := pickle.load(sys.stdin.buffer)) is not None:
        name, arguments = order
        try:
            answer = (getattr(actor, name)(*arguments), None)
        except Exception as error:
            answer = (None, f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
        pickle.dump(answer, out)
        out.flush()


class Elsewhere:
    """An actor in another process, by the same methods."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.faults.differential", "--serve"]
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            pickle.dump((name, arguments), self.process.stdin)
            self.process.stdin.flush()
            result, error = pickle.load(self.process.stdout)
            if error is not None:
                raise RuntimeError(f"in the other process: {error}")
            return result

        return ask

    def end(self) -> None:
        pickle.dump(None, self.process.stdin)
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


# --- what there should be


class Model:
    """The hierarchy as it should be."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.dtypes: dict[str, str] = {}
        self.attributes: dict[str, dict[str, Any]] = {"": {}}

    def fits(self, step: Step) -> bool:
        """Whether a step can be taken: in a shortened history it may have lost what it needs."""
        if step.kind in ("convert", "consolidate", "reopen", "check"):
            return True
        if step.kind == "create":
            return step.path not in self.attributes or step.more["overwrite"]
        if step.path not in self.attributes or (not step.path and step.kind != "attribute"):
            return False
        if step.kind in ("attribute", "delete"):
            return step.kind != "attribute" or step.more[1] is not None or step.more[0] in self.attributes[step.path]
        if step.kind == "move":
            return step.more not in self.attributes
        array = self.arrays.get(step.path)
        if array is None:
            return False
        if step.kind in ("resize", "append", "rechunk"):
            wanted = (
                len(step.more[1])
                if step.kind == "rechunk"
                else step.more[2]
                if step.kind == "append"
                else len(step.more)
            )
            return array.ndim == wanted
        return step.kind != "write" or len(step.more[0]) == array.ndim

    def below(self, path: str) -> list[str]:
        return [p for p in self.attributes if p == path or p.startswith(path + "/")]

    def remove(self, path: str) -> None:
        for p in self.below(path):
            del self.attributes[p]
            self.arrays.pop(p, None), self.dtypes.pop(p, None)

    def put(self, path: str, array: np.ndarray, dtype: str, attributes: dict[str, Any]) -> None:
        self.remove(path)
        above = path
        while above:
            above = above.rpartition("/")[0]
            self.attributes.setdefault(above, {})
        self.arrays[path], self.dtypes[path], self.attributes[path] = array.copy(), dtype, dict(attributes)


def fill(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """What nobody wrote."""
    return np.full(shape, "", object) if dtype == "str" else np.zeros(shape, dtype)


def equal(found: Any, expected: Any) -> bool:
    """Equality of elements, whatever holds text."""
    found, expected = np.asarray(found), np.asarray(expected)
    return found.shape == expected.shape and found.tolist() == expected.tolist()


# --- a history


def tell(number: int) -> Iterator[Any]:
    """Choose the steps of a history: a generator that is sent the model, and gives a step."""
    rng = np.random.default_rng(number)
    pick = lambda options: options[int(rng.integers(len(options)))]  # noqa: E731
    model = yield {"world": pick(["memory", "folder", "sqlite", "zip"]), "format": pick([2, 3])}
    for count in range(STEPS):
        actor, arrays = int(rng.integers(3)), sorted(model.arrays)
        kinds = KINDS if arrays else ["create"]
        kind = pick(kinds)
        path = pick(arrays) if arrays else ""
        if kind == "create":
            ndim = pick([0, 1, 1, 2, 2, 3])
            chunks = tuple(int(n) for n in rng.integers(1, 5, ndim))
            sharded = ndim and rng.random() < 0.3
            more = {
                "shape": tuple(int(n) for n in rng.integers(0, 9, ndim)),
                "dtype": pick(DTYPES),
                "chunks": chunks,
                "overwrite": bool(rng.random() < 0.5),
                "shards": tuple(2 * c for c in chunks) if sharded else None,
                "seed": pick([None, count]),
                "compressors": pick([None, "auto", {"name": "gzip", "configuration": {"level": 1}}]),
            }
            model = yield Step(actor, kind, pick(PATHS), more)
        elif kind == "write":
            array = model.arrays[path]
            cuts = [sorted(int(n) for n in rng.integers(0, n + 1, 2)) for n in array.shape]
            selection = (
                tuple(slice(a, b, pick([1, 1, 1, 2])) for a, b in cuts)
                if rng.random() < 0.8
                else (slice(None),) * array.ndim
            )
            model = yield Step(actor, kind, path, (selection, count))
        elif kind == "resize":
            model = yield Step(actor, kind, path, tuple(int(n) for n in rng.integers(0, 10, model.arrays[path].ndim)))
        elif kind == "append":
            ndim = model.arrays[path].ndim
            model = (
                yield Step(actor, kind, path, (int(rng.integers(ndim)), int(rng.integers(1, 5)), ndim, count))
                if ndim
                else Step(actor, "check")
            )
        elif kind == "attribute":
            node = pick(sorted(model.attributes))
            model = yield Step(actor, kind, node, (pick("xyz"), pick([None, count, [count, "text"], {"a": count}])))
        elif kind in ("copy", "item", "move"):
            other = pick([p for p in PATHS if p != path])
            model = yield Step(actor, kind, path, other)
        elif kind == "rechunk":
            ndim = model.arrays[path].ndim
            model = yield Step(
                actor,
                kind,
                path,
                (pick([p for p in PATHS if p != path]), tuple(int(n) for n in rng.integers(1, 6, ndim))),
            )
        elif kind == "delete":
            model = yield Step(actor, kind, pick([path, *[g for g in model.attributes if g and g not in model.arrays]]))
        else:
            model = yield Step(actor, kind)


class Telling:
    """A history on its way: a place, those who act there, and the model."""

    def __init__(self, start: dict[str, Any], folder: Path, elsewhere: Elsewhere | None) -> None:
        self.world, self.format = world_of(start["world"], folder), start["format"]
        self.place = self.world.make()
        several = [Actor(), Actor(), elsewhere or Actor()]
        self.actors: list[Any] = {"zip": several[:1], "memory": several[:2]}.get(start["world"], several)
        self.model, self.counts = Model(), Counter()
        store = self.world.open(self.place)
        zarr.create_group(store, zarr_format=self.format)
        store.close()
        self._gather()

    def _gather(self) -> None:
        for actor in self.actors:
            actor.go_to(self.world.name, self.place)

    def end(self) -> None:
        for actor in self.actors:
            actor.leave()
        self.world.remove(self.place)

    def take(self, step: Step) -> None:
        """Take a step, and look at what it concerned."""
        if not self.model.fits(step):
            return
        actor = self.actors[step.actor % len(self.actors)]
        self.counts[step.kind] += 1
        touched = getattr(self, f"_{step.kind}")(actor, step.path, step.more)
        for path in touched or ():
            reader = self.actors[(step.actor + 1) % len(self.actors)]
            if (array := self.model.arrays.get(path)) is not None and not equal(
                found := reader.take("read", path, ...), array
            ):
                raise WrongError(f"{path}: expected {array.tolist()}, found {np.asarray(found).tolist()}")

    def _forget(self, *paths: str) -> None:
        for actor in self.actors:
            for path in paths:
                actor.forget(path)

    def _create(self, actor: Any, path: str, more: dict[str, Any]) -> list[str]:
        dtype, inside = more["dtype"], [p for p in self.model.arrays if path.startswith(p + "/")]
        if inside or (path in self.model.attributes and not more["overwrite"]):
            return []
        options = {k: v for k, v in more.items() if v is not None or k == "seed" or k == "compressors"}
        if self.format == 2:
            options.pop("shards", None)
        actor.take("create", path, options | {"zarr_format": self.format})
        self._forget(path)
        self.model.put(
            path,
            fill(more["shape"], dtype) if more["seed"] is None else values(more["seed"], more["shape"], dtype),
            dtype,
            {},
        )
        return [path]

    def _write(self, actor: Any, path: str, more: Any) -> list[str]:
        selection, seed = more
        array = self.model.arrays[path]
        shape = actor.take("shape", path, None)
        if any(a > b for a, b in zip(shape, array.shape, strict=True)):
            actor.take("refresh", path, None)  # what others cut off is not there to be written
            shape = array.shape
        selection = tuple(slice(*s.indices(n)) for s, n in zip(selection, shape, strict=True))
        target = array[selection or ...]
        value = values(seed, target.shape, self.model.dtypes[path])
        if seed % 3 == 0 and value.size:
            value = value.ravel()[0]
        actor.take("write", path, (selection or ..., value))
        array[selection or ...] = value
        return [path]

    def _resize(self, actor: Any, path: str, shape: tuple[int, ...]) -> list[str]:
        old = self.model.arrays[path]
        actor.take("resize", path, shape)
        new = fill(shape, self.model.dtypes[path])
        shared = tuple(slice(min(pair)) for pair in zip(old.shape, shape, strict=True))
        new[shared] = old[shared]
        self.model.arrays[path] = new
        return [path]

    def _append(self, actor: Any, path: str, more: Any) -> list[str]:
        axis, length, _, seed = more
        old = self.model.arrays[path]
        block = values(
            seed, tuple(length if i == axis else n for i, n in enumerate(old.shape)), self.model.dtypes[path]
        )
        actor.take("append", path, (block, axis))
        self.model.arrays[path] = np.concatenate([old, block], axis)
        return [path]

    def _attribute(self, actor: Any, path: str, more: Any) -> list[str]:
        name, value = more
        actor.take("attribute", path, more)
        if value is None:
            del self.model.attributes[path][name]
        else:
            self.model.attributes[path][name] = value
        return []

    def _delete(self, actor: Any, path: str, more: None) -> list[str]:
        actor.take("delete", path, None)
        self._forget(path)
        self.model.remove(path)
        return []

    def _onto(self, actor: Any, kind: str, path: str, target: str, more: Any) -> list[str]:
        """Put an array in another place, in place of what is there."""
        model = self.model
        if any(target.startswith(p + "/") for p in model.arrays) or path.startswith(target + "/"):
            return []
        actor.take(kind, path, more)
        model.put(target, model.arrays[path], model.dtypes[path], model.attributes[path])
        if kind == "move":
            model.remove(path)
        self._forget(target, path)
        return [target]

    def _copy(self, actor: Any, path: str, target: str) -> list[str]:
        return self._onto(actor, "copy", path, target, target)

    def _move(self, actor: Any, path: str, target: str) -> list[str]:
        return [] if target in self.model.attributes else self._onto(actor, "move", path, target, target)

    def _item(self, actor: Any, path: str, target: str) -> list[str]:
        if target in self.model.attributes and target not in self.model.arrays:
            return []  # a group is not replaced by setting an item
        return self._onto(actor, "item", path, target, target)

    def _rechunk(self, actor: Any, path: str, more: Any) -> list[str]:
        target, chunks = more
        if target in self.model.attributes and target not in self.model.arrays:
            return []
        return self._onto(actor, "rechunk", path, target, (target, chunks, None))

    def _consolidate(self, actor: Any, path: str, more: None) -> list[str]:
        actor.take("consolidate", path, None)
        return []

    def _reopen(self, actor: Any, path: str, more: None) -> list[str]:
        self._gather()
        return sorted(self.model.arrays)

    def _convert(self, actor: Any, path: str, more: None) -> list[str]:
        """The whole hierarchy in the other format, in another place, where the history goes on."""
        for each in self.actors:
            each.leave()
        place = self.world.make()
        source, target = self.world.open(self.place), self.world.open(place)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                convert.convert(source, 5 - self.format, target)
        except ConversionError:
            place = None  # some types and codecs are of one format alone
        finally:
            source.close(), target.close()
        if place is not None:
            self.world.remove(self.place)
            self.place, self.format = place, 5 - self.format
        self._gather()
        return sorted(self.model.arrays)

    def _check(self, actor: Any, path: str, more: None) -> list[str]:
        self.check()
        return sorted(self.model.arrays)

    def check(self) -> None:
        """Compare all, as somebody sees it who comes now."""
        if isinstance(self.world, Zip):
            self._gather()  # what is open becomes readable when it is closed
        view = look(self.world.dump(self.place))
        for how in ("by_path", "listed"):
            for reader, nodes in getattr(view, how).items():
                if nodes.keys() != self.model.attributes.keys():
                    raise WrongError(f"{reader} {how}: expected {sorted(self.model.attributes)}, found {sorted(nodes)}")
                for path, node in nodes.items():
                    self._check_node(f"{reader} {how} {path or '/'}", path, node)
        if view.marks:
            raise WrongError(f"marks are left: {view.marks}")

    def _check_node(self, where: str, path: str, node: Any) -> None:
        if node.kind == "error" or json.loads(node.attributes) != self.model.attributes[path]:
            raise WrongError(
                f"{where}: expected the attributes {self.model.attributes[path]}, found {node.kind} {node.attributes}"
            )
        array = self.model.arrays.get(path)
        if (array is None) != (node.kind == "group"):
            raise WrongError(f"{where}: expected {'a group' if array is None else 'an array'}, found {node.kind}")
        if array is not None and (node.shape != array.shape or not equal(node.array(), array)):
            raise WrongError(f"{where}: expected {array.tolist()}, found {node}")


def run(
    number: int, folder: Path, elsewhere: Elsewhere | None, steps: list[Step] | None = None, say: Any = None
) -> tuple[list[Step], Counter, str]:
    """Tell a history, or some steps of one; the steps that were taken, their counts, and what went wrong."""
    teller = tell(number)
    telling, taken, chosen = Telling(next(teller), folder, elsewhere), [], iter(steps or ())
    try:
        while True:
            try:
                step = teller.send(telling.model) if steps is None else next(chosen)
            except StopIteration:
                telling.check()
                return taken, telling.counts, ""
            taken.append(step)
            if say:
                say(step)
            telling.take(step)
    except Exception as error:
        return taken, telling.counts, f"{type(error).__name__}: {error}"
    finally:
        with contextlib.suppress(Exception):
            telling.end()


def shortened(
    number: int, steps: list[Step], folder: Path, elsewhere: Elsewhere | None, problem: str
) -> tuple[list[Step], str]:
    """The steps of a history that fails, without those that it fails without as well."""
    kind = problem.partition(":")[0]
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            _, _, found = run(number, folder, elsewhere, fewer)
            if found.partition(":")[0] == kind:
                steps, problem = fewer, found
            else:
                at += size
        size //= 2
    return steps, problem


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0, help="the number of the first history, in thousands of millions")
    parser.add_argument("--history", type=int, help="tell this one alone")
    parser.add_argument("--failures", type=int, default=20, help="stop after so many")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    elsewhere, counts, failures, start = Elsewhere(), Counter(), 0, time.monotonic()
    number = options.seed * 1_000_000_000 if options.history is None else options.history
    histories, said = 0, start
    with tempfile.TemporaryDirectory(prefix="differential") as name:
        while failures < options.failures and (time.monotonic() - start < 60 * options.minutes or not histories):
            steps, found, problem = run(
                number, Path(name), elsewhere, say=print if options.history is not None else None
            )
            counts, histories = counts + found, histories + 1
            if problem:
                failures += 1
                steps, problem = shortened(number, steps, Path(name), elsewhere, problem)
                print(f"history {number} ({next(tell(number))}): {problem[:1500]}", *steps, sep="\n    ", flush=True)
            if options.history is not None:
                break
            number += 1
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"{histories} histories, {sum(counts.values())} steps, {failures} failures", flush=True)
    elsewhere.end()
    seconds = time.monotonic() - start
    print(f"{histories} histories, {sum(counts.values())} steps, {failures} failures, {seconds:.0f} s")
    print(dict(sorted(counts.items())))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
