#!/usr/bin/env bash
# pydap as a server of a NetCDF file with integers of 64 bits.
#
# Versions   pydap 3.5.11, netCDF4 1.7.5.1.post1, xarray 2026.9.0, numpy 2.5.5 (PyPI); Python 3.12
# Input      a valid NetCDF-4 file: `time`, int64, "seconds since 1970-01-01": 2147483647 and the second after it (in
#            the year 2038); `id`, uint64: 5 and 2^40 + 5; `day`, float64. Served by pydap's own NetCDFHandler in this
#            process, asked by pydap's own client (no network).
# Seen       time arrives as int32: 2147483647, -2147483648. id arrives as uint32: 5, 5. No error, no warning, at either
#            end; the declaration that the server sends says Int32 and UInt32. DAP2 has no integers of 64 bits; Hyrax
#            refuses such a request or leaves them out. float64 is right.
# Why it matters: xarray and pandas make int64 of every index and every whole number; identifiers become equal, and the
#            time after 2038 lies in 1901.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check pydap==3.5.11 netCDF4==1.7.5.1.post1 xarray==2026.9.0 \
    numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import netCDF4, numpy as np
from pydap.client import open_url
from pydap.handlers.netcdf_handler import NetCDFHandler

given = {"time": ("i8", [2**31 - 1, 2**31]), "id": ("u8", [5, 2**40 + 5]), "day": ("f8", [24855.0, 24856.5])}
with netCDF4.Dataset("a.nc", "w") as file:
    file.createDimension("x", 2)
    for name, (dtype, values) in given.items():
        file.createVariable(name, dtype, ("x",))[:] = np.array(values, dtype)
    file["time"].units = "seconds since 1970-01-01"
served = open_url("http://localhost/", application=NetCDFHandler("a.nc"), protocol="dap2")
with netCDF4.Dataset("a.nc") as file:
    for name in given:
        found = np.asarray(served[name][:].data)
        print(name, file[name].dtype, np.asarray(file[name][:]).tolist(), found.dtype.newbyteorder("="), found.tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "time int64 [2147483647, 2147483648] int32 [2147483647, -2147483648]
id uint64 [5, 1099511627781] uint32 [5, 5]
day float64 [24855.0, 24856.5] float64 [24855.0, 24856.5]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
