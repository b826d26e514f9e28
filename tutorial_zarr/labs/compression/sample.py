"""A sample of an array: some of its chunks, or pieces of them, as the codecs see them.

Places are drawn by chance from a seed, spread over the whole array, until there are bytes enough. Of a chunk so large
that fewer than `PLACES` would be drawn a piece is taken: some of its rows. A chunk at the array's edge is filled up to
its whole shape, as it is when it is stored; of a shard, a chunk inside is drawn, since that is what a codec sees.

Left out is what says nothing about codecs: places that hold nothing but the fill value, which takes no space under
any, and those that hold one value. Both are counted, and told in the notes.

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
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.codecs import is_fill
from tutorial_zarr.codecs.base import as_bytes_view
from tutorial_zarr.dtypes.text import Bytes, String
from tutorial_zarr.errors import StoreError
from tutorial_zarr.labs import LabError
from tutorial_zarr.parallel import SMALL_CHUNK
from tutorial_zarr.viz import stored_chunks
from tutorial_zarr.words import count, size_text, times

LEAST_BYTES = 4096  # below it, headers and luck decide
LEAST_TIMED = 1 << 15  # below it, and in chunks below SMALL_CHUNK, to start takes longer than the work itself
MOST_PROBES = 256  # absent chunks that are asked for one by one before the store is listed
PLACES = 8  # all over the array, if it has as many
LEAST_PIECE = 1 << 18  # bytes: a compressor needs as much to show what it can do
MOST_DULL = 64  # places that are read and say nothing, before what there is has to do


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
    constant: int = 0  # places that were drawn and held one value
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
        of, lengths = f"{drawn:,} of {count(whole, 'chunks')}", self.chunks[0].shape
        if self.pieces:
            which = "of the one chunk" if whole == 1 else f"each of one of {whole:,} chunks"
            of, lengths = f"{count(drawn, 'pieces')} of {times(lengths)}, {which}", self.array.chunks
        return f"{self.name}: {of} of {times(lengths)} {self.data_type.name}, {size_text(self.nbytes)}"

    @property
    def pieces(self) -> bool:
        """Whether parts of chunks were drawn, as whole ones are too large."""
        lengths = _lengths(self.array)
        return lengths is not None and any(chunk.shape != lengths for chunk in self.chunks)


def digest(chunk: np.ndarray) -> bytes:
    """The sha256 of a chunk's elements."""
    if chunk.dtype.kind in "OT":
        return hashlib.sha256(repr(chunk.tolist()).encode("utf-8", "surrogatepass")).digest()
    native = chunk.astype(chunk.dtype.newbyteorder("="), copy=False)
    return hashlib.sha256(as_bytes_view(native).data).digest()


def take(array: Any, nbytes: int = 4 << 20, seed: int = 0, name: str = "") -> Sample:
    """Chunks of `array` or pieces of them, up to `nbytes` of elements and at least one.

    Parameters
    ----------
    array
        A Zarr array, or a numpy array, which counts as one chunk.
    nbytes
        Bytes of elements to draw at most.
    seed
        Which places are drawn.
    name
        What the array is called in sentences.

    Raises `SampleError` where there is too little to judge by, and for objects of Python.
    """
    if isinstance(array, np.ndarray):
        array = zarr.array(array, compressors=None, chunks=array.shape or None)
    name = name or array.name.strip("/") or "the array"
    text = isinstance(array.metadata.data_type, (String, Bytes))
    if array.dtype.kind == "O" and not text:
        raise SampleError(f"{name}: expected numbers, records or text, found objects of Python; try an array of those")
    piece, chance = max(LEAST_PIECE, nbytes // PLACES), random.Random(seed)
    drawn: list[tuple[np.ndarray, tuple[slice, ...], int]] = []
    spare: list[tuple[np.ndarray, tuple[slice, ...], int]] = []  # what holds one value, for where there is nothing else
    found, empty, constant, dull = 0, 0, 0, 0
    for place in _places(array, seed):
        if place is None:
            empty += 1
            continue
        whole = place
        if not text:
            place = _piece(whole, array.dtype.itemsize, piece, chance)
        inside = np.asarray(array[place])
        size = _text_bytes(inside) if text else inside.nbytes
        chunk = _filled_up(inside, array) if place == whole else np.ascontiguousarray(inside)
        if is_fill(inside, array.metadata.fill):
            empty, dull = empty + 1, dull + 1
        elif _one_value(inside):
            constant, dull = constant + 1, dull + 1
            spare += [(chunk, place, size)] if len(spare) < PLACES else []
        elif drawn and found + size > nbytes:
            break
        else:
            drawn.append((chunk, place, size))
            found += size
        if dull >= MOST_DULL and (drawn or spare):
            break
    only_dull, drawn = not drawn, drawn or spare
    found = sum(size for *_, size in drawn)
    if found < LEAST_BYTES:
        what = f"{found:,} bytes of them" if found else f"none in {empty:,} chunks, which hold only the fill value"
        raise SampleError(
            f"{name}: expected at least {LEAST_BYTES:,} bytes of values to judge a codec by, found {what}; "
            "try a larger array, or leave it uncompressed"
        )
    sample = Sample(
        name, array, tuple(chunk for chunk, *_ in drawn), tuple(place for _, place, _ in drawn), found, empty, constant
    )
    return replace(sample, notes=tuple(_notes(sample, text, only_dull)))


def _piece(place: tuple[slice, ...], itemsize: int, most: int, chance: random.Random) -> tuple[slice, ...]:
    """Rows of a place, of about `most` bytes; all of it if it is not much larger."""
    found, left = list(place), math.prod(s.stop - s.start for s in place) * itemsize
    for axis, s in enumerate(place):
        if left < 2 * most:
            break
        length = s.stop - s.start
        rows = max(1, min(length, length * most // left))
        rows -= rows % 8 if rows > 8 else 0  # as bitshuffle likes it
        start = s.start + chance.randrange(length - rows + 1)
        found[axis] = slice(start, start + rows)
        left = left // length * rows
    return tuple(found)


def _one_value(inside: np.ndarray) -> bool:
    """Whether all elements are alike, bit by bit."""
    if inside.size < 2:
        return False
    if inside.dtype.kind in "OT":
        return all(item == inside.flat[0] for item in inside.flat)
    each = np.ascontiguousarray(inside).reshape(-1).view(np.uint8).reshape(inside.size, -1)
    return bool((each == each[0]).all())


def _notes(sample: Sample, text: bool, dull: bool) -> Iterator[str]:
    if text:
        yield "text: codecs for numbers are left out; sizes are compared with the text's own bytes"
    if sample.has_nan:
        yield "NaN in the sample: a codec that cannot hold it is named below"
    if sample.pieces:
        several = "of several" if sample.array.nchunks > 1 else "of the one chunk"
        yield f"chunks are large, so pieces {several} stand for them; whole ones may become a little smaller"
    if sample.empty:
        yield (
            f"empty: {count(sample.empty, 'places')} that were drawn, left out: "
            "not stored, or nothing but the fill value"
        )
    if dull:
        yield (
            "constant: every place that was drawn holds one value, which any codec shrinks to nothing; this says "
            "nothing of other values, if there are any. Try another seed, or a larger sample."
        )
    elif sample.constant:
        yield f"constant: {count(sample.constant, 'places')} that were drawn, left out: each holds one value"
    if sample.too_small_to_time:
        yield sample.too_small_to_time


def _text_bytes(chunk: np.ndarray) -> int:
    """Bytes of text as ``vlen-utf8`` and ``vlen-bytes`` store them: how many, and the length of each, in 4 bytes."""
    return 4 + sum(4 + len(item if isinstance(item, bytes) else str(item).encode()) for item in chunk.flat)


def _lengths(array: zarr.Array) -> tuple[int, ...] | None:
    """The shape of what a codec sees; None where chunks differ from each other."""
    return None if any(isinstance(n, tuple) for n in array.chunks) else tuple(array.chunks)


def _places(array: zarr.Array, seed: int) -> Iterator[tuple[slice, ...] | None]:
    """Places of chunks by chance, the first few far from each other; None for one that is not stored.

    Of each shard comes one chunk, then of each another one.
    """
    chance, counts = random.Random(seed), array.grid.counts
    total = math.prod(counts)
    probes = min(total, MOST_PROBES)
    turn = chance.randrange(probes) if probes else 0
    shares = [(at + turn) % probes for at in sorted(range(probes), key=lambda n: f"{n:012b}"[::-1])]
    units = [chance.randrange(total * n // probes, total * (n + 1) // probes) for n in shares]
    waiting: list[Iterator[tuple[slice, ...]]] = []
    for unit in (_unravel(number, counts) for number in units):
        if array.store.exists(array.chunk_key(unit)):
            waiting.append(_inside(array, unit, chance))
            yield from itertools.islice(waiting[-1], 1)
        else:
            yield None
    if len(waiting) < PLACES and total > MOST_PROBES:  # thinly filled: ask for what there is
        with ExitStack() as stack:
            if waiting:  # a store that cannot list would be asked for every key, and there is something already
                stack.enter_context(suppress(StoreError))
                array.store.list_dir(array.path)
            stored = sorted(stored_chunks(array) - {_unravel(number, counts) for number in units})
            chance.shuffle(stored)
            waiting += [_inside(array, unit, chance) for unit in stored]
    while waiting:
        inside = waiting.pop(0)
        for place in itertools.islice(inside, 1):
            yield place
            waiting.append(inside)


def _unravel(number: int, counts: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for length in reversed(counts):
        number, rest = divmod(number, length)
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


def _filled_up(inside: np.ndarray, array: zarr.Array) -> np.ndarray:
    lengths = _lengths(array)
    if lengths is None or lengths == inside.shape:
        return np.ascontiguousarray(inside).reshape(inside.shape)
    whole = np.empty(lengths, inside.dtype)
    whole[...] = array.metadata.fill[()]
    whole[tuple(slice(0, n) for n in inside.shape)] = inside
    return whole
