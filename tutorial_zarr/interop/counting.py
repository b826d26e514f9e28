"""A web server on this machine that counts: what was asked for, and how many bytes it sent.

It serves a folder, with ranges; or it stands before another server, such as a bucket's, and passes on what comes.
Whoever reads through it may have any number of connections. It knows GET and HEAD, and writes nothing.

>>> import tempfile, urllib.request
>>> with tempfile.TemporaryDirectory() as folder:
...     _ = Path(folder, "a").write_bytes(b"0123456789")
...     with CountingServer(Path(folder)) as server:
...         asked = urllib.request.Request(f"{server.url}/a", headers={"Range": "bytes=2-4"})
...         print(urllib.request.urlopen(asked).read(), *server.seen)
b'234' Seen(verb='GET', target='/a', range='bytes=2-4', status=206, nbytes=3)
"""

from __future__ import annotations

import http.client
import http.server
import re
import threading
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")  # headers of one connection alone


class Seen(NamedTuple):
    """One request, and what was answered."""

    verb: str
    target: str  # path and query
    range: str  # the header; "" where there was none
    status: int
    nbytes: int  # of the answer's body


Answer = tuple[int, dict[str, str], bytes]


class CountingServer:
    """A server of the folder, or before the server, that `source` names. A context manager; free port of 127.0.0.1."""

    def __init__(self, source: Path | str) -> None:
        self.source = source
        self.seen: list[Seen] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.counting = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> CountingServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def nbytes(self) -> int:
        """The bytes of all bodies that were sent."""
        return sum(each.nbytes for each in self.seen)

    def answer(self, verb: str, target: str, headers: Any) -> Answer:
        """What is answered to a request."""
        if isinstance(self.source, Path):
            return _from_folder(self.source, verb, target, headers.get("Range", ""))
        connection = http.client.HTTPConnection(urlsplit(self.source).netloc, timeout=60)
        try:
            passed = {name: value for name, value in headers.items() if name.lower() not in HOP}
            connection.request(verb, target, headers=passed)
            found = connection.getresponse()
            kept = {n: v for n, v in found.getheaders() if n.lower() not in HOP or (verb == "HEAD" and n[0] in "Cc")}
            return found.status, kept, found.read()
        finally:
            connection.close()


def _from_folder(folder: Path, verb: str, target: str, wanted: str) -> Answer:
    file = (folder / unquote(urlsplit(target).path).lstrip("/")).resolve()
    if not (file.is_relative_to(folder.resolve()) and file.is_file()):
        return 404, {}, b""
    data = file.read_bytes()
    headers = {"ETag": f'"{file.stat().st_mtime_ns:x}"', "Accept-Ranges": "bytes"}
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if found is None or not any(found.groups()) or verb == "HEAD":
        return 200, headers, data
    first, last = (int(each) if each else None for each in found.groups())
    start = max(len(data) - (last or 0), 0) if first is None else first
    stop = len(data) if first is None or last is None else min(last + 1, len(data))
    if start >= stop:
        return 416, {"Content-Range": f"bytes */{len(data)}"}, b""
    return 206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}, data[start:stop]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a reader may keep its connection
    request_queue_size = 256
    counting: CountingServer


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: _Server

    def do_GET(self) -> None:
        """Answer, and note what was asked."""
        status, headers, body = self.server.counting.answer(self.command, self.path, self.headers)
        head = self.command == "HEAD"
        seen = Seen(self.command, self.path, self.headers.get("Range", ""), status, 0 if head else len(body))
        self.server.counting.seen.append(seen)
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in map(str.lower, headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """The same, without the body."""
        self.do_GET()

    def log_message(self, *arguments: Any) -> None:
        """Nothing: what was asked is in `seen`."""
