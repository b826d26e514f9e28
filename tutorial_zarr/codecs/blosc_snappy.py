"""Blosc chunks whose blocks are snappy's: read, because old stores hold them, and never written.

No build of Blosc for Python has snappy any more, but Blosc's container is simple enough to take apart here, and
the package cramjam decodes what is inside::

    header   version, format version, flags, typesize (a byte each), nbytes, blocksize, cbytes (4 bytes each)
    starts   where each block begins, 4 bytes each
    blocks   streams, each behind its length in 4 bytes; a stream of the block's own length is stored as it is

A block that is shuffled and split holds one stream for each byte of the elements, else one in all.

Format: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

SNAPPY = 2  # in the three high bits of the flags
_SHUFFLED, COPIED, _BITSHUFFLED, WHOLE = 1, 2, 4, 16  # the low bits


def is_snappy(chunk: Any) -> bool:
    """Return whether a Blosc chunk holds streams of snappy."""
    flags = memoryview(chunk)[2]
    return flags >> 5 == SNAPPY and not flags & COPIED


def decode(chunk: Any, decompress: Callable[[bytes, int], bytes]) -> bytes:
    """Decode a Blosc chunk; ``decompress(stream, size)`` decodes one stream."""
    data = bytes(chunk)
    _, _, flags, typesize, nbytes, blocksize, _ = struct.unpack_from("<4B3I", data)
    if blocksize == 0 or typesize == 0:
        raise ValueError(f"a header with a block size of {blocksize} and a type size of {typesize}")
    out = []
    for number in range(-(-nbytes // blocksize)):
        (at,) = struct.unpack_from("<I", data, 16 + 4 * number)
        size = min(blocksize, nbytes - number * blocksize)
        split = not flags & WHOLE and size == blocksize  # the last block, if short, is never split
        streams = typesize if split else 1
        block = b""
        for _ in range(streams):
            (length,) = struct.unpack_from("<i", data, at)
            stream = data[at + 4 : at + 4 + length]
            wanted = size // streams
            block += stream if length == wanted else decompress(stream, wanted)
            at += 4 + length
        if len(block) != size:
            raise ValueError(f"a block of {size} bytes that decodes to {len(block)}")
        out.append(_unshuffle(block, typesize, flags))
    return b"".join(out)


def _unshuffle(block: bytes, typesize: int, flags: int) -> bytes:
    """Undo the shuffle: put bytes (or bits) that were grouped by their place in the element back into the elements."""
    if not flags & (_SHUFFLED | _BITSHUFFLED) or (typesize == 1 and not flags & _BITSHUFFLED):
        return block
    elements = len(block) // typesize
    if flags & _BITSHUFFLED and elements % 8:
        return block  # bits are shuffled by eight elements, or not at all
    body: np.ndarray = np.frombuffer(block, np.uint8, elements * typesize)
    if flags & _BITSHUFFLED:
        bits = np.unpackbits(body, bitorder="little").reshape(typesize * 8, elements)
        body = np.packbits(bits.T, bitorder="little")
    else:
        body = body.reshape(typesize, elements).T
    return body.tobytes() + block[elements * typesize :]
