"""Checksums that travel with the bytes: crc32c, and the others that numcodecs has.

    crc32c:  [ data ... ][ 4 bytes, little-endian ]

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/crc32c/index.html
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tutorial_zarr.errors import ChecksumError

from .base import Buffer, BytesBytesCodec
from .registry import check_configuration, register


def crc32c(data: Buffer) -> int:
    """The CRC-32C (Castagnoli) of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    try:
        import google_crc32c
    except ImportError:
        return _crc32c_slow(bytes(data))
    view = np.frombuffer(data, np.uint8)
    view.flags.writeable = False  # google_crc32c takes nothing that could change
    return google_crc32c.value(view)


_table: list[int] = []


def _crc32c_slow(data: bytes) -> int:
    """The same, a byte at a time: where there is no compiled package, as in a browser."""
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
    from numcodecs.fletcher32 import Fletcher32

    return int.from_bytes(bytes(Fletcher32().encode(bytes(data)))[-4:], "little")


class Checksum(BytesBytesCodec):
    """Four bytes of checksum, before or after the data."""

    def __init__(self, name: str, configuration: dict[str, Any], sum_of: Callable[[Buffer], int], at: str) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("location",) if name.startswith("numcodecs") else ())
        self.sum_of, self.location = sum_of, configuration.get("location", at)
        if self.location not in ("start", "end"):
            raise self.misfit("location 'start' or 'end'", repr(self.location))

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


class JenkinsLookup3(BytesBytesCodec):
    """numcodecs' ``jenkins_lookup3``: a 32-bit hash with a seed and a prefix."""

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        check_configuration(name, configuration, optional=("initval", "prefix"))

    def encoded_size(self, size: int) -> int | None:
        return size + 4

    def _engine(self) -> Any:
        from numcodecs.checksum32 import JenkinsLookup3 as Engine

        prefix = self.configuration.get("prefix")
        return Engine(self.configuration.get("initval", 0), bytes(prefix) if isinstance(prefix, list) else prefix)

    def encode(self, data: Buffer) -> Buffer:
        return self._engine().encode(bytes(data))

    def decode(self, data: Buffer, size: int | None = None) -> Buffer:
        try:
            return self._engine().decode(bytes(data))
        except RuntimeError as cause:
            raise ChecksumError(f"codec {self.name!r}: {cause}", codec=self.name) from cause


register("crc32c", lambda name, config: Checksum(name, config, crc32c, "end"))
register("numcodecs.crc32c", lambda name, config: Checksum(name, config, crc32c, "end"))
register("numcodecs.crc32", lambda name, config: Checksum(name, config, zlib.crc32, "start"))
register("numcodecs.adler32", lambda name, config: Checksum(name, config, zlib.adler32, "start"))
register("numcodecs.fletcher32", lambda name, config: Checksum(name, config, _fletcher32, "end"))
register("numcodecs.jenkins_lookup3", JenkinsLookup3)
