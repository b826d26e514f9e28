"""What a read costs: the requests that each reader makes, and the bytes that it is sent, for six everyday reads.

`run` writes one dataset, serves it from a web server and a bucket that count, and lets each program of
`peers/costs/` make each read, from opening on, with nothing kept from the one before. Every answer is compared with
what was written. Counts depend on no clock, so they are the same each time.

The table of the last run comes with this package as ``costs.json``, and as a page, ``costs.md``. Where another reader
gets by with less than this library, `NOTES` says why; a test holds it to that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import api
from tutorial_zarr.stores import LocalStore, make_store
from tutorial_zarr.words import markdown, size_text

from .counting import CountingServer
from .environments import PEERS, PeerAbsentError, PeerFile
from .process import PeerDied, PeerProcess, PeerSilent

STORED = Path(__file__).with_name("costs.json")
PAGE = Path(__file__).with_name("costs.md")
PROGRAMS = PEERS / "costs"
SHAPE = (64, 256, 256)
CHUNKS, INNER = (16, 64, 64), (16, 32, 32)
SHARDS = (64, 128, 128)
COORDINATES = ["time", "y", "x", "latitude", "longitude", "altitude", "slope", "station", "year", "month"]
Region = list[tuple[int, int]]


class Read(NamedTuple):
    """One of the six."""

    label: str
    nodes: list[str]
    region: Region | None  # of the one node; None where it is only opened, or where all of several nodes is read


READS = {
    "open": Read("open an array", ["chunked"], None),
    "chunk": Read("one chunk", ["chunked"], [(16, 32), (64, 128), (128, 192)]),
    "row": Read("a row of inner chunks in a shard", ["sharded"], [(0, 16), (32, 64), (0, 128)]),
    "column": Read("a column of chunks", ["chunked"], [(0, 64), (100, 101), (200, 201)]),
    "series": Read("a point's series in a shard", ["sharded"], [(0, 64), (100, 101), (200, 201)]),
    "coordinates": Read("ten coordinates of a dataset", COORDINATES, None),
}
PLACES = {"http": "A web server", "s3": "A bucket"}
PAIRS = {"ours in xarray": ("xarray",)}  # who is measured against whom; all others with each other
NOTES = {
    ("ours", "series"): "it makes the fewest requests, and is sent what lies between two chunks of a shard that are "
    "less than 512 KiB apart: that takes no longer than one more request (`Store.request_cost`)",
    (
        "ours",
        "coordinates",
    ): "it makes the fewest requests; the one consolidated document tells of the two large arrays "
    "too, which a reader of single arrays, with a document for each, is not sent",
}
Progress = Callable[[str, int, int], None]


def values() -> dict[str, np.ndarray]:
    """Name -> elements of the arrays of the dataset; the same each time."""
    random = np.random.Generator(np.random.PCG64(26))
    field = np.cumsum(random.integers(-8, 9, SHAPE), axis=0).astype("f4")
    length = dict(zip(("time", "y", "x"), SHAPE, strict=True))
    own = {name: np.arange(n, dtype="f8") for name, n in length.items()}
    two = {name: random.random(SHAPE[1:], "f4") for name in COORDINATES[3:7]}
    one = {name: random.integers(0, 2000, SHAPE[0], "i4") for name in COORDINATES[7:]}
    return {"chunked": field, "sharded": field[::-1].copy(), **own, **two, **one}


def make_dataset(folder: Path) -> dict[str, np.ndarray]:
    """Write the dataset as Zarr 3, consolidated, with names of dimensions; returns its elements."""
    found, store = values(), LocalStore(folder)
    group = api.create_group(store, attributes={"coordinates": " ".join(COORDINATES[3:])})
    axes = {3: ("time", "y", "x"), 2: ("y", "x")}
    for name, data in found.items():
        names = axes.get(data.ndim, (name if name in ("y", "x") else "time",))
        layout: dict[str, Any] = {"chunked": {"chunks": CHUNKS}, "sharded": {"chunks": INNER, "shards": SHARDS}}
        options = layout.get(name, {"chunks": data.shape})
        group.create_array(name, data=data, dimension_names=names, fill_value=-1, **options)
    api.consolidate_metadata(store)
    return found


def digest(found: dict[str, np.ndarray], read: Read) -> str:
    """The digest of what a read must give."""
    if len(read.nodes) == 1 and read.region is None:
        return ""
    region = tuple(slice(*pair) for pair in read.region or ())
    return hashlib.sha256(b"".join(found[name][region or ...].tobytes() for name in read.nodes)).hexdigest()


def run(
    folder: Path, peers: dict[str, PeerFile], bucket: Any = None, here: bool = True, tell: Progress | None = None
) -> dict[str, Any]:
    """Make every read with every reader; returns the content of ``costs.json``.

    folder  an empty one, for the dataset
    bucket  what serves buckets: its `endpoint`, and `options` that may write to ``s3://public``; None for none
    here    use the packages of this environment; if not, each program gets one of its own
    tell    is called with a program's name, how many reads are done, and of how many
    """
    found = make_dataset(folder / "data.zarr")
    sources: dict[str, Path | str] = {"http": folder}
    if bucket is not None:
        store = LocalStore(folder / "data.zarr")
        target = make_store("s3://public/data.zarr", "a", bucket.options)
        for key in store.list_prefix():
            target.set(key, store.get(key))
        sources["s3"] = bucket.endpoint
    data: dict[str, Any] = {"versions": {}, "cells": {place: {} for place in sources}, "absent": {}}
    for name, program in peers.items():
        try:
            with program.process(here=here, seconds=60.0) as process:
                said = process.ask({"op": "capabilities"})
                data["versions"] |= said["versions"]
                jobs = [(place, reader, read) for place in sources for reader in said["readers"] for read in READS]
                for done, (place, reader, read) in enumerate(jobs):
                    cell = _measure(process, place, sources[place], reader, READS[read], digest(found, READS[read]))
                    data["cells"][place].setdefault(reader, {})[read] = cell
                    if tell:
                        tell(name, done + 1, len(jobs))
        except (PeerAbsentError, PeerDied, PeerSilent) as error:
            data["absent"][name] = str(error)
    return data


def _measure(process: PeerProcess, place: str, source: Any, reader: str, read: Read, wanted: str) -> Any:
    """``[requests, bytes]`` of one read; where it failed, why."""
    with CountingServer(source) as server:
        if place == "http":
            where = {"kind": "http", "url": f"{server.url}/data.zarr"}
        else:
            where = {"kind": "s3", "endpoint": server.url, "bucket": "public", "path": "data.zarr"}
        asked = {"op": "cost", "reader": reader, "place": where, "nodes": read.nodes, "region": read.region}
        try:
            reply = process.ask(asked)
        except (PeerDied, PeerSilent) as error:
            return str(error)
        if not reply["ok"]:
            return f"{reply['error']}: {reply['message'].replace(server.url, '')}"[:300]
        if reply["sha256"] != wanted:
            return "expected the elements that were written, found others"
        return [len(server.seen), server.nbytes]


def rivals(cells: dict[str, Any], reader: str) -> list[str]:
    """The readers that one of ours is measured against."""
    apart = {*PAIRS, *(name for pair in PAIRS.values() for name in pair), "ours"}
    return [name for name in cells if (name in PAIRS[reader] if reader in PAIRS else name not in apart)]


def behind(data: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Place, reader of ours, read, and a rival that makes fewer requests, or is sent fewer bytes."""
    for place, cells in data["cells"].items():
        for reader in ("ours", *PAIRS):
            for read, own in cells.get(reader, {}).items():
                for rival in rivals(cells, reader):
                    other = cells[rival].get(read)
                    if isinstance(own, list) and isinstance(other, list) and any(np.less(other, own)):
                        yield place, reader, read, rival


def page(data: dict[str, Any]) -> str:
    """The table as Markdown."""
    array, chunk, inner, shard = (" x ".join(map(str, shape)) for shape in (SHAPE, CHUNKS, INNER, SHARDS))
    about = (
        "Requests, and bytes of the answers, from opening on, with nothing cached. Made by `tutorial-zarr interop "
        "costs`, which serves one dataset from a web server and a bucket that count; every answer was compared with "
        f"what was written. The arrays hold {array} float32 in chunks of {chunk}, or in inner chunks of {inner} in "
        f"shards of {shard}, with zstd. The dataset is consolidated. xarray reads the index coordinates when it opens, "
        "so its two rows are to be compared with each other."
    )
    lines = ["# What a read costs", "", about]
    said: dict[str, list[str]] = {}
    for place, cells in data["cells"].items():
        lines += ["", f"## {PLACES[place]}", "", "| | " + " | ".join(read.label for read in READS.values()) + " |"]
        lines.append("|---" * (len(READS) + 1) + "|")
        for reader, of in cells.items():
            row = [_cell(of.get(read)) for read in READS]
            lines.append(f"| {reader} | " + " | ".join(row) + " |")
            for read, found in of.items():
                if isinstance(found, str):
                    said.setdefault(f"{reader}: {markdown(found, 200)}", []).append(READS[read].label)
    noted = list(dict.fromkeys((reader, read) for _, reader, read, _ in behind(data)))
    if noted:
        lines += ["", "## Where another reader needs less than this library", ""]
        lines += [f"- {reader}, {READS[read].label}: {NOTES.get((reader, read), '')}" for reader, read in noted]
    if said or data["absent"]:
        lines += ["", "## Dashes", ""]
        lines += [f"- {why} ({', '.join(dict.fromkeys(labels))})" for why, labels in said.items()]
        lines += [f"- {name} is absent: {markdown(why, 200)}" for name, why in data["absent"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(data["versions"].items()))
    return "\n".join([*lines, "", f"Versions: {versions}.", ""])


def _cell(found: Any) -> str:
    return f"{found[0]}, {size_text(found[1])}" if isinstance(found, list) else "-"


def write(data: dict[str, Any], folder: Path) -> None:
    """Write ``costs.json`` and ``costs.md`` into a folder."""
    (folder / STORED.name).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (folder / PAGE.name).write_text(page(data), encoding="utf-8")
