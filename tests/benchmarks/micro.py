"""The inner loops, one at a time: `python -m tests.benchmarks.micro`. For finding where a slowdown came from.

The table of `run.py` says that something became slower; these cases say which step did. Each is a handful of
microseconds, timed with `timeit`, the best of five: to bisect, run one of them on both sides of a change

    python -m tests.benchmarks.micro --cases 'decode*'

Beside some of them stands the least that it could cost: the codec's or numpy's own function, called by
itself.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import json
import shutil
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tutorial_zarr
from tutorial_zarr import indexing
from tutorial_zarr.metadata import v2, v3

from .arrays import BLOSC_ZSTD, GZIP, ZSTD, field


class Micro(NamedTuple):
    """One inner loop: the work, how many units it does in a call, and what it could cost at least."""

    work: Callable[[], object]
    units: int = 1
    unit: str = "call"
    least: Callable[[], object] | None = None


def cases(folder: Path) -> dict[str, Micro]:
    """All micro-cases, on arrays made for them in `folder`."""
    values = field((64, 64, 64))
    made = {}
    for name, compressor in (("raw", None), ("blosc", BLOSC_ZSTD), ("zstd", ZSTD), ("gzip", GZIP)):
        made[name] = tutorial_zarr.create_array(
            folder / name, shape=(64,) * 3, chunks=(32,) * 3, dtype="u2", compressors=compressor
        )
        made[name][...] = values
    shards = tutorial_zarr.create_array(
        folder / "shards",
        shape=(64,) * 3,
        chunks=(16,) * 3,
        shards=(64,) * 3,
        dtype="u2",
        compressors=BLOSC_ZSTD,
    )
    shards[...] = values
    tiny = tutorial_zarr.create_array(folder / "tiny", shape=(500, 500), chunks=(10, 10), dtype="f4", compressors=None)
    tiny[...] = np.arange(250_000, dtype="f4").reshape(500, 500)

    document = (folder / "blosc" / "zarr.json").read_bytes()
    document_v2 = {
        "zarr_format": 2, "shape": [100, 100], "chunks": [10, 10], "dtype": "<f4", "fill_value": 0,
        "order": "C", "filters": None, "compressor": {"id": "zstd", "level": 3},
    }  # fmt: skip
    coords = list(np.ndindex(20, 20, 20))
    whole = (slice(None),) * 3
    found = {
        "open": Micro(lambda: tutorial_zarr.open_array(folder / "blosc", mode="r")),
        "metadata_v3": Micro(lambda: v3.parse(json.loads(document)), least=lambda: json.loads(document)),
        "metadata_v2": Micro(lambda: v2.parse_array(document_v2, {})),
        "key": Micro(lambda: [tiny.chunk_key(c) for c in itertools.product(range(50), range(50))], 2500, "key"),
        "plan_whole": Micro(lambda: plan(whole, (640,) * 3, (32,) * 3), len(coords), "chunk"),
        "plan_window": Micro(lambda: plan((slice(5, 53),) * 3, (640,) * 3, (32,) * 3), 8, "chunk"),
        "plan_points": Micro(lambda: plan_points(), 1000, "point"),
        "read_tiny": Micro(lambda: tiny[...], 2500, "chunk"),
        "read_point": Micro(lambda: tiny[250, 251]),
        "read_inner": Micro(lambda: shards[...], 64, "chunk"),
        "write_tiny": Micro(lambda: tiny.__setitem__(..., 1.5), 2500, "chunk"),
    }
    for name, array in made.items():
        found[f"decode_{name}"] = decode(array)
        found[f"encode_{name}"] = encode(array)
    return found


def plan(selection: tuple, shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    """Split a basic selection along a regular grid, and step through the chunks that it touches."""
    axes = [tutorial_zarr.chunk_grids.Axis(n, c) for n, c in zip(shape, chunks, strict=True)]
    parts = indexing.basic(selection, shape).split(axes)
    return sum(1 for _ in itertools.product(*parts))


def plan_points() -> int:
    """Split a thousand points along a regular grid."""
    random = np.random.Generator(np.random.PCG64(0))
    points = tuple(random.integers(0, 640, (3, 1000)))
    axes = [tutorial_zarr.chunk_grids.Axis(640, 32)] * 3
    return len(indexing.coordinates(points, (640,) * 3).split(axes)[0])


def decode(array: tutorial_zarr.Array) -> Micro:
    """One chunk from encoded bytes in memory, into scratch."""
    import numcodecs

    pipeline = array.io.pipeline
    encoded = array.encoded_chunk((0, 0, 0))
    scratch = np.empty(32**3 * 2, "u1")
    codec = array.codecs[-1].name
    least = {"blosc": numcodecs.Blosc(), "zstd": numcodecs.Zstd(), "gzip": numcodecs.GZip()}.get(codec)
    return Micro(
        lambda: pipeline.decode(encoded, scratch),
        unit="chunk of 64 KiB",
        least=None if least is None else lambda: least.decode(encoded, scratch),
    )


def encode(array: tutorial_zarr.Array) -> Micro:
    """One contiguous chunk to bytes."""
    pipeline, chunk = array.io.pipeline, array.read_chunk((0, 0, 0))
    return Micro(lambda: pipeline.encode(chunk), unit="chunk of 64 KiB")


def best(work: Callable[[], object]) -> float:
    """Seconds of one call: the best of five runs, each long enough for the clock."""
    timer = timeit.Timer(work)
    number, _ = timer.autorange(lambda n, t: None)
    return min(timer.repeat(5, max(1, number // 2))) / max(1, number // 2)


def main() -> None:
    """Print a table, in microseconds a unit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.micro", description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="*", default=["*"], metavar="PATTERN")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="zarr-benchmarks-"))
    try:
        print(f"{'case':14} {'us':>10} {'least, us':>10}  per")
        for name, micro in cases(folder).items():
            if any(fnmatch.fnmatch(name, pattern) for pattern in options.cases):
                least = f"{best(micro.least) / micro.units * 1e6:10.2f}" if micro.least else f"{'-':>10}"
                print(f"{name:14} {best(micro.work) / micro.units * 1e6:10.2f} {least}  {micro.unit}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
