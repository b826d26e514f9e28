# /// script
# requires-python = ">=3.12"
# dependencies = ["tensorstore>=0.1.70", "ml_dtypes"]
# ///
"""tensorstore, in C++. It knows arrays and no groups, and has to be told which format it opens.

A record is read field by field, and a byte string is an axis more, as its documentation has it; both are put
together again here.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from peer_protocol import Case, Opened, Peer, Unsupported, serve, type_name

# https://google.github.io/tensorstore/driver/zarr3/index.html and .../driver/zarr/index.html
TYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128 bfloat16 "
    "int2 int4 float4_e2m1fn float8_e3m4 float8_e4m3fn float8_e4m3b11fnuz float8_e4m3fnuz float8_e5m2 "
    "float8_e5m2fnuz float8_e8m0fnu raw_bytes struct"
)


class TensorStore(Peer):
    """What tensorstore does of the protocol."""

    name = "tensorstore"

    def versions(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("tensorstore", "numpy")}

    def capabilities(self) -> list[str]:
        codecs = ("transpose", "blosc", "gzip", "zstd", "crc32c")
        return [
            *(f"type:{name}" for name in TYPES.split()),
            "type:null_terminated_bytes",
            "!format:3+type:null_terminated_bytes",
            *(f"field:{name}" for name in TYPES.split()),
            *(f"codec:{name}" for name in (*codecs, "zstd with checksum")),
            *(f"codec2:{name}" for name in ("blosc", "bz2", "gzip", "zlib", "zstd")),
            *("format:*", "grid:regular", "keys:*", "endian:*", "fill:*", "names:*", "blosc:*", "data:*"),
            *("layout:*", "struct:subarray", "!layout:filters", "!layout:codecs-after-shards"),
            *("!names:dimensions-twice", "attributes:*", "!fill:null"),
        ]

    def _open(self, path: Path, **spec: Any) -> Any:
        if not path.is_dir():
            raise FileNotFoundError(f"no folder {path}")
        driver = "zarr3" if (path / "zarr.json").exists() or spec.get("metadata", {}).get("codecs") else "zarr"
        return ts.open({"driver": driver, "kvstore": {"driver": "file", "path": str(path)}, **spec}).result()

    def open(self, path: Path, node: str, consolidated: bool) -> Opened:
        if consolidated:
            raise Unsupported("tensorstore has no consolidated metadata")
        path /= node
        fields = _fields(path)
        if fields is None:
            array = self._open(path)
            return Opened(*_joined(array, path))
        arrays = {name: self._open(path, field=name) for name in fields}
        ndim = len(_document(path)["shape"])
        shape = next(iter(arrays.values())).shape[:ndim]

        def read(region: tuple[slice, ...]) -> np.ndarray:
            parts = {name: np.asarray(array[region].read().result()) for name, array in arrays.items()}
            layout = [(name, part.dtype, part.shape[ndim:]) for name, part in parts.items()]
            record = np.zeros(next(iter(parts.values())).shape[:ndim], np.dtype(layout))
            for name, part in parts.items():
                record[name] = part
            return record

        return Opened(shape, read)

    def write(self, case: Case) -> None:
        if case.groups or case.consolidated:
            raise Unsupported("tensorstore writes no groups")
        if re.fullmatch(r"[SV]\d+", type_name(case.data.dtype)):
            raise Unsupported("byte strings have no numpy type with a length in tensorstore's Python")
        if case.data.dtype.names is not None:
            raise Unsupported("tensorstore writes records one field at a time")
        document = {k: v for k, v in case.document.items() if k not in ("zarr_format", "node_type")}
        if case.zarr_format == 3:
            document["attributes"] = case.attributes
        case.path.mkdir(parents=True, exist_ok=True)
        array = self._open(case.path, metadata=document, create=True)
        if case.zarr_format == 2 and case.attributes:
            raise Unsupported("tensorstore writes no attributes of Zarr 2")
        for region in case.regions:
            array[region].write(np.asarray(case.data[region], dtype=array.dtype.numpy_dtype)).result()


def _document(path: Path) -> dict[str, Any]:
    name = "zarr.json" if (path / "zarr.json").exists() else ".zarray"
    return json.loads((path / name).read_bytes())


def _fields(path: Path) -> list[str] | None:
    document = _document(path)
    if isinstance(document.get("dtype"), list):
        return [field[0] for field in document["dtype"]]
    data_type = document.get("data_type")
    if isinstance(data_type, dict) and data_type.get("name") == "struct":
        return [field["name"] for field in data_type["configuration"]["fields"]]
    return None


def _joined(array: Any, path: Path) -> tuple[tuple[int, ...], Any]:
    """Shape and reader; where elements are byte strings, the axis more becomes the element again."""
    ndim = len(_document(path)["shape"])
    if array.ndim == ndim:
        return array.shape, lambda region: array[region].read().result()
    size = array.shape[-1]
    kind = "S" if array.dtype.name == "char" else "V"

    def read(region: tuple[slice, ...]) -> np.ndarray:
        raw = np.ascontiguousarray(array[region].read().result())
        if raw.dtype.itemsize == 0:  # its char and byte arrive so in numpy 2: nothing is left to put together
            return raw
        return raw.view(f"{kind}{size}").reshape(raw.shape[:-1])

    return array.shape[:-1], read


if __name__ == "__main__":
    serve(TensorStore())
