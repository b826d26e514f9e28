"""Run a notebook as `gallery run` does: from the first cell to the last in a process of its own, away from the network
and from every folder but its own. These are the runs in both formats of `.ci/run`.
"""

import json
from pathlib import Path

import pytest

from tutorial_zarr import gallery

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[2, 3], ids=["v2", "v3"])
def left(request, tmp_path_factory):
    """What the notebook SOURCE of a module of tests left: its folder, its facts, and its format."""
    pytest.importorskip("papermill")
    [notebook] = [notebook for notebook in gallery.list_notebooks() if notebook.ipynb == ROOT / request.module.SOURCE]
    if request.param not in notebook.formats:
        pytest.skip(f"{notebook.id} is for format {notebook.formats} only")
    out = tmp_path_factory.mktemp(f"v{request.param}")
    [result] = gallery.run([notebook.id], zarr_format=request.param, out_dir=out)
    assert result["status"] == "ok", f"code cell {result['failed_cell']}: {result['error']}"
    return Path(result["out_dir"]), result["facts"], request.param


@pytest.fixture
def committed(request):
    """The facts that lie beside the notebook SOURCE of a module of tests."""
    return json.loads((ROOT / request.module.SOURCE).with_suffix(".facts.json").read_text(encoding="utf-8"))
