"""The environment of an automated run: away from the network and from the user's own Jupyter settings.

Every Python in it refuses to reach another machine, and to write elsewhere than it may
(`confined/sitecustomize.py`); HTTP clients in compiled code find a closed proxy; and kernels, settings and
caches come from a temporary folder, where the kernel ``python3`` is this very interpreter.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

CONFINED = Path(__file__).with_name("confined")
NOT_HANDED_ON = ("ALL_PROXY", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")  # the last would cost seconds for each kernel
CLOSED = "http://127.0.0.1:9"  # the discard port: nothing listens there


def offline_environment(scratch: Path, write_below: Iterable[Path] | None = None) -> dict[str, str]:
    """The environment for a run whose temporary files go to `scratch`.

    With `write_below` the run may write there and to `scratch`, and nowhere else.
    """
    kernel = scratch / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specification = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    fonts = scratch / "matplotlib"
    fonts.mkdir(exist_ok=True)
    for known in _lists_of_fonts():
        shutil.copy(known, fonts)
    # The project itself, for a checkout that is not installed; the rules before all else.
    paths = [str(CONFINED), str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    folders = [] if write_below is None else [str(scratch), *map(str, write_below)]
    return {
        **{name: value for name, value in os.environ.items() if name.upper() not in NOT_HANDED_ON},
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "TUTORIAL_ZARR_WRITE_BELOW": os.pathsep.join(folders),
        "PYTHONHASHSEED": "0",
        "HTTP_PROXY": CLOSED,
        "HTTPS_PROXY": CLOSED,
        "http_proxy": CLOSED,
        "https_proxy": CLOSED,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
        "JUPYTER_PATH": str(scratch / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter-data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter-runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(scratch / "ipython"),
        "MPLCONFIGDIR": str(fonts),
        "TMPDIR": str(scratch),
        "TEMP": str(scratch),
        "TMP": str(scratch),
    }


def make_folder(folder: Path) -> tuple[str, OSError] | None:
    """Make a folder that takes files. Else: what cannot be done with it, "made" or "written to", and why."""
    cannot = "made"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cannot = "written to"
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return cannot, error
    return None


def _lists_of_fonts() -> Iterator[Path]:
    """What matplotlib noted of the fonts of this machine when it was first used: to look again takes a second."""
    home = Path.home()
    places = [Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"), "matplotlib"), home / ".matplotlib"]
    if own := os.environ.get("MPLCONFIGDIR"):
        places.append(Path(own))
    for place in places:
        yield from place.glob("fontlist-*.json")
