#!/usr/bin/env bash
# The netCDF4 package on bytes that are 255 (unsigned) or -127 (signed), in netCDF files and in Zarr stores.
#
# Versions   netCDF4 1.7.5.1.post1 (netCDF-C 4.10.1), zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      a uint8 variable 0, 128, 255 and an int8 variable 0, 1, -127 in a netCDF-4 file, without `_FillValue`;
#            and the same numbers as uint8 in a Zarr 2 array of zarr-python, whose fill value is 0
# Seen       255 and -127 come masked from both, as the default fill values of netCDF's byte types. A comment in the
#            package's own source says that bytes have no default fill value, and cites netCDF's documentation for it;
#            the condition below it lets bytes through unless the variable was made with fill_value=False. The fill
#            value that the Zarr array does have, 0, is not masked.
# Why it matters: the white pixels of a picture are missing, and with them each mean and each histogram is wrong. There
#            is no error, and an array without one such pixel comes back whole.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check netCDF4==1.7.5.1.post1 zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import os
import netCDF4, numpy as np, zarr
pixels = np.array([0, 128, 255], "u1")
with netCDF4.Dataset("a.nc", "w") as file:
    file.createDimension("x", 3)
    file.createVariable("pixels", "u1", ("x",))[:] = pixels
    file.createVariable("signed", "i1", ("x",))[:] = np.array([0, 1, -127], "i1")
    file.createVariable("no_fill", "u1", ("x",), fill_value=False)[:] = pixels
group = zarr.open_group("g.zarr", mode="w", zarr_format=2)
group.create_array("pixels", data=pixels).attrs["_ARRAY_DIMENSIONS"] = ["x"]
for name in ("a.nc", f"file://{os.path.abspath('g.zarr')}#mode=zarr,file"):
    with netCDF4.Dataset(name) as file:
        for variable in file.variables.values():
            print(variable.name, variable[:].tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "pixels [0, 128, None]
signed [0, 1, None]
no_fill [0, 128, 255]
pixels [0, 128, None]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
