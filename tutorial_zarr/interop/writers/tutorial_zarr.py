# /// script
# requires-python = ">=3.11"
# dependencies = ["tutorial_zarr"]
# ///
"""This library itself, and its door for xarray."""

import warnings

import numpy as np
import pandas as pd
import xarray as xr
from writer_protocol import Meant, serve, situation

import tutorial_zarr as zarr
from tutorial_zarr.integrations.xarray_backend import to_zarr

warnings.simplefilter("ignore")
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")
HEIGHTS = np.array([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])
DAYS = pd.date_range("2020-02-28", periods=3, freq="D")


@situation("writes counts that may be zero (format 3)")
def counts(path):
    zarr.create_group(path)
    zarr.create_array(path, name="v", data=COUNTS, dimension_names=("y", "x"))
    return [Meant("v", COUNTS)]


@situation("writes counts that may be zero (format 2)")
def counts_v2(path):
    zarr.create_group(path, zarr_format=2)
    zarr.create_array(path, name="v", data=COUNTS, zarr_format=2, attributes={"_ARRAY_DIMENSIONS": ["y", "x"]})
    return [Meant("v", COUNTS)]


@situation("writes text")
def text(path):
    values = np.array(["a", "bcd", ""], np.dtypes.StringDType())
    zarr.create_group(path)
    zarr.create_array(path, name="s", data=values, dimension_names=("x",))
    return [Meant("s", values)]


@situation("writes yes and no")
def booleans(path):
    values = np.array([[True, False], [False, True]])
    zarr.create_group(path)
    zarr.create_array(path, name="b", data=values, dimension_names=("y", "x"))
    return [Meant("b", values)]


@situation("packs floats into int16 with to_zarr")
def packed(path):
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}}
    to_zarr(xr.Dataset({"v": (("y", "x"), HEIGHTS)}), path, encoding=encoding)
    return [Meant("v", HEIGHTS, raw=np.array([[2, 5, -1], [7, 2, 0]], "int16"))]


@situation("writes days with to_zarr")
def days(path):
    to_zarr(xr.Dataset({"v": ("time", [1.0, 2.0, 3.0])}, {"time": DAYS}), path)
    return [Meant("time", DAYS.to_numpy(), raw=np.array([0, 1, 2])), Meant("v", np.array([1.0, 2.0, 3.0]))]


@situation("lays out a packed data set before its values are computed")
def packed_not_computed(path):
    lazy = xr.Dataset({"v": ("x", np.ones(4))}).chunk(x=2)
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1}}
    to_zarr(lazy, path, compute=False, encoding=encoding)
    return [Meant("v", np.full(4, np.nan), raw=np.full(4, -1, "int16"))]


if __name__ == "__main__":
    serve("tutorial_zarr", "tutorial_zarr", "numpy", "xarray")
