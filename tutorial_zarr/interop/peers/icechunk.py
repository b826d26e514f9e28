# /// script
# requires-python = ">=3.12"
# dependencies = ["icechunk>=2", "zarr>=3,<4", "cast-value-rs>=0.4.2", "google-crc32c"]
# ///
"""Icechunk as a consumer: the keys of a store are put into a new repository in memory, committed, and read back with
zarr-python through Icechunk's store. It parses the metadata of arrays itself, and knows Zarr 3 only.
"""

from __future__ import annotations

import importlib.metadata
import json
import warnings
from pathlib import Path

import icechunk
import numpy as np
import zarr
from peer_protocol import Opened, Peer, Unsupported, serve
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

warnings.simplefilter("ignore")


class Icechunk(Peer):
    """What Icechunk does of the protocol."""

    name = "Icechunk"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("icechunk", "zarr", "numpy")}

    def capabilities(self) -> list[str]:
        """https://icechunk.io: what zarr-python reads of Zarr 3, in the regular grid."""
        types = "bool int* uint* float16 float32 float64 complex64 complex128 string bytes struct raw_bytes numpy.*"
        types += " fixed_length_utf32 null_terminated_bytes variable_length_bytes"
        missing = ["int2", "int4", "uint2", "uint4"]
        codecs = "blosc gzip zstd crc32c transpose vlen-* numcodecs.* scale_offset cast_value zstd?with?checksum"
        return [
            *(f"type:{name}" for name in types.split()),
            *(f"!type:{name}" for name in missing),
            *(f"codec:{name}" for name in codecs.split()),
            *("format:3", "grid:regular", "layout:*", "endian:*", "fill:*", "blosc:*", "cast:*", "field:*", "names:*"),
            *("struct:nested", "time:*", "attributes:*", "data:*", "groups:*", "keys:default/"),
        ]

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if not (path / "zarr.json").exists():
            raise Unsupported("Icechunk holds Zarr 3 only")
        repository = icechunk.Repository.create(icechunk.in_memory_storage())
        session = repository.writable_session("main")
        buffers = default_buffer_prototype().buffer
        files = sorted(file for file in path.rglob("*") if file.is_file())
        for file in sorted(files, key=lambda file: (file.name != "zarr.json", len(file.parts))):
            key = file.relative_to(path).as_posix()
            sync(session.store.set(key, buffers.from_bytes(file.read_bytes())))
        session.commit("a case")
        store = repository.readonly_session("main").store
        array = zarr.open_consolidated(store)[node] if consolidated else zarr.open_array(store, path=node, mode="r")
        attributes = json.loads(json.dumps(dict(array.attrs)))
        return Opened(array.shape, lambda region: np.asarray(array[region], dtype=array.dtype), attributes)


if __name__ == "__main__":
    serve(Icechunk())
