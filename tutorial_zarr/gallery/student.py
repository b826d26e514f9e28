"""The student's version of a notebook: without solutions, without outputs, with every picture it links to.

Authors write the solved notebook only. What is left out here is what carries the tag "solution" or "facts",
the text that leads to a solution, and all outputs, as the reader is to predict them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, select
from tutorial_zarr.gallery.source import dumps, read_source, tags

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)]+)\)")
FIGURE = re.compile(r"!\[[^\]]*\]\((?!https?://)([^)]+)\)")


def write_student_versions(
    out_dir: str | Path, ids: Iterable[str] | None = None, folder: Path | None = None
) -> list[Path]:
    """Write the students' versions below `out_dir`, beside the articles they link to, and return their paths.

    A link to a notebook that is not among them stays as plain text.
    """
    notebooks, out_dir = select(ids, folder), Path(out_dir)
    root = notebooks[0].path.parents[2]
    if out_dir.resolve() in (root, *root.parents) or (root / "notebooks") in (out_dir / "x").resolve().parents:
        raise GalleryError(
            f"gallery student: expected a folder of its own, found {out_dir}, which holds the notebooks of the "
            "authors; try another, such as student"
        )
    chosen = {notebook.ipynb.name for notebook in notebooks}
    written = []
    for notebook in notebooks:
        cells = student_cells(notebook)
        linked: set[str] = set()

        def link(found: re.Match[str], notebook: Notebook = notebook, linked: set[str] = linked) -> str:
            target = found[3].partition("#")[0]
            if target.endswith(".ipynb") and Path(target).name not in chosen:
                return found[2]
            if not target.endswith(".ipynb"):
                linked.add(target)
            return found[0]

        for cell in cells:
            if cell["cell_type"] == "markdown":
                cell["source"] = LINK.sub(link, cell["source"])
        path = out_dir / notebook.ipynb.relative_to(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = dumps({**read_source(notebook.path), "cells": cells})
        path.write_text(text, encoding="utf-8", newline="\n")
        for target in sorted(linked):
            _copy(notebook.path.parent / target, path.parent / target)
        written.append(path)
    return written


def student_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """The cells that a student gets."""
    cells: list[dict[str, Any]] = []
    solving = False  # below the heading of the solutions, where text leads to a solution
    for cell in read_source(notebook.path)["cells"]:
        if cell["cell_type"] == "markdown" and (heading := re.match(r"## (.+)$", cell["source"], re.MULTILINE)):
            solving = heading[1] == "Solutions"
        if not solving and not tags(cell) & {"solution", "facts"}:
            cells.append(cell)
    return cells


def _copy(source: Path, target: Path) -> None:
    """Copy a file, and the figures that it shows if it is an article."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if source.suffix == ".md":
        for figure in FIGURE.findall(source.read_text(encoding="utf-8")):
            _copy(source.parent / figure, target.parent / figure)
