"""Run a notebook as a stranger would: papermill in a process of its own, away from the network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[2, 3], ids=["v2", "v3"])
def left(request, tmp_path_factory):
    """What the notebook SOURCE of a module of tests left: its folder, its facts, and its format."""
    pytest.importorskip("papermill")
    out = tmp_path_factory.mktemp(f"v{request.param}")
    offline = [sys.executable, "-m", "tutorial_zarr.gallery.offline"]  # closes the network for what it starts
    papermill = [
        sys.executable,
        "-m",
        "papermill",
        "--no-progress-bar",
        "--no-request-save-on-cell-execute",
        "--log-level",
        "ERROR",
        "-k",
        "python3",
    ]
    parameters = ["-p", "out_dir", str(out), "-p", "zarr_format", str(request.param)]
    done = subprocess.run(
        [*offline, *papermill, str(ROOT / request.module.SOURCE), str(out / "executed.ipynb"), *parameters],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out, json.loads((out / "facts.json").read_text(encoding="utf-8")), request.param


@pytest.fixture
def committed(request):
    """The facts that lie beside the notebook SOURCE of a module of tests."""
    return json.loads((ROOT / request.module.SOURCE).with_suffix(".facts.json").read_text(encoding="utf-8"))
