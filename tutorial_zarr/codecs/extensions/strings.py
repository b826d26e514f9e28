"""``vlen-utf8`` and ``vlen-bytes``: items of any length, each behind its length.

    [ count ][ length ][ bytes ... ][ length ][ bytes ... ]      counts and lengths: 4 bytes, little-endian

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/vlen-utf8
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from tutorial_zarr.codecs.base import ArrayBytesCodec, Buffer, ChunkSpec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register
from tutorial_zarr.dtypes.text import Bytes, String

from .numcodecs_engines import numcodecs_codec


class VariableLengthCodec(ArrayBytesCodec):
    """``vlen-utf8`` and ``vlen-bytes``: they differ in what the bytes mean, and take no configuration.

    zarr.json   {"name": "vlen-utf8"}
    .zarray     {"id": "vlen-utf8"}
    zarr.json   {"name": "vlen-bytes"}
    .zarray     {"id": "vlen-bytes"}
    """

    fields: ClassVar[dict[str, Field[Any]] | None] = {}

    def __init__(self, name: str, configuration: dict[str, Any]) -> None:
        super().__init__(name, configuration)
        self.text = name == "vlen-utf8"

    def check(self, spec: ChunkSpec) -> None:
        wanted = String if self.text else Bytes
        if not isinstance(spec.data_type, wanted):
            raise self.misfit(f"the data type {'string' if self.text else 'bytes'}", spec.data_type.name)

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> Buffer:
        items = np.ascontiguousarray(array).reshape(-1).astype(object)
        return numcodecs_codec(self.name, {}).encode(items)

    def decode(self, data: Buffer, spec: ChunkSpec) -> np.ndarray:
        view, count = memoryview(data).cast("B"), math.prod(spec.shape)
        found = int.from_bytes(view[:4], "little") if len(view) >= 4 else None
        if found != count:  # checked here, because the decoder allocates what the data says
            raise self.fail(f"{count} items", "a stream without a count" if found is None else f"a count of {found}")
        items = numcodecs_codec(self.name, {}).decode(bytes(view))
        array = items.astype(spec.data_type.numpy)
        used = len("".join(items.tolist()).encode()) if self.text else sum(map(len, items))
        if used + 4 * count + 4 != len(view):
            raise self.fail(
                f"{used + 4 * count + 4} bytes for {count} items", f"{len(view)}: more follow the last item"
            )
        return array.reshape(spec.shape)


register(["vlen-utf8", "vlen-bytes"], VariableLengthCodec)
