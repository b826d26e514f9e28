"""The cases: stores that can be written, each with an id, a section of a specification, and its exact content.

A case holds what has to come out (shape, type, attributes, canonical bytes), computed with numpy alone, and the
metadata document that describes it. It does not hold a store: the peer that writes the case makes that. `all_cases`
crosses the recipes; equal registries give equal cases in an equal order.

>>> case = all_cases()["v3/int32/edge/gzip"]
>>> case.expected.shape, case.document["codecs"][-1]["name"], "codec:gzip" in case.elements
((5, 7), 'gzip', True)
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from tutorial_zarr import dtypes
from tutorial_zarr.dtypes.text import Bytes, String
from tutorial_zarr.errors import SelectionError

from . import recipes, values
from .elements import elements_of
from .protocol.peer_protocol import canonical, canonical_json, describe, type_name
from .recipes import CHAINS_V2, CHAINS_V3, JSON, KEYS, LAYOUTS, MAIN_TYPES, OBJECTS, Chain, Layout, v3

ATTRIBUTES: JSON = {
    "title": "Überschrift 日本 🜁",
    "numbers": [1, -2.5, 1e300, 0],
    "nested": {"deep": {"list": [[], {}, None, True, False]}, "": "an empty key"},
    "newline and quote": 'a\n"b"\t\\',
}


@dataclass(frozen=True, eq=False)
class Case:
    """One store that can be written, and what must be read from it."""

    id: str
    spec: str
    document: JSON  # of the array, as the specification has it
    data: np.ndarray
    fill: np.ndarray
    regions: tuple[tuple[slice, ...], ...]
    attributes: JSON = field(default_factory=dict)
    node: str = ""
    groups: dict[str, JSON] = field(default_factory=dict)
    consolidated: bool = False
    kind: str = "array"  # "group": what is asked for is the tree, not the array in it
    more_elements: tuple[str, ...] = ()

    @property
    def zarr_format(self) -> int:
        """2 or 3."""
        return self.document["zarr_format"]

    @functools.cached_property
    def elements(self) -> frozenset[str]:
        """What a reader has to know."""
        return elements_of(self.document, self.attributes, self.node) | set(self.more_elements)

    @functools.cached_property
    def expected(self) -> np.ndarray:
        """The elements that must be read."""
        found = np.full_like(self.data, self.fill[()]) if self.data.dtype != object else _filled(self.data, self.fill)
        for region in self.regions:
            found[region] = self.data[region]
        return found

    @functools.cached_property
    def expected_bytes(self) -> bytes:
        """Their canonical bytes."""
        return canonical_json(self.tree) if self.kind == "group" else canonical(self.expected)

    @property
    def sha256(self) -> str:
        """The digest of `expected_bytes`."""
        return hashlib.sha256(self.expected_bytes).hexdigest()

    @property
    def dtype(self) -> str:
        """What the type of the elements is called in a reply."""
        if self.kind == "group":
            return "tree"
        sample = np.asarray(self.fill) if isinstance(self.fill[()], bytes) else self.data  # there may be no data
        return type_name(self.data.dtype, sample)

    @property
    def tree(self) -> JSON:
        """Every node of the store by its path."""
        found = {path: {"kind": "group", "attributes": attributes} for path, attributes in self.groups.items()}
        return found | {self.node: {"kind": "array", "attributes": self.attributes}}

    def request(self, bytes_from: str) -> JSON:
        """The part of a request to write this case; `bytes_from` holds the canonical bytes of `data`."""
        return {
            "id": self.id,
            "zarr_format": self.zarr_format,
            "document": self.document,
            "attributes": self.attributes,
            "node": self.node,
            "groups": self.groups,
            "consolidated": self.consolidated,
            "shape": list(self.data.shape),
            "dtype": type_name(self.data.dtype) if self.kind == "group" else self.dtype,
            "numpy": describe(self.data.dtype),
            "regions": [[[s.start, s.stop] for s in region] for region in self.regions],
            "bytes_from": bytes_from,
        }


def _filled(data: np.ndarray, fill: np.ndarray) -> np.ndarray:
    found = np.empty(data.shape, object)
    for i in np.ndindex(data.shape):
        found[i] = fill[()]
    return found


# --- one array


def make(
    id: str,
    zarr_format: int,
    data_type: dtypes.DataType,
    layout: Layout,
    chain: Chain,
    *,
    fill: Any = None,
    elements: np.ndarray | None = None,
    keys: Any = None,
    **more: Any,
) -> Case:
    """The case of this type, layout and chain."""
    if elements is None:
        elements = values.plain_elements(data_type) if chain.lossy else values.elements(data_type)
    data = np.resize(elements, layout.shape)
    if fill is None:
        fill = data_type.scalar(0) if chain.lossy else values.fill_value(data_type)
    if layout.write is None or data.size == 0:
        regions: tuple[tuple[slice, ...], ...] = ()
    else:
        spans = (slice(None),) * data.ndim if layout.write == (...,) else layout.write
        regions = (tuple(slice(*s.indices(n)[:2]) for s, n in zip(spans, data.shape, strict=True)),)
    document = (_document_v3 if zarr_format == 3 else _document_v2)(data_type, layout, chain, fill, keys)
    document |= more.pop("members", {})
    spec = more.pop("spec", "") or (chain.spec or layout.spec if zarr_format == 3 else recipes.V2)
    return Case(id, spec, document, data, fill, regions, **more)


def _grid(chunks: Any) -> JSON:
    if any(isinstance(axis, list) for axis in chunks):
        return v3("rectilinear", kind="inline", chunk_shapes=chunks)
    return v3("regular", chunk_shape=list(chunks))


def _serializer(data_type: dtypes.DataType, layout: Layout, chain: Chain) -> JSON:
    if chain.serializer:
        return chain.serializer
    if isinstance(data_type, (String, Bytes)):
        return v3("vlen-utf8" if isinstance(data_type, String) else "vlen-bytes")
    return v3("bytes", endian=layout.endian) if data_type.needs_endian or chain.filters else v3("bytes")


def _document_v3(data_type: dtypes.DataType, layout: Layout, chain: Chain, fill: Any, keys: Any) -> JSON:
    codecs = [v3("transpose", order=list(layout.transpose))] if layout.transpose else []
    codecs += [*chain.filters, _serializer(data_type, layout, chain), *_fitting(chain.compressors, data_type)]
    if layout.shards is not None:
        for chunk_shape in (layout.chunks, layout.middle):
            if chunk_shape is not None:
                codecs = [
                    v3(
                        "sharding_indexed",
                        chunk_shape=list(chunk_shape),
                        codecs=codecs,
                        index_codecs=[v3("bytes", endian="little"), v3("crc32c")],
                        index_location=layout.index_location,
                    )
                ]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(layout.shape),
        "data_type": data_type.to_json(),
        "chunk_grid": _grid(layout.chunks if layout.shards is None else layout.shards),
        "chunk_key_encoding": keys or chain.chunk_keys or v3("default", separator="/"),
        "fill_value": data_type.fill_to_json(fill),
        "codecs": codecs,
    }


def _fitting(compressors: Iterable[JSON], data_type: dtypes.DataType) -> Iterator[JSON]:
    """blosc is told the size of an element, as writers do."""
    for codec in compressors:
        if codec["name"] == "blosc":
            codec = v3("blosc", **codec["configuration"] | {"typesize": min(data_type.item_size or 1, 255)})
        yield codec


def _document_v2(data_type: dtypes.DataType, layout: Layout, chain: Chain, fill: Any, keys: Any) -> JSON:
    objects = {String: "vlen-utf8", Bytes: "vlen-bytes"}.get(type(data_type))
    document = {
        "zarr_format": 2,
        "shape": list(layout.shape),
        "chunks": list(layout.chunks),
        "dtype": dtypes.to_v2(data_type, layout.endian),
        "compressor": chain.compressors[0] if chain.compressors else None,
        "filters": [*chain.filters, *([{"id": objects}] if objects else [])] or None,
        "fill_value": data_type.fill_to_v2(fill),
        "order": "F" if layout.transpose else "C",
    }
    return document | ({"dimension_separator": keys} if keys else {})


# --- all of them


def _sensible(zarr_format: int, data_type: dtypes.DataType, layout: Layout, chain: Chain, label: str) -> bool:
    if zarr_format not in layout.formats or (chain.types and label not in chain.types):
        return False
    if layout.endian == "big" and (not data_type.needs_endian or chain.types or chain.serializer):
        return False
    if layout.rectilinear and (chain.filters or chain.serializer):
        return False
    return data_type.item_size is not None or not (chain.filters or chain.serializer)


def _crossed(zarr_format: int) -> Iterator[Case]:
    types = recipes.data_types_v3() if zarr_format == 3 else recipes.data_types_v2()
    chains = CHAINS_V3 if zarr_format == 3 else CHAINS_V2
    wanted: dict[tuple[str, str, str], None] = {}
    for label in types:
        for name, layout in LAYOUTS.items():
            if label in MAIN_TYPES or layout.few:
                wanted[label, name, "gzip"] = None
    for name, chain in chains.items():
        if chain.every_type:
            wanted.update(dict.fromkeys((label, "edge", name) for label in types))
        wanted.update(dict.fromkeys((label, "edge", name) for label in chain.types))
        wanted.update(dict.fromkeys(((chain.types or ("int32",))[0], layout, name) for layout in chain.layouts))
    for label, layout_name, name in wanted:
        data_type, layout, chain = types[label], LAYOUTS[layout_name], chains[name]
        if _sensible(zarr_format, data_type, layout, chain, label):
            yield make(f"v{zarr_format}/{label}/{layout_name}/{name}", zarr_format, data_type, layout, chain)


def _bits(dtype: str, bits: int) -> np.ndarray:
    return np.array(bits, f"u{np.dtype(dtype).itemsize}").view(dtype)


FILLS: dict[str, tuple[str, Any]] = {
    "false": ("bool", False),
    "uint64-max": ("uint64", 2**64 - 1),
    "int64-min": ("int64", -(2**63)),
    "int64-beyond-doubles": ("int64", 2**53 + 1),
    "one-tenth": ("float32", 0.1),
    "minus-zero": ("float64", -0.0),
    "minus-zero-float16": ("float16", -0.0),
    "smallest": ("float64", 5e-324),
    "NaN-float16": ("float16", _bits("float16", 0x7E00)),
    "NaN-payload": ("float32", _bits("float32", 0x7FC00001)),
    "NaN-signalling": ("float32", _bits("float32", 0x7F800001)),
    "NaN-sign": ("float64", _bits("float64", 0xFFF8 << 48)),
    "infinity": ("float32", np.inf),
    "minus-infinity": ("float64", -np.inf),
    "complex-specials": ("complex128", np.array([np.inf, -0.0]).view("complex128")[0]),
}


def _special(zarr_format: int) -> Iterator[Case]:
    """Fill values, bits, chunk keys, names, attributes and groups."""
    types = recipes.data_types_v3() if zarr_format == 3 else recipes.data_types_v2()
    chain, v = Chain(), f"v{zarr_format}"
    edge, empty = LAYOUTS["edge"], LAYOUTS["empty"]
    integers = dtypes.from_json("int16")
    for name, (label, value) in FILLS.items():
        if zarr_format == 3 or not name.startswith(("NaN-p", "NaN-s")):
            fill = types[label].scalar(value)
            yield make(
                f"{v}/fill/{name}",
                zarr_format,
                types[label],
                empty,
                chain,
                fill=fill,
                spec=f"{recipes.CORE}#fill-value",
            )
    if zarr_format == 2:
        for label in ("int32", "float64", "string"):
            kind = types[label]
            members = {"fill_value": None}
            # What was not written would be undefined, so all is.
            yield make(f"{v}/fill/null-{label}", 2, kind, edge, chain, fill=kind.default_fill(), members=members)
    for name, bits in (("payload", 0x7FC00001), ("sign", 0xFFC00000), ("signalling", 0x7F800001)):
        data = np.array([bits, 0x7FC00000], "u4").view("f4")
        yield make(
            f"{v}/bits/NaN-{name}",
            zarr_format,
            types["float32"],
            edge,
            chain,
            elements=data,
            more_elements=("data:NaN-bits",),
        )
    for name, (of, encoding) in KEYS.items():
        if of == zarr_format:
            for layout in ("edge", "no-axis"):
                yield make(f"{v}/keys/{name}/{layout}", zarr_format, integers, LAYOUTS[layout], chain, keys=encoding)
    attributes = {"plain": {"title": "x", "n": 1}, "rich": ATTRIBUTES, "beyond-doubles": {"n": [2**53 + 1, 2**70]}}
    for name, given in attributes.items():
        yield make(f"{v}/attributes/{name}", zarr_format, integers, edge, chain, attributes=given)
    names = {
        "space": "a name/with spaces",
        "unicode": "größe/日本",
        "quoting": "50%#1/what?",
        "dots": "a.b/c.d",
    }
    for name, node in names.items():
        groups: dict[str, dict[str, Any]] = {"": {}, node.split("/")[0]: {}}
        yield make(f"{v}/names/{name}", zarr_format, integers, edge, chain, node=node, groups=groups)
    for name, consolidated in (("tree", False), ("consolidated", True)):
        shared: dict[str, Any] = {
            "node": "a/b/x",
            "groups": {"": {"level": 0}, "a": ATTRIBUTES, "a/b": {"level": 2}},
            "attributes": {"unit": "m"},
            "consolidated": consolidated,
        }
        marks: tuple[str, ...] = ("groups:consolidated",) if consolidated else ()
        yield make(f"{v}/groups/array-of-{name}", zarr_format, integers, edge, chain, **shared, more_elements=marks)
        marks += ("groups:tree",)
        yield make(
            f"{v}/groups/{name}", zarr_format, integers, edge, chain, **shared, kind="group", more_elements=marks
        )


NUMBERS = [name for name in MAIN_TYPES if name.startswith(("int", "uint", "float")) and name != "float16"]


def _named(case: Case) -> Case:
    """The same array as data sets have it: in a group, with names for its axes. Some readers open no others."""
    axes = ["z", "y", "x"][3 - case.data.ndim :]
    *parent, name = case.id.split("/")
    named = {"dimension_names": axes} if case.zarr_format == 3 else {}
    attributes = case.attributes | ({"_ARRAY_DIMENSIONS": axes} if case.zarr_format == 2 else {})
    return replace(
        case,
        id="/".join([*parent, f"named-{name}"]),
        document=case.document | named,
        attributes=attributes,
        node=case.node or "t",
        groups=case.groups or {"": {"title": "a data set"}},
        more_elements=(*case.more_elements, "names:dimensions"),
    )


def _datasets(zarr_format: int) -> Iterator[Case]:
    """Every main type, every layout and every codec once, with names for the axes; and all that is special."""
    types = recipes.data_types_v3() if zarr_format == 3 else recipes.data_types_v2()
    chains = CHAINS_V3 if zarr_format == 3 else CHAINS_V2
    wanted = [(label, "edge", "zstd") for label in MAIN_TYPES if label in types]
    wanted += [("int32", layout, "zstd") for layout in LAYOUTS]
    wanted += [((chain.types or ("int32",))[0], "edge", name) for name, chain in chains.items()]
    for label, layout_name, name in dict.fromkeys(wanted):
        data_type, layout, chain = types[label], LAYOUTS[layout_name], chains[name]
        if _sensible(zarr_format, data_type, layout, chain, label):
            id = f"v{zarr_format}/{label}/{layout_name}/{name}"
            yield _named(make(id, zarr_format, data_type, layout, chain))
    yield from (_named(case) for case in _special(zarr_format) if case.kind == "array")


def _only_v3() -> Iterator[Case]:
    edge, integers = LAYOUTS["edge"], dtypes.from_json("int16")
    names = {"two": ["time", "x"], "null": ["time", None], "empty": ["", "ü"], "twice": ["x", "x"]}
    for name, given in names.items():
        members = {"dimension_names": given}
        yield make(f"v3/dimension-names/{name}", 3, integers, edge, Chain(), members=members)
    sharded = make("", 3, integers, LAYOUTS["sharded"], Chain()).document["codecs"][0]
    plain = {"name": "bytes", "configuration": {"endian": "little"}}
    inner = sharded["configuration"]
    swap = v3("transpose", order=[1, 0])
    turned = v3("sharding_indexed", **inner | {"chunk_shape": [3, 2]})
    forms = {
        "gzip-after": [sharded, v3("gzip", level=1)],
        "crc32c-after": [sharded, v3("crc32c")],
        "transpose-before": [swap, turned],
        "index-big-endian": [
            v3("sharding_indexed", **inner | {"index_codecs": [v3("bytes", endian="big"), v3("crc32c")]})
        ],
        "index-without-checksum": [v3("sharding_indexed", **inner | {"index_codecs": [plain]})],
    }
    for name, codecs in forms.items():
        members = {"codecs": codecs}
        yield make(f"v3/shards/{name}", 3, integers, LAYOUTS["sharded"], Chain(), members=members)
    stack = Layout((4, 6, 8), (2, 3, 4), (4, 6, 8))
    types = recipes.data_types_v3()
    for label in NUMBERS:
        for name in ("none", "blosc"):
            yield make(f"v3/stack/{label}/{name}", 3, types[label], stack, CHAINS_V3[name])
    cube = LAYOUTS["F-order-3"]
    turn = v3("transpose", order=[1, 2, 0])
    members = {"codecs": [turn, v3("transpose", order=[0, 2, 1]), plain]}
    yield make("v3/transpose/two", 3, integers, Layout(cube.shape, cube.chunks), Chain(), members=members)
    yield make("v3/transpose/of-three", 3, integers, Layout(cube.shape, cube.chunks, transpose=(1, 2, 0)), Chain())


def _objects() -> Iterator[Case]:
    """Objects of Python, in Zarr 2."""
    for name, (codec, items) in OBJECTS.items():
        data = np.empty((5, 7), object)
        for n, i in enumerate(np.ndindex(data.shape)):
            data[i] = items[n % len(items)]
        document = {
            "zarr_format": 2,
            "shape": [5, 7],
            "chunks": [2, 3],
            "dtype": "|O",
            "compressor": {"id": "zlib", "level": 1},
            "filters": [codec],
            "fill_value": None,
            "order": "C",
        }
        fill = np.empty((), object)
        fill[()] = None
        whole = ((slice(0, 5), slice(0, 7)),)
        yield Case(f"v2/object/edge/{name}", f"{recipes.NUMCODECS}{name}", document, data, fill, whole)


@functools.cache
def all_cases() -> dict[str, Case]:
    """Every case by its id, in a fixed order."""
    made = [*_crossed(3), *_special(3), *_datasets(3), *_only_v3()]
    made += [*_crossed(2), *_special(2), *_datasets(2), *_objects()]
    found = {case.id: case for case in made}
    if len(found) != len(made):
        ids = [case.id for case in made]
        raise ValueError(f"cases: two have the same id: {sorted({i for i in ids if ids.count(i) > 1})}")
    return found


def select(patterns: Iterable[str] = ()) -> dict[str, Case]:
    """The cases whose id, or one of whose elements, matches one of the patterns; all of them without patterns.

    >>> sorted(select(["v2/names/[!n]*"]))
    ['v2/names/dots', 'v2/names/quoting', 'v2/names/space', 'v2/names/unicode']
    """
    cases, wanted = all_cases(), list(patterns)
    if not wanted:
        return dict(cases)
    found = {}
    for pattern in wanted:
        if pattern in cases:  # an id as it stands: no need to look at all the others
            found[pattern] = cases[pattern]
            continue
        hits = {
            id: case
            for id, case in cases.items()
            if fnmatchcase(id, pattern) or any(fnmatchcase(e, pattern) for e in case.elements)
        }
        if not hits:
            raise SelectionError(
                f"cases: expected a pattern of ids or elements, found {pattern!r}, which matches none of the "
                f"{len(cases)}; try 'v3/int32/*' or 'codec:zstd'"
            )
        found.update(hits)
    return {id: case for id, case in cases.items() if id in found}


def fingerprint(case: Case) -> str:
    """Sixteen digits that change when the case does."""
    parts = canonical_json(json.loads(json.dumps(case.request(""), default=str))), case.expected_bytes
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


__all__ = ["ATTRIBUTES", "Case", "all_cases", "fingerprint", "make", "select"]
