"""Build ``air_temperature_a1b.npz`` from the package iris-sample-data 2.5.2 (UK Open Government Licence).

    python -m pip install numpy h5py iris-sample-data==2.5.2
    python data_gen/vendor/build_air_temperature.py

The source is ``A1B_north_america.nc``: annual means of the air temperature at 1.5 m over North America, 1860 to 2099,
from the Met Office Unified Model under the emission scenario A1B. Every tenth year is taken, as it stands.
"""

from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    import h5py
    import iris_sample_data

    source = Path(iris_sample_data.__file__).with_name("sample_data") / "A1B_north_america.nc"
    with h5py.File(source) as file:
        years = 1970 + np.floor(file["time"][...] / (24 * 360)).astype(np.int16)  # hours, in years of 360 days
        kept = slice(None, None, 10)
        target = Path(__file__).with_name("air_temperature_a1b.npz")
        np.savez_compressed(
            target,
            air_temperature=file["air_temperature"][kept],
            year=years[kept],
            latitude=file["latitude"][...],
            longitude=file["longitude"][...],
        )
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
