"""A store in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage; through obstore.

    make_store("s3://bucket/path", storage_options={"anon": True})
    make_store("s3://bucket/path", storage_options={"key": ..., "secret": ..., "endpoint_url": ...})
    make_store("gs://bucket/path", storage_options={"service_account": "file.json"})
    make_store("az://container/path", storage_options={"account_name": ..., "account_key": ...})

An option is one of `ObjectStore`'s own, one of obstore's (``region``, ``endpoint``, ``skip_signature``, ...), or
s3fs's name for one of those. Without options the environment counts, as with the vendors' own tools.

An update puts on condition: if the object is still the one that was read. That keeps out writers on other machines
too. There is no such thing as delete-if-unchanged, so an update cannot delete. Some servers that speak like S3 take the
condition for nothing, and put; so the first update in a bucket that is not Amazon's own, Google's or Azure's tries a
few puts that must fail (4 requests in each process), and is refused where they do not.

Plain HTTP servers are in `http`, everything else that fsspec reaches is in `fsspec`.

API: https://developmentseed.org/obstore/latest/api/store/

>>> from tutorial_zarr.stores import make_store
>>> make_store("s3://bucket/path", storage_options={"anon": True})
ObjectStore('s3://bucket/path')
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice, pairwise
from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.errors import MissingDependencyError, NodeNameError, StoreError

from .base import ABSENT, ByteRange, Store, check_key, cut
from .bounds import check_size
from .place import file_location, names
from .secrets import because, hidden, public
from .snapshot import Snapshot, TaggedSnapshot

CLASSES = {"s3": "S3Store", "s3a": "S3Store", "gs": "GCSStore", "gcs": "GCSStore", "az": "AzureStore"}
KINDS = {"S3Store": "s3", "GCSStore": "gs", "AzureStore": "abfs"}  # as fsspec calls them, for `location`
S3FS_NAMES = {
    "anon": "skip_signature",
    "key": "access_key_id",
    "secret": "secret_access_key",
    "endpoint_url": "endpoint",
    "region_name": "region",
}
PART = 16 << 20  # larger values go up in parts of this size, several at a time
WHOLE = object()  # a server that answers a range with the whole value
PAGE = 1000  # what the services list, and delete, with one request


class ObjectStore(Store):
    """A bucket or container, or what lies below a path in it.

    `concurrency` requests are worth having in flight. A request that takes longer than `timeout` seconds is given up
    and made again, like one that the server could not serve, up to `retries` times within `deadline` seconds.

    ``conditional=False`` is for a server that ignores conditions: an update then keeps out the threads of this process
    and nobody else, so that no other program may write meanwhile.
    """

    def __init__(
        self,
        url: Any,
        read_only: bool = False,
        concurrency: int = 64,
        timeout: float = 30.0,
        retries: int = 5,
        deadline: float = 120.0,
        conditional: bool = True,
        **options: Any,
    ) -> None:
        self.read_only, self.concurrency = read_only, concurrency
        self.conditional, self.update_deletes = conditional, not conditional
        self.set_waits = conditional  # it does not, but an update finds the tag changed
        self.limits, self.options = (timeout, retries, deadline), options
        self.url = url.rstrip("/") if isinstance(url, str) else repr(url)
        self._client: Any = None if isinstance(url, str) else url
        self._found: bool | None = None  # whether the bucket was seen to exist
        self._suffixes: bool | None = None  # whether it knows suffix ranges

    @property
    def shown(self) -> str:
        """The URL as messages have it."""
        return public(self.url)

    @property
    def client(self) -> Any:
        """The obstore object, made when it is first needed."""
        if self._client is None:
            self._client = _connect(self.url, self.limits, self.options)
        return self._client

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return self.get_part(key, byte_range)[0]

    def snapshot(self, key: str) -> Snapshot:
        return TaggedSnapshot(self, key)

    def get_part(self, key: str, byte_range: ByteRange = None) -> tuple[Any, str | None]:
        """What `get` returns, and the value's ETag, if the server gives one."""

        def get(obstore: Any) -> tuple[Any, str | None]:
            if isinstance(byte_range, int):
                return self._get_suffix(obstore, key, -byte_range)
            options = {}
            if byte_range is not None:
                start, stop = byte_range
                if stop is not None and start >= stop:  # nothing is asked for, and an absent key is still None
                    return b"", obstore.head(self.client, key)["e_tag"]
                options = {"range": {"offset": start} if stop is None else (start, stop)}
            return _with_tag(obstore.get(self.client, key, options=options))

        found = self._request("read", key, get, ranged=True)
        if found is WHOLE:
            value, tag = self.get_part(key)
            return cut(value, byte_range), tag
        return found if isinstance(found, tuple) else (found, None)

    def _get_suffix(self, obstore: Any, key: str, nbytes: int) -> tuple[bytes, str | None]:
        if nbytes and self._suffixes is not False:
            try:
                return _with_tag(obstore.get(self.client, key, options={"range": {"suffix": nbytes}}))
            except obstore.exceptions.NotSupportedError:  # Azure
                self._suffixes = False
        meta = obstore.head(self.client, key)
        if not nbytes or not meta["size"]:
            return b"", meta["e_tag"]
        options = {"range": {"offset": max(meta["size"] - nbytes, 0)}, "if_match": meta["e_tag"]}
        try:
            return _with_tag(obstore.get(self.client, key, options=options))
        except obstore.exceptions.PreconditionError:  # written since its size was asked for
            return self._get_suffix(obstore, key, nbytes)

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        plain = [each for each in ranges if isinstance(each, tuple) and each[1] and each[0] < each[1]]
        ordered = sorted(plain)
        if len(plain) < 2 or len(plain) < len(ranges) or any(a[1] >= b[0] for a, b in pairwise(ordered)):
            return super().get_ranges(key, ranges)  # obstore combines ranges that touch, and panics at a value's end
        starts, ends = zip(*plain, strict=True)

        def get(obstore: Any) -> list[Any]:
            return list(map(bytes, obstore.get_ranges(self.client, key, starts=starts, ends=ends, coalesce=0)))

        found = self._request("read", key, get, ranged=True)
        if found == b"" or found is WHOLE:  # one begins past the value's end: which?
            return super().get_ranges(key, ranges)
        return [None] * len(ranges) if found is None else found

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        data = bytes(value)  # obstore takes no other types of items, and may hold on to the buffer
        self._request("write", key, lambda obstore: obstore.put(self.client, key, data, chunk_size=PART))

    def delete(self, key: str) -> None:
        self.check_writable()
        self._request("delete", key, lambda obstore: obstore.delete(self.client, key))

    def get_size(self, key: str) -> int | None:
        return self._request("read", key, lambda obstore: obstore.head(self.client, key)["size"])

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        def pages(obstore: Any) -> list[str]:
            return [meta["path"] for page in obstore.list(self.client, prefix, chunk_size=PAGE) for meta in page]

        yield from sorted(self._request("list", prefix, pages))

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        found = self._request("list", prefix, lambda obstore: obstore.list_with_delimiter(self.client, prefix))
        skip = len(prefix) + 1 if prefix else 0
        names = [path[skip:].strip("/") + "/" for path in found["common_prefixes"]]
        yield from sorted(names + [meta["path"][skip:] for meta in found["objects"]])

    def delete_keys(self, keys: Iterable[str]) -> None:
        self.check_writable()
        keys = iter(keys)
        while batch := list(islice(keys, PAGE)):
            if not self._request("delete", batch[0], partial(self._delete, batch)):
                # One was absent, and there some servers, and obstore with them, leave the others. So each by itself.
                for _ in parallel.stream(self.delete, batch, self.concurrency or 1, ordered=False, writes=True):
                    pass

    def _delete(self, keys: list[str], obstore: Any) -> bool:
        obstore.delete(self.client, keys)
        return True

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        kind, prefix = type(self.client).__name__, getattr(self.client, "prefix", None) or ""
        if kind == "LocalStore":
            return file_location(str(prefix), path)
        config = getattr(self.client, "config", None)
        if config is None:
            return (kind, id(self.client), *names(path))
        where = [str(config.get(name, "")).rstrip("/") for name in ("endpoint", "account_name")]
        bucket = str(config.get("bucket") or config.get("container_name") or "")
        return (KINDS.get(kind, kind), *where, *names(bucket), *names(str(prefix)), *names(path))

    # --- changing a value

    def lock_name(self, key: str) -> Hashable:
        return self.url, key

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        if not self.conditional:
            return super().get_tagged(key)

        def get(obstore: Any) -> tuple[Any, Any]:
            found = obstore.get(self.client, key)
            tag = {name: found.meta[name] for name in ("e_tag", "version") if found.meta[name]}
            return bytes(found.bytes()), tag

        value, tag = self._request("read", key, get) or (None, ABSENT)
        if not tag:
            raise StoreError(
                f"{self.shown}: key {key!r}: expected an ETag with the value, which an update needs, found none; "
                "this server can only be written to in whole chunks",
                key=key,
            )
        return value, tag

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        self.check_writable()
        if not self.conditional:
            return super().set_if(key, value, tag, writer)
        if value is None:
            if tag is ABSENT:
                return True
            raise StoreError(
                f"{self.shown}: key {key!r}: expected an update to new bytes, found one that deletes, which no object "
                "store can do on condition; write an empty value, or delete when nobody else writes",
                key=key,
            )
        # A server may have put the value although its answer was lost, and another try then finds it "changed". So
        # that one can tell, the object carries a name for this write, beside its bytes.
        writer = writer or os.urandom(12).hex()
        data = bytes(value)
        self._check_conditions()

        def put(obstore: Any) -> bool:
            mode = "create" if tag is ABSENT else tag
            try:
                obstore.put(self.client, key, data, mode=mode, attributes={"writer": writer}, use_multipart=False)
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                return self._was_put_by(obstore, key, writer)
            except obstore.exceptions.GenericError:
                if self._was_put_by(obstore, key, writer):
                    return True
                raise
            return True

        return bool(self._request("write", key, put))

    def _was_put_by(self, obstore: Any, key: str, writer: str) -> bool:
        try:
            found = obstore.get(self.client, key, options={"head": True})
        except FileNotFoundError:
            return False
        return found.attributes.get("writer") == writer

    def _check_conditions(self) -> None:
        """Refuse to update where the server ignores conditions. It is asked once in each process."""
        where = self._clone()
        if where is None:
            return
        with _probing:
            if where not in _ignored:
                _ignored[where] = self._probe()
        if _ignored[where]:
            raise StoreError(
                f"{self.url}: expected a server that puts on condition, found one that ignores {_ignored[where]}, so "
                "that an update could undo another writer's; nothing was updated. If no other program writes there at "
                "the same time, try storage_options={'conditional': False}",
                url=self.url,
            )

    def _clone(self) -> tuple[str, ...] | None:
        """What to remember a server by that speaks like S3; None for Amazon's own, and for those that are not of S3."""
        if type(self.client).__name__ != "S3Store":
            return None
        endpoint = self.client.config.get("endpoint") or next(filter(None, map(os.environ.get, ENDPOINTS)), "")
        if not endpoint or _AMAZON.search(endpoint):
            return None
        return endpoint, str(self.client.config.get("bucket"))

    def _probe(self) -> str:
        """The condition that this server ignores, if it does."""
        key = f".unfinished/probe-{os.urandom(8).hex()}"

        def put(obstore: Any, mode: Any) -> bool:
            try:
                obstore.put(self.client, key, b"", mode=mode, use_multipart=False)
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                return False
            return True

        def probe(obstore: Any) -> str:
            put(obstore, "create")  # if its answer is lost, and it is made again, it is refused: that is well too
            try:
                if put(obstore, "create"):
                    return "If-None-Match"
                return "If-Match" if put(obstore, {"e_tag": '"00000000000000000000000000000000"'}) else ""
            finally:
                try:
                    obstore.delete(self.client, key)
                except (FileNotFoundError, obstore.exceptions.BaseError):
                    pass  # an empty object, in a folder that no reader looks into

        return str(self._request("write", key, probe))

    # --- requests, and what can go wrong with them

    def _request(self, verb: str, key: str, request: Callable[[Any], Any], ranged: bool = False) -> Any:
        """What `request` returns; None where there is no such key. Any other failure is a StoreError."""
        obstore = _obstore()
        if key or verb in ("read", "write", "delete"):
            check_key(key)
        try:
            return request(obstore)
        except FileNotFoundError as cause:
            if verb in ("list", "write") or not self._bucket_exists(obstore, key, cause):
                raise self._failed(verb, key, cause, "does the bucket or container exist?")  # noqa: B904 - see there
            return None
        except (obstore.exceptions.PermissionDeniedError, obstore.exceptions.UnauthenticatedError) as cause:
            advice = "public data may want storage_options={'anon': True}, other data credentials in storage_options"
            raise self._failed(verb, key, cause, advice)  # noqa: B904
        except obstore.exceptions.NotSupportedError as cause:
            raise self._failed(verb, key, cause, "this kind of server cannot do that")  # noqa: B904
        except obstore.exceptions.BaseError as cause:
            answer = _range_answer(str(cause), ranged)
            if answer is not None:
                return answer
            raise self._failed(verb, key, cause, *_advice(str(cause)))  # noqa: B904
        except ValueError as cause:
            if "parse path" not in str(cause):
                raise
            raise NodeNameError(
                f"{self.shown}: key {key!r}: expected a key that an object can have: {cause}"
            ) from cause

    def _bucket_exists(self, obstore: Any, key: str, cause: Exception) -> bool:
        """Whether it is the key that is absent, or the whole bucket. The answer to a HEAD does not say: ask once."""
        if "HEAD" in str(cause) and not self._found:
            try:
                obstore.get(self.client, key)
            except FileNotFoundError as answer:
                cause = answer
        self._found = self._found or not re.search(r"NoSuchBucket|ContainerNotFound|bucket does not exist", str(cause))
        return bool(self._found)

    def _failed(self, verb: str, key: str, cause: Exception, advice: str, transient: bool = False) -> StoreError:
        text = str(cause).partition("Debug source")[0].strip()
        answer = re.search(
            r"status code: (\d+ [\w ]+).*?(?:<Code>(.*?)</Code>.*?<Message>(.*?)</Message>|$)", text, re.S
        )
        reason = ": ".join(filter(None, answer.groups())) if answer else re.sub(r"\?\S+", "?...", text)[:300]
        where = f"key {key!r}" if key else "the whole store"
        fields = {"key": key, "url": self.shown, "transient": transient}
        reason = hidden(reason, self.options)
        error = StoreError(f"{self.shown}: cannot {verb} {where}: {reason}; {advice}", **fields)
        return because(error, cause, self.options)  # with its cause, where that tells no secret

    def __repr__(self) -> str:
        return f"ObjectStore({self.shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStore) and (self.url, self.options) == (other.url, other.options)

    def __hash__(self) -> int:
        return hash(self.url)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | ({"_client": None} if "://" in self.url else {})


def _range_answer(said: str, ranged: bool) -> Any:
    """Return what an error of obstore means where a range was asked for: no bytes, or WHOLE; None for a failure."""
    if ranged and re.search("status code: 416|bytes 0--1/0|Wanted range starting at", said):
        return b""  # the range begins where the value has ended; azurite says so in its own way
    return WHOLE if ranged and "non-partial" in said else None


def _advice(said: str) -> tuple[str, bool]:
    """Return what to do about an error of obstore, and whether it may be gone when asked again."""
    status = re.search(r"status code: (\d+)", said)
    if status is None:
        return "is the server up, and the endpoint right?", True
    return "see what the server answered", status[1][0] == "5" or status[1] in ("408", "429")


def _with_tag(found: Any) -> tuple[bytes, str | None]:
    tag, (start, stop) = found.meta["e_tag"], found.range
    check_size(found.meta["path"], stop - start)  # before the bytes are taken
    return bytes(found.bytes()), tag


ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")  # of the environment
_AMAZON = re.compile(r"^https?://([^/]*[.])?amazonaws[.]com([.]cn)?(:[0-9]+)?(/|$)")
_ignored: dict[tuple[str, ...], str] = {}  # endpoint and bucket -> the condition that is ignored there; "" for none
_probing = threading.Lock()
_state = {"used": False, "forked": False}  # whether obstore's threads run; whether they were left behind by a fork


def _after_fork() -> None:
    global _probing
    _state["forked"], _probing = _state["used"], threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _obstore() -> Any:
    if _state["forked"]:
        raise StoreError(
            "expected a process that was spawned, found one that was forked after its parent had used a bucket: a "
            "request would wait for threads that are not here; try multiprocessing.get_context('spawn')"
        )
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError as cause:
        raise MissingDependencyError("a bucket needs obstore; try: pip install 'tutorial_zarr[cloud]'") from cause
    _state["used"] = True
    return obstore


def _connect(url: str, limits: tuple[float, int, float], options: dict[str, Any]) -> Any:
    """The obstore object for a URL."""
    obstore = _obstore()
    options = {**options, **options.get("client_kwargs", {})}
    options.pop("client_kwargs", None)
    config = {S3FS_NAMES.get(name, name): value for name, value in options.items() if value is not None}
    timeout, retries, deadline = limits
    client = {"timeout": timedelta(seconds=timeout), **config.pop("client_options", {})}
    retry = {"max_retries": retries, "retry_timeout": timedelta(seconds=deadline), **config.pop("retry_config", {})}
    if str(config.get("endpoint", "")).startswith("http://"):
        client.setdefault("allow_http", True)
    provider = {name: config.pop(name) for name in ("credential_provider",) if name in config}
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    kind = getattr(obstore.store, CLASSES[scheme])
    try:
        return kind(bucket, prefix=prefix or None, config=config, client_options=client, retry_config=retry, **provider)
    except (obstore.exceptions.BaseError, TypeError, ValueError) as cause:
        said = hidden(str(cause).partition("Debug source")[0].strip(), options)
        error = StoreError(
            f"{public(url)}: cannot open with the options {sorted(options)}: {said} The options are those of "
            f"obstore's {CLASSES[scheme]}",
            url=public(url),
        )
        raise because(error, cause, options)  # noqa: B904


def open_object_store(url: str, mode: str, options: dict[str, Any]) -> ObjectStore:
    """What `make_store` calls for the URL of a bucket."""
    return ObjectStore(url, **{"read_only": mode == "r", **options})
