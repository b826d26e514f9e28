"""A new notebook: the files that it is made of, from the templates beside this module, ready to run.

    notebooks/PART/PP_NN_slug.py                  the notebook, which is what an author writes
    tutorial_zarr/gallery/exercises/xPP_NN.py     the checks of its exercises
    tests/known_answers/test_PP_NN.py             its answers, worked out again without this library
    articles/NN_slug.md                           its article, where the part has articles

Each runs as it is, on a matrix, and every place that waits for its author says ``(to write: ...)``; `contract`
names those that are left. How to fill them is in ``.github/WRITING_A_NOTEBOOK.md``.
"""

from __future__ import annotations

import re
from pathlib import Path

from tutorial_zarr.gallery.catalogue import NOTEBOOKS, GalleryError, list_notebooks
from tutorial_zarr.gallery.series import completed, select_articles

PARTS = {
    "00": "00_start",
    "01": "01_core_zarr",
    "02": "02_labs",
    "03": "03_pipelines",
    "04": "04_ai_genai",
    "05": "05_finance",
    "06": "06_crypto",
    "07": "07_geo",
    "08": "08_bio",
    "09": "09_world",
}
# The article of a part's first notebook. The parts that are not here set up, or are labs, and have none.
FIRST_ARTICLE = {"01": 1, "04": 11, "05": 19, "06": 25, "07": 29, "08": 32, "09": 35}


def new(name: str, slug: str, folder: Path | None = None) -> list[Path]:
    """Write the files of a new notebook `name` (``02_01``), called `slug`, and return them."""
    folder = Path(folder or NOTEBOOKS)
    part = name.partition("_")[0]
    if not re.fullmatch(r"\d\d_\d\d", name) or part not in PARTS:
        raise GalleryError(f"gallery new: expected an id such as 02_01, in parts 00 to 09, found {name!r}; try 02_01")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug):
        raise GalleryError(
            f"gallery new: expected a name in small letters such as chunk_lab, found {slug!r}; "
            f"try {re.sub(r'[^a-z0-9]+', '_', slug.lower()).strip('_') or 'chunk_lab'}"
        )
    taken = [notebook.path.name for notebook in list_notebooks(folder) if notebook.id == name]
    if taken:
        raise GalleryError(f"gallery new: expected an id that is free, found {taken[0]}; try another id")

    root = folder.parent
    words = {"ID": name, "FOLDER": PARTS[part], "STEM": f"{name}_{slug}", "ARTICLE_LINK": "none"}
    files = {
        folder / PARTS[part] / f"{name}_{slug}.py": "notebook",
        root / "tutorial_zarr" / "gallery" / "exercises" / f"x{name}.py": "exercises",
        root / "tests" / "known_answers" / f"test_{name}.py": "known_answers",
    }
    if part in FIRST_ARTICLE:
        number = FIRST_ARTICLE[part] + int(name[3:]) - 1
        article = f"{number:02}_{slug}.md"
        files[root / "articles" / article] = "article"
        words["ARTICLE_LINK"] = f"[(to write: the title of the article)](../../articles/{article})"
    for path in files:
        if path.exists():
            raise GalleryError(f"gallery new: expected no file {path.name}, found one; try another name, or move it")
    for path, template in files.items():
        text = Path(__file__).with_name(f"{template}.txt").read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            re.sub(r"@(\w+)@", lambda found: words.get(found[1], found[0]), text), encoding="utf-8", newline="\n"
        )
    for path in (path for path, template in files.items() if template == "article"):
        text = completed(path, select_articles(None, folder), list_notebooks(folder))  # with its generated lines
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(files)
