"""The engine ``tutorial_zarr``, which xarray finds by its entry point."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from typing import Any

from xarray import Dataset, DataTree
from xarray.backends.common import BackendEntrypoint
from xarray.backends.store import StoreBackendEntrypoint

from tutorial_zarr import nodes
from tutorial_zarr.group import Group
from tutorial_zarr.integrations.xarray_backend.datastore import DataStore
from tutorial_zarr.stores import Store

_decode = StoreBackendEntrypoint().open_dataset


class ZarrBackend(BackendEntrypoint):
    """Opens Zarr v2 and v3: folders, zip files, dicts, stores."""

    description = "Open Zarr v2 and v3 with tutorial_zarr"
    url = "https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html"
    supports_groups = True

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        if isinstance(filename_or_obj, Store):
            return True
        if not isinstance(filename_or_obj, (str, os.PathLike)):
            return False
        if importlib.util.find_spec("zarr") is not None:
            return False  # a path without an engine is for xarray's own, where zarr-python is there for it
        return os.fspath(filename_or_obj).rstrip("/\\").endswith((".zarr", ".zarr.zip"))

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        mask_and_scale: Any = True,
        decode_times: Any = True,
        concat_characters: Any = True,
        decode_coords: Any = True,
        drop_variables: str | Iterable[str] | None = None,
        use_cftime: Any = None,
        decode_timedelta: Any = None,
        group: str | None = None,
        mode: str = "r",
        consolidated: bool | None = None,
        storage_options: dict[str, Any] | None = None,
        zarr_format: int | None = None,
        use_zarr_fill_value_as_mask: bool | None = None,
    ) -> Dataset:
        opened = _open(
            filename_or_obj, mode, group, consolidated, storage_options, zarr_format, use_zarr_fill_value_as_mask
        )
        return _decode(
            opened,
            mask_and_scale=mask_and_scale,
            decode_times=decode_times,
            concat_characters=concat_characters,
            decode_coords=decode_coords,
            drop_variables=drop_variables,
            use_cftime=use_cftime,
            decode_timedelta=decode_timedelta,
        )

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        mask_and_scale: Any = True,
        decode_times: Any = True,
        concat_characters: Any = True,
        decode_coords: Any = True,
        drop_variables: str | Iterable[str] | None = None,
        use_cftime: Any = None,
        decode_timedelta: Any = None,
        group: str | None = None,
        mode: str = "r",
        consolidated: bool | None = None,
        storage_options: dict[str, Any] | None = None,
        zarr_format: int | None = None,
        use_zarr_fill_value_as_mask: bool | None = None,
    ) -> dict[str, Dataset]:
        top = _open(
            filename_or_obj, mode, group, consolidated, storage_options, zarr_format, use_zarr_fill_value_as_mask
        )
        below = {name: node for name, node in top.node.members(max_depth=None) if isinstance(node, Group)}
        return {
            nodes.join("/", name).replace("//", "/"): _decode(
                top if not name else top.at(node),
                mask_and_scale=mask_and_scale,
                decode_times=decode_times,
                concat_characters=concat_characters,
                decode_coords=decode_coords,
                drop_variables=drop_variables,
                use_cftime=use_cftime,
                decode_timedelta=decode_timedelta,
            )
            for name, node in {"": top.node, **below}.items()
        }

    def open_datatree(self, filename_or_obj: Any, **options: Any) -> DataTree:
        groups = self.open_groups_as_dict(filename_or_obj, **options)
        tree = DataTree.from_dict(groups)
        tree.set_close(groups["/"].close)
        return tree


def _open(
    store: Any,
    mode: str,
    group: str | None,
    consolidated: bool | None,
    storage_options: dict[str, Any] | None,
    zarr_format: int | None,
    fill_value_masks: bool | None,
) -> DataStore:
    return DataStore.open_group(
        store,
        mode,
        group,
        consolidated,
        storage_options=storage_options,
        zarr_format=zarr_format,
        use_zarr_fill_value_as_mask=fill_value_masks,
    )
