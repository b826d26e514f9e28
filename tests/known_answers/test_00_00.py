"""00_00 again, from outside: it says of the installation what the command line says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/00_start/00_00_setup_check.ipynb"
pytestmark = pytest.mark.gallery


def test_the_notebook_and_the_command_line_tell_the_same(left):
    done = subprocess.run(
        [sys.executable, "-m", "tutorial_zarr", "check", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=left[0],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads((left[0] / "installation.json").read_text(encoding="utf-8"))
    assert {"schema": 1, **told} == json.loads(done.stdout)


def test_another_reader_sees_the_array_of_four_chunks(left):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    array = zarr.open_array(str(out / "four.zarr"), mode="r")
    expected = np.array([[0, 1, 8, 8], [2, 3, 8, 8], [4, 5, 0, 0], [6, 7, 0, 0]], "int32")
    np.testing.assert_array_equal(array[...], expected)
    assert array.metadata.zarr_format == zarr_format
    assert facts["sum"] == int(expected.sum())


def test_three_of_the_four_chunks_are_on_the_disk(left):
    out, facts, _ = left
    documents = (".zarray", ".zattrs", "zarr.json")
    files = [path for path in (out / "four.zarr").rglob("*") if path.is_file() and path.name not in documents]
    assert len(files) == facts["chunks_stored"] == 3
    assert facts["chunks"] == (4 // 2) ** 2


def test_every_data_set_was_as_expected(left):
    modules = {path.stem for path in (ROOT / "data_gen").glob("*.py")} - {"__init__"}
    assert left[1]["data_sets"] == dict.fromkeys(modules, True)
