#!/usr/bin/env bash
# xarray writes Zarr 2 integers without a fill value, and leaves out chunks of zeros; what others make of it.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, dask 2026.8.0, numpy 2.5.5; zarr 2.18.7, numcodecs 0.15.1, numpy 2.2.6 (PyPI);
#            Python 3.12
# Input      int32 counts in two chunks along x, the second of zeros alone, written with to_zarr(zarr_format=2); read by
#            zarr-python 2, once after an array of sevens and once after one of nines has been thrown away
# Seen       .zarray has "fill_value": null, and there is no object for the second chunk. zarr-python 2 takes null at
#            its word: the place of the chunk keeps what the memory held, here the sevens and the nines. zarr-python 3
#            takes null for 0, which is why it leaves the chunk out.
# Why it matters: counts read with zarr-python 2, which is in many environments, are other ones in every run, and only
#            where a whole chunk was zero. `write_empty_chunks=True` or Zarr 3 avoids it.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
for version in 2 3; do "${PYTHON:-python3.12}" -m venv v$version; done
pip="-m pip install --quiet --disable-pip-version-check"
v3/bin/python $pip xarray==2026.9.0 zarr==3.4.2 dask==2026.8.0 numpy==2.5.5
v2/bin/python $pip zarr==2.18.7 numcodecs==0.15.1 numpy==2.2.6
v3/bin/python -W ignore - <<'PY'
import numpy as np, xarray as xr
counts = np.array([1, 2, 3, 4, 0, 0, 0, 0], "i4")
for name, more in (("a", {}), ("b", {"write_empty_chunks": True})):
    xr.Dataset({"v": ("x", counts)}).chunk(x=4).to_zarr(name, zarr_format=2, **more)
PY
v2/bin/python -W ignore - <<'PY' >seen.txt
import json, os
import numpy as np, zarr
for name in "ab":
    print(name, json.load(open(f"{name}/v/.zarray"))["fill_value"], sorted(set(os.listdir(f"{name}/v")) & {"0", "1"}))
    array = zarr.open_array(f"{name}/v", mode="r")
    for number in (7, 9):
        thrown_away = np.full(8, number, "i4")
        del thrown_away
        print(array[:].tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "a None ['0']
[1, 2, 3, 4, 7, 7, 7, 7]
[1, 2, 3, 4, 9, 9, 9, 9]
b None ['0', '1']
[1, 2, 3, 4, 0, 0, 0, 0]
[1, 2, 3, 4, 0, 0, 0, 0]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
