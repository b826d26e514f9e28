"""Moments at which something goes wrong, and places in which the data lie.

`Moments` is a store that passes requests on until the one at which its fault comes. A `World` is a kind of place: it
can be copied, opened, and looked at as a process that was never there sees it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import uuid
import zipfile
from pathlib import Path

from tutorial_zarr import stores
from tutorial_zarr.errors import StoreError
from tutorial_zarr.stores import Store
from tutorial_zarr.stores.wrappers import AroundStore

CHANGES = {"PUT", "DELETE"}


class Killed(BaseException):
    """The process is gone: whatever it would do now is not done, and no store answers it any more."""


# What happens at a request, and which requests it can happen to. All but the last two happen once.
FAULTS = {
    "raises": "any",  # the request fails, nothing was done
    "stays away": "any",  # it fails, and so does every later one: the lost connection, the disk that was pulled out
    "lost answer": "change",  # it was done, and fails
    "asked again": "change",  # it was done, its answer got lost, and a store around it asks again
    "interrupt": "any",  # Ctrl-C before it is done
    "late interrupt": "change",  # Ctrl-C when it is done
    "kill": "change",  # the process is gone before it is done
    "full": "byte",  # no value fits any more that goes beyond so many bytes in all
}


class Moments(AroundStore):
    """Passes requests on, counts them, and at request number `at` (from 0) lets its fault come.

    For ``full`` `at` is a number of bytes. `requests` and `written` say what there was to count.
    """

    def __init__(self, store: Store, fault: str = "", at: int = 0) -> None:
        super().__init__(store)
        self.fault, self.at = fault, at
        self.requests: list[tuple[str, str]] = []
        self.written = 0
        self.fired = False
        self._lock = threading.Lock()

    def moments(self, fault: str) -> int:
        """How many moments there were for a fault, after a run without one."""
        if FAULTS[fault] == "byte":
            return self.written
        return sum(FAULTS[fault] == "any" or verb in CHANGES for verb, _ in self.requests)

    def around(self, request, call, value=None):
        with self._lock:
            self._check(request, value)
            now = self._is_now(request, value)
            self.requests.append(request[:2])
            if request.verb == "PUT":
                self.written += memoryview(value).nbytes
        if now and self.fault in ("lost answer", "asked again", "late interrupt"):
            call()
            raise self._error(request)
        return call()

    def _check(self, request, value):
        """Raise where the fault keeps the request from being done."""
        gone = self.fired and self.fault in ("kill", "stays away")
        full = self.fault == "full" and request.verb == "PUT" and self.written + memoryview(value).nbytes > self.at
        if (
            gone
            or full
            or (self._is_now(request, value) and self.fault in ("raises", "stays away", "interrupt", "kill"))
        ):
            self.fired = True
            raise self._error(request)

    def _is_now(self, request, value):
        if self.fired or not self.fault or self.fault == "full":
            return False
        if FAULTS[self.fault] == "change" and request.verb not in CHANGES:
            return False
        return self.moments(self.fault) == self.at

    def _error(self, request):
        self.fired = True
        if self.fault == "kill":
            return Killed(f"at {request.verb} {request.key}")
        if "interrupt" in self.fault:
            return KeyboardInterrupt()
        what = "no space left on the device" if self.fault == "full" else f"injected: {self.fault}"
        return StoreError(
            f"{request.verb} {request.key!r}: {what}", key=request.key, transient=self.fault == "asked again"
        )


# --- places


class World:
    """A kind of place. A place is what the methods of its world take: a dict, a path, a URL."""

    name = ""

    def make(self):
        """A new place with nothing in it."""
        raise NotImplementedError

    def copy(self, place):
        """Another place, which holds the same."""
        raise NotImplementedError

    def open(self, place) -> Store:
        """A store on it."""
        raise NotImplementedError

    def crash(self, place, store):
        """Leave the place as it is when the process that holds a store on it dies now."""

    def fill(self, place, content: dict[str, bytes]) -> None:
        """Put keys and bytes into a new place."""
        store = self.open(place)
        for key, value in content.items():
            store.set(key, value)
        store.close()

    def dump(self, place) -> dict[str, bytes]:
        """Key -> bytes, as a process sees it that comes now."""
        store = self.open(place)
        try:
            return {key: bytes(store.get(key)) for key in store.list_prefix()}
        finally:
            store.close()

    def remove(self, place):
        """Throw a place away."""


class Memory(World):
    name = "memory"

    def make(self):
        return {}

    def copy(self, place):
        return dict(place)

    def open(self, place):
        return stores.MemoryStore(place)

    def dump(self, place):
        return dict(sorted(place.items()))


class OnDisk(World):
    """A folder or a file below `folder`."""

    suffix = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self):
        return self.folder / uuid.uuid4().hex / f"data{self.suffix}"

    def copy(self, place):
        other = self.make()
        if place.parent.exists():
            shutil.copytree(place.parent, other.parent)
        return other

    def remove(self, place):
        shutil.rmtree(place.parent, ignore_errors=True)


class Folder(OnDisk):
    name = "folder"

    def open(self, place):
        return stores.LocalStore(place)

    def dump(self, place):
        return super().dump(place) if place.exists() else {}


class SQLite(OnDisk):
    name, suffix = "sqlite", ".sqlite"

    def open(self, place):
        place.parent.mkdir(parents=True, exist_ok=True)
        store = stores.SQLiteStore(place)
        store._run("PRAGMA synchronous=OFF")  # no power cuts here, and it takes a tenth of the time
        return store

    def fill(self, place, content):
        self.open(place).close()
        with contextlib.closing(sqlite3.connect(place)) as connection, connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.executemany("INSERT INTO zarr VALUES (?, ?)", content.items())

    def dump(self, place):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            return dict(connection.execute("SELECT k, v FROM zarr ORDER BY k"))


class Zip(OnDisk):
    name, suffix = "zip", ".zip"

    def open(self, place):
        place.parent.mkdir(parents=True, exist_ok=True)
        return stores.make_store(place)

    def crash(self, place, store):
        copy = self.copy(place)
        store.close()  # it writes what it still holds
        shutil.rmtree(place.parent)
        copy.parent.rename(place.parent)  # journals name the place

    def dump(self, place):
        if not place.exists():
            return {}
        try:
            with zipfile.ZipFile(place) as file:  # by another reader than ours; the last entry of a name counts
                return dict(sorted((name, file.read(name)) for name in file.namelist()))
        except zipfile.BadZipFile:  # nobody reads anything in it
            return {}


class Bucket(World):
    """obstore's bucket in memory."""

    name = "bucket"

    def make(self):
        from obstore.store import MemoryStore

        return MemoryStore()

    def copy(self, place):
        other = self.make()
        self.fill(other, self.dump(place))
        return other

    def open(self, place):
        return stores.ObjectStore(place)


class Server(Bucket):
    """A bucket on a server: each place is a prefix of its own."""

    name = "seaweed"

    def __init__(self, url: str, options: dict) -> None:
        self.url, self.options = url, options

    def make(self):
        return f"{self.url}/{uuid.uuid4()}"

    def open(self, place):
        return stores.make_store(place, storage_options=self.options)

    def remove(self, place):
        self.open(place).delete_prefix("")
