# /// script
# requires-python = ">=3.12"
# dependencies = ["rasterio==1.5.2", "numpy==2.5.5"]
# ///
"""GDAL by rasterio: rasters, with and without a value for no data."""

import warnings

import numpy as np
import rasterio
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")


def write(path, bands, **options):
    count, height, width = bands.shape
    profile = {"driver": "Zarr", "height": height, "width": width, "count": count, "dtype": bands.dtype}
    with rasterio.open(path / "v", "w", **profile, **options) as raster:
        raster.write(bands)


@situation("writes a raster (format 2)")
def raster(path):
    write(path, COUNTS[None])
    return [Meant("v/v", COUNTS)]


@situation("writes a raster with a value for no data (format 2)")
def nodata(path):
    write(path, COUNTS[None], nodata=7)
    return [Meant("v/v", np.ma.masked_equal(COUNTS, 7), raw=COUNTS)]


@situation("writes a raster of floats with gaps (format 3)")
def floats(path):
    values = np.array([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])
    write(path, values[None], nodata=np.nan, FORMAT="ZARR_V3")
    return [Meant("v/v", values, raw=values)]


@situation("writes a raster (format 3)")
def raster_v3(path):
    write(path, COUNTS[None], FORMAT="ZARR_V3")
    return [Meant("v/v", COUNTS)]


if __name__ == "__main__":
    serve("GDAL", "rasterio", "numpy", gdal=rasterio.__gdal_version__)
