# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "zarr>=3,<4", "cast-value-rs>=0.4.2", "pcodec", "msgpack", "google-crc32c",
#   "zfpy==1.0.1; python_version < '3.14'",
# ]
# ///
"""zarr-python 3 with its default pipeline."""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from peer_protocol import Case, Opened, Peer, serve

warnings.simplefilter("ignore")  # about young parts of the specification
zarr.config.set({"array.rectilinear_chunks": True})


class ZarrPython(Peer):
    """What zarr-python 3 does of the protocol."""

    name = "zarr-python 3"
    packages = ("zarr", "numcodecs", "numpy")

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in self.packages}

    def capabilities(self) -> list[str]:
        """What its registries hold; and every layout, as its documentation names no gap."""
        from zarr.core.dtype import data_type_registry
        from zarr.registry import _codec_registries as codecs
        from zarr.registry import _collect_entrypoints

        _collect_entrypoints()
        data_type_registry._lazy_load()
        types = {name for kind in data_type_registry.contents.values() for name in _names(kind)}
        known = [f"type:{name}" for name in types] + [f"codec:{name}" for name in codecs]
        known += ["codec:zstd with checksum", "codec2:*", "blosc:*", "cast:*", "time:*", "struct:nested", "field:*"]
        lost = ("pickle", "json2", "msgpack2", "vlen-array", "base64")  # numcodecs has them, zarr-python 3 no objects
        known += [f"!codec2:{name}" for name in lost[:4]]
        return [*known, "format:*", "grid:*", "keys:*", "layout:*", "endian:*", "fill:*", "names:*", "attributes:*",
                "groups:*", "data:*"]  # fmt: skip

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if consolidated:
            array: Any = zarr.open_consolidated(str(path))[node]
        else:
            array = zarr.open_array(str(path), mode="r", path=node or None)
        attributes = json.loads(json.dumps(dict(array.attrs)))
        return Opened(array.shape, lambda region: np.asarray(array[region], dtype=array.dtype), attributes)

    def tree(self, path: Path, consolidated: bool) -> dict[str, Any]:
        root = zarr.open_consolidated(str(path)) if consolidated else zarr.open_group(str(path), mode="r")
        found = {"": {"kind": "group", "attributes": dict(root.attrs)}}
        for name, node in root.members(max_depth=None):
            kind = "array" if isinstance(node, zarr.Array) else "group"
            found[name] = {"kind": kind, "attributes": dict(node.attrs)}
        return found

    def write(self, case: Case) -> None:
        """It reads the document, writes its own form of it, and then the elements."""
        for group, attributes in case.groups.items():
            zarr.create_group(str(case.path), path=group, zarr_format=case.zarr_format, attributes=attributes)
        folder = case.path / case.node
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ("zarr.json" if case.zarr_format == 3 else ".zarray")).write_text(json.dumps(case.document))
        array = zarr.open_array(str(case.path), mode="r+", path=case.node or None)
        array.update_attributes(case.attributes)
        for region in case.regions:
            array[region] = case.data[region]
        if case.consolidated:
            zarr.consolidate_metadata(str(case.path))


def _names(kind: Any) -> list[str]:
    name = getattr(kind, "_zarr_v3_name", "")
    more = {"variable_length_bytes": ["bytes", "variable_length_bytes"]}
    return ["struct", "structured"] if name in ("struct", "structured") else more.get(name, [name])


if __name__ == "__main__":
    serve(ZarrPython())
