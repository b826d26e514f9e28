#!/usr/bin/env bash
# kerchunk's GRIB codec and a measured value of 9999 in a message that has no missing values at all.
#
# Versions   kerchunk 0.2.10, cfgrib 0.9.15.1, eccodes 2.50.0, xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5,
#            fsspec 2026.9.0, dask 2026.8.0 (PyPI); Python 3.12
# Input      a valid GRIB 2 message made with ecCodes: geopotential height, 4 x 6 points, 9990 to 10013 gpm in steps of
#            one; no bitmap (bitmapPresent 0), numberOfMissing 0
# Seen       cfgrib reads 9999.0; kerchunk, through xarray, NaN at that point and the 23 others right, no warning.
#            GRIB marks what is missing by its bitmap; 9999 stands in no message, it is what ecCodes hands out for it
#            unless it is told another number. kerchunk masks every element that is equal to it and does not look at
#            the bitmap. (cfgrib did the same until 2022.)
# Why it matters: heights near 250 hPa, geopotential at a thousand metres and pressures in Pa go through 9999, and
#            packing rounds to such numbers; the holes look like gaps of the data and lie along a contour.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check kerchunk==0.2.10 cfgrib==0.9.15.1 eccodes==2.50.0 \
    xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5 fsspec==2026.9.0 dask==2026.8.0
v/bin/python -W ignore - <<'PY' >seen.txt
import os
import eccodes, numpy as np, xarray as xr
from kerchunk.grib2 import scan_grib

message = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
for key, value in {
    "Ni": 6, "Nj": 4, "iDirectionIncrementInDegrees": 1, "jDirectionIncrementInDegrees": 1,
    "latitudeOfFirstGridPointInDegrees": 3, "latitudeOfLastGridPointInDegrees": 0,
    "longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": 5,
    "shortName": "gh", "level": 250, "bitsPerValue": 16,
}.items():
    eccodes.codes_set(message, key, value)
eccodes.codes_set_values(message, 9990.0 + np.arange(24))
print("message", *[eccodes.codes_get(message, key) for key in ("bitmapPresent", "numberOfMissing")])
with open("a.grib2", "wb") as file:
    eccodes.codes_write(message, file)

path = os.path.abspath("a.grib2")
plain = xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": ""})
referred = xr.open_dataset(scan_grib(path)[0], engine="kerchunk")
for name, found in (("cfgrib", plain), ("kerchunk", referred)):
    values = found.gh.values.ravel()
    print(name, *values[7:12], "missing", int(np.isnan(values).sum()))
PY
cat seen.txt
[ "$(cat seen.txt)" = "message 0 0
cfgrib 9997.0 9998.0 9999.0 10000.0 10001.0 missing 0
kerchunk 9997.0 9998.0 nan 10000.0 10001.0 missing 1" ] || { echo "CHANGED"; exit 1; }
echo "as described"
