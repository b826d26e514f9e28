"""A store in one SQLite file: many processes may write to it, and each write is a transaction.

    make_store("sqlite:///folder/data.sqlite")    or simply    make_store("folder/data.sqlite")

The choice where one file is wanted (as with zip) that several writers change (as with a folder). SQLite's locks do
not hold on network file systems.

>>> store = SQLiteStore(":memory:")
>>> store.set("a/b", b"12345"); store.get("a/b", (1, 3)), list(store.list_dir())
(b'23', ['a/'])
"""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from tutorial_zarr.errors import StoreError

from .base import ByteRange, Store, check_key
from .locks import process_lock
from .snapshot import Snapshot

_TABLE = "CREATE TABLE IF NOT EXISTS zarr (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"


class SQLiteStore(Store):
    """The table ``zarr (k, v)`` of a file. A write waits up to `timeout` seconds for another process's."""

    locks_keys = False

    def __init__(self, path: str | os.PathLike[str], read_only: bool = False, timeout: float = 600.0) -> None:
        path = os.fspath(path)
        self.path = path if path == ":memory:" else os.path.abspath(path)
        self.read_only, self.timeout = read_only, timeout
        self._lock = threading.RLock()  # one connection, used by one thread at a time
        if read_only and path != ":memory:" and not os.path.exists(path):
            raise StoreError(f"{self.path}: expected a SQLite file, found none")
        self._connection: Any = None
        self._process = 0
        if not read_only:
            self._run("PRAGMA journal_mode=WAL")
            self._run(_TABLE)

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        import sqlite3  # not at the top: few want it, and it takes its time

        with self._lock:
            try:
                if self._process != os.getpid():  # after a fork, the connection is the parent's
                    self._connection = sqlite3.connect(
                        self.path, self.timeout, isolation_level=None, check_same_thread=False
                    )
                    self._process = os.getpid()
                return self._connection.execute(statement, values).fetchall()
            except (sqlite3.Error, OverflowError) as cause:
                advice = (
                    "is another process holding it?" if "locked" in str(cause) else "is it a store of this library?"
                )
                raise StoreError(f"{self.path}: {cause}; {advice}", transient="locked" in str(cause)) from cause

    def _in_transaction(self) -> bool:
        return self._process == os.getpid() and self._connection.in_transaction

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        start, stop = (byte_range, None) if byte_range is None or isinstance(byte_range, int) else byte_range
        if byte_range is None:
            found = self._run("SELECT v FROM zarr WHERE k = ?", key)
        elif isinstance(byte_range, int):
            found = self._run("SELECT substr(v, max(length(v) + ?, 0) + 1) FROM zarr WHERE k = ?", start, key)
        elif stop is None:
            found = self._run("SELECT substr(v, ? + 1) FROM zarr WHERE k = ?", start, key)
        else:
            found = self._run("SELECT substr(v, ? + 1, ?) FROM zarr WHERE k = ?", start, max(stop - start, 0), key)
        return (found[0][0] or b"") if found else None  # substr makes NULL of an empty blob

    def snapshot(self, key: str) -> Snapshot:
        return _Transaction(self, key)

    def set(self, key: str, value: Any) -> None:
        self.check_writable()
        self._run("INSERT OR REPLACE INTO zarr VALUES (?, ?)", check_key(key), bytes(value))

    def delete(self, key: str) -> None:
        self.check_writable()
        self._run("DELETE FROM zarr WHERE k = ?", key)

    def get_size(self, key: str) -> int | None:
        found = self._run("SELECT length(v) FROM zarr WHERE k = ?", key)
        return found[0][0] if found else None

    def list_prefix(self, prefix: str = "") -> Iterator[str]:
        rows = self._run("SELECT k FROM zarr WHERE ? = '' OR (k > ? AND k < ?) ORDER BY k", prefix, *_bounds(prefix))
        yield from (key for (key,) in rows)

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()
        self._run("DELETE FROM zarr WHERE ? = '' OR (k > ? AND k < ?)", prefix, *_bounds(prefix))

    def lock_name(self, key: str) -> Hashable:
        return self.path, key

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """A transaction that holds the file for writing, so that nobody writes between an update's read and write."""
        with process_lock(self.lock_name(key)), self._lock:
            self._run("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._run("ROLLBACK")
                raise
            self._run("COMMIT")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def __repr__(self) -> str:
        return f"SQLiteStore({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return SQLiteStore, (self.path, self.read_only, self.timeout)


class _Transaction(Snapshot):
    """Reads within one transaction, which sees the file as it was at its first read."""

    isolated = True
    store: SQLiteStore

    def __init__(self, store: SQLiteStore, key: str) -> None:
        super().__init__(store, key)
        self.begun = self.held = False

    def get(self, byte_range: ByteRange) -> Any:
        if not self.held:
            self.store._lock.acquire()
            self.held = True
            if not self.store._in_transaction():  # as it is where an update reads
                self.store._run("BEGIN")
                self.begun = True
        return super().get(byte_range)

    def close(self) -> None:
        if self.held:
            try:
                if self.begun:
                    self.store._run("COMMIT")
            finally:
                self.begun = self.held = False
                self.store._lock.release()


def _bounds(prefix: str) -> tuple[str, str]:
    return prefix + "/", prefix + "0"  # "0" comes after "/"


def open_sqlite_store(url: str, mode: str, options: dict[str, Any]) -> SQLiteStore:
    """What `make_store` calls for ``sqlite://path``: two slashes and a relative path, or three and an absolute one."""
    return SQLiteStore(unquote(url.partition("://")[2]), **{"read_only": mode == "r", **options})
