"""The keys of an array and what each holds, its documents as they are stored, and bytes in hex.

Several arrays stand side by side, such as the same one in both formats. Leaves out taking a chunk's bytes apart,
which is in `chunk_bytes`; `anatomy` shows what comes out of it.

Keys: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#stored-representation

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(4,), chunks=(2,), dtype="uint8", compressors=None, zarr_format=2)
>>> a[:2] = 7
>>> print(anatomy(a, names=["a"]))
a: 2 objects, ... B
├── .zarray  ... B  metadata: shape, dtype, chunks, compressor
├── 0        2 B  chunk (0,) = a[0:2]
└──          0 B  1 absent chunk, read as 0
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tutorial_zarr import limits, nodes
from tutorial_zarr.array import Array
from tutorial_zarr.viz.chunk_bytes import ChunkBytes, chunk_bytes
from tutorial_zarr.viz.chunk_grid import chunk_coords
from tutorial_zarr.viz.drawing import Picture, page
from tutorial_zarr.viz.drawing.svg import draw, rect, text
from tutorial_zarr.words import count, plain, selection_text, some

MOST_TEXT = 20_000  # bytes of a document that are shown


@dataclass(frozen=True)
class Entry:
    """One object of an array's store."""

    key: str
    nbytes: int
    holds: str
    coords: tuple[int, ...] | None = None  # of the chunk it holds; None for a document


class Row(NamedTuple):
    """One line about an object, or about the chunks that have none; `style` is its mark in a picture."""

    key: str
    size: str
    holds: str
    style: str


@dataclass(frozen=True)
class Panel:
    """The keys of one array."""

    name: str
    entries: tuple[Entry, ...]
    absent: int
    fill_value: Any
    limit: int
    documents: tuple[tuple[str, str], ...] = ()  # key and text of each
    chunk: ChunkBytes | None = None

    def rows(self) -> list[Row]:
        """What to show of each object; the middle of a long list of chunks left out."""
        documents = [entry for entry in self.entries if entry.coords is None]
        chunks = [entry for entry in self.entries if entry.coords is not None]
        rows = [Row(plain(e.key), f"{e.nbytes:,} B", plain(e.holds, 300), "tz-document") for e in documents]
        rows += [Row(plain(e.key), f"{e.nbytes:,} B", e.holds, "tz-stored") for e in chunks[: self.limit]]
        if len(chunks) > self.limit:
            rest = sum(entry.nbytes for entry in chunks[self.limit :])
            rows.append(Row("...", f"{rest:,} B", count(len(chunks) - self.limit, "more chunks"), "tz-stored"))
        if self.absent:
            words = f"{count(self.absent, 'absent chunks')}, read as {plain(self.fill_value, 120)}"
            rows.append(Row("", "0 B", words, "tz-absent"))
        return rows

    @property
    def summary(self) -> str:
        """How many objects, and how large they are together."""
        return f"{count(len(self.entries), 'objects')}, {self.nbytes:,} B"

    @property
    def nbytes(self) -> int:
        """Bytes of all objects."""
        return sum(entry.nbytes for entry in self.entries)


@dataclass(frozen=True)
class Anatomy:
    """The keys of one or several arrays, what each holds and how large it is."""

    panels: tuple[Panel, ...]

    def __str__(self) -> str:
        blocks = []
        for panel in self.panels:
            rows = panel.rows()
            key, size = max(len(row.key) for row in rows), max(len(row.size) for row in rows)
            lines = [f"{plain(panel.name)}: {panel.summary}"]
            for number, row in enumerate(rows):
                branch = "└── " if number == len(rows) - 1 else "├── "
                lines.append(f"{branch}{row.key:<{key}}  {row.size:>{size}}  {row.holds}")
            if panel.chunk is not None:
                lines += ["", str(panel.chunk)]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        panels = []
        for panel in self.panels:
            rows = [[page.code(row.key), row.size, row.holds] for row in panel.rows()]
            title = page.Markup(f"<b>{page.escape(panel.name)}</b>: {panel.summary}")
            parts: list[str] = [page.table(rows, ("key", "size", "what it holds"), title, numbers=(1,))]
            parts += [
                page.fold(page.code(key), f"<pre>{page.escape_lines(words)}</pre>") for key, words in panel.documents
            ]
            if panel.chunk is not None:
                parts.append(f"<p>{page.escape(panel.chunk.name)}, key {page.code(panel.chunk.key)}</p>")
                parts.append(panel.chunk.body(narrow=len(self.panels) > 1))
            panels.append("".join(parts))
        return page.card("The keys of " + ", ".join(panel.name for panel in self.panels), page.row(*panels, even=True))

    def picture(self, title: str = "The keys of an array") -> Picture:
        """The same side by side, as a picture."""
        parts: list[str] = []
        left, high = 22.0, 0.0
        for panel in self.panels:
            rows = panel.rows()
            # A letter is about seven wide; the key and the size share a line.
            wide = 24 + max(max(62 + 7 * len(row.key + row.size), 34 + 7 * len(row.holds)) for row in rows)
            parts.append(text(left, 44, panel.name, "tz-title", "start", 14))
            parts.append(text(left, 64, panel.summary, "tz-dim"))
            for number, row in enumerate(rows):
                y = 80 + 46 * number
                parts.append(rect(left, y, 8, 36, row.style))
                parts.append(text(left + 18, y + 14, row.key or "(no key)", "tz-code" if row.key else "tz-dim"))
                parts.append(text(left + wide - 24, y + 14, row.size, "tz-dim", "end"))
                parts.append(text(left + 18, y + 31, row.holds, "tz-dim", "start", 12))
            left += wide
            high = max(high, 80 + 46 * len(rows))
        words = "; ".join(
            f"{panel.name}: " + ", ".join(f"{row.key or 'no key'} ({row.size}, {row.holds})" for row in panel.rows())
            for panel in self.panels
        )
        return draw(title, f"{title}. {words}.", left, high + 8, parts)


def anatomy(
    *arrays: Array, names: Sequence[str] | None = None, limit: int = 8, chunk: Sequence[int] | None = None
) -> Anatomy:
    """Every key of one or several arrays, its size, and what it holds; at most `limit` chunks are named.

    One listing, one size request per key, one read per document. With `chunk`, the chunk (or shard) at those
    coordinates is read as well, and its bytes are taken apart.
    """
    names = names or [f"{array.name.strip('/') or 'array'} (Zarr {array.metadata.zarr_format})" for array in arrays]
    return Anatomy(tuple(_panel(array, name, limit, chunk) for array, name in zip(arrays, names, strict=True)))


def _panel(array: Array, name: str, limit: int, chunk: Sequence[int] | None) -> Panel:
    prefix = f"{array.path}/" if array.path else ""
    entries, documents = [], []
    for key, nbytes in nodes.sizes_below(array.store, array.path):
        short, coords = key.removeprefix(prefix), chunk_coords(array, key)
        if coords is None:
            whole = nbytes <= limits.current().document_bytes
            data = bytes(array.store.get(key, None if whole else (0, MOST_TEXT)) or b"")
            documents.append((short, data[:MOST_TEXT].decode("utf-8", "backslashreplace")))
            entries.append(Entry(short, nbytes, _document(key, data)))
        else:
            where = [range(part.start, part.stop) for part in array.grid.region(coords)]
            kind = "shard" if array.shards else "chunk"
            entries.append(Entry(short, nbytes, f"{kind} {coords} = a{selection_text(where)}", coords))
    entries.sort(key=lambda entry: (entry.coords is not None, entry.coords or (), entry.key))
    stored = sum(entry.coords is not None for entry in entries)
    return Panel(
        name,
        tuple(entries),
        array.grid.nchunks - stored,
        array.fill_value,
        limit,
        tuple(documents),
        None if chunk is None else chunk_bytes(array, chunk),
    )


def _document(key: str, data: bytes) -> str:
    """What a metadata document holds, by the names of its members."""
    try:
        document = json.loads(data)
    except ValueError:
        return "not a part of the array"
    if key.rpartition("/")[2] == ".zattrs":
        return f"attributes: {some(document) or 'none'}"
    if isinstance(document, Mapping):
        wanted = ("shape", "dtype", "data_type", "chunks", "chunk_grid", "codecs", "compressor", "attributes")
        return f"metadata: {', '.join(name for name in wanted if name in document)}"
    return "not a part of the array"


def hexdump(data: bytes, *, start: int = 0, length: int = 64, notes: Mapping[int, str] | None = None) -> str:
    r"""Bytes as hexadecimal numbers and as text, sixteen a line; `notes` maps an offset to what begins there.

    >>> print(hexdump(b"\x1f\x8b\x08\x00", notes={0: "gzip's signature"}))
    0000  1f 8b 08 00                                       ....
          0: gzip's signature
    """
    lines = []
    for at in range(start, min(start + length, len(data)), 16):
        piece = data[at : min(at + 16, start + length)]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{at:04x}  {piece.hex(' '):<47}   {printable}")
        lines += [f"      {offset}: {note}" for offset, note in (notes or {}).items() if at <= offset < at + 16]
    return "\n".join(lines)
