# /// script
# requires-python = ">=3.12"
# dependencies = ["z5py==3.0.2", "zarr-n5==0.3.1", "zarr==3.4.2", "numpy==2.5.5"]
# ///
"""N5 by z5py, with the documents of Zarr 3 that zarr-n5 puts beside its own: the blocks stay as they are."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import z5py
from writer_protocol import Meant, serve, situation

COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "int16")


@situation("writes counts with gzip as N5, then n5tozarr")
def gzip(path):
    z5py.N5File(str(path / "c.n5"), "a").create_dataset("v", data=COUNTS, chunks=(2, 3), compression="gzip")
    # Without -I it takes N5's own documents for groups.
    subprocess.run([Path(sys.executable).with_name("n5tozarr"), "-I", path / "c.n5"], check=True, capture_output=True)
    return [Meant("c.n5/v", COUNTS.T)]  # N5 names axes from the fastest to the slowest, as they stand in its document


if __name__ == "__main__":
    serve("N5", "zarr-n5", "z5py", "zarr", "numpy")
