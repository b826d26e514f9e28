"""One stored chunk or shard, held against the format: its size, its codecs, and of a shard the index and every chunk.

A shard is not read whole: its index first, then its chunks some megabytes at a time, so that a shard larger than
memory can be examined. Nothing stops at the first fault; what is not named in the outcome decodes.

Leaves out which keys are chunks at all, which is `hierarchy`'s. What no decoder can notice is told by `protected`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import limits, words
from tutorial_zarr.chunk_io import ChunkIO
from tutorial_zarr.chunk_io.shards import ShardSource
from tutorial_zarr.codecs import Codec, Pipeline
from tutorial_zarr.codecs.checksums import Checksum
from tutorial_zarr.codecs.compressors import Bz2, Gzip, Lzma, Zlib, Zstd
from tutorial_zarr.codecs.extensions.numcodecs_filters import JenkinsLookup3
from tutorial_zarr.codecs.sharding import NO_CHUNK, ShardingCodec, ShardLayout
from tutorial_zarr.errors import (
    ChecksumError,
    LimitError,
    MissingDependencyError,
    UnsupportedError,
    ZarrError,
)
from tutorial_zarr.stores import Store

BATCH = 1 << 25  # bytes of inner chunks that are held at once
_SUM_WORDS = ("checksum", "data check", "crc", "hash")  # how decompressors call a sum of their own that differs


class Finding(NamedTuple):
    """A fault in a chunk; the key and the node are known to the caller."""

    rule: str
    problem: str
    inner: tuple[int, ...] | None = None
    evidence: str = ""


@dataclass
class Outcome:
    """What was found at one key."""

    present: int = 0  # chunks, those within a shard counted one by one
    nbytes: int = 0
    unused: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, rule: str, problem: str, inner: tuple[int, ...] | None = None, evidence: str = "") -> None:
        """Note a fault."""
        self.findings.append(Finding(rule, problem, inner, evidence))


def check_chunk(io: ChunkIO, coords: tuple[int, ...]) -> Outcome:
    """Decode everything that is stored for the chunk or shard at `coords`."""
    outcome, key, data = Outcome(), io.key(coords), None
    try:
        pipeline = io.pipeline_at(coords)
        size = io.store.get_size(key)
        if size is None:  # deleted since it was listed, or a link that leads nowhere
            if target := dangling(io.store, key):
                outcome.add("dangling-link", f"expected a value, found a link to {target!r}, where nothing is")
            return outcome
        outcome.nbytes = size
        stored = open_shard(io, key, pipeline, size)
        if stored is not None:
            layout = stored[2]  # codecs before the shard may have turned its axes, so that all of it counts
            with stored[0]:
                _check_shard(outcome, *stored, layout.spec.shape if pipeline.array_array else io.extents(coords))
            if not counts_inner(io):
                outcome.present = 1
            return outcome
        outcome.present = 1
        if pipeline.encoded_size not in (None, size):
            outcome.add(*_wrong_size(size, pipeline.encoded_size, _head(io, key)))
            return outcome
        limits.check_memory(io.label, size + (pipeline.nbytes or 0), "decoding this chunk")
        with io.bounded():
            data = io.store.get(key)
        if data is not None:
            pipeline.decode(data)
    except Exception as error:
        outcome.add(*diagnose(error, _head(io, key) if data is None else data))
    return outcome


def dangling(store: Store, key: str) -> str | None:
    """Where a key leads that is a link to nothing; None where it is none. Only folders have links."""
    if not isinstance(root := getattr(store, "root", None), str):
        return None
    path = os.path.join(root, *key.split("/"))
    return os.readlink(path) if os.path.islink(path) and not os.path.exists(path) else None


def _head(io: ChunkIO, key: str) -> Any:
    """The first bytes of a value, where they can be had."""
    try:
        return io.store.get(key, (0, 1 << 12))
    except (ZarrError, OSError):
        return None


def counts_inner(io: ChunkIO) -> bool:
    """Whether chunks are counted one by one within shards: not where other codecs reshape a shard first."""
    return isinstance(io.pipeline.array_bytes, ShardingCodec) and not io.pipeline.array_array


def open_shard(io: ChunkIO, key: str, pipeline: Pipeline, size: int) -> tuple[ShardSource, int, ShardLayout] | None:
    """The bytes of the shard at `key`, their number, and its layout; None where chunks are not in shards.

    A shard that other codecs wrap is decoded as far as its own bytes.
    """
    codec = pipeline.array_bytes
    if not isinstance(codec, ShardingCodec):
        return None
    layout = codec.layout(pipeline.inner_spec)
    if not pipeline.bytes_bytes:
        return ShardSource(io.store, key), size, layout
    with io.bounded():
        data = io.store.get(key)
    for stage, decoded in reversed(pipeline.bytes_bytes):
        data = stage.decode(data, decoded)
    view = memoryview(data).cast("B")
    return ShardSource(None, key, view), len(view), layout


def _check_shard(
    outcome: Outcome,
    source: ShardSource,
    size: int,
    layout: ShardLayout,
    extents: tuple[int, ...],
    outside: tuple[int, ...] | None = None,
) -> None:
    """Check a shard of `size` bytes, of which `extents` elements lie within the array.

    `outside` is the place of a shard within a shard: its faults are named by the chunk of the outer one.
    """
    if size < layout.index_size:
        outcome.add("shard-index", f"expected an index of {layout.index_size} bytes, found a shard of {size}", outside)
        return
    encoded = source.get(layout.index_range)
    try:
        index = layout.read_index(encoded)
    except Exception as error:
        outcome.add("shard-index", str(error), outside, evidence_of(encoded))
        return
    spans: list[tuple[int, int, tuple[int, ...] | None]] = []
    inner_codec = layout.inner.array_bytes
    for at, span, problem in entries(layout, index, size):
        place = at if outside is None else outside
        if problem:
            outcome.add("shard-entry", problem, place)
        elif span is not None and within(at, layout, extents):
            outcome.present += outside is None
            spans.append((*span, at))
        elif span is not None:
            spans.append((*span, None))  # beyond the array's edge: whatever it holds is of no account
    spans.sort(key=lambda span: span[:2])
    outcome.unused += _check_spans(outcome, spans, size - layout.index_size, outside)
    for batch in _batches([span for span in spans if span[2] is not None]):
        for data, (_, _, at) in zip(source.get_ranges([span[:2] for span in batch]), batch, strict=True):
            place = at if outside is None else outside
            try:
                if isinstance(inner_codec, ShardingCodec) and not layout.inner.bytes_bytes:
                    inner = inner_codec.layout(layout.inner.inner_spec)
                    rest = [min(n, e - c * n) for c, n, e in zip(at, layout.chunk_shape, extents, strict=True)]
                    view = memoryview(data).cast("B")
                    deeper = ShardSource(None, source.key, view)
                    _check_shard(outcome, deeper, len(view), inner, tuple(rest), place)
                else:
                    limits.check_memory("", len(data) + (layout.inner.nbytes or 0), "decoding this chunk")
                    layout.inner.decode(data)
            except Exception as error:
                finding = diagnose(error, data)
                outcome.add(finding.rule, finding.problem, place, finding.evidence)


def entries(
    layout: ShardLayout, index: np.ndarray, size: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, int] | None, str]]:
    """(coordinates, start and stop or None, what is wrong or "") for every inner chunk of a shard, in C order."""
    first = 0 if layout.index_at_end else layout.index_size
    limit = size - layout.index_size if layout.index_at_end else size
    exact = layout.inner.encoded_size
    pairs = index.reshape(-1, 2).tolist()
    for at, (offset, length) in zip(np.ndindex(*layout.counts), pairs, strict=True):
        if offset == NO_CHUNK and length == NO_CHUNK:
            yield at, None, ""
        elif NO_CHUNK in (offset, length):
            yield at, None, f"expected offset and length, or 2^64-1 in both, found {offset} and {length}"
        elif offset < first or offset + length > limit:
            yield at, None, f"expected a place within bytes {first} to {limit}, found offset {offset}, length {length}"
        elif exact not in (None, length):
            yield at, None, f"expected {exact} bytes for this chunk, found a length of {length}"
        else:
            yield at, (offset, offset + length), ""


def within(at: tuple[int, ...], layout: ShardLayout, extents: tuple[int, ...]) -> bool:
    """Whether an inner chunk holds elements of the array, and does not lie wholly beyond its edge."""
    return all(c * n < extent for c, n, extent in zip(at, layout.chunk_shape, extents, strict=True))


def _check_spans(outcome: Outcome, spans: list[Any], room: int, outside: tuple[int, ...] | None) -> int:
    """Note chunks that overlap, other than by sharing one place; returns the bytes that none of them covers."""
    end, covered, before = 0, 0, (0, 0, None)
    for span in spans:
        start, stop, at = span
        if start < end and (start, stop) != before[:2]:
            outcome.add(
                "shard-overlap",
                f"expected chunks beside each other, found bytes {start} to {stop} of this one and "
                f"{before[0]} to {before[1]} of chunk {before[2]}",
                at if outside is None else outside,
            )
        covered += max(0, stop - max(start, end))
        end, before = max(end, stop), span
    return room - covered


def _batches(spans: list[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for span in spans:
        if batch and span[1] - batch[0][0] > BATCH:
            yield batch
            batch = []
        batch.append(span)
    if batch:
        yield batch


def _wrong_size(size: int, expected: int | None, head: Any) -> Finding:
    wanted = "a value" if expected is None else words.count(expected, "bytes")
    if size == 0:
        return Finding("empty-value", f"expected {wanted}, found an empty value")
    return Finding("wrong-size", f"expected {wanted}, found {size:,}", None, evidence_of(head))


def diagnose(error: Exception, data: Any) -> Finding:
    """The rule for what a decoder raised on `data`."""
    text = str(error) or type(error).__name__
    if isinstance(error, (MissingDependencyError, UnsupportedError)):
        return Finding("unchecked", text)
    if isinstance(error, LimitError):
        return Finding("too-large", text)
    if isinstance(error, OSError):
        return Finding("unreadable", text)
    if data is not None and len(data) == 0:
        return Finding("empty-value", "expected an encoded chunk, found an empty value")
    if isinstance(error, ChecksumError) or any(word in text.lower() for word in _SUM_WORDS):
        return Finding("checksum", text, None, evidence_of(data))
    return Finding("undecodable", text, None, evidence_of(data))


def evidence_of(data: Any) -> str:
    """What bytes that ought to be a chunk look like, where they look like something."""
    head = b"" if data is None else bytes(memoryview(data).cast("B")[: 1 << 12])
    if head and not head.strip(b"\0"):
        return "a crash before the data reached the disk: there are only zero bytes"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer in place of the data; try git lfs pull"
    if head.lstrip()[:5].lower() in (b"<?xml", b"<html", b"<!doc"):
        return "a server's error page, saved in place of the data"
    return ""


def protected(pipeline: Pipeline) -> bool:
    """Whether every stored chunk carries a checksum, so that no changed bit can go unnoticed."""
    if any(_has_checksum(codec) for codec, _ in pipeline.bytes_bytes):
        return True
    codec = pipeline.array_bytes
    if isinstance(codec, ShardingCodec):
        return protected(codec.layout(pipeline.inner_spec).inner)
    inside = [inner for _, inner in getattr(codec, "filters", ())]  # of Zarr 2: a checksum may be among the filters
    return any(_has_checksum(inner) for inner in [*inside, *getattr(codec, "codecs", ())])


def _has_checksum(codec: Codec) -> bool:
    if isinstance(codec, Lzma):
        return codec.format == 1 and codec.configuration.get("check", -1) != 0  # 1: the xz container
    if isinstance(codec, Zstd):
        return codec.checksum
    return isinstance(codec, (Checksum, JenkinsLookup3, Gzip, Zlib, Bz2))
