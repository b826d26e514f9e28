"""Build ``deep_field.npz`` from the package scikit-image 0.26.0, which ships the picture (see LICENSES.md).

    python -m pip install numpy scikit-image==0.26.0
    python data_gen/vendor/build_deep_field.py

The source is ``hubble_deep_field.jpg``: 872 x 1000 pixels in three colours. Their mean is kept, cut to 64 shades of
four steps each, which takes away less than the noise of the picture.
"""

from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    from skimage import data  # here, as nothing else of the project needs it

    colours = data.hubble_deep_field()
    if colours.shape != (872, 1000, 3):
        raise ValueError(f"hubble_deep_field: expected 872 x 1000 pixels in three colours, found {colours.shape}")
    grey = (colours.sum(axis=-1, dtype=np.uint16) + 1) // 3
    target = Path(__file__).with_name("deep_field.npz")
    np.savez_compressed(target, shades=(grey // 4).astype(np.uint8))
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
