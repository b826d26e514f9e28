"""One process per reader: it prepares, checks and times what the main process in `run.py` tells it to.

A process each, because readers would otherwise share more than the machine: `numcodecs.blosc.use_threads` and
zarr-python's configuration are global, and one library's thread pool would find the cores warm for the next.
"""

from __future__ import annotations

import gc
import resource
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import ARRAYS, SIZES, digest, member_names, values_of
from .cases import CASES, LATENCY, Case, import_anew, read_requests
from .floor import Floor, MemoryCopy
from .readers import Reader, Unsupported, load


class Session:
    """A reader, and the arrays that it works on."""

    def __init__(self, reader: Reader, size_name: str, folder: Path, url: str) -> None:
        self.reader, self.size, self.folder, self.url = reader, SIZES[size_name], folder, url

    def prepare(self, case: Case, target: Path | None) -> Callable[[], list]:
        """Everything that is not to be timed, and then a function that is."""
        reader = self.reader
        if case.operation == "import":
            return lambda: import_anew(reader.import_statement)
        if case.operation == "members":
            names = member_names(self.size)
            return lambda: reader.open_members(self.folder / "members", names)
        path = target or self.folder / case.array
        if case.operation == "open":
            return lambda: [reader.open(path)]
        if case.operation == "latency":
            url = f"{self.url}/{case.array}/"
            array = reader.open_slow(path, url, LATENCY, case.concurrency)
        else:
            array = reader.open(path, "r+" if case.writes else "r")
        requests = read_requests(case, self.size, tuple(array.shape))
        if case.writes:
            values = values_of(ARRAYS[case.array].values, self.size, self.folder)
            parts = [case.values_to_write(values, r) for r in requests]
            return lambda: [reader.write(array, r, p) for r, p in zip(requests, parts, strict=True)]
        method = {"oindex": reader.read_orthogonal, "mask": reader.read_mask}.get(case.operation, reader.read)
        return lambda: [method(array, r) for r in requests]


def answer(case: Case, results: list) -> list:
    """The results as `Case.expected` has them."""
    if case.operation == "members":
        return [np.array(results)]
    return [] if case.operation in ("open", "import") or case.writes else results


def cpu_seconds() -> float:
    """Processor time of this process so far: of all its threads, and of the interpreters that it started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def reason(error: Exception, *folders: Path | None) -> str:
    """One short line that names no folder of this machine."""
    text = str(error) if isinstance(error, Unsupported) else f"{type(error).__name__}: {error}"
    for folder in filter(None, folders):
        text = text.replace(str(folder), "")
    return text.strip(": ").split("\n")[0][:160]


def serve(connection: Connection, name: str, size_name: str, folder: Path, url: str) -> None:
    """The loop of a worker: ("check" | "time", case, target) in, (True, answer) or (False, reason) out."""
    warnings.simplefilter("ignore")
    session: Any
    try:
        if name in ("floor", "copy"):
            session = {"floor": Floor, "copy": MemoryCopy}[name](SIZES[size_name], folder)
            about = (session.label, "")
        else:
            reader = load(name)
            session = Session(reader, size_name, folder, url)
            about = (reader.label, reader.version())
    except ImportError as error:
        connection.send((False, f"not installed ({error})"))
        return
    connection.send((True, about))
    prepared: dict[tuple, Callable[[], Any] | None] = {}
    while True:
        try:
            verb, case_name, target = connection.recv()
        except (EOFError, KeyboardInterrupt):  # the main process is done, or was stopped
            return
        case = CASES[case_name]
        try:
            if (case_name, target) not in prepared:
                prepared.clear()
                prepared[case_name, target] = session.prepare(case, target)
            run = prepared[case_name, target]
            if run is None:
                raise Unsupported("does not apply")
            gc.collect()
            loops = 1 if verb == "check" else case.loops
            cpu, start = cpu_seconds(), time.perf_counter()
            for _ in range(loops):
                results = run()
            seconds = (time.perf_counter() - start) / loops
            cpu = (cpu_seconds() - cpu) / loops
            check = verb == "check" and name not in ("floor", "copy")
            connection.send((True, digest(answer(case, results)) if check else (seconds, cpu)))
            del results
        except Exception as error:  # whatever a reader raises is a dash in the table, with the reason beneath it
            connection.send((False, reason(error, target, folder)))
