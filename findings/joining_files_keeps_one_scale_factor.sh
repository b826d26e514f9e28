#!/usr/bin/env bash
# kerchunk and VirtualiZarr join NetCDF files whose scale_factor differs, and keep the first one for all.
#
# Versions   kerchunk 0.2.10, virtualizarr 2.8.0, xarray 2026.9.0, h5netcdf 1.8.2, h5py 3.16.0, zarr 3.4.2,
#            numpy 2.5.5, fsspec 2026.9.0 (PyPI); Python 3.12
# Input      two valid NetCDF-4 files, each with t = [1.5, 2.5] packed into int16; scale_factor is 0.1 in the first
#            and 0.01 in the second, as a producer changes it between versions. Compression and chunks are the same.
# Seen       xarray's open_mfdataset:               [[1.5, 2.5], [1.5, 2.5]]
#            kerchunk's MultiZarrToZarr:            [[1.5, 2.5], [15.0, 25.0]]   no error, no warning
#            virtualizarr, xr.concat, to_kerchunk:  [[1.5, 2.5], [15.0, 25.0]]   no error, no warning
# Why it matters: chunks are referenced as they are packed, so one attribute must do for all; ten times too much is a
#            plausible number for rain or concentration.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check kerchunk==0.2.10 virtualizarr==2.8.0 xarray==2026.9.0 \
    h5netcdf==1.8.2 h5py==3.16.0 zarr==3.4.2 numpy==2.5.5 fsspec==2026.9.0 dask==2026.8.0
v/bin/python -W ignore - <<'PY' >seen.txt
import os
import numpy as np
import xarray as xr
from kerchunk.combine import MultiZarrToZarr
from kerchunk.hdf import SingleHdf5ToZarr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_dataset
from virtualizarr.parsers import HDFParser

files = []
for i, scale in enumerate([0.1, 0.01]):
    one = xr.Dataset({"t": (("time", "x"), np.array([[1.5, 2.5]]))}, coords={"time": [i]})
    packed = {"dtype": "i2", "scale_factor": scale, "_FillValue": -99, "zlib": True}
    files.append(os.path.abspath(f"{i}.nc"))
    one.to_netcdf(files[-1], encoding={"t": packed}, engine="h5netcdf")

together = xr.open_mfdataset(files, engine="h5netcdf", combine="nested", concat_dim="time")
print("xarray", np.round(together.t.values, 6).tolist())

single = [SingleHdf5ToZarr(file).translate() for file in files]
joined = MultiZarrToZarr(single, concat_dims=["time"], identical_dims=["x"]).translate()
print("kerchunk", np.round(xr.open_dataset(joined, engine="kerchunk").t.values, 6).tolist())

registry = ObjectStoreRegistry({"file://": LocalStore()})
virtual = [open_virtual_dataset("file://" + file, registry=registry, parser=HDFParser()) for file in files]
xr.concat(virtual, dim="time", coords="minimal", compat="override").virtualize.to_kerchunk("v.json", format="json")
print("virtualizarr", np.round(xr.open_dataset("v.json", engine="kerchunk").t.values, 6).tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "xarray [[1.5, 2.5], [1.5, 2.5]]
kerchunk [[1.5, 2.5], [15.0, 25.0]]
virtualizarr [[1.5, 2.5], [15.0, 25.0]]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
