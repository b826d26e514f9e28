"""Other libraries' ways to use this one: `xarray_backend` (``engine="tutorial_zarr"``, `to_zarr`, `from_netcdf`)
and `dask_arrays`. They need xarray and Dask, which nothing else here imports.
"""
