# /// script
# requires-python = ">=3.12"
# dependencies = ["ome-zarr==0.21.0", "zarr==3.4.2"]
# ///
"""ome-zarr, which stores an image in several sizes, in both versions of OME-Zarr."""

import warnings

import numpy as np
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.writer import write_image, write_labels
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
IMAGE = np.array([[0, 1, 2, 3], [0, 7, 0, 9]] * 2, "uint16")


@situation("writes an image (OME-Zarr 0.5)")
def image(path):
    write_image(IMAGE, str(path / "i"), axes="yx", fmt=FormatV05())
    return [Meant("i/s0", IMAGE)]


@situation("writes an image (OME-Zarr 0.4)")
def image_v04(path):
    write_image(IMAGE, str(path / "i"), axes="yx", fmt=FormatV04())
    return [Meant("i/s0", IMAGE)]


@situation("writes labels beside an image (OME-Zarr 0.5)")
def labels(path):
    write_image(IMAGE, str(path / "i"), axes="yx", fmt=FormatV05())
    write_labels(IMAGE, str(path / "i"), name="cells", axes="yx", fmt=FormatV05())
    return [Meant("i/labels/cells/s0", IMAGE)]


if __name__ == "__main__":
    serve("ome-zarr", "ome-zarr", "zarr", "numpy")
