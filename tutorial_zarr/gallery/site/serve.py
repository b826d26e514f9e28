"""Serves a built site to this machine alone: a browser loads modules, WebAssembly and workers by HTTP only."""

from __future__ import annotations

import http.server
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError

# All of them, as Windows may know others, and a browser refuses a module or WebAssembly of another type.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
RELATIVE = re.compile(rb'(href|src|data-root)="(?![#/]|\w+:)')


@contextmanager
def serving(folder: str | Path, port: int = 0) -> Iterator[http.server.ThreadingHTTPServer]:
    """A server of the files below `folder` on 127.0.0.1; a free port for 0. It lists no folder and leaves none.

    Call `serve_forever` on it; `url` says where it is. It is closed at the end.
    """
    root = Path(folder).resolve()
    if not (root / "index.html").is_file():
        raise GalleryError(
            f"gallery serve: expected a site, with index.html, in the folder {str(folder)!r}, found none; "
            "try: tutorial-zarr gallery site"
        )
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(root))
    except OSError as error:
        raise GalleryError(
            f"gallery serve: expected the free port {port} on 127.0.0.1, found that it cannot be had "
            f"({error.strerror}); try --port 0, which takes a free one"
        ) from error
    with server:
        yield server


def url(server: http.server.ThreadingHTTPServer) -> str:
    """The address of the first page."""
    return f"http://127.0.0.1:{server.server_port}/"


def _handler(root: Path) -> Any:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            self.extensions_map = {**self.extensions_map, **TYPES}
            super().__init__(*arguments, directory=str(root))

        def translate_path(self, path: str) -> str:
            found = super().translate_path(path)
            inside = Path(found).resolve().is_relative_to(root)  # a link in the folder may lead out of it
            return found if inside else str(root / "404.html" / "outside")

        def list_directory(self, path: Any) -> None:
            self.send_error(HTTPStatus.NOT_FOUND)

        def end_headers(self) -> None:
            self.send_header("Cache-Control", "no-cache")  # the site may be built again while this runs
            self.send_header("X-Content-Type-Options", "nosniff")
            super().end_headers()

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            page = root / "404.html"
            if code != HTTPStatus.NOT_FOUND or not page.is_file():
                super().send_error(code, message, explain)
                return
            data = RELATIVE.sub(rb'\1="/', page.read_bytes())  # it is shown for an address of any depth
            self.send_response(HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", TYPES[".html"])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing: a page is many files."""

    return Handler
