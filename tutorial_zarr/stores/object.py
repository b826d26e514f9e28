"""A store in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage; through obstore.

    make_store("s3://bucket/path", storage_options={"anon": True})
    make_store("s3://bucket/path", storage_options={"key": ..., "secret": ..., "endpoint_url": ...})
    make_store("gs://bucket/path", storage_options={"service_account": "file.json"})
    make_store("az://container/path", storage_options={"account_name": ..., "account_key": ...})

An option is one of `ObjectStore`'s own, one of obstore's (``region``, ``endpoint``, ``skip_signature``, ...), or
s3fs's name for one of those. Without options the environment counts, as with the vendors' own tools.

An update puts on condition: if the object is still the one that was read. That keeps out writers on other machines
too. There is no such thing as delete-if-unchanged, so an update cannot delete.

Plain HTTP servers are in `http`, everything else that fsspec reaches is in `fsspec`.

API: https://developmentseed.org/obstore/latest/api/store/

>>> from tutorial_zarr.stores import make_store
>>> make_store("s3://bucket/path", storage_options={"anon": True})
ObjectStore('s3://bucket/path')
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

from tutorial_zarr.errors import MissingDependencyError, NodeNameError, StoreError

from .base import ABSENT, ByteRange, Store, check_key, cut
from .snapshot import Snapshot, TaggedSnapshot

CLASSES = {"s3": "S3Store", "s3a": "S3Store", "gs": "GCSStore", "gcs": "GCSStore", "az": "AzureStore"}
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
    """

    conditional = True
    update_deletes = False

    def __init__(
        self,
        url: Any,
        read_only: bool = False,
        concurrency: int = 64,
        timeout: float = 30.0,
        retries: int = 5,
        deadline: float = 120.0,
        **options: Any,
    ) -> None:
        self.read_only, self.concurrency = read_only, concurrency
        self.limits, self.options = (timeout, retries, deadline), options
        self.url, self._client = (url.rstrip("/"), None) if isinstance(url, str) else (repr(url), url)
        self._found = self._suffixes = None  # whether the bucket was seen to exist; whether it knows suffix ranges

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

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()
        keys = self.list_prefix(prefix)
        while batch := list(islice(keys, PAGE)):
            self._request("delete below", prefix, lambda obstore, batch=batch: obstore.delete(self.client, batch))

    # --- changing a value

    def lock_name(self, key: str) -> Hashable:
        return self.url, key

    def get_tagged(self, key: str) -> tuple[Any, Any]:
        def get(obstore: Any) -> tuple[Any, Any]:
            found = obstore.get(self.client, key)
            tag = {name: found.meta[name] for name in ("e_tag", "version") if found.meta[name]}
            return bytes(found.bytes()), tag

        value, tag = self._request("read", key, get) or (None, ABSENT)
        if not tag:
            raise StoreError(
                f"{self.url}: key {key!r}: expected an ETag with the value, which an update needs, found none; "
                "this server can only be written to in whole chunks",
                key=key,
            )
        return value, tag

    def set_if(self, key: str, value: Any, tag: Any, writer: str = "") -> bool:
        self.check_writable()
        if value is None:
            if tag is ABSENT:
                return True
            raise StoreError(
                f"{self.url}: key {key!r}: expected an update to new bytes, found one that deletes, which no object "
                "store can do on condition; write an empty value, or delete when nobody else writes",
                key=key,
            )
        # A server may have put the value although its answer was lost, and another try then finds it "changed". So
        # that one can tell, the object carries a name for this write, beside its bytes.
        writer = writer or os.urandom(12).hex()
        data = bytes(value)

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
                raise self._failed(verb, key, cause, "does the bucket or container exist?") from cause
            return None
        except (obstore.exceptions.PermissionDeniedError, obstore.exceptions.UnauthenticatedError) as cause:
            advice = "public data may want storage_options={'anon': True}, other data credentials in storage_options"
            raise self._failed(verb, key, cause, advice) from cause
        except obstore.exceptions.NotSupportedError as cause:
            raise self._failed(verb, key, cause, "this kind of server cannot do that") from cause
        except obstore.exceptions.BaseError as cause:
            status = re.search(r"status code: (\d+)", str(cause))
            if ranged and re.search("status code: 416|bytes 0--1/0|Wanted range starting at", str(cause)):
                return b""  # a range that begins where the value has ended; azurite says so in its own way
            if ranged and "non-partial" in str(cause):
                return WHOLE
            transient = not status or status[1][0] == "5" or status[1] in ("408", "429")
            advice = "is the server up, and the endpoint right?" if not status else "see what the server answered"
            raise self._failed(verb, key, cause, advice, transient) from cause
        except ValueError as cause:
            if "parse path" not in str(cause):
                raise
            raise NodeNameError(f"{self.url}: key {key!r}: expected a key that an object can have: {cause}") from cause

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
        fields = {"key": key, "url": self.url, "transient": transient}
        return StoreError(f"{self.url}: cannot {verb} {where}: {reason}; {advice}", **fields)

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectStore) and (self.url, self.options) == (other.url, other.options)

    def __hash__(self) -> int:
        return hash(self.url)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | ({"_client": None} if "://" in self.url else {})


def _with_tag(found: Any) -> tuple[bytes, str | None]:
    tag = found.meta["e_tag"]
    return bytes(found.bytes()), tag


_state = {"used": False, "forked": False}  # whether obstore's threads run; whether they were left behind by a fork


def _after_fork() -> None:
    _state["forked"] = _state["used"]


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
        raise StoreError(
            f"{url}: cannot open with the options {sorted(options)}: {str(cause).partition('Debug source')[0].strip()} "
            f"The options are those of obstore's {CLASSES[scheme]}",
            url=url,
        ) from cause


def open_object_store(url: str, mode: str, options: dict[str, Any]) -> ObjectStore:
    """What `make_store` calls for the URL of a bucket."""
    return ObjectStore(url, **{"read_only": mode == "r", **options})
