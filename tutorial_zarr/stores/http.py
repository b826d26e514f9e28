"""A store on a web server: what GET and HEAD can read. Nothing is written, and nothing can be listed.

So an array opens, and a group whose children are named; a group that is consolidated knows its children by itself.

    make_store("https://example.org/data.zarr", storage_options={"headers": {"Authorization": "Bearer ..."}})

What a server may cost is bounded. No more is read than a value can have; an answer that arrives slower than 16 KiB a
second is given up, `timeout` seconds after it should have come; what is compressed on the way, which nobody asks for,
is refused. A URL's password goes along as basic authorization, its query with every request; neither is shown.

A redirect to another server is refused: it would be asked for what only the first one should see, or be a machine
that only this one can reach. (obstore would follow it, which is why this store does without.)

Ranges: https://www.rfc-editor.org/rfc/rfc9110.html#name-range-requests

>>> HTTPStore("https://example.org/data.zarr?signature=1")
HTTPStore('https://example.org/data.zarr')
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from tutorial_zarr.errors import MissingDependencyError, StoreError

from . import paced
from .base import ByteRange, Store, check_key, cut, lists_nothing
from .bounds import check_size
from .locks import jitter, process_lock, tell_after_fork
from .secrets import public
from .snapshot import Snapshot, TaggedSnapshot

REDIRECTS = 5
RETRIED = (408, 429, 500, 502, 503, 504)
NO_HEAD = (405, 501)  # what servers answer who know no HEAD
LONGEST_WAIT = 10.0  # seconds before a request is made again


def _parts(url: str) -> Any:
    """The parts of a URL; refused where it names no server."""
    try:
        parts = urlsplit(url)
        fault = "" if parts.hostname else "no host"
        _ = parts.port  # it is parsed when it is asked for
    except ValueError as error:
        fault = str(error)
    if fault:
        said = public(url)
        raise StoreError(
            f"{said}: expected a URL such as https://example.org/data.zarr, found one that cannot be understood: "
            f"{fault.replace(url, said)}"
        )
    return parts


class HTTPStore(Store):
    """What lies below a URL. A query in the URL, such as a signature, goes with every request.

    An answer whose status is in `absent` says that there is no such key. Some servers say 403, "forbidden": with
    ``absent=(403, 404)`` that is believed, and then a wrong password looks like an empty store.
    """

    read_only = True

    def __init__(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        concurrency: int = 64,
        timeout: float = 30.0,
        retries: int = 5,
        absent: tuple[int, ...] = (404, 410),
        verify: bool | str = True,
    ) -> None:
        parts = _parts(url)
        user, _, host = parts.netloc.rpartition("@")
        self.parts = parts._replace(netloc=host)
        self.url = self.parts._replace(query="", fragment="").geturl().rstrip("/")
        self.headers = {"Accept-Encoding": "identity", **(headers or {})}
        if user and "authorization" not in map(str.lower, self.headers):
            self.headers["Authorization"] = "Basic " + base64.b64encode(unquote(user).encode()).decode()
        self.concurrency, self.timeout, self.retries = concurrency, timeout, retries
        self.absent, self.verify = tuple(absent), verify
        self._pool: Any = None
        self._heads: bool | None = None  # whether the server knows HEAD; None as long as nobody has asked

    @property
    def pool(self) -> Any:
        """The connections, made when they are first needed."""
        if self._pool is None:
            try:
                import urllib3
            except ImportError as cause:
                raise MissingDependencyError(
                    f"{self.url}: a web server needs urllib3; try: pip install 'tutorial_zarr[cloud]'"
                ) from cause
            certificates: dict[str, Any] = {"ca_certs": self.verify} if isinstance(self.verify, str) else {}
            if not self.verify:
                certificates = {"cert_reqs": "CERT_NONE"}
            # It makes no request again: it would log the URL, with its query, when it did.
            manager = urllib3.PoolManager(maxsize=self.concurrency, retries=False, **certificates)
            manager.pool_classes_by_scheme = paced.pools()
            self._pool = manager.connection_from_url(self.url)  # of one server: none is asked for at each request
            tell_after_fork(self)
        return self._pool

    def after_fork(self) -> None:
        """In a forked child: the connections are the parent's, and an answer there may be its."""
        self._pool = None

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return self.get_part(key, byte_range)[0]

    def snapshot(self, key: str) -> Snapshot:
        return TaggedSnapshot(self, key)

    def get_part(self, key: str, byte_range: ByteRange = None) -> tuple[Any, str | None]:
        """What `get` returns, and the value's ETag, if the server gives one."""
        headers = {}
        if isinstance(byte_range, int):
            headers = {"Range": f"bytes={byte_range}"} if byte_range else {"Range": "bytes=0-0"}
        elif byte_range is not None:
            start, stop = byte_range
            headers = {"Range": f"bytes={start}-" + ("" if stop is None else str(max(stop, start + 1) - 1))}
        answer = self._request("GET", key, headers)
        if answer is None:
            return None, None
        tag = answer.headers.get("ETag")
        if answer.status == 200:
            return cut(answer.data, byte_range), tag  # a server that knows no ranges sends the whole
        if answer.status == 416 and isinstance(byte_range, int) and _total(answer) != 0:
            return self._last(key, byte_range)  # it knows ranges, and not "the last bytes"
        return self._part(key, byte_range, answer), tag

    def _last(self, key: str, count: int) -> tuple[Any, str | None]:
        size = self.get_size(key)
        if not size:
            return (None if size is None else b""), None
        return self.get_part(key, (max(size + count, 0), size))

    def _part(self, key: str, byte_range: ByteRange, answer: Any) -> bytes:
        """The bytes of a partial answer, if they are those that were asked for, and all of them."""
        said, data = answer.headers.get("Content-Range", ""), answer.data
        found, total = _RANGE.fullmatch(said), _total(answer)
        start = byte_range[0] if isinstance(byte_range, tuple) else None
        if answer.status == 416:  # the range begins where the value has ended
            if total == 0 or (start is not None and (total is None or total <= start)):
                return b""
        elif found and found[1] and len(data) == int(found[2]) + 1 - int(found[1]):
            kept = _asked_for(byte_range, int(found[1]), int(found[2]) + 1, total)
            if kept is not None:
                return cut(data, kept)
        wanted = "the whole" if byte_range is None else f"the range {byte_range}"
        raise self._failed(
            key,
            f"expected {wanted}, found Content-Range {said[:100]!r} and {len(data)} bytes with status {answer.status}; "
            "this server's ranges cannot be trusted",
        )

    def get_size(self, key: str) -> int | None:
        answer = self._head(key)
        if answer is None:
            return None
        if answer.status == 206 and (total := _total(answer)) is not None:
            return total
        size = answer.headers.get("Content-Length") if answer.status == 200 else None
        if size is None:
            return len(self.get(key) or b"")
        if re.fullmatch("[0-9]{1,18}", size):
            return int(size)
        raise self._failed(key, f"expected a size in Content-Length, found {size[:50]!r}")

    def exists(self, key: str) -> bool:
        return self._head(key) is not None

    def _head(self, key: str) -> Any:
        """What a server says of a value: to HEAD, or, where it knows GET alone, when asked for the first byte."""
        if self._heads is None:
            with process_lock((id(self), "HEAD")):  # of many threads one finds out
                if self._heads is None:
                    answer = self._request("HEAD", key, {}, also=NO_HEAD)
                    self._heads = answer is None or answer.status not in NO_HEAD
                    if self._heads:
                        return answer
        if self._heads:
            return self._request("HEAD", key, {})
        return self._request("GET", key, {"Range": "bytes=0-0"})

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        raise lists_nothing(self.url)

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        raise lists_nothing(self.url)

    def set(self, key: str, value: Any) -> None:
        self.check_writable()

    def delete(self, key: str) -> None:
        self.check_writable()

    def _request(self, verb: str, key: str, headers: dict[str, str], also: tuple[int, ...] = ()) -> Any:
        """The answer, whose status is one of success or in `also`; None where it says that there is no such key."""
        path = f"{self.parts.path.rstrip('/')}/{quote(check_key(key))}"
        here = url = self.parts._replace(path=path, fragment="").geturl()
        for _ in range(REDIRECTS + 1):
            answer = self._answer(verb, key, url, headers)
            if answer.status in self.absent:
                return None
            target = answer.get_redirect_location()
            if not target:
                break
            try:
                url = urljoin(url, target)
                elsewhere = urlsplit(url)[:2] != urlsplit(here)[:2]
            except ValueError:
                raise self._failed(key, f"expected a URL in a redirect, found {target[:200]!r}") from None
            if elsewhere:
                there = urlsplit(url).netloc.rpartition("@")[2]
                raise self._failed(
                    key,
                    f"expected an answer from this server, found a redirect to {there!r}, which is "
                    "refused; if that is where the data are, open that URL",
                )
        if answer.status in (200, 206, 416, *also):
            check_size(key, len(answer.data))
            packed = answer.headers.get("Content-Encoding", "identity")
            if packed.lower() == "identity" or verb == "HEAD":
                return answer
            raise self._failed(key, f"expected bytes as they are stored, found them packed by {packed!r} on the way")
        advice = "what it needs goes into storage_options={'headers': {...}}" if answer.status in (401, 403) else ""
        if answer.status == 403:
            advice += ", and if that is its word for absence, absent=(403, 404)"
        raise self._failed(key, f"the server answered {answer.status} {answer.reason}; {advice or 'try again later'}")

    def _answer(self, verb: str, key: str, url: str, headers: dict[str, str]) -> Any:
        """One answer; asked for again where a connection breaks or a server is busy."""
        pool = self.pool
        import urllib3

        options = {"redirect": False, "retries": False, "decode_content": False, "timeout": self.timeout}
        parts = urlsplit(url)
        target = (parts.path or "/") + (parts.query and f"?{parts.query}")
        for attempt in range(self.retries + 1):
            if attempt:  # a server's own word for how long, which could be a year, is not followed
                time.sleep(jitter(0, min(LONGEST_WAIT, 0.1 * 2**attempt)))
            try:
                answer = pool.urlopen(verb, target, headers=self.headers | headers, **options)
            except urllib3.exceptions.HTTPError as cause:
                reason = f"{_reason(cause)}; is the server up?"
                continue
            if answer.status not in RETRIED:
                return answer
            reason = f"the server answered {answer.status} {answer.reason}; try again later"
        raise self._failed(key, reason, transient=True)  # without its cause, which names the query

    def _failed(self, key: str, reason: str, transient: bool = False) -> StoreError:
        reason = public(reason)
        return StoreError(f"{self.url}: cannot read key {key!r}: {reason}", key=key, url=self.url, transient=transient)

    def __repr__(self) -> str:
        return f"HTTPStore({self.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_pool": None}


_RANGE = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)")


def _asked_for(byte_range: ByteRange, first: int, stop: int, total: int | None) -> ByteRange:
    """Which bytes of those from `first` to `stop` were asked for; None if not all of them are there."""
    if byte_range is None:
        return (0, None) if (first, stop) == (0, total) else None
    ends = total in (None, stop)  # whether the last of them is the value's last, if the server says so
    if isinstance(byte_range, int):
        enough = first == 0 or stop - first >= -byte_range
        return byte_range if byte_range == 0 or (ends and enough) else None
    start, end = byte_range[0], 1 << 62 if byte_range[1] is None else byte_range[1]
    if first != start or not (ends or stop >= end):
        return None
    return 0, max(end - first, 0)


def _total(answer: Any) -> int | None:
    """How long a value is, as a partial answer says."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return int(found[3]) if found and found[3] != "*" else None


def _reason(cause: Exception) -> str:
    """Why a request failed, without the URL's query, which may be a signature."""
    inner = getattr(cause, "reason", None) or cause
    said = re.sub(r"^<?\w+\(host=[^)]*\)[^:]*: ", "", str(inner))  # a connection, as Python shows it
    return f"{type(inner).__name__}: {said.partition('?')[0][:200]}"


def open_http_store(url: str, mode: str, options: dict[str, Any]) -> HTTPStore:
    """What `make_store` calls for ``http://`` and ``https://``."""
    return HTTPStore(url, **options)
