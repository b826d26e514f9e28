# /// script
# requires-python = ">=3.12"
# dependencies = ["spatialdata==0.8.0", "zarr==3.4.2"]
# ///
"""spatialdata, which keeps images, labels and tables of tissue in one group."""

import warnings

import numpy as np
import spatialdata
from spatialdata.models import Image2DModel, Labels2DModel
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
LABELS = np.array([[0, 1, 2, 3], [0, 7, 0, 9]] * 2, "uint16")


@situation("writes an image and labels")
def image_and_labels(path):
    images = {"image": Image2DModel.parse(LABELS[None], dims=("c", "y", "x"))}
    labels = {"cells": Labels2DModel.parse(LABELS, dims=("y", "x"))}
    spatialdata.SpatialData(images=images, labels=labels).write(path / "s.zarr")
    return [Meant("s.zarr/images/image/s0", LABELS[None]), Meant("s.zarr/labels/cells/s0", LABELS)]


if __name__ == "__main__":
    serve("spatialdata", "spatialdata", "zarr", "numpy")
