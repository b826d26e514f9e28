"""One notebook in a process of its own, so that nothing it does, dying included, reaches the others.

Started by `runner` with a request in JSON on standard input: the source to execute, where to write the notebook, the
parameters, the seconds allowed for a cell, whether it goes on behind a cell that fails, and whether it runs as in a
browser (`as_browser`). With ``--warm`` it is started once for many of them, and forks (`warm`); then the environment
and the folder come with the request. It answers with one JSON object a line: ``start`` when the source is read,
``cell`` before every code cell, and ``done`` at the end. papermill does the work; in a browser there is none.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tutorial_zarr.gallery import as_browser, warm
from tutorial_zarr.gallery.catalogue import GalleryError
from tutorial_zarr.gallery.contract import parameter_names
from tutorial_zarr.gallery.source import NOT_NEEDED, clean, dumps, imported_without, loads, read_source


def execute(request: dict[str, Any], kernel: warm.Kernel | None = None) -> dict[str, Any]:
    """Execute the notebook, in `kernel` where one waits, and say how it went: status, cells, failed_cell, error."""
    path = Path(request["source"])
    source = clean(loads(path.read_text(encoding="utf-8"))) if path.suffix == ".ipynb" else read_source(path)
    own = parameter_names(source["cells"]) if request["parameters"] else set()
    unknown = sorted(set(request["parameters"]) - own - {"out_dir", "quick", "zarr_format"})
    if unknown:
        raise GalleryError(
            f"parameter {unknown[0]!r}: expected one that the notebook has, found another; "
            f"try one of {', '.join(sorted(own))}"
        )
    cells = sum(cell["cell_type"] == "code" for cell in source["cells"])
    report({"event": "start", "cells": cells})
    total = cells + bool(request["parameters"] and not request.get("as_browser"))
    started: list[str] = []

    def begin(cell: str) -> None:
        started.append(cell)
        report({"event": "cell", "cell": len(started), "cells": total, "source": first_line(cell)})

    if request.get("as_browser"):
        error = _in_browser(source, request, begin)
    else:
        error = _with_papermill(source, request, begin, kernel)
    if error is None:
        return {"event": "done", "status": "ok", "cells": len(started), "failed_cell": None, "error": None}
    at = {"number": len(started), "source": first_line(started[-1])} if started else None
    return failed(error) | {"cells": len(started), "failed_cell": at}


def _with_papermill(
    source: dict[str, Any], request: dict[str, Any], begin: Callable[[str], None], kernel: warm.Kernel | None
) -> str | None:
    """Execute it with papermill, in a kernel. What is returned is the error, if there is one."""
    raw = Path(tempfile.gettempdir(), "source.ipynb")
    raw.write_text(dumps(source), encoding="utf-8")
    with imported_without(*NOT_NEEDED):
        import papermill
        from papermill.engines import NBClientEngine, papermill_engines
        from papermill.exceptions import PapermillExecutionError

    class Reporting(NBClientEngine):
        """papermill's engine, which also says when a cell begins."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            cell_starts = nb_man.cell_start

            def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> Any:
                if cell.cell_type == "code":
                    begin(cell.source)
                return cell_starts(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            # papermill would write the whole notebook before and after every cell. It does so once more at the end.
            output, nb_man.output_path = nb_man.output_path, None
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **options)
            finally:
                nb_man.output_path = output

    papermill_engines.register("reporting", Reporting)
    if kernel is not None:
        from jupyter_client.provisioning import local_provisioner

        local_provisioner.launch_kernel = kernel.launch  # type: ignore[assignment]
    try:
        papermill.execute_notebook(
            str(raw),
            request["output"],
            request["parameters"],
            engine_name="reporting",
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=request["timeout"],
            allow_errors=request.get("keeps_on", False),  # a cell that fails is followed by the next one
        )
    except PapermillExecutionError as raised:
        return f"{raised.ename}: {plain(raised.evalue)}"
    except Exception as raised:  # a kernel that died, a cell that took too long: it is the report that matters
        return f"{type(raised).__name__}: {plain(str(raised))}"
    return None


def _in_browser(source: dict[str, Any], request: dict[str, Any], begin: Callable[[str], None]) -> str | None:
    """Execute it in this process, from which all that a browser lacks is taken first."""
    as_browser.confine()
    error = as_browser.execute(source, request["parameters"], begin, request.get("keeps_on", False))
    Path(request["output"]).write_text(dumps(source), encoding="utf-8")
    return error and plain(error)


def failed(error: str) -> dict[str, Any]:
    """What is answered when no cell was begun."""
    return {"event": "done", "status": "failed", "cells": 0, "failed_cell": None, "error": error}


def first_line(source: str) -> str:
    """By which a reader finds the cell again."""
    return source.strip().partition("\n")[0]


def plain(message: str) -> str:
    """The first paragraph of a message, without colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", message).strip().partition("\n\n")[0]


def report(event: dict[str, Any]) -> None:
    """One line to `runner`."""
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    warmed = sys.argv[1:] == ["--warm"]
    if warmed:
        warm.serve()
    try:
        asked = json.load(sys.stdin)
        kernel = None
        if warmed:
            warm.become(asked["env"], asked["cwd"])
            kernel = warm.Kernel()
        outcome = execute(asked, kernel)
    except GalleryError as refused:
        outcome = failed(str(refused))
    except Exception as broken:
        outcome = failed(f"{type(broken).__name__}: {broken}")
    report(outcome)
