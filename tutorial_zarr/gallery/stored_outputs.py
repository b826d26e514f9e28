"""Whether the outputs that are stored in the notebooks are still what the notebooks print: nbval's comparison,
away from the network.

nbval compares text and SVG, and no PNG; a notebook without outputs would pass, which is why `contract` insists
that every cell has run. A cell with the tag "nbval-ignore-output" is run and not compared.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

from tutorial_zarr.gallery.catalogue import GalleryError, select
from tutorial_zarr.gallery.environment import offline_environment


def check_outputs(ids: Iterable[str] | None = None, folder: Path | None = None) -> list[dict[str, str]]:
    """Run the built notebooks again; every cell that prints something else is a dict, as from `check`."""
    found = []
    for notebook in select(ids, folder):
        if not notebook.ipynb.is_file():
            found.append({"id": notebook.id, "where": "outputs", "problem": f"there is no {notebook.ipynb.name}"})
            continue
        found += [{"id": notebook.id, **problem} for problem in _compare(notebook.ipynb)]
    return found


def _compare(path: Path) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="gallery-", ignore_cleanup_errors=True) as scratch:
        report, settings = Path(scratch, "report.xml"), Path(scratch, "pytest.ini")
        settings.write_text("[pytest]\n", encoding="utf-8")  # those of a project's own tests are not for a notebook
        nbval = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-c", str(settings)]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *nbval, f"--junitxml={report}", str(path.resolve())],
            env=offline_environment(Path(scratch)),
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise GalleryError(
                f"outputs of {path.name}: expected nbval's report, found none ({' '.join(last)}); "
                'try: python -m pip install "tutorial_zarr[gallery]"'
            )
        cases = list(ElementTree.parse(report).iter("testcase"))
    problems = []
    for number, case in enumerate(cases, 1):
        for failure in [*case.iter("failure"), *case.iter("error")]:
            words = re.sub(r"(?:\x1b|#x1B)\[[0-9;]*m", "", failure.text or failure.get("message") or "")
            lines = [line.strip() for line in words.partition("Traceback:")[2].splitlines()]
            # nbval shows the two as a unified diff: "-" is printed now, "+" is stored.
            now, stored = ([line[2:] for line in lines if line.startswith(sign)] for sign in ("- ", "+ "))
            said = (
                f"expected {stored[0]!r}, found {now[0]!r}" if now and stored else " ".join(filter(None, lines))[:300]
            )
            problems.append({"where": f"code cell {number}", "problem": f"the stored output is another one: {said}"})
    return problems
