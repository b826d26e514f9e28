"""Build ``buoy_b01.npz`` from the package bokeh_sampledata 2026.1 (data: NERACOOS, free to use and redistribute).

    python -m pip install numpy bokeh_sampledata==2026.1
    python data_gen/vendor/build_buoy.py

The source is ``sea_surface_temperature.csv.gz``: buoy B01 on the Western Maine Shelf, every half hour. All rows are
taken, as they stand; the times become seconds since 1970.
"""

import csv
import gzip
from datetime import datetime
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    from importlib.util import find_spec

    package = Path(find_spec("bokeh_sampledata").origin).parent  # not imported: that would need pandas
    with gzip.open(package / "_data" / "sea_surface_temperature.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    target = Path(__file__).with_name("buoy_b01.npz")
    np.savez_compressed(
        target,
        time=np.array([int(datetime.fromisoformat(time).timestamp()) for time, _ in rows], np.int64),
        temperature=np.array([float(degrees) for _, degrees in rows], np.float32),
    )
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
