"""Finding the peers, and giving each an environment of its own.

A peer is one file in `peers/`: a Python script that names its packages in PEP 723 metadata, or an ECMAScript
module that names them in a first line ``// npm: {...}``. uv makes and keeps the environment of a script; without
uv it is an ordinary virtual environment, and npm's folder for a module, both under `cache_folder`.

A peer whose environment cannot be made is absent, with the reason, and the others go on.

>>> [name for name in find_peers() if name.startswith("zarr")]
['zarr-python', 'zarr-python-2', 'zarrita', 'zarrs']
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tutorial_zarr
from tutorial_zarr.errors import ZarrError

from .process import PeerProcess

PEERS = Path(__file__).parent / "peers"
PROTOCOL = Path(__file__).parent / "protocol"
OURS = "tutorial-zarr"


class PeerAbsentError(ZarrError, RuntimeError):
    """A peer that cannot be run here, and why."""


@dataclass(frozen=True)
class PeerFile:
    """A peer program."""

    name: str
    path: Path

    @property
    def requirements(self) -> dict[str, Any]:
        """The packages that the program names in its head."""
        text = self.path.read_text(encoding="utf-8")
        if self.path.suffix == ".mjs":
            line = re.match(r"// npm: (\{.*\})\n", text)
            return {"npm": json.loads(line[1])} if line else {"npm": {}}
        block = re.search(r"(?m)^# /// script\n((?:#.*\n)+?)# ///$", text)
        return tomllib.loads("".join(line[2:] for line in block[1].splitlines(keepends=True))) if block else {}

    def process(self, here: bool = False, **limits: Any) -> PeerProcess:
        """The peer's process in its environment, which is made where it is missing.

        With `here` nothing is installed: a Python peer has the environment that runs this, and a module of
        JavaScript the packages that an earlier run installed.
        """
        if self.path.suffix == ".mjs":
            return PeerProcess([_program("node"), str(_module(self, install=not here))], **limits)
        paths = [str(PROTOCOL)]
        if here or self.name == OURS:
            paths.append(str(Path(tutorial_zarr.__file__).parents[1]))
            interpreter = Path(sys.executable)
            if self.name != OURS:
                _check_installed(self)
        else:
            interpreter = _interpreter(self)
        environment = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        # -P: the folder of the script is not searched, as a peer may be called like the package that it drives.
        return PeerProcess([str(interpreter), "-P", str(self.path)], environment, **limits)


def find_peers(folder: Path = PEERS) -> dict[str, PeerFile]:
    """All peers by name: the name of the file, with hyphens."""
    files = sorted(f for f in folder.iterdir() if f.suffix in (".py", ".mjs") and not f.name.startswith("_"))
    return {file.stem.replace("_", "-"): PeerFile(file.stem.replace("_", "-"), file) for file in files}


def cache_folder() -> Path:
    """Where environments are kept: ``$TUTORIAL_ZARR_CACHE``, or the user's cache."""
    given = os.environ.get("TUTORIAL_ZARR_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "tutorial_zarr" / "interop"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise PeerAbsentError(f"expected the program {name} on PATH, found none; try installing it")
    return found


def _run(command: list[str], what: str, **options: Any) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerAbsentError(f"{what}: {error}") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise PeerAbsentError(f"{what}: {' '.join(said[-3:])[:600] or f'exit code {done.returncode}'}")
    return done.stdout


def _check_installed(peer: PeerFile) -> None:
    for requirement in peer.requirements.get("dependencies", []):
        if ";" in requirement:  # it is not wanted everywhere
            continue
        name = re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise PeerAbsentError(
                f"expected the package {name} in this environment, found none; try: pip install '{requirement}'"
            ) from None


def _interpreter(peer: PeerFile) -> Path:
    """The Python of the peer's own environment, which is made where it is missing."""
    if shutil.which("uv"):
        environment = {**os.environ, "UV_PYTHON": os.environ.get("UV_PYTHON", sys.executable)}
        environment.pop("VIRTUAL_ENV", None)
        _run(["uv", "sync", "--quiet", "--script", str(peer.path)], "uv sync", env=environment)
        return Path(_run(["uv", "python", "find", "--script", str(peer.path)], "uv", env=environment).strip())
    wanted = peer.requirements.get("dependencies", [])
    mark = hashlib.sha256(json.dumps([sys.version, wanted]).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{peer.name}-{mark}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], "venv")
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted], "pip install")
        (folder / "complete").touch()
    return python


def _module(peer: PeerFile, install: bool) -> Path:
    """A copy of the module in a folder with the packages that it names: Node looks for them beside the file."""
    wanted = peer.requirements["npm"]
    mark = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{peer.name}-{mark}"
    if not (folder / "complete").exists():
        if not install:
            wanted_here = " ".join(f"{name}@{version}" for name, version in wanted.items())
            raise PeerAbsentError(f"expected {wanted_here} in {folder}, found nothing; try: tutorial-zarr interop run")
        npm = _program("npm")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        package = {"private": True, "type": "module", "dependencies": wanted}
        (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
        _run([npm, "install", "--no-audit", "--no-fund", "--no-package-lock"], "npm install", cwd=folder)
        (folder / "complete").touch()
    source = peer.path.read_bytes()
    module = folder / f"{hashlib.sha256(source).hexdigest()[:12]}.mjs"
    if not module.exists():
        part = module.with_suffix(f".{os.getpid()}")
        part.write_bytes(source)
        part.replace(module)
    return module
