"""One chain on one sample: bytes after each stage, whether the values came back, how far off, how fast.

Sizes and errors are facts about the data. Speeds are about this machine at this moment: the best of several rounds
is taken, and no decision here rests on a small difference between two of them.

>>> from tutorial_zarr.labs.compression.chains import Chain
>>> from tutorial_zarr.labs.compression.sample import take
>>> result = measure(Chain(({"name": "gzip", "configuration": {"level": 1}},)), take(np.zeros(5000, "u1") + 7))
>>> result.exact, result.stored < 100, [stage.name for stage in result.stages]
(True, True, ['values', 'bytes', 'gzip 1'])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import parallel
from tutorial_zarr.codecs import ChunkSpec, Pipeline

from .chains import Chain, from_v2, words
from .sample import Sample, digest

Clock = Callable[[], float]
ROUNDS, ENOUGH = 5, 0.2  # decode so often, or until so many seconds are spent


class Stage(NamedTuple):
    """What there is after a codec."""

    name: str
    nbytes: int


class Speed(NamedTuple):
    """Megabytes (10^6) of plain values a second; None where there was nothing to share among threads."""

    encode: float
    decode: float
    encode_threads: float | None
    decode_threads: float | None


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
    plain: float = float("inf")  # at what speed values without a codec are decoded, in MB/s

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
        codec = 1 / self.speed.decode - 1 / self.plain  # what text takes to decode it takes without a codec as well
        if codec <= 0:
            return float("inf") if self.ratio > 1 else 0.0
        return break_even(self.ratio, 1 / codec)


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
    begun = clock()
    encoded = [line.encode(chunk) for line, chunk in zip(lines, sample.chunks, strict=True)]
    encode = clock() - begun
    decode = min(_timed(lambda: _decode(zip(lines, encoded, strict=True)), clock))
    many: tuple[float | None, float | None] = (None, None)
    if workers > 1 and len(lines) > 1:
        with_chunks, with_bytes = list(zip(lines, sample.chunks, strict=True)), list(zip(lines, encoded, strict=True))
        begun = clock()
        parallel.run(_each(lambda pairs: [line.encode(chunk) for line, chunk in pairs]), with_chunks, workers, 1)
        wall = clock() - begun
        many = (wall, min(_timed(lambda: parallel.run(_each(_decode), with_bytes, workers, 1), clock)))
    decoded = [np.asarray(line.decode(data)) for line, data in zip(lines, encoded, strict=True)]
    exact = all(digest(a) == b for a, b in zip(decoded, sample.digests, strict=True))
    error, broken, changed = (0.0, 0, 0.0) if exact else _compare(decoded, sample, chain)
    return Result(
        chain,
        sample.nbytes,
        _stages(lines, sample, encoded),
        exact,
        error,
        broken,
        changed,
        Speed(*(None if s is None else sample.nbytes / 1e6 / max(s, 1e-9) for s in (encode, decode, *many))),  # type: ignore[arg-type]
    )


def _timed(work: Callable[[], Any], clock: Clock) -> Iterator[float]:
    spent = 0.0
    for _ in range(ROUNDS):
        begun = clock()
        work()
        taken = clock() - begun
        spent += taken
        yield taken
        if spent > ENOUGH:
            return


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
        for codec, _ in line.bytes_bytes[:-1]:
            data = codec.encode(data)
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
