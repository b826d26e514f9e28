"""The board of a workshop: a page that shows who has solved which exercise, for the time that it runs.

It listens on a private address only, keeps what it was told in memory, and knows people by the names they chose.
Verdicts come from `posting`; the page is shown on the host's own machine alone.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.workshop.posting import NICK, ROOM, own_address, private

LONGEST, MOST_NICKS, MOST_EXERCISES = 1024, 200, 100  # bytes of a post; rows and columns of the page
EXERCISE = re.compile(r"\d\d_\d\d\.\w{1,4}")
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none is taken for another
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Board</title><style>
:root{color-scheme:light dark}body{font:18px/1.5 system-ui,sans-serif;margin:2em;background:Canvas;color:CanvasText}
table{border-collapse:collapse}th,td{border-bottom:1px solid GrayText;padding:.3em .8em;text-align:left}
div{overflow-x:auto}.right{font-weight:700}</style></head><body><main><h1>Room @ROOM@</h1>
<p>In a cell of any lesson: <code>from tutorial_zarr.gallery.lesson import board</code>, and then
<code>board("@URL@", "@ROOM@", "your name")</code></p>
<div tabindex="0" role="region" aria-label="Exercises">@TABLE@</div></main><script>
setInterval(async () => {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.querySelector("table, #nobody").replaceWith(page.querySelector("table, #nobody"));
}, 3000);</script></body></html>
"""


class Board(ThreadingHTTPServer):
    """The server. `rows` is {nick: {exercise: right}}; it is gone when the server is."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, address: str = "127.0.0.1", port: int = 8000, room: str | None = None) -> None:
        if not private(address):
            raise GalleryError(
                "workshop board: expected a numeric address of this machine in a private network, found "
                f"{words.plain(address, 60)!r}, which others could reach; try {own_address()}"
            )
        self.room = room or "".join(secrets.choice(LETTERS) for _ in range(6))
        if not ROOM.fullmatch(self.room):
            raise GalleryError(
                f"workshop board: expected a code of 4 to 32 letters and digits, found {words.plain(room, 40)!r}"
            )
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.rows: dict[str, dict[str, bool]] = {}
        try:
            super().__init__((address, port), Handler)
        except (OSError, OverflowError) as error:
            raise GalleryError(
                f"workshop board: expected to listen on {address}, port {port}, which cannot be done ({error}); "
                "try another --port, or the --address of this machine"
            ) from error

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def note(self, post: Any) -> int:
        """Take what was posted, if it is a verdict from this room; the status of the answer."""
        said = post if isinstance(post, dict) else {}
        room, nick, exercise = (str(said.get(key, "")) for key in ("room", "nick", "exercise"))
        if not hmac.compare_digest(room.encode(errors="replace"), self.room.encode()):
            return 403
        if not (NICK.fullmatch(nick) and EXERCISE.fullmatch(exercise) and isinstance(said.get("right"), bool)):
            return 400
        full = nick not in self.rows and len(self.rows) >= MOST_NICKS
        if full or len(self.columns() | {exercise}) > MOST_EXERCISES:
            return 507
        self.rows.setdefault(nick, {})[exercise] = said["right"]
        return 204

    def columns(self) -> set[str]:
        """All exercises that anybody has tried."""
        return {exercise for done in list(self.rows.values()) for exercise in list(done)}

    def page(self) -> str:
        """The page for the host."""
        said = {True: '<td class="right">right</td>', False: "<td>not yet</td>", None: "<td></td>"}
        columns = sorted(self.columns())
        head = "".join(f'<th scope="col">{words.escape(name)}</th>' for name in columns)
        rows = [
            f'<tr><th scope="row">{words.escape(nick)}</th>{"".join(said[done.get(name)] for name in columns)}</tr>'
            for nick, done in sorted(self.rows.items())
        ]
        table = (
            f'<table><tr><th scope="col">name</th>{head}</tr>{"".join(rows)}</table>'
            if rows
            else '<p id="nobody">Nobody yet.</p>'
        )
        return PAGE.replace("@TABLE@", table).replace("@ROOM@", self.room).replace("@URL@", self.url)


class Handler(BaseHTTPRequestHandler):
    """Takes posts from the room, and shows the page to the host."""

    server: Board
    timeout = 5  # seconds for a request that does not end
    server_version, sys_version = "board", ""

    def do_POST(self) -> None:
        """A verdict."""
        length = self.headers.get("Content-Length", "")
        # A page on some other site may post text from a browser in the room, and no JSON.
        if not private(self.client_address[0]) or self.headers.get("Content-Type") != "application/json":
            return self._answer(403)
        if not length.isdecimal() or int(length) > LONGEST:
            return self._answer(413)
        try:
            post = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return self._answer(400)
        return self._answer(self.server.note(post))

    def do_GET(self) -> None:
        """The page, on the host's machine."""
        local = self.client_address[0] in ("127.0.0.1", "::1", self.server.server_address[0])
        # Another name for this address would let a page of that name read the answer.
        if not local or self.headers.get("Host") != self.server.url.removeprefix("http://"):
            return self._answer(403)
        return self._answer(200 if self.path == "/" else 404, self.server.page().encode() if self.path == "/" else b"")

    def _answer(self, status: int, page: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is written down."""
