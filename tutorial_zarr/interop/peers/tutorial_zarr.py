# /// script
# requires-python = ">=3.11"
# dependencies = ["tutorial_zarr"]
# ///
"""This library itself, behind the same protocol as the others, so that a fault in it costs one cell as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from peer_protocol import Case, Opened, Peer, serve

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.metadata.v2 import OBJECT_CODECS


class TutorialZarr(Peer):
    name = "tutorial_zarr"

    def versions(self) -> dict[str, str]:
        import numcodecs

        return {"tutorial_zarr": zarr.__version__, "numcodecs": numcodecs.__version__, "numpy": np.__version__}

    def capabilities(self) -> list[str]:
        return ["*"]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        options = {"allow_pickle": True}
        if consolidated:
            array = zarr.open_consolidated(path, **options)[node]
        else:
            array = zarr.open_array(path, mode="r", path=node, **options)
        return Opened(
            array.shape, lambda region: np.asarray(array[region], dtype=array.dtype), dict(array.attrs)
        )

    def tree(self, path: Path, consolidated: bool) -> dict[str, object]:
        root = zarr.open_consolidated(path) if consolidated else zarr.open_group(path, mode="r")
        found = {"": {"kind": "group", "attributes": dict(root.attrs)}}
        for name, node in root.members(max_depth=None):
            kind = "array" if isinstance(node, zarr.Array) else "group"
            found[name] = {"kind": kind, "attributes": dict(node.attrs)}
        return found

    def write(self, case: Case) -> None:
        for group, attributes in case.groups.items():
            zarr.create_group(case.path, path=group, zarr_format=case.zarr_format, attributes=attributes)
        array = zarr.create_array(
            case.path,
            name=case.node or None,
            shape=case.data.shape,
            zarr_format=case.zarr_format,
            attributes=case.attributes,
            allow_pickle=True,
            **(keywords_v2 if case.zarr_format == 2 else keywords_v3)(case.document),
        )
        for region in case.regions:
            array[region] = _objects(case)[region]
        if case.consolidated:
            zarr.consolidate_metadata(case.path)


def _objects(case: Case) -> np.ndarray:
    """The data; lists become arrays where vlen-array asks for them."""
    codec = next((f for f in case.document.get("filters") or [] if f["id"] == "vlen-array"), None)
    if codec is None:
        return case.data
    data = np.empty(case.data.shape, object)
    for i in np.ndindex(data.shape):
        data[i] = np.array(case.data[i], codec["dtype"])
    return data


def keywords_v3(document: dict) -> dict:
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


def _lengths(axis: object) -> object:
    """One axis of a rectilinear grid, its run lengths written out."""
    if isinstance(axis, int):
        return axis
    return [n for entry in axis for n in ([entry] if isinstance(entry, int) else [entry[0]] * entry[1])]


def keywords_v2(document: dict) -> dict:
    """The same for Zarr 2."""
    codecs = [f["id"] for f in document["filters"] or [] if f["id"] in OBJECT_CODECS]
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


if __name__ == "__main__":
    serve(TutorialZarr())
