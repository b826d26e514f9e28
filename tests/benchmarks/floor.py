"""The floor of each case: the same system calls and codec calls, on all cores, with no format at all.

A plan of a case is made before the clock starts: which files, which byte ranges, which pieces to decode or
to encode. Carrying it out is `open`, `read`, `close` (or `open`, `write`, `close`, `rename`) and the
codec's function, in one contiguous batch per core, into scratch memory that is used again and again.
Nothing is put into its place in an array, no metadata is looked at, no index is computed. A reader cannot
do less, unless it finds a cheaper call:

* windows of an uncompressed chunk: the floor reads the span of bytes from the first to the last wanted
  element;
* gzip: the floor calls the standard library, and there are faster inflaters;
* strings: the floor calls `numcodecs.VLenUTF8`, which makes an object per string.

The second yardstick is one copy of the array into fresh memory, on all cores.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .arrays import ARRAYS, ArraySpec, Size, values_of
from .cases import LATENCY, Case, import_anew, read_requests


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Codec:
    """The compressor of an array, called directly."""

    def __init__(self, spec: ArraySpec, decoded_size: int) -> None:
        import numcodecs
        import numcodecs.blosc

        numcodecs.blosc.use_threads = False
        self.strings = numcodecs.VLenUTF8() if spec.values == "vlen" else None
        self.size = decoded_size
        name = spec.compressor["name"] if spec.compressor else "none"
        settings = spec.compressor["configuration"] if spec.compressor else {}
        if name == "blosc":
            shuffle = ("noshuffle", "shuffle", "bitshuffle").index(settings["shuffle"])
            codec = numcodecs.Blosc(settings["cname"], settings["clevel"], shuffle)
            self.decode, self.encode = codec.decode, codec.encode
        elif name == "zstd" and self.strings:
            codec = numcodecs.Zstd(settings["level"])
            self.decode = lambda data, out: self.strings.decode(codec.decode(data))
            self.encode = lambda array: codec.encode(self.strings.encode(array))
        elif name == "zstd":
            codec = numcodecs.Zstd(settings["level"])
            self.decode, self.encode = codec.decode, codec.encode
        elif name == "gzip":
            self.decode = lambda data, out: zlib.decompress(data, 31, self.size)
            self.encode = lambda array: _gzip(array, settings["level"])
        else:
            self.decode, self.encode = (lambda data, out: None), memoryview


def _gzip(array: np.ndarray, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, 31)
    return compressor.compress(array) + compressor.flush()


@dataclass
class ChunkRead:
    """Ranges of one file to put into a buffer, one after the other, and the pieces of it to decode."""

    path: str
    ranges: list[tuple[int, int]]
    pieces: list[tuple[int, int]]


@dataclass
class ChunkWrite:
    """One file to write: arrays to encode and, for an update of a file that is there, what to read first."""

    path: str
    arrays: list[np.ndarray]
    before: ChunkRead | None = None
    keep: bytes = b""
    """Bytes of a shard that stay: its other chunks and its index."""


@dataclass
class Layout:
    """Where an array's chunks are, worked out from its spec: enough for plans, and no more."""

    spec: ArraySpec
    shape: tuple[int, ...]
    itemsize: int
    folder: Path
    outer: tuple[int, ...] = field(init=False)
    chunks: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.chunks = tuple(map(min, self.spec.chunks, self.shape))
        self.outer = self.spec.shards or self.chunks

    @property
    def chunk_bytes(self) -> int:
        return math.prod(self.chunks) * self.itemsize

    def key(self, coords: tuple[int, ...]) -> str:
        if self.spec.zarr_format == 2:
            return str(self.folder / ".".join(map(str, coords)))
        return str(self.folder / "c" / "/".join(map(str, coords)))

    def touched(self, request: object, edges: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The coordinates of the blocks with these edges that a request needs."""
        if isinstance(request, np.ndarray):  # a mask
            return sorted(set(zip(*(i // e for i, e in zip(request.nonzero(), edges, strict=True)), strict=True)))
        axes = []
        for index, n, edge in zip(request, self.shape, edges, strict=True):
            if isinstance(index, slice):
                start, stop, _ = index.indices(n)
                axes.append(range(start // edge, (stop - 1) // edge + 1))
            else:
                axes.append(np.unique(np.atleast_1d(index) // edge).tolist())
        return list(itertools.product(*axes))

    def shard_index(self, path: str) -> np.ndarray:
        """The (offset, size) of each inner chunk, from the last bytes of a shard (its checksum left out)."""
        per_axis = tuple(o // c for o, c in zip(self.outer, self.chunks, strict=True))
        with open(path, "rb") as file:
            file.seek(-(16 * math.prod(per_axis) + 4), os.SEEK_END)
            return np.frombuffer(file.read(), "<u8", 2 * math.prod(per_axis)).reshape(*per_axis, 2)

    def reads(self, request: object) -> list[ChunkRead]:
        """The reads that answer one request."""
        if self.spec.shards:
            return self._shard_reads(request)
        out = []
        for coords in self.touched(request, self.chunks):
            path = self.key(coords)
            size = os.path.getsize(path)
            if self.spec.compressor is None:
                out.append(ChunkRead(path, [self._raw_span(request, coords)], []))
            else:
                out.append(ChunkRead(path, [(0, size)], [(0, size)]))
        return out

    def _raw_span(self, request: object, coords: tuple[int, ...]) -> tuple[int, int]:
        first, last = 0, 0
        for index, c, edge in zip(request, coords, self.chunks, strict=True):
            start, stop = (index.start or 0, index.stop or math.inf) if isinstance(index, slice) else (index, index + 1)
            first = first * edge + max(start - c * edge, 0)
            last = last * edge + min(stop - c * edge, edge) - 1
        return first * self.itemsize, (last - first + 1) * self.itemsize

    def _shard_reads(self, request: object) -> list[ChunkRead]:
        whole = all(isinstance(i, slice) and i == slice(None) for i in request)
        wanted: dict[tuple, list] = {}
        for coords in self.touched(request, self.chunks):
            shard = tuple(c * e // o for c, e, o in zip(coords, self.chunks, self.outer, strict=True))
            inner = tuple(c % (o // e) for c, e, o in zip(coords, self.chunks, self.outer, strict=True))
            wanted.setdefault(shard, []).append(inner)
        out = []
        for shard, inner in wanted.items():
            path = self.key(shard)
            size, index = os.path.getsize(path), self.shard_index(path)
            places = [tuple(map(int, index[i])) for i in inner]
            if whole:
                out.append(ChunkRead(path, [(0, size)], places))
                continue
            index_size = index.nbytes + 4
            starts = index_size + np.cumsum([0] + [n for _, n in places])
            pieces = [(int(s), n) for s, (_, n) in zip(starts, places, strict=False)]
            out.append(ChunkRead(path, [(size - index_size, index_size), *places], pieces))
        return out

    def block(self, values: np.ndarray, coords: tuple[int, ...], edges: tuple[int, ...]) -> np.ndarray:
        """The values of one chunk, contiguous, full-size also at the array's edge."""
        part = values[tuple(slice(c * e, (c + 1) * e) for c, e in zip(coords, edges, strict=True))]
        if part.shape == edges:
            return np.ascontiguousarray(part)
        out = np.full(edges, "" if values.dtype.kind == "O" else 0, dtype=values.dtype)
        out[tuple(map(slice, part.shape))] = part
        return out

    def writes(self, values: np.ndarray) -> list[ChunkWrite]:
        """The writes of a whole array."""
        out = []
        inner = list(np.ndindex(*(o // c for o, c in zip(self.outer, self.chunks, strict=True))))
        for coords in self.touched((slice(None),) * len(self.shape), self.outer):
            outer = self.block(values, coords, self.outer)
            arrays = [self.block(outer, i, self.chunks) for i in inner] if self.spec.shards else [outer]
            out.append(ChunkWrite(self.key(coords), arrays, keep=bytes(16 * len(inner) + 4 if self.spec.shards else 0)))
        return out

    def updates(self, request: tuple, values: np.ndarray) -> list[ChunkWrite]:
        """The writes that change a part: each chunk is read and decoded first, unless it is covered whole."""
        out = []
        if self.spec.shards:
            for read in self._shard_reads(request):
                keep = Path(read.path).read_bytes()[: -sum(n for _, n in read.pieces)]
                whole = ChunkRead(read.path, [(0, os.path.getsize(read.path))], [])
                arrays = [self.block(values, c, self.chunks) for c in self.touched(request, self.chunks)]
                out.append(ChunkWrite(read.path, arrays, whole, keep))
            return out
        for coords, read in zip(self.touched(request, self.chunks), self.reads(request), strict=True):
            out.append(ChunkWrite(read.path, [self.block(values, coords, self.chunks)], read))
        return out


class Scratch:
    """The memory of one worker: a buffer for encoded and one for decoded bytes, used again and again."""

    def __init__(self, encoded: int, decoded: int) -> None:
        self.encoded = memoryview(aligned(encoded))
        self.decoded = aligned(decoded)


def aligned(nbytes: int) -> np.ndarray:
    """Memory that begins at a multiple of 256 bytes.

    A large array of numpy's begins 16 bytes into a page. Some processors copy to such a place six times slower than
    to any other when the source begins a page, as all files in the page cache do.
    """
    memory = np.empty(nbytes + 256, "u1")
    start = -memory.ctypes.data % 256
    return memory[start : start + nbytes]


def do_reads(reads: list[ChunkRead], codec: Codec, scratch: Scratch) -> None:
    for read in reads:
        file = os.open(read.path, os.O_RDONLY)
        position = 0
        for offset, size in read.ranges:
            os.preadv(file, [scratch.encoded[position : position + size]], offset)
            position += size
        os.close(file)
        for start, size in read.pieces:
            codec.decode(scratch.encoded[start : start + size], scratch.decoded)


def do_writes(writes: list[ChunkWrite], codec: Codec, scratch: Scratch) -> None:
    for write in writes:
        if write.before is not None:
            do_reads([write.before], codec, scratch)
        encoded = [codec.encode(array) for array in write.arrays]
        part = write.path + ".part"
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.writev(file, [*encoded, write.keep] if write.keep else encoded)
        os.close(file)
        os.rename(part, write.path)


class Floor:
    """Carries out a case without a format. Has the same `prepare` as `worker.Session`."""

    label = "floor"

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        self.cores = cores()
        self.pool = ThreadPoolExecutor(self.cores)

    def in_batches(self, work: Callable, tasks: list, codec: Codec, scratches: list[Scratch]) -> None:
        bounds = [len(tasks) * i // self.cores for i in range(self.cores + 1)]
        batches = [tasks[a:b] for a, b in itertools.pairwise(bounds)]
        if len(tasks) < 2:
            work(tasks, codec, scratches[0])
            return
        list(self.pool.map(work, batches, itertools.repeat(codec), scratches))

    def prepare(self, case: Case, target: Path | None) -> Callable[[], object]:
        """The work of one timing, planned."""
        if case.operation == "import":
            return lambda: import_anew("import numpy")
        if case.operation in ("members", "open"):
            document = self.folder / (case.array or "members") / "zarr.json"
            return lambda: json.loads(document.read_bytes())
        if case.operation == "latency":
            pool = ThreadPoolExecutor(case.concurrency)
            return lambda: list(pool.map(time.sleep, [LATENCY] * 200))
        values = values_of(ARRAYS[case.array].values, self.size, self.folder)
        if values.dtype.kind == "T":
            values = values.astype(object)
        layout = Layout(ARRAYS[case.array], values.shape, values.itemsize, target or self.folder / case.array)
        codec = Codec(layout.spec, layout.chunk_bytes)
        requests = read_requests(case, self.size, values.shape)
        # Rounds follow one another; within one, all tasks are free to run at once. Updates need a round per
        # request, because two windows may share a chunk.
        if case.operation == "write":
            rounds, work = [layout.writes(values)], do_writes
        elif case.operation == "update":
            rounds, work = [layout.updates(r, values) for r in requests], do_writes
        else:
            rounds, work = [[t for r in requests for t in layout.reads(r)]], do_reads
        tasks = list(itertools.chain(*rounds))
        reads = [t for t in (tasks if work is do_reads else [t.before for t in tasks]) if t is not None]
        largest = max((sum(n for _, n in r.ranges) for r in reads), default=1)
        scratches = [Scratch(largest, layout.chunk_bytes) for _ in range(self.cores)]
        folders = sorted({os.path.dirname(t.path) for t in tasks}) if case.operation == "write" else []

        def run() -> None:
            for folder in folders:
                os.makedirs(folder, exist_ok=True)
            for independent in rounds:
                self.in_batches(work, independent, codec, scratches)

        return run


class MemoryCopy:
    """One copy of the case's array into fresh memory, on all cores."""

    label = "memory copy"

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        self.cores = cores()
        self.pool = ThreadPoolExecutor(self.cores)

    def prepare(self, case: Case, target: Path | None) -> Callable[[], object] | None:
        if case.requests.__name__ != "everything" or case.operation not in ("read", "write"):
            return None
        values = values_of(ARRAYS[case.array].values, self.size, self.folder)
        if values.dtype.kind == "T":
            return values.copy
        bounds = [len(values) * i // self.cores for i in range(self.cores + 1)]

        def run() -> np.ndarray:
            out = np.empty_like(values)
            slices = itertools.starmap(slice, itertools.pairwise(bounds))
            list(self.pool.map(lambda s: np.copyto(out[s], values[s]), slices))
            return out

        return run
