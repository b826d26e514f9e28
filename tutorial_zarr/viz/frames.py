r"""The headers and trailers that compressors put around their data, read byte by byte.

A `Part` is a run of bytes with a name and a meaning. Every function here takes bytes as they were found, and stops
at the first that do not fit: what follows is then one part that says so. Nothing is decompressed.

Leaves out chains of codecs, shards and elements, which are in `chunk_bytes`.

Formats: gzip https://www.rfc-editor.org/rfc/rfc1952, zlib https://www.rfc-editor.org/rfc/rfc1950,
zstd https://www.rfc-editor.org/rfc/rfc8878, xz https://tukaani.org/xz/xz-file-format.txt,
Blosc https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst

>>> import gzip
>>> for part in frame("gzip", gzip.compress(b"zarr", mtime=0))[:3]:
...     print(part)
Part(start=0, stop=2, kind='head', name='signature', meaning='gzip')
Part(start=2, stop=3, kind='head', name='method', meaning='8, deflate')
Part(start=3, stop=4, kind='head', name='flags', meaning='none')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

MOST_BLOCKS = 12  # of a frame that are named one by one
KINDS = {
    "head": "header of a codec",
    "index": "where things lie",
    "data": "encoded data",
    "item": "elements",
    "sum": "checksum",
}


class Part(NamedTuple):
    """Bytes from `start` to `stop`, and what they are; `kind` is one of KINDS."""

    start: int
    stop: int
    kind: str
    name: str
    meaning: str


class _MisfitError(ValueError):
    """The bytes are not what the format says."""


class _Reader:
    """Walks through bytes and notes what they are."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.parts = data, 0, []  # type: ignore[var-annotated]

    def take(self, size: int, kind: str, name: str, meaning: Callable[[bytes], str] | str = "") -> bytes:
        """The next bytes, noted as a part."""
        if size < 0 or self.at + size > len(self.data):
            raise _MisfitError(f"expected {size} bytes of {name}, found {len(self.data) - self.at}")
        found = self.data[self.at : self.at + size]
        if size:
            words = meaning if isinstance(meaning, str) else meaning(found)
            self.parts.append(Part(self.at, self.at + size, kind, name, words))
        self.at += size
        return found

    def number(self, size: int, kind: str, name: str, words: str = "{}", order: str = "little") -> int:
        """The next bytes as an unsigned number, noted."""
        return int.from_bytes(
            self.take(size, kind, name, lambda b: words.format(f"{int.from_bytes(b, order):,}")),  # type: ignore[arg-type]
            order,  # type: ignore[arg-type]
        )

    def signature(self, expected: bytes, name: str) -> None:
        """Bytes that must be these."""
        if self.data[self.at : self.at + len(expected)] != expected:
            raise _MisfitError(f"expected the signature {expected.hex(' ')} of {name}")
        self.take(len(expected), "head", "signature", name)

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return len(self.data) - self.at


def frame(codec: str, data: bytes) -> list[Part]:
    """The parts of what the codec of that name wrote; one part where nothing is known about its format."""
    reader = _Reader(bytes(data))
    read = _FORMATS.get(codec.removeprefix("numcodecs."))
    if read is None:
        reader.take(reader.left, "data", "encoded data", f"as {codec} wrote it")
        return reader.parts
    try:
        read(reader)
        if reader.left:
            reader.take(reader.left, "data", "more bytes", "behind the end of the format")
    except _MisfitError as misfit:
        reader.take(reader.left, "data", "not understood", str(misfit))
    return reader.parts


def _gzip(r: _Reader) -> None:
    r.signature(b"\x1f\x8b", "gzip")
    r.take(1, "head", "method", lambda b: "8, deflate" if b == b"\x08" else str(b[0]))
    names = {1: "text", 2: "header checksum", 4: "extra field", 8: "file name", 16: "comment"}
    flags = r.take(1, "head", "flags", lambda b: ", ".join(n for bit, n in names.items() if b[0] & bit) or "none")[0]
    r.take(4, "head", "time", lambda b: "left at zero" if not any(b) else f"{int.from_bytes(b, 'little')} s since 1970")
    r.take(1, "head", "extra flags", lambda b: {2: "slowest, smallest", 4: "fastest"}.get(b[0], str(b[0])))
    r.take(1, "head", "system", lambda b: {3: "Unix", 0: "FAT", 255: "not told"}.get(b[0], str(b[0])))
    if flags & 4:
        r.take(r.number(2, "head", "length of the extra field"), "head", "extra field")
    for bit, name in ((8, "file name"), (16, "comment")):
        if flags & bit:
            end = r.data.find(b"\0", r.at)
            r.take(end + 1 - r.at, "head", name, lambda b: b[:-1].decode("latin-1"))
    if flags & 2:
        r.take(2, "sum", "checksum of the header", "CRC-16")
    r.take(r.left - 8, "data", "compressed data", "a deflate stream")
    r.take(4, "sum", "checksum", lambda b: f"CRC-32 of the data: 0x{int.from_bytes(b, 'little'):08x}")
    r.number(4, "head", "size", "{} bytes when decompressed")


def _zlib(r: _Reader) -> None:
    method, flags = r.data[:2] if r.left >= 2 else (0, 0)
    if method & 15 != 8 or (method << 8 | flags) % 31:
        raise _MisfitError("expected the header of a zlib stream")
    r.take(1, "head", "method", f"deflate, window of {1 << (8 + (method >> 4)):,} bytes")
    r.take(1, "head", "flags", f"level class {flags >> 6}, check bits")
    r.take(r.left - 4, "data", "compressed data", "a deflate stream")
    r.take(4, "sum", "checksum", lambda b: f"Adler-32 of the data: 0x{b.hex()}")


def _zstd(r: _Reader) -> None:
    r.signature(b"\x28\xb5\x2f\xfd", "zstd")
    single = checksum = False

    def words(b: bytes) -> str:
        notes = ["one segment" if b[0] & 32 else "with a window", "checksum follows" if b[0] & 4 else "no checksum"]
        return ", ".join(notes)

    flags = r.take(1, "head", "frame header", words)[0]
    single, checksum = bool(flags & 32), bool(flags & 4)
    if not single:
        r.take(1, "head", "window", lambda b: f"{((8 + (b[0] & 7)) << (b[0] >> 3) << 7):,} bytes")
    r.number((0, 1, 2, 4)[flags & 3], "head", "dictionary", "number {}")
    size = (1 if single else 0, 2, 4, 8)[flags >> 6]
    more = 256 if size == 2 else 0
    r.take(size, "head", "size", lambda b: f"{int.from_bytes(b, 'little') + more:,} bytes when decompressed")
    for last in _zstd_blocks(r):
        if last:
            break
    if checksum:
        r.take(4, "sum", "checksum", "XXH64 of the data, its lower half")


def _zstd_blocks(r: _Reader) -> Iterator[bool]:
    number = 0
    while True:
        head = int.from_bytes(r.data[r.at : r.at + 3], "little")
        last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
        name = ("raw", "one byte repeated", "compressed", "reserved")[kind]
        words = f"{name}, {size:,} bytes" + (", the last one" if last else "")
        if number == MOST_BLOCKS and not last:
            r.take(r.left, "data", "more blocks", f"after the first {MOST_BLOCKS}")
            yield True
            return
        r.take(3, "head", f"block {number}", words)
        r.take(1 if kind == 1 else size, "data", f"data of block {number}")
        number += 1
        yield last


def _blosc(r: _Reader) -> None:
    if r.left < 16:
        raise _MisfitError("expected 16 bytes of Blosc's header")
    flags = r.data[2]
    compressors = {0: "blosclz", 1: "lz4 or lz4hc", 2: "snappy", 3: "zlib", 4: "zstd"}
    shuffle = "bytes shuffled" if flags & 1 else "bits shuffled" if flags & 4 else "not shuffled"
    copied = bool(flags & 2)
    r.take(1, "head", "version", lambda b: f"Blosc format {b[0]}")
    r.take(1, "head", "version", lambda b: f"of the compressor's format: {b[0]}")
    inside = "stored as they are" if copied else compressors.get(flags >> 5, f"compressor {flags >> 5}")
    r.take(1, "head", "flags", f"{shuffle}, {inside}")
    r.number(1, "head", "element size", "{} bytes")
    size = r.number(4, "head", "size", "{} bytes when decompressed")
    block = r.number(4, "head", "block size", "{} bytes")
    total = r.number(4, "head", "stored size", "{} bytes, this header included")
    if copied:
        r.take(r.left, "data", "data", "stored as they are")
        return
    count = -(-size // block) if block else 0
    if total != len(r.data) or 16 + 4 * count > total:
        raise _MisfitError(f"expected {total:,} bytes with {count:,} blocks")
    starts = [int.from_bytes(r.data[16 + 4 * i : 20 + 4 * i], "little") for i in range(count)]
    for i in range(min(count, MOST_BLOCKS)):
        r.number(4, "index", f"start of block {i}", "at byte {}")
    r.take(4 * (count - min(count, MOST_BLOCKS)), "index", "more starts", f"of {count:,} blocks in all")
    order = sorted(range(count), key=starts.__getitem__)
    for place, i in enumerate(order):
        if place == MOST_BLOCKS:
            r.take(r.left, "data", "more blocks", f"{count - MOST_BLOCKS:,} of {count:,}")
            return
        stop = starts[order[place + 1]] if place + 1 < count else total
        r.take(stop - r.at, "data", f"block {i}", "compressed")


def _lz4(r: _Reader) -> None:
    r.number(4, "head", "size", "{} bytes when decompressed")
    r.take(r.left, "data", "compressed data", "an LZ4 block")


def _bz2(r: _Reader) -> None:
    r.signature(b"BZh", "bzip2")
    r.take(1, "head", "level", lambda b: f"blocks of {b.decode('latin-1')} x 100,000 bytes")
    r.take(6, "head", "start of a block", lambda b: "the digits of pi" if b.hex() == "314159265359" else "")
    r.take(4, "sum", "checksum", "CRC-32 of the block")
    r.take(r.left, "data", "compressed data", "a stream of bits, its end included")


def _xz(r: _Reader) -> None:
    r.signature(b"\xfd7zXZ\x00", "xz")
    checks = {0: "none", 1: "CRC-32", 4: "CRC-64", 10: "SHA-256"}
    r.take(2, "head", "check", lambda b: checks.get(b[1], str(b[1])))
    r.take(4, "sum", "checksum of the header", "CRC-32")
    if r.data[-2:] != b"YZ" or r.left < 24:
        raise _MisfitError("expected the signature YZ at the end of an xz stream")
    index = (int.from_bytes(r.data[-8:-4], "little") + 1) * 4
    r.take((r.data[r.at] + 1) * 4, "head", "block header", "filters and their settings")
    r.take(r.left - index - 12, "data", "compressed data", "LZMA2, with its check behind it")
    r.take(index, "index", "index", "of the blocks")
    r.take(4, "sum", "checksum of the footer", "CRC-32")
    r.take(4, "head", "size of the index", f"{index:,} bytes")
    r.take(2, "head", "check", "as at the start")
    r.take(2, "head", "signature", "the end of xz")


_FORMATS: dict[str, Callable[[_Reader], None]] = {
    "gzip": _gzip,
    "zlib": _zlib,
    "zstd": _zstd,
    "blosc": _blosc,
    "lz4": _lz4,
    "bz2": _bz2,
    "lzma": _xz,
}


def counted_items(data: bytes, text: bool, most: int) -> list[Part]:
    """``vlen-utf8`` and ``vlen-bytes``: a count, then each item behind its length."""
    r = _Reader(data)
    try:
        count = r.number(4, "head", "count", "{} items")
        for i in range(min(count, most)):
            size = r.number(4, "index", f"length of item {i}", "{} bytes")
            words = (lambda b: repr(b.decode("utf-8", "replace"))) if text else (lambda b: "bytes")
            r.take(size, "item", f"item {i}", words)
        r.take(r.left, "item", "more items", f"{count - most:,} of them, each behind its length")
    except _MisfitError as misfit:
        r.take(r.left, "data", "not understood", str(misfit))
    return r.parts
