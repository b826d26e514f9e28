#!/usr/bin/env bash
# kerchunk's scan_grib and a field that is small enough to be put into the references themselves.
#
# Versions   kerchunk 0.2.10, cfgrib 0.9.15.1, eccodes 2.50.0, xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5,
#            fsspec 2026.9.0, dask 2026.8.0 (PyPI); Python 3.12
# Input      a valid GRIB 2 message made with ecCodes: temperature on a grid of 4 x 6, the values 280 to 303
# Seen       scan_grib(file)                         chunk t/0.0, a reference; read as 280 to 303, as cfgrib does
#            scan_grib(file, inline_threshold=1000)  chunk t/0, inline, where the array has two dimensions and asks for
#                                                    t/0.0: what is absent is the fill value, null, read as 0.0
#            xarray opens both without a warning; the 24 right values stand in the second document under a key that
#            nobody reads. By default the threshold is 100 bytes, so a cut-out of 12 points or fewer (3 x 4) is affected
#            with no option given.
# Why it matters: inlining is advised to spare requests, and a field of 0.0 is a field of rain, of ice or of snow.
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

def write(path, rows, columns):
    message = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib2")
    for key, value in {
        "Ni": columns, "Nj": rows, "iDirectionIncrementInDegrees": 1, "jDirectionIncrementInDegrees": 1,
        "latitudeOfFirstGridPointInDegrees": rows - 1, "latitudeOfLastGridPointInDegrees": 0,
        "longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": columns - 1,
        "shortName": "t", "bitsPerValue": 16,
    }.items():
        eccodes.codes_set(message, key, value)
    eccodes.codes_set_values(message, 280.0 + np.arange(rows * columns))
    with open(path, "wb") as file:
        eccodes.codes_write(message, file)
    return os.path.abspath(path)

def show(title, found, keys=()):
    values = found.t.values.ravel()
    print(title, *keys, f"{values[0]:.4g} to {values[-1]:.4g}")

large, small = write("large.grib2", 4, 6), write("small.grib2", 3, 4)
for name, path, options in (("4 x 6", large, {}), ("4 x 6", large, {"inline_threshold": 1000}), ("3 x 4", small, {})):
    show(f"{name} cfgrib", xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": ""}))
    references = scan_grib(path, **options)[0]
    keys = [key for key in references["refs"] if key.startswith("t/0")]
    show(f"{name} kerchunk {options}", xr.open_dataset(references, engine="kerchunk"), keys)
PY
cat seen.txt
[ "$(cat seen.txt)" = "4 x 6 cfgrib 280 to 303
4 x 6 kerchunk {} t/0.0 280 to 303
4 x 6 cfgrib 280 to 303
4 x 6 kerchunk {'inline_threshold': 1000} t/0 0 to 0
3 x 4 cfgrib 280 to 291
3 x 4 kerchunk {} t/0 0 to 0" ] || { echo "CHANGED"; exit 1; }
echo "as described"
