"""The student's version of a notebook: without solutions, without outputs, with every picture it links to.

Authors write the solved notebook only. What is left out here is what carries the tag "solution" or "facts",
the text that leads to a solution, and all outputs, as the reader is to predict them. What a student has worked in is
never replaced unasked, and never lost: `reset` puts it aside.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, list_notebooks, select
from tutorial_zarr.gallery.source import dumps, loads, read_source, tags

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)]+)\)")
FIGURE = re.compile(r"!\[[^\]]*\]\((?!https?://)([^)]+)\)")
README = """\
# Before the workshop

You need Python 3.11 or newer, about {megabytes:,} MB of disk, and two to three minutes on a good network; at the
workshop you need no network any more. In this folder, type:

```sh
python3 -m venv .venv
.venv/bin/python -m pip install "tutorial_zarr[gallery,labs]"
.venv/bin/tutorial-zarr gallery run 00_00
.venv/bin/jupyter lab
```

On Windows it is `py -m venv .venv`, and `.venv\\Scripts\\` in place of `.venv/bin/`. If your teacher has given you a
file that ends in `.whl`, write its name in place of `tutorial_zarr`: `"./NAME.whl[gallery,labs]"`.

The third line says whether everything is there. The fourth opens a browser; begin with the folder `notebooks`.

# During the workshop

A cell that says `...` waits for your answer: write it there, and run the cell; the next line says whether it holds, and
if not, what to look at. Run the cells from the top: each uses what came before.

| you want to | type |
|---|---|
| see what you have solved | `tutorial-zarr gallery grade .` |
| begin a notebook again | `tutorial-zarr gallery reset 01_01 --in .` |

What `reset` replaces stays beside the new one, as `..._before_1.ipynb`.
"""
# Colab opens a notebook by its address on GitHub, and has nothing of a repository but that one file: so a copy for it
# installs the package, where it is not there, and its links and pictures have addresses.
GITHUB = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+?(?:\.git)?/?")
INSTALL = """\
import importlib.util

if importlib.util.find_spec("tutorial_zarr") is None:
    %pip install --quiet "tutorial_zarr[gallery] @ git+{repository}"
"""
COLAB = """\
# Notebooks for Colab

Put this folder into {repository}. Then each notebook opens at this address, with the name of the branch and the path
of the folder in the repository:

{addresses}

The first cell of each installs the package, which takes some minutes. A learner saves a copy of the notebook
(*File, Save a copy in Drive*) to keep what is worked in it.
"""
MEGABYTES = 900  # what the environment takes: 858 with Python 3.12 on Linux, measured with du


def write_student_versions(
    out_dir: str | Path,
    ids: Iterable[str] | None = None,
    folder: Path | None = None,
    overwrite: bool = False,
    repository: str | None = None,
) -> list[Path]:
    """Write the students' versions below `out_dir`, beside the articles they link to, and return their paths.

    A link to a notebook that is not among them stays as plain text. Refused, before anything is written, where a
    notebook is there that differs, as somebody may have worked in it; `overwrite` replaces it.

    With `repository`, an address on GitHub, they are for Colab: a cell in front installs the package from there, and
    what they link to is there as well.
    """
    if repository is not None and not GITHUB.fullmatch(repository):
        raise GalleryError(
            f"gallery student: expected the address of a repository on GitHub, from which Colab opens notebooks, found "
            f"{repository!r}; try https://github.com/OWNER/NAME"
        )
    at = repository and repository.removesuffix("/").removesuffix(".git")
    notebooks, out_dir = select(ids, folder), Path(out_dir)
    root = notebooks[0].path.parents[2]
    if out_dir.resolve() in (root, *root.parents) or (root / "notebooks") in (out_dir / "x").resolve().parents:
        raise GalleryError(
            f"gallery student: expected a folder of its own, found {out_dir}, which holds the notebooks of the "
            "authors; try another, such as student"
        )
    texts, links = {}, {}
    for notebook in notebooks:
        path = out_dir / notebook.ipynb.relative_to(root)
        texts[path], links[path] = _student_text(notebook, {each.ipynb.name for each in notebooks}, at)
    worked = [path for path, text in texts.items() if _is_touched(path, text)]
    if worked and not overwrite:
        raise GalleryError(
            f"gallery student: expected no notebooks in {out_dir} but untouched ones, found "
            f"{words.count(len(worked), 'notebooks')} in which somebody may have worked: "
            f"{words.some((path.name for path in worked), 4)}; nothing was written; try another folder, "
            "tutorial-zarr gallery reset, which puts them aside, or overwrite=True"
        )
    for notebook, (path, text) in zip(notebooks, texts.items(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        for target in sorted(links[path]):
            _copy(notebook.path.parent / target, path.parent / target)
    said = README.format(megabytes=MEGABYTES) if at is None else _for_colab(at, out_dir, list(texts))
    (out_dir / "README.md").write_text(said, encoding="utf-8", newline="\n")
    return list(texts)


def reset(
    folder: str | Path, ids: Iterable[str], source: Path | None = None, beside: bool = False
) -> list[tuple[Path, Path | None]]:
    """Put the students' versions of the notebooks `ids` below `folder` back to how they were.

    Pairs: the notebook, and where what was there lies now, ``NAME_before_N.ipynb`` beside it; None where nothing was
    changed in it. With `beside` a notebook that was changed stays as it is, and the new one is ``NAME_fresh_N.ipynb``.
    """
    notebooks, folder = select(ids, source), Path(folder)
    root = notebooks[0].path.parents[2]
    chosen = {notebook.ipynb.name for notebook in list_notebooks(source)}
    there = {path.name: path for path in sorted(folder.rglob("*.ipynb")) if path.name in chosen}
    if (folder / "notebooks").resolve() == (root / "notebooks").resolve() or not there:
        raise GalleryError(
            f"gallery reset: expected a folder with students' notebooks, found {folder}, which holds "
            f"{'those of the authors' if there else 'none'}; try the folder that gallery student wrote"
        )
    done = []
    for notebook in notebooks:
        path = there.get(notebook.ipynb.name, folder / notebook.ipynb.relative_to(root))
        text, linked = _student_text(notebook, set(there) | {notebook.ipynb.name})
        aside = None
        if _is_touched(path, text):
            names = (f"{path.stem}_{'fresh' if beside else 'before'}_{n}.ipynb" for n in itertools.count(1))
            free = next(path.with_name(name) for name in names if not path.with_name(name).exists())
            if beside:
                path = free
            else:
                aside = path.rename(free)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        for target in sorted(linked):
            if not (path.parent / target).exists():
                _copy(notebook.path.parent / target, path.parent / target)
        done.append((path, aside))
    return done


def _is_touched(path: Path, text: str) -> bool:
    """Whether a notebook is there that is not what was written, whichever others it was written with and links to."""

    def unlinked(text: str) -> Any:
        try:
            cells = (notebook := loads(text))["cells"]
            for cell in cells:
                cell["source"] = LINK.sub(lambda found: found[2], cell["source"])
        except (ValueError, KeyError, TypeError):
            return text  # no notebook, or no longer one
        return notebook

    return path.exists() and unlinked(path.read_text(encoding="utf-8", errors="replace")) != unlinked(text)


def _for_colab(at: str, out_dir: Path, paths: list[Path]) -> str:
    start = at.replace("https://github.com/", "https://colab.research.google.com/github/")
    addresses = "\n".join(f"- `{start}/blob/BRANCH/FOLDER/{path.relative_to(out_dir).as_posix()}`" for path in paths)
    return COLAB.format(repository=at, addresses=addresses)


def _student_text(notebook: Notebook, chosen: set[str], at: str | None = None) -> tuple[str, set[str]]:
    """The text of a student's notebook, and the files that it links to. A notebook not `chosen` is not linked to.

    `at` is the repository in which everything that it links to is, for a copy that stands alone.
    """
    cells, linked = student_cells(notebook), set()
    root = notebook.path.parents[2]
    if at is not None:
        bare: dict[str, Any] = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
        cells.insert(0, {**bare, "id": "install", "source": INSTALL.format(repository=at).rstrip()})

    def link(found: re.Match[str]) -> str:
        target = found[3].partition("#")[0]
        if at is not None:  # HEAD is the branch that the repository shows first
            place = Path(os.path.normpath(notebook.path.parent / found[3])).relative_to(root).as_posix()
            return f"{found[1]}[{found[2]}]({at}/{'raw' if found[1] else 'blob'}/HEAD/{place})"
        if target.endswith(".ipynb"):
            return found[0] if Path(target).name in chosen else found[2]
        linked.add(target)
        return found[0]

    for cell in cells:
        if cell["cell_type"] == "markdown":
            cell["source"] = LINK.sub(link, cell["source"])
    return dumps({**read_source(notebook.path), "cells": cells}), linked


def student_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """The cells that a student gets."""
    return without_solutions(read_source(notebook.path)["cells"])


def without_solutions(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the cells of a notebook that a student gets."""
    left: list[dict[str, Any]] = []
    solving = False  # below the heading of the solutions, where text leads to a solution
    for cell in cells:
        if cell["cell_type"] == "markdown" and (heading := re.match(r"## (.+)$", cell["source"], re.MULTILINE)):
            solving = heading[1] == "Solutions"
        if not solving and not tags(cell) & {"solution", "facts"}:
            left.append(cell)
    return left


def _copy(source: Path, target: Path) -> None:
    """Copy a file, and the figures that it shows if it is an article."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if source.suffix == ".md":
        for figure in FIGURE.findall(source.read_text(encoding="utf-8")):
            _copy(source.parent / figure, target.parent / figure)
