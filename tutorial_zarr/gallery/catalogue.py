"""What notebooks there are, and what each says of itself at its head.

A notebook begins with its head: a title, one question, why it matters, and a passport, which is a table. This module
reads it; that every part is there is `contract`'s business.

>>> head = '''# Weigh a chunk
...
... **Question.** How heavy is a chunk?
...
... | | |
... |---|---|
... | Level | ★ beginner |
... | Time | 20 minutes |
... | Needs | [01_01](x.ipynb) |
... '''
>>> passport(head)["Time"], title(head), question(head)
('20 minutes', 'Weigh a chunk', 'How heavy is a chunk?')
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tutorial_zarr.errors import ZarrError

CLONE = Path(__file__).resolve().parents[2]
# A wheel has the notebooks and the articles as well, in a folder of this package.
ROOT = CLONE if (CLONE / "notebooks").is_dir() else Path(__file__).resolve().parent / "files"
NOTEBOOKS = ROOT / "notebooks"
ARTICLES = ROOT / "articles"
TO_WRITE = re.compile(r"\(to write: [^)]*\)?")  # what a template leaves for its author
BROWSER = Path(__file__).with_name("browser.csv")  # which lessons run in a browser: `gallery run --as-browser --note`
FILE_NAME = re.compile(r"(\d\d_\d\d)_(\w+)\.py")


class GalleryError(ZarrError, ValueError):
    """The gallery was asked for something that it does not have."""


@dataclass(frozen=True)
class Notebook:
    """One notebook, by its source."""

    id: str
    path: Path
    head: str

    @property
    def title(self) -> str:
        """What the reader will do."""
        return title(self.head)

    @property
    def question(self) -> str:
        """The one question that it answers."""
        return question(self.head)

    @property
    def level(self) -> str:
        """Stars and a word."""
        return passport(self.head).get("Level", "")

    @property
    def minutes(self) -> int:
        """Workshop time, one exercise included."""
        found = re.search(r"\d+", passport(self.head).get("Time", ""))
        return int(found[0]) if found else 0

    @property
    def needs(self) -> tuple[str, ...]:
        """The ids of the notebooks to have read before."""
        return tuple(re.findall(r"\b\d\d_\d\d\b", passport(self.head).get("Needs", "")))

    @property
    def formats(self) -> tuple[int, ...]:
        """The Zarr formats that it runs in: both, unless its passport has a row "Formats"."""
        return tuple(int(digit) for digit in re.findall(r"[23]", passport(self.head).get("Formats", "2 and 3")))

    @property
    def browser(self) -> bool:
        """Whether it runs to the end in a browser, by the table that runs as in a browser write."""
        return in_browser().get(self.id, {}).get("runs") == "yes"

    @property
    def ipynb(self) -> Path:
        """The notebook that is built from the source."""
        return self.path.with_suffix(".ipynb")

    @property
    def facts(self) -> Path:
        """The numbers that the built notebook computed."""
        return self.path.with_suffix(".facts.json")


@functools.cache
def in_browser(table: Path = BROWSER) -> dict[str, dict[str, str]]:
    """The table of runs as in a browser: id -> its row, with ``runs`` ("yes" or "no") and ``why`` it does not run."""
    with table.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def list_notebooks(folder: Path | None = None) -> list[Notebook]:
    """All notebooks, in the order of their ids."""
    folder = Path(folder or NOTEBOOKS)
    if not folder.is_dir():
        raise GalleryError(
            f"gallery: expected the notebooks in the folder {folder.name!r} of a clone or of the installed package, "
            "found no such folder; try to install the package anew"
        )
    found = [(FILE_NAME.fullmatch(path.name), path) for path in folder.glob("*/*.py")]
    notebooks = [Notebook(match[1], path, _head(path)) for match, path in found if match]
    return sorted(notebooks, key=lambda notebook: notebook.id)


def select(ids: Iterable[str] | None, folder: Path | None = None) -> list[Notebook]:
    """The notebooks whose id or name begins like one of `ids` (``01`` for a part); all for None."""
    everything = list_notebooks(folder)
    if not ids:
        return everything
    chosen: list[Notebook] = []
    for wanted in [ids] if isinstance(ids, str) else ids:
        matching = [notebook for notebook in everything if notebook.path.stem.startswith(wanted)]
        if not matching:
            known = ", ".join(notebook.id for notebook in everything)
            raise GalleryError(f"gallery: expected the id of a notebook, found {wanted!r}; try one of {known}")
        chosen += [notebook for notebook in matching if notebook not in chosen]
    return chosen


def _head(path: Path) -> str:
    """The text before the first section, read without any library, as listing should cost nothing."""
    first, *_ = re.split(r"^# ## ", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)
    return "\n".join(markdown(first))


def markdown(source: str) -> list[str]:
    """The text cells of a percent script, without any library."""
    cells = re.findall(r"^# %% \[markdown\][^\n]*\n((?:#(?! %%)[^\n]*\n)*)", source + "\n", re.MULTILINE)
    return [re.sub(r"^# ?", "", cell, flags=re.MULTILINE).strip("\n") for cell in cells]


def title(head: str) -> str:
    """The heading of the first cell."""
    found = re.search(r"^# (.+)$", head, re.MULTILINE)
    return found[1].strip() if found else ""


def question(head: str) -> str:
    """The line after "Question."."""
    found = re.search(r"\*\*Question\.\*\*\s*(.+)$", head, re.MULTILINE)
    return found[1].strip() if found else ""


def passport(head: str) -> dict[str, str]:
    """The rows of the table."""
    rows = re.findall(r"^\|\s*\**(\w[\w ]*?)\**\s*\|\s*(.+?)\s*\|\s*$", head, re.MULTILINE)
    return dict(rows)
