"""Run a lesson in this CPython as in a browser: what Pyodide lacks is absent here too.

No thread and no process starts, no socket connects, and of the packages that are installed only those are seen that
Pyodide has and the lessons want (`THERE`), by their modules and by their metadata. The cells run in IPython's shell
without a kernel, as they do in JupyterLite. What cannot be shown here is WebAssembly itself: its memory, its speed.

`confine` changes the whole interpreter and cannot be undone, so it is for a process that runs one lesson: `worker`.

Spec: https://pyodide.org/en/stable/usage/wasm-constraints.html
"""

from __future__ import annotations

import csv
import errno
import importlib.metadata
import io
import site
import subprocess
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, NoReturn

from tutorial_zarr.gallery.catalogue import BROWSER, in_browser
from tutorial_zarr.gallery.source import tags

OURS = ("tutorial_zarr", "data_gen")
# What there is in a browser, modules and packages in one: NumPy, Matplotlib, pandas, xarray, IPython, what those need.
THERE = frozenset(
    [
        *("tutorial-zarr", "data-gen", "numpy", "matplotlib", "mpl-toolkits", "contourpy", "cycler", "fonttools"),
        *("kiwisolver", "packaging", "pil", "pillow", "pyparsing", "dateutil", "python-dateutil", "six", "pandas"),
        *("pytz", "tzdata", "xarray", "ipython", "ipython-pygments-lexers", "traitlets", "jedi", "parso"),
        *("prompt-toolkit", "pygments", "stack-data", "executing", "asttokens", "pure-eval", "decorator"),
        *("matplotlib-inline", "pexpect", "ptyprocess", "wcwidth", "typing-extensions", "comm"),
    ]
)
# Modules of Python itself that Pyodide has not, or had not before its version for Python 3.14.
NOT_IN_PYTHON = frozenset(("_lzma", "lzma", "_multiprocessing", "_posixshmem", "_posixsubprocess", "fcntl", "resource"))


def confine() -> None:
    """Take from this interpreter, for good, what a browser has not."""
    sysconfig.get_config_vars()  # its file is named after the platform
    for name in list(sys.modules):
        module = name.partition(".")[0]
        # What is ours is imported once more, and asks then where it is.
        if module in OURS or _is_hidden(module, getattr(sys.modules[name], "__spec__", None)):
            del sys.modules[name]
    sys.meta_path[:] = [_Browser if finder is PathFinder else finder for finder in sys.meta_path]
    for name in ("_start_new_thread", "_start_joinable_thread"):  # the second since Python 3.13
        if hasattr(threading, name):
            setattr(threading, name, _no_thread)
    subprocess._can_fork_exec = False  # type: ignore[attr-defined]  # how Python itself says it there
    sys.addaudithook(_refuse)
    sys.platform = "emscripten"


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def _folders() -> tuple[str, ...]:
    return (*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))


def _is_hidden(module: str, spec: ModuleSpec | None) -> bool:
    """Whether a browser has no such module, of those that are installed or belong to Python."""
    if module in NOT_IN_PYTHON:
        return True
    if spec is None or _normal(module) in THERE:
        return False
    places = [spec.origin or "", *(spec.submodule_search_locations or ())]
    return any(place.startswith(_folders()) for place in places)


class _Browser:
    """Stands for `PathFinder`, and does not find what a browser has not."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        return None if "." not in name and spec and _is_hidden(name, spec) else spec

    @staticmethod
    def find_distributions(*context: Any) -> Iterator[importlib.metadata.Distribution]:
        for found in PathFinder.find_distributions(*context):
            if _normal(found.name) in THERE:
                yield found

    @staticmethod
    def invalidate_caches() -> None:
        PathFinder.invalidate_caches()


def _no_thread(*arguments: Any, **options: Any) -> NoReturn:
    raise RuntimeError("can't start new thread")  # what Pyodide's Python says


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook. Socket pairs, which event loops make, connect nothing and pass."""
    if event in ("os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "subprocess.Popen"):
        raise OSError(errno.ENOTSUP, "a browser does not support processes")
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"):
        raise OSError(errno.ENOTSUP, "a browser has no sockets")


def execute(
    source: dict[str, Any], parameters: dict[str, Any], begin: Callable[[str], None], keeps_on: bool = False
) -> str | None:
    """Run the code cells of a notebook, and put into them what they print and show.

    Args:
        source: The notebook; its cells get outputs.
        parameters: What the names that its cell "parameters" gives are to be instead.
        begin: Called with the source of each cell before it runs.
        keeps_on: Whether a cell that fails is followed by the next one.

    Returns:
        The error of the cell that failed first, unless it keeps on, or None.
    """
    warnings.filterwarnings("ignore", "arrays are compressed with gzip")  # which is no fault of a lesson
    shell, shown = _shell()
    for number, cell in enumerate((cell for cell in source["cells"] if cell["cell_type"] == "code"), 1):
        begin(cell["source"])
        out, err = io.StringIO(), io.StringIO()
        shown.clear()
        with redirect_stdout(out), redirect_stderr(err):
            result = shell.run_cell(cell["source"], store_history=False)
        if "parameters" in tags(cell):
            shell.user_ns.update(parameters)
        streams = (("stdout", out.getvalue()), ("stderr", err.getvalue()))
        cell["execution_count"] = number
        cell["outputs"] = [{"output_type": "stream", "name": name, "text": text} for name, text in streams if text]
        cell["outputs"] += shown
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not keeps_on:
            return f"{type(error).__name__}: {error}"
    return None


def _shell() -> tuple[Any, list[dict[str, Any]]]:
    """IPython's shell, and the list to which it adds what a cell shows."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type
    from traitlets.config import Config

    shown: list[dict[str, Any]] = []

    def note(data: Any, metadata: Any = None) -> None:
        shown.append({"output_type": "display_data", "data": dict(data), "metadata": dict(metadata or {})})

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            note(format_dict, md_dict)

    class Publisher(DisplayPublisher):
        def publish(self, data: Any, metadata: Any = None, *arguments: Any, **more: Any) -> None:
            note(data, metadata)

    class Shell(InteractiveShell):
        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)

    settings = Config()
    settings.HistoryManager.enabled = False  # it would start a thread
    return Shell.instance(config=settings), shown


def note(results: Iterable[dict[str, Any]], table: Path = BROWSER) -> None:
    """Write into the table which lessons ran to the end, and why others did not; other rows stay."""
    rows = dict(in_browser(table))
    for result in results:
        ran = result["status"] == "ok"
        rows[result["id"]] = {"id": result["id"], "runs": "yes" if ran else "no", "why": "" if ran else _why(result)}
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("id", "runs", "why"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))
    in_browser.cache_clear()


def _why(result: dict[str, Any]) -> str:
    """One sentence. A number that differs is one of those that rest on zstd, or on threads."""
    error = result["error"].partition("; try")[0]
    if error.startswith("AssertionError"):
        error = "a check of the lesson finds another number than on a computer"
    at = result["failed_cell"]
    return f"in cell {at['number']}, {error}" if at else error
