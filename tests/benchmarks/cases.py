"""The workloads: what is done to which array of `arrays.py`, said once for every reader and for the floor.

A case is data, not code: an operation and a list of requests. `worker.py` carries it out with a reader,
`floor.py` with bare system calls and codec calls, and `expected` with numpy, for the check that the answer
is right.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Size

LATENCY = 0.05
"""Seconds that the pretended object store takes for each answer."""


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def everything(size: Size, shape: tuple[int, ...]) -> list[tuple]:
    return [(slice(None),) * len(shape)]


def windows(size: Size, shape: tuple[int, ...]) -> list[tuple]:
    """Sixty cubes of 48^3 at random places."""
    corners = rng(1).integers(0, np.array(shape) - 47, (60, len(shape)))
    return [tuple(slice(int(i), int(i) + 48) for i in corner) for corner in corners]


def points(size: Size, shape: tuple[int, ...]) -> list[tuple]:
    return [tuple(map(int, p)) for p in rng(2).integers(0, shape, (300, len(shape)))]


def planes(size: Size, shape: tuple[int, ...]) -> list[tuple]:
    """Twenty sorted random indices along each axis, and their outer product."""
    random = rng(3)
    return [tuple(np.sort(random.choice(n, 20, replace=False)) for n in shape)]


def column(size: Size, shape: tuple[int, ...]) -> list[tuple]:
    return [(slice(None), shape[1] // 2 + 5, shape[2] // 2 + 7)]


def mask(size: Size, shape: tuple[int, ...]) -> list[np.ndarray]:
    """One element in a hundred, at random."""
    return [rng(4).random(shape, dtype="f4") < 0.01]


def inner_chunks(size: Size, shape: tuple[int, ...], edge: int = 32) -> list[tuple]:
    """Twenty inner chunks of shards, each covered exactly."""
    corners = rng(5).integers(0, np.array(shape) // edge, (20, len(shape))) * edge
    return [tuple(slice(int(i), int(i) + edge) for i in corner) for corner in corners]


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    group: str
    label: str
    operation: str
    """read, oindex, mask, write, update, latency; or members, open, import, which have no requests."""
    array: str = ""
    requests: Callable[[Size, tuple[int, ...]], list] = everything
    loops: int = 1
    """How often the whole is repeated within one timing, where once is too short for the clock."""
    concurrency: int = 0
    """Requests under way at once, for the operation `latency`."""

    @property
    def writes(self) -> bool:
        return self.operation in ("write", "update")

    def values_to_write(self, values: np.ndarray, request: tuple) -> np.ndarray:
        """Writing whole writes the values themselves; an update writes something that is not there yet."""
        return values[request] if self.operation == "write" else 65535 - values[request]

    def expected(self, size: Size, values: np.ndarray | None, names: list[str]) -> list:
        """What a right answer is. For writes: the whole array, as it must read afterwards."""
        if self.operation == "members":
            return [np.array([[100 + i, 100] for i in range(len(names))])]
        if self.operation in ("open", "import"):
            return []
        requests = self.requests(size, values.shape)
        if self.operation == "oindex":
            return [values[np.ix_(*r)] for r in requests]
        if self.writes:
            after = values.copy()
            for request in requests:
                after[request] = self.values_to_write(values, request)
            return [after]
        return [values[r] for r in requests]


def import_anew(statement: str) -> None:
    """Run a statement in a new interpreter, which may keep the bytecode that it compiles for the next one."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)


WHOLE = {
    "raw128": "raw 128^3",
    "blosc128": "blosc 128^3",
    "blosc32": "blosc 32^3",
    "blosczstd64": "blosc zstd 64^3",
    "zstd64": "zstd 64^3",
    "gzip64": "gzip 64^3",
    "sharded": "32^3 in shards of 128^3",
    "v2lz4": "v2, blosc lz4 64^3",
    "tiny": "float32 in 10 x 10 chunks",
}


def all_cases() -> list[Case]:
    cases = [Case(f"read_{name}", "read all", label, "read", name) for name, label in WHOLE.items()]
    partial_reads = [
        ("windows_blosc32", "60 windows of blosc 32^3", "read", "blosc32", windows, 1),
        ("windows_raw128", "60 windows of raw 128^3", "read", "raw128", windows, 1),
        ("windows_sharded", "60 windows of shards", "read", "sharded", windows, 1),
        ("points_tiny", "300 points of 10 x 10 chunks", "read", "tiny", points, 1),
        ("planes_blosc32", "20 x 20 x 20 planes of blosc 32^3", "oindex", "blosc32", planes, 1),
        ("column_raw128", "a column of raw 128^3", "read", "raw128", column, 10),
        ("mask_blosczstd64", "a mask with 1 % set, blosc zstd 64^3", "mask", "blosczstd64", mask, 1),
    ]
    cases += [Case(name, "partial reads", label, *rest) for name, label, *rest in partial_reads]
    cases += [Case(f"write_{name}", "writes", label, "write", name) for name, label in WHOLE.items()]
    cases += [
        Case("update_blosc32", "writes", "60 windows into blosc 32^3", "update", "blosc32", windows),
        Case("update_sharded", "writes", "20 inner chunks of shards", "update", "sharded", inner_chunks),
        Case("read_vlen", "strings", "read, vlen-utf8", "read", "vlen"),
        Case("read_fixed", "strings", "read, fixed length", "read", "fixed"),
        Case("write_vlen", "strings", "write, vlen-utf8", "write", "vlen"),
        Case("write_fixed", "strings", "write, fixed length", "write", "fixed"),
        Case("members", "opening", "every array of a large group, consolidated", "members"),
        Case("open", "opening", "open one array", "open", "zstd64", loops=50),
        Case("import", "opening", "import, in a new process", "import"),
        Case("latency_10", "object store, 50 ms", "200 chunks, 10 at once", "latency", "image", concurrency=10),
        Case("latency_64", "object store, 50 ms", "200 chunks, 64 at once", "latency", "image", concurrency=64),
        Case("public_raw", "public benchmark", "read all, raw 256^3", "read", "public_raw"),
        Case("public_blosc", "public benchmark", "read all, blosc 256^3", "read", "public_blosc"),
        Case(
            "public_sharded",
            "public benchmark",
            "read all, 32^3 in shards of 256^3",
            "read",
            "public_sharded",
        ),
    ]
    return cases


CASES = {case.name: case for case in all_cases()}
GROUPS = list(dict.fromkeys(case.group for case in CASES.values()))


def read_requests(case: Case, size: Size, shape: tuple[int, ...]) -> list:
    """The requests of a case on an array of this shape (none, where the operation takes none)."""
    return case.requests(size, shape) if case.array and case.operation != "open" else []
