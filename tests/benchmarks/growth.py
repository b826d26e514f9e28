"""How time and memory grow: with the size of the array, and with the number of chunks.

Every measurement runs in a process of its own, so that memory which one left behind does not help the next.
Time is the best of three. Peak memory is the kernel's high-water mark (VmHWM), reset after a small warm-up
read, less what the process held at that moment; Linux only.

Run by `python -m tests.benchmarks.run --growth`, or alone: `python -m tests.benchmarks.growth`.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import BLOSC_ZSTD, BLOSCLZ, ArraySpec, field, write_array
from .readers import DEFAULTS, load

SCALES = (1, 4, 16)

# What grows: shapes at the three scales, the array's layout, what is done, and what the time is divided by.
CUBES = [(192, 192, 192), (192, 384, 384), (768, 384, 384)]
PLANES = [(500, 500), (1000, 1000), (2000, 2000)]
STUDIES = {
    "whole read": (CUBES, ArraySpec("", "", (64,) * 3, compressor=BLOSC_ZSTD), "read"),
    "whole write": (CUBES, ArraySpec("", "", (64,) * 3, compressor=BLOSC_ZSTD), "write"),
    "a 64^3 window": (CUBES, ArraySpec("", "", (64,) * 3, compressor=BLOSC_ZSTD), "window"),
    "chunks of 10 x 10, read": (PLANES, ArraySpec("", "", (10, 10)), "read"),
    "chunks of 10 x 10, write": (PLANES, ArraySpec("", "", (10, 10)), "write"),
    "inner chunks of 16^3 in shards, read": (
        [(32, 256, 256), (128, 256, 256), (128, 512, 512)],
        ArraySpec("", "", (16,) * 3, shards=(32, 256, 256), compressor=BLOSCLZ),
        "read",
    ),
}


def memory(name: str) -> int:
    """A line of /proc/self/status, in bytes (VmHWM: the most that was ever resident; VmRSS: what is now)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def operate(reader: Any, array: Any, operation: str, values: np.ndarray | None) -> Any:
    whole = (slice(None),) * len(array.shape)
    if operation == "write":
        return reader.write(array, whole, values)
    return reader.read(array, whole if operation == "read" else tuple(slice(8, 72) for _ in whole))


def measure_here(reader_name: str, path: Path, operation: str) -> dict:
    """One measurement, in this process: the best of three, and the peak of the first."""
    warnings.simplefilter("ignore")
    reader = load(reader_name)
    array = reader.open(path, "r+" if operation == "write" else "r")
    values = field(tuple(array.shape)) if operation == "write" else None
    reader.read(array, tuple(slice(0, 1) for _ in array.shape))
    peak = None
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        result = operate(reader, array, operation, values)
        peak = memory("VmHWM") - before
        del result
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = operate(reader, array, operation, values)
        seconds.append(time.perf_counter() - start)
        del result
    return {"seconds": min(seconds), "peak": peak}


def measure_apart(reader_name: str, path: Path, operation: str) -> dict:
    command = [sys.executable, "-m", "tests.benchmarks.growth", "--one", reader_name, str(path), operation]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    if done.returncode:
        return {"absent": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
    return json.loads(done.stdout)


def measure(readers: list[str], folder: Path) -> list[dict]:
    """A record per study and reader: seconds and peak memory at each scale."""
    records = []
    for what, (shapes, spec, operation) in STUDIES.items():
        found: dict[str, list] = {name: [] for name in readers}
        for shape in shapes:
            path = folder / "growth"
            shutil.rmtree(path, ignore_errors=True)
            write_array(spec, field(shape), path, shape, "u2")
            for name in readers:
                found[name].append(measure_apart(name, path, operation))
            shutil.rmtree(path)
        for name, measured in found.items():
            records.append(record(what, name, measured, shapes, spec, operation))
            print(f"growth: {what}, {name}: {records[-1].get('seconds', 'absent')}", file=sys.stderr)
    return records


def record(what: str, name: str, measured: list[dict], shapes: list, spec: ArraySpec, operation: str) -> dict:
    """Puts three measurements into one line of the table."""
    absent = next((m["absent"] for m in measured if "absent" in m), None)
    if absent:
        return {"what": what, "reader": name, "absent": absent}
    seconds = [m["seconds"] for m in measured]
    chunks = [math.prod(-(-n // min(c, n)) for n, c in zip(s, spec.chunks, strict=True)) for s in shapes]
    nbytes = [2 * (64**3 if operation == "window" else math.prod(s)) for s in shapes]
    # Between the second and the third scale, so that the fixed cost of a call does not count.
    per_chunk = (seconds[2] - seconds[1]) / (chunks[2] - chunks[1]) if operation != "window" else None
    return {
        "what": what,
        "reader": name,
        "scales": SCALES,
        "seconds": seconds,
        "chunks": chunks,
        "result_bytes": nbytes,
        "peak_bytes": [m["peak"] for m in measured],
        "seconds_per_chunk": per_chunk,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__.split("\n")[0])
    parser.add_argument("--readers", default=",".join(DEFAULTS))
    parser.add_argument("--one", nargs=3, metavar=("READER", "PATH", "OPERATION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, path, operation = options.one
        print(json.dumps(measure_here(name, Path(path), operation)))
        return
    from .report import growth_rows, text_table

    folder = Path(tempfile.mkdtemp(prefix="zarr-benchmarks-"))
    try:
        print(text_table(*growth_rows(measure(options.readers.split(","), folder))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
