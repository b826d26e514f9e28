# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["zarr==2.18.7", "numcodecs==0.15.1", "xarray==2025.1.2", "numpy==2.2.6", "pandas==2.3.3"]
# ///
"""zarr-python 2, still in many environments, by itself and with the xarray of its time."""

import warnings

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")
HEIGHTS = np.array([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])
DAYS = pd.date_range("2020-02-28", periods=3, freq="D")


def group_with(path, name, values, **options):
    array = zarr.open_group(str(path), mode="w").array(name, values, **options)
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"][-values.ndim :]


@situation("writes counts that may be zero")
def counts(path):
    group_with(path, "v", COUNTS)
    return [Meant("v", COUNTS)]


@situation("writes floats whose fill value is 0")
def floats(path):
    group_with(path, "v", HEIGHTS)
    return [Meant("v", HEIGHTS, raw=HEIGHTS)]


@situation("writes text as objects")
def text(path):
    values = np.array(["a", "bcd", ""], object)
    group_with(path, "s", values, dtype=str)
    return [Meant("s", values)]


@situation("writes text with a gap as objects")
def text_with_gap(path):
    values = np.array(["a", None, "c"], object)
    group_with(path, "s", values, dtype=str)
    return [Meant("s", values, raw=values)]


@situation("writes points in time")
def times(path):
    values = np.array(["2020-02-28", "2020-02-29", "NaT"], "M8[s]")
    group_with(path, "t", values)
    return [Meant("t", values, raw=values)]


@situation("writes an array in Fortran's order")
def fortran(path):
    group_with(path, "v", np.asfortranarray(COUNTS), order="F")
    return [Meant("v", COUNTS)]


@situation("writes letters")
def letters(path):
    values = np.array([[b"a", b"b"], [b"c", b""]], "S1")
    group_with(path, "s", values)
    return [Meant("s", values)]


@situation("with xarray packs floats into int16")
def packed(path):
    encoding = {"v": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}}
    xr.Dataset({"v": (("y", "x"), HEIGHTS)}).to_zarr(path, encoding=encoding)
    return [Meant("v", HEIGHTS, raw=np.array([[2, 5, -1], [7, 2, 0]], "int16"))]


@situation("with xarray writes days")
def days(path):
    xr.Dataset({"v": ("time", [1.0, 2.0, 3.0])}, {"time": DAYS}).to_zarr(path)
    return [Meant("time", DAYS.to_numpy(), raw=np.array([0, 1, 2])), Meant("v", np.array([1.0, 2.0, 3.0]))]


@situation("with xarray writes text")
def xarray_text(path):
    xr.Dataset({"s": ("x", np.array(["a", "bcd", ""], object))}).to_zarr(path)
    return [Meant("s", np.array(["a", "bcd", ""], object))]


if __name__ == "__main__":
    serve("zarr-python 2", "zarr", "numcodecs", "xarray", "numpy")
