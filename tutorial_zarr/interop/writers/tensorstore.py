# /// script
# requires-python = ">=3.12"
# dependencies = ["tensorstore==0.1.86"]
# ///
"""TensorStore, with as few words as it takes."""

import numpy as np
import tensorstore as ts
from writer_protocol import Meant, serve, situation

COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")
HEIGHTS = np.array([[1.0, 2.5, np.nan], [3.5, 1.0, 0.0]])


def write(path, driver, values, name="v", **options):
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{path}/{name}"}}
    ts.open(spec, create=True, dtype=values.dtype, **({"shape": values.shape} | options)).result()[...] = values


@situation("writes counts with the driver zarr")
def counts_v2(path):
    write(path, "zarr", COUNTS)
    return [Meant("v", COUNTS)]


@situation("writes counts with the driver zarr3")
def counts(path):
    write(path, "zarr3", COUNTS)
    return [Meant("v", COUNTS)]


@situation("writes floats with a gap with the driver zarr")
def floats_v2(path):
    write(path, "zarr", HEIGHTS)
    return [Meant("v", HEIGHTS, raw=HEIGHTS)]


@situation("writes counts with names of the axes with the driver zarr3")
def named(path):
    write(path, "zarr3", COUNTS, shape=None, domain=ts.IndexDomain(labels=["y", "x"], shape=COUNTS.shape))
    return [Meant("v", COUNTS)]


@situation("writes yes and no with the driver zarr")
def booleans_v2(path):
    values = np.array([[True, False], [False, True]])
    write(path, "zarr", values, "b")
    return [Meant("b", values)]


if __name__ == "__main__":
    serve("TensorStore", "tensorstore", "numpy")
