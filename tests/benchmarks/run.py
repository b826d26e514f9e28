"""Time this library beside its peers, and each of them beside the floor: `python -m tests.benchmarks.run`.

Each reader lives in a process of its own, and only one of them works at a time: in rounds, A B C A B C, so
that whatever else the machine does meets them alike. The figure is the median of at least five rounds after
a warm-up, and the warm-up is where the answer is checked: the time of a wrong answer does not count.

    python -m tests.benchmarks.run --size small                  a quick look at everything
    python -m tests.benchmarks.run --cases 'read_*' 'windows_*'  some rows
    python -m tests.benchmarks.run --json all.json --markdown all.md --figure all.svg

README.md in this folder says how to read the table.
"""

from __future__ import annotations

import argparse
import fnmatch
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from . import report
from .arrays import (
    ARRAYS,
    SIZES,
    Size,
    digest,
    ensure_array,
    ensure_members,
    member_names,
    template_of,
    values_of,
)
from .cases import CASES, LATENCY, Case
from .readers import DEFAULTS, READERS
from .slow_server import serve as serve_slowly
from .worker import serve

YARDSTICKS = ("floor", "copy")


def scratch_folder() -> str | None:
    """Where arrays are written: a file system in memory where there is one, else the temporary folder.

    On a disk, writers are timed less than the disk is: its journal is shared with everything else that
    runs. ext4 also makes creating files many times slower for minutes after other files were deleted near
    by (it steps over inodes that were in use a short while ago), so that each writer would pay for the
    tidying up after the one before.
    """
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and shutil.disk_usage(memory).free > 4 * 2**30 else None


class Worker:
    """The main process's end of one reader's process."""

    def __init__(self, name: str, size: Size, folder: Path, url: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.name = name
        self.connection, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(theirs, name, size.name, folder, url), daemon=True)
        self.process.start()
        theirs.close()
        self.available, about = self._receive()
        self.label, self.version = about if self.available else (name, about)

    def _receive(self) -> tuple[bool, Any]:
        try:
            return self.connection.recv()
        except EOFError:
            self.process.join()
            return False, f"its process ended with exit code {self.process.exitcode}"

    def ask(self, verb: str, case: Case, target: Path | None) -> tuple[bool, Any]:
        """(True, answer), or (False, why not)."""
        try:
            self.connection.send((verb, case.name, target))
        except OSError:
            return False, "its process is gone"
        return self._receive()

    def stop(self) -> None:
        self.connection.close()
        self.process.join(2)
        if self.process.is_alive():  # it is in the middle of something
            self.process.terminate()


class Bench:
    """One run: the data, the workers, and what they said."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.size = SIZES[arguments.size]
        self.folder = folder
        self.scratch = Path(tempfile.mkdtemp(prefix="zarr-benchmarks-", dir=arguments.scratch or scratch_folder()))
        self.repeat, self.cold = arguments.repeat, arguments.cold
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        self.server = spawn.Process(target=serve_slowly, args=(theirs, folder, LATENCY), daemon=True)
        self.server.start()
        url = f"http://127.0.0.1:{ours.recv()}"
        self.workers = [Worker(name, self.size, folder, url) for name in (*arguments.readers, *YARDSTICKS)]
        self.serial = 0

    def stop(self) -> None:
        for worker in self.workers:
            if worker.available:
                worker.stop()
        self.server.terminate()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def target(self, worker: Worker, case: Case) -> Path | None:
        """Where a worker works: the common files, an empty copy for each write, its own copy for updates."""
        if not case.writes:
            return None
        source = template_of(case.array, self.folder) if case.operation == "write" else self.folder / case.array
        self.serial += case.operation == "write"
        target = self.scratch / f"{worker.name}-{case.name}-{self.serial * (case.operation == 'write')}"
        if not target.exists():
            shutil.copytree(source, target)
        return target

    def check(self, worker: Worker, case: Case, expected: str) -> str | None:
        """The warm-up. None where the reader can do it and gives the right answer, else the reason."""
        target = self.target(worker, case)
        done, found = worker.ask("check", case, target)
        if done and case.writes and worker.name not in YARDSTICKS:
            found = self.read_back(case, target)
        if case.operation == "write":
            shutil.rmtree(target, ignore_errors=True)
        if not done:
            return str(found)
        if worker.name not in YARDSTICKS and found != expected:
            return "WRONG: its answer differs from the values that were stored"
        return None

    def read_back(self, case: Case, target: Path) -> str:
        """What zarr-python reads after a write, hashed. Counts bytes too: no one may win by writing less."""
        import zarr

        self.written = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
        with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.FusedCodecPipeline"}):
            return digest([zarr.open_array(target, mode="r")[...]])

    def make_cold(self, path: Path) -> None:
        """Ask the kernel to forget the files, so that the next read goes to the disk."""
        for file in path.rglob("*"):
            if file.is_file():
                handle = os.open(file, os.O_RDONLY)
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)

    def time(self, worker: Worker, case: Case) -> tuple[bool, Any]:
        target = self.target(worker, case)
        if self.cold and case.array and case.operation != "write":
            self.make_cold(target or self.folder / case.array)
        result = worker.ask("time", case, target)
        if case.operation == "write":
            shutil.rmtree(target, ignore_errors=True)
        return result

    def run(self, case: Case) -> dict:
        """One row: for each reader its seconds and what follows from them, or {"absent": reason}."""
        values = None
        if case.operation == "members":
            ensure_members(self.size, self.folder)
        elif case.array:
            ensure_array(case.array, self.size, self.folder)
            values = values_of(ARRAYS[case.array].values, self.size, self.folder)
        expected = digest(case.expected(self.size, values, member_names(self.size)))
        nbytes = 0 if values is None else values.nbytes
        del values
        row: dict[str, dict] = {}
        able = []
        for worker in self.workers:
            reason = self.check(worker, case, expected) if worker.available else worker.version
            row[worker.name] = {"seconds": [], "cpu_seconds": []} if reason is None else {"absent": reason}
            able += [worker] if reason is None else []
            if reason is None and case.writes and worker.name not in YARDSTICKS:
                row[worker.name]["bytes_written"] = self.written
        start = time.perf_counter()
        rounds = 0
        # Short workloads get more rounds: they are cheap, and the clock's share in them is larger.
        while rounds < self.repeat or (rounds < 5 * self.repeat and time.perf_counter() - start < 3):
            rounds += 1
            for worker in list(able):
                done, found = self.time(worker, case)
                if done:
                    row[worker.name]["seconds"].append(found[0])
                    row[worker.name]["cpu_seconds"].append(found[1])
                else:
                    row[worker.name] = {"absent": found}
                    able.remove(worker)
        for worker in able:
            measured = row[worker.name]
            measured["median"], measured["fastest"] = median(measured["seconds"]), min(measured["seconds"])
            measured["cpu"] = mean(measured["cpu_seconds"])
        for target in self.scratch.iterdir():
            shutil.rmtree(target, ignore_errors=True)
        return {
            "label": case.label,
            "group": case.group,
            "array_bytes": nbytes,
            "rounds": rounds,
            "readers": row,
        }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="*", default=["*"], metavar="PATTERN", help="names of cases, with wildcards")
    parser.add_argument("--size", choices=SIZES, default="full", help="small: a 192^3 cube and a tenth of the rest")
    parser.add_argument("--repeat", type=int, default=5, help="rounds at least, after the warm-up (default 5)")
    parser.add_argument("--readers", default=",".join(DEFAULTS), help="comma-separated (default %(default)s)")
    parser.add_argument("--cold", action="store_true", help="drop the files from the page cache before each reading")
    parser.add_argument(
        "--folder", type=Path, help="keep the test data here for the next run (default: a temporary one)"
    )
    parser.add_argument(
        "--scratch", type=Path, help="write here (default: a file system in memory, where there is one)"
    )
    parser.add_argument("--growth", action="store_true", help="also measure time and memory against the array's size")
    parser.add_argument("--json", type=Path, help="write everything that was measured")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    parser.add_argument("--figure", type=Path, help="draw the figure, as .svg or .png")
    parser.add_argument("--list", action="store_true", help="list the cases, and do nothing")
    options = parser.parse_args(arguments)
    options.readers = options.readers.split(",")
    unknown = [name for name in options.readers if name not in READERS]
    if unknown:
        parser.error(f"unknown reader {unknown[0]!r}, choose from {', '.join(READERS)}")
    options.cases = [name for name in CASES if any(fnmatch.fnmatch(name, p) for p in options.cases)]
    if not options.cases:
        parser.error("no case has such a name; --list shows them")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the cases, print a line for each as it is done, and the table at the end."""
    options = parse(arguments)
    if options.list:
        print("\n".join(f"{name:18} {CASES[name].group}: {CASES[name].label}" for name in options.cases))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the folders are removed
    folder = options.folder or Path(tempfile.mkdtemp(prefix="zarr-benchmarks-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder / options.size
    folder.mkdir(exist_ok=True)
    bench = Bench(options, folder)
    try:
        readers = {w.name: {"label": w.label, "version": w.version, "available": w.available} for w in bench.workers}
        machine = report.machine(folder, bench.scratch)
        result = {
            "machine": machine,
            "size": options.size,
            "cold": options.cold,
            "readers": readers,
            "cases": {},
        }
        for name in options.cases:
            print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
            result["cases"][name] = bench.run(CASES[name])
            print(report.one_line(result["cases"][name]), flush=True, file=sys.stderr)
        if options.growth:
            from . import growth

            result["growth"] = growth.measure(options.readers, bench.scratch)
    finally:
        bench.stop()
        if options.folder is None:
            shutil.rmtree(folder.parent, ignore_errors=True)
    report.publish(result, options)


if __name__ == "__main__":
    main()
