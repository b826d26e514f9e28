# /// script
# requires-python = ">=3.11"
# dependencies = ["z5py>=3", "numpy"]
# ///
"""z5, in C++, by way of z5py. It opens datasets in a group: what lies at the root of a store is opened as a member
of the folder above.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import z5py
from peer_protocol import Case, Opened, Peer, Unsupported, serve

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


class Z5(Peer):
    """What z5py does of the protocol."""

    name = "z5py"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("z5py", "numpy")}

    def capabilities(self) -> list[str]:
        """https://github.com/constantinpape/z5: its types, its compressors, sharding; C order."""
        return [
            *(f"type:{name}" for name in TYPES),
            *(f"codec2:{name}" for name in ("blosc", "zlib", "gzip", "bz2", "zstd")),
            *(f"codec:{name}" for name in ("blosc", "gzip", "zstd")),
            *("format:*", "grid:regular", "keys:*", "blosc:*", "layout:sharded", "attributes:any", "fill:*", "data:*"),
            *("names:below-a-group", "names:dimensions"),
        ]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if consolidated:
            raise Unsupported("z5 has no consolidated metadata")
        zarr_format = 3 if (path / node / "zarr.json").exists() else 2
        folder = tempfile.TemporaryDirectory()
        if node:
            root, name = path, node
        else:
            root, name = Path(folder.name), "x"
            shutil.copytree(path, root / name)
            _make_group(root, zarr_format)
        dataset = z5py.ZarrFile(str(root), "r", zarr_format=zarr_format)[name]

        def read(region: tuple[slice, ...]) -> np.ndarray:
            with folder:
                return np.asarray(dataset[region])

        return Opened(tuple(dataset.shape), read, dict(dataset.attrs.items()))

    def write(self, case: Case) -> None:
        if case.node or case.groups or case.consolidated:
            raise Unsupported("this program writes single arrays")
        options = _v3(case.document) if case.zarr_format == 3 else _v2(case.document)
        fill = case.document["fill_value"]
        if not isinstance(fill, (int, float)) or isinstance(fill, bool):
            fill = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.get(str(fill))
        if fill is None:
            raise Unsupported("a fill value that is no number")
        with tempfile.TemporaryDirectory() as folder:
            container = z5py.ZarrFile(str(Path(folder) / "new.zarr"), "a", zarr_format=case.zarr_format)
            dataset = container.create_dataset(
                "x", shape=case.data.shape, dtype=case.data.dtype.name, fillvalue=fill, **options
            )
            for name, value in case.attributes.items():
                dataset.attrs[name] = value
            for region in case.regions:
                dataset[region] = np.ascontiguousarray(case.data[region])
            shutil.copytree(Path(folder) / "new.zarr" / "x", case.path, dirs_exist_ok=True)


def _make_group(folder: Path, zarr_format: int) -> None:
    name, document = (
        (".zgroup", {"zarr_format": 2}) if zarr_format == 2 else ("zarr.json", {"zarr_format": 3, "node_type": "group"})
    )
    (folder / name).write_text(json.dumps(document))


def _v2(document: dict[str, Any]) -> dict[str, Any]:
    compressor = document["compressor"] or {"id": "raw"}
    if document["order"] != "C" or document["filters"] or document["dtype"][0] == ">":
        raise Unsupported("F order, filters or big-endian")
    options = {key: value for key, value in compressor.items() if key != "id"}
    if compressor["id"] == "blosc":
        options = {"codec": options["cname"], "clevel": options["clevel"], "shuffle": options["shuffle"]}
    name = {"bz2": "bzip2"}.get(compressor["id"], compressor["id"])
    return {"compression": name, "chunks": tuple(document["chunks"]), **options}


def _v3(document: dict[str, Any]) -> dict[str, Any]:
    codecs = document["codecs"]
    if document["chunk_grid"]["name"] != "regular":
        raise Unsupported("a grid other than the regular one")
    if document["chunk_key_encoding"] != {"name": "default", "configuration": {"separator": "/"}}:
        raise Unsupported("this program writes the default chunk keys")
    more: dict[str, Any] = {}
    chunks = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
    if codecs[0]["name"] == "sharding_indexed":
        raise Unsupported("this program writes no shards with z5")
    names = [codec["name"] for codec in codecs]
    if names[0] != "bytes" or len(names) > 2 or codecs[0].get("configuration", {}).get("endian") == "big":
        raise Unsupported(f"the chain {', '.join(names)}")
    options = codecs[1].get("configuration", {}) if len(names) == 2 else {}
    if names[1:] == ["blosc"]:
        shuffle = ("noshuffle", "shuffle", "bitshuffle").index(options["shuffle"])
        options = {"codec": options["cname"], "level": options["clevel"], "shuffle": shuffle}
    options.pop("checksum", None)
    return {"compression": names[1] if len(names) == 2 else "raw", "chunks": chunks, **options, **more}


if __name__ == "__main__":
    serve(Z5())
