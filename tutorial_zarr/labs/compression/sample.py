"""A sample of an array: some of its chunks, as the codecs see them.

Chunks are drawn by chance from a seed, until there are bytes enough. A chunk at the array's edge is filled up to
its whole shape, as it is when it is stored; of a shard, a chunk inside is drawn, since that is what a codec sees.
A chunk that holds nothing but the fill value is left out, as it takes no space under any codec.

>>> import tutorial_zarr as zarr
>>> a = zarr.array(np.arange(10_000, dtype="u2"), chunks=4000)
>>> sample = take(a)
>>> len(sample.chunks), sample.nbytes, sample.chunks[0].shape
(3, 20000, (4000,))
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.codecs import is_fill
from tutorial_zarr.codecs.base import as_bytes_view
from tutorial_zarr.dtypes.text import Bytes, String
from tutorial_zarr.labs import LabError
from tutorial_zarr.parallel import SMALL_CHUNK
from tutorial_zarr.viz import stored_chunks
from tutorial_zarr.words import size_text, times

LEAST_BYTES = 4096  # below it, headers and luck decide
LEAST_TIMED = 1 << 15  # below it, and in chunks below SMALL_CHUNK, to start takes longer than the work itself
MOST_PROBES = 256  # absent chunks that are asked for one by one before the store is listed


class SampleError(LabError):
    """An array that no codec can be judged on."""


@dataclass(frozen=True)
class Sample:
    """Chunks of one array, and what an array of the same kind needs to be created."""

    name: str
    array: zarr.Array
    chunks: tuple[np.ndarray, ...]  # native, C-contiguous, filled up to the whole chunk
    places: tuple[tuple[slice, ...], ...]  # where each lies in the array
    nbytes: int  # of the elements inside the array; of text, its bytes without a codec
    empty: int  # chunks that were drawn and held nothing but the fill value, or were not stored
    notes: tuple[str, ...] = ()

    @property
    def data_type(self) -> dtypes.DataType:
        """The type of the elements."""
        return self.array.metadata.data_type

    @property
    def zarr_format(self) -> int:
        """2 or 3."""
        return self.array.zarr_format

    @functools.cached_property
    def digests(self) -> tuple[bytes, ...]:
        """A hash of each chunk, to compare what was decoded with."""
        return tuple(digest(chunk) for chunk in self.chunks)

    @functools.cached_property
    def finite(self) -> np.ndarray:
        """Every finite number of the sample, in float64."""
        values = np.concatenate([chunk.reshape(-1) for chunk in self.chunks]).astype(np.float64)
        return values[np.isfinite(values)]

    @functools.cached_property
    def has_nan(self) -> bool:
        """Whether there is a NaN in it."""
        return self.data_type.numpy.kind == "f" and any(bool(np.isnan(chunk).any()) for chunk in self.chunks)

    @property
    def too_small_to_time(self) -> str:
        """Why its speeds say little, in a sentence; "" where they say something."""
        each = self.nbytes / len(self.chunks)
        if each >= SMALL_CHUNK and self.nbytes >= LEAST_TIMED:
            return ""
        what = f"chunks of {each:,.0f} bytes" if each < SMALL_CHUNK else f"{self.nbytes:,} bytes of values"
        return f"{what} are too few to judge a codec's speed by, so the advice goes by bytes alone"

    def __str__(self) -> str:
        drawn, whole = len(self.chunks), self.array.nchunks
        return (
            f"{self.name}: {drawn:,} of {whole:,} chunks of {times(self.chunks[0].shape)} {self.data_type.name}, "
            f"{size_text(self.nbytes)}"
        )


def digest(chunk: np.ndarray) -> bytes:
    """The sha256 of a chunk's elements."""
    if chunk.dtype.kind in "OT":
        return hashlib.sha256(repr(chunk.tolist()).encode("utf-8", "surrogatepass")).digest()
    native = chunk.astype(chunk.dtype.newbyteorder("="), copy=False)
    return hashlib.sha256(as_bytes_view(native).data).digest()


def take(array: Any, nbytes: int = 4 << 20, seed: int = 0, name: str = "") -> Sample:
    """Chunks of `array`, up to `nbytes` of elements and at least one chunk. `array` may be a numpy array.

    Raises SampleError where there is too little to judge by, and for objects of Python.
    """
    if isinstance(array, np.ndarray):
        array = zarr.array(array, compressors=None, chunks=array.shape or None)
    name = name or array.name.strip("/") or "the array"
    text = isinstance(array.metadata.data_type, (String, Bytes))
    if array.dtype.kind == "O" and not text:
        raise SampleError(f"{name}: expected numbers, records or text, found objects of Python; try an array of those")
    chunks: list[np.ndarray] = []
    places, found, empty = [], 0, 0
    for place in _places(array, seed):
        if place is None:
            empty += 1
            continue
        inside = array[place]
        if is_fill(inside, array.metadata.fill):
            empty += 1
            continue
        size = _text_bytes(inside) if text else inside.nbytes
        if chunks and found + size > nbytes:
            break
        chunks.append(_filled_up(inside, place, array))
        places.append(place)
        found += size
    if found < LEAST_BYTES:
        what = f"{found:,} bytes of them" if found else f"none in {empty:,} chunks, which hold only the fill value"
        raise SampleError(
            f"{name}: expected at least {LEAST_BYTES:,} bytes of values to judge a codec by, found {what}; "
            "try a larger array, or leave it uncompressed"
        )
    sample = Sample(name, array, tuple(chunks), tuple(places), found, empty)
    return Sample(name, array, sample.chunks, sample.places, found, empty, tuple(_notes(sample, text)))


def _notes(sample: Sample, text: bool) -> Iterator[str]:
    if text:
        yield "text: codecs for numbers are left out; sizes are compared with the text's own bytes"
    if sample.has_nan:
        yield "NaN in the sample: a codec that cannot hold it is named below"
    if sample.too_small_to_time:
        yield sample.too_small_to_time


def _text_bytes(chunk: np.ndarray) -> int:
    """Bytes of text as ``vlen-utf8`` and ``vlen-bytes`` store them: how many, and the length of each, in 4 bytes."""
    return 4 + sum(4 + len(item if isinstance(item, bytes) else str(item).encode()) for item in chunk.flat)


def _lengths(array: zarr.Array) -> tuple[int, ...] | None:
    """The shape of what a codec sees; None where chunks differ from each other."""
    return None if any(isinstance(n, tuple) for n in array.chunks) else tuple(array.chunks)


def _places(array: zarr.Array, seed: int) -> Iterator[tuple[slice, ...] | None]:
    """Places of chunks in an order of chance; None for one that is not stored."""
    chance, counts = random.Random(seed), array.grid.counts
    total = math.prod(counts)
    if total <= MOST_PROBES:
        units = list(itertools.product(*map(range, counts)))
        chance.shuffle(units)
    else:
        units = [_unravel(chance.randrange(total), counts) for _ in range(MOST_PROBES)]
        units = list(dict.fromkeys(units))
    anything = False
    for unit in units:
        if not array.store.exists(array.chunk_key(unit)):
            yield None
            continue
        anything = True
        yield from _inside(array, unit, chance)
    if not anything and total > MOST_PROBES:  # thinly filled: ask for what there is
        stored = sorted(stored_chunks(array))
        chance.shuffle(stored)
        for unit in stored:
            yield from _inside(array, unit, chance)


def _unravel(number: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for count in reversed(counts):
        number, rest = divmod(number, count)
        found.append(rest)
    return tuple(reversed(found))


def _inside(array: zarr.Array, unit: tuple[int, ...], chance: random.Random) -> Iterator[tuple[slice, ...]]:
    """The place of a chunk; of a shard, those of up to 16 chunks in it."""
    region = array.grid.region(unit)
    if array.shards is None:
        yield tuple(region)
        return
    spans = [range(s.start, s.stop, n) for s, n in zip(region, array.chunks, strict=True)]
    starts = list(itertools.islice(itertools.product(*spans), 4096))
    for start in chance.sample(starts, min(16, len(starts))):
        ends = [min(a + n, s.stop) for a, n, s in zip(start, array.chunks, region, strict=True)]
        yield tuple(slice(a, b) for a, b in zip(start, ends, strict=True))


def _filled_up(inside: Any, place: tuple[slice, ...], array: zarr.Array) -> np.ndarray:
    inside, lengths = np.asarray(inside), _lengths(array)
    if lengths is None or lengths == inside.shape:
        return np.ascontiguousarray(inside).reshape(inside.shape)
    whole = np.empty(lengths, inside.dtype)
    whole[...] = array.metadata.fill[()]
    whole[tuple(slice(0, n) for n in inside.shape)] = inside
    return whole
