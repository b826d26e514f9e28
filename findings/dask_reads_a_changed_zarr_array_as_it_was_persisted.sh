#!/usr/bin/env bash
# Dask: da.from_zarr and xarray's open_zarr, called afresh on a Zarr array that was changed, while a collection of it is
# still persisted on a cluster. Which values come?
#
# Versions   dask 2026.8.0, distributed 2026.8.0, zarr 3.4.2, xarray 2026.9.0, numpy 2.5.5 (PyPI); Python 3.12
# Input      an array of six zeros in two chunks, read with da.from_zarr(path) and persisted on a cluster of threads; then
#            ones are assigned with zarr-python, and the path is opened afresh
# Seen       zarr-python reads ones. da.from_zarr(path).compute() gives zeros, and so does xarray.open_zarr of a dataset
#            that was changed likewise. A sum of the fresh array gives 6, so two expressions of one array disagree. When
#            the persisted collection is dropped, the fresh array gives ones.
# Why        the name of the tasks is a hash of the path and of metadata, not of what is stored, so the cluster takes the
#            results that it holds for the answer.
# Why it matters: a notebook that persists yesterday's data and opens the store again after an update looks at yesterday's
#            values, and its sums may tell of today's.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check dask==2026.8.0 distributed==2026.8.0 zarr==3.4.2 \
    xarray==2026.9.0 numpy==2.5.5
cat >run.py <<'PY'
import dask.array as da
import distributed
import numpy as np
import xarray as xr
import zarr

if __name__ == "__main__":
    array = zarr.create_array("a.zarr", data=np.zeros(6), chunks=(3,))
    dataset = xr.Dataset({"a": ("x", np.zeros(6))}).chunk(x=3)
    dataset.to_zarr("d.zarr", consolidated=False)
    with distributed.Client(processes=False, dashboard_address=None, n_workers=1, threads_per_worker=2):
        kept = [da.from_zarr("a.zarr").persist(), xr.open_zarr("d.zarr", consolidated=False).persist()]
        distributed.wait(kept)
        array[:] = 1
        zarr.open_array("d.zarr/a", mode="r+")[:] = 1
        print("zarr", zarr.open_array("a.zarr", mode="r")[...].tolist())
        print("dask", da.from_zarr("a.zarr").compute().tolist())
        print("its sum", float(da.from_zarr("a.zarr").sum().compute()))
        print("xarray", xr.open_zarr("d.zarr", consolidated=False)["a"].values.tolist())
        del kept
        print("dropped", da.from_zarr("a.zarr").compute().tolist())
PY
v/bin/python run.py >seen.txt 2>log.txt || { cat log.txt; exit 1; }
cat seen.txt
[ "$(cat seen.txt)" = "zarr [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
dask [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
its sum 6.0
xarray [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
dropped [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
