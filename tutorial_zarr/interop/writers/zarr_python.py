# /// script
# requires-python = ">=3.12"
# dependencies = ["zarr==3.4.2"]
# ///
"""zarr-python 3, with what people call by default."""

import warnings

import numpy as np
import zarr
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")
DAYS = np.array(["2020-02-28", "2020-02-29", "NaT"], "M8[s]")


@situation("writes counts that may be zero (format 3)")
def counts(path):
    zarr.create_array(path, name="v", data=COUNTS)
    return [Meant("v", COUNTS)]


@situation("writes counts that may be zero, with names of the axes (format 3)")
def counts_named(path):
    zarr.create_group(path)
    zarr.create_array(path, name="v", data=COUNTS, dimension_names=("y", "x"))
    return [Meant("v", COUNTS)]


@situation("writes counts that may be zero, with names of the axes (format 2)")
def counts_v2(path):
    zarr.create_group(path, zarr_format=2)
    array = zarr.create_array(path, name="v", data=COUNTS, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    return [Meant("v", COUNTS)]


@situation("writes floats with a gap (format 2)")
def floats_v2(path):
    values = np.array([0.0, np.nan, 2.5])
    zarr.create_group(path, zarr_format=2)
    array = zarr.create_array(path, name="v", data=values, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["x"]
    return [Meant("v", values, raw=values)]


@situation("writes a picture of bytes (format 2)")
def picture_v2(path):
    pixels = np.array([[0, 255], [5, 128]], "uint8")
    zarr.create_group(path, zarr_format=2)
    array = zarr.create_array(path, name="v", data=pixels, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    return [Meant("v", pixels)]


@situation("consolidates the metadata, and then appends")
def appended_after_consolidation(path):
    zarr.create_group(path)
    zarr.create_array(path, name="v", data=np.array([1.0, 2.0]), dimension_names=("time",))
    zarr.consolidate_metadata(path)
    zarr.open_array(path, path="v").append(np.array([3.0]))
    return [Meant("v", np.array([1.0, 2.0, 3.0]))]


@situation("writes yes and no")
def booleans(path):
    values = np.array([[True, False], [False, True]])
    zarr.create_group(path)
    zarr.create_array(path, name="b", data=values, dimension_names=("y", "x"))
    return [Meant("b", values)]


@situation("writes points in time")
def times(path):
    zarr.create_group(path)
    zarr.create_array(path, name="t", data=DAYS, dimension_names=("x",))
    return [Meant("t", DAYS, raw=DAYS)]


@situation("writes text")
def text(path):
    values = np.array(["a", "bcd", ""], np.dtypes.StringDType())
    zarr.create_group(path)
    zarr.create_array(path, name="s", data=values, dimension_names=("x",))
    return [Meant("s", values)]


@situation("writes text with a gap into an array of strings")
def text_with_gap(path):
    values = np.array(["a", None, "c"], object)
    zarr.create_group(path)
    array = zarr.create_array(path, name="s", shape=3, dtype=str, dimension_names=("x",))
    array[:] = values
    return [Meant("s", values, raw=values)]


@situation("writes into one shard of two")
def shards(path):
    zarr.create_group(path)
    array = zarr.create_array(
        path, name="v", shape=(4, 8), dtype="f4", chunks=(2, 2), shards=(4, 4), dimension_names=("y", "x")
    )
    array[:, :4] = np.arange(16).reshape(4, 4)
    return [Meant("v", array[:])]


@situation("writes a number without axes")
def scalar(path):
    zarr.create_group(path)
    zarr.create_array(path, name="v", data=np.array(3, "int32"), dimension_names=())
    return [Meant("v", np.array(3, "int32"))]


if __name__ == "__main__":
    serve("zarr-python 3", "zarr", "numcodecs", "numpy")
