# /// script
# requires-python = ">=3.12"
# dependencies = ["acquire-zarr==0.10.0", "numpy==2.5.5"]
# ///
"""acquire-zarr, which stores what a microscope's camera sends."""

import acquire_zarr as aqz
import numpy as np
from writer_protocol import Meant, serve, situation

FRAMES = np.arange(24, dtype="uint16").reshape(2, 3, 4)


def stream(path, **options):
    kinds = ((aqz.DimensionType.TIME, "t", 0), (aqz.DimensionType.SPACE, "y", 3), (aqz.DimensionType.SPACE, "x", 4))
    dimensions = [
        aqz.Dimension(name=name, kind=kind, array_size_px=size, chunk_size_px=size or 2, shard_size_chunks=1)
        for kind, name, size in kinds
    ]
    array = aqz.ArraySettings(output_key="v", dimensions=dimensions, data_type=aqz.DataType.UINT16, **options)
    writer = aqz.ZarrStream(aqz.StreamSettings(store_path=str(path), arrays=[array]))
    writer.append(FRAMES, key="v")
    writer.close()


@situation("stores frames")
def frames(path):
    stream(path)
    return [Meant("v", FRAMES)]


if __name__ == "__main__":
    serve("acquire-zarr", "acquire-zarr", "numpy")
