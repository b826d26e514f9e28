# /// script
# requires-python = ">=3.12"
# dependencies = ["xarray==2026.9.0", "zarr==3.4.2", "dask==2026.8.0"]
# ///
"""xarray, with what people call by default."""

import warnings

import numpy as np
import pandas as pd
import xarray as xr
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
HEIGHTS = np.array([[0.0, 1.5, np.nan], [2.5, 0.0, -1.0]])
COUNTS = np.array([0, 1, 2, 0], "int16")
DAYS = pd.date_range("2020-02-28", periods=3, freq="D").to_numpy()


@situation("writes floats with a gap (format 3)")
def floats(path):
    xr.Dataset({"v": (("y", "x"), HEIGHTS)}).to_zarr(path)
    return [Meant("v", HEIGHTS)]


@situation("writes counts that may be zero (format 3)")
def counts(path):
    xr.Dataset({"v": ("x", COUNTS)}).to_zarr(path)
    return [Meant("v", COUNTS)]


@situation("writes counts that may be zero (format 2)")
def counts_v2(path):
    xr.Dataset({"v": ("x", COUNTS)}).to_zarr(path, zarr_format=2)
    return [Meant("v", COUNTS)]


@situation("packs floats into int16")
def packed(path):
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}}
    xr.Dataset({"v": (("y", "x"), HEIGHTS + 1)}).to_zarr(path, encoding=encoding)
    return [Meant("v", HEIGHTS + 1, raw=np.array([[2, 5, -1], [7, 2, 0]], "int16"))]


@situation("packs floats into int16 (format 2)")
def packed_v2(path):
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}}
    xr.Dataset({"v": (("y", "x"), HEIGHTS + 1)}).to_zarr(path, encoding=encoding, zarr_format=2)
    return [Meant("v", HEIGHTS + 1, raw=np.array([[2, 5, -1], [7, 2, 0]], "int16"))]


@situation("lays out a packed data set before its values are computed (format 3)")
def packed_not_computed(path):
    lazy = xr.Dataset({"v": ("x", np.ones(4))}).chunk(x=2)
    lazy.to_zarr(path, compute=False, encoding={"v": {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1}})
    return [Meant("v", np.full(4, np.nan), raw=np.full(4, -1, "int16"))]


@situation("writes days")
def times(path):
    xr.Dataset({"v": ("time", [1.0, 2.0, 3.0])}, {"time": DAYS}).to_zarr(path)
    return [Meant("time", DAYS, raw=np.array([0, 1, 2])), Meant("v", np.array([1.0, 2.0, 3.0]))]


@situation("writes days and appends hours")
def times_appended(path):
    days, hours = DAYS[:2], np.array(["2020-03-01T06:00", "2020-03-01T18:00"], "M8[ns]")
    xr.Dataset({"v": ("time", [1.0, 2.0])}, {"time": days}).to_zarr(path)
    xr.Dataset({"v": ("time", [3.0, 4.0])}, {"time": hours}).to_zarr(path, append_dim="time")
    return [Meant("time", np.concatenate([days, hours]))]


@situation("packs floats into int16 and appends some that do not fit")
def packed_appended(path):
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -1}}
    xr.Dataset({"v": ("time", [1.0, 2.0])}).to_zarr(path, encoding=encoding)
    xr.Dataset({"v": ("time", [400.0, 3.0])}).to_zarr(path, append_dim="time")
    return [Meant("v", np.array([1.0, 2.0, 400.0, 3.0]), raw=np.array([100, 200, 40000, 300]))]


@situation("asks for int16 where there is a gap")
def gap_as_int16(path):
    values = np.array([1.0, np.nan, 3.0])
    xr.Dataset({"v": ("x", values)}).to_zarr(path, encoding={"v": {"dtype": "int16"}})
    return [Meant("v", values)]


@situation("writes counts from Dask, a block of zeros among them (format 2)")
def zero_block_v2(path):
    values = np.array([[0, 5, 0, 7], [0, 0, 0, 0]], "int32")
    xr.Dataset({"v": (("y", "x"), values)}).chunk(y=1, x=2).to_zarr(path, zarr_format=2)
    return [Meant("v", values)]


@situation("writes names of a fixed length")
def names(path):
    xr.Dataset({"s": ("x", np.array(["a", "bcd", ""]))}).to_zarr(path)
    return [Meant("s", np.array(["a", "bcd", ""]))]


@situation("writes a column of text with a gap, from pandas")
def text_with_gap(path):
    pd.DataFrame({"s": ["a", None, "c"]}).to_xarray().to_zarr(path)
    return [Meant("s", np.array(["a", None, "c"], object))]


@situation("writes yes and no")
def booleans(path):
    xr.Dataset({"b": ("x", np.array([True, False, True]))}).to_zarr(path)
    return [Meant("b", np.array([True, False, True]))]


@situation("writes shards")
def shards(path):
    values = np.arange(16.0).reshape(4, 4)
    encoding = {"v": {"chunks": (2, 2), "shards": (4, 4)}}
    xr.Dataset({"v": (("y", "x"), values)}).to_zarr(path, encoding=encoding)
    return [Meant("v", values)]


@situation("fills a region of what was laid out")
def region(path):
    lazy = xr.Dataset({"v": ("x", np.zeros(4))}).chunk(x=2)
    lazy.to_zarr(path, compute=False)
    xr.Dataset({"v": ("x", [1.0, 2.0])}).to_zarr(path, region={"x": slice(0, 2)})
    return [Meant("v", np.array([1.0, 2.0, np.nan, np.nan]))]


if __name__ == "__main__":
    serve("xarray", "xarray", "zarr")
