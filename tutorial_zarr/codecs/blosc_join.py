"""Several small Blosc chunks as one, so that a single call of the C code decodes, or encodes, them all.

A Blosc chunk lists where its blocks begin, and a block knows nothing of the others. So chunks that are alike, laid
side by side behind a header of their own whose list points into them, are a Blosc chunk again::

    [ header, starts ][ chunk: header, starts, blocks ][ chunk: header, starts, blocks ] ...
                  |                                ^                                ^
                  +--------------------------------+--------------------------------+

The other way round, what is encoded at once is cut between its blocks, and each piece gets a header of its own.

This saves waiting. Each call releases the interpreter's lock and must get it back; if a call takes no longer than
that, two threads are no faster than one.

Format: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tutorial_zarr import parallel

from .blosc_snappy import COPIED, SNAPPY, WHOLE


def decode(chunks: Sequence[Any], out: np.ndarray, decompress: Callable[[Any, np.ndarray], Any]) -> bool:
    """Decode `chunks` to the rows of `out`, at once. Return False if they cannot be joined, or one is damaged."""
    header = join(chunks, out.shape[1])
    if header is None:
        return False
    buffer = parallel.take_buffer(len(header) + sum(map(len, chunks)))
    try:
        view, at = memoryview(buffer), 0
        for piece in (header, *chunks):
            view[at : at + len(piece)] = piece
            at += len(piece)
        decompress(view[:at], out.reshape(-1))
    except RuntimeError:  # numcodecs' error for what Blosc cannot decode
        return False
    finally:
        parallel.give_buffer(buffer)
    return True


def join(chunks: Sequence[Any], nbytes: int) -> bytes | None:
    """Return the header of one Blosc chunk that ends with `chunks`, and decodes to what they decode to, `nbytes` each.

    Return None if they differ in version, flags, size of type or block, end with a shorter block, or are damaged: a
    stream that reaches out of its own chunk would be read from its neighbour.
    """
    if len(chunks[0]) < 20:
        return None
    first, size, blocksize = struct.unpack_from("<3I", chunks[0])
    if size != nbytes or not blocksize or nbytes % blocksize:
        return None
    blocks, streams = nbytes // blocksize, _streams(first)
    if not 0 < blocks * streams <= 64:  # what follows is worth its while for small chunks only
        return None
    head, starts = struct.Struct(f"<4I{blocks}i").unpack_from, []
    base, head_size = 16 + 4 * blocks * len(chunks), 16 + 4 * blocks
    for chunk in chunks:
        size = len(chunk)
        found = head(chunk) if size >= head_size else ()
        if found[:4] != (first, nbytes, blocksize, size) or not _within(chunk, found[4:], streams):
            return None
        starts += [base + at for at in found[4:]]
        base += size
    return struct.pack(f"<4I{len(starts)}i", first, nbytes * len(chunks), blocksize, base, *starts)


def encode(rows: np.ndarray, own: bytes, compress: Callable[[Any, int], bytes]) -> list[bytes] | None:
    """Encode the rows of an array of bytes at once, each to the very bytes that it is encoded to by itself.

    `own` is the header of a row that is encoded by itself, `compress(data, blocksize)` encodes. Return None where the
    rows cannot be told apart afterwards, or where one may come out otherwise, as it hardly becomes smaller.
    """
    first, nbytes, blocksize = struct.unpack_from("<3I", own)
    blocks, streams = nbytes // blocksize, _streams(first)
    if nbytes % blocksize or not 0 < blocks * streams <= 64:
        return None
    # Where blocks are split into streams Blosc multiplies the size that it is given by their number.
    data = compress(rows, blocksize // streams)
    head = struct.unpack_from(f"<4I{blocks * len(rows)}i", data)
    starts = [*head[4:], len(data)]
    if head[:3] != (first, rows.nbytes, blocksize) or starts != sorted(starts):
        return None
    encoded, shift = [], 16 + 4 * blocks
    for i in range(0, blocks * len(rows), blocks):
        begin, end = starts[i], starts[i + blocks]
        # By itself a chunk gets 16 bytes more than its data take. Compressors look ahead, and give up before they are
        # out of room: one that comes near the end of it may come out otherwise.
        if shift + end - begin > nbytes - nbytes // 64 - 64:
            return None
        own_starts = [shift + start - begin for start in starts[i : i + blocks]]
        header = struct.pack(f"<4I{blocks}i", first, nbytes, blocksize, shift + end - begin, *own_starts)
        encoded.append(header + data[begin:end])
    return encoded


def _streams(first: int) -> int:
    """Return how many streams a block has, by the first word of a header; 0 where chunks cannot be joined."""
    flags, typesize = first >> 16 & 0xFF, first >> 24
    if flags & COPIED or flags >> 5 == SNAPPY:
        return 0
    return 1 if flags & WHOLE else typesize


def _within(chunk: Any, starts: Sequence[int], streams: int) -> bool:
    """Whether every stream of every block ends in the chunk."""
    size = len(chunk)
    for at in starts:
        if at < 0:
            return False
        for _ in range(streams):
            if at > size - 4:
                return False
            (length,) = _LENGTH(chunk, at)
            at += 4 + length
            if length < 0 or at > size:
                return False
    return True


_LENGTH = struct.Struct("<i").unpack_from
