# /// script
# requires-python = ">=3.12"
# dependencies = ["ngff-zarr==0.50.0", "zarr==3.4.2"]
# ///
"""ngff-zarr, which writes OME-Zarr for people who come from ITK."""

import warnings

import ngff_zarr
import numpy as np
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
IMAGE = np.array([[0, 1, 2, 3], [0, 7, 0, 9]] * 2, "uint16")


@situation("writes an image (OME-Zarr 0.4)")
def image_v04(path):
    image = ngff_zarr.to_ngff_image(IMAGE, dims=["y", "x"])
    ngff_zarr.to_ngff_zarr(str(path / "i"), ngff_zarr.to_multiscales(image, scale_factors=[]))
    return [Meant("i/scale0/image", IMAGE)]


@situation("writes an image (OME-Zarr 0.5)")
def image(path):
    image = ngff_zarr.to_ngff_image(IMAGE, dims=["y", "x"])
    ngff_zarr.to_ngff_zarr(str(path / "i"), ngff_zarr.to_multiscales(image, scale_factors=[]), version="0.5")
    return [Meant("i/scale0/image", IMAGE)]


if __name__ == "__main__":
    serve("ngff-zarr", "ngff-zarr", "zarr", "numpy")
