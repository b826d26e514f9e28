# /// script
# requires-python = ">=3.12"
# dependencies = ["z5py==3.0.2", "numpy==2.5.5"]
# ///
"""z5py, which people use for volumes of electron microscopes."""

import numpy as np
import z5py
from writer_protocol import Meant, serve, situation

COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")


@situation("writes counts that may be zero")
def counts(path):
    z5py.ZarrFile(str(path / "z.zarr"), "a").create_dataset("v", data=COUNTS, chunks=(2, 2))
    return [Meant("z.zarr/v", COUNTS)]


@situation("writes counts with gzip")
def gzip(path):
    z5py.ZarrFile(str(path / "z.zarr"), "a").create_dataset("v", data=COUNTS, chunks=(2, 3), compression="gzip")
    return [Meant("z.zarr/v", COUNTS)]


if __name__ == "__main__":
    serve("z5py", "z5py", "numpy")
