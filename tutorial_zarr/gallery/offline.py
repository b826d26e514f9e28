"""Run any command as the gallery runs its notebooks: away from the network (`environment` says how).

python -m tutorial_zarr.gallery.offline python -m pytest -o addopts= --nbval notebooks
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tutorial_zarr.gallery.environment import offline_environment


def main(command: list[str]) -> int:
    """Run the command and return its exit code."""
    if not command:
        print("usage: python -m tutorial_zarr.gallery.offline COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="gallery-", ignore_cleanup_errors=True) as scratch:
        return subprocess.run(command, env=offline_environment(Path(scratch)), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
