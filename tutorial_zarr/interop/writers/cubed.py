# /// script
# requires-python = ">=3.12"
# dependencies = ["cubed==0.28.0", "zarr==3.4.2"]
# ///
"""Cubed, which computes with a bound on memory and keeps its results as Zarr."""

import warnings

import cubed
import cubed.array_api as xp
import numpy as np
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")


@situation("stores a sum of two arrays")
def floats(path):
    spec = cubed.Spec(allowed_mem="100MB")
    values = np.array([[0.0, 1.5], [2.5, -1.0]])
    a = xp.asarray(values, chunks=(1, 2), spec=spec)
    cubed.to_zarr(a + a, str(path / "v"))
    return [Meant("v", values + values)]


if __name__ == "__main__":
    serve("Cubed", "cubed", "zarr", "numpy")
