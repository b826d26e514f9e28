# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "h5py==3.16.0", "h5netcdf==1.8.1", "kerchunk==0.2.10", "virtualizarr==2.8.0", "obstore==0.12.1", "obspec-utils",
#   "xarray==2026.9.0", "zarr==3.4.2", "fsspec",
# ]
# ///
"""What becomes of an HDF5 file: by h5netcdf and xarray, and by references of kerchunk and VirtualiZarr, all as Zarr."""

import json
import warnings

import h5py
import numpy as np
import xarray as xr
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
COUNTS = np.array([0, 1, 2, 0], "int16")


def file_with(path, values, **options):
    name = path.parent / f"{path.name}.h5"
    with h5py.File(name, "w") as file:
        file["x"] = np.arange(len(values), dtype="f8")
        file["x"].make_scale("x")
        file.create_dataset("v", data=values, **options).dims[0].attach_scale(file["x"])
    return str(name)


@situation("takes counts from HDF5 by h5netcdf and xarray")
def h5netcdf(path):
    xr.open_dataset(file_with(path, COUNTS, chunks=(2,)), engine="h5netcdf").to_zarr(path)
    return [Meant("v", COUNTS)]


@situation("takes counts from HDF5 by kerchunk's references and xarray")
def kerchunk(path):
    from kerchunk.hdf import SingleHdf5ToZarr

    references = path.parent / f"{path.name}.refs.json"
    references.write_text(json.dumps(SingleHdf5ToZarr(file_with(path, COUNTS, chunks=(2,))).translate()))
    xr.open_dataset(str(references), engine="kerchunk").to_zarr(path)
    return [Meant("v", COUNTS)]


@situation("takes counts from HDF5 by VirtualiZarr's references and xarray")
def virtualizarr(path):
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore
    from virtualizarr import open_virtual_dataset
    from virtualizarr.parsers import HDFParser

    url, references = f"file://{file_with(path, COUNTS, chunks=(2,))}", path.parent / f"{path.name}.refs.json"
    registry = ObjectStoreRegistry({"file://": LocalStore()})
    open_virtual_dataset(url=url, registry=registry, parser=HDFParser()).virtualize.to_kerchunk(
        references, format="json"
    )
    xr.open_dataset(str(references), engine="kerchunk").to_zarr(path)
    return [Meant("v", COUNTS)]


@situation("takes words of a fixed length from HDF5 by h5netcdf and xarray")
def words(path):
    values = np.array([b"a", b"bcd"], "S3")
    xr.open_dataset(file_with(path, values), engine="h5netcdf").to_zarr(path)
    return [Meant("v", values)]


if __name__ == "__main__":
    serve("HDF5", "h5py", "h5netcdf", "kerchunk", "virtualizarr", "xarray", "zarr")
