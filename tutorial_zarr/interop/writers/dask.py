# /// script
# requires-python = ">=3.12"
# dependencies = ["dask[array]==2026.8.0", "zarr==3.4.2"]
# ///
"""Dask's arrays, with what people call by default."""

import warnings

import dask.array as da
import numpy as np
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")


@situation("writes an array of floats")
def floats(path):
    values = np.array([[0.0, 1.5, 2.5], [0.0, -1.0, 4.0]])
    da.from_array(values, chunks=(1, 3)).to_zarr(str(path), component="v")
    return [Meant("v", values)]


@situation("writes an array of floats with a gap")
def floats_with_gap(path):
    values = np.array([0.0, np.nan, 2.5, 1.0])
    da.from_array(values, chunks=2).to_zarr(str(path), component="v")
    return [Meant("v", values, raw=values)]


@situation("writes a masked array")
def masked(path):
    values = np.ma.masked_equal([[5, 9], [9, 7]], 9)
    da.from_array(values, chunks=(1, 2)).to_zarr(str(path), component="v")
    return [Meant("v", values, raw=values)]


@situation("writes points in time")
def times(path):
    values = np.array(["2020-02-28", "2020-02-29", "2020-03-01"], "M8[ns]")
    da.from_array(values, chunks=2).to_zarr(str(path), component="t")
    return [Meant("t", values, raw=values)]


if __name__ == "__main__":
    serve("Dask", "dask", "zarr", "numpy")
