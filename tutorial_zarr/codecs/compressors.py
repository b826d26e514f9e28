"""Compressors: gzip, zlib, bz2, lzma, zstd, lz4, blosc.

Each has its v3 name and, as ``numcodecs.<id>``, a second one with the configuration of numcodecs and Zarr v2. Those
of the standard library need nothing; the others call numcodecs' C code, which is loaded with the first chunk. Every
decoder is told how many bytes may come out, and stops there.

The same input always gives the same bytes: gzip headers carry no clock.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html
"""

from __future__ import annotations

import functools
import importlib.util
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.errors import MissingDependencyError

from . import blosc_join, blosc_snappy
from .base import Buffer, BytesBytesCodec, ChunkSpec, Codec
from .extensions import in_numpy
from .fields import Choice, Field, Flag, IntegerField
from .registry import register

if TYPE_CHECKING:
    from typing import Self


def nbytes(data: Buffer) -> int:
    """Return the length in bytes of any bytes-like object."""
    return len(data) if type(data) is bytes else memoryview(data).nbytes


FIRST_BYTES = 512  # of a joined stream that its decoder gets first
MOST_EMPTY = 10_000  # streams without content that may be joined into one chunk: nobody writes them


class _Stream(BytesBytesCodec):
    """Compressors of the standard library, whose decoders work piece by piece."""

    def _decoder(self) -> Any:
        raise NotImplementedError

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        limit = limits.current().unsized_bytes if size is None else size
        decoder = self._decoder()
        piece = decoder.decompress(data, limit + 1)
        if len(piece) > limit:
            raise self.fail(f"at most {limit} bytes after decoding", "more")
        if not decoder.eof:
            raise self.fail("a complete stream", "one that ends early")
        rest = decoder.unused_data
        if not rest.strip(b"\0"):  # zeros after the last member are padding, as gzip itself has it
            return piece
        return b"".join([piece, *self._members(rest, limit, len(piece))])

    def _members(self, data: bytes, limit: int, found: int) -> Iterator[bytes]:
        """Yield the contents of joined streams; gzip and bz2 allow any number.

        A decoder copies the input that it did not need, so each gets a little, and more while it asks for it. Passing
        all of the rest each time would take time in the square of their number.
        """
        at, end, empty = 0, len(data.rstrip(b"\0")), 0
        while at < end:
            decoder, window, before = self._decoder(), FIRST_BYTES, found
            while not decoder.eof:
                if at >= len(data):
                    raise self.fail("a complete stream", "one that ends early")
                piece = decoder.decompress(data[at : at + window], limit - found + 1)
                at, window = min(at + window, len(data)), 2 * window
                found += len(piece)
                if found > limit:
                    raise self.fail(f"at most {limit} bytes after decoding", "more")
                yield piece
            at -= len(decoder.unused_data)
            empty += found == before
            if empty > MOST_EMPTY:
                raise self.fail("joined streams that hold something", f"more than {MOST_EMPTY:,} empty ones")


@functools.cache
def zlib_decoder() -> Any:
    """Return the function that makes decoders of gzip and zlib: isal's if it is installed, which takes half the time.

    Encoding stays with Python's own zlib, since other libraries make other bytes at the same level.
    """
    try:
        from isal.isal_zlib import decompressobj
    except ImportError:
        return zlib.decompressobj
    return decompressobj


class Gzip(_Stream):
    """``gzip``: deflate in the frame of the program gzip. Level 0 copies, 1 is fast, 9 small.

    zarr.json   {"name": "gzip", "configuration": {"level": 5}}
    """

    level = IntegerField(0, 9, default=5)

    def encode(self, data: Buffer) -> Buffer:
        return zlib.compress(data, self.level, wbits=16 + zlib.MAX_WBITS)

    def _decoder(self) -> Any:
        return zlib_decoder()(16 + zlib.MAX_WBITS)


class NumcodecsGzip(Gzip):
    """``numcodecs.gzip``: the same bytes, and -1 for the level that zlib likes best.

    zarr.json   {"name": "numcodecs.gzip", "configuration": {"level": 1}}
    .zarray     {"id": "gzip", "level": 1}
    """

    level = IntegerField(-1, 9, default=5)


class Zlib(_Stream):
    """``numcodecs.zlib``: deflate as in gzip, in a shorter frame.

    zarr.json   {"name": "numcodecs.zlib", "configuration": {"level": 1}}
    .zarray     {"id": "zlib", "level": 1}
    """

    level = IntegerField(-1, 9, default=1)

    def encode(self, data: Buffer) -> Buffer:
        return zlib.compress(data, self.level)

    def _decoder(self) -> Any:
        return zlib_decoder()()


class Bz2(_Stream):
    """``numcodecs.bz2``: slow and small; the level says how many 100,000 bytes are sorted at once.

    zarr.json   {"name": "numcodecs.bz2", "configuration": {"level": 1}}
    .zarray     {"id": "bz2", "level": 1}
    """

    level = IntegerField(1, 9, default=1)

    def encode(self, data: Buffer) -> Buffer:
        import bz2

        return bz2.compress(data, self.level)

    def _decoder(self) -> Any:
        import bz2

        return bz2.BZ2Decompressor()


class Lzma(_Stream):
    """``numcodecs.lzma``: the smallest and slowest, with the arguments of Python's lzma module; format 1 is xz.

    zarr.json   {"name": "numcodecs.lzma", "configuration": {"format": 1, "check": -1, "preset": null, "filters": null}}
    .zarray     {"id": "lzma", "format": 1, "check": -1, "preset": null, "filters": null}
    """

    format = IntegerField(0, 3, default=1)
    integrity: Field[Any] = Field(-1, key="check")
    preset: Field[Any] = Field(None)
    filters: Field[Any] = Field(None)

    def _module(self) -> Any:
        try:
            import lzma
        except ImportError as cause:
            text = f"codec {self.name!r} needs Python's module lzma, which is not here; try another Python"
            raise MissingDependencyError(text, codec=self.name) from cause
        return lzma

    def encode(self, data: Buffer) -> Buffer:
        return self._module().compress(data, self.format, self.integrity, self.preset, self.filters)

    def _decoder(self) -> Any:
        lzma = self._module()
        if self.format == lzma.FORMAT_RAW:  # the only format that does not store its filters
            return lzma.LZMADecompressor(format=self.format, filters=self.filters)
        # A stream may ask for a dictionary of any size. The highest preset takes 65 MiB; filters may ask for more.
        asked = [f.get("dict_size", 0) for f in self.filters or [] if isinstance(f, dict)]
        return lzma.LZMADecompressor(format=self.format, memlimit=max([80 << 20, *[2 * size for size in asked]]))


class NumcodecsModule:
    """A module of numcodecs as an attribute of a class: loaded on first use, and then in place of this object."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.owner, self.attribute = owner, attribute

    def __get__(self, codec: Codec | None, owner: type) -> Any:
        try:
            module = importlib.import_module(f"numcodecs.{self.name}")
        except ImportError as cause:
            if self.name == "zstd" and importlib.util.find_spec("_zstd"):  # Python has its own since 3.14
                module = in_numpy.ZstdEngine()  # type: ignore[assignment]
            elif codec is None:
                raise
            else:
                raise codec.needs("numcodecs") from cause
        if self.name == "blosc":  # chunks are spread over threads already; nested pools only get in the way
            module.use_threads = False  # type: ignore[attr-defined]
        setattr(self.owner, self.attribute, module)  # so that it costs nothing from now on
        return module


class _Native(BytesBytesCodec):
    """Compressors in numcodecs' C code."""

    engine: Any

    def declared(self, data: Buffer) -> int | None:
        """Return the decoded size that the first bytes of `data` declare, or None."""
        raise NotImplementedError

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        if self.declared(data) == out.nbytes:
            self.engine.decompress(data, out)
        else:  # several frames, or no declared size
            super().decode_into(data, out)

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        bounds = limits.current()  # used if the metadata does not tell the size
        limit = min(bounds.unsized_bytes, (1 << 24) + nbytes(data) * bounds.expansion) if size is None else size
        declared = self.declared(data)
        if declared is not None and declared > limit:
            raise self.fail(f"at most {limit} bytes after decoding", f"{declared} declared")
        return self.engine.decompress(data)


class Zstd(_Native):
    """``zstd``: Zstandard, fast and small. Level 0 stands for 3; a checksum of the content is optional.

    zarr.json   {"name": "zstd", "configuration": {"level": 0, "checksum": false}}
    zarr.json   {"name": "numcodecs.zstd", "configuration": {"level": 0, "checksum": false}}
    .zarray     {"id": "zstd", "level": 0, "checksum": false}
    """

    engine = NumcodecsModule("zstd")
    level = IntegerField(-131072, 22, default=0)
    checksum = Flag(default=False)

    def encode(self, data: Buffer) -> Buffer:
        return self.engine.compress(data, self.level, self.checksum)

    def declared(self, data: Buffer) -> int | None:
        """Return the frame content size (RFC 8878, 3.1.1.1); a flag byte says where it is and how wide."""
        head = bytes(memoryview(data)[:18])
        if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
            return None  # a frame to be skipped stands first
        if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
            raise self.fail("a zstd frame", f"bytes that begin with {head[:4].hex(' ') or 'nothing'}")
        flags = head[4]
        single, width = flags >> 5 & 1, (0, 2, 4, 8)[flags >> 6]
        if width == 0 and single:
            width = 1
        if width == 0:
            return None
        start = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
        return int.from_bytes(head[start : start + width], "little") + (256 if width == 2 else 0)

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        limit = limits.current().unsized_bytes if size is None else size
        most, end = walk_frames(data)
        if end != nbytes(data):  # the decoder would wait for the rest of a frame for ever
            raise self.fail("complete frames", f"{nbytes(data)} bytes, of which the frames take {end}")
        if most > max(2 * limit, 1 << 24):
            raise self.fail(f"at most {limit} bytes after decoding", "blocks that could hold far more")
        return super().decode(data, size)


def walk_frames(data: Buffer) -> tuple[int, int]:
    """Return the most bytes that zstd frames can decode to, 128 KiB a block (RFC 8878, 3.1.1.2), and where they end."""
    view, at, most = memoryview(data).cast("B"), 0, 0
    while at + 6 <= len(view):
        magic = int.from_bytes(view[at : at + 4], "little")
        if magic & 0xFFFFFFF0 == 0x184D2A50:  # a frame to be skipped
            at += 8 + int.from_bytes(view[at + 4 : at + 8], "little")
            continue
        flags = view[at + 4]
        single, width = flags >> 5 & 1, (0, 2, 4, 8)[flags >> 6]
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (1 if width == 0 and single else width)
        last = 0
        while not last and at + 3 <= len(view):
            block = int.from_bytes(view[at : at + 3], "little")
            last, kind, size = block & 1, block >> 1 & 3, block >> 3
            most += size if kind < 2 else 1 << 17
            at += 3 + (1 if kind == 1 else size)
        at += 4 * (flags >> 2 & 1)
    return most, at


class Lz4(_Native):
    """``numcodecs.lz4``: four bytes of size, little-endian, and one LZ4 block. More acceleration is faster and larger.

    zarr.json   {"name": "numcodecs.lz4", "configuration": {"acceleration": 1}}
    .zarray     {"id": "lz4", "acceleration": 1}
    """

    engine = NumcodecsModule("lz4")
    quick = True
    acceleration = IntegerField(-(1 << 31), (1 << 31) - 1, default=1)

    def encode(self, data: Buffer) -> Buffer:
        return self.engine.compress(data, self.acceleration)

    def declared(self, data: Buffer) -> int | None:
        if nbytes(data) < 5:
            raise self.fail("a size in 4 bytes and a block", f"{nbytes(data)} bytes")
        return int.from_bytes(memoryview(data)[:4], "little", signed=True)


SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
CNAMES = ("blosclz", "lz4", "lz4hc", "zlib", "zstd", "snappy")


class Blosc(_Native):
    """``blosc``: shuffles the bytes or bits of the elements, then compresses block by block. ``typesize`` is the
    size of an element, of text that of a character; with ``blocksize`` 0 Blosc chooses.

        zarr.json   {"name": "blosc", "configuration":
                     {"cname": "zstd", "clevel": 5, "shuffle": "shuffle", "typesize": 4, "blocksize": 0}}
    """

    engine = NumcodecsModule("blosc")
    cname = Choice(CNAMES, default="lz4")
    clevel = IntegerField(0, 9, default=5)
    shuffle: Field[int] = Choice(SHUFFLES, default=0)
    typesize = IntegerField(1, 1 << 31, default=0)
    blocksize = IntegerField(0, (1 << 31) - 1, default=0)

    def bind(self, spec: ChunkSpec) -> Self:
        """Return the codec with what its configuration leaves to the array: the size of an element, the shuffle."""
        size = self.typesize or spec.data_type.item_size or 1
        shuffle = self.shuffle if self.shuffle != -1 else 2 if size == 1 else 1
        quick = self.cname in ("lz4", "blosclz")
        return self.changed(typesize=self.typesize or spec.data_type.letter or size, shuffle=shuffle, quick=quick)

    def encode(self, data: Buffer) -> Buffer:
        size = nbytes(data)
        if size > (1 << 31) - 17:
            raise self.fail("at most 2147483631 bytes in one chunk; try smaller chunks", f"{size} bytes")
        if self.cname == "snappy":
            raise self.fail(
                "a cname that can be written: blosclz, lz4, lz4hc, zlib, zstd", "snappy, which is only read"
            )
        return self._compress(data, self.blocksize)

    def _compress(self, data: Buffer, blocksize: int) -> bytes:
        typesize = self.typesize if self.typesize < 256 else 1  # blosc's own rule
        return self.engine.compress(data, self.cname.encode(), self.clevel, self.shuffle, blocksize, typesize or 1)

    def encode_all(self, data: np.ndarray) -> Sequence[Buffer] | None:
        if self.cname == "snappy":
            return None  # `encode` says why
        return blosc_join.encode(data, _blosc_header(self, data.shape[1]), self._compress)

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        if nbytes(data) >= 16 and blosc_snappy.is_snappy(data):
            BytesBytesCodec.decode_into(self, data, out)
        else:
            super().decode_into(data, out)

    def decode_all_into(self, data: Sequence[Buffer], out: np.ndarray) -> bool:
        return len(data) > 1 and blosc_join.decode(data, out, self.engine.decompress)

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        if nbytes(data) < 16 or not blosc_snappy.is_snappy(data):
            return super().decode(data, size)
        if size is not None and self.declared(data) != size:
            raise self.fail(f"{size} bytes after decoding", f"{self.declared(data)} declared")
        try:
            from cramjam import snappy
        except ImportError as cause:
            raise self.needs("cramjam") from cause
        return blosc_snappy.decode(data, lambda stream, size: bytes(snappy.decompress_raw(stream, output_len=size)))

    def declared(self, data: Buffer) -> int | None:
        # header: version, versionlz, flags, typesize, then uncompressed, block and compressed size, 4 bytes each
        try:
            size, stored = _BLOSC_HEADER(data)
        except struct.error:
            raise self.fail("a header of 16 bytes", f"{nbytes(data)} bytes") from None
        if stored != nbytes(data):
            raise self.fail(f"{stored} bytes, as its header says", nbytes(data))
        return size


_BLOSC_HEADER = struct.Struct("<4xI4xI").unpack_from


@functools.lru_cache(maxsize=64)
def _blosc_header(codec: Blosc, size: int) -> bytes:
    """The header of so many bytes encoded by themselves: it says how Blosc cuts them into blocks, whatever they are."""
    return bytes(memoryview(codec.encode(bytes(size)))[:16])


class NumcodecsBlosc(Blosc):
    """``numcodecs.blosc``: the same bytes. The shuffle is a number, of which -1 chooses by the size of an element.

    zarr.json   {"name": "numcodecs.blosc", "configuration":
                 {"cname": "lz4", "clevel": 5, "shuffle": 1, "typesize": 4, "blocksize": 0}}
    .zarray     {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}
    """

    shuffle = IntegerField(-1, 2, default=1)


register("gzip", Gzip)
register("numcodecs.gzip", NumcodecsGzip)
register("numcodecs.zlib", Zlib)
register("numcodecs.bz2", Bz2)
register("numcodecs.lzma", Lzma)
register(["zstd", "numcodecs.zstd"], Zstd)
register("numcodecs.lz4", Lz4)
register("blosc", Blosc)
register("numcodecs.blosc", NumcodecsBlosc)
