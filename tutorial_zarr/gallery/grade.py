"""Who has solved what: students' notebooks are run, away from the network and from all other folders, and what their
exercises say is collected.

A notebook is found by its name, at any depth below the folder that is asked for; the student is the folder that it came
in. It is run from the first cell to the last, in a process and a scratch folder of its own (`worker`), and a cell that
fails is followed by the next one. `exercises.check` writes its verdicts down; the last of each exercise counts.

A verdict is the word of a program that the student could change: it is for teaching, and no examination.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import NOTEBOOKS, GalleryError, list_notebooks
from tutorial_zarr.gallery.environment import offline_environment
from tutorial_zarr.gallery.exercises import VERDICTS, checks_of, numbers
from tutorial_zarr.gallery.runner import work

CELL_TIMEOUT = 120  # seconds
LARGEST = 100 << 20  # bytes of a notebook that is read
_FOLDERS = re.compile(r"notebooks|\d\d_\w+")  # between a student's folder and a notebook


def grade(
    folder: str | Path, jobs: int = 1, progress: Callable[[str], None] | None = None, source: Path | None = None
) -> list[dict[str, Any]]:
    """Run the notebooks below `folder` that have exercises, `jobs` at once; a dict for each::

        student      the folder that it came in
        id           of the notebook
        file         relative to `folder`
        solved       how many exercises hold, of `exercises`
        verdicts     {"1": True, "2": False, "3": None}; None where its check was not reached
        error        None, or what stopped the notebook, or went wrong last

    `progress` is called with the file's name when it is done.
    """
    folder = Path(folder)
    found = submissions(folder, source)
    if not found:
        raise GalleryError(
            f"gallery grade: expected notebooks with exercises, such as 01_01_first_zarr_array.ipynb, below {folder}, "
            f"found {'none' if folder.is_dir() else 'no such folder'}; try the folder that the students' came in"
        )

    def one(path: Path) -> dict[str, Any]:
        result = _grade(folder, path)
        if progress is not None:
            progress(result["file"])
        return result

    with ThreadPoolExecutor(jobs, thread_name_prefix="grade") as pool:
        return list(pool.map(one, found))


def submissions(folder: Path, source: Path | None = None) -> list[Path]:
    """The notebooks below a folder that have exercises, but for those of the authors and what tools put aside."""
    known = {notebook.ipynb.name for notebook in list_notebooks(source) if checks_of(notebook.id) is not None}
    own = (source or NOTEBOOKS).resolve()
    return [
        path
        for path in sorted(folder.rglob("*.ipynb"))
        if path.name in known
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and own not in path.resolve().parents
    ]


def student_of(folder: Path, path: Path) -> str:
    """The folder that a notebook came in: the path to it, without the folders that all have.

    >>> student_of(Path("class"), Path("class/ada/notebooks/01_core_zarr/01_01_first_zarr_array.ipynb"))
    'ada'
    """
    parts = list(path.relative_to(folder).parent.parts)
    while parts and _FOLDERS.fullmatch(parts[-1]):
        parts.pop()
    return "/".join(parts) or folder.resolve().name


def _grade(folder: Path, path: Path) -> dict[str, Any]:
    name = path.name[:5]
    exercises = numbers(checks_of(name))  # type: ignore[arg-type]  # those without are no submissions
    result = {"student": student_of(folder, path), "id": name, "file": path.relative_to(folder).as_posix()}
    verdicts: dict[str, bool | None] = dict.fromkeys(exercises)
    with tempfile.TemporaryDirectory(prefix="gallery-", ignore_cleanup_errors=True) as scratch:
        said, error = Path(scratch).resolve() / "own" / "verdicts", _fault(path)
        if error is None:
            error = _run(path, Path(scratch).resolve(), said)
        for line in said.read_text(encoding="utf-8", errors="replace").splitlines() if said.is_file() else ():
            notebook, right = _verdict(line)
            if notebook is not None and notebook[0] == name and notebook[1] in verdicts:
                verdicts[notebook[1]] = right
    solved = sum(right is True for right in verdicts.values())
    return {**result, "solved": solved, "exercises": len(exercises), "verdicts": verdicts, "error": error}


def _fault(path: Path) -> str | None:
    if path.is_symlink():
        return "it is a link, which is not followed"
    if path.stat().st_size > LARGEST:
        return f"it has more than {words.size_text(LARGEST)}, which are not read"
    return None


def _run(path: Path, scratch: Path, said: Path) -> str | None:
    """Run one notebook; None, or the last thing that went wrong."""
    own, start, kept = (scratch / part for part in ("own", "start", "kept"))
    for each in (own, start, kept):
        each.mkdir()
    env = {**offline_environment(own, [kept]), "TUTORIAL_ZARR_OUT_DIR": str(kept), VERDICTS: str(said)}
    request = {
        "source": str(path.resolve()),
        "output": str(kept / path.name),
        "parameters": {},
        "timeout": CELL_TIMEOUT,
        "keeps_on": True,
    }
    done = work(request, env, start, lambda event: None)
    return done["error"]


def _verdict(line: str) -> tuple[tuple[str, str] | None, bool]:
    """The notebook and exercise of a line, and whether it holds. Whoever wrote it may have been no check."""
    try:
        entry = json.loads(line)
        name, right = entry["exercise"], entry["right"] is True
        notebook, _, number = name.partition(".")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, False
    return (notebook, number), right


def table(results: list[dict[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Columns and rows: a student a row, a notebook a column, and how many exercises hold."""
    names = sorted({result["id"] for result in results})
    by_student: dict[str, dict[str, dict[str, Any]]] = {}
    for result in results:
        best = by_student.setdefault(result["student"], {})
        if result["id"] not in best or result["solved"] > best[result["id"]]["solved"]:
            best[result["id"]] = result
    rows = []
    for student, found in sorted(by_student.items()):
        cells = [f"{found[n]['solved']}/{found[n]['exercises']}" if n in found else "-" for n in names]
        solved, asked = (sum(each[what] for each in found.values()) for what in ("solved", "exercises"))
        rows.append((student, *cells, f"{solved}/{asked}"))
    return ("student", *names, "all"), rows


def as_csv(results: list[dict[str, Any]]) -> str:
    """A line for each exercise: student, notebook, exercise, solved (yes, no, or nothing), file, error."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("student", "notebook", "exercise", "solved", "file", "error"))
    said = {True: "yes", False: "no", None: ""}
    for result in results:
        for number, right in result["verdicts"].items():
            row = (result["student"], result["id"], number, said[right], result["file"], result["error"] or "")
            lines.writerow([_cell(words.plain(value)) for value in row])
    return out.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
