#!/usr/bin/env bash
# A raster that GDAL writes as Zarr 3, without a value for no data, closes its whole group for xarray.
#
# Versions   rasterio 1.5.2 with GDAL 3.12.2, numpy 2.5.5, zarr 3.4.2, xarray 2026.9.0, tensorstore 0.1.86 (PyPI);
#            Python 3.12
# Input      int16 numbers 0 to 5 in 2 x 3, written by rasterio with driver="Zarr" and FORMAT="ZARR_V3", once with
#            nodata=-1 and once with nothing said
# Seen       with nodata zarr-python, TensorStore and xarray read the numbers. Without, GDAL writes "fill_value": null,
#            which Zarr 3 does not allow (in Zarr 2 it stands for none): GDAL itself reads it, zarr-python raises a
#            TypeError, TensorStore refuses it, and xarray opens nothing of the group, not even the coordinates X and Y.
# Why it matters: most rasters have no value for no data, and the error names neither GDAL nor the member at fault.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check rasterio==1.5.2 numpy==2.5.5 zarr==3.4.2 xarray==2026.9.0 tensorstore==0.1.86
v/bin/python -W ignore - <<'PY' >seen.txt
import json, os
import numpy as np, rasterio, tensorstore, xarray, zarr

def said(read):
    try:
        return np.asarray(read()).ravel().tolist()
    except Exception as error:
        return type(error).__name__

values = np.arange(6, dtype="int16").reshape(1, 2, 3)
for name, options in (("marked", {"nodata": -1}), ("plain", {})):
    profile = {"driver": "Zarr", "height": 2, "width": 3, "count": 1, "dtype": "int16", "FORMAT": "ZARR_V3"}
    with rasterio.open(name, "w", **profile, **options) as raster:
        raster.write(values)
    path = f"{name}/{name}"
    print(name, "fill_value", json.load(open(f"{path}/zarr.json"))["fill_value"])
    with rasterio.open(f'ZARR:"{os.path.abspath(name)}":/{name}') as raster:
        print("  GDAL", raster.read().ravel().tolist())
    store = {"driver": "zarr3", "kvstore": {"driver": "file", "path": os.path.abspath(path)}}
    print("  zarr-python", said(lambda: zarr.open_array(path, mode="r")[...]))
    print("  TensorStore", said(lambda: tensorstore.open(store).result().read().result()))
    print("  xarray", said(lambda: xarray.open_zarr(name)[name]))
PY
cat seen.txt
[ "$(cat seen.txt)" = "marked fill_value -1
  GDAL [0, 1, 2, 3, 4, 5]
  zarr-python [0, 1, 2, 3, 4, 5]
  TensorStore [0, 1, 2, 3, 4, 5]
  xarray [0, 1, 2, 3, 4, 5]
plain fill_value None
  GDAL [0, 1, 2, 3, 4, 5]
  zarr-python TypeError
  TensorStore ValueError
  xarray TypeError" ] || { echo "CHANGED"; exit 1; }
echo "as described"
