# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#   "zarr>=2.18,<3", "numcodecs<0.16", "numpy<2.3", "msgpack", "pcodec", "crc32c",
#   "zfpy==1.0.1; python_version < '3.14'",
# ]
# ///
"""zarr-python 2.18, the last of its line: Zarr 2 with all the codecs for objects."""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from peer_protocol import Case, Opened, Peer, serve

warnings.simplefilter("ignore")


class ZarrPython2(Peer):
    """What zarr-python 2 does of the protocol."""

    name = "zarr-python 2"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("zarr", "numcodecs", "numpy")}

    def capabilities(self) -> list[str]:
        import numcodecs.registry

        numcodecs.registry.get_codec({"id": "zlib"})
        known = {*numcodecs.registry.codec_registry, *numcodecs.registry.entries}
        return [
            *(f"codec2:{name}" for name in known),
            *("format:2", "type:*", "field:*", "struct:*", "time:*", "layout:*", "endian:*", "fill:*", "blosc:*"),
            *("names:*", "attributes:*", "groups:*", "data:*", "keys:*", "codec2:delta with astype"),
        ]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if consolidated:
            array: Any = zarr.open_consolidated(str(path))[node]
        else:
            array = zarr.open_array(str(path / node), mode="r")

        def read(region: tuple[slice, ...]) -> np.ndarray:
            found = np.asarray(array[region])
            return found if found.dtype == array.dtype else np.asarray(found, dtype=array.dtype)

        return Opened(array.shape, read, dict(array.attrs))

    def tree(self, path: Path, consolidated: bool) -> dict[str, Any]:
        root = zarr.open_consolidated(str(path)) if consolidated else zarr.open_group(str(path), mode="r")
        found = {"": {"kind": "group", "attributes": dict(root.attrs)}}

        def visit(name: str, node: Any) -> None:
            kind = "array" if isinstance(node, zarr.Array) else "group"
            found[name] = {"kind": kind, "attributes": dict(node.attrs)}

        root.visititems(visit)
        return found

    def write(self, case: Case) -> None:
        """It reads the document, writes its own form of it, and then the elements."""
        if case.zarr_format != 2:
            raise ValueError("zarr-python 2 writes Zarr 2")
        for group, attributes in case.groups.items():
            zarr.open_group(str(case.path / group), mode="a").attrs.put(attributes)
        folder = case.path / case.node
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".zarray").write_text(json.dumps(case.document))
        array = zarr.open_array(str(folder), mode="r+")
        array._flush_metadata_nosync()
        if case.attributes:
            array.attrs.put(case.attributes)
        for region in case.regions:
            array[region] = _objects(case)[region]
        if case.consolidated:
            zarr.consolidate_metadata(str(case.path))


def _objects(case: Case) -> np.ndarray:
    """The data; lists become arrays where vlen-array asks for them."""
    codec = next((f for f in case.document.get("filters") or [] if f["id"] == "vlen-array"), None)
    if codec is None:
        return case.data
    data = np.empty(case.data.shape, object)
    for i in np.ndindex(data.shape):
        data[i] = np.array(case.data[i], codec["dtype"])
    return data


if __name__ == "__main__":
    serve(ZarrPython2())
