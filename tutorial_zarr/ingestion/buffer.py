"""`AppendBuffer`: rows come one by one, write units are written whole; and a journal outlives a kill.

A write unit that is written in ten pieces is read, decoded, encoded and written ten times. A buffer waits until it can
fill one. What waits is in memory alone, unless there is a journal: each row is in that file before `append` returns.

The journal begins with a line of JSON, which says where in the array its first row belongs. Records follow::

    kind (1 byte: R rows, W about to write) | bytes of the payload (8) | their CRC-32 (4) | payload

The payload of R is rows as they are in memory, that of W how many rows are about to be written (8 bytes). With
these a new buffer can tell which rows are in the array already, and none is written twice.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.array import Array
from tutorial_zarr.errors import StoreError, UnsupportedError

RECORD = struct.Struct("<cQI")
COUNT = struct.Struct("<Q")


class AppendBuffer:
    """Collects rows for the end of an array's `axis`. Nobody else may append to the array meanwhile.

    With `journal`, the name of a file, rows that were not written when the process was killed are found again by the
    next buffer of that journal. `durable` syncs each record to the disk, for power cuts. Leaving a ``with`` block
    writes what is left, also after an error: the rows that came before it are sound.

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
        array._check_writable("elements")
        array.refresh()
        self.array, self.axis, self.durable = array, range(array.ndim)[axis], durable
        self.base = array.shape[self.axis]  # where the first row that is held belongs
        self._blocks: list[np.ndarray] = []
        self._held = 0
        self._path, self._file = None if journal is None else Path(journal), None
        if self._path is not None:
            if array.dtype.hasobject or array.dtype.kind == "T":
                raise UnsupportedError(
                    f"{array._label}: expected elements of a fixed size, which a journal can hold, found "
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
        rows = np.array(array._cast(data, array.dtype), array.dtype)  # a copy: the caller may use its memory again
        array._check_block(rows, array.shape, axis)
        if not rows.shape[axis]:
            return
        if self._file is not None:
            self._note(b"R", np.ascontiguousarray(np.moveaxis(rows, axis, 0)).tobytes())
        self._blocks.append(rows)
        self._held += rows.shape[axis]
        unit = array.grid.axes[axis].length
        full = (self.base + self._held) // unit * unit - self.base
        if full > 0:
            self._write(full)

    def flush(self) -> None:
        """Write all rows that are held; the last unit may be partly filled."""
        if self._held:
            self._write(self._held)

    def _write(self, count: int) -> None:
        held = self._blocks[0] if len(self._blocks) == 1 else np.concatenate(self._blocks, self.axis)
        now, later = np.split(held, [count], self.axis)
        self._blocks = [held]
        if self._file is not None:
            self._note(b"W", COUNT.pack(count))
        self.array._append(now, self.axis, at=self.base)
        self.base, self._held = self.base + count, self._held - count
        self._blocks = [later] if self._held else []
        if self._file is not None:
            self._begin()

    def close(self) -> None:
        """Write what is held, and delete the journal."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink()  # type: ignore[union-attr]

    def __enter__(self) -> AppendBuffer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- the journal

    def _head(self) -> dict[str, Any]:
        others = [n for i, n in enumerate(self.array.shape) if i != self.axis]
        dtype = json.loads(json.dumps(np.lib.format.dtype_to_descr(self.array.dtype)))
        return {"append_buffer": 1, "axis": self.axis, "dtype": dtype, "row": others}

    def _begin(self) -> None:
        """A journal of the rows that are held now, in place of the one before."""
        fresh = self._path.with_name(self._path.name + ".partial")  # type: ignore[union-attr]
        if self._file is not None:
            self._file.close()
        self._file = fresh.open("wb", buffering=0)
        self._file.write(json.dumps(self._head() | {"base": self.base}).encode() + b"\n")
        for block in self._blocks:
            self._note(b"R", np.ascontiguousarray(np.moveaxis(block, self.axis, 0)).tobytes())
        if os.name == "nt":  # where an open file has no other name to be given
            self._file.close()
        os.replace(fresh, self._path)  # type: ignore[arg-type]
        if os.name == "nt":
            self._file = self._path.open("ab", buffering=0)  # type: ignore[union-attr]

    def _note(self, kind: bytes, payload: bytes) -> None:
        record = memoryview(RECORD.pack(kind, len(payload), zlib.crc32(payload)) + payload)
        while record:
            record = record[self._file.write(record) :]  # type: ignore[union-attr]
        if self.durable:
            os.fsync(self._file.fileno())  # type: ignore[union-attr]

    def _recover(self) -> None:
        """Take up what a killed buffer left: the rows of its journal that are not in the array."""
        base, rows, about = self._read()
        length = self.array.shape[self.axis]
        if length not in (base, base + about):
            raise self._fail(
                f"an array of length {' or '.join(map(str, sorted({base, base + about})))} along axis {self.axis}",
                f"{length}: others have appended meanwhile, or its rows were cut off",
            )
        rows = np.moveaxis(rows, 0, self.axis)
        for name, mark in self.array.unfinished.items():  # its place was taken, and perhaps not written to
            if mark.axis == self.axis and base <= mark.start and mark.stop <= length:
                part = [slice(None)] * mark.axis + [slice(mark.start - base, mark.stop - base)]
                self.array.finish(name, rows[tuple(part)])
        self.base = length
        self._held = rows.shape[self.axis] - (length - base)
        self._blocks = [np.split(rows, [length - base], self.axis)[1]] if self._held else []

    def _read(self) -> tuple[int, np.ndarray, int]:
        """Where the journal's rows belong, its rows (along the first axis), and how many were about to be written."""
        line, newline, data = self._path.read_bytes().partition(b"\n")  # type: ignore[union-attr]
        try:
            head = json.loads(line) if newline else {}
        except ValueError:
            head = {}
        base = head.pop("base", None) if isinstance(head, dict) else None
        if head != self._head() or type(base) is not int:
            raise self._fail(f"the journal of {json.dumps(self._head())}", repr(line[:200]))
        payloads, about, at = [], 0, 0
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
                about = COUNT.unpack(payload)[0]
            at += RECORD.size + size
        row = self._head()["row"]
        rows = sum(map(len, payloads)) // max(1, math.prod(row) * self.array.itemsize)
        return base, np.frombuffer(b"".join(payloads), self.array.dtype).reshape(rows, *row), about

    def _fail(self, expected: str, found: str) -> StoreError:
        return StoreError(
            f"{self.array._label}: journal {os.fspath(self._path)!r}: expected {expected}, found {found}; "  # type: ignore[arg-type]
            "if its rows are not wanted, delete it",
            path=self.array.path,
        )
