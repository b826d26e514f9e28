"""Who wrote a store, what of it is unusual, and what others will see: `explain` reads it off the documents.

Programs leave traces: attributes that nobody else writes, the order of members, how JSON is indented. ``traits.json``
has them, each with how sure it makes one: "certain" (a name that the program gives itself), "likely" (a form that no
other known program has), "could be" (one that others have, too). They were seen in stores that these programs made.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, shape=(4,), dtype="i4", filters=[], compressors=["numcodecs.bz2"])
>>> told = explain(a.store)
>>> [(one.writer, one.sure) for one in told.traits], told.unusual
([('tutorial_zarr', 'could be')], {'the codec numcodecs.bz2': ['the array']})
"""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tutorial_zarr as zarr
from tutorial_zarr import nodes
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.stores import Store, make_store
from tutorial_zarr.tools.doctor import misread
from tutorial_zarr.words import count, plain

from .changes import names, words
from .elements import elements_of
from .lint import default_readers, lint_elements, stored_matrix

TRAITS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("traits.json").read_text(encoding="utf-8"))
SURE = ("certain", "likely", "could be")
LOOKED_AT = 20  # arrays whose documents are looked at for traits, spread over all
SMALL, MANY = 1 << 14, 1000  # bytes of a chunk, and chunks, from which on they are unusual
# What nearly every store has: nothing to tell.
USUAL = (
    "format:", "grid:regular", "attributes:any", "names:dimensions", "names:below-a-group", "groups:", "blosc:",
    "keys:default/", "keys:v2.", "keys:v2/", "codec:bytes", "codec:zstd", "codec:blosc", "codec:gzip", "codec:crc32c",
    "codec:sharding_indexed", "codec:vlen-utf8", "codec2:zstd", "codec2:blosc", "codec2:zlib", "codec2:gzip",
    "codec2:vlen-utf8", "layout:filters", "endian:little", "fill:null", "fill:not-finite",
)  # fmt: skip
TYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "string",
)


class Trait(NamedTuple):
    """A trace of a writer."""

    writer: str
    sure: str
    because: str
    arrays: int  # how many of those that were looked at have it; 0 for the store itself


@dataclass
class Explanation:
    """What `explain` tells."""

    zarr_format: int | None = None
    arrays: int = 0
    listed: bool = True  # whether anything tells which arrays there are
    traits: list[Trait] = field(default_factory=list)
    unusual: dict[str, list[str]] = field(default_factory=dict)  # what -> in which arrays
    misread: list[misread.Misreading] = field(default_factory=list)
    unread: dict[str, dict[str, str]] = field(default_factory=dict)  # reader -> array -> what it does not read
    readers: list[str] = field(default_factory=list)  # those asked

    def to_json(self) -> dict[str, Any]:
        """The explanation in types that JSON knows."""
        return {
            **self.__dict__,
            "traits": [one._asdict() for one in self.traits],
            "misread": [one.to_json() for one in self.misread],
        }


def explain(store: Any, storage_options: Any = None) -> Explanation:
    """Explain a store, or an N5 container or Icechunk repository, which look like one.

    Parameters
    ----------
    store
        A folder, a zip file, a URL, a store or a dict.
    storage_options
        Of a URL: a dict for the library that opens it.

    Raises `NodeNotFoundError` where there is neither, `StoreError` where the store fails.
    """
    opened, told, listed = make_store(store, "r", storage_options), Explanation(), list[str]()
    with nodes.where_listed():
        listed = list(opened.list_dir(""))
    root = _Node(opened, "", listed)
    told.traits = [Trait(one["writer"], one["sure"], _because(one, root), 0) for one in TRAITS if _of_root(one, root)]
    if root.document is None and told.traits:
        return told
    told.zarr_format, matrix = zarr.open(opened, mode="r").zarr_format, stored_matrix()
    found = [misread.Node(opened, *each) for each in misread.arrays_in(opened)]
    told.listed = bool(listed or found)
    told.arrays, told.readers = len(found), default_readers(told.zarr_format, matrix)
    looked = [found[n * len(found) // min(len(found), LOOKED_AT)] for n in range(min(len(found), LOOKED_AT))]
    told.traits += _traits([_Node(opened, node.path) for node in looked])
    told.traits.sort(key=lambda one: SURE.index(one.sure))
    for node in found:
        path = node.path
        told.misread += misread.of_node(node, told.readers)
        try:
            if node.metadata is None:
                continue
            elements = elements_of(node.document, node.attributes, path)
        except ZarrError:
            continue  # what this library does not take: a misreading tells why
        for what in _unusual(elements, node.metadata):
            told.unusual.setdefault(what, []).append(path or "the array")
        for one in lint_elements(elements, told.readers, path, matrix):
            if one.outcome != "untested":
                told.unread.setdefault(one.reader, {})[path] = " with ".join(map(words, one.elements))
    return told


class _Node:
    """The bytes of a node's own document, and what can be read off them."""

    def __init__(self, store: Store, path: str, names: list[str] | None = None) -> None:
        self.names, self.text, self.document = names or [], "", None
        self.attributes: dict[str, Any] = {}
        for name in ("zarr.json", ".zarray", ".zgroup"):
            data = nodes.read_document(store, nodes.join(path, name))
            if data is not None:
                self.text = bytes(data).decode("utf-8", "replace")
                self.document = _object(self.text)
                attributes = (self.document or {}).get("attributes")
                if name != "zarr.json":
                    attributes = _object(bytes(nodes.read_document(store, nodes.join(path, ".zattrs")) or b"{}"))
                self.attributes = attributes if isinstance(attributes, dict) else {}
                break

    @property
    def style(self) -> str:
        """How the JSON is written down."""
        head = self.text.strip()
        if "\n" not in head:
            return "one line"
        line = head.split("\n")[1]
        indent = f"indent {len(line) - len(line.lstrip())}"
        return indent + (", tight" if '":' in line and '": ' not in line else "")


def _object(text: str | bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _has(trait: dict[str, Any], node: _Node) -> bool:
    """Whether a node shows all that a trait asks for."""
    document, name = node.document or {}, trait.get("attribute")
    value = node.attributes.get(name) if name else None
    return (
        trait.get("format") in (None, document.get("zarr_format"))
        and trait.get("style") in (None, node.style)
        and [*document][: len(trait.get("first", ()))] == trait.get("first", [])
        and set(trait.get("members", ())) <= set(document)
        and not set(trait.get("absent_members", ())) & set(document)
        and set(trait.get("keys", ())) <= set(node.names)
        and not set(trait.get("absent", ())) & set(node.names)
        and (name is None or name in node.attributes)
        and trait.get("equals") in (None, value)
        and (not trait.get("base64") or (isinstance(value, str) and value.endswith("=")))
    )


def _of_root(trait: dict[str, Any], root: _Node) -> bool:
    """Whether the root shows a trait that is not one of an array's document."""
    return not trait.get("format") and not trait.get("members") and _has(trait, root)


def _traits(arrays: list[_Node]) -> list[Trait]:
    found = []
    for trait in TRAITS:
        having = [node for node in arrays if not trait.get("keys") and _has(trait, node)]
        if having:
            found.append(Trait(trait["writer"], trait["sure"], _because(trait, having[0]), len(having)))
    return found


def _because(trait: dict[str, Any], node: _Node) -> str:
    return str(trait["because"].format(value=plain(str(node.attributes.get(trait.get("attribute", ""))), 60)))


def _unusual(elements: frozenset[str], metadata: Any) -> Iterator[str]:
    """What of an array few others have."""
    for element in sorted(elements):
        if not element.startswith(USUAL) and element.removeprefix("type:") not in TYPES:
            yield words(element)
    if metadata.chunk_grid.name == "regular":
        lengths = metadata.chunk_grid.configuration["chunk_shape"]
        chunks = math.prod(-(-n // max(length, 1)) for n, length in zip(metadata.shape, lengths, strict=True))
        if chunks > MANY and math.prod(lengths) * max(metadata.data_type.numpy.itemsize, 1) < SMALL:
            yield f"more than {MANY:,} chunks of less than {SMALL >> 10} kB"


def lines(told: Explanation, width: int = 80) -> Iterator[str]:
    """The explanation for people: a screen of 24 lines."""
    best: dict[str, Trait] = {}
    for trait in told.traits:
        best.setdefault(trait.writer, trait)
    if told.zarr_format:
        many = count(told.arrays, "arrays") if told.listed else "a group whose members nothing names"
        yield f"Zarr {told.zarr_format}, {many}"
    yield "Who wrote it:"
    writers = [(f"{one.writer} ({one.sure})", one.because) for one in best.values()]
    yield from _rows(writers or [("nobody can tell", "no trait of a known program")], width, 4)
    if not told.arrays:
        return
    yield "What is unusual:"
    unusual = [(what, _some(where)) for what, where in told.unusual.items()]
    yield from _rows(unusual or [("nothing", "its types, codecs and layout are common")], width, 4)
    yield "What others will see:"
    yield from _rows(list(_seen(told)), width, 6)


def _seen(told: Explanation) -> Iterator[tuple[str, str]]:
    """Reader and what it sees, those first that read other values and say nothing; then who is left."""
    silent: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    for reader in told.readers:
        unread = told.unread.get(reader, {})
        seen = [one for one in told.misread if one.array not in unread]  # what it refuses it does not misread
        wrong = [(one, by) for one in seen for by in one.seen if by.reader == reader]
        for one, by in wrong[:1]:
            more = len({other.array for other, _ in wrong}) - 1
            also = f"; and {count(more, 'arrays')} more" if more else ""
            what = f"{by.sees}: {plain(one.array or 'the array', 30)} {one.problem}{also}"
            (silent if by.outcome == "silent" else refused).setdefault(what, []).append(reader)
        if unread:
            what = f"does not read {_some([*unread])}: {next(iter(unread.values()))}"
            refused.setdefault(what, []).append(reader)
    rows = [*silent.items(), *refused.items()]
    yield from ((names(who), what) for what, who in rows)
    known = {reader for _, who in rows for reader in who}
    if well := [name for name in told.readers if name not in known]:
        yield "nothing known against", names(well)


def _some(paths: list[str]) -> str:
    first = plain(paths[0] or "the array", 30)
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1:,} more"


def _rows(rows: list[tuple[str, str]], width: int, most: int) -> Iterator[str]:
    """Two lines at most for each; the last one of many stays, as it tells of all the others."""
    shown = rows if len(rows) <= most else [*rows[: most - 1], (f"and {len(rows) - most + 1:,} more", "see --json")]
    for name, text in shown:
        line = f"  {plain(name)}: {plain(text)}"
        yield from textwrap.wrap(line, width, subsequent_indent="      ", max_lines=2, placeholder=" ...")
