"""``sharding_indexed``: many inner chunks in one stored object, and an index that says where each one lies.

    [ inner chunk ][ inner chunk ] ... [ inner chunk ][ index ]        index_location "end"
    [ index ][ inner chunk ][ inner chunk ] ... [ inner chunk ]        index_location "start"

The index is an array of uint64 of shape (inner chunks per axis ..., 2): offset and length in bytes, the offset
counted from the start of the shard. Both are 2^64-1 for an absent inner chunk. The index has its own codec chain
(usually ``bytes`` and ``crc32c``) with a fixed encoded size, so a reader can fetch the index by itself.

This file holds the format: the index, and whole shards. Reading and writing parts of a shard is in `chunk_io`.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.errors import MetadataError

from .base import ArrayBytesCodec, Buffer, ChunkSpec, Codec, is_fill
from .fields import Choice, Field
from .pipeline import Pipeline, build_codecs, parse_extensions
from .registry import register

if TYPE_CHECKING:
    from typing import Self

NO_CHUNK = (1 << 64) - 1
_UINT64 = dtypes.from_json("uint64")
# What most writers use, and what zarr-python assumes if index_codecs is left out
DEFAULT_INDEX_CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]


class _ChunkShape(Field[tuple[int, ...]]):
    """A list of lengths, as a tuple."""

    def parse(self, codec: Any, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or not all(type(n) is int and n >= 1 for n in value):
            raise codec.misfit(f"{self.key} as a list of integers of at least 1", repr(value))
        return tuple(value)


class _Chain(Field[list[Codec]]):
    """A list of codecs inside of the codec."""

    def parse(self, codec: Any, value: Any) -> list[Codec]:
        with codec.naming(self.key):
            return build_codecs(parse_extensions(value))


class ShardingCodec(ArrayBytesCodec):
    """``sharding_indexed``: inner chunks of ``chunk_shape``, each encoded by ``codecs``, and an index of them.

    zarr.json   {"name": "sharding_indexed", "configuration":
                 {"chunk_shape": [32, 32],
                  "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd"}],
                  "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
                  "index_location": "end"}}
    """

    chunk_shape = _ChunkShape()
    location = Choice(("start", "end"), default="end", key="index_location")
    codecs = _Chain()
    index_codecs = _Chain(default=[])  # leniency: index-codecs

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        if "index_codecs" not in configuration:
            self.index_codecs = build_codecs(parse_extensions(DEFAULT_INDEX_CODECS))
        self._layout: ShardLayout | None = None

    @contextmanager
    def naming(self, member: str) -> Iterator[None]:
        """Name this codec and `member` in errors about an inner chain."""
        try:
            yield
        except MetadataError as error:
            raise type(error)(f"codec {self.name!r}: {member}: {error.message}", **error.fields) from error

    def layout(self, spec: ChunkSpec) -> ShardLayout:
        """Return the layout of shards of `spec`; it is worked out once, if the codec is bound to that very spec."""
        if self._layout is not None and self._layout.spec is spec:
            return self._layout
        return ShardLayout(self, spec)

    def bind(self, spec: ChunkSpec) -> Self:
        return self.changed(_layout=ShardLayout(self, spec))

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        layout = self.layout(spec)
        out = np.empty(spec.shape, spec.data_type.numpy)
        view = memoryview(data).cast("B")
        spans = layout.spans(layout.index_of(view), len(view))
        for span, (_, region) in zip(spans, layout.regions(), strict=True):
            out[region] = spec.fill if span is None else layout.inner.decode(view[slice(*span)])
        return out

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        layout = self.layout(spec)
        chunks = ((coords, array[region + (...,)]) for coords, region in layout.regions())  # noqa: RUF005 - "...": a view, always
        return layout.pack(
            {at: None if is_fill(chunk, spec.fill) else layout.inner.encode(chunk) for at, chunk in chunks}
        )


class ShardLayout:
    """A sharding codec bound to shards of one shape: grid of inner chunks, their pipeline, and the index."""

    def __init__(self, codec: ShardingCodec, spec: ChunkSpec) -> None:
        self.codec, self.spec, chunk = codec, spec, codec.chunk_shape
        if len(chunk) != len(spec.shape) or any(n % c for n, c in zip(spec.shape, chunk, strict=True)):
            raise codec.misfit(f"a chunk_shape that divides the shard's shape {spec.shape}", list(chunk))
        self.chunk_shape = chunk
        self.counts = tuple(n // c for n, c in zip(spec.shape, chunk, strict=True))
        self.nchunks = math.prod(self.counts)
        self._places = [math.prod(self.counts[axis + 1 :]) for axis in range(len(self.counts))]
        with codec.naming("codecs"):
            self.inner = Pipeline(codec.codecs, ChunkSpec(chunk, spec.data_type, spec.fill))
        index_spec = ChunkSpec((*self.counts, 2), _UINT64, np.array(NO_CHUNK, "u8"))
        with codec.naming("index_codecs"):
            self.index = Pipeline(codec.index_codecs, index_spec)
        if self.index.encoded_size is None:
            raise codec.misfit(
                "index_codecs of a fixed encoded size (no compressor)", [c.name for c in codec.index_codecs]
            )
        self.index_size: int = self.index.encoded_size
        self.index_at_end = codec.location == "end"

    @property
    def index_range(self) -> Any:
        """The byte range of the index in a shard: a negative count from the end, or (start, stop)."""
        return -self.index_size if self.index_at_end else (0, self.index_size)

    def read_index(self, data: Buffer) -> np.ndarray:
        """Decode the index to an array of shape (counts ..., 2)."""
        if memoryview(data).nbytes != self.index_size:
            raise self.codec.fail(f"an index of {self.index_size} bytes", f"{memoryview(data).nbytes} bytes")
        return self.index.decode(data)

    def index_of(self, shard: memoryview) -> np.ndarray:
        """Return the index of a whole shard."""
        return self.read_index(shard[-self.index_size :] if self.index_at_end else shard[: self.index_size])

    def spans(self, index: np.ndarray, size: int | None, wanted: Any = slice(None)) -> list[tuple[int, int] | None]:
        """Return start and stop of inner chunks in a shard of `size` bytes; None for an absent one.

        `wanted` is a list of their positions in C order; without, it is all. Only their entries are looked at: an index
        may have millions. If `size` is None, the size is not known, and only what is wrong in any shard is refused.
        """
        exact = self.inner.encoded_size
        offsets, lengths = index.reshape(-1, 2)[wanted].astype("u8", copy=False).T
        first, limit = (0, 1 << 62) if self.index_at_end else (self.index_size, 1 << 62)
        if size is not None:
            limit = max(size - self.index_size, 0) if self.index_at_end else size
        most = np.uint64(limit)
        ends = offsets + lengths
        if exact is None and max(offsets.max(), lengths.max(), ends.max()) <= most and offsets.min() >= first:
            return list(zip(offsets.tolist(), ends.tolist(), strict=True))  # none is absent
        present = (offsets != NO_CHUNK) | (lengths != NO_CHUNK)
        outside = (offsets < first) | (offsets > most) | (lengths > most - np.minimum(offsets, most))
        wrong = outside if exact is None else outside | (lengths != exact)
        bad = (wrong & present).nonzero()[0]
        if bad.size:
            number = bad[0]
            at = tuple(map(int, np.unravel_index(np.arange(self.nchunks)[wanted][number], self.counts)))
            place = f"inner chunk {at} within bytes {first} to {limit} of the shard"
            raise self.codec.fail(
                place if outside[number] else f"{exact} bytes for inner chunk {at}",
                f"an index entry of offset {offsets[number]} and length {lengths[number]}",
            )
        found: list[tuple[int, int] | None] = list(zip(offsets.tolist(), ends.tolist(), strict=True))
        for number in (~present).nonzero()[0].tolist():
            found[number] = None
        return found

    def number(self, coords: tuple[int, ...]) -> int:
        """Return the position of an inner chunk in C order."""
        return sum(map(operator.mul, coords, self._places))

    def regions(self) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Yield the coordinates of every inner chunk, and the part of the shard's array that it holds."""
        for coords in itertools.product(*map(range, self.counts)):
            yield coords, tuple([slice(c * n, c * n + n) for c, n in zip(coords, self.chunk_shape, strict=True)])

    def chunks(self, shard: Buffer | None) -> dict[tuple[int, ...], Buffer]:
        """Return the present inner chunks of a whole shard by their coordinates, encoded, as views of its bytes."""
        if shard is None:
            return {}
        view = memoryview(shard).cast("B")
        spans = self.spans(self.index_of(view), len(view))
        return {
            coords: view[slice(*span)]
            for coords, span in zip(itertools.product(*map(range, self.counts)), spans, strict=True)
            if span is not None
        }

    def pack(self, chunks: Mapping[tuple[int, ...], Buffer | None]) -> bytes:
        """Return the bytes of a shard, from its encoded inner chunks by coordinates; None stands for an absent one."""
        index = np.full((*self.counts, 2), NO_CHUNK, "u8")
        parts: list[Buffer] = [b""]
        offset = 0 if self.index_at_end else self.index_size
        for coords in sorted(chunks):
            data = chunks[coords]
            if data is not None:
                size = memoryview(data).nbytes
                index[coords] = offset, size
                parts.append(data)
                offset += size
        encoded_index = self.index.encode(index)
        if self.index_at_end:
            parts.append(encoded_index)
        else:
            parts[0] = encoded_index
        return b"".join(parts)


def sharding_of(pipeline: Pipeline) -> ShardLayout | None:
    """Return the layout of a pipeline's shards if parts of them can be read: no other codec is before or after."""
    codec = pipeline.array_bytes
    if isinstance(codec, ShardingCodec) and not pipeline.array_array and not pipeline.bytes_bytes:
        return codec.layout(pipeline.inner_spec)
    return None


register("sharding_indexed", ShardingCodec)
