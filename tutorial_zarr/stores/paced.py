"""Connections that wait for no answer for ever, and take no more of one than it can have: what `http` is made of.

A server may send a byte now and then, in its headers too, or bytes without end. So all that comes is counted where it
comes from the socket.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from typing import Any

from .bounds import check_size, room

LEAST_RATE = 1 << 14  # bytes a second that an answer must come with, after the time that its first may take
OVERHEAD = 1 << 20  # bytes of headers, and of what marks the pieces of a body
AT_ONCE = 1 << 24  # bytes that are allocated before they have arrived


class _Paced(io.RawIOBase):
    """What comes from a socket, as long as it comes fast enough and is not too much."""

    def __init__(self, sock: Any, raw: Any) -> None:
        self.sock, self.raw, self.timeout = sock, raw, sock.gettimeout()
        self.began, self.received = time.monotonic(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.timeout is not None:
            left = self.timeout + self.received / LEAST_RATE - (time.monotonic() - self.began)
            if left <= 0:
                raise TimeoutError(f"an answer that comes slower than {LEAST_RATE} bytes a second")
            self.sock.settimeout(min(left, self.timeout))
        size = self.raw.readinto(buffer)
        self.received += size or 0
        if self.received > room() + OVERHEAD:
            check_size("answer", self.received)
        return size

    def close(self) -> None:
        self.raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """Takes no memory for what an answer says that comes, only for what has come."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size <= AT_ONCE:
            return super().read(size)
        check_size("answer", max(size - OVERHEAD, 0))
        pieces = []
        while size and (piece := super().read(min(size, AT_ONCE))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = _Reader(_Paced(sock, self.fp.detach()))


@functools.cache
def pools() -> dict[str, Any]:
    """What a `urllib3.PoolManager` makes its connections of, by the scheme of a URL."""
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    def paced(pool: Any) -> Any:
        connection = type("Paced", (pool.ConnectionCls,), {"response_class": _Response})
        return type("PacedPool", (pool,), {"ConnectionCls": connection})

    return {"http": paced(HTTPConnectionPool), "https": paced(HTTPSConnectionPool)}
