"""The stored bytes of a chunk or shard, taken apart: which belong to a codec's header, to an index, to the data.

The bytes are read from the store and decoded one codec at a time, and each layer is shown: what is stored, then what
lies inside. A checksum and a shard are seen through, as they leave the bytes as they are; a compressor is where a
layer ends. Bytes that do not fit their format are shown as well, with a sentence instead of a field.

Leaves out the formats of the compressors, which are in `frames`, and the list of an array's keys, in `anatomy`.

Shards: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, name="a", shape=(4,), chunks=(2,), dtype="u1", codecs=["bytes", "crc32c"])
>>> a[:] = [1, 2, 3, 4]
>>> print(chunk_bytes(a, (1,)))
chunk (1,) of /a, key a/c/1
as stored, 6 bytes (bytes, crc32c)
  0  03           elements  element (0,): 3
  1  04           elements  element (1,): 4
  2  54 48 1c 02  checksum  crc32c: of the 2 bytes before it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tutorial_zarr.array import Array
from tutorial_zarr.codecs.base import BytesBytesCodec, Codec
from tutorial_zarr.codecs.bytes import BytesCodec
from tutorial_zarr.codecs.checksums import Checksum
from tutorial_zarr.codecs.extensions.strings import VariableLengthCodec
from tutorial_zarr.codecs.pipeline import Pipeline
from tutorial_zarr.codecs.sharding import NO_CHUNK, ShardingCodec, ShardLayout
from tutorial_zarr.errors import SelectionError, ZarrError
from tutorial_zarr.viz.drawing import page
from tutorial_zarr.viz.drawing.svg import inline, rect
from tutorial_zarr.viz.frames import KINDS, Part, counted_items, frame
from tutorial_zarr.words import count, plain

SHORT = {"head": "header", "index": "index", "data": "data", "item": "elements", "sum": "checksum"}
MOST_BYTES = 16  # of a part that are shown
NARROW_BYTES = 6
MOST_PARTS = 8  # elements, inner chunks, index entries that are named one by one
BAR_WIDE, BAR_HIGH, LEAST = 640, 18, 4  # pixels


@dataclass(frozen=True)
class Layer:
    """Bytes at one stage of decoding, and their parts from the first byte to the last."""

    title: str
    data: bytes
    codecs: tuple[str, ...]  # what wrote them, the outermost last
    parts: tuple[Part, ...]
    problem: str = ""  # why it goes no further

    @property
    def heading(self) -> str:
        """The title, the size, and the codecs."""
        return f"{self.title}, {count(len(self.data), 'bytes')} ({', '.join(self.codecs)})"

    def hex(self, part: Part, most: int = MOST_BYTES) -> str:
        """The first bytes of a part."""
        shown = self.data[part.start : min(part.stop, part.start + most)].hex(" ")
        return shown + (" ..." if part.stop - part.start > most else "")


@dataclass(frozen=True)
class ChunkBytes:
    """The bytes of a chunk or shard, taken apart."""

    name: str
    key: str
    layers: tuple[Layer, ...]

    def __str__(self) -> str:
        lines = [f"{plain(self.name)}, key {plain(self.key)}" + ("" if self.layers else f": {NOT_STORED}")]
        for layer in self.layers:
            lines.append(plain(layer.heading))
            rows = [(f"{p.start}", layer.hex(p), SHORT[p.kind], _words(p)) for p in layer.parts]
            at, found, kind = (max((len(row[i]) for row in rows), default=0) for i in range(3))
            lines += [f"  {r[0]:>{at}}  {r[1]:<{found}}  {r[2]:<{kind}}  {r[3]}" for r in rows]
            if layer.problem:
                lines.append(f"  {plain(layer.problem)}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return page.card(self.name, page.head("Bytes", self.name, f"key {self.key}"), self.body())

    def body(self, narrow: bool = False) -> str:
        """The layers, as a part of a card; `narrow` leaves room for another beside it."""
        if not self.layers:
            return f"<p>{page.note(NOT_STORED)}</p>"
        used = {part.kind for layer in self.layers for part in layer.parts}
        legend = " ".join(
            f'<span class="tz-legend"><span class="tz-swatch tz-{kind}"></span>{words}</span>'
            for kind, words in KINDS.items()
            if kind in used
        )
        return f"<p>{legend}</p>" + "".join(_layer_html(layer, narrow) for layer in self.layers)


NOT_STORED = "not stored, so every element reads as the fill value"


def _words(part: Part) -> str:
    return plain(f"{part.name}: {part.meaning}" if part.meaning else part.name, 160)


def _layer_html(layer: Layer, narrow: bool) -> str:
    columns: tuple[str, ...] = ("at", "bytes", "part", "field", "meaning")
    rows = []
    for part in layer.parts:
        found = layer.hex(part, NARROW_BYTES if narrow else MOST_BYTES)
        shown = page.Markup(f'<span class="tz-byte tz-{part.kind}">{found}</span>')
        rows.append([f"{part.start:,}", shown, SHORT[part.kind], part.name, plain(part.meaning, 160)])
    if narrow:
        columns = ("at", "bytes", "what it is")
        rows = [[at, shown, f"{name}: {words}" if words else name] for at, shown, _, name, words in rows]
    problem = f'<p class="tz-warning">{page.escape(layer.problem, 600)}</p>' if layer.problem else ""
    return _bar(layer) + page.table(rows, columns, layer.heading) + problem


def _bar(layer: Layer) -> str:
    """The parts as a strip, in proportion; one that would be too narrow to see is drawn wider."""
    sizes = [part.stop - part.start for part in layer.parts]
    if not sum(sizes):
        return ""
    wide = [max(LEAST, BAR_WIDE * size / sum(sizes)) for size in sizes]
    scale, x, parts = BAR_WIDE / sum(wide), 0.0, []
    for part, width in zip(layer.parts, wide, strict=True):
        parts.append(rect(x, 0, max(width * scale - 1, 1), BAR_HIGH, f"tz-{part.kind}"))
        x += width * scale
    shares = {kind: sum(p.stop - p.start for p in layer.parts if p.kind == kind) for kind in KINDS}
    alt = ", ".join(f"{SHORT[kind]} {size:,}" for kind, size in shares.items() if size)
    return inline(layer.heading, f"Bytes by part: {alt}. Narrow parts are drawn wider.", BAR_WIDE, BAR_HIGH, parts)


def chunk_bytes(array: Array, coords: Sequence[int], inner: Sequence[int] | None = None) -> ChunkBytes:
    """The stored bytes of the chunk (or shard) at `coords`, taken apart.

    One request. Of a shard one inner chunk is taken apart as well: the one at the coordinates `inner` within the
    shard, or the first that is stored.
    """
    place = tuple(int(c) for c in coords)
    key, data = array.chunk_key(place), array.encoded_chunk(place)
    name = f"{'shard' if array.shards else 'chunk'} {place} of {array.name}"
    if data is None:
        return ChunkBytes(name, key, ())
    wanted = None if inner is None else tuple(int(c) for c in inner)
    pipeline = array.io.pipeline_at(place)
    return ChunkBytes(name, key, tuple(_layers(pipeline, data, "as stored", wanted)))


def _layers(pipeline: Pipeline, data: bytes, title: str, wanted: tuple[int, ...] | None) -> Iterator[Layer]:
    """What is stored, then what is inside each compressor, then an inner chunk."""
    left = list(pipeline.bytes_bytes)
    layer = _layer(title, data, pipeline, left)
    while left:
        codec, size = left.pop()
        try:
            data = bytes(codec.decode(data, size))
        except Exception as error:  # whatever a codec library raises on bad bytes
            yield replace(layer, problem=f"cannot be decoded further: {error}")
            return
        if not isinstance(codec, Checksum):
            yield layer
            layer = _layer(f"inside {_name(codec)}", data, pipeline, left)
    sharding = pipeline.array_bytes
    if not isinstance(sharding, ShardingCodec):
        yield layer
        return
    layout = sharding.layout(pipeline.inner_spec)
    number = None if wanted is None else _number(layout, wanted)
    try:
        spans = layout.spans(layout.index_of(memoryview(data)), len(data))
    except ZarrError as error:
        yield replace(layer, problem=str(error))
        return
    yield layer
    if number is None:
        number = next((i for i, span in enumerate(spans) if span), None)
    if number is not None and (span := spans[number]) is not None:
        place = _place(number, layout.counts)
        yield from _layers(layout.inner, data[slice(*span)], f"inner chunk {place}", None)


def _number(layout: ShardLayout, wanted: tuple[int, ...]) -> int:
    if len(wanted) != len(layout.counts) or not all(0 <= c < n for c, n in zip(wanted, layout.counts, strict=True)):
        raise SelectionError(
            f"viz.chunk_bytes: expected coordinates of an inner chunk below {layout.counts}, found {wanted}"
        )
    return layout.number(wanted)


def _name(codec: Codec) -> str:
    return codec.name.removeprefix("numcodecs.")


def _layer(title: str, data: bytes, pipeline: Pipeline, left: Sequence[tuple[BytesBytesCodec, int | None]]) -> Layer:
    chain: list[Codec] = [pipeline.array_bytes, *(codec for codec, _ in left)]
    return Layer(title, data, tuple(map(_name, chain)), tuple(_parts(chain, data, pipeline)))


def _parts(chain: Sequence[Codec], data: bytes, pipeline: Pipeline) -> list[Part]:
    codec = chain[-1]
    if isinstance(codec, Checksum):
        if len(data) < 4:
            return [Part(0, len(data), "data", "not understood", f"expected the 4 bytes of {_name(codec)}")]
        at, rest = (0, 4) if codec.location == "start" else (len(data) - 4, 0)
        where = "behind" if codec.location == "start" else "before"
        inside = _parts(chain[:-1], data[rest : rest + len(data) - 4], pipeline)
        check = Part(at, at + 4, "sum", _name(codec), f"of the {count(len(data) - 4, 'bytes')} {where} it")
        return sorted([*_shifted(inside, rest), check])
    if isinstance(codec, BytesBytesCodec):
        return frame(codec.name, data)
    if isinstance(codec, ShardingCodec):
        return list(_shard(codec.layout(pipeline.inner_spec), data))
    if isinstance(codec, VariableLengthCodec):
        return counted_items(data, codec.text, MOST_PARTS)
    if isinstance(codec, BytesCodec) and pipeline.inner_spec.nbytes == len(data):
        return list(_elements(codec, data, pipeline))
    words = f"as {_name(codec)} wrote them" if not isinstance(codec, BytesCodec) else "of another size than the chunk's"
    return [Part(0, len(data), "data", "bytes", words)]


def _shifted(parts: Iterable[Part], by: int) -> Iterator[Part]:
    return (part._replace(start=part.start + by, stop=part.stop + by) for part in parts)


def _elements(codec: BytesCodec, data: bytes, pipeline: Pipeline) -> Iterator[Part]:
    spec = pipeline.inner_spec
    size, values = spec.data_type.item_size or 1, codec.decode(data, spec).reshape(-1)
    shown = min(len(values), MOST_PARTS)
    for i in range(shown):
        name = f"number {i} as stored" if pipeline.array_array else f"element {_place(i, spec.shape)}"
        yield Part(i * size, (i + 1) * size, "item", name, str(values[i]))
    if len(values) > shown:
        yield Part(shown * size, len(data), "item", "more elements", f"{len(values) - shown:,} of them")


def _place(number: int, counts: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(number, counts)) if counts else ()


def _shard(layout: ShardLayout, data: bytes) -> Iterator[Part]:
    """Inner chunks where the index says they lie, what lies between them, and the index."""
    if len(data) < layout.index_size:
        yield Part(0, len(data), "data", "not understood", f"expected an index of {layout.index_size} bytes")
        return
    start = len(data) - layout.index_size if layout.index_at_end else 0
    index = list(_shifted(_index(layout, data[start : start + layout.index_size]), start))
    at, end = (0, start) if layout.index_at_end else (layout.index_size, len(data))
    if not layout.index_at_end:
        yield from index
    try:
        spans = layout.spans(layout.index_of(memoryview(data)), len(data))
    except ZarrError:  # which sentence that is, the layer says
        spans = []
    stored = sorted((span, number) for number, span in enumerate(spans) if span is not None)
    for shown, ((first, stop), number) in enumerate(stored):
        if first < at:
            yield Part(at, end, "data", "not understood", "inner chunks overlap")
            at = end
            break
        if first > at:
            yield Part(at, first, "data", "unused bytes", "no entry of the index points here")
        if shown == MOST_PARTS:
            yield Part(first, stored[-1][0][1], "data", "more inner chunks", f"{len(stored) - MOST_PARTS:,} of them")
            at = stored[-1][0][1]
            break
        yield Part(first, stop, "data", f"inner chunk {_place(number, layout.counts)}", count(stop - first, "bytes"))
        at = stop
    if at < end:
        yield Part(at, end, "data", "unused bytes", "no entry of the index points here")
    if layout.index_at_end:
        yield from index


def _index(layout: ShardLayout, data: bytes) -> Iterator[Part]:
    """The entries of an index, where its codecs leave them as they are."""
    chain = layout.index.codecs
    plainly = all(isinstance(c, BytesCodec) or (isinstance(c, Checksum) and c.location == "end") for c in chain)
    try:
        entries = layout.read_index(data).reshape(-1, 2).tolist() if plainly else []
    except ZarrError:
        entries = []
    if not entries:
        yield Part(0, len(data), "index", "index", f"as {', '.join(map(_name, chain))} wrote it")
        return
    for number, (offset, length) in enumerate(entries[:MOST_PARTS]):
        words = "absent" if (offset, length) == (NO_CHUNK, NO_CHUNK) else f"offset {offset:,}, length {length:,}"
        yield Part(16 * number, 16 * number + 16, "index", f"entry {_place(number, layout.counts)}", words)
    end = 16 * len(entries)
    if len(entries) > MOST_PARTS:
        absent = sum(entry == [NO_CHUNK, NO_CHUNK] for entry in entries)
        words = f"{len(entries) - MOST_PARTS:,} of {len(entries):,}; {absent:,} of all are absent"
        yield Part(16 * MOST_PARTS, end, "index", "more entries", words)
    for codec in chain[1:]:
        yield Part(end, end + 4, "sum", _name(codec), "of the index")
        end += 4
