"""A store in one zip file.

Values are stored uncompressed (chunks are compressed already). A key that is set again leaves its old bytes in the
file, out of its directory; `compact` rewrites the file without them, and closing does so if keys were deleted.

A zip file ends with its directory, so adding to it would make it unreadable for a while. Therefore what is written
goes into ``<name>.partial``, which begins as a copy of the file and takes its place when the store is closed, or
dropped. Until then every reader sees the file as it was, and so it stays if the writer is killed. The price is that
copy, at the first write after opening, and the disk space for it; for many small additions, use SQLite.

One handle writes at a time; another one is refused until the first is closed. A handle sees the file as it was when it
opened it, and with its own first write what others made of it by then.
"""

from __future__ import annotations

import atexit
import io
import os
import shutil
import struct
import threading
import time
import weakref
import zipfile
import zlib
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NoReturn

from tutorial_zarr import limits
from tutorial_zarr.errors import NodeNameError, StoreError

from . import locks
from .base import ByteRange, Change, Leftover, Store, check_key, cut
from .bounds import check_size
from .place import file_location
from .snapshot import Snapshot

# What zipfile and its decompressors raise on bytes that are not what the directory says. zipfile has lzma's, or not.
_LZMA = getattr(getattr(zipfile, "lzma", None), "LZMAError", zlib.error)
UNREADABLE = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, OSError, zlib.error, _LZMA)
PARTIAL, COMPACT, LOCK = ".partial", ".compact.partial", ".lock.partial"
_DATE = (1980, 1, 1, 0, 0, 0)  # same input, same bytes: no clock
_HEADER = struct.Struct("<4s2xH18xHH")  # of an entry: a mark, flags, how long its name is, and what follows that
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW = _BINARY | getattr(os, "O_NOFOLLOW", 0) | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_PIECE = 1 << 24
_writers: weakref.WeakValueDictionary[int, ZipStore] = weakref.WeakValueDictionary()  # stores with unfinished files


@atexit.register
def _close_writers() -> None:
    for store in list(_writers.values()):
        store.close()


class ZipStore(Store):
    """A zip file: mode ``"r"`` reads, ``"w"`` starts an empty one, ``"a"`` adds, ``"x"`` refuses an existing file."""

    holds_back = True

    def __init__(self, path: str | os.PathLike[str], mode: str = "r") -> None:
        if mode not in ("r", "w", "a", "x"):
            raise ValueError(f"ZipStore: expected mode 'r', 'w', 'a' or 'x', found {mode!r}")
        self.path, self.mode = os.path.abspath(os.fspath(path)), mode
        self._real = os.path.realpath(self.path)  # through a link, as what it leads to will be replaced
        self.read_only = mode == "r"
        self._lock = threading.RLock()
        self._file: _File | None = None  # what is read: the file, or the copy that will take its place
        self._writing: locks.FileLock | None = None  # while there is such a copy
        self._unmade = mode in ("w", "x")  # whether closing makes a file even if nothing was written
        self._stale = self._forked = False  # whether the copy holds what was deleted; whether it is a parent's
        self._names: dict[str, zipfile.ZipInfo] = {}
        self._end, self._comment, self._version = 0, b"", 0
        self._found: tuple[int, ...] | None = None  # by what one tells that nobody replaced the file
        locks.tell_after_fork(self)
        there = os.path.lexists(self.path)
        if mode == "x" and there:
            raise FileExistsError(f"{self.path}: expected no file, found one")
        if mode != "r" and not os.path.isdir(os.path.dirname(self._real)):
            raise StoreError(f"{self.path}: expected a folder to make a zip file in, found none")
        if mode == "r" or (mode == "a" and there):
            self._load()

    def after_fork(self) -> None:
        """In a forked child: it reads on, and what is being written is the parent's."""
        self._lock = threading.RLock()
        self._forked = self._writing is not None
        _writers.pop(id(self), None)

    # --- reading

    def _load(self) -> None:
        """Read the file's directory."""
        try:
            file = _File(self._real, os.O_RDONLY)
            with open(file.fd, "rb", closefd=False) as raw, zipfile.ZipFile(raw) as found:
                infos, end, comment = found.infolist(), found.start_dir, found.comment
        except FileNotFoundError as cause:
            raise StoreError(f"{self.path}: expected a zip file, found no file") from cause
        except PermissionError:
            raise
        except UNREADABLE as cause:
            raise StoreError(f"{self.path}: expected a zip file, found bytes that are not: {cause}") from cause
        names: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if info.filename.endswith("/"):
                continue  # a folder's own entry
            try:
                names[check_key(info.filename)] = info  # the newest entry of a name counts
            except NodeNameError as cause:
                raise NodeNameError(
                    f"{self.path}: the entry {info.filename!r} would leave the store; refusing the file",
                    key=info.filename,
                ) from cause
        self._file, self._found = file, _identity(os.fstat(file.fd))
        self._names, self._end, self._comment = names, end, comment
        self._version += 1

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        return _Entry(self, key).get(byte_range)

    def snapshot(self, key: str) -> Snapshot:
        return _Entry(self, key)

    def _get(self, file: _File, info: zipfile.ZipInfo, byte_range: ByteRange) -> Any:
        """The bytes of an entry; one that was overwritten is in the file all the same."""
        key = info.filename
        whole = byte_range is None or info.compress_type != zipfile.ZIP_STORED
        if whole:
            check_size(key, info.file_size)
        try:
            start = self._start(file, info)
            if whole:
                return cut(self._read(file, info, start), byte_range)
            size = info.file_size
            first, last = (max(size + byte_range, 0), size) if isinstance(byte_range, int) else byte_range
            last = size if last is None else min(last, size)
            return file.read(start + first, last - first) if first < last else b""
        except StoreError:
            raise
        except UNREADABLE as cause:
            raise StoreError(f"{self.path}: cannot read the entry {key!r}: {cause}", key=key) from cause

    def _start(self, file: _File, info: zipfile.ZipInfo) -> int:
        """Where the data of an entry begin, by what stands before them."""
        start = info.header_offset + _HEADER.size
        header = file.read(info.header_offset, _HEADER.size)
        if len(header) < _HEADER.size or info.flag_bits & 0x61:
            raise zipfile.BadZipFile("it is encrypted, or not there")
        mark, flags, length, more = _HEADER.unpack(header)
        name = file.read(start, length).decode("utf-8" if flags & 0x800 else "cp437")
        if mark != b"PK\3\4" or name != info.orig_filename:
            raise zipfile.BadZipFile(f"expected it at byte {info.header_offset}, found something else")
        return start + length + more

    def _read(self, file: _File, info: zipfile.ZipInfo, start: int) -> bytes:
        # The size in the directory is not trusted to allocate by: reading stops where the file does, and an entry that
        # is compressed, which may unpack to anything, is bounded.
        limit = limits.current().unsized_bytes
        packed = info.compress_type != zipfile.ZIP_STORED
        if packed and info.file_size > limit:
            raise StoreError(
                f"{self.path}: expected an entry {info.filename!r} that unpacks to at most {limit} bytes, the limit "
                f"unsized_bytes, found {info.file_size} bytes packed into {info.compress_size}; try "
                "tutorial_zarr.limits.configure, if you trust the file",
                key=info.filename,
            )
        data = file.read(start, info.compress_size)
        if packed:
            with zipfile.ZipExtFile(io.BytesIO(data), "r", info) as unpacked:
                data = unpacked.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise StoreError(
                f"{self.path}: expected {info.file_size} bytes in the entry {info.filename!r}, found {len(data)}",
                key=info.filename,
            )
        if not packed and zlib.crc32(data) != info.CRC:
            raise zipfile.BadZipFile("its bytes are not those that its checksum is of")
        return data

    # --- writing

    def _begin(self) -> None:
        """Make the copy that is written to, if there is none."""
        if self._forked:
            raise StoreError(
                f"{self.path}: expected the process that opened it for writing, found one that was forked from it; "
                "write in the parent, or to a folder"
            )
        if self._writing is not None:
            return
        lock = locks.FileLock(self._real + LOCK, self.path, 0.0)
        try:
            try:
                lock.__enter__()
            except StoreError as cause:
                raise StoreError(
                    f"{self.path}: expected to be the one that writes, found that another handle does; close that one "
                    "first, or write to a folder or a SQLite file"
                ) from cause
            self._look_again()
            copy = _File(self._real + PARTIAL, _NEW)
            for at in range(0, self._end, _PIECE):
                copy.write(at, self._file.read(at, min(_PIECE, self._end - at)))  # type: ignore[union-attr]
        except OSError as cause:
            lock.release()
            self._give_up("make a copy to write to", cause)
        except BaseException:
            lock.release()
            raise
        self._file, self._writing = copy, lock
        _writers[id(self)] = self

    def _look_again(self) -> None:
        """Read the directory again, if somebody else wrote since, or this was closed."""
        if self._writing is not None or self.mode != "a":
            return
        found = _identity(_stat(self._real))
        if found != self._found or (self._file is None and found is not None):
            self._load()  # which says so if there is no file any more

    def _give_up(self, what: str, cause: OSError) -> NoReturn:
        if isinstance(cause, StoreError):
            raise cause
        raise StoreError(f"{self.path}: cannot {what}: {cause.strerror or cause}; the file is as it was") from cause

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        check_key(key)
        with self._lock:
            self._begin()
            self._add(key, bytes(value))

    def _add(self, key: str, data: bytes) -> None:
        info = zipfile.ZipInfo(key, _DATE)
        info.external_attr = 0o644 << 16
        info.file_size = info.compress_size = len(data)
        info.CRC, info.header_offset = zlib.crc32(data), self._end
        header = info.FileHeader(zip64=len(data) * 1.05 > zipfile.ZIP64_LIMIT)
        try:
            self._file.write(self._end, header)  # type: ignore[union-attr]
            self._file.write(self._end + len(header), data)  # type: ignore[union-attr]
        except OSError as cause:  # what was written lies behind the end, and the next value over it
            self._give_up(f"write key {key!r}", cause)
        self._end += len(header) + len(data)
        self._names[key] = info

    def delete(self, key: str) -> None:
        self.check_writable()
        with self._lock:
            if key in self._names:
                self._begin()
                self._stale = self._names.pop(key, None) is not None or self._stale

    def update(self, key: str, change: Change) -> None:
        self.check_writable()
        with self.lock(key):
            while not self._update_once(key, change):
                pass

    def _update_once(self, key: str, change: Change) -> bool:
        with self._lock:
            self._look_again()
            version = self._version
        old = self.get(key)
        new = change(old)
        if new is old:
            return True
        with self._lock:
            self._begin()
            if version != self._version:  # somebody else wrote meanwhile
                return False
            self.set_if(key, new, None)
            return True

    def compact(self) -> None:
        """Rewrite the file without what was deleted or overwritten."""
        self.check_writable()
        with self._lock:
            self._begin()
            self._publish(compact=True)

    def close(self) -> None:
        with self._lock:
            if self._forked:
                return
            if self._unmade:
                self._begin()
            if self._writing is not None:
                self._publish(self._stale)
            self._file = None  # and closed, when nobody reads it any more

    def __del__(self) -> None:
        if getattr(self, "_writing", None) is not None:
            self.close()

    def _publish(self, compact: bool) -> None:
        """Give the copy its directory, and the file's name. After an interrupt it goes on where it was."""
        before = self._file, self._names, self._end
        try:
            if not self._is_published():
                place = self._real + (COMPACT if compact else PARTIAL)
                if compact:
                    self._rewrite(place)
                self._finish(place)
        except BaseException as cause:
            if not self._is_published():
                self._file, self._names, self._end = before
            if isinstance(cause, OSError):
                self._give_up("finish it", cause)
            raise
        for name in (PARTIAL, COMPACT):  # who still reads an entry there has it open
            _remove(self._real + name)
        self.mode, self._stale, self._unmade, self._found = "a", False, False, _identity(_stat(self._real))
        _writers.pop(id(self), None)
        lock, self._writing = self._writing, None
        lock.release()  # type: ignore[union-attr]

    def _is_published(self) -> bool:
        status = _stat(self._real)
        return status is not None and os.path.samestat(status, os.fstat(self._file.fd))  # type: ignore[union-attr]

    def _finish(self, place: str) -> None:
        """Write the directory, and replace the file, if it is still the one that was opened."""
        self._write_directory()
        if self._found is not None:
            os.fsync(self._file.fd)  # type: ignore[union-attr]
            shutil.copymode(self._real, place)
        if self.mode != "w" and _identity(_stat(self._real)) != self._found:
            raise StoreError(
                f"{self.path}: expected the file that was opened, found that another program has replaced it; what "
                f"was written is in {place!r}"
            )
        if os.name != "nt":
            os.replace(place, self._real)
            return
        self._file.close()  # type: ignore[union-attr]  # there nothing that is open can be renamed
        try:
            os.replace(place, self._real)
        except OSError:
            self._file.open(place, os.O_RDWR)  # type: ignore[union-attr]
            raise
        self._file.open(self._real, os.O_RDONLY)  # type: ignore[union-attr]

    def _rewrite(self, place: str) -> None:
        old, values, self._names = self._file, sorted(self._names.items()), {}
        self._file, self._end = _File(place, _NEW), 0
        for key, info in values:
            self._add(key, self._get(old, info, None))  # type: ignore[arg-type]

    def _write_directory(self) -> None:
        with open(self._file.fd, "r+b", closefd=False) as file:  # type: ignore[union-attr]
            file.seek(self._end)
            with zipfile.ZipFile(file, "w") as ending:  # it writes what it is told of, from here on
                ending.filelist.extend(self._names.values())
                ending.comment = self._comment
            file.truncate()

    # --- the rest

    def exists(self, key: str) -> bool:
        return key in self._names

    def get_size(self, key: str) -> int | None:
        info = self._names.get(key)
        return None if info is None else info.file_size

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        start = prefix + "/" if prefix else ""
        yield from sorted(name for name in list(self._names) if name.startswith(start))

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        return file_location(self.path, path)

    def lock_name(self, key: str) -> Hashable:
        return self._real, key

    def leftovers(self, older_than: float = 0.0) -> list[Leftover]:
        found: list[Leftover] = []
        if self._writing is not None or locks.is_held(self._real + LOCK):
            return found
        for path in (self._real + COMPACT, self._real + LOCK, self._real + PARTIAL):
            status = _stat(path)
            if status is not None and (age := max(0.0, time.time() - status.st_mtime)) >= older_than:
                found.append(Leftover(path, status.st_size, age))
        return found

    def __repr__(self) -> str:
        return f"ZipStore({self.path!r}, mode={self.mode!r})"

    def __getstate__(self) -> dict[str, Any]:
        if not self.read_only:
            raise TypeError(f"{self!r}: a zip file being written cannot be sent to another process; close it first")
        return {"path": self.path, "mode": self.mode}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"], state["mode"])  # type: ignore[misc]


class _File:
    """An open file, read from at a place: its position, which a forked child shares with its parent, is never used."""

    fd = -1

    def __init__(self, path: str, flags: int) -> None:
        self.lock = threading.Lock()  # for Windows, which does not fork
        self.open(path, flags)

    def open(self, path: str, flags: int) -> None:
        """Open a file."""
        self.fd = os.open(path, flags | _BINARY, 0o666)

    def read(self, at: int, count: int) -> bytes:
        """Return up to `count` bytes, fewer at the end."""
        if self.fd < 0:
            raise ValueError("it was closed")
        count = min(count, os.fstat(self.fd).st_size - at)
        if count <= 0:
            return b""
        data = self._read(at, count)
        while len(data) < count and (piece := self._read(at + len(data), count - len(data))):
            data += piece
        return data

    if hasattr(os, "pread"):

        def _read(self, at: int, count: int) -> bytes:
            return os.pread(self.fd, count, at)

        def _write(self, at: int, data: memoryview) -> int:
            return os.pwrite(self.fd, data, at)

    else:

        def _read(self, at: int, count: int) -> bytes:
            with self.lock:
                os.lseek(self.fd, at, os.SEEK_SET)
                return os.read(self.fd, count)

        def _write(self, at: int, data: memoryview) -> int:
            with self.lock:
                os.lseek(self.fd, at, os.SEEK_SET)
                return os.write(self.fd, data)

    def write(self, at: int, data: bytes) -> None:
        """Write all of `data`."""
        done, view = 0, memoryview(data)
        while done < len(data):
            done += self._write(at + done, view[done:])

    def close(self) -> None:
        """Close it, once."""
        if self.fd >= 0:
            with self.lock:
                fd, self.fd = self.fd, -1
                os.close(fd)

    __del__ = close


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result | None) -> tuple[int, ...] | None:
    return None if status is None else (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


class _Entry(Snapshot):
    """An entry of the file, which stays there when another one of its name is added."""

    isolated = True
    store: ZipStore

    def __init__(self, store: ZipStore, key: str) -> None:
        super().__init__(store, key)
        with store._lock:  # both of one moment: the file may be replaced in between
            self.file, self.info = store._file, store._names.get(key)

    def get(self, byte_range: ByteRange) -> Any:
        if self.info is None:
            return None
        if self.file is None:
            raise StoreError(f"{self.store.path}: expected an open store, found one that was closed", key=self.key)
        return self.store._get(self.file, self.info, byte_range)

    def get_ranges(self, ranges: Sequence[ByteRange]) -> list[Any]:
        return [self.get(byte_range) for byte_range in ranges]
