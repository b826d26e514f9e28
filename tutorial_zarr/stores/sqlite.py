"""A store in one SQLite file: many processes may write to it, and each write is a transaction.

    make_store("sqlite:///folder/data.sqlite")    or simply    make_store("folder/data.sqlite")

A file may come from somebody else. One whose table is not exactly ours is refused before it is asked for anything: a
view of that name could compute for ever, a trigger do more than is asked. And no request may take more steps than the
size of the file explains, as pages of it may lead in circles.

The choice where one file is wanted (as with zip) that several writers change (as with a folder). SQLite's locks do
not hold on network file systems.

>>> store = SQLiteStore(":memory:")
>>> store.set("a/b", b"12345"); store.get("a/b", (1, 3)), list(store.list_dir())
(b'23', ['a/'])
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from tutorial_zarr.errors import ReplacedError, StoreError

from .base import ByteRange, Store, check_key
from .bounds import check_size, room
from .locks import process_lock, tell_after_fork
from .place import file_location, names
from .snapshot import Snapshot

_TABLE = "CREATE TABLE IF NOT EXISTS zarr (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"
# As written here and by zarr-python 2
_OURS = re.compile(
    r'CREATE TABLE "?zarr"?\s*\(\s*k TEXT PRIMARY KEY\s*,\s*v BLOB(\s+NOT NULL)?\s*\)(\s*WITHOUT ROWID)?', re.IGNORECASE
)
STEPS = 1_000_000  # of SQLite's virtual machine, after which it is asked whether the request goes on
STEPS_OF_A_BYTE = 20  # that a request may take for each byte of the file; listing takes less than two
PATIENCE = 0.1  # seconds for which SQLite waits by itself, and no interrupt comes through
CHANGES = 20  # reads during each of which a file was changed, before one is given up
TICK = 20_000_000  # nanoseconds within which two changes of a file may have the same time
_inherited: list[Any] = []  # connections of a parent process: even closing one would touch its files


class _State(NamedTuple):
    """By what one tells that nobody has written to a file."""

    inode: int
    size: int
    time: int
    logged: bool  # whether changes go into a file beside it first
    log: int  # bytes in that one


class SQLiteStore(Store):
    """The table ``zarr (k, v)`` of a file. A write waits up to `timeout` seconds for another process's.

    With `read_only` the file may lie where nothing can be written, and nothing is made beside it. Where nobody writes,
    it is read without locks, and looked at after each read: one that met a change is made again.
    """

    locks_keys = False
    set_waits = True

    def __init__(self, path: str | os.PathLike[str], read_only: bool = False, timeout: float = 600.0) -> None:
        path = os.fspath(path)
        self.path = path if path == ":memory:" else os.path.abspath(path)
        self.read_only, self.timeout = read_only, timeout
        self._lock = threading.RLock()  # one connection, used by one thread at a time
        if read_only and path != ":memory:" and not os.path.exists(path):
            raise StoreError(f"{self.path}: expected a SQLite file, found none")
        self._connection: Any = None
        self._owner: weakref.ref[Any] | None = None  # who began the transaction that is open
        self._ticks = 0  # how often a request was asked whether it goes on
        self._seen: Any = None  # the state of a file that is read without locks
        self._lost = False  # whether the database was in the memory of a parent process
        tell_after_fork(self)
        if not read_only:
            try:
                self._run("PRAGMA journal_mode=WAL")
                self._run(_TABLE)
            except BaseException:
                self.close()
                raise

    def after_fork(self) -> None:
        """In a forked child: the connection is the parent's, and so is the thread that held the lock."""
        self._lock, self._owner = threading.RLock(), None
        if self._connection is not None:
            _inherited.append(self._connection)
            self._lost = self.path == ":memory:"
            self._connection = None

    def _connect(self) -> Any:
        import sqlite3  # not at the top: few need it, and it is slow to import

        if self._lost:
            raise StoreError(
                "a SQLite database in memory: expected the process that made it, found one that was forked from it; "
                "use a file"
            )
        options: dict[str, Any] = {
            "timeout": min(PATIENCE, self.timeout),
            "isolation_level": None,
            "check_same_thread": False,
        }
        if not self.read_only or self.path == ":memory:":
            return self._checked(sqlite3.connect(self.path, **options))
        place, self._seen = Path(self.path).as_uri(), None
        state = self._state()
        if state.logged and not state.log:  # to lock it, SQLite would make two files beside it, and leave them there
            self._seen = state
            return self._checked(sqlite3.connect(f"{place}?immutable=1", uri=True, **options))
        connection = sqlite3.connect(f"{place}?mode=ro", uri=True, **options)
        try:
            self._checked(connection)
            connection.execute("SELECT 1 FROM zarr LIMIT 1").fetchall()
        except sqlite3.OperationalError as cause:
            connection.close()
            if not state.log:
                raise
            raise StoreError(
                f"{self.path}: expected a file by itself, found changes beside it in {self.path + '-wal'!r}, which "
                "SQLite cannot read where it cannot write; have the program that writes close it, or copy the files "
                "together into a folder that can be written to"
            ) from cause
        return connection

    def _checked(self, connection: Any) -> Any:
        """The connection, if the file holds our table and nothing that changes what it does, or nothing yet."""
        this = weakref.ref(self)  # else neither would go, with its lock on the file, before the next garbage collection
        connection.set_progress_handler(lambda: (store := this()) is not None and store._is_too_long(), STEPS)
        try:
            self._check_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_schema(self, connection: Any) -> None:
        connection.execute("PRAGMA trusted_schema=OFF")
        found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'zarr'").fetchmany(9)
        ours = [sql for kind, name, sql in found if kind == "table" and name == "zarr" and _OURS.fullmatch(sql or "")]
        others = [f"{kind} {name!r}" for kind, name, sql in found if sql is not None and sql not in ours]
        if not found:  # a new file; or somebody else's, in which no table is made
            others = [f"table {name!r}" for (name,) in connection.execute("SELECT name FROM sqlite_master LIMIT 3")]
        if others:
            raise StoreError(
                f"{self.path}: expected a file with the table zarr (k TEXT PRIMARY KEY, v BLOB), as a store has it, "
                f"found {', '.join(others)}; it is not read, nor written to"
            )

    def _is_too_long(self) -> bool:
        """Called at regular intervals; true ends the request."""
        self._ticks += 1
        if self.path == ":memory:":
            return False
        places = [path for path in (self.path, self.path + "-wal") if os.path.exists(path)]
        return self._ticks > 10 + STEPS_OF_A_BYTE * sum(map(os.path.getsize, places)) // STEPS

    def _state(self) -> _State:
        """What the file is like now; once it has had that state for a moment, in which no clock would show a change."""
        while True:
            try:
                with open(self.path, "rb") as file:
                    logged, status = file.read(20)[18:] == b"\2\2", os.fstat(file.fileno())
                log = os.path.exists(self.path + "-wal") and os.path.getsize(self.path + "-wal")
            except OSError as cause:
                raise StoreError(f"{self.path}: cannot read: {cause.strerror}") from cause
            if not 0 <= time.time_ns() - status.st_mtime_ns < TICK:
                return _State(status.st_ino, status.st_size, status.st_mtime_ns, logged, log)
            time.sleep(TICK / 1e9)

    def _run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            connection = self._connection
            if connection is not None and self._seen is None and not connection.in_transaction:
                try:
                    return connection.execute(statement, values).fetchall()
                except Exception:
                    pass  # nothing was done; it comes again, and that says what it is
            return self._run_locked(statement, values, time.monotonic() + self.timeout)

    def _run_locked(self, statement: str, values: tuple[Any, ...], deadline: float) -> list[tuple[Any, ...]]:
        import sqlite3

        for _ in range(CHANGES):
            try:
                if self._connection is None:
                    self._connection = self._connect()
                if self._connection.in_transaction and (self._owner is None or self._owner() is None):
                    self._connection.execute("ROLLBACK")  # the caller that began it was interrupted
                found = self._execute(statement, values, deadline)
                if self._seen is None or self._seen == self._state():  # nobody wrote while this was read
                    return found
                replaced = self._in_transaction()
                self.close()
                if replaced:
                    raise ReplacedError(f"{self.path}: expected one state of the file, found it changed meanwhile")
            except (sqlite3.Error, OverflowError, UnicodeError) as cause:
                advice = (
                    "is another process holding it?" if "locked" in str(cause) else "is it a store of this library?"
                )
                raise StoreError(f"{self.path}: {cause}; {advice}", transient="locked" in str(cause)) from cause
        raise StoreError(
            f"{self.path}: expected a file at rest, found it changed during {CHANGES} reads; try again later",
            transient=True,
        )

    def _execute(self, statement: str, values: tuple[Any, ...], deadline: float) -> list[tuple[Any, ...]]:
        """Run a statement, and again while another process writes: in between an interrupt comes through."""
        import sqlite3

        while True:
            self._ticks = 0
            try:
                return list(self._connection.execute(statement, values).fetchall())
            except sqlite3.OperationalError as cause:
                if "locked" not in str(cause) or time.monotonic() >= deadline:
                    raise

    def _begin(self, owner: Any, statement: str) -> bool:
        """Begin a transaction of `owner`; False where one is open."""
        with self._lock:
            if self._in_transaction():
                return False
            self._owner = weakref.ref(owner)
            self._run(statement)
            return True

    def _end(self, statement: str) -> None:
        """End the transaction, if it is open; what fails to be committed is rolled back."""
        with self._lock:
            try:
                if self._in_transaction():
                    self._run(statement)
            finally:
                if self._in_transaction():
                    self._run("ROLLBACK")
                self._owner = None

    def _in_transaction(self) -> bool:
        owner = None if self._owner is None else self._owner()
        return owner is not None and self._connection is not None and self._connection.in_transaction

    def get(self, key: str, byte_range: ByteRange = None) -> Any:
        start, stop = (byte_range, None) if byte_range is None or isinstance(byte_range, int) else byte_range
        if byte_range is None:
            statement = "SELECT CASE WHEN length(v) <= ? THEN v END, length(v) FROM zarr WHERE k = ?"
            found = self._run(statement, min(room(), sys.maxsize), key)
            if found and found[0][0] is None:
                check_size(key, found[0][1] or 0)
        elif isinstance(byte_range, int):
            found = self._run("SELECT substr(v, max(length(v) + ?, 0) + 1) FROM zarr WHERE k = ?", start, key)
        elif stop is None:
            found = self._run("SELECT substr(v, ? + 1) FROM zarr WHERE k = ?", start, key)
        else:
            found = self._run("SELECT substr(v, ? + 1, ?) FROM zarr WHERE k = ?", start, max(stop - start, 0), key)
        if not found:
            return None
        value = found[0][0] or b""  # substr makes NULL of an empty blob
        if not isinstance(value, bytes):
            raise StoreError(f"{self.path}: key {key!r}: expected bytes, found {type(value).__name__}", key=key)
        return value

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
        for (key,) in rows:
            if not isinstance(key, str):
                raise StoreError(f"{self.path}: expected keys that are text, found {key!r}")
            yield key

    def list_dir(self, prefix: str = "") -> Iterator[str]:
        # What lies in a folder is passed over, so that a listing costs what it lists and not what lies below.
        start, (_, end), count = prefix + "/" if prefix else "", _bounds(prefix), 1
        at = start and start + "\0"
        statement = "SELECT k FROM zarr WHERE k >= ? AND (? = '' OR k < ?) ORDER BY k LIMIT ?"
        while rows := self._run(statement, at, prefix, end, count):
            found = 0
            for (key,) in rows:
                if not isinstance(key, str):
                    raise StoreError(f"{self.path}: expected keys that are text, found {key!r}")
                if key >= at:
                    name, slash, _ = key[len(start) :].partition("/")
                    at = f"{start}{name}0" if slash else key + "\0"  # "0" comes after "/"
                    found += 1
                    yield name + slash
            if not found:
                raise StoreError(
                    f"{self.path}: expected keys in their order, found {key!r} behind {at!r}: it is damaged"
                )
            count = min(2 * count, 1000) if found == len(rows) else 1

    def delete_prefix(self, prefix: str) -> None:
        self.check_writable()
        self._run("DELETE FROM zarr WHERE ? = '' OR (k > ? AND k < ?)", prefix, *_bounds(prefix))

    def move_prefix(self, prefix: str, target: str) -> None:
        self.check_writable()
        start = target + "/" if target else ""
        statement = "UPDATE OR REPLACE zarr SET k = ? || substr(k, ?) WHERE k > ? AND k < ?"
        self._run(statement, start, len(prefix) + 2, *_bounds(check_key(prefix)))

    def location(self, path: str = "") -> tuple[Hashable, ...]:
        return (id(self), *names(path)) if self.path == ":memory:" else file_location(self.path, path)

    def lock_name(self, key: str) -> Hashable:
        return self.path, key

    def lock(self, key: str) -> _Update:
        """A transaction that holds the file for writing, so that nobody writes between an update's read and write."""
        return _Update(self, key)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None if self.path != ":memory:" else self._connection

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def __repr__(self) -> str:
        return f"SQLiteStore({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path == ":memory:":
            raise TypeError(f"{self!r}: a database in memory cannot be sent to another process; use a file")
        return SQLiteStore, (self.path, self.read_only, self.timeout)


class _Update:
    """Holds a store for one thread, and its file for one process."""

    def __init__(self, store: SQLiteStore, key: str) -> None:
        self.store, self.inside, self.held = store, process_lock(store.lock_name(key)), _Hold(store)

    def __enter__(self) -> None:
        try:
            self.inside.__enter__()
            self.held.__enter__()
            if not self.store._begin(self, "BEGIN IMMEDIATE"):
                raise StoreError(
                    f"{self.store!r}: expected one update at a time, found one inside another's change; compute the "
                    "new value first"
                )
        except BaseException:
            self._leave("ROLLBACK")
            raise

    def __exit__(self, kind: Any, *exception: object) -> None:
        self._leave("COMMIT" if kind is None else "ROLLBACK")

    def _leave(self, statement: str) -> None:
        store = self.store
        try:
            if store._owner is not None and store._owner() is self:
                store._end(statement)
        finally:
            self.held.__exit__()
            self.inside.__exit__()


class _Hold:
    """A store's lock, had once. It is given back when this is dropped, if an interrupt came before."""

    lock: Any = None

    def __init__(self, store: SQLiteStore) -> None:
        self.store = store

    def __enter__(self) -> None:
        self.lock = self.store._lock
        self.lock.acquire()

    def __exit__(self, *exception: object) -> None:
        lock, self.lock = self.lock, None
        try:
            if lock is not None:
                lock.release()
        except RuntimeError:
            pass  # it was never had

    __del__ = __exit__


class _Transaction(Snapshot):
    """Reads within one transaction, which sees the file as it was at its first read."""

    isolated = True
    store: SQLiteStore

    def __init__(self, store: SQLiteStore, key: str) -> None:
        super().__init__(store, key)
        self.held: _Hold | None = None

    def get(self, byte_range: ByteRange) -> Any:
        if self.held is None:
            self.held = _Hold(self.store)
            self.held.__enter__()
            self.store._begin(self, "BEGIN")  # unless one is open, as where an update reads
        return super().get(byte_range)

    def close(self) -> None:
        if self.held is not None:
            try:
                if self.store._owner is not None and self.store._owner() is self:
                    self.store._end("COMMIT")
            finally:
                self.held.__exit__()
                self.held = None


def _bounds(prefix: str) -> tuple[str, str]:
    return prefix + "/", prefix + "0"  # "0" comes after "/"


def open_sqlite_store(url: str, mode: str, options: dict[str, Any]) -> SQLiteStore:
    """What `make_store` calls for ``sqlite://path``: two slashes and a relative path, or three and an absolute one."""
    return SQLiteStore(unquote(url.partition("://")[2]), **{"read_only": mode == "r", **options})
