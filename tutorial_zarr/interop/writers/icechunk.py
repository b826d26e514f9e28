# /// script
# requires-python = ">=3.12"
# dependencies = ["icechunk==2.3.0", "xarray==2026.9.0", "zarr==3.4.2"]
# ///
"""What is exported from an Icechunk repository as plain Zarr: with xarray, as its documentation shows."""

import warnings

import icechunk
import numpy as np
import xarray as xr
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")


def exported(path, dataset):
    repository = icechunk.Repository.create(icechunk.in_memory_storage())
    session = repository.writable_session("main")
    dataset.to_zarr(session.store, consolidated=False)
    session.commit("first")
    store = repository.readonly_session("main").store
    xr.open_zarr(store, consolidated=False).to_zarr(path)


@situation("exports floats with a gap")
def floats(path):
    values = np.array([0.0, np.nan, 2.5])
    exported(path, xr.Dataset({"v": ("x", values)}))
    return [Meant("v", values, raw=values)]


@situation("exports counts that may be zero, and days")
def counts(path):
    values, days = np.array([0, 1, 2], "int16"), np.array(["2020-02-28", "2020-02-29", "2020-03-01"], "M8[ns]")
    exported(path, xr.Dataset({"v": ("time", values)}, {"time": days}))
    return [Meant("v", values), Meant("time", days, raw=np.array([0, 1, 2]))]


if __name__ == "__main__":
    serve("Icechunk", "icechunk", "xarray", "zarr")
