"""`to_zarr`: datasets, data arrays and trees into a store, with the options of xarray's own ``to_zarr``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xarray import DataArray, Dataset, DataTree, conventions

from tutorial_zarr.integrations import dask_arrays
from tutorial_zarr.integrations.xarray_backend import outcome, transaction
from tutorial_zarr.integrations.xarray_backend.datastore import DataStore
from tutorial_zarr.integrations.xarray_backend.outcome import Write

ATTEMPTS = 5  # to append where others append between the plan and the first change
NAME = "__xarray_dataarray_name__"  # where xarray keeps a data array's name that is not its variable's


def to_zarr(
    data: Dataset | DataArray | DataTree,
    store: Any,
    mode: str | None = None,
    *,
    group: str | None = None,
    encoding: Mapping[str, Any] | None = None,
    compute: bool = True,
    consolidated: bool | None = None,
    append_dim: Any = None,
    region: Mapping[str, Any] | str | None = None,
    safe_chunks: bool = True,
    align_chunks: bool = False,
    storage_options: dict[str, Any] | None = None,
    zarr_format: int | None = None,
    write_empty_chunks: bool | None = None,
    chunkmanager_store_kwargs: dict[str, Any] | None = None,
    write_inherited_coords: bool = False,
) -> Any:
    """Write a dataset, a data array or a tree to `store`: a path, a dict, or a store of ours.

    mode          ``w-`` refuses what is there (the default), ``w`` deletes it, ``a`` adds and overwrites variables,
                  ``a-`` with `append_dim` leaves the variables without that dimension, ``r+`` changes values only
    append_dim    the dimension along which to append; all arrays that have it grow, as one, also in a tree
    region        the slices, by dimension, to write to; ``"auto"`` finds them by the coordinates in the store
    encoding      name -> options: chunks, shards, compressors, filters, serializer, fill_value, dtype, scale_factor,
                  _FillValue, units ...; for a tree, group -> name -> options
    compute       False writes the metadata and returns a dask Delayed that writes the values
    consolidated  None and True gather the metadata in one document when all is written; False does so only where
                  there is one already, which would otherwise be out of date
    safe_chunks   refuse dask chunks of which two would write into one chunk (shard) of the array
    align_chunks  instead of refusing, move the edges of the dask chunks

    Everything is checked before the first change, for the group and the tree that would result: the coordinates that
    label what stays are those that are stored, all variables get longer together, every attribute can be written. What
    cannot is refused, and leaves the store as it was. Values of an array that exists are written only as its type and
    attributes can hold them; those that are there already are not written again.

    What is written is let in at the end: a source that fails, or that reads from what it replaces, does no harm. Two
    may append at once; the second waits a little, then it is told. With a `region` it is otherwise: values are
    assigned, and those that were written before a source failed stay. Returns the `DataStore`.
    """
    if mode is None:
        mode = "a" if append_dim is not None else "r+" if region is not None else "w-"
    if append_dim is not None and mode not in ("a", "a-"):
        raise ValueError(f"cannot set append_dim unless mode='a' or mode=None, found mode={mode!r}")
    if region is not None and mode not in ("a", "a-", "r+"):
        raise ValueError(f"cannot set region unless mode='a', mode='a-', mode='r+' or mode=None, found mode={mode!r}")
    if mode == "r":
        raise ValueError("mode: The only supported options for mode are 'w', 'w-', 'a', 'a-' and 'r+', but mode='r'")
    options = {
        "consolidated": consolidated if mode == "r+" else False,
        "consolidate_on_close": mode != "r+" and consolidated is not False,
        "storage_options": storage_options,
        "zarr_format": zarr_format,
        "append_dim": append_dim,
        "write_region": region,
        "safe_chunks": safe_chunks,
        "align_chunks": align_chunks,
        "write_empty": write_empty_chunks,
    }
    for attempt in range(ATTEMPTS):
        target = DataStore.open_group(store, mode, group, **options)
        try:
            parts = list(_parts(data, target, encoding or {}, write_inherited_coords))
            if append_dim is not None and all(place.append_dim is None for _, place, _ in parts):
                raise ValueError(f"append_dim={append_dim!r} does not match any existing dimensions of the tree")
            plans = [(place, *_plan(dataset, place, given)) for dataset, place, given in parts]
            outcome.check_tree(plans)
            values = transaction.write(plans, compute, chunkmanager_store_kwargs)
            target.finish()
            break
        except BaseException as error:
            target.close()
            if not isinstance(error, transaction.GrownMeanwhileError) or attempt + 1 == ATTEMPTS:
                raise
    if compute:
        target.close()
        return target
    return dask_arrays.afterwards(target.close, values)


def _parts(data: Any, target: DataStore, encoding: Mapping[str, Any], inherited: bool) -> Any:
    """Triples (dataset, the group it goes to, its encodings)."""
    if isinstance(data, DataArray):
        data = _as_dataset(data)
    if isinstance(data, Dataset):
        yield data, target, encoding
        return
    unknown = set(encoding) - set(data.groups)
    if unknown:
        raise ValueError(f"encoding: unexpected encoding group name(s) provided: {sorted(unknown)}")
    append_dim = target.append_dim
    for path, node in data.subtree_with_keys:
        top = node is data
        dataset, place = node.to_dataset(inherit=inherited or top), target if top else target.child(path)
        if append_dim is not None:  # it may be that this group has nothing that gets longer
            place.append_dim = append_dim if append_dim in {*dataset.dims, *place.get_dimensions()} else None
        yield dataset, place, encoding.get(node.path, {})


def _as_dataset(array: DataArray) -> Dataset:
    """A data array as a dataset of one variable. xarray calls one without a name ``__xarray_dataarray_variable__``,
    which Zarr reserves; here it is ``values``, and an attribute says that this is not its name.
    """
    if array.name is not None and array.name not in array.coords and array.name not in array.dims:
        return array.to_dataset()
    name = "values"
    while name in array.coords or name in array.dims:
        name += "_"
    return array.to_dataset(name=name).assign_attrs({NAME: array.name})


def _plan(dataset: Dataset, target: DataStore, encoding: Mapping[str, Any]) -> tuple[list[Write], dict[str, Any]]:
    dataset = target.resolve_region(dataset)
    taken = [name for name in target.arrays() if name in encoding] if target.mode in ("a", "a-", "r+") else []
    if taken:
        raise ValueError(f"variable {taken[0]!r} already exists, but encoding was provided; its encoding stays")
    unknown = set(encoding) - set(dataset.variables)
    if unknown:
        raise KeyError(f"encoding: expected names of variables, found {sorted(unknown)}")
    variables, attributes = conventions.encode_dataset_coordinates(dataset)
    for name, options in encoding.items():
        if not isinstance(options, Mapping):
            raise ValueError(f"encoding: expected a dict of options for {name!r}, found {options!r}")
        variables[name].encoding = dict(options)
    return target.plan(variables, attributes, set(encoding))
