"""How a peer speaks: one JSON object a line on standard input, one a line on standard output.

This file stands alone (numpy and the standard library), because the programs in `peers/` run in environments of
their own, where this package is not installed. A Python peer subclasses `Peer` and calls `serve`; a peer in
another language follows the same protocol, which `GUIDE.md` beside it describes in one page.

**Canonical bytes** make arrays comparable that no two implementations hold alike in memory: all elements in
C order, little-endian, one after the other; a type narrower than a byte takes a byte whose upper bits are zero;
where they vary in length, each is that length (four bytes, little-endian) and then UTF-8 where all are text, the
bytes where all are byte strings, or else JSON with sorted keys.

>>> canonical(np.array([[1, 2], [3, 4]], ">i2").T).hex()
'0100030002000400'
>>> canonical(np.array(["a", "é"], object)).hex()
'010000006102000000c3a9'
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NARROW = {"int2": 3, "uint2": 3, "int4": 15, "uint4": 15}  # the bits that count


class Unsupported(Exception):  # noqa: N818 - it is an answer of the peer, not a fault
    """Raised by a peer program for what its library has no way to say."""


# --- types


def type_name(dtype: np.dtype, array: np.ndarray | None = None) -> str:
    """What the type of elements is called in replies; byte order has no part in it.

    >>> type_name(np.dtype(">M8[s]")), type_name(np.dtype([("a", "<i4"), ("b", "S3", (2,))]))
    ('datetime64[s]', '{a:int32,b:(2,)S3}')
    """
    if dtype.names is not None:
        return "{" + ",".join(f"{name}:{type_name(dtype[name])}" for name in dtype.names) + "}"
    if dtype.subdtype is not None:
        return f"{dtype.subdtype[1]}{type_name(dtype.subdtype[0])}".replace(" ", "")
    if dtype.kind == "O":
        kinds: set[Any] = {type(_plain(item)) for item in array.flat} if array is not None else set()
        return {frozenset({str}): "string", frozenset({bytes}): "bytes"}.get(frozenset(kinds), "object")
    if dtype.kind == "T":
        return "string"
    if dtype.kind in "SV" and not _is_narrow(dtype):
        return f"{dtype.kind}{dtype.itemsize}"
    if dtype.kind == "U":
        return f"U{dtype.itemsize // 4}"
    return dtype.newbyteorder("=").name if dtype.kind not in "Mm" else str(dtype.newbyteorder("="))


def _is_narrow(dtype: np.dtype) -> bool:
    return dtype.type.__module__.startswith("ml_dtypes")


def describe(dtype: np.dtype) -> Any:
    """A numpy dtype as JSON, from which `dtype_of` makes it again."""
    if dtype.names is not None:
        return [[name, describe(dtype[name])] for name in dtype.names]
    if dtype.subdtype is not None:
        return {"of": describe(dtype.subdtype[0]), "shape": list(dtype.subdtype[1])}
    if dtype.kind in "OT":
        return "string" if dtype.kind == "T" else "object"
    return dtype.name if _is_narrow(dtype) else dtype.str


def dtype_of(description: Any) -> np.dtype:
    """The numpy dtype that `describe` described."""
    if isinstance(description, list):
        return np.dtype([(name, dtype_of(field)) for name, field in description])
    if isinstance(description, dict):
        return np.dtype((dtype_of(description["of"]), tuple(description["shape"])))
    if description in ("string", "bytes", "object"):
        return np.dtype(object)
    try:
        return np.dtype(description)
    except TypeError:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, description))


# --- canonical bytes


def canonical(array: np.ndarray) -> bytes:
    """The canonical bytes of an array."""
    array = np.asarray(array)
    if array.dtype.kind in "OT":
        encode = _ITEMS[type_name(array.dtype, array)]
        items = [encode(_plain(item)) for item in array.ravel(order="C")]
        return b"".join(len(item).to_bytes(4, "little") + item for item in items)
    if array.dtype.name in NARROW:
        return (np.ascontiguousarray(array).view("u1") & NARROW[array.dtype.name]).tobytes()
    if array.dtype.names is not None:
        array = array.astype(_packed(array.dtype))
    elif not _is_narrow(array.dtype):
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    elif sys.byteorder == "big":
        array = np.ascontiguousarray(array).view(f">u{array.dtype.itemsize}").astype(f"<u{array.dtype.itemsize}")
    return array.tobytes(order="C")


def _packed(dtype: np.dtype) -> np.dtype:
    """The same fields without gaps, little-endian."""
    if dtype.names is not None:
        return np.dtype([(name, _packed(dtype[name])) for name in dtype.names])
    if dtype.subdtype is not None:
        return np.dtype((_packed(dtype.subdtype[0]), dtype.subdtype[1]))
    return dtype if _is_narrow(dtype) else dtype.newbyteorder("<")


def _plain(item: Any) -> Any:
    return item.tolist() if isinstance(item, (np.ndarray, np.generic)) else item


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


_ITEMS: dict[str, Callable[[Any], bytes]] = {"string": str.encode, "bytes": bytes, "object": canonical_json}
_ITEMS_BACK: dict[str, Callable[[bytes], Any]] = {"string": bytes.decode, "bytes": bytes, "object": json.loads}


def from_canonical(raw: bytes, description: Any, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array of these canonical bytes, in native byte order. `kind` is the `type_name`."""
    dtype = dtype_of(description).newbyteorder("=")
    if dtype.kind != "O":
        little = _packed(dtype)
        return np.frombuffer(raw, little).astype(dtype, copy=False).reshape(shape).copy()
    array, at = np.empty(shape, object), 0
    flat = array.reshape(-1)
    for i in range(array.size):
        length = int.from_bytes(raw[at : at + 4], "little")
        flat[i] = _ITEMS_BACK[kind](raw[at + 4 : at + 4 + length])
        at += 4 + length
    return array


# --- what values mean, as JSON

KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "real", "M": "time", "m": "duration", "U": "text",
         "T": "text", "S": "text", "O": "text"}  # fmt: skip


def meaning(values: Any) -> dict[str, Any]:
    """Shape, kind and elements in C order; null where one is missing: masked, NaN, NaT, None.

    >>> meaning(np.ma.masked_equal([1, 9], 9))
    {'shape': [2], 'kind': 'integer', 'values': [1, None]}
    >>> meaning(np.array(["2000-01-01", "NaT"], "M8[D]"))["values"]
    ['2000-01-01T00:00:00.000000000', None]
    """
    mask, array = np.ma.getmaskarray(np.ma.asanyarray(values)), np.asarray(np.ma.getdata(values))
    kind = array.dtype.kind
    if kind not in KINDS:
        raise Unsupported(f"elements of the type {array.dtype} are not compared")
    if kind in "Mm":
        missing = np.isnat(array)
        array = array.astype(f"{kind}8[ns]")
        array = array.astype(str) if kind == "M" else array.astype("i8")
    else:
        missing = np.array([item is None or item != item for item in array.ravel().tolist()], bool).reshape(array.shape)
    found = [
        None if gone else item.decode("latin-1") if isinstance(item, bytes) else str(item) if _infinite(item) else item
        for item, gone in zip(array.ravel().tolist(), (mask | missing).ravel().tolist(), strict=True)
    ]
    if kind == "O" and not all(item is None or isinstance(item, str) for item in found):
        if not all(isinstance(item, (int, float, type(None))) for item in found):
            raise Unsupported("objects other than text and numbers are not compared")
        return {"shape": list(array.shape), "kind": "real", "values": found}
    return {"shape": list(array.shape), "kind": KINDS[kind], "values": found}


def _infinite(item: Any) -> bool:
    return isinstance(item, float) and item in (np.inf, -np.inf)


# --- a peer in Python


@dataclass
class Opened:
    """An array that a peer has opened for reading."""

    shape: tuple[int, ...]
    read: Callable[[tuple[slice, ...]], Any]  # a region given by one slice for each axis
    attributes: dict[str, Any] | None = None  # None where the peer does not know attributes


@dataclass
class Case:
    """What a peer is asked to write."""

    id: str
    path: Path  # of the store
    node: str  # of the array in it, "" for the root
    zarr_format: int
    document: dict[str, Any]  # zarr.json or .zarray as the specification has it
    attributes: dict[str, Any]
    data: np.ndarray
    regions: list[tuple[slice, ...]]  # what is to be written; the rest stays the fill value
    consolidated: bool
    groups: dict[str, dict[str, Any]]  # paths of groups and their attributes


class Peer:
    """A subclass gives `name`, `capabilities`, and what it can do of `open`, `tree` and `write`."""

    name = ""

    def versions(self) -> dict[str, str]:
        """Versions of the packages that matter."""
        raise NotImplementedError

    def capabilities(self) -> list[str]:
        """Patterns of the elements that the library has by its own word: its documentation or its registry."""
        raise NotImplementedError

    def capabilities_written(self) -> list[str]:
        """The same of writing."""
        return self.capabilities()

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        """The array at `node` of the store in the folder `path`."""
        raise Unsupported(f"{self.name} does not read arrays here")

    def tree(self, path: Path, consolidated: bool) -> dict[str, Any]:
        """Path to ``{"kind": "array" or "group", "attributes": {}}`` for all nodes; the root's path is empty."""
        raise Unsupported(f"{self.name} has no groups")

    def write(self, case: Case) -> None:
        """Write the case into `case.path`, an empty folder."""
        raise Unsupported(f"{self.name} does not write arrays here")

    def meaning(self, path: Path, node: str) -> Any:
        """The array as the library shows it to people by default: masked, scaled, with times, where it does so."""
        raise Unsupported(f"{self.name} shows what is stored")

    # --- the protocol

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request."""
        path = Path(request.get("path", ""))
        if request["op"] == "capabilities":
            can = {op: getattr(type(self), op) is not getattr(Peer, op) for op in ("open", "tree", "write", "meaning")}
            return {
                "name": self.name,
                "versions": {**self.versions(), "python": platform.python_version()},
                "reads": can["open"],
                "lists": can["tree"],
                "writes": can["write"],
                "decodes": can["meaning"],
                "elements": self.capabilities(),
                "elements_written": self.capabilities_written(),
            }
        if request["op"] == "meaning":
            return meaning(self.meaning(path, request["node"]))
        if request["op"] == "write":
            self.write(_case(request["case"], path))
            return {}
        if request["op"] != "read":
            raise Unsupported(f"an operation {request['op']!r}")
        if request.get("kind") == "group":
            raw = canonical_json(self.tree(path, request.get("consolidated", False)))
            found: dict[str, Any] = {"shape": [], "dtype": "tree", "attributes": None}
        else:
            opened = self.open(path, request.get("node", ""), request.get("consolidated", False))
            bounds = request.get("region") or [[0, n] for n in opened.shape]
            if request.get("describe"):
                return {"shape": list(opened.shape), "attributes": opened.attributes}
            array = np.asarray(opened.read(tuple(slice(*pair) for pair in bounds)))
            raw = canonical(array)
            found = {
                "shape": [stop - start for start, stop in bounds] if request.get("region") else list(opened.shape),
                "dtype": type_name(array.dtype, array),
                "attributes": opened.attributes,
            }
        if request.get("bytes_to"):
            Path(request["bytes_to"]).write_bytes(raw)
        return {**found, "sha256": hashlib.sha256(raw).hexdigest(), "nbytes": len(raw)}


class CostPeer(Peer):
    """The costs' side: a program reads from a server that counts, and says what it found.

    A subclass gives `readers`, `versions`, and what it can do of `array` and `dataset`. Each call opens anew and keeps
    nothing. `place` is ``{"kind": "http", "url"}`` or ``{"kind": "s3", "endpoint", "bucket", "path"}``.
    """

    readers: tuple[str, ...] = ()

    def array(self, reader: str, place: dict[str, Any], node: str, region: tuple[slice, ...] | None) -> Any:
        """What is read of an array, or, without a region, the array, opened: something with a `shape`."""
        raise NotImplementedError

    def dataset(self, reader: str, place: dict[str, Any], names: list[str]) -> list[np.ndarray]:
        """Several arrays of the group at the root, whole."""
        raise NotImplementedError

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request.

        ``{"op": "capabilities"}`` is answered by `readers` (each a row of the table) and `versions`; ``{"op": "cost",
        "reader", "place", "nodes", "region"}`` by `shapes`, and `sha256` of all elements. Of one node a region is read,
        or where that is null nothing; of several all.
        """
        if request["op"] == "capabilities":
            return {"readers": self.readers, "versions": {**self.versions(), "python": platform.python_version()}}
        reader, place, nodes = (request[name] for name in ("reader", "place", "nodes"))
        if len(nodes) > 1:
            found = self.dataset(reader, place, nodes)
        elif request["region"] is None:
            return {"shapes": [list(self.array(reader, place, nodes[0], None).shape)], "sha256": ""}
        else:
            found = [self.array(reader, place, nodes[0], tuple(slice(*pair) for pair in request["region"]))]
        digest = hashlib.sha256(b"".join(canonical(np.asarray(each)) for each in found)).hexdigest()
        return {"shapes": [list(each.shape) for each in found], "sha256": digest}


def _case(given: dict[str, Any], path: Path) -> Case:
    raw = Path(given["bytes_from"]).read_bytes()
    return Case(
        id=given["id"],
        path=path,
        node=given["node"],
        zarr_format=given["zarr_format"],
        document=given["document"],
        attributes=given["attributes"],
        data=from_canonical(raw, given["numpy"], given["dtype"], tuple(given["shape"])),
        regions=[tuple(slice(*pair) for pair in region) for region in given["regions"]],
        consolidated=given["consolidated"],
        groups=given["groups"],
    )


def serve(peer: Peer) -> None:
    """Answer requests until standard input ends. What the library prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            reply = {"ok": True, **peer.answer(request)}
        except Exception as error:
            print("".join(traceback.format_exception(error)), file=sys.stderr, flush=True)
            kind = "Unsupported" if isinstance(error, Unsupported) else type(error).__name__
            reply = {"ok": False, "error": kind, "message": str(error)[:2000]}
        out.write(json.dumps({"id": request["id"], **reply}, allow_nan=False) + "\n")
        out.flush()
