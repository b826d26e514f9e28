"""What is to be written, and what the group would then be: refused before the first change where it would be another
than the one that was meant.

xarray writes variable by variable. So an append whose ``x`` has another order would put new labels on the rows that
are there, and one that lacks a variable would leave a group that nobody can open. Here the whole group is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from xarray import Variable

from tutorial_zarr import nodes
from tutorial_zarr.array import Array
from tutorial_zarr.group import Group
from tutorial_zarr.integrations.dask_arrays import slabs
from tutorial_zarr.metadata import ArrayMetadata

COMPARED_BYTES = 1 << 26  # read at once to compare a variable with what is stored, or one write unit where that is more


@dataclass
class Write:
    """One variable that is to be written: into `array`, which is there; or `made` in memory, and not there yet."""

    name: str
    variable: Variable
    region: tuple[slice, ...]
    array: Array | None = None
    shape: tuple[int, ...] = ()  # of the array, once it is written
    made: Array | None = None

    @property
    def stored(self) -> Array:
        """The array that is there, of a variable that goes into one."""
        return known(self.array, self.name)

    @property
    def new(self) -> Array:
        """The array in memory, of a variable that is not there yet."""
        return known(self.made, self.name)

    @property
    def grows(self) -> bool:
        """Whether the array gets longer."""
        return self.array is not None and self.shape != self.array.shape

    @property
    def whole(self) -> bool:
        """Whether no element of the array stays as it is."""
        return not self.grows and all(
            (cut.start, cut.stop) == (0, n) for cut, n in zip(self.region, self.shape, strict=True)
        )

    @property
    def empty(self) -> bool:
        """Whether there is an array and no element to write."""
        return self.array is not None and any(cut.start == cut.stop for cut in self.region)


def known(array: Array | None, name: str) -> Array:
    """The array of a variable, which is there."""
    if array is None:
        raise TypeError(f"variable {name!r}: expected a plan with an array, found another one")
    return array


def axes_names(array: Array) -> tuple[Any, ...]:
    """The names of an array's axes, without a complaint where it has none."""
    names = array.dimension_names or ()
    return names if len(names) == array.ndim else (None,) * array.ndim


# --- appending


def check_rows(append_dim: Any, to_write: Mapping[Any, Variable], existing: Mapping[str, Array]) -> None:
    """Refuse an append that lacks an array along the dimension, which would then be shorter than the others."""
    lacking = [name for name, array in existing.items() if append_dim in axes_names(array) and name not in to_write]
    if lacking:
        raise ValueError(
            f"append_dim={append_dim!r}: expected all variables that have this dimension in the store, found a dataset "
            f"without {lacking!r}; they would be shorter than the others, and the group could not be opened. Try "
            "adding them, filled with missing values if need be"
        )


def are_there(writes: list[Write], let_in: Mapping[str, slice]) -> bool:
    """Whether the variables that are to be appended are those that an append has just been finished with."""
    for one in writes:
        if one.grows:
            place = let_in.get(one.name, slice(0, 0))
            cuts = [
                place if stop != n else cut
                for cut, stop, n in zip(one.region, one.shape, one.stored.shape, strict=True)
            ]
            moved = replace(one, region=tuple(cuts), shape=one.stored.shape)
            same_size = tuple(cut.stop - cut.start for cut in cuts) == one.variable.shape
            if not same_size or changes(moved):
                return False
    return True


def check_sizes(writes: list[Write], existing: Mapping[str, Array]) -> None:
    """Refuse a new variable that is longer or shorter than what is there: the group could not be opened again."""
    sizes: dict[Any, tuple[int, str]] = {}
    changed = {write.name: write.shape for write in writes if write.array is not None}
    for name, array in existing.items():
        lengths = changed.get(name, array.shape)
        sizes |= {d: (n, name) for d, n in zip(axes_names(array), lengths, strict=True) if d is not None}
    for write in writes:
        for dim, size in write.variable.sizes.items() if write.array is None else ():
            wanted, other = sizes.get(dim, (size, ""))
            if wanted != size:
                raise ValueError(
                    f"variable {write.name!r}: expected {wanted} elements along {dim!r}, as array {other!r} has in "
                    f"the store, found {size}; a new variable is written whole, and with the sizes that are there"
                )


def check_tree(plans: list[tuple[Any, list[Write], dict[str, Any]]]) -> None:
    """Refuse a change of a coordinate in one group after which another one, above or below, would not fit to it.

    A group inherits the coordinates of those above it, and must be as long; where it is not as long today, it is left
    alone.
    """
    after = {nodes.join(place.path, one.name): one.shape for place, writes, _ in plans for one in writes}
    for place, writes, _ in plans:
        if any(one.name in one.variable.dims and (one.grows or one.whole) and one.array is not None for one in writes):
            _check_below(place, writes, after)
        for one in writes:
            for axis, dim in enumerate(one.variable.dims) if one.grows else ():
                _check_above(place, one, axis, dim, after)


def _check_above(place: Any, one: Write, axis: int, dim: Any, after: dict[str, tuple[int, ...]]) -> None:
    """Refuse an array that gets longer than a coordinate which it inherits."""
    above = place.path
    while above and one.shape[axis] != one.stored.shape[axis]:
        above = nodes.parent(above)
        path = nodes.join(above, str(dim))
        found = nodes.read(place.zarr_store, path, place.zarr_format)
        fits_today = isinstance(found, ArrayMetadata) and found.shape == (one.stored.shape[axis],)
        if fits_today and after.get(path, (one.stored.shape[axis],)) != (one.shape[axis],):
            raise _unequal(place, one, dim, path)


def _check_below(place: Any, writes: list[Write], after: dict[str, tuple[int, ...]]) -> None:
    """Refuse coordinates that change while arrays in groups below, which inherit them, do not change with them."""
    coordinates = {one.name: one for one in writes if one.name in one.variable.dims and one.array is not None}
    others = set(nodes.child_names(place.zarr_store, place.path, place.zarr_format)) - set(place.arrays())
    for name in sorted(others):
        node = place.zarr_group.get(name)
        if not isinstance(node, Group):
            continue
        for below, array in node.members(max_depth=None):
            path = nodes.join(nodes.join(place.path, name), below)
            if not isinstance(array, Array):
                continue
            for dim, length in zip(axes_names(array), array.shape, strict=True):
                one = coordinates.get(dim)
                if one is not None and (length,) == one.stored.shape and path not in after:
                    raise _unequal(place, one, dim, path)


def _unequal(place: Any, one: Write, dim: Any, other: str) -> ValueError:
    return ValueError(
        f"variable {one.name!r} in group {'/' + place.path!r}: expected {dim!r} to stay as it is, since array "
        f"{'/' + other!r} belongs to the same tree and would not fit any more; try writing the tree, with both, at once"
    )


# --- coordinates


def coordinates(
    to_write: Mapping[Any, Variable],
    attributes: Mapping[str, Any],
    existing: Mapping[str, Array],
    stored: Mapping[str, Any],
) -> set[str]:
    """The names of variables that label others: by the name of an axis, or by an attribute ``coordinates``."""
    names = {str(dim) for variable in to_write.values() for dim in variable.dims}
    listed = [attributes, stored, *(variable.attrs for variable in to_write.values())]
    listed += [variable.encoding for variable in to_write.values()]
    listed += [array.metadata.attributes for array in existing.values()]
    for found in listed:
        if isinstance(text := found.get("coordinates"), str):
            names.update(text.split())
    return names


def labelled(write: Write, writes: list[Write], existing: Mapping[str, Array]) -> list[str]:
    """The arrays that a coordinate labels and that keep elements: those get other labels when it changes."""
    anew = {other.name for other in writes if other.whole}
    dims = set(write.variable.dims)
    return [
        name
        for name, array in existing.items()
        if name not in anew and name != write.name and dims <= set(axes_names(array))
    ]


def check_labels(write: Write, kept: list[str], rest: str = "") -> None:
    """Refuse a coordinate with other values than are stored, where arrays keep elements that it labels."""
    difference = first_difference(write) if kept else None
    if difference is not None:
        where, stored, found = difference
        others = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        raise ValueError(
            f"variable {write.name!r}: expected the values of the coordinate that is in the store, since it labels "
            f"elements of {kept[0]!r}{others} that stay, found {found!r} in place of {stored!r} at {list(where)}; "
            f"these would get other labels. Try reindex() to the order in the store, or drop_vars({write.name!r}){rest}"
        )


def changes(write: Write) -> bool:
    """Whether writing a variable would change what an array holds."""
    return first_difference(write) is not None


def first_difference(write: Write) -> tuple[tuple[int, ...], Any, Any] | None:
    """Where a variable differs from what is stored in its place, with both values; None where it does not.

    A NaN equals a NaN. It is read, and compared, a few write units at a time.
    """
    for slab in _slabs(write):
        stored = np.asarray(write.stored[slab])
        inside = tuple(
            slice(s.start - cut.start, s.stop - cut.start) for s, cut in zip(slab, write.region, strict=True)
        )
        found = np.asarray(write.variable[inside].values)
        if found.dtype.kind in "biufc" and stored.dtype.kind in "biufc":
            found = found.astype(stored.dtype, copy=False)  # as it would be stored
        differs = ~_equal(stored, found)
        if differs.any():
            at = tuple(int(i) for i in np.argwhere(differs)[0])
            place = tuple(i + s.start for i, s in zip(at, slab, strict=True))
            return place, _item(stored, at), _item(found, at)
    return None


def _slabs(write: Write) -> Iterator[tuple[slice, ...]]:
    for slab in slabs(write.stored, COMPARED_BYTES):
        cut = tuple(slice(max(s.start, r.start), min(s.stop, r.stop)) for s, r in zip(slab, write.region, strict=True))
        if all(s.start < s.stop for s in cut):
            yield cut


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind in "OTUS" or b.dtype.kind in "OTUS":
        a, b = a.astype(object), b.astype(object)
        missing = pd.isnull(a) & pd.isnull(b)
    else:
        missing = (a != a) & (b != b)
    return np.asarray(a == b) | np.asarray(missing)


def _item(values: np.ndarray, at: tuple[int, ...]) -> Any:
    item = values[at]
    return item.item() if isinstance(item, np.generic) and item.dtype.kind in "biufcUS" else item
