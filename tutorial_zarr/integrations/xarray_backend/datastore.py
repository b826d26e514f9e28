"""One group as xarray's data store.

Writing goes in two steps. `DataStore.plan` encodes every variable, checks it against what is stored, and tries out
the metadata of each new array in memory; only then does `DataStore.carry_out` change anything. So a dataset that is
refused leaves the store as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from xarray import Dataset, Variable, conventions
from xarray.backends.common import AbstractWritableDataStore, ArrayWriter
from xarray.core.utils import FrozenDict

import tutorial_zarr as zarr
from tutorial_zarr import chunk_grids, consolidation, nodes
from tutorial_zarr.array import Array
from tutorial_zarr.create import check_attributes
from tutorial_zarr.errors import GroupNotFoundError, MetadataError, NodeExistsError, ReadOnlyError, ZarrError
from tutorial_zarr.group import Group
from tutorial_zarr.integrations.xarray_backend import alignment, existing_array, outcome, transaction, variables
from tutorial_zarr.integrations.xarray_backend.outcome import Write
from tutorial_zarr.metadata.model import json_value
from tutorial_zarr.resizing import reservations
from tutorial_zarr.stores import Store, make_store, writers

MODES = ("r", "r+", "a", "a-", "w", "w-")
UNNAMED = "__xarray_dataarray_variable__"  # a reserved name, under which xarray writes data arrays without one


class DataStore(AbstractWritableDataStore):
    """A group in a store, to be read and written by xarray. Made by `open_group`."""

    def __init__(
        self,
        store: Store,
        path: str = "",
        mode: str = "r",
        *,
        group: Group | None,
        zarr_format: int | None = None,
        consolidate: bool = False,
        append_dim: Any = None,
        write_region: Any = None,
        safe_chunks: bool = True,
        align_chunks: bool = False,
        write_empty: bool | None = None,
        use_zarr_fill_value_as_mask: bool | None = None,
        closes: bool = False,
    ) -> None:
        self.zarr_store, self.path, self.mode, self.zarr_group = store, path, mode, group
        self.zarr_format = group.zarr_format if group is not None else zarr_format or 3
        self.consolidate, self.append_dim, self.write_region = consolidate, append_dim, write_region
        self.safe_chunks, self.align_chunks, self.write_empty = safe_chunks, align_chunks, write_empty
        self.fill_value_masks = (
            self.zarr_format == 2 if use_zarr_fill_value_as_mask is None else use_zarr_fill_value_as_mask
        )
        self.gathered = False  # whether the documents that are written hold their consolidated metadata
        self._closes = closes

    @classmethod
    def open_group(
        cls,
        store: Any,
        mode: str = "r",
        group: str | None = None,
        consolidated: bool | None = False,
        consolidate_on_close: bool = False,
        storage_options: dict[str, Any] | None = None,
        zarr_format: int | None = None,
        write_empty: bool | None = None,
        **options: Any,
    ) -> DataStore:
        """The group at `group` in `store` (a path, a dict, a store). Modes ``w`` and ``w-`` change nothing yet.

        `consolidated`: None reads the consolidated metadata of the root where there is any, True insists on it.
        """
        if mode not in MODES:
            raise ValueError(f"mode: expected one of {', '.join(map(repr, MODES))}, found {mode!r}")
        opened, path = make_store(store, "a" if mode == "a-" else mode, storage_options), nodes.normalize_path(group)
        if mode != "r" and opened.read_only:
            raise ReadOnlyError(f"{opened!r}: expected a writable store for mode {mode!r}, found one for reading")
        array_options = {} if write_empty is None else {"write_empty_chunks": write_empty}
        found = None
        if mode in ("r", "r+"):
            found = _open(opened, path, mode, consolidated, zarr_format, array_options)
        elif mode != "w":
            found = _open_if_there(opened, path, array_options)
        if found is not None and mode == "w-":
            raise NodeExistsError(
                f"{nodes.label('group', path, found.zarr_format)}: expected nothing in {opened!r}, found a group; "
                "try mode='w' to delete it, mode='a' to add to it, or another group",
                path=path,
            )
        if found is not None and zarr_format not in (None, found.zarr_format):
            raise MetadataError(
                f"{nodes.label('group', path)}: expected Zarr {zarr_format}, found Zarr {found.zarr_format}; "
                "try without zarr_format, or another place"
            )
        return cls(
            opened,
            path,
            mode,
            group=found,
            zarr_format=zarr_format,
            consolidate=consolidate_on_close,
            write_empty=write_empty,
            closes=opened is not store,
            **options,
        )

    @property
    def node(self) -> Group:
        """The group, which is there."""
        if self.zarr_group is None:
            raise TypeError(f"{nodes.label('group', self.path)}: expected a group that is open, found none yet")
        return self.zarr_group

    def child(self, name: str) -> DataStore:
        """The store of a group below this one, written by the same rules."""
        path = nodes.join(self.path, nodes.normalize_path(name))
        found = None if self.mode in ("w", "w-") else _open_if_there(self.zarr_store, path, {})
        return DataStore(
            self.zarr_store,
            path,
            self.mode,
            group=found,
            zarr_format=self.zarr_format,
            append_dim=self.append_dim,
            write_region=self.write_region,
            safe_chunks=self.safe_chunks,
            align_chunks=self.align_chunks,
            write_empty=self.write_empty,
        )

    def at(self, group: Group) -> DataStore:
        """The store of a group below this one that is open."""
        return DataStore(
            self.zarr_store, group.path, self.mode, group=group, use_zarr_fill_value_as_mask=self.fill_value_masks
        )

    # --- reading

    def arrays(self) -> dict[str, Array]:
        """The arrays of the group by name; those that cannot be read are left out, with a warning."""
        if self.zarr_group is None:
            return {}
        found = dict(self.zarr_group.arrays())
        if self.zarr_format == 3 and self.zarr_group.consolidated_members is None and UNNAMED in self.zarr_group:
            unnamed = self.zarr_group[UNNAMED]  # listings of the store leave reserved names out
            if isinstance(unnamed, Array):
                found[UNNAMED] = unnamed
        return found

    def get_variables(self) -> Any:
        return FrozenDict(
            {name: variables.to_variable(array, self.fill_value_masks) for name, array in self.arrays().items()}
        )

    def get_attrs(self) -> dict[str, Any]:
        found = {} if self.zarr_group is None else self.zarr_group.attrs.asdict()
        return {k: v for k, v in found.items() if not k.lower().startswith("_nc")}

    def get_dimensions(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for name, array in self.arrays().items():
            for dim, size in zip(variables.dimensions(array), array.shape, strict=True):
                if sizes.setdefault(dim, size) != size:
                    raise ValueError(
                        f"array {name!r}: expected length {sizes[dim]} for dimension {dim!r}, found {size}: "
                        "conflicting lengths"
                    )
        return sizes

    def open_store_variable(self, name: str) -> Variable:
        """One array as an undecoded variable."""
        return variables.to_variable(self.arrays()[name], self.fill_value_masks)

    # --- writing

    def encode_variable(self, variable: Variable, name: Any = None) -> Variable:
        return variables.encode_variable(variable, name)

    def resolve_region(self, dataset: Dataset) -> Dataset:
        """Find the regions that are ``"auto"``, check them all, and leave out the indexes, which stay as they are."""
        if self.write_region is None:
            return dataset
        region = dict.fromkeys(dataset.dims, "auto") if self.write_region == "auto" else self.write_region
        if not isinstance(region, Mapping):
            raise TypeError(f"region: ``region`` must be a dict, got {type(region)}")
        if "auto" in [cut for cut in region.values() if isinstance(cut, str)]:
            if self.mode not in ("r+", "a"):
                raise ValueError(f"``mode`` must be 'r+' or 'a' when using ``region='auto'``, got {self.mode!r}")
            region = {dim: self._find_region(dim, cut, dataset) for dim, cut in region.items()}
        alignment.check_region(region, dataset, self.append_dim)
        self.write_region = region
        existing = self.arrays()
        for name in dataset.indexes:
            if name in existing:
                one = self._plan_existing(name, dataset.variables[name], existing[name])
                outcome.check_labels(one, outcome.labelled(one, [], existing))
        return dataset.drop_vars(dataset.indexes)

    def _find_region(self, dim: Any, cut: Any, dataset: Dataset) -> slice:
        if not (isinstance(cut, str) and cut == "auto"):
            return cut
        if dim not in dataset.variables:
            return slice(0, dataset.sizes[dim])
        stored = conventions.decode_cf_variable(dim, self.open_store_variable(dim).compute())
        return alignment.find_region(dim, dataset[dim].data, stored.data)

    def plan(
        self,
        to_write: Mapping[Any, Variable],
        attributes: Mapping[str, Any],
        explicit: Any = frozenset(),
        encoded: bool = False,
    ) -> tuple[list[Write], dict[str, Any]]:
        """What is to be written, all of it checked; nothing is changed yet.

        `explicit` names the variables whose encoding was given by the caller; `encoded` says that the values are
        those to be stored, with nothing left for CF to encode.
        """
        (existing, let_in), attributes = self._settled(), self._checked_attributes(attributes)
        new = [name for name in to_write if _checked_name(name) not in existing]
        if self.mode == "r+" and new:
            raise ValueError(
                f"mode 'r+': dataset contains non-pre-existing variables {new!r}, which is not allowed in to_zarr() "
                "with mode='r+'. To allow writing new variables, set mode='a'"
            )
        if self.append_dim is not None and self.append_dim not in self.get_dimensions():
            raise ValueError(
                f"append_dim={self.append_dim!r} does not match any existing dataset dimensions {self.get_dimensions()}"
            )
        if self.append_dim is not None:
            outcome.check_rows(self.append_dim, to_write, existing)
        writes = []
        for name, variable in to_write.items():
            try:
                if name in existing:
                    write = self._plan_existing(name, variable, existing[name])
                else:
                    write = self._plan_new(
                        name, variable if encoded else self.encode_variable(variable, name), name in explicit
                    )
            except ZarrError as error:
                raise type(error)(f"variable {name!r}: {error.message}", **error.fields) from error
            writes.append(write)
        if let_in and outcome.are_there(writes, let_in):
            writes = [write for write in writes if not write.grows]  # an append that was killed, and is called again
        outcome.check_sizes(writes, existing)
        labels = outcome.coordinates(to_write, attributes, existing, self.get_attrs())
        return [write for write in writes if self._is_needed(write, writes, existing, labels)], attributes

    def _settled(self) -> tuple[dict[str, Array], dict[str, slice]]:
        """The arrays of the group, once an append to several of them is finished or undone whose writer is gone.

        With the names of those that got longer thereby, and where.
        """
        found = self.arrays()
        left = [
            (array, name, mark)
            for array in found.values()
            for name, mark in array.unfinished.items()
            if mark.among and writers.is_over(mark.by, mark.since)
        ]
        if not left or self.mode not in ("a", "a-", "r+"):
            return found, {}
        marked = {array.basename for array, _, _ in left}
        among = {other.rpartition("/")[2] for _, _, mark in left for other in mark.among} | marked
        for array, name, _ in left:
            reservations.settle(array, name)
        after, (array, _, mark) = self.arrays(), left[0]
        let_in = all(one.ready for _, _, one in left) and after[array.basename].shape[mark.axis] >= mark.stop
        return after, dict.fromkeys(among if let_in else (), slice(mark.start, mark.stop))

    def _checked_attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The group's attributes as JSON. One that is stored already stays as it is, also where it holds a NaN."""
        stored = {} if self.zarr_group is None else self.zarr_group.attrs.asdict()
        known = {k: stored[k] for k, v in attributes.items() if k in stored and repr(json_value(v)) == repr(stored[k])}
        return check_attributes({**attributes, **known})

    def _is_needed(self, write: Write, writes: list[Write], existing: dict[str, Array], labels: set[str]) -> bool:
        """Whether a variable is to be written: not if it is there already. Refused where it would mislabel others."""
        if write.array is None or write.grows or self.write_region is not None:
            return not write.empty
        leaves = self.mode == "a-" and not self._appends(write.variable)
        if write.name in labels and (write.name in write.variable.dims or not leaves):
            outcome.check_labels(write, outcome.labelled(write, writes, existing))
        in_memory = write.variable.chunks is None
        return not (leaves or write.empty or ((write.name in labels or in_memory) and not outcome.changes(write)))

    def _appends(self, variable: Variable) -> bool:
        return self.append_dim is not None and self.append_dim in variable.dims

    def _plan_new(self, name: str, encoded: Variable, explicit: bool) -> Write:
        options = variables.array_options(encoded, name, self.zarr_format, explicit, self.fill_value_masks)
        wanted = self.write_empty
        if wanted is not None and options.setdefault("write_empty_chunks", wanted) != wanted:
            raise ValueError(
                f"variable {name!r}: Differing write_empty_chunks values in encoding "
                f"({options['write_empty_chunks']}) and parameters ({wanted})"
            )
        trial = zarr.create_array({}, name=name, **options)  # in memory: what is wrong comes to light now
        region = tuple(slice(0, n) for n in encoded.shape)
        return Write(name, self._fit(name, encoded, region, trial.grid.axes), region, shape=encoded.shape, made=trial)

    def _plan_existing(self, name: str, variable: Variable, array: Array) -> Write:
        before = variables.to_variable(array, self.fill_value_masks)
        decoded = conventions.decode_cf_variable(name, before)
        existing_array.check_same_type(name, variable, decoded)
        variable = variable.copy(deep=False)
        variable.encoding = existing_array.unrounded(decoded.encoding, variable, array.dtype)
        if array.dtype.kind in "mM":  # Zarr's own times have no units for CF to encode
            encoded = variable
        else:
            encoded = self.encode_variable(variable, name)
            existing_array.check_same_packing(name, encoded, before, times=decoded.dtype.kind in "mMO")
        encoded = existing_array.check_same_dimensions(name, encoded, before)
        shape, cuts = list(array.shape), []
        for axis, (dim, size) in enumerate(encoded.sizes.items()):
            start, stop, _ = (self.write_region or {}).get(dim, slice(None)).indices(array.shape[axis])
            if dim == self.append_dim:
                start, stop = array.shape[axis], array.shape[axis] + size
                shape[axis] = stop
            if stop - start != size:
                raise ValueError(
                    f"variable {name!r} already exists with different dimension sizes: expected {stop - start} along "
                    f"{dim!r}, found {size}. to_zarr() only supports changing dimension sizes when explicitly "
                    f"appending, but append_dim={self.append_dim!r}. To write to a part of the existing store, "
                    "consider the region argument"
                )
            cuts.append(slice(start, stop))
        grid = chunk_grids.parse(array.grid.resized(tuple(shape), (1,) * array.ndim), tuple(shape))
        encoded = encoded.copy(deep=False, data=existing_array.fit(encoded, array.dtype, name))
        fitted = self._fit(name, encoded, tuple(cuts), grid.axes)
        return Write(name, fitted, tuple(cuts), array, tuple(shape))

    def _fit(self, name: Any, encoded: Variable, region: tuple[slice, ...], axes: Any) -> Variable:
        """The variable, if its blocks may be written at the same time; else moved into line or refused."""
        if self.align_chunks:
            return alignment.align_blocks(encoded, region, axes)
        if self.safe_chunks:
            alignment.check_blocks(name, encoded, region, axes, whole_units=self.mode == "r+")
        return encoded

    def carry_out(
        self,
        writes: list[Write],
        attributes: dict[str, Any],
        opened: ExitStack,
        making: transaction.Making | None = None,
        compute: bool = True,
    ) -> list[tuple[Write, Array]]:
        """Begin what was planned: each variable, and the array to write it into until `opened` closes."""
        store, paths = self.zarr_store, {one.name: nodes.join(self.path, one.name) for one in writes}
        if making is not None:
            return [(one, one.new.at(store, making.path(paths[one.name]), alone=True)) for one in writes]
        # What is entered last is let in first. A new variable that has the dimension comes after the others got longer;
        # the rest comes before, so that the same call after a kill finds it there, and nothing is appended twice.
        new = {one.name: one for one in writes if one.array is None}
        last = [name for name, one in new.items() if self._appends(one.variable)]
        anew = [one for one in writes if one.array is not None and one.whole and self.write_region is None]
        arrays = {name: transaction.add(opened, store, paths[name], new[name]) for name in last}
        arrays |= transaction.reserve(opened, [one for one in writes if one.grows], self.append_dim)
        now = [one for one in anew if compute or one.variable.chunks is None]
        arrays |= transaction.replace(opened, store, self.path, now)
        arrays |= {name: transaction.add(opened, store, paths[name], new[name]) for name in new if name not in last}
        return [(one, outcome.known(arrays.get(one.name, one.array), one.name)) for one in writes]

    def array_of(self, one: Write) -> Array:
        """The array of a variable, once it is there."""
        return one.stored if one.made is None else one.made.at(self.zarr_store, nodes.join(self.path, one.name))

    def finish_group(self, attributes: dict[str, Any]) -> None:
        """What is left when the variables are there: the attributes of a group that was there before."""
        if self.zarr_group is None:
            self.zarr_group = Group(self.zarr_store, self.path, nodes.new_group(self.zarr_format, attributes))
        elif self.mode != "r+" and self.zarr_group.attrs.asdict() != attributes:
            self.zarr_group.attrs.put(attributes)

    def store(
        self,
        variables: Mapping[Any, Variable],
        attributes: Mapping[str, Any],
        check_encoding_set: Any = frozenset(),
        writer: ArrayWriter | None = None,
        unlimited_dims: Any = None,
    ) -> None:
        """What xarray calls to write a dataset. All values are written now, whatever the `writer`."""
        if unlimited_dims:
            raise NotImplementedError("Zarr has no unlimited dimensions: every array can be appended to")
        transaction.write([(self, *self.plan(variables, attributes, check_encoding_set))])
        self.finish()

    def finish(self) -> None:
        """Gather the metadata where that was asked for, or where there are consolidated metadata that are now old."""
        if (
            not self.gathered
            and self.mode not in ("r", "r+")
            and (self.consolidate or consolidation.recorded(self.zarr_store, "", self.zarr_format))
        ):
            zarr.consolidate_metadata(self.zarr_store, zarr_format=self.zarr_format)

    def sync(self) -> None:
        pass

    def close(self) -> None:
        if self._closes:
            self.zarr_store.close()


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f"variable {name!r}: expected a name that is text, as DataArray.name or Dataset key must be either a "
            f"string here, found {type(name).__name__}; try rename()"
        )
    return nodes.check_name(name)


def _open(store: Store, path: str, mode: str, consolidated: Any, zarr_format: Any, options: dict[str, Any]) -> Group:
    """The group at `path`, by the root's consolidated metadata where there are any, else by its own."""
    wanted = {"mode": mode, "zarr_format": zarr_format, **options}
    if path and consolidated is not False:
        try:
            root = zarr.open_group(store, use_consolidated=consolidated, **wanted)
            found = root[path]
        except (GroupNotFoundError, KeyError):
            if consolidated:
                raise
        else:
            if isinstance(found, Group):
                return found
    return zarr.open_group(store, path=path, use_consolidated=consolidated, **wanted)


def _open_if_there(store: Store, path: str, options: dict[str, Any]) -> Group | None:
    try:
        return zarr.open_group(store, mode="r+", path=path, use_consolidated=False, **options)
    except GroupNotFoundError:
        return None
