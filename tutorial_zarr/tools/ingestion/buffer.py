"""`AppendBuffer`: rows come one by one, write units are written whole; and a journal outlives a kill.

A write unit that is written in ten pieces is read, decoded, encoded and written ten times. A buffer waits until it can
fill one. What waits is in memory alone, unless there is a journal: each row is in that file before `append` returns.

The journal begins with a line of JSON, which says which array is meant, and where in it the first row belongs. Records
follow::

    kind (1 byte: R rows, W about to write) | bytes of the payload (8) | their CRC-32 (4) | payload

The payload of R is rows as they are in memory, that of W the lengths of the array before and after what is about to be
written (8 bytes each). With these a new buffer can tell which rows are in the array already, and none is written twice;
those that are it compares. A record that could not be written whole, as on a full disk, is cut off again.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr import resizing
from tutorial_zarr.array import Array
from tutorial_zarr.errors import StoreError, UnsupportedError
from tutorial_zarr.resizing.marks import same_bits
from tutorial_zarr.stores import MemoryStore

from . import journals

RECORD = struct.Struct("<cQI")
LENGTHS = struct.Struct("<QQ")


class AppendBuffer:
    """Collects rows for the end of an array's `axis`. Nobody else may append to the array meanwhile.

    With `journal`, the name of a file, rows that were not written when the process was killed are found again by the
    next buffer of that journal; a zip file, which keeps nothing before it is closed, can have none. `durable` syncs
    each record to the disk, for power cuts. An `append` that raises has taken nothing; where the store does not tell
    what became of a write, it has, and the error carries a note that says so. Leaving a ``with`` block writes what is
    left, also after an error: the rows that came before it are sound.

    >>> import tutorial_zarr as zarr
    >>> a = zarr.create_array({}, shape=(0,), chunks=(4,), dtype="i4")
    >>> with zarr.AppendBuffer(a) as buffer:
    ...     buffer.append([1, 2, 3]), buffer.append([4, 5]), a.shape, len(buffer)
    (None, None, (4,), 1)
    >>> a[:].tolist()
    [1, 2, 3, 4, 5]
    """

    def __init__(
        self, array: Array, axis: int = 0, journal: str | os.PathLike[str] | None = None, durable: bool = False
    ) -> None:
        array.check_writable("elements")
        array.refresh()
        self.array, self.axis, self.durable = array, range(array.ndim)[axis], durable
        self.base = array.shape[self.axis]  # where the first row that is held belongs
        self._blocks: list[np.ndarray] = []
        self._held = 0
        self._path: Any = None if journal is None else Path(journal)
        self._file: Any = None  # the journal, opened for appending; where there is one, there is a path
        self._end, self._torn = 0, False  # bytes of whole records; whether there may be others behind them
        if self._path is not None:
            if array.dtype.hasobject or array.dtype.kind == "T":
                raise UnsupportedError(
                    f"{array.label}: expected elements of a fixed size, which a journal can hold, found "
                    f"{array.dtype}; try without a journal"
                )
            if self._path.exists() and self._path.stat().st_size:
                self._recover()
            self._begin()

    def __len__(self) -> int:
        """Rows that are held, not written yet."""
        return self._held

    def append(self, data: Any) -> None:
        """Take rows: a block that is as long as the array on every other axis. Writes the units that are full."""
        array, axis = self.array, self.axis
        # a copy: the caller may use its memory again
        rows = np.array(resizing.as_block(array, data, axis), array.dtype)
        if not rows.shape[axis]:
            return
        end, base = self._end, self.base
        if self._file is not None:
            self._note(b"R", self._as_bytes(rows))
        self._blocks.append(rows)
        self._held += rows.shape[axis]
        unit = array.grid.axes[axis].length
        full = (self.base + self._held) // unit * unit - self.base
        if full > 0:
            try:
                self._write(full)
            except Exception as error:
                if self.base == base == self._found():
                    self._give_back(rows.shape[axis], end)
                else:
                    error.add_note(
                        "AppendBuffer: the rows were taken; what is not written is with the next append, or flush"
                    )
                raise

    def flush(self) -> None:
        """Write all rows that are held; the last unit may be partly filled."""
        if self._held:
            self._write(self._held)

    def _write(self, count: int) -> None:
        held = self._blocks[0] if len(self._blocks) == 1 else np.concatenate(self._blocks, self.axis)
        now, later = np.split(held, [count], self.axis)
        self._blocks = [held]
        if self._file is not None:
            self._note(b"W", LENGTHS.pack(self.base, self.base + count))
        told = True  # whether the groups above know of it
        try:
            resizing.append_block(self.array, now, self.axis, at=self.base)
        except Exception:
            if self._found() != self.base + count:  # if it is, only what comes after it failed
                raise
            told = False
        self.base, self._held = self.base + count, self._held - count
        self._blocks = [later] if self._held else []
        if self._file is not None:
            try:
                self._begin()
            except OSError:
                pass  # a full disk: the journal that is there says how far the writing is, too
        if not told:
            self.array.renew_consolidated()

    def _found(self) -> int | None:
        """The length of the array, once nobody is at its end; None where the store does not say."""
        try:
            length = self.array.refresh()[self.axis]
        except Exception:
            return None
        busy = any(mark.axis == self.axis and mark.stop > self.base for mark in self.array.unfinished.values())
        return None if busy and length != self.base else length

    def _give_back(self, count: int, end: int) -> None:
        """Forget the last rows, in the journal too, which was so long before them."""
        (held,) = self._blocks
        self._held -= count
        self._blocks = [np.split(held, [self._held], self.axis)[0]] if self._held else []
        if self._file is not None:
            self._cut(end)

    def close(self) -> None:
        """Write what is held, and delete the journal.

        Where the writing fails, the journal stays, closed; so it can be tried again, here or with another buffer.
        """
        try:
            self.flush()
        finally:
            if self._file is not None:
                self._file.close()
        if self._file is not None:
            self._file = None
            self._path.unlink()

    def __enter__(self) -> AppendBuffer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- the journal

    def _head(self) -> dict[str, Any]:
        others = [n for i, n in enumerate(self.array.shape) if i != self.axis]
        dtype = json.loads(json.dumps(np.lib.format.dtype_to_descr(self.array.dtype)))
        return {"append_buffer": 2, **journals.about(self.array), "axis": self.axis, "dtype": dtype, "row": others}

    def _as_bytes(self, rows: np.ndarray) -> bytes:
        return np.ascontiguousarray(np.moveaxis(rows, self.axis, 0)).tobytes()

    def _begin(self) -> None:
        """A journal of the rows that are held now, in place of the one before, which stays where that fails."""
        path: Path = self._path
        fresh = path.with_name(path.name + ".partial")
        parts = [json.dumps(self._head() | {"base": self.base}).encode() + b"\n"]
        parts += [_record(b"R", self._as_bytes(block)) for block in self._blocks]
        try:
            with fresh.open("wb", buffering=0) as file:
                for part in parts:
                    _write_all(file, part)
                if self.durable:
                    os.fsync(file.fileno())
            if self._file is not None:
                self._file.close()  # Windows gives no other file the name of one that is open
            os.replace(fresh, path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        self._end, self._torn = sum(map(len, parts)), False
        self._file = path.open("ab", buffering=0)

    def _note(self, kind: bytes, payload: bytes) -> None:
        """Add a record, whole or not at all."""
        self._mend()
        record = _record(kind, payload)
        try:
            _write_all(self._file, record)
            if self.durable:
                os.fsync(self._file.fileno())
        except BaseException:
            self._cut(self._end)
            raise
        self._end += len(record)

    def _cut(self, end: int) -> None:
        """Let the journal end there; if that cannot be, before the next record."""
        self._end, self._torn = end, True
        with suppress(OSError):
            self._mend()

    def _mend(self) -> None:
        if self._file.closed:
            self._file = self._path.open("ab", buffering=0)
        if self._torn:
            self._file.truncate(self._end)
            self._torn = False

    def _recover(self) -> None:
        """Take up what a killed buffer left: the rows of its journal that are not in the array."""
        base, rows, about = self._read()
        length = self.array.shape[self.axis]
        if length not in about or length - base > len(rows):
            raise self._fail(
                f"an array of length {' or '.join(map(str, sorted(about)))} along axis {self.axis}",
                f"{length}: others have appended meanwhile, or its rows were cut off",
            )
        rows = np.moveaxis(rows, 0, self.axis)
        for name, mark in self.array.unfinished.items():  # its place was taken, and perhaps not written to
            if mark.axis == self.axis and base <= mark.start and mark.stop <= length:
                part = [slice(None)] * mark.axis + [slice(mark.start - base, mark.stop - base)]
                self.array.finish(name, rows[tuple(part)])
        self._check_there(np.split(rows, [length - base], self.axis)[0], base)
        self.base = length
        self._held = rows.shape[self.axis] - (length - base)
        self._blocks = [np.split(rows, [length - base], self.axis)[1]] if self._held else []

    def _check_there(self, rows: np.ndarray, base: int) -> None:
        """Refuse a journal whose rows, as far as they were written, are not in the array: that is another one."""
        part = (*[slice(None)] * self.axis, slice(base, base + rows.shape[self.axis]))
        found = self.array[part]
        if same_bits(found, rows):
            return
        trial = Array(MemoryStore(), "", self.array.metadata)  # codecs that lose give others back
        trial[part] = rows
        if not same_bits(found, trial[part]):
            raise self._fail(
                f"its first {rows.shape[self.axis]} rows in the array, at {base} along axis {self.axis}",
                "others: the array was made anew, or written to since",
            )

    def _read(self) -> tuple[int, np.ndarray, set[int]]:
        """Where the journal's rows belong, its rows (along the first axis), and what length the array may have."""
        line, newline, data = self._path.read_bytes().partition(b"\n")
        try:
            head = json.loads(line) if newline else {}
        except ValueError:
            head = {}
        base = head.pop("base", None) if isinstance(head, dict) else None
        if head != self._head() or type(base) is not int:
            raise self._fail(f"the journal of {json.dumps(self._head())}", repr(line[:200]))
        payloads, about, at = [], {base}, 0
        while at + RECORD.size <= len(data):
            kind, size, checksum = RECORD.unpack_from(data, at)
            payload = data[at + RECORD.size : at + RECORD.size + size]
            if len(payload) < size:
                break  # cut short by the kill: its `append` did not return
            if zlib.crc32(payload) != checksum or kind not in b"RW":
                raise self._fail(f"a sound record at byte {len(line) + 1 + at}", "one that is damaged")
            if kind == b"R":
                payloads.append(payload)
            else:
                about = set(LENGTHS.unpack(payload))
            at += RECORD.size + size
        row = self._head()["row"]
        rows = sum(map(len, payloads)) // max(1, math.prod(row) * self.array.itemsize)
        return base, np.frombuffer(b"".join(payloads), self.array.dtype).reshape(rows, *row), about

    def _fail(self, expected: str, found: str) -> StoreError:
        return StoreError(
            f"{self.array.label}: journal {os.fspath(self._path)!r}: expected {expected}, found {found}; "
            "if its rows are not wanted, delete it",
            path=self.array.path,
        )


def _record(kind: bytes, payload: bytes) -> bytes:
    return RECORD.pack(kind, len(payload), zlib.crc32(payload)) + payload


def _write_all(file: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
