#!/usr/bin/env bash
# xarray's to_zarr with append_dim, on values that the integer type of the store does not hold.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      a variable packed into int16 with scale_factor 0.01, to which 400.0 is appended; a variable of int16, to
#            which 40000 of int32 is appended; and, to compare, an append of longer names to <U1
# Seen       400.0 reads as -255.36, and 40000 as -25536: what is appended is cast to the stored type, and what does
#            not fit wraps round. There is no error and no warning. Names that are too long are refused with a
#            ValueError that speaks of mismatched types.
# Why it matters: a scale that suited the first year meets one hot day. The number that comes back may be plausible.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5
v/bin/python <<'PY' >seen.txt
import warnings
import numpy as np, xarray as xr
packed = {"v": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -1}}
cases = {
    "packed": ([1.0, 2.0], [400.0, 3.0], packed),
    "int16": (np.array([1, 2], "i2"), np.array([40000, 3], "i4"), {}),
    "names": (np.array(["a", "b"]), np.array(["long", "c"]), {}),
}
for name, (first, more, encoding) in cases.items():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        xr.Dataset({"v": ("t", first)}).to_zarr(name, encoding=encoding)
        del said[:]  # of the append alone
        try:
            xr.Dataset({"v": ("t", more)}).to_zarr(name, append_dim="t")
        except ValueError as error:
            print(name, str(error)[:17])
        else:
            about = [str(each.message) for each in said if "consolidated" not in str(each.message).lower()]
            print(name, xr.open_zarr(name, chunks=None)["v"].values.round(2).tolist(), about)
PY
cat seen.txt
[ "$(cat seen.txt)" = "packed [1.0, 2.0, -255.36, 3.0] []
int16 [1, 2, -25536, 3] []
names Mismatched dtypes" ] || { echo "CHANGED"; exit 1; }
echo "as described"
