"""One chain on one sample: bytes after each stage, whether the values came back, how far off, how fast.

Sizes and errors are facts about the data. Speeds are about this machine at this moment: the best of several rounds
is taken. A busy machine may add half as much again, or more.

>>> from tutorial_zarr.labs.compression.chains import Chain
>>> from tutorial_zarr.labs.compression.sample import take
>>> result = measure(Chain(({"name": "gzip", "configuration": {"level": 1}},)), take(np.zeros(5000, "u1") + 7))
>>> result.exact, result.stored < 100, [stage.name for stage in result.stages]
(True, True, ['values', 'bytes', 'gzip 1'])
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import parallel
from tutorial_zarr.codecs import ChunkSpec, Pipeline
from tutorial_zarr.parallel import ENCODING, SMALL_CHUNK, SMALL_JOB

from .chains import Chain, from_v2, words
from .sample import Sample, digest

Clock = Callable[[], float]
LEAST_ROUNDS, AGREE = 3, 1.1  # do it until so many rounds agree within a factor,
ROUNDS, ENOUGH = 20, 0.2  # or were so many, or took so many seconds
FASTEST = 50_000.0  # MB/s: no memory is as quick, so no element was touched, as without a codec


class Stage(NamedTuple):
    """What there is after a codec."""

    name: str
    nbytes: int


class Speed(NamedTuple):
    """Megabytes (10^6) of plain values a second, with one thread and with several.

    None stands for several where only one was asked for, or where chunks are so small that a read uses only one.
    """

    encode: float
    decode: float
    encode_threads: float | None
    decode_threads: float | None

    def seconds(self, nbytes: int) -> float:
        """How long one thread takes to decode `nbytes` of values."""
        return nbytes / 1e6 / self.decode


@dataclass(frozen=True)
class Result:
    """What became of one chain."""

    chain: Chain
    nbytes: int  # of plain values
    stages: tuple[Stage, ...]
    exact: bool  # every chunk came back with the same hash
    error: float | None  # the largest difference; None where values came back as NaN, or numbers as none
    broken: int  # values that are farther off than was promised
    changed: float  # share of the values that are not the same
    speed: Speed
    plain: Speed | None = None  # of values without a codec; None: they take no time

    @property
    def label(self) -> str:
        """The chain's."""
        return self.chain.label

    @property
    def stored(self) -> int:
        """Bytes after the last stage."""
        return self.stages[-1].nbytes

    @property
    def ratio(self) -> float:
        """How many times smaller the values have become."""
        return self.nbytes / self.stored

    @property
    def holds(self) -> bool:
        """Whether the chain kept what it promised, on every value of the sample."""
        return self.exact if self.chain.promise is None else not self.broken

    @property
    def pays_below(self) -> float:
        """The bandwidth, in MB/s, below which a read by one thread is faster with this chain than without a codec."""
        # What text takes to decode it takes without a codec as well.
        return self._limit(self.speed.seconds(self.nbytes) - self.plain_seconds)

    @property
    def plain_seconds(self) -> float:
        """How long the values take to decode without a codec."""
        return self.plain.seconds(self.nbytes) if self.plain else 0.0

    @property
    def work(self) -> float:
        """Seconds that one thread takes to write the sample and to read it, without the store."""
        return self.nbytes / 1e6 / self.speed.encode + self.speed.seconds(self.nbytes)

    def _limit(self, codec_seconds: float) -> float:
        if codec_seconds <= 0:
            return float("inf") if self.ratio > 1 else 0.0
        return break_even(self.ratio, self.nbytes / 1e6 / codec_seconds)


def break_even(ratio: float, rate: float) -> float:
    """The bandwidth at which fetching stored bytes and unpacking them takes as long as fetching plain ones.

    One MB of values takes ``1 / (ratio * B) + 1 / rate`` seconds against ``1 / B``, so ``B = rate * (1 - 1 / ratio)``.
    Where one chunk is fetched while another is unpacked the limit lies higher, so this errs on the side of caution.

    >>> break_even(4, 800), break_even(0.99, 2000)
    (600.0, 0.0)
    """
    return max(0.0, rate * (1 - 1 / ratio))


def pipelines(chain: Chain, sample: Sample) -> list[Pipeline]:
    """The chain, built and checked for the shape of each chunk, as `create_array` builds it."""
    built: dict[tuple[int, ...], Pipeline] = {}
    metadata = sample.array.metadata
    for chunk in sample.chunks:
        if chunk.shape not in built:
            options: dict[str, Any] = {"zarr_format": sample.zarr_format, "order": sample.array.order}
            if any(entry["name"] == "transpose" for entry in chain.codecs):
                del options["order"]
            options |= chain.options(sample.zarr_format)
            fill = None if metadata.fill_value is None else metadata.fill
            array = zarr.create_array(
                {}, shape=chunk.shape, chunks=chunk.shape, dtype=sample.data_type, fill_value=fill, **options
            )
            spec = ChunkSpec(chunk.shape, sample.data_type, metadata.fill)
            built[chunk.shape] = Pipeline(array.codecs, spec)
    return [built[chunk.shape] for chunk in sample.chunks]


def measure(chain: Chain, sample: Sample, workers: int = 1, clock: Clock = time.perf_counter) -> Result:
    """Encode and decode the sample. Raises what a codec raises that cannot be applied to it."""
    lines = pipelines(chain, sample)
    plain = list(zip(lines, sample.chunks, strict=True))
    encode = _timed(_alone_and_shared(_encode, plain, sample, workers, ENCODING), clock, 1, LEAST_ROUNDS)
    encoded = encode[0].result
    stored = list(zip(lines, encoded, strict=True))
    decode = _timed(_alone_and_shared(_decode, stored, sample, workers, 1), clock, LEAST_ROUNDS, ROUNDS)
    decoded = [np.asarray(line.decode(data)) for line, data in zip(lines, encoded, strict=True)]
    exact = all(digest(a) == b for a, b in zip(decoded, sample.digests, strict=True))
    error, broken, changed = (0.0, 0, 0.0) if exact else _compare(decoded, sample, chain)
    (write, *writes), (read, *reads) = (
        [job.often * sample.nbytes / 1e6 / job.best for job in jobs] for jobs in (encode, decode)
    )
    return Result(
        chain,
        sample.nbytes,
        _stages(lines, sample, encoded),
        exact,
        error,
        broken,
        changed,
        Speed(write, read, writes[0] if writes else None, reads[0] if reads else None),
    )


def shares(chunks: int, nbytes: int, workers: int) -> int:
    """How often threads go through the sample: until a read would use threads, and each has as many chunks.

    >>> shares(4, 4 << 20, workers=2), shares(1, 4 << 20, workers=2), shares(3, 4 << 20, 2), shares(2, 1 << 18, 2)
    (1, 2, 2, 6)
    """
    often = -(-SMALL_JOB // nbytes)
    even = 1 if often * chunks >= 4 * workers else workers // math.gcd(chunks, workers)
    return -(-often // even) * even


@dataclass
class _Job:
    """Work on the whole sample, `often` times; and how long each round of it took."""

    work: Callable[[], Any]
    often: int
    taken: list[float] = field(default_factory=list)
    result: Any = None

    @property
    def best(self) -> float:
        return max(min(self.taken), 1e-9)


def _alone_and_shared(
    work: Callable[[Any], Any], pairs: list[tuple[Pipeline, Any]], sample: Sample, workers: int, cost: int
) -> list[_Job]:
    """The work by one thread; and by several, where there are several and a read or a write would use them."""
    jobs = [_Job(lambda: work(pairs), 1)]
    if workers > 1 and sample.nbytes // len(pairs) >= SMALL_CHUNK:
        often = shares(len(pairs), cost * sample.nbytes, workers)
        batch = max(1, min(64, often * len(pairs) // (4 * workers)))  # as a read has it
        jobs.append(_Job(functools.partial(parallel.run, _each(work), pairs * often, workers, batch), often))
    return jobs


def _timed(jobs: list[_Job], clock: Clock, least: int, most: int) -> list[_Job]:
    """Do the jobs by turns, so that a busy moment is one of all of them, until their times are known."""
    rounds, spent = 0, 0.0
    while rounds < least or (rounds < most and spent < ENOUGH and not all(_settled(job.taken) for job in jobs)):
        rounds += 1
        for job in jobs:
            begun = clock()
            job.result = job.work()
            job.taken.append(clock() - begun)
            spent += job.taken[-1] / len(jobs)
    return jobs


def _settled(taken: list[float]) -> bool:
    return len(taken) >= LEAST_ROUNDS and sorted(taken)[LEAST_ROUNDS - 1] <= AGREE * min(taken)


def _encode(pairs: Iterable[tuple[Pipeline, Any]]) -> list[Any]:
    return [line.encode(chunk) for line, chunk in pairs]


def _decode(pairs: Iterable[tuple[Pipeline, Any]]) -> None:
    """Decode as a read does: into memory that is used again, where the chain allows it."""
    for line, data in pairs:
        if line.in_place and line.nbytes:
            buffer = parallel.take_buffer(line.nbytes)
            line.decode_into(data, buffer[: line.nbytes])
            parallel.give_buffer(buffer)
        else:
            line.decode(data)


def _each(work: Callable[[Iterable[Any]], Any]) -> Any:
    @contextmanager
    def start() -> Iterator[Callable[[Iterable[Any]], Any]]:
        yield work

    return start


def _stages(lines: list[Pipeline], sample: Sample, encoded: list[Any]) -> tuple[Stage, ...]:
    """Bytes after each codec, of all chunks together. What stands behind the last compressor is what is stored."""
    names = ["values", *_names(lines[0])]
    sizes = np.zeros(len(names), np.int64)
    for line, chunk, stored in zip(lines, sample.chunks, encoded, strict=True):
        found, array = [line.nbytes or 0], chunk
        for codec, spec in line.array_array:
            array = codec.encode(array, spec)
            found.append(array.nbytes)
        data = line.array_bytes.encode(array, line.inner_spec)
        found.append(memoryview(data).nbytes)
        for last, _ in line.bytes_bytes[:-1]:
            data = last.encode(data)
            found.append(memoryview(data).nbytes)
        if line.bytes_bytes:
            found.append(memoryview(stored).nbytes)
        sizes += found
    sizes[0] = sample.nbytes
    return tuple(Stage(name, int(size)) for name, size in zip(names, sizes, strict=True))


def _names(line: Pipeline) -> list[str]:
    """The codecs of a pipeline in words; of a v2 chain the filters, which are one step, together."""
    found = []
    for codec in line.codecs:
        if codec.name == "v2_filters":
            filters = [words(from_v2(each)) for each in codec.configuration["filters"]]
            found.append(" + ".join(filters) or "bytes")
        elif codec.name == "bytes":
            found.append("bytes")
        else:
            found.append(words({"name": codec.name, "configuration": codec.configuration}))
    return found


def _compare(decoded: list[np.ndarray], sample: Sample, chain: Chain) -> tuple[float | None, int, float]:
    """The largest error, how many values are beyond the promise, and which share has changed."""
    if sample.data_type.numpy.kind not in "iufb":
        return None, sum(chunk.size for chunk in decoded), 1.0
    worst, broken, changed, size = 0.0, 0, 0, 0
    for found, chunk, place in zip(decoded, sample.chunks, sample.places, strict=True):
        inside = tuple(slice(0, s.stop - s.start) for s in place)  # and not what fills a chunk up at the edge
        found, chunk = found[inside], chunk[inside]
        a, b = (np.asarray(x).astype(np.longdouble) for x in (found, chunk))
        limit = np.zeros(()) if chain.promise is None else chain.promise.limit(chunk.astype(np.float64))
        with np.errstate(all="ignore"):
            off = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        lost = ~np.isfinite(off)  # a number became NaN or infinite, or the other way round
        broken += int((lost | (off > limit)).sum())
        changed += int((off != 0).sum())
        size += off.size
        worst = max(worst, float(off[~lost].max(initial=0)), np.inf if lost.any() else 0.0)
    return (worst if np.isfinite(worst) else None), broken, changed / size
