"""From a percent script to a notebook, the same bytes every time.

jupytext parses the script. Its cell ids are random, so they are replaced by a hash of the cell; execution
leaves times, paths and machine names behind, so the metadata are rebuilt from nothing; a stream that was
flushed in several pieces is joined to one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery.catalogue import GalleryError

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

WIDGET = "application/vnd.jupyter.widget-view+json"  # names a widget of the kernel that is gone; a picture stays

# What jupytext and papermill import if it is there, for a server's sake or for formats and stores that no notebook
# here has: seconds of work. One is a grammar of international addresses, which is built when it is imported.
NOT_NEEDED = ("rfc3987_syntax", "jupyter_server", "boto3", "gcsfs", "pyarrow", "github", "azure")


@contextmanager
def imported_without(*modules: str) -> Iterator[None]:
    """For the imports inside, these modules are absent, unless they are here already."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: as if it were not installed
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def read_source(path: Path) -> dict[str, Any]:
    """The notebook that a percent script describes, without outputs."""
    try:
        with imported_without(*NOT_NEEDED):
            import jupytext
    except ModuleNotFoundError as missing:
        raise MissingDependencyError(
            f"gallery: reading {path.name} needs jupytext, which is not installed; "
            'try: python -m pip install "tutorial_zarr[gallery]"'
        ) from missing
    return clean(jupytext.read(path, fmt="py:percent"))


def clean(notebook: dict[str, Any]) -> dict[str, Any]:
    """The same notebook with nothing left of when and where it was made."""
    seen: Counter[str] = Counter()
    cells, number = [], 0
    for cell in notebook["cells"]:
        kind, source = cell["cell_type"], _joined(cell["source"])
        metadata = {key: cell["metadata"][key] for key in ("jupyter", "tags") if cell["metadata"].get(key)}
        digest = hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        new = {"cell_type": kind, "id": digest, "metadata": metadata, "source": source}
        if seen[digest] > 1:
            new["id"] = f"{digest}-{seen[digest]}"
        if kind == "code":
            ran = cell.get("execution_count") is not None
            number += ran
            new |= {"execution_count": number if ran else None, "outputs": _outputs(cell.get("outputs", []))}
        cells.append(new)
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cleaned: list[dict[str, Any]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            last = cleaned[-1] if cleaned else {}
            if last.get("output_type") == "stream" and last["name"] == output["name"]:
                last["text"] += _joined(output["text"])
            else:
                cleaned.append({"output_type": kind, "name": output["name"], "text": _joined(output["text"])})
        elif kind == "error":
            cleaned.append({key: output[key] for key in ("output_type", "ename", "evalue", "traceback")})
        else:
            data = {mime: _joined(value) for mime, value in sorted(output["data"].items()) if mime != WIDGET}
            new = {"output_type": kind, "data": data, "metadata": dict(output.get("metadata", {}))}
            if kind == "execute_result":
                new["execution_count"] = output["execution_count"]
            cleaned.append(new)
    return cleaned


def dumps(notebook: dict[str, Any]) -> str:
    """A notebook as the text of an ``.ipynb`` file: long strings as lists of lines, keys sorted."""
    lines = json.loads(json.dumps(notebook))
    for cell in lines["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = output["text"].splitlines(keepends=True)
            for mime, value in output.get("data", {}).items():
                if isinstance(value, str) and (mime.startswith("text/") or mime == "image/svg+xml"):
                    output["data"][mime] = value.splitlines(keepends=True)
    return json.dumps(lines, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def loads(text: str) -> dict[str, Any]:
    """The inverse of `dumps`: long strings are one string again."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["source"] = _joined(cell["source"])
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = _joined(output["text"])
            output.get("data", {}).update({mime: _joined(value) for mime, value in output.get("data", {}).items()})
    return notebook


def read_built(path: Path) -> Any:
    """What a file that the build wrote holds, a notebook or facts; where it is no JSON, the error names it."""
    text = path.read_text(encoding="utf-8")
    try:
        return loads(text) if path.suffix == ".ipynb" else json.loads(text)
    except (ValueError, KeyError, TypeError) as error:
        found = merge_marks(text) or f"something else ({error})"
        raise GalleryError(
            f"{path.name}: expected JSON as the build writes it, found {found}; "
            f"try: tutorial-zarr gallery build {path.name[:5]}"
        ) from error


def merge_marks(text: str) -> str:
    r"""Where git has left marks in a text, in words; empty where it has not.

    >>> merge_marks("a\n<<<<<<< HEAD\nb\n=======\n")
    'the marks of a merge that was not resolved, in line 2'
    """
    found = re.search(r"^(?:<{7} |>{7} )", text, re.MULTILINE)
    line = text.count("\n", 0, found.start()) + 1 if found else 0
    return f"the marks of a merge that was not resolved, in line {line}" if found else ""


def _joined(text: Any) -> Any:
    return "".join(text) if isinstance(text, list) and all(isinstance(part, str) for part in text) else text


def tags(cell: dict[str, Any]) -> set[str]:
    """The tags of a cell."""
    return set(cell["metadata"].get("tags", ()))
