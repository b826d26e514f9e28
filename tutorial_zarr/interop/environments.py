"""Finding the peers, and giving each an environment of its own.

A peer is one file in `peers/`: a Python script that names its packages in PEP 723 metadata, or an ECMAScript
module that names them in a first line ``// npm: {...}``. Its environment is an ordinary virtual environment, made by
uv where there is uv, or npm's folder for a module, both under `cache_folder`, which `clear` empties.

A peer whose environment cannot be made is absent, with the reason, and the others go on. Whether a package index
answers is asked once, for `NETWORK_SECONDS` at most, before anything is installed.

>>> [name for name in find_peers() if name.startswith("zarr")]
['zarr-python', 'zarr-python-2', 'zarrita', 'zarrs']
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tutorial_zarr
from tutorial_zarr.errors import SelectionError, ZarrError

from .process import PeerProcess

PEERS = Path(__file__).parent / "peers"
PROTOCOL = Path(__file__).parent / "protocol"
OURS = "tutorial-zarr"
COMPLETE = "complete"  # a file in an environment that is whole
NETWORK_SECONDS = 12  # to find out whether a package index answers
MEGABYTES = 160  # of an environment on the disk, on average: eleven were seen to take 1.8 GB


class PeerAbsentError(ZarrError, RuntimeError):
    """A peer that cannot be run here, and why."""


@dataclass(frozen=True)
class PeerFile:
    """A peer program."""

    name: str
    path: Path

    @property
    def folder(self) -> Path:
        """Where its environment is, or would be."""
        wanted = self.requirements
        packages = wanted["npm"] if "npm" in wanted else [sys.version, wanted.get("dependencies", [])]
        mark = hashlib.sha256(json.dumps(packages, sort_keys=True).encode()).hexdigest()[:12]
        return cache_folder() / f"{self.name}-{mark}"

    @property
    def installed(self) -> bool:
        """Whether its own environment is there."""
        return self.name == OURS or (self.folder / COMPLETE).exists()

    def install(self) -> None:
        """Make its own environment, if it is not there; raises `PeerAbsentError` with the reason if it cannot be."""
        if self.installed:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.path.suffix == ".mjs":
            _install_module(self)
        else:
            _install_packages(self)
        (self.folder / COMPLETE).touch()

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
            node = _program("node")
            return PeerProcess([node, str(_module(self, install=not here))], **limits)
        paths = [str(PROTOCOL)]
        if here or self.name == OURS:
            paths.append(str(Path(tutorial_zarr.__file__).parents[1]))
            interpreter = Path(sys.executable)
            if self.name != OURS:
                _check_installed(self)
        else:
            self.install()
            interpreter = _python_in(self.folder)
        environment = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
        # -P: the folder of the script is not searched, as a peer may be called like the package that it drives.
        return PeerProcess([str(interpreter), "-P", str(self.path)], environment, **limits)


def find_peers(folder: Path = PEERS) -> dict[str, PeerFile]:
    """All peers by name: the name of the file, with hyphens."""
    files = sorted(f for f in folder.iterdir() if f.suffix in (".py", ".mjs") and not f.name.startswith("_"))
    return {file.stem.replace("_", "-"): PeerFile(file.stem.replace("_", "-"), file) for file in files}


def choose(found: Mapping[str, PeerFile], names: Iterable[str], what: str) -> dict[str, PeerFile]:
    """Those of these names, or all."""
    wanted = list(names)
    if unknown := sorted(set(wanted) - set(found)):
        raise SelectionError(f"{what}: expected some of {', '.join(found)}, found {', '.join(unknown)}")
    return {name: file for name, file in found.items() if not wanted or name in wanted}


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


def clear() -> tuple[list[str], int]:
    """Delete the environments of all peers; returns their names and how many bytes that were."""
    folder, names, nbytes = cache_folder(), [], 0
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if re.fullmatch(r".+-[0-9a-f]{12}", place.name) and place.is_dir():
            nbytes += sum(f.lstat().st_size for f in place.rglob("*") if not f.is_symlink() and f.is_file())
            shutil.rmtree(place)
            names.append(place.name)
    return names, nbytes


def _run(command: list[str], what: str, seconds: float = 900, **options: Any) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **options)
    except subprocess.TimeoutExpired as error:
        raise PeerAbsentError(f"{what}: not done after {seconds:g} seconds") from error
    except OSError as error:
        raise PeerAbsentError(f"{what}: {error}") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise PeerAbsentError(f"{what}: {' '.join(said[-3:])[:600] or f'exit code {done.returncode}'}")
    return done.stdout


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]


@functools.cache
def _network() -> str:
    """Why nothing can be installed; "" where a package index answers. The index is the one that pip or uv is set to."""
    try:
        if shutil.which("uv"):
            _run(
                ["uv", "pip", "compile", "--quiet", "--no-deps", "--refresh", "-"], "uv", NETWORK_SECONDS, input="wheel"
            )
        else:
            bounded = ["--retries", "0", "--timeout", "5"]
            _run([*PIP, "--dry-run", "--no-deps", "--ignore-installed", *bounded, "wheel"], "pip", NETWORK_SECONDS)
    except PeerAbsentError:
        return (
            f"expected a package index that answers within {NETWORK_SECONDS} seconds, found none; "
            "try again with a network, or leave out --install"
        )
    return ""


def _check_network() -> None:
    if why := _network():
        raise PeerAbsentError(why)


def _check_installed(peer: PeerFile) -> None:
    """Whether the packages that it names are in this environment, in versions that suit it."""
    missing, others = [], []
    for requirement in peer.requirements.get("dependencies", []):
        if ";" in requirement:  # it is not wanted everywhere
            continue
        name = re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(requirement)
            continue
        if not _suits(requirement, version):
            others.append((requirement, f"{name} {version}"))
    if others:
        wanted, found = (", ".join(each[n] for each in others) for n in (0, 1))
        raise PeerAbsentError(
            f"expected {wanted} in this environment, found {found}; try: --install, which gives it one of its own"
        )
    if missing:
        packages = " ".join(f"'{requirement}'" for requirement in missing)
        raise PeerAbsentError(
            f"expected the packages {', '.join(missing)} in this environment, found none; "
            f"try: --install, or pip install {packages}"
        )


def _suits(requirement: str, version: str) -> bool:
    """Whether a version is one that a requirement allows."""
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:  # then there is neither zarr nor xarray, of which alone the version matters
        return True
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _install_packages(peer: PeerFile) -> None:
    """An environment with the packages that the peer names."""
    _check_network()
    wanted, python = peer.requirements.get("dependencies", []), str(_python_in(peer.folder))
    if shutil.which("uv"):
        versions = peer.requirements.get("requires-python", "")
        suits = _suits(f"python{versions}", platform.python_version())
        _run(["uv", "venv", "--quiet", "--python", sys.executable if suits else versions, str(peer.folder)], "uv venv")
        _run(["uv", "pip", "install", "--quiet", "--python", python, *wanted], "uv pip install")
    else:
        _run([sys.executable, "-m", "venv", str(peer.folder)], "venv")
        _run([python, *PIP[1:], "--retries", "1", "--timeout", "15", *wanted], "pip install")


def _install_module(peer: PeerFile) -> None:
    """A folder with the packages that the module names."""
    npm = _program("npm")
    peer.folder.mkdir(parents=True)
    package = {"private": True, "type": "module", "dependencies": peer.requirements["npm"]}
    (peer.folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
    bounded = ["--fetch-retries=0", "--fetch-timeout=15000"]
    _run(
        [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", *bounded], "npm install", 120, cwd=peer.folder
    )


def _module(peer: PeerFile, install: bool) -> Path:
    """A copy of the module in a folder with the packages that it names: Node looks for them beside the file."""
    if not peer.installed:
        if not install:
            wanted = ", ".join(f"{name} {version}" for name, version in peer.requirements["npm"].items())
            raise PeerAbsentError(f"expected the packages {wanted} of npm, found none; try: --install")
        peer.install()
    source = peer.path.read_bytes()
    module = peer.folder / f"{hashlib.sha256(source).hexdigest()[:12]}.mjs"
    if not module.exists():
        part = module.with_suffix(f".{os.getpid()}")
        part.write_bytes(source)
        part.replace(module)
    return module
