"""Small real data sets, kept in the repository so that no lesson needs a network.

Beside each file stand its licence, the script that built it, and its sha256 in ``SHA256SUMS``. `load`
compares the sha256 before it hands anything out: a file that was cut short or edited is refused, not taught
from.
"""

from __future__ import annotations

import hashlib
import io
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np


def load(name: str, folder: Traversable | None = None) -> dict[str, np.ndarray]:
    """The arrays of a vendored ``.npz`` file, by name."""
    folder = folder or resources.files(__package__)
    known = checksums(folder)
    expected = known.get(name)
    if expected is None:
        raise KeyError(f"data_gen.vendor: no file {name!r}; try one of {', '.join(sorted(known))}")
    content = (folder / name).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"data_gen/vendor/{name}: expected sha256 {expected}, found {found}; the file was "
            "changed or cut short, try a fresh copy of the repository"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def checksums(folder: Traversable) -> dict[str, str]:
    """name -> sha256, as written in ``SHA256SUMS`` (the format of the ``sha256sum`` command)."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def write_checksum(path: Path) -> str:
    """Put the line of a file that was just built into the ``SHA256SUMS`` beside it; return the sha256."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    lines = [f"{other}  {name}" for name, other in {**checksums(path.parent), path.name: digest}.items()]
    path.with_name("SHA256SUMS").write_text(
        "\n".join(sorted(lines, key=lambda line: line[66:])) + "\n", encoding="utf-8"
    )
    return digest
