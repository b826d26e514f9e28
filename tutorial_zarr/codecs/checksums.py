"""Checksums stored beside the bytes: crc32c, and others that numcodecs has; one more is in `numcodecs_filters`.

    crc32c:  [ data ... ][ 4 bytes, little-endian ]

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/crc32c/index.html
"""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

import numpy as np

from tutorial_zarr.errors import ChecksumError

from .base import Buffer, BytesBytesCodec
from .extensions.numcodecs_engines import numcodecs_codec
from .fields import Choice, Field
from .registry import register


def crc32c(data: Buffer) -> int:
    """Return the CRC-32C (Castagnoli) of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    try:
        import google_crc32c
    except ImportError:
        return _crc32c_slow(bytes(data))
    view = np.frombuffer(data, np.uint8)
    view.flags.writeable = False  # google_crc32c accepts only read-only memory
    return google_crc32c.value(view)


_table: list[int] = []


def _crc32c_slow(data: bytes) -> int:
    """Compute it byte by byte, when there is no compiled package, as in a browser."""
    if not _table:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
            _table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _table[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _fletcher32(data: Buffer) -> int:
    return int.from_bytes(bytes(numcodecs_codec("fletcher32", {}).encode(bytes(data)))[-4:], "little")


class Checksum(BytesBytesCodec):
    """Four bytes of checksum, before or after the data. The subclasses say how it is computed."""

    location: Choice | str

    @staticmethod
    def sum_of(data: Buffer) -> int:
        """Return the checksum of `data`."""
        raise NotImplementedError

    def encoded_size(self, size: int) -> int | None:
        return size + 4

    def encode(self, data: Buffer) -> Buffer:
        checksum = self.sum_of(data).to_bytes(4, "little")
        return checksum + bytes(data) if self.location == "start" else bytes(data) + checksum

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        view = memoryview(data).cast("B")
        if len(view) < 4 or size not in (None, len(view) - 4):
            raise self.fail("4 bytes of checksum" + (f" and {size} of data" if size else ""), f"{len(view)} bytes")
        stored, body = (view[:4], view[4:]) if self.location == "start" else (view[-4:], view[:-4])
        computed = self.sum_of(body)
        if int.from_bytes(stored, "little") != computed:
            raise ChecksumError(
                f"codec {self.name!r}: expected the checksum 0x{int.from_bytes(stored, 'little'):08x} that is stored, "
                f"found 0x{computed:08x} for the {len(body)} bytes; they have changed since they were written",
                codec=self.name,
            )
        return body


class Crc32c(Checksum):
    """``crc32c``: the CRC-32C (Castagnoli) behind the data. It takes no configuration.

    zarr.json   {"name": "crc32c"}
    """

    fields: ClassVar[dict[str, Field[Any]] | None] = {}
    location = "end"
    sum_of = staticmethod(crc32c)
    quick = True


class NumcodecsCrc32c(Checksum):
    """``numcodecs.crc32c``: as ``crc32c``, and the checksum may stand before the data.

    zarr.json   {"name": "numcodecs.crc32c", "configuration": {"location": "end"}}
    .zarray     {"id": "crc32c"}
    """

    location = Choice(("start", "end"), default="end")
    sum_of = staticmethod(crc32c)


class Crc32(Checksum):
    """``numcodecs.crc32``: the CRC-32 of gzip, before the data.

    zarr.json   {"name": "numcodecs.crc32", "configuration": {"location": "start"}}
    .zarray     {"id": "crc32"}
    """

    location = Choice(("start", "end"), default="start")

    @staticmethod
    def sum_of(data: Buffer) -> int:
        return zlib.crc32(data)


class Adler32(Checksum):
    """``numcodecs.adler32``: the checksum of zlib, before the data.

    zarr.json   {"name": "numcodecs.adler32", "configuration": {"location": "start"}}
    .zarray     {"id": "adler32"}
    """

    location = Choice(("start", "end"), default="start")

    @staticmethod
    def sum_of(data: Buffer) -> int:
        return zlib.adler32(data)


class Fletcher32(Checksum):
    """``numcodecs.fletcher32``: the checksum of HDF5, behind the data.

    zarr.json   {"name": "numcodecs.fletcher32", "configuration": {"location": "end"}}
    .zarray     {"id": "fletcher32"}
    """

    location = Choice(("start", "end"), default="end")
    sum_of = staticmethod(_fletcher32)


register("crc32c", Crc32c)
register("numcodecs.crc32c", NumcodecsCrc32c)
register("numcodecs.crc32", Crc32)
register("numcodecs.adler32", Adler32)
register("numcodecs.fletcher32", Fletcher32)
