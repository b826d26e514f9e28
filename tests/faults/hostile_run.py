"""Everything that reads, over a corpus of hostile stores, within limits: ``python -m tests.faults.hostile_run``.

Each store is written into a folder, or a file. Then every act of `ACTS` (readers, reprs, pages, and the commands) meets
it in a process of its own, which may take so much address space beyond what importing took, so many seconds of the
processor, and no network; and no act may wait for what does not come. An act may give a result or an error of ours.
What does anything else, takes longer or dies is printed; the last line has the counts. Linux only: it needs ``fork``,
RLIMIT_AS and RLIMIT_CPU.

The corpus: the bombs, documents and vast arrays of `tests/spec/test_hostile` and `test_hostile_data`, `nasty`,
hierarchies that are deep or wide, sparse files, pipes, files of somebody else; and the stores of `tests/spec` changed
by chance, as many as ``--changed`` says.
"""

import argparse
import contextlib
import gc
import gzip
import io
import json
import math
import os
import random
import resource
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import fuzz_targets
import nasty
import test_hostile_data
from spec import build, test_hostile

import tutorial_zarr as zarr
from tutorial_zarr import cli, convert, doctor, limits, viz
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.stores import make_store

MIB = 1 << 20
SPACE = 256 * MIB  # of addresses beyond the import
SECONDS = 20  # of the processor, for one act: how busy the machine is makes no difference
PATIENCE = 30 * SECONDS  # seconds by the clock: who takes so long waits for something
LIMITS = {"memory_bytes": 32 * MIB, "unsized_bytes": 16 * MIB, "document_bytes": 8 * MIB, "listed_chunks": 1 << 16}
GROUP = {"zarr_format": 3, "node_type": "group"}


# --- the corpus: name -> what writes it into a folder, and returns the place


def _folder(store):
    def write(folder):
        return build.write_folder(store, folder)

    return write


def _sqlite(store):
    def write(folder):
        with make_store(folder / "a.sqlite") as opened:
            for key, value in store.items():
                opened.set(key, value)
        return folder / "a.sqlite"

    return write


def _zip(store):
    def write(folder):
        with zipfile.ZipFile(folder / "a.zip", "w") as file:
            for key, value in store.items():
                file.writestr(key, value)
        return folder / "a.zip"

    return write


def _packed(folder):
    """Twice the blanks that there is space for. They are never in memory: each child would have them as well."""
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("zarr.json", "w") as entry,
    ):
        for _ in range(0, 2 * SPACE, MIB):
            entry.write(b" " * MIB)
    return folder / "a.zip"


def _in_folder(act, store=None):
    def write(folder):
        build.write_folder(store or build.v3([4], [4], "uint8", {"c/0": b"1234"}), folder)
        act(folder)
        return folder

    return write


def _deep(levels, rest="a"):
    path, store = "", {}
    for _ in range(levels):
        store[f"{path}zarr.json"] = json.dumps(GROUP).encode()
        path += rest + "/"
    return store


def _wide(count):
    member = json.loads(build.v3([4], [4], "uint8")["zarr.json"])
    listed = {"kind": "inline", "must_understand": False, "metadata": {f"x{i}": member for i in range(count)}}
    return {"zarr.json": json.dumps({**GROUP, "consolidated_metadata": listed}).encode()}


def _sparse(name):
    return _in_folder(lambda folder: os.truncate(folder / name, 1 << 33))


def _pipe(name):
    def act(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return _in_folder(act)


def _script(*statements):
    def write(folder):
        with sqlite3.connect(folder / "a.sqlite") as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return folder / "a.sqlite"

    return write


def corpus(changed, seed):
    """Pairs (name, write)."""
    collections = {
        "bomb": test_hostile.BOMBS,
        "vast": {**test_hostile.VAST, **test_hostile_data.VAST},
        "document": {name: {"zarr.json": text} for name, (text, _) in test_hostile.DOCUMENTS.items()},
    }
    for kind, found in collections.items():
        for name, store in found.items():
            yield f"{kind} {name}", _folder(store)
    for name, (stored, compressor) in test_hostile_data.with_native_bombs().items():
        for how, store in test_hostile_data.wrappings(stored, compressor):
            yield f"open bomb {name} {how}", _folder(store)
    for zarr_format in (2, 3):
        yield f"nasty {zarr_format}", lambda folder, f=zarr_format: _nasty(folder, f)
    many = {**build.v3([1 << 20], [1], "uint8", {f"c/{i}": b"1" for i in range(2000)})}
    yield "many chunks", _folder(many)
    for levels in (300, 1100):
        yield f"deep {levels} zip", _zip(_deep(levels))
        yield f"deep {levels} folder", _folder(_deep(levels))
        yield f"deep {levels} sqlite", _sqlite(_deep(levels))
    yield "deeper than the limit", _zip(_deep(1700))
    yield "wide", _folder(_wide(10_000))
    yield (
        "many attributes",
        _folder({"zarr.json": json.dumps({**GROUP, "attributes": {f"k{i}": i for i in range(100_000)}}).encode()}),
    )
    yield (
        "a long attribute",
        _folder({"zarr.json": json.dumps({**GROUP, "attributes": {"a": "x" * 7_000_000}}).encode()}),
    )
    yield "a long name", _folder({"zarr.json": json.dumps({**GROUP, "node_type": "x" * 7_000_000}).encode()})
    text = {"fill": "x" * 1_000_000, "codecs": [build.codec("vlen-utf8")]}
    yield "a long text as fill value", _folder(build.v3([1 << 16], [1 << 10], "string", **text))
    text["codecs"] = [build.sharding([1], [build.codec("vlen-utf8")])]
    yield "the same in shards", _folder(build.v3([1 << 22], [1 << 22], "string", **text))
    one = [build.sharding([1], [build.codec("bytes")])]
    yield "an absent shard of many", _folder(build.v3([1 << 24], [1 << 24], "uint8", codecs=one))
    empty = gzip.compress(b"", mtime=0) * 400_000
    yield (
        "joined streams",
        _folder(
            build.v3([4], [4], "uint8", {"c/0": empty}, codecs=[build.codec("bytes"), build.codec("gzip", level=1)])
        ),
    )
    for name in ("zarr.json", "c/0"):
        yield f"sparse {name}", _sparse(name)
        yield f"pipe {name}", _pipe(name)
    yield "a link that leads out", _in_folder(lambda folder: (folder / "c" / "1").symlink_to("/etc/passwd"))
    yield "a circle of links", _in_folder(lambda folder: (folder / "sub").symlink_to(folder), _deep(1))
    yield "packed document", _packed
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT CAST(i AS TEXT) k, x'00' v FROM n"
    yield "a view that never ends", _script(f"CREATE VIEW zarr AS {endless}")
    yield (
        "a table of other values",
        _script("CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB)", "INSERT INTO zarr VALUES ('zarr.json', 'x')"),
    )
    yield (
        "a document of blobs",
        _script(
            "CREATE TABLE zarr (k TEXT PRIMARY KEY, v BLOB)",
            "INSERT INTO zarr VALUES ('zarr.json', zeroblob(200000000))",
        ),
    )
    rng, cases = random.Random(seed), list(fuzz_targets.spec_cases())
    seeds = [bytes(value) for _, case in cases for value in case.store.values()]
    for number in range(changed):
        module, case = rng.choice(cases)
        store = {key: bytes(value) for key, value in case.store.items()}
        for key in rng.sample(sorted(store), min(len(store), rng.choice((1, 1, 2)))):
            store[key] = fuzz_targets.mutate(store[key], rng, seeds)
        yield f"changed {number}: {module} {case.id}", _folder(store)


def _nasty(folder, zarr_format):
    nasty.build(folder / "a.sqlite", zarr_format)
    return folder / "a.sqlite"


# --- the acts


def _nodes(place):
    root = zarr.open(place, mode="r")
    yield root
    if isinstance(root, zarr.Group):
        yield from (node for _, node in root.members(None))


def _read(place, strict=False):
    root = zarr.open(place, mode="r", strict=strict)
    for array in [root] if isinstance(root, zarr.Array) else [a for _, a in root.arrays()]:
        with contextlib.suppress(ZarrError):
            fuzz_targets.look(array)
        with contextlib.suppress(ZarrError):
            array[...]


def _show(place):
    for node in list(_nodes(place))[:50]:
        for text in (repr, lambda n: n._repr_html_(), lambda n: repr(n.info), lambda n: repr(n.attrs)):
            text(node)
    root = zarr.open(place, mode="r")
    if isinstance(root, zarr.Group):
        str(root.tree()), root.tree()._repr_html_()
    else:
        found = viz.anatomy(root, chunk=(0,) * root.ndim)
        str(found), found._repr_html_(), found.picture()
        str(viz.chunk_grid(root))


def _command(*arguments):
    def act(place):
        target = str(Path(place).parent / "target")
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        words = [part.format(store=place, target=target) for part in arguments]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = cli.main(words)
        _remove(target)
        if code not in (0, 1):
            raise AssertionError(f"exit code {code}: {said.buffer.getvalue()[-300:]!r}")

    return act


ACTS = {
    "open": lambda place: zarr.open(place, mode="r"),
    "read": _read,
    "read strictly": lambda place: _read(place, strict=True),
    "members": lambda place: sum(1 for _ in _nodes(place)),
    "show": _show,
    "doctor": lambda place: str(doctor.examine(make_store(place, "r"))),
    "plan of a conversion": lambda place: str(convert.convert(make_store(place, "r"), 2, {}, dry_run=True)),
    "info": _command("info", "{store}"),
    "info --json": _command("info", "{store}", "--json"),
    "tree": _command("tree", "{store}"),
    "tree --json": _command("tree", "{store}", "--json"),
    "doctor --json": _command("doctor", "{store}", "--json"),
    "lint": _command("lint", "{store}"),
    "explain": _command("explain", "{store}"),
    "anatomy": _command("anatomy", "{store}"),
    "copy": _command("copy", "{store}", "{target}"),
    "convert": _command("convert", "{store}", "--to", "3", "--target", "{target}"),
    "rechunk": _command("rechunk", "{store}", "{target}", "--chunks", "2", "--memory", "8 MiB", "--dry-run"),
    "chunks": _command("chunks", "advise", "{store}", "--read", "all 100%: all"),
}


# --- one store in a process of its own


def _no_network(*arguments, **options):
    raise AssertionError("the network was asked for")


def _work(place, names, report):
    """Run acts in this process; tells the parent of each as it begins and as it ends."""
    warnings.simplefilter("ignore")
    socket.socket.connect = socket.getaddrinfo = socket.create_connection = _no_network
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + SPACE, used + SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limits.configure(**LIMITS)
    for name in names:
        taken = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])  # beyond the limit, the system ends this process
        resource.setrlimit(resource.RLIMIT_CPU, (int(taken) + 1 + SECONDS, resource.RLIM_INFINITY))
        os.write(report, f"begin\t{name}\n".encode())
        result = "fine"
        try:
            ACTS[name](str(place))
        except ZarrError as error:
            result, cause = "refused", error
            while cause is not None:
                if isinstance(cause, MemoryError) and not isinstance(cause, ZarrError):
                    result = f"BEYOND\tmemory: {cause} in {error}"
                cause = cause.__cause__
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            where = next(
                (f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames) if "tutorial_zarr" in f.filename), "?"
            )
            result = f"BEYOND\t{type(error).__name__} at {where}: {error}"
        os.write(report, (ascii(f"end\t{result}")[1:-1].replace("\\t", "\t")[:2000] + "\n").encode())


def meet(write, names=tuple(ACTS)):
    """Write a store, and let each act meet it; yields (act, "fine", "refused", or what was wrong)."""
    folder = tempfile.mkdtemp(prefix="hostile")
    try:
        place = Path(folder, "store")
        place.mkdir()
        place = write(place)
        waiting = list(names)
        while waiting:
            for name, result in _one_process(place, waiting):
                waiting.remove(name)
                yield name, result
    finally:
        _remove(folder)


def _remove(folder):
    """Remove a folder that may be deeper than Python's own function can go."""
    subprocess.run(["rm", "-rf", folder], check=True)


def _one_process(place, names):
    """Pairs (act, result) of one process, which ends with an act that takes too long or kills it."""
    read, write = os.pipe()
    gc.collect()
    gc.freeze()  # else the child's first collection would copy all the memory that it shares
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            _work(place, names, write)
        finally:
            os._exit(0)
    gc.unfreeze()
    os.close(write)
    # Until the first act begins there is nothing to lose patience with: on a busy machine it takes what it takes.
    current, rest, deadline = names[0], b"", math.inf
    try:
        while True:
            wait = None if deadline == math.inf else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([read], [], [], wait)
            data = os.read(read, 1 << 16) if ready else b""
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                kind, _, value = line.decode().partition("\t")
                if kind == "begin":
                    current, deadline = value, time.monotonic() + PATIENCE
                else:
                    yield current, value
                    current = None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.close(read)
        _, status = os.waitpid(child, 0)
    if current is not None:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            yield current, f"BEYOND\tmore than {SECONDS} s of the processor"
        elif time.monotonic() >= deadline:
            yield current, f"BEYOND\tmore than {PATIENCE} s by the clock"
        else:
            yield current, f"BEYOND\tthe process died, status {status}"


def run(changed=200, seed=0, only="", say=print):
    """All of the corpus; returns how many stores, acts, and what was beyond."""
    counts, stores, beyond = Counter(), 0, []
    for name, write in corpus(changed, seed):
        if only not in name:
            continue
        stores += 1
        for act, result in meet(write):
            counts[result.partition("\t")[0]] += 1
            if result.startswith("BEYOND"):
                beyond.append((name, act, result.partition("\t")[2]))
                say(f"{name}: {act}: {result.partition(chr(9))[2]}", flush=True)
    say(f"{stores} stores, {sum(counts.values())} acts: {dict(counts)}", flush=True)
    return stores, counts, beyond


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changed", type=int, default=200, help="stores that are changed by chance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="stores whose name contains this")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    return 1 if run(options.changed, options.seed, options.only)[2] else 0


if __name__ == "__main__":
    sys.exit(main())
