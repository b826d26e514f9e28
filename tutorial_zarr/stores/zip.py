"""A store in one zip file.

Values are stored uncompressed (chunks are compressed already). A zip file can only grow: a key that is set again
leaves its old bytes in the file, and the newest entry counts; `compact` writes the file anew without them, and
closing does so where keys were deleted. A file that is being written becomes readable when the store is closed.
"""

from __future__ import annotations

import lzma
import os
import threading
import time
import warnings
import zipfile
import zlib
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from tutorial_zarr import limits
from tutorial_zarr.errors import NodeNameError, StoreError

from .base import ByteRange, Leftover, Store, check_key, cut
from .snapshot import Snapshot

# What zipfile and its decompressors raise on bytes that are not what the directory says
UNREADABLE = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, OSError, zlib.error, lzma.LZMAError)
_DATE = (1980, 1, 1, 0, 0, 0)  # same input, same bytes: no clock


class ZipStore(Store):
    """A zip file: mode ``"r"`` reads, ``"w"`` starts anew, ``"a"`` adds, ``"x"`` refuses an existing file."""

    def __init__(self, path: str | os.PathLike[str], mode: str = "r") -> None:
        if mode not in ("r", "w", "a", "x"):
            raise ValueError(f"ZipStore: expected mode 'r', 'w', 'a' or 'x', found {mode!r}")
        self.path, self.mode = os.path.abspath(os.fspath(path)), mode
        self.read_only = mode == "r"
        self._lock = threading.RLock()
        self._stale = False  # whether the file holds entries that were deleted
        if mode == "a" and os.path.exists(self.path) and not zipfile.is_zipfile(self.path):
            raise StoreError(f"{self.path}: expected a zip file, found one that is not")
        # A file to add to that is not there yet is made with the first value.
        self._zip: zipfile.ZipFile | None = None if mode == "a" and not os.path.exists(self.path) else self._open(mode)
        self._names: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist() if self._zip else ():
            name = info.filename
            if name.endswith("/"):
                continue  # a folder's own entry
            try:
                self._names[check_key(name)] = info  # the newest entry of a name counts
            except NodeNameError as cause:
                self.close()
                raise NodeNameError(
                    f"{self.path}: the entry {name!r} would leave the store; refusing the file", key=name
                ) from cause

    def _open(self, mode: str) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path, mode, zipfile.ZIP_STORED, allowZip64=True)  # type: ignore[arg-type]
        except FileNotFoundError as cause:
            raise StoreError(f"{self.path}: expected a zip file, found no file") from cause
        except (FileExistsError, PermissionError):
            raise
        except UNREADABLE as cause:
            raise StoreError(f"{self.path}: expected a zip file, found bytes that are not: {cause}") from cause

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return _Entry(self, key).get(byte_range)

    def snapshot(self, key: str) -> Snapshot:
        return _Entry(self, key)

    def _get(self, info: zipfile.ZipInfo, byte_range: ByteRange) -> Any:
        """The bytes of an entry; one that was overwritten is in the file all the same."""
        key = info.filename
        with self._lock:
            try:
                if byte_range is None or info.compress_type != zipfile.ZIP_STORED:
                    return cut(self._read(info), byte_range)
                size = info.file_size
                start, stop = (max(size + byte_range, 0), size) if isinstance(byte_range, int) else byte_range
                stop = size if stop is None else min(stop, size)
                if start >= stop:
                    return b""
                with self._zip.open(info) as file:
                    file.seek(start)
                    return file.read(stop - start)
            except StoreError:
                raise
            except UNREADABLE as cause:
                raise StoreError(f"{self.path}: cannot read the entry {key!r}: {cause}", key=key) from cause

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        # The size in the directory is not trusted to allocate by: reading stops where the entry's data does, and an
        # entry that is compressed, which may unpack to anything, is bounded.
        limit = limits.current().unsized_bytes
        if info.compress_type != zipfile.ZIP_STORED and info.file_size > limit:
            raise StoreError(
                f"{self.path}: expected an entry {info.filename!r} that unpacks to at most {limit} bytes, the limit "
                f"unsized_bytes, found {info.file_size} bytes packed into {info.compress_size}; try "
                "tutorial_zarr.limits.configure, if you trust the file",
                key=info.filename,
            )
        with self._zip.open(info) as file:
            data = file.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise StoreError(
                f"{self.path}: expected {info.file_size} bytes in the entry {info.filename!r}, found {len(data)}",
                key=info.filename,
            )
        return data

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        info = zipfile.ZipInfo(check_key(key), _DATE)
        info.external_attr = 0o644 << 16
        with self._lock:
            self._zip = self._zip or self._open("x")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a name that comes again is our way to overwrite
                self._zip.writestr(info, bytes(value))
            self._names[key] = self._zip.getinfo(key)

    def delete(self, key: str) -> None:
        self.check_writable()
        with self._lock:
            if self._names.pop(key, None) is not None:
                self._stale = True

    def exists(self, key: str) -> bool:
        return key in self._names

    def get_size(self, key: str) -> int | None:
        info = self._names.get(key)
        return None if info is None else info.file_size

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        start = prefix + "/" if prefix else ""
        yield from sorted(name for name in list(self._names) if name.startswith(start))

    def lock_name(self, key: str) -> Hashable:
        return self.path, key

    def compact(self) -> None:
        """Write the file anew without what was deleted or overwritten."""
        self.check_writable()
        with self._lock:
            temporary = self.path + ".partial"
            with ZipStore(temporary, "w") as fresh:
                for key in self.list_prefix():
                    fresh.set(key, self.get(key))
            if self._zip:
                self._zip.close()
            os.replace(temporary, self.path)
            self._zip = self._open("a")
            self._names = {info.filename: info for info in self._zip.infolist()}
            self._stale = False

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        path = self.path + ".partial"  # of a `compact` that was killed
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return []
        age = max(0.0, time.time() - status.st_mtime)
        return [Leftover(path, status.st_size, age)] if age >= older_than else []

    def close(self) -> None:
        with self._lock:
            if self._zip is None:
                return
            if self._stale and self._zip.fp is not None:
                self.compact()
            self._zip.close()

    def __repr__(self) -> str:
        return f"ZipStore({self.path!r}, mode={self.mode!r})"

    def __getstate__(self) -> dict[str, Any]:
        if not self.read_only:
            raise TypeError(f"{self!r}: a zip file being written cannot be sent to another process; close it first")
        return {"path": self.path, "mode": self.mode}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"], state["mode"])  # type: ignore[misc]


class _Entry(Snapshot):
    """An entry of the file, which stays there when another one of its name is added."""

    isolated = True
    store: ZipStore

    def __init__(self, store: ZipStore, key: str) -> None:
        super().__init__(store, key)
        self.info = store._names.get(key)

    def get(self, byte_range: ByteRange) -> Any:
        return None if self.info is None else self.store._get(self.info, byte_range)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        return [self.get(byte_range) for byte_range in ranges]
