"""Build ``land_percent_1deg.npz`` from the package global-land-mask 1.0.0 (MIT), which packs NOAA's GLOBE
grid.

    python -m pip install numpy global-land-mask==1.0.0
    python data_gen/vendor/build_land_percent.py

The source grid has 21600 x 43200 points, 120 x 120 for every cell of one degree, from 90 degrees north and
180 degrees west on. The share of land among the points of a cell is rounded to whole percent. Needs 2 GB of
memory.
"""

from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    import global_land_mask

    source = Path(global_land_mask.__file__).with_name("globe_combined_mask_compressed.npz")
    with np.load(source) as archive:
        ocean = archive["mask"]
    share = 1 - ocean.reshape(180, 120, 360, 120).mean(axis=(1, 3))
    target = Path(__file__).with_name("land_percent_1deg.npz")
    np.savez_compressed(target, land_percent=np.rint(100 * share).astype(np.uint8))
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
