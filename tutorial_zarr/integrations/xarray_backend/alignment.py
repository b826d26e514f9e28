"""Which part of a store a dataset goes to, and which of its blocks may be written at the same time.

The rule for blocks is that of `dask_arrays`. Where several programs write regions (mode ``r+``), the outer edges of
a region must be edges between write units too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from xarray import Dataset, Variable

from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.integrations.dask_arrays import edge_within_a_unit, moved_to_units


def check_blocks(
    name: Any, variable: Variable, region: tuple[slice, ...], axes: tuple[Axis, ...], whole_units: bool
) -> None:
    """Refuse blocks of which two lie in one write unit, and with `whole_units` any that fill one only in part."""
    found = edge_within_a_unit(variable.chunks, region, axes, whole_units) if variable.chunks else None
    if found is not None:
        axis, edge, start, stop = found
        raise ValueError(
            f"variable {name!r}: expected dask chunks along {variable.dims[axis]!r} that end where the units end in "
            f"which Zarr writes, found an edge at {edge}, within the unit from {start} to {stop}. Writing this array "
            "in parallel could lose data: more than one task would overlap that unit. Try chunk() with fitting sizes, "
            "other encoding['chunks'], align_chunks=True, or safe_chunks=False where nothing else writes"
        )


def align_blocks(variable: Variable, region: tuple[slice, ...], axes: tuple[Axis, ...]) -> Variable:
    """The variable with each edge between two blocks moved on to the next edge between write units."""
    if not variable.chunks:
        return variable
    moved = moved_to_units(variable.chunks, region, axes)
    return variable.chunk(dict(zip(variable.dims, moved, strict=True)))


# --- regions


def check_region(region: Mapping[Any, Any], dataset: Dataset, append_dim: Any) -> None:
    """Refuse a region that does not say, by slices, where each variable goes."""
    for dim, cut in region.items():
        if dim not in dataset.dims:
            raise ValueError(
                f"region: all keys in ``region`` must be dimensions of the dataset; not in Dataset dimensions: "
                f"{dim!r} (found {list(region)} and {list(dataset.dims)})"
            )
        if not isinstance(cut, slice):
            raise TypeError(f"region: all values in ``region`` must be slice objects, found {cut!r} for {dim!r}")
        if cut.step not in (1, None):
            raise ValueError(
                f"region: step on all slices in ``region`` must be 1 or None, found {cut.step} for {dim!r}"
            )
    outside = [name for name, variable in dataset.variables.items() if not set(region) & set(variable.dims)]
    if region and outside:
        raise ValueError(
            f"region: when setting `region` explicitly in to_zarr(), all variables in the dataset to write must have "
            f"at least one dimension in common with the region's dimensions {list(region)}, but that is not the case "
            f"for some variables here. To drop these variables: .drop_vars({outside!r})"
        )
    if append_dim is not None and append_dim in region:
        raise ValueError(
            f"region: cannot list the same dimension in both ``append_dim`` and ``region``, found {append_dim!r}"
        )


def find_region(dim: Any, wanted: np.ndarray, stored: np.ndarray) -> slice:
    """Where the coordinate values `wanted` stand, one after the other, among those in the store."""
    places = pd.Index(stored).get_indexer(wanted)
    if (places == -1).any():
        raise KeyError(
            f"region: Not all values of coordinate {dim!r} in the new array were found in the original store. "
            "Writing to a region requires that no dimensions or coordinates change"
        )
    if (np.diff(places) != 1).any():
        raise ValueError(
            f"region: The auto-detected region of coordinate {dim!r} for writing new data to the original store had "
            "non-contiguous indices; a region is a contiguous subset of the original store"
        )
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)
