"""Run notebooks, and build them.

Each notebook runs in a process and a scratch folder of its own (`worker`), away from the network
(`environment`), so a notebook that fails, hangs or kills its kernel leaves a row in the table and the others
go on.

Both functions return one dict for each notebook::

    id, title      which notebook
    status         "ok" or "failed"
    seconds        how long it took, start of the kernel included
    cells          how many code cells were started
    failed_cell    None, or {"number": of the code cell, "source": its first line}
    error          None, or what went wrong
    facts          what the notebook wrote to facts.json
    out_dir        where its results are, or None where they were not to be kept

`progress` is called with dicts: ``{"event": "start", "id", "title", "cells"}``, ``{"event": "cell", "id",
"cell", "cells"}`` before each cell, and ``{"event": "end", "id", **result}``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, select
from tutorial_zarr.gallery.contract import ABSOLUTE
from tutorial_zarr.gallery.environment import offline_environment
from tutorial_zarr.gallery.exercises import NOT_YET
from tutorial_zarr.gallery.source import clean, dumps, loads, read_source, tags

Progress = Callable[[dict[str, Any]], None]
CELL_TIMEOUT = 300  # seconds
OUT_DIR = "TUTORIAL_ZARR_OUT_DIR"  # where a notebook writes when its parameter does not say


def run(
    ids: Iterable[str] | None = None,
    full: bool = False,
    zarr_format: int | None = None,
    out_dir: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    parameters: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Run notebooks from the first cell to the last with papermill; `ids` of None means all.

    `full` uses the large data instead of the quick ones. `zarr_format` 2 or 3 overrides the notebooks' own.
    With `out_dir` the executed notebook, the facts and the stores are kept below it, in a folder named by the
    notebook's id; without, they are removed.
    """
    if zarr_format not in (None, 2, 3):
        raise GalleryError(
            f"gallery run: zarr_format must be 2 or 3, got {zarr_format!r}; leave it out for the notebooks' own"
        )
    given = {"quick": not full, **({"zarr_format": zarr_format} if zarr_format else {}), **(parameters or {})}
    keep = Path(out_dir).resolve() if out_dir is not None else None
    if keep is not None:
        _make_folder(keep)

    def one(notebook: Notebook, scratch: Path, note: Progress) -> dict[str, Any]:
        target = (keep or scratch / "kept") / notebook.id
        target.mkdir(parents=True, exist_ok=True)
        executed = target / notebook.ipynb.name
        result = _execute(notebook, executed, {**given, "out_dir": str(target)}, target, scratch, note)
        return {**result, "out_dir": str(target) if keep else None}

    return _each(select(ids, folder), one, jobs, progress)


def build(
    ids: Iterable[str] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> list[dict[str, Any]]:
    """Execute the sources with their own parameters and write what they give, if they run to the end.

    Beside the source: the notebook with outputs and its ``.facts.json``. Below ``articles/figures``: the
    figures. The result's ``changed`` says whether the notebook differs from what was there.
    """

    def one(notebook: Notebook, scratch: Path, note: Progress) -> dict[str, Any]:
        target = scratch / "kept"
        target.mkdir()
        executed = scratch / notebook.ipynb.name
        result = {
            **_execute(notebook, executed, {}, target, scratch, note),
            "out_dir": None,
            "changed": False,
        }
        if result["status"] == "failed":
            return result
        text = dumps(clean(loads(executed.read_text(encoding="utf-8"))))
        if str(scratch) in text or ABSOLUTE.search(text):
            error = "the outputs name a folder of this machine; print names, not paths"
            return {**result, "status": "failed", "error": error}
        result["changed"] = not notebook.ipynb.is_file() or notebook.ipynb.read_text(encoding="utf-8") != text
        _write(notebook.ipynb, text)
        shutil.copyfile(target / "facts.json", notebook.facts)
        for figure in sorted((target / "figures").glob("*.svg")):
            _write(
                notebook.path.parents[2] / "articles" / "figures" / figure.name,
                figure.read_text(encoding="utf-8"),
            )
        return result

    return _each(select(ids, folder), one, jobs, progress)


def _each(
    notebooks: list[Notebook],
    one: Callable[[Notebook, Path, Progress], dict[str, Any]],
    jobs: int,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Call `one` for every notebook, `jobs` at a time; whatever it raises becomes its result."""
    if jobs < 1:
        raise GalleryError(f"gallery: jobs must be at least 1, got {jobs}")
    lock = threading.Lock()

    def note(event: dict[str, Any]) -> None:
        if progress is not None:
            with lock:  # a callback need not be thread-safe
                progress(event)

    def attempt(notebook: Notebook) -> dict[str, Any]:
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="gallery-", ignore_cleanup_errors=True) as scratch:
            try:
                result = one(notebook, Path(scratch).resolve(), note)
            except Exception as raised:
                result = {
                    "status": "failed",
                    "cells": 0,
                    "failed_cell": None,
                    "error": f"{type(raised).__name__}: {raised}",
                    "facts": {},
                    "out_dir": None,
                }
        seconds = round(time.perf_counter() - begun, 2)
        result = {"id": notebook.id, "title": notebook.title, "seconds": seconds, **result}
        note({"event": "end", **result})
        return result

    with ThreadPoolExecutor(jobs, thread_name_prefix="gallery") as pool:
        return list(pool.map(attempt, notebooks))


def _execute(
    notebook: Notebook,
    executed: Path,
    parameters: dict[str, Any],
    out_dir: Path,
    scratch: Path,
    note: Progress,
) -> dict[str, Any]:
    """Run one notebook in a worker, pass its events on, and judge what it left."""
    source = read_source(notebook.path)
    raw = scratch / "source.ipynb"
    raw.write_text(dumps(source), encoding="utf-8")
    cells = sum(cell["cell_type"] == "code" for cell in source["cells"])
    note({"event": "start", "id": notebook.id, "title": notebook.title, "cells": cells})
    request = {
        "notebook": str(raw),
        "output": str(executed),
        "parameters": parameters,
        "timeout": CELL_TIMEOUT,
    }
    done = _work(request, {**offline_environment(scratch), OUT_DIR: str(out_dir)}, scratch, notebook.id, note)
    facts = out_dir / "facts.json"
    result = {**done, "facts": json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}}
    if done["status"] == "ok":
        error = (
            None if facts.is_file() else "it ran to the end and wrote no facts.json; call save_facts in its last cell"
        )
        error = _refused_solution(executed) or error
        result |= {"status": "failed" if error else "ok", "error": error}
    return result


def _work(request: dict[str, Any], env: dict[str, str], cwd: Path, name: str, note: Progress) -> dict[str, Any]:
    """Start a worker and read its lines until it ends."""
    log = cwd / "worker.log"
    done: dict[str, Any] = {"status": "failed", "cells": 0, "failed_cell": None}
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tutorial_zarr.gallery.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=env,
            cwd=cwd,
            text=True,
            encoding="utf-8",
        )
        try:
            with process:
                process.stdin.write(json.dumps(request))
                process.stdin.close()
                for line in process.stdout:
                    event = json.loads(line)
                    kind = event.pop("event")
                    if kind == "done":
                        return event
                    note({"event": kind, "id": name, **event})
                    done["cells"] = event["cell"]
        finally:
            if process.poll() is None:
                process.kill()
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return {**done, "error": f"its process ended with exit code {process.returncode}: {' '.join(last)}"}


def _refused_solution(executed: Path) -> str | None:
    """The first solution that its own check did not accept."""
    for cell in loads(executed.read_text(encoding="utf-8"))["cells"]:
        if "solution" in tags(cell):
            for output in cell["outputs"]:
                for line in output.get("text", "").splitlines():
                    if NOT_YET in line:
                        return f"a solution is refused by its own check: {line}"
    return None


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, path)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            f"gallery run: the results' folder {path} cannot be made ({error.strerror}); try another out_dir"
        ) from error
