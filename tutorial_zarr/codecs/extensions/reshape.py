"""``reshape``: the same elements in the same (C) order, in an array of another shape.

Each entry of the configuration's ``shape`` gives one length of the encoded array::

    [[0, 1], 6, -1]     [0, 1]: axes 0 and 1 joined    6: this length    -1: whatever is left, once at most

Axes can be joined, never exchanged; that is what `transpose` is for.

Spec: https://github.com/zarr-developers/zarr-extensions/tree/main/codecs/reshape
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from tutorial_zarr.codecs.base import ArrayArrayCodec, ChunkSpec
from tutorial_zarr.codecs.fields import Field
from tutorial_zarr.codecs.registry import register


def _is_entry(entry: Any) -> bool:
    sizes, least = (entry, 0) if isinstance(entry, list) else ([entry], 1)
    return all(type(n) is int and (n >= least or n == -least) for n in sizes)


class _Shape(Field[list[Any]]):
    """Lengths, lists of axes to be joined, and -1 at most once."""

    def parse(self, codec: Any, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise codec.misfit("shape as a list", repr(value))
        for entry in value:
            if not _is_entry(entry):
                raise codec.misfit("each entry of shape as a positive integer, -1, or a list of axes", repr(entry))
        if value.count(-1) > 1:
            raise codec.misfit("-1 at most once in shape", value)
        axes = [axis for entry in value if isinstance(entry, list) for axis in entry]
        if any(a >= b for a, b in pairwise(axes)):
            raise codec.misfit("axes in increasing order, as reshape does not exchange them", value)
        return value


class Reshape(ArrayArrayCodec):
    """``reshape``: the same elements in another shape, here the first two axes joined and the last one split.

    zarr.json   {"name": "reshape", "configuration": {"shape": [[0, 1], 6, -1]}}
    """

    moves_only = True
    shape = _Shape()

    def resolve(self, spec: ChunkSpec) -> ChunkSpec:
        before, total = spec.shape, math.prod(spec.shape)
        listed = [axis for entry in self.shape if isinstance(entry, list) for axis in entry]
        if listed and listed[-1] >= len(before):
            raise self.misfit(f"axes below {len(before)}, the number of dimensions", self.shape)
        shape = [math.prod(before[d] for d in e) if isinstance(e, list) else e for e in self.shape]
        if -1 in shape:
            shape[shape.index(-1)] = total // max(-math.prod(shape), 1)
        if math.prod(shape) != total or 0 in shape:
            raise self.misfit(f"a shape of {total} elements, as {before} has", self.shape)
        self._check_axes(before, shape)
        return spec._replace(shape=tuple(shape))

    def _check_axes(self, before: tuple[int, ...], shape: list[int]) -> None:
        """Refuse axes that are joined to one with more or fewer elements before or after it than they have."""
        for i, entry in enumerate(self.shape):
            if not isinstance(entry, list) or not entry:
                continue
            # The README writes prod(A_shape[input_dims[0]]); its next sentence holds only for A_shape[:input_dims[0]].
            around = math.prod(before[: entry[0]]), math.prod(before[entry[-1] + 1 :])
            if (math.prod(shape[:i]), math.prod(shape[i + 1 :])) != around:
                wanted = f"as many elements before and after axes {entry} as in {before}"
                raise self.misfit(wanted, f"{self.shape}, {shape}")

    def encode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return array.reshape(self.resolve(spec).shape)

    def decode(self, array: np.ndarray, spec: ChunkSpec) -> np.ndarray:
        return array.reshape(spec.shape)


register("reshape", Reshape)
