"""Build ``digits.npz`` from the package scikit-learn 1.9.1 (data: UCI, CC BY 4.0).

    python -m pip install numpy scikit-learn==1.9.1
    python data_gen/vendor/build_digits.py

The source is ``digits.csv.gz``, the test set of "Optical Recognition of Handwritten Digits": 1,797 pictures of 8 x 8
pixels from 0 to 16, and the digit of each. All rows are taken, in their order.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    package = Path(find_spec("sklearn").origin).parent  # not imported: that would need SciPy
    rows = np.loadtxt(package / "datasets" / "data" / "digits.csv.gz", delimiter=",").astype(np.uint8)
    target = Path(__file__).with_name("digits.npz")
    np.savez_compressed(target, pixels=rows[:, :-1], label=rows[:, -1])
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
