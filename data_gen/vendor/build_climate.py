"""Build ``air_temperature_scenarios.npz`` from the package iris-sample-data 2.5.2 (UK Open Government Licence).

    python -m pip install numpy h5py iris-sample-data==2.5.2
    python data_gen/vendor/build_climate.py

The sources are ``A1B_north_america.nc`` and ``E1_north_america.nc``: annual means of the air temperature at 1.5 m over
North America, 1860 to 2099, from the Met Office Unified Model under two emission scenarios. Values are rounded to a
hundredth of a kelvin. The years 1860 to 1999 are the same in both and are kept once. The two bytes of each value are
kept apart, which makes the file smaller by half: the high ones hardly change.
"""

from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum

COMMON = 140  # years


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    import h5py
    import iris_sample_data

    found = {}
    for scenario in ("A1B", "E1"):
        source = Path(iris_sample_data.__file__).with_name("sample_data") / f"{scenario}_north_america.nc"
        with h5py.File(source) as file:
            found[scenario] = file["air_temperature"][...]
            years = 1970 + np.floor(file["time"][...] / (24 * 360))  # hours, in years of 360 days
            latitude, longitude = file["latitude"][...], file["longitude"][...]
            if not np.array_equal(years, np.arange(1860, 2100)):
                raise ValueError(f"{source.name}: expected the years 1860 to 2099, found {years}")
    if not np.array_equal(found["A1B"][:COMMON], found["E1"][:COMMON]):
        raise ValueError(f"expected the same first {COMMON} years in both scenarios, found others")
    maps = np.concatenate([found["A1B"], found["E1"][COMMON:]])
    hundredths = np.rint(maps.astype(np.float64) * 100).astype(np.uint16)
    low, high = (hundredths & 255).astype(np.uint8), (hundredths >> 8).astype(np.uint8)
    target = Path(__file__).with_name("air_temperature_scenarios.npz")
    np.savez_compressed(target, low=low, high=high, latitude=latitude, longitude=longitude)
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
