"""Build ``factors.npz`` from the package arch 8.0.0, which ships the table (see LICENSES.md).

    python -m pip install numpy arch==8.0.0
    python data_gen/vendor/build_factors.py

The source is ``frenchdata.csv.gz``: the monthly factors of Fama and French, in percent with two decimals, from July
1926 to November 2018. All rows and columns are taken, as whole hundredths of a percent. arch is not imported.
"""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    file = Path(str(distribution("arch").locate_file("arch/data/frenchdata/frenchdata.csv.gz")))
    rows = np.loadtxt(file, delimiter=",", skiprows=1)
    hundredths = np.rint(100 * rows[:, 1:]).astype(np.int16)
    if rows.shape != (1109, 5) or not np.allclose(hundredths / 100, rows[:, 1:], rtol=0, atol=1e-9):
        raise ValueError(f"{file.name}: expected 1,109 months of four columns with two decimals, found {rows.shape}")
    target = Path(__file__).with_name("factors.npz")
    np.savez_compressed(target, month=rows[:, 0].astype(np.int32), hundredths=hundredths)
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
