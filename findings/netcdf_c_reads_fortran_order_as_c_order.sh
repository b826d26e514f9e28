#!/usr/bin/env bash
# netCDF-C's Zarr reader (NCZarr), through the netCDF4 package, on a Zarr 2 array whose chunks are in Fortran order.
#
# Versions   netCDF4 1.7.5.1.post1 (netCDF-C 4.10.1), zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      two int32 arrays of the same values 0 to 5 and the shape (2, 3), one chunk each, no compressor; one says
#            "order": "C" in its .zarray, the other "order": "F", which is what zarr-python writes for order="F"
# Seen       both are opened without a word; the second is read as 0 3 1 / 4 2 5 where zarr-python reads 0 1 2 / 3 4 5.
#            `order` is not looked at. Of a chunk that is square the result is the transposed matrix.
# Why it matters: ncdump, ncview and everything that is built on netCDF-C shows other numbers, each of them plausible.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check netCDF4==1.7.5.1.post1 zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import os
import netCDF4, numpy as np, zarr
group = zarr.open_group("g.zarr", mode="w", zarr_format=2)
for order in "CF":
    array = group.create_array(order, shape=(2, 3), dtype="i4", chunks=(2, 3), order=order, compressors=None,
                               filters=None, fill_value=-1)
    array[...] = np.arange(6).reshape(2, 3)
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
with netCDF4.Dataset(f"file://{os.path.abspath('g.zarr')}#mode=zarr,file") as found:
    for order in "CF":
        print(order, group[order][...].tolist(), np.asarray(found[order][...]).tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "C [[0, 1, 2], [3, 4, 5]] [[0, 1, 2], [3, 4, 5]]
F [[0, 1, 2], [3, 4, 5]] [[0, 3, 1], [4, 2, 5]]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
