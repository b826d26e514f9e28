#!/usr/bin/env bash
# xarray and a Zarr 3 array of floats whose attribute _FillValue is a plain number, as everybody but xarray writes it.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      a Zarr 3 group by zarr-python with two float64 arrays with names of their axes: one whose attribute
#            _FillValue is -9999.0, and one without attributes
# Seen       open_zarr raises TypeError for the whole group, also with drop_variables=["v"]: it takes the attribute for
#            base64 text, in which xarray itself writes it. With an int16 array and _FillValue -1 the number is taken as
#            it is, and in Zarr 2 a float -9999.0 as well.
# Why it matters: one attribute that CF asks for, spelled as in NetCDF and in Zarr 2, closes every variable of a dataset.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import numpy as np, xarray as xr, zarr
def group(path, values, fill, zarr_format=3):
    zarr.create_group(path, zarr_format=zarr_format)
    for name in "vw":
        names = {"dimension_names": ("x",)} if zarr_format == 3 else {}
        array = zarr.create_array(path, name=name, data=values, zarr_format=zarr_format, fill_value=None if zarr_format == 2 else 0, **names)
        array.attrs.update({} if names else {"_ARRAY_DIMENSIONS": ["x"]})
        array.attrs.update({"_FillValue": fill} if name == "v" else {})
def told(path, **options):
    try:
        return {name: each.values.tolist() for name, each in sorted(xr.open_zarr(path, consolidated=False, **options).items())}
    except TypeError:
        return "TypeError"
group("floats", np.array([1.0, -9999.0]), -9999.0)
group("integers", np.array([1, -1], "i2"), -1)
group("zarr2", np.array([1.0, -9999.0]), -9999.0, 2)
print(told("floats"), told("floats", drop_variables=["v"]))
print(told("integers"))
print(told("zarr2"))
PY
cat seen.txt
[ "$(cat seen.txt)" = "TypeError TypeError
{'v': [1.0, nan], 'w': [1, -1]}
{'v': [1.0, nan], 'w': [1.0, -9999.0]}" ] || { echo "CHANGED"; exit 1; }
echo "as described"
