"""What Python does on browser.html: it shares one store, a dict, with zarrita.js."""

import json

import tutorial_zarr as zarr

GZIP = {"name": "gzip", "configuration": {"level": 5}}
TRANSPOSE = {"name": "transpose", "configuration": {"order": [1, 0]}}
KINDS = {
    "Zarr 2": {"dtype": "int32", "zarr_format": 2, "compressors": None},
    "Zarr 2, big-endian, by columns": {"dtype": ">f8", "zarr_format": 2, "order": "F", "compressors": None},
    "Zarr 2, zlib": {"dtype": "int16", "zarr_format": 2, "compressors": {"id": "zlib", "level": 1}},
    "Zarr 3": {"dtype": "int32", "compressors": None},
    "Zarr 3, 64 bits": {"dtype": "int64", "compressors": None},
    "Zarr 3, transposed": {"dtype": "float32", "filters": [TRANSPOSE], "compressors": None},
    "Zarr 3, gzip": {"dtype": "float64", "compressors": GZIP},
    "Zarr 3, in shards": {"dtype": "uint16", "shards": (4, 6), "compressors": GZIP},
}
store: dict[str, bytes] = {}  # the one store: keys, and bytes behind them


def create(kind):
    """Begin with an empty array."""
    store.clear()
    zarr.create_array(store, shape=(4, 6), chunks=(2, 3), **KINDS[kind])


def write(rows, columns, numbers):
    """Write numbers, a list of lists as JSON, where rows and columns say from where to where."""
    array = zarr.open_array(store, mode="r+")
    array[slice(*rows), slice(*columns)] = json.loads(numbers)


def read():
    """All numbers, as JSON."""
    return json.dumps(zarr.open_array(store, mode="r")[...].tolist())


def put(key, value):
    """Keep what JavaScript wrote."""
    store[key] = value.to_bytes()
