"""A store in anything that fsspec has a file system for: SFTP, WebDAV, HDFS, GitHub, a zip inside a bucket, and so on.

    make_store("sftp://host/path", storage_options={"username": ...})

`make_store` comes here with every URL whose scheme nothing else claims; for one that something else does claim,
``FsspecStore("gs://bucket/path", token="anon")`` is the way. An update keeps out the threads of this process and
nobody else, since fsspec knows neither locks nor conditions: use one writing process, or write whole chunks.
Whether a reader may see half a value is up to the file system: that of ``file://`` writes in place, so for a folder
`LocalStore`, which a plain path means, is the store to choose.

API: https://filesystem-spec.readthedocs.io/en/latest/api.html
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from tutorial_zarr.errors import MissingDependencyError, StoreError

from .base import ByteRange, Store, check_key, lists_nothing
from .bounds import check_size
from .place import file_location, names
from .secrets import because, hidden, public


class FsspecStore(Store):
    """What lies below a URL, or below `path` in a file system that was made before."""

    def __init__(self, url: str, read_only: bool = False, fs: Any = None, **options: Any) -> None:
        self.url, self.read_only, self.options = public(url).rstrip("/"), read_only, options
        self.fs, self.root = (fs, url) if fs is not None else _open(url, options)
        # a reference set has its keys at a root without a name; elsewhere that is a slash
        self.root, self._start = self.root.rstrip("/"), self.root and self.root.rstrip("/") + "/"
        self.concurrency = 64 if getattr(self.fs, "async_impl", False) else None

    def _path(self, key: str) -> str:
        return f"{self._start}{check_key(key)}" if key else self.root

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        path = self._path(key)
        if byte_range is None:
            value = self._try("read", key, lambda: self.fs.cat_file(path))
            check_size(key, len(value or b""))  # it cannot tell before, but for one more request for each value
            return value
        if isinstance(byte_range, int):
            size = self.get_size(key)
            if size is None:
                return None
            start, stop = max(size + byte_range, 0), size
            byte_range = (start, stop)
        start, stop = byte_range
        if stop is not None and start >= stop:
            return b"" if self.exists(key) else None
        try:
            return self._try("read", key, lambda: self.fs.cat_file(path, start=start, end=stop))
        except StoreError:
            size = self.get_size(key)  # some file systems fail where a range begins behind the end
            if size is None or start < size:
                raise
            return b""

    def get_ranges(self, key: str, ranges: Sequence[ByteRange]) -> list[Any]:
        if not ranges or not all(isinstance(each, tuple) and each[1] and each[0] < each[1] for each in ranges):
            return super().get_ranges(key, ranges)
        paths, bounds = [self._path(key)] * len(ranges), map(list, zip(*ranges, strict=True))
        try:
            found = self._try("read", key, lambda: self.fs.cat_ranges(paths, *bounds, on_error="raise"))
        except (
            StoreError
        ):  # one range failed: read them one by one to find out which, and whether it only lies past the end
            return super().get_ranges(key, ranges)
        return [None] * len(ranges) if found is None else found

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        path, data = self._path(check_key(key)), bytes(value)

        def write() -> None:
            try:
                self.fs.pipe_file(path, data)
            except FileNotFoundError:  # a file system with real folders
                self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self.fs.pipe_file(path, data)

        self._try("write", key, write)

    def delete(self, key: str) -> None:
        self.check_writable()
        self._try("delete", key, lambda: self.fs.rm_file(self._path(key)))

    def get_size(self, key: str) -> int | None:
        found = self._try("read", key, lambda: self.fs.info(self._path(key)))
        if found is None or found.get("type") == "directory":
            return None
        size = found.get("size")
        if size is None:  # it does not know: a web server that does not tell
            return len(self.get(key) or b"")
        if type(size) is not int or size < 0:
            raise StoreError(f"{self.url}: key {key!r}: expected a size, found {size!r}", key=key)
        return size

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        self.fs.invalidate_cache()
        start, below = len(self._start), prefix + "/" if prefix else ""
        found = self._try("list", prefix, lambda: self.fs.find(self._path(prefix)))  # a file's own path, for a file
        self._check_listed(found)
        yield from sorted(path[start:] for path in found if path[start:].startswith(below))

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        self.fs.invalidate_cache()
        found = self._try("list", prefix, lambda: self.fs.ls(self._path(prefix), detail=True)) or []
        self._check_listed(found)
        if [each["name"].strip("/") for each in found] == [self._path(prefix).strip("/")]:
            return  # a file, of which `ls` tells itself
        names = {each["name"].rstrip("/").rpartition("/")[2]: each["type"] == "directory" for each in found}
        yield from sorted(name + "/" if folder else name for name, folder in names.items() if name)

    def _check_listed(self, found: Any) -> None:
        """Refuse to take it for absence that a web server has no page with links, which is all that can be listed."""
        if not found and _protocol(_unwrapped(self.fs, self.root)[0]) in ("http", "https"):
            raise lists_nothing(self.url)

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        fs, root = _unwrapped(self.fs, self.root)
        protocol = _protocol(fs)
        if protocol in ("file", "local"):
            return file_location(root, path)
        options = getattr(fs, "storage_options", None) or {}
        endpoint = str((options.get("client_kwargs") or {}).get("endpoint_url") or options.get("endpoint_url") or "")
        whose = str(options.get("account_name") or options.get("fo") or "")
        return (protocol, endpoint.rstrip("/"), whose, *names(root), *names(path))

    def lock_name(self, key: str) -> Hashable:
        return self.url, key

    def _try(self, verb: str, key: str, request: Any) -> Any:
        """What `request` returns; None where there is no such file. Any other failure is a StoreError."""
        try:
            return request()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as cause:
            if verb != "write":
                return None
            raise self._failed(verb, key, cause)  # noqa: B904 - it has its cause, where that may be shown
        except Exception as cause:  # every file system has errors of its own
            raise self._failed(verb, key, cause)  # noqa: B904

    def _failed(self, verb: str, key: str, cause: Exception) -> StoreError:
        said = hidden(f"{type(cause).__name__}: {cause}", self.options)
        error = StoreError(
            f"{self.url}: cannot {verb} key {key!r}: {said}; are the storage_options right, which are those of "
            "fsspec's file system?",
            key=key,
            transient=isinstance(cause, (ConnectionError, TimeoutError)),
        )
        return because(error, cause, self.options)

    def __repr__(self) -> str:
        return f"FsspecStore({self.url!r})"


def _unwrapped(fs: Any, root: str) -> tuple[Any, str]:
    """The file system behind caches and folders that are file systems of their own, and the root in it."""
    while (inside := getattr(fs, "fs", None)) is not None:
        if type(fs).__name__ == "DirFileSystem":
            root = f"{fs.path}/{root}"
        elif "Cache" not in type(fs).__name__ and "Cacher" not in type(fs).__name__:
            break  # an archive within another file: its own keys
        fs = inside
    return fs, root


def _protocol(fs: Any) -> str:
    """What stands before :// in the URLs of a file system; of several names the first."""
    return fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]


def _open(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    """The file system and the path in it."""
    try:
        import fsspec
    except ImportError as cause:
        raise MissingDependencyError(
            f"{public(url)}: this kind of URL needs fsspec; try: pip install 'tutorial_zarr[cloud]'"
        ) from cause
    try:
        return fsspec.core.url_to_fs(url, **{"use_listings_cache": False, **options})
    except ImportError as cause:
        raise MissingDependencyError(f"{public(url)}: fsspec needs one more package: {cause}") from cause
    except Exception as cause:  # every file system has errors of its own
        said = f"{public(url)}: cannot open with the options {sorted(options)}: {hidden(str(cause), options)}"
        raise because(StoreError(said), cause, options)  # noqa: B904 - it has its cause, where that may be shown


def knows(scheme: str) -> bool:
    """Whether fsspec is here, and has a file system for a URL's scheme."""
    try:
        import fsspec
    except ImportError:
        return False
    return scheme in fsspec.available_protocols()


def open_fsspec_store(url: str, mode: str, options: dict[str, Any]) -> FsspecStore:
    """What `make_store` calls for a scheme that nothing else claims."""
    return FsspecStore(url, **{"read_only": mode == "r", **options})
