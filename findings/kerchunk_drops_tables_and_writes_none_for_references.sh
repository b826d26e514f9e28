#!/usr/bin/env bash
# HDF5 tables and references through kerchunk.
#
# Versions   kerchunk 0.2.10, h5py 3.16.0, zarr 3.4.2, numpy 2.5.5, fsspec 2026.9.0 (PyPI); Python 3.12
# Input      a valid HDF5 file with: a chunked table (int32, float64) of one row; an array of object references (one, to
#            a group), as dimension scales and NeXus have them; an ordinary array
# Seen       SingleHdf5ToZarr(...).translate() returns without an exception. The table is not among the references at
#            all. The array of references is there, as text: its element is the word "None".
# Why it matters: what is absent can be asked for; the word "None" is a value like any other.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check kerchunk==0.2.10 h5py==3.16.0 zarr==3.4.2 numpy==2.5.5 \
    fsspec==2026.9.0 xarray==2026.9.0
v/bin/python -W ignore - <<'PY' >seen.txt 2>log.txt
import fsspec, h5py, numpy as np, zarr
from kerchunk.hdf import SingleHdf5ToZarr
with h5py.File("a.h5", "w") as file:
    file.create_dataset("table", data=np.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]), chunks=(1,))
    file.create_dataset("links", data=np.array([file.create_group("g").ref], h5py.ref_dtype))
    file.create_dataset("plain", data=np.arange(3, dtype="i4"), chunks=(3,))
references = SingleHdf5ToZarr("a.h5", inline_threshold=0).translate()
names = sorted({key.split("/")[0] for key in references["refs"] if "/" in key})
print("arrays", *names)
files = fsspec.filesystem("reference", fo=references, asynchronous=True)
root = zarr.open_group(zarr.storage.FsspecStore(files), mode="r", zarr_format=2)
print("links", root["links"][:].tolist())
print("plain", root["plain"][:].tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "arrays g links plain
links ['None']
plain [0, 1, 2]" ] || { echo "CHANGED"; cat log.txt; exit 1; }
echo "as described"
