"""The smallest store for each misreading, by hand, and how each reader is asked what it sees in it.

`python tests/interop/misread_stores.py` prints what every reader that is installed makes of each store, as the table
``tutorial_zarr/tools/doctor/misread.json`` has it. No reader's name here is ours: each is run as its users run it.
"""

import json
import struct
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from spec.build import codec, document, group2, group3, v2, v3


def le(data, dtype):
    return np.asarray(data, dtype).tobytes()


def a2(dtype, values, *, fill=None, dims=("x",), attrs=None, **more):
    """A group of Zarr 2 with the one array ``v`` in one chunk."""
    names = {"_ARRAY_DIMENSIONS": list(dims)} if dims else {}
    shape = list(np.shape(values))
    chunk = more.pop("data", None) or {".".join("0" * len(shape)) or "0": le(values, dtype)}
    store = v2(shape, shape, dtype, chunk, fill=fill, path="v", attrs=names | (attrs or {}), **more)
    return group2() | store


def a3(kind, dtype, values, *, fill=0, dims=("x",), attrs=None, stored=True, **more):
    """The same of Zarr 3."""
    shape = list(np.shape(values))
    chunk = more.pop("data", None) or ({"c/" + "/".join("0" * len(shape)): le(values, dtype)} if stored else {})
    names = {"dimension_names": list(dims)} if dims else {}
    return group3() | v3(shape, shape, kind, chunk, fill=fill, path="v", attributes=attrs or {}, **names, **more)


def shuffled(data, size):
    """The bytes of elements, the first byte of each first."""
    return np.frombuffer(data, "u1").reshape(-1, size).T.tobytes()


def beside_nameless(store):
    """With an array `w` beside `v` that is the same without names for its axes."""
    found = dict(store)
    for key, value in store.items():
        if key.startswith("v/"):
            text = json.loads(value) if key.endswith((".json", ".zattrs")) else None
            if text is not None:
                text.pop("dimension_names", None)
                text.pop("_ARRAY_DIMENSIONS", None)
                value = document(text)
            found["w" + key[1:]] = value
    return found


FOUR = [1, 70_001, 140_001, 210_001]
ZLIB = {"id": "zlib", "level": 1}
SHUFFLE_0 = {"id": "shuffle", "elementsize": 0}
SHUFFLED = {"0": zlib.compress(shuffled(le(FOUR, "<i4"), 4), 1)}

TEXT = struct.pack("<II1sI4s", 2, 1, b"a", 4, b"None")

# Rule -> (store, the array, what was written).
STORES = {
    "shuffle-elementsize-0": [(a2("<i4", FOUR, filters=[SHUFFLE_0], compressor=ZLIB, data=SHUFFLED), "v", FOUR)],
    "char-S1": [(a2(">S1", [b"a", b"b", b"c"]), "v", [b"a", b"b", b"c"])],
    "letters-joined": [
        (a2("|S1", [b"a", b"b", b"c"]), "v", [b"a", b"b", b"c"]),
        (
            a3(codec("null_terminated_bytes", length_bytes=1), "S1", [b"a", b"b"], fill="", codecs=[codec("bytes")]),
            "v",
            [b"a", b"b"],
        ),
    ],
    "dimension-names-missing": [
        (beside_nameless(a2("<i4", FOUR)), "w", FOUR),
        (beside_nameless(a3("int32", "<i4", FOUR, fill=-5)), "w", FOUR),
        (a3("int32", "<i4", FOUR, fill=-5, dims=None, attrs={"_ARRAY_DIMENSIONS": ["x"]}), "v", FOUR),
        (a2("<i4", FOUR) | v2([], [], "<i4", {"0": le(7, "<i4")}, fill=None, path="crs"), "crs", 7),
    ],
    "separator-missing": [
        (
            a2("<i4", [[1, 2], [3, 4]], fill=-5, dims=("y", "x"), data={"0/0": le([1, 2, 3, 4], "<i4")}),
            "v",
            [[1, 2], [3, 4]],
        )
    ],
    "fill-value-becomes-missing": [
        (a2("<i2", [0, 1, 2, 0], fill=0), "v", [0, 1, 2, 0]),
        (a3("int16", "<i2", [0, 1, 2, 0]), "v", [0, 1, 2, 0]),
    ],
    "fill-value-read-as-number": [(a2("<i2", [1, 7, 2], fill=7), "v", [1, None, 2])],
    "missing-as-a-word": [
        (a3("string", "S", [0, 0], fill="", codecs=[codec("vlen-utf8")], data={"c/0": TEXT}), "v", ["a", None]),
        (a2("|O", [0, 0], fill="", filters=[{"id": "vlen-utf8"}], data={"0": TEXT}), "v", ["a", None]),
    ],
    "missing-shown-as-numbers": [
        (a2("<i2", [0, 1, -1, 2], fill=-7, attrs={"_FillValue": -1}), "v", [0, 1, None, 2]),
        (a3("int16", "<i2", [0, 1, -1, 2], fill=-7, attrs={"_FillValue": -1}), "v", [0, 1, None, 2]),
    ],
    "absent-reads-as-measured": [
        (a3("int16", "<i2", [0, 0], attrs={"_FillValue": -1}, stored=False), "v", [None, None])
    ],
    "fillvalue-attribute-spelling": [
        (a2("|u1", [0, 1, 255], attrs={"_FillValue": 255.0}), "v", [0, 1, None]),
        (a3("float32", "<f4", [0, 1, -9999], fill=-9999.0, attrs={"_FillValue": -9999.0}), "v", [0, 1, None]),
        (a3("int16", "<i2", [0, 1, -9], fill=-9, attrs={"_FillValue": "-9"}), "v", [0, 1, None]),
    ],
    "fillvalue-attribute-beyond-the-type": [
        (a2("|u1", [0, 1, 255], attrs={"_FillValue": -1}), "v", [0, 1, None]),
        (a3("uint8", "|u1", [0, 1, 255], fill=7, attrs={"_FillValue": -1}), "v", [0, 1, None]),
    ],
    "packing-is-text": [
        (a2("<i2", [2, 4], attrs={"scale_factor": "0.5"}), "v", [1, 2]),
        (a3("int16", "<i2", [2, 4], fill=-5, attrs={"scale_factor": "0.5"}), "v", [1, 2]),
    ],
    "valid-range": [(a2("<i2", [0, 1, 300], attrs={"valid_range": [0, 100]}), "v", [0, 1, 300])],
    "byte-default-becomes-missing": [
        (a2("|u1", [1, 255], fill=7), "v", [1, 255]),
        (a2("|i1", [1, -127], fill=7), "v", [1, -127]),
    ],
    "unsigned-attribute": [
        (a2("|i1", [-1, 1], attrs={"_Unsigned": "true"}), "v", [255, 1]),
        (a3("int8", "|i1", [-1, 1], fill=5, attrs={"_Unsigned": "true"}), "v", [255, 1]),
    ],
    "codecs-empty": [(a3("int32", "<i4", FOUR, fill=-5, codecs=[]), "v", FOUR)],
    "fill-null": [(a3("int32", "<i4", FOUR, fill=None), "v", FOUR)],
}


# --- readers: each returns the values of one array


def _zarr_python(folder, name):
    import zarr

    return zarr.open_group(folder, mode="r", use_consolidated=False)[name][...]


def _zarrs(folder, name):
    import zarr
    import zarrs  # noqa: F401 - the pipeline

    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        return zarr.open_group(folder, mode="r", use_consolidated=False)[name][...]


def _xarray(folder, name):
    import xarray

    with xarray.open_zarr(folder, consolidated=False, chunks=None) as found:
        return found[name].values


def _tensorstore(folder, name):
    import tensorstore

    driver = "zarr3" if (Path(folder) / name / "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": f"file://{folder}/{name}/"}
    return tensorstore.open(spec, open=True, read=True).result().read().result()


def _netcdf_c(folder, name):
    import netCDF4

    with netCDF4.Dataset(f"file://{folder}#mode=zarr,file") as found:
        return found[name][...]


def _gdal(folder, name):
    import rasterio

    with rasterio.open(f'ZARR:"{folder}":/{name}') as found:
        values = found.read(masked=True)
        values = values * found.scales[0] + found.offsets[0] if (*found.scales, *found.offsets) != (1, 0) else values
        return values[0, 0] if len(json.loads(_shape(folder, name))) == 1 else values[0]


def _shape(folder, name):
    for document_name in ("zarr.json", ".zarray"):
        if (place := Path(folder) / name / document_name).exists():
            return json.dumps(json.loads(place.read_text())["shape"])
    raise FileNotFoundError(folder)


def _version(module, attribute="__version__"):
    import importlib
    import importlib.metadata

    found = importlib.import_module(module)
    return str(getattr(found, attribute, None) or importlib.metadata.version(module))


READERS = {
    "zarr-python": (_zarr_python, lambda: _version("zarr")),
    "zarrs": (_zarrs, lambda: _version("zarrs")),
    "xarray": (_xarray, lambda: _version("xarray")),
    "tensorstore": (_tensorstore, lambda: _version("tensorstore")),
    "netcdf-c": (_netcdf_c, lambda: _version("netCDF4", "__netcdf4libversion__")),
    "gdal": (_gdal, lambda: _version("rasterio", "__gdal_version__")),
}


def spread(store, folder):
    """Write the store down."""
    for key, value in store.items():
        (Path(folder) / key).parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / key).write_bytes(value)


def plain_values(found):
    """Values as JSON has them: None for what is missing."""
    if isinstance(found, np.ma.MaskedArray):
        return found.tolist()
    listed = np.asarray(found)
    return (
        [[*map(_one, row)] for row in listed]
        if listed.ndim == 2
        else _one(listed[()])
        if listed.ndim == 0
        else [*map(_one, listed)]
    )


def _one(value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bytes):
        return value.decode()
    return None if value != value else value


def told(written):
    """What was written, in the same form."""
    if not isinstance(written, list):
        return written
    return [row if isinstance(row, list) else row.decode() if isinstance(row, bytes) else row for row in written]


def see(reader, folder, name, written):
    """(outcome, values): "equal", "silent" with the values seen, or "refused"."""
    with warnings.catch_warnings(action="ignore"):
        try:
            values = plain_values(READERS[reader][0](str(folder), name))
        except Exception as error:
            return "refused", f"{type(error).__name__}: {error}"
    return ("equal" if values == told(written) else "silent"), values


def installed():
    """The readers that can be imported, with their versions."""
    found = {}
    for name, (_, version) in READERS.items():
        try:
            found[name] = version()
        except ModuleNotFoundError:
            continue
    return found


def main():
    found, versions = {}, installed()
    for rule, stores in STORES.items():
        for n, (store, name, written) in enumerate(stores):
            for reader, version in versions.items():
                with tempfile.TemporaryDirectory() as folder:
                    spread(store, folder)
                    outcome, values = see(reader, folder, name, written)
                found.setdefault(rule, []).append([n, reader, version, outcome, values])
    for rule, rows in found.items():
        print(rule)
        for row in rows:
            print("   ", json.dumps(row)[:170])


if __name__ == "__main__":
    main()
