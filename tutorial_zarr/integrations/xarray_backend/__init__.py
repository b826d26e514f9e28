"""xarray on these arrays: ``xr.open_dataset(path, engine="tutorial_zarr")``, and `to_zarr` for the way back.

    entrypoint   the engine that xarray finds by its entry point: datasets, trees, groups
    datastore    one group as xarray's data store: what is planned before anything is written
    variables    an array as a variable and back: dimensions, lazy indexing, encodings, fill values
    alignment    regions, and which blocks may be written at the same time
    writing      `to_zarr` for datasets, data arrays and trees
    netcdf       `from_netcdf`: HDF5 and NetCDF files as Zarr, value by value

xarray's own ``Dataset.to_zarr`` always writes through zarr-python; `to_zarr` here takes the same options.

How xarray lays a dataset out in Zarr: https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html
"""

from tutorial_zarr.errors import MissingDependencyError

try:
    import xarray  # noqa: F401 - the whole folder needs it
except ImportError as cause:
    raise MissingDependencyError(
        "xarray_backend: expected xarray, found none; try pip install 'tutorial_zarr[xarray]'"
    ) from cause

from tutorial_zarr.integrations.xarray_backend.datastore import DataStore
from tutorial_zarr.integrations.xarray_backend.entrypoint import ZarrBackend
from tutorial_zarr.integrations.xarray_backend.netcdf import from_netcdf
from tutorial_zarr.integrations.xarray_backend.writing import to_zarr

__all__ = ["DataStore", "ZarrBackend", "from_netcdf", "to_zarr"]
