# /// script
# requires-python = ">=3.12"
# dependencies = ["netCDF4==1.7.5.1.post1", "numpy==2.5.5"]
# ///
"""netCDF-C by its Python door, into a folder (`#mode=zarr,file`) and with its own attributes (`nczarr`)."""

import netCDF4
import numpy as np
from writer_protocol import Meant, serve, situation

COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")


def new(path, mode="zarr"):
    root = netCDF4.Dataset(f"file://{path}#mode={mode},file", "w", format="NETCDF4")
    root.createDimension("y", 2)
    root.createDimension("x", 3)
    return root


@situation("writes counts that may be zero")
def counts(path):
    with new(path) as root:
        root.createVariable("v", "i2", ("y", "x"))[:] = COUNTS
    return [Meant("v", COUNTS)]


@situation("compresses counts with zlib, as most people ask for it")
def zlib(path):
    with new(path) as root:
        root.createVariable("v", "i2", ("y", "x"), zlib=True)[:] = COUNTS
    return [Meant("v", COUNTS)]


@situation("compresses counts with zstd and without shuffling")
def zstd(path):
    with new(path) as root:
        root.createVariable("v", "i2", ("y", "x"), compression="zstd", shuffle=False)[:] = COUNTS
    return [Meant("v", COUNTS)]


@situation("writes floats with a gap")
def floats(path):
    values = np.ma.masked_invalid([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])
    with new(path) as root:
        root.createVariable("v", "f8", ("y", "x"), fill_value=-9999.0)[:] = values
    return [Meant("v", values, raw=values.filled(-9999.0))]


@situation("writes letters")
def letters(path):
    values = np.array([list("abc"), list("de ")], "S1")
    with new(path) as root:
        root.createVariable("s", "S1", ("y", "x"))[:] = values
        root.createVariable("v", "i2", ("y", "x"))[:] = COUNTS
    return [Meant("s", values), Meant("v", COUNTS)]


@situation("writes words of any length")
def words(path):
    values = np.array(["a", "bcd", "longer than the others"], object)
    with new(path) as root:
        root.createDimension("n", 3)
        root.createVariable("v", str, ("n",))[:] = values
    return [Meant("v", values.astype("S22"))]


@situation("packs floats into int16")
def packed(path):
    values = np.ma.masked_invalid([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])
    with new(path) as root:
        variable = root.createVariable("v", "i2", ("y", "x"), fill_value=-1)
        variable.scale_factor = 0.5
        variable[:] = values
    return [Meant("v", values, raw=np.array([[2, 5, -1], [7, 2, 0]], "int16"))]


@situation("writes hours along an axis without an end, as nczarr")
def times(path):
    with new(path, "nczarr") as root:
        root.createDimension("time", None)
        variable = root.createVariable("time", "i4", ("time",))
        variable.units = "hours since 2020-02-28"
        variable[:] = [0, 24, 48]
    meant = np.array(["2020-02-28", "2020-02-29", "2020-03-01"], "M8[ns]")
    return [Meant("time", meant, raw=np.array([0, 24, 48]))]


if __name__ == "__main__":
    serve("netCDF-C", "netCDF4", "numpy", netcdf_c=netCDF4.__netcdf4libversion__)
