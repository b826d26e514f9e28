"""An array and a group as text and as a card on a page, from what their metadata says.

Nothing is read and nothing listed: a repr has to cost nothing, wherever the store is. What only the store can tell,
such as how many bytes are stored, comes in as `more` from those who have asked for it.

>>> chain = (CodecLine("bytes"), CodecLine("zstd", "level=3"))
>>> print(array_text(ArraySummary("/t", 3, (4, 6), "int32", 4, (2, 3), codecs=chain))["Codecs"])
bytes, zstd(level=3)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec, Codec
from tutorial_zarr.codecs.sharding import ShardingCodec
from tutorial_zarr.words import count, escape, plain, shape_text, size_text, some, table_text

from . import page
from .page import Markup
from .plane import axis_of
from .thumbnail import thumbnail

KINDS = {0: "array to array", 1: "array to bytes", 2: "bytes to bytes"}


@dataclass(frozen=True)
class CodecLine:
    """One codec of a chain: its name, its settings as they are typed, and the chains inside it."""

    name: str
    settings: str = ""
    kind: int = 2
    inside: tuple[tuple[str, tuple[CodecLine, ...]], ...] = ()

    def __str__(self) -> str:
        inner = [f"{name}: {', '.join(map(str, chain))}" for name, chain in self.inside]
        settings = "; ".join([self.settings, *inner] if self.settings else inner)
        return f"{self.name}({settings})" if settings else self.name


def codec_lines(codecs: Sequence[Codec], zarr_format: int = 3) -> tuple[CodecLine, ...]:
    """A chain of codecs as lines; of a v2 array under the names that its document has."""
    found = []
    for codec in codecs:
        if codec.name == "v2_filters":
            for filter in codec.configuration["filters"]:
                rest = {name: value for name, value in filter.items() if name != "id"}
                found.append(CodecLine(plain(filter["id"], 60), _settings(rest), 1))
            continue
        kind = 0 if isinstance(codec, ArrayArrayCodec) else 1 if isinstance(codec, ArrayBytesCodec) else 2
        settings = dict(codec.configuration)
        inside: tuple[tuple[str, tuple[CodecLine, ...]], ...] = ()
        if isinstance(codec, ShardingCodec):
            inside = (("chunks", codec_lines(codec.codecs)), ("index", codec_lines(codec.index_codecs)))
            settings = {"chunk_shape": codec.chunk_shape, "index_location": codec.location}
        name = codec.name.removeprefix("numcodecs.") if zarr_format == 2 else codec.name
        found.append(CodecLine(plain(name, 60), _settings(settings), kind, inside))
    return tuple(found)


def _settings(configuration: Mapping[str, Any]) -> str:
    return ", ".join(f"{plain(name, 60)}={plain(value, 120)}" for name, value in configuration.items())


@dataclass(frozen=True)
class ArraySummary:
    """What the metadata says of an array. Lengths of chunks are one number for an axis, or one for each chunk."""

    name: str
    zarr_format: int
    shape: tuple[int, ...]
    dtype: str
    itemsize: int
    chunks: tuple[Any, ...] = ()
    shards: tuple[Any, ...] | None = None
    codecs: tuple[CodecLine, ...] = ()
    fill_value: str = "0"
    order: str = "C"
    dimension_names: tuple[str | None, ...] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    store: str = ""
    read_only: bool = False
    problem: str = ""  # why it cannot be read
    varying: bool = False  # elements of varying length: what they take in memory is not known

    @property
    def nbytes(self) -> int:
        """Bytes of all elements in memory."""
        return math.prod(self.shape) * self.itemsize

    def unit_count(self, lengths: Sequence[Any]) -> int:
        """How many chunks (or shards) of such lengths there are."""
        return math.prod(axis_of(n, length).count for n, length in zip(self.shape, lengths, strict=True))

    def unit_bytes(self, lengths: Sequence[Any]) -> int:
        """Bytes of the largest chunk in memory."""
        return math.prod(max(n) if isinstance(n, (tuple, list)) else n for n in lengths) * self.itemsize


def array_text(s: ArraySummary, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The rows of ``info``."""
    rows: dict[str, Any] = {
        "Path": s.name,
        "Store": s.store,
        "Zarr format": s.zarr_format,
        "Shape": shape_text(s.shape),
    }
    if s.dimension_names and any(s.dimension_names):
        rows["Dimensions"] = ", ".join(name or "-" for name in s.dimension_names)
    rows["Data type"] = s.dtype
    if s.problem:
        return {**rows, "Cannot be read": s.problem}
    rows["Chunk shape"] = shape_text(s.chunks)
    rows["Chunks"] = s.unit_count(s.chunks)
    if s.shards:
        rows["Shard shape"] = shape_text(s.shards)
        rows["Shards"] = s.unit_count(s.shards)
    rows["Fill value"] = s.fill_value
    rows["Codecs"] = ", ".join(map(str, s.codecs))
    rows["Order"] = s.order
    rows["Read-only"] = s.read_only
    rows["Bytes in memory"] = "varies" if s.varying else _bytes(s.nbytes)
    if s.attributes:
        rows["Attributes"] = some(s.attributes)
    return {**rows, **(more or {})}


def _bytes(n: int) -> str:
    return f"{n:,} ({size_text(n)})" if n >= 1024 else f"{n:,}"


def array_html(s: ArraySummary, more: Mapping[str, Any] | None = None) -> str:
    """The card of an array."""
    title = page.head("Array", s.name, s.dtype, shape_text(s.shape), f"Zarr {s.zarr_format}")
    if s.problem:
        words = Markup(f'<p class="tz-warning">This array cannot be read: {escape(s.problem, 600)}</p>')
        return page.card(f"Array {s.name}", title, words, page.attributes(s.attributes))
    columns, layout = ["", "array"], [["shape", shape_text(s.shape)]]
    sizes: list[Any] = ["in memory", "varies" if s.varying else size_text(s.nbytes)]
    counts: list[Any] = ["count", ""]
    units = [("shard", s.shards), ("chunk", s.chunks)] if s.shards else [("chunk", s.chunks)]
    for name, lengths in units:
        columns.append(name)
        layout[0].append(shape_text(lengths or ()))
        sizes.append("varies" if s.varying else size_text(s.unit_bytes(lengths or ())))
        counts.append(count(s.unit_count(lengths or ()), name + "s"))
    rows: dict[str, Any] = {}
    if s.dimension_names and any(s.dimension_names):
        rows["dimensions"] = ", ".join(name or "-" for name in s.dimension_names)
    rows["fill value"] = page.code(s.fill_value)
    rows["codecs"] = chain_html(s.codecs)
    rows["store"] = page.code(s.store)
    if s.read_only:
        rows["access"] = "read-only"
    rows.update({name.lower(): value for name, value in (more or {}).items()})
    left = page.table([*layout, sizes, counts], columns) + page.facts(rows)
    picture = thumbnail(s.shape, s.chunks, s.shards, s.dimension_names)
    return page.card(f"Array {s.name}", title, page.row(left, picture), page.attributes(s.attributes))


def chain_html(chain: Sequence[CodecLine]) -> Markup:
    """A chain of codecs in order, and the chains inside it below."""
    chips = ' <span aria-hidden="true">\N{RIGHTWARDS ARROW}</span> '.join(
        f'<span class="tz-chip" title="{KINDS[line.kind]}">{escape(line.name)}'
        f"{f' <small>{escape(line.settings, 160)}</small>' if line.settings else ''}</span>"
        for line in chain
    )
    inner = "".join(
        f"<div>{page.note(name + ' inside')} {chain_html(below)}</div>" for line in chain for name, below in line.inside
    )
    return Markup(chips + inner)


@dataclass(frozen=True)
class GroupSummary:
    """What the metadata says of a group; `members` only where consolidated metadata has them."""

    name: str
    zarr_format: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    store: str = ""
    read_only: bool = False
    members: Sequence[str] | None = None  # of known members: a line for each


def group_text(s: GroupSummary, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The rows of ``info``."""
    rows: dict[str, Any] = {
        "Path": s.name,
        "Store": s.store,
        "Zarr format": s.zarr_format,
        "Read-only": s.read_only,
        "Consolidated": s.members is not None,
    }
    if s.attributes:
        rows["Attributes"] = some(s.attributes)
    return {**rows, **(more or {})}


def group_html(s: GroupSummary, below: str = "", more: Mapping[str, Any] | None = None) -> str:
    """The card of a group; `below` is the tree of its members, where that is known without asking the store."""
    rows: dict[str, Any] = {"store": page.code(s.store), **{name.lower(): n for name, n in (more or {}).items()}}
    if s.read_only:
        rows["access"] = "read-only"
    if not below:
        below = f"<p>{page.note('Its members are not listed here, as that asks the store; .tree() shows them.')}</p>"
    known = [] if s.members is None else ["consolidated", count(len(s.members), "nodes")]
    title = page.head("Group", s.name, f"Zarr {s.zarr_format}", *known)
    return page.card(f"Group {s.name}", title, page.facts(rows), below, page.attributes(s.attributes))


class Info(dict[str, Any]):
    """The rows of a summary: a dictionary that prints as a table, and shows itself as a card."""

    def __init__(self, rows: Mapping[str, Any], card: str) -> None:
        super().__init__(rows)
        self._card = card

    def __repr__(self) -> str:
        return table_text(self)

    def _repr_html_(self) -> str:
        return self._card
