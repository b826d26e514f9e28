"""Run notebooks, and build them.

Each notebook runs in a process and a scratch folder of its own (`worker`), away from the network and from
every folder but its own (`environment`), so a notebook that fails, hangs or kills its kernel leaves a row in
the table and the others go on.

Both functions return one dict for each notebook::

    id, title      which notebook
    zarr_format    the format that was asked for, None for the notebook's own
    status         "ok" or "failed"
    seconds        how long it took, start of the kernel included
    cells          how many code cells were started
    failed_cell    None, or {"number": of the code cell, "source": its first line}
    error          None, or what went wrong
    facts          what the notebook wrote to facts.json
    out_dir        where its results are, or None where they were not to be kept
    resumed        whether this is the result of an earlier run

`progress` is called with dicts: ``{"event": "start", "id", "title", "cells"}``, ``{"event": "cell", "id", "title",
"cell", "cells", "source"}`` before each cell, and ``{"event": "end", "id", **result}``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery import warm
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, select
from tutorial_zarr.gallery.contract import ABSOLUTE
from tutorial_zarr.gallery.environment import make_folder, offline_environment
from tutorial_zarr.gallery.exercises import NOT_YET
from tutorial_zarr.gallery.packages import remedy
from tutorial_zarr.gallery.source import clean, dumps, loads, tags

Progress = Callable[[dict[str, Any]], None]
Task = tuple[Notebook, int | None]  # a notebook, and the format to run it in
CELL_TIMEOUT = 300  # seconds
BROWSER_LIMIT = 300  # seconds for a lesson as in a browser: one that waits for a thread would wait for ever
OUT_DIR = "TUTORIAL_ZARR_OUT_DIR"  # where a notebook writes when its parameter does not say
RESULT = "result.json"  # beside what a notebook left, for a run that goes on where another stopped


def run(
    ids: Iterable[str] | None = None,
    full: bool = False,
    zarr_format: int | str | None = None,
    out_dir: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    parameters: dict[str, Any] | None = None,
    resume: bool = False,
    folder: Path | None = None,
    as_browser: bool = False,
) -> list[dict[str, Any]]:
    """Run notebooks from the first cell to the last with papermill; `ids` of None means all.

    `full` uses the large data instead of the quick ones. `zarr_format` 2 or 3 overrides the notebooks' own;
    "both" runs each in every format that it is for. With `out_dir` the executed notebook, the facts and the
    stores are kept below it, in a folder named by the notebook's id; without, they are removed. With `resume`
    a notebook that ran to the end below this `out_dir` before, from the same source and with the same
    parameters, is not run again. With `as_browser` they run without what a browser lacks (`as_browser` says how),
    and none for longer than `BROWSER_LIMIT`.
    """
    if zarr_format not in (None, 2, 3, "both"):
        raise GalleryError(
            f'gallery run: zarr_format must be 2, 3 or "both", got {zarr_format!r}; '
            "leave it out for the notebooks' own"
        )
    if resume and out_dir is None:
        raise GalleryError("gallery run: resume needs the folder of the run that stopped; try it with out_dir")
    keep = Path(out_dir).resolve() if out_dir is not None else None
    if keep is not None:
        _make_folder(keep)
    tasks: list[Task] = []
    for notebook in select(ids, folder):
        formats: Sequence[Any] = notebook.formats if zarr_format == "both" else (zarr_format,)
        tasks += [(notebook, wanted) for wanted in formats]

    def one(task: Task, scratch: Path, note: Progress) -> dict[str, Any]:
        notebook, wanted = task
        given = {"quick": not full, **({"zarr_format": wanted} if wanted else {}), **(parameters or {})}
        name = f"{notebook.id}_v{wanted}" if zarr_format == "both" else notebook.id
        target = (keep or scratch / "kept") / name
        _make_folder(target)
        fingerprint = hashlib.sha256(notebook.path.read_bytes() + json.dumps([given, as_browser]).encode()).hexdigest()
        if resume and (before := _earlier(target / RESULT, fingerprint)):
            return {**before, "resumed": True}
        executed = target / notebook.ipynb.name

        def tell(event: dict[str, Any]) -> None:  # a notebook may run in two formats at the same time
            note({**event, "zarr_format": wanted})

        given["out_dir"] = str(target)
        result = _execute(notebook, executed, given, target, scratch, tell, as_browser)
        result["out_dir"] = str(target) if keep else None
        _write(target / RESULT, json.dumps({"fingerprint": fingerprint, "result": result}, indent=1) + "\n")
        return result

    return _each(tasks, one, jobs, progress)


def _earlier(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The result of an earlier run from the same source with the same parameters, if it ran to the end."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = earlier.get("fingerprint") == fingerprint and earlier["result"]["status"] == "ok"
    return earlier["result"] if same else None


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

    def one(task: Task, scratch: Path, note: Progress) -> dict[str, Any]:
        notebook, _ = task
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

    return _each([(notebook, None) for notebook in select(ids, folder)], one, jobs, progress)


def _each(
    tasks: list[Task],
    one: Callable[[Task, Path, Progress], dict[str, Any]],
    jobs: int,
    progress: Progress | None,
) -> list[dict[str, Any]]:
    """Call `one` for every task, `jobs` at a time; whatever it raises becomes its result."""
    if jobs < 1:
        raise GalleryError(f"gallery: jobs must be at least 1, got {jobs}")
    lock = threading.Lock()

    def note(event: dict[str, Any]) -> None:
        if progress is not None:
            with lock:  # a callback need not be thread-safe
                progress(event)

    def attempt(task: Task) -> dict[str, Any]:
        notebook, zarr_format = task
        begun = time.perf_counter()
        nothing: dict[str, Any] = {"cells": 0, "failed_cell": None, "facts": {}, "out_dir": None}
        with tempfile.TemporaryDirectory(prefix="gallery-", ignore_cleanup_errors=True) as scratch:
            try:
                result = one(task, Path(scratch).resolve(), note)
            except GalleryError as raised:
                result = {"status": "failed", "error": str(raised), **nothing}
            except Exception as raised:
                result = {"status": "failed", "error": f"{type(raised).__name__}: {raised}", **nothing}
        seconds = round(time.perf_counter() - begun, 2)
        head = {"id": notebook.id, "title": notebook.title, "zarr_format": zarr_format}
        result = {**head, "seconds": seconds, "resumed": False, **result}
        note({"event": "end", **result})
        return result

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="gallery")
    try:
        return list(pool.map(attempt, tasks))
    finally:  # stopped by hand: what has not begun does not begin
        pool.shutdown(cancel_futures=True)


def _execute(
    notebook: Notebook,
    executed: Path,
    parameters: dict[str, Any],
    out_dir: Path,
    scratch: Path,
    note: Progress,
    as_browser: bool = False,
) -> dict[str, Any]:
    """Run one notebook in a worker, pass its events on, and judge what it left."""
    request = {
        "source": str(notebook.path.resolve()),
        "output": str(executed),
        "parameters": parameters,
        "timeout": CELL_TIMEOUT,
        "as_browser": as_browser,
    }
    own_folder, start = scratch / "own", scratch / "start"  # where it may write, and where it begins
    own_folder.mkdir()
    start.mkdir()
    env = {**offline_environment(own_folder, [out_dir, executed]), OUT_DIR: str(out_dir)}
    if as_browser:
        env["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # which a kernel would choose
    (out_dir / "facts.json").unlink(missing_ok=True)  # of an earlier run

    def tell(event: dict[str, Any]) -> None:
        note({**event, "id": notebook.id, "title": notebook.title})

    done = work(request, env, start, tell, BROWSER_LIMIT if as_browser else None)
    facts = out_dir / "facts.json"
    result = {**done, "facts": json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}}
    if done["status"] == "failed":
        return {**result, "error": remedy(done["error"])}
    if not facts.is_file():
        error = "it ran to the end and wrote no facts.json; call save_facts in its last cell"
        return {**result, "status": "failed", "error": error}
    return result | _judged(executed)


def work(
    request: dict[str, Any], env: dict[str, str], cwd: Path, note: Progress, limit: float | None = None
) -> dict[str, Any]:
    """Start a worker in the folder `cwd`, and read its lines until it ends, after `limit` seconds at the latest.

    What is returned is what its ``done`` says.
    """
    log = cwd.with_name("worker.log")
    done: dict[str, Any] = {"status": "failed", "cells": 0, "failed_cell": None}
    with log.open("w", encoding="utf-8") as errors:
        process: Any = None if request.get("as_browser") else warm.start(env, errors.fileno())
        if process is None:
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
        alarm = threading.Timer(limit or threading.TIMEOUT_MAX, process.kill)
        alarm.daemon = True
        begun = time.perf_counter()
        try:
            if limit is not None:
                alarm.start()
            with process:
                process.stdin.write(json.dumps({**request, "env": env, "cwd": str(cwd)}))
                process.stdin.close()
                for line in process.stdout:
                    event = json.loads(line)
                    if event["event"] == "done":
                        del event["event"]
                        return event
                    note(event)
                    if event["event"] == "cell":
                        at = {"number": event["cell"], "source": event["source"]}
                        done |= {"cells": event["cell"], "failed_cell": at}
        finally:
            alarm.cancel()
            if process.poll() is None:
                process.kill()
    code = process.returncode
    if limit is not None and time.perf_counter() - begun >= limit:
        return {**done, "error": f"it was not done after {limit:g} seconds"}
    if code < 0:  # and it could not say why
        return {**done, "error": f"its process was ended by {signal.Signals(-code).name}; try it again"}
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return {**done, "error": f"its process ended with exit code {code}: {' '.join(last)}"}


def _judged(executed: Path) -> dict[str, Any]:
    """What a run to the end still got wrong: a warning that nobody explains, a solution that is refused."""
    cells = loads(executed.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        error = None
        for output in cell["outputs"]:
            words = output.get("text", "").strip().splitlines()
            if output["output_type"] == "stream" and output["name"] == "stderr":
                error = f"it printed a warning: {' '.join(words[:1])}; catch it and say what it means, or cure it"
            for line in words if "solution" in tags(cell) else ():
                if NOT_YET in line:
                    error = f"a solution is refused by its own check: {line}"
        if error:
            first = cell["source"].strip().partition("\n")[0]
            return {"status": "failed", "error": error, "failed_cell": {"number": number, "source": first}}
    return {}


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    os.replace(partial, path)


def _make_folder(path: Path) -> None:
    if fault := make_folder(path):
        cannot, error = fault
        raise GalleryError(
            f"gallery run: expected a results' folder that can be {cannot}, {path} cannot ({error.strerror}); "
            "try another out_dir"
        ) from error
