"""What a notebook imports besides the library: where to write, facts, other readers, exercises.

Left out: anything that teaches. A lesson's code stands in the lesson.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tutorial_zarr.gallery.exercises import check
from tutorial_zarr.gallery.readers import interop_check, interop_from_others

__all__ = ["check", "interop_check", "interop_from_others", "output_folder", "save_facts"]


def output_folder(out_dir: str | Path | None = None) -> Path:
    """The folder that a notebook writes to: the one it was given, or a fresh temporary one; nowhere else."""
    chosen = out_dir or os.environ.get("TUTORIAL_ZARR_OUT_DIR")
    folder = Path(chosen) if chosen else Path(tempfile.mkdtemp(prefix="tutorial_zarr-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
