"""A local HTTP server that answers every GET after a fixed delay, for readers with their own HTTP client.

It stands in for an object store whose first byte takes 50 ms. It knows whole files and byte ranges, keeps
connections open, and lets any number of answers wait at the same time.
"""

from __future__ import annotations

import asyncio
import re
from multiprocessing.connection import Connection
from pathlib import Path


async def answer_requests(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path, delay: float
) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            verb, target = head.split(" ", 2)[:2]
            wanted = re.search(r"(?im)^range: bytes=(\d*)-(\d*)", head)
            await asyncio.sleep(delay)
            file = (folder / target.lstrip("/")).resolve()
            status, body, extra = "404 Not Found", b"", ""
            if file.is_relative_to(folder) and file.is_file():
                status, body = "200 OK", file.read_bytes()
                if wanted:
                    first, last = (int(g) if g else None for g in wanted.groups())
                    size = len(body)
                    start = size - last if first is None else first
                    stop = size if first is None or last is None else min(last + 1, size)
                    status, body = "206 Partial Content", body[start:stop]
                    extra = f"Content-Range: bytes {start}-{stop - 1}/{size}\r\n"
            writer.write(f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode())
            if verb != "HEAD":
                writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def serve(connection: Connection, folder: Path, delay: float) -> None:
    """Serve a folder on a free port of this machine, and say which one."""

    async def main() -> None:
        server = await asyncio.start_server(
            lambda r, w: answer_requests(r, w, folder.resolve(), delay), "127.0.0.1", 0, backlog=256
        )
        connection.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
