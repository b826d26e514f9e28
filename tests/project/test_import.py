"""`import tutorial_zarr` is cheap, and needs only numpy.

What is counted is modules, not milliseconds: they are the same on every machine.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_loads_no_heavy_module_that_numpy_does_not():
    loaded = run(
        "import sys, numpy; before = set(sys.modules)\n"
        "import tutorial_zarr\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    heavy = {
        *("numcodecs", "google_crc32c", "obstore", "fsspec", "ml_dtypes", "msgpack"),
        *("matplotlib", "xarray", "pandas", "click", "rich", "papermill", "nbformat", "IPython"),
        *("zarr", "tensorstore", "zarrs"),
        *("logging", "concurrent", "random", "zipfile", "bz2", "lzma", "shutil", "urllib", "pathlib", "html"),
        *("asyncio", "multiprocessing", "ssl", "http", "email", "unittest", "sqlite3", "ctypes", "decimal"),
    }
    assert heavy.isdisjoint(loaded)


def test_importing_starts_no_thread():
    assert run("import tutorial_zarr, threading; print(threading.active_count())") == ["1"]


def test_without_numcodecs_the_codecs_of_the_standard_library_work():
    assert run(
        "import sys\n"
        "sys.modules.update(numcodecs=None, google_crc32c=None)  # makes importing them fail\n"
        "import numpy as np, tutorial_zarr as zarr\n"
        "store = {}\n"
        "a = zarr.create_array(store, shape=(4,), chunks=(2,), dtype='i4', compressors='gzip')\n"
        "a[:] = np.arange(4)\n"
        "print(*zarr.open_array(store)[:])"
    ) == ["0", "1", "2", "3"]


def test_without_numcodecs_its_codecs_name_the_line_that_installs_it():
    message = run(
        "import sys\n"
        "sys.modules.update(numcodecs=None)\n"
        "import tutorial_zarr as zarr\n"
        "from tutorial_zarr.errors import MissingDependencyError\n"
        "try:\n"
        "    zarr.create_array({}, shape=(4,), chunks=(2,), dtype='i4', compressors='blosc')[:] = 1\n"
        "except MissingDependencyError as error:\n"
        "    print(error)"
    )
    assert "pip install numcodecs" in " ".join(message)
