#!/usr/bin/env bash
# GDAL and the numbers that xarray writes by default in Zarr 3: the first one is 0, and GDAL takes it for no data.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5, rasterio 1.5.2 with GDAL 3.12.2 (PyPI); Python 3.12
# Input      a Zarr 3 data set by xarray: int64 numbers 0 to 5 in 2 x 3, and packed floats 0.5, gap, 0 (int16,
#            scale_factor 0.5, _FillValue -1), both by to_zarr with nothing else said
# Seen       fill_value is 0 in both documents. GDAL gives 0 as the value for no data, and masks the measured 0. The
#            attribute _FillValue, by which xarray marks the gap, it does not look at: the gap is -1, a number.
# Why it matters: zeros vanish and gaps become measurements, in the form that xarray writes by default, without a word.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5 rasterio==1.5.2
v/bin/python -W ignore - <<'PY' >seen.txt
import os
import numpy as np, rasterio, xarray as xr
counts, heights = np.arange(6).reshape(2, 3), np.array([[0.5, np.nan, 0.0]] * 2)
packed = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}
xr.Dataset({"counts": (("y", "x"), counts), "heights": (("y", "x"), heights)}).to_zarr("s.zarr", encoding={"heights": packed})
for name in ("counts", "heights"):
    with rasterio.open(f'ZARR:"{os.path.abspath("s.zarr")}":/{name}') as raster:
        print(name, raster.nodata, raster.read(1, masked=True).tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "counts 0.0 [[None, 1, 2], [3, 4, 5]]
heights 0.0 [[1, -1, None], [1, -1, None]]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
