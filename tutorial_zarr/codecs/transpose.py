"""``transpose``: the axes in another order. Axis ``i`` of the encoded chunk is axis ``order[i]`` of the chunk.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/codecs/transpose/index.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import ArrayArrayCodec, ChunkSpec
from .fields import Field
from .registry import register


def _is_order(order: Any) -> bool:
    if not isinstance(order, list):
        return order in ("C", "F")
    return all(type(axis) is int for axis in order) and sorted(order) == list(range(len(order)))


class Transpose(ArrayArrayCodec):
    """``transpose``: the axes in another order, here the last axis of three first.

    zarr.json   {"name": "transpose", "configuration": {"order": [2, 0, 1]}}
    """

    moves_only = True
    order: Field[Any] = Field(expected="order as a permutation of the axes", test=_is_order)

    def axes(self, ndim: int) -> list[int]:
        """Return, for each axis of the result, which axis of the array it is."""
        if self.order == "C":  # leniency: transpose-letters, from before the specification was final
            return list(range(ndim))
        return list(range(ndim))[::-1] if self.order == "F" else list(self.order)

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        axes = self.axes(len(spec.shape))
        if len(axes) != len(spec.shape):
            raise self.misfit(f"order with {len(spec.shape)} axes", repr(self.order))
        return spec._replace(shape=tuple(spec.shape[axis] for axis in axes))

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return array.transpose(self.axes(array.ndim))

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        axes = self.axes(array.ndim)
        return array.transpose(sorted(range(len(axes)), key=axes.__getitem__))


register("transpose", Transpose)
