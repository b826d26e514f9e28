# /// script
# requires-python = ">=3.12"
# dependencies = ["zarrs==0.2.3", "zarr==3.4.2"]
# ///
"""zarrs, in Rust, as the codec pipeline of zarr-python."""

import warnings

import numpy as np
import zarr
import zarrs  # noqa: F401 - the pipeline
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"})
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")


@situation("writes counts that may be zero (format 3)")
def counts(path):
    zarr.create_group(path)
    zarr.create_array(path, name="v", data=COUNTS, dimension_names=("y", "x"))
    return [Meant("v", COUNTS)]


@situation("writes counts that may be zero (format 2)")
def counts_v2(path):
    zarr.create_group(path, zarr_format=2)
    array = zarr.create_array(path, name="v", data=COUNTS, zarr_format=2)
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    return [Meant("v", COUNTS)]


@situation("writes into one shard of two")
def shards(path):
    zarr.create_group(path)
    array = zarr.create_array(
        path, name="v", shape=(4, 8), dtype="f4", chunks=(2, 2), shards=(4, 4), dimension_names=("y", "x")
    )
    array[:, :4] = np.arange(16).reshape(4, 4)
    return [Meant("v", array[:])]


if __name__ == "__main__":
    serve("zarrs", "zarrs", "zarr", "numpy")
