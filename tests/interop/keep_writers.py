"""Keep stores of a survey as fixtures: `python tests/interop/keep_writers.py FOLDER`, the folder of a run.

Each becomes a zip file of the same bytes every time, with what was meant and by which versions in ``meant.json``.
"""

import json
import sys
import zipfile
from pathlib import Path

KEPT = {
    "acquire-zarr": ("frames",),
    "anndata": ("labels", "booleans"),
    "bio2zarr": ("genotypes",),
    "dask": ("floats-with-gap",),
    "gdal": ("floats", "nodata"),
    "hdf5": ("kerchunk", "words"),
    "icechunk": ("counts",),
    "n5": ("gzip",),
    "netcdf-c": ("letters", "packed", "times", "zlib"),
    "ome-zarr": ("image", "image-v04"),
    "tensorstore": ("named",),
    "xarray": ("packed", "times-appended", "text-with-gap"),
    "z5py": ("counts",),
    "zarr-python": ("counts-v2", "shards"),
    "zarr-python-2": ("fortran", "letters", "text"),
    "zarrita": ("named",),
    "zarrs": ("shards",),
}
FOLDER = Path(__file__).parent / "writers"


def keep(run: Path) -> None:
    """Write a zip file for each writer."""
    versions = json.loads((run / "survey.json").read_text(encoding="utf-8"))["writers"]
    FOLDER.mkdir(exist_ok=True)
    for writer, situations in KEPT.items():
        meant = {}
        with zipfile.ZipFile(FOLDER / f"{writer}.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for situation in situations:
                store = run / "stores" / writer / situation
                meant[situation] = json.loads(store.with_suffix(".json").read_text(encoding="utf-8"))["nodes"]
                for path in sorted(p for p in store.rglob("*") if p.is_file()):
                    name = f"{situation}/{path.relative_to(store).as_posix()}"
                    file.writestr(zipfile.ZipInfo(name), path.read_bytes())
            text = json.dumps({"versions": versions[writer]["versions"], "situations": meant}, indent=1)
            file.writestr(zipfile.ZipInfo("meant.json"), text)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
