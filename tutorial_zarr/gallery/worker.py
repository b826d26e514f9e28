"""One notebook in a process of its own, so that nothing it does, dying included, reaches the others.

Started by `runner` with a request in JSON on standard input: the notebook to execute, where to write it, the
parameters, the seconds allowed for a cell. It answers with one JSON object a line: ``cell`` before every code
cell, and ``done`` at the end. papermill does the work.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


def execute(request: dict[str, Any]) -> dict[str, Any]:
    """Execute the notebook and say how it went: status, cells, failed_cell, error."""
    # papermill's validator would build a grammar of internationalised addresses at its import, two seconds of work
    # for each notebook, and skips it where this package is absent. No notebook's format holds such an address.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    import papermill
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

    notebook = json.loads(Path(request["notebook"]).read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    total, at = len(sources) + bool(request["parameters"]), 0
    started: list[str] = []

    class Reporting(NBClientEngine):
        """papermill's engine, which also says when a cell begins."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            begin = nb_man.cell_start

            def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> Any:
                if cell.cell_type == "code":
                    started.append(cell.source)
                    report({"event": "cell", "cell": len(started), "cells": total})
                return begin(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("reporting", Reporting)
    error = None
    try:
        papermill.execute_notebook(
            request["notebook"],
            request["output"],
            request["parameters"],
            engine_name="reporting",
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=request["timeout"],
        )
    except PapermillExecutionError as raised:
        error = f"{raised.ename}: {plain(raised.evalue)}"
    except Exception as raised:  # a kernel that died, a cell that took too long: it is the report that matters
        error = f"{type(raised).__name__}: {plain(str(raised))}"
    done = {"event": "done", "status": "ok", "cells": len(started), "failed_cell": None, "error": error}
    if error is not None:
        at = len(started)
        code = [line for line in (started[-1] if started else "").splitlines() if line.strip()]
        done |= {"status": "failed", "failed_cell": {"number": at, "source": code[0] if code else ""}}
    return done


def plain(message: str) -> str:
    """The first paragraph of a message, without colour codes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", message).strip().partition("\n\n")[0]


def report(event: dict[str, Any]) -> None:
    """One line to `runner`."""
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    report(execute(json.load(sys.stdin)))
