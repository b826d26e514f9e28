"""What common programs make of a store that the format allows: numbers that they read wrong without a word, and small
things for which they refuse an array, or the whole group.

`RULES` is a table in ``misread.json``: for each rule which readers were seen to do what with the smallest such store,
in which version, and what cures it. A rule looks at an array's documents; where these alone do not tell, at a few of
its chunks (`LOOKED_AT`, spread over the grid, each of at most `MOST_BYTES`). Then it speaks of elements that it saw,
and never of what might be elsewhere. Who misreads by lacking a codec or a type is the business of `interop.lint`.

>>> import tutorial_zarr as zarr
>>> a = zarr.create_array({}, data=np.array([0, 1], "u1"))
>>> for found in misreadings(a.store):
...     print(found.rule, found.problem, found.seen[0].reader, found.seen[0].sees, sep="; ")
fill-value-becomes-missing; holds elements that equal the fill value 0; gdal; reads these elements as missing
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import api, consolidation, nodes
from tutorial_zarr.array import Array
from tutorial_zarr.dtypes.v2 import stored_dtype
from tutorial_zarr.errors import ChunkNotFoundError, MetadataError, ZarrError
from tutorial_zarr.metadata import ArrayMetadata, dump_json, parse_json, v2, v3
from tutorial_zarr.stores import Store, make_store
from tutorial_zarr.tools.members import walk

from .census import census

RULES: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("misread.json").read_text(encoding="utf-8"))
KNOWN = sorted({one["reader"] for rule in RULES.values() for one in rule["seen"]})  # readers
LOOKED_AT = 64  # chunks of an array that are read
MOST_BYTES = 1 << 24  # of one chunk in memory: larger ones are not read
# What netCDF-C takes for missing where an array says nothing; of bytes nothing.
NETCDF_FILLS = {
    "i2": -(2**15) + 1, "u2": 2**16 - 1, "i4": -(2**31) + 1, "u4": 2**32 - 1, "i8": -(2**63) + 2, "u8": 2**64 - 2,
    "f4": 1.875 * 2**122, "f8": 1.875 * 2**122,
}  # fmt: skip
ABSENT_WORDS = ("None", "nan", "<NA>", "NaT")  # what text becomes of None, NaN and pandas' NA and NaT
LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


class Fix(NamedTuple):
    """A change of one document that cures a misreading."""

    document: str  # its name: "zarr.json", ".zarray" or ".zattrs"
    change: Callable[[dict[str, Any]], None]  # of its JSON, in place
    says: str
    whole: bool = False  # only where no chunk is absent: it gives absent chunks another value
    asks: bool = False  # only who says that such elements are measured may do it


class Seen(NamedTuple):
    """What one reader was seen to do with the smallest such store."""

    reader: str
    version: str
    outcome: str  # "silent": other values, and no error; "refused": an error
    sees: str


@dataclass(frozen=True)
class Misreading:
    """One array that some readers get wrong."""

    rule: str
    array: str
    problem: str
    seen: tuple[Seen, ...]
    fix: Fix | None = field(default=None, compare=False)
    node: Node | None = field(default=None, compare=False, repr=False)

    @property
    def cure(self) -> str:
        """What to change."""
        return str(RULES[self.rule]["cure"])

    def to_json(self) -> dict[str, Any]:
        """The finding in types that JSON knows."""
        fix = {"document": self.fix.document, "says": self.fix.says} if self.fix else None
        own = {"rule": self.rule, "array": self.array, "problem": self.problem}
        return {**own, "seen": [one._asdict() for one in self.seen], "cure": self.cure, "fix": fix}

    def __str__(self) -> str:
        seen = "; ".join(f"{one.reader} {one.version} {one.sees}" for one in self.seen)
        return f"{self.array or 'the array'} {self.problem}: {seen}; cure: {self.cure}"


class Found(NamedTuple):
    """What a rule says of an array."""

    problem: str
    fix: Fix | None = None
    only: Collection[str] = ()  # the readers that it concerns; all that the table has, where it is empty


_RULES: dict[str, Callable[[Node], Found | None]] = {}


def _rule(name: str) -> Callable[[Any], Any]:
    def note(function: Callable[[Node], Found | None]) -> Callable[[Node], Found | None]:
        _RULES[name] = function
        return function

    return note


class Node:
    """The documents of one array, and what rules ask of it."""

    def __init__(self, store: Store, path: str, documents: dict[str, Any], beside_names: bool = False) -> None:
        self.store, self.path, self.beside_names = store, path, beside_names
        self.main = "zarr.json" if "zarr.json" in documents else ".zarray"
        self.document: dict[str, Any] = documents[self.main]
        self.zarr_format = 3 if self.main == "zarr.json" else 2
        holder = self.document.get("attributes") if self.zarr_format == 3 else documents.get(".zattrs")
        self.attributes: dict[str, Any] = holder if isinstance(holder, dict) else {}

    @cached_property
    def metadata(self) -> ArrayMetadata | None:
        """The documents as this library understands them; None where it does not."""
        try:
            if self.zarr_format == 3:
                found = v3.parse(self.document, self.main)
                return found if isinstance(found, ArrayMetadata) else None
            return v2.parse_array(self.document, self.attributes, self.main)
        except ZarrError:
            return None

    @cached_property
    def stored(self) -> np.dtype:
        """The numpy dtype; that of an object where there is none."""
        if self.metadata is None:
            return np.dtype("O")
        return stored_dtype(self.document["dtype"]) if self.zarr_format == 2 else self.metadata.data_type.numpy

    @property
    def named(self) -> bool:
        """Whether xarray finds names for the axes."""
        return names_in(self.document, self.attributes) is not None

    @cached_property
    def array(self) -> Array:
        """The array, for reading; what is absent in it is an error."""
        return api.open_array(self.store, "r", path=self.path, zarr_format=self.zarr_format, missing="error")

    @cached_property
    def looked(self) -> tuple[list[np.ndarray], bool]:
        """The elements of some stored chunks, and whether some chunk that was looked for is absent.

        Nothing, where this library does not have a codec: then the matrix tells who else has not.
        """
        found, absent = [], False
        try:
            counts = self.array.cdata_shape
        except ZarrError:
            return [], False
        total = math.prod(counts)
        for n in range(min(total, LOOKED_AT)):
            at = np.unravel_index(n * total // min(total, LOOKED_AT), counts) if counts else ()
            try:
                region = self._region(tuple(map(int, at)))
                size = math.prod(one.stop - one.start for one in region) * max(self.array.dtype.itemsize, 1)
                if size <= MOST_BYTES:
                    found.append(np.asarray(self.array[region]))
            except ChunkNotFoundError:
                absent = True
            except ZarrError:  # a chunk that is damaged, or in a codec that is not here: the doctor names it
                continue
        return found, absent

    def _region(self, at: tuple[int, ...]) -> tuple[slice, ...]:
        """The slices of a chunk; of an inner one where there are shards."""
        array = self.array
        if array.shards is None:
            return array.chunk_region(at)
        ends = zip(at, array.chunks, array.shape, strict=True)
        return tuple(slice(i * n, min(i * n + n, extent)) for i, n, extent in ends)

    def holds(self, test: Callable[[np.ndarray], Any]) -> bool:
        """Whether `test` is true of any element that was looked at."""
        return any(np.any(test(chunk)) for chunk in self.looked[0])

    def absent(self) -> int:
        """How many chunks are absent: by a listing."""
        return census(self.array).absent

    @cached_property
    def declared(self) -> list[Any]:
        """The values that the attributes call missing, as xarray understands them."""
        found = []
        for name in ("_FillValue", "missing_value"):
            value = self.attributes.get(name)
            if name == "_FillValue" and self.zarr_format == 3 and self.stored.kind == "f":
                value = _from_base64(value)
            one = value[0] if isinstance(value, list) and len(value) == 1 else value
            if isinstance(one, (int, float)) and self.stored.kind in "biuf" and _fits(one, self.stored):
                found.append(one)
        return found

    def attribute(self, name: str, value: Any) -> Fix:
        """The fix that gives an attribute another value."""

        def change(document: dict[str, Any]) -> None:
            (document if self.zarr_format == 2 else document["attributes"])[name] = value

        return Fix(".zattrs" if self.zarr_format == 2 else "zarr.json", change, f"{name}: {json.dumps(value)}")

    def member(self, says: str = "", whole: bool = False, asks: bool = False, **members: Any) -> Fix:
        """The fix that gives members of the array's document other values."""
        says = says or ", ".join(f"{name}: {json.dumps(value)}" for name, value in members.items())
        return Fix(self.main, lambda document: document.update(members), says, whole, asks)


def names_in(document: dict[str, Any], attributes: dict[str, Any]) -> list[str] | None:
    """The names of an array's axes, where xarray finds them; None where it finds none."""
    if document.get("zarr_format") == 3:
        return document.get("dimension_names")
    if (names := attributes.get("_ARRAY_DIMENSIONS")) is not None:
        return names
    own = document.get("_NCZARR_ARRAY")
    return own.get("dimrefs") if isinstance(own, dict) else None


def _from_base64(value: Any) -> float | None:
    """The number that xarray reads from the attribute of a float in Zarr 3."""
    try:
        return float(np.frombuffer(base64.b64decode(value, validate=True), "<f8")[0])
    except (TypeError, ValueError, IndexError, binascii.Error):
        return None


def _fits(value: float, dtype: np.dtype) -> bool:
    """Whether an element of this type can be this number."""
    if dtype.kind == "f":
        return not math.isfinite(value) or abs(value) <= float(np.finfo(dtype).max)
    if dtype.kind == "b":
        return value in (0, 1)
    return float(value).is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max


# --- the rules: each returns what is so, or None


@_rule("shuffle-elementsize-0")
def _shuffle(node: Node) -> Found | None:
    filters = node.document.get("filters") if node.zarr_format == 2 else None
    if not any(one.get("id") == "shuffle" and one.get("elementsize") == 0 for one in filters or ()):
        return None
    size = node.stored.itemsize
    right = [{**one, "elementsize": size} if one.get("id") == "shuffle" else one for one in filters or ()]
    return Found("has a shuffle of elementsize 0", node.member(f"elementsize: {size}", filters=right))


@_rule("char-S1")
def _byte_order_of_text(node: Node) -> Found | None:
    typestr = node.document.get("dtype") if node.zarr_format == 2 else None
    if not isinstance(typestr, str) or typestr[:2] not in (">S", "<S"):
        return None
    return Found(f"has the type {typestr}", node.member(dtype="|" + typestr[1:]))


@_rule("letters-joined")
def _letters(node: Node) -> Found | None:
    letters = node.stored == np.dtype("S1") and node.document.get("dtype", "|S1") == "|S1"
    joined = letters and node.named and len(node.document["shape"]) > 0
    return Found("has elements of one letter each") if joined else None


@_rule("dimension-names-missing")
def _no_names(node: Node) -> Found | None:
    names, rank = node.attributes.get("_ARRAY_DIMENSIONS"), len(node.document["shape"])
    if node.named or (rank == 0 and node.zarr_format == 3):
        return None
    if node.zarr_format == 3 and isinstance(names, list) and len(names) == rank:
        return Found("has names of its axes where Zarr 2 has them", node.member(dimension_names=names))
    fix = node.attribute("_ARRAY_DIMENSIONS", []) if rank == 0 else None
    return Found("has no names for its axes, and arrays beside it have", fix) if node.beside_names else None


@_rule("separator-missing")
def _separator(node: Node) -> Found | None:
    if node.zarr_format == 3 or len(node.document["shape"]) < 2 or node.document.get("dimension_separator") == "/":
        return None
    names: list[str] = []
    with nodes.where_listed():
        names = [name for name in islice(node.store.list_dir(node.path), 1000) if name[0] != "."]
    if not names or not all(name.endswith("/") and name[:-1].isdigit() for name in names):
        return None
    return Found("has its chunks in folders, and its metadata say '.'", node.member(dimension_separator="/"))


@_rule("fill-value-becomes-missing")
def _zeros(node: Node) -> Found | None:
    fill = node.metadata.fill_value if node.metadata else None
    by = {"xarray": "biufcSUOT" if node.named else "", "gdal": "biuf"}
    only = [name for name, kinds in by.items() if node.stored.kind in kinds]
    if fill is None or not only or fill[()]:  # what is no zero, somebody chose
        return None
    if node.stored.kind in "OT" and not isinstance(node.document["fill_value"], str):
        return None  # zarr-python 2 writes 0 for text, which xarray takes for no text
    if any(one == 0 for one in node.declared) or not node.holds(lambda chunk: chunk == fill[()]):
        return None
    fix = node.member(fill_value=None, whole=True, asks=True) if node.zarr_format == 2 else None
    return Found(f"holds elements that equal the fill value {fill[()]!s}".rstrip(), fix, only)


@_rule("fill-value-read-as-number")
def _chosen(node: Node) -> Found | None:
    fill = node.metadata.fill_value if node.metadata else None
    if node.zarr_format == 3 or fill is None or node.stored.kind not in "iuf" or not fill[()] or fill[()] != fill[()]:
        return None
    if fill[()] in node.declared or fill[()] == NETCDF_FILLS.get(node.stored.str[1:]):
        return None
    if not node.holds(lambda chunk: chunk == fill[()]):
        return None
    return Found(f"holds elements that equal the fill value {fill[()]!s}, which no attribute calls missing")


@_rule("missing-as-a-word")
def _words(node: Node) -> Found | None:
    if node.stored.kind not in "OTU" or not node.holds(lambda chunk: [one in ABSENT_WORDS for one in chunk.flat]):
        return None
    return Found("holds the words of a missing value, None, nan, <NA> or NaT")


def _other_fill(node: Node) -> tuple[Any, Any] | None:
    """The fill value, and the ``_FillValue`` that is another."""
    fill = node.metadata.fill_value if node.metadata else None
    given = node.declared[0] if node.declared and node.stored.kind in "biuf" else None
    if given is None or (fill is not None and (fill[()] == given or (given != given and fill[()] != fill[()]))):
        return None
    return fill, given


@_rule("missing-shown-as-numbers")
def _shown(node: Node) -> Found | None:
    if (other := _other_fill(node)) is None:
        return None
    fill, given = other
    if given != given or not node.holds(lambda chunk: chunk == given):
        return None
    fix = None
    if node.metadata is not None and "_FillValue" in node.attributes:
        kind, scalar = node.metadata.data_type, np.array(given, node.metadata.data_type.numpy)
        value = kind.fill_to_v2(scalar) if node.zarr_format == 2 else kind.fill_to_json(scalar)
        fix = node.member(whole=True, fill_value=value)
    problem = f"calls {given} missing in its attributes, and not in its fill value"
    return Found(problem, fix, ["gdal"] if fill is None else ())


@_rule("absent-reads-as-measured")
def _measured(node: Node) -> Found | None:
    if node.zarr_format == 2 or (other := _other_fill(node)) is None or other[0] is None or not node.looked[1]:
        return None
    return Found(f"lacks chunks, which read as {other[0][()]!s}; its attribute _FillValue is {other[1]}")


@_rule("fillvalue-attribute-spelling")
def _spelling(node: Node) -> Found | None:
    if "_FillValue" not in node.attributes or node.stored.kind not in "iuf":
        return None
    value, kind = node.attributes["_FillValue"], node.stored.kind
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if node.zarr_format == 2:  # text in .zattrs is left alone: what it stands for was never agreed on
        wrong = kind in "iu" and isinstance(value, float) and _fits(value, node.stored)
    else:
        wrong = _from_base64(value) is None if kind == "f" else not is_number
    if not wrong:
        return None
    right = _meant(value, node.stored)
    if right is not None and kind == "f":
        right = base64.b64encode(np.array(right, "<f8").tobytes()).decode()
    fix = None if right is None else node.attribute("_FillValue", right)
    return Found(f"has the attribute _FillValue {json.dumps(value)}, with the type {node.stored}", fix)


@_rule("fillvalue-attribute-beyond-the-type")
def _beyond(node: Node) -> Found | None:
    value, kinds = node.attributes.get("_FillValue"), "iu" if node.zarr_format == 3 else "iuf"
    if not isinstance(value, (int, float)) or node.stored.kind not in kinds or _fits(value, node.stored):
        return None
    return Found(f"has the attribute _FillValue {json.dumps(value)}, which no {node.stored} can be")


def _meant(value: Any, dtype: np.dtype) -> Any:
    """The number that a wrong spelling stands for; None where that is not certain."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        try:
            data = base64.b64decode(value, validate=True)
            if dtype.kind == "f" and len(data) == dtype.itemsize:
                return float(np.frombuffer(data, dtype.newbyteorder("<"))[0])
        except binascii.Error:
            pass
        try:
            value = float(value)
        except ValueError:
            return None
    if value is None or isinstance(value, (list, dict)) or not _fits(value, dtype):
        return None
    return float(value) if dtype.kind == "f" else int(value)


@_rule("packing-is-text")
def _packing(node: Node) -> Found | None:
    for name in ("scale_factor", "add_offset"):
        if isinstance(value := node.attributes.get(name), str) and node.stored.kind in "iuf":
            try:
                fix = node.attribute(name, float(value))
            except ValueError:
                fix = None
            return Found(f"has the attribute {name} {json.dumps(value)}, which is text", fix)
    return None


@_rule("valid-range")
def _valid(node: Node) -> Found | None:
    if node.zarr_format == 3 or node.stored.kind not in "iuf":
        return None
    low, high = node.attributes.get("valid_min"), node.attributes.get("valid_max")
    if isinstance(both := node.attributes.get("valid_range"), list) and len(both) == 2:
        low, high = both
    bounds = [one if isinstance(one, (int, float)) else None for one in (low, high)]
    if not node.holds(lambda chunk: _outside(chunk, *bounds)):
        return None
    return Found("holds elements outside of its valid range")


def _outside(chunk: np.ndarray, low: float | None, high: float | None) -> Any:
    below = chunk < low if low is not None else np.zeros(chunk.shape, bool)
    return below | (chunk > high) if high is not None else below


@_rule("byte-default-becomes-missing")
def _bytes(node: Node) -> Found | None:
    # netCDF's default fill values, though its documentation says that bytes have none.
    default = {"u1": 255, "i1": -127}.get(node.stored.str[1:])
    if node.zarr_format == 3 or default is None or "_FillValue" in node.attributes or node.declared:
        return None
    if not node.holds(lambda chunk: chunk == default):
        return None
    return Found(f"holds bytes that are {default}, and has no _FillValue")


@_rule("unsigned-attribute")
def _unsigned(node: Node) -> Found | None:
    if node.stored.kind != "i" or str(node.attributes.get("_Unsigned")).lower() != "true":
        return None
    turned = node.holds(lambda chunk: chunk < 0)
    return Found("holds negative numbers that the attribute _Unsigned turns round") if turned else None


@_rule("codecs-empty")
def _no_codecs(node: Node) -> Found | None:
    if node.zarr_format == 2 or node.document.get("codecs") != []:
        return None
    return Found("has an empty list of codecs", node.member(codecs=[LITTLE]))


@_rule("fill-null")
def _no_fill(node: Node) -> Found | None:
    if node.zarr_format == 2 or node.document.get("fill_value", ...) is not None:
        return None
    kind = node.document.get("data_type")
    if not isinstance(kind, str) or not kind.startswith(("bool", "int", "uint", "float", "complex", "string")):
        return None  # null may be a value of a type that somebody added
    zero = False if kind == "bool" else 0 if kind.startswith(("int", "uint", "float")) else None
    return Found("has the fill value null", None if zero is None else node.member(fill_value=zero))


_UNREAD = ("codecs-empty", "fill-null")  # such documents this library does not take either


# Those that documents alone tell, and that nobody means: the doctor has them among its faults.
FAULTS = (
    "shuffle-elementsize-0",
    "char-S1",
    "separator-missing",
    "fillvalue-attribute-spelling",
    "fillvalue-attribute-beyond-the-type",
    "packing-is-text",
    "codecs-empty",
    "fill-null",
)


def of_node(node: Node, readers: Collection[str], rules: Iterable[str] = RULES) -> Iterator[Misreading]:
    """What these readers make of one array, by these rules."""
    for name in rules:
        if not (seen := _seen(name, node.zarr_format, readers)) or (node.metadata is None and name not in _UNREAD):
            continue
        if (found := _RULES[name](node)) is not None:
            told = tuple(one for one in seen if not found.only or one.reader in found.only)
            if told:
                yield Misreading(name, node.path, found.problem, told, found.fix, node)


# --- a whole store


def misreadings(store: Any, readers: Iterable[str] = (), storage_options: Any = None) -> Iterator[Misreading]:
    """What readers make of the arrays of a store, one finding for each rule and array.

    Parameters
    ----------
    store
        A folder, a URL, a store or a dict.
    readers
        Names of readers; all of the table without any. Those that the table does not have are passed by.
    storage_options
        Of a URL: a dict for the library that opens it.

    Raises `StoreError` where the store fails. A document that is no JSON is left out with a warning.
    """
    opened, wanted = make_store(store, "r", storage_options), list(readers) or KNOWN
    for path, documents, beside in arrays_in(opened):
        yield from of_node(Node(opened, path, documents, beside), wanted)


def _seen(rule: str, zarr_format: int, readers: Collection[str]) -> tuple[Seen, ...]:
    return tuple(
        Seen(*(one[name] for name in Seen._fields))
        for one in RULES[rule]["seen"]
        if one["reader"] in readers and zarr_format in one["formats"]
    )


def arrays_in(store: Store) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The path and the documents of every array, and whether arrays beside it have names for their axes.

    Documents are taken as they stand, whatever they say. Where the store lists nothing, they are those of the
    consolidated metadata, and of the arrays that OME-Zarr metadata name.
    """
    there = [name for name in (*nodes.NODE_NAMES, ".zmetadata") if store.exists(name)]
    formats = [3] if "zarr.json" in there else [2] if there else [3, 2]  # of a folder of stores, each has its own
    gathered: dict[str, dict[str, Any]] = {}
    listed = False
    with nodes.where_listed():
        for zarr_format in formats:
            gathered |= dict(consolidation.gather(store, "", zarr_format))
        listed = True
    if not listed and not is_array(gathered.get("", {})):
        gathered |= consolidation.recorded(store, "", formats[0]) or {}
    if not listed and not any(gathered) and not is_array(gathered.get("", {})):
        with nodes.where_listed():
            group = api.open_group(store, "r")
            for path, _ in walk(group):
                gathered[path] = dict(consolidation.gather(store, path, formats[0], False))[""]
    arrays = {path: documents for path, documents in gathered.items() if is_array(documents)}
    beside = {nodes.parent(path) for path, documents in arrays.items() if _named(documents)}
    for path, documents in arrays.items():
        yield path, documents, bool(path) and nodes.parent(path) in beside


def is_array(documents: dict[str, Any]) -> bool:
    """Whether these are the documents of an array."""
    return ".zarray" in documents or documents.get("zarr.json", {}).get("node_type") == "array"


def _named(documents: dict[str, Any]) -> bool:
    own = documents.get("zarr.json") or documents[".zarray"]
    return names_in(own, documents.get(".zattrs") or {}) is not None


def fix(store: Any, found: Misreading, measured: bool = False, dry_run: bool = False) -> str:
    """Carry out the fix of a finding; returns what was done, or why nothing was.

    Documents alone are changed, and consolidated metadata that hold a copy. Where the fix would give absent chunks
    another value, it is done only if none is absent; and where elements that equal the fill value may be missing or
    measured, only if they are `measured`. With `dry_run` nothing is changed.
    """
    key, cure = nodes.join(found.array, found.fix.document if found.fix else ""), found.fix
    if cure is None or found.node is None:
        return "left: no change of metadata alone cures it"
    if cure.asks and not measured:
        return f"{key}: left: only who wrote these elements knows whether they are measured, or missing"
    if cure.whole and (absent := found.node.absent()):
        return f"{key}: left: {absent:,} chunks are absent, and would read as another value"
    if not dry_run:
        opened = make_store(store, "r+")

        def changed(old: Any) -> bytes:
            if old is None and cure.document != ".zattrs":
                raise MetadataError(f"{key}: expected the document to change, found none: it was deleted meanwhile")
            document = {} if old is None else parse_json(old, key)
            cure.change(document)
            return dump_json(document, key)

        opened.update(key, changed)
        if found.array:
            consolidation.renew(opened, found.array, found.node.zarr_format, tree=False)
    return f"{key}: {cure.says}"
