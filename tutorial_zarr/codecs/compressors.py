"""Compressors: gzip, zlib, bz2, lzma, zstd, lz4, blosc.

Each is known under its v3 name and, as ``numcodecs.<id>``, with the configuration that numcodecs and Zarr v2
give it. Those of the standard library need nothing; the others call numcodecs' C code, which is loaded when the
first chunk is coded. Every decoder is told how many bytes may come out, and stops there.

The same input always gives the same bytes: gzip headers carry no clock.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/index.html
"""

from __future__ import annotations

import functools
import importlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tutorial_zarr import limits

from . import blosc_join, blosc_snappy
from .base import Buffer, BytesBytesCodec, ChunkSpec
from .registry import check_configuration, integer, register


def nbytes(data: Buffer) -> int:
    """The length in bytes of anything that holds bytes."""
    return len(data) if type(data) is bytes else memoryview(data).nbytes


FIRST_BYTES = 512  # what the decoder of a joined stream is given first
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
        """The contents of joined streams, of which gzip and bz2 allow any number.

        A decoder copies what it did not need, so each is given a little, and more while it asks for it. All of the
        rest each time would cost the square of their number.
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
    """What makes decoders of gzip and zlib: isal's, where it is installed, which takes half the time.

    Encoding stays with Python's own zlib: other libraries make other bytes of the same level.
    """
    try:
        from isal.isal_zlib import decompressobj
    except ImportError:
        return zlib.decompressobj
    return decompressobj


class Gzip(_Stream):
    """``gzip``: level 0 to 9."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("level",))
        self.level = integer(name, configuration, "level", -1 if name.startswith("numcodecs") else 0, 9, 5)

    def encode(self, data: Buffer) -> Buffer:
        return zlib.compress(data, self.level, wbits=16 + zlib.MAX_WBITS)

    def _decoder(self) -> Any:
        return zlib_decoder()(16 + zlib.MAX_WBITS)


class Zlib(_Stream):
    """``zlib``: as gzip, with a shorter frame."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("level",))
        self.level = integer(name, configuration, "level", -1, 9, 1)

    def encode(self, data: Buffer) -> Buffer:
        return zlib.compress(data, self.level)

    def _decoder(self) -> Any:
        return zlib_decoder()()


class Bz2(_Stream):
    """``bz2``: level 1 to 9."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("level",))
        self.level = integer(name, configuration, "level", 1, 9, 1)

    def encode(self, data: Buffer) -> Buffer:
        import bz2

        return bz2.compress(data, self.level)

    def _decoder(self) -> Any:
        import bz2

        return bz2.BZ2Decompressor()


class Lzma(_Stream):
    """``lzma``: with the arguments of Python's lzma module."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("format", "check", "preset", "filters"))
        self.format = integer(name, configuration, "format", 0, 3, 1)  # FORMAT_XZ
        self.options = {
            "check": configuration.get("check", -1),
            "preset": configuration.get("preset"),
            "filters": configuration.get("filters"),
        }

    def encode(self, data: Buffer) -> Buffer:
        import lzma

        return lzma.compress(data, format=self.format, **self.options)

    def _decoder(self) -> Any:
        import lzma

        if self.format == lzma.FORMAT_RAW:  # the only format whose stream does not name its filters
            return lzma.LZMADecompressor(format=self.format, filters=self.options["filters"])
        # A stream asks for a dictionary of any size. The highest preset takes 65 MiB; filters may say that it is more.
        asked = [f.get("dict_size", 0) for f in self.options["filters"] or [] if isinstance(f, dict)]
        return lzma.LZMADecompressor(format=self.format, memlimit=max([80 << 20, *[2 * size for size in asked]]))


class _Native(BytesBytesCodec):
    """Compressors in numcodecs' C code."""

    module = ""

    @property
    def engine(self) -> Any:
        """The numcodecs module, loaded on first use."""
        try:
            engine = importlib.import_module(f"numcodecs.{self.module}")
        except ImportError as cause:
            raise self.needs("numcodecs") from cause
        if self.module == "blosc":
            engine.use_threads = False  # chunks are spread over threads already; nested pools only get in the way
        type(self).engine = engine  # type: ignore[assignment,method-assign]  # found once
        return engine

    def declared(self, data: Buffer) -> int | None:
        """The decoded size that the first bytes of `data` declare, where they do."""
        raise NotImplementedError

    def decode_into(self, data: Buffer, out: np.ndarray) -> None:
        if self.declared(data) == out.nbytes:
            self.engine.decompress(data, out)
        else:  # several frames, or no declared size
            super().decode_into(data, out)

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        bounds = limits.current()  # where the metadata does not tell the size
        limit = min(bounds.unsized_bytes, (1 << 24) + nbytes(data) * bounds.expansion) if size is None else size
        declared = self.declared(data)
        if declared is not None and declared > limit:
            raise self.fail(f"at most {limit} bytes after decoding", f"{declared} declared")
        return self.engine.decompress(data)


class Zstd(_Native):
    """``zstd``: level -131072 to 22, optionally with a checksum."""

    module = "zstd"

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("level", "checksum"))
        self.level = integer(name, configuration, "level", -131072, 22, 0)
        self.checksum = configuration.get("checksum", False)
        if not isinstance(self.checksum, bool):
            raise self.misfit("checksum true or false", repr(self.checksum))

    def encode(self, data: Buffer) -> Buffer:
        return self.engine.compress(data, self.level, self.checksum)

    def declared(self, data: Buffer) -> int | None:
        """The frame content size (RFC 8878, 3.1.1.1): a flag byte says where it stands and how wide it is."""
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
        if end != nbytes(data):  # the decoder waits for the rest of a frame for ever
            raise self.fail("complete frames", f"{nbytes(data)} bytes, of which the frames take {end}")
        if most > max(2 * limit, 1 << 24):
            raise self.fail(f"at most {limit} bytes after decoding", "blocks that could hold far more")
        return super().decode(data, size)


def walk_frames(data: Buffer) -> tuple[int, int]:
    """The most that the blocks of zstd frames can decode to, 128 KiB each (RFC 8878, 3.1.1.2), and where they end."""
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
    """``lz4``: four bytes of size, little-endian, and one LZ4 block."""

    module = "lz4"

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("acceleration",))
        self.acceleration = integer(name, configuration, "acceleration", -(1 << 31), (1 << 31) - 1, 1)

    def encode(self, data: Buffer) -> Buffer:
        return self.engine.compress(data, self.acceleration)

    def declared(self, data: Buffer) -> int | None:
        if nbytes(data) < 5:
            raise self.fail("a size in 4 bytes and a block", f"{nbytes(data)} bytes")
        return int.from_bytes(memoryview(data)[:4], "little", signed=True)


SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
CNAMES = ("blosclz", "lz4", "lz4hc", "zlib", "zstd", "snappy")


class Blosc(_Native):
    """``blosc``: shuffles the bytes or bits of the elements, then compresses block by block."""

    module = "blosc"

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        config = configuration
        check_configuration(name, config, optional=("cname", "clevel", "shuffle", "typesize", "blocksize"))
        v2 = name == "numcodecs.blosc"
        self.cname = config.get("cname", "lz4")
        if self.cname not in CNAMES:
            raise self.misfit(f"cname of {', '.join(CNAMES)}", repr(self.cname))
        self.clevel = integer(name, config, "clevel", 0, 9, 5)
        self.blocksize = integer(name, config, "blocksize", 0, (1 << 31) - 1, 0)
        self.typesize = integer(name, config, "typesize", 1, 1 << 31, 0) if "typesize" in config else 0
        shuffle = config.get("shuffle", 1 if v2 else "noshuffle")
        if v2:
            self.shuffle = integer(name, config, "shuffle", -1, 2, 1)
        elif isinstance(shuffle, str) and shuffle in SHUFFLES:
            self.shuffle = SHUFFLES[shuffle]
        else:
            raise self.misfit(f"shuffle of {', '.join(SHUFFLES)}", repr(shuffle))

    def check(self, spec: ChunkSpec) -> None:
        if not self.typesize:  # v2 does not say it: it is the element's size
            self.typesize = spec.data_type.item_size or 1
        if self.shuffle == -1:  # v2's "automatic"
            self.shuffle = 2 if self.typesize == 1 else 1

    def encode(self, data: Buffer) -> Buffer:
        size = nbytes(data)
        if size > (1 << 31) - 17:
            raise self.fail("at most 2147483631 bytes in one chunk; try smaller chunks", f"{size} bytes")
        if self.cname == "snappy":
            raise self.fail(
                "a cname that can be written: blosclz, lz4, lz4hc, zlib, zstd", "snappy, which is only read"
            )
        typesize = self.typesize if self.typesize < 256 else 1  # blosc's own rule
        cname = self.cname.encode()
        return self.engine.compress(data, cname, self.clevel, self.shuffle, self.blocksize, typesize or 1)

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

register(["gzip", "numcodecs.gzip"], Gzip)
register("numcodecs.zlib", Zlib)
register("numcodecs.bz2", Bz2)
register("numcodecs.lzma", Lzma)
register(["zstd", "numcodecs.zstd"], Zstd)
register("numcodecs.lz4", Lz4)
register(["blosc", "numcodecs.blosc"], Blosc)
