"""Build ``trial.npz`` from the package causaldata 0.1.5 (MIT), which holds the data of Thornton 2008.

    python -m pip install numpy pandas && python -m pip install --no-deps causaldata==0.1.5
    python data_gen/vendor/build_trial.py

The source is ``thornton_hiv.dta``. Taken are the rows in which both the draw and the outcome are known, and of them
three columns: the village, whether an incentive was drawn, and whether the person came for the result. What the result
was, ages and distances are left out: nothing here needs them.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    import pandas as pd  # here, so that this module can be imported without it

    package = Path(find_spec("causaldata").origin).parent  # not imported: that would need statsmodels
    table = pd.read_stata(package / "thornton_hiv" / "thornton_hiv.dta").dropna(subset=["got", "any"])
    columns = {"village": "villnum", "incentive": "any", "came": "got"}
    table = table.fillna({"villnum": 0})  # four people whose village is not known
    arrays = {name: table[column].to_numpy().astype(np.uint8) for name, column in columns.items()}
    target = Path(__file__).with_name("trial.npz")
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
