"""Build ``coins.npz`` from the package scikit-image 0.26.0, which ships the picture (see LICENSES.md).

    python -m pip install numpy scikit-image==0.26.0
    python data_gen/vendor/build_coins.py

The source is ``coins.png``: 303 x 384 pixels in 256 shades of grey, every pixel unchanged.
"""

from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    from skimage import data  # here, as nothing else of the project needs it

    grey = data.coins()
    if grey.shape != (303, 384) or grey.dtype != np.uint8:
        raise ValueError(f"coins: expected 303 x 384 pixels of uint8, found {grey.shape} of {grey.dtype}")
    target = Path(__file__).with_name("coins.npz")
    np.savez_compressed(target, grey=grey)
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
