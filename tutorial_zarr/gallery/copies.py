"""Notebooks for whoever has the package alone: copies as they are built, with outputs, beside the articles."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tutorial_zarr.gallery.catalogue import GalleryError, select


def copy_notebooks(folder: str | Path, ids: Iterable[str] | None = None, source: Path | None = None) -> list[Path]:
    """Copy the notebooks `ids`, or all, and the articles to a new or empty `folder`; the paths of the notebooks there.

    It is there whole or not at all: what was cut short lies beside it, as ``NAME.partial``, and goes the next time.
    """
    chosen, target = select(ids, source), Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GalleryError(f"gallery copy: expected a new folder, or an empty one, found something at {target}; "
                           "nothing was copied; try another name")  # fmt: skip
    root, partial = chosen[0].path.parents[2], target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(root / "articles", partial / "articles")
    for page in (root / "README.md", *sorted((root / "notebooks").glob("*.md"))):  # what articles and lessons link to
        (partial / page.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, partial / page.relative_to(root))
    for notebook in chosen:
        for file in (notebook.path, notebook.ipynb, notebook.facts):
            (partial / file.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, partial / file.relative_to(root))
    if target.exists():
        target.rmdir()  # it is empty; Windows gives no folder the name of another
    partial.rename(target)
    return [target / notebook.ipynb.relative_to(root) for notebook in chosen]
