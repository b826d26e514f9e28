"""Writing a case with this library, and reading it: what the peer `tutorial-zarr` does.

>>> import tempfile
>>> from .cases import all_cases
>>> case = all_cases()["v3/int16/edge/gzip"]
>>> with tempfile.TemporaryDirectory() as folder:
...     write(case, folder)
...     open_array(folder)[4, 6]
np.int16(0)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.metadata.v2 import OBJECT_CODECS


def open_array(path: str | Path, node: str = "", consolidated: bool = False) -> zarr.Array:
    """The array at `node` of the store. Pickles are read: the stores of a matrix are made by the matrix."""
    if consolidated:
        found = zarr.open_consolidated(path, allow_pickle=True)[node]
        if isinstance(found, zarr.Array):
            return found
    return zarr.open_array(path, mode="r", path=node, allow_pickle=True)


def tree(path: str | Path, consolidated: bool = False) -> dict[str, Any]:
    """Every node by its path."""
    root = zarr.open_consolidated(path) if consolidated else zarr.open_group(path, mode="r")
    found: dict[str, Any] = {"": {"kind": "group", "attributes": dict(root.attrs)}}
    for name, node in root.members(max_depth=None):
        kind = "array" if isinstance(node, zarr.Array) else "group"
        found[name] = {"kind": kind, "attributes": dict(node.attrs)}
    return found


def write(case: Any, path: str | Path) -> None:
    """Write a case: its groups, its array, what is written of it. `case` is that of `cases`, or of the protocol."""
    for group, attributes in case.groups.items():
        zarr.create_group(path, path=group, zarr_format=case.zarr_format, attributes=attributes)
    array = zarr.create_array(
        path,
        name=case.node or None,
        shape=case.data.shape,
        zarr_format=case.zarr_format,
        attributes=case.attributes,
        allow_pickle=True,
        **(_keywords_v2 if case.zarr_format == 2 else _keywords_v3)(case.document),
    )
    data = _ragged(case)
    for region in case.regions:
        array[region] = data[region]
    if case.consolidated:
        zarr.consolidate_metadata(path)


def _ragged(case: Any) -> np.ndarray:
    """The data; lists become arrays where vlen-array asks for them."""
    codec = next((f for f in case.document.get("filters") or [] if f["id"] == "vlen-array"), None)
    if codec is None:
        return case.data
    data = np.empty(case.data.shape, object)
    for i in np.ndindex(data.shape):
        data[i] = np.array(case.data[i], codec["dtype"])
    return data


def _keywords_v3(document: dict) -> dict:
    """The keywords of `create_array` that ask for this document."""
    data_type = dtypes.from_json(document["data_type"])
    grid = document["chunk_grid"]["configuration"]
    return {
        "dtype": data_type,
        "chunks": grid.get("chunk_shape") or [_lengths(axis) for axis in grid.get("chunk_shapes", [])],
        "codecs": document["codecs"],
        "fill_value": data_type.fill_from_json(document["fill_value"]),
        "chunk_key_encoding": document["chunk_key_encoding"],
        "dimension_names": document.get("dimension_names"),
    }


def _lengths(axis: Any) -> Any:
    """One axis of a rectilinear grid, its run lengths written out."""
    if isinstance(axis, int):
        return axis
    return [n for entry in axis for n in ([entry] if isinstance(entry, int) else [entry[0]] * entry[1])]


def _keywords_v2(document: dict) -> dict:
    """The same for Zarr 2."""
    codecs = [f for f in document["filters"] or [] if f["id"] in OBJECT_CODECS]
    data_type, stored = dtypes.from_v2(document["dtype"], codecs[0] if codecs else None)
    fill = document["fill_value"]
    return {
        "dtype": data_type if stored.kind == "O" else stored,
        "chunks": document["chunks"],
        "filters": document["filters"],
        "compressors": document["compressor"],
        "order": document["order"],
        "fill_value": None if fill is None else data_type.fill_from_v2(fill),
        "dimension_separator": document.get("dimension_separator", "."),
    }
