"""The other implementations, each behind the same few calls. A missing one is not a pass."""

import importlib.util
import os
import warnings
from pathlib import Path

import numpy as np
import pytest


class ZarrPython:
    """zarr-python 3. Its warnings about young parts of the specification are not ours to heed."""

    def __init__(self):
        import zarr

        self.zarr = zarr

    def read(self, path, selection=...):
        with warnings.catch_warnings(action="ignore"):
            array = self.zarr.open_array(str(path), mode="r")
            return np.asarray(array[selection], dtype=array.dtype)

    def write(self, path, data, selection=...):
        """Into an array whose metadata is there already."""
        with warnings.catch_warnings(action="ignore"):  # without dimensions it takes an element, not an array
            self.zarr.open_array(str(path), mode="r+")[selection] = data[()] if np.ndim(data) == 0 else data

    def fill_value(self, path):
        with warnings.catch_warnings(action="ignore"):
            return self.zarr.open_array(str(path), mode="r").fill_value


class TensorStore:
    """tensorstore, in C++. It knows arrays and no groups, and cannot find out the format by itself."""

    def __init__(self):
        import tensorstore

        self.ts = tensorstore

    def open(self, path, **spec):
        driver = "zarr3" if (Path(path) / "zarr.json").exists() else "zarr"
        return self.ts.open({"driver": driver, "kvstore": {"driver": "file", "path": str(path)}, **spec}).result()

    def read(self, path, selection=..., **spec):
        return np.asarray(self.open(path, **spec)[selection].read().result())

    def write(self, path, data, selection=...):
        array = self.open(path)
        array[selection].write(np.asarray(data, dtype=array.dtype.numpy_dtype)).result()

    def fill_value(self, path):
        return self.open(path).fill_value


def absent(reason):
    """Skip; but under CI=true fail, so that no gap can hide."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


PEERS = {"zarr-python": ZarrPython, "tensorstore": TensorStore}


@pytest.fixture
def peer(request):
    """The peer that the test is parametrised with."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return PEERS[request.param]()
    except ImportError as error:
        absent(f"{request.param} is not installed ({error}); try: pip install 'tutorial_zarr[interop]'")


@pytest.fixture
def need():
    """A function that goes on only where an optional package is installed."""

    def check(package):
        if package is not None and importlib.util.find_spec(package) is None:
            absent(f"the package {package} is not installed; try: pip install 'tutorial_zarr[codecs]'")

    return check
