"""The one in-memory model of metadata, and the reading and writing of JSON documents.

Zarr v2 and v3 documents parse into the same `ArrayMetadata`: a v2 ``order: "F"`` becomes a ``transpose``, v2
``filters`` and ``compressor`` become entries of one codec list. The document that was parsed is kept whole, and
writing metadata back means writing that document with the few members that changed, so nothing in it is lost.

What the names in these documents mean is decided later: `chunk_grids`, `chunk_keys`, `codecs`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import limits
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.dtypes.base import Constant
from tutorial_zarr.errors import MetadataError, UnsupportedError

JSON = Any


class Extension(NamedTuple):
    """A named thing with its configuration: a codec, a chunk grid, a chunk key encoding."""

    name: str
    configuration: dict[str, Any] = {}  # noqa: RUF012 - never modified
    must_understand: bool = True


class Unfinished(NamedTuple):
    """A change of an array's shape that is not finished, or was interrupted.

    It concerns the elements from `start` to `stop` along `axis`: those within the shape may not be written yet, and
    chunks beyond the shape may be left over.
    """

    axis: int
    start: int
    stop: int
    since: float  # seconds since 1970
    by: dict[str, Any] | None = None  # who writes, as `stores.writers` says; None where a lock says it
    shape: tuple[int, ...] = ()  # what an append made it: while it is that, nobody has built on the block
    among: tuple[str, ...] = ()  # where several arrays grow as one: the others, by their paths from this one
    ready: bool = False  # where several do: this one's elements are there

    def to_json(self) -> dict[str, Any]:
        """The mark as it stands in a document."""
        more = {name: value for name, value in zip(self._fields[4:], self[4:], strict=True) if value}
        return {**dict(zip(self._fields[:4], self[:4], strict=True)), **more}


UNFINISHED_WRITES = "unfinished_writes"  # a member of an array's document, only until a change is finished


class InternalExtension(Extension):
    """An extension that no document can name: a parser of this library made it."""


@dataclass(frozen=True)
class ArrayMetadata:
    """What an array's metadata says, whichever format said it."""

    zarr_format: int
    shape: tuple[int, ...]
    data_type: DataType
    chunk_grid: Extension
    chunk_key_encoding: Extension
    codecs: tuple[Extension, ...]
    fill_value: np.ndarray | None  # 0-d; None is v2's null: "undefined", read as zero
    attributes: dict[str, Any]
    dimension_names: tuple[str | None, ...] | None
    document: dict[str, Any] = field(repr=False)  # as parsed; v2 attributes are not in it

    node_type = "array"

    @property
    def fill(self) -> np.ndarray:
        """The value of elements that no chunk holds, as a 0-d array."""
        return self.data_type.default_fill() if self.fill_value is None else self.fill_value

    def with_shape(self, shape: tuple[int, ...], chunk_grid: Extension | None = None) -> ArrayMetadata:
        """The same with another shape, and another grid where the shape needs one."""
        document = {**self.document, "shape": list(shape)}
        if chunk_grid is not None and chunk_grid != self.chunk_grid:
            document["chunk_grid"] = {"name": chunk_grid.name, "configuration": chunk_grid.configuration}
        return replace(self, shape=shape, chunk_grid=chunk_grid or self.chunk_grid, document=document)

    def with_attributes(self, attributes: dict[str, Any]) -> ArrayMetadata:
        """The same with other attributes."""
        return replace(self, attributes=attributes, document=_with_attributes(self, attributes))

    @property
    def unfinished(self) -> dict[str, Unfinished]:
        """Unfinished and interrupted changes of the shape, by their names."""
        found, members = {}, self.document.get(UNFINISHED_WRITES)
        for name, mark in members.items() if isinstance(members, dict) else ():
            if (read := _unfinished(mark, len(self.shape))) is not None:
                found[name] = read
        return found

    def with_unfinished(self, marks: dict[str, Unfinished]) -> ArrayMetadata:
        """The same with these marks. They tell readers that they may be ignored."""
        document = {key: value for key, value in self.document.items() if key != UNFINISHED_WRITES}
        if marks:
            found = {name: mark.to_json() for name, mark in marks.items()}
            document[UNFINISHED_WRITES] = {"must_understand": False, **found}
        return replace(self, document=document)

    def to_json(self) -> dict[str, Any]:
        """The document: ``zarr.json``, or ``.zarray`` (whose attributes are a document of their own)."""
        return self.document


def _unfinished(mark: Any, ndim: int) -> Unfinished | None:
    """Return a mark from a document, or None if it is not one."""
    values: list[Any] = [mark.get(name) for name in Unfinished._fields[:4]] if isinstance(mark, dict) else [None]
    if not all(type(value) in (int, float) and math.isfinite(value) for value in values) or not 0 <= values[0] < ndim:
        return None
    by = mark.get("by")
    axis, start, stop = map(int, values[:3])
    return Unfinished(
        axis,
        start,
        stop,
        float(values[3]),
        by if isinstance(by, dict) else None,
        _all_of(int, mark.get("shape")),
        _all_of(str, mark.get("among")),
        bool(mark.get("ready")),
    )


def _all_of(kind: type, value: Any) -> tuple[Any, ...]:
    """A list of values of one type; () for anything else."""
    return tuple(value) if isinstance(value, list) and all(type(each) is kind for each in value) else ()


@dataclass(frozen=True)
class GroupMetadata:
    """What a group's metadata says."""

    zarr_format: int
    attributes: dict[str, Any]
    document: dict[str, Any] = field(repr=False)

    node_type = "group"

    def with_attributes(self, attributes: dict[str, Any]) -> GroupMetadata:
        """The same with other attributes."""
        return replace(self, attributes=attributes, document=_with_attributes(self, attributes))

    def to_json(self) -> dict[str, Any]:
        """The document: ``zarr.json``, or ``.zgroup``."""
        return self.document


def _with_attributes(metadata: ArrayMetadata | GroupMetadata, attributes: dict[str, Any]) -> dict[str, Any]:
    if metadata.zarr_format == 2:
        return metadata.document
    return {**metadata.document, "attributes": attributes}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen = [k for k, _ in pairs]
        raise ValueError(f"the key {next(k for k in seen if seen.count(k) > 1)!r} stands twice in one object")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"the bare constant {name}, which is not JSON")


# `json.loads` would make one for each document.
_STRICT, _LENIENT = [json.JSONDecoder(object_pairs_hook=_unique, parse_constant=c) for c in (_no_constant, Constant)]


def parse_json(data: Any, key: str, strict: bool = False) -> dict[str, Any]:
    """Return the object in a metadata document. `key` names the document in errors.

    A bare NaN or Infinity is read (leniency: bare-constants) unless `strict`.

    >>> parse_json(b'{"zarr_format": 2}', ".zgroup")
    {'zarr_format': 2}
    """
    _check_cost(data, key)
    try:
        text = bytes(data).removeprefix(b"\xef\xbb\xbf").decode()
        document = (_STRICT if strict else _LENIENT).decode(text)
    except UnicodeDecodeError as cause:
        raise MetadataError(f"{key}: expected UTF-8 text, found a bad byte at {cause.start}", key=key) from cause
    except RecursionError:
        raise MetadataError(f"{key}: expected a metadata document, found JSON nested too deeply", key=key) from None
    except ValueError as cause:
        size = len(data)
        raise MetadataError(
            f"{key}: expected a JSON document, found {size} bytes that are not: {cause}; "
            "the file may be cut short or written by something else",
            key=key,
        ) from cause
    if not isinstance(document, dict):
        raise MetadataError(f"{key}: expected a JSON object, found {type(document).__name__}", key=key)
    return document


_STRING = re.compile(
    rb'"(?:[^"\\]+|\\.)*+(?:"|\\?\Z)', re.DOTALL
)  # a string, even an unterminated one; possessive, so linear time on any input
_INNERMOST = re.compile(rb"\[\]|\{\}")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def too_large(key: str, size: int) -> MetadataError:
    """Return the error for a document of `size` bytes or more."""
    return MetadataError(
        f"{key}: expected a document of at most {limits.current().document_bytes} bytes, the limit document_bytes, "
        f"found {size} or more; try tutorial_zarr.limits.configure",
        key=key,
    )


def _check_cost(data: Any, key: str) -> None:
    """Refuse a document that is huge, or nested so deeply that walking it would exhaust the stack."""
    bounds = limits.current()
    if len(data) > bounds.document_bytes:
        raise too_large(key, len(data))
    text = bytes(data)
    if text.count(b"[") + text.count(b"{") <= bounds.json_depth:  # so it is for nearly every document
        return
    brackets, levels = _STRING.sub(b"", text).translate(None, _NO_BRACKETS), 0
    while brackets and levels <= bounds.json_depth:  # a level goes with each round, the innermost first
        rest = _INNERMOST.sub(b"", brackets)
        if len(rest) == len(brackets):  # no JSON; what is open still would be entered all the same
            levels += rest.count(b"[") + rest.count(b"{")
            break
        brackets, levels = rest, levels + 1
    if levels > bounds.json_depth:
        raise MetadataError(
            f"{key}: expected JSON of at most {bounds.json_depth} levels, the limit json_depth, found it nested "
            "too deeply; try tutorial_zarr.limits.configure",
            key=key,
        )


def dump_json(document: dict[str, Any], key: str = "metadata") -> bytes:
    """The bytes of a document: two spaces of indent, keys in the order given.

    A bare NaN is written where one was read (`Constant`), and nowhere else.
    """
    try:
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, UnicodeEncodeError, RecursionError) as cause:
        path, problem = _first_bad(document, "")
        if not problem and isinstance(cause, ValueError):
            return json.dumps(document, indent=2, ensure_ascii=False).encode()
        advice = "try a string or null in its place" + (", such as 'NaN'" if "number nan" in problem else "")
        raise MetadataError(
            f"{key}: expected values that JSON can hold, found {problem} at {path or 'the top'}; {advice}",
            key=key,
            path=path,
        ) from cause


def keep_constants(value: Any) -> Any:
    r"""Attributes that come from a file which may hold NaN (NetCDF, another store), to be written as they are there.

    NaN and infinities become `Constant`, which JSON has no word for, but xarray, NetCDF's tools and zarr-python read.

    >>> dump_json(keep_constants({"valid_min": float("nan")}))
    b'{\n  "valid_min": NaN\n}'
    """
    if isinstance(value, dict):
        return {k: keep_constants(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [keep_constants(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return keep_constants(value.tolist())
    return Constant(value) if isinstance(value, float) and not math.isfinite(value) else value


def spell_constants(value: Any) -> Any:
    """A fill value with the text ``"NaN"`` for a bare NaN, and so on (leniency: bare-constants).

    >>> spell_constants([Constant("nan"), 0.0])
    ['NaN', 0.0]
    """
    if isinstance(value, list):
        return [spell_constants(v) for v in value]
    if isinstance(value, dict):
        return {k: spell_constants(v) for k, v in value.items()}
    if isinstance(value, Constant):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _first_bad(value: Any, path: str) -> tuple[str, str]:
    """Where JSON fails in `value`, and on what."""
    inside: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        if (key := next((k for k in value if not isinstance(k, str)), None)) is not None:
            return f"{path}[{key!r}]", f"the key {key!r}"
        inside = ((f"{path}.{k}" if path else k, v) for k, v in value.items())
    elif isinstance(value, (list, tuple)):
        inside = ((f"{path}[{i}]", v) for i, v in enumerate(value))
    for at, each in inside:
        where, found = _first_bad(each, at)
        if found:
            return where, found
    return path, _problem(value)


def _problem(value: Any) -> str:
    """What keeps a value from being JSON, whatever is inside it; "" where nothing does."""
    if isinstance(value, float) and not math.isfinite(value) and not isinstance(value, Constant):
        return f"the number {value!r}"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "text with a lone surrogate"
    known = value is None or isinstance(value, (str, bool, int, float, dict, list, tuple))
    return "" if known else f"a {type(value).__name__}"


def json_value(value: Any) -> Any:
    """`value` with numpy scalars, arrays and tuples turned into what JSON knows."""
    if isinstance(value, dict):
        return {_plain_key(k, value): json_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(v) for v in value]
    if isinstance(value, np.ndarray):
        return json_value(value.tolist())
    if isinstance(value, np.generic):
        return json_value(value.item())
    return value


def _plain_key(key: Any, holder: dict[Any, Any]) -> str:
    if isinstance(key, str):
        return key
    raise MetadataError(f"attributes: expected keys that are text, found {key!r}; try {str(key)!r}", key=str(key))


def integers(value: JSON, key: str, strict: bool = False) -> tuple[int, ...]:
    """A list of integers of at least 0. A number such as 2.0 counts (leniency: whole-floats) unless `strict`."""
    if isinstance(value, list):
        numbers = [int(v) if isinstance(v, float) and v.is_integer() and not strict else v for v in value]
        if len(numbers) > 64:
            raise UnsupportedError(
                f"{key}: expected at most 64 axes, which is numpy's limit, found {len(numbers)}", key=key
            )
        if all(type(v) is int and 0 <= v < 1 << 63 for v in numbers):
            return tuple(numbers)
    found = repr(value) if len(repr(value)) < 300 else f"{repr(value)[:280]}..."
    raise MetadataError(f"{key}: expected a list of integers of at least 0, found {found}", key=key)


def check_codec_count(codecs: list[Any], key: str = "codecs") -> None:
    """Refuse a chain of more codecs than anybody needs, before each of them is built."""
    most = limits.current().codecs
    if len(codecs) > most:
        raise MetadataError(f"{key}: expected at most {most} codecs, the limit codecs, found {len(codecs)}", key=key)


def require(document: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    """Refuse a document in which one of `keys` is missing."""
    missing = [k for k in keys if k not in document]
    if missing:
        raise MetadataError(
            f"{where}: expected the keys {', '.join(keys)}; found no {', '.join(missing)}", key=missing[0]
        )
