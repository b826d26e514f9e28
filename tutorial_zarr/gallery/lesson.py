"""What a notebook imports besides the library: where to write, parameters, facts, other readers, exercises.

Left out: anything that teaches. A lesson's code stands in the lesson.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.environment import make_folder
from tutorial_zarr.gallery.exercises import check
from tutorial_zarr.gallery.packages import need
from tutorial_zarr.gallery.readers import interop_check, interop_from_others
from tutorial_zarr.gallery.workshop.posting import board

__all__ = [
    "board",
    "check",
    "in_range",
    "interop_check",
    "interop_from_others",
    "need",
    "output_folder",
    "print_timings",
    "save_facts",
]
RUNS = 5


def _at_once(pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
    """`ThreadPoolExecutor.submit` in a browser, where no thread can start: the call is done before it returns."""
    global _said
    if not _said:
        print("(A browser has no threads: what is given to a pool is done one after the other.)")
        _said = True
    future: Future[Any] = Future()
    try:
        future.set_result(fn(*args, **kwargs))
    except Exception as error:
        future.set_exception(error)
    return future


_said = False
if sys.platform == "emscripten":  # the lessons are the same files everywhere
    ThreadPoolExecutor.submit = _at_once  # type: ignore[method-assign]


def in_range(**parameters: tuple[Any, Any, Any]) -> None:
    """Stop at a parameter that is out of range: ``in_range(n=(n, 16, 4096), zarr_format=(zarr_format, 2, 3))``.

    Each is (value, lowest, highest). Where the lowest is a whole number, the value has to be one.
    """
    for name, (value, lowest, highest) in parameters.items():
        whole = isinstance(lowest, int)
        kind = (int, np.integer) if whole else (int, float, np.number)
        if isinstance(value, bool) or not isinstance(value, kind) or not lowest <= value <= highest:
            raise GalleryError(
                f"parameter {name}: expected a {'whole ' if whole else ''}number from {lowest:,} to {highest:,}, "
                f"found {value!r}; try another in the cell under 'Parameters'"
            )


def output_folder(out_dir: str | Path | None = None) -> Path:
    """The folder that a notebook writes to: the one it was given, or a fresh temporary one; nowhere else."""
    chosen = out_dir or os.environ.get("TUTORIAL_ZARR_OUT_DIR")
    folder = Path(chosen) if chosen else Path(tempfile.mkdtemp(prefix="tutorial_zarr-"))
    if fault := make_folder(folder):
        cannot, error = fault
        raise GalleryError(
            f"output_folder: expected a folder to write to, {folder} cannot be {cannot} ({error.strerror}); "
            "try another out_dir, or None for a temporary folder"
        ) from error
    return folder


def print_timings(work: Mapping[str, Callable[[], Any]]) -> None:
    """Time each function five times; print the least, the median and the most, and on what machine that was.

    For a cell with the tag "nbval-ignore-output": what it prints is never the same twice, is no fact, and is not for
    an article.
    """
    print(f"{'milliseconds of ' + str(RUNS) + ' runs':32} {'least':>9} {'median':>9} {'most':>9}")
    for name, function in work.items():
        seconds = []
        for _ in range(RUNS):
            begun = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - begun)
        least, median, most = (1000 * value for value in (min(seconds), statistics.median(seconds), max(seconds)))
        print(f"{name:32} {least:9,.1f} {median:9,.1f} {most:9,.1f}")
    packages = ", ".join(f"{name} {_version(name)}" for name in ("numpy", "numcodecs"))
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    print(f"{machine}, Python {platform.python_version()}, {packages}, {date.today().isoformat()}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not here"


def save_facts(folder: str | Path, facts: dict[str, Any]) -> None:
    """Write ``facts.json``: every number that the article about a notebook quotes.

    The figures that lie in ``figures/`` below the folder are noted with their sha256, under "figures".
    """

    def plain(value: Any) -> Any:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise TypeError(f"save_facts: expected numbers, text, lists and dicts, found {type(value).__name__}; try int()")

    figures = sorted(Path(folder, "figures").glob("*.svg"))
    digests = {figure.name: hashlib.sha256(figure.read_bytes()).hexdigest() for figure in figures}
    everything = {**facts, "figures": digests} if digests else facts
    text = json.dumps(everything, indent=1, default=plain, allow_nan=False, ensure_ascii=False)
    (Path(folder) / "facts.json").write_text(text + "\n", encoding="utf-8", newline="\n")
