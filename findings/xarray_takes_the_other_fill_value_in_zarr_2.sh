#!/usr/bin/env bash
# xarray and a Zarr 2 array that has a fill value and, as an attribute, another _FillValue.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      int16 numbers 0, 1, -1 with Zarr's fill value 0 and the attribute _FillValue -1, in Zarr 2 and in Zarr 3, by
#            zarr-python
# Seen       Zarr 2: the fill value replaces the attribute without a word, and xarray reads NaN, 1, -1: the zero that was
#            measured is missing, and the gap is a number. Zarr 3: 0, 1, NaN, as the attribute says.
# Why it matters: the attribute is what the writer put there to say what is missing. Copied from one format to the other,
#            the same two numbers mark other elements.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import numpy as np, xarray as xr, zarr
for zarr_format in (2, 3):
    path = f"{zarr_format}.zarr"
    zarr.create_group(path, zarr_format=zarr_format)
    names = {} if zarr_format == 2 else {"dimension_names": ("x",)}
    array = zarr.create_array(path, name="v", data=np.array([0, 1, -1], "i2"), fill_value=0, zarr_format=zarr_format, **names)
    array.attrs.update({"_FillValue": -1} | ({"_ARRAY_DIMENSIONS": ["x"]} if zarr_format == 2 else {}))
    print(zarr_format, xr.open_zarr(path, consolidated=False).v.values.tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "2 [nan, 1.0, -1.0]
3 [0.0, 1.0, nan]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
